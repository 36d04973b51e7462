"""The one thread that writes: whatever waits at the same moment shares a transaction, and its fsync.

Calls are collected on the event loop during one turn of it and handed over together, so that the thread wakes
once per turn; what arrives while a transaction is under way makes up the next one. Results come back to the
loop once per transaction, after its commit.

Calls fail seldom, so that a transaction is written without savepoints first. Where one fails that has written already,
it is begun anew, and each call stands behind a savepoint of its own.
"""

import asyncio
from collections.abc import Callable, Sequence
from itertools import groupby
from queue import Empty, SimpleQueue
from threading import Thread
from time import sleep
from typing import Any

import structlog

from mutoscope.model.job import Job
from mutoscope.model.problem import Kind, Problem, Unavailable
from mutoscope.store.sql.connection import Connection, undone

log = structlog.get_logger("mutoscope.store")

Changes = list[Job | str]
"""What calls changed: the jobs as they now stand, or the ids of jobs to be read again."""

Work = Callable[[Connection, Changes], Any]
"""One caller's statements. The value goes to the caller once it is durable; an exception undoes them alone. They may be
run again, as if the first time had not been."""

Bulk = Callable[[Connection, Changes, Any], Sequence[Any]]
"""The same for many callers at once: takes their items, and returns for each a value, or an exception where nothing was
written for it. Where it raises, they are asked one by one."""

MAX_BATCH = 1024  # calls in a transaction: bounds how long the first of them waits
CROWD = 8  # calls in one transaction that promise more than are there yet for the next


class Call:
    """What one caller waits for."""

    __slots__ = ("bulk", "error", "future", "item", "value", "work")

    def __init__(
        self, future: asyncio.Future[Any], work: Work | None = None, bulk: Bulk | None = None, item: object = None
    ) -> None:
        """It has work of its own, or an item for what is done for many at once."""
        self.future, self.work, self.bulk, self.item = future, work, bulk, item
        self.value: Any = None
        self.error: BaseException | None = None


class Writer:
    """Runs calls in its thread; `published` is told on the event loop of what was committed."""

    def __init__(self, db: Connection, published: Callable[[Changes], None]) -> None:
        self.commits = 0  # transactions that were committed
        self._db, self._published = db, published
        self._loop = asyncio.get_running_loop()
        self._waiting: list[Call] = []  # collected in this turn of the event loop
        self._queue: SimpleQueue[list[Call] | None] = SimpleQueue()
        self._batch: list[Call] = []  # the thread's
        self._changes: Changes = []  # by these calls
        self._crowded = False
        self._refusal: str | None = None
        self._ended = self._loop.create_future()
        self._thread = Thread(target=self._live, name="mutoscope-store", daemon=True)
        self._thread.start()

    # On the event loop

    def do(self, work: Work) -> asyncio.Future[Any]:
        """Run statements of one caller."""
        return self._submit(Call(self._loop.create_future(), work))

    def join(self, bulk: Bulk, item: object) -> asyncio.Future[Any]:
        """Run one caller's item together with those of its neighbours in the queue."""
        return self._submit(Call(self._loop.create_future(), bulk=bulk, item=item))

    def _submit(self, call: Call) -> asyncio.Future[Any]:
        if self._refusal is not None:
            raise Problem(Kind.UNAVAILABLE, self._refusal)
        if not self._waiting:
            _ = self._loop.call_soon(self._hand_over)
        self._waiting.append(call)
        return call.future

    def _hand_over(self) -> None:
        if self._waiting:
            self._queue.put(self._waiting)
            self._waiting = []

    async def close(self) -> None:
        """Write what is waiting, then end the thread and close its connection."""
        self._hand_over()
        self._refusal = self._refusal or "The job store is closed."
        self._queue.put(None)
        await asyncio.shield(self._ended)
        self._thread.join()

    def _deliver(self, batch: list[Call], changes: Changes) -> None:
        self._published(changes)
        for call in batch:
            if call.future.done():  # the caller was cancelled
                continue
            if call.error is None:
                call.future.set_result(call.value)
            else:
                call.future.set_exception(call.error)

    def _thread_ended(self, lost: list[Call], error: BaseException | None) -> None:
        if error is not None:
            self._refusal = f"The job store's writer has stopped ({type(error).__name__}); restart the server."
            log.critical("store writer stopped", exc_info=error)
        lost = lost + self._waiting
        self._waiting = []
        while True:
            try:
                lost.extend(self._queue.get_nowait() or ())
            except Empty:
                break
        for call in lost:
            call.error = Problem(Kind.UNAVAILABLE, self._refusal or "The job store is closed.")
        self._deliver(lost, [])
        if not self._ended.done():
            self._ended.set_result(None)

    # In the thread

    def _live(self) -> None:
        error: BaseException | None = None
        try:
            while self._take():
                self._write()
                self._call_loop(self._deliver, self._batch, self._changes)
                self._batch = []
        except BaseException as caught:  # told to every caller, now and later
            error = caught
        try:
            self._db.close()
        except self._db.failures as caught:
            error = error or caught
        self._call_loop(self._thread_ended, self._batch, error)

    def _call_loop(self, function: Callable[..., None], *args: object) -> None:
        try:
            _ = self._loop.call_soon_threadsafe(function, *args)
        except RuntimeError:  # the loop was closed before the store: nobody is left to be told
            log.warning("store outlived its event loop")

    def _take(self) -> bool:
        """Wait for calls and take all that are there; False: the store is being closed."""
        first = self._queue.get()
        if first is None:
            return False
        if self._crowded:
            sleep(0)  # let the event loop hand over what it has: half the transactions, half the fsyncs
        self._batch = first
        while len(self._batch) < MAX_BATCH:
            try:
                more = self._queue.get_nowait()
            except Empty:
                break
            if more is None:
                self._queue.put(None)  # nothing follows it: closing refuses later calls
                break
            self._batch.extend(more)
        self._crowded = len(self._batch) >= CROWD
        return True

    def _write(self) -> None:
        db = self._db
        for may_retry in (True, False):
            committing = False
            try:
                self._begin()
                if not self._run(guarded=False):
                    db.rollback()
                    if self._is_sole:
                        return
                    self._begin()
                    _ = self._run(guarded=True)
                if self._is_sole and self._batch[0].error is not None:
                    db.rollback()
                    return
                if changed := known_elsewhere(self._changes):
                    db.announce(changed)
                committing = True
                db.commit()
                self.commits += 1
            except db.failures as error:
                db.rollback()
                self._changes = []
                if may_retry and not committing and db.passes(error):
                    continue
                self._fail_all(unavailable(db, error))
            return

    @property
    def _is_sole(self) -> bool:
        """One call has the transaction for itself."""
        return len(self._batch) == 1

    def _begin(self) -> None:
        self._changes = []
        for call in self._batch:
            call.error = call.value = None
        self._db.begin()

    def _run(self, *, guarded: bool) -> bool:
        """False: a call has failed that is to be undone; the transaction is of no use."""
        for bulk, calls in groupby(self._batch, key=bulk_of):
            if bulk is None or guarded:
                if not all(self._run_one(call, guarded=guarded) for call in calls):
                    return False
            elif not self._run_together(bulk, list(calls)):
                return False
        return True

    def _run_one(self, call: Call, *, guarded: bool) -> bool:
        written, changes = self._db.total_changes, len(self._changes)
        try:
            if guarded:
                with undone(self._db):
                    self._do(call)
            else:
                self._do(call)
        except Exception as error:  # the caller's, whatever it is
            self._raise_faults(error)
            call.error = error
            del self._changes[changes:]
            return guarded or self._db.total_changes == written
        return True

    def _do(self, call: Call) -> None:
        if call.bulk is not None:
            take(call, *call.bulk(self._db, self._changes, [call.item]))
        elif call.work is not None:
            call.value = call.work(self._db, self._changes)

    def _run_together(self, bulk: Bulk, calls: list[Call]) -> bool:
        try:
            outcomes = bulk(self._db, self._changes, [call.item for call in calls])
        except Exception as error:
            self._raise_faults(error)
            calls[0].error = error  # whose it is, where it is the only one
            return False
        for call, outcome in zip(calls, outcomes, strict=True):
            take(call, outcome)
        return True

    def _raise_faults(self, error: Exception) -> None:
        """What is nobody's call: the whole transaction is lost with it."""
        if self._db.fault(error) is not None or self._db.passes(error):
            raise error

    def _fail_all(self, problem: Unavailable) -> None:
        for call in self._batch:
            # One exception each: raising one object in many tasks would tangle their tracebacks.
            call.error = Unavailable(problem.message)


def bulk_of(call: Call) -> Bulk | None:
    """Calls in a row with the same answer are run by one call of it."""
    return call.bulk


def known_elsewhere(changes: Changes) -> list[str]:
    """Ids of the jobs that other processes may have seen: not those that have just been made."""
    ids = (each if isinstance(each, str) else each.id for each in changes if isinstance(each, str) or is_old(each))
    return list(dict.fromkeys(ids))


def is_old(job: Job) -> bool:
    return job.updated > job.created


def take(call: Call, outcome: object) -> None:
    if isinstance(outcome, Exception):
        call.error = outcome
    else:
        call.value = outcome


def unavailable(db: Connection, error: Exception) -> Unavailable:
    log.error("store failed", exc_info=error)
    reason = db.fault(error) or "its database reports an error, which is in the log"
    return Unavailable(f"The job store is not available: {reason}.")
