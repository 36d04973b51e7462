"""Pictures as vector paths."""

import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest
from PIL import Image

from mutoscope.studio import StudioError
from mutoscope.studio.trace import EXTRA, MAX_SIDE, Detail, trace_image

pytest.importorskip("vtracer", reason=EXTRA)
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def sign(tmp_path: Path) -> Path:
    """A white disc in a red square."""
    picture = np.full((120, 200, 3), (210, 30, 30), np.uint8)
    cv2.circle(picture, (100, 60), 40, (250, 250, 250), -1, cv2.LINE_AA)
    Image.fromarray(picture).save(tmp_path / "sign.png")
    return tmp_path / "sign.png"


def drawn(svg: Path) -> np.ndarray:
    """The drawing as pixels: its splines as polygons, each filled over those before."""
    root = ElementTree.fromstring(svg.read_text(encoding="utf-8"))
    width, height = (int(float(each)) for each in root.attrib["viewBox"].split()[2:])
    canvas = np.zeros((height, width, 3), np.uint8)
    for path in root.iter(f"{SVG}path"):
        shift = re.findall(r"-?[\d.]+", path.attrib["transform"])
        polygons = [polygon(part) + np.array(shift, float) for part in path.attrib["d"].split("Z") if part.strip()]
        code = path.attrib["fill"]
        colour = [int(code[at : at + 2], 16) for at in (1, 3, 5)]
        cv2.fillPoly(canvas, [np.rint(each * 16).astype(np.int32) for each in polygons], colour, shift=4)
    return canvas


def polygon(path: str) -> np.ndarray:
    points: list[np.ndarray] = []
    for order, numbers in re.findall(r"([MLC])([^MLC]*)", path):
        found = np.array(re.findall(r"-?[\d.]+", numbers), float).reshape(-1, 2)
        if order != "C":
            points.extend(found)
            continue
        for one, two, end in found.reshape(-1, 3, 2):
            start = points[-1]
            for t in np.linspace(0.125, 1, 8):
                s = 1 - t
                points.append(s**3 * start + 3 * s * s * t * one + 3 * s * t * t * two + t**3 * end)
    return np.array(points)


def test_the_drawing_shows_the_picture(sign: Path, tmp_path: Path) -> None:
    made = trace_image(sign, tmp_path / "out.svg")
    with Image.open(sign) as picture:
        away = np.abs(drawn(tmp_path / "out.svg").astype(int) - np.asarray(picture)).mean()
    assert away < 4
    assert (made.width, made.height) == (200, 120)
    assert 2 <= made.paths <= 8
    assert made.bytes == (tmp_path / "out.svg").stat().st_size


@pytest.mark.parametrize(("detail", "most"), [("plain", 12), ("fair", 5), ("fine", 3)])
def test_soft_gradients_become_steps_and_not_one_colour(detail: Detail, most: float, tmp_path: Path) -> None:
    ramp = np.linspace(20, 235, 240).astype(np.uint8)
    picture = np.dstack([np.tile(ramp, (120, 1)), np.full((120, 240), 90, np.uint8), np.tile(ramp[::-1], (120, 1))])
    Image.fromarray(picture).save(tmp_path / "in.png")
    trace_image(tmp_path / "in.png", tmp_path / "out.svg", detail=detail)
    assert np.abs(drawn(tmp_path / "out.svg").astype(int) - picture).mean() < most


def test_a_large_picture_is_traced_small_and_drawn_large(tmp_path: Path) -> None:
    picture = np.zeros((90, 3000, 3), np.uint8)
    picture[:, 1500:] = 255
    Image.fromarray(picture).save(tmp_path / "in.png")
    trace_image(tmp_path / "in.png", tmp_path / "out.svg")
    root = ElementTree.fromstring((tmp_path / "out.svg").read_text(encoding="utf-8"))
    assert (root.attrib["width"], root.attrib["height"]) == ("3000", "90")
    assert root.attrib["viewBox"].split()[2] == str(MAX_SIDE)
    assert "no model" in (root.findtext(f"{SVG}desc") or "")


def test_grey_has_no_colour_and_transparency_stays_empty(tmp_path: Path) -> None:
    pixels = np.zeros((60, 60, 4), np.uint8)
    pixels[15:45, 15:45] = (200, 40, 90, 255)
    Image.fromarray(pixels).save(tmp_path / "in.png")
    trace_image(tmp_path / "in.png", tmp_path / "out.svg", grey=True)
    fills = re.findall(r'fill="#(..)(..)(..)"', (tmp_path / "out.svg").read_text(encoding="utf-8"))
    assert len(fills) == 1
    assert all(red == green == blue for red, green, blue in fills)


def test_more_detail_makes_more_paths(tmp_path: Path) -> None:
    chance = np.random.default_rng(3).integers(0, 256, (12, 12, 3), np.uint8)
    Image.fromarray(cv2.resize(chance, (240, 240), interpolation=cv2.INTER_CUBIC)).save(tmp_path / "in.png")
    plain, fair, fine = (
        trace_image(tmp_path / "in.png", tmp_path / "out.svg", detail=each).paths for each in ("plain", "fair", "fine")
    )
    assert plain < fair < fine


def test_the_same_picture_gives_the_same_bytes(sign: Path, tmp_path: Path) -> None:
    for name in ("one.svg", "two.svg"):
        trace_image(sign, tmp_path / name)
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()


def test_an_unknown_detail_is_refused(sign: Path, tmp_path: Path) -> None:
    with pytest.raises(StudioError, match="plain, fair, fine") as caught:
        trace_image(sign, tmp_path / "out.svg", detail="wild")  # pyright: ignore[reportArgumentType]
    assert caught.value.field == "detail"


def test_without_vtracer_the_extra_is_named(sign: Path, tmp_path: Path) -> None:
    script = (
        "import sys; sys.modules['vtracer'] = None\n"
        "from pathlib import Path\n"
        "from mutoscope.studio.trace import trace_image\n"
        f"try: trace_image(Path({str(sign)!r}), Path({str(tmp_path / 'out.svg')!r}))\n"
        "except Exception as error: print(type(error).__name__, error)\n"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert told.startswith("StudioError")
    assert "mutoscope[trace]" in told
