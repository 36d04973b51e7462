"""Faults that are rehearsed on purpose: what the next requests to a vendor's API meet, for a time or so many times."""

import secrets
import time
from collections.abc import Callable
from typing import Annotated, Literal

from msgspec import Meta, Struct
from msgspec.structs import replace

from mutoscope.model.problem import Kind

MOST = 100
LONGEST_SECONDS = 24 * 3600.0
SLOWEST_SECONDS = 120.0

What = Literal["problem", "slow", "lost"]
MEANING: dict[str, str] = {
    "problem": "The request is refused with a kind of problem, before anything is made.",
    "slow": "The answer comes later.",
    "lost": "The job is made, and the answer to the create is lost: the client sees a 503.",
}


class FaultWish(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What should go wrong."""

    wire: str = ""  # an API; "" all of them
    route: str = ""  # a part of the path; "" all of it
    what: What = "problem"
    kind: Kind = Kind.RATE_LIMITED  # of the problem
    delay: Annotated[float, Meta(ge=0, le=SLOWEST_SECONDS)] = 5.0  # seconds, where it is slow
    times: Annotated[int, Meta(ge=1, le=10_000)] | None = None  # requests that meet it; None: as many as come
    seconds: Annotated[float, Meta(gt=0, le=LONGEST_SECONDS)] = 60.0  # after which it is over
    creates_only: bool = True  # reads go through


class Fault(Struct, frozen=True, kw_only=True):
    id: str
    wish: FaultWish
    until: float
    met: int = 0

    def as_json(self, now: float) -> dict[str, object]:
        wish = self.wish
        return {
            "id": self.id, "wire": wish.wire, "route": wish.route, "what": wish.what, "kind": wish.kind.value,
            "delay": wish.delay, "times": wish.times, "creates_only": wish.creates_only, "met": self.met,
            "seconds_left": round(max(self.until - now, 0.0), 1),
        }  # fmt: skip


class Faults:
    """Those of one process, in memory: a restart ends them."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self.clock = clock
        self._kept: dict[str, Fault] = {}

    def add(self, wish: FaultWish) -> Fault:
        while len(self._kept) >= MOST:
            self._kept.pop(next(iter(self._kept)))
        fault = Fault(id=f"fault_{secrets.token_hex(6)}", wish=wish, until=self.clock() + wish.seconds)
        self._kept[fault.id] = fault
        return fault

    def remove(self, id: str) -> Fault | None:
        return self._kept.pop(id, None)

    def current(self) -> tuple[Fault, ...]:
        now = self.clock()
        self._kept = {id: each for id, each in self._kept.items() if each.until > now}
        return tuple(self._kept.values())

    def meet(self, wire: str, path: str, *, creates: bool) -> FaultWish | None:
        """What this request meets: the first that fits, which then has been met once more."""
        if not self._kept:
            return None
        for fault in self.current():
            wish = fault.wish
            fits = wish.wire in ("", wire) and wish.route in path and (creates or not wish.creates_only)
            if not fits or (wish.what == "lost" and not creates):
                continue
            met = fault.met + 1
            if wish.times is not None and met >= wish.times:
                del self._kept[fault.id]
            else:
                self._kept[fault.id] = replace(fault, met=met)
            return wish
        return None
