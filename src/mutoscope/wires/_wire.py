"""What a wire is: a vendor's HTTP API as data and pure functions.

A wire is a value of `Wire`. Its table of routes says which paths exist and which verb of the gateway
each one asks for; the functions beside a route translate. Nothing here touches a socket, a clock or a disk.
"""

from collections.abc import Callable, Generator
from enum import StrEnum
from typing import Any, Literal, TypeVar

from msgspec import Struct

from mutoscope.http import Headers, HttpRequest, HttpResponse
from mutoscope.job import Generation, Input, Job, Json, Operation, Update
from mutoscope.problem import Problem

T = TypeVar("T")
Conversation = Generator[HttpRequest, HttpResponse, T]
"""Yields requests, is sent their answers, returns what it learned; raises Problem when an answer cannot be used.

A request's path is relative to the account's base URL, or an absolute https URL of the vendor's choosing (an upload
slot); the key is put on the former only.
"""


class Verb(StrEnum):
    """What a route asks of the gateway; the comment names the route's functions and their types."""

    SUBMIT = "submit"  # parse: HttpRequest -> Submission; render: (Job, HttpRequest) -> HttpResponse
    SHOW = "show"  # render: (Job, HttpRequest) -> HttpResponse; the job's id is params["id"]
    LIST = "list"  # parse: HttpRequest -> Page; render: (tuple[Job, ...], HttpRequest) -> HttpResponse
    REMOVE = "remove"  # cancels an unfinished job, deletes a finished one; render: (Job, HttpRequest) -> …
    CANCEL = "cancel"  # cancels a queued job; any other is Problem(CONFLICT); render: (Job, HttpRequest) -> …
    OPEN_UPLOADS = "open_uploads"  # parse: HttpRequest -> tuple[UploadWish, ...]; render: (tuple[Upload, ...], …)
    LIST_UPLOADS = "list_uploads"  # render: (tuple[Upload, ...], HttpRequest) -> HttpResponse
    ACCOUNT = "account"  # render: (Account, HttpRequest) -> HttpResponse
    USAGE = "usage"  # parse: HttpRequest -> Period; render: (Usage, HttpRequest) -> HttpResponse


class Submission(Struct, frozen=True, kw_only=True):
    """A request to make something, read."""

    generation: Generation
    webhook: str | None = None
    fields: dict[str, str] = {}  # generation field, or "webhook" → the caller's name for it, where they differ
    notes: tuple[str, ...] = ()
    wait: float | None = None  # seconds the answer may wait for the job's end


class Page(Struct, frozen=True, kw_only=True):
    number: int = 1  # from 1
    size: int = 20
    ahead: int = 0  # how many more to give, so that the answer can say whether another page follows
    keep: Callable[[Job], bool] | None = None  # counts and gives those jobs only
    since: float | None = None  # with `keep`: nothing that was created before


ANY_FILE = "application/octet-stream"
"""The media type of an upload whose caller does not say what it will be."""


class UploadWish(Struct, frozen=True, kw_only=True):
    """A file that the caller wants to send ahead of a request."""

    media_type: str  # or ANY_FILE
    name: str | None = None
    min_bytes: int = 0
    max_bytes: int
    keep_seconds: float  # how long the file stays usable
    slot_seconds: float  # how long the slot takes the bytes


class Upload(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An upload slot, empty until `asset` is set."""

    id: str
    wire: str
    owner: str
    media_type: str
    name: str | None = None
    min_bytes: int = 0
    max_bytes: int
    created: float
    slot_expires: float
    expires: float
    asset: str | None = None
    bytes: int | None = None
    put_url: str = ""  # signed, set by the gateway when shown; takes PUT (raw bytes) and POST (multipart)
    policy: str = ""  # the signature of put_url alone, for vendors that send it as a form field
    asset_url: str = ""  # signed, set by the gateway when shown; readable once the bytes are there
    asset_url_expires: float = 0.0


class ModelAccount(Struct, frozen=True, kw_only=True):
    max_concurrent: int | None = None
    max_daily: int | None = None
    made_today: int = 0  # in the last 24 hours


class Account(Struct, frozen=True, kw_only=True):
    models: dict[str, ModelAccount]  # by the catalog's name
    spent: float = 0.0  # credits in the last 30 days
    budget: float | None = None  # credits that may be spent in a period
    period: Literal["day", "month", "total"] = "month"
    left: float | None = None  # of the budget


class Period(Struct, frozen=True, kw_only=True):
    """Days as YYYY-MM-DD in UTC; `before` is exclusive. None leaves the choice to the gateway."""

    start: str | None = None
    before: str | None = None


class Usage(Struct, frozen=True, kw_only=True):
    days: dict[str, dict[str, float]]  # YYYY-MM-DD → model → credits; every day of the period is present


class Route(Struct, frozen=True, kw_only=True):
    """One row of a wire's table of routes."""

    verb: Verb
    at: str  # method and path, for example "GET /v1/tasks/{id}"
    route: str = ""  # the job's `route`: reads and lists see only jobs that carry it; "" sees all of the wire
    parse: Callable[[HttpRequest], Any] | None = None
    render: Callable[..., HttpResponse]
    body: Any = None  # type of the request body, for OpenAPI
    answer: Any = None  # type of the answer, for OpenAPI
    status: int = 200
    summary: str = ""
    query: type[Struct] | None = None  # type of the query parameters, for OpenAPI
    headers: dict[str, str] = {}  # beside those of the wire, what this request must carry, for OpenAPI: name → value

    @property
    def method(self) -> str:
        return self.at.split(" ", 1)[0]

    @property
    def path(self) -> str:
        return self.at.split(" ", 1)[1]


class Wire(Struct, frozen=True, kw_only=True):
    name: str
    title: str
    docs: str  # the vendor's documentation
    roots: tuple[str, ...]  # path prefixes whose unknown paths are answered in this wire's words
    routes: tuple[Route, ...]
    render_problem: Callable[[Problem, HttpRequest], HttpResponse]
    credential: Callable[[HttpRequest], str | None]  # the key that the caller sent, or None
    public_id: Callable[[str], str]  # our id → the vendor's form
    job_id: Callable[[str], str | None]  # the vendor's form → our id; None when it cannot be one
    precheck: Callable[[HttpRequest, "Route | None"], Problem | None] | None = None  # a required version header …
    render_webhook: Callable[[Job], bytes | None] | None = None  # None: this change owes no message
    answer_headers: Callable[["Allowance"], dict[str, str]] | None = None  # the vendor's rate-limit headers
    probes_inputs: bool = False  # the vendor refuses bad media before a job exists
    problem_schema: Any = None  # type of an error answer, for OpenAPI
    security: dict[str, Any] = {}  # the OpenAPI security scheme, or several by name of which any will do
    headers: dict[str, str] = {}  # beside the key, what every request must carry, for OpenAPI: name → value
    absent: Callable[[HttpRequest], HttpResponse | None] | None = None
    """What a good key gets at a path of the vendor's that is not served: an empty list, where it is that of a list."""
    slashed: bool = False  # a slash may follow its paths, since the vendor's clients do not agree on that
    back: "Back | None" = None  # the other end: how we call the vendor


class Way(StrEnum):
    """How an input file reaches a vendor."""

    LINK = "link"  # the vendor fetches an https URL
    UPLOAD = "upload"  # we send it to the vendor's own store first
    DATA = "data"  # a data URI inside the request


class Carriage(Struct, frozen=True):
    """A way that a vendor takes one input, and the largest file (bytes) that goes by it; None names no bound."""

    way: Way
    max_bytes: int | None = None


class File(Struct, frozen=True, kw_only=True):
    """An input file for `Back.upload`."""

    name: str  # with the extension of its type
    media_type: str
    data: bytes


class Order(Struct, frozen=True, kw_only=True):
    """What is asked of a vendor: a generation with the model's names there, its files already on their way.

    Width, height or resolution, and seconds are filled in from the catalog's row; a seed, fps or anything else is there
    only where the caller asked for it.
    """

    generation: Generation
    names: tuple[str, ...]  # of the model on this wire, from its catalog row
    sources: dict[
        str, str
    ] = {}  # Input.field → what stands for it in the request: link, data URI, the vendor's own uri
    callback: str | None = None  # a URL of ours that the vendor may call when there is news
    reference: str = ""  # our name for the job: the same at every try, and told to the vendor where it takes one


class Back(Struct, frozen=True, kw_only=True):
    """How we call the vendor. Pure like the front: data in, data out."""

    vendor: str  # as catalog rows name it: its own account comes first on the route of its own models
    base_url: str
    sign: Callable[[str], Headers]  # key → the headers of every request
    heeds: Callable[[Operation, tuple[str, ...]], frozenset[str] | None]
    """(operation, the model's names here) → the Generation fields, input roles and `extra` names that can be said to
    the vendor; None: it does not do that."""
    ways: Callable[[Order, Input], tuple[Carriage, ...]]  # how this input may travel, the best first
    check: Callable[[Order], None]
    """Raises Problem (INVALID, UNSUPPORTED) for what cannot be translated: `field` is the name in our Generation
    (width, seconds, last_frame, …). `sources` is empty. What passes here, `submit` can say."""
    submit: Callable[[Order], Conversation[Update]]  # one of its requests is marked `spends`; the Update has a handle
    poll: Callable[[Json], Conversation[Update]]  # handle → news; Problem(NOT_FOUND): the vendor does not know it
    cancel: Callable[[Json], Conversation[bool]] | None = None  # whether the vendor stopped it; None: it cannot be told
    upload: Callable[[File], Conversation[str]] | None = None  # returns what stands for the file in a request
    find: Callable[[Order, float], Conversation[tuple[Json, ...]]] | None = None
    """Handles of tasks like this order's that the vendor lists since then (Unix seconds), newest first."""
    batch: Callable[[tuple[Json, ...]], Conversation[dict[int, Update]]] | None = None
    """News of several at once, by their place in the argument; those it does not tell of are polled alone. Only
    handles of one `batch_key` are put together."""
    batch_key: Callable[[Json], str] | None = None
    read_callback: Callable[[Order, HttpRequest], Json | None] | None = None
    """The handle of the task that a vendor's callback speaks of, which was asked for by this order."""
    unsent: frozenset[int] = frozenset({429, 503})
    """Statuses of an answer to the spending request that say for certain that nothing was submitted. Other 4xx are
    refusals; what else is not 2xx leaves it unknown."""
    requests_per_second: float | None = None  # what the vendor allows one account, where it says so


class Allowance(Struct, frozen=True, kw_only=True):
    """What is left of a caller's request rate."""

    limit: int
    remaining: int
    reset_seconds: float
