"""One wish in the words of any vendor, and messages as they are shown."""

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec.structs import replace

from mutoscope.engines.transcripts import readable, struck
from mutoscope.model import catalog
from mutoscope.model.catalog import Model
from mutoscope.model.http import HttpRequest, HttpResponse
from mutoscope.model.job import Generation, Json
from mutoscope.model.problem import Problem
from mutoscope.store import DeliveryRecord
from mutoscope.web.office.calls import Desk
from mutoscope.wirekit.back import VendorRequest
from mutoscope.wirekit.wire import Wire

STEPS = 4  # requests before the one that spends: a place for a file, and the like


def as_vendor(desk: Desk, wire: Wire, wish: Generation, *, reference: str = "", model: Model | None = None) -> Json:
    """The request that a vendor would be sent for a wish, or why there is none."""
    told: Json = {"wire": wire.name, "title": wire.title}
    back = wire.back
    row = model or closest(desk, wire, wish)
    if back is None or row is None:
        return told | {"problem": f"{wire.title} has nothing here that makes {wish.operation.replace('_', ' ')}."}
    told |= {"model": row.name, "same_model": row.name == wish.model}
    names = row.names[wire.name]
    supported = back.supports(wish.operation, names) or frozenset()
    asked = replace(wish, model=row.name, wire="", unread={})
    kept = tuple(each for each in asked.inputs if "*" in supported or each.role in supported)
    left = unsupported(asked, supported, row)
    asked = replace(asked, inputs=kept, **{name: None for name in left if name in OPTIONAL})
    asked = replace(asked, extra={name: value for name, value in asked.extra.items() if name not in left})
    try:
        order = VendorRequest(
            generation=catalog.complete(asked, row, remote=True),
            names=names,
            sources={each.field: source_of(desk, each) for each in kept},
            reference=reference,
        )
        back.check(replace(order, sources={}))
        request = spending(back.submit(order))
    except Problem as problem:
        field = f"{problem.field}: " if problem.field else ""
        return told | {"problem": f"{field}{problem.message}", "left_out": left}
    except Exception:  # what this wire reads of an answer is not here
        return told | {"problem": "This vendor is asked in several steps, of which the first needs its answer."}
    if request is None:
        return told | {"problem": "This vendor is asked in several steps, of which the first needs its answer."}
    base = next((relay.vendor_client.base.human_repr() for relay in desk.relays.values() if relay.wire is wire), None)
    return told | {
        "method": request.method,
        "url": request.path
        if "://" in request.path
        else (base or back.base_url).rstrip("/") + "/" + request.path.lstrip("/"),
        "body": pretty(struck(readable(request.body))),
        "left_out": left,
        "credits": desk.gateway.prices.estimate(order.generation, row, wire.name),
    }


OPTIONAL = ("negative_prompt", "resolution", "fps", "count", "seed", "watermark")
"""Fields that may be left out of a wish without its being another."""


def unsupported(wish: Generation, supported: frozenset[str], row: Model) -> list[str]:
    if "*" in supported:
        return []
    said = [name for name in OPTIONAL if getattr(wish, name) is not None]
    roles = [each.role.value for each in wish.inputs if each.role not in supported]
    return [name for name in (*said, *wish.extra, *roles) if name not in supported and name not in row.defaults]


def closest(desk: Desk, wire: Wire, wish: Generation) -> Model | None:
    """The same model where the vendor has it, else its first that makes the like."""
    own = desk.catalog.models.get(wish.model)
    rows = [row for row in desk.catalog.models.values() if wire.back and wire.back.vendor == row.vendor]
    for row in filter(None, (own, *rows, *desk.catalog.models.values())):
        names = row.names.get(wire.name)
        if names and wish.operation in row.serves and wire.back and wire.back.supports(wish.operation, names):
            return row
    return None


def source_of(desk: Desk, each: Any) -> str:
    if each.url:
        return each.url
    return f"{desk.gateway.settings.server.public_url or 'https://this-server.example'}/files/{each.field}"


def spending(conversation: Any) -> HttpRequest | None:
    """The request that costs money: the first where nothing has to be asked before it."""
    request: HttpRequest = next(conversation)
    for _ in range(STEPS):
        if request.spends:
            return request
        request = conversation.send(HttpResponse(body=b"{}"))
    return None


def every_vendor(desk: Desk, wish: Generation) -> Iterator[Json]:
    for wire in desk.wires.values():
        if wire.back is not None:
            yield as_vendor(desk, wire, wish)


def delivery(record: DeliveryRecord) -> Json:
    """A message as lists show it."""
    pending = record.delivered is None and record.given_up is None
    return {
        "id": record.delivery.id,
        "job": record.delivery.job,
        "url": struck(record.delivery.url),
        "event": record.delivery.event,
        "state": "pending" if pending else "delivered" if record.delivered is not None else "given_up",
        "attempts": record.attempts,
        "created": record.created,
        "delivered": record.delivered,
        "given_up": record.given_up,
        "due": record.due if pending else None,
    }


def understood(wish: Generation) -> str:
    """A wish in no vendor's words; a file inside it is told by its length."""
    told: Json = msgspec.to_builtins(wish, builtin_types=(bytes,))
    for each in told.get("inputs", ()):
        if data := each.pop("data", None):
            each["data"] = f"[{len(data):,} bytes]"
    return pretty(struck(msgspec.json.encode(told).decode()))


def pretty(text: str) -> str:
    """JSON with indents; anything else as it is."""
    try:
        return msgspec.json.format(text.encode(), indent=2).decode()
    except (msgspec.DecodeError, RecursionError):
        return text
