"""A forest: conifers seen from outside, row behind row in the haze; broad-leaved woods from inside (grove)."""

import numpy as np

from mutoscope.studio.scene.grove import paint_grove
from mutoscope.studio.scene.noise import fbm
from mutoscope.studio.scene.raster import Floats, blend, clip, colour, columns, floats, mix, rows_of
from mutoscope.studio.scene.stage import Stage
from mutoscope.studio.scene.trees import pine_row

_ROWS = 7


def paint_forest(canvas: Floats, stage: Stage) -> Floats:
    """Paint the forest over the sky and return its depth: conifers from outside, broad-leaved trees from inside."""
    if _is_grove(stage):
        return paint_grove(canvas, stage)
    near = np.zeros(canvas.shape[:2], np.float32)
    for row in range(_ROWS):
        _paint_row(canvas, near, stage, row / (_ROWS - 1), row)
    return near


def _is_grove(stage: Stage) -> bool:
    wish = stage.wish
    if wish.has("path"):
        return True
    if wish.has("conifers"):
        return False
    return wish.has("leafy", "autumn", "spring", "summer", "blossom", "flowers") or not (
        wish.has("fog") or stage.frosty or stage.dark
    )


def _paint_row(canvas: Floats, near: Floats, stage: Stage, close: float, row: int) -> None:
    """close is 0 for the farthest row and 1 for the nearest."""
    line = fbm(4, stage.width, 1, 1.6 + 1.2 * row, 5, stage.seed + 31 * row)[1]
    ground = floats(stage.height * (0.49 + 0.47 * close) - (line - 0.5) * stage.height * (0.26 - 0.10 * close))
    tall = min(stage.height, stage.unit) * (0.060 + 0.44 * close**1.5) * stage.zoom
    count = max(7, int((230 * (1.0 - close) + 16) * stage.width / (1.33 * stage.unit)))
    cover, rows = pine_row(stage, ground + stage.height * 0.02, count, (tall * 0.42, tall), 100 + row)
    cover = floats(np.maximum(cover, clip(rows_of(rows) - ground[None], 0.0, 1.0)))
    blend(canvas[rows], _tone(stage, close, rows_of(rows), ground), cover)
    near[rows] = np.where(cover > 0.5, 0.15 + 0.8 * close, near[rows])


def _tone(stage: Stage, close: float, rows: Floats, ground: Floats) -> Floats:
    """The row's colour with mist at its feet, warmer towards the sun."""
    haze = stage.light("haze")
    leaf = colour(0.008, 0.018, 0.012)
    if stage.wish.has("autumn"):
        leaf = colour(0.16, 0.065, 0.015)
    elif stage.time == "day" and not stage.wish.has("fog"):
        leaf = colour(0.030, 0.060, 0.026)
    named = stage.wish.tint("ground")
    if named is not None:
        leaf = colour(*named) * 0.16
    if stage.frosty:
        leaf = leaf + colour(0.10, 0.11, 0.13)
    tone = mix(haze * 0.76, stage.light("ambient") * 0.16 + leaf, close**0.62)
    thick = 0.75 if stage.wish.has("fog") else 0.5
    mist = floats(np.exp(-np.abs(rows - ground - stage.height * 0.05) * (1.0 / (stage.height * 0.11))))
    mist = mist * ((1.0 - close) * thick)
    toward = floats(np.exp(-np.abs(columns(stage.width) - stage.sun[0]) * (1.0 / (stage.width * 0.30))))
    glow = toward[..., None] * stage.light("sun") * (0.24 * (1.0 - close) * stage.palette.direct)
    return tone + (haze * 0.9 - tone) * mist[..., None] + glow
