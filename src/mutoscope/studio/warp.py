"""The canvas seen from a camera: a coarse grid of positions, bent by depth and by what stirs, then sampled.

The grid is up-sampled with float weights (cv2.warpAffine's are fixed-point and would make the picture shimmer),
and each plane is sampled straight into the encoder's buffers. A portable warp works in whole 32nds of a pixel from
the grid on, which takes several times as long and gives the same bytes on every processor.
"""

import math
from collections.abc import Iterator
from collections.abc import Set as AbstractSet

import cv2
import numpy as np
from PIL import Image

from mutoscope.studio.camera import apply, compose
from mutoscope.studio.canvas import Canvas
from mutoscope.studio.filters import reduced
from mutoscope.studio.motion import Stir
from mutoscope.studio.path import State
from mutoscope.studio.planes import Bytes, Floats, Matrix, Planes
from mutoscope.studio.stirring import foliage, water

CELL = 8  # output pixels between two points of the grid
BAND = 24  # rows of the grid that are sampled at once
STIR_SECONDS = 0.7  # what stirs does so gradually, so that the first frame is the picture
FEATHER = 0.06  # width of a canvas's soft edge where another shows beside it, in frames
FRACTION_BITS = 5
FRACTIONS = 1 << FRACTION_BITS
"""Parts of a pixel in a portable warp; what cv2.remap's fixed-point maps hold."""

TO_CHROMA: Matrix = np.array([[0.5, 0, -0.25], [0, 0.5, -0.25], [0, 0, 1]])
FROM_CHROMA: Matrix = np.array([[2, 0, 0.5], [0, 2, 0.5], [0, 0, 1]])
"""Between luma pixels and the chroma samples in the middle of each four."""

F = np.float32


class Warp:
    """Draws one canvas frame after frame; keeps its buffers."""

    def __init__(self, canvas: Canvas, stirs: AbstractSet[Stir] = frozenset(), *, portable: bool = False) -> None:
        self.canvas = canvas
        self.stirs = stirs
        self.portable = portable
        self.width, self.height = canvas.still.size
        across, down = -(-self.width // CELL) + 2, -(-self.height // CELL) + 2
        # The grid has one cell of padding on each side: cv2.resize repeats the outermost values.
        x = (np.arange(across, dtype=F) - F(0.5)) * F(CELL) - F(0.5)
        y = (np.arange(down, dtype=F) - F(0.5)) * F(CELL) - F(0.5)
        self._x, self._y = (np.asarray(each, F) for each in np.meshgrid(x, y))
        band = (BAND + 2) * CELL * across * CELL
        self._across, self._down = (np.empty(0 if portable else band, F) for _ in range(2))
        self._pairs = np.empty((band if portable else 0, 2), np.int32)
        self._drawn = np.empty((self.height // 2, self.width // 2, 4), np.uint8)
        rows, columns = canvas.luma.shape
        self._depth_x, self._depth_y = F(canvas.depth.shape[1] / columns), F(canvas.depth.shape[0] / rows)
        self._leaves, self._waves = self._stirring()

    def draw(self, view: Matrix, state: State, seconds: float, target: Planes) -> None:
        """Draw what is seen through `view` (output → picture at rest), with the parallax of `state`."""
        matrix = compose(self.canvas.matrix, view)
        if not self.portable and not self.stirs and _flat(state):
            self._sample_evenly(matrix, target)
            return
        x, y = self._positions(matrix)
        x, y = self._parallax(x, y, matrix, state)
        if self.stirs:
            x, y = self._stir(x, y, seconds)
        self._sample(x, y, target)

    def coverage(self, view: Matrix) -> Floats:
        """How surely the canvas is seen at each pixel of the output: 1 inside, falling softly to 0 at its edges."""
        x, y = self._positions(compose(self.canvas.matrix, view))
        rows, columns = self.canvas.luma.shape
        inside = np.minimum(np.minimum(x, F(columns - 1) - x), np.minimum(y, F(rows - 1) - y))
        soft = np.clip(inside / F(FEATHER * self.canvas.scale * self.width), 0, 1)
        full = cv2.resize(soft, (soft.shape[1] * CELL, soft.shape[0] * CELL), interpolation=cv2.INTER_LINEAR)
        return np.asarray(full[CELL : CELL + self.height, CELL : CELL + self.width], F)

    def _stirring(self) -> tuple[Floats, Floats]:
        """How strongly wind and waves move each place, as fields over the canvas like its depth."""
        near = self.canvas.depth
        if not self.stirs & {Stir.WIND, Stir.WATER}:
            return near, near
        small = reduced(self.canvas.luma, max(near.shape))
        luma = np.asarray(Image.fromarray(small).resize(near.shape[::-1], Image.Resampling.BILINEAR), np.uint8)
        return foliage(luma, near), water(luma)

    def _positions(self, matrix: Matrix) -> tuple[Floats, Floats]:
        m = matrix.astype(F)
        x = m[0, 0] * self._x + m[0, 1] * self._y + m[0, 2]
        y = m[1, 0] * self._x + m[1, 1] * self._y + m[1, 2]
        return x, y

    def _at(self, field: Floats, x: Floats, y: Floats) -> Floats:
        """A field of the canvas (its depth or alike) at these positions."""
        if self.portable:
            return _looked_up(field, x * self._depth_x, y * self._depth_y)
        across, down = x * self._depth_x, y * self._depth_y
        return np.asarray(cv2.remap(field, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), F)

    def _parallax(self, x: Floats, y: Floats, matrix: Matrix, state: State) -> tuple[Floats, Floats]:
        if _flat(state):
            return x, y
        frame = self.canvas.scale * self.width
        slide, lift, dolly = F(state.slide * frame), F(state.lift * frame), F(state.dolly)
        middle_x, middle_y = (F(each) for each in apply(matrix, (self.width - 1) / 2, (self.height - 1) / 2))
        bent_x, bent_y = x, y
        for _ in range(2):  # the depth that counts is that of the place seen: one fixed-point step is enough
            depth = self._at(self.canvas.depth, bent_x, bent_y)
            aside = depth - F(0.5)
            bent_x = x + aside * slide + depth * dolly * (middle_x - x)
            bent_y = y + aside * lift + depth * dolly * (middle_y - y)
        return bent_x, bent_y

    def _stir(self, x: Floats, y: Floats, seconds: float) -> tuple[Floats, Floats]:
        """Waves of displacement that belong to the picture's places, not to the screen's."""
        width, height = F(self.canvas.scale * self.width), F(self.canvas.scale * self.height)
        start = min(seconds / STIR_SECONDS, 1.0)
        force = F(start * start * (3 - 2 * start)) * width
        t = F(seconds)
        across, down = (x - F(self.canvas.left)) / width, (y - F(self.canvas.top)) / height
        if Stir.WIND in self.stirs:
            hold = F(0.0028) * force * self._at(self._leaves, x, y)
            phase = across * F(9) + down * F(3)
            gust = F(0.6) + F(0.4) * _sine(across * F(2.3) - t * F(0.9))
            x = x + hold * gust * (_sine(phase * F(2.1) - t * F(2.6)) + F(0.5) * _sine(phase * F(5.3) - t * F(4.1)))
            y = y + F(0.35) * hold * _sine(phase * F(3.7) - t * F(3.3))
        if Stir.WATER in self.stirs:
            near = np.clip(down * F(2) - F(0.8), 0, F(1.2))  # 0 at the horizon
            hold = F(0.0026) * force * (F(0.2) + near) * self._at(self._waves, x, y)
            wave = down * F(70) / (near + F(0.3)) - t * F(2.6)
            swell = F(0.9) * _sine(across * F(11) + t * F(0.8))
            y = y + hold * _sine(wave + swell)
            x = x + F(0.4) * hold * _sine(wave * F(0.6) + across * F(17) + t * F(1.7))
        if Stir.BREATH in self.stirs:
            near = self._at(self.canvas.depth, x, y)
            y = y + F(0.0022) * force * (_sine(F(1.9) * t) * near)
        return x, y

    def _sample_evenly(self, matrix: Matrix, target: Planes) -> None:
        """Where nothing is bent no grid is needed, which saves a third of the time."""
        _warp_affine(self.canvas.luma, matrix, target.y)
        _warp_affine(self.canvas.chroma, compose(TO_CHROMA, compose(matrix, FROM_CHROMA)), self._drawn)
        _halve(self._drawn, target.uv)

    def _sample(self, x: Floats, y: Floats, target: Planes) -> None:
        self._spread(x, y, CELL, self.canvas.luma, target.y)
        # A chroma sample lies in the middle of its four luma pixels, in the canvas as in the output.
        self._spread((x - F(0.5)) * F(0.5), (y - F(0.5)) * F(0.5), CELL // 2, self.canvas.chroma, self._drawn)
        _halve(self._drawn, target.uv)

    def _spread(self, x: Floats, y: Floats, cell: int, source: Bytes, target: Bytes) -> None:
        """From the grid to every pixel."""
        if self.portable:
            pairs = np.rint(np.dstack([x, y]) * F(FRACTIONS)).astype(np.int32)
            for rows, seen, band in _bands(target, cell):
                _remap_exactly(source, _enlarged(pairs[rows], cell, self._pairs, cv2.INTER_LINEAR_EXACT)[seen], band)
            return
        for rows, seen, band in _bands(target, cell):
            across = _enlarged(x[rows], cell, self._across, cv2.INTER_LINEAR)
            down = _enlarged(y[rows], cell, self._down, cv2.INTER_LINEAR)
            _remap(source, across[seen], down[seen], band)


def _flat(state: State) -> bool:
    return state.slide == state.lift == state.dolly == 0


def _warp_affine(source: np.ndarray, matrix: Matrix, target: np.ndarray) -> None:
    size, way = (target.shape[1], target.shape[0]), cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    cv2.warpAffine(source, matrix[:2], size, dst=target, flags=way, borderMode=cv2.BORDER_REFLECT_101)


def _sine(phase: Floats | np.float32) -> Floats:
    """Nearly a sine (Bhaskara's), of + - * / alone: the library's differs from one processor to another."""
    turns = phase * F(1 / math.tau)
    turns = turns - np.floor(turns)
    second = turns >= F(0.5)
    half = np.where(second, turns - F(0.5), turns) * F(2)
    bow = half * (1 - half)
    value = F(16) * bow / (F(5) - F(4) * bow)
    return np.asarray(np.where(second, -value, value), F)


def _looked_up(field: Floats, x: Floats, y: Floats) -> Floats:
    """The field between its samples, linear; outside it is as at its edge."""
    rows, columns = field.shape
    x, y = np.clip(x, 0, F(columns - 1)), np.clip(y, 0, F(rows - 1))
    left, top = (np.minimum(each.astype(np.int32), most) for each, most in ((x, columns - 2), (y, rows - 2)))
    right, down = x - left.astype(F), y - top.astype(F)
    upper = field[top, left] * (1 - right) + field[top, left + 1] * right
    lower = field[top + 1, left] * (1 - right) + field[top + 1, left + 1] * right
    return np.asarray(upper * (1 - down) + lower * down, F)


def _bands(target: Bytes, cell: int) -> Iterator[tuple[slice, tuple[slice, slice], Bytes]]:
    """Bands of the picture's rows, whose positions take little memory: the grid's rows for each, where in these
    enlarged its pixels lie, and the band."""
    height, width = target.shape[:2]
    for first in range(0, -(-height // cell), BAND):
        band = target[first * cell : (first + BAND) * cell]
        yield slice(first, first + BAND + 2), (slice(cell, cell + band.shape[0]), slice(cell, cell + width)), band


def _enlarged(grid: np.ndarray, cell: int, kept: np.ndarray, way: int) -> np.ndarray:
    """The grid with `cell` times as many rows and columns, in memory that is kept for it."""
    rows, columns = grid.shape[0] * cell, grid.shape[1] * cell
    full = kept[: rows * columns].reshape(rows, columns, *grid.shape[2:])
    cv2.resize(grid, (columns, rows), dst=full, interpolation=way)
    return full


def _remap(source: np.ndarray, across: np.ndarray, down: np.ndarray, target: np.ndarray) -> None:
    """Sample at positions in pixels. Beyond its edges the picture is mirrored."""
    cv2.remap(source, across, down, cv2.INTER_LINEAR, dst=target, borderMode=cv2.BORDER_REFLECT_101)


def _remap_exactly(source: np.ndarray, pairs: np.ndarray, target: np.ndarray) -> None:
    """The same at positions in whole FRACTIONS of a pixel, rounded alike by every processor."""
    part = pairs & (FRACTIONS - 1)
    between = (part[..., 1] * FRACTIONS + part[..., 0]).astype(np.uint16)
    _remap(source, (pairs >> FRACTION_BITS).astype(np.int16), between, target)


def _halve(four: Bytes, chroma: Bytes) -> None:
    """The canvas's four channels as the frame's two."""
    np.copyto(chroma.view("<u2"), four.view("<u4"), casting="unsafe")
