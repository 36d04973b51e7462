"""A disk without space: whatever is being made fails with the system's own number for that, and is not cut short."""

import errno
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from film_samples import saved, scenery, tone

from mutoscope.studio import image_to_video, text_to_image
from mutoscope.studio.enlarge import enlarge_image
from mutoscope.studio.speech import find_program, speak
from small_disk import fill, small_disk

SHORT: dict[str, Any] = {"prompt": "pan left", "width": 160, "height": 96, "fps": 12, "seconds": 1.0, "seed": 1}
needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs the ffmpeg command: apt install ffmpeg")
needs_espeak = pytest.mark.skipif(find_program() is None, reason="needs the program espeak-ng")

MAKERS = [
    pytest.param("o.mp4", lambda out, scene, sound: image_to_video(scene, out, **SHORT), id="clip"),
    pytest.param("o.mp4", lambda out, scene, sound: image_to_video(scene, out, audio=sound, **SHORT), id="sound"),
    pytest.param(
        "o.mp4",
        lambda out, scene, sound: image_to_video(scene, out, encoder="ffmpeg", **SHORT),
        marks=needs_ffmpeg,
        id="clip by ffmpeg",
    ),
    pytest.param(
        "o.mp4",
        lambda out, scene, sound: image_to_video(scene, out, encoder="ffmpeg", audio=sound, **SHORT),
        marks=needs_ffmpeg,
        id="sound by ffmpeg",
    ),
    pytest.param(
        "o.png", lambda out, scene, sound: text_to_image("hills", out, width=320, height=180, seed=1), id="still"
    ),
    pytest.param("o.png", lambda out, scene, sound: enlarge_image(scene, out, factor=2), id="enlargement"),
    pytest.param("o.mp3", lambda out, scene, sound: speak("One, two.", out), marks=needs_espeak, id="speech"),
]


@pytest.mark.parametrize("room", [0, 4096, 8192])
@pytest.mark.parametrize(("name", "make"), MAKERS)
def test_nothing_is_cut_short(
    name: str, make: Callable[[Path, Path, Path], object], room: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it fits into the little room that there is, it is the same as with all the room in the world."""
    scene, sound = saved(tmp_path / "scene.png", scenery(320, 180)), tone(tmp_path / "tone.wav", 1.0)
    make(tmp_path / name, scene, sound)
    with small_disk(tmp_path / "disk", 1 << 20) as disk:
        fill(disk, leave=room)
        monkeypatch.setattr(tempfile, "tempdir", str(disk))  # what is only needed meanwhile finds no more room
        try:
            make(disk / name, scene, sound)
        except OSError as error:
            assert error.errno == errno.ENOSPC
        else:
            assert (disk / name).read_bytes() == (tmp_path / name).read_bytes()
            assert (tmp_path / name).stat().st_size <= room
