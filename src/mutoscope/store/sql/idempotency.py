"""Creates that come again, in SQL as the writer's thread runs it."""

# ruff: noqa: S608  (what is put into the SQL here are our own constants)

from mutoscope.model.job import Job
from mutoscope.model.problem import Kind, Problem
from mutoscope.store.protocol import Repeat
from mutoscope.store.sql.connection import Connection, in_strides
from mutoscope.store.sql.rows import COLUMNS, Row, job_of

SWEPT = 100  # rows past their time that are removed with each transaction, and as many again as it adds

FIND = "SELECT job, digest FROM repeats WHERE owner = ? AND key = ? AND until > ?"
REMEMBER = "INSERT INTO repeats (owner, key, digest, job, until)"
LAST = "ON CONFLICT (owner, key) DO UPDATE SET digest = excluded.digest, job = excluded.job, until = excluded.until"


def other_request() -> Problem:
    return Problem(Kind.CONFLICT, "The idempotency key was used before, for another request.")


def deleted_since() -> Problem:
    return Problem(Kind.CONFLICT, "The idempotency key was used before; what it made was deleted.")


class Repeats:
    """What is known of repeated creates while a sequence of additions is stored. Costs nothing where none is to be
    recognised."""

    def __init__(self, db: Connection) -> None:
        self._db = db
        self._fresh: dict[tuple[str, str], tuple[Job, Repeat]] = {}

    def earlier(self, job: Job, repeat: Repeat) -> Job | Problem | None:
        """What to answer instead of storing the job."""
        if not repeat.replays:
            return None
        fresh = self._fresh.get((job.owner, repeat.key))
        if fresh is None:
            return stored(self._db, job.owner, repeat, job.created)
        first, known = fresh
        if first.created + known.seconds <= job.created:
            return None
        return first if known.digest == repeat.digest else other_request()

    def remember(self, job: Job, repeat: Repeat) -> None:
        self._fresh[job.owner, repeat.key] = (job, repeat)

    def write(self) -> None:
        if not self._fresh:
            return
        rows: list[Row] = [
            (owner, key, repeat.digest, job.id, job.created + repeat.seconds)
            for (owner, key), (job, repeat) in self._fresh.items()
        ]
        _ = in_strides(self._db, REMEMBER, "(?, ?, ?, ?, ?)", rows, LAST)
        sweep(self._db, max(job.created for job, _ in self._fresh.values()), SWEPT + len(rows))


def stored(db: Connection, owner: str, repeat: Repeat, now: float) -> Job | Problem | None:
    found: tuple[str, str] | None = db.execute(FIND, (owner, repeat.key, now)).fetchone()
    if found is None:
        return None
    id, digest = found
    if digest != repeat.digest:
        return other_request()
    row: Row | None = db.execute(f"SELECT {COLUMNS} FROM jobs WHERE id = ? AND deleted = 0", (id,)).fetchone()
    return deleted_since() if row is None else job_of(row)


def sweep(db: Connection, now: float, limit: int) -> None:
    _ = db.execute(
        """DELETE FROM repeats WHERE (owner, key) IN (
               SELECT owner, key FROM repeats WHERE until <= ? ORDER BY until LIMIT ?)""",
        (now, limit),
    )
