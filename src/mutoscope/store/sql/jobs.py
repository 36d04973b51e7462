"""The transitions of a job in SQL, as the writer's thread runs them."""

# ruff: noqa: S608  (what is put into the SQL here are our own constants)

import sqlite3
from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

import msgspec

from mutoscope.model.job import Delivery, Job
from mutoscope.model.problem import Kind, Problem
from mutoscope.store.protocol import UPSTREAM, PendingDelivery, Repeat, SpendingHold
from mutoscope.store.sql import ledger, queue
from mutoscope.store.sql.assets import let_go, use_inputs, use_outputs
from mutoscope.store.sql.events import HAS_EVENTS, add_event, ends
from mutoscope.store.sql.idempotency import Repeats
from mutoscope.store.sql.rows import (
    COLUMNS,
    HOLES,
    INSERT_JOB,
    THROTTLED,
    Row,
    Value,
    blob,
    decode_facts,
    decode_notes,
    job_of,
    receiver_of,
)
from mutoscope.store.sql.writer import Changes, environmental

DAY = 86400.0
QUEUE_SECONDS = 10.0  # when to try again after a queue was full

# What a job loses when it is no longer run by anybody.
IDLE = "worker = NULL, leased_until = NULL"
HELD = "id = ? AND state = 'running' AND worker = ?"

NEVER = "1e12"
"""When the lease of a job ends that a vendor is making."""


def first_id(time: float) -> str:
    """A lower bound of the UUIDv7s made at this time or later."""
    digits = f"{max(0, int(time * 1000)):012x}"
    return f"{digits[:8]}-{digits[8:]}"


# Adding

TALLIES_KEPT = 10_000
# The version moves when another connection commits.
STAMP = "SELECT data_version, (SELECT number FROM removals) FROM pragma_data_version"


class Addition(NamedTuple):
    """A job to be stored, encoded on the event loop so that only SQL is left to do."""

    job: Job
    row: Row
    concurrency: int | None
    daily: int | None
    repeat: Repeat | None = None
    queued: int | None = None
    hold: SpendingHold | None = None
    replaces: bool = False  # one with its id that no engine has
    pending_delivery: PendingDelivery | None = None  # the message of a job that has ended when it is stored


def add_together(
    db: sqlite3.Connection, additions: Sequence[Addition], *, tallies: "Tallies"
) -> Sequence[Job | Exception]:
    """Store many jobs by one statement; where that fails, one by one, to tell whose fault it was."""
    if len(additions) == 1 or any(each.replaces for each in additions):
        return [add_alone(db, each, tallies) for each in additions]
    _ = db.execute("SAVEPOINT additions")
    try:
        outcomes = add_all(db, additions, tallies)
    except Exception as error:
        if environmental(error):
            raise
        _ = db.execute("ROLLBACK TO additions")
        outcomes = [add_alone(db, each, tallies) for each in additions]
    _ = db.execute("RELEASE additions")
    return outcomes


def add_all(db: sqlite3.Connection, additions: Sequence[Addition], tallies: "Tallies") -> list[Job | Problem]:
    repeats, standings = Repeats(db), Standings(db, tallies)
    decided = decide(db, additions, repeats, standings)
    admitted = [each for each in decided if isinstance(each, Addition)]
    insert_rows(db, [each.row for each in admitted])
    ledger.add_holds(db, [(each.job, each.hold) for each in admitted if each.hold is not None])
    use_inputs(db, (each.job for each in admitted))
    for each in admitted:
        add_delivery(db, each.pending_delivery, each.job, each.job.created)
    repeats.write()
    standings.remember()
    return [each.job if isinstance(each, Addition) else each for each in decided]


def insert_rows(db: sqlite3.Connection, rows: Sequence[Row]) -> None:
    """Many rows a statement, in strides of a few sizes so that the statements are prepared once.

    sqlite3 gives up the interpreter's lock for each statement and then waits for the event loop to let go of it,
    which `executemany` would do for every row.
    """
    start = 0
    for stride in STRIDES:
        while len(rows) - start >= stride:
            values = [value for row in rows[start : start + stride] for value in row]
            _ = db.execute(INSERT_STRIDE[stride], values)
            start += stride


STRIDES = (64, 16, 4, 1)
INSERT_STRIDE = {stride: INSERT_JOB + f", {HOLES}" * (stride - 1) for stride in STRIDES}


def add_alone(db: sqlite3.Connection, addition: Addition, tallies: "Tallies") -> Job | Exception:
    if (
        addition.repeat is None
        and addition.hold is None
        and not addition.replaces
        and addition.pending_delivery is None
    ):
        return try_one(db, addition, tallies)  # one statement, which undoes itself
    _ = db.execute("SAVEPOINT addition")
    outcome = try_one(db, addition, tallies)
    if isinstance(outcome, Exception):
        _ = db.execute("ROLLBACK TO addition")
    _ = db.execute("RELEASE addition")
    return outcome


def try_one(db: sqlite3.Connection, addition: Addition, tallies: "Tallies") -> Job | Exception:
    try:
        if addition.replaces:
            tallies.keep((addition.job.owner, addition.job.generation.model), None)  # one row goes, another comes
            if not cleared(db, addition.job.id):
                return Problem(Kind.CONFLICT, "It does not wait for this any more.")
        [outcome] = add_all(db, [addition], tallies)
    except Exception as error:
        if environmental(error):
            raise
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY:
            return Problem(Kind.CONFLICT, f"A job with the id {addition.job.id} exists already.")
        return error
    return outcome


def cleared(db: sqlite3.Connection, id: str) -> bool:
    """Make room for what takes the place of a job that no engine has."""
    place = "DELETE FROM jobs WHERE id = ? AND engine = '' AND finished IS NOT NULL AND deleted = 0"
    _ = db.execute("DELETE FROM asset_uses WHERE job = ?", (id,))
    return db.execute(place, (id,)).rowcount > 0


def decide(
    db: sqlite3.Connection, additions: Sequence[Addition], repeats: Repeats, standings: "Standings"
) -> list[Addition | Job | Problem]:
    """Find those that came before and apply the limits, counting what is stored and what stands earlier in this
    sequence."""
    decided: list[Addition | Job | Problem] = []
    lines, holds = Lines(standings.holdings), ledger.SpendingHolds(db)
    for addition in additions:
        earlier = repeats.earlier(addition.job, addition.repeat) if addition.repeat is not None else None
        if earlier is not None:
            decided.append(earlier)
            continue
        hold = addition.hold
        broke = holds.admit(addition.job, hold) if hold is not None else None
        outcome = lines.admit(addition) or broke or standings.of(addition.job).admit(addition)
        if isinstance(outcome, Addition):
            lines.joined(outcome)
            if hold is not None:
                holds.joined(outcome.job, hold)
            if addition.repeat is not None:
                repeats.remember(outcome.job, addition.repeat)
        decided.append(outcome)
    return decided


class Holdings:
    """What each key holds and has waiting, while a sequence of additions is decided. Read once, where a limit asks."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._open: int | None = None  # how many wait that are nobody's
        self._read: dict[str, dict[str, tuple[int, int]]] = {}  # owner → model → held, waiting

    def of(self, owner: str) -> dict[str, tuple[int, int]]:
        found = self._read.get(owner)
        if found is None:
            rows: list[tuple[str, int, int]] = self._db.execute(queue.HOLDINGS, (owner,)).fetchall()
            found = self._read[owner] = {model: (held, waiting) for model, held, waiting in rows}
        return found

    def held(self, owner: str, model: str) -> int:
        return self.of(owner).get(model, (0, 0))[0]

    def waiting(self, owner: str) -> int:
        if owner:
            return sum(waiting for _, waiting in self.of(owner).values())
        if self._open is None:
            self._open = int(self._db.execute(queue.OPEN_WAITING).fetchone()[0])
        return self._open


class Lines:
    """How many jobs each owner has waiting, while a sequence of additions is decided."""

    def __init__(self, holdings: Holdings) -> None:
        self._holdings = holdings
        self._joined: dict[str, int] = {}

    def admit(self, addition: Addition) -> Problem | None:
        owner, limit = addition.job.owner, addition.queued
        if limit is None or self._holdings.waiting(owner) + self._joined.get(owner, 0) < limit:
            return None
        return queue_full(limit)

    def joined(self, addition: Addition) -> None:
        owner = addition.job.owner
        self._joined[owner] = self._joined.get(owner, 0) + 1


class Tally(NamedTuple):
    """How many jobs of a model an owner made since some id."""

    since: str
    made: int
    last: str  # the newest of them


class Tallies:
    """The counts of the daily limit, kept from one transaction to the next, for as long as nobody else can have changed
    what they count: another process, a removal, a transaction of ours that came to nothing."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], Tally] = {}
        self._stamp: tuple[int, int] | None = None

    def check(self, db: sqlite3.Connection) -> None:
        """Once in a transaction, before any is asked for."""
        stamp = db.execute(STAMP).fetchone()
        if stamp != self._stamp:
            self._stamp = stamp
            self._kept.clear()

    def get(self, db: sqlite3.Connection, pair: tuple[str, str]) -> Tally | None:
        tally = self._kept.get(pair)
        if tally and db.execute("SELECT 1 FROM jobs WHERE id = ?", (tally.last,)).fetchone() is None:
            del self._kept[pair]  # what it counted was rolled back
            return None
        return tally

    def keep(self, pair: tuple[str, str], tally: Tally | None) -> None:
        """None: what is known of the pair does not hold any more."""
        if tally is None:
            _ = self._kept.pop(pair, None)
            return
        if len(self._kept) >= TALLIES_KEPT:
            self._kept.clear()
        self._kept[pair] = tally


class Standings:
    """The standing of each owner with each model, while a sequence of additions is decided."""

    def __init__(self, db: sqlite3.Connection, tallies: Tallies) -> None:
        self._db, self._tallies = db, tallies
        self.holdings = Holdings(db)
        self._found: dict[tuple[str, str], Standing] = {}
        self._checked = False

    def of(self, job: Job) -> "Standing":
        pair = (job.owner, job.generation.model)
        standing = self._found.get(pair)
        if standing is None:
            standing = self._found[pair] = Standing(self._db, *pair, holdings=self.holdings, tally=self._tally)
        return standing

    def remember(self) -> None:
        """For the next transaction, once the additions are stored."""
        for pair, standing in self._found.items():
            self._tallies.keep(pair, standing.tally())

    def _tally(self, pair: tuple[str, str]) -> Tally | None:
        if not self._checked:
            self._tallies.check(self._db)
            self._checked = True
        return self._tallies.get(self._db, pair)


class Standing:
    """What one owner holds and has made of one model, while a sequence of additions is decided.

    Nothing is written meanwhile, so the database is asked once and not for every addition.
    """

    def __init__(
        self,
        db: sqlite3.Connection,
        owner: str,
        model: str,
        *,
        holdings: Holdings,
        tally: Callable[[tuple[str, str]], Tally | None],
    ) -> None:
        self._db, self._pair, self._holdings, self._known = db, (owner, model), holdings, tally
        self._admitted: list[str] = []  # ids
        self._admitted_held = 0
        self._held: dict[int, int] = {}  # limit → what is stored, counted up to the limit
        self._made: tuple[str, int] | None = None  # the first id that was counted, and how many there are

    def admit(self, addition: Addition) -> Addition | Problem:
        job, limit, daily = addition.job, addition.concurrency, addition.daily
        if daily is not None and self.made_today(job, daily) >= daily:
            return quota_exceeded(job, daily)
        if limit is not None and self.held(limit) >= limit:
            addition = throttle(addition)
        self._admitted.append(job.id)
        self._admitted_held += not addition.job.throttled and job.finished is None
        return addition

    def held(self, limit: int) -> int:
        if limit not in self._held:
            query = "owner = ? AND model = ? AND throttled = 0 AND finished IS NULL"
            # An open server's jobs are counted, because they have no standing.
            self._held[limit] = self._holdings.held(*self._pair) if self._pair[0] else self._count(query, limit)
        return self._held[limit] + self._admitted_held

    def made_today(self, job: Job, daily: int) -> int:
        """Counted from above while that is below the limit, which costs no query; exactly where it would reach it."""
        since = first_id(job.created - DAY)
        if self._made is None and (tally := self._known(self._pair)):
            self._made = (tally.since, tally.made)
        if self._made is not None and self._made[0] <= since:
            most = self._made[1] + len(self._admitted)  # had none left the window since they were counted
            if most < daily:
                return most
        return self.stored_since(since, daily) + sum(id >= since for id in self._admitted)

    def stored_since(self, since: str, daily: int) -> int:
        """Counted up to the limit. A moment after the last count, only what has left the window is counted."""
        if self._made is not None and self._made[0] <= since and self._made[1] < daily:
            before, made = self._made
            made -= self._count("owner = ? AND model = ? AND id >= ? AND id < ?", daily, before, since)
        else:
            made = self._count("owner = ? AND model = ? AND id >= ?", daily, since)
        # A count that reached its limit may fall short of the truth: it is no use to the next addition.
        self._made = (since, made) if made < daily else None
        return made

    def tally(self) -> Tally | None:
        """What is known once the admitted are stored; None where nothing was counted, or not to its end."""
        if self._made is None or not self._admitted:
            return None
        since, made = self._made
        return Tally(since, made + sum(id >= since for id in self._admitted), max(self._admitted))

    def _count(self, condition: str, limit: int, *values: str) -> int:
        query = f"SELECT count(*) FROM (SELECT 1 FROM jobs WHERE {condition} LIMIT ?)"
        [found] = self._db.execute(query, (*self._pair, *values, limit)).fetchone()
        return int(found)


def quota_exceeded(job: Job, daily: int) -> Problem:
    return Problem(
        Kind.QUOTA_EXCEEDED,
        f"The daily limit of {daily} generations with {job.generation.model} is reached.",
    )


def queue_full(limit: int) -> Problem:
    return Problem(
        Kind.RATE_LIMITED,
        f"{limit} jobs of this key wait already, which is as many as may. Try again when some have begun.",
        retry_after=QUEUE_SECONDS,
    )


def throttle(addition: Addition) -> Addition:
    row = (*addition.row[:THROTTLED], 1, *addition.row[THROTTLED + 1 :])
    return addition._replace(job=msgspec.structs.replace(addition.job, throttled=True), row=row)


# Running


def claim(
    db: sqlite3.Connection,
    changes: Changes,
    *,
    turns: queue.Turns,
    engine: str,
    worker: str,
    leased_until: float,
    limit: int,
    now: float,
    pending_delivery: PendingDelivery | None,
    made_before: float | None = None,
    held: Collection[str] = (),
) -> list[Job]:
    fresh = claimable(db, turns, engine, limit, now, made_before, held)
    if not fresh:
        return []
    rows: list[Row] = db.execute(
        f"""UPDATE jobs SET state = 'running', worker = ?, leased_until = ?, attempts = attempts + 1,
                   progress = CASE WHEN worker GLOB '{UPSTREAM}*' THEN progress END,
                   started = coalesce(started, ?), updated = ?
            WHERE id IN (SELECT value FROM json_each(?)) RETURNING {COLUMNS}""",
        (worker, leased_until, now, now, ids_of(fresh)),
    ).fetchall()
    jobs = sorted(map(job_of, rows), key=lambda job: job.id)
    for job in jobs:
        if fresh[job.id]:
            add_delivery(db, pending_delivery, job, now)
    changes.extend(jobs)
    return jobs


def claimable(
    db: sqlite3.Connection,
    turns: queue.Turns,
    engine: str,
    limit: int,
    now: float,
    made_before: float | None,
    held: Collection[str],
) -> dict[str, bool]:
    """Ids that may be taken, and whether it would be for the first time."""
    found: dict[str, bool] = dict(
        db.execute(
            """SELECT id, started IS NULL FROM jobs
               WHERE state = 'running' AND engine = ? AND leased_until <= ?
               AND id NOT IN (SELECT value FROM json_each(?)) ORDER BY leased_until LIMIT ?""",
            (engine, now, ids_of(tuple(held)), limit),
        )
    )
    left = limit - len(found)
    if left > 0 and made_before is not None:
        query = f"SELECT id, started IS NULL FROM jobs WHERE {queue.QUEUED} AND id < ?2 LIMIT ?3"
        found.update(db.execute(query, (engine, first_id(made_before), left)))
    elif left > 0:
        found.update(queue.next_queued(db, turns, engine, left))
    return found


def renew(
    db: sqlite3.Connection, changes: Changes, *, worker: str, leased_until: float, ids: Sequence[str]
) -> set[str]:
    del changes  # a lease is no part of the job as it is shown
    rows: list[tuple[str]] = db.execute(
        """UPDATE jobs SET leased_until = ?
           WHERE id IN (SELECT value FROM json_each(?)) AND state = 'running' AND worker = ? RETURNING id""",
        (leased_until, ids_of(ids), worker),
    ).fetchall()
    return {id for (id,) in rows}


def progress(
    db: sqlite3.Connection, changes: Changes, *, id: str, worker: str, share: float | None, status: str | None
) -> bool:
    happened = db.execute(
        f"""UPDATE jobs SET progress = coalesce(?, progress), upstream_status = coalesce(?, upstream_status)
            WHERE {HELD}""",
        (share, status, id, worker),
    ).rowcount
    return changed(changes, id, happened)


def checkpoint(db: sqlite3.Connection, changes: Changes, *, id: str, worker: str, facts: bytes) -> bool:
    known: tuple[bytes | None] | None = db.execute(
        f"SELECT checkpoint FROM jobs WHERE {HELD}",
        (id, worker),
    ).fetchone()
    if known is None:
        return False
    merged = {**decode_facts(known[0] or b"{}"), **decode_facts(facts)}
    happened = db.execute("UPDATE jobs SET checkpoint = ? WHERE id = ?", (blob(merged), id)).rowcount
    return changed(changes, id, happened)


def release(db: sqlite3.Connection, changes: Changes, *, id: str, worker: str, now: float, counted: bool) -> bool:
    """A job that a vendor has made is not queued again: it stays running, to be claimed by the next worker."""
    watch: tuple[str] | None = db.execute("SELECT account FROM watches WHERE job = ?", (id,)).fetchone()
    if watch is None:
        place, values = f"state = 'queued', {IDLE}, progress = NULL", ()
    else:
        place, values = "worker = ?, leased_until = ?", (UPSTREAM + watch[0], now)
    happened = db.execute(
        f"UPDATE jobs SET {place}, attempts = attempts - ?, updated = ? WHERE {HELD}",
        (*values, 0 if counted else 1, now, id, worker),
    ).rowcount
    return changed(changes, id, happened)


def changed(changes: Changes, id: str, rows: int) -> bool:
    if rows:
        changes.append(id)
    return rows > 0


# Ending


class Ending(NamedTuple):
    """How a job ends; the blobs are encoded already."""

    state: str
    outputs: bytes | None
    failure: bytes | None
    notes: tuple[str, ...]
    cost: float


def settle(
    db: sqlite3.Connection,
    changes: Changes,
    *,
    id: str,
    worker: str,
    ending: Ending,
    now: float,
    pending_delivery: PendingDelivery | None,
) -> Job | None:
    row: Row | None = db.execute(
        f"""UPDATE jobs SET state = ?, {IDLE}, outputs = ?, failure = ?, notes = coalesce(?, notes), cost = ?,
                   progress = CASE ?1 WHEN 'succeeded' THEN 1.0 ELSE progress END, finished = ?, updated = ?
            WHERE {HELD} RETURNING {COLUMNS}, {HAS_EVENTS}""",
        (
            ending.state,
            ending.outputs,
            ending.failure,
            all_notes(db, id, ending.notes) if ending.notes else None,
            ending.cost,
            now,
            now,
            id,
            worker,
        ),
    ).fetchone()
    if row is None:
        return None
    *columns, has_events = row
    job = job_of(tuple(columns))
    if has_events:
        _ = db.execute("DELETE FROM watches WHERE job = ?", (id,))
        add_event(db, id, "ended", now, detail=words_of(job))
    use_outputs(db, job)
    return ended(db, changes, job, now, pending_delivery, has_events=bool(has_events))


def words_of(job: Job) -> str:
    """How it ended, for its story."""
    return f"{job.state.value}: {job.failure.message}" if job.failure else job.state.value


def all_notes(db: sqlite3.Connection, id: str, more: tuple[str, ...]) -> bytes | None:
    row: tuple[bytes | None] | None = db.execute("SELECT notes FROM jobs WHERE id = ?", (id,)).fetchone()
    known = decode_notes(row[0]) if row and row[0] else ()
    return blob((*known, *more))


def cancel(
    db: sqlite3.Connection, changes: Changes, *, id: str, now: float, pending_delivery: PendingDelivery | None
) -> Job | None:
    before: tuple[int] | None = db.execute(
        "SELECT throttled FROM jobs WHERE id = ? AND finished IS NULL", (id,)
    ).fetchone()
    if before is None:
        return None
    row: Row = db.execute(
        f"""UPDATE jobs SET state = 'canceled', {IDLE}, throttled = 0, cost = 0.0, finished = ?, updated = ?
            WHERE id = ? RETURNING {COLUMNS}, {HAS_EVENTS}""",
        (now, now, id),
    ).fetchone()
    *columns, has_events = row
    if has_events:
        _ = db.execute("UPDATE watches SET mode = 'cancel', due = ? WHERE job = ?", (now, id))
        add_event(db, id, "canceled", now)
    job = job_of(tuple(columns))
    return ended(db, changes, job, now, pending_delivery, has_events=bool(has_events), was_throttled=before[0] == 1)


def ended(
    db: sqlite3.Connection,
    changes: Changes,
    job: Job,
    now: float,
    pending_delivery: PendingDelivery | None,
    *,
    has_events: bool,
    was_throttled: bool = False,
    cost_is_known: bool = True,
) -> Job:
    """What every end brings with it: the message owed, the books, and the place given up to the next in line."""
    add_delivery(db, pending_delivery, job, now)
    ledger.end(db, job, now, is_known=cost_is_known)
    had_place = not was_throttled and not (has_events and ends(db, job.id) > 1)  # given up at the first end
    if had_place:
        changes.extend(unthrottle(db, job.owner, job.generation.model, 1, now))
    changes.append(job)
    return job


def add_delivery(db: sqlite3.Connection, pending_delivery: PendingDelivery | None, job: Job, now: float) -> None:
    delivery: Delivery | None = pending_delivery(job) if pending_delivery is not None else None
    if delivery is None:
        return
    values: Row = (
        delivery.id,
        delivery.job,
        delivery.url,
        receiver_of(delivery.url),
        delivery.event,
        delivery.body,
        now,
        now,
    )
    _ = db.execute(
        """INSERT INTO deliveries (id, job, url, receiver, event, body, created, due)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?)""",
        values,
    )


def unthrottle(db: sqlite3.Connection, owner: str, model: str, places: int, now: float) -> list[str]:
    """Let the oldest throttled jobs of a pair go; returns their ids."""
    rows: list[tuple[str]] = db.execute(
        """UPDATE jobs SET throttled = 0, updated = ? WHERE id IN (
               SELECT id FROM jobs WHERE owner = ? AND model = ? AND throttled = 1 AND finished IS NULL
               ORDER BY id LIMIT ?) RETURNING id""",
        (now, owner, model, places),
    ).fetchall()
    return [id for (id,) in rows]


def delete(db: sqlite3.Connection, changes: Changes, *, id: str, owner: str | None, now: float) -> bool:
    """Empty the row, and let go of the files. The row stays, because limits and usage count it."""
    happened = db.execute(
        """UPDATE jobs SET deleted = 1, outputs = NULL, failure = CASE WHEN failure IS NOT NULL THEN x'' END,
                  checkpoint = NULL, notes = NULL, upstream_status = NULL, request = x'', body = x''
           WHERE id = ? AND finished IS NOT NULL AND deleted = 0 AND owner = coalesce(?, owner)""",
        (id, owner),
    ).rowcount
    if happened:
        _ = db.execute(
            "DELETE FROM deliveries WHERE job = ? AND (delivered IS NOT NULL OR given_up IS NOT NULL)", (id,)
        )
        _ = db.execute("DELETE FROM events WHERE job = ?", (id,))
        let_go(db, (id,), now)
    return changed(changes, id, happened)


# Starting again


# Running, and neither parked, made nor deferred. The time comes first: it is in the index, the worker is not.
WITH_WORKER = f"state = 'running' AND leased_until < {NEVER} AND worker NOT GLOB '{UPSTREAM}*'"


def recover(
    db: sqlite3.Connection,
    changes: Changes,
    *,
    now: float,
    concurrency: Callable[[str, str], int | None] | None,
) -> int:
    rows: list[tuple[str]] = db.execute(
        f"""UPDATE jobs SET state = 'queued', {IDLE}, progress = NULL, updated = ?
            WHERE {WITH_WORKER} AND NOT EXISTS (SELECT 1 FROM watches WHERE job = jobs.id) RETURNING id""",
        (now,),
    ).fetchall()
    # The others' results were on their way, or about to be: the next claim fetches them.
    rows += db.execute(
        f"""UPDATE jobs SET worker = (SELECT '{UPSTREAM}' || account FROM watches WHERE job = jobs.id),
                   leased_until = ?, updated = ? WHERE {WITH_WORKER} RETURNING id""",
        (now, now),
    ).fetchall()
    changes.extend(id for (id,) in rows)
    cut_off = ledger.settle_cut_off(db, now)
    # A clock that was set back does not hold up what is made.
    _ = db.execute(
        f"""UPDATE jobs SET leased_until = ?1 WHERE state = 'running' AND leased_until > ?1 AND leased_until < {NEVER}
            AND worker GLOB '{UPSTREAM}?*'""",
        (now,),
    )
    # Nobody will ask what became of these: their jobs were ended while no process was there to be told.
    _ = db.execute(
        """UPDATE dispatches SET sent = 'unknown', answered = ?, detail = 'the job had ended before the answer came'
           WHERE sent = 'intended' AND job IN (
               SELECT job FROM dispatches JOIN jobs ON id = job WHERE sent = 'intended' AND finished IS NOT NULL)""",
        (now,),
    )
    _ = db.execute("UPDATE deliveries SET due = ?, leased_until = NULL WHERE leased_until IS NOT NULL", (now,))
    if concurrency is not None:
        changes.extend(apply_limits(db, concurrency, now))
    return len(rows) + cut_off


def apply_limits(db: sqlite3.Connection, concurrency: Callable[[str, str], int | None], now: float) -> list[str]:
    """Let go what the limits of today allow. Without this, jobs throttled under a lower limit would go one by one."""
    freed: list[str] = []
    waiting: list[tuple[str, str, int]] = db.execute(
        "SELECT owner, model, sum(throttled = 0) FROM jobs WHERE finished IS NULL GROUP BY owner, model"
    ).fetchall()
    for owner, model, holds in waiting:
        limit = concurrency(owner, model)
        places = -1 if limit is None else max(0, limit - holds)  # LIMIT -1: all
        freed += unthrottle(db, owner, model, places, now)
    return freed


def ids_of(ids: Sequence[str] | dict[str, bool]) -> Value:
    """A parameter for json_each: one statement, however many ids."""
    return msgspec.json.encode(list(ids)).decode()
