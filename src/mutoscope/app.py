"""The whole program in one process: store, worker, deliverer and server, put together and started in order."""

import asyncio
import contextlib
import resource
import sys
from collections.abc import AsyncGenerator, Mapping, Sequence
from functools import partial
from pathlib import Path

import structlog

from mutoscope.background.poller import Poller
from mutoscope.background.retention import Sweeper
from mutoscope.background.webhooks import Deliverer, Ed25519, ed25519
from mutoscope.background.worker import Worker
from mutoscope.engines import Engine
from mutoscope.engines.peer import Peer
from mutoscope.engines.relay import Relay
from mutoscope.engines.script import Script
from mutoscope.engines.studio import Studio
from mutoscope.engines.transcripts import Transcripts
from mutoscope.engines.words import Author
from mutoscope.files.assets import Assets
from mutoscope.files.c2pa import signer
from mutoscope.files.data_dir import Home
from mutoscope.files.egress import SafeClient
from mutoscope.files.probe import Prober
from mutoscope.model.catalog import Catalog
from mutoscope.model.config import BadSettings, Rights, Settings
from mutoscope.model.job import Job
from mutoscope.model.problem import Problem
from mutoscope.service import rehearsal as rehearsing
from mutoscope.service.gateway import Gateway
from mutoscope.service.inputs import Intake
from mutoscope.service.keys import Keys, RateLimiter, share_of, widest
from mutoscope.service.routing import Routes
from mutoscope.service.spending import Books
from mutoscope.service.words import Desk
from mutoscope.store import SqliteStore
from mutoscope.telemetry import logs, tracing
from mutoscope.telemetry.counters import Durations
from mutoscope.telemetry.tracing import Tracing
from mutoscope.web.health import Readiness
from mutoscope.web.metrics import Gate, Lag, Metrics, Sources
from mutoscope.web.office import Parts
from mutoscope.web.pages import StatusPage
from mutoscope.web.server import Server
from mutoscope.wirekit.wire import Wire
from mutoscope.wires import ALL, BY_NAME, DIALECTS, ROWS

log = structlog.get_logger(__name__)


BUILT_IN = ("studio", "script")


class App:
    """Everything that `mutoscope serve` runs. Use `running`, or `start` and `stop`."""

    def __init__(
        self, settings: Settings, *, data: Path | None = None, identity: Path | None = None, rehearsal: bool = False
    ) -> None:
        """`identity` is the directory of the certificate that signs files, where that is not the data directory's.
        `rehearsal` routes every model to the scripted engine and obeys the headers of a test client.

        Raises HomeBusy when another process serves from the data directory, BadSettings when files cannot be signed
        as the settings ask.
        """
        self.settings, self.rehearsal = settings, rehearsal
        self.home = Home(data or settings.data)
        self.signer = signer(settings.credentials, identity or self.home.credentials)
        self.home.take()
        self.store = SqliteStore(self.home.database)
        self.client = SafeClient(settings.net)
        self.prober = Prober(settings.inputs)
        self.assets = Assets(
            settings.files,
            data=self.home.root,
            secret=self.home.link_secret(),
            sizes=self.store.asset_bytes,
            most_sent=descriptors() // 2,
        )
        self.catalog = Catalog(
            ROWS,
            settings.models,
            max_concurrent=settings.limits.max_concurrent,
            max_daily=settings.limits.max_daily,
            engine="script" if rehearsal else None,
            open_wires=open_wires(settings),
        )
        self.relays = relays(settings, self.catalog)
        self.engines: dict[str, Engine] = {
            "studio": Studio(settings.studio),
            "script": Script(settings.script),
            **self.relays,
        }
        check_prices(settings, self.engines)
        self.routes = Routes(self.engines, settings.accounts)
        self.wires = spoken(settings)
        self.keys = Keys(settings.keys, self.store, net=settings.net, secret=self.assets.secret)
        self.gateway = Gateway(
            settings=settings,
            store=self.store,
            assets=self.assets,
            intake=Intake(
                settings=settings.inputs,
                client=self.client,
                prober=self.prober,
                assets=self.assets,
                store=self.store,
                scratch=self.home.scratch,
            ),
            catalog=self.catalog,
            engines=self.engines,
            routes=self.routes,
            relays=self.relays,
            keys=self.keys,
            wires={wire.name: wire for wire in self.wires},
            kept=rehearsing.KEPT if rehearsal else frozenset(),
        )
        self.worker = Worker(
            gateway=self.gateway,
            engines=self.engines,
            settings=settings.worker,
            relay=settings.relay,
            scratch=self.home.scratch,
            landings=self.home.landings,
            signer=self.signer,
        )
        self.poller = Poller(gateway=self.gateway, relays=self.relays, settings=settings.relay)
        for name, relay in self.relays.items():
            relay.has_detour = self.routes.has_detour(name, self.catalog.models.values())
        self.webhook_secret = settings.webhooks.secret or self.home.webhook_secret()
        self.ed25519 = ed25519(self.webhook_secret)
        self.deliverer = Deliverer(
            store=self.store,
            client=self.client,
            settings=settings.webhooks,
            secret=self.webhook_secret,
            wake=self.gateway.signals.deliverer,
            challenges={wire.name: wire.challenge for wire in self.wires if wire.challenge},
            jumps=self.gateway.jumps,
            vendors_headers=partial(vendors_headers, self.ed25519),
        )
        self.lag = Lag()
        rate_limiter = RateLimiter(settings.limits.requests_per_minute, per_second=settings.limits.requests_per_second)
        self.words = Desk(
            peers(settings, self.catalog),
            Author(settings.script.replies),
            rate_limiter=rate_limiter,
            catalog=self.catalog,
            books=Books(
                self.store,
                self.catalog,
                tokens_per_minute=settings.limits.tokens_per_minute,
                reserve_tokens=settings.words.reserve_tokens,
                records=settings.words.records,
            ),
            rehearsal=rehearsal,
            session_idle_seconds=settings.words.session_idle_seconds,
        )
        requests: Durations[tuple[str, int]] = Durations()
        self.metrics = Metrics(
            Sources(
                gateway=self.gateway,
                worker=self.worker,
                poller=self.poller,
                deliverer=self.deliverer,
                relays=self.relays,
                words=self.words,
                requests=requests,
                lag=self.lag,
                data=self.home.root,
            )
        )
        self.readiness = Readiness(
            gateway=self.gateway,
            worker=self.worker,
            data=self.home.root,
            min_free_bytes=settings.server.min_free_bytes,
        )
        self.sweeper = Sweeper(
            store=self.store, assets=self.assets, settings=settings.retention, spared=self.gateway.kept
        )
        self.transcripts = Transcripts()
        self.server = Server(
            self.gateway,
            parts=Parts(
                readiness=self.readiness,
                sweeper=self.sweeper,
                transcripts=self.transcripts,
                data=self.home.root,
                webhook_secret=self.webhook_secret,
            ),
            requests=requests,
            status=StatusPage(self.readiness, self.metrics, Gate(settings, self.keys)),
            keys=self.keys,
            rate_limiter=rate_limiter,
            words=self.words,
            rehearsal=rehearsal,
            scratch=self.home.scratch,
            started=self.start,
            stopped=self.stop,
            published=self.ed25519.published() if self.ed25519 else None,
            wires=rehearsing.wires(self.wires) if rehearsal else self.wires,
        )
        self.deliverer.told = self.server.news.delivery
        for relay in self.relays.values():
            relay.transcripts = self.transcripts
        logs.conceal((self.webhook_secret, settings.metrics.token, *(each.key for each in settings.accounts.values())))
        self.tracing: Tracing | None = None
        self.trace(tracing.start(settings.tracing))
        self._tasks: list[asyncio.Task[None]] = []

    def trace(self, tracing: Tracing | None) -> None:
        """Have everybody tell what they do for a job."""
        self.tracing = self.gateway.tracing = self.deliverer.tracing = tracing
        for relay in self.relays.values():
            relay.tracing = tracing

    async def start(self) -> None:
        """Open the store, take up what an earlier process left, and begin to work."""
        await self.store.open()
        await self.keys.refresh()
        limit_of = partial(self.limit_of, await self.keys.all_rights())
        recovered = await self.store.recover(now=self.gateway.clock(), concurrency=limit_of)
        if recovered:
            log.info("recovered", what="jobs and deliveries of an earlier process", count=recovered)
        if self.rehearsal:
            await rehearsing.seed(self.store, now=self.gateway.clock())
        self._tasks = [
            asyncio.create_task(self.worker.run()),
            asyncio.create_task(self.deliverer.run()),
            asyncio.create_task(self.poller.run()),
            asyncio.create_task(self.lag.run()),
            asyncio.create_task(self.sweeper.run()),
        ]

    async def drain(self) -> None:
        """Take no new jobs, and finish or release the running ones; reads are still answered meanwhile."""
        if not self.gateway.signals.draining:
            self.gateway.signals.draining = True
            await self.worker.stop(self.settings.server.grace_seconds)

    async def stop(self) -> None:
        """Drain, unless that was done, and close. Nothing accepted is lost."""
        await self.drain()
        await self.poller.stop()
        await self.deliverer.stop(min(self.settings.server.grace_seconds, self.settings.webhooks.timeout_seconds))
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.metrics.close()
        await self.server.news.close()
        for engine in self.engines.values():
            await engine.close()
        await self.words.close()
        await self.prober.close()
        await self.client.close()
        await self.server.byte_quota.close()
        await self.keys.close()
        await self.store.close()
        if self.tracing:
            await asyncio.to_thread(self.tracing.close)
        self.home.leave()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncGenerator["App"]:
        await self.start()
        try:
            yield self
        finally:
            await self.stop()

    def limit_of(self, rights: Mapping[str, Sequence[Rights]], owner: str, model: str) -> int | None:
        """How many unfinished jobs of a model an owner may have, by what the keys of all owners allow."""
        row = self.catalog.models.get(model)
        if row is None:
            return None
        own = rights.get(owner) or (Rights(),)
        return widest(share_of(each, row, self.settings.limits).concurrency for each in own)


def descriptors() -> int:
    """How many files and sockets this process may have open at once."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return sys.maxsize if soft == resource.RLIM_INFINITY else soft


def spoken(settings: Settings) -> tuple[Wire, ...]:
    """Every wire, in the dialect that the settings name. Raises BadSettings."""
    for name, wanted in settings.wires.items():
        known = {"": None} | DIALECTS.get(name, {})
        if name not in BY_NAME:
            raise BadSettings(f"[wires.{name}]: there is no such API; there are {', '.join(BY_NAME)}")
        if wanted.dialect not in known:
            choices = ", ".join(filter(None, known)) or "one only, which needs no setting"
            raise BadSettings(f"[wires.{name}] dialect = {wanted.dialect!r}: there is {choices}")
    chosen = {name: DIALECTS[name][each.dialect] for name, each in settings.wires.items() if each.dialect}
    return tuple(chosen.get(wire.name, wire) for wire in ALL)


def check_prices(settings: Settings, engines: Mapping[str, Engine]) -> None:
    """Raises BadSettings for a price at a place that there is not."""
    places = list(dict.fromkeys([*engines, *BY_NAME]))
    for model, changed in settings.models.items():
        for name in changed.prices:
            if name not in places:
                where = f'[models."{model}".prices.{name}]'
                raise BadSettings(f"{where}: there is no engine or API of this name; there are {', '.join(places)}")


def open_wires(settings: Settings) -> dict[str, str]:
    """The wires of accounts that are sent models which no row of the catalog has, with their vendors."""
    found: dict[str, str] = {}
    for account in settings.accounts.values():
        back = wire.back if (wire := BY_NAME.get(account.wire)) else None
        if back and (back.open_models if account.open_models is None else account.open_models):
            found[account.wire] = back.vendor
    return found


def relays(settings: Settings, catalog: Catalog) -> dict[str, Relay]:
    """An engine for each account. Raises BadSettings."""
    made: dict[str, Relay] = {}
    for name, account in settings.accounts.items():
        wire = BY_NAME.get(account.wire)
        if wire is not None and wire.back is None and wire.words is not None:
            continue  # it answers in words only
        if wire is None or wire.back is None:
            known = ", ".join(wire.name for wire in BY_NAME.values() if wire.back or wire.words)
            raise BadSettings(f"[accounts.{name}] wire = {account.wire!r} cannot be called; these can: {known}")
        if name in BUILT_IN:
            raise BadSettings(f"[accounts.{name}]: this is the name of a built-in engine; choose another")
        try:
            made[name] = Relay(name, account, wire, settings=settings.relay, net=settings.net, catalog=catalog)
        except Problem as problem:
            raise BadSettings(f"[accounts.{name}] base_url: {problem.message}") from problem
    return made


def peers(settings: Settings, catalog: Catalog) -> list[Peer]:
    """An engine for words for each account whose API has any. Raises BadSettings."""
    made: list[Peer] = []
    for name, account in settings.accounts.items():
        wire = BY_NAME.get(account.wire)
        if wire is None or wire.words is None:
            continue
        if name in BUILT_IN:
            raise BadSettings(f"[accounts.{name}]: this is the name of a built-in engine; choose another")
        models = {word: row.name for (of, word), row in catalog.words.items() if of == wire.name}
        try:
            peer = Peer(
                name, account, wire, wire.words, settings=settings.words, relay=settings.relay, net=settings.net,
                models=models,
            )  # fmt: skip
        except Problem as problem:
            raise BadSettings(f"[accounts.{name}] base_url: {problem.message}") from problem
        made.append(peer)
    return made


def vendors_headers(key: Ed25519 | None, job: Job, body: bytes, now: float) -> dict[str, str]:
    """What the vendor of a job's wire has in its webhooks beside our own headers."""
    wire = BY_NAME.get(job.wire)
    told = wire.webhook_headers(job, body) if wire and wire.webhook_headers else {}
    if key and wire and wire.signed_headers:
        told |= wire.signed_headers(job, body, int(now), key.sign)
    return told
