"""Videos from pictures: exact in size, length and first frame, and the same each time."""

from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from film_samples import cover, frames, luma, lumas, mp3, psnr, saved, scenery, shift, sound, tone
from PIL import Image

from mutoscope.studio import Clip, StudioError, image_to_video, text_to_image, text_to_video


def filmed(image: Path | None, out: Path, prompt: str | None = "", **changes: object) -> Clip:
    wish = {"width": 320, "height": 180, "fps": 12, "seconds": 1.0, "seed": 3} | changes
    return image_to_video(image, out, prompt=prompt, **wish)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    return saved(tmp_path / "photo.png", scenery(800, 600))


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out.mp4"


@pytest.mark.parametrize("prompt", ["", "pan left then zoom in", "zoom out", "handheld, wind, waves", "static"])
def test_the_first_frame_is_the_picture_cropped_to_cover(photo: Path, out: Path, prompt: str) -> None:
    filmed(photo, out, prompt)
    assert psnr(lumas(out)[0], luma(cover(scenery(800, 600), 320, 180))) > 45


def test_the_file_is_what_every_player_takes(photo: Path, out: Path) -> None:
    clip = filmed(photo, out, "Zoom in on the cat", seconds=1.25)
    assert clip == Clip(320, 180, 15, 12, 1.25, ("zoom in",), ("cat",))
    data = out.read_bytes()
    assert data[4:8] == b"ftyp"
    assert data.index(b"moov") < data.index(b"mdat")
    with av.open(str(out)) as container:
        stream = container.streams.video[0]
        context = stream.codec_context
        assert (context.name, stream.pix_fmt, stream.frames) == ("h264", "yuv420p", 15)
        assert stream.duration * stream.time_base == 1.25
        assert (context.color_range, context.colorspace) == (1, 6)
        assert "used: zoom in; ignored: cat" in container.metadata["comment"]
        assert container.metadata["comment"].startswith("mutoscope studio ")
    assert len(frames(out)) == 15


def test_high_definition_has_its_own_colours_and_they_are_right(tmp_path: Path, out: Path) -> None:
    bands = np.repeat(np.array([[(220, 30, 30), (30, 200, 40), (30, 40, 210), (250, 250, 250)]], np.uint8), 180, axis=1)
    photo = saved(tmp_path / "bands.png", np.repeat(bands, 720, axis=0)[:, ::1].repeat(2, axis=1)[:, :1280])
    filmed(photo, out, "static", width=1280, height=720, fps=4, seconds=0.5)
    with av.open(str(out)) as container:
        context = container.streams.video[0].codec_context
        assert (context.colorspace, context.color_primaries, context.color_trc) == (1, 1, 1)
    seen, meant = frames(out)[0].astype(int), np.asarray(Image.open(photo)).astype(int)
    inside = [180, 540, 900, 1200]
    assert np.abs(seen[360, inside] - meant[360, inside]).max() <= 6


@pytest.mark.parametrize(("width", "height"), [(64, 360), (360, 64), (250, 250)])
def test_no_shape_is_stretched(tmp_path: Path, out: Path, width: int, height: int) -> None:
    pixels = scenery(640, 400)
    filmed(saved(tmp_path / "p.png", pixels), out, "static", width=width, height=height, seconds=0.25)
    last = frames(out)[-1]
    assert last.shape == (height, width, 3)
    assert psnr(last, cover(pixels, width, height)) > 32


def test_one_frame_is_a_video(photo: Path, out: Path) -> None:
    assert filmed(photo, out, seconds=0.01).frames == 1
    assert len(frames(out)) == 1


def test_a_picture_of_one_colour_stays_so(tmp_path: Path, out: Path) -> None:
    filmed(saved(tmp_path / "p.png", np.full((300, 300, 3), (40, 90, 160), np.uint8)), out)
    assert np.abs(frames(out)[-1].astype(int) - (40, 90, 160)).max() <= 5


def test_a_pan_to_the_left_shows_what_lies_left(photo: Path, out: Path) -> None:
    filmed(photo, out, "pan left", seconds=2)
    seen = frames(out)
    right, down = shift(seen[10], seen[12])
    assert right > 0.5
    assert abs(down) < 0.5


def test_the_camera_moves_by_fractions_of_a_pixel(photo: Path, out: Path) -> None:
    filmed(photo, out, "very slow pan right", fps=24, seconds=3)
    seen = frames(out)
    speeds = [shift(seen[index], seen[index + 6])[0] / 6 for index in range(24, 44)]
    assert all(-1.5 < speed < 0 for speed in speeds)
    assert np.std(np.diff(speeds)) < 0.03


def test_seeds_make_different_videos(photo: Path, tmp_path: Path) -> None:
    made: list[bytes] = []
    for seed in (1, 2):
        filmed(photo, tmp_path / f"{seed}.mp4", seed=seed)
        made.append((tmp_path / f"{seed}.mp4").read_bytes())
    assert made[0] != made[1]


def test_progress_grows_to_the_end(photo: Path, out: Path) -> None:
    shares: list[float] = []
    filmed(photo, out, progress=shares.append)
    assert shares == sorted(shares)
    assert len(shares) == 12
    assert shares[-1] == 1


def test_a_fault_while_rendering_is_raised_and_hangs_nothing(photo: Path, out: Path) -> None:
    def stop(share: float) -> None:
        raise KeyError("no more")

    with pytest.raises(KeyError, match="no more"):
        filmed(photo, out, seconds=20, progress=stop)


def test_the_mark_is_seen_and_small(photo: Path, tmp_path: Path) -> None:
    filmed(photo, tmp_path / "plain.mp4", "static", seconds=0.25)
    filmed(photo, tmp_path / "marked.mp4", "static", seconds=0.25, watermark=True)
    plain, marked = (frames(tmp_path / f"{name}.mp4")[0].astype(int) for name in ("plain", "marked"))
    differs = np.abs(plain - marked).max(axis=2) > 25
    assert differs[-40:, -120:].sum() > 50
    assert not differs[:-40].any()


# -- first and last frame ----------------------------------------------------------


def test_related_pictures_are_joined_by_the_camera_s_way(tmp_path: Path, out: Path) -> None:
    place = scenery(1200, 900)
    first, last = place[100:640, 100:1060], np.ascontiguousarray(place[190:640, 260:1060])
    ends = saved(tmp_path / "a.png", first), saved(tmp_path / "b.png", last)
    clip = filmed(ends[0], out, "zoom out wildly", last=ends[1], seconds=25 / 12)
    seen = lumas(out)
    assert psnr(seen[0], luma(cover(first, 320, 180))) > 42
    assert psnr(seen[-1], luma(cover(last, 320, 180))) > 42
    half = (800 / 960) ** 0.5  # half way of a zoom about the point that both have in the same place
    shares = [(1 - half) / (1 - 800 / 960) * gone for gone in (160, 90)]
    left, top = 100 + shares[0], 100 + shares[1]
    box = (left, top, left + 960 * half, top + 540 * half)
    middle = Image.fromarray(place).resize((320, 180), Image.Resampling.BICUBIC, box=box)
    assert psnr(seen[12], luma(np.asarray(middle))) > 28
    assert clip.used == ()
    assert "zoom" in clip.ignored


def test_unrelated_pictures_fade_and_both_ends_are_exact(tmp_path: Path, out: Path) -> None:
    first, last = scenery(640, 360, 1), scenery(360, 640, 2)
    ends = saved(tmp_path / "a.png", first), saved(tmp_path / "b.png", last)
    clip = filmed(ends[0], out, "pan right, wind", last=ends[1], seconds=2)
    seen = lumas(out)
    assert psnr(seen[0], luma(cover(first, 320, 180))) > 42
    assert psnr(seen[-1], luma(cover(last, 320, 180))) > 42
    steps = [np.abs(one.astype(int) - other).mean() for one, other in pairwise(seen)]
    assert max(steps) < 15
    assert clip.used == ("pan right",)
    assert clip.ignored == ("wind",)


def test_a_last_frame_alone_is_where_the_camera_arrives(photo: Path, out: Path) -> None:
    filmed(None, out, "pan left", last=photo, seconds=2)
    assert psnr(lumas(out)[-1], luma(cover(scenery(800, 600), 320, 180))) > 42
    seen = frames(out)
    assert shift(seen[11], seen[13])[0] > 0.5


# -- sound ---------------------------------------------------------------------------


@pytest.mark.parametrize("seconds", [0.4, 3.0])
@pytest.mark.parametrize("kind", ["wav", "mp3"])
def test_sound_lasts_exactly_as_long_as_the_pictures(
    photo: Path, out: Path, tmp_path: Path, kind: str, seconds: float
) -> None:
    audio = tone(tmp_path / "a.wav", seconds) if kind == "wav" else mp3(tmp_path / "a.mp3", seconds)
    filmed(photo, out, audio=audio, seconds=1.5, fps=24)
    with av.open(str(out)) as container:
        stream = container.streams.audio[0]
        assert stream.codec_context.name == "aac"
        assert float(stream.duration * stream.time_base) == pytest.approx(1.5, abs=1e-3)
        assert container.streams.video[0].frames == 36
    samples = sound(out)
    assert np.abs(samples[0, 4800:14400]).max() > 0.2
    quiet = np.abs(samples[0, 48000:60000]).max() < 0.01
    assert quiet == (seconds < 1)


def test_a_file_without_sound_is_refused(photo: Path, out: Path, tmp_path: Path) -> None:
    silent = tmp_path / "silent.mp4"
    filmed(photo, silent, seconds=0.25)
    for audio in (silent, photo):
        with pytest.raises(StudioError) as caught:
            filmed(photo, out, audio=audio)
        assert caught.value.field == "audio"


# -- from words ------------------------------------------------------------------------


def test_words_become_a_video_of_the_painted_scene(out: Path) -> None:
    prompt = "Misty mountains at dawn, slow pan left, a griffonage"
    clip = text_to_video(out, prompt=prompt, width=256, height=144, fps=8, seconds=0.5, seed=1)
    assert len(frames(out)) == clip.frames == 4
    assert "pan left" in clip.used
    assert "mountains" in clip.used
    assert "griffonage" in clip.ignored
    assert not {"pan", "left", "slow"} & set(clip.ignored)


def test_words_become_a_picture_that_tells_what_it_used(tmp_path: Path) -> None:
    made = text_to_image("a cat in green hills", tmp_path / "a.png", width=131, height=97, seed=4)
    with Image.open(tmp_path / "a.png") as image:
        assert image.size == (made.width, made.height) == (131, 97)
        assert "ignored: nothing; shown: cat: cut-paper figure" in image.text["Comment"]
    text_to_image("a cat in green hills", tmp_path / "b.png", width=131, height=97, seed=4)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
