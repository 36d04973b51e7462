"""Timeouts, cancels, copies that fail, and news that comes too late."""

import asyncio
import time
from typing import Any

import pytest
from fault_proxy import dead_link, late, response_of, truncated
from test_relay import make_picture

from mutoscope.model.job import State

Worlds = Any


async def test_a_job_that_timed_out_here_is_settled_by_what_arrives_late(world: Worlds) -> None:
    relay = {"timeout_seconds": 0.5, "late_seconds": 30.0, "max_poll_seconds": 0.05, "first_poll_seconds": 0.05}
    async with world("freepik", relay=relay) as it:
        id = await make_picture(it, "sleep 2")
        job = await it.finished(id)
        assert job.failure and job.failure.kind == "timed_out"
        assert job.cost == 0
        async with asyncio.timeout(20):
            while (job := await it.app.store.get(id)) and job.state is not State.SUCCEEDED:
                await asyncio.sleep(0.05)
        assert job and job.outputs and job.failure is None and job.cost
        assert "overdue" in await it.story(id)
        assert await it.app.store.next_watch() is None
        assert len(await it.submissions()) == 1


async def test_a_cancel_goes_upstream_where_the_vendor_has_one(world: Worlds) -> None:
    async with world("runway") as it:
        id = await make_picture(it, "sleep 30")
        await upstream_status(it, id)
        await it.app.gateway.cancel(id)
        async with asyncio.timeout(10):
            while await it.app.store.next_watch() is not None:
                await asyncio.sleep(0.02)
        assert it.proxy.sent("DELETE /v1/tasks/") >= 1  # again where its answer is slow
        assert await it.submissions() == []  # there, a canceled task is gone


async def test_where_it_has_none_the_story_says_that_it_may_be_charged(world: Worlds) -> None:
    relay = {"late_seconds": 20.0, "max_poll_seconds": 0.05, "first_poll_seconds": 0.05}
    async with world("freepik", relay=relay) as it:
        id = await make_picture(it, "sleep 1")
        await upstream_status(it, id)
        await it.app.gateway.cancel(id)
        async with asyncio.timeout(20):
            while await it.app.store.next_watch() is not None:
                await asyncio.sleep(0.02)
        job = await it.app.store.get(id)
        assert job.state is State.CANCELED and not job.outputs
        told = [event.detail for event in await it.app.store.events(id)]
        assert any("cannot cancel" in detail for detail in told)
        assert any("made it" in detail for detail in told)
        assert job.cost == job.estimate  # the vendor tells no cost: it is taken at its price


async def test_a_job_canceled_while_its_request_is_on_its_way_is_canceled_at_the_vendor(world: Worlds) -> None:
    async with world("runway") as it:
        it.proxy.on("POST /v1/text_to_image", late(0.7))
        id = await make_picture(it, "sleep 30")
        async with asyncio.timeout(5):
            while not await it.submissions():
                await asyncio.sleep(0.02)
        await it.app.gateway.cancel(id)
        async with asyncio.timeout(10):
            while await it.submissions():
                await asyncio.sleep(0.05)
        assert (await it.app.store.get(id)).state is State.CANCELED
        [dispatch] = await it.app.store.dispatches(id)
        assert dispatch.sent == "accepted"


@pytest.mark.parametrize("fault", [truncated, dead_link])
async def test_a_result_that_cannot_be_copied_is_tried_again_and_the_job_does_not_fail(
    world: Worlds, fault: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mutoscope.engines.relay.COPY_SECONDS", (0.1, 0.2))
    async with world("freepik") as it:
        it.proxy.on("GET /files/", fault, times=3)
        id = await make_picture(it)
        job = await it.finished(id)
        assert job.state is State.SUCCEEDED
        [output] = job.outputs
        [made] = await it.submissions()
        assert await it.app.assets.read(output.asset) == await it.vendor.assets.read(made.outputs[0].asset)
        assert (await it.story(id)).count("copy_failed") >= 1
        assert job.attempts <= 2


@pytest.mark.alone
async def test_a_clock_that_is_set_while_a_vendor_is_being_asked_ends_no_job(world: Worlds) -> None:
    """The answer comes when the job's time is over by the new clock, and not by the one that it was asked by."""
    asked, turned = asyncio.Event(), asyncio.Event()

    async def held(request: Any, forward: Any) -> Any:
        reply = await forward()
        asked.set()
        await turned.wait()
        return response_of(reply)

    async with world("freepik", relay={"request_seconds": 20.0}) as it:
        it.proxy.on("^GET /v1/ai/text-to-image/runway/", held)
        id = await make_picture(it, "sleep 0.5")
        await asyncio.wait_for(asked.wait(), 20)
        for owner in (it.app.gateway, it.app.poller, it.app.worker, it.app.deliverer):
            owner.clock = lambda: time.time() + 3600
        await it.app.gateway.jumps.look()
        turned.set()
        job = await it.finished(id)
        assert (job.state, job.failure) == (State.SUCCEEDED, None)


async def test_what_the_vendor_sends_is_kept_when_its_link_is_dead(world: Worlds) -> None:
    async with world("freepik") as it:
        id = await make_picture(it)
        await it.finished(id)
        public = it.app.store and (await it.client.get("/v1/ai/text-to-image/runway")).json()["data"][0]["task_id"]
        await it.proxy.stop_listening()
        shown = (await it.client.get(f"/v1/ai/text-to-image/runway/{public}")).json()["data"]
        assert (await it.client.get(shown["generated"][0])).status_code == 200


async def test_jobs_at_a_vendor_outlive_a_restart(world: Worlds) -> None:
    async with world("freepik") as it:
        ids = [await make_picture(it, f"sleep 1 {number}") for number in range(5)]
        for id in ids:
            await upstream_status(it, id)
    async with world("freepik") as it:
        jobs = [await it.finished(id) for id in ids]
        assert {job.state for job in jobs} == {State.SUCCEEDED}
        assert len(await it.submissions()) == 5
        assert {len(await it.app.store.dispatches(id)) for id in ids} == {1}


async def upstream_status(it: Any, id: str) -> None:
    """Wait until the vendor has it."""
    async with asyncio.timeout(10):
        while not (job := await it.app.store.get(id)) or not job.upstream_status:
            await asyncio.sleep(0.02)
