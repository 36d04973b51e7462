"""What the camera sees: smooth, the same with and without a grid, and stirred only where something can stir."""

import cv2
import numpy as np
import pytest
from film_samples import Picture, psnr, scenery
from numpy.typing import NDArray
from PIL import Image

from mutoscope.studio import canvas, colour, stirring
from mutoscope.studio.camera import apply, compose, inverse, similarity, view
from mutoscope.studio.canvas import Canvas
from mutoscope.studio.motion import Stir
from mutoscope.studio.path import REST, State
from mutoscope.studio.planes import Planes, blank
from mutoscope.studio.warp import Warp

WIDTH, HEIGHT = 384, 216


def canvas_of(pixels: Picture) -> Canvas:
    return canvas.from_picture(Image.fromarray(pixels), WIDTH, HEIGHT, colour.BT601)


def seen(warp: Warp, state: State, seconds: float = 0.0) -> Planes:
    target = blank(WIDTH, HEIGHT)
    warp.draw(view(state, WIDTH, HEIGHT), state, seconds, target)
    return target


def place(one: Picture, other: Picture) -> NDArray[np.float64]:
    """How far the middle of the second picture is from that of the first, in pixels; measured to hundredths."""
    middle = np.s_[40:-40, 60:-60]
    first, second = (np.ascontiguousarray(each[middle]).astype(np.float32) for each in (one, other))
    found = np.eye(2, 3, dtype=np.float32)
    _, found = cv2.findTransformECC(first, second, found, cv2.MOTION_AFFINE, (3, 60, 1e-8))
    centre = np.array([(first.shape[1] - 1) / 2, (first.shape[0] - 1) / 2])
    return np.asarray(found[:, :2] @ centre + found[:, 2] - centre, np.float64)


@pytest.mark.parametrize("kind", ["zoom", "pan", "bent pan"])
def test_slow_moves_do_not_judder(kind: str) -> None:
    """The change of speed from frame to frame, of a camera at constant speed, is below what the eye sees."""
    warp = Warp(canvas_of(scenery(1920, 1080)))
    slide = 0.01 if kind == "bent pan" else 0.0
    places: list[NDArray[np.float64]] = []
    before: Picture | None = None
    for step in range(14):
        share = step / 96
        state = State(zoom=1.08**share) if kind == "zoom" else State(zoom=1.08, x=0.06 * share, slide=slide * share)
        now = seen(warp, state).y
        if before is not None:
            places.append(place(before, now))
        before = now
    changes = np.diff(np.array(places), axis=0)
    assert np.sqrt((changes**2).sum(axis=1).mean()) < 0.02


def test_flat_views_look_the_same_with_and_without_a_grid() -> None:
    scenic = canvas_of(scenery(1200, 700))
    state = State(zoom=1.2, x=0.03, y=-0.02, roll=0.05)
    even = seen(Warp(scenic), state)
    bent = seen(Warp(scenic), State(zoom=1.2, x=0.03, y=-0.02, roll=0.05, slide=1e-12))
    assert psnr(even.y, bent.y) > 42
    assert psnr(even.uv, bent.uv) > 45


def striped(*, level: bool) -> Picture:
    """Stripes all over, a little uneven, lying or standing."""
    lines = np.arange(720) if level else np.arange(1280)
    wave = (np.sin(lines / 3.1) + np.sin(lines / 7.7)) * 50 + 128
    plane = np.repeat(wave[:, None], 1280, 1) if level else np.repeat(wave[None], 720, 0)
    grain = np.random.default_rng(1).integers(-4, 5, plane.shape)
    return np.repeat((plane + grain).clip(0, 255).astype(np.uint8)[..., None], 3, axis=2)


def change(warp: Warp, rows: slice) -> float:
    """How much waves and wind have changed these rows after a second and a half."""
    still, moved = seen(warp, REST).y, seen(warp, REST, 1.5).y
    return float(np.abs(still[rows].astype(int) - moved[rows]).mean())


def test_waves_run_below_and_only_over_what_lies_level() -> None:
    lying = Warp(canvas_of(striped(level=True)), {Stir.WATER})
    standing = Warp(canvas_of(striped(level=False)), {Stir.WATER})
    lower, upper = slice(130, 200), slice(10, 70)
    assert change(lying, lower) > 4
    assert change(lying, upper) < 0.5
    assert change(standing, lower) < 1


def test_the_wind_takes_hold_of_what_is_fine_and_near() -> None:
    luma = np.full((216, 384), 128, np.uint8)
    luma[:, 200:] = np.random.default_rng(1).integers(60, 200, (216, 184))
    near = np.repeat(np.linspace(0, 1, 216, dtype=np.float32)[:, None], 384, axis=1)
    hold = stirring.foliage(luma, near)
    assert hold[180, 300] > 2 * hold[180, 80]
    assert hold[180, 300] > 2 * hold[40, 300]


def test_nothing_has_stirred_at_the_start() -> None:
    scenic = canvas_of(scenery(1200, 700))
    stirred = Warp(scenic, {Stir.WIND, Stir.WATER, Stir.BREATH})
    assert psnr(seen(stirred, REST).y, seen(Warp(scenic), REST).y) > 60
    assert psnr(seen(stirred, REST, 2.0).y, seen(Warp(scenic), REST).y) < 44


def test_an_inverse_leads_back() -> None:
    there = similarity(1.3, 0.4, (20, 30), (5, -7))
    np.testing.assert_allclose(compose(inverse(there), there), np.eye(3), atol=1e-12)
    assert apply(inverse(there), *apply(there, 3, 4)) == pytest.approx((3, 4))
