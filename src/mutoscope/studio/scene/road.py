"""Lines that people draw on the land, painted per pixel because the map is too coarse for them: roads and furrows."""

import math

import cv2
import numpy as np

from mutoscope.studio.scene.ground import Ground
from mutoscope.studio.scene.heights import SIZE
from mutoscope.studio.scene.raster import Floats, blend, clip, colour, floats, mix, sample, smoothstep
from mutoscope.studio.scene.stage import Stage

_HALF = 4.2  # of the road's width, in map units
_SPACING = 5.0  # of furrows


def lay_road(paint: Floats, stage: Stage, ground: Ground, across: Floats, distance: Floats) -> None:
    """A road of asphalt with its lines, or a path of earth, over a band of lit land."""
    if ground.road is None:
        return
    line = sample(ground.road, floats(np.zeros_like(distance)), distance)
    beside = floats(np.abs(across - SIZE / 2 - line))
    soft = 0.06 + distance * (1.2 / stage.focal)  # about a pixel
    half = _HALF if stage.wish.has("road") else _HALF * 0.42
    light = sample(ground.light, across, distance, cv2.BORDER_REFLECT)
    if stage.wish.has("road"):
        stone = colour(0.155, 0.150, 0.155) * light
        thin = 0.16 + soft * 0.5
        dash = smoothstep(0.50, 0.58, floats(np.abs(np.mod(distance * (1 / 11.0), 1.0) - 0.5)) * 2.0)
        marks = np.maximum(smoothstep(thin, thin * 0.5, beside) * dash, _stripe(beside, half - 0.45, thin))
        stone = mix(stone, colour(0.62, 0.58, 0.48) * light, (marks * clip(1.2 - soft, 0.0, 0.9))[..., None])
    else:
        ruts = _stripe(beside, half * 0.55, half * 0.4)
        stone = mix(colour(0.30, 0.25, 0.15), colour(0.42, 0.33, 0.22), ruts[..., None]) * light
    blend(paint, stone, smoothstep(half + soft, half - soft, beside))


def _stripe(beside: Floats, middle: float, wide: Floats | float) -> Floats:
    return clip(1.4 - floats(np.abs(beside - middle)) / wide, 0.0, 1.0)


def lay_furrows(paint: Floats, stage: Stage, ground: Ground, across: Floats, distance: Floats) -> None:
    """Rows of plants that run from the viewer into the land, fading where they are finer than the pixels."""
    turn = 0.35 * (float(stage.chance(62).random()) - 0.5)
    place = (across - SIZE / 2) * math.cos(turn) + distance * math.sin(turn)
    wave = floats(np.cos(place * (2.0 * math.pi / _SPACING))) * 0.5 + 0.5
    seen = clip(_SPACING * stage.focal / distance * (1 / 6.0) - 0.5, 0.0, 1.0)
    bush = smoothstep(0.30, 0.62, wave)
    light = sample(ground.light, across, distance, cv2.BORDER_REFLECT)
    plant = colour(*stage.wish.blooms[0]) * 0.62 if stage.wish.blooms else colour(0.13, 0.20, 0.06)
    soil = colour(0.17, 0.13, 0.08)
    full = mix(soil, plant * (0.55 + 0.65 * wave)[..., None], bush[..., None])
    even = mix(soil, plant, 0.72)
    near = smoothstep(520.0, 300.0, distance)
    blend(paint, mix(even, full, seen[..., None]) * light, near)
