"""Freepik's AI API, since 2026 also Magnific's: one path per model, a task, `generated` links.

Read the foot of the file first: the models, one row each, then the routes that follow from them.
"""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import cache, partial
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from mutoscope.http import Headers, HttpRequest, HttpResponse, json_response
from mutoscope.job import Generation, Input, Job, Json, MediaLimits, Operation, Role, State
from mutoscope.problem import STATUS, Flaw, Kind, Problem, Rule, custom_flaw
from mutoscope.wires._body import invalid, read_body, read_json, schema, walk
from mutoscope.wires._ids import from_uuid4_form, uuid4_form
from mutoscope.wires._inputs import LINK, BadSource, source
from mutoscope.wires._wire import Allowance, Page, Route, Submission, Upload, UploadWish, Verb, Wire

NAME = "freepik"
ROOT = "/v1/ai/"
KEY_HEADERS = ("x-freepik-api-key", "x-magnific-api-key")  # the old host's and the new one's

# -- what the vendor takes: the bodies, with the vendor's bounds ----------------

HTTP_URL = r"https?://[A-Za-z0-9.-]+(:[1-9][0-9]{0,3})?([/?#][!-~]*)?"
BASE64_TEXT = "[A-Za-z0-9+/]{4}"
# The patterns are for the published description; the rules themselves are `link_fault` and `_inputs.source`.
Link = Annotated[str, Meta(extra_json_schema={"format": "uri", "pattern": f"^{HTTP_URL}$"})]
Picture = Annotated[
    str,
    Meta(
        description="An HTTP(S) URL, a data URI or bare base64.",
        extra_json_schema={
            "pattern": f"^({HTTP_URL}|data:image/[a-z]+;base64,({BASE64_TEXT})+|({BASE64_TEXT}){{4,}})$"
        },
    ),
]
Text500 = Annotated[str, Meta(max_length=500)]
Text2000 = Annotated[str, Meta(max_length=2000)]
Text5000 = Annotated[str, Meta(max_length=5000)]
NonEmptyText1000 = Annotated[str, Meta(min_length=1, max_length=1000)]
Seed31 = Annotated[int, Meta(ge=0, le=2147483647)]
Seed32 = Annotated[int, Meta(ge=0, le=4294967295)]
WanSeconds = Annotated[int, Meta(ge=2, le=15)]
WanResolution = Literal["720P", "1080P"]
WanShape = Literal["16:9", "9:16", "1:1", "4:3", "3:4"]
VideoRatio = Literal["1280:720", "720:1280", "1104:832", "960:960", "832:1104"]
TurboRatio = Literal["1280:720", "720:1280", "1104:832", "832:1104", "960:960", "1584:672"]
# fmt: off
PictureRatio = Literal[
    "1920:1080", "1080:1920", "1024:1024", "1360:768", "1080:1080", "1168:880", "1440:1080", "1080:1440",
    "1808:768", "2112:912", "1280:720", "720:1280", "720:720", "960:720", "720:960", "1680:720",
]
# fmt: on


class RunwayImageToVideo(Struct, frozen=True, kw_only=True):
    image: Picture
    prompt: Text2000
    ratio: VideoRatio | None = None
    duration: Literal[5, 8, 10] | None = None
    seed: Seed32 | None = None
    webhook_url: Link | None = None


class RunwayTextToVideo(Struct, frozen=True, kw_only=True):
    prompt: Text2000
    ratio: VideoRatio | None = None
    duration: Literal[5, 8, 10] | None = None
    webhook_url: Link | None = None


class RunwayGen4Turbo(Struct, frozen=True, kw_only=True):
    image: Picture
    prompt: NonEmptyText1000 | None = None
    ratio: TurboRatio | None = None
    duration: Literal[5, 10] | None = None
    seed: Seed32 | None = None
    webhook_url: Link | None = None


class RunwayTextToImage(Struct, frozen=True, kw_only=True):
    prompt: NonEmptyText1000
    ratio: PictureRatio
    seed: Seed32 | None = None
    webhook_url: Link | None = None


class WanSettings(Struct, frozen=True, kw_only=True):
    prompt_extend: bool | None = None


class WanImageToVideo(Struct, frozen=True, kw_only=True):
    """Three modes: first frame; first and last frame; continuation of a clip, whose time counts in `duration`."""

    prompt: Text5000 | None = None
    negative_prompt: Text500 | None = None
    start_image_url: Link | None = None
    end_image_url: Link | None = None
    audio_url: Link | None = None
    video_url: Link | None = None
    resolution: WanResolution | None = None
    duration: WanSeconds | None = None
    seed: Seed31 | None = None
    additional_settings: WanSettings | None = None
    webhook_url: Link | None = None


def needs(field: str) -> Json:
    return {"required": [field], "properties": {field: {"type": "string"}}}


# The rule of `wan_rules`, for the published description.
WanImageToVideoBody = Annotated[
    WanImageToVideo, Meta(extra_json_schema={"anyOf": [needs("start_image_url"), needs("video_url")]})
]


class WanTextToVideo(Struct, frozen=True, kw_only=True):
    prompt: Text5000
    negative_prompt: Text500 | None = None
    audio_url: Link | None = None
    aspect_ratio: WanShape | None = None
    resolution: WanResolution | None = None
    duration: WanSeconds | None = None
    seed: Seed31 | None = None
    additional_settings: WanSettings | None = None
    webhook_url: Link | None = None


# -- the body's fields, in the vendor's words and in ours ------------------------

PLAIN = {"prompt": "prompt", "negative_prompt": "negative_prompt", "duration": "seconds", "seed": "seed"}
"""Body field → Generation field, where the value means the same."""

RESOLUTIONS = {"720P": "720p", "1080P": "1080p"}

MIB = 1024 * 1024
WAN_IMAGE = MediaLimits(
    types=("image/jpeg", "image/png", "image/bmp", "image/webp"),
    max_bytes=20 * MIB,
    min_side=240,
    max_side=8000,
    min_aspect=1 / 8,
    max_aspect=8.0,
)
WAN_AUDIO = MediaLimits(types=("audio/wav", "audio/mpeg"), max_bytes=15 * MIB, min_seconds=2.0, max_seconds=30.0)
WAN_VIDEO = MediaLimits(
    types=("video/mp4", "video/quicktime"),
    max_bytes=100 * MIB,
    min_side=240,
    max_side=4096,
    min_seconds=2.0,
    max_seconds=10.0,
)


class Medium(Struct, frozen=True, kw_only=True):
    """A body field that names a file."""

    role: Role
    limits: MediaLimits | None = None
    inline: bool = False  # takes a data URI and bare base64 beside a link


MEDIA = {
    "image": Medium(role=Role.FIRST_FRAME, inline=True),
    "start_image_url": Medium(role=Role.FIRST_FRAME, limits=WAN_IMAGE),
    "end_image_url": Medium(role=Role.LAST_FRAME, limits=WAN_IMAGE),
    "audio_url": Medium(role=Role.AUDIO, limits=WAN_AUDIO),
    "video_url": Medium(role=Role.VIDEO, limits=WAN_VIDEO),
}

NAMES = {
    **{ours: (theirs, theirs) for theirs, ours in PLAIN.items() if ours != theirs},
    **{medium.role.value: (field, field) for field, medium in MEDIA.items() if field != "image"},
    "width": ("ratio", "ratio"),
    "height": ("ratio", "ratio"),
    "ratio": ("aspect_ratio", "aspect_ratio"),
    "prompt_extend": ("additional_settings", "additional_settings.prompt_extend"),
}
"""Our name → the body field it stands in, and what the caller calls it."""

PLACEHOLDER = "<string>"
"""What the vendor's own documentation shows for a URL that is not sent; people post its examples as they stand."""


# -- asking ----------------------------------------------------------------------


class Model(Struct, frozen=True, kw_only=True):
    """One row of the table at the foot."""

    route: str  # its path below /v1/ai/
    name: str  # in the catalog
    operation: Operation
    body: type[Struct]
    title: str
    rules: Callable[[Json], Iterator[Flaw]] | None = None  # between the fields of a body
    published: Any = None  # the body with those rules, for OpenAPI


def parse_submission(model: Model, request: HttpRequest) -> Submission:
    """Raises Problem(INVALID) with every flaw of the body."""
    sent, flaws = read_fields(request.body, model.body)
    sent, notes = without_placeholders(sent)
    broken = {flaw.path[0] for flaw in flaws if flaw.path}
    media = [read_medium(field, sent) for field in MEDIA if field in sent and field not in broken]
    flaws += [each for each in media if isinstance(each, Flaw)]
    flaws += webhook_flaws(sent)
    flaws += model.rules(sent) if model.rules else ()
    if flaws:
        raise invalid(in_order(flaws, model.body))
    inputs, unused = chosen(tuple(each for each in media if isinstance(each, Input)))
    return Submission(
        generation=generation(model, sent, inputs),
        webhook=sent.get("webhook_url"),
        fields=names_for(model.body),
        notes=(*notes, *unused),
    )


def read_fields(body: bytes, type: type[Struct]) -> tuple[Json, list[Flaw]]:
    """The fields that were sent, by name, and what is wrong with them. Raises Problem when there are none to read.

    A body with flaws is read all the same, so that the rules between fields are told with the rest.
    """
    try:
        struct = read_body(body, type)
    except Problem as problem:
        if any(not flaw.path for flaw in problem.flaws):  # no JSON, or no object
            raise
        value, flaws = read_json(body), list(problem.flaws)
    else:
        names = type.__struct_fields__
        return {name: value for name in names if (value := getattr(struct, name)) is not None}, []
    return {name: value[name] for name in type.__struct_fields__ if value.get(name) is not None}, flaws


def without_placeholders(sent: Json) -> tuple[Json, tuple[str, ...]]:
    idle = [name for name, value in sent.items() if value == PLACEHOLDER and name.endswith("_url")]
    if not idle:
        return sent, ()
    notes = tuple(f'{name}: the documentation\'s placeholder "{PLACEHOLDER}" counts as not sent' for name in idle)
    return {name: value for name, value in sent.items() if name not in idle}, notes


def read_medium(field: str, sent: Json) -> Input | Flaw:
    """The file that a field names, or why it names none."""
    text, medium = str(sent[field]), MEDIA[field]
    if not medium.inline and (fault := link_fault(text)):
        return custom_flaw((field,), f"{fault}; files are taken as links here, not inline")
    if text[:4].lower() == "http" and SCHEME.match(text) and (fault := link_fault(text)):
        return custom_flaw((field,), fault)
    limits = clip_limits(sent) if medium.role is Role.VIDEO else medium.limits
    try:
        return source(text, role=medium.role, field=field, limits=limits, bare_base64=medium.inline)
    except BadSource as error:
        return custom_flaw((field,), f"Value error, {error}")


def clip_limits(sent: Json) -> MediaLimits:
    """The clip to continue counts in `duration`: it cannot be longer than what is asked for."""
    total, longest = sent.get("duration"), WAN_VIDEO.max_seconds
    if not isinstance(total, int) or longest is None or total >= longest:
        return WAN_VIDEO
    return msgspec.structs.replace(WAN_VIDEO, max_seconds=float(total))


SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
CONTROL = re.compile(r"[\x00-\x20\x7f]")


def link_fault(text: str) -> str | None:
    """Why a text is no HTTP(S) URL, in pydantic's words."""
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


def webhook_flaws(sent: Json) -> Iterator[Flaw]:
    url = sent.get("webhook_url")
    if isinstance(url, str) and (fault := link_fault(url)):
        yield custom_flaw(("webhook_url",), fault)


def wan_rules(sent: Json) -> Iterator[Flaw]:
    """WAN 2.7 starts from a picture or from a clip; the last frame alone is no start."""
    if "start_image_url" in sent or "video_url" in sent:
        return
    if "end_image_url" in sent:
        message = "Value error, end_image_url needs start_image_url or video_url beside it"
        yield custom_flaw(("end_image_url",), message)
    else:
        yield custom_flaw(("start_image_url",), "Field required: send start_image_url, or video_url to continue a clip")


def in_order(flaws: list[Flaw], type: type[Struct]) -> tuple[Flaw, ...]:
    """As the body's fields are declared, which is the order in which a validator would meet them."""
    rank = {name: number for number, name in enumerate(type.__struct_fields__)}
    return tuple(sorted(flaws, key=lambda flaw: rank.get(str(flaw.path[0]), 0) if flaw.path else -1))


def chosen(inputs: tuple[Input, ...]) -> tuple[tuple[Input, ...], tuple[str, ...]]:
    """A first frame and a clip to continue exclude each other; the vendor's own example carries both."""
    clip = next((each for each in inputs if each.role is Role.VIDEO), None)
    if clip is None or not any(each.role is Role.FIRST_FRAME for each in inputs):
        return inputs, ()
    note = f"{clip.field} was not used: start_image_url decides; send {clip.field} without it to continue a clip"
    return tuple(each for each in inputs if each is not clip), (note,)


def generation(model: Model, sent: Json, inputs: tuple[Input, ...]) -> Generation:
    continues = any(each.role is Role.VIDEO for each in inputs)
    return Generation(
        operation=Operation.VIDEO_EXTENSION if continues else model.operation,
        model=model.name,
        inputs=inputs,
        extra=extra(sent),
        **{ours: sent[theirs] for theirs, ours in PLAIN.items() if theirs in sent},
        **frame(sent),
    )


def frame(sent: Json) -> Json:
    if "resolution" in sent:
        return {"resolution": RESOLUTIONS[sent["resolution"]]}
    if "ratio" not in sent:
        return {}
    width, _, height = sent["ratio"].partition(":")
    return {"width": int(width), "height": int(height)}


def extra(sent: Json) -> Json:
    """What a Generation has no field for: a shape without a size goes by the name "ratio"."""
    settings: WanSettings | None = sent.get("additional_settings")
    found = {"ratio": sent.get("aspect_ratio"), "prompt_extend": settings.prompt_extend if settings else None}
    return {name: value for name, value in found.items() if value is not None}


@cache
def names_for(body: type[Struct]) -> dict[str, str]:
    fields = body.__struct_fields__
    names = {ours: said for ours, (field, said) in NAMES.items() if field in fields}
    return names | ({Role.FIRST_FRAME.value: "image"} if "image" in fields else {})


def credential(request: HttpRequest) -> str | None:
    old, new = KEY_HEADERS
    return request.headers.get(old, "").strip() or request.headers.get(new, "").strip() or None


# -- answering -------------------------------------------------------------------

Status = Literal["CREATED", "IN_PROGRESS", "COMPLETED", "FAILED"]

STATUSES: dict[State, Status] = {
    State.QUEUED: "CREATED",
    State.RUNNING: "IN_PROGRESS",
    State.SUCCEEDED: "COMPLETED",
    State.FAILED: "FAILED",
    State.CANCELED: "FAILED",  # the vendor has no word for it, and clients know these four only
}

Uuid = Annotated[str, Meta(extra_json_schema={"format": "uuid"})]


class Task(Struct, frozen=True, kw_only=True):
    task_id: Uuid
    status: Status
    generated: tuple[str, ...] = ()
    error: str | UnsetType = UNSET  # ours: why it FAILED


class TaskAnswer(Struct, frozen=True, kw_only=True):
    data: Task


class ListedTask(Struct, frozen=True, kw_only=True):
    task_id: Uuid
    status: Status


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


def render_job(job: Job, _request: HttpRequest) -> HttpResponse:
    return json_response(TaskAnswer(data=task(job)))


def render_list(jobs: tuple[Job, ...], _request: HttpRequest) -> HttpResponse:
    listed = (ListedTask(task_id=uuid4_form(job.id), status=STATUSES[job.state]) for job in jobs)
    return json_response(TaskListAnswer(data=tuple(listed)))


def render_webhook(job: Job) -> bytes | None:
    """The answer of the GET without its envelope. What the operator cancels is told as a read tells it, as FAILED."""
    if job.state is State.QUEUED:
        return None
    return msgspec.json.encode(task(job))


def answer_headers(allowance: Allowance) -> Headers:
    """No page of the vendor names them; these are the ones that clients read."""
    return {
        "x-ratelimit-limit": str(allowance.limit),
        "x-ratelimit-remaining": str(allowance.remaining),
        "x-ratelimit-reset": str(math.ceil(allowance.reset_seconds)),
    }


# -- lists -----------------------------------------------------------------------


class ListQuery(Struct, frozen=True, kw_only=True):
    page: Annotated[int, Meta(ge=1, le=1_000_000_000)] = 1
    per_page: Annotated[int, Meta(ge=1, le=100)] = 20


WHOLE = re.compile(r"-?[0-9]{1,18}", re.ASCII)


def parse_page(request: HttpRequest) -> Page:
    """Raises Problem(INVALID)."""
    texts = {name: request.query[name] for name in ListQuery.__struct_fields__ if name in request.query}
    values = {name: int(text) if WHOLE.fullmatch(text) else text for name, text in texts.items()}
    flaws = tuple(walk(values, schema(ListQuery), ()))
    if flaws:
        raise invalid(flaws)
    query = msgspec.convert(values, ListQuery)
    return Page(number=query.page, size=query.per_page)


# -- uploads ---------------------------------------------------------------------

# fmt: off
UploadType = Literal[
    "image/png", "image/jpeg", "image/webp",
    "video/mp4", "video/webm", "video/quicktime",
    "audio/mpeg", "audio/wav", "audio/mp4", "audio/webm", "audio/ogg",
]
# fmt: on
UPLOAD_BYTES = 1024 * MIB
UPLOAD_SLOT_SECONDS = 120.0
UPLOAD_KEPT_SECONDS = 7 * 86400.0


class WishedFile(Struct, frozen=True, kw_only=True):
    content_type: UploadType


class UploadRequest(Struct, frozen=True, kw_only=True):
    files: Annotated[tuple[WishedFile, ...], Meta(min_length=1, max_length=14)]


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


def parse_uploads(request: HttpRequest) -> tuple[UploadWish, ...]:
    """Raises Problem(INVALID)."""
    return tuple(
        UploadWish(
            media_type=file.content_type,
            min_bytes=1,
            max_bytes=UPLOAD_BYTES,
            keep_seconds=UPLOAD_KEPT_SECONDS,
            slot_seconds=UPLOAD_SLOT_SECONDS,
        )
        for file in read_body(request.body, UploadRequest).files
    )


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
            asset_url_expires_at=moment(each.asset_url_expires),
            expires_at=moment(each.expires),
        )
        for each in uploads
        if each.asset is not None
    )
    return json_response(UploadListAnswer(files=tuple(files)))


def moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


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


def render_problem(problem: Problem, request: HttpRequest) -> HttpResponse:
    status = ERROR_STATUS[problem.kind]
    message = message_of(problem, status, request)
    params = invalid_params(problem, "query" if request.method == "GET" else "body") if status == 400 else ()
    told = message == problem.message or any(problem.message == each.reason for each in params) or problem.flaws
    answer = ErrorAnswer(
        message=message, invalid_params=params or UNSET, detail=UNSET if told else problem.message or UNSET
    )
    headers = {} if problem.retry_after is None else {"retry-after": str(math.ceil(problem.retry_after))}
    return json_response(answer, status, headers)


def message_of(problem: Problem, status: int, request: HttpRequest) -> str:
    if problem.kind is Kind.UNAUTHENTICATED:
        return "Invalid API key" if credential(request) else "Missing API key"
    if problem.kind is Kind.INVALID and (problem.flaws or problem.field) and not is_unreadable(problem):
        return "Validation error"
    return FIXED_MESSAGES.get(status) or problem.message


def is_unreadable(problem: Problem) -> bool:
    return any(flaw.rule is Rule.JSON for flaw in problem.flaws)


def invalid_params(problem: Problem, where: str) -> tuple[InvalidParam, ...]:
    if is_unreadable(problem):
        return ()
    if problem.flaws:
        return tuple(param(".".join(map(str, flaw.path)), where, reason(flaw)) for flaw in problem.flaws)
    if problem.field and (problem.kind is Kind.INVALID or problem.field.partition(".")[0] in BODY_FIELDS):
        return (param(problem.field, where, problem.message),)
    return ()


def param(name: str, where: str, reason: str) -> InvalidParam:
    return InvalidParam(field=f"{where}.{name}" if name else where, name=name or where, reason=reason)


TYPE_REASONS = {
    "string": "Input should be a valid string",
    "integer": "Input should be a valid integer",
    "number": "Input should be a valid number",
    "boolean": "Input should be a valid boolean",
    "array": "Input should be a valid list",
    "object": "Input should be a valid dictionary or object to extract fields from",
}


def reason(flaw: Flaw) -> str:
    """A flaw in the words of pydantic 2, which the vendor's answers carry."""
    match flaw.rule:
        case Rule.REQUIRED:
            return "Field required"
        case Rule.TYPE:
            return TYPE_REASONS.get(str(flaw.bound), f"Input should be {flaw.bound}")
        case Rule.CHOICE | Rule.NO_MATCH:
            return f"Input should be {either(flaw.bound)}"
        case Rule.MINIMUM:
            return f"Input should be greater than or equal to {flaw.bound}"
        case Rule.MAXIMUM:
            return f"Input should be less than or equal to {flaw.bound}"
        case Rule.MIN_LENGTH:
            return f"String should have at least {counted(flaw.bound, 'character')}"
        case Rule.MAX_LENGTH:
            return f"String should have at most {counted(flaw.bound, 'character')}"
        case Rule.MIN_ITEMS:
            return f"List should have at least {counted(flaw.bound, 'item')} after validation, not {flaw.found}"
        case Rule.MAX_ITEMS:
            return f"List should have at most {counted(flaw.bound, 'item')} after validation, not {flaw.found}"
        case Rule.PATTERN:
            return f"String should match pattern '{flaw.bound}'"
        case Rule.UNKNOWN_KEY:
            return "Extra inputs are not permitted"
        case Rule.JSON | Rule.CUSTOM:
            return flaw.message or "Value error"


def either(values: tuple[Any, ...]) -> str:
    *first, last = [repr(value) for value in values]
    return f"{', '.join(first)} or {last}" if first else last


def counted(figure: int, noun: str) -> str:
    return f"{figure} {noun}" if figure == 1 else f"{figure} {noun}s"


# -- the models, and the routes that follow from them ------------------------------

MODELS = (
    Model(
        route="image-to-video/runway-4-5",
        name="gen4.5",
        operation=Operation.IMAGE_TO_VIDEO,
        body=RunwayImageToVideo,
        title="Runway Gen 4.5, video from a picture",
    ),
    Model(
        route="text-to-video/runway-4-5",
        name="gen4.5",
        operation=Operation.TEXT_TO_VIDEO,
        body=RunwayTextToVideo,
        title="Runway Gen 4.5, video from text",
    ),
    Model(
        route="image-to-video/runway-gen4-turbo",
        name="gen4_turbo",
        operation=Operation.IMAGE_TO_VIDEO,
        body=RunwayGen4Turbo,
        title="Runway Gen 4 Turbo, video from a picture",
    ),
    Model(
        route="text-to-image/runway",
        name="gen4_image",
        operation=Operation.TEXT_TO_IMAGE,
        body=RunwayTextToImage,
        title="Runway, picture from text",
    ),
    Model(
        route="image-to-video/wan-2-7",
        name="wan-2.7",
        operation=Operation.IMAGE_TO_VIDEO,
        body=WanImageToVideo,
        title="WAN 2.7, video from a picture, or a clip continued",
        rules=wan_rules,
        published=WanImageToVideoBody,
    ),
    Model(
        route="text-to-video/wan-2-7",
        name="wan-2.7",
        operation=Operation.TEXT_TO_VIDEO,
        body=WanTextToVideo,
        title="WAN 2.7, video from text",
    ),
)

BODY_FIELDS = frozenset(name for model in MODELS for name in model.body.__struct_fields__)


def routes_of(model: Model) -> tuple[Route, ...]:
    """A task is made, listed and read under the path of its model; there is no other way to it."""
    path = ROOT + model.route
    return (
        Route(
            verb=Verb.SUBMIT,
            at=f"POST {path}",
            route=model.route,
            parse=partial(parse_submission, model),
            render=render_job,
            body=model.published or model.body,
            answer=TaskAnswer,
            summary=f"{model.title}: create a task",
        ),
        Route(
            verb=Verb.LIST,
            at=f"GET {path}",
            route=model.route,
            parse=parse_page,
            render=render_list,
            answer=TaskListAnswer,
            query=ListQuery,
            summary=f"{model.title}: list the tasks, newest first",
        ),
        Route(
            verb=Verb.SHOW,
            at=f"GET {path}/{{id}}",
            route=model.route,
            render=render_job,
            answer=TaskAnswer,
            summary=f"{model.title}: read a task",
        ),
    )


UPLOAD_ROUTES = (
    Route(
        verb=Verb.OPEN_UPLOADS,
        at=f"POST {ROOT}uploads/request-url",
        parse=parse_uploads,
        render=render_uploads,
        body=UploadRequest,
        answer=UploadAnswer,
        summary="Open upload slots for local files",
    ),
    Route(
        verb=Verb.LIST_UPLOADS,
        at=f"GET {ROOT}uploads",
        render=render_upload_list,
        answer=UploadListAnswer,
        summary="List the uploaded files, with fresh links",
    ),
)

WIRE = Wire(
    name=NAME,
    title="Freepik / Magnific AI API",
    docs="https://docs.freepik.com/api-reference",
    roots=(ROOT,),
    routes=(*(route for model in MODELS for route in routes_of(model)), *UPLOAD_ROUTES),
    render_problem=render_problem,
    credential=credential,
    public_id=uuid4_form,
    job_id=from_uuid4_form,
    render_webhook=render_webhook,
    answer_headers=answer_headers,
    problem_schema=ErrorAnswer,
    security={"type": "apiKey", "in": "header", "name": KEY_HEADERS[0]},
)
