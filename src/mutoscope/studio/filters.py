"""Filters of small fields, whose results are the same on every processor.

Sums are of whole numbers, so that their order does not matter; the rest is + - * / and square roots, which IEEE 754
defines to the bit. (OpenCV's and NumPy's own filters differ in the last bits with the instructions that they find.)
"""

import cv2
import numpy as np
from PIL import Image

from mutoscope.studio.planes import Bytes, Floats

STEPS = float(1 << 20)
"""Fields are rounded to multiples of 1/STEPS before they are summed."""


def reduced(pixels: Bytes, longer: int) -> Bytes:
    """A picture (H, W) or (H, W, 3), its longer side made this long."""
    height, width = pixels.shape[:2]
    whole = max(1, max(height, width) // longer)
    if whole > 1:  # a whole-number factor needs no weights; the rest is done at little size
        size = max(1, width // whole), max(1, height // whole)
        trimmed = pixels[: size[1] * whole, : size[0] * whole]
        pixels = np.asarray(cv2.resize(trimmed, size, interpolation=cv2.INTER_AREA), np.uint8)
    factor = longer / max(height, width)
    size = max(24, round(width * factor)), max(24, round(height * factor))
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BILINEAR), np.uint8)


def box(field: Floats, radius: int) -> Floats:
    """The mean over squares of side 2 · radius + 1; mirrored at the edges."""
    side = 2 * radius + 1
    whole = np.rint(field * STEPS)
    total = cv2.boxFilter(whole, cv2.CV_64F, (side, side), normalize=False, borderType=cv2.BORDER_REFLECT)
    return np.asarray(total, np.float64) / (STEPS * side * side)


def blur(field: Floats, sigma: float) -> Floats:
    """Nearly a Gaussian: three means."""
    radius = max(1, round(((4 * sigma * sigma + 1) ** 0.5 - 1) / 2))
    return box(box(box(field, radius), radius), radius)


def guided(guide: Floats, field: Floats, *, radius: int, tolerance: float) -> Floats:
    """The guided filter: `field` smoothed, but not over the edges of `guide`."""
    mean_guide, mean_field = box(guide, radius), box(field, radius)
    covariance = box(guide * field, radius) - mean_guide * mean_field
    variance = box(guide * guide, radius) - mean_guide * mean_guide
    slope = covariance / (variance + tolerance)
    return box(slope, radius) * guide + box(mean_field - slope * mean_guide, radius)


def normal(field: Floats, low: float, high: float) -> Floats:
    """Stretched so that these percentiles become 0 and 1."""
    least, most = (float(each) for each in np.percentile(field, [low, high]))
    return ((field - least) / max(most - least, 1e-6)).clip(0, 1)


def bump(square: Floats) -> Floats:
    """About exp(-square), without its library function: it is rounded differently from one processor to another."""
    near = 1 / (1 + square / 4)
    return near * near * near * near
