"""Freepik's AI API, since 2026 also Magnific's: one path per model, a task, `generated` links.

Read `MODELS` in `bodies.py` and `TABLE` in `models.py` first, one row each, then the foot of this file. The vendor has
no word for "stop" and no reason for a failure; its lists tell ids and states, nothing else. What answers otherwise than
by a task is in `tasks.py`.
"""

import math
import re
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import count
from typing import Annotated, Any, cast, get_args
from urllib.parse import urlencode, urlsplit

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType
from msgspec.structs import replace

from mutoscope.model.http import Headers, HttpRequest, HttpResponse, json_response
from mutoscope.model.job import Input, Job, Json, MediaLimits, Operation, Role, State, Update
from mutoscope.model.problem import STATUS, Kind, Problem, Rule
from mutoscope.model.requests import Allowance, Page, Submission, Upload, UploadWish
from mutoscope.wirekit import task as kit
from mutoscope.wirekit.answers import STORE_KINDS, TaskId, ask, is_link, news_of, read_answer, refusal
from mutoscope.wirekit.back import Conversation, File, Transport, VendorRequest, Way
from mutoscope.wirekit.body import outside_body, read_body, read_json
from mutoscope.wirekit.fields import FileField, extra
from mutoscope.wirekit.flaws import pydantic
from mutoscope.wirekit.ids import from_uuid4_form, uuid4_form
from mutoscope.wirekit.media import LINK, BadSource, source
from mutoscope.wirekit.paths import at, has
from mutoscope.wirekit.queries import read_query
from mutoscope.wirekit.routes import Create, List, ListUploads, OpenUploads, Read
from mutoscope.wirekit.task import Endpoint, Reading, TaskApi
from mutoscope.wirekit.times import utc
from mutoscope.wires._wan import clip_limits
from mutoscope.wires.freepik import catalogue
from mutoscope.wires.freepik.bodies import (
    FIELDS,
    MODELS,
    OTHER_MODEL,
    PUBLISHED,
    VENDOR,
    WAN,
    Link,
    UploadRequest,
    UploadType,
)
from mutoscope.wires.freepik.tasks import (
    ANSWERS,
    STATUSES,
    Class,
    LoraListAnswer,
    SoundListAnswer,
    TaskAnswer,
    TaskListAnswer,
    Uuid,
    reason_of,
    render_list,
    render_loras,
    render_sounds,
    task,
)

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
    read = kit.parse(API, endpoint, respelt(endpoint, sent))
    if endpoint.at in catalogue.LIMITED:
        inputs = catalogue.limited(endpoint.at, read_json(sent.body), read.generation.inputs)
        read = replace(read, generation=replace(read.generation, inputs=inputs))
    clip = read.generation.input(Role.VIDEO) if endpoint.at == WAN else None
    if clip:
        inputs = tuple(each for each in read.generation.inputs if each is not clip)
        if read.generation.input(Role.FIRST_FRAME):
            unused = f"start_image_url decides; send {clip.field} without it to continue a clip"
            notes = (*notes, f"{clip.field} was not used: {unused}")
        else:  # it counts in the duration
            inputs = (*inputs, replace(clip, limits=clip_limits(read.generation.seconds)))
        read = replace(read, generation=replace(read.generation, inputs=inputs))
    return replace(read, notes=(*read.notes, *notes)) if notes else read


DURATION = re.compile(rb'("duration"\s*:\s*)("?)([0-9]{1,2})\2(?=\s*[,}])')


def respelt(endpoint: Endpoint, request: HttpRequest) -> HttpRequest:
    """Models differ in whether a duration is a number or a text; either is taken from whoever mixes them up."""
    spelling = catalogue.SPELLINGS.get(endpoint.at)
    if spelling is None or b'"duration"' not in request.body:
        return request
    return replace(request, body=DURATION.sub(spelling, request.body))


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


# -- lists -----------------------------------------------------------------------


class ListQuery(Struct, frozen=True, kw_only=True):
    page: Annotated[int, Meta(ge=1, le=1_000_000_000)] = 1
    per_page: Annotated[int, Meta(ge=1, le=100)] = 20


def parse_page(request: HttpRequest) -> Page:
    """Raises Problem(INVALID)."""
    query = read_query(request, ListQuery)
    return Page(number=query.page, size=query.per_page)


EMPTY_LISTS: Json = {"apps": (), "flows": (), "me/flows": ()}
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
BODY_FIELDS = catalogue.NAMES.union(name for each in MODELS for name in each.body.__struct_fields__)


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


ENDPOINTS: tuple[Endpoint, ...] = (
    *(replace(each, body=PUBLISHED.get(each.body, each.body)) for each in MODELS),
    *catalogue.endpoints(ANSWERS),
)
HEARD = ("music-generation", "sound-effects", "audio-isolation", "voiceover/elevenlabs-turbo-v2-5")
"""Models whose lists tell of the files too."""
ICONS, LORAS = "text-to-icon", "loras"


def listing(at: str, endpoint: Endpoint) -> List:
    told = (render_sounds, SoundListAnswer) if at in HEARD else (render_list, TaskListAnswer)
    render, answer = (render_loras, LoraListAnswer) if at == LORAS else told
    return List(at=f"GET {ROOT}{at}", route=endpoint.route, parse=parse_page, render=render, answer=answer,
                query=ListQuery, summary=f"{endpoint.title}: list the tasks, newest first")  # fmt: skip


class NoBody(Struct, frozen=True, kw_only=True):
    """Nothing is asked of a rendering beside what its path says."""


def render_icon(job: Job, request: HttpRequest) -> HttpResponse:
    """Raises Problem for a format that it was not made in."""
    wanted, made = (
        request.params["format"],
        {each.media_type.partition("/")[2].partition("+")[0] for each in job.outputs},
    )
    if made and wanted not in made:
        told = f"The icon was made as {', '.join(sorted(made))}; {wanted} is to be asked for when it is made."
        raise Problem(Kind.UNSUPPORTED, told, field="format")
    return json_response(TaskAnswer(data=task(job)))


LISTED = {at: each for each in ENDPOINTS for at in (each.at, each.shown) if at}
"""Tasks are listed where they are made and where they are read."""

# fmt: off
ROUTES = (
    *(listing(at, each) for at, each in LISTED.items()),
    Read(at=f"POST {ROOT}{ICONS}/{{id}}/render/{{format}}", id=lambda request: request.params["id"], route=ICONS,
         render=render_icon, body=NoBody, answer=TaskAnswer, summary="An icon's file, in the format it was made in"),
    OpenUploads(at=f"POST {ROOT}uploads/request-url", parse=parse_uploads, render=render_uploads, body=UploadRequest,
                answer=UploadAnswer, summary="Open upload slots for local files"),
    ListUploads(at=f"GET {ROOT}uploads", render=render_upload_list, answer=UploadListAnswer,
                summary="List the uploaded files, with fresh links"),
)
# fmt: on

# -- flows: what an account has put together itself ---------------------------------------------

FLOW_STATES = dict(zip(State, ("pending", "running", "completed", "failed", "cancelled"), strict=True))


class FlowRequest(Struct, frozen=True, kw_only=True):
    inputs: dict[str, Any]
    webhook: Link | None = None


class FlowRun(Struct, frozen=True, kw_only=True):
    status: str
    workflow_run_identifier: Uuid


class FlowResult(Struct, frozen=True, kw_only=True):
    images: tuple[str, ...] = ()
    videos: tuple[str, ...] = ()
    audios: tuple[str, ...] = ()


class FlowNews(Struct, frozen=True, kw_only=True):
    run_id: Uuid
    status: str
    app_id: str
    started_at: str | None
    completed_at: str | None
    error_message: str | None
    result: FlowResult


class FlowAnswer(Struct, frozen=True, kw_only=True):
    data: FlowNews


def flow_run(job: Job) -> FlowRun:
    return FlowRun(status=FLOW_STATES[job.state], workflow_run_identifier=uuid4_form(job.id))


def flow_news(job: Job) -> FlowAnswer:
    made: dict[str, list[str]] = {"image": [], "video": [], "audio": []}
    for each in job.outputs if job.state is State.SUCCEEDED else ():
        made.setdefault(each.media_type.partition("/")[0], []).append(each.url or "")
    result = FlowResult(images=tuple(made["image"]), videos=tuple(made["video"]), audios=tuple(made["audio"]))
    failed = job.state in (State.FAILED, State.CANCELED)
    news = FlowNews(
        run_id=uuid4_form(job.id), status=FLOW_STATES[job.state], app_id=job.generation.model, result=result,
        started_at=utc(job.started, "seconds") if job.started else None,
        completed_at=utc(job.finished, "seconds") if job.finished else None,
        error_message=reason_of(job) if failed else None,
    )  # fmt: skip
    return FlowAnswer(data=news)


FLOW = Endpoint(
    at="flows/{flow}/run", family="flows/", model_at="{flow}", shown="flows/runs", route="flows", title="Run a flow",
    body=FlowRequest, makes={None: Operation.TEXT_TO_IMAGE}, fields={"inputs": extra("inputs")},
)  # fmt: skip


def parse_flow(request: HttpRequest) -> Submission:
    """Flows are an account's own: here there are those that the operator's settings name."""
    return kit.parse(FLOWS, FLOWS.endpoints[0], request)


# fmt: off
FLOW_ROUTES = (
    Create(at=f"POST {ROOT}{FLOW.at}", route=FLOW.route, parse=parse_flow, body=FlowRequest, answer=FlowRun,
           status=202, summary=FLOW.title, render=lambda job, _request: json_response(flow_run(job), 202)),
    Read(at=f"GET {ROOT}{FLOW.shown}/{{id}}", route=FLOW.route, answer=FlowAnswer, summary=f"{FLOW.title}: read a run",
         render=lambda job, _request: json_response(flow_news(job))),
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


def find(order: VendorRequest, _since: float) -> Conversation[tuple[Json, ...]]:
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


UNSENT = frozenset({Operation.FINETUNE})
"""What the vendor tells no end of: a LoRA that was paid for could not be found again."""


def api_for(names: tuple[str, ...]) -> TaskApi:
    return FLOWS if any(name.startswith(FLOW.family) for name in names) else API


def supports(made: Operation, names: tuple[str, ...]) -> frozenset[str] | None:
    return None if made in UNSENT else kit.supports(api_for(names), made, names)


def ways(order: VendorRequest, wanted: Input) -> tuple[Transport, ...]:
    return kit.ways(api_for(order.names), order, wanted)


def check(order: VendorRequest) -> None:
    kit.check(api_for(order.names), order)


def submit(order: VendorRequest) -> Conversation[Update]:
    """A task, in its envelope or bare, or what was made at once."""
    path, _ = kit.translate(api_for(order.names), order)
    told = kit.submit(answering(path) if path in AT_ONCE else api_for(order.names), order)
    request = next(told)
    response = yield in_form(request) if path == CUT_OUT else request
    if path == CLASSES:
        classes = msgspec.json.encode(read_answer(good(response), ClassNews, vendor=VENDOR).data).decode()
        handle = {"id": order.reference or "-"}
        return news_of(vendor=VENDOR, state=State.SUCCEEDED, status="", texts=(classes,), handle=handle)
    return ended(told, wrapped(response) if path == RESTYLED else response)


CUT_OUT, CLASSES, RESTYLED = "beta/remove-background", "classifier/image", "image-style-transfer"
AT_ONCE: dict[str, Reading] = {
    "text-to-image": Reading(inline=("data.*.base64",)),
    "beta/text-to-image/reimagine-flux": Reading(links=("generated", "data.generated")),
    CUT_OUT: Reading(links=("high_resolution", "url")),
    CLASSES: Reading(),
}
"""Where the answers of models that answer at once have what was made."""


@cache
def answering(path: str) -> TaskApi:
    """The API of a path whose answers are read in another way. Made once: the tables of all models come with it."""
    if path in AT_ONCE:
        return replace(API, show=None, heard=Any, reading=AT_ONCE[path])
    where = {"texts" if path in WORDED else "inline": ("data.generated",)}
    return replace(API, reading=replace(API.reading, links=(), **where))


class ClassNews(Struct, frozen=True, kw_only=True):
    data: tuple[Class, ...]


def ended(told: Conversation[Update], response: HttpResponse) -> Update:
    """What a conversation of one request comes to."""
    try:
        told.send(response)
    except StopIteration as end:
        return end.value
    raise Problem(Kind.INTERNAL, f"{VENDOR} was asked twice.")


def in_form(request: HttpRequest) -> HttpRequest:
    said = msgspec.json.decode(request.body, type=dict[str, str])
    headers = request.headers | {"content-type": "application/x-www-form-urlencoded"}
    return replace(request, headers=headers, body=urlencode(said).encode())


def wrapped(response: HttpResponse) -> HttpResponse:
    """A task that came without its envelope, and with `task_status`; some clients were answered in the usual way."""
    try:
        said = msgspec.json.decode(response.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return response
    if not isinstance(said, dict) or "task_id" not in (bare := cast("Json", said)):
        return response
    status = bare.get("status", bare.get("task_status"))
    return replace(response, body=msgspec.json.encode({"data": bare | {"status": status}}))


WORDED = ("improve-prompt", "image-to-prompt")
INLINE = "text-to-image/imagen3"


def poll(handle: Json) -> Conversation[Update]:
    """How a task stands. Some tell words in the place of links, or files in base64."""
    path = handle["path"]
    if path == FLOW.shown:
        return (yield from kit.poll(FLOWS, handle))
    request = next(kit.poll(API, handle))
    if path == ICONS:  # which has no read: a rendering answers as one would
        request = replace(request, method="POST", path=f"{request.path}/render/png")
    response = yield request
    api = API
    if path in WORDED or (path == INLINE and b"://" not in response.body):
        api = answering(path)
    told = kit.poll(api, handle)
    next(told)
    return ended(told, response)


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
    endpoints=ENDPOINTS, fields=FIELDS,
    parse=parse, source=read_file, address=link_fault, word=pydantic,
    states=STATUSES, task=lambda job: TaskAnswer(data=task(job)), answer=TaskAnswer,
    webhook="webhook_url", webhook_body=task, webhook_id="task_id",
    reading=Reading(id="data.task_id", status="data.status", links=("data.generated",), reason=("data.error",)),
    heard=Envelope, reasons=(), blamed=blamed, render_problem=render_problem, error_type=ErrorAnswer,
    sign=lambda key, _now: {KEY_HEADERS[0]: key}, credential=credential,
    security={"type": "apiKey", "in": "header", "name": KEY_HEADERS[0]}, routes=(*ROUTES, *FLOW_ROUTES),
    upload=upload, upload_limits=UPLOADS, find=find, batch=batch, batch_key=lambda handle: handle["path"],
    requests_per_second=10.0,  # the documented average of one address
)
FLOWS = replace(
    API, endpoints=(FLOW,), parse=None, webhook="webhook", webhook_id="", heard=Any, states=FLOW_STATES,
    also_states={"completed_with_errors": State.SUCCEEDED, "cancelled": State.FAILED},
    made_reading=Reading(id="workflow_run_identifier"),
    reading=Reading(id="data.run_id", status="data.status", reason=("data.error_message",),
                    links=("data.result.images", "data.result.videos", "data.result.audios")),
)
# fmt: on
WIRE = replace(
    kit.wire(API),
    answer_headers=answer_headers,
    absent=absent,
    back=replace(
        kit.back(API),
        supports=supports,
        ways=ways,
        check=check,
        submit=submit,
        poll=poll,
    ),
)
