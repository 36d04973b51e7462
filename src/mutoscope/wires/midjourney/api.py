"""The proxy's API in front: submissions, tasks with buttons, and what is read of them."""

import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from mutoscope.model.http import HttpRequest, HttpResponse, json_response
from mutoscope.model.job import Generation, Input, Job, Json, Operation, Output, Role, State
from mutoscope.model.problem import Flaw, Kind, Problem, Rule, custom_flaw
from mutoscope.model.requests import Page, Submission, Upload, UploadWish
from mutoscope.wirekit.back import Way
from mutoscope.wirekit.body import invalid, read_body, read_json, unread
from mutoscope.wirekit.fields import AnyField, Field, FileField, alias, extra, sized
from mutoscope.wirekit.media import LINK, BadSource, data_uri
from mutoscope.wirekit.paths import at
from mutoscope.wirekit.routes import Create, List, ReadMany, Route, Stop, TakeInline
from mutoscope.wirekit.task import Endpoint, TaskApi, read_all, render_problem, wire
from mutoscope.wirekit.wire import Wire
from mutoscope.wires.midjourney import bodies, prompts
from mutoscope.wires.midjourney.back import back_of
from mutoscope.wires.midjourney.buttons import (
    ACTIONS,
    NUMBERS,
    Button,
    answered,
    bot_of,
    buttons_of,
    facts,
    is_grid,
    pictures,
    pressed,
    said_prompt,
    texts,
    waits,
)
from mutoscope.wires.midjourney.ids import job_id, public_id

ROOT = "/mj/"
SPEEDS = ("fast", "relax", "turbo")
MOUNTS = (*(f"/mj-{each}" for each in SPEEDS), *(f"/{each}" for each in SPEEDS), "/v1")
STATES = {
    State.QUEUED: "NOT_START",
    State.RUNNING: "IN_PROGRESS",
    State.SUCCEEDED: "SUCCESS",
    State.FAILED: "FAILURE",
    State.CANCELED: "FAILURE",
}
ALSO = {"SUBMITTED": State.QUEUED, "MODAL": State.QUEUED, "CANCEL": State.CANCELED}
DIMENSIONS = {
    each: prompts.SIZES[shape] for each, shape in (("SQUARE", "1:1"), ("PORTRAIT", "2:3"), ("LANDSCAPE", "3:2"))
}

# -- what is asked ---------------------------------------------------------------------------

MODES = Field(
    ours=("mode",),
    read=lambda modes: {"extra": {"mode": modes[0]}} if modes else {},
    write=lambda wish: [wish.extra["mode"]] if wish.extra.get("mode") else None,
)
PROMPT = Field(
    ours=("prompt", "negative_prompt", "seed", "width", "height", "flags"), read=prompts.wishes, write=prompts.written
)
PLAIN_PROMPT = Field(ours=("prompt",), read=lambda text: {"prompt": text.strip()}, write=lambda wish: wish.prompt)
REFERENCES = FileField(role=Role.REFERENCE, ways=(Way.DATA,), many=True)
IMAGE = FileField(role=Role.IMAGE, ways=(Way.DATA,))
FIELDS: dict[str, AnyField] = {
    "prompt": PROMPT,
    "base64Array": REFERENCES,
    "base64": FileField(role=Role.REFERENCE, ways=(Way.DATA,), alias=True),
    "accountFilter.modes": MODES,
}
BLEND: dict[str, AnyField] = {
    "base64Array": replace(REFERENCES, role=Role.IMAGE),
    "dimensions": sized("dimensions", DIMENSIONS),
    "accountFilter.modes": MODES,
}
DESCRIBE: dict[str, AnyField] = {
    "base64": IMAGE,
    "link": alias(replace(IMAGE, ways=(Way.LINK,))),
    "language": extra("language"),
    "accountFilter.modes": MODES,
}
SHORTEN: dict[str, AnyField] = {"prompt": PLAIN_PROMPT, "accountFilter.modes": MODES}


def picture_flaws(said: Json) -> Iterator[Flaw]:
    if not (said.get("base64") or said.get("link")):
        yield Flaw(path=("base64 or link",), rule=Rule.REQUIRED)


def whole(parse: Callable[[HttpRequest], Submission], request: HttpRequest) -> Submission:
    """A request with what its path and the pictures in front of its prompt say, and what the bot makes of any: four
    pictures and one that shows them all, four descriptions, five short prompts."""
    submission = parse(request)
    wish = submission.generation
    said: Json = read_json(request.body)
    more, count = dict(wish.extra), 4
    if mode := speed_in(request):
        more["mode"] = mode
    match wish.operation:
        case Operation.TEXT_TO_TEXT:
            more["task"], count = "shorten", len(NUMBERS)
        case Operation.IMAGE_TO_TEXT:
            pass
        case _:
            more["grid"] = True
    inputs = wish.inputs
    if wish.operation in (Operation.TEXT_TO_IMAGE, Operation.IMAGE_TO_IMAGE):
        links = prompts.read(str(said["prompt"])).links
        inputs += tuple(Input(role=Role.REFERENCE, field=f"prompt[{n}]", url=link) for n, link in enumerate(links))
        made = Operation.IMAGE_TO_IMAGE if inputs else Operation.TEXT_TO_IMAGE
        wish = replace(wish, operation=made)
    return replace(submission, generation=replace(wish, inputs=inputs, count=count, extra=more))


def speed_in(request: HttpRequest) -> str | None:
    """How fast, by the first part of the path."""
    return prompts.SPEEDS.get(request.path.split("/")[1].removeprefix("mj-")) if "/" in request.path else None


def speed_of(request: HttpRequest, said: Json) -> str | None:
    modes: list[str] = at(said, "accountFilter.modes") or []
    return speed_in(request) or next(iter(modes), None)


Follow = Callable[[Job, Json], Submission]


def goes_on(request: HttpRequest, body: Any, task: Callable[[Json], str], follow: Follow) -> Submission:
    """A request that hangs on an earlier task, which is read later. Raises Problem(INVALID)."""
    said, flaws = read_all(request.body, body)
    hook = said.get("notifyHook")
    if not flaws and isinstance(hook, str) and not LINK.fullmatch(hook):
        flaws = (custom_flaw(("notifyHook",), "should be an HTTP(S) URL"),)
    if flaws:
        raise invalid(flaws)
    if mode := speed_of(request, said):
        said["mode"] = mode
    return Submission(
        generation=Generation(operation=Operation.IMAGE_UPSCALE, model="MID_JOURNEY"),  # until the task is known
        parent=task(said),
        follow=lambda parent: follow(parent, said),
        webhook=hook,
        fields={"webhook": "notifyHook"},
        notes=unread(request.body, body, "Midjourney"),
    )


def parse_action(request: HttpRequest) -> Submission:
    return goes_on(request, bodies.Action, lambda said: said["taskId"], press)


def press(parent: Job, said: Json) -> Submission:
    return pressed(parent, said["customId"], "customId", said)


def parse_change(request: HttpRequest) -> Submission:
    return goes_on(request, bodies.Change, lambda said: said["taskId"], change)


def change(parent: Job, said: Json) -> Submission:
    if said["action"] == "REROLL":
        return pressed(parent, "JOB::reroll::0", "action", said)
    if said.get("index") is None:
        raise invalid((Flaw(path=("index",), rule=Rule.REQUIRED),))
    kind = {"UPSCALE": "upsample", "VARIATION": "variation"}[said["action"]]
    return pressed(parent, f"JOB::{kind}::{said['index']}", "index", said)


def parse_simple_change(request: HttpRequest) -> Submission:
    return goes_on(request, bodies.SimpleChange, lambda said: said["content"].partition(" ")[0], simple_change)


def simple_change(parent: Job, said: Json) -> Submission:
    word = said["content"].partition(" ")[2].upper()
    kind = {"U": "upsample", "V": "variation", "R": "reroll"}[word[0]]
    return pressed(parent, f"JOB::{kind}::{word[1:] or 0}", "content", said)


def parse_modal(request: HttpRequest) -> Submission:
    return goes_on(request, bodies.Modal, dialog_in, answered)


def dialog_in(said: Json) -> str:
    id = said.get("taskId") or said.get("task_id")
    if not id:
        raise invalid((Flaw(path=("taskId",), rule=Rule.REQUIRED),))
    return str(id)


# -- what is answered ---------------------------------------------------------------------------


class Answer(Struct, kw_only=True):
    """Of a submission. 1: accepted; 21: a dialog is open, `/submit/modal` goes on; 22: accepted, and waits in line."""

    code: int
    description: str
    result: str | list[str]
    properties: dict[str, Any] = {}


class Error(Struct, kw_only=True):
    description: str
    type: str = "upstream_error"
    code: int


class Picture(Struct, kw_only=True):
    url: str
    thumbnail: str
    width: int | UnsetType = UNSET
    height: int | UnsetType = UNSET


class Task(Struct, kw_only=True, rename="camel"):
    """Times in milliseconds, the progress as "46%"."""

    id: str
    action: str
    status: str
    progress: str
    prompt: str
    prompt_en: str
    description: str
    state: str | None
    submit_time: int
    start_time: int | None
    finish_time: int | None
    image_url: str | None
    image_urls: list[Picture] | UnsetType = UNSET
    fail_reason: str | None
    bot_type: str
    custom_id: str
    mask_base64: str
    mode: str | UnsetType = UNSET
    properties: dict[str, Any]
    buttons: list[Button]


def made(job: Job) -> Answer:
    if waits(job):
        told = {"finalPrompt": said_prompt(job), "remix": True}
        return Answer(code=21, description="Waiting for window confirm", result=public_id(job.id), properties=told)
    if job.throttled:
        return Answer(code=22, description="Waiting in the queue", result=public_id(job.id))
    return Answer(code=1, description="Submit success", result=public_id(job.id))


def task(job: Job) -> Task:
    said, done = facts(job), job.state is State.SUCCEEDED
    files = pictures(job) if done else []
    prompt = said_prompt(job)
    action = str(said.get("action") or ACTIONS[job.generation.operation])
    lines = texts(job)
    final = "\n\n".join(f"{NUMBERS[n]} {line}" for n, line in enumerate(lines)) if lines else prompt
    given = job.generation.inputs[0].url if action == "DESCRIBE" and job.generation.inputs else None
    return Task(
        id=public_id(job.id),
        action=action,
        status="MODAL" if waits(job) else STATES[job.state],
        progress=progress(job),
        prompt=prompt,
        prompt_en=prompt,
        description=f"/{action.lower()} {prompt}".strip(),
        state=said.get("state"),
        submit_time=round(job.created * 1000),
        start_time=None if job.started is None else round(job.started * 1000),
        finish_time=None if job.finished is None or waits(job) else round(job.finished * 1000),
        image_url=files[0].url if files else given,
        image_urls=[picture(each) for each in (files[1:] if is_grid(job) and len(files) > 4 else files)] or UNSET,
        fail_reason=reason_of(job),
        bot_type=bot_of(job),
        custom_id=str(said.get("customId") or ""),
        mask_base64="",
        mode=job.generation.extra.get("mode") or UNSET,
        properties={"finalPrompt": final},
        buttons=buttons_of(job),
    )


def picture(output: Output) -> Picture:
    url = output.url or ""
    return Picture(url=url, thumbnail=url, width=output.width or UNSET, height=output.height or UNSET)


def progress(job: Job) -> str:
    match job.state:
        case State.SUCCEEDED:
            return "100%"
        case State.FAILED | State.CANCELED if not waits(job):
            return ""
        case _:
            return f"{int(100 * (job.progress or 0.0))}%"


def reason_of(job: Job) -> str | None:
    if job.state is State.CANCELED and not waits(job):
        return "The task was canceled."
    return job.failure.message if job.failure else None


CODES = {
    **dict.fromkeys(Kind, 4),
    Kind.NOT_FOUND: 3,
    Kind.RATE_LIMITED: 30,
    Kind.QUOTA_EXCEEDED: 30,
    Kind.REFUSED: 24,
    Kind.UPSTREAM_FAILED: 5,
    **dict.fromkeys((Kind.ENGINE_FAILED, Kind.SUBMISSION_UNKNOWN, Kind.TIMED_OUT, Kind.UNAVAILABLE, Kind.INTERNAL), 9),
}
FETCH = re.compile(r".*/mj/task/[^/]+/fetch/?")


def error(problem: Problem, _status: int) -> Error:
    return Error(description=problem.message, code=CODES[problem.kind])


def rendered_problem(problem: Problem, request: HttpRequest) -> HttpResponse:
    """A task that is not there is told to who fetches it as the relays do, which most clients know."""
    if problem.kind is Kind.NOT_FOUND and problem.field == "id" and FETCH.fullmatch(request.path):
        return json_response(Error(description=f"task_no_found: {problem.message}", code=4), 400)
    return render_problem(API, problem, request)


def credential(request: HttpRequest) -> str | None:
    """The whole of `Authorization`, a bearer's token too; else of `mj-api-secret`."""
    for name in ("authorization", "mj-api-secret"):
        text = request.headers.get(name, "").strip()
        first, _, rest = text.partition(" ")
        if first.lower() in ("bearer", "basic"):
            text = rest.strip() if first.lower() == "bearer" else ""
        if text and text != "midjourney-proxy":
            return text
    return None


# -- files, lists, seeds -------------------------------------------------------------------------

MOST_BYTES = 20 * 1024 * 1024
KEPT_SECONDS = 7 * 86400.0


def parse_files(request: HttpRequest) -> tuple[tuple[UploadWish, bytes], ...]:
    """Raises Problem(INVALID)."""
    flaws, found = list[Flaw](), list[tuple[UploadWish, bytes]]()
    for number, text in enumerate(read_body(request.body, bodies.Files).base64_array):
        try:
            media_type, data = data_uri(text)
        except BadSource as error:
            flaws.append(custom_flaw(("base64Array", number), str(error)))
            continue
        wish = UploadWish(
            media_type=media_type or "image/png",
            min_bytes=1,
            max_bytes=MOST_BYTES,
            keep_seconds=KEPT_SECONDS,
            slot_seconds=1,
        )
        found.append((wish, data))
    if flaws:
        raise invalid(tuple(flaws))
    return tuple(found)


def render_files(uploads: tuple[Upload, ...], _request: HttpRequest) -> HttpResponse:
    return json_response(Answer(code=1, description="Success", result=[each.asset_url for each in uploads]))


def ids_in(request: HttpRequest) -> tuple[str, ...]:
    return tuple(read_body(request.body, bodies.Ids).ids or ())


def render_many(jobs: tuple[Job, ...], _request: HttpRequest) -> HttpResponse:
    return json_response([task(job) for job in jobs])


def render_seed(jobs: tuple[Job, ...], request: HttpRequest) -> HttpResponse:
    """Raises Problem: there is no such task, it is not done, or nobody knows its seed."""
    if not jobs:
        raise Problem(Kind.NOT_FOUND, f"There is no task {request.params['id']!r}.")
    [job] = jobs
    if job.state is not State.SUCCEEDED:
        raise Problem(Kind.CONFLICT, f"task_status_not_success: task {public_id(job.id)} is {STATES[job.state]}.")
    if job.generation.seed is None:
        raise Problem(Kind.UNSUPPORTED, f"The seed of task {public_id(job.id)} is known to whoever made it only.")
    return json_response(Answer(code=1, description="Success", result=str(job.generation.seed)))


def a_page(page: Page, _request: HttpRequest) -> Page:
    return page


def is_unfinished(job: Job) -> bool:
    return not job.state.final


ROUTES: tuple[Route, ...] = (
    *(
        Create(
            at=f"POST {ROOT}submit/{path}",
            parse=parse,
            render=lambda job, _request: json_response(made(job)),
            body=body,
            answer=Answer,
            summary=summary,
            hangs=True,
        )
        for path, parse, body, summary in (
            ("action", parse_action, bodies.Action, "Press a button of a task"),
            ("modal", parse_modal, bodies.Answered, "Answer a dialog that a button opened"),
            ("change", parse_change, bodies.Change, "Upscale, vary or repeat, by number"),
            ("simple-change", parse_simple_change, bodies.SimpleChange, "The same as one line: `<id> U2`"),
        )
    ),
    TakeInline(
        at=f"POST {ROOT}submit/upload-discord-images",
        parse=parse_files,
        render=render_files,
        body=bodies.Files,
        answer=Answer,
        summary="Keep pictures and get links to them",
    ),
    *(
        ReadMany(
            at=f"POST {ROOT}task/{path}",
            ids=ids_in,
            render=render_many,
            body=bodies.Ids,
            answer=list[Task],
            summary="Read several tasks",
        )
        for path in ("list-by-condition", "list-by-ids")
    ),
    ReadMany(
        at=f"GET {ROOT}task/{{id}}/image-seed",
        ids=lambda request: (request.params["id"],),
        render=render_seed,
        answer=Answer,
        summary="The seed of a finished task",
    ),
    Stop(
        at=f"POST {ROOT}task/{{id}}/cancel",
        id=lambda request: request.params["id"],
        running=True,
        keeps=True,
        ended_is_fine=True,
        render=lambda _job, _request: HttpResponse(),
        summary="Cancel a task, which then has failed",
    ),
    *(
        List(
            at=f"GET {ROOT}task/{path}",
            parse=partial(a_page, page),
            render=render_many,
            answer=list[Task],
            summary=summary,
        )
        for path, page, summary in (
            ("list", Page(size=100), "The newest hundred tasks"),
            ("queue", Page(size=100, keep=is_unfinished), "The tasks that have not ended"),
        )
    ),
)  # fmt: skip

BOT: dict[str, Any] = {"model_at": "botType", "models": ("MID_JOURNEY", "NIJI_JOURNEY", "mj", "niji")}
API = TaskApi(
    name="midjourney",
    vendor="Midjourney",
    title="Midjourney proxy",
    docs="https://github.com/novicezk/midjourney-proxy",
    base_url="",  # whose proxy it is says the account
    root=ROOT,
    show="task/{id}/fetch",
    endpoints=(
        Endpoint(
            at="submit/imagine",
            title="Four pictures from a prompt",
            body=bodies.Imagine,
            **BOT,
            makes={Role.REFERENCE: Operation.IMAGE_TO_IMAGE, None: Operation.TEXT_TO_IMAGE},
            rules=prompts.flaws,
        ),
        Endpoint(
            at="submit/blend",
            title="Mix two to five pictures",
            body=bodies.Blend,
            **BOT,
            makes={None: Operation.IMAGE_BLEND},
            fields=BLEND,
        ),
        Endpoint(
            at="submit/describe",
            title="Four prompts for a picture",
            body=bodies.Described,
            **BOT,
            makes={None: Operation.IMAGE_TO_TEXT},
            fields=DESCRIBE,
            rules=picture_flaws,
        ),
        Endpoint(
            at="submit/shorten",
            title="Shorter prompts",
            body=bodies.Shorten,
            **BOT,
            makes={None: Operation.TEXT_TO_TEXT},
            fields=SHORTEN,
            rules=prompts.flaws,
        ),
    ),
    fields=FIELDS,
    webhook="notifyHook",
    states=STATES,
    also_states=ALSO,
    task=task,
    answer=Task,
    made=made,
    made_type=Answer,
    error=error,
    error_type=Error,
    reasons=("description", "message", "error.message", "error"),
    statuses={Kind.CONFLICT: 400},
    credential=credential,
    security={
        "mj-api-secret": {"type": "apiKey", "in": "header", "name": "mj-api-secret"},
        "midjourney-bearer": {"type": "http", "scheme": "bearer"},
    },
    sign=lambda key, _now: {"mj-api-secret": key},
    mounts=MOUNTS,
    routes=ROUTES,
    public_id=public_id,
    job_id=job_id,
    id_of=lambda request: request.params["id"],
)


def front() -> Wire:
    made_here = wire(API)
    kits = {f"POST {ROOT}{each.at}" for each in API.endpoints}
    routes = (
        replace(each, parse=partial(whole, each.parse)) if isinstance(each, Create) and each.at in kits else each
        for each in made_here.routes
    )
    return replace(made_here, routes=tuple(routes), render_problem=rendered_problem, back=back_of(API))


WIRE = front()
