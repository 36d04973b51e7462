"""Luma's Dream Machine API: a generation that dreams, its files under `assets`."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from mutoscope.model.http import HttpRequest, HttpResponse, json_response
from mutoscope.model.job import Job, Json, Operation, Role, State
from mutoscope.model.problem import Flaw, Kind, Problem, Rule, custom_flaw
from mutoscope.model.requests import Account, Page
from mutoscope.wirekit.fields import AnyField, FileField, JobField, alias, extra, same, seconds
from mutoscope.wirekit.flaws import pydantic, pydantic_type
from mutoscope.wirekit.ids import uuid4_form
from mutoscope.wirekit.paths import at
from mutoscope.wirekit.queries import read_query
from mutoscope.wirekit.routes import AccountRead, List, Reply
from mutoscope.wirekit.task import Endpoint, Reading, TaskApi, wire

ROOT = "/dream-machine/v1/"
STATES = {
    State.QUEUED: "queued",
    State.RUNNING: "dreaming",
    State.SUCCEEDED: "completed",
    State.FAILED: "failed",
    State.CANCELED: "failed",
}
RAY = ("ray-2", "ray-flash-2", "ray-1-6")
PHOTON = ("photon-1", "photon-flash-1")
# fmt: off
CONCEPTS = (
    "truck_left", "pan_right", "pedestal_down", "low_angle", "pedestal_up", "selfie", "pan_left", "roll_right",
    "zoom_in", "over_the_shoulder", "orbit_right", "orbit_left", "static", "tiny_planet", "high_angle", "bolt_cam",
    "dolly_zoom", "overhead", "zoom_out", "handheld", "roll_left", "pov", "aerial_drone", "push_in", "crane_down",
    "truck_right", "tilt_down", "elevator_doors", "tilt_up", "ground_level", "pull_out", "aerial", "crane_up",
    "eye_level",
)
# fmt: on
MOTIONS = tuple(f"camera {each.replace('_', ' ')}" for each in CONCEPTS)
"""As the older list has them: words for the prompt."""

# -- bodies, with the vendor's bounds ------------------------------------------------

Shape = Literal["1:1", "16:9", "9:16", "4:3", "3:4", "21:9", "9:21"]
Prompt = Annotated[str, Meta(min_length=3, max_length=5000)]
Link = Annotated[str, Meta(extra_json_schema={"format": "uri"})]
Weight = Annotated[float, Meta(ge=0, le=1)]
Ray = Literal["ray-2", "ray-flash-2", "ray-1-6"]
Photon = Literal["photon-1", "photon-flash-1"]


class Keyframe(Struct, kw_only=True):
    """A picture by its link, or an earlier generation by its id."""

    type: Literal["image", "generation"] = "image"
    url: Link | None = None
    id: str | None = None


class Keyframes(Struct, kw_only=True):
    frame0: Keyframe | None = None
    frame1: Keyframe | None = None


class Concept(Struct, kw_only=True):
    key: str


class Video(Struct, kw_only=True):
    model: Ray = "ray-2"
    prompt: Prompt | None = None
    aspect_ratio: Shape | None = None
    duration: Annotated[str, Meta(pattern="^[0-9]{1,2}s$")] | None = None
    resolution: Literal["540p", "720p", "1080p", "4k"] | None = None
    loop: bool | None = None
    keyframes: Keyframes | None = None
    concepts: list[Concept] | None = None
    callback_url: Link | None = None
    generation_type: Literal["video"] | None = None


# For the published description; the rule itself is read with the body.
WordsOrFrames = Annotated[
    Video, Meta(extra_json_schema={"anyOf": [{"required": ["prompt"]}, {"required": ["keyframes"]}]})
]


class Source(Struct, kw_only=True):
    url: Link


class Modify(Struct, kw_only=True):
    model: Ray
    media: Source
    mode: Literal[
        "adhere_1", "adhere_2", "adhere_3", "flex_1", "flex_2", "flex_3", "reimagine_1", "reimagine_2", "reimagine_3"
    ]
    prompt: str | None = None
    first_frame: Source | None = None
    callback_url: Link | None = None
    generation_type: Literal["modify_video"] = "modify_video"


class Reframe(Struct, kw_only=True):
    media: Source
    aspect_ratio: Shape
    prompt: str | None = None
    grid_position_x: int | None = None
    grid_position_y: int | None = None
    x_start: int | None = None
    x_end: int | None = None
    y_start: int | None = None
    y_end: int | None = None
    resized_width: int | None = None
    resized_height: int | None = None
    callback_url: Link | None = None


class ReframeVideo(Reframe, kw_only=True):
    model: Ray
    first_frame: Source | None = None
    generation_type: Literal["reframe_video"] = "reframe_video"


class ReframeImage(Reframe, kw_only=True):
    model: Photon
    format: Literal["jpg", "png"] | None = None
    generation_type: Literal["reframe_image"] = "reframe_image"


class Weighed(Struct, kw_only=True):
    url: Link
    weight: Weight | None = None


class Identity(Struct, kw_only=True):
    images: Annotated[list[Link], Meta(min_length=1, max_length=4)]


References = Annotated[list[Weighed], Meta(max_length=4)]


class Image(Struct, kw_only=True):
    """The references go by two spellings: a client of the vendor's leaves out the `_ref`."""

    model: Photon = "photon-1"
    prompt: Prompt | None = None
    aspect_ratio: Shape | None = None
    format: Literal["jpg", "png"] | None = None
    image_ref: References | None = None
    style_ref: References | None = None
    character_ref: dict[str, Identity] | None = None
    modify_image_ref: Weighed | None = None
    image: References | None = None
    style: References | None = None
    character: dict[str, Identity] | None = None
    modify_image: Weighed | None = None
    sync: bool | None = None
    sync_timeout: Annotated[float, Meta(ge=0, le=600)] | None = None
    callback_url: Link | None = None
    generation_type: Literal["image"] | None = None


class Upscale(Struct, kw_only=True):
    resolution: Literal["540p", "720p", "1080p", "4k"] | None = None
    callback_url: Link | None = None
    generation_type: Literal["upscale_video"] | None = None


class AddAudio(Struct, kw_only=True):
    prompt: str | None = None
    negative_prompt: str | None = None
    callback_url: Link | None = None
    generation_type: Literal["add_audio"] | None = None


FIELDS: dict[str, AnyField] = {
    "prompt": same("prompt"),
    "negative_prompt": same("negative_prompt"),
    "aspect_ratio": extra("ratio"),
    "duration": seconds("s"),
    "resolution": same("resolution"),
    "loop": extra("loop"),
    "concepts": extra("concepts"),
    "format": extra("format"),
    "mode": extra("mode"),
    "keyframes.frame0.id": JobField(role=Role.VIDEO, beside={"type": "generation"}),
    "keyframes.frame1.id": JobField(role=Role.REFERENCE_VIDEO, beside={"type": "generation"}),
    "keyframes.frame0.url": FileField(role=Role.FIRST_FRAME, beside={"type": "image"}),
    "keyframes.frame1.url": FileField(role=Role.LAST_FRAME, beside={"type": "image"}),
    "first_frame.url": FileField(role=Role.FIRST_FRAME),
    "image_ref": FileField(role=Role.REFERENCE, many=True, item="url"),
    "image": FileField(role=Role.REFERENCE, many=True, item="url", alias=True),
    "modify_image_ref.url": FileField(role=Role.IMAGE),
    "modify_image.url": FileField(role=Role.IMAGE, alias=True),
    "style_ref": extra("style_ref"),
    "style": alias(extra("style_ref")),
    "character_ref": extra("character_ref"),
    "character": alias(extra("character_ref")),
}
FRAMING = tuple(name for name in Reframe.__struct_fields__ if name[:2] in ("gr", "x_", "y_", "re"))
CLIP: dict[str, AnyField] = FIELDS | {"media.url": FileField(role=Role.VIDEO)} | {name: extra(name) for name in FRAMING}
PICTURE: dict[str, AnyField] = CLIP | {"media.url": FileField(role=Role.IMAGE)}


def frame_flaws(said: Json) -> Iterator[Flaw]:
    """What the vendor refuses at once, by its own page of errors."""
    frames = {name: frame for name in ("frame0", "frame1") if (frame := at(said, f"keyframes.{name}"))}
    for name, frame in frames.items():
        wanted = "id" if frame.get("type") == "generation" else "url"
        if not frame.get(wanted):
            yield Flaw(path=("keyframes", name, wanted), rule=Rule.REQUIRED, bound="string", found="undefined")
    if said.get("keyframes") is not None and not frames:
        yield custom_flaw(("keyframes",), "frame0 or frame1 is needed")
    if not said.get("prompt") and not frames:
        yield custom_flaw(("prompt",), "a prompt or an image keyframe is needed")
    if said.get("loop") and "frame1" in frames:
        yield custom_flaw(("loop",), "cannot loop with an end frame")


def wait(said: Json, _request: HttpRequest) -> float | None:
    return float(said.get("sync_timeout") or 60.0) if said.get("sync") else None


# -- answers --------------------------------------------------------------------------


class Generation(Struct, kw_only=True):
    id: str
    generation_type: Literal["video", "image"]
    state: str  # queued, dreaming, completed, failed
    failure_reason: str | None
    created_at: str
    model: str
    assets: dict[str, str] | None
    request: dict[str, Any]


class Generations(Struct, kw_only=True):
    generations: list[Generation]
    count: int
    limit: int
    offset: int
    has_more: bool


class Error(Struct):
    """`detail` is a text or, for a body that is not valid, FastAPI's list."""

    detail: str | list[dict[str, Any]]


def task(job: Job) -> Generation:
    kind = "image" if job.generation.operation in PICTURES else "video"
    made = {kind: job.outputs[0].url or ""} if job.state is State.SUCCEEDED and job.outputs else None
    said = request_of(job, kind)
    return Generation(
        id=uuid4_form(job.id),
        generation_type=kind,
        state=STATES[job.state],
        failure_reason=reason_of(job) if STATES[job.state] == "failed" else None,
        created_at=moment(job.created),
        model=said.get("model") or job.generation.model,
        assets=made,
        request=said,
    )


PICTURES = (Operation.TEXT_TO_IMAGE, Operation.IMAGE_TO_IMAGE, Operation.IMAGE_OUTPAINT)


def reason_of(job: Job) -> str:
    return job.failure.message if job.failure else "The generation was canceled."


def request_of(job: Job, kind: str) -> Json:
    """The body as it came, with the `generation_type` that strict clients tell requests apart by."""
    try:
        said = msgspec.json.decode(job.body or b"{}", type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        said = {}
    return {"generation_type": kind} | {name: value for name, value in said.items() if value is not None}


def moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def error(problem: Problem, _status: int) -> Error:
    if problem.kind is Kind.INVALID and problem.flaws and all(flaw.path for flaw in problem.flaws):
        return Error(detail=[finding(flaw) for flaw in problem.flaws])
    return Error(detail=problem.message)


def finding(flaw: Flaw) -> Json:
    ctx = {"expected": pydantic(flaw).removeprefix("Input should be ")} if flaw.rule is Rule.CHOICE else None
    return {
        "type": "enum" if flaw.rule is Rule.CHOICE else pydantic_type(flaw),
        "loc": ["body", *map(str, flaw.path)],
        "msg": pydantic(flaw),
        "input": str(flaw.found or ""),
        "ctx": ctx,
    }


# -- lists, account --------------------------------------------------------------------


class Listing(Struct, frozen=True, kw_only=True):
    limit: Annotated[int, Meta(ge=1, le=100)] = 100
    offset: Annotated[int, Meta(ge=0, le=1_000_000)] = 0


def parse_page(request: HttpRequest) -> Page:
    """Raises Problem(INVALID)."""
    asked = read_query(request, Listing)
    return Page(size=asked.limit, offset=asked.offset, ahead=1)


def render_list(jobs: tuple[Job, ...], request: HttpRequest) -> HttpResponse:
    asked = read_query(request, Listing)
    shown = [task(job) for job in jobs[: asked.limit]]
    answer = Generations(
        generations=shown,
        count=len(shown),
        limit=asked.limit,
        offset=asked.offset,
        has_more=len(jobs) > asked.limit,
    )
    return json_response(answer)


def render_credits(account: Account, _request: HttpRequest) -> HttpResponse:
    """In cents, as our credits are; without a budget what was spent is owed."""
    return json_response({"credit_balance": -account.spent if account.left is None else account.left})


LIST = List(
    at=f"GET {ROOT}generations",
    parse=parse_page,
    render=render_list,
    answer=Generations,
    query=Listing,
    summary="List the generations, newest first",
)
ROUTES = (
    LIST,
    Reply(
        at=f"GET {ROOT}generations/concepts/list", reply=lambda _: json_response(CONCEPTS), summary="Camera concepts"
    ),
    Reply(
        at=f"GET {ROOT}generations/camera_motion/list", reply=lambda _: json_response(MOTIONS), summary="Camera motions"
    ),
    Reply(at=f"GET {ROOT}ping", reply=lambda _: json_response({"message": "pong"}), summary="Whether the API answers"),
    AccountRead(at=f"GET {ROOT}credits", render=render_credits, summary="What is left of a budget"),
)

API = TaskApi(
    name="luma",
    vendor="Luma",
    title="Luma Dream Machine",
    docs="https://docs.lumalabs.ai/docs/api",
    base_url="https://api.lumalabs.ai",
    root=ROOT,
    show="generations/{id}",
    endpoints=(
        Endpoint(
            at="generations/video",
            also=("generations",),
            title="Make a video",
            body=WordsOrFrames,
            models=RAY,
            makes={
                Role.VIDEO: Operation.VIDEO_EXTENSION,
                Role.FIRST_FRAME: Operation.IMAGE_TO_VIDEO,
                Role.LAST_FRAME: Operation.IMAGE_TO_VIDEO,
                Role.REFERENCE_VIDEO: Operation.VIDEO_EXTENSION,
                None: Operation.TEXT_TO_VIDEO,
            },
            rules=frame_flaws,
        ),
        Endpoint(
            at="generations/video/modify",
            title="Restyle a video",
            body=Modify,
            models=RAY,
            makes={None: Operation.VIDEO_TO_VIDEO},
            fields=CLIP,
        ),
        Endpoint(
            at="generations/video/reframe",
            title="Give a video another shape",
            body=ReframeVideo,
            models=RAY,
            makes={None: Operation.VIDEO_TO_VIDEO},
            fields=CLIP,
        ),
        Endpoint(
            at="generations/image",
            title="Make a picture",
            body=Image,
            models=PHOTON,
            makes={Role.IMAGE: Operation.IMAGE_TO_IMAGE, None: Operation.TEXT_TO_IMAGE},
            wait=wait,
        ),
        Endpoint(
            at="generations/image/reframe",
            title="Give a picture another shape",
            body=ReframeImage,
            models=PHOTON,
            makes={None: Operation.IMAGE_OUTPAINT},
            fields=PICTURE,
        ),
        Endpoint(
            at="generations/{id}/upscale",
            title="Enlarge a video",
            body=Upscale,
            models=("ray-2",),
            model_at=None,
            makes={None: Operation.VIDEO_UPSCALE},
            parent=Role.VIDEO,
            created=200,
        ),
        Endpoint(
            at="generations/{id}/audio",
            title="Add sound to a video",
            body=AddAudio,
            models=("ray-2",),
            model_at=None,
            makes={None: Operation.VIDEO_TO_AUDIO},
            parent=Role.VIDEO,
            created=200,
        ),
    ),
    fields=FIELDS,
    webhook="callback_url",
    states=STATES,
    task=task,
    answer=Generation,
    created=201,
    reading=Reading(status="state", links=("assets.video", "assets.image"), reason=("failure_reason",)),
    error=error,
    error_type=Error,
    invalid_status=422,
    word=pydantic,
    stop="DELETE generations/{id}",
    stop_status=204,
    routes=ROUTES,
)
WIRE = wire(API)
