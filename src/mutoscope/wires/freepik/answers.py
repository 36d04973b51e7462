"""What Freepik answers: tasks, lists, upload slots, and what is wrong with a request."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from mutoscope.model.http import Headers, HttpRequest, HttpResponse, json_response
from mutoscope.model.job import Job, State
from mutoscope.model.problem import STATUS, Kind, Problem, Rule
from mutoscope.model.requests import Allowance, Upload
from mutoscope.wirekit.body import outside_body
from mutoscope.wirekit.flaws import pydantic
from mutoscope.wirekit.ids import uuid4_form
from mutoscope.wires.freepik.bodies import MODELS

KEY_HEADERS = ("x-freepik-api-key", "x-magnific-api-key")  # the old host's and the new one's

# -- tasks -----------------------------------------------------------------------

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


def told(job: Job) -> TaskAnswer:
    return TaskAnswer(data=task(job))


def render_list(jobs: tuple[Job, ...], _request: HttpRequest) -> HttpResponse:
    listed = (ListedTask(task_id=uuid4_form(job.id), status=STATUSES[job.state]) for job in jobs)
    return json_response(TaskListAnswer(data=tuple(listed)))


def answer_headers(allowance: Allowance) -> Headers:
    """No page of the vendor names them; these are the ones that clients read."""
    return {
        "x-ratelimit-limit": str(allowance.limit),
        "x-ratelimit-remaining": str(allowance.remaining),
        "x-ratelimit-reset": str(math.ceil(allowance.reset_seconds)),
    }


# -- uploads ---------------------------------------------------------------------


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


def credential(request: HttpRequest) -> str | None:
    old, new = KEY_HEADERS
    return request.headers.get(old, "").strip() or request.headers.get(new, "").strip() or None
