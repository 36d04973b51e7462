"""Trees: small ones that stand on the land, and dark ones near the viewer that frame the picture."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from mutoscope.studio.scene.ground import Ground
from mutoscope.studio.scene.heights import SIZE
from mutoscope.studio.scene.noise import chance, fbm
from mutoscope.studio.scene.raster import Bytes, Floats, blend, clip, colour, floats, mix, rows_of, shrink
from mutoscope.studio.scene.stage import Stage

Tree = tuple[float, float, float, list[float]]  # column, foot, height, shape
_SPRITE = 128  # height of a drawn tree before it is brought to size


@dataclass(frozen=True, slots=True)
class Sprite:
    """A tree drawn once. shade is its light (1 is the tree's own colour), cover its outline from 0 to 1."""

    shade: Floats
    cover: Floats


def plant_trees(
    canvas: Floats,
    near: Floats,
    stage: Stage,
    ground: Ground,
    *,
    eye: float,
    depth_of: Callable[[Floats], Floats],
) -> None:
    """Stand trees on the woods of the land, far ones first, where nothing hides their foot."""
    if stage.wish.style == "minimal" or float(ground.woods.max()) < 0.05:
        return
    sprites = _sprites(stage, ground)
    tall = 5.4 if stage.place == "mountains" else 5.6
    across, away, size, pick = _sites(stage, ground)
    column = stage.width / 2 + across * stage.focal / away
    foot = stage.horizon + (eye - _at(ground.heights, across, away)) * stage.focal / away
    pixels = tall * size * stage.focal / away
    depth = depth_of(away)
    seen = _stands_free(near, column, foot, depth) & (pixels > 2.0)
    for at in np.flatnonzero(seen).tolist():
        tone = _tone(stage, ground, float(across[at]), float(away[at]))
        place = (float(column[at]), float(foot[at] + pixels[at] * 0.06), float(pixels[at]))
        _stamp(canvas, near, sprites[int(pick[at]) % len(sprites)], place, tone, float(depth[at]))


def _at(field: Floats, across: Floats, away: Floats) -> Floats:
    """A map read at places given in the viewer's terms."""
    return field[away.astype(np.int64), (across + SIZE / 2).astype(np.int64)]


def _sites(stage: Stage, ground: Ground) -> tuple[Floats, Floats, Floats, Floats]:
    """Where trees stand (across, away), how large each is, and which of the sprites it shows; the farthest first."""
    source = stage.chance(300)
    wanted = 24000 if stage.place == "mountains" else 3200
    drawn = source.random((5, wanted), dtype=np.float32)
    away = 40.0 + 560.0 * floats(np.sqrt(drawn[0]))
    across = (drawn[1] * 2.0 - 1.0) * np.minimum(away * (stage.width / 2 / stage.focal), SIZE / 2 - 2.0)
    kept = drawn[2] < _at(ground.woods, across, away)
    if ground.water is not None:
        kept &= _at(ground.heights, across, away) > ground.water + 0.4
    order = np.flatnonzero(kept)
    order = order[np.argsort(-away[order], kind="stable")]
    return across[order], away[order], 0.4 + 0.8 * drawn[3][order], drawn[4][order] * 64.0


def _stands_free(near: Floats, column: Floats, foot: Floats, depth: Floats) -> npt.NDArray[np.bool_]:
    """Whether the picture shows, where a tree's foot would be, the ground at the tree's own distance."""
    height, width = near.shape
    row, at = np.rint(foot).astype(np.int64), np.rint(column).astype(np.int64)
    inside = (row >= 1) & (row < height) & (at >= 0) & (at < width)
    ground = near[np.clip(row - 1, 0, height - 1), np.clip(at, 0, width - 1)]
    return inside & (np.abs(ground - depth) < 0.03)


def _tone(stage: Stage, ground: Ground, across: float, away: float) -> Floats:
    """A tree's colour in the light of its place, hazed like the ground that it stands on."""
    leaf = colour(0.075, 0.12, 0.065)
    if stage.place == "hills":
        leaf = colour(0.10, 0.15, 0.05)
    if stage.wish.has("autumn"):
        leaf = mix(colour(0.62, 0.26, 0.06), colour(0.60, 0.45, 0.10), abs(math.sin(across * 12.9)))
    if stage.frosty:
        leaf = mix(leaf, colour(0.62, 0.68, 0.76), 0.16)
    light = stage.light("sun") * (0.75 * (0.3 + 0.7 * stage.palette.direct)) + stage.light("ambient") * 0.85
    there = float(ground.lit[int(away), int(across + SIZE / 2)].mean())
    tone = leaf * light * min(1.6, 0.6 + there * 3.0)
    thick = 2.3 if stage.wish.has("fog") else 1.0
    air = 1.0 - math.exp(-((max(away - 90.0, 0.0) / 740.0) ** 1.5) * thick)
    return mix(tone, stage.light("haze") * 0.8, min(0.9, air + 0.12 * (thick - 1.0)))


def _stamp(
    canvas: Floats, near: Floats, sprite: Sprite, place: tuple[float, float, float], tone: Floats, depth: float
) -> None:
    column, foot, tall = place
    high, wide = max(2, round(tall)), max(2, round(tall * sprite.cover.shape[1] / sprite.cover.shape[0]))
    top, left = round(foot) - high, round(column - wide / 2)
    rows = slice(max(0, top), min(canvas.shape[0], top + high))
    cols = slice(max(0, left), min(canvas.shape[1], left + wide))
    if rows.start >= rows.stop or cols.start >= cols.stop:
        return
    part = np.s_[rows.start - top : rows.stop - top, cols.start - left : cols.stop - left]
    cover = shrink(sprite.cover, wide, high)[part]
    shade = shrink(sprite.shade, wide, high)[part]
    blend(canvas[rows, cols], tone * shade[..., None], cover)
    near[rows, cols] = np.where(cover > 0.5, depth, near[rows, cols])


def _sprites(stage: Stage, ground: Ground) -> list[Sprite]:
    draw = _leafy if stage.place == "hills" and not stage.wish.has("snow") else _conifer
    lit_from_right = ground.sunward[0] > 0
    return [_lit(draw(stage.seed + 310 + at), lit_from_right) for at in range(6)]


def _lit(cover: Floats, from_right: bool) -> Sprite:
    """Light one side and break it up, so that a flat outline looks round."""
    height, width = cover.shape
    side = np.linspace(0.45, 1.75, width, dtype=np.float32)[None]
    if not from_right:
        side = side[:, ::-1]
    rough = fbm(height, width, 14.0, 10.0, 3, height * width + int(from_right))
    down = 1.15 - 0.4 * rows_of(slice(0, height)) * (1.0 / height)
    return Sprite(side * down * (0.70 + 0.6 * rough), cover)


def _conifer(seed: int) -> Floats:
    outline = np.zeros((_SPRITE * 2, _SPRITE), np.uint8)
    _draw_pine(outline, (_SPRITE / 2, _SPRITE * 2.0, _SPRITE * 2.0), chance(seed).random(3).tolist())
    return shrink(outline.astype(np.float32), _SPRITE // 2, _SPRITE) * (1.0 / 255.0)


def _leafy(seed: int) -> Floats:
    """A broad crown of leaf clusters, three main boughs wide, on a short trunk."""
    source = chance(seed)
    side = _SPRITE
    crown = np.zeros((side, side), np.uint8)
    cv2.rectangle(crown, (side // 2 - 4, side // 2), (side // 2 + 4, side), (255,), -1)
    for bough in range(4):
        middle = (
            side * (0.28 + 0.15 * bough),
            side * (0.56 - 0.20 * math.sin(0.4 + bough * 0.8) * source.uniform(0.6, 1.2)),
        )
        for _ in range(46):
            angle, out = source.uniform(0, 2 * math.pi), math.sqrt(source.random()) * side * 0.22
            centre = (
                int(middle[0] + math.cos(angle) * out),
                int(middle[1] + math.sin(angle) * out * 0.85 + side * 0.05),
            )
            cv2.circle(crown, centre, int(side * source.uniform(0.02, 0.055)), (255,), -1, cv2.LINE_AA)
    crown[:, :2] = crown[:, -2:] = 0
    return floats(crown.astype(np.float32)) * (1.0 / 255.0)


def _draw_pine(outline: Bytes, place: tuple[float, float, float], drawn: list[float]) -> None:
    """One conifer: tiers of drooping branches, each a little different; place is (column, foot, height)."""
    column, foot, tall = place
    slim, count, phase = drawn
    half = tall * (0.15 + 0.08 * slim)
    tiers = 10 + int(5 * count)
    left: list[tuple[float, float]] = []
    right: list[tuple[float, float]] = []
    for tier in range(1, tiers + 1):
        share = tier / tiers
        low = foot - tall * (1.0 - share * 0.94)
        for side, edge in ((-1, left), (1, right)):
            reach = half * share**0.9 * (0.92 + 0.30 * math.sin(phase * 50.0 + tier * (2.1 + 0.6 * side)))
            edge.append((column + side * reach, low + tall * 0.028))
            edge.append((column + side * reach * 0.40, low - tall * 0.004))
    trunk = tall * 0.016
    points = [(column, foot - tall), *right, (column + trunk, foot), (column - trunk, foot), *reversed(left)]
    cv2.fillPoly(outline, [np.array(points, np.float32).round().astype(np.int32)], (255,))


def pine_row(stage: Stage, ground: Floats, count: int, tall: tuple[float, float], salt: int) -> tuple[Floats, slice]:
    """A row of conifers on a line (ground: a row number for each column) as a cover field over the returned rows."""
    drawn = stage.chance(salt).random((count, 5))
    drawn = drawn[np.argsort(drawn[:, 1])]
    trees = [
        (x * stage.width, float(ground[int(x * (stage.width - 1))]), tall[0] + (tall[1] - tall[0]) * size * size, shape)
        for x, size, *shape in drawn.tolist()
    ]
    return _draw_row(stage, trees)


def frame_with_pines(canvas: Floats, near: Floats, stage: Stage) -> None:
    """Dark pines close to the viewer, thicker on the side away from the sun: they give the picture its depth."""
    heavy = -1.0 if stage.sun[0] > stage.width / 2 else 1.0
    ground = _knoll(stage, heavy)
    tall = min(stage.height * 0.36, stage.unit * 0.27)
    trees: list[Tree] = []
    for at, size, *shape in stage.chance(401).random((int(30 * stage.width / stage.unit), 5)).tolist():
        x = _beside(at, heavy)
        high = tall * (0.22 + 0.78 * size**1.6) * (0.40 + 0.60 * abs(x - 0.5) * 2.0)
        foot = float(ground[int(x * (stage.width - 1))]) + stage.height * 0.012
        trees.append((x * stage.width, foot, high, shape))
    cover, rows = _draw_row(stage, trees)
    cover = floats(np.maximum(cover, clip(rows_of(rows) - ground[None], 0.0, 1.0)))
    blend(canvas[rows], stage.light("ambient") * 0.10 + colour(0.006, 0.010, 0.010), cover)
    near[rows] = np.where(cover > 0.5, 1.0, near[rows])


def _knoll(stage: Stage, heavy: float) -> Floats:
    """The dark ground under the framing trees: a row number for each column, rising towards the sides."""
    rough = fbm(4, stage.width, 1, 2.6, 6, stage.seed + 400)[1]
    x = np.linspace(-1.0, 1.0, stage.width, dtype=np.float32)
    rise = 0.022 + 0.05 * np.clip(x * heavy, 0.0, 1.0) ** 1.5 + 0.02 * x * x
    return floats(stage.height * (1.0 - rise - 0.045 * (rough - 0.35)))


def _beside(at: float, heavy: float) -> float:
    """Bend an even chance towards both sides, mostly the heavy one, and leave the middle open."""
    if at < 0.30:
        return 0.5 - 0.5 * heavy * (1.0 - 0.36 * at / 0.30)
    return 0.5 + 0.5 * heavy * (1.0 - 0.62 * ((at - 0.30) / 0.70) ** 0.8)


def _draw_row(stage: Stage, trees: list[Tree]) -> tuple[Floats, slice]:
    """The outlines of some conifers, drawn at twice the size for smooth edges."""
    highest = min(foot - high * 1.02 for _, foot, high, _ in trees)
    top = min(stage.height - 1, max(0, int(highest) - 1))
    outline = np.zeros(((stage.height - top) * 2, stage.width * 2), np.uint8)
    for column, foot, high, shape in trees:
        _draw_pine(outline, (column * 2, (foot - top) * 2, high * 2), shape)
    return shrink_bytes(outline, stage.width, stage.height - top), slice(top, stage.height)


def shrink_bytes(outline: Bytes, width: int, height: int) -> Floats:
    """An outline drawn at a larger size as a cover field with smooth edges."""
    small = cv2.resize(outline, (max(1, width), max(1, height)), interpolation=cv2.INTER_AREA)
    return floats(small.astype(np.float32)) * (1.0 / 255.0)
