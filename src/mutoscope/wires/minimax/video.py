"""MiniMax's video API, first version: a task, the id of its file, and at a third place the link."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal, cast

from msgspec import Meta, Struct
from msgspec.structs import replace

from mutoscope.model.catalog import pixels_of
from mutoscope.model.http import HttpRequest, HttpResponse, json_response
from mutoscope.model.job import Generation, Job, Json, MediaLimits, Operation, Role, State, Update
from mutoscope.model.problem import Flaw, Kind, Problem, custom_flaw
from mutoscope.model.requests import Page
from mutoscope.wirekit.answers import ask
from mutoscope.wirekit.back import Conversation, Way
from mutoscope.wirekit.body import wholes
from mutoscope.wirekit.fields import AnyField, Field, FileField, extra, same
from mutoscope.wirekit.paths import at
from mutoscope.wirekit.queries import read_query
from mutoscope.wirekit.routes import List
from mutoscope.wirekit.task import Endpoint, Reading, TaskApi, news, read_request, task_in, wire
from mutoscope.wires.minimax.models import FIRST, FRAMES, OLD, TEXT, WORDS
from mutoscope.wires.minimax.words import (
    BaseResp,
    Error,
    digits,
    failed,
    fault,
    file_id,
    from_digits,
    made_at,
    quiet_error,
    task_id,
)

ROOT = "/v1/"
FILE = f"{ROOT}files/retrieve"
STATES = {
    State.QUEUED: "Preparing",
    State.RUNNING: "Processing",
    State.SUCCEEDED: "Success",
    State.FAILED: "Fail",
    State.CANCELED: "Fail",
}
TOLD = {State.RUNNING: "processing", State.SUCCEEDED: "success", State.FAILED: "failed", State.CANCELED: "failed"}
"""In callbacks, which have words of their own."""
PICTURE = MediaLimits(
    types=("image/jpeg", "image/png", "image/webp"), max_bytes=20_000_000, min_side=300, min_aspect=0.4, max_aspect=2.5
)
BOTH = (Way.LINK, Way.DATA)
TIERS = {pixels_of("16:9", tier): tier.upper() for tier in ("512p", "720p", "768p", "1080p")}
OLDS = {WORDS[word] for word in OLD}  # as the catalog names them
S2V = "S2V-01"
NAMES = Literal[
    "MiniMax-Hailuo-2.3", "MiniMax-Hailuo-2.3-Fast", "MiniMax-Hailuo-02", "T2V-01", "T2V-01-Director", "I2V-01",
    "I2V-01-Director", "I2V-01-live", "S2V-01", "video-01",
]  # fmt: skip

# -- the body -----------------------------------------------------------------------------


class Subject(Struct, kw_only=True):
    type: Literal["character"]
    image: Annotated[list[str], Meta(min_length=1, max_length=1)]


class Video(Struct, kw_only=True):
    model: NAMES
    prompt: Annotated[str, Meta(max_length=2000)] | None = None
    first_frame_image: str | None = None
    last_frame_image: str | None = None
    subject_reference: Annotated[list[Subject], Meta(min_length=1, max_length=1)] | None = None
    prompt_optimizer: bool | None = None
    fast_pretreatment: bool | None = None
    duration: Literal[6, 10] | None = None
    resolution: Literal["512P", "720P", "768P", "1080P"] | None = None
    callback_url: str | None = None
    aigc_watermark: bool | None = None


Body = Annotated[
    Video,
    Meta(
        examples=[{"model": "MiniMax-Hailuo-2.3", "prompt": "A lighthouse on a cliff at dusk [Push in]"}],
        # for the published description; the rule itself is read with the body
        extra_json_schema={"anyOf": [{"required": ["prompt"]}, {"required": ["first_frame_image"]}]},
    ),
]


def rules(said: Json) -> Iterator[Flaw]:
    """What each model does not take: the vendor answers all of these alike."""
    model, first, last = said.get("model"), said.get("first_frame_image"), said.get("last_frame_image")
    seconds, tier = said.get("duration"), said.get("resolution")
    if model in OLD:
        for name in ("duration", "resolution"):
            if said.get(name) is not None:
                yield custom_flaw((name,), f"is not taken by {model}")
    if seconds == 10 and tier not in (None, "512P", "768P"):
        yield custom_flaw(("duration",), f"of 10 seconds there is at 768P only, not at {tier}")
    if tier == "720P" and model not in OLD:
        yield custom_flaw(("resolution",), "should be one of 512P, 768P, 1080P")
    if tier == "512P" and (model != "MiniMax-Hailuo-02" or not first):
        yield custom_flaw(("resolution",), "512P is for MiniMax-Hailuo-02 with a first_frame_image only")
    if (model == S2V) != (said.get("subject_reference") is not None):
        why = f"is required by {S2V}" if model == S2V else f"is taken by {S2V} only"
        yield custom_flaw(("subject_reference",), why)
    if first and model in (*TEXT, S2V):
        yield custom_flaw(("first_frame_image",), f"is not taken by {model}")
    if last and model not in FRAMES:
        yield custom_flaw(("last_frame_image",), f"is taken by {', '.join(FRAMES)} only")
    if not first and model in FIRST:
        yield custom_flaw(("first_frame_image",), f"is required by {model}")
    if not (first or last or said.get("prompt")):
        yield custom_flaw(("prompt",), "is required where there is no first_frame_image")


def tier(wish: Generation) -> str | None:
    """A word for the size; one that the older models have anyway is not said, as they take none."""
    if wish.model in OLDS and (wish.resolution, wish.width, wish.height) in ((None, 1280, 720), ("720p", None, None)):
        return None
    if wish.resolution:
        return wish.resolution.upper()
    if wish.width is None or wish.height is None:
        return None
    return TIERS.get((wish.width, wish.height), f"{wish.width}x{wish.height}")  # which the body refuses


RESOLUTION = Field(ours=("resolution", "width", "height"), read=lambda value: {"resolution": value.lower()}, write=tier)
DURATION = Field(
    ours=("seconds",),
    read=lambda value: {"seconds": value},
    write=lambda wish: None if wish.model in OLDS and wish.seconds == 6 else wholes(wish.seconds),
)
OPTIMIZER = replace(extra("prompt_extend"), ours=("prompt_extend",))
FIELDS: dict[str, AnyField] = {
    "prompt": same("prompt"),
    "first_frame_image": FileField(role=Role.FIRST_FRAME, ways=BOTH, limits=PICTURE),
    "last_frame_image": FileField(role=Role.LAST_FRAME, ways=BOTH, limits=PICTURE),
    "subject_reference": FileField(
        role=Role.CHARACTER,
        ways=BOTH,
        limits=PICTURE,
        many=True,
        item="image.0",
        written=lambda source: {"type": "character", "image": [source]},
    ),
    "prompt_optimizer": OPTIMIZER,
    "fast_pretreatment": extra("fast_pretreatment"),
    "duration": DURATION,
    "resolution": RESOLUTION,
    "aigc_watermark": same("watermark"),
}

# -- answers -------------------------------------------------------------------------------


class Created(Struct, kw_only=True):
    task_id: str
    base_resp: BaseResp


class Task(Created, kw_only=True):
    status: str = ""  # Preparing, Queueing, Processing, Success, Fail
    file_id: str = ""
    video_width: int = 0
    video_height: int = 0


class File(Struct, kw_only=True):
    file_id: int
    bytes: int
    created_at: int  # seconds
    filename: str
    purpose: str
    download_url: str
    backup_download_url: str


class Retrieved(Struct, kw_only=True):
    base_resp: BaseResp
    file: File | None = None


class Files(Struct, kw_only=True):
    base_resp: BaseResp
    files: list[File] = []  # not there in what tells of an error


def created(job: Job) -> Created:
    return Created(task_id=digits(job.id), base_resp=BaseResp())


def task(job: Job) -> Task:
    video = job.outputs[0] if job.state is State.SUCCEEDED and job.outputs else None
    return Task(
        task_id=digits(job.id),
        status=STATES[job.state],
        file_id=str(file_id(job)) if video else "",
        video_width=(video.width or 0) if video else 0,
        video_height=(video.height or 0) if video else 0,
        base_resp=failed(job.failure) if STATES[job.state] == "Fail" else BaseResp(),
    )


def rendered_task(job: Job) -> Task:
    return replace(task(job), status=TOLD[job.state])


# -- the file ------------------------------------------------------------------------------

CLOCKS = 3600.0  # seconds by which a job's own time may differ from that in its id


class Wanted(Struct, frozen=True, kw_only=True):
    file_id: Annotated[int, Meta(ge=0, le=(1 << 53) - 1)]


def parse_file(request: HttpRequest) -> Page:
    """The file is looked for among the caller's jobs, the newest first, back to when it was made.

    Raises Problem(INVALID) for what is no id of a file.
    """
    wanted = read_query(request, Wanted).file_id
    return Page(size=1, keep=lambda job: file_id(job) == wanted, since=made_at(wanted) - CLOCKS)


def render_file(jobs: tuple[Job, ...], request: HttpRequest) -> HttpResponse:
    return json_response(Retrieved(file=found(jobs, request), base_resp=BaseResp()))


def render_bytes(jobs: tuple[Job, ...], request: HttpRequest) -> HttpResponse:
    file = found(jobs, request)
    return HttpResponse(status=302, headers={"location": file.download_url, "cache-control": "no-store"})


def found(jobs: tuple[Job, ...], request: HttpRequest) -> File:
    """Raises Problem(NOT_FOUND)."""
    file = next(filter(None, map(file_of, jobs)), None)
    if file is None:
        raise Problem(Kind.NOT_FOUND, f"There is no file {request.query.get('file_id')}.", field="file_id")
    return file


def file_of(job: Job) -> File | None:
    """What a job has made, if that is a file."""
    if not job.outputs or not job.outputs[0].asset:
        return None
    made = job.outputs[0]
    link = made.url or ""
    kind, _, suffix = made.media_type.partition("/")
    return File(
        file_id=file_id(job),
        bytes=made.bytes,
        created_at=int(job.finished or job.created),
        filename="output.mp3" if suffix == "mpeg" else f"output.{suffix}",
        purpose="t2a_async" if kind == "audio" else f"{kind}_generation",
        download_url=link,
        backup_download_url=link,
    )


class Wished(Struct, frozen=True, kw_only=True):
    purpose: str = ""


MOST_LISTED = 100


def parse_files(request: HttpRequest) -> Page:
    purpose = request.query.get("purpose", "")
    return Page(size=MOST_LISTED, keep=lambda job: (file := file_of(job)) is not None and purpose in ("", file.purpose))


def render_files(jobs: tuple[Job, ...], _request: HttpRequest) -> HttpResponse:
    return json_response(Files(files=list(filter(None, map(file_of, jobs))), base_resp=BaseResp()))


FILES = (
    List(
        at=f"GET {FILE}",
        parse=parse_file,
        render=render_file,
        answer=Retrieved,
        query=Wanted,
        summary="The link of a file",
    ),
    List(
        at=f"GET {ROOT}files/retrieve_content",
        parse=parse_file,
        render=render_bytes,
        query=Wanted,
        status=302,
        summary="The bytes of a file",
    ),
    List(
        at=f"GET {ROOT}files/list",
        parse=parse_files,
        render=render_files,
        answer=Files,
        query=Wished,
        summary=f"The newest {MOST_LISTED} files that were made, of a purpose where one is named",
    ),
)

# -- the other end -------------------------------------------------------------------------


def poll(handle: Json) -> Conversation[Update]:
    """The task and, once it has succeeded, the link of its file."""
    response = yield read_request(API, handle)
    try:
        answer = task_in(API, response)
    except Problem as problem:
        if problem.kind is Kind.INVALID:  # of all parameters there is but the id
            raise Problem(Kind.NOT_FOUND, problem.message) from problem
        raise
    inner: Any = at(answer, "data.data")  # as some relays wrap it, with the file inside already
    if isinstance(inner, dict):
        answer = {**cast("Json", inner), "task_id": at(answer, "data.task_id")}
    if str(answer.get("task_id")) != str(handle["id"]):
        raise Problem(Kind.UPSTREAM_FAILED, "MiniMax answered with another task, or none.")
    if answer.get("status") == "Success" and not at(answer, "file.download_url"):
        file = str(answer.get("file_id") or "")
        if not (file.isascii() and file.isdecimal() and len(file) < 30):
            raise Problem(Kind.UPSTREAM_FAILED, "MiniMax reports success without the id of a file.")
        answer |= {"file": task_in(API, (yield ask("GET", FILE, file_id=file))).get("file")}
    return news(API, API.reading, answer)


# -- both ------------------------------------------------------------------------------------

API = TaskApi(
    name="minimax",
    vendor="MiniMax",
    title="MiniMax API",
    docs="https://platform.minimax.io/docs/api-reference/api-overview",
    base_url="https://api.minimax.io",
    root=ROOT,
    show="query/video_generation?task_id={id}",
    id_of=task_id,
    endpoints=(
        Endpoint(
            at="video_generation",
            title="Make a video",
            body=Body,
            models=tuple(WORDS),
            makes={
                Role.FIRST_FRAME: Operation.IMAGE_TO_VIDEO,
                Role.LAST_FRAME: Operation.IMAGE_TO_VIDEO,
                None: Operation.TEXT_TO_VIDEO,
            },
            rules=rules,
        ),
    ),
    fields=FIELDS,
    webhook="callback_url",
    webhook_body=rendered_task,
    states=STATES,
    also_states={"Queueing": State.QUEUED, "Failed": State.FAILED},
    task=task,
    answer=Task,
    made=created,
    made_type=Created,
    reading=Reading(
        id="task_id",
        status="status",
        links=("file.download_url", "file.backup_download_url"),
        reason=("base_resp.status_msg",),
    ),
    fault=fault,
    reasons=("base_resp.status_msg", "message"),
    error=quiet_error,
    error_type=Error,
    statuses=dict.fromkeys(Kind, 200),
    invalid_status=200,
    public_id=digits,
    job_id=from_digits,
    mounts=("/minimaxi", "/proxy/minimax"),
    routes=FILES,
)


FRONT = wire(API)
WIRE = replace(FRONT, quiet=(ROOT,), challenge="challenge", back=replace(FRONT.back, poll=poll) if FRONT.back else None)
