"""What happens, told to whoever watches: jobs, deliveries and breakers as server-sent events, with a bounded memory of
them from which a watcher who was away goes on."""

import asyncio
import secrets
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

import msgspec
import structlog

from mutoscope.engines.relay import Relay
from mutoscope.model.job import Job, Json
from mutoscope.model.problem import Problem
from mutoscope.store import DeliveryRecord, Sieve, Store

log = structlog.get_logger(__name__)

KEPT = 2000  # events
TOGETHER_SECONDS = 0.25  # what changes within it is told once, as it is then
LOOK_SECONDS = 2.0  # between looks for what other processes did
LOOKED_AT = 40  # jobs and messages, the newest
QUIET_SECONDS = 10.0  # after which a watcher is told that nothing happened, so that proxies keep the line
MOST_WATCHERS = 200
PENDING = 4 * KEPT

Tell = Callable[[str], Awaitable[Json | None]]
Seen = tuple[float, tuple[str, ...]]


class News:
    """One for the server. It works while somebody watches; what changes meanwhile is remembered by its id only."""

    def __init__(
        self,
        store: Store,
        relays: Mapping[str, Relay],
        *,
        job: Callable[[Job], Json],
        delivery: Tell,
        ends: Callable[[], bool] = bool,
    ) -> None:
        """`job` and `delivery` say what watchers are told of one; when it `ends`, they are let go."""
        self._ends = ends
        self.store, self.relays = store, relays
        self._tell_job, self._tell_delivery = job, delivery
        self._run = secrets.token_hex(4)  # numbers of an earlier process mean nothing
        self._last = 0
        self._kept: deque[tuple[int, bytes]] = deque(maxlen=KEPT)
        self._jobs: dict[str, None] = {}
        self._deliveries: dict[str, None] = {}
        self._seen: dict[str, Seen] = {}  # job → how it stood, as far as was told
        self._tried: dict[str, DeliveryRecord] | None = None  # the newest messages at the last look
        self._breakers: dict[str, str] = {}
        self._lost = False  # more changed than is remembered
        self._watchers: set[asyncio.Event] = set()
        self._task: asyncio.Task[None] | None = None
        self.closed = False

    def job(self, id: str) -> None:
        """It changed."""
        self._note(self._jobs, id)

    def delivery(self, id: str) -> None:
        """It was tried."""
        self._note(self._deliveries, id)

    @property
    def full(self) -> bool:
        return len(self._watchers) >= MOST_WATCHERS

    def _note(self, ids: dict[str, None], id: str) -> None:
        if len(ids) >= PENDING:  # after `reset` everything is read anew, these too
            ids.clear()
            self._lost = True
        ids[id] = None

    async def close(self) -> None:
        self.closed = True
        for event in self._watchers:
            event.set()
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def watch(self, since: str = "") -> AsyncIterator[bytes]:
        """Events from now on, or from behind the one of this id on. One that is not remembered any more is answered
        with the event `reset`: then everything should be read anew."""
        event = asyncio.Event()
        self._watchers.add(event)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._work())
        try:
            number = self._last
            if since:
                found = self._number_of(since)
                number = self._last if found is None else found
                if found is None:
                    yield self._say(self._last, "reset", {})
            yield b"retry: 2000\n\n"
            while not self.closed:
                fresh = [text for at, text in self._kept if at > number]
                number = self._last
                if fresh:
                    yield b"".join(fresh)
                try:
                    async with asyncio.timeout(QUIET_SECONDS):
                        await event.wait()
                except TimeoutError:
                    yield b": nothing\n\n"
                event.clear()
        finally:
            self._watchers.discard(event)

    def _number_of(self, since: str) -> int | None:
        """Behind which event to go on; None where what followed it is not known any more."""
        run, _, digits = since.rpartition("-")
        if run != self._run or not digits.isdecimal() or len(digits) > 15 or self._lost:
            return None
        number, first = int(digits), self._kept[0][0] if self._kept else self._last + 1
        return number if first - 1 <= number <= self._last else None

    async def _work(self) -> None:
        """Until nobody watches any more."""
        looked = 0.0
        clock = asyncio.get_running_loop().time
        while self._watchers and not self.closed:
            if self._ends():
                self.closed = True
                for event in self._watchers:
                    event.set()
                return
            try:
                if clock() - looked > LOOK_SECONDS:
                    looked = clock()
                    await self._look()
                await self._tell()
            except Problem as problem:
                log.warning("news_unread", reason=problem.message)
            except Exception:
                log.exception("news_broke")
            await asyncio.sleep(TOGETHER_SECONDS)

    async def _look(self) -> None:
        """For what other processes did, and at the breakers."""
        for job in await self.store.browse(Sieve(), limit=LOOKED_AT):
            if self._seen.get(job.id) != seen(job):
                self.job(job.id)
        if self.store.shared:
            await self._look_at_deliveries()
        for name, relay in self.relays.items():
            state = breaker_state(relay)
            if self._breakers.setdefault(name, state) != state:
                self._breakers[name] = state
                self._add("breaker", {"account": name, "state": state, "reason": relay.breaker.reason})

    async def _look_at_deliveries(self) -> None:
        """Whichever process has the duty sends them, and tells the others nothing of it."""
        found = {each.delivery.id: each for each in await self.store.deliveries(limit=LOOKED_AT)}
        known, self._tried = self._tried, found
        for id, each in found.items():
            if known is not None and each.attempts and known.get(id) != each:
                self.delivery(id)

    async def _tell(self) -> None:
        jobs, self._jobs = self._jobs, {}
        deliveries, self._deliveries = self._deliveries, {}
        if self._lost:
            self._lost = False
            self._add("reset", {})
        try:
            for id in jobs:
                job = await self.store.get(id)
                if job is None:
                    self._seen.pop(id, None)
                    self._add("gone", {"id": id})
                else:
                    self._see(job)
                    self._add("job", self._tell_job(job))
            for id in deliveries:
                if (told := await self._tell_delivery(id)) is not None:
                    self._add("delivery", told)
        except BaseException:  # what was to be told is known no more
            self._lost = True
            raise
        if jobs or deliveries:
            for event in self._watchers:
                event.set()

    def _see(self, job: Job) -> None:
        self._seen.pop(job.id, None)
        self._seen[job.id] = seen(job)
        while len(self._seen) > KEPT:
            self._seen.pop(next(iter(self._seen)))

    def _add(self, what: str, told: Json) -> None:
        self._last += 1
        self._kept.append((self._last, self._say(self._last, what, told)))
        if what in ("breaker", "reset"):
            for event in self._watchers:
                event.set()

    def _say(self, number: int, what: str, told: Json) -> bytes:
        return b"id: %s-%d\nevent: %s\ndata: %s\n\n" % (
            self._run.encode(),
            number,
            what.encode(),
            msgspec.json.encode(told),
        )


def seen(job: Job) -> Seen:
    """What a change of is news; pictures are drawn of what it made without its being another."""
    return job.updated, tuple(each.poster for each in job.outputs)


def breaker_state(relay: Relay) -> str:
    """closed, paused (as the vendor asked), open, half-open"""
    state = relay.breaker.state
    return "paused" if state == "closed" and relay.breaker.seconds_left else state
