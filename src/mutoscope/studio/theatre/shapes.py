"""The vocabulary that figures are written in: a few shapes, as polygons.

A figure is text, a part a line: `ink shape numbers… [@joint]`, with a `+` before it where a new sheet of paper begins,
which throws a shadow on those below. Lengths are hundredths of the figure's height, x from its middle to the right, y from
the ground upwards. `joint name x y motion amount [phase]` says about which point the parts of a joint move.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Points = npt.NDArray[np.float64]  # (n, 2)


@dataclass(frozen=True, slots=True)
class Joint:
    """Where and how parts move."""

    x: float
    y: float
    motion: str  # one of MOTIONS in `puppet`
    amount: float  # degrees, or a share for what squeezes
    phase: float = 0.0  # of its period


@dataclass(frozen=True, slots=True)
class Part:
    """One piece of paper of one colour."""

    ink: str
    outlines: tuple[Points, ...]  # an outline within an outline is a hole
    joint: str = ""
    sheet: bool = False  # the first of a new sheet


@dataclass(frozen=True, slots=True)
class Figure:
    """Everything that there is of a figure before it has colours and a size."""

    parts: tuple[Part, ...]
    joints: dict[str, Joint]


def oval(cx: float, cy: float, rx: float, ry: float | None = None, turn: float = 0.0) -> Points:
    angles = np.linspace(0, math.tau, 36, endpoint=False)
    x, y = rx * np.cos(angles), (rx if ry is None else ry) * np.sin(angles)
    return turned(np.stack([x, y], 1), turn) + (cx, cy)


def poly(*numbers: float) -> Points:
    return np.array(numbers, np.float64).reshape(-1, 2)


def blob(*numbers: float) -> Points:
    """A smooth closed line through the points."""
    return _smooth(poly(*numbers), closed=True)


def box(left: float, bottom: float, right: float, top: float, radius: float = 0.0) -> Points:
    if radius <= 0:
        return poly(left, bottom, right, bottom, right, top, left, top)
    corners = ((right, bottom, -90), (right, top, 0), (left, top, 90), (left, bottom, 180))
    parts: list[Points] = []
    for x, y, start in corners:
        angles = np.radians(np.linspace(start, start + 90, 7))
        cx = right - radius if x == right else left + radius
        cy = top - radius if y == top else bottom + radius
        parts.append(np.stack([cx + radius * np.cos(angles), cy + radius * np.sin(angles)], 1))
    return np.concatenate(parts)


def rod(x0: float, y0: float, x1: float, y1: float, wide: float, narrow: float | None = None) -> Points:
    """A limb: round at both ends, `wide` thick at its beginning and `narrow` at its end."""
    start, end = wide / 2, (wide if narrow is None else narrow) / 2
    along = math.atan2(y1 - y0, x1 - x0)
    first = np.linspace(along + math.pi / 2, along + 1.5 * math.pi, 10)
    second = np.linspace(along - math.pi / 2, along + math.pi / 2, 10)
    return np.concatenate(
        [
            np.stack([x0 + start * np.cos(first), y0 + start * np.sin(first)], 1),
            np.stack([x1 + end * np.cos(second), y1 + end * np.sin(second)], 1),
        ]
    )


def line(wide: float, *numbers: float) -> Points:
    """A smooth ribbon along the points, thinner towards its end where the width is negative."""
    centre = _smooth(poly(*numbers), closed=False) if len(numbers) > 4 else _straight(poly(*numbers))
    ahead = np.gradient(centre, axis=0)
    aside = np.stack([-ahead[:, 1], ahead[:, 0]], 1) / np.maximum(np.hypot(ahead[:, 0], ahead[:, 1]), 1e-9)[:, None]
    half = np.full(len(centre), abs(wide) / 2)
    if wide < 0:
        half = half * np.linspace(1.0, 0.25, len(centre))
    aside = aside * half[:, None]
    cap = _cap(centre[-1], ahead[-1], half[-1])
    begin = _cap(centre[0], -ahead[0], half[0])
    return np.concatenate([begin, (centre - aside), cap, (centre + aside)[::-1]])


def ring(cx: float, cy: float, radius: float, wide: float, squeeze: float = 1.0) -> tuple[Points, Points]:
    outer, inner = radius + wide / 2, radius - wide / 2
    return oval(cx, cy, outer, outer * squeeze), oval(cx, cy, inner, inner * squeeze)


def pie(cx: float, cy: float, radius: float, start: float, end: float, squeeze: float = 1.0) -> Points:
    """A slice from one angle to the other, in degrees from the right, against the clock."""
    angles = np.radians(np.linspace(start, end, max(6, int(abs(end - start) / 10))))
    rim = np.stack([cx + radius * np.cos(angles), cy + radius * squeeze * np.sin(angles)], 1)
    return np.concatenate([[[cx, cy]], rim]) if abs(end - start) != 180 else rim


def star(cx: float, cy: float, radius: float, inner: float, tips: float = 5, turn: float = 90) -> Points:
    angles = np.radians(turn + np.arange(int(tips) * 2) * 180 / tips)
    reach = np.where(np.arange(int(tips) * 2) % 2 == 0, radius, inner)
    return np.stack([cx + reach * np.cos(angles), cy + reach * np.sin(angles)], 1)


SHAPES: dict[str, Callable[..., Points | tuple[Points, ...]]] = {
    "oval": oval,
    "poly": poly,
    "blob": blob,
    "box": box,
    "rod": rod,
    "line": line,
    "ring": ring,
    "pie": pie,
    "star": star,
}


def drawn(text: str) -> Figure:
    """A figure from its lines."""
    parts: list[Part] = []
    joints: dict[str, Joint] = {}
    for row in text.strip().splitlines():
        words = row.split()
        if not words:
            continue
        if words[0] == "joint":
            name, x, y, motion, *rest = words[1:]
            joints[name] = Joint(float(x), float(y), motion, *(float(each) for each in rest))
            continue
        sheet = words[0] == "+"
        ink, shape, *numbers = words[sheet:]
        joint = numbers.pop()[1:] if numbers and numbers[-1].startswith("@") else ""
        parts.append(part(ink, shape, *(float(each) for each in numbers), joint=joint, sheet=sheet))
    return Figure(tuple(parts), joints)


def part(ink: str, shape: str, *numbers: float, joint: str = "", sheet: bool = False) -> Part:
    found = SHAPES[shape](*numbers)
    return Part(ink, found if isinstance(found, tuple) else (found,), joint, sheet)


def placed(figure: Figure, x: float, y: float, scale: float, *, flip: bool = False, prefix: str = "") -> Figure:
    """The same elsewhere and in another size, its joints renamed so that figures can be joined."""
    way = -1.0 if flip else 1.0
    shift = np.array([x, y])
    factor = np.array([scale * way, scale])
    parts = tuple(
        Part(
            each.ink,
            tuple(outline * factor + shift for outline in each.outlines),
            prefix + each.joint if each.joint else "",
            each.sheet,
        )
        for each in figure.parts
    )
    joints = {
        prefix + name: Joint(x + at.x * scale * way, y + at.y * scale, at.motion, at.amount * way, at.phase)
        for name, at in figure.joints.items()
    }
    return Figure(parts, joints)


def joined(*figures: Figure) -> Figure:
    """Several as one, the first behind."""
    joints: dict[str, Joint] = {}
    for figure in figures:
        joints |= figure.joints
    return Figure(tuple(each for figure in figures for each in figure.parts), joints)


def bounds(figure: Figure) -> tuple[float, float, float, float]:
    """Left, bottom, right, top."""
    points = np.concatenate([outline for each in figure.parts for outline in each.outlines])
    low, high = points.min(0), points.max(0)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def turned(points: Points, degrees: float) -> Points:
    """About nought, against the clock."""
    if not degrees:
        return points
    angle = math.radians(degrees)
    cosine, sine = math.cos(angle), math.sin(angle)
    return points @ np.array([[cosine, sine], [-sine, cosine]])


def _smooth(points: Points, *, closed: bool) -> Points:
    """Catmull-Rom through the points, six steps each."""
    count = len(points)
    if closed:
        around = np.concatenate([points[-1:], points, points[:2]])
        spans = count
    else:
        around = np.concatenate([2 * points[:1] - points[1:2], points, 2 * points[-1:] - points[-2:-1]])
        spans = count - 1
    t = np.linspace(0, 1, 6, endpoint=False)[:, None]
    found: list[Points] = []
    for at in range(spans):
        a, b, c, d = (around[at + step] for step in range(4))
        found.append(0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3))
    return np.concatenate(found if closed else [*found, points[-1:]])


def _straight(points: Points) -> Points:
    t = np.linspace(0, 1, 4)[:, None]
    return points[0] * (1 - t) + points[1] * t


def _cap(at: Points, ahead: Points, half: float) -> Points:
    along = math.atan2(float(ahead[1]), float(ahead[0]))
    angles = np.linspace(along - math.pi / 2, along + math.pi / 2, 6)
    return np.stack([at[0] + half * np.cos(angles), at[1] + half * np.sin(angles)], 1)
