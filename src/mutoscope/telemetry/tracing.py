"""Spans of what is done for a job, from the create to the last webhook, as OpenTelemetry has them.

Where nobody collects, `Tracing` is None everywhere: nothing of OpenTelemetry is loaded, and a span costs a comparison.
A job outlives requests and processes, so its trace is kept on it, as the header `traceparent` of the create's span.
"""

import contextlib
import threading
from collections.abc import Generator
from typing import TYPE_CHECKING

from mutoscope import __version__
from mutoscope.model.config import BadSettings, collector_is_named
from mutoscope.model.config import Tracing as TracingSettings
from mutoscope.model.job import Job

if TYPE_CHECKING:  # the packages are an extra
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import TracerProvider

HEADER = "traceparent"
CLOSING_SECONDS = 3.0  # for spans under way at a stop; a collector that is down holds up nothing
INSTALL = 'pip install "mutoscope[otel]"'

Value = str | int | float | bool


class Tracing:
    """Makes spans and hands on their ids."""

    def __init__(self, provider: "TracerProvider", settings: TracingSettings) -> None:
        from opentelemetry import trace
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        self.to_vendors, self.to_receivers = settings.to_vendors, settings.to_receivers
        self._provider, self._trace = provider, trace
        self._tracer = provider.get_tracer("mutoscope", __version__)
        self._propagator = TraceContextTextMapPropagator()

    @contextlib.contextmanager
    def span(self, name: str, parent: str | None, kind: str, facts: dict[str, Value]) -> Generator["Facts"]:
        """What happens within is part of this span, that of tasks that are started there too."""
        kinds = self._trace.SpanKind
        under = self._under(parent)
        with self._tracer.start_as_current_span(name, under, kinds[kind], facts, record_exception=False) as span:
            found = Facts()
            try:
                yield found
            finally:
                span.set_attributes(found.attributes)
                if found.fault:
                    span.set_status(self._trace.Status(self._trace.StatusCode.ERROR, found.fault))

    def note(self, name: str, parent: str | None, began: float, ended: float, facts: dict[str, Value]) -> None:
        """A span of what turned out to be worth telling when it was over. Times are Unix seconds."""
        kind = self._trace.SpanKind.CLIENT
        span = self._tracer.start_span(name, self._under(parent), kind, facts, start_time=int(began * 1e9))
        span.end(int(ended * 1e9))

    def header(self) -> str | None:
        """The id of the span that is under way; None outside of any."""
        carrier: dict[str, str] = {}
        self._propagator.inject(carrier)
        return carrier.get(HEADER)

    def _under(self, parent: str | None) -> "Context | None":
        """None stands for what is under way. What is no such header begins a trace of its own."""
        return None if parent is None else self._propagator.extract({HEADER: parent})

    def close(self) -> None:
        """Send what is left, for a moment at most."""
        closing = threading.Thread(target=self._provider.shutdown, daemon=True)
        closing.start()
        closing.join(CLOSING_SECONDS)


class Facts:
    """What is learned while a span is under way."""

    def __init__(self) -> None:
        self.attributes: dict[str, Value] = {}
        self.fault = ""  # why it counts as failed

    def add(self, **facts: Value) -> None:
        self.attributes |= {f"mutoscope.{name}": value for name, value in facts.items()}


class NoFacts(Facts):
    """For spans that are not made."""

    def add(self, **facts: Value) -> None:
        pass


NO_FACTS = contextlib.nullcontext(NoFacts())


def span(
    tracing: Tracing | None,
    name: str,
    *,
    parent: str | None = None,
    kind: str = "INTERNAL",
    job: Job | None = None,
    **facts: Value,
) -> contextlib.AbstractContextManager[Facts]:
    """Around what is done. Without `parent`, the header of a span, it is part of what is under way."""
    if tracing is None:
        return NO_FACTS
    return tracing.span(
        name, parent, kind, described(job) | {f"mutoscope.{name}": each for name, each in facts.items()}
    )


def described(job: Job | None) -> dict[str, Value]:
    """What is told of a job: never its prompt."""
    if job is None:
        return {}
    return {
        "mutoscope.job": job.id,
        "mutoscope.wire": job.wire,
        "mutoscope.engine": job.engine,
        "gen_ai.operation.name": job.generation.operation.value,
        "gen_ai.request.model": job.generation.model,
    }


def start(settings: TracingSettings) -> Tracing | None:
    """As the settings ask and OpenTelemetry's own variables say. Raises BadSettings where the packages are missing."""
    if settings.enabled is False or (settings.enabled == "auto" and not collector_is_named()):
        return None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        if settings.enabled == "auto":
            return None
        raise BadSettings(f"[tracing] enabled = true, but {error.name} is not installed: {INSTALL}") from error
    resource = Resource.create()
    if str(resource.attributes.get("service.name", "")).startswith("unknown_service"):
        resource = resource.merge(Resource({"service.name": "mutoscope", "service.version": __version__}))
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return Tracing(provider, settings)


def is_installed() -> bool:
    try:
        import opentelemetry.exporter.otlp.proto.http.trace_exporter as exporter
    except ImportError:
        return False
    return bool(exporter)
