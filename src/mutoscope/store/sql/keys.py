"""The keys of callers and what they sent, in SQL as the writer's thread runs it."""

# ruff: noqa: S608  (what is put into the SQL here are our own constants)

from collections.abc import Mapping

import msgspec
from msgspec import Struct

from mutoscope.model.config import Rights
from mutoscope.model.problem import Kind, Problem
from mutoscope.store.protocol import KeyRecord
from mutoscope.store.sql.connection import Connection
from mutoscope.store.sql.rows import Row, encode
from mutoscope.store.sql.writer import Changes

TOUCHED_SECONDS = 60.0  # how old the time of last use may be


class KeyRow(Struct, frozen=True, array_like=True):
    """The columns of a key, in the order of KEY_COLUMNS."""

    id: str
    name: str
    digest: str
    prefix: str
    rights: bytes
    created: float
    expires: float | None
    revoked: float | None
    last_used: float | None


KEY_COLUMNS = ", ".join(KeyRow.__struct_fields__)
FIND = f"SELECT {KEY_COLUMNS} FROM keys WHERE digest = ?"
OF_OWNER = f"SELECT {KEY_COLUMNS} FROM keys WHERE name = ? ORDER BY created, id"
ALL = f"SELECT {KEY_COLUMNS} FROM keys ORDER BY created, id"
CHANGES = "SELECT number FROM key_changes"
TRAFFIC = "SELECT bytes FROM traffic WHERE day = ? AND owner = ?"

decode_rights = msgspec.json.Decoder(Rights, strict=True).decode


def key_of(row: Row) -> KeyRecord:
    it = msgspec.convert(row, KeyRow)
    return KeyRecord(
        id=it.id,
        name=it.name,
        digest=it.digest,
        prefix=it.prefix,
        rights=decode_rights(it.rights),
        created=it.created,
        expires=it.expires,
        revoked=it.revoked,
        last_used=it.last_used,
    )


def add_key(db: Connection, changes: Changes, *, key: KeyRecord) -> None:
    del changes
    values: Row = (
        key.id,
        key.name,
        key.digest,
        key.prefix,
        encode(key.rights),
        key.created,
        key.expires,
        key.revoked,
        key.last_used,
    )
    try:
        _ = db.execute(f"INSERT INTO keys ({KEY_COLUMNS}) VALUES ({', '.join('?' * len(values))})", values)
    except db.failures as error:
        if not db.conflict(error):
            raise
        raise Problem(Kind.CONFLICT, "This key exists already.") from error


def revoke_key(db: Connection, changes: Changes, *, id: str, now: float) -> KeyRecord | None:
    """The row stays: a server that had a key is never open to all again."""
    del changes
    query = f"UPDATE keys SET revoked = coalesce(revoked, ?) WHERE id = ? RETURNING {KEY_COLUMNS}"
    row: Row | None = db.execute(query, (now, id)).fetchone()
    return None if row is None else key_of(row)


def rotate_key(
    db: Connection, changes: Changes, *, id: str, successor: KeyRecord, until: float, now: float
) -> KeyRecord | None:
    row: Row | None = db.execute(
        f"SELECT {KEY_COLUMNS} FROM keys WHERE id = ? AND revoked IS NULL AND (expires IS NULL OR expires > ?)",
        (id, now),
    ).fetchone()
    if row is None:
        return None
    old = key_of(row)
    fresh = msgspec.structs.replace(successor, name=old.name, rights=old.rights, expires=old.expires)
    add_key(db, changes, key=fresh)
    _ = db.execute("UPDATE keys SET expires = ?1 WHERE id = ?2 AND (expires IS NULL OR expires > ?1)", (until, id))
    return fresh


def touch_key(db: Connection, changes: Changes, *, id: str, now: float) -> bool:
    del changes
    query = "UPDATE keys SET last_used = ?1 WHERE id = ?2 AND (last_used IS NULL OR last_used <= ?3)"
    return db.execute(query, (now, id, now - TOUCHED_SECONDS)).rowcount > 0


ENDED = "SELECT 1 FROM ended_passes WHERE nonce = ?"


def end_pass(db: Connection, changes: Changes, *, nonce: str, until: float, now: float) -> bool:
    """Those that are over are forgotten."""
    del changes
    _ = db.execute("DELETE FROM ended_passes WHERE until <= ?", (now,))
    query = "INSERT INTO ended_passes (nonce, until) VALUES (?, ?) ON CONFLICT (nonce) DO NOTHING"
    return db.execute(query, (nonce, until)).rowcount > 0


def add_traffic(db: Connection, changes: Changes, *, day: str, sent: Mapping[str, int]) -> dict[str, int]:
    """Earlier days are forgotten."""
    del changes
    _ = db.execute("DELETE FROM traffic WHERE day < ?", (day,))
    totals: dict[str, int] = {}
    for owner, bytes in sent.items():
        [total] = db.execute(
            """INSERT INTO traffic (day, owner, bytes) VALUES (?, ?, ?)
               ON CONFLICT (day, owner) DO UPDATE SET bytes = traffic.bytes + excluded.bytes RETURNING bytes""",
            (day, owner, bytes),
        ).fetchone()
        totals[owner] = int(total)
    return totals
