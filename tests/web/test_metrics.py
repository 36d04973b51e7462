"""The figures for Prometheus, read by its own parser and held against what was done; and who may read them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families

from mutoscope.service.keys import digest
from mutoscope.store import Figures, PendingDeliveries
from mutoscope.telemetry.counters import Durations, Tally
from mutoscope.web.metrics import COUNTER, RECEIVERS, ROWS, Row, Spread
from mutoscope.wires.freepik import api as freepik

Start = Callable[..., AbstractAsyncContextManager[Any]]
IMAGE = "/v1/ai/text-to-image/runway"
SCRIPTED = {"models": {"gen4_image": {"engine": "script"}}}
DOCUMENT = Path(__file__).parent.parent.parent / "docs" / "08-watching.md"
TOKEN = "a-token-that-nobody-will-guess"
ADMIN = {"name": "root", "sha256": digest("admin-key"), "admin": True}
PLAIN = {"name": "ann", "sha256": digest("plain-key")}


class Scraped:
    """A scrape: `it("name", label=…)` is the sum of the samples that fit."""

    def __init__(self, text: str) -> None:
        self.samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]

    def __call__(self, name: str, **labels: str) -> float:
        found = [each for each in self.samples if each.name == name and labels.items() <= each.labels.items()]
        assert found, (name, labels)
        return sum(each.value for each in found)

    def has(self, name: str, **labels: str) -> bool:
        return any(each.name == name and labels.items() <= each.labels.items() for each in self.samples)


async def scrape(running: Any, **headers: str) -> Scraped:
    running.app.metrics.fresh_seconds = 0.0
    running.app.metrics._ask_again = 0.0
    answer = await running.client.get("/metrics", headers=headers)
    assert answer.status_code == 200, answer.text
    return Scraped(answer.text)


async def make(running: Any, prompt: str = "x", **more: object) -> str:
    answer = await running.client.post(IMAGE, json={"prompt": prompt, "ratio": "720:720", **more})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["data"]["task_id"])


async def finished(running: Any, public: str) -> None:
    _ = await running.finished(freepik.WIRE.job_id(public))


async def test_a_scrape_counts_what_was_done(start: Start) -> None:
    async with start(**SCRIPTED) as running:
        made = [await make(running), await make(running, "fail refused not today")]
        for id in made:
            await finished(running, id)
            assert (await running.client.get(f"{IMAGE}/{id}")).status_code == 200
        assert (await running.client.get(f"{IMAGE}/00000000-0000-4000-8000-000000000000")).status_code == 404
        assert (await running.client.get("/v1/ai/nothing")).status_code == 404
        assert (await running.client.get("/docs")).status_code == 200
        it = await scrape(running)
    job = {"wire": "freepik", "model": "gen4_image", "engine": "script"}
    assert it("mutoscope_jobs_ended_total", state="succeeded", **job) == 1
    assert it("mutoscope_jobs_ended_total", state="failed", **job) == 1
    assert it("mutoscope_job_seconds_count", model="gen4_image", engine="script") == 2
    create = {"wire": "freepik", "route": f"POST {IMAGE}"}
    assert it("mutoscope_request_seconds_count", **create, status="2xx") == 2
    assert it("mutoscope_request_seconds_bucket", **create, le="+Inf") == 2
    assert it("mutoscope_request_seconds_sum", **create) > 0
    read = {"wire": "freepik", "route": f"GET {IMAGE}/{{id}}"}
    assert it("mutoscope_request_seconds_count", **read, status="2xx") == 2
    assert it("mutoscope_request_seconds_count", **read, status="4xx") == 1
    assert it("mutoscope_request_seconds_count", wire="freepik", route="other", status="4xx") == 1
    assert it("mutoscope_request_seconds_count", route="pages") == 1
    assert it("mutoscope_credits_total", engine="script", model="gen4_image") > 0
    assert it("mutoscope_queue_age_seconds", engine="script") == 0
    assert it("mutoscope_store_up") == 1
    assert it("mutoscope_info") == 1


async def test_what_waits_is_told_by_state_wire_model_and_engine(start: Start) -> None:
    async with start(**SCRIPTED, script={"slots": 1}, limits={"max_concurrent": 3}) as running:
        _ = await make(running, "sleep 30")
        while not running.app.worker.runs:
            await asyncio.sleep(0.01)
        for _ in range(3):
            _ = await make(running)
        await asyncio.sleep(0.05)
        it = await scrape(running)
        job = {"wire": "freepik", "model": "gen4_image", "engine": "script"}
        assert it("mutoscope_jobs", state="running", **job) == 1
        assert it("mutoscope_jobs", state="queued", **job) == 2
        assert it("mutoscope_jobs", state="throttled", **job) == 1
        assert 0.04 < it("mutoscope_queue_age_seconds", engine="script") < 20
        assert it("mutoscope_runs", engine="script") == 1
        canceled = [await running.app.gateway.cancel(id) for id in list(running.app.worker.runs)]
        assert len(canceled) == 1
        assert (await scrape(running))("mutoscope_jobs_ended_total", state="canceled") == 1


@asynccontextmanager
async def receiver(status: int) -> AsyncIterator[str]:
    """Answers everything with one status."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            _ = await reader.readuntil(b"\r\n\r\n")
            writer.write(f"HTTP/1.1 {status} x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".encode())
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
    await asyncio.sleep(0.05)  # the last connections are closed before their loop is


async def test_deliveries_are_counted_by_outcome_and_receiver(start: Start) -> None:
    slow = {"schedule": [60.0]}
    async with receiver(204) as good, receiver(500) as bad, start(**SCRIPTED, webhooks=slow) as running:
        for url in (good, bad):
            await finished(running, await make(running, webhook_url=url))
        for _ in range(200):
            it = await scrape(running)
            if it.has("mutoscope_delivery_seconds_count", outcome="delivered") and it.has(
                "mutoscope_delivery_failures_total"
            ):
                break
            await asyncio.sleep(0.02)
        assert it("mutoscope_delivery_seconds_count", outcome="delivered") >= 1
        assert it("mutoscope_delivery_seconds_count", outcome="will_retry") >= 1
        host = bad.removeprefix("http://").removesuffix("/hook")
        assert it("mutoscope_deliveries_pending", receiver=host) >= 1
        assert it("mutoscope_delivery_failures_total", receiver=host) >= 1


async def test_a_store_that_does_not_answer_leaves_the_rest_told(start: Start) -> None:
    async with start(**SCRIPTED) as running:
        await finished(running, await make(running))
        await running.app.store.close()
        it = await scrape(running)
        assert it("mutoscope_store_up") == 0
        assert it("mutoscope_jobs_ended_total") == 1
        assert not it.has("mutoscope_jobs")
        assert not it.has("mutoscope_queue_age_seconds")


async def test_a_scrape_waits_for_a_slow_store_a_moment_only(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    async with start(**SCRIPTED) as running:
        asked = 0

        async def slow() -> Figures:
            nonlocal asked
            asked += 1
            await asyncio.sleep(60)
            return Figures()

        monkeypatch.setattr(running.app.store, "figures", slow)
        monkeypatch.setattr("mutoscope.web.metrics.PATIENCE_SECONDS", 0.05)
        for _ in range(3):
            async with asyncio.timeout(5):
                assert (await scrape(running))("mutoscope_store_up") == 0
        assert asked == 1


async def test_the_store_is_asked_once_for_scrapes_that_come_together(start: Start) -> None:
    async with start(**SCRIPTED) as running:
        asked = 0
        figures = running.app.store.figures

        async def counted() -> Figures:
            nonlocal asked
            asked += 1
            return await figures()

        running.app.store.figures = counted
        answers = await asyncio.gather(*(running.client.get("/metrics") for _ in range(5)))
        assert [answer.status_code for answer in answers] == [200] * 5
        _ = await running.client.get("/metrics")
        assert asked == 1


async def test_the_process_and_the_event_loop_are_told(start: Start) -> None:
    async with start(**SCRIPTED) as running:
        while not running.app.lag.durations.rows:
            await asyncio.sleep(0.05)
        it = await scrape(running)
        assert it("mutoscope_event_loop_lag_seconds_count") >= 1
        assert it("mutoscope_free_bytes") > 0
        assert it("process_resident_memory_bytes") > 1_000_000
        assert it("process_open_fds") > 3


async def test_openmetrics_is_spoken_to_who_asks_for_it(start: Start) -> None:
    async with start(**SCRIPTED) as running:
        await finished(running, await make(running))
        answer = await running.client.get("/metrics", headers={"accept": "application/openmetrics-text; version=1.0.0"})
        families = {family.name for family in openmetrics(answer.text)}
        assert {"mutoscope_jobs_ended", "mutoscope_request_seconds"} <= families
        assert answer.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")


def test_every_row_has_a_sentence_and_a_name_of_ours() -> None:
    for row in ROWS:
        assert row.name.startswith("mutoscope_") and row.about.endswith("."), row.name
    assert len({row.name for row in ROWS}) == len(ROWS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_row_stands_in_the_documents(row: Row | Spread) -> None:
    total = "_total" if isinstance(row, Row) and row.kind is COUNTER else ""
    labels = ", ".join(f"`{label}`" for label in row.labels)
    kind = "counter" if total else "gauge" if isinstance(row, Row) else "histogram"
    line = f"| `{row.name}{total}` | {kind} | {labels} | {row.about} |"
    assert line in DOCUMENT.read_text().splitlines()


# Labels have an end


async def test_what_strangers_name_makes_no_new_series(start: Start) -> None:
    async with start(**SCRIPTED) as running:
        before = len((await scrape(running)).samples)
        for number in range(40):
            _ = await running.client.get(f"/v1/ai/{number}/no")
            _ = await running.client.get(f"/nowhere/{number}")
            _ = await running.client.get(f"/files/{number}")
            _ = await running.client.request(f"M{number}", IMAGE)
            _ = await running.client.get(f"{IMAGE}/{number}")
        series = 16  # of one histogram: its buckets, count and sum
        assert len((await scrape(running)).samples) - before <= 7 * (series + 1)


async def test_receivers_beyond_the_largest_are_told_together(start: Start) -> None:
    async with start(**SCRIPTED) as running:
        pending_deliveries = tuple(
            PendingDeliveries(receiver=f"h{n}.example", messages=n + 1, due=0.0) for n in range(RECEIVERS + 3)
        )

        async def many() -> Figures:
            return Figures(pending_deliveries=pending_deliveries)

        running.app.store.figures = many
        it = await scrape(running)
        assert it("mutoscope_deliveries_pending", receiver="other") == 1 + 2 + 3
        assert it("mutoscope_deliveries_pending") == sum(each.messages for each in pending_deliveries)


def test_a_tally_that_is_full_counts_the_rest_together() -> None:
    tally: Tally[str] = Tally(2, rest="other")
    for name in ("a", "b", "c", "d", "a"):
        tally.add(name)
    assert tally.sums == {"a": 2, "b": 1, "other": 2}


def test_a_duration_falls_between_its_bounds() -> None:
    durations: Durations[str] = Durations((1.0, 2.0))
    for seconds in (0.5, 1.0, 1.5, 2.0, 9.0):
        durations.add("x", seconds)
    assert durations.rows == {"x": [2, 2, 1, 14.0]}


# Who may read


def statuses(running: Any) -> Callable[..., Any]:
    async def ask(authorization: str = "") -> int:
        headers = {"authorization": authorization} if authorization else {}
        return (await running.client.get("/metrics", headers=headers)).status_code

    return ask


async def test_on_an_open_loopback_server_anybody_may_read(start: Start) -> None:
    async with start() as running:
        assert await statuses(running)() == 200


async def test_with_keys_an_admins_key_is_asked_for(start: Start) -> None:
    async with start(keys=[ADMIN, PLAIN]) as running:
        ask = statuses(running)
        told = [
            await ask(each) for each in ("", "Bearer admin-key", "Bearer plain-key", "Bearer no", "Basic admin-key")
        ]
        assert told == [401, 200, 403, 401, 401]


async def test_a_token_is_asked_for_where_there_is_one(start: Start) -> None:
    for keys in ([], [ADMIN, PLAIN]):
        async with start(keys=keys, metrics={"token": TOKEN}) as running:
            ask = statuses(running)
            told = [await ask(each) for each in ("", f"Bearer {TOKEN}", f"bearer {TOKEN}", f"Bearer {TOKEN}x", TOKEN)]
            assert told == [401, 200, 200, 401, 401]


@pytest.mark.parametrize(
    ("server", "metrics", "status"),
    [
        ({"host": "0.0.0.0"}, {}, 404),
        ({"host": "0.0.0.0"}, {"enabled": True}, 200),
        ({"host": "0.0.0.0"}, {"token": TOKEN}, 200),
        ({"host": "0.0.0.0"}, {"token": TOKEN, "enabled": False}, 404),
        ({}, {"enabled": False}, 404),
        ({}, {}, 200),
    ],
)
async def test_beyond_loopback_it_is_off_until_it_is_wanted(
    start: Start, server: dict[str, str], metrics: dict[str, object], status: int
) -> None:
    async with start(keys=[ADMIN], server=server, metrics=metrics) as running:
        assert await statuses(running)("Bearer admin-key") == status


async def test_a_refusal_says_nothing_of_the_token(start: Start) -> None:
    async with start(metrics={"token": TOKEN}) as running:
        answer = await running.client.get("/metrics", headers={"authorization": "Bearer wrong"})
        assert TOKEN not in answer.text and answer.headers["www-authenticate"] == "Bearer"
        assert TOKEN not in repr(running.app.settings)
