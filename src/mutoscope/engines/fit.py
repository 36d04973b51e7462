"""A JSON value that fits a JSON Schema, the same for the same seed."""

import math
import random
import re
from collections.abc import Callable, Mapping
from typing import Any, cast

from mutoscope.model.job import Json
from mutoscope.model.problem import Kind, Problem

DEEPEST = 6  # levels below which only what must be there is made
MOST_ITEMS = 64
WORDS = (
    *("amber", "birch", "cloud", "delta", "ember", "fjord", "grove", "harbor", "island", "juniper", "kelp"),
    *("lantern", "meadow", "north", "orchard", "pebble"),
)
FORMATS: Mapping[str, Callable[[random.Random], str]] = {
    "date": lambda chance: f"2026-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}",
    "time": lambda chance: f"{chance.randint(0, 23):02}:{chance.randint(0, 59):02}:00Z",
    "date-time": lambda chance: f"2026-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}T12:00:00Z",
    "duration": lambda chance: f"PT{chance.randint(1, 59)}M",
    "email": lambda chance: f"{chance.choice(WORDS)}@example.com",
    "hostname": lambda chance: f"{chance.choice(WORDS)}.example.com",
    "uri": lambda chance: f"https://example.com/{chance.choice(WORDS)}",
    "ipv4": lambda chance: f"192.0.2.{chance.randint(1, 254)}",
    "ipv6": lambda chance: f"2001:db8::{chance.randint(1, 9999):x}",
    "uuid": lambda chance: f"{chance.getrandbits(32):08x}-0000-4000-8000-{chance.getrandbits(48):012x}",
}


def fit(schema: Any, seed: str) -> Any:
    """What cannot be told from the schema (a pattern beyond classes and counts, `not`, `if`) may not fit.

    Raises Problem(INVALID) for what is no schema.
    """
    try:
        return _Maker(schema, random.Random(seed)).make(schema, 0)
    except (TypeError, ValueError, LookupError, AttributeError, ArithmeticError, RecursionError, re.error) as error:
        raise Problem(Kind.INVALID, f"The JSON Schema cannot be obeyed: {error}", field="schema") from error


class _Maker:
    def __init__(self, top: Any, chance: random.Random) -> None:
        self.top, self.chance = top, chance

    def make(self, schema: Any, depth: int) -> Any:
        if not isinstance(schema, dict):
            return self.chance.choice(WORDS)
        shape = self.resolved(cast("Json", schema))
        if "const" in shape:
            return shape["const"]
        if shape.get("enum"):
            return self.chance.choice(shape["enum"])
        for word in ("anyOf", "oneOf"):
            if choices := shape.get(word):
                return self.make(
                    self.merged({k: v for k, v in shape.items() if k != word}, choices[self.of(choices, depth)]), depth
                )
        match self.kind(shape):
            case "object":
                return self.thing(shape, depth)
            case "array":
                return self.items(shape, depth)
            case "integer":
                return int(self.number(shape, whole=True))
            case "number":
                return self.number(shape, whole=False)
            case "boolean":
                return self.chance.random() < 0.5
            case "null":
                return None
            case _:
                return self.text(shape)

    def of(self, choices: list[Any], depth: int) -> int:
        """One of several shapes; where it is deep already one that ends soon."""
        ending = [n for n, each in enumerate(choices) if self.kind(self.resolved(each)) not in ("object", "array")]
        return self.chance.choice(ending) if depth >= DEEPEST and ending else self.chance.randrange(len(choices))

    def resolved(self, schema: Any) -> Json:
        """With what its references and `allOf` say."""
        shape: Json = dict(cast("Json", schema)) if isinstance(schema, dict) else {}
        for _ in range(32):
            if not isinstance(reference := shape.pop("$ref", None), str):
                break
            shape = self.merged(shape, self.pointed(reference))
        for part in shape.pop("allOf", ()):
            shape = self.merged(shape, self.resolved(part))
        return shape

    def pointed(self, reference: str) -> Json:
        """What stands at "#/$defs/name"."""
        found: Any = self.top
        for step in reference.removeprefix("#").split("/")[1:]:
            found = (
                cast("Json", found).get(step.replace("~1", "/").replace("~0", "~")) if isinstance(found, dict) else None
            )
        return cast("Json", found) if isinstance(found, dict) else {}

    def merged(self, one: Json, other: Any) -> Json:
        more = cast("Json", other) if isinstance(other, dict) else {}
        both = one | more
        if "properties" in one and "properties" in more:
            both["properties"] = one["properties"] | more["properties"]
        if "required" in one and "required" in more:
            both["required"] = list(dict.fromkeys([*one["required"], *more["required"]]))
        return both

    def kind(self, shape: Json) -> str:
        kind = shape.get("type")
        if isinstance(kind, list):
            kinds = [each for each in cast("list[Any]", kind) if each != "null"] or ["null"]
            kind = self.chance.choice(kinds)
        if kind is None:
            told = {"properties": "object", "items": "array", "prefixItems": "array", "minimum": "number"}
            kind = next((each for word, each in told.items() if word in shape), "string")
        return str(kind)

    def thing(self, shape: Json, depth: int) -> Json:
        """What must be there, and what may be while it is not deep."""
        fields: Json = shape.get("properties") or {}
        needed = [str(name) for name in shape.get("required") or ()]
        names = dict.fromkeys([*fields, *needed] if depth < DEEPEST else needed)
        made = {name: self.make(fields.get(name, {}), depth + 1) for name in names}
        more = shape.get("additionalProperties")
        for number in range(len(made), min(int(shape.get("minProperties") or 0), MOST_ITEMS)):
            made[f"{self.chance.choice(WORDS)}{number}"] = self.make(more if isinstance(more, dict) else {}, depth + 1)
        return made

    def items(self, shape: Json, depth: int) -> list[Any]:
        first: list[Any] = shape.get("prefixItems") or []
        least = int(shape.get("minItems") or 0)
        most = int(shape.get("maxItems", max(least, len(first), 2)))
        count = (
            least if depth >= DEEPEST else max(least, min(most, self.chance.randint(1, 2) if not first else len(first)))
        )
        made: list[Any] = []
        for number in range(min(count, MOST_ITEMS)):
            each = self.make(first[number] if number < len(first) else shape.get("items") or {}, depth + 1)
            for _ in range(16 if shape.get("uniqueItems") else 0):
                if each not in made:
                    break
                each = self.make(shape.get("items") or {}, depth + 1)
            made.append(each)
        return made

    def number(self, shape: Json, *, whole: bool) -> float | int:
        """Within the bounds; in steps of `multipleOf`, and of whole numbers by one."""
        low, high = figure(shape, "minimum"), figure(shape, "maximum")
        above, below = figure(shape, "exclusiveMinimum"), figure(shape, "exclusiveMaximum")
        step = figure(shape, "multipleOf") or (1 if whole else 0)
        width = below - above if above is not None and below is not None else 1
        edge = step or min(width / 4, 1e-3)
        low = above + edge if above is not None else low
        high = below - edge if below is not None else high
        low = low if low is not None else min(0, high if high is not None else 0)
        high = high if high is not None else low + 100
        if step:
            first, last = math.ceil(low / step), math.floor(high / step)
            return self.chance.randint(first, max(first, last)) * step
        return round(self.chance.uniform(low, high), 2) if high - low > 1 else low + (high - low) / 2

    def text(self, shape: Json) -> str:
        if form := FORMATS.get(str(shape.get("format"))):
            return form(self.chance)
        if isinstance(pattern := shape.get("pattern"), str):
            return self.patterned(pattern)
        least, most = int(shape.get("minLength") or 0), int(shape.get("maxLength", 1_000_000))
        words = " ".join(self.chance.choice(WORDS) for _ in range(2))
        while len(words) < min(least, 100_000):
            words += f" {self.chance.choice(WORDS)}"
        return words[:most]

    def patterned(self, pattern: str) -> str:
        """For patterns of literals, classes and counts, which schemas mostly have."""
        text, at = "", 0
        pattern = pattern.removeprefix("^").removesuffix("$")
        while at < len(pattern):
            match = ATOM.match(pattern, at)
            if match is None:
                return text or self.chance.choice(WORDS)
            count = int(match["least"] or 1) if match["least"] else 0 if match["mark"] in ("*", "?") else 1
            text += "".join(self.chance.choice(letters(match["atom"])) for _ in range(min(count, 1000)))
            at = match.end()
        return text


def figure(shape: Json, name: str) -> float | int | None:
    found = shape.get(name)
    return found if isinstance(found, int | float) and not isinstance(found, bool) else None


ATOM = re.compile(r"(?P<atom>\[[^\]]+\]|\\.|[^\\\[\](){}*+?|])(?:\{(?P<least>\d+)(?:,\d*)?\}|(?P<mark>[*+?]))?")


def letters(atom: str) -> str:
    """Some of the characters that a class or an escape stands for."""
    known = {"\\d": "0123456789", "\\w": "abcdefghijklmnopqrstuvwxyz", "\\s": " ", ".": "abcdefghij"}
    if atom in known:
        return known[atom]
    if atom.startswith("["):
        if atom[1] == "^":
            return next((each for each in ("a", "0", "A", "-") if re.fullmatch(atom, each)), "~")
        return "".join(chr(code) for code in range(33, 127) if re.fullmatch(atom, chr(code))) or " "
    return atom.removeprefix("\\")
