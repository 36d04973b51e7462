"""fal's API: any model by its id, submitted to a queue and asked about, or run while its caller waits."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache, partial
from typing import Any

import msgspec
from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from mutoscope.model.catalog import WORD
from mutoscope.model.http import Headers, HttpRequest, HttpResponse, json_response
from mutoscope.model.job import Failure, Generation, Job, Json, State, Update
from mutoscope.model.problem import Flaw, Kind, Problem, Rule, custom_flaw
from mutoscope.model.requests import Submission
from mutoscope.wirekit import task as kit
from mutoscope.wirekit.answers import ask, bounded, plain_text
from mutoscope.wirekit.back import Conversation
from mutoscope.wirekit.body import invalid, read_json
from mutoscope.wirekit.flaws import fastapi
from mutoscope.wirekit.ids import uuid4_form
from mutoscope.wirekit.known import makes_clips
from mutoscope.wirekit.media import LINK
from mutoscope.wirekit.paths import at
from mutoscope.wirekit.routes import Create, Follow, Read, Route, Stop
from mutoscope.wirekit.task import Endpoint, Reading, TaskApi
from mutoscope.wires.fal import models, places
from mutoscope.wires.fal.models import BY_WORD, KNOWN, Asked, Known
from mutoscope.wires.fal.places import QUEUE, RUN

RELAY = "/fal-ai/"
PATIENCE = 600.0  # seconds that an answer waits for what it carries
DONE, NOT_YET = "COMPLETED", "Request is still in progress"
STATES = dict(zip(State, ("IN_QUEUE", "IN_PROGRESS", DONE, DONE, DONE), strict=True))
SPACES = ("workflows", "comfy")
"""What may stand before the owner in a model's id."""

# -- answers -------------------------------------------------------------------------------


class Log(Struct, kw_only=True):
    message: str
    level: str = "INFO"
    source: str = "USER"
    timestamp: str


class Queued(Struct, kw_only=True):
    """How a request stands. One that failed or was canceled is completed, with an error."""

    status: str  # IN_QUEUE, IN_PROGRESS, COMPLETED
    request_id: str
    queue_position: int | UnsetType = UNSET
    logs: list[Log] | None = None
    metrics: dict[str, float] = {}
    response_url: str
    status_url: str
    cancel_url: str
    gateway_request_id: str | UnsetType = UNSET
    error: str | UnsetType = UNSET
    error_type: str | UnsetType = UNSET


class Stopped(Struct, kw_only=True):
    status: str


class Trouble(Struct, kw_only=True, omit_defaults=True):
    """`message` says the same as `detail`, and `status` how a cancel went: clients look there."""

    detail: str | list[dict[str, Any]]
    error_type: str | None = None
    message: str = ""
    status: str | None = None


def queued(job: Job, here: str) -> Queued:
    """`here`: the address of the request, without what is asked of it."""
    failure = failure_of(job)
    return Queued(
        status=STATES[job.state], request_id=uuid4_form(job.id),
        queue_position=(job.ahead or 0) if job.state is State.QUEUED else UNSET,
        metrics={"inference_time": models.inference(job)} if job.state.final else {},
        response_url=here, status_url=f"{here}/status", cancel_url=f"{here}/cancel",
        error=failure.message if failure else UNSET, error_type=type_of(failure) if failure else UNSET,
    )  # fmt: skip


def submitted(job: Job, request: HttpRequest) -> HttpResponse:
    """The addresses are below the prefix by which the client came, and below its app alone."""
    word = word_in(request)
    base = f"{request.origin}{request.path.rstrip('/').removesuffix(word)}{app_of(word)}"
    told = queued(replace(job, state=State.QUEUED), f"{base}/requests/{uuid4_form(job.id)}")
    return answered(job, replace(told, gateway_request_id=told.request_id))


def status(job: Job, request: HttpRequest) -> HttpResponse:
    return answered(job, standing(job, request), 200 if job.state.final else 202)


def standing(job: Job, request: HttpRequest) -> Queued:
    here = request.path.rstrip("/").removesuffix("/stream").removesuffix("/status")
    told = queued(job, f"{request.origin}{here}")
    return replace(told, logs=logs(job)) if request.query.get("logs", "").lower() in ("1", "true") else told


def event(job: Job, last: Job | None, request: HttpRequest) -> bytes:
    """How it stands, with the lines that are new."""
    told = standing(job, request)
    if told.logs and last is not None:
        before = {line.message for line in logs(last)}
        told = replace(told, logs=[line for line in told.logs if line.message not in before])
    return b"data: " + msgspec.json.encode(told) + b"\n\n"


def logs(job: Job) -> list[Log]:
    when = datetime.fromtimestamp(job.updated or job.created, UTC).isoformat(timespec="milliseconds")
    lines = [*job.notes, *([f"{job.progress:.0%}"] if job.progress is not None else [])]
    return [Log(message=line, timestamp=when.replace("+00:00", "Z")) for line in lines]


def result(job: Job, _request: HttpRequest) -> HttpResponse:
    """What was made, as its model says it. Raises Problem for what failed."""
    if not job.state.final:
        return answered(job, Trouble(detail=NOT_YET, error_type="bad_request", message=NOT_YET), 400)
    if failure := failure_of(job):
        problem = Problem(failure.kind, failure.message, field=failure.field)
        told, number = trouble(problem), 499 if job.state is State.CANCELED else status_of(problem)
        told.detail = failure.flaws or told.detail
        told.error_type = told.error_type or type_of(failure)
        return answered(job, told, number, {"x-fal-retryable": "false"})
    return answered(job, models.output(job))


def waited(job: Job, request: HttpRequest) -> HttpResponse:
    if job.state.final:
        return result(job, request)
    id = uuid4_form(job.id)
    told = (
        f"Not made within {PATIENCE:g} seconds; it goes on as GET {QUEUE}{app_of(models.word_of(job))}/requests/{id}."
    )
    late = Trouble(detail=told, error_type="request_timeout", message=told)
    return answered(job, late, 504, {"x-fal-request-timeout-type": "user"})  # which clients do not try again


def stopped(job: Job, _request: HttpRequest) -> HttpResponse:
    if job.state is State.CANCELED:
        return answered(job, Stopped(status="CANCELLATION_REQUESTED"), 202)
    return answered(job, Stopped(status="ALREADY_COMPLETED"), 400)


def answered(job: Job, told: Any, status: int = 200, headers: Headers | None = None) -> HttpResponse:
    return json_response(told, status, {ID_HEADER: uuid4_form(job.id), **(headers or {})})


ID_HEADER = "x-fal-request-id"


def news(job: Job) -> bytes | None:
    """The one message, when a request has ended."""
    if not job.state.final:
        return None
    id = uuid4_form(job.id)
    told: Json = {"request_id": id, "gateway_request_id": id, "status": "OK", "payload": None}
    answer = result(job, HttpRequest(method="GET", path=""))
    if answer.status != 200:
        told |= {"status": "ERROR", "error": f"Invalid status code: {answer.status}"}
    return msgspec.json.encode(told | {"payload": msgspec.Raw(answer.body)})


# -- trouble -------------------------------------------------------------------------------

CANCELED = "client_cancelled"
PLATFORM: Mapping[Kind, str] = {
    Kind.INVALID: "bad_request", Kind.TIMED_OUT: "request_timeout", Kind.UNAVAILABLE: "runner_scheduling_failure",
    Kind.ENGINE_FAILED: "runner_server_error", Kind.INTERNAL: "internal_error",
    **dict.fromkeys((Kind.UPSTREAM_FAILED, Kind.SUBMISSION_UNKNOWN), "runner_incomplete_response"),
}  # fmt: skip
MODEL: Mapping[Kind, str] = {
    Kind.INVALID: "value_error", Kind.UNSUPPORTED: "feature_not_supported", Kind.BAD_MEDIA: "image_load_error",
    Kind.UNREACHABLE_MEDIA: "file_download_error", Kind.REFUSED: "content_policy_violation",
}  # fmt: skip
"""What a model tells of a member; the rest is told by the platform."""
KINDS: Mapping[str, Kind] = {
    **{word: kind for kind, word in MODEL.items()},
    **dict.fromkeys(("generation_timeout", "request_timeout", "startup_timeout"), Kind.TIMED_OUT),
}
"""What the vendor's words come to; any other is a failure of its."""
STATUSES = {
    **dict.fromkeys((Kind.UNSUPPORTED, Kind.BAD_MEDIA, Kind.UNREACHABLE_MEDIA, Kind.REFUSED), 422),
    Kind.OVER_BUDGET: 403,
}
TYPES: Mapping[Rule, tuple[str, str]] = {
    Rule.CHOICE: ("one_of", "expected"), Rule.MINIMUM: ("greater_than_equal", "ge"),
    Rule.MAXIMUM: ("less_than_equal", "le"), Rule.MIN_ITEMS: ("sequence_too_short", "min_length"),
    Rule.MAX_ITEMS: ("sequence_too_long", "max_length"),
}  # fmt: skip
"""The vendor's own names of rules, each with what it calls the bound; of others FastAPI's."""
LOCKED = "User is locked. Reason: Exhausted balance. "


def trouble(problem: Problem) -> Trouble:
    """Of members in FastAPI's form, of all else as a text and a code."""
    told = (LOCKED if problem.kind is Kind.OVER_BUDGET else "") + problem.message
    flaws = [flaw for flaw in problem.flaws if flaw.path]
    if problem.kind is Kind.INVALID and flaws:
        return Trouble(detail=[finding(flaw) for flaw in flaws], message=told)
    if (type := MODEL.get(problem.kind)) and (problem.field or problem.kind is not Kind.INVALID):
        loc = ["body", problem.field or "prompt"]
        return Trouble(detail=[{"loc": loc, "msg": told, "type": type, "url": about(type)}], message=told)
    return Trouble(detail=told, error_type=PLATFORM.get(problem.kind), message=told)


def finding(flaw: Flaw) -> Json:
    told = fastapi(flaw)
    type, bound = TYPES.get(flaw.rule, (told["type"], ""))
    found: Json = {"loc": [flaw.place, *flaw.path], "msg": told["msg"], "type": type, "url": about(type)}
    if bound:
        found["ctx"] = {bound: list(flaw.bound) if flaw.rule is Rule.CHOICE else flaw.bound}
    if told["input"]:
        found["input"] = flaw.found
    return found


def about(type: str) -> str:
    return f"https://docs.fal.ai/errors/#{type}"


def failure_of(job: Job) -> Failure | None:
    if job.state is State.CANCELED:
        return Failure(kind=Kind.CONFLICT, message="Request was cancelled by the client")
    return (
        (job.failure or Failure(kind=Kind.ENGINE_FAILED, message="It failed.")) if job.state is State.FAILED else None
    )


def type_of(failure: Failure) -> str:
    if failure.kind is Kind.CONFLICT:
        return CANCELED
    return MODEL.get(failure.kind) or PLATFORM.get(failure.kind) or "runner_server_error"


def status_of(problem: Problem) -> int:
    return kit.render_problem(API, problem, HttpRequest(method="GET", path="")).status


def render_problem(problem: Problem, request: HttpRequest) -> HttpResponse:
    answer = kit.render_problem(API, problem, request)
    told = trouble(problem)
    if problem.kind is Kind.NOT_FOUND and request.path.endswith("/cancel"):
        told.status = "NOT_FOUND"
    if told.error_type:
        answer.headers["x-fal-error-type"] = told.error_type
    if isinstance(told.detail, list):
        answer.headers["x-fal-retryable"] = "false"
    return replace(answer, body=msgspec.json.encode(told))


# -- requests ------------------------------------------------------------------------------

NOTED = ("x-fal-request-start-timeout", "x-fal-request-timeout", "x-fal-object-lifecycle-preference", "x-fal-store-io")
"""Headers of the vendor's that nothing is done about here, which is said."""


def word_in(request: HttpRequest) -> str:
    """The model's id. At the path that resellers have, its owner is a part of the path."""
    word = request.params["app"]
    return f"fal-ai/{word}" if request.path.rstrip("/").endswith(f"{RELAY}{word}") else word


def app_of(word: str) -> str:
    """Its first parts, by which alone a request is asked about."""
    parts = word.split("/")
    return "/".join(parts[: 3 if parts[0] in SPACES else 2])


def parse(request: HttpRequest) -> Submission:
    """Raises Problem(INVALID) with every flaw of the body, Problem(NOT_FOUND) for what is no id."""
    word, said = word_in(request), read_json(request.body)
    if not WORD.fullmatch(word):
        raise Problem(Kind.NOT_FOUND, f"Application {word[:200]!r} not found: an id looks like owner/app/path.")
    webhook = request.query.get("fal_webhook")
    flaws = (
        ()
        if webhook is None or LINK.fullmatch(webhook)
        else (replace(custom_flaw(("fal_webhook",), NO_LINK), place="query"),)
    )
    endpoint = taking(word if word in BY_WORD else "", makes_clips(word, said, models.TELLING))
    try:
        read = kit.parse(API, replace(endpoint, at=word, model_at=None, models=(word,)), request)
    except Problem as problem:
        raise (invalid((*problem.flaws, *flaws)) if problem.flaws and flaws else problem) from None
    if flaws:
        raise invalid(flaws)
    if "num_frames" in said and read.generation.fps is not None:
        seconds = (said["num_frames"] - 1) / read.generation.fps
        read = replace(read, generation=replace(read.generation, seconds=seconds))
    notes = [f"ignored: {name}" for name in NOTED if name in request.headers]
    notes += ["ignored: x-fal-queue-priority"] if request.headers.get("x-fal-queue-priority") == "low" else []
    fields = read.fields | {"webhook": "fal_webhook"}
    return replace(read, webhook=webhook, fields=fields, notes=(*read.notes, *notes))


NO_LINK = "should be an HTTP(S) URL"


def parse_queued(request: HttpRequest) -> Submission:
    read = parse(request)
    inline = read_json(request.body).get("sync_mode") is True
    return replace(read, notes=(*read.notes, "ignored: sync_mode (files are linked)")) if inline else read


def parse_late(request: HttpRequest) -> Submission:
    """As the vendor does: what is wrong with a body is found when a runner takes it, and told as the result."""
    try:
        return parse_queued(request)
    except Problem as problem:
        flaws = [flaw for flaw in problem.flaws if flaw.path and flaw.place == "body"]
        if problem.kind is not Kind.INVALID or not flaws or len(flaws) < len(problem.flaws):
            raise
        told = trouble(problem)
        word = word_in(request)
        makes = taking(
            word if word in BY_WORD else "", makes_clips(word, read_json(request.body), models.TELLING)
        ).makes
        failure = Failure(kind=Kind.INVALID, message=told.message, field=problem.field,
                          flaws=told.detail if isinstance(told.detail, list) else [])  # fmt: skip
        wish = Generation(operation=[*makes.values()][-1], model=word)
        return Submission(generation=wish, fails=failure, webhook=request.query.get("fal_webhook"),
                          fields={"webhook": "fal_webhook"})  # fmt: skip


def parse_waiting(request: HttpRequest) -> Submission:
    return replace(parse(request), wait=PATIENCE)


def outcome(job: Job, _last: Job | None, request: HttpRequest) -> bytes:
    """A model's output as an event, once it is there; before that what keeps the connection, and is no event."""
    return b"data: " + result(job, request).body + b"\n\n" if job.state.final else b": in progress\n\n"


def carries(request: HttpRequest) -> str | None:
    return "" if read_json(request.body).get("sync_mode") is True else None


# -- the back's own --------------------------------------------------------------------------


def poll(handle: Json) -> Conversation[Update]:
    """Two answers: how it stands and, at its end, what was made or why it was not."""
    update = yield from kit.poll(STANDING, handle | {"at": app_of(handle["at"])})
    if update.upstream_status != DONE:
        return update
    response = yield ask("GET", f"/{app_of(handle['at'])}/requests/{handle['id']}")
    if not 400 <= response.status < 600 or response.status in (401, 403, 404, 429):
        return kit.news(API, API.reading, kit.task_in(API, response) | {"status": DONE})
    try:
        told = msgspec.json.decode(response.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        told = None
    word = at(told, "error_type") or at(told, "detail.0.type")
    if word == CANCELED:
        return Update(state=State.CANCELED, upstream_status=DONE)
    why = plain_text(kit.text_of(at(told, "detail")) or "no reason given")
    kind = KINDS.get(word, Kind.UPSTREAM_FAILED) if isinstance(word, str) else Kind.UPSTREAM_FAILED
    failure = Failure(kind=kind, message=f"fal could not make it: {why}", code=word if isinstance(word, str) else None)
    return Update(state=State.FAILED, upstream_status=DONE, failure=bounded(failure))


def cancel(handle: Json) -> Conversation[bool]:
    stop = f"PUT {app_of(handle['at'])}/requests/{{id}}/cancel"
    return (yield from kit.cancel(replace(API, stop=stop), handle))


# -- the whole -------------------------------------------------------------------------------


def calling(known: Known) -> Endpoint:
    return Endpoint(at="{app}", model_at="{app}", title=known.about, body=known.input, makes=known.makes,
                    models=(known.word,), fields=known.fields, front=False)  # fmt: skip


def calling_any(*, clips: bool) -> Endpoint:
    fields, makes = (models.OPEN_CLIPS, models.ANY_CLIP) if clips else (models.OPEN_PICTURES, models.ANY_PICTURE)
    return Endpoint(at="{app}", model_at="{app}", title="Any model", body=models.Input, makes=makes, fields=fields,
                    front=False)  # fmt: skip


@cache
def taking(word: str, clips: bool) -> Endpoint:
    """How a client asks for a model; "" for one that is not known."""
    return kit.tabled(API, calling(BY_WORD[word]) if word else calling_any(clips=clips))


LINKS = ("images.*.url", "image.url", "video.url", "audio.url", "audio_file.url", "videos.*.url", "model_mesh.url")
# fmt: off
API = TaskApi(
    name="fal", vendor="fal", title="fal", docs="https://fal.ai/docs", base_url="https://queue.fal.run", root="/",
    endpoints=(*map(calling, KNOWN), calling_any(clips=False), calling_any(clips=True)), fields={}, states=STATES,
    answer=Queued, task=lambda job: queued(job, ""), show="{at}/requests/{id}/status",
    reading=Reading(id="request_id", links=LINKS, texts=("text", "output", "results")),
    error=lambda problem, _: trouble(problem), error_type=Trouble, invalid_status=422, statuses=STATUSES,
    sign=lambda key, _: {"authorization": f"Key {key}"}, credential=partial(kit.bearer, schemes=("key", "bearer")),
    open_models=True, unsent=frozenset({429}),
)
# fmt: on
STANDING = replace(
    API, states={State.QUEUED: "IN_QUEUE", State.RUNNING: "IN_PROGRESS"}, also_states={DONE: State.RUNNING}
)


class Logs(Struct, frozen=True, kw_only=True):
    logs: str = "0"


def queue(root: str, title: str, parse: Callable[[HttpRequest], Submission]) -> tuple[Route, ...]:
    """The paths of the queue below a prefix."""
    one = f"{root}{{app…}}/requests/{{id}}"
    return (
        Create(at=f"POST {root}{{app…}}", parse=parse, render=submitted, body=Asked, answer=Queued, places=True,
               summary=f"Submit a request{title}"),
        Read(at=f"GET {one}/status", render=status, answer=Queued, query=Logs, also=(202,),
             summary=f"How a request stands{title}"),
        Follow(at=f"GET {one}/status/stream", event=event, answer=Queued, query=Logs,
               summary=f"How a request stands, at every change{title}"),
        Read(at=f"GET {one}", render=result, answer=dict[str, Any], summary=f"What a request has made{title}"),
        Read(at=f"GET {one}/response", render=result, answer=dict[str, Any],
             summary=f"What a request has made{title} (older spelling)"),
        Stop(at=f"PUT {one}/cancel", running=True, keeps=True, ended_is_fine=True, render=stopped, answer=Stopped,
             status=202, summary=f"Cancel a request{title}"),
    )  # fmt: skip


def routes(parse: Callable[[HttpRequest], Submission]) -> tuple[Route, ...]:
    """With what reads what is submitted to the queue."""
    return (
        *queue(QUEUE, "", parse),
        *queue("/fal/", ", as relays have it", parse),
        *queue(RELAY, ", as resellers have it", parse),
        *RUNS,
        *places.ROUTES,
    )


RUNS: tuple[Route, ...] = (
    Create(at=f"POST {RUN}{{app…}}", parse=parse_waiting, render=submitted, waited=waited, carries=carries, body=Asked,
           answer=dict[str, Any], summary="Run a model and wait for what it makes"),
    Create(at=f"POST {RUN}{{app…}}/stream", parse=parse, render=submitted, event=outcome, body=Asked,
           answer=Queued, summary="Run a model and hear what it makes as an event"),
)  # fmt: skip
WIRE = replace(
    kit.wire(API), roots=("/fal/", RELAY), routes=routes(parse_late), render_problem=render_problem,
    render_webhook=news, id_header=ID_HEADER, signed_headers=places.signed, proxy=places.PROXY, target=places.target,
    back=replace(kit.back(API), poll=poll, cancel=cancel),
)  # fmt: skip
EARLY = replace(WIRE, routes=routes(parse_queued))
"""What is sure to fail is refused when it is submitted."""
DIALECTS = {"late": WIRE, "early": EARLY}
