"""What Freepik answers, as both ends of the wire read it: tasks, upload slots, and what is wrong with a body."""

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from mutoscope.model.job import State
from mutoscope.model.problem import Flaw, Rule

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
