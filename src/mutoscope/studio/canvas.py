"""What the camera looks at: a picture resampled once to a multiple of the output's size, with its depth."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image

from mutoscope.studio import depth
from mutoscope.studio.aside import Aside
from mutoscope.studio.colour import Colour, to_planes, to_rgb
from mutoscope.studio.planes import Bytes, Floats, Matrix, Planes

OVERSAMPLING = 2.0
"""Canvas pixels for each output pixel: with two, bilinear sampling is sharp and does not flicker."""
MAX_CANVAS = 36_000_000  # pixels; bigger outputs are oversampled less
MAX_MARGIN = 0.35  # how much of the cropped-away picture is kept on each side, in frames


@dataclass(frozen=True)
class Room:
    """How far the picture reaches beyond the frame on each side, as a share of the frame's own side."""

    across: float
    down: float
    aspect: float  # the frame's width / height


@dataclass(frozen=True)
class Canvas:
    """The picture that fills a frame of width × height, and what lies around it."""

    luma: Bytes
    chroma: Bytes  # at half the size, four channels: blue and red difference, twice
    depth: Floats  # covers the luma at a lower resolution; 0 far … 1 near
    still: Planes  # the frame at rest, exactly: the picture cover-cropped and resampled straight to its size
    scale: float  # canvas pixels for an output pixel
    left: float  # canvas position of the frame's left and upper edges
    top: float

    @property
    def room(self) -> Room:
        width, height = self.still.size
        return Room(self.left / (self.scale * width), self.top / (self.scale * height), width / height)

    @property
    def matrix(self) -> Matrix:
        """Maps a pixel of the frame at rest to a pixel of the canvas."""
        shift = self.scale / 2 - 0.5
        return np.array([[self.scale, 0, shift + self.left], [0, self.scale, shift + self.top], [0, 0, 1]], np.float64)


def full_size(width: int, height: int) -> tuple[int, int]:
    """The size at which a picture is kept that just covers frames of this size."""
    scale = _oversampling(width, height)
    return math.ceil(width * scale), math.ceil(height * scale)


def from_picture(
    picture: Image.Image, width: int, height: int, colour: Colour, *, near: Floats | None = None
) -> Canvas:
    """A canvas of an RGB picture for frames of this size.

    `near` is its depth where that is known (0 far … 1 near, covering the picture); otherwise it is guessed.
    """
    scale = _oversampling(width, height)
    zoom = max(width / picture.width, height / picture.height)  # output pixels for a pixel of the picture
    across = _side(picture.width, width / zoom, scale * zoom)
    down = _side(picture.height, height / zoom, scale * zoom)
    box = _centred(picture, across / (scale * zoom), down / (scale * zoom))
    middle = _centred(picture, width / zoom, height / zoom)
    rest = Aside(lambda: to_planes(_resample(picture, (width, height), middle), colour))
    field = Aside(lambda: _near(picture, near, box))
    planes = to_planes(_resample(picture, (across, down), box), colour)
    return Canvas(
        luma=planes.y,
        chroma=_doubled(planes.uv),
        depth=field.result(),
        still=rest.result(),
        scale=scale,
        left=(across - scale * width) / 2,
        top=(down - scale * height) / 2,
    )


def from_planes(planes: Planes, colour: Colour) -> Canvas:
    """A canvas of a video's frame; it fills the frame and there is nothing around it."""
    width, height = planes.size
    scale = _oversampling(width, height)
    across, down = _even(scale * width), _even(scale * height)
    y = cv2.resize(planes.y, (across, down), interpolation=cv2.INTER_CUBIC)
    uv = cv2.resize(planes.uv, (across // 2, down // 2), interpolation=cv2.INTER_CUBIC)
    return Canvas(
        luma=np.asarray(y, np.uint8),
        chroma=_doubled(np.asarray(uv, np.uint8)),
        depth=depth.guess(to_rgb(_glanced(planes), colour)),
        still=planes,
        scale=scale,
        left=0.0,
        top=0.0,
    )


def _glanced(planes: Planes) -> Planes:
    """As much of a picture as the depth's guess looks at: the whole as RGB would take much memory in between."""
    whole = max(1, max(planes.size) // (2 * depth.WIDTH))
    y, uv = (
        np.asarray(cv2.resize(each, None, fx=1 / whole, fy=1 / whole, interpolation=cv2.INTER_AREA), np.uint8)
        for each in planes
    )
    return Planes(y, uv)


def _doubled(chroma: Bytes) -> Bytes:
    """Each pair twice: OpenCV samples four channels in less than half the time that it takes for two."""
    return np.asarray(cv2.merge([chroma[..., 0], chroma[..., 1], chroma[..., 0], chroma[..., 1]]), np.uint8)


def _oversampling(width: int, height: int) -> float:
    return min(OVERSAMPLING, (MAX_CANVAS / (width * height)) ** 0.5)


def _side(whole: int, shown: float, scale: float) -> int:
    """The canvas's side in pixels: what is shown, and the margins that the picture has, up to a bound."""
    kept = min(float(whole), shown * (1 + 2 * MAX_MARGIN))
    return _even(kept * scale)


def _even(value: float) -> int:
    """The even number at or just below; a hair above a whole number counts as it."""
    return max(2, int(value + 1e-6) // 2 * 2)


def _centred(picture: Image.Image, width: float, height: float) -> tuple[float, float, float, float]:
    left, top = max(0.0, (picture.width - width) / 2), max(0.0, (picture.height - height) / 2)
    right, bottom = min(float(picture.width), left + width), min(float(picture.height), top + height)
    return left, top, right, bottom


def _resample(picture: Image.Image, size: tuple[int, int], box: tuple[float, float, float, float]) -> Bytes:
    if size == picture.size and box == (0.0, 0.0, float(size[0]), float(size[1])):
        return np.asarray(picture, np.uint8)
    found = picture.resize(size, Image.Resampling.LANCZOS, box=box, reducing_gap=3.0)
    return np.asarray(found, np.uint8)


def _near(picture: Image.Image, known: Floats | None, box: tuple[float, float, float, float]) -> Floats:
    """The depth of this part of the picture."""
    left, top, right, bottom = box
    if known is None:
        return depth.guess(np.asarray(picture, np.uint8)[round(top) : round(bottom), round(left) : round(right)])
    fx, fy = known.shape[1] / picture.width, known.shape[0] / picture.height
    return depth.soften(known[round(top * fy) : round(bottom * fy), round(left * fx) : round(right * fx)])
