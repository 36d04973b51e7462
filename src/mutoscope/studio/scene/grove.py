"""Inside a broad-leaved wood: trunks in rows that dissolve in the light, leaves over them, litter below."""

import math

import cv2
import numpy as np

from mutoscope.studio.scene.noise import fbm, tile
from mutoscope.studio.scene.raster import (
    Bytes,
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
from mutoscope.studio.scene.trees import leaf_colour

_ROWS = 6
_BARK = {"birch": (0.62, 0.60, 0.55), "dark": (0.085, 0.070, 0.055)}


def paint_grove(canvas: Floats, stage: Stage) -> Floats:
    """Paint the wood over the whole picture and return its depth."""
    near = np.zeros(canvas.shape[:2], np.float32)
    floor = stage.height * (0.70 + 0.06 * (stage.horizon / stage.height - 0.72) / 0.1)
    _paint_backlight(canvas, stage)
    _paint_floor(canvas, near, stage, floor)
    for row in range(_ROWS):
        close = row / (_ROWS - 1)
        _paint_trunks(canvas, near, stage, floor, close, row)
        if not stage.frosty:
            _paint_leaves(canvas, near, stage, close, row)
    _paint_beams(canvas, stage)
    return near


def _paint_backlight(canvas: Floats, stage: Stage) -> None:
    """The bright depth of the wood: sky through countless leaves."""
    haze = stage.light("haze")
    leaf = _leaf(stage, 0.6)
    veil = fbm(stage.height, stage.width, 5.0, 5.0 * stage.width / stage.height, 5, stage.seed + 600)
    for band in bands(0, stage.height, stage.width):
        far = floats(np.hypot(columns(stage.width) - stage.sun[0], (rows_of(band) - stage.height * 0.40) * 1.2))
        glow = floats(np.exp(-far * (1.6 / stage.unit)))[..., None]
        leafy = mix(haze * 0.85, leaf * (haze + stage.light("sun") * 0.9) * 2.2, 0.62 * veil[band][..., None])
        canvas[band] = leafy * (0.50 + 0.75 * glow) + stage.light("sun") * (0.32 * stage.palette.direct) * glow * glow


def _leaf(stage: Stage, share: float) -> Floats:
    leaf = leaf_colour(stage, share) * (1.55 if stage.wish.has("autumn") else 1.75)
    named = stage.wish.tint("ground")
    if named is None:
        return leaf
    return colour(*named) * (0.15 + 0.85 * float(leaf.mean()))


def _paint_floor(canvas: Floats, near: Floats, stage: Stage, floor: float) -> None:
    """Litter, grass or snow in perspective, with patches of sunlight; a path where one was asked for."""
    litter = tile(512, 32, 4, stage.seed + 601, 0.6)
    patch = tile(512, 8, 4, stage.seed + 602, 0.5)
    light = stage.light("ambient") * 0.75 + stage.light("sun") * 0.26
    ground, fresh = _floor_colours(stage)
    edge = canvas[max(0, min(stage.height - 1, int(floor) - 2))].copy()
    for band in bands(max(0, int(floor) - 1), stage.height, stage.width):
        rows = rows_of(band)
        down = np.maximum(rows - floor, np.float32(0.5)) * (1.0 / stage.unit)
        far = floats(0.10 / (down + 0.012))
        x = (columns(stage.width) - stage.width / 2) * (1.0 / stage.unit) * far
        deep = floats(np.broadcast_to(far, x.shape))
        seen = clip(2.6 - far * 0.6, 0.15, 1.0)
        grain = (sample_tile(litter, x * 900.0, deep * 420.0) - 0.5) * seen
        tone = mix(ground, fresh, smoothstep(0.44, 0.60, sample_tile(patch, x * 130.0, deep * 90.0))[..., None])
        dapple = smoothstep(0.52, 0.70, sample_tile(patch, x * 90.0 + 200.0, deep * 34.0)) * stage.palette.direct
        paint = tone * (1.0 + grain * 1.5)[..., None] * (light + stage.light("sun") * (0.85 * dapple[..., None]))
        if stage.wish.has("path"):
            middle = 0.16 * floats(np.sin(far * 1.1 + stage.seed % 7)) * far * 0.35
            beside = floats(np.abs(x - middle))
            earth = colour(0.40, 0.31, 0.21) * (1.0 + grain * 0.8)[..., None] * (light * 1.3)
            blend(paint, earth, smoothstep(0.125, 0.095, beside))
        faded = mix(paint, edge[None], smoothstep(0.9, 6.5, far)[..., None])
        blend(canvas[band], faded, smoothstep(0.0, 2.0, rows - floor))
        near[band] = clip(0.12 + 1.35 * np.sqrt(np.maximum(rows - floor, 0.0) / stage.height), 0.0, 1.0)


def _floor_colours(stage: Stage) -> tuple[Floats, Floats]:
    if stage.frosty:
        return colour(0.80, 0.84, 0.90), colour(0.90, 0.93, 0.97)
    if stage.wish.has("autumn"):
        return colour(0.34, 0.16, 0.06), colour(0.50, 0.29, 0.08)
    if stage.wish.has("blossom"):
        return colour(0.24, 0.26, 0.12), colour(0.72, 0.46, 0.52)
    if stage.wish.has("flowers") and stage.wish.blooms:
        return colour(0.12, 0.17, 0.05), colour(*stage.wish.blooms[0]) * 0.7
    return colour(0.20, 0.16, 0.09), colour(0.13, 0.19, 0.055)


def _paint_trunks(canvas: Floats, near: Floats, stage: Stage, floor: float, close: float, row: int) -> None:
    """One row of trunks; close is 0 for the farthest row and 1 for the nearest."""
    size = stage.unit * stage.zoom
    wide = size * (0.0045 + 0.030 * close**1.7)
    foot = floor + (stage.height - floor) * (0.03 + 1.05 * close**2.2)
    count = max(2, round((34 * (1.0 - close) ** 1.3 + 4.0) * stage.width / (1.33 * size)))
    outline = np.zeros((stage.height, stage.width), np.uint8)
    shade = np.zeros((stage.height, stage.width), np.uint8)
    for at, (jitter, thick, lean, low, bark) in enumerate(stage.chance(610 + row).random((count, 5)).tolist()):
        x = (at + 0.15 + 0.7 * jitter) / count * stage.width
        place = (x, foot + (low - 0.5) * wide * 2.2, wide * (0.65 + 0.7 * thick))
        _draw_trunk(outline, shade, stage, place, (lean - 0.5) * 0.10, int(bark * 1e6) + row)
    cover = floats(outline.astype(np.float32)) * (1.0 / 255.0)
    bark = colour(*_BARK["birch" if stage.wish.has("birch") else "dark"])
    light = stage.light("ambient") * 0.75 + stage.light("sun") * (0.55 * (0.4 + 0.6 * stage.palette.direct))
    air = (1.0 - close) ** 1.15 * (1.0 if stage.wish.has("fog") else 0.86)
    for band in bands(0, stage.height, stage.width):
        lit = shade[band].astype(np.float32)[..., None] * (1.9 / 255.0)
        haze = canvas[band] * 0.86
        blend(canvas[band], mix(bark * light * lit, haze, air), cover[band])
    near[:] = np.where(cover > 0.5, np.maximum(near, 0.15 + 0.80 * close), near)


def _draw_trunk(
    outline: Bytes, shade: Bytes, stage: Stage, place: tuple[float, float, float], lean: float, salt: int
) -> None:
    """A trunk from its foot out of the picture, brighter towards the light, with branches and birch marks."""
    x, foot, wide = place
    high = foot + stage.height * 0.05
    toward = 1.0 if stage.sun[0] > x else -1.0
    drawn = stage.chance(salt).random((14, 4)).tolist()
    bend = (drawn[0][0] - 0.5) * wide * 1.6
    parts = 26
    steps = np.linspace(0.0, 1.0, parts)
    middle = x + lean * high * steps + bend * np.sin(steps * math.pi)
    half = wide * 0.5 * (1.0 - 0.42 * steps) + wide * 0.34 * np.exp(-steps * 30.0)
    down = foot - high * steps
    for left, right, light in ((-1.0, 1.0, 0.42), (0.05, 1.0, 0.66), (0.45, 1.0, 0.86)):
        edges = (middle + half * left * toward, middle + half * right * toward)
        points = np.concatenate([np.stack([edges[0], down], 1), np.stack([edges[1], down], 1)[::-1]])
        fixed = [(points * 16).round().astype(np.int32)]
        cv2.fillPoly(outline, fixed, (255,), cv2.LINE_AA, 4)
        cv2.fillPoly(shade, fixed, (int(255 * light),), cv2.LINE_AA, 4)
    if stage.wish.has("birch"):
        for at, side, size, dark in drawn:
            share = at**0.8
            centre = (x + lean * high * share + bend * math.sin(share * math.pi), foot - high * share)
            reach = wide * (0.10 + 0.30 * size) * (1.0 - 0.4 * share)
            middle_at = (int(centre[0] + (side - 0.5) * wide * 0.6), int(centre[1]))
            tall = max(1, int(wide * 0.05 * (1.0 + dark)))
            cv2.ellipse(
                shade, middle_at, (max(1, int(reach)), tall), 0, 0, 360, (int(30 + 30 * dark),), -1, cv2.LINE_AA
            )
    for at, side, size, turn in drawn[:7]:
        share = 0.45 + 0.5 * at
        start = (x + lean * high * share + bend * math.sin(share * math.pi), foot - high * share)
        way = 1.0 if side > 0.5 else -1.0
        long = wide * (1.5 + 3.0 * size)
        end = (start[0] + way * long, start[1] - long * (0.5 + 0.8 * turn))
        thick = max(1, int(wide * 0.07))
        for target, value in ((outline, 255), (shade, 90)):
            cv2.line(target, (int(start[0]), int(start[1])), (int(end[0]), int(end[1])), (value,), thick, cv2.LINE_AA)


def _paint_leaves(canvas: Floats, near: Floats, stage: Stage, close: float, row: int) -> None:
    """A layer of leaf clusters that thins out downwards, larger and darker the nearer it is."""
    height, width = stage.height, stage.width
    small_height, small_width = max(16, height // 2), max(16, width // 2)
    cells = (7.0 - 3.6 * close) / stage.zoom
    mass = fbm(small_height, small_width, cells, cells * width / height, 3, stage.seed + 620 + row, 0.6)
    fine = (46.0 - 20.0 * close) / stage.zoom
    leaf = fbm(height, width, fine, fine * width / height, 3, stage.seed + 640 + row, 0.75)
    mass = resize(mass, width, height, cv2.INTER_CUBIC)
    first, second = _leaf(stage, 0.1), _leaf(stage, 0.9)
    light = stage.light("ambient") * 0.95 + stage.light("sun") * (0.95 * (0.35 + 0.65 * stage.palette.direct))
    air = (1.0 - close) ** 1.2 * 0.72
    foot = 0.64 - 0.30 * close
    for band in bands(0, height, width):
        down = rows_of(band) * (1.0 / height)
        want = 0.47 + 0.42 * smoothstep(foot - 0.36, foot + 0.16, down) + 0.03 * close
        thick = mass[band] * 0.70 + leaf[band] * 0.40 - 0.05
        cover = smoothstep(want, want + 0.025 + 0.02 * (1.0 - close), thick)
        shine = clip(0.30 + (leaf[band] - 0.38) * 3.4 + (0.40 - down) * 0.35, 0.10, 1.5)[..., None]
        tone = mix(first, second, clip((mass[band] - 0.3) * 2.5, 0.0, 1.0)[..., None]) * light * shine
        far = floats(np.hypot(columns(width) - stage.sun[0], rows_of(band) - height * 0.40))
        through = floats(np.exp(-far * (2.6 / stage.unit)))[..., None] * stage.palette.direct
        tone = tone * (1.0 - 0.25 * close) + tone * stage.light("sun") * through * 1.1
        blend(canvas[band], mix(tone, canvas[band], air), cover)
        near[band] = np.where(cover > 0.5, np.maximum(near[band], 0.15 + 0.75 * close), near[band])


def _paint_beams(canvas: Floats, stage: Stage) -> None:
    """Sunlight that falls in slanting shafts through the crowns."""
    if stage.palette.direct < 0.3 or stage.dark:
        return
    height, width = max(8, stage.height // 4), max(8, stage.width // 4)
    sun = (stage.sun[0] / 4, -height * 0.25)
    angle = floats(np.arctan2(columns(width) - sun[0], rows_of(slice(0, height)) - sun[1]))
    comb = fbm(2, 1024, 1.0, 26.0, 3, stage.seed + 660)[1]
    rays = floats(np.interp(angle, np.linspace(-1.6, 1.6, 1024), comb).astype(np.float32))
    fall = smoothstep(1.1, 0.1, rows_of(slice(0, height)) * (1.0 / height))
    rays = blur(smoothstep(0.50, 0.72, rays) * fall * floats(np.exp(-np.abs(angle) * 1.3)), 1.2)
    full = resize(rays, stage.width, stage.height)
    strong = 0.34 if stage.wish.has("sun", "fog") else 0.16
    for band in bands(0, stage.height, stage.width):
        canvas[band] += full[band][..., None] * stage.light("sun") * strong
