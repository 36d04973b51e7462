"""Near and far, guessed from one picture without trained weights: focus, salience, where things stand, sky.

A guess good enough for a few per cent of parallax. 0 is far, 1 is near.
"""

import cv2
import numpy as np

from mutoscope.studio.planes import Bytes, Floats

WIDTH = 384  # depth is guessed on a picture of this width, or height where that is the longer side
SKY_DETAIL = 0.02  # below this much fine contrast a region that touches the upper edge is sky
SKY_NEARNESS = 0.35


def guess(rgb: Bytes) -> Floats:
    """The depth of an RGB picture, at low resolution, smooth enough to warp by without tearing."""
    small = _small(rgb)
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    height, width = grey.shape
    down = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    across = np.linspace(-1, 1, width, dtype=np.float32)[None]
    centre = np.exp(-(across**2 * 1.2 + (down - 0.55) ** 2 * 4))
    nearness = 0.38 * _focus(grey) + 0.24 * _salience(small) * centre + 0.30 * down + 0.08 * centre
    nearness = np.where(_sky(grey), nearness * SKY_NEARNESS, nearness).astype(np.float32)
    edged = _guided(grey, _normal(nearness, 2, 98), radius=12, tolerance=2e-3)
    return _normal(_blur(edged, 3), 1, 99)


def soften(near: Floats) -> Floats:
    """A known depth map, reduced and smoothed so that nothing tears where near meets far."""
    height, width = near.shape
    factor = min(1.0, WIDTH / max(height, width))
    size = max(8, round(width * factor)), max(8, round(height * factor))
    small = cv2.resize(near.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    return _blur(np.asarray(small, np.float32), 2.5)


def _small(rgb: Bytes) -> Bytes:
    height, width = rgb.shape[:2]
    factor = WIDTH / max(height, width)
    size = max(24, round(width * factor)), max(24, round(height * factor))
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)


def _focus(grey: Floats) -> Floats:
    """Where there is fine detail; spread, so that a flat inside takes after its edges."""
    energy = np.zeros_like(grey)
    for sigma in (0.8, 1.6):
        energy += _blur(np.abs(_blur(grey, sigma) - _blur(grey, sigma * 1.6)), 6)
    return _normal(_blur(np.asarray(cv2.dilate(energy, np.ones((9, 9))), np.float32), 8), 2, 98)


def _salience(rgb: Bytes) -> Floats:
    """How unlike a colour is to those along the left, right and upper edge."""
    lab = cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB).astype(np.float32)
    band = max(4, rgb.shape[1] // 20)
    least = np.full(rgb.shape[:2], np.inf, np.float32)
    for edge in (lab[:band], lab[:, :band], lab[:, -band:]):
        colours = edge.reshape(-1, 3)
        inverse = np.linalg.inv(np.cov(colours.T) + np.eye(3) * 20).astype(np.float32)
        away = lab - colours.mean(0)
        distance = np.einsum("hwi,ij,hwj->hw", away, inverse, away)
        least = np.minimum(least, np.sqrt(np.maximum(distance, 0)))
    return _normal(np.asarray(least, np.float32), 2, 98)


def _sky(grey: Floats) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Smooth regions that touch the upper edge."""
    detail = _blur(np.abs(np.asarray(cv2.Laplacian(grey, cv2.CV_32F), np.float32)), 3)
    _, labels = cv2.connectedComponents((detail < SKY_DETAIL).astype(np.uint8))
    upper = np.unique(labels[0])
    return np.isin(labels, upper[upper > 0])


def _guided(guide: Floats, field: Floats, *, radius: int, tolerance: float) -> Floats:
    """The guided filter: `field` smoothed, but not over the edges of `guide`."""
    mean_guide, mean_field = _box(guide, radius), _box(field, radius)
    covariance = _box(guide * field, radius) - mean_guide * mean_field
    variance = _box(guide * guide, radius) - mean_guide * mean_guide
    slope = covariance / (variance + np.float32(tolerance))
    return _box(slope, radius) * guide + _box(mean_field - slope * mean_guide, radius)


def _box(field: Floats, radius: int) -> Floats:
    side = 2 * radius + 1
    return np.asarray(cv2.blur(field, (side, side), borderType=cv2.BORDER_REFLECT), np.float32)


def _blur(field: Floats, sigma: float) -> Floats:
    return np.asarray(cv2.GaussianBlur(field, (0, 0), sigma), np.float32)


def _normal(field: Floats, low: float, high: float) -> Floats:
    """Stretched so that these percentiles become 0 and 1."""
    least, most = np.percentile(field, [low, high])
    return np.asarray((field - least) / max(most - least, 1e-6), np.float32).clip(0, 1)
