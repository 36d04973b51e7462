"""What a wire is: a vendor's HTTP API as data and pure functions.

A wire is a value of `Wire`. Its table of routes says which paths exist and what each asks of the service; the functions
beside a route translate. Nothing here touches a socket, a clock or a disk.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from msgspec import Struct

from mutoscope.model.http import HttpRequest, HttpResponse
from mutoscope.model.job import Job
from mutoscope.model.problem import Problem
from mutoscope.model.requests import Allowance, Proof
from mutoscope.wirekit.back import Back
from mutoscope.wirekit.routes import Route
from mutoscope.wirekit.words import Words


class Wire(Struct, frozen=True, kw_only=True):
    name: str
    title: str
    docs: str  # the vendor's documentation
    roots: tuple[str, ...]  # path prefixes whose unknown paths are answered in this wire's words
    routes: tuple[Route, ...]
    render_problem: Callable[[Problem, HttpRequest], HttpResponse]
    credential: Callable[[HttpRequest], str | Proof | None]  # the key that the caller sent or proves to have, or None
    public_id: Callable[[str], str]  # our id → the vendor's form
    job_id: Callable[[str], str | None]  # the vendor's form → our id; None when it cannot be one
    file_id: Callable[[str], str | None] = str  # the vendor's form of a file's id → ours; None when it cannot be one
    precheck: Callable[[HttpRequest, Route | None], Problem | None] | None = None  # a required version header …
    render_webhook: Callable[[Job], bytes | None] | None = None  # None: this change owes no message
    challenge: str = ""  # the member of a JSON body that a receiver has to send back before it is sent any news
    webhook_headers: Callable[[Job, bytes], dict[str, str]] | None = None  # beside ours, from the job and the body
    signed_headers: Callable[[Job, bytes, int, Callable[[bytes], bytes]], dict[str, str]] | None = None
    """The same where the vendor signs with a key of which the public half is published: also from the Unix time, and
    from what signs bytes with that key (Ed25519)."""
    answer_headers: Callable[[Allowance], dict[str, str]] | None = None  # the vendor's rate-limit headers
    absent: Callable[[HttpRequest], HttpResponse | None] | None = None
    """What a good key gets at a path of the vendor's that is not served: an empty list, where it is that of a list."""
    probes_inputs: bool = False  # the vendor refuses bad media before a job exists
    problem_schema: Any = None  # type of an error answer, for OpenAPI
    problem_type: str = "application/json"  # its media type, for OpenAPI
    plain_statuses: tuple[int, ...] = ()  # of errors that may be a plain text, for OpenAPI
    security: dict[str, Any] = {}  # the OpenAPI security scheme, or several by name of which any will do
    headers: dict[str, str] = {}  # beside the key, what every request must carry, for OpenAPI: name → value
    mounts: tuple[str, ...] = ()  # prefixes at which resellers serve it, beside "" and /<name>
    optional: str = ""  # a leading part of its paths that some of its clients leave out, for example "/v1"
    id_header: str = ""  # beside x-request-id, where the vendor tells the id of a request
    invalid_status: int = 400  # of an answer to a body that is not valid
    bare: tuple[str, ...] = ()  # those of its paths, without `optional`, which are served at "" without it too
    proxy: str = ""  # a path to which some clients send every request, with the vendor's address in a header
    target: Callable[[HttpRequest], tuple[str, str]] | None = (
        None  # the path and query here of such a request; may raise
    )
    quiet: tuple[str, ...] = ()  # the roots below which an error has status 200 too: only its body tells
    back: Back | None = None  # the other end: how we call the vendor
    media: Back | None = None  # the same, for accounts that ask for it by `media = true`
    words: Words | None = None  # the other end of its routes of the kind Stream


T = TypeVar("T")
MOST_KEPT = 16


def built_once(build: Callable[[tuple[Wire, ...]], T]) -> Callable[[tuple[Wire, ...]], T]:
    """What is built of wires and never changes, once for the same ones: there are thousands of routes."""
    kept: dict[tuple[int, ...], tuple[tuple[Wire, ...], T]] = {}  # by identity: what wires hold has no hash

    def built(wires: tuple[Wire, ...]) -> T:
        which = tuple(map(id, wires))
        if which not in kept:
            if len(kept) >= MOST_KEPT:
                kept.clear()
            kept[which] = wires, build(wires)
        return kept[which][1]

    return built


class Claim(Struct, frozen=True, kw_only=True):
    """A request that a wire takes for its own where its path is another wire's too."""

    at: str  # method and path of the route
    wire: str
    when: Callable[[HttpRequest], bool]
    why: str  # the evidence, for the documentation
    reads_body: bool = False
