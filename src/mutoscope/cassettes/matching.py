"""What was asked, in a form in which the same is the same: by it a recording is found again."""

import hashlib
import ipaddress
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, cast
from urllib.parse import urlsplit, urlunsplit

import msgspec

from mutoscope.cassettes.folder import Cassette
from mutoscope.cassettes.secrets import mapped, value_without
from mutoscope.model.http import HttpRequest
from mutoscope.model.job import Generation, Input, Json

VOLATILE = frozenset({"user", "metadata", "safety_identifier", "prompt_cache_key", "request_id", "idempotency_key"})
"""Members of a body in words that do not change what is answered."""
PROMPTS = frozenset({"prompt", "negative_prompt", "content", "text", "input", "instructions", "system"})
NO_PROMPTS = frozenset({"role", "type", "id"})  # members among them that say what a part is
HASHED = re.compile(r"sha256:[0-9a-f]{64}")
DATA = re.compile(r"data:[\w.+/-]*;base64,")
SHOWN, LONGEST = 5, 60  # differences that are told, and characters of each side


def asked_of_job(wire: str, wish: Generation, secrets: Collection[str] = ()) -> Json:
    """Of a generation: not who asked, in which words and where in them, and inputs by their content."""
    told = msgspec.to_builtins(wish)
    told = {name: value for name, value in told.items() if name not in ("inputs", "wire", "model", "operation")}
    inputs = [asked_of_input(each) for each in wish.inputs]
    asked = {"wire": wire, "operation": wish.operation.value, "model": wish.model, **told}
    return normal(asked | ({"inputs": inputs} if inputs else {}), secrets)


def asked_of_input(each: Input) -> Json:
    found: Json = {"role": each.role.value}
    if each.asset:
        found["sha256"] = each.asset.partition(".")[0]
    elif each.url:
        found["url"] = each.url
    else:
        found |= {"output": each.output, "of": "an earlier job"}
    return found | ({"label": each.label} if each.label else {})


def asked_of_words(wire: str, request: HttpRequest, secrets: Collection[str] = ()) -> Json:
    asked: Json = {"wire": wire, "method": request.method, "path": request.path}
    if request.query:
        asked["query"] = request.query
    if request.body:
        asked["body"] = body_of(request)
    return normal(asked, secrets)


def body_of(request: HttpRequest) -> Any:
    try:
        value = msgspec.json.decode(request.body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        boundary = re.search(r"boundary=\"?([^\";]+)", request.headers.get("content-type", ""))
        body = request.body.replace(boundary[1].encode(), b"boundary") if boundary else request.body
        return {"sha256": hashlib.sha256(body).hexdigest()}
    if isinstance(value, dict):
        return {name: each for name, each in cast("Json", value).items() if name not in VOLATILE}
    return value


def normal(value: Any, secrets: Collection[str] = ()) -> Any:
    """Without secrets, files inside by their digest, links without what changes from run to run."""
    return replaced(value_without(replaced(value), secrets))


def replaced(value: Any) -> Any:
    def plain(text: str) -> str:
        if DATA.match(text):
            return digest(text.partition(",")[2])
        return plain_link(text) if text.startswith(("http://", "https://")) else text

    return mapped(value, plain)


def plain_link(url: str) -> str:
    """Of this machine's own servers the port goes: it is another one in each run."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        local = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return url
    return urlunsplit(parts._replace(netloc=host)) if local else url


def hashed(value: Any) -> Any:
    """With the texts of prompts as their digests."""
    return with_prompts(value, lambda text: text if HASHED.fullmatch(text) else digest(text))


def prompts_in(value: Any) -> list[str]:
    """The texts that `hashed` replaces."""
    found: list[str] = []
    with_prompts(value, found.append)
    return [text for text in found if not HASHED.fullmatch(text)]


def with_prompts(value: Any, text: Callable[[str], Any]) -> Any:
    """With something else for each text of a prompt, which may be a list of messages and their parts."""

    def outside(name: str, each: Any) -> Any:
        return mapped(each, text, inside) if name in PROMPTS else mapped(each, same, outside)

    def inside(name: str, each: Any) -> Any:
        return each if name in NO_PROMPTS else mapped(each, text, inside)

    return mapped(value, same, outside)


def same(text: str) -> str:
    return text


def digest(text: str) -> str:
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def key_of(asked: Json) -> str:
    """The same whether prompts are hashed or not."""
    return hashlib.sha256(msgspec.json.encode(hashed(asked), order="sorted")).hexdigest()


# -- what comes closest -------------------------------------------------------------------


def nearest(asked: Json, cassettes: Sequence[Cassette]) -> str:
    """A sentence on the recording that differs least, and in what."""
    alike = [each for each in cassettes if each.asked.get("wire") == asked.get("wire")]
    if not alike:
        wires = ", ".join(sorted({str(each.asked.get("wire")) for each in cassettes})) or "none at all"
        return f"There is no recording of {asked.get('wire')}; there are recordings of {wires}."
    found = min(alike, key=lambda each: len(differences(asked, each.asked)))
    told = differences(asked, found.asked)
    more = f"; and {len(told) - SHOWN} more" if len(told) > SHOWN else ""
    return f"The nearest recording is {found.name}, which differs in {'; '.join(told[:SHOWN])}{more}."


def differences(asked: Json, recorded: Json) -> list[str]:
    ours, theirs = dict(leaves(asked)), dict(leaves(recorded))
    found: list[str] = []
    for path in sorted({*ours, *theirs}):
        here, there = ours.get(path), theirs.get(path)
        if here != there and not (isinstance(here, str) and digest(here) == there):
            found.append(f"{path}: {shown(here)} was asked, {shown(there)} is recorded")
    return found


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, each in cast("Json", value).items():
            yield from leaves(each, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for number, each in enumerate(cast("list[Any]", value)):
            yield from leaves(each, f"{path}[{number}]")
    else:
        yield path, value


def shown(value: Any) -> str:
    if value is None:
        return "nothing"
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
