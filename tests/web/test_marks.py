"""The imperceptible mark, from a job to the administrator who reads it."""

import asyncio
import base64
import hashlib
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
import runwayml

import trained
from mutoscope.model.config import BadSettings

Start = Callable[..., AbstractAsyncContextManager[Any]]
KEY = "an-administrators-key"
KEYS = [{"name": "boss", "admin": True, "sha256": hashlib.sha256(KEY.encode()).hexdigest()}]
HEADERS = {"authorization": f"Bearer {KEY}"}
WISH = {"model": "dall-e-2", "prompt": "a lighthouse by the sea at dusk", "size": "256x256"}


async def test_a_picture_that_is_made_here_is_marked_and_an_administrator_can_read_it(start: Start, picture: bytes):
    shelf = trained.shelf("rivagan")
    async with start(weights={"folder": str(shelf.folder)}, keys=KEYS) as running:
        ask = running.client.post
        made = (await ask("/v1/images/generations", json=WISH, headers=HEADERS)).json()
        marked = (await running.client.get(made["data"][0]["url"])).content
        answer = await ask("/admin/marks", content=marked, headers=HEADERS)
        assert answer.json() == {
            "mark": {"recognised": True, "bits": answer.json()["mark"]["bits"], "of": 24, "kind": "picture"}
        }
        other = (await ask("/admin/marks", content=picture, headers=HEADERS)).json()["mark"]
        assert other["recognised"] is False and other["kind"] is None
        for content, status in ((b"no file at all", 400), (marked[:300], 400), (b"", 400)):
            answer = await ask("/admin/marks", content=content, headers=HEADERS)
            assert answer.status_code == status, answer.text
        assert (await running.client.get("/admin/marks", headers=HEADERS)).status_code == 405
        assert (await ask("/admin/marks", content=marked)).status_code == 401


async def test_what_vendors_sdks_fetch_bears_the_mark(start: Start, tmp_path: Path):
    """A picture by OpenAI's, a clip by Runway's: both are read back, with their kinds."""
    shelf = trained.shelf("rivagan")
    async with start(weights={"folder": str(shelf.folder)}) as running:
        transport = running.client._transport
        http = httpx.AsyncClient(transport=transport, base_url="http://gateway.test/v1")
        base = {"api_key": "any", "max_retries": 0}
        async with openai.AsyncOpenAI(base_url="http://gateway.test/v1", http_client=http, **base) as client:
            made = await client.images.generate(**WISH, response_format="b64_json")  # pyright: ignore[reportCallIssue, reportArgumentType]
        assert made.data
        picture = base64.b64decode(made.data[0].b64_json or "")
        http = httpx.AsyncClient(transport=transport, base_url="http://gateway.test")
        async with runwayml.AsyncRunwayML(base_url="http://gateway.test", http_client=http, **base) as client:
            wish = {"model": "gen4_turbo", "ratio": "1280:720", "duration": 2}
            uri = f"data:image/png;base64,{base64.b64encode(picture).decode()}"
            task = await client.image_to_video.create(prompt_image=uri, **wish)  # pyright: ignore[reportCallIssue, reportArgumentType]
            while (done := await client.tasks.retrieve(task.id)).status not in ("SUCCEEDED", "FAILED"):
                await asyncio.sleep(0.1)
        clip = (await running.client.get(done.output[0])).content  # pyright: ignore[reportAttributeAccessIssue]
        for content, kind in ((picture, "picture"), (clip, "clip of pictures")):
            path = tmp_path / "made"
            path.write_bytes(content)
            found = await running.app.models.ask("rivagan", {"clip": content is clip}, path)
            assert found["recognised"] and found["kind"] == kind, found


async def test_without_the_files_nothing_is_marked_and_true_refuses_to_start(start: Start):
    async with start(keys=KEYS) as running:
        assert running.app.engines["studio"].mark is None
        answer = await running.client.post("/admin/marks", content=b"\x89PNG\r\n\x1a\n", headers=HEADERS)
        assert "mutoscope weights fetch rivagan" in answer.text
    with pytest.raises(BadSettings, match="mutoscope weights fetch rivagan"):
        async with start(mark={"enabled": True}):
            pass
