"""The other end of a wire: how we call the vendor. Pure like the front: data in, data out."""

from collections.abc import Callable, Generator
from enum import StrEnum
from typing import TypeVar

from msgspec import Struct

from mutoscope.model.http import Headers, HttpRequest, HttpResponse
from mutoscope.model.job import Generation, Input, Json, Operation, Update
from mutoscope.model.problem import Kind

T = TypeVar("T")
Conversation = Generator[HttpRequest, HttpResponse, T]
"""Yields requests, is sent their answers, returns what it learned; raises Problem when an answer cannot be used.

A request's path is relative to the account's base URL, or an absolute https URL of the vendor's choosing (an upload
slot); the key is put on the former only.
"""


class Way(StrEnum):
    """How an input file reaches a vendor."""

    LINK = "link"  # the vendor fetches an https URL
    UPLOAD = "upload"  # we send it to the vendor's own store first
    DATA = "data"  # a data URI inside the request


class Transport(Struct, frozen=True):
    """A way that a vendor takes one input, and the largest file (bytes) that goes by it; None names no bound."""

    way: Way
    max_bytes: int | None = None


class File(Struct, frozen=True, kw_only=True):
    """An input file for `Back.upload`."""

    name: str  # with the extension of its type
    media_type: str
    data: bytes


class VendorRequest(Struct, frozen=True, kw_only=True):
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
    earlier: dict[str, Json] = {}  # Input.output_of → the vendor's own handle of that job, where this account made it
    reference: str = ""  # our name for the job: the same at every try, and told to the vendor where it takes one


class Back(Struct, frozen=True, kw_only=True):
    """How we call the vendor. Pure like the front: data in, data out."""

    vendor: str  # as catalog rows name it: its own account comes first on the route of its own models
    base_url: str  # "": the vendor has none, and each account names that of its reseller
    sign: Callable[[str, float], Headers]  # key and Unix time → the headers of every request
    supports: Callable[[Operation, tuple[str, ...]], frozenset[str] | None]
    """(operation, the model's names here) → the Generation fields, input roles and `extra` names that can be said to
    the vendor; None: it does not do that."""
    ways: Callable[[VendorRequest, Input], tuple[Transport, ...]]  # how this input may travel, the best first
    check: Callable[[VendorRequest], None]
    """Raises Problem (INVALID, UNSUPPORTED) for what cannot be translated: `field` is the name in our Generation
    (width, seconds, last_frame, …). `sources` is empty. What passes here, `submit` can say."""
    submit: Callable[
        [VendorRequest], Conversation[Update]
    ]  # one of its requests is marked `spends`; the Update has a handle
    poll: Callable[[Json], Conversation[Update]]  # handle → news; Problem(NOT_FOUND): the vendor does not know it
    cancel: Callable[[Json], Conversation[bool]] | None = None  # whether the vendor stopped it; None: it cannot be told
    upload: Callable[[File], Conversation[str]] | None = None  # returns what stands for the file in a request
    find: Callable[[VendorRequest, float], Conversation[tuple[Json, ...]]] | None = None
    """Handles of tasks like this order's that the vendor lists since then (Unix seconds), newest first."""
    finds_by_reference: bool = False
    """Whether `find` gives the tasks that carry this order's reference and no others: then it does not matter who else
    uses the account."""
    batch: Callable[[tuple[Json, ...]], Conversation[dict[int, Update]]] | None = None
    """News of several at once, by their place in the argument; those it does not tell of are polled alone. Only
    handles of one `batch_key` are put together."""
    batch_key: Callable[[Json], str] | None = None
    read_callback: Callable[[VendorRequest, HttpRequest], Json | None] | None = None
    """The handle of the task that a vendor's callback speaks of, which was asked for by this order."""
    unsent: frozenset[int] = frozenset({429, 503})
    """Statuses of an answer to the spending request that say for certain that nothing was submitted. Other 4xx are
    refusals; what else is not 2xx leaves it unknown."""
    final: frozenset[Kind] = frozenset()
    """Kinds of problem that are refusals though the status is one of these, since asking again is of no use."""
    requests_per_second: float | None = None  # what the vendor allows one account, where it says so
    open_models: bool = False  # its models' names are open-ended: one that no row has is passed on
    hosts: tuple[str, ...] = ()  # more hosts of the vendor's that may see the key, beside that of the base URL
