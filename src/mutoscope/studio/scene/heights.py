"""Height maps: square fields of the land's height, the viewer at the middle of the first row looking down the rows.

Heights are about 0 to 1 and are raised to the kind's `LIFT` afterwards; the map is SIZE units a side.
"""

import math

import cv2
import numpy as np

from mutoscope.studio.scene.noise import chance, fbm, ridged, warped
from mutoscope.studio.scene.raster import Floats, blur, clip, floats, mix, resize, smoothstep

SIZE = 1024
LIFT = {"mountains": 138.0, "hills": 92.0, "desert": 78.0}


def height_map(place: str, seed: int, *, water: str | None, walls: bool, gap: float) -> Floats:
    """The land of a place; gap is the way to the sun (across / away), which mountains leave open.

    water is None, lake, river or fjord. A lake is a level that the land lies under (`ground` chooses it); a river and
    a fjord are cut into the land here, at `FLOOR`. walls makes mountains steep on both sides of the valley.
    """
    if place == "desert":
        land = _dunes(seed)
    elif place == "hills":
        land = _hills(seed)
    elif walls:
        land = _gorge(seed, gap=gap)
    else:
        land = _mountains(seed, lake=water == "lake", gap=gap)
    return _cut_river(land, course(seed, gap)) if water == "river" else land


FLOOR = 0.06  # the level of a river or fjord


def course(seed: int, gap: float) -> Floats:
    """Where a river or road lies (across, for each distance): bends that look alike near and far."""
    away = np.arange(SIZE, dtype=np.float32) + 8.0
    turn, lean = (float(v) for v in chance(seed + 18).random(2))
    bends = (
        floats(np.sin(np.log(away) * 3.4 + turn * 6.3)) * 0.17 + floats(np.sin(np.log(away) * 7.9 + lean * 6.3)) * 0.04
    )
    return away * (bends * smoothstep(1400.0, 150.0, away) + gap * 0.6) - away[0] * bends[0]


def level_road(land: Floats, line: Floats) -> Floats:
    """The land with the ground beside a line made even along it."""
    across, away = _grid()
    rows = np.arange(SIZE)
    profile = land[rows, np.clip(np.rint(line + SIZE / 2), 0, SIZE - 1).astype(np.int64)]
    profile = blur(profile[:, None], 18.0)
    return mix(profile, land, smoothstep(7.0, 46.0, np.abs(across - line[:, None]) - away * 0.01))


def _cut_river(land: Floats, line: Floats) -> Floats:
    """A meandering channel on a valley floor that rises gently into the land."""
    across, away = _grid()
    beside = np.abs(across - line[:, None]) - (7.0 + 0.030 * away)
    floor = FLOOR + 0.011 + 0.0002 * np.maximum(beside, 0.0)
    land = np.maximum(land, FLOOR + 0.02)
    banked = mix(floor, land, smoothstep(6.0, 120.0 + 0.05 * away[-1, 0], beside))
    return np.where(beside < 0, np.float32(FLOOR), banked).astype(np.float32)


def _gorge(seed: int, *, gap: float) -> Floats:
    """A trough between walls whose spurs reach into it from both sides."""
    across, away = _grid()
    rock = warped(ridged(SIZE, 9.0, 7, seed + 3, gain=0.58, erosion=0.10), SIZE * 0.04, 5.0, seed + 1)
    middle = gap * 0.45 * away
    spurs = fbm(SIZE, 2, 5.0, 2.0, 3, seed + 19)
    wide = 46.0 + 0.055 * away
    left = (middle - across) - wide * (0.55 + 0.9 * spurs[:, :1])
    right = (across - middle) - wide * (0.55 + 0.9 * spurs[:, 1:])
    inland = np.maximum(left, right) + (rock - 0.4) * 46.0
    wall = smoothstep(0.0, 170.0, inland)
    land = wall * (0.34 + 1.05 * rock) + 0.10 * smoothstep(-4.0, 18.0, inland)
    land *= 0.55 + 0.45 * smoothstep(40.0, 420.0, away)
    # the arm ends before distant mountains, else there would be nothing to look at
    land += 0.9 * rock * smoothstep(760.0, 930.0, away) * (1.0 - wall)
    return blur(land, 0.7)


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
    """Rolling land: round backs behind each other, higher with the distance."""
    across, away = _grid()
    swell = warped(fbm(SIZE, SIZE, 6.0, 6.0, 2, seed + 3, 0.40), 90.0, 4.0, seed + 1)
    swell = smoothstep(0.10, 1.02, swell)
    fine = fbm(SIZE, SIZE, 13.0, 13.0, 2, seed + 4, 0.35)
    land = swell * 0.86 + fine * 0.17
    far = floats(np.sqrt(across * across + away * away))
    land *= 0.16 + 0.50 * smoothstep(60.0, 380.0, far) + 1.05 * smoothstep(380.0, 900.0, far)
    # the middle lies lower, else one hill may hide all the others
    opening = floats(np.exp(-((across / (70.0 + 0.35 * away)) ** 2))) * smoothstep(620.0, 300.0, away)
    land *= 1.0 - 0.55 * opening
    return blur(land, 1.5)


def _dunes(seed: int) -> Floats:
    """Long crests across the wind: gentle on the windward side, as steep as sand can lie on the lee."""
    across, away = _grid()
    half = SIZE // 2
    bend = resize(fbm(half, half, 3.4, 3.4, 3, seed + 3, 0.42), SIZE, SIZE, cv2.INTER_CUBIC)
    lean = 0.55 if chance(seed + 6).random() < 0.5 else -0.55
    land = np.zeros((SIZE, SIZE), np.float32)
    for waves, weight, salt in ((8.5, 1.0, 7), (21.0, 0.30, 8)):
        phase = (away + across * lean) * (waves / SIZE) + bend * (2.6 + 0.12 * waves)
        part = phase - np.floor(phase)
        # the crest is rounded off a little so that it does not shimmer
        dune = smoothstep(-0.12, 0.76, part) * smoothstep(1.0, 0.74, part)
        share = smoothstep(0.20, 0.62, fbm(SIZE, SIZE, 4.0 * weight + 2.0, 4.0, 2, seed + salt))
        land += dune * (0.25 + 0.75 * share) * weight
    land = blur(land, 1.4) * 0.50
    near = 0.22 + 0.78 * smoothstep(30.0, 260.0, away)
    return land * near + fbm(SIZE, SIZE, 3.0, 3.0, 2, seed + 5) * 0.55
