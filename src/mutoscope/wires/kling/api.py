"""Kling's API whose models stand in the body: a create path for each thing that is made, and its tasks below it."""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Annotated, Any, Generic, Literal, TypeVar
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType
from msgspec.structs import replace

from mutoscope.model.http import HttpRequest, HttpResponse, json_response
from mutoscope.model.job import Generation, Job, Json, MediaLimits, Operation, Role, State
from mutoscope.model.problem import KEY_EXPIRED, TOKEN_EARLY, TOKEN_EXPIRED, Flaw, Kind, Problem, Rule, custom_flaw
from mutoscope.model.requests import CallerAccount, Page, Proof
from mutoscope.wirekit import task as kit
from mutoscope.wirekit.back import Conversation, VendorRequest, Way
from mutoscope.wirekit.body import body_of
from mutoscope.wirekit.fields import AnyField, Field, FileField, JobField, extra, same, seconds, shaped, tiered, unless
from mutoscope.wirekit.ids import from_uuid4_form, request_id, uuid4_form
from mutoscope.wirekit.jwt import made, proof_in
from mutoscope.wirekit.media import Link, LinkOrBase64
from mutoscope.wirekit.paths import at
from mutoscope.wirekit.queries import read_query
from mutoscope.wirekit.routes import AccountRead, List, Reply, Route
from mutoscope.wirekit.task import Endpoint, Reading, TaskApi
from mutoscope.wirekit.times import milliseconds, why_ended
from mutoscope.wires.kling.models import TRY_ON, UNIT

T = TypeVar("T")
ROOT = "/v1/"
VIDEOS = (
    *("kling-v1", "kling-v1-5", "kling-v1-6", "kling-v2-master", "kling-v2-1", "kling-v2-1-master"),
    *("kling-v2-5-turbo", "kling-v2-6", "kling-v3"),
)
IMAGES = ("kling-v1", "kling-v1-5", "kling-v2", "kling-v2-new", "kling-v2-1", "kling-v3")
EXTENDED = ("kling-v1-6", "kling-v1-5", "kling-v1")
LONG, LENGTHS = ("kling-v3",), tuple(map(str, range(3, 16)))
ADDED_SECONDS = 5.0
STATES = {
    State.QUEUED: "submitted",
    State.RUNNING: "processing",
    State.SUCCEEDED: "succeed",
    State.FAILED: "failed",
    State.CANCELED: "failed",
}

# -- bodies, with the vendor's bounds ------------------------------------------------

Words = Annotated[str, Meta(max_length=2500)]
Share = Annotated[float, Meta(ge=0, le=1)]
Shape = Literal["16:9", "9:16", "1:1"]
SHAPES = ("16:9", "9:16", "1:1")
Length = Literal["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15"]
PICTURE_SHAPES = ("16:9", "9:16", "1:1", "4:3", "3:4", "3:2", "2:3", "21:9")


class Asked(Struct, kw_only=True):
    """What every create takes."""

    callback_url: Link | None = None
    external_task_id: str | None = None


class Element(Struct, kw_only=True):
    element_id: int | str


class Voice(Struct, kw_only=True):
    voice_id: str


class Shot(Struct, kw_only=True):
    index: int
    prompt: Annotated[str, Meta(max_length=512)]
    duration: Length


Turn = Annotated[float, Meta(ge=-10, le=10)]


class Move(Struct, kw_only=True):
    horizontal: Turn | None = None
    vertical: Turn | None = None
    pan: Turn | None = None
    tilt: Turn | None = None
    roll: Turn | None = None
    zoom: Turn | None = None


class Camera(Struct, kw_only=True):
    type: Literal["simple", "down_back", "forward_up", "right_turn_forward", "left_turn_forward"] | None = None
    config: Move | None = None


class Watermark(Struct, kw_only=True):
    enabled: bool | None = None


class Video(Asked, kw_only=True):
    model_name: str | None = None
    model: str | None = None  # the oldest name of it, which the vendor passes over in silence
    prompt: Words | None = None
    negative_prompt: Words | None = None
    multi_shot: bool | None = None
    shot_type: Literal["customize", "intelligence"] | None = None
    multi_prompt: Annotated[list[Shot], Meta(min_length=1, max_length=6)] | None = None
    element_list: Annotated[list[Element], Meta(max_length=3)] | None = None
    voice_list: Annotated[list[Voice], Meta(max_length=2)] | None = None
    sound: Literal["on", "off"] | None = None
    cfg_scale: Share | None = None
    mode: Literal["std", "pro", "4k"] | None = None
    duration: Length | None = None
    camera_control: Camera | None = None
    watermark_info: Watermark | None = None


class TextToVideo(Video, kw_only=True):
    aspect_ratio: Shape | None = None


class Point(Struct, kw_only=True):
    x: float
    y: float


class Brush(Struct, kw_only=True):
    mask: str
    trajectories: Annotated[list[Point], Meta(min_length=2, max_length=77)]


class ImageToVideo(Video, kw_only=True):
    image: LinkOrBase64 | None = None
    image_tail: LinkOrBase64 | None = None
    static_mask: str | None = None
    dynamic_masks: Annotated[list[Brush], Meta(max_length=6)] | None = None
    aspect_ratio: Shape | None = None


class Picture(Struct, kw_only=True):
    image: LinkOrBase64


class MultiImageToVideo(Asked, kw_only=True):
    image_list: Annotated[list[Picture], Meta(min_length=1, max_length=4)]
    model_name: str | None = None
    prompt: Words | None = None
    negative_prompt: Words | None = None
    mode: Literal["std", "pro"] | None = None
    duration: Literal["5", "10"] | None = None
    aspect_ratio: Shape | None = None
    watermark_info: Watermark | None = None


class Extend(Asked, kw_only=True):
    video_id: str
    task_id: str | None = None  # a reseller's: it finds the account by it
    prompt: Words | None = None
    negative_prompt: Words | None = None
    cfg_scale: Share | None = None


SPOKEN = [
    {"required": [video, *sound]}
    for video in ("video_url", "video_id")
    for sound in (("audio_url",), ("text", "voice_id"), ("audio_file",))
]
"""For the published description, as below; the rules themselves are read with the body."""


class Lips(Struct, kw_only=True):
    mode: Literal["text2video", "audio2video"]
    task_id: str | None = None
    video_id: str | None = None
    video_url: Link | None = None
    text: Annotated[str, Meta(max_length=120)] | None = None
    voice_id: str | None = None
    voice_language: Literal["zh", "en"] | None = None
    voice_speed: Annotated[float, Meta(ge=0.8, le=2)] | None = None
    audio_type: Literal["file", "url"] | None = None
    audio_file: str | None = None
    audio_url: Link | None = None


class LipSync(Asked, kw_only=True):
    input: Annotated[Lips, Meta(extra_json_schema={"anyOf": SPOKEN})]


class Image(Asked, kw_only=True):
    prompt: Annotated[str, Meta(min_length=1, max_length=2500)]
    model_name: str | None = None
    model: str | None = None
    negative_prompt: Words | None = None
    image: LinkOrBase64 | None = None
    image_reference: Literal["subject", "face"] | None = None
    image_fidelity: Share | None = None
    human_fidelity: Share | None = None
    resolution: Literal["1k", "2k"] | None = None
    n: Annotated[int, Meta(ge=1, le=9)] | None = None
    aspect_ratio: Literal["16:9", "9:16", "1:1", "4:3", "3:4", "3:2", "2:3", "21:9"] | None = None
    watermark_info: Watermark | None = None


class TryOn(Asked, kw_only=True):
    human_image: LinkOrBase64
    cloth_image: LinkOrBase64
    model_name: str | None = None


SayingWhat = Annotated[TextToVideo, Meta(extra_json_schema={"required": ["prompt"]})]
FromFrame = Annotated[ImageToVideo, Meta(extra_json_schema={"required": ["image"]})]
# -- what their members say ---------------------------------------------------------

SIDES = MediaLimits(
    types=("image/jpeg", "image/png"), max_bytes=10 << 20, min_side=300, min_aspect=1 / 2.5, max_aspect=2.5
)
CLIPS = MediaLimits(types=("video/mp4", "video/quicktime"), max_bytes=100 << 20)
BOTH = (Way.LINK, Way.DATA)


def frame(role: Role, **more: Any) -> FileField:
    return FileField(role=role, limits=SIDES, ways=BOTH, bare=True, **more)


def sound(on: str, off: str) -> Field:
    told: dict[Any, str] = {True: on, False: off}
    return Field(
        ours=("audio",),
        read=lambda value: {"extra": {"audio": value == on}},
        write=lambda wish: told.get(wish.extra.get("audio")),
    )


def lips_of(wish: Generation) -> str | None:
    return "text2video" if wish.extra.get("text") else None


FIELDS: dict[str, AnyField] = {
    "prompt": same("prompt"),
    "negative_prompt": same("negative_prompt"),
    "multi_shot": unless(False, extra("multi_shot")),
    "shot_type": extra("shot_type"),
    "multi_prompt": extra("multi_prompt"),
    "element_list": extra("element_list"),
    "voice_list": extra("voice_list"),
    "sound": sound("on", "off"),
    "cfg_scale": extra("cfg_scale"),
    "mode": tiered({"720p": "std", "1080p": "pro", "4k": "4k"}),
    "duration": seconds(),
    "aspect_ratio": shaped(SHAPES),
    "camera_control": extra("camera_control"),
    "watermark_info.enabled": same("watermark"),
    "image": frame(Role.FIRST_FRAME),
    "image_tail": frame(Role.LAST_FRAME),
    "static_mask": FileField(role=Role.MASK, ways=BOTH, bare=True),
    "dynamic_masks": extra("dynamic_masks"),
    "image_list": frame(Role.REFERENCE, many=True, item="image"),
    "video_id": JobField(role=Role.VIDEO),
}
LIPS: dict[str, AnyField] = {
    "input.mode": Field(ours=("text",), read=lambda _: {}, write=lips_of),
    "input.video_id": JobField(role=Role.VIDEO),
    "input.video_url": FileField(role=Role.VIDEO, limits=CLIPS),
    "input.text": extra("text"),
    "input.voice_id": extra("voice_id"),
    "input.voice_language": extra("voice_language"),
    "input.voice_speed": extra("voice_speed"),
    "input.audio_url": FileField(role=Role.AUDIO, beside={"mode": "audio2video", "audio_type": "url"}),
    "input.audio_file": FileField(role=Role.AUDIO, ways=(Way.DATA,), bare=True, alias=True),
}
PICTURES: dict[str, AnyField] = {
    "prompt": same("prompt"),
    "negative_prompt": same("negative_prompt"),
    "image": frame(Role.IMAGE),
    "image_reference": extra("image_reference"),
    "image_fidelity": extra("image_fidelity"),
    "human_fidelity": extra("human_fidelity"),
    "resolution": tiered({"1k": "1k", "2k": "2k"}),
    "n": same("count"),
    "aspect_ratio": shaped(PICTURE_SHAPES),
    "watermark_info.enabled": same("watermark"),
    "human_image": frame(Role.IMAGE),
    "cloth_image": frame(Role.REFERENCE),
}


def video_flaws(said: Json) -> Iterator[Flaw]:
    """What the vendor's page says of members together."""
    word = said.get("model_name") or VIDEOS[0]
    length = said.get("duration")
    lengths = LENGTHS if word in LONG else ("5", "10")
    if length is not None and length not in lengths:
        yield Flaw(path=("duration",), rule=Rule.CHOICE, bound=lengths, found=length)
    if said.get("multi_shot"):
        if not said.get("shot_type"):
            yield Flaw(path=("shot_type",), rule=Rule.REQUIRED, bound="string", found="undefined")
        if said.get("shot_type") == "customize" and not said.get("multi_prompt"):
            yield Flaw(path=("multi_prompt",), rule=Rule.REQUIRED, bound="array", found="undefined")
    if said.get("element_list") and said.get("voice_list"):
        yield custom_flaw(("voice_list",), "cannot be used together with element_list")
    if said.get("voice_list") and said.get("sound") != "on":
        yield custom_flaw(("sound",), "should be on where there is a voice_list")
    camera: Json = said.get("camera_control") or {}
    config: Json = camera.get("config") or {}
    moves = [name for name, value in config.items() if value]
    if camera.get("config") is not None and (camera.get("type") != "simple" or len(moves) != 1):
        yield custom_flaw(("camera_control", "config"), "goes with the type simple, exactly one of its members not 0")


def text_flaws(said: Json) -> Iterator[Flaw]:
    yield from video_flaws(said)
    if not said.get("prompt") and not said.get("multi_prompt"):
        yield Flaw(path=("prompt",), rule=Rule.REQUIRED, bound="string", found="undefined")


def frame_flaws(said: Json) -> Iterator[Flaw]:
    yield from video_flaws(said)
    brush = [name for name in ("static_mask", "dynamic_masks") if said.get(name)]
    ways = [*brush[:1], *(name for name in ("image_tail", "camera_control") if said.get(name))]
    if len(ways) > 1:
        yield custom_flaw((ways[1],), f"cannot be used together with {ways[0]}")


def lip_flaws(said: Json) -> Iterator[Flaw]:
    given: Json = said.get("input") or {}
    if bool(given.get("video_id")) == bool(given.get("video_url")):
        yield custom_flaw(("input", "video_id"), "exactly one of video_id and video_url is needed")
    wanted = (
        ("text", "voice_id") if given.get("mode") == "text2video" else (f"audio_{given.get('audio_type') or 'url'}",)
    )
    for name in wanted:
        if not given.get(name):
            yield Flaw(path=("input", name), rule=Rule.REQUIRED, bound="string", found="undefined")


def image_flaws(said: Json) -> Iterator[Flaw]:
    if said.get("image") and said.get("model_name") == "kling-v1-5" and not said.get("image_reference"):
        yield Flaw(path=("image_reference",), rule=Rule.REQUIRED, bound="string", found="undefined")
    if said.get("human_fidelity") is not None and said.get("image_reference") == "face":
        yield custom_flaw(("human_fidelity",), "goes with the image_reference subject only")


# -- ids ------------------------------------------------------------------------------

ID = re.compile(r"[A-Za-z0-9_-]{22}", re.ASCII)


def public_id(id: str) -> str:
    """As the vendor's were before they were digits: the bytes of ours in 22 characters."""
    return base64.urlsafe_b64encode(UUID(id).bytes).rstrip(b"=").decode()


def job_id(text: str) -> str | None:
    """Of a task, or of its video, whose id is the same in the form of a UUID."""
    if not ID.fullmatch(text):
        return from_uuid4_form(text)
    try:
        id = str(UUID(bytes=base64.urlsafe_b64decode(f"{text}==")))
    except (ValueError, binascii.Error):
        return None
    return id if public_id(id) == text and id[14] == "7" else None


# -- answers --------------------------------------------------------------------------


class Clip(Struct, kw_only=True, omit_defaults=True):
    id: str
    url: str
    duration: str | None
    watermark_url: str | None = None


class Drawn(Struct, kw_only=True):
    index: int
    url: str


class Result(Struct, kw_only=True, omit_defaults=True):
    videos: list[Clip] | None = None
    images: list[Drawn] | None = None


class Parent(Struct, kw_only=True, omit_defaults=True):
    id: str
    url: str | None = None
    duration: str | None = None


class Info(Struct, kw_only=True, omit_defaults=True):
    external_task_id: str | None = None
    parent_video: Parent | None = None


class Task(Struct, kw_only=True):
    task_id: str
    task_status: str  # submitted, processing, succeed, failed
    task_status_msg: str | UnsetType = UNSET
    task_info: Info
    task_result: Result | UnsetType = UNSET
    final_unit_deduction: str | UnsetType = UNSET
    created_at: int  # milliseconds
    updated_at: int


class Told(Struct, Generic[T], kw_only=True):
    code: int = 0
    message: str = "SUCCEED"
    request_id: str
    data: T


class Error(Struct, kw_only=True):
    code: int
    message: str
    request_id: str = ""


def filed(job: Job) -> Task:
    """A task as its create answers."""
    said = body_of(job)
    name = said.get("external_task_id")
    info = Info(external_task_id=name if isinstance(name, str) else None)
    if job.generation.operation is Operation.VIDEO_EXTENSION and isinstance(parent := said.get("video_id"), str):
        info = replace(info, parent_video=Parent(id=parent))
    return Task(
        task_id=public_id(job.id),
        task_status=STATES[job.state],
        task_info=info,
        created_at=milliseconds(job.created),
        updated_at=milliseconds(job.updated or job.created),
    )


def task(job: Job) -> Task:
    """A task as a read and a callback tell it."""
    said = replace(filed(job), task_status_msg=why_ended(job) or "", task_result=result(job))
    if job.state is State.SUCCEEDED and job.cost is not None:
        said = replace(said, final_unit_deduction=units(job.cost))
    return said


def result(job: Job) -> Result:
    if job.state is not State.SUCCEEDED:
        return Result()
    if job.generation.operation in DRAWN:
        return Result(images=[Drawn(index=n, url=each.url or "") for n, each in enumerate(job.outputs)])
    marked = bool(job.generation.watermark)
    return Result(
        videos=[
            Clip(
                id=uuid4_form(job.id),
                url=each.url or "",
                duration=None if each.seconds is None else f"{each.seconds:g}",
                watermark_url=each.url if marked else None,
            )
            for each in job.outputs
        ]
    )


DRAWN = (Operation.TEXT_TO_IMAGE, Operation.IMAGE_TO_IMAGE, Operation.VIRTUAL_TRY_ON)


def units(credits: float) -> str:
    return f"{round(credits / UNIT, 2):g}"


def enveloped(job: Job, data: T) -> "Told[T]":
    return Told(request_id=uuid4_form(job.id), data=data)


def answered(data: Any, request: HttpRequest) -> HttpResponse:
    return json_response(Told(request_id=request_id(request), data=data))


# -- trouble -----------------------------------------------------------------------------

CODES: Mapping[Kind, tuple[int, int]] = {
    Kind.INVALID: (400, 1201),
    Kind.UNSUPPORTED: (400, 1201),
    Kind.BAD_MEDIA: (400, 1201),
    Kind.UNREACHABLE_MEDIA: (400, 1201),
    Kind.TOO_LARGE: (400, 1200),
    Kind.CONFLICT: (400, 1201),
    Kind.UNAUTHENTICATED: (401, 1002),
    Kind.FORBIDDEN: (403, 1103),
    Kind.NOT_FOUND: (404, 1203),
    Kind.WRONG_METHOD: (404, 1202),
    Kind.RATE_LIMITED: (429, 1302),
    Kind.QUOTA_EXCEEDED: (429, 1102),
    Kind.OVER_BUDGET: (429, 1102),
    Kind.REFUSED: (400, 1301),
    Kind.ENGINE_FAILED: (500, 5000),
    Kind.UPSTREAM_FAILED: (500, 5000),
    Kind.SUBMISSION_UNKNOWN: (500, 5000),
    Kind.INTERNAL: (500, 5000),
    Kind.UNAVAILABLE: (503, 5001),
    Kind.TIMED_OUT: (504, 5002),
}
NO_KEY, BAD_BODY = 1001, 1200
KEY_CODES = {TOKEN_EARLY: 1003, TOKEN_EXPIRED: 1004, KEY_EXPIRED: 1004}
MEANT: Mapping[Any, Kind] = {
    **dict.fromkeys((1000, 1001, 1002, 1003, 1004), Kind.UNAUTHENTICATED),
    **dict.fromkeys((1100, 1101, 1102), Kind.QUOTA_EXCEEDED),
    1103: Kind.FORBIDDEN,
    **dict.fromkeys((1200, 1201), Kind.INVALID),
    **dict.fromkeys((1202, 1203), Kind.NOT_FOUND),
    **dict.fromkeys((1300, 1301), Kind.REFUSED),
    **dict.fromkeys((1302, 1303), Kind.RATE_LIMITED),
    1304: Kind.FORBIDDEN,
    5000: Kind.UPSTREAM_FAILED,
    5001: Kind.UNAVAILABLE,
    5002: Kind.UPSTREAM_FAILED,
}
"""What the vendor's codes mean: of the four that come with 429, two pass."""


def error(problem: Problem, _status: int) -> Error:
    return Error(code=CODES[problem.kind][1], message=problem.message)


def render_problem(problem: Problem, request: HttpRequest) -> HttpResponse:
    answer = kit.render_problem(API, problem, request)
    said = replace(msgspec.json.decode(answer.body, type=Error), request_id=request_id(request))
    if problem.kind is Kind.UNAUTHENTICATED:
        said = replace(said, code=NO_KEY if credential(request) is None else KEY_CODES.get(problem.message, said.code))
    if any(flaw.rule is Rule.JSON for flaw in problem.flaws):
        said = replace(said, code=BAD_BODY)
    return replace(answer, body=msgspec.json.encode(said))


def trouble(task: Json) -> Problem | None:
    """An answer of status 200 whose code is not that of success."""
    code = task.get("code")
    if code in (0, None):
        return None
    kind = MEANT.get(code, Kind.UPSTREAM_FAILED) if isinstance(code, int) else Kind.UPSTREAM_FAILED
    return Problem(kind, f"Kling answered with the code {str(code)[:20]}: {str(task.get('message'))[:300]}")


# -- keys ----------------------------------------------------------------------------------


def credential(request: HttpRequest) -> str | Proof | None:
    """A token that was signed with the secret of a pair, or a plain key."""
    key = kit.bearer(request)
    return key and (proof_in(key) or key)


def sign(key: str, now: float) -> dict[str, str]:
    """A pair ACCESS:SECRET signs a token; a plain key is shown as it is."""
    access, _, secret = key.replace("|", ":", 1).partition(":")
    return {"authorization": f"Bearer {made(access, secret, now=now) if secret else key}"}


# -- lists, account --------------------------------------------------------------------


class Listing(Struct, frozen=True, kw_only=True):
    page: Annotated[int, Meta(ge=1, le=1000)] = msgspec.field(default=1, name="pageNum")
    size: Annotated[int, Meta(ge=1, le=500)] = msgspec.field(default=30, name="pageSize")


def parse_page(request: HttpRequest) -> Page:
    """Raises Problem(INVALID)."""
    asked = read_query(request, Listing)
    return Page(number=asked.page, size=asked.size)


def render_list(jobs: tuple[Job, ...], request: HttpRequest) -> HttpResponse:
    return answered([task(job) for job in jobs], request)


class Costs(Struct, frozen=True, kw_only=True):
    start_time: Annotated[int, Meta(ge=0)] = 0  # milliseconds
    end_time: Annotated[int, Meta(ge=0)] = 0


def render_costs(account: CallerAccount, request: HttpRequest) -> HttpResponse:
    """A budget is a pack of units; without one there is a pack that does not end, of which what was spent is gone."""
    asked = read_query(request, Costs)
    total = UNLIMITED if account.budget is None else account.budget
    left = total - account.spent if account.left is None else account.left
    pack = {
        "resource_pack_name": "no budget" if account.budget is None else f"budget, {account.period}",
        "resource_pack_id": "mutoscope",
        "resource_pack_type": "decreasing_total" if account.period == "total" else "constant_period",
        "total_quantity": round(total / UNIT, 2),
        "remaining_quantity": round(left / UNIT, 2),
        "purchase_time": asked.start_time,
        "effective_time": asked.start_time,
        "invalid_time": asked.end_time,
        "status": "online" if left > 0 else "runOut",
    }
    data = {"code": 0, "msg": "success", "resource_pack_subscribe_infos": [pack]}
    return answered(data, request)


UNLIMITED = 1e9  # credits


UNSERVED = (
    *("videos/identify-face", "videos/advanced-lip-sync", "videos/effects", "videos/omni-video"),
    *("videos/motion-control", "videos/avatar/image2video", "videos/image-recognize", "videos/multi-elements"),
    *("images/omni-image", "images/editing/expand", "audio/tts", "audio/text-to-audio", "audio/video-to-audio"),
    "general/custom-voices",
)


def refuse(name: str, _request: HttpRequest) -> HttpResponse:
    raise Problem(Kind.UNSUPPORTED, f"No engine of this server can do {name}.", field=name)


def routes(endpoints: tuple[Endpoint, ...]) -> tuple[Route, ...]:
    lists = tuple(
        List(at=f"GET {ROOT}{each.at}", route=each.route, parse=parse_page, render=render_list, answer=Told[list[Task]],
             query=Listing, summary=f"List tasks, newest first: {each.title.lower()}")
        for each in endpoints
    )  # fmt: skip
    refused = tuple(
        Reply(at=f"POST {ROOT}{path}", reply=partial(refuse, path.rpartition("/")[2]), summary="Not made here")
        for path in UNSERVED
    )
    costs = AccountRead(
        at="GET /account/costs", render=render_costs, query=Costs, summary="What is left of a budget, in units"
    )
    return (*lists, costs, *refused)


# -- endpoints ---------------------------------------------------------------------------


def made_at(
    at: str, title: str, body: Any, makes: Mapping[Any, Operation], model_at: str | None = "model_name", **more: Any
) -> Endpoint:
    return Endpoint(at=at, title=title, body=body, makes=makes, route=at, model_at=model_at, **more)


FRAMED = dict.fromkeys((Role.FIRST_FRAME, Role.LAST_FRAME), Operation.IMAGE_TO_VIDEO)
DRAWING = {Role.IMAGE: Operation.IMAGE_TO_IMAGE, None: Operation.TEXT_TO_IMAGE}
# fmt: off
ENDPOINTS = (
    made_at("videos/text2video", "Make a video from text", SayingWhat, {None: Operation.TEXT_TO_VIDEO},
            models=VIDEOS, rules=text_flaws),
    made_at("videos/image2video", "Make a video from pictures", FromFrame, FRAMED, models=VIDEOS, rules=frame_flaws),
    made_at("videos/multi-image2video", "Make a video of what is in several pictures", MultiImageToVideo,
            {Role.REFERENCE: Operation.IMAGE_TO_VIDEO}, models=("kling-v1-6",), family="multi/"),
    made_at("videos/video-extend", "Continue a video", Extend, {Role.VIDEO: Operation.VIDEO_EXTENSION},
            models=EXTENDED, model_at=None, adds=ADDED_SECONDS),
    made_at("videos/lip-sync", "Move the lips of a video", LipSync, {Role.VIDEO: Operation.LIP_SYNC},
            models=("kling-lip-sync",), model_at=None, fields=LIPS, rules=lip_flaws),
    made_at("images/generations", "Make pictures", Image, DRAWING, models=IMAGES, family="images/", fields=PICTURES,
            rules=image_flaws),
    made_at("images/kolors-virtual-try-on", "Put clothes on a person", TryOn,
            {Role.IMAGE: Operation.VIRTUAL_TRY_ON}, models=TRY_ON, fields=PICTURES),
)
# fmt: on


def submit(order: VendorRequest) -> Conversation[Any]:
    """What goes on from a video names the video and not its task, which tells it."""
    earlier: dict[str, Json] = {}
    for id, handle in order.earlier.items():
        told = kit.task_in(API, (yield kit.read_request(API, handle)))
        video = at(told, "data.task_result.videos.0.id")
        if not isinstance(video, str) or not kit.ID.fullmatch(video):
            raise Problem(Kind.UNSUPPORTED, "Kling does not tell the video of the earlier task.", field="video")
        earlier[id] = handle | {"id": video}
    return (yield from kit.submit(API, replace(order, earlier=earlier)))


def find(order: VendorRequest, _since: float) -> Conversation[tuple[Json, ...]]:
    """The task that carries our name for the job: the name stands for its id."""
    path, _ = kit.translate(API, order)
    response = yield kit.read_request(API, {"id": order.reference, "at": path})
    if response.status == 404:
        return ()
    told = kit.task_in(API, response)
    return ({"id": kit.id_in(API, API.reading, told), "at": path},)


def spent(told: Json) -> float | None:
    return credits_of(at(told, "data.final_unit_deduction"))


def credits_of(text: Any) -> float | None:
    return float(text) * UNIT if isinstance(text, str) and re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,6})?", text) else None


# fmt: off
API = TaskApi(
    name="kling", vendor="Kling", title="Kling AI", docs="https://kling.ai/document-api",
    base_url="https://api-singapore.klingai.com", root=ROOT, roots=("/account/",), show="{at}/{id}",
    endpoints=ENDPOINTS, fields=FIELDS, webhook="callback_url", webhook_id="task_id", webhook_body=task,
    reference="external_task_id", states=STATES, answer=Told[Task], task=lambda job: enveloped(job, task(job)),
    made=lambda job: enveloped(job, filed(job)), made_type=Told[Task],
    reading=Reading(id="data.task_id", status="data.task_status",
                    links=("data.task_result.videos.*.url", "data.task_result.images.*.url"),
                    reason=("data.task_status_msg",)),
    cost=spent, error=error, error_type=Error, statuses={kind: status for kind, (status, _) in CODES.items()},
    fault=trouble, reasons=("message",), code="code", codes=MEANT,
    final=frozenset({Kind.QUOTA_EXCEEDED, Kind.FORBIDDEN}),
    sign=sign, credential=credential, public_id=public_id, job_id=job_id, mounts=("/kling",), find=find,
    finds_by_reference=True, routes=routes(ENDPOINTS),
)
# fmt: on
