"""Runway as relays of web accounts sell it: one path for text and picture, and a task that is read by POST.

Two dialects of answers are in use; a server speaks one of them, by the setting `[wires.runway_reverse] dialect`.
"""

from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any, Literal, cast

from msgspec import Meta, Struct
from msgspec.structs import replace

from mutoscope.model.catalog import ADVICE, I2V, T2V, V2V, Model, a_second, row
from mutoscope.model.http import HttpRequest, HttpResponse, json_response
from mutoscope.model.job import Job, Json, Operation, Role, State
from mutoscope.model.problem import Kind, Problem
from mutoscope.model.requests import Submission
from mutoscope.wirekit.body import read_body, read_json
from mutoscope.wirekit.fields import AnyField, Field, FileField, extra, same
from mutoscope.wirekit.ids import uuid4_form
from mutoscope.wirekit.queries import named
from mutoscope.wirekit.routes import Create, Read, Route
from mutoscope.wirekit.task import Endpoint, TaskApi, bare_or_bearer, parse, tabled, wire
from mutoscope.wirekit.times import why_ended
from mutoscope.wirekit.wire import Wire

ROOT = "/runway/"
WORDS = ("gen3", "gen2", "gen4", "gen4.5")  # the first where the caller names none
ACT = "act_one"
CODES = {State.QUEUED: "0", State.RUNNING: "1", State.SUCCEEDED: "3", State.FAILED: "2", State.CANCELED: "2"}
STATES = {
    State.QUEUED: "",
    State.RUNNING: "processing",
    State.SUCCEEDED: "succeeded",
    State.FAILED: "failed",
    State.CANCELED: "failed",
}
ENVELOPE = {
    State.QUEUED: ("QUEUED", "PENDING"),
    State.RUNNING: ("IN_PROGRESS", "RUNNING"),
    State.SUCCEEDED: ("SUCCESS", "SUCCEEDED"),
    State.FAILED: ("FAILURE", "FAILED"),
    State.CANCELED: ("FAILURE", "CANCELLED"),
}
"""In the other dialect: the word outside, and the one inside."""
HINTS = ADVICE | {"style", "motion_vector", "motion_multiplier"}

# fmt: off
ROWS: tuple[Model, ...] = tuple(
    replace(made, ignores=HINTS)
    for made in (
        *(row(f"runway-{word}", "runway", I2V, T2V, V2V, price=a_second(5), max_seconds=10,
              defaults={"width": 1280, "height": 720, "seconds": 10.0, "fps": 24}, names={"runway_reverse": (word,)})
          for word in WORDS),
        row("runway-act-one", "runway", Operation.CHARACTER_PERFORMANCE, price=a_second(5), max_seconds=30,
            names={"runway_reverse": (ACT,)}),
    )
)
# fmt: on

# -- bodies -------------------------------------------------------------------------------

Link = Annotated[str, Meta(extra_json_schema={"format": "uri"})]
Word = Literal["gen2", "gen3", "gen4", "gen4.5"]


class Motion(Struct, kw_only=True):
    x: float | None = None
    y: float | None = None
    z: float | None = None
    r: float | None = None
    bg_x_pan: float | None = None
    bg_y_pan: float | None = None


class Options(Struct, kw_only=True):
    seconds: Literal[5, 10] | None = None
    image_as_end_frame: bool | None = None
    motion_vector: Motion | None = None
    motion_multiplier: int | None = None
    structure_transformation: Annotated[float, Meta(ge=0, le=1)] | None = None
    flip: bool | None = None


class Generate(Struct, kw_only=True):
    prompt: Annotated[str, Meta(min_length=1)]
    model: Word | None = None
    image: Link | None = None
    last_image: Link | None = None
    ratio: Literal["16:9", "9:16", "1:1", "4:3", "21:9"] | None = None
    style: str | None = None
    options: Options | None = None
    callback_url: Link | None = None


class Restyle(Struct, kw_only=True):
    video: Link
    model: Word
    prompt: Annotated[str, Meta(min_length=1)]
    ratio: Literal["16:9", "9:16", "1:1", "4:3", "21:9"] | None = None
    style: str | None = None
    options: Options | None = None
    callback_url: Link | None = None


class Perform(Struct, kw_only=True):
    video: Link
    image: Link | None = None
    character_video: Link | None = None
    prompt: str | None = None
    options: Options | None = None
    callback_url: Link | None = None


Act = Annotated[
    Perform, Meta(extra_json_schema={"anyOf": [{"required": ["image"]}, {"required": ["character_video"]}]})
]


class Aleph(Struct, kw_only=True):
    prompt: Annotated[str, Meta(min_length=1)]
    video: Link
    images: Annotated[list[Link], Meta(max_length=10)] | None = None
    options: Options | None = None
    callback_url: Link | None = None


class Feed(Struct, kw_only=True):
    task_id: str


FIELDS: dict[str, AnyField] = {
    "prompt": same("prompt"),
    "image": FileField(role=Role.FIRST_FRAME),
    "last_image": FileField(role=Role.LAST_FRAME),
    "video": FileField(role=Role.VIDEO),
    "images": FileField(role=Role.REFERENCE, many=True),
    "ratio": extra("ratio"),
    "style": extra("style"),
    "options.seconds": same("seconds"),
    "options.motion_vector": extra("motion_vector"),
    "options.motion_multiplier": extra("motion_multiplier"),
    "options.structure_transformation": extra("strength"),
    "options.flip": Field(
        ours=("ratio",), read=lambda value: {"extra": {"ratio": "9:16"}} if value else {}, write=lambda _: None
    ),
}
ENDING = FIELDS | {"image": FileField(role=Role.LAST_FRAME)}
ACTING = FIELDS | {
    "image": FileField(role=Role.CHARACTER),
    "character_video": FileField(role=Role.CHARACTER),
    "video": FileField(role=Role.REFERENCE_VIDEO),
}
FRAMES = {Role.FIRST_FRAME: I2V, Role.LAST_FRAME: I2V, None: T2V}
GENERATE = Endpoint(at="pro/generate", also=("v1/pro/generate",), title="Make a video of a text or a picture",
                    body=Generate, models=WORDS, makes=FRAMES)  # fmt: skip
RESTYLE = Endpoint(at="pro/video2video", also=("v1/pro/video2video",), title="Restyle a video", body=Restyle,
                   models=WORDS, makes={None: V2V})  # fmt: skip
PERFORM = Endpoint(at="pro/act_one", also=("v1/pro/act_one",), title="Have a character act as in a video", body=Act,
                   models=(ACT,), model_at=None, fields=ACTING,
                   makes={Role.CHARACTER: Operation.CHARACTER_PERFORMANCE})  # fmt: skip
ALEPH = Endpoint(at="pro/aleph", also=("v1/pro/aleph",), title="Edit a video", body=Aleph, models=("gen4",),
                 model_at=None, makes={None: V2V})  # fmt: skip


def chosen(endpoint: Endpoint, body: Any) -> Endpoint:
    """What a body asks for, whose path is used for more than one thing."""
    said = cast("Json", body) if isinstance(body, dict) else {}
    options = said.get("options")
    if endpoint.at == GENERATE.at and said.get("video") is not None:
        return RESTYLE
    if endpoint.at == GENERATE.at and isinstance(options, dict) and cast("Json", options).get("image_as_end_frame"):
        return replace(GENERATE, fields=ENDING)
    if endpoint.at == RESTYLE.at and said.get("image") is not None and said.get("model") is None:
        return PERFORM
    return endpoint


def parse_any(api: TaskApi, endpoint: Endpoint, request: HttpRequest) -> Submission:
    return parse(api, tabled(api, chosen(endpoint, read_json(request.body))), request)


ASKED = named("task_id")


def id_of(request: HttpRequest) -> str:
    return ASKED(request) if request.method != "POST" else read_body(request.body, Feed).task_id


# -- answers -------------------------------------------------------------------------------


class Created(Struct, kw_only=True, omit_defaults=True):
    code: int
    msg: str
    data: dict[str, str]
    exec_time: float
    message: str | None = None


class Task(Struct, kw_only=True):
    task_id: str
    state: str
    status: str  # "0" new, "1" being made, "2" failed, "3" done
    prompt: str
    prompt_en: str | None = None
    video_url: str | None = None
    raw_video_url: str | None = None
    poster: str | None = None
    last_frame: str | None = None
    msg: str | None = None
    point: str
    refund: str
    create_time: str  # seconds
    update_time: str


class Answer(Struct, kw_only=True):
    """Of either dialect; an error has no data."""

    code: int | str
    data: dict[str, Any] | None = None
    msg: str | None = None
    exec_time: float | None = None
    message: str | None = None


def link(job: Job) -> str | None:
    return job.outputs[0].url if job.state is State.SUCCEEDED and job.outputs else None


def created(dialect: str, job: Job) -> Created:
    b = dialect == "B"
    data = {"task_id": uuid4_form(job.id)}
    return Created(code=200, msg="success" if b else "成功", data=data, exec_time=0.0, message="" if b else None)


def bare_task(job: Job) -> Task:
    return Task(
        task_id=uuid4_form(job.id),
        state=STATES[job.state],
        status=CODES[job.state],
        prompt=job.generation.prompt or "",
        video_url=link(job),
        raw_video_url=link(job),
        msg=why_ended(job),
        point=str(round(job.estimate if job.cost is None else job.cost)),
        refund="1" if CODES[job.state] == "2" else "0",
        create_time=str(int(job.created)),
        update_time=str(int(job.updated or job.created)),
    )


def task(job: Job) -> Json:
    return {"code": 200, "msg": "成功", "data": bare_task(job), "exec_time": 0.0}


def enveloped(job: Job) -> Json:
    outer, inner = ENVELOPE[job.state]
    made = link(job)
    began = datetime.fromtimestamp(int(job.created), UTC).isoformat()
    share = 1.0 if job.state.final else job.progress or 0.0
    data = {
        "task_id": uuid4_form(job.id),
        "action": "IMAGE_TO_VIDEO",  # whatever it is
        "status": outer,
        "fail_reason": why_ended(job) or "",
        "submit_time": int(job.created),
        "start_time": int(job.started or 0),
        "finish_time": int(job.finished or 0),
        "progress": f"{round(100 * share)}%",
        "video_url": made or "",
        "result_url": made or "",
        "data": {"id": uuid4_form(job.id), "status": inner, "createdAt": began} | ({"output": [made]} if made else {}),
    }
    return {"code": "success", "message": "", "data": data}


def error(problem: Problem, status: int) -> Json:
    unknown = problem.kind is Kind.NOT_FOUND and problem.field == "id"
    return {
        "code": status,
        "msg": f"task_not_exist: {problem.message}" if unknown else problem.message,
        "data": None,
        "exec_time": 0.0,
    }


# -- the wire --------------------------------------------------------------------------------


def api(dialect: str) -> TaskApi:
    b = dialect == "B"
    return TaskApi(
        name="runway_reverse",
        vendor="Runway",
        title="Runway, as relays of web accounts sell it",
        docs="https://apiai.apifox.cn/en/api-208873208",
        base_url="https://runway-reverse.invalid",
        root=ROOT,
        show="feed",
        id_of=id_of,
        endpoints=(GENERATE, RESTYLE, PERFORM, ALEPH),
        fields=FIELDS,
        webhook="callback_url",
        webhook_body=None if b else bare_task,
        states=CODES,
        task=enveloped if b else task,
        answer=Answer,
        made=partial(created, dialect),
        made_type=Created,
        error=error,
        error_type=Answer,
        credential=bare_or_bearer,
        mounts=("/api/video",),
        back=False,
    )


def read_of(made: TaskApi, path: str) -> Read:
    def render(job: Job, _request: HttpRequest) -> HttpResponse:
        return json_response(made.task(job))

    return Read(at=f"POST {path}", id=id_of, render=render, body=Feed, answer=Answer, summary="Read a task")


def spoken(dialect: str) -> Wire:
    made = api(dialect)
    front = wire(made)
    routes: list[Route] = [read_of(made, f"{ROOT}feed"), read_of(made, f"{ROOT}v1/feed")]
    for each in front.routes:
        endpoint = next(
            (one for one in made.endpoints if each.path in (f"{ROOT}{p}" for p in (one.at, *one.also))), None
        )
        parts = partial(parse_any, made, endpoint) if endpoint else None
        routes.append(replace(each, parse=parts) if isinstance(each, Create) and parts else each)
    # what else is below /runway is Runway's own
    roots = (f"{ROOT}pro/", f"{ROOT}feed", f"{ROOT}v1/pro/", f"{ROOT}v1/feed")
    return replace(front, routes=tuple(routes), roots=roots)


DIALECTS = {"A": spoken("A"), "B": spoken("B")}
WIRE = DIALECTS["A"]
