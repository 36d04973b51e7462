"""Deep space: lit gas, dark dust, stars, and a planet where one was asked for."""

import math

import cv2
import numpy as np

from mutoscope.studio.scene.noise import fbm, tile, warped
from mutoscope.studio.scene.raster import (
    Floats,
    bands,
    blend,
    blur,
    clip,
    colour,
    columns,
    floats,
    mix,
    resize,
    rows_of,
    sample_tile,
    smoothstep,
)
from mutoscope.studio.scene.stage import Stage

_GASES = (
    ((0.55, 0.18, 0.75), (0.12, 0.45, 0.95), (1.0, 0.42, 0.35)),
    ((0.10, 0.35, 0.70), (0.20, 0.75, 0.80), (1.0, 0.70, 0.45)),
    ((0.75, 0.20, 0.35), (0.45, 0.25, 0.80), (1.0, 0.65, 0.35)),
)


def paint_space(canvas: Floats, stage: Stage) -> Floats:
    """Fill the picture and return its depth: brighter gas is nearer, a planet nearest."""
    near = _paint_gas(canvas, stage)
    _paint_stars(canvas, stage)
    if stage.wish.has("planet", "rings"):
        _paint_planet(canvas, near, stage)
    return near


def _paint_gas(canvas: Floats, stage: Stage) -> Floats:
    height, width = canvas.shape[:2]
    # gas is soft: half the size is enough, and a quarter of the work
    small_height, small_width = max(16, height // 2), max(16, width // 2)
    aspect = width / height
    cloud = fbm(small_height, small_width, 2.2, 2.2 * aspect, 8, stage.seed + 1, 0.55)
    dust = fbm(small_height, small_width, 3.0, 3.0 * aspect, 7, stage.seed + 2, 0.55)
    bent = warped(dust, min(small_height, small_width) * 0.75, 2.4, stage.seed + 3)
    main, second, core = _gas_colours(stage)
    body = smoothstep(0.26, 0.72, bent)
    veil = smoothstep(0.40, 0.70, cloud * 0.6 + bent * 0.4)
    heart = smoothstep(0.55, 0.82, bent * cloud * 2.0)
    dark = 1.0 - smoothstep(0.50, 0.70, dust) * 0.60
    gas = colour(0.006, 0.008, 0.020) + (body**1.6 * dark)[..., None] * main * 0.85
    gas += (veil * body * dark)[..., None] * second * 0.9
    gas += (heart * heart)[..., None] * core * 1.2
    canvas[:] = resize(gas, width, height, cv2.INTER_CUBIC)
    return resize(clip(body * 0.45 + 0.05, 0.0, 0.5), width, height)


def _gas_colours(stage: Stage) -> tuple[Floats, Floats, Floats]:
    named = [colour(*rgb) for rgb in stage.wish.colours]
    if not named:
        chosen = _GASES[int(stage.chance(4).integers(0, len(_GASES)))]
        return colour(*chosen[0]), colour(*chosen[1]), colour(*chosen[2])
    if len(named) == 1:
        return (
            named[0],
            mix(named[0], colour(0.25, 0.45, 1.0), 0.45) * 0.75,
            mix(named[0], colour(1.0, 0.85, 0.8), 0.5) * 0.7,
        )
    return named[0], named[1], named[2] if len(named) > 2 else mix(named[0], named[1], 0.5) + 0.25


def _paint_stars(canvas: Floats, stage: Stage) -> None:
    height, width = canvas.shape[:2]
    size = max(0.6, stage.unit / 1440.0)
    drawn = stage.chance(5).random((2400, 4), dtype=np.float32)
    faint = np.zeros((height, width), np.float32)
    rows, cols = (drawn[:, 1] * (height - 1)).astype(np.int64), (drawn[:, 0] * (width - 1)).astype(np.int64)
    faint[rows, cols] = drawn[:, 2] ** 12 * 1.6 + 0.05
    canvas += (blur(faint, 0.5 * size + 0.1) * (1.0 + 2.0 * size * size))[..., None] * colour(1.0, 0.97, 0.93)
    for x, y, light, warm in stage.chance(8).random((14, 4)).tolist():
        tint = mix(colour(0.72, 0.84, 1.0), colour(1.0, 0.82, 0.62), warm)
        _paint_flare(canvas, x * width, y * height, stage.unit * (0.006 + 0.014 * light**4), tint)


def _paint_flare(canvas: Floats, column: float, row: float, size: float, tint: Floats) -> None:
    """A bright star with a halo and four fine spikes."""
    reach = int(size * 5) + 2
    rows = slice(max(0, int(row) - reach), min(canvas.shape[0], int(row) + reach))
    cols = slice(max(0, int(column) - reach), min(canvas.shape[1], int(column) + reach))
    x = (np.arange(cols.start, cols.stop, dtype=np.float32)[None] - column) * (1.0 / size)
    y = (rows_of(rows) - row) * (1.0 / size)
    halo = np.exp(-(x * x + y * y) * 9.0) * 1.6 + np.exp(-np.hypot(x, y) * 2.6) * 0.35
    spikes = np.exp(-np.abs(x) * 1.7 - np.abs(y) * 26.0) + np.exp(-np.abs(y) * 1.7 - np.abs(x) * 26.0)
    canvas[rows, cols] += floats(halo + spikes * 0.55)[..., None] * tint


def _paint_planet(canvas: Floats, near: Floats, stage: Stage) -> None:
    """A banded globe, lit from the side of the sun, with a thin shining air."""
    drawn = stage.chance(12).random(3)
    radius = stage.unit * (0.16 + 0.06 * float(drawn[0])) * stage.zoom * (0.85 if stage.wish.has("rings") else 1.0)
    right = stage.sun[0] < stage.width / 2
    column = stage.width * (0.70 if right else 0.30)
    row = stage.height * (0.42 + 0.2 * float(drawn[1]))
    skin = tile(512, 8, 6, stage.seed + 13)
    named = stage.wish.colours
    warm = colour(*named[0]) if named else colour(0.86, 0.62, 0.42)
    pale = colour(*named[-1]) * 0.5 + 0.4 if named else colour(0.92, 0.84, 0.74)
    toward = math.copysign(0.75, stage.sun[0] - column)
    for band in bands(max(0, int(row - radius * 1.2)), min(stage.height, int(row + radius * 1.2) + 1), stage.width):
        x = (columns(stage.width) - column) * (1.0 / radius)
        y = (rows_of(band) - row) * (1.0 / radius)
        out = x * x + y * y
        front = floats(np.sqrt(np.maximum(1.0 - out, 0.0)))
        tilt = y * 0.95 + x * 0.22
        storm = sample_tile(skin, x * 60.0 / (front + 0.35), tilt * 90.0) - 0.5
        stripes = floats(np.sin(tilt * 15.0 + storm * 4.5)) * 0.5 + 0.5
        light = clip(x * toward - y * 0.40 + front * 0.48, 0.0, 1.2)
        globe = mix(warm * 0.75, pale, stripes[..., None]) * (light * 1.15 + 0.012)[..., None]
        cover = smoothstep(1.0 + 2.5 / radius, 1.0 - 2.5 / radius, out)
        air = floats(np.exp(-np.abs(floats(np.sqrt(out)) - 1.0) * 26.0)) * clip(x * toward - y * 0.4 + 0.35, 0.0, 1.0)
        blend(canvas[band], globe, cover)
        canvas[band] += air[..., None] * mix(warm, colour(0.6, 0.8, 1.0), 0.6) * 0.55
        near[band] = np.where(cover > 0.5, 0.6 + 0.3 * front, near[band])
    if stage.wish.has("rings"):
        _paint_rings(canvas, near, stage, (column, row, radius), mix(warm, pale, 0.6))


def _paint_rings(canvas: Floats, near: Floats, stage: Stage, globe: tuple[float, float, float], tone: Floats) -> None:
    """A flat disc of bands around the globe, before it below its middle and behind it above."""
    column, row, radius = globe
    tilt = math.radians(-16.0 if stage.chance(14).random() < 0.5 else 16.0)
    flat = 0.20 + 0.10 * float(stage.chance(15).random())
    grooves = fbm(2, 1024, 1.0, 46.0, 4, stage.seed + 16, 0.6)[1]
    sun = math.copysign(1.0, stage.sun[0] - column)
    for band in bands(max(0, int(row - radius * 2.4)), min(stage.height, int(row + radius * 2.4) + 1), stage.width):
        x = (columns(stage.width) - column) * (1.0 / radius)
        y = (rows_of(band) - row) * (1.0 / radius)
        along, aside = x * math.cos(tilt) + y * math.sin(tilt), y * math.cos(tilt) - x * math.sin(tilt)
        out = floats(np.hypot(along, aside * (1.0 / flat)))
        groove = grooves[np.clip((out - 1.25) * 1050.0, 0, 1023).astype(np.int64)]
        cover = smoothstep(1.26, 1.30, out) * smoothstep(2.20, 2.12, out) * (0.18 + 1.3 * clip(groove - 0.2, 0.0, 0.6))
        cover = cover * (1.0 - 0.85 * smoothstep(0.035, 0.02, floats(np.abs(out - 1.80))))
        hidden = (x * x + y * y < 1.0) & (aside < 0)
        # the globe's shadow lies on the ring behind it, away from the sun
        shadow = smoothstep(0.95, 1.05, floats(np.hypot(along + sun * 0.35, aside * 1.6)))
        lit = 0.30 + 0.70 * floats(np.where(aside < 0, shadow, np.float32(1.0)))
        cover = floats(np.where(hidden, np.float32(0.0), clip(cover, 0.0, 0.92)))
        blend(canvas[band], tone * (0.55 + 0.7 * groove)[..., None] * lit[..., None], cover)
        near[band] = np.where(cover > 0.4, 0.72, near[band])
