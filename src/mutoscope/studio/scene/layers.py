"""The minimal manner: land as a few flat sheets of one colour each, one behind the other, under a plain sky."""

import math

import cv2
import numpy as np

from mutoscope.studio.scene.noise import fbm
from mutoscope.studio.scene.raster import Floats, bands, blend, clip, colour, columns, floats, mix, rows_of, smoothstep
from mutoscope.studio.scene.stage import Stage
from mutoscope.studio.scene.trees import pine_row

_SHEETS = 6
# place → how many humps a sheet has, how much finer detail counts, how high the sheets reach
_SHAPES = {
    "mountains": (3.4, 0.46, 0.34),
    "hills": (2.2, 0.16, 0.38),
    "desert": (2.4, 0.10, 0.34),
    "forest": (2.4, 0.25, 0.26),
}
LAYERED = frozenset(_SHAPES)


def paint_layers(canvas: Floats, stage: Stage) -> Floats:
    """Paint the sheets over the sky and return their depth."""
    near = np.zeros(canvas.shape[:2], np.float32)
    _paint_orb(canvas, stage)
    crests = [_crest(stage, sheet / (_SHEETS - 1), sheet) for sheet in range(_SHEETS)]
    for sheet, crest in enumerate(crests):
        close = sheet / (_SHEETS - 1)
        tone = _tone(stage, close)
        first = max(0, min(stage.height - 1, math.floor(float(crest.min()))))
        hidden = math.ceil(float(crests[sheet + 1].max())) + 1 if sheet + 1 < _SHEETS else stage.height
        for rows in bands(first, min(stage.height, max(first, hidden)), stage.width):
            cover = clip(rows_of(rows) + 0.5 - crest[None], 0.0, 1.0)
            down = clip((rows_of(rows) - crest[None]) * (1.0 / (stage.height * 0.30)), 0.0, 1.0)[..., None]
            blend(canvas[rows], tone + (stage.light("haze") * 0.80 - tone) * (down * 0.42 * (1.0 - close)), cover)
            near[rows] = np.where(cover > 0.5, 0.12 + 0.86 * close, near[rows])
        if _wooded(stage) and sheet >= 2:
            _paint_trees(canvas, near, stage, crest, close, tone)
    return near


def _wooded(stage: Stage) -> bool:
    return stage.place == "forest" or stage.wish.has("trees", "conifers")


def _paint_orb(canvas: Floats, stage: Stage) -> None:
    """One large disc: the sun, or at night the moon."""
    if {"sun", "moon"} & stage.wish.excluded:
        return
    radius = stage.unit * (0.085 if stage.time != "night" else 0.060)
    column = stage.sun[0]
    row = stage.sun[1] if 0.0 < stage.palette.altitude < 1.0 else stage.horizon - stage.height * 0.30
    row = max(row, radius * 1.3)
    tone = colour(0.95, 0.94, 0.88) if stage.time == "night" else stage.light("sun") * 0.75 + 0.75
    for band in bands(max(0, int(row - radius * 1.2)), min(stage.height, int(row + radius * 1.2) + 1), stage.width):
        out = floats(np.hypot(columns(stage.width) - column, rows_of(band) - row))
        blend(canvas[band], tone, smoothstep(radius + 1.0, radius - 1.0, out))


def _crest(stage: Stage, close: float, sheet: int) -> Floats:
    humps, rough, high = _SHAPES[stage.place]
    sharp = stage.place == "mountains"
    humps *= (1.0 + 0.5 * (1.0 - close)) / stage.zoom * stage.width / (1.33 * stage.unit)
    line = fbm(4, stage.width, 1, max(1.0, humps), 7 if sharp else 2, stage.seed + 900 + 7 * sheet, rough)[1]
    if sharp:
        line = 1.0 - floats(np.abs(line - 0.5)) * 2.4
    foot = stage.horizon + (stage.height - stage.horizon) * (-0.06 + 0.90 * close)
    reach = stage.height * high * (0.85 - 0.30 * close)
    crest = foot - (line - 0.35) * reach
    return floats(cv2.blur(crest[None], (3, 1)))[0] if stage.width > 8 else crest


def _tone(stage: Stage, close: float) -> Floats:
    haze = stage.light("haze")
    named = stage.wish.tint("ground")
    ground = {"desert": (0.34, 0.17, 0.09), "hills": (0.07, 0.15, 0.09), "forest": (0.03, 0.11, 0.10)}
    dark = colour(*named) * 0.30 if named is not None else colour(*ground.get(stage.place, (0.05, 0.09, 0.16)))
    if stage.wish.has("autumn"):
        dark = colour(0.30, 0.11, 0.04)
    if stage.wish.styled("pastel"):
        dark = dark * 1.1 + colour(0.30, 0.24, 0.36)
    dark = dark * (0.35 + 1.3 * float(stage.light("ambient").mean())) + stage.light("ambient") * 0.10
    return mix(haze * 0.88, dark, close**0.75)


def _paint_trees(canvas: Floats, near: Floats, stage: Stage, crest: Floats, close: float, tone: Floats) -> None:
    tall = min(stage.height, stage.unit) * (0.05 + 0.15 * close) * stage.zoom
    count = max(3, int((40 - 24 * close) * stage.width / (1.33 * stage.unit)))
    cover, rows = pine_row(stage, crest + stage.height * 0.01, count, (tall * 0.5, tall), 930 + int(10 * close))
    blend(canvas[rows], tone, cover)
    near[rows] = np.where(cover > 0.5, 0.12 + 0.86 * close, near[rows])
