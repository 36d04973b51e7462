"""Pictures of every kind load upright and in their colours."""

from pathlib import Path

import numpy as np
import pytest
from film_samples import scenery
from PIL import Image

from mutoscope.studio import StudioError, picture_size
from mutoscope.studio.picture import load


def loaded(image: Image.Image, path: Path, **options: object) -> np.ndarray:
    image.save(path, **options)
    return np.asarray(load(path))


def test_a_turned_photograph_is_upright(tmp_path: Path) -> None:
    upright = Image.fromarray(scenery(120, 80))
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: rotate clockwise to show
    path = tmp_path / "turned.png"
    found = loaded(upright.rotate(90, expand=True), path, exif=exif)
    assert np.array_equal(found, np.asarray(upright))
    assert picture_size(path) == (120, 80)


def test_what_is_transparent_shows_white(tmp_path: Path) -> None:
    image = Image.new("RGBA", (64, 64), (200, 0, 0, 0))
    image.paste((0, 0, 200, 255), (0, 0, 32, 64))
    found = loaded(image, tmp_path / "a.png")
    assert (found[5, 5] == (0, 0, 200)).all()
    assert (found[5, 60] == 255).all()


def test_a_transparent_palette_shows_white(tmp_path: Path) -> None:
    image = Image.new("P", (64, 64), 0)
    image.putpalette([10, 20, 30, 200, 100, 50])
    image.paste(1, (0, 0, 32, 64))
    found = loaded(image, tmp_path / "a.png", transparency=0)
    assert (found[5, 5] == (200, 100, 50)).all()
    assert (found[5, 60] == 255).all()


@pytest.mark.parametrize("mode", ["L", "1", "LA"])
def test_grey_stays_grey(tmp_path: Path, mode: str) -> None:
    found = loaded(Image.new(mode, (64, 64), 0 if mode != "LA" else (0, 255)), tmp_path / "a.png")
    assert found.shape == (64, 64, 3)
    assert not found.any()


def test_sixteen_bits_are_not_clipped_to_white(tmp_path: Path) -> None:
    ramp = np.linspace(0, 65535, 64 * 64).astype(np.uint16).reshape(64, 64)
    found = loaded(Image.fromarray(ramp), tmp_path / "a.png")
    assert abs(int(found[32, 0, 0]) - 128) <= 1
    assert found.max() == 255


def test_print_colours_become_screen_colours(tmp_path: Path) -> None:
    found = loaded(Image.new("CMYK", (64, 64), (0, 255, 255, 0)), tmp_path / "a.jpg")
    assert found[5, 5, 0] > 200
    assert found[5, 5, 1:].max() < 60


@pytest.mark.parametrize("content", [b"", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%!PS-Adobe-3.0 EPSF-3.0\n"])
def test_what_is_no_picture_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(content)
    with pytest.raises(StudioError) as caught:
        load(path, field="last")
    assert caught.value.field == "last"


def test_a_truncated_picture_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(scenery(200, 200)).save(path)
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(StudioError):
        load(path)
