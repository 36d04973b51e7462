"""Where a sound begins anew, and the pulse that the camera takes from it."""

import numpy as np
from numpy.typing import NDArray

from mutoscope.studio.camera import view
from mutoscope.studio.path import State
from mutoscope.studio.planes import Floats, Matrix
from mutoscope.studio.sound import RATE

Curve = NDArray[np.float64]
"""One number for each frame."""

WINDOW, HOP = 1024, 256  # samples
BATCH = 2048  # windows at once, to bound memory
CLEAREST = 98  # percentile of the flux that counts as a full onset
LEAST = 0.3  # of a full onset; weaker ones are left alone
FLOOR = 2.0  # flux below which even the clearest onset is noise of the format
OVER_MEDIAN = 3.0  # how far an onset stands out: hiss and rain have none
GAP_SECONDS = 0.16  # between two onsets
ATTACK_SECONDS, ATTACK_FRAMES = 0.125, 3  # at least; half of it lies before the onset
DECAY_SECONDS = 0.16
EDGE_SECONDS = 0.25  # over which the pulse sets in and dies away: the clip's ends are what they are
NEARER = 0.022  # how much the picture grows at a full pulse


def onsets(sound: Floats) -> list[tuple[float, float]]:
    """Seconds and strength (LEAST to 1) of the places where a sound (channels, n) at `sound.RATE` sets in.

    Spectral flux: how much louder each frequency is than a moment before.
    """
    flux = growth(sound.mean(0))
    full = float(np.percentile(flux, CLEAREST)) if flux.size else 0.0
    full = max(full, float(flux.max(initial=0.0)) / 2)  # a few beats in a long silence
    if full < FLOOR:
        return []
    threshold = max(LEAST * full, OVER_MEDIAN * float(np.median(flux)))
    found: list[tuple[float, float]] = []
    for index in np.flatnonzero(_peaks(flux) & (flux > threshold)):
        # The window's centre: its start would be half a frame early.
        seconds = (index * HOP + WINDOW / 2) / RATE
        strength = min(1.0, round(float(flux[index]) / full, 2))
        if found and seconds - found[-1][0] < GAP_SECONDS:
            if strength > found[-1][1]:
                found[-1] = seconds, strength
            continue
        found.append((seconds, strength))
    return found


def pulse(sound: Floats, frames: int, fps: int) -> Curve:
    """For each frame 0 to 1: a soft rise around every onset, then a decay; nothing at the clip's ends."""
    seconds = np.arange(frames) / fps
    total = np.zeros(frames)
    attack = max(ATTACK_SECONDS, ATTACK_FRAMES / fps)
    for when, strength in onsets(sound):
        begin = max(0, int((when - attack) * fps))
        end = min(frames, int((when + attack + 8 * DECAY_SECONDS) * fps) + 1)
        total[begin:end] = np.maximum(total[begin:end], strength * _beat(seconds[begin:end] - when, attack))
    to_edge = np.minimum(seconds, seconds[-1] - seconds) / EDGE_SECONDS
    return np.rint(total * _smooth(to_edge) * 2**20) / 2**20


def closer(share: float, width: int, height: int) -> Matrix:
    """Output → output as if there were no pulse: the picture grown about its middle."""
    return view(State(zoom=1 + NEARER * share), width, height)


def _beat(seconds: Curve, attack: float) -> Curve:
    """The rise and fall about an onset at 0."""
    rise = _smooth(seconds / attack + 0.5)
    return rise * np.exp(-np.maximum(seconds - attack / 2, 0) / DECAY_SECONDS)


def _smooth(share: Curve) -> Curve:
    share = share.clip(0, 1)
    return share * share * (3 - 2 * share)


def growth(mono: Floats) -> Floats:
    """How much the spectrum has grown at each step of HOP samples."""
    padded = np.pad(np.asarray(mono, np.float32), (0, max(0, WINDOW - mono.size)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP]
    shape = np.hanning(WINDOW).astype(np.float32)
    grown: list[Floats] = []
    before = np.zeros((1, WINDOW // 2 + 1), np.float32)
    for start in range(0, len(windows), BATCH):
        spectrum = np.log1p(4 * np.abs(np.fft.rfft(windows[start : start + BATCH] * shape, axis=1)))
        steps = np.diff(spectrum, axis=0, prepend=before)
        grown.append(np.maximum(steps, 0).sum(1))
        before = spectrum[-1:]
    return np.concatenate(grown)


def _peaks(flux: Floats) -> NDArray[np.bool_]:
    """Higher than what came before, and at least as high as what follows."""
    before, after = np.pad(flux, (1, 0))[:-1], np.pad(flux, (0, 1))[1:]
    return (flux > before) & (flux >= after)
