"""Reads a vendor's answers: what every wire's back end does alike."""

import hashlib
from typing import TypeVar

import msgspec

from mutoscope.model.http import Headers, HttpRequest, HttpResponse
from mutoscope.model.problem import Kind, Problem
from mutoscope.wirekit.back import File, Order

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


def read_answer(response: HttpResponse, type: type[T], *, vendor: str) -> T:
    """The JSON of a 2xx answer. Raises Problem(UPSTREAM_FAILED) for what is not what the vendor documents."""
    try:
        return msgspec.json.decode(response.body, type=type)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        reason = str(error)[:LONGEST_REASON]
        raise Problem(Kind.UPSTREAM_FAILED, f"{vendor} sent an answer that cannot be read: {reason}") from error


def refusal(response: HttpResponse, reason: str, *, vendor: str, kinds: dict[int, Kind] | None = None) -> Problem:
    """The problem that an error answer tells of: the status decides the kind, the vendor's text is its message."""
    kind = (kinds or {}).get(response.status) or KINDS_BY_STATUS.get(response.status, Kind.UPSTREAM_FAILED)
    message = f"{vendor} answered {response.status}: {reason[:LONGEST_REASON] or 'no reason given'}"
    return Problem(kind, message, retry_after=retry_after(response))


def retry_after(response: HttpResponse) -> float | None:
    """Seconds to wait, where the answer says so as a number; a date is left to the caller's own patience."""
    return retry_after_in(response.headers)


def retry_after_in(headers: Headers) -> float | None:
    text = headers.get("retry-after", "").strip()
    try:
        seconds = float(text)
    except ValueError:
        return None
    return seconds if 0 <= seconds < 86400 else None


def source_of(order: Order, field: str) -> str:
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


def form(url: str, fields: dict[str, str], file: File) -> HttpRequest:
    """A multipart form, the file last, as object stores want it."""
    boundary = f"mutoscope-{hashlib.sha256(file.data).hexdigest()}"  # no file holds its own digest
    parts = [
        f'--{boundary}\r\ncontent-disposition: form-data; name="{quoted(name)}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    parts.append(
        f'--{boundary}\r\ncontent-disposition: form-data; name="file"; filename="{quoted(file.name)}"\r\n'
        f"content-type: {file.media_type}\r\n\r\n"
    )
    body = "".join(parts).encode() + file.data + f"\r\n--{boundary}--\r\n".encode()
    headers = {"content-type": f"multipart/form-data; boundary={boundary}"}
    return HttpRequest(method="POST", path=url, headers=headers, body=body)


def quoted(name: str) -> str:
    """As browsers write the names of a form."""
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
