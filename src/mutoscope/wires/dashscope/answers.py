"""What DashScope answers, as both ends of the wire read it: tasks, their states, errors and their codes."""

import math
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

import msgspec
from msgspec import UNSET, Struct, UnsetType

from mutoscope.model.http import HttpRequest, HttpResponse, json_response
from mutoscope.model.job import Failure, Job, Json, State
from mutoscope.model.problem import STATUS, Flaw, Kind, Problem, Rule
from mutoscope.wirekit.answers import LONGEST_REASON, plain_text, refusal
from mutoscope.wirekit.body import UNREADABLE, body_of, dotted
from mutoscope.wirekit.flaws import plain
from mutoscope.wirekit.ids import request_id, uuid4_form
from mutoscope.wirekit.paths import at
from mutoscope.wirekit.task import OF_A_FIELD, bearer
from mutoscope.wirekit.times import milliseconds
from mutoscope.wires._wan import WORDS
from mutoscope.wires.dashscope.bodies import MODELS, VENDOR, word_of

# -- tasks -----------------------------------------------------------------------------

STATUSES = {
    State.QUEUED: "PENDING",
    State.RUNNING: "RUNNING",
    State.SUCCEEDED: "SUCCEEDED",
    State.FAILED: "FAILED",
    State.CANCELED: "CANCELED",
}
UNKNOWN = "UNKNOWN"  # there is no such task, or not any more
STATES = {word: state for state, word in STATUSES.items()} | {"SUSPENDED": State.QUEUED}
"""The vendor's words read the other way; the SDK knows a suspended task, and waits for it."""

CHINA = timezone(timedelta(hours=8))
"""The vendor's times name no zone; this is its own."""


class Output(Struct, frozen=True, kw_only=True):
    task_id: str
    task_status: str
    submit_time: str | UnsetType = UNSET
    scheduled_time: str | UnsetType = UNSET
    end_time: str | UnsetType = UNSET
    orig_prompt: str | UnsetType = UNSET
    video_url: str | UnsetType = UNSET
    code: str | UnsetType = UNSET
    message: str | UnsetType = UNSET


class Usage(Struct, frozen=True, kw_only=True):
    """What would be charged: seconds of a tier."""

    duration: float
    input_video_duration: float = 0
    output_video_duration: float
    video_count: int = 1
    SR: int | UnsetType = UNSET
    ratio: str | UnsetType = UNSET


class TaskAnswer(Struct, frozen=True, kw_only=True):
    request_id: str
    output: Output
    usage: Usage | UnsetType = UNSET


class CreatedOutput(Struct, frozen=True, kw_only=True):
    task_status: str
    task_id: str


class CreateAnswer(Struct, frozen=True, kw_only=True):
    output: CreatedOutput
    request_id: str


class CancelAnswer(Struct, frozen=True, kw_only=True):
    request_id: str


class ListedTask(Struct, frozen=True, kw_only=True):
    """Times are milliseconds since 1970."""

    task_id: str
    status: str
    model_name: str
    request_id: str
    user_api_unique_key: str
    gmt_create: int
    start_time: int | UnsetType = UNSET
    end_time: int | UnsetType = UNSET


class ListAnswer(Struct, frozen=True, kw_only=True):
    """`total` and `total_page` look one page ahead, no further."""

    total: int
    data: tuple[ListedTask, ...]
    total_page: int
    page_no: int
    page_size: int
    request_id: str


def task_answer(job: Job) -> TaskAnswer:
    return TaskAnswer(request_id=uuid4_form(job.id), output=output(job), usage=usage(job))


def output(job: Job) -> Output:
    code, message = reason_of(job) if job.state is State.FAILED else (UNSET, UNSET)
    made = next((each.url for each in job.outputs if each.url), None) if job.state is State.SUCCEEDED else None
    return Output(
        task_id=uuid4_form(job.id),
        task_status=STATUSES[job.state],
        submit_time=local_time(job.created),
        scheduled_time=UNSET if job.started is None else local_time(job.started),
        end_time=UNSET if job.finished is None else local_time(job.finished),
        orig_prompt=job.generation.prompt or UNSET,
        video_url=made or UNSET,
        code=code,
        message=message,
    )


def usage(job: Job) -> Usage | UnsetType:
    made = next(iter(job.outputs), None)
    if job.state is not State.SUCCEEDED or made is None:
        return UNSET
    wish, seconds = job.generation, made.seconds or job.generation.seconds or 0.0
    seconds = int(seconds) if seconds == int(seconds) else seconds
    shapes = MODELS[word_of(model_said(job))].shapes
    tier, shape = shapes.get((made.width or 0, made.height or 0), (None, None))
    tier = WORDS.get(wish.resolution or "", tier)
    return Usage(
        duration=seconds,
        output_video_duration=seconds,
        SR=int(tier[:-1]) if tier else UNSET,
        ratio=shape or UNSET,
    )


def listed(job: Job) -> ListedTask:
    said = model_said(job)
    return ListedTask(
        task_id=uuid4_form(job.id),
        status=STATUSES[job.state],
        model_name=said,
        request_id=uuid4_form(job.id),
        user_api_unique_key=f"apikey:v1:aigc:{MODELS[word_of(said)].group}:video-synthesis:{said}",
        gmt_create=milliseconds(job.created),
        start_time=UNSET if job.started is None else milliseconds(job.started),
        end_time=UNSET if job.finished is None else milliseconds(job.finished),
    )


def model_said(job: Job) -> str:
    """The model in the caller's word for it; in ours where the body was too long to be kept whole."""
    said, wish = body_of(job).get("model"), job.generation
    if isinstance(said, str) and word_of(said) in MODELS:
        return said
    usual = (each for each in MODELS.values() if each.name == wish.model)
    return next((each.word for each in usual if wish.operation in each.endpoint.makes.values()), next(iter(MODELS)))


def local_time(seconds: float) -> str:
    """2026-01-01 12:00:00.000"""
    return datetime.fromtimestamp(seconds, CHINA).replace(tzinfo=None).isoformat(" ", "milliseconds")


# -- errors ------------------------------------------------------------------------------


class ErrorAnswer(Struct, frozen=True, kw_only=True):
    code: str
    message: str
    request_id: str


ERRORS: Mapping[Kind, tuple[int, str]] = {
    Kind.INVALID: (400, "InvalidParameter"),
    Kind.UNSUPPORTED: (400, "InvalidParameter"),
    Kind.BAD_MEDIA: (400, "InvalidParameter"),
    Kind.UNREACHABLE_MEDIA: (400, "InvalidURL"),
    Kind.TOO_LARGE: (413, "BadRequest.TooLarge"),
    Kind.UNAUTHENTICATED: (401, "InvalidApiKey"),
    Kind.FORBIDDEN: (403, "AccessDenied"),
    Kind.NOT_FOUND: (404, "NotFound"),
    Kind.WRONG_METHOD: (405, "MethodNotAllowed"),
    Kind.CONFLICT: (409, "Conflict"),
    Kind.RATE_LIMITED: (429, "Throttling.RateQuota"),
    Kind.QUOTA_EXCEEDED: (429, "Throttling.AllocationQuota"),
    Kind.REFUSED: (400, "DataInspectionFailed"),
    Kind.OVER_BUDGET: (400, "Arrearage"),
    Kind.ENGINE_FAILED: (500, "InternalError"),
    # The vendor documents neither 502 nor 504 for these; what may have been paid for is 500, which its SDK does not
    # send again.
    Kind.UPSTREAM_FAILED: (500, "InternalError"),
    Kind.SUBMISSION_UNKNOWN: (500, "InternalError"),
    Kind.TIMED_OUT: (500, "RequestTimeOut"),
    Kind.UNAVAILABLE: (503, "ModelUnavailable"),
    Kind.INTERNAL: (500, "InternalError"),
}
NO_MODEL, TOO_LATE = "ModelNotFound", "UnsupportedOperation"

KINDS: Mapping[str, Kind] = {code: kind for kind, (_, code) in reversed(ERRORS.items())} | {
    "InternalError": Kind.UPSTREAM_FAILED,
    TOO_LATE: Kind.CONFLICT,
    "Arrearage": Kind.QUOTA_EXCEEDED,  # the account owes money
    "Model.AccessDenied": Kind.FORBIDDEN,
    "AllocationQuota.FreeTierOnly": Kind.QUOTA_EXCEEDED,
    NO_MODEL: Kind.NOT_FOUND,
    "Throttling": Kind.RATE_LIMITED,
}
"""The vendor's codes, of answers and of tasks, read by the other end; of kinds with one code, the first."""

SENTENCES: Mapping[Kind, str] = {
    Kind.UNAUTHENTICATED: "Invalid API-key provided.",
    Kind.RATE_LIMITED: "Requests rate limit exceeded, please try again later.",
    Kind.QUOTA_EXCEEDED: "Allocated quota exceeded, please increase your quota limit.",
    Kind.REFUSED: "Input or output data may contain inappropriate content.",
    Kind.OVER_BUDGET: "Access denied, please make sure your account is in good standing.",
}
"""What the vendor says of a kind, which some clients look for; ours follows."""
NOT_PENDING = "Failed to cancel the task, please confirm if the task is in PENDING status."
NO_KEY = "No API-key provided."


def reason_of(job: Job) -> tuple[str, str]:
    """Code and message of a task that failed; a code of the vendor's own wins."""
    if job.failure is None:
        return "InternalError", "The task failed."
    code = job.failure.code if job.failure.code in KINDS else ERRORS[job.failure.kind][1]
    return code or "InternalError", job.failure.message


def render_problem(problem: Problem, request: HttpRequest) -> HttpResponse:
    if problem.kind is Kind.NOT_FOUND and problem.field == "id" and request.method == "GET":
        return unknown_task(request)
    status, code = ERRORS[problem.kind]
    if problem.kind is Kind.NOT_FOUND and problem.field == "model":
        code = NO_MODEL
    if is_late_cancel(problem):
        status, code = 400, TOO_LATE
    answer = ErrorAnswer(code=code, message=message_of(problem, request), request_id=request_id(request))
    headers = {} if problem.retry_after is None else {"retry-after": str(max(math.ceil(problem.retry_after), 0))}
    return json_response(answer, status, headers)


def is_late_cancel(problem: Problem) -> bool:
    return problem.kind is Kind.CONFLICT and problem.field == "id"


def unknown_task(request: HttpRequest) -> HttpResponse:
    """To ask for a task that there is not is no error to this vendor, and an SDK that waits for one stops."""
    asked = Output(task_id=request.params.get("id", ""), task_status=UNKNOWN)
    return json_response(TaskAnswer(request_id=request_id(request), output=asked))


def message_of(problem: Problem, request: HttpRequest) -> str:
    told = "; ".join(f"{dotted(flaw.path)} {reason(flaw)}".strip() for flaw in problem.flaws) or problem.message
    if problem.field and problem.kind in OF_A_FIELD and problem.field not in told:
        told = f"{problem.field}: {told}"
    if problem.kind is Kind.UNAUTHENTICATED and not bearer(request):
        return f"{NO_KEY} {told}"
    if is_late_cancel(problem):
        return f"{NOT_PENDING} {told}"
    sentence = SENTENCES.get(problem.kind)
    return f"{sentence} {told}" if sentence else told


def reason(flaw: Flaw) -> str:
    if flaw.rule in (Rule.REQUIRED, Rule.TYPE) and flaw.known:
        return f"is required, one of {', '.join(flaw.known)}"
    return plain(flaw)


# -- errors read ---------------------------------------------------------------------------


LEFT_OPEN: dict[int, frozenset[Kind]] = {
    400: frozenset(kind for kind, status in STATUS.items() if status < 500 and status not in (401, 405)),
    403: frozenset({Kind.FORBIDDEN, Kind.QUOTA_EXCEEDED}),
    404: frozenset({Kind.NOT_FOUND}),
    429: frozenset({Kind.RATE_LIMITED, Kind.QUOTA_EXCEEDED}),
}
"""Statuses that leave it open what sort of trouble it is, with what a code may make of them."""


def complaint(response: HttpResponse) -> Problem:
    """What an error answer tells: its status is believed before its code."""
    said = said_in(response)
    kind = kind_of(text(said, "code"))
    kinds = {response.status: kind} if kind is not None and kind in LEFT_OPEN.get(response.status, ()) else None
    return refusal(response, pair(said), vendor=VENDOR, kinds=kinds)


def disguised(said: Json) -> Problem | None:
    """An error in the guise of a success."""
    if said.keys() & {"output", "data"} or not (told := pair(said)):
        return None
    return Problem(Kind.UPSTREAM_FAILED, f"{VENDOR} answered 200: {plain_text(told)}")


def failure_of(said: Json) -> Failure:
    """Why a task failed; where there is a pair at the root, it is the one that counts."""
    code, message = (text(said, name) or text(said, f"output.{name}") for name in ("code", "message"))
    why = message or code or "it gives no reason"
    return Failure(kind=kind_of(code) or Kind.UPSTREAM_FAILED, message=f"{VENDOR} could not make it: {why}", code=code)


def said_in(response: HttpResponse) -> Any:
    try:
        return msgspec.json.decode(response.body)
    except UNREADABLE:
        return None


def text(said: Any, path: str) -> str | None:
    found = at(said, path)
    return found if isinstance(found, str) and found else None


def pair(said: Any) -> str:
    return ": ".join(each[:LONGEST_REASON] for each in (text(said, "code"), text(said, "message")) if each)


def kind_of(code: str | None) -> Kind | None:
    """What a code means; one that is not known may be a case of one that is: InvalidParameter.Something."""
    return None if code is None else KINDS.get(code) or KINDS.get(code.partition(".")[0])
