"""What jobs cost, in SQL as the writer's thread runs it: entries that follow from transitions, and who may go on."""

# ruff: noqa: S608  (what is put into the SQL here are our own constants)

import sqlite3
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Literal

import msgspec
from msgspec import Struct

from mutoscope.model.job import Job
from mutoscope.model.problem import Kind, Problem
from mutoscope.store.protocol import Basis, Entry, Outlay, Settlement, SpendingHold, SpendingRow
from mutoscope.store.sql.rows import Row
from mutoscope.store.sql.writer import Changes

DAY = 86400
MICRO = 1_000_000  # the ledger counts in millionths of a credit: sums of whole numbers are exact

ENTRY_COLUMNS = "job, kind, amount, owner, model, engine, at"
# One statement for all jobs of a transaction: what the interpreter's lock costs is paid once.
RESERVE = f"""
    INSERT INTO ledger ({ENTRY_COLUMNS})
    SELECT value ->> 0, 'reserve', value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5 FROM json_each(?)"""
RELEASE = f"""
    INSERT INTO ledger ({ENTRY_COLUMNS})
    SELECT job, 'release', amount, owner, model, ?2, ?3 FROM ledger AS reserved WHERE job = ?1 AND kind = 'reserve'
    AND NOT EXISTS (SELECT 1 FROM ledger WHERE job = ?1 AND kind = 'release')"""
CHARGE = f"INSERT INTO ledger ({ENTRY_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)"
# Whoever was forgotten meanwhile has no name any more.
SETTLE = f"""
    INSERT INTO ledger ({ENTRY_COLUMNS}, basis)
    SELECT ?1, 'charge', ?2, coalesce((SELECT owner FROM ledger WHERE job = ?1 AND kind = 'reserve'), ?3),
           ?4, ?5, ?6, ?7
    WHERE NOT EXISTS (SELECT 1 FROM ledger WHERE job = ?1 AND kind = 'charge')"""
CUT_OFF = """
    SELECT job, amount, owner, model, engine FROM outlays CROSS JOIN ledger ON job = id AND kind = 'reserve'"""
CHARGED = "SELECT total(amount) FROM ledger WHERE job = ? AND kind IN ('charge', 'late')"
BALANCE = "SELECT period, charged, reserved FROM balances WHERE owner = ?1 AND period IN ('', ?2)"
ENTRIES = f"""
    SELECT {ENTRY_COLUMNS}, basis FROM ledger WHERE job = ?
    ORDER BY CASE kind WHEN 'reserve' THEN 0 WHEN 'release' THEN 1 WHEN 'charge' THEN 2 ELSE 3 END"""
SPENDING = """
    SELECT date(at, 'unixepoch'), owner, model, engine, count(DISTINCT job), sum(amount) FROM ledger
    WHERE kind IN ('charge', 'late') AND at >= ?1 AND at < ?2
    GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4"""
OWNERS_SPENDING = SPENDING.replace("GROUP", "AND owner = ?3 GROUP")
# An open server's jobs have no entries: nobody is charged. What they cost is on the jobs.
OPEN_SPENDING = f"""
    SELECT date(finished, 'unixepoch'), owner, model, engine, count(*), CAST(round(sum(cost) * {MICRO}) AS INTEGER)
    FROM jobs WHERE owner = '' AND finished >= ?1 AND finished < ?2 AND cost > 0
    GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4"""


def micro(credits: float) -> int:
    return round(credits * MICRO)


def period_of(period: str, at: float) -> str:
    """The key of the balance that a budget is held against."""
    day = day_of(int(at // DAY))
    return {"day": day, "month": day[:7]}.get(period, "")


@lru_cache(maxsize=2)
def day_of(number: int) -> str:
    return datetime.fromtimestamp(number * DAY, UTC).date().isoformat()


# Making


class SpendingHolds:
    """What each owner has spent and set aside, while a sequence of additions is decided. Asked where a budget wants it;
    nothing is written meanwhile, so the database is asked once."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._taken: dict[tuple[str, str], int] = {}  # owner and period → charged and set aside, as the database has it
        self._set_aside: dict[str, int] = {}  # by those admitted since

    def admit(self, job: Job, hold: SpendingHold) -> Problem | None:
        if hold.budget is None:
            return None
        key = (job.owner, period_of(hold.period, job.created))
        if key not in self._taken:
            self._taken[key] = sum(balance(self._db.execute(BALANCE, key), key[1]))
        left = micro(hold.budget) - self._taken[key] - self._set_aside.get(job.owner, 0)
        return over_budget(hold, left / MICRO) if micro(hold.credits) > left else None

    def joined(self, job: Job, hold: SpendingHold) -> None:
        self._set_aside[job.owner] = self._set_aside.get(job.owner, 0) + micro(hold.credits)


def over_budget(hold: SpendingHold, left: float) -> Problem:
    when = {"day": " a day", "month": " a month"}.get(hold.period, "")
    return Problem(
        Kind.OVER_BUDGET,
        f"This may cost {hold.credits:g} credits, and {max(left, 0):g} are left of this key's {hold.budget:g}{when};"
        " what unfinished jobs may cost is set aside.",
    )


def add_holds(db: sqlite3.Connection, jobs: Iterable[tuple[Job, SpendingHold]]) -> None:
    rows = [
        (job.id, micro(hold.credits), job.owner, job.generation.model, job.engine, job.created) for job, hold in jobs
    ]
    if rows:
        _ = db.execute(RESERVE, (msgspec.json.encode(rows).decode(),))


# Ending


def end(db: sqlite3.Connection, job: Job, now: float, *, is_known: bool = True) -> None:
    """A job has ended: give back what was set aside, and charge what it cost, unless that is to be learned yet."""
    if not job.owner:
        return
    is_first = db.execute(RELEASE, (job.id, job.engine, now)).rowcount > 0
    if not is_known or not job.cost:
        return
    if is_first:
        enter(db, job.id, "charge", job.owner, job.generation.model, job.engine, amount=micro(job.cost), now=now)
    else:
        charge_rest(db, job.id, job.owner, job.generation.model, job.engine, cost=job.cost, now=now)


def learn(db: sqlite3.Connection, id: str, engine: str, now: float) -> None:
    """Nothing more is to be learned of what a job cost that ended before."""
    row: tuple[str, str, float | None] | None = db.execute(
        "SELECT owner, model, cost FROM jobs WHERE id = ?", (id,)
    ).fetchone()
    owner, model, cost = row or ("", "", None)
    if owner and cost:
        charge_rest(db, id, owner, model, engine, cost=cost, now=now)


def charge_rest(
    db: sqlite3.Connection, id: str, owner: str, model: str, engine: str, *, cost: float, now: float
) -> None:
    """Enter, late, what is not charged yet of what a job cost. What was charged once is not taken back."""
    [charged] = db.execute(CHARGED, (id,)).fetchone()
    enter(db, id, "late", owner, model, engine, amount=micro(cost) - int(charged), now=now)


def enter(
    db: sqlite3.Connection, id: str, kind: str, owner: str, model: str, engine: str, *, amount: int, now: float
) -> None:
    if amount > 0:
        _ = db.execute(CHARGE, (id, kind, amount, owner, model, engine, now))


# Words


def set_aside(db: sqlite3.Connection, changes: Changes, *, outlay: Outlay) -> None:
    del changes
    hold = outlay.hold
    if hold.budget is not None:
        period = period_of(hold.period, outlay.at)
        left = micro(hold.budget) - sum(balance(db.execute(BALANCE, (outlay.owner, period)), period))
        if micro(hold.credits) > max(left, 0):
            raise over_budget(hold, left / MICRO)
    row = (outlay.id, "reserve", micro(hold.credits), outlay.owner, outlay.model, outlay.engine, outlay.at)
    _ = db.execute(CHARGE, row)
    _ = db.execute("INSERT INTO outlays (id) VALUES (?)", (outlay.id,))


def settle(db: sqlite3.Connection, settlement: Settlement) -> None:
    """Once: an exchange that was settled before stays as it is."""
    it = settlement
    if it.aside:
        _ = db.execute(RELEASE, (it.id, it.engine, it.at))
        _ = db.execute("DELETE FROM outlays WHERE id = ?", (it.id,))
    if (amount := micro(it.credits)) > 0:
        _ = db.execute(SETTLE, (it.id, amount, it.owner, it.model, it.engine, it.at, it.basis))


def settle_cut_off(db: sqlite3.Connection, now: float) -> int:
    """What the last process did not live to settle is charged as it was set aside: nobody knows better."""
    rows: list[tuple[str, int, str, str, str]] = db.execute(CUT_OFF).fetchall()
    for id, amount, owner, model, engine in rows:
        credits = amount / MICRO
        settle(
            db, Settlement(id=id, owner=owner, model=model, engine=engine, at=now, credits=credits, basis="estimate")
        )
    return len(rows)


# Reading


def balance(rows: Iterable[Row], period: str) -> tuple[int, int]:
    """Of the rows of BALANCE: what was charged in the period, and what is set aside now, for whenever."""
    found = {str(name): (charged, reserved) for name, charged, reserved in rows}
    charged, reserved = found.get(period, (0, 0))[0], found.get("", (0, 0))[1]
    return msgspec.convert((charged, reserved), tuple[int, int])


class EntryRow(Struct, frozen=True, array_like=True):
    """The columns of ENTRY_COLUMNS."""

    job: str
    kind: Literal["reserve", "release", "charge", "late"]
    amount: int
    owner: str
    model: str
    engine: str
    at: float
    basis: Basis


def entry_of(row: Row) -> Entry:
    it = msgspec.convert(row, EntryRow)
    return Entry(
        job=it.job,
        kind=it.kind,
        credits=it.amount / MICRO,
        owner=it.owner,
        model=it.model,
        engine=it.engine,
        at=it.at,
        basis=it.basis,
    )


def spending_of(row: Row) -> SpendingRow:
    day, owner, model, engine, jobs, amount = msgspec.convert(row, tuple[str, str, str, str, int, int])
    return SpendingRow(day=day, owner=owner, model=model, engine=engine, jobs=jobs, credits=amount / MICRO)
