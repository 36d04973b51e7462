"""People by rule: a jointed stick with volume, in postures, dressed from a wardrobe; and the bust of a portrait.

Nobody in particular. Skin, hair and cloth are colours of the cast.
"""

import math
from dataclasses import dataclass

from mutoscope.studio.theatre.beasts import upright
from mutoscope.studio.theatre.shapes import Figure, Joint, Part, part

# degrees, 0 downwards and growing to the right: torso's lean, head's, then upper arm and forearm, thigh and shin, near
# and far
Pose = tuple[float, float, float, float, float, float, float, float, float, float]
POSES: dict[str, Pose] = {
    "stand": (0, 0, 8, 14, -10, -4, 4, 0, -5, -3),
    "walk": (3, 0, 26, 46, -26, -8, 22, 4, -20, -36),
    "run": (12, 4, 50, 120, -55, 20, 62, -20, -35, -85),
    "sit": (0, 0, 22, 62, 8, 50, 84, 4, 78, -2),
    "ride": (4, 0, 42, 62, 30, 56, 52, -8, 44, -14),
    "dance": (-6, 8, 118, 160, -112, -152, 26, -50, -12, -4),
    "jump": (4, 4, 140, 165, -130, -160, 48, -42, -44, -80),
    "wave": (0, 4, 136, 168, -12, -6, 5, 0, -6, -3),
    "hold": (0, 2, 34, 92, 20, 80, 4, 0, -5, -3),
    "read": (2, 8, 28, 104, 20, 98, 80, 2, 74, -4),
    "play": (2, 6, 20, 84, 10, 62, 5, 0, -8, -4),
    "meditate": (0, 0, 36, 20, -36, -20, 76, -64, -76, 64),
    "arms up": (0, 2, 158, 172, -158, -172, 6, 2, -8, -3),
    "fly": (62, -30, 140, 140, 100, 112, -18, -24, -30, -40),
    "kick": (-10, 4, -48, -20, 60, 96, 74, 60, -12, -6),
    "pray": (6, 10, 30, 118, 26, 116, 2, 0, -4, -2),
}
SEATED = frozenset({"sit", "read", "meditate", "ride"})
TORSO, NECK, HEAD, UPPER, FORE, THIGH, SHIN = 30.0, 5.0, 9.6, 15.5, 15.0, 22.0, 22.0


@dataclass(frozen=True, slots=True)
class Look:
    """What somebody looks like and wears: words of the tables below."""

    hair: str = "short"  # short, long, bun, curly, bald, tail, bob, spiky, mohawk
    dress: str = "shirt"  # shirt, dress, suit, coat, robe, space, armour, hoodie
    hat: str = ""
    face: str = "smile"  # smile, grin, sad, angry, plain, closed, wow
    beard: bool = False
    glasses: str = ""  # clear or dark
    cape: bool = False
    wings: bool = False
    age: str = "grown"  # child, grown, old
    broad: float = 1.0  # how wide the body is
    mask: str = ""  # robot, mummy, skull … a face that is none


def person(look: Look, pose: str = "stand") -> Figure:
    lean, nod, arm, fore, far_arm, far_fore, thigh, shin, far_thigh, far_shin = POSES[pose]
    child = look.age == "child"
    head = HEAD * (1.18 if child else 1.0)
    limbs = 0.8 if child else 1.0
    torso = TORSO * (0.82 if child else 1.0)
    wide = look.broad
    hip = (0.0, 0.0)
    neck = _along(hip, 180 - lean if lean else 180, torso)
    shoulder = _along(hip, 180 - lean, torso * 0.9)
    face = _along(neck, 180 - lean * 0.5 - nod * 0.4, NECK + head * 0.75)
    joints = {
        "arm": Joint(
            *shoulder, "leg" if pose in ("walk", "run") else "swing", 22 if pose in ("walk", "run") else 4, 0.5
        ),
        "far": Joint(
            *shoulder, "leg" if pose in ("walk", "run") else "swing", 22 if pose in ("walk", "run") else 3, 0.0
        ),
        "thigh": Joint(*hip, "leg", 24, 0.0),
        "back": Joint(*hip, "leg", 24, 0.5),
        "head": Joint(*neck, "swing", 2.5, 0.2),
        "cape": Joint(*shoulder, "swing", 5, 0.1),
    }
    if pose == "dance":
        joints["arm"] = Joint(*shoulder, "wag", 12, 0.0)
        joints["far"] = Joint(*shoulder, "wag", 12, 0.5)
        joints["thigh"] = Joint(*hip, "wag", 7, 0.25)
    if pose == "wave":
        joints["arm"] = Joint(*shoulder, "wag", 10, 0.0)
    parts: list[Part] = []
    gown = look.dress in ("dress", "robe", "gown")
    space = look.dress == "space"
    if look.wings:
        parts += [
            part(
                "glass",
                "blob",
                shoulder[0] - 2,
                shoulder[1] - 2,
                shoulder[0] - 24,
                shoulder[1] + 16,
                shoulder[0] - 30,
                shoulder[1] - 2,
                shoulder[0] - 18,
                shoulder[1] - 16,
                joint="cape",
            ),
            part(
                "glass",
                "blob",
                shoulder[0] + 2,
                shoulder[1] - 2,
                shoulder[0] + 20,
                shoulder[1] + 14,
                shoulder[0] + 25,
                shoulder[1] - 2,
                shoulder[0] + 14,
                shoulder[1] - 14,
                joint="cape",
            ),
        ]
    if look.cape:
        parts.append(
            part(
                "second",
                "blob",
                shoulder[0] - 5,
                shoulder[1] + 2,
                shoulder[0] + 4,
                shoulder[1] + 2,
                hip[0] + 3,
                hip[1] - 8,
                hip[0] - 12,
                hip[1] - 22,
                hip[0] - 30,
                hip[1] - 14,
                hip[0] - 16,
                hip[1] + 10,
                joint="cape",
            )
        )
    if space:
        parts.append(part("grey", "box", shoulder[0] - 16, hip[1] + 4, shoulder[0] + 3, shoulder[1] + 2, 4))
    parts += _arm(shoulder, far_arm, far_fore, limbs, look, "far", "-")
    parts += _leg(hip, far_thigh, far_shin, limbs, look, "back", "-")
    parts += _leg(hip, thigh, shin, limbs, look, "thigh", "")
    if look.hair in ("long", "tail", "bob") and not space:
        parts += _hair_behind(look.hair, face, head)
    body = [
        (hip[0] - 6.5 * wide, hip[1] - 3), (hip[0] - 6.8 * wide, hip[1] + 3), _off(shoulder, -7.6 * wide, -8), _off(shoulder, -7.4 * wide, 1.0),
        _off(neck, 0, 0.5), _off(shoulder, 7.4 * wide, 1.0), _off(shoulder, 7.6 * wide, -8), (hip[0] + 6.8 * wide, hip[1] + 3), (hip[0] + 6.5 * wide, hip[1] - 3),
    ]  # fmt: skip
    cloth = "cloth"
    if gown:
        knee = THIGH + SHIN - (2 if look.dress in ("robe", "gown") else 16)
        seated = pose in SEATED
        if seated:
            parts.append(
                part(
                    cloth,
                    "blob",
                    hip[0] - 8,
                    hip[1] + 6,
                    hip[0] - 8,
                    hip[1] - 5,
                    hip[0] + 14,
                    hip[1] - 9,
                    hip[0] + 25,
                    hip[1] - 16,
                    hip[0] + 28,
                    hip[1] - 2,
                    hip[0] + 14,
                    hip[1] + 6,
                    joint="",
                    sheet=True,
                )
            )
        else:
            flare = 15 if look.dress != "robe" else 12
            swing = 5 if pose in ("dance", "walk", "run") else 0
            parts.append(
                part(
                    cloth,
                    "blob",
                    hip[0] - 6.5,
                    hip[1] + 9,
                    hip[0] - flare + swing,
                    hip[1] - knee * 0.7,
                    hip[0] - flare - 2 + swing,
                    hip[1] - knee,
                    hip[0] + swing,
                    hip[1] - knee - 2,
                    hip[0] + flare + 2 + swing,
                    hip[1] - knee,
                    hip[0] + flare + swing,
                    hip[1] - knee * 0.7,
                    hip[0] + 6.5,
                    hip[1] + 9,
                    sheet=True,
                )
            )
            parts.append(
                part(
                    cloth + "+",
                    "line",
                    2.4,
                    hip[0] - flare + swing,
                    hip[1] - knee + 1.5,
                    hip[0] + swing,
                    hip[1] - knee - 0.6,
                    hip[0] + flare + swing,
                    hip[1] - knee + 1.5,
                )
            )
    parts.append(part("skin", "rod", *_off(neck, 0, -3), *_off(face, 0, -head * 0.4), 5.4, joint="head"))
    parts.append(part(cloth, "blob", *[each for point in body for each in point], sheet=True))
    parts += _front(look, neck, shoulder, hip)
    parts += _head(look, face, head)
    parts += _arm(shoulder, arm, fore, limbs, look, "arm", "")
    return upright(parts, joints)


def hand_of(pose: str) -> tuple[float, float]:
    """Where the near hand is, as a share of the figure's height: across from its middle, and up. Nearly."""
    lean, _, arm, fore, *_ = POSES[pose]
    shoulder = _along((0.0, 0.0), 180 - lean, TORSO * 0.9)
    hand = _along(_along(shoulder, arm, UPPER), fore, FORE + 1)
    low = {"sit": -24.0, "read": -24.0, "meditate": -10.0, "ride": -36.0}.get(pose, -(THIGH + SHIN))
    high = TORSO + NECK + HEAD * 1.7
    tall = high - low
    return hand[0] / tall, (hand[1] - low) / tall


def _along(start: tuple[float, float], degrees: float, length: float) -> tuple[float, float]:
    angle = math.radians(degrees)
    return start[0] + length * math.sin(angle), start[1] - length * math.cos(angle)


def _off(at: tuple[float, float], x: float, y: float) -> tuple[float, float]:
    return at[0] + x, at[1] + y


def _arm(
    shoulder: tuple[float, float], upper: float, fore: float, limbs: float, look: Look, joint: str, shade: str
) -> list[Part]:
    side = 5.2 * look.broad if joint == "arm" else -5.2 * look.broad
    start = _off(shoulder, side * (0.55 if joint == "arm" else 0.9), -2.5)
    elbow = _along(start, upper, UPPER * limbs)
    hand = _along(elbow, fore, FORE * limbs)
    bulk = 8.2 if look.dress in ("space", "coat", "armour") else 6.4
    bare = look.dress == "dress"
    sleeve = ("skin" if bare else "cloth") + shade
    return [
        part(sleeve, "rod", *start, *elbow, bulk, bulk * 0.82, joint=joint, sheet=joint == "arm"),
        part(sleeve, "rod", *elbow, *hand, bulk * 0.82, bulk * 0.66, joint=joint),
        part("white" if look.dress == "space" else "skin" + shade, "oval", *_along(hand, fore, 2.2), 3.0, joint=joint),
        *([part("cloth" + shade, "rod", *start, *_along(start, upper, 4), bulk * 1.1, joint=joint)] if bare else []),
    ]


def _leg(
    hip: tuple[float, float], thigh: float, shin: float, limbs: float, look: Look, joint: str, shade: str
) -> list[Part]:
    side = 3.0 * look.broad if joint == "thigh" else -3.0 * look.broad
    start = _off(hip, side, 0)
    knee = _along(start, thigh, THIGH * limbs)
    foot = _along(knee, shin, SHIN * limbs)
    bulk = 10.5 if look.dress == "space" else 8.6
    trousers = ("skin" if look.dress in ("dress",) else "legs") + shade
    toe = _along(foot, min(80, max(shin + 88, 60)), 5.5)
    return [
        part(trousers, "rod", *start, *knee, bulk, bulk * 0.8, joint=joint),
        part(trousers, "rod", *knee, *foot, bulk * 0.8, bulk * 0.62, joint=joint),
        part("shoe" + shade, "rod", *_off(foot, -0.6, 0.4), *_off(toe, 0, -0.6), 5.2, 4.2, joint=joint),
    ]


def _front(
    look: Look, neck: tuple[float, float], shoulder: tuple[float, float], hip: tuple[float, float]
) -> list[Part]:
    """What is seen on the chest."""
    x, y = neck
    if look.dress == "suit":
        return [
            part("white", "poly", x - 2.6, y - 0.5, x + 3.4, y - 0.5, x + 0.6, y - 13),
            part("second", "poly", x - 0.4, y - 2, x + 1.2, y - 2, x + 1.6, y - 10, x + 0.5, y - 12, x - 0.8, y - 10),
        ]
    if look.dress == "coat":
        return [
            part("cloth-", "line", 1.0, x + 0.5, y - 1, x + 0.5, hip[1] - 2),
            *[part("gold", "oval", x + 2.2, y - d, 0.9) for d in (7, 13, 19)],
        ]
    if look.dress == "armour":
        return [
            part("steel", "blob", x - 6, y - 1, x + 6.4, y - 1, x + 6, y - 14, x, y - 18, x - 6, y - 14),
            part("cloth-", "line", 0.9, x, y - 1, x, y - 17),
            part("cloth+", "oval", shoulder[0] + 4, shoulder[1] - 1.5, 5),
        ]
    if look.dress == "space":
        return [
            part("blue", "box", x - 3.4, y - 15, x + 4.4, y - 8, 1.2),
            part("red", "oval", x - 1.2, y - 11.5, 1.2),
            part("gold", "oval", x + 2, y - 11.5, 1.2),
        ]
    if look.dress == "hoodie":
        return [part("cloth-", "blob", x - 5, y + 0.5, x + 5, y + 0.5, x + 3, y - 4, x - 3, y - 4)]
    if look.dress == "apron":
        return [part("white", "box", x - 4.6, hip[1] - 9, x + 5.6, y - 8, 1.5)]
    if look.dress == "hero":
        return [
            part("gold", "star", x + 0.6, y - 10, 4.6, 2.1),
            part("gold", "box", x - 6.2, hip[1] - 1, x + 6.6, hip[1] + 2),
        ]
    if look.dress == "white coat":
        return [
            part("blue", "poly", x - 2, y - 0.5, x + 3, y - 0.5, x + 0.6, y - 9),
            part("grey", "line", 0.7, x + 0.5, y - 8, x + 0.5, hip[1] - 3),
        ]
    if look.dress in ("dress", "robe", "gown"):
        return [part("second", "line", 2.0, hip[0] - 6.4, hip[1] + 8, hip[0], hip[1] + 7, hip[0] + 6.4, hip[1] + 8)]
    return [part("cloth-", "line", 0.9, x - 2.8, y - 0.4, x + 0.5, y - 3, x + 3.8, y - 0.4)]


def _hair_behind(kind: str, face: tuple[float, float], head: float) -> list[Part]:
    x, y = face
    h = head
    if kind == "tail":
        return [
            part(
                "hair",
                "blob",
                x - h * 0.7,
                y + h * 0.5,
                x - h * 1.7,
                y + h * 0.3,
                x - h * 2.0,
                y - h * 1.2,
                x - h * 1.3,
                y - h * 0.7,
                x - h * 0.7,
                y - h * 0.1,
                joint="head",
            )
        ]
    low = 0.9 if kind == "bob" else 2.3
    return [
        part(
            "hair-",
            "blob",
            x - h * 0.6,
            y + h * 0.9,
            x - h * 1.25,
            y + h * 0.2,
            x - h * 1.3,
            y - h * low,
            x - h * 0.2,
            y - h * (low + 0.2),
            x + h * 0.7,
            y - h * low * 0.8,
            x + h * 0.95,
            y + h * 0.2,
            joint="head",
        )
    ]


def _head(look: Look, face: tuple[float, float], head: float) -> list[Part]:
    x, y = face
    h = head
    joint = "head"
    if look.mask == "robot":
        return [
            part("steel", "line", 1.2, x, y + h, x, y + h * 1.6, joint=joint),
            part("red", "oval", x, y + h * 1.7, h * 0.2, joint=joint),
            part(
                "main", "box", x - h * 1.05, y - h * 0.95, x + h * 1.05, y + h * 0.95, h * 0.3, joint=joint, sheet=True
            ),
            part("navy", "box", x - h * 0.8, y - h * 0.1, x + h * 0.85, y + h * 0.6, h * 0.25, joint=joint),
            part("lamp", "oval", x - h * 0.35, y + h * 0.25, h * 0.2, joint=joint),
            part("lamp", "oval", x + h * 0.4, y + h * 0.25, h * 0.2, joint=joint),
            part("iron", "box", x - h * 0.5, y - h * 0.62, x + h * 0.55, y - h * 0.4, joint=joint),
        ]
    if look.dress == "space":
        return [
            part("white", "oval", x, y, h * 1.5, joint=joint, sheet=True),
            part("navy", "oval", x + h * 0.25, y, h * 1.1, h * 0.95, joint=joint),
            part(
                "window",
                "blob",
                x - h * 0.35,
                y + h * 0.5,
                x + h * 0.5,
                y + h * 0.62,
                x + h * 0.1,
                y + h * 0.3,
                x - h * 0.5,
                y + h * 0.1,
                joint=joint,
            ),
            part("gold", "oval", x + h * 0.75, y - h * 0.3, h * 0.12, joint=joint),
        ]
    parts = [
        part("skin", "oval", x, y, h * 0.92, h, joint=joint, sheet=True),
        part("skin", "oval", x - h * 0.75, y - h * 0.1, h * 0.2, h * 0.26, joint=joint),
    ]
    parts += face_on(look, x + h * 0.22, y, h * 0.92, joint)
    parts += _hair(look.hair, x, y, h, joint)
    parts += hat_on(look.hat, x, y, h, joint)
    return parts


def face_on(look: Look, x: float, y: float, h: float, joint: str) -> list[Part]:
    parts: list[Part] = []
    mood = look.face
    for s in (-0.36, 0.36):
        ex, ey = x + s * h, y + h * 0.1
        if mood in ("closed", "grin"):
            bend = 0.16 if mood == "grin" else -0.1
            parts.append(part("ink", "line", 1.1, ex - h * 0.16, ey, ex, ey + h * bend, ex + h * 0.16, ey, joint=joint))
        else:
            parts.append(
                part(
                    "ink",
                    "oval",
                    ex,
                    ey,
                    h * (0.13 if mood != "wow" else 0.17),
                    h * (0.16 if mood != "wow" else 0.2),
                    joint=joint,
                )
            )
            parts.append(part("white", "oval", ex + h * 0.04, ey + h * 0.06, h * 0.05, joint=joint))
        tilt = {"angry": -0.16, "sad": 0.14}.get(mood, 0.0) * (1 if s < 0 else -1)
        parts.append(
            part(
                "hair-" if look.age != "old" else "hair",
                "line",
                1.2,
                ex - h * 0.18,
                ey + h * 0.33 - tilt * h,
                ex + h * 0.18,
                ey + h * 0.33 + tilt * h,
                joint=joint,
            )
        )
        parts.append(part("blush", "oval", ex + s * h * 0.35, ey - h * 0.3, h * 0.15, h * 0.1, joint=joint))
    parts.append(
        part(
            "skin-",
            "line",
            0.9,
            x + h * 0.06,
            y - h * 0.02,
            x + h * 0.14,
            y - h * 0.2,
            x + h * 0.02,
            y - h * 0.22,
            joint=joint,
        )
    )
    my = y - h * 0.46
    if mood in ("smile", "closed"):
        parts.append(
            part(
                "lip",
                "line",
                1.3,
                x - h * 0.26,
                my + h * 0.06,
                x,
                my - h * 0.1,
                x + h * 0.26,
                my + h * 0.06,
                joint=joint,
            )
        )
    elif mood == "grin":
        parts += [
            part("lip", "pie", x, my + h * 0.08, h * 0.32, 180, 360, joint=joint),
            part("white", "box", x - h * 0.24, my - h * 0.02, x + h * 0.24, my + h * 0.07, joint=joint),
        ]
    elif mood in ("sad", "angry"):
        parts.append(
            part(
                "lip",
                "line",
                1.3,
                x - h * 0.24,
                my - h * 0.1,
                x,
                my + h * 0.04,
                x + h * 0.24,
                my - h * 0.1,
                joint=joint,
            )
        )
        if mood == "sad":
            parts.append(part("glass", "oval", x + h * 0.45, y - h * 0.2, h * 0.09, h * 0.15, joint=joint))
    elif mood == "wow":
        parts.append(part("lip", "oval", x, my - h * 0.04, h * 0.13, h * 0.19, joint=joint))
    else:
        parts.append(part("lip", "line", 1.2, x - h * 0.2, my, x + h * 0.2, my, joint=joint))
    if look.age == "old":
        for s in (-1, 1):
            parts.append(
                part("skin-", "line", 0.7, x + s * h * 0.62, y + h * 0.14, x + s * h * 0.74, y + h * 0.04, joint=joint)
            )
            parts.append(
                part("skin-", "line", 0.7, x + s * h * 0.3, y - h * 0.28, x + s * h * 0.4, y - h * 0.5, joint=joint)
            )
        parts.append(part("skin-", "line", 0.7, x - h * 0.3, y + h * 0.62, x + h * 0.3, y + h * 0.62, joint=joint))
    if look.beard:
        parts.append(
            part(
                "hair",
                "blob",
                x - h * 0.72,
                y - h * 0.15,
                x - h * 0.3,
                y - h * 0.36,
                x + h * 0.3,
                y - h * 0.36,
                x + h * 0.66,
                y - h * 0.15,
                x + h * 0.5,
                y - h * 0.95,
                x,
                y - h * 1.3,
                x - h * 0.5,
                y - h * 0.95,
                joint=joint,
                sheet=True,
            )
        )
        parts.append(
            part(
                "lip", "line", 1.2, x - h * 0.18, y - h * 0.52, x, y - h * 0.58, x + h * 0.18, y - h * 0.52, joint=joint
            )
        )
    if look.glasses:
        ink = "ink" if look.glasses == "dark" else "iron"
        for s in (-0.38, 0.38):
            shape = ("oval", x + s * h, y + h * 0.1, h * 0.3, h * 0.26)
            if look.glasses == "dark":
                parts.append(part("ink", *shape, joint=joint))
            else:
                parts.append(part(ink, "ring", x + s * h, y + h * 0.1, h * 0.28, h * 0.07, joint=joint))
        parts.append(part(ink, "line", 0.9, x - h * 0.1, y + h * 0.14, x + h * 0.1, y + h * 0.14, joint=joint))
    return parts


def _hair(kind: str, x: float, y: float, h: float, joint: str) -> list[Part]:
    if kind == "bald":
        return []
    cap = (
        x - h * 0.98,
        y - h * 0.1,
        x - h * 0.98,
        y + h * 0.6,
        x - h * 0.35,
        y + h * 1.16,
        x + h * 0.5,
        y + h * 1.08,
        x + h * 0.98,
        y + h * 0.42,
        x + h * 0.62,
        y + h * 0.56,
        x + h * 0.1,
        y + h * 0.5,
        x - h * 0.5,
        y + h * 0.42,
        x - h * 0.7,
        y + h * 0.0,
    )
    if kind == "curly":
        ring = [(math.cos(a), math.sin(a)) for a in [math.radians(d) for d in range(-20, 221, 30)]]
        return [
            part("hair", "oval", x + c * h * 0.86, y + s * h * 0.86 + h * 0.14, h * 0.4, joint=joint, sheet=at == 0)
            for at, (c, s) in enumerate(ring)
        ] + [part("hair", "oval", x - h * 0.1, y + h * 0.85, h * 0.62, h * 0.34, joint=joint)]
    if kind in ("spiky", "mohawk"):
        tips = [
            each
            for at in range(5)
            for each in (
                x - h * 0.9 + at * h * 0.42,
                y + h * 0.45,
                x - h * 1.0 + (at + 0.5) * h * 0.46,
                y + h * (1.55 if kind == "mohawk" else 1.35),
            )
        ]
        return [
            part(
                "hair",
                "poly",
                x - h * 0.98,
                y,
                *tips,
                x + h * 0.98,
                y + h * 0.4,
                x + h * 0.4,
                y + h * 0.5,
                x - h * 0.6,
                y + h * 0.4,
                joint=joint,
                sheet=True,
            )
        ]
    found = [part("hair", "blob", *cap, joint=joint, sheet=True)]
    if kind == "bun":
        found.insert(0, part("hair", "oval", x - h * 0.35, y + h * 1.3, h * 0.45, joint=joint))
    if kind in ("long", "bob"):
        low = 0.7 if kind == "bob" else 1.5
        found.append(
            part(
                "hair",
                "blob",
                x - h * 0.6,
                y + h * 0.6,
                x - h * 1.05,
                y + h * 0.4,
                x - h * 1.12,
                y - h * low,
                x - h * 0.72,
                y - h * low,
                x - h * 0.62,
                y,
                joint=joint,
            )
        )
    return found


def hat_on(kind: str, x: float, y: float, h: float, joint: str) -> list[Part]:
    if not kind:
        return []

    def at(ink: str, shape: str, *numbers: float, sheet: bool = False) -> Part:
        moved = [x + each * h if i % 2 == 0 else y + each * h for i, each in enumerate(numbers)]
        return part(ink, shape, *moved, joint=joint, sheet=sheet)

    hats: dict[str, list[Part]] = {
        "brim": [
            at("hat", "blob", -1.7, 0.6, 0, 0.42, 1.7, 0.6, 1.2, 0.75, 0.8, 0.78, -0.8, 0.78, -1.2, 0.75, sheet=True),
            at("hat", "blob", -0.85, 0.7, -0.7, 1.5, 0, 1.6, 0.7, 1.5, 0.85, 0.7),
            at("second", "blob", -0.88, 0.66, 0, 0.55, 0.88, 0.66, 0.84, 0.9, 0, 0.82, -0.84, 0.9),
        ],
        "top": [
            at("hat", "blob", -1.35, 0.66, 0, 0.5, 1.35, 0.66, 0, 0.84, sheet=True),
            at("hat", "poly", -0.85, 0.66, -0.9, 2.1, 0.9, 2.1, 0.85, 0.66),
            at("second", "poly", -0.86, 0.72, -0.86, 1.0, 0.86, 1.0, 0.86, 0.72),
        ],
        "cap": [
            at("hat", "blob", -0.98, 0.4, -0.85, 1.05, 0, 1.35, 0.85, 1.05, 0.98, 0.4, 0, 0.55, sheet=True),
            at("hat", "blob", 0.3, 0.5, 1.0, 0.62, 1.75, 0.38, 1.0, 0.34),
        ],
        "beanie": [
            at("hat", "blob", -1.0, 0.3, -0.85, 1.1, 0, 1.45, 0.85, 1.1, 1.0, 0.3, sheet=True),
            at("hat", "poly", -1.06, 0.25, -1.04, 0.62, 1.04, 0.62, 1.06, 0.25),
            at("white", "blob", -0.2, 1.35, 0, 1.7, 0.22, 1.4),
        ],
        "crown": [
            at(
                "gold", "poly", -0.85, 0.6, -0.95, 1.5, -0.5, 1.05, 0, 1.65, 0.5, 1.05, 0.95, 1.5, 0.85, 0.6, sheet=True
            ),
            at("red", "poly", -0.12, 0.85, 0, 1.05, 0.12, 0.85, 0, 0.7),
        ],
        "wizard": [
            at("hat", "blob", -1.7, 0.5, 0, 0.36, 1.7, 0.5, 0, 0.75, sheet=True),
            at("hat", "poly", -0.9, 0.6, -0.1, 2.0, -0.5, 2.7, 0.3, 2.3, 0.9, 0.6),
            at(
                "gold",
                "poly",
                -0.1,
                1.1,
                0.02,
                1.3,
                0.2,
                1.3,
                0.06,
                1.42,
                0.1,
                1.6,
                -0.06,
                1.48,
                -0.2,
                1.58,
                -0.16,
                1.4,
                -0.28,
                1.28,
                -0.12,
                1.28,
            ),
        ],
        "chef": [
            at("white", "blob", -0.8, 0.6, -1.2, 1.5, -0.6, 2.0, 0, 2.1, 0.7, 2.0, 1.2, 1.5, 0.8, 0.6, sheet=True),
            at("cream", "poly", -0.84, 0.5, -0.82, 0.95, 0.82, 0.95, 0.84, 0.5),
        ],
        "helmet": [
            at(
                "steel",
                "blob",
                -1.08,
                -0.9,
                -1.12,
                0.4,
                -0.6,
                1.15,
                0.3,
                1.2,
                0.95,
                0.7,
                1.0,
                0.35,
                0.0,
                0.35,
                -0.5,
                0.1,
                -0.5,
                -0.9,
                sheet=True,
            ),
            at("second", "blob", -0.6, 1.1, -0.9, 1.9, -0.1, 2.0, 0.5, 1.3),
        ],
        "hard": [
            at("yellow", "blob", -1.0, 0.45, -0.8, 1.15, 0, 1.35, 0.8, 1.15, 1.0, 0.45, sheet=True),
            at("yellow", "poly", -1.1, 0.35, -1.1, 0.55, 1.5, 0.55, 1.5, 0.35),
        ],
        "police": [
            at("navy", "blob", -1.15, 0.9, -0.6, 1.4, 0.6, 1.4, 1.15, 0.9, 0.9, 0.5, -0.9, 0.5, sheet=True),
            at("ink", "blob", 0.0, 0.5, 1.0, 0.55, 1.4, 0.32, 0.4, 0.3),
            at("gold", "poly", -0.1, 0.75, 0.1, 1.1, 0.3, 0.75),
        ],
        "pirate": [
            at("ink", "blob", -1.5, 0.5, -0.9, 1.2, 0, 1.6, 0.9, 1.2, 1.5, 0.5, 0.5, 0.7, -0.5, 0.7, sheet=True),
            at("white", "blob", -0.2, 1.05, 0, 1.3, 0.2, 1.05, 0.1, 0.85, -0.1, 0.85),
        ],
        "santa": [
            at("red", "blob", -0.95, 0.6, -0.7, 1.4, 0.1, 1.9, 1.4, 1.2, 0.6, 1.15, 0.95, 0.6, sheet=True),
            at("white", "poly", -1.05, 0.4, -1.05, 0.8, 1.05, 0.8, 1.05, 0.4),
            at("white", "blob", 1.2, 1.2, 1.5, 1.35, 1.7, 1.1, 1.4, 0.9),
        ],
        "hood": [
            at(
                "cloth-",
                "blob",
                -1.2,
                -0.9,
                -1.25,
                0.6,
                -0.4,
                1.4,
                0.7,
                1.2,
                1.1,
                0.5,
                0.75,
                0.55,
                0.1,
                0.75,
                -0.6,
                0.4,
                -0.75,
                -0.9,
                sheet=True,
            )
        ],
        "veil": [
            at(
                "cloth",
                "blob",
                -1.2,
                -1.1,
                -1.2,
                0.6,
                -0.2,
                1.25,
                0.9,
                0.9,
                1.05,
                0.2,
                0.6,
                0.62,
                -0.2,
                0.6,
                -0.7,
                0.1,
                -0.66,
                -1.1,
                sheet=True,
            )
        ],
        "headphones": [at("ink", "line", 0.18 / max(h, 1) * 1.0, -1.0, 0.0, -0.8, 1.0, 0.2, 1.2, 0.9, 0.8)]
        if False
        else [
            part(
                "ink",
                "line",
                h * 0.16,
                x - h * 0.95,
                y + h * 0.1,
                x - h * 0.7,
                y + h * 0.95,
                x,
                y + h * 1.2,
                x + h * 0.7,
                y + h * 0.9,
                joint=joint,
                sheet=True,
            ),
            part("red", "oval", x - h * 0.92, y, h * 0.3, h * 0.42, joint=joint),
        ],
        "flowers": [
            part(ink, "oval", x + dx * h, y + dy * h, h * 0.24, joint=joint, sheet=at_ == 0)
            for at_, (ink, dx, dy) in enumerate(
                (("rose", -0.75, 0.75), ("yellow", -0.3, 1.05), ("white", 0.2, 1.08), ("pink", 0.65, 0.85))
            )
        ],
        "ears": [
            at("hat", "poly", -0.85, 0.7, -0.8, 1.7, -0.2, 1.1, sheet=True),
            at("hat", "poly", 0.2, 1.1, 0.7, 1.65, 0.85, 0.7),
        ],
        "horns": [
            at("cream", "poly", -0.8, 0.75, -1.3, 1.7, -0.45, 1.05, sheet=True),
            at("cream", "poly", 0.45, 1.05, 1.2, 1.7, 0.8, 0.75),
        ],
    }
    return hats.get(kind, [])


def bust(look: Look) -> Figure:
    """Head and shoulders, from the front, for a portrait."""
    x, y, h = 0.0, 62.0, 24.0
    if look.dress == "space" or look.mask == "robot":
        head = _head(look, (x, y - 4), h * 0.9)
    else:
        head = []
    parts: list[Part] = []
    joints = {"head": Joint(0, 36, "swing", 1.6), "head.eyes": Joint(0, y + h * 0.12, "blink", 1)}
    child = look.age == "child"
    half = 30 if child else 38 * look.broad
    if look.hair in ("long", "tail", "bob") and not head:
        low = {"bob": 20, "tail": 12}.get(look.hair, 44)
        parts.append(
            part(
                "hair-",
                "blob",
                x - h * 0.7,
                y + h * 0.8,
                x - h * 1.25,
                y,
                x - h * 1.3,
                y - low,
                x,
                y - low + 4,
                x + h * 1.3,
                y - low,
                x + h * 1.25,
                y,
                x + h * 0.7,
                y + h * 0.8,
                joint="head",
            )
        )
    if look.cape:
        parts.append(part("second", "blob", -half - 8, 0, -half - 2, 30, -10, 42, 10, 42, half + 2, 30, half + 8, 0))
    parts.append(part("skin-", "box", -8, 22, 8, 48, 4, sheet=True))
    parts.append(
        part(
            "cloth",
            "poly",
            -half - 2,
            0,
            *[
                each
                for point in (
                    (-half, 16),
                    (-half * 0.8, 27),
                    (-14, 33),
                    (-8, 35),
                    (0, 27),
                    (8, 35),
                    (14, 33),
                    (half * 0.8, 27),
                    (half, 16),
                )
                for each in point
            ],
            half + 2,
            0,
            sheet=True,
        )
    )
    if look.dress == "suit":
        parts += [
            part("white", "poly", -9, 35, 9, 35, 0, 4),
            part("second", "poly", -2.5, 28, 2.5, 28, 4, 6, 0, 0, -4, 6),
            part("cloth-", "poly", -9, 36, -17, 30, -3, 2),
            part("cloth-", "poly", 9, 36, 17, 30, 3, 2),
        ]
    elif look.dress in ("armour",):
        parts += [
            part("steel", "blob", -24, 26, 0, 20, 24, 26, 26, 0, -26, 0),
            part("steel", "oval", -half + 6, 20, 12, 10),
            part("steel", "oval", half - 6, 20, 12, 10),
        ]
    elif look.dress == "hero":
        parts.append(part("gold", "star", 0, 13, 10, 4.6))
    elif look.dress == "white coat":
        parts += [
            part("blue", "poly", -8, 34, 8, 34, 0, 8),
            part("cloth-", "poly", -8, 35, -15, 30, -2, 4),
            part("cloth-", "poly", 8, 35, 15, 30, 2, 4),
        ]
    elif look.dress in ("dress", "gown"):
        parts += [
            part("skin", "blob", -9, 36, 9, 36, 6, 24, 0, 21, -6, 24),
            part("gold", "line", 1.4, -9, 30, 0, 24, 9, 30),
        ]
    else:
        parts.append(part("cloth-", "line", 2, -9, 34, 0, 26, 9, 34))
    if head:
        return upright(parts + head, joints)
    parts.append(part("skin", "oval", -h * 0.92, y - 2, 4.5, 6.5, joint="head", sheet=True))
    parts.append(part("skin", "oval", h * 0.92, y - 2, 4.5, 6.5, joint="head"))
    parts.append(
        part(
            "skin",
            "blob",
            -h * 0.9,
            y + h * 0.3,
            -h * 0.6,
            y + h * 0.9,
            0,
            y + h * 1.05,
            h * 0.6,
            y + h * 0.9,
            h * 0.9,
            y + h * 0.3,
            h * 0.78,
            y - h * 0.55,
            h * 0.3,
            y - h * 1.06,
            -h * 0.3,
            y - h * 1.06,
            -h * 0.78,
            y - h * 0.55,
            joint="head",
            sheet=True,
        )
    )
    if look.face not in ("closed", "grin"):
        for s in (-1, 1):
            ex, ey = s * h * 0.4, y + h * 0.06
            parts += [
                part(
                    "white",
                    "blob",
                    ex - h * 0.24,
                    ey,
                    ex,
                    ey + h * 0.15,
                    ex + h * 0.24,
                    ey,
                    ex,
                    ey - h * 0.13,
                    joint="head.eyes",
                ),
                part("eye", "oval", ex, ey, h * 0.125, joint="head.eyes"),
                part("ink", "oval", ex, ey, h * 0.06, joint="head.eyes"),
                part("white", "oval", ex + h * 0.05, ey + h * 0.05, h * 0.035, joint="head.eyes"),
                part(
                    "ink",
                    "line",
                    0.9,
                    ex - h * 0.25,
                    ey + h * 0.02,
                    ex,
                    ey + h * 0.17,
                    ex + h * 0.25,
                    ey + h * 0.02,
                    joint="head",
                ),
            ]
    bare = [
        each
        for each in face_on(look, 0.0, y + h * 0.0, h * 1.0, "head")
        if look.face in ("closed", "grin") or not _is_dot(each, y, h)
    ]
    parts += bare
    parts += _bust_hair(look.hair, y, h)
    parts += hat_on(look.hat, 0.0, y, h * 1.02, "head")
    return upright(parts, joints)


def _is_dot(each: Part, y: float, h: float) -> bool:
    """A pupil of the simple face, in whose place a bust has an eye."""
    if each.ink not in ("ink", "white") or len(each.outlines[0]) != 36:
        return False
    middle = each.outlines[0].mean(0)
    size = float(each.outlines[0][:, 0].max() - each.outlines[0][:, 0].min())
    return abs(float(middle[1]) - y - h * 0.13) < h * 0.12 and size < h * 0.5


def _bust_hair(kind: str, y: float, h: float) -> list[Part]:
    if kind == "bald":
        return []
    if kind == "curly":
        return [
            part(
                "hair",
                "oval",
                math.cos(math.radians(d)) * h * 0.92,
                y + h * 0.3 + math.sin(math.radians(d)) * h * 0.8,
                h * 0.36,
                joint="head",
                sheet=d == -20,
            )
            for d in range(-20, 201, 22)
        ] + [part("hair", "oval", 0, y + h * 0.92, h * 0.75, h * 0.28, joint="head")]
    if kind in ("spiky", "mohawk"):
        tips = [
            each
            for at in range(6)
            for each in (
                -h * 0.9 + at * h * 0.36,
                y + h * 0.62,
                -h * 0.95 + (at + 0.5) * h * 0.4,
                y + h * (1.7 if kind == "mohawk" else 1.4),
            )
        ]
        return [
            part(
                "hair",
                "poly",
                -h * 0.95,
                y + h * 0.1,
                *tips,
                h * 0.95,
                y + h * 0.1,
                h * 0.8,
                y + h * 0.55,
                0,
                y + h * 0.68,
                -h * 0.8,
                y + h * 0.55,
                joint="head",
                sheet=True,
            )
        ]
    parted = (
        -h * 0.96,
        y - h * 0.15,
        -h * 1.04,
        y + h * 0.5,
        -h * 0.6,
        y + h * 1.15,
        0,
        y + h * 1.25,
        h * 0.6,
        y + h * 1.15,
        h * 1.04,
        y + h * 0.5,
        h * 0.96,
        y - h * 0.15,
        h * 0.84,
        y + h * 0.3,
        h * 0.5,
        y + h * 0.62,
        -h * 0.1,
        y + h * 0.74,
        -h * 0.62,
        y + h * 0.5,
        -h * 0.84,
        y + h * 0.25,
    )
    found = [part("hair", "blob", *parted, joint="head", sheet=True)]
    if kind == "bun":
        found.insert(0, part("hair", "oval", 0, y + h * 1.42, h * 0.46, joint="head"))
    if kind in ("long", "bob"):
        low = 0.8 if kind == "bob" else 1.7
        for s in (-1, 1):
            found.append(
                part(
                    "hair",
                    "blob",
                    s * h * 0.84,
                    y + h * 0.5,
                    s * h * 1.12,
                    y + h * 0.2,
                    s * h * 1.2,
                    y - h * low,
                    s * h * 0.8,
                    y - h * (low + 0.1),
                    s * h * 0.84,
                    y - h * 0.1,
                    joint="head",
                )
            )
    return found
