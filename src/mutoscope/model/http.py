"""HTTP as plain data, so that a wire can be read and written without a socket."""

from typing import Any

import msgspec
from msgspec import Struct

Headers = dict[str, str]
"""Header names are lower case."""


class HttpRequest(Struct, frozen=True, kw_only=True):
    method: str
    path: str  # decoded, without the query
    params: dict[str, str] = {}  # what the route's {placeholders} matched
    query: dict[str, str] = {}
    headers: Headers = {}
    body: bytes = b""
    spends: bool = False  # the one request of a conversation that costs money


class HttpResponse(Struct, frozen=True, kw_only=True):
    status: int = 200
    headers: Headers = {}
    body: bytes = b""
    media_type: str = "application/json"


def json_response(value: Any, status: int = 200, headers: Headers | None = None) -> HttpResponse:
    return HttpResponse(status=status, body=msgspec.json.encode(value), headers=headers or {})
