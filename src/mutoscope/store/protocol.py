"""What a store is: the transitions of a job, what was sent to vendors for it, the webhooks it owes, upload slots."""

from collections.abc import Callable, Collection, Mapping, Sequence
from enum import StrEnum
from typing import Literal, Protocol

from msgspec import Struct

from mutoscope.model.config import Rights
from mutoscope.model.job import Delivery, Dispatch, Event, Failure, Job, Json, Output, Sent, State, Watch
from mutoscope.model.problem import Kind
from mutoscope.model.requests import Upload
from mutoscope.model.words import KeptAnswer

PendingDelivery = Callable[[Job], Delivery | None]
"""The message that a transition owes, from the job as it stands after it. Pure: it may run in another thread
and again in a second try. An exception undoes the transition."""


class DueDelivery(Struct, frozen=True, kw_only=True):
    """A message to send now; nobody else gets it until the lease ends or the attempt is recorded."""

    delivery: Delivery
    attempts: int  # made so far, since the message was made or replayed
    receiver: str = ""  # host and port


# A store has a method named list.
JobList = list[Job]
DueDeliveries = list[DueDelivery]


class DeliveryRecord(Struct, frozen=True, kw_only=True):
    """A message as the operator sees it: pending while neither `delivered` nor `given_up` is set."""

    delivery: Delivery
    created: float
    due: float  # of the next attempt; while one is under way, when its lease ends
    attempts: int
    delivered: float | None
    given_up: float | None


class Attempt(Struct, frozen=True, kw_only=True):
    number: int  # from 1; goes on counting after a replay
    at: float
    status: int | None  # None: there was no answer, `error` says why
    error: str | None
    ms: float


UPSTREAM = "@"
"""With this before an account's name, who holds a job that a vendor is making: no worker, no lease that ends."""

UNSETTLED = (Kind.TIMED_OUT, Kind.SUBMISSION_UNKNOWN)
"""Failures that say no more than that we did not know: what the vendor makes after all settles such a job."""

EVENTS = {
    "intended": "about to submit",
    "accepted": "the vendor accepted it",
    "refused": "the vendor refused it",
    "unsent": "certainly not submitted",
    "unknown": "the answer was lost",
    "rerouted": "goes on at the next engine of its route",
    "deferred": "waits before it is tried again",
    "made": "the vendor has made it; the result is fetched",
    "doubted": "the vendor told what cannot be",
    "copy_failed": "the result could not be copied yet",
    "trouble": "the vendor's answers cannot be used",
    "overdue": "its deadline passed; what still arrives settles it",
    "late": "the vendor ended it after we had",
    "ended": "it is final",
    "canceled": "it was canceled",
}
"""The words of `Event.what` and what they mean."""


class Repeat(Struct, frozen=True, kw_only=True):
    """By what a create is recognised when it comes again."""

    key: str  # the client's Idempotency-Key, or a digest of the request where only its retries are recognised
    digest: str  # of the request; the same key with another digest is a conflict
    seconds: float  # how long it is recognised
    replays: bool = True  # False: the request is new whatever came before, and is to be recognised later


class KeyRecord(Struct, frozen=True, kw_only=True):
    """A caller's key. The key itself is not kept."""

    id: str
    name: str  # the owner of what it makes
    digest: str  # SHA-256 of the whole key, in hexadecimal
    prefix: str  # how the key begins, to tell it from others; nothing is found by it
    rights: Rights = Rights()
    created: float
    expires: float | None = None
    revoked: float | None = None
    last_used: float | None = None  # to the minute

    def valid(self, now: float) -> bool:
        return self.revoked is None and (self.expires is None or now < self.expires)


class SpendingHold(Struct, frozen=True, kw_only=True):
    """What a job may cost, in credits, and how much its owner may spend."""

    credits: float
    budget: float | None = None
    period: Literal["day", "month", "total"] = "total"


class Balance(Struct, frozen=True, kw_only=True):
    """Credits of an owner."""

    charged: float  # in the period that was asked for
    reserved: float  # for jobs that have not ended


Basis = Literal["", "told", "counted", "estimate"]
"""How an amount is known: by the record of a job; by the account's own count of tokens; by ours of what passed; not at
all, and then it is what was set aside."""


class Entry(Struct, frozen=True, kw_only=True):
    """A line of the ledger. A job, or an exchange in words, has at most one of each kind."""

    job: str
    kind: Literal["reserve", "release", "charge", "late"]
    credits: float
    owner: str
    model: str
    engine: str
    at: float
    basis: Basis = ""


class Outlay(Struct, frozen=True, kw_only=True):
    """What an exchange in words may cost."""

    id: str
    owner: str
    model: str
    engine: str
    at: float
    hold: SpendingHold


class Settlement(Struct, frozen=True, kw_only=True):
    """What an exchange in words has cost."""

    id: str
    owner: str
    model: str
    engine: str
    at: float
    credits: float
    basis: Basis
    aside: bool = True  # whether something may be set aside for it


class ExchangeRecord(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A request that was answered in words, as the operator may look at it. No header is kept of it, and no secret."""

    id: str  # the request id that the caller was told
    owner: str = ""
    began: float
    ended: float
    wire: str
    path: str
    model: str
    engine: str
    status: int = 0  # of the answer; 0: there was none
    end: Literal["whole", "left", "broken", "failed"] = "whole"  # "left" by the caller, "broken" off by the account
    read: int = 0
    written: int = 0
    cached: int = 0
    credits: float | None = None  # None: what it costs is not known
    basis: Basis = ""
    request: str | None = None  # the bodies, where those are kept, up to a length
    response: str | None = None


class SpendingRow(Struct, frozen=True, kw_only=True):
    day: str  # YYYY-MM-DD in UTC, of the charge
    owner: str  # "" for jobs of an open server
    model: str
    engine: str
    jobs: int
    credits: float


class Unfinished(Struct, frozen=True, array_like=True):
    """Jobs that have not ended, of one kind."""

    state: str  # queued, throttled or running
    wire: str
    model: str
    engine: str
    jobs: int
    oldest: float  # when the oldest was made


class PendingDeliveries(Struct, frozen=True, array_like=True):
    """Webhook messages that are pending for one receiver."""

    receiver: str
    messages: int
    due: float  # of the first


class Watched(Struct, frozen=True, array_like=True):
    """Jobs that a vendor is asked about."""

    account: str
    mode: str
    jobs: int
    due: float  # of the first


class Figures(Struct, frozen=True, kw_only=True):
    """How much there is to do."""

    unfinished: tuple[Unfinished, ...] = ()
    pending_deliveries: tuple[PendingDeliveries, ...] = ()
    watched: tuple[Watched, ...] = ()


class Kept(StrEnum):
    """What is kept for a time."""

    JOBS = "jobs"  # with everything that belongs to them
    INPUTS = "inputs"  # the files that went into them
    OUTPUTS = "outputs"  # the files that were made
    DELIVERIES = "deliveries"  # webhook messages that arrived or were given up
    UPLOADS = "uploads"  # slots, and the files in them
    EXCHANGES = "exchanges"  # records of answers in words
    ANSWERS = "answers"  # answers in words that can be asked for again
    REPEATS = "repeats"  # by what repeated creates are recognised


class Swept(Struct, frozen=True):
    """What one look came to."""

    removed: int
    after: str | None  # behind which row the next look begins; None when this was the last


class Sieve(Struct, frozen=True, kw_only=True):
    """Which jobs an operator wants to look at; None lets all of them through."""

    owner: str | None = None
    model: str | None = None
    wire: str | None = None
    engine: str | None = None
    state: State | None = None
    since: float | None = None  # made then or later
    until: float | None = None  # made before then
    before: str = ""  # an id: those that are older


class Forgotten(Struct, frozen=True, kw_only=True):
    """How much of an owner was removed."""

    jobs: int = 0
    messages: int = 0  # webhooks, those still owed too
    events: int = 0  # lines of the jobs' stories
    submissions: int = 0  # kept in the ledger, without the vendors' words
    uploads: int = 0
    repeats: int = 0
    keys: int = 0
    days: int = 0  # of bytes that were counted
    exchanges: int = 0  # records of answers in words
    answers: int = 0  # in words, kept to be asked for again
    entries: int = 0  # of the ledger of money; kept, under nobody's name

    def __add__(self, other: "Forgotten") -> "Forgotten":
        return Forgotten(**{name: getattr(self, name) + getattr(other, name) for name in self.__struct_fields__})

    def __bool__(self) -> bool:
        return any(getattr(self, name) for name in self.__struct_fields__)


class News(Struct, frozen=True, kw_only=True):
    """What other processes have changed."""

    engines: frozenset[str] = frozenset()  # which have jobs to claim
    jobs: tuple[str, ...] = ()  # ids
    deliveries: bool = False  # there are webhooks to send
    watches: bool = False  # there are jobs to ask vendors about
    anything: bool = False  # some news was lost: whatever is remembered may be out of date


class Jobs(Protocol):
    """Jobs as they are filed and shown, and their stories."""

    async def add(
        self,
        job: Job,
        *,
        concurrency: int | None = None,
        daily: int | None = None,
        queued: int | None = None,
        repeat: Repeat | None = None,
        hold: SpendingHold | None = None,
        replaces: bool = False,
        pending_delivery: PendingDelivery | None = None,
    ) -> Job:
        """Store a new job and return it as it now stands, with the message that it owes where it has ended. With
        `replaces` it takes the place of one with its id that no engine has; CONFLICT when there is none such, or not
        any more.

        With `repeat`, the owner's job that was stored under that key within its time is returned instead, and
        nothing is stored; Problem CONFLICT when that one's digest differs.

        It is throttled when its owner already holds `concurrency` (1 or more) unfinished jobs of the model
        that are not. Raises Problem QUOTA_EXCEEDED when the owner made `daily` of the model in the 24 hours
        before, RATE_LIMITED when `queued` jobs of the owner wait, and CONFLICT when the id is taken.

        What the job may cost is set aside for its owner: the hold's credits, else the job's estimate. Raises Problem
        OVER_BUDGET when the hold has a budget and that is more than is left of it in the period.
        """
        ...

    async def repeated(self, owner: str, repeat: Repeat, *, now: float) -> Job | None:
        """The job that `add` would return instead of storing a new one.

        Raises Problem CONFLICT when its digest differs, and when it was deleted.
        """
        ...

    def hot(self, id: str) -> Job | None:
        """The job, when it is known without reading the database and cannot be out of date."""
        ...

    async def get(self, id: str) -> Job | None: ...

    async def list(self, *, wire: str, owner: str, route: str, limit: int, offset: int = 0) -> tuple[Job, ...]:
        """An owner's jobs, newest first. Route "" stands for all of the wire."""
        ...

    async def recent(self, *, limit: int, state: State | None = None) -> tuple[Job, ...]:
        """The newest jobs of all owners."""
        ...

    async def count_by_state(self) -> dict[State, int]:
        """How many jobs there are; every state is present."""
        ...

    async def figures(self) -> Figures:
        """How much there is to do. Its time grows with what is unfinished, not with what has ended."""
        ...

    async def queued(self, engine: str) -> Sequence[str]:
        """The ids of the jobs that wait for an engine, the oldest first. A hundred thousand take a while."""
        ...

    async def cancel(self, id: str, *, now: float, pending_delivery: PendingDelivery | None = None) -> Job | None:
        """End an unfinished job. None: there is none of this id. A watch becomes one to CANCEL, due at once."""
        ...

    async def delete(self, id: str, *, owner: str | None = None) -> bool:
        """Forget a finished job and its messages, but for those that are still owed.

        It still counts in `made_since`, the daily limit and the usage: deleting makes no room.
        """
        ...

    async def add_event(self, id: str, what: str, *, account: str | None = None, detail: str = "", now: float) -> None:
        """Add a line to a job's story, unless it says the same as the last one."""
        ...

    async def events(self, id: str) -> tuple[Event, ...]: ...

    async def illustrate(self, id: str, output: str, *, poster: str, preview: str, now: float) -> bool:
        """Small pictures of a file that a job made, as assets that go with it. False: the job or its files are gone,
        and so may the pictures."""
        ...

    async def glimpse(self, id: str) -> bytes | None:
        """The picture that `show` kept last, while the job is in the making."""
        ...

    async def touch(self) -> None:
        """Write something without meaning. Raises Problem when nothing can be written."""
        ...


class Leases(Protocol):
    """What a worker holds: jobs that it claims and gives back, each as it has become."""

    async def claim(
        self,
        *,
        engine: str,
        worker: str,
        lease_seconds: float,
        limit: int,
        now: float,
        pending_delivery: PendingDelivery | None = None,
        made_before: float | None = None,
        held: Collection[str] = (),
        accepted_only: bool = False,
    ) -> JobList:
        """Take up to `limit` jobs to run: those whose lease ran out, then queued ones, each from the owner who has
        the fewest running on the engine; among equals from whom nothing was taken for the longest time, as far as this
        process knows, then the oldest.

        `pending_delivery` is asked for the jobs that start for the first time. With `made_before`, of the queued jobs
        only those that were created before then are taken, in no order, and before all others those of whose
        submission it is not known whether it arrived. `held` are not taken, though their lease may
        have run out: the worker has them. With `accepted_only` nothing is taken that could still be sent to a vendor:
        only what one has accepted, to fetch its results.
        """
        ...

    async def renew(self, *, worker: str, lease_seconds: float, ids: Collection[str], now: float) -> set[str]:
        """Prolong leases. What is missing from the answer is no longer this worker's to run."""
        ...

    async def progress(
        self, id: str, worker: str, share: float | None, *, upstream_status: str | None = None
    ) -> bool: ...

    async def show(self, id: str, worker: str, picture: bytes) -> bool:
        """Keep a small picture of what a job in the making has come to, in the place of the one before."""
        ...

    async def hide(self, id: str) -> bool:
        """The attempt is over: nothing is shown of it any more."""
        ...

    async def checkpoint(self, id: str, worker: str, facts: Json) -> bool:
        """Add facts to what the next attempt will know."""
        ...

    async def release(self, id: str, worker: str, now: float, *, counted: bool = True) -> bool:
        """Back to the queue. `counted=False`: the attempt does not count, for example at a graceful stop."""
        ...

    async def settle(
        self,
        id: str,
        worker: str,
        *,
        state: State,
        outputs: Sequence[Output] = (),
        failure: Failure | None = None,
        notes: Sequence[str] = (),
        cost: float = 0.0,
        now: float,
        pending_delivery: PendingDelivery | None = None,
    ) -> Job | None:
        """End a job that this worker runs; `notes` are added to the job's. None: it was not this worker's to end."""
        ...

    async def park(self, id: str, worker: str, *, due: float, detail: str, now: float) -> bool:
        """The results could not be fetched: back to the account that holds it; it is asked again at `due`. The claim
        does not count as an attempt."""
        ...

    async def defer(self, id: str, worker: str, *, until: float, detail: str, now: float) -> bool:
        """Nothing was spent and nothing can be now: keep the job running, held by nobody until then, when it is claimed
        again. The claim does not count as an attempt."""
        ...

    async def reroute(self, id: str, worker: str, *, engine: str, detail: str, now: float) -> bool:
        """Nothing was spent: queue the job for another engine."""
        ...

    async def recover(
        self,
        *,
        now: float,
        concurrency: Callable[[str, str], int | None] | None = None,
        dead: Collection[str] | None = None,
        listed: Collection[str] = (),
    ) -> int:
        """Called once at start by the only owner of the database: whatever was running or being sent when the last
        process ended is queued again, and counted in the answer. What a vendor is making stays where it is. Exchanges
        in words that were cut off are charged what was set aside for them.

        Where other processes work on the same jobs, `dead` are the workers that are known to have ended, if any: what
        they held is taken, and otherwise only what is too old for a process that lives to be still at it.

        `concurrency(owner, model)` are the limits of today: throttled jobs that they allow are let go. Of the accounts
        that are `listed` it is found out what became of submissions for jobs that have ended (`left_open`); those of
        others are given up as unknown.
        """
        ...

    async def shift(self, seconds: float) -> int:
        """The clock jumped: move by so much whatever is waited for: polls and their deadlines, deferred jobs, leases,
        webhooks. How many polls."""
        ...


class Dispatches(Protocol):
    """Jobs that a vendor makes: what was sent for them, and when to ask.

    A worker claims such a job like any other, writes the intent, sends, writes the answer. From then on the vendor's
    account holds it (UPSTREAM), and a watch says when to ask. Once it is made, a worker claims it again and copies
    the results. Each of these transitions adds its line to the job's story.
    """

    async def intend(
        self, id: str, worker: str, *, account: str, reference: str, now: float, alone: bool = False
    ) -> Dispatch | None:
        """About to send. None: the job is not this worker's.

        Raises Problem CONFLICT when an earlier dispatch of the job is intended, accepted or unknown; with `alone`,
        Occupied when a dispatch of another job is intended by the same account.
        """
        ...

    async def accept(
        self, id: str, *, number: int, handle: Json, status: str, due: float, deadline: float, now: float
    ) -> bool:
        """The vendor has it: the handle is kept, the account holds the job from now on, a watch begins. Also for an
        answer that was given up as unknown. False: the job was ended meanwhile. Then the watch is there to cancel it,
        or, where it had failed, as LATE.

        Raises Problem CONFLICT when another dispatch of this account has the handle's id, and when this one turned out
        refused or unsent.
        """
        ...

    async def resolve(self, id: str, *, number: int, sent: Sent, detail: str, now: float) -> bool:
        """A dispatch turns out refused, unsent or unknown. False: its fate was settled before."""
        ...

    async def dispatches(self, id: str) -> tuple[Dispatch, ...]: ...

    async def all_dispatches(self, *, after: tuple[str, int] = ("", 0), limit: int = 1000) -> tuple[Dispatch, ...]:
        """The ledger, by job and number, from behind a row on."""
        ...

    async def unresolved(self, account: str) -> int:
        """How many dispatches of the account are intended: their answers are not known."""
        ...

    async def left_open(self, account: str, *, before: float) -> tuple[Dispatch, ...]:
        """Those of them that were intended before then for jobs that have ended, or are gone: no claim brings them."""
        ...

    async def dispatched_ids(self, account: str, ids: Collection[str]) -> set[str]:
        """Those of a vendor's task ids that are ours."""
        ...

    async def upstream(self, account: str) -> int:
        """How many jobs the account holds for which its answer is waited for."""
        ...

    async def due_watches(
        self, *, account: str, now: float, limit: int, next_due: Callable[[Watch], float]
    ) -> tuple[Watch, ...]:
        """The watches that are due, oldest first, with their old `due`, and `polls` one higher.

        Taking them makes them due again at `next_due(watch)`: a process that dies loses no poll, and nobody else
        takes them meanwhile.
        """
        ...

    async def next_watch(self) -> float | None: ...

    async def hasten(self, id: str, *, now: float) -> bool:
        """Make a job's watch due now. False: it has none, or it rests."""
        ...

    async def postpone(self, id: str, *, due: float) -> bool:
        """Make a job's watch due at another time."""
        ...

    async def observe(self, id: str, *, status: str, progress: float | None, now: float) -> bool:
        """News of a job that the vendor is still making. False: it is not waited for any more."""
        ...

    async def collect(self, id: str, *, facts: Json, now: float) -> bool:
        """The vendor has made it: add `facts` to the checkpoint and let a worker claim it at once, to fetch the
        results. The watch rests. False: it is not waited for any more."""
        ...

    async def settle_upstream(
        self,
        id: str,
        *,
        state: State,
        failure: Failure | None = None,
        cost: float = 0.0,
        now: float,
        keep_until: float | None = None,
        pending_delivery: PendingDelivery | None = None,
    ) -> Job | None:
        """End a job that the vendor holds (failed or canceled there, or timed out here). With `keep_until` it is asked
        about until then, as late news; without, the watch ends. None: it is not waited for any more."""
        ...

    async def revive(self, id: str, *, facts: Json, now: float) -> bool:
        """A job that failed for want of news (UNSETTLED, watched as LATE) is made after all: it runs again, as after
        `collect`. False: it is no such job."""
        ...

    async def unwatch(self, id: str, *, detail: str, cost: float | None = None, now: float) -> bool:
        """Nothing more is to be learned of a job that has ended; `cost` is what the vendor charged all the same."""
        ...


class Deliveries(Protocol):
    """Webhook messages that are owed, and what became of them."""

    async def due_deliveries(
        self,
        *,
        now: float,
        limit: int,
        lease_seconds: float,
        per_receiver: int | None = None,
        failing: Collection[str] = (),
        failing_limit: int = 0,
    ) -> DueDeliveries:
        """Lease messages that are due: all, oldest first; or at most `per_receiver` under way to one host at once, and
        then each host's first before any host's second. Hosts in `failing` have one at once, and `failing_limit`
        together, however many they are."""
        ...

    async def next_due(self, *, after: float | None = None) -> float | None:
        """When to ask for due deliveries again, unless a job ends before. `after` leaves out what was due by then: it
        waits for its receiver, not for a time."""
        ...

    async def record_attempt(
        self,
        id: str,
        *,
        at: float,
        status: int | None,
        error: str | None,
        ms: float,
        delivered: bool,
        next_due: float | None,
    ) -> bool:
        """Keep what happened. Not delivered and no `next_due`: given up. False: there is no such message."""
        ...

    async def deliveries(
        self, *, job: str | None = None, pending_only: bool = False, limit: int = 100
    ) -> tuple[DeliveryRecord, ...]:
        """Messages, newest first."""
        ...

    async def delivery(self, id: str) -> DeliveryRecord | None: ...

    async def attempts(self, id: str) -> tuple[Attempt, ...]: ...

    async def replay(self, id: str, now: float) -> bool:
        """Make a message due again with its whole schedule ahead of it, whatever became of it."""
        ...


class Uploads(Protocol):
    """Slots for files that callers send ahead."""

    async def add_uploads(self, uploads: Sequence[Upload]) -> None: ...

    async def upload(self, id: str) -> Upload | None: ...

    async def fill_upload(self, id: str, asset: str, bytes: int, now: float) -> bool:
        """Put a file into a slot. False: no such slot, it is filled already, or it has expired."""
        ...

    async def expire_upload(self, id: str, now: float) -> None:
        """Forget an upload: it is not found from now on, and its file is swept where nothing else needs it."""
        ...

    async def uploads(self, *, wire: str, owner: str, limit: int) -> tuple[Upload, ...]:
        """An owner's slots, newest first."""
        ...


class Ledger(Protocol):
    """What owners were charged, made and sent."""

    async def balance(self, owner: str, *, period: Literal["day", "month", "total"], now: float) -> Balance:
        """What an owner was charged in the day or month (UTC) of `now`, or ever, and what is set aside."""
        ...

    async def entries(self, job: str) -> tuple[Entry, ...]:
        """The lines of the ledger of a job, or of an exchange."""
        ...

    async def spending(self, *, since: float, until: float, owner: str | None = None) -> tuple[SpendingRow, ...]:
        """What was charged from `since` until before `until`, by day, owner, model and engine; of everybody, or of one
        owner. For "", the jobs of an open server, what they cost is told all the same."""
        ...

    async def made_since(self, owner: str, since: float) -> dict[str, int]:
        """How many jobs of each model; models without any are absent."""
        ...

    async def traffic(self, day: str, owner: str) -> int:
        """Bytes that an owner sent on a day (YYYY-MM-DD, UTC), as far as `add_traffic` was told."""
        ...

    async def add_traffic(self, day: str, sent: Mapping[str, int]) -> dict[str, int]:
        """Add what owners sent today, and return their totals. Earlier days are forgotten."""
        ...


class Exchanges(Protocol):
    """What answers in words cost, and records of them. An owner's only: an open server's are nobody's."""

    async def set_aside(self, outlay: Outlay) -> None:
        """Set aside what an exchange may cost. Raises Problem OVER_BUDGET where that is more than is left."""
        ...

    async def settle_exchanges(
        self,
        settlements: Sequence[Settlement],
        *,
        outlays: Sequence[Outlay] = (),
        records: Sequence[ExchangeRecord] = (),
    ) -> None:
        """Give back what was set aside, charge what was spent, once for each exchange, and keep records; before that
        set `outlays` aside, whose budgets nobody asks about."""
        ...

    async def exchanges(
        self, *, owner: str | None = None, before: str = "", limit: int = 100
    ) -> tuple[ExchangeRecord, ...]:
        """Records without their bodies, the newest first, from before an id on."""
        ...

    async def exchange(self, id: str) -> ExchangeRecord | None: ...

    async def keep_answer(self, answer: KeptAnswer) -> None:
        """In the place of the one that its owner has under this id."""
        ...

    async def answers(self, owner: str, ids: Collection[str], *, back: int = 0) -> tuple[KeptAnswer, ...]:
        """Those of an owner that are there, each followed by as many as `back` of those that it goes on from."""
        ...

    async def drop_answer(self, owner: str, id: str) -> bool:
        """Whether it was there."""
        ...


class Transcripts(Protocol):
    """What was said to vendors for a job and what they answered, in records that the store does not look into."""

    async def add_said(self, told: Mapping[str, Sequence[bytes]], *, first: int, last: int, most_bytes: int) -> None:
        """Add records to jobs. Of each job the `first` and the `last` stay, in `most_bytes`; they go with the job, and
        for a job that is gone nothing is kept."""
        ...

    async def said(self, job: str) -> tuple[bytes, ...]: ...


class Keys(Protocol):
    """The keys that callers have."""

    async def add_key(self, key: KeyRecord) -> None:
        """Raises Problem CONFLICT when its id or its digest is there already."""
        ...

    async def key(self, digest: str) -> KeyRecord | None:
        """The key of this digest, in whatever state it is."""
        ...

    async def keys(self, *, name: str | None = None) -> tuple[KeyRecord, ...]:
        """Every key, or one owner's, in the order in which they were made."""
        ...

    async def revoke_key(self, id: str, *, now: float) -> KeyRecord | None:
        """Take a key no more. It is kept, revoked. None: there is none of this id."""
        ...

    async def rotate_key(self, id: str, successor: KeyRecord, *, until: float, now: float) -> KeyRecord | None:
        """Keep `successor` with the name, rights and expiry of a key that is valid, which is taken until then only.
        None: there is no valid key of this id."""
        ...

    async def key_changes(self) -> int:
        """How often a key was added, changed or removed, by whatever process. 0: there never was one."""
        ...

    async def touch_key(self, id: str, *, now: float) -> bool:
        """A key was used. Written when the last time is a minute old."""
        ...

    async def end_pass(self, nonce: str, *, until: float, now: float) -> bool:
        """A session was signed out, or a link that signs in once was used: for every process, until it would have ended
        by itself. False: it had been before."""
        ...

    async def pass_ended(self, nonce: str) -> bool: ...


class Retention(Protocol):
    """What goes when its time is over, and the files that nobody needs any more."""

    async def sweep(
        self,
        what: Kept,
        *,
        before: float,
        now: float,
        limit: int,
        after: str = "",
        spared: Collection[str] = (),
        dry_run: bool = False,
    ) -> Swept:
        """Look at `limit` rows and remove those whose time was over `before`, but for `spared` ids and for what a
        vendor's news, an unsettled submission or an undelivered message may still need. `dry_run` only counts.

        A job's files go from the records; the files themselves are told by `due_drops` when nobody else needs them.
        """
        ...

    async def due_drops(self, *, now: float, limit: int) -> tuple[str, ...]:
        """Files that were needed once and may be removed."""
        ...

    async def condemn(self, assets: Collection[str], *, before: float, now: float) -> set[str]:
        """Those that may be removed since before then: from now on they are being removed, until `dropped` tells what
        came of it. What is needed is not among them, nor what was spared."""
        ...

    async def spare(self, asset: str, *, until: float, now: float) -> bool:
        """Somebody is about to need a file: it is not condemned before then. False: it is just being removed."""
        ...

    async def asset_bytes(self, asset: str) -> int | None:
        """How large a file was when it was stored, by an upload or an output; None where no record tells."""
        ...

    async def assets(self) -> tuple[str, ...]:
        """Every file that a record names."""
        ...

    async def needed(self, assets: Collection[str]) -> set[str]:
        """Those that a job or an upload needs."""
        ...

    async def dropped(self, gone: Collection[str], later: Mapping[str, float]) -> None:
        """Files that are gone or needed again, and those to be looked at later."""
        ...

    async def unfinished(self, owner: str, *, limit: int) -> tuple[str, ...]:
        """Ids of an owner's jobs that have not ended, throttled ones first: ending the others would let them go."""
        ...

    async def traces(self, owner: str) -> tuple[str, ...]:
        """By what an owner's records are recognised beside their name: ids and digests that are nobody else's, and the
        names of files that nobody else needs."""
        ...

    async def forget(self, owner: str, *, limit: int, now: float) -> Forgotten:
        """Remove a part of what is kept of an owner, but for unfinished jobs. Where nothing is found none is left."""
        ...

    async def compact(self) -> None:
        """Write the database anew, so that what was removed is in no file of it. Nothing else is written meanwhile."""
        ...

    async def refresh(self) -> bool:
        """Forget what is remembered of jobs if any process has removed some since it was last asked."""
        ...


class Browsing(Protocol):
    """What an operator looks through."""

    async def browse(self, sieve: Sieve, *, limit: int) -> tuple[Job, ...]:
        """Jobs of all owners that pass the sieve, the newest first."""
        ...

    async def doubtful(self, *, limit: int) -> tuple[Dispatch, ...]:
        """Dispatches whose answers are not known, or were given up as lost: what may have been paid for."""
        ...


class Store(
    Jobs,
    Leases,
    Dispatches,
    Deliveries,
    Uploads,
    Ledger,
    Exchanges,
    Transcripts,
    Keys,
    Retention,
    Browsing,
    Protocol,
):
    """All of it. Whoever needs a part is typed by that part.

    Every change is durable and visible when its call returns, and not visible before.

    A database that cannot be read or written is Problem(UNAVAILABLE). A call that is cancelled while it
    waits may still take effect.
    """

    told: Callable[[News], None] | None
    """Whom to tell what other processes have changed; set by whoever wants to know."""

    @property
    def shared(self) -> bool:
        """Whether other processes may work on the same jobs, on other machines too."""
        ...

    async def open(self) -> None:
        """Connect and bring the schema up to date."""
        ...

    async def close(self) -> None:
        """Finish what is waiting, then let go. Later calls are refused."""
        ...
