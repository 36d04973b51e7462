"""Faults that a rehearsal is told to have: which requests meet them, how many, and what then happens."""

import time
from collections.abc import Callable, Sequence
from typing import Annotated

import uuid_utils
from msgspec import Meta, Struct
from msgspec.structs import replace

from mutoscope.model.job import Failure
from mutoscope.model.problem import KINDS, STATUS, Kind, Problem

SLOW, LOST, TWICE, FAILED = "slow", "lost", "webhook_twice", "failed:"
WORDS = {
    SLOW: "the answer waits `seconds`",
    LOST: "the request is obeyed, and 502 is answered in place of its answer",
    TWICE: "a webhook message is sent again after it has arrived",
    f"{FAILED}<kind>": "the job is taken, and fails with a problem of that kind",
}
"""What a fault may be, beside a problem's kind or an HTTP status, which the request is answered with."""
MOST = 100  # faults at once
ON = {"create": ("POST",), "read": ("GET", "HEAD"), "any": ()}
BY_STATUS = {status: kind for kind, status in reversed(STATUS.items())} | {400: Kind.INVALID, 500: Kind.INTERNAL}


class Fault(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What goes wrong, for whom and how often."""

    what: str | int  # a problem's kind, an HTTP status, or one of WORDS
    wire: str = ""  # "" for every vendor's API
    path: str = ""  # a part of the request's path
    on: str = "create"  # or read, or any
    times: Annotated[int, Meta(ge=0, le=10**6)] = 1  # 0: for as long as it is there
    seconds: Annotated[float, Meta(ge=0, le=600)] = 1.0  # how slow; how long a refused caller is told to wait
    lasting: Annotated[float, Meta(gt=0, le=86400)] | None = None  # seconds after which it is over
    id: str = ""  # given by us
    met: int = 0  # by how many requests
    until: float | None = None


class Faults:
    def __init__(self, wires: Sequence[str], clock: Callable[[], float] = time.time) -> None:
        self.wires, self.clock = tuple(wires), clock
        self._all: list[Fault] = []

    def add(self, wish: Fault) -> Fault:
        """Raises Problem(INVALID) for what there is not."""
        check(wish, self.wires)
        if len(self.all()) >= MOST:
            raise Problem(Kind.CONFLICT, f"There are {MOST} faults already; clear some first.")
        until = None if wish.lasting is None else self.clock() + wish.lasting
        fault = replace(wish, id=uuid_utils.uuid7().hex, met=0, until=until)
        self._all.append(fault)
        return fault

    def all(self) -> tuple[Fault, ...]:
        """Those that may still be met, the oldest first."""
        now = self.clock()
        self._all = [each for each in self._all if each.until is None or each.until > now]
        return tuple(self._all)

    def clear(self, id: str = "") -> int:
        """Take back one, or all; returns how many there were."""
        before = len(self._all)
        self._all = [each for each in self._all if id and each.id != id]
        return before - len(self._all)

    def take(self, wire: str, method: str, path: str) -> Fault | None:
        """The fault that this request meets."""
        return self._meet(
            lambda each: (
                each.what != TWICE
                and each.wire in ("", wire)
                and each.path in path
                and (not ON[each.on] or method in ON[each.on])
            )
        )

    def doubles(self, wire: str) -> bool:
        """Whether a message of a job of this wire is sent twice."""
        return self._meet(lambda each: each.what == TWICE and each.wire in ("", wire)) is not None

    def _meet(self, meets: Callable[[Fault], bool]) -> Fault | None:
        for place, each in enumerate(self.all()):
            if meets(each):
                met = replace(each, met=each.met + 1)
                if each.times and met.met >= each.times:
                    del self._all[place]
                else:
                    self._all[place] = met
                return met
        return None


def check(wish: Fault, wires: Sequence[str]) -> None:
    if wish.wire and wish.wire not in wires:
        raise Problem(Kind.INVALID, f"There is no API {wish.wire!r}; there are {', '.join(wires)}.", field="wire")
    if wish.on not in ON:
        raise Problem(Kind.INVALID, f"`on` is one of {', '.join(ON)}; {wish.on!r} is none.", field="on")
    known = kind_of(wish.what) or wish.what in WORDS or failure_of(wish)
    if not known:
        kinds = f"{', '.join(WORDS)}, a status from 400 on, or a kind: {', '.join(Kind)}"
        raise Problem(Kind.INVALID, f"There is no fault {wish.what!r}; there are {kinds}.", field="what")


def kind_of(what: str | int) -> Kind | None:
    """The kind of problem that is meant by its name or by a status."""
    text = str(what)
    if text in KINDS:
        return Kind(text)
    return BY_STATUS.get(int(text)) if text.isascii() and text.isdigit() else None


def problem_of(fault: Fault) -> Problem | None:
    """What a request that meets it is answered with; None where it is not refused."""
    kind = kind_of(fault.what)
    if kind is None:
        return None
    return Problem(kind, f"Rehearsed: {kind}.", retry_after=fault.seconds)


def failure_of(fault: Fault) -> Failure | None:
    """How a job ends that meets it."""
    text = str(fault.what)
    kind = text.removeprefix(FAILED)
    if not text.startswith(FAILED) or kind not in KINDS:
        return None
    return Failure(kind=Kind(kind), message=f"Rehearsed: {kind}.")
