"""Where the camera is: paths start at rest, stay inside the picture and are smooth."""

import math

import numpy as np
import pytest

from mutoscope.studio import motion, path
from mutoscope.studio.camera import power, similarity, view
from mutoscope.studio.canvas import Room

NO_ROOM = Room(0.0, 0.0, 16 / 9)
INSIDE = [
    *("", "zoom in fast", "pan left", "tilt up", "pan right then tilt down fast"),
    *("orbit", "camera roll", "handheld", "dolly zoom", "zoom in then zoom out"),
]


def built(prompt: str, frames: int = 120, room: Room = NO_ROOM, seed: int = 1) -> path.Path:
    return path.build(motion.read(prompt), frames, 24, seed=seed, room=room)


@pytest.mark.parametrize("prompt", [*INSIDE, "zoom out", "static"])
def test_every_path_starts_at_rest(prompt: str) -> None:
    assert built(prompt).at(0) == path.REST


@pytest.mark.parametrize("prompt", INSIDE)
def test_the_window_stays_inside_a_picture_without_margins(prompt: str) -> None:
    width, height = 1280, 720
    corners = np.array(
        [[-0.5, -0.5, 1], [width - 0.5, -0.5, 1], [-0.5, height - 0.5, 1], [width - 0.5, height - 0.5, 1]]
    )
    way = built(prompt)
    for index in range(len(way)):
        seen = corners @ view(way.at(index), width, height).T
        assert seen[:, 0].min() >= -4
        assert seen[:, 0].max() <= width + 3
        assert seen[:, 1].min() >= -4
        assert seen[:, 1].max() <= height + 3


def test_a_picture_with_margins_is_panned_over_without_zooming() -> None:
    assert built("pan left", room=Room(0.3, 0.0, 1.0)).zoom.max() < built("pan left").zoom.max()


@pytest.mark.parametrize("prompt", ["slow zoom in", "slow pan left", "orbit", "tilt up then zoom in"])
def test_the_camera_never_jerks(prompt: str) -> None:
    way = built(prompt)
    for curve in (np.log(way.zoom), way.x, way.y, way.slide):
        assert np.abs(np.diff(curve, 2)).max() * 1280 < 0.8
        assert abs(np.diff(curve)[0]) * 1280 < 0.2


def test_directions_are_the_words() -> None:
    assert built("pan left").x[-1] < 0 < built("pan right").x[-1]
    assert built("tilt up").y[-1] < 0 < built("tilt down").y[-1]
    assert built("zoom out").zoom[-1] < 1 < built("zoom in").zoom[-1]


def test_a_zoom_is_even_to_the_eye() -> None:
    ratios = np.diff(np.log(built("zoom in").zoom))[45:75]
    assert ratios.max() / ratios.min() < 1.001


def test_seeds_differ_where_the_prompt_says_nothing() -> None:
    assert built("", seed=1).at(119) != built("", seed=2).at(119)
    assert built("", seed=3).at(119) == built("", seed=3).at(119)


def test_a_path_of_one_frame_is_the_picture() -> None:
    assert built("zoom in", frames=1).at(0) == path.REST


def test_powers_of_a_similarity_add_up() -> None:
    whole = similarity(1.4, 0.2, (300, 200), (25, -10))
    np.testing.assert_allclose(power(whole, 0.3) @ power(whole, 0.7), whole, atol=1e-9)
    np.testing.assert_allclose(power(whole, 1), whole, atol=1e-9)
    np.testing.assert_allclose(power(similarity(1, 0, (0, 0), (8, 4)), 0.25)[:2, 2], (2, 1))


def test_a_view_scales_about_the_middle() -> None:
    matrix = view(path.State(zoom=2.0, roll=math.pi / 2), 101, 51)
    np.testing.assert_allclose(matrix @ (50, 25, 1), (50, 25, 1), atol=1e-9)
    np.testing.assert_allclose(matrix @ (60, 25, 1), (50, 30, 1), atol=1e-9)
