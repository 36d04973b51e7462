"""A vendor that calls us: sooner asked, and found where its answer was lost."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from typing import Any

from fault_proxy import answer_lost
from sockets import answering
from test_relay import make_picture

from mutoscope.model.job import Sent, State

Worlds = Any

CALLING = {"callbacks": True, "first_poll_seconds": 60.0, "max_poll_seconds": 60.0}


async def test_a_vendors_call_has_the_job_asked_about_at_once(world: Worlds) -> None:
    async with reachable(world) as it:
        job = await it.finished(await make_picture(it), seconds=15)
        assert job.state is State.SUCCEEDED
        [made] = await it.submissions()
        assert made.webhook and "/callbacks/" in made.webhook


async def test_a_submission_whose_answer_was_lost_is_settled_by_the_call_that_names_it(world: Worlds) -> None:
    async with reachable(world) as it:
        it.proxy.on("POST /v1/ai", answer_lost)
        id = await make_picture(it, "sleep 1.5")
        async with asyncio.timeout(20):
            while (job := await it.app.store.get(id)) and job.state is not State.SUCCEEDED:
                await asyncio.sleep(0.05)
        assert job and job.outputs
        assert "unknown" in await it.story(id)
        [dispatch] = await it.app.store.dispatches(id)
        assert dispatch.sent is Sent.ACCEPTED
        assert len(await it.submissions()) == 1


async def test_the_clients_own_webhook_is_never_sent_upstream(world: Worlds) -> None:
    async with reachable(world) as it:
        body = {"prompt": "x", "ratio": "720:720", "webhook_url": "http://127.0.0.1:9/mine"}
        answer = await it.client.post("/v1/ai/text-to-image/runway", json=body)
        assert answer.status_code == 200
        async with asyncio.timeout(10):
            while not (made := await it.submissions()):
                await asyncio.sleep(0.02)
        assert "/mine" not in (made[0].webhook or "")


@contextlib.asynccontextmanager
async def reachable(world: Worlds) -> AsyncIterator[Any]:
    """A gateway that its vendor can call."""
    door = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{door.getsockname()[1]}"
    async with world("freepik", relay=CALLING, server={"public_url": url}) as it, answering(it.app, door):
        yield it
