"""Vendors' callbacks: a URL that cannot be guessed, and news that only makes us ask sooner."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import uuid_utils

from mutoscope.model.job import Generation, Job, Operation
from mutoscope.service.keys import callback_token, called_job

PUBLIC = {"server": {"public_url": "https://media.example.com/"}}
ACCOUNT = "acme"
Start = Callable[..., Any]


async def watched(running: Any, *, due: float) -> str:
    """A job that a vendor is making, to be asked about at `due`."""
    store, now = running.app.store, running.app.gateway.clock()
    generation = Generation(operation=Operation.TEXT_TO_IMAGE, model="gen4_image", prompt="x")
    job = Job(
        id=str(uuid_utils.uuid7()),
        wire="freepik",
        route="",
        owner="",
        generation=generation,
        engine=ACCOUNT,
        created=now,
    )
    await store.add(job)
    await store.claim(engine=ACCOUNT, worker="tests", lease_seconds=60, limit=1, now=now)
    sent = await store.intend(job.id, "tests", account=ACCOUNT, reference="r", now=now)
    handle = {"id": job.id}
    accepted = await store.accept(
        job.id, number=sent.number, handle=handle, status="CREATED", due=due, deadline=due + 60, now=now
    )
    assert accepted
    return job.id


def path_of(running: Any, id: str) -> str:
    url = running.app.gateway.callback_url(id)
    assert url.startswith("https://media.example.com/callbacks/")
    return url.removeprefix("https://media.example.com")


async def test_a_callback_makes_the_watch_of_its_job_due_and_wakes_the_poller(start: Start) -> None:
    async with start(**PUBLIC) as running:
        gateway, store = running.app.gateway, running.app.store
        due = gateway.clock() + 3600
        called, other = await watched(running, due=due), await watched(running, due=due)
        woken = asyncio.create_task(gateway.signals.poller.wait(60))
        answer = await running.client.post(
            path_of(running, called), json={"status": "COMPLETED", "generated": ["evil"]}
        )
        assert (answer.status_code, answer.content) == (204, b"")
        async with asyncio.timeout(5):
            await woken
        due_now = await store.due_watches(account=ACCOUNT, now=gateway.clock(), limit=9, next_due=lambda watch: due)
        assert [watch.job for watch in due_now] == [called] != [other]
        assert (await store.get(called)).outputs == ()


async def test_a_callback_about_a_job_that_is_not_waited_for_is_taken_and_changes_nothing(start: Start) -> None:
    async with start(**PUBLIC) as running:
        gone = str(uuid_utils.uuid7())
        assert (await running.client.post(path_of(running, gone), content=b"no json")).status_code == 204


async def test_a_wrong_token_learns_nothing(start: Start) -> None:
    async with start(**PUBLIC) as running:
        due = running.app.gateway.clock() + 3600
        path = path_of(running, await watched(running, due=due))
        nowhere = await running.client.post("/callbacks/x")
        last = "A" if path[-2] != "A" else "B"  # the very last character has bits that stand for nothing
        for wrong in (
            f"{path[:-2]}{last}{path[-1]}",
            path[:-44],
            path + "x",
            f"{path}/",
            "/callbacks/",
            "/callbacks/ä.ß",
        ):
            for method in ("POST", "GET", "OPTIONS"):
                answer = await running.client.request(method, wrong, content=b"{}")
                assert (answer.status_code, answer.content) == (404, nowhere.content), wrong
        assert not await running.app.store.due_watches(
            account=ACCOUNT, now=due - 60, limit=9, next_due=lambda watch: due
        )


async def test_news_comes_by_post_and_is_short(start: Start) -> None:
    async with start(**PUBLIC) as running:
        path = path_of(running, str(uuid_utils.uuid7()))
        read = await running.client.get(path)
        assert (read.status_code, read.headers["allow"]) == (405, "POST")
        assert (await running.client.post(path, content=b"x" * 64 * 1024)).status_code == 204
        assert (await running.client.post(path, content=b"x" * (64 * 1024 + 1))).status_code == 413


async def test_nobody_is_asked_to_call_a_server_that_has_no_public_address(start: Start) -> None:
    async with start() as running:
        assert running.app.gateway.callback_url("some-job") is None


@pytest.mark.parametrize("job", ["0199f0a8-5c2f-7cc1-a2c4-0d3a9f6b7e10", "x"])
def test_a_token_is_good_for_its_job_and_its_server_only(job: str) -> None:
    token = callback_token(b"secret", job)
    assert called_job(b"secret", token) == job
    assert called_job(b"another", token) is None
    assert called_job(b"secret", token.replace(job, f"{job}0")) is None
    assert token != callback_token(b"secret", f"{job}0")
