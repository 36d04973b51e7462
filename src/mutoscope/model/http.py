"""HTTP as plain data, so that a wire can be read and written without a socket."""

from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from mutoscope.model.words import KeptAnswer

Headers = dict[str, str]
"""Header names are lower case."""


class HttpRequest(Struct, frozen=True, kw_only=True):
    method: str
    path: str  # decoded, without the query
    params: dict[str, str] = {}  # what the route's {placeholders} matched
    query: dict[str, str] = {}
    headers: Headers = {}
    body: bytes = b""
    form: "Form | None" = None  # where the body is a form and the route takes one
    origin: str = ""  # scheme://host as clients reach us, for links in answers
    spends: bool = False  # the one request of a conversation that costs money
    id: str = ""  # by which its caller and the log know it, once it has one
    recalled: tuple[KeptAnswer, ...] = ()  # kept answers that it names, each before the one that it goes on from


class FormFile(Struct, frozen=True, kw_only=True):
    """A file inside a form, lying on disk for as long as the request is answered."""

    path: Path
    name: str = ""  # as the client called it
    media_type: str = "application/octet-stream"  # as the client called it
    bytes: int = 0
    digest: str = ""  # SHA-256, hexadecimal


class Form(Struct, frozen=True, kw_only=True):
    """A form: the texts and the files of its parts by name, several under one name in their order."""

    texts: dict[str, list[str]] = {}
    files: dict[str, list[FormFile]] = {}


class HttpResponse(Struct, frozen=True, kw_only=True):
    status: int = 200
    headers: Headers = {}
    body: bytes = b""
    media_type: str = "application/json"


def json_response(value: Any, status: int = 200, headers: Headers | None = None) -> HttpResponse:
    return HttpResponse(status=status, body=msgspec.json.encode(value), headers=headers or {})
