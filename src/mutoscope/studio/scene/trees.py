"""Trees: small ones that stand on the land, and dark ones near the viewer that frame the picture."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from mutoscope.studio.scene.ground import Ground
from mutoscope.studio.scene.heights import SIZE
from mutoscope.studio.scene.lexicon import Rgb
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
    if stage.wish.styled("minimal") or float(ground.woods.max()) < 0.05:
        return
    sprites = _sprites(stage, ground)
    tall = 5.4 if stage.place == "mountains" else 6.2
    if stage.wish.has("cypress"):
        tall = 9.0
    across, away, size, pick = _sites(stage, ground)
    column = stage.width / 2 + across * stage.focal / away
    foot = stage.horizon + (eye - _at(ground.heights, across, away)) * stage.focal / away
    pixels = tall * size * stage.focal / away
    depth = depth_of(away)
    seen = _stands_free(near, column, foot, depth) & (pixels > 2.0)
    tones = _tones(stage, ground, across, away)
    sizes: dict[tuple[int, int], Sprite] = {}
    for at in np.flatnonzero(seen).tolist():
        kind, high = int(pick[at]) % len(sprites), max(2, round(float(pixels[at])))
        if (kind, high) not in sizes:
            sizes[kind, high] = _sized(sprites[kind], high)
        place = (float(column[at]), float(foot[at] + pixels[at] * 0.06))
        _stamp(canvas, near, sizes[kind, high], place, tones[at], float(depth[at]))


def _sized(sprite: Sprite, high: int) -> Sprite:
    wide = max(2, round(high * sprite.cover.shape[1] / sprite.cover.shape[0]))
    return Sprite(shrink(sprite.shade, wide, high), shrink(sprite.cover, wide, high))


def _at(field: Floats, across: Floats, away: Floats) -> Floats:
    """A map read at places given in the viewer's terms."""
    return field[away.astype(np.int64), (across + SIZE / 2).astype(np.int64)]


def _sites(stage: Stage, ground: Ground) -> tuple[Floats, Floats, Floats, Floats]:
    """Where trees stand (across, away), how large each is, and which of the sprites it shows; the farthest first."""
    source = stage.chance(300)
    wanted = 24000 if stage.place == "mountains" else 5200
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


def _tones(stage: Stage, ground: Ground, across: Floats, away: Floats) -> Floats:
    """Every tree's colour in the light of its place, hazed like the ground that it stands on."""
    leaf = leaf_colour(stage, floats(np.abs(np.sin(across * 12.9 + away * 3.1)))[:, None])
    light = stage.light("sun") * (0.75 * (0.3 + 0.7 * stage.palette.direct)) + stage.light("ambient") * 0.85
    there = _at(ground.light, across, away).mean(1, keepdims=True)
    tone = leaf * light * np.minimum(1.6, 0.25 + there * 1.15)
    thick = 2.3 if stage.wish.has("fog") else 1.0
    air = 1.0 - floats(np.exp(-((np.maximum(away - 90.0, 0.0) / 740.0) ** 1.5) * thick))
    return mix(tone, stage.light("haze") * 0.8, np.minimum(0.9, air + 0.12 * (thick - 1.0))[:, None])


_LEAVES: dict[str, tuple[Rgb, Rgb]] = {
    "autumn": ((0.42, 0.13, 0.04), (0.50, 0.31, 0.06)),
    "blossom": ((0.80, 0.42, 0.52), (0.92, 0.68, 0.74)),
    "spring": ((0.17, 0.24, 0.05), (0.25, 0.30, 0.08)),
    "conifer": ((0.066, 0.110, 0.062), (0.088, 0.132, 0.062)),
    "leafy": ((0.085, 0.140, 0.045), (0.125, 0.170, 0.055)),
}


def leaf_colour(stage: Stage, share: Floats | float) -> Floats:
    """The leaves of one tree, between the two colours of the season and kind."""
    wish = stage.wish
    season = next((name for name in ("blossom", "autumn", "spring") if wish.has(name)), None)
    if not leafy(stage):
        season = "conifer"
    first, second = _LEAVES[season or "leafy"]
    if season == "blossom" and wish.blooms:
        first, second = (channel * 0.8 for channel in wish.blooms[0]), wish.blooms[-1]
    leaf = mix(colour(*first), colour(*second), share)
    return mix(leaf, colour(0.62, 0.68, 0.76), 0.18) if stage.frosty else leaf


def leafy(stage: Stage) -> bool:
    """Whether broad-leaved trees stand here rather than conifers."""
    wish = stage.wish
    if wish.has("conifers") or stage.frosty:
        return False
    return stage.place == "hills" or wish.has("leafy", "blossom", "autumn", "spring")


def _stamp(
    canvas: Floats, near: Floats, sprite: Sprite, place: tuple[float, float], tone: Floats, depth: float
) -> None:
    """Paint a tree whose foot stands at a place (column, row)."""
    high, wide = sprite.cover.shape
    top, left = round(place[1]) - high, round(place[0] - wide / 2)
    rows = slice(max(0, top), min(canvas.shape[0], top + high))
    cols = slice(max(0, left), min(canvas.shape[1], left + wide))
    if rows.start >= rows.stop or cols.start >= cols.stop:
        return
    part = np.s_[rows.start - top : rows.stop - top, cols.start - left : cols.stop - left]
    cover = sprite.cover[part]
    blend(canvas[rows, cols], tone * sprite.shade[part][..., None], cover)
    near[rows, cols] = np.where(cover > 0.5, depth, near[rows, cols])


def _sprites(stage: Stage, ground: Ground) -> list[Sprite]:
    from_right = ground.sunward[0] > 0
    seeds = [stage.seed + 310 + at for at in range(7)]
    if stage.wish.has("cypress") and not stage.frosty:
        return [_lit(_cypress(seed), from_right) for seed in seeds]
    if leafy(stage):
        return [_crown(seed, from_right=from_right, bare_trunk=stage.place == "hills") for seed in seeds]
    return [_lit(_conifer(seed), from_right) for seed in seeds]


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


def _cypress(seed: int) -> Floats:
    """A slender flame."""
    outline = np.zeros((_SPRITE * 2, _SPRITE), np.uint8)
    source = chance(seed)
    rows = np.linspace(0.0, 1.0, 40)
    half = 0.125 * np.sin(np.pi * rows**0.72) ** 0.8 + 0.012
    left, right = (_SPRITE / 2 + way * half * _SPRITE * (1.0 + 0.25 * source.random(40)) for way in (-1, 1))
    down = rows * 2 * _SPRITE
    points = np.concatenate([np.stack([left, down], 1), np.stack([right, down], 1)[::-1]])
    cv2.fillPoly(outline, [points.round().astype(np.int32)], (255,))
    return shrink(outline.astype(np.float32), _SPRITE // 2, _SPRITE) * (1.0 / 255.0)


def _crown(seed: int, *, from_right: bool, bare_trunk: bool) -> Sprite:
    """A broad crown: clusters of leaves from the back to the front, each lit by where it looks."""
    source = chance(seed)
    side = _SPRITE * 2
    cover, shade = np.zeros((side, side), np.uint8), np.zeros((side, side), np.uint8)
    foot = 1.0 if bare_trunk else 0.97
    cv2.line(cover, (side // 2, int(side * 0.5)), (side // 2, int(side * foot)), (255,), side // 26)
    cv2.line(shade, (side // 2, int(side * 0.5)), (side // 2, int(side * foot)), (38,), side // 26)
    middle, reach = 0.42 + 0.05 * source.random(), 0.30 + 0.10 * source.random()
    boughs = [(0.0, 0.0, 1.0)] + [
        (math.cos(turn) * 0.72, math.sin(turn) * 0.55, 0.55 + 0.25 * source.random())
        for turn in source.uniform(0, 2 * math.pi, 6).tolist()
    ]
    toward = 1.0 if from_right else -1.0
    for front in np.linspace(0.0, 1.0, 340).tolist():
        bough = boughs[int(source.integers(len(boughs)))]
        turn, out = source.uniform(0, 2 * math.pi), math.sqrt(source.random()) * bough[2] * 0.62
        x, y = bough[0] + math.cos(turn) * out, bough[1] + math.sin(turn) * out * 0.85
        if y > 0.75:
            continue
        light = 0.46 + 0.30 * (x * toward * 0.75 - y) + 0.20 * front + 0.14 * (source.random() - 0.5)
        centre = (int(side * (0.5 + x * reach)), int(side * (middle + y * reach)))
        size = max(2, int(side * source.uniform(0.016, 0.038)))
        cv2.circle(cover, centre, size, (255,), -1, cv2.LINE_AA)
        cv2.circle(shade, centre, size, (int(255 * min(1.0, max(0.12, light))),), -1, cv2.LINE_AA)
    shaded = shrink(shade.astype(np.float32), _SPRITE, _SPRITE) * (2.2 / 255.0)
    return Sprite(shaded, shrink(cover.astype(np.float32), _SPRITE, _SPRITE) * (1.0 / 255.0))


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
