"""Land in perspective: for every pixel the place on the map that it shows, coloured, hazed by distance."""

import math

import cv2
import numpy as np
import numpy.typing as npt

from mutoscope.studio.scene.ground import Ground, survey
from mutoscope.studio.scene.heights import SIZE
from mutoscope.studio.scene.noise import tile
from mutoscope.studio.scene.raster import (
    Floats,
    bands,
    blend,
    clip,
    columns,
    floats,
    rows_of,
    sample,
    sample_tile,
    smoothstep,
)
from mutoscope.studio.scene.road import lay_furrows, lay_road
from mutoscope.studio.scene.stage import Stage
from mutoscope.studio.scene.trees import plant_trees
from mutoscope.studio.scene.view import View, depth_of, distances, look, soften_edges, tangents
from mutoscope.studio.scene.water import mirror

_HAZE = {"overcast": 1.3, "storm": 1.5}
_PLACE_HAZE = {"mountains": 1.0, "hills": 0.72, "desert": 0.62}
_EYE = {"mountains": 15.0, "hills": 27.0, "desert": 13.0}
# wavelength in map units and strength of the relief that the map is too coarse for
_DETAIL = {
    "mountains": ((6.0, 0.45), (1.7, 0.7), (0.45, 0.8)),
    "hills": ((3.0, 0.45), (0.7, 0.8), (0.18, 0.9)),
    "desert": ((1.0, 0.10),),
}


def paint_terrain(canvas: Floats, stage: Stage) -> Floats:
    """Paint the land over the sky and return its depth, 0 far to 1 near."""
    ground = survey(stage)
    view = look(ground.heights, _eye(ground, stage), stage)
    near = np.zeros(canvas.shape[:2], np.float32)
    wet = np.zeros(canvas.shape[:2], np.bool_)
    detail = _Detail(stage, ground.sunward)
    top = max(0, math.floor(float(view.crest[-1].min())))
    for band in bands(top, stage.height, stage.width):
        _paint_band(canvas, near, wet, ground, view, detail, stage, band)
    soften_edges(canvas, near, view)
    bare = near.copy()
    plant_trees(canvas, near, stage, ground, eye=view.eye, depth_of=depth_of)
    if ground.water is not None:
        wet &= near == bare  # a tree on the near shore stands before the water
        mirror(canvas, stage, wet, eye=view.eye - ground.water)
    return near


def _eye(ground: Ground, stage: Stage) -> float:
    middle = SIZE // 2
    eye = float(ground.heights[:60, middle - 40 : middle + 40].max()) + _EYE[stage.place]
    if stage.wish.has("aerial"):
        return eye + 60.0
    return eye + 10.0 if stage.wish.has("river") else eye  # bends are seen from above only


class _Detail:
    """Small relief under the resolution of the map, faded out where it would be finer than the pixels."""

    def __init__(self, stage: Stage, sunward: tuple[float, float]) -> None:
        size = 512
        bumps = tile(size, 32, 5, stage.seed + 44, 0.6)
        if stage.place == "desert":
            bumps = _ripples(stage, size)
        shift_x, shift_y = round(2 * sunward[0]), round(2 * sunward[1])
        lean = bumps - np.roll(bumps, (-shift_y, -shift_x), axis=(0, 1))
        self.tile: Floats = floats(np.stack([bumps - 0.5, lean], 2))
        self.layers: tuple[tuple[float, float], ...] = _DETAIL[stage.place]
        self.cell: float = size / 32  # tile pixels of one bump
        self.focal: float = stage.focal

    def shade(self, across: Floats, distance: Floats, height: Floats) -> Floats:
        """What the colour at these places is multiplied with."""
        along = distance + height * 1.3  # else the relief would be drawn out on steep faces
        shade = np.ones_like(distance)
        for wavelength, strength in self.layers:
            seen = clip((wavelength * self.focal / distance - 3.0) * (1.0 / 9.0), 0.0, 1.0)
            scale = self.cell / wavelength
            read = sample_tile(self.tile, across * scale, along * scale)
            shade += (read[..., 0] * 0.9 + read[..., 1] * 2.2) * (strength * seen)
        return clip(shade, 0.25, 1.9)


def _ripples(stage: Stage, size: int) -> Floats:
    """Wind ripples in sand: bent parallel waves that fit the tile's edges."""
    y = rows_of(slice(0, size)) * (2.0 * math.pi / size)
    x = columns(size) * (2.0 * math.pi / size)
    bend = tile(size, 8, 4, stage.seed + 45) * 9.0
    return floats(np.sin(y * 32.0 + x * 9.0 + bend)) * 0.5 + 0.5


def _paint_band(
    canvas: Floats,
    near: Floats,
    wet: npt.NDArray[np.bool_],
    ground: Ground,
    view: View,
    detail: _Detail,
    stage: Stage,
    band: slice,
) -> None:
    rows = rows_of(band)
    distance = distances(view, band, rows)
    hit = view.first[band] < len(view.slices)
    across = SIZE / 2 + distance * tangents(stage)
    paint = sample(ground.lit, across, distance, cv2.BORDER_REFLECT)
    if stage.wish.has("furrows") and stage.place == "hills":
        lay_furrows(paint, stage, ground, across, distance)
    if ground.road is not None:
        lay_road(paint, stage, ground, across, distance)
    height = view.eye + (stage.horizon - rows) * distance * (1.0 / stage.focal)
    paint *= detail.shade(across, distance, height)[..., None]
    blend(paint, _haze_colour(stage), _haze(stage, ground, distance, height))
    if ground.water is not None:
        wet[band] = hit & (np.abs(height - ground.water) < 0.30 + distance * 0.0014)
    # the fraction of a pixel above the skyline stays sky
    blend(canvas[band], paint, clip(rows + 1.0 - view.crest[-1], 0.0, 1.0))
    near[band] = np.where(hit, depth_of(distance), 0.0)


def _haze(stage: Stage, ground: Ground, distance: Floats, height: Floats) -> Floats:
    """How much of the haze's colour lies over the land: air by distance, mist in the low places."""
    thick = _HAZE.get(stage.clouds, 1.0) * _PLACE_HAZE[stage.place]
    if stage.wish.has("fog"):
        thick = max(thick, 1.0) * 2.3
    elif stage.wish.has("rain", "snowfall"):
        thick *= 1.5
    if "fog" in stage.wish.excluded:
        thick *= 0.55
    air = 1.0 - floats(np.exp(-((np.maximum(distance - 90.0, 0.0) * (1.0 / 740.0)) ** 1.5) * thick))
    level = ground.water if ground.water is not None else 6.0
    mist = floats(np.exp(-np.clip(height - level, 0.0, 400.0) * (1.0 / 30.0)))
    mist = mist * smoothstep(160.0, 520.0, distance) * (0.34 * thick)
    return clip(air + mist * (1.0 - air), 0.0, 0.985)


def _haze_colour(stage: Stage) -> Floats:
    """The haze glows towards the sun and takes the sky's colour away from it."""
    toward = floats(np.exp(-np.abs(columns(stage.width) - stage.sun[0]) * (1.0 / (stage.width * 0.34))))[..., None]
    return stage.light("haze") * (0.30 + 0.74 * toward) + stage.light("ambient") * (0.88 * (1.0 - toward))
