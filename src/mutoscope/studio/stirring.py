"""Where in a picture something can stir, told from its texture: waves where it lies in level stripes, wind where it
is fine and near. Guesses, as depth is.
"""

import cv2
import numpy as np

from mutoscope.studio.filters import blur, box, guided, normal
from mutoscope.studio.planes import Bytes, Floats

SHORE = (0.38, 0.52)  # water begins between these heights of the picture
LEVEL = (0.5, 0.68)  # how much of the contrast must lie between rows and not between columns
STIFF = 0.25  # what is without fine detail still takes so much of the wind


def water(luma: Bytes) -> Floats:
    """0 to 1: where waves run. `luma` is a small picture (H, W)."""
    across = np.asarray(cv2.Sobel(luma, cv2.CV_16S, 1, 0), np.float64)
    down = np.asarray(cv2.Sobel(luma, cv2.CV_16S, 0, 1), np.float64)
    columns, rows = blur(across * across, 5), blur(down * down, 5)
    level = (rows + 6) / (rows + columns + 10)  # what is flat counts as rather level
    found = _step(level, LEVEL) * _step(np.arange(luma.shape[0])[:, None] / luma.shape[0], SHORE)
    edged = guided(luma / 255, found, radius=6, tolerance=4e-3)
    return np.asarray(blur(edged.clip(0, 1), 1.5), np.float32)


def foliage(luma: Bytes, near: Floats) -> Floats:
    """0 to 1: what the wind takes hold of. `near` is the depth at the same size."""
    grey = luma / 255
    detail = blur(np.abs(grey - box(grey, 1)), 3)
    fine = normal(detail, 10, 95)
    return np.asarray(blur(near * (STIFF + (1 - STIFF) * fine), 3), np.float32)


def _step(value: Floats, edges: tuple[float, float]) -> Floats:
    low, high = edges
    share = ((value - low) / (high - low)).clip(0, 1)
    return share * share * (3 - 2 * share)
