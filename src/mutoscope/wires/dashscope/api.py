"""Alibaba Cloud Model Studio (DashScope): Wan video synthesis, one path, the model in the body, a task to poll.

Read `MODELS` in `bodies.py` first, one row each, then the foot of this file. The vendor tells states in lists, results
and reasons only where a task is asked for alone; it calls nobody back.
"""

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from typing import Annotated, Any, Literal, cast

import msgspec
from msgspec import UNSET, Meta, Struct
from msgspec.structs import replace

from mutoscope.model.http import Headers, HttpRequest, HttpResponse, json_response
from mutoscope.model.job import Input, Job, Json, Role, State, Update
from mutoscope.model.problem import Flaw, Kind, Problem, Rule, custom_flaw
from mutoscope.model.requests import ANY_FILE, Page, Submission, Upload, UploadWish
from mutoscope.wirekit import task as kit
from mutoscope.wirekit.answers import STORE_KINDS, TaskId, ask, form, is_link, news_of, read_answer, refusal
from mutoscope.wirekit.back import Conversation, File, VendorRequest, Way
from mutoscope.wirekit.body import UNREADABLE, found, invalid, read_json, wrong
from mutoscope.wirekit.fields import FileField
from mutoscope.wirekit.ids import request_id, uuid4_form
from mutoscope.wirekit.media import BadSource, source
from mutoscope.wirekit.paths import at
from mutoscope.wirekit.queries import read_query
from mutoscope.wirekit.routes import Create, List, OpenUploads, Route, Stop
from mutoscope.wirekit.task import Reading, TaskApi
from mutoscope.wires._wan import MIB, clip_limits
from mutoscope.wires.dashscope import answers, bodies
from mutoscope.wires.dashscope.answers import CHINA, STATES, STATUSES, UNKNOWN
from mutoscope.wires.dashscope.bodies import MODELS, ROOT, UPLOAD_MODEL, VENDOR, Model, word_of

ENABLE = "enable"
JOBS = "video-synthesis"

# -- asking ------------------------------------------------------------------------------


def precheck(request: HttpRequest, route: Route | None) -> Problem | None:
    if route is None or not isinstance(route, Create) or request.headers.get(bodies.ASYNC, "").lower() == ENABLE:
        return None
    message = "current user api does not support synchronous calls. Send the header X-DashScope-Async: enable."
    return Problem(Kind.FORBIDDEN, message)


def parse(offered: tuple[str, ...], request: HttpRequest) -> Submission:
    """Raises Problem: NOT_FOUND for a model that is not made here, else INVALID with every flaw of the body."""
    model, sent = model_in(offered, request)
    resolves = request.headers.get(bodies.RESOLVE, "").lower() == ENABLE
    read = kit.parse(API if resolves else UNRESOLVED, ENDPOINTS[model.word], sent)
    wish = replace(read.generation, model=model.name)
    if clip := wish.input(Role.VIDEO):  # it counts in the duration
        files = (replace(each, limits=clip_limits(wish.seconds)) if each is clip else each for each in wish.inputs)
        wish = replace(wish, inputs=tuple(files))
    return replace(
        read,
        generation=wish,
        notes=tuple(cut_off(model, wish.prompt, wish.negative_prompt, request)),
        ignored=tuple(note for note in read.ignored if not note.startswith(IDLE)),
    )


IDLE = tuple(f"ignored: {name} " for name in bodies.SDK_KEYS)


def cut_off(model: Model, prompt: str | None, negative: str | None, request: HttpRequest) -> Iterator[str]:
    """A note for each text of which the rest was cut off."""
    for name, read, most in (
        ("input.prompt", prompt, model.longest_prompt),
        ("input.negative_prompt", negative, bodies.LONGEST_NEGATIVE_PROMPT),
    ):
        if read is not None and len(read) == most and len(at(read_json(request.body), name)) > most:
            yield f"{name} was cut off after {most} characters"


class Peek(Struct, frozen=True):
    model: Any = UNSET


PEEK = msgspec.json.Decoder(Peek)


def model_in(offered: tuple[str, ...], request: HttpRequest) -> tuple[Model, HttpRequest]:
    """The model, and the request with its name as the table has it: dated snapshots of a model are read as it is.

    Raises Problem.
    """
    said = model_said(request.body)
    if not isinstance(said, str):
        rule = Rule.REQUIRED if said is UNSET else Rule.TYPE
        raise invalid((Flaw(path=("model",), rule=rule, bound="string", found=found(said), known=offered),))
    word = known(said)
    if word not in offered:
        raise invalid((Flaw(path=("model",), rule=Rule.CHOICE, bound=offered, found=said),))
    if said == word:
        return MODELS[word], request
    body = msgspec.json.encode(cast("Json", read_json(request.body)) | {"model": word})
    return MODELS[word], replace(request, body=body)


def known(said: str) -> str:
    """A model's name without its date. Raises Problem(NOT_FOUND)."""
    if (word := word_of(said)) in MODELS:
        return word
    raise Problem(Kind.NOT_FOUND, f"Model not exist: {said!r}. Here are: {', '.join(MODELS)}.", field="model")


def model_said(body: bytes) -> Any:
    """The member `model` as it is. Raises Problem where there is no object."""
    try:
        return PEEK.decode(body).model
    except UNREADABLE:
        said = read_json(body)
    if not isinstance(said, dict):
        raise invalid((wrong((), "object", said),))
    return cast("Json", said).get("model", UNSET)


UPLOAD_DIR = "dashscope-instant"
UPLOADED = re.compile(rf"oss://{UPLOAD_DIR}/([0-9a-f]{{8}}(?:-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}})/[^/]+")


def read_file(resolves: bool, field: FileField, name: str, text: str) -> Input:
    """Raises BadSource."""
    if text[:6].lower() == "oss://":
        if not resolves:
            raise BadSource("is an oss:// URL, which needs the header X-DashScope-OssResourceResolve: enable")
        if not (upload := UPLOADED.fullmatch(text)):
            raise BadSource("is no upload of this server; upload_dir of GET /api/v1/uploads begins its name")
        return Input(role=field.role, field=name, upload=upload[1], limits=field.limits)
    if text[:5].lower() == "data:" and Way.DATA not in field.ways:
        raise BadSource("should be an HTTP(S) URL or an oss:// name; only pictures are taken as data URIs")
    return source(text, role=field.role, field=name, limits=field.limits)


def render_created(job: Job, _request: HttpRequest) -> HttpResponse:
    id = uuid4_form(job.id)
    output = answers.CreatedOutput(task_status=STATUSES[job.state], task_id=id)
    return json_response(answers.CreateAnswer(output=output, request_id=id))


def render_canceled(job: Job, _request: HttpRequest) -> HttpResponse:
    return json_response(answers.CancelAnswer(request_id=uuid4_form(job.id)))


# -- lists ---------------------------------------------------------------------------------

Moment = Annotated[str, Meta(pattern=r"\A[0-9]{14}\Z", description="YYYYMMDDhhmmss, in China's time.")]
Status = Literal["PENDING", "RUNNING", "SUCCEEDED", "FAILED", "CANCELED", "SUSPENDED", "UNKNOWN"]


class ListQuery(Struct, frozen=True, kw_only=True):
    page_no: Annotated[int, Meta(ge=1, le=1_000_000)] = 1
    page_size: Annotated[int, Meta(ge=1, le=1000)] = 10
    status: Status | None = None
    start_time: Moment | None = None
    end_time: Moment | None = None
    model_name: str | None = None
    task_id: str | None = None


def parse_page(request: HttpRequest) -> Page:
    """Raises Problem(INVALID)."""
    query = list_query(request)
    since, before = moment(query, "start_time"), moment(query, "end_time")
    filters = tuple(filters_of(query, before))
    filtered = filters or since is not None
    return Page(
        number=query.page_no,
        size=query.page_size,
        ahead=1,
        keep=(lambda job: all(each(job) for each in filters)) if filtered else None,
        since=since,
    )


def list_query(request: HttpRequest) -> ListQuery:
    """What is empty is not asked for."""
    return read_query(replace(request, query={name: text for name, text in request.query.items() if text}), ListQuery)


def moment(query: ListQuery, name: str) -> float | None:
    text = getattr(query, name)
    if text is None:
        return None
    try:
        return datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=CHINA).timestamp()
    except ValueError as error:
        raise invalid((custom_flaw((name,), "should be a time such as 20260131235959"),)) from error


def filters_of(query: ListQuery, before: float | None) -> Iterator[Callable[[Job], bool]]:
    if query.status is not None:
        state = None if query.status in (UNKNOWN, "SUSPENDED") else STATES[query.status]
        yield lambda job: job.state is state
    if before is not None:
        yield lambda job: job.created < before + 1  # the second that it names is meant
    if query.model_name is not None:
        yield lambda job: answers.model_said(job) == query.model_name
    if query.task_id is not None:
        yield lambda job: uuid4_form(job.id) == query.task_id


def render_list(jobs: tuple[Job, ...], request: HttpRequest) -> HttpResponse:
    """What was looked for beyond the page says whether there is another."""
    query = list_query(request)
    more = len(jobs) > query.page_size
    return json_response(
        answers.ListAnswer(
            total=(query.page_no - 1) * query.page_size + len(jobs),
            data=tuple(map(answers.listed, jobs[: query.page_size])),
            total_page=query.page_no + 1 if more else query.page_no,
            page_no=query.page_no,
            page_size=query.page_size,
            request_id=request_id(request),
        )
    )


# -- uploads -------------------------------------------------------------------------------

UPLOAD_BYTES = 100 * MIB
SLOT_SECONDS, KEPT_SECONDS = 3600.0, 48 * 3600.0


class UploadQuery(Struct, frozen=True, kw_only=True):
    action: Literal["getPolicy"]
    model: str


class Slot(Struct, frozen=True, kw_only=True):
    """What the other end reads of a policy."""

    policy: str
    signature: str
    upload_dir: str
    upload_host: str
    oss_access_key_id: str
    x_oss_object_acl: str
    x_oss_forbid_overwrite: str


class Policy(Slot, frozen=True, kw_only=True):
    """Where a form with one file goes: POST it to `upload_host`, with `key` = `upload_dir`/<its name>.

    `oss://<key>` is then the file's name in a request.
    """

    expire_in_seconds: int
    max_file_size_mb: int
    x_oss_object_acl: str = "private"
    x_oss_forbid_overwrite: str = "true"


class PolicyAnswer(Struct, frozen=True, kw_only=True):
    request_id: str
    data: Policy


def parse_upload(request: HttpRequest) -> tuple[UploadWish, ...]:
    """Raises Problem."""
    known(read_query(request, UploadQuery).model)
    return (
        UploadWish(
            media_type=ANY_FILE,
            min_bytes=1,
            max_bytes=UPLOAD_BYTES,
            keep_seconds=KEPT_SECONDS,
            slot_seconds=SLOT_SECONDS,
        ),
    )


def render_policy(uploads: tuple[Upload, ...], _request: HttpRequest) -> HttpResponse:
    (upload,) = uploads
    policy = Policy(
        policy=upload.policy,
        signature=upload.policy,
        upload_dir=f"{UPLOAD_DIR}/{upload.id}",
        upload_host=upload.put_url,
        expire_in_seconds=round(upload.slot_expires - upload.created),
        max_file_size_mb=upload.max_bytes // MIB,
        oss_access_key_id=API.name,
    )
    return json_response(PolicyAnswer(request_id=upload.id, data=policy))


class SlotAnswer(Struct, frozen=True, kw_only=True):
    data: Slot


def upload(file: File) -> Conversation[str]:
    response = yield ask("GET", f"{ROOT}uploads", action="getPolicy", model=UPLOAD_MODEL)
    slot = answer_in(response, SlotAnswer).data
    if not is_link(slot.upload_host):
        raise Problem(Kind.UPSTREAM_FAILED, f"{VENDOR} opened an upload without saying where.")
    key = f"{slot.upload_dir}/{re.sub(r'[^A-Za-z0-9._-]', '_', file.name)}"
    fields = {
        "OSSAccessKeyId": slot.oss_access_key_id,
        "Signature": slot.signature,
        "policy": slot.policy,
        "key": key,
        "x-oss-object-acl": slot.x_oss_object_acl,
        "x-oss-forbid-overwrite": slot.x_oss_forbid_overwrite,
        "success_action_status": "200",
        "x-oss-content-type": file.media_type,
    }
    response = yield form(slot.upload_host, fields, file)
    if not 200 <= response.status < 300:
        raise refusal(response, "the file was not taken", vendor=f"{VENDOR}'s upload store", kinds=STORE_KINDS)
    return f"oss://{key}"


# -- the other end -------------------------------------------------------------------------


def headers(order: VendorRequest) -> Headers:
    uploaded = any(each.startswith("oss://") for each in order.sources.values())
    return {bodies.ASYNC: ENABLE} | ({bodies.RESOLVE: ENABLE} if uploaded else {})


class Named(Struct, frozen=True, kw_only=True):
    task_id: TaskId


class Made(Struct, frozen=True, kw_only=True):
    """What is told beside a task's id is not worth losing it for, so its types are left open."""

    output: Named


def cancel(handle: Json) -> Conversation[bool]:
    """Only what waits can be stopped."""
    response = yield ask("POST", f"{ROOT}tasks/{handle['id']}/cancel")
    if 200 <= response.status < 300:
        return True
    if answers.text(answers.said_in(response), "code") == answers.TOO_LATE:
        return False
    raise answers.complaint(response)


PAGE = 100
PAGES = 10  # at most, when several tasks are asked about at once


class Listed(Struct, frozen=True, kw_only=True):
    task_id: TaskId
    status: str
    model_name: Any = None


class ListedAnswer(Struct, frozen=True, kw_only=True):
    data: tuple[Listed, ...]


def page_of(number: int, start: str | None = None) -> Conversation[tuple[Listed, ...]]:
    """Ids and states, newest first."""
    asked = {"page_no": str(number), "page_size": str(PAGE)} | ({"start_time": start} if start else {})
    return answer_in((yield HttpRequest(method="GET", path=f"{ROOT}tasks", query=asked)), ListedAnswer).data


def batch(handles: tuple[Json, ...]) -> Conversation[dict[int, Update]]:
    """Who is unfinished or canceled. Results and reasons are not listed: what has them is polled alone."""
    places = {handle["id"]: place for place, handle in enumerate(handles)}
    found: dict[int, Update] = {}
    for number in range(1, min(PAGES, len(handles)) + 1):  # never more requests than one for each
        listed = yield from page_of(number)
        for task in listed:
            state, place = STATES.get(task.status), places.pop(task.task_id, None)
            if place is not None and state not in (None, State.SUCCEEDED, State.FAILED):
                found[place] = news_of(vendor=VENDOR, state=state, status=task.status)
        if not places or len(listed) < PAGE:
            break
    return found


CLOCKS_APART = 60.0  # seconds by which the vendor's clock may be behind ours


def find(order: VendorRequest, since: float) -> Conversation[tuple[Json, ...]]:
    """All tasks of the model since then. Nothing found must mean that nothing was sent, so every page is read, and a
    task whose model's name says nothing to us counts too.
    """
    _, body = kit.translate(API, order)
    start = datetime.fromtimestamp(since - CLOCKS_APART, CHINA).strftime("%Y%m%d%H%M%S")
    found: list[Json] = []
    number, listed = 0, (None,) * PAGE
    while len(listed) >= PAGE:
        number += 1
        listed = yield from page_of(number, start)
        words = ((task, word_of(task.model_name) if isinstance(task.model_name, str) else "") for task in listed)
        found += [
            {"id": task.task_id} for task, word in words if word in ("", word_of(body["model"])) or word not in MODELS
        ]
    return tuple(found)


def answer_in(response: HttpResponse, type: Any) -> Any:
    """Raises Problem for an error, and for an answer that is none."""
    kit.task_in(API, response)
    return read_answer(response, type, vendor=VENDOR)


# -- the whole -----------------------------------------------------------------------------


def create(path: str, body: Any, summary: str) -> Route:
    offered = tuple(each.word for each in MODELS.values() if ROOT + each.endpoint.at == path)
    return Create(at=f"POST {path}", route=JOBS, parse=partial(parse, offered), render=render_created, body=body,
                  answer=answers.CreateAnswer, headers={"X-DashScope-Async": ENABLE}, summary=summary)  # fmt: skip


# fmt: off
ROUTES = (
    create(bodies.SYNTHESIS, bodies.Synthesis, "Video from words, from a picture, or a clip continued"),
    create(bodies.KEYFRAMES, bodies.Keyframes, "Video between a first and a last frame, by older models"),
    List(at=f"GET {ROOT}tasks", route=JOBS, parse=parse_page, render=render_list, answer=answers.ListAnswer,
         query=ListQuery, summary="List the tasks, newest first"),
    Stop(at=f"POST {ROOT}tasks/{{id}}/cancel", running=False, keeps=True, render=render_canceled,
         answer=answers.CancelAnswer, summary="Cancel a task that is PENDING"),
    OpenUploads(at=f"GET {ROOT}uploads", parse=parse_upload, render=render_policy, answer=PolicyAnswer,
                query=UploadQuery, summary="Open a slot for a file to be used in requests for 48 hours"),
)
API = TaskApi(
    name="dashscope", vendor=VENDOR, title="Alibaba Cloud Model Studio (DashScope)",
    docs="https://www.alibabacloud.com/help/en/model-studio/manage-asynchronous-tasks",
    base_url="https://dashscope-intl.aliyuncs.com", root=ROOT, show="tasks/{id}", at="",
    endpoints=(bodies.TO_UPLOAD_FOR, *(each.endpoint for each in MODELS.values())), fields=bodies.FIELDS,
    source=partial(read_file, True), word=answers.reason, sorts_flaws=False,
    states=STATUSES, also_states={"SUSPENDED": State.QUEUED}, lost=frozenset({UNKNOWN}),
    task=answers.task_answer, answer=answers.TaskAnswer,
    made_reading=Reading(id="output.task_id", status="output.task_status", reason=()),
    reading=Reading(id="", status="output.task_status", links=("output.video_url",)),
    made_heard=Made, failure=answers.failure_of, complaint=answers.complaint, fault=answers.disguised,
    render_problem=answers.render_problem, error_type=answers.ErrorAnswer, routes=ROUTES, headers=headers,
    upload=upload, find=find, batch=batch, batch_key=lambda _: "",  # the list is that of the account
    requests_per_second=20.0,
)
# fmt: on
ENDPOINTS = dict(zip(MODELS, API.endpoints[1:], strict=True))
UNRESOLVED = replace(API, source=partial(read_file, False))
"""Without the header that the vendor wants of who names an upload."""
BACK = replace(kit.back(API), vendor="alibaba", cancel=cancel)
WIRE = replace(kit.wire(API), precheck=precheck, back=BACK)
