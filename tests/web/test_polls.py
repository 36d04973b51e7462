"""Status reads that come again word for word: answered at once, and never with what does not hold any more."""

import re
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec
import pytest
import uuid_utils

import sampled
from mutoscope.model.config import Rights
from mutoscope.model.job import Generation, Job, Operation
from mutoscope.service import keys
from mutoscope.service.faults import Fault
from mutoscope.service.keys import make_key
from mutoscope.web.protocol import WHOLE
from mutoscope.wirekit.ids import from_uuid4_form
from mutoscope.wirekit.routes import Create, Read
from mutoscope.wirekit.wire import Wire

Start = Callable[..., Any]
STILL = {"rehearsal": True, "script": {"slots": 0}}
ROUTE = "/v1/ai/text-to-image/runway"
FRESH = re.compile(rb"request-id|ratelimit")


class Answer(NamedTuple):
    status: int
    headers: dict[bytes, bytes]
    body: bytes
    at_once: bool

    def plain(self) -> tuple[object, ...]:
        """Without what is new in each answer."""
        kept = {name: value for name, value in self.headers.items() if not FRESH.search(name)}
        return self.status, kept, self.body


async def ask(running: Any, path: str, headers: dict[str, str], client: str = "10.0.0.1") -> Answer:
    """A GET as a connection passes it on."""
    lines = [(name.encode(), value.encode()) for name, value in ({"host": "a"} | headers).items()]
    scope: dict[str, Any] = {
        "type": "http", "method": "GET", "http_version": "1.1", "scheme": "http", "path": path, "query_string": b"",
        "raw_path": path.encode(), "headers": lines, "client": (client, 1), "server": ("a", 80),
        "extensions": {WHOLE: {}},
    }  # fmt: skip
    told = running.app.server.at_once(scope)
    if told is not None:
        head, _, body = told.partition(b"\r\n\r\n")
        first, *rest = head.split(b"\r\n")
        return Answer(int(first.split()[1]), dict(each.split(b": ", 1) for each in rest), body, True)
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    await running.app.server(scope, None, send)
    return Answer(sent[0]["status"], dict(sent[0]["headers"]), sent[0]["body"], False)


async def job_of(running: Any, wire: Wire, route: Read, owner: str) -> Job:
    now = time.time()
    job = Job(
        id=str(uuid_utils.uuid7()),
        wire=wire.name,
        route=route.route or next((each.route for each in wire.routes if isinstance(each, Create)), ""),
        owner=owner,
        generation=Generation(operation=Operation.TEXT_TO_IMAGE, model="gen4_image", prompt="x"),
        engine="script",
        created=now,
        updated=now,
    )
    return await running.app.store.add(job)


def credentials(secret: str) -> dict[str, str]:
    return {"authorization": f"Bearer {secret}", "x-freepik-api-key": secret, "x-runway-version": "2024-11-06"}


async def key_for(running: Any, name: str, *, expires: float | None = None, **rights: object) -> str:
    secret, record = make_key(name, msgspec.convert(rights, Rights), now=time.time(), expires=expires)
    await running.app.store.add_key(record)
    await running.app.keys.refresh()
    return secret


async def test_a_read_in_the_same_words_is_answered_at_once_and_alike_on_every_wire(start: Start) -> None:
    async with start(**STILL, limits={"requests_per_minute": 100_000}) as running:
        secret = await key_for(running, "ann")
        reads = [(wire, route) for wire in sampled.ALL for route in wire.routes if isinstance(route, Read)]
        plain = [each for each in reads if each[1].method == "GET" and re.fullmatch(r"[^{]*/\{id\}", each[1].path)]
        assert len(plain) > 5
        for wire, route in plain:
            job = await job_of(running, wire, route, "ann")
            path = f"/{wire.name}{route.path.replace('{id}', wire.public_id(job.id))}"
            headers = credentials(secret) | {n.lower(): v for n, v in (wire.headers | route.headers).items()}
            whole, again, third = [await ask(running, path, headers) for _ in range(3)]
            assert (whole.at_once, again.at_once) == (False, True), path
            assert again.headers.keys() == whole.headers.keys(), path
            assert again.plain() == whole.plain(), path
            for name in (b"x-request-id", wire.id_header.encode()):
                ids = [each.headers[name] for each in (whole, again, third) if name]
                assert len({*ids}) == len(ids), path


async def test_a_change_of_the_job_is_told_and_a_deleted_one_is_gone(start: Start) -> None:
    async with start(**STILL) as running:
        made = await running.client.post(ROUTE, json={"prompt": "x", "ratio": "720:720"})
        path = f"{ROUTE}/{made.json()['data']['task_id']}"
        assert [(await ask(running, path, {})).at_once for _ in range(3)] == [False, True, True]
        id = from_uuid4_form(path.rpartition("/")[2]) or ""
        await running.app.gateway.cancel(id)
        changed = await ask(running, path, {})
        assert not changed.at_once and b'"FAILED"' in changed.body
        assert (await ask(running, path, {})).plain() == changed.plain()
        await running.app.store.delete(id)
        assert (await ask(running, path, {})).status == 404


async def test_it_is_the_same_callers_only_whose_key_still_holds(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "ASKED_SECONDS", 1e9)  # what is believed of keys is asked for anew by `refresh` alone
    wire = next(each for each in sampled.ALL if each.name == "freepik")
    route = next(each for each in wire.routes if isinstance(each, Read) and each.path == f"{ROUTE}/{{id}}")
    async with start(**STILL) as running:
        ann, bob = await key_for(running, "ann"), await key_for(running, "bob")
        job = await job_of(running, wire, route, "ann")
        path = f"{ROUTE}/{wire.public_id(job.id)}"

        async def read(secret: str, **more: str) -> tuple[int, bool]:
            found = await ask(running, path, credentials(secret) | more)
            return found.status, found.at_once

        assert [await read(ann), await read(ann)] == [(200, False), (200, True)]
        assert await read(bob) == (404, False)
        assert await read(ann, **{"x-other": "words"}) == (200, False)
        assert (await ask(running, path, credentials(ann), client="10.0.0.2")).at_once is False
        assert await read(ann) == (200, True)
        [key] = await running.app.store.keys(name="ann")
        await running.app.store.revoke_key(key.id, now=time.time())
        await running.app.keys.refresh()
        assert await read(ann) == (401, False)
        brief = await key_for(running, "ann", expires=time.time() + 60)
        assert [await read(brief), await read(brief)] == [(200, False), (200, True)]
        monkeypatch.setattr(running.app.keys, "_clock", lambda: time.time() + 61)
        assert await read(brief) == (401, False)


async def test_it_is_counted_against_the_limit_and_in_the_figures(start: Start) -> None:
    async with start(**STILL, limits={"requests_per_minute": 4}) as running:
        made = await running.client.post(ROUTE, json={"prompt": "x", "ratio": "720:720"})
        path = f"{ROUTE}/{made.json()['data']['task_id']}"
        found = [await ask(running, path, {}) for _ in range(5)]
        assert [(each.status, each.at_once) for each in found] == [(200, False), *[(200, True)] * 3, (429, False)]
        left = [each.headers[b"x-ratelimit-remaining"] for each in found]
        assert left == [b"3", b"2", b"1", b"0", b"0"]
        [row] = [
            row for (label, status), row in running.app.server.requests.rows.items() if "{id}" in label and status == 2
        ]
        assert sum(row[:-1]) == 4


async def test_when_the_store_has_forgotten_a_job_it_is_asked_again(start: Start) -> None:
    async with start(**STILL) as running:
        made = await running.client.post(ROUTE, json={"prompt": "x", "ratio": "720:720"})
        path = f"{ROUTE}/{made.json()['data']['task_id']}"
        assert [(await ask(running, path, {})).at_once for _ in range(2)] == [False, True]
        running.app.store._hot.drop(
            from_uuid4_form(path.rpartition("/")[2])
        )  # as after a second, when another process may have changed it
        assert [(await ask(running, path, {})).at_once for _ in range(2)] == [False, True]


async def test_a_read_meets_a_fault_told_after_it_was_answered(start: Start) -> None:
    async with start(**STILL) as running:
        made = await running.client.post(ROUTE, json={"prompt": "x", "ratio": "720:720"})
        path = f"{ROUTE}/{made.json()['data']['task_id']}"
        assert [(await ask(running, path, {})).at_once for _ in range(2)] == [False, True]
        fault = running.app.server.faults.add(Fault(what="unavailable", on="read", times=0))
        assert [(await ask(running, path, {})).status for _ in range(2)] == [503, 503]
        running.app.server.faults.clear(fault.id)
        assert (await ask(running, path, {})).status == 200
