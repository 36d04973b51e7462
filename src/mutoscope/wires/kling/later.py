"""Kling's newer API: the model in the path, what goes in as a list, one address for every task; and the whole wire."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, cast

from msgspec import UNSET, Meta, Struct, UnsetType, field
from msgspec.structs import replace

from mutoscope.model.http import HttpRequest, HttpResponse
from mutoscope.model.job import Input, Job, Json, MediaLimits, Operation, Role, State, Update
from mutoscope.model.problem import Flaw, Kind, Problem, Rule, custom_flaw
from mutoscope.model.requests import Page
from mutoscope.wirekit import task as kit
from mutoscope.wirekit.answers import ask
from mutoscope.wirekit.back import Back, Conversation, Transport, VendorRequest
from mutoscope.wirekit.body import body_of, read_body, wholes
from mutoscope.wirekit.fields import AnyField, Field, extra, same, shaped, tiered, unless
from mutoscope.wirekit.media import Link
from mutoscope.wirekit.paths import at
from mutoscope.wirekit.routes import List, Read, ReadMany
from mutoscope.wirekit.task import Endpoint, Reading
from mutoscope.wirekit.times import milliseconds, why_ended
from mutoscope.wires.kling import api as older
from mutoscope.wires.kling.api import (
    SHAPES,
    Shape,
    Told,
    Watermark,
    answered,
    frame,
    sound,
    units,
)

LATER = "later"
STATES = older.STATES | {State.SUCCEEDED: "succeeded"}
MODELS = ("kling-3.0", "kling-3.0-turbo", "kling-2.6")
Tier = Literal["720p", "1080p", "4k"]


class Content(Struct, kw_only=True):
    """One thing that goes in."""

    type: Literal["prompt", "first_frame", "last_frame", "element", "image", "video"]
    text: Annotated[str, Meta(max_length=3072)] | None = None
    url: str | None = None
    element_id: int | str | None = None
    id: str | None = None


class Settings(Struct, kw_only=True):
    multi_shot: bool | None = None
    audio: Literal["native", "off"] | None = None
    resolution: Tier | None = None
    duration: Annotated[int, Meta(ge=3, le=15)] | None = None
    aspect_ratio: Shape | None = None


class Performance(Struct, kw_only=True):
    character_orientation: Literal["image", "video"] | None = None
    audio: Literal["original", "off"] | None = None
    resolution: Tier | None = None


class Options(Struct, kw_only=True):
    callback_url: Link | None = None
    external_task_id: str | None = None
    watermark_info: Watermark | None = None


def going_in(*kinds: str) -> Meta:
    """For the published description."""
    example = [{"type": kind, "url": f"https://example.com/{'clip.mp4' if kind == 'video' else 'picture.png'}"}
               for kind in kinds]  # fmt: skip
    return Meta(min_length=1, extra_json_schema={"examples": [example]})


class FromText(Struct, kw_only=True):
    prompt: Annotated[str, Meta(min_length=1, max_length=3072)]
    settings: Settings | None = None
    options: Options | None = None


class FromImage(Struct, kw_only=True):
    contents: Annotated[list[Content], going_in("first_frame")]
    settings: Settings | None = None
    options: Options | None = None


class FromMotion(Struct, kw_only=True):
    contents: Annotated[list[Content], going_in("image", "video")]
    settings: Performance | None = None
    options: Options | None = None


def content_flaws(said: Json) -> Iterator[Flaw]:
    contents = cast("list[Json]", said.get("contents") or [])
    for number, each in enumerate(contents):
        wanted = {"prompt": "text", "element": "element_id"}.get(each["type"], "url")
        if not each.get(wanted):
            yield Flaw(path=("contents", number, wanted), rule=Rule.REQUIRED, bound="string", found="undefined")
    kinds = [each["type"] for each in contents]
    if "last_frame" in kinds and "first_frame" not in kinds:
        yield custom_flaw(("contents",), "a last_frame goes with a first_frame only")
    if kinds.count("element") > 3:
        yield custom_flaw(("contents",), "at most 3 elements are taken")
    for kind in {"prompt", "first_frame", "last_frame", "image", "video"}:
        if kinds.count(kind) > 1:
            yield custom_flaw(("contents",), f"one {kind} is taken, not several")


def elements_of(contents: list[Json]) -> Json:
    found = [{name: value for name, value in each.items() if value is not None} for each in contents]
    found = [each for each in found if each["type"] == "element"]
    return {"extra": {"elements": found}} if found else {}


SIDES = MediaLimits(max_bytes=50 << 20, min_side=300, min_aspect=1 / 2.5, max_aspect=2.5)
FIELDS: dict[str, AnyField] = {
    "prompt": same("prompt"),
    "contents": Field(ours=("elements",), read=elements_of, write=lambda wish: wish.extra.get("elements")),
    "contents[type=prompt].text": same("prompt"),
    "contents[type=first_frame].url": replace(frame(Role.FIRST_FRAME), limits=SIDES),
    "contents[type=last_frame].url": replace(frame(Role.LAST_FRAME), limits=SIDES),
    "settings.multi_shot": unless(True, extra("multi_shot")),
    "settings.audio": sound("native", "off"),
    "settings.resolution": tiered({"720p": "720p", "1080p": "1080p", "4k": "4k"}),
    "settings.duration": Field(
        ours=("seconds",),
        read=lambda value: {"seconds": float(value)},
        write=lambda wish: wholes(wish.seconds),
    ),
    "settings.aspect_ratio": shaped(SHAPES),
    "options.watermark_info.enabled": same("watermark"),
}
MOTION: dict[str, AnyField] = {
    "contents[type=prompt].text": same("prompt"),
    "contents[type=image].url": replace(frame(Role.CHARACTER), limits=SIDES),
    "contents[type=video].url": replace(frame(Role.REFERENCE_VIDEO), limits=older.CLIPS),
    "settings.character_orientation": extra("character_orientation"),
    "settings.audio": sound("original", "off"),
    "settings.resolution": FIELDS["settings.resolution"],
    "options.watermark_info.enabled": same("watermark"),
}

# -- answers --------------------------------------------------------------------------


class Made(Struct, kw_only=True, omit_defaults=True):
    type: Literal["video", "image"]
    id: str
    url: str
    watermark_url: str | None = None
    duration: str | None = None


class Charge(Struct, kw_only=True):
    charge_type: Literal["unit"] = "unit"
    amount: str
    package_type: Literal["video", "image"]


class Work(Struct, kw_only=True):
    id: str
    status: str  # submitted, processing, succeeded, failed
    message: str | UnsetType = UNSET
    create_time: int  # milliseconds
    update_time: int
    external_id: str | UnsetType = UNSET
    outputs: list[Made] | UnsetType = UNSET
    billing: list[Charge] | UnsetType = UNSET


def filed(job: Job) -> Work:
    named = name_of(job)
    return Work(
        id=older.public_id(job.id),
        status=STATES[job.state],
        create_time=milliseconds(job.created),
        update_time=milliseconds(job.updated or job.created),
        external_id=named if isinstance(named, str) else UNSET,
    )


def task(job: Job) -> Work:
    said = replace(filed(job), message=why_ended(job) or "")
    if job.state is not State.SUCCEEDED:
        return said
    made = older.result(job)
    kind = "video" if made.images is None else "image"
    outputs = [
        Made(type="video", id=each.id, url=each.url, watermark_url=each.watermark_url, duration=each.duration)
        for each in made.videos or ()
    ]
    outputs += [Made(type="image", id=f"{said.id}-{each.index}", url=each.url) for each in made.images or ()]
    charged = [] if job.cost is None else [Charge(amount=units(job.cost), package_type=kind)]
    return replace(said, outputs=outputs, billing=charged)


def enveloped_task(job: Job) -> Told[Work]:
    return older.enveloped(job, task(job))


def enveloped_filed(job: Job) -> Told[Work]:
    return older.enveloped(job, filed(job))


def name_of(job: Job) -> Any:
    said = body_of(job)
    return at(said, "options.external_task_id") or said.get("external_task_id")


# -- many tasks ---------------------------------------------------------------------------


class Wanted(Struct, frozen=True, kw_only=True):
    task_ids: str | None = None
    external_task_ids: str | None = None


def ids_in(request: HttpRequest) -> tuple[str, ...]:
    """Raises Problem(INVALID)."""
    given = [request.query[name] for name in ("task_ids", "external_task_ids") if request.query.get(name)]
    if len(given) != 1:
        message = "Exactly one of task_ids and external_task_ids is needed, a list with commas."
        raise Problem(Kind.INVALID, message, field="task_ids")
    return tuple(filter(None, (each.strip() for each in given[0].split(","))))


def render_tasks(jobs: tuple[Job, ...], request: HttpRequest) -> HttpResponse:
    return answered([task(job) for job in jobs], request)


class Filter(Struct, kw_only=True):
    key: Literal["status", "product_type"]
    values: list[str]


Digits = Annotated[str, Meta(pattern="^[0-9]{1,15}$")]


class Search(Struct, kw_only=True):
    start_time: Digits | None = None
    end_time: Digits | None = None
    cursor: Digits | None = None
    limit: Annotated[int, Meta(ge=1, le=500)] = 100
    filters: list[Filter] = field(default_factory=list[Filter])


class Found(Struct, kw_only=True):
    result: list[Work]
    next_cursor: str
    has_more: bool
    count: int


def product_of(job: Job) -> str:
    if job.generation.operation is Operation.VIRTUAL_TRY_ON:
        return "try_on"
    return "image" if job.generation.operation in older.DRAWN else "video"


def parse_listing(request: HttpRequest) -> Page:
    """Raises Problem(INVALID)."""
    asked = read_body(request.body or b"{}", Search)

    def keep(job: Job) -> bool:
        facts = {"status": STATES[job.state], "product_type": product_of(job)}
        in_time = asked.end_time is None or milliseconds(job.created) <= int(asked.end_time)
        return in_time and all(facts[each.key] in each.values for each in asked.filters)

    since = None if asked.start_time is None else int(asked.start_time) / 1000
    return Page(size=asked.limit, offset=int(asked.cursor or 0), ahead=1, keep=keep, since=since)


def render_listing(jobs: tuple[Job, ...], request: HttpRequest) -> HttpResponse:
    asked = read_body(request.body or b"{}", Search)
    shown, more = jobs[: asked.limit], len(jobs) > asked.limit
    found = Found(
        result=[task(job) for job in shown],
        next_cursor=str(int(asked.cursor or 0) + len(shown)) if more else "",
        has_more=more,
        count=len(shown),
    )
    return answered(found, request)


# -- the API ------------------------------------------------------------------------------


def find(order: VendorRequest, _since: float) -> Conversation[tuple[Json, ...]]:
    path, _ = kit.translate(API, order)
    response = yield ask("GET", "/tasks", external_task_ids=order.reference)
    told = kit.task_in(older.API, response)
    return tuple({"id": str(id), "at": path} for id in at(told, "data.*.id"))


def trouble(told: Json) -> Problem | None:
    if told.get("data") == []:
        return Problem(Kind.NOT_FOUND, "Kling knows no such task.")
    return older.trouble(told)


def spent(told: Json) -> float | None:
    return older.credits_of(at(told, "data.0.billing.0.amount"))


def made_at(at: str, body: Any, makes: Mapping[Any, Operation], fields: Mapping[str, AnyField] = FIELDS) -> Endpoint:
    title, _, model = at.partition("/")
    title = f"{title.replace('-', ' ').capitalize()} by {model}"
    rules = None if body is FromText else content_flaws
    return Endpoint(at=at, title=title, body=body, makes=makes, models=(model,), model_at=None, fields=fields,
                    rules=rules, route=LATER)  # fmt: skip


# fmt: off
API = replace(
    older.API, root="/", roots=(), show="tasks?task_ids={id}", fields=FIELDS, states=STATES,
    endpoints=(
        *(made_at(f"text-to-video/{model}", FromText, {None: Operation.TEXT_TO_VIDEO}) for model in MODELS),
        *(made_at(f"image-to-video/{model}", FromImage, older.FRAMED) for model in MODELS),
        made_at("omni-video/kling-3.0-omni", FromImage, older.FRAMED | {None: Operation.TEXT_TO_VIDEO}),
        made_at("motion-control/kling-2.6", FromMotion, {Role.CHARACTER: Operation.CHARACTER_PERFORMANCE}, MOTION),
    ),
    answer=Told[list[Work]], task=enveloped_task, webhook_body=task,
    made=enveloped_filed, made_type=Told[Work],
    made_reading=Reading(id="data.id", status="data.status"), webhook="options.callback_url", webhook_id="id",
    reading=Reading(id="data.0.id", status="data.0.status", links=("data.0.outputs.*.url",),
                    reason=("data.0.message",)),
    reference="options.external_task_id", cost=spent, fault=trouble, find=find,
    routes=(
        ReadMany(at="GET /tasks", ids=ids_in, named=lambda job, name: name_of(job) == name, render=render_tasks,
                 answer=Told[list[Work]], query=Wanted, summary="Read tasks of any kind"),
        List(at="POST /tasks", parse=parse_listing, render=render_listing, body=Search, answer=Told[Found],
             summary="List tasks of any kind, newest first"),
    ),
)
# fmt: on
OLDER, NEWER = kit.wire(older.API), kit.wire(API)


FIRST, SECOND = replace(kit.back(older.API), submit=older.submit), kit.back(API)


def of(order: VendorRequest) -> Back:
    """The older API, and the newer one for what only that makes."""
    return SECOND if FIRST.supports(order.generation.operation, order.names) is None else FIRST


def supports(operation: Operation, names: tuple[str, ...]) -> frozenset[str] | None:
    supported = FIRST.supports(operation, names)
    return SECOND.supports(operation, names) if supported is None else supported


def ways(order: VendorRequest, each: Input) -> tuple[Transport, ...]:
    return of(order).ways(order, each)


def check(order: VendorRequest) -> None:
    of(order).check(order)


def submit(order: VendorRequest) -> Conversation[Update]:
    return of(order).submit(order)


def poll(handle: Json) -> Conversation[Update]:
    return (FIRST if str(handle["at"]).startswith(("videos/", "images/")) else SECOND).poll(handle)


def find_either(order: VendorRequest, since: float) -> Conversation[tuple[Json, ...]]:
    return (older.find if of(order) is FIRST else find)(order, since)


def read_callback(order: VendorRequest, request: HttpRequest) -> Json | None:
    return kit.read_callback(older.API if of(order) is FIRST else API, order, request)


BACK = replace(
    FIRST,
    supports=supports,
    ways=ways,
    check=check,
    submit=submit,
    poll=poll,
    find=find_either,
    read_callback=read_callback,
)


def render_webhook(job: Job) -> bytes | None:
    tell = (NEWER if job.route == LATER else OLDER).render_webhook
    return tell(job) if tell else None


WIRE = replace(
    OLDER,
    roots=(*OLDER.roots, "/tasks", "/text-to-video/", "/image-to-video/", "/omni-video/", "/motion-control/"),
    routes=(*OLDER.routes, *(each for each in NEWER.routes if not isinstance(each, Read))),
    render_problem=older.render_problem,
    render_webhook=render_webhook,
    back=BACK,
)
