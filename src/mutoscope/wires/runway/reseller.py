"""Runway's API as relays serve it: the same tasks under /runwayml/v1/…, with what their own pages add.

For `gen3a_turbo` and `gen4_turbo` a relay takes the union of what the two kinds of published page describe: shapes
beside pixel sizes, an empty prompt, a watermark, a model that may be left out. The answers carry the members of
every shape that relays are known to send, so that a client of any of them finds its own.
"""

from collections.abc import Iterable
from functools import cache, partial
from typing import Annotated, Any, Literal, cast, get_args

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType
from msgspec.structs import replace

from mutoscope.model.http import HttpRequest, HttpResponse, json_response
from mutoscope.model.job import Job, Json, Operation, State
from mutoscope.model.problem import Flaw, Problem
from mutoscope.wirekit import task as kit
from mutoscope.wirekit.ids import uuid4_form
from mutoscope.wirekit.members import many, whole
from mutoscope.wirekit.task import Endpoint, TaskApi, bare_or_bearer
from mutoscope.wirekit.times import milliseconds, utc
from mutoscope.wires.runway import bodies, fields, files, pieces
from mutoscope.wires.runway.api import VENDOR, creates, wire
from mutoscope.wires.runway.issues import ErrorBody, answer_status, error_body, error_headers
from mutoscope.wires.runway.pieces import ContentModeration, Image, Maybe, Seed, body, needs, piece
from mutoscope.wires.runway.tasks import STATUSES, THROTTLED, Cost, EstimatedCost, failure_of, links

DEFAULT_MODEL = "gen3a_turbo"

# ---- asking

RelayText = Annotated[str, Meta(max_length=1000)]
Shape = Literal["16:9", "9:16"]
Gen3Ratio = Shape | Literal["1280:768", "768:1280"]
Gen4Ratio = (
    Shape
    | Literal["1280:720", "720:1280", "1104:832", "832:1104", "960:960", "1584:672"]
    | Literal["1280:768", "768:1280"]  # the example of one relay's page
)
SIZES = {
    "gen3a_turbo": {"16:9": "1280:768", "9:16": "768:1280"},
    "gen4_turbo": {"16:9": "1280:720", "9:16": "720:1280"},
}
"""What a shape means in pixels: a model's own."""
MORE = needs(seed=Seed, watermark=bool, content_moderation=ContentModeration)


# Without a position, the first of an array is the first frame and the second the last.
FramePiece = piece("FramePiece", uri=Image, position=Maybe[Literal["first", "last"]])
FirstPiece = piece("FirstPiece", uri=Image, position=Maybe[Literal["first"]])

# fmt: off
OwnImageToVideo = pieces.bodies(
    Operation.IMAGE_TO_VIDEO,
    body("gen3a_turbo", needs(prompt_image=Image | many(Image | FramePiece, 2, 1)),
         prompt_text=RelayText, ratio=Gen3Ratio, duration=Literal[5, 10], **MORE),
    body("gen4_turbo", needs(prompt_image=Image | many(Image | FirstPiece, 1, 1)),
         prompt_text=RelayText, ratio=Gen4Ratio, duration=whole(2, 10), **MORE),
    module=__name__,
)
# fmt: on
RelayImageToVideo = OwnImageToVideo | bodies.PartnerImageToVideo


@cache
def endpoint(path: Operation, struct: Any, mode: str | None) -> Endpoint:
    """As the vendor's, but for the two that come in a relay's form: pixels for shapes, a position for each frame."""
    made = fields.endpoint(path, struct, mode)
    if struct not in get_args(OwnImageToVideo):
        return kit.tabled(API, made)
    (model,) = made.models
    rows = {
        "promptImage": files.row(model, fields.members_of(struct), "promptImage", adapt=positioned),
        "ratio": replace(fields.ratio(model, (), tiered=False), read=partial(read_ratio, model)),
    }
    return kit.tabled(API, replace(made, fields={**(made.fields or {}), **rows}, rules=partial(rules, made)))


def read_ratio(model: str, value: str) -> Json:
    return fields.read_ratio(SIZES[model].get(value, value))


def rules(official: Endpoint, said: Json) -> Iterable[Flaw]:
    frames = said.get("promptImage")
    placed = {"promptImage": positioned(cast("list[Any]", frames))} if isinstance(frames, list) else {}
    return official.rules(said | placed) if official.rules else ()


def positioned(frames: list[Any]) -> list[Any]:
    """Frames without a position take those that are free, in order. What is no frame stays as it is."""
    items = [{"uri": frame} if isinstance(frame, str) else frame for frame in frames]
    unplaced = [isinstance(item, dict) and "position" not in item for item in items]
    taken = [cast("Json", item).get("position") for item in items if isinstance(item, dict)]
    free = (position for position in ("first", "last") if position not in taken)
    return [
        {**item, "position": next(free, "last")} if bare else item for item, bare in zip(items, unplaced, strict=True)
    ]


# ---- answering

KLING_STATUSES = {
    State.QUEUED: "submitted",
    State.RUNNING: "processing",
    State.SUCCEEDED: "succeed",
    State.FAILED: "failed",
    State.CANCELED: "failed",
}
LUMA_STATES = {
    State.QUEUED: "pending",
    State.RUNNING: "processing",
    State.SUCCEEDED: "completed",
    State.FAILED: "failed",
    State.CANCELED: "failed",
}


class RelayData(Struct, frozen=True, kw_only=True):
    task_id: str
    task_status: str
    created_at: int  # milliseconds
    updated_at: int


class RelayCreated(Struct, frozen=True, kw_only=True):
    """The official answer, the envelope of one relay's table and the object of its example, in one."""

    id: str
    status: str
    created: str = msgspec.field(name="createdAt")
    estimated_cost: EstimatedCost = msgspec.field(name="estimatedCost")
    code: int = 0
    message: str = "SUCCEED"
    request_id: str
    data: RelayData
    prompt: str
    state: str
    queue_state: str | None = None
    created_at: str
    batch_id: str = ""
    video: str | None = None
    video_raw: str | None = None
    liked: bool | None = None
    estimate_wait_seconds: float | None = None
    thumbnail: str | None = None
    last_frame: str | None = None


class RelayTask(Struct, frozen=True, kw_only=True, rename="camel"):
    """A task with the official members, and the time of its end for those who read it."""

    id: str
    status: Literal["PENDING", "THROTTLED", "RUNNING", "SUCCEEDED", "FAILED", "CANCELLED"]
    created_at: str
    estimated_cost: EstimatedCost
    cost: Cost
    progress: float | UnsetType = UNSET
    output: list[str] | UnsetType = UNSET
    failure: str | UnsetType = UNSET
    failure_code: str | UnsetType = UNSET
    completed_at: str | UnsetType = UNSET


class RelayError(ErrorBody, frozen=True, kw_only=True, rename="camel"):
    """The official error with its text a second time, where relays' clients look for it."""

    message: str


def status_of(job: Job) -> Any:
    return THROTTLED if job.throttled and job.state is State.QUEUED else STATUSES[job.state]


def render_created(job: Job, _request: HttpRequest) -> HttpResponse:
    id = uuid4_form(job.id)
    return json_response(
        RelayCreated(
            id=id,
            status=status_of(job),
            created=utc(job.created, "milliseconds"),
            estimated_cost=EstimatedCost(job.estimate),
            request_id=f"req-{id}",
            data=RelayData(
                task_id=id,
                task_status=KLING_STATUSES[job.state],
                created_at=milliseconds(job.created),
                updated_at=milliseconds(job.updated or job.created),
            ),
            prompt=job.generation.prompt or "",
            state=LUMA_STATES[job.state],
            created_at=utc(job.created, "microseconds"),
        )
    )


def task(job: Job) -> RelayTask:
    failure, code = failure_of(job) if job.state is State.FAILED else (UNSET, UNSET)
    return RelayTask(
        id=uuid4_form(job.id),
        status=status_of(job),
        created_at=utc(job.created, "milliseconds"),
        estimated_cost=EstimatedCost(job.estimate),
        cost=Cost(round(job.cost or 0)),
        progress=(job.progress or 0.0) if job.state is State.RUNNING else UNSET,
        output=links(job) if job.state is State.SUCCEEDED else UNSET,
        failure=failure,
        failure_code=code,
        completed_at=utc(job.finished, "milliseconds") if job.finished is not None else UNSET,
    )


def render_problem(problem: Problem, request: HttpRequest) -> HttpResponse:
    official = error_body(problem, request)
    body = RelayError(error=official.error, message=official.error, issues=official.issues, doc_url=official.doc_url)
    return json_response(body, answer_status(problem), error_headers(problem))


# ---- routes

ENDPOINTS: dict[Operation, Any] = {
    Operation.IMAGE_TO_VIDEO: RelayImageToVideo,
    Operation.TEXT_TO_VIDEO: bodies.TextToVideo,
    Operation.VIDEO_TO_VIDEO: bodies.VideoToVideo,
    Operation.TEXT_TO_IMAGE: bodies.TextToImage,
    Operation.CHARACTER_PERFORMANCE: bodies.CharacterPerformance,
    Operation.VIDEO_UPSCALE: bodies.VideoUpscale,
    Operation.SOUND_EFFECT: bodies.SoundEffect,
    Operation.TEXT_TO_SPEECH: bodies.TextToSpeech,
}
"""Where a relay takes the official bodies, but for the first."""


# fmt: off
API = TaskApi(
    name="runway_relay", vendor=VENDOR, title="Runway API, as relays serve it",
    docs="https://docs.dev.runwayml.com/api", base_url="", root="/runwayml/v1/", roots=("/runwayml/",), endpoints=(),
    fields={}, states=STATUSES, task=task, answer=RelayTask, show="tasks/{id}", stop="DELETE tasks/{id}",
    stop_status=204, render_problem=render_problem, error_type=RelayError, credential=bare_or_bearer,
    probes_inputs=True, back=False,
    routes=creates("/runwayml/v1/", ENDPOINTS, render_created, RelayCreated, endpoint, usual=DEFAULT_MODEL),
)
# fmt: on
WIRE = wire(API)
