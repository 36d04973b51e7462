"""Pictures as vector paths, traced by colour with vtracer where it is installed."""

import re
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from PIL import Image

from mutoscope.studio import alpha
from mutoscope.studio.clip import VERSION
from mutoscope.studio.error import StudioError

MAX_SIDE = 1024  # pixels of the longer side that is traced; the paths cover the picture's own size
EXTRA = 'install the extra: pip install "mutoscope[trace]"'
SHAPES: dict[str, dict[str, int]] = {
    "plain": {"color_precision": 4, "layer_difference": 32, "filter_speckle": 8, "path_precision": 1},
    "fair": {"color_precision": 5, "layer_difference": 24, "filter_speckle": 4, "path_precision": 1},
    "fine": {"color_precision": 6, "layer_difference": 12, "filter_speckle": 2, "path_precision": 2},
}
"""vtracer's settings for each detail: bits of a colour, difference between layers, the least spot, decimals."""

Detail = Literal["plain", "fair", "fine"]


@dataclass(frozen=True)
class Tracing:
    """A picture that was traced."""

    width: int  # of the drawing, in pixels
    height: int
    paths: int
    bytes: int


def trace_image(image: Path, out: Path, *, detail: Detail = "fair", grey: bool = False) -> Tracing:
    """Write the picture to `out` as SVG: flat areas of colour (sRGB) bounded by splines, in the picture's own size.

    `detail` trades the number of colours and spots for the file's size; `grey` traces without colour. What is more
    than half transparent stays empty. The same arguments give the same bytes. Raises StudioError: with the field
    "image" for what cannot be read, with "detail" for an unknown one, with none where vtracer is not installed.
    """
    try:
        import vtracer  # an optional dependency
    except ImportError as error:
        raise StudioError(f"tracing pictures needs vtracer, which is not installed; {EXTRA}") from error
    if detail not in SHAPES:
        raise StudioError(f"the detail is {detail!r}; it must be one of {', '.join(SHAPES)}", field="detail")
    source = alpha.load(image)
    drawing = vtracer.convert_raw_image_to_svg(
        _png(source, grey=grey),
        img_format="png",
        colormode="color",
        hierarchical="stacked",
        mode="spline",
        **SHAPES[detail],
    )
    text = _framed(drawing, source.width, source.height)
    out.write_text(text, encoding="utf-8")
    return Tracing(source.width, source.height, paths=text.count("<path"), bytes=len(text.encode()))


def _png(source: Image.Image, *, grey: bool) -> bytes:
    """What is traced: the picture, reduced, and smoothed a little so that noise makes no spots."""
    small = source.convert("RGBA")
    small.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.LANCZOS)
    pixels = np.array(small, np.uint8)
    colours = cv2.bilateralFilter(np.ascontiguousarray(pixels[..., :3]), 5, 24, 3)
    if grey:
        colours = cv2.cvtColor(cv2.cvtColor(colours, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    pixels[..., :3] = colours
    pixels[..., 3] = np.where(pixels[..., 3] > 127, 255, 0)
    file = BytesIO()
    Image.fromarray(pixels).save(file, format="PNG", compress_level=1)
    return file.getvalue()


def _framed(drawing: str, width: int, height: int) -> str:
    """The drawing scaled to the picture's own size, saying what made it."""
    opening = re.search(r'<svg [^>]*?width="(\d+)" height="(\d+)"[^>]*>', drawing)
    if opening is None:
        raise RuntimeError("vtracer wrote no drawing that is known here")
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {opening[1]} {opening[2]}" preserveAspectRatio="none">\n'
        f"<desc>mutoscope studio {VERSION} (traced by vtracer, no model)</desc>{drawing[opening.end() :]}"
    )
