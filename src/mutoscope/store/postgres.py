"""The store in PostgreSQL: what its dialect and its driver have of their own. Any number of processes may share one.

A process has one connection that writes, one that reads what an index finds, a few for reports, and one that listens.
All are used in threads: the event loop waits for none of them.
"""

import asyncio
import math
import os
import re
import selectors
import socket
from collections.abc import Callable, Sequence
from functools import partial
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from time import monotonic, sleep
from typing import Any, cast

import msgspec
import psycopg
import structlog
from psycopg import RawCursor, errors
from psycopg.abc import Buffer, Query
from psycopg.adapt import AdaptersMap
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import TransactionStatus
from psycopg.types.numeric import Int8BinaryDumper
from psycopg.types.string import StrDumper

from mutoscope.model.problem import Kind, Problem, Unavailable
from mutoscope.store.fleet import Fleet
from mutoscope.store.protocol import News
from mutoscope.store.sql.connection import NOT_OPEN, Cursor
from mutoscope.store.sql.jobs import STAMP
from mutoscope.store.sql.migrations import check_version, migration_files
from mutoscope.store.sql.rows import Row, Value
from mutoscope.store.sql.store import SqlStore

log = structlog.get_logger("mutoscope.store")

CHANNEL = "mutoscope"
NOTE_BYTES = 7900  # of one message; PostgreSQL takes less than 8,000
REPORTS = 4  # connections for reports
TOGETHER = 64  # queries that go there and back together
STATEMENTS = 1000  # that are kept prepared
SETTINGS = """
    SET jit = off;
    SET enable_seqscan = off;
    SET client_min_messages = error;
    SET lock_timeout = '30s';
    SET idle_in_transaction_session_timeout = '60s';
    SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"""
"""For each connection: a create that was answered is on the disk, and a process that hangs stops nobody for long. Every
query has an index, whatever a table's statistics say that were made when it was small."""

DEFAULTS = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
"""Unless the URL says otherwise."""

LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('mutoscope ' || current_schema(), 0))"
"""One transaction at a time: what is read in it stays true until its end, as in SQLite."""


# The dialect


PLACE = re.compile(r"\?(\d*)")
RULES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\bjson_each\((\$\d+)\)"), r"json_array_elements_text(CAST(\1 AS json))"),
    (re.compile(r" INDEXED BY \w+"), ""),
    (re.compile(r"\bBLOB\b"), "BYTEA"),
    (re.compile(r"\bREAL\b"), "DOUBLE PRECISION"),
    (re.compile(r"\bdate\((\w+), 'unixepoch'\)"), r"day_of(\1)"),
    (re.compile(r"\bgroup_concat\("), "string_agg("),
)
"""What is said otherwise here than in SQLite, after `?` and `?2` have become `$1` and `$2`."""

OVERRIDES = {
    # Nothing tells whether another process has added jobs meanwhile: what was counted in one transaction is forgotten.
    STAMP: "SELECT CAST(CAST(pg_current_xact_id() AS TEXT) AS BIGINT), (SELECT number FROM removals)",
}
"""Statements that are another text altogether."""

TRANSLATED: dict[str, str] = {}


def translated(sql: str) -> str:
    text = TRANSLATED.get(sql)
    if text is None:
        text = TRANSLATED[sql] = OVERRIDES.get(sql) or translate(sql)
    return text


def translate(sql: str) -> str:
    most = 0

    def place(found: re.Match[str]) -> str:
        nonlocal most
        number = int(found[1]) if found[1] else most + 1
        most = max(most, number)
        return f"${number}"

    text = PLACE.sub(place, sql)
    for pattern, words in RULES:
        text = pattern.sub(words, text)
    return text


# The store


class PostgresStore(SqlStore):
    """The Store protocol, which documents the methods. Used from one event loop."""

    def __init__(
        self,
        url: str,
        *,
        hot_jobs: int = 4096,
        busy_seconds: float = 5.0,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """`busy_seconds`: for how long a database may be away before calls fail. `clock` ages the hot jobs."""
        super().__init__(PostgresDatabase(url, busy_seconds), hot_jobs=hot_jobs, clock=clock)
        self.fleet = Fleet(self._write, self._read)


class PostgresDatabase:
    """The Database protocol."""

    shared = True

    def __init__(self, url: str, busy_seconds: float) -> None:
        self._connect = partial(connect, url, busy_seconds, Away())
        self._reader: Reader | None = None
        self._listener: Listener | None = None
        self._reports = Idle(self._connect)
        self._slots = asyncio.Semaphore(REPORTS)
        self.writer: PostgresConnection | None = None

    @property
    def statements(self) -> int:
        return self.writer.statements if self.writer else 0

    async def open(self) -> "PostgresConnection":
        try:
            self.writer = await asyncio.to_thread(open_for_writing, self._connect)
        except psycopg.Error as error:
            raise unavailable(error) from error
        self._reader = Reader(self._connect)
        return self.writer

    def listen(self, heard: Callable[[News], None]) -> None:
        self._listener = Listener(self._connect, heard, lambda: self.writer.pid if self.writer else 0)

    async def read(self, sql: str, values: Row) -> Sequence[Row]:
        if self._reader is None:
            raise Problem(Kind.UNAVAILABLE, NOT_OPEN)
        try:
            return await self._reader.ask(sql, values)
        except psycopg.Error as error:
            raise unavailable(error) from error

    async def report(self, sql: str, values: Row) -> Sequence[Row]:
        if self._reader is None:
            raise Problem(Kind.UNAVAILABLE, NOT_OPEN)
        async with self._slots:
            try:
                return await asyncio.to_thread(self._reports.query, sql, values)
            except psycopg.Error as error:
                raise unavailable(error) from error

    async def others(self) -> int:
        [(found,)] = await self.report(OTHERS, (str(os.getpid()),))
        return msgspec.convert(found, int)

    async def compact(self) -> None:
        try:
            await asyncio.to_thread(compact, self._connect)
        except psycopg.Error as error:
            raise unavailable(error) from error

    async def close(self) -> None:
        if self._listener is not None:
            await self._listener.close()
        if self._reader is not None:
            await self._reader.close()
            self._reader = None
        self._reports.close()


def open_for_writing(connect: Callable[[], "Link"]) -> "PostgresConnection":
    db = PostgresConnection(connect)
    try:
        db.migrate()
    except BaseException:
        db.close()
        raise
    return db


def check_database(url: str) -> None:
    """Look before anything is begun. Raises NewerDatabase, and Problem when the database cannot be used."""
    try:
        with connect(url, 0.0) as db:
            check_version(version(db), len(migration_files("postgres")))
    except psycopg.Error as error:
        raise Problem(Kind.UNAVAILABLE, f"The database cannot be read: {first_line(error)}") from error


def compact(connect: Callable[[], "Link"]) -> None:
    """Write the tables anew. What was removed is in none of their files; the write-ahead log and copies keep it."""
    with connect() as db:
        for (table,) in db.execute("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()").fetchall():
            _ = db.execute(cast("Query", f'VACUUM (FULL) "{table}"'))


# Connecting

Link = psycopg.Connection[tuple[Any, ...]]


class Text(StrDumper):
    """PostgreSQL's texts have no NUL: what a vendor says with one is kept with the sign for it."""

    def dump(self, obj: str) -> Buffer | None:
        return super().dump(obj.replace("\0", "\N{SYMBOL FOR NULL}") if "\0" in obj else obj)


class Whole(Int8BinaryDumper):
    """One type for all whole numbers, so that a statement is prepared once."""


ADAPTERS = AdaptersMap(psycopg.adapters)
ADAPTERS.register_dumper(str, Text)
ADAPTERS.register_dumper(int, Whole)


class Away:
    """How long the database has been away, for all who connect from here: they wait for it together, and who comes
    later or has waited before does not wait anew."""

    def __init__(self) -> None:
        self._since = self._seen = -math.inf  # when it was first found away, and when last

    def since(self, busy_seconds: float) -> float:
        """For someone who connects now. What was long ago has passed unless it is found again."""
        now = monotonic()
        return self._since if now - self._seen <= busy_seconds else now

    def note(self, since: float) -> None:
        self._since, self._seen = since, monotonic()

    def over(self) -> None:
        self._seen = -math.inf


def connect(url: str, busy_seconds: float, away: Away | None = None) -> Link:
    """A connection, where the database is there before it was away for so many seconds. Raises psycopg.Error."""
    said = conninfo_to_dict(url)
    info = make_conninfo(url, **{name: value for name, value in DEFAULTS.items() if name not in said})
    info = make_conninfo(info, application_name=f"mutoscope {os.getpid()}")  # whose sessions are whose
    away = away or Away()
    since = away.since(busy_seconds)
    while True:
        try:
            db = psycopg.connect(info, autocommit=True, context=Adapted())
            away.over()
            break
        except psycopg.OperationalError:
            away.note(since)
            if monotonic() >= since + busy_seconds:
                raise
            sleep(0.1)
    db.prepared_max = STATEMENTS
    db.cursor_factory = cast("Any", RawCursor)
    try:
        _ = db.execute(SETTINGS)
    except BaseException:
        db.close()
        raise
    return db


class Adapted:
    """A context of psycopg's that has nothing but our adapters."""

    adapters = ADAPTERS
    connection = None


def query(db: Link, sql: str, values: Sequence[Value]) -> Any:
    cursor = db.cursor(binary=True)
    return cursor.execute(cast("bytes", translated(sql)), values, prepare=True)  # a text that is no literal


def is_lost(db: Link | None, error: BaseException) -> bool:
    """Whether the connection is of no use any more."""
    state = getattr(error, "sqlstate", None) or ""
    return db is None or db.closed or db.broken or state[:2] == "08" or state in ("57P01", "57P02", "57P03")


OTHERS = """
    SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'mutoscope %'
    AND application_name <> 'mutoscope ' || CAST(? AS TEXT)"""


# Writing


class PostgresConnection:
    """The Connection protocol."""

    failures = psycopg.Error

    def __init__(self, connect: Callable[[], Link]) -> None:
        self._connect = connect
        self._db: Link | None = connect()
        self.total_changes = 0
        self.statements = 0  # that were sent, those that begin and end transactions too

    @property
    def pid(self) -> int:
        """Of the server's process for it, by which its own messages are known."""
        return self._db.info.backend_pid if self._db is not None and not self._db.closed else 0

    def migrate(self) -> None:
        self.begin()
        try:
            migrate(self._open)
            self.commit()
        finally:
            self.rollback()

    @property
    def _open(self) -> Link:
        if self._db is None:
            raise psycopg.OperationalError("the connection to the database was lost")
        return self._db

    def begin(self) -> None:
        for is_last in (False, True):
            if self._db is None:
                self._db = self._connect()
            try:
                self._send(f"BEGIN; {LOCK}")
                return
            except psycopg.Error as error:
                lost = is_lost(self._db, error)
                self.rollback()
                if is_last or not lost:
                    raise

    def execute(self, sql: str, values: Sequence[Value] = (), /) -> Cursor:
        if sql.startswith(CONTROL):
            return self._send(sql)
        self.statements += 1
        try:
            cursor = query(self._open, sql, values)
        except psycopg.Error:
            self.total_changes += 1  # nothing more can be done in this transaction
            raise
        if not sql.startswith("SELECT"):
            self.total_changes += max(0, cursor.rowcount)
        return cursor

    def executemany(self, sql: str, rows: Sequence[Row], /) -> object:
        for row in rows:
            _ = self.execute(sql, row)
        return None

    def _send(self, sql: str) -> Cursor:
        self.statements += 1
        return self._open.execute(cast("Query", sql))

    def commit(self) -> None:
        cursor = self._send("COMMIT")
        if cast("Any", cursor).statusmessage != "COMMIT":
            raise psycopg.OperationalError("the transaction was aborted")

    def rollback(self) -> None:
        """Also when the connection is lost: then the database has undone it."""
        db = self._db
        if db is None:
            return
        try:
            if not db.closed and db.info.transaction_status is not TransactionStatus.IDLE:
                _ = self._send("ROLLBACK")
        except psycopg.Error:
            db.close()
        if db.closed:
            self._db = None

    def close(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None

    def number_from(self, table: str, column: str) -> None:
        most = f"SELECT coalesce(max({column}), 0) + 1 FROM {table}"  # noqa: S608 - our own names
        _ = self.execute(f"SELECT setval(pg_get_serial_sequence('{table}', '{column}'), ({most}), false)")

    def touch(self) -> None:
        _ = self.execute("UPDATE removals SET number = number")

    def announce(self, ids: Sequence[str]) -> None:
        stride = NOTE_BYTES // 37
        for start in range(0, len(ids), stride):
            note = f"changed {' '.join(ids[start : start + stride])}"
            _ = self.execute(f"SELECT pg_notify('{CHANNEL}', ?)", (note,))

    def conflict(self, error: Exception) -> str | None:
        return error.diag.table_name if isinstance(error, errors.UniqueViolation) else None

    def fault(self, error: BaseException) -> str | None:
        return fault(error)

    def passes(self, error: BaseException) -> bool:
        return isinstance(error, psycopg.Error) and (
            is_lost(self._db, error) or error.sqlstate in ("40001", "40P01")  # somebody else was at the same rows
        )


CONTROL = ("SAVEPOINT", "RELEASE", "ROLLBACK")

FAULTS = {
    "53100": "the database's disk is full",
    "53200": "the database's memory is exhausted",
    "53300": "the database has too many connections",
    "55P03": "another process is writing to it",
    "57014": "the database took too long",
    "25006": "the database takes no writes",
    "28000": "the database does not let us in",
    "28P01": "the database does not take the password",
    "3D000": "there is no such database",
    "42501": "the database does not allow it",
}
CLASSES = {
    "08": "the database cannot be reached",
    "53": "the database has no room",
    "57": "the database is shutting down or starting",
    "58": "the database's system reports an error",
    "XX": "the database is damaged",
}


def fault(error: BaseException) -> str | None:
    if not isinstance(error, psycopg.Error):
        return None
    state = error.sqlstate
    if state is None:  # not from the server
        return "the database cannot be reached" if isinstance(error, psycopg.OperationalError) else None
    return FAULTS.get(state) or CLASSES.get(state[:2])


def unavailable(error: psycopg.Error) -> Unavailable:
    log.error("store failed", exc_info=error)
    reason = fault(error) or "its database reports an error, which is in the log"
    return Unavailable(f"The job store is not available: {reason}.")


def first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0]


# The schema


def migrate(db: Link) -> None:
    """Apply what is missing, in the transaction that has the lock. Raises NewerDatabase."""
    files = migration_files("postgres")
    present = version(db)
    check_version(present, len(files))
    if present == len(files):
        return
    for text in files[present:]:
        _ = db.execute(cast("Query", text))
    _ = db.execute("CREATE TABLE IF NOT EXISTS schema_version (number BIGINT NOT NULL)")
    _ = db.execute("DELETE FROM schema_version")
    _ = db.execute("INSERT INTO schema_version (number) VALUES ($1)", (len(files),))


def version(db: Link) -> int:
    [there] = db.execute("SELECT to_regclass('schema_version') IS NOT NULL").fetchone() or (False,)
    if not there:
        return 0
    [number] = db.execute("SELECT max(number) FROM schema_version").fetchone() or (0,)
    return msgspec.convert(number or 0, int)


# Reading


class Question:
    """A query and whoever waits for its rows."""

    __slots__ = ("error", "future", "rows", "sql", "values")

    def __init__(self, future: asyncio.Future[list[Row]], sql: str, values: Row) -> None:
        self.future, self.sql, self.values = future, sql, values
        self.rows: list[Row] = []
        self.error: BaseException | None = None


class Reader:
    """Answers queries in a thread of its own: those that wait at one moment go to the database and back together."""

    def __init__(self, connect: Callable[[], Link]) -> None:
        self._connect = connect
        self._db: Link | None = None
        self._loop = asyncio.get_running_loop()
        self._waiting: list[Question] = []  # in this turn of the event loop
        self._queue: SimpleQueue[list[Question] | None] = SimpleQueue()
        self._thread = Thread(target=self._live, name="mutoscope-reads", daemon=True)
        self._thread.start()

    def ask(self, sql: str, values: Row) -> asyncio.Future[list[Row]]:
        question = Question(self._loop.create_future(), sql, values)
        if not self._waiting:
            _ = self._loop.call_soon(self._hand_over)
        self._waiting.append(question)
        return question.future

    def _hand_over(self) -> None:
        self._queue.put(self._waiting)
        self._waiting = []

    async def close(self) -> None:
        if self._waiting:
            self._hand_over()
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join)

    def _deliver(self, batch: list[Question]) -> None:
        for each in batch:
            if each.future.done():  # the caller was cancelled
                continue
            if each.error is None:
                each.future.set_result(each.rows)
            else:
                each.future.set_exception(each.error)

    # In the thread

    def _live(self) -> None:
        while (batch := self._queue.get()) is not None:
            while len(batch) < TOGETHER:
                try:
                    more = self._queue.get_nowait()
                except Empty:
                    break
                if more is None:
                    self._queue.put(None)
                    break
                batch = batch + more
            for start in range(0, len(batch), TOGETHER):
                self._answer(batch[start : start + TOGETHER])
            try:
                _ = self._loop.call_soon_threadsafe(self._deliver, batch)
            except RuntimeError:  # the loop was closed before the store: nobody is left to be told
                break
        if self._db is not None:
            self._db.close()

    def _answer(self, batch: list[Question]) -> None:
        try:
            if self._db is not None and len(batch) > 1:
                self._answer_together(self._db, batch)
                return
        except psycopg.Error:
            pass  # one by one they tell whose fault it is
        except Exception as error:
            log.exception("reader broke", exc_info=error)
        away: BaseException | None = None
        for each in batch:
            if away is None:
                away = self._answer_one(each)
            else:
                each.error = away  # not each of them waits anew

    def _answer_together(self, db: Link, batch: list[Question]) -> None:
        with db.pipeline():
            cursors = [query(db, each.sql, each.values) for each in batch]
        for each, cursor in zip(batch, cursors, strict=True):
            each.rows = cursor.fetchall()

    def _answer_one(self, each: Question) -> BaseException | None:
        """Also on a new connection, where the one that there was is lost. Why there is none, if so."""
        for is_last in (False, True):
            try:
                db = self._db = self._db or self._connect()
            except Exception as error:
                each.error = error
                return error
            try:
                each.rows = query(db, each.sql, each.values).fetchall()
                return None
            except Exception as error:  # told to whoever asked
                lost = is_lost(db, error)
                if lost:
                    db.close()
                    self._db = None
                if is_last or not lost:
                    each.error = error
                    return None
        return None


class Idle:
    """Connections for reports, kept while they are of use."""

    def __init__(self, connect: Callable[[], Link]) -> None:
        self._connect = connect
        self._idle: list[Link] = []
        self._lock = Lock()

    def query(self, sql: str, values: Row) -> list[Row]:
        with self._lock:
            kept = self._idle.pop() if self._idle else None
        db = kept or self._connect()
        try:
            found = query(db, sql, values).fetchall()
        except BaseException as error:
            if kept is not None and is_lost(db, error):  # it was lost while it was idle
                db.close()
                return self.query(sql, values)
            db.close()
            raise
        with self._lock:
            self._idle.append(db)
        return found

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()


# Listening

PAUSE_SECONDS = 1.0  # before it is tried again to listen


class Listener:
    """Hears in a thread of its own what other processes have changed, and tells it on the event loop."""

    def __init__(self, connect: Callable[[], Link], heard: Callable[[News], None], own: Callable[[], int]) -> None:
        """`own` is the server's process for the connection that writes here, whose messages are no news."""
        self._connect, self._heard, self._own = connect, heard, own
        self._loop = asyncio.get_running_loop()
        self._ear, self._bell = socket.socketpair()
        self._is_closed = False
        self._thread = Thread(target=self._live, name="mutoscope-listener", daemon=True)
        self._thread.start()

    async def close(self) -> None:
        self._is_closed = True
        self._bell.close()
        await asyncio.to_thread(self._thread.join)
        self._ear.close()

    def _live(self) -> None:
        is_first = True
        while not self._is_closed:
            try:
                with self._connect() as db:
                    _ = db.execute(f"LISTEN {CHANNEL}")
                    if not is_first:  # whatever was told meanwhile was not heard
                        self._tell(News(anything=True))
                    is_first = False
                    self._hear(db)
            except (psycopg.Error, OSError) as error:
                if not self._is_closed:
                    log.warning("listener lost", reason=first_line(error))
                    self._tell(News(anything=True))  # what is remembered is not to be believed meanwhile
                    self._wait(None, PAUSE_SECONDS)

    def _hear(self, db: Link) -> None:
        while not self._is_closed:
            self._wait(db, None)
            if self._is_closed:
                return
            own = self._own()
            notes = [note.payload for note in db.notifies(timeout=0) if note.pid != own]
            if notes:
                self._tell(news_of(notes))

    def _wait(self, db: Link | None, seconds: float | None) -> None:
        """Until there is something to hear, or the end."""
        with selectors.DefaultSelector() as ready:
            _ = ready.register(self._ear, selectors.EVENT_READ)
            if db is not None:
                _ = ready.register(db.fileno(), selectors.EVENT_READ)
            _ = ready.select(seconds)

    def _tell(self, news: News) -> None:
        try:
            _ = self._loop.call_soon_threadsafe(self._heard, news)
        except RuntimeError:  # the loop was closed before the store
            self._is_closed = True


def news_of(notes: Sequence[str]) -> News:
    engines: set[str] = set()
    jobs: list[str] = []
    words: set[str] = set()
    for note in notes:
        word, _, rest = note.partition(" ")
        words.add(word)
        if word == "claim":
            engines.add(rest)
        elif word == "changed":
            jobs += rest.split()
    return News(engines=frozenset(engines), jobs=tuple(jobs), deliveries="deliver" in words, watches="watch" in words)
