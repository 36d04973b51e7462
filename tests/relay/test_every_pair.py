"""Every front whose create says a clip, a picture or an edit of a picture, onto every back that makes it.

A second mutoscope is every vendor at once. The suite runs a few pairs, in which each front and each back comes once;
`make pairs` runs all. What a front is asked is what its own back asks of it, or its published example.
"""

import base64
import io
import json
import os
import re
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from functools import cache
from itertools import product
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import httpx
from fault_proxy import FaultProxy
from msgspec.structs import replace
from PIL import Image

from conftest import QUICK, VendorHouse, World
from local_settings import settings
from mutoscope.app import App
from mutoscope.model import catalog
from mutoscope.model.catalog import Model
from mutoscope.model.http import HttpRequest
from mutoscope.model.job import Generation, Input, Job, Operation, Role, State
from mutoscope.model.problem import Kind, Problem
from mutoscope.web import openapi
from mutoscope.wirekit.back import Back, VendorRequest, Way
from mutoscope.wirekit.routes import Create
from mutoscope.wires import BY_NAME, ROWS

FILES: dict[Operation, tuple[Role, ...]] = {
    Operation.TEXT_TO_VIDEO: (),
    Operation.IMAGE_TO_VIDEO: (Role.FIRST_FRAME,),
    Operation.TEXT_TO_IMAGE: (),
    Operation.IMAGE_TO_IMAGE: (Role.IMAGE,),
    Operation.IMAGE_INPAINT: (Role.IMAGE, Role.MASK),
    Operation.IMAGE_OUTPAINT: (Role.IMAGE,),
    Operation.IMAGE_UPSCALE: (Role.IMAGE,),
    Operation.BACKGROUND_REMOVAL: (Role.IMAGE,),
    Operation.BACKGROUND_REPLACEMENT: (Role.IMAGE,),
    Operation.VECTORIZATION: (Role.IMAGE,),
}
"""What is tried, and what each starts from."""
NEEDED = {"mask_polarity": "black", "left": 64, "right": 64, "up": 64, "down": 64}
"""Without which some vendors make no edit."""
PICTURE = "https://media.example.net/in/boat.png"
A_LINK = r"https://example\.com/[^\"]+"  # in a published example
PROMPT = "a paper boat"
REFERENCE = "reference-of-ours"
PATIENT = QUICK | {"request_seconds": 60.0}  # some vendors answer when it is made, and machines are busy


IMPLIED = {"midjourney": ("count", "grid"), "ideogram": ("mask_polarity", "shrink"), "recraft": ("mask_polarity",)}
"""What a create says without a member for it: Midjourney's imagine makes four pictures and one of all, an edit's path
says what its mask shows, and Ideogram's reframe that the answer is as large as was asked."""


class Pair(NamedTuple):
    front: str
    back: str
    operation: Operation


def said_by(wire: str, operation: Operation) -> Iterator[tuple[Model, HttpRequest]]:
    """How the wire's own back asks for it: of each model, as little as it lets itself be asked."""
    back = BY_NAME[wire].back
    files = tuple(Input(role=role, field=role.value, url=PICTURE, media_type="image/png") for role in FILES[operation])
    for row in ROWS if back else ():
        names = row.names.get(wire, ())
        supported = back.supports(operation, names) if back and operation in row.serves else None
        if not back or supported is None:
            continue
        prompt = PROMPT if "prompt" in supported else None
        wish = Generation(operation=operation, model=row.name, prompt=prompt, inputs=files)
        needed = replace(wish, extra={name: value for name, value in NEEDED.items() if name in supported})
        for asked in (wish, catalog.complete(wish, row, remote=True), needed):
            order = VendorRequest(generation=asked, names=names, reference=REFERENCE)
            order = replace(order, sources={each.field: source(back, order, each) for each in files})
            try:
                back.check(order)
                request = next(back.submit(order))
            except Problem:
                continue
            if request.spends:
                yield row, replace(request, headers=back.sign("k:k", time.time()) | request.headers)
                break


def source(back: Back, order: VendorRequest, file: Input) -> str:
    """A link where the vendor takes one, else the picture itself: what a mask shows is white."""
    if Way.LINK in [each.way for each in back.ways(order, file)]:
        return PICTURE
    return data_uri(Role(file.field))


@cache
def data_uri(role: Role) -> str:
    file = io.BytesIO()
    picture = Image.linear_gradient("L").resize((640, 360))
    if role is Role.MASK:
        picture = Image.new("L", picture.size)
        picture.paste(255, (200, 100, 400, 260))
    picture.convert("RGB").save(file, "PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


@cache
def request_of(wire: str, operation: Operation) -> HttpRequest | None:
    """A create that the wire's front reads as this operation."""
    said = next((request for _, request in said_by(wire, operation)), None)
    return said or next((each for each in examples(wire) if made_of(wire, each) is operation), None)


@cache
def examples(wire: str) -> tuple[HttpRequest, ...]:
    """The published examples of its creates."""
    document = openapi.build((BY_NAME[wire],), title="", version="")
    json_type = {"content-type": "application/json"}
    return tuple(
        HttpRequest(
            method="POST",
            path=each.path,
            headers=json_type,
            body=re.sub(A_LINK, PICTURE, json.dumps(each.example)).encode(),
        )
        for each in openapi.operations(document)
        if each.method == "POST" and "{" not in each.path
    )


def made_of(wire: str, request: HttpRequest) -> Operation | None:
    route = next((each for each in BY_NAME[wire].routes if each.at == f"POST {request.path}"), None)
    try:
        read = route.parse(request) if isinstance(route, Create) else None
    except Problem:
        return None
    wish = read.generation if read and read.parent is None else None
    return wish.operation if wish and (wish.prompt or wish.input(Role.IMAGE)) else None


@cache
def words_at(wire: str, operation: Operation) -> tuple[str, ...]:
    """What the wire's back calls a model that makes this."""
    return next((row.names[wire] for row, _ in said_by(wire, operation)), ())


def pairs() -> Iterator[Pair]:
    for front, back, operation in product(BY_NAME, BY_NAME, FILES):
        if request_of(front, operation) and words_at(back, operation):
            yield Pair(front, back, operation)


def sample() -> list[Pair]:
    """As few as it takes for each front to come once, and each back once with a request that it cannot but take."""
    asked = {pair: request.body for pair in pairs() if (request := request_of(pair.front, pair.operation))}
    plain = {pair for pair, body in asked.items() if b"ratio" not in body and pair.front != "midjourney"}
    chosen: list[Pair] = []
    for both in (True, False):
        for pair in sorted(asked, key=lambda pair: (pair not in plain, pair.front == pair.back, len(asked[pair]))):
            new_front = pair.front not in {each.front for each in chosen}
            new_back = pair in plain and pair.back not in {each.back for each in chosen}
            if new_front and new_back if both else new_front or new_back:
                chosen.append(pair)
    return chosen


# -- the two of them -----------------------------------------------------------------------


def sell(app: App, pair: Pair) -> None:
    """Let the back have a name for each model, with the bounds and defaults of the one that it makes."""
    maker, words = next((row, row.names[pair.back]) for row, _ in said_by(pair.back, pair.operation))
    for row in reversed(ROWS):
        sold = replace(row, names={pair.back: words} | row.names)
        if pair.operation in row.serves and pair.back not in row.names:
            sold = replace(sold, defaults=maker.defaults, sizes=maker.sizes, max_seconds=maker.max_seconds)
        app.catalog.models[row.name] = sold
        app.catalog.words |= {(wire, word): sold for wire, each in row.names.items() for word in each}


@asynccontextmanager
async def all_vendors(folder: Path) -> AsyncIterator[World]:
    """A gateway with an account of every vendor, whose requests choose one by a header."""
    makers = {row.name: {"engine": "script"} for row in ROWS}
    house = VendorHouse(settings(models=makers, script={"slots": 64}), folder / "vendor")
    url = await house.start()
    proxy = FaultProxy(url)
    await proxy.start()
    backs = sorted({each.back for each in pairs()})
    accounts = {name: {"wire": name, "key": "k:k", "base_url": proxy.url} for name in backs}
    app = App(settings(accounts=accounts, relay=PATIENT), data=folder / "gateway", rehearsal=True)
    try:
        async with (
            app.running(),
            httpx.AsyncClient(transport=httpx.ASGITransport(app.server), base_url="http://gateway.test") as client,
        ):
            yield World(house, proxy, app, client)
    finally:
        await proxy.close()
        await house.stop()


async def outcome(it: World, pair: Pair, picture: str) -> str:
    """ "made", or the refusal. Raises AssertionError where anything was lost or spent on the way."""
    request = request_of(pair.front, pair.operation)
    assert request
    name = "-".join(pair)
    sell(it.app, pair)
    here, there = await jobs_of(it.app), await jobs_of(it.vendor)
    answer = await it.client.request(
        request.method,
        f"/{pair.front}{request.path}",
        content=put(request.body, {PICTURE: picture, quote(PICTURE, ""): quote(picture, ""), REFERENCE: name}),
        headers=request.headers | {"x-mutoscope-engine": pair.back, "idempotency-key": name},
    )
    assert answer.status_code < 500, (pair, answer.text)
    filed = [job for job in (await jobs_of(it.app)).values() if job.id not in here]
    if not filed:
        assert answer.status_code >= 400 or BY_NAME[pair.front].quiet, (pair, answer.text)
        assert (await jobs_of(it.vendor)).keys() == there.keys(), pair
        assert any(name in answer.text for name in members(pair.front, request)), (pair, answer.text)
        return answer.text
    job = await it.finished(filed[0].id, seconds=120.0)
    sent = [job for job in (await jobs_of(it.vendor)).values() if job.id not in there]
    if job.failure and job.failure.kind is Kind.UNSUPPORTED and not sent:  # its file has no way to this vendor
        assert job.failure.field in members(pair.front, request), pair
        return job.failure.message
    assert job.state is State.SUCCEEDED, (pair, job.failure)
    [made] = sent
    assert (made.wire, made.generation.operation) == (pair.back, pair.operation), pair
    unheard = any(
        "ignored: " in note and "prompt" in note for note in job.notes
    )  # by leave of the model's row, and said so
    assert unheard or (job.generation.prompt or "") in (made.generation.prompt or ""), pair
    assert len(made.generation.inputs) == len(FILES[pair.operation]), pair
    return "made"


def put(body: bytes, instead: dict[str, str]) -> bytes:
    for old, new in instead.items():
        body = body.replace(old.encode(), new.encode())
    return body


async def jobs_of(app: App) -> dict[str, Job]:
    return {job.id: job for job in await app.store.recent(limit=1000)}


def members(front: str, request: HttpRequest) -> list[str]:
    """By what a refusal may name what it is about: the members that the caller wrote."""
    wrote = re.findall(r'"([A-Za-z_]+)"(?::|;|\r)', request.body.decode("utf-8", "replace"))
    return [*wrote, *IMPLIED.get(front, ())]


async def run(chosen: Iterable[Pair], folder: Path, data: bytes) -> dict[Pair, str]:
    """What became of each; the shortest of what was refused and of what was lost."""
    found: dict[Pair, str] = {}
    async with all_vendors(folder) as it:
        link = await it.shown_to_all(data)
        for pair in chosen:
            found[pair] = await outcome(it, pair, link)
    return found


ALL = os.environ.get("PAIRS") == "all"
DOCUMENT = Path(__file__).parent.parent.parent / "docs" / "05-paid-jobs.md"


async def test_each_front_reaches_a_back_and_each_back_is_reached(tmp_path: Path, picture: bytes) -> None:
    """With PAIRS=all, every front reaches every back, or says by the caller's member why not."""
    chosen = list(pairs()) if ALL else sample()
    found = await run(chosen, tmp_path, picture)
    made = [pair for pair, what in found.items() if what == "made"]
    assert {each.front for each in found} == {each.front for each in pairs()}
    assert {each.back for each in made} == {each.back for each in pairs()}
    assert not ALL or {each.front for each in made} == {each.front for each in pairs()}
    refused = [f"{' '.join(pair)}: {what[:300]}" for pair, what in found.items() if what != "made"]
    print(f"{len(made)} made, {len(refused)} refused", *refused, sep="\n")


def test_the_pairs_are_counted_in_the_documents() -> None:
    told = DOCUMENT.read_text()
    assert all(row in told for row in table()), "\n".join(table())


def table() -> list[str]:
    """How many backs each front is tried on."""
    head = [f"| front | {' | '.join(each.replace('_', ' ') for each in FILES)} |", "| --- " * (1 + len(FILES)) + "|"]
    counted = [(front, [sum(pair[::2] == (front, each) for pair in pairs()) for each in FILES]) for front in BY_NAME]
    whole = ["all", [sum(counts[place] for _, counts in counted) for place in range(len(FILES))]]
    rows = [*((front, counts) for front, counts in counted if any(counts)), whole]
    return head + [f"| {front} | {' | '.join(str(each or '') for each in counts)} |" for front, counts in rows]
