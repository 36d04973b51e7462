"""The demo runs, and it would notice what is not as it was asked for."""

import os
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))  # demo.py is a script at the root, not a module of the package

import demo  # noqa: E402


def clip(path: Path, *, width: int, height: int, fps: int, frames: int, faststart: int = True) -> None:
    options = {"movflags": "+faststart"} if faststart else {}
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream("libx264", rate=fps, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        still = np.zeros((height, width, 3), np.uint8)
        for _ in range(frames):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(still, format="rgb24")))
        container.mux(stream.encode())


def request_for(file: str, expected: demo.Expected) -> demo.Request:
    return demo.Request("test", file, expected, lambda request, place: "")


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "target", tmp_path)


@pytest.mark.parametrize(
    ("made", "told"),
    [
        ({}, []),
        ({"width": 322}, ["size: 322x180, not 320x180"]),
        ({"frames": 11}, ["frames: 11, not 12", "duration"]),
        ({"fps": 10}, ["frames a second: 10, not 12", "duration"]),
        ({"faststart": False}, ["the index is behind the frames"]),
    ],
)
def test_a_clip_is_held_against_what_was_asked(tmp_path: Path, made: dict[str, int], told: list[str]):
    asked = {"width": 320, "height": 180, "fps": 12, "frames": 12}
    clip(tmp_path / "x.mp4", **(asked | made))
    faults = demo.look_into(request_for("x.mp4", demo.Expected(320, 180, fps=12, seconds=1)))
    assert len(faults) == len(told)
    for fault, part in zip(faults, told, strict=True):
        assert part in fault


def test_a_picture_is_held_against_what_was_asked(tmp_path: Path):
    Image.new("RGB", (64, 48)).save(tmp_path / "x.png", "JPEG")
    assert demo.look_into(request_for("x.png", demo.Expected(64, 50))) == [
        "size: 64x48, not 64x50",
        "the file is JPEG, not PNG",
    ]


def test_the_demo_runs_and_everything_comes_back_as_asked(tmp_path: Path):
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    script = [sys.executable, str(ROOT / "demo.py"), str(tmp_path / "demo")]
    done = subprocess.run(script, capture_output=True, text=True, timeout=110, cwd=tmp_path, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    for file in ("text-to-image.png", "wan-2-7.mp4", "runway-4-5.mp4", "gen4-turbo.mp4", "contact-sheet.png"):
        assert (tmp_path / "demo" / file).stat().st_size > 10_000
        assert file in done.stdout
    assert done.stdout.count("2 verified") == 3
