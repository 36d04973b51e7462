"""Moments and how a job ended, in the forms that several vendors share."""

from datetime import UTC, datetime

from mutoscope.model.job import Job, State


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
