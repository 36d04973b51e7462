"""The canvas seen from a camera: a coarse grid of positions, bent by depth and by what stirs, then sampled.

The grid is up-sampled with float weights (cv2.warpAffine's are fixed-point and would make the picture shimmer),
and each plane is sampled straight into the encoder's buffers.
"""

import math
from collections.abc import Set as AbstractSet

import cv2
import numpy as np

from mutoscope.studio.canvas import Canvas
from mutoscope.studio.motion import Stir
from mutoscope.studio.path import REST, State
from mutoscope.studio.planes import Floats, Matrix, Planes

CELL = 8  # output pixels between two points of the grid
STIR_SECONDS = 0.7  # what stirs does so gradually, so that the first frame is the picture
FEATHER = 0.06  # width of a canvas's soft edge where another shows beside it, in frames

F = np.float32


class Warp:
    """Draws one canvas frame after frame; keeps its buffers."""

    def __init__(self, canvas: Canvas, stirs: AbstractSet[Stir] = frozenset()) -> None:
        self.canvas = canvas
        self.stirs = stirs
        self.width, self.height = canvas.still.size
        across, down = -(-self.width // CELL) + 2, -(-self.height // CELL) + 2
        # The grid has one cell of padding on each side: cv2.resize repeats the outermost values.
        x = (np.arange(across, dtype=F) - F(0.5)) * F(CELL) - F(0.5)
        y = (np.arange(down, dtype=F) - F(0.5)) * F(CELL) - F(0.5)
        self._x, self._y = (np.asarray(each, F) for each in np.meshgrid(x, y))
        self._grid = np.empty((down, across, 2), F)
        self._luma_map = np.empty((down * CELL, across * CELL, 2), F)
        self._chroma_map = np.empty((down * CELL // 2, across * CELL // 2, 2), F)
        rows, columns = canvas.planes.y.shape
        self._depth_x, self._depth_y = F(canvas.depth.shape[1] / columns), F(canvas.depth.shape[0] / rows)

    def draw(self, view: Matrix, state: State, seconds: float, target: Planes) -> None:
        """Draw what is seen through `view` (output → picture at rest), with the parallax of `state`."""
        matrix = self.canvas.matrix @ view
        x, y = self._positions(matrix)
        x, y = self._parallax(x, y, matrix, state)
        if self.stirs:
            x, y = self._stir(x, y, seconds)
        self._sample(x, y, target)

    def coverage(self, view: Matrix) -> Floats:
        """How surely the canvas is seen at each pixel of the output: 1 inside, falling softly to 0 at its edges."""
        x, y = self._positions(self.canvas.matrix @ view)
        rows, columns = self.canvas.planes.y.shape
        inside = np.minimum(np.minimum(x, F(columns - 1) - x), np.minimum(y, F(rows - 1) - y))
        soft = np.clip(inside / F(FEATHER * self.canvas.scale * self.width), 0, 1)
        full = cv2.resize(soft, (soft.shape[1] * CELL, soft.shape[0] * CELL), interpolation=cv2.INTER_LINEAR)
        return np.asarray(full[CELL : CELL + self.height, CELL : CELL + self.width], F)

    def _positions(self, matrix: Matrix) -> tuple[Floats, Floats]:
        m = matrix.astype(F)
        x = m[0, 0] * self._x + m[0, 1] * self._y + m[0, 2]
        y = m[1, 0] * self._x + m[1, 1] * self._y + m[1, 2]
        return x, y

    def _depth(self, x: Floats, y: Floats) -> Floats:
        found = cv2.remap(
            self.canvas.depth,
            x * self._depth_x,
            y * self._depth_y,
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        return np.asarray(found, F)

    def _parallax(self, x: Floats, y: Floats, matrix: Matrix, state: State) -> tuple[Floats, Floats]:
        if (state.slide, state.lift, state.dolly) == (REST.slide, REST.lift, REST.dolly):
            return x, y
        frame = self.canvas.scale * self.width
        slide, lift, dolly = F(state.slide * frame), F(state.lift * frame), F(state.dolly)
        middle = matrix @ np.array([(self.width - 1) / 2, (self.height - 1) / 2, 1.0])
        middle_x, middle_y = F(middle[0]), F(middle[1])
        bent_x, bent_y = x, y
        for _ in range(2):  # the depth that counts is that of the place seen: one fixed-point step is enough
            depth = self._depth(bent_x, bent_y)
            aside = depth - F(0.5)
            bent_x = x + aside * slide + depth * dolly * (middle_x - x)
            bent_y = y + aside * lift + depth * dolly * (middle_y - y)
        return bent_x, bent_y

    def _stir(self, x: Floats, y: Floats, seconds: float) -> tuple[Floats, Floats]:
        width = self.canvas.scale * self.width
        start = min(seconds / STIR_SECONDS, 1.0)
        force = F(start * start * (3 - 2 * start) * width)
        t = F(seconds)
        if Stir.WIND in self.stirs:
            depth = self._depth(x, y)
            phase = x * F(9 / width) + y * F(5 / width)
            gust = _sine(phase * F(2.1) - t * F(2.6)) + F(0.5) * _sine(phase * F(5.3) - t * F(4.1))
            x = x + F(0.0022) * force * depth * gust
            y = y + F(0.0008) * force * depth * _sine(phase * F(3.7) - t * F(3.3))
        if Stir.WATER in self.stirs:
            low = np.clip(self._y / F(self.height) * 2 - 1, 0, 1)
            wave = self._y * F(86 / self.height) / (low + F(0.15)) + t * F(3.0)
            swell = F(0.6) * _sine(self._x * F(8 / self.width) + t)
            y = y + F(0.0016) * force * low * _sine(wave + swell)
        if Stir.BREATH in self.stirs:
            y = y + F(0.0018) * force * F(math.sin(1.9 * seconds)) * self._depth(x, y)
        return x, y

    def _sample(self, x: Floats, y: Floats, target: Planes) -> None:
        grid, luma, chroma = self._grid, self._luma_map, self._chroma_map
        grid[..., 0], grid[..., 1] = x, y
        cv2.resize(grid, (luma.shape[1], luma.shape[0]), dst=luma, interpolation=cv2.INTER_LINEAR)
        seen = luma[CELL : CELL + self.height, CELL : CELL + self.width]
        _remap(self.canvas.planes.y, seen, target.y)
        # A chroma sample lies in the middle of its four luma pixels, in the canvas as in the output.
        grid[..., 0], grid[..., 1] = (x - F(0.5)) * F(0.5), (y - F(0.5)) * F(0.5)
        cv2.resize(grid, (chroma.shape[1], chroma.shape[0]), dst=chroma, interpolation=cv2.INTER_LINEAR)
        half = CELL // 2
        seen = chroma[half : half + self.height // 2, half : half + self.width // 2]
        _remap(self.canvas.planes.uv, seen, target.uv)


def _sine(phase: Floats) -> Floats:
    return np.asarray(np.sin(phase), F)


def _remap(source: np.ndarray, positions: Floats, target: np.ndarray) -> None:
    """Beyond its edges the picture is mirrored."""
    # The stub knows only the form with two maps; an empty second one takes seconds a frame.
    cv2.remap(  # pyright: ignore[reportCallIssue]
        source,
        positions,
        None,  # pyright: ignore[reportArgumentType]
        cv2.INTER_LINEAR,
        dst=target,
        borderMode=cv2.BORDER_REFLECT_101,
    )
