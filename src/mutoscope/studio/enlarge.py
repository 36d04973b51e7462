"""Bigger pictures by resampling. No detail is invented: reduced again, the result is the original."""

from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from mutoscope.studio import alpha
from mutoscope.studio.clip import VERSION, Print
from mutoscope.studio.error import StudioError
from mutoscope.studio.planes import Bytes

FACTORS = (2, 4, 8, 16)
MAX_AREA = 64_000_000  # pixels of the result
MAX_SIDE = 16_384
BAND = 256  # rows of the source that are enlarged at a time, for memory's sake
OVERLAP = 8  # more rows on each side of a band than the two filters reach together


def enlarge_image(image: Path, out: Path, *, factor: int) -> Print:
    """Write the picture to `out` as PNG, `factor` (2, 4, 8 or 16) times as wide and as high.

    Bicubic resampling and one step of back-projection, which gives back the contrast that the first loses:
    averaged over factor × factor pixels, the result is the given picture. Transparency is kept. The same
    arguments give the same bytes. Raises StudioError with the field "image" or "factor".
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
    notes = PngInfo()
    notes.add_itxt("Comment", f"mutoscope studio {VERSION} (resampled {factor}x, no model)")
    _enlarged(source, factor).save(out, format="PNG", pnginfo=notes, compress_level=4)
    return Print(width=width, height=height, used=(), ignored=())


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
