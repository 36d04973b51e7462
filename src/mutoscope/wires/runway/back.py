"""How Runway is called, where it is not as the kit calls everybody: files sent ahead, reasons of failures, errors."""

import base64
import ipaddress
import re
from collections.abc import Iterator
from typing import Any, cast
from urllib.parse import urlsplit

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from mutoscope.model.http import Headers
from mutoscope.model.job import Failure, Input, Json
from mutoscope.model.problem import Kind, Problem
from mutoscope.wirekit import task as kit
from mutoscope.wirekit.answers import STORE_KINDS, ask, form, is_link, read_answer, refusal
from mutoscope.wirekit.back import Conversation, File, Transport, VendorRequest, Way
from mutoscope.wirekit.body import dotted
from mutoscope.wirekit.paths import at
from mutoscope.wirekit.task import TaskApi
from mutoscope.wires.runway.bodies import EXTENSIONS, FILENAME_PATTERN
from mutoscope.wires.runway.files import LINK_BYTES, MIN_UPLOAD, UPLOAD_BYTES, family_of
from mutoscope.wires.runway.pieces import MAX_IMAGE_TEXT, MAX_LINK, MAX_STREAM_TEXT, MIN_URI, UPLOAD_SCHEME
from mutoscope.wires.runway.tasks import UNKNOWN_FAILURE

VENDOR = "Runway"
VERSION_HEADER, VERSION = "x-runway-version", "2024-11-06"
"""Every call names the version of the API that it speaks."""

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


def ways(_order: VendorRequest, each: Input) -> tuple[Transport, ...]:
    family = family_of(each)
    link = (Transport(Way.LINK, LINK_BYTES[family]),) if each.url is None or is_fetchable(each.url) else ()
    inline = (TEXT_LENGTHS[family] - PREAMBLE) // 4 * 3
    return (*link, Transport(Way.UPLOAD, UPLOAD_BYTES), Transport(Way.DATA, inline))


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


def upload(api: TaskApi, file: File) -> Conversation[str]:
    """A file that is too small for the vendor's store goes inside the request."""
    if len(file.data) < MIN_UPLOAD:
        return f"data:{file.media_type};base64,{base64.b64encode(file.data).decode()}"
    response = yield ask("POST", "/v1/uploads", {"filename": filename(file), "type": "ephemeral"})
    if not 200 <= response.status < 300:
        raise kit.complaint(api, response)
    slot = read_answer(response, Slot, vendor=VENDOR)
    if not is_link(slot.upload_url) or not slot.runway_uri.startswith(UPLOAD_SCHEME):
        raise Problem(Kind.UPSTREAM_FAILED, f"{VENDOR} opened an upload slot that cannot be used.")
    response = yield form(slot.upload_url, slot.fields, replace(file, name=filename(file)))
    if not 200 <= response.status < 300:
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


# ---- what its answers tell


class News(Struct, frozen=True, kw_only=True):
    """A task. What is only told beside its status is not worth losing the task for, so its types are left open."""

    id: str | UnsetType = UNSET
    status: Any = None
    output: list[str] | UnsetType = UNSET


def failure_of(task: Json) -> Failure:
    code = told if isinstance(told := task.get("failureCode"), str) and told else None
    reason = told if isinstance(told := task.get("failure"), str) and told else None
    message = reason or f"{VENDOR} gave no reason beside the code {code or UNKNOWN_FAILURE}."
    return Failure(kind=failure_kind(code or UNKNOWN_FAILURE), message=message, code=code)


def failure_kind(code: str) -> Kind:
    """By the longest beginning of the code that is known: the vendor adds parts at its end."""
    parts = code.split(".")
    starts = [".".join(parts[:length]) for length in range(len(parts), 0, -1)]
    return next((FAILURE_KINDS[start] for start in starts if start in FAILURE_KINDS), Kind.UPSTREAM_FAILED)


def meant(status: int, reason: str) -> Kind | None:
    return next((kind for each, words, kind in WORDS if each == status and words in reason.lower()), None)


def blamed(answer: Any) -> Iterator[tuple[str, str]]:
    """The reason, which some relays put in an object, and each issue with its member."""
    error = at(answer, "error") if at(answer, "error") is not None else at(answer, "message")
    said, docs = at(error, "message") if isinstance(error, dict) else error, at(answer, "docUrl")
    if isinstance(said, str) and said:
        yield "", f"{said} ({docs})" if isinstance(docs, str) else said
    for each in at(answer, "issues.*"):
        if isinstance(each, dict):
            path = at(each, "path")
            steps = cast("list[Any]", path) if isinstance(path, list) else []
            where = dotted(tuple(step for step in steps if isinstance(step, str | int)))
            yield where, str(cast("Json", each).get("message", "no reason given"))
