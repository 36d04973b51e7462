"""What stands at the viewer's feet: grass, flowers, reeds, rocks, a pier; they give a picture its depth."""

import math
from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt

from mutoscope.studio.scene.heights import course
from mutoscope.studio.scene.lexicon import SUITS
from mutoscope.studio.scene.noise import fbm
from mutoscope.studio.scene.raster import Bytes, Floats, blend, clip, colour, columns, floats, mix, rows_of, smoothstep
from mutoscope.studio.scene.stage import Stage
from mutoscope.studio.scene.trees import leaf_colour, leafy

_BLADE = np.linspace(0.0, 1.0, 6, dtype=np.float32)


def paint_foreground(canvas: Floats, near: Floats, stage: Stage) -> bool:
    """Paint every foreground that is asked for and that the place can hold; whether there was any."""
    wish = stage.wish
    if wish.styled("minimal") or wish.has("aerial"):
        return False
    painted = False
    for feature, paint in _KINDS:
        if wish.has(feature) and stage.place in SUITS[feature] and feature not in wish.excluded:
            paint(canvas, near, stage)
            painted = True
    return painted


def frame_with_branch(canvas: Floats, near: Floats, stage: Stage) -> None:
    """A bough of leaves or blossom that hangs into an upper corner, on the side away from the sun."""
    left = stage.sun[0] > stage.width / 2
    size = min(stage.unit, 1.4 * stage.height)
    cover, shade = _sheets(stage)
    source = stage.chance(720)
    root = np.array([0.0 if left else stage.width, -0.02 * size])
    way = 1.0 if left else -1.0
    tips: list[tuple[float, float]] = []
    for bough in range(5):
        turn = 0.10 + 0.22 * bough + 0.08 * float(source.random())
        tips += _draw_bough(cover, shade, root, (way * math.cos(turn), math.sin(turn)), size * 0.40, source)
    _lay(canvas, near, stage, cover, shade, colour(0.05, 0.04, 0.035), 0.97)
    cover, shade = _sheets(stage)
    for x, y in tips:
        for dx, dy, light, large in source.random((9, 4)).tolist():
            place = (int(x + (dx - 0.5) * size * 0.055), int(y + (dy - 0.5) * size * 0.05))
            radius = max(1, int(size * (0.0035 + 0.0055 * large)))
            cv2.circle(cover, place, radius, (255,), -1, cv2.LINE_AA)
            cv2.circle(shade, place, radius, (int(70 + 165 * light),), -1, cv2.LINE_AA)
    leaf = leaf_colour(stage, 0.5) * (1.0 if stage.wish.has("blossom") else 1.5)
    _lay(canvas, near, stage, cover, shade, leaf, 0.97)


def wants_branch(stage: Stage) -> bool:
    """Whether a leafy bough suits this picture better than dark pines."""
    return leafy(stage) and stage.wish.has("blossom", "autumn", "spring") and stage.place in ("mountains", "hills")


def _draw_bough(
    cover: Bytes,
    shade: Bytes,
    root: np.ndarray,
    way: tuple[float, float],
    long: float,
    source: np.random.Generator,
) -> list[tuple[float, float]]:
    """A bent twig with side twigs; the places where leaves hang."""
    tips: list[tuple[float, float]] = []
    at, turn = root.astype(np.float64), math.atan2(way[1], way[0])
    steps = 12
    for step in range(steps):
        turn += float(source.uniform(-0.16, 0.16)) + (0.03 if math.cos(turn) > 0 else -0.03)
        after = at + np.array([math.cos(turn), math.sin(turn)]) * (long / steps)
        thick = max(1, int(long * 0.020 * (1.0 - step / steps)))
        for sheet, value in ((cover, 255), (shade, 110)):
            cv2.line(sheet, (int(at[0]), int(at[1])), (int(after[0]), int(after[1])), (value,), thick, cv2.LINE_AA)
        for _ in range(2):
            aside = turn + float(source.uniform(-1.2, 1.2))
            reach = long * float(source.uniform(0.03, 0.13))
            tips.append((float(after[0] + math.cos(aside) * reach), float(after[1] + math.sin(aside) * reach)))
        at = after
    return tips


def _sheets(stage: Stage) -> tuple[Bytes, Bytes]:
    """An empty outline and an empty shading, both to be drawn with OpenCV."""
    return np.zeros((stage.height, stage.width), np.uint8), np.zeros((stage.height, stage.width), np.uint8)


def _lay(canvas: Floats, near: Floats, stage: Stage, cover: Bytes, shade: Bytes, tone: Floats, depth: float) -> None:
    """Lay drawn sheets over the picture; shade 128 is the tone itself."""
    rows = np.flatnonzero(cover.any(axis=1))
    if not len(rows):
        return
    light = _light(stage)
    for top in range(int(rows[0]), int(rows[-1]) + 1, 64):
        band = slice(top, min(int(rows[-1]) + 1, top + 64))
        share = floats(cover[band].astype(np.float32)) * (1.0 / 255.0)
        lit = floats(shade[band].astype(np.float32))[..., None] * (1.0 / 128.0)
        blend(canvas[band], tone * light * lit, share)
        near[band] = np.where(share > 0.5, depth, near[band])


def _light(stage: Stage) -> Floats:
    """The light on near things: against a low sun they stand half in their own shadow."""
    low = stage.time in ("sunset", "dawn", "twilight")
    return stage.light("ambient") * 1.05 + stage.light("sun") * (
        (0.42 if low else 0.95) * (0.25 + 0.75 * stage.palette.direct)
    )


def _blades(stage: Stage, salt: int, count: int, tall: float, wide: float) -> tuple[Floats, Floats]:
    """Outlines of grass blades, (count, points, 2), the hindmost first, and the chance that shades each."""
    source = stage.chance(salt)
    drawn = floats(source.random((5, count), dtype=np.float32))
    clump = fbm(2, 512, 1.0, 7.0, 4, stage.seed + salt)[1]
    x = drawn[0] * 1.06 - 0.03
    thick = clump[np.clip((x * 511).astype(np.int64), 0, 511)]
    high = tall * (0.35 + 0.65 * drawn[1]) * (0.30 + 1.25 * thick)
    lean = (drawn[2] - 0.5) * 0.9 + (0.16 if stage.sun[0] > stage.width / 2 else -0.16)
    spine = x[:, None] * stage.width + (lean * high)[:, None] * _BLADE**2
    down = stage.height * 1.01 - high[:, None] * _BLADE * (1.0 - 0.12 * np.abs(lean)[:, None])
    half = wide * (0.5 + drawn[3])[:, None] * (1.0 - _BLADE) ** 0.7
    left, right = np.stack([spine - half, down], 2), np.stack([spine + half, down], 2)[:, ::-1]
    order = np.argsort(-high, kind="stable")
    return floats(np.concatenate([left, right], 1)[order]), drawn[4][order]


def _grass_colour(stage: Stage) -> Floats:
    if stage.frosty:
        return colour(0.42, 0.44, 0.46)
    if stage.wish.has("autumn", "wheat", "steppe"):
        return colour(0.40, 0.29, 0.11)
    return colour(0.125, 0.19, 0.05)


def _paint_grass(canvas: Floats, near: Floats, stage: Stage) -> None:
    size = min(stage.unit, stage.height * 1.3)
    for layer, (tall, bright) in enumerate(((0.20, 0.55), (0.15, 0.95), (0.10, 0.70))):
        cover, shade = _sheets(stage)
        count = int(620 * stage.width / stage.unit)
        blades, light = _blades(stage, 700 + layer, count, size * tall * stage.zoom, size * 0.0026)
        free = _beside_road(stage, blades[:, 0, 0])
        _draw(cover, shade, blades[free], 45 + 130 * light[free])
        _lay(canvas, near, stage, cover, shade, _grass_colour(stage) * bright, 0.90 + 0.04 * layer)


def _beside_road(stage: Stage, at: Floats) -> npt.NDArray[np.bool_]:
    """Which columns at the lower edge do not stand on a road."""
    if not stage.wish.has("road", "path") or stage.place not in SUITS["road"]:
        return np.ones(at.shape, np.bool_)
    eye = {"hills": 27.0, "mountains": 17.0, "desert": 13.0}[stage.place]
    below = max(1.0, stage.height - stage.horizon)
    line = course(stage.seed, (stage.sun[0] - stage.width / 2) / stage.focal)
    free = np.ones(at.shape, np.bool_)
    for share in (1.0, 0.82, 0.64):  # the rows that the grass would hide
        distance = min(len(line) - 1, int(eye * stage.focal / (below * share)))
        middle = stage.width / 2 + float(line[distance]) * stage.focal / distance
        free &= np.abs(at - middle) > 8.0 * stage.focal / distance
    return free


def _draw(cover: Bytes, shade: Bytes, shapes: Floats, lights: Floats) -> None:
    fixed = (shapes * 16).round().astype(np.int32)
    for outline, light in zip(fixed, lights.astype(np.int64).tolist(), strict=True):
        cv2.fillPoly(cover, [outline], (255,), cv2.LINE_AA, 4)
        cv2.fillPoly(shade, [outline], (light,), cv2.LINE_AA, 4)


def _paint_flowers(canvas: Floats, near: Floats, stage: Stage) -> None:
    """Grass with blossoms on stems, the near ones large."""
    if stage.wish.has("furrows"):
        return  # they stand in rows there
    if not stage.wish.has("tall grass"):
        _paint_grass(canvas, near, stage)
    size = min(stage.unit, stage.height * 1.3) * stage.zoom
    blooms = stage.wish.blooms or ((0.85, 0.16, 0.20), (0.52, 0.30, 0.78), (0.95, 0.80, 0.30))
    for kind, bloom in enumerate(blooms[:3]):
        cover, shade = _sheets(stage)
        heads = stage.chance(740 + kind).random((int(84 / len(blooms[:3]) * stage.width / stage.unit) + 2, 4)).tolist()
        free = _beside_road(stage, np.array([head[0] for head in heads], np.float32) * stage.width)
        kept = [head for head, beside in zip(heads, free.tolist(), strict=True) if beside]
        for x, up, large, turn in sorted(kept, key=lambda head: head[2]):
            radius = size * (0.006 + 0.013 * large)
            row = stage.height - size * (0.02 + 0.17 * up) * (0.6 + 0.4 * large)
            _draw_bloom(cover, shade, (x * stage.width, row), radius, turn)
        _lay(canvas, near, stage, cover, shade, colour(*bloom) * 0.72, 0.97)


def _draw_bloom(cover: Bytes, shade: Bytes, place: tuple[float, float], radius: float, turn: float) -> None:
    """Six petals seen aslant; their inner ends are darker."""
    tilt = 0.55 + 0.35 * turn
    for petal in range(6):
        angle = (petal / 6.0 + turn) * 2.0 * math.pi
        middle = (place[0] + math.cos(angle) * radius * 0.55, place[1] + math.sin(angle) * radius * 0.55 * tilt)
        axes = (max(8, int(radius * 0.55 * 16)), max(8, int(radius * 0.36 * 16)))
        fixed = (int(middle[0] * 16), int(middle[1] * 16))
        slant = math.degrees(math.atan2(math.sin(angle) * tilt, math.cos(angle)))
        light = int(150 + 60 * math.sin(-angle) + 20 * (petal % 2))
        for sheet, value in ((cover, 255), (shade, light)):
            cv2.ellipse(sheet, fixed, axes, slant, 0, 360, (value,), -1, cv2.LINE_AA, 4)
    cv2.circle(shade, (int(place[0]), int(place[1])), max(1, int(radius * 0.22)), (70,), -1, cv2.LINE_AA)


def _paint_reeds(canvas: Floats, near: Floats, stage: Stage) -> None:
    """Long blades and cattails at both sides, with the middle open."""
    size = min(stage.unit, stage.height * 1.2) * stage.zoom
    cover, shade = _sheets(stage)
    blades, light = _blades(stage, 750, int(420 * stage.width / stage.unit), size * 0.36, size * 0.0026)
    middle = blades[:, 0, 0] / stage.width - 0.5
    open_middle = np.abs(middle) > 0.17 + 0.16 * light
    _draw(cover, shade, blades[open_middle], 40 + 110 * light[open_middle])
    for x, tall, lean, _ in stage.chance(751).random((int(26 * stage.width / stage.unit) + 2, 4)).tolist():
        if abs(x - 0.5) < 0.22:
            continue
        _draw_cattail(cover, shade, stage, x * stage.width, size * (0.20 + 0.20 * tall), (lean - 0.5) * 0.16)
    _lay(canvas, near, stage, cover, shade, mix(_grass_colour(stage), colour(0.16, 0.13, 0.06), 0.5), 0.96)


def _draw_cattail(cover: Bytes, shade: Bytes, stage: Stage, x: float, tall: float, lean: float) -> None:
    top = (int(x + lean * tall), int(stage.height - tall))
    low = (int(x + lean * tall * 0.72), int(stage.height - tall * 0.80))
    thick = max(1, int(tall * 0.010))
    for sheet, value in ((cover, 255), (shade, 60)):
        cv2.line(sheet, (int(x), stage.height), top, (value,), thick, cv2.LINE_AA)
        high = (int(x + lean * tall * 0.90), int(stage.height - tall * 0.935))
        cv2.line(sheet, low, high, (value,), max(2, int(tall * 0.042)), cv2.LINE_AA)


def _paint_rocks(canvas: Floats, near: Floats, stage: Stage) -> None:
    """Boulders, the nearest lowest and largest."""
    size = min(stage.unit, stage.height * 1.3) * stage.zoom
    drawn = stage.chance(760).random((int(15 * stage.width / stage.unit) + 3, 5)).tolist()
    for at, (x, close, large, flat, _) in enumerate(sorted(drawn, key=lambda rock: rock[1])):
        aside = 0.5 + math.copysign(abs(x - 0.5) ** 0.75 * 0.5**0.25, x - 0.5)
        foot = stage.height * (0.86 + 0.17 * close)
        radius = size * (0.018 + 0.110 * close**2.2 * (0.35 + 0.65 * large))
        _paint_rock(canvas, near, stage, (aside * stage.width, foot, radius), 0.62 + 0.36 * flat, 770 + at)


def _paint_rock(
    canvas: Floats, near: Floats, stage: Stage, place: tuple[float, float, float], flat: float, salt: int
) -> None:
    column, foot, radius = place
    wide, high = radius * 1.35, radius * flat
    rows = slice(max(0, int(foot - high * 1.25)), min(stage.height, int(foot + high * 0.35)))
    cols = slice(max(0, int(column - wide * 1.3)), min(stage.width, int(column + wide * 1.3)))
    if rows.stop - rows.start < 2 or cols.stop - cols.start < 2:
        return
    x = (columns(stage.width)[:, cols] - column) * (1.0 / wide)
    y = (rows_of(rows) - foot) * (1.0 / high)
    tall, broad = rows.stop - rows.start, cols.stop - cols.start
    rough = fbm(tall, broad, 3.2, 5.0, 5, stage.seed + salt, 0.6) - 0.5
    grain = fbm(tall, broad, 14.0, 22.0, 3, stage.seed + salt + 40, 0.6) - 0.5
    out = floats(np.sqrt(np.abs(x) ** 2.6 + np.abs(y) ** 2.2)) + rough * 0.42
    dome = floats(np.sqrt(np.maximum(1.0 - out, 0.0))) + rough * 0.9 + grain * 0.10
    across = floats(cv2.Sobel(dome, cv2.CV_32F, 1, 0, ksize=3)) * (wide * 0.10)
    down = floats(cv2.Sobel(dome, cv2.CV_32F, 0, 1, ksize=3)) * (high * 0.10)
    toward = 0.8 if stage.sun[0] > column else -0.8
    facing = clip(
        (0.35 - across * toward + down * 0.8) / floats(np.sqrt(1.0 + across * across + down * down)), 0.0, 1.2
    )
    stone = colour(0.30, 0.28, 0.265) if stage.place != "desert" else colour(0.42, 0.27, 0.17)
    stone = stone * (1.0 + grain * 1.0)[..., None]
    if stage.frosty:
        stone = mix(stone, colour(0.85, 0.88, 0.94), smoothstep(0.10, 0.40, down + rough * 0.4 - y * 0.2)[..., None])
    light = stage.light("ambient") * 0.75 + stage.light("sun") * (
        1.25 * facing[..., None] * (0.3 + 0.7 * stage.palette.direct)
    )
    buried = smoothstep(0.22, 0.02, y + rough * 0.3)
    cover = smoothstep(1.0, 1.0 - 3.0 / radius, out) * buried
    blend(canvas[rows, cols], stone * light * (0.55 + 0.45 * clip(-y * 1.6, 0.0, 1.0))[..., None], cover)
    near[rows, cols] = np.where(cover > 0.5, np.float32(0.80 + 0.15 * min(1.0, foot / stage.height)), near[rows, cols])


def _paint_pier(canvas: Floats, near: Floats, stage: Stage) -> None:
    """Planks that lead from the viewer over the water, with posts at their sides."""
    below = stage.height - stage.horizon
    end = int(stage.horizon + below * 0.24)
    rows = slice(max(1, end), stage.height)
    if rows.stop - rows.start < 4 or below < 8:
        return
    vanish = stage.width * (0.5 + 0.10 * (float(stage.chance(780).random()) - 0.5))
    down = (rows_of(rows) - stage.horizon) * (1.0 / below)
    spread = min(stage.width * 0.22, stage.unit * 0.24) * stage.zoom
    aside = floats(np.abs(columns(stage.width) - vanish)) / (spread * down)
    board = 7.0 / down  # distance, in boards
    drawn = stage.chance(781).random(256).astype(np.float32)
    tone = drawn[np.mod(board, 256).astype(np.int64)]
    gap = smoothstep(0.06, 0.14, floats(np.abs(board - np.rint(board)))) * 0.7 + 0.3
    fine = clip(down * stage.unit * (1 / 60.0), 0.0, 1.0)
    veins = fbm(rows.stop - rows.start, stage.width, 12.0, 90.0, 3, stage.seed + 782) - 0.5
    shade = (0.74 + 0.40 * tone * fine) * mix(np.float32(0.86) + down * 0, gap, fine)
    wood = colour(0.33, 0.25, 0.18) * (shade * (1.0 + 0.5 * veins * fine))[..., None]
    _shade_water(canvas[rows], aside)
    blend(canvas[rows], wood * _light(stage) * 1.15, smoothstep(1.0, 0.985, aside))
    near[rows] = np.where(aside < 1.0, np.maximum(near[rows], 0.25 + 0.75 * np.sqrt(down)), near[rows])
    for step in np.linspace(0.26, 1.12, 7).tolist():
        for side in (-1.0, 1.0):
            _paint_post(canvas, near, stage, (vanish + side * spread * step * 1.01, step * below, step))


def _shade_water(water: Floats, aside: Floats) -> None:
    """The dark mirror of the pier's side."""
    water *= (1.0 - 0.45 * smoothstep(1.16, 1.0, aside))[..., None]


def _paint_post(canvas: Floats, near: Floats, stage: Stage, place: tuple[float, float, float]) -> None:
    column, down, step = place
    wide = max(1.0, stage.unit * 0.0125 * step)
    top, bottom = (
        int(stage.horizon + down - stage.unit * 0.055 * step),
        int(stage.horizon + down + stage.unit * 0.02 * step),
    )
    rows = slice(max(0, top), min(stage.height, bottom))
    cols = slice(max(0, int(column - wide)), min(stage.width, int(column + wide) + 1))
    if rows.start >= rows.stop or cols.start >= cols.stop:
        return
    x = (columns(stage.width)[:, cols] - column) * (1.0 / wide)
    toward = 1.0 if stage.sun[0] > column else -1.0
    round_light = clip(0.62 + 0.45 * x * toward - 0.30 * x * x, 0.15, 1.2)
    lit = np.broadcast_to(round_light, (rows.stop - rows.start, cols.stop - cols.start))
    cover = floats(np.broadcast_to(smoothstep(1.0, 0.7, floats(np.abs(x))), lit.shape))
    blend(canvas[rows, cols], colour(0.26, 0.20, 0.15) * _light(stage) * lit[..., None], cover)
    near[rows, cols] = np.where(
        cover > 0.5, np.maximum(near[rows, cols], 0.25 + 0.7 * math.sqrt(min(1.0, step))), near[rows, cols]
    )


def _paint_palms(canvas: Floats, near: Floats, stage: Stage) -> None:
    """A few palms at one side that lean towards the middle."""
    side = 1.0 if stage.sun[0] < stage.width / 2 else -1.0
    size = min(stage.height, stage.unit) * min(1.2, stage.zoom)
    for at, (aside, tall, lean, salt) in enumerate(
        sorted(stage.chance(790).random((4, 4)).tolist(), key=lambda p: p[1])
    ):
        cover, shade = _sheets(stage)
        x = stage.width * (0.5 + side * (0.30 + 0.24 * aside))
        _draw_palm(cover, shade, stage, (x, size * (0.42 + 0.36 * tall)), -side * (0.10 + 0.28 * lean), int(salt * 1e6))
        _lay(canvas, near, stage, cover, shade, colour(0.085, 0.125, 0.045), 0.88 + 0.025 * at)


def _draw_palm(cover: Bytes, shade: Bytes, stage: Stage, place: tuple[float, float], lean: float, salt: int) -> None:
    """A bent trunk with a crown of drooping fronds; place is (column of the foot, height)."""
    x, tall = place
    steps = np.linspace(0.0, 1.0, 16)
    foot = stage.height * 1.01
    spine = np.stack([x + lean * tall * steps**1.7, foot - tall * steps], 1)
    half = tall * 0.017 * (1.15 - 0.55 * steps + 0.5 * np.exp(-steps * 14.0))
    trunk = np.concatenate([spine - np.stack([half, 0 * half], 1), (spine + np.stack([half, 0 * half], 1))[::-1]])
    _draw(cover, shade, floats(trunk[None]), np.array([105.0]))
    source = stage.chance(salt)
    for frond in range(13):
        turn = math.pi * (frond / 12.0) + float(source.uniform(-0.12, 0.12))
        long = tall * float(source.uniform(0.30, 0.40))
        _draw_frond(cover, shade, spine[-1], (turn, long), 60 + 110 * float(source.random()))


def _draw_frond(cover: Bytes, shade: Bytes, root: np.ndarray, reach: tuple[float, float], light: float) -> None:
    """A rib that rises and droops, with leaflets along both sides."""
    turn, long = reach
    t = np.linspace(0.0, 1.0, 20)
    rib = np.stack(
        [root[0] + math.cos(turn) * long * t, root[1] - math.sin(turn) * long * 0.62 * t + long * 0.62 * t**2.3], 1
    )
    along = np.gradient(rib, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True) + 1e-6
    leaf = long * 0.20 * np.sin(math.pi * np.clip(t * 0.9 + 0.1, 0, 1)) ** 0.7
    for side in (-1.0, 1.0):
        across = np.stack([-along[:, 1], along[:, 0]], 1) * side
        tips = rib + (across * 0.55 + along * 0.75) * leaf[:, None] + np.array([0.0, 0.35]) * leaf[:, None]
        blades = np.stack([rib[:-1], rib[1:], tips[:-1]], 1)
        _draw(cover, shade, floats(blades), np.full(len(blades), light))


# feature → its painter, the ones that others may stand before first
_KINDS: tuple[tuple[str, Callable[[Floats, Floats, Stage], None]], ...] = (
    ("pier", _paint_pier),
    ("rocks", _paint_rocks),
    ("palms", _paint_palms),
    ("tall grass", _paint_grass),
    ("flowers", _paint_flowers),
    ("reeds", _paint_reeds),
)
