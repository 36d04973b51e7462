"""Height maps: square fields of the land's height, the viewer at the middle of the first row looking down the rows.

Heights are about 0 to 1 and are raised to the kind's `LIFT` afterwards; the map is SIZE units a side.
"""

import math

import cv2
import numpy as np

from mutoscope.studio.scene.noise import chance, fbm, ridged, warped
from mutoscope.studio.scene.raster import Floats, blur, clip, floats, resize, smoothstep

SIZE = 1024
LIFT = {"mountains": 138.0, "hills": 92.0, "desert": 78.0}


def height_map(place: str, seed: int, *, lake: bool, gap: float) -> Floats:
    """The land of a place; gap is the way to the sun (across / away), which mountains leave open."""
    if place == "desert":
        return _dunes(seed)
    return _hills(seed) if place == "hills" else _mountains(seed, lake=lake, gap=gap)


def _grid() -> tuple[Floats, Floats]:
    """Map coordinates: across from the middle, and away from the viewer."""
    across = np.arange(SIZE, dtype=np.float32)[None] - SIZE / 2
    away = np.arange(SIZE, dtype=np.float32)[:, None]
    return across, away


def _mountains(seed: int, *, lake: bool, gap: float) -> Floats:
    across, away = _grid()
    rock = warped(ridged(SIZE, 8.0, 7, seed + 3, gain=0.60, erosion=0.10), SIZE * 0.045, 5.0, seed + 1)
    rock = _worn(rock * 1.9)
    chain = fbm(SIZE, SIZE, 3.0, 3.0, 2, seed + 9)
    land = rock * (0.50 + 0.80 * smoothstep(0.25, 0.75, chain))
    land *= 1.0 + 0.60 * _massif(seed, across, away, -math.copysign(1.0, gap))
    crags = ridged(SIZE, 27.0, 4, seed + 14, gain=0.58, erosion=0.0)
    land += (crags - 0.35) * 0.18 * smoothstep(0.12, 0.5, land)
    far = floats(np.sqrt(across * across + away * away))
    land *= 0.10 + 0.90 * smoothstep(110.0, 600.0, far)
    # an open valley leads the eye from the viewer towards the light
    course = gap * away + (fbm(SIZE, 1, 3.0, 1.0, 3, seed + 12)[:, :1] - 0.5) * 130.0
    valley = floats(np.exp(-(((across - course) / (75.0 + away * 0.15)) ** 2))) * (
        1.0 - 0.35 * smoothstep(300.0, 900.0, away)
    )
    return blur(land * (1.0 - (0.86 if lake else 0.74) * valley), 0.7)


def _massif(seed: int, across: Floats, away: Floats, side: float) -> Floats:
    """One great mountain to look at, beside the middle."""
    drawn = chance(seed + 17).random(2)
    x = side * (60.0 + 130.0 * float(drawn[0]))
    z = 600.0 + 160.0 * float(drawn[1])
    return floats(np.exp(-(((across - x) / 165.0) ** 2 + ((away - z) / 150.0) ** 2)))


def _worn(land: Floats) -> Floats:
    """Thermal erosion: no slope stays steeper than scree lies, and what falls gathers in the hollows."""
    steepest = 0.0105  # of height a unit, before lifting
    worn = land
    kernel = np.ones((3, 3), np.uint8)
    for _ in range(13):
        worn = floats(np.minimum(worn, floats(cv2.erode(worn, kernel)) + steepest))
    # a part of the old crags shows through, else the mountains were pyramids
    land = worn * 0.80 + land * 0.20
    hollow = clip(blur(land, 5.0) - land, 0.0, 1.0)
    return land + hollow * 0.8


def _hills(seed: int) -> Floats:
    across, away = _grid()
    swell = warped(fbm(SIZE, SIZE, 7.0, 7.0, 2, seed + 3, 0.36), 70.0, 4.0, seed + 1)
    swell = smoothstep(0.22, 0.80, swell)
    land = swell * 0.66 + fbm(SIZE, SIZE, 20.0, 20.0, 4, seed + 4, 0.4) * 0.035
    far = floats(np.sqrt(across * across + away * away))
    land *= 0.22 + 0.50 * smoothstep(60.0, 320.0, far) + 0.80 * smoothstep(420.0, 900.0, far)
    return land


def _dunes(seed: int) -> Floats:
    """Long crests across the wind: gentle on the windward side, as steep as sand can lie on the lee."""
    across, away = _grid()
    half = SIZE // 2
    bend = resize(fbm(half, half, 3.0, 3.0, 3, seed + 3, 0.42), SIZE, SIZE, cv2.INTER_CUBIC)
    lean = 0.35 if chance(seed + 6).random() < 0.5 else -0.35
    land = np.zeros((SIZE, SIZE), np.float32)
    for waves, weight, salt in ((5.2, 1.0, 7), (11.0, 0.30, 8)):
        phase = (away + across * lean) * (waves / SIZE) + bend * (2.4 + 0.12 * waves)
        part = phase - np.floor(phase)
        # the crest is rounded off a little so that it does not shimmer
        dune = smoothstep(0.0, 0.74, part) * smoothstep(1.0, 0.72, part)
        share = smoothstep(0.28, 0.66, fbm(SIZE, SIZE, 4.0 * weight + 2.0, 4.0, 2, seed + salt))
        land += dune * share * weight
    land = blur(land, 1.9) * 0.62
    return land * (0.10 + 0.90 * smoothstep(50.0, 330.0, away)) + fbm(SIZE, SIZE, 3.0, 3.0, 2, seed + 5) * 0.5
