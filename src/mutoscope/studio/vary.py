"""Another picture after one: varied by the seed, its tone bent towards words or a reference, or painted anew.

Nothing in a picture is recognised, so nothing in it can be told to change: words move its light, its colours and its
manner (oil, watercolour, pencil, dots, rain, snow), and where much change is asked for, a scene is painted in their
place that keeps the picture's tone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from mutoscope.studio import picture, scene
from mutoscope.studio.clip import VERSION
from mutoscope.studio.error import StudioError
from mutoscope.studio.planes import Bytes
from mutoscope.studio.scene.lexicon import Wish, read
from mutoscope.studio.theatre import casting
from mutoscope.studio.tone import bend, middle, tone_of

MAX_AREA = 16_000_000  # pixels
MIN_SIDE = 64
REPAINTED = 0.75  # strength from which on a scene takes the picture's place, where the words name one
USUAL = 0.5
SKETCHED = 384  # pixels of the longer side of the painting whose tone is taken


@dataclass(frozen=True)
class Variation:
    """A picture that was made after another."""

    width: int
    height: int
    how: str  # what was done
    used: tuple[str, ...]
    ignored: tuple[str, ...]
    shown: tuple[str, ...] = ()


def vary_image(
    image: Path | None,
    out: Path,
    *,
    prompt: str = "",
    references: Sequence[Path] = (),
    strength: float = USUAL,
    width: int | None = None,
    height: int | None = None,
    seed: int = 0,
) -> Variation:
    """Write another picture after `image` to `out` (PNG, JPEG or WebP by its ending).

    `strength` is 0 (hardly changed) to 1. References give their tone. Without an image the words are painted, in the
    references' tone. Without a size it is the picture's own. The same arguments give the same bytes. Raises StudioError
    with "image", "reference", "prompt", "strength" or "width".
    """
    if not 0 <= strength <= 1:
        raise StudioError(f"the strength is {strength:g}; it must be 0 to 1", field="strength")
    wish = read(prompt)
    tones = [tone_of(np.asarray(picture.load(each, field="reference", enough=(512, 512)))) for each in references]
    source = _opened(image, width, height) if image else None
    size = source.size if source else (width or 1024, height or 1024)
    _check_size(*size)
    shown = wish.place is not None or bool(wish.features) or wish.time is not None or bool(casting.read(prompt).roles)
    words: tuple[tuple[str, ...], tuple[str, ...]] = (), wish.ignored + wish.used
    symbols: tuple[str, ...] = ()
    if source is None or (strength >= REPAINTED and shown):
        painting = scene.paint(prompt, *size, seed)
        rgb, words, how = painting.rgb, (painting.used, painting.ignored), "painted from its words"
        symbols = painting.shown
        tones = tones or ([tone_of(np.asarray(source))] if source else [])
        if tones:
            rgb = bend(rgb, tone_of(rgb), middle(tones), min(1.0, 1.5 * strength) if references else 0.5, light=0.7)
            how += ", in the tone of the " + ("reference" if references else "picture")
    else:
        rgb, how = _varied(np.asarray(source, np.uint8), strength, seed), "the picture, varied by its seed"
        if tones:
            rgb = bend(rgb, tone_of(rgb), middle(tones), 0.3 + 0.7 * strength, light=0.8)
            how += ", its tone bent to the reference's"
        if wish.used:
            rgb = _after_words(rgb, prompt, wish, strength, seed, toned=not tones)
            words = wish.used, wish.ignored
            how += ", its tone and manner bent to the words; nothing in it was redrawn"
    told = f"mutoscope studio {VERSION} ({how}, no model)"
    picture.save(Image.fromarray(rgb), out, told)
    return Variation(size[0], size[1], how, *words, symbols)


def _opened(image: Path, width: int | None, height: int | None) -> Image.Image:
    source = picture.load(image)
    if width or height:
        wanted = picture.fitting(source.size, width, height)
        _check_size(*wanted)
        return picture.cover(source, *wanted)
    if source.width * source.height > MAX_AREA:
        zoom = (MAX_AREA / (source.width * source.height)) ** 0.5
        raise StudioError(
            f"the picture is {source.width}x{source.height}; at most {MAX_AREA} pixels are varied, for example"
            f" {int(source.width * zoom)}x{int(source.height * zoom)}",
            field="image",
        )
    return source


def _check_size(width: int, height: int) -> None:
    if min(width, height) < MIN_SIDE or width * height > MAX_AREA:
        raise StudioError(
            f"{width}x{height} cannot be made: sides of {MIN_SIDE} pixels or more, and {MAX_AREA} pixels in all",
            field="width",
        )


def _varied(rgb: Bytes, strength: float, seed: int) -> Bytes:
    """Seen from a little nearer and to a side, its light and colours a little otherwise."""
    chance = np.random.default_rng(seed)
    height, width = rgb.shape[:2]
    zoom = 1 + strength * float(chance.uniform(0.03, 0.22))
    across, down = (float(each) for each in chance.uniform(-1, 1, 2))
    flips = strength > 0.35 and chance.random() < 0.4
    slack = (1 - 1 / zoom) / 2
    left, top = (slack * (1 + across)) * width, (slack * (1 + down)) * height
    box = left, top, left + width / zoom, top + height / zoom
    seen = Image.fromarray(rgb).resize((width, height), Image.Resampling.LANCZOS, box=box)
    if flips:
        seen = seen.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    own = np.asarray(seen, np.uint8)
    tone = tone_of(own)
    moved = chance.normal(0, 1, 3) * np.array([5, 6, 8]) * strength
    wanted = tone._replace(
        mean=tone.mean + moved.astype(np.float32),
        spread=tone.spread * np.exp(chance.normal(0, 0.22, 3) * strength).astype(np.float32),
    )
    return bend(own, tone, wanted, 1.0)


def _after_words(rgb: Bytes, prompt: str, wish: Wish, strength: float, seed: int, *, toned: bool) -> Bytes:
    """With the tone of what the words would paint, and in their manner."""
    height, width = rgb.shape[:2]
    factor = min(1.0, SKETCHED / max(width, height))
    size = max(MIN_SIDE, round(width * factor)), max(MIN_SIDE, round(height * factor))
    if toned and (wish.place or wish.time or wish.clouds or wish.features or wish.colours or wish.moods):
        sketch = scene.paint(prompt, *size, seed, card="never", figures=False).rgb
        rgb = bend(rgb, tone_of(rgb), tone_of(sketch), 0.25 + 0.6 * strength, light=0.8)
    for style, colours in (("mono", 0.0), ("sepia", 0.0), ("vivid", 1.4), ("pastel", 0.75)):
        if wish.styled(style):
            rgb = _coloured(rgb, colours, warm=style == "sepia")
    return scene.restyle(rgb, wish, seed)


def _coloured(rgb: Bytes, share: float, *, warm: bool) -> Bytes:
    """Livelier or paler; without colour, or brown as old photographs."""
    grey = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), np.float32)[..., None]
    made = grey + (rgb - grey) * np.float32(share)
    if warm:
        made = made * np.array([1.06, 0.90, 0.68], np.float32) + np.array([11, 8, 3], np.float32)
    return (made + np.float32(0.5)).clip(0, 255).astype(np.uint8)
