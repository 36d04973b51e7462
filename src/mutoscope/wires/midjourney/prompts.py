"""Prompts as Midjourney has them: links of pictures in front, words, and `--flags` behind."""

import re
from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from mutoscope.model.job import Generation, Json
from mutoscope.model.problem import Flaw, Kind, Problem, custom_flaw
from mutoscope.wirekit.media import LINK

SIZES = {
    "1:1": (1024, 1024),
    "16:9": (1456, 816),
    "9:16": (816, 1456),
    "3:2": (1344, 896),
    "2:3": (896, 1344),
    "4:3": (1232, 928),
    "3:4": (928, 1232),
    "5:4": (1152, 928),
    "4:5": (928, 1152),
    "7:4": (1360, 768),
    "2:1": (1456, 720),
    "1:2": (720, 1456),
    "21:9": (1680, 720),
}
"""What a shape is made in: about a million pixels, sides in steps of sixteen. Other shapes are reckoned so too."""
SHAPE = re.compile(r"([1-9][0-9]{0,2}):([1-9][0-9]{0,2})", re.ASCII)
WIDEST = 14.0  # times as wide as high, or as high as wide
SPEEDS = {"fast": "FAST", "relax": "RELAX", "turbo": "TURBO"}
SEED = re.compile(r"[0-9]{1,10}", re.ASCII)
LARGEST_SEED = 4294967295


class Prompt(Struct, frozen=True, kw_only=True):
    links: tuple[str, ...] = ()
    words: str = ""
    flags: dict[str, str] = {}  # name → value, in their order


def read(text: str) -> Prompt:
    parts = re.split(r"(?:^|\s)(?:--|—)(?=[a-zA-Z])", text.strip())
    words, links = parts[0].split(), list[str]()
    while words and LINK.fullmatch(words[0]):
        links.append(words.pop(0))
    said = (part.strip().partition(" ") for part in parts[1:])
    flags = {name.lower(): value.strip() for name, _, value in said}
    return Prompt(links=tuple(links), words=" ".join(words), flags=flags)


def flaws(said: Json) -> Iterator[Flaw]:
    """What is wrong with a prompt."""
    prompt = read(str(said["prompt"])) if isinstance(said.get("prompt"), str) else Prompt(words="none")
    if not (prompt.words or prompt.links):
        yield custom_flaw(("prompt",), "is required")
    shape, seed = shape_in(prompt), prompt.flags.get("seed")
    if shape is not None and size_of(shape) is None:
        yield custom_flaw(("prompt",), f"--ar should be a shape such as 16:9, not {shape[:20]!r}")
    if seed is not None and seed_of(seed) is None:
        yield custom_flaw(("prompt",), f"--seed should be a number from 0 to {LARGEST_SEED}, not {seed[:20]!r}")


def shape_in(prompt: Prompt) -> str | None:
    return prompt.flags.get("ar") or prompt.flags.get("aspect")


def size_of(shape: str) -> tuple[int, int] | None:
    """Pixels of a shape; None for what is none."""
    match = SHAPE.fullmatch(shape)
    if not match:
        return None
    aspect = int(match[1]) / int(match[2])
    if not 1 / WIDEST <= aspect <= WIDEST:
        return None
    side = 1024 * aspect**0.5
    return SIZES.get(shape) or (16 * round(side / 16), 16 * round(1024 * 1024 / side / 16))


def seed_of(text: str) -> int | None:
    return int(text) if SEED.fullmatch(text) and int(text) <= LARGEST_SEED else None


UNDERSTOOD = frozenset({"ar", "aspect", "seed", "no", *SPEEDS})


def wishes(text: str) -> Json:
    """What a sound prompt asks for; flags that only the vendor understands stay as they are."""
    prompt = read(text)
    asked: Json = {"prompt": prompt.words}
    extra: dict[str, Any] = {}
    if (shape := shape_in(prompt)) and (size := size_of(shape)):
        asked |= {"width": size[0], "height": size[1]}
    if (seed := seed_of(prompt.flags.get("seed", ""))) is not None:
        asked["seed"] = seed
    if no := prompt.flags.get("no"):
        asked["negative_prompt"] = no
    if mode := next((mode for name, mode in SPEEDS.items() if name in prompt.flags), None):
        extra["mode"] = mode
    if flags := " ".join(f"--{name} {value}".strip() for name, value in prompt.flags.items() if name not in UNDERSTOOD):
        extra["flags"] = flags
    return asked | {"extra": extra}


def written(wish: Generation) -> str | None:
    """The prompt that says a wish. Raises Problem for what none can say."""
    if wish.prompt is None:
        return None
    if wish.count not in (None, 1, 4):
        raise Problem(Kind.INVALID, "Midjourney makes four pictures, of which one may be taken.", field="count")
    parts = [wish.prompt]
    if (wish.width, wish.height) not in ((None, None), SIZES["1:1"]):
        parts.append(f"--ar {shape_of(wish)}")
    if wish.negative_prompt:
        parts.append(f"--no {wish.negative_prompt}")
    if wish.seed is not None:
        parts.append(f"--seed {wish.seed}")
    return " ".join([*parts, str(wish.extra["flags"])] if wish.extra.get("flags") else parts)


def shape_of(wish: Generation) -> str:
    sizes = ", ".join(f"{width}x{height}" for width, height in SIZES.values())
    for shape in (*SIZES, *(f"{wide}:{high}" for wide in range(1, 22) for high in range(1, 22))):
        if size_of(shape) == (wish.width, wish.height):
            return shape
    message = f"Midjourney makes pictures in sizes of its own, such as {sizes}."
    raise Problem(Kind.INVALID, message, field="height" if wish.height is None else "width")
