"""What `serve --rehearse` adds for test clients: what the vendors' own SDK test suites expect of a server.

Those suites were written against a mock server, which knows every task and looks at types only: they ask for tasks of
fixed names, and one of them sends bodies that its vendor itself refuses. See docs/09-rehearsing.md.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from mutoscope.engines.fit import fit
from mutoscope.model.http import HttpRequest, HttpResponse, json_response
from mutoscope.model.job import Generation, Job, Json, Operation, State
from mutoscope.model.problem import Kind, Problem
from mutoscope.model.requests import Submission
from mutoscope.store import Jobs
from mutoscope.wirekit import task
from mutoscope.wirekit.body import read_json
from mutoscope.wirekit.ids import UUID
from mutoscope.wirekit.routes import Create, Route
from mutoscope.wirekit.wire import Wire, built_once
from mutoscope.wires.luma import api as luma
from mutoscope.wires.openai import api as openai
from mutoscope.wires.runway import api as runway
from mutoscope.wires.runway import elsewhere
from mutoscope.wires.runway.tasks import created


class Fixed(Struct, frozen=True, kw_only=True):
    """A task that stays however often it is deleted."""

    wire: str
    names: tuple[str, ...]  # what a suite calls it
    id: str  # of its job
    generation: Generation
    route: str = ""
    body: bytes = b""


RUNWAY_TASK = "182bd5e5-6e1a-4fe4-a799-aa6d9a6ab26e"
FIXED = (
    Fixed(
        wire=runway.WIRE.name,
        names=(RUNWAY_TASK,),
        id=runway.WIRE.job_id(RUNWAY_TASK) or "",
        generation=Generation(operation=Operation.TEXT_TO_IMAGE, model="gen4_image", prompt="rehearsal"),
    ),
    Fixed(
        wire=luma.WIRE.name,
        names=("id", "123e4567-e89b-12d3-a456-426614174000"),
        id="123e4567-e89b-72d3-a456-426614174000",
        generation=Generation(operation=Operation.TEXT_TO_VIDEO, model="ray-2", prompt="rehearsal", seconds=1.0),
        body=b'{"model":"ray-2","prompt":"rehearsal"}',
    ),
    Fixed(
        wire=openai.WIRE.name,
        names=("video_123",),
        id="01234567-89ab-7cde-8f01-23456789abcd",
        generation=Generation(operation=Operation.TEXT_TO_VIDEO, model="sora-2", prompt="rehearsal", seconds=1.0),
        route="videos",
    ),
)
KEPT = frozenset(each.id for each in FIXED)

LUMA_SUITE = "Bearer My Auth Token"
"""How the tests of Luma's SDK sign their requests; nobody else is spared the rules."""


@built_once
def wires(all: tuple[Wire, ...]) -> tuple[Wire, ...]:
    """Every wire, as a rehearsal serves it."""
    return tuple(rehearsed(wire) for wire in all)


def rehearsed(wire: Wire) -> Wire:
    ids = {name: each.id for each in FIXED if each.wire == wire.name for name in each.names}

    def job_id(public: str) -> str | None:
        return ids.get(public) or wire.job_id(public)

    routes = mocked(wire, luma.API) if wire is luma.WIRE else wire.routes
    if wire is runway.WIRE:
        routes = made_up(routes)
    return replace(wire, job_id=job_id, routes=routes) if ids else wire


def mocked(wire: Wire, api: task.TaskApi) -> tuple[Route, ...]:
    """The routes without the rules between members, for the suite: it sends bodies without words or pictures."""
    lax = task.wire(replace(api, endpoints=tuple(replace(each, rules=None) for each in api.endpoints)))
    reads: dict[str, Callable[[HttpRequest], Any]] = {
        each.at: each.parse for each in lax.routes if isinstance(each, Create)
    }

    def spared(route: Create) -> Create:
        def parse(request: HttpRequest) -> Any:
            suite = request.headers.get("authorization") == LUMA_SUITE
            return (reads[route.at] if suite else route.parse)(request)

        return replace(route, parse=parse)

    return tuple(spared(each) if isinstance(each, Create) else each for each in wire.routes)


# -- what Runway keeps for a caller, made up -------------------------------------------------


def made_up(routes: tuple[Route, ...]) -> tuple[Route, ...]:
    """With answers in the place of refusals; what makes a task there makes one here."""
    rows = {route.at: row for route, row in zip(elsewhere.ROUTES, elsewhere.ROWS, strict=True)}
    return tuple(scripted(rows[each.at], each) if each.at in rows else each for each in routes)


def scripted(row: elsewhere.Row, refused: Route) -> Route:
    if row.makes is None:
        return elsewhere.reply(row, answered)
    return Create(
        at=refused.at,
        summary=refused.summary,
        body=row.body,
        answer=row.answer,
        parse=lambda request: Submission(generation=elsewhere.wish(row, elsewhere.check(row, request))),
        render=lambda job, request: json_response(told_of(job, value(row, request))),
    )


def told_of(job: Job, made: Json) -> Json:
    """With what is true of a task, where the answer has a place for it."""
    true: Json = msgspec.to_builtins(created(job))
    return {name: true.get(name, each) for name, each in made.items()}


def answered(row: elsewhere.Row, request: HttpRequest) -> HttpResponse:
    elsewhere.check(row, request)
    return json_response(value(row, request)) if row.answer else HttpResponse(status=204)


def value(row: elsewhere.Row, request: HttpRequest) -> Json:
    """The same for the same path; what was sent stands in it where there is a place for it."""
    made: Json = fit(msgspec.json.schema(row.answer), request.path)
    said: Json = read_json(request.body) if row.body and request.body else {}
    known = {"id": request.params["id"]} if UUID.fullmatch(request.params.get("id", "").lower()) else {}
    for name, each in (said | known).items():
        with suppress(msgspec.ValidationError):
            if name in made:
                msgspec.convert(tried := made | {name: each}, row.answer)
                made = tried
    return made


async def seed(store: Jobs, *, now: float) -> None:
    """Put the fixed tasks into the store unless they are there; the worker makes them as it makes any job."""
    for each in FIXED:
        job = Job(
            id=each.id,
            wire=each.wire,
            route=each.route,
            owner="",
            engine="script",
            generation=each.generation,
            body=each.body,
            state=State.QUEUED,
            created=now,
            updated=now,
        )
        try:
            await store.add(job)
        except Problem as problem:
            if problem.kind is not Kind.CONFLICT:
                raise
