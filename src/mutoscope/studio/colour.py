"""Between RGB and the encoder's planes: the two matrices of television, and their tags in the stream."""

from dataclasses import dataclass

import cv2
import numpy as np

from mutoscope.studio.planes import Bytes, Matrix, Planes

HD_WIDTH, HD_HEIGHT = 1280, 720


@dataclass(frozen=True)
class Colour:
    """How RGB becomes luma and chroma, limited range."""

    red: float  # red's share of luma
    blue: float  # blue's share of luma
    matrix: int  # the codes of ITU-T H.273 that tell players
    primaries: int
    transfer: int


BT601 = Colour(red=0.299, blue=0.114, matrix=6, primaries=6, transfer=6)
BT709 = Colour(red=0.2126, blue=0.0722, matrix=1, primaries=1, transfer=1)


def for_size(width: int, height: int) -> Colour:
    """What players assume for an untagged video of this size: BT.709 from 720p on, in any orientation."""
    hd = max(width, height) >= HD_WIDTH or min(width, height) >= HD_HEIGHT
    return BT709 if hd else BT601


def to_planes(rgb: Bytes, colour: Colour) -> Planes:
    """An RGB picture (H, W, 3) of even sides as planes."""
    full = np.asarray(cv2.transform(rgb, matrix_of(colour)), np.uint8)
    y = np.asarray(cv2.extractChannel(full, 0), np.uint8)
    half = (rgb.shape[1] // 2, rgb.shape[0] // 2)
    uv = cv2.resize(np.ascontiguousarray(full[..., 1:]), half, interpolation=cv2.INTER_AREA)
    return Planes(y, np.asarray(uv, np.uint8))


def to_rgb(planes: Planes, colour: Colour) -> Bytes:
    """Planes as an RGB picture (H, W, 3), for looking at; chroma is simply repeated."""
    chroma = cv2.resize(planes.uv, planes.size, interpolation=cv2.INTER_LINEAR)
    full = np.dstack([planes.y, chroma]).astype(np.float32)
    matrix = matrix_of(colour)
    back = np.linalg.inv(matrix[:, :3])
    offset = -back @ matrix[:, 3:]
    return np.asarray(cv2.transform(full, np.hstack([back, offset])).clip(0, 255) + 0.5, np.uint8)


def matrix_of(colour: Colour) -> Matrix:
    """(3, 4): RGB in 0 to 255 and 1 → luma and the two differences."""
    luma = np.array([colour.red, 1 - colour.red - colour.blue, colour.blue])
    blue = (np.array([0.0, 0.0, 1.0]) - luma) / (2 * (1 - colour.blue))
    red = (np.array([1.0, 0.0, 0.0]) - luma) / (2 * (1 - colour.red))
    rows = np.vstack([luma * 219, blue * 224, red * 224]) / 255
    return np.hstack([rows, np.array([[16.0], [128.0], [128.0]])])
