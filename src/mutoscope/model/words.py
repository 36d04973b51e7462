"""Talk in words, in no vendor's spelling: what is asked of a model, what it answers, and what both cost in tokens."""

import re
from typing import Literal

from msgspec import Struct

from mutoscope.model.job import Json


class Part(Struct, frozen=True, kw_only=True):
    """A piece of a turn: words, or a file by its link or data URI."""

    kind: Literal["text", "image", "audio", "file"] = "text"
    text: str = ""
    source: str = ""


class Call(Struct, frozen=True, kw_only=True):
    """A tool that the model wants to be used."""

    id: str
    name: str
    arguments: str  # JSON


class Turn(Struct, frozen=True, kw_only=True):
    role: Literal["system", "user", "assistant", "tool"]
    parts: tuple[Part, ...] = ()
    calls: tuple[Call, ...] = ()
    answers: str = ""  # the id of the call that a tool's turn answers

    @property
    def text(self) -> str:
        return "\n".join(part.text for part in self.parts if part.text)


class Tool(Struct, frozen=True, kw_only=True):
    name: str
    description: str = ""
    parameters: Json = {}  # JSON Schema


class Ask(Struct, frozen=True, kw_only=True):
    """What is asked. None was not asked for."""

    model: str  # the caller's word
    turns: tuple[Turn, ...]
    tools: tuple[Tool, ...] = ()
    choice: Literal["auto", "none", "required"] = "auto"  # whether a tool must be called
    tool: str | None = None  # the one that must be
    json: bool = False  # the answer is a JSON value
    schema: Json | None = None  # which it fits
    stop: tuple[str, ...] = ()
    most: int | None = None  # tokens
    seed: int | None = None
    index: int = 0  # which of several answers to the same
    echo: bool = False  # the text is to be gone on with, not answered

    @property
    def said(self) -> str:
        """The last text of the user."""
        return next((turn.text for turn in reversed(self.turns) if turn.role == "user" and turn.text), "")

    def files(self, kind: str) -> int:
        return sum(part.kind == kind for turn in self.turns for part in turn.parts)


class KeptAnswer(Struct, frozen=True, kw_only=True):
    """An answer that can be asked for again by its id, and gone on from. Its words are those of its wire."""

    id: str  # as the caller knows it
    owner: str = ""
    engine: str = ""  # who wrote it; of an account's answer nothing is kept but whose it is
    previous: str | None = None  # the id of the one that it goes on from
    created: float = 0.0
    ready: float = 0.0  # before then it is being written
    record: bytes = b""  # the answer
    input: bytes = b""  # what was asked, as a list of items
    events: bytes = b""  # those of its stream, where it can be followed again


Reason = Literal["stop", "word", "length", "tool", "refusal"]


class Tokens(Struct, frozen=True, kw_only=True):
    read: int = 0  # in all, those of the cache too
    written: int = 0
    cached: int = 0  # of those read, taken from the vendor's cache
    cache_written: int = 0  # of those read, put into it
    estimated: bool = False  # by our own rule, because nobody told


class Reply(Struct, frozen=True, kw_only=True):
    """What is answered: words, calls of tools, or a refusal."""

    text: str = ""
    pieces: tuple[str, ...] = ()  # the text as it is streamed
    calls: tuple[Call, ...] = ()
    refusal: str = ""
    reason: Reason = "stop"
    word: str | None = None  # the stop word that was met
    tokens: Tokens = Tokens()
    latency: float = 0.0  # seconds before the first piece
    pause: float = 0.0  # seconds before each further piece
    cut: int | None = None  # the connection breaks after so many pieces


TRANSCRIPT = "This is a scripted transcript: nobody listened."  # where sound is written down without a recogniser
TOKEN_BYTES = 4


FILE_TOKENS = 1600  # of a file inside a body, by its length nobody can tell
FILE = re.compile(rb"[A-Za-z0-9+/=_-]{1024,}")


def body_tokens(body: bytes) -> int:
    """The same of a whole request, in whose files nobody looks."""
    if len(body) < 1024:
        return -(-len(body) // TOKEN_BYTES)
    text, files = FILE.subn(b"", body)
    return -(-len(text) // TOKEN_BYTES) + FILE_TOKENS * files


def token_count(text: str) -> int:
    """One token for every four bytes of UTF-8, rounded up: the rule where no model's own tokenizer is asked."""
    return -(-len(text.encode("utf-8", "surrogatepass")) // TOKEN_BYTES)
