"""The format in which resellers have Luma: bare task objects below /luma/, and Suno's envelope around several."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from mutoscope.model.http import HttpRequest, HttpResponse, json_response
from mutoscope.model.job import Job, Json, Operation, Role, State
from mutoscope.model.problem import Flaw, Kind, Problem, custom_flaw
from mutoscope.model.requests import ANY_FILE, CallerAccount, Upload, UploadWish
from mutoscope.wirekit.back import Way
from mutoscope.wirekit.body import body_of, invalid, read_body
from mutoscope.wirekit.fields import FileField, extra, same, seconds_more, shaped
from mutoscope.wirekit.ids import uuid4_form
from mutoscope.wirekit.media import LINK, Link, LinkOrBase64
from mutoscope.wirekit.routes import AccountRead, OpenUploads, ReadMany, Reply, last_parameter
from mutoscope.wirekit.task import Endpoint, TaskApi, wire
from mutoscope.wirekit.times import utc, why_ended
from mutoscope.wires.luma.api import ADDED_SECONDS, CANCELED, SHAPES, Shape, Tier, left_of

ROOT = "/luma/"
STATES = dict(zip(State, ("pending", "processing", "completed", "failed", "failed"), strict=True))
STATUSES = dict(zip(State, ("QUEUED", "IN_PROGRESS", "SUCCESS", "FAILURE", "FAILURE"), strict=True))
MODELS = ("ray-v2", "ray-v1", "ray-v3")
MOST_BYTES = 64 * 1024 * 1024


class More(Struct, kw_only=True):
    user_prompt: Annotated[str, Meta(max_length=5000)] | None = None
    expand_prompt: bool | None = None
    aspect_ratio: Shape | None = None
    loop: bool | None = None
    image_url: LinkOrBase64 | None = None
    image_end_url: LinkOrBase64 | None = None
    notify_hook: Link | None = None
    model_name: Literal["ray-v1", "ray-v2", "ray-v3"] | None = None
    duration: Annotated[str, Meta(pattern="^[0-9]{1,2}$")] | None = None
    resolution: Tier | None = None


STARTS = ("user_prompt", "image_url", "image_end_url")
Video = Annotated[More, Meta(extra_json_schema={"anyOf": [{"required": [name]} for name in STARTS]})]


class Ids(Struct):
    ids: Annotated[list[str], Meta(max_length=100)]


class Place(Struct):
    url: Link | None = None


FIELDS = {
    "user_prompt": same("prompt"),
    "expand_prompt": extra("prompt_extend"),
    "aspect_ratio": shaped(SHAPES),
    "loop": extra("loop"),
    "image_url": FileField(role=Role.FIRST_FRAME, ways=(Way.LINK, Way.DATA), bare=True),
    "image_end_url": FileField(role=Role.LAST_FRAME, ways=(Way.LINK, Way.DATA), bare=True),
    "duration": seconds_more(),
    "resolution": same("resolution"),
}


def start_flaws(said: Json) -> Iterator[Flaw]:
    if not any(said.get(name) for name in STARTS):
        yield custom_flaw(("user_prompt",), "is required where there is no picture")


# -- answers --------------------------------------------------------------------------


class Task(Struct, kw_only=True):
    """`task_id` is for the clients of /luma/v2, who know no other member."""

    id: str
    task_id: str
    prompt: str
    state: str  # pending, processing, completed, failed
    failure_reason: str | None
    queue_state: None = None
    created_at: str
    batch_id: str = ""
    video: Json | None
    video_raw: Json | None
    liked: None = None
    estimate_wait_seconds: None = None
    thumbnail: None = None
    last_frame: None = None
    request: Json


class Error(Struct):
    detail: Json


def task(job: Job) -> Task:
    made = job.outputs[0] if job.state is State.SUCCEEDED and job.outputs else None
    sized: Json = {"url": made.url, "width": made.width, "height": made.height} if made else {}
    said, id = body_of(job), uuid4_form(job.id)
    return Task(
        id=id,
        task_id=id,
        prompt=job.generation.prompt or "",
        state=STATES[job.state],
        failure_reason=why_ended(job, CANCELED),
        created_at=utc(job.created, "microseconds"),
        video=sized | {"download_url": made.url, "thumbnail": None} if made else None,
        video_raw=sized | {"duration": made.seconds, "media_type": "video"} if made else None,
        request={"prompt": job.generation.prompt or "", "aspect_ratio": said.get("aspect_ratio") or "16:9"},
    )


def enveloped(job: Job) -> Json:
    progress = 1.0 if job.state.final else job.progress or 0.0
    return {
        "task_id": uuid4_form(job.id),
        "action": "LUMA_VIDEO",
        "status": STATUSES[job.state],
        "fail_reason": why_ended(job, CANCELED) or "",
        "submit_time": int(job.created),
        "start_time": int(job.started or 0),
        "finish_time": int(job.finished or 0),
        "progress": f"{progress:.0%}",
        "data": task(job),
    }


def render_batch(jobs: tuple[Job, ...], _request: HttpRequest) -> HttpResponse:
    return json_response({"code": "success", "message": "", "data": [enveloped(job) for job in jobs]})


def render_file(jobs: tuple[Job, ...], request: HttpRequest) -> HttpResponse:
    """A link to the video, which has no mark unless one was asked for."""
    if not jobs:
        raise Problem(Kind.NOT_FOUND, f"There is no task {request.params['id']!r}.", field="id")
    if not (video := task(jobs[0]).video):
        raise Problem(Kind.CONFLICT, f"The task is {STATES[jobs[0].state]}: it has no video.", field="id")
    return json_response({"url": video["url"]})


def error(problem: Problem, _status: int) -> Error:
    return Error({"reason": problem.message, "code": 1})


# -- files, account ----------------------------------------------------------------------


def parse_upload(request: HttpRequest) -> tuple[UploadWish, ...]:
    url = read_body(request.body or b"{}", Place).url
    if url is not None and not LINK.fullmatch(url):
        raise invalid((custom_flaw(("url",), "should be an HTTP(S) URL"),))
    return (UploadWish(media_type=ANY_FILE, max_bytes=MOST_BYTES, keep_seconds=86400.0, slot_seconds=3600.0),)


def render_upload(uploads: tuple[Upload, ...], request: HttpRequest) -> HttpResponse:
    """A file that has a link already is read there when it is used."""
    slot, url = uploads[0], read_body(request.body or b"{}", Place).url
    return json_response({"id": slot.id, "presigned_url": slot.put_url, "public_url": url or slot.asset_url})


def render_usage(account: CallerAccount, _request: HttpRequest) -> HttpResponse:
    return json_response({"consumed": account.spent, "available": left_of(account)})


# fmt: off
ROUTES = (
    ReadMany(at=f"GET {ROOT}generations/{{id}}/download_video_url", ids=lambda request: (last_parameter(request),),
             render=render_file, answer=Place, summary="A link to the video without a mark"),
    ReadMany(at=f"POST {ROOT}tasks", ids=lambda request: tuple(read_body(request.body, Ids).ids), body=Ids,
             render=render_batch, answer=dict[str, Any], summary="Read several tasks"),
    OpenUploads(at=f"POST {ROOT}generations/file_upload", parse=parse_upload, render=render_upload, body=Place,
                answer=dict[str, str], summary="Open a slot for a file"),
    AccountRead(at=f"GET {ROOT}subscription/usage", render=render_usage, summary="What was spent, and what is left"),
    Reply(at=f"GET {ROOT}users/me", reply=lambda _: json_response({"id": "me"}), summary="Who asks"),
)
MADE_FROM: dict[Role | None, Operation] = {
    Role.FIRST_FRAME: Operation.IMAGE_TO_VIDEO, Role.LAST_FRAME: Operation.IMAGE_TO_VIDEO, None: Operation.TEXT_TO_VIDEO
}
WIRE = wire(TaskApi(
    name="luma_own", vendor="Luma", title="Luma, in the resellers' own format", base_url="", back=False,
    docs="https://github.com/LumaAI-API/Luma-API", root=ROOT, optional="/luma", show="generations/{id}",
    mounts=("/luma/v1", "/luma/v2", "/vip/luma", "/pro/luma"),
    endpoints=(
        Endpoint(at="generations", title="Make a video", body=Video, models=MODELS, model_at="model_name",
                 makes=MADE_FROM, rules=start_flaws),
        Endpoint(at="generations/{id}/extend", title="Continue a video", body=More, models=MODELS,
                 model_at="model_name", makes={None: Operation.VIDEO_EXTENSION}, parent=Role.VIDEO,
                 adds=ADDED_SECONDS),
    ),
    fields=FIELDS, webhook="notify_hook", states=STATES, task=task, answer=Task, created=201,
    error=error, error_type=Error, routes=ROUTES,
))
