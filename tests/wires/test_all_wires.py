"""What every wire owes, whoever wrote it. A newcomer joins `sampled.ALL` and inherits this suite."""

import atexit
import base64
import json
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path as FilePath
from typing import Any, TypeVar

import msgspec
import pytest
import uuid_utils
from msgspec import inspect
from msgspec.structs import replace

import sampled
from in_turn import in_turn
from mutoscope import wires
from mutoscope.engines.words import Author
from mutoscope.model import catalog
from mutoscope.model.http import HttpRequest, HttpResponse
from mutoscope.model.job import Failure, Generation, Input, Job, Operation, Output, Role, State, Update
from mutoscope.model.problem import STATUS, Flaw, Kind, Problem, Rule
from mutoscope.model.requests import Page, Submission, Upload, UploadWish
from mutoscope.web import forms, openapi
from mutoscope.web.router import Router
from mutoscope.wirekit.back import Back, Conversation, File, VendorRequest, Way
from mutoscope.wirekit.body import LONGEST_NOTED, NOTED, Path, dotted
from mutoscope.wirekit.forms import as_json
from mutoscope.wirekit.routes import (
    OF_ONE_JOB,
    Again,
    Create,
    List,
    OpenUploads,
    Read,
    ReadMany,
    Reply,
    Route,
    Stop,
    Stream,
    TakeFile,
    TakeRaw,
    last_parameter,
)
from mutoscope.wirekit.wire import Wire
from sampled import ROWS

T = TypeVar("T")
EVERY_WIRE = pytest.mark.parametrize("wire", sampled.ALL, ids=lambda wire: wire.name)
EVERY_ROUTE = pytest.mark.parametrize(
    ("wire", "route"),
    [pytest.param(wire, route, id=f"{wire.name} {route.at}") for wire in sampled.ALL for route in wire.routes],
)
SUBMISSIONS = pytest.mark.parametrize(
    ("wire", "route"),
    [
        pytest.param(wire, route, id=f"{wire.name} {route.at}")
        for wire in sampled.ALL
        for route in wire.routes
        if isinstance(route, Create)
    ],
)

PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
WHY = "the reason, told plainly"


def request_to(route: Route, body: bytes = b"") -> HttpRequest:
    params = {name.removesuffix("…"): "x" for name in PLACEHOLDER.findall(route.path)}
    return HttpRequest(method=route.method, path=PLACEHOLDER.sub("x", route.path), params=params, body=body)


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


def text_of(body: bytes) -> str:
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
    assert route.method in ("GET", "POST", "PUT", "PATCH", "DELETE", "QUERY")


@EVERY_ROUTE
def test_a_path_has_a_place_for_the_id_of_the_job_that_it_names(wire: Wire, route: Route):
    names = PLACEHOLDER.findall(route.path)
    assert len(set(names)) == len(names)
    if isinstance(route, OF_ONE_JOB) and route.id is last_parameter:
        assert names and names[-1] == "id"


@EVERY_ROUTE
def test_a_route_says_what_it_is_and_what_it_takes(wire: Wire, route: Route):
    posts = route.method in ("POST", "PUT", "PATCH")
    assert (route.body is not None) <= posts
    assert posts <= (route.body is not None or isinstance(route, Again | Stop | Reply | TakeRaw))
    assert route.summary


@EVERY_WIRE
def test_what_is_made_can_be_read(wire: Wire):
    shown = {route.route for route in wire.routes if isinstance(route, Read | ReadMany)}
    for route in wire.routes:
        if isinstance(route, Create):
            assert "" in shown or route.route in shown


@EVERY_WIRE
def test_the_published_types_have_a_schema(wire: Wire):
    types = [each for route in wire.routes for each in (route.body, route.answer, route.query) if each is not None]
    schemas, components = msgspec.json.schema_components([*types, wire.problem_schema], ref_template="#/{name}")
    assert len(list(schemas)) == len(types) + 1
    assert components


# -- trouble -----------------------------------------------------------------------


@EVERY_WIRE
@in_turn("kind", Kind)
def test_every_kind_of_problem_can_be_said(wire: Wire, kind: Kind):
    for route in wire.routes:
        answer = wire.render_problem(Problem(kind, WHY), request_to(route))
        if route.path.startswith(wire.quiet):
            assert answer.status == 200
        else:
            assert 400 <= answer.status < 600
            assert (answer.status < 500) == (STATUS[kind] < 500)
        if answer.media_type != "text/plain":  # a vendor's own fixed words
            msgspec.json.decode(answer.body, type=wire.problem_schema)


@EVERY_WIRE
@in_turn("kind", Kind)
def test_the_message_of_a_problem_reaches_the_caller(wire: Wire, kind: Kind):
    answer = wire.render_problem(Problem(kind, WHY, field="prompt"), request_to(wire.routes[0]))
    assert WHY in (answer.headers["x-mutoscope-notes"] if answer.media_type == "text/plain" else text_of(answer.body))


@EVERY_WIRE
@in_turn("kind", [Kind.RATE_LIMITED, Kind.QUOTA_EXCEEDED])
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
@in_turn("rule", Rule)
def test_every_rule_can_be_worded_and_names_the_field(wire: Wire, rule: Rule):
    message = WHY if rule in (Rule.CUSTOM, Rule.JSON) else None
    flaw = Flaw(path=("reference", 3, "uri"), rule=rule, bound=BOUNDS.get(rule), found="number", message=message)
    problem = Problem(Kind.INVALID, message or "not valid", flaws=(flaw,))
    submit = next((route for route in wire.routes if isinstance(route, Create)), wire.routes[0])
    answer = wire.render_problem(problem, request_to(submit))
    assert answer.status == wire.invalid_status
    if rule is not Rule.JSON:
        assert "reference" in text_of(answer.body)
        assert "3" in text_of(answer.body)
    if message:
        assert message in text_of(answer.body)


@SUBMISSIONS
@in_turn("body", [b"", b"{", b"[]", b"null", b"5", b'{"a":\xff}', b"[" * 100_000])
def test_a_body_that_is_no_object_is_a_problem_and_no_accident(wire: Wire, route: Route, body: bytes):
    request = request_to(route, body)
    with pytest.raises(Problem) as caught:
        route.parse(request)
    assert wire.render_problem(caught.value, request).status in (400, wire.invalid_status)


@SUBMISSIONS
def test_a_member_that_no_model_has_is_named_in_the_notes(wire: Wire, route: Route):
    """At the top and inside; and a good body has no note."""
    assert route.parse
    document = openapi.build([wire], title="", version="")
    told = document["paths"][route.path.replace("…", "")]["post"]["requestBody"]["content"]["application/json"][
        "example"
    ]
    assert parsed_notes(route, told) == ()
    places = dict(objects_in(told))
    for place, value in places.items():
        body = json.loads(json.dumps(told))
        at = body
        for step in place:
            at = at[step]
        assert at == value
        at |= {"noSuchMember": 1, "norThis": {"a": 1}, "saysNothing": None}
        try:
            notes = parsed_notes(route, body)
        except Problem as problem:  # a model that refuses what it does not know says so there
            assert {flaw.path for flaw in problem.flaws} >= {(*place, "noSuchMember"), (*place, "norThis")}
            continue
        named = dotted(place) + "." if place else ""
        assert any(f"ignored: {named}noSuchMember (" in note for note in notes), notes
        assert any(f"ignored: {named}norThis (" in note for note in notes), notes
        assert not any("saysNothing" in note for note in notes)


@SUBMISSIONS
def test_the_notes_about_unknown_members_are_bounded(wire: Wire, route: Route):
    document = openapi.build([wire], title="", version="")
    body = document["paths"][route.path.replace("…", "")]["post"]["requestBody"]["content"]["application/json"][
        "example"
    ]
    try:
        notes = parsed_notes(route, {**body, **{f"\x1b[31m{number}" + "x" * 500: 1 for number in range(500)}})
    except Problem:
        return  # a model that refuses what it does not know
    assert len(notes) == NOTED + 1
    assert max(map(len, notes)) < 2 * LONGEST_NOTED
    assert all(note.isprintable() for note in notes)
    assert notes[-1] == "ignored: further members"


@SUBMISSIONS
def test_a_members_name_that_is_no_text_is_a_problem_and_no_accident(wire: Wire, route: Route):
    assert route.parse
    document = openapi.build([wire], title="", version="")
    body = document["paths"][route.path.replace("…", "")]["post"]["requestBody"]["content"]["application/json"][
        "example"
    ]
    for place, _ in objects_in(body):
        odd = json.loads(json.dumps(body))
        at = odd
        for step in place:
            at = at[step]
        at["HERE"] = 1
        with pytest.raises(Problem):
            route.parse(request_to(route, json.dumps(odd).encode().replace(b"HERE", b"\xff")))


WORDS = pytest.mark.parametrize(
    ("wire", "route"),
    [
        pytest.param(wire, route, id=f"{wire.name} {route.at}")
        for wire in sampled.ALL
        for route in wire.routes
        if isinstance(route, Stream)
    ],
)


@WORDS
@in_turn("body", [b"", b"{", b"[]", b"null", b"5", b'{"a":\xff}', b"[" * 100_000])
def test_a_question_that_is_no_object_is_a_problem_and_no_accident(wire: Wire, route: Stream, body: bytes):
    request = request_to(route, body)
    for read in (route.target, lambda request: route.write(request, Author())):
        with pytest.raises(Problem) as caught:
            read(request)
        assert wire.render_problem(caught.value, request).status == wire.invalid_status


@WORDS
def test_odd_values_in_a_question_are_answered_or_refused(wire: Wire, route: Stream):
    """Each in turn in the wire's own example: never an exception of another kind."""
    document = openapi.build([wire], title="", version="")
    told = document["paths"][route.path.replace("…", "")]["post"]["requestBody"]["content"]["application/json"][
        "example"
    ]
    for field in sorted(fields_of(route.body)):
        for value in (*ODD, [{}], [{"type": "text"}], [{"role": "user", "content": None}], [[1]], [5]):
            request = request_to(route, json.dumps({**told, field: value}).encode())
            try:
                route.target(request)
                answer = route.write(request, Author())
                assert answer.events or answer.response
            except Problem as problem:
                assert wire.render_problem(problem, request).status in (400, 404, wire.invalid_status)


@WORDS
@in_turn("kind", Kind)
def test_trouble_after_the_first_byte_is_an_event(wire: Wire, route: Stream, kind: Kind):
    told = route.broken(Problem(kind, WHY)).decode()
    assert told.endswith("\n\n") and told.count("\n\n") == 1
    assert WHY in told


def parsed_notes(route: Route, body: Any) -> tuple[str, ...]:
    assert route.parse
    read: Submission = route.parse(request_to(route, json.dumps(body).encode()))
    return (*read.notes, *read.ignored)


def objects_in(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every object inside a JSON value, itself first, with its place."""
    if isinstance(value, dict):
        yield path, value
    for step, inner in (
        value.items() if isinstance(value, dict) else enumerate(value if isinstance(value, list) else ())
    ):
        yield from objects_in(inner, (*path, step))


ODD: tuple[Any, ...] = (None, True, -1, 10**30, 1.5, "", "\x00", "<string>", "x" * 70_000, [], {}, [None], {"a": {}})


@SUBMISSIONS
def test_odd_values_are_read_or_refused(wire: Wire, route: Route):
    """Never an exception of another kind, whatever stands in a field."""
    for field in fields_of(route.body):
        for value in ODD:
            request = request_to(route, json.dumps({field: value}).encode())
            try:
                route.parse(request)
            except Problem as problem:
                assert wire.render_problem(problem, request).status in (400, 404, wire.invalid_status)


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
@in_turn("text", ["", " ", "x", "..", "a/b", "0" * 36, "\x00", "é" * 36, "'; drop table jobs --"])
def test_what_cannot_be_an_id_leads_nowhere(wire: Wire, text: str):
    assert wire.job_id(text) is None


FAL = tuple(f"GET {root}{{app…}}/requests/{{id}}" for root in ("/fal/queue/", "/fal/", "/fal-ai/"))
FILE_ELSEWHERE = {"GET /v1/query/video_generation", *(f"{each}/status" for each in FAL)}
"""Reads that tell how a job stands, and not the link of its file, which another path tells."""
MODELS_OWN = {*FAL, *(f"{each}/response" for each in FAL)}
"""Reads that answer as a model would that is asked at once: with its status, and without an id."""


@EVERY_ROUTE
@in_turn("state", State)
def test_a_job_is_rendered_in_every_state(wire: Wire, route: Route, state: State):
    if not isinstance(route, Create | Read):
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
    assert job.id not in text_of(answer.body)
    if route.at in MODELS_OWN:
        assert (answer.status == 200) == (state is State.SUCCEEDED)
    else:
        assert answer.status == route.status or (
            answer.status == 202 and not state.final and route.at in FILE_ELSEWHERE
        )
        assert wire.public_id(job.id) in text_of(answer.body)
    msgspec.json.decode(answer.body, type=route.answer)
    if isinstance(route, Read):
        if route.at not in FILE_ELSEWHERE:
            assert (file.url in text_of(answer.body)) == (state is State.SUCCEEDED)
        assert (WHY in text_of(answer.body)) == (state is State.FAILED)


@EVERY_ROUTE
@in_turn("kind", Kind)
def test_a_job_that_failed_for_any_reason_says_so(wire: Wire, route: Route, kind: Kind):
    if not isinstance(route, Read):
        return
    job = some_job(wire, route, state=State.FAILED, failure=Failure(kind=kind, message=WHY))
    answer = route.render(job, request_to(route))
    assert (answer.status == 200) == (route.at not in MODELS_OWN)
    assert WHY in text_of(answer.body)


@EVERY_WIRE
@in_turn("state", State)
def test_a_webhook_speaks_of_its_job(wire: Wire, state: State):
    if wire.render_webhook is None:
        return
    job = some_job(wire, wire.routes[0], state=state, failure=Failure(kind=Kind.INTERNAL, message=WHY))
    body = wire.render_webhook(job)
    if body is not None:
        assert wire.public_id(job.id) in text_of(body)


@EVERY_WIRE
def test_a_request_without_a_key_has_none(wire: Wire):
    assert wire.credential(HttpRequest(method="GET", path="/")) is None
    for scheme in ("Bearer", "Basic"):
        assert not wire.credential(HttpRequest(method="GET", path="/", headers={"authorization": f"{scheme} "}))


# -- the other end: every back converses with its own front ----------------------------


CATALOG = catalog.Catalog(ROWS)


def named(wire: Wire, asked: Generation) -> Generation:
    """As the gateway stores it: with the catalog's name of the model."""
    return replace(asked, model=CATALOG.named(wire.name, asked.model).name)


FORM_FILES = FilePath(tempfile.mkdtemp())
atexit.register(shutil.rmtree, FORM_FILES, ignore_errors=True)


class Vendor:
    """A wire's front as the vendor that its back calls: the gateway's part is a list of jobs, the newest first."""

    def __init__(self, wire: Wire) -> None:
        self.wire, self.router = wire, Router((wire,))
        self.jobs: list[Job] = []
        self.requests: list[HttpRequest] = []

    def answer(self, request: HttpRequest) -> HttpResponse:
        self.requests.append(request)
        if "://" in request.path:  # an upload slot
            return HttpResponse(status=200)
        found = self.router.find(request.path, request.method)
        assert found.targets, f"{request.method} {request.path} is no route"
        [target] = found.targets
        headers = back_of(self.wire).sign(KEY, NOW) | request.headers
        signed = replace(request, headers=headers, params=found.params(target), origin="https://h.example")
        assert self.wire.credential(signed) == KEY
        assert self.wire.precheck is None or self.wire.precheck(signed, target.route) is None
        if target.route.form and forms.media_type(signed) == forms.MULTIPART:
            signed = self.form(signed, target.route)
        try:
            return self.perform(target.route, signed)
        except Problem as problem:
            return self.wire.render_problem(problem, signed)

    def form(self, request: HttpRequest, route: Route) -> HttpRequest:
        reader = forms.Multipart(request, FORM_FILES, forms.MAX_PARTS, forms.MAX_TEXT)
        reader.parser.write(request.body)
        reader.parser.finalize()
        return replace(request, form=reader.form(), body=as_json(reader.form(), route.body))

    def perform(self, route: Route, request: HttpRequest) -> HttpResponse:
        match route:
            case Create():
                asked: Submission = route.parse(request)
                id = str(uuid_utils.uuid7())
                made = some_job(
                    self.wire,
                    route,
                    id=id,
                    created=int(id.replace("-", "")[:12], 16) / 1000,
                    generation=named(self.wire, asked.generation),
                    webhook=asked.webhook,
                    body=request.body,
                )
                self.jobs.insert(0, made)
                if asked.wait:  # the answer has what was made
                    progress(self, State.SUCCEEDED)
                return route.render(self.jobs[0], request)
            case Read():
                return route.render(self.jobs[self.place(route.id(request), route)], request)
            case ReadMany():
                places = (self.find(id, route) for id in route.ids(request))
                return route.render(tuple(self.jobs[place] for place in places if place is not None), request)
            case Stop():
                place = self.place(route.id(request))
                self.jobs[place] = replace(self.jobs[place], state=State.CANCELED)
                return route.render(self.jobs[place], request)
            case List():
                page: Page = route.parse(request)
                own = [job for job in self.jobs if route.route in ("", job.route)]
                kept = [job for job in own if job.created >= (page.since or 0) and (not page.keep or page.keep(job))]
                first = (page.number - 1) * page.size
                return route.render(tuple(kept[first : first + page.size + page.ahead]), request)
            case OpenUploads():
                return route.render(tuple(self.slot(wish) for wish in route.parse(request)), request)
            case TakeFile():
                return route.render(self.slot(route.parse(request)), request)
            case _:
                raise AssertionError(f"a back has no business at {route.at}")

    def place(self, public: str, route: Route | None = None) -> int:
        found = self.find(public, route)
        if found is None:
            raise Problem(Kind.NOT_FOUND, WHY)
        return found

    def find(self, public: str, route: Route | None = None) -> int | None:
        ids = [self.wire.public_id(job.id) for job in self.jobs]
        if public in ids:
            return ids.index(public)
        is_named = route.named if isinstance(route, Read | ReadMany) else None
        return next((place for place, job in enumerate(self.jobs) if is_named and is_named(job, public)), None)

    def slot(self, wish: UploadWish) -> Upload:
        return Upload(
            id=str(uuid_utils.uuid7()),
            wire=self.wire.name,
            owner="",
            media_type=wish.media_type,
            name=wish.name,
            max_bytes=wish.max_bytes,
            created=1_790_000_000.0,
            slot_expires=1_790_000_000.0 + wish.slot_seconds,
            expires=1_790_000_000.0 + wish.keep_seconds,
            put_url="https://store.example/uploads/1?signature=s",
            policy="s",
            asset_url="https://store.example/files/1.png?signature=s",
            asset_url_expires=1_790_000_000.0 + wish.keep_seconds,
        )


NOW = 1_790_000_000.0
KEY = "key_" + "0123456789abcdef" * 8
REFERENCE = "01890a5d-ac96-774b-bcce-b302099a8057"
CALLBACK = "https://us.example/callbacks/token"
GIVEN_FILE = "https://media.example.net/in/file"
SOME_BYTES = bytes.fromhex("89504e470d0a1a0a") + bytes(range(256)) * 4  # no vendor's least
TYPES = {Role.VIDEO: "video/mp4", Role.REFERENCE_VIDEO: "video/mp4", Role.AUDIO: "audio/mpeg"}

WORDS = (Operation.IMAGE_TO_TEXT, Operation.TEXT_TO_TEXT, Operation.SPEECH_TO_TEXT)
"""What comes out of these is no file: what is said of files is not tried with them."""

STARTS: dict[Operation, tuple[Role, ...]] = {
    Operation.IMAGE_TO_VIDEO: (Role.FIRST_FRAME,),
    Operation.VIDEO_EXTENSION: (Role.VIDEO,),
    Operation.VIDEO_TO_VIDEO: (Role.VIDEO,),
    Operation.CHARACTER_PERFORMANCE: (Role.CHARACTER, Role.REFERENCE_VIDEO),
    Operation.IMAGE_UPSCALE: (Role.IMAGE,),
    Operation.VIDEO_UPSCALE: (Role.VIDEO,),
    **dict.fromkeys(
        (
            Operation.IMAGE_TO_IMAGE,
            Operation.IMAGE_OUTPAINT,
            Operation.IMAGE_TO_TEXT,
            Operation.BACKGROUND_REMOVAL,
            Operation.BACKGROUND_REPLACEMENT,
            Operation.VECTORIZATION,
        ),
        (Role.IMAGE,),
    ),
    Operation.IMAGE_INPAINT: (Role.IMAGE, Role.MASK),
    Operation.VIRTUAL_TRY_ON: (Role.IMAGE, Role.REFERENCE),
    Operation.LIP_SYNC: (Role.VIDEO, Role.AUDIO),
    Operation.SPEECH_TO_TEXT: (Role.AUDIO,),
    Operation.MUSIC_EXTENSION: (Role.AUDIO,),
    Operation.MUSIC_JOIN: (Role.AUDIO,),
}
"""The files without which there is nothing to start from."""


def back_of(wire: Wire) -> Back:
    assert wire.back
    return wire.back


def possible_orders(wire: Wire) -> Iterator[VendorRequest]:
    """The least that can be asked of each model of the catalog, in the row's own size or in none."""
    for row in ROWS:
        names = row.names.get(wire.name, ())
        for operation in sorted(row.serves, key=lambda each: (each in WORDS, each)):
            supported = back_of(wire).supports(operation, names) if names else None
            if supported is None:
                continue
            files = tuple(
                Input(role=role, field=f"files[{number}]", url=f"{GIVEN_FILE}{number}.png")
                for number, role in enumerate(STARTS.get(operation, ()))
            )
            prompt = "a fox lifts its head" if "prompt" in supported else None
            least = Generation(operation=operation, model=row.name, prompt=prompt, inputs=files)
            full = catalog.complete(least, row, remote=True)
            sources = {each.field: str(each.url) for each in files}
            for wish in (full, replace(full, width=None, height=None)):
                order = VendorRequest(
                    generation=wish, names=names, sources=sources, callback=CALLBACK, reference=REFERENCE
                )
                if passes(wire, order):
                    yield order
                    break


def passes(wire: Wire, order: VendorRequest) -> bool:
    try:
        back_of(wire).check(replace(order, sources={}))
    except Problem as problem:
        assert problem.kind in (Kind.INVALID, Kind.UNSUPPORTED)
        assert problem.field
        return False
    return True


BACKS = [wire for wire in sampled.ALL if wire.back]
ORDERS = {wire.name: list(possible_orders(wire)) for wire in BACKS}
EVERY_BACK = pytest.mark.parametrize("wire", BACKS, ids=lambda wire: wire.name)
EVERY_ORDER = pytest.mark.parametrize(
    ("wire", "order"),
    [
        pytest.param(wire, order, id=f"{wire.name} {order.generation.model} {order.generation.operation}")
        for wire in BACKS
        for order in ORDERS[wire.name]
    ],
)


def converse(vendor: Vendor, conversation: Conversation[T], *, spends: int = 0) -> T:
    """What a conversation comes to, after a look at how many of its requests cost money."""
    before = len(vendor.requests)
    try:
        request = next(conversation)
        while True:
            request = conversation.send(vendor.answer(request))
    except StopIteration as end:
        assert [each.spends for each in vendor.requests[before:]].count(True) == spends
        return end.value


def submitted(wire: Wire, order: VendorRequest) -> tuple[Vendor, Update]:
    vendor = Vendor(wire)
    return vendor, converse(vendor, back_of(wire).submit(order), spends=1)


def answered(wire: Wire, conversation: Conversation[T], answer: HttpResponse, *, spending: bool = False) -> Problem:
    """The problem that a conversation raises when one of its requests, its first or the one that spends, is
    answered so."""
    vendor = Vendor(wire)
    request = next(conversation)
    while spending and not request.spends:
        request = conversation.send(vendor.answer(request))
    with pytest.raises(Problem) as caught:
        conversation.send(answer)
    return caught.value


def answers_at_once(wire: Wire) -> bool:
    """Whether the answer to a submission has what was made, so that there is nothing to ask about afterwards."""
    return submitted(wire, ORDERS[wire.name][0])[1].state is State.SUCCEEDED


def progress(vendor: Vendor, state: State, **changes: Any) -> None:
    """The newest job of the vendor moves on."""
    file = Output(id="o", media_type="video/mp4", asset="a", url="https://h.example/o.mp4?token=t")
    if vendor.jobs[0].generation.operation in WORDS:
        file = Output(id="o", media_type="text/plain", text="a fox")
    failure = Failure(kind=Kind.ENGINE_FAILED, message=WHY)
    vendor.jobs[0] = replace(
        vendor.jobs[0],
        state=state,
        outputs=(file,) if state is State.SUCCEEDED else (),
        failure=failure if state is State.FAILED else None,
        cost=5.0 if state.final else None,
        finished=1_790_000_009.0 if state.final else None,
        **changes,
    )


@EVERY_BACK
def test_a_back_says_where_and_how_it_calls(wire: Wire):
    back = back_of(wire)
    # "" where every operator has another
    assert re.fullmatch(r"(https://[a-z0-9.-]+(/[a-z0-9/.-]*[a-z0-9])?)?", back.base_url)
    assert all(name == name.lower() and "\n" not in value for name, value in back.sign(KEY, NOW).items())
    assert wire.credential(HttpRequest(method="GET", path="/", headers=back.sign(KEY, NOW))) == KEY
    assert all(400 <= status < 600 for status in back.unsent)
    assert (back.batch is None) == (back.batch_key is None)


@EVERY_BACK
def test_every_back_can_make_something_of_the_catalog(wire: Wire):
    assert ORDERS[wire.name]


@EVERY_BACK
def test_an_unknown_model_is_not_made(wire: Wire):
    for operation in Operation:
        for names in ((), ("no such model",)):
            assert back_of(wire).supports(operation, names) is None
            assert not passes(wire, VendorRequest(generation=Generation(operation=operation, model="m"), names=names))


@EVERY_ORDER
def test_what_is_heeded_has_names_of_ours(wire: Wire, order: VendorRequest):
    supported = back_of(wire).supports(order.generation.operation, order.names)
    assert supported is not None
    assert not supported & {"operation", "model", "inputs", "extra"}
    assert {each.role for each in order.generation.inputs} <= supported


@EVERY_ORDER
def test_exactly_one_request_of_a_submission_spends(wire: Wire, order: VendorRequest):
    vendor, _ = submitted(wire, order)
    [paid] = [request for request in vendor.requests if request.spends]
    assert paid.method == "POST"
    assert paid.headers["idempotency-key"] == order.reference
    assert len(vendor.jobs) == 1


@EVERY_ORDER
def test_a_handle_names_the_task_and_can_be_stored(wire: Wire, order: VendorRequest):
    vendor, update = submitted(wire, order)
    at_once = vendor.jobs[0].state is State.SUCCEEDED
    assert update.handle["id"] == (order.reference if at_once else wire.public_id(vendor.jobs[0].id))
    assert json.loads(msgspec.json.encode(update.handle)) == update.handle
    assert update.state is (State.SUCCEEDED if at_once else State.QUEUED)
    assert bool(update.links or update.texts) == at_once
    assert update.failure is None


@EVERY_ORDER
def test_the_front_reads_what_the_back_says(wire: Wire, order: VendorRequest):
    vendor, _ = submitted(wire, order)
    [job], wish = vendor.jobs, order.generation
    row = next(row for row in ROWS if row.name == wish.model)
    read = catalog.complete(job.generation, row, remote=True)
    told = ("operation", "model", "prompt", "seconds")
    assert [getattr(read, name) for name in told] == [getattr(wish, name) for name in told]
    assert [(each.role, each.url) for each in read.inputs] == [(each.role, each.url) for each in wish.inputs]
    supported = back_of(wire).supports(wish.operation, order.names) or ()
    if wish.width is not None and "width" in supported:
        assert (read.width, read.height) == (wish.width, wish.height)
    assert job.webhook in (None, order.callback)


@EVERY_ORDER
def test_the_key_is_in_no_request_of_a_conversation(wire: Wire, order: VendorRequest):
    """Whoever sends adds it, and only to the vendor's own address."""
    vendor, update = submitted(wire, order)
    if update.state is not State.SUCCEEDED:
        converse(vendor, back_of(wire).poll(update.handle))
    for request in vendor.requests:
        assert wire.credential(request) is None


ODD_WISHES: tuple[dict[str, Any], ...] = (
    *({"prompt": ""}, {"prompt": "x" * 100_000}, {"prompt": None}, {"prompt": "\x00 😀"}),
    *({"negative_prompt": "x" * 100_000}, {"seed": 0}, {"seed": -1}, {"seed": 2**31}, {"seed": 2**64}),
    *({"seconds": None}, {"seconds": 0.0}, {"seconds": 4.5}, {"seconds": 7.0}, {"seconds": 10_000.0}),
    *({"seconds": float("inf")}, {"width": 1, "height": 1}, {"width": 1280, "height": 720}, {"width": 1280}),
    *({"width": None, "height": None}, {"height": None}, {"resolution": "720p"}, {"resolution": "9000p"}),
    *({"inputs": ()}, {"extra": {"ratio": "1:1"}}, {"extra": {"ratio": 5}}, {"extra": {"prompt_extend": "x"}}),
    {"inputs": tuple(Input(role=role, field=role.value, url=GIVEN_FILE) for role in Role)},
    {"inputs": tuple(Input(role=Role.FIRST_FRAME, field=f"f{number}", url=GIVEN_FILE) for number in range(3))},
)


@EVERY_ORDER
def test_what_passes_the_check_can_be_said(wire: Wire, order: VendorRequest):
    """The rest is refused by our name of the field, before anything is sent."""
    for wishes in ODD_WISHES:
        odd = replace(order, generation=replace(order.generation, **wishes))
        odd = replace(odd, sources={each.field: str(each.url) for each in odd.generation.inputs})
        if passes(wire, odd):
            vendor, _ = submitted(wire, odd)
            assert len(vendor.jobs) == 1


# -- its inputs


@EVERY_ORDER
def test_every_input_has_a_way_to_travel(wire: Wire, order: VendorRequest):
    for each in order.generation.inputs:
        ways = [transport.way for transport in back_of(wire).ways(replace(order, sources={}), each)]
        assert ways
        assert len(set(ways)) == len(ways)
        assert Way.UPLOAD not in ways or back_of(wire).upload


@EVERY_ORDER
def test_a_data_uri_arrives_as_the_same_bytes(wire: Wire, order: VendorRequest):
    inline = {
        each.field: f"data:{TYPES.get(each.role, 'image/png')};base64,{base64.b64encode(SOME_BYTES).decode()}"
        for each in order.generation.inputs
        if Way.DATA in [transport.way for transport in back_of(wire).ways(order, each)]
    }
    vendor, _ = submitted(wire, replace(order, sources=order.sources | inline))
    inputs = vendor.jobs[0].generation.inputs
    arrived = [FilePath(each.file).read_bytes() if each.file else each.data for each in inputs]
    assert arrived.count(SOME_BYTES) == len(inline)


@EVERY_BACK
def test_an_uploaded_file_can_be_used_in_a_request(wire: Wire):
    back = back_of(wire)
    if back.upload is None:
        return
    vendor = Vendor(wire)
    stand_in = converse(vendor, back.upload(File(name="fox.png", media_type="image/png", data=SOME_BYTES)))
    assert [SOME_BYTES in request.body for request in vendor.requests].count(True) == 1
    for order in ORDERS[wire.name]:
        pictures = [each.field for each in order.generation.inputs if each.role in (Role.FIRST_FRAME, Role.IMAGE)]
        submitted(wire, replace(order, sources=order.sources | dict.fromkeys(pictures, stand_in)))


# -- its news


@EVERY_BACK
@in_turn("state", State)
def test_every_state_is_read_as_it_is_told(wire: Wire, state: State):
    if answers_at_once(wire):
        return
    vendor, update = submitted(wire, ORDERS[wire.name][0])
    progress(vendor, state)
    news = converse(vendor, back_of(wire).poll(update.handle))
    assert news.state is state or (state, news.state) == (State.CANCELED, State.FAILED)
    assert news.upstream_status
    assert news.links == (("https://h.example/o.mp4?token=t",) if state is State.SUCCEEDED else ())
    assert (news.failure is not None) == (news.state is State.FAILED)
    if state is State.FAILED:
        assert news.failure
        assert WHY in news.failure.message


@EVERY_BACK
def test_a_status_that_is_not_known_is_a_problem_that_names_it(wire: Wire):
    if answers_at_once(wire):
        return
    vendor, update = submitted(wire, ORDERS[wire.name][0])
    progress(vendor, State.RUNNING)
    poll = back_of(wire).poll(update.handle)
    answer = vendor.answer(next(poll))
    word = converse(vendor, back_of(wire).poll(update.handle)).upstream_status
    new = answer.body.replace(f'"{word}"'.encode(), b'"NEW_WORD"')
    assert new != answer.body
    with pytest.raises(Problem, match="NEW_WORD") as caught:
        poll.send(replace(answer, body=new))
    assert caught.value.kind is Kind.UPSTREAM_FAILED


@EVERY_BACK
def test_a_task_that_is_gone_is_not_found(wire: Wire):
    if answers_at_once(wire):
        return
    vendor, update = submitted(wire, ORDERS[wire.name][0])
    vendor.jobs.clear()
    with pytest.raises(Problem) as caught:
        converse(vendor, back_of(wire).poll(update.handle))
    assert caught.value.kind is Kind.NOT_FOUND


EXACTLY = {Kind.UNAUTHENTICATED, Kind.NOT_FOUND, Kind.RATE_LIMITED}


@EVERY_BACK
@in_turn("kind", Kind)
def test_every_problem_that_a_front_tells_is_read(wire: Wire, kind: Kind):
    back, order = back_of(wire), ORDERS[wire.name][0]
    _, update = submitted(wire, order)
    quiet = wire.routes[0].path.startswith(wire.quiet)
    for conversation, spending in ((back.submit(order), True), (back.poll(update.handle), False)):
        answer = wire.render_problem(Problem(kind, WHY, retry_after=7), request_to(wire.routes[0]))
        read = answered(wire, conversation, answer, spending=spending)
        assert (answer.body.decode() if answer.media_type == "text/plain" else WHY) in read.message
        assert (STATUS[read.kind] < 500) == ((STATUS[kind] if quiet else answer.status) < 500)
        if not (quiet and spending and kind is Kind.NOT_FOUND):  # one code says this and that a body is not valid
            assert read.kind is kind or kind not in EXACTLY
        if answer.status == 429:
            assert read.kind in (Kind.RATE_LIMITED, Kind.QUOTA_EXCEEDED)
            assert read.retry_after == 7


UNREADABLE = (b"", b"{", b"{}", b"[]", b"null", b"5", b'"x"', b"<html>busy</html>", b"\xff", b"[" * 100_000)


@EVERY_BACK
@in_turn("body", UNREADABLE)
def test_an_answer_that_cannot_be_read_is_the_vendors_failure(wire: Wire, body: bytes):
    back, order = back_of(wire), ORDERS[wire.name][0]
    _, update = submitted(wire, order)
    for conversation, spending in ((back.submit(order), True), (back.poll(update.handle), False)):
        read = answered(wire, conversation, HttpResponse(body=body), spending=spending)
        assert read.kind is Kind.UPSTREAM_FAILED


@EVERY_BACK
@in_turn("body", UNREADABLE)
@in_turn("status", [302, 400, 401, 404, 418, 429, 500, 502, 503, 504])
def test_an_error_that_cannot_be_read_is_sorted_by_its_status(wire: Wire, status: int, body: bytes):
    answer = HttpResponse(status=status, body=body)
    read = answered(wire, back_of(wire).submit(ORDERS[wire.name][0]), answer, spending=True)
    assert (STATUS[read.kind] < 500) == (status in (400, 401, 404, 429))
    assert str(status) in read.message


@EVERY_BACK
def test_what_a_vendor_tells_of_several_is_what_it_tells_of_each(wire: Wire):
    back, order = back_of(wire), ORDERS[wire.name][0]
    if back.batch is None or back.batch_key is None:
        return
    vendor, handles = Vendor(wire), []
    for state in State:
        handles.append(converse(vendor, back.submit(order), spends=1).handle)
        progress(vendor, state)
    assert len({back.batch_key(handle) for handle in handles}) == 1
    told = converse(vendor, back.batch((*handles, handles[0] | {"id": wire.public_id(str(uuid_utils.uuid7()))})))
    assert {0, 1} <= set(told) <= set(range(len(State)))  # at least those that are not finished
    for place, news in told.items():
        assert news == converse(vendor, back.poll(handles[place]))


@EVERY_BACK
def test_a_submission_whose_answer_was_lost_is_found(wire: Wire):
    back, order = back_of(wire), ORDERS[wire.name][0]
    if back.find is None:
        return
    vendor = Vendor(wire)
    assert converse(vendor, back.find(order, 1_790_000_000.0)) == ()
    handles = [converse(vendor, back.submit(order), spends=1).handle for _ in range(2)]
    found = tuple(reversed(handles))
    told = converse(vendor, back.find(order, 1_790_000_000.0))
    # who looks a task up by our name for it was sent two of one name here, and may tell the newer alone
    assert told == found or (back.finds_by_reference and told == found[:1])


@EVERY_BACK
@in_turn("state", [State.QUEUED, State.RUNNING])
def test_what_is_cancelled_ends(wire: Wire, state: State):
    back = back_of(wire)
    if back.cancel is None:
        return
    vendor, update = submitted(wire, ORDERS[wire.name][0])
    progress(vendor, state)
    if converse(vendor, back.cancel(update.handle)):
        assert vendor.jobs[0].state is State.CANCELED


@EVERY_BACK
@in_turn("state", State)
def test_our_own_webhook_is_read_as_a_callback(wire: Wire, state: State):
    read = back_of(wire).read_callback
    if read is None or wire.render_webhook is None:
        return
    vendor, update = submitted(wire, ORDERS[wire.name][0])
    progress(vendor, state)
    if (body := wire.render_webhook(vendor.jobs[0])) is not None:
        assert (
            read(ORDERS[wire.name][0], HttpRequest(method="POST", path="/callbacks/token", body=body)) == update.handle
        )
    for garbage in UNREADABLE:
        assert read(ORDERS[wire.name][0], HttpRequest(method="POST", path="/callbacks/token", body=garbage)) is None


HOSTILE = (
    *("1e15", "1e300", "1e400", "-1e400", str(2**70), "1" + "0" * 400, "1" + "0" * 5000, "-5", "0.5", "null", "true"),
    *("[]", "{}", '""', json.dumps("x" * 100_000), r'"\u0000\u001b[31m\nforged line"', r'"\ud800"', r'"\u202egpj"'),
    *(
        '".."',
        '"."',
        '"../admin"',
        '"a/b"',
        '"x?y=1#z"',
        '"https://h.example/' + "x" * 9000 + '"',
        '"file:///etc/passwd"',
    ),
    *(json.dumps(["https://h.example/o.mp4"] * 5000), json.dumps({"credits": -1}), '{"credits": 1e999}'),
)
"""JSON that no vendor would tell, unless it were broken or meant harm."""


def spoilt(body: bytes) -> Iterator[bytes]:
    """An answer with each of its members, at any depth, in turn replaced by each of the hostile values, and with one
    more of some names that it may not have."""
    answer = json.loads(body)
    spots: list[tuple[Any, Any]] = []

    def gather(value: Any) -> None:
        pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for key, each in list(pairs):
            spots.append((value, key))
            gather(each)

    gather(answer)
    for holder, key in spots:
        before = holder[key]
        holder[key] = "@@"
        text = json.dumps(answer)
        holder[key] = before
        yield from (text.replace('"@@"', value).encode() for value in HOSTILE)


def is_tame(text: str) -> bool:
    return len(text) <= 1000 and text.isprintable()


@EVERY_BACK
def test_whatever_a_vendor_tells_comes_back_in_bounds(wire: Wire):
    """Every member of every answer, spoilt. A task whose end is told is not lost for what stands beside its status."""
    back, order = back_of(wire), ORDERS[wire.name][0]
    vendor, made = submitted(wire, order)
    answers: list[tuple[Callable[[], Conversation[Update]], HttpResponse]] = [
        (lambda: back.submit(order), Vendor(wire).answer(vendor.requests[0]))
    ]
    at_once = made.state is State.SUCCEEDED
    for state in () if at_once else State:
        progress(vendor, state)
        answers.append((lambda: back.poll(made.handle), vendor.answer(next(back.poll(made.handle)))))
    seen = 0
    for begin, answer in answers:
        for body in spoilt(answer.body):
            conversation = begin()
            request = next(conversation)
            assert ".." not in request.path
            seen += 1
            try:
                further = conversation.send(replace(answer, body=body))
                assert ".." not in further.path and all(is_tame(each) for each in further.query.values()), body
                continue
            except StopIteration as end:
                update: Update = end.value
            except Problem as problem:
                assert problem.kind in (Kind.UPSTREAM_FAILED, Kind.NOT_FOUND), body
                assert len(problem.message) <= 1000, body
                continue
            assert is_tame(update.upstream_status), body
            assert update.cost is None or 0 <= update.cost <= 1e6, body
            assert update.progress is None or 0 <= update.progress <= 1, body
            assert len(update.links) <= 64, body
            assert all(is_tame(link[:900]) and len(link) <= 8192 for link in update.links), body
            assert all(link.startswith("https://") for link in update.links), body
            assert all(is_tame(doubt) for doubt in update.doubts), body
            if update.failure:
                assert is_tame(update.failure.message) and is_tame(update.failure.code or ""), body
            if update.handle and not at_once:
                assert next(back.poll(update.handle)).path.rpartition("/")[2] not in ("", ".", "..")
                assert not set("/?#\\ %") & set(update.handle["id"])
            assert msgspec.json.encode(update)
    assert seen > (100 if at_once else 500)


def test_a_cost_that_cannot_be_counts_as_not_told_and_is_doubted():
    back = next(wire.back for wire in sampled.ALL if wire.name == "runway")
    assert back
    for cost in ("1e15", "1e300", "1e400", str(2**70), "1" + "0" * 400, "1" + "0" * 5000, "-5", '"12"', "true", "[]"):
        body = f'{{"id":"x","status":"SUCCEEDED","output":["https://h.example/o.mp4"],"cost":{{"credits":{cost}}}}}'
        conversation = back.poll({"id": "x"})
        next(conversation)
        with pytest.raises(StopIteration) as end:
            conversation.send(HttpResponse(body=body.encode()))
        news: Update = end.value.value
        assert (news.state, news.cost) == (State.SUCCEEDED, None)
        assert news.doubts and "cannot be" in news.doubts[0]


def test_a_vendor_can_ask_for_ten_minutes_of_rest_and_no_more():
    for wire in BACKS:
        for told, wanted in (
            ("86399", 600.0),
            ("7", 7.0),
            ("1e300", 600.0),
            ("inf", 600.0),
            ("nan", None),
            ("-1", None),
        ):
            answer = HttpResponse(status=429, headers={"retry-after": told})
            read = answered(wire, back_of(wire).submit(ORDERS[wire.name][0]), answer, spending=True)
            assert read.retry_after == wanted
