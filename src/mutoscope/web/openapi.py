"""The published description of what this server speaks: OpenAPI 3.1, made from the wires' tables of routes."""

import json
import re
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, cast

import msgspec

from mutoscope.files.egress import MAX_URL
from mutoscope.model.job import Json
from mutoscope.model.requests import Allowance
from mutoscope.wirekit.media import URL_PATTERN
from mutoscope.wirekit.routes import (
    AccountRead,
    Again,
    Content,
    Create,
    DropFile,
    Follow,
    List,
    ListUploads,
    Models,
    OpenUploads,
    Read,
    ReadFile,
    ReadMany,
    Reply,
    Route,
    Secret,
    Socket,
    Stop,
    Stream,
    TakeFile,
    TakeInline,
    TakeRaw,
    UsageRead,
)
from mutoscope.wirekit.wire import Wire

OPENAPI = "3.1.0"
METHODS = frozenset({"get", "put", "post", "delete", "options", "head", "patch", "trace"})
"""Those that this version of OpenAPI can tell of."""
SCHEMAS = "#/components/schemas/"
PLACEHOLDER = re.compile(r"\{([^}…]+)…?\}")

ERRORS: dict[int, str] = {
    400: "The request is not valid, or nothing here can do what it asks.",
    401: "The key is missing or wrong.",
    403: "The key, or the way in which it is asked, does not allow this.",
    404: "There is no such thing; the message lists what there is.",
    405: "The path takes another method.",
    409: "It contradicts what is there already, such as an idempotency key that was used for another request.",
    413: "The body is larger than this server takes.",
    429: "Too many requests, or today's share is used up.",
    500: "Something broke on this side.",
    503: "The server is shutting down or has too much to do.",
}
"""What can go wrong with any request, in the shape that its wire gives to every error."""

ANSWERS: dict[type[Route], str] = {
    Create: "The task, filed durably.",
    Read: "The task as it stands.",
    ReadMany: "The tasks that are there, in the order asked.",
    List: "The tasks, newest first.",
    Stop: "The task is canceled, or deleted.",
    Reply: "What was asked.",
    Models: "The models.",
    Socket: "The connection becomes a WebSocket.",
    Secret: "The key, shown this once.",
    Stream: "The answer; as server-sent events where the body says `stream`.",
    Again: "The answer that was kept, or what becomes of it.",
    Follow: "The task at every change, as server-sent events.",
    Content: "Where the file is.",
    OpenUploads: "Where to send the files.",
    TakeFile: "The file is kept.",
    TakeInline: "The files are kept.",
    TakeRaw: "The file is kept.",
    ReadFile: "The file that was sent.",
    DropFile: "The file is forgotten.",
    ListUploads: "The files that were sent.",
    AccountRead: "What this key may do and has done.",
    UsageRead: "What was spent, by day and model.",
}

CREATE_HEADERS: Mapping[str, Json] = {
    "idempotency-key": {
        "description": "The same key with the same request gives the first one's job, for 24 hours.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]([ -~]*[!-~])?$"},
    },
    "x-mutoscope-webhook": {
        "description": "Where the job's news goes, if the body does not say. Also as the query's `mutoscope_webhook`.",
        "schema": {
            "type": "string",
            "maxLength": MAX_URL,
            "pattern": f"^{URL_PATTERN}$",
        },
    },
}
"""Headers of ours that any create may carry."""

JOB_HEADERS = {
    "x-mutoscope-engine": "Which engine makes the job.",
    "x-mutoscope-notes": "What was ignored or replaced, and how many older jobs a queued one waits with; else absent.",
    "idempotent-replayed": "`true` where a create repeated another and is answered with that one's job.",
}
"""Headers of ours on answers that tell of one job."""

ABOUT = """Each API is served at its vendor's own paths, so that a client needs another base URL and nothing else. \
Where paths of two vendors could be confused, the same API stands again under a prefix: {mounts}."""


def build(wires: Iterable[Wire], *, title: str, version: str, server_url: str | None = None) -> Json:
    """The OpenAPI document. Its order is that of the wires and of their routes."""
    wires = tuple(wires)
    mounts = ", ".join(f"`/{wire.name}` ({wire.title})" for wire in wires)
    document: Json = {
        "openapi": OPENAPI,
        "info": {"title": title, "version": version, "description": ABOUT.format(mounts=mounts or "none")},
        "servers": [{"url": server_url or "/"}],
        "tags": [tag(wire) for wire in wires],
        "paths": {},
        "components": {"schemas": {}, "responses": {}, "headers": job_headers(), "securitySchemes": {}},
    }
    for wire in wires:
        describe(wire, document)
    schemas = document["components"]["schemas"]
    document["components"]["schemas"] = {name: schemas[name] for name in sorted(schemas)}
    return document


def tag(wire: Wire) -> Json:
    return {
        "name": wire.name,
        "description": f"{wire.title}. Also under `/{wire.name}`.",
        "externalDocs": {"url": wire.docs},
    }


def job_headers() -> Json:
    return {name: {"description": text, "schema": {"type": "string"}} for name, text in JOB_HEADERS.items()}


def describe(wire: Wire, document: Json) -> None:
    """Add a wire's paths and all that they refer to."""
    components = document["components"]
    schema_of, schemas = schemas_of(wire)
    components["schemas"] |= schemas
    components["headers"] |= pace_headers(wire)
    errors = errors_of(wire)
    components["responses"] |= {
        f"{wire.name}.{status}": error_response(wire, errors, status, schema_of) for status in errors
    }
    schemes = security_schemes(wire)
    components["securitySchemes"] |= schemes
    for route in wire.routes:
        path, method = route.path.replace("…", ""), route.method.lower()
        if method not in METHODS:
            continue
        if method in document["paths"].get(path, {}):  # another vendor's as well: there the prefix tells them apart
            path = f"/{wire.name}{path}"
        document["paths"].setdefault(path, {})[method] = operation(wire, route, schema_of, schemas, schemes)


def schemas_of(wire: Wire) -> tuple[Callable[[Any], Json], Json]:
    """How to say a type of this wire, and the schemas that this refers to.

    Their names begin with the wire's: two vendors may both have a Task, and a wire that is added later
    must not rename what generated clients know.
    """
    types: list[Any] = [wire.problem_schema] if wire.problem_schema is not None else []
    for route in wire.routes:
        types += [each for each in (route.body, route.answer, route.query) if each is not None]
    said, schemas = msgspec.json.schema_components(types, ref_template=f"{SCHEMAS}{wire.name}.{{name}}")
    said, schemas = [plain(each) for each in said], {name: plain(schema) for name, schema in schemas.items()}
    for name, schema in schemas.items():
        if "title" in schema:
            schema["title"] = class_name(wire, name)
    # Types are compared by identity: a union and its like are equal to many things, and not all can be hashed.
    pairs = list(zip(types, said, strict=True))

    def schema_of(type: Any) -> Json:
        return next(schema for known, schema in pairs if known is type)

    return schema_of, {f"{wire.name}.{name}": schema for name, schema in schemas.items()}


def class_name(wire: Wire, name: str) -> str:
    """What generators call a type in code, where neither a dot nor a bracket can stand: `Told[list[…later.Work]]` is
    `ToldListWork` there."""
    words = re.sub(r"mutoscope(\.[a-z_0-9]+)*\.", "", name).split("_")
    return wire.name.title().replace("_", "") + "".join(word[:1].upper() + word[1:] for word in words)


JSON_TYPES = {bool: "boolean", int: "integer", float: "number", str: "string"}


def plain(schema: Json) -> Json:
    """A schema as generators of typed clients understand it: an enum tells its type, an array says that it holds
    anything, and a field that may be left out has no null as its default, which they take for one that is always there.
    """
    told: Json = {}
    for name, value in schema.items():
        match name, value:
            case "default", None:
                pass
            case "properties" | "$defs", dict():
                told[name] = {field: plain(inner) for field, inner in cast("Json", value).items()}
            case (("items" | "additionalProperties"), dict()):
                told[name] = plain(cast("Json", value))
            case (("anyOf" | "oneOf" | "allOf" | "prefixItems"), list()):
                told[name] = [plain(each) for each in cast("list[Json]", value)]
            case _:
                told[name] = value
    if told.get("type") == "array" and not told.keys() & {"items", "prefixItems"}:
        told["items"] = {}
    if "enum" in told and "type" not in told:
        kinds = dict.fromkeys(JSON_TYPES[type(value)] for value in told["enum"])
        told = {"type": list(kinds) if len(kinds) > 1 else next(iter(kinds))} | told
    return told


def operation(
    wire: Wire, route: Route, schema_of: Callable[[Any], Json], schemas: Json, schemes: Iterable[str]
) -> Json:
    told: Json = {
        "operationId": operation_id(wire, route),
        "summary": route.summary,
        "tags": [wire.name],
    }
    asked = (*path_parameters(route), *query_parameters(route, schema_of, schemas), *header_parameters(wire, route))
    if parameters := list(asked):
        told["parameters"] = parameters
    if route.body is not None:
        schema = schema_of(route.body)
        content = {"schema": schema, "example": example(schema, schemas)}
        required = bool(content["example"])  # a body with nothing in it can as well be left out
        forms = {"multipart/form-data": {"schema": schema}} if route.form else {}
        plain = {} if isinstance(route, TakeFile) else {"application/json": content}
        told["requestBody"] = {"required": required, "content": plain | forms}
    told["responses"] = responses(wire, route, schema_of)
    told["security"] = [{name: []} for name in schemes]
    return told


def operation_id(wire: Wire, route: Route) -> str:
    """The method and the path tell operations apart; so do they here."""
    path = re.sub(r"\b[A-Z]{2,}\b", r"\g<0>_capitals", route.path)  # where case alone tells a spelling
    words = re.sub(r"[^a-z0-9]+", "_", path.lower()).strip("_")
    return f"{wire.name}_{route.method.lower()}_{words}"


def path_parameters(route: Route) -> Iterator[Json]:
    for name in PLACEHOLDER.findall(route.path):
        yield {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def query_parameters(route: Route, schema_of: Callable[[Any], Json], schemas: Json) -> Iterator[Json]:
    if route.query is None:
        return
    shape = resolve(schema_of(route.query), schemas)
    for name, schema in shape.get("properties", {}).items():
        yield {"name": name, "in": "query", "required": name in shape.get("required", ()), "schema": schema}


def header_parameters(wire: Wire, route: Route) -> Iterator[Json]:
    for name, value in (wire.headers | route.headers).items():
        yield {"name": name, "in": "header", "required": True, "schema": {"type": "string", "enum": [value]}}
    if isinstance(route, Create):
        for name, told in CREATE_HEADERS.items():
            yield {"name": name, "in": "header", **told}


def responses(wire: Wire, route: Route, schema_of: Callable[[Any], Json]) -> Json:
    good: Json = {"description": ANSWERS[type(route)]}
    names = [*(JOB_HEADERS if isinstance(route, Create | Read) else ()), *pace_headers(wire)]
    if names:
        good["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in names}
    if route.answer is not None:
        good["content"] = {"application/json": {"schema": schema_of(route.answer)}}
    if isinstance(route, Stream):
        good.setdefault("content", {})["text/event-stream"] = {}  # a schema here would be read as that of each event
    if isinstance(route, Create) and route.event:
        good["content"] = {"text/event-stream": {}}
    declared: Json = {str(status): good for status in (route.status, *route.also)}
    if route.path.startswith(wire.quiet):
        if route.status != 200:
            declared["200"] = error_response(wire, {200: "What went wrong is told with this status."}, 200, schema_of)
        return declared
    if isinstance(route, Create) and route.waited:
        declared["202"] = good | {"description": "The task goes on after the wait."}
        declared["504"] = error_response(wire, {504: "It was not made within the wait, and goes on."}, 504, schema_of)
    for status in errors_of(wire):
        if status != 413 or route.body is not None:
            declared[str(status)] = {"$ref": f"#/components/responses/{wire.name}.{status}"}
    return declared


def errors_of(wire: Wire) -> dict[int, str]:
    """What can go wrong, by status: that of a body which is not valid is the wire's own."""
    own = {wire.invalid_status: ERRORS[400]} if wire.invalid_status >= 400 else {}
    return dict(sorted((ERRORS | own).items()))


def error_response(wire: Wire, errors: Mapping[int, str], status: int, schema_of: Callable[[Any], Json]) -> Json:
    told: Json = {"description": errors[status]}
    if status == 429:
        seconds = {"description": "Seconds to wait.", "schema": {"type": "string"}}
        told["headers"] = {"retry-after": seconds}
    if wire.problem_schema is not None:
        told["content"] = {wire.problem_type: {"schema": schema_of(wire.problem_schema)}}
    if status in wire.plain_statuses:
        told.setdefault("content", {})["text/plain"] = {"schema": {"type": "string"}}
    return told


def pace_headers(wire: Wire) -> Json:
    """The vendor's rate-limit headers, sent where the server sets a limit."""
    if wire.answer_headers is None:
        return {}
    names = wire.answer_headers(Allowance(limit=1, remaining=1, reset_seconds=1.0))
    text = f"Rate limit, as {wire.title} tells it."
    return {name: {"description": text, "schema": {"type": "string"}} for name in names}


def security_schemes(wire: Wire) -> Json:
    """By name: `Wire.security` is one scheme, or several by name, of which any will do."""
    if not wire.security:
        return {}
    if "type" in wire.security:
        return {wire.name: wire.security}
    return {f"{wire.name}.{name}": scheme for name, scheme in wire.security.items()}


# -- examples -------------------------------------------------------------------------

PICTURE = "https://example.com/picture.png"
WORDS = "A lighthouse on a cliff at dusk"
TEXTS: tuple[tuple[str, str], ...] = (
    (r"video", "https://example.com/clip.mp4"),
    (r"audio", "https://example.com/sound.mp3"),
    (r"uri|url|image", PICTURE),
    (r"filename", "picture.png"),
    (r"date", "2026-01-31"),
    (r"tag", "castle"),
)
"""Field name → a text for it; the first whose pattern is in the name, in lower case."""


def example(schema: Json, schemas: Json, name: str = "", parent: str = "") -> Any:
    """The smallest value that fits a schema, in words that a reader understands.

    `schemas` are the document's; `name` is the field's, `parent` that of the object around it. The vendor's
    own example is taken where the annotation has one.
    """
    schema = resolve(schema, schemas)
    if schema.get("examples"):
        return schema["examples"][0]
    if "enum" in schema:
        return schema["enum"][0]
    if "const" in schema:
        return schema["const"]
    choices = schema.get("anyOf") or schema.get("oneOf")
    if choices and "properties" not in schema:
        return example(first_of(each for each in choices if each.get("type") != "null"), schemas, name, parent)
    match schema.get("type"):
        case "object":
            return example_object(schema, schemas, name)
        case "array":
            items = schema.get("items", {})
            return [example(items, schemas, name, parent) for _ in range(max(1, schema.get("minItems", 1)))]
        case "string":
            return example_text(schema, name, parent)
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "boolean":
            return True
        case _:
            return WORDS


def example_object(schema: Json, schemas: Json, name: str) -> Json:
    fields = schema.get("properties", {})
    return {each: example(fields[each], schemas, each, name) for each in required_of(schema) if each in fields}


def required_of(schema: Json) -> tuple[str, ...]:
    """What must be there: the fields that are always required, and the first of the sets of which one is."""
    needed: list[str] = list(schema.get("required", ()))
    for rule in ("anyOf", "oneOf"):
        needed += first_of(schema.get(rule, ())).get("required", ())
    return tuple(dict.fromkeys(needed))


def first_of(schemas: Iterable[Json]) -> Json:
    nothing: Json = {}
    return next(iter(schemas), nothing)


def example_text(schema: Json, name: str, parent: str) -> str:
    fitting = [text for pattern, text in TEXTS if re.search(pattern, name.lower()) and fits(text, schema)]
    around = [text for pattern, text in TEXTS if re.search(pattern, parent.lower()) and fits(text, schema)]
    others = [text for text in (WORDS, *(text for _, text in TEXTS)) if fits(text, schema)]
    plain = "x" * max(1, schema.get("minLength", 1))
    first, *_ = [*specific(around, fitting), *fitting, *others, plain]
    return first[: schema.get("maxLength")]


def specific(around: list[str], fitting: list[str]) -> list[str]:
    """`promptVideo.uri` is a clip: what the outer name says counts where the inner one says "some file"."""
    return around if fitting[:1] == [PICTURE] else []


def fits(text: str, schema: Json) -> bool:
    long_enough = schema.get("minLength", 0) <= len(text) <= schema.get("maxLength", len(text))
    return long_enough and (schema.get("pattern") is None or re.search(schema["pattern"], text) is not None)


def resolve(schema: Json, schemas: Json) -> Json:
    """The schema itself, where it is a reference; rules that stand beside the reference are kept."""
    while "$ref" in schema:
        others = {name: value for name, value in schema.items() if name != "$ref"}
        schema = cast("Json", schemas[schema["$ref"].removeprefix(SCHEMAS)]) | others
    return schema


# -- finding one's way in a document -----------------------------------------------------


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One operation of a document, with where it stands."""

    method: str
    path: str
    spec: Json

    @property
    def tag(self) -> str:
        return self.spec["tags"][0]

    @property
    def body(self) -> Json | None:
        """The schema of the request body."""
        return self._content.get("schema")

    @property
    def example(self) -> Any:
        return self._content.get("example")

    @property
    def _content(self) -> Json:
        return self.spec.get("requestBody", {}).get("content", {}).get("application/json", {})


def operations(document: Json) -> Iterator[Operation]:
    for path, methods in document["paths"].items():
        for method, told in methods.items():
            yield Operation(method=method.upper(), path=path, spec=told)


def curl(operation: Operation, base: str, headers: Mapping[str, str]) -> str:
    """A command line for a POSIX shell. A header's value may name a shell variable; so does a path's {id}."""
    path = PLACEHOLDER.sub(lambda match: f"${match[1].upper()}", operation.path)
    posts = operation.body is not None or operation.method == "GET"
    lines = [f"curl -sS {'' if posts else f'-X {operation.method} '}{quoted(base + path)}"]
    lines += [f"-H {quoted(f'{name}: {value}')}" for name, value in headers.items()]
    if operation.body is not None:
        lines.append("-H 'content-type: application/json'")
        lines.append("-d " + shlex.quote(json.dumps(operation.example, ensure_ascii=False)))
    return " \\\n  ".join(lines)


def quoted(text: str) -> str:
    """For the shell: in double quotes where a variable is to be filled in."""
    return f'"{text}"' if "$" in text else shlex.quote(text)
