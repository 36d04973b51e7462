"""Rain and snow in the air before everything else."""

import math

import cv2
import numpy as np

from mutoscope.studio.scene.raster import Floats, blend, blur, colour, floats
from mutoscope.studio.scene.stage import Stage


def paint_falling(canvas: Floats, stage: Stage) -> None:
    """Let it rain or snow where the wish says so."""
    if stage.wish.has("snowfall"):
        _paint_snow(canvas, stage)
    elif stage.wish.has("rain"):
        _paint_rain(canvas, stage)


def _paint_rain(canvas: Floats, stage: Stage) -> None:
    """Fine slanted streaks in three distances."""
    height, width = canvas.shape[:2]
    slant = 0.10 + 0.12 * float(stage.chance(500).random())
    for layer, (count, length, light) in enumerate(((1500, 0.020, 0.10), (700, 0.038, 0.15), (220, 0.065, 0.20))):
        streaks = np.zeros((height, width), np.uint8)
        for x, y, long in stage.chance(501 + layer).random((int(count * width / stage.unit), 3)).tolist():
            drop = stage.unit * length * (0.6 + 0.8 * long)
            start = (round((x * 1.2 - 0.1) * width), round(y * height))
            end = (round(start[0] - drop * slant), round(start[1] + drop))
            cv2.line(streaks, start, end, (255,), max(1, round(stage.unit * 0.0006 * (layer + 1))), cv2.LINE_AA)
        veil = floats(streaks.astype(np.float32)) * (light / 255.0)
        blend(canvas, stage.light("haze") * 0.6 + 0.30, blur(veil, 0.4 + 0.3 * layer))


def _paint_snow(canvas: Floats, stage: Stage) -> None:
    """Flakes in four distances, the nearest large and out of focus."""
    height, width = canvas.shape[:2]
    for layer, (count, size, light) in enumerate(
        ((1800, 0.0009, 0.60), (800, 0.0018, 0.75), (260, 0.0035, 0.62), (46, 0.009, 0.30))
    ):
        flakes = np.zeros((height, width), np.uint8)
        for x, y, large in stage.chance(511 + layer).random((int(count * width / stage.unit), 3)).tolist():
            radius = stage.unit * size * (0.6 + 0.8 * large)
            # four extra bits place a flake between the pixels
            centre = (int(x * width * 16), int(y * height * 16))
            cv2.circle(flakes, centre, max(8, int(radius * 16)), (255,), -1, cv2.LINE_AA, 4)
        veil = floats(flakes.astype(np.float32)) * (light / 255.0)
        bright = max(0.30, math.sqrt(float(stage.light("ambient").mean()))) * 1.25
        blend(canvas, colour(bright, bright, bright * 1.03), blur(veil, 0.4 + stage.unit * size * 0.5))
