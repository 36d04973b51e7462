"""Faults by a button, where the server rehearses."""

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from mutoscope.model.job import Json
from mutoscope.model.problem import Kind, Problem
from mutoscope.service.faults import FAILED, WORDS, Fault, Faults
from mutoscope.web.office.calls import Asked, Desk


class FaultWish(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What should go wrong, for whom and how often."""

    what: str  # a problem's kind, an HTTP status, slow, lost, webhook_twice, failed:<kind>
    wire: str = ""  # "" for every vendor's API
    path: str = ""  # a part of the request's path
    on: str = "create"  # or read, or any
    times: Annotated[int, Meta(ge=0, le=10**6)] = 1  # 0: as long as it lasts
    seconds: Annotated[float, Meta(ge=0, le=600)] = 1.0  # how slow; how long a refused caller is told to wait
    lasting: Annotated[float, Meta(gt=0, le=86400)] | None = None  # seconds after which it is over


async def faults(desk: Desk, _asked: Asked) -> Json:
    """Faults that wait for requests."""
    found = desk.faults.all() if desk.faults else ()
    return {
        "rehearsal": desk.rehearsal,
        "faults": [as_json(each, desk.now()) for each in found],
        "words": WORDS,
        "kinds": [kind.value for kind in Kind],
        "whats": [*(word for word in WORDS if not word.startswith(FAILED)), *(f"{FAILED}{kind}" for kind in Kind)],
    }


def as_json(fault: Fault, now: float) -> Json:
    told: Json = msgspec.to_builtins(fault)
    return told | {"seconds_left": None if fault.until is None else round(max(fault.until - now, 0.0), 1)}


async def add_fault(desk: Desk, asked: Asked) -> Json:
    wish: FaultWish = asked.body
    fault = rehearsed(desk).add(Fault(**{name: getattr(wish, name) for name in wish.__struct_fields__}))
    return as_json(fault, desk.now())


async def remove_fault(desk: Desk, asked: Asked) -> Json:
    id = asked.params["id"]
    if not rehearsed(desk).clear(id):
        raise Problem(Kind.NOT_FOUND, f"There is no fault {id!r}; it may be over.", field="id")
    return {"id": id, "removed": True}


def rehearsed(desk: Desk) -> Faults:
    """Raises Problem(CONFLICT) where the server makes real things."""
    if desk.faults is None:
        raise Problem(Kind.CONFLICT, "This server makes real things: faults are for `mutoscope serve --rehearse`.")
    return desk.faults
