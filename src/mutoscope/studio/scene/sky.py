"""The sky: light that falls off from the sun, stars, the moon, aurora and clouds."""

import math

import numpy as np

from mutoscope.studio.scene.noise import fbm, tile
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
    rows_of,
    sample,
    sample_tile,
    smoothstep,
)
from mutoscope.studio.scene.stage import Stage

_COVER = {"clear": 0.0, "some": 0.60, "overcast": 1.0, "storm": 1.0}
_CLOUD_TILE = 1024


def paint_sky(canvas: Floats, stage: Stage) -> None:
    """Paint the rows above the horizon, and below it the horizon's own colour."""
    bottom = min(stage.height, max(2, math.ceil(stage.horizon) + 2))
    _paint_light(canvas, stage, bottom)
    if stage.time in ("night", "twilight") and stage.clouds not in ("overcast", "storm") and _wants_stars(stage):
        _paint_stars(canvas[:bottom], stage)
    if stage.wish.has("aurora"):
        _paint_aurora(canvas[:bottom], stage)
    _paint_disc(canvas[:bottom], stage)
    if _COVER[stage.clouds] > 0 and not stage.wish.styled("minimal"):
        _paint_clouds(canvas, stage, bottom)
    canvas[bottom:] = canvas[bottom - 1]


def light_at(stage: Stage, rows: Floats) -> Floats:
    """The bare sky's colour, rows × 3, for a column of rows."""
    heights = [height for height, _ in stage.palette.sky]
    lights = np.array([light for _, light in stage.palette.sky], np.float32)
    above = np.clip((stage.horizon - rows[:, 0]) / max(1.0, stage.horizon), 0.0, 1.0)
    return floats(np.stack([np.interp(above, heights, lights[:, at]) for at in range(3)], 1).astype(np.float32))


def _sun_distance(stage: Stage, rows: Floats) -> Floats:
    """Distance from the sun or moon in units of half the sky's height."""
    across = columns(stage.width) - stage.sun[0]
    down = rows - stage.sun[1]
    return floats(np.sqrt(across * across + down * down)) * (1.0 / _glow_radius(stage))


def _glow_radius(stage: Stage) -> float:
    return min(stage.height * 0.5, stage.unit * 0.40)


def _paint_light(canvas: Floats, stage: Stage, bottom: int) -> None:
    sun, direct = stage.light("sun"), stage.palette.direct
    if stage.dark:
        direct *= 0.10 if stage.wish.has("stars", "aurora") and not stage.wish.has("moon") else 0.35
    low = stage.time in ("sunset", "dawn", "twilight")
    across = floats(np.exp(-np.abs(columns(stage.width) - stage.sun[0]) * (1.0 / (stage.width * 0.42))))
    for band in bands(0, bottom, stage.width):
        rows = rows_of(band)
        far = _sun_distance(stage, rows)
        glow = (0.72 * np.exp(-far * 3.2) + 0.5 * np.exp(-far * 11.0)) * direct
        if low:
            glow = glow + np.exp(-np.abs(rows - stage.horizon) * (1.0 / (stage.height * 0.12))) * across * (
                0.34 * direct
            )
        canvas[band] = light_at(stage, rows)[:, None] + floats(glow)[..., None] * sun


def _wants_stars(stage: Stage) -> bool:
    return "stars" not in stage.wish.excluded and (stage.time == "night" or stage.wish.has("stars"))


def _paint_stars(sky: Floats, stage: Stage) -> None:
    height, width = sky.shape[:2]
    milky = stage.wish.has("stars")
    lamps = stage.place == "city" or stage.wish.styled("neon")
    count = int(260 * width / max(1.0, stage.unit)) if lamps else (1900 if milky else 1100)
    drawn = stage.chance(5).random((count, 4), dtype=np.float32)
    stars = np.zeros((height, width), np.float32)
    columns_at = (drawn[:, 0] * (width - 1)).astype(np.int64)
    rows_at = (drawn[:, 1] ** 1.15 * (height - 1)).astype(np.int64)
    stars[rows_at, columns_at] = drawn[:, 2] ** 9 * 1.9 + 0.10
    size = stage.unit / 1440.0  # a star keeps its share of the picture
    stars = blur(stars, 0.55 * size + 0.12) * (1.0 + 2.4 * size * size)
    fade = smoothstep(1.0, 0.45, rows_of(slice(0, height)) * (1.0 / height))
    sky += (stars * fade)[..., None] * colour(0.92, 0.96, 1.05)
    if milky:
        _paint_milky_way(sky, stage, fade)


def _paint_milky_way(sky: Floats, stage: Stage, fade: Floats) -> None:
    """A band of light across the sky with dark lanes along its middle, and the dust of its fainter stars."""
    height, width = sky.shape[:2]
    small_height, small_width = max(2, height // 2), max(2, width // 2)
    aspect = width / height
    cloud = fbm(small_height, small_width, 5.0, 5.0 * aspect, 6, stage.seed + 60, 0.55)
    dust = fbm(small_height, small_width, 4.0, 4.0 * aspect, 6, stage.seed + 61, 0.6)
    slope = 1.0 if stage.sun[0] < width / 2 else -1.0
    x = (columns(small_width) * (1.0 / small_width) - 0.5) * slope * aspect
    y = rows_of(slice(0, small_height)) * (1.0 / small_height) - 0.5
    across = x * 0.80 + y * 0.60 + (cloud - 0.5) * 0.22
    along = y * 0.80 - x * 0.60
    band = floats(np.exp(-((across * 3.4) ** 2))) * (0.35 + 0.9 * cloud)
    core = floats(np.exp(-((across * 6.5) ** 2) - ((along - 0.25) * 1.5) ** 2))
    lane = smoothstep(0.47, 0.60, dust) * floats(np.exp(-(((across + 0.02) * 8.0) ** 2)))
    warm = mix(colour(0.30, 0.36, 0.62), colour(0.85, 0.62, 0.52), clip(core * 1.4, 0.0, 1.0)[..., None])
    glow = warm * ((band * 0.42 + core * cloud * 0.75) * (1.0 - 0.80 * lane))[..., None]
    full = sample(glow, columns(width) * (small_width / width), rows_of(slice(0, height)) * (small_height / height))
    sky += full * fade[..., None]
    source = stage.chance(62)
    drawn = source.random((3, 5200), dtype=np.float32)
    spread = floats(source.standard_normal(5200, dtype=np.float32)) * 0.16
    at_along, at_across = (drawn[0] - 0.5) * 2.6, spread
    at_x = ((at_across * 0.80 - at_along * 0.60) * slope / aspect + 0.5) * width
    at_y = (at_across * 0.60 + at_along * 0.80 + 0.5) * height
    inside = (at_x >= 0) & (at_x < width) & (at_y >= 0) & (at_y < height)
    grains = np.zeros((height, width), np.float32)
    grains[at_y[inside].astype(np.int64), at_x[inside].astype(np.int64)] = 0.05 + 0.75 * drawn[1][inside] ** 6
    size = stage.unit / 1440.0
    grains = blur(grains, 0.45 * size + 0.1) * (1.0 + 1.8 * size * size)
    sky += (grains * fade)[..., None] * colour(0.95, 0.95, 1.0)


def _paint_aurora(sky: Floats, stage: Stage) -> None:
    height, width = sky.shape[:2]
    curtain = fbm(1, width, 1.0, 3.2, 4, stage.seed + 70)
    rays = fbm(2, width, 1.0, 46.0, 4, stage.seed + 71)[:1]
    strength = smoothstep(0.30, 0.62, fbm(1, width, 1.0, 4.5, 3, stage.seed + 72))
    green, violet = colour(0.10, 0.95, 0.50), colour(0.50, 0.20, 0.85)
    for fold, (foot, gain) in enumerate(((0.74, 0.85), (0.56, 0.42))):
        bend = np.roll(curtain, fold * width // 3, axis=1)
        edge = height * (foot - 0.42 * (bend - 0.3))
        for band in bands(0, height, width):
            up = (edge - rows_of(band)) * (1.0 / height)
            light = floats(np.where(up > 0, np.exp(-np.maximum(up, 0.0) * 4.6), np.exp(np.minimum(up, 0.0) * 42.0)))
            light = light * np.roll(strength, fold * width // 4, axis=1) * (0.45 + 1.0 * rays)
            sky[band] += light[..., None] * mix(green, violet, clip(up * 2.1, 0.0, 1.0)[..., None]) * gain


def _paint_disc(sky: Floats, stage: Stage) -> None:
    if stage.wish.styled("minimal"):
        return  # the sheets have a larger one
    moon = stage.time == "night"
    if stage.time == "twilight" and not stage.wish.has("moon"):
        return
    if moon and (stage.wish.has("stars", "aurora") and not stage.wish.has("moon")):
        return  # a bright moon would drown what was asked for
    if "moon" in stage.wish.excluded or "sun" in stage.wish.excluded:
        return
    radius = stage.unit * (0.026 if moon else 0.024) / _glow_radius(stage)
    height, width = sky.shape[:2]
    reach = int(stage.unit * 0.05) + 2
    rows = slice(max(0, int(stage.sun[1]) - reach), max(0, min(height, int(stage.sun[1]) + reach)))
    if rows.start >= rows.stop:
        return
    far = _sun_distance(stage, rows_of(rows))
    disc = smoothstep(radius * 1.06, radius * 0.94, far) * stage.palette.direct
    if not moon:
        sky[rows] += disc[..., None] * (stage.light("sun") * 0.5 + 0.9)
        return
    craters = fbm(rows.stop - rows.start, width, 6.0, 6.0 * width / (rows.stop - rows.start), 4, stage.seed + 9)
    blend(sky[rows], colour(0.93, 0.94, 0.90) * (0.62 + 0.55 * craters[..., None]), disc)


def _paint_clouds(canvas: Floats, stage: Stage, bottom: int) -> None:
    """Two sheets of noise in perspective, lit from the side of the sun: high veils, and heaps below them."""
    veil = tile(_CLOUD_TILE, 4, 8, stage.seed + 20, 0.55)
    heap = tile(_CLOUD_TILE, 8, 7, stage.seed + 21, 0.52)
    bend = tile(_CLOUD_TILE, 4, 3, stage.seed + 29)
    cover = _COVER[stage.clouds]
    drift = stage.chance(22).uniform(0, _CLOUD_TILE, 4).astype(np.float32)
    for band in bands(0, bottom, stage.width):
        rows = rows_of(band)
        above = clip((stage.horizon - rows) * (1.0 / stage.horizon), 0.0, 1.0)
        far = 1.0 / (above + 0.09)  # the sheet's distance
        x = (columns(stage.width) - stage.sun[0]) * (1.0 / stage.unit) * far
        bow = sample_tile(bend, x * 60.0 + drift[0], floats(np.broadcast_to(far * 50.0, x.shape))) - 0.5
        base, edge, near = _cloud_light(stage, rows)
        high = _sheet(veil, x * 34.0 + bow * 70.0 + drift[0], far * 66.0 + drift[1], x)
        low = _sheet(heap, x * 58.0 + bow * 40.0 + drift[2], far * 92.0 + drift[3], x)
        # a low sun burns through: what was asked for with the hour should not hide
        open_sun = 1.0 - 0.7 * stage.palette.direct * floats(np.exp(-((_sun_distance(stage, rows) * 3.0) ** 2)))
        horizon_fade = smoothstep(0.0, 0.10, above) * open_sun
        fair = stage.time == "day" and cover < 1.0  # a fine day has heaps and few veils
        for density, lit, threshold, width, gain in (
            (*high, 0.60 - 0.16 * cover, 0.26, 0.25 if fair else 0.55),
            (*low, (0.64 if fair else 0.66) - 0.25 * cover, 0.13, 0.95),
        ):
            thick = smoothstep(threshold, threshold + width, density) * horizon_fade * gain
            core = smoothstep(threshold + width * 0.8, threshold + width * 2.8, density)
            glow = clip(lit * (7.0 - 3.0 * core) + 0.52 - core * 0.34, 0.0, 1.15) * near
            paint = base + (edge - base) * glow[..., None]
            blend(canvas[band], paint, thick)


def _sheet(noise: Floats, x: Floats, y: Floats, across: Floats) -> tuple[Floats, Floats]:
    """Density of a cloud sheet, and how much more of it lies away from the sun (its lit side is positive)."""
    y = floats(np.broadcast_to(y, x.shape))
    density = sample_tile(noise, x, y)
    toward = floats(np.tanh(across * 3.0))
    return density, density - sample_tile(noise, x - 5.0 * toward, y + 5.0)


def _cloud_light(stage: Stage, rows: Floats) -> tuple[Floats, Floats, Floats]:
    """Colours of a cloud's shadow and of its lit edge, and how near the sun a place is."""
    sun, ambient, direct = stage.light("sun"), stage.light("ambient"), stage.palette.direct
    sky = light_at(stage, rows)[:, None]
    far = _sun_distance(stage, rows)
    near = (0.30 + 0.9 * floats(np.exp(-far * 1.1))) * (0.25 + 0.75 * direct)
    if stage.time == "day":
        bright = 1.0 if direct == 1.0 else 0.62
        dim = 0.5 if stage.clouds == "storm" else 1.0
        return (
            (sky * 0.25 + colour(0.50, 0.54, 0.60) * bright) * dim,
            colour(1.10, 1.08, 1.05) * bright,
            far * 0.0 + 1.1,
        )
    if stage.time == "night":
        return sky * 0.55 + ambient * 0.40, sun * 0.34 + 0.04, near
    dim = 0.5 if stage.clouds == "storm" else 1.0
    return (sky * 0.46 + ambient * 0.50) * dim, sun * 1.06 + 0.16, near
