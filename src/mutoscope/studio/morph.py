"""From one picture to another: along a shared camera path, one fading into the other.

Where both show the same place, the path is the similarity that lays the first on the second. Where they do
not, it is a camera move that one picture begins and the other ends.
"""

import math
from collections.abc import Callable, Iterator

import av
import cv2
import numpy as np

from mutoscope.studio.camera import compose, inverse, power, view
from mutoscope.studio.canvas import Canvas
from mutoscope.studio.path import FIELDS, REST, Path, State, eased
from mutoscope.studio.planes import (
    Bytes,
    Floats,
    Matrix,
    Planes,
    blank,
    blank_frames,
    blend,
    blend_masked,
    planes_of,
)
from mutoscope.studio.rhythm import Curve, closer
from mutoscope.studio.warp import Warp

FEATURES = 2000
MATCHED_WIDTH = 640  # pixels of the longer side: smaller hides features, larger costs time
MIN_INLIERS, MIN_SHARE = 40, 0.2
MAX_SCALE = 2.5  # between related pictures
STILL_FRAMES = 3  # over which the exact picture gives way to the sampled one
RELATED_FADE = (0.25, 0.75)  # when the second picture appears, as shares of the clip
UNRELATED_FADE = (0.34, 0.78)


def relation(first: Planes, last: Planes) -> Matrix | None:
    """The similarity that maps points of the first picture to the second; None where they are not related."""
    factor = MATCHED_WIDTH / max(first.size)
    one, other = _resized(first.y, factor), _resized(last.y, factor)
    orb = cv2.ORB.create(FEATURES)
    points_one, marks_one = orb.detectAndCompute(one, None)
    points_other, marks_other = orb.detectAndCompute(other, None)
    if len(points_one) < MIN_INLIERS or len(points_other) < MIN_INLIERS:
        return None
    matches = cv2.BFMatcher(cv2.NORM_HAMMING, crossCheck=True).match(marks_one, marks_other)
    if len(matches) < MIN_INLIERS:
        return None
    here = np.array([points_one[match.queryIdx].pt for match in matches], np.float32)
    there = np.array([points_other[match.trainIdx].pt for match in matches], np.float32)
    cv2.setRNGSeed(1)
    _, inliers = cv2.estimateAffinePartial2D(here, there, ransacReprojThreshold=1.5, refineIters=0)
    agreed = np.flatnonzero(inliers)
    if len(agreed) < MIN_INLIERS or len(agreed) < MIN_SHARE * len(matches):
        return None
    found = fitted(here[agreed], there[agreed])
    scale = math.hypot(found[0, 0], found[1, 0])
    if not 1 / MAX_SCALE <= scale <= MAX_SCALE:
        return None
    return _from_resized(found, factor)


def frames(
    first: Canvas,
    last: Canvas,
    path: Path,
    fps: int,
    *,
    shared: Matrix | None = None,
    leave: Callable[[int], Matrix] | None = None,
    pulse: Curve,
    portable: bool = False,
) -> Iterator[av.VideoFrame]:
    """All frames; number 0 is exactly the first picture and the last number exactly the last.

    `shared` is the pictures' relation; where there is none, `path` is the camera move. `leave` moves the first
    picture on from a video that it ends (output → picture at rest, by frame number); frame 0 is then one step
    beyond it. `pulse` brings both nearer for moments.
    """
    total = len(path)
    width, height = first.still.size
    one, other = Warp(first, portable=portable), Warp(last, portable=portable)
    goal = view(path.at(total - 1), width, height)
    progress = eased(np.linspace(0, 1, total))
    fade = RELATED_FADE if shared is not None else UNRELATED_FADE
    above = blank(width, height)
    blanks = blank_frames(width, height)
    for index in range(total):
        state = path.at(index)
        if shared is not None:
            seen = power(inverse(shared), float(progress[index]))
            seen_other, state, state_other = compose(shared, seen), REST, REST
        else:
            seen = view(state, width, height)
            seen_other, state_other = compose(inverse(goal), seen), _from_end(state, path.at(total - 1))
        if leave is not None:
            seen = compose(leave(index), seen)
        nearer = closer(float(pulse[index]), width, height)
        seen, seen_other = compose(seen, nearer), compose(seen_other, nearer)
        share = _fade(index / max(1, total - 1), fade)
        frame = next(blanks)
        target = planes_of(frame)
        if share < 1:
            one.draw(seen, state, index / fps, target)
        if share > 0:
            other.draw(seen_other, state_other, index / fps, above if share < 1 else target)
        if 0 < share < 1 and shared is not None:
            blend_masked(target, above, _mask(share, one.coverage(seen), other.coverage(seen_other)), target)
        elif 0 < share < 1:
            blend(target, above, share, target)
        if leave is None:
            blend(target, first.still, stillness(index), target)
        blend(target, last.still, stillness(total - 1 - index), target)
        yield frame


def fitted(here: Floats, there: Floats) -> Matrix:
    """The similarity that maps these points (n, 2) to those with the least squares of error.

    Summed in whole 64ths of a pixel: OpenCV's own refinement ends a little elsewhere on another processor.
    """
    (x, y), (u, v) = (np.rint(each * 64).astype(np.int64).T for each in (here, there))
    count = len(x)
    mean_x, mean_y, mean_u, mean_v = (int(each.sum()) / count for each in (x, y, u, v))
    # Sums about the means, times the count: whole numbers.
    spread = count * int((x * x + y * y).sum()) - int(x.sum()) ** 2 - int(y.sum()) ** 2
    along = count * int((x * u + y * v).sum()) - int(x.sum()) * int(u.sum()) - int(y.sum()) * int(v.sum())
    aside = count * int((x * v - y * u).sum()) - int(x.sum()) * int(v.sum()) + int(y.sum()) * int(u.sum())
    cosine, sine = along / spread, aside / spread
    right, down = mean_u - cosine * mean_x + sine * mean_y, mean_v - sine * mean_x - cosine * mean_y
    return np.array([[cosine, -sine, right / 64], [sine, cosine, down / 64], [0.0, 0.0, 1.0]])


def stillness(index: int) -> float:
    """How much of a frame so far from the clip's end is the exact picture instead of the sampled one."""
    return max(0.0, 1 - index / STILL_FRAMES)


def _mask(share: float, first: Floats, last: Floats) -> Floats:
    """The fade, place by place: each picture shows only where it has content, if the other has some there.

    For related pictures only: they agree where both are seen, so that the soft border between them is not.
    """
    mine, theirs = (1 - share) * (first + np.float32(1e-3)), share * (last + np.float32(1e-3))
    return np.asarray(np.rint(theirs / (mine + theirs) * 256) / 256, np.float32)


def _from_end(state: State, end: State) -> State:
    """The second picture's parallax: such that none is left at the end. Its position comes by matrix."""
    parallax = {name: getattr(state, name) - getattr(end, name) for name in FIELDS[4:]}
    return State(**parallax)


def _fade(share: float, window: tuple[float, float]) -> float:
    start, end = window
    part = min(max((share - start) / (end - start), 0.0), 1.0)
    return part * part * (3 - 2 * part)


def _resized(luma: Bytes, factor: float) -> Bytes:
    way = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(luma, None, fx=factor, fy=factor, interpolation=way), np.uint8)


def _from_resized(matrix: Matrix, factor: float) -> Matrix:
    """A map between resized pictures as one between the full ones."""
    shift = factor / 2 - 0.5
    full = np.array([[factor, 0, shift], [0, factor, shift], [0, 0, 1.0]])
    return compose(inverse(full), compose(matrix, full))
