"""The camera's state as a matrix, and powers of similarities.

Only + - * / on whole results, and the library's functions rounded: NumPy's products of matrices and its inverses
differ in their last bits from one processor to another.
"""

import math

import numpy as np

from mutoscope.studio.path import State
from mutoscope.studio.planes import Matrix


def view(state: State, width: int, height: int) -> Matrix:
    """Maps a pixel of the output to the pixel of the picture at rest that is seen there."""
    cosine, sine = settled(math.cos(state.roll)) / state.zoom, settled(math.sin(state.roll)) / state.zoom
    middle_x, middle_y = (width - 1) / 2, (height - 1) / 2
    centre_x, centre_y = middle_x + state.x * width, middle_y + state.y * height
    return np.array(
        [
            [cosine, -sine, centre_x - cosine * middle_x + sine * middle_y],
            [sine, cosine, centre_y - sine * middle_x - cosine * middle_y],
            [0.0, 0.0, 1.0],
        ],
        np.float64,
    )


def similarity(scale: float, angle: float, fixed: tuple[float, float], shift: tuple[float, float]) -> Matrix:
    """Scales and turns about a point, then shifts."""
    cosine, sine = scale * settled(math.cos(angle)), scale * settled(math.sin(angle))
    x, y = fixed
    return np.array(
        [
            [cosine, -sine, x + shift[0] - cosine * x + sine * y],
            [sine, cosine, y + shift[1] - sine * x - cosine * y],
            [0.0, 0.0, 1.0],
        ],
        np.float64,
    )


def power(matrix: Matrix, exponent: float) -> Matrix:
    """A share of a similarity: exponent 0 gives the identity, 1 the similarity, and the path between is even.

    Taken about its fixed point: interpolating the matrix's entries would shrink the picture on the way.
    """
    scale = math.hypot(matrix[0, 0], matrix[1, 0])
    angle = math.atan2(matrix[1, 0], matrix[0, 0])
    turned = similarity(settled(scale**exponent), angle * exponent, (0.0, 0.0), (0.0, 0.0))
    # The fixed point solves (1 - linear part) · fixed = shift.
    a, b = 1 - float(matrix[0, 0]), -float(matrix[0, 1])
    size = a * a + b * b
    right, down = float(matrix[0, 2]), float(matrix[1, 2])
    if size < 1e-9:
        turned[:2, 2] = right * exponent, down * exponent
        return turned
    x, y = (a * right - b * down) / size, (b * right + a * down) / size
    seen = apply(turned, x, y)
    turned[:2, 2] = x - seen[0], y - seen[1]
    return turned


def settled(value: float) -> float:
    """Rounded off where libraries differ."""
    return round(value * 2**32) / 2**32


def compose(outer: Matrix, inner: Matrix) -> Matrix:
    """First `inner`, then `outer`."""
    return (outer[:, :, None] * inner[None]).sum(1)


def apply(matrix: Matrix, x: float, y: float) -> tuple[float, float]:
    right = float(matrix[0, 0]) * x + float(matrix[0, 1]) * y + float(matrix[0, 2])
    return right, float(matrix[1, 0]) * x + float(matrix[1, 1]) * y + float(matrix[1, 2])


def inverse(matrix: Matrix) -> Matrix:
    """Of an affine map."""
    a, b, c, d = (float(matrix[row, column]) for row in (0, 1) for column in (0, 1))
    size = a * d - b * c
    back = np.array([[d / size, -b / size, 0.0], [-c / size, a / size, 0.0], [0.0, 0.0, 1.0]])
    x, y = apply(back, float(matrix[0, 2]), float(matrix[1, 2]))
    back[:2, 2] = -x, -y
    return back
