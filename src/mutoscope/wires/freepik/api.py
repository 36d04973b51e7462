"""Freepik's AI API, since 2026 also Magnific's: one path per model, a task, `generated` links.

Read `MODELS` in `bodies.py` first, one row each, then the foot of this file. The vendor has no word for "stop" and no
reason for a failure; its lists tell ids and states, nothing else.
"""

import re
from collections.abc import Iterator
from itertools import count
from typing import Annotated, Any, cast, get_args
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace

from mutoscope.model.http import HttpRequest, HttpResponse, json_response
from mutoscope.model.job import Input, Json, MediaLimits, Role, State, Update
from mutoscope.model.problem import Kind, Problem
from mutoscope.model.requests import Page, Submission, UploadWish
from mutoscope.wirekit import task as kit
from mutoscope.wirekit.answers import STORE_KINDS, TaskId, ask, is_link, news_of, read_answer, refusal
from mutoscope.wirekit.back import Conversation, File, Order, Way
from mutoscope.wirekit.body import read_body, read_json
from mutoscope.wirekit.fields import FileField
from mutoscope.wirekit.flaws import pydantic
from mutoscope.wirekit.ids import from_uuid4_form
from mutoscope.wirekit.media import LINK, BadSource, source
from mutoscope.wirekit.paths import at, has
from mutoscope.wirekit.queries import read_query
from mutoscope.wirekit.routes import List, ListUploads, OpenUploads
from mutoscope.wirekit.task import Endpoint, Reading, TaskApi
from mutoscope.wires._wan import clip_limits
from mutoscope.wires.freepik.answers import (
    KEY_HEADERS,
    STATUSES,
    ErrorAnswer,
    TaskAnswer,
    TaskListAnswer,
    UploadAnswer,
    UploadListAnswer,
    answer_headers,
    credential,
    render_list,
    render_problem,
    render_upload_list,
    render_uploads,
    task,
    told,
)
from mutoscope.wires.freepik.bodies import (
    FIELDS,
    MODELS,
    OTHER_MODEL,
    PUBLISHED,
    VENDOR,
    UploadRequest,
    UploadType,
)

ROOT = "/v1/ai/"

# -- asking ----------------------------------------------------------------------

PLACEHOLDER = "<string>"
"""What the vendor's own documentation shows for a URL that is not sent; people post its examples as they stand."""
LINKS = ("start_image_url", "end_image_url", "audio_url", "video_url", "webhook_url")


def parse(endpoint: Endpoint, request: HttpRequest) -> Submission:
    """A first frame and a clip to continue exclude each other; the vendor's own example carries both.

    Raises Problem(INVALID) with every flaw of the body.
    """
    sent, notes = without_placeholders(endpoint, request)
    read = kit.parse(API, endpoint, sent)
    if clip := read.generation.input(Role.VIDEO):
        inputs = tuple(each for each in read.generation.inputs if each is not clip)
        if read.generation.input(Role.FIRST_FRAME):
            unused = f"start_image_url decides; send {clip.field} without it to continue a clip"
            notes = (*notes, f"{clip.field} was not used: {unused}")
        else:  # it counts in the duration
            inputs = (*inputs, replace(clip, limits=clip_limits(read.generation.seconds)))
        read = replace(read, generation=replace(read.generation, inputs=inputs))
    notes = (*notes, *read.ignored)
    return replace(read, notes=notes, ignored=(), unread={}) if notes else read


def without_placeholders(endpoint: Endpoint, request: HttpRequest) -> tuple[HttpRequest, tuple[str, ...]]:
    if b"string" not in request.body or not isinstance(value := read_json(request.body), dict):
        return request, ()
    said = cast("Json", value)
    idle = [name for name in LINKS if said.get(name) == PLACEHOLDER and has(endpoint.body, name)]
    if not idle:
        return request, ()
    body = msgspec.json.encode({name: value for name, value in said.items() if name not in idle})
    notes = (f'{name}: the documentation\'s placeholder "{PLACEHOLDER}" counts as not sent' for name in idle)
    return replace(request, body=body), tuple(notes)


def read_file(field: FileField, name: str, text: str) -> Input:
    """Raises BadSource in pydantic's words."""
    inline = Way.DATA in field.ways
    if not inline and (fault := link_fault(text)):
        raise BadSource(f"{fault}; files are taken as links here, not inline")
    if text[:4].lower() == "http" and SCHEME.match(text) and (fault := link_fault(text)):
        raise BadSource(fault)
    try:
        return source(text, role=field.role, field=name, limits=field.limits, bare_base64=inline)
    except BadSource as error:
        raise BadSource(f"Value error, {error}") from error


PLAIN = re.compile(r"https?://[a-z0-9-][a-z0-9.-]*(/[!-~]*)?")
"""Most links, in which nothing needs a closer look."""
SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
CONTROL = re.compile(r"[\x00-\x20\x7f]")


def link_fault(text: str) -> str | None:
    """Why a text is no HTTP(S) URL, in pydantic's words."""
    if PLAIN.fullmatch(text):
        return None
    if not text:
        return "Input should be a valid URL, input is empty"
    scheme = SCHEME.match(text)
    if not scheme:
        return "Input should be a valid URL, relative URL without a base"
    if scheme[0].lower() not in ("http:", "https:"):
        return "URL scheme should be 'http' or 'https'"
    if CONTROL.search(text):
        return "Input should be a valid URL, it holds a space or a control character"
    return host_fault(text) or (None if LINK.fullmatch(text) else "Input should be a valid URL")


def host_fault(text: str) -> str | None:
    try:
        parts = urlsplit(text)
    except ValueError as error:
        return f"Input should be a valid URL, {error}"
    if not parts.hostname:
        return "Input should be a valid URL, empty host"
    try:
        return "Input should be a valid URL, invalid port number" if parts.port == 0 else None
    except ValueError:
        return "Input should be a valid URL, invalid port number"


# -- lists and uploads -----------------------------------------------------------


class ListQuery(Struct, frozen=True, kw_only=True):
    page: Annotated[int, Meta(ge=1, le=1_000_000_000)] = 1
    per_page: Annotated[int, Meta(ge=1, le=100)] = 20


def parse_page(request: HttpRequest) -> Page:
    """Raises Problem(INVALID)."""
    query = read_query(request, ListQuery)
    return Page(number=query.page, size=query.per_page)


EMPTY_LISTS: Json = {"loras": {"default": (), "customs": ()}, "apps": (), "flows": (), "me/flows": ()}
"""Lists of the vendor's that are always empty here, at which clients try their keys."""


def absent(request: HttpRequest) -> HttpResponse | None:
    """A list of what there is none of here: of the vendor's other things, and of the tasks of its other models."""
    path = request.path.removeprefix("/freepik").removeprefix(ROOT).removesuffix("/")
    if request.method not in ("GET", "HEAD") or from_uuid4_form(path.rpartition("/")[2]):
        return None
    if path in EMPTY_LISTS:
        notes = f"this server has no {path}"
    elif OTHER_MODEL.fullmatch(path):
        notes = f"this server does not make {path}, so there are no tasks of it"
    else:
        return None
    return json_response({"data": EMPTY_LISTS.get(path, ())}, headers={"x-mutoscope-notes": notes})


UPLOADS = MediaLimits(types=get_args(UploadType), max_bytes=1024 * 1024 * 1024)
SLOT_SECONDS, KEPT_SECONDS = 120.0, 7 * 86400.0


def parse_uploads(request: HttpRequest) -> tuple[UploadWish, ...]:
    """Raises Problem(INVALID)."""
    return tuple(
        UploadWish(
            media_type=file.content_type,
            min_bytes=1,
            max_bytes=UPLOADS.max_bytes or 0,
            keep_seconds=KEPT_SECONDS,
            slot_seconds=SLOT_SECONDS,
        )
        for file in read_body(request.body, UploadRequest).files
    )


# fmt: off
ROUTES = (
    *(List(at=f"GET {ROOT}{each.at}", route=each.route, parse=parse_page, render=render_list, answer=TaskListAnswer,
           query=ListQuery, summary=f"{each.title}: list the tasks, newest first") for each in MODELS),
    OpenUploads(at=f"POST {ROOT}uploads/request-url", parse=parse_uploads, render=render_uploads, body=UploadRequest,
                answer=UploadAnswer, summary="Open upload slots for local files"),
    ListUploads(at=f"GET {ROOT}uploads", render=render_upload_list, answer=UploadListAnswer,
                summary="List the uploaded files, with fresh links"),
)
# fmt: on

# -- the other end ---------------------------------------------------------------

STATES: dict[str, State] = {word: state for state, word in STATUSES.items() if state is not State.CANCELED}
"""The vendor's words read the other way. What its operators cancel it calls FAILED, and so it stays."""


class ListedNews(Struct, frozen=True, kw_only=True):
    task_id: TaskId
    status: str


class TaskNews(ListedNews, frozen=True, kw_only=True):
    """A task as loosely as it may come: `generated` is not in every answer, `error` in hardly any."""

    generated: tuple[str, ...] | None = None


class Envelope(Struct, frozen=True, kw_only=True):
    data: TaskNews


class ListEnvelope(Struct, frozen=True, kw_only=True):
    data: tuple[ListedNews, ...]


PAGE = 100
UNLISTED = frozenset({400, 404, 405})
"""Answers of a vendor that has no such list, or no pages of it: both were seen, though its own description has both."""


def batch(handles: tuple[Json, ...]) -> Conversation[dict[int, Update]]:
    """Who is unfinished. What has ended is polled alone: the links, and a reason where there is one, are not listed."""
    places = {handle["id"]: place for place, handle in enumerate(handles)}
    found: dict[int, Update] = {}
    for page in count(1):
        response = yield list_request(handles[0]["path"], page)
        if response.status in UNLISTED:
            break
        listed = tasks_in(response)
        ours = [each for each in listed if each.task_id in places]
        for each in ours:
            state = STATES.get(each.status)
            place = places.pop(each.task_id, None)
            if place is not None and state is not None and not state.final:
                found[place] = news_of(vendor=VENDOR, state=state, status=each.status)
        if not ours or not places or len(listed) < PAGE:
            break
    return found


def find(order: Order, _since: float) -> Conversation[tuple[Json, ...]]:
    """The newest page of the path's tasks. It tells neither when a task was made nor of what: whose they are is to be
    known from elsewhere. A vendor without the list is a Problem, since nothing found would mean nothing sent.
    """
    path, _ = kit.translate(API, order)
    response = yield list_request(path, 1)
    return tuple({"id": task.task_id, "path": path} for task in tasks_in(response))


def list_request(path: str, page: int) -> HttpRequest:
    return ask("GET", ROOT + path, page=str(page), per_page=str(PAGE))


def tasks_in(response: HttpResponse) -> tuple[ListedNews, ...]:
    return read_answer(good(response), ListEnvelope, vendor=VENDOR).data


def good(response: HttpResponse) -> HttpResponse:
    if not 200 <= response.status < 300:
        raise kit.complaint(API, response)
    return response


class Slot(Struct, frozen=True, kw_only=True):
    upload_url: str
    asset_url: str
    headers: dict[str, str] = {}


class Slots(Struct, frozen=True, kw_only=True):
    files: Annotated[tuple[Slot, ...], Meta(min_length=1)]


def upload(file: File) -> Conversation[str]:
    if file.media_type not in UPLOADS.types:
        right = ", ".join(UPLOADS.types)
        raise Problem(Kind.BAD_MEDIA, f"{VENDOR} takes no {file.media_type} as an upload; it takes {right}.")
    response = yield ask("POST", f"{ROOT}uploads/request-url", {"files": [{"content_type": file.media_type}]})
    slot = read_answer(good(response), Slots, vendor=VENDOR).files[0]
    if not (is_link(slot.upload_url) and is_link(slot.asset_url)):
        raise Problem(Kind.UPSTREAM_FAILED, f"{VENDOR} opened an upload without saying where.")
    headers = {name.lower(): value for name, value in slot.headers.items()}
    response = yield HttpRequest(method="PUT", path=slot.upload_url, headers=headers, body=file.data)
    if not 200 <= response.status < 300:
        raise refusal(response, "the upload was not taken", vendor=VENDOR, kinds=STORE_KINDS)
    return slot.asset_url


def blamed(said: Any) -> Iterator[tuple[str, str]]:
    """Live answers say where a bad field stands (`field`), the documentation shows its `name`."""
    said = at(said, "problem") or said
    yield "", text(said, "message")
    for each in at(said, "invalid_params.*") or ():
        yield text(each, "name") or text(each, "field").removeprefix("body."), text(each, "reason")
    yield "", text(said, "detail")


def text(said: Any, name: str) -> str:
    return value.strip() if isinstance(value := at(said, name), str) else ""


# fmt: off
API = TaskApi(
    name="freepik", vendor=VENDOR, title="Freepik / Magnific AI API", docs="https://docs.freepik.com/api-reference",
    base_url="https://api.freepik.com", root=ROOT, show="{at}/{id}", at="path",
    endpoints=tuple(replace(each, body=PUBLISHED.get(each.body, each.body)) for each in MODELS), fields=FIELDS,
    parse=parse, source=read_file, address=link_fault, word=pydantic,
    states=STATUSES, task=told, answer=TaskAnswer, webhook="webhook_url", webhook_body=task, webhook_id="task_id",
    reading=Reading(id="data.task_id", status="data.status", links=("data.generated",), reason=("data.error",)),
    heard=Envelope, reasons=(), blamed=blamed, render_problem=render_problem, error_type=ErrorAnswer,
    sign=lambda key, _now: {KEY_HEADERS[0]: key}, credential=credential,
    security={"type": "apiKey", "in": "header", "name": KEY_HEADERS[0]}, routes=ROUTES,
    upload=upload, upload_limits=UPLOADS, find=find, batch=batch, batch_key=lambda handle: handle["path"],
    requests_per_second=10.0,  # the documented average of one address
)
# fmt: on
WIRE = replace(kit.wire(API), answer_headers=answer_headers, absent=absent)
