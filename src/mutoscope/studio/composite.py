"""Several pictures as one: crossfaded into each other, or a subject before another background."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from mutoscope.studio import cutout, picture, scene
from mutoscope.studio.clip import VERSION, comment
from mutoscope.studio.error import StudioError
from mutoscope.studio.planes import Bytes, Floats
from mutoscope.studio.scene.lexicon import read
from mutoscope.studio.scene.noise import fbm
from mutoscope.studio.tone import Tone, bend, middle, tone_of

MAX_AREA = 9_000_000  # pixels of a blend
MAX_SCENE = 40_000_000  # of a picture that gets another background
MIN_SIDE = 64
LEAST, MOST = 2, 8  # pictures
PAINTED_SIDE = 2560  # of a background's longer side; larger ones are enlarged
LIKENESS = 0.45  # how far the pictures' tones move to their mean
LEVELS = 7  # of the pyramid that they are joined in


@dataclass(frozen=True)
class Composite:
    width: int
    height: int
    used: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    confidence: float = 1.0  # that the subject was found


def blend_images(
    images: Sequence[Path], out: Path, *, width: int | None = None, height: int | None = None, seed: int = 0
) -> Composite:
    """Write the pictures, crossfaded into one, to `out` (PNG, JPEG or WebP by its ending).

    Each has a soft region of the result, at a place that the seed chooses; their tones move towards each other. Without
    a size it is the first picture's. Nothing is recognised or merged as a thing. The same arguments give the same
    bytes. Raises StudioError with "image" or "width".
    """
    if not LEAST <= len(images) <= MOST:
        raise StudioError(f"{len(images)} pictures were given; {LEAST} to {MOST} are blended", field="image")
    own = picture.measure(images[0])
    if not width and not height:
        zoom = min(1.0, (MAX_AREA / (own[0] * own[1])) ** 0.5)
        width, height = round(own[0] * zoom), round(own[1] * zoom)
    width, height = picture.fitting(own, width, height)
    if min(width, height) < MIN_SIDE or width * height > MAX_AREA:
        raise StudioError(
            f"{width}x{height} cannot be made: sides of {MIN_SIDE} or more, {MAX_AREA} pixels in all", field="width"
        )
    loaded = [np.asarray(picture.cover(picture.load(each), width, height), np.uint8) for each in images]
    tones = [tone_of(each) for each in loaded]
    common = middle(tones)
    alike = [bend(each, tone, common, LIKENESS) for each, tone in zip(loaded, tones, strict=True)]
    rgb = _joined(alike, _regions(len(images), width, height, seed))
    told = f"mutoscope studio {VERSION} ({len(images)} pictures crossfaded, no model)"
    picture.save(Image.fromarray(rgb), out, told)
    return Composite(width, height)


def learn_look(images: Sequence[Path], out: Path, *, side: int, seed: int = 0) -> Composite:
    """Write one picture in the palette and tone that the pictures have in common, by which later ones are made.

    The tones of all count; a few of the pictures are seen in it. Raises StudioError with "reference".
    """
    tones = [tone_of(np.asarray(picture.load(each, field="reference", enough=(side, side)))) for each in images]
    common = middle(tones)
    shown = images[:: max(1, -(-len(images) // MOST))]
    loaded = [np.asarray(picture.cover(picture.load(each, field="reference"), side, side), np.uint8) for each in shown]
    alike = [bend(each, tone_of(each), common, 1.0) for each in loaded]
    rgb = _joined(alike, _regions(len(alike), side, side, seed)) if len(alike) > 1 else alike[0]
    told = f"mutoscope studio {VERSION} (palette and tone of {len(images)} pictures, no model)"
    picture.save(Image.fromarray(rgb), out, told)
    return Composite(side, side)


def tile_images(images: Sequence[Path], out: Path, *, most: int) -> tuple[int, int]:
    """Write four pictures of one size as one, two by two, to `out`; its size. They are reduced where it would have more
    than `most` pixels."""
    width, height = picture.measure(images[0])
    factor = min(1.0, (most / (4 * width * height)) ** 0.5)
    across, down = max(1, round(width * factor)), max(1, round(height * factor))
    whole = Image.new("RGB", (2 * across, 2 * down))
    for index, each in enumerate(images):
        tile = picture.load(each)
        tile = tile if tile.size == (across, down) else tile.resize((across, down), Image.Resampling.LANCZOS)
        whole.paste(tile, (index % 2 * across, index // 2 * down))
    picture.save(whole, out, f"mutoscope studio {VERSION} (four pictures on one, no model)")
    return whole.size


def replace_background(
    image: Path,
    out: Path,
    *,
    prompt: str = "",
    background: Path | None = None,
    rough: Path | None = None,
    matte: Path | None = None,
    seed: int = 0,
) -> Composite:
    """Write the picture's subject before a background that is painted from words, or before another picture, to `out`.

    The subject's light is moved a little towards the background's. In the picture's own size. The same arguments give
    the same bytes. Raises StudioError with "image", "reference" or "prompt".
    """
    source = picture.load(image)
    if source.width * source.height > MAX_SCENE or min(source.size) < MIN_SIDE:
        raise StudioError(
            f"the picture is {source.width}x{source.height}; it needs sides of {MIN_SIDE} pixels or more, and"
            f" {MAX_SCENE} pixels in all at most",
            field="image",
        )
    rgb = np.asarray(source, np.uint8)
    shares, confidence = cutout.matte_of(rgb, rough, matte)
    behind, used, ignored = _background(source.size, prompt, background, seed)
    cut = cutout.compose(rgb, shares)[..., :3]
    lit = bend(cut, tone_of(rgb, shares), _towards(tone_of(rgb, shares), tone_of(behind)), 1.0)
    made = _laid(lit, behind, shares)
    picture.save(Image.fromarray(made), out, comment(used, ignored))
    return Composite(source.width, source.height, used, ignored, confidence)


def _background(
    size: tuple[int, int], prompt: str, background: Path | None, seed: int
) -> tuple[Bytes, tuple[str, ...], tuple[str, ...]]:
    if background is not None:
        shown = picture.cover(picture.load(background, field="reference", enough=size), *size)
        words = read(prompt)
        return np.asarray(shown, np.uint8), (), words.used + words.ignored
    if not prompt.strip():
        raise StudioError("what should be behind the subject is told by words or by a picture", field="prompt")
    factor = min(1.0, PAINTED_SIDE / max(size))
    painted = scene.paint(
        prompt, max(64, round(size[0] * factor)), max(64, round(size[1] * factor)), seed, figures=False, card="never"
    )
    shown = Image.fromarray(painted.rgb).resize(size, Image.Resampling.BICUBIC)
    return np.asarray(shown, np.uint8), painted.used, painted.ignored


def _towards(own: Tone, other: Tone) -> Tone:
    """The subject's own tone with a share of the background's light and colour; its contrast stays."""
    return Tone(own.mean + (other.mean - own.mean) * np.array([0.22, 0.35, 0.35], np.float32), own.spread)


def _laid(front: Bytes, behind: Bytes, matte: Floats) -> Bytes:
    """Front over behind; along the outline a little of the background's light falls on the subject."""
    height, width = matte.shape
    reach = max(2.0, min(height, width) * 0.012)
    glow = _soft(behind, reach * 2)
    rim = matte * (1 - np.asarray(cv2.GaussianBlur(matte, (0, 0), reach), np.float32)) * np.float32(0.55)
    result = np.empty_like(front)
    for top in range(0, height, 256):
        rows = slice(top, top + 256)
        share, edge = matte[rows, :, None], rim[rows, :, None]
        lit = front[rows] * (1 - edge) + np.maximum(front[rows], glow[rows]) * edge
        result[rows] = lit * share + behind[rows] * (1 - share) + np.float32(0.5)
    return result


def _soft(rgb: Bytes, sigma: float) -> Bytes:
    height, width = rgb.shape[:2]
    factor = min(1.0, 3.0 / sigma)
    size = max(2, round(width * factor)), max(2, round(height * factor))
    small = cv2.GaussianBlur(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), (0, 0), sigma * factor)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def _regions(count: int, width: int, height: int, seed: int) -> list[Floats]:
    """How much of each picture shows where, (H, W), adding up to 1: parts of the frame with wandering borders."""
    chance = np.random.default_rng(seed)
    side = 256
    rows, columns = max(8, round(side * height / max(width, height))), max(8, round(side * width / max(width, height)))
    down, across = np.mgrid[:rows, :columns].astype(np.float32)
    x, y = across / columns - 0.5, down / rows - 0.5
    turn = float(chance.uniform(0, 2 * np.pi)) if count > 2 else float(chance.choice([0.15, 0.5, -0.3]))
    fields: list[Floats] = []
    for index in range(count):
        angle = turn + 2 * np.pi * index / count
        centre = 0.33 * np.cos(angle), 0.33 * np.sin(angle)
        wander = fbm(rows, columns, 3, 3, 3, int(chance.integers(1 << 30))) - 0.5
        away = np.hypot(x - centre[0], y - centre[1])
        fields.append(np.asarray(-9 * away + 2.6 * wander, np.float32))
    total = np.exp(np.stack(fields) - np.max(fields, 0))
    shares = total / total.sum(0)
    return [np.asarray(cv2.resize(each, (width, height), interpolation=cv2.INTER_CUBIC), np.float32) for each in shares]


def _joined(images: list[Bytes], shares: list[Floats]) -> Bytes:
    """Each band of detail is crossfaded over a width of its own (Burt and Adelson, 1983)."""
    total: list[Floats] = []
    for rgb, share in zip(images, shares, strict=True):
        bands = _bands(rgb.astype(np.float32))
        weight = share
        for level, band in enumerate(bands):
            part = band * weight[..., None]
            if level < len(total):
                total[level] += part
            else:
                total.append(part)
            weight = np.asarray(cv2.pyrDown(weight), np.float32)
    result = total[-1]
    for band in total[-2::-1]:
        result = np.asarray(cv2.pyrUp(result, dstsize=(band.shape[1], band.shape[0])) + band, np.float32)
    return (result + np.float32(0.5)).clip(0, 255).astype(np.uint8)


def _bands(image: Floats) -> list[Floats]:
    """A Laplacian pyramid, the finest first."""
    bands: list[Floats] = []
    for _ in range(LEVELS):
        if min(image.shape[:2]) < 8:
            break
        small = np.asarray(cv2.pyrDown(image), np.float32)
        bands.append(image - cv2.pyrUp(small, dstsize=(image.shape[1], image.shape[0])))
        image = small
    return [*bands, image]
