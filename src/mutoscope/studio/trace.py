"""Pictures as vector paths, traced by colour with vtracer where it is installed."""

import re
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mutoscope.studio import alpha
from mutoscope.studio.clip import VERSION
from mutoscope.studio.error import StudioError
from mutoscope.studio.planes import Bytes

MAX_SIDE = 1024  # pixels of the longer side that is traced; the paths cover the picture's own size
EXTRA = 'install the extra: pip install "mutoscope[trace]"'
COLOURS = {"plain": 8, "fair": 20, "fine": 48}
"""How many colours a drawing has at most, for each detail."""
SPECKS = {"plain": 8, "fair": 4, "fine": 2}
"""Spots smaller than this, in pixels, squared, are left out."""
LEARNED_SIDE = 160  # pixels of the longer side from which the colours are chosen
BAND = 64  # rows whose colours are found at a time

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
    if detail not in COLOURS:
        raise StudioError(f"the detail is {detail!r}; it must be one of {', '.join(COLOURS)}", field="detail")
    source = alpha.load(image)
    drawing = vtracer.convert_raw_image_to_svg(
        _png(source, COLOURS[detail], grey=grey),
        img_format="png",
        colormode="color",
        hierarchical="stacked",
        mode="spline",
        filter_speckle=SPECKS[detail],
        # The colours are chosen already: vtracer's own merging would run soft gradients together into one.
        color_precision=8,
        layer_difference=0,
        path_precision=1,
    )
    text = _framed(drawing, source.width, source.height)
    out.write_text(text, encoding="utf-8")
    return Tracing(source.width, source.height, paths=text.count("<path"), bytes=len(text.encode()))


def _png(source: Image.Image, count: int, *, grey: bool) -> bytes:
    """What is traced: the picture reduced, without noise, in so few colours."""
    small = source.convert("RGBA")
    small.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.LANCZOS)
    pixels = np.array(small, np.uint8)
    seen = pixels[..., 3] > 127
    colours = cv2.bilateralFilter(np.ascontiguousarray(pixels[..., :3]), 7, 30, 3)
    if grey:
        colours = cv2.cvtColor(cv2.cvtColor(colours, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    pixels[..., :3] = _few_colours(np.asarray(colours, np.uint8), seen, count)
    pixels[..., 3] = np.where(seen, 255, 0)
    file = BytesIO()
    Image.fromarray(pixels).save(file, format="PNG", compress_level=1)
    return file.getvalue()


def _few_colours(rgb: Bytes, seen: NDArray[np.bool_], count: int) -> Bytes:
    """Each pixel in the nearest of `count` colours (CIE 1976), chosen by k-means among those that are seen."""
    lab = np.asarray(cv2.cvtColor(rgb.astype(np.float32) / np.float32(255), cv2.COLOR_RGB2LAB), np.float32)
    step = max(1, round(max(seen.shape) / LEARNED_SIDE))
    points = lab[::step, ::step][seen[::step, ::step]]
    if len(points) <= count:
        return rgb
    cv2.setRNGSeed(1)
    ends = cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 20, 0.5
    found = cv2.kmeans(np.ascontiguousarray(points), count, np.empty(0), ends, 1, cv2.KMEANS_PP_CENTERS)[2]
    centres = np.asarray(found, np.float32)
    shown = cv2.cvtColor(centres[None], cv2.COLOR_LAB2RGB)[0].clip(0, 1) * 255 + 0.5
    nearest = np.empty(rgb.shape[:2], np.intp)
    for top in range(0, len(lab), BAND):
        rows = lab[top : top + BAND]
        # The squared distance, without the pixel's own square, which is the same for every centre.
        nearest[top : top + BAND] = ((centres**2).sum(1) - 2 * rows @ centres.T).argmin(-1)
    return shown.astype(np.uint8)[nearest]


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
