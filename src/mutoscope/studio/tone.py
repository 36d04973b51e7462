"""Light and colour of a picture bent towards another's: means and spreads in CIE L*a*b* (Reinhard and others, 2001)."""

from typing import NamedTuple

import cv2
import numpy as np

from mutoscope.studio.planes import Bytes, Floats

SIDE = 256  # pixels of the longer side that are counted
BAND = 256  # rows that are changed at a time
SPREADS = (0.55, 1.8)  # how much contrast and colourfulness may change
DARKEST, BRIGHTEST = 18.0, 88.0  # L* that a mean is not bent beyond


class Tone(NamedTuple):
    """What is counted of a picture, each for L*, a* and b*."""

    mean: Floats
    spread: Floats


def tone_of(rgb: Bytes, weight: Floats | None = None) -> Tone:
    """The tone of an RGB picture, or of the part of it that `weight` (H, W) shows."""
    factor = min(1.0, SIDE / max(rgb.shape[:2]))
    size = max(1, round(rgb.shape[1] * factor)), max(1, round(rgb.shape[0] * factor))
    lab = _lab(np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)).reshape(-1, 3)
    share = np.ones(len(lab), np.float32)
    if weight is not None:
        share = np.asarray(cv2.resize(weight.astype(np.float32), size, interpolation=cv2.INTER_AREA)).reshape(-1)
    total = max(float(share.sum()), 1e-6)
    mean = (lab * share[:, None]).sum(0) / total
    spread = np.sqrt((np.square(lab - mean) * share[:, None]).sum(0) / total)
    return Tone(mean.astype(np.float32), spread.astype(np.float32))


def middle(tones: list[Tone]) -> Tone:
    return Tone(np.mean([each.mean for each in tones], 0), np.mean([each.spread for each in tones], 0))


def bend(rgb: Bytes, own: Tone, wanted: Tone, share: float, *, light: float = 1.0) -> Bytes:
    """The picture with its tone moved by `share`, 0 to 1, from its own to the wanted one; its lightness by `light` of
    that."""
    shares = np.array([share * light, share, share], np.float32)
    scale = (wanted.spread / np.maximum(own.spread, 0.5)).clip(*SPREADS)
    scale = 1 + (scale - 1) * shares
    goal = wanted.mean.copy()
    goal[0] = goal[0].clip(DARKEST, BRIGHTEST)
    centre = own.mean + (goal - own.mean) * shares
    result = np.empty_like(rgb)
    for top in range(0, len(rgb), BAND):
        lab = (_lab(rgb[top : top + BAND]) - own.mean) * scale + centre
        lab[..., 0] = _held(lab[..., 0])
        back = cv2.cvtColor(np.ascontiguousarray(lab, np.float32), cv2.COLOR_LAB2RGB)
        result[top : top + BAND] = (back * 255 + 0.5).clip(0, 255)
    return result


def _held(light: Floats) -> Floats:
    """L* within 0 to 100, with soft ends in place of hard ones."""
    high = 90 + 10 * np.tanh((light - 90) / 10)
    low = 10 - 10 * np.tanh((10 - light) / 10)
    return np.where(light > 90, high, np.where(light < 10, low, light))


def _lab(rgb: Bytes) -> Floats:
    return np.asarray(cv2.cvtColor(rgb.astype(np.float32) / np.float32(255), cv2.COLOR_RGB2LAB), np.float32)
