"""What an operator sees of a job that a vendor makes: its figures, and its trace out to the vendor."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import httpx
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client.parser import text_string_to_metric_families

from mutoscope.model.config import Tracing as Settings
from mutoscope.model.http import HttpRequest, HttpResponse
from mutoscope.telemetry.tracing import Tracing
from mutoscope.wires.freepik import api as freepik

IMAGE = "/v1/ai/text-to-image/runway"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
Worlds = Callable[..., AbstractAsyncContextManager[Any]]


async def make(it: Any, prompt: str = "x") -> str:
    headers = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
    answer = await it.client.post(IMAGE, json={"prompt": prompt, "ratio": "720:720"}, headers=headers)
    assert answer.status_code == 200, answer.text
    id = freepik.WIRE.job_id(answer.json()["data"]["task_id"])
    assert id
    return id


async def figures(it: Any) -> dict[str, dict[tuple[str, ...], float]]:
    """Values by name and by the labels, which are told in the order of their names."""
    it.app.metrics._ask_again = 0.0
    it.app.metrics.fresh_seconds = 0.0
    text = (await it.client.get("/metrics")).text
    told: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            told.setdefault(sample.name, {})[tuple(sample.labels.values())] = sample.value
    return told


async def test_requests_polls_copies_and_spending_are_counted_by_account(world: Worlds) -> None:
    async with world("freepik") as it:
        job = await it.finished(await make(it))
        told = await figures(it)
    requests = told["mutoscope_upstream_request_seconds_count"]
    assert requests["freepik", "2xx"] >= 2
    assert told["mutoscope_copy_seconds_count"] == {("freepik", "copied"): 1}
    assert told["mutoscope_copied_bytes_total"]["freepik",] == sum(output.bytes for output in job.outputs)
    assert told["mutoscope_polls_total"][()] >= 1
    assert told["mutoscope_credits_total"]["freepik", "gen4_image"] == job.cost
    assert told["mutoscope_account_breaker"]["freepik", "closed"] == 1
    assert told["mutoscope_account_breaker"]["freepik", "open"] == 0
    assert told["mutoscope_jobs_ended_total"]["freepik", "gen4_image", "succeeded", "freepik"] == 1


async def test_what_a_vendor_holds_is_told_while_it_does(world: Worlds) -> None:
    async with world("freepik", vendor={"server": {"grace_seconds": 0.1}}) as it:
        _ = await make(it, "sleep 20")
        async with asyncio.timeout(10):
            while not (told := await figures(it)).get("mutoscope_watches"):
                await asyncio.sleep(0.02)
        assert told["mutoscope_watches"] == {("freepik", "wait"): 1}
        assert told["mutoscope_account_jobs"]["freepik",] == 1
        assert told["mutoscope_jobs"]["freepik", "gen4_image", "running", "freepik"] == 1


async def test_an_account_that_is_down_shows_in_its_breaker_and_its_errors(world: Worlds) -> None:
    async with world("freepik", relay={"breaker_failures": 2, "breaker_seconds": 60.0}) as it:
        await it.house.stop()
        await it.proxy.close()
        for _ in range(3):
            _ = await make(it)
        async with asyncio.timeout(10):
            while not (told := await figures(it))["mutoscope_account_breaker"]["freepik", "open"]:
                await asyncio.sleep(0.02)
        assert sum(told["mutoscope_upstream_errors_total"].values()) >= 2
        assert told["mutoscope_account_paused_seconds"]["freepik",] > 30


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.mark.parametrize("to_vendors", [False, True])
async def test_the_trace_goes_on_to_the_vendor_where_that_is_wanted(
    world: Worlds, exporter: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch, to_vendors: bool
) -> None:
    async with world("freepik") as it:
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        it.app.trace(Tracing(provider, Settings(to_vendors=to_vendors)))
        sent: list[HttpRequest] = []
        relay = it.app.relays["freepik"]
        send = relay.vendor_client.send

        async def noted(request: HttpRequest) -> HttpResponse:
            sent.append(request)
            return await send(request)

        monkeypatch.setattr(relay.vendor_client, "send", noted)
        _ = await it.finished(await make(it))
        async with asyncio.timeout(5):
            while sum(span.name == "run" for span in exporter.get_finished_spans()) < 2:
                await asyncio.sleep(0.01)
    spans = {span.name: span for span in exporter.get_finished_spans()}
    assert {"create", "run", "submit", "poll", "copy", "settle"} <= spans.keys()
    assert {f"{span.context.trace_id:032x}" for span in spans.values() if span.context} == {TRACE}
    submit = spans["submit"].context
    assert submit
    spending = next(request for request in sent if request.spends)
    wanted = f"00-{TRACE}-{submit.span_id:016x}-01"
    assert spending.headers.get("traceparent") == (wanted if to_vendors else None)
    assert to_vendors or not any("traceparent" in request.headers for request in sent)


async def test_polls_that_bring_nothing_new_make_no_spans(world: Worlds, exporter: InMemorySpanExporter) -> None:
    async with world("freepik", relay={"first_poll_seconds": 0.02, "max_poll_seconds": 0.03}) as it:
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        it.app.trace(Tracing(provider, Settings()))
        _ = await it.finished(await make(it, "sleep 1"))
        polls = it.app.poller.polls
    assert polls > 8
    assert 1 <= sum(span.name == "poll" for span in exporter.get_finished_spans()) <= 4


async def test_what_a_vendor_was_told_is_shown_after_a_restart(world: Worlds) -> None:
    key = "the-vendors-own-key"
    async with world("freepik", place="here", account={"key": key}) as it:
        id = await make(it)
        await it.finished(id)
    async with world("freepik", place="here", account={"key": key}) as it:
        here = httpx.ASGITransport(it.app.server, client=("127.0.0.1", 5000))
        async with httpx.AsyncClient(transport=here, base_url="http://localhost:8700") as client:
            told = (await client.get(f"/admin/jobs/{id}")).json()["views"]["sent"]
            first, *polls = told["exchanges"]
            assert (first["path"], first["spends"], first["status"], told["again"]) == (IMAGE, True, 200, None)
            assert polls and all(each["path"].startswith(IMAGE) for each in polls)
            assert key not in str(told) + (await client.get(f"/console/jobs/{id}")).text
            assert (await client.delete(f"/admin/jobs/{id}")).status_code == 200
        assert await it.app.store.said(id) == ()
