"""The few array and OpenCV operations that all painters share, typed as float32.

Colours are linear-ish RGB, 0 black to 1 white, brighter where light is; images are (height, width, 3), fields
(height, width). Rows count from the top.
"""

from collections.abc import Iterator
from typing import Any, cast

import cv2
import numpy as np
import numpy.typing as npt

# always float32 at run time; the stubs take a Python number times float32 for float64, which it is not
Floats = npt.NDArray[np.floating]
Bytes = npt.NDArray[np.uint8]

_BAND_PIXELS = 160_000  # temporaries of this size stay in the processor's cache


def floats(array: object) -> Floats:
    """What OpenCV or a NumPy function returned, known to hold float32."""
    return cast("Floats", array)


def colour(red: float, green: float, blue: float) -> Floats:
    """One colour as an array that multiplies with an image."""
    return np.array((red, green, blue), np.float32)


def bands(top: int, bottom: int, width: int) -> Iterator[slice]:
    """Row slices that cover top to bottom, small enough that working on one at a time needs little memory."""
    rows = max(1, _BAND_PIXELS // max(1, width))
    for start in range(top, bottom, rows):
        yield slice(start, min(bottom, start + rows))


def rows_of(band: slice) -> Floats:
    """The row numbers of a band as a column vector."""
    return np.arange(band.start, band.stop, dtype=np.float32)[:, None]


def columns(width: int) -> Floats:
    """The column numbers of a picture as a row vector."""
    return np.arange(width, dtype=np.float32)[None]


def smoothstep(start: Floats | float, end: Floats | float, field: Floats) -> Floats:
    """0 at start, 1 at end, with soft ends between; start may lie above end."""
    t = floats(np.clip((field - start) * (1.0 / (end - start)), 0.0, 1.0))
    return t * t * (3.0 - 2.0 * t)


def clip(field: Floats, low: float, high: float) -> Floats:
    """The field with its values kept between low and high."""
    return floats(np.clip(field, low, high))


def mix(start: Floats, end: Floats, share: Floats | float) -> Floats:
    """start where share is 0, end where it is 1."""
    return start + (end - start) * share


def blend(image: Floats, paint: Floats, cover: Floats) -> None:
    """Lay paint (an image or one colour) over an image in place; cover is a field from 0 to 1."""
    image += (paint - image) * cover[..., None]


def resize(image: Floats, width: int, height: int, how: int = cv2.INTER_LINEAR) -> Floats:
    """The picture at another size."""
    return floats(cv2.resize(image, (width, height), interpolation=how))


def shrink(image: Floats, width: int, height: int) -> Floats:
    """The picture at a smaller size, every pixel averaged."""
    return resize(image, max(1, width), max(1, height), cv2.INTER_AREA)


def blur(image: Floats, sigma: float) -> Floats:
    """Gaussian blur; sigma in pixels."""
    return floats(cv2.GaussianBlur(image, (0, 0), max(0.3, sigma)))


def sample(image: Floats, x: Floats, y: Floats, border: int = cv2.BORDER_REPLICATE) -> Floats:
    """The image read at fractional places; x and y broadcast to the shape of the result."""
    across, down = np.broadcast_arrays(x, y)
    return floats(
        cv2.remap(image, np.ascontiguousarray(across), np.ascontiguousarray(down), cv2.INTER_LINEAR, borderMode=border)
    )


def sample_tile(tile: Floats, x: Floats, y: Floats) -> Floats:
    """A tile that repeats without seams, read at fractional places of any size."""
    height, width = tile.shape[:2]
    # remap counts in 16-bit numbers, so the places are brought back into the tile first
    return sample(tile, floats(np.mod(x, width)), floats(np.mod(y, height)), cv2.BORDER_WRAP)


def zoom(image: Floats, matrix: npt.NDArray[Any]) -> Floats:
    """The image under an affine map that gives, for each place of the result, the place to read."""
    height, width = image.shape[:2]
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return floats(cv2.warpAffine(image, matrix, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE))
