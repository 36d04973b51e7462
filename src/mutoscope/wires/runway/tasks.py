"""A job as Runway's task: one struct for each status."""

from typing import Any

from msgspec import UNSET, Struct, UnsetType

from mutoscope.model.job import Job, State
from mutoscope.model.problem import Kind
from mutoscope.wirekit.ids import uuid4_form
from mutoscope.wirekit.times import utc

STATUSES = {
    State.QUEUED: "PENDING",
    State.RUNNING: "RUNNING",
    State.SUCCEEDED: "SUCCEEDED",
    State.FAILED: "FAILED",
    State.CANCELED: "CANCELLED",
}
THROTTLED = "THROTTLED"
STATES = {status: state for state, status in STATUSES.items()} | {THROTTLED: State.QUEUED}
"""The vendor's words read the other way; a throttled task waits as a queued one does."""

FAILURE_CODES = {
    Kind.REFUSED: "SAFETY.INPUT.TEXT",
    Kind.BAD_MEDIA: "ASSET.INVALID",
    Kind.UNREACHABLE_MEDIA: "ASSET.INVALID",
    Kind.UPSTREAM_FAILED: "THIRD_PARTY.UNAVAILABLE",
    Kind.INVALID: "INPUT_PREPROCESSING.INTERNAL",
    Kind.UNSUPPORTED: "INPUT_PREPROCESSING.INTERNAL",
}
"""Everything else is INTERNAL. INTERNAL.BAD_OUTPUT.* would say that the output was judged and refused."""
UNKNOWN_FAILURE = "INTERNAL"


class EstimatedCost(Struct, frozen=True):
    credits: float


class Cost(Struct, frozen=True):
    credits: int


class Created(Struct, frozen=True, kw_only=True, rename="camel"):
    """The answer to every create."""

    id: str
    estimated_cost: EstimatedCost


class Task(Struct, kw_only=True, rename="camel", tag_field="status", tag=""):
    id: str
    created_at: str
    estimated_cost: EstimatedCost
    cost: Cost  # 0 until the task is final


class Pending(Task, tag="PENDING"): ...


class Throttled(Task, tag=THROTTLED): ...


class Running(Task, tag="RUNNING", kw_only=True):
    progress: float


class Succeeded(Task, tag="SUCCEEDED", kw_only=True):
    output: list[str]


class Failed(Task, tag="FAILED", kw_only=True):
    failure: str
    failure_code: str | UnsetType = UNSET


class Cancelled(Task, tag="CANCELLED"): ...


AnyTask = Pending | Throttled | Running | Succeeded | Failed | Cancelled


def created(job: Job) -> Created:
    return Created(id=uuid4_form(job.id), estimated_cost=EstimatedCost(job.estimate))


def task(job: Job) -> AnyTask:
    common: dict[str, Any] = {
        "id": uuid4_form(job.id),
        "created_at": utc(job.created, "milliseconds"),
        "estimated_cost": EstimatedCost(job.estimate),
        "cost": Cost(round(job.cost or 0)),
    }
    match job.state:
        case State.QUEUED:
            return Throttled(**common) if job.throttled else Pending(**common)
        case State.RUNNING:
            # the member is required while a task runs, also when nothing is known yet
            return Running(**common, progress=job.progress or 0.0)
        case State.SUCCEEDED:
            return Succeeded(**common, output=links(job))
        case State.FAILED:
            failure, code = failure_of(job)
            return Failed(**common, failure=failure, failure_code=code)
        case State.CANCELED:
            return Cancelled(**common)


def links(job: Job) -> list[str]:
    return [output.url for output in job.outputs if output.url]


def failure_of(job: Job) -> tuple[str, str]:
    """The reason for people and the code for programs; an upstream's own code wins."""
    if job.failure is None:
        return "The task failed.", UNKNOWN_FAILURE
    return job.failure.message, job.failure.code or FAILURE_CODES.get(job.failure.kind, UNKNOWN_FAILURE)
