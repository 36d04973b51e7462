"""What jobs cost, in SQL as the writer's thread runs it: entries that follow from transitions, and who may go on."""

# ruff: noqa: S608  (what is put into the SQL here are our own constants)

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Literal

import msgspec
from msgspec import Struct

from mutoscope.model.job import Job
from mutoscope.model.problem import Kind, Problem
from mutoscope.store.protocol import Basis, Entry, Outlay, Settlement, SpendingHold, SpendingRow
from mutoscope.store.sql.connection import Connection, in_strides
from mutoscope.store.sql.rows import Row, texts
from mutoscope.store.sql.writer import Changes

DAY = 86400
MICRO = 1_000_000  # the ledger counts in millionths of a credit: sums of whole numbers are exact

ENTRY_COLUMNS = "job, kind, amount, owner, model, engine, at"
ENTER = f"INSERT INTO ledger ({ENTRY_COLUMNS})"
HOLES = "(?, ?, ?, ?, ?, ?, ?)"
CHARGE = f"{ENTER} VALUES {HOLES}"
RELEASE = f"""
    INSERT INTO ledger ({ENTRY_COLUMNS})
    SELECT reserved.job, 'release', reserved.amount, reserved.owner, reserved.model, column2, column3 FROM ("""
RELEASE_HOLES = "(CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS REAL))"
RELEASED = """) AS given CROSS JOIN ledger AS reserved WHERE reserved.job = column1 AND reserved.kind = 'reserve'
    AND NOT EXISTS (SELECT 1 FROM ledger WHERE job = column1 AND kind = 'release') RETURNING job"""
# Whoever was forgotten meanwhile has no name any more.
SETTLE = f"""
    INSERT INTO ledger ({ENTRY_COLUMNS}, basis)
    SELECT column1, 'charge', column2,
           coalesce((SELECT owner FROM ledger WHERE job = column1 AND kind = 'reserve'), column3),
           column4, column5, column6, column7 FROM ("""
SETTLE_HOLES = """(CAST(? AS TEXT), CAST(? AS BIGINT), CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS TEXT),
    CAST(? AS REAL), CAST(? AS TEXT))"""
SETTLED = """) AS given WHERE NOT EXISTS (SELECT 1 FROM ledger WHERE job = column1 AND kind = 'charge')"""
CUT_OFF = """
    SELECT job, amount, owner, model, engine FROM outlays CROSS JOIN ledger
    WHERE job = id AND kind = 'reserve' AND at <= ?"""
CHARGED = "SELECT CAST(coalesce(sum(amount), 0) AS BIGINT) FROM ledger WHERE job = ? AND kind IN ('charge', 'late')"
BALANCE = "SELECT period, charged, reserved FROM balances WHERE owner = ?1 AND period IN ('', ?2)"
ENTRIES = f"""
    SELECT {ENTRY_COLUMNS}, basis FROM ledger WHERE job = ?
    ORDER BY CASE kind WHEN 'reserve' THEN 0 WHEN 'release' THEN 1 WHEN 'charge' THEN 2 ELSE 3 END"""
SPENDING = """
    SELECT date(at, 'unixepoch'), owner, model, engine, count(DISTINCT job), CAST(sum(amount) AS BIGINT) FROM ledger
    WHERE kind IN ('charge', 'late') AND at >= ?1 AND at < ?2
    GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4"""
OWNERS_SPENDING = SPENDING.replace("GROUP", "AND owner = ?3 GROUP")
# An open server's jobs have no entries: nobody is charged. What they cost is on the jobs.
OPEN_SPENDING = f"""
    SELECT date(finished, 'unixepoch'), owner, model, engine, count(*), CAST(round(sum(cost) * {MICRO}) AS BIGINT)
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

    def __init__(self, db: Connection) -> None:
        self._db = db
        self._taken: dict[tuple[str, str], int] = {}  # owner and period → charged and set aside, as the database has it
        self._set_aside: dict[str, int] = {}  # by those admitted since

    def admit(self, job: Job, hold: SpendingHold) -> Problem | None:
        if hold.budget is None:
            return None
        left = self.left(job.owner, job.created, hold, hold.budget)
        return over_budget(hold, left / MICRO) if micro(hold.credits) > left else None

    def left(self, owner: str, at: float, hold: SpendingHold, budget: float) -> int:
        """Of the budget, in millionths."""
        key = (owner, period_of(hold.period, at))
        if key not in self._taken:
            self._taken[key] = sum(balance(self._db.execute(BALANCE, key), key[1]))
        return micro(budget) - self._taken[key] - self._set_aside.get(owner, 0)

    def joined(self, owner: str, hold: SpendingHold) -> None:
        self._set_aside[owner] = self._set_aside.get(owner, 0) + micro(hold.credits)


def over_budget(hold: SpendingHold, left: float) -> Problem:
    when = {"day": " a day", "month": " a month"}.get(hold.period, "")
    return Problem(
        Kind.OVER_BUDGET,
        f"This may cost {hold.credits:g} credits, and {max(left, 0):g} are left of this key's {hold.budget:g}{when};"
        " what unfinished jobs may cost is set aside.",
    )


def add_holds(db: Connection, jobs: Iterable[tuple[Job, SpendingHold]]) -> None:
    rows = [
        (job.id, "reserve", micro(hold.credits), job.owner, job.generation.model, job.engine, job.created)
        for job, hold in jobs
    ]
    _ = in_strides(db, ENTER, HOLES, rows)


# Ending


def end(db: Connection, jobs: Iterable[tuple[Job, float, bool]]) -> None:
    """Jobs have ended, each at a time: give back what was set aside, and charge what they cost, unless that is to be
    learned yet."""
    owned = [each for each in jobs if each[0].owner]
    released = release(db, [(job.id, job.engine, now) for job, now, _ in owned])
    charges: list[Row] = []
    for job, now, is_known in owned:
        if not is_known or not job.cost:
            continue
        owner, model, engine = job.owner, job.generation.model, job.engine
        if job.id not in released:  # it ended before
            charge_rest(db, job.id, owner, model, engine, cost=job.cost, now=now)
        elif (amount := micro(job.cost)) > 0:
            charges.append((job.id, "charge", amount, owner, model, engine, now))
    _ = in_strides(db, ENTER, HOLES, charges)


def release(db: Connection, rows: Sequence[Row]) -> set[str]:
    """Give back what was set aside, once; for which ids that was now."""
    return {str(id) for (id,) in in_strides(db, RELEASE, RELEASE_HOLES, rows, RELEASED)}


def learn(db: Connection, id: str, engine: str, now: float) -> None:
    """Nothing more is to be learned of what a job cost that ended before."""
    row: tuple[str, str, float | None] | None = db.execute(
        "SELECT owner, model, cost FROM jobs WHERE id = ?", (id,)
    ).fetchone()
    owner, model, cost = row or ("", "", None)
    if owner and cost:
        charge_rest(db, id, owner, model, engine, cost=cost, now=now)


def charge_rest(db: Connection, id: str, owner: str, model: str, engine: str, *, cost: float, now: float) -> None:
    """Enter, late, what is not charged yet of what a job cost. What was charged once is not taken back."""
    [charged] = db.execute(CHARGED, (id,)).fetchone()
    enter(db, id, "late", owner, model, engine, amount=micro(cost) - int(charged), now=now)


def enter(db: Connection, id: str, kind: str, owner: str, model: str, engine: str, *, amount: int, now: float) -> None:
    if amount > 0:
        _ = db.execute(CHARGE, (id, kind, amount, owner, model, engine, now))


# Words


def set_aside(db: Connection, changes: Changes, outlays: Sequence[Outlay]) -> list[Problem | None]:
    """Those for which enough is left, one after the other; for each of the others why not."""
    del changes
    holds, admitted, outcomes = SpendingHolds(db), list[Outlay](), list[Problem | None]()
    for each in outlays:
        hold, problem = each.hold, None
        if hold.budget is not None:
            left = holds.left(each.owner, each.at, hold, hold.budget)
            problem = over_budget(hold, left / MICRO) if micro(hold.credits) > max(left, 0) else None
        if problem is None:
            holds.joined(each.owner, hold)
            admitted.append(each)
        outcomes.append(problem)
    set_all_aside(db, admitted)
    return outcomes


def set_all_aside(db: Connection, outlays: Sequence[Outlay]) -> None:
    """Whatever is left."""
    rows = [
        (each.id, "reserve", micro(each.hold.credits), each.owner, each.model, each.engine, each.at) for each in outlays
    ]
    _ = in_strides(db, ENTER, HOLES, rows)
    _ = in_strides(db, "INSERT INTO outlays (id)", "(?)", [(each.id,) for each in outlays])


def settle(db: Connection, settlements: Sequence[Settlement]) -> None:
    """Once: an exchange that was settled before stays as it is. Of several with one id the first one counts."""
    aside = {it.id: (it.id, it.engine, it.at) for it in reversed(settlements) if it.aside}
    if aside:
        _ = release(db, list(aside.values()))
        _ = db.execute("DELETE FROM outlays WHERE id IN (SELECT value FROM json_each(?))", (texts(list(aside)),))
    charged = {it.id: it for it in reversed(settlements) if micro(it.credits) > 0}
    rows = [(it.id, micro(it.credits), it.owner, it.model, it.engine, it.at, it.basis) for it in charged.values()]
    _ = in_strides(db, SETTLE, SETTLE_HOLES, rows, SETTLED)


def settle_cut_off(db: Connection, now: float, *, begun_before: float) -> int:
    """What the last process did not live to settle is charged as it was set aside: nobody knows better."""
    rows: list[tuple[str, int, str, str, str]] = db.execute(CUT_OFF, (begun_before,)).fetchall()
    settle(
        db,
        [
            Settlement(id=id, owner=owner, model=model, engine=engine, credits=amount / MICRO, at=now, basis="estimate")
            for id, amount, owner, model, engine in rows
        ],
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
