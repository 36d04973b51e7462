"""Wide and bright pictures (BT.2020 primaries; HLG or PQ) as ordinary ones: what a screen of today's usual kind shows.

Light is counted in units of an ordinary screen's white, 203 cd/m² (BT.2408). What is brighter is bent under it by the
curve of BT.2390, by each pixel's brightest channel so that no hue shifts; below some 90 cd/m² nothing changes.
"""

from functools import cache
from pathlib import Path

import cv2
import numpy as np

from mutoscope.studio.planes import Bytes, Floats

PQ, HLG = 16, 18  # transfer functions, by the codes of ITU-T H.273
BT2020 = 9  # primaries and matrix, likewise
WHITE, PEAK = 203.0, 1000.0  # cd/m²: of an ordinary screen; of the screen that the picture was made for
BRIGHTEST = 10_000 / WHITE  # whites: what PQ can say
SYSTEM_GAMMA = 1.2  # of HLG on a screen of that peak
SCREEN_GAMMA = 2.4
LUMA = np.array([[0.2627, 0.6780, 0.0593]], np.float32)
TO_BT709 = np.array(
    [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]], np.float32
)  # of linear light, BT.2087
STEPS, FINE = 4096, 65536  # of tables: by a channel's value, by light
HEAD = 64 * 1024  # bytes of a file in which its colour is told


def to_sdr(rgb: np.ndarray, transfer: int) -> Bytes:
    """A picture (H, W, 3) of 8 or 16 bits a channel in BT.2020, as 8 bits of BT.709."""
    light = np.take(_light(transfer), rgb >> 4 if rgb.dtype == np.uint16 else rgb.astype(np.uint16) * 16 + (rgb >> 4))
    if transfer == HLG:
        scene = np.asarray(cv2.transform(light, LUMA), np.float32).reshape(light.shape[:2])
        light *= _looked_up(_gains(), scene)[..., None]
    light *= _looked_up(_shares(), light.max(axis=2) * np.float32(1 / BRIGHTEST))[..., None]
    shown = np.asarray(cv2.transform(light, TO_BT709), np.float32).clip(0, 1)
    return np.take(_shown(), (shown * (FINE - 1) + 0.5).astype(np.uint16))


def _looked_up(table: Floats, share: Floats) -> Floats:
    """Of 0 to 1; a table's steps are finer in the dark."""
    return np.take(table, (np.sqrt(share.clip(0, 1)) * (FINE - 1) + 0.5).astype(np.uint16))


def transfer_of(path: Path) -> int | None:
    """PQ or HLG where a picture's file says so: PNG in a chunk `cICP`, AVIF in a box `colr`."""
    with path.open("rb") as file:
        head = file.read(HEAD)
    if head[:4] == b"\x89PNG":
        at = head.find(b"\0\0\0\x04cICP")
        found = head[at + 9] if 0 <= at < len(head) - 9 else 0
    elif head[4:8] == b"ftyp":
        at = head.find(b"colrnclx")
        found = int.from_bytes(head[at + 10 : at + 12]) if at >= 0 else 0
    else:
        return None
    return found if found in (PQ, HLG) else None


@cache
def _light(transfer: int) -> Floats:
    """Light by a channel's value: of PQ as shown, in whites; of HLG as it was before the camera, 0 to 1."""
    value = np.linspace(0, 1, STEPS)
    if transfer == PQ:
        return (_from_pq(value) / WHITE).astype(np.float32)
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    return np.where(value <= 0.5, value**2 / 3, (np.exp((value - c) / a) + b) / 12).astype(np.float32)


@cache
def _gains() -> Floats:
    """What HLG's light before the camera is multiplied by, for whites on the screen."""
    return (PEAK / WHITE * np.linspace(0, 1, FINE) ** (2 * (SYSTEM_GAMMA - 1))).astype(np.float32)


@cache
def _shares() -> Floats:
    """How much is left of light, by its share of what PQ can say. Beyond the peak all is white."""
    light = np.linspace(0, 1, FINE) ** 2 * BRIGHTEST
    peak, most = _to_pq(np.array(PEAK)), _to_pq(np.array(WHITE)) / _to_pq(np.array(PEAK))
    value = _to_pq(light * WHITE) / peak
    knee = 1.5 * most - 0.5
    t = ((value - knee) / (1 - knee)).clip(0, 1)
    bent = (2 * t**3 - 3 * t**2 + 1) * knee + (t**3 - 2 * t**2 + t) * (1 - knee) + (-2 * t**3 + 3 * t**2) * most
    kept = _from_pq(np.where(value < knee, value, bent) * peak) / WHITE
    return np.divide(kept, light, out=np.ones_like(light), where=light > 0).astype(np.float32)


@cache
def _shown() -> Bytes:
    """A channel's value by its light."""
    return (np.linspace(0, 1, FINE) ** (1 / SCREEN_GAMMA) * 255 + 0.5).astype(np.uint8)


M1, M2, C1, C2, C3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128  # of SMPTE ST 2084


def _from_pq(value: Floats) -> Floats:
    """cd/m²"""
    power = value ** (1 / M2)
    return 10_000 * ((power - C1).clip(0) / (C2 - C3 * power)) ** (1 / M1)


def _to_pq(light: Floats) -> Floats:
    power = (light / 10_000) ** M1
    return ((C1 + C2 * power) / (1 + C3 * power)) ** M2
