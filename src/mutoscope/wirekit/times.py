"""Moments and how a job ended, in the forms that several vendors share."""

from datetime import UTC, datetime

from mutoscope.model.job import Job, State
from mutoscope.model.problem import Kind, Problem


def milliseconds(seconds: float) -> int:
    return round(seconds * 1000)


def utc(seconds: float, timespec: str) -> str:
    """ISO 8601 with a Z at the end; `timespec`: seconds, milliseconds or microseconds."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec=timespec).replace("+00:00", "Z")


def why_ended(job: Job, canceled: str = "The task was canceled.") -> str | None:
    """Why there is no result, None where there may still be one."""
    if job.state is State.CANCELED:
        return canceled
    return job.failure.message if job.state is State.FAILED and job.failure else None


def unmade(job: Job, patience: float, place: str, canceled: str = "The job was canceled.") -> str | None:
    """For an answer that waits: None where the job is made; else it goes on, and that says so and where it is read.

    Raises Problem for what will not be made.
    """
    if job.state is State.SUCCEEDED:
        return None
    if job.failure:
        raise Problem(job.failure.kind, job.failure.message, field=job.failure.field)
    if job.state is State.CANCELED:
        raise Problem(Kind.ENGINE_FAILED, canceled)
    return f"Not made within {patience:g} seconds; it goes on as GET {place}."
