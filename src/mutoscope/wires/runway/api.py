"""Runway's API as Runway serves it: tasks at /v1/…, bodies that depend on the model, errors with issues.

What is shared with the relay form of this API stands in the other modules of this folder.
"""

import math
from collections.abc import Callable
from datetime import date, timedelta
from functools import cache, partial
from typing import Any, cast

import msgspec
from msgspec import UNSET, Struct
from msgspec.structs import replace

from mutoscope.model.http import HttpRequest, HttpResponse, json_response
from mutoscope.model.job import Job, Operation
from mutoscope.model.problem import Flaw, Kind, Problem, custom_flaw
from mutoscope.model.requests import CallerAccount, Period, Submission, Upload, UploadWish, Usage
from mutoscope.wirekit import task as kit
from mutoscope.wirekit.body import UNREADABLE, dotted, flaws_in, invalid, read_body, read_json
from mutoscope.wirekit.fields import extra
from mutoscope.wirekit.routes import AccountRead, Create, OpenUploads, Route, UsageRead
from mutoscope.wirekit.task import Endpoint, Reading, TaskApi
from mutoscope.wirekit.wire import Wire
from mutoscope.wires.runway import back, bodies, elsewhere, fields
from mutoscope.wires.runway.back import VENDOR, VERSION, VERSION_HEADER, Slot
from mutoscope.wires.runway.fields import MODES, models
from mutoscope.wires.runway.files import MIN_UPLOAD, UPLOAD_BYTES, words
from mutoscope.wires.runway.issues import ErrorBody, answer_status, error_body, error_headers, issue
from mutoscope.wires.runway.pieces import UPLOAD_SCHEME
from mutoscope.wires.runway.tasks import STATES, STATUSES, AnyTask, Created, created, task

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


def render_upload(uploads: tuple[Upload, ...], _request: HttpRequest) -> HttpResponse:
    (upload,) = uploads
    fields = {"key": upload.id, "policy": upload.policy}
    return json_response(Slot(upload_url=upload.put_url, fields=fields, runway_uri=f"{UPLOAD_SCHEME}{upload.id}"))


def render_account(account: CallerAccount, _request: HttpRequest) -> HttpResponse:
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


# ---- creates

PARENTS = dict.fromkeys(MODES.values(), Operation.VIDEO_TO_VIDEO)
"""Operations that are a mode of another one's body."""


@cache
def endpoint(path: Operation, struct: Any, mode: str | None) -> Endpoint:
    return kit.tabled(API, fields.endpoint(path, struct, mode))


def calls(operation: Operation, names: tuple[str, ...]) -> tuple[Endpoint, str] | None:
    """The body of the first of these names that is a model of this operation."""
    path = PARENTS.get(operation, operation)
    mode = next((word for word, each in MODES.items() if each is operation), None)
    structs = models(bodies.ENDPOINTS[path]) if path in bodies.ENDPOINTS else {}
    found = ((name, structs[name]) for name in names if name in structs)
    return next(((endpoint(path, each, mode), name) for name, each in found if not mode or knows(each, mode)), None)


def knows(struct: Any, mode: str) -> bool:
    return mode in words(fields.members_of(struct).get("mode"), struct)


Calling = Callable[[Operation, Any, str | None], Endpoint]
"""Path, body, mode → how a model is asked for."""


class Peek(Struct):
    model: Any = UNSET
    mode: Any = None


PEEK = msgspec.json.Decoder(Peek)


def parse(endpoint: Calling, path: Operation, type: Any, usual: str, request: HttpRequest) -> Submission:
    """By the model that the body names, or else the usual or the only one. Raises Problem(INVALID)."""
    structs = models(type)
    said = peek(request.body)
    model = usual if said.model is UNSET else said.model
    struct = structs.get(model) if isinstance(model, str) else None
    struct = next(iter(structs.values())) if len(structs) == 1 else struct
    if struct is None:
        raise invalid(flaws_in(request.body, type))
    mode = said.mode if isinstance(said.mode, str) and said.mode in MODES and knows(struct, said.mode) else None
    try:
        return kit.parse(API, endpoint(path, struct, mode), request)
    except Problem as problem:
        problem.flaws = tuple(fields.with_choices(flaw, struct) for flaw in problem.flaws)
        raise


def peek(body: bytes) -> Peek:
    """Raises Problem(INVALID) for what is no JSON."""
    try:
        return PEEK.decode(body)
    except UNREADABLE:
        said = read_json(body)  # with numbers that are too large for any use
        return msgspec.convert(said, Peek) if isinstance(said, dict) else Peek()


def creates(
    root: str,
    types: dict[Operation, Any],
    render: Callable[[Job, HttpRequest], HttpResponse],
    answer: Any,
    endpoint: Calling = endpoint,
    usual: str = "",
) -> tuple[Create, ...]:
    return tuple(
        Create(
            at=f"POST {root}{path}",
            route=path.value,
            parse=partial(parse, endpoint, path, type, usual),
            render=render,
            body=type,
            answer=answer,
            summary=f"Start a task: {path.replace('_', ' ')}",
        )
        for path, type in types.items()
    )


# ---- the whole

# fmt: off
ROUTES: tuple[Route, ...] = (
    *creates("/v1/", bodies.ENDPOINTS, render_created, Created),
    OpenUploads(at="POST /v1/uploads", parse=parse_upload, render=render_upload, body=bodies.UploadBody, answer=Slot,
                summary="Open a slot for a file to be used in requests for 24 hours"),
    AccountRead(at="GET /v1/organization", render=render_account, answer=Organization,
                summary="Limits and counts by model"),
    UsageRead(at="POST /v1/organization/usage", parse=parse_period, render=render_usage, body=bodies.UsageBody,
              answer=CreditUsage, summary="Credits by day and model"),
    *elsewhere.ROUTES,
)
API = TaskApi(
    name="runway", vendor=VENDOR, title="Runway API", docs="https://docs.dev.runwayml.com/api",
    base_url="https://api.dev.runwayml.com", root="/v1/", endpoints=(), calls=calls,
    fields={"model": extra("model")}, word=lambda flaw: f"{dotted(flaw.path)}: {issue(flaw).message}",
    states=STATUSES, also_states=STATES, task=task, answer=AnyTask,
    show="tasks/{id}", stop="DELETE tasks/{id}", stop_status=204, gone_is_stopped=True, at="",
    reading=Reading(links=("output",), progress="progress", whole=1.0, cost="cost.credits"),
    made_reading=Reading(status=""), heard=back.News, failure=back.failure_of,
    render_problem=render_problem, error_type=ErrorBody, reasons=(), blamed=back.blamed, meant=back.meant,
    sorts_flaws=False, sign=back.sign, upload=lambda file: back.upload(API, file), probes_inputs=True, routes=ROUTES,
)
# fmt: on


def wire(api: TaskApi) -> Wire:
    """With what makes tasks first."""
    made = kit.wire(api)
    return replace(made, routes=tuple(sorted(made.routes, key=lambda each: not isinstance(each, Create))))


FRONT = wire(API)
WIRE = replace(
    FRONT, precheck=precheck, headers={VERSION_HEADER: VERSION}, back=replace(cast("Any", FRONT.back), ways=back.ways)
)
