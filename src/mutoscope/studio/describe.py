"""What can be said of a picture by counting its pixels: colours, light and composition. Nothing is recognised."""

import math
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from mutoscope.studio import picture
from mutoscope.studio.planes import Bytes, Floats

LABEL = "Statistics of colour and composition; nothing in the picture was recognised."
SIDE = 128  # pixels of the longer side that are counted
COLOURS = 6  # at most, in the palette
SAME = 9.0  # colours nearer than this (CIE 1976 difference) are one
LEAST_SHARE = 0.015
LEVEL_COLUMNS = 0.72  # of the picture's width that a horizon must cross

NAMES: dict[str, str] = {
    "black": "0a0a0c", "charcoal": "33363b", "dark grey": "555555", "grey": "808080", "silver": "b4b6b9",
    "light grey": "d6d6d6", "white": "fafafa", "ivory": "f6f0dc", "cream": "efe0b9", "beige": "d8c3a0",
    "sand": "c9a66b", "tan": "b58a5c", "brown": "7a4b2a", "dark brown": "432818", "rust": "a4451f",
    "maroon": "6d1a23", "crimson": "b3122f", "red": "dc2320", "coral": "f2705c", "salmon": "f3a08c",
    "pink": "f2a7be", "magenta": "d02a90", "plum": "73335f", "purple": "6f2c91", "violet": "8f5fd0",
    "lavender": "bdaee0", "indigo": "36307c", "navy": "16213f", "midnight blue": "10182b", "blue": "2456c8",
    "royal blue": "3f6ee0", "sky blue": "85bde8", "pale blue": "c3dcee", "steel blue": "53789b",
    "slate": "56636f", "teal": "10777a", "turquoise": "33bdb6", "cyan": "4fd6ea", "mint": "a5dfc0",
    "green": "2a8f3c", "forest green": "1d4d2b", "dark green": "14301c", "olive": "6c6a2a", "moss": "56643a",
    "sage": "9cab87", "lime": "a4d437", "yellow": "f5d92c", "mustard": "cda02c", "gold": "dbab3d",
    "amber": "f0a322", "orange": "ee7c1c", "peach": "f8c79d",
}  # fmt: skip
"""Names of colours and where they lie, in sRGB; a colour has the name of the nearest (CIE 1976)."""


@dataclass(frozen=True)
class Swatch:
    """One colour of the palette."""

    hex: str  # #rrggbb, sRGB
    name: str
    share: float  # of the picture, 0 to 1


@dataclass(frozen=True)
class Description:
    """Figures of a picture. All are statistics."""

    width: int  # as shown, in pixels
    height: int
    palette: tuple[Swatch, ...]  # the largest first
    brightness: float  # mean lightness (CIE L*), 0 to 1
    contrast: float  # standard deviation of lightness, 0 to about 0.5
    saturation: float  # mean chroma, 0 grey … 1 as vivid as screens go
    warmth: float  # -1 cold (blue) … 1 warm (yellow, red)
    detail: float  # share of fine contrast, 0 smooth … 1 busy
    horizon: float | None  # height of the one level line that divides the picture, 0 top … 1 bottom
    focus: tuple[float, float]  # where the weight of contrast and colour lies, (across, down), 0 to 1
    symmetry: float  # left against right, 0 none … 1 a mirror
    origin: str = ""  # what the file itself says of its making, where this renderer made it

    @property
    def text(self) -> str:
        """A few sentences that begin with the label."""
        made = [f"Its file says that it was made here: {self.origin}."] if self.origin else []
        return " ".join([LABEL, *made, *_sentences(self)])


def describe_image(image: Path) -> Description:
    """The statistics of a picture (sRGB is assumed). Raises StudioError with the field "image"."""
    return describe_picture(picture.load(image), picture.origin(image))


def describe_picture(source: Image.Image, origin: str = "") -> Description:
    """The same of a picture that is open."""
    small = source.copy()
    small.thumbnail((SIDE, SIDE))
    rgb = np.asarray(small, np.uint8)
    lab = _lab(rgb)
    lightness = lab[..., 0] / 100
    chroma = np.hypot(lab[..., 1], lab[..., 2])
    return Description(
        width=source.width,
        height=source.height,
        palette=_palette(lab),
        brightness=_figure(lightness.mean()),
        contrast=_figure(lightness.std()),
        saturation=_figure(min(1.0, float(chroma.mean()) / 70)),
        warmth=_figure(np.tanh((lab[..., 2].mean() + 0.4 * lab[..., 1].mean()) / 25)),
        detail=_figure(_detail(lightness)),
        horizon=_horizon(lab),
        focus=_focus(lab),
        symmetry=_figure(_symmetry(lightness)),
        origin=origin,
    )


def _lab(rgb: Bytes) -> Floats:
    """CIE L*a*b*: L 0 to 100."""
    return np.asarray(cv2.cvtColor(rgb.astype(np.float32) / np.float32(255), cv2.COLOR_RGB2LAB), np.float32)


def _figure(value: float | np.floating) -> float:
    return round(float(value), 3)


def _palette(lab: Floats) -> tuple[Swatch, ...]:
    count = COLOURS + 4
    points = np.ascontiguousarray(lab.reshape(-1, 3), np.float32)
    points = np.tile(points, (math.ceil(count / len(points)), 1))  # k-means wants more points than clusters
    cv2.setRNGSeed(1)
    ends = cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 24, 0.5
    _, labels, centres = cv2.kmeans(points, count, np.empty(0), ends, 2, cv2.KMEANS_PP_CENTERS)
    sizes = np.bincount(labels.ravel(), minlength=count).astype(np.float64)
    found = _merged(
        [(float(size), centre) for size, centre in zip(sizes, np.asarray(centres, np.float64), strict=True)]
    )
    shares = [(size / len(points), centre) for size, centre in found]
    kept = [each for each in shares if each[0] >= LEAST_SHARE][:COLOURS]
    return tuple(Swatch(_hex(centre), _name(centre), round(share, 3)) for share, centre in kept)


def _merged(found: list[tuple[float, Floats]]) -> list[tuple[float, Floats]]:
    """Clusters of nearly the same colour, made one; the largest first."""
    result: list[tuple[float, Floats]] = []
    for size, centre in sorted(found, key=lambda each: -each[0]):
        near = next((at for at, (_, other) in enumerate(result) if np.linalg.norm(other - centre) < SAME), None)
        if near is None:
            result.append((size, centre))
        elif size:
            mass, other = result[near]
            result[near] = mass + size, (other * mass + centre * size) / (mass + size)
    return sorted(result, key=lambda each: -each[0])


def _hex(lab: Floats) -> str:
    rgb = cv2.cvtColor(lab.astype(np.float32).reshape(1, 1, 3), cv2.COLOR_LAB2RGB).reshape(3)
    return "#" + "".join(f"{round(float(value) * 255):02x}" for value in rgb.clip(0, 1))


def _name(lab: Floats) -> str:
    codes = np.array([[int(code[at : at + 2], 16) for at in (0, 2, 4)] for code in NAMES.values()], np.uint8)
    return list(NAMES)[int(np.linalg.norm(_lab(codes[None])[0] - lab, axis=1).argmin())]


def _detail(lightness: Floats) -> float:
    fine = np.abs(lightness - np.asarray(cv2.GaussianBlur(lightness, (0, 0), 1.2), np.float32))
    return min(1.0, float(fine.mean()) / 0.06)


def _horizon(lab: Floats) -> float | None:
    """Where what is above and what is below differ most, if the line runs all across."""
    height, width = lab.shape[:2]
    if height < 24 or width < 24:
        return None
    reach = max(3, height // 14)
    smooth = cv2.blur(lab, (max(3, width // 8), reach))
    step = np.linalg.norm(smooth[2 * reach :] - smooth[: -2 * reach], axis=-1)  # at row reach + i
    level = np.median(step, axis=1)
    best = int(level.argmax())
    at = best + reach
    there = np.abs(step.argmax(axis=0) - best) <= reach  # in which columns it is the greatest step too
    if not 0.12 < at / height < 0.88 or level[best] < 12 or there.mean() < LEVEL_COLUMNS:
        return None
    return _figure((at + 0.5) / height)


def _focus(lab: Floats) -> tuple[float, float]:
    """The centre of what differs from the picture's mean colour and from its surroundings."""
    height, width = lab.shape[:2]
    blurred = np.asarray(cv2.GaussianBlur(lab, (0, 0), max(2.0, width / 10)), np.float32)
    weight = np.linalg.norm(lab - blurred, axis=-1) + 0.3 * np.linalg.norm(lab - lab.mean((0, 1)), axis=-1)
    weight = _blur(np.asarray(weight, np.float32), 3) ** 3 + np.float32(1e-6)
    across = float((weight.sum(0) * (np.arange(width) + 0.5)).sum() / weight.sum() / width)
    down = float((weight.sum(1) * (np.arange(height) + 0.5)).sum() / weight.sum() / height)
    return round(across, 3), round(down, 3)


def _blur(field: Floats, sigma: float) -> Floats:
    return np.asarray(cv2.GaussianBlur(field, (0, 0), sigma), np.float32)


def _symmetry(lightness: Floats) -> float:
    soft = _blur(lightness, 2)
    away = float(np.abs(soft - soft[:, ::-1]).mean())
    return max(0.0, 1 - away / max(1e-3, 1.2 * float(np.abs(soft - soft.mean()).mean())))


def _sentences(found: Description) -> list[str]:
    colours = [f"{each.name} ({each.hex}, {each.share:.0%})" for each in found.palette]
    light = _word(found.brightness, (0.2, "very dark"), (0.4, "dark"), (0.62, "of medium brightness"), (0.82, "bright"))
    contrast = _word(found.contrast, (0.1, "low"), (0.24, "medium"))
    chroma = _word(found.saturation, (0.06, "nearly without colour"), (0.25, "muted"), (0.5, "colourful"))
    warmth = _word(found.warmth, (-0.2, "cold"), (0.2, "neutral"), last="warm")
    detail = _word(found.detail, (0.15, "smooth"), (0.5, "moderately detailed"), last="full of fine detail")
    lines = [
        f"{_shape(found.width, found.height)}, {found.width} x {found.height} pixels.",
        f"Colours: {', '.join(colours)}.",
        f"It is {light or 'very bright'}, with {contrast or 'high'} contrast, {chroma or 'vivid'}, {warmth} in tone "
        f"and {detail}.",
        f"The visual weight lies {_place(*found.focus)}.",
    ]
    if found.horizon is not None:
        lines.append(f"A level line divides it at {found.horizon:.0%} of its height from the top.")
    if found.symmetry > 0.75:
        lines.append("Left and right are nearly mirror images.")
    return lines


def _word(value: float, *steps: tuple[float, str], last: str = "") -> str:
    return next((word for bound, word in steps if value < bound), last)


def _shape(width: int, height: int) -> str:
    aspect = width / height
    return (
        "Panorama"
        if aspect > 2.2
        else "Landscape format"
        if aspect > 1.1
        else "Square"
        if aspect > 0.9
        else "Portrait format"
    )


def _place(across: float, down: float) -> str:
    side = _word(across, (0.42, "left"), (0.58, ""), last="right")
    level = _word(down, (0.42, "upper"), (0.58, ""), last="lower")
    return f"in the {level or 'middle'} {side or 'middle'}" if side or level else "in the middle"


def lines_of(found: Description, count: int) -> tuple[str, ...]:
    """So many ways to say it: the full text, then shorter ones that each begin with another of its signs."""
    names = list(dict.fromkeys(each.name for each in found.palette)) or ["no colour"]
    light = _word(found.brightness, (0.2, "very dark"), (0.4, "dark"), (0.62, "mid-toned"), (0.82, "bright"))
    tone = _word(found.warmth, (-0.2, "cold"), (0.2, "neutral"), last="warm")
    contrast = _word(found.contrast, (0.1, "low"), (0.24, "medium"), last="high")
    detail = _word(found.detail, (0.15, "smooth"), (0.5, "moderately detailed"), last="full of fine detail")
    level = f"a level line at {found.horizon:.0%} of the height" if found.horizon is not None else "no level line"
    mirrored = ", left and right nearly mirrored" if found.symmetry > 0.75 else ""
    shape = _shape(found.width, found.height).lower()
    place = _place(*found.focus)
    said = (
        f"{names[0]}, {', '.join(names[1:3]) or 'little else'}; {tone} and {light or 'very bright'}, {detail}, {shape}",
        f"{light or 'very bright'} picture of {contrast} contrast, {tone}, in {_list(names[:4])}, {shape}",
        f"{shape}, the weight {place}, {level}{mirrored}; {names[0]} prevails, {tone} tone",
        f"{contrast} contrast, {detail}, {tone}: {_list(names)}",
        f"{level}, the weight {place}{mirrored}, {light or 'very bright'}",
        f"palette {', '.join(each.hex for each in found.palette)}, {tone}, {contrast} contrast",
        f"{_list(names[:2])}, {detail}, {light or 'very bright'}, {shape}",
    )
    short = tuple(f"Colours and composition only: {text}." for text in said)
    return (found.text, *short)[:count]


def _list(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]
