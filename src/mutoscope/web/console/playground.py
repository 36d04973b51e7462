"""The playground: an API, an operation, and a form made from the schema that /openapi.json publishes for it."""

from typing import Any, cast

import htpy as h

from mutoscope.model.http import HttpResponse, json_response
from mutoscope.model.job import Json
from mutoscope.model.problem import Kind, Problem
from mutoscope.web import openapi
from mutoscope.web.console.parts import Page, card, empty, field, select
from mutoscope.web.openapi import Operation
from mutoscope.wirekit.routes import Create
from mutoscope.wirekit.wire import Wire

NOT_KEPT = {"cache-control": "no-store"}
FIRST = ("runway", "POST /v1/text_to_image")


async def page(visit: Any) -> Page:
    asked = visit.request.query
    wires = {name: wire for name, wire in visit.desk.wires.items() if any(creates(visit, wire))}
    name = asked.get("wire") if asked.get("wire") in wires else FIRST[0] if FIRST[0] in wires else next(iter(wires), "")
    if not name:
        return Page(title="Playground", path="/console/playground", body=empty("No API", "This server speaks none."))
    operations = creates(visit, wires[name])
    ids = [each.spec["operationId"] for each in operations]
    preferred = next(
        (each.spec["operationId"] for each in operations if f"{each.method} {each.path}" == FIRST[1]), ids[0]
    )
    chosen = asked.get("operation") if asked.get("operation") in ids else preferred
    return Page(
        title="Playground",
        path="/console/playground",
        scripts=("playground.js",),
        lead="Any request that this server takes, as a form. Its bill comes before it is sent.",
        body=[
            h.form(".filters", method="get", action="/console/playground", aria_label="What to try")[
                field("API", select("wire", ((each, wire.title) for each, wire in wires.items()), name, data_go=True)),
                field(
                    "Operation",
                    select(
                        "operation",
                        ((each.spec["operationId"], f"{each.spec['summary']} — {each.path}") for each in operations),
                        chosen,
                        data_go=True,
                    ),
                ),
                h.div(".buttons")[h.button(".without-script", type="submit")["Choose"]],
            ],
            h.p(".notice.without-script")[
                "The form needs JavaScript. The fields are listed at ", h.a(href=f"/docs#{chosen}")["The APIs"], "."
            ],
            h.div("#playground.columns.even.needs-script", data_operation=chosen, data_wire=name)[
                h.div[
                    card(
                        "Request",
                        h.form("#wish.stack", autocomplete="off")[
                            h.div("#fields.stack"),
                            h.details("#more-models")[
                                h.summary["Several models side by side"],
                                h.p(".note")["Each becomes a job of its own, of the same wish."],
                                h.div("#models.checks"),
                            ],
                            h.div("#bill.bill", role="status", aria_live="polite")["…"],
                            h.button("#send.primary", type="submit")["Send"],
                        ],
                    ),
                ],
                h.div[
                    card(
                        "The same as JSON",
                        h.label(".hidden", for_="json")["Body as JSON"],
                        h.textarea("#json", spellcheck="false", rows="12"),
                        h.p("#json-trouble.note", role="status"),
                    ),
                    card(
                        "As understood", h.div("#understood")[h.p(".note")["What it comes to, in no vendor's words."]]
                    ),
                    card(
                        "As other vendors are asked",
                        h.div("#others")[
                            h.p(".note")["The same wish in the words of every other vendor that makes the like."]
                        ],
                        actions=h.button("#translate.small", type="button")["Show"],
                    ),
                ],
            ],
            card(
                "Results",
                h.ul("#gallery.tiles.few", aria_label="Results", data_own=True),
                note="What was sent from here, the newest first",
                id="results",
            ),
        ],
    )


def creates(visit: Any, wire: Wire) -> list[Operation]:
    """The operations of a wire that make a job of a body."""
    made = {f"{route.method} {route.path.replace('…', '')}" for route in wire.routes if isinstance(route, Create)}
    return [
        each
        for each in openapi.operations(visit.desk.document())
        if each.tag == wire.name and each.body is not None and f"{each.method} {own_path(wire, each.path)}" in made
    ]


def own_path(wire: Wire, path: str) -> str:
    """Without the prefix by which a path that several vendors have is published."""
    return path.removeprefix(f"/{wire.name}") if path.startswith(f"/{wire.name}/") else path


async def operation(visit: Any) -> HttpResponse:
    """What the form is made from: the operation as it is published, and the schemas that it refers to."""
    id = visit.request.query.get("id", "")
    document = visit.desk.document()
    found = next((each for each in openapi.operations(document) if each.spec["operationId"] == id), None)
    if found is None or found.body is None:
        raise Problem(Kind.NOT_FOUND, f"There is no operation {id!r}.", field="id")
    wire = visit.desk.wires[found.tag]
    path = own_path(wire, found.path)
    routes = {route.path.replace("…", ""): route for route in wire.routes if isinstance(route, Create)}
    told: Json = {
        "wire": wire.name,
        "method": found.method,
        "path": path if path in routes else found.path,
        "body": found.body,
        "example": found.example,
        "schemas": referred(found.body, document["components"]["schemas"]),
        "words": words_of(visit, wire),
    }
    return json_response(told, headers=dict(NOT_KEPT))


def referred(schema: Any, schemas: Json) -> Json:
    """Every schema that one refers to, and those these refer to."""
    found: Json = {}
    waiting: list[Any] = [schema]
    while waiting:
        each = waiting.pop()
        if isinstance(each, str) and each.startswith(openapi.SCHEMAS):
            name = each.removeprefix(openapi.SCHEMAS)
            if name not in found:
                found[name] = schemas[name]
                waiting.append(schemas[name])
        elif isinstance(each, dict):
            waiting += cast("Json", each).values()
        elif isinstance(each, list):
            waiting += cast("list[Any]", each)
    return found


def words_of(visit: Any, wire: Wire) -> list[str]:
    """What models are called on a wire, for the parameters of its paths."""
    return sorted({word for model in visit.desk.catalog.models.values() for word in model.names.get(wire.name, ())})
