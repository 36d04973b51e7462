"""What the transitions need of a database: one connection that writes, and a way to read. Each database is one file
beside this folder.

The SQL is written once, in what SQLite and PostgreSQL both understand: CASE for comparisons that are added up, ON
CONFLICT with its target, LIKE, a name for each sub-select, whole numbers cast to BIGINT where they are sums. Where that
does not reach, PostgreSQL's file translates.
"""

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from mutoscope.store.protocol import News
from mutoscope.store.sql.rows import Row, Value

NOT_OPEN = "The job store is not open."


class Cursor(Protocol):
    """What a statement came to."""

    @property
    def rowcount(self) -> int: ...

    def fetchone(self) -> Any: ...

    def fetchall(self) -> list[Any]: ...

    def __iter__(self) -> Iterator[Any]: ...


class Connection(Protocol):
    """The connection that writes, used by the writer's thread alone."""

    @property
    def failures(self) -> type[Exception]:
        """What the driver raises."""
        ...

    @property
    def total_changes(self) -> int:
        """Grows with each row that is written, so that one can tell whether there is anything to undo."""
        ...

    def begin(self) -> None:
        """Begin a transaction that nobody else's overlaps with. Connects anew where the connection was lost."""
        ...

    def execute(self, sql: str, values: Sequence[Value] = ..., /) -> Cursor: ...

    def executemany(self, sql: str, rows: Sequence[Row], /) -> object: ...

    def commit(self) -> None: ...

    def rollback(self) -> None: ...

    def close(self) -> None: ...

    def conflict(self, error: Exception) -> str | None:
        """The table in which something is there already that may be there once only; None for any other error."""
        ...

    def fault(self, error: BaseException) -> str | None:
        """Why the database failed, where it did, and not the call."""
        ...

    def passes(self, error: BaseException) -> bool:
        """Whether the transaction came to nothing for a reason that may be gone at a second try."""
        ...

    def touch(self) -> None:
        """Write something without meaning."""
        ...

    def number_from(self, table: str, column: str) -> None:
        """Have new rows numbered from behind those that are there."""
        ...

    def announce(self, ids: Sequence[str]) -> None:
        """With this transaction, tell other processes that these jobs have changed."""
        ...


class Database(Protocol):
    """A database as the store opens it and reads from it. Raises Problem(UNAVAILABLE)."""

    shared: bool
    """Whether other processes may work on the same jobs."""

    @property
    def statements(self) -> int:
        """That were sent to it to write."""
        ...

    async def open(self) -> Connection:
        """The connection that writes, with the schema up to date. Raises NewerDatabase too."""
        ...

    def listen(self, heard: Callable[[News], None]) -> None:
        """Have it told, on the event loop, what other processes change from now on."""
        ...

    async def read(self, sql: str, values: Row) -> Sequence[Row]:
        """For what an index finds in microseconds."""
        ...

    async def report(self, sql: str, values: Row) -> Sequence[Row]:
        """For what grows with the number of jobs asked about: nobody waits for it who asks for less."""
        ...

    async def others(self) -> int:
        """How many sessions of other processes are at it, as far as it can tell."""
        ...

    async def compact(self) -> None: ...

    async def close(self) -> None: ...


@contextmanager
def undone(db: Connection) -> Generator[None]:
    """What is written under this is undone when it raises, and the transaction goes on."""
    _ = db.execute("SAVEPOINT one")
    try:
        yield
    except BaseException as error:
        if db.fault(error) is None:
            _ = db.execute("ROLLBACK TO one")
            _ = db.execute("RELEASE one")
        raise
    _ = db.execute("RELEASE one")


STRIDES = (64, 16, 4, 1)
TEXTS: dict[tuple[str, str, int], str] = {}


def in_strides(db: Connection, before: str, holes: str, rows: Sequence[Row], after: str = "") -> list[Row]:
    """Run `before VALUES (…), (…) after` for many rows, in strides of a few sizes so that the statements are prepared
    once; `holes` are those of one row. What is RETURNING of all of them.

    sqlite3 gives up the interpreter's lock for each statement and then waits for the event loop to let go of it,
    which `executemany` would do for every row; and to PostgreSQL each statement is a way there and back.
    """
    found: list[Row] = []
    start = 0
    for stride in STRIDES:
        while len(rows) - start >= stride:
            text = TEXTS.get((before, after, stride))
            if text is None:
                text = TEXTS[before, after, stride] = f"{before} VALUES {', '.join([holes] * stride)} {after}"
            cursor = db.execute(text, [value for row in rows[start : start + stride] for value in row])
            if "RETURNING" in after:
                found += cursor.fetchall()
            start += stride
    return found
