"""The cast in clips: each figure's loop of poses, cut once, laid into every frame where the camera sees it.

A figure stands at one depth, so that the camera's parallax moves it as a whole: what lies between the canvas and a frame is
one affine map, however the scene around it bends.
"""

import math
from collections.abc import Sequence

import cv2
import numpy as np

from mutoscope.studio.camera import compose
from mutoscope.studio.canvas import Canvas
from mutoscope.studio.colour import Colour, matrix_of
from mutoscope.studio.path import State
from mutoscope.studio.planes import Bytes, Matrix, Planes
from mutoscope.studio.theatre import puppet, show
from mutoscope.studio.theatre.puppet import LOOP_SECONDS, POSES
from mutoscope.studio.theatre.staging import Actor

SHARPNESS = 1.05  # pixels of a sprite for one of the frame's


_Cut = tuple[Bytes, float, float]


class Troupe:
    """Draws the cast into frames; cuts each pose when it is first seen."""

    def __init__(
        self,
        actors: Sequence[Actor],
        painted: tuple[int, int],
        canvas: Canvas,
        colour: Colour,
        effects: tuple[str, ...],
    ) -> None:
        self._canvas = canvas
        width, height = canvas.still.size
        self._frame = width, height
        rows, columns = canvas.luma.shape
        self._shrink = columns / painted[0], rows / painted[1]  # from the painting's pixels to the canvas's
        self._actors = [_Puppet(each, canvas.scale / self._shrink[0], colour, effects) for each in actors]

    def draw(self, view: Matrix, state: State, seconds: float, target: Planes) -> None:
        """All of them, the rear ones first."""
        matrix = compose(self._canvas.matrix, view)
        width, height = self._frame
        frame = self._canvas.scale * width
        middle = matrix @ np.array([(width - 1) / 2, (height - 1) / 2, 1.0])
        for each in self._actors:
            depth = each.actor.depth
            aside = depth - 0.5
            bend = 1.0 - depth * state.dolly
            # the inverse of what the warp does at this depth
            parallax = np.array(
                [
                    [bend, 0.0, aside * state.slide * frame + depth * state.dolly * middle[0]],
                    [0.0, bend, aside * state.lift * frame + depth * state.dolly * middle[1]],
                    [0.0, 0.0, 1.0],
                ]
            )
            onto = np.linalg.inv(parallax @ matrix)
            spot = np.array([each.actor.x * self._shrink[0], each.actor.y * self._shrink[1], 1.0])
            each.draw(onto, spot, self._shrink[0], seconds, target)


class _Puppet:
    def __init__(self, actor: Actor, finer: float, colour: Colour, effects: tuple[str, ...]) -> None:
        self.actor = actor
        self._size = SHARPNESS / finer  # sprite pixels for a pixel of the painting
        self._colour = colour
        self._effects = effects
        self._poses: dict[int, _Cut] = {}
        self._lively = _lively(actor)
        self._each = 1 if actor.going or _brisk(actor) else 2  # what only sways needs no more than half of the poses

    def draw(self, onto: Matrix, spot: np.ndarray, shrink: float, seconds: float, target: Planes) -> None:
        loop = POSES // 2 if self.actor.going else POSES
        pose = int(seconds * POSES / LOOP_SECONDS) % loop // self._each * self._each if self._lively else 0
        paint, x, y = self._cut(pose)
        lift, aside = self._motion(seconds)
        unit = shrink / self._size  # canvas pixels for a sprite's
        at = spot.copy()
        at[0] += aside * shrink * self.actor.height
        at[1] -= lift * shrink * self.actor.height
        place = np.array([[unit, 0.0, at[0] - unit * x], [0.0, unit, at[1] - unit * y], [0.0, 0.0, 1.0]])
        _lay(paint, (onto @ place)[:2], target)

    def _motion(self, seconds: float) -> tuple[float, float]:
        """Up and aside, beyond what the poses show."""
        actor = self.actor
        lift = actor.hop * abs(_wave(seconds / LOOP_SECONDS * 2)) if actor.hop else 0.0
        aside = 0.0
        if actor.going:
            lift += 0.012 * abs(_wave(seconds / LOOP_SECONDS * 2))
        if actor.stroll:
            way = -1.0 if actor.flip else 1.0
            aside = (
                way * actor.stroll * (seconds / 5.0) * 2.2
                if actor.going
                else way * actor.stroll * _wave(seconds / LOOP_SECONDS / 4)
            )
        if not actor.stands and not actor.hop:
            lift += 0.015 * _wave(seconds / LOOP_SECONDS / 2)
        return lift, aside

    def _cut(self, pose: int) -> _Cut:
        """One pose as luma, chroma and cover in one plane, with the place of its foot."""
        found = self._poses.get(pose)
        if found is None:
            found = self._poses[pose] = self._planes(pose)
        return found

    def _planes(self, pose: int) -> _Cut:
        actor = self.actor
        sprite = puppet.draw(
            actor.figure,
            actor.inks,
            actor.scale * self._size,
            pose=pose,
            going=actor.going,
            still=False,
            fibres=False,
            flip=actor.flip,
            turn=actor.turn,
        )
        sprite = show.dressed_sprite(sprite, actor, self._effects, self._size)
        rgba = cv2.copyMakeBorder(sprite.rgba, 2, 2, 2, 2, cv2.BORDER_CONSTANT)
        return _premultiplied(np.asarray(rgba, np.uint8), self._colour), sprite.x + 2, sprite.y + 2


def _lively(actor: Actor) -> bool:
    """Whether any pose of it differs from the first."""
    kinds = {joint.motion for joint in actor.figure.joints.values()}
    return bool(kinds - {"leg", "roll"}) or (actor.going and bool(kinds))


def _brisk(actor: Actor) -> bool:
    return any(joint.motion in ("wag", "flap", "spin", "fold") for joint in actor.figure.joints.values())


def _premultiplied(rgba: Bytes, colour: Colour) -> Bytes:
    """Luma, blue and red difference and cover, of colours that are multiplied by the cover: black and grey lie at 16 and
    128 times it, not at nothing.
    """
    matrix = matrix_of(colour)
    matrix[:, 3] /= 255
    return np.asarray(cv2.transform(rgba, np.vstack([matrix, [0.0, 0.0, 0.0, 1.0]])), np.uint8)


def _lay(paint: Bytes, matrix: np.ndarray, target: Planes) -> None:
    """Draw a sprite through an affine map, within the rectangle that it fills, of whole chroma samples. All its planes are
    sampled at once: OpenCV takes for four channels little more time than for one.
    """
    height, width = paint.shape[:2]
    corners = matrix @ np.array([[0, width, width, 0], [0, 0, height, height], [1, 1, 1, 1]], np.float64)
    left, top = (max(0, int(each) // 2) for each in np.floor(corners.min(1)))
    right, bottom = (
        min(most, int(each) // 2 + 1)
        for most, each in zip((target.uv.shape[1], target.uv.shape[0]), np.ceil(corners.max(1)), strict=True)
    )
    if left >= right or top >= bottom:
        return
    moved = matrix - np.array([[0, 0, 2 * left], [0, 0, 2 * top]])
    seen = cv2.warpAffine(paint, moved, (2 * (right - left), 2 * (bottom - top)), flags=cv2.INTER_LINEAR)
    small = cv2.resize(seen, (right - left, bottom - top), interpolation=cv2.INTER_AREA)
    _over(
        target.y[2 * top : 2 * bottom, 2 * left : 2 * right], cv2.extractChannel(seen, 0), cv2.extractChannel(seen, 3)
    )
    chroma = cv2.merge([cv2.extractChannel(small, 1), cv2.extractChannel(small, 2)])
    _over(target.uv[top:bottom, left:right], chroma, cv2.merge([cv2.extractChannel(small, 3)] * 2))


def _over(under: Bytes, paint: np.ndarray, cover: np.ndarray) -> None:
    """Premultiplied paint over what is there."""
    cv2.multiply(under, cv2.bitwise_not(cover), dst=under, scale=1 / 255)
    cv2.add(under, paint, dst=under)


def _wave(turns: float) -> float:
    """A sine of + - * / alone, as the warp's: the library's differs from one processor to another."""
    turns -= math.floor(turns)
    half = (turns - 0.5 if turns >= 0.5 else turns) * 2
    bow = half * (1 - half)
    value = 16 * bow / (5 - 4 * bow)
    return -value if turns >= 0.5 else value
