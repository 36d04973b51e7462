"""The published description says what the wires' tables say, and whatever it shows can be sent."""

import json
import re
import shlex
from collections.abc import Iterator
from typing import Annotated, Any, Literal

import msgspec
import pytest
from msgspec import UNSET, Meta, Struct, UnsetType

from mutoscope.engines.words import Author
from mutoscope.model.http import HttpRequest, HttpResponse, json_response
from mutoscope.model.problem import Problem
from mutoscope.model.requests import Allowance, Page
from mutoscope.web import openapi
from mutoscope.wirekit.routes import Create, List, Read, ReadMany, Reply, Stop, Stream, TakeFile, TakeRaw
from mutoscope.wirekit.wire import Wire
from mutoscope.wires.runway import elsewhere
from sampled import ALL


class Picture(Struct, frozen=True):
    uri: Annotated[str, Meta(min_length=13, pattern="^https?://")]
    tag: Annotated[str, Meta(min_length=3, max_length=16)] | UnsetType = UNSET


class Quick(Struct, frozen=True, kw_only=True, tag_field="model", tag="quick-1", rename="camel"):
    """Fast and small."""

    prompt_text: Annotated[str, Meta(min_length=1, max_length=40, description="What to show.")]
    duration: Annotated[int, Meta(ge=2, le=10)] | Literal["auto"] | UnsetType = UNSET
    references: Annotated[tuple[Picture, ...], Meta(max_length=3)] | UnsetType = UNSET


class Slow(Struct, frozen=True, kw_only=True, tag_field="model", tag="slow-1", forbid_unknown_fields=True):
    image: Picture
    share: Annotated[float, Meta(ge=0, le=1)] | None = 0.5


class Task(Struct, frozen=True):
    id: str
    status: Literal["PENDING", "DONE"]


class Trouble(Struct, frozen=True):
    error: str


class Paging(Struct, frozen=True, kw_only=True):
    page: Annotated[int, Meta(ge=1)] = 1


def answer(*_: Any) -> HttpResponse:
    return json_response({})


def render_problem(problem: Problem, _request: HttpRequest) -> HttpResponse:
    return json_response(Trouble(problem.message), problem.status)


def pace(_allowance: Allowance) -> dict[str, str]:
    return {"x-left": "1"}


def small_wire(name: str = "small", root: str = "/v1/small", **changed: Any) -> Wire:
    routes = (
        Create(
            at=f"POST {root}",
            parse=answer,
            render=answer,
            body=Quick | Slow,
            answer=Task,
            summary="Make something",
        ),
        List(at=f"GET {root}", parse=lambda _: Page(), render=answer, answer=Task, query=Paging, summary="List them"),
        Read(at=f"GET {root}/{{id}}", render=answer, answer=Task, summary="Read it"),
        Stop(running=True, keeps=False, at=f"DELETE {root}/{{id}}", render=answer, status=204, summary="Remove it"),
    )
    told = {
        "name": name,
        "title": "Small API",
        "docs": "https://example.com/docs",
        "roots": (root,),
        "routes": routes,
        "render_problem": render_problem,
        "credential": lambda request: request.headers.get("x-key"),
        "public_id": str,
        "job_id": str,
        "answer_headers": pace,
        "problem_schema": Trouble,
        "security": {"type": "apiKey", "in": "header", "name": "x-key"},
        "headers": {"X-Version": "2"},
    }
    return Wire(**(told | changed))


def described(*wires: Wire) -> dict[str, Any]:
    """The document as a client gets it."""
    document = openapi.build(wires or (small_wire(),), title="test", version="1", server_url="http://here")
    return msgspec.json.decode(msgspec.json.encode(document))


def operation(method: str, path: str) -> openapi.Operation:
    return next(each for each in openapi.operations(described()) if each.path == path and each.method == method)


def schema(name: str) -> dict[str, Any]:
    return described()["components"]["schemas"][f"small.{name}"]


def test_every_route_of_a_wire_is_an_operation_at_the_vendors_path() -> None:
    told = {(each.method, each.path) for each in openapi.operations(described())}
    assert told == {
        ("POST", "/v1/small"),
        ("GET", "/v1/small"),
        ("GET", "/v1/small/{id}"),
        ("DELETE", "/v1/small/{id}"),
    }
    assert operation("POST", "/v1/small").spec["summary"] == "Make something"
    assert operation("POST", "/v1/small").tag == "small"


def test_the_description_tells_the_prefix_and_the_address() -> None:
    document = described()
    assert "`/small`" in document["info"]["description"]
    assert document["servers"] == [{"url": "http://here"}]
    assert document["tags"][0]["externalDocs"]["url"] == "https://example.com/docs"


def test_a_body_keeps_its_variants_and_its_bounds() -> None:
    body = operation("POST", "/v1/small").body
    assert body is not None
    assert body["discriminator"]["mapping"] == {
        "quick-1": "#/components/schemas/small.Quick",
        "slow-1": "#/components/schemas/small.Slow",
    }
    quick = schema("Quick")
    assert quick["required"] == ["model", "promptText"]
    assert quick["properties"]["promptText"]["maxLength"] == 40
    assert {"type": "integer", "minimum": 2, "maximum": 10} in quick["properties"]["duration"]["anyOf"]
    assert quick["properties"]["references"]["maxItems"] == 3
    assert schema("Slow")["additionalProperties"] is False


def test_parameters_stand_where_they_are_sent() -> None:
    listed = {each["name"]: each for each in operation("GET", "/v1/small").spec["parameters"]}
    assert listed["page"]["in"] == "query"
    assert listed["page"]["schema"]["minimum"] == 1
    assert not listed["page"]["required"]
    assert listed["X-Version"] == {
        "name": "X-Version",
        "in": "header",
        "required": True,
        "schema": {"type": "string", "enum": ["2"]},
    }
    shown = operation("GET", "/v1/small/{id}").spec["parameters"]
    assert shown[0] == {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}


def test_every_error_has_the_wires_shape() -> None:
    document = described()
    post = document["paths"]["/v1/small"]["post"]["responses"]
    assert list(post) == ["200", "400", "401", "403", "404", "405", "409", "413", "429", "500", "503"]
    for status in list(post)[1:]:
        response = document["components"]["responses"][post[status]["$ref"].rpartition("/")[2]]
        assert response["content"]["application/json"]["schema"]["$ref"] == "#/components/schemas/small.Trouble"
    assert "413" not in document["paths"]["/v1/small"]["get"]["responses"]


def test_an_answer_without_a_body_declares_none() -> None:
    assert "content" not in operation("DELETE", "/v1/small/{id}").spec["responses"]["204"]


def test_rate_limit_headers_are_those_that_the_wire_sends() -> None:
    document = described()
    assert "x-left" in document["components"]["headers"]
    assert "x-left" in document["paths"]["/v1/small"]["get"]["responses"]["200"]["headers"]


def test_one_scheme_goes_by_the_wires_name_and_several_by_their_own() -> None:
    assert list(described()["components"]["securitySchemes"]) == ["small"]
    two = small_wire(security={"a": {"type": "http", "scheme": "bearer"}, "b": {"type": "http", "scheme": "basic"}})
    document = described(two)
    assert list(document["components"]["securitySchemes"]) == ["small.a", "small.b"]
    assert document["paths"]["/v1/small"]["post"]["security"] == [{"small.a": []}, {"small.b": []}]


def test_a_wire_that_comes_later_renames_nothing() -> None:
    alone = described()["components"]["schemas"]
    beside = described(small_wire(), small_wire("other", "/v1/other"))["components"]["schemas"]
    assert {name: beside[name] for name in alone} == alone
    assert len(beside) == 2 * len(alone)


def test_the_example_is_a_body_that_the_wire_reads() -> None:
    body = operation("POST", "/v1/small").example
    assert msgspec.convert(body, Quick | Slow) == Quick(prompt_text=body["promptText"])


def test_an_example_obeys_pattern_and_length() -> None:
    slow = openapi.example(schema("Slow"), described()["components"]["schemas"])
    assert isinstance(msgspec.convert(slow, Slow).image, Picture)


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ({"type": "string", "minLength": 90}, "x" * 90),
        ({"type": "string", "maxLength": 3}, "x"),
        ({"type": "integer", "minimum": 7}, 7),
        ({"type": "array", "items": {"type": "boolean"}, "minItems": 2}, [True, True]),
        ({"anyOf": [{"type": "null"}, {"enum": ["b"]}]}, "b"),
        ({"type": "string", "examples": ["the vendor's"]}, "the vendor's"),
        (
            {"type": "object", "properties": {"a": {"const": 1}, "b": {"const": 2}}, "oneOf": [{"required": ["b"]}]},
            {"b": 2},
        ),
    ],
)
def test_an_example_is_the_smallest_value_that_fits(told: dict[str, Any], shown: Any) -> None:
    assert openapi.example(told, {}) == shown


def test_a_curl_line_carries_the_example_through_a_shell() -> None:
    post = operation("POST", "/v1/small")
    tricky = openapi.Operation(method="POST", path=post.path, spec=post.spec | {"requestBody": {"content": {
        "application/json": {"schema": {}, "example": {"prompt": "it's \"so\" $HOME"}}}}})  # fmt: skip
    words = shlex.split(openapi.curl(tricky, "http://here", {"x-key": "$KEY"}).replace("\\\n", ""))
    assert words[:3] == ["curl", "-sS", "http://here/v1/small"]
    assert words[words.index("-H") + 1] == "x-key: $KEY"
    assert json.loads(words[words.index("-d") + 1]) == {"prompt": 'it\'s "so" $HOME'}


def test_a_curl_line_leaves_the_id_to_the_shell() -> None:
    assert openapi.curl(operation("DELETE", "/v1/small/{id}"), "http://here", {}) == (
        'curl -sS -X DELETE "http://here/v1/small/$ID"'
    )


# -- what this server publishes ---------------------------------------------------------------


def references(value: Any) -> list[str]:
    match value:
        case dict():
            own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
            mapped = (
                value.get("discriminator", {}).get("mapping", {})
                if isinstance(value.get("discriminator"), dict)
                else {}
            )
            return [*own, *mapped.values(), *(ref for each in value.values() for ref in references(each))]
        case list():
            return [ref for each in value for ref in references(each)]
        case _:
            return []


def test_every_reference_leads_somewhere() -> None:
    document = described(*ALL)
    found = set(references(document))
    assert found
    for ref in found:
        at: Any = document
        for step in ref.removeprefix("#/").split("/"):
            at = at[step]


def test_operation_ids_are_unique_and_fit_for_code() -> None:
    ids = [each.spec["operationId"] for each in openapi.operations(described(*ALL))]
    told = [route for wire in ALL for route in wire.routes if route.method.lower() in openapi.METHODS]
    assert len(ids) == len(set(ids)) == len(told)
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", id) for id in ids)


def test_the_document_is_the_same_each_time() -> None:
    assert json.dumps(described(*ALL)) == json.dumps(described(*ALL))


def test_every_operation_says_what_it_is_for() -> None:
    assert [each.path for each in openapi.operations(described(*ALL)) if not each.spec["summary"]] == []


def test_every_example_is_read_by_its_own_wire() -> None:
    for wire in ALL:
        for route in wire.routes:
            if route.body is None or isinstance(route, TakeFile | TakeRaw | Read):
                continue
            document = described(wire)
            path = document["paths"][route.path.replace("…", "")][route.method.lower()]
            told = path["requestBody"]["content"]["application/json"]
            params = dict.fromkeys(openapi.PLACEHOLDER.findall(route.path), "x")
            body = json.dumps(told["example"]).encode()
            request = HttpRequest(method="POST", path=route.path, params=params, body=body)
            match route:
                case Stream():
                    assert route.write(request, Author())
                case Reply() if route in elsewhere.ROUTES:
                    with pytest.raises(Problem, match="made at Runway only"):
                        route.reply(request)
                case Reply():
                    assert route.reply(request).status == 200
                case ReadMany():
                    route.ids(request)
                case Stop():
                    assert route.id(request)
                case _:
                    route.parse(request)


def test_a_path_of_two_vendors_is_described_for_each() -> None:
    document = described(small_wire(), small_wire("other"))
    assert document["paths"]["/v1/small"]["post"]["tags"] == ["small"]
    assert document["paths"]["/other/v1/small"]["post"]["tags"] == ["other"]


def schemas_in(schema: Any) -> Iterator[dict[str, Any]]:
    """A schema and those inside it; what stands in examples and the like is none."""
    if not isinstance(schema, dict):
        return
    yield schema
    for name in ("properties", "$defs"):
        for inner in schema.get(name, {}).values():
            yield from schemas_in(inner)
    for name in ("items", "additionalProperties"):
        yield from schemas_in(schema.get(name))
    for name in ("anyOf", "oneOf", "allOf", "prefixItems"):
        for inner in schema.get(name, ()):
            yield from schemas_in(inner)


def published_schemas() -> list[dict[str, Any]]:
    """Every schema of the document, wherever it stands."""
    document = described(*ALL)
    found = [*document["components"]["schemas"].values()]
    found += [each["schema"] for each in document["components"]["headers"].values()]
    for each in openapi.operations(document):
        found += [parameter["schema"] for parameter in each.spec.get("parameters", ())]
        found += [each.body] if each.body else []
        answers = [*each.spec["responses"].values(), *document["components"]["responses"].values()]
        found += [
            said["schema"] for answer in answers for said in answer.get("content", {}).values() if "schema" in said
        ]
    return [inner for schema in found for inner in schemas_in(schema)]


def test_every_type_has_a_name_of_its_own_that_begins_with_its_wires() -> None:
    """Generators name classes by the title, and drop those whose name is taken."""
    schemas = described(*ALL)["components"]["schemas"]
    titles = {name: schema["title"] for name, schema in schemas.items() if "title" in schema}
    assert len(set(map(str.lower, titles.values()))) == len(titles) > 200
    assert all(re.fullmatch(r"[A-Z][A-Za-z0-9]*", title) for title in titles.values())
    for name, title in titles.items():
        assert title.startswith(name.partition(".")[0].title().replace("_", ""))


def test_a_field_that_may_be_left_out_has_no_null_as_its_default() -> None:
    assert [schema for schema in published_schemas() if "default" in schema and schema["default"] is None] == []


def test_every_list_of_values_tells_its_type_and_every_array_what_it_holds() -> None:
    schemas = published_schemas()
    assert [schema for schema in schemas if "enum" in schema and "type" not in schema] == []
    assert [s for s in schemas if s.get("type") == "array" and "items" not in s and "prefixItems" not in s] == []
    assert sum("enum" in schema for schema in schemas) > 500


def test_the_document_is_valid_openapi() -> None:
    """By an independent reader, which checks against the specification's own schema."""
    schemathesis = pytest.importorskip("schemathesis", reason="install the dev group")
    schemathesis.openapi.from_dict(described(*ALL)).validate()
