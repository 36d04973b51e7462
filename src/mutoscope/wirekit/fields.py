"""What a member of a vendor's body says of a Generation, read one way and written the other.

A vendor's table maps dotted paths of its bodies to these. A body's type decides which rows it has: a row whose path is
not among the members of a type says nothing of it.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from mutoscope.model.catalog import TIERS
from mutoscope.model.job import Generation, Input, Json, MediaLimits, Role
from mutoscope.model.problem import Flaw
from mutoscope.wirekit.back import VendorRequest, Way
from mutoscope.wirekit.body import wholes


class Field(Struct, frozen=True, kw_only=True):
    """A value that is read into fields of a Generation, or into its `extra`, and written from them."""

    ours: tuple[str, ...]  # names of fields or extras
    read: Callable[[Any], Json]  # a value of the body's type → what it says; `extra` for what has no field
    write: Callable[[Generation], Any]  # None: nothing was asked for
    alias: bool = False  # another spelling: read, never written


class FileField(Struct, frozen=True, kw_only=True):
    """A member that names a file, or a list of them: a link, a data URI, a part of a form, an upload."""

    role: Role
    limits: MediaLimits | None = None
    ways: tuple[Way, ...] = (Way.LINK,)  # how a file travels to the vendor; data URIs are read in front where DATA is
    bare: bool = False  # base64 without the head of a data URI, both ways
    many: bool = False  # the member is a list
    item: str = ""  # in a list of objects, the member of each that names the file
    weight: str = ""  # in a list of objects, the member of each that says how much it counts
    beside: Json = {}  # what has to stand next to it
    written: Callable[[str], Any] | None = None  # how a source is said, where not as the text itself or its `item`
    alias: bool = False


class JobField(Struct, frozen=True, kw_only=True):
    """A member that is the id of an earlier job, whose output is the input."""

    role: Role
    output: Callable[[str], int] = lambda _: 0  # which of its outputs of the role's kind, where an id names one
    beside: Json = {}
    alias: bool = False


class FilesField(Struct, frozen=True, kw_only=True):
    """A member of which each file's place tells what it is for: functions of the vendor's file read and write it."""

    ours: tuple[str, ...]  # roles, and names of extras
    read: Callable[[Any], Iterable[Input | Flaw | Json]]
    """Files, flaws and extras, of a value that may break its type."""
    write: Callable[[VendorRequest], Any]  # None: nothing was asked for
    named: Callable[[Generation, str], str]  # which of `ours` a path such as "frames[1].uri" is about
    alias: bool = False


AnyField = Field | FileField | FilesField | JobField


def alias(field: AnyField) -> AnyField:
    """Another spelling of a member, which some clients send."""
    return replace(field, alias=True)


def same(name: str) -> Field:
    """The value means the same."""
    return Field(ours=(name,), read=lambda value: {name: value}, write=lambda wish: wholes(getattr(wish, name)))


def extra(name: str) -> Field:
    """A value that a Generation has no field for, kept as it is."""
    return Field(ours=(name,), read=lambda value: {"extra": {name: value}}, write=lambda wish: wish.extra.get(name))


def extras(names: str) -> dict[str, AnyField]:
    """A row for each of these members, which stand apart by blanks: kept under its own name."""
    return {name: extra(name) for name in names.split()}


def figure(name: str) -> Field:
    """A number that a Generation has as a fraction."""
    return Field(ours=(name,), read=lambda value: {name: float(value)}, write=same(name).write)


def folded(most: int, least: int = 0) -> Field:
    """A seed up to `most`; one of a wider range is folded into this one, the same one every time. One below 0 stays."""

    def write(wish: Generation) -> int | None:
        seed = wish.seed
        if seed is None or seed < 0 or least <= seed <= most:
            return seed
        return least + seed % (most - least + 1)

    return replace(same("seed"), write=write)


def unless(usual: Any, field: Field) -> Field:
    """A value that says nothing where it is the usual one, which is what is done anyway."""

    def read(value: Any) -> Json:
        return {} if value == usual else field.read(value)

    return replace(field, read=read)


def words(name: str, theirs: Mapping[Any, Any]) -> Field:
    """A closed list: our value → theirs."""
    ours = {word: value for value, word in theirs.items()}
    return Field(
        ours=(name,),
        read=lambda value: {name: ours.get(value, value)},
        write=lambda wish: theirs.get(getattr(wish, name), getattr(wish, name)),
    )


def seconds(suffix: str = "") -> Field:
    """Seconds as a text: "5s", "5"."""
    return Field(
        ours=("seconds",),
        read=lambda value: {"seconds": float(str(value).removesuffix(suffix))},
        write=lambda wish: None if wish.seconds is None else f"{wish.seconds:g}{suffix}",
    )


def seconds_more(suffix: str = "") -> Field:
    """As `seconds`; of an extension it is what is added, which its endpoint sees to (`Endpoint.adds`)."""

    def write(wish: Generation) -> str | None:
        added = wish.extra.get("added_seconds", wish.seconds)
        return None if added is None else f"{added:g}{suffix}"

    return replace(seconds(suffix), ours=("seconds", "added_seconds"), write=write)


def pixels(between: str) -> Field:
    """Width and height as one text: "1280x720"."""

    def read(value: str) -> Json:
        width, _, height = value.partition(between)
        return {"width": int(width), "height": int(height)} if width.isdigit() and height.isdigit() else {}

    def write(wish: Generation) -> str | None:
        return None if wish.width is None or wish.height is None else f"{wish.width}{between}{wish.height}"

    return Field(ours=("width", "height"), read=read, write=write)


def shaped(shapes: Collection[str]) -> Field:
    """A shape such as "16:9", kept as `ratio`; where a size is all that is known, the shape that it has."""

    def write(wish: Generation) -> Any:
        if wish.width is None or wish.height is None:
            return wish.extra.get("ratio")
        aspect = wish.width / wish.height
        fitting = (shape for shape in shapes if abs(aspect / aspect_of(shape) - 1) < SAME_SHAPE)
        return next(fitting, f"{wish.width}:{wish.height}")  # which the body's type refuses, with what would be right

    return Field(ours=("ratio", "width", "height"), read=lambda value: {"extra": {"ratio": value}}, write=write)


def tiered(tiers: Mapping[str, Any]) -> Field:
    """A tier such as "720p" in the vendor's words; where a size is all that is known, the tier of as many pixels."""
    ours = {word: tier for tier, word in tiers.items()}

    def write(wish: Generation) -> Any:
        if wish.resolution is not None or wish.width is None or wish.height is None:
            return tiers.get(wish.resolution or "", wish.resolution)
        pixels = wish.width * wish.height
        fitting = (word for tier, word in tiers.items() if abs(pixels / area_of(tier) - 1) < SAME_AREA)
        return next(fitting, f"{wish.width}x{wish.height}")  # which the body's type refuses, with what would be right

    return Field(
        ours=("resolution", "width", "height"),
        read=lambda value: {"resolution": ours.get(value, value)},
        write=write,
    )


def area_of(tier: str) -> float:
    return TIERS[tier] ** 2 * 16 / 9


SAME_AREA = 0.03


def aspect_of(shape: str) -> float:
    width, _, height = shape.partition(":")
    return int(width) / int(height)


SAME_SHAPE = 0.01
"""Sides are whole and even, so that a shape in pixels is not quite the shape."""


def sized(name: str, sizes: Mapping[str, tuple[int, int]]) -> Field:
    """A word that stands for a size in pixels, as a ratio with fixed sizes; one without a size is kept as `name`."""

    def read(value: str) -> Json:
        size = sizes.get(value)
        return {"extra": {name: value}} if size is None else {"width": size[0], "height": size[1]}

    def write(wish: Generation) -> Any:
        if wish.width is None or wish.height is None:
            return wish.extra.get(name)
        found = (word for word, size in sizes.items() if size == (wish.width, wish.height))
        return next(found, f"{wish.width}x{wish.height}")  # which the body's type refuses, with what would be right

    return Field(ours=("width", "height", name), read=read, write=write)
