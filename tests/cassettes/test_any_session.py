"""Whatever a client does, a recording of it gives the same answers, but for ids, times and links."""

import asyncio
import re
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from tapes import ENDLESS, KEY, PICTURE, Gateway, Vendor, gateway

from mutoscope.wirekit.ids import from_uuid4_form

DEEDS = st.one_of(
    st.tuples(st.just("make"), st.sampled_from(["a lake", "a wood", "refuse", "bad", "busy"])),
    st.tuples(st.just("cancel"), st.just(ENDLESS)),
    st.tuples(st.just("make here"), st.sampled_from(["a lake", "fail refused not this", "throttle"])),
    st.tuples(st.just("cancel here"), st.just("hang")),
    st.tuples(st.sampled_from(["say", "stream"]), st.sampled_from(["hello", "torn", "goodbye"])),
    st.tuples(st.just("read"), st.integers(0, 3)),
)
HERE = "/v1/ai/mystic"
ROUTED = {"freepik/mystic": {"engine": "script"}}  # what is made here
VOLATILE = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|https?://[^\"]+|\"(created_at|updated_at)\":\"[^\"]*\"")


async def session(it: Gateway, deeds: list[tuple[str, Any]]) -> list[Any]:
    """What the client is told."""
    told: list[Any] = []
    tasks: list[str] = []  # their addresses

    async def read(task: str) -> None:
        answer = await it.client.get(task)
        told.append((answer.status_code, VOLATILE.sub("…", answer.text)))
        told.extend([(await it.client.get(link)).content for link in re.findall(r"https?://[^\"]+", answer.text)])

    for deed, what in deeds:
        if deed in ("say", "stream"):
            answer = await it.say(what, stream=deed == "stream")
            told.append((answer.status_code, answer.content.replace(KEY.encode(), b"[redacted]")))
        elif deed == "read":
            await read(tasks[what % len(tasks)] if tasks else f"{PICTURE}/00000000-0000-4000-8000-000000000000")
        else:
            at, shape = (HERE, {}) if "here" in deed else (PICTURE, {"ratio": "720:720"})
            answer = await it.client.post(at, json={"prompt": what} | shape)
            told.append((answer.status_code, VOLATILE.sub("…", answer.text)))
            task = answer.json()["data"]["task_id"]
            tasks.append(f"{at}/{task}")
            id = from_uuid4_form(task) or ""
            if "cancel" in deed:
                async with asyncio.timeout(60):
                    async for job in it.app.gateway.watch(id, poll_seconds=0.05):
                        if job.upstream_status or id in it.app.worker.runs:  # the vendor has it, or the engine
                            break
                await it.app.gateway.cancel(id)
            told.append((await it.finished(id)).state)
            await read(tasks[-1])
    return told


async def both(deeds: list[tuple[str, Any]], folder: Path) -> None:
    vendor, tapes = Vendor(), folder / "tapes"
    tapes.mkdir()
    told = {"record": str(tapes)}
    async with vendor.running() as url, gateway(folder / "a", url, cassettes=told, models=ROUTED) as it:
        recorded = await session(it, deeds)
    wires = ("freepik", "openai")  # of which there may be no recording
    async with gateway(folder / "b", wires=wires, cassettes={"replay": str(tapes)}, models=ROUTED) as it:
        assert await session(it, deeds) == recorded


@examples(max_examples=4)
@given(st.lists(DEEDS, min_size=3, max_size=7))
def test_a_recording_gives_the_same_answers(deeds: list[tuple[str, Any]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(both(deeds, Path(folder)))
