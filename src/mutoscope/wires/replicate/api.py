"""Replicate's predictions: made by version, by model or by deployment; read, listed, canceled."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache, partial
from typing import Annotated, Any, Generic, Literal, TypeVar, cast
from urllib.parse import parse_qsl, urlencode, urlsplit

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType
from msgspec.structs import replace

from mutoscope.model.http import Headers, HttpRequest, HttpResponse, json_response
from mutoscope.model.job import Job, Json, State
from mutoscope.model.problem import Kind, Problem, custom_flaw
from mutoscope.model.requests import Allowance, Page, Submission
from mutoscope.wirekit import task as kit
from mutoscope.wirekit.answers import ask, form
from mutoscope.wirekit.back import Conversation, File, VendorRequest
from mutoscope.wirekit.body import body_of, dotted, invalid, read_json
from mutoscope.wirekit.fields import FileField
from mutoscope.wirekit.flaws import plain
from mutoscope.wirekit.known import makes_clips
from mutoscope.wirekit.media import URL_PATTERN
from mutoscope.wirekit.paths import at
from mutoscope.wirekit.queries import read_query
from mutoscope.wirekit.routes import Create, List
from mutoscope.wirekit.task import Endpoint, Reading, TaskApi
from mutoscope.wires.replicate import models, shelf
from mutoscope.wires.replicate.models import BY_VERSION, BY_WORD, KNOWN, Known
from mutoscope.wires.replicate.shelf import ROOT, moment

STATES = {
    State.QUEUED: "starting",
    State.RUNNING: "processing",
    State.SUCCEEDED: "succeeded",
    State.FAILED: "failed",
    State.CANCELED: "canceled",
}
NEWS: Mapping[str, tuple[State, ...]] = {
    "start": (State.RUNNING,),
    "output": (State.SUCCEEDED,),
    "logs": (),
    "completed": (State.SUCCEEDED, State.FAILED, State.CANCELED),
}
LONGEST_WAIT = 60
LEAST_DEADLINE = 5
WAIT = re.compile(r"wait(?:=([0-9]{1,4}))?", re.ASCII)
LASTING = re.compile(r"(?:([0-9]{1,6})h)?(?:([0-9]{1,6})m)?(?:([0-9]{1,6})s?)?", re.ASCII)
WORD = r"[A-Za-z0-9][\w.-]*"
VERSION = rf"^({WORD}/{WORD}(:[\w-]+)?|[0-9a-f]{{64}})$"
PREDICTIONS = ROOT + "predictions"

# -- bodies ----------------------------------------------------------------------------

T = TypeVar("T")


Receiver = Annotated[
    str,
    Meta(
        pattern=r"^[Hh][Tt][Tt][Pp][Ss]?://[^\s/?#]", extra_json_schema={"pattern": f"^{URL_PATTERN}$", "format": "uri"}
    ),
]


class Run(Struct, Generic[T], kw_only=True):
    """What a prediction is asked for with, where the path names the model."""

    input: T
    webhook: Receiver | None = None
    webhook_completed: Receiver | None = None
    webhook_events_filter: list[Literal["start", "output", "logs", "completed"]] | None = None
    stream: bool | None = None


class Versioned(Run[T], Generic[T], kw_only=True):
    version: Annotated[str, Meta(pattern=VERSION)]


class Asked(Struct, kw_only=True):
    """For the published description: the input belongs to the model, and most of them want a prompt."""

    prompt: str


class ByModel(Run[Asked], kw_only=True):
    """The published body where the path names the model."""


class ByVersion(Versioned[Asked], kw_only=True):
    """The published body where the body does."""

    version: Annotated[str, Meta(pattern=f"^({'|'.join(BY_WORD)})$", examples=[KNOWN[0].word])]


# -- answers ---------------------------------------------------------------------------


class Prediction(Struct, kw_only=True):
    id: str
    model: str
    version: str
    deployment: str | UnsetType = UNSET
    status: str  # starting, processing, succeeded, failed, canceled
    input: dict[str, Any]
    output: str | list[str] | None
    logs: str
    error: str | None
    data_removed: bool = False
    created_at: str
    started_at: str | None
    completed_at: str | None
    source: str = "api"
    stream: bool | UnsetType = UNSET  # as it was asked, and the next too
    webhook_completed: str | UnsetType = UNSET
    metrics: dict[str, float]
    urls: dict[str, str]


class Predictions(Struct, kw_only=True):
    next: str | None
    previous: str | None
    results: list[Prediction]


class Trouble(Struct, kw_only=True):
    """`error` says the same as `detail`: clients of resellers look there."""

    title: str
    detail: str
    status: int
    invalid_fields: list[dict[str, str]] | UnsetType = UNSET


def task(job: Job) -> Prediction:
    id, said = public_id(job.id), body_of(job)
    word = word_of(job)
    here = f"{shelf.home(job.origin)}predictions/{id}"
    version = str(said.get("version") or "").rpartition(":")[2]
    failed = job.state is State.FAILED
    asked = said.get("input")
    return Prediction(
        id=id,
        model=word,
        version="hidden" if "/" in version or not version else version,
        deployment=word if job.route == "deployments" else UNSET,
        status=STATES[job.state],
        input=cast("Json", asked) if isinstance(asked, dict) else {},
        output=output_of(job, word, said),
        logs=logs_of(job),
        error=(job.failure.message if job.failure else "It failed.") if failed else None,
        created_at=moment(job.created),
        started_at=moment(job.started),
        completed_at=moment(job.finished),
        metrics=metrics_of(job),
        stream=stream if isinstance(stream := said.get("stream"), bool) else UNSET,
        webhook_completed=older if isinstance(older := said.get("webhook_completed"), str) else UNSET,
        urls={"get": here, "cancel": f"{here}/cancel", "web": here},
    )


def word_of(job: Job) -> str:
    """Owner and name of the model, without the version; of one that no row has, without the wire either."""
    return job.generation.model.removeprefix("replicate:").partition(":")[0]


def output_of(job: Job, word: str, said: Json) -> str | list[str] | None:
    """A model that makes several answers with a list, of one too."""
    made = [each.text or each.url or "" for each in job.outputs]
    if job.state is not State.SUCCEEDED or not made:
        return None
    known = BY_WORD.get(word)
    many = known.many if known else at(said, "input.num_outputs") is not None
    return made if many or len(made) > 1 else made[0]


def logs_of(job: Job) -> str:
    """What was ignored, and a line from which the vendor's clients read the progress."""
    lines = list(job.notes)
    share = 1.0 if job.state is State.SUCCEEDED else job.progress
    if share is not None:
        done = round(100 * share)
        lines.append(f"{done:3d}%|{'█' * (done // 10):10}| {done}/100")
    return "".join(f"{line}\n" for line in lines)


def metrics_of(job: Job) -> dict[str, float]:
    if job.finished is None or not job.state.final:
        return {}
    told = {"total_time": round(job.finished - job.created, 6)}
    if job.started is not None:
        told["predict_time"] = round(job.finished - job.started, 6)
    if pictures := [each for each in job.outputs if each.media_type.startswith("image/")]:
        told["image_count"] = len(pictures)
    if seconds := sum(each.seconds or 0.0 for each in job.outputs if each.media_type.startswith("video/")):
        told["video_output_duration_seconds"] = seconds
    return told


TITLES = {
    Kind.INVALID: "Input validation failed",
    Kind.UNAUTHENTICATED: "Unauthenticated",
    Kind.OVER_BUDGET: "Insufficient credit",
    Kind.RATE_LIMITED: "Too many requests",
    Kind.QUOTA_EXCEEDED: "Too many requests",
}


def error(problem: Problem, status: int) -> Trouble:
    title = TITLES.get(problem.kind, problem.kind.replace("_", " ").capitalize())
    found = [(dotted(flaw.path), plain(flaw)) for flaw in problem.flaws if flaw.path]
    if problem.kind is not Kind.INVALID or not found:
        return Trouble(title=title, detail=problem.message, status=status)
    if found[0] == ("version", shelf.UNKNOWN_VERSION):
        title = "Invalid version or not permitted"
    fields = [{"type": flaw.rule.value, "field": dotted(flaw.path), "description": plain(flaw)}
              for flaw in problem.flaws if flaw.path]  # fmt: skip
    detail = "\n".join(f"- {name}: {why}" for name, why in found)
    return Trouble(title=title, detail=detail, status=status, invalid_fields=fields)


def public_id(id: str) -> str:
    """Our id in 26 lower-case letters and digits."""
    number = int(id.replace("-", ""), 16)
    return "".join(ALPHABET[number >> shift & 31] for shift in range(125, -1, -5))


def job_id(public: str) -> str | None:
    if len(public) != 26 or not set(public) <= set(ALPHABET):
        return None
    number = sum(ALPHABET.index(sign) << shift for sign, shift in zip(public, range(125, -1, -5), strict=True))
    text = f"{number:032x}"
    id = "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
    return id if shelf.OURS.fullmatch(id) else None


ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"

# -- creates ---------------------------------------------------------------------------


def by_version(request: HttpRequest) -> Submission:
    """The body says which: a version's id, a model, or both. Raises Problem."""
    said = read_json(request.body)
    version = at(said, "version")
    text = version if isinstance(version, str) else ""
    known = BY_VERSION.get(text.rpartition(":")[2]) or BY_WORD.get(text.partition(":")[0])
    if known is None and text and "/" not in text and re.search(VERSION, text):
        raise invalid((custom_flaw(("version",), shelf.UNKNOWN_VERSION),))
    return read(request, known.word if known else text, versioned=True)


def by_model(request: HttpRequest) -> Submission:
    """The path says which model, or which deployment: those have the names of their models."""
    word = f"{request.params['owner']}/{request.params['name']}"
    if not re.search(VERSION, word):
        raise Problem(
            Kind.NOT_FOUND, f"There is no model {word[:200]!r}: a name has letters, digits, '.', '_' and '-'."
        )
    return read(request, word, versioned=False)


def read(request: HttpRequest, word: str, *, versioned: bool) -> Submission:
    """Raises Problem(INVALID) with every flaw of the body."""
    said = read_json(request.body)
    clips = makes_clips(word, at(said, "input"), models.TELLING)
    endpoint = taking(word if word in BY_WORD else "", clips, versioned)
    read = kit.parse(API, replace(endpoint, models=(word,)), request)
    if (seconds := models.said_seconds(said["input"])) is not None:
        read = replace(read, generation=replace(read.generation, seconds=seconds))
    return with_news(lasting(read, request), said)


def lasting(read: Submission, request: HttpRequest) -> Submission:
    """A deadline is checked and noted: a job here ends by the limits of its engine. Raises Problem(INVALID)."""
    text = request.headers.get("cancel-after")
    if text is None:
        return read
    match = LASTING.fullmatch(text.strip())
    hours, minutes, seconds = (int(part or 0) for part in match.groups()) if match else (0, 0, 0)
    if 3600 * hours + 60 * minutes + seconds < LEAST_DEADLINE:
        wanted = f"should be a duration of {LEAST_DEADLINE} seconds or more, such as 30s, 5m or 1h30m"
        raise invalid((custom_flaw(("Cancel-After",), wanted),))
    return replace(read, notes=(f"ignored: Cancel-After ({text[:20]}): cancel the prediction instead", *read.notes))


def with_news(read: Submission, said: Json) -> Submission:
    """The older `webhook_completed` tells of ends alone; who wants to hear of logs alone hears nothing."""
    older = said.get("webhook_completed")
    if older is not None and read.webhook is None:
        fields = read.fields | {"webhook": "webhook_completed"}
        return replace(read, webhook=older, events=frozenset(NEWS["completed"]), fields=fields)
    if older is not None:
        read = replace(read, notes=("ignored: webhook_completed (webhook is told)", *read.notes))
    if read.webhook is not None and read.events == frozenset():
        note = "ignored: webhook (no message is made of logs alone)"
        return replace(read, webhook=None, events=None, notes=(note, *read.notes))
    return read


def events(said: Json) -> frozenset[State]:
    wanted = said.get("webhook_events_filter")
    return frozenset(state for name in (wanted or ("output", "completed")) for state in NEWS[name])


def wait(_said: Json, request: HttpRequest) -> float | None:
    """Seconds that an answer may take, by the header `Prefer: wait=5`."""
    match = preferred(request)
    return None if match is None else float(min(max(int(match[1] or LONGEST_WAIT), 1), LONGEST_WAIT))


def preferred(request: HttpRequest) -> re.Match[str] | None:
    told = (WAIT.fullmatch(each.strip()) for each in request.headers.get("prefer", "").split(","))
    return next(filter(None, told), None)


def made(job: Job, _request: HttpRequest) -> HttpResponse:
    return json_response(task(job), 201)


def waited(job: Job, request: HttpRequest) -> HttpResponse:
    """Whatever status but `starting` is an end to the vendor's clients, so what goes on says that it starts."""
    prediction = task(job)
    if not job.state.final:
        prediction = msgspec.structs.replace(prediction, status="starting", started_at=None)
    match = preferred(request)
    return json_response(
        prediction, 201 if job.state.final else 202, {"preference-applied": match[0] if match else "wait"}
    )


# -- list ------------------------------------------------------------------------------

PAGE = 100
Moment = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]


class Listing(Struct, frozen=True, kw_only=True):
    created_after: Moment | None = None
    created_before: Moment | None = None
    source: Literal["web"] | None = None
    cursor: Annotated[int, Meta(ge=1, le=1_000_000)] = 1


def parse_page(request: HttpRequest) -> Page:
    """Raises Problem(INVALID)."""
    asked = read_query(request, Listing)
    since, until = (seconds_in(request.query, name) for name in ("created_after", "created_before"))
    ours = asked.source is None  # nothing is made by the vendor's site here

    def keep(job: Job) -> bool:
        return ours and (until is None or job.created < until)

    filtered = since is not None or until is not None or not ours
    return Page(number=asked.cursor, size=PAGE, ahead=1, since=since, keep=keep if filtered else None)


def seconds_in(query: Mapping[str, str], name: str) -> float | None:
    """A time of day with a zone, as precise as its writer likes. Raises Problem(INVALID)."""
    text = query.get(name)
    if text is None:
        return None
    try:
        read = datetime.fromisoformat(re.sub(r"(\.[0-9]{6})[0-9]+", r"\1", text.replace(" ", "+")))
    except ValueError:
        wanted = "should be a time such as 2026-01-31T12:00:00Z"
        raise invalid((custom_flaw((name,), wanted),)) from None
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()


def render_list(jobs: tuple[Job, ...], request: HttpRequest) -> HttpResponse:
    number = read_query(request, Listing).cursor

    def page(cursor: int) -> str:
        return f"{request.origin}{request.path}?{urlencode(dict(request.query) | {'cursor': str(cursor)})}"

    return json_response(
        Predictions(
            next=page(number + 1) if len(jobs) > PAGE else None,
            previous=page(number - 1) if number > 1 else None,
            results=[task(job) for job in jobs[:PAGE]],
        )
    )


# -- the back's own --------------------------------------------------------------------

CLOCKS_APART = 60.0
MOST_PAGES = 100


def find(order: VendorRequest, since: float) -> Conversation[tuple[Json, ...]]:
    """Predictions that may be this order's. Nothing found must mean that nothing was sent: one whose input is gone
    counts, and one of a model by a name that we do not know, because the vendor tells some by other names."""
    path, body = kit.translate(API, order)
    found = kit.endpoint_for(API, order.generation.operation, order.names)
    files = {name for name, field in (found[0].table if found else ()) if isinstance(field, FileField)}
    asked = {name: value for name, value in body["input"].items() if f"input.{name}" not in files}
    start = datetime.fromtimestamp(since - CLOCKS_APART, UTC).isoformat(timespec="milliseconds")
    query = {"created_after": start.replace("+00:00", "Z")}
    handles: list[Json] = []
    for _ in range(MOST_PAGES):
        page = kit.task_in(API, (yield replace(ask("GET", PREDICTIONS), query=query)))
        handles += [
            {"id": kit.id_in(API, API.reading, each), "at": path}
            for each in at(page, "results.*")
            if may_be(each, asked, order.names)
        ]
        following = page.get("next")
        if not isinstance(following, str):
            return tuple(handles)
        query = dict(parse_qsl(urlsplit(following).query))
    raise Problem(Kind.UPSTREAM_FAILED, f"Replicate's list since {start} has more than {MOST_PAGES} pages.")


def may_be(told: Any, asked: Json, names: tuple[str, ...]) -> bool:
    said, model = at(told, "input"), at(told, "model")
    if model in BY_WORD and model not in names:
        return False
    return not said or all(at(said, name) == value for name, value in asked.items())


def upload(file: File) -> Conversation[str]:
    told = kit.task_in(API, (yield form(ROOT + "files", {}, file, part="content")))
    link = at(told, "urls.get")
    if not isinstance(link, str) or not link.startswith(("https://", "http://")):
        raise Problem(Kind.UPSTREAM_FAILED, "Replicate took a file and did not say what to call it.")
    return link


# -- the whole -------------------------------------------------------------------------


def inside(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {f"input.{name}": field for name, field in fields.items()}


def calling(known: Known) -> Endpoint:
    """How the vendor is asked for a model: one of its own by name, anybody else's by version."""
    where: Json = {"at": "predictions", "model_at": "version", "models": known.versions, "body": Versioned[known.input]}
    if known.official:
        at_name, name = "models/{owner}/{name}/predictions", "{owner}/{name}"
        where = {"at": at_name, "model_at": name, "models": (known.word,), "body": Run[known.input]}
    return Endpoint(title=known.about, makes=known.makes, fields=inside(known.fields), front=False, **where)


def calling_any(*, clips: bool) -> Endpoint:
    """A model that is not known, by its version or its name."""
    makes = models.ANY_CLIP if clips else models.I2I
    fields = inside(models.OPEN_CLIPS if clips else models.OPEN_PICTURES)
    return Endpoint(at="predictions", title="Any model", body=Versioned[models.Input], model_at="version", makes=makes,
                    fields=fields, front=False)  # fmt: skip


@cache
def taking(word: str, clips: bool, versioned: bool) -> Endpoint:
    """How a client asks for a model; "" for one that is not known."""
    known = BY_WORD.get(word)
    input = known.input if known else models.Input
    body: Any = Versioned[input] if versioned else Run[input]
    called = calling(known) if known else calling_any(clips=clips)
    return kit.tabled(API, replace(called, body=body, model_at=None, wait=wait))


def create(path: str, title: str, *, route: str = "") -> Create:
    parse, body = (by_version, ByVersion) if path == "predictions" else (by_model, ByModel)
    return Create(at=f"POST {ROOT}{path}", route=route, parse=parse, render=made, waited=waited, body=body,
                  answer=Prediction, status=201, summary=title)  # fmt: skip


API = TaskApi(
    name="replicate",
    vendor="Replicate",
    title="Replicate",
    docs="https://replicate.com/docs/reference/http",
    base_url="https://api.replicate.com",
    root=ROOT,
    roots=tuple(f"{ROOT}{each}" for each in shelf.PLACES),
    endpoints=(*map(calling, KNOWN), calling_any(clips=False), calling_any(clips=True)),
    fields={},
    states=STATES,
    also_states={"aborted": State.CANCELED},
    answer=Prediction,
    task=task,
    show="predictions/{id}",
    stop="POST predictions/{id}/cancel",
    stop_keeps=True,
    ended_is_fine=True,
    reading=Reading(links=("output",), texts=("output",)),
    error=error,
    error_type=Trouble,
    invalid_status=422,
    statuses={Kind.UNSUPPORTED: 422, Kind.BAD_MEDIA: 422, Kind.UNREACHABLE_MEDIA: 422, Kind.REFUSED: 422},
    webhook="webhook",
    events=events,
    credential=partial(kit.bearer, schemes=("bearer", "token")),
    public_id=public_id,
    job_id=job_id,
    upload_of=shelf.upload_of,
    upload=upload,
    find=find,
    open_models=True,
    unsent=frozenset({429}),
    mounts=("/v1",),
    optional="/v1",
    routes=(
        create("predictions", "Start a prediction of a version or a model"),
        create("models/{owner}/{name}/predictions", "Start a prediction of a model"),
        create("deployments/{owner}/{name}/predictions", "Start a prediction of a deployment", route="deployments"),
        List(at=f"GET {PREDICTIONS}", parse=parse_page, render=render_list, answer=Predictions, query=Listing,
             summary="List the predictions, newest first"),
        *shelf.ROUTES,
    ),
)  # fmt: skip


PROBLEM = "application/problem+json"


def render_problem(problem: Problem, request: HttpRequest) -> HttpResponse:
    return replace(kit.render_problem(API, problem, request), media_type=PROBLEM)


def answer_headers(allowance: Allowance) -> Headers:
    return {"ratelimit-remaining": str(allowance.remaining), "ratelimit-reset": f"{allowance.reset_seconds:.0f}"}


WIRE = replace(
    kit.wire(API),
    render_problem=render_problem,
    problem_type=PROBLEM,
    answer_headers=answer_headers,
    file_id=shelf.file_id,
)
