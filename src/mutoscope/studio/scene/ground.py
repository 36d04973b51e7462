"""The land as a map seen from above: its height, what grows on it, and how the light falls on it."""

import math
from dataclasses import dataclass

import cv2
import numpy as np

from mutoscope.studio.scene.heights import FLOOR, LIFT, SIZE, course, height_map, level_road
from mutoscope.studio.scene.noise import fbm, patches
from mutoscope.studio.scene.raster import Floats, blur, clip, colour, columns, floats, mix, smoothstep, zoom
from mutoscope.studio.scene.stage import Stage

# round land shows its shape in slanting light only: pictures of it are taken early or late in the day
_LOWER = {"hills": 0.72, "desert": 0.62}


@dataclass(frozen=True, slots=True)
class Ground:
    """A lit map, SIZE × SIZE. Heights are in map units, like the distances."""

    heights: Floats
    lit: Floats  # (SIZE, SIZE, 3): colour of the ground under its light
    woods: Floats  # 0 to 1: how thick trees stand
    water: float | None  # the level of a lake, river or fjord
    sunward: tuple[float, float]  # the way to the light, across and away
    light: Floats  # (SIZE, SIZE, 3): the light alone
    road: Floats | None  # (SIZE, 1): where the road lies, across, for each distance


def survey(stage: Stage) -> Ground:
    """Make the land of the stage's place and light it."""
    place = stage.place
    water = _water(stage)
    gap = (stage.sun[0] - stage.width / 2) / stage.focal
    shape = height_map(place, stage.seed, water=water, walls=stage.wish.has("fjord", "cliffs"), gap=gap)
    line = None
    if stage.wish.has("road", "path") and water is None:
        line = course(stage.seed, gap)
        shape = level_road(shape, line)
    level = None if water is None else FLOOR
    if water == "lake":
        level = float(np.percentile(shape[: SIZE * 2 // 3], 34))
    if level is not None:
        shape = floats(np.maximum(shape, level))
    heights = shape * LIFT[place]
    sunward = _sunward(stage)
    slopes = _slopes(heights)
    albedo, woods = _cover(stage, shape, slopes[2])
    if line is not None:
        woods = woods * smoothstep(9.0, 16.0, np.abs(columns(SIZE) - SIZE / 2 - line[:, None]))
    light = _light(stage, heights, slopes, sunward)
    return Ground(
        heights=heights,
        lit=albedo * light,
        woods=woods,
        water=None if level is None else level * LIFT[place],
        sunward=sunward,
        light=light,
        road=None if line is None else line[:, None].astype(np.float32),
    )


def _water(stage: Stage) -> str | None:
    """Which water the land holds. Deserts hold none; calm mountains are given a lake to be calm."""
    wish = stage.wish
    if stage.place == "desert":
        return None
    for kind in ("fjord", "river", "lake"):
        if wish.has(kind) and kind not in wish.excluded:
            return kind if kind != "fjord" or stage.place == "mountains" else "lake"
    calm = stage.place == "mountains" and wish.has("calm") and not wish.has("road", "path")
    return "lake" if calm and "lake" not in wish.excluded else None


def _sunward(stage: Stage) -> tuple[float, float]:
    """Mostly from the side: light from behind the mountains alone would leave them flat and dark."""
    side = math.copysign(1.0, stage.sun[0] - stage.width / 2)
    across, away = (-0.8 * side, -0.35) if stage.time == "day" else (0.92 * side, 0.30)
    if stage.place == "desert" and stage.time == "day":
        across, away = 0.95 * side, 0.12  # only light across the crests shows them
    length = math.hypot(across, away)
    return across / length, away / length


def _slopes(heights: Floats) -> tuple[Floats, Floats, Floats]:
    """Rise across, rise away, and how level the ground is (1 flat, 0 upright)."""
    across = floats(cv2.Sobel(heights, cv2.CV_32F, 1, 0, ksize=3, scale=0.125))
    away = floats(cv2.Sobel(heights, cv2.CV_32F, 0, 1, ksize=3, scale=0.125))
    level = 1.0 / floats(np.sqrt(across * across + away * away + 1.0))
    return across, away, level


def _light(
    stage: Stage, heights: Floats, slopes: tuple[Floats, Floats, Floats], sunward: tuple[float, float]
) -> Floats:
    """Direct light with soft shadows, and skylight that reaches less deep into hollows."""
    across, away, level = slopes
    slant = stage.palette.slant
    if stage.place in _LOWER:
        slant = max(0.40, slant * _LOWER[stage.place])
    toward_x, toward_z = sunward[0] * math.cos(slant), sunward[1] * math.cos(slant)
    facing = clip((math.sin(slant) - across * toward_x - away * toward_z) * level, 0.0, 1.0)
    direct = facing * _shadow(heights, sunward, math.tan(slant * 0.8))
    openness = clip(0.66 + (heights - blur(heights, 9.0)) * (1.0 / 28.0), 0.28, 1.15)
    share = (0.35 + 0.65 * stage.palette.direct) * (0.45 if stage.time == "night" else 1.0)
    sky = openness * (0.75 + 0.4 * level)
    if stage.place == "desert" and stage.time != "night":
        sky = sky * 1.5  # sand throws light into its own shadows
    if stage.place == "hills":
        sky = sky * 1.25  # green land drinks much of a low light
    direct = blur(direct, 1.1)  # a hard edge of light on a crest would show as dots
    return direct[..., None] * (stage.light("sun") * (2.35 * share)) + sky[..., None] * (
        stage.light("ambient") * (1.0 + 0.25 * (1.0 - share))
    )


def _shadow(heights: Floats, sunward: tuple[float, float], rise: float) -> Floats:
    """1 in the light, 0 where higher land stands before the sun; half the resolution is enough for soft shadows."""
    small = floats(cv2.resize(heights, (SIZE // 2, SIZE // 2), interpolation=cv2.INTER_AREA))
    lit = np.ones_like(small)
    for step in range(1, 17):
        distance = 4.0 * step * (1.0 + 0.09 * step)
        shift = np.array([[1.0, 0.0, sunward[0] * distance / 2], [0.0, 1.0, sunward[1] * distance / 2]], np.float64)
        over = zoom(small, shift) - small - rise * distance
        lit = floats(np.minimum(lit, np.clip(1.0 - over * (1.0 / (2.5 + 0.15 * distance)), 0.0, 1.0)))
    return floats(cv2.resize(lit, (SIZE, SIZE), interpolation=cv2.INTER_LINEAR))


def _cover(stage: Stage, shape: Floats, level: Floats) -> tuple[Floats, Floats]:
    """What covers the ground: its own colour, and the woods on it."""
    grain = fbm(SIZE, SIZE, 160.0, 160.0, 3, stage.seed + 40) - 0.5
    make = {"mountains": _mountain_cover, "hills": _hill_cover, "desert": _desert_cover}[stage.place]
    albedo, woods = make(stage, shape, 1.0 - level, grain)
    named = stage.wish.tint("ground")
    if named is not None:
        bright = albedo.mean(2, keepdims=True)
        share = 0.62 if named[1] < max(named) else 0.25  # land is green of itself
        albedo = mix(albedo, colour(*named) * bright * (1.0 / max(0.25, sum(named) / 3)), share)
    if "trees" in stage.wish.excluded:
        woods = woods * 0.0
    return albedo, woods


def _mountain_cover(stage: Stage, shape: Floats, steep: Floats, grain: Floats) -> tuple[Floats, Floats]:
    strata = floats(np.sin(shape * 95.0 + fbm(SIZE, SIZE, 7.0, 7.0, 3, stage.seed + 41) * 14.0)) * 0.10
    stone = mix(
        colour(0.30, 0.26, 0.25), colour(0.40, 0.36, 0.33), patches(SIZE, 12.0, stage.seed + 42, 0.2)[..., None]
    )
    albedo = stone * (1.0 + grain * 0.9 + strata)[..., None]
    green = colour(0.34, 0.23, 0.10) if stage.wish.has("autumn") else colour(0.20, 0.25, 0.11)
    meadow = smoothstep(0.46, 0.24, shape + grain * 0.10) * smoothstep(0.66, 0.40, steep)
    albedo = mix(albedo, green * (1.0 + grain * 1.1)[..., None], meadow[..., None])
    stands = smoothstep(0.30, 0.56, fbm(SIZE, SIZE, 34.0, 34.0, 4, stage.seed + 43))
    woods = smoothstep(0.36, 0.17, shape + grain * 0.2) * smoothstep(0.48, 0.26, steep) * stands
    dark = colour(0.34, 0.15, 0.05) if stage.wish.has("autumn") else colour(0.075, 0.125, 0.08)
    albedo = mix(albedo, dark * (1.0 + grain * 1.6)[..., None], woods[..., None])
    if stage.wish.has("autumn") and not stage.frosty:
        return albedo, woods
    if "snow" in stage.wish.excluded:
        return albedo, woods
    line = -0.20 if stage.frosty else 0.40
    snow = smoothstep(line, line + 0.15, shape + grain * 0.16) * smoothstep(0.46, 0.20, steep + grain * 0.22)
    return mix(albedo, colour(0.93, 0.95, 1.0), snow[..., None]), woods


def _hill_cover(stage: Stage, shape: Floats, steep: Floats, grain: Floats) -> tuple[Floats, Floats]:
    """Grass and fields; hedges and groves where trees stand."""
    wish = stage.wish
    fresh, dry = (0.115, 0.165, 0.050), (0.25, 0.25, 0.095)
    if wish.has("autumn", "wheat", "steppe"):
        fresh, dry = (0.32, 0.24, 0.085), (0.46, 0.34, 0.13)
    season = smoothstep(0.30, 0.74, fbm(SIZE, SIZE, 8.0, 8.0, 5, stage.seed + 50) + grain * 0.25 + shape * 0.10)
    albedo = mix(colour(*fresh), colour(*dry), season[..., None]) * (1.0 + grain * 0.6)[..., None]
    groves = smoothstep(0.58, 0.68, fbm(SIZE, SIZE, 15.0, 15.0, 4, stage.seed + 51))
    if wish.has("fields"):
        parcels, hedges = _parcels(stage)
        albedo = mix(albedo, parcels * (1.0 + grain * 0.5)[..., None], 0.75)
        groves = floats(np.maximum(groves * 0.4, hedges))
    if wish.has("flowers"):
        albedo = _flowered(stage, albedo)
    if stage.frosty:
        albedo = albedo * 0.10 + colour(0.84, 0.88, 0.95) * 0.88
    # woods darken the ground that they stand on
    albedo = mix(albedo, albedo * 0.45, (groves * smoothstep(0.40, 0.15, steep))[..., None])
    return albedo, groves * smoothstep(0.40, 0.15, steep)


def _parcels(stage: Stage) -> tuple[Floats, Floats]:
    """Fields of different crops, bent to the land, and the hedges between them."""
    bend = fbm(SIZE, SIZE, 5.0, 5.0, 3, stage.seed + 58) - 0.5
    other = fbm(SIZE, SIZE, 5.0, 5.0, 3, stage.seed + 59) - 0.5
    rows = np.arange(SIZE, dtype=np.float32)
    u = rows[None] * (1 / 92.0) + bend * 2.4 + rows[:, None] * (1 / 300.0)
    v = rows[:, None] * (1 / 70.0) + other * 2.4 - rows[None] * (1 / 260.0)
    crops = np.array(
        [(0.10, 0.17, 0.05), (0.17, 0.20, 0.06), (0.36, 0.31, 0.11), (0.24, 0.24, 0.08), (0.30, 0.21, 0.11)], np.float32
    )
    table = stage.chance(60).integers(0, len(crops), (32, 32))
    # Whole numbers first: of a hair below zero, the rest by 32 is 32 in floats.
    crop = crops[table[np.floor(v).astype(np.int64) % 32, np.floor(u).astype(np.int64) % 32]]
    edge = floats(np.minimum(np.abs(u - np.rint(u)) * 92.0, np.abs(v - np.rint(v)) * 70.0))
    return blur(crop, 0.8), smoothstep(3.0, 1.6, edge) * 0.9


def _flowered(stage: Stage, albedo: Floats) -> Floats:
    beds = smoothstep(0.38, 0.52, fbm(SIZE, SIZE, 14.0, 14.0, 4, stage.seed + 55))
    bloom = _blooms(stage)
    dots = smoothstep(0.46, 0.62, fbm(SIZE, SIZE, 300.0, 300.0, 2, stage.seed + 57))
    return mix(albedo, bloom * 0.8, (beds * dots * 0.85)[..., None])


def _blooms(stage: Stage) -> Floats:
    """The colour of the flowers of every place."""
    named = stage.wish.blooms
    first, second = (named[0], named[-1]) if named else ((0.85, 0.22, 0.30), (0.62, 0.36, 0.80))
    return mix(colour(*first), colour(*second), patches(SIZE, 6.0, stage.seed + 56)[..., None])


def _desert_cover(stage: Stage, shape: Floats, steep: Floats, grain: Floats) -> tuple[Floats, Floats]:
    tone = smoothstep(0.3, 0.7, fbm(SIZE, SIZE, 5.0, 5.0, 4, stage.seed + 53))[..., None]
    glare = 0.60 if stage.time == "day" else 1.0  # pale sand under a high sun would burn out
    albedo = glare * mix(colour(0.80, 0.50, 0.27), colour(0.90, 0.66, 0.42), tone) * (1.0 + grain * 0.08)[..., None]
    return albedo * (1.0 - 0.18 * steep)[..., None], shape * 0.0
