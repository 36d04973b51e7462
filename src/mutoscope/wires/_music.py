"""What the relays of Suno and Udio have in common: the envelope, the task, and the takes of a job."""

from functools import partial
from typing import Annotated, Any

from msgspec import Meta, Struct
from msgspec.structs import replace

from mutoscope.model.http import HttpRequest
from mutoscope.model.job import Job, Json, Operation, Output, Role, State, Update
from mutoscope.model.problem import Kind, Problem
from mutoscope.wirekit import task
from mutoscope.wirekit.answers import plain_text
from mutoscope.wirekit.back import Conversation, VendorRequest
from mutoscope.wirekit.ids import PARTS, from_part_form, from_uuid4_form, part_form, uuid4_form
from mutoscope.wirekit.media import URL_PATTERN
from mutoscope.wirekit.paths import at
from mutoscope.wirekit.task import Reading, TaskApi
from mutoscope.wirekit.wire import Wire

Hook = Annotated[str, Meta(extra_json_schema={"pattern": f"^({URL_PATTERN})?$"})]
"""An address for news; an empty text counts as not sent, as clients mean it."""

STATES = dict(zip(State, ("SUBMITTED", "IN_PROGRESS", "SUCCESS", "FAILURE", "FAILURE"), strict=True))
ALSO_STATES = {"NOT_START": State.QUEUED, "QUEUED": State.QUEUED, "UNKNOWN": State.QUEUED, "FAIL": State.FAILED}
TAKES = 2  # of one request, at one price

CODES = {
    Kind.NOT_FOUND: "task_not_exist",
    Kind.QUOTA_EXCEEDED: "quota_not_enough",
    Kind.RATE_LIMITED: "rate_limit_exceeded",
}
KINDS = {code: kind for kind, code in CODES.items()}
STATUSES = {Kind.NOT_FOUND: 400, Kind.QUOTA_EXCEEDED: 403}
OF_A_MODEL = frozenset({"model", "mv", "gen_params.model_type"})


class Envelope(Struct, kw_only=True):
    """`code` is a word, "success" or what went wrong; `data` a text, an object or a list."""

    code: str = "success"
    message: str = ""
    data: Any = None


class Task(Struct, kw_only=True):
    """Times are Unix seconds, 0 where not reached. `fail_reason` is empty until the end: clients give up at any."""

    task_id: str
    notify_hook: str
    action: str
    status: str  # NOT_START, SUBMITTED, QUEUED, IN_PROGRESS, SUCCESS, FAILURE
    fail_reason: str
    submit_time: int
    start_time: int
    finish_time: int
    progress: str  # "30%"
    data: Any


class TaskEnvelope(Struct, kw_only=True):
    code: str = "success"
    message: str = ""
    data: Task


class Take(Struct, frozen=True, kw_only=True):
    """One of the pieces that a job makes."""

    number: int  # from 0
    id: str
    sound: Output | None = None
    cover: Output | None = None
    video: Output | None = None


def takes(job: Job) -> tuple[Take, ...]:
    """What was made, each file in the place that its media type gives it; before the end, what is to be."""
    made = job.outputs if job.state is State.SUCCEEDED else ()
    videos, covers = of_kind(made, "video"), of_kind(made, "image")
    sounds = of_kind(made, "audio") or videos
    wanted = 1 if job.generation.operation is Operation.MUSIC_JOIN else job.generation.count or TAKES
    count = min(max(len(sounds), 1) if made else wanted, len(PARTS))
    return tuple(
        Take(
            number=number,
            id=part_form(job.id, number),
            sound=item(sounds, number),
            cover=item(covers, number) or item(covers, 0),
            video=item(videos, number),
        )
        for number in range(count)
    )


def of_kind(outputs: tuple[Output, ...], kind: str) -> list[Output]:
    return [each for each in outputs if each.media_type.startswith(f"{kind}/")]


def item(outputs: list[Output], number: int) -> Output | None:
    return outputs[number] if number < len(outputs) else None


def link(output: Output | None) -> str | None:
    return output.url if output else None


def place_of(id: str) -> int:
    """Which take of its job an id names."""
    found = from_part_form(id)
    return found[1] if found else 0


def job_id(public: str) -> str | None:
    """The job behind the id of a task, or of one of its takes."""
    part = from_part_form(public)
    return part[0] if part else from_uuid4_form(public)


def task_of(job: Job, action: str, data: Any) -> TaskEnvelope:
    progress = 1.0 if job.state.final else job.progress or 0.0
    told = Task(
        task_id=uuid4_form(job.id),
        notify_hook=job.webhook or "",
        action=action,
        status=STATES[job.state],
        fail_reason=reason_of(job),
        submit_time=int(job.created),
        start_time=int(job.started or 0),
        finish_time=int(job.finished or 0),
        progress=f"{progress:.0%}",
        data=data,
    )
    return TaskEnvelope(data=told)


def made(job: Job) -> Envelope:
    return Envelope(data=uuid4_form(job.id))


def reason_of(job: Job) -> str:
    if STATES[job.state] != "FAILURE":
        return ""
    return job.failure.message if job.failure else "The task was canceled."


def error(problem: Problem, status: int) -> Envelope:
    code = CODES.get(problem.kind) or ("invalid_request" if status < 500 else "fail_to_fetch_task")
    message = problem.message
    if problem.kind is Kind.NOT_FOUND:
        if problem.field in OF_A_MODEL:
            code = "invalid_request"
        elif problem.field:
            message = f"{'task_not_exist' if problem.field == 'id' else 'task_origin_not_exist'}: {message}"
    return Envelope(code=code, message=message)


def fault(answer: Json) -> Problem | None:
    """An answer of status 200 whose word is not `success`."""
    code = answer.get("code")
    if code == "success":
        return None
    kind = KINDS.get(str(code), Kind.UPSTREAM_FAILED)
    return Problem(kind, plain_text(f"it answered {code!s:.100}: {answer.get('message') or 'no reason given'}"))


def submit(api: TaskApi, ids: str, order: VendorRequest) -> Conversation[Update]:
    """An earlier take is named by its own id, which its task tells at `ids`, and some relays want the task's too."""
    given = order.generation.input(Role.AUDIO)
    handle = order.earlier.get(given.output_of or "") if given else None
    if given is None or handle is None:
        return (yield from task.submit(api, order))
    told = at(task.task_in(api, (yield task.read_request(api, handle))), ids)
    if len(told or ()) <= given.output or not task.ID.fullmatch(str(told[given.output])):
        message = f"{api.vendor} does not tell which take {given.output + 1} of task {handle['id']} is."
        raise Problem(Kind.UPSTREAM_FAILED, message)
    extra = order.generation.extra | {"task_id": handle["id"]}
    earlier = order.earlier | {str(given.output_of): {"id": str(told[given.output])}}
    order = replace(order, generation=replace(order.generation, extra=extra), earlier=earlier)
    return (yield from task.submit(api, order))


def wired(api: TaskApi, ids: str) -> Wire:
    made = task.wire(api)
    return replace(made, back=replace(made.back, submit=partial(submit, api, ids))) if made.back else made


def credential(request: HttpRequest) -> str | None:
    """Bearer, or the bare key, as some relays document it."""
    told = request.headers.get("authorization", "")
    bare = told if told.lower() not in ("", "bearer", "basic") and " " not in told else None
    return task.bearer(request) or bare


def without_blanks(said: Json) -> Json:
    """Empty texts stand for nothing: some clients send every member always."""
    return {name: value for name, value in said.items() if value is not None and value != ""}


def reading(links: tuple[str, ...], texts: tuple[str, ...] = ()) -> Reading:
    return Reading(
        id="data.task_id",
        status="data.status",
        links=links,
        texts=texts,
        reason=("data.fail_reason",),
        progress="data.progress",
    )


SHARED: dict[str, Any] = {
    "webhook": "notify_hook",
    "states": STATES,
    "also_states": ALSO_STATES,
    "made": made,
    "made_type": Envelope,
    "made_reading": Reading(id="data"),
    "error": error,
    "error_type": Envelope,
    "fault": fault,
    "code": "code",
    "codes": KINDS,
    "statuses": STATUSES,
    "credential": credential,
    "job_id": job_id,
}
"""Members of both vendors' APIs."""
