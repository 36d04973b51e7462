"""The pages that people and machines read about this server: what it is, what it speaks, whether it is well."""

import asyncio
import base64
import hashlib
import html
import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from mutoscope import __version__
from mutoscope.engines.relay import Relay
from mutoscope.model.catalog import Model
from mutoscope.model.job import Json, State
from mutoscope.model.problem import Kind, Problem
from mutoscope.service.gateway import Gateway
from mutoscope.service.routing import route
from mutoscope.web import office, openapi
from mutoscope.web.head import one_credential
from mutoscope.web.health import Readiness
from mutoscope.web.metrics import Gate, Metrics
from mutoscope.web.openapi import Operation
from mutoscope.wirekit.wire import Wire

TITLE = "mutoscope"
STORE_SECONDS = 2.0  # how long the store may take to answer for the landing page
METRICS = "/metrics"
TEXT_TO_IMAGE = re.compile(r"text[-_]to[-_]image")
NEVER_KEPT = {"cache-control": "no-store"}
ASKED_AGAIN = {"cache-control": "no-cache"}
PATTERN_SHOWN = 60  # a regular expression of more characters is left to the document for machines
KEY = "$MUTOSCOPE_KEY"  # the shell variable that stands for the caller's key


class StatusPage(NamedTuple):
    """What the pages say of the server itself: whether it is ready, its figures, and who may read them."""

    readiness: Readiness
    metrics: Metrics
    gate: Gate  # who may read the metrics


def build(gateway: Gateway, wires: tuple[Wire, ...], *, rehearsal: bool, status: StatusPage | None = None) -> "Pages":
    return Pages(gateway, wires, rehearsal=rehearsal, status=status)


class Pages:
    """The ASGI application for every path that belongs to no wire."""

    def __init__(
        self, gateway: Gateway, wires: tuple[Wire, ...], *, rehearsal: bool, status: StatusPage | None = None
    ) -> None:
        self.gateway, self.wires, self.rehearsal, self.status = gateway, wires, rehearsal, status
        self.pages: dict[str, Callable[[str], Awaitable[Response]]] = {
            "/": self.landing,
            "/docs": self.docs,
            "/openapi.json": self.openapi,
            "/healthz": self.healthz,
            "/readyz": self.readyz,
        }
        self.rendered_docs = lru_cache(maxsize=8)(self.render_docs)  # by origin: clients address us by few names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self.answer(scope)
        if scope["method"] == "HEAD":
            response.body = b""  # the headers, content-length among them, are settled by now
        await response(scope, receive, send)

    async def answer(self, scope: Scope) -> Response:
        path = scope["path"].rstrip("/") or "/"
        page = self.pages.get(path)
        has_figures = path == METRICS and self.status is not None and self.status.gate.is_served
        if page is None and not has_figures:
            return self.unknown(scope["path"])
        if scope["method"] not in ("GET", "HEAD"):
            return as_json({"error": f"{scope['method']} is not allowed here; GET is."}, 405, {"allow": "GET, HEAD"})
        return await (self.metrics(scope) if page is None else page(self.origin(scope)))

    def origin(self, scope: Scope) -> str:
        """scheme://host as the operator tells it, else as the caller addressed us."""
        if self.gateway.settings.server.public_url:
            return self.gateway.settings.server.public_url.rstrip("/")
        host = Request(scope).headers.get("host")
        if host is None:  # a balancer's HTTP/1.0
            host = f"{self.gateway.settings.server.host}:{self.gateway.settings.server.port}"
        return f"{scope.get('scheme', 'http')}://{host}"

    # -- for machines ----------------------------------------------------------------

    @cached_property
    def document(self) -> Json:
        document = openapi.build(self.wires, title=TITLE, version=__version__)
        office.describe(document)
        return document

    async def openapi(self, origin: str) -> Response:
        return as_json(self.document | {"servers": [{"url": origin}]}, headers=ASKED_AGAIN)

    async def healthz(self, _origin: str) -> Response:
        """The process answers."""
        return as_json({"status": "ok"}, headers=NEVER_KEPT)

    async def readyz(self, _origin: str) -> Response:
        """Jobs can be taken: a balancer sends no requests while this is 503."""
        failing = await self.status.readiness.failing() if self.status else {}
        if failing:
            status = "draining" if "draining" in failing else "not ready"
            return as_json({"status": status, "failing": failing}, 503, NEVER_KEPT)
        return as_json({"status": "ok"}, headers=NEVER_KEPT)

    async def metrics(self, scope: Scope) -> Response:
        """The figures for Prometheus."""
        if self.status is None:
            return self.unknown(scope["path"])
        headers = Request(scope).headers
        try:
            one_credential(scope["headers"])
            await self.status.gate.admit(headers.get("authorization", ""))
        except Problem as problem:
            asked = {"www-authenticate": "Bearer"} if problem.kind is Kind.UNAUTHENTICATED else {}
            return as_json({"error": problem.message}, problem.status, NEVER_KEPT | asked)
        text, media_type = await self.status.metrics.page(headers.get("accept", ""))
        return Response(text, headers=NEVER_KEPT | {"content-type": media_type, "x-content-type-options": "nosniff"})

    def unknown(self, path: str) -> Response:
        answer = {
            "error": f"There is no {path} on this server.",
            "wires": {wire.name: {"title": wire.title, "paths": list(wire.roots)} for wire in self.wires},
            "pages": list(self.pages),
        }
        return as_json(answer, 404)

    # -- for people --------------------------------------------------------------------

    async def landing(self, origin: str) -> Response:
        models = tuple(self.gateway.catalog.models.values())
        return as_page(
            TITLE,
            tag("h1", TITLE, tag("small", f" {__version__}")),
            tag(
                "p",
                "A self-hosted gateway for generative media. It speaks the HTTP APIs of the vendors below, keeps every "
                "job durably, and makes each one with the engine that its model is routed to.",
                class_="lead",
            ),
            self.rehearsal_notice(),
            links(),
            self.try_it(origin),
            self.wire_table(origin),
            await self.jobs(),
            self.accounts(),
            self.model_table(models),
            kept=NEVER_KEPT,
        )

    async def jobs(self) -> "Html":
        """How busy the server is; not for strangers, so not where callers need a key."""
        try:
            await self.gateway.keys.refresh()
            if not self.gateway.keys.open:
                return Html("")
            return jobs_line(await asyncio.wait_for(self.gateway.store.count_by_state(), STORE_SECONDS))
        except (Problem, TimeoutError):
            return jobs_line(None)

    def accounts(self) -> "Html":
        """How the vendors fare; no more for strangers than the jobs are."""
        relays = self.gateway.relays.values()
        if not relays or not self.gateway.keys.open:
            return Html("")
        rows = (
            tag(
                "tr",
                tag("td", tag("code", each.name)),
                tag("td", each.wire.title),
                tag("td", account_state(each)),
                tag("td", f"{each.upstream:,}"),
            )
            for each in relays
        )
        heads = ("Account", "Vendor's API", "State", "Jobs there")
        return tag("section", tag("h2", "Accounts"), table(heads, rows))

    def rehearsal_notice(self) -> "Html":
        if not self.rehearsal:
            return Html("")
        return tag(
            "p",
            "This server rehearses: every model is played by the scripted engine, which makes plain pictures and "
            "clips and fails when the prompt says so.",
            class_="notice",
        )

    def try_it(self, origin: str) -> "Html":
        """A request that works when pasted, and how to read what becomes of it."""
        found = [each for each in openapi.operations(self.document) if each.body is not None]
        chosen = next((each for each in found if TEXT_TO_IMAGE.search(each.path)), found[0] if found else None)
        if chosen is None:
            return Html("")
        headers = self.headers_for(chosen)
        reading = next((each for each in openapi.operations(self.document) if reads(each, chosen)), None)
        lines = [tag("h2", "Try it"), tag("pre", openapi.curl(chosen, origin, headers))]
        if reading:
            lines += [
                tag("p", "Put the id from the answer into ", tag("code", "ID"), " and ask until it is done:"),
                tag("pre", openapi.curl(reading, origin, headers)),
            ]
        return tag("section", *lines)

    def headers_for(self, operation: Operation) -> dict[str, str]:
        """What a client of this API sends along; the key only where this server asks for one."""
        wire = next(each for each in self.wires if each.name == operation.tag)
        told = (
            each for each in operation.spec.get("parameters", ()) if each["in"] == "header" and each.get("required")
        )
        needed = {each["name"]: each["schema"]["enum"][0] for each in told}
        return (key_header(wire) if not self.gateway.keys.open else {}) | needed

    def wire_table(self, origin: str) -> "Html":
        rows = (
            tag(
                "tr",
                tag("td", tag("a", wire.title, href=f"/docs#{wire.name}")),
                tag("td", tag("code", origin)),
                tag("td", tag("code", f"{origin}/{wire.name}")),
                tag("td", *spaced(tag("code", f"{root}…") for root in wire.roots)),
            )
            for wire in self.wires
        )
        heads = ("API", "Base URL", "or, apart from the others", "Paths")
        return tag(
            "section",
            tag("h2", "What it speaks"),
            tag("p", "Point a vendor's client at the base URL; nothing else about it changes. ", self.key_text()),
            table(heads, rows),
        )

    def key_text(self) -> str:
        if not self.gateway.keys.open:
            return "Send one of this server's keys where the vendor's would go."
        return "This server is open: any key is taken, or none."

    def model_table(self, models: Iterable[Model]) -> "Html":
        rows = (
            tag(
                "tr",
                tag("td", tag("code", model.name)),
                tag("td", model.vendor),
                tag("td", *spaced(self.ability(model))),
                tag("td", tag("code", ", ".join(route(model, self.gateway.routes.accounts)))),
            )
            for model in models
        )
        engines = ", ".join(sorted(self.gateway.engines))
        return tag(
            "section",
            tag("h2", "Models and engines"),
            tag(
                "p", f"Engines here: {engines}. Struck out is what none of them can make for the model: it is refused."
            ),
            table(("Model", "Vendor", "Makes", "Engines"), rows),
        )

    def ability(self, model: Model) -> "Iterator[Html]":
        engines = self.gateway.routes.candidates(model)
        for operation in sorted(model.serves):
            able = any(engine.supports(operation, model) is not None for engine in engines)
            yield tag("span" if able else "s", operation.value.replace("_", " "), class_="chip")

    async def docs(self, origin: str) -> Response:
        return as_page(f"{TITLE}: the APIs", self.rendered_docs(origin), kept=ASKED_AGAIN)

    def render_docs(self, origin: str) -> "Html":
        schemas = self.document["components"]["schemas"]
        found = tuple(openapi.operations(self.document))
        return Html("").join(
            [
                tag("h1", "The APIs of this server"),
                links(),
                *(self.wire_section(wire, origin, found, schemas) for wire in self.wires),
            ]
        )

    def wire_section(self, wire: Wire, origin: str, found: tuple[Operation, ...], schemas: Json) -> "Html":
        base = tag("code", origin), " or ", tag("code", f"{origin}/{wire.name}")
        return tag(
            "section",
            tag("h2", wire.title, id=wire.name),
            tag(
                "p", "Base URL ", *base, ". ", tag("a", "The vendor's documentation", href=wire.docs, rel="noreferrer")
            ),
            *(self.operation(each, origin, schemas) for each in found if each.tag == wire.name),
        )

    def operation(self, operation: Operation, origin: str, schemas: Json) -> "Html":
        told = operation.spec
        return tag(
            "details",
            tag(
                "summary",
                tag("b", operation.method, class_=f"method {operation.method.lower()}"),
                tag("code", operation.path, class_="path"),
                tag("span", told["summary"], class_="what"),
            ),
            tag("pre", openapi.curl(operation, origin, self.headers_for(operation))),
            query_part(told, schemas),
            body_part(operation.body, schemas),
            answer_part(told, schemas),
            id=told["operationId"],
            class_="route",
        )


def reads(candidate: Operation, made: Operation) -> bool:
    """Whether this operation shows the job that the other one makes."""
    if candidate.method != "GET" or candidate.tag != made.tag or not candidate.path.endswith("}"):
        return False
    stem = candidate.path.rpartition("/")[0]
    return stem == made.path or stem.endswith("/tasks")


def key_header(wire: Wire, key: str = KEY) -> dict[str, str]:
    """The header that carries the key, by the first of the wire's security schemes."""
    scheme = next(iter(openapi.security_schemes(wire).values()), None)
    match scheme:
        case {"type": "apiKey", "in": "header", "name": str(name)}:
            return {name: key}
        case {"type": "http", "scheme": "bearer"}:
            return {"authorization": f"Bearer {key}"}
        case _:
            return {}


def links() -> "Html":
    pages = (
        ("/", "Start"),
        ("/console/gallery", "Console"),
        ("/docs", "The APIs"),
        ("/openapi.json", "OpenAPI"),
        ("/readyz", "Readiness"),
    )
    return tag("nav", *spaced(tag("a", text, href=path) for path, text in pages))


def jobs_line(jobs: Mapping[State, int] | None) -> "Html":
    if jobs is None:
        return tag("section", tag("h2", "Jobs"), tag("p", "The store does not answer.", class_="notice"))
    counts = (tag("span", tag("b", f"{jobs[state]:,}"), f" {state}", class_="chip") for state in State)
    return tag("section", tag("h2", "Jobs"), tag("p", *spaced(counts)))


def account_state(relay: Relay) -> str:
    """What its breaker says; the reason of a failure is the operator's, in the log."""
    match relay.breaker.state:
        case "closed" if relay.breaker.seconds_left:
            return f"pauses for {relay.breaker.seconds_left:.0f} s, as its vendor asked"
        case "closed":
            return "in use"
        case "open":
            return f"left alone for {relay.breaker.seconds_left:.0f} s after failures in a row"
        case _:
            return "tried again after failures in a row"


# -- a schema, told to a reader ------------------------------------------------------------


def query_part(told: Json, schemas: Json) -> "Html":
    asked = [each for each in told.get("parameters", ()) if each["in"] == "query"]
    if not asked:
        return Html("")
    shape: Json = {
        "properties": {each["name"]: each["schema"] for each in asked},
        "required": [each["name"] for each in asked if each["required"]],
    }
    return tag("div", tag("h3", "Query"), field_table(shape, schemas))


def body_part(body: Json | None, schemas: Json) -> "Html":
    if body is None:
        return Html("")
    variants = body.get("discriminator", {}).get("mapping")
    if not variants:
        return tag("div", tag("h3", "Body"), field_table(openapi.resolve(body, schemas), schemas))
    name = body["discriminator"]["propertyName"]
    told = (
        tag(
            "details", tag("summary", tag("code", value)), field_table(openapi.resolve({"$ref": ref}, schemas), schemas)
        )
        for value, ref in variants.items()
    )
    return tag("div", tag("h3", "Body, by ", tag("code", name)), *told)


def answer_part(told: Json, schemas: Json) -> "Html":
    status, good = next(iter(told["responses"].items()))
    schema = good.get("content", {}).get("application/json", {}).get("schema")
    heading = tag("h3", f"Answer {status}")
    if schema is None:
        return tag("div", heading, tag("p", "No body."))
    variants = schema.get("anyOf") or [schema]
    return tag("div", heading, *(field_table(openapi.resolve(each, schemas), schemas) for each in variants))


def field_table(shape: Json, schemas: Json) -> "Html":
    rows = tuple(field_rows(shape, schemas))
    about = plain_description(shape)
    return Html("").join(
        [
            tag("p", about) if about else Html(""),
            table(("Field", "Type", "Bounds", "Default", ""), rows, "fields") if rows else tag("p", "No fields."),
            tag("p", "Other fields are refused.") if shape.get("additionalProperties") is False else Html(""),
        ]
    )


def field_rows(shape: Json, schemas: Json, prefix: str = "", around: tuple[str, ...] = ()) -> "Iterator[Html]":
    """A row for each field, and for the fields of the objects within, by their whole path."""
    required = shape.get("required", ())
    for name, schema in shape.get("properties", {}).items():
        path = f"{prefix}{name}"
        mark = tag("sup", " required") if name in required else Html("")
        yield tag(
            "tr",
            tag("td", tag("code", path), mark),
            tag("td", type_text(schema, schemas)),
            tag("td", bounds_text(schema, schemas)),
            tag("td", default_text(schema)),
            tag("td", schema.get("description", "")),
        )
        for ref, suffix in objects_in(schema):
            if ref not in around:  # a type that holds itself is told once
                inner = openapi.resolve({"$ref": ref}, schemas)
                yield from field_rows(inner, schemas, f"{path}{suffix}.", (*around, ref))


def members(schema: Json) -> list[Json]:
    """The kinds that a value may be of; null goes without saying where a field may be left out."""
    choices = schema.get("anyOf") or schema.get("oneOf")
    if not choices or "$ref" in schema:
        return [schema]
    return [member for each in choices if each.get("type") != "null" for member in members(each)]


def objects_in(schema: Json) -> Iterator[tuple[str, str]]:
    """References to the objects within a value, with how one gets there."""
    for member in members(schema):
        if "$ref" in member:
            yield member["$ref"], ""
        elif member.get("type") == "array":
            yield from ((ref, f"[]{suffix}") for ref, suffix in objects_in(member.get("items", {})))


def type_text(schema: Json, schemas: Json) -> "Html":
    texts: list[Html] = []
    for member in members(schema):
        text = member_text(member, schemas)
        if text not in texts:
            texts.append(text)
    return Html(" or ").join(texts)


def member_text(schema: Json, schemas: Json) -> "Html":
    if "$ref" in schema:
        inner = openapi.resolve(schema, schemas)
        return member_text(inner, schemas) if "enum" in inner else Html("object")
    if "enum" in schema:
        return Html("").join(spaced(tag("code", as_text(value)) for value in schema["enum"]))
    if schema.get("type") == "array":
        return Html("array of ") + type_text(schema.get("items", {}), schemas)
    return Html(escape(str(schema.get("type", "anything"))))


def bounds_text(schema: Json, schemas: Json) -> "Html":
    told = [bound for member in members(schema) for bound in bounds_of(member, schemas)]
    return Html("; ").join(dict.fromkeys(told))


def bounds_of(schema: Json, schemas: Json) -> "Iterator[Html]":
    pairs = (
        ("minimum", "maximum", ""),
        ("minLength", "maxLength", " characters"),
        ("minItems", "maxItems", " items"),
    )
    for low, high, unit in pairs:
        if text := span_text(schema.get(low), schema.get(high)):
            yield Html(escape(text + (unit.removesuffix("s") if text == "1" else unit)))
    if "format" in schema:
        yield Html(escape(schema["format"]))
    elif len(schema.get("pattern", "")) in range(1, PATTERN_SHOWN):
        yield tag("code", schema["pattern"])
    if schema.get("type") == "array" and (inner := bounds_text(schema.get("items", {}), schemas)):
        yield Html("each ") + inner


def span_text(low: float | None, high: float | None) -> str:
    match low, high:
        case None, None:
            return ""
        case _, None:
            return f"at least {low:,}"
        case None, _:
            return f"at most {high:,}"
        case _:
            return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def default_text(schema: Json) -> "Html":
    if schema.get("default") is None:
        return Html("")
    return tag("code", as_text(schema["default"]))


def as_text(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def plain_description(shape: Json) -> str:
    return " ".join(shape.get("description", "").replace("`", "").split())


# -- HTML ----------------------------------------------------------------------------------


class Html(str):
    """Text that is markup already; every other text is escaped on its way in."""

    __slots__ = ()

    def __add__(self, other: str) -> "Html":
        return Html(str(self) + escape(other))

    def join(self, parts: Iterable[str], /) -> "Html":
        return Html(str(self).join(escape(part) for part in parts))


def escape(text: str) -> str:
    return text if isinstance(text, Html) else html.escape(text)


def tag(name: str, *children: str, **attributes: str) -> Html:
    said = "".join(f' {key.rstrip("_")}="{html.escape(value)}"' for key, value in attributes.items())
    return Html(f"<{name}{said}>{Html('').join(children)}</{name}>")


def spaced(parts: Iterable[Html]) -> Iterator[Html]:
    """With a space between them, so that a line can break there."""
    for part in parts:
        yield part
        yield Html(" ")


def table(heads: Iterable[str], rows: Iterable[Html], kind: str = "plain") -> Html:
    head = tag("thead", tag("tr", *(tag("th", each) for each in heads)))
    return tag("div", tag("table", head, tag("tbody", *rows), class_=kind), class_="wide")


STYLE = """
:root { color-scheme: light dark; --ink: light-dark(#1d2127, #dfe3e8); --dim: light-dark(#5d6672, #98a2ae);
  --line: light-dark(#dfe3e8, #30363d); --soft: light-dark(#f5f6f8, #1b2027); --paper: light-dark(#fff, #12161b);
  --link: light-dark(#0b5cad, #79b8ff); --get: light-dark(#14713f, #56d08b); --post: light-dark(#0b5cad, #79b8ff);
  --delete: light-dark(#b3261e, #ff8a80); --warn: light-dark(#fff4d6, #3a2f10); }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.25rem 5rem; max-width: 68rem; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, sans-serif; }
h1 { font-size: 1.9rem; margin: 0 0 .5rem; letter-spacing: -.01em; }
h1 small { color: var(--dim); font-size: .95rem; font-weight: 400; }
h2 { font-size: 1.25rem; margin: 2.5rem 0 .5rem; }
h3 { font-size: .95rem; margin: 1.25rem 0 .25rem; color: var(--dim); }
p { margin: .5rem 0; }
.lead { max-width: 44rem; }
a { color: var(--link); }
nav { margin: 1rem 0; }
nav a { margin-right: 1rem; }
code, pre { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; font-size: .86em; }
td code { white-space: nowrap; }
p code, summary code { overflow-wrap: anywhere; }
.fields { min-width: 44rem; }
.fields th:nth-child(1) { width: 13rem; } .fields th:nth-child(2) { width: 20rem; }
.fields th:nth-child(3) { width: 13rem; } .fields th:nth-child(4) { width: 5rem; }
pre { background: var(--soft); border: 1px solid var(--line); border-radius: 6px; padding: .8rem 1rem; overflow-x: auto;
  line-height: 1.5; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; }
th { text-align: left; color: var(--dim); font-weight: 500; }
th, td { padding: .4rem .9rem .4rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
sup { color: var(--dim); font-size: .75rem; vertical-align: baseline; }
.chip { display: inline-block; background: var(--soft); border: 1px solid var(--line); border-radius: 99px;
  padding: 0 .6rem; font-size: .86rem; white-space: nowrap; }
s.chip { color: var(--dim); background: none; }
.notice { background: var(--warn); border-radius: 6px; padding: .6rem 1rem; }
details { border-bottom: 1px solid var(--line); }
details details { margin-left: 1rem; }
summary { cursor: pointer; padding: .45rem 0; }
summary:hover { background: var(--soft); }
.route > summary { display: grid; grid-template-columns: .7rem 4rem minmax(14rem, 26rem) 1fr; gap: .75rem;
  align-items: baseline; }
.route > summary::before { content: "▸"; color: var(--dim); }
.route[open] > summary::before { content: "▾"; }
.route[open] { padding-bottom: 1rem; }
.method { font-size: .78rem; letter-spacing: .04em; }
.get { color: var(--get); } .post { color: var(--post); } .delete { color: var(--delete); }
.what { color: var(--dim); }
@media (max-width: 46rem) { .route > summary { grid-template-columns: .7rem 4rem 1fr; }
  .what { grid-column: 3 / -1; } }
"""
STYLE_DIGEST = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
GUARD = {
    "content-security-policy": f"default-src 'none'; style-src 'sha256-{STYLE_DIGEST}'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}


def as_page(title: str, *parts: Html, kept: Mapping[str, str]) -> Response:
    head = Html("").join(
        [
            Html('<meta charset="utf-8">'),
            tag("title", title),
            Html('<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">'),
            Html(f"<style>{STYLE}</style>"),
        ]
    )
    text = "<!doctype html>\n" + tag("html", tag("head", head), tag("body", tag("main", *parts)), lang="en")
    return Response(text.encode(), media_type="text/html", headers={**GUARD, **kept})


def as_json(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    guarded = {"x-content-type-options": "nosniff", **(headers or {})}
    return Response(msgspec.json.encode(value), status, guarded, "application/json")
