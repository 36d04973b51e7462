"""Asks vendors about the jobs that they are making: one schedule for all, kept in the store.

A watch says when its job is asked about next. Taking a watch makes it due again, so that a process that dies loses
nothing; between polls a job costs neither memory nor a task.
"""

import asyncio
import random
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol

import msgspec
import structlog
from msgspec.structs import replace

from mutoscope.engines.relay import Relay
from mutoscope.model.config import Relay as RelaySettings
from mutoscope.model.job import Failure, Json, Mode, State, Update, Watch
from mutoscope.model.problem import Kind, Problem
from mutoscope.service.gateway import Gateway
from mutoscope.service.jumps import JUMP_SECONDS
from mutoscope.store import Dispatches, Jobs, Ledger
from mutoscope.telemetry.tracing import described

log = structlog.get_logger(__name__)

GROWTH = 1.3  # of the time between two polls of a job, from one to the next
JITTER = 0.1  # a share of it, so that jobs that began together are not asked about together
LATE_POLLS = 20.0  # how much less often a vendor is asked about a job that has ended here
CALLBACK_POLLS = 4.0  # how much less often where the vendor calls us
FORGIVEN_SECONDS = 120.0  # a vendor may say for so long that it does not know its own task, as a proxy before it may
TOGETHER = 100  # watches that are asked about in one task, where the vendor can tell of many at once
SHARED_SECONDS = 0.2  # the least between two looks where what is due may be another process's
IDLE_SECONDS = 1.0  # how long what another process did may go unnoticed
COUNT_SECONDS = 5.0  # how often the jobs that an account holds are counted
REPORTED_KEPT = 50_000
UNEXPECTED = "the server met an unexpected error; its log has the details"


class Reported(NamedTuple):
    """What was last written of a job, so that the same is not written again."""

    status: str
    progress: float | None


class Taken(NamedTuple):
    """When watches were taken from the store, by both clocks."""

    at: float
    steadily: float


class PollerStore(Jobs, Dispatches, Ledger, Protocol):
    """What a poller needs of the store."""


class Poller:
    def __init__(
        self,
        *,
        gateway: Gateway,
        relays: Mapping[str, Relay],
        settings: RelaySettings,
        clock: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
        on_duty: Callable[[str], bool] = lambda _: True,
    ) -> None:
        """`on_duty`: whether it is for this process to ask by an account of this name."""
        self.on_duty = on_duty
        self.gateway, self.relays, self.settings = gateway, relays, settings
        self.clock, self.steady = clock, steady
        self.store: PollerStore = gateway.store
        self.polls = 0  # how many there were
        self._free = settings.max_polls_in_flight
        self._tasks: set[asyncio.Task[None]] = set()
        self._reported: dict[str, Reported] = {}
        self._unknown: dict[str, float] = {}  # jobs that their vendor says it does not know → since when, steadily
        self._counted = -COUNT_SECONDS

    async def run(self) -> None:
        """Ask until cancelled; a fault of the store is waited out, not fatal."""
        if not self.relays:
            return
        while True:
            pause = IDLE_SECONDS
            try:
                await self.gateway.jumps.look()
                await self._count()
                ours = [relay for name, relay in self.relays.items() if self.on_duty(name)]
                for relay in ours:
                    await self._take(relay)
                due = await self.store.next_watch() if ours else None
                if due is not None and self._free:
                    least = 0.02 if len(ours) == len(self.relays) else SHARED_SECONDS
                    pause = min(max(due - self.clock(), least), IDLE_SECONDS)
            except Problem as problem:
                log.error("poll_failed", reason=problem.message)
            except Exception:
                log.exception("poll_broke")
            await self.gateway.signals.poller.wait(pause)

    async def stop(self) -> None:
        """Let what is being asked end; its news is written, or asked for again by the next process."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # -- the schedule ---------------------------------------------------------------

    async def _take(self, relay: Relay) -> None:
        """Ask about what is due, as much as the account's rate and our own patience allow."""
        stride = TOGETHER if relay.back.batch else 1
        room = int(min(self._free, relay.bucket.available, 1_000_000)) * stride
        if room <= 0 or not relay.breaker.answers:
            return
        taken = Taken(self.clock(), self.steady())
        watches = await self.store.due_watches(
            account=relay.name, now=self.clock(), limit=min(room, 500), next_due=self.next_due
        )
        for start in range(0, len(watches), stride):
            self._free -= 1
            task = asyncio.create_task(self._ask(relay, watches[start : start + stride], taken))
            self._tasks.add(task)
            task.add_done_callback(self._asked)

    def next_due(self, watch: Watch) -> float:
        """When to ask again if this poll brings no end: ever less often, up to a bound, and not all at once."""
        settings = self.settings
        wait = min(settings.first_poll_seconds * GROWTH ** min(watch.polls, 60), settings.max_poll_seconds)
        if watch.mode is Mode.LATE:
            wait *= LATE_POLLS
        elif settings.callbacks and self.gateway.settings.server.public_url:
            wait *= CALLBACK_POLLS
        return self.clock() + wait * random.uniform(1 - JITTER, 1 + JITTER)

    async def _count(self) -> None:
        if self.steady() - self._counted >= COUNT_SECONDS:
            self._counted = self.steady()
            for relay in self.relays.values():
                if relay.account.max_in_flight:  # nobody else needs to know
                    relay.count(await self.store.upstream(relay.name))

    def _asked(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not self._free:
            self.gateway.signals.watched()  # there is room again
        self._free += 1
        if not task.cancelled() and (error := task.exception()):
            log.error("news_broke", reason=repr(error), exc_info=error)  # it is due again by itself

    # -- news -------------------------------------------------------------------------

    async def _ask(self, relay: Relay, watches: tuple[Watch, ...], taken: Taken) -> None:
        asked = [watch for watch in watches if watch.mode is not Mode.CANCEL or not await self._stop(relay, watch)]
        self.polls += len(asked)
        began = self.clock()
        for watch, news in zip(asked, await relay.news(asked), strict=True):
            try:
                if self.gateway.tracing:
                    await self._trace(relay, watch, news, began)
                await self._learn(relay, self._as_moved(watch, taken), news)
            except Problem as problem:
                log.error("news_lost", job=watch.job, reason=problem.message)  # it is due again by itself
            except Exception:  # of one job: the others' news is not lost for it, and its time runs on
                log.exception("news_broke", job=watch.job)
                await self._no_news(relay, self._as_moved(watch, taken), Problem(Kind.INTERNAL, UNEXPECTED))

    def _as_moved(self, watch: Watch, taken: Taken) -> Watch:
        """With the times that it has in the store, where somebody set the clock forward while the vendor was asked."""
        jump = self.clock() - taken.at - (self.steady() - taken.steadily)
        if jump <= JUMP_SECONDS:
            return watch
        return replace(watch, since=watch.since + jump, deadline=watch.deadline + jump)

    async def _learn(self, relay: Relay, watch: Watch, news: Update | Problem) -> None:
        if isinstance(news, Problem):
            await self._no_news(relay, watch, news)
            return
        relay.breaker.answered()
        self._unknown.pop(watch.job, None)
        for doubt in news.doubts:
            await self.store.add_event(watch.job, "doubted", account=relay.name, detail=doubt, now=self.clock())
        await self._news(relay, watch, news)

    async def _trace(self, relay: Relay, watch: Watch, news: Update | Problem, began: float) -> None:
        """A span for a poll that brought something new; most do not, and a job would have a thousand of them."""
        reported, word = (
            self._reported.get(watch.job),
            news.kind.value if isinstance(news, Problem) else news.upstream_status,
        )
        job = await self.store.get(watch.job)
        if self.gateway.tracing and job and job.trace and (reported is None or reported.status != word):
            facts = described(job) | {"mutoscope.account": relay.name, "mutoscope.status": word}
            facts["mutoscope.polls"] = watch.polls
            self.gateway.tracing.note("poll", job.trace, began, self.clock(), facts)

    async def _news(self, relay: Relay, watch: Watch, update: Update) -> None:
        match watch.mode, update.state:
            case _, State.QUEUED | State.RUNNING:
                await self._still(relay, watch, update)
            case Mode.WAIT, State.SUCCEEDED if has_result(update):
                if await self.store.collect(watch.job, facts=facts_of(update), now=self.clock()):
                    self._moved_on(relay, watch)
            case Mode.WAIT, State.SUCCEEDED:
                message = f"{relay.name} says that it is made, but names no result."
                await self._no_news(relay, watch, Problem(Kind.UPSTREAM_FAILED, message))
            case Mode.WAIT, _:
                state = State.FAILED if update.state is State.FAILED else State.CANCELED
                failure = update.failure or Failure(kind=Kind.UPSTREAM_FAILED, message=f"{relay.name} failed.")
                await self._end(relay, watch, state, failure, cost=update.cost or 0.0)
            case Mode.LATE, State.SUCCEEDED if has_result(update):
                if await self.store.revive(watch.job, facts=facts_of(update), now=self.clock()):
                    self._moved_on(relay, watch)
                else:
                    await self._learned(watch, "the vendor made it after all", await self._cost(watch, update))
            case _:
                ended = {State.SUCCEEDED: "made it", State.FAILED: "failed"}.get(update.state, "canceled it")
                await self._learned(watch, f"the vendor {ended}", await self._cost(watch, update))

    async def _cost(self, watch: Watch, update: Update) -> float | None:
        """What the vendor charges, by its own word; where it does not tell, the price of what it made. Of a job that
        was deleted meanwhile nothing is known but what was set aside for it."""
        if update.cost is not None or update.state is not State.SUCCEEDED:
            return update.cost
        job = await self.store.get(watch.job)
        if job is not None:
            return self.gateway.prices.cost_of(job, ())
        return next((each.credits for each in await self.store.entries(watch.job) if each.kind == "reserve"), None)

    async def _still(self, relay: Relay, watch: Watch, update: Update) -> None:
        """It is being made."""
        if self.clock() >= watch.deadline:
            await self._give_up(relay, watch, f"it was {update.upstream_status}")
        elif watch.mode is Mode.WAIT:
            reported = Reported(update.upstream_status, update.progress)
            if self._reported.get(watch.job) != reported:
                if len(self._reported) >= REPORTED_KEPT:
                    self._reported.clear()
                self._reported[watch.job] = reported
                await self.store.observe(
                    watch.job, status=update.upstream_status, progress=update.progress, now=self.clock()
                )
                self.gateway.changed(watch.job)

    async def _no_news(self, relay: Relay, watch: Watch, problem: Problem) -> None:
        """An answer that says nothing of the job. Nothing is concluded from it but after a while."""
        now = self.clock()
        if problem.kind is not Kind.NOT_FOUND:
            self._unknown.pop(watch.job, None)
        elif self.steady() - self._unknown.setdefault(watch.job, self.steady()) > FORGIVEN_SECONDS:
            self._unknown.pop(watch.job)
            if watch.mode is Mode.WAIT:
                message = f"{relay.name} does not know the task any more: {problem.message}"
                await self._end(relay, watch, State.FAILED, Failure(kind=Kind.UPSTREAM_FAILED, message=message))
            else:
                await self._learned(watch, "the vendor does not know it any more", None)
            return
        if problem.kind is Kind.RATE_LIMITED:
            relay.breaker.pause(problem.retry_after or 1.0, problem.message)
            await self.store.postpone(watch.job, due=now + (problem.retry_after or 1.0))
        elif problem.kind in (Kind.UPSTREAM_FAILED, Kind.TIMED_OUT, Kind.UNAVAILABLE):
            relay.breaker.unanswered(problem.message)
        await self.store.add_event(watch.job, "trouble", account=relay.name, detail=problem.message, now=now)
        if now >= watch.deadline:
            await self._give_up(relay, watch, problem.message)

    async def _give_up(self, relay: Relay, watch: Watch, last: str) -> None:
        """The deadline passed: of the job, or of asking about a job that has ended."""
        if watch.mode is not Mode.WAIT:
            await self._learned(watch, f"not asked about any more; at last {last}", None)
            return
        minutes = (watch.deadline - watch.since) / 60
        late = "If it still does, the result appears here."
        message = f"{relay.name} did not make this within {minutes:g} minutes ({last}). {late}"
        failure = Failure(kind=Kind.TIMED_OUT, message=message)
        await self._end(relay, watch, State.FAILED, failure, keep_until=self.clock() + self.settings.late_seconds)

    async def _stop(self, relay: Relay, watch: Watch) -> bool:
        """Tell the vendor of a cancel. True: it is done with."""
        if relay.back.cancel is None:
            detail = f"{relay.name} cannot cancel; it may finish this and charge for it"
            await self.store.add_event(watch.job, "canceled", account=relay.name, detail=detail, now=self.clock())
            return False
        try:
            stopped = await relay.stop(watch)
        except Problem as problem:
            await self.store.add_event(
                watch.job, "trouble", account=relay.name, detail=f"cancel: {problem.message}", now=self.clock()
            )
            return False
        if stopped:
            await self._learned(watch, "the vendor canceled it", None)
        return stopped

    async def _end(
        self,
        relay: Relay,
        watch: Watch,
        state: State,
        failure: Failure,
        *,
        cost: float = 0.0,
        keep_until: float | None = None,
    ) -> None:
        job = await self.store.settle_upstream(
            watch.job,
            state=state,
            failure=failure if state is State.FAILED else None,
            cost=cost,
            now=self.clock(),
            keep_until=keep_until,
            pending_delivery=self.gateway.pending_delivery,
        )
        if job is not None:
            log.info("job_ended", job=job.id, state=job.state.value, reason=failure.message)
            self.gateway.ended(job)
        self._moved_on(relay, watch)

    async def _learned(self, watch: Watch, detail: str, cost: float | None) -> None:
        """The end of what can be known of a job that ended before."""
        self._unknown.pop(watch.job, None)
        if await self.store.unwatch(watch.job, detail=detail, cost=cost, now=self.clock()) and cost:
            job = await self.store.get(watch.job)
            self.gateway.spent.add((watch.account, job.generation.model if job else ""), cost)
        self.gateway.changed(watch.job)

    def _moved_on(self, relay: Relay, watch: Watch) -> None:
        """The account holds one job less, and somebody may go on with this one."""
        self._reported.pop(watch.job, None)
        self._unknown.pop(watch.job, None)
        relay.upstream = max(relay.upstream - 1, 0)
        self.gateway.changed(watch.job)
        self.gateway.signals.wake(relay.name)


def has_result(update: Update) -> bool:
    return bool(update.links or update.texts or update.kept)


def facts_of(update: Update) -> Json:
    facts: Json = {"links": update.links, "texts": update.texts, "kept": msgspec.to_builtins(update.kept)}
    return {name: each for name, each in facts.items() if each} | ({} if update.cost is None else {"cost": update.cost})
