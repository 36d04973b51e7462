"""How big a video is: the tiers' sizes, and the bounds of what is rendered."""

import math

from mutoscope.studio.error import StudioError

TIERS: dict[str, tuple[int, int]] = {"480p": (854, 480), "720p": (1280, 720), "1080p": (1920, 1080)}
"""Each tier's size at 16:9; other shapes have the same area."""

MIN_SIDE, MAX_SIDE, MAX_AREA = 16, 4096, 4096 * 2304
MAX_ASPECT = 8.0
MAX_FPS = 120
MAX_SECONDS = 600.0
SAME_ASPECT = 0.01  # how far from 16:9 a picture may be and still get exactly the tier's size
GRID_ASPECT = 0.015  # how much of the shape may be given up to have sides that are multiples of 16


def fit_size(resolution: str, image_width: int, image_height: int) -> tuple[int, int]:
    """The size of a video of this tier ("720p", "1080p") made from a picture of this size.

    16:9 and 9:16 pictures get exactly the tier's size; others the same area in their own shape, 1:8 to 8:1.
    Both sides are even, and multiples of 16 where that hardly changes the shape.
    """
    if resolution not in TIERS:
        raise StudioError(f"resolution {resolution!r} is not one of {', '.join(TIERS)}", field="resolution")
    width, height = TIERS[resolution]
    aspect = min(max(image_width / image_height, 1 / MAX_ASPECT), MAX_ASPECT)
    if abs(aspect * height / width - 1) < SAME_ASPECT:
        return width, height
    if abs(aspect * width / height - 1) < SAME_ASPECT:
        return height, width
    exact = math.sqrt(width * height * aspect)
    for step in (16, 2):
        found = _multiple(exact, step), _multiple(exact / aspect, step)
        if abs(found[0] / found[1] / aspect - 1) < GRID_ASPECT:
            return found
    return _multiple(exact, 2), _multiple(exact / aspect, 2)


def check_size(width: int, height: int, *, even: bool = True) -> None:
    """Raise StudioError for a size that is not rendered."""
    for name, side in (("width", width), ("height", height)):
        if not MIN_SIDE <= side <= MAX_SIDE:
            raise StudioError(f"{name} is {side}; it must be {MIN_SIDE} to {MAX_SIDE} pixels", field=name)
        if even and side % 2:
            raise StudioError(f"{name} is {side}; a video's sides must be even", field=name)
    if width * height > MAX_AREA:
        raise StudioError(f"{width}x{height} is more than {MAX_AREA} pixels", field="width")


def frame_count(seconds: float, fps: int) -> int:
    """How many frames last so long; raises StudioError outside of the bounds."""
    if not 1 <= fps <= MAX_FPS:
        raise StudioError(f"fps is {fps}; it must be 1 to {MAX_FPS}", field="fps")
    if not 0 < seconds <= MAX_SECONDS:
        raise StudioError(f"the duration is {seconds:g} s; it must be at most {MAX_SECONDS:g} s", field="seconds")
    return max(1, math.floor(seconds * fps + 0.5))


def _multiple(value: float, step: int) -> int:
    return max(step, round(value / step) * step)
