"""How the shape of a vendor's answers has changed: members that are new, gone, or of another type."""

from collections.abc import Iterable, Iterator
from typing import Any, cast

import msgspec
from msgspec import UNSET

from mutoscope.cassettes.folder import LOCAL, OUTPUTS, Answer, Cassette
from mutoscope.model.job import Json

Shape = dict[str, set[str]]
"""Step and path of a member → the types that it had."""
NOT_THE_SAME = frozenset({"id", "created", "created_at", "system_fingerprint", "request_id", "obfuscation"})
"""Members that differ between two answers that are the same otherwise."""
TYPES: dict[type, str] = {type(None): "null", bool: "boolean", int: "number", float: "number", str: "string"}


def changes(recorded: Cassette, today: Cassette) -> list[str]:
    """A line for each difference. Raises BadCassette."""
    before, now = shape_of(recorded), shape_of(today)
    steps = {path.partition(" ")[0] for path in before} & {path.partition(" ")[0] for path in now}
    told: list[str] = []
    for path in sorted({*before, *now}):
        step, _, member = path.partition(" ")
        old, new = before.get(path), now.get(path)
        if step not in steps or is_below_a_change(path, before, now):
            continue
        if old is None:
            told.append(f"{step}: {member} is new ({listed(new)})")
        elif new is None:
            told.append(f"{step}: {member} is gone ({listed(old)})")
        elif not (old - {"null"} <= new and new - {"null"} <= old):
            told.append(f"{step}: {member} is {listed(new)}, and was {listed(old)}")
    return told


def is_below_a_change(path: str, before: Shape, now: Shape) -> bool:
    """Whether the member that it belongs to is told of already."""
    parts = [path[:at] for at in range(len(path)) if path[at] in ".["]
    return any((parent in before) != (parent in now) for parent in parts)


def listed(types: Iterable[str] | None) -> str:
    return " or ".join(sorted(types or ()))


def shape_of(cassette: Cassette) -> Shape:
    found: Shape = {}
    for answer in cassette.answers:
        if answer.step == "copy":
            continue
        found.setdefault(f"{answer.step} status", set()).add("none" if answer.status is None else str(answer.status))
        for value in values_of(cassette, answer):
            for path, kind in members(value, answer.step + " "):
                found.setdefault(path, set()).add(kind)
    return found


def values_of(cassette: Cassette, answer: Answer) -> Iterator[Any]:
    """The JSON of an answer, or of the events of a stream."""
    if answer.json is not UNSET:
        yield answer.json
    elif answer.events is not None:
        text = b"".join(piece for _, piece in cassette.pieces(answer)).decode("utf-8", "replace")
        for line in text.splitlines():
            if line.startswith("data:"):
                try:
                    yield msgspec.json.decode(line[5:])
                except msgspec.DecodeError:
                    continue  # such as [DONE]


def members(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        told = cast("Json", value)
        if "cassette_file" in told:
            yield path, "string"
            return
        yield path, "object"
        for name, each in told.items():
            yield from members(each, f"{path}.{name}")
    elif isinstance(value, list):
        yield path, "array"
        for each in cast("list[Any]", value):
            yield from members(each, f"{path}[]")
    else:
        yield path, next((name for kind, name in TYPES.items() if isinstance(value, kind)), "string")


# -- recordings that say the same -----------------------------------------------------------------


def essence(cassette: Cassette) -> bytes:
    """The same for two recordings that a client could not tell apart but by ids, times and links."""
    told: list[Any] = []
    seen: set[str] = set()
    for answer in cassette.answers:
        key = msgspec.json.encode([answer.step, answer.status, answer.trouble and answer.trouble.kind]).decode()
        if answer.step == "copy":
            told.append(answer.file)
        elif answer.step in ("words", "make"):
            told.append([key, [without_ids(each) for each in values_of(cassette, answer)] or answer.text])
        elif key not in seen:  # how often one had to ask says nothing
            seen.add(key)
            told.append(key)
    return msgspec.json.encode(told)


def without_ids(value: Any) -> Any:
    if isinstance(value, dict):
        told = cast("Json", value)
        return {name: without_ids(each) for name, each in told.items() if name not in NOT_THE_SAME}
    return [without_ids(each) for each in cast("list[Any]", value)] if isinstance(value, list) else value


def has_end(cassette: Cassette) -> bool:
    """Whether the recording tells what became of it: a refusal, a result, a failure."""
    answers = cassette.answers
    if not answers:
        return False
    if cassette.label.wire == LOCAL:
        copies = {each.asked.get("number") for each in answers if each.step == "copy"}
        return answers[0].step == "make" and len(copies) == sum(map(is_a_file, outputs_of(cassette)))
    if cassette.label.kind == "words" or any(each.step == "copy" for each in answers):
        return True
    last = answers[-1]
    refused = last.step == "submit" and (last.trouble is not None or (last.status or 0) >= 400)
    return refused or last.step == "cancel" or any(each.step == "poll" for each in answers)


def outputs_of(cassette: Cassette) -> list[Json]:
    """Of a job that was made here."""
    return [each for told in values_of(cassette, cassette.answers[0]) for each in told.get("outputs", ())]


def is_a_file(output: Json) -> bool:
    return "text" not in output


def is_edited(name: str, digest: str) -> bool:
    """Whether a file in `outputs` is another than the one that its name tells of."""
    return name.startswith(f"{OUTPUTS}/") and name.removeprefix(f"{OUTPUTS}/").partition(".")[0] != digest
