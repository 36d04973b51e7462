"""This process among those that share a database: it tells that it lives, knows the others, and has its part of the
duties that one process at a time sees to.

Each duty falls to the member that a hash of both names chooses, so that they are spread without anybody deciding; a
lease sees to it that two never have it, also while they see different members. What a duty does is safe without it: the
rows that it takes have leases of their own.
"""

import asyncio
import hashlib
import math
import time
from collections.abc import Callable, Collection, Iterable
from typing import Protocol

import structlog
from msgspec.structs import replace

from mutoscope.model.problem import Kind, Problem
from mutoscope.store.fleet import KEPT_SECONDS, Fleet, Member, Muster

log = structlog.get_logger(__name__)

BEAT_SECONDS = 2.0
LEASE_SECONDS = 10.0  # of a duty; who stops without a word is succeeded after this
MARGIN_SECONDS = 2.0  # before its end a member does not trust in its lease any more
CLOCK_SECONDS = 60.0  # between two looks at the database's clock
MOST_OFFSET = 5.0  # seconds that a clock may be wrong
TOLD_OFFSET = 1.0

DELIVER, SWEEP, RECOVER = "deliver", "sweep", "recover"
POLL, SUBMIT = "poll ", "submit "  # and the name of an account


class Recovery(Protocol):
    async def recover(self, *, now: float, dead: Collection[str] | None = None) -> int: ...


class Membership:
    """Alone, without a fleet, a process has every duty."""

    def __init__(
        self,
        fleet: Fleet | None,
        store: Recovery,
        member: Member,
        *,
        duties: Iterable[str] = (),
        silent_seconds: float = 30.0,
        clock: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        """`silent_seconds`: who was not heard of for so long is dead, and its leases have ended."""
        self.fleet, self.store, self.member = fleet, store, member
        self.duties = (DELIVER, SWEEP, RECOVER, *duties)
        self.silent_seconds, self.clock, self.steady = silent_seconds, clock, steady
        self.trouble = ""  # why this process may not work now
        self.mustered: Callable[[], None] | None = None  # told after each beat
        self.alive: tuple[Member, ...] = (member,)
        self._until: dict[str, float] = {}  # duties → until when they are ours, steadily
        self._looked = -math.inf
        self._dead: list[Member] = []
        self._recovered: set[str] = set()

    def holds(self, duty: str) -> bool:
        return self.fleet is None or self.steady() < self._until.get(duty, 0.0)

    @property
    def servers(self) -> int:
        """How many processes share the requests."""
        return max(1, sum(each.kind == "server" for each in self.alive))

    def workers(self, engine: str) -> tuple[int, int]:
        """How many processes make jobs of an engine, and the place of this one among them."""
        names = [each.name for each in self.alive if each.works and engine in each.engines]
        return max(1, len(names)), names.index(self.member.name) if self.member.name in names else len(names)

    async def join(self) -> None:
        """Raises Problem where this process may not work beside the others."""
        if self.fleet is None:
            return
        await self._look_at_clock()
        if self.trouble:
            raise Problem(Kind.UNAVAILABLE, self.trouble)
        strangers = [each for each in self.living(await self.fleet.muster()) if each.secrets != self.member.secrets]
        if strangers:
            names = ", ".join(f"{each.name} on {each.host}" for each in strangers)
            message = (
                f"This process has other secrets than {names}: links and webhooks that one signs are wrong for the"
                " other. Set the same [files] link_secret and [webhooks] secret for all of them."
            )
            raise Problem(Kind.CONFLICT, message)
        await self.beat()

    async def run(self) -> None:
        """Beat until cancelled; a fault of the store is waited out."""
        if self.fleet is None:
            return
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            try:
                if self.steady() - self._looked >= CLOCK_SECONDS or self.trouble:
                    await self._look_at_clock()
                await self.beat()
                await self._recover()
            except Problem as problem:
                log.error("beat_failed", reason=problem.message)
            except Exception:
                log.exception("beat_broke")

    async def beat(self) -> None:
        if self.fleet is None:
            return
        began = self.steady()
        wanted = [] if self.member.leaving or self.trouble else [d for d in self.duties if self._falls_to_us(d)]
        self._until = {duty: until for duty, until in self._until.items() if duty in wanted}
        muster = await self.fleet.beat(self.member, duties=wanted, lease_seconds=LEASE_SECONDS)
        ours = {each.name for each in muster.duties if each.member == self.member.name}
        self._until = dict.fromkeys(ours.intersection(wanted), began + LEASE_SECONDS - MARGIN_SECONDS)
        self.alive = self.living(muster)
        self._dead = [each for each in muster.members if each.silent >= self.silent_seconds]
        if self.mustered:
            self.mustered()

    async def leave(self) -> None:
        """Before the work ends: others take the duties, and count this one no more."""
        self.member = replace(self.member, leaving=True)
        self._until.clear()
        if self.fleet is not None:
            try:
                await self.beat()
            except Problem as problem:
                log.error("beat_failed", reason=problem.message)

    async def close(self) -> None:
        """After it."""
        if self.fleet is not None:
            try:
                await self.fleet.leave(self.member.name)
            except Problem as problem:
                log.error("beat_failed", reason=problem.message)

    def living(self, muster: Muster) -> tuple[Member, ...]:
        return tuple(each for each in muster.members if each.silent < self.silent_seconds and not each.leaving)

    def _falls_to_us(self, duty: str) -> bool:
        names = {each.name for each in (*self.alive, self.member) if can(each, duty)}
        chosen = max(names, key=lambda name: hashlib.sha256(f"{duty}\n{name}".encode()).digest(), default="")
        return chosen == self.member.name

    async def _recover(self) -> None:
        """Take up what dead members left."""
        if self.fleet is None or not self.holds(RECOVER):
            return
        dead = {each.name for each in self._dead}
        self._recovered &= dead  # whoever was heard of again may die again
        if fresh := dead - self._recovered:
            count = await self.store.recover(now=self.clock(), dead=sorted(fresh))
            log.warning("members_lost", members=sorted(fresh), recovered=count)
            self._recovered |= fresh
        old = [each.name for each in self._dead if each.silent > KEPT_SECONDS]
        if old:
            await self.fleet.bury(old)

    async def _look_at_clock(self) -> None:
        assert self.fleet is not None  # noqa: S101 (for the types)
        offset = await self.fleet.offset()
        self._looked, self.member = self.steady(), replace(self.member, offset=round(offset, 3))
        way, bearable = "behind" if offset > 0 else "ahead of", abs(offset) <= MOST_OFFSET
        away = f"The clock of this machine is {abs(offset):.1f} s {way} the database's"
        self.trouble = "" if bearable else f"{away}; at most {MOST_OFFSET:g} s are borne. Set it (NTP)."
        if abs(offset) > TOLD_OFFSET:
            log.error("clock_wrong", offset_seconds=round(offset, 3), works=not self.trouble)


def can(member: Member, duty: str) -> bool:
    """Any member can have any duty, but for sending jobs by an account: only who makes its jobs."""
    return not duty.startswith(SUBMIT) or (member.works and duty.removeprefix(SUBMIT) in member.engines)
