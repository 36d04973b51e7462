"""What the members of Runway's bodies say: a row each for the kit's table, made from its type.

- `ratio` that is a size in pixels ("1280:720") becomes width and height; `auto_720p` and its like the resolution
  "720p", with "auto" in `extra["ratio"]`; a shape ("16:9", "adaptive", "auto") stays there as it is.
- `resolution` is a tier and becomes the resolution, in lower case ("768P" → "768p").
- `duration` in seconds becomes the seconds; the word "auto" stays in `extra["duration"]`.
- Members that hold files become inputs, by the tables of `files.py`.
- `mode` "extend" becomes the operation.
- Everything else stays in `extra` under the vendor's name.
"""

import math
import re
from collections.abc import Iterator
from functools import cache, partial
from typing import Any, cast, get_args

import msgspec
from msgspec import inspect

from mutoscope.model.job import Generation, Json, Operation
from mutoscope.model.problem import Flaw, Kind, Problem, Rule
from mutoscope.wirekit.body import familiar, schema, shape_of, strange, wholes
from mutoscope.wirekit.fields import AnyField, Field, same
from mutoscope.wirekit.forms import arms
from mutoscope.wirekit.task import Endpoint
from mutoscope.wires.runway import files
from mutoscope.wires.runway.files import ROLES, unsayable, words

PIXELS = re.compile(r"(\d{3,5}):(\d{3,5})", re.ASCII)
SHAPE = re.compile(r"(\d{1,2}):(\d{1,2})", re.ASCII)
AUTO = "auto"
AUTO_TIER = re.compile(rf"{AUTO}_(\w+)", re.ASCII)
TEXTS = {"promptText": "prompt", "negativePrompt": "negative_prompt"}
PLAIN = {"seed": "seed", "outputCount": "count", "watermark": "watermark"}
UNASKED: Json = {"outputCount": 1, "watermark": False}
"""What the vendor does where a body has no such member: one picture, and no mark on it."""
MODES = {"extend": Operation.VIDEO_EXTENSION}
"""Modes of an edit that are an operation of their own; the others stay words."""


def endpoint(path: Operation, struct: Any, mode: str | None = None) -> Endpoint:
    """How one model is asked for at a path. `mode`: one that is an operation of its own."""
    members = members_of(struct)
    model = model_of(struct)
    return Endpoint(
        at=path.value,
        title=model,
        route=model,
        body=struct,
        makes={None: MODES[mode] if mode else path},
        models=(model,),
        fields={
            member: row(model, struct, member)
            for member in members
            if member != "model" and not (mode and member == "mode")
        },
        fixed={"model": model} | ({"mode": mode} if mode else {}),
        always={PLAIN[member]: usual for member, usual in UNASKED.items() if member not in members},
        rules=partial(rules, {name: each.max_length for name in TEXTS if (each := text_of(members.get(name)))}),
        rules_see_all=True,
    )


def row(model: str, struct: Any, member: str) -> AnyField:
    members = members_of(struct)
    type = members[member]
    match member:
        case "duration":
            return duration(model, words(type, struct))
        case "resolution":
            sized = "ratio" in members and "width" in ratio_names(words(members["ratio"], struct))
            return resolution(model, words(type, struct), sized=sized)
        case "ratio":
            return ratio(model, words(type, struct), tiered="resolution" in members)
        case _ if member in TEXTS:
            return text(TEXTS[member], type)
        case _ if member in PLAIN:
            return same(PLAIN[member])
        case _ if member in ROLES:
            return files.row(model, members, member)
        case _:
            return rest(model, member, type)


def rest(model: str, member: str, type: inspect.Type) -> Field:
    """A value that stays as it is, of which only what the vendor knows is there."""
    shape = shape_of(type)

    def write(wish: Generation) -> Any:
        value = wish.extra.get(member)
        if next(strange(value, shape, ()), None):
            raise unsayable(model, member, f"{member} cannot be told as it was asked for")
        return value

    return Field(ours=(member,), read=lambda value: {"extra": {member: familiar(value, shape)}}, write=write)


def text(name: str, type: inspect.Type) -> Field:
    """An empty one, where the vendor takes none, asks for nothing."""
    least = each.min_length if (each := text_of(type)) else None
    return Field(
        ours=(name,),
        read=lambda value: {name: value},
        write=lambda wish: None if least and getattr(wish, name) == "" else getattr(wish, name),
    )


def duration(model: str, listed: tuple[Any, ...]) -> Field:
    """A word that was asked for goes before the seconds that the catalog filled in."""
    spoken = tuple(each for each in listed if isinstance(each, str))

    def read(value: Any) -> Json:
        return {"extra": {"duration": value}} if isinstance(value, str) else {"seconds": float(value)}

    def write(wish: Generation) -> Any:
        word = wish.extra.get("duration")
        if spoken and word is not None and word not in spoken:
            raise unsayable(model, "duration", f"the duration is a number of seconds or {', '.join(spoken)}")
        return wholes(wish.seconds) if word is None or not spoken else word

    return Field(ours=("seconds", "duration") if spoken else ("seconds",), read=read, write=write)


def resolution(model: str, listed: tuple[str, ...], *, sized: bool) -> Field:
    """The vendor's word for the tier, in the vendor's case. `sized`: a size can be said beside it."""
    theirs = {each.lower(): each for each in reversed(listed)}
    right = ", ".join(dict.fromkeys(each.lower() for each in listed))

    def write(wish: Generation) -> Any:
        word = theirs.get(wish.resolution or tier_of(wish) or "")
        if word is None and wish.resolution is not None:
            raise unsayable(model, "resolution", f"the resolution is one of {right}, not {wish.resolution}")
        if word is None and wish.width is not None and sized:
            size = f"{wish.width}x{wish.height}"
            raise unsayable(model, "width", f"the size is that of a resolution, one of {right}, not {size}")
        return word

    return Field(ours=("resolution",), read=lambda value: {"resolution": value.lower()}, write=write)


def ratio(model: str, listed: tuple[str, ...], *, tiered: bool) -> Field:
    """The size in pixels or, where the vendor lists those, a shape, a word or a tier. `tiered`: which another says."""
    names = ratio_names(listed)

    def write(wish: Generation) -> Any:
        said, tier = wish.extra.get("ratio"), wish.resolution
        if said is not None and (said in listed or not listed):
            return said
        automatic = f"{AUTO}_{tier or tier_of(wish)}"
        if said == AUTO and automatic in listed:
            return automatic
        if said is not None and "ratio" in names:
            asked = f"{said} at {tier}" if said == AUTO and tier else said
            raise unsayable(model, "ratio", f"the ratio is one of {', '.join(listed)}, not {asked}")
        if "width" in names and wish.width is not None and wish.height is not None:
            pixels = f"{wish.width}:{wish.height}"
            return pixels if pixels in listed else shape_in(wish.width, wish.height, listed) or pixels
        if automatic in listed:
            return automatic
        if tier is not None and not tiered:
            sizes = ", ".join(listed) or "width:height in pixels"
            raise unsayable(
                model, "resolution", f"a size is asked for by ratio ({sizes}), not by a resolution of {tier}"
            )
        if "width" in names and (wish.width is None) != (wish.height is None):
            message = f"{model} at Runway: a ratio is a width and a height, of which only one was given."
            raise Problem(Kind.INVALID, message, field="width")
        return None

    return Field(ours=names, read=read_ratio, write=write)


def read_ratio(value: str) -> Json:
    if size := PIXELS.fullmatch(value):
        return {"width": int(size[1]), "height": int(size[2])}
    if tier := AUTO_TIER.fullmatch(value):
        return {"resolution": tier[1], "extra": {"ratio": AUTO}}
    return {"extra": {"ratio": value}}


def ratio_names(listed: tuple[str, ...]) -> tuple[str, ...]:
    """What can be told by a ratio of this list; an empty one takes any."""
    names: dict[str, None] = {}
    if not listed or any(PIXELS.fullmatch(each) for each in listed):
        names |= dict.fromkeys(("width", "height", "resolution"))
    if any(SHAPE.fullmatch(each) for each in listed):
        names |= dict.fromkeys(("width", "height"))
    if any(AUTO_TIER.fullmatch(each) for each in listed):
        names |= {"resolution": None}
    if not all(PIXELS.fullmatch(each) for each in listed or ("any",)):
        names |= {"ratio": None}
    return tuple(names)


def shape_in(width: int, height: int, listed: tuple[str, ...]) -> str | None:
    """The listed shape that these pixels have, give or take the rounding of a pixel on each side."""
    for each in listed:
        if shape := SHAPE.fullmatch(each):
            off = width / height * int(shape[2]) / int(shape[1]) - 1
            if abs(off) <= 1 / width + 1 / height:
                return each
    return None


def tier_of(wish: Generation) -> str | None:
    """1366x768 → 768p: a tier is named after the short side of its area at 16:9."""
    if wish.width is None or wish.height is None:
        return None
    return f"{round(math.sqrt(wish.width * wish.height * 9 / 16))}p"


# ---- what is wrong between members, and what a schema cannot say


def rules(longest: dict[str, int | None], said: Json) -> Iterator[Flaw]:
    """The vendor counts UTF-16 code units, of which a character outside the basic plane has two."""
    for name, most in longest.items():
        text = said.get(name)
        if isinstance(text, str) and most is not None and len(text) <= most < utf16_length(text):
            yield Flaw(path=(name,), rule=Rule.MAX_LENGTH, bound=most, found=utf16_length(text))
    yield from files.keyframe_flaws(said.get("keyframes"))
    yield from files.position_flaws(said.get("promptImage"))


def utf16_length(text: str) -> int:
    return len(text) + sum(character > "\uffff" for character in text)


def with_choices(flaw: Flaw, struct: Any) -> Flaw:
    """The vendor answers a missing member that has a list of values with that list."""
    if flaw.rule is not Rule.REQUIRED or len(flaw.path) != 1:
        return flaw
    type = members_of(struct).get(str(flaw.path[0]))
    if not isinstance(type, inspect.LiteralType):
        return flaw
    return Flaw(path=flaw.path, rule=Rule.CHOICE, bound=words(type, struct), found="undefined")


# ---- what types say


@cache
def models(type: Any) -> dict[str, Any]:
    """Model → its struct, of the bodies of a path."""
    return {model_of(each): each for each in get_args(type) or (type,)}


def model_of(struct: Any) -> str:
    alone = (get_args(each.type)[0] for each in msgspec.structs.fields(struct) if each.encode_name == "model")
    return struct.__struct_config__.tag or next(alone)


def members_of(struct: Any) -> dict[str, inspect.Type]:
    """Member → its type, in the body's order."""
    return {field.encode_name: field.type for field in cast("inspect.StructType", schema(struct)).fields}


def text_of(type: inspect.Type | None) -> inspect.StrType | None:
    return next((each for each in arms(type) if isinstance(each, inspect.StrType)), None)
