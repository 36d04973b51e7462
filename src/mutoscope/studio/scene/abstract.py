"""Colour without things: the answer to every prompt that names no place. The seed chooses among several forms."""

import colorsys
import math

import cv2
import numpy as np

from mutoscope.studio.scene.noise import fbm
from mutoscope.studio.scene.raster import (
    Floats,
    bands,
    blend,
    clip,
    colour,
    columns,
    floats,
    mix,
    resize,
    rows_of,
    sample,
    smoothstep,
)
from mutoscope.studio.scene.stage import Stage

_WORKED = 1_400_000  # pixels at which the folds are computed; they are smooth and enlarge well


def paint_abstract(canvas: Floats, stage: Stage) -> Floats:
    """Fill the picture and return its depth."""
    form = _form(stage)
    if form in _SHEETED:
        return _SHEETED[form](canvas, stage)
    height, width = canvas.shape[:2]
    shrink = min(1.0, math.sqrt(_WORKED / (height * width)))
    rows, cols = max(32, round(height * shrink)), max(32, round(width * shrink))
    folds, depth = (_ribbons if form == "ribbons" else _folds)(stage, rows, cols)
    folds, depth = resize(folds, width, height, cv2.INTER_CUBIC), resize(depth, width, height, cv2.INTER_CUBIC)
    inks = _inks(stage)
    size = stage.unit / 60.0
    for band in bands(0, height, width):
        around = slice(max(0, band.start - 1), min(height, band.stop + 1))
        inner = slice(band.start - around.start, band.start - around.start + band.stop - band.start)
        canvas[band] = _inked(folds[band], inks) * 1.0
        _light_folds(canvas[band], folds[around], inner, size)
    return clip(depth * 1.3 - 0.15, 0.0, 1.0)


_WORDS = {
    "folds": {"swirl", "swirls", "swirling", "marble", "marbled", "fluid", "psychedelic"},
    "ribbons": {"gradient", "texture"},
    "orbs": {"pattern"},
}


def _form(stage: Stage) -> str:
    """The form that a word asks for, else one of chance."""
    for form, words in _WORDS.items():
        if words & set(stage.wish.used):
            return form
    return str(stage.chance(10).choice(["folds", "ribbons", "orbs", "sheets", "folds"]))


def _ribbons(stage: Stage, rows: int, cols: int) -> tuple[Floats, Floats]:
    """Long silky bands that run across the picture and overlap like hanging cloth."""
    drawn = [float(v) for v in stage.chance(21).random(5)]
    aspect = cols / rows
    turn = (drawn[0] - 0.5) * 1.6
    x = (np.arange(cols, dtype=np.float32)[None] / cols - 0.5) * aspect
    y = rows_of(slice(0, rows)) / rows - 0.5
    along, aside = x * math.cos(turn) + y * math.sin(turn), y * math.cos(turn) - x * math.sin(turn)
    sway = fbm(rows, cols, 1.4, 1.4 * aspect, 2, stage.seed + 22, 0.3) - 0.5
    total = np.zeros((rows, cols), np.float32)
    for wave in range(4):
        pitch = 1.1 + 0.8 * wave + drawn[1]
        bend = floats(np.sin(along * (1.6 + 0.9 * wave) * (1.0 + drawn[2]) + wave * 2.1 + drawn[3] * 6.3)) * 0.55
        total += floats(np.sin(aside * pitch * 3.0 + bend * 2.2 + sway * (2.5 + wave))) * (0.75**wave)
    folds = total * (0.62 + 0.35 * drawn[4]) + aside * 1.2 + 3.0
    return folds.astype(np.float32), clip(total * 0.2 + 0.5, 0.0, 1.0)


def _paint_orbs(canvas: Floats, stage: Stage) -> Floats:
    """Discs of light out of focus, over a soft ground."""
    height, width = canvas.shape[:2]
    inks = _inks(stage)
    ground = fbm(32, 32, 2.0, 2.0, 2, stage.seed + 30)
    canvas[:] = resize(_inked(ground * 0.9, inks * 0.30), width, height, cv2.INTER_CUBIC)
    near = np.full((height, width), 0.05, np.float32)
    drawn = stage.chance(31).random((58, 6))
    for x, y, large, light, ink, sharp in drawn[np.argsort(drawn[:, 2])].tolist():
        radius = stage.unit * (0.012 + 0.150 * large**2.2)
        clusters = y * 0.45 + 0.55 * (0.5 + 0.32 * math.sin(x * 4.4 + stage.seed % 7))
        place = (x * 1.1 - 0.05) * width, clusters * height
        tone = inks[int(ink * len(inks)) % len(inks)] * (0.25 + 0.75 * light)
        _paint_orb(
            canvas, near, place, radius, tone, 0.25 + 0.6 * (1.0 - large), (0.03 + 0.30 * sharp, 0.2 + 0.7 * large)
        )
    return near


def _paint_orb(
    canvas: Floats,
    near: Floats,
    place: tuple[float, float],
    radius: float,
    tone: Floats,
    strong: float,
    look: tuple[float, float],
) -> None:
    """One disc, brighter at its rim as a lens draws it; look is (softness of the edge, depth)."""
    column, row = place
    rows = slice(max(0, int(row - radius * 1.4)), min(canvas.shape[0], int(row + radius * 1.4) + 1))
    cols = slice(max(0, int(column - radius * 1.4)), min(canvas.shape[1], int(column + radius * 1.4) + 1))
    if rows.start >= rows.stop or cols.start >= cols.stop:
        return
    x = (np.arange(cols.start, cols.stop, dtype=np.float32)[None] - column) * (1.0 / radius)
    out = floats(np.hypot(x, (rows_of(rows) - row) * (1.0 / radius)))
    soft = max(look[0], 1.5 / radius)
    disc = smoothstep(1.0 + soft, 1.0 - soft, out) * (0.55 + 0.55 * floats(np.exp(-((out - 0.93) ** 2) * 60.0)))
    canvas[rows, cols] += tone * (disc * strong)[..., None]
    near[rows, cols] = np.where(out < 1.0, floats(np.maximum(near[rows, cols], look[1])), near[rows, cols])


def _paint_sheets(canvas: Floats, stage: Stage) -> Floats:
    """Sheets of cut paper, one over the other, each with the shadow of the one above it."""
    height, width = canvas.shape[:2]
    inks = _inks(stage)
    drawn = [float(v) for v in stage.chance(41).random(4)]
    centre = ((0.25 + 0.5 * drawn[0]) * width, (0.25 + 0.5 * drawn[1]) * height)
    bend = fbm(height, width, 1.6, 1.6 * width / height, 2, stage.seed + 42, 0.35) - 0.5
    far = floats(np.hypot(columns(width) - centre[0], rows_of(slice(0, height)) - centre[1])) * (1.0 / stage.unit)
    field = far * (1.35 + 0.5 * drawn[2]) + bend * (0.85 + 0.5 * drawn[3])
    sheets = 9
    near = np.zeros((height, width), np.float32)
    canvas[:] = inks[0] * 0.6
    grain = fbm(height, width, height / 5.0, width / 5.0, 2, stage.seed + 43) - 0.5
    pixel = 1.6 / stage.unit
    for sheet in range(sheets):
        share = sheet / (sheets - 1)
        edge = 0.06 + 0.105 * sheet
        tone = _inked(np.full((1, 1), 0.06 + 0.90 * share, np.float32), inks)[0, 0]
        for band in bands(0, height, width):
            past = field[band] - edge
            canvas[band] *= (1.0 - 0.50 * smoothstep(-0.050, 0.004, past))[..., None]
            paint = (
                tone * (1.0 + 0.22 * grain[band])[..., None] * (0.86 + 0.14 * smoothstep(0.0, 0.07, past))[..., None]
            )
            cover = smoothstep(-pixel, pixel, past)
            blend(canvas[band], paint, cover)
            near[band] = np.where(cover > 0.5, np.float32(0.1 + 0.85 * share), near[band])
    return near


_SHEETED = {"orbs": _paint_orbs, "sheets": _paint_sheets}


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
    named = [colour(*rgb) for rgb in (stage.wish.colours or stage.wish.moods)]
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
