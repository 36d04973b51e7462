"""The one thread that writes to SQLite: whatever waits at the same moment shares a transaction, and its fsync.

Calls are collected on the event loop during one turn of it and handed over together, so that the thread wakes
once per turn; what arrives while a transaction is under way makes up the next one. Results come back to the
loop once per transaction, after its commit.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from enum import Enum
from itertools import groupby
from queue import Empty, SimpleQueue
from threading import Thread
from time import sleep
from typing import Any

import structlog

from mutoscope.model.job import Job
from mutoscope.model.problem import Kind, Problem, Unavailable

log = structlog.get_logger("mutoscope.store")

Changes = list[Job | str]
"""What a call changed: the jobs as they now stand, or the ids of jobs to be read again."""

Work = Callable[[sqlite3.Connection, Changes], Any]
"""One caller's statements. The value goes to the caller once it is durable; an exception undoes them alone."""

Bulk = Callable[[sqlite3.Connection, Any], Sequence[Any]]
"""The same for many callers at once: takes their items, returns for each a Job or an exception."""

MAX_BATCH = 1024  # calls in a transaction: bounds how long the first of them waits
CROWD = 8  # calls in one transaction that promise more than are there yet for the next

ENVIRONMENT = {
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_IOERR: "the disk reports an error",
    sqlite3.SQLITE_CORRUPT: "the database file is damaged",
    sqlite3.SQLITE_NOTADB: "the file is not a database",
    sqlite3.SQLITE_BUSY: "another process is writing to it",
    sqlite3.SQLITE_LOCKED: "another process is writing to it",
    sqlite3.SQLITE_READONLY: "the file may not be written",
    sqlite3.SQLITE_CANTOPEN: "the file cannot be opened",
    sqlite3.SQLITE_PERM: "the file may not be opened",
    sqlite3.SQLITE_NOMEM: "memory is exhausted",
}
"""Errors that are nobody's call: the whole transaction is lost with them."""


class How(Enum):
    """How a call stands to the others of its transaction."""

    ALONE = "alone"  # one statement, which undoes itself when it fails
    GUARDED = "guarded"  # several statements, to be undone together
    TOGETHER = "together"  # one function for the items of many callers


class Call:
    """What one caller waits for."""

    __slots__ = ("changes", "error", "future", "how", "item", "value", "work")

    def __init__(self, future: asyncio.Future[Any], how: How, work: Work | Bulk, item: object = None) -> None:
        self.future, self.how, self.work, self.item = future, how, work, item
        self.value: Any = None
        self.error: BaseException | None = None
        self.changes: Changes = []


class Writer:
    """Runs calls in its thread; `published` is told on the event loop of what was committed."""

    def __init__(self, db: sqlite3.Connection, published: Callable[[Changes], None]) -> None:
        self.commits = 0  # transactions that were committed
        self._db, self._published = db, published
        self._loop = asyncio.get_running_loop()
        self._waiting: list[Call] = []  # collected in this turn of the event loop
        self._queue: SimpleQueue[list[Call] | None] = SimpleQueue()
        self._batch: list[Call] = []  # the thread's
        self._crowded = False
        self._refusal: str | None = None
        self._ended = self._loop.create_future()
        self._thread = Thread(target=self._live, name="mutoscope-store", daemon=True)
        self._thread.start()

    # On the event loop

    def do(self, work: Work, *, guarded: bool = False) -> asyncio.Future[Any]:
        """Run statements of one caller; `guarded` when there is more than one to be undone together."""
        return self._submit(Call(self._loop.create_future(), How.GUARDED if guarded else How.ALONE, work))

    def join(self, bulk: Bulk, item: object) -> asyncio.Future[Any]:
        """Run one caller's item together with those of its neighbours in the queue."""
        return self._submit(Call(self._loop.create_future(), How.TOGETHER, bulk, item))

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

    def _deliver(self, batch: list[Call]) -> None:
        for call in batch:
            if call.error is None:
                self._published(call.changes)
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
        self._deliver(lost)
        if not self._ended.done():
            self._ended.set_result(None)

    # In the thread

    def _live(self) -> None:
        error: BaseException | None = None
        try:
            while self._take():
                self._write()
                self._call_loop(self._deliver, self._batch)
                self._batch = []
        except BaseException as caught:  # told to every caller, now and later
            error = caught
        try:
            self._db.close()
        except sqlite3.Error as caught:
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
        try:
            _ = self._db.execute("BEGIN IMMEDIATE")
            for key, calls in groupby(self._batch, key=together):
                self._run(key, list(calls))
            if self._sole and self._batch[0].error is not None:
                _ = self._db.execute("ROLLBACK")
                return
            _ = self._db.execute("COMMIT")
            self.commits += 1
        except sqlite3.Error as error:
            if self._db.in_transaction:
                _ = self._db.execute("ROLLBACK")
            self._fail_all(unavailable(error))

    def _run(self, bulk: Bulk | None, calls: list[Call]) -> None:
        if bulk is not None:
            self._run_together(bulk, calls)
            return
        for call in calls:
            if call.how is How.GUARDED:
                self._run_guarded(call)
            else:
                self._run_alone(call)

    def _run_together(self, bulk: Bulk, calls: list[Call]) -> None:
        for call, outcome in zip(calls, bulk(self._db, [call.item for call in calls]), strict=True):
            if isinstance(outcome, Exception):
                call.error = outcome
            else:
                call.value = outcome
                call.changes.append(outcome)

    @property
    def _sole(self) -> bool:
        """One call has the transaction for itself, which undoes it without a savepoint."""
        return len(self._batch) == 1

    def _run_guarded(self, call: Call) -> None:
        if self._sole:
            self._run_alone(call)
            return
        _ = self._db.execute("SAVEPOINT one")
        self._run_alone(call)
        if call.error is not None:
            _ = self._db.execute("ROLLBACK TO one")
        _ = self._db.execute("RELEASE one")

    def _run_alone(self, call: Call) -> None:
        try:
            call.value = call.work(self._db, call.changes)
        except Exception as error:  # the caller's, whatever it is
            if environmental(error):
                raise
            call.error = error

    def _fail_all(self, problem: Unavailable) -> None:
        for call in self._batch:
            # One exception each: raising one object in many tasks would tangle their tracebacks.
            call.error = Unavailable(problem.message)


def together(call: Call) -> Bulk | None:
    """Calls in a row with the same answer are run by one call of it."""
    return call.work if call.how is How.TOGETHER else None


def environmental(error: BaseException) -> bool:
    """Whether the database failed, not the call."""
    return isinstance(error, sqlite3.Error) and primary_code(error) in ENVIRONMENT


def unavailable(error: sqlite3.Error) -> Unavailable:
    log.error("store failed", exc_info=error)
    reason = ENVIRONMENT.get(primary_code(error), "its database reports an error, which is in the log")
    return Unavailable(f"The job store is not available: {reason}.")


def primary_code(error: sqlite3.Error) -> int:
    """SQLite's error code without its detail in the upper bits."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF
