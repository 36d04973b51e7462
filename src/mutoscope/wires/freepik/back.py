"""How Freepik is called: an order becomes the body of a model's path, a task becomes news.

The vendor has no word for "stop" and no reason for a failure; its lists tell ids and states, nothing else.
"""

import math
from collections.abc import Iterator
from functools import cache
from itertools import count
from typing import Annotated, Any, cast, get_args

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace

from mutoscope.model.http import Headers, HttpRequest, HttpResponse
from mutoscope.model.job import Failure, Generation, Input, Json, Operation, Role, State, Update
from mutoscope.model.problem import Flaw, Kind, Problem, Rule
from mutoscope.wirekit.answers import (
    STORE_KINDS,
    TaskId,
    ask,
    is_link,
    news_of,
    read_answer,
    refusal,
    source_of,
)
from mutoscope.wirekit.back import Back, Carriage, Conversation, File, Order, Way
from mutoscope.wirekit.body import UNREADABLE, schema, walk, wholes
from mutoscope.wires.freepik.answers import STATUSES, reason
from mutoscope.wires.freepik.bodies import (
    KEY_HEADERS,
    MEDIA,
    MODELS,
    OURS,
    PLAIN,
    RESOLUTIONS,
    ROOT,
    UPLOAD_BYTES,
    Model,
    UploadType,
    WanShape,
)

VENDOR = "Freepik"

# -- which path, and what can be said there --------------------------------------


def model_of(operation: Operation, names: tuple[str, ...]) -> Model | None:
    return next((each for each in MODELS if each.route in names and operation in makes(each)), None)


def makes(model: Model) -> set[Operation]:
    """A body that takes a clip continues it."""
    takes = {MEDIA[field].role for field in model.body.__struct_fields__ if field in MEDIA}
    return {model.operation} | ({Operation.VIDEO_EXTENSION} if Role.VIDEO in takes else set())


EXCLUDED = {Operation.IMAGE_TO_VIDEO: Role.VIDEO, Operation.VIDEO_EXTENSION: Role.FIRST_FRAME}
"""A first frame and a clip to continue exclude each other, though a body may have a field for both."""


@cache
def said_by(body: type[Struct], operation: Operation) -> dict[str, str]:
    """What can be said, by our names of it → the body field that says it."""
    said = {ours: field for field in body.__struct_fields__ for ours in OURS.get(field, ())}
    return {ours: field for ours, field in said.items() if ours != EXCLUDED.get(operation)}


def heeds(operation: Operation, names: tuple[str, ...]) -> frozenset[str] | None:
    model = model_of(operation, names)
    return frozenset(said_by(model.body, operation)) if model else None


def ways(order: Order, wanted: Input) -> tuple[Carriage, ...]:
    """Every field takes a link, the vendor's own uploads are links too, and one field takes data URIs."""
    operation = order.generation.operation
    model = model_of(operation, order.names)
    field = said_by(model.body, operation).get(wanted.role) if model else None
    if field is None:
        return ()
    medium = MEDIA[field]
    most = medium.limits.max_bytes if medium.limits else None
    found = [Carriage(Way.LINK, most)]
    if wanted.media_type is None or wanted.media_type in UPLOADED_TYPES:
        found.append(Carriage(Way.UPLOAD, min(most or UPLOAD_BYTES, UPLOAD_BYTES)))
    if medium.inline:
        found.append(Carriage(Way.DATA))
    return tuple(found)


# -- a Generation in the vendor's words ------------------------------------------


def check(order: Order) -> None:
    """Values only: what `heeds` does not name is not said, and whoever leaves it out has told the caller so."""
    translate(order)


def translate(order: Order) -> tuple[Model, Json]:
    """The path and the body that say an order. Raises Problem for what the vendor's struct does not allow."""
    wish, model = order.generation, model_for(order)
    said = said_by(model.body, wish.operation)
    body = plain(wish, model) | settings(wish, said) | files(order, said) | frame(wish, model)
    flaws = [*walk(body, schema(model.body), ()), *(model.rules(body) if model.rules else ())]
    if flaws:
        raise untranslatable(flaws, order, model)
    return model, body | ({"webhook_url": order.callback} if order.callback else {})


def model_for(order: Order) -> Model:
    model = model_of(order.generation.operation, order.names)
    if model is None:
        paths = ", ".join(order.names) or "no path"
        raise Problem(Kind.UNSUPPORTED, f"{VENDOR} has no {order.generation.operation} at {paths}.", field="model")
    return model


def untranslatable(flaws: list[Flaw], order: Order, model: Model) -> Problem:
    """With our name of the first bad field, and what would have been right for all of them."""
    wish = order.generation
    named = [(our_name(flaw.path, wish), reason(flaw)) for flaw in flaws]
    told = "; ".join(f"{name}: {why}" for name, why in named)
    message = f"{VENDOR} ({model.route}) does not take this: {told}."
    return Problem(Kind.INVALID, message, field=named[0][0])


def our_name(path: tuple[str | int, ...], wish: Generation | None = None) -> str | None:
    """What we call a field of a body. One field may say several things: the one that was asked for."""
    names = OURS.get(str(path[0]), ()) if path else ()
    if wish is not None and wish.operation is Operation.VIDEO_EXTENSION and Role.FIRST_FRAME in names:
        return Role.VIDEO.value  # the rule that a start is missing names the picture
    asked = [name for name in names if getattr(wish, name, None) is not None]
    return next(iter([*asked, *names]), None)


def plain(wish: Generation, model: Model) -> Json:
    fields = {field: getattr(wish, ours) for field, ours in PLAIN.items() if field in model.body.__struct_fields__}
    sent: Json = wholes({field: value for field, value in fields.items() if value is not None})
    return sent | ({"seed": folded(wish.seed, model)} if "seed" in sent and wish.seed is not None else {})


def folded(seed: int, model: Model) -> int:
    """A seed of a wider range, in this one; the same one every time."""
    for flaw in walk({"seed": seed}, schema(model.body), ()):
        if flaw.path == ("seed",) and flaw.rule is Rule.MAXIMUM:
            return seed % (flaw.bound + 1)
    return seed


def settings(wish: Generation, said: dict[str, str]) -> Json:
    if "prompt_extend" not in said or wish.extra.get("prompt_extend") is None:
        return {}
    return {"additional_settings": {"prompt_extend": wish.extra["prompt_extend"]}}


def files(order: Order, said: dict[str, str]) -> Json:
    sent: Json = {}
    for each in order.generation.inputs:
        field = said.get(each.role)
        if field in sent:
            message = f"{VENDOR} takes one {each.role}; several were given."
            raise Problem(Kind.INVALID, message, field=each.role.value)
        if field is not None:
            sent[field] = source_of(order, each.field)
    return sent


TIERS = {ours: theirs for theirs, ours in RESOLUTIONS.items()}


def frame(wish: Generation, model: Model) -> Json:
    """The size of the frame: as pixels where `ratio` lists them, else as a tier and, where nothing else gives it, a
    shape."""
    fields = model.body.__struct_fields__
    if wish.width is None and wish.height is None:
        shape = {"aspect_ratio": wish.extra["ratio"]} if "aspect_ratio" in fields and "ratio" in wish.extra else {}
        return shape | tier(wish, model)
    if wish.width is None or wish.height is None:
        missing = "height" if wish.height is None else "width"
        message = f"{VENDOR} needs the width and the height of the frame; only one was given."
        raise Problem(Kind.INVALID, message, field=missing)
    if "ratio" in fields:
        return {"ratio": f"{wish.width}:{wish.height}"}
    if "aspect_ratio" in fields:
        return shape_and_tier(wish, wish.width, wish.height)
    message = f"{VENDOR} ({model.route}) gives the frame the shape of the input: ask for a resolution, not for pixels."
    raise Problem(Kind.UNSUPPORTED, message, field="width")


def tier(wish: Generation, model: Model) -> Json:
    if wish.resolution is None:
        return {}
    if "resolution" in model.body.__struct_fields__:
        return {"resolution": TIERS.get(wish.resolution, wish.resolution)}
    message = f"{VENDOR} ({model.route}) has no tiers of resolution: ask for width and height in pixels."
    raise Problem(Kind.UNSUPPORTED, message, field="resolution")


def shape_and_tier(wish: Generation, width: int, height: int) -> Json:
    """Exactly the size that was asked for, or none. A tier or a shape beside it must agree."""
    sizes = {
        pixels(shape, ours): {"aspect_ratio": shape, "resolution": theirs}
        for theirs, ours in RESOLUTIONS.items()
        for shape in get_args(WanShape)
    }
    found = sizes.get((width, height))
    if found is None:
        right = ", ".join(f"{w}×{h}" for w, h in sizes)
        message = f"{VENDOR} has no frame of {width}×{height} for this model; it has {right}."
        raise Problem(Kind.INVALID, message, field="width")
    for name, asked in (("resolution", wish.resolution), ("ratio", wish.extra.get("ratio"))):
        given = RESOLUTIONS[found["resolution"]] if name == "resolution" else found["aspect_ratio"]
        if asked not in (None, given):
            message = f"{width}×{height} is {given}, which contradicts the {name} {asked} beside it."
            raise Problem(Kind.INVALID, message, field=name)
    return found


def pixels(shape: str, tier: str) -> tuple[int, int]:
    """The size of a shape such as 16:9 at a tier such as 720p: the tier's area at 16:9, both sides even."""
    width, height = map(int, shape.split(":"))
    area, aspect = int(tier.removesuffix("p")) ** 2 * 16 / 9, width / height
    return 2 * round(math.sqrt(area * aspect) / 2), 2 * round(math.sqrt(area / aspect) / 2)


# -- tasks -----------------------------------------------------------------------

STATES: dict[str, State] = {word: state for state, word in STATUSES.items() if state is not State.CANCELED}
"""The vendor's words read the other way. What its operators cancel it calls FAILED, and so it stays."""


class TaskNews(Struct, frozen=True, kw_only=True):
    """A task as loosely as it may come: `generated` is not in every answer, `error` in hardly any."""

    task_id: TaskId
    status: str
    generated: tuple[str, ...] | None = None
    error: Any = None


class Envelope(Struct, frozen=True, kw_only=True):
    data: TaskNews


class ListedNews(Struct, frozen=True, kw_only=True):
    task_id: TaskId
    status: str


class ListEnvelope(Struct, frozen=True, kw_only=True):
    data: tuple[ListedNews, ...]


def submit(order: Order) -> Conversation[Update]:
    model, body = translate(order)
    request = ask("POST", ROOT + model.route, body, spends=True)
    if order.reference:
        # the vendor has no such thing and ignores it; another mutoscope knows by it what came before
        request = replace(request, headers=request.headers | {"idempotency-key": order.reference})
    task = task_in((yield request), order.generation)
    try:
        update = news(task)
    except Problem:
        # It exists and costs money, whatever its status says: its handle must not be lost. The next poll asks again.
        update = news_of(vendor=VENDOR, state=State.QUEUED, status=task.status)
    return replace(update, handle={"id": task.task_id, "path": model.route})


def poll(handle: Json) -> Conversation[Update]:
    task = task_in((yield ask("GET", f"{ROOT}{handle['path']}/{handle['id']}")))
    if task.task_id.lower() != handle["id"].lower():
        message = f"{VENDOR} answered with another task: {task.task_id} instead of {handle['id']}."
        raise Problem(Kind.UPSTREAM_FAILED, message)
    return news(task)


def task_in(response: HttpResponse, wish: Generation | None = None) -> TaskNews:
    if not is_success(response):
        raise complaint(response, wish)
    return read_answer(response, Envelope, vendor=VENDOR).data


def news(task: TaskNews) -> Update:
    state = state_of(task.status)
    failure = failure_of(task) if state is State.FAILED else None
    return news_of(vendor=VENDOR, state=state, status=task.status, links=task.generated or (), failure=failure)


def state_of(word: str) -> State:
    if word not in STATES:
        known = ", ".join(STATES)
        message = f"{VENDOR} reports the status {word[:100]!r}, which it does not document; it documents {known}."
        raise Problem(Kind.UPSTREAM_FAILED, message)
    return STATES[word]


def failure_of(task: TaskNews) -> Failure:
    """Undocumented, and told by few: a reason."""
    why = task.error.strip() if isinstance(task.error, str) else ""
    message = f"{VENDOR} could not make it: {why}" if why else f"{VENDOR} could not make it and gives no reason."
    return Failure(kind=Kind.UPSTREAM_FAILED, message=message)


# -- lists: ids and states, newest first -----------------------------------------

PAGE = 100
UNLISTED = frozenset({400, 404, 405})
"""Answers of a vendor that has no such list, or no pages of it: both were seen, though its own description has both."""


def batch(handles: tuple[Json, ...]) -> Conversation[dict[int, Update]]:
    """Who is unfinished. What has ended is polled alone: the links, and a reason where there is one, are not listed."""
    places = {handle["id"]: place for place, handle in enumerate(handles)}
    found: dict[int, Update] = {}
    for page in count(1):
        response = yield list_request(handles[0]["path"], page)
        if response.status in UNLISTED:
            break
        listed = tasks_in(response)
        ours = [task for task in listed if task.task_id in places]
        for task in ours:
            state = STATES.get(task.status)
            place = places.pop(task.task_id, None)
            if place is not None and state is not None and not state.final:
                found[place] = news_of(vendor=VENDOR, state=state, status=task.status)
        if not ours or not places or len(listed) < PAGE:
            break
    return found


def find(order: Order, _since: float) -> Conversation[tuple[Json, ...]]:
    """The newest page of the path's tasks. It tells neither when a task was made nor of what: whose they are is to be
    known from elsewhere. A vendor without the list is a Problem, since nothing found would mean nothing sent.
    """
    model = model_for(order)
    response = yield list_request(model.route, 1)
    return tuple({"id": task.task_id, "path": model.route} for task in tasks_in(response))


def list_request(path: str, page: int) -> HttpRequest:
    return ask("GET", ROOT + path, page=str(page), per_page=str(PAGE))


def tasks_in(response: HttpResponse) -> tuple[ListedNews, ...]:
    if not is_success(response):
        raise complaint(response)
    return read_answer(response, ListEnvelope, vendor=VENDOR).data


def batch_key(handle: Json) -> str:
    return handle["path"]


# -- callbacks -------------------------------------------------------------------


def read_callback(order: Order, request: HttpRequest) -> Json | None:
    """The body is a task, as it is or in its envelope. Its path is not in it: the order knows that."""
    for type in (TaskNews, Envelope):
        try:
            told = msgspec.json.decode(request.body, type=type)
        except UNREADABLE:
            continue
        id = (told.data if isinstance(told, Envelope) else told).task_id
        return {"id": id, "path": model_for(order).route}
    return None


# -- uploads ---------------------------------------------------------------------

UPLOADED_TYPES: tuple[str, ...] = get_args(UploadType)


class Slot(Struct, frozen=True, kw_only=True):
    upload_url: str
    asset_url: str
    headers: dict[str, str] = {}


class Slots(Struct, frozen=True, kw_only=True):
    files: Annotated[tuple[Slot, ...], Meta(min_length=1)]


def upload(file: File) -> Conversation[str]:
    if file.media_type not in UPLOADED_TYPES:
        right = ", ".join(UPLOADED_TYPES)
        raise Problem(Kind.BAD_MEDIA, f"{VENDOR} takes no {file.media_type} as an upload; it takes {right}.")
    response = yield ask("POST", f"{ROOT}uploads/request-url", {"files": [{"content_type": file.media_type}]})
    if not is_success(response):
        raise complaint(response)
    slot = read_answer(response, Slots, vendor=VENDOR).files[0]
    if not (is_link(slot.upload_url) and is_link(slot.asset_url)):
        raise Problem(Kind.UPSTREAM_FAILED, f"{VENDOR} opened an upload without saying where.")
    headers = {name.lower(): value for name, value in slot.headers.items()}
    response = yield HttpRequest(method="PUT", path=slot.upload_url, headers=headers, body=file.data)
    if not is_success(response):
        raise refusal(response, "the upload was not taken", vendor=VENDOR, kinds=STORE_KINDS)
    return slot.asset_url


# -- trouble ---------------------------------------------------------------------


def complaint(response: HttpResponse, wish: Generation | None = None) -> Problem:
    """An error answer, with every bad field it names; the first of them that we know is the problem's, by our name."""
    told = object_in(response.body)
    told = told["problem"] if isinstance(told.get("problem"), dict) else told
    bad = tuple(bad_fields(told.get("invalid_params")))
    parts = [text(told.get("message")), *(f"{name}: {why}" if name else why for name, why in bad)]
    problem = refusal(response, "; ".join(filter(None, [*parts, text(told.get("detail"))])), vendor=VENDOR)
    problem.field = next((ours for name, _ in bad if (ours := our_name((name.partition(".")[0],), wish))), None)
    return problem


def object_in(body: bytes) -> Json:
    try:
        told = msgspec.json.decode(body)
    except UNREADABLE:
        return {}
    return cast("Json", told) if isinstance(told, dict) else {}


def bad_fields(listed: Any) -> Iterator[tuple[str, str]]:
    """Live answers say where a field stands (`field`), the documentation shows its `name`."""
    for each in cast("list[Any]", listed) if isinstance(listed, list) else []:
        if isinstance(each, dict):
            param = cast("Json", each)
            yield text(param.get("name")) or text(param.get("field")).removeprefix("body."), text(param.get("reason"))


def text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""


def is_success(response: HttpResponse) -> bool:
    return 200 <= response.status < 300


def sign(key: str, _now: float) -> Headers:
    return {KEY_HEADERS[0]: key}


BACK = Back(
    vendor="freepik",
    base_url="https://api.freepik.com",
    sign=sign,
    heeds=heeds,
    ways=ways,
    check=check,
    submit=submit,
    poll=poll,
    upload=upload,
    find=find,
    batch=batch,
    batch_key=batch_key,
    read_callback=read_callback,
    requests_per_second=10.0,  # the documented average of one address
)
