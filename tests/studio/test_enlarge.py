"""Bigger pictures by resampling."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from mutoscope.studio import StudioError
from mutoscope.studio.enlarge import BAND, FACTORS, enlarge, enlarge_image, enlarge_to
from mutoscope.studio.scene import paint


@pytest.fixture(scope="module")
def scene() -> Image.Image:
    return Image.fromarray(paint("mountain lake at sunset", 160, 96, 5).rgb)


def psnr(one: np.ndarray, other: np.ndarray) -> float:
    return 10 * np.log10(255**2 / np.mean((one.astype(float) - other) ** 2))


@pytest.mark.parametrize("factor", FACTORS)
def test_the_result_is_so_many_times_as_big_and_reduced_again_it_is_the_picture(
    factor: int, scene: Image.Image, tmp_path: Path
) -> None:
    scene.save(tmp_path / "in.png")
    made = enlarge_image(tmp_path / "in.png", tmp_path / "out.png", factor=factor)
    with Image.open(tmp_path / "out.png") as found:
        assert found.size == (made.width, made.height) == (160 * factor, 96 * factor)
        again = cv2.resize(np.asarray(found), scene.size, interpolation=cv2.INTER_AREA)
        assert "no model" in found.info["Comment"]
    assert psnr(np.asarray(scene), again) > 44


def test_it_is_nearer_to_the_truth_than_bicubic_alone(scene: Image.Image) -> None:
    truth = np.asarray(scene)
    small = np.asarray(cv2.resize(truth, (80, 48), interpolation=cv2.INTER_AREA), np.uint8)
    plain = cv2.resize(small, (160, 96), interpolation=cv2.INTER_CUBIC)
    assert psnr(truth, enlarge(small, 2)) > psnr(truth, plain) + 0.15


def test_bands_leave_no_seam() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (BAND + 40, 24, 3), np.uint8)
    banded = enlarge(pixels, 2)
    whole = enlarge(pixels[BAND // 2 :], 2)
    rows = slice(BAND, BAND + 40)  # of the whole: far from where it begins
    assert np.array_equal(banded[BAND:][rows], whole[rows])


def test_transparency_is_kept_and_hidden_colours_do_not_bleed(tmp_path: Path) -> None:
    pixels = np.zeros((32, 32, 4), np.uint8)
    pixels[:, :16] = (255, 0, 0, 0)  # red, but nobody can see it
    pixels[:, 16:] = (0, 0, 255, 255)
    Image.fromarray(pixels).save(tmp_path / "in.png")
    enlarge_image(tmp_path / "in.png", tmp_path / "out.png", factor=4)
    with Image.open(tmp_path / "out.png") as image:
        assert image.mode == "RGBA"
        found = np.asarray(image)
    assert found[:, :40, 3].max() < 20
    assert found[:, 88:, 3].min() == 255
    seen = found[found[..., 3] > 30]
    assert seen[:, 0].max() < 30


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_a_picture_that_has_the_size_already_keeps_every_pixel(mode: str, scene: Image.Image, tmp_path: Path) -> None:
    scene.convert(mode).save(tmp_path / "in.png")
    for size in ({"width": 160, "height": 96}, {"height": 96}):
        made = enlarge_to(tmp_path / "in.png", tmp_path / "out.png", **size)
        assert (made.width, made.height) == (160, 96)
        with Image.open(tmp_path / "out.png") as found:
            assert (np.asarray(found.convert(mode)) == np.asarray(scene.convert(mode))).all()


def test_the_same_picture_gives_the_same_bytes(scene: Image.Image, tmp_path: Path) -> None:
    scene.save(tmp_path / "in.png")
    for name in ("one.png", "two.png"):
        enlarge_image(tmp_path / "in.png", tmp_path / name, factor=2)
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()


def test_other_factors_and_too_big_results_are_refused(scene: Image.Image, tmp_path: Path) -> None:
    scene.save(tmp_path / "in.png")
    with pytest.raises(StudioError, match="2, 4, 8, 16") as caught:
        enlarge_image(tmp_path / "in.png", tmp_path / "out.png", factor=3)
    assert caught.value.field == "factor"
    Image.new("L", (1100, 8)).save(tmp_path / "long.png")
    with pytest.raises(StudioError, match="17600x128") as caught:
        enlarge_image(tmp_path / "long.png", tmp_path / "out.png", factor=16)
    assert caught.value.field == "factor"
    (tmp_path / "no.png").write_text("<svg/>")
    with pytest.raises(StudioError) as caught:
        enlarge_image(tmp_path / "no.png", tmp_path / "out.png", factor=2)
    assert caught.value.field == "image"
