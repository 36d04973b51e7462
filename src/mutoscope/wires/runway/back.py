"""How Runway is called: its tasks made, asked about and cancelled, and files sent ahead of them."""

import base64
import ipaddress
import re
from typing import Any, cast
from urllib.parse import urlsplit

import msgspec
from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from mutoscope.model.http import Headers, HttpResponse
from mutoscope.model.job import Failure, Input, Json, State, Update
from mutoscope.model.problem import Kind, Problem
from mutoscope.wirekit.answers import STORE_KINDS, TaskId, ask, form, is_link, news_of, read_answer, refusal
from mutoscope.wirekit.back import Back, Carriage, Conversation, File, Order, Way
from mutoscope.wirekit.body import dotted
from mutoscope.wires.runway.bodies import EXTENSIONS, FILENAME_PATTERN
from mutoscope.wires.runway.pieces import MAX_IMAGE_TEXT, MAX_LINK, MAX_STREAM_TEXT, MIN_URI, UPLOAD_SCHEME
from mutoscope.wires.runway.read import LINK_BYTES, MIN_UPLOAD, UPLOAD_BYTES, VERSION, VERSION_HEADER
from mutoscope.wires.runway.tasks import STATES, STATUSES, UNKNOWN_FAILURE
from mutoscope.wires.runway.write import Written, check, family_of, heeds, write

VENDOR = "Runway"

TEXT_LENGTHS = {"image": MAX_IMAGE_TEXT, "video": MAX_STREAM_TEXT, "audio": MAX_STREAM_TEXT}
"""How long a data URI may be."""
PREAMBLE = 64  # characters, at most, before the base64 of a data URI

FAILURE_KINDS = {
    "SAFETY": Kind.REFUSED,
    "INPUT_PREPROCESSING.SAFETY": Kind.REFUSED,
    "ASSET": Kind.BAD_MEDIA,
}
"""What the first parts of a failure's code mean; every other code is trouble of the vendor's own."""

WORDS = (
    (400, "enough credits", Kind.QUOTA_EXCEEDED),
    (429, "daily", Kind.QUOTA_EXCEEDED),
    (400, "failed to fetch asset", Kind.UNREACHABLE_MEDIA),
    (400, "timeout while fetching asset", Kind.UNREACHABLE_MEDIA),
    (400, "invalid asset", Kind.BAD_MEDIA),
    (400, "unsupported asset", Kind.BAD_MEDIA),
    (400, "asset size", Kind.BAD_MEDIA),
    (400, "asset duration", Kind.BAD_MEDIA),
    (400, "invalid data uri", Kind.BAD_MEDIA),
)
"""Statuses that the vendor gives more than one meaning, and the words that tell which."""


def sign(key: str, _now: float) -> Headers:
    return {"authorization": f"Bearer {key}", VERSION_HEADER: VERSION}


# ---- inputs


def ways(_order: Order, each: Input) -> tuple[Carriage, ...]:
    family = family_of(each)
    link = (Carriage(Way.LINK, LINK_BYTES[family]),) if each.url is None or is_fetchable(each.url) else ()
    inline = (TEXT_LENGTHS[family] - PREAMBLE) // 4 * 3
    return (*link, Carriage(Way.UPLOAD, UPLOAD_BYTES), Carriage(Way.DATA, inline))


def is_fetchable(url: str) -> bool:
    """The vendor fetches from https and from hosts with a name."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return False
    return url.startswith("https://") and is_name(host) and MIN_URI <= len(url) <= MAX_LINK


def is_name(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return "." in host
    return False


class Slot(Struct, frozen=True, kw_only=True, rename="camel"):
    """Where to send a file, what to send with it, and how to name it afterwards."""

    upload_url: str
    fields: dict[str, str]
    runway_uri: str


def upload(file: File) -> Conversation[str]:
    """A file that is too small for the vendor's store goes inside the request."""
    if len(file.data) < MIN_UPLOAD:
        return f"data:{file.media_type};base64,{base64.b64encode(file.data).decode()}"
    response = yield ask("POST", "/v1/uploads", {"filename": filename(file), "type": "ephemeral"})
    if not is_success(response):
        raise problem_of(response)
    slot = read_answer(response, Slot, vendor=VENDOR)
    if not is_link(slot.upload_url) or not slot.runway_uri.startswith(UPLOAD_SCHEME):
        raise Problem(Kind.UPSTREAM_FAILED, f"{VENDOR} opened an upload slot that cannot be used.")
    response = yield form(slot.upload_url, slot.fields, replace(file, name=filename(file)))
    if not is_success(response):
        raise refusal(response, "the file was not taken", vendor=f"{VENDOR}'s upload store", kinds=STORE_KINDS)
    return slot.runway_uri


def filename(file: File) -> str:
    """The vendor goes by the extension. Raises Problem(BAD_MEDIA) for a type that has none there."""
    if len(file.name) <= 255 and re.search(FILENAME_PATTERN, file.name):
        return file.name
    extension = next((each for each, type in EXTENSIONS.items() if type == file.media_type), None)
    if extension is None:
        known = ", ".join(dict.fromkeys(EXTENSIONS.values()))
        raise Problem(Kind.BAD_MEDIA, f"{VENDOR} takes no file of type {file.media_type}; it takes {known}.")
    return f"input.{extension}"


# ---- tasks


class Made(Struct, frozen=True, kw_only=True):
    """The answer to every create. It tells no status: the task waits."""

    id: TaskId


class News(Struct, frozen=True, kw_only=True, rename="camel"):
    """A task. What is only told beside its status is not worth losing the task for, so its types are left open."""

    status: str
    output: list[str] | UnsetType = UNSET
    progress: Any = None
    failure: Any = None
    failure_code: Any = None
    cost: Any = None


def submit(order: Order) -> Conversation[Update]:
    written = write(order)
    request = ask("POST", f"/v1/{written.form.endpoint}", written.body, spends=True)
    if order.reference:  # Runway does not know this header, a mutoscope does
        request = replace(request, headers={**request.headers, "idempotency-key": order.reference})
    response = yield request
    if not is_success(response):
        raise problem_of(response, written)
    made = read_answer(response, Made, vendor=VENDOR)
    return news_of(vendor=VENDOR, state=State.QUEUED, status=STATUSES[State.QUEUED], handle={"id": made.id})


def poll(handle: Json) -> Conversation[Update]:
    response = yield ask("GET", task_path(handle))
    if not is_success(response):
        raise problem_of(response)
    news = read_answer(response, News, vendor=VENDOR)
    state = STATES.get(news.status)
    if state is None:
        raise Problem(
            Kind.UPSTREAM_FAILED, f"{VENDOR} tells a status that it does not document: {news.status[:100]!r}."
        )
    return news_of(
        vendor=VENDOR,
        state=state,
        status=news.status,
        progress=news.progress,
        links=() if isinstance(news.output, UnsetType) else news.output,
        failure=failure_of(news) if state is State.FAILED else None,
        cost=cast("Json", news.cost).get("credits") if isinstance(news.cost, dict) else None,
    )


def cancel(handle: Json) -> Conversation[bool]:
    """Deletes the task: one that is done goes with its output. One that is gone was cancelled before."""
    response = yield ask("DELETE", task_path(handle))
    if is_success(response) or response.status == 404:
        return True
    raise problem_of(response)


def task_path(handle: Json) -> str:
    return f"/v1/tasks/{handle['id']}"


def failure_of(news: News) -> Failure:
    code = news.failure_code if isinstance(news.failure_code, str) and news.failure_code else None
    message = news.failure if isinstance(news.failure, str) and news.failure else None
    told = message or f"{VENDOR} gave no reason beside the code {code or UNKNOWN_FAILURE}."
    return Failure(kind=failure_kind(code or UNKNOWN_FAILURE), message=told, code=code)


def failure_kind(code: str) -> Kind:
    """By the longest beginning of the code that is known: the vendor adds parts at its end."""
    parts = code.split(".")
    starts = [".".join(parts[:length]) for length in range(len(parts), 0, -1)]
    return next((FAILURE_KINDS[start] for start in starts if start in FAILURE_KINDS), Kind.UPSTREAM_FAILED)


# ---- trouble


def is_success(response: HttpResponse) -> bool:
    return 200 <= response.status < 300


def problem_of(response: HttpResponse, written: Written | None = None) -> Problem:
    """What an error answer tells; `written` is the body that it is about."""
    answer = plain(response.body)
    issues = [cast("Json", each) for each in listed(answer.get("issues")) if isinstance(each, dict)]
    reason = "; ".join((*texts(answer), *(worded(each) for each in issues)))
    kinds = [kind for status, words, kind in WORDS if status == response.status and words in reason.lower()]
    problem = refusal(response, reason, vendor=VENDOR, kinds={response.status: kinds[0]} if kinds else None)
    if written and issues:
        problem.field = written.field(path_of(issues[0]))
    return problem


def texts(answer: Json) -> tuple[str, ...]:
    """The reason, which some relays put in an object."""
    error = answer.get("error", answer.get("message"))
    said = cast("Json", error).get("message") if isinstance(error, dict) else error
    docs = answer.get("docUrl")
    text = f"{said} ({docs})" if said and isinstance(docs, str) else said
    return (text,) if isinstance(text, str) and text else ()


def worded(issue: Json) -> str:
    where = dotted(path_of(issue))
    message = str(issue.get("message", "no reason given"))
    return f"{where}: {message}" if where else message


def path_of(issue: Json) -> tuple[str | int, ...]:
    return tuple(step for step in listed(issue.get("path")) if isinstance(step, str | int))


def plain(body: bytes) -> Json:
    """The members of an answer; none when it is not an object."""
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return cast("Json", value) if isinstance(value, dict) else {}


def listed(value: Any) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else []


BACK = Back(
    vendor="runway",
    base_url="https://api.dev.runwayml.com",
    sign=sign,
    heeds=heeds,
    ways=ways,
    check=check,
    submit=submit,
    poll=poll,
    cancel=cancel,
    upload=upload,
)
