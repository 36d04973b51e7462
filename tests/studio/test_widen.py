"""Bigger canvases, honestly filled."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mutoscope.studio import StudioError
from mutoscope.studio.scene import paint
from mutoscope.studio.widen import MAX_SIDE, widen, widen_image


@pytest.fixture(scope="module")
def scene() -> np.ndarray:
    return paint("mountain lake at sunset", 160, 96, 5).rgb


def test_the_given_picture_is_untouched_in_its_place(scene: np.ndarray, tmp_path: Path) -> None:
    Image.fromarray(scene).save(tmp_path / "in.png")
    made = widen_image(tmp_path / "in.png", tmp_path / "out.png", left=70, right=30, top=11, bottom=0)
    with Image.open(tmp_path / "out.png") as image:
        found = np.asarray(image)
        assert "no model" in image.info["Comment"]
    assert found.shape == (107, 260, 3)
    assert (made.width, made.height) == (260, 107)
    assert np.array_equal(found[11:, 70:230], scene)


def test_there_is_no_step_at_the_seam(scene: np.ndarray) -> None:
    wide = widen(scene, (60, 60, 0, 0), 1).astype(float)
    over = np.abs(wide[:, 60] - wide[:, 59]).mean()
    within = np.abs(np.diff(scene.astype(float), axis=1)).mean()
    assert over < 1.5 * within


def test_the_fill_grows_softer_with_the_distance(scene: np.ndarray) -> None:
    wide = widen(scene, (80, 0, 0, 0), 1).astype(float)
    wide = (wide[:-1:2] + wide[1::2]) / 2  # against the grain
    near, far = (np.abs(np.diff(wide[:, band], axis=0)).mean() for band in (slice(70, 80), slice(0, 10)))
    assert far < 0.6 * near


def test_the_grain_of_the_picture_goes_on() -> None:
    noise = np.random.default_rng(1).normal(0, 5, (120, 120, 1))
    wide = widen((128 + noise).repeat(3, 2).astype(np.uint8), (100, 0, 0, 0), 1)
    assert wide[:, :60].std() == pytest.approx(5, rel=0.25)


def test_margins_may_be_wider_than_the_picture(scene: np.ndarray) -> None:
    assert widen(scene[:20, :10], (300, 5, 60, 60), 1).shape == (140, 315, 3)


def test_one_seed_gives_one_result(scene: np.ndarray) -> None:
    one, same, other = (widen(scene, (40, 0, 0, 0), seed) for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_negative_and_too_large_margins_are_refused(scene: np.ndarray, tmp_path: Path) -> None:
    Image.fromarray(scene).save(tmp_path / "in.png")
    for margins, field in (({"top": -1}, "top"), ({"right": MAX_SIDE, "top": 3}, "right")):
        with pytest.raises(StudioError) as caught:
            widen_image(tmp_path / "in.png", tmp_path / "out.png", **margins)
        assert caught.value.field == field
