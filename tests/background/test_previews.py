"""Small pictures of what jobs made: drawn after the end, kept with the job, gone with it."""

import asyncio
import io
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
from PIL import Image

from mutoscope.background.previews import Previews
from mutoscope.files.probe import Prober
from mutoscope.model.config import Inputs
from mutoscope.model.job import Job
from mutoscope.store import Kept

OPENAI = {"authorization": "Bearer any"}
RUNWAY = OPENAI | {"x-runway-version": "2024-11-06"}


async def made(running: Any, path: str, **body: Any) -> Job:
    answer = await running.client.post(path, json=body, headers=RUNWAY | {"x-mutoscope-engine": "script"})
    assert answer.status_code == 200, answer.text
    wire = running.app.gateway.wires["runway"]
    return await running.finished(wire.job_id(answer.json()["id"]))


async def test_a_clip_gets_a_poster_and_a_preview_that_go_with_it(start: Callable[..., Any]) -> None:
    async with start(rehearsal=True) as running:
        app = running.app
        clip = await made(
            running, "/v1/text_to_video", model="gen4.5", promptText="a lake", ratio="1280:720", duration=5
        )
        sound = await made(running, "/v1/sound_effect", model="eleven_text_to_sound_v2", promptText="rain", duration=2)
        assert not clip.outputs[0].poster, "the end does not wait for it"
        prober = Prober(Inputs())
        for job in (clip, sound):
            await app.previews.draw(job.id, prober)
        await prober.close()

        seen = (await app.store.get(clip.id)).outputs[0]
        assert seen == clip.outputs[0].__class__(
            **{**vars_of(clip.outputs[0]), "poster": seen.poster, "preview": seen.preview}
        )
        poster = Image.open(io.BytesIO(await app.assets.read(seen.poster)))
        assert poster.format == "JPEG" and poster.size == (512, 288)
        with av.open(io.BytesIO(await app.assets.read(seen.preview))) as small:
            assert not small.streams.audio and small.streams.video[0].width == 512
            assert 3.5 < small.duration / av.time_base < 4.5, "the first seconds"
        heard = (await app.store.get(sound.id)).outputs[0]
        assert Image.open(io.BytesIO(await app.assets.read(heard.poster))).size == (640, 120) and not heard.preview

        assert set(await app.store.needed([seen.poster, seen.preview, seen.asset])) == {
            seen.poster,
            seen.preview,
            seen.asset,
        }
        await app.store.sweep(Kept.OUTPUTS, before=time.time() + 1, now=time.time(), limit=50)
        assert not await app.store.needed([seen.poster, seen.preview, seen.asset])
        assert {seen.poster, seen.preview} <= set(await app.store.due_drops(now=time.time() + 1, limit=50))
        assert not await app.store.illustrate(clip.id, seen.id, poster=seen.poster, preview="", now=time.time())


def vars_of(output: Any) -> dict[str, Any]:
    return {name: getattr(output, name) for name in output.__struct_fields__}


async def test_they_are_drawn_when_nothing_else_is_to_do(start: Callable[..., Any], tmp_path: Path) -> None:
    async with start(rehearsal=True) as running:
        app, busy = running.app, True
        job = await made(running, "/v1/text_to_image", model="gen4_image", promptText="weigh 0.2", ratio="1920:1080")
        words = Previews(
            store=app.store, assets=app.assets, inputs=Inputs(), scratch=tmp_path, busy=lambda: busy, later_seconds=0.0
        )
        task = asyncio.create_task(words.run())  # takes up what was left undone
        await asyncio.sleep(0.2)
        assert not (await app.store.get(job.id)).outputs[0].poster, "something is being made"
        busy = False
        for _ in range(200):
            if (await app.store.get(job.id)).outputs[0].poster:
                break
            await asyncio.sleep(0.05)
        assert (await app.store.get(job.id)).outputs[0].poster
        assert (await app.store.get(job.id)).finished == job.finished
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_damaged_file_is_left_without(start: Callable[..., Any]) -> None:
    async with start(rehearsal=True) as running:
        app = running.app
        job = await made(running, "/v1/text_to_image", model="gen4_image", promptText="weigh 0.2", ratio="1920:1080")
        path = await app.assets.local_path(job.outputs[0].asset, app.home.scratch)
        path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
        prober = Prober(Inputs())
        await app.previews.draw(job.id, prober)
        await prober.close()
        assert (await app.store.get(job.id)).outputs == job.outputs
