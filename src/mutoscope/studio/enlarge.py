"""Bigger pictures by resampling. No detail is invented: reduced again, the result is the original."""

import math
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from mutoscope.studio import alpha, picture
from mutoscope.studio.clip import VERSION, Print
from mutoscope.studio.error import StudioError
from mutoscope.studio.planes import Bytes

FACTORS = (2, 4, 8, 16)
MAX_AREA = 64_000_000  # pixels of the result
MAX_SIDE = 16_384
SAME_SHAPE = 0.02  # how far the two sides' factors may differ
BAND = 256  # rows of the source that are enlarged at a time, for memory's sake
OVERLAP = 8  # more rows on each side of a band than the two filters reach together


def enlarge_image(image: Path, out: Path, *, factor: int, seen: Path | None = None) -> Print:
    """Write the picture to `out` (PNG, JPEG or WebP by its ending), `factor` (2, 4, 8 or 16) times as wide and as high.

    Bicubic resampling and one step of back-projection, which gives back the contrast that the first loses:
    averaged over factor × factor pixels, the result is the given picture. Transparency is kept. `seen` is
    the picture as a trained model enlarged it, to any size, which then takes the place of all that. The same arguments
    give the same bytes. Raises StudioError with the field "image" or "factor".
    """
    if factor not in FACTORS:
        raise StudioError(f"the factor is {factor}; it must be one of {', '.join(map(str, FACTORS))}", field="factor")
    source = alpha.load(image)
    width, height = source.width * factor, source.height * factor
    if width * height > MAX_AREA or max(width, height) > MAX_SIDE:
        raise StudioError(
            f"{source.width}x{source.height} enlarged {factor} times is {width}x{height}; "
            f"at most {MAX_AREA} pixels and {MAX_SIDE} on a side are made",
            field="factor",
        )
    made = _enlarged(source, factor) if seen is None else _resized(seen, (width, height))
    _save(made, out, f"{factor}x", seen)
    return Print(width=width, height=height, used=(), ignored=())


def enlarge_to(
    image: Path, out: Path, *, width: int | None = None, height: int | None = None, seen: Path | None = None
) -> Print:
    """The same to exactly this size: enlarged by the next whole factor, then reduced.

    One side may be left out, and follows from the picture's shape. A picture that is of this size already keeps every
    pixel. Raises StudioError with the field "image", "width" or "height".
    """
    source = alpha.load(image)
    wanted = _wanted(source, width, height)
    if wanted == source.size:
        _save(source, out, f"to {wanted[0]}x{wanted[1]}")
        return Print(width=wanted[0], height=wanted[1], used=(), ignored=())
    field = "width" if width else "height"
    factor = max(2, math.ceil(max(wanted[0] / source.width, wanted[1] / source.height) - 1e-6))
    if factor > FACTORS[-1] or wanted[0] * wanted[1] > MAX_AREA or max(wanted) > MAX_SIDE:
        raise StudioError(
            f"{source.width}x{source.height} enlarged to {wanted[0]}x{wanted[1]} is too much: at most {FACTORS[-1]} "
            f"times as wide and high, {MAX_AREA} pixels and {MAX_SIDE} on a side are made",
            field=field,
        )
    if seen is not None:
        _save(_resized(seen, wanted), out, f"to {wanted[0]}x{wanted[1]}", seen)
        return Print(width=wanted[0], height=wanted[1], used=(), ignored=())
    # As big as it needs to be on the way: a factor of 16 of a part would be more than memory holds.
    nearly = source if source.width * source.height * factor**2 <= MAX_AREA else None
    enlarged = _enlarged(nearly, factor) if nearly else source
    _save(enlarged.resize(wanted, Image.Resampling.LANCZOS), out, f"to {wanted[0]}x{wanted[1]}")
    return Print(width=wanted[0], height=wanted[1], used=(), ignored=())


def _wanted(source: Image.Image, width: int | None, height: int | None) -> tuple[int, int]:
    """The size to be made, in the picture's shape and no smaller than it."""
    field = "width" if width else "height"
    if not width and not height:
        raise StudioError("a width or a height is needed", field="width")
    zoom = width / source.width if width else (height or 0) / source.height
    wanted = width or round(source.width * zoom), height or round(source.height * zoom)
    if zoom < 1 - 1e-6:
        raise StudioError(
            f"{wanted[0]}x{wanted[1]} is smaller than the picture, {source.width}x{source.height}", field=field
        )
    if abs(wanted[1] / source.height / zoom - 1) > SAME_SHAPE:
        raise StudioError(
            f"{wanted[0]}x{wanted[1]} is of another shape than the picture, {source.width}x{source.height}",
            field="height",
        )
    return wanted


def _resized(seen: Path, size: tuple[int, int]) -> Image.Image:
    made = picture.load(seen)
    return made if made.size == size else made.resize(size, Image.Resampling.LANCZOS)


def _save(image: Image.Image, out: Path, how: str, seen: Path | None = None) -> None:
    means = f"resampled {how}, no model" if seen is None else f"enlarged {how} by a model"
    told = f"mutoscope studio {VERSION} ({means})"
    picture.save(image, out, told, packing=picture.SEARCH)


def _enlarged(source: Image.Image, factor: int) -> Image.Image:
    if source.mode != "RGBA":
        return Image.fromarray(enlarge(np.asarray(source, np.uint8), factor))
    # With premultiplied colours what is transparent does not bleed into what is not.
    found = enlarge(np.asarray(source.convert("RGBa"), np.uint8), factor)
    np.minimum(found[..., :3], found[..., 3:], out=found[..., :3])
    size = found.shape[1], found.shape[0]
    return Image.frombytes("RGBa", size, found.tobytes()).convert("RGBA")


def enlarge(pixels: Bytes, factor: int) -> Bytes:
    """(H, W, C), 8 bits a channel → (H · factor, W · factor, C)."""
    height, width, channels = pixels.shape
    result = np.empty((height * factor, width * factor, channels), np.uint8)
    for top in range(0, height, BAND):
        bottom = min(height, top + BAND)
        above, below = max(0, top - OVERLAP), min(height, bottom + OVERLAP)
        band = _enlarge_band(np.ascontiguousarray(pixels[above:below]), factor)
        result[top * factor : bottom * factor] = band[(top - above) * factor : (bottom - above) * factor]
    return result


def _enlarge_band(pixels: Bytes, factor: int) -> Bytes:
    height, width = pixels.shape[:2]
    size = width * factor, height * factor
    first = cv2.resize(pixels, size, interpolation=cv2.INTER_CUBIC)
    lost = pixels.astype(np.int16) - cv2.resize(first, (width, height), interpolation=cv2.INTER_AREA)
    back = cv2.resize(lost, size, interpolation=cv2.INTER_CUBIC)
    return np.asarray(cv2.add(first, back, dtype=cv2.CV_8U), np.uint8)
