"""From light to picture: rays and bloom, the film curve, the manner of painting."""

import math
from collections.abc import Callable

import cv2
import numpy as np

from mutoscope.studio.scene.noise import fbm
from mutoscope.studio.scene.raster import (
    Bytes,
    Floats,
    bands,
    blur,
    clip,
    colour,
    columns,
    floats,
    resize,
    rows_of,
    shrink,
    zoom,
)
from mutoscope.studio.scene.stage import Stage

_LUMA = colour(0.30, 0.59, 0.11)
_USUAL = 1.12  # how much livelier colours are than the light that makes them
_SATURATION = {"vivid": 1.38, "film": 0.95, "mono": 0.0, "sepia": 0.0, "sketch": 0.0, "pastel": 0.85, "pixels": 1.35}
_GRAIN = {"film": 0.050, "sepia": 0.045}


def develop(canvas: Floats, stage: Stage) -> Bytes:
    """The picture in 8-bit sRGB; the canvas is used up."""
    if stage.place not in ("space", "abstract"):
        _add_rays(canvas, stage)
    _add_bloom(canvas, stage)
    return _expose(canvas, stage)


def finish(picture: Bytes, stage: Stage) -> Bytes:
    """The picture in the manner that was asked for: strokes, washes, pencil lines, dots."""
    for style in stage.wish.styles:
        if style in _FINISHES:
            return _FINISHES[style](picture, stage)
    return picture


def _add_rays(canvas: Floats, stage: Stage) -> None:
    """Beams that spread from the sun where the land leaves gaps: the bright parts, smeared away from it."""
    if stage.time not in ("sunset", "dawn", "day") or stage.palette.direct < 0.3 or stage.palette.altitude > 1.0:
        return
    height, width = canvas.shape[:2]
    small_width, small_height = max(8, width // 8), max(8, height // 8)
    small = shrink(canvas, small_width, small_height)
    bright = clip(small.mean(2) - 0.78, 0.0, 1.0)
    x, y = stage.sun[0] * small_width / width, stage.sun[1] * small_height / height
    rays = bright.copy()
    for step in range(1, 25):
        near = 1.0 - 0.024 * step
        matrix = np.array([[near, 0.0, x * (1.0 - near)], [0.0, near, y * (1.0 - near)]], np.float64)
        rays += zoom(bright, matrix) * 0.955**step
    _add_light(canvas, blur(rays, 2.0) * 0.017, stage.light("sun"))


def _add_bloom(canvas: Floats, stage: Stage) -> None:
    """Very bright things shine over their edges."""
    height, width = canvas.shape[:2]
    small = shrink(canvas, width // 4, height // 4)
    _add_light(canvas, blur(clip(small - 0.8, 0.0, 2.0), stage.unit / 500.0) * 0.5, None)


def _add_light(canvas: Floats, light: Floats, tint: Floats | None) -> None:
    """Add a small field or image, enlarged to the canvas, in bands."""
    height, width = canvas.shape[:2]
    full = resize(light, width, height)
    if tint is None:
        canvas += full
        return
    for band in bands(0, height, width):
        canvas[band] += full[band][..., None] * tint


def _expose(canvas: Floats, stage: Stage) -> Bytes:
    height, width = canvas.shape[:2]
    picture = np.empty((height, width, 3), np.uint8)
    styles = stage.wish.styles
    changes = [_SATURATION[style] / _USUAL for style in styles if style in _SATURATION]
    saturation = _USUAL * math.prod(changes)
    coarse = max((_GRAIN.get(style, 0.0) for style in styles), default=0.0) or 0.010
    across = (columns(width) * (1.0 / width) - 0.5) ** 2
    grain = stage.chance(99)
    for band in bands(0, height, width):
        light = floats(np.maximum(canvas[band], 0.0)) * 1.02
        light = light * (2.2 * light + 0.12) / (light * (1.95 * light + 0.62) + 0.14)
        grey = floats(light @ _LUMA)[..., None]
        light = grey + (light - grey) * saturation
        if "film" in styles:
            light = light * colour(1.02, 1.0, 0.96) + colour(-0.005, 0.005, 0.018) * (1.0 - grey)
        if "sepia" in styles:
            light = light * colour(1.06, 0.90, 0.68) + colour(0.045, 0.030, 0.012)
        down = (rows_of(band) * (1.0 / height) - 0.5) ** 2
        light *= (1.0 - 0.5 * (across + down))[..., None]
        # fine grain hides the steps of 8 bits in a smooth sky
        noise = grain.random(light.shape[:2], dtype=np.float32) - 0.5
        light += (noise * coarse)[..., None]
        picture[band] = np.clip(light * 255.0 + 0.5, 0.0, 255.0).astype(np.uint8)
    return picture


def _oil(picture: Bytes, stage: Stage) -> Bytes:
    """Flat strokes with hard edges, and a canvas under them."""
    size = 7 if min(stage.width, stage.height) > 600 else 5
    strokes = _flattened(np.asarray(cv2.medianBlur(picture, size), np.uint8), 1, 18.0, 0.32)
    weave = fbm(stage.height, stage.width, stage.height / 3.0, stage.width / 9.0, 2, stage.seed + 97) - 0.5
    return _textured(strokes, weave, 0.12, 0.0)


def _watercolour(picture: Bytes, stage: Stage) -> Bytes:
    """Washes that run into each other on rough paper."""
    washes = _flattened(np.asarray(cv2.medianBlur(picture, 5), np.uint8), 2, 40.0, 0.42)
    paper = fbm(stage.height, stage.width, stage.height / 6.0, stage.width / 6.0, 3, stage.seed + 98) - 0.5
    return _textured(washes, paper, 0.16, 0.20)


def _flattened(picture: Bytes, kind: int, reach: float, contrast: float) -> Bytes:
    """Edge-preserving smoothing in strips that overlap by twice its reach: the filter needs much memory."""
    result = np.empty_like(picture)
    height, overlap, tall = picture.shape[0], int(2 * reach), 480
    for top in range(0, height, tall):
        first, last = max(0, top - overlap), min(height, top + tall + overlap)
        strip = cv2.edgePreservingFilter(picture[first:last], flags=kind, sigma_s=reach, sigma_r=contrast)
        result[top : top + tall] = strip[top - first : top - first + tall]
    return result


def _textured(picture: Bytes, texture: Floats, strength: float, white: float) -> Bytes:
    height, width = texture.shape
    for band in bands(0, height, width):
        light = picture[band].astype(np.float32) * (1.0 - white) + 255.0 * white
        light *= (1.0 + texture[band] * strength)[..., None]
        picture[band] = np.clip(light, 0.0, 255.0).astype(np.uint8)
    return picture


def _sketch(picture: Bytes, stage: Stage) -> Bytes:
    """Pencil on paper: dark where light changes within a stroke's width, hatched where the picture is dark."""
    size = stage.unit / 1440.0
    grey = picture[..., 1]
    wide = np.asarray(cv2.GaussianBlur(grey, (0, 0), 1.2 + 7.0 * size), np.uint8)
    paper = fbm(stage.height, stage.width, stage.height / 3.0, stage.width / 3.0, 2, stage.seed + 96) - 0.5
    pitch = 4.6 * size + 1.8
    for band in bands(0, stage.height, stage.width):
        line = clip(grey[band].astype(np.float32) / np.maximum(wide[band].astype(np.float32), 6.0), 0.0, 1.0) ** 5.0
        dark = 1.0 - wide[band].astype(np.float32) * (1.0 / 255.0)
        x, y = columns(stage.width), rows_of(band)
        light = line
        for slope, from_dark in ((0.9, 0.42), (-0.8, 0.66), (0.1, 0.82)):
            stroke = floats(np.sin((x + y * slope + paper[band] * 9.0) * (6.283 / pitch))) * 0.5 + 0.5
            hatch = clip((dark - from_dark) * 2.6, 0.0, 0.75) * stroke * (0.7 + 0.9 * (paper[band] + 0.5))
            light = light * (1.0 - hatch * 0.62)
        light = light * (0.80 + 0.20 * (1.0 - dark)) * (0.985 + 0.07 * paper[band])
        picture[band] = np.clip(light[..., None] * colour(250.0, 247.0, 240.0) + 6.0, 0.0, 255.0).astype(np.uint8)
    return picture


def _pixels(picture: Bytes, stage: Stage) -> Bytes:
    """Large square dots in few colours, dithered in a regular grain."""
    cell = max(2, round(min(stage.unit / 220.0, min(stage.width, stage.height) / 24.0)))
    wide, high = max(8, stage.width // cell), max(8, stage.height // cell)
    small = np.asarray(cv2.resize(picture, (wide, high), interpolation=cv2.INTER_AREA), np.float32)
    bayer = np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]], np.float32) / 16.0 - 0.47
    grain = np.tile(bayer, (high // 4 + 1, wide // 4 + 1))[:high, :wide, None]
    steps = 9.0
    few = np.clip(np.rint(small * (steps / 255.0) + grain * 0.5) * (255.0 / steps), 0.0, 255.0).astype(np.uint8)
    return np.asarray(cv2.resize(few, (stage.width, stage.height), interpolation=cv2.INTER_NEAREST), np.uint8)


_FINISHES: dict[str, Callable[[Bytes, Stage], Bytes]] = {
    "oil": _oil,
    "watercolour": _watercolour,
    "sketch": _sketch,
    "pixels": _pixels,
}
