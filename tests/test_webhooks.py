"""Webhooks: signed so that somebody else's library agrees, and delivered in the end whatever the receiver does."""

import asyncio
import base64
import hashlib
import hmac
from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec
import pytest
from aiohttp import web
from standardwebhooks import Webhook, WebhookVerificationError

from mutoscope import webhooks
from mutoscope.wires._ids import from_uuid4_form

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
QUICK = {"secret": SECRET, "schedule": [0.05, 0.05, 0.1, 0.1, 0.2, 0.5], "timeout_seconds": 0.3}
SCRIPTED = {"models": {"gen4_image": {"engine": "script"}}, "webhooks": QUICK}
IMAGE = "/v1/ai/text-to-image/runway"
Start = Callable[..., Any]


class Receiver:
    """A loopback server that answers as `behave` says, by the number of the attempt."""

    def __init__(self) -> None:
        self.attempts: list[tuple[dict[str, str], bytes]] = []
        self.behave: Callable[[int], int | None] = lambda number: 204
        self.url = ""

    async def take(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.attempts.append((headers, await request.read()))
        status = self.behave(len(self.attempts))
        if status is None:
            await asyncio.sleep(1)
            return web.Response(status=204)
        return web.Response(status=status, headers={"location": f"{self.url}/elsewhere"} if status == 302 else {})

    def of(self, status: str) -> list[tuple[dict[str, str], bytes]]:
        return [each for each in self.attempts if msgspec.json.decode(each[1])["status"] == status]


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/hook", receiver.take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield receiver
    await runner.cleanup()


async def run_job(running: Any, receiver: Receiver, prompt: str = "x") -> str:
    body = {"prompt": prompt, "ratio": "720:720", "webhook_url": f"{receiver.url}/hook"}
    answer = await running.client.post(IMAGE, json=body)
    return from_uuid4_form(answer.json()["data"]["task_id"]) or ""


async def all_delivered(running: Any, job: str, seconds: float = 10) -> list[Any]:
    """The messages of a job once the job is final and none of them is pending."""
    await running.finished(job)
    async with asyncio.timeout(seconds):
        while True:
            records = await running.app.store.deliveries(job=job)
            if all(record.delivered or record.given_up for record in records):
                return records
            await asyncio.sleep(0.02)


async def test_every_change_is_told_in_the_words_of_a_read(start: Start, receiver: Receiver) -> None:
    async with start(**SCRIPTED) as running:
        job = await run_job(running, receiver)
        await all_delivered(running, job)
        told = [msgspec.json.decode(body) for _, body in receiver.attempts]
        assert sorted(each["status"] for each in told) == ["COMPLETED", "IN_PROGRESS"]
        [done] = [each for each in told if each["status"] == "COMPLETED"]
        shown = (await running.client.get(f"{IMAGE}/{done['task_id']}")).json()["data"]
        assert done.keys() == shown.keys()
        assert (await running.client.get(done["generated"][0])).status_code == 200


async def test_an_independent_library_verifies_the_signature(start: Start, receiver: Receiver) -> None:
    async with start(**SCRIPTED) as running:
        await all_delivered(running, await run_job(running, receiver))
        for headers, body in receiver.attempts:
            Webhook(SECRET).verify(body, headers)
            with pytest.raises(WebhookVerificationError):
                Webhook(SECRET).verify(body.replace(b"status", b"Status"), headers)
            with pytest.raises(WebhookVerificationError):
                Webhook("whsec_" + base64.b64encode(b"another").decode()).verify(body, headers)


def test_the_vendors_samples_verify_too_which_take_the_secret_as_text() -> None:
    signature = webhooks.sign(SECRET, "msg_1", 1700000000, b"{}")
    text = b"msg_1.1700000000.{}"
    mine = base64.b64encode(hmac.new(SECRET.encode(), text, hashlib.sha256).digest()).decode()
    assert mine in [each.split(",")[1] for each in signature.split(" ")]


def test_a_secret_that_is_no_base64_has_one_signature() -> None:
    assert len(webhooks.sign("not base64!", "msg_1", 1, b"{}").split(" ")) == 1


@pytest.mark.parametrize(
    ("behave", "why"),
    [
        (lambda number: 500 if number < 5 else 204, "fails"),
        (lambda number: 302 if number < 5 else 204, "redirects"),
        (lambda number: None if number < 3 else 204, "times out"),
        (lambda number: 404 if number < 6 else 200, "comes back later"),
    ],
)
async def test_a_receiver_that_misbehaves_gets_every_event_in_the_end_with_the_same_id(
    start: Start, receiver: Receiver, behave: Callable[[int], int | None], why: str
) -> None:
    receiver.behave = behave
    async with start(**SCRIPTED) as running:
        records = await all_delivered(running, await run_job(running, receiver))
        assert len(records) == 2, why
        assert all(record.delivered for record in records), why
        for status in ("IN_PROGRESS", "COMPLETED"):
            attempts = receiver.of(status)
            assert len({headers["webhook-id"] for headers, _ in attempts}) == 1
            assert len({body for _, body in attempts}) == 1
        for record in records:
            attempts = await running.app.store.attempts(record.delivery.id)
            assert attempts[-1].status in (200, 204)
            assert all(attempt.error for attempt in attempts[:-1])


async def test_a_redirect_is_not_followed(start: Start, receiver: Receiver) -> None:
    receiver.behave = lambda number: 302 if number < 3 else 204
    async with start(**SCRIPTED) as running:
        await all_delivered(running, await run_job(running, receiver))
        assert all(record.delivered for record in await running.app.store.deliveries())


async def test_gone_ends_it_at_once(start: Start, receiver: Receiver) -> None:
    receiver.behave = lambda number: 410
    async with start(**SCRIPTED) as running:
        records = await all_delivered(running, await run_job(running, receiver))
        assert all(record.given_up and not record.delivered for record in records)
        assert len(receiver.attempts) == 2


async def test_a_message_that_was_given_up_can_be_replayed(start: Start, receiver: Receiver) -> None:
    receiver.behave = lambda number: 410
    async with start(**SCRIPTED) as running:
        job = await run_job(running, receiver)
        records = await all_delivered(running, job)
        receiver.behave = lambda number: 204
        before = {record.delivery.id for record in records}
        for id in before:
            assert await running.app.store.replay(id, running.app.gateway.clock())
        running.app.gateway.new_delivery.set()
        records = await all_delivered(running, job)
        assert all(record.delivered for record in records)
        assert {headers["webhook-id"] for headers, _ in receiver.attempts} == before


async def test_a_webhook_that_cannot_be_sent_does_not_fail_its_job(start: Start) -> None:
    body = {"prompt": "x", "ratio": "720:720", "webhook_url": "http://127.0.0.1:9/nobody"}
    async with start(**SCRIPTED, net={"allow_private": False}) as running:
        answer = await running.client.post(IMAGE, json=body)
        id = from_uuid4_form(answer.json()["data"]["task_id"])
        job = await running.finished(id)
        assert job.state == "succeeded"
        async with asyncio.timeout(5):
            while not (
                attempts := [
                    a
                    for r in await running.app.store.deliveries(job=id)
                    for a in await running.app.store.attempts(r.delivery.id)
                ]
            ):
                await asyncio.sleep(0.02)
        assert "private" in (attempts[0].error or "")


async def test_what_is_owed_at_a_stop_is_sent_after_the_next_start(start: Start, receiver: Receiver) -> None:
    receiver.behave = lambda number: 503
    slow = {"models": SCRIPTED["models"], "webhooks": {**QUICK, "schedule": [0.5] * 10}}
    async with start(**slow) as running:
        job = await run_job(running, receiver)
        await running.finished(job)
    ids = {headers["webhook-id"] for headers, _ in receiver.attempts}
    receiver.behave = lambda number: 204
    async with start(**slow) as again:
        records = await all_delivered(again, job)
        assert all(record.delivered for record in records)
        assert {record.delivery.id for record in records} >= ids
