"""How a proxy of the operator's is called. What a button of its task made is asked for by that task's own button."""

import re
from collections.abc import Mapping
from functools import partial
from typing import Any

import msgspec
from msgspec.structs import replace

from mutoscope.model.http import HttpRequest, HttpResponse
from mutoscope.model.job import Input, Json, Operation, Role, State, Update
from mutoscope.model.problem import Kind, Problem
from mutoscope.wirekit import task as kit
from mutoscope.wirekit.answers import ask, source_of
from mutoscope.wirekit.back import Back, Conversation, Transport, VendorRequest, Way
from mutoscope.wirekit.body import UNREADABLE
from mutoscope.wirekit.paths import at, put
from mutoscope.wirekit.task import Reading, TaskApi

ROOT = "/mj/"
READING = Reading(status="status", links=("links",), texts=("texts",), reason=("failReason",), progress="share")
MADE = Reading(id="result")
PICTURES = frozenset({"prompt", "negative_prompt", "count", "grid", "mode", "flags"})
BELOW: Mapping[Operation, frozenset[str]] = {
    Operation.IMAGE_UPSCALE: frozenset({Role.IMAGE.value, "width", "height", "scale", "mode"}),
    Operation.IMAGE_TO_IMAGE: PICTURES | {Role.IMAGE.value, "width", "height", "strength"},
    Operation.IMAGE_OUTPAINT: PICTURES | {Role.IMAGE.value, "zoom", "ratio", "left", "right", "up", "down"},
    Operation.IMAGE_INPAINT: PICTURES | {Role.IMAGE.value, Role.MASK.value},
}
"""What a button can say: that its task's picture is gone on from, with the words and the size that it had."""
ALWAYS: Mapping[Operation, frozenset[str]] = {
    Operation.TEXT_TO_IMAGE: frozenset({"count", "grid"}),
    Operation.IMAGE_TO_IMAGE: frozenset({"count", "grid"}),
    Operation.IMAGE_BLEND: frozenset({"count", "grid"}),
    Operation.IMAGE_TO_TEXT: frozenset({"count"}),
    Operation.TEXT_TO_TEXT: frozenset({"count", "task"}),
}
"""What the bot makes in any case."""
KINDS = {
    **dict.fromkeys((4, 21), Kind.INVALID),
    3: Kind.NOT_FOUND,
    23: Kind.RATE_LIMITED,
    24: Kind.REFUSED,
    30: Kind.RATE_LIMITED,
}
NUMBER = re.compile(r"(?:[1-9]️?⃣|[1-9][.)])\s*")


def back_of(api: TaskApi) -> Back:
    api = replace(api, fault=fault)
    return replace(
        kit.back(api),
        supports=partial(supports, api),
        ways=partial(ways, api),
        check=partial(check, api),
        submit=partial(submit, api),
        poll=partial(poll, api),
        cancel=partial(cancel, api),
        find=partial(find, api),
        finds_by_reference=True,
        batch=partial(batch, api),
        batch_key=one_key,
        read_callback=partial(read_callback, api),
    )


def supports(api: TaskApi, operation: Operation, names: tuple[str, ...]) -> frozenset[str] | None:
    said = kit.supports(api, operation, names)
    if operation in BELOW and set(names) & set(api.endpoints[0].models):
        return (said or frozenset()) | BELOW[operation] | ALWAYS.get(operation, frozenset())
    return None if said is None else said | ALWAYS.get(operation, frozenset())


def ways(api: TaskApi, order: VendorRequest, wanted: Input) -> tuple[Transport, ...]:
    if order.generation.operation in BELOW and wanted.role in (Role.IMAGE, Role.MASK):
        return (Transport(Way.DATA),)
    return kit.ways(api, order, wanted)


def below(order: VendorRequest) -> Input | None:
    """The picture of an earlier task of this account's that a button of it names; None for any other order."""
    given = order.generation.input(Role.IMAGE)
    return given if given and given.label and given.output_of in order.earlier else None


def check(api: TaskApi, order: VendorRequest) -> None:
    """Raises Problem."""
    wish = order.generation
    if below(order) is not None:
        return
    if wish.operation in BELOW and wish.input(Role.IMAGE):
        message = "Midjourney goes on from pictures of its own tasks only, and this one was not made with this account."
        raise Problem(Kind.UNSUPPORTED, message, field=Role.IMAGE.value)
    if wish.operation is Operation.TEXT_TO_TEXT and wish.extra.get("task") != "shorten":
        raise Problem(Kind.UNSUPPORTED, "Midjourney shortens prompts and writes nothing else.", field="prompt")
    kit.check(api, order)


# -- submitting ---------------------------------------------------------------------------------


def submit(api: TaskApi, order: VendorRequest) -> Conversation[Update]:
    check(api, order)
    if (given := below(order)) is None:
        path, body = kit.translate(api, order)
    else:
        path, body = yield from press(api, order, given)
    put(body, "state", order.reference)
    if order.callback:
        put(body, "notifyHook", order.callback)
    request = ask("POST", ROOT + path, body, spends=True)
    request = replace(request, headers=request.headers | {"idempotency-key": order.reference})
    answer = kit.task_in(api, (yield request))
    id = kit.id_in(api, MADE, answer)
    word = "NOT_START" if answer.get("code") == 22 else "SUBMITTED"
    return Update(state=State.QUEUED, upstream_status=word, handle=handle(order, id))


def handle(order: VendorRequest, id: str) -> Json:
    return {"id": id, "grid": order.generation.extra.get("grid") is True}


def press(api: TaskApi, order: VendorRequest, given: Input) -> Conversation[tuple[str, Json]]:
    """What presses the button of the proxy's own task: the one that begins like ours. Proxies of the older kind have no
    buttons, and take a number. A dialog that opens costs nothing, and is answered with what costs."""
    id = str(order.earlier[given.output_of or ""]["id"])
    task = kit.task_in(api, (yield fetch(id)))
    label = str(given.label)
    custom = next((each for each in at(task, "buttons.*.customId") if str(each).startswith(f"MJ::{label}::")), None)
    if custom is None:
        return "submit/change", by_number(api, id, label)
    body: Json = {"taskId": id, "customId": custom}
    if not label.startswith(("CustomZoom", "Inpaint")):
        return "submit/action", body
    dialog = kit.id_in(
        api, MADE, kit.task_in(replace(api, fault=None), (yield ask("POST", f"{ROOT}submit/action", body)))
    )
    wish = order.generation
    zoom = f" --zoom {wish.extra['zoom']:g}" if "zoom" in wish.extra else ""
    shape = f" --ar {wish.extra['ratio']}" if "ratio" in wish.extra else ""
    answer: Json = {"taskId": dialog, "prompt": f"{wish.prompt or ''}{shape}{zoom}".strip()}
    if mask := wish.input(Role.MASK):
        answer["maskBase64"] = source_of(order, mask.field)
    return "submit/modal", answer


def by_number(api: TaskApi, id: str, label: str) -> Json:
    match label.split("::"):
        case ["JOB", "upsample", number]:
            return {"taskId": id, "action": "UPSCALE", "index": int(number)}
        case ["JOB", "variation", number]:
            return {"taskId": id, "action": "VARIATION", "index": int(number)}
        case _:
            raise Problem(Kind.UNSUPPORTED, f"{api.vendor} shows no button {label} below its task {id}.", field="image")


def fault(answer: Json) -> Problem | None:
    """Trouble that an answer of status 200 tells by its code."""
    code = answer.get("code")
    if code is None or (code in (1, 22) and not isinstance(code, bool | float)):
        return None
    kind = KINDS.get(code, Kind.UPSTREAM_FAILED) if isinstance(code, int) else Kind.UPSTREAM_FAILED
    return Problem(kind, f"Midjourney answered with the code {str(code)[:20]}: {str(answer.get('description'))[:300]}")


# -- news ----------------------------------------------------------------------------------------


def fetch(id: str) -> HttpRequest:
    return ask("GET", f"{ROOT}task/{id}/fetch")


def poll(api: TaskApi, handle: Json) -> Conversation[Update]:
    response = yield fetch(handle["id"])
    if response.status == 204 or (response.status == 400 and b"task_no_found" in response.body):
        why = kit.complaint(api, response).message
        raise Problem(Kind.NOT_FOUND, f"Midjourney does not know the task {handle['id']}: {why}")
    task = kit.task_in(api, response)
    if str(task.get("id")) != handle["id"]:
        raise Problem(
            Kind.UPSTREAM_FAILED, f"Midjourney sent no task {handle['id']}, but {str(task.get('id'))[:40]!r}."
        )
    return news(api, handle, task)


def news(api: TaskApi, handle: Json, task: Json) -> Update:
    progress = str(task.get("progress") or "").removesuffix("%")
    share = float(progress) if progress.isascii() and progress.isdigit() and len(progress) < 4 else None
    described = task.get("action") in ("DESCRIBE", "SHORTEN")
    told = {
        "status": task.get("status"),
        "failReason": task.get("failReason"),
        "share": share,
        "links": [] if described else links_in(handle, task),
        "texts": lines_in(at(task, "properties.finalPrompt")) if described else [],
    }
    return kit.news(api, READING, told)


def links_in(handle: Json, task: Json) -> list[Any]:
    """The picture of four and the four, where a grid was asked for; else the first of them."""
    grid, each = task.get("imageUrl"), at(task, "imageUrls.*.url")
    if handle.get("grid"):
        return [grid, *each] if len(each) > 1 else [grid]
    return each[:1] or [grid]


def lines_in(text: Any) -> list[str]:
    return [each.strip() for each in NUMBER.split(text) if each.strip()] if isinstance(text, str) else []


def batch(api: TaskApi, handles: tuple[Json, ...]) -> Conversation[dict[int, Update]]:
    response = yield ask("POST", f"{ROOT}task/list-by-condition", {"ids": [each["id"] for each in handles]})
    tasks = {str(task.get("id")): task for task in tasks_in(api, response)}
    told: dict[int, Update] = {}
    for place, handle in enumerate(handles):
        if task := tasks.get(handle["id"]):
            try:
                told[place] = news(api, handle, task)
            except Problem:
                continue  # it is asked about alone, and tells what is wrong
    return told


def one_key(_handle: Json) -> str:
    return ""


def find(api: TaskApi, order: VendorRequest, since: float) -> Conversation[tuple[Json, ...]]:
    """A task tells the `state` that it was asked for with: our own name for the job."""
    del since
    tasks = tasks_in(api, (yield ask("GET", f"{ROOT}task/list")))
    return tuple(
        handle(order, kit.id_in(api, Reading(), each)) for each in tasks if each.get("state") == order.reference
    )


def tasks_in(api: TaskApi, response: HttpResponse) -> list[Json]:
    if not 200 <= response.status < 300:
        raise kit.complaint(api, response)
    try:
        return msgspec.json.decode(response.body, type=list[dict[str, Any]])
    except (msgspec.ValidationError, *UNREADABLE) as error:
        raise Problem(Kind.UPSTREAM_FAILED, "Midjourney sent a list of tasks that cannot be read.") from error


def cancel(api: TaskApi, handle: Json) -> Conversation[bool]:
    response = yield ask("POST", f"{ROOT}task/{handle['id']}/cancel")
    if not 200 <= response.status < 300:
        raise kit.complaint(api, response)
    return True


def read_callback(api: TaskApi, order: VendorRequest, request: HttpRequest) -> Json | None:
    try:
        return handle(order, kit.id_in(api, Reading(), msgspec.json.decode(request.body, type=dict[str, Any])))
    except (Problem, msgspec.ValidationError, *UNREADABLE):
        return None
