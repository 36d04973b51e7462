"""A figure in colours and at a size: its pieces cut from paper, one sheet over the other, lit from the upper left."""

import functools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import cv2
import numpy as np

from mutoscope.studio.scene.lexicon import Rgb
from mutoscope.studio.scene.raster import Bytes
from mutoscope.studio.theatre.shapes import Figure, Joint, Part, Points, bounds

LOOP_SECONDS = 2.0  # all motions repeat after it
POSES = 24  # of a loop: cut-outs are moved twelve times a second, as on film
REST_POSE = 3  # what stands still in a picture is seen in mid-stride
_SHIFT = 4  # bits of a pixel in which polygons are given
_MARGIN = 5  # pixels around what is drawn
_HERTZ = {"leg": 1.0, "swing": 0.5, "wag": 2.0, "flap": 1.0, "spin": 0.5, "steam": 0.5, "bob": 1.0, "roll": 1.0}

INKS: dict[str, Rgb] = {
    "black": (0.13, 0.12, 0.14),
    "ink": (0.20, 0.17, 0.20),
    "white": (0.97, 0.96, 0.93),
    "cream": (0.96, 0.90, 0.76),
    "grey": (0.58, 0.59, 0.62),
    "steel": (0.70, 0.73, 0.77),
    "iron": (0.33, 0.35, 0.39),
    "tyre": (0.17, 0.17, 0.19),
    "glass": (0.66, 0.84, 0.92),
    "window": (0.45, 0.66, 0.80),
    "lamp": (1.00, 0.88, 0.52),
    "wood": (0.60, 0.40, 0.24),
    "timber": (0.44, 0.28, 0.17),
    "straw": (0.90, 0.76, 0.44),
    "brick": (0.74, 0.36, 0.27),
    "stone": (0.66, 0.64, 0.60),
    "slate": (0.36, 0.40, 0.46),
    "leaf": (0.30, 0.55, 0.29),
    "moss": (0.20, 0.41, 0.24),
    "red": (0.84, 0.22, 0.19),
    "orange": (0.95, 0.54, 0.18),
    "yellow": (0.98, 0.80, 0.26),
    "gold": (0.90, 0.69, 0.24),
    "green": (0.33, 0.62, 0.34),
    "blue": (0.24, 0.45, 0.78),
    "navy": (0.16, 0.22, 0.42),
    "purple": (0.50, 0.33, 0.66),
    "pink": (0.95, 0.62, 0.68),
    "rose": (0.90, 0.42, 0.48),
    "brown": (0.42, 0.27, 0.18),
    "tan": (0.80, 0.62, 0.43),
    "coffee": (0.28, 0.17, 0.11),
    "crust": (0.83, 0.60, 0.32),
    "skin": (0.93, 0.74, 0.60),
    "lip": (0.78, 0.35, 0.34),
    "blush": (0.93, 0.58, 0.52),
    "cheese": (0.98, 0.82, 0.40),
    "steam": (0.98, 0.98, 0.98),
    "flame": (1.00, 0.62, 0.16),
}


@dataclass(frozen=True, slots=True)
class Sprite:
    """A drawn figure: red, green, blue, cover, the colours multiplied by the cover."""

    rgba: Bytes
    x: float  # where in it the figure's middle and its ground lie, in pixels
    y: float


def inks_of(colours: Mapping[str, Rgb]) -> dict[str, Rgb]:
    """All inks: those of everybody, those of this figure, and the darker and lighter of `main` and `second`."""
    inks = INKS | dict(colours)
    inks.setdefault("second", _mixed(inks.get("main", INKS["grey"]), (0.10, 0.06, 0.14), 0.4))
    for name in ("main", "second", "third", "skin", "hair", "cloth", "legs", "shoe"):
        if name in inks:
            dark, light = name + "-", name + "+"
            inks.setdefault(dark, _mixed(inks[name], (0.10, 0.06, 0.14), 0.26))
            inks.setdefault(light, _mixed(inks[name], (1.0, 0.98, 0.92), 0.34))
    return inks


def _mixed(one: Rgb, other: Rgb, share: float) -> Rgb:
    red, green, blue = (a + (b - a) * share for a, b in zip(one, other, strict=True))
    return red, green, blue


def draw(
    figure: Figure,
    inks: Mapping[str, Rgb],
    scale: float,
    *,
    pose: int = 0,
    going: bool = False,
    still: bool = True,
    flip: bool = False,
    turn: float = 0.0,
    fibres: bool = True,
) -> Sprite:
    """The figure at `scale` pixels for a hundredth of its height, in one pose of its loop.

    `going` lets it walk or drive. What is `still` shows no motion but the stride of what goes. `turn` leans all of it, in
    degrees against the clock. Without `fibres` the paper is smooth, which takes an encoder less time.
    """
    moved = [
        (each, [outline @ _lean(turn) for outline in _moved(each, figure.joints, pose, going=going, still=still)])
        for each in figure.parts
    ]
    way = np.array([-scale if flip else scale, -scale])
    shown = [(each, [outline * way for outline in outlines]) for each, outlines in moved]
    every = np.concatenate([outline for _, outlines in shown for outline in outlines])
    low, high = np.floor(every.min(0)) - _MARGIN, np.ceil(every.max(0)) + _MARGIN
    across, down = (max(4, int(each)) for each in high - low)
    canvas = np.zeros((down, across, 4), np.uint8)
    size = max(across, down)
    for sheet in _sheets(shown):
        _lay(canvas, sheet, inks, low, size)
    _light(canvas, fibres=fibres)
    return Sprite(canvas, -float(low[0]), -float(low[1]))


def extent(figure: Figure) -> tuple[float, float]:
    """Width and height in hundredths."""
    left, bottom, right, top = bounds(figure)
    return right - left, top - bottom


def _lean(degrees: float) -> Points:
    angle = math.radians(degrees)
    cosine, sine = math.cos(angle), math.sin(angle)
    return np.array([[cosine, sine], [-sine, cosine]])


def _moved(part: Part, joints: Mapping[str, Joint], pose: int, *, going: bool, still: bool) -> list[Points]:
    """The outlines in this pose; a joint named `arm.hand` hangs on `arm`."""
    outlines = list(part.outlines)
    name = part.joint
    while name:
        if name in joints:
            outlines = [_turned(each, joints[name], pose, going=going, still=still) for each in outlines]
        name = name.rpartition(".")[0]
    return outlines


def _turned(outline: Points, joint: Joint, pose: int, *, going: bool, still: bool) -> Points:
    kind = joint.motion
    if kind in ("leg", "roll") and not going:
        return outline
    if still and kind not in ("leg", "roll"):
        return outline
    seconds = pose * LOOP_SECONDS / POSES
    hertz = _HERTZ.get(kind, 0.5)
    turns = seconds * (max(1.0, hertz) if going else hertz) + joint.phase  # what goes has a loop of half the time
    wave = math.sin(math.tau * turns)
    pivot = np.array([joint.x, joint.y])
    if kind in ("leg", "swing", "wag"):
        return (outline - pivot) @ _lean(joint.amount * wave) + pivot
    if kind in ("spin", "roll"):
        return (outline - pivot) @ _lean(-360.0 * turns) + pivot
    if kind == "flap":
        return (outline - pivot) * (1.0, 1.0 - joint.amount * (0.5 + 0.5 * wave)) + pivot
    if kind == "fold":
        return (outline - pivot) * (
            1.0 - joint.amount * (0.5 + 0.5 * math.sin(math.tau * (seconds + joint.phase))),
            1.0,
        ) + pivot
    if kind == "blink":
        shut = pose % POSES in (9, 10)
        return (outline - pivot) * (1.0, 0.12 if shut else 1.0) + pivot
    if kind == "steam":
        return outline + (joint.amount * 0.4 * wave, joint.amount * (turns % 1.0))
    if kind == "bob":
        return outline + (0.0, joint.amount * wave)
    raise KeyError(kind)


def _sheets(shown: list[tuple[Part, list[Points]]]) -> Iterator[list[tuple[Part, list[Points]]]]:
    sheet: list[tuple[Part, list[Points]]] = []
    for each in shown:
        if each[0].sheet and sheet:
            yield sheet
            sheet = []
        sheet.append(each)
    if sheet:
        yield sheet


def _lay(
    canvas: Bytes,
    sheet: list[tuple[Part, list[Points]]],
    inks: Mapping[str, Rgb],
    low: Points,
    size: int,
) -> None:
    """One sheet over those that lie there, with its shadow on them and the light on its edge."""
    every = np.concatenate([outline for _, outlines in sheet for outline in outlines]) - low
    reach = max(2, size // 60)
    left, top = (max(0, int(each) - 2 * reach) for each in np.floor(every.min(0)))
    right, bottom = (int(each) + 3 * reach for each in np.ceil(every.max(0)))
    under = canvas[top:bottom, left:right]
    layer = np.zeros_like(under)
    for part, outlines in sheet:
        rgb = inks[part.ink]
        colour = (*(round(each * 255) for each in rgb), 255)
        points = [np.rint((each - low - (left, top)) * (1 << _SHIFT)).astype(np.int32) for each in outlines]
        cv2.fillPoly(layer, points, colour, lineType=cv2.LINE_AA, shift=_SHIFT)
    cover = np.ascontiguousarray(layer[..., 3])
    _throw_shadow(under, cover, reach)
    _light_edge(layer, cover, max(1.0, size / 330.0))
    rest = cv2.merge([255 - cover] * 4)
    np.copyto(under, cv2.add(layer, cv2.multiply(under, rest, scale=1 / 255)))


def _throw_shadow(under: Bytes, cover: Bytes, reach: int) -> None:
    fallen = shifted(cover, round(reach * 0.6), round(reach * 0.9))
    fallen = cv2.blur(cv2.blur(fallen, (reach, reach)), (reach, reach))
    keep = cv2.convertScaleAbs(fallen, alpha=-0.36, beta=255.0)
    whole = cv2.merge([keep, keep, keep, np.full_like(keep, 255)])
    np.copyto(under, cv2.multiply(np.ascontiguousarray(under), whole, scale=1 / 255))


def _light_edge(layer: Bytes, cover: Bytes, wide: float) -> None:
    """The cut edge of the paper: bright towards the light, dark away from it."""
    step = max(1, round(wide))
    bright = cv2.convertScaleAbs(cv2.subtract(cover, shifted(cover, step, step)), alpha=0.24)
    dark = cv2.convertScaleAbs(cv2.subtract(cover, shifted(cover, -step, -step)), alpha=0.14)
    none = np.zeros_like(cover)
    lit = cv2.subtract(cv2.add(layer, cv2.merge([bright] * 3 + [none])), cv2.merge([dark] * 3 + [none]))
    np.copyto(layer, cv2.min(lit, cv2.merge([cover] * 4)))


def shifted(cover: Bytes, right: int, down: int) -> Bytes:
    """The same some whole pixels further; nothing comes in."""
    height, width = cover.shape
    moved = np.zeros_like(cover)
    rows, cols = slice(max(0, down), min(height, height + down)), slice(max(0, right), min(width, width + right))
    moved[rows, cols] = cover[
        max(0, -down) : max(0, -down) + rows.stop - rows.start, max(0, -right) : max(0, -right) + cols.stop - cols.start
    ]
    return moved


def _light(canvas: Bytes, *, fibres: bool) -> None:
    """Light that falls from the upper left, and the fibres of the paper."""
    height, width = canvas.shape[:2]
    across = np.linspace(1.02, 0.97, width, dtype=np.float32)[None]
    down = np.linspace(1.05, 0.92, height, dtype=np.float32)[:, None]
    grain = np.tile(_grain(), (1, width // 256 + 1))[:, :width]
    for top in range(0, height, 256):  # a band of the grain's height stays in the processor's cache
        part = canvas[top : top + 256]
        light = down[top : top + 256] * across
        light = light * grain[: part.shape[0]] if fibres else light
        lit = cv2.multiply(part, cv2.merge([light, light, light, np.ones_like(light)]), dtype=cv2.CV_8U)
        np.copyto(part, cv2.min(lit, cv2.merge([np.ascontiguousarray(part[..., 3])] * 4)))


@functools.cache
def _grain() -> np.ndarray:
    """Fibres: noise of two sizes that repeats without a seam."""
    chance = np.random.default_rng(7)
    fine = chance.normal(0, 1, (256, 256)).astype(np.float32)
    wide = cv2.resize(chance.normal(0, 1, (64, 64)).astype(np.float32), (256, 256), interpolation=cv2.INTER_CUBIC)
    return (1.0 + 0.014 * fine + 0.018 * wide).astype(np.float32)
