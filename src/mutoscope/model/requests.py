"""What passes between a wire and the service: a request read, a page of a list, an upload, an account."""

from collections.abc import Callable
from typing import Any, Literal

from msgspec import Struct

from mutoscope.model.job import Failure, Generation, Job, Json, State


class Proof(Struct, frozen=True, kw_only=True):
    """A credential that shows by a signature that its sender has the secret of an access key, without telling it."""

    key: str  # the access key
    signed: bytes
    signature: bytes  # HMAC-SHA256 of that with the secret
    begins: float  # Unix seconds between which it is good
    expires: float


class Submission(Struct, frozen=True, kw_only=True):
    """A request to make something, read."""

    generation: Generation
    webhook: str | None = None
    fields: dict[str, str] = {}  # generation field, or "webhook" → the caller's name for it, where they differ
    notes: tuple[str, ...] = ()
    unread: dict[str, Any] = {}  # members of the body that no table knows, by dotted path
    ignored: tuple[str, ...] = ()  # notes for them, told unless they reach the vendor whose words they are
    wait: float | None = None  # seconds the answer may wait for the job's end
    parent: str | None = None  # public id of an earlier job of this wire, which must be the caller's
    events: frozenset[State] | None = None  # the changes that the webhook is wanted for; None: those of the wire
    body: bytes | None = None  # what the job keeps as its body, where the request's own does not tell all
    follow: "Callable[[Job], Submission] | None" = None  # what it comes to, where that hangs on the parent; may raise
    waits: bool = False  # filed and made by nobody, until another submission takes its place: a dialog that is open
    replaces: bool = False  # takes the place and the id of its parent, which waits
    fails: Failure | None = None  # it is taken though it is not valid, and has failed when it is filed
    probes: bool = False  # its inputs are looked into before the job is filed, also where the wire does not do so


class Page(Struct, frozen=True, kw_only=True):
    number: int = 1  # from 1
    size: int = 20
    offset: int | None = None  # how many to pass over, in the place of `number`
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


class CallerAccount(Struct, frozen=True, kw_only=True):
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


class SecretWish(Struct, frozen=True, kw_only=True):
    """A key for a short time that is asked for."""

    seconds: int
    model: str
    session: Json  # what its sockets begin with


class Allowance(Struct, frozen=True, kw_only=True):
    """What is left of a caller's rate."""

    limit: int
    remaining: int
    reset_seconds: float
    of: Literal["requests", "tokens"] = "requests"
