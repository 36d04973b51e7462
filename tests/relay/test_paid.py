"""Once a vendor has accepted a job, only its word or the operator's patience ends it: no fault of ours does."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web
from fault_proxy import Fault, Forward, dead_link, status
from test_charges import DEARER, KEYED, books, make
from test_relay import make_picture

from mutoscope.background import poller, worker
from mutoscope.engines import relay
from mutoscope.model.job import Sent, State
from mutoscope.model.problem import Unavailable
from running import execute

Worlds = Any
FILES = "^GET /files/"
POLL = "^GET /v1/ai/text-to-image/runway/"
BACKS = pytest.mark.parametrize("back", ["freepik", "runway"])


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay, "COPY_SECONDS", (0.1, 0.2))
    monkeypatch.setattr(relay, "LIST_TRIES", (0.05, 0.1))
    monkeypatch.setattr(relay, "ACCEPT_SECONDS", 0.05)
    monkeypatch.setattr(worker, "RETRY_FETCH_SECONDS", 0.1)
    monkeypatch.setattr(worker, "HINDERED_SECONDS", 0.05)


def breaking(real: Callable[..., Awaitable[Any]], error: Exception, times: int = 2) -> Callable[..., Awaitable[Any]]:
    """Breaks so many times, then does what it should."""
    left = [error] * times

    async def broken(*args: Any, **kwargs: Any) -> Any:
        if left:
            raise left.pop()
        return await real(*args, **kwargs)

    return broken


FAULTS = {
    "probe": RuntimeError("the handler is closed"),
    "keep": OSError(5, "Input/output error"),
    "settle": OverflowError("int too large"),
    "dispatches": RuntimeError("a fault"),
}


@BACKS
@pytest.mark.parametrize("place", FAULTS)
async def test_no_fault_of_ours_ends_a_job_that_a_vendor_made(
    world: Worlds, monkeypatch: pytest.MonkeyPatch, back: str, place: str
) -> None:
    async with world(back) as it:
        it.proxy.on(FILES, dead_link)  # so that there is a dispatch to be read when it is fetched again
        owner, name = {
            "probe": (it.app.prober, "probe"),
            "keep": (it.app.assets, "put"),
            "settle": (it.app.store, "settle"),
            "dispatches": (it.app.store, "dispatches"),
        }[place]
        id = await make_picture(it)
        async for job in it.app.gateway.watch(id, poll_seconds=0.02):
            if "copy_failed" in await it.story(id) or job.state.final:
                break
        monkeypatch.setattr(owner, name, breaking(getattr(owner, name), FAULTS[place]))
        job = await it.finished(id)
        assert (job.state, job.failure) == (State.SUCCEEDED, None)
        assert job.cost and len(job.outputs) == 1
        assert len(await it.submissions()) == 1


async def test_a_fault_of_ours_parks_the_job_and_says_why(world: Worlds, monkeypatch: pytest.MonkeyPatch) -> None:
    async with world("freepik") as it:
        monkeypatch.setattr(it.app.prober, "probe", breaking(it.app.prober.probe, RuntimeError("closed"), 1))
        id = await make_picture(it)
        assert (await it.finished(id)).state is State.SUCCEEDED
        details = [event.detail for event in await it.app.store.events(id) if event.what == "copy_failed"]
        assert details and set(details) == {worker.UNEXPECTED}


async def test_the_operators_patience_ends_what_a_fault_of_ours_keeps_from_being_fetched(
    world: Worlds, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with world("runway", relay={"late_seconds": 1.0}, **KEYED, **DEARER) as it:
        monkeypatch.setattr(it.app.prober, "probe", breaking(it.app.prober.probe, RuntimeError("closed"), 1000))
        id = await make(it, "a lake")
        job = await it.finished(id)
        assert job.failure and "could not be fetched" in job.failure.message
        assert await books(it, id) == [("reserve", 7.0), ("release", 7.0), ("charge", 5.0)]


async def test_a_copy_is_no_attempt_that_could_have_made_anything(world: Worlds) -> None:
    """However often the gateway is killed while it copies, the job is not given up for it."""
    short = {"grace_seconds": 0.1}
    async with world("runway", server=short) as it:
        it.proxy.on(FILES, dead_link, times=1000)
        id = await make_picture(it)
        async for _ in it.app.gateway.watch(id, poll_seconds=0.02):
            if "copy_failed" in await it.story(id):
                break
    _ = execute(it.app, "UPDATE jobs SET attempts = 50 WHERE id = ?", [(id,)])
    async with world("runway", server=short) as it:
        assert (await it.finished(id)).state is State.SUCCEEDED


@BACKS
@pytest.mark.parametrize("error", [Unavailable("the disk is full"), OSError(28, "No space left on device")])
async def test_what_a_vendor_accepted_is_written_down_however_long_the_store_is_hindered(
    world: Worlds, monkeypatch: pytest.MonkeyPatch, back: str, error: Exception
) -> None:
    async with world(back) as it:
        monkeypatch.setattr(it.app.store, "accept", breaking(it.app.store.accept, error, 3))
        id = await make_picture(it)
        assert (await it.finished(id)).state is State.SUCCEEDED
        assert [each.sent for each in await it.app.store.dispatches(id)] == [Sent.ACCEPTED]


@pytest.mark.parametrize(("exclusive", "wanted"), [(True, None), (False, "submission_unknown")])
async def test_a_fault_of_ours_between_a_request_and_its_answer_is_found_out_as_after_a_crash(
    world: Worlds, monkeypatch: pytest.MonkeyPatch, exclusive: bool, wanted: str | None
) -> None:
    async with world("freepik", account={"exclusive": exclusive}) as it:
        monkeypatch.setattr(it.app.store, "accept", breaking(it.app.store.accept, RuntimeError("a fault"), 1))
        job = await it.finished(await make_picture(it))
        assert (job.failure and job.failure.kind) == wanted
        assert len(await it.submissions()) == 1


# -- what a vendor tells -----------------------------------------------------------


def costs(raw: str) -> Fault:
    """Every task is told to have cost this, as JSON has it."""

    async def fault(request: web.Request, forward: Forward) -> web.StreamResponse | None:
        del request
        reply = await forward()
        body = json.dumps(json.loads(reply.body) | {"cost": {"credits": "@@"}}).replace('"@@"', raw)
        return web.Response(status=reply.status, body=body.encode(), content_type="application/json")

    return fault


IMPOSSIBLE = ("1e15", "1e300", "1e400", str(2**70), "1" + "0" * 400, "1" + "0" * 5000, "-5")


async def test_a_cost_that_cannot_be_counts_as_not_told_and_the_story_says_so(world: Worlds) -> None:
    async with world("runway", **KEYED | {"keys": [KEYED["keys"][0] | {"budget": 1000.0}]}, **DEARER) as it:
        for cost in IMPOSSIBLE:
            it.proxy.rules.clear()
            it.proxy.on("^GET /v1/tasks/", costs(cost), times=1000)
            id = await make(it, "a lake")
            job = await it.finished(id)
            assert (job.state, job.cost) == (State.SUCCEEDED, 7.0), cost
            assert await books(it, id) == [("reserve", 7.0), ("release", 7.0), ("charge", 7.0)]
            assert "doubted" in await it.story(id)


async def test_a_vendor_that_does_not_know_its_task_for_a_moment_is_not_taken_at_its_word(
    world: Worlds, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Long after it took it, too: what stands before its servers answers 404 while they restart."""
    async with world("freepik", vendor={"server": {"grace_seconds": 0.1}}) as it:
        monkeypatch.setattr(poller, "FORGIVEN_SECONDS", 0.7)
        id = await make_picture(it, "sleep 1.5")
        async for _ in it.app.gateway.watch(id, poll_seconds=0.02):
            if it.app.poller.polls > 4:
                break
        _ = execute(it.app, "UPDATE watches SET since = since - 1000")
        it.proxy.on(POLL, status(404), times=2)
        assert (await it.finished(id)).state is State.SUCCEEDED
        lost = await make_picture(it, "sleep 20")
        it.proxy.on(POLL, status(404), times=1000)
        job = await it.finished(lost)
        assert job.failure and "does not know the task any more" in job.failure.message
