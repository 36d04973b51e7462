"""Runway's API as Runway serves it: tasks at /v1/…, bodies that depend on the model, errors with issues.

What is shared with the relay form of this API stands in the other modules of this folder.
"""

import math
from datetime import date, timedelta
from functools import partial
from typing import Any

import msgspec
from msgspec import Struct

from mutoscope.model.http import HttpRequest, HttpResponse, json_response
from mutoscope.model.job import Job, Operation, State
from mutoscope.model.problem import Flaw, Kind, Problem, custom_flaw
from mutoscope.model.requests import Account, Period, Upload, UploadWish, Usage
from mutoscope.wirekit.body import invalid, read_body
from mutoscope.wirekit.ids import from_uuid4_form, uuid4_form
from mutoscope.wirekit.routes import AccountRead, Create, OpenUploads, Read, Route, Stop, UsageRead
from mutoscope.wirekit.task import bearer
from mutoscope.wirekit.wire import Wire
from mutoscope.wires.runway import bodies
from mutoscope.wires.runway.back import BACK
from mutoscope.wires.runway.issues import ErrorBody, answer_status, error_body, error_headers
from mutoscope.wires.runway.pieces import UPLOAD_SCHEME
from mutoscope.wires.runway.read import MIN_UPLOAD, UPLOAD_BYTES, VERSION, VERSION_HEADER, parse_submission
from mutoscope.wires.runway.tasks import AnyTask, Created, created, task

BAD_VERSION = "The API version that was provided in the X-Runway-Version header is not valid."
UPLOAD_SECONDS = 24 * 3600.0
SLOT_SECONDS = 3600.0
MAX_CREDITS = 1_000_000_000
"""A tier must name a bound of what it may spend; a server of one's own has none."""
UNLIMITED = 1_000_000_000
MAX_PERIOD = timedelta(days=90)


# ---- asking


def precheck(request: HttpRequest, route: Route | None) -> Problem | None:
    """Every call names the version of the API that it speaks."""
    said = request.headers.get(VERSION_HEADER)
    if route is None or said == VERSION:
        return None
    if said is None:
        return Problem(Kind.INVALID, f"{BAD_VERSION} It is required: send X-Runway-Version: {VERSION}.")
    return Problem(Kind.INVALID, BAD_VERSION)


def parse_upload(request: HttpRequest) -> tuple[UploadWish, ...]:
    wish = read_body(request.body, bodies.UploadBody)
    return (
        UploadWish(
            media_type=media_type(wish.filename),
            name=wish.filename,
            min_bytes=MIN_UPLOAD,
            max_bytes=UPLOAD_BYTES,
            keep_seconds=UPLOAD_SECONDS,
            slot_seconds=SLOT_SECONDS,
        ),
    )


def media_type(filename: str) -> str:
    return bodies.EXTENSIONS[filename.rpartition(".")[2].lower()]


def parse_period(request: HttpRequest) -> Period:
    wish = read_body(request.body or b"{}", bodies.UsageBody)
    start, start_flaws = read_day("startDate", wish.start_date)
    before, before_flaws = read_day("beforeDate", wish.before_date)
    flaws = start_flaws + before_flaws
    if start and before and before < start:
        flaws += (custom_flaw(("beforeDate",), "beforeDate must not be before startDate"),)
    if start and before and before - start > MAX_PERIOD:
        flaws += (custom_flaw(("beforeDate",), "beforeDate must be at most 90 days after startDate"),)
    if flaws:
        raise invalid(flaws)
    return Period(start=start and start.isoformat(), before=before and before.isoformat())


def read_day(name: str, text: Any) -> tuple[date | None, tuple[Flaw, ...]]:
    """A day that exists: 2026-02-30 has the right form and does not."""
    if not isinstance(text, str):
        return None, ()
    try:
        return date.fromisoformat(text), ()
    except ValueError:
        return None, (custom_flaw((name,), "Invalid ISO date"),)


# ---- answering


class Slot(Struct, frozen=True, kw_only=True, rename="camel"):
    """Where to send a file, what to send with it, and how to name it afterwards."""

    upload_url: str
    fields: dict[str, str]
    runway_uri: str


class ModelLimits(Struct, frozen=True, kw_only=True, rename="camel"):
    """null would say that there is no limit, but SDK 3.22 takes figures only: UNLIMITED stands for it."""

    max_concurrent_generations: int
    max_daily_generations: int


class Tier(Struct, frozen=True, kw_only=True, rename="camel"):
    max_monthly_credit_spend: int
    models: dict[str, ModelLimits]


class ModelCount(Struct, frozen=True, kw_only=True, rename="camel"):
    daily_generations: int


class Counts(Struct, frozen=True, kw_only=True):
    models: dict[str, ModelCount]


class Organization(Struct, frozen=True, kw_only=True, rename="camel"):
    tier: Tier
    credit_balance: int
    usage: Counts


class UsedCredit(Struct, frozen=True, kw_only=True):
    model: str
    amount: int


class UsedDay(Struct, frozen=True, kw_only=True, rename="camel"):
    date: str
    used_credits: list[UsedCredit]


class CreditUsage(Struct, frozen=True, kw_only=True):
    results: list[UsedDay]
    models: list[str]


def render_created(job: Job, _request: HttpRequest) -> HttpResponse:
    return json_response(created(job))


def render_job(job: Job, _request: HttpRequest) -> HttpResponse:
    return json_response(task(job))


def render_webhook(job: Job) -> bytes | None:
    """The vendor sends none; ours is the answer of the GET."""
    return None if job.state is State.QUEUED else msgspec.json.encode(task(job))


def render_removed(_job: Job, _request: HttpRequest) -> HttpResponse:
    return HttpResponse(status=204)


def render_upload(uploads: tuple[Upload, ...], _request: HttpRequest) -> HttpResponse:
    (upload,) = uploads
    fields = {"key": upload.id, "policy": upload.policy}
    return json_response(Slot(upload_url=upload.put_url, fields=fields, runway_uri=f"{UPLOAD_SCHEME}{upload.id}"))


def render_account(account: Account, _request: HttpRequest) -> HttpResponse:
    limits = {
        name: ModelLimits(
            max_concurrent_generations=bounded(model.max_concurrent), max_daily_generations=bounded(model.max_daily)
        )
        for name, model in account.models.items()
    }
    counts = {name: ModelCount(daily_generations=model.made_today) for name, model in account.models.items()}
    budget = MAX_CREDITS if account.budget is None else account.budget * (31 if account.period == "day" else 1)
    left = MAX_CREDITS - account.spent if account.left is None else math.floor(account.left)
    return json_response(
        Organization(
            tier=Tier(max_monthly_credit_spend=round(budget), models=limits),
            credit_balance=max(round(left), 0),
            usage=Counts(models=counts),
        )
    )


def bounded(limit: int | None) -> int:
    return UNLIMITED if limit is None else limit


def render_usage(usage: Usage, _request: HttpRequest) -> HttpResponse:
    results = [
        UsedDay(
            date=day,
            used_credits=[UsedCredit(model=model, amount=round(credits)) for model, credits in spent.items()],
        )
        for day, spent in usage.days.items()
    ]
    models = dict.fromkeys(model for spent in usage.days.values() for model in spent)
    return json_response(CreditUsage(results=results, models=list(models)))


def render_problem(problem: Problem, request: HttpRequest) -> HttpResponse:
    return json_response(error_body(problem, request), answer_status(problem), error_headers(problem))


# ---- routes


def create(operation: Operation, body: Any) -> Route:
    return Create(
        at=f"POST /v1/{operation}",
        route=operation.value,
        parse=partial(parse_submission, operation, body),
        render=render_created,
        body=body,
        answer=Created,
        summary=f"Start a task: {operation.replace('_', ' ')}",
    )


WIRE = Wire(
    name="runway",
    title="Runway API",
    docs="https://docs.dev.runwayml.com/api",
    roots=("/v1/",),
    routes=(
        *(create(operation, body) for operation, body in bodies.ENDPOINTS.items()),
        Read(
            at="GET /v1/tasks/{id}",
            render=render_job,
            answer=AnyTask,
            summary="How a task stands, and its output",
        ),
        Stop(
            running=True,
            keeps=False,
            at="DELETE /v1/tasks/{id}",
            render=render_removed,
            status=204,
            summary="Cancel a task that is not finished, delete one that is",
        ),
        OpenUploads(
            at="POST /v1/uploads",
            parse=parse_upload,
            render=render_upload,
            body=bodies.UploadBody,
            answer=Slot,
            summary="Open a slot for a file to be used in requests for 24 hours",
        ),
        AccountRead(
            at="GET /v1/organization",
            render=render_account,
            answer=Organization,
            summary="Limits and counts by model",
        ),
        UsageRead(
            at="POST /v1/organization/usage",
            parse=parse_period,
            render=render_usage,
            body=bodies.UsageBody,
            answer=CreditUsage,
            summary="Credits by day and model",
        ),
    ),
    render_problem=render_problem,
    credential=bearer,
    public_id=uuid4_form,
    job_id=from_uuid4_form,
    precheck=precheck,
    render_webhook=render_webhook,
    probes_inputs=True,
    problem_schema=ErrorBody,
    security={"type": "http", "scheme": "bearer"},
    headers={VERSION_HEADER: VERSION},
    back=BACK,
)
