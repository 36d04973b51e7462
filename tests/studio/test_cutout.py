"""Subjects without their background."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from mutoscope.studio import StudioError
from mutoscope.studio.cutout import cut_out

SIZE = 360, 240


def ball(path: Path, *, size: tuple[int, int] = SIZE) -> np.ndarray:
    """A textured ball before a soft wall; returns where it is, 0 to 1."""
    chance = np.random.default_rng(4)
    width, height = size
    wall = np.linspace(90, 150, height, dtype=np.float32)[:, None, None] * np.array([0.7, 0.9, 1.0], np.float32)
    picture = np.broadcast_to(wall, (height, width, 3)) + chance.normal(0, 2, (height, width, 3))
    disc = np.zeros((height, width), np.uint8)
    cv2.circle(disc, (width // 2, height * 9 // 16), height // 4, 255, -1, cv2.LINE_AA)
    mask = disc.astype(np.float32) / 255
    texture = np.array([200, 60, 40], np.float32) + chance.normal(0, 25, (height, width, 3))
    both = picture * (1 - mask[..., None]) + cv2.GaussianBlur(texture, (0, 0), 1.0) * mask[..., None]
    Image.fromarray(both.clip(0, 255).astype(np.uint8)).save(path)
    return mask


def test_a_clear_subject_is_found_with_confidence(tmp_path: Path) -> None:
    truth = ball(tmp_path / "in.png")
    made = cut_out(tmp_path / "in.png", tmp_path / "out.png")
    with Image.open(tmp_path / "out.png") as image:
        assert image.size == SIZE == (made.width, made.height)
        found = np.asarray(image)
    share = found[..., 3] / 255
    overlap = np.minimum(share, truth).sum() / np.maximum(share, truth).sum()
    assert overlap > 0.95
    assert made.confidence > 0.6
    assert made.share == pytest.approx(truth.mean(), rel=0.06)


def test_the_outline_is_soft_and_keeps_none_of_the_background_s_colour(tmp_path: Path) -> None:
    ball(tmp_path / "in.png")
    cut_out(tmp_path / "in.png", tmp_path / "out.png")
    with Image.open(tmp_path / "out.png") as image:
        found = np.asarray(image).astype(int)
    between = found[(found[..., 3] > 60) & (found[..., 3] < 200)]
    assert len(between) > 50
    assert (between[:, 0] > between[:, 2]).mean() > 0.95, "red as the ball, not blue as the wall"


def test_a_large_picture_is_cut_at_its_own_size(tmp_path: Path) -> None:
    truth = ball(tmp_path / "in.png", size=(1700, 1100))
    made = cut_out(tmp_path / "in.png", tmp_path / "out.png")
    with Image.open(tmp_path / "out.png") as image:
        share = np.asarray(image)[..., 3] / 255
    assert share.shape == truth.shape
    assert np.abs(share - truth).mean() < 0.01
    assert made.confidence > 0.6


def test_noise_has_no_clear_subject(tmp_path: Path) -> None:
    noise = np.random.default_rng(2).integers(0, 256, (200, 260, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "in.png")
    assert cut_out(tmp_path / "in.png", tmp_path / "out.png").confidence < 0.35


@pytest.mark.parametrize("colour", [(0, 0, 0), (120, 130, 140), (255, 255, 255)])
def test_a_picture_of_one_colour_is_refused_or_told_to_be_a_guess(colour: tuple[int, int, int], tmp_path: Path) -> None:
    Image.new("RGB", (200, 120), colour).save(tmp_path / "in.png")
    try:
        made = cut_out(tmp_path / "in.png", tmp_path / "out.png")
    except StudioError as error:
        assert error.field == "image"
    else:
        assert made.confidence < 0.1


@pytest.mark.parametrize("size", [(8, 8), (3, 200), (400, 50), (1, 1)])
def test_extreme_shapes_do_no_harm(size: tuple[int, int], tmp_path: Path) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (size[1], size[0], 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "in.png")
    try:
        made = cut_out(tmp_path / "in.png", tmp_path / "out.png")
    except StudioError as error:
        assert error.field == "image"
    else:
        assert (made.width, made.height) == size


def test_the_same_picture_gives_the_same_bytes_whatever_chance_did_before(tmp_path: Path) -> None:
    ball(tmp_path / "in.png")
    for seed, name in enumerate(("one.png", "two.png")):
        cv2.setRNGSeed(seed + 50)
        cut_out(tmp_path / "in.png", tmp_path / name)
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
