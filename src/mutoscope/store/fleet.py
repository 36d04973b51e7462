"""The processes that share a database: who they are, and which of them has which duty. For PostgreSQL only; with SQLite
there is one."""

# ruff: noqa: S608  (what is put into the SQL here are our own constants)

from collections.abc import Awaitable, Callable, Collection, Mapping
from functools import partial
from time import time
from typing import Any, Literal

import msgspec
from msgspec import Struct

from mutoscope.store.sql.connection import Connection
from mutoscope.store.sql.rows import Row, texts
from mutoscope.store.sql.writer import Changes, Work

NOW = "CAST(extract(epoch FROM clock_timestamp()) AS DOUBLE PRECISION)"
CLOCK = f"SELECT {NOW}"
KEPT_SECONDS = 24 * 3600.0  # members that are gone are told of for so long
SAMPLES = 3

BEAT = f"""INSERT INTO members (name, facts, seen) VALUES (?, ?, {NOW})
    ON CONFLICT (name) DO UPDATE SET facts = excluded.facts, seen = excluded.seen"""
TAKE = f"""INSERT INTO duties (name, member, until) SELECT value, ?1, {NOW} + ?2 FROM json_each(?3)
    ON CONFLICT (name) DO UPDATE SET member = excluded.member, until = excluded.until
    WHERE duties.until <= {NOW} OR duties.member = excluded.member"""
LET_GO = "DELETE FROM duties WHERE member = ?1 AND name NOT IN (SELECT value FROM json_each(?2))"
MEMBERS = f"SELECT name, facts, {NOW} - seen FROM members ORDER BY name"
LEASES = f"""SELECT worker, count(*), sum(CASE WHEN leased_until < {NOW} THEN 1 ELSE 0 END) FROM jobs
    WHERE state = 'running' AND worker NOT LIKE '@%' GROUP BY worker ORDER BY worker"""
DUTIES = f"SELECT name, member, until - {NOW} FROM duties ORDER BY name"


class Member(Struct, frozen=True, kw_only=True):
    """A process, as it tells of itself."""

    name: str
    kind: Literal["server", "worker"] = "server"
    works: bool = True  # it makes jobs
    engines: tuple[str, ...] = ()  # those that it makes jobs of
    host: str = ""
    pid: int = 0
    version: str = ""
    secrets: str = ""  # tells which it has, and not what they are
    started: float = 0.0
    offset: float = 0.0  # seconds that its clock is behind the database's
    leaving: bool = False
    silent: float = 0.0  # seconds since it was last heard of; the store says that


class Duty(Struct, frozen=True, kw_only=True):
    name: str
    member: str
    left: float  # seconds until anybody may have it


class Muster(Struct, frozen=True, kw_only=True):
    """Everybody who was here within a day, and what they do."""

    members: tuple[Member, ...] = ()
    duties: tuple[Duty, ...] = ()


class Fleet:
    """Raises Problem(UNAVAILABLE) where the database cannot be used."""

    def __init__(
        self,
        write: Callable[[Work], Awaitable[Any]],
        read: Callable[[str, Row], Awaitable[Any]],
        *,
        clock: Callable[[], float] = time,
    ) -> None:
        self._write, self._read, self._clock = write, read, clock

    async def beat(self, member: Member, *, duties: Collection[str], lease_seconds: float) -> Muster:
        """Tell that this member lives, let go of every duty but these, and take those of them that nobody has."""
        return await self._write(partial(beat, member=member, duties=tuple(duties), lease_seconds=lease_seconds))

    async def leave(self, name: str) -> None:
        await self._write(partial(leave, names=(name,)))

    async def bury(self, names: Collection[str]) -> None:
        """Forget who has been gone for long."""
        await self._write(partial(leave, names=tuple(names)))

    async def muster(self) -> Muster:
        return muster_of(await self._read(MEMBERS, ()), await self._read(DUTIES, ()))

    async def leases(self) -> dict[str, tuple[int, int]]:
        """Who holds how many jobs, and how many of these leases have ended."""
        return {str(name): (int(held), int(ended)) for name, held, ended in await self._read(LEASES, ())}

    async def offset(self) -> float:
        """By how many seconds our clock is behind the database's: by the quickest of a few questions."""
        found: list[tuple[float, float]] = []
        for _ in range(SAMPLES):
            before = self._clock()
            [(there,)] = await self._read(CLOCK, ())
            after = self._clock()
            found.append((after - before, there - (before + after) / 2))
        return min(found)[1]


def beat(db: Connection, _changes: Changes, *, member: Member, duties: Collection[str], lease_seconds: float) -> Muster:
    _ = db.execute(BEAT, (member.name, msgspec.json.encode(member)))
    _ = db.execute(LET_GO, (member.name, texts(tuple(duties))))
    if duties:
        _ = db.execute(TAKE, (member.name, lease_seconds, texts(sorted(duties))))
    return muster_of(db.execute(MEMBERS).fetchall(), db.execute(DUTIES).fetchall())


def leave(db: Connection, _changes: Changes, *, names: Collection[str]) -> None:
    for name in names:
        _ = db.execute("DELETE FROM duties WHERE member = ?", (name,))
        _ = db.execute("DELETE FROM members WHERE name = ?", (name,))


def muster_of(members: Collection[Row], duties: Collection[Row]) -> Muster:
    return Muster(
        members=tuple(member_of(*row) for row in members),
        duties=tuple(msgspec.convert(dict(zip(("name", "member", "left"), row, strict=True)), Duty) for row in duties),
    )


def member_of(name: Any, facts: Any, silent: Any) -> Member:
    """Of a member with a newer version only what is known here."""
    told: Mapping[str, Any] = msgspec.json.decode(facts, type=dict[str, Any])
    return msgspec.convert({**told, "name": name, "silent": max(silent, 0.0)}, Member)
