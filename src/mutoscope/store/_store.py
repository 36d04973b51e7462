"""What a store is: the transitions of a job, the webhooks it owes, upload slots."""

from collections.abc import Callable, Collection, Sequence
from typing import Protocol

from msgspec import Struct

from mutoscope.job import Delivery, Failure, Job, Json, Output, State
from mutoscope.wires._wire import Upload

Owed = Callable[[Job], Delivery | None]
"""The message that a transition owes, from the job as it stands after it. Pure: it may run in another thread
and again in a second try. An exception undoes the transition."""


class DueDelivery(Struct, frozen=True, kw_only=True):
    """A message to send now; nobody else gets it until the lease ends or the attempt is recorded."""

    delivery: Delivery
    attempts: int  # made so far, since the message was made or replayed


# The protocol has a method named list.
Jobs = list[Job]
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


class UsageRow(Struct, frozen=True, kw_only=True):
    day: str  # YYYY-MM-DD in UTC, of the jobs' creation
    model: str
    jobs: int
    credits: float  # of the jobs that have ended


class Store(Protocol):
    """Every change is durable and visible when its call returns, and not visible before.

    A database that cannot be read or written is Problem(UNAVAILABLE). A call that is cancelled while it
    waits may still take effect.
    """

    async def open(self) -> None:
        """Connect and bring the schema up to date."""
        ...

    async def close(self) -> None:
        """Finish what is waiting, then let go. Later calls are refused."""
        ...

    async def add(self, job: Job, *, concurrency: int | None = None, daily: int | None = None) -> Job:
        """Store a new job and return it as it now stands.

        It is throttled when its owner already holds `concurrency` (1 or more) unfinished jobs of the model
        that are not. Raises Problem QUOTA_EXCEEDED when the owner made `daily` of the model in the 24 hours
        before, and CONFLICT when the id is taken.
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

    async def claim(
        self, *, engine: str, worker: str, lease_seconds: float, limit: int, now: float, owed: Owed | None = None
    ) -> Jobs:
        """Take up to `limit` jobs to run: those whose lease ran out, then the oldest queued ones.

        `owed` is asked for the jobs that start for the first time.
        """
        ...

    async def renew(self, *, worker: str, lease_seconds: float, ids: Collection[str], now: float) -> set[str]:
        """Prolong leases. What is missing from the answer is no longer this worker's to run."""
        ...

    async def progress(
        self, id: str, worker: str, share: float | None, *, upstream_status: str | None = None
    ) -> bool: ...

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
        owed: Owed | None = None,
    ) -> Job | None:
        """End a job that this worker runs; `notes` are added to the job's. None: it was not this worker's to end."""
        ...

    async def cancel(self, id: str, *, now: float, owed: Owed | None = None) -> Job | None:
        """End an unfinished job. None: there is none of this id."""
        ...

    async def delete(self, id: str, *, owner: str | None = None) -> bool:
        """Forget a finished job and its messages, but for those that are still owed.

        It still counts in `made_since`, the daily limit and the usage: deleting makes no room.
        """
        ...

    async def recover(self, *, now: float, concurrency: Callable[[str, str], int | None] | None = None) -> int:
        """Called once at start by the only owner of the database: whatever was running or being sent when the last
        process ended is queued again, and counted in the answer.

        `concurrency(owner, model)` are the limits of today: throttled jobs that they allow are let go.
        """
        ...

    async def owners_usage(self, owner: str, *, since: float, until: float) -> tuple[UsageRow, ...]:
        """What was made from `since` until before `until`, by day and model."""
        ...

    async def made_since(self, owner: str, since: float) -> dict[str, int]:
        """How many jobs of each model; models without any are absent."""
        ...

    async def due_deliveries(
        self, *, now: float, limit: int, lease_seconds: float, per_receiver: int | None = None
    ) -> DueDeliveries:
        """Lease the messages that are due, oldest first; at most `per_receiver` under way to one host at once."""
        ...

    async def next_due(self) -> float | None:
        """When to ask for due deliveries again, unless a job ends before."""
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

    async def attempts(self, id: str) -> tuple[Attempt, ...]: ...

    async def replay(self, id: str, now: float) -> bool:
        """Make a message due again with its whole schedule ahead of it, whatever became of it."""
        ...

    async def add_uploads(self, uploads: Sequence[Upload]) -> None: ...

    async def upload(self, id: str) -> Upload | None: ...

    async def fill_upload(self, id: str, asset: str, bytes: int, now: float) -> bool:
        """Put a file into a slot. False: no such slot, it is filled already, or it has expired."""
        ...

    async def uploads(self, *, wire: str, owner: str, limit: int) -> tuple[Upload, ...]:
        """An owner's slots, newest first."""
        ...
