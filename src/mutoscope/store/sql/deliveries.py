"""The webhook messages that are owed, in SQL, as the writer's thread runs it."""

# ruff: noqa: S608  (what is put into the SQL here are our own constants)

from collections.abc import Collection, Sequence
from typing import NamedTuple

import msgspec

from mutoscope.store.protocol import DueDelivery
from mutoscope.store.sql.connection import Connection
from mutoscope.store.sql.rows import DELIVERY_COLUMNS, Row, Value, delivery_of, receiver_of
from mutoscope.store.sql.writer import Changes

PENDING = "delivered IS NULL AND given_up IS NULL"


class Fairness(NamedTuple):
    """How many messages may be under way to one receiver, and to all those together that do not answer."""

    per_receiver: int
    failing: Collection[str]
    failing_limit: int


def lease_due(
    db: Connection,
    changes: Changes,
    *,
    now: float,
    limit: int,
    leased_until: float,
    fairness: Fairness | None,
) -> list[DueDelivery]:
    """`due` moves to the end of the lease, so that one column says when anything is to be done again."""
    del changes
    ids = due_ids(db, now, limit) if fairness is None else fair_ids(db, now, limit, fairness)
    if not ids:
        return []
    rows: list[Row] = db.execute(
        f"""UPDATE deliveries SET due = ?, leased_until = ? WHERE id IN (SELECT value FROM json_each(?))
            RETURNING {DELIVERY_COLUMNS}""",
        (leased_until, leased_until, msgspec.json.encode(ids).decode()),
    ).fetchall()
    found = {record.delivery.id: record for record in map(delivery_of, rows)}
    leased = [found[id] for id in ids]
    return [
        DueDelivery(delivery=each.delivery, attempts=each.attempts, receiver=receiver_of(each.delivery.url))
        for each in leased
    ]


def due_ids(db: Connection, now: float, limit: int) -> list[str]:
    query = f"SELECT id FROM deliveries WHERE {PENDING} AND due <= ? ORDER BY due, number LIMIT ?"
    return [id for (id,) in db.execute(query, (now, limit))]


def fair_ids(db: Connection, now: float, limit: int, fairness: Fairness) -> list[str]:
    """The oldest of each receiver, as many as it has room for; where they are too many, those of whom least is sent.

    By age alone, a few dead receivers with a long backlog would have every place, whenever one falls free.
    """
    sending: dict[str, int] = dict(
        db.execute("SELECT receiver, count(*) FROM deliveries WHERE leased_until > ? GROUP BY receiver", (now,))
    )
    query = f"""SELECT due, number, id FROM deliveries
                WHERE {PENDING} AND receiver = ? AND due <= ? ORDER BY due, number LIMIT ?"""
    sound: list[tuple[int, float, int, str]] = []
    failing: list[tuple[int, float, int, str]] = []
    for receiver in receivers(db, now):
        fails, under_way = receiver in fairness.failing, sending.get(receiver, 0)
        room = (1 if fails else fairness.per_receiver) - under_way
        if room > 0:
            ranked = enumerate(db.execute(query, (receiver, now, room)), under_way)
            (failing if fails else sound).extend((rank, *row) for rank, row in ranked)
    left = max(0, fairness.failing_limit - sum(sending.get(receiver, 0) for receiver in fairness.failing))
    chosen = sorted(sound + sorted(failing)[:left])[:limit]
    return [id for *_, id in sorted(each[1:] for each in chosen)]


def receivers(db: Connection, now: float) -> list[str]:
    """Those with something due. Each step seeks the next name in the index instead of reading a backlog."""
    rows: Sequence[tuple[str]] = db.execute(
        f"""WITH RECURSIVE names (receiver) AS (
                SELECT min(receiver) FROM deliveries WHERE {PENDING}
                UNION ALL
                SELECT (SELECT min(receiver) FROM deliveries WHERE {PENDING} AND receiver > names.receiver)
                FROM names WHERE receiver IS NOT NULL)
            SELECT receiver FROM names WHERE receiver IS NOT NULL
            AND (SELECT min(due) FROM deliveries AS d WHERE {PENDING} AND d.receiver = names.receiver) <= ?""",
        (now,),
    ).fetchall()
    return [receiver for (receiver,) in rows]


def record_attempt(
    db: Connection,
    changes: Changes,
    *,
    id: str,
    at: float,
    status: int | None,
    error: str | None,
    ms: float,
    delivered: bool,
    next_due: float | None,
) -> bool:
    del changes
    if db.execute("SELECT 1 FROM deliveries WHERE id = ?", (id,)).fetchone() is None:
        return False
    _ = db.execute(
        """INSERT INTO delivery_attempts (delivery, number, at, status, error, ms)
           SELECT ?1, coalesce(max(number), 0) + 1, ?2, ?3, ?4, ?5 FROM delivery_attempts WHERE delivery = ?1""",
        (id, at, status, error, ms),
    )
    if delivered:
        arrived(db, id, at)
    else:
        failed(db, id, at, next_due)
    return True


def arrived(db: Connection, id: str, at: float) -> None:
    _ = db.execute(
        """UPDATE deliveries SET attempts = attempts + 1, delivered = coalesce(delivered, ?), given_up = NULL,
                  leased_until = NULL WHERE id = ?""",
        (at, id),
    )
    # The job was deleted while this was owed: now nothing needs it any more.
    _ = db.execute(
        """DELETE FROM deliveries WHERE id = ?
           AND EXISTS (SELECT 1 FROM jobs WHERE jobs.id = deliveries.job AND deleted = 1)""",
        (id,),
    )


def failed(db: Connection, id: str, at: float, next_due: float | None) -> None:
    """Guarded: a slow failure does not undo the success of another try."""
    given_up: Value = at if next_due is None else None
    _ = db.execute(
        f"""UPDATE deliveries SET attempts = attempts + 1, given_up = ?, due = coalesce(?, due), leased_until = NULL
            WHERE id = ? AND {PENDING}""",
        (given_up, next_due, id),
    )


def replay(db: Connection, changes: Changes, *, id: str, now: float) -> bool:
    del changes
    query = """UPDATE deliveries SET due = ?, attempts = 0, delivered = NULL, given_up = NULL, leased_until = NULL
               WHERE id = ?"""
    return db.execute(query, (now, id)).rowcount > 0
