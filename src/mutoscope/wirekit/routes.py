"""The kinds of route that a vendor's API has: what each asks of the service, and the functions that translate.

A wire's table of routes is a tuple of these. The server matches on the type; a path's placeholders are `{name}`, and
`{name…}` for several parts at once (a model's name with slashes).
"""

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from mutoscope.model.http import Headers, HttpRequest, HttpResponse
from mutoscope.model.job import Job, Json, Output
from mutoscope.model.problem import Problem
from mutoscope.model.requests import CallerAccount, Page, Period, SecretWish, Submission, Upload, UploadWish, Usage
from mutoscope.model.words import Tokens
from mutoscope.wirekit.words import Answer, Author, Memory, Session, Target, glance, with_model


def last_parameter(request: HttpRequest) -> str:
    """The id in the last placeholder of a path."""
    return next(reversed(request.params.values()), "")


class Route(Struct, frozen=True, kw_only=True):
    """What every kind has. `at` is method and path, for example "GET /v1/tasks/{id}"."""

    at: str
    summary: str
    status: int = 200
    also: tuple[int, ...] = ()  # other statuses of the same answer, for OpenAPI
    route: str = ""  # the job's `route`: reads and lists see only jobs that carry it; "" sees all of the wire
    body: Any = None  # type of the request body, for OpenAPI
    answer: Any = None  # type of the answer, for OpenAPI
    query: type[Struct] | None = None  # type of the query parameters, for OpenAPI
    headers: dict[str, str] = {}  # beside those of the wire, what this request must carry, for OpenAPI: name → value
    form: bool = (
        False  # takes multipart/form-data and application/x-www-form-urlencoded beside JSON: `HttpRequest.form`
    )

    @property
    def method(self) -> str:
        return self.at.split(" ", 1)[0]

    @property
    def path(self) -> str:
        return self.at.split(" ", 1)[1]


class Create(Route, frozen=True, kw_only=True):
    """Makes a job. Where the submission says `wait`, the answer comes with the job's end or when the wait is over."""

    parse: Callable[[HttpRequest], Submission]
    render: Callable[[Job, HttpRequest], HttpResponse]
    waited: Callable[[Job, HttpRequest], HttpResponse] | None = None
    """The answer after a wait, in time or not (`job.state` tells); None: the same as `render`."""
    carries: Callable[[HttpRequest], str | None] | None = None
    """The media type in which the answer after a wait carries the files themselves, as `Output.data`: "" for that which
    they have, None where it carries links only."""
    hangs: bool = False  # on an earlier job, which the request names
    places: bool = False  # its answer tells how many jobs wait before this one
    event: Callable[[Job, Job | None, HttpRequest], bytes] | None = None
    """The answer is a stream of events, as of Follow, until the job has ended."""


class Read(Route, frozen=True, kw_only=True):
    """One job as it stands."""

    render: Callable[[Job, HttpRequest], HttpResponse]
    id: Callable[[HttpRequest], str] = last_parameter
    named: Callable[[Job, str], bool] | None = None  # whether the caller gave a job this name, where a text is no id
    keyless: bool = False  # whoever knows the id may read it without a key


class Follow(Route, frozen=True, kw_only=True):
    """One job, told of again at every change until it has ended, as server-sent events."""

    id: Callable[[HttpRequest], str] = last_parameter
    event: Callable[[Job, Job | None, HttpRequest], bytes]  # the job, and as it was last told of


class ReadMany(Route, frozen=True, kw_only=True):
    """Several jobs by their ids, in the order asked; those that are not there, or another owner's, are left out."""

    ids: Callable[[HttpRequest], tuple[str, ...]]
    render: Callable[[tuple[Job, ...], HttpRequest], HttpResponse]
    named: Callable[[Job, str], bool] | None = None  # as of Read


class List(Route, frozen=True, kw_only=True):
    """A page of the caller's jobs, the newest first."""

    parse: Callable[[HttpRequest], Page]
    render: Callable[[tuple[Job, ...], HttpRequest], HttpResponse]


class Stop(Route, frozen=True, kw_only=True):
    """Cancels a job that has not ended. One that cannot be stopped is Problem(CONFLICT) where `keeps`."""

    render: Callable[[Job, HttpRequest], HttpResponse]
    id: Callable[[HttpRequest], str] = last_parameter
    running: bool  # one that runs may be stopped too, not only one that waits
    keeps: bool  # the job can be read afterwards; else it is removed, and one that had ended with it
    ended_is_fine: bool = False  # where it keeps: a job that has ended already is answered as it is


class Reply(Route, frozen=True, kw_only=True):
    """An answer without a job: a list of models, a price, a greeting."""

    reply: Callable[[HttpRequest], HttpResponse]


class Models(Route, frozen=True, kw_only=True):
    """The models that the caller may use, by the words of this wire."""

    render: Callable[[tuple[str, ...], HttpRequest], HttpResponse]


class InWords(Route, frozen=True, kw_only=True):
    """What is answered by an account that speaks the same wire, with body and answer as they are, or by the
    account-free author."""

    usage: Callable[[bytes], Tokens | None]  # what an answer, or the data of one event, tells of tokens
    write: Callable[[HttpRequest, Author], Answer]
    broken: Callable[[Problem], bytes]  # the event that tells of trouble after the first byte


class Stream(InWords, frozen=True, kw_only=True):
    """An answer in words, whole or piece by piece, and no job."""

    target: Callable[[HttpRequest], Target] = lambda request: glance(request.body)
    named: Callable[[bytes, str], bytes] = with_model  # the body with another model's name
    memory: Memory | None = None  # where answers are kept
    optional: bool = False  # the author answers for a model that no account has


class Again(InWords, frozen=True, kw_only=True):
    """An answer that was kept: asked of whoever wrote it. `HttpRequest.recalled` has what is kept of it."""

    back: bool = False  # those that it goes on from are wanted as well


class Socket(Route, frozen=True, kw_only=True):
    """A conversation of events over a WebSocket: passed on event by event to an account that speaks the same wire, or
    held with the account-free author."""

    session: Callable[[HttpRequest, str, Author], Session]  # of a model
    begin: Callable[[Json], str]  # the event that sets what a Secret was made for
    asks: Callable[[str], bool]  # whether an event of the client asks for an answer, which counts as a request
    usage: Callable[[str], Tokens | None]  # what an event of the answer tells of tokens
    error: Callable[[Problem], str]  # the event that tells of trouble
    protocol: str  # the subprotocol that is selected where it is offered
    offered: Callable[[list[str]], Headers]  # what a browser, which sends no headers, says by subprotocols
    passes: tuple[str, ...] = ()  # headers of the caller that go along


class Secret(Route, frozen=True, kw_only=True):
    """A key for a short time, to be handed to a browser: it opens sockets, and nothing else."""

    prefix: str
    parse: Callable[[HttpRequest], SecretWish]
    render: Callable[[SecretWish, str, int], HttpResponse]  # with the key and the Unix second of its end


class Content(Route, frozen=True, kw_only=True):
    """The bytes of an output of a job: the file itself is the answer."""

    id: Callable[[HttpRequest], str] = last_parameter
    pick: Callable[[Job, HttpRequest], Output]  # raises Problem where there is no such output


class OpenUploads(Route, frozen=True, kw_only=True):
    """Opens a slot for each file that the caller wants to send ahead."""

    parse: Callable[[HttpRequest], tuple[UploadWish, ...]]
    render: Callable[[tuple[Upload, ...], HttpRequest], HttpResponse]


class TakeFile(Route, frozen=True, kw_only=True):
    """Keeps a file that the request itself carries, in a form."""

    part: str  # the form's part that is the file
    parse: Callable[[HttpRequest], UploadWish]
    render: Callable[[Upload, HttpRequest], HttpResponse]


class TakeRaw(Route, frozen=True, kw_only=True):
    """Keeps a file that is the whole body, whatever its bytes are."""

    parse: Callable[[HttpRequest], UploadWish]
    render: Callable[[Upload, HttpRequest], HttpResponse]


class TakeInline(Route, frozen=True, kw_only=True):
    """Keeps files that the request carries inside its JSON."""

    parse: Callable[[HttpRequest], tuple[tuple[UploadWish, bytes], ...]]
    render: Callable[[tuple[Upload, ...], HttpRequest], HttpResponse]


class ReadFile(Route, frozen=True, kw_only=True):
    """A file that the caller sent ahead."""

    id: Callable[[HttpRequest], str] = last_parameter
    render: Callable[[Upload, HttpRequest], HttpResponse]


class DropFile(ReadFile, frozen=True, kw_only=True):
    """Forgets a file that the caller sent ahead."""


class ListUploads(Route, frozen=True, kw_only=True):
    """The files that the caller sent ahead, the newest first."""

    render: Callable[[tuple[Upload, ...], HttpRequest], HttpResponse]


class AccountRead(Route, frozen=True, kw_only=True):
    """What the caller's key may do and has done."""

    render: Callable[[CallerAccount, HttpRequest], HttpResponse]


class UsageRead(Route, frozen=True, kw_only=True):
    """What the caller spent, by day and model."""

    parse: Callable[[HttpRequest], Period]
    render: Callable[[Usage, HttpRequest], HttpResponse]


OF_ONE_JOB = (Read, Follow, Stop, Content)
"""The kinds that name a job by its id."""
