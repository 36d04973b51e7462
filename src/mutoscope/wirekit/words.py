"""What a wire says of its routes that answer in words: how an account is asked, and who writes where there is none."""

from collections.abc import Callable, Iterator
from typing import Any, Protocol

import msgspec
from msgspec import Struct

from mutoscope.model.http import Headers, HttpRequest, HttpResponse
from mutoscope.model.problem import Kind, Problem
from mutoscope.model.words import Ask, KeptAnswer, Reply, Tokens
from mutoscope.wirekit.body import UNREADABLE, not_json


class Words(Struct, frozen=True, kw_only=True):
    """How an account that speaks this wire is asked."""

    base_url: str
    sign: Callable[[str], Headers]  # the key → the headers that carry it
    passes: tuple[str, ...] = ()  # headers of the caller that go along


class Author(Protocol):
    """Who answers where no account does: pure, and the same for the same request."""

    def reply(self, ask: Ask) -> Reply:
        """Raises Problem where a rule of the operator says so."""
        ...

    def vectors(self, texts: list[str], size: int) -> list[list[float]]:
        """A unit vector for each; similar texts have closer ones. Raises Problem."""
        ...

    def count(self, ask: Ask) -> int:
        """The tokens of what is asked."""
        ...

    def now(self) -> int:
        """Unix seconds."""
        ...

    def id(self) -> str:
        """A new one each time."""
        ...

    def unsafe(self, pictures: list[str]) -> list[float | None]:
        """How likely each is not safe for work; None: nobody could look at it."""
        ...

    @property
    def hears(self) -> bool:
        """Whether sound is listened to."""
        ...

    def hear(self, sound: bytes, *, language: object, prompt: object) -> str:
        """The words in a file of sound; for a thread that may wait. Raises Problem."""
        ...


class Session(Protocol):
    """A conversation over a socket, held with the author: what comes in, and what is said to it. Pure."""

    @property
    def speaking(self) -> Reply | None:
        """What is being answered: there from a `take`, gone with the last event of `speak`, or when `take` stops it."""
        ...

    def greet(self) -> Iterator[str]:
        """The first events."""
        ...

    def take(self, text: str) -> Iterator[str]:
        """The events that follow at once from one of the client's."""
        ...

    def unheard(self) -> Callable[[], str] | None:
        """What listens to the sound that waits longest, in a thread that may wait; raises Problem. None: none waits."""
        ...

    def heard(self, found: str | Problem) -> Iterator[str]:
        """The events of what was heard in it."""
        ...

    def speak(self) -> Iterator[tuple[str, bool]]:
        """The events of the answer, and whether each is a piece of it; the first comes before anything is written."""
        ...


class Target(Struct, frozen=True, kw_only=True):
    """What a request tells at a glance."""

    model: str
    streams: bool = False


class Answer(Struct, frozen=True, kw_only=True):
    """What the author wrote, in a wire's words: whole, or as the events of a stream."""

    response: HttpResponse | None = None
    events: tuple[bytes, ...] = ()
    tokens: Tokens = Tokens()
    latency: float = 0.0
    pause: float = 0.0
    cut: int | None = None  # the connection breaks after so many events
    keeps: KeptAnswer | None = None  # is to be kept before anything is sent
    drops: str = ""  # the id of a kept answer that is to be forgotten

    @classmethod
    def of(cls, replies: tuple[Reply, ...], **what: Any) -> "Answer":
        """With the tokens and the pace of what is answered."""
        first = replies[0]
        read, written = first.tokens.read, sum(each.tokens.written for each in replies)
        return cls(
            tokens=Tokens(read=read, written=written, estimated=True),
            latency=first.latency,
            pause=first.pause,
            cut=first.cut,
            **what,
        )


class Recall(Struct, frozen=True, kw_only=True):
    """What a request tells at a glance of answers that are kept."""

    previous: str | None = None  # the id of the one that it goes on from
    keeps: bool = True  # whether its own is to be


class Memory(Struct, frozen=True, kw_only=True):
    """How the answers of a route are kept, to be asked for again and gone on from."""

    recall: Callable[[HttpRequest], Recall]
    named: Callable[[HttpRequest], set[str]]  # other answers of which the request wants parts; the author only asks
    id: Callable[[bytes], str | None]  # of an account's answer, by its first piece


class _Glance(Struct):
    model: str | None = None
    stream: bool | None = None


GLANCE = msgspec.json.Decoder(_Glance)
MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])


def glance(body: bytes, usual: str = "") -> Target:
    """The model and whether to stream, by the members of these names. Raises Problem(INVALID)."""
    try:
        found = GLANCE.decode(body)
    except msgspec.ValidationError as error:
        raise Problem(Kind.INVALID, f"The request body is not valid: {error}", field=member_in(str(error))) from error
    except UNREADABLE as error:
        raise not_json(error, body) from error
    model = found.model or usual
    if not model:
        raise Problem(Kind.INVALID, "model: is required", field="model")
    return Target(model=model, streams=bool(found.stream))


class _Bounds(Struct):
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    max_output_tokens: int | None = None
    n: int | None = None


BOUNDS = msgspec.json.Decoder(_Bounds)


def most_written(body: bytes) -> int | None:
    """How many tokens an answer may have at most, where the request says so in a word of any wire."""
    try:
        said = BOUNDS.decode(body)
    except UNREADABLE:  # whoever is asked judges it
        return None
    most = said.max_completion_tokens or said.max_output_tokens or said.max_tokens
    return None if most is None else max(most, 0) * max(said.n or 1, 1)


def member_in(message: str) -> str | None:
    """msgspec's "… - at `$.model`" → model"""
    return message.rpartition("`$.")[2].removesuffix("`") or None if "`$." in message else None


def with_model(body: bytes, model: str) -> bytes:
    """The body with another model's name; every other member stays byte for byte."""
    members = MEMBERS.decode(body)
    return msgspec.json.encode(members | {"model": msgspec.Raw(msgspec.json.encode(model))})


def event(data: Any, name: str = "") -> bytes:
    """One server-sent event with a JSON value."""
    head = f"event: {name}\n".encode() if name else b""
    return head + b"data: " + msgspec.json.encode(data) + b"\n\n"


def event_data(event: bytes) -> bytes:
    """The data of one event, its lines joined."""
    return b"\n".join(line[5:].lstrip(b" ") for line in event.splitlines() if line.startswith(b"data:"))
