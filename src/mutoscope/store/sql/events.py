"""The lines of a job's events in SQL, as the writer's thread runs it."""

from collections.abc import Sequence

from mutoscope.store.sql.connection import Connection, in_strides
from mutoscope.store.sql.rows import Row, texts

# A line of a deleted job would never be removed.
ADD_EVENT = """INSERT INTO events (job, at, what, account, detail)
               SELECT ?1, ?2, ?3, ?4, ?5 WHERE EXISTS (SELECT 1 FROM jobs WHERE id = ?1 AND deleted = 0)"""

HAS_EVENTS = "EXISTS (SELECT 1 FROM events WHERE job = jobs.id)"
"""Whether a vendor has or had to do with a job, at the price of one seek: the first line is written before anything
is sent."""


ENDS = """SELECT job, count(*) FROM events
          WHERE job IN (SELECT value FROM json_each(?)) AND what IN ('ended', 'overdue', 'canceled') GROUP BY job"""


def ends(db: Connection, ids: Sequence[str]) -> dict[str, int]:
    """How often jobs ended: more than once where their vendor made them after all."""
    return dict(db.execute(ENDS, (texts(ids),))) if ids else {}


def add_events(db: Connection, rows: Sequence[Row]) -> None:
    """Lines of jobs that are there."""
    _ = in_strides(db, "INSERT INTO events (job, at, what, account, detail)", "(?, ?, ?, ?, ?)", rows)


def add_event(db: Connection, id: str, what: str, now: float, *, account: str | None = None, detail: str = "") -> None:
    _ = db.execute(ADD_EVENT, (id, now, what, account, detail))


def add_new_event(
    db: Connection, id: str, what: str, now: float, *, account: str | None = None, detail: str = ""
) -> None:
    """Add a line, unless it says the same as the last one."""
    last: tuple[str, str | None, str] | None = db.execute(
        "SELECT what, account, detail FROM events WHERE job = ? ORDER BY number DESC LIMIT 1", (id,)
    ).fetchone()
    if last != (what, account, detail):
        add_event(db, id, what, now, account=account, detail=detail)
