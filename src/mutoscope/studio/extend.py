"""What comes after a video's last frame: its motion carried on, easing into the camera move that was asked for."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from mutoscope.studio.camera import inverse, settled, similarity
from mutoscope.studio.planes import Bytes, Matrix

WATCHED = 5  # frames at the join over which motion is measured
DECAY_SECONDS = 1.6
MIN_TRACKS = 24
MIN_SHARE = 0.5  # of the tracked points must agree on one motion
MAX_SHIFT = 0.04  # frame widths a frame; beyond this it was a cut
MAX_TRAVEL = 0.2  # how far the motion may carry in all, in frames
MAX_GROWTH, MAX_SHRINKING, MAX_TURN = 0.5, 0.2, 0.3  # likewise, as logarithms of scale and in radians
MAX_OVERHANG = 0.05  # how far the mirrored border may show, in frames; more is zoomed away


@dataclass(frozen=True)
class Velocity:
    """How the picture moves from one frame to the next."""

    right: float = 0.0  # pixels at the picture's centre
    down: float = 0.0
    scale: float = 1.0
    turn: float = 0.0  # radians


AT_REST = Velocity()


def velocity(lumas: Sequence[Bytes], enlarged: float) -> Velocity:
    """The motion over the last frames, from their reduced luma planes; `enlarged` leads back to full pixels.

    At rest where nothing can be told: too little to track, or no single motion.
    """
    if len(lumas) < 2:
        return AT_REST
    first, last = lumas[0], lumas[-1]
    points = cv2.goodFeaturesToTrack(first, 600, 0.01, 7)
    if points is None or len(points) < MIN_TRACKS:  # pyright: ignore[reportUnnecessaryComparison]
        return AT_REST
    moved, found, _ = cv2.calcOpticalFlowPyrLK(first, last, points, np.empty_like(points))
    kept = found[:, 0] == 1
    if np.count_nonzero(kept) < MIN_TRACKS:
        return AT_REST
    cv2.setRNGSeed(1)
    matrix, inliers = cv2.estimateAffinePartial2D(points[kept], moved[kept], ransacReprojThreshold=1.0)
    agreeing = np.count_nonzero(inliers)
    if not agreeing or agreeing < MIN_SHARE * np.count_nonzero(kept):
        return AT_REST
    return _per_frame(matrix, first.shape, len(lumas) - 1, enlarged)


def _per_frame(matrix: np.ndarray, shape: tuple[int, ...], steps: int, enlarged: float) -> Velocity:
    centre = np.array([(shape[1] - 1) / 2, (shape[0] - 1) / 2])
    shift = (matrix[:, :2] @ centre + matrix[:, 2] - centre) / steps
    if np.hypot(*shift) > MAX_SHIFT * shape[1]:
        return AT_REST
    return Velocity(
        right=float(shift[0]) * enlarged,
        down=float(shift[1]) * enlarged,
        scale=math.hypot(matrix[0, 0], matrix[1, 0]) ** (1 / steps),
        turn=math.atan2(matrix[1, 0], matrix[0, 0]) / steps,
    )


class Carry:
    """The last frame moved on at a velocity that dies away; called with a frame number, from 0."""

    def __init__(self, start: Velocity, width: int, height: int, fps: int, frames: int) -> None:
        self._start = start
        self._width, self._height = width, height
        self._travelled = np.cumsum(np.exp(-np.arange(max(frames, 1)) / (fps * DECAY_SECONDS)))
        right, down = self._shift(float(self._travelled[-1]))
        overhang = max(abs(right) / width, abs(down) / height)
        self._closer = max(0.0, overhang - MAX_OVERHANG) * 2  # zoom by which the far end is hidden

    def __call__(self, index: int) -> Matrix:
        """Maps a pixel of the output to the last frame's pixel that is seen there."""
        far = float(self._travelled[index])
        share = (index + 1) / len(self._travelled)
        closer = 1 + self._closer * share * share * (3 - 2 * share)
        growth = math.log(self._start.scale) * far
        moved = similarity(
            settled(math.exp(_within(growth, MAX_GROWTH if growth > 0 else MAX_SHRINKING))) * closer,
            _within(self._start.turn * far, MAX_TURN),
            ((self._width - 1) / 2, (self._height - 1) / 2),
            self._shift(far),
        )
        return inverse(moved)

    def _shift(self, far: float) -> tuple[float, float]:
        right = _within(self._start.right * far, MAX_TRAVEL * self._width)
        return right, _within(self._start.down * far, MAX_TRAVEL * self._height)


def _within(value: float, limit: float) -> float:
    """The value where it is small, never beyond the limit: fast motion begins as it was and stops sooner."""
    return limit * settled(math.tanh(value / limit))
