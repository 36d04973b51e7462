"""Random fields: the same seed gives the same field, at any time and in any process."""

import math

import cv2
import numpy as np

from mutoscope.studio.scene.raster import Floats, clip, floats, resize, sample, smoothstep


def chance(seed: int) -> np.random.Generator:
    """A source of chance of its own for one purpose."""
    return np.random.Generator(np.random.PCG64(seed & 0xFFFFFFFFFFFF))


def fbm(height: int, width: int, rows: float, columns: float, octaves: int, seed: int, gain: float = 0.5) -> Floats:
    """Fractal noise from 0 to 1 around 0.5, with rows × columns of its largest features.

    Each octave doubles the grid and adds to it; only the last one is brought to the size of the picture.
    """
    source = chance(seed)
    grid_rows, grid_columns = math.ceil(rows) + 2, math.ceil(columns) + 2
    grid = source.random((grid_rows, grid_columns), dtype=np.float32)
    scale, weight, total = 1, gain, 1.0
    for _ in range(octaves - 1):
        if max(grid.shape[0] / height, grid.shape[1] / width) > 1.5:
            break  # finer than the pixels
        scale *= 2
        grid = resize(grid, grid_columns * scale, grid_rows * scale, cv2.INTER_CUBIC)
        grid += source.random(grid.shape, dtype=np.float32) * weight
        total += weight
        weight *= gain
    # one cell at each edge is cut off: there the up-sampling has no neighbours and goes flat
    middle = grid[scale : scale + max(2, round(rows * scale)), scale : scale + max(2, round(columns * scale))]
    return resize(np.ascontiguousarray(middle), width, height, cv2.INTER_CUBIC) * (1.0 / total)


def tile(size: int, cells: int, octaves: int, seed: int, gain: float = 0.5) -> Floats:
    """Fractal noise like `fbm` on a square that repeats without seams. size is cells times a power of two."""
    source = chance(seed)
    grid = source.random((cells, cells), dtype=np.float32)
    weight, total = gain, 1.0
    for octave in range(1, 32):
        if grid.shape[0] >= size:
            break
        grid = _doubled(grid)
        if octave < octaves:
            grid += source.random(grid.shape, dtype=np.float32) * weight
            total += weight
            weight *= gain
    return grid * (1.0 / total)


def _doubled(grid: Floats) -> Floats:
    side = grid.shape[0]
    padded = np.pad(grid, 2, mode="wrap")
    return resize(padded, 2 * side + 8, 2 * side + 8, cv2.INTER_CUBIC)[4:-4, 4:-4].copy()


def ridged(size: int, cells: float, octaves: int, seed: int, *, gain: float, erosion: float) -> Floats:
    """Sharp-crested noise from 0 to about 1, as mountain chains are.

    Detail is weaker on slopes that are steep already (`erosion`) and in valleys: the one wears like rock, the other
    fills like scree.
    """
    total = np.zeros((size, size), np.float32)
    carry = np.ones((size, size), np.float32)
    weight, reached = 1.0, 0.0
    for octave in range(octaves):
        frequency = cells * 2.0**octave
        field = 1.0 - floats(
            np.sqrt((2.0 * fbm(size, size, frequency, frequency, 1, seed + 1013 * octave) - 1.0) ** 2 + 0.002)
        )
        field *= field * carry
        if octave:
            across = floats(cv2.Sobel(total, cv2.CV_32F, 1, 0, ksize=3))
            down = floats(cv2.Sobel(total, cv2.CV_32F, 0, 1, ksize=3))
            field /= 1.0 + (across * across + down * down) * (erosion * (size / 8.0 / cells) ** 2)
        total += field * weight
        reached += weight
        carry = clip(field * 1.7, 0.0, 1.0)
        weight *= gain
    return total * (1.0 / reached)


def warped(field: Floats, strength: float, cells: float, seed: int) -> Floats:
    """The field bent by noise, as flowing things are; strength in pixels."""
    height, width = field.shape
    aspect = width / height
    across = fbm(height, width, cells, cells * aspect, 3, seed)
    down = fbm(height, width, cells, cells * aspect, 3, seed + 1)
    x = np.arange(width, dtype=np.float32)[None] + (across - 0.5) * strength
    y = np.arange(height, dtype=np.float32)[:, None] + (down - 0.5) * strength
    return sample(field, x, y, cv2.BORDER_REFLECT)


def patches(size: int, cells: float, seed: int, edge: float = 0.06) -> Floats:
    """Islands of 1 in a sea of 0 with soft borders, covering about half."""
    return smoothstep(0.5 - edge, 0.5 + edge, fbm(size, size, cells, cells, 5, seed))
