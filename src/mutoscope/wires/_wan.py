"""The files that Alibaba's Wan models take and the frames that they make, as their maker states it: the same wherever
the models are offered."""

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec.structs import replace

from mutoscope.model.catalog import pixels_of
from mutoscope.model.job import Generation, MediaLimits
from mutoscope.model.problem import Kind, Problem
from mutoscope.wirekit.fields import Field, pixels

# -- files -------------------------------------------------------------------------------

MIB = 1024 * 1024
IMAGE = MediaLimits(
    types=("image/jpeg", "image/png", "image/bmp", "image/webp"),
    max_bytes=20 * MIB,
    min_side=240,
    max_side=8000,
    min_aspect=1 / 8,
    max_aspect=8.0,
)
AUDIO = MediaLimits(types=("audio/wav", "audio/mpeg"), max_bytes=15 * MIB, min_seconds=2.0, max_seconds=30.0)
LONGEST_CLIP = 10.0
VIDEO = MediaLimits(
    types=("video/mp4", "video/quicktime"),
    max_bytes=100 * MIB,
    min_side=240,
    max_side=4096,
    min_seconds=2.0,
    max_seconds=LONGEST_CLIP,
)


def clip_limits(total: float | None) -> MediaLimits:
    """Of a clip to continue. It counts in the duration that is asked for, in seconds, and cannot be longer."""
    return VIDEO if total is None else replace(VIDEO, max_seconds=float(min(max(total, 0), LONGEST_CLIP)))


# -- the frame: pixels, or a tier and a shape, or a tier where the shape follows the input ------

TIERS = {"480P": "480p", "720P": "720p", "1080P": "1080p"}
"""The maker's word → ours."""
WORDS = {ours: theirs for theirs, ours in TIERS.items()}
RATIOS = ("16:9", "9:16", "1:1", "4:3", "3:4")
ADAPTIVE, AUTO = "adaptive", "auto"
"""The ratio that leaves the shape to the model: the maker's word and ours."""
Size = tuple[int, int]
Shapes = Mapping[Size, tuple[str, str]]
"""Pixels → tier and ratio, in the maker's words."""


def shapes_of(sizes: Mapping[str, Iterable[Size]]) -> Shapes:
    """Of the sizes of each tier, in the order of RATIOS."""
    return {size: (tier, shape) for tier, row in sizes.items() for shape, size in zip(RATIOS, row, strict=True)}


def by_area(*tiers: str) -> Shapes:
    """By the sizes that our catalog takes a shape for at a tier."""
    return shapes_of({tier: [pixels_of(shape, TIERS[tier]) or (0, 0) for shape in RATIOS] for tier in tiers})


def exactly(vendor: str, between: str) -> Field:
    """Width and height as one text, at a model that has no tiers."""

    def write(wish: Generation) -> str | None:
        if size := size_of(vendor, wish):
            return f"{size[0]}{between}{size[1]}"
        if wish.resolution is None:
            return None
        message = f"{vendor} has no tiers of resolution for this model: ask for width and height in pixels."
        raise Problem(Kind.UNSUPPORTED, message, field="resolution")

    return replace(pixels(between), write=write)


def tier_alone(vendor: str) -> Field:
    """A tier, at a model that gives the frame the shape of its input."""

    def write(wish: Generation) -> str | None:
        if size_of(vendor, wish):
            message = f"{vendor} gives the frame the shape of the input: ask for a resolution, not for pixels."
            raise Problem(Kind.UNSUPPORTED, message, field="width")
        return WORDS.get(wish.resolution or "", wish.resolution)

    return Field(ours=("resolution",), read=lambda value: {"resolution": TIERS[value]}, write=write)


def shape_and_tier(vendor: str, shapes: Shapes, refusal: Kind = Kind.UNSUPPORTED) -> tuple[Field, Field]:
    """A shape and a tier beside it: where pixels are asked for, exactly these or none, and what is said beside them
    must agree. Where the shape is left to the model the size was filled in, and only its tier counts."""

    def write(wish: Generation) -> tuple[Any, str | None]:
        shape, tier = wish.extra.get("ratio"), wish.resolution
        if (size := size_of(vendor, wish)) is None:
            return shape, WORDS.get(tier or "", tier)
        if (found := shapes.get(size)) is None:
            right = ", ".join(f"{w}×{h}" for w, h in shapes)
            message = f"{vendor} has no frame of {size[0]}×{size[1]} for this model; it has {right}."
            raise Problem(refusal, message, field="width")
        made = AUTO if shape == AUTO else found[1]
        for name, asked, is_so in (("resolution", tier, TIERS[found[0]]), ("ratio", shape, made)):
            if asked not in (None, is_so):
                message = f"{size[0]}×{size[1]} is {is_so}, which contradicts the {name} {asked} beside it."
                raise Problem(Kind.INVALID, message, field=name)
        return made, found[0]

    def shape_of(wish: Generation) -> Any:
        shape = write(wish)[0]
        return ADAPTIVE if shape == AUTO else shape

    return (
        Field(
            ours=("ratio", "width", "height"),
            read=lambda value: {"extra": {"ratio": AUTO if value == ADAPTIVE else value}},
            write=shape_of,
        ),
        Field(ours=("resolution",), read=lambda value: {"resolution": TIERS[value]}, write=lambda wish: write(wish)[1]),
    )


def size_of(vendor: str, wish: Generation) -> Size | None:
    if wish.width is not None and wish.height is not None:
        return wish.width, wish.height
    if wish.width is None and wish.height is None:
        return None
    message = f"{vendor} needs the width and the height of the frame; only one was given."
    raise Problem(Kind.INVALID, message, field="height" if wish.height is None else "width")
