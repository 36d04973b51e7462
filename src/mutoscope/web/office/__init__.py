"""The admin API: whatever an operator does is a call here, in JSON, that pages, the command line and agents make.

What belongs here: a call's function, its query and body as types, its line in the table. What does not: HTML, cookies.
"""

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from mutoscope.model.http import HttpRequest, HttpResponse, json_response
from mutoscope.model.job import Json
from mutoscope.model.problem import Kind, Problem
from mutoscope.service.keys import Caller
from mutoscope.web.office import cassettes, deliveries, jobs, money, playground, rehearsals, storage, vendors
from mutoscope.web.office.calls import ADMIN, NOT_STORED, PLACEHOLDER, Asked, Call, Desk, Parts

__all__ = ["ADMIN", "CALLS", "EVENTS", "Asked", "Call", "Desk", "Parts", "describe", "find", "handle"]

EVENTS = "/admin/events"
TAG = "admin"

CALLS: tuple[Call, ...] = (
    Call(at="GET /admin/overview", summary="How the server fares", answer=jobs.overview),
    Call(at="GET /admin/jobs", summary="A page of jobs", answer=jobs.list_jobs, query=jobs.JobsQuery),
    Call(at="GET /admin/jobs/{id}", summary="One job, with all that is known of it", answer=jobs.show_job),
    Call(at="DELETE /admin/jobs/{id}", summary="Delete a job that has ended", answer=jobs.delete_job),
    Call(at="GET /admin/jobs/{id}/provenance", summary="What its files say of their making, and whether it holds",
         answer=jobs.provenance_of),
    Call(at="POST /admin/jobs/{id}/cancel", summary="Cancel a job", answer=jobs.cancel_job),
    Call(at="POST /admin/jobs/{id}/again", summary="Run a job again", answer=jobs.run_again, body=jobs.Again),
    Call(at="POST /admin/estimate", summary="What a request may cost and who would make it",
         answer=playground.estimate, body=playground.Try, large=True),
    Call(at="POST /admin/translate", summary="A request as other vendors' requests",
         answer=playground.translate, body=playground.Try, large=True),
    Call(at="POST /admin/submit", summary="File a request as the operator's job",
         answer=playground.submit, body=playground.TryMany, large=True),
    Call(at="GET /admin/deliveries", summary="Webhook messages",
         answer=deliveries.list_deliveries, query=deliveries.DeliveriesQuery),
    Call(at="POST /admin/deliveries/replay", summary="Send again what was given up",
         answer=deliveries.replay_all, body=deliveries.ReplayAll),
    Call(at="GET /admin/deliveries/{id}", summary="One message with its attempts", answer=deliveries.show_delivery),
    Call(at="POST /admin/deliveries/{id}/replay", summary="Send a message again", answer=deliveries.replay),
    Call(at="POST /admin/verify", summary="Hold a webhook's signature against its body",
         answer=deliveries.verify, body=deliveries.Signed),
    Call(at="GET /admin/received", summary="What arrived at the console's receiver", answer=deliveries.received),
    Call(at="DELETE /admin/received", summary="Forget what arrived there", answer=deliveries.forget_received),
    Call(at="GET /admin/spending", summary="Credits by day, owner, model and engine",
         answer=money.spending, query=money.SpendingQuery),
    Call(at="GET /admin/spending.csv", summary="The same as a table", answer=money.spending_csv,
         query=money.SpendingQuery, files=True),
    Call(at="GET /admin/models", summary="Models, their engines, prices and times", answer=money.models),
    Call(at="GET /admin/vendors", summary="Accounts, and submissions of unknown fate", answer=vendors.vendors),
    Call(at="POST /admin/submissions/{job}/{number}/settle", summary="Settle a submission by hand",
         answer=vendors.settle, body=vendors.Verdict),
    Call(at="GET /admin/faults", summary="Faults that are rehearsed", answer=rehearsals.faults),
    Call(at="POST /admin/faults", summary="Rehearse a fault", answer=rehearsals.add_fault, body=rehearsals.FaultWish),
    Call(at="DELETE /admin/faults/{id}", summary="End a fault", answer=rehearsals.remove_fault),
    Call(at="GET /admin/cassettes", summary="Recordings of vendors", answer=cassettes.list_cassettes),
    Call(at="GET /admin/cassettes/{name}", summary="One recording with its answers", answer=cassettes.show_cassette),
    Call(at="GET /admin/storage", summary="What is kept for how long", answer=storage.storage),
    Call(at="POST /admin/sweep", summary="Remove what was kept for its time, or count it",
         answer=storage.sweep, body=storage.SweepWish),
    Call(at="POST /admin/forget", summary="Forget an owner, or count what that removes",
         answer=storage.forget, body=storage.ForgetWish),
)  # fmt: skip


def find(method: str, path: str) -> tuple[Call, dict[str, str]]:
    """The call of a request and its parameters. Raises Problem."""
    methods: list[str] = []
    for call in CALLS:
        if match := call.pattern.fullmatch(path):
            if call.method == ("GET" if method == "HEAD" else method):
                return call, match.groupdict()
            methods.append(call.method)
    if methods:
        raise Problem(Kind.WRONG_METHOD, f"{method} is not allowed here; {', '.join(methods)} is.")
    known = ", ".join(dict.fromkeys(call.path for call in CALLS if "{" not in call.path))
    raise Problem(Kind.NOT_FOUND, f"There is nothing here; there are /admin/keys, /admin/exchanges, {EVENTS}, {known}.")


async def handle(desk: Desk, request: HttpRequest, caller: Caller) -> HttpResponse:
    """A call by somebody who may make it. Raises Problem."""
    call, params = find(request.method, request.path)
    query = None if call.query is None else read(request.query, call.query)
    body = None if call.body is None else decoded(request.body or b"{}", call.body)
    answer = await call.answer(desk, Asked(request=request, caller=caller, params=params, query=query, body=body))
    return answer if isinstance(answer, HttpResponse) else json_response(answer, headers=dict(NOT_STORED))


async def call(desk: Desk, at: str, caller: Caller, *, origin: str = "", **values: Any) -> Any:
    """The same from a page: the answer as it is, before it becomes JSON."""
    method, path = at.split(" ", 1)
    known, params = find(method, path)
    query = None if known.query is None else read(values, known.query)
    request = HttpRequest(method=method, path=path, origin=origin)
    return await known.answer(desk, Asked(request=request, caller=caller, params=params, query=query))


def read(values: dict[str, Any], type: Any) -> Any:
    """A query; what a form left empty is left out. Raises Problem."""
    try:
        return msgspec.convert({name: value for name, value in values.items() if value != ""}, type, strict=False)
    except msgspec.ValidationError as error:
        raise flawed(error) from error


def decoded(body: bytes, type: Any) -> Any:
    try:
        return msgspec.json.decode(body, type=type)
    except msgspec.ValidationError as error:
        raise flawed(error) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Problem(Kind.INVALID, f"The request body is not valid JSON: {error}") from error


def flawed(error: msgspec.ValidationError) -> Problem:
    place = re.search(r"`\$\.?([^`]*)`", str(error))
    return Problem(Kind.INVALID, str(error), field=place[1] if place and place[1] else None)


# -- the description -----------------------------------------------------------------------


def describe(document: Json) -> None:
    """Add the calls to an OpenAPI document, as a section of their own."""
    document["tags"].append(
        {"name": TAG, "description": "What an operator does. Needs a key with the right `admin`, or the console."}
    )
    components = document["components"]
    components["securitySchemes"][TAG] = {"type": "http", "scheme": "bearer"}
    types = [each for call in CALLS for each in (call.query, call.body) if each is not None]
    said, schemas = msgspec.json.schema_components(types, ref_template="#/components/schemas/admin.{name}")
    components["schemas"] |= {f"admin.{name}": titled(schema) for name, schema in schemas.items()}
    schema_of = dict(zip(types, said, strict=True))
    components["schemas"]["admin.Error"] = {
        "type": "object",
        "title": "AdminError",
        "properties": {"error": {"type": "string"}, "kind": {"type": "string"}, "field": {"type": "string"}},
        "required": ["error"],
    }
    events = Call(
        at=f"GET {EVENTS}", summary="Jobs, deliveries and breakers as they change", answer=jobs.overview, streams=True
    )
    for call in (*CALLS, events):
        path = document["paths"].setdefault(call.path, {})
        path[call.method.lower()] = operation(call, schema_of, components["schemas"])


def titled(schema: Json) -> Json:
    return schema | {"title": f"Admin{schema['title']}"} if "title" in schema else schema


def operation(call: Call, schema_of: dict[Any, Json], schemas: Json) -> Json:
    words = re.sub(r"[^a-z0-9]+", "_", call.path.lower()).strip("_")
    told: Json = {"operationId": f"{call.method.lower()}_{words}", "summary": call.summary, "tags": [TAG]}
    parameters = [*path_parameters(call), *query_parameters(call, schema_of, schemas)]
    if call.streams:
        parameters.append(
            {"name": "last-event-id", "in": "header", "required": False, "schema": {"type": "string"},
             "description": "The id of the last event that arrived: those behind it follow."}
        )  # fmt: skip
    if parameters:
        told["parameters"] = parameters
    if call.body is not None:
        schema = schema_of[call.body]
        name = schema["$ref"].rpartition("/")[2]
        required = bool(schemas[name].get("required"))
        told["requestBody"] = {"required": required, "content": {"application/json": {"schema": schema}}}
    content: Json = {"application/json": {"schema": {"type": "object"}}}
    if call.streams:
        content = {"text/event-stream": {}}
    elif call.files:
        content = {"text/csv": {}}
    error = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/admin.Error"}}}}
    told["responses"] = {
        "200": {"description": call.summary + ".", "content": content},
        "4XX": {"description": "Why not, and which field.", **error},
        "503": {"description": "The store does not answer, or the server is shutting down.", **error},
    }
    told["security"] = [{TAG: []}]
    return told


def path_parameters(call: Call) -> Iterator[Json]:
    for name in PLACEHOLDER.findall(call.path):
        yield {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def query_parameters(call: Call, schema_of: dict[Any, Json], schemas: Json) -> Iterator[Json]:
    if call.query is None:
        return
    shape = schemas[schema_of[call.query]["$ref"].rpartition("/")[2]]
    for name, schema in shape.get("properties", {}).items():
        yield {"name": name, "in": "query", "required": False, "schema": schema}
