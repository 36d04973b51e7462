"""Land in perspective: for every pixel the place on the map that it shows, coloured, hazed by distance.

The view is cut into slices of growing distance. Where a slice stands higher on the screen than everything before
it, its pixels are seen; counting those steps column by column finds the slice of every pixel without a loop over
pixels (the "voxel space" of old flight games, with arrays).
"""

import math
from dataclasses import dataclass

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
    mix,
    rows_of,
    sample,
    sample_tile,
    smoothstep,
)
from mutoscope.studio.scene.road import lay_furrows, lay_road
from mutoscope.studio.scene.stage import Stage
from mutoscope.studio.scene.trees import plant_trees
from mutoscope.studio.scene.water import mirror

NEAREST, FARTHEST = 8.0, SIZE * 0.93  # distances that are seen, in map units
_CLOSE = 19.0  # the distance that counts as nearest in the depth
_HAZE = {"overcast": 1.3, "storm": 1.5}
_PLACE_HAZE = {"mountains": 1.0, "hills": 0.72, "desert": 0.62}
_EYE = {"mountains": 15.0, "hills": 21.0, "desert": 13.0}
# wavelength in map units and strength of the relief that the map is too coarse for
_DETAIL = {
    "mountains": ((6.0, 0.45), (1.7, 0.7), (0.45, 0.8)),
    "hills": ((3.0, 0.45), (0.7, 0.8), (0.18, 0.9)),
    "desert": ((1.0, 0.10),),
}


@dataclass(frozen=True, slots=True)
class View:
    """The map as the viewer sees it."""

    ground: Ground
    eye: float  # height of the eye in map units
    slices: Floats  # distance of every slice
    crest: Floats  # (slices, width): highest screen row reached up to this slice
    first: npt.NDArray[
        np.int16
    ]  # (height, width): the slice that a pixel shows; the number of slices where it shows none


def paint_terrain(canvas: Floats, stage: Stage) -> Floats:
    """Paint the land over the sky and return its depth, 0 far to 1 near."""
    view = _look(survey(stage), stage)
    near = np.zeros(canvas.shape[:2], np.float32)
    wet = np.zeros(canvas.shape[:2], np.bool_)
    detail = _Detail(stage, view.ground.sunward)
    top = max(0, math.floor(float(view.crest[-1].min())))
    for band in bands(top, stage.height, stage.width):
        _paint_band(canvas, near, wet, view, detail, stage, band)
    _soften_edges(canvas, near, view)
    bare = near.copy()
    plant_trees(canvas, near, stage, view.ground, eye=view.eye, depth_of=depth_of)
    if view.ground.water is not None:
        wet &= near == bare  # a tree on the near shore stands before the water
        mirror(canvas, stage, wet, eye=view.eye - view.ground.water)
    return near


def depth_of(distance: Floats) -> Floats:
    """Distance in map units as depth: 1 at the viewer's feet, falling with the logarithm, above 0 at the farthest."""
    scale = 0.92 / math.log(FARTHEST / _CLOSE)
    return 1.0 - floats(np.log(np.maximum(distance, _CLOSE) * (1.0 / _CLOSE))) * scale


def _look(ground: Ground, stage: Stage) -> View:
    middle = SIZE // 2
    eye = float(ground.heights[:60, middle - 40 : middle + 40].max()) + _EYE[stage.place]
    if stage.wish.has("aerial"):
        eye += 60.0
    elif stage.wish.has("river"):
        eye += 10.0  # bends are seen from above only
    slices = _slices()
    across = middle + slices[:, None] * _tangents(stage)
    height = sample(ground.heights, across, slices[:, None], cv2.BORDER_REFLECT)
    screen = stage.horizon + (eye - height) * stage.focal / slices[:, None]
    crest = floats(np.minimum.accumulate(screen, axis=0))
    return View(ground, eye, slices, crest, _first_slices(crest, stage.height))


def _slices() -> Floats:
    """Distances that grow by a fixed share, and from where that would skip over crests, by a fixed step."""
    share, step = 0.0125, 1.0
    turn = step / share
    grown = np.geomspace(NEAREST, turn, round(math.log(turn / NEAREST) / share), endpoint=False)
    return floats(np.concatenate([grown, np.arange(turn, FARTHEST, step)]).astype(np.float32))


def _tangents(stage: Stage) -> Floats:
    return (columns(stage.width) - stage.width / 2) * (1.0 / stage.focal)


def _first_slices(crest: Floats, height: int) -> npt.NDArray[np.int16]:
    """For every pixel how many slices stay below it, in blocks of columns to bound the counters' memory."""
    width = crest.shape[1]
    first = np.empty((height, width), np.int16)
    for left in range(0, width, 256):
        part = np.clip(np.ceil(crest[:, left : left + 256]), 0, height).astype(np.int64)
        wide = part.shape[1]
        places = part * wide + np.arange(wide)
        steps = np.bincount(places.ravel(), minlength=(height + 1) * wide).reshape(height + 1, wide)
        first[:, left : left + wide] = np.cumsum(steps[::-1], axis=0)[::-1][1:]
    return first


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
    view: View,
    detail: _Detail,
    stage: Stage,
    band: slice,
) -> None:
    rows = rows_of(band)
    distance = _distances(view, band, rows)
    hit = view.first[band] < len(view.slices)
    across = SIZE / 2 + distance * _tangents(stage)
    paint = sample(view.ground.lit, across, distance, cv2.BORDER_REFLECT)
    if stage.wish.has("furrows") and stage.place == "hills":
        lay_furrows(paint, stage, view.ground, across, distance)
    if view.ground.road is not None:
        lay_road(paint, stage, view.ground, across, distance)
    height = view.eye + (stage.horizon - rows) * distance * (1.0 / stage.focal)
    paint *= detail.shade(across, distance, height)[..., None]
    blend(paint, _haze_colour(stage), _haze(stage, view, distance, height))
    if view.ground.water is not None:
        wet[band] = hit & (np.abs(height - view.ground.water) < 0.30 + distance * 0.0014)
    # the fraction of a pixel above the skyline stays sky
    blend(canvas[band], paint, clip(rows + 1.0 - view.crest[-1], 0.0, 1.0))
    near[band] = np.where(hit, depth_of(distance), 0.0)


def _distances(view: View, band: slice, rows: Floats) -> Floats:
    """The distance that every pixel of the band shows, between the slice before and the slice that covers it."""
    first = np.clip(view.first[band], 1, len(view.slices) - 1)
    upper = np.take_along_axis(view.crest, first.astype(np.int64), axis=0)
    lower = np.take_along_axis(view.crest, first.astype(np.int64) - 1, axis=0)
    share = clip((lower - rows) / np.maximum(lower - upper, np.float32(1e-3)), 0.0, 1.0)
    before = view.slices[first - 1]
    return before + (view.slices[first] - before) * share


def _soften_edges(canvas: Floats, near: Floats, view: View) -> None:
    """Where near land stands before far land, give the pixel above the edge the share that the near land has of it."""
    rows, cols = np.nonzero((near[1:] - near[:-1] > 0.02) & (near[:-1] > 0))
    first = np.clip(view.first[rows + 1, cols], 0, len(view.slices) - 1)
    share = clip(floats(rows + np.float32(1.0)) - view.crest[first, cols], 0.0, 1.0)
    canvas[rows, cols] = mix(canvas[rows, cols], canvas[rows + 1, cols], share.astype(np.float32)[:, None])


def _haze(stage: Stage, view: View, distance: Floats, height: Floats) -> Floats:
    """How much of the haze's colour lies over the land: air by distance, mist in the low places."""
    thick = _HAZE.get(stage.clouds, 1.0) * _PLACE_HAZE[stage.place]
    if stage.wish.has("fog"):
        thick = max(thick, 1.0) * 2.3
    elif stage.wish.has("rain", "snowfall"):
        thick *= 1.5
    if "fog" in stage.wish.excluded:
        thick *= 0.55
    air = 1.0 - floats(np.exp(-((np.maximum(distance - 90.0, 0.0) * (1.0 / 740.0)) ** 1.5) * thick))
    level = view.ground.water if view.ground.water is not None else 6.0
    mist = floats(np.exp(-np.clip(height - level, 0.0, 400.0) * (1.0 / 30.0)))
    mist = mist * smoothstep(160.0, 520.0, distance) * (0.34 * thick)
    return clip(air + mist * (1.0 - air), 0.0, 0.985)


def _haze_colour(stage: Stage) -> Floats:
    """The haze glows towards the sun and takes the sky's colour away from it."""
    toward = floats(np.exp(-np.abs(columns(stage.width) - stage.sun[0]) * (1.0 / (stage.width * 0.34))))[..., None]
    return stage.light("haze") * (0.30 + 0.74 * toward) + stage.light("ambient") * (0.88 * (1.0 - toward))
