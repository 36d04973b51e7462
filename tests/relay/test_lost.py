"""What tells lost submissions apart: the vendor's list, one submission at a time, patience with a list that is down."""

import asyncio
from typing import Any

import httpx
import pytest
from fault_proxy import answer_lost, reset_before, status
from test_relay import make_picture

from mutoscope.engines import relay
from mutoscope.model.job import Sent, State

Worlds = Any

CREATE = "^POST /v1/ai/text-to-image/runway$"
LIST = r"^GET /v1/ai/text-to-image/runway\?"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay, "LIST_TRIES", (0.05, 0.1, 0.2))
    monkeypatch.setattr(relay, "LIST_AGAIN", 0.1)
    monkeypatch.setattr(relay, "RETRY_SECONDS", (0.1, 1.0))


async def test_several_answers_lost_at_the_same_time_are_told_apart(world: Worlds) -> None:
    """Some arrived, some did not: with more than one on its way nobody could say which."""
    async with world("freepik", account={"exclusive": True}, relay={"breaker_failures": 100}) as it:
        for fault in (answer_lost, reset_before, answer_lost, reset_before, answer_lost):
            it.proxy.on(CREATE, fault)
        ids = await asyncio.gather(*(make_picture(it, f"lake {number}") for number in range(8)))
        jobs = [await it.finished(id) for id in ids]
        assert [job.failure for job in jobs] == [None] * 8
        made = {each.generation.prompt: each.outputs[0].asset for each in await it.submissions()}
        assert len(made) == len(await it.submissions()) == 8
        assert {job.generation.prompt: job.outputs[0].asset for job in jobs} == made


async def test_a_list_that_is_down_is_waited_for(world: Worlds) -> None:
    async with world("freepik", account={"exclusive": True}) as it:
        it.proxy.on(CREATE, answer_lost)
        it.proxy.on(LIST, status(502), 6)
        job = await it.finished(await make_picture(it))
        assert job.state is State.SUCCEEDED
        assert len(await it.submissions()) == 1


async def test_a_task_that_may_be_another_jobs_is_given_to_none(world: Worlds) -> None:
    """The list was never readable for the first job; what it shows at the second one's loss may be the first one's."""
    async with world("freepik", account={"exclusive": True}) as it:
        it.proxy.on(CREATE, answer_lost)
        it.proxy.on(LIST, status(404))
        first = await it.finished(await make_picture(it, "the first"))
        assert first.failure and first.failure.kind == "submission_unknown"
        it.proxy.on(CREATE, reset_before)
        second = await it.finished(await make_picture(it, "the second"))
        assert second.failure and second.failure.kind == "submission_unknown"
        third = await it.finished(await make_picture(it, "the third"))
        assert third.state is State.SUCCEEDED
        assert [each.generation.prompt for each in await it.submissions()] == ["the third", "the first"]


async def test_a_server_that_stops_while_it_looks_leaves_the_looking_to_the_next(world: Worlds) -> None:
    short = {"grace_seconds": 0.1}
    async with world("freepik", account={"exclusive": True}, server=short) as it:
        it.proxy.on(CREATE, answer_lost)
        it.proxy.on(LIST, status(502), 1000)
        id = await make_picture(it)
        async with asyncio.timeout(10):
            while "trouble" not in await it.story(id):
                await asyncio.sleep(0.02)
    async with world("freepik", account={"exclusive": True}, server=short) as it:
        job = await it.finished(id)
        assert job.state is State.SUCCEEDED
        assert len(await it.submissions()) == 1


async def test_a_submission_is_found_out_and_fetched_however_often_the_job_was_interrupted(world: Worlds) -> None:
    """It may be paid for: neither the looking nor the copying is an attempt that makes anything."""
    short = {"grace_seconds": 0.1}
    async with world("freepik", account={"exclusive": True}, server=short) as it:
        it.proxy.on(CREATE, answer_lost)
        it.proxy.on(LIST, status(502), 1000)
        id = await make_picture(it)
        async with asyncio.timeout(10):
            while "trouble" not in await it.story(id):
                await asyncio.sleep(0.02)
    async with world("freepik", account={"exclusive": True}, server=short, worker={"max_attempts": 0}) as it:
        job = await it.finished(id)
        assert job.state is State.SUCCEEDED, job.failure
        assert [dispatch.sent for dispatch in await it.app.store.dispatches(id)] == [Sent.ACCEPTED]


async def leave_open(it: Any, prompt: str, lease_seconds: float) -> str:
    """A job of a process that died after its request had arrived, and before the answer came."""
    it.app.worker.hindered = lambda: True
    id, now = await make_picture(it, prompt), it.app.gateway.clock()
    [job] = await it.app.store.claim(engine="freepik", worker="dead", lease_seconds=lease_seconds, limit=1, now=now)
    assert job.id == id and await it.app.store.intend(id, "dead", account="freepik", reference=id, now=now)
    async with httpx.AsyncClient(base_url=it.proxy.url) as vendor:
        body = {"prompt": prompt, "ratio": "720:720"}
        answer = await vendor.post("/v1/ai/text-to-image/runway", json=body, headers={"x-freepik-api-key": "k"})
    assert answer.status_code == 200, answer.text
    it.app.worker.hindered = lambda: False
    return id


@pytest.fixture(params=["sqlite", "postgres"])
def either_database(request: pytest.FixtureRequest) -> None:
    if request.param == "postgres":
        request.getfixturevalue("on_postgres")


@pytest.mark.usefixtures("either_database")
async def test_who_sends_after_another_died_waits_until_that_ones_submission_is_found_out(
    world: Worlds, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two lost at once could not be told apart. There are more who wait than there are slots, and those are not kept
    from the one that they wait for."""
    monkeypatch.setattr(relay, "OCCUPIED_SECONDS", 0.1)
    async with world("freepik", account={"exclusive": True}, relay={"slots": 2, "breaker_failures": 100}) as it:
        before = await leave_open(it, "lake 0", lease_seconds=1.0)
        it.proxy.on(CREATE, answer_lost)
        ids = [before, *(await asyncio.gather(*(make_picture(it, f"lake {number}") for number in range(1, 5))))]
        jobs = [await it.finished(id) for id in ids]
        assert [job.failure for job in jobs] == [None] * 5
        made = {each.generation.prompt: each.outputs[0].asset for each in await it.submissions()}
        assert {job.generation.prompt: job.outputs[0].asset for job in jobs} == made
        assert len(await it.submissions()) == 5


@pytest.mark.usefixtures("either_database")
async def test_a_submission_of_a_job_that_is_not_wanted_any_more_is_found_out_as_well(
    world: Worlds, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would keep the account from sending, or be taken for the next one that is lost. Of a job that was forgotten
    nothing is left to look for it with: then the next one that is lost cannot be told from it."""
    monkeypatch.setattr(relay, "OCCUPIED_SECONDS", 0.1)
    relays = {"request_seconds": 0.5, "breaker_failures": 100}
    async with world("freepik", account={"exclusive": True}, relay=relays) as it:
        store = it.app.store
        for number, gone in enumerate((False, True)):
            left = await leave_open(it, f"not wanted {number}", lease_seconds=60.0)
            assert await store.cancel(left, now=it.app.gateway.clock())
            if gone:
                _ = await store.forget("", limit=99, now=it.app.gateway.clock())
            it.proxy.on(CREATE, answer_lost)
            job = await it.finished(await make_picture(it, f"wanted {number}"))
            [dispatch] = await store.dispatches(left)
            assert dispatch.sent is (Sent.UNKNOWN if gone else Sent.ACCEPTED)
            assert (job.failure and job.failure.kind) == ("submission_unknown" if gone else None)
        assert (await it.finished(await make_picture(it, "the next"))).state is State.SUCCEEDED
        assert await store.unresolved("freepik") == 0
        assert len(await it.submissions()) == 5


@pytest.mark.usefixtures("either_database")
async def test_a_server_that_starts_anew_finds_out_what_it_had_sent_for_a_job_that_is_not_wanted_any_more(
    world: Worlds,
) -> None:
    async with world("freepik", account={"exclusive": True}, relay={"request_seconds": 0.2}) as it:
        left = await leave_open(it, "not wanted", lease_seconds=60.0)
        assert await it.app.store.cancel(left, now=it.app.gateway.clock())
    async with world("freepik", account={"exclusive": True}, relay={"request_seconds": 0.2}) as it:
        it.proxy.on(CREATE, answer_lost)
        job = await it.finished(await make_picture(it, "wanted"))
        [dispatch] = await it.app.store.dispatches(left)
        assert job.state is State.SUCCEEDED and dispatch.sent is Sent.ACCEPTED
