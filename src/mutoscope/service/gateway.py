"""The desk: files generations as jobs and answers for them. It sees no HTTP and no SQL."""

import asyncio
import contextlib
import hashlib
import re
import time
from bisect import bisect_left
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

import structlog
import uuid_utils
from msgspec.structs import replace

from mutoscope.engines import Engine
from mutoscope.engines.relay import Relay
from mutoscope.files.assets import Assets, upload_name
from mutoscope.files.probe import kinds_of
from mutoscope.model.catalog import Catalog
from mutoscope.model.config import Rights, Settings
from mutoscope.model.http import FormFile, HttpRequest
from mutoscope.model.job import Delivery, Generation, Input, Job, Output, Sent, State
from mutoscope.model.problem import Kind, Problem
from mutoscope.model.requests import (
    ANY_FILE,
    CallerAccount,
    ModelAccount,
    Page,
    Period,
    Submission,
    Upload,
    UploadWish,
    Usage,
)
from mutoscope.service.inputs import Intake, sniff
from mutoscope.service.jumps import Jumps
from mutoscope.service.keys import Keys, callback_token, called_job, share_of
from mutoscope.service.planning import Planner, seeded
from mutoscope.service.pricing import Prices
from mutoscope.service.routing import Routes
from mutoscope.service.signals import Signals
from mutoscope.store import Repeat, Store
from mutoscope.telemetry.counters import JOB_SECONDS, Durations, Tally
from mutoscope.telemetry.tracing import Tracing
from mutoscope.wirekit.routes import Read, ReadMany, Route, Stop
from mutoscope.wirekit.wire import Wire
from mutoscope.wires import BY_NAME

log = structlog.get_logger(__name__)

DAY = 86400.0
ALL_RIGHTS = Rights()
SIFTED = 10_000  # how many of a caller's newest jobs a list with filters looks at
SIFTED_AT_ONCE = 500
MANY = 100  # jobs that one request may ask for by their ids
USUAL_PERIOD, LONGEST_PERIOD = timedelta(days=30), timedelta(days=90)  # of a report of what was spent
LINE_SECONDS = 1.0  # how old the knowledge of who waits may be
BODY_KEPT = 64 * 1024
# Looks ahead a bounded way, then takes whole runs: a text of megabytes costs milliseconds, not seconds.
LONG_TEXT = re.compile(rb'"(?=(?:[^"\\]|\\.){1024})(?:[^"\\]++|\\.)*+"')


class Gateway:
    def __init__(
        self,
        *,
        settings: Settings,
        store: Store,
        assets: Assets,
        intake: Intake,
        catalog: Catalog,
        engines: Mapping[str, Engine],
        routes: Routes,
        relays: Mapping[str, Relay] | None = None,
        keys: Keys | None = None,
        wires: Mapping[str, Wire] = BY_NAME,
        kept: frozenset[str] = frozenset(),
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`kept` are ids of jobs that no client can remove; a rehearsal's fixed tasks."""
        self.settings, self.store, self.assets, self.intake = settings, store, assets, intake
        self.catalog, self.engines, self.routes, self.kept, self.clock = catalog, engines, routes, kept, clock
        self.wires, self.relays = wires, relays or {}  # the engines that are accounts at vendors
        self.prices = Prices(catalog, settings.accounts)
        self.planner = Planner(catalog=catalog, routes=routes, prices=self.prices, limits=settings.limits)
        self.keys = keys or Keys(settings.keys, store, net=settings.net, secret=assets.secret)
        self.jumps = Jumps(store, clock=self._now, shared=store.shared)  # asked before anything is done that is due
        self.signals = Signals()
        self.tracing: Tracing | None = None  # set where spans are collected
        self.illustrate: Callable[[Job], None] | None = None  # set where small pictures are made of what jobs made
        self.endings: Tally[tuple[str, ...]] = Tally()  # jobs by state, wire, model and engine
        self.lives: Durations[tuple[str, ...]] = Durations(JOB_SECONDS)  # by state, model and engine
        self.spent: Tally[tuple[str, ...]] = Tally()  # credits by engine and model
        self.told: Callable[[str], None] | None = None  # of each job that changes, where somebody looks at all of them
        self._watchers: dict[str, set[asyncio.Event]] = {}
        self._lines: dict[str, tuple[float, asyncio.Task[Sequence[str]]]] = {}  # engine → when it was read, who waits

    def _now(self) -> float:
        return self.clock()  # as it is set now

    @property
    def is_closed(self) -> bool:
        """Nothing new is taken. Where others make what is filed here, it is taken as long as somebody can ask."""
        return self.signals.draining and not self.store.shared

    # -- making ---------------------------------------------------------------

    async def submit(
        self,
        wire: Wire,
        route: str,
        submission: Submission,
        *,
        owner: str = "",
        rights: Rights = ALL_RIGHTS,
        body: bytes = b"",
        origin: str = "",
        engine: str | None = None,
        repeat: Repeat | None = None,
    ) -> Job:
        """File a generation, to be recognised by `repeat` later on. The job is durable before this returns.

        `rights` are those of the owner's key.

        Raises Problem.
        """
        if self.is_closed:
            raise Problem(Kind.UNAVAILABLE, "The server is shutting down. Try again shortly.", retry_after=5)
        parent = None
        if submission.parent is not None or submission.generation.inputs:
            parent, submission = await self.continued(wire, submission, owner)
        probe = bool(submission.generation.inputs) and self.probes(wire, submission)
        plan = self.planner.plan(submission, wire=wire.name, rights=rights, engine=engine, kept=probe)
        generation = plan.generation
        if generation.inputs:
            inputs = await self.intake.take_in(
                generation.inputs, owner=owner, probe=probe, fetched_later=not plan.remote
            )
            generation = replace(generation, inputs=inputs)
        replaced = parent if submission.replaces else None
        id, now = replaced.id if replaced else str(uuid_utils.uuid7()), self.clock()
        job = Job(
            id=id,
            wire=wire.name,
            route=route,
            owner=owner,
            generation=seeded(generation, id, remote=plan.remote),
            body=shortened(body if submission.body is None else submission.body),
            engine=plan.engine,
            notes=plan.notes,
            engines=plan.engines,
            webhook=submission.webhook,
            events=tuple(sorted(submission.events or ())),
            parent=replaced.parent if replaced else parent.id if parent else None,
            trace=self.tracing.header() if self.tracing else None,
            origin=self.settings.server.public_url or origin,
            created=now,
            updated=now,
            estimate=plan.estimate,
        )
        if submission.waits:
            job = replace(job, engine="", webhook=None, state=State.CANCELED, finished=now, cost=0.0, estimate=0.0)
        if submission.fails:
            job = replace(job, state=State.FAILED, failure=submission.fails, finished=now, cost=0.0)
        job = await self.store.add(
            job,
            concurrency=None if job.state.final else plan.share.concurrency,
            daily=plan.share.daily,
            queued=plan.share.queued,
            repeat=repeat,
            hold=None if submission.waits else plan.hold,
            replaces=submission.replaces,
            pending_delivery=self.pending_delivery if submission.fails else None,
        )
        if submission.fails:
            self.ended(job)
        elif not submission.waits:
            self.signals.filed(job)
        if self.told:
            self.told(id)
        return job

    async def continued(self, wire: Wire, submission: Submission, owner: str) -> tuple[Job | None, Submission]:
        """The earlier job that a submission names, and what it comes to with that job and the files of others.

        Raises Problem for a job that is not the caller's, or has nothing to go on from.
        """
        parent = None if submission.parent is None else await self.earlier(wire, submission.parent, owner)
        if submission.follow and parent:
            followed = submission.follow(parent)
            notes, webhook = submission.notes + followed.notes, submission.webhook or followed.webhook
            submission = replace(followed, notes=notes, webhook=webhook)
        return parent, replace(submission, generation=await self.followed(wire, submission.generation, owner))

    async def earlier(self, wire: Wire, public: str, owner: str, *, field: str = "id") -> Job:
        """A caller's job of this wire that another one goes on from. Raises Problem(NOT_FOUND)."""
        id = wire.job_id(public)
        job = None if id is None else await self.store.get(id)
        if job is None or job.wire != wire.name or job.owner != owner:
            raise Problem(Kind.NOT_FOUND, f"There is no task {public!r}.", field=field)
        return job

    async def followed(self, wire: Wire, asked: Generation, owner: str) -> Generation:
        """With the files of earlier jobs in the place of their ids. Raises Problem for a job without one."""
        if not any(each.output_of for each in asked.inputs):
            return asked
        return replace(asked, inputs=tuple([await self._followed(wire, each, owner) for each in asked.inputs]))

    async def _followed(self, wire: Wire, each: Input, owner: str) -> Input:
        if each.output_of is None:
            return each
        job = await self.earlier(wire, each.output_of, owner, field=each.field)
        if not job.state.final:
            message = f"Task {each.output_of} is {job.state} yet; it can be used when it has succeeded."
            raise Problem(Kind.CONFLICT, message, field=each.field)
        kinds = kinds_of(each.role)
        files = [output for output in job.outputs if output.asset and output.media_type.partition("/")[0] in kinds]
        if each.output >= len(files):
            what = f"{len(files)} files that are {' or '.join(kinds)}"
            message = f"Task {each.output_of} {job.state} and has {what}; none is there to go on from."
            raise Problem(Kind.INVALID, message, field=each.field)
        file = files[each.output]
        return replace(each, asset=file.asset, media_type=file.media_type, output_of=job.id, made_by=job.engine)

    async def repeated(self, owner: str, repeat: Repeat, *, origin: str = "") -> Job | None:
        """The job that an earlier create of the same key made, as it now stands. Raises Problem(CONFLICT)."""
        job = await self.store.repeated(owner, repeat, now=self.clock())
        return None if job is None else self.linked(job, origin)

    def probes(self, wire: Wire, submission: Submission) -> bool:
        """Whether the inputs of such a request are fetched and checked before a job exists."""
        match self.settings.inputs.probe:
            case "always":
                return True
            case "never":
                return False
            case _:
                return wire.probes_inputs or submission.probes

    # -- reading ---------------------------------------------------------------

    async def show(self, wire: Wire, route: Route, public: str, *, owner: str, origin: str = "") -> Job:
        """The job behind a wire's public id, its outputs with fresh links. Raises Problem(NOT_FOUND)."""
        id = wire.job_id(public)
        job = None if id is None else self.store.hot(id) or await self.store.get(id)
        if job is None and isinstance(route, Read) and (named := route.named):
            page = Page(size=1, keep=lambda each: named(each, public))
            [*_, job] = None, *await self.filtered(wire, route, page, owner=owner, offset=0, wanted=1)
        if job is None or not visible(job, wire, route, owner):
            there = read_path(job, wire) if job is not None and job.owner == owner else None
            told = (
                f"There is no task {public!r} here; it is read at {there}."
                if there
                else f"There is no task {public!r}."
            )
            raise Problem(Kind.NOT_FOUND, told, field="id")
        return self.linked(job, origin)

    async def show_many(
        self, wire: Wire, route: Route, publics: Sequence[str], *, owner: str, origin: str = ""
    ) -> tuple[Job, ...]:
        """Those of several jobs that are there, in the order asked."""
        found: dict[str, Job] = {}
        for public in publics[:MANY]:
            with contextlib.suppress(Problem):
                found[public] = await self.show(wire, route, public, owner=owner, origin=origin)
        names = [public for public in publics[:MANY] if public not in found]
        if names and isinstance(route, ReadMany) and (named := route.named):
            page = Page(keep=lambda job: any(named(job, name) for name in names))
            for job in await self.filtered(wire, route, page, owner=owner, offset=0, wanted=len(names)):
                found |= {name: self.linked(job, origin) for name in names if name not in found and named(job, name)}
        return tuple(found[public] for public in publics[:MANY] if public in found)

    async def ended_within(self, job: Job, seconds: float, *, origin: str = "") -> Job:
        """The job when it has ended, or as it stands after so many seconds; it goes on in any case."""
        latest = job
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                async for each in self.watch(job.id):
                    latest = each
                    if self.signals.draining:
                        break
        return self.linked(latest, origin)

    async def list(self, wire: Wire, route: Route, page: Page, *, owner: str, origin: str = "") -> tuple[Job, ...]:
        offset = (page.number - 1) * page.size if page.offset is None else page.offset
        wanted = page.size + page.ahead
        if page.keep is not None:
            jobs = await self.filtered(wire, route, page, owner=owner, offset=offset, wanted=wanted)
        else:
            jobs = await self.store.list(wire=wire.name, owner=owner, route=route.route, limit=wanted, offset=offset)
        return tuple(self.linked(job, origin) for job in jobs)

    async def filtered(
        self, wire: Wire, route: Route, page: Page, *, owner: str, offset: int, wanted: int
    ) -> tuple[Job, ...]:
        """The jobs that a page keeps, among the newest SIFTED of the caller's."""
        keep: Callable[[Job], bool] = page.keep or (lambda _: True)
        since, kept = page.since or 0.0, list[Job]()
        for start in range(0, SIFTED, SIFTED_AT_ONCE):
            jobs = await self.store.list(
                wire=wire.name, owner=owner, route=route.route, limit=SIFTED_AT_ONCE, offset=start
            )
            kept += [job for job in jobs if job.created >= since and keep(job)]
            if len(kept) >= offset + wanted or len(jobs) < SIFTED_AT_ONCE or jobs[-1].created < since:
                break
            await asyncio.sleep(0)  # others want to be answered meanwhile
        return tuple(kept[offset : offset + wanted])

    async def before(self, job: Job) -> int | None:
        """How many older jobs wait for the same engine; None for one that does not wait for an engine.

        Turns go round between owners, so that it may be fewer that come first. Read once a second, for all who ask.
        """
        if job.state is not State.QUEUED or job.throttled:
            return None
        now = time.monotonic()
        since, reading = self._lines.get(job.engine, (now, None))
        if reading is None or now - since > LINE_SECONDS:
            reading = asyncio.create_task(self.store.queued(job.engine))
            self._lines[job.engine] = now, reading
        try:
            return bisect_left(await asyncio.shield(reading), job.id)
        except Problem:  # an answer about a job does not hang on this
            return None

    async def placed(self, job: Job) -> Job:
        """With its place in the queue."""
        ahead = await self.before(job)
        return job if ahead is None else replace(job, ahead=ahead)

    def linked(self, job: Job, origin: str, seconds: float | None = None) -> Job:
        """The job with a signed, expiring link on each output that is a file."""
        if not job.outputs:
            return job
        base = self.settings.server.public_url or origin or job.origin
        life = self.settings.files.link_seconds if seconds is None else seconds

        def link(output: Output) -> Output:
            if not output.asset:
                return output
            url = self.assets.link(output.asset, base=base, seconds=life, now=self.clock())
            return replace(output, url=url)

        return replace(job, outputs=tuple(link(output) for output in job.outputs))

    def pending_delivery(self, job: Job) -> Delivery | None:
        """The webhook message that a change of this job owes; the store writes both in one transaction."""
        if job.webhook is None:  # asked first: the command line's jobs come by no wire of the table
            return None
        render = self.wires[job.wire].render_webhook
        if render is None or (job.events and job.state not in job.events):
            return None
        body = render(self.linked(job, "", self.settings.files.webhook_link_seconds))
        if body is None:
            return None
        return Delivery(
            id=f"msg_{uuid_utils.uuid7().hex}", job=job.id, url=job.webhook, event=job.state.value, body=body
        )

    # -- ending ---------------------------------------------------------------

    async def cancel(self, id: str) -> Job | None:
        """Cancel an unfinished job; None when there was nothing to cancel."""
        job = await self.store.cancel(id, now=self.clock(), pending_delivery=self.pending_delivery)
        if job is not None:
            self.signals.unwanted(job)
            self.ended(job)
            self.changed(id)
        return job

    def ended(self, job: Job) -> None:
        """Count a job that has just ended, and wake the deliverer if somebody is to be told."""
        state, model = job.state.value, self.catalog.counted(job.generation.model)
        self.endings.add((state, job.wire, model, job.engine))
        self.lives.add((state, model, job.engine), (job.finished or job.created) - job.created)
        if job.cost:
            self.spent.add((job.engine, model), job.cost)
        if job.webhook:
            self.signals.delivery_pending()
        if job.outputs and self.illustrate:
            self.illustrate(job)

    async def stop(self, wire: Wire, route: Stop, public: str, *, owner: str) -> Job:
        """Cancel a job in the way that its wire has. Raises Problem(CONFLICT) for one that cannot be stopped now."""
        job = await self.show(wire, route, public, owner=owner)
        if not route.keeps:
            if job.id not in self.kept:
                await self.cancel(job.id)
                await self.store.delete(job.id)
            return job
        stoppable = job.state is State.QUEUED or (route.running and job.state is State.RUNNING)
        canceled = await self.cancel(job.id) if stoppable and job.id not in self.kept else None
        if canceled is not None:
            return canceled
        job = await self.show(wire, route, public, owner=owner)
        if route.ended_is_fine and job.state.final:
            return job
        message = f"Task {public} cannot be canceled any more: it is {job.state}."
        raise Problem(Kind.CONFLICT, message, field="id")

    # -- what vendors call ------------------------------------------------------

    def callback_url(self, id: str) -> str | None:
        """Where a vendor may tell that there is news of a job; None where none can reach us."""
        base = self.settings.server.public_url
        return f"{base.rstrip('/')}/callbacks/{callback_token(self.assets.secret, id)}" if base else None

    def called_job(self, token: str) -> str | None:
        """The job that such a URL ends in the token of; None for anything else."""
        return called_job(self.assets.secret, token)

    async def called_back(self, id: str, request: HttpRequest) -> None:
        """A vendor says that there is news of a job: ask it now. What else it says is not believed, but for the name of
        the task where the answer that should have told it was lost: only that vendor knows the URL."""
        now = self.clock()
        if await self.store.hasten(id, now=now):
            self.signals.watched()
            return
        job = await self.store.get(id)
        for dispatch in await self.store.dispatches(id):
            relay = self.relays.get(dispatch.account)
            if job is None or dispatch.sent is not Sent.UNKNOWN or relay is None:
                continue
            if handle := relay.called(job.generation, request):
                due, deadline = now, now + self.settings.relay.late_seconds
                with contextlib.suppress(Problem):  # the task is another job's
                    await self.store.accept(
                        id, number=dispatch.number, handle=handle, status="", due=due, deadline=deadline, now=now
                    )
                    log.info("lost_submission_found", job=id, account=dispatch.account)
                self.signals.watched()

    # -- waiting ---------------------------------------------------------------

    def changed(self, id: str) -> None:
        """Wake whoever waits for this job."""
        if self.told:
            self.told(id)
        for event in self._watchers.get(id, ()):
            event.set()

    @property
    def watched_jobs(self) -> tuple[str, ...]:
        """Those that somebody waits for."""
        return tuple(self._watchers)

    async def watch(self, id: str, *, poll_seconds: float = 1.0) -> AsyncIterator[Job]:
        """The job, then the job again at each change that this process sees, until it is final."""
        event = asyncio.Event()
        self._watchers.setdefault(id, set()).add(event)
        try:
            while (job := await self.store.get(id)) is not None:
                yield job
                if job.state.final:
                    return
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(poll_seconds):
                        await event.wait()
                event.clear()
        finally:
            self._watchers[id].discard(event)
            if not self._watchers[id]:
                del self._watchers[id]

    # -- uploads ---------------------------------------------------------------

    async def open_uploads(
        self, wire: Wire, wishes: tuple[UploadWish, ...], *, owner: str, origin: str
    ) -> tuple[Upload, ...]:
        """Open a slot for each file, with a signed URL that takes the bytes once."""
        uploads = tuple(self.slot(wire, wish, owner) for wish in wishes)
        await self.store.add_uploads(uploads)
        return tuple(self.linked_upload(each, origin) for each in uploads)

    def slot(self, wire: Wire, wish: UploadWish, owner: str) -> Upload:
        now = self.clock()
        return Upload(
            id=str(uuid_utils.uuid7()),
            wire=wire.name,
            owner=owner,
            media_type=wish.media_type,
            name=wish.name,
            min_bytes=wish.min_bytes,
            max_bytes=wish.max_bytes,
            created=now,
            slot_expires=now + wish.slot_seconds,
            expires=now + wish.keep_seconds,
        )

    async def list_uploads(self, wire: Wire, *, owner: str, origin: str, limit: int = 100) -> tuple[Upload, ...]:
        uploads = await self.store.uploads(wire=wire.name, owner=owner, limit=limit)
        return tuple(self.linked_upload(each, origin) for each in uploads)

    async def take_file(self, wire: Wire, wish: UploadWish, file: FormFile, *, owner: str, origin: str) -> Upload:
        """Keep a file that came with its request: an upload that has its bytes already."""
        found = await asyncio.to_thread(sniff, file.path)
        asset = await self.assets.put(file.path, found or ANY_FILE)
        upload = replace(
            self.slot(wire, wish, owner), asset=asset, bytes=file.bytes, media_type=found or wish.media_type
        )
        await self.store.add_uploads((upload,))
        return self.linked_upload(upload, origin)

    async def file(self, wire: Wire, public: str, *, owner: str, origin: str) -> Upload:
        """A file that the caller sent ahead. Raises Problem(NOT_FOUND)."""
        id = wire.file_id(public)
        upload = None if id is None else await self.store.upload(id)
        if upload is None or upload.wire != wire.name or upload.owner != owner or upload.expires <= self.clock():
            raise Problem(Kind.NOT_FOUND, f"There is no file {public!r}.", field="id")
        return self.linked_upload(upload, origin)

    async def drop_file(self, wire: Wire, public: str, *, owner: str) -> Upload:
        """Forget a file that the caller sent ahead; jobs that use it keep it."""
        upload = await self.file(wire, public, owner=owner, origin="")
        await self.store.expire_upload(upload.id, self.clock())
        return upload

    def linked_upload(self, upload: Upload, origin: str) -> Upload:
        base = self.settings.server.public_url or origin
        now = self.clock()
        slot_expires = int(upload.slot_expires)
        signature = self.assets.sign(upload_path(upload.id), slot_expires)
        asset_seconds = min(self.settings.files.link_seconds, max(upload.expires - now, 0.0))
        return replace(
            upload,
            put_url=f"{base}{upload_path(upload.id)}?exp={slot_expires}&sig={signature}",
            policy=signature,
            asset_url=self.assets.link(
                upload_name(upload.id, upload.media_type), base=base, seconds=asset_seconds, now=now
            ),
            asset_url_expires=now + asset_seconds,
        )

    # -- accounts ---------------------------------------------------------------

    async def account(self, owner: str, rights: Rights = ALL_RIGHTS) -> CallerAccount:
        """What this caller may do and has done: limits and counts by model."""
        now = self.clock()
        made = await self.store.made_since(owner, now - DAY)
        days = await self.spent_by_day(owner, since=now - 30 * DAY, until=now)
        shares = {name: share_of(rights, model, self.settings.limits) for name, model in self.catalog.models.items()}
        models = {
            name: ModelAccount(max_concurrent=share.concurrency, max_daily=share.daily, made_today=made.get(name, 0))
            for name, share in shares.items()
        }
        spent = sum(credits for of_day in days.values() for credits in of_day.values())
        if rights.budget is None:
            return CallerAccount(models=models, spent=spent)
        balance = await self.store.balance(owner, period=rights.budget_period, now=now)
        left = max(rights.budget - balance.charged - balance.reserved, 0.0)
        return CallerAccount(models=models, spent=spent, budget=rights.budget, period=rights.budget_period, left=left)

    async def usage(self, period: Period, *, owner: str) -> Usage:
        """Credits by day (UTC) and model; every day of the period is present. Raises Problem(INVALID)."""
        start, before = days_of(period, today=datetime.fromtimestamp(self.clock(), UTC).date())
        days: dict[str, dict[str, float]] = {
            (start + timedelta(days=n)).isoformat(): {} for n in range((before - start).days)
        }
        spent = await self.spent_by_day(owner, since=midnight(start), until=midnight(before))
        return Usage(days=days | {day: of_day for day, of_day in spent.items() if day in days})

    async def spent_by_day(self, owner: str, *, since: float, until: float) -> dict[str, dict[str, float]]:
        """Credits by day (UTC) and model: by the day of the charge, and on an open server, which charges nobody, by the
        day on which a job ended."""
        days: dict[str, dict[str, float]] = {}
        for row in await self.store.spending(since=since, until=until, owner=owner):
            of_day = days.setdefault(row.day, {})
            of_day[row.model] = of_day.get(row.model, 0.0) + row.credits
        return days


def visible(job: Job, wire: Wire, route: Route, owner: str) -> bool:
    """Whether a caller may see this job by this route: theirs, or asked for without a key where the id is enough, and
    made by the route's own path."""
    theirs = job.owner == owner or (not owner and isinstance(route, Read) and route.keyless)
    return job.wire == wire.name and theirs and (not route.route or job.route == route.route)


def read_path(job: Job, wire: Wire) -> str | None:
    """Where this wire shows a job; None for those of others."""
    shows = (each.path for each in wire.routes if isinstance(each, Read) and each.route in ("", job.route))
    path = next(shows, None) if job.wire == wire.name else None
    return path and path.replace("{id}", wire.public_id(job.id))


def days_of(period: Period, *, today: date) -> tuple[date, date]:
    """The first day and the one after the last. The calendar ends with the year 9999."""
    start = date.fromisoformat(period.start) if period.start else today - USUAL_PERIOD
    last = start + min(USUAL_PERIOD, date.max - start)
    before = date.fromisoformat(period.before) if period.before else last
    if before - start > LONGEST_PERIOD:
        told = "" if period.start else f", which is {start} where nothing else is said"
        raise Problem(
            Kind.INVALID,
            f"The period may have at most {LONGEST_PERIOD.days} days; it began with {start}{told}.",
            field="beforeDate",
        )
    return start, before


def midnight(day: date) -> float:
    return datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()


def shortened(body: bytes) -> bytes:
    """The body as it was sent; in a large one, long texts (inline files) are replaced by their digest."""
    if len(body) <= BODY_KEPT:
        return body

    def digest(match: re.Match[bytes]) -> bytes:
        text = match[0][1:-1]
        mark = f"…[{len(text)} characters, sha256 {hashlib.sha256(text).hexdigest()}]"
        return b'"' + text[:64] + mark.encode() + b'"'

    return LONG_TEXT.sub(digest, body)[: 2 * BODY_KEPT]


def upload_path(id: str) -> str:
    return f"/uploads/{id}"
