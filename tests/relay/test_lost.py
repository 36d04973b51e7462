"""What tells lost submissions apart: the vendor's list, one submission at a time, patience with a list that is down."""

import asyncio
from typing import Any

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
