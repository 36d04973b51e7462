"""Pictures made larger by a network, tile by tile."""

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np

SCALES = (2, 3, 4, 8)
OVERLAP = 16  # pixels beyond each side of a tile, of which the network may make what it likes


def enlarged(rgb: Any, scale: int, tile: tuple[int, int], run: Callable[[Any], Any], overlap: int = OVERLAP) -> Any:
    """`run` makes (3, n · H, n · W), 0 to 1, of a tile (H, W, 3) of exactly this width and height."""
    height, width = rgb.shape[:2]
    result = np.empty((height * scale, width * scale, 3), np.uint8)
    edge = min(overlap, min(tile) // 4)
    inner_width, inner_height = tile[0] - 2 * edge, tile[1] - 2 * edge
    right, bottom = (-width) % inner_width + edge, (-height) % inner_height + edge
    padded = cv2.copyMakeBorder(rgb, edge, bottom, edge, right, cv2.BORDER_REPLICATE)
    for top in range(0, height, inner_height):
        for left in range(0, width, inner_width):
            made = run(padded[top : top + tile[1], left : left + tile[0]])
            inner = made[:, edge * scale : (tile[1] - edge) * scale, edge * scale : (tile[0] - edge) * scale]
            place = result[top * scale : (top + inner_height) * scale, left * scale : (left + inner_width) * scale]
            kept = inner[:, : place.shape[0], : place.shape[1]]
            place[:] = np.rint(kept.transpose(1, 2, 0).clip(0, 1) * 255)
    return result
