"""What is swept when its time is over, and what is forgotten with its owner, in SQL as the writer's thread runs it.

Each call looks at a bounded number of rows, from behind the last one it saw, and is a transaction of its own.
"""

# ruff: noqa: S608  (what is put into the SQL here are our own constants)

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple

from mutoscope.store.protocol import Forgotten, Kept, Swept
from mutoscope.store.sql.assets import INPUT, NEEDED, OUTPUT, drop, let_go
from mutoscope.store.sql.connection import Connection
from mutoscope.store.sql.deliveries import PENDING
from mutoscope.store.sql.jobs import first_id
from mutoscope.store.sql.rows import Row, Value, texts
from mutoscope.store.sql.writer import Changes

# A job that nobody waits for: neither its vendor's news, nor the answer to a paid request, nor a webhook's receiver.
AT_REST = f"""finished IS NOT NULL AND finished <= ?1
    AND NOT EXISTS (SELECT 1 FROM watches WHERE job = jobs.id)
    AND NOT EXISTS (SELECT 1 FROM dispatches WHERE job = jobs.id AND sent = 'intended')
    AND NOT EXISTS (SELECT 1 FROM deliveries WHERE job = jobs.id AND {PENDING})"""

# Ids are in the order of creation, so what ended before some time lies before it.
JOBS = f"SELECT id, {AT_REST} FROM jobs WHERE id > ?2 AND id < ?3 ORDER BY id LIMIT ?4"
FILES_OF = f"""
    SELECT job, NOT EXISTS (SELECT 1 FROM jobs WHERE id = job AND NOT ({AT_REST})) FROM asset_uses
    WHERE role = ?5 AND job > ?2 AND job < ?3 GROUP BY job ORDER BY job LIMIT ?4"""
DELIVERIES = (
    "SELECT number, created, coalesce(delivered, given_up) FROM deliveries WHERE number > ? ORDER BY number LIMIT ?"
)
UPLOADS = "SELECT id, expires FROM uploads WHERE expires > ? AND expires <= ? ORDER BY expires LIMIT ?"
EXCHANGES = "SELECT id, began, ended FROM exchanges WHERE id > ? ORDER BY id LIMIT ?"
ANSWERS = "SELECT owner, id, created FROM answers WHERE created > ? AND created <= ? ORDER BY created LIMIT ?"
REPEATS = "SELECT owner, key, until FROM repeats WHERE until > ? AND until <= ? ORDER BY until LIMIT ?"

UNFINISHED = "SELECT id FROM jobs WHERE owner = ? AND finished IS NULL ORDER BY throttled DESC, id DESC LIMIT ?"

# Ids of jobs are none: the ledger of submissions keeps them, and they name nobody.
TRACES = """
    SELECT digest FROM keys WHERE name = ?1
    UNION SELECT id FROM uploads WHERE owner = ?1
    UNION SELECT deliveries.id FROM deliveries JOIN jobs ON jobs.id = job WHERE owner = ?1
    UNION SELECT value FROM (
        SELECT asset AS value FROM uploads WHERE owner = ?1 AND asset IS NOT NULL
        UNION SELECT asset FROM jobs JOIN asset_uses ON job = jobs.id AND role IN ('input', 'output') WHERE owner = ?1
    ) AS theirs
    WHERE NOT EXISTS (SELECT 1 FROM uploads WHERE asset = value AND owner <> ?1)
    AND NOT EXISTS (SELECT 1 FROM asset_uses JOIN jobs ON jobs.id = job WHERE asset = value AND owner <> ?1)"""

NOBODY = " (forgotten)"  # no key has this name: a name neither begins nor ends with a space
ENTRIES = 20  # looked for at once, for each job, where the jobs are gone already
LEDGER_COLUMNS = "job, kind, amount, model, engine, at, basis"
LEDGER_OF = f"""
    SELECT {LEDGER_COLUMNS} FROM ledger WHERE job IN (SELECT value FROM json_each(?)) AND owner = ?
    ORDER BY job, kind <> 'reserve', kind"""
ENTER = f"INSERT INTO ledger (owner, {LEDGER_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
LEDGER_LEFT = """
    SELECT DISTINCT job FROM ledger WHERE owner = ?
    AND NOT EXISTS (SELECT 1 FROM jobs WHERE id = job AND finished IS NULL) LIMIT ?"""

DUE_DROPS = "SELECT asset FROM asset_drops WHERE due <= ? ORDER BY due LIMIT ?"
NEEDED_AMONG = f"SELECT value FROM json_each(?) WHERE {NEEDED}"
DROP_OF = "SELECT due FROM asset_drops WHERE asset = ?"
# A time below zero says since when it is being removed.
CONDEMN = f"""UPDATE asset_drops SET due = -CAST(?1 AS REAL)
    WHERE asset IN (SELECT value FROM json_each(?2) WHERE NOT ({NEEDED})) AND due <= ?3 RETURNING asset"""
SPARE = "UPDATE asset_drops SET due = ?1 WHERE asset = ?2 AND (due >= 0 OR due > -CAST(?3 AS REAL))"
REMOVING_SECONDS = 120.0  # whoever was removing a file for longer has died over it
REMOVALS = "SELECT number FROM removals"


class Look(NamedTuple):
    """Where a sweep goes on: rows behind `after` that ended before `before`, at most `limit` of them."""

    after: str
    before: float
    limit: int


class Found(NamedTuple):
    """What a look has found: what may go, and behind which row to look next; None when there is no more."""

    ids: list[str]
    after: str | None


def sweep(
    db: Connection,
    changes: Changes,
    *,
    what: Kept,
    look: Look,
    now: float,
    spared: Collection[str],
    dry_run: bool,
) -> Swept:
    found = FIND[what](db, look)
    ids = [id for id in found.ids if id not in spared]
    if ids and not dry_run:
        REMOVE[what](db, ids, now)
        if what is Kept.JOBS:
            changes.extend(ids)
            note_removal(db)
    return Swept(removed=len(ids), after=found.after)


# Finding


def find_jobs(db: Connection, look: Look) -> Found:
    rows = db.execute(JOBS, (look.before, look.after, first_id(look.before), look.limit)).fetchall()
    return at_rest(rows, look)


def find_inputs(db: Connection, look: Look) -> Found:
    return at_rest(files_of(db, look, INPUT), look)


def find_outputs(db: Connection, look: Look) -> Found:
    return at_rest(files_of(db, look, OUTPUT), look)


def files_of(db: Connection, look: Look, role: str) -> list[tuple[str, int]]:
    return db.execute(FILES_OF, (look.before, look.after, first_id(look.before), look.limit, role)).fetchall()


def at_rest(rows: Sequence[tuple[str, int]], look: Look) -> Found:
    return Found([id for id, rests in rows if rests], rows[-1][0] if len(rows) == look.limit else None)


def find_deliveries(db: Connection, look: Look) -> Found:
    rows: list[tuple[int, float, float | None]] = db.execute(DELIVERIES, (int(look.after or 0), look.limit)).fetchall()
    ids = [str(number) for number, _, ended in rows if ended is not None and ended <= look.before]
    more = len(rows) == look.limit and rows[-1][1] <= look.before
    return Found(ids, str(rows[-1][0]) if more else None)


def find_uploads(db: Connection, look: Look) -> Found:
    rows: list[tuple[str, float]] = db.execute(UPLOADS, (float(look.after or 0), look.before, look.limit)).fetchall()
    # Those that expire at one moment may be more than were looked at: what is left of them is found the next time.
    return Found([id for id, _ in rows], repr(rows[-1][1]) if len(rows) == look.limit else None)


def find_exchanges(db: Connection, look: Look) -> Found:
    rows: list[tuple[str, float, float]] = db.execute(EXCHANGES, (look.after, look.limit)).fetchall()
    more = len(rows) == look.limit and rows[-1][1] <= look.before
    return Found([id for id, _, ended in rows if ended <= look.before], rows[-1][0] if more else None)


def find_repeats(db: Connection, look: Look) -> Found:
    query = (float(look.after or 0), look.before, look.limit)
    rows: list[tuple[str, str, float]] = db.execute(REPEATS, query).fetchall()
    return Found([f"{owner}\0{key}" for owner, key, _ in rows], repr(rows[-1][2]) if len(rows) == look.limit else None)


def find_answers(db: Connection, look: Look) -> Found:
    query = (float(look.after or 0), look.before, look.limit)
    rows: list[tuple[str, str, float]] = db.execute(ANSWERS, query).fetchall()
    return Found([f"{owner}\0{id}" for owner, id, _ in rows], repr(rows[-1][2]) if len(rows) == look.limit else None)


# Removing


def remove_jobs(db: Connection, ids: Sequence[str], now: float) -> None:
    """With what belongs to them. What was sent to vendors stays in the ledger: it says what was spent."""
    let_go(db, ids, now)
    for table, column in (
        *((name, "job") for name in ("events", "transcripts", "glimpses", "deliveries")),
        ("jobs", "id"),
    ):
        _ = db.execute(f"DELETE FROM {table} WHERE {column} IN (SELECT value FROM json_each(?))", (texts(ids),))


def remove_inputs(db: Connection, ids: Sequence[str], now: float) -> None:
    let_go(db, ids, now, roles=(INPUT,))


def remove_outputs(db: Connection, ids: Sequence[str], now: float) -> None:
    let_go(db, ids, now, roles=(OUTPUT,))


def remove_deliveries(db: Connection, ids: Sequence[str], now: float) -> None:
    del now
    _ = db.executemany("DELETE FROM deliveries WHERE number = ?", [(int(id),) for id in ids])


def remove_uploads(db: Connection, ids: Sequence[str], now: float) -> None:
    rows: list[tuple[str | None]] = db.execute(
        "DELETE FROM uploads WHERE id IN (SELECT value FROM json_each(?)) RETURNING asset", (texts(ids),)
    ).fetchall()
    drop(db, {asset for (asset,) in rows if asset}, now)


def remove_exchanges(db: Connection, ids: Sequence[str], now: float) -> None:
    del now
    _ = db.execute("DELETE FROM exchanges WHERE id IN (SELECT value FROM json_each(?))", (texts(ids),))


def remove_repeats(db: Connection, ids: Sequence[str], now: float) -> None:
    del now
    rows = [tuple(id.split("\0", 1)) for id in ids]
    _ = db.executemany("DELETE FROM repeats WHERE owner = ? AND key = ?", rows)


def remove_answers(db: Connection, ids: Sequence[str], now: float) -> None:
    del now
    _ = db.executemany("DELETE FROM answers WHERE owner = ? AND id = ?", [tuple(id.split("\0", 1)) for id in ids])


FIND: Mapping[Kept, Callable[[Connection, Look], Found]] = {
    Kept.JOBS: find_jobs,
    Kept.INPUTS: find_inputs,
    Kept.OUTPUTS: find_outputs,
    Kept.DELIVERIES: find_deliveries,
    Kept.UPLOADS: find_uploads,
    Kept.EXCHANGES: find_exchanges,
    Kept.ANSWERS: find_answers,
    Kept.REPEATS: find_repeats,
}
REMOVE: Mapping[Kept, Callable[[Connection, Sequence[str], float], None]] = {
    Kept.JOBS: remove_jobs,
    Kept.INPUTS: remove_inputs,
    Kept.OUTPUTS: remove_outputs,
    Kept.DELIVERIES: remove_deliveries,
    Kept.UPLOADS: remove_uploads,
    Kept.EXCHANGES: remove_exchanges,
    Kept.ANSWERS: remove_answers,
    Kept.REPEATS: remove_repeats,
}


def note_removal(db: Connection) -> None:
    _ = db.execute("UPDATE removals SET number = number + 1")


# Files


def dropped(db: Connection, changes: Changes, *, gone: Collection[str], later: Mapping[str, float]) -> None:
    del changes
    _ = db.executemany("DELETE FROM asset_drops WHERE asset = ?", [(asset,) for asset in gone])
    _ = db.executemany("UPDATE asset_drops SET due = ? WHERE asset = ?", [(due, asset) for asset, due in later.items()])


def condemn(db: Connection, changes: Changes, *, assets: Sequence[str], before: float, now: float) -> set[str]:
    del changes
    return {asset for (asset,) in db.execute(CONDEMN, (now, texts(assets), before)).fetchall()}


def spare(db: Connection, changes: Changes, *, asset: str, until: float, now: float) -> bool:
    del changes
    spared = db.execute(SPARE, (until, asset, now - REMOVING_SECONDS)).rowcount > 0
    return spared or not db.execute(DROP_OF, (asset,)).fetchall()


# Forgetting


def forget(db: Connection, changes: Changes, *, owner: str, limit: int, now: float) -> Forgotten:
    """A part of what is kept of an owner. Nothing is left when nothing was found."""
    ids = column(db, "SELECT id FROM jobs WHERE owner = ? AND finished IS NOT NULL LIMIT ?", (owner, limit))
    forgotten = Forgotten(
        jobs=len(ids),
        messages=count(db, "SELECT count(*) FROM deliveries WHERE job IN (SELECT value FROM json_each(?))", texts(ids)),
        events=count(db, "SELECT count(*) FROM events WHERE job IN (SELECT value FROM json_each(?))", texts(ids)),
        submissions=clear_dispatches(db, ids),
        uploads=forget_uploads(db, owner, limit, now),
        repeats=removed(db, "repeats", "owner", owner),
        keys=removed(db, "keys", "name", owner),
        exchanges=removed(db, "exchanges", "owner", owner),
        answers=removed(db, "answers", "owner", owner),
        days=removed(db, "traffic", "day > '' AND owner", owner),
        entries=clear_ledger(db, owner, ids, limit),
    )
    # Whatever a vendor still makes for these jobs is to be stopped; the watch names the vendor's task and nobody.
    _ = db.execute(
        """UPDATE watches SET mode = 'cancel', due = CASE WHEN due < ?1 THEN due ELSE ?1 END,
                  deadline = CASE WHEN deadline > ?1 + 3600 THEN deadline ELSE ?1 + 3600 END
           WHERE job IN (SELECT value FROM json_each(?2)) AND mode <> 'cancel'""",
        (now, texts(ids)),
    )
    remove_jobs(db, ids, now)
    if not ids:
        _ = db.execute("DELETE FROM standings WHERE owner = ? AND held = 0 AND waiting = 0", (owner,))
    note_removal(db)
    changes.extend(ids)
    return forgotten


def clear_dispatches(db: Connection, ids: Sequence[str]) -> int:
    """The ledger keeps that something was sent, when, and under which of the vendor's ids; not the vendor's words."""
    return db.execute(
        "UPDATE dispatches SET detail = '' WHERE job IN (SELECT value FROM json_each(?))", (texts(ids),)
    ).rowcount


def clear_ledger(db: Connection, owner: str, ids: Sequence[str], limit: int) -> int:
    """Money stays in the books, under a name that stands for all who were forgotten. The entries are made anew in the
    order of their kinds, which the table holds them to, and it counts them for that name."""
    left = column(db, LEDGER_LEFT, (owner, ENTRIES * limit)) if not ids else []
    jobs = texts([*ids, *left])
    rows: list[Row] = db.execute(LEDGER_OF, (jobs, owner)).fetchall()
    if rows:
        _ = db.execute("INSERT INTO forgotten (owner) VALUES (?) ON CONFLICT (owner) DO NOTHING", (owner,))
        _ = db.execute("DELETE FROM ledger WHERE job IN (SELECT value FROM json_each(?)) AND owner = ?", (jobs, owner))
        _ = db.execute("DELETE FROM forgotten WHERE owner = ?", (owner,))
        # Never two entries of a job in one statement: each is checked against those before it.
        _ = db.executemany(ENTER, [(NOBODY, *row) for row in rows])
    if not ids and not left:
        query = "DELETE FROM balances WHERE owner = ?1 AND NOT EXISTS (SELECT 1 FROM ledger WHERE owner = ?1)"
        _ = db.execute(query, (owner,))
    return len(rows)


def forget_uploads(db: Connection, owner: str, limit: int, now: float) -> int:
    ids = column(db, "SELECT id FROM uploads WHERE owner = ? LIMIT ?", (owner, limit))
    remove_uploads(db, ids, now)
    return len(ids)


def removed(db: Connection, table: str, name: str, owner: str) -> int:
    return db.execute(f"DELETE FROM {table} WHERE {name} = ?", (owner,)).rowcount


def column(db: Connection, query: str, values: Row) -> list[str]:
    return [id for (id,) in db.execute(query, values)]


def count(db: Connection, query: str, *values: Value) -> int:
    [found] = db.execute(query, values).fetchone()
    return int(found)
