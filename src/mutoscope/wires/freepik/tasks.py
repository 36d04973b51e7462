"""How Freepik tells of a task, and what those of its models answer that do it otherwise."""

import base64
from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, Literal, get_args

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from mutoscope.model.http import HttpRequest, HttpResponse, json_response
from mutoscope.model.job import Job, Json, Output, State, is_unsafe
from mutoscope.model.problem import Kind, Problem
from mutoscope.wirekit.body import body_of
from mutoscope.wirekit.ids import uuid4_form
from mutoscope.wirekit.times import unmade

PATIENCE = 300.0  # seconds that an answer waits for what it carries

# -- tasks and their lists -------------------------------------------------------

Status = Literal["CREATED", "IN_PROGRESS", "COMPLETED", "FAILED"]
STATUSES: dict[State, Status] = dict(zip(State, (*get_args(Status), "FAILED"), strict=True))
"""The vendor has no word for what is canceled, and clients know these four only."""
Uuid = Annotated[str, Meta(extra_json_schema={"format": "uuid"})]


class ListedTask(Struct, frozen=True, kw_only=True):
    task_id: Uuid
    status: Status


class Task(ListedTask, frozen=True, kw_only=True):
    generated: tuple[str, ...] = ()
    error: str | UnsetType = UNSET  # ours: why it FAILED


class RatedTask(Task, frozen=True, kw_only=True):
    has_nsfw: tuple[bool, ...] | UnsetType = UNSET  # of each picture, in tasks of mystic


class TaskAnswer(Struct, frozen=True, kw_only=True):
    data: RatedTask


class TaskListAnswer(Struct, frozen=True, kw_only=True):
    data: tuple[ListedTask, ...]


def task(job: Job) -> RatedTask:
    made = generated(job)
    return RatedTask(
        task_id=uuid4_form(job.id),
        status=STATUSES[job.state],
        generated=made,
        error=reason_of(job) if STATUSES[job.state] == "FAILED" else UNSET,
        has_nsfw=tuple(is_unsafe(each) for each in job.outputs) if made and job.route == "mystic" else UNSET,
    )


def generated(job: Job) -> tuple[str, ...]:
    """Links, or words where these are what was made."""
    if job.state is not State.SUCCEEDED:
        return ()
    return tuple(told for each in job.outputs if (told := each.text if each.text is not None else each.url))


def reason_of(job: Job) -> str:
    if job.failure is not None:
        return job.failure.message
    return "The task was canceled." if job.state is State.CANCELED else "The task failed."


def render_list(jobs: tuple[Job, ...], _request: HttpRequest) -> HttpResponse:
    listed = (ListedTask(task_id=uuid4_form(job.id), status=STATUSES[job.state]) for job in jobs)
    return json_response(TaskListAnswer(data=tuple(listed)))


class SoundListAnswer(Struct, frozen=True, kw_only=True):
    data: tuple[Task, ...]


def render_sounds(jobs: tuple[Job, ...], _request: HttpRequest) -> HttpResponse:
    """The lists of what is heard tell of the files too."""
    return json_response(TaskListAnswer(data=tuple(map(task, jobs))))


# -- LoRAs -----------------------------------------------------------------------------------


class Training(Struct, frozen=True, kw_only=True):
    status: str
    defaultScale: float = 1.0  # noqa: N815
    quality: str = "medium"


class Lora(Struct, frozen=True, kw_only=True):
    id: Uuid
    name: str
    description: str
    category: str
    type: str
    preview: str
    training: Training


class Loras(Struct, frozen=True, kw_only=True):
    default: tuple[Lora, ...] = ()
    customs: tuple[Lora, ...] = ()


class LoraListAnswer(Struct, frozen=True, kw_only=True):
    data: Loras


TRAINED = dict(zip(State, ("pending", "in_progress", "completed", "failed", "failed"), strict=True))


def render_loras(jobs: tuple[Job, ...], _request: HttpRequest) -> HttpResponse:
    """Those that were trained here; the vendor's own are not here."""
    return json_response(LoraListAnswer(data=Loras(customs=tuple(map(lora, jobs)))))


def lora(job: Job) -> Lora:
    said = body_of(job)
    kind = "character" if "gender" in said else "style"
    made = generated(job)
    return Lora(
        id=uuid4_form(job.id), name=str(said.get("name", "")), description=str(said.get("description") or ""),
        category="people" if kind == "character" else "photo", type=kind, preview=made[0] if made else "",
        training=Training(status=TRAINED[job.state], quality=str(said.get("quality", "medium"))),
    )  # fmt: skip


# -- answers that are no task, or one without its envelope ----------------------------------------


class BriefAnswer(Struct, frozen=True, kw_only=True):
    data: ListedTask


class BareTask(Struct, frozen=True, kw_only=True):
    task_id: Uuid
    task_status: Status
    generated: tuple[str, ...] = ()


class Base64Picture(Struct, frozen=True, kw_only=True):
    base64: str
    has_nsfw: bool = False


class Size(Struct, frozen=True, kw_only=True):
    size: str
    width: int
    height: int


class About(Struct, frozen=True, kw_only=True):
    prompt: str
    seed: int
    num_inference_steps: int = 8
    guidance_scale: float = 1.0
    image: Size


class PictureAnswer(ListedTask, frozen=True, kw_only=True):
    """`task_id` and `status` are ours, as in what follows: a caller that left finds the task at the path's reads."""

    data: tuple[Base64Picture, ...]
    meta: About


class CutOutAnswer(ListedTask, frozen=True, kw_only=True):
    original: str
    high_resolution: str
    preview: str
    url: str


class Class(Struct, frozen=True, kw_only=True):
    class_name: str
    probability: float


class ClassAnswer(ListedTask, frozen=True, kw_only=True):
    data: tuple[Class, ...]


def listed(job: Job) -> Json:
    return {"task_id": uuid4_form(job.id), "status": STATUSES[job.state]}


def picture(job: Job) -> PictureAnswer:
    made = tuple(map(base64_of, job.outputs)) if job.state is State.SUCCEEDED else ()
    wish = job.generation
    first = job.outputs[0] if made else None
    width, height = (first.width if first else wish.width) or 0, (first.height if first else wish.height) or 0
    asked: Json = body_of(job).get("image") or {}
    size = Size(size=str(asked.get("size") or "square_1_1"), width=width, height=height)
    return PictureAnswer(
        data=made, meta=About(prompt=wish.prompt or "", seed=wish.seed or 0, image=size), **listed(job)
    )


def base64_of(output: Output) -> Base64Picture:
    return Base64Picture(base64=base64.b64encode(output.data or b"").decode())


def cut_out(job: Job) -> CutOutAnswer:
    url = next(iter(generated(job)), "")
    original = str(body_of(job).get("image_url", ""))
    return CutOutAnswer(original=original, high_resolution=url, preview=url, url=url, **listed(job))


def classes(job: Job) -> ClassAnswer:
    """The result is words: the list as JSON."""
    text = next(iter(generated(job)), "[]")
    return ClassAnswer(data=msgspec.json.decode(text, type=tuple[Class, ...]), **listed(job))


def waited(tell: Callable[[Job], Any], job: Job, _request: HttpRequest) -> HttpResponse:
    """Raises Problem for what was not made."""
    if late := unmade(job, PATIENCE, f"/v1/ai/{job.route}/{uuid4_form(job.id)}", "The task was canceled."):
        raise Problem(Kind.TIMED_OUT, late)
    return json_response(tell(job))


def brief(job: Job) -> BriefAnswer:
    return BriefAnswer(data=ListedTask(**listed(job)))


def bare(job: Job) -> BareTask:
    return BareTask(task_id=uuid4_form(job.id), task_status=STATUSES[job.state], generated=generated(job))


def patience(_said: Json, _request: HttpRequest) -> float:
    return PATIENCE


def as_made(_request: HttpRequest) -> str:
    return ""


def at_once(tell: Callable[[Job], Any], answer: Any, **more: Any) -> Json:
    return {"task": tell, "answer": answer, "wait": patience, "waited": partial(waited, tell), **more}


ANSWERS: dict[str, Json] = {
    "task": {},
    "brief": {"task": brief, "answer": BriefAnswer},
    "bare": {"task": bare, "answer": BareTask},
    "picture": at_once(picture, PictureAnswer, carries=as_made),
    "at once": at_once(task, RatedTask),
    "cut out": at_once(cut_out, CutOutAnswer, form=True),
    "classes": at_once(classes, ClassAnswer, form=True),
}
"""What a row's word for its answer comes to: members of its endpoint."""
