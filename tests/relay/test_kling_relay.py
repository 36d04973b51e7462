"""Kling as the vendor behind: made and continued there, kept here, and found by our name where an answer was lost."""

import asyncio
from typing import Any

import pytest
from fault_proxy import answer_lost, reset_before, status

from mutoscope.engines import relay
from mutoscope.model.job import Sent, State
from mutoscope.wires.kling.later import WIRE

Worlds = Any
TEXT, EXTEND = "/v1/videos/text2video", "/v1/videos/video-extend"
CREATE, NEWER = "^POST /v1/videos/text2video$", "^POST /text-to-video/kling-3.0-turbo$"
PAIR = {"key": "mak_access:msk_secret"}


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay, "LIST_TRIES", (0.05, 0.1))
    monkeypatch.setattr(relay, "RETRY_SECONDS", (0.1, 1.0))


async def make(it: Any, path: str = TEXT, **body: Any) -> str:
    answer = await it.client.post(path, json={"model_name": "kling-v1-6", "prompt": "a lake"} | body)
    assert answer.status_code == 200, answer.text
    data = answer.json()["data"]
    return WIRE.job_id(data.get("task_id") or data["id"]) or ""


async def test_a_video_is_made_at_the_vendor_and_continued_there(world: Worlds) -> None:
    async with world("kling", account=PAIR) as it:
        id = await make(it, external_task_id="order-17", cfg_scale=0.7)
        job = await it.finished(id)
        assert (job.state, job.engine, job.failure) == (State.SUCCEEDED, "kling", None)
        told = (await it.client.get(f"{TEXT}/order-17")).json()["data"]
        [video] = told["task_result"]["videos"]
        longer = await it.finished(await make(it, EXTEND, video_id=video["id"]))
        assert (longer.state, longer.engine) == (State.SUCCEEDED, "kling"), longer.failure
        extended, first = await it.submissions()
        assert extended.generation.inputs[0].output_of == first.id
        assert first.generation.extra["cfg_scale"] == 0.7


@pytest.mark.parametrize(
    ("create", "path", "body"),
    [(CREATE, TEXT, {}), (NEWER, "/text-to-video/kling-3.0-turbo", {"settings": {"duration": 5}})],
)
async def test_a_lost_answer_is_found_by_our_name_though_others_use_the_account(
    world: Worlds, create: str, path: str, body: dict[str, Any]
) -> None:
    async with world("kling", account=PAIR, relay={"breaker_failures": 100}) as it:
        for _ in range(2):
            it.proxy.on(create, answer_lost)
        ids = await asyncio.gather(*(make(it, path, prompt=f"lake {number}", **body) for number in range(3)))
        jobs = [await it.finished(id) for id in ids]
        assert [job.failure for job in jobs] == [None] * 3
        made = {each.generation.prompt: each.outputs[0].asset for each in await it.submissions()}
        assert len(await it.submissions()) == 3
        assert {job.generation.prompt: job.outputs[0].asset for job in jobs} == made


async def test_what_did_not_arrive_is_sent_again_where_the_account_is_ours_alone(world: Worlds) -> None:
    async with world("kling", account=PAIR | {"exclusive": True}) as it:
        it.proxy.on(CREATE, reset_before)
        job = await it.finished(await make(it))
        assert job.state is State.SUCCEEDED
        assert len(await it.submissions()) == 1


async def test_a_reseller_that_does_not_find_it_is_not_believed(world: Worlds) -> None:
    """It may have kept our name to itself: what is not found there may be paid for all the same."""
    async with world("kling", account=PAIR) as it:
        it.proxy.on(CREATE, answer_lost)
        it.proxy.on("^GET /v1/videos/text2video/", status(404), 100)
        job = await it.finished(await make(it))
        assert job.failure and job.failure.kind == "submission_unknown"
        [dispatch] = await it.app.store.dispatches(job.id)
        assert dispatch.sent is Sent.UNKNOWN
