"""What a mask shows, filled: how near it comes to what was there, and that its edge is not seen."""

from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from mutoscope.studio.fill import fill, fill_image
from mutoscope.studio.scene import paint
from mutoscope.studio.widen import widen_image

PROMPTS = (
    "desert dunes under a clear sky",
    "wildflowers on rolling hills",
    "misty pine forest",
    "calm ocean at sunset",
)


def blot(width: int, height: int, middle: tuple[int, int], axes: tuple[int, int]) -> np.ndarray:
    mask = np.zeros((height, width), np.uint8)
    return cv2.ellipse(mask, middle, axes, 20, 0, 360, 255, -1)


def psnr(one: np.ndarray, other: np.ndarray) -> float:
    return 10 * float(np.log10(255**2 / np.mean((one.astype(float) - other.astype(float)) ** 2)))


def test_a_hole_is_filled_nearer_to_the_truth_than_opencvs_two_do_and_livelier() -> None:
    figures = {"ours": [], "telea": [], "stokes": []}
    fine = {"ours": [], "telea": [], "truth": []}
    for number, prompt in enumerate(PROMPTS):
        truth = paint(prompt, 240, 160, 11 + number).rgb
        mask = blot(240, 160, (90 + 20 * number, 70 + 10 * number), (26, 18))
        given, where = truth.copy(), mask > 0
        given[where] = 255
        made = {
            "ours": fill(given, where.astype(np.float32), 1),
            "telea": cv2.inpaint(given, mask, 5, cv2.INPAINT_TELEA),
            "stokes": cv2.inpaint(given, mask, 5, cv2.INPAINT_NS),
        }
        for name, rgb in made.items():
            figures[name].append(psnr(rgb[where], truth[where]))
        for name in fine:
            rgb = made.get(name, truth).astype(np.float32)
            fine[name].append(float((rgb - cv2.GaussianBlur(rgb, (0, 0), 3))[where].std()))
        assert np.array_equal(made["ours"], fill(given, where.astype(np.float32), 1))
    ours, telea, stokes = (float(np.mean(figures[name])) for name in ("ours", "telea", "stokes"))
    assert ours > max(telea, stokes), figures
    assert sum(fine["ours"]) > 0.6 * sum(fine["truth"]), fine


def edge(rgb: np.ndarray, mask: np.ndarray) -> float:
    """How much the picture changes over the mask's edge, to how much just outside of it: 1 where no outline is seen."""
    soft = cv2.GaussianBlur(rgb.astype(np.float32), (0, 0), 1.5)
    slope = np.abs(cv2.Sobel(soft, cv2.CV_32F, 1, 0)).mean(2) + np.abs(cv2.Sobel(soft, cv2.CV_32F, 0, 1)).mean(2)
    square = np.ones((3, 3), np.uint8)
    band = (cv2.dilate(mask, square) > 0) & ~(cv2.erode(mask, square) > 0)
    outside = (cv2.dilate(mask, square, iterations=8) > 0) & ~(cv2.dilate(mask, square, iterations=3) > 0)
    return float(slope[band].mean() / slope[outside].mean())


def test_a_scene_comes_into_a_mask_or_round_a_picture_without_an_outline(tmp_path: Path) -> None:
    lake = paint("a lake between mountains at dawn", 240, 160, 7).rgb
    Image.fromarray(lake).save(tmp_path / "lake.png")
    mask = blot(240, 160, (165, 65), (35, 30))
    Image.fromarray(mask).save(tmp_path / "mask.png")
    out = tmp_path / "out.png"
    fill_image(tmp_path / "lake.png", tmp_path / "mask.png", out, prompt="snowy mountains at dawn", seed=7)
    made = np.asarray(Image.open(out).convert("RGB"))
    assert edge(made, mask) < 1.4
    assert np.abs(made.astype(int) - lake)[blot(240, 160, (165, 65), (12, 10)) > 0].mean() > 10, "a scene is there"
    widen_image(tmp_path / "lake.png", out, left=60, right=60, top=40, bottom=40, prompt="snowy mountains", seed=7)
    frame = np.zeros((240, 360), np.uint8)
    frame[40:200, 60:300] = 255
    assert edge(np.asarray(Image.open(out).convert("RGB")), 255 - frame) < 1.4
