"""A job that a vendor makes, from its create to the file that is kept."""

from typing import Any

import pytest

from mutoscope.model.job import Sent, State
from mutoscope.wirekit.ids import from_uuid4_form

Worlds = Any

FREEPIK_IMAGE = "/v1/ai/text-to-image/runway"
RUNWAY = {"x-runway-version": "2024-11-06", "authorization": "Bearer any"}


async def make_picture(it: Any, prompt: str = "a lake") -> str:
    answer = await it.client.post(FREEPIK_IMAGE, json={"prompt": prompt, "ratio": "720:720"})
    assert answer.status_code == 200, answer.text
    return from_uuid4_form(answer.json()["data"]["task_id"])


async def test_a_picture_is_made_at_the_vendor_and_kept_here(world: Worlds) -> None:
    async with world("freepik") as it:
        id = await make_picture(it)
        job = await it.finished(id)
        assert (job.state, job.engine) == (State.SUCCEEDED, "freepik"), job
        [made] = await it.submissions()
        assert made.generation.prompt == "a lake"
        [output] = job.outputs
        assert (output.width, output.height, output.media_type) == (720, 720, "image/png")
        assert await it.app.assets.read(output.asset) == await it.vendor.assets.read(made.outputs[0].asset)
        [dispatch] = await it.app.store.dispatches(id)
        assert dispatch.sent is Sent.ACCEPTED
        assert await it.story(id) == ["intended", "accepted", "made", "ended"]
        assert await it.app.store.next_watch() is None


async def test_ten_jobs_come_back_as_ten(world: Worlds) -> None:
    async with world("freepik") as it:
        ids = [await make_picture(it, f"lake {number}") for number in range(10)]
        jobs = [await it.finished(id) for id in ids]
        assert {job.state for job in jobs} == {State.SUCCEEDED}
        assert len(await it.submissions()) == 10


async def test_what_the_vendor_refuses_fails_with_its_reason(world: Worlds) -> None:
    async with world("freepik") as it:
        job = await it.finished(await make_picture(it, "fail refused not this one"))
        assert job.state is State.FAILED


@pytest.mark.parametrize("back", ["freepik", "runway"])
async def test_a_cancelled_job_stays_cancelled_whatever_the_vendor_does(world: Worlds, back: str) -> None:
    async with world(back) as it:
        id = await make_picture(it, "sleep 1")
        async for job in it.app.gateway.watch(id, poll_seconds=0.05):
            if job.upstream_status:
                break
        await it.app.gateway.cancel(id)
        async for job in it.app.gateway.watch(id):
            assert job.state is State.CANCELED
        assert "canceled" in await it.story(id)


async def test_what_was_made_at_once_is_asked_about_with_nobody(world: Worlds, picture: bytes) -> None:
    """Freepik's cut-out has no task: neither it nor a task beside it waits for an answer that cannot come."""
    async with world("freepik") as it:
        link = await it.shown_to_all(picture)
        beside = await make_picture(it)
        cut = await it.client.post("/v1/ai/beta/remove-background", data={"image_url": link})
        assert cut.status_code == 200, cut.text
        assert cut.json()["high_resolution"]
        assert (await it.finished(beside)).state is State.SUCCEEDED


async def test_a_drawing_that_the_vendor_made_is_kept_as_one(world: Worlds, picture: bytes) -> None:
    async with world("recraft") as it:
        file = {"file": ("a.png", picture, "image/png")}
        answer = await it.client.post("/v1/images/vectorize", files=file)
        assert answer.status_code == 200, answer.text
        [job] = await it.app.store.recent(limit=9)
        [made] = await it.submissions()
        [output] = job.outputs
        assert (output.media_type, output.width, output.height) == ("image/svg+xml", 1280, 720)
        assert await it.app.assets.read(output.asset) == await it.vendor.assets.read(made.outputs[0].asset)
