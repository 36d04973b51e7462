"""Trees: small ones that stand on the land, and dark ones near the viewer that frame the picture."""

import math
from dataclasses import dataclass

import cv2
import numpy as np

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
    canvas: Floats, near: Floats, stage: Stage, ground: Ground, *, eye: float, reach: tuple[float, float]
) -> None:
    """Stand trees on the woods of the land, far ones first, where nothing hides their foot."""
    if stage.wish.style == "minimal" or float(ground.woods.max()) < 0.05:
        return
    sprites = _sprites(stage, ground)
    tall = 4.6 if stage.place == "mountains" else 6.5
    scale = math.log(reach[1] / reach[0])
    for across, away, size, pick in _sites(stage, ground):
        column = stage.width / 2 + across * stage.focal / away
        height = float(ground.heights[int(away), int(across + SIZE / 2)])
        foot = stage.horizon + (eye - height) * stage.focal / away
        pixels = tall * size * stage.focal / away
        depth = 1.0 - math.log(max(1.0, away / reach[0])) / scale * 0.92
        if pixels < 2.0 or not _stands_free(near, column, foot, depth):
            continue
        tone = _tone(stage, ground, across, away)
        _stamp(canvas, near, sprites[pick % len(sprites)], (column, foot + pixels * 0.06, pixels), tone, depth)


def _sites(stage: Stage, ground: Ground) -> list[tuple[float, float, float, int]]:
    """(across, away, size, sprite) of every tree, the farthest first."""
    source = stage.chance(300)
    wanted = 5200 if stage.place == "mountains" else 2600
    away = 40.0 + 560.0 * np.sqrt(source.random(wanted))
    across = (source.random(wanted) * 2.0 - 1.0) * np.minimum(away * (stage.width / 2 / stage.focal), SIZE / 2 - 2)
    thick = ground.woods[away.astype(np.int64), (across + SIZE / 2).astype(np.int64)]
    kept = source.random(wanted) < thick
    if ground.water is not None:
        height = ground.heights[away.astype(np.int64), (across + SIZE / 2).astype(np.int64)]
        kept &= height > ground.water + 0.4
    size = source.uniform(0.6, 1.15, wanted)
    pick = source.integers(0, 64, wanted)
    order = np.argsort(-away[kept])
    return [
        (float(x), float(z), float(s), int(p))
        for x, z, s, p in zip(
            across[kept][order], away[kept][order], size[kept][order], pick[kept][order], strict=True
        )
    ]


def _stands_free(near: Floats, column: float, foot: float, depth: float) -> bool:
    row, at = round(foot), round(column)
    if not (1 <= row < near.shape[0] and 0 <= at < near.shape[1]):
        return False
    return abs(float(near[row - 1, at]) - depth) < 0.03


def _tone(stage: Stage, ground: Ground, across: float, away: float) -> Floats:
    """A tree's colour in the light of its place, hazed like the ground that it stands on."""
    leaf = colour(0.10, 0.15, 0.085)
    if stage.wish.has("autumn"):
        leaf = mix(colour(0.62, 0.26, 0.06), colour(0.60, 0.45, 0.10), abs(math.sin(across * 12.9)))
    if stage.frosty:
        leaf = mix(leaf, colour(0.7, 0.74, 0.8), 0.45)
    light = stage.light("sun") * (0.75 * (0.3 + 0.7 * stage.palette.direct)) + stage.light("ambient") * 0.85
    there = float(ground.lit[int(away), int(across + SIZE / 2)].mean())
    tone = leaf * light * min(1.6, 0.6 + there * 3.0)
    thick = 2.3 if stage.wish.has("fog") else 1.0
    air = 1.0 - math.exp(-((max(away - 60.0, 0.0) / 720.0) ** 1.5) * thick)
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
    return Sprite(side * down * (0.45 + 1.1 * rough), cover)


def _conifer(seed: int) -> Floats:
    outline = np.zeros((_SPRITE * 2, _SPRITE), np.uint8)
    _draw_pine(outline, (_SPRITE / 2, _SPRITE * 2.0, _SPRITE * 2.0), chance(seed).random(3).tolist())
    return shrink(outline.astype(np.float32), _SPRITE // 2, _SPRITE) * (1.0 / 255.0)


def _leafy(seed: int) -> Floats:
    """A crown of overlapping leaf clusters on a short trunk."""
    source = chance(seed)
    side = _SPRITE
    crown = np.zeros((side, side), np.uint8)
    cv2.rectangle(crown, (side // 2 - 3, side // 2), (side // 2 + 3, side), 255, -1)
    for _ in range(42):
        angle, out = source.uniform(0, 2 * math.pi), math.sqrt(source.random())
        centre = (
            int(side / 2 + math.cos(angle) * out * side * 0.33),
            int(side * 0.42 + math.sin(angle) * out * side * 0.27),
        )
        cv2.circle(crown, centre, int(side * source.uniform(0.05, 0.12)), 255, -1, cv2.LINE_AA)
    return crown.astype(np.float32) * (1.0 / 255.0)


def _draw_pine(outline: Bytes, place: tuple[float, float, float], drawn: list[float]) -> None:
    """One conifer: tiers of drooping branches, each a little different; place is (column, foot, height)."""
    column, foot, tall = place
    slim, count, phase = drawn
    half = tall * (0.13 + 0.07 * slim)
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


def pine_row(
    stage: Stage, ground: Floats, count: int, tall: tuple[float, float], salt: int
) -> tuple[Floats, slice]:
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
