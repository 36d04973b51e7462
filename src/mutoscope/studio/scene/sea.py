"""The open sea: an island or a mountain coast far off, waves, foam in a storm, sand where a beach was asked for."""

import numpy as np

from mutoscope.studio.scene.noise import fbm, tile
from mutoscope.studio.scene.raster import (
    Floats,
    bands,
    blend,
    clip,
    colour,
    columns,
    floats,
    mix,
    rows_of,
    sample_tile,
    smoothstep,
)
from mutoscope.studio.scene.stage import Stage
from mutoscope.studio.scene.swell import paint_swell
from mutoscope.studio.scene.water import Waves, sea

_EYE = 3.0


def paint_sea(canvas: Floats, stage: Stage) -> Floats:
    """Paint sea and coast over the sky and return their depth."""
    if stage.clouds == "storm" and not stage.wish.has("beach", "calm"):
        return paint_swell(canvas, stage)
    near = np.zeros(canvas.shape[:2], np.float32)
    if stage.wish.has("ridges", "cliffs"):
        _paint_coast(canvas, near, stage, wide=0.9, high=0.30, salt=8, tone=0.60)
        _paint_coast(canvas, near, stage, wide=0.5, high=0.20, salt=9, tone=0.42)
    elif stage.wish.has("island") or stage.chance(6).random() < 0.6:
        high = 0.17 if stage.wish.has("island") else 0.10
        _paint_coast(canvas, near, stage, wide=0.20, high=high, salt=7, tone=0.50)
    rough = _roughness(stage)
    sea(canvas, stage, rough=rough, eye=_EYE)
    if rough > 2:
        _paint_foam(canvas, stage, rough)
    _haze_horizon(canvas, stage)
    rows = rows_of(slice(0, stage.height))
    water = clip((rows - stage.horizon) * (0.9 / max(1.0, stage.height - stage.horizon)) + 0.1, 0.0, 1.0)
    near[:] = np.where(rows > stage.horizon, water, near)
    if stage.wish.has("beach"):
        _paint_beach(canvas, stage)
    return near


def _roughness(stage: Stage) -> float:
    if stage.wish.has("waves") or stage.clouds == "storm":
        return 2.6
    return 0.5 if stage.wish.has("calm") else 1.25


def _paint_coast(
    canvas: Floats, near: Floats, stage: Stage, *, wide: float, high: float, salt: int, tone: float
) -> None:
    """A far silhouette on the horizon, on the side away from the sun."""
    middle = 0.20 if stage.sun[0] > stage.width / 2 else 0.80
    line = fbm(4, stage.width, 1, 4.0, 7, stage.seed + salt, 0.52)[1]
    x = columns(stage.width)[0] * (1.0 / stage.width)
    hump = floats(np.exp(-(((x - middle) / wide) ** 2)))
    rise = clip(line - 0.20, 0.0, 1.0) * hump - 0.03
    crest = stage.horizon - rise * stage.height * high * 1.6
    top = max(0, int(crest.min()))
    rows = slice(top, max(top + 1, min(stage.height, int(stage.horizon) + 1)))
    cover = clip(rows_of(rows) + 0.5 - crest[None], 0.0, 1.0)
    down = clip((rows_of(rows) - crest[None]) * (1.0 / (stage.height * high)), 0.0, 1.0)[..., None]
    rock = stage.light("haze") * tone + stage.light("ambient") * 0.16
    blend(canvas[rows], mix(rock * 0.86, rock * 1.12, down), cover)
    near[rows] = np.where(cover > 0.5, 0.10, near[rows])


def _haze_horizon(canvas: Floats, stage: Stage) -> None:
    """The line between sea and sky is never sharp."""
    depth = max(1.0, stage.height - stage.horizon)
    thick = 0.75 if stage.wish.has("fog") else 0.42
    reach = 0.30 if stage.wish.has("fog") else 0.05
    for band in bands(max(0, int(stage.horizon)), stage.height, stage.width):
        fade = floats(np.exp(-(rows_of(band) - stage.horizon) * (1.0 / (depth * reach)))) * thick
        blend(canvas[band], stage.light("haze") * 0.86, floats(np.broadcast_to(fade, canvas[band].shape[:2])))


def _paint_foam(canvas: Floats, stage: Stage, rough: float) -> None:
    """White on the crests."""
    waves = Waves(stage, eye=_EYE, rough=rough)
    grain = tile(512, 64, 4, stage.seed + 83)
    white = stage.light("haze") * 0.45 + colour(0.22, 0.24, 0.26) * (0.3 if stage.dark else 1.0)
    for band in bands(max(0, int(stage.horizon) + 1), stage.height, stage.width):
        lean, distance = waves.slope(rows_of(band))
        x = (columns(stage.width) - stage.width / 2) * distance * (26.0 / stage.focal)
        spray = sample_tile(grain, x, floats(np.broadcast_to(distance * 40.0, x.shape)))
        crest = smoothstep(0.14, 0.30, lean) * smoothstep(0.44, 0.60, spray)
        blend(canvas[band], white, crest * 0.8)


def _paint_beach(canvas: Floats, stage: Stage) -> None:
    """Sand at the viewer's feet, wet and mirroring where the last wave ran out, with its edge of foam."""
    line = fbm(4, stage.width, 1, 2.2, 5, stage.seed + 90)[1]
    slope = columns(stage.width)[0] * (1.0 / stage.width) - 0.5
    lean = 0.10 if stage.sun[0] > stage.width / 2 else -0.10
    edge = floats(stage.height * (0.865 + lean * slope + 0.06 * (line - 0.5)))
    top = max(0, int(edge.min() - stage.height * 0.03))
    grain = fbm(stage.height - top, stage.width, 60.0, 220.0, 3, stage.seed + 91)
    for band in bands(top, stage.height, stage.width):
        below = (rows_of(band) - edge[None]) * (1.0 / stage.height)
        dry = smoothstep(0.015, 0.075, below)
        sand = colour(0.80, 0.66, 0.48) * (stage.light("ambient") * 0.95 + stage.light("sun") * 0.42)
        sand = sand * (0.86 + 0.28 * grain[band.start - top : band.stop - top])[..., None]
        wet = mix(sand * 0.5, canvas[band], 0.45)
        blend(canvas[band], mix(wet, sand, dry[..., None]), smoothstep(-0.002, 0.004, below))
        foam = floats(np.exp(-((below * (1.0 / 0.006)) ** 2))) * (
            0.35 + 0.65 * grain[band.start - top : band.stop - top]
        )
        blend(canvas[band], stage.light("haze") * 0.5 + 0.38 * stage.light("sun"), clip(foam, 0.0, 0.9))
