"""The visible mark: the renderer's name, small and half transparent, in the lower right corner."""

import cv2
import numpy as np

from mutoscope.studio.planes import Floats, Planes

TEXT = "mutoscope"
HEIGHT = 0.028  # of the frame
STRENGTH = 0.55
WHITE, BLACK = 225.0, 16.0  # luma


class Mark:
    """Drawn into each frame's luma; made once for a size."""

    def __init__(self, width: int, height: int) -> None:
        letters = _letters(max(10, round(min(height, width) * HEIGHT)))
        room = width - 4, height - 4
        self._letters = letters[: room[1], : room[0]]
        self._shadow = np.asarray(cv2.GaussianBlur(self._letters, (0, 0), 1.6), np.float32)
        gap = max(2, round(min(width, height) * 0.03))
        self._top = max(0, height - gap - self._letters.shape[0])
        self._left = max(0, width - gap - self._letters.shape[1])

    def draw(self, planes: Planes) -> None:
        rows, columns = self._letters.shape
        corner = planes.y[self._top : self._top + rows, self._left : self._left + columns]
        value = corner.astype(np.float32)
        value += (BLACK - value) * self._shadow * np.float32(STRENGTH * 0.6)
        value += (WHITE - value) * self._letters * np.float32(STRENGTH)
        np.copyto(corner, (value + 0.5).astype(np.uint8))


def _letters(height: int) -> Floats:
    """The text as coverage 0 to 1, drawn at four times its size and reduced."""
    font, big = cv2.FONT_HERSHEY_DUPLEX, height * 4
    scale = cv2.getFontScaleFromHeight(font, big, 4)
    (width, tall), below = cv2.getTextSize(TEXT, font, scale, 8)
    sheet = np.zeros((tall + below + 32, width + 32), np.uint8)
    cv2.putText(sheet, TEXT, (16, tall + 16), font, scale, 255, 8, cv2.LINE_AA)
    size = sheet.shape[1] // 4, sheet.shape[0] // 4
    return np.asarray(cv2.resize(sheet, size, interpolation=cv2.INTER_AREA), np.float32) / 255
