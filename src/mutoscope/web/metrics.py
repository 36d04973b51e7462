"""What `/metrics` tells, in Prometheus' words: a table of everything that is counted here, and who may read it."""

import asyncio
import contextlib
import hmac
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple, TypeVar

import structlog
from msgspec import Struct
from prometheus_client import ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.registry import Collector

from mutoscope import __version__
from mutoscope.background.poller import Poller
from mutoscope.background.webhooks import Deliverer
from mutoscope.background.worker import Worker
from mutoscope.engines.relay import Relay
from mutoscope.model.config import Settings
from mutoscope.model.problem import Kind, Problem
from mutoscope.service.gateway import Gateway
from mutoscope.service.keys import Keys
from mutoscope.service.words import Desk
from mutoscope.store import Figures, Unfinished
from mutoscope.telemetry.counters import LAG_SECONDS, Durations, Tally

log = structlog.get_logger(__name__)
K = TypeVar("K")

FRESH_SECONDS = 2.0  # how long the store's figures are told again
REST = 20.0  # after the store was asked it rests for so many times as long as it took: a twentieth of a core at most
PATIENCE_SECONDS = 1.0  # a scrape waits no longer for the store, and tells what was known before
LAG_EVERY_SECONDS = 0.5
RECEIVERS = 20  # hosts that are told apart, those with the most messages; the others together are "other"
OTHER = "other"
OPENMETRICS = openmetrics.CONTENT_TYPE_LATEST
BREAKER = ("closed", "open", "half-open")

Labels = tuple[str, ...]
Values = Iterable[tuple[Labels, float]]


class Lag:
    """How late the event loop is: every request waits so long somewhere."""

    def __init__(self) -> None:
        self.durations: Durations[Labels] = Durations(LAG_SECONDS)

    async def run(self) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            due = clock() + LAG_EVERY_SECONDS
            await asyncio.sleep(LAG_EVERY_SECONDS)
            self.durations.add((), max(clock() - due, 0.0))


class Sources(NamedTuple):
    """Where the figures are."""

    gateway: Gateway
    worker: Worker
    poller: Poller
    deliverer: Deliverer
    relays: Mapping[str, Relay]
    words: Desk
    requests: Durations[tuple[str, int]]  # by "wire METHOD route" and the status' first digit
    lag: Lag
    data: Path


class Now(NamedTuple):
    """What a scrape tells: the sources, what the store said, and when."""

    sources: Sources
    store: Figures | None  # None: the store does not answer
    time: float


class Row(Struct, frozen=True):
    """A family of metrics."""

    name: str
    labels: Labels
    about: str
    kind: type[GaugeMetricFamily] | type[CounterMetricFamily]
    read: Callable[[Now], Values]


class Spread(Struct, frozen=True):
    """A histogram."""

    name: str
    labels: Labels
    about: str
    read: Callable[[Now], Iterable[tuple[Labels, tuple[float, ...], list[float]]]]


# -- reading what was counted --------------------------------------------------------------


def unfinished(now: Now) -> Iterable[Unfinished]:
    return now.store.unfinished if now.store else ()


def queue_ages(now: Now) -> Values:
    """0 where nothing waits: an alert wants a number."""
    ages = dict.fromkeys(now.sources.gateway.engines, 0.0) if now.store else {}
    for each in unfinished(now):
        if each.state == "queued":
            ages[each.engine] = max(ages.get(each.engine, 0.0), now.time - each.oldest)
    return [((engine,), age) for engine, age in ages.items()]


def pending(now: Now) -> Values:
    pending_deliveries = sorted(now.store.pending_deliveries if now.store else (), key=lambda each: -each.messages)
    yield from (((each.receiver,), each.messages) for each in pending_deliveries[:RECEIVERS])
    if now.store:
        yield (OTHER,), sum(each.messages for each in pending_deliveries[RECEIVERS:])


def overdue(now: Now, due: list[float]) -> Values:
    if now.store:
        yield (), max(now.time - min(due, default=now.time), 0.0)


def counted(names: Iterable[str]) -> Values:
    tally: Tally[str] = Tally()
    for name in names:
        tally.add(name)
    return [((name,), amount) for name, amount in tally.sums.items()]


def items(tally: Tally[K]) -> list[tuple[K, float]]:
    """As they stand: the event loop goes on counting meanwhile."""
    return list(tally.sums.items())


def tallied(tally: Tally[Labels]) -> Values:
    return items(tally)


Spreads = Iterator[tuple[Labels, tuple[float, ...], list[float]]]


def spread(durations: Durations[Labels]) -> Spreads:
    for labels, row in list(durations.rows.items()):
        yield labels, durations.bounds, row[:]


def requests(durations: Durations[tuple[str, int]]) -> Spreads:
    for (label, hundred), row in list(durations.rows.items()):
        wire, _, route = label.partition(" ")
        yield (wire, route, f"{hundred}xx"), durations.bounds, row[:]


def of_accounts(now: Now, which: Callable[[Relay], Durations[str]]) -> Spreads:
    for name, relay in now.sources.relays.items():
        durations = which(relay)
        for outcome, row in list(durations.rows.items()):
            yield (name, outcome), durations.bounds, row[:]


# -- the table ---------------------------------------------------------------------------

GAUGE, COUNTER = GaugeMetricFamily, CounterMetricFamily

ROWS: tuple[Row | Spread, ...] = (
    Row("mutoscope_info", ("version",), "Always 1.", GAUGE, lambda _: [((__version__,), 1)]),
    Row(
        "mutoscope_jobs",
        ("state", "wire", "model", "engine"),
        "Jobs that have not ended: queued, throttled (over their owner's limit) or running, here or at a vendor.",
        GAUGE,
        lambda now: [((each.state, each.wire, each.model, each.engine), each.jobs) for each in unfinished(now)],
    ),
    Row(
        "mutoscope_queue_age_seconds",
        ("engine",),
        "How long the oldest queued job has waited. Throttled ones do not count: they wait for their own.",
        GAUGE,
        queue_ages,
    ),
    Row(
        "mutoscope_jobs_ended",
        ("state", "wire", "model", "engine"),
        "Jobs that ended.",
        COUNTER,
        lambda now: tallied(now.sources.gateway.endings),
    ),
    Spread(
        "mutoscope_job_seconds",
        ("state", "model", "engine"),
        "From the create to the end of a job.",
        lambda now: spread(now.sources.gateway.lives),
    ),
    Row(
        "mutoscope_credits",
        ("engine", "model"),
        "Credits of the jobs that ended. An account's are spent at its vendor, the built-in engines' are what a vendor "
        "would have asked.",
        COUNTER,
        lambda now: tallied(now.sources.gateway.spent),
    ),
    Row(
        "mutoscope_tokens",
        ("wire", "model", "engine", "direction"),
        "Tokens of answers in words: read by a model and written by it, as accounts tell; what they do not tell, and "
        "all of the scripted author's, by our own rule.",
        COUNTER,
        lambda now: tallied(now.sources.words.spent),
    ),
    Row(
        "mutoscope_runs",
        ("engine",),
        "Jobs that this process works on.",
        GAUGE,
        lambda now: counted(run.job.engine for run in list(now.sources.worker.runs.values())),
    ),
    Spread(
        "mutoscope_request_seconds",
        ("wire", "route", "status"),
        'From a request\'s head to the end of its answer. Paths that no wire has are told as one route, "other".',
        lambda now: requests(now.sources.requests),
    ),
    Row(
        "mutoscope_deliveries_pending",
        ("receiver",),
        f"Webhook messages that are owed, by host: the {RECEIVERS} with the most, and all others together.",
        GAUGE,
        pending,
    ),
    Row(
        "mutoscope_delivery_age_seconds",
        (),
        "How long the message that is most overdue has been due.",
        GAUGE,
        lambda now: overdue(now, [each.due for each in now.store.pending_deliveries] if now.store else []),
    ),
    Spread(
        "mutoscope_delivery_seconds",
        ("outcome",),
        "Attempts to deliver a message: delivered, will_retry or given_up.",
        lambda now: spread(now.sources.deliverer.attempts),
    ),
    Row(
        "mutoscope_delivery_failures",
        ("receiver",),
        "Attempts that failed, by host; hosts beyond the first fifty are told together.",
        COUNTER,
        lambda now: [((host,), amount) for host, amount in items(now.sources.deliverer.failures)],
    ),
    Spread(
        "mutoscope_upstream_request_seconds",
        ("account", "answer"),
        "Requests to vendors: the answer's hundred, or why there was none.",
        lambda now: of_accounts(now, lambda relay: relay.requests),
    ),
    Row(
        "mutoscope_upstream_errors",
        ("account", "kind"),
        "What vendors answered that was no use, and requests without an answer, by the kind of problem.",
        COUNTER,
        lambda now: [
            ((name, kind), amount) for name, relay in now.sources.relays.items() for kind, amount in items(relay.errors)
        ],
    ),
    Spread(
        "mutoscope_copy_seconds",
        ("account", "outcome"),
        "Results fetched from vendors: copied or failed.",
        lambda now: of_accounts(now, lambda relay: relay.copies),
    ),
    Row(
        "mutoscope_copied_bytes",
        ("account",),
        "Bytes of results that were fetched from vendors.",
        COUNTER,
        lambda now: [((name,), relay.copied_bytes) for name, relay in now.sources.relays.items()],
    ),
    Row(
        "mutoscope_account_breaker",
        ("account", "state"),
        "1 for the state of the account's circuit breaker: closed, open or half-open.",
        GAUGE,
        lambda now: [
            ((name, state), float(relay.breaker.state == state))
            for name, relay in now.sources.relays.items()
            for state in BREAKER
        ],
    ),
    Row(
        "mutoscope_account_paused_seconds",
        ("account",),
        "How long nothing is sent to the account: its breaker is open, or its vendor asked for a pause.",
        GAUGE,
        lambda now: [((name,), relay.breaker.seconds_left) for name, relay in now.sources.relays.items()],
    ),
    Row(
        "mutoscope_account_jobs",
        ("account",),
        "Jobs that the account holds at its vendor.",
        GAUGE,
        lambda now: [((name,), relay.upstream) for name, relay in now.sources.relays.items()],
    ),
    Row(
        "mutoscope_watches",
        ("account", "mode"),
        "Jobs that a vendor is asked about: wait (for the end), cancel, late (ours timed out).",
        GAUGE,
        lambda now: [((each.account, each.mode), each.jobs) for each in now.store.watched] if now.store else [],
    ),
    Row(
        "mutoscope_watch_age_seconds",
        (),
        "How long the poll that is most overdue has been due.",
        GAUGE,
        lambda now: overdue(now, [each.due for each in now.store.watched] if now.store else []),
    ),
    Row("mutoscope_polls", (), "Polls of jobs at vendors.", COUNTER, lambda now: [((), now.sources.poller.polls)]),
    Row(
        "mutoscope_store_up",
        (),
        "1 while the store answers. While it does not, what it would tell is missing here.",
        GAUGE,
        lambda now: [((), float(now.store is not None))],
    ),
    Row(
        "mutoscope_draining",
        (),
        "1 while the server stops.",
        GAUGE,
        lambda now: [((), float(now.sources.gateway.signals.draining))],
    ),
    Row(
        "mutoscope_free_bytes",
        (),
        "Free space where the data directory is.",
        GAUGE,
        lambda now: [((), shutil.disk_usage(now.sources.data).free)],
    ),
    Spread(
        "mutoscope_event_loop_lag_seconds",
        (),
        "How late the event loop came to what was due, looked at twice a second.",
        lambda now: spread(now.sources.lag.durations),
    ),
)


# -- who may read it ---------------------------------------------------------------------


class Gate:
    """Whom the figures are for: they tell how busy a server is, which vendors it uses and what it spends there."""

    def __init__(self, settings: Settings, keys: Keys) -> None:
        self.keys, self.token = keys, settings.metrics.token
        self.is_local = settings.server.is_loopback
        self.is_served = (
            self.is_local or bool(self.token) if settings.metrics.enabled == "auto" else bool(settings.metrics.enabled)
        )

    async def admit(self, authorization: str) -> None:
        """Anybody on an open server, which listens on loopback only; else who shows the token or an admin's key.

        Raises Problem.
        """
        scheme, _, shown = authorization.partition(" ")
        secret = shown.strip() if scheme.lower() == "bearer" else ""
        if self.token and hmac.compare_digest(secret.encode(), self.token.encode()):
            return
        caller = await self.keys.caller(secret)
        if self.keys.open:
            if self.token or not self.is_local:
                raise Problem(Kind.UNAUTHENTICATED, "Send the token of [metrics] as a bearer token.")
        elif not caller.rights.admin:
            raise Problem(Kind.FORBIDDEN, "This key is no admin's.")


# -- a scrape ------------------------------------------------------------------------------


class Metrics:
    def __init__(self, sources: Sources, *, clock: Callable[[], float] = time.time) -> None:
        self.sources, self.clock = sources, clock
        self.fresh_seconds = FRESH_SECONDS
        self._process = ProcessCollector(registry=None)
        self._known: Figures | None = None
        self._asking: asyncio.Task[None] | None = None
        self._ask_again = 0.0

    async def page(self, accept: str) -> tuple[bytes, str]:
        """The text and its type. It is written in a thread: with many routes it takes a while."""
        now = Now(self.sources, await self._figures(), self.clock())
        scrape = Scrape(now, self._process)
        if "application/openmetrics-text" in accept:
            return await asyncio.to_thread(in_openmetrics, scrape), OPENMETRICS
        return await asyncio.to_thread(generate_latest, scrape), CONTENT_TYPE_PLAIN_0_0_4

    async def _figures(self) -> Figures | None:
        """What the store told last, which is a moment old at most, or as old as it takes to ask with care."""
        if self._asking is None or (self._asking.done() and time.monotonic() >= self._ask_again):
            self._asking = asyncio.create_task(self._ask())
        await asyncio.wait({self._asking}, timeout=PATIENCE_SECONDS)
        return self._known

    async def _ask(self) -> None:
        began = time.monotonic()
        try:
            self._known = await self.sources.gateway.store.figures()
        except Problem as problem:
            self._known = None
            log.warning("figures_unread", reason=problem.message)
        ended = time.monotonic()
        self._ask_again = ended + max(self.fresh_seconds, REST * (ended - began))

    async def close(self) -> None:
        if self._asking is not None:
            self._asking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._asking


class Scrape(Collector):
    """What the encoder asks for its metrics."""

    def __init__(self, now: Now, process: ProcessCollector) -> None:
        self.now, self.process = now, process

    def collect(self) -> Iterator[Metric]:
        for row in ROWS:
            yield family(row, self.now)
        yield from self.process.collect()


def in_openmetrics(scrape: Scrape) -> bytes:
    return openmetrics.generate_latest(scrape)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] - it is untyped


def family(row: Row | Spread, now: Now) -> Metric:
    if isinstance(row, Row):
        told = row.kind(row.name, row.about, labels=row.labels)
        for labels, value in row.read(now):
            told.add_metric(labels, value)
        return told
    histogram = HistogramMetricFamily(row.name, row.about, labels=row.labels)
    for labels, bounds, counts in row.read(now):
        histogram.add_metric(labels, buckets(bounds, counts[:-1]), counts[-1])
    return histogram


def buckets(bounds: tuple[float, ...], counts: list[float]) -> list[tuple[str, float]]:
    """As Prometheus wants them: each counts what is below its bound, too."""
    total, told = 0.0, list[tuple[str, float]]()
    for bound, count in zip((*map(str, bounds), "+Inf"), counts, strict=True):
        total += count
        told.append((bound, total))
    return told
