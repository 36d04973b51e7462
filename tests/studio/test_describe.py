"""Statistics of pictures."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mutoscope.studio.describe import LABEL, NAMES, Description, describe_image


def described(pixels: np.ndarray, tmp_path: Path) -> Description:
    Image.fromarray(pixels).save(tmp_path / "in.png")
    return describe_image(tmp_path / "in.png")


@pytest.fixture
def horizon() -> np.ndarray:
    """A pale sky over green land, with a red ball at the lower right."""
    picture = np.zeros((200, 300, 3), np.uint8)
    picture[:80] = (180, 210, 235)
    picture[80:] = (40, 110, 50)
    picture[140:180, 220:260] = (220, 20, 30)
    return picture


def test_colours_have_their_shares_and_names(horizon: np.ndarray, tmp_path: Path) -> None:
    found = described(horizon, tmp_path)
    shares = {each.name: each.share for each in found.palette}
    assert shares["pale blue"] == pytest.approx(0.4, abs=0.03)
    assert "red" in shares
    assert sum(shares.values()) == pytest.approx(1, abs=0.05)
    assert [each.share for each in found.palette] == sorted(shares.values(), reverse=True)


@pytest.mark.parametrize("name", NAMES)
def test_every_colour_that_has_a_name_is_called_so(name: str, tmp_path: Path) -> None:
    colour = [int(NAMES[name][at : at + 2], 16) for at in (0, 2, 4)]
    found = described(np.full((16, 16, 3), colour, np.uint8), tmp_path)
    assert [(each.name, each.share) for each in found.palette] == [(name, 1.0)]


def test_the_horizon_and_the_weight_are_where_they_are(horizon: np.ndarray, tmp_path: Path) -> None:
    found = described(horizon, tmp_path)
    assert found.horizon == pytest.approx(0.4, abs=0.03)
    assert found.focus[0] > 0.6
    assert found.focus[1] > 0.6
    assert "lower right" in found.text
    assert "Landscape format, 300 x 200 pixels" in found.text


def test_no_horizon_is_seen_where_there_is_none(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (120, 120, 3), np.uint8)
    assert described(noise, tmp_path).horizon is None
    standing = np.zeros((120, 120, 3), np.uint8)
    standing[:, 60:] = 255
    assert described(standing, tmp_path).horizon is None


def test_figures_follow_the_light(tmp_path: Path) -> None:
    black, white = (described(np.full((40, 40, 3), each, np.uint8), tmp_path) for each in (0, 255))
    assert (black.brightness, white.brightness) == (0, 1)
    assert black.contrast == black.saturation == black.detail == 0
    warm = described(np.full((40, 40, 3), (230, 140, 40), np.uint8), tmp_path)
    cold = described(np.full((40, 40, 3), (30, 80, 200), np.uint8), tmp_path)
    assert warm.warmth > 0.5 > -0.5 > cold.warmth
    noise = described(np.random.default_rng(1).integers(0, 256, (80, 80, 3), np.uint8), tmp_path)
    assert noise.detail > 0.9
    assert "full of fine detail" in noise.text


def test_mirrors_are_symmetric(horizon: np.ndarray, tmp_path: Path) -> None:
    mirrored = np.hstack([horizon, horizon[:, ::-1]])
    assert described(mirrored, tmp_path).symmetry > 0.95
    lop = np.zeros((60, 90, 3), np.uint8)
    lop[:, :45] = 255
    assert described(lop, tmp_path).symmetry == 0


def test_the_text_says_that_it_is_statistics(horizon: np.ndarray, tmp_path: Path) -> None:
    found = described(horizon, tmp_path)
    assert found.text.startswith(LABEL)
    assert found == describe_image(tmp_path / "in.png")


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (5, 4000)])
def test_extreme_shapes_do_no_harm(size: tuple[int, int], tmp_path: Path) -> None:
    found = described(np.full((size[1], size[0], 3), 99, np.uint8), tmp_path)
    assert (found.width, found.height) == size
    assert found.palette
