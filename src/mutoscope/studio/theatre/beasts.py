"""Animals by rule: a few bodies whose measures make the kinds."""

import math
from dataclasses import replace

import numpy as np

from mutoscope.studio.theatre.shapes import Figure, Joint, Part, Points, bounds, part, placed, turned


def upright(parts: list[Part], joints: dict[str, Joint] | None = None) -> Figure:
    """What was drawn at any size, made a hundred high, its middle at 0 and its feet on the ground."""
    figure = Figure(tuple(parts), joints or {})
    left, bottom, right, top = bounds(figure)
    scale = 100.0 / (top - bottom)
    return placed(figure, -(left + right) / 2 * scale, -bottom * scale, scale)


def eye(x: float, y: float, size: float, *, look: float = 0.25, joint: str = "") -> list[Part]:
    return [
        part("white", "oval", x, y, size, size * 1.08, joint=joint),
        part("ink", "oval", x + size * look, y, size * 0.62, size * 0.7, joint=joint),
        part("white", "oval", x + size * (look + 0.2), y + size * 0.28, size * 0.2, joint=joint),
    ]


def quadruped(
    *,
    length: float = 62,
    depth: float = 30,
    leg: float = 28,
    thick: float = 10,
    neck: float = 20,
    rise: float = 48,
    nape: float = 20,
    head: float = 14,
    snout: float = 12,
    muzzle: float = 9,
    ear: str = "point",
    tail: str = "long",
    mane: str = "",
    horn: str = "",
    coat: str = "",
    cheek: str = "main+",
    belly: str = "",
    hoof: str = "",
    trunk: bool = False,
    whiskers: bool = False,
    asleep: bool = False,
    nose: str = "ink",
    limb: str = "main",
    posture: str = "",
) -> Figure:
    """A body on four legs, seen from its side, looking to the right; or in one of POSTURES."""
    half = length / 2
    back = leg + depth
    parts: list[Part] = []
    joints = {
        "fl": Joint(half - depth * 0.28, leg + depth * 0.25, "leg", 24, 0.0),
        "fr": Joint(half - depth * 0.28, leg + depth * 0.25, "leg", 24, 0.5),
        "bl": Joint(-half + depth * 0.28, leg + depth * 0.25, "leg", 24, 0.55),
        "br": Joint(-half + depth * 0.28, leg + depth * 0.25, "leg", 24, 0.05),
        "tail": Joint(-half + 3, back - depth * 0.25, "swing", 14, 0.1),
        "head": Joint(half - depth * 0.35, back - depth * 0.3, "swing", 3, 0.3),
    }

    def legs(ink: str, front: str, rear: str, shift: float) -> None:
        for name, at in ((rear, -half + depth * 0.3 - shift), (front, half - depth * 0.3 + shift)):
            parts.append(
                part(ink, "rod", at, leg + depth * 0.3, at, thick * 0.45, thick * 1.5, thick * 0.9, joint=name)
            )
            foot = hoof or ink
            parts.append(
                part(
                    foot,
                    "blob",
                    at - thick * 0.5,
                    0,
                    at + thick * 0.8,
                    0,
                    at + thick * 0.7,
                    thick * 0.5,
                    at - thick * 0.4,
                    thick * 0.55,
                    joint=name,
                )
            )

    legs(limb + "-", "fr", "br", thick * 0.55)
    parts += _tail(tail, -half + 3, back - depth * 0.25, length, depth)
    sit = back - depth * 0.5
    parts.append(
        part(
            "main",
            "blob",
            -half,
            sit,
            -half * 0.78,
            back - depth * 0.03,
            -half * 0.1,
            back - depth * 0.08,
            half * 0.72,
            back + depth * 0.02,
            half,
            sit + depth * 0.1,
            half * 0.8,
            leg - depth * 0.02,
            0,
            leg + depth * 0.05,
            -half * 0.75,
            leg + depth * 0.02,
            sheet=True,
        )
    )
    if belly:
        parts.append(
            part(
                belly,
                "blob",
                -half * 0.6,
                leg + depth * 0.2,
                0,
                leg + depth * 0.3,
                half * 0.7,
                leg + depth * 0.32,
                half * 0.5,
                leg + depth * 0.03,
                0,
                leg + depth * 0.07,
                -half * 0.6,
                leg + depth * 0.06,
            )
        )
    parts += _coat(coat, half, leg, depth)
    legs(limb, "fl", "bl", 0)
    angle = math.radians(rise)
    sx, sy = half - depth * 0.3, back - depth * 0.32
    hx, hy = sx + neck * math.cos(angle) + depth * 0.18, sy + neck * math.sin(angle) + depth * 0.18
    if mane:
        if mane != "lion":
            parts.append(
                part(
                    mane,
                    "line",
                    nape * 0.75,
                    sx - nape * 0.45,
                    sy + nape * 0.1,
                    (sx + hx) / 2 - nape * 0.55,
                    (sy + hy) / 2 + nape * 0.15,
                    hx - head * 0.5,
                    hy + head * 0.7,
                    joint="head",
                    sheet=True,
                )
            )
    parts.append(part("main", "rod", sx, sy, hx, hy, nape * 1.35, nape * 0.95, joint="head", sheet=mane != "lion"))
    near, far = _ears(ear, hx, hy, head, limb)
    parts += far
    if horn:
        parts += _horns(horn, hx, hy, head)
    if mane == "lion":
        parts.append(part("second", "star", hx - head * 0.1, hy, head * 1.95, head * 1.6, 13, joint="head", sheet=True))
    parts.append(part("main", "oval", hx, hy, head * 1.08, head, joint="head", sheet=True))
    tip = hx + head * 0.55 + snout
    parts.append(
        part(
            cheek,
            "rod",
            hx + head * 0.45,
            hy - head * 0.3,
            tip - muzzle * 0.7,
            hy - head * 0.38,
            head * 1.15,
            muzzle * 1.5,
            joint="head",
        )
    )
    if trunk:
        parts.append(
            part(
                "main",
                "line",
                -head * 0.95,
                hx + head * 0.5,
                hy - head * 0.1,
                hx + head * 1.4,
                hy - head * 0.7,
                hx + head * 1.5,
                hy - head * 1.9,
                hx + head * 1.7,
                hy - head * 2.7,
                hx + head * 2.3,
                hy - head * 2.9,
                joint="head",
                sheet=True,
            )
        )
        parts.append(
            part(
                "white",
                "line",
                -head * 0.3,
                hx + head * 0.7,
                hy - head * 0.7,
                hx + head * 1.3,
                hy - head * 1.2,
                hx + head * 2.0,
                hy - head * 1.0,
                joint="head",
            )
        )
    else:
        parts.append(
            part(nose, "oval", tip - muzzle * 0.15, hy - head * 0.12, muzzle * 0.34, muzzle * 0.28, joint="head")
        )
        parts.append(
            part(
                "ink",
                "line",
                1.1,
                tip - muzzle * 0.2,
                hy - head * 0.3,
                tip - muzzle * 0.5,
                hy - head * 0.72,
                hx + head * 0.75,
                hy - head * 0.66,
                joint="head",
            )
        )
    if asleep:
        parts.append(
            part(
                "ink",
                "line",
                1.4,
                hx - head * 0.1,
                hy + head * 0.22,
                hx + head * 0.2,
                hy + head * 0.08,
                hx + head * 0.5,
                hy + head * 0.22,
                joint="head",
            )
        )
    else:
        if limb != "main":
            parts.append(
                part(limb, "oval", hx + head * 0.26, hy + head * 0.2, head * 0.42, head * 0.46, 30, joint="head")
            )
        joints["head.eye"] = Joint(hx + head * 0.22, hy + head * 0.26, "blink", 1)
        parts += eye(hx + head * 0.22, hy + head * 0.26, head * 0.26, joint="head.eye")
    parts.append(part("blush", "oval", hx + head * 0.1, hy - head * 0.3, head * 0.2, head * 0.13, joint="head"))
    if whiskers:
        for lift in (-0.5, 0.1):
            parts.append(
                part(
                    "white",
                    "line",
                    0.7,
                    hx + head * 0.75,
                    hy - head * 0.38,
                    hx + head * 1.2,
                    hy + head * (lift * 0.8 - 0.24),
                    hx + head * 1.6,
                    hy + head * (lift - 0.32),
                    joint="head",
                )
            )
    parts += near
    if posture:
        parts, joints = _postured(posture, parts, joints, (sx, sy), hy, half, leg, depth, thick, head, limb)
    return upright(parts, joints)


# posture → how far the body is raised about its hip, in degrees, and how far down that goes, as a share of the legs
POSTURES = {"rear": (54.0, 0.0), "sit": (36.0, 0.72), "lie": (0.0, 0.98)}


def _postured(
    posture: str,
    parts: list[Part],
    joints: dict[str, Joint],
    nape: tuple[float, float],
    crown: float,
    half: float,
    leg: float,
    depth: float,
    thick: float,
    head: float,
    limb: str,
) -> tuple[list[Part], dict[str, Joint]]:
    """The same animal up on its hind legs, sitting, or lying with its head on its paws."""
    degrees, sink = POSTURES[posture]
    hip, shoulder = (np.array([side * (half - depth * 0.3), leg + depth * 0.3]) for side in (-1, 1))
    down = np.array([0.0, leg * sink])

    def about(points: Points, pivot: Points, angle: float) -> Points:
        return turned(points - pivot, angle) + pivot

    def raised(points: Points) -> Points:
        return about(points, hip, degrees) - down

    at = raised(shoulder)
    shift = raised(np.array(nape)) - nape
    if posture == "lie" and crown - nape[1] < 1.5 * head:  # one with a long neck holds its head up
        shift = np.array([0.0, head * 1.08 - crown])
    root = np.array([joints["tail"].x, joints["tail"].y])
    long = any(each.joint == "tail" and each.ink == "main-" for each in parts)
    wag = {"rear": 20.0, "sit": 20.0, "lie": 62.0 if long else 12.0}[posture]

    def limbs(name: str) -> list[Part]:
        """What stands for a leg of those that sit or lie."""
        ink = limb if name in ("fl", "bl") else limb + "-"
        if name == "bl":
            hips = hip[0] + depth * 0.06
            return [
                part(ink, "oval", hips, depth * 0.38, depth * 0.44, depth * 0.38, sheet=True),
                part(ink, "rod", hips, thick * 0.5, hips + depth * 0.62, thick * 0.45, thick, thick * 0.9),
            ]
        if name == "br" or posture == "sit":
            return []
        aside = 0.0 if name == "fl" else thick * 0.9
        start = shoulder[0] - depth * 0.1 + aside
        return [part(ink, "rod", start, thick * 0.5, start + depth * 0.9, thick * 0.45, thick, thick * 0.9)]

    def moved(outline: Points, name: str) -> Points:
        if name in ("bl", "br"):
            return about(outline, hip, -14.0 if name == "bl" else 12.0)
        if name in ("fl", "fr"):
            if posture == "sit":
                return (outline - shoulder) * (1.0, at[1] / shoulder[1]) + at
            return about(outline, shoulder, 128.0 if name == "fl" else 62.0) + at - shoulder
        if name == "tail":
            return about(outline, root, wag) + raised(root) - root
        return outline + shift if name.startswith("head") else raised(outline)

    legs = {"fl", "fr", "bl", "br"}
    folded = {"rear": set[str](), "sit": {"bl", "br"}, "lie": legs}[posture]
    low = -math.inf if posture == "rear" else 0.0
    found: list[Part] = []
    done: set[str] = set()
    for each in parts:
        name = each.joint
        if name in folded:
            found += [] if name in done else limbs(name)
            done.add(name)
            continue
        outlines = tuple(np.maximum(moved(outline, name), (-math.inf, low)) for outline in each.outlines)
        found.append(replace(each, outlines=outlines, joint="" if posture == "sit" and name in legs else name))
    hinges: dict[str, Joint] = {}
    for name, joint in joints.items():
        if name in legs and posture != "rear":
            continue
        still = np.zeros(2) if name in ("bl", "br") else at - shoulder
        to = raised(root) - root if name == "tail" else shift if name.startswith("head") else still
        motion, amount = joint.motion, joint.amount
        if name in legs:
            motion, amount = "swing", 16.0 if name in ("fl", "fr") else 6.0
        elif posture == "lie" and motion == "swing":
            amount *= 0.4
        hinges[name] = Joint(joint.x + float(to[0]), joint.y + float(to[1]), motion, amount, joint.phase)
    return found, hinges


def _tail(kind: str, x: float, y: float, length: float, depth: float) -> list[Part]:
    tails: dict[str, tuple[str, tuple[float, ...]]] = {
        "long": ("line", (-6.5, 2, -2, -10, 2, -17, 14, -14, 27, -19, 36)),
        "curl": ("line", (-9, 2, -2, -7, 8, -3, 17, 6, 14)),
        "bush": ("blob", (2, 0, -10, -8, -24, -8, -33, 4, -30, 12, -18, 10, -6, 6)),
        "brush": ("blob", (2, 2, -9, 2, -14, -14, -12, -34, -18, -38, -19, -16, -14, 6)),
        "short": ("blob", (2, -3, -7, 2, -6, 9, 2, 5)),
        "puff": ("oval", (-3, 2, 7)),
        "fox": ("blob", (4, -8, -12, -10, -26, 4, -30, 30, -20, 50, -4, 48, 2, 36, -8, 34, -8, 18, 2, 10)),
        "plume": ("blob", (2, -4, -7, 4, -10, 18, -2, 26, 3, 16, 6, 6)),
        "pig": ("line", (2.6, 2, -2, -5, 2, -8, 8, -4, 9, -5, 3, -10, 5)),
    }
    if kind in ("none", ""):
        return []
    if kind == "tuft":
        return [
            part("main-", "line", -4, x + 2, y, x - 8, y - 3, x - 12, y - 16, x - 11, y - 26, joint="tail"),
            part("second", "oval", x - 11, y - 30, 4, 7, joint="tail"),
        ]
    shape, numbers = tails[kind]
    grow = length / 62
    if shape == "oval":
        return [part("main+", "oval", x + numbers[0], y + numbers[1], numbers[2] * grow, joint="tail")]
    start = 1 if shape == "line" else 0
    moved = [each * grow + (x if at % 2 == start % 2 else y) for at, each in enumerate(numbers[start:], start)]
    return [
        part(
            "second" if kind == "brush" else "main-" if kind == "long" else "main",
            shape,
            *numbers[:start],
            *moved,
            joint="tail",
            sheet=True,
        )
    ]


def _coat(kind: str, half: float, leg: float, depth: float) -> list[Part]:
    if kind == "stripes":
        return [
            part("second", "line", -4.5, x, leg + depth * 0.97, x + 2, leg + depth * 0.62, x - 1, leg + depth * 0.28)
            for x in (-half * 0.75, -half * 0.42, -half * 0.1, half * 0.22, half * 0.54)
        ]
    if kind == "spots":
        spots = (
            (-0.7, 0.7, 4),
            (-0.45, 0.4, 3.4),
            (-0.25, 0.74, 4.2),
            (0.0, 0.46, 3.4),
            (0.22, 0.76, 4),
            (0.42, 0.48, 3.6),
            (0.62, 0.74, 3.4),
        )
        return [part("second", "oval", half * x, leg + depth * y, r * 1.15, r, 20) for x, y, r in spots]
    if kind == "patch":
        return [
            part(
                "second",
                "blob",
                -half * 0.85,
                leg + depth * 0.8,
                -half * 0.4,
                leg + depth * 0.93,
                -half * 0.3,
                leg + depth * 0.5,
                -half * 0.7,
                leg + depth * 0.4,
            ),
            part(
                "second",
                "blob",
                half * 0.1,
                leg + depth * 0.9,
                half * 0.5,
                leg + depth * 0.92,
                half * 0.45,
                leg + depth * 0.55,
                half * 0.1,
                leg + depth * 0.6,
            ),
        ]
    if kind == "wool":
        curls = [
            (half * 1.0 * math.cos(a), leg + depth * 0.52 + depth * 0.42 * math.sin(a))
            for a in [at * math.tau / 11 for at in range(11)]
        ]
        return [part("main", "oval", x, y, depth * 0.3) for x, y in curls] + [
            part("main+", "oval", 0, leg + depth * 0.6, half * 0.7, depth * 0.3)
        ]
    return []


def _ears(kind: str, x: float, y: float, head: float, limb: str = "main") -> tuple[list[Part], list[Part]]:
    """Those in front of the head and those behind it."""
    h = head

    def at(ink: str, *numbers: float, shape: str = "poly", sheet: bool = False) -> Part:
        moved = [x + each * h if i % 2 == 0 else y + each * h for i, each in enumerate(numbers)]
        return part(ink, shape, *moved, joint="head", sheet=sheet)

    if kind == "point":
        return (
            [at("main", -0.85, 0.45, -0.7, 1.75, 0.1, 0.9), at("pink", -0.62, 0.72, -0.58, 1.35, -0.18, 0.92)],
            [at("main-", 0.0, 0.8, 0.45, 1.7, 0.75, 0.55)],
        )
    if kind == "flop":
        return [
            at(
                "main-",
                -0.55,
                0.75,
                -0.95,
                0.5,
                -1.05,
                -0.45,
                -0.65,
                -0.75,
                -0.3,
                -0.2,
                -0.2,
                0.55,
                shape="blob",
                sheet=True,
            )
        ], []
    if kind == "round":
        return [
            part(limb, "oval", x - h * 0.55, y + h * 0.85, h * 0.4, joint="head"),
            part(limb + "+", "oval", x - h * 0.55, y + h * 0.85, h * 0.22, joint="head"),
        ], [part(limb + "-", "oval", x + h * 0.4, y + h * 0.9, h * 0.36, joint="head")]
    if kind == "mouse":
        return [
            part("main", "oval", x - h * 0.65, y + h * 0.95, h * 0.72, joint="head", sheet=True),
            part("pink", "oval", x - h * 0.65, y + h * 0.95, h * 0.5, joint="head"),
        ], [part("main-", "oval", x + h * 0.35, y + h * 1.0, h * 0.62, joint="head")]
    if kind == "long":
        return [
            at("main", -0.75, 0.5, -1.0, 2.0, -0.55, 2.6, -0.2, 1.8, -0.05, 0.8, shape="blob", sheet=True),
            at("pink", -0.6, 0.9, -0.75, 1.9, -0.55, 2.2, -0.35, 1.7, shape="blob"),
        ], [at("main-", 0.0, 0.8, 0.2, 2.0, 0.55, 2.3, 0.65, 1.5, 0.5, 0.6, shape="blob")]
    if kind == "side":
        return [at("main-", -0.5, 0.55, -1.5, 0.75, -1.6, 0.35, -0.6, 0.15, shape="blob")], []
    if kind == "big":
        return [
            at("main-", -0.1, 0.8, -1.3, 1.0, -1.75, 0.0, -1.4, -1.2, -0.6, -1.1, -0.2, -0.2, shape="blob", sheet=True),
            at("main+", -0.4, 0.5, -1.2, 0.7, -1.45, 0.0, -1.15, -0.85, -0.7, -0.7, shape="blob"),
        ], []
    return [], []


def _horns(kind: str, x: float, y: float, head: float) -> list[Part]:
    h = head
    if kind == "unicorn":
        return [
            part(
                "gold",
                "poly",
                x + h * 0.1,
                y + h * 0.8,
                x + h * 0.75,
                y + h * 0.65,
                x + h * 1.15,
                y + h * 2.4,
                joint="head",
                sheet=True,
            )
        ]
    if kind == "antler":
        found: list[Part] = []
        for shift, ink in ((0.35, "timber"), (-0.35, "wood")):
            bx = x + h * shift
            found.append(
                part(
                    ink,
                    "line",
                    -3.2,
                    bx,
                    y + h * 0.7,
                    bx - h * 0.6,
                    y + h * 1.7,
                    bx - h * 0.2,
                    y + h * 2.9,
                    bx + h * 0.2,
                    y + h * 3.5,
                    joint="head",
                )
            )
            found.append(
                part(
                    ink,
                    "line",
                    -2.6,
                    bx - h * 0.55,
                    y + h * 1.6,
                    bx + h * 0.35,
                    y + h * 2.2,
                    bx + h * 0.8,
                    y + h * 2.9,
                    joint="head",
                )
            )
            found.append(
                part(
                    ink,
                    "line",
                    -2.2,
                    bx - h * 0.4,
                    y + h * 2.3,
                    bx - h * 1.0,
                    y + h * 2.7,
                    bx - h * 1.1,
                    y + h * 3.3,
                    joint="head",
                )
            )
        return found
    if kind == "ram":
        return [
            part(
                "tan",
                "line",
                -7,
                x - h * 0.2,
                y + h * 0.7,
                x - h * 1.0,
                y + h * 0.9,
                x - h * 1.2,
                y,
                x - h * 0.5,
                y - h * 0.4,
                x - h * 0.2,
                y + h * 0.1,
                joint="head",
                sheet=True,
            )
        ]
    if kind == "rhino":
        return [
            part(
                "cream",
                "poly",
                x + h * 1.2,
                y - h * 0.1,
                x + h * 1.75,
                y - h * 0.2,
                x + h * 1.95,
                y + h * 1.2,
                joint="head",
            )
        ]
    if kind == "knobs":
        return [
            part("main-", "rod", x + dx * h, y + h * 0.7, x + dx * h, y + h * 1.6, 2.5, 3.8, joint="head")
            for dx in (-0.3, 0.25)
        ]
    return [
        part(
            "cream",
            "line",
            -4.5,
            x + h * s * 0.4,
            y + h * 0.8,
            x + h * s * 1.1,
            y + h * 1.1,
            x + h * s * 1.2,
            y + h * 1.8,
            joint="head",
        )
        for s in (-1, 1)
    ]


def bird(
    *,
    body: float = 26,
    plump: float = 0.72,
    neck: float = 0.0,
    leg: float = 14,
    beak: str = "short",
    tail: float = 22,
    crest: str = "",
    belly: str = "main+",
    wing: str = "main-",
    bill: str = "orange",
    flying: bool = False,
    head: float = 12,
    webbed: bool = False,
) -> Figure:
    parts: list[Part] = []
    base = leg + body * plump
    joints = {
        "wing": Joint(2, base + 4, "flap" if flying else "swing", 1.7 if flying else 7),
        "tail": Joint(-body * 0.8, base, "swing", 6),
        "far": Joint(2, base + 4, "flap", 1.7 if flying else 0.0, 0.05),
    }
    hx, hy = body * 0.72 + neck * 0.25, base + body * plump * 0.75 + neck
    if flying:
        parts.append(
            part(
                "main-",
                "blob",
                6,
                base + 2,
                -2,
                base + 20,
                -18,
                base + 44,
                -2,
                base + 40,
                14,
                base + 20,
                16,
                base + 6,
                joint="far",
            )
        )
    if leg and not flying:
        for at in (-3, 6):
            parts.append(part(bill, "line", 2.4, at, base - body * plump * 0.8, at + 1, 3))
            parts.append(
                part(
                    bill, "blob" if webbed else "line", *(() if webbed else (2.2,)), at - 3, 0.8, at + 7, 0.8, at + 1, 4
                )
            )
    if tail:
        parts.append(
            part(
                wing,
                "poly",
                -body * 0.6,
                base + 4,
                -body - tail,
                base + tail * 0.15 - 2,
                -body - tail * 0.9,
                base - tail * 0.3,
                -body * 0.6,
                base - 6,
                joint="tail",
            )
        )
    parts.append(
        part(
            "main",
            "blob",
            -body,
            base + 2,
            -body * 0.3,
            base + body * plump * 0.8,
            body * 0.6,
            base + body * plump * 0.85,
            body,
            base,
            body * 0.6,
            base - body * plump * 0.75,
            -body * 0.2,
            base - body * plump * 0.9,
            -body * 0.75,
            base - body * plump * 0.4,
            sheet=True,
        )
    )
    parts.append(
        part(
            belly,
            "blob",
            -body * 0.2,
            base - body * plump * 0.85,
            body * 0.5,
            base - body * plump * 0.72,
            body * 0.95,
            base,
            body * 0.6,
            base + body * plump * 0.2,
            body * 0.1,
            base - body * plump * 0.3,
        )
    )
    if neck:
        parts.append(
            part(
                "main",
                "line",
                head * 0.95,
                body * 0.62,
                base + 2,
                body * 0.98,
                base + neck * 0.35,
                body * 0.66,
                base + neck * 0.75,
                hx,
                hy,
                sheet=True,
            )
        )
    parts += _beak(beak, bill, hx, hy, head)
    parts.append(part("main", "oval", hx, hy, head, head * 0.95, sheet=not neck))
    if crest:
        for lean in (-0.5, -0.15, 0.2):
            parts.append(
                part(
                    crest,
                    "line",
                    -4.5,
                    hx,
                    hy + head * 0.6,
                    hx + head * lean,
                    hy + head * 1.3,
                    hx + head * (lean * 1.8 - 0.2),
                    hy + head * 1.7,
                )
            )
    parts += eye(hx + head * 0.3, hy + head * 0.2, head * 0.26)
    parts.append(part("blush", "oval", hx + head * 0.05, hy - head * 0.35, head * 0.22, head * 0.15))
    if flying:
        parts.append(
            part(
                wing,
                "blob",
                8,
                base + 2,
                -4,
                base + 16,
                -26,
                base + 40,
                -34,
                base + 30,
                -30,
                base + 22,
                -26,
                base + 12,
                -12,
                base - 4,
                joint="wing",
                sheet=True,
            )
        )
    else:
        parts.append(
            part(
                wing,
                "blob",
                body * 0.35,
                base + body * 0.3,
                -body * 0.2,
                base + body * 0.3,
                -body * 1.05,
                base - body * 0.05,
                -body * 0.5,
                base - body * 0.3,
                body * 0.15,
                base - body * 0.22,
                joint="wing",
                sheet=True,
            )
        )
        parts.append(
            part(
                "second",
                "line",
                2,
                body * 0.1,
                base - body * 0.12,
                -body * 0.3,
                base - body * 0.16,
                -body * 0.75,
                base - body * 0.06,
                joint="wing",
            )
        )
    return upright(parts, joints)


def _beak(kind: str, bill: str, x: float, y: float, head: float) -> list[Part]:
    h = head
    if kind == "long":
        return [part(bill, "poly", x + h * 0.7, y + h * 0.35, x + h * 0.7, y - h * 0.3, x + h * 3.0, y - h * 0.25)]
    if kind == "flat":
        return [
            part(
                bill,
                "blob",
                x + h * 0.6,
                y + h * 0.25,
                x + h * 1.5,
                y + h * 0.15,
                x + h * 2.0,
                y - h * 0.05,
                x + h * 1.4,
                y - h * 0.25,
                x + h * 0.6,
                y - h * 0.3,
            )
        ]
    if kind == "hook":
        return [
            part(
                bill,
                "blob",
                x + h * 0.6,
                y + h * 0.5,
                x + h * 1.4,
                y + h * 0.3,
                x + h * 1.55,
                y - h * 0.5,
                x + h * 1.2,
                y - h * 0.2,
                x + h * 0.6,
                y - h * 0.35,
            )
        ]
    return [part(bill, "poly", x + h * 0.75, y + h * 0.4, x + h * 0.75, y - h * 0.3, x + h * 1.65, y)]


def swimmer(
    *,
    length: float = 60,
    depth: float = 30,
    tail: str = "fan",
    fin: str = "round",
    smile: bool = True,
    belly: str = "main+",
    stripes: str = "",
    flat: bool = False,
    spout: bool = False,
    teeth: bool = False,
) -> Figure:
    """A fish, a whale, a dolphin, a shark, to the right."""
    h, d = length / 2, depth / 2
    joints = {"tail": Joint(-h * 0.8, 0, "wag", 9), "fin": Joint(h * 0.1, -d * 0.4, "swing", 16)}
    parts: list[Part] = []
    if tail == "fan":
        parts.append(
            part("second", "blob", -h * 0.8, 0, -h * 1.4, d * 1.1, -h * 1.3, 0, -h * 1.4, -d * 1.1, joint="tail")
        )
    else:
        parts.append(
            part(
                "main",
                "poly",
                -h * 0.7,
                d * 0.1,
                -h * 1.35,
                d * 1.4,
                -h * 1.15,
                0,
                -h * 1.35,
                -d * 1.0,
                -h * 0.7,
                -d * 0.1,
                joint="tail",
            )
        )
    if fin == "shark":
        parts.append(part("main", "poly", -h * 0.15, d * 0.7, -h * 0.2, d * 1.9, h * 0.3, d * 0.75))
    elif fin == "round":
        parts.append(
            part("second", "blob", -h * 0.5, d * 0.6, -h * 0.3, d * 1.5, h * 0.2, d * 1.35, h * 0.35, d * 0.75)
        )
    nose = h * (1.0 if not flat else 0.95)
    parts.append(
        part(
            "main",
            "blob",
            -h * 0.9,
            0,
            -h * 0.3,
            d * 0.85,
            h * 0.4,
            d * (0.95 if not flat else 1.15),
            nose,
            d * (0.1 if not flat else 0.45),
            nose * 0.95,
            -d * (0.3 if not flat else 0.6),
            h * 0.3,
            -d * 0.95,
            -h * 0.4,
            -d * 0.7,
            sheet=True,
        )
    )
    parts.append(
        part(
            belly,
            "blob",
            -h * 0.5,
            -d * 0.45,
            h * 0.3,
            -d * 0.35,
            h * 0.9,
            -d * 0.35,
            h * 0.75,
            -d * 0.6,
            h * 0.3,
            -d * 0.92,
            -h * 0.35,
            -d * 0.68,
        )
    )
    if stripes:
        for x, high in ((-0.28, 0.76), (0.12, 0.84)):
            parts.append(part(stripes, "line", h * 0.16, h * x, d * high, h * (x + 0.1), 0, h * x, -d * high * 0.95))
    if smile:
        parts.append(part("ink", "line", 1.3, h * 0.98, -d * 0.12, h * 0.8, -d * 0.32, h * 0.6, -d * 0.24))
    if teeth:
        parts.append(
            part(
                "white",
                "poly",
                h * 0.92,
                -d * 0.2,
                h * 0.86,
                -d * 0.5,
                h * 0.8,
                -d * 0.24,
                h * 0.74,
                -d * 0.52,
                h * 0.68,
                -d * 0.24,
            )
        )
    parts += eye(h * 0.58, d * 0.25, d * 0.2)
    parts.append(
        part(
            "second" if fin == "round" else "main-",
            "blob",
            h * 0.2,
            -d * 0.2,
            -h * 0.15,
            -d * 0.5,
            -h * 0.2,
            -d * 1.0,
            h * 0.1,
            -d * 0.8,
            joint="fin",
            sheet=True,
        )
    )
    if spout:
        for lean in (-1, 1):
            parts.append(
                part(
                    "glass",
                    "line",
                    -3,
                    h * 0.4,
                    d * 1.05,
                    h * 0.4 + lean * 3,
                    d * 1.7,
                    h * 0.4 + lean * 9,
                    d * 1.9,
                    h * 0.4 + lean * 11,
                    d * 1.5,
                )
            )
    return upright(parts, joints)


def flier(*, wings: str = "butterfly", body: str = "ink", stripes: str = "") -> Figure:
    """An insect from above, leaning."""
    joints = {"left": Joint(0, 50, "fold", 0.7), "right": Joint(0, 50, "fold", 0.7)}
    parts: list[Part] = []
    for side, name in ((-1, "left"), (1, "right")):
        s = side
        if wings == "butterfly":
            parts.append(
                part(
                    "main",
                    "blob",
                    0,
                    54,
                    s * 12,
                    86,
                    s * 36,
                    98,
                    s * 46,
                    82,
                    s * 36,
                    58,
                    s * 4,
                    48,
                    joint=name,
                    sheet=True,
                )
            )
            parts.append(
                part("second", "blob", s * 2, 46, s * 24, 48, s * 36, 30, s * 24, 6, s * 10, 14, joint=name, sheet=True)
            )
            parts.append(part("main+", "oval", s * 30, 80, 8, joint=name))
            parts.append(part("main", "oval", s * 22, 28, 6, joint=name))
            parts.append(part("white", "oval", s * 39, 88, 2.4, joint=name))
        elif wings == "dragonfly":
            parts.append(
                part("glass", "blob", 0, 66, s * 26, 80, s * 50, 78, s * 46, 68, s * 20, 62, joint=name, sheet=True)
            )
            parts.append(
                part("glass", "blob", 0, 60, s * 26, 58, s * 46, 48, s * 40, 42, s * 16, 50, joint=name, sheet=True)
            )
        else:
            parts.append(
                part("glass", "blob", 0, 58, s * 14, 80, s * 34, 92, s * 40, 76, s * 22, 58, joint=name, sheet=True)
            )
    if wings == "dragonfly":
        parts += [
            part("main", "line", -6, 0, 66, 0, 40, 1, 4, sheet=True),
            part("main", "oval", 0, 74, 7, 6),
            *eye(-3, 76, 3),
            *eye(4, 76, 3),
        ]
        return upright(parts, joints)
    if wings == "bee":
        parts.append(part("main", "oval", 0, 40, 19, 25, sheet=True))
        for y, half in ((52, 16.5), (38, 19), (25, 15)):
            parts.append(part("ink", "box", -half, y - 3, half, y + 3, 2))
    elif wings == "ladybird":
        parts.append(part("main", "oval", 0, 38, 26, 30, sheet=True))
        parts.append(part("ink", "box", -0.9, 8, 0.9, 68))
        for x, y in ((-12, 50), (12, 50), (-14, 30), (14, 30), (-6, 40), (8, 20)):
            parts.append(part("ink", "oval", x, y, 4))
    else:
        parts.append(part(body, "rod", 0, 74, 0, 18, 8, 3, sheet=True))
    parts.append(part("ink" if wings != "butterfly" else body, "oval", 0, 72, 9, 8, sheet=True))
    for s in (-1, 1):
        parts.append(part("ink", "line", 1.4, s * 3, 78, s * 6, 90, s * 13, 97))
    if wings != "butterfly":
        parts += [*eye(-3.6, 74, 3), *eye(4.6, 74, 3)]
    return upright(parts, joints)
