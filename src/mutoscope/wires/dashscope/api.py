"""Alibaba Cloud Model Studio (DashScope): Wan video synthesis, one path, the model in the body, a task to poll.

Read the foot of the file first: the routes. The models and their bodies stand in `bodies.py`.
"""

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Annotated, Any, Literal, cast, get_args

import msgspec
from msgspec import UNSET, Meta, Struct

from mutoscope.model.http import HttpRequest, HttpResponse, json_response
from mutoscope.model.job import Generation, Input, Job, Json, Operation, Role, State
from mutoscope.model.problem import Flaw, Kind, Problem, Rule, custom_flaw
from mutoscope.model.requests import ANY_FILE, Page, Submission, Upload, UploadWish
from mutoscope.wirekit.body import (
    Path,
    dotted,
    found,
    invalid,
    read_body,
    read_json,
    schema,
    strangers,
    unread,
    walk,
    with_others,
)
from mutoscope.wirekit.ids import from_uuid4_form, uuid4_form
from mutoscope.wirekit.media import BadSource, source
from mutoscope.wirekit.routes import Create, List, OpenUploads, Read, Route, Stop
from mutoscope.wirekit.task import bearer
from mutoscope.wirekit.wire import Wire
from mutoscope.wires._wan import MIB, clip_limits
from mutoscope.wires.dashscope.answers import (
    CHINA,
    STATES,
    STATUSES,
    UNKNOWN,
    CancelAnswer,
    CreateAnswer,
    CreatedOutput,
    ErrorAnswer,
    ListAnswer,
    TaskAnswer,
    listed,
    model_said,
    render_problem,
    request_id,
    task_answer,
)
from mutoscope.wires.dashscope.back import BACK
from mutoscope.wires.dashscope.bodies import (
    ADAPTIVE,
    ASYNC,
    AUTO,
    EXTRA,
    FILES,
    KEYFRAMES,
    LONGEST_NEGATIVE_PROMPT,
    MODELS,
    OTHERS,
    PLAIN,
    RESOLVE,
    ROLES,
    ROOT,
    SDK_KEYS,
    SYNTHESIS,
    TIERS,
    USES,
    Keyframes,
    Model,
    Synthesis,
    fields_of,
    stand_together,
    word_of,
    wordless,
)

NAME = "dashscope"
ENABLE = "enable"

# -- asking ------------------------------------------------------------------------------


def precheck(request: HttpRequest, route: Route | None) -> Problem | None:
    if route is None or not isinstance(route, Create) or request.headers.get(ASYNC, "").lower() == ENABLE:
        return None
    message = "current user api does not support synchronous calls. Send the header X-DashScope-Async: enable."
    return Problem(Kind.FORBIDDEN, message)


def parse_synthesis(request: HttpRequest) -> Submission:
    return parse_submission(request, Synthesis)


def parse_keyframes(request: HttpRequest) -> Submission:
    return parse_submission(request, Keyframes)


def parse_submission(request: HttpRequest, bodies: Any) -> Submission:
    """Raises Problem: NOT_FOUND for a model that is not made here, else INVALID with every flaw of the body."""
    body = without_date(request.body, bodies)
    sent, flaws = read_members(body, bodies)
    model, said, wanted = MODELS[sent["model"]], given(sent.get("input")), given(sent.get("parameters"))
    files, broken = read_files(said, wanted, resolves=request.headers.get(RESOLVE, "").lower() == ENABLE)
    rules = (*broken, *combination_flaws(said, model), *wordless(said), *misplaced(body, bodies, model))
    if flaws := with_others(flaws, rules):
        raise invalid(flaws)
    said, notes = shortened(said, model)
    return Submission(
        generation=generation(model, {"input": said, "parameters": wanted}, files),
        fields=NAMES,
        notes=(*notes, *unread(body, bodies, model.word, idle=SDK_KEYS)),
    )


class Peek(Struct, frozen=True):
    model: Any = UNSET


def without_date(body: bytes, bodies: Any) -> bytes:
    """The body with its model as the table has it: dated snapshots of a model are read as it is. Raises Problem."""
    try:
        said = msgspec.json.decode(body, type=Peek).model
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return body  # what is wrong with it is told where it is read
    if not isinstance(said, str):
        rule = Rule.REQUIRED if said is UNSET else Rule.TYPE
        known = words_in(bodies)
        raise invalid((Flaw(path=("model",), rule=rule, bound="string", found=found(said), known=known),))
    if (word := word_of(said)) not in MODELS:
        raise Problem(Kind.NOT_FOUND, f"Model not exist: {said!r}. Here are: {', '.join(MODELS)}.", field="model")
    if word not in (offered := words_in(bodies)):
        raise invalid((Flaw(path=("model",), rule=Rule.CHOICE, bound=offered, found=said),))
    return body if said == word else msgspec.json.encode(cast("Json", read_json(body)) | {"model": word})


def words_in(bodies: Any) -> tuple[str, ...]:
    return tuple(model.word for model in MODELS.values() if model.body in (get_args(bodies) or (bodies,)))


def read_members(body: bytes, bodies: Any) -> tuple[Json, tuple[Flaw, ...]]:
    """The members of the body, and where they break its model's schema; then they are as they were sent.

    Raises Problem(INVALID) when there are none to read.
    """
    try:
        return msgspec.to_builtins(read_body(body, bodies)), ()
    except Problem as problem:
        if any(not flaw.path for flaw in problem.flaws):  # no JSON, or no object
            raise
        return cast("Json", read_json(body)), problem.flaws


def given(part: Any) -> Json:
    """The members of a part of the body that say something."""
    values = cast("Json", part) if isinstance(part, dict) else {}
    return {name: value for name, value in values.items() if value is not None}


class Named(Struct, frozen=True, kw_only=True):
    """A file that a body names."""

    path: Path
    word: str  # of its use
    url: str


def files_in(said: Json) -> Iterator[Named]:
    """The `input` may be one that has flaws."""
    for number, medium in enumerate(media_in(said)):
        word, url = str(medium.get("type")), medium.get("url")
        if word in USES and isinstance(url, str):
            yield Named(path=("input", "media", number, "url"), word=word, url=url)
    for name, word in FILES.items():
        if isinstance(url := said.get(name), str):
            yield Named(path=("input", name), word=word, url=url)


def media_in(said: Json) -> list[Json]:
    media = said.get("media")
    items = cast("list[Any]", media) if isinstance(media, list | tuple) else []
    return [cast("Json", each) if isinstance(each, dict) else {} for each in items]


def read_files(said: Json, wanted: Json, *, resolves: bool) -> tuple[tuple[Input, ...], list[Flaw]]:
    files: list[Input] = []
    flaws: list[Flaw] = []
    for named in files_in(said):
        try:
            duration = wanted.get("duration")
            files.append(read_file(named, duration if isinstance(duration, int) else None, resolves=resolves))
        except BadSource as error:
            flaws.append(custom_flaw(named.path, str(error)))
    files.sort(key=lambda each: ROLES.index(each.role))
    return tuple(files), flaws


UPLOAD_DIR = "dashscope-instant"
UPLOADED = re.compile(rf"oss://{UPLOAD_DIR}/([0-9a-f]{{8}}(?:-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}})/[^/]+")


def read_file(named: Named, duration: int | None, *, resolves: bool) -> Input:
    """Raises BadSource."""
    use, field = USES[named.word], dotted(named.path)
    limits = clip_limits(duration) if use.role is Role.VIDEO else use.limits
    if named.url.lower().startswith("oss://"):
        if not resolves:
            raise BadSource("is an oss:// URL, which needs the header X-DashScope-OssResourceResolve: enable")
        upload = UPLOADED.fullmatch(named.url)
        if not upload:
            raise BadSource("is no upload of this server; upload_dir of GET /api/v1/uploads begins its name")
        return Input(role=use.role, field=field, upload=upload[1], limits=limits)
    if named.url[:5].lower() == "data:" and not use.inline:
        raise BadSource("should be an HTTP(S) URL or an oss:// name; only pictures are taken as data URIs")
    return source(named.url, role=use.role, field=field, limits=limits)


def combination_flaws(said: Json, model: Model) -> Iterator[Flaw]:
    types = sorted(str(each.get("type")) for each in media_in(said))
    if types and set(types) <= USES.keys() and not stand_together(types, model.combinations):
        right = "; ".join(" + ".join(each) for each in model.combinations)
        message = f"holds {' + '.join(types)}, which cannot stand together; what can: {right}"
        yield custom_flaw(("input", "media"), message)


# -- what a body says beside its model's own members


def misplaced(body: bytes, bodies: Any, model: Model) -> Iterator[Flaw]:
    """Members of other models that would make it another video. The rest is ignored, as the vendor does."""
    for path in strangers(body, bodies):
        if path in OTHERS:
            has = ", ".join(fields_of(model.body, str(path[0])))
            yield custom_flaw(path, f"is not for {model.word}, which takes {has}")


def shortened(said: Json, model: Model) -> tuple[Json, tuple[str, ...]]:
    """Texts as long as the vendor reads them: it cuts off the rest."""
    most = {"prompt": model.longest_prompt, "negative_prompt": LONGEST_NEGATIVE_PROMPT}
    long = {name: bound for name, bound in most.items() if len(said.get(name, "")) > bound}
    notes = tuple(f"input.{name} was cut off after {bound} characters" for name, bound in long.items())
    return said | {name: said[name][:bound] for name, bound in long.items()}, notes


# -- as a Generation


def generation(model: Model, body: Json, inputs: tuple[Input, ...]) -> Generation:
    wanted = body["parameters"]
    extra = {name: wanted[name] for name in EXTRA if name in wanted}
    if extra.get("ratio") == ADAPTIVE:
        extra["ratio"] = AUTO
    return Generation(
        operation=operation_of({each.role for each in inputs}),
        model=model.name,
        inputs=inputs,
        extra=extra,
        **{ours: body[part][name] for ours, (part, name) in PLAIN.items() if name in body[part]},
        **frame(wanted),
    )


def operation_of(roles: set[Role]) -> Operation:
    """What is made follows from what it is made of."""
    if Role.VIDEO in roles:
        return Operation.VIDEO_EXTENSION
    return Operation.IMAGE_TO_VIDEO if Role.FIRST_FRAME in roles else Operation.TEXT_TO_VIDEO


def frame(wanted: Json) -> Json:
    if "resolution" in wanted:
        return {"resolution": TIERS[wanted["resolution"]]}
    if "size" not in wanted:
        return {}
    width, _, height = wanted["size"].partition("*")
    return {"width": int(width), "height": int(height)}


NAMES = {ours: ".".join(place) for ours, place in PLAIN.items()} | {
    "resolution": "parameters.resolution",
    "width": "parameters.size",
    "height": "parameters.size",
    **{name: f"parameters.{name}" for name in EXTRA},
}


# -- answering -----------------------------------------------------------------------------


def render_created(job: Job, _request: HttpRequest) -> HttpResponse:
    id = uuid4_form(job.id)
    output = CreatedOutput(task_status=STATUSES[job.state], task_id=id)
    return json_response(CreateAnswer(output=output, request_id=id))


def render_job(job: Job, _request: HttpRequest) -> HttpResponse:
    return json_response(task_answer(job))


def render_canceled(job: Job, _request: HttpRequest) -> HttpResponse:
    return json_response(CancelAnswer(request_id=uuid4_form(job.id)))


def render_webhook(job: Job) -> bytes | None:
    """The vendor has none in this form: the body is what a read answers."""
    return None if job.state is State.QUEUED else msgspec.json.encode(task_answer(job))


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


WHOLE = re.compile(r"-?[0-9]{1,18}", re.ASCII)


def parse_page(request: HttpRequest) -> Page:
    """Raises Problem(INVALID)."""
    query = read_query(request)
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


def read_query(request: HttpRequest) -> ListQuery:
    texts = {name: request.query[name] for name in ListQuery.__struct_fields__ if request.query.get(name)}
    numbers = {name: int(text) for name, text in texts.items() if name.startswith("page_") and WHOLE.fullmatch(text)}
    flaws = tuple(walk(texts | numbers, schema(ListQuery), ()))
    if flaws:
        raise invalid(flaws)
    return msgspec.convert(texts | numbers, ListQuery)


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
        yield lambda job: model_said(job) == query.model_name
    if query.task_id is not None:
        yield lambda job: uuid4_form(job.id) == query.task_id


def render_list(jobs: tuple[Job, ...], request: HttpRequest) -> HttpResponse:
    """What was looked for beyond the page says whether there is another."""
    query = read_query(request)
    more = len(jobs) > query.page_size
    return json_response(
        ListAnswer(
            total=(query.page_no - 1) * query.page_size + len(jobs),
            data=tuple(map(listed, jobs[: query.page_size])),
            total_page=query.page_no + 1 if more else query.page_no,
            page_no=query.page_no,
            page_size=query.page_size,
            request_id=request_id(request),
        )
    )


# -- uploads -------------------------------------------------------------------------------

UPLOAD_BYTES = 100 * MIB
UPLOAD_SLOT_SECONDS = 3600.0
UPLOAD_KEPT_SECONDS = 48 * 3600.0


class UploadQuery(Struct, frozen=True, kw_only=True):
    action: Literal["getPolicy"]
    model: str


class Policy(Struct, frozen=True, kw_only=True):
    """Where a form with one file goes: POST it to `upload_host`, with `key` = `upload_dir`/<its name>.

    `oss://<key>` is then the file's name in a request.
    """

    policy: str
    signature: str
    upload_dir: str
    upload_host: str
    expire_in_seconds: int
    max_file_size_mb: int
    oss_access_key_id: str
    x_oss_object_acl: str = "private"
    x_oss_forbid_overwrite: str = "true"


class PolicyAnswer(Struct, frozen=True, kw_only=True):
    request_id: str
    data: Policy


def parse_upload(request: HttpRequest) -> tuple[UploadWish, ...]:
    """Raises Problem."""
    if flaws := tuple(walk(request.query, schema(UploadQuery), ())):
        raise invalid(flaws)
    said = request.query["model"]
    if word_of(said) not in MODELS:
        raise Problem(Kind.NOT_FOUND, f"Model not exist: {said!r}. Here are: {', '.join(MODELS)}.", field="model")
    return (
        UploadWish(
            media_type=ANY_FILE,
            min_bytes=1,
            max_bytes=UPLOAD_BYTES,
            keep_seconds=UPLOAD_KEPT_SECONDS,
            slot_seconds=UPLOAD_SLOT_SECONDS,
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
        oss_access_key_id=NAME,
    )
    return json_response(PolicyAnswer(request_id=upload.id, data=policy))


# -- the routes ----------------------------------------------------------------------------

JOBS = "video-synthesis"


def create(path: str, parse: Callable[[HttpRequest], Submission], body: Any, summary: str) -> Route:
    return Create(
        at=f"POST {path}",
        route=JOBS,
        parse=parse,
        render=render_created,
        body=body,
        answer=CreateAnswer,
        headers={"X-DashScope-Async": ENABLE},
        summary=summary,
    )


WIRE = Wire(
    name=NAME,
    title="Alibaba Cloud Model Studio (DashScope)",
    docs="https://www.alibabacloud.com/help/en/model-studio/manage-asynchronous-tasks",
    roots=(ROOT,),
    routes=(
        create(SYNTHESIS, parse_synthesis, Synthesis, "Video from words, from a picture, or a clip continued"),
        create(KEYFRAMES, parse_keyframes, Keyframes, "Video between a first and a last frame, by older models"),
        Read(
            at=f"GET {ROOT}tasks/{{id}}",
            route=JOBS,
            render=render_job,
            answer=TaskAnswer,
            summary="How a task stands, and its video; UNKNOWN where there is none",
        ),
        List(
            at=f"GET {ROOT}tasks",
            route=JOBS,
            parse=parse_page,
            render=render_list,
            answer=ListAnswer,
            query=ListQuery,
            summary="List the tasks, newest first",
        ),
        Stop(
            running=False,
            keeps=True,
            at=f"POST {ROOT}tasks/{{id}}/cancel",
            route=JOBS,
            render=render_canceled,
            answer=CancelAnswer,
            summary="Cancel a task that is PENDING",
        ),
        OpenUploads(
            at=f"GET {ROOT}uploads",
            parse=parse_upload,
            render=render_policy,
            answer=PolicyAnswer,
            query=UploadQuery,
            summary="Open a slot for a file to be used in requests for 48 hours",
        ),
    ),
    render_problem=render_problem,
    credential=bearer,
    public_id=uuid4_form,
    job_id=from_uuid4_form,
    precheck=precheck,
    render_webhook=render_webhook,
    problem_schema=ErrorAnswer,
    security={"type": "http", "scheme": "bearer"},
    back=BACK,
)
