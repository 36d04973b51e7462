"""MiniMax's video API, second version: one list of what goes in, HTTP statuses of errors, and the link in the task."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal, cast

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace

from mutoscope.model.catalog import pixels_of
from mutoscope.model.http import HttpRequest, HttpResponse, json_response
from mutoscope.model.job import Generation, Job, Json, MediaLimits, Operation, Role, State
from mutoscope.model.problem import Flaw, Kind, Problem, custom_flaw
from mutoscope.model.requests import Page
from mutoscope.wirekit.back import Way
from mutoscope.wirekit.fields import AnyField, Field, FileField, JobField, same
from mutoscope.wirekit.ids import request_id
from mutoscope.wirekit.queries import read_query
from mutoscope.wirekit.routes import List
from mutoscope.wirekit.task import Endpoint, Flat, Reading, TaskApi, render_problem, wire
from mutoscope.wires.minimax.models import H3
from mutoscope.wires.minimax.words import CODES, Error, digits, failed, from_digits

ROOT = "/v2/"
STATES = {
    State.QUEUED: "queued",
    State.RUNNING: "running",
    State.SUCCEEDED: "succeeded",
    State.FAILED: "failed",
    State.CANCELED: "cancelled",
}
ERRORS = {
    401: "authorized_error",
    402: "insufficient_balance_error",
    403: "authorized_error",
    422: "unprocessable_entity_error",
    429: "rate_limit_error",
}
SHAPES = ("21:9", "16:9", "4:3", "1:1", "3:4", "9:16")
SIZES = {pixels_of(shape, tier): (shape, tier.upper()) for tier in ("480p", "768p", "2k") for shape in SHAPES}
BOTH = (Way.LINK, Way.DATA)
PICTURE = MediaLimits(max_bytes=30_000_000, min_side=256, max_side=5760, min_aspect=0.4, max_aspect=2.5)
CLIP = MediaLimits(types=("video/mp4", "video/quicktime"), max_bytes=50_000_000, min_seconds=2, max_seconds=15)
SOUND = MediaLimits(
    types=("audio/wav", "audio/x-wav", "audio/mpeg"), max_bytes=15_000_000, min_seconds=2, max_seconds=15
)
KINDS = {
    "first_frame": "image_url",
    "last_frame": "image_url",
    "reference_image": "image_url",
    "reference_video": "video_url",
    "reference_audio": "audio_url",
}
"""What each role of an item is a file of."""
FRAMES = ("first_frame", "last_frame")
MOST_FILES = 12

# -- the body -----------------------------------------------------------------------------

Name = Literal["MiniMax-H3", "MiniMax-H3-Max"]
Tier = Literal["480P", "768P", "2K"]
Shape = Literal["adaptive", "21:9", "16:9", "4:3", "1:1", "3:4", "9:16"]
Seconds = Annotated[int, Meta(ge=4, le=15)]


class Media(Struct, kw_only=True):
    url: str


class Item(Struct, kw_only=True):
    type: Literal["text", "image_url", "video_url", "audio_url"]
    text: str | None = None
    image_url: Media | None = None
    video_url: Media | None = None
    audio_url: Media | None = None
    role: Literal[
        "first_frame", "last_frame", "reference_image", "reference_video", "reference_audio", "base_video"
    ] | None = None  # fmt: skip


class VideoV2(Struct, kw_only=True):
    model: Name
    content: Annotated[list[Item], Meta(min_length=1, max_length=MOST_FILES + 1)]
    resolution: Tier | None = None
    duration: Seconds | None = None
    ratio: Shape | None = None
    callback_url: str | None = None
    aigc_watermark: bool | None = None


Body = Annotated[
    VideoV2,
    Meta(examples=[{"model": "MiniMax-H3", "content": [{"type": "text", "text": "A lighthouse on a cliff at dusk"}]}]),
]


class Said(Struct, kw_only=True):
    """The same, by what each item of the content is for."""

    model: Name
    prompt: Annotated[str, Meta(min_length=1, max_length=7000)]
    first_frame: str | None = None
    last_frame: str | None = None
    reference_image: Annotated[list[str], Meta(max_length=9)] | None = None
    reference_video: Annotated[list[str], Meta(max_length=3)] | None = None
    reference_audio: Annotated[list[str], Meta(max_length=3)] | None = None
    resolution: Tier | None = None
    duration: Seconds | None = None
    ratio: Shape | None = None
    callback_url: str | None = None
    aigc_watermark: bool | None = None


class Again(Struct, kw_only=True):
    """A task of 768P made anew at 2K."""

    source_task_id: str
    model: Name | None = None
    resolution: Literal["2K"] | None = None
    callback_url: str | None = None


def flattened(said: Json) -> tuple[Json, list[Flaw]]:
    """By role; what cannot be put so is a flaw of its item."""
    flat: Json = {name: value for name, value in said.items() if name != "content"}
    flaws = list[Flaw]()
    for number, item in enumerate(cast("list[Json]", said["content"])):
        kind, role, place = item["type"], str(item.get("role")), ("content", number)
        if kind == "text":
            if "prompt" in flat:
                flaws.append(custom_flaw(place, "there may be one item of the type text only"))
            flat["prompt"] = item.get("text") or ""
        elif KINDS.get(role) != kind:
            right = ", ".join(each for each, of in KINDS.items() if of == kind)
            flaws.append(custom_flaw((*place, "role"), f"should be one of {right} for the type {kind}"))
        elif not item.get(kind):
            flaws.append(custom_flaw((*place, kind), "is required"))
        elif role in FRAMES:
            if role in flat:
                flaws.append(custom_flaw(place, f"there may be one {role} only"))
            flat[role] = item[kind]["url"]
        else:
            flat.setdefault(role, []).append(item[kind]["url"])
    if not flat.get("prompt"):
        flaws.append(custom_flaw(("content",), "an item of the type text is required"))
    if any(each in flat for each in FRAMES):
        flat.pop("ratio", None)  # the vendor ignores it: the frame has a shape
    return flat, flaws


def listed(flat: Json) -> Json:
    said = {name: value for name, value in flat.items() if name not in (*KINDS, "prompt")}
    content: list[Json] = [{"type": "text", "text": flat["prompt"]}]
    for role, kind in KINDS.items():
        given: Any = flat.get(role) or []
        links = cast("list[str]", given) if isinstance(given, list) else [given]
        content += [{"type": kind, kind: {"url": link}, "role": role} for link in links]
    return said | {"content": content}


def rules(flat: Json) -> Iterator[Flaw]:
    frames = [each for each in FRAMES if flat.get(each)]
    others = [each for each in KINDS if each not in FRAMES and flat.get(each)]
    if frames and others:
        yield custom_flaw(("content",), f"{frames[0]} and {others[0]} cannot be mixed")
    if sum(len(flat[each]) for each in others) > MOST_FILES:
        yield custom_flaw(("content",), f"should have at most {MOST_FILES} references")
    for role in others:
        most = {"reference_image": 9}.get(role, 3)
        if len(flat[role]) > most:
            yield custom_flaw(("content",), f"should have at most {most} items of the role {role}")
    if flat.get("ratio") == "adaptive" and not (frames or others):
        yield custom_flaw(("ratio",), f"should be one of {', '.join(SHAPES)} where there is text only")
    best = flat.get("model") == "MiniMax-H3-Max"
    tiers = ("480P", "768P") if best else ("768P", "2K")
    if flat.get("resolution") not in (None, *tiers):
        yield custom_flaw(("resolution",), f"should be one of {', '.join(tiers)} for {flat.get('model')}")
    if best and (flat.get("duration") or 5) < 5:
        yield custom_flaw(("duration",), "should be at least 5 for MiniMax-H3-Max")


def tier(wish: Generation) -> str | None:
    if wish.resolution:
        return wish.resolution.upper()
    if wish.width is None or wish.height is None:
        return None
    return SIZES.get((wish.width, wish.height), ("", f"{wish.width}x{wish.height}"))[1]  # which the body refuses


def shape(wish: Generation) -> Any:
    if wish.width is None or wish.height is None:
        return wish.extra.get("ratio")
    return SIZES.get((wish.width, wish.height), (None, ""))[0]


FIELDS: dict[str, AnyField] = {
    "prompt": same("prompt"),
    "first_frame": FileField(role=Role.FIRST_FRAME, ways=BOTH, limits=PICTURE),
    "last_frame": FileField(role=Role.LAST_FRAME, ways=BOTH, limits=PICTURE),
    "reference_image": FileField(role=Role.REFERENCE, ways=BOTH, limits=PICTURE, many=True),
    "reference_video": FileField(role=Role.REFERENCE_VIDEO, ways=BOTH, limits=CLIP, many=True),
    "reference_audio": FileField(role=Role.AUDIO, ways=BOTH, limits=SOUND, many=True),
    "source_task_id": JobField(role=Role.VIDEO),
    "resolution": Field(
        ours=("resolution", "width", "height"), read=lambda value: {"resolution": value.lower()}, write=tier
    ),
    "ratio": Field(ours=("ratio", "width", "height"), read=lambda value: {"extra": {"ratio": value}}, write=shape),
    "duration": same("seconds"),
    "aigc_watermark": same("watermark"),
}

# -- answers -------------------------------------------------------------------------------


class CreatedV2(Struct, kw_only=True):
    task_id: str


class Facts(Struct, kw_only=True, omit_defaults=True):
    id: str
    model: str
    status: str  # queued, running, succeeded, failed, cancelled
    task_type: str
    modality: str
    created_at: int  # seconds
    updated_at: int
    resolution: str | None = None
    ratio: str | None = None
    duration: int | None = None
    content: Media | None = None
    usage: dict[str, int] | None = None
    error: dict[str, str] | None = None


class TaskV2(Struct, kw_only=True):
    task: Facts


class Tasks(Struct, kw_only=True):
    tasks: list[Facts]
    page_num: int
    page_size: int


def facts(job: Job) -> Facts:
    wish, done = job.generation, job.state is State.SUCCEEDED
    words = {ours: word for word, ours in H3.items()}
    seconds = round(wish.seconds) if wish.seconds is not None else None
    why = failed(job.failure) if job.state is State.FAILED else None
    return Facts(
        id=digits(job.id),
        model=words.get(wish.model, wish.model),
        status=STATES[job.state],
        task_type=task_type(job),
        modality="image" if wish.operation is Operation.IMAGE_TO_VIDEO else "reference" if wish.inputs else "text",
        created_at=int(job.created),
        updated_at=int(job.updated or job.created),
        resolution=tier(wish),
        ratio=shape(wish),
        duration=seconds,
        content=Media(url=job.outputs[0].url or "") if done and job.outputs else None,
        usage=usage(job, seconds or 0) if done else None,
        error=None if why is None else {"code": str(why.status_code), "message": why.status_msg},
    )


def usage(job: Job, seconds: int) -> dict[str, int]:
    pictures = (Role.FIRST_FRAME, Role.LAST_FRAME, Role.REFERENCE)
    count = sum(each.role in pictures for each in job.generation.inputs)
    return {"total_seconds": seconds, "output_seconds": seconds, "input_image_count": count}


def task_type(job: Job) -> str:
    return "regeneration" if job.generation.operation is Operation.VIDEO_UPSCALE else "generation"


def task(job: Job) -> TaskV2:
    return TaskV2(task=facts(job))


def created(job: Job) -> CreatedV2:
    return CreatedV2(task_id=digits(job.id))


def rendered_problem(problem: Problem, request: HttpRequest) -> HttpResponse:
    """The id of the request is in the vendor's form, sixteen hexadecimal digits."""
    answer = render_problem(API, problem, request)
    said: Json = msgspec.json.decode(answer.body)
    id = request_id(request).replace("-", "")[-16:]
    return json_response(said | {"request_id": id}, answer.status, answer.headers)


def error(problem: Problem, status: int) -> Json:
    kind = ERRORS.get(status, "server_error" if status >= 500 else "bad_request_error")
    message = f"{problem.message} ({CODES[problem.kind]})"
    return {"type": "error", "error": {"type": kind, "message": message, "http_code": str(status)}}


# -- lists ---------------------------------------------------------------------------------


class Listing(Struct, frozen=True, kw_only=True):
    page_num: Annotated[int, Meta(ge=1, le=10_000)] = 1
    page_size: Annotated[int, Meta(ge=1, le=100)] = 20
    status: str = msgspec.field(name="filter.status", default="")
    task_ids: str = msgspec.field(name="filter.task_ids", default="")
    model: str = msgspec.field(name="filter.model", default="")
    type: str = msgspec.field(name="filter.task_type", default="")


def parse_page(request: HttpRequest) -> Page:
    """Raises Problem(INVALID)."""
    asked = read_query(request, Listing)
    ids = [each.strip() for each in asked.task_ids.split(",") if each.strip()]

    def keep(job: Job) -> bool:
        return (
            asked.status in ("", STATES[job.state])
            and (not ids or digits(job.id) in ids)
            and (not asked.model or H3.get(asked.model) == job.generation.model)
            and asked.type in ("", task_type(job))
        )

    filters = asked.status or ids or asked.model or asked.type
    return Page(number=asked.page_num, size=asked.page_size, keep=keep if filters else None)


def render_list(jobs: tuple[Job, ...], request: HttpRequest) -> HttpResponse:
    asked = read_query(request, Listing)
    shown = [facts(job) for job in jobs]
    return json_response(Tasks(tasks=shown, page_num=asked.page_num, page_size=asked.page_size))


# -- both ------------------------------------------------------------------------------------

API = TaskApi(
    name="minimax",
    vendor="MiniMax",
    title="MiniMax API",
    docs="https://platform.minimax.io/docs/api-reference/video-generation-v2-create",
    base_url="https://api.minimax.io",
    root=ROOT,
    show="query/video_generation/{id}",
    endpoints=(
        Endpoint(
            at="video_generation",
            title="Make a video (second version)",
            body=Body,
            flat=Flat(type=Said, read=flattened, write=listed),
            models=tuple(H3),
            makes={
                Role.FIRST_FRAME: Operation.IMAGE_TO_VIDEO,
                Role.LAST_FRAME: Operation.IMAGE_TO_VIDEO,
                None: Operation.TEXT_TO_VIDEO,
            },
            rules=rules,
        ),
        Endpoint(
            at="video_regeneration",
            title="Make a video anew at 2K",
            body=Again,
            models=tuple(H3),
            makes={None: Operation.VIDEO_UPSCALE},
        ),
    ),
    fields=FIELDS,
    webhook="callback_url",
    states=STATES,
    also_states={"expired": State.FAILED},
    task=task,
    answer=TaskV2,
    made=created,
    made_type=CreatedV2,
    made_reading=Reading(id="task_id", status="status"),
    reading=Reading(id="task.id", status="task.status", links=("task.content.url",), reason=("task.error.message",)),
    error=error,
    error_type=Error,
    statuses={Kind.OVER_BUDGET: 402, Kind.REFUSED: 422, Kind.CONFLICT: 400}
    | dict.fromkeys((Kind.UPSTREAM_FAILED, Kind.SUBMISSION_UNKNOWN, Kind.TIMED_OUT, Kind.UNAVAILABLE), 500),
    kinds={422: Kind.REFUSED},
    stop="DELETE video_generation/{id}",
    stops_running=False,
    stop_keeps=True,
    public_id=digits,
    job_id=from_digits,
    routes=(
        List(
            at=f"GET {ROOT}query/video_generation",
            parse=parse_page,
            render=render_list,
            answer=Tasks,
            query=Listing,
            summary="List the tasks, newest first",
        ),
    ),
)
WIRE = replace(wire(API), render_problem=rendered_problem)
