"""The camera's state as a matrix, and powers of similarities."""

import math

import numpy as np

from mutoscope.studio.path import State
from mutoscope.studio.planes import Matrix


def view(state: State, width: int, height: int) -> Matrix:
    """Maps a pixel of the output to the pixel of the picture at rest that is seen there."""
    cosine, sine = math.cos(state.roll) / state.zoom, math.sin(state.roll) / state.zoom
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
    cosine, sine = scale * math.cos(angle), scale * math.sin(angle)
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
    part, turn = scale**exponent, angle * exponent
    linear = part * np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    away = np.eye(2) - matrix[:2, :2]
    result = np.eye(3)
    result[:2, :2] = linear
    if abs(np.linalg.det(away)) < 1e-9:
        result[:2, 2] = matrix[:2, 2] * exponent
    else:
        fixed = np.linalg.solve(away, matrix[:2, 2])
        result[:2, 2] = fixed - linear @ fixed
    return result
