"""How big a video is: the tiers' sizes, and the bounds of what is rendered."""

import math

from mutoscope.studio.error import StudioError

TIERS: dict[str, int] = {
    "360p": 360,
    "480p": 480,
    "540p": 540,
    "580p": 580,
    "720p": 720,
    "768p": 768,
    "1080p": 1080,
    "1k": 1080,
    "2k": 1440,
    "1440p": 1440,
    "4k": 2160,
    "2160p": 2160,
}
"""Each tier's short side at 16:9; other shapes have the same area."""

MIN_SIDE = 64
MAX_VIDEO_SIDE, MAX_VIDEO_AREA = 4096, 4096 * 2304
MAX_PICTURE_SIDE, MAX_PICTURE_AREA = 8192, 40_000_000
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
    if resolution.lower() not in TIERS:
        raise StudioError(f"resolution {resolution!r} is not one of {', '.join(TIERS)}", field="resolution")
    height = TIERS[resolution.lower()]
    width = round(height * 16 / 9 / 2) * 2
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


def check_video_size(width: int, height: int) -> None:
    """Raise StudioError for a size that no video is rendered at."""
    _check_sides(width, height, MAX_VIDEO_SIDE, MAX_VIDEO_AREA)
    for name, side in (("width", width), ("height", height)):
        if side % 2:
            raise StudioError(f"{name} is {side}; a video's sides must be even", field=name)


def check_picture_size(width: int, height: int) -> None:
    """Raise StudioError for a size that no picture is painted at."""
    _check_sides(width, height, MAX_PICTURE_SIDE, MAX_PICTURE_AREA)


def _check_sides(width: int, height: int, most: int, area: int) -> None:
    for name, side in (("width", width), ("height", height)):
        if not MIN_SIDE <= side <= most:
            raise StudioError(f"{name} is {side}; it must be {MIN_SIDE} to {most} pixels", field=name)
    if width * height > area:
        raise StudioError(f"{width}x{height} is more than {area} pixels", field="width")


def frame_count(seconds: float, fps: int) -> int:
    """How many frames last so long; raises StudioError outside of the bounds."""
    if not 1 <= fps <= MAX_FPS:
        raise StudioError(f"fps is {fps}; it must be 1 to {MAX_FPS}", field="fps")
    if not 0 < seconds <= MAX_SECONDS:
        raise StudioError(f"the duration is {seconds:g} s; it must be at most {MAX_SECONDS:g} s", field="seconds")
    return max(1, math.floor(seconds * fps + 0.5))


def _multiple(value: float, step: int) -> int:
    return max(step, round(value / step) * step)
