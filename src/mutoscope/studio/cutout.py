"""The subject of a picture without its background, and how sure one may be of it. No trained weights.

What is in focus, unlike the picture's edges and near its middle is taken for the subject; GrabCut finds its outline
by colour, a guided filter its soft edge. Good for one clear subject, poor for busy scenes: the confidence tells.
"""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mutoscope.studio import depth, picture
from mutoscope.studio.clip import VERSION
from mutoscope.studio.error import StudioError
from mutoscope.studio.planes import Bytes, Floats

OUTLINE_SIDE = 384  # pixels of the longer side where the outline is sought
MATTE_SIDE = 1280  # and where its soft edge is
MAX_AREA = 40_000_000  # pixels of the picture
LEAST_SHARE = 0.004  # a smaller subject is none
LEAST_PART = 0.08  # of the biggest part: smaller ones are specks
SOFTNESS = 1e-4  # variance of a colour below which the matte is smoothed over
BAND = 256  # rows that are composed at a time

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Cutout:
    """A subject that was cut out."""

    width: int
    height: int
    confidence: float  # 0 to 1: how clearly its colours and outline differ from the background's
    share: float  # of the picture that it covers, 0 to 1


def cut_out(image: Path, out: Path, *, rough: Path | None = None, matte: Path | None = None) -> Cutout:
    """Write the subject of the picture to `out` as PNG with transparency, in the picture's own size.

    Below a confidence of about 0.5 the result should be looked at before it is used. The same picture gives the
    same bytes. Raises StudioError with the field "image", also where nothing stands out at all.
    """
    source = picture.load(image)
    if source.width * source.height > MAX_AREA:
        raise StudioError(f"the picture has more than {MAX_AREA} pixels", field="image")
    rgb = np.asarray(source, np.uint8)
    shares, confidence = matte_of(rgb, rough, matte)
    how = "cut out, no model" if (rough or matte) is None else "cut out where a model found the subject"
    told = f"mutoscope studio {VERSION} ({how}; confidence {confidence:.2f})"
    picture.save(Image.fromarray(compose(rgb, shares)), out, told, packing=picture.SEARCH)
    return Cutout(source.width, source.height, confidence, round(float(shares.mean()), 4))


def matte_of(rgb: Bytes, rough: Path | None = None, matte: Path | None = None) -> tuple[Floats, float]:
    """The subject's share of each pixel, (H, W), 0 to 1, and the confidence. Raises StudioError with "image".

    `rough` is a picture in grey of how sure somebody else is that the subject is there; its outline is made finer here.
    `matte` is one of somebody who knows better: nothing is done to it but to give it the picture's size.
    """
    if matte is not None:
        sure = _grey(matte)
        return _grown(sure, rgb.shape[1], rgb.shape[0]).clip(0, 1), _decided(sure)
    subject, confidence = find_subject(rgb) if rough is None else _outlined(rgb, rough)
    return _matte(rgb, subject), confidence


def _outlined(rgb: Bytes, rough: Path) -> tuple[Mask, float]:
    sure, small = _grey(rough), _reduced(rgb, OUTLINE_SIDE)
    return _grown(sure, small.shape[1], small.shape[0]) > 0.5, _decided(sure)


def _grey(path: Path) -> Floats:
    return np.asarray(Image.open(path, formats=("PNG",)).convert("L"), np.float32) / 255


def _grown(sure: Floats, width: int, height: int) -> Floats:
    return np.asarray(cv2.resize(sure, (width, height), interpolation=cv2.INTER_CUBIC), np.float32)


def _decided(sure: Floats) -> float:
    """The confidence: how far each pixel is from one half."""
    return float(np.abs(sure - 0.5).mean() * 2)


def find_subject(rgb: Bytes) -> tuple[Mask, float]:
    """Where the subject of an RGB picture is, at most OUTLINE_SIDE wide and high, and the confidence, 0 to 1."""
    small = _reduced(rgb, OUTLINE_SIDE)
    promise = _promise(small)
    subject = _largest_parts(_grab(small, promise, sure=93, likely=62, rounds=5))
    if subject.mean() < LEAST_SHARE or subject.mean() > 1 - LEAST_SHARE:
        raise StudioError("nothing in the picture stands out from a background", field="image")
    return subject, _confidence(small, subject, _found_again(small, promise))


def _found_again(rgb: Bytes, promise: Floats) -> Mask:
    """The subject from another start, sought at half the size, which takes a quarter of the time."""
    height, width = promise.shape
    half = max(8, width // 2), max(8, height // 2)
    small = np.asarray(cv2.resize(rgb, half, interpolation=cv2.INTER_AREA), np.uint8)
    hope = np.asarray(cv2.resize(promise, half, interpolation=cv2.INTER_AREA), np.float32)
    found = _largest_parts(_grab(small, hope, sure=86, likely=48, rounds=3)).astype(np.uint8)
    return cv2.resize(found, (width, height), interpolation=cv2.INTER_NEAREST) > 0


def _promise(rgb: Bytes) -> Floats:
    """How likely each pixel belongs to the subject, 0 to 1: the depth guess's own signs, without the ground's."""
    grey = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), np.float32) / 255
    height, width = grey.shape
    down = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    across = np.linspace(-1, 1, width, dtype=np.float32)[None]
    centre = np.exp(-((across / 0.62) ** 2) - ((down - 0.05) / 0.72) ** 2).astype(np.float32)
    near = cv2.resize(depth.guess(rgb), (width, height), interpolation=cv2.INTER_LINEAR)
    signs = 0.45 * depth._salience(rgb) + 0.2 * depth._focus(grey) + 0.15 * np.asarray(near) + 0.2
    promise = np.asarray(signs * (0.35 + 0.65 * centre), np.float32)
    least, most = np.percentile(promise, [1, 99])
    return ((promise - np.float32(least)) / np.float32(max(most - least, 1e-6))).clip(0, 1)


def _grab(rgb: Bytes, promise: Floats, *, sure: float, likely: float, rounds: int) -> Mask:
    """GrabCut, where what is above these percentiles of the promise is surely, or likely, the subject."""
    height, width = promise.shape
    mask = np.full((height, width), cv2.GC_PR_BGD, np.uint8)
    mask[promise > float(np.percentile(promise, likely))] = cv2.GC_PR_FGD
    mask[promise > float(np.percentile(promise, sure))] = cv2.GC_FGD
    mask[promise < float(np.percentile(promise, 12))] = cv2.GC_BGD
    rim = max(2, width // 64)
    for edge in (mask[:rim], mask[:, :rim], mask[:, -rim:]):
        edge[:] = cv2.GC_BGD  # not the lower edge: portraits stand on it
    if not np.isin(mask, (cv2.GC_FGD, cv2.GC_PR_FGD)).any():
        return np.zeros((height, width), np.bool_)
    cv2.setRNGSeed(1)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(rgb[..., ::-1].copy(), mask, (0, 0, 0, 0), *models, rounds, cv2.GC_INIT_WITH_MASK)
    return np.isin(mask, (cv2.GC_FGD, cv2.GC_PR_FGD))


def _largest_parts(subject: Mask) -> Mask:
    """Without specks, and without small holes."""
    cleaned = cv2.morphologyEx(subject.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    kept = _without_small(np.asarray(cleaned, np.uint8), LEAST_PART)
    holes = _without_small((1 - kept).astype(np.uint8), 0.01)
    return holes == 0


def _without_small(mask: Bytes, least: float) -> Bytes:
    _, labels, facts, _ = cv2.connectedComponentsWithStats(mask, connectivity=4)
    areas = facts[1:, cv2.CC_STAT_AREA]
    if not len(areas):
        return mask
    kept = 1 + np.flatnonzero(areas >= least * areas.max())
    return np.isin(labels, kept).astype(np.uint8)


def _confidence(rgb: Bytes, subject: Mask, again: Mask) -> float:
    """Four signs, each 0 to 1, multiplied; the root makes a clear subject's figure about 0.7.

    `again` is the subject as found from another start: a true one hardly depends on that.
    """
    share = float(subject.mean())
    touching = float(np.concatenate([subject[0], subject[:, 0], subject[:, -1]]).mean())
    signs = (
        _colour_distance(rgb, subject),
        _edge_contrast(rgb, subject),
        _ramp(float((subject & again).sum() / max(1, (subject | again).sum())), 0.0, 0.9),
        _ramp(share, 0.0, 0.04) * _ramp(1 - share, 0.15, 0.45) * (1 - 0.8 * _ramp(touching, 0.0, 0.4)),
    )
    return round(float(np.prod([max(sign, 0.01) for sign in signs]) ** 0.5), 3)


def _colour_distance(rgb: Bytes, subject: Mask) -> float:
    """How little the colours of inside and outside overlap: 0 the same, 1 none in common."""
    lab = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB), np.uint8)
    inside, outside = (_colours(lab[part]) for part in (subject, ~subject))
    return _ramp(1 - float(np.sqrt(inside * outside).sum()), 0.1, 0.75)


def _colours(lab: Bytes) -> Floats:
    """A smoothed histogram, 8 × 16 × 16, that sums to 1."""
    bins = np.histogramdd(lab.astype(np.float32), bins=(8, 16, 16), range=((0, 256),) * 3)[0]
    return np.asarray((bins + 1e-3) / (bins + 1e-3).sum(), np.float32)


def _edge_contrast(rgb: Bytes, subject: Mask) -> float:
    """How much of the outline runs where colours change more than they do everywhere."""
    lab = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB), np.float32)
    slopes = [cv2.Sobel(lab, cv2.CV_32F, dx, 1 - dx, ksize=3) for dx in (0, 1)]
    gradient = np.sqrt((np.square(slopes)).sum((0, -1)))
    marks = subject.astype(np.uint8)
    outline = (cv2.dilate(marks, np.ones((3, 3))) - cv2.erode(marks, np.ones((3, 3)))) > 0
    outline[[0, -1]] = False
    outline[:, [0, -1]] = False
    if not outline.any():
        return 0.0
    clear = gradient[outline] > 1.5 * float(gradient.mean()) + 8.0
    return _ramp(float(clear.mean()), 0.2, 0.85)


def _ramp(value: float, low: float, high: float) -> float:
    return min(1.0, max(0.0, (value - low) / (high - low)))


def _matte(rgb: Bytes, subject: Mask) -> Floats:
    """The subject's share of each pixel, (H, W), 0 to 1: the outline, bent to the edges of the picture.

    The filter's coefficients are found on a smaller picture and applied to the whole one.
    """
    height, width = rgb.shape[:2]
    small = np.asarray(_reduced(rgb, MATTE_SIDE), np.float32) / 255
    rough = cv2.resize(subject.astype(np.float32), (small.shape[1], small.shape[0]), interpolation=cv2.INTER_CUBIC)
    radius = max(2, round(max(small.shape) / 160))
    slope, offset = _guide(small, np.asarray(rough, np.float32).clip(0, 1), radius)
    result = np.empty((height, width), np.float32)
    slope = cv2.resize(slope, (width, height), interpolation=cv2.INTER_LINEAR)
    offset = cv2.resize(offset, (width, height), interpolation=cv2.INTER_LINEAR)
    for top in range(0, height, BAND):
        rows = slice(top, top + BAND)
        result[rows] = (slope[rows] * rgb[rows] / np.float32(255)).sum(-1) + offset[rows]
    # Away from the outline the answer is known; the filter would let the texture shine through there.
    return np.asarray((result - 0.08) / 0.84, np.float32).clip(0, 1)


def _guide(rgb: Floats, field: Floats, radius: int) -> tuple[Floats, Floats]:
    """The guided filter with a colour guide: the smoothed slope (H, W, 3) and offset (H, W) of its linear fit."""
    mean, mean_field = _box(rgb, radius), _box(field, radius)
    shared = _box(rgb * field[..., None], radius) - mean * mean_field[..., None]
    spread = np.empty((*field.shape, 3, 3), np.float32)
    for one in range(3):
        for other in range(one, 3):
            product = _box(rgb[..., one] * rgb[..., other], radius) - mean[..., one] * mean[..., other]
            spread[..., one, other] = spread[..., other, one] = product
    spread += np.eye(3, dtype=np.float32) * np.float32(SOFTNESS)
    slope = np.linalg.solve(spread, shared[..., None])[..., 0].astype(np.float32)
    offset = mean_field - (slope * mean).sum(-1)
    return _box(slope, radius), _box(offset, radius)


def compose(rgb: Bytes, matte: Floats) -> Bytes:
    """RGBA. Where the matte is in between, the pixel's colour is the subject's alone, without the background's."""
    height, width = matte.shape
    front, back = _pure_colours(rgb, matte)
    result = np.empty((height, width, 4), np.uint8)
    for top in range(0, height, BAND):
        rows = slice(top, top + BAND)
        share = matte[rows, :, None]
        fore, behind = front[rows].astype(np.float32), back[rows].astype(np.float32)
        colour = fore + share * (rgb[rows] - share * fore - (1 - share) * behind)
        result[rows, :, :3] = (np.where(share >= 1, rgb[rows], colour) + 0.5).clip(0, 255)
        result[rows, :, 3] = matte[rows] * 255 + 0.5
    return result


def _pure_colours(rgb: Bytes, matte: Floats) -> tuple[Bytes, Bytes]:
    """The subject's and the background's colours, carried over into each other's side of the outline."""
    size = rgb.shape[1], rgb.shape[0]
    small = _reduced(rgb, OUTLINE_SIDE).astype(np.float32)
    share = cv2.resize(matte, (small.shape[1], small.shape[0]), interpolation=cv2.INTER_AREA)
    pure: list[Bytes] = []
    for part in (share, 1 - share):
        weight = np.asarray(part, np.float32)[..., None] ** 2 + np.float32(1e-4)
        spread = (_blur(small * weight, 4) / _blur(weight[..., 0], 4)[..., None]).clip(0, 255).astype(np.uint8)
        pure.append(np.asarray(cv2.resize(spread, size, interpolation=cv2.INTER_LINEAR), np.uint8))
    return pure[0], pure[1]


def _box(field: Floats, radius: int) -> Floats:
    side = 2 * radius + 1
    return np.asarray(cv2.blur(field, (side, side), borderType=cv2.BORDER_REFLECT), np.float32)


def _blur(field: Floats, sigma: float) -> Floats:
    return np.asarray(cv2.GaussianBlur(field, (0, 0), sigma), np.float32)


def _reduced(rgb: Bytes, side: int) -> Bytes:
    """At most so many pixels on its longer side."""
    height, width = rgb.shape[:2]
    factor = min(1.0, side / max(height, width))
    size = max(8, round(width * factor)), max(8, round(height * factor))
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)
