"""Webhooks as an operator looks at them: messages with their attempts, sending again, checking a signature."""

import hmac
from typing import Annotated

from msgspec import Meta, Struct

from mutoscope.background.webhooks import sign
from mutoscope.engines.transcripts import readable
from mutoscope.model.job import Json
from mutoscope.model.problem import Kind, Problem
from mutoscope.store import DeliveryRecord
from mutoscope.web.office import words
from mutoscope.web.office.calls import Asked, Desk, found

SEARCHED = 10_000  # messages among which those to be replayed are looked for


class DeliveriesQuery(Struct, frozen=True, kw_only=True):
    job: str | None = None
    pending: bool = False
    limit: Annotated[int, Meta(ge=1, le=1000)] = 100


class ReplayAll(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    receiver: str = ""  # how their addresses begin; "" all of them
    since: float = 0.0  # made then or later


class Signed(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A message as it arrived somewhere."""

    id: str  # webhook-id
    timestamp: int  # webhook-timestamp
    signature: str  # webhook-signature
    body: str
    secret: str = ""  # with which to hold it; "" that of this server


async def list_deliveries(desk: Desk, asked: Asked) -> Json:
    """Messages, the newest first."""
    query: DeliveriesQuery = asked.query
    records = await desk.store.deliveries(job=query.job, pending_only=query.pending, limit=query.limit)
    return {"deliveries": [words.delivery(each) for each in records]}


async def show_delivery(desk: Desk, asked: Asked) -> Json:
    """One message with its body and every attempt."""
    record = await one(desk, asked.params["id"])
    attempts = await desk.store.attempts(record.delivery.id)
    return words.delivery(record) | {
        "body": words.pretty(readable(record.delivery.body)),
        "tries": [
            {"number": each.number, "at": each.at, "status": each.status, "error": each.error, "ms": each.ms}
            for each in attempts
        ],
    }


async def one(desk: Desk, id: str) -> DeliveryRecord:
    """Raises Problem(NOT_FOUND)."""
    return found(await desk.store.delivery(id), "message", id)


async def told(desk: Desk, id: str) -> Json | None:
    """What the news say of a message that was tried."""
    record = await desk.store.delivery(id)
    return None if record is None else words.delivery(record)


async def replay(desk: Desk, asked: Asked) -> Json:
    id = asked.params["id"]
    if not await desk.store.replay(id, desk.now()):
        raise Problem(Kind.NOT_FOUND, f"There is no message {id!r}.", field="id")
    desk.gateway.signals.delivery_pending()
    return {"id": id, "replayed": True}


async def replay_all(desk: Desk, asked: Asked) -> Json:
    """All that were given up, of a receiver and since a time."""
    wish, replayed = asked.body, 0
    for record in await desk.store.deliveries(limit=SEARCHED):
        fits = record.created >= wish.since and record.delivery.url.startswith(wish.receiver)
        if record.given_up is not None and fits:
            replayed += await desk.store.replay(record.delivery.id, desk.now())
    if replayed:
        desk.gateway.signals.delivery_pending()
    return {"replayed": replayed}


async def verify(desk: Desk, asked: Asked) -> Json:
    """Whether a signature is right, as a receiver would find out."""
    signed: Signed = asked.body
    secret = signed.secret or desk.parts.webhook_secret
    if not secret:
        raise Problem(Kind.INVALID, "secret is needed: this server has none of its own.", field="secret")
    try:
        right = sign(secret, signed.id, signed.timestamp, signed.body.encode())
    except ValueError as error:
        raise Problem(Kind.INVALID, f"secret: {error}.", field="secret") from error
    given = signed.signature.split()
    valid = any(hmac.compare_digest(one.encode(), other.encode()) for one in right.split() for other in given)
    age = desk.now() - signed.timestamp
    why = ""
    if not valid:
        why = "No signature matches: another secret, or the body or a header is not exactly as it was sent."
    elif abs(age) > 300:
        why = f"The signature matches. It is {abs(age):,.0f} s old: receivers refuse what is older than five minutes."
    return {"valid": valid, "age_seconds": round(age, 1), "told": why or "The signature matches."}


async def received(desk: Desk, _asked: Asked) -> Json:
    """What arrived at the console's own receiver, the newest first."""
    return {"path": desk.received.path, "received": desk.received.list()}


async def forget_received(desk: Desk, _asked: Asked) -> Json:
    return {"removed": desk.received.clear()}
