"""What a mask shows, filled from the rest of the picture: with the place whose surroundings are most alike. No trained
weights.

A hole is a copy of one other part of the picture, bent in its light to what lies at the edge; where no place can be
found for the whole of it, it is halved. Structures that run level, as most horizons do, go on. What is coarse in it is
the mean of such copies and of a smooth membrane over the hole, weighed by how well each foretells the hole's edge.
"""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mutoscope.studio import picture, scene
from mutoscope.studio.clip import VERSION, Print, comment
from mutoscope.studio.error import StudioError
from mutoscope.studio.planes import Bytes, Floats
from mutoscope.studio.scene.lexicon import Wish, read
from mutoscope.studio.theatre import casting, show
from mutoscope.studio.theatre.staging import cast_of
from mutoscope.studio.tone import bend, tone_of

MAX_AREA = 24_000_000  # pixels of the picture
PAINTED_SIDE = 2560  # of a scene's longer side; larger ones are enlarged
SOUGHT_SIDE = 360  # pixels of the longer side where places are looked for
FINER = 6  # pixels about such a place, at the full size
RING = 0.022  # of the picture's shorter side: how much around the hole is compared
LEVEL = 0.1  # of the height: a place that is higher or lower by more is taken only where a hole can be halved no more
POOR = 2600.0  # mean squared difference from which on two halves may fit better than the whole
SINKING = 4.0  # how much a place that is higher or lower by the picture's height costs, in usual costs
NEARLY, SLACK = 1.2, 20.0  # places up to so much costlier than the best are good too: the seed chooses
MOST_BEST = 4
MOST_PARTS = 64  # separate holes that are filled so; smaller matters are smoothed over
BAND = 256  # rows that are composed at a time
MOST_HOLE = 0.95  # of the picture
LARGEST_HOLE = 0.5  # of a side: a hole that is wider or higher is halved first
SMALLEST_SHARE = 0.03  # of the picture's shorter side
SMALLEST_HOLE = 6  # pixels of a side that is still halved
MOST_BEND = 60  # steps of 255 by which the copy's light may be bent
COPIES = 2  # places whose mean is taken for what is coarse; what is fine is the first's
COARSE = 0.012  # of the picture's shorter side: sigma of what is coarse
TRUST = 0.7  # how much a copy's misfit at the edge counts, to that of the membrane
SMOOTHING = 0.25  # how much of what is fine goes too where the copy fits badly
FEATHER, SHALLOW = 0.1, 0.7  # the width in which a scene comes in: of the shorter side, and at most of the hole's depth
LIT_SIDE = 512  # pixels of the longer side where light is matched
LIT_FADES = 0.25  # of the shorter side: how far in from the edge the light is still bent
WHITE, BLACK, CLEAR, OPAQUE = "white", "black", "transparent", "opaque"
POLARITIES = (WHITE, BLACK, CLEAR, OPAQUE)
"""What marks the hole in a mask: its white, its black, what is transparent in it or what is not."""

Mask = NDArray[np.bool_]


def fill_image(
    image: Path,
    mask: Path | None,
    out: Path,
    *,
    prompt: str = "",
    polarity: str | None = None,
    width: int | None = None,
    height: int | None = None,
    seed: int = 0,
) -> Print:
    """Write the picture to `out` (PNG, JPEG or WebP by its ending) with the masked part made anew: filled from the
    rest, or, where words name a place, painted as a part of such a scene, in the picture's tone.

    Outside of the mask's soft edge every pixel is the given picture's own; with a width or a height, the whole is then
    resampled to it, and what is too wide or too high cut off. Without a mask, what is transparent in the
    picture is filled. Without a polarity, white is, or, in a mask with transparency, what is transparent. The same
    arguments give the same bytes. Raises StudioError with "image", "mask",
    "mask_polarity" or "width".
    """
    source = picture.load(image)
    if source.width * source.height > MAX_AREA:
        raise StudioError(f"the picture has more than {MAX_AREA} pixels", field="image")
    across, down = picture.fitting(source.size, width, height)
    if across * down > MAX_AREA:
        raise StudioError(f"{across}x{down} is more than {MAX_AREA} pixels", field="width")
    rgb = np.asarray(source, np.uint8)
    cover = read_mask(mask or image, source.size, polarity, field="mask" if mask else "image")
    wish = read(prompt)
    cast = casting.read(prompt)
    if wish.place is None and cast.roles:
        return _filled_with(cast, wish, rgb, cover, out, (across, down), seed)
    if wish.place is None:
        made = Image.fromarray(fill(rgb, cover, seed))
        picture.save(
            picture.cover(made, across, down),
            out,
            f"mutoscope studio {VERSION} (filled from its surroundings, no model)",
        )
        return Print(width=across, height=down, used=(), ignored=wish.used + wish.ignored)
    painting = scene.paint(prompt, *_painted_size(source.size), seed, figures=False, card="never")
    behind = np.asarray(Image.fromarray(painting.rgb).resize(source.size, Image.Resampling.BICUBIC), np.uint8)
    behind = bend(behind, tone_of(behind), tone_of(rgb, 1 - cover), 0.6, light=0.7)
    behind = lit_alike(behind, rgb, cover < 0.02, fades=LIT_FADES)
    behind = _laid(fill(rgb, cover, seed), behind, _feathered(cover))
    made = picture.cover(Image.fromarray(_laid(rgb, behind, cover)), across, down)
    picture.save(made, out, comment(painting.used, painting.ignored, painting.shown))
    return Print(width=across, height=down, used=painting.used, ignored=painting.ignored, shown=painting.shown)


def _filled_with(
    cast: casting.Cast, wish: Wish, rgb: Bytes, cover: Floats, out: Path, size: tuple[int, int], seed: int
) -> Print:
    """What is around fills the mask, and the figures of the words stand in it."""
    made = np.ascontiguousarray(fill(rgb, cover, seed))
    rows, columns = (np.flatnonzero(cover.max(axis) > 0.5) for axis in (1, 0))
    if len(rows) and len(columns):
        top, left = int(rows[0]), int(columns[0])
        height, width = int(rows[-1]) + 1 - top, int(columns[-1]) + 1 - left
        part = np.ascontiguousarray(made[top : top + height, left : left + width])
        for actor in cast_of(cast, width, height, "mask", seed, floor=height * 0.97):
            show.lay(part, None, actor, effects=cast.effects)
        share = cover[top : top + height, left : left + width, None]
        under = made[top : top + height, left : left + width]
        made[top : top + height, left : left + width] = (under * (1 - share) + part * share + np.float32(0.5)).astype(
            np.uint8
        )
    read_too = set(" ".join(cast.used).split())
    ignored = tuple(word for word in wish.ignored + wish.used if word not in read_too)
    picture.save(picture.cover(Image.fromarray(made), *size), out, comment(cast.used, ignored, cast.shown))
    return Print(width=size[0], height=size[1], used=cast.used, ignored=ignored, shown=cast.shown)


def _feathered(cover: Floats) -> Floats:
    """How much of a scene shows in a hole: nothing at its edge, all of it some way in."""
    depth = cv2.distanceTransform((cover > 0.5).astype(np.uint8), cv2.DIST_L2, 5)
    share = (depth / max(1.0, min(FEATHER * min(cover.shape), SHALLOW * float(depth.max())))).clip(0, 1)
    return np.asarray(share * share * (3 - 2 * share), np.float32)


def lit_alike(made: Bytes, given: Bytes, known: Mask, *, fades: float) -> Bytes:
    """`made` with its light and colours bent to those of `given` at the edge of what is known of it, less and less
    away from there, until hardly at twice `fades` of the shorter side."""
    height, width = known.shape
    factor = min(1.0, LIT_SIDE / max(known.shape))
    size = max(4, round(width * factor)), max(4, round(height * factor))
    one, other = (cv2.resize(each, size, interpolation=cv2.INTER_AREA).astype(np.float32) for each in (given, made))
    seen = cv2.resize(known.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.999
    if not seen.any():
        return made
    short = min(seen.shape)
    away = _smoothed((one - other).clip(-2 * MOST_BEND, 2 * MOST_BEND), seen, max(1.0, RING * short))
    distance = cv2.distanceTransform((~seen).astype(np.uint8), cv2.DIST_L2, 5)
    fading = np.exp(-np.square(distance / (fades * short)))
    # In 16 bits, as the whole may be large; in 32nds of a step, so that no steps are seen.
    bent = (_carried_in(away, seen) * fading[..., None] * 32).astype(np.int16)
    wide = np.asarray(cv2.resize(bent, (width, height), interpolation=cv2.INTER_LINEAR), np.int16)
    result = np.empty_like(made)
    for top in range(0, height, BAND):
        rows = slice(top, top + BAND)
        result[rows] = (made[rows] + wide[rows] * np.float32(1 / 32) + np.float32(0.5)).clip(0, 255)
    return result


def _painted_size(size: tuple[int, int]) -> tuple[int, int]:
    factor = min(1.0, PAINTED_SIDE / max(size))
    return max(64, round(size[0] * factor)), max(64, round(size[1] * factor))


def _laid(rgb: Bytes, made: Bytes, cover: Floats) -> Bytes:
    share = cover[..., None].clip(0, 1)
    result = rgb.copy()
    for top in range(0, len(rgb), BAND):
        rows = slice(top, top + BAND)
        result[rows] = rgb[rows] * (1 - share[rows]) + made[rows] * share[rows] + np.float32(0.5)
    return result


def read_mask(path: Path, size: tuple[int, int], polarity: str | None, *, field: str) -> Floats:
    """How much of each pixel is to be filled, (H, W), 0 to 1. Raises StudioError with `field` or "mask_polarity"."""
    if polarity is not None and polarity not in POLARITIES:
        raise StudioError(
            f"the mask's polarity is {polarity!r}; it must be one of {', '.join(POLARITIES)}", field="mask_polarity"
        )
    _ = picture.load(path, field=field)  # every check is there
    with Image.open(path, formats=picture.FORMATS) as opened:
        layer = opened.convert("RGBA") if opened.has_transparency_data else None
        marks = opened.convert("RGB").convert("L")
    if field == "image" and layer is None:
        raise StudioError("there is no mask, and the picture has no transparent part to be filled", field="mask")
    how = polarity or (CLEAR if layer is not None else WHITE)
    if how in (CLEAR, OPAQUE) and layer is None:
        raise StudioError(f"the mask has no transparency, and what is {how} in it is to be filled", field="mask")
    shown = layer.getchannel("A") if layer is not None and how in (CLEAR, OPAQUE) else marks
    if abs(shown.width * size[1] / (shown.height * size[0]) - 1) > 0.02:
        raise StudioError(
            f"the mask is {shown.width}x{shown.height}, which is another shape than the picture's {size[0]}x{size[1]}",
            field=field,
        )
    values = np.asarray(shown.resize(size, Image.Resampling.BILINEAR), np.float32) / np.float32(255)
    cover = 1 - values if how in (BLACK, CLEAR) else values
    return check(np.asarray(cover, np.float32), field)


def check(cover: Floats, field: str) -> Floats:
    share = float((cover > 0.5).mean())
    if not share:
        raise StudioError("the mask marks nothing", field=field)
    if share > MOST_HOLE:
        raise StudioError(f"the mask marks {share:.0%} of the picture; too little is left to fill it from", field=field)
    return cover


def fill(rgb: Bytes, cover: Floats, seed: int) -> Bytes:
    """RGB (H, W, 3) with what `cover` (H, W) marks made anew."""
    hole = cv2.dilate((cover > 0.02).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    made, left = rgb.copy(), hole.copy()
    _, labels = cv2.connectedComponents(hole.astype(np.uint8))
    for label in range(1, min(int(labels.max()), MOST_PARTS) + 1):
        for part in _halved(labels == label):
            _fill_part(made, part, left, seed)
    if left.any():  # specks, and what has no like
        made = np.asarray(cv2.inpaint(made, left.astype(np.uint8), 5, cv2.INPAINT_TELEA), np.uint8)
    return _laid(rgb, made, cover)


def _halved(part: Mask) -> list[Mask]:
    """The part, in pieces that are not larger than half of the picture."""
    top, bottom, left, right = _bounds(part)
    high, wide = (bottom - top) / part.shape[0], (right - left) / part.shape[1]
    if max(high, wide) <= LARGEST_HOLE:
        return [part]
    pieces = _cut(part)
    return [part] if len(pieces) < 2 else [piece for each in pieces for piece in _halved(each)]


def _cut(part: Mask) -> list[Mask]:
    """In two, side by side where it is not much higher than wide; as it is where that is small already."""
    top, bottom, left, right = _bounds(part)
    if max(bottom - top, right - left) < 2 * max(SMALLEST_HOLE, SMALLEST_SHARE * min(part.shape)):
        return [part]
    first = part.copy()
    if bottom - top > 2 * (right - left):
        first[(top + bottom) // 2 :] = False
    else:
        first[:, (left + right) // 2 :] = False
    return [piece for piece in (first, part & ~first) if piece.any()]


def _bounds(part: Mask) -> tuple[int, int, int, int]:
    rows, columns = np.flatnonzero(part.any(1)), np.flatnonzero(part.any(0))
    return int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1


def _fill_part(made: Bytes, part: Mask, left: Mask, turn: int) -> None:
    """In place. What could be filled is no longer `left`."""
    pieces = _cut(part)
    places = _places(made, part, left, turn, level=len(pieces) > 1)
    if not places:
        for piece in pieces if len(pieces) > 1 else ():
            _fill_part(made, piece, left, turn)
        return
    reach = _ring_width(part.shape)
    window = _window(part, 3 * reach)
    gap, known = part[window], ~left[window]
    mean, misfit = _membrane(made[window].astype(np.float32), gap, known, reach)
    first, first_misfit = _copied(made, part, left, places[0], window)
    total = 1 / (misfit + 1) + 1 / (first_misfit + 1)
    mean = mean * np.float32(1 / (misfit + 1)) + first * np.float32(1 / (first_misfit + 1))
    for place in places[1:]:
        copy, unlike = _copied(made, part, left, place, window)
        mean += copy * np.float32(1 / (unlike + 1))
        total += 1 / (unlike + 1)
    away = np.where(gap[..., None], mean * np.float32(1 / total) - first, 0)
    coarse = _blurred(away, max(0.8, COARSE * min(part.shape)))
    share = np.float32(SMOOTHING * first_misfit / (first_misfit + misfit + 1e-6))
    first += coarse * (1 - share) + away * share
    made[window] = np.where(gap[..., None], (first + np.float32(0.5)).clip(0, 255), made[window])
    left[window] &= ~gap


def _window(part: Mask, reach: int) -> tuple[slice, slice]:
    top, bottom, first, last = _bounds(part)
    return slice(max(0, top - reach), bottom + reach), slice(max(0, first - reach), last + reach)


def _membrane(here: Floats, gap: Mask, known: Mask, reach: int) -> tuple[Floats, float]:
    """A smooth surface over the hole, and its mean squared misfit: on a ring about the hole, foretold from outside."""
    beside = _grown(gap, reach) & known
    outside = known & ~beside
    if not outside.any():
        return _carried_in(here, known), float(MOST_BEND**2)
    misfit = float(np.square(_carried_in(here, outside) - here)[beside].mean()) if beside.any() else 0.0
    return _carried_in(here, known), misfit


def _copied(
    made: Bytes, part: Mask, left: Mask, shift: tuple[int, int], within: tuple[slice, slice]
) -> tuple[Floats, float]:
    """What is `within`, with the hole copied from so far away and bent in its light; what its misfit at the edge
    counts."""
    reach = _ring_width(part.shape)
    tight = _window(part, reach)
    window = tuple(
        slice(max(each.start, -move), min(each.stop, length, length - move))
        for each, move, length in zip(tight, shift, part.shape, strict=True)
    )
    there = tuple(slice(each.start + move, each.stop + move) for each, move in zip(window, shift, strict=True))
    gap, copy = part[window], made[there].astype(np.float32)
    known = _grown(gap, reach) & ~left[window] & ~left[there]
    misfit = float(MOST_BEND**2)
    if known.any():
        unlike = made[window] - copy
        misfit = float(np.square(unlike[known] - unlike[known].mean(0)).mean())
        copy += _carried_in(_smoothed(unlike.clip(-MOST_BEND, MOST_BEND), known, reach / 2), known)
    whole = made[within].astype(np.float32)
    inner = tuple(
        slice(each.start - outer.start, each.stop - outer.start) for each, outer in zip(window, within, strict=True)
    )
    whole[inner] = np.where(gap[..., None], copy, whole[inner])
    return whole, TRUST * misfit


def _grown(mask: Mask, reach: int) -> Mask:
    return cv2.dilate(mask.astype(np.uint8), np.ones((2 * reach + 1,) * 2, np.uint8)) > 0


def _blurred(values: Floats, sigma: float) -> Floats:
    """Gaussian, of any width at the same price: at a size at which it is a few pixels."""
    factor = min(1.0, 4.0 / sigma)
    height, width = values.shape[:2]
    size = max(2, round(width * factor)), max(2, round(height * factor))
    small = cv2.resize(values, size, interpolation=cv2.INTER_AREA) if factor < 1 else values
    soft = cv2.GaussianBlur(small, (0, 0), max(0.3, sigma * factor))
    return np.asarray(cv2.resize(soft, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def _ring_width(shape: tuple[int, ...]) -> int:
    return max(4, round(RING * min(shape[:2])))


def _places(made: Bytes, part: Mask, left: Mask, turn: int, *, level: bool) -> list[tuple[int, int]]:
    """By how many rows and columns to move for a copy of the part, and of what is around it, that fits: a few ways.

    None where there is none, or, with `level`, none that is about as high and fits well.
    """
    factor = min(1.0, SOUGHT_SIDE / max(part.shape))
    size = max(16, round(part.shape[1] * factor)), max(16, round(part.shape[0] * factor))
    small = cv2.resize(made, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    gap, gone = (_shrunk(each, size) for each in (part, left))
    top, bottom, first, last = _bounds(gap)
    reach = _ring_width(gap.shape)
    window = slice(max(0, top - reach), bottom + reach), slice(max(0, first - reach), last + reach)
    ring = (cv2.dilate(gap[window].astype(np.uint8), np.ones((2 * reach + 1,) * 2, np.uint8)) > 0) & ~gone[window]
    if not ring.any():
        return []
    weights = np.repeat(ring.astype(np.float32)[..., None], 3, 2)
    cost = cv2.matchTemplate(small, np.ascontiguousarray(small[window]), cv2.TM_SQDIFF, mask=weights)
    # Nothing may be copied that is a hole itself.
    taken = cv2.matchTemplate(gone.astype(np.float32), (gap[window] | ring).astype(np.float32), cv2.TM_CCORR)
    cost = np.maximum(np.asarray(cost, np.float64), 0) / (3 * ring.sum())
    rows = np.abs(np.arange(cost.shape[0]) - window[0].start) / gap.shape[0]
    cost += SINKING * float(np.median(cost)) * rows[:, None]
    cost[taken > 0.5] = np.inf
    if level:
        cost[(rows > LEVEL)[:, None] | (cost > POOR)] = np.inf
    found = list[tuple[int, int]]()
    for best in _best(cost, turn)[:COPIES]:
        down, across = (
            round((at - each.start) * full / less)
            for at, each, full, less in zip(best, window, part.shape, gap.shape, strict=True)
        )
        finer = _finer(made, part, left, (down, across))
        if finer is not None and finer not in found:
            found.append(finer)
    return found


def _shrunk(mask: Mask, size: tuple[int, int]) -> Mask:
    return cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0


def _best(cost: Floats, turn: int) -> list[tuple[int, int]]:
    """The cheapest places, none of which is beside another, beginning with one that `turn` chooses."""
    cost, found = cost.copy(), list[tuple[int, int]]()
    least = float(cost.min())
    if not np.isfinite(least):
        return []
    while len(found) < MOST_BEST and (now := float(cost.min())) <= least * NEARLY + SLACK:
        row, column = divmod(int(cost.argmin()), cost.shape[1])
        found.append((row, column))
        cost[max(0, row - 6) : row + 7, max(0, column - 6) : column + 7] = np.inf
        if not np.isfinite(now):
            break
    first = turn % len(found)
    return found[first:] + found[:first]


def _finer(made: Bytes, part: Mask, left: Mask, shift: tuple[int, int]) -> tuple[int, int] | None:
    """The same place to the pixel."""
    reach = _ring_width(part.shape)
    top, bottom, first, last = _bounds(part)
    height, width = part.shape
    window = (
        slice(max(0, top - reach), min(height, bottom + reach)),
        slice(max(0, first - reach), min(width, last + reach)),
    )
    grown = cv2.dilate(part[window].astype(np.uint8), np.ones((2 * reach + 1,) * 2, np.uint8)) > 0
    ring, here = grown & ~left[window], made[window].astype(np.int32)
    step = max(1, round((ring.size / 60_000) ** 0.5))
    least, best = np.inf, None
    for down in range(shift[0] - FINER, shift[0] + FINER + 1):
        for across in range(shift[1] - FINER, shift[1] + FINER + 1):
            rows, columns = window[0].start + down, window[1].start + across
            if rows < 0 or columns < 0 or rows + ring.shape[0] > height or columns + ring.shape[1] > width:
                continue
            there = slice(rows, rows + ring.shape[0]), slice(columns, columns + ring.shape[1])
            if (left[there][::step, ::step] & grown[::step, ::step]).any():
                continue
            away = here[::step, ::step] - made[there][::step, ::step]
            cost = float((away * away).sum(-1)[ring[::step, ::step]].mean())
            if cost < least:
                least, best = cost, (down, across)
    return best


def _smoothed(values: Floats, known: Mask, sigma: float) -> Floats:
    """The values' slow change along what is known: its fine detail is nothing that should be carried inwards."""
    weight = known.astype(np.float32)
    total = cv2.GaussianBlur(values * weight[..., None], (0, 0), sigma)
    return np.asarray(total / np.maximum(cv2.GaussianBlur(weight, (0, 0), sigma), 1e-6)[..., None], np.float32)


def _carried_in(values: Floats, known: Mask) -> Floats:
    """A smooth field (H, W, 3) that has these values where they are known: pulled small, pushed back."""
    weight = known.astype(np.float32)[..., None]
    if min(known.shape) <= 2 or known.all():
        mean = (values * weight).sum((0, 1)) / max(1.0, float(weight.sum()))
        return np.where(weight > 0, values, mean).astype(np.float32)
    size = (known.shape[1] + 1) // 2, (known.shape[0] + 1) // 2
    counted = np.asarray(cv2.resize(weight, size, interpolation=cv2.INTER_AREA), np.float32)
    total = np.asarray(cv2.resize(values * weight, size, interpolation=cv2.INTER_AREA), np.float32)
    small = total / np.maximum(counted, 1e-6)[..., None]
    coarse = _carried_in(small, counted > 0)
    wide = cv2.resize(coarse, (known.shape[1], known.shape[0]), interpolation=cv2.INTER_LINEAR)
    field = np.where(weight > 0, values, wide)
    smooth = cv2.blur(field, (3, 3), borderType=cv2.BORDER_REPLICATE)
    return np.where(weight > 0, values, smooth).astype(np.float32)
