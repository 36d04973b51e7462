"""The whole program in one process: store, worker, deliverer and server, put together and started in order."""

import asyncio
import contextlib
import hashlib
import os
import re
import resource
import socket
import sys
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from functools import partial
from pathlib import Path
from urllib.parse import unquote, urlsplit

import structlog
from msgspec.structs import replace

from mutoscope import __version__
from mutoscope.background.members import DELIVER, POLL, SUBMIT, SWEEP, Membership
from mutoscope.background.poller import Poller
from mutoscope.background.previews import Previews
from mutoscope.background.retention import Sweeper
from mutoscope.background.webhooks import Deliverer, Ed25519, ed25519
from mutoscope.background.worker import Worker, new_name
from mutoscope.cassettes.tapes import Tapes
from mutoscope.engines import Engine
from mutoscope.engines.diffusers import Diffusers
from mutoscope.engines.local.pool import Pool
from mutoscope.engines.local.senses import Senses
from mutoscope.engines.local.shelf import Shelf, mark_files
from mutoscope.engines.peer import Peer
from mutoscope.engines.relay import Relay, back_of
from mutoscope.engines.script import Script
from mutoscope.engines.studio import Studio
from mutoscope.engines.taped import taped
from mutoscope.engines.transcripts import Transcripts
from mutoscope.engines.words import Author
from mutoscope.files.assets import Assets
from mutoscope.files.c2pa import signer
from mutoscope.files.data_dir import Home
from mutoscope.files.egress import SafeClient
from mutoscope.files.probe import Prober
from mutoscope.model.catalog import Catalog
from mutoscope.model.config import BUILT_IN, BadSettings, Files, Rights, Settings
from mutoscope.model.job import Job
from mutoscope.model.problem import Problem
from mutoscope.service import rehearsal as rehearsing
from mutoscope.service.gateway import Gateway
from mutoscope.service.inputs import Intake
from mutoscope.service.keys import Keys, RateLimiter, share_of, widest
from mutoscope.service.routing import Routes
from mutoscope.service.spending import Books
from mutoscope.service.words import Desk
from mutoscope.store import News, make_store
from mutoscope.store.fleet import Member
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


SECRET_OPTION = re.compile(r"secret|token|key|password|sas")
"""Options of a bucket that are no one's to see."""


class App:
    """Everything that `mutoscope serve` runs. Use `running`, or `start` and `stop`."""

    def __init__(
        self,
        settings: Settings,
        *,
        data: Path | None = None,
        identity: Path | None = None,
        rehearsal: bool = False,
        serves: bool = True,
        works: bool = True,
        only: Sequence[str] = (),
    ) -> None:
        """What others may do in its place where the store is shared: it `serves` requests, and `works` on jobs, or on
        those of `only` some engines.

        `identity` is the directory of the certificate that signs files, where that is not the data directory's.
        `rehearsal` routes every model to the scripted engine and obeys the headers of a test client.

        Raises HomeBusy when another process serves from the data directory, BadSettings when files cannot be signed
        as the settings ask.
        """
        self.tapes = Tapes(settings, reserved=BUILT_IN)
        self.settings, self.rehearsal = (settings := self.tapes.settings), rehearsal
        self.home = Home(data or settings.data, shared=bool(settings.store.url))
        self.signer = signer(settings.credentials, identity or self.home.credentials)
        self.home.take()
        self.store = make_store(settings.store.url, self.home.database)
        self.client = SafeClient(settings.net)
        self.prober = Prober(settings.inputs)
        self.assets = Assets(
            settings.files,
            data=self.home.root,
            secret=self.home.link_secret(settings.files.link_secret),
            sizes=self.store.asset_bytes,
            spare=self.store.spare,
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
        self.models = Pool(Shelf(settings.weights, self.home.root, settings.own_weights))
        self.senses = Senses(self.models)
        mark = mark_files(settings.mark, self.models.shelf)
        self.engines: dict[str, Engine] = {
            "studio": Studio(settings.studio, mark=mark, senses=self.senses),
            "script": Script(settings.script),
            **weights(settings, marker=self.senses if mark else None),
            **self.relays,
        }
        check_prices(settings, self.engines)
        if unknown := set(only) - set(self.engines):
            names = ", ".join(sorted(unknown))
            raise BadSettings(f"there is no engine {names}; there are {', '.join(self.engines)}")
        made_here = {name: engine for name, engine in self.engines.items() if works and name in (only or self.engines)}
        self.routes = Routes(self.engines, settings.accounts, last=self.tapes.last)
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
        self.works = works
        self.webhook_secret = settings.webhooks.secret or self.home.webhook_secret()
        self.membership = Membership(
            self.store.fleet,
            self.store,
            Member(
                name=new_name(),
                kind="server" if serves else "worker",
                works=works,
                engines=tuple(made_here),
                host=socket.gethostname(),
                pid=os.getpid(),
                version=__version__,
                secrets=fingerprint(self.assets.secret, self.webhook_secret.encode()),
                started=time.time(),
            ),
            duties=(
                *(POLL + name for name in self.relays),
                *(SUBMIT + name for name, relay in self.relays.items() if relay.one_by_one),
            ),
            silent_seconds=settings.worker.lease_seconds,
        )
        self.membership.mustered = self.share
        self.worker = Worker(
            gateway=self.gateway,
            engines=made_here,
            name=self.membership.member.name,
            hindered=lambda: bool(self.membership.trouble),
            settings=settings.worker,
            relay=settings.relay,
            scratch=self.home.scratch,
            landings=self.home.landings,
            signer=self.signer,
            taped=taped(self.tapes),
        )
        self.poller = Poller(
            gateway=self.gateway,
            relays=self.relays,
            settings=settings.relay,
            on_duty=lambda account: self.membership.holds(POLL + account),
        )
        for name, relay in self.relays.items():
            relay.has_detour = self.routes.has_detour(name, self.catalog.models.values())
            if relay.one_by_one:
                relay.on_duty = partial(self.membership.holds, SUBMIT + name)
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
            on_duty=partial(self.membership.holds, DELIVER),
        )
        self.lag = Lag()
        self.rate_limiter = RateLimiter(
            settings.limits.requests_per_minute, per_second=settings.limits.requests_per_second
        )
        self.words = Desk(
            peers(settings, self.catalog),
            Author(settings.script.replies, senses=self.senses),
            rate_limiter=self.rate_limiter,
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
            cassettes=settings.cassettes,
        )
        for maker in (*self.relays.values(), *self.words.peers):
            maker.deck = self.tapes.deck(maker.name, maker.account, str(maker.vendor_client.base))
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
            worker=self.worker if works else None,
            hindrance=lambda: self.membership.trouble,
            data=self.home.root,
            min_free_bytes=settings.server.min_free_bytes,
        )
        self.sweeper = Sweeper(
            store=self.store,
            assets=self.assets,
            settings=settings.retention,
            spared=self.gateway.kept,
            on_duty=partial(self.membership.holds, SWEEP),
        )
        self.transcripts = Transcripts(self.store, most_bytes=settings.relay.transcript_bytes)
        self.server = Server(
            self.gateway,
            parts=Parts(
                readiness=self.readiness,
                sweeper=self.sweeper,
                transcripts=self.transcripts,
                data=self.home.root,
                models=self.models,
                webhook_secret=self.webhook_secret,
            ),
            requests=requests,
            status=StatusPage(self.readiness, self.metrics, Gate(settings, self.keys)),
            keys=self.keys,
            rate_limiter=self.rate_limiter,
            words=self.words,
            rehearsal=rehearsal,
            scratch=self.home.scratch,
            started=self.start,
            stopped=self.stop,
            published=self.ed25519.published() if self.ed25519 else None,
            senses=self.senses,
            wires=rehearsing.wires(self.wires) if rehearsal else self.wires,
        )
        self.previews = Previews(
            store=self.store,
            assets=self.assets,
            inputs=settings.inputs,
            scratch=self.home.scratch,
            busy=lambda: bool(self.worker.runs),
            told=self.gateway.changed,
        )
        if settings.files.previews and self.works and not rehearsal:
            self.gateway.illustrate = self.previews.add
        self.deliverer.told = self.server.news.delivery
        if settings.relay.transcript_bytes:
            for relay in self.relays.values():
                relay.transcripts = self.transcripts
        if self.server.faults:
            self.deliverer.doubles = self.server.faults.doubles
        logs.conceal(
            (
                password_of(settings.store.url),
                self.webhook_secret,
                settings.metrics.token,
                *(each.key for each in settings.accounts.values()),
            )
        )
        logs.conceal((settings.files.link_secret, *secrets_of(settings.files)))
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
        self.store.told = self.hear
        self.models.belong()
        await self.store.open()
        try:
            await self.membership.join()
        except BaseException:
            await self.store.close()
            raise
        await self.keys.refresh()
        limit_of = partial(self.limit_of, await self.keys.all_rights())
        dead = () if self.store.shared else None
        listed = [name for name, relay in self.relays.items() if relay.one_by_one]
        recovered = await self.store.recover(now=self.gateway.clock(), concurrency=limit_of, dead=dead, listed=listed)
        if recovered:
            log.info("recovered", what="jobs and deliveries of an earlier process", count=recovered)
        if self.rehearsal:
            await rehearsing.seed(self.store, now=self.gateway.clock())
        self._tasks = [
            *([asyncio.create_task(self.worker.run())] if self.works else []),
            asyncio.create_task(self.membership.run()),
            asyncio.create_task(self.deliverer.run()),
            asyncio.create_task(self.poller.run()),
            asyncio.create_task(self.lag.run()),
            asyncio.create_task(self.sweeper.run()),
            *([asyncio.create_task(self.senses.try_own())] if self.works and self.models.shelf.own else []),
            asyncio.create_task(self.transcripts.run()),
            *([asyncio.create_task(self.previews.run())] if self.gateway.illustrate else []),
        ]

    def hear(self, news: News) -> None:
        """Other processes have changed something in the store: wake whoever it concerns here."""
        signals = self.gateway.signals
        for engine in self.engines if news.anything else news.engines:
            signals.wake(engine)
        if news.anything or news.deliveries:
            signals.delivery_pending()
        if news.anything or news.watches:
            signals.watched()
        for id in self.gateway.watched_jobs if news.anything else news.jobs:
            self.gateway.changed(id)

    def share(self) -> None:
        """The others have changed: what all of us may do together is shared with as many as there are now."""
        servers = self.membership.servers
        self.rate_limiter.processes = self.words.books.token_limiter.processes = servers
        for name, relay in self.relays.items():
            relay.processes, relay.place = self.membership.workers(name)
            relay.bucket.share(1 if relay.one_by_one else relay.processes)

    async def drain(self) -> None:
        """Take no new jobs, and finish or release the running ones; reads are still answered meanwhile. In a fleet jobs
        are still filed, for others to make, until whoever sends requests here has noticed."""
        if not self.gateway.signals.draining:
            self.gateway.signals.draining = True
            await self.membership.leave()
            noticed = self.settings.server.leave_seconds if self.store.shared else 0.0
            await asyncio.gather(self.worker.stop(self.settings.server.grace_seconds), asyncio.sleep(noticed))

    async def stop(self) -> None:
        """Drain, unless that was done, and close. Nothing accepted is lost."""
        await self.drain()
        await self.poller.stop()
        await self.deliverer.stop(min(self.settings.server.grace_seconds, self.settings.webhooks.timeout_seconds))
        await self.transcripts.write()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.metrics.close()
        await self.server.news.close()
        for engine in self.engines.values():
            await engine.close()
        await self.words.close()
        await self.tapes.close()
        await self.models.close()
        await self.prober.close()
        await self.client.close()
        await self.server.close()
        await self.server.byte_quota.close()
        await self.keys.close()
        await self.membership.close()
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


def fingerprint(*secrets: bytes) -> str:
    """Tells whether others have the same, and not what they are."""
    return hashlib.sha256(b"mutoscope fingerprint\n" + b"\n".join(secrets)).hexdigest()[:16]


def secrets_of(files: Files) -> list[str]:
    """What its options hold that nobody may read."""
    return [value for name, value in files.options.items() if SECRET_OPTION.search(name.lower())]


def password_of(url: str) -> str:
    """What is not to be logged of a database's URL."""
    return unquote(urlsplit(url).password or "")


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


def weights(settings: Settings, *, marker: Senses | None) -> dict[str, Engine]:
    """An engine for each pipeline of the operator's own. Raises BadSettings."""
    for name in settings.engines:
        if name in BUILT_IN or name in BY_NAME or name in settings.accounts:
            raise BadSettings(f"[engines.{name}]: an engine, an account or an API has this name; choose another")
    return {name: Diffusers(name, each, marker=marker) for name, each in settings.engines.items()}


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
        if wire is not None and wire.words is not None and back_of(wire, account) is None:
            continue  # it answers in words only
        if wire is None or back_of(wire, account) is None:
            known = ", ".join(wire.name for wire in BY_NAME.values() if wire.back or wire.words)
            raise BadSettings(f"[accounts.{name}] wire = {account.wire!r} cannot be called; these can: {known}")
        if name in BUILT_IN:
            raise BadSettings(f"[accounts.{name}]: this is the name of a built-in engine; choose another")
        # as for words, with or without the end that every path begins with
        base_url = account.base_url.rstrip("/").removesuffix("/v1") if wire.media else account.base_url
        called = replace(account, base_url=base_url)
        try:
            made[name] = Relay(
                name,
                called,
                wire,
                settings=settings.relay,
                net=settings.net,
                catalog=catalog,
                gives_links=bool(settings.server.public_url),
            )
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
