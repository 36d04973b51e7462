"""Everything that can go wrong, as a closed list of kinds that every wire knows how to say."""

import errno
from enum import StrEnum
from typing import Any

from msgspec import Struct


class Kind(StrEnum):
    """What sort of trouble it is (MEANING has a sentence for each); the problem's message says the rest."""

    INVALID = "invalid"
    UNSUPPORTED = "unsupported"
    BAD_MEDIA = "bad_media"
    UNREACHABLE_MEDIA = "unreachable_media"
    TOO_LARGE = "too_large"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    WRONG_METHOD = "wrong_method"
    CONFLICT = "conflict"
    RATE_LIMITED = "rate_limited"
    QUOTA_EXCEEDED = "quota_exceeded"
    OVER_BUDGET = "over_budget"
    REFUSED = "refused"
    ENGINE_FAILED = "engine_failed"
    UPSTREAM_FAILED = "upstream_failed"
    SUBMISSION_UNKNOWN = "submission_unknown"
    TIMED_OUT = "timed_out"
    UNAVAILABLE = "unavailable"
    INTERNAL = "internal"


KINDS = frozenset(kind.value for kind in Kind)

MEANING: dict[Kind, str] = {
    Kind.INVALID: "The request is malformed; every bad field is listed.",
    Kind.UNSUPPORTED: "Well formed, but no engine of this server can do it.",
    Kind.BAD_MEDIA: "An input file is not what the vendor accepts.",
    Kind.UNREACHABLE_MEDIA: "An input file could not be fetched.",
    Kind.TOO_LARGE: "The request body exceeds the server's limit.",
    Kind.UNAUTHENTICATED: "The key is missing or wrong.",
    Kind.FORBIDDEN: "The key, or the signed link, does not allow this.",
    Kind.NOT_FOUND: "There is no such task, path or model.",
    Kind.WRONG_METHOD: "The path exists, but not for this HTTP method.",
    Kind.CONFLICT: "It contradicts what is there already.",
    Kind.RATE_LIMITED: "Too many requests; come back later.",
    Kind.QUOTA_EXCEEDED: "The day's share of this model is used up.",
    Kind.OVER_BUDGET: "The key's budget does not cover it.",
    Kind.REFUSED: "Content policy.",
    Kind.ENGINE_FAILED: "The engine could not make it.",
    Kind.UPSTREAM_FAILED: "The vendor behind the engine failed.",
    Kind.SUBMISSION_UNKNOWN: "The answer to a paid request was lost, and nothing tells whether it arrived.",
    Kind.TIMED_OUT: "It took too long.",
    Kind.UNAVAILABLE: "The server is shutting down, or its store cannot be used.",
    Kind.INTERNAL: "A fault of the server; its log has the details.",
}


STATUS: dict[Kind, int] = {
    Kind.INVALID: 400,
    Kind.UNSUPPORTED: 400,
    Kind.BAD_MEDIA: 400,
    Kind.UNREACHABLE_MEDIA: 400,
    Kind.TOO_LARGE: 413,
    Kind.UNAUTHENTICATED: 401,
    Kind.FORBIDDEN: 403,
    Kind.NOT_FOUND: 404,
    Kind.WRONG_METHOD: 405,
    Kind.CONFLICT: 409,
    Kind.RATE_LIMITED: 429,
    Kind.QUOTA_EXCEEDED: 429,
    Kind.OVER_BUDGET: 402,
    Kind.REFUSED: 400,
    Kind.ENGINE_FAILED: 500,
    Kind.UPSTREAM_FAILED: 502,
    Kind.SUBMISSION_UNKNOWN: 502,
    Kind.TIMED_OUT: 504,
    Kind.UNAVAILABLE: 503,
    Kind.INTERNAL: 500,
}
"""The HTTP status of each kind, where a vendor does not say otherwise."""


class Rule(StrEnum):
    """Which rule of a body's schema was broken. `Flaw.bound` holds the rule's own figure or list."""

    REQUIRED = "required"
    TYPE = "type"  # bound: "string", "integer", "number", "boolean", "object", "array"
    CHOICE = "choice"  # bound: the tuple of values that would have been right
    MINIMUM = "minimum"
    MAXIMUM = "maximum"
    MIN_LENGTH = "min_length"
    MAX_LENGTH = "max_length"
    MIN_ITEMS = "min_items"
    MAX_ITEMS = "max_items"
    PATTERN = "pattern"  # bound: the regular expression
    UNKNOWN_KEY = "unknown_key"
    NO_MATCH = "no_match"  # a discriminator names no known variant; bound: the known ones
    JSON = "json"  # the body is not JSON at all
    CUSTOM = "custom"  # `message` says it


class Flaw(Struct, frozen=True, kw_only=True):
    """One thing that is wrong with a request body. Each wire puts it in its vendor's words."""

    path: tuple[str | int, ...]
    rule: Rule
    bound: Any = None
    found: Any = None  # the kind of value that was there: "undefined", "string", "number", …
    message: str | None = None  # set for CUSTOM; otherwise the wire words it
    known: tuple[str, ...] = ()  # the values of a discriminator that is missing or no text
    place: str = "body"  # or "query"


class Problem(Exception):
    """A failure with a kind, told to the caller in the words of their wire.

    `message` is for the caller: what was wrong and what would have been right. Secrets, paths and
    tracebacks stay in the log. `field` is the name of the request's field as the caller wrote it.
    """

    def __init__(
        self,
        kind: Kind,
        message: str,
        *,
        field: str | None = None,
        retry_after: float | None = None,
        flaws: tuple[Flaw, ...] = (),
    ) -> None:
        super().__init__(message)
        self.kind, self.message, self.field = kind, message, field
        self.retry_after, self.flaws = retry_after, flaws

    @property
    def status(self) -> int:
        return STATUS[self.kind]


def custom_flaw(path: tuple[str | int, ...], message: str) -> Flaw:
    return Flaw(path=path, rule=Rule.CUSTOM, message=message)


KEY_EXPIRED = "This API key has expired"
TOKEN_EXPIRED = "This token has expired: its exp lies behind; sign a new one"  # noqa: S105
TOKEN_EARLY = "This token is not valid yet: its nbf lies ahead"  # noqa: S105
"""What is told of a credential out of its time, which some vendors have codes of their own for."""

RESOURCE_ERRORS = {
    errno.ENOSPC: "its disk is full",
    errno.EDQUOT: "its share of the disk is used up",
    errno.EFBIG: "a file may not grow as large",
    errno.EROFS: "its disk may not be written",
    errno.EIO: "its disk reports an error",
    errno.EMFILE: "it has too many files open",
    errno.ENFILE: "the system has too many files open",
}
"""Failures of the system that pass, and are nobody's request or job."""


class Unavailable(Problem):
    """The server cannot do it for now, as with a full disk: nothing was decided about the request or the job, and it
    can be tried again."""

    def __init__(self, message: str) -> None:
        super().__init__(Kind.UNAVAILABLE, message, retry_after=5.0)


class Occupied(Problem):
    """The account sends one job at a time, and of another one nobody knows yet whether it arrived."""

    def __init__(self, account: str) -> None:
        super().__init__(Kind.UNAVAILABLE, f"It is being found out what became of another submission by {account}.")


def as_unavailable(error: BaseException) -> Unavailable | None:
    """The problem to report where the system ran out of something; None for any other failure."""
    if isinstance(error, Unavailable):
        return error
    reason = RESOURCE_ERRORS.get(error.errno or 0) if isinstance(error, OSError) else None
    return None if reason is None else Unavailable(f"The server cannot do this now: {reason}.")
