"""What a call of the admin API is, and what all of them have at hand."""

import re
from collections.abc import Awaitable, Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from msgspec import Struct

from mutoscope.background.retention import Sweeper
from mutoscope.engines.local.pool import Pool
from mutoscope.engines.relay import Relay
from mutoscope.engines.transcripts import Transcripts
from mutoscope.model.catalog import Catalog
from mutoscope.model.http import HttpRequest, HttpResponse
from mutoscope.model.job import Json
from mutoscope.model.problem import Kind, Problem
from mutoscope.service.faults import Faults
from mutoscope.service.gateway import Gateway
from mutoscope.service.keys import Caller
from mutoscope.store import Store
from mutoscope.web.health import Readiness
from mutoscope.wirekit.routes import Create
from mutoscope.wirekit.wire import Wire

ADMIN = "/admin"
PLACEHOLDER = re.compile(r"\{(\w+)\}")
NOT_STORED = {"cache-control": "no-store"}


class Parts(Struct, frozen=True, kw_only=True):
    """What the office works with beside the gateway; None where the server was put together without."""

    readiness: Readiness | None = None
    sweeper: Sweeper | None = None
    transcripts: Transcripts | None = None
    data: Path | None = None
    models: Pool | None = None
    webhook_secret: str = ""


class Desk(Struct, frozen=True, kw_only=True):
    """What every call has at hand."""

    gateway: Gateway
    wires: Mapping[str, Wire]
    rehearsal: bool
    faults: Faults | None  # of a server that rehearses
    parts: Parts
    received: "Any" = None  # the receiver of webhooks that the console has
    read: "Callable[[str, str, str, bytes], tuple[Wire, Create, HttpRequest]] | None" = (
        None  # a request to a wire's path
    )
    document: Callable[[], Json] = dict  # what /openapi.json says
    drawn: dict[Any, str] = {}  # tiles of the gallery, which every open one asks for

    @property
    def store(self) -> Store:
        return self.gateway.store

    @property
    def catalog(self) -> Catalog:
        return self.gateway.catalog

    @property
    def relays(self) -> Mapping[str, Relay]:
        return self.gateway.relays

    def now(self) -> float:
        return self.gateway.clock()


class Asked(Struct, frozen=True, kw_only=True):
    """One call: who, what for, and its query and body as the call's types."""

    request: HttpRequest
    caller: Caller
    params: dict[str, str] = {}
    query: Any = None
    body: Any = None


class Call(Struct, frozen=True, kw_only=True, dict=True):
    at: str  # "GET /admin/jobs/{id}"
    summary: str
    answer: Callable[[Desk, Asked], Awaitable[Json | HttpResponse]]
    query: type[Struct] | None = None
    body: type[Struct] | None = None
    large: bool = False  # its body may carry files
    streams: bool = False
    files: bool = False  # its answer is not JSON

    @property
    def method(self) -> str:
        return self.at.split(" ", 1)[0]

    @property
    def path(self) -> str:
        return self.at.split(" ", 1)[1]

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        return re.compile(PLACEHOLDER.sub(r"(?P<\1>[^/]+)", self.path))


def found(value: Any, what: str, id: str) -> Any:
    """Raises Problem(NOT_FOUND) for None."""
    if value is None:
        raise Problem(Kind.NOT_FOUND, f"There is no {what} {id!r}.", field="id")
    return value
