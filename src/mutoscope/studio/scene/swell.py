"""A sea in a storm: a map of waves in perspective, so that they hide each other and break on their crests."""

import math

import cv2
import numpy as np

from mutoscope.studio.scene.heights import SIZE
from mutoscope.studio.scene.noise import fbm, ridged, tile
from mutoscope.studio.scene.raster import (
    Floats,
    bands,
    blend,
    blur,
    clip,
    colour,
    floats,
    mix,
    rows_of,
    sample,
    sample_tile,
    smoothstep,
)
from mutoscope.studio.scene.stage import Stage
from mutoscope.studio.scene.view import depth_of, distances, look, soften_edges, tangents

_EYE = 11.0


def paint_swell(canvas: Floats, stage: Stage) -> Floats:
    """Paint the waves over the sky and return their depth."""
    heights = _waves(stage)
    eye = float(np.percentile(heights[:40], 90)) + _EYE
    view = look(heights, eye, stage)
    lit = _lit(stage, heights)
    chop = _chop(stage)
    near = np.zeros(canvas.shape[:2], np.float32)
    for band in bands(max(0, math.floor(float(view.crest[-1].min()))), stage.height, stage.width):
        rows = rows_of(band)
        distance = distances(view, band, rows)
        across = SIZE / 2 + distance * tangents(stage)
        paint = sample(lit, across, distance, cv2.BORDER_REFLECT)
        paint *= _roughness(chop, stage, across, distance)[..., None]
        air = 1.0 - floats(np.exp(-distance * (1.0 / (420.0 if stage.wish.has("rain", "fog") else 800.0))))
        blend(paint, stage.light("haze") * 0.80, clip(air * 1.05, 0.0, 0.9))
        blend(canvas[band], paint, clip(rows + 1.0 - view.crest[-1], 0.0, 1.0))
        near[band] = np.where(view.first[band] < len(view.slices), depth_of(distance), 0.0)
    soften_edges(canvas, near, view)
    return near


def _waves(stage: Stage) -> Floats:
    """Long crests that come towards the viewer, each broken and carried by smaller ones."""
    across = np.arange(SIZE, dtype=np.float32)[None] - SIZE / 2
    away = np.arange(SIZE, dtype=np.float32)[:, None]
    seed = stage.seed + 840
    total = np.zeros((SIZE, SIZE), np.float32)
    for at, (length, high, lean) in enumerate(((104.0, 12.0, 0.14), (52.0, 6.0, -0.26), (23.0, 2.6, 0.36))):
        bend = fbm(SIZE, SIZE, 560.0 / length, 560.0 / length, 3, seed + at, 0.5) * 6.5
        wave = floats(np.sin((away + across * lean) * (2.0 * math.pi / length) + bend)) * 0.5 + 0.5
        share = 0.25 + 1.15 * smoothstep(0.25, 0.75, fbm(SIZE, SIZE, 520.0 / length, 300.0 / length, 2, seed + 10 + at))
        total += wave**3.0 * share * high  # crests are sharp, troughs are round
    total += ridged(SIZE, 62.0, 4, seed + 20, gain=0.6, erosion=0.0) * 3.0
    return blur(total, 0.7)


def _lit(stage: Stage, heights: Floats) -> Floats:
    """Deep water on the faces, sky on what lies flat, light through the thin crests, and foam."""
    away = floats(cv2.Sobel(heights, cv2.CV_32F, 0, 1, ksize=3, scale=0.125))
    across = floats(cv2.Sobel(heights, cv2.CV_32F, 1, 0, ksize=3, scale=0.125))
    face = smoothstep(-0.25, 0.55, away)  # how much a place rises away from the viewer, so that he sees into it
    named = stage.wish.tint("water")
    body = colour(*named) * 0.30 if named is not None else colour(0.034, 0.078, 0.086)
    ambient, sun = stage.light("ambient"), stage.light("sun")
    deep = body * (ambient * 2.6 + sun * (0.35 * stage.palette.direct) + 0.10 * (0.3 if stage.dark else 1.0))
    sky = stage.light("haze") * 0.46 + ambient * 0.12
    water = mix(sky, deep, (0.42 + 0.56 * face)[..., None])
    crest = smoothstep(0.6, 5.0, heights - blur(heights, 11.0))
    water += body * (crest * face)[..., None] * (1.5 * (stage.light("haze") + sun * stage.palette.direct))
    side = math.copysign(1.0, stage.sun[0] - stage.width / 2)
    water *= clip(1.0 - across * side * 0.55, 0.6, 1.45)[..., None]
    white = stage.light("haze") * 0.62 + colour(0.30, 0.32, 0.33) * (0.35 if stage.dark else 1.0)
    return mix(water, white, _foam(stage, crest)[..., None])


def _foam(stage: Stage, crest: Floats) -> Floats:
    """White where crests break, and old foam that the wind draws into streaks."""
    seed = stage.seed + 860
    lace = ridged(SIZE, 70.0, 3, seed, gain=0.6, erosion=0.0)
    breaking = smoothstep(0.45, 0.95, crest) * smoothstep(0.42, 0.58, fbm(SIZE, SIZE, 26.0, 20.0, 4, seed + 1))
    streaks = smoothstep(0.70, 0.92, lace) * smoothstep(0.50, 0.66, fbm(SIZE, SIZE, 16.0, 9.0, 3, seed + 2))
    return clip(breaking * (0.55 + 0.6 * lace) + streaks * 0.22, 0.0, 0.96)


def _chop(stage: Stage) -> Floats:
    field = tile(512, 32, 5, stage.seed + 880, 0.62)
    sharp = 1.0 - floats(np.abs(field - float(field.mean()))) * 5.0
    return floats(sharp - float(sharp.mean()))


def _roughness(chop: Floats, stage: Stage, across: Floats, distance: Floats) -> Floats:
    """Small waves under the resolution of the map, faded out where they would be finer than the pixels."""
    shade = np.ones_like(distance)
    for length, strength in ((7.0, 0.16), (2.2, 0.24), (0.7, 0.22)):
        seen = clip((length * stage.focal / distance - 3.0) * (1.0 / 9.0), 0.0, 1.0) * strength
        scale = 16.0 / length
        shade += sample_tile(chop, across * (scale * 0.30), distance * scale) * seen
    return clip(shade, 0.45, 1.7)
