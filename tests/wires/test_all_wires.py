"""What every wire owes, whoever wrote it. A newcomer joins `wires.ALL` and inherits this suite."""

import json
import re
from collections import Counter
from typing import Any

import msgspec
import pytest
import uuid_utils
from msgspec import inspect

from mutoscope import wires
from mutoscope.http import HttpRequest
from mutoscope.job import Failure, Generation, Job, Operation, Output, State
from mutoscope.problem import STATUS, Flaw, Kind, Problem, Rule
from mutoscope.wires._wire import Route, Verb, Wire

EVERY_WIRE = pytest.mark.parametrize("wire", wires.ALL, ids=lambda wire: wire.name)
EVERY_ROUTE = pytest.mark.parametrize(
    ("wire", "route"),
    [pytest.param(wire, route, id=f"{wire.name} {route.at}") for wire in wires.ALL for route in wire.routes],
)
SUBMISSIONS = pytest.mark.parametrize(
    ("wire", "route"),
    [
        pytest.param(wire, route, id=f"{wire.name} {route.at}")
        for wire in wires.ALL
        for route in wire.routes
        if route.verb is Verb.SUBMIT
    ],
)

PARSED = {Verb.SUBMIT, Verb.LIST, Verb.OPEN_UPLOADS, Verb.USAGE}
OF_ONE_JOB = {Verb.SHOW, Verb.REMOVE}
PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
WHY = "the reason, told plainly"


def request_to(route: Route, body: bytes = b"") -> HttpRequest:
    return HttpRequest(method=route.method, path=PLACEHOLDER.sub("x", route.path), body=body)


def some_job(wire: Wire, route: Route, **changes: Any) -> Job:
    values: dict[str, Any] = {
        "id": str(uuid_utils.uuid7()),
        "wire": wire.name,
        "route": route.route,
        "owner": "",
        "generation": Generation(operation=Operation.TEXT_TO_IMAGE, model="m", prompt="p"),
        "engine": "script",
        "created": 1_790_000_000.0,
        "updated": 1_790_000_001.0,
        "estimate": 5.0,
    }
    return Job(**values | changes)


def told(body: bytes) -> str:
    """Every text inside a JSON answer."""
    return json.dumps(json.loads(body), ensure_ascii=False)


# -- the table of routes -------------------------------------------------------------


def test_wires_have_names_of_their_own():
    assert [name for name, count in Counter(wire.name for wire in wires.ALL).items() if count > 1] == []
    assert {wire.name: wire for wire in wires.ALL} == wires.BY_NAME


@EVERY_WIRE
def test_no_path_is_named_twice(wire: Wire):
    shapes = Counter(PLACEHOLDER.sub("{}", route.at) for route in wire.routes)
    assert [shape for shape, count in shapes.items() if count > 1] == []


@EVERY_ROUTE
def test_a_path_lies_below_a_root_of_its_wire(wire: Wire, route: Route):
    assert route.path.startswith(wire.roots)
    assert route.method in ("GET", "POST", "PUT", "PATCH", "DELETE")


@EVERY_ROUTE
def test_a_path_has_the_placeholders_of_its_verb(wire: Wire, route: Route):
    names = PLACEHOLDER.findall(route.path)
    assert names == (["id"] if route.verb in OF_ONE_JOB else [])


@EVERY_ROUTE
def test_a_route_has_the_functions_of_its_verb(wire: Wire, route: Route):
    assert (route.parse is not None) == (route.verb in PARSED)
    assert (route.body is not None) == (route.method in ("POST", "PUT", "PATCH"))
    assert route.summary


@EVERY_WIRE
def test_what_is_made_can_be_read(wire: Wire):
    shown = {route.route for route in wire.routes if route.verb is Verb.SHOW}
    for route in wire.routes:
        if route.verb is Verb.SUBMIT:
            assert "" in shown or route.route in shown


@EVERY_WIRE
def test_the_published_types_have_a_schema(wire: Wire):
    types = [each for route in wire.routes for each in (route.body, route.answer, route.query) if each is not None]
    schemas, components = msgspec.json.schema_components([*types, wire.problem_schema], ref_template="#/{name}")
    assert len(list(schemas)) == len(types) + 1
    assert components


# -- trouble -----------------------------------------------------------------------


@EVERY_WIRE
@pytest.mark.parametrize("kind", Kind)
def test_every_kind_of_problem_can_be_said(wire: Wire, kind: Kind):
    for route in wire.routes:
        answer = wire.render_problem(Problem(kind, WHY), request_to(route))
        assert 400 <= answer.status < 600
        assert (answer.status < 500) == (STATUS[kind] < 500)
        msgspec.json.decode(answer.body, type=wire.problem_schema)


@EVERY_WIRE
@pytest.mark.parametrize("kind", Kind)
def test_the_message_of_a_problem_reaches_the_caller(wire: Wire, kind: Kind):
    answer = wire.render_problem(Problem(kind, WHY, field="prompt"), request_to(wire.routes[0]))
    assert WHY in told(answer.body)


@EVERY_WIRE
@pytest.mark.parametrize("kind", [Kind.RATE_LIMITED, Kind.QUOTA_EXCEEDED])
def test_a_problem_that_passes_says_when_to_come_back(wire: Wire, kind: Kind):
    answer = wire.render_problem(Problem(kind, WHY, retry_after=1.5), request_to(wire.routes[0]))
    assert int(answer.headers["retry-after"]) == 2


BOUNDS: dict[Rule, Any] = {
    Rule.TYPE: "string",
    Rule.REQUIRED: "string",
    Rule.CHOICE: ("a", "b"),
    Rule.NO_MATCH: ("a", "b"),
    Rule.MINIMUM: 1,
    Rule.MAXIMUM: 1,
    Rule.MIN_LENGTH: 1,
    Rule.MAX_LENGTH: 1,
    Rule.MIN_ITEMS: 1,
    Rule.MAX_ITEMS: 1,
    Rule.PATTERN: "^a$",
}


@EVERY_WIRE
@pytest.mark.parametrize("rule", Rule)
def test_every_rule_can_be_worded_and_names_the_field(wire: Wire, rule: Rule):
    message = WHY if rule in (Rule.CUSTOM, Rule.JSON) else None
    flaw = Flaw(path=("reference", 3, "uri"), rule=rule, bound=BOUNDS.get(rule), found="number", message=message)
    problem = Problem(Kind.INVALID, message or "not valid", flaws=(flaw,))
    submit = next(route for route in wire.routes if route.verb is Verb.SUBMIT)
    answer = wire.render_problem(problem, request_to(submit))
    assert answer.status == 400
    if rule is not Rule.JSON:
        assert "reference" in told(answer.body)
        assert "3" in told(answer.body)
    if message:
        assert message in told(answer.body)


@SUBMISSIONS
@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"5", b'{"a":\xff}', b"[" * 100_000])
def test_a_body_that_is_no_object_is_a_problem_and_no_accident(wire: Wire, route: Route, body: bytes):
    assert route.parse
    request = request_to(route, body)
    with pytest.raises(Problem) as caught:
        route.parse(request)
    assert wire.render_problem(caught.value, request).status == 400


ODD: tuple[Any, ...] = (None, True, -1, 10**30, 1.5, "", "\x00", "<string>", "x" * 70_000, [], {}, [None], {"a": {}})


@SUBMISSIONS
def test_odd_values_are_read_or_refused(wire: Wire, route: Route):
    """Never an exception of another kind, whatever stands in a field."""
    assert route.parse
    for field in fields_of(route.body):
        for value in ODD:
            request = request_to(route, json.dumps({field: value}).encode())
            try:
                route.parse(request)
            except Problem as problem:
                assert wire.render_problem(problem, request).status == 400


def fields_of(body: Any) -> set[str]:
    """The names in a body's type, those of every variant where it is a union."""
    type = inspect.type_info(body)
    match type.type if isinstance(type, inspect.Metadata) else type:
        case inspect.StructType() as struct:
            return {field.encode_name for field in struct.fields}
        case inspect.UnionType() as union:
            structs = [each for each in union.types if isinstance(each, inspect.StructType)]
            return {field.encode_name for struct in structs for field in struct.fields}
        case _:
            return set()


# -- ids and answers ------------------------------------------------------------------


@EVERY_WIRE
def test_a_public_id_leads_back_to_the_job(wire: Wire):
    for _ in range(20):
        id = str(uuid_utils.uuid7())
        assert wire.job_id(wire.public_id(id)) == id


@EVERY_WIRE
@pytest.mark.parametrize("text", ["", " ", "x", "..", "a/b", "0" * 36, "\x00", "é" * 36, "'; drop table jobs --"])
def test_what_cannot_be_an_id_leads_nowhere(wire: Wire, text: str):
    assert wire.job_id(text) is None


@EVERY_ROUTE
@pytest.mark.parametrize("state", State)
def test_a_job_is_rendered_in_every_state(wire: Wire, route: Route, state: State):
    if route.verb not in (Verb.SUBMIT, Verb.SHOW):
        return
    file = Output(id="o", media_type="image/png", asset="a", url="https://h.example/o.png")
    failure = Failure(kind=Kind.ENGINE_FAILED, message=WHY)
    job = some_job(
        wire,
        route,
        state=state,
        outputs=(file,) if state is State.SUCCEEDED else (),
        failure=failure if state is State.FAILED else None,
        cost=5.0 if state.final else None,
    )
    answer = route.render(job, request_to(route))
    assert answer.status == route.status
    assert wire.public_id(job.id) in told(answer.body)
    assert job.id not in told(answer.body)
    msgspec.json.decode(answer.body, type=route.answer)
    if route.verb is Verb.SHOW:
        assert (file.url in told(answer.body)) == (state is State.SUCCEEDED)
        assert (WHY in told(answer.body)) == (state is State.FAILED)


@EVERY_ROUTE
@pytest.mark.parametrize("kind", Kind)
def test_a_job_that_failed_for_any_reason_says_so(wire: Wire, route: Route, kind: Kind):
    if route.verb is not Verb.SHOW:
        return
    job = some_job(wire, route, state=State.FAILED, failure=Failure(kind=kind, message=WHY))
    answer = route.render(job, request_to(route))
    assert answer.status == 200
    assert WHY in told(answer.body)


@EVERY_WIRE
@pytest.mark.parametrize("state", State)
def test_a_webhook_speaks_of_its_job(wire: Wire, state: State):
    if wire.render_webhook is None:
        return
    job = some_job(wire, wire.routes[0], state=state, failure=Failure(kind=Kind.INTERNAL, message=WHY))
    body = wire.render_webhook(job)
    if body is not None:
        assert wire.public_id(job.id) in told(body)


@EVERY_WIRE
def test_a_request_without_a_key_has_none(wire: Wire):
    assert wire.credential(HttpRequest(method="GET", path="/")) is None
    for scheme in ("Bearer", "Basic"):
        assert not wire.credential(HttpRequest(method="GET", path="/", headers={"authorization": f"{scheme} "}))
