"""The transitions of a job in SQL, as the writer's thread runs them."""

# ruff: noqa: S608  (what is put into the SQL here are our own constants)

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

import msgspec

from mutoscope.model.job import Delivery, Job
from mutoscope.model.problem import Kind, Problem
from mutoscope.store.protocol import UPSTREAM, PendingDelivery, Repeat, SpendingHold
from mutoscope.store.sql import ledger, queue
from mutoscope.store.sql.assets import OUTPUT, drop, let_go, use, use_inputs, use_outputs
from mutoscope.store.sql.connection import Connection, in_strides
from mutoscope.store.sql.events import HAS_EVENTS, add_event, add_events, ends
from mutoscope.store.sql.idempotency import Repeats
from mutoscope.store.sql.rows import (
    COLUMNS,
    HOLES,
    INSERT_JOB,
    THROTTLED,
    Row,
    blob,
    decode_facts,
    decode_notes,
    decode_outputs,
    job_of,
    receiver_of,
    texts,
)
from mutoscope.store.sql.writer import Changes

DAY = 86400.0
QUEUE_SECONDS = 10.0  # when to try again after a queue was full

# What a job loses when it is no longer run by anybody.
IDLE = "worker = NULL, leased_until = NULL"
HELD = "id = ? AND state = 'running' AND worker = ?"

SOME_DAY = 1e11
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
    db: Connection, changes: Changes, additions: Sequence[Addition], *, tallies: "Tallies"
) -> Sequence[Job | Exception]:
    """Store many jobs by a few statements."""
    missed = [each.replaces and not make_room(db, each.job, tallies) for each in additions]
    try:
        found = iter(
            add_all(db, [each for each, is_gone in zip(additions, missed, strict=True) if not is_gone], tallies)
        )
    except db.failures as error:
        if len(additions) == 1 and db.conflict(error) == "jobs":
            raise Problem(Kind.CONFLICT, f"A job with the id {additions[0].job.id} exists already.") from error
        raise
    outcomes = [Problem(Kind.CONFLICT, MISSED) if is_gone else next(found) for is_gone in missed]
    for each, is_gone, outcome in zip(additions, missed, outcomes, strict=True):
        if isinstance(outcome, Job):
            changes.append(outcome)
        elif each.replaces and not is_gone:
            raise outcome  # there is room made to be undone
    return outcomes


MISSED = "It does not wait for this any more."


def add_all(db: Connection, additions: Sequence[Addition], tallies: "Tallies") -> list[Job | Problem]:
    repeats, standings = Repeats(db), Standings(db, tallies)
    decided = decide(db, additions, repeats, standings)
    admitted = [each for each in decided if isinstance(each, Addition)]
    _ = in_strides(db, INSERT_JOB, HOLES, [each.row for each in admitted])
    ledger.add_holds(db, [(each.job, each.hold) for each in admitted if each.hold is not None])
    use_inputs(db, (each.job for each in admitted))
    add_deliveries(db, [(each.job, each.job.created, each.pending_delivery) for each in admitted])
    repeats.write()
    standings.remember()
    return [each.job if isinstance(each, Addition) else each for each in decided]


def make_room(db: Connection, job: Job, tallies: "Tallies") -> bool:
    """For what takes the place of a job that no engine has."""
    tallies.keep((job.owner, job.generation.model), None)  # one row goes, another comes
    place = "DELETE FROM jobs WHERE id = ? AND engine = '' AND finished IS NOT NULL AND deleted = 0"
    if not db.execute(place, (job.id,)).rowcount:
        return False
    _ = db.execute("DELETE FROM asset_uses WHERE job = ?", (job.id,))
    return True


def decide(
    db: Connection, additions: Sequence[Addition], repeats: Repeats, standings: "Standings"
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
                holds.joined(outcome.job.owner, hold)
            if addition.repeat is not None:
                repeats.remember(outcome.job, addition.repeat)
        decided.append(outcome)
    return decided


class Holdings:
    """What each key holds and has waiting, while a sequence of additions is decided. Read once, where a limit asks."""

    def __init__(self, db: Connection) -> None:
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

    def check(self, db: Connection) -> None:
        """Once in a transaction, before any is asked for."""
        stamp = db.execute(STAMP).fetchone()
        if stamp != self._stamp:
            self._stamp = stamp
            self._kept.clear()

    def get(self, db: Connection, pair: tuple[str, str]) -> Tally | None:
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

    def __init__(self, db: Connection, tallies: Tallies) -> None:
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
        db: Connection,
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
        query = f"SELECT count(*) FROM (SELECT 1 FROM jobs WHERE {condition} LIMIT ?) AS found"
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

# Asked again with the change itself, whoever else may be at it.
ACCEPTED = " AND EXISTS (SELECT 1 FROM watches WHERE job = jobs.id)"  # a vendor has made it, or makes it
CLAIMABLE = "(state = 'queued' AND throttled = 0 OR state = 'running' AND leased_until <= ?)"


def claim(
    db: Connection,
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
    accepted_only: bool = False,
) -> list[Job]:
    if accepted_only:
        fresh = dict.fromkeys(left_behind(db, engine, limit, now, held, ACCEPTED), False)
    else:
        fresh = claimable(db, turns, engine, limit, now, made_before, held)
    if not fresh:
        return []
    rows: list[Row] = db.execute(
        f"""UPDATE jobs SET state = 'running', worker = ?, leased_until = ?, attempts = attempts + 1,
                   progress = CASE WHEN worker LIKE '{UPSTREAM}%' THEN progress END,
                   started = coalesce(started, ?), updated = ?
            WHERE id IN (SELECT value FROM json_each(?)) AND {CLAIMABLE} RETURNING {COLUMNS}""",
        (worker, leased_until, now, now, texts(list(fresh)), now),
    ).fetchall()
    jobs = sorted(map(job_of, rows), key=lambda job: job.id)
    add_deliveries(db, [(job, now, pending_delivery) for job in jobs if fresh[job.id]])
    changes.extend(jobs)
    return jobs


# Queued again when a process died between a request that may have been paid for and its answer.
CUT_OFF = """SELECT job FROM dispatches JOIN jobs ON id = job
    WHERE account = ?1 AND sent = 'intended' AND engine = ?1 AND state = 'queued' LIMIT ?2"""


def claimable(
    db: Connection,
    turns: queue.Turns,
    engine: str,
    limit: int,
    now: float,
    made_before: float | None,
    held: Collection[str],
) -> dict[str, bool]:
    """Ids that may be taken, and whether it would be for the first time."""
    found = (
        dict.fromkeys((id for (id,) in db.execute(CUT_OFF, (engine, limit))), False) if made_before is not None else {}
    )
    found |= left_behind(db, engine, limit - len(found), now, held)
    left = limit - len(found)
    if left > 0 and made_before is not None:
        query = f"SELECT id, started IS NULL FROM jobs WHERE {queue.QUEUED} AND id < ?2 LIMIT ?3"
        found.update(db.execute(query, (engine, first_id(made_before), left)))
    elif left > 0:
        found.update(queue.next_queued(db, turns, engine, left))
    return found


def left_behind(
    db: Connection, engine: str, limit: int, now: float, held: Collection[str], also: str = ""
) -> dict[str, bool]:
    """Those whose lease has ended."""
    return dict(
        db.execute(
            f"""SELECT id, started IS NULL FROM jobs
                WHERE state = 'running' AND engine = ? AND leased_until <= ?
                AND id NOT IN (SELECT value FROM json_each(?)){also} ORDER BY leased_until LIMIT ?""",
            (engine, now, texts(tuple(held)), limit),
        )
    )


def renew(db: Connection, changes: Changes, *, worker: str, leased_until: float, ids: Sequence[str]) -> set[str]:
    del changes  # a lease is no part of the job as it is shown
    rows: list[tuple[str]] = db.execute(
        """UPDATE jobs SET leased_until = ?
           WHERE id IN (SELECT value FROM json_each(?)) AND state = 'running' AND worker = ? RETURNING id""",
        (leased_until, texts(ids), worker),
    ).fetchall()
    return {id for (id,) in rows}


class Progress(NamedTuple):
    """News of a job from the worker that has it."""

    id: str
    worker: str
    share: float | None
    status: str | None


def progress(db: Connection, changes: Changes, items: Sequence[Progress]) -> list[bool]:
    latest: dict[tuple[str, str], Row] = {}
    for each in items:
        _, _, share, status = latest.get((each.id, each.worker), (None, None, None, None))
        told = (share if each.share is None else each.share, status if each.status is None else each.status)
        latest[each.id, each.worker] = (each.id, each.worker, *told)
    rows = in_strides(
        db,
        """UPDATE jobs SET progress = coalesce(column3, progress),
               upstream_status = coalesce(column4, upstream_status) FROM (""",
        "(CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS REAL), CAST(? AS TEXT))",
        list(latest.values()),
        ") AS given WHERE id = column1 AND worker = column2 AND state = 'running' RETURNING id, worker",
    )
    happened = set(rows)
    changes.extend(str(id) for id, _ in rows)
    return [(each.id, each.worker) in happened for each in items]


def checkpoint(db: Connection, changes: Changes, *, id: str, worker: str, facts: bytes) -> bool:
    known: tuple[bytes | None] | None = db.execute(
        f"SELECT checkpoint FROM jobs WHERE {HELD}",
        (id, worker),
    ).fetchone()
    if known is None:
        return False
    merged = {**decode_facts(known[0] or b"{}"), **decode_facts(facts)}
    happened = db.execute("UPDATE jobs SET checkpoint = ? WHERE id = ?", (blob(merged), id)).rowcount
    return changed(changes, id, happened)


def release(db: Connection, changes: Changes, *, id: str, worker: str, now: float, counted: bool) -> bool:
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


class Settling(NamedTuple):
    """The end of a job by the worker that has it."""

    id: str
    worker: str
    ending: Ending
    now: float
    pending_delivery: PendingDelivery | None


SETTLE = f"""
    UPDATE jobs SET state = column3, {IDLE}, outputs = column4, failure = column5, notes = coalesce(column6, notes),
        cost = column7, progress = CASE column3 WHEN 'succeeded' THEN 1.0 ELSE progress END,
        finished = column8, updated = column8
    FROM ("""
SETTLED = f") AS given WHERE id = column1 AND state = 'running' AND worker = column2 RETURNING {COLUMNS}, {HAS_EVENTS}"
SETTLE_HOLES = (
    "(CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS BLOB), CAST(? AS BLOB), CAST(? AS BLOB),"
    " CAST(? AS REAL), CAST(? AS REAL))"
)


def settle(db: Connection, changes: Changes, items: Sequence[Settling]) -> list[Job | None]:
    """Many at once; None for what was not the worker's to end."""
    first: dict[str, Settling] = {}
    for each in items:
        first.setdefault(each.id, each)
    notes = known_notes(db, [each.id for each in first.values() if each.ending.notes])
    rows = in_strides(
        db, SETTLE, SETTLE_HOLES, [settle_row(each, notes.get(each.id, ())) for each in first.values()], SETTLED
    )
    found = {job.id: (job, bool(has_events)) for *columns, has_events in rows for job in (job_of(tuple(columns)),)}
    told = [job for job, has_events in found.values() if has_events]
    if told:
        ids = texts([job.id for job in told])
        _ = db.execute("DELETE FROM watches WHERE job IN (SELECT value FROM json_each(?))", (ids,))
        add_events(db, [(job.id, first[job.id].now, "ended", None, words_of(job)) for job in told])
    use_outputs(db, (job for job, _ in found.values()))
    ends = [End(job, first[id].now, first[id].pending_delivery, has_events) for id, (job, has_events) in found.items()]
    ended_together(db, changes, ends)
    return [found[each.id][0] if each.id in found and first[each.id] is each else None for each in items]


def settle_row(it: Settling, notes: Sequence[str]) -> Row:
    ending = it.ending
    more = blob((*notes, *ending.notes)) if ending.notes else None
    return (it.id, it.worker, ending.state, ending.outputs, ending.failure, more, ending.cost, it.now)


def words_of(job: Job) -> str:
    """How it ended, for its story."""
    return f"{job.state.value}: {job.failure.message}" if job.failure else job.state.value


def known_notes(db: Connection, ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Of those that are to have more."""
    if not ids:
        return {}
    query = "SELECT id, notes FROM jobs WHERE id IN (SELECT value FROM json_each(?)) AND notes IS NOT NULL"
    return {id: decode_notes(notes) for id, notes in db.execute(query, (texts(ids),))}


def cancel(
    db: Connection, changes: Changes, *, id: str, now: float, pending_delivery: PendingDelivery | None
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
    was_throttled = before[0] == 1
    ended_together(db, changes, [End(job, now, pending_delivery, bool(has_events), was_throttled=was_throttled)])
    return job


class End(NamedTuple):
    """A job that has just ended."""

    job: Job
    now: float
    pending_delivery: PendingDelivery | None
    has_events: bool
    was_throttled: bool = False
    cost_is_known: bool = True


def ended_together(db: Connection, changes: Changes, all: Sequence[End]) -> None:
    """What every end brings with it: the message owed, the books, and the place given up to the next in line."""
    add_deliveries(db, [(each.job, each.now, each.pending_delivery) for each in all])
    ledger.end(db, [(each.job, each.now, each.cost_is_known) for each in all])
    before = ends(db, [each.job.id for each in all if each.has_events])  # what ended before has given up its place
    places = Counter(
        (each.job.owner, each.job.generation.model)
        for each in all
        if not each.was_throttled and before.get(each.job.id, 1) < 2
    )
    now = max((each.now for each in all), default=0.0)
    for owner, model in with_throttled(db, places):
        changes.extend(unthrottle(db, owner, model, places[owner, model], now))
    changes.extend(each.job for each in all)


def with_throttled(db: Connection, pairs: Collection[tuple[str, str]]) -> Collection[tuple[str, str]]:
    """Those of which jobs wait for others to end. A single one need not be looked for."""
    if len(pairs) < 2:
        return pairs
    rows: list[Row] = in_strides(db, THROTTLED_AMONG, "(CAST(? AS TEXT), CAST(? AS TEXT))", list(pairs), THROTTLED_ONES)
    return [(str(owner), str(model)) for owner, model in rows]


THROTTLED_AMONG = "SELECT column1, column2 FROM ("
THROTTLED_ONES = """) AS given WHERE EXISTS (
    SELECT 1 FROM jobs WHERE owner = column1 AND model = column2 AND throttled = 1 AND finished IS NULL)"""


def add_deliveries(db: Connection, all: Sequence[tuple[Job, float, PendingDelivery | None]]) -> None:
    rows: list[Row] = []
    for job, now, pending_delivery in all:
        delivery: Delivery | None = pending_delivery(job) if pending_delivery is not None else None
        if delivery is not None:
            receiver = receiver_of(delivery.url)
            rows.append((delivery.id, delivery.job, delivery.url, receiver, delivery.event, delivery.body, now, now))
    into = "INSERT INTO deliveries (id, job, url, receiver, event, body, created, due)"
    _ = in_strides(db, into, "(?, ?, ?, ?, ?, ?, ?, ?)", rows)


def unthrottle(db: Connection, owner: str, model: str, places: int, now: float) -> list[str]:
    """Let the oldest throttled jobs of a pair go; returns their ids."""
    rows: list[tuple[str]] = db.execute(
        """UPDATE jobs SET throttled = 0, updated = ? WHERE id IN (
               SELECT id FROM jobs WHERE owner = ? AND model = ? AND throttled = 1 AND finished IS NULL
               ORDER BY id LIMIT ?) RETURNING id""",
        (now, owner, model, places),
    ).fetchall()
    return [id for (id,) in rows]


def illustrate(
    db: Connection, changes: Changes, *, id: str, output: str, poster: str, preview: str, now: float
) -> bool:
    """Write beside a job's file which assets show it; those of a job that is gone are dropped."""
    row: tuple[bytes | None] | None = db.execute("SELECT outputs FROM jobs WHERE id = ?", (id,)).fetchone()
    made = decode_outputs(row[0]) if row and row[0] else ()
    drawn = [each for each in (poster, preview) if each]
    file = next((each.asset for each in made if each.id == output), "")
    if (
        db.execute("SELECT 1 FROM asset_uses WHERE role = ? AND job = ? AND asset = ?", (OUTPUT, id, file)).fetchone()
        is None
    ):
        drop(db, drawn, now)
        return False
    shown = {"poster": poster, "preview": preview}
    told = tuple(msgspec.structs.replace(each, **shown) if each.id == output else each for each in made)
    _ = db.execute("UPDATE jobs SET outputs = ? WHERE id = ?", (blob(told), id))
    use(db, [(OUTPUT, id, each) for each in drawn])
    changes.append(id)
    return True


GLIMPSE = "SELECT picture FROM glimpses JOIN jobs ON id = job WHERE job = ? AND state = 'running'"


def show(db: Connection, changes: Changes, *, id: str, worker: str, picture: bytes) -> bool:
    """Keep what a job in the making has come to, in the place of what was kept before."""
    happened = db.execute(
        f"""INSERT INTO glimpses (job, picture) SELECT id, CAST(? AS BLOB) FROM jobs WHERE {HELD}
            ON CONFLICT (job) DO UPDATE SET picture = excluded.picture""",
        (picture, id, worker),
    ).rowcount
    return changed(changes, id, happened)


def hide(db: Connection, changes: Changes, *, id: str) -> bool:
    return changed(changes, id, db.execute("DELETE FROM glimpses WHERE job = ?", (id,)).rowcount)


def delete(db: Connection, changes: Changes, *, id: str, owner: str | None, now: float) -> bool:
    """Empty the row, and let go of the files. The row stays, because limits and usage count it."""
    happened = db.execute(
        """UPDATE jobs SET deleted = 1, outputs = NULL, checkpoint = NULL, notes = NULL, upstream_status = NULL,
                  request = ?1, body = ?1,
                  failure = CASE WHEN failure IS NOT NULL THEN CAST(?1 AS BLOB) END
           WHERE id = ?2 AND finished IS NOT NULL AND deleted = 0 AND owner = coalesce(?3, owner)""",
        (b"", id, owner),
    ).rowcount
    if happened:
        _ = db.execute(
            "DELETE FROM deliveries WHERE job = ? AND (delivered IS NOT NULL OR given_up IS NOT NULL)", (id,)
        )
        for table in ("events", "transcripts", "glimpses"):
            _ = db.execute(f"DELETE FROM {table} WHERE job = ?", (id,))
        let_go(db, (id,), now)
    return changed(changes, id, happened)


# Starting again


# Running, and neither parked, made nor deferred. The time comes first: it is in the index, the worker is not.
WITH_WORKER = f"state = 'running' AND leased_until < {NEVER} AND worker NOT LIKE '{UPSTREAM}%'"
# Of these, what nobody is at: of a worker that is dead, or whose lease has ended.
ABANDONED = f"{WITH_WORKER} AND (leased_until <= ? OR worker IN (SELECT value FROM json_each(?)))"
LONGEST_REQUEST = 3600.0  # no process waits longer for the answer to a submission
LONGEST_EXCHANGE = DAY  # nor talks longer in words


def recover(
    db: Connection,
    changes: Changes,
    *,
    now: float,
    concurrency: Callable[[str, str], int | None] | None,
    dead: Collection[str] | None,
    listed: Collection[str],
) -> int:
    """`dead` None: every process but this one is."""
    which, values = (WITH_WORKER, ()) if dead is None else (ABANDONED, (now, texts(sorted(dead))))
    rows: list[tuple[str]] = db.execute(
        f"""UPDATE jobs SET state = 'queued', {IDLE}, progress = NULL, updated = ?
            WHERE {which} AND NOT EXISTS (SELECT 1 FROM watches WHERE job = jobs.id) RETURNING id""",
        (now, *values),
    ).fetchall()
    # The others' results were on their way, or about to be: the next claim fetches them.
    rows += db.execute(
        f"""UPDATE jobs SET worker = (SELECT '{UPSTREAM}' || account FROM watches WHERE job = jobs.id),
                   leased_until = ?, updated = ? WHERE {which} RETURNING id""",
        (now, now, *values),
    ).fetchall()
    changes.extend(id for (id,) in rows)
    alone = dead is None
    cut_off = ledger.settle_cut_off(db, now, begun_before=SOME_DAY if alone else now - LONGEST_EXCHANGE)
    # Nobody will ask what became of these: their jobs were ended while no process was there to be told.
    _ = db.execute(
        """UPDATE dispatches SET sent = 'unknown', answered = ?1, detail = 'the job had ended before the answer came'
           WHERE sent = 'intended' AND at <= ?2 AND account NOT IN (SELECT value FROM json_each(?3)) AND job IN (
               SELECT job FROM dispatches JOIN jobs ON id = job WHERE sent = 'intended' AND finished IS NOT NULL)""",
        (now, SOME_DAY if alone else now - LONGEST_REQUEST, texts(sorted(listed))),
    )
    if alone:
        # A clock that was set back does not hold up what is made.
        _ = db.execute(
            f"""UPDATE jobs SET leased_until = ?1 WHERE state = 'running' AND leased_until > ?1
                AND leased_until < {NEVER} AND worker LIKE '{UPSTREAM}_%'""",
            (now,),
        )
        _ = db.execute("UPDATE deliveries SET due = ?, leased_until = NULL WHERE leased_until IS NOT NULL", (now,))
    if concurrency is not None:
        changes.extend(apply_limits(db, concurrency, now))
    return len(rows) + cut_off


ALL = 2**31 - 1


def apply_limits(db: Connection, concurrency: Callable[[str, str], int | None], now: float) -> list[str]:
    """Let go what the limits of today allow. Without this, jobs throttled under a lower limit would go one by one."""
    freed: list[str] = []
    waiting: list[tuple[str, str, int]] = db.execute(
        """SELECT owner, model, CAST(sum(1 - throttled) AS BIGINT) FROM jobs WHERE finished IS NULL
           GROUP BY owner, model"""
    ).fetchall()
    for owner, model, holds in waiting:
        limit = concurrency(owner, model)
        places = ALL if limit is None else max(0, limit - holds)
        freed += unthrottle(db, owner, model, places, now)
    return freed
