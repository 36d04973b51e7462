"""Trying things out: what a request would cost, how other vendors would be asked for the same, and sending it."""

import asyncio
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace

from mutoscope.model.http import HttpRequest
from mutoscope.model.job import Json
from mutoscope.model.problem import Kind, Problem
from mutoscope.service.planning import Plan
from mutoscope.web.office import jobs, words
from mutoscope.web.office.calls import Asked, Desk
from mutoscope.wirekit.routes import Create
from mutoscope.wirekit.wire import Wire

MOST_AT_ONCE = 6


class Try(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A request as a client of a vendor's API would send it."""

    wire: str
    path: Annotated[str, Meta(max_length=500)]
    method: str = "POST"
    body: dict[str, Any] = {}


class TryMany(Try, frozen=True, kw_only=True, forbid_unknown_fields=True):
    models: Annotated[list[str], Meta(max_length=MOST_AT_ONCE)] = []
    """Models of the catalog that make the same, each as a job of its own; none: the one that the request names."""


async def estimate(desk: Desk, asked: Asked) -> Json:
    """What a request comes to: who makes it, what it may cost, what is ignored. Nothing is kept and nobody is asked."""
    wire, route, request = read(desk, asked.body)
    plan = await planned(desk, asked, wire, route, request)
    model = desk.catalog.get(plan.generation.model)
    price = desk.gateway.prices.price_at(model, plan.engine)
    return {
        "engine": plan.engine,
        "remote": plan.remote,
        "credits": round(plan.estimate, 4),
        "price_known": price.known,
        "model": model.name,
        "operation": plan.generation.operation.value,
        "notes": list(plan.notes),
        "understood": words.understood(plan.generation),
    }


async def translate(desk: Desk, asked: Asked) -> Json:
    """The same wish as the request of every other vendor that makes the like."""
    wire, route, request = read(desk, asked.body)
    plan = await planned(desk, asked, wire, route, request)
    wish = replace(plan.generation, inputs=tuple(replace(each, data=None) for each in plan.generation.inputs))
    return {"requests": await asyncio.to_thread(lambda: list(words.every_vendor(desk, wish)))}


async def submit(desk: Desk, asked: Asked) -> Json:
    """File the request as the operator's job, or one job for each of several models."""
    wish: TryMany = asked.body
    wire, route, request = read(desk, wish)
    submission = await asyncio.to_thread(route.parse, request)
    made: list[Json] = []
    for model in wish.models or [submission.generation.model]:
        each = replace(submission, generation=replace(submission.generation, model=model), wait=None)
        job = await desk.gateway.submit(
            wire, route.route, each, owner=asked.caller.owner, rights=asked.caller.rights, body=request.body,
            origin=asked.request.origin,
        )  # fmt: skip
        made.append(jobs.tile(desk, job))
    return {"jobs": made}


def read(desk: Desk, wish: Try) -> tuple[Wire, Create, HttpRequest]:
    """The route of a request and the request as it would come. Raises Problem."""
    if desk.read is None or wish.wire not in desk.wires:
        known = ", ".join(desk.wires)
        raise Problem(Kind.INVALID, f"There is no API {wish.wire!r}; there are {known}.", field="wire")
    return desk.read(wish.wire, wish.method, wish.path, msgspec.json.encode(wish.body))


async def planned(desk: Desk, asked: Asked, wire: Wire, route: Create, request: HttpRequest) -> Plan:
    submission = await asyncio.to_thread(route.parse, request)
    return desk.gateway.planner.plan(submission, wire=wire.name, rights=asked.caller.rights)
