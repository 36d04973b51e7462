"""Problems in Runway's words: an error text, and the issues that its schema validator reports."""

import math
import re
from collections.abc import Iterator
from typing import Any

from msgspec import UNSET, Struct, UnsetType

from mutoscope.model.http import Headers, HttpRequest
from mutoscope.model.problem import Flaw, Kind, Problem, Rule
from mutoscope.wirekit.body import Path, dotted, outside_body
from mutoscope.wires.runway.bodies import DATE_PATTERN, FILENAME_PATTERN
from mutoscope.wires.runway.pieces import AUDIO_PATTERN, IMAGE_PATTERN, MAX_IMAGE_TEXT, MAX_STREAM_TEXT, VIDEO_PATTERN

DOCS = "https://docs.dev.runwayml.com/api"
BAD_BODY = "Validation of body failed"
NO_TASK = "Could not find Task"
DAY_IS_FULL = "Your daily task limit has been reached."
NO_CREDITS = "You do not have enough credits to run this task."
STEP = re.compile(r"\[(\d+)\]|([^.\[\]]+)")

PATTERN_WORDS = {
    IMAGE_PATTERN: "Invalid data URI: expected an HTTPS URL, a Runway upload URI or a base64 data URI of an image",
    VIDEO_PATTERN: "Invalid data URI: expected an HTTPS URL, a Runway upload URI or a base64 data URI of a video",
    AUDIO_PATTERN: "Invalid data URI: expected an HTTPS URL, a Runway upload URI or a base64 data URI of a sound",
    DATE_PATTERN: "Invalid ISO date",
    FILENAME_PATTERN: "Invalid filename: expected the extension of an image, a video or a sound",
}
LENGTH_WORDS = {MAX_IMAGE_TEXT: "Asset size exceeds 5MB", MAX_STREAM_TEXT: "Asset size exceeds 16MB"}


class Issue(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One fault. `code`, `path` and `message` are always there, the rest depends on the code."""

    code: str
    path: list[str | int]
    message: str
    expected: str | UnsetType = UNSET
    values: list[Any] | UnsetType = UNSET
    origin: str | UnsetType = UNSET
    maximum: float | int | UnsetType = UNSET
    minimum: float | int | UnsetType = UNSET
    inclusive: bool | UnsetType = UNSET
    format: str | UnsetType = UNSET
    pattern: str | UnsetType = UNSET
    keys: list[str] | UnsetType = UNSET
    discriminator: str | UnsetType = UNSET
    note: str | UnsetType = UNSET
    errors: list[list[Any]] | UnsetType = UNSET


class ErrorBody(Struct, frozen=True, kw_only=True, rename="camel"):
    """An error answer."""

    error: str
    issues: list[Issue] | UnsetType = UNSET
    doc_url: str | UnsetType = UNSET


def answer_status(problem: Problem) -> int:
    return 400 if problem.kind is Kind.OVER_BUDGET else problem.status


def error_body(problem: Problem, request: HttpRequest) -> ErrorBody:
    issues = issues_of(problem)
    return ErrorBody(
        error=error_text(problem, request),
        issues=issues or UNSET,
        doc_url=DOCS if answer_status(problem) == 400 else UNSET,
    )


def error_headers(problem: Problem) -> Headers:
    if problem.retry_after is None:
        return {}
    return {"retry-after": str(max(math.ceil(problem.retry_after), 0))}


def error_text(problem: Problem, request: HttpRequest) -> str:
    match problem.kind:
        case Kind.NOT_FOUND if "/tasks/" in request.path and problem.field != "path":
            return NO_TASK
        case Kind.QUOTA_EXCEEDED:
            return DAY_IS_FULL
        case Kind.OVER_BUDGET:
            return NO_CREDITS
        case Kind.BAD_MEDIA | Kind.UNREACHABLE_MEDIA:
            told = problem.field is None or problem.field in problem.message
            return problem.message if told else f"{problem.field}: {problem.message}"
        case Kind.INVALID if issues_of(problem) and not outside_body(problem, request):
            return BAD_BODY
        case _:
            return problem.message


def issues_of(problem: Problem) -> list[Issue]:
    schema = tuple(flaw for flaw in problem.flaws if flaw.rule is not Rule.JSON)
    if schema:
        return [*unknown_keys(schema), *(issue(flaw) for flaw in schema if flaw.rule is not Rule.UNKNOWN_KEY)]
    if problem.kind in (Kind.QUOTA_EXCEEDED, Kind.OVER_BUDGET):
        return [Issue(code="custom", path=[], message=problem.message)]
    if problem.field is not None and problem.status == 400:
        return [Issue(code="custom", path=steps(problem.field), message=problem.message)]
    return []


def steps(field: str) -> list[str | int]:
    """references[0].uri → ["references", 0, "uri"]"""
    return [int(match[1]) if match[1] else match[2] for match in STEP.finditer(field)]


def unknown_keys(flaws: tuple[Flaw, ...]) -> Iterator[Issue]:
    """One issue for each object that has keys nobody knows."""
    keys: dict[Path, list[str]] = {}
    for flaw in flaws:
        if flaw.rule is Rule.UNKNOWN_KEY:
            keys.setdefault(flaw.path[:-1], []).append(str(flaw.path[-1]))
    for path, names in keys.items():
        plural = "s" if len(names) > 1 else ""
        listed = ", ".join(f'"{name}"' for name in names)
        message = f"Unrecognized key{plural}: {listed}"
        yield Issue(code="unrecognized_keys", path=list(path), keys=names, message=message)


def issue(flaw: Flaw) -> Issue:
    """A flaw in the words of zod 4."""
    path = list(flaw.path)
    match flaw.rule:
        case Rule.REQUIRED | Rule.TYPE:
            return wrong_type(flaw)
        case Rule.CHOICE:
            values = list(flaw.bound)
            listed = "|".join(f'"{v}"' if isinstance(v, str) else str(v) for v in values)
            text = f"Invalid input: expected {listed}"
            if len(values) > 1:
                text = f"Invalid option: expected one of {listed}"
            return Issue(code="invalid_value", path=path, values=values, message=text)
        case Rule.NO_MATCH:
            note = no_match(flaw.bound)
            name = str(flaw.path[-1])
            return Issue(
                code="invalid_union", path=path, discriminator=name, note=note, errors=[], message="Invalid input"
            )
        case Rule.PATTERN:
            return wrong_format(flaw)
        case Rule.CUSTOM | Rule.JSON | Rule.UNKNOWN_KEY:
            message = flaw.message or f"Unrecognized key: {dotted(flaw.path)}"
            return Issue(code="custom", path=path, message=message)
        case _:
            return out_of_bounds(flaw)


def no_match(known: tuple[str, ...]) -> str:
    return f"No matching discriminator; known: {', '.join(known)}"


def wrong_type(flaw: Flaw) -> Issue:
    path, found = list(flaw.path), flaw.found
    kinds = [zod_kind(kind, found) for kind in str(flaw.bound).split(" or ")]
    message = f"Invalid input: expected {' or '.join(kinds)}, received {found}"
    if len(kinds) == 1:
        format = "safeint" if kinds[0] == "int" else UNSET
        note = no_match(flaw.known) if flaw.known else UNSET
        return Issue(code="invalid_type", path=path, expected=kinds[0], format=format, note=note, message=message)
    errors = [
        [
            Issue(
                code="invalid_type", expected=kind, path=[], message=f"Invalid input: expected {kind}, received {found}"
            )
        ]
        for kind in kinds
    ]
    return Issue(code="invalid_union", path=path, errors=errors, message=message)


def zod_kind(kind: str, found: Any) -> str:
    if kind != "integer":
        return kind
    return "int" if found == "number" else "number"


def wrong_format(flaw: Flaw) -> Issue:
    pattern = f"/{flaw.bound}/"
    message = PATTERN_WORDS.get(flaw.bound, f"Invalid string: must match pattern {pattern}")
    format = "date" if flaw.bound == DATE_PATTERN else "regex"
    path = list(flaw.path)
    return Issue(code="invalid_format", path=path, origin="string", format=format, pattern=pattern, message=message)


BOUNDS = {
    Rule.MINIMUM: ("too_small", "number", "to be >={0}"),
    Rule.MAXIMUM: ("too_big", "number", "to be <={0}"),
    Rule.MIN_LENGTH: ("too_small", "string", "to have >={0} characters"),
    Rule.MAX_LENGTH: ("too_big", "string", "to have <={0} characters"),
    Rule.MIN_ITEMS: ("too_small", "array", "to have >={0} items"),
    Rule.MAX_ITEMS: ("too_big", "array", "to have <={0} items"),
}


def out_of_bounds(flaw: Flaw) -> Issue:
    code, origin, words = BOUNDS[flaw.rule]
    small = code == "too_small"
    message = f"Too {'small' if small else 'big'}: expected {origin} {words.format(flaw.bound)}"
    if flaw.rule is Rule.MAX_LENGTH:
        message = LENGTH_WORDS.get(flaw.bound, message)
    return Issue(
        code=code,
        path=list(flaw.path),
        origin=origin,
        minimum=flaw.bound if small else UNSET,
        maximum=UNSET if small else flaw.bound,
        inclusive=True,
        message=message,
    )
