"""Moves what one store has into another, whichever databases they are in, and looks whether it is all there.

Rows go over in the order of their keys, some hundreds a transaction, so that a copy that was cut off goes on behind the
last one that arrived. The sums that triggers keep are not copied: they come to be again, and have to come to the same.
"""

# ruff: noqa: S608  (what is put into the SQL here are our own constants)

from collections.abc import AsyncIterator, Callable
from functools import partial
from hashlib import sha256

import msgspec
from msgspec import Struct

from mutoscope.model.problem import Kind, Problem
from mutoscope.store.sql.connection import Connection, in_strides
from mutoscope.store.sql.rows import Row, Value
from mutoscope.store.sql.store import SqlStore
from mutoscope.store.sql.writer import Changes

BATCH = 500  # rows


class Table(Struct, frozen=True):
    name: str
    key: tuple[str, ...]  # by which its rows are in order
    columns: str
    order: str = ""  # where that is not the key's


JOBS = """id, wire, route, owner, model, engine, state, throttled, deleted, progress, upstream_status,
    worker, leased_until, attempts, created, updated, started, finished, cost, outputs, failure, checkpoint,
    notes, request, body"""
DELIVERIES = (
    """number, id, job, url, receiver, event, body, created, due, attempts, delivered, given_up, leased_until"""
)
UPLOADS = (
    """rowid, id, wire, owner, media_type, name, min_bytes, max_bytes, created, slot_expires, expires, asset, bytes"""
)
TABLES = (
    Table("keys", ("id",), "id, name, digest, prefix, rights, created, expires, revoked, last_used"),
    Table("jobs", ("id",), JOBS),
    # What is set aside comes before it is given back, which the table holds it to.
    Table(
        "ledger",
        ("job", "kind"),
        "job, kind, amount, owner, model, engine, at, basis",
        "job, CASE kind WHEN 'reserve' THEN 0 ELSE 1 END, kind",
    ),
    Table("outlays", ("id",), "id"),
    Table("deliveries", ("number",), DELIVERIES),
    Table("delivery_attempts", ("delivery", "number"), "delivery, number, at, status, error, ms"),
    Table("uploads", ("rowid",), UPLOADS),
    Table(
        "dispatches",
        ("job", "number"),
        "job, number, account, reference, sent, at, answered, upstream_id, handle, detail",
    ),
    Table("watches", ("job",), "job, account, handle, mode, due, polls, since, deadline"),
    Table("events", ("number",), "number, job, at, what, account, detail"),
    Table("repeats", ("owner", "key"), "owner, key, digest, job, until"),
    Table("traffic", ("day", "owner"), "day, owner, bytes"),
    Table("exchanges", ("id",), "id, owner, began, ended, record, request, response"),
    Table("answers", ("owner", "id"), "owner, id, engine, previous, created, ready, record, input, events"),
    Table("transcripts", ("job", "number"), "job, number, bytes, record"),
    Table("ended_passes", ("nonce",), "nonce, until"),
    Table("asset_uses", ("role", "job", "asset"), "role, job, asset"),
    Table("asset_drops", ("asset",), "asset, due"),
)
BALANCES = Table("balances", ("owner", "period"), "owner, period, charged, reserved")
SUMS = (
    BALANCES,
    Table("standings", ("owner", "model"), "owner, model, held, waiting"),
)
"""Kept by triggers. Rows of nothing but zeros may be in one database and not in another."""
COUNTED = ("key_changes", "removals")  # one row each, a number that never falls


class Copied(Struct, frozen=True):
    table: str
    rows: int


async def copy(source: SqlStore, target: SqlStore, *, told: Callable[[str, int, int], None]) -> tuple[Copied, ...]:
    """Both are open, and nobody else writes to either. `told` hears a table's name, how many of its rows are there and
    how many there will be. Raises Problem CONFLICT where the target has rows that the source has not, or where it is
    not the same in the end."""
    copied: list[Copied] = []
    for table in TABLES:
        rows = await count(source, table)
        there = await count(target, table)
        if there > rows:
            raise others(table, there)
        told(table.name, there, rows)
        async for batch in batches(source, table, behind=await last(target, table) if there else None):
            there += await target.write(partial(put, table=table, rows=batch))
            told(table.name, min(there, rows), rows)
        copied.append(Copied(table.name, rows))
    for name in COUNTED:
        [(number,)] = await source.report(f"SELECT number FROM {name}", ())
        await target.write(partial(raise_to, name=name, number=number))
    async for batch in batches(source, BALANCES, behind=None):
        await target.write(partial(set_balances, rows=batch))
    await target.write(count_on)
    await compare(source, target)
    return tuple(copied)


async def compare(source: SqlStore, target: SqlStore) -> None:
    """Raises Problem CONFLICT, which names the table, where the two do not have the same."""
    for table in (*TABLES, *SUMS):
        ours, theirs = await digest(source, table), await digest(target, table)
        if ours != theirs:
            (here, one), (there, other) = ours, theirs
            what = f"{here} rows here and {there} there" if here != there else f"other rows ({one:.12} and {other:.12})"
            raise Problem(Kind.CONFLICT, f"The table {table.name} is not the same in both: {what}.")


async def digest(store: SqlStore, table: Table) -> tuple[int, str]:
    """How many rows a table has, and a digest of them."""
    number, found = 0, sha256()
    async for batch in batches(store, table, behind=None):
        for row in batch:
            if table in SUMS and not any(row[2:]):
                continue
            number += 1
            found.update(repr(tuple(map(plain, row))).encode("utf-8", "surrogatepass"))
    return number, found.hexdigest()


def plain(value: Value) -> Value:
    """As PostgreSQL has it, which knows no NUL in a text."""
    return value.replace("\0", "\N{SYMBOL FOR NULL}") if isinstance(value, str) and "\0" in value else value


def others(table: Table, rows: int) -> Problem:
    return Problem(
        Kind.CONFLICT,
        f"The target has rows of its own in {table.name} ({rows}): copy into an empty database, or one into which"
        " a copy of the same store was begun.",
    )


async def count(store: SqlStore, table: Table) -> int:
    [(found,)] = await store.report(f"SELECT count(*) FROM {table.name}", ())
    return msgspec.convert(found, int)


async def last(store: SqlStore, table: Table) -> Row:
    """The key of the last row."""
    down = ", ".join(f"{name} DESC" for name in table.key)
    [row] = await store.report(f"SELECT {', '.join(table.key)} FROM {table.name} ORDER BY {down} LIMIT 1", ())
    return row


async def batches(store: SqlStore, table: Table, *, behind: Row | None) -> AsyncIterator[list[Row]]:
    """The rows of a table in the order of its first key, from behind one on. The ledger's are whole jobs."""
    if table.order and table.name == "ledger":
        async for batch in entries(store, table, "" if behind is None else str(behind[0])):
            yield batch
        return
    key = ", ".join(table.key)
    holes = ", ".join("?" * len(table.key))
    places = [[each.strip() for each in table.columns.split(",")].index(name) for name in table.key]
    while True:
        which = f"WHERE ({key}) > ({holes})" if behind is not None else ""
        query = f"SELECT {table.columns} FROM {table.name} {which} ORDER BY {key} LIMIT ?"
        rows = list(await store.report(query, (*(behind or ()), BATCH)))
        if rows:
            yield rows
        if len(rows) < BATCH:
            return
        behind = tuple(rows[-1][place] for place in places)


async def entries(store: SqlStore, table: Table, behind: str) -> AsyncIterator[list[Row]]:
    """Of the ledger, from a job on: what of its entries is there already is not entered again."""
    at_or_behind = ">="
    while True:
        jobs = list(
            await store.report(
                f"SELECT DISTINCT job FROM ledger WHERE job {at_or_behind} ? ORDER BY job LIMIT ?", (behind, BATCH)
            )
        )
        if not jobs:
            return
        first, final = jobs[0][0], jobs[-1][0]
        query = f"SELECT {table.columns} FROM ledger WHERE job >= ? AND job <= ? ORDER BY {table.order}"
        yield list(await store.report(query, (first, final)))
        behind, at_or_behind = str(final), ">"


def put(db: Connection, _changes: Changes, *, table: Table, rows: list[Row]) -> int:
    """How many of them were not there."""
    if table.name == "ledger":
        known = set(db.execute("SELECT job, kind FROM ledger WHERE job >= ? AND job <= ?", (rows[0][0], rows[-1][0])))
        rows = [row for row in rows if (row[0], row[1]) not in known]
        # One statement for each kind: what is released has been reserved by then.
        for is_reserve in (True, False):
            chosen = [row for row in rows if (row[1] == "reserve") is is_reserve]
            _ = in_strides(db, f"INSERT INTO ledger ({table.columns})", holes_of(table), chosen)
        return len(rows)
    _ = in_strides(db, f"INSERT INTO {table.name} ({table.columns})", holes_of(table), rows)
    return len(rows)


def holes_of(table: Table) -> str:
    return f"({', '.join('?' * len(table.columns.split(',')))})"


def set_balances(db: Connection, _changes: Changes, *, rows: list[Row]) -> None:
    """An owner of whom a part was forgotten has been charged more than their entries say."""
    same = "ON CONFLICT (owner, period) DO UPDATE SET charged = excluded.charged, reserved = excluded.reserved"
    _ = in_strides(db, f"INSERT INTO balances ({BALANCES.columns})", holes_of(BALANCES), rows, same)


def raise_to(db: Connection, _changes: Changes, *, name: str, number: Value) -> None:
    _ = db.execute(f"UPDATE {name} SET number = ?1 WHERE number < ?1", (number,))


def count_on(db: Connection, _changes: Changes) -> None:
    """New rows have numbers behind those that were copied."""
    for table, column in (("deliveries", "number"), ("events", "number"), ("uploads", "rowid")):
        db.number_from(table, column)


# Whether the sums are right

CHECKS = {
    "standings": """
        SELECT count(*) FROM (
            SELECT owner, model, sum(CASE WHEN finished IS NULL AND throttled = 0 THEN 1 ELSE 0 END) AS held,
                sum(CASE WHEN state = 'queued' THEN 1 ELSE 0 END) AS waiting
            FROM jobs WHERE owner <> '' GROUP BY owner, model) AS found
        LEFT JOIN standings AS kept ON kept.owner = found.owner AND kept.model = found.model
        WHERE found.held <> coalesce(kept.held, 0) OR found.waiting <> coalesce(kept.waiting, 0)""",
    "balances": """
        SELECT count(*) FROM (
            SELECT owner, sum(CASE kind WHEN 'reserve' THEN amount WHEN 'release' THEN -amount ELSE 0 END) AS reserved,
                sum(CASE WHEN kind IN ('charge', 'late') THEN amount ELSE 0 END) AS charged
            FROM ledger GROUP BY owner) AS found
        LEFT JOIN balances AS kept ON kept.owner = found.owner AND kept.period = ''
        WHERE found.reserved <> coalesce(kept.reserved, 0) OR found.charged > coalesce(kept.charged, 0)""",
    "watches": """
        SELECT count(*) FROM jobs WHERE state = 'running' AND worker LIKE '@_%'
        AND NOT EXISTS (SELECT 1 FROM watches WHERE job = jobs.id)""",
}
"""How many rows do not agree with what they are the sum of, or lack what belongs to them. Who was forgotten in part has
been charged more than their entries say."""


async def check(store: SqlStore) -> dict[str, int]:
    """The checks that found something, with how many rows."""
    found: dict[str, int] = {}
    for name, query in CHECKS.items():
        [(number,)] = await store.report(query, ())
        if number:
            found[name] = msgspec.convert(number, int)
    return found
