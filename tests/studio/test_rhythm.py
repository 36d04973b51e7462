"""Onsets are found where they are, and the camera's pulse is soft."""

import wave
from pathlib import Path

import numpy as np
import pytest
from film_samples import cover, luma, lumas, psnr, saved, scenery
from numpy.typing import NDArray

from mutoscope.studio import image_to_video
from mutoscope.studio.rhythm import onsets, pulse
from mutoscope.studio.sound import RATE

BEATS = [0.8, 1.3, 2.45, 3.01]


def struck(times: list[float], seconds: float = 4.0) -> NDArray[np.float32]:
    """A stereo sound of struck notes over a quiet hiss."""
    clock = np.arange(round(seconds * RATE)) / RATE
    total = 0.001 * np.random.default_rng(1).standard_normal(clock.size)
    for time in times:
        since = np.maximum(clock - time, 0)
        total += np.where(clock >= time, 0.4 * np.sin(1400 * since) * np.exp(-12 * since), 0)
    return np.stack([total, total]).astype(np.float32)


def test_onsets_are_found_within_a_hundredth_of_a_second() -> None:
    found = [when for when, _ in onsets(struck(BEATS)) if when > 0.1]
    assert found == pytest.approx(BEATS, abs=0.01)


def test_silence_and_steady_sounds_have_no_onsets() -> None:
    clock = np.arange(3 * RATE) / RATE
    hiss = np.random.default_rng(1).standard_normal(clock.size)
    for steady in (np.zeros_like(clock), np.sin(2000 * clock), 0.2 * hiss):
        assert not [when for when, _ in onsets(np.stack([steady, steady]).astype(np.float32)) if when > 0.1]


def test_a_sound_shorter_than_one_window_has_a_pulse_curve_too() -> None:
    assert pulse(np.zeros((2, 100), np.float32), 1, 24).tolist() == [0.0]


@pytest.mark.parametrize("fps", [24, 60])
def test_a_pulse_rises_over_frames_and_peaks_at_its_onset(fps: int) -> None:
    curve = pulse(struck(BEATS), 4 * fps, fps)
    assert curve[0] == curve[-1] == 0
    assert np.diff(curve).max() < 0.55
    for beat in BEATS:
        near = round(beat * fps)
        around = curve[near - fps // 10 : near + fps // 8]
        assert around.max() > 0.8
        assert abs(int(around.argmax()) - fps // 10) <= max(2, fps // 12)


def test_the_picture_grows_at_the_beat_and_the_first_frame_stays_exact(tmp_path: Path) -> None:
    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((struck([1.0], 2.0).T * 32000).astype("<i2").tobytes())
    photo = saved(tmp_path / "p.png", scenery(640, 360))
    change: dict[str, float] = {}
    for prompt in ("pan left", "pan left, not to the music"):
        image_to_video(
            photo,
            tmp_path / "o.mp4",
            prompt=prompt,
            width=320,
            height=180,
            fps=12,
            seconds=2.0,
            seed=1,
            audio=tmp_path / "a.wav",
        )
        made = lumas(tmp_path / "o.mp4")
        change[prompt] = psnr(made[11], made[12])
        assert psnr(made[0], luma(cover(scenery(640, 360), 320, 180))) > 42
    assert change["pan left"] < change["pan left, not to the music"] - 1
