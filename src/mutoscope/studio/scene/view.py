"""A height map in perspective: which place of the map every pixel shows.

The view is cut into slices of growing distance. Where a slice stands higher on the screen than everything before
it, its pixels are seen; counting those steps column by column finds the slice of every pixel without a loop over
pixels (the "voxel space" of old flight games, with arrays).
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from mutoscope.studio.scene.heights import SIZE
from mutoscope.studio.scene.raster import Floats, clip, columns, floats, mix, sample
from mutoscope.studio.scene.stage import Stage

NEAREST, FARTHEST = 8.0, SIZE * 0.93  # distances that are seen, in map units
_CLOSE = 19.0  # the distance that counts as nearest in the depth


@dataclass(frozen=True, slots=True)
class View:
    """The map as the viewer sees it."""

    eye: float  # height of the eye in map units
    slices: Floats  # distance of every slice
    crest: Floats  # (slices, width): highest screen row reached up to this slice
    # (height, width): the slice that a pixel shows; the number of slices where it shows none
    first: npt.NDArray[np.int16]


def look(heights: Floats, eye: float, stage: Stage) -> View:
    """See a map, SIZE × SIZE, from an eye over the middle of its first row."""
    slices = _slices()
    across = SIZE // 2 + slices[:, None] * tangents(stage)
    height = sample(heights, across, slices[:, None], cv2.BORDER_REFLECT)
    screen = stage.horizon + (eye - height) * stage.focal / slices[:, None]
    crest = floats(np.minimum.accumulate(screen, axis=0))
    return View(eye, slices, crest, _first_slices(crest, stage.height))


def depth_of(distance: Floats) -> Floats:
    """Distance in map units as depth: 1 at the viewer's feet, falling with the logarithm, above 0 at the farthest."""
    scale = 0.92 / math.log(FARTHEST / _CLOSE)
    return 1.0 - floats(np.log(np.maximum(distance, _CLOSE) * (1.0 / _CLOSE))) * scale


def tangents(stage: Stage) -> Floats:
    """How far across every column looks at one unit of distance."""
    return (columns(stage.width) - stage.width / 2) * (1.0 / stage.focal)


def distances(view: View, band: slice, rows: Floats) -> Floats:
    """The distance that every pixel of the band shows, between the slice before and the slice that covers it."""
    first = np.clip(view.first[band], 1, len(view.slices) - 1)
    upper = np.take_along_axis(view.crest, first.astype(np.int64), axis=0)
    lower = np.take_along_axis(view.crest, first.astype(np.int64) - 1, axis=0)
    share = clip((lower - rows) / np.maximum(lower - upper, np.float32(1e-3)), 0.0, 1.0)
    before = view.slices[first - 1]
    return before + (view.slices[first] - before) * share


def soften_edges(canvas: Floats, near: Floats, view: View) -> None:
    """Where near land stands before far land, give the pixel above the edge the share that the near land has of it."""
    rows, cols = np.nonzero((near[1:] - near[:-1] > 0.02) & (near[:-1] > 0))
    first = np.clip(view.first[rows + 1, cols], 0, len(view.slices) - 1)
    share = clip(floats(rows + np.float32(1.0)) - view.crest[first, cols], 0.0, 1.0)
    canvas[rows, cols] = mix(canvas[rows, cols], canvas[rows + 1, cols], share.astype(np.float32)[:, None])


def _slices() -> Floats:
    """Distances that grow by a fixed share, and from where that would skip over crests, by a fixed step."""
    share, step = 0.0125, 1.0
    turn = step / share
    grown = np.geomspace(NEAREST, turn, round(math.log(turn / NEAREST) / share), endpoint=False)
    return floats(np.concatenate([grown, np.arange(turn, FARTHEST, step)]).astype(np.float32))


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
