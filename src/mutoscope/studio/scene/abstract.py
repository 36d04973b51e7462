"""Folded flowing colour: the answer to every prompt that names no place."""

import colorsys
import math

import cv2
import numpy as np

from mutoscope.studio.scene.noise import fbm
from mutoscope.studio.scene.raster import Floats, bands, clip, colour, floats, mix, resize, rows_of, sample
from mutoscope.studio.scene.stage import Stage

_WORKED = 1_400_000  # pixels at which the folds are computed; they are smooth and enlarge well


def paint_abstract(canvas: Floats, stage: Stage) -> Floats:
    """Fill the picture and return its depth: the height of the folds."""
    height, width = canvas.shape[:2]
    shrink = min(1.0, math.sqrt(_WORKED / (height * width)))
    rows, cols = max(32, round(height * shrink)), max(32, round(width * shrink))
    folds, depth = _folds(stage, rows, cols)
    folds, depth = resize(folds, width, height, cv2.INTER_CUBIC), resize(depth, width, height, cv2.INTER_CUBIC)
    inks = _inks(stage)
    size = stage.unit / 60.0
    for band in bands(0, height, width):
        around = slice(max(0, band.start - 1), min(height, band.stop + 1))
        inner = slice(band.start - around.start, band.start - around.start + band.stop - band.start)
        canvas[band] = _inked(folds[band], inks) * 1.0
        _light_folds(canvas[band], folds[around], inner, size)
    return clip(depth * 1.3 - 0.15, 0.0, 1.0)


def _folds(stage: Stage, rows: int, cols: int) -> tuple[Floats, Floats]:
    """Noise that bends noise that bends noise: the first field carries the colours, the second the depth."""
    drawn = [float(v) for v in stage.chance(11).random(4)]
    aspect = cols / rows
    cells = 0.9 + 0.8 * drawn[0]
    first = fbm(rows, cols, cells, cells * aspect, 6, stage.seed + 1, 0.42)
    second = fbm(rows, cols, cells, cells * aspect, 6, stage.seed + 2, 0.42)
    strength = min(rows, cols) * (0.75 + 0.55 * drawn[1])
    x = np.arange(cols, dtype=np.float32)[None]
    y = rows_of(slice(0, rows))

    def bend(field: Floats, across: Floats, down: Floats, by: float) -> Floats:
        return sample(field, x + (across - 0.5) * by, y + (down - 0.5) * by, cv2.BORDER_REFLECT)

    once = bend(first, second, first, strength)
    twice = bend(second, once, second, strength * 1.5)
    return (once * 0.7 + twice * 0.9) * (2.6 + 2.2 * drawn[2]), once


def _inks(stage: Stage) -> Floats:
    """Four to six colours from dark to light and back; those that were named lead."""
    named = [colour(*rgb) for rgb in stage.wish.colours]
    if named:
        inks = [named[0] * 0.28, *named, clip(named[-1] * 0.5 + 0.48, 0.0, 1.0)]
    else:
        hue, near, across = (float(v) for v in stage.chance(13).random(3))
        inks = [
            colour(*colorsys.hsv_to_rgb((hue + turn) % 1.0, saturation, value))
            for turn, saturation, value in (
                (0.0, 0.80, 0.24),
                (0.05 + 0.10 * near, 0.72, 0.66),
                (0.10 + 0.12 * near, 0.55, 0.95),
                (0.52 + 0.10 * across, 0.16, 0.98),
                (0.48 + 0.12 * across, 0.62, 0.80),
            )
        ]
    return floats(np.stack(inks))


def _inked(folds: Floats, inks: Floats) -> Floats:
    place = floats(np.abs(np.mod(folds, 2.0) - 1.0)) * (len(inks) - 1)
    ink = np.clip(place.astype(np.int32), 0, len(inks) - 2)
    share = (place - ink)[..., None].astype(np.float32)
    return mix(inks[ink], inks[ink + 1], share * share * (3.0 - 2.0 * share))


def _light_folds(canvas: Floats, folds: Floats, inner: slice, size: float) -> None:
    """Light falls from the upper left, with a soft shine on the ridges; folds has a row more on each side."""
    across = floats(cv2.Sobel(folds, cv2.CV_32F, 1, 0, ksize=3, scale=0.5))[inner] * (size * 0.5)
    down = floats(cv2.Sobel(folds, cv2.CV_32F, 0, 1, ksize=3, scale=0.5))[inner] * (size * 0.5)
    upright = 1.0 / floats(np.sqrt(across * across + down * down + 1.0))
    facing = clip((1.0 - 0.6 * across - 0.6 * down) * upright * 0.74, 0.0, 1.4)
    canvas *= (0.40 + 0.72 * facing)[..., None]
    canvas += (clip(facing - 0.86, 0.0, 1.0) ** 2 * 2.6)[..., None]
