"""Faults by a button, where the server rehearses."""

from mutoscope.model.job import Json
from mutoscope.model.problem import Kind, Problem
from mutoscope.service.faults import MEANING
from mutoscope.web.office.calls import Asked, Desk


async def faults(desk: Desk, _asked: Asked) -> Json:
    """Faults that wait for requests."""
    now = desk.now()
    return {
        "rehearsal": desk.rehearsal,
        "faults": [each.as_json(now) for each in desk.faults.current()],
        "whats": MEANING,
        "kinds": [kind.value for kind in Kind],
    }


async def add_fault(desk: Desk, asked: Asked) -> Json:
    if not desk.rehearsal:
        raise Problem(Kind.CONFLICT, "This server makes real things: faults are for `mutoscope serve --rehearse`.")
    if asked.body.wire and asked.body.wire not in desk.wires:
        known = ", ".join(desk.wires)
        raise Problem(Kind.INVALID, f"There is no API {asked.body.wire!r}; there are {known}.", field="wire")
    return desk.faults.add(asked.body).as_json(desk.now())


async def remove_fault(desk: Desk, asked: Asked) -> Json:
    id = asked.params["id"]
    if desk.faults.remove(id) is None:
        raise Problem(Kind.NOT_FOUND, f"There is no fault {id!r}; it may be over.", field="id")
    return {"id": id, "removed": True}
