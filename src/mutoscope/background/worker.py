"""Claims jobs and has them made. States, leases, retries and files are looked after here, not in the engines."""

import asyncio
import contextlib
import secrets
import shutil
import socket
import time
from collections.abc import Callable, Collection, Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple, Protocol

import structlog
import uuid_utils
from msgspec.structs import replace

from mutoscope.engines import CutOff, Engine, NotSubmitted, OpenedInput, Outcome, RetryFetch, Submitted
from mutoscope.engines.engine import MADE, outcome_word
from mutoscope.engines.taped import Taped
from mutoscope.files.assets import Assets, in_file_pool
from mutoscope.files.bucket import BucketUnavailable
from mutoscope.files.c2pa import Making, Signer, Unsigned
from mutoscope.files.probe import MediaInfo
from mutoscope.model.config import Relay as RelaySettings
from mutoscope.model.config import Worker as WorkerSettings
from mutoscope.model.job import Dispatch, Failure, Input, Job, Json, Output, Sent, State
from mutoscope.model.problem import Kind, Problem, Unavailable, as_unavailable
from mutoscope.service.gateway import Gateway
from mutoscope.service.planning import with_defaults_and_seed, without_drawn_seed
from mutoscope.store import Dispatches, Jobs, Leases
from mutoscope.telemetry.tracing import Facts, span

log = structlog.get_logger(__name__)

POLL_SECONDS = 1.0  # how long a job queued by another process may go unnoticed
HINDERED_SECONDS = 5.0  # how long to wait where the disk is full, or the like, before a job is tried again
PATIENCE_SECONDS = 3600.0  # how long that may go on
PROGRESS_SECONDS = 0.5  # how often news of progress is written
WORDS = "text/plain"
CLEARED_SECONDS = 3600.0  # how often what copies left is looked through
AGAIN_SECONDS = (1.0, 10.0)  # before a job that was cut off is taken up again: the first time, and the longest
RETRY_FETCH_SECONDS = 60.0  # before what a vendor made is fetched again after a fault of ours
UNEXPECTED = "The server met an unexpected error while making this; its log has the details."


class Ending(NamedTuple):
    """How a job ends."""

    state: State
    outputs: tuple[Output, ...] = ()
    failure: Failure | None = None
    was_made: bool = False  # a vendor made it, whatever became of it here


Conclusion = Ending | Submitted | RetryFetch | NotSubmitted | CutOff
"""What comes of an attempt."""


class WorkerStore(Jobs, Leases, Dispatches, Protocol):
    """What a worker needs of the store."""


class Worker:
    def __init__(
        self,
        *,
        gateway: Gateway,
        engines: Mapping[str, Engine],
        settings: WorkerSettings,
        relay: RelaySettings | None = None,
        scratch: Path,
        landings: Path,
        signer: Signer | None = None,
        taped: Taped | None = None,
        name: str = "",
        hindered: Callable[[], bool] = lambda: False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`hindered`: whether no jobs may be claimed now. `taped` records what is made here, or plays it."""
        self.hindered, self.taped = hindered, taped
        self.gateway, self.engines, self.settings = gateway, engines, settings
        self.relay = relay or RelaySettings()
        self.scratch, self.landings, self.signer, self.clock = scratch, landings, signer, clock
        self.store: WorkerStore = gateway.store
        self.signals = gateway.signals
        self.name = name or new_name()
        self.runs: dict[str, Run] = {}
        self.stopping = False
        self.looked = time.monotonic()  # when the store was last asked for jobs, with success
        self._heart: asyncio.Task[None] | None = None
        self._claiming_ended = asyncio.Event()
        self._claiming_ended.set()
        self.signals.interrupt = self.interrupt

    async def run(self) -> None:
        """Claim and make until `stop`; a fault of the store is waited out, not fatal."""
        self._heart = asyncio.create_task(self._beat())  # until `stop` is through: leases and progress go on
        self._claiming_ended.clear()
        swept, cleared = 0.0, -CLEARED_SECONDS
        try:
            while not self.stopping:
                wanted = self.signals.wanted()
                if time.monotonic() - swept >= POLL_SECONDS:  # for what other processes queue, and leases that ran out
                    wanted, swept = set(self.engines), time.monotonic()
                try:
                    if time.monotonic() - cleared >= CLEARED_SECONDS:
                        cleared = time.monotonic()
                        await self._clear_landings()
                    await self.gateway.jumps.look()
                    await self._fill(wanted)
                    self.looked = time.monotonic()
                except Problem as problem:
                    log.error("claim_failed", reason=problem.message)
                except Exception:  # whatever it is, the jobs that come after it are claimed all the same
                    log.exception("claim_broke")
                await self.signals.worker.wait(POLL_SECONDS)
        finally:
            self._claiming_ended.set()

    async def stop(self, grace_seconds: float) -> None:
        """Claim nothing more, give what runs the time to end, release the rest for the next process."""
        self.stopping = True
        self.signals.worker.ring()
        await self._claiming_ended.wait()  # a claim under way may still bring jobs
        tasks = [run.task for run in self.runs.values() if run.task]
        if tasks:
            log.info("finishing", jobs=len(tasks), grace_seconds=grace_seconds)
            await asyncio.wait(tasks, timeout=grace_seconds)
        left = [run for run in self.runs.values() if run.task and not run.task.done()]
        for run in left:
            run.released = True
            if run.task:
                run.task.cancel()
        if left:
            await asyncio.wait([run.task for run in left if run.task], timeout=5)
        if self._heart:
            self._heart.cancel()

    def interrupt(self, id: str) -> None:
        """Stop making this job, if it is being made here: nobody wants it any more."""
        if (run := self.runs.get(id)) and run.task:
            run.canceled = True
            run.task.cancel()

    async def _fill(self, wanted: set[str]) -> None:
        """Claim as many jobs as there are free slots, engine by engine."""
        for name in wanted & self.engines.keys():
            engine = self.engines[name]
            free = engine.slots - sum(run.job.engine == name for run in self.runs.values())
            if free <= 0:
                self.signals.full(name)
            if free <= 0 or self.stopping or self.hindered():
                continue
            jobs = await self.store.claim(
                engine=name,
                worker=self.name,
                lease_seconds=self.settings.lease_seconds,
                limit=free,
                now=self.clock(),
                pending_delivery=self.gateway.pending_delivery,
                made_before=self._made_before(engine),
                held=tuple(self.runs),  # whatever became of their leases, they are being made here
                accepted_only=engine.fetches_only,
            )
            for job in jobs:
                self._start(job, engine)
            if any(job.webhook for job in jobs):
                self.signals.delivery_pending()

    async def _clear_landings(self) -> None:
        """Remove what is left of copies for jobs that have ended meanwhile, or are gone."""
        for name in await asyncio.to_thread(names_in, self.landings):
            job = await self.store.get(name)
            if job is None or job.state.final:
                await asyncio.to_thread(shutil.rmtree, self.landings / name, ignore_errors=True)

    def _made_before(self, engine: Engine) -> float | None:
        """Of the jobs that wait for an account that is left alone, only those are taken whose patience may be over."""
        if not engine.is_left_alone:
            return None
        models = self.gateway.catalog.models.values()
        return self.clock() - min(model.timeout_seconds or self.relay.timeout_seconds for model in models)

    def _start(self, job: Job, engine: Engine) -> None:
        run = Run(job, self)
        self.runs[job.id] = run
        self.gateway.changed(job.id)
        run.task = asyncio.create_task(self._make(run, engine), name=f"job-{job.id}")
        run.task.add_done_callback(lambda _: self._ended(run))

    def _ended(self, run: "Run") -> None:
        self.runs.pop(run.job.id, None)
        if run.task and not run.task.cancelled() and (error := run.task.exception()):
            log.error("run_broke", job=run.job.id, reason=repr(error))  # its lease runs out, and it is made again
        run.tidy()
        self.gateway.changed(run.job.id)
        self.signals.freed(run.job.engine)

    async def _make(self, run: "Run", engine: Engine) -> None:
        """One attempt, and its end in the store."""
        job = run.job
        log.info("job_started", job=job.id, engine=engine.name, model=job.generation.model, attempt=job.attempts)
        waited = round(self.clock() - job.created, 3)
        facts = {"attempt": job.attempts, "since_create_seconds": waited}
        with span(self.gateway.tracing, "run", parent=job.trace, kind="CONSUMER", job=job, **facts) as found:
            await self._make_it(run, engine, found)

    async def _make_it(self, run: "Run", engine: Engine, found: Facts) -> None:
        job = run.job
        try:
            outcome = await self._attempt(run, engine)
            found.add(outcome=outcome.state.value if isinstance(outcome, Ending) else outcome_word(outcome))
            if isinstance(outcome, Ending):
                found.fault = outcome.failure.kind.value if outcome.failure else ""
            await self._conclude(run, engine, outcome)
        except asyncio.CancelledError:
            if run.released:
                await self.store.release(job.id, self.name, self.clock(), counted=False)
                log.info("job_released", job=job.id)
            elif not run.canceled:
                raise
        except Exception:
            if not run.is_accepted:
                raise
            log.exception("conclusion_broke", job=job.id)  # what a vendor makes or made is not given up for it
            await self._retry_fetch(run, RetryFetch(detail=UNEXPECTED, seconds=RETRY_FETCH_SECONDS))
        finally:
            await run.hide()

    async def _conclude(self, run: "Run", engine: Engine, outcome: "Conclusion") -> None:
        job = run.job
        match outcome:
            case Submitted():
                log.info("job_handed_over", job=job.id, account=engine.name)
                self.signals.watched()
            case RetryFetch() as again:
                await self._retry_fetch(run, again)
            case NotSubmitted() as refused:
                await self._elsewhere(run, refused)
            case CutOff() as cut:
                await self._take_up_again(run, cut)
            case Ending() as ending:
                with span(self.gateway.tracing, "settle", state=ending.state.value):
                    await self._settle(run, ending)

    async def _attempt(self, run: "Run", engine: Engine) -> "Conclusion":
        """What comes of one attempt. Nothing that goes wrong here ends a job that a vendor has accepted."""
        job = run.job
        try:
            outcome = await self._retried_while_unavailable(run, engine)
            return Ending(State.SUCCEEDED, outputs=outcome) if isinstance(outcome, tuple) else outcome
        except CutOff as cut:
            if job.attempts < self.settings.max_attempts:
                return cut
            message = f"{cut}; the job was interrupted {job.attempts} times and is given up."
            failure = Failure(kind=Kind.ENGINE_FAILED, message=message)
        except Problem as problem:
            failure = Failure(kind=problem.kind, message=problem.message, field=problem.field)
        except Exception:
            log.exception("engine_broke", job=job.id, engine=engine.name)
            failure = Failure(kind=Kind.INTERNAL, message=UNEXPECTED)
        if run.is_accepted:
            return RetryFetch(detail=failure.message, seconds=RETRY_FETCH_SECONDS)
        if run.dispatch is not None and run.is_open:
            await run.resolve(run.dispatch, Sent.UNKNOWN, failure.message)
            message = f"Nothing tells whether a vendor makes this: {failure.message}"
            failure = Failure(kind=Kind.SUBMISSION_UNKNOWN, message=message)
        return Ending(State.FAILED, failure=failure)

    async def _retried_while_unavailable(self, run: "Run", engine: Engine) -> Outcome:
        """Make it, and where the system hinders that, as a full disk does, try again: the job is not to blame.

        What was sent to a vendor and what it answered is read anew each time, as after a crash.
        """
        since = time.monotonic()
        while True:
            try:
                if engine.remote:
                    run.dispatch = next(iter((await self.store.dispatches(run.job.id))[-1:]), None)
                self._hold_attempts(run)
                return await self._generate(run, engine)
            except Exception as error:
                problem = as_unavailable(error) or (unfinished(error) if run.is_open else None)
                if problem is None:
                    raise
                log.error(
                    "job_hindered", job=run.job.id, reason=problem.message, exc_info=not isinstance(error, Problem)
                )
                if self.stopping:  # the next process tries again
                    run.released = True
                    raise asyncio.CancelledError from error
                if time.monotonic() - since > PATIENCE_SECONDS:
                    raise problem from error
            run.tidy()
            await asyncio.sleep(HINDERED_SECONDS)

    def _hold_attempts(self, run: "Run") -> None:
        """Only attempts that could have made something count: not those that fetch what a vendor has made, nor one that
        finds out what became of a submission, which the ledger is not left without."""
        tries = run.job.attempts - 1
        if tries >= self.settings.max_attempts and not run.is_accepted and not run.is_open:
            raise Problem(Kind.ENGINE_FAILED, f"The job was interrupted {tries} times and is given up.")

    async def _generate(self, run: "Run", engine: Engine) -> Outcome:
        if engine.remote:
            return await engine.generate(run)
        if self.taped and run.recorded:
            wish = without_drawn_seed(run.job.generation, run.job.id)
            return await self.taped.generate(run, wish, partial(self._make_here, run, engine))
        return await self._make_here(run, engine)

    async def _make_here(self, run: "Run", engine: Engine) -> Outcome:
        job = run.job
        model = self.gateway.catalog.get(job.generation.model)
        run.generation = with_defaults_and_seed(job.generation, model, engine, job.id)
        if job.generation.inputs:
            run.inputs = await self.gateway.intake.open(job.generation.inputs, run.scratch)
        return await engine.generate(run)

    async def _take_up_again(self, run: "Run", cut: CutOff) -> None:
        """Queue it once more, after a while: what cut it off may still be at it. The attempt counts."""
        job = run.job
        seconds = min(AGAIN_SECONDS[1], AGAIN_SECONDS[0] * 2 ** (job.attempts - 1))
        log.warning("job_cut_off", job=job.id, reason=str(cut), attempt=job.attempts, next_seconds=seconds)
        await asyncio.sleep(seconds)
        await self.store.release(job.id, self.name, self.clock(), counted=True)

    async def _retry_fetch(self, run: "Run", again: RetryFetch) -> None:
        """What the vendor made could not be fetched: it is asked again, unless that went on for too long."""
        job, now = run.job, self.clock()
        since = run.dispatch.at if run.dispatch else job.created
        if now - since > self.relay.late_seconds:
            message = f"The vendor made this, but it could not be fetched: {again.detail}"
            failure = Failure(kind=Kind.UPSTREAM_FAILED, message=message)
            await self._settle(run, Ending(State.FAILED, failure=failure, was_made=True))
            return
        await self.store.park(job.id, self.name, due=now + again.seconds, detail=again.detail, now=now)
        log.warning("copy_failed", job=job.id, reason=again.detail, next_seconds=round(again.seconds))

    async def _elsewhere(self, run: "Run", refused: NotSubmitted) -> None:
        """Nothing was spent: the next engine of the route takes the job, else it waits, else it fails."""
        job, now, problem = run.job, self.clock(), refused.problem
        model = self.gateway.catalog.get(job.generation.model)
        tried = (*run.checkpointed.get("tried", ()), job.engine)
        if follower := self.gateway.routes.next(job.generation, model, tried, allowed=job.engines):
            await run.checkpoint(tried=tried)
            await self.store.reroute(job.id, self.name, engine=follower.name, detail=problem.message, now=now)
            log.warning("rerouted", job=job.id, before=job.engine, engine=follower.name, reason=problem.message)
            self.signals.wake(follower.name)
            return
        patience = job.created + (model.timeout_seconds or self.relay.timeout_seconds)
        if refused.retry_seconds is None or now + refused.retry_seconds > patience:
            failure = Failure(kind=problem.kind, message=problem.message, field=problem.field)
            await self._settle(run, Ending(State.FAILED, failure=failure))
            return
        if run.checkpointed.get("tried"):
            await run.checkpoint(tried=())  # the next round begins anew
        until = now + refused.retry_seconds
        await self.store.defer(job.id, self.name, until=until, detail=problem.message, now=now)
        log.warning("deferred", job=job.id, engine=job.engine, seconds=round(refused.retry_seconds, 1))

    async def _settle(self, run: "Run", ending: Ending) -> None:
        """Write how it ended. A store that cannot be written is waited for: what was made is not thrown away."""
        job = run.job
        while True:
            try:
                settled = await self.store.settle(
                    job.id,
                    self.name,
                    state=ending.state,
                    outputs=ending.outputs,
                    failure=ending.failure,
                    notes=tuple(run.notes),
                    cost=run.cost_of(ending),
                    now=self.clock(),
                    pending_delivery=self.gateway.pending_delivery,
                )
                break
            except Problem as problem:
                log.error("settle_failed", job=job.id, reason=problem.message)
                if self.stopping:
                    raise
                await asyncio.sleep(POLL_SECONDS)
        run.clear_landing()
        if settled:
            self.gateway.ended(settled)
        happened = "job_ended" if settled else "late_news"
        reason = ending.failure.message if ending.failure else None
        log.info(happened, job=job.id, state=ending.state.value, reason=reason)

    async def _beat(self) -> None:
        """Renew the leases, write progress, and drop runs that are no longer ours."""
        renewed = time.monotonic()
        while True:
            await asyncio.sleep(PROGRESS_SECONDS)
            try:
                await asyncio.gather(*(run.write_progress() for run in list(self.runs.values())))
                if time.monotonic() - renewed >= min(self.settings.lease_seconds / 3, POLL_SECONDS):
                    await self._renew()
                    renewed = time.monotonic()
            except Problem as problem:
                log.error("heartbeat_failed", reason=problem.message)
            except Exception:
                log.exception("heartbeat_broke")

    async def _renew(self) -> None:
        ids = list(self.runs)
        if not ids:
            return
        held = await self.store.renew(
            worker=self.name, lease_seconds=self.settings.lease_seconds, ids=ids, now=self.clock()
        )
        for id in ids:
            if id not in held:
                self.interrupt(id)


class Run:
    """A job being made, as its engine sees it: an EngineRun, and for the relay a VendorRun."""

    def __init__(self, job: Job, worker: Worker) -> None:
        self.job, self._worker = job, worker
        self.generation = job.generation  # with what the engine at work needs to be definite
        self.cost: float | None = None  # as the vendor told it
        self.dispatch: Dispatch | None = None
        self.inputs: tuple[OpenedInput, ...] = ()
        self._scratch: Path | None = None
        self._landing: Path | None = None
        self.notes: list[str] = []
        self.canceled = False
        self.released = False
        self.task: asyncio.Task[None] | None = None
        self._checkpoint: Json = dict(job.checkpoint)
        self._share: float | None = None
        self._written: float | None = None
        self._glimpse: bytes | None = None  # not yet written
        self._has_shown = False

    @property
    def job_id(self) -> str:
        return self.job.id

    @property
    def scratch(self) -> Path:
        """A folder for what is in the making, there from when it is first asked for to the end of the attempt."""
        if self._scratch is None:
            folder = self._worker.scratch / f"run-{self.job.id}"
            folder.mkdir(parents=True, exist_ok=True)
            self._scratch = folder
        return self._scratch

    def tidy(self) -> None:
        if self._scratch is not None:
            shutil.rmtree(self._scratch, ignore_errors=True)
            self._scratch = None

    @property
    def landing(self) -> Path:
        """A folder for what is being copied, there until the job ends."""
        if self._landing is None:
            folder = self._worker.landings / self.job.id
            folder.mkdir(parents=True, exist_ok=True)
            self._landing = folder
        return self._landing

    def clear_landing(self) -> None:
        if self._landing is not None:
            shutil.rmtree(self._landing, ignore_errors=True)
            self._landing = None

    @property
    def checkpointed(self) -> Json:
        return self._checkpoint

    async def was_canceled(self) -> bool:
        """Whether somebody canceled the job; else this run only lost it."""
        job = await self._worker.store.get(self.job.id)
        return job is not None and job.state is State.CANCELED

    @property
    def recorded(self) -> bool:
        return self._worker.gateway.settings.cassettes.covers(self.job.owner)

    @property
    def assets(self) -> Assets:
        return self._worker.gateway.assets

    @property
    def callback(self) -> str | None:
        return self._worker.gateway.callback_url(self.job.id) if self._worker.relay.callbacks else None

    def progress(self, share: float) -> None:
        self._share = min(max(share, 0.0), 1.0)

    def show(self, picture: bytes) -> None:
        self._glimpse = picture

    async def hide(self) -> None:
        """The attempt is over, and with it what was shown of it."""
        self._glimpse = None
        if self._has_shown:
            with contextlib.suppress(Problem):  # it goes with the job, then
                await self._worker.store.hide(self.job.id)

    def note(self, text: str) -> None:
        self.notes.append(text)

    async def write_progress(self) -> None:
        if self._glimpse is not None:
            picture, self._glimpse, self._has_shown = self._glimpse, None, True
            await self._worker.store.show(self.job.id, self._worker.name, picture)
            self._worker.gateway.changed(self.job.id)
        if self._share is not None and self._share != self._written:
            self._written = self._share
            await self._worker.store.progress(self.job.id, self._worker.name, self._share)
            self._worker.gateway.changed(self.job.id)

    async def checkpoint(self, **facts: object) -> None:
        self._checkpoint = {**self._checkpoint, **facts}
        if not await self._worker.store.checkpoint(self.job.id, self._worker.name, self._checkpoint):
            raise asyncio.CancelledError  # the job is no longer ours

    async def keep(
        self,
        source: Path | bytes,
        *,
        media_type: str,
        width: int | None = None,
        height: int | None = None,
        seconds: float | None = None,
        frames: int | None = None,
        made: Making | bool = True,
    ) -> Output:
        if made is not False:
            source = await self._signed(source, media_type, Making() if made is True else made)
        size = len(source) if isinstance(source, bytes) else source.stat().st_size
        asset = await self._put(source, media_type)
        return Output(
            id=str(uuid_utils.uuid7()),
            media_type=media_type,
            asset=asset,
            bytes=size,
            width=width,
            height=height,
            seconds=seconds,
            frames=frames,
        )

    async def _put(self, source: Path | bytes, media_type: str) -> str:
        """A bucket that cannot be used is waited for: what was made is not made again for it."""
        since = time.monotonic()
        while True:
            try:
                return await self.assets.put(source, media_type)
            except BucketUnavailable as problem:
                log.error("job_hindered", job=self.job.id, reason=problem.message)
                if self._worker.stopping:
                    self.released = True
                    raise asyncio.CancelledError from problem
                if time.monotonic() - since > PATIENCE_SECONDS:
                    raise
            await asyncio.sleep(HINDERED_SECONDS)

    def say(self, text: str) -> Output:
        return Output(id=str(uuid_utils.uuid7()), media_type=WORDS, text=text)

    async def _signed(self, source: Path | bytes, media_type: str, making: Making) -> Path | bytes:
        """The file with its credentials; as it is, and said so, where that fails."""
        signer = self._worker.signer
        if signer is None:
            return source
        try:
            signed = await in_file_pool(signer.sign, source, media_type, making, engine=self.job.engine)
        except Unsigned as reason:
            log.warning("unsigned", job=self.job.id, media_type=media_type, reason=repr(reason.__cause__ or reason))
            self.note(f"no content credentials: {reason}")
            return source
        if isinstance(source, Path):
            source.unlink()
        return signed

    # -- for engines that spend money elsewhere ------------------------------------------

    async def open(self, each: Input) -> OpenedInput:
        [opened] = await self._worker.gateway.intake.open((each,), self.scratch)
        return opened

    async def probe(self, path: Path) -> MediaInfo:
        return await self._worker.gateway.intake.prober.probe(path, drawings=True)

    def public_link(self, each: Input) -> str | None:
        gateway = self._worker.gateway
        base = gateway.settings.server.public_url
        if not base or not each.asset:
            return None
        seconds = self._worker.relay.late_seconds
        return self.assets.link(each.asset, base=base, seconds=seconds, now=self._worker.clock())

    async def intend(self, account: str, reference: str, *, alone: bool) -> Dispatch:
        worker = self._worker
        dispatch = await worker.store.intend(
            self.job.id, worker.name, account=account, reference=reference, now=worker.clock(), alone=alone
        )
        if dispatch is None:
            raise asyncio.CancelledError  # the job is no longer ours
        self.dispatch = dispatch
        return dispatch

    @property
    def is_open(self) -> bool:
        """Whether something was sent, or about to be, and the answer is not known."""
        return self.dispatch is not None and self.dispatch.sent is Sent.INTENDED

    @property
    def is_accepted(self) -> bool:
        """Whether a vendor makes it or made it: then only its word, or the operator's patience, ends the job."""
        return bool(self._checkpoint.get("links") or self._checkpoint.get("texts")) or (
            self.dispatch is not None and self.dispatch.sent is Sent.ACCEPTED
        )

    async def accept(self, dispatch: Dispatch, handle: Json, status: str) -> None:
        worker = self._worker
        model = worker.gateway.catalog.get(self.job.generation.model)
        now = worker.clock()
        wanted = await worker.store.accept(
            self.job.id,
            number=dispatch.number,
            handle=handle,
            status=status,
            due=now if MADE in handle else now + worker.relay.first_poll_seconds,
            deadline=now + (model.timeout_seconds or worker.relay.timeout_seconds),
            now=now,
        )
        self.dispatch = replace(dispatch, sent=Sent.ACCEPTED)
        if not wanted:
            worker.signals.watched()  # it has ended meanwhile: the vendor is told at once

    async def earlier(self, job: str, account: str) -> Json | None:
        accepted = [each for each in await self._worker.store.dispatches(job) if each.sent is Sent.ACCEPTED]
        return next((each.handle for each in reversed(accepted) if each.account == account), None)

    async def resolve(self, dispatch: Dispatch, sent: Sent, detail: str) -> None:
        worker = self._worker
        await worker.store.resolve(self.job.id, number=dispatch.number, sent=sent, detail=detail, now=worker.clock())
        self.dispatch = replace(dispatch, sent=sent)

    async def unresolved(self, account: str) -> int:
        return await self._worker.store.unresolved(account)

    async def left_open(self, account: str, *, before: float) -> "list[Run | None]":
        worker, found = self._worker, list[Run | None]()
        for dispatch in await worker.store.left_open(account, before=before):
            if dispatch.job in worker.runs:  # it was canceled a moment ago, and is being found out
                continue
            if job := await worker.store.get(dispatch.job):
                run = Run(job, worker)
                run.dispatch = dispatch
                found.append(run)
            else:
                detail, now = "the job was removed before the answer came", worker.clock()
                await worker.store.resolve(
                    dispatch.job, number=dispatch.number, sent=Sent.UNKNOWN, detail=detail, now=now
                )
                found.append(None)
        return found

    async def ours(self, account: str, ids: Collection[str]) -> set[str]:
        return await self._worker.store.dispatched_ids(account, ids)

    async def add_event(self, what: str, detail: str = "") -> None:
        worker = self._worker
        await worker.store.add_event(self.job.id, what, account=self.job.engine, detail=detail, now=worker.clock())

    def charge(self, credits: float) -> None:
        self.cost = credits

    def cost_of(self, ending: Ending) -> float:
        """What fails is not charged, unless the vendor made it."""
        if ending.state is not State.SUCCEEDED and not ending.was_made:
            return 0.0
        return self._worker.gateway.prices.cost_of(self.job, ending.outputs) if self.cost is None else self.cost


def new_name() -> str:
    """Of a process: no other has it, now or later."""
    return f"{socket.gethostname()}-{secrets.token_hex(4)}"


def names_in(folder: Path) -> list[str]:
    return [each.name for each in folder.iterdir()] if folder.is_dir() else []


def unfinished(error: Exception) -> Unavailable | None:
    """What is told of a fault of ours between a request that costs money and its answer: nothing is known by it, and it
    is found out as after a crash. None for a problem that somebody has thought about."""
    return None if isinstance(error, Problem) else Unavailable(UNEXPECTED)
