"""Spans: one trace from the client's own through create, run, vendor and webhook, read from the SDK's own exporter."""

import asyncio
import contextlib
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from mutoscope.model.config import BadSettings, collector_is_named
from mutoscope.model.config import Tracing as Settings
from mutoscope.telemetry import tracing
from mutoscope.telemetry.tracing import Tracing
from mutoscope.wires.freepik import api as freepik

Start = Callable[..., AbstractAsyncContextManager[Any]]
IMAGE = "/v1/ai/text-to-image/runway"
SCRIPTED = {"models": {"gen4_image": {"engine": "script"}}}
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE}-00f067aa0ba902b7-01"


class Kept:
    """What was told of an app, by the names of the spans."""

    def __init__(self, app: Any, **settings: bool) -> None:
        self.exporter = InMemorySpanExporter()
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        app.trace(Tracing(provider, Settings(**settings)))

    def spans(self, name: str) -> list[ReadableSpan]:
        return [span for span in self.exporter.get_finished_spans() if span.name == name]

    async def until(self, name: str, count: int = 1) -> list[ReadableSpan]:
        async with asyncio.timeout(10):
            while len(found := self.spans(name)) < count:
                await asyncio.sleep(0.01)
        return found


async def create(client: Any, prompt: str = "a secret garden", parent: str = PARENT, **more: object) -> str:
    headers = {"traceparent": parent} if parent else {}
    answer = await client.post(IMAGE, json={"prompt": prompt, "ratio": "720:720", **more}, headers=headers)
    assert answer.status_code == 200, answer.text
    return freepik.WIRE.job_id(answer.json()["data"]["task_id"])


def trace_of(span: ReadableSpan) -> str:
    return f"{span.context.trace_id:032x}"


def parent_of(span: ReadableSpan) -> int | None:
    return span.parent.span_id if span.parent else None


async def test_a_job_made_here_is_one_trace_under_the_clients_own(start: Start) -> None:
    async with start(**SCRIPTED) as running:
        kept = Kept(running.app)
        id = await create(running.client)
        _ = await running.finished(id)
        [made], [run], [settled] = kept.spans("create"), await kept.until("run"), kept.spans("settle")
    assert {trace_of(each) for each in (made, run, settled)} == {TRACE}
    assert parent_of(made) == 0x00F067AA0BA902B7
    assert parent_of(run) == made.context.span_id
    assert parent_of(settled) == run.context.span_id
    assert (made.kind, run.kind) == (SpanKind.SERVER, SpanKind.CONSUMER)
    assert run.attributes is not None
    assert run.attributes["mutoscope.job"] == id
    assert run.attributes["gen_ai.request.model"] == "gen4_image"
    assert run.attributes["mutoscope.outcome"] == "succeeded"
    assert "secret garden" not in repr([each.to_json() for each in (made, run, settled)])


async def test_a_job_that_failed_is_told_as_such(start: Start) -> None:
    async with start(**SCRIPTED) as running:
        kept = Kept(running.app)
        _ = await running.finished(await create(running.client, "fail refused not today"))
        [run] = await kept.until("run")
    assert (run.status.status_code, run.status.description) == (StatusCode.ERROR, "refused")


@pytest.mark.parametrize("parent", ["", "nonsense", "00-0-0-0", f"00-{'0' * 32}-{'0' * 16}-01", "x" * 4000])
async def test_without_a_clients_trace_a_job_begins_its_own(start: Start, parent: str) -> None:
    async with start(**SCRIPTED) as running:
        kept = Kept(running.app)
        _ = await running.finished(await create(running.client, parent=parent))
        [made], [run] = kept.spans("create"), await kept.until("run")
    assert made.parent is None
    assert trace_of(made) == trace_of(run) != TRACE


async def test_what_a_client_does_not_want_traced_is_not(start: Start) -> None:
    async with start(**SCRIPTED) as running:
        kept = Kept(running.app)
        _ = await running.finished(await create(running.client, parent=f"{PARENT[:-2]}00"))
        assert kept.exporter.get_finished_spans() == ()


async def test_the_trace_goes_on_in_the_next_process(start: Start) -> None:
    async with start(**SCRIPTED, script={"slots": 0}) as running:
        first = Kept(running.app)
        id = await create(running.client)
        [made] = first.spans("create")
    async with start(**SCRIPTED) as running:
        second = Kept(running.app)
        running.app.gateway.signals.wake("script")
        _ = await running.finished(id)
        [run] = await second.until("run")
    assert trace_of(run) == TRACE
    assert parent_of(run) == made.context.span_id


class Receiver:
    """Keeps the heads of what it is sent."""

    def __init__(self) -> None:
        self.heads: list[str] = []

    @contextlib.asynccontextmanager
    async def listening(self) -> Any:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                self.heads.append((await reader.readuntil(b"\r\n\r\n")).decode().lower())
                writer.write(b"HTTP/1.1 204 x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
                await writer.drain()
            writer.close()

        async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
        await asyncio.sleep(0.05)  # the last connections are closed before their loop is


@pytest.mark.parametrize("to_receivers", [False, True])
async def test_a_webhook_is_part_of_the_trace_and_carries_it_where_that_is_wanted(
    start: Start, to_receivers: bool
) -> None:
    receiver = Receiver()
    async with receiver.listening() as url, start(**SCRIPTED) as running:
        kept = Kept(running.app, to_receivers=to_receivers)
        _ = await running.finished(await create(running.client, webhook_url=url))
        webhooks = await kept.until("webhook")
        [made] = kept.spans("create")
    for span in webhooks:
        assert trace_of(span) == TRACE
        assert parent_of(span) == made.context.span_id
        assert span.attributes is not None and span.attributes["mutoscope.outcome"] == "delivered"
    told = [
        f"traceparent: 00-{TRACE}-{span.context.span_id:016x}-01" in head
        for span in webhooks
        for head in receiver.heads
    ]
    assert any(told) if to_receivers else "traceparent" not in "".join(receiver.heads)


async def test_where_nobody_collects_no_trace_is_kept(start: Start) -> None:
    async with start(**SCRIPTED) as running:
        assert running.app.tracing is None
        job = await running.finished(await create(running.client))
        assert job.trace is None


# When it is on


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:4318/v1/traces"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318", "OTEL_SDK_DISABLED": "true"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318", "OTEL_TRACES_EXPORTER": "none"}, False),
        ({"OTEL_SERVICE_NAME": "x"}, False),
    ],
)
def test_the_usual_variables_say_where_spans_go(environment: dict[str, str], named: bool) -> None:
    assert collector_is_named(environment) is named


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Names a collector that nobody is."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("OTEL_SERVICE_NAME", "gateway-one")
    return iter(())


def test_it_is_off_unless_a_collector_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT", raising=False)
    assert tracing.start(Settings()) is None
    assert tracing.start(Settings(enabled=False)) is None


def test_without_the_packages_it_is_off_or_says_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, collector: object
) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    assert tracing.start(Settings()) is None
    with pytest.raises(BadSettings, match=r"mutoscope\[otel\]"):
        tracing.start(Settings(enabled=True))


def test_what_is_started_has_the_operators_name_and_stops_although_the_collector_is_down(
    collector: object,
) -> None:
    started = tracing.start(Settings())
    assert started is not None
    assert started._provider.resource.attributes["service.name"] == "gateway-one"
    with tracing.span(started, "create") as facts:
        facts.add(x=1)
        assert started.header()
    started.close()
