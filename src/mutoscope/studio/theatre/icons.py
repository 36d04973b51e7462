"""Shapes of an installed package of icons (the extra `icons`): Material Design Icons, a font under Apache-2.0.

Nothing of it is copied here. Where the package is not installed, its words are ignored as any other.
"""

import functools
import importlib.util
import re
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from mutoscope.studio.theatre.shapes import Figure, Part, Points

PACKAGE = "fonticon_mdi7"
CREDIT = "shapes of Material Design Icons (Apache-2.0)"
_ROW = re.compile(r'^    (\w+) = "\\U([0-9a-fA-F]{8})"', re.MULTILINE)
_SIZE = 480  # pixels at which an outline is taken


@functools.cache
def installed() -> Path | None:
    """The package's folder."""
    found = importlib.util.find_spec(PACKAGE)
    return Path(found.origin).parent if found and found.origin else None


@functools.cache
def _codes() -> dict[str, str]:
    """name → character; read as text, so that nothing of the package is run."""
    folder = installed()
    if folder is None:
        return {}
    text = (folder / "mdi7.py").read_text("utf-8")
    return {name: chr(int(code, 16)) for name, code in _ROW.findall(text)}


def has(name: str) -> bool:
    return name in _codes()


@functools.cache
def figure(name: str) -> Figure:
    """The shape as paper: its outlines, a hundred high."""
    folder = installed()
    assert folder is not None  # noqa: S101 (asked before)
    font = ImageFont.truetype(folder / "fonts" / "materialdesignicons-webfont.ttf", _SIZE)
    letter = Image.new("L", (_SIZE * 2, _SIZE * 2), 0)
    ImageDraw.Draw(letter).text((_SIZE // 2, _SIZE // 2), _codes()[name], font=font, fill=255)
    mask = np.asarray(letter, np.uint8)
    outlines, _ = cv2.findContours((mask > 127).astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    found = [_softened(each.reshape(-1, 2).astype(np.float64)) for each in outlines if len(each) > 12]
    every = np.concatenate(found)
    low, high = every.min(0), every.max(0)
    scale = 100.0 / (high[1] - low[1])
    middle = (low[0] + high[0]) / 2
    placed = tuple((each - (middle, high[1])) * (scale, -scale) for each in found)
    whole = tuple(_hull(each) for each in placed if cv2.contourArea(each.astype(np.float32)) > 60)
    backing = [Part("second+", (each,)) for each in whole]
    return Figure((*backing, Part("main", placed, sheet=True)), {})


def _softened(outline: Points) -> Points:
    """Without the steps of pixels."""
    smooth = np.stack([np.convolve(np.r_[each[-2:], each, each[:2]], np.ones(5) / 5, "valid") for each in outline.T], 1)
    return smooth[:: 2 if len(smooth) > 60 else 1]


def _hull(outline: Points) -> Points:
    """The whole shape without its holes, as the sheet behind."""
    return outline
