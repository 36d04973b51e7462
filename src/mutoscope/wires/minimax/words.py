"""What all of MiniMax's API shares: codes inside answers of status 200, ids of digits, its first version's errors."""

from typing import Any

from msgspec import Struct

from mutoscope.model.job import Failure, Job, Json
from mutoscope.model.problem import Kind, Problem
from mutoscope.wirekit.paths import at
from mutoscope.wirekit.queries import named

CODES: dict[Kind, int] = {
    Kind.INVALID: 2013,
    Kind.UNSUPPORTED: 2013,
    Kind.BAD_MEDIA: 2013,
    Kind.UNREACHABLE_MEDIA: 2013,
    Kind.TOO_LARGE: 2013,
    Kind.UNAUTHENTICATED: 1004,
    Kind.FORBIDDEN: 1004,
    Kind.NOT_FOUND: 2013,
    Kind.WRONG_METHOD: 2013,
    Kind.CONFLICT: 2013,
    Kind.RATE_LIMITED: 1002,
    Kind.QUOTA_EXCEEDED: 2056,
    Kind.OVER_BUDGET: 1008,
    Kind.REFUSED: 1026,
    Kind.ENGINE_FAILED: 1000,
    Kind.UPSTREAM_FAILED: 1033,
    Kind.SUBMISSION_UNKNOWN: 1000,
    Kind.TIMED_OUT: 1001,
    Kind.UNAVAILABLE: 1024,
    Kind.INTERNAL: 1000,
}
KINDS: dict[int, Kind] = {
    1002: Kind.RATE_LIMITED,
    1004: Kind.UNAUTHENTICATED,
    1008: Kind.QUOTA_EXCEEDED,
    1026: Kind.REFUSED,
    1027: Kind.REFUSED,
    1039: Kind.INVALID,
    1041: Kind.RATE_LIMITED,
    1042: Kind.INVALID,
    2013: Kind.INVALID,
    2049: Kind.UNAUTHENTICATED,
    2056: Kind.QUOTA_EXCEEDED,
}
"""Of the codes that the vendor tells; any other is its own failure."""
OUTPUT_SENSITIVE = 1027


class BaseResp(Struct, kw_only=True):
    status_code: int = 0
    status_msg: str = "success"


class Quiet(Struct, kw_only=True):
    """The first version's error: of status 200, with the members empty that clients look for."""

    base_resp: BaseResp
    task_id: str = ""


class Error(Struct, kw_only=True):
    """An error of either version, for the published description."""

    base_resp: BaseResp | None = None
    task_id: str | None = None
    type: str | None = None
    error: dict[str, Any] | None = None
    request_id: str | None = None


def quiet_error(problem: Problem, _status: int) -> Quiet:
    code = CODES[problem.kind]
    message = f"invalid params, {problem.message}" if code == CODES[Kind.INVALID] else problem.message
    return Quiet(base_resp=BaseResp(status_code=code, status_msg=message))


def failed(failure: Failure | None) -> BaseResp:
    """Why a job failed: nothing else of the answer says it."""
    if failure is None:
        return BaseResp(status_code=CODES[Kind.ENGINE_FAILED], status_msg="The task was canceled.")
    code = OUTPUT_SENSITIVE if failure.kind is Kind.REFUSED else CODES[failure.kind]
    return BaseResp(status_code=code, status_msg=failure.message)


def fault(answer: Json) -> Problem | None:
    """The trouble that a code tells, where the answer is not that of a task which failed."""
    code = at(answer, "base_resp.status_code")
    if not isinstance(code, int) or isinstance(code, bool) or code == 0 or answer.get("status") in ("Fail", "Failed"):
        return None
    why = str(at(answer, "base_resp.status_msg") or "no reason given")[:400]
    return Problem(KINDS.get(code, Kind.UPSTREAM_FAILED), f"MiniMax answered {code}: {why}")


# -- ids of digits -----------------------------------------------------------------------

VARIANT = 0b10 << 62
VERSION = 0x7 << 76
LONGEST_ID = len(str(1 << 122))
COUNTED = 13  # bits by which jobs of one millisecond are told apart
BEGIN = 1_577_836_800_000  # 2020-01-01 in milliseconds: what is counted from then stays below 2^53 until 2054


def digits(id: str) -> str:
    """Our UUIDv7 without its six fixed bits, as a decimal number."""
    number = int(id.replace("-", ""), 16)
    return str(number >> 80 << 74 | (number >> 64 & 0xFFF) << 62 | number & (1 << 62) - 1)


def from_digits(public: str) -> str | None:
    """The inverse of `digits`; None when the text cannot be one."""
    if not (public.isascii() and public.isdecimal()) or public[0] == "0" or len(public) > LONGEST_ID:
        return None
    if (number := int(public)) >> 122:
        return None
    whole = number >> 74 << 80 | VERSION | (number >> 62 & 0xFFF) << 64 | VARIANT | number & (1 << 62) - 1
    text = f"{whole:032x}"
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def file_id(job: Job) -> int:
    """The id of a job's file: when the job was made, and its place among those of that millisecond.

    Clients read it as a number, some into the 53 bits of a JavaScript one, so that it cannot hold the whole id.
    """
    number = int(job.id.replace("-", ""), 16)
    return ((number >> 80) - BEGIN << COUNTED) + (number >> 32 & (1 << COUNTED) - 1)


def made_at(file_id: int) -> float:
    """Unix seconds."""
    return ((file_id >> COUNTED) + BEGIN) / 1000


# -- who asks ------------------------------------------------------------------------------


task_id = named("task_id")
