"""Luma's Dream Machine API: a generation that dreams, its files under `assets`."""

import math
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any, Literal, cast, get_args

from msgspec import Meta, Struct

from mutoscope.model.http import HttpRequest, HttpResponse, json_response
from mutoscope.model.job import Job, Json, Operation, Role, State
from mutoscope.model.problem import Flaw, Kind, Problem, Rule, custom_flaw
from mutoscope.model.requests import CallerAccount, Page
from mutoscope.wirekit.answers import ask
from mutoscope.wirekit.back import Conversation, VendorRequest
from mutoscope.wirekit.body import body_of
from mutoscope.wirekit.fields import AnyField, FileField, JobField, alias, extra, same, seconds_more, shaped
from mutoscope.wirekit.flaws import fastapi, pydantic
from mutoscope.wirekit.ids import uuid4_form
from mutoscope.wirekit.media import LINK, Link
from mutoscope.wirekit.paths import at
from mutoscope.wirekit.queries import read_query
from mutoscope.wirekit.routes import AccountRead, List, Reply
from mutoscope.wirekit.task import Endpoint, Reading, TaskApi, id_in, task_in, translate, wire
from mutoscope.wirekit.times import utc, why_ended
from mutoscope.wires.luma.models import CONCEPTS, MOTIONS

ROOT = "/dream-machine/v1/"
CANCELED = "The generation was canceled."
STATES = dict(zip(State, ("queued", "dreaming", "completed", "failed", "failed"), strict=True))
ADDED_SECONDS, SYNC_SECONDS = 5.0, 60.0

# -- bodies, with the vendor's bounds ------------------------------------------------

Shape = Literal["1:1", "16:9", "9:16", "4:3", "3:4", "21:9", "9:21"]
Tier = Literal["540p", "720p", "1080p", "4k"]
Format = Literal["jpg", "png"]
Ray = Literal["ray-2", "ray-flash-2", "ray-1-6"]
Photon = Literal["photon-1", "photon-flash-1"]
Mode = Literal[
    "adhere_1", "adhere_2", "adhere_3", "flex_1", "flex_2", "flex_3", "reimagine_1", "reimagine_2", "reimagine_3"
]
RAY, PHOTON, SHAPES = get_args(Ray), get_args(Photon), get_args(Shape)
Prompt = Annotated[str, Meta(min_length=3, max_length=5000)]


class Keyframe(Struct, kw_only=True):
    """A picture by its link, or an earlier generation by its id."""

    type: Literal["image", "generation"] = "image"
    url: Link | None = None
    id: str | None = None


Frame = Annotated[Keyframe, Meta(extra_json_schema={"anyOf": [{"required": ["url"]}, {"required": ["id"]}]})]


class Keyframes(Struct, kw_only=True):
    frame0: Frame | None = None
    frame1: Frame | None = None


class Concept(Struct, kw_only=True):
    key: str


class Video(Struct, kw_only=True):
    model: Ray = "ray-2"
    prompt: Prompt | None = None
    aspect_ratio: Shape | None = None
    duration: Annotated[str, Meta(pattern="^[0-9]{1,2}s$")] | None = None
    resolution: Tier | None = None
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
    generation_type: Literal["modify_video"]
    model: Ray
    media: Source
    mode: Mode
    prompt: str | None = None
    first_frame: Source | None = None
    callback_url: Link | None = None


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
    generation_type: Literal["reframe_video"]
    model: Ray
    first_frame: Source | None = None


class ReframeImage(Reframe, kw_only=True):
    generation_type: Literal["reframe_image"]
    model: Photon
    format: Format | None = None


class Weighed(Struct, kw_only=True):
    url: Link
    weight: Annotated[float, Meta(ge=0, le=1)] | None = None


class Identity(Struct, kw_only=True):
    images: Annotated[list[Link], Meta(min_length=1, max_length=4)]


References = Annotated[list[Weighed], Meta(max_length=4)]


class Image(Struct, kw_only=True):
    """The references go by two spellings: a client of the vendor's leaves out the `_ref`."""

    model: Photon = "photon-1"
    prompt: Prompt | None = None
    aspect_ratio: Shape | None = None
    format: Format | None = None
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
    resolution: Tier | None = None
    callback_url: Link | None = None
    generation_type: Literal["upscale_video"] | None = None


class AddAudio(Struct, kw_only=True):
    prompt: str | None = None
    negative_prompt: str | None = None
    callback_url: Link | None = None
    generation_type: Literal["add_audio"] | None = None


REFERENCES = FileField(role=Role.REFERENCE, many=True, item="url", weight="weight")
FIELDS: dict[str, AnyField] = {
    "prompt": same("prompt"),
    "negative_prompt": same("negative_prompt"),
    "aspect_ratio": shaped(SHAPES),
    "duration": seconds_more("s"),
    "resolution": same("resolution"),
    "loop": extra("loop"),
    "concepts": extra("concepts"),
    "format": extra("outputFormat"),
    "mode": extra("mode"),
    "keyframes.frame0.id": JobField(role=Role.VIDEO, beside={"type": "generation"}),
    "keyframes.frame1.id": JobField(role=Role.REFERENCE_VIDEO, beside={"type": "generation"}),
    "keyframes.frame0.url": FileField(role=Role.FIRST_FRAME, beside={"type": "image"}),
    "keyframes.frame1.url": FileField(role=Role.LAST_FRAME, beside={"type": "image"}),
    "first_frame.url": FileField(role=Role.FIRST_FRAME),
    "image_ref": REFERENCES,
    "image": alias(REFERENCES),
    "modify_image_ref.url": FileField(role=Role.IMAGE),
    "modify_image.url": FileField(role=Role.IMAGE, alias=True),
    "modify_image_ref.weight": extra("image_weight"),
    "modify_image.weight": alias(extra("image_weight")),
    "style_ref": extra("style_ref"),
    "style": alias(extra("style_ref")),
    "character_ref": extra("character_ref"),
    "character": alias(extra("character_ref")),
}
FRAMING = tuple(name for name in Reframe.__struct_fields__ if name[:2] in ("gr", "x_", "y_", "re"))
CLIP: dict[str, AnyField] = FIELDS | {"media.url": FileField(role=Role.VIDEO)} | {name: extra(name) for name in FRAMING}
PICTURE: dict[str, AnyField] = CLIP | {"media.url": FileField(role=Role.IMAGE)}


def frame_flaws(said: Json) -> Iterator[Flaw]:
    """What stands in no type. Raises Problem(UNSUPPORTED) for what the vendor's page of errors has as refused."""
    frames = {name: frame for name in ("frame0", "frame1") if (frame := at(said, f"keyframes.{name}"))}
    for name, frame in frames.items():
        if not frame.get("url") and not frame.get("id"):
            wanted = "id" if frame.get("type") == "generation" else "url"
            yield Flaw(path=("keyframes", name, wanted), rule=Rule.REQUIRED, bound="string")
    if not said.get("prompt") and not frames:
        raise Problem(Kind.UNSUPPORTED, "prompt: it or an image keyframe is needed", field="prompt")
    if said.get("loop") and "frame1" in frames:
        raise Problem(Kind.UNSUPPORTED, "loop: there is an end frame, which stands against it", field="loop")


STYLES, CHARACTERS = ("style_ref", "style"), ("character_ref", "character")


def link_flaws(said: Json) -> Iterator[Flaw]:
    """Of the pictures that are passed on as they are."""
    places = {(name, number, "url"): url for name in STYLES for number, url in enumerate(at(said, f"{name}.*.url"))}
    for name in CHARACTERS:
        identities: Json = said.get(name) or {}
        for who in identities:
            places |= {(name, who, "images", number): url for number, url in enumerate(identities[who]["images"])}
    for path, url in places.items():
        if not LINK.fullmatch(url):
            yield custom_flaw(path, "should be an HTTP(S) URL")


def wait(said: Json, _request: HttpRequest) -> float | None:
    seconds = said.get("sync_timeout")
    return (SYNC_SECONDS if seconds is None else float(seconds)) if said.get("sync") else None


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


class Generations(Struct):
    generations: list[Generation]
    count: int
    limit: int
    offset: int
    has_more: bool


class Error(Struct):
    """`detail` is a text or, for a body that is not valid, FastAPI's list."""

    detail: str | list[dict[str, Any]]


PICTURES = (Operation.TEXT_TO_IMAGE, Operation.IMAGE_TO_IMAGE, Operation.IMAGE_OUTPAINT)
FOLLOWING = {Operation.VIDEO_UPSCALE: "upscale_video", Operation.VIDEO_TO_AUDIO: "add_audio"}


def task(job: Job) -> Generation:
    kind = "image" if job.generation.operation in PICTURES else "video"
    said = request_of(job, kind)
    return Generation(
        id=uuid4_form(job.id),
        generation_type=kind,
        state=STATES[job.state],
        failure_reason=why_ended(job, CANCELED),
        created_at=utc(job.created, "milliseconds"),
        model=said.get("model") or job.generation.model,
        assets={kind: job.outputs[0].url or ""} if job.state is State.SUCCEEDED and job.outputs else None,
        request=said,
    )


def request_of(job: Job, kind: str) -> Json:
    """The body as it came, with what strict clients tell requests apart by: the `generation_type`, and a model where
    that type has one."""
    following = FOLLOWING.get(job.generation.operation)
    told = {"generation_type": following} if following else {"generation_type": kind, "model": job.generation.model}
    return told | {name: value for name, value in body_of(job).items() if value is not None}


def error(problem: Problem, _status: int) -> Error:
    invalid = problem.kind is Kind.INVALID and problem.flaws
    return Error(detail=[fastapi(flaw) for flaw in problem.flaws] if invalid else problem.message)


# -- lists, account --------------------------------------------------------------------


class Listing(Struct, frozen=True, kw_only=True):
    limit: Annotated[int, Meta(ge=0, le=100)] = 100
    offset: Annotated[int, Meta(ge=0, le=1_000_000)] = 0


def parse_page(request: HttpRequest) -> Page:
    """Raises Problem(INVALID)."""
    asked = read_query(request, Listing)
    return Page(size=asked.limit, offset=asked.offset, ahead=1)


def render_list(jobs: tuple[Job, ...], request: HttpRequest) -> HttpResponse:
    asked = read_query(request, Listing)
    shown = [task(job) for job in jobs[: asked.limit]]
    more = len(jobs) > asked.limit
    return json_response(Generations(shown, len(shown), asked.limit, asked.offset, more))


UNLIMITED = 1e9  # cents


def render_credits(account: CallerAccount, _request: HttpRequest) -> HttpResponse:
    """In cents, as our credits are; without a budget nothing ends it."""
    return json_response({"credit_balance": left_of(account)})


def left_of(account: CallerAccount) -> float:
    return UNLIMITED - account.spent if account.left is None else account.left


def reply(path: str, value: Any, summary: str) -> Reply:
    return Reply(at=f"GET {ROOT}{path}", reply=lambda _: json_response(value), summary=summary)


# fmt: off
ROUTES = (
    List(at=f"GET {ROOT}generations", parse=parse_page, render=render_list, answer=Generations, query=Listing,
         summary="List the generations, newest first"),
    reply("generations/concepts/list", CONCEPTS, "Camera concepts"),
    reply("generations/camera_motion/list", MOTIONS, "Camera motions"),
    reply("ping", {"message": "pong"}, "Whether the API answers"),
    AccountRead(at=f"GET {ROOT}credits", render=render_credits, summary="What is left of a budget"),
)
# fmt: on

# -- endpoints -------------------------------------------------------------------------

FROM_FRAMES = {
    Role.VIDEO: Operation.VIDEO_EXTENSION,
    Role.FIRST_FRAME: Operation.IMAGE_TO_VIDEO,
    Role.LAST_FRAME: Operation.IMAGE_TO_VIDEO,
    Role.REFERENCE_VIDEO: Operation.VIDEO_EXTENSION,
    None: Operation.TEXT_TO_VIDEO,
}


def other(at: str, title: str, body: Any, operation: Operation, fields: dict[str, AnyField]) -> Endpoint:
    """What makes another of a file."""
    [type] = get_args(body.__annotations__["generation_type"])
    models, fixed = RAY if "video" in type else PHOTON, {"generation_type": type}
    return Endpoint(at=at, title=title, body=body, makes={None: operation}, fields=fields, models=models, fixed=fixed)


PAGE, MOST_LISTED, CLOCKS_APART = 100, 10_000, 300.0


def find(order: VendorRequest, since: float) -> Conversation[tuple[Json, ...]]:
    """The generations of the model since then. Nothing found must mean that nothing was sent, so every page is read,
    and one that does not say of what it was made counts too. Our address for news, where there is one, is in the echo.
    """
    path, body = translate(API, order)
    model, found = body.get("model"), dict[str, Json]()
    for offset in range(0, MOST_LISTED, PAGE):
        answer = yield ask("GET", f"{ROOT}generations", limit=str(PAGE), offset=str(offset))
        page = task_in(API, answer).get("generations")
        if not isinstance(page, list):
            break
        recent = [each for each in cast("list[Any]", page) if made_at(each) > since - CLOCKS_APART]
        echoes = [(each, at(each, "request.model"), at(each, "request.callback_url")) for each in recent]
        like = [each for each, of, news in echoes if of in (None, model) and news in (None, order.callback)]
        found |= {id: {"id": id, "at": path} for id in (id_in(API, API.reading, each) for each in like)}
        if len(recent) < PAGE:
            return tuple(found.values())
    raise Problem(Kind.UPSTREAM_FAILED, "Luma's list of generations cannot be read to its end.")


def made_at(generation: Any) -> float:
    try:
        return datetime.fromisoformat(str(at(generation, "created_at"))).timestamp()
    except (ValueError, OverflowError):
        return math.inf


# fmt: off
API = TaskApi(
    name="luma", vendor="Luma", title="Luma Dream Machine", docs="https://docs.lumalabs.ai/docs/api",
    base_url="https://api.lumalabs.ai", root=ROOT, show="generations/{id}",
    endpoints=(
        Endpoint(at="generations/video", also=("generations",), title="Make a video", body=WordsOrFrames, models=RAY,
                 makes=FROM_FRAMES, rules=frame_flaws, adds=ADDED_SECONDS),
        other("generations/video/modify", "Restyle a video", Modify, Operation.VIDEO_TO_VIDEO, CLIP),
        other("generations/video/reframe", "Give a video another shape", ReframeVideo, Operation.VIDEO_TO_VIDEO, CLIP),
        Endpoint(at="generations/image", title="Make a picture", body=Image, models=PHOTON,
                 makes={Role.IMAGE: Operation.IMAGE_TO_IMAGE, None: Operation.TEXT_TO_IMAGE}, wait=wait,
                 rules=link_flaws),
        other("generations/image/reframe", "Give a picture another shape", ReframeImage, Operation.IMAGE_OUTPAINT,
              PICTURE),
        Endpoint(at="generations/{id}/upscale", title="Enlarge a video", body=Upscale, models=RAY, model_at=None,
                 makes={None: Operation.VIDEO_UPSCALE}, parent=Role.VIDEO, created=200),
        Endpoint(at="generations/{id}/audio", title="Add sound to a video", body=AddAudio, models=RAY, model_at=None,
                 makes={None: Operation.VIDEO_TO_AUDIO}, parent=Role.VIDEO, created=200),
    ),
    fields=FIELDS, webhook="callback_url", states=STATES, task=task, answer=Generation, created=201,
    reading=Reading(status="state", links=("assets.video", "assets.image"), reason=("failure_reason",)),
    error=error, error_type=Error, invalid_status=422, word=pydantic,
    stop="DELETE generations/{id}", stop_status=204, routes=ROUTES, find=find,
)
# fmt: on
WIRE = wire(API)
