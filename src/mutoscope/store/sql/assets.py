"""Which job needs which file, in SQL as the writer's thread runs it."""

from collections.abc import Iterable, Sequence

from mutoscope.model.job import Job
from mutoscope.store.sql.connection import Connection, in_strides
from mutoscope.store.sql.rows import Row, texts

INPUT, OUTPUT = "input", "output"
ROLES = (INPUT, OUTPUT)

USE = "INSERT INTO asset_uses (role, job, asset)"
ONCE = "ON CONFLICT (role, job, asset) DO NOTHING"
NEEDED = "EXISTS (SELECT 1 FROM asset_uses WHERE asset = value) OR EXISTS (SELECT 1 FROM uploads WHERE asset = value)"

ALL = "SELECT asset FROM asset_uses UNION SELECT asset FROM uploads WHERE asset IS NOT NULL ORDER BY 1"
UPLOADED = "SELECT bytes FROM uploads WHERE asset = ? LIMIT 1"
MADE = """
    SELECT outputs FROM asset_uses JOIN jobs ON jobs.id = asset_uses.job
    WHERE asset_uses.asset = ? AND role = 'output' AND outputs IS NOT NULL LIMIT 1"""


def use_inputs(db: Connection, jobs: Iterable[Job]) -> None:
    use(db, [(INPUT, job.id, each.asset) for job in jobs for each in job.generation.inputs if each.asset])


def use_outputs(db: Connection, jobs: Iterable[Job]) -> None:
    use(db, [(OUTPUT, job.id, each.asset) for job in jobs for each in job.outputs if each.asset])


def use(db: Connection, rows: Sequence[Row]) -> None:
    _ = in_strides(db, USE, "(?, ?, ?)", rows, ONCE)


def let_go(db: Connection, jobs: Sequence[str], now: float, *, roles: Sequence[str] = ROLES) -> None:
    """These jobs need their files no more."""
    rows: list[tuple[str]] = db.execute(
        """DELETE FROM asset_uses WHERE role IN (SELECT value FROM json_each(?))
           AND job IN (SELECT value FROM json_each(?)) RETURNING asset""",
        (texts(roles), texts(jobs)),
    ).fetchall()
    drop(db, {asset for (asset,) in rows}, now)


def drop(db: Connection, assets: Iterable[str], now: float) -> None:
    """Have those removed that nobody needs."""
    if found := sorted(assets):
        _ = db.execute(
            f"""INSERT INTO asset_drops (asset, due) SELECT value, CAST(? AS REAL) FROM json_each(?)
                WHERE NOT ({NEEDED}) ON CONFLICT (asset) DO NOTHING""",  # noqa: S608 - our own constant
            (now, texts(found)),
        )
