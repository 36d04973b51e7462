"""Which job needs which file, in SQL as the writer's thread runs it."""

import sqlite3
from collections.abc import Iterable, Sequence

import msgspec

from mutoscope.model.job import Job
from mutoscope.store.sql.rows import Value

INPUT, OUTPUT = "input", "output"
ROLES = (INPUT, OUTPUT)

USE = "INSERT OR IGNORE INTO asset_uses (role, job, asset) VALUES (?, ?, ?)"
NEEDED = "EXISTS (SELECT 1 FROM asset_uses WHERE asset = value) OR EXISTS (SELECT 1 FROM uploads WHERE asset = value)"

ALL = "SELECT asset FROM asset_uses UNION SELECT asset FROM uploads WHERE asset IS NOT NULL ORDER BY 1"
BYTES = """
    SELECT bytes FROM uploads WHERE asset = ?1
    UNION ALL
    SELECT json_extract(made.value, '$.bytes') FROM asset_uses JOIN jobs ON jobs.id = asset_uses.job
    JOIN json_each(CAST(outputs AS TEXT)) AS made
    WHERE asset_uses.asset = ?1 AND role = 'output' AND outputs IS NOT NULL AND json_extract(made.value, '$.asset') = ?1
    LIMIT 1"""


def use_inputs(db: sqlite3.Connection, jobs: Iterable[Job]) -> None:
    rows = [(INPUT, job.id, each.asset) for job in jobs for each in job.generation.inputs if each.asset]
    if rows:
        _ = db.executemany(USE, rows)


def use_outputs(db: sqlite3.Connection, job: Job) -> None:
    for each in (output for output in job.outputs if output.asset):
        _ = db.execute(USE, (OUTPUT, job.id, each.asset))


def let_go(db: sqlite3.Connection, jobs: Sequence[str], now: float, *, roles: Sequence[str] = ROLES) -> None:
    """These jobs need their files no more."""
    rows: list[tuple[str]] = db.execute(
        """DELETE FROM asset_uses WHERE role IN (SELECT value FROM json_each(?))
           AND job IN (SELECT value FROM json_each(?)) RETURNING asset""",
        (texts(roles), texts(jobs)),
    ).fetchall()
    drop(db, {asset for (asset,) in rows}, now)


def drop(db: sqlite3.Connection, assets: Iterable[str], now: float) -> None:
    """Have those removed that nobody needs."""
    if found := sorted(assets):
        _ = db.execute(
            f"INSERT OR IGNORE INTO asset_drops (asset, due) SELECT value, ? FROM json_each(?) WHERE NOT ({NEEDED})",  # noqa: S608 - our own constant
            (now, texts(found)),
        )


def texts(values: Sequence[str]) -> Value:
    """A parameter for json_each: one statement, however many values."""
    return msgspec.json.encode(values).decode()
