"""The bounds of every field, tried at their edges, and our own published description, held against the answers."""

import asyncio
import json
import random
import re
import socket
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import AbstractAsyncContextManager
from functools import cache
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import httpx
import hypothesis
import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, strategies
from msgspec import inspect
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    positive_data_acceptance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from local_settings import settings
from mutoscope.app import App
from mutoscope.model.http import HttpRequest
from mutoscope.model.job import State
from mutoscope.model.problem import Problem
from mutoscope.service.gateway import shortened
from mutoscope.service.keys import digest
from mutoscope.web import openapi, pages
from mutoscope.web.openapi import PLACEHOLDER, required_of
from mutoscope.wirekit.routes import Create, Read, Route, TakeFile, TakeRaw
from mutoscope.wirekit.wire import Wire
from mutoscope.wires.freepik.models import TABLE
from sampled import ALL

Start = Callable[..., AbstractAsyncContextManager]

MAX_LINK = 2048
LONG = 100_000  # texts of more characters are tried once for each kind of file, not wherever they could stand
AT_ONCE = 64  # requests under way, so that creates share their commits

# -- bodies at the edges of what the annotations allow ------------------------------------


class Edge(NamedTuple):
    """A value just inside or just outside a bound; `says` is what the bound is."""

    value: Any
    fits: bool
    says: str


class Attempt(NamedTuple):
    """A body in which one field is at an edge."""

    body: Any
    field: str
    fits: bool
    says: str


SAMPLES = (
    "A lighthouse at dusk",
    "https://a.b/c",
    "data:image/png;base64,",
    "data:video/mp4;base64,",
    "data:audio/wav;base64,",
    "picture.png",
    "2026-01-31",
    "castle",
    "1 R",
    "google/nano-banana",
    "5s",
    "1:1",
    "01890a5d-ac96-474b-bcce-b302099a8057",
    "chirp-v4",
    *("1x1", "512x1536", "2048x2048", "ASPECT_1_1", "RESOLUTION_512_1536", "80S_ILLUSTRATION", "model/a/version/1"),
    *("#", "a"),
)
"""Texts that between them match every pattern; longer ones are made from them."""

KINDS = (
    ({}, "an object"),
    ([], "an array"),
    ("no such value", "a text"),
    (1.5, "a fraction"),
    (True, "a truth value"),
    (None, "null"),
)


def attempts(type: inspect.Type) -> Iterator[Attempt]:
    """Every edge of every field of a body, in each of its variants."""
    for variant, needs in variants(type):
        whole = smallest(variant, needs)
        yield Attempt(whole, "", fits=True, says=f"{title(variant)}, the smallest body")
        yield from unknown_key(variant, whole)
        for field in variant.fields:
            name = field.encode_name
            if field.required:
                yield Attempt(without(whole, name), name, fits=False, says=f"{title(variant)}.{name} left out")
            for edge in edges(field.type):
                body = without(whole, *rivals(name, needs)) | {name: edge.value}
                fits = edge.fits and not (edge.value is None and name in required_of(needs))
                yield Attempt(body, name, fits, f"{title(variant)}.{name}: {edge.says}")


def variants(type: inspect.Type) -> Iterator[tuple[inspect.StructType, dict[str, Any]]]:
    """The structs that a body may be, with what its annotation says of them beside the fields."""
    match type:
        case inspect.StructType():
            yield type, {}
        case inspect.Metadata():
            yield from ((struct, type.extra_json_schema or {}) for struct, _ in variants(type.type))
        case inspect.UnionType():
            for each in type.types:
                yield from variants(each)
        case _:
            raise TypeError(f"a body is an object, not {type}")


def title(struct: inspect.StructType) -> str:
    return str(struct.tag or struct.cls.__name__)


def unknown_key(struct: inspect.StructType, whole: dict[str, Any]) -> Iterator[Attempt]:
    strict = struct.forbid_unknown_fields
    yield Attempt(whole | {"noSuchKey": 1}, "noSuchKey", not strict, f"{title(struct)}, a key that nobody knows")


def smallest(struct: inspect.StructType, needs: dict[str, Any], turn: int = 0) -> dict[str, Any]:
    """An object with only what must be there."""
    tag = {struct.tag_field: struct.tag} if struct.tag_field else {}
    wanted = {field.encode_name for field in struct.fields if field.required} | set(required_of(needs))
    fields = {field.encode_name: sample(field.type, turn) for field in struct.fields if field.encode_name in wanted}
    return tag | fields


def rivals(name: str, needs: dict[str, Any]) -> set[str]:
    """The fields that cannot stand beside this one."""
    sets = [set(each["required"]) for each in needs.get("oneOf", ())]
    return set().union(*sets) - {name} if any(name in each for each in sets) else set()


def without(body: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in names}


def sample(type: inspect.Type, turn: int = 0) -> Any:
    """Some value that fits; `turn` tells the items of an array apart."""
    return sample_of(*unwrapped(type), turn)


def sample_of(type: inspect.Type, extra: dict[str, Any], turn: int) -> Any:
    if "examples" in extra:  # their members go together by a rule that no schema says
        return extra["examples"][turn % len(extra["examples"])]
    match type:
        case inspect.UnionType():
            return sample(next(each for each in type.types if not isinstance(each, inspect.NoneType)), turn)
        case inspect.StructType():
            return smallest(type, extra, turn)
        case inspect.LiteralType():
            return type.values[turn % len(type.values)]
        case inspect.StrType():
            return shortest(type, extra)
        case inspect.IntType() | inspect.FloatType():
            return type.ge if type.ge is not None else 1
        case inspect.BoolType():
            return True
        case inspect.DictType():
            return {"one": sample(type.value_type, turn)}
        case inspect.AnyType():
            return "anything"
        case inspect.VarTupleType() | inspect.ListType():
            return items(type, max(1, type.min_length or 0))
        case _:
            raise TypeError(f"no sample of {type}")


def items(type: inspect.VarTupleType | inspect.ListType, count: int) -> list[Any]:
    return [sample(type.item_type, turn) for turn in range(count)]


def edges(type: inspect.Type) -> Iterator[Edge]:
    """Values at the bounds of a type, within and without, and of kinds that it is not."""
    members = [unwrapped(each) for each in flat(type)]
    for member, extra in members:
        yield from edges_of(member, extra)
    for value, says in KINDS:
        if not any(takes(member, value) for member, _ in members):
            yield Edge(value, fits=False, says=f"{says} instead")


def flat(type: inspect.Type) -> Iterator[inspect.Type]:
    inner, _ = unwrapped(type)
    if isinstance(inner, inspect.UnionType):
        for each in inner.types:
            yield from flat(each)
    else:
        yield type


def unwrapped(type: inspect.Type) -> tuple[inspect.Type, dict[str, Any]]:
    extra: dict[str, Any] = {}
    while isinstance(type, inspect.Metadata):
        extra |= type.extra_json_schema or {}
        type = type.type
    return type, extra


def takes(type: inspect.Type, value: Any) -> bool:
    """Whether a value of this JSON kind may be of the type."""
    match type:
        case inspect.AnyType():
            return True
        case inspect.NoneType():
            return value is None
        case inspect.StrType():
            return isinstance(value, str)
        case inspect.FloatType():
            return isinstance(value, float)
        case inspect.BoolType():
            return isinstance(value, bool)
        case inspect.StructType() | inspect.DictType():
            return isinstance(value, dict)
        case inspect.VarTupleType() | inspect.ListType():
            return isinstance(value, list)
        case _:
            return False


def edges_of(type: inspect.Type, extra: dict[str, Any]) -> Iterator[Edge]:
    match type:
        case inspect.AnyType():
            return
        case inspect.NoneType():
            yield Edge(None, fits=True, says="null")
        case inspect.BoolType():
            yield from (Edge(value, fits=True, says=str(value)) for value in (True, False))
        case inspect.LiteralType():
            yield from (Edge(value, fits=True, says=str(value)) for value in (type.values[0], type.values[-1]))
        case inspect.IntType() | inspect.FloatType():
            yield from number_edges(type)
        case inspect.StrType():
            yield from text_edges(type, extra)
        case inspect.VarTupleType() | inspect.ListType():
            yield from list_edges(type, extra)
        case inspect.DictType():
            for each in edges(type.value_type):
                yield Edge({"one": each.value}, each.fits, f"one: {each.says}")
        case inspect.StructType():
            yield from struct_edges(type, extra)
        case _:
            raise TypeError(f"no edges of {type}")


def number_edges(type: inspect.IntType | inspect.FloatType) -> Iterator[Edge]:
    step = 1 if isinstance(type, inspect.IntType) else 0.001
    if type.ge is not None:
        yield Edge(type.ge, fits=True, says=f"{type.ge}, the least")
        yield Edge(type.ge - step, fits=False, says=f"{type.ge - step}, too little")
    if type.le is not None:
        yield Edge(type.le, fits=True, says=f"{type.le}, the most")
        yield Edge(type.le + step, fits=False, says=f"{type.le + step}, too much")


def text_edges(type: inspect.StrType, extra: dict[str, Any]) -> Iterator[Edge]:
    least, most = type.min_length or 0, type.max_length
    yield Edge(shortest(type, extra), fits=True, says="a text that fits")
    if least:
        yield from inside(least, type, extra)
        yield Edge("x" * (least - 1), fits=False, says=f"{least - 1} characters, too few")
    if most is not None:
        yield from inside(most, type, extra)
        long = text_of(most + 1, pattern_of(type, extra)) or "x" * (most + 1)
        yield Edge(long, fits=False, says=f"{most + 1} characters, too many")
    if pattern_of(type, extra):
        yield Edge("\N{SNOWMAN} no such form", fits=False, says="a text of another form")


def inside(length: int, type: inspect.StrType, extra: dict[str, Any]) -> Iterator[Edge]:
    text = text_of(length, pattern_of(type, extra))
    if text is not None:
        yield Edge(text, fits=True, says=f"{length} characters, just inside")


def pattern_of(type: inspect.StrType, extra: dict[str, Any]) -> str | None:
    return type.pattern or extra.get("pattern")


@cache
def text_of(length: int, pattern: str | None) -> str | None:
    """A text of so many characters and the right form, where there is one."""
    return next((each for each in texts_of(length) if whole(each) and re.search(pattern or "", each)), None)


def texts_of(length: int) -> Iterator[str]:
    for each in SAMPLES:
        if length > MAX_LINK and each.startswith("http"):
            continue  # links are bounded more closely than data
        yield (each + "A" * length)[:length]
        yield (each + "a" * length)[:length]
        yield ("a" * length + each)[-length:]


def whole(text: str) -> bool:
    """A data URI holds something that can be decoded."""
    head, comma, data = text.partition(";base64,")
    return not head.startswith("data:") or (bool(comma) and len(data) > 0 and len(data) % 4 != 1)


def shortest(type: inspect.StrType, extra: dict[str, Any]) -> str:
    pattern = pattern_of(type, extra)
    found = (text_of(length, pattern) for length in range(max(1, type.min_length or 0), 300))
    return next(text for text in found if text is not None)


def list_edges(type: inspect.VarTupleType | inspect.ListType, extra: dict[str, Any]) -> Iterator[Edge]:
    least, most = type.min_length or 0, type.max_length
    if "examples" in extra:
        yield from (Edge(each, fits=True, says=f"example {n}") for n, each in enumerate(extra["examples"]))
        yield from (Edge(items(type, n), fits=False, says=f"{n} items, too few") for n in range(least))
        yield from (Edge([e.value], fits=False, says=f"[0]: {e.says}") for e in edges(type.item_type) if not e.fits)
        return
    yield Edge(items(type, least), fits=True, says=f"{least} items, the least")
    if least:
        yield Edge(items(type, least - 1), fits=False, says=f"{least - 1} items, too few")
    if most is not None:
        yield Edge(items(type, most), fits=True, says=f"{most} items, the most")
        yield Edge(items(type, most + 1), fits=False, says=f"{most + 1} items, too many")
    rest = items(type, least)[1:]
    yield from (Edge([each.value, *rest], each.fits, f"[0]: {each.says}") for each in edges(type.item_type))


def struct_edges(struct: inspect.StructType, needs: dict[str, Any]) -> Iterator[Edge]:
    for attempt in attempts_within(struct, needs):
        yield Edge(attempt.body, attempt.fits, attempt.says)


def attempts_within(struct: inspect.StructType, needs: dict[str, Any]) -> Iterator[Attempt]:
    return attempts(inspect.Metadata(type=struct, extra_json_schema=needs))


def is_long(attempt: Attempt) -> bool:
    return any(len(text) > LONG for text in texts(attempt.body))


def texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for each in value.values():
                yield from texts(each)
        case list():
            for each in value:
                yield from texts(each)


# -- the vendors' ways to name a field -------------------------------------------------------


def named(answer: Any) -> set[str]:
    """The fields of the body that an error answer complains about."""
    params = {each["name"].partition(".")[0] for each in answer.get("invalid_params", ())}
    coded, error = answer.get("base_resp", {}), answer.get("error")
    alone = error if isinstance(error, str) and len(answer) == 1 else ""  # Ideogram's
    if text := coded.get("status_msg") or (error.get("message") if isinstance(error, dict) else alone):
        return {re.split(r"[.\[ :]", part)[0] for part in text.removeprefix("invalid params, ").split("; ")}
    params |= {re.split(r"[.\[]", each["field"])[0] for each in answer.get("invalid_fields", ())}
    if answer.get("type") == "upstream_error":  # the proxy of Midjourney has one text
        return {re.split(r"[.\[: ]", part)[0] for part in answer["description"].split("; ")}
    if "request_id" in answer or answer.get("code") in ("invalid_request", "invalid_prompt"):
        # DashScope, Kling, Recraft, Suno and Udio have one text, in which every flaw begins with its path
        return {re.split(r"[.\[ :]", part)[0] for part in answer["message"].split("; ")}
    detail = answer.get("detail")
    if isinstance(detail, list):  # FastAPI's
        return {str(each["loc"][1]) for each in detail if len(each["loc"]) > 1}
    if "invalid_fields" in answer:
        return params
    if detail:  # one text as well
        text = detail["reason"] if isinstance(detail, dict) else detail
        return {re.split(r"[.\[: ]", part)[0] for part in text.split("; ")}
    issues = answer.get("issues", ())
    paths = {str(each["path"][0]) for each in issues if each["path"]}
    return params | paths | {key for each in issues for key in each.get("keys", ())}


# -- the tests -----------------------------------------------------------------------------------

TIED = {
    *("/v1/ideogram-v3/generate", "/ideogram-v3/generate", "/v1/ideogram-v3/remix", "/v1/edit"),
    *("/v1/ideogram-v4/generate", "/v1/ideogram-v4/remix", "/v1/ideogram-v4/async/generate"),
    *("/v1/videos/text2video", "/v1/videos/image2video", "/v1/videos/lip-sync", "/v1/flux-3-video", "/v1/finetune"),
    *("/v1/ai/image-to-video/kling-std", "/fal/cdn/files/upload/multipart"),
    *("/v1/video_generation", "/v2/video_generation", "/v2/video_regeneration", "/v1/image_generation"),
    *(
        f"/runway/{version}pro/{name}"
        for version in ("", "v1/")
        for name in ("generate", "video2video", "act_one", "aleph")
    ),
}
"""What a member may be depends on others, or on an earlier job, or has to be a link, or there is none. Their bounds are
held by tests/wires: test_kling.py, test_flux.py, test_freepik_catalogue.py, test_ideogram.py, test_minimax.py and
test_runway_reverse.py."""
BODIES = [
    (wire, route)
    for wire in ALL
    for route in wire.routes
    if route.body is not None
    and wire.words is None
    and not isinstance(route, TakeFile | TakeRaw | Read)  # a form with a file, or an id, and nothing else
    and not (isinstance(route, Create) and route.hangs)  # on a task that is not there
]
"""But for those of vendors with words, whose members hang together and whose models' names are free: their bounds are
tried in tests/wires, and their operations below."""
OWN = [
    (wire, route)
    for n, (wire, route) in enumerate(BODIES)
    if route.body not in [r.body for _, r in BODIES[:n]] and route.path not in TIED
]
"""Without the routes of one wire that take what an earlier route takes."""


@pytest.fixture
async def client(start: Start, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[httpx.AsyncClient]:
    """A server that takes jobs and makes none: what is asked here is whether it takes them."""
    monkeypatch.setattr("mutoscope.web.server.MAX_WAIT", 0.01)
    early = {"fal": {"dialect": "early"}}  # the other one takes any body, and refuses it as the result
    async with start(rehearsal=True, inputs={"probe": "never"}, script={"slots": 0}, wires=early) as running:
        yield running.client


@pytest.mark.parametrize(("wire", "route"), OWN, ids=[route.path for _, route in OWN])
async def test_bodies_are_taken_up_to_each_bound_and_refused_beyond_it(
    client: httpx.AsyncClient, wire: Wire, route: Route
) -> None:
    tries = [each for each in attempts(inspect.type_info(route.body)) if not is_long(each)]
    assert {each.fits for each in tries} == {True, False}
    wrong = await verdicts(client, wire, route, tries)
    assert not wrong, f"{len(wrong)} of {len(tries)}:\n" + "\n".join(wrong[:20])


@pytest.mark.parametrize("wire", ALL, ids=[wire.name for wire in ALL])
async def test_inline_files_are_taken_up_to_their_bound_and_refused_beyond_it(
    client: httpx.AsyncClient, wire: Wire
) -> None:
    """Megabytes: each form and length once."""
    seen: set[tuple[str, int]] = set()
    for route in (route for wires, route in BODIES if wires is wire):
        tries: list[Attempt] = []
        for attempt in filter(is_long, attempts(inspect.type_info(route.body))):
            longest = max(texts(attempt.body), key=len)
            if (mark := (longest[:12], len(longest))) not in seen:
                seen.add(mark)
                tries.append(attempt)
        assert not await verdicts(client, wire, route, tries)


async def verdicts(client: httpx.AsyncClient, wire: Wire, route: Route, tries: Iterable[Attempt]) -> list[str]:
    turns = asyncio.Semaphore(AT_ONCE)

    async def verdict_of(attempt: Attempt) -> str | None:
        async with turns:
            headers = {"content-type": "application/json", **wire.headers, **route.headers}
            body = json.dumps(attempt.body).encode()
            path = f"/{wire.name}{route.path}" if route.at in SHARED else route.path
            return verdict(attempt, await client.request(route.method, at(path), content=body, headers=headers))

    return [text for text in await asyncio.gather(*map(verdict_of, tries)) if text]


NAMES = {"owner": "black-forest-labs", "name": "flux-schnell"}
OWNERS = Counter(each for wire in ALL for each in {route.at for route in wire.routes})
SHARED = {at for at, owners in OWNERS.items() if owners > 1}
"""Requests that several vendors have: a claim tells whose one is; below the name of a wire each is its own."""
PATHS = Counter(each for wire in ALL for each in {route.path for route in wire.routes})


def at(path: str) -> str:
    """A path with something in each of its places."""
    return PLACEHOLDER.sub(lambda match: places(path)[match[1]], path)


def places(path: str) -> dict[str, str]:
    names = NAMES | {"app": "flux/schnell" if path.startswith("/fal-ai/") else "fal-ai/flux/schnell"}
    return {name: names.get(name, "1") for name in PLACEHOLDER.findall(path)}


OF_EARLIER = ("There is no task", " makes at most ", "There is no model '", "song_id: is required with mode ")
"""In the answer to a body that is fine but for what it names, which is not here (an earlier task, an open model), or is
too long for its model."""


def verdict(attempt: Attempt, answer: httpx.Response) -> str | None:
    """What is wrong with an answer, if anything."""
    told = f"{attempt.says} → {answer.status_code} {answer.text[:300]}"
    if attempt.fits:
        past = any(words in answer.text for words in OF_EARLIER)
        waited = answer.status_code == 504  # taken, and not made here
        return None if past or waited or (answer.is_success and not refused(answer)) else told
    if not refused(answer):
        return told
    return None if attempt.field in named(answer.json()) else f"{told} does not name {attempt.field}"


def refused(answer: httpx.Response) -> bool:
    """By the status, or by the code that stands in its place."""
    return answer.is_client_error or '"status_code":2013' in answer.text


# -- several faults at once ------------------------------------------------------------------

UNDECODABLE = "data:image/png;base64,AAAAA"
TOGETHER = 4  # fields that are changed at once, at most
SUBMISSIONS = [(wire, route) for wire, route in BODIES if isinstance(route, Create) and route.path not in TIED]


class Member(NamedTuple):
    """A field of a body, however deep in it, and what may be tried there."""

    path: tuple[str, ...]
    values: tuple[Any, ...]
    either: frozenset[tuple[str, ...]]  # itself and others of which one is needed: their verdicts depend on each other


def members(struct: inspect.StructType, needs: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[Member]:
    groups = [name for rule in ("anyOf", "oneOf") for each in needs.get(rule, ()) for name in each["required"]]
    for field in struct.fields:
        at = (*path, field.encode_name)
        inner = [unwrapped(each) for each in flat(field.type) if not isinstance(each, inspect.NoneType)]
        match inner:
            case [(inspect.StructType(tag_field=None) as part, rules)]:
                yield from members(part, rules, at)
            case _:
                either = frozenset((*path, name) for name in groups) if field.encode_name in groups else frozenset()
                values = [
                    edge.value for edge in edges(field.type) if max(map(len, texts(edge.value)), default=0) < 9999
                ]
                yield Member(at, (*values, UNDECODABLE), either)


def changed(body: dict[str, Any], path: tuple[str, ...], value: Any) -> dict[str, Any]:
    first, *rest = path
    return body | {first: changed(body.get(first) or {}, tuple(rest), value) if rest else value}


def flaws_at(wire: Wire, route: Route, body: dict[str, Any], path: tuple[str, ...]) -> set[str]:
    """What is said of a field."""
    assert route.parse
    headers = {name.lower(): value for name, value in (wire.headers | route.headers).items()}
    try:
        told = json.dumps(body).encode()
        params = places(route.path)
        route.parse(HttpRequest(method="POST", path=route.path, params=params, body=told, headers=headers))
    except Problem as problem:
        return {repr(flaw) for flaw in problem.flaws if flaw.path[: len(path)] == path}
    return set()


@pytest.mark.parametrize(("wire", "route"), SUBMISSIONS, ids=[route.path for _, route in SUBMISSIONS])
def test_what_is_said_of_a_field_does_not_depend_on_the_others(wire: Wire, route: Route) -> None:
    """Several fields are changed at once, and each is judged as it is when it is changed alone: so whoever mends one
    fault meets no new one, and a good value is not blamed for another's fault."""
    chance = random.Random(route.path)
    for struct, needs in variants(inspect.type_info(route.body)):
        least, fields = smallest(struct, needs), list(members(struct, needs))
        for _ in range(20):
            picked = chance.sample(fields, min(len(fields), chance.randint(2, TOGETHER)))
            if any(one.path in other.either for one in picked for other in picked if one is not other):
                continue
            values = [chance.choice(field.values) for field in picked]
            body = least
            for field, value in zip(picked, values, strict=True):
                body = changed(body, field.path, value)
            for field, value in zip(picked, values, strict=True):
                alone = flaws_at(wire, route, changed(least, field.path, value), field.path)
                assert flaws_at(wire, route, body, field.path) == alone, (struct.tag, body)


def test_a_relays_own_ratio_is_not_blamed_for_a_bad_duration() -> None:
    """The values of a field may be told by two lists; each of them is good."""
    wire, route = next((wire, route) for wire, route in SUBMISSIONS if route.path == "/runwayml/v1/image_to_video")
    body = {"model": "gen3a_turbo", "promptImage": "https://a.example/a.png", "ratio": "1280:768", "duration": 7}
    assert not flaws_at(wire, route, body, ("ratio",))
    assert flaws_at(wire, route, body, ("duration",))
    [flaw] = flaws_at(wire, route, body | {"ratio": "1:1"}, ("ratio",))
    assert "('16:9', '9:16', '1280:768', '768:1280')" in flaw


# -- our own description, held against the answers ---------------------------------------------

KEY = "a key of this test"


def published() -> dict[str, Any]:
    """Our own description without its security: a key goes with every request here."""
    document = openapi.build(ALL, title="mutoscope", version="0")
    for each in openapi.operations(document):
        del each.spec["security"]
    return document


def quickened(value: Any, pattern: str | None) -> Any:
    """A description whose long patterns have become the given one, or none: to draw from an address with its ports and
    IPv6 a thousand times takes minutes, and says no more than what is drawn from it once (test_freepik.py)."""
    match value:
        case {"pattern": str(long)} if len(long) > LONG_PATTERN and long.startswith(("^[Hh]", "^([Hh]")):
            return {name: each for name, each in value.items() if name != "pattern"} | (
                {"pattern": pattern} if pattern else {}
            )
        case dict():
            return {name: quickened(each, pattern) for name, each in value.items()}
        case list():
            return [quickened(each, pattern) for each in value]
        case _:
            return value


def operations_of(document: dict[str, Any]) -> dict[str, Any]:
    return {each.ok().label: each.ok() for each in schemathesis.openapi.from_dict(document).get_all_operations()}


LONG_PATTERN = 500
OPERATIONS = operations_of(quickened(published(), "^https://[a-z]{1,9}\\.example/[a-z]{1,9}$"))
SPOILED = operations_of(quickened(published(), None))
"""What bodies are spoiled by: a text in the place of a link is refused as well, so that no pattern is needed."""
ALWAYS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
)
EXACT = "freepik"
"""The wire whose description says all; no schema can say whether an upload exists or a data URI can be decoded."""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of its own on loopback, behind a real socket, that asks for a key."""
    keys = [{"name": "tester", "sha256": digest(KEY)}]
    data = tmp_path_factory.mktemp("contract")
    app = App(settings(inputs={"probe": "never"}, script={"slots": 0}, keys=keys), data=data, rehearsal=True)
    with socket.socket() as listener, pytest.MonkeyPatch.context() as patched:
        patched.setattr("mutoscope.web.server.MAX_WAIT", 0.01)
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        server = uvicorn.Server(uvicorn.Config(app.server, lifespan="on", log_config=None))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def caller(address: str) -> Iterator[httpx.Client]:
    """One for all: each would load the certificates anew, which takes longer than what it asks."""
    with httpx.Client(base_url=address) as caller:
        yield caller


def key_headers(tag: str) -> dict[str, str]:
    wire = next(wire for wire in ALL if wire.name == tag)
    return {name: value.replace(pages.KEY, KEY) for name, value in pages.key_header(wire).items()}


def is_quiet(operation: Any) -> bool:
    """Whether its errors have the status 200 too."""
    return any(wire.name == operation.tags[0] and operation.path.startswith(wire.quiet) for wire in ALL)


def shape(operation: Any) -> str:
    """What its vendor takes and answers there, which many paths of a vendor have in common."""
    told = operation.definition.raw
    query = [each for each in told.get("parameters", ()) if each["in"] != "path"]
    parts = (operation.tags, operation.method, told.get("requestBody"), query, told["responses"])
    return re.sub(r'"description": "[^"]*"', "", json.dumps(parts, sort_keys=True))


TRIES = [
    (label, mode)
    for label, operation in {shape(each): (label, each) for label, each in OPERATIONS.items()}.values()
    for mode in (GenerationMode.POSITIVE, *([GenerationMode.NEGATIVE] if operation.body else []))
]


LONGEST_HOST = 253
FORMS_OF_FILES = {
    f"{route.method} {path}"
    for wire in ALL
    for route in wire.routes
    if isinstance(route, TakeFile)
    for path in (route.path, f"/{wire.name}{route.path}")
}


@pytest.mark.parametrize(("label", "mode"), TRIES, ids=[f"{label} {mode.value}" for label, mode in TRIES])
@hypothesis.settings(max_examples=6, suppress_health_check=list(HealthCheck))
@hypothesis.given(data=strategies.data())
def test_answers_are_as_the_published_description_says(
    label: str, mode: GenerationMode, address: str, data: strategies.DataObject
) -> None:
    """Bodies, queries and ids made at random from the description, and bodies that break it."""
    operation = (OPERATIONS if mode is GenerationMode.POSITIVE else SPOILED)[label]
    case = data.draw(operation.as_strategy(generation_mode=mode))
    if isinstance(case.body, dict) and case.body.get("sync") is True:
        case.body["sync"] = False  # nothing is made here, and it would be waited for
    address_named = urlsplit(str((case.headers or {}).get("x-mutoscope-webhook", ""))).netloc
    if len(address_named) > LONGEST_HOST and case.headers:  # a pattern cannot say how long a whole host may be
        del case.headers["x-mutoscope-webhook"]
    # a form with a file has texts and no types: what JSON would call another type is a text like any other there
    spared = label in FORMS_OF_FILES or is_quiet(operation)
    checks = [*ALWAYS, *([] if spared else [negative_data_rejection])]
    if operation.tags[0] == EXACT and operation.path not in BETWEEN:
        checks.append(positive_data_acceptance)
    answer = case.call(base_url=address, headers=key_headers(operation.tags[0]))
    if answer.status_code == 504:  # taken, and waited for in vain: nothing is made here
        checks.remove(not_a_server_error)
    case.validate_response(answer, checks=checks)


BETWEEN = {
    f"/v1/ai/{path}"
    for sold in TABLE
    if sold.never or sold.needs or sold.narrows or sold.together or sold.lasting
    for path in sold.paths
}
"""Rules between members, which the description does not tell; tests/wires/test_freepik_catalogue.py holds them."""
KEYLESS = {route.at for wire in ALL for route in wire.routes if isinstance(route, Read) and route.keyless}
"""Reads that need no key, as the vendor has it: the id is the secret, and a wrong one names nothing."""


@pytest.mark.parametrize("label", OPERATIONS)
def test_without_a_key_every_operation_answers_as_described(label: str, caller: httpx.Client) -> None:
    operation = OPERATIONS[label]
    answer = caller.request(operation.method, at(operation.path))
    if label in KEYLESS:
        assert answer.status_code == (404 if "{id}" in label else 422)  # the id is left out
    else:
        denied = 403 if operation.tags[0] == "ideogram" and label.endswith(("/remix", "/upscale")) else 401
        assert answer.status_code == (200 if is_quiet(operation) else denied)
    operation.Case(path_parameters=places(operation.path)).validate_response(answer, checks=list(ALWAYS))


@pytest.mark.parametrize("label", OPERATIONS)
def test_another_method_is_refused_as_described_with_those_that_would_do(label: str, caller: httpx.Client) -> None:
    operation = OPERATIONS[label]
    headers = key_headers(operation.tags[0])
    other = "PATCH" if operation.method == "put" else "PUT"
    answer = caller.request(other, at(operation.path), headers=headers)
    kling = answer.status_code == 404 and answer.json().get("code") == 1202  # as Kling has it
    assert kling or answer.status_code == (200 if is_quiet(operation) else 405)
    assert operation.method.upper() in answer.headers["allow"].split(", ")
    if PATHS[operation.path] == 1:  # else the method does not tell whose words are due
        operation.Case(path_parameters=places(operation.path)).validate_response(answer, checks=list(ALWAYS))


ENDS = {
    "a lighthouse": State.SUCCEEDED,
    "fail refused not today": State.FAILED,
    "crash": State.FAILED,
    "sleep 60": State.CANCELED,
}
"""What a prompt of the scripted engine comes to; a job that would take too long is canceled."""
PICTURES = [(wire, route) for wire, route in BODIES if re.search("text[-_]to[-_]image", route.path)]


@pytest.mark.parametrize(("wire", "route"), PICTURES, ids=[route.path for _, route in PICTURES])
async def test_tasks_are_told_as_described_from_their_start_to_each_end(start: Start, wire: Wire, route: Route) -> None:
    create = OPERATIONS[f"POST {route.path}"]
    read = next(each for label, each in OPERATIONS.items() if label.startswith("GET") and reads(each, route, wire))
    example = next(each.example for each in openapi.operations(published()) if each.path == route.path)
    prompt = next(name for name in example if "prompt" in name)
    async with start(rehearsal=True) as running:
        for words, end in ENDS.items():
            made = await running.client.post(route.path, json=example | {prompt: words}, headers=wire.headers)
            create.Case().validate_response(made, checks=list(ALWAYS))
            task = made.json().get("data", made.json())
            public = task.get("task_id") or task["id"]
            job = wire.job_id(public)
            assert job

            async def check_read(id: str = public) -> None:
                answer = await running.client.get(read.path.replace("{id}", id), headers=wire.headers)
                assert answer.status_code == 200
                read.Case(path_parameters={"id": id}).validate_response(answer, checks=list(ALWAYS))

            await check_read()
            if end is State.CANCELED:
                await running.app.gateway.cancel(job)
            assert (await running.finished(job)).state is end
            await check_read()


def reads(operation: Any, route: Route, wire: Wire) -> bool:
    own = {f"{route.path}/{{id}}", *(each.path for each in wire.routes if each.path.endswith("/tasks/{id}"))}
    return operation.path in own


def test_a_large_body_is_shortened_without_holding_up_the_server() -> None:
    body = json.dumps({"prompt": 'a "quoted" word', "image": "A" * 16_000_000}).encode()
    before = time.process_time()
    kept = json.loads(shortened(body))
    assert time.process_time() - before < 1.0  # it took three seconds once
    assert kept["prompt"] == 'a "quoted" word'
    assert kept["image"].startswith("A" * 64 + "…[16000000 characters, sha256 ")
