"""Claims jobs and has them made. States, leases, retries and files are looked after here, not in the engines."""

import asyncio
import contextlib
import secrets
import shutil
import socket
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import structlog
import uuid_utils

from mutoscope.assets import Assets
from mutoscope.config import Worker as WorkerSettings
from mutoscope.credentials import Making, Signer, Unsigned
from mutoscope.engines import Engine, OpenedInput
from mutoscope.gateway import Gateway
from mutoscope.job import Failure, Generation, Job, Json, Output, State
from mutoscope.problem import Kind, Problem
from mutoscope.store import Store

log = structlog.get_logger(__name__)

POLL_SECONDS = 1.0  # how long a job queued by another process may go unnoticed
PROGRESS_SECONDS = 0.5  # how often news of progress is written


class Ending(NamedTuple):
    """How an attempt came out."""

    state: State
    outputs: tuple[Output, ...] = ()
    failure: Failure | None = None


class Worker:
    def __init__(
        self,
        *,
        gateway: Gateway,
        engines: Mapping[str, Engine],
        settings: WorkerSettings,
        scratch: Path,
        signer: Signer | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.gateway, self.engines, self.settings = gateway, engines, settings
        self.scratch, self.signer, self.clock = scratch, signer, clock
        self.store: Store = gateway.store
        self.name = f"{socket.gethostname()}-{secrets.token_hex(4)}"
        self.runs: dict[str, Run] = {}
        self.stopping = False
        self._heart: asyncio.Task[None] | None = None
        self._claiming_ended = asyncio.Event()
        self._claiming_ended.set()
        gateway.interrupt = self.interrupt

    async def run(self) -> None:
        """Claim and make until `stop`; a fault of the store is waited out, not fatal."""
        self._heart = asyncio.create_task(self._beat())  # until `stop` is through: leases and progress go on
        self._claiming_ended.clear()
        swept = 0.0
        try:
            while not self.stopping:
                wanted, self.gateway.wanted = self.gateway.wanted, set()
                if time.monotonic() - swept >= POLL_SECONDS:  # for what other processes queue, and leases that ran out
                    wanted, swept = set(self.engines), time.monotonic()
                try:
                    await self._fill(wanted)
                except Problem as problem:
                    log.error("claim_failed", reason=problem.message)
                except Exception:  # whatever it is, the jobs that come after it are claimed all the same
                    log.exception("claim_broke")
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self.gateway.new_job.wait(), POLL_SECONDS)
                self.gateway.new_job.clear()
        finally:
            self._claiming_ended.set()

    async def stop(self, grace_seconds: float) -> None:
        """Claim nothing more, give what runs the time to end, release the rest for the next process."""
        self.stopping = True
        self.gateway.new_job.set()
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
                self.gateway.busy.add(name)
            if free <= 0 or self.stopping:
                continue
            jobs = await self.store.claim(
                engine=name,
                worker=self.name,
                lease_seconds=self.settings.lease_seconds,
                limit=free,
                now=self.clock(),
                owed=self.gateway.owed,
            )
            for job in jobs:
                if job.id not in self.runs:  # else its lease ran out here, and is ours again: it goes on
                    self._start(job, engine)
            if any(job.webhook for job in jobs):
                self.gateway.new_delivery.set()

    def _start(self, job: Job, engine: Engine) -> None:
        run = Run(job, self)
        self.runs[job.id] = run
        self.gateway.changed(job.id)
        run.task = asyncio.create_task(self._make(run, engine), name=f"job-{job.id}")
        run.task.add_done_callback(lambda _: self._ended(run))

    def _ended(self, run: "Run") -> None:
        self.runs.pop(run.job.id, None)
        self.gateway.busy.discard(run.job.engine)
        if run.task and not run.task.cancelled() and (error := run.task.exception()):
            log.error("run_broke", job=run.job.id, reason=repr(error))  # its lease runs out, and it is made again
        shutil.rmtree(run.scratch, ignore_errors=True)
        self.gateway.changed(run.job.id)
        self.gateway.want(run.job.engine)
        self.gateway.new_delivery.set()

    async def _make(self, run: "Run", engine: Engine) -> None:
        """One attempt, and its end in the store."""
        job = run.job
        log.info("job_started", job=job.id, engine=engine.name, model=job.generation.model, attempt=job.attempts)
        try:
            ending = await self._attempt(run, engine)
            await self._settle(run, ending)
        except asyncio.CancelledError:
            if run.released:
                await self.store.release(job.id, self.name, self.clock(), counted=False)
                log.info("job_released", job=job.id)
            elif not run.canceled:
                raise

    async def _attempt(self, run: "Run", engine: Engine) -> Ending:
        job = run.job
        try:
            if job.attempts > self.settings.max_attempts:
                tries = job.attempts - 1
                raise Problem(Kind.ENGINE_FAILED, f"The job was interrupted {tries} times and is given up.")
            run.scratch.mkdir(parents=True, exist_ok=True)
            run.inputs = await self.gateway.intake.open(job.generation.inputs, run.scratch)
            return Ending(State.SUCCEEDED, outputs=await engine.generate(run))
        except Problem as problem:
            failure = Failure(kind=problem.kind, message=problem.message, field=problem.field)
        except Exception:
            log.exception("engine_broke", job=job.id, engine=engine.name)
            message = "The server met an unexpected error while making this; its log has the details."
            failure = Failure(kind=Kind.INTERNAL, message=message)
        return Ending(State.FAILED, failure=failure)

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
                    cost=job.estimate if ending.state is State.SUCCEEDED else 0.0,
                    now=self.clock(),
                    owed=self.gateway.owed,
                )
                break
            except Problem as problem:
                log.error("settle_failed", job=job.id, reason=problem.message)
                if self.stopping:
                    raise
                await asyncio.sleep(POLL_SECONDS)
        happened = "job_ended" if settled else "late_news"
        reason = ending.failure.message if ending.failure else None
        log.info(happened, job=job.id, state=ending.state.value, reason=reason)

    async def _beat(self) -> None:
        """Renew the leases, write progress, and drop runs that are no longer ours."""
        renewed = self.clock()
        while True:
            await asyncio.sleep(PROGRESS_SECONDS)
            try:
                await asyncio.gather(*(run.write_progress() for run in list(self.runs.values())))
                if self.clock() - renewed >= min(self.settings.lease_seconds / 3, POLL_SECONDS):
                    await self._renew()
                    renewed = self.clock()
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
    """A job being made, as its engine sees it (an EngineRun)."""

    def __init__(self, job: Job, worker: Worker) -> None:
        self.job, self._worker = job, worker
        self.inputs: tuple[OpenedInput, ...] = ()
        self.scratch = worker.scratch / f"run-{job.id}"
        self.notes: list[str] = []
        self.canceled = False
        self.released = False
        self.task: asyncio.Task[None] | None = None
        self._checkpoint: Json = dict(job.checkpoint)
        self._share: float | None = None
        self._written: float | None = None

    @property
    def job_id(self) -> str:
        return self.job.id

    @property
    def generation(self) -> Generation:
        return self.job.generation

    @property
    def checkpointed(self) -> Json:
        return self._checkpoint

    @property
    def assets(self) -> Assets:
        return self._worker.gateway.assets

    def progress(self, share: float) -> None:
        self._share = min(max(share, 0.0), 1.0)

    def note(self, text: str) -> None:
        self.notes.append(text)

    async def write_progress(self) -> None:
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
        asset = await self.assets.put(source, media_type)
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

    async def _signed(self, source: Path | bytes, media_type: str, making: Making) -> Path | bytes:
        """The file with its credentials; as it is, and said so, where that fails."""
        signer = self._worker.signer
        if signer is None:
            return source
        try:
            signed = await asyncio.to_thread(signer.sign, source, media_type, making, engine=self.job.engine)
        except Unsigned as reason:
            log.warning("unsigned", job=self.job.id, media_type=media_type, reason=repr(reason.__cause__ or reason))
            self.note(f"no content credentials: {reason}")
            return source
        if isinstance(source, Path):
            source.unlink()
        return signed
