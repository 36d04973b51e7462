"""Anthropic's API as a wire: its routes, its errors, its lists."""

import math
from typing import Annotated, Literal

from msgspec import Meta, Struct

from mutoscope.model.http import Headers, HttpRequest, HttpResponse, json_response
from mutoscope.model.problem import STATUS, Kind, Problem
from mutoscope.model.requests import Allowance
from mutoscope.wirekit.body import dotted
from mutoscope.wirekit.flaws import pydantic
from mutoscope.wirekit.ids import from_uuid4_form, uuid4_form
from mutoscope.wirekit.queries import read_query
from mutoscope.wirekit.routes import Models, Stream
from mutoscope.wirekit.task import key_header
from mutoscope.wirekit.wire import Wire
from mutoscope.wirekit.words import Words, event
from mutoscope.wires.anthropic import messages

CREATED = "2026-01-01T00:00:00Z"  # of every model: nobody reads it

# -- errors ----------------------------------------------------------------------------


class Trouble(Struct, kw_only=True):
    type: str
    message: str


class Error(Struct, kw_only=True):
    type: Literal["error"] = "error"
    error: Trouble
    request_id: str | None = None


TYPES: dict[int, str] = {
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    409: "conflict_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}
STATUSES: dict[Kind, int] = STATUS | {Kind.UNAVAILABLE: 529}


def type_of(status: int) -> str:
    return TYPES.get(status) or ("api_error" if status >= 500 else "invalid_request_error")


def render_problem(problem: Problem, request: HttpRequest) -> HttpResponse:
    status = STATUSES[problem.kind]
    message = problem.message
    if problem.flaws and problem.kind is Kind.INVALID:
        flaw = problem.flaws[0]
        path = dotted(flaw.path).replace("[", ".").replace("]", "")
        others = len(problem.flaws) - 1
        message = f"{path}: {pydantic(flaw)}" if path else pydantic(flaw)
        message += f" (and {others} more: {', '.join(rest_of(problem))})" if others else ""
    elif problem.field and problem.field not in message:
        message = f"{problem.field}: {message}"
    headers: Headers = (
        {} if problem.retry_after is None else {"retry-after": str(max(math.ceil(problem.retry_after), 0))}
    )
    id = f"req_{request.id}" if request.id else None
    return json_response(Error(error=Trouble(type=type_of(status), message=message), request_id=id), status, headers)


def rest_of(problem: Problem) -> list[str]:
    return [dotted(flaw.path).replace("[", ".").replace("]", "") for flaw in problem.flaws[1:10]]


def broken(problem: Problem) -> bytes:
    kind = "overloaded_error" if problem.kind in (Kind.UNAVAILABLE, Kind.RATE_LIMITED) else "api_error"
    return event({"type": "error", "error": {"type": kind, "message": problem.message}}, "error")


def pace_headers(allowance: Allowance) -> dict[str, str]:
    """The vendor tells the moment of the reset; we know no clock here, and tell how many may still come."""
    return {
        f"anthropic-ratelimit-{allowance.of}-limit": str(allowance.limit),
        f"anthropic-ratelimit-{allowance.of}-remaining": str(allowance.remaining),
    }


# -- models ------------------------------------------------------------------------------


class ModelRow(Struct, kw_only=True):
    id: str
    type: str
    display_name: str
    created_at: str
    lifecycle: str


class ModelRows(Struct, kw_only=True):
    data: list[ModelRow]
    has_more: bool
    first_id: str | None
    last_id: str | None


class Listing(Struct, frozen=True, kw_only=True):
    limit: Annotated[int, Meta(ge=1, le=1000)] = 20
    after_id: str | None = None
    before_id: str | None = None


def model_row(word: str) -> ModelRow:
    name = word.replace("-", " ").title()
    return ModelRow(id=word, type="model", display_name=name, created_at=CREATED, lifecycle="active")


def list_models(words: tuple[str, ...], request: HttpRequest) -> HttpResponse:
    asked = read_query(request, Listing)
    if asked.before_id is not None:
        before = words[: place(words, asked.before_id, "before_id")]
        shown, more = before[-asked.limit :], len(before) > asked.limit
    else:
        after = words if asked.after_id is None else words[place(words, asked.after_id, "after_id") + 1 :]
        shown, more = after[: asked.limit], len(after) > asked.limit
    first, last = (shown[0], shown[-1]) if shown else (None, None)
    rows = [model_row(word) for word in shown]
    return json_response(ModelRows(data=rows, has_more=more, first_id=first, last_id=last))


def place(words: tuple[str, ...], word: str, field: str) -> int:
    if word not in words:
        raise Problem(Kind.NOT_FOUND, f"model: {word}", field=field)
    return words.index(word)


def show_model(words: tuple[str, ...], request: HttpRequest) -> HttpResponse:
    word = request.params["model"]
    if word not in words:
        raise Problem(Kind.NOT_FOUND, f"model: {word}", field="model")
    return json_response(model_row(word))


WIRE = Wire(
    name="anthropic",
    title="Anthropic",
    docs="https://platform.claude.com/docs/en/api/messages",
    roots=("/v1/messages", "/v1/models", "/v1/complete"),
    routes=(
        Stream(
            at="POST /v1/messages",
            write=messages.write,
            usage=messages.tokens_reported,
            broken=broken,
            body=messages.Body,
            answer=messages.MessageAnswer,
            summary="Answer a conversation",
        ),
        Stream(
            at="POST /v1/messages/count_tokens",
            write=messages.count,
            usage=messages.tokens_reported,
            broken=broken,
            body=messages.Count,
            answer=messages.CountAnswer,
            summary="Count the tokens of a request",
        ),
        Models(at="GET /v1/models", render=list_models, answer=ModelRows, query=Listing, summary="List the models"),
        Models(at="GET /v1/models/{model…}", render=show_model, answer=ModelRow, summary="One model"),
    ),
    render_problem=render_problem,
    public_id=uuid4_form,
    job_id=from_uuid4_form,
    answer_headers=pace_headers,
    problem_schema=Error,
    **key_header("x-api-key"),
    mounts=("/claude", "/api/anthropic", "/v1"),
    optional="/v1",
    bare=("/messages", "/messages/count_tokens", "/models"),
    id_header="request-id",
    words=Words(
        base_url="https://api.anthropic.com",
        sign=lambda key: {"x-api-key": key},
        passes=("anthropic-version", "anthropic-beta"),
    ),
)
