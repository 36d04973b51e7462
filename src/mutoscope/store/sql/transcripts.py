"""What was said to vendors for jobs, in SQL as the writer's thread runs it."""

from collections.abc import Mapping, Sequence

from mutoscope.store.sql.connection import Connection, in_strides
from mutoscope.store.sql.rows import Row, texts
from mutoscope.store.sql.writer import Changes

OF_JOB = "SELECT record FROM transcripts WHERE job = ? ORDER BY number"
THERE = "SELECT id FROM jobs WHERE id IN (SELECT value FROM json_each(?)) AND deleted = 0"
SIZES = """SELECT job, number, bytes FROM transcripts WHERE job IN (SELECT value FROM json_each(?))
    ORDER BY job, number"""

Piece = tuple[int, int]
"""A record's number and its size."""


def add(
    db: Connection,
    _changes: Changes,
    *,
    told: Mapping[str, Sequence[bytes]],
    first: int,
    last: int,
    most_bytes: int,
) -> None:
    ids = texts(tuple(told))
    there = {str(id) for (id,) in db.execute(THERE, (ids,))}  # what is told of a deleted job would never be removed
    kept: dict[str, list[Piece]] = {}
    for job, number, size in db.execute(SIZES, (ids,)):
        kept.setdefault(job, []).append((number, size))
    added: list[Row] = []
    gone: list[Row] = []
    for job in there:
        old = kept.get(job, [])
        begin = old[-1][0] + 1 if old else 1
        fresh = [(number, len(record)) for number, record in enumerate(told[job], begin)]
        stay = set(staying([*old, *fresh], first, last, most_bytes))
        gone += [(job, number) for number, _ in old if number not in stay]
        added += [(job, number, size, told[job][number - begin]) for number, size in fresh if number in stay]
    _ = in_strides(db, "INSERT INTO transcripts (job, number, bytes, record)", "(?, ?, ?, ?)", added)
    _ = db.executemany("DELETE FROM transcripts WHERE job = ? AND number = ?", gone)


def staying(pieces: list[Piece], first: int, last: int, most_bytes: int) -> list[int]:
    """Numbers of the first and of the last, as far as all of them fit; the very last goes at the very end."""
    size = sum(each for _, each in pieces)
    while pieces and (len(pieces) > first + last or size > most_bytes):
        size -= pieces.pop(min(first, len(pieces) - 2))[1]
    return [number for number, _ in pieces]
