"""The performance: paper, cast and lettering laid into a painted picture, and into its depth."""

import itertools
import math
from dataclasses import dataclass, replace

import cv2
import numpy as np

from mutoscope.studio.scene.lexicon import Rgb
from mutoscope.studio.scene.raster import Bytes, Floats
from mutoscope.studio.scene.stage import Stage
from mutoscope.studio.theatre import puppet, sets
from mutoscope.studio.theatre.casting import Cast
from mutoscope.studio.theatre.figures import colour_of, colours_of
from mutoscope.studio.theatre.puppet import Sprite
from mutoscope.studio.theatre.shapes import Figure, Points, drawn
from mutoscope.studio.theatre.staging import AFLOAT, Actor, cast_of

# the hour's light on paper
_HOURS: dict[str, Rgb] = {
    "day": (1.0, 1.0, 1.0),
    "sunset": (1.06, 0.88, 0.74),
    "dawn": (1.04, 0.94, 0.90),
    "twilight": (0.70, 0.68, 0.90),
    "night": (0.46, 0.53, 0.78),
}
_INDOORS: dict[str, Rgb] = {
    "night": (0.86, 0.74, 0.60),
    "sunset": (1.06, 0.92, 0.78),
    "twilight": (0.86, 0.78, 0.82),
    "dawn": (1.03, 0.97, 0.92),
    "day": (1.0, 1.0, 1.0),
}
_EFFECTS: dict[str, Rgb] = {
    "warm": (1.08, 0.96, 0.82),
    "cold": (0.80, 0.95, 1.12),
    "dark": (0.80, 0.78, 0.84),
    "cute": (1.06, 0.98, 1.0),
    "retro": (1.02, 0.95, 0.82),
}
_SKY_AT: dict[str, tuple[str, str]] = {
    "sunset": ("#6b5a8f", "#f5a35f"),
    "dawn": ("#7d8fc0", "#f7c9a8"),
    "night": ("#0b1330", "#24365f"),
    "twilight": ("#2a2f66", "#b37a9a"),
}
FLOOR = 13.0  # where the cast stands before a painted land, in hundredths of the height


@dataclass(frozen=True, slots=True)
class Scenery:
    """Where the cast plays."""

    place: str  # a set, or the painter's place
    floor: float  # row
    tint: Rgb


def is_set(place: str) -> bool:
    return place in sets.SETS


def ground(stage: Stage, cast: Cast) -> Floats:
    """The painted ground of a set."""
    told = sets.SETS[stage.place]
    tint = (_INDOORS if told.indoors else _HOURS)[stage.time]
    if stage.place in ("sky", "street", "branch") and stage.time in _SKY_AT:
        above, below = _SKY_AT[stage.time]
        y = np.linspace(0, 1, 64, dtype=np.float32)[:, None, None]
        column = np.array(colour_of(above), np.float32) * (1 - y) + np.array(colour_of(below), np.float32) * y
        return np.asarray(
            cv2.resize(np.repeat(column, 2, 1), (stage.width, stage.height), interpolation=cv2.INTER_LINEAR), np.float32
        )
    colour = cast.backdrop
    if (
        colour is None
        and stage.wish.tint("light") is not None
        and stage.place in ("backdrop", "plinth", "table", "room", "paper")
    ):
        colour = stage.wish.tint("light")
    return sets.ground(
        stage.place,
        colour=colour,
        width=stage.width,
        height=stage.height,
        chance=stage.chance(611),
        tint=tint,
        dark="dark" in cast.effects,
    )


def tint_of(stage: Stage, cast: Cast) -> Rgb:
    told = sets.SETS.get(stage.place)
    light = (_INDOORS if told is not None and told.indoors else _HOURS)[stage.time]
    if stage.place in ("underwater",):
        light = (0.80 * light[0], 0.96 * light[1], 1.06 * light[2])
    if stage.place == "space":
        light = (0.95, 0.95, 1.05)
    if stage.clouds in ("overcast", "storm") and told is None:
        light = (light[0] * 0.86, light[1] * 0.88, light[2] * 0.92)
    if stage.wish.styled("neon"):
        light = (light[0] * 0.92, light[1] * 0.66, light[2] * 1.08)
    for effect in cast.effects:
        if effect in _EFFECTS:
            red, green, blue = _EFFECTS[effect]
            light = (light[0] * red, light[1] * green, light[2] * blue)
    return light


def perform(picture: Bytes, depth: Floats, stage: Stage, cast: Cast, *, acting: bool = False) -> list[Actor]:
    """Lay everything into the picture; who is to act later is returned instead, with `acting`."""
    height, width = picture.shape[:2]
    aspect, unit = width / height, height / 100.0
    tint = tint_of(stage, cast)
    place = stage.place
    told = sets.SETS.get(place)
    flip = stage.chance(613).random() < 0.5
    light = tint  # of the cast, which stands in it where all around is dark
    if told is not None and "dark" in cast.effects and told.cut:
        tint = (tint[0] * 0.7, tint[1] * 0.7, tint[2] * 0.75)
    _effects_behind(picture, stage, cast)
    if told is not None and told.cut:
        lit = _lit_set(stage, told)
        _paste(
            picture,
            depth,
            sets.paper(told.cut, aspect),
            puppet.inks_of(lit),
            width / 2,
            float(height),
            unit,
            0.25,
            tint,
            flip=flip,
            fibres=not acting,
        )
    floor = height * (1 - (told.floor if told else FLOOR) / 100.0)
    afloat = bool(cast.roles) and cast.roles[0].noun.figure in AFLOAT and place == "sea"
    if told is None and place not in ("space", "abstract") and cast.roles and not cast.bust:
        place = "waves" if afloat else _land(stage, cast)
        if not afloat:
            _paste(
                picture,
                depth,
                sets.apron(place, aspect, FLOOR + 4),
                _apron_inks(place),
                width / 2,
                float(height),
                unit,
                0.6,
                tint,
                fibres=not acting,
            )
    actors = [_tinted(each, light) for each in cast_of(cast, width, height, place, stage.seed ^ 0x5A17, floor=floor)]
    if "rainbow" in cast.effects:
        _rainbow(picture)
    baked = actors if not acting else list(itertools.takewhile(_still, actors))  # what nobody moves behind the others
    actors = actors[len(baked) :]
    for actor in baked:
        lay(picture, depth, actor, effects=cast.effects, place=place)
    if afloat:
        sea = Actor(
            clipped(sets.apron("waves", aspect, FLOOR + 1.5), aspect),
            _apron_inks("waves"),
            unit,
            width / 2,
            float(height),
            0.8,
            stands=False,
        )
        actors.append(_tinted(sea, tint))
        if not acting:
            lay(picture, depth, actors.pop())
    if "fire" in cast.effects:
        _flames(picture, depth, stage, unit)
    if "confetti" in cast.effects:
        _confetti(picture, stage)
    if "warm" in cast.effects or "retro" in cast.effects or "cold" in cast.effects:
        _wash(picture, cast)
    return actors


def _still(actor: Actor) -> bool:
    """Whether it would stand as it is for a whole clip."""
    return not actor.figure.joints and actor.stands and not (actor.going or actor.hop or actor.stroll)


def _land(stage: Stage, cast: Cast) -> str:
    if stage.frosty:
        return "snow"
    if stage.wish.has("road") and cast.roles:
        return "road"
    return stage.place


def _apron_inks(place: str) -> dict[str, Rgb]:
    return puppet.inks_of({"main": colour_of(sets.APRONS[place][0])})


def _lit_set(stage: Stage, told: sets.Set) -> dict[str, Rgb]:
    colours = dict(colours_of(told.inks))
    if "sky" in colours and stage.time in _SKY_AT:
        colours["sky"] = colour_of(_SKY_AT[stage.time][0])
    if stage.place == "street" and stage.time in ("night", "twilight"):
        colours["window"] = (1.0, 0.86, 0.50)
    return colours


def _tinted(actor: Actor, tint: Rgb) -> Actor:
    inks = {
        name: _times(colour, tint) if name not in ("lamp", "flame") else colour for name, colour in actor.inks.items()
    }
    return replace(actor, inks=inks)


def _times(colour: Rgb, tint: Rgb) -> Rgb:
    red, green, blue = (min(1.0, a * b) for a, b in zip(colour, tint, strict=True))
    return red, green, blue


def _paste(
    picture: Bytes,
    depth: Floats,
    figure: Figure,
    inks: dict[str, Rgb],
    x: float,
    y: float,
    scale: float,
    near: float,
    tint: Rgb,
    *,
    flip: bool = False,
    fibres: bool = True,
) -> None:
    lit = {
        name: _times(colour, tint) if name != "window" or max(tint) > 0.8 else colour for name, colour in inks.items()
    }
    sprite = puppet.draw(clipped(figure, picture.shape[1] / picture.shape[0]), lit, scale, flip=flip, fibres=fibres)
    over(picture, sprite, x, y, depth, near)


def clipped(figure: Figure, aspect: float) -> Figure:
    """Nothing far outside of the frame: it would only cost time."""
    side = 50 * aspect + 6
    parts = tuple(
        replace(part, outlines=tuple(np.clip(outline, (-side, -8.0), (side, 108.0)) for outline in part.outlines))
        for part in figure.parts
    )
    return Figure(parts, figure.joints)


def over(picture: Bytes, sprite: Sprite, x: float, y: float, depth: Floats | None = None, near: float = 0.5) -> None:
    """Lay a sprite with its foot at (x, y)."""
    left, top = round(x - sprite.x), round(y - sprite.y)
    height, width = picture.shape[:2]
    tall, wide = sprite.rgba.shape[:2]
    rows = slice(max(0, top), min(height, top + tall))
    cols = slice(max(0, left), min(width, left + wide))
    if rows.start >= rows.stop or cols.start >= cols.stop:
        return
    part = sprite.rgba[rows.start - top : rows.stop - top, cols.start - left : cols.stop - left]
    cover = np.ascontiguousarray(part[..., 3])
    under = np.ascontiguousarray(picture[rows, cols])
    rest = cv2.merge([255 - cover] * 3)
    picture[rows, cols] = cv2.add(np.ascontiguousarray(part[..., :3]), cv2.multiply(under, rest, scale=1 / 255))
    if depth is not None:
        seen = depth[rows, cols]
        np.copyto(seen, np.float32(near), where=cover > 127)


def dressed_sprite(sprite: Sprite, actor: Actor, effects: tuple[str, ...], size: float) -> Sprite:
    """A sprite of `size` pixels for the picture's, with its border and the shadow that it throws, for clips."""
    sprite = _edged(sprite, effects, actor.height * size)
    reach = max(2, round(actor.height * size * 0.03))
    rgba = cv2.copyMakeBorder(sprite.rgba, reach, reach * 3, reach * 2, reach * 3, cv2.BORDER_CONSTANT)
    x, y = sprite.x + reach * 2, sprite.y + reach
    height, width = rgba.shape[:2]
    fallen = np.zeros((height, width), np.float32)
    if actor.stands:
        wide = sprite.rgba.shape[1] * 0.5
        tall = max(2.0, min(wide * 0.13, reach * 1.9))
        middle = x + sprite.rgba.shape[1] / 2 - sprite.x
        across = ((np.arange(width, dtype=np.float32) - middle) / wide)[None]
        down = ((np.arange(height, dtype=np.float32) - (y - tall * 0.15)) / tall)[:, None]
        dark = np.clip(1.0 - (across * across + down * down) / 1.6, 0.0, 1.0)
        fallen = 110 * dark * dark
    else:
        cover = np.asarray(np.ascontiguousarray(rgba[..., 3]), np.uint8)
        soft = puppet.shifted(cover, round(reach * 0.7), reach)
        fallen = cv2.blur(cv2.blur(soft, (reach, reach)), (reach, reach)).astype(np.float32) * 0.3
    rest = 1.0 - rgba[..., 3].astype(np.float32) / 255
    rgba[..., 3] = np.minimum(255, rgba[..., 3] + (fallen * rest + 0.5).astype(np.uint8))
    return Sprite(np.asarray(rgba, np.uint8), x, y)


def lay(
    picture: Bytes,
    depth: Floats | None,
    actor: Actor,
    *,
    effects: tuple[str, ...] = (),
    place: str = "",
    pose: int = puppet.REST_POSE,
) -> None:
    """One figure with the shadow that it throws."""
    sprite = puppet.draw(
        actor.figure, actor.inks, actor.scale, pose=pose, going=actor.going, flip=actor.flip, turn=actor.turn
    )
    if actor.stands:
        shadow(picture, sprite, actor)
    else:
        _halo_shadow(picture, sprite, actor)
    if "glow" in effects:
        _glow(picture, sprite, actor)
    sprite = _edged(sprite, effects, actor.height)
    over(picture, sprite, actor.x, actor.y, depth, actor.depth)


def shadow(picture: Bytes, sprite: Sprite, actor: Actor) -> None:
    """On the ground: a soft dark ellipse, and the figure's own shape leaning away from the light."""
    wide = sprite.rgba.shape[1] * 0.5
    tall = max(3.0, wide * 0.13)
    x = actor.x + (sprite.rgba.shape[1] / 2 - sprite.x)
    _darken(picture, x, actor.y - tall * 0.15, wide * 0.98, tall, 0.42)
    _darken(picture, x + wide * 0.35, actor.y + tall * 0.2, wide * 1.2, tall * 1.1, 0.22)


def _darken(picture: Bytes, x: float, y: float, wide: float, tall: float, strength: float) -> None:
    left, right = max(0, int(x - wide * 1.3)), min(picture.shape[1], int(x + wide * 1.3) + 1)
    top, bottom = max(0, int(y - tall * 1.6)), min(picture.shape[0], int(y + tall * 1.6) + 1)
    if left >= right or top >= bottom:
        return
    across = ((np.arange(left, right, dtype=np.float32) - x) / wide)[None]
    down = ((np.arange(top, bottom, dtype=np.float32) - y) / tall)[:, None]
    out = across * across + down * down
    dark = np.clip(1.0 - out / 1.6, 0.0, 1.0)
    keep = 1.0 - strength * dark * dark
    part = picture[top:bottom, left:right]
    np.copyto(part, (part * keep[..., None] + 0.5).astype(np.uint8))


def _halo_shadow(picture: Bytes, sprite: Sprite, actor: Actor) -> None:
    """Of what hangs free: its own shape, soft, on whatever is behind."""
    reach = max(3, round(actor.height * 0.035))
    cover = cv2.copyMakeBorder(
        np.ascontiguousarray(sprite.rgba[..., 3]), reach * 2, reach * 2, reach * 2, reach * 2, cv2.BORDER_CONSTANT
    )
    soft = cv2.blur(cv2.blur(cover, (reach, reach)), (reach, reach))
    dark = np.zeros((*soft.shape, 4), np.uint8)
    dark[..., 3] = cv2.convertScaleAbs(soft, alpha=0.30)
    over(picture, Sprite(dark, sprite.x + reach * 1.4, sprite.y + reach * 1.0), actor.x, actor.y)


def _glow(picture: Bytes, sprite: Sprite, actor: Actor) -> None:
    reach = max(5, round(actor.height * 0.12)) | 1
    pad = reach * 2
    cover = cv2.copyMakeBorder(np.ascontiguousarray(sprite.rgba[..., 3]), pad, pad, pad, pad, cv2.BORDER_CONSTANT)
    soft = cv2.blur(cv2.blur(cover, (reach, reach)), (reach, reach)).astype(np.float32) / 255
    main = np.array(actor.inks.get("main", (0.6, 0.9, 1.0)), np.float32) * 0.5 + 0.5
    light = np.zeros((*soft.shape, 4), np.uint8)
    light[..., :3] = np.clip(soft[..., None] * main * 200, 0, 255).astype(np.uint8)
    light[..., 3] = np.clip(soft * 140, 0, 255).astype(np.uint8)
    over(picture, Sprite(light, sprite.x + pad, sprite.y + pad), actor.x, actor.y)


def _edged(sprite: Sprite, effects: tuple[str, ...], height: float) -> Sprite:
    """With the border that an effect gives to a figure of so many pixels."""
    if "sticker" in effects:
        return _bordered(sprite, (255, 255, 255), max(3, round(height * 0.022)))
    if "cartoon" in effects:
        return _bordered(sprite, (34, 28, 34), max(2, round(height * 0.010)))
    return sprite


def _bordered(sprite: Sprite, colour: tuple[int, int, int], wide: int) -> Sprite:
    pad = wide + 2
    rgba = cv2.copyMakeBorder(sprite.rgba, pad, pad, pad, pad, cv2.BORDER_CONSTANT)
    grown = cv2.dilate(
        np.ascontiguousarray(rgba[..., 3]), cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * wide + 1, 2 * wide + 1))
    )
    grown = cv2.blur(grown, (3, 3))
    back = np.dstack([(grown.astype(np.float32) * (each / 255)).astype(np.uint8) for each in colour] + [grown])
    cover = np.ascontiguousarray(rgba[..., 3], np.uint8)
    rest = cv2.merge([255 - cover] * 4)
    made = cv2.add(rgba, cv2.multiply(np.ascontiguousarray(back), rest, scale=1 / 255))
    return Sprite(np.asarray(made, np.uint8), sprite.x + pad, sprite.y + pad)


# -- effects -------------------------------------------------------------------------------


def _effects_behind(picture: Bytes, stage: Stage, cast: Cast) -> None:
    height, width = picture.shape[:2]
    chance = stage.chance(617)
    if "bokeh" in cast.effects:
        light = np.zeros_like(picture)
        for x, y, size, warm in chance.random((26, 4)).tolist():
            radius = int(height * (0.012 + 0.05 * size * size))
            colour = (255, int(205 + 40 * warm), int(120 + 110 * (1 - warm)))
            cv2.circle(
                light,
                (int(x * width), int(y * height * 0.8)),
                radius,
                tuple(int(each * 0.34) for each in colour),
                -1,
                cv2.LINE_AA,
            )
        np.copyto(picture, cv2.add(picture, cv2.blur(light, (max(1, height // 200),) * 2)))
    if "ornate" in cast.effects:
        centre = (width // 2, int(height * 0.48))
        layer = picture.copy()
        for ring_, petals in ((0.30, 12), (0.44, 18), (0.60, 24), (0.78, 30)):
            for petal in range(petals):
                angle = petal * math.tau / petals
                at = (
                    int(centre[0] + math.cos(angle) * height * ring_),
                    int(centre[1] + math.sin(angle) * height * ring_),
                )
                size = int(height * ring_ * 2.6 / petals)
                cv2.circle(layer, at, size, (255, 244, 214), max(1, height // 360), cv2.LINE_AA)
                cv2.circle(layer, at, max(1, size // 3), (255, 244, 214), -1, cv2.LINE_AA)
        np.copyto(picture, cv2.addWeighted(picture, 0.72, layer, 0.28, 0))


def _rainbow(picture: Bytes) -> None:
    height, width = picture.shape[:2]
    layer = picture.copy()
    colours = ((220, 60, 60), (245, 150, 50), (250, 220, 80), (80, 170, 90), (70, 130, 210), (120, 80, 170))
    for at, colour in enumerate(colours):
        cv2.ellipse(
            layer,
            (width // 2, int(height * 0.92)),
            (int(height * (0.80 - at * 0.035)),) * 2,
            0,
            180,
            360,
            colour,
            max(2, int(height * 0.036)),
            cv2.LINE_AA,
        )
    np.copyto(picture, cv2.addWeighted(picture, 0.35, layer, 0.65, 0))


def _confetti(picture: Bytes, stage: Stage) -> None:
    height, width = picture.shape[:2]
    for x, y, size, hue, turn in stage.chance(619).random((70, 5)).tolist():
        colour = ((226, 74, 70), (247, 190, 66), (74, 152, 214), (98, 176, 98), (222, 120, 170))[int(hue * 5)]
        radius = height * (0.006 + 0.008 * size)
        angle = turn * math.pi
        across = np.array([math.cos(angle), math.sin(angle)]) * radius
        down = np.array([-across[1], across[0]]) * 0.5
        centre = np.array([x * width, y * height])
        points: Points = np.stack(
            [centre + across + down, centre + across - down, centre - across - down, centre - across + down]
        )
        cv2.fillPoly(picture, [np.rint(points * 16).astype(np.int32)], colour, cv2.LINE_AA, 4)


_FLAMES = drawn("""
+ orange blob -14 0 -16 14 -8 26 -6 16 0 36 6 18 10 28 16 12 14 0
yellow blob -8 0 -9 8 -3 14 0 20 4 12 9 8 8 0
""")


def _flames(picture: Bytes, depth: Floats, stage: Stage, unit: float) -> None:
    for x, size in ((0.12, 0.8), (0.26, 0.6), (0.76, 0.65), (0.90, 0.9)):
        _paste(
            picture,
            depth,
            _FLAMES,
            puppet.inks_of({}),
            x * stage.width,
            stage.height * 1.0,
            unit * size,
            0.9,
            (1.0, 1.0, 1.0),
        )


def _wash(picture: Bytes, cast: Cast) -> None:
    """A filter before the whole: warm, cold or faded."""
    colour, share = (255, 170, 80), 0.08
    if "cold" in cast.effects:
        colour, share = (60, 130, 255), 0.10
    if "retro" in cast.effects:
        colour, share = (232, 205, 150), 0.22
    layer = np.full((1, 1, 3), colour, np.uint8)
    np.copyto(picture, cv2.addWeighted(picture, 1 - share, np.broadcast_to(layer, picture.shape).copy(), share, 0))
