"""Freepik's AI API, since 2026 also Magnific's: one path per model, a task, `generated` links.

Read `MODELS` in `bodies.py` first, one row each, then the foot of this file: the routes that follow.
"""

import math
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cache, partial
from urllib.parse import urlsplit

import msgspec
from msgspec import UNSET, Struct

from mutoscope.model.http import Headers, HttpRequest, HttpResponse, json_response
from mutoscope.model.job import Generation, Input, Job, Json, Operation, Role, State
from mutoscope.model.problem import STATUS, Flaw, Kind, Problem, Rule, custom_flaw
from mutoscope.model.requests import Allowance, Page, Submission, Upload, UploadWish
from mutoscope.wirekit.body import invalid, outside_body, read_body, read_json, schema, unread, walk
from mutoscope.wirekit.ids import from_uuid4_form, uuid4_form
from mutoscope.wirekit.media import LINK, BadSource, source
from mutoscope.wirekit.routes import Create, List, ListUploads, OpenUploads, Read, Route
from mutoscope.wirekit.wire import Wire
from mutoscope.wires._wan import clip_limits
from mutoscope.wires.freepik.answers import (
    STATUSES,
    ErrorAnswer,
    InvalidParam,
    ListedTask,
    Task,
    TaskAnswer,
    TaskListAnswer,
    UploadAnswer,
    UploadedFile,
    UploadListAnswer,
    UploadTicket,
    reason,
)
from mutoscope.wires.freepik.back import BACK
from mutoscope.wires.freepik.bodies import (
    BODY_FIELDS,
    KEY_HEADERS,
    MEDIA,
    MODELS,
    OTHER_MODEL,
    OURS,
    PLAIN,
    RESOLUTIONS,
    ROOT,
    UPLOAD_BYTES,
    UPLOAD_KEPT_SECONDS,
    UPLOAD_SLOT_SECONDS,
    ListQuery,
    Model,
    UploadRequest,
    WanSettings,
)

NAME = "freepik"
PLACEHOLDER = "<string>"
"""What the vendor's own documentation shows for a URL that is not sent; people post its examples as they stand."""


# -- asking ----------------------------------------------------------------------


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
        notes=(*notes, *unused, *unread(request.body, model.body, model.route)),
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
    limits = medium.limits
    if medium.role is Role.VIDEO:
        total = sent.get("duration")
        limits = clip_limits(total if isinstance(total, int) else None)
    try:
        return source(text, role=medium.role, field=field, limits=limits, bare_base64=medium.inline)
    except BadSource as error:
        return custom_flaw((field,), f"Value error, {error}")


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
    names = {ours: field for field in body.__struct_fields__ for ours in OURS.get(field, ()) if ours != field}
    names["webhook"] = "webhook_url"
    return names | ({"prompt_extend": "additional_settings.prompt_extend"} if "prompt_extend" in names else {})


def credential(request: HttpRequest) -> str | None:
    old, new = KEY_HEADERS
    return request.headers.get(old, "").strip() or request.headers.get(new, "").strip() or None


# -- answering -------------------------------------------------------------------


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


class Loras(Struct, frozen=True, kw_only=True):
    default: tuple[str, ...] = ()
    customs: tuple[str, ...] = ()


EMPTY_LISTS = {"loras": Loras(), "apps": (), "flows": (), "me/flows": ()}
"""Lists of the vendor's that are always empty here, at which clients try their keys."""


def absent(request: HttpRequest) -> HttpResponse | None:
    """A list of what there is none of here: of the vendor's other things, and of the tasks of its other models."""
    path = request.path.removeprefix(f"/{NAME}").removeprefix(ROOT).removesuffix("/")
    if request.method not in ("GET", "HEAD") or from_uuid4_form(path.rpartition("/")[2]):
        return None
    if path in EMPTY_LISTS:
        notes = f"this server has no {path}"
        return json_response({"data": EMPTY_LISTS[path]}, headers={"x-mutoscope-notes": notes})
    if OTHER_MODEL.fullmatch(path):
        notes = f"this server does not make {path}, so there are no tasks of it"
        return json_response(TaskListAnswer(data=()), headers={"x-mutoscope-notes": notes})
    return None


# -- uploads ---------------------------------------------------------------------


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
    where = outside_body(problem, request) or ("query" if request.method == "GET" else "body")
    params = invalid_params(problem, where) if status == 400 else ()
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


# -- the routes that follow from the models --------------------------------------


def routes_of(model: Model) -> tuple[Route, ...]:
    """A task is made, listed and read under the path of its model; there is no other way to it."""
    path = ROOT + model.route
    return (
        Create(
            at=f"POST {path}",
            route=model.route,
            parse=partial(parse_submission, model),
            render=render_job,
            body=model.published or model.body,
            answer=TaskAnswer,
            summary=f"{model.title}: create a task",
        ),
        List(
            at=f"GET {path}",
            route=model.route,
            parse=parse_page,
            render=render_list,
            answer=TaskListAnswer,
            query=ListQuery,
            summary=f"{model.title}: list the tasks, newest first",
        ),
        Read(
            at=f"GET {path}/{{id}}",
            route=model.route,
            render=render_job,
            answer=TaskAnswer,
            summary=f"{model.title}: read a task",
        ),
    )


UPLOAD_ROUTES = (
    OpenUploads(
        at=f"POST {ROOT}uploads/request-url",
        parse=parse_uploads,
        render=render_uploads,
        body=UploadRequest,
        answer=UploadAnswer,
        summary="Open upload slots for local files",
    ),
    ListUploads(
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
    absent=absent,
    security={"type": "apiKey", "in": "header", "name": KEY_HEADERS[0]},
    back=BACK,
)
