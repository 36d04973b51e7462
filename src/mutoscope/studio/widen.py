"""A bigger canvas round a picture: mirrored about its edges, softened far away from them and given its grain.

A fill, not an invention: what lies beyond the edge is not known, so nothing new is drawn there.
"""

from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from mutoscope.studio import picture, scene
from mutoscope.studio.clip import VERSION, Print, comment
from mutoscope.studio.error import StudioError
from mutoscope.studio.fill import lit_alike
from mutoscope.studio.planes import Bytes, Floats
from mutoscope.studio.scene.lexicon import read
from mutoscope.studio.tone import bend, tone_of

MAX_AREA = 40_000_000  # pixels of the result
MAX_SIDE = 8192
NEAR_BLUR, FAR_BLUR = 0.004, 0.11  # of the picture's shorter side: sigma at the first step and the last
STEPS = 6
REACH_ACROSS, REACH_UP, REACH_DOWN = 0.4, 0.08, 0.16  # of the width and the height: how much the mirror shows
SOFT_AT = 1.0  # of the shorter side: how far from the seam the blur is strongest
SEAM = 0.08  # of the shorter side: the band of the fill that is as sharp as the picture
BAND = 256  # rows that are blended at a time
PAINTED_SIDE = 2560  # of a scene's longer side; larger ones are enlarged
SCENE_FROM, SCENE_TO = 0.03, 0.4  # of the shorter side: how far out a scene comes in, and where it is all
LIT_FADES = 0.6  # of the shorter side: how far out a scene's light is bent to the picture's
SCENE_LATEST = 0.75  # of the widest margin: where it is all in any case


def widen_image(
    image: Path,
    out: Path,
    *,
    left: int = 0,
    right: int = 0,
    top: int = 0,
    bottom: int = 0,
    prompt: str = "",
    seed: int = 0,
) -> Print:
    """Write the picture to `out` (PNG, JPEG or WebP by its ending) with so many more pixels on each side.

    The given picture's own pixels are untouched. The fill is a reflection about the edge that grows softer far away
    from it, with noise as strong as the picture's own, drawn from `seed`. Where words name a place, it turns into such
    a scene, painted for the whole canvas in the picture's tone. The same arguments give the same bytes.
    Raises StudioError with "image", or with the side's name where it is negative or too much.
    """
    source = picture.load(image)
    margins = left, right, top, bottom
    width, height = source.width + left + right, source.height + top + bottom
    sides = dict(zip(("left", "right", "top", "bottom"), margins, strict=True))
    for side, pixels in sides.items():
        if pixels < 0:
            raise StudioError(f"{side} is {pixels}; a picture can only be widened", field=side)
    if max(width, height) > MAX_SIDE or width * height > MAX_AREA:
        most = max(sides, key=lambda side: sides[side])
        raise StudioError(f"{width}x{height} is more than {MAX_SIDE} on a side or {MAX_AREA} pixels", field=most)
    own = np.asarray(source, np.uint8)
    rgb, wish = widen(own, margins, seed), read(prompt)
    if wish.place is None:
        told = f"mutoscope studio {VERSION} (canvas filled by soft reflection, no model)"
        used, ignored = (), wish.used + wish.ignored
    else:
        used, ignored = _paint_around(rgb, own, margins, prompt, seed)
        told = comment(used, ignored)
    picture.save(Image.fromarray(rgb), out, told)
    return Print(width=width, height=height, used=used, ignored=ignored)


def _paint_around(
    rgb: Bytes, own: Bytes, margins: tuple[int, int, int, int], prompt: str, seed: int
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """A scene comes in behind the reflection, in place. The words that it used and ignored."""
    height, width = rgb.shape[:2]
    factor = min(1.0, PAINTED_SIDE / max(width, height))
    painting = scene.paint(
        prompt, max(64, round(width * factor)), max(64, round(height * factor)), seed, figures=False, card="never"
    )
    toned = Image.fromarray(bend(painting.rgb, tone_of(painting.rgb), tone_of(own), 0.6, light=0.7))
    full = np.asarray(toned.resize((width, height), Image.Resampling.BICUBIC), np.uint8)
    distance, short = _distances((height, width), margins), min(own.shape[:2])
    first, last = SCENE_FROM * short, max(2.0, min(SCENE_TO * short, SCENE_LATEST * max(margins)))
    first = min(first, last / 4)
    full = lit_alike(full, rgb, distance < max(1.0, (first + last) / 2), fades=LIT_FADES)
    for top in range(0, height, BAND):
        rows = slice(top, top + BAND)
        share = ((distance[rows] - first) / (last - first)).clip(0, 1)[..., None]
        share = share * share * (3 - 2 * share)
        rgb[rows] = rgb[rows] * (1 - share) + full[rows] * share + np.float32(0.5)
    return painting.used, painting.ignored


def widen(rgb: Bytes, margins: tuple[int, int, int, int], seed: int) -> Bytes:
    """`rgb` (H, W, 3) with margins (left, right, top, bottom) of fill."""
    left, _, top, _ = margins
    height, width = rgb.shape[:2]
    wide = _mirrored(rgb, margins)
    level = _levels(wide.shape[:2], margins, min(height, width))
    result = _softened(wide, level, min(height, width))
    _add_grain(result, level, _grain(rgb), seed)
    result[top : top + height, left : left + width] = rgb
    return result


def _mirrored(rgb: Bytes, margins: tuple[int, int, int, int]) -> Bytes:
    """Reflected about the edges, ever more stretched away from them: the sun and the ground are not seen again in the
    sky."""
    left, right, top, bottom = margins
    height, width = rgb.shape[:2]
    across = _turned(width, left, right, (REACH_ACROSS, REACH_ACROSS))
    down = _turned(height, top, bottom, (REACH_UP, REACH_DOWN))
    wide = np.empty((len(down), len(across), 3), np.uint8)
    for row in range(0, len(down), BAND):
        part = down[row : row + BAND]
        columns = np.tile(across, (len(part), 1))
        rows = np.repeat(part[:, None], len(across), 1)
        wide[row : row + BAND] = cv2.remap(rgb, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return wide


def _turned(length: int, before: int, after: int, reach: tuple[float, float]) -> Floats:
    """Which of the picture's rows (or columns) each one of the result shows."""
    last = length - 1
    first, end = (
        _back(count, max(1.0, share * last)).clip(0, last) for count, share in ((before, reach[0]), (after, reach[1]))
    )
    return np.concatenate([first[::-1], np.arange(length), last - end]).astype(np.float32)


def _back(count: int, most: float) -> Floats:
    return most * (1 - np.exp(-np.arange(1, count + 1) / most))


def _levels(shape: tuple[int, int], margins: tuple[int, int, int, int], short: int) -> Floats:
    """How soft each pixel of the result is: 0 at the seam … STEPS at SOFT_AT and beyond."""
    share = ((_distances(shape, margins) / short - SEAM) / (SOFT_AT - SEAM)).clip(0, 1)
    return np.asarray(share * STEPS, np.float32)


def _distances(shape: tuple[int, ...], margins: tuple[int, int, int, int]) -> Floats:
    """How many pixels each one of the result is away from the given picture."""
    left, right, top, bottom = margins
    height, width = shape[:2]
    across, down = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)
    beside = np.maximum(np.maximum(left - across, across - (width - right - 1)), 0)
    above = np.maximum(np.maximum(top - down, down - (height - bottom - 1)), 0)
    return np.hypot(above[:, None], beside[None]).astype(np.float32)


def _softened(wide: Bytes, level: Floats, short: int) -> Bytes:
    """Each pixel from the two nearest of STEPS + 1 blurs."""
    result = wide.copy()
    sharper = wide
    for step in range(1, STEPS + 1):
        sigma = short * NEAR_BLUR * (FAR_BLUR / NEAR_BLUR) ** ((step - 1) / (STEPS - 1))
        softer = _blurred(wide, sigma)
        for top in range(0, len(wide), BAND):
            rows = slice(top, top + BAND)
            share = (level[rows] - (step - 1)).clip(0, 1)[..., None]
            if (share > 0).any():
                mixed = sharper[rows] * (1 - share) + softer[rows] * share + np.float32(0.5)
                result[rows] = np.where(share > 0, mixed, result[rows])
        sharper = softer
    return result


def _blurred(wide: Bytes, sigma: float) -> Bytes:
    """Gaussian, of any width at the same price: at a size at which it is a few pixels."""
    height, width = wide.shape[:2]
    factor = min(1.0, 4.0 / sigma)
    size = max(2, round(width * factor)), max(2, round(height * factor))
    small = cv2.resize(wide, size, interpolation=cv2.INTER_AREA) if factor < 1 else wide
    soft = cv2.GaussianBlur(small, (0, 0), max(0.3, sigma * factor), borderType=cv2.BORDER_REFLECT)
    return np.asarray(cv2.resize(soft, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def _grain(rgb: Bytes) -> float:
    """The standard deviation of the picture's noise, where it is smoothest, in steps of 8 bits."""
    grey = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), np.float32)
    fine = np.abs(cv2.filter2D(grey, cv2.CV_32F, np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)))
    calm = cv2.blur(np.asarray(fine, np.float32), (15, 15))
    # Immerkær's estimator: the mean absolute response to this mask is sigma · 6 · sqrt(2 / pi).
    return min(12.0, float(np.percentile(calm, 20)) / (6 * (2 / np.pi) ** 0.5))


def _add_grain(result: Bytes, level: Floats, sigma: float, seed: int) -> None:
    """In place. Also dithers, so that wide soft areas show no steps."""
    chance = np.random.default_rng(seed)
    for top in range(0, len(result), BAND):
        rows = slice(top, top + BAND)
        share = level[rows].clip(0, 1)  # the sharp reflection has its own grain
        noise = chance.standard_normal(share.shape, np.float32) * np.float32(max(sigma, 0.5)) * share
        result[rows] = (result[rows] + noise[..., None] + np.float32(0.5)).clip(0, 255)
