"""Continuing a video: the head is kept, the join does not show, the length is exact."""

from pathlib import Path

import av
import numpy as np
import pytest
from film_samples import cover, frames, luma, lumas, psnr, saved, scenery, shift, sound, tone

from mutoscope.studio import Clip, StudioError, extend_video, video_size
from mutoscope.studio.extend import AT_REST, Carry, Velocity, velocity

WIDTH, HEIGHT, FPS = 320, 180, 24


def panned(path: Path, count: int, *, step: float = 2.0, audio: bool = False, rate: int = FPS) -> Path:
    """A clip in the middle of an even pan to the right, without an end of its own."""
    place = scenery(900, 180)
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=rate, options={"crf": "12"})
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        sounding = container.add_stream("aac", rate=48000) if audio else None
        for index in range(count):
            left = round(index * step)
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(place[:, left : left + WIDTH]), format="rgb24")
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        if sounding is not None:
            with av.open(str(tone(path.with_suffix(".wav"), count / rate, rate=48000))) as source:
                for part in source.decode(audio=0):
                    part.pts = None
                    container.mux(sounding.encode(part))
            container.mux(sounding.encode(None))
    return path


def continued(video: Path, out: Path, **changes: object) -> Clip:
    wish = {"prompt": "", "width": WIDTH, "height": HEIGHT, "fps": FPS, "seconds": 2.0, "seed": 1} | changes
    return extend_video(video, out, **wish)


def test_the_whole_has_the_asked_length_and_begins_with_the_clip(tmp_path: Path) -> None:
    video = panned(tmp_path / "in.mp4", 24)
    clip = continued(video, tmp_path / "out.mp4", prompt="tilt up")
    head, whole = frames(video), frames(tmp_path / "out.mp4")
    assert clip.frames == len(whole) == 48
    assert clip.used == ("tilt up",)
    assert min(psnr(a, b) for a, b in zip(head, whole, strict=False)) > 32


def test_the_motion_goes_on_over_the_join(tmp_path: Path) -> None:
    video = panned(tmp_path / "in.mp4", 24)
    continued(video, tmp_path / "out.mp4", prompt="static")
    seen = frames(tmp_path / "out.mp4")
    speeds = [shift(seen[index], seen[index + 1])[0] for index in range(20, 28)]
    assert all(speed == pytest.approx(-2, abs=0.3) for speed in speeds)
    assert abs(shift(seen[45], seen[47])[0] / 2) < 1.6


def test_a_clip_of_another_shape_and_rate_is_cropped_and_resampled(tmp_path: Path) -> None:
    video = panned(tmp_path / "in.mp4", 30, rate=30, step=1)
    continued(video, tmp_path / "out.mp4", width=180, height=180)
    seen = frames(tmp_path / "out.mp4")
    assert len(seen) == 48
    assert psnr(seen[0], cover(frames(video)[0], 180, 180)) > 30
    assert psnr(seen[12], cover(frames(video)[15], 180, 180)) > 28


def test_a_clip_may_end_on_a_given_picture(tmp_path: Path) -> None:
    goal = scenery(640, 360, 9)
    continued(panned(tmp_path / "in.mp4", 24), tmp_path / "out.mp4", last=saved(tmp_path / "goal.png", goal))
    seen = lumas(tmp_path / "out.mp4")
    assert len(seen) == 48
    assert psnr(seen[-1], luma(cover(goal, WIDTH, HEIGHT))) > 42


def test_the_clip_s_sound_is_kept_and_padded(tmp_path: Path) -> None:
    continued(panned(tmp_path / "in.mp4", 24, audio=True), tmp_path / "out.mp4")
    samples = sound(tmp_path / "out.mp4")
    assert samples.shape[1] >= 96000 - 1024
    assert np.abs(samples[0, 10000:40000]).max() > 0.2
    assert np.abs(samples[0, 60000:90000]).max() < 0.01


def test_another_sound_replaces_the_clip_s(tmp_path: Path) -> None:
    audio = tone(tmp_path / "a.wav", 5)
    continued(panned(tmp_path / "in.mp4", 24, audio=True), tmp_path / "out.mp4", audio=audio)
    assert np.abs(sound(tmp_path / "out.mp4")[0, 60000:75000]).max() > 0.2


@pytest.mark.parametrize("count", [1, 2])
def test_the_shortest_clips_are_continued(tmp_path: Path, count: int) -> None:
    continued(panned(tmp_path / "in.mp4", count), tmp_path / "out.mp4", seconds=0.5)
    assert len(frames(tmp_path / "out.mp4")) == 12


def test_a_clip_as_long_as_the_whole_leaves_nothing_to_do(tmp_path: Path) -> None:
    with pytest.raises(StudioError, match="nothing to continue") as caught:
        continued(panned(tmp_path / "in.mp4", 24), tmp_path / "out.mp4", seconds=1.0)
    assert caught.value.field == "video"


@pytest.mark.parametrize(
    "content", [b"#EXTM3U\nfile:///etc/passwd\n", b"ffconcat version 1.0\n", b"\0\0\0\x18ftypisom" * 9]
)
def test_what_is_no_video_is_refused(tmp_path: Path, content: bytes) -> None:
    video = tmp_path / "in.mp4"
    video.write_bytes(content)
    with pytest.raises(StudioError) as caught:
        continued(video, tmp_path / "out.mp4")
    assert caught.value.field == "video"


def test_a_video_s_size_is_read(tmp_path: Path) -> None:
    assert video_size(panned(tmp_path / "in.mp4", 2)) == (WIDTH, HEIGHT)


def test_velocity_is_measured_and_a_cut_is_none() -> None:
    place = scenery(900, 180)[..., 1]
    moving = [np.ascontiguousarray(place[:, step * 3 : step * 3 + WIDTH]) for step in range(5)]
    found = velocity(moving, 2.0)
    assert found.right == pytest.approx(-6, abs=0.1)
    assert found.scale == pytest.approx(1, abs=1e-3)
    assert velocity([moving[0], np.ascontiguousarray(scenery(WIDTH, 180, 5)[..., 1])], 1.0) == AT_REST
    assert velocity([np.zeros((180, WIDTH), np.uint8)] * 5, 1.0) == AT_REST


def test_even_wild_motion_stays_near_the_picture() -> None:
    carry = Carry(Velocity(right=40, down=-30, scale=0.97, turn=0.05), WIDTH, HEIGHT, FPS, 240)
    corner = carry(239) @ np.array([0, 0, 1])
    assert np.abs(corner).max() < WIDTH
