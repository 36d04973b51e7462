"""Freepik's AI API, since 2026 also Magnific's: one path per model, a task, `generated` links.

Read `MODELS` in `bodies.py` first, one row each, then the foot of this file. The vendor has no word for "stop" and no
reason for a failure; its lists tell ids and states, nothing else.
"""

import math
import re
from collections.abc import Iterator, Mapping
from itertools import count
from typing import Annotated, Any, Literal, cast, get_args
from urllib.parse import urlsplit

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType
from msgspec.structs import replace

from mutoscope.model.http import Headers, HttpRequest, HttpResponse, json_response
from mutoscope.model.job import Input, Job, Json, MediaLimits, Role, State, Update
from mutoscope.model.problem import STATUS, Kind, Problem, Rule
from mutoscope.model.requests import Allowance, Page, Submission, Upload, UploadWish
from mutoscope.wirekit import task as kit
from mutoscope.wirekit.answers import STORE_KINDS, TaskId, ask, is_link, news_of, read_answer, refusal
from mutoscope.wirekit.back import Conversation, File, Order, Way
from mutoscope.wirekit.body import outside_body, read_body, read_json
from mutoscope.wirekit.fields import FileField
from mutoscope.wirekit.flaws import pydantic
from mutoscope.wirekit.ids import from_uuid4_form, uuid4_form
from mutoscope.wirekit.media import LINK, BadSource, source
from mutoscope.wirekit.paths import at, has
from mutoscope.wirekit.queries import read_query
from mutoscope.wirekit.routes import List, ListUploads, OpenUploads
from mutoscope.wirekit.task import Endpoint, Reading, TaskApi
from mutoscope.wirekit.times import utc
from mutoscope.wires._wan import clip_limits
from mutoscope.wires.freepik.bodies import FIELDS, MODELS, OTHER_MODEL, PUBLISHED, VENDOR, UploadRequest, UploadType

ROOT = "/v1/ai/"
KEY_HEADERS = ("x-freepik-api-key", "x-magnific-api-key")  # the old host's and the new one's

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


def credential(request: HttpRequest) -> str | None:
    old, new = KEY_HEADERS
    return request.headers.get(old, "").strip() or request.headers.get(new, "").strip() or None


# -- tasks and their lists -------------------------------------------------------

Status = Literal["CREATED", "IN_PROGRESS", "COMPLETED", "FAILED"]
STATUSES: dict[State, Status] = dict(zip(State, (*get_args(Status), "FAILED"), strict=True))
"""The vendor has no word for what is canceled, and clients know these four only."""
Uuid = Annotated[str, Meta(extra_json_schema={"format": "uuid"})]


class ListedTask(Struct, frozen=True, kw_only=True):
    task_id: Uuid
    status: Status


class Task(ListedTask, frozen=True, kw_only=True):
    generated: tuple[str, ...] = ()
    error: str | UnsetType = UNSET  # ours: why it FAILED


class TaskAnswer(Struct, frozen=True, kw_only=True):
    data: Task


class TaskListAnswer(Struct, frozen=True, kw_only=True):
    data: tuple[ListedTask, ...]


def task(job: Job) -> Task:
    return Task(
        task_id=uuid4_form(job.id),
        status=STATUSES[job.state],
        generated=tuple(each.url for each in job.outputs if each.url) if job.state is State.SUCCEEDED else (),
        error=reason_of(job) if STATUSES[job.state] == "FAILED" else UNSET,
    )


def reason_of(job: Job) -> str:
    if job.failure is not None:
        return job.failure.message
    return "The task was canceled." if job.state is State.CANCELED else "The task failed."


def render_list(jobs: tuple[Job, ...], _request: HttpRequest) -> HttpResponse:
    listed = (ListedTask(task_id=uuid4_form(job.id), status=STATUSES[job.state]) for job in jobs)
    return json_response(TaskListAnswer(data=tuple(listed)))


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


def answer_headers(allowance: Allowance) -> Headers:
    """No page of the vendor names them; these are the ones that clients read."""
    return {
        "x-ratelimit-limit": str(allowance.limit),
        "x-ratelimit-remaining": str(allowance.remaining),
        "x-ratelimit-reset": str(math.ceil(allowance.reset_seconds)),
    }


# -- uploads ---------------------------------------------------------------------

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


class UploadTicket(Struct, frozen=True, kw_only=True):
    """PUT the bytes to `upload_url` with exactly these headers and no key; `asset_url` then works in URL fields."""

    file_id: Uuid
    upload_url: str
    headers: dict[str, str]
    expires_in: int  # seconds
    asset_url: str
    asset_url_expires_in: int  # seconds


class UploadAnswer(Struct, frozen=True, kw_only=True):
    files: tuple[UploadTicket, ...]


class UploadedFile(Struct, frozen=True, kw_only=True):
    file_id: Uuid
    content_type: str
    asset_url: str
    asset_url_expires_at: str  # a moment, since a wire has no clock to count from
    expires_at: str


class UploadListAnswer(Struct, frozen=True, kw_only=True):
    files: tuple[UploadedFile, ...]


def render_uploads(uploads: tuple[Upload, ...], _request: HttpRequest) -> HttpResponse:
    tickets = (
        UploadTicket(
            file_id=uuid4_form(each.id),
            upload_url=each.put_url,
            headers={"content-type": each.media_type},
            expires_in=round(each.slot_expires - each.created),
            asset_url=each.asset_url,
            asset_url_expires_in=round(each.asset_url_expires - each.created),
        )
        for each in uploads
    )
    return json_response(UploadAnswer(files=tuple(tickets)))


def render_upload_list(uploads: tuple[Upload, ...], _request: HttpRequest) -> HttpResponse:
    """Files whose bytes arrived; a slot that was never filled is no file."""
    files = (
        UploadedFile(
            file_id=uuid4_form(each.id),
            content_type=each.media_type,
            asset_url=each.asset_url,
            asset_url_expires_at=utc(each.asset_url_expires, "seconds"),
            expires_at=utc(each.expires, "seconds"),
        )
        for each in uploads
        if each.asset is not None
    )
    return json_response(UploadListAnswer(files=tuple(files)))


# -- trouble ---------------------------------------------------------------------


class InvalidParam(Struct, frozen=True, kw_only=True):
    """One bad field: live answers call it `field` and say where it stands, the documentation calls it `name`."""

    field: str
    name: str
    reason: str


class ErrorAnswer(Struct, frozen=True, kw_only=True):
    message: str
    invalid_params: tuple[InvalidParam, ...] | UnsetType = UNSET
    detail: str | UnsetType = UNSET  # ours: what the vendor's fixed message does not tell


ERROR_STATUS: Mapping[Kind, int] = STATUS | {
    # The vendor declares 500 and 503 only. What may have been paid for is 500, which fewer clients send again.
    Kind.UPSTREAM_FAILED: 500,
    Kind.SUBMISSION_UNKNOWN: 500,
    Kind.TIMED_OUT: 503,
}
FIXED_MESSAGES: Mapping[int, str] = {
    429: "Too many requests",
    500: "Internal Server Error",
    503: "Service Unavailable. Please try again later.",
}
BODY_FIELDS = frozenset(name for each in MODELS for name in each.body.__struct_fields__)


def render_problem(problem: Problem, request: HttpRequest) -> HttpResponse:
    status = ERROR_STATUS[problem.kind]
    unreadable = any(flaw.rule is Rule.JSON for flaw in problem.flaws)
    where = outside_body(problem, request) or ("query" if request.method == "GET" else "body")
    params = invalid_params(problem, where) if status == 400 and not unreadable else ()
    if problem.kind is Kind.UNAUTHENTICATED:
        message = "Invalid API key" if credential(request) else "Missing API key"
    elif problem.kind is Kind.INVALID and (problem.flaws or problem.field) and not unreadable:
        message = "Validation error"
    else:
        message = FIXED_MESSAGES.get(status) or problem.message
    told = message == problem.message or any(problem.message == each.reason for each in params) or problem.flaws
    detail = UNSET if told else problem.message or UNSET
    headers = {} if problem.retry_after is None else {"retry-after": str(math.ceil(problem.retry_after))}
    return json_response(ErrorAnswer(message=message, invalid_params=params or UNSET, detail=detail), status, headers)


def invalid_params(problem: Problem, where: str) -> tuple[InvalidParam, ...]:
    if problem.flaws:
        named = [(".".join(map(str, flaw.path)), pydantic(flaw)) for flaw in problem.flaws]
    elif problem.field and (problem.kind is Kind.INVALID or problem.field.partition(".")[0] in BODY_FIELDS):
        named = [(problem.field, problem.message)]
    else:
        named = []
    return tuple(
        InvalidParam(field=f"{where}.{name}" if name else where, name=name or where, reason=why) for name, why in named
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
    said = cast("Any", problem) if isinstance(problem := at(said, "problem"), dict) else said
    yield "", text(said, "message")
    for each in at(said, "invalid_params.*"):
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
    states=STATUSES, task=lambda job: TaskAnswer(data=task(job)), answer=TaskAnswer,
    webhook="webhook_url", webhook_body=task, webhook_id="task_id",
    reading=Reading(id="data.task_id", status="data.status", links=("data.generated",), reason=("data.error",)),
    heard=Envelope, reasons=(), blamed=blamed, render_problem=render_problem, error_type=ErrorAnswer,
    sign=lambda key, _now: {KEY_HEADERS[0]: key}, credential=credential,
    security={"type": "apiKey", "in": "header", "name": KEY_HEADERS[0]}, routes=ROUTES,
    upload=upload, upload_limits=UPLOADS, find=find, batch=batch, batch_key=lambda handle: handle["path"],
    requests_per_second=10.0,  # the documented average of one address
)
# fmt: on
WIRE = replace(kit.wire(API), answer_headers=answer_headers, absent=absent)
