"""Webhooks: signed so that somebody else's library agrees, and delivered in the end whatever the receiver does."""

import asyncio
import base64
import hashlib
import hmac
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec
import pytest
from aiohttp import web
from standardwebhooks import Webhook, WebhookVerificationError

from mutoscope.app import App
from mutoscope.background import webhooks
from mutoscope.model.config import BadSettings, Net, Rights
from mutoscope.model.job import State
from mutoscope.model.problem import Problem
from mutoscope.service.keys import digest, make_key
from mutoscope.web import openapi
from mutoscope.wirekit.ids import from_uuid4_form
from mutoscope.wirekit.routes import Create
from mutoscope.wirekit.wire import Wire
from mutoscope.wires import ALL, BY_NAME
from running import execute

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
QUICK = {"secret": SECRET, "schedule": [0.05, 0.05, 0.1, 0.1, 0.2, 0.5], "timeout_seconds": 0.3}
SCRIPTED = {"models": {"gen4_image": {"engine": "script"}}, "webhooks": QUICK}
IMAGE = "/v1/ai/text-to-image/runway"
RUNWAY = {"x-runway-version": "2024-11-06", "authorization": "Bearer any"}
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
        running.app.gateway.signals.delivery_pending()
        records = await all_delivered(running, job)
        assert all(record.delivered for record in records)
        assert {headers["webhook-id"] for headers, _ in receiver.attempts} == before


async def test_a_webhook_that_cannot_be_sent_does_not_fail_its_job(start: Start) -> None:
    async def inside(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    body = {"prompt": "x", "ratio": "720:720", "webhook_url": "http://inside.example.com/nobody"}
    async with start(**SCRIPTED, net={"allow_private": False}) as running:
        running.app.client._lookup = inside
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


# -- on wires whose vendors have none ----------------------------------------------------------


MAKERS = [wire for wire in ALL if any(isinstance(route, Create) for route in wire.routes)]
"""All but those whose answers are words and never jobs."""


def test_every_wire_can_say_a_webhook() -> None:
    assert [wire.name for wire in MAKERS if wire.render_webhook is None] == []


@pytest.mark.parametrize("mount", ["/v1", "/runwayml/v1"])
@pytest.mark.parametrize("by", ["header", "query"])
async def test_a_runway_client_names_a_webhook_and_gets_what_a_read_shows(
    start: Start, receiver: Receiver, mount: str, by: str
) -> None:
    models = {name: {"engine": "script"} for name in ("gen4_image", "gen4_turbo")}
    async with start(models=models, webhooks=QUICK) as running:
        address = f"{receiver.url}/hook"
        asked = {"headers": RUNWAY | {"x-mutoscope-webhook": address}} if by == "header" else {"headers": RUNWAY}
        params = {"mutoscope_webhook": address} if by == "query" else {}
        body = {"model": "gen4_image", "promptText": "x", "ratio": "720:720"}
        made = await running.client.post(f"{mount}/text_to_image", json=body, params=params, **asked)
        assert made.status_code == 200, made.text
        records = await all_delivered(running, from_uuid4_form(made.json()["id"]) or "")
        assert {record.delivery.event for record in records} == {"running", "succeeded"}
        [(headers, done)] = receiver.of("SUCCEEDED")
        Webhook(SECRET).verify(done, headers)
        told = msgspec.json.decode(done)
        shown = (await running.client.get(f"{mount}/tasks/{told['id']}", headers=RUNWAY)).json()
        assert {**told, "output": 0} == {**shown, "output": 0}  # links are signed anew
        assert (await running.client.get(told["output"][0])).status_code == 200
        [(_, started)] = receiver.of("RUNNING")
        assert msgspec.json.decode(started)["id"] == told["id"]


@pytest.mark.parametrize(("prompt", "status"), [("fail refused not today", "FAILED"), ("sleep 30", "CANCELLED")])
async def test_the_other_ends_of_a_runway_task_are_told_too(
    start: Start, receiver: Receiver, prompt: str, status: str
) -> None:
    async with start(**SCRIPTED) as running:
        headers = RUNWAY | {"x-mutoscope-webhook": f"{receiver.url}/hook"}
        body = {"model": "gen4_image", "promptText": prompt, "ratio": "720:720"}
        made = await running.client.post("/v1/text_to_image", json=body, headers=headers)
        id = from_uuid4_form(made.json()["id"]) or ""
        if status == "CANCELLED":
            await running.app.gateway.cancel(id)
        await all_delivered(running, id)
        [(_, told)] = receiver.of(status)
        assert msgspec.json.decode(told)["id"] == made.json()["id"]


async def test_the_requests_own_field_comes_first_then_the_header_the_query_and_the_key(start: Start) -> None:
    keys = [{"name": "ann", "sha256": digest("ann"), "webhook": "https://key.example/hook"}]
    async with start(**SCRIPTED, keys=keys, server={"grace_seconds": 0.1}) as running:

        async def job_of(fields: dict[str, str], header: str | None = None, query: str | None = None) -> Any:
            headers = {"x-freepik-api-key": "ann"} | ({"x-mutoscope-webhook": header} if header else {})
            params = {"mutoscope_webhook": query} if query else {}
            body = {"prompt": "sleep 30", "ratio": "720:720", **fields}
            answer = await running.client.post(IMAGE, json=body, headers=headers, params=params)
            return await running.app.store.get(from_uuid4_form(answer.json()["data"]["task_id"]))

        own, header, query = (f"https://{name}.example/hook" for name in ("own", "header", "query"))
        everything = await job_of({"webhook_url": own}, header, query)
        assert everything.webhook == own
        assert [note for note in everything.notes if "x-mutoscope-webhook" in note]
        assert (await job_of({}, header, query)).webhook == header
        assert (await job_of({}, None, query)).webhook == query
        assert (await job_of({})).webhook == "https://key.example/hook"


@pytest.mark.parametrize("address", ["", "hook", "ftp://a.example/", "https://", "https://ann:secret@a.example/"])
async def test_an_address_that_is_none_is_refused_by_the_name_of_the_header(start: Start, address: str) -> None:
    body = {"model": "gen4_image", "promptText": "x", "ratio": "720:720"}
    async with start(**SCRIPTED) as running:
        for name, asked in (
            ("x-mutoscope-webhook", {"headers": RUNWAY | {"x-mutoscope-webhook": address}}),
            ("mutoscope_webhook", {"headers": RUNWAY, "params": {"mutoscope_webhook": address}}),
        ):
            answer = await running.client.post("/v1/text_to_image", json=body, **asked)
            assert answer.status_code == 400
            assert name in answer.text
            assert "secret" not in answer.text
        assert not await running.app.store.recent(limit=1)


UNREACHABLE = {
    "http://127.0.0.1/hook": "net.allow_private",
    "https://[fd00::1]/hook": "net.allow_private",
    "https://localhost/hook": "net.allow_hosts",
    "https://printer.local/hook": "net.allow_hosts",
    "https://a.example:8443/hook": "net.ports",
    "https://ann:secret@a.example/hook": "credentials",
}
"""Addresses that a server with the usual settings never calls, and what the refusal must name."""


@pytest.mark.parametrize(("address", "told"), UNREACHABLE.items())
async def test_an_address_that_can_never_be_reached_is_refused_at_create(start: Start, address: str, told: str) -> None:
    """Whoever named it: the body's own field, our header, our query parameter, or the key (see below)."""
    ways: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
        "webhook_url": ({"webhook_url": address}, {}),
        "x-mutoscope-webhook": ({}, {"headers": {"x-mutoscope-webhook": address}}),
        "mutoscope_webhook": ({}, {"params": {"mutoscope_webhook": address}}),
    }
    async with start(**SCRIPTED, net={}) as running:
        for name, (fields, asked) in ways.items():
            answer = await running.client.post(IMAGE, json={"prompt": "x", "ratio": "720:720"} | fields, **asked)
            assert answer.status_code == 400, name
            [fault] = answer.json()["invalid_params"]
            assert fault["name"] == name
            assert told in fault["reason"]
            assert "secret" not in answer.text
        assert not await running.app.store.recent(limit=1)


@pytest.mark.parametrize("wire", [wire for wire in MAKERS if wire.name != "freepik"], ids=lambda wire: wire.name)
async def test_every_wire_refuses_a_header_that_names_an_unreachable_address(start: Start, wire: Wire) -> None:
    route = next(route for route in wire.routes if isinstance(route, Create))
    operations = openapi.operations(openapi.build([wire], title="", version=""))
    post = next(each for each in operations if each.path == route.path.replace("…", ""))
    headers = wire.headers | route.headers | {"x-mutoscope-webhook": "http://10.0.0.1/hook"}
    async with start(rehearsal=True, net={}) as running:
        answer = await running.client.post(
            post.path.replace("{app}", "fal-ai/flux/schnell"), json=post.example, headers=headers
        )
        assert answer.status_code == wire.invalid_status
        assert "x-mutoscope-webhook" in answer.text
        assert "net.allow_private" in answer.text


async def test_a_keys_own_address_that_cannot_be_reached_stops_the_start_and_its_making(start: Start) -> None:
    listed = {"name": "ann", "sha256": digest("ann"), "webhook": "http://10.0.0.1/hook"}
    with pytest.raises(BadSettings, match=r"ann: webhook should be .* net\.allow_private"):
        async with start(**SCRIPTED, keys=[listed], net={}):
            pass
    with pytest.raises(Problem, match=r"webhook should be .*net\.ports"):
        make_key("ann", Rights(webhook="https://a.example:8443/"), now=0.0)


async def test_a_kept_keys_address_that_new_settings_forbid_is_refused_at_create(start: Start) -> None:
    secret, key = make_key("ann", Rights(webhook="http://10.0.0.1/hook"), now=time.time(), net=Net(allow_private=True))
    async with start(**SCRIPTED, net={}) as running:
        await running.app.store.add_key(key)
        await running.app.keys.refresh()
        body, headers = {"prompt": "x", "ratio": "720:720"}, {"x-freepik-api-key": secret}
        answer = await running.client.post(IMAGE, json=body, headers=headers)
        assert answer.status_code == 400
        assert "the key's webhook should be" in answer.text
        reachable = headers | {"x-mutoscope-webhook": "https://a.example/hook"}
        assert (await running.client.post(IMAGE, json=body, headers=reachable)).status_code == 200


async def test_a_key_with_a_webhook_that_is_no_address_stops_the_start(start: Start) -> None:
    with pytest.raises(BadSettings, match=r"ann: webhook should be an http\(s\) URL"):
        async with start(**SCRIPTED, keys=[{"name": "ann", "sha256": digest("ann"), "webhook": "here"}]):
            pass


# -- fairness ------------------------------------------------------------------------------------

OWED = 10_000


def owe(app: App, url: str, count: int) -> None:
    """Put messages to one receiver into the outbox, due since an hour."""
    host = url.split("/")[2]
    rows = [
        (
            f"msg_{host}_{number}",
            f"job-{number}",
            url,
            host,
            b"{}",
            time.time() - 7200,
            time.time() - 3600 + number / count,
        )
        for number in range(count)
    ]
    into = "INSERT INTO deliveries (id, job, url, receiver, event, body, created, due)"
    _ = execute(app, f"{into} SELECT ?, ?, ?, ?, 'succeeded', ?, ?, ?", rows)


@pytest.fixture(params=["silent", "refusing"])
async def dead(request: pytest.FixtureRequest) -> AsyncIterator[tuple[str, str]]:
    """A receiver that takes connections and never says a word, and one that is not there."""
    held: list[asyncio.StreamWriter] = []

    async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        held.append(writer)
        while await reader.read(65536):
            pass

    server = await asyncio.start_server(hold, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1] if request.param == "silent" else 1
    yield request.param, f"http://127.0.0.1:{port}/hook"
    server.close()
    for writer in held:
        writer.transport.abort()


async def test_a_dead_receiver_with_ten_thousand_owed_delays_nobody_elses_by_a_second(
    start: Start, receiver: Receiver, dead: tuple[str, str]
) -> None:
    kind, address = dead
    settings = {
        "models": SCRIPTED["models"],
        "webhooks": {"secret": SECRET},  # the usual schedule and timeout
        "server": {"grace_seconds": 0.1},
    }
    async with start(**settings) as before:
        pass
    owe(before.app, address, OWED)
    async with start(**settings) as running:
        lease, leases = running.app.store.due_deliveries, 0

        async def counted(**asked: Any) -> Any:
            nonlocal leases
            leases += 1
            return await lease(**asked)

        running.app.store.due_deliveries = counted
        delays = []
        for _ in range(20):
            await asyncio.sleep(0.1)
            seen = len(receiver.attempts)
            made = await running.client.post(
                IMAGE, json={"prompt": "x", "ratio": "720:720", "webhook_url": f"{receiver.url}/hook"}
            )
            await running.finished(from_uuid4_form(made.json()["data"]["task_id"]))
            ended = time.monotonic()
            async with asyncio.timeout(10):
                while len(receiver.attempts) < seen + 2:
                    await asyncio.sleep(0.002)
            delays.append(time.monotonic() - ended)
        left = await running.app.store.deliveries(pending_only=True, limit=2 * OWED)
        assert max(delays) < 1
        assert len(left) >= OWED
        if kind == "silent":  # nobody asks again and again for what cannot be sent yet
            assert leases < 150
        else:
            assert sum(record.attempts > 0 for record in left) > 100


@pytest.fixture
async def many_dead() -> AsyncIterator[list[str]]:
    """Receivers that take connections and never say a word."""

    async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(65536):
            pass
        writer.close()

    servers = [await asyncio.start_server(hold, "127.0.0.1", 0) for _ in range(40)]
    yield [f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook" for server in servers]
    for server in servers:
        server.close()


async def test_many_dead_receivers_together_do_not_hold_every_place(
    start: Start, receiver: Receiver, many_dead: list[str]
) -> None:
    settings = {
        "models": SCRIPTED["models"],
        "webhooks": {"secret": SECRET, "timeout_seconds": 2, "schedule": [1000]},
        "server": {"grace_seconds": 0.1},
    }
    async with start(**settings) as before:
        pass
    for address in many_dead:
        owe(before.app, address, 100)
    async with start(**settings) as running:
        deliverer = running.app.deliverer
        async with asyncio.timeout(20):
            while len(deliverer.failing) < len(many_dead):  # each has shown once that it does not answer
                await asyncio.sleep(0.05)
        delays = []
        for _ in range(10):
            await asyncio.sleep(0.3)
            body = {"prompt": "x", "ratio": "720:720", "webhook_url": f"{receiver.url}/hook"}
            made = await running.client.post(IMAGE, json=body)
            job = from_uuid4_form(made.json()["data"]["task_id"]) or ""
            await running.finished(job)
            ended = time.monotonic()
            await all_delivered(running, job)
            delays.append(time.monotonic() - ended)
        assert max(delays) < 1, delays
        assert 16 < len(deliverer.sending) <= 34  # and they still have their share


def set_clock(running: Any, hours: float) -> None:
    app, base = running.app, time.time
    for owner in (app.gateway, app.poller, app.worker, app.deliverer):
        owner.clock = lambda: base() + hours * 3600


@pytest.mark.alone
@pytest.mark.parametrize("hours", [-3, 3])
async def test_a_message_that_is_due_again_does_not_wait_for_a_clock_that_was_set(
    start: Start, receiver: Receiver, hours: float
) -> None:
    """Nor is it sent before its time."""
    receiver.behave = lambda number: 500 if number < 3 else 204
    slow = {**SCRIPTED, "webhooks": {**QUICK, "schedule": [2.0, 2.0]}}
    async with start(**slow) as running:
        job = await run_job(running, receiver)
        await running.finished(job)
        async with asyncio.timeout(10):
            while len(receiver.attempts) < 2:
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.2)
        began = time.monotonic()
        set_clock(running, hours)
        await asyncio.sleep(1.0)
        assert len(receiver.attempts) == 2
        records = await all_delivered(running, job, seconds=20)
        assert all(record.delivered for record in records)
        assert time.monotonic() - began < 10


async def test_a_job_that_runs_here_goes_on_when_the_clock_is_set(start: Start) -> None:
    """Without a vendor, and by more than a lease: it is neither begun again nor counted as another attempt."""
    async with start(models={"gen4_image": {"engine": "script"}}, worker={"lease_seconds": 5.0}) as running:
        made = await running.client.post(IMAGE, json={"prompt": "sleep 2.5", "ratio": "720:720"})
        id = from_uuid4_form(made.json()["data"]["task_id"])
        async with asyncio.timeout(10):
            while not running.app.worker.runs:
                await asyncio.sleep(0.01)
        began = dict(running.app.worker.runs)
        for hours in (3, -3):
            set_clock(running, hours)
            await asyncio.sleep(1.1)
            job = await running.app.store.get(id)
            assert (job.state, job.attempts) == (State.RUNNING, 1), hours
            assert running.app.worker.runs == began
        job = await running.finished(id)
        assert (job.state, job.attempts) == (State.SUCCEEDED, 1)


# -- a vendor that challenges a receiver before it sends any news ---------------------------------------


class Challenged:
    """A receiver that sends a challenge back as `echo` says."""

    def __init__(self, echo: Callable[[Any], Any]) -> None:
        self.echo = echo
        self.news: list[Any] = []
        self.challenges: list[str] = []

    async def take(self, request: web.Request) -> web.Response:
        said = await request.json()
        if "challenge" in said:
            self.challenges.append(said["challenge"])
            return web.json_response(self.echo(said))
        self.news.append(said)
        return web.Response(status=204)


async def challenged(running: Any, echo: Callable[[Any], Any], jobs: int = 1) -> Challenged:
    """What a receiver was sent of some jobs of a vendor that challenges."""
    told = Challenged(echo)
    app = web.Application()
    app.router.add_post("/hook", told.take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    try:
        for _ in range(jobs):
            body = {"model": "T2V-01", "prompt": "x", "callback_url": url}
            made = (await running.client.post("/v1/video_generation", json=body)).json()
            job = BY_NAME["minimax"].job_id(made["task_id"])
            assert job
            await all_delivered(running, job)
    finally:
        await runner.cleanup()
    return told


async def test_a_receiver_is_challenged_once_before_its_first_news(start: Start) -> None:
    async with start(rehearsal=True) as running:
        told = await challenged(running, lambda said: {"challenge": said["challenge"]}, jobs=2)
    assert len(told.challenges) == 1
    assert len(told.challenges[0]) >= 16
    assert {each["status"] for each in told.news} <= {"processing", "success"}
    assert [each["status"] for each in told.news].count("success") == 2


@pytest.mark.parametrize(
    "echo", [lambda _: {"challenge": "x"}, lambda _: {}, lambda _: []], ids=["another", "none", "list"]
)
async def test_a_receiver_that_does_not_send_the_challenge_back_gets_no_news(start: Start, echo: Any) -> None:
    async with start(rehearsal=True, webhooks={"schedule": []}) as running:
        told = await challenged(running, echo)
        assert told.news == []
        assert len(told.challenges) >= 1
        [job] = await running.app.store.list(wire="minimax", owner="", route="", limit=9)
        records = await running.app.store.deliveries(job=job.id)
        for each in records:
            [attempt] = await running.app.store.attempts(each.delivery.id)
            assert "did not send back the challenge" in attempt.error


async def test_an_address_of_our_own_header_is_not_challenged(start: Start, receiver: Receiver) -> None:
    async with start(rehearsal=True) as running:
        body = {"model": "T2V-01", "prompt": "x"}
        headers = {"x-mutoscope-webhook": f"{receiver.url}/hook"}
        made = (await running.client.post("/v1/video_generation", json=body, headers=headers)).json()
        await all_delivered(running, BY_NAME["minimax"].job_id(made["task_id"]) or "")
    assert receiver.attempts
    assert not any(b"challenge" in body for _, body in receiver.attempts)
