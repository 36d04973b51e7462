"""Jobs that a vendor makes, in SQL as the writer's thread runs it: what was sent, what is waited for, what it came to.

A running job is in one of these places, told by its worker and its watch:

    held      worker "w",         no watch          about to be sent, or being sent
    deferred  worker "@",         no watch          nothing was spent; claimed again when its time comes
    parked    worker "@account",  a watch, due      the vendor makes it; its lease never ends
    made      worker "@account",  a watch, resting  claimed at once, to fetch the results
    fetched   worker "w",         a watch, resting  the results are on their way

After its end a watch may be left, in mode CANCEL or LATE.
"""

# ruff: noqa: S608  (what is put into the SQL here are our own constants)

from collections.abc import Callable, Sequence
from typing import NamedTuple

from mutoscope.model.job import Dispatch, Job, Json, Mode, Sent, State, Watch
from mutoscope.model.problem import Kind, Occupied, Problem
from mutoscope.store.protocol import UNSETTLED, UPSTREAM, PendingDelivery
from mutoscope.store.sql import ledger
from mutoscope.store.sql.connection import Connection, in_strides
from mutoscope.store.sql.events import add_event, add_new_event
from mutoscope.store.sql.jobs import HELD, IDLE, NEVER, End, Ending, changed, ended_together, words_of
from mutoscope.store.sql.rows import (
    COLUMNS,
    DISPATCH_COLUMNS,
    WATCH_COLUMNS,
    Row,
    blob,
    decode_facts,
    decode_failure,
    encode,
    job_of,
    taken_watch,
)
from mutoscope.store.sql.writer import Changes

SENT = "EXISTS (SELECT 1 FROM dispatches WHERE job = ? AND sent IN ('intended', 'accepted', 'unknown'))"
IS_PARKED = f"state = 'running' AND worker LIKE '{UPSTREAM}_%' AND leased_until = {NEVER}"
PARKED = f"id = ? AND {IS_PARKED}"
LEFT_OPEN = f"""SELECT {DISPATCH_COLUMNS} FROM dispatches LEFT JOIN jobs ON id = job
    WHERE account = ? AND sent = 'intended' AND at < ? AND (id IS NULL OR finished IS NOT NULL)"""
WAITING = "job = ? AND mode = 'wait' AND due IS NOT NULL"


# Sending


def intend(
    db: Connection, changes: Changes, *, id: str, worker: str, account: str, reference: str, now: float, alone: bool
) -> Dispatch | None:
    del changes  # a dispatch is no part of the job as it is shown
    if db.execute(f"SELECT 1 FROM jobs WHERE {HELD}", (id, worker)).fetchone() is None:
        return None
    another = "SELECT 1 FROM dispatches WHERE account = ? AND sent = 'intended' AND job <> ?"
    if alone and db.execute(another, (account, id)).fetchone():
        raise Occupied(account)
    [sent_before] = db.execute("SELECT coalesce(max(number), 0) FROM dispatches WHERE job = ?", (id,)).fetchone()
    number = int(sent_before) + 1
    try:
        _ = db.execute(
            "INSERT INTO dispatches (job, number, account, reference, sent, at) VALUES (?, ?, ?, ?, 'intended', ?)",
            (id, number, account, reference, now),
        )
    except db.failures as error:
        raise conflict(db, error, f"Job {id} was sent before, and may have reached a vendor.") from error
    add_event(db, id, "intended", now, account=account)
    return Dispatch(job=id, number=number, account=account, reference=reference, sent=Sent.INTENDED, at=now)


def conflict(db: Connection, error: Exception, message: str) -> Exception:
    """A unique index that is violated is a problem with a name; anything else is a mistake of ours."""
    return Problem(Kind.CONFLICT, message) if db.conflict(error) else error


def accept(
    db: Connection,
    changes: Changes,
    *,
    id: str,
    number: int,
    handle: Json,
    status: str,
    due: float,
    deadline: float,
    now: float,
) -> bool:
    upstream_id = str(handle["id"])
    found: tuple[str, str, str | None, str | None] | None = db.execute(
        """SELECT account, sent, upstream_id, state FROM dispatches LEFT JOIN jobs ON id = job
           WHERE job = ? AND number = ?""",
        (id, number),
    ).fetchone()
    account, sent, known, state = found or ("", "missing", None, None)
    unfinished = state is not None and not State(state).final
    if sent == "accepted" and known == upstream_id:  # told twice
        return unfinished
    if sent not in ("intended", "unknown"):
        raise Problem(Kind.CONFLICT, f"Dispatch {number} of job {id} is {sent}: it cannot be accepted.")
    packed = encode(handle)
    try:
        _ = db.execute(
            """UPDATE dispatches SET sent = 'accepted', answered = ?, upstream_id = ?, handle = ?
               WHERE job = ? AND number = ?""",
            (now, upstream_id, packed, id, number),
        )
    except db.failures as error:
        raise conflict(db, error, f"Account {account} has the task {upstream_id} for another job already.") from error
    mode = Mode.WAIT if unfinished else Mode.LATE if state == "failed" else Mode.CANCEL
    values = (id, account, packed, mode.value, now if mode is Mode.CANCEL else due, now, deadline)
    _ = db.execute(
        "INSERT INTO watches (job, account, handle, mode, due, since, deadline) VALUES (?, ?, ?, ?, ?, ?, ?)", values
    )
    if unfinished:
        take_from_worker(db, changes, id, account, status, now)
    add_event(db, id, "accepted", now, account=account, detail=upstream_id)
    return unfinished


def take_from_worker(db: Connection, changes: Changes, id: str, account: str, status: str, now: float) -> None:
    """Wherever the job is: with its worker, whose claim ends well and does not count, with another, or queued again."""
    happened = db.execute(
        f"""UPDATE jobs SET attempts =
                       attempts - CASE WHEN state = 'running' AND worker NOT LIKE '{UPSTREAM}%' THEN 1 ELSE 0 END,
                   state = 'running', worker = ?, leased_until = {NEVER}, upstream_status = ?, updated = ?
            WHERE id = ?""",
        (UPSTREAM + account, status, now, id),
    ).rowcount
    _ = changed(changes, id, happened)


def resolve(db: Connection, changes: Changes, *, id: str, number: int, sent: Sent, detail: str, now: float) -> bool:
    del changes
    row: tuple[str] | None = db.execute(
        """UPDATE dispatches SET sent = ?, answered = ?, detail = ?
           WHERE job = ? AND number = ? AND sent IN ('intended', 'unknown') RETURNING account""",
        (sent.value, now, detail, id, number),
    ).fetchone()
    if row is None:
        return False
    add_new_event(db, id, sent.value, now, account=row[0], detail=detail)
    return True


# Waiting


def due_watches(
    db: Connection,
    changes: Changes,
    *,
    account: str,
    now: float,
    limit: int,
    next_due: Callable[[Watch], float],
) -> tuple[Watch, ...]:
    del changes
    rows: list[Row] = db.execute(
        f"SELECT {WATCH_COLUMNS} FROM watches WHERE account = ? AND due IS NOT NULL AND due <= ? ORDER BY due LIMIT ?",
        (account, now, limit),
    ).fetchall()
    watches = tuple(map(taken_watch, rows))
    _ = in_strides(
        db,
        "UPDATE watches SET due = column2, polls = polls + 1 FROM (",
        "(CAST(? AS TEXT), CAST(? AS REAL))",
        [(watch.job, next_due(watch)) for watch in watches],
        ") AS given WHERE job = column1",
    )
    return watches


def hasten(db: Connection, changes: Changes, *, id: str, now: float) -> bool:
    del changes
    query = "UPDATE watches SET due = CASE WHEN due < ?1 THEN due ELSE ?1 END WHERE job = ?2 AND due IS NOT NULL"
    return db.execute(query, (now, id)).rowcount > 0


def postpone(db: Connection, changes: Changes, *, id: str, due: float) -> bool:
    del changes
    return db.execute("UPDATE watches SET due = ? WHERE job = ? AND due IS NOT NULL", (due, id)).rowcount > 0


def shift(db: Connection, changes: Changes, *, seconds: float) -> int:
    """The leases of jobs that are made here too, lest they run out together, and the time of submissions, from which it
    is counted how long a vendor may take."""
    del changes
    _ = db.execute(
        f"UPDATE jobs SET leased_until = leased_until + ? WHERE state = 'running' AND leased_until < {NEVER}",
        (seconds,),
    )
    _ = db.execute("UPDATE dispatches SET at = at + ? WHERE job IN (SELECT job FROM watches)", (seconds,))
    _ = db.execute(
        """UPDATE deliveries SET due = due + ?1, leased_until = leased_until + ?1
           WHERE delivered IS NULL AND given_up IS NULL""",
        (seconds,),
    )
    query = "UPDATE watches SET due = due + ?1, since = since + ?1, deadline = deadline + ?1"
    return db.execute(query, (seconds,)).rowcount


class Sight(NamedTuple):
    """News from a vendor of a job that it is making."""

    id: str
    status: str
    share: float | None


def observe(db: Connection, changes: Changes, items: Sequence[Sight]) -> list[bool]:
    rows = in_strides(
        db,
        "UPDATE jobs SET upstream_status = column2, progress = coalesce(column3, progress) FROM (",
        "(CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS REAL))",
        list({each.id: each for each in items}.values()),
        f") AS given WHERE id = column1 AND {IS_PARKED} RETURNING id",
    )
    happened = {str(id) for (id,) in rows}
    changes.extend(happened)
    return [each.id in happened for each in items]


# Fetching what was made


def collect(db: Connection, changes: Changes, *, id: str, facts: bytes, now: float) -> bool:
    account = rest(db, WAITING, id)
    if account is None:
        return False
    checkpoint = added_facts(db, id, facts)
    happened = db.execute(
        f"UPDATE jobs SET leased_until = ?, checkpoint = ?, updated = ? WHERE {PARKED}", (now, checkpoint, now, id)
    ).rowcount
    add_event(db, id, "made", now, account=account)
    return changed(changes, id, happened)


def rest(db: Connection, which: str, id: str) -> str | None:
    """Ask no more while the results are fetched. The account, or None when there is no such watch."""
    row: tuple[str] | None = db.execute(
        f"UPDATE watches SET mode = 'wait', due = NULL WHERE {which} RETURNING account", (id,)
    ).fetchone()
    return row and row[0]


def added_facts(db: Connection, id: str, facts: bytes) -> bytes | None:
    row: tuple[bytes | None] = db.execute("SELECT checkpoint FROM jobs WHERE id = ?", (id,)).fetchone()
    return blob({**decode_facts(row[0] or b"{}"), **decode_facts(facts)})


def park(db: Connection, changes: Changes, *, id: str, worker: str, due: float, detail: str, now: float) -> bool:
    happened = db.execute(
        f"""UPDATE jobs SET worker = (SELECT '{UPSTREAM}' || account FROM watches WHERE job = jobs.id),
                   leased_until = {NEVER}, attempts = attempts - 1, updated = ?
            WHERE {HELD} AND EXISTS (SELECT 1 FROM watches WHERE job = jobs.id)""",
        (now, id, worker),
    ).rowcount
    if not happened:
        return False
    [account] = db.execute("UPDATE watches SET due = ? WHERE job = ? RETURNING account", (due, id)).fetchone()
    add_event(db, id, "copy_failed", now, account=str(account), detail=detail)
    return changed(changes, id, happened)


# Going on elsewhere or later


def defer(db: Connection, changes: Changes, *, id: str, worker: str, until: float, detail: str, now: float) -> bool:
    happened = db.execute(
        f"""UPDATE jobs SET worker = '{UPSTREAM}', leased_until = ?, progress = NULL, attempts = attempts - 1,
                   updated = ? WHERE {HELD}""",
        (until, now, id, worker),
    ).rowcount
    if happened:
        refuse_if(
            db, "EXISTS (SELECT 1 FROM watches WHERE job = ?)", id, "is made by a vendor: it is parked, not deferred."
        )
        add_new_event(db, id, "deferred", now, detail=detail)
    return changed(changes, id, happened)


def reroute(db: Connection, changes: Changes, *, id: str, worker: str, engine: str, detail: str, now: float) -> bool:
    happened = db.execute(
        f"""UPDATE jobs SET state = 'queued', {IDLE}, engine = ?, progress = NULL, upstream_status = NULL,
                   attempts = attempts - 1, updated = ? WHERE {HELD}""",
        (engine, now, id, worker),
    ).rowcount
    if happened:
        refuse_if(db, SENT, id, "may have reached a vendor: no other is to make it.")
        add_event(db, id, "rerouted", now, account=engine, detail=detail)
    return changed(changes, id, happened)


def refuse_if(db: Connection, condition: str, id: str, reason: str) -> None:
    """Asked after the change, which the Problem undoes: who does not hold the job is told no more than that."""
    [refused] = db.execute(f"SELECT {condition}", (id,)).fetchone()
    if refused:
        raise Problem(Kind.CONFLICT, f"Job {id} {reason}")


# Ending


def settle(
    db: Connection,
    changes: Changes,
    *,
    id: str,
    ending: Ending,
    now: float,
    keep_until: float | None,
    pending_delivery: PendingDelivery | None,
) -> Job | None:
    if keep_until is None:
        query, values = f"DELETE FROM watches WHERE {WAITING} RETURNING account", (id,)
    else:
        query = f"UPDATE watches SET mode = 'late', deadline = ? WHERE {WAITING} RETURNING account"
        values = (keep_until, id)
    watch: tuple[str] | None = db.execute(query, values).fetchone()
    if watch is None:
        return None
    row: Row = db.execute(
        f"""UPDATE jobs SET state = ?, {IDLE}, failure = ?, cost = ?, finished = ?, updated = ?
            WHERE id = ? RETURNING {COLUMNS}""",
        (ending.state, ending.failure, ending.cost, now, now, id),
    ).fetchone()
    job = job_of(row)
    add_event(db, id, "ended" if keep_until is None else "overdue", now, account=watch[0], detail=words_of(job))
    ended_together(db, changes, [End(job, now, pending_delivery, True, cost_is_known=keep_until is None)])
    return job


def revive(db: Connection, changes: Changes, *, id: str, facts: bytes, now: float) -> bool:
    row: tuple[bytes] | None = db.execute(
        "SELECT failure FROM jobs WHERE id = ? AND state = 'failed' AND deleted = 0", (id,)
    ).fetchone()
    if row is None or decode_failure(row[0]).kind not in UNSETTLED:
        return False
    account = rest(db, "job = ? AND mode = 'late'", id)
    if account is None:
        return False
    happened = db.execute(
        """UPDATE jobs SET state = 'running', worker = ?, leased_until = ?, failure = NULL, cost = NULL,
                  finished = NULL, checkpoint = ?, updated = ? WHERE id = ?""",
        (UPSTREAM + account, now, added_facts(db, id, facts), now, id),
    ).rowcount
    add_event(db, id, "made", now, account=account)
    return changed(changes, id, happened)


def unwatch(db: Connection, changes: Changes, *, id: str, detail: str, cost: float | None, now: float) -> bool:
    row: tuple[str] | None = db.execute(
        "DELETE FROM watches WHERE job = ? AND mode <> 'wait' RETURNING account", (id,)
    ).fetchone()
    if row is None:
        return False
    if cost is not None:
        happened = db.execute("UPDATE jobs SET cost = ?, updated = ? WHERE id = ?", (cost, now, id)).rowcount
        _ = changed(changes, id, happened)
    ledger.learn(db, id, row[0], now)
    add_event(db, id, "late", now, account=row[0], detail=detail)
    return True


def add_event_once(
    db: Connection, changes: Changes, *, id: str, what: str, account: str | None, detail: str, now: float
) -> None:
    del changes
    add_new_event(db, id, what, now, account=account, detail=detail)
