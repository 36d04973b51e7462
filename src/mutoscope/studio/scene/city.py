"""A skyline over water: layers of towers, lit windows after dark."""

from dataclasses import dataclass

import cv2
import numpy as np

from mutoscope.studio.scene.noise import fbm
from mutoscope.studio.scene.raster import Floats, bands, blend, blur, clip, colour, floats, mix, resize, rows_of, shrink
from mutoscope.studio.scene.stage import Stage
from mutoscope.studio.scene.water import sea

_LAYERS = 5
_LAMPS = ((1.0, 0.80, 0.48), (0.85, 0.92, 1.0), (1.0, 0.66, 0.34))
_NEON_LAMPS = ((1.0, 0.20, 0.70), (0.20, 0.90, 1.0), (1.0, 0.75, 0.30))


@dataclass(frozen=True, slots=True)
class Tower:
    """One building of a layer, in pixels, and the chance that shapes its details."""

    left: int
    right: int
    top: int
    bottom: int
    drawn: list[float]


def paint_city(canvas: Floats, stage: Stage) -> Floats:
    """Paint towers and the water before them over the sky and return their depth."""
    near = np.zeros(canvas.shape[:2], np.float32)
    street = min(stage.height, max(1, int(stage.horizon)))
    if stage.wish.has("ridges"):
        _paint_ridge(canvas, near, stage, street)
    lamps = np.zeros_like(canvas[:street])
    for layer in range(_LAYERS):
        close = layer / (_LAYERS - 1)
        for tower in _towers(stage, street, close, layer):
            _paint_tower(canvas, near, lamps, stage, tower, close)
        _mist(canvas, stage, street, close)
    canvas[:street] += lamps
    _glow(canvas[:street], lamps, stage)
    sea(canvas, stage, rough=0.5 if stage.wish.has("calm") else 0.6, eye=2.2)
    rows = rows_of(slice(street, stage.height))
    near[street:] = 0.70 + 0.30 * (rows - street) * (1.0 / max(1, stage.height - street))
    return near


def _paint_ridge(canvas: Floats, near: Floats, stage: Stage, street: int) -> None:
    line = fbm(4, stage.width, 1, 3.0, 7, stage.seed + 33)[1]
    crest = stage.horizon - stage.height * (0.10 + 0.34 * clip(line - 0.2, 0.0, 1.0))
    cover = clip(rows_of(slice(0, street)) - crest[None], 0.0, 1.0)
    blend(canvas[:street], stage.light("haze") * 0.62 + stage.light("ambient") * 0.2, cover)
    near[:street] = np.where(cover > 0.5, 0.08, near[:street])


def _towers(stage: Stage, street: int, close: float, layer: int) -> list[Tower]:
    """The towers of a layer from left to right; the tallest stand around a centre that the seed chooses."""
    source = stage.chance(77 * (layer + 1))
    centre = 0.5 + 0.16 * float(stage.chance(76).uniform(-1, 1))
    size = min(stage.width, stage.unit * 1.33) * stage.zoom
    left, towers = -int(size * 0.02), list[Tower]()
    while left < stage.width:
        drawn = [float(v) for v in source.random(9)]
        wide = max(3, int(size * (0.018 + 0.032 * drawn[0]) * (1.0 + 0.4 * close)))
        hill = float(np.exp(-(((left / stage.width - centre - (drawn[7] - 0.5) * 0.25) / 0.34) ** 2)))
        tall = (0.06 + 0.46 * drawn[1] ** 1.6 * (1.0 - 0.50 * close)) * (0.30 + 0.70 * hill)
        right = min(stage.width, left + wide)
        if right - max(0, left) > 2:
            top = max(0, int(street - min(stage.height, stage.unit) * tall * stage.zoom))
            towers.append(Tower(max(0, left), right, min(top, street - 2), street, drawn))
        left += max(2, int(wide * (0.80 + 0.35 * drawn[2])))
    return towers


def _paint_tower(canvas: Floats, near: Floats, lamps: Floats, stage: Stage, tower: Tower, close: float) -> None:
    tone = _wall(stage, close, tower.drawn[8])
    steps = _silhouette(tower)
    for left, right, top in steps:
        rows, cols = slice(top, tower.bottom), slice(left, right)
        fall = np.linspace(1.12, 0.78, tower.bottom - top, dtype=np.float32)[:, None, None]
        canvas[rows, cols] = tone * fall
        side = left + max(1, int((right - left) * (0.24 + 0.12 * tower.drawn[2])))
        shaded = slice(left, side) if stage.sun[0] > stage.width / 2 else slice(side, right)
        canvas[rows, shaded] *= 0.74
        near[rows, cols] = 0.2 + 0.5 * close
        lamps[rows, cols] = 0.0
    if tower.drawn[3] > 0.66:
        _paint_mast(canvas, stage, steps[-1], tone, tower.drawn[4])
    for left, right, top in steps if close > 0.1 else []:
        _paint_windows(canvas, lamps, stage, (left, right, top, tower.bottom), tower, close)


def _silhouette(tower: Tower) -> list[tuple[int, int, int]]:
    """(left, right, top) of the parts of a tower: many narrow towards the top."""
    wide, high = tower.right - tower.left, tower.bottom - tower.top
    if tower.drawn[4] < 0.5 or wide < 10 or high < 2 * wide:
        return [(tower.left, tower.right, tower.top)]
    inset = int(wide * (0.12 + 0.12 * tower.drawn[5]))
    shoulder = tower.top + int(high * (0.12 + 0.25 * tower.drawn[6]))
    return [(tower.left, tower.right, shoulder), (tower.left + inset, tower.right - inset, tower.top)]


def _wall(stage: Stage, close: float, drawn: float) -> Floats:
    haze = stage.light("haze")
    if stage.dark:
        far, wall = haze * 0.50, colour(0.030, 0.036, 0.058)
    elif stage.time in ("sunset", "dawn"):
        far, wall = haze * 0.74, stage.light("ambient") * 0.22 + colour(0.02, 0.02, 0.03)
    else:
        far = haze * 0.80
        wall = mix(colour(0.20, 0.24, 0.30), colour(0.44, 0.40, 0.36), drawn) * (0.45 + 0.55 * stage.palette.direct)
    return mix(far, wall, close**0.8)


def _paint_mast(canvas: Floats, stage: Stage, part: tuple[int, int, int], tone: Floats, drawn: float) -> None:
    left, right, top = part
    column, wide = (left + right) // 2, max(1, round(stage.unit / 1400))
    high = int(min(stage.height, stage.unit) * (0.02 + 0.05 * drawn))
    canvas[max(0, top - high) : top, column : column + wide] = tone


def _paint_windows(
    canvas: Floats,
    lamps: Floats,
    stage: Stage,
    box: tuple[int, int, int, int],
    tower: Tower,
    close: float,
) -> None:
    """Lit panes while lamps burn, else panes that are a little darker than the wall."""
    low_sun = stage.time in ("sunset", "dawn")
    share = (0.50 if tower.drawn[5] > 0.3 else 0.16) if stage.dark else (0.14 if low_sun else 0.92)
    panes = _panes(stage, box, tower, share)
    if panes is None:
        return
    place = np.s_[box[2] : box[2] + panes.shape[0], box[0] : box[0] + panes.shape[1]]
    if not stage.dark and not low_sun:
        canvas[place] *= (1.0 - panes * (0.24 * close))[..., None]
        return
    palette = _NEON_LAMPS if stage.wish.styled("neon") else _LAMPS
    lamps[place] = panes[..., None] * colour(*palette[int(tower.drawn[6] * len(palette))]) * (0.30 + 0.62 * close)


def _panes(stage: Stage, box: tuple[int, int, int, int], tower: Tower, share: float) -> Floats | None:
    """How strongly every pixel of a wall is a window, or None where the wall is too small for any."""
    left, right, top, bottom = box
    wide, high = max(3, round(stage.unit * 0.0034)), max(4, round(stage.unit * 0.0064))
    down, across = (bottom - top) // high, (right - left) // wide
    if down < 2 or across < 2:
        return None
    source = stage.chance(9000 + tower.left * 31 + tower.top)
    # whole floors are lit or dark more often than single windows
    floors = source.random((down, 1)) < 0.85
    lit = (source.random((down, across)) < share) & floors
    strength = (lit * (source.random((down, across)) * 0.8 + 0.35)).astype(np.float32)
    pane = np.zeros((high, wide), np.float32)
    pane[high // 4 : -max(1, high // 4), max(1, wide // 4) :] = 1.0
    return floats(np.kron(strength, pane))


def _mist(canvas: Floats, stage: Stage, street: int, close: float) -> None:
    """Haze between this layer and the next, thickest at the water."""
    reach = stage.height * (0.20 if stage.wish.has("fog") else 0.08)
    thick = (1.0 - close) * (0.8 if stage.wish.has("fog") else 0.42)
    for band in bands(0, street, stage.width):
        fade = floats(np.exp(-(street - rows_of(band)) * (1.0 / reach))) * thick
        blend(canvas[band], stage.light("haze") * 0.9, floats(np.broadcast_to(fade, canvas[band].shape[:2])))


def _glow(canvas: Floats, lamps: Floats, stage: Stage) -> None:
    """The air around lamps shines; computed at a quarter of the size, where it is as smooth."""
    height, width = lamps.shape[:2]
    small = blur(shrink(lamps, width // 4, height // 4), stage.unit / 640.0)
    canvas += resize(small, width, height, cv2.INTER_LINEAR) * 0.55
