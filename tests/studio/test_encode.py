"""The writers of videos: right colours and tags, exact frames and sound, the same through either door."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from film_samples import Picture, saved, scenery, tone

from mutoscope.studio import StudioError, image_to_video
from mutoscope.studio import colour as colours
from mutoscope.studio import encoder as encoders
from mutoscope.studio.colour import Colour, to_planes
from mutoscope.studio.encode import open_writer
from mutoscope.studio.encoder import CODECS, Encoder, choose, find
from mutoscope.studio.planes import blank_frames, copy, planes_of

FFMPEG = shutil.which("ffmpeg")
needs_ffmpeg = pytest.mark.skipif(FFMPEG is None, reason="the ffmpeg command is not on the path: apt install ffmpeg")
DOORS = [pytest.param("av"), pytest.param("ffmpeg", marks=needs_ffmpeg)]
SIZES = {"SD": (320, 180), "HD": (1280, 720)}
KR_KB = {1: (0.2126, 0.0722), 6: (0.299, 0.114)}
"""ITU-T H.273: the code of a matrix and red's and blue's shares of luma in it."""
TOLERANCE = 3.0  # of 255, in the mean of a patch
PATCHES = np.array(
    [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0), (255, 255, 0), (30, 90, 200), (200, 120, 80)],
    np.uint8,
)


def patches(width: int, height: int) -> Picture:
    """Eight upright bars."""
    return np.repeat(np.repeat(PATCHES[None], width // 8, 1), height, 0)


def middles(pixels: Picture) -> np.ndarray[Any, Any]:
    """The mean colour of each bar, away from its edges."""
    rows, columns = pixels.shape[:2]
    wide = columns // 8
    bars = [pixels[rows // 4 : -rows // 4, wide * n + wide // 4 : wide * (n + 1) - wide // 4] for n in range(8)]
    return np.array([bar.reshape(-1, 3).mean(0) for bar in bars])


def written(out: Path, encoder: Encoder, width: int, height: int, colour: Colour | None = None, **more: Any) -> Path:
    """Four frames of bars."""
    colour = colour or colours.for_size(width, height)
    planes = to_planes(patches(width, height), colour)
    arguments = {"width": width, "height": height, "fps": 8, "colour": colour} | more
    with open_writer(out, encoder=encoder, **arguments) as writer:
        for _ in range(4):
            frame = next(blank_frames(width, height))
            copy(planes, planes_of(frame))
            writer.put(frame)
    assert writer.frames == 4
    return out


def as_tagged(path: Path) -> Picture:
    """The first frame in RGB, by the tags of the stream and the formulas of H.273: no library's own way."""
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
        context = container.streams.video[0].codec_context
        matrix, limited = context.colorspace, context.color_range == 1
        assert (context.color_primaries, context.color_trc) == (matrix, matrix)
    assert limited
    return rgb(frame, int(matrix))


def rgb(frame: av.VideoFrame, matrix: int) -> Picture:
    red, blue = KR_KB[matrix]
    y, cb, cr = (plane.astype(np.float64) for plane in yuv(frame))
    y, cb, cr = (y - 16) / 219, (cb - 128) / 224, (cr - 128) / 224
    r, b = y + 2 * (1 - red) * cr, y + 2 * (1 - blue) * cb
    g = (y - red * r - blue * b) / (1 - red - blue)
    return (np.dstack([r, g, b]).clip(0, 1) * 255).round().astype(np.uint8)


def yuv(frame: av.VideoFrame) -> list[Picture]:
    flat = frame.to_ndarray()
    rows, columns = frame.height, frame.width
    chroma = flat[rows:].reshape(2, rows // 2, columns // 2)
    return [flat[:rows], *(each.repeat(2, 0).repeat(2, 1) for each in chroma)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("door", DOORS)
def test_whoever_follows_the_tags_sees_the_colours_that_went_in(door: str, size: str, tmp_path: Path) -> None:
    path = written(tmp_path / "out.mp4", find(door), *SIZES[size])
    assert np.abs(middles(as_tagged(path)) - PATCHES).max() < TOLERANCE


@needs_ffmpeg
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("door", DOORS)
def test_a_player_shows_the_colours_that_went_in(door: str, size: str, tmp_path: Path) -> None:
    width, height = SIZES[size]
    path = written(tmp_path / "out.mp4", find(door), width, height)
    raw = subprocess.run(
        [FFMPEG or "", "-v", "error", "-i", path, "-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "rgb24", "pipe:1"],
        capture_output=True,
        check=True,
    ).stdout
    seen = np.frombuffer(raw, np.uint8).reshape(height, width, 3)
    assert np.abs(middles(seen) - PATCHES).max() < TOLERANCE


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(("size", "code"), [("SD", 6), ("HD", 1)])
def test_high_definition_is_bt709_and_the_rest_is_what_players_take_it_for(
    size: str, code: int, door: str, tmp_path: Path
) -> None:
    with av.open(str(written(tmp_path / "out.mp4", find(door), *SIZES[size]))) as container:
        context = container.streams.video[0].codec_context
        assert (context.colorspace, context.color_primaries, context.color_trc) == (code, code, code)
        assert (context.color_range, context.pix_fmt) == (1, "yuv420p")


def test_the_test_would_see_a_wrong_matrix(tmp_path: Path) -> None:
    """Planes of one matrix under the tags of the other."""
    width, height = SIZES["HD"]
    lying = Colour(red=0.299, blue=0.114, matrix=1, primaries=1, transfer=1)
    path = written(tmp_path / "out.mp4", find("av"), width, height, lying)
    assert np.abs(middles(as_tagged(path)) - PATCHES).max() > 3 * TOLERANCE


@pytest.mark.parametrize("door", DOORS)
def test_a_film_is_the_same_through_either_door(door: str, tmp_path: Path) -> None:
    image = saved(tmp_path / "in.png", scenery(640, 360))
    out = tmp_path / "out.mp4"
    told: list[float] = []
    clip = image_to_video(
        image, out, prompt="pan left past the cat", width=320, height=180, fps=12, seconds=1.5, seed=1,
        audio=tone(tmp_path / "in.wav", 0.5), encoder=door, progress=told.append,
    )  # fmt: skip
    assert clip.frames == 18
    assert told[-1] == 1.0
    with av.open(str(out)) as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        assert (video.width, video.height, video.codec_context.name, video.average_rate) == (320, 180, "h264", 12)
        assert "used: pan left; ignored: past, cat" in container.metadata["comment"]
        assert float((audio.duration or 0) * (audio.time_base or 0)) == pytest.approx(1.5, abs=0.03)
        assert len(list(container.decode(video=0))) == 18
    content = out.read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["in.png", "in.wav", "out.mp4"]


@needs_ffmpeg
def test_given_pictures_lose_as_little_through_the_pipe(tmp_path: Path) -> None:
    """PSNR of the first frame's luma, which is marked as exact, against that of the same frame unmarked."""
    errors: list[float] = []
    pixels = scenery(320, 180)
    wanted = to_planes(pixels, colours.BT601)
    for exact in ((0,), ()):
        out = tmp_path / "out.mp4"
        with open_writer(
            out, encoder=find("ffmpeg"), width=320, height=180, fps=8, colour=colours.BT601, exact=exact
        ) as writer:
            for _ in range(3):
                frame = next(blank_frames(320, 180))
                copy(wanted, planes_of(frame))
                writer.put(frame)
        with av.open(str(out)) as container:
            luma = next(container.decode(video=0)).to_ndarray()[:180]
        errors.append(float(((luma.astype(float) - wanted.y) ** 2).mean()))
    assert errors[0] < 0.6 * errors[1]


@needs_ffmpeg
def test_an_ffmpeg_that_gives_up_is_quoted(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"ffmpeg ended with status .*[Nn]o such file or directory"):
        written(tmp_path / "nowhere" / "out.mp4", find("ffmpeg"), 320, 180)


@needs_ffmpeg
def test_a_render_that_breaks_leaves_no_ffmpeg_behind(tmp_path: Path) -> None:
    writer = open_writer(
        tmp_path / "out.mp4", encoder=find("ffmpeg"), width=320, height=180, fps=8, colour=colours.BT601
    )
    with pytest.raises(ZeroDivisionError), writer:
        writer.put(next(blank_frames(320, 180)))
        raise ZeroDivisionError
    process: subprocess.Popen[bytes] = writer._process  # pyright: ignore[reportAttributeAccessIssue]
    assert process.returncode is not None


# -- which encoder --------------------------------------------------------------------------

ALL, NONE = frozenset(CODECS), frozenset[str]()


@pytest.mark.parametrize(
    ("in_av", "in_ffmpeg", "chosen"),
    [
        (ALL, ALL, Encoder("av", "libx264")),
        (ALL - {"libx264"}, ALL, Encoder("/bin/ffmpeg", "libx264")),
        (ALL - {"libx264"}, NONE, Encoder("av", "libopenh264")),
        (frozenset({"mpeg4"}), frozenset({"libsvtav1", "mpeg4"}), Encoder("/bin/ffmpeg", "libsvtav1")),
        (frozenset({"mpeg4"}), frozenset({"mpeg4"}), Encoder("av", "mpeg4")),
        (NONE, NONE, None),
    ],
)
def test_x264_wherever_it_is_and_then_the_best_that_there_is(
    in_av: frozenset[str], in_ffmpeg: frozenset[str], chosen: Encoder | None
) -> None:
    assert choose([("av", in_av), ("/bin/ffmpeg", in_ffmpeg)]) == chosen


def test_a_command_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    find.cache_clear()
    with pytest.raises(StudioError, match="the ffmpeg command with one of libx264"):
        find("ffmpeg")
    assert find("auto") == Encoder("av", "libx264")
    find.cache_clear()


def test_an_ffmpeg_without_x264_is_asked_what_it_has(tmp_path: Path) -> None:
    command = tmp_path / "ffmpeg"
    command.write_text("#!/bin/sh\necho ' V....D libopenh264  OpenH264'\necho ' V.S... mpeg4  MPEG-4 part 2'\n")
    command.chmod(0o755)
    assert encoders.in_ffmpeg(str(command)) == {"libopenh264", "mpeg4"}
    assert encoders.in_ffmpeg(str(tmp_path / "nothing")) == frozenset()


AVAILABLE = [*(Encoder("av", codec) for codec in sorted(encoders.in_av() - {"libx264"}))]
if FFMPEG:
    AVAILABLE += [Encoder(FFMPEG, codec) for codec in sorted(encoders.in_ffmpeg(FFMPEG) - {"libx264"})]


@pytest.mark.parametrize("encoder", AVAILABLE, ids=str)
def test_each_fallback_that_is_here_writes_right_colours_too(encoder: Encoder, tmp_path: Path) -> None:
    path = written(tmp_path / "out.mp4", encoder, *SIZES["SD"])
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
        assert container.streams.video[0].codec_context.name != "h264"
    assert len(frames) == 4
    assert np.abs(middles(rgb(frames[0], 6)) - PATCHES).max() < 3 * TOLERANCE


def test_a_frame_s_memory_is_used_again_only_when_nobody_holds_it() -> None:
    blanks = blank_frames(320, 180)
    first, second = next(blanks), next(blanks)
    places = [planes_of(frame).y.ctypes.data for frame in (first, second)]
    assert places[0] != places[1]
    del first
    third = next(blanks)
    assert planes_of(third).y.ctypes.data == places[0]
    assert planes_of(second).y.ctypes.data == places[1]


@pytest.mark.parametrize("height", [180, 182])
def test_blank_frames_have_the_size_that_was_asked_for(height: int) -> None:
    planes = planes_of(next(blank_frames(322, height)))
    assert planes.y.shape == (height, 322)
    assert planes.uv.shape == (height // 2, 161, 2)
