"""How DashScope is called: an order becomes a body of the model's struct, a task becomes news.

The vendor tells states in lists, results and reasons only where a task is asked for alone; it calls nobody back.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any, cast

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from mutoscope.model.http import Headers, HttpResponse
from mutoscope.model.job import Failure, Generation, Input, Json, Operation, Role, State, Update
from mutoscope.model.problem import STATUS, Flaw, Kind, Problem, Rule
from mutoscope.wirekit.answers import (
    LONGEST_REASON,
    STORE_KINDS,
    TaskId,
    ask,
    form,
    is_link,
    news_of,
    read_answer,
    refusal,
    source_of,
)
from mutoscope.wirekit.back import Back, Carriage, Conversation, File, Order, Way
from mutoscope.wirekit.body import Path, schema, walk, wholes
from mutoscope.wires.dashscope.answers import CHINA, KINDS, STATES, UNKNOWN, reason
from mutoscope.wires.dashscope.bodies import (
    ADAPTIVE,
    ASYNC,
    AUTO,
    EXTRA,
    FILES,
    KEYFRAMES,
    LONGEST_NEGATIVE_PROMPT,
    MODELS,
    PLAIN,
    RESOLVE,
    ROOT,
    SYNTHESIS,
    TIERS,
    USES,
    Keyframes,
    Model,
    fields_of,
    stand_together,
    struct_of,
    word_of,
    wordless,
)

VENDOR = "DashScope"
UPLOAD_MODEL = "wan2.7-i2v"
"""An upload is for one model, which is named before the file is sent. Only what goes to this one is uploaded."""


def sign(key: str, _now: float) -> Headers:
    return {"authorization": f"Bearer {key}"}


# -- which model, and what can be said to it ---------------------------------------------


def model_of(operation: Operation, names: tuple[str, ...]) -> tuple[Model, str] | None:
    """The model that does this, and its name as the catalog has it, which may be dated."""
    found = ((MODELS.get(word_of(name)), name) for name in names)
    return next(((model, name) for model, name in found if model and operation in model.makes), None)


def model_for(order: Order) -> tuple[Model, str]:
    found = model_of(order.generation.operation, order.names)
    if found is None:
        names = ", ".join(order.names) or "no model"
        message = f"{VENDOR} has no {order.generation.operation} by {names}."
        raise Problem(Kind.UNSUPPORTED, message, field="model")
    return found


STARTS = {Operation.IMAGE_TO_VIDEO: Role.FIRST_FRAME, Operation.VIDEO_EXTENSION: Role.VIDEO}


def roles_of(model: Model, operation: Operation) -> dict[str, str]:
    """The files that go into this operation: role → the word in `media[].type`, or the member of `input`."""
    members = fields_of(model.body, "input")
    if "media" not in members:
        return {USES[word].role: name for name, word in FILES.items() if name in members}
    if operation not in STARTS:
        return {}
    start = word_for(STARTS[operation])
    return {
        use.role: word
        for word, use in USES.items()
        if word == start or stand_together((start, word), model.combinations)
    }


def word_for(role: Role) -> str:
    return next(word for word, use in USES.items() if use.role is role)


def heeds(operation: Operation, names: tuple[str, ...]) -> frozenset[str] | None:
    found = model_of(operation, names)
    if found is None:
        return None
    model, _ = found
    wanted = fields_of(model.body, "parameters")
    plain = {ours for ours, (part, name) in PLAIN.items() if name in fields_of(model.body, part)}
    sized = {"width", "height"} if "size" in wanted or "ratio" in wanted else set[str]()
    return frozenset({*plain, *sized, *({"resolution", *EXTRA} & set(wanted)), *roles_of(model, operation)})


def ways(order: Order, wanted: Input) -> tuple[Carriage, ...]:
    model, name = model_for(order)
    if wanted.role not in roles_of(model, order.generation.operation):
        return ()
    use = USES[word_for(wanted.role)]
    found = [Way.LINK]
    if name == UPLOAD_MODEL:
        found.append(Way.UPLOAD)
    if use.inline:
        found.append(Way.DATA)
    return tuple(Carriage(way, use.limits.max_bytes) for way in found)


# -- a Generation in the vendor's words ----------------------------------------------------


def check(order: Order) -> None:
    """Values only: what `heeds` does not name is not said, and whoever leaves it out has told the caller so."""
    translate(order)


def translate(order: Order) -> tuple[Model, Json]:
    """The body that says an order. Raises Problem for what the model's struct does not allow."""
    model, name = model_for(order)
    wish = order.generation
    said: Json = {"input": files(order, model), "parameters": frame(wish, model)}
    for ours, (part, theirs) in PLAIN.items():
        if theirs in fields_of(model.body, part) and (value := getattr(wish, ours)) is not None:
            said[part][theirs] = wholes(value)
    said["parameters"] |= {
        each: wish.extra[each]
        for each in EXTRA
        if each != "ratio" and each in fields_of(model.body, "parameters") and wish.extra.get(each) is not None
    }
    fold_seed(said["parameters"], model)
    flaws = [flaw for part in said for flaw in walk(said[part], schema(struct_of(model.body, part)), (part,))]
    if flaws or (flaws := [*wordless(said["input"]), *too_long(said["input"], model)]):
        raise untranslatable(flaws, wish, name)
    return model, {"model": name, **said}


def fold_seed(parameters: Json, model: Model) -> None:
    """A seed of a wider range, in this one; the same one every time."""
    seed = parameters.get("seed")
    for flaw in walk({"seed": seed}, schema(struct_of(model.body, "parameters")), ()):
        if flaw.rule is Rule.MAXIMUM and isinstance(seed, int):
            parameters["seed"] = seed % (flaw.bound + 1)


def too_long(said: Json, model: Model) -> Iterator[Flaw]:
    """The vendor would cut it off and say nothing."""
    for name, most in (("prompt", model.longest_prompt), ("negative_prompt", LONGEST_NEGATIVE_PROMPT)):
        if len(said.get(name, "")) > most:
            yield Flaw(path=("input", name), rule=Rule.MAX_LENGTH, bound=most)


def untranslatable(flaws: list[Flaw], wish: Generation, name: str) -> Problem:
    """With our name of the first bad field, and what would have been right for all of them."""
    named = [(our_name(flaw.path, wish), reason(flaw)) for flaw in flaws]
    told = "; ".join(f"{ours} {why}" for ours, why in named)
    return Problem(Kind.INVALID, f"{VENDOR} ({name}) does not take this: {told}.", field=named[0][0])


OURS: dict[str, str] = (
    {theirs: ours for ours, (_, theirs) in PLAIN.items()}
    | {name: USES[word].role.value for name, word in FILES.items()}
    | {"size": "width"}
)


def our_name(path: Path, wish: Generation) -> str:
    """What we call a member of a body."""
    name = str(path[1]) if len(path) > 1 else "model"
    if name == "media":
        return STARTS.get(wish.operation, Role.FIRST_FRAME).value
    return OURS.get(name, name)


def files(order: Order, model: Model) -> Json:
    wish = order.generation
    words = roles_of(model, wish.operation)
    found: dict[str, str] = {}
    for each in wish.inputs:
        word = words.get(each.role)
        if word in found:
            raise Problem(Kind.INVALID, f"{VENDOR} takes one {each.role}; several were given.", field=each.role.value)
        if word is not None:
            found[word] = source_of(order, each.field)
    start = STARTS.get(wish.operation)
    if start is None or "media" not in fields_of(model.body, "input"):
        return cast("Json", found)
    if words[start] not in found:
        raise Problem(Kind.INVALID, f"{VENDOR} needs a {start} to start from.", field=start.value)
    return {"media": [{"type": word, "url": url} for word, url in found.items()]}


TIER_WORDS = {ours: theirs for theirs, ours in TIERS.items()}
SHAPE_WORDS = {AUTO: ADAPTIVE}


def frame(wish: Generation, model: Model) -> Json:
    """The size of the frame: as pixels, as a tier and a shape, or as a tier where the shape follows the input."""
    members = fields_of(model.body, "parameters")
    if wish.width is None and wish.height is None:
        return tier(wish, members)
    if wish.width is None or wish.height is None:
        missing = "height" if wish.height is None else "width"
        message = f"{VENDOR} needs the width and the height of the frame; only one was given."
        raise Problem(Kind.INVALID, message, field=missing)
    if "size" in members:
        return {"size": f"{wish.width}*{wish.height}"}
    if "ratio" in members:
        return tier_and_shape(wish, model, wish.width, wish.height)
    message = f"{VENDOR} gives the frame the shape of the input: ask for a resolution, not for pixels."
    raise Problem(Kind.UNSUPPORTED, message, field="width")


def tier(wish: Generation, members: tuple[str, ...]) -> Json:
    said: Json = {}
    if "ratio" in members and (shape := wish.extra.get("ratio")) is not None:
        said["ratio"] = SHAPE_WORDS.get(shape, shape)
    if wish.resolution is not None:
        if "resolution" not in members:
            message = f"{VENDOR} has no tiers of resolution for this model: ask for width and height in pixels."
            raise Problem(Kind.UNSUPPORTED, message, field="resolution")
        said["resolution"] = TIER_WORDS.get(wish.resolution, wish.resolution)
    return said


def tier_and_shape(wish: Generation, model: Model, width: int, height: int) -> Json:
    """Exactly the size that was asked for, or none. A tier or a shape beside it must agree.

    Where the shape is left to the model, the size was filled in, and only its tier counts.
    """
    found = model.shapes.get((width, height))
    if found is None:
        right = ", ".join(f"{w}×{h}" for w, h in model.shapes)
        message = f"{VENDOR} has no frame of {width}×{height} for this model; it has {right}."
        raise Problem(Kind.UNSUPPORTED, message, field="width")
    tier, shape = found
    wanted = wish.extra.get("ratio")
    if wanted in SHAPE_WORDS:
        shape = wanted
    for name, asked, is_so in (("resolution", wish.resolution, TIERS[tier]), ("ratio", wanted, shape)):
        if asked not in (None, is_so):
            message = f"{width}×{height} is {is_so}, which contradicts the {name} {asked} beside it."
            raise Problem(Kind.INVALID, message, field=name)
    return {"resolution": tier, "ratio": SHAPE_WORDS.get(shape, shape)}


# -- tasks ---------------------------------------------------------------------------------


class Created(Struct, frozen=True, kw_only=True):
    task_id: TaskId
    task_status: Any = None


class CreatedAnswer(Struct, frozen=True, kw_only=True):
    output: Created


class News(Struct, frozen=True, kw_only=True):
    """A task. What is only told beside its status is not worth losing the task for, so its types are left open."""

    task_status: str
    video_url: Any = None
    code: Any = None
    message: Any = None


class NewsAnswer(Struct, frozen=True, kw_only=True):
    output: News
    code: Any = None  # where there is a pair at the root, it is the one that counts
    message: Any = None


def submit(order: Order) -> Conversation[Update]:
    model, body = translate(order)
    headers = {ASYNC: "enable"}
    if any(source.startswith("oss://") for source in order.sources.values()):
        headers[RESOLVE] = "enable"
    if order.reference:
        # the vendor has no such thing and ignores it; another mutoscope knows by it what came before
        headers["idempotency-key"] = order.reference
    request = ask("POST", KEYFRAMES if model.body is Keyframes else SYNTHESIS, body, spends=True)
    made = answer_in((yield replace(request, headers=request.headers | headers)), CreatedAnswer).output
    word = made.task_status if isinstance(made.task_status, str) else ""
    state = STATES.get(word, State.QUEUED)
    # A task that was made costs money, whatever its status says: a later poll tells its end.
    state = State.QUEUED if state.final else state
    return news_of(vendor=VENDOR, state=state, status=word or "PENDING", handle={"id": made.task_id})


def poll(handle: Json) -> Conversation[Update]:
    return news(answer_in((yield ask("GET", f"{ROOT}tasks/{handle['id']}")), NewsAnswer))


def news(told: NewsAnswer) -> Update:
    word = told.output.task_status
    if word == UNKNOWN:
        # at first it is not known everywhere, after a day not any more: whoever asks has a clock and can tell
        raise Problem(Kind.NOT_FOUND, f"{VENDOR} does not know the task, or not any more.")
    if word not in STATES:
        known = ", ".join(STATES)
        message = f"{VENDOR} reports the status {word[:100]!r}, which it does not document; it documents {known}."
        raise Problem(Kind.UPSTREAM_FAILED, message)
    state = STATES[word]
    return news_of(
        vendor=VENDOR,
        state=state,
        status=word,
        links=(told.output.video_url,),
        failure=failure_of(told) if state is State.FAILED else None,
    )


def failure_of(told: NewsAnswer) -> Failure:
    code = next((each for each in (told.code, told.output.code) if isinstance(each, str) and each), None)
    message = next((each for each in (told.message, told.output.message) if isinstance(each, str) and each), None)
    why = message or code or "it gives no reason"
    return Failure(kind=kind_of(code) or Kind.UPSTREAM_FAILED, message=f"{VENDOR} could not make it: {why}", code=code)


def cancel(handle: Json) -> Conversation[bool]:
    """Only what waits can be stopped."""
    response = yield ask("POST", f"{ROOT}tasks/{handle['id']}/cancel")
    if is_success(response):
        return True
    problem, code = complaint(response)
    if code == "UnsupportedOperation":
        return False
    raise problem


# -- lists: ids and states, newest first ---------------------------------------------------

PAGE = 100
PAGES = 10  # at most, when several tasks are asked about at once


class Listed(Struct, frozen=True, kw_only=True):
    task_id: TaskId
    status: str
    model_name: Any = None


class ListAnswer(Struct, frozen=True, kw_only=True):
    data: tuple[Listed, ...]


def page_of(number: int, start: str | None = None) -> Conversation[tuple[Listed, ...]]:
    request = ask("GET", f"{ROOT}tasks", page_no=str(number), page_size=str(PAGE))
    if start is not None:
        request = replace(request, query=request.query | {"start_time": start})
    return answer_in((yield request), ListAnswer).data


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


def one_key(_handle: Json) -> str:
    """The list is that of the account."""
    return ""


CLOCKS_APART = 60.0  # seconds by which the vendor's clock may be behind ours


def find(order: Order, since: float) -> Conversation[tuple[Json, ...]]:
    """All tasks of the model since then. Nothing found must mean that nothing was sent, so every page is read, and a
    task whose model's name says nothing to us counts too.
    """
    model, _ = model_for(order)
    start = datetime.fromtimestamp(since - CLOCKS_APART, CHINA).strftime("%Y%m%d%H%M%S")
    found: list[Json] = []
    number, listed = 0, (None,) * PAGE
    while len(listed) >= PAGE:
        number += 1
        listed = yield from page_of(number, start)
        words = ((task, word_of(task.model_name) if isinstance(task.model_name, str) else "") for task in listed)
        found += [{"id": task.task_id} for task, word in words if word not in MODELS or word == model.word]
    return tuple(found)


# -- uploads -------------------------------------------------------------------------------


class Slot(Struct, frozen=True, kw_only=True):
    policy: str
    signature: str
    upload_dir: str
    upload_host: str
    oss_access_key_id: str
    x_oss_object_acl: str
    x_oss_forbid_overwrite: str


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
    if not is_success(response):
        raise refusal(response, "the file was not taken", vendor=f"{VENDOR}'s upload store", kinds=STORE_KINDS)
    return f"oss://{key}"


# -- trouble -------------------------------------------------------------------------------


def is_success(response: HttpResponse) -> bool:
    return 200 <= response.status < 300


def answer_in(response: HttpResponse, type: Any) -> Any:
    """Raises Problem for an error, and for an answer that is none."""
    if not is_success(response):
        raise complaint(response)[0]
    try:
        return read_answer(response, type, vendor=VENDOR)
    except Problem as problem:
        if told := texts(response):  # an error in the guise of a success
            raise Problem(Kind.UPSTREAM_FAILED, f"{VENDOR} answered {response.status}: {told}") from problem
        raise


class Complaint(Struct, frozen=True):
    code: Any = None
    message: Any = None


LEFT_OPEN: dict[int, frozenset[Kind]] = {
    400: frozenset(kind for kind, status in STATUS.items() if status < 500 and status not in (401, 405)),
    403: frozenset({Kind.FORBIDDEN, Kind.QUOTA_EXCEEDED}),
    404: frozenset({Kind.NOT_FOUND}),
    429: frozenset({Kind.RATE_LIMITED, Kind.QUOTA_EXCEEDED}),
}
"""Statuses that leave it open what sort of trouble it is, with what a code may make of them."""


def complaint(response: HttpResponse) -> tuple[Problem, str | None]:
    """What an error answer tells, and its code."""
    code = said(response).code
    code = code if isinstance(code, str) else None
    kind = kind_of(code)
    kinds = {response.status: kind} if kind is not None and kind in LEFT_OPEN.get(response.status, ()) else None
    return refusal(response, texts(response), vendor=VENDOR, kinds=kinds), code


def said(response: HttpResponse) -> Complaint:
    try:
        return msgspec.json.decode(response.body, type=Complaint)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Complaint()


def texts(response: HttpResponse) -> str:
    told = said(response)
    return ": ".join(each[:LONGEST_REASON] for each in (told.code, told.message) if isinstance(each, str) and each)


def kind_of(code: str | None) -> Kind | None:
    """What a code means; one that is not known may be a case of one that is: InvalidParameter.Something."""
    return None if code is None else KINDS.get(code) or KINDS.get(code.partition(".")[0])


BACK = Back(
    vendor="alibaba",
    base_url="https://dashscope-intl.aliyuncs.com",
    sign=sign,
    heeds=heeds,
    ways=ways,
    check=check,
    submit=submit,
    poll=poll,
    cancel=cancel,
    upload=upload,
    find=find,
    batch=batch,
    batch_key=one_key,
    requests_per_second=20.0,
)
