"""Near and far, guessed from one picture without trained weights: focus, salience, where things stand, sky.

A guess good enough for a few per cent of parallax. 0 is far, 1 is near.
"""

import cv2
import numpy as np

from mutoscope.studio.filters import blur, box, bump, guided, normal, reduced
from mutoscope.studio.planes import Bytes, Floats

WIDTH = 384  # depth is guessed on a picture of this width, or height where that is the longer side
SKY_DETAIL = 5.0  # steps of 255: below this much fine contrast a region that touches the upper edge is sky
SKY_NEARNESS = 0.35


def guess(rgb: Bytes) -> Floats:
    """The depth of an RGB picture, at low resolution, smooth enough to warp by without tearing."""
    small = reduced(rgb, WIDTH)
    levels = np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.uint8)
    grey = levels / 255
    height, width = grey.shape
    down = np.arange(height)[:, None] / (height - 1)
    across = np.arange(width)[None] / (width - 1) * 2 - 1
    centre = bump(across * across * 1.2 + (down - 0.55) * (down - 0.55) * 4)
    nearness = 0.38 * _focus(grey) + 0.24 * _salience(small) * centre + 0.30 * down + 0.08 * centre
    nearness = np.where(_sky(levels), nearness * SKY_NEARNESS, nearness)
    edged = guided(grey, normal(nearness, 2, 98), radius=12, tolerance=2e-3)
    return np.asarray(normal(blur(edged, 3), 1, 99), np.float32)


def soften(near: Floats) -> Floats:
    """A known depth map, reduced and smoothed so that nothing tears where near meets far."""
    height, width = near.shape
    factor = min(1.0, WIDTH / max(height, width))
    size = max(8, round(width * factor)), max(8, round(height * factor))
    small = cv2.resize(near.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    return np.asarray(blur(np.asarray(small, np.float64), 2.5), np.float32)


def _focus(grey: Floats) -> Floats:
    """Where there is fine detail; spread, so that a flat inside takes after its edges."""
    finest, finer, fine = grey, box(grey, 1), box(grey, 2)
    energy = blur(np.abs(finest - finer), 6) + blur(np.abs(finer - fine), 6)
    return normal(blur(np.asarray(cv2.dilate(energy, np.ones((9, 9))), np.float64), 8), 2, 98)


def _salience(rgb: Bytes) -> Floats:
    """How unlike a colour is to those along the left, right and upper edge.

    As luma and chroma: for Lab, OpenCV would first spend 70 ms on tables.
    """
    shades = cv2.cvtColor(rgb, cv2.COLOR_RGB2YCrCb).astype(np.float64)
    band = max(4, rgb.shape[1] // 20)
    least = np.full(rgb.shape[:2], np.inf)
    for edge in (shades[:band], shades[:, :band], shades[:, -band:]):
        colours = edge.reshape(-1, 3)
        mean = colours.sum(0) / len(colours)
        spread = (colours * colours).sum(0) / len(colours) - mean * mean + 20
        away = shades - mean
        away *= away
        away /= spread
        least = np.minimum(least, away[..., 0] + away[..., 1] + away[..., 2])
    return normal(np.sqrt(least), 2, 98)


def _sky(levels: Bytes) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Smooth regions that touch the upper edge."""
    detail = blur(np.abs(np.asarray(cv2.Laplacian(levels, cv2.CV_16S), np.float64)), 3)
    _, labels = cv2.connectedComponents((detail < SKY_DETAIL).astype(np.uint8))
    upper = np.unique(labels[0])
    return np.isin(labels, upper[upper > 0])
