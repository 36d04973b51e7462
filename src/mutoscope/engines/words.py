"""The author: answers in words without any account, the same for the same request, and says that it is scripted.

    max_tokens, stop     obeyed; tokens are counted by `token_count`
    response_format      a JSON value made to fit the schema
    tools                called where the request demands it, with arguments made to fit the tool's schema
    embeddings           meanings, where wordllama was fetched; else hashed features: words and their parts
    pictures             colours and composition, text and people in them, where the models for it were fetched

`replies.toml` says otherwise for requests that its rules fit.
"""

import asyncio
import hashlib
import json
import math
import re
import time
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec
import structlog
import uuid_utils
from msgspec import Struct
from msgspec.structs import replace

from mutoscope.engines.fit import fit
from mutoscope.engines.local.senses import HEARING, LETTERING, SAFETY, VECTORS, Senses
from mutoscope.model.job import Json
from mutoscope.model.problem import KINDS, Kind, Problem
from mutoscope.model.words import TOKEN_BYTES, Ask, Call, Reason, Reply, Tokens, token_count

log = structlog.get_logger(__name__)

TURN_TOKENS = 4  # for the role and the ends of each turn
PICTURE_TOKENS = 85
MOST_PICTURES = 4  # that are looked at
QUOTED = 400  # characters of the user's text that are shown
PIECE = re.compile(r"\s*\S+|\s+\Z")


class ToolCall(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    arguments: Json = {}


class Rule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One answer of `replies.toml`, and the requests that get it: all that is said of them has to be so."""

    model: str = "*"  # with * and ?
    user: str = ""  # a regular expression, searched for in the last text of the user
    tool: str = ""  # the name of a tool that may be called
    image: bool | None = None  # whether there is a picture
    turns: int | None = None  # how many turns of the user there are
    text: str | None = None  # with {name} or {1} for what the expression found
    call: ToolCall | None = None
    refusal: str | None = None
    error: str = ""  # a kind of problem; `text` is its message
    reason: Reason | None = None
    latency: float = 0.0  # seconds before the first piece
    tokens_per_second: float = 0.0
    chunk: int = 1  # words of a piece
    cut: int | None = None  # the connection breaks after so many pieces


class Replies(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    replies: tuple[Rule, ...] = ()


class Author:
    def __init__(self, path: str = "", clock: Callable[[], float] = time.time, *, senses: Senses | None = None) -> None:
        """`path` is that of `replies.toml`; a change of it is seen at the next request. `senses` look at pictures, and
        know what texts mean, where their models are here."""
        self.senses = senses
        self.path = Path(path).expanduser() if path else None
        self.clock = clock
        self._stamp: tuple[int, int] | None = None
        self._rules: tuple[Rule, ...] = ()

    def reply(self, ask: Ask) -> Reply:
        """Raises Problem where a rule says so."""
        for rule in self.rules():
            if (found := fits(rule, ask)) is not None:
                return self.ruled(ask, rule, found)
        return self.usual(ask)

    def vectors(self, texts: list[str], size: int) -> list[list[float]]:
        if may_wait() and self.senses is not None and self.senses.has(VECTORS):
            return [fitted(each, size) for each in self.senses.meanings(texts)]
        return [vector(text, size) for text in texts]

    def waits(self, path: str, body: bytes) -> bool:
        """Whether a model may be asked for the answer, which is then written in a thread that waits for it."""
        if self.senses is None:
            return False
        if path.endswith("/embeddings"):
            return self.senses.has(VECTORS)
        return b"data:image/" in body and self.senses.has(SAFETY if path.endswith("/moderations") else LETTERING)

    def unsafe(self, pictures: list[str]) -> list[float | None]:
        """Raises Problem."""
        if self.senses is None or not pictures or not may_wait() or not self.senses.has(SAFETY):
            return []
        return self.senses.scores(pictures)

    @property
    def hears(self) -> bool:
        return self.senses is not None and self.senses.has(HEARING)

    def hear(self, sound: bytes, *, language: object, prompt: object) -> str:
        """English only. Raises Problem."""
        if self.senses is None:
            raise Problem(Kind.UNSUPPORTED, "Nobody listens here.")
        return self.senses.heard(sound, language=language, prompt=prompt)

    def count(self, ask: Ask) -> int:
        turns = sum(TURN_TOKENS + token_count(turn.text) for turn in ask.turns)
        calls = sum(token_count(call.name + call.arguments) for turn in ask.turns for call in turn.calls)
        tools = sum(token_count(tool.name + tool.description + compact(tool.parameters)) for tool in ask.tools)
        return turns + calls + tools + PICTURE_TOKENS * ask.files("image")

    def now(self) -> int:
        return int(self.clock())

    def id(self) -> str:
        return uuid_utils.uuid7().hex

    # -- the rules of the operator ----------------------------------------------------

    def rules(self) -> tuple[Rule, ...]:
        """Those of the file as it stands now; of one that cannot be read, those that it had before."""
        if self.path is None:
            return ()
        try:
            status = self.path.stat()
            stamp = (status.st_mtime_ns, status.st_size)
            if stamp != self._stamp:
                self._stamp, self._rules = stamp, read_rules(self.path)
        except (OSError, msgspec.DecodeError, ValueError) as error:
            log.error("replies_unread", path=str(self.path), reason=str(error))
        return self._rules

    def ruled(self, ask: Ask, rule: Rule, found: re.Match[str] | None) -> Reply:
        if rule.error:
            raise Problem(Kind(rule.error), said(rule.text or "The rule says so.", found), retry_after=1)
        if rule.call is not None:
            arguments = compact(said_in(rule.call.arguments, found))
            reply = Reply(calls=(Call(id=call_id(ask, 0), name=rule.call.name, arguments=arguments),), reason="tool")
        elif rule.refusal is not None:
            reply = Reply(refusal=said(rule.refusal, found), reason="refusal")
        elif rule.text is not None:
            reply = Reply(text=said(rule.text, found))
        else:
            reply = self.usual(ask)
        reply = self.bounded(ask, reply, rule.chunk)
        pause = rule.chunk / rule.tokens_per_second if rule.tokens_per_second else 0.0
        return replace(reply, reason=rule.reason or reply.reason, latency=rule.latency, pause=pause, cut=rule.cut)

    # -- without a rule ------------------------------------------------------------------

    def usual(self, ask: Ask) -> Reply:
        """What is demanded, else a text that shows what was received."""
        if name := demanded(ask):
            tool = next((each for each in ask.tools if each.name == name), None)
            arguments = compact(fit(tool.parameters if tool else {"type": "object"}, seed_of(ask)))
            reply = Reply(calls=(Call(id=call_id(ask, 0), name=name, arguments=arguments),), reason="tool")
        elif ask.json:
            reply = Reply(text=compact(shown_json(ask) if ask.schema is None else fit(ask.schema, seed_of(ask))))
        else:
            reply = Reply(text=shown(ask) + self.seen(ask))
        return self.bounded(ask, reply, 1)

    def seen(self, ask: Ask) -> str:
        """Facts of the pictures that came with it, said to be what they are."""
        if self.senses is None or not may_wait() or not self.senses.has(LETTERING):
            return ""
        sources = [part.source for turn in ask.turns for part in turn.parts if part.kind == "image"][:MOST_PICTURES]
        told = [f" Facts of picture {number}: {self.senses.facts(each)}" for number, each in enumerate(sources, 1)]
        return "".join(told)

    def bounded(self, ask: Ask, reply: Reply, chunk: int) -> Reply:
        """Within the stop words and the most tokens, and with its tokens counted."""
        text, reason, word = reply.text, reply.reason, None
        met = [(at, each) for each in ask.stop if each and (at := text.find(each)) >= 0]
        if met:
            at, word = min(met)
            text, reason = text[:at], "word"
        if ask.most is not None and token_count(text) > ask.most:
            text = text.encode()[: ask.most * TOKEN_BYTES].decode("utf-8", "ignore")
            reason, word = "length", None
        calls = sum(token_count(call.name + call.arguments) for call in reply.calls)
        tokens = Tokens(read=self.count(ask), written=token_count(text + reply.refusal) + calls, estimated=True)
        pieces = tuple(chunks(text, max(chunk, 1)))
        return replace(reply, text=text, pieces=pieces, reason=reason, word=word, tokens=tokens)


def shown(ask: Ask) -> str:
    """The answer where nobody said anything else."""
    if ask.echo:
        return f" (A scripted continuation by mutoscope, no model: {quoted(ask.said)})"
    roles = ", ".join(
        f"{count} {role}" for role in ("system", "user", "assistant", "tool") if (count := turns(ask, role))
    )
    parts = [f"{count} {what}" for what in ("image", "audio", "file") if (count := ask.files(what))]
    parts += [f"{len(ask.tools)} tools: {', '.join(tool.name for tool in ask.tools)}"] if ask.tools else []
    more = f"; {'; '.join(parts)}" if parts else ""
    last = ask.turns[-1] if ask.turns else None
    result = f" The tool answered: {quoted(last.text)}" if last and last.role == "tool" else ""
    again = f" Answer {ask.index + 1}." if ask.index else ""
    return (
        f"This is a scripted answer by mutoscope: no model wrote it.{again} Asked for: {ask.model}. "
        f"Received: {roles or 'no turns'}{more}.{result} The last user text: {quoted(ask.said)}"
    )


def shown_json(ask: Ask) -> Json:
    return {"scripted": True, "model": ask.model, "turns": len(ask.turns), "last_user_text": ask.said[:QUOTED]}


def quoted(text: str) -> str:
    return json.dumps(text if len(text) <= QUOTED else text[:QUOTED] + "…", ensure_ascii=False)


def turns(ask: Ask, role: str) -> int:
    return sum(turn.role == role for turn in ask.turns)


def demanded(ask: Ask) -> str | None:
    """The tool that must be called: the one that is named, or the first where any will do and none was called yet."""
    if ask.tool is not None:
        return ask.tool
    return ask.tools[0].name if ask.choice == "required" and ask.tools else None


def seed_of(ask: Ask) -> str:
    """The same request has the same: its words, its seed, and which of several answers it is."""
    said = msgspec.json.encode([ask.model, ask.turns, ask.schema, ask.seed, ask.index])
    return hashlib.sha256(said).hexdigest()


def call_id(ask: Ask, number: int) -> str:
    return f"call_{seed_of(ask)[:20]}{number}"


def compact(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def chunks(text: str, words: int) -> Iterator[str]:
    pieces = PIECE.findall(text)
    for start in range(0, len(pieces), words):
        yield "".join(pieces[start : start + words])


# -- replies.toml -------------------------------------------------------------------------


def read_rules(path: Path) -> tuple[Rule, ...]:
    """Raises ValueError, its message naming the rule, for what cannot be obeyed."""
    rules = msgspec.toml.decode(path.read_bytes(), type=Replies).replies
    for number, rule in enumerate(rules):
        try:
            re.compile(rule.user)
        except re.error as error:
            raise ValueError(f"replies[{number}].user is no regular expression: {error}") from error
        if rule.error and rule.error not in KINDS:
            raise ValueError(f"replies[{number}].error: there is no kind {rule.error!r}; there are {', '.join(Kind)}")
    return rules


def fits(rule: Rule, ask: Ask) -> re.Match[str] | None:
    """What the rule's expression found; None where the rule is for other requests."""
    if not fnmatchcase(ask.model, rule.model):
        return None
    if rule.tool and rule.tool not in [tool.name for tool in ask.tools]:
        return None
    if rule.image is not None and rule.image != bool(ask.files("image")):
        return None
    if rule.turns is not None and rule.turns != turns(ask, "user"):
        return None
    return expression(rule.user).search(ask.said)


@lru_cache(maxsize=1024)
def expression(text: str) -> re.Pattern[str]:
    return re.compile(text, re.DOTALL)


def said(text: str, found: re.Match[str] | None) -> str:
    """With {name} and {1} as the expression found them; other braces stay."""
    if found is None:
        return text
    groups = found.groupdict() | {str(number): each for number, each in enumerate((found[0], *found.groups()))}
    return re.sub(r"\{(\w+)\}", lambda match: groups[match[1]] or "" if match[1] in groups else match[0], text)


def said_in(value: Any, found: re.Match[str] | None) -> Any:
    match value:
        case str():
            return said(value, found)
        case dict():
            return {name: said_in(each, found) for name, each in value.items()}  # pyright: ignore[reportUnknownVariableType]
        case list():
            return [said_in(each, found) for each in value]  # pyright: ignore[reportUnknownVariableType]
        case _:
            return value


# -- vectors ------------------------------------------------------------------------------


def fitted(meaning: list[float], size: int) -> list[float]:
    """A unit vector of a size: cut, which keeps most of the meaning, or with zeros behind it, which keeps all."""
    kept = meaning[:size]
    length = math.sqrt(sum(each * each for each in kept))
    if not length:
        return [1.0] + [0.0] * (size - 1)
    return [each / length for each in kept] + [0.0] * (size - len(kept))


def may_wait() -> bool:
    """Whether this is a thread of its own, and not that of the event loop."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return True
    return False


def vector(text: str, size: int) -> list[float]:
    """Each word and each run of three letters in it adds one to a place that its hash says, or takes one."""
    places = [0.0] * size
    for feature, weight in features(text):
        number = int.from_bytes(hashlib.blake2b(feature.encode(), digest_size=8).digest(), "little")
        places[(number >> 1) % size] += weight if number & 1 else -weight
    length = math.sqrt(sum(each * each for each in places))
    if not length:
        return [1.0, *places[1:]]
    return [each / length for each in places]


def features(text: str) -> Iterator[tuple[str, float]]:
    for word in re.findall(r"\w+", text.lower()) or [text]:
        yield word, 1.0
        padded = f"<{word}>"
        for at in range(len(padded) - 2):
            yield padded[at : at + 3], 0.3
