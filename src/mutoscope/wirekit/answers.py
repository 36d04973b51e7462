"""Reads a vendor's answers: what every wire's back end does alike.

Whatever a vendor tells is bounded here, as it is read: numbers, texts, links, and ids that become parts of a path.
"""

import hashlib
import json
import re
import sys
from collections.abc import Sequence
from typing import Annotated, Any, NamedTuple, TypeVar, cast

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from mutoscope.model.http import Headers, HttpRequest, HttpResponse
from mutoscope.model.job import Failure, Json, State, Update
from mutoscope.model.problem import Kind, Problem
from mutoscope.wirekit.back import File, VendorRequest
from mutoscope.wirekit.media import LINK, data_uri

T = TypeVar("T")

KINDS_BY_STATUS: dict[int, Kind] = {
    400: Kind.INVALID,
    401: Kind.UNAUTHENTICATED,
    402: Kind.QUOTA_EXCEEDED,
    403: Kind.FORBIDDEN,
    404: Kind.NOT_FOUND,
    405: Kind.INVALID,
    408: Kind.UPSTREAM_FAILED,
    409: Kind.CONFLICT,
    413: Kind.TOO_LARGE,
    415: Kind.BAD_MEDIA,
    422: Kind.INVALID,
    429: Kind.RATE_LIMITED,
    503: Kind.UNAVAILABLE,
}
"""What an error status means where a vendor does not say otherwise; every other one is UPSTREAM_FAILED."""

STORE_KINDS: dict[int, Kind] = dict.fromkeys((400, 401, 403, 404, 405, 409), Kind.UPSTREAM_FAILED)
"""For `refusal`: an upload store is not the API, and what it refuses says nothing about the key or the request."""

SOURCE_STAND_IN = "https://input.invalid/file"
"""Stands for an input while a request is only checked, before its file has gone anywhere."""

LONGEST_REASON = 500  # characters of a vendor's message that are passed on
LONGEST_WORD = 100  # characters of a status or a code
LONGEST_RESULT = 100_000  # characters of a result that is words
LONGEST_LINK = 8192
MOST_LINKS = 64  # files of one task
MOST_CREDITS = 1_000_000.0  # that one task can cost
LONGEST_PAUSE = 600.0  # seconds that a vendor may ask us to wait
LONGEST_SHOWN = 40  # characters of a value that cannot be

CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""What a text may not do: control a terminal, begin a line, turn its direction, or be half a character."""

TaskId = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_~-][A-Za-z0-9._~-]{0,127}\Z")]
"""It becomes a part of a path, so that it may not be one, nor begin like `.` and `..`."""


def read_answer(response: HttpResponse, type: type[T], *, vendor: str) -> T:
    """The JSON of a 2xx answer. Raises Problem(UPSTREAM_FAILED) for what is not what the vendor documents."""
    try:
        return decoded(response.body, type)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        reason = plain_text(str(error))
        raise Problem(Kind.UPSTREAM_FAILED, f"{vendor} sent an answer that cannot be read: {reason}") from error


def decoded(body: bytes, type: type[T]) -> T:
    """A number that is too large for any use spoils no more than its own field: there it is infinite."""
    try:
        return msgspec.json.decode(body, type=type)
    except msgspec.DecodeError as error:
        if "out of range" not in str(error):
            raise
        value: Any = json.loads(body, parse_int=lambda digits: int(digits) if len(digits) < 20 else float(digits))
        return msgspec.convert(value, type)


def news_of(
    *,
    vendor: str,
    state: State,
    status: str,
    progress: Any = None,
    links: Sequence[Any] = (),
    texts: Sequence[Any] = (),
    inline: Sequence[Any] = (),
    failure: Failure | None = None,
    handle: Json | None = None,
    cost: Any = None,
) -> Update:
    """News as a vendor tells it, in bounds; what cannot be counts as not told.

    Raises Problem(UPSTREAM_FAILED) for a task that succeeded and names no file that could be fetched.
    """
    doubts: list[str] = []
    status = plain_text(status, LONGEST_WORD)
    said = [plain_lines(each, LONGEST_RESULT) for each in texts if isinstance(each, str)]
    files = [each for each in inline if isinstance(each, str)]
    if state is State.SUCCEEDED and not (said or files or (links and all(map(is_link, links)))):
        raise Problem(Kind.UPSTREAM_FAILED, f"{vendor} reports {status} without a link to what was made.")
    if len(links) > MOST_LINKS:
        doubts.append(f"{len(links)} files of one task, which cannot be: the first {MOST_LINKS} are taken")
    charged = number(cost, 0.0, MOST_CREDITS)
    if cost is not None and charged is None:
        doubts.append(f"a cost of {plain_text(repr(cost), LONGEST_SHOWN)}, which cannot be: it counts as not told")
    share = number(progress, 0.0, 1.0, clamped=True)
    return Update(
        state=state,
        upstream_status=status,
        progress=share if state is State.RUNNING else None,
        links=tuple(links[:MOST_LINKS]) if state is State.SUCCEEDED else (),
        texts=tuple(said[:MOST_LINKS]) if state is State.SUCCEEDED else (),
        inline=tuple(files[:MOST_LINKS]) if state is State.SUCCEEDED else (),
        failure=bounded(failure) if failure is not None and state is State.FAILED else None,
        handle=handle or {},
        cost=charged if state.final else None,
        doubts=tuple(doubts),
    )


def plain_text(text: str, most: int = LONGEST_REASON) -> str:
    """A vendor's words as they may be stored, logged and passed on."""
    return CONTROLS.sub(" ", text[:most])


def plain_lines(text: str, most: int) -> str:
    """Words that were made, which may have lines."""
    return "\n".join(plain_text(line, most) for line in text[:most].split("\n"))


def is_link(value: Any) -> bool:
    return (
        isinstance(value, str)
        and len(value) <= LONGEST_LINK
        and LINK.fullmatch(value) is not None
        and CONTROLS.search(value) is None
    )


def number(value: Any, least: float, most: float, *, clamped: bool = False) -> float | None:
    """A number within bounds, or brought into them; None for any other value, and for one that no float holds."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        return None
    if clamped:
        value = min(max(value, least), most)
    return float(value) if least <= value <= min(most, sys.float_info.max) else None


def bounded(failure: Failure) -> Failure:
    code = None if failure.code is None else plain_text(failure.code, LONGEST_WORD)
    return replace(failure, message=plain_text(failure.message), code=code)


def refusal(response: HttpResponse, reason: str, *, vendor: str, kinds: dict[int, Kind] | None = None) -> Problem:
    """The problem that an error answer tells of: the status decides the kind, the vendor's text is its message."""
    kind = (kinds or {}).get(response.status) or KINDS_BY_STATUS.get(response.status, Kind.UPSTREAM_FAILED)
    message = f"{vendor} answered {response.status}: {plain_text(reason) or 'no reason given'}"
    return Problem(kind, message, retry_after=retry_after(response))


def retry_after(response: HttpResponse) -> float | None:
    """Seconds to wait, where the answer says so as a number, up to our own patience, to which a date is left too."""
    return retry_after_in(response.headers)


def retry_after_in(headers: Headers) -> float | None:
    text = headers.get("retry-after", "").strip()
    try:
        seconds = float(text)
    except ValueError:
        return None
    return min(seconds, LONGEST_PAUSE) if seconds >= 0 else None


def source_of(order: VendorRequest, field: str) -> str:
    """What stands for an input in the request."""
    return order.sources.get(field, SOURCE_STAND_IN)


def ask(method: str, path: str, body: object = None, *, spends: bool = False, **query: str) -> HttpRequest:
    """A request with a JSON body, or none."""
    if body is None:
        return HttpRequest(method=method, path=path, query=query, spends=spends)
    return HttpRequest(
        method=method,
        path=path,
        query=query,
        headers={"content-type": "application/json"},
        body=msgspec.json.encode(body),
        spends=spends,
    )


def form(url: str, fields: dict[str, str], file: File, *, part: str = "file") -> HttpRequest:
    """A multipart form, the file last, as object stores want it."""
    texts = [Part(name, value.encode()) for name, value in fields.items()]
    return multipart(url, (*texts, Part(part, file.data, file.media_type, file.name)))


class Part(NamedTuple):
    """A part of a multipart form: a text, or a file with its name."""

    name: str
    data: bytes
    media_type: str = ""
    file: str = ""
    id: str = ""  # by which another part speaks of it


def multipart(url: str, parts: Sequence[Part]) -> HttpRequest:
    boundary = f"mutoscope-{hashlib.sha256(b''.join(each.data for each in parts)).hexdigest()}"  # no data has its own
    headers = {"content-type": f"multipart/form-data; boundary={boundary}"}
    return HttpRequest(method="POST", path=url, headers=headers, body=between(boundary, parts))


def between(boundary: str, parts: Sequence[Part]) -> bytes:
    """The parts of a form one after the other."""
    body = bytearray()
    for each in parts:
        body += f'--{boundary}\r\ncontent-disposition: form-data; name="{quoted(each.name)}"'.encode()
        body += f'; filename="{quoted(each.file)}"'.encode() if each.file else b""
        body += f"\r\ncontent-id: <{each.id}>".encode() if each.id else b""
        body += f"\r\ncontent-type: {each.media_type}".encode() if each.media_type else b""
        body += b"\r\n\r\n" + each.data + b"\r\n"
    return bytes(body + f"--{boundary}--\r\n".encode())


def in_parts(request: HttpRequest) -> HttpRequest:
    """A JSON request as a form, where one of its members is a file as a data URI; else as it is.

    A list is a part each, an object is JSON in one part.
    """
    said: Json = msgspec.json.decode(request.body)
    parts = [part for name, value in said.items() for part in parts_of(name, value)]
    if not any(part.file for part in parts):
        return request
    made = multipart(request.path, parts)
    return replace(request, headers=request.headers | made.headers, body=made.body)


def parts_of(name: str, value: Any) -> list[Part]:
    match value:
        case list():
            return [part for each in cast("list[Any]", value) for part in parts_of(name, each)]
        case dict():
            return [Part(name, msgspec.json.encode(value), "application/json")]
        case str() if value.startswith("data:"):
            media_type, data = data_uri(value)
            media_type = media_type or "application/octet-stream"
            return [Part(name, data, media_type, f"{name}.{media_type.rpartition('/')[2]}")]
        case str():
            return [Part(name, value.encode())]
        case _:
            return [Part(name, msgspec.json.encode(value))]


def quoted(name: str) -> str:
    """As browsers write the names of a form."""
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
