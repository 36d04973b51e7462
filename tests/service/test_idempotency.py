"""A create that comes again makes nothing new: known by its key, or by its SDK's count of retries."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
from aiohttp import web

from mutoscope.model.http import HttpRequest
from mutoscope.model.problem import Kind, Problem
from mutoscope.service.idempotency import KEY_SECONDS, RETRY_SECONDS, SingleFlight, repeat_of
from mutoscope.service.keys import digest
from mutoscope.store import Repeat
from mutoscope.web import openapi
from mutoscope.wirekit.ids import from_uuid4_form
from mutoscope.wirekit.routes import Create
from mutoscope.wirekit.wire import Wire
from mutoscope.wires import ALL

IMAGE = "/v1/ai/text-to-image/runway"
BODY = {"prompt": "x", "ratio": "720:720"}
RUNWAY = {"x-runway-version": "2024-11-06", "authorization": "Bearer any"}
TURBO = {"model": "gen4_turbo", "promptText": "x", "ratio": "1280:720", "duration": 5}
SCRIPTED = {
    "models": {name: {"engine": "script"} for name in ("gen4_image", "gen4_turbo", "gen3a_turbo")},
    "net": {"allow_private": True},
}
Start = Callable[..., Any]


def told_id(answer: httpx.Response) -> str:
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]["task_id"]


async def create(running: Any, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await running.client.post(IMAGE, json=BODY, headers=named)


async def count(running: Any) -> int:
    return sum((await running.app.store.count_by_state()).values())


# -- a key that the client chose --------------------------------------------------------


async def test_the_same_key_gives_the_same_job(start: Start) -> None:
    async with start(**SCRIPTED) as running:
        first = await create(running, idempotency_key="one")
        second = await create(running, idempotency_key="one")
        other = await create(running, idempotency_key="two")
        assert told_id(first) == told_id(second) != told_id(other)
        assert "idempotent-replayed" not in first.headers
        assert second.headers["idempotent-replayed"] == "true"
        assert second.headers["x-mutoscope-engine"] == "script"
        assert await count(running) == 2


async def test_a_replay_tells_of_the_job_as_it_stands_now(start: Start) -> None:
    async with start(**SCRIPTED) as running:
        first = await create(running, idempotency_key="one")
        await running.finished(from_uuid4_form(told_id(first)))
        second = await create(running, idempotency_key="one")
        assert second.json()["data"]["status"] == "COMPLETED"
        assert second.json()["data"].keys() == first.json()["data"].keys()


async def test_the_key_survives_a_restart(start: Start) -> None:
    async with start(**SCRIPTED) as running:
        first = told_id(await create(running, idempotency_key="one"))
    async with start(**SCRIPTED) as again:
        assert told_id(await create(again, idempotency_key="one")) == first


async def test_the_key_is_forgotten_after_a_day(start: Start) -> None:
    async with start(**SCRIPTED) as running:
        first = told_id(await create(running, idempotency_key="one"))
        now = running.app.gateway.clock
        running.app.gateway.clock = lambda: now() + KEY_SECONDS - 60
        assert told_id(await create(running, idempotency_key="one")) == first
        running.app.gateway.clock = lambda: now() + KEY_SECONDS + 60
        assert told_id(await create(running, idempotency_key="one")) != first


@pytest.mark.parametrize("path", [IMAGE, "/v1/ai/text-to-video/runway-4-5"])
async def test_the_same_key_with_another_request_is_a_conflict(start: Start, path: str) -> None:
    async with start(**SCRIPTED) as running:
        await create(running, idempotency_key="one")
        changed = {**BODY, "prompt": "y"} if path == IMAGE else {"prompt": "x", "ratio": "1280:720"}
        answer = await running.client.post(path, json=changed, headers={"idempotency-key": "one"})
        assert answer.status_code == 409
        assert "another request" in answer.json()["message"]
        assert await count(running) == 1


async def test_every_wire_says_the_conflict_in_its_words() -> None:
    request = HttpRequest(method="POST", path="/")
    for wire in ALL:
        answer = wire.render_problem(Problem(Kind.CONFLICT, "used before, for another request"), request)
        assert 400 <= answer.status < 500 or wire.quiet, wire.name  # DashScope has no 409
        assert b"another request" in answer.body, wire.name


async def test_a_create_that_failed_is_not_kept(start: Start) -> None:
    async with start(**SCRIPTED) as running:
        broken = await running.client.post(IMAGE, json={"prompt": "x"}, headers={"idempotency-key": "one"})
        assert broken.status_code == 400
        assert "idempotent-replayed" not in (await create(running, idempotency_key="one")).headers


async def test_a_key_belongs_to_its_owner(start: Start) -> None:
    keys = [{"name": name, "sha256": digest(name)} for name in ("ann", "bob")]
    async with start(**SCRIPTED, keys=keys) as running:
        made = [
            await create(running, idempotency_key="one", x_freepik_api_key=name)
            for name in ("ann", "bob", "ann", "bob")
        ]
        ann, bob, again_ann, again_bob = map(told_id, made)
        assert (again_ann, again_bob) == (ann, bob)
        assert ann != bob


async def test_a_replay_counts_against_no_limit(start: Start) -> None:
    limited = {"models": {"gen4_image": {"engine": "script", "max_daily": 1}}}
    async with start(**limited) as running:
        first = await create(running, idempotency_key="one")
        second = await create(running, idempotency_key="one")
        assert told_id(first) == told_id(second)
        assert (await create(running, idempotency_key="two")).status_code == 429


async def test_a_replay_is_answered_while_the_server_takes_no_new_jobs(start: Start) -> None:
    async with start(**SCRIPTED) as running:
        first = await create(running, idempotency_key="one")
        running.app.gateway.signals.draining = True
        assert told_id(await create(running, idempotency_key="one")) == told_id(first)
        assert (await create(running, idempotency_key="two")).status_code == 503


async def test_what_was_deleted_is_not_made_again_by_its_key(start: Start) -> None:
    async with start(**SCRIPTED) as running:
        headers = {**RUNWAY, "idempotency-key": "one"}
        body = {"model": "gen4_image", "promptText": "x", "ratio": "720:720"}
        made = await running.client.post("/v1/text_to_image", json=body, headers=headers)
        await running.client.delete(f"/v1/tasks/{made.json()['id']}", headers=RUNWAY)
        answer = await running.client.post("/v1/text_to_image", json=body, headers=headers)
        assert answer.status_code == 409
        assert "deleted" in answer.json()["error"]


@pytest.mark.parametrize("key", ["", "k" * 256, "käse", "a\tb"])
async def test_a_key_that_is_no_key_is_refused_by_the_headers_name(start: Start, key: str) -> None:
    async with start(**SCRIPTED) as running:
        answer = await running.client.post(IMAGE, json=BODY, headers=[(b"idempotency-key", key.encode("latin-1"))])
        assert answer.status_code == 400
        assert "idempotency-key" in answer.text
        assert told_id(await create(running, idempotency_key="k" * 255))


async def test_equal_creates_at_once_make_one_job(start: Start) -> None:
    async with start(**SCRIPTED) as running:
        answers = await asyncio.gather(*(create(running, idempotency_key="one") for _ in range(20)))
        assert len(set(map(told_id, answers))) == 1
        assert sum("idempotent-replayed" in answer.headers for answer in answers) == 19
        assert await count(running) == 1
        assert not running.app.server.single_flight._under


class Pictures:
    """A loopback host of one picture, which it gives out slowly; it counts who asked."""

    def __init__(self, picture: bytes) -> None:
        self.picture, self.asked, self.url = picture, 0, ""
        self.open = asyncio.Event()

    async def give(self, _request: web.Request) -> web.Response:
        self.asked += 1
        await self.open.wait()
        return web.Response(body=self.picture, content_type="image/png")


@pytest.fixture
async def pictures(picture: bytes) -> AsyncIterator[Pictures]:
    pictures = Pictures(picture)
    app = web.Application()
    app.router.add_get("/picture.png", pictures.give)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    pictures.url = f"http://127.0.0.1:{runner.addresses[0][1]}/picture.png"
    yield pictures
    await runner.cleanup()


@pytest.mark.parametrize("again", [{"idempotency-key": "one"}, {"x-stainless-retry-count": "1"}])
async def test_a_repetition_waits_for_the_inputs_of_the_first_and_fetches_none(
    start: Start, pictures: Pictures, again: dict[str, str]
) -> None:
    first = {"x-stainless-retry-count": "0"} if "idempotency-key" not in again else again
    async with start(**SCRIPTED) as running:

        async def animate(headers: dict[str, str]) -> httpx.Response:
            body = {**TURBO, "promptImage": pictures.url}
            return await running.client.post("/v1/image_to_video", json=body, headers=RUNWAY | headers)

        tasks = [asyncio.create_task(animate(first))]
        async with asyncio.timeout(5):
            while not pictures.asked:
                await asyncio.sleep(0.01)
        tasks += [asyncio.create_task(animate(again)) for _ in range(2)]
        await asyncio.sleep(0.1)
        assert not any(task.done() for task in tasks)
        pictures.open.set()
        answers = await asyncio.gather(*tasks)
        assert len({answer.json()["id"] for answer in answers}) == 1
        assert pictures.asked == 1
        assert await count(running) == 1
        pictures.picture = b"no picture any more"
        assert (await animate(again)).json()["id"] == answers[0].json()["id"]


# -- an SDK's own retries ------------------------------------------------------------------


async def test_a_retry_gives_the_job_of_the_request_that_it_repeats(start: Start) -> None:
    async with start(**SCRIPTED) as running:
        first = await create(running, x_stainless_retry_count="0")
        retries = [await create(running, x_stainless_retry_count=str(number)) for number in (1, 2)]
        assert {told_id(retry) for retry in retries} == {told_id(first)}
        assert all(retry.headers["idempotent-replayed"] == "true" for retry in retries)


async def test_a_request_that_is_no_retry_is_new_however_like_another(start: Start) -> None:
    async with start(**SCRIPTED) as running:
        first, second = [told_id(await create(running, x_stainless_retry_count="0")) for _ in range(2)]
        assert first != second
        assert told_id(await create(running, x_stainless_retry_count="1")) == second


async def test_a_retry_whose_first_try_never_arrived_makes_the_job(start: Start) -> None:
    async with start(**SCRIPTED) as running:
        first = await create(running, x_stainless_retry_count="1")
        second = await create(running, x_stainless_retry_count="2")
        assert "idempotent-replayed" not in first.headers
        assert told_id(first) == told_id(second)


async def test_a_retry_after_ten_minutes_is_a_new_request(start: Start) -> None:
    async with start(**SCRIPTED) as running:
        first = told_id(await create(running, x_stainless_retry_count="0"))
        now = running.app.gateway.clock
        running.app.gateway.clock = lambda: now() + RETRY_SECONDS + 1
        assert told_id(await create(running, x_stainless_retry_count="1")) != first


@pytest.mark.parametrize("count", ["", "one", "-1", "1.0", "9" * 5000])
async def test_a_count_that_is_none_says_nothing(start: Start, count: str) -> None:
    async with start(**SCRIPTED) as running:
        await create(running, x_stainless_retry_count="0")
        assert "idempotent-replayed" not in (await create(running, x_stainless_retry_count=count)).headers


async def test_requests_without_either_header_are_always_new(start: Start) -> None:
    async with start(**SCRIPTED) as running:
        ids = {told_id(await create(running)) for _ in range(3)}
        assert len(ids) == 3


async def test_a_key_outranks_the_count_and_is_not_mistaken_for_one(start: Start) -> None:
    async with start(**SCRIPTED) as running:
        first = told_id(await create(running, idempotency_key="one", x_stainless_retry_count="0"))
        assert told_id(await create(running, idempotency_key="one", x_stainless_retry_count="0")) == first
        assert told_id(await create(running, x_stainless_retry_count="1")) != first
    request = HttpRequest(method="POST", path=IMAGE, headers={"x-stainless-retry-count": "1"})
    counted = repeat_of(request)
    assert counted
    forged = repeat_of(HttpRequest(method="POST", path=IMAGE, headers={"idempotency-key": counted.key}))
    assert forged and forged.key != counted.key


def test_requests_differ_by_method_path_query_and_body() -> None:
    def made(**changed: Any) -> str:
        asked = {"method": "POST", "path": "/a", "query": {"q": "1"}, "body": b"x"} | changed
        repeat = repeat_of(HttpRequest(**asked, headers={"idempotency-key": "one"}))
        assert repeat
        return repeat.digest

    others = [made(method="PUT"), made(path="/b"), made(query={}), made(body=b"y")]
    assert len({made(), *others}) == 5
    assert made() == made()


# -- single flight -----------------------------------------------------------------------------------


async def test_a_turn_ends_with_its_owners_failure_and_leaves_nothing_behind() -> None:
    single_flight, order = SingleFlight(), list[str]()
    new = Repeat(key="k", digest="d", seconds=1, replays=False)
    again = Repeat(key="k", digest="d", seconds=1)

    async def take(name: str, repeat: Repeat, seconds: float) -> None:
        async with single_flight.take("", repeat):
            await asyncio.sleep(seconds)
            order.append(name)
            raise RuntimeError(name)

    tasks = []
    for name, repeat, seconds in (
        ("a", new, 0.05),
        ("b", new, 0.02),
        ("c", again, 0.03),
        ("d", again, 0),
        ("e", new, 0),
    ):
        tasks.append(asyncio.create_task(take(name, repeat, seconds)))
        await asyncio.sleep(0)
    await asyncio.gather(*tasks, return_exceptions=True)
    assert order == ["e", "b", "a", "c", "d"]
    assert not single_flight._under


MAKERS = [wire for wire in ALL if any(isinstance(route, Create) for route in wire.routes)]
"""All but those whose answers are words and never jobs."""


@pytest.mark.parametrize("key", ["k" * 256, "", " k", "k\xe4se"])
@pytest.mark.parametrize("wire", MAKERS, ids=[wire.name for wire in MAKERS])
async def test_a_key_that_is_none_is_refused_by_the_name_of_the_header(start: Start, wire: Wire, key: str) -> None:
    route = next(route for route in wire.routes if isinstance(route, Create))
    operations = openapi.operations(openapi.build([wire], title="", version=""))
    path = route.path.replace("…", "")
    example = next(each.example for each in operations if each.path == path)
    async with start(rehearsal=True) as running:
        headers = wire.headers | route.headers | {"idempotency-key": key.encode("latin-1")}
        answer = await running.client.post(route.path, json=example, headers=headers)
        assert answer.status_code == wire.invalid_status
        assert (
            f"The header idempotency-key should be 1 to 255 printable ASCII characters; it has {len(key)}"
            in answer.text
        )
        assert "Validation of body" not in answer.text
        assert "body.idempotency" not in answer.text
