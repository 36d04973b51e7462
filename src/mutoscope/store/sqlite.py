"""The store in one SQLite file: WAL, synchronous=FULL, one connection that writes, reads on the event loop."""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from time import monotonic

import structlog

from mutoscope.model.problem import Kind, Problem, Unavailable
from mutoscope.store.protocol import News
from mutoscope.store.sql.connection import NOT_OPEN
from mutoscope.store.sql.migrations import check_version, migration_files, statements
from mutoscope.store.sql.rows import Row
from mutoscope.store.sql.store import SqlStore

log = structlog.get_logger("mutoscope.store")

OLDEST_SQLITE = (3, 38, 0)  # STRICT tables, RETURNING, json_each built in
COMPACT_SECONDS = 60.0  # how long it waits for others to let go of the file
APPLICATION = 0x4D55544F  # "MUTO", where `file` and others look for whose file it is

FAULTS = {
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


class SqliteStore(SqlStore):
    """The Store protocol, which documents the methods. Used from one event loop."""

    def __init__(
        self,
        path: Path,
        *,
        hot_jobs: int = 4096,
        busy_seconds: float = 5.0,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """`busy_seconds`: how long a write waits for another process to finish its own. `clock` ages the hot jobs."""
        self._path = path
        super().__init__(SqliteDatabase(path, busy_seconds), hot_jobs=hot_jobs, clock=clock)


class SqliteDatabase:
    """The Database protocol."""

    shared = False
    statements = 0  # they are called, not sent

    def __init__(self, path: Path, busy_seconds: float) -> None:
        self._path, self._busy_seconds = path, busy_seconds
        self._reader: sqlite3.Connection | None = None

    async def open(self) -> "SqliteConnection":
        if sqlite3.sqlite_version_info < OLDEST_SQLITE:
            needed = ".".join(map(str, OLDEST_SQLITE))
            raise Problem(Kind.UNAVAILABLE, f"SQLite {sqlite3.sqlite_version} is too old: {needed} is needed.")
        try:
            db = await asyncio.to_thread(open_for_writing, self._path, self._busy_seconds)
            self._reader = open_for_reading(self._path)
        except sqlite3.Error as error:
            raise unavailable(error) from error
        return db

    def listen(self, heard: Callable[[News], None]) -> None:
        """Nobody tells."""

    async def read(self, sql: str, values: Row) -> Sequence[Row]:
        """On the event loop: for what an index finds in microseconds."""
        if self._reader is None:
            raise Problem(Kind.UNAVAILABLE, NOT_OPEN)
        try:
            return self._reader.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise unavailable(error) from error

    async def report(self, sql: str, values: Row) -> Sequence[Row]:
        """In a thread, on a connection of its own."""
        if self._reader is None:
            raise Problem(Kind.UNAVAILABLE, NOT_OPEN)
        try:
            return await asyncio.to_thread(read_apart, self._path, sql, values)
        except sqlite3.Error as error:
            raise unavailable(error) from error

    async def others(self) -> int:
        """The lock of the data directory tells, not the file."""
        return 0

    async def compact(self) -> None:
        try:
            await asyncio.to_thread(compact, self._path)
        except sqlite3.Error as error:
            raise unavailable(error) from error

    async def close(self) -> None:
        if self._reader is not None:
            self._reader.close()
            self._reader = None


class SqliteConnection(sqlite3.Connection):
    """The Connection protocol, of which sqlite3's own has the most."""

    failures = sqlite3.Error

    def begin(self) -> None:
        _ = self.execute("BEGIN IMMEDIATE")

    def conflict(self, error: Exception) -> str | None:
        unique = (sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_UNIQUE)
        if isinstance(error, sqlite3.Error) and error.sqlite_errorcode in unique:
            return str(error).rpartition(": ")[2].partition(".")[0]  # UNIQUE constraint failed: TABLE.COLUMN
        return None

    def fault(self, error: BaseException) -> str | None:
        return fault(error)

    def passes(self, error: BaseException) -> bool:
        del error  # `begin` has waited already
        return False

    def announce(self, ids: Sequence[str]) -> None:
        """Nobody listens: whoever else has the file open looks now and then."""

    def number_from(self, table: str, column: str) -> None:
        """It does so by itself."""

    def touch(self) -> None:
        """Writes the page that says whose file it is: no table is needed, and nobody's row changes."""
        _ = self.execute(f"PRAGMA application_id = {APPLICATION}")


def fault(error: BaseException) -> str | None:
    """By SQLite's error code without its detail in the upper bits."""
    if not isinstance(error, sqlite3.Error):
        return None
    return FAULTS.get(getattr(error, "sqlite_errorcode", 0) & 0xFF)


def unavailable(error: sqlite3.Error) -> Unavailable:
    log.error("store failed", exc_info=error)
    reason = fault(error) or "its database reports an error, which is in the log"
    return Unavailable(f"The job store is not available: {reason}.")


# Opening


def open_for_writing(path: Path, busy_seconds: float) -> SqliteConnection:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)  # prompts are private; the files beside it inherit the mode
    db = sqlite3.connect(
        path, timeout=busy_seconds, isolation_level=None, check_same_thread=False, factory=SqliteConnection
    )
    try:
        _ = db.execute("PRAGMA journal_mode = WAL")
        _ = db.execute("PRAGMA synchronous = FULL")
        _ = db.execute("PRAGMA foreign_keys = ON")
        _ = db.execute("PRAGMA secure_delete = ON").fetchall()  # what is removed is overwritten, not only unlinked
        _ = db.execute("PRAGMA cache_size = -8192")
        _ = migrate(db)
    except BaseException:
        db.close()
        raise
    return db


def check_file(path: Path) -> None:
    """Look before anything is begun. Raises NewerDatabase, and Problem when the file cannot be used."""
    if not path.exists():
        return
    try:
        with closing(open_for_reading(path)) as db:
            check_version(version(db), len(migration_files()))
    except sqlite3.Error as error:
        raise Problem(Kind.UNAVAILABLE, f"{path} cannot be read: {error}.") from error


def open_for_reading(path: Path) -> sqlite3.Connection:
    # A reader waits for nobody in WAL mode, but for a moment while another process opens or closes the database.
    db = sqlite3.connect(path, timeout=1.0, isolation_level=None, check_same_thread=False)
    _ = db.execute("PRAGMA query_only = ON")
    _ = db.execute("PRAGMA cache_size = -8192")
    return db


def read_apart(path: Path, query: str, values: Row) -> list[Row]:
    with closing(open_for_reading(path)) as db:
        return db.execute(query, values).fetchall()


def compact(path: Path) -> None:
    """Write the file anew, so that nothing of what was removed is in it or in its journal; on a connection of its own,
    because what is written anew can be in no transaction. Raises sqlite3.Error."""
    with closing(sqlite3.connect(path, timeout=COMPACT_SECONDS, isolation_level=None)) as db:
        _ = db.execute("PRAGMA secure_delete = ON").fetchall()
        _ = db.execute("VACUUM")
        busy, _, _ = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise sqlite3.OperationalError("the journal is being read")


# The schema


def migrate(db: sqlite3.Connection) -> int:
    """Apply what is missing, all of it in one transaction, and return the version.

    The version is the number of the last file applied, in `PRAGMA user_version`. Raises NewerDatabase.
    """
    files = migration_files()
    if version(db) == len(files):
        return len(files)
    _ = db.execute("BEGIN IMMEDIATE")
    try:
        present = version(db)  # again, now that no other process can be at it
        check_version(present, len(files))
        for text in files[present:]:
            for statement in statements(text):
                _ = db.execute(statement)
        _ = db.execute(f"PRAGMA user_version = {len(files)}")
        _ = db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            _ = db.execute("ROLLBACK")
        raise
    return len(files)


def version(db: sqlite3.Connection) -> int:
    row: tuple[int] = db.execute("PRAGMA user_version").fetchone()
    return row[0]
