"""Odd pictures, clips and sounds become ordinary videos: all there, upright, in their colours, not stretched."""

import struct
import wave
import zlib
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from film_samples import Picture, cover, frames, luma, lumas, psnr, saved, scenery, sound, tone
from PIL import Image, ImageCms

from mutoscope.studio import extend_video, image_to_video, video_size

WIDTH, HEIGHT = 320, 180


def first_frame(photo: Path, out: Path, width: int = WIDTH, height: int = HEIGHT) -> Picture:
    """Luma of the first frame of a short video of the picture, which must be complete."""
    image_to_video(photo, out, prompt="orbit, wind", width=width, height=height, fps=8, seconds=0.5, seed=1)
    made = lumas(out)
    assert [each.shape for each in made] == [(height, width)] * 4
    return made[0]


# -- pictures --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("columns", "rows"),
    [(240, 240), (240, 135), (8000, 4500), (8000, 1000), (1000, 8000), (96, 768), (641, 359), (321, 183), (3, 3)],
)
def test_a_picture_of_any_size_and_shape_fills_the_frame(tmp_path: Path, columns: int, rows: int) -> None:
    pixels = np.asarray(Image.fromarray(scenery(160, 100)).resize((columns, rows), Image.Resampling.BICUBIC))
    suffix = "jpg" if columns * rows > 10**6 else "png"
    seen = first_frame(saved(tmp_path / f"p.{suffix}", pixels), tmp_path / "o.mp4")
    assert psnr(seen, luma(cover(pixels, WIDTH, HEIGHT))) > (40 if suffix == "png" else 34)


@pytest.mark.parametrize(("width", "height"), [(512, 64), (64, 512), (322, 178)])
def test_a_video_of_any_shape_is_filled(tmp_path: Path, width: int, height: int) -> None:
    pixels = scenery(640, 360)
    seen = first_frame(saved(tmp_path / "p.png", pixels), tmp_path / "o.mp4", width, height)
    assert psnr(seen, luma(cover(pixels, width, height))) > 38


def converted(kind: str, pixels: Picture, path: Path) -> tuple[Path, Picture]:
    """The picture saved in another way, and as it should look."""
    image = Image.fromarray(pixels)
    if kind == "alpha":
        veil = np.linspace(0, 255, pixels.shape[1]).astype(np.uint8)[None].repeat(pixels.shape[0], 0)
        image.putalpha(Image.fromarray(veil))
        share = veil[..., None] / 255
        pixels = np.asarray(pixels * share + 255 * (1 - share), np.uint8)
    elif kind == "palette":
        image = image.quantize(64)
        pixels = np.asarray(image.convert("RGB"))
    elif kind == "cmyk":
        path, image = path.with_suffix(".jpg"), image.convert("CMYK")
    elif kind == "avif":
        path = path.with_suffix(".avif")
    elif kind == "grey":
        image = image.convert("L")
        pixels = np.asarray(image.convert("RGB"))
    elif kind == "deep":
        grey = np.asarray(image.convert("L"))
        image = Image.fromarray(grey.astype(np.uint16) * 257)
        pixels = np.repeat(grey[..., None], 3, axis=2)
    exif = Image.Exif()
    if kind == "turned":
        exif[0x0112] = 8  # shown after a turn counter-clockwise
        image = image.rotate(-90, expand=True)
    image.save(path, exif=exif) if kind == "turned" else image.save(path)
    return path, pixels


@pytest.mark.parametrize("kind", ["alpha", "palette", "cmyk", "avif", "grey", "deep", "turned"])
def test_a_picture_of_any_kind_looks_as_it_should(tmp_path: Path, kind: str) -> None:
    path, pixels = converted(kind, scenery(480, 360), tmp_path / "p.png")
    seen = first_frame(path, tmp_path / "o.mp4")
    assert psnr(seen, luma(cover(pixels, WIDTH, HEIGHT))) > (34 if kind in ("cmyk", "avif") else 40)


def test_a_deep_colour_picture_keeps_its_colours(tmp_path: Path) -> None:
    """Sixteen bits for each of three channels, which Pillow can read but not write."""
    colour = struct.pack(">3H", 200 * 257, 90 * 257, 30 * 257)
    raw = b"".join(b"\0" + colour * 64 for _ in range(64))
    parts = [(b"IHDR", struct.pack(">IIBBBBB", 64, 64, 16, 2, 0, 0, 0)), (b"IDAT", zlib.compress(raw)), (b"IEND", b"")]
    chunks = [struct.pack(">I", len(body)) + name + body for name, body in parts]
    sums = [struct.pack(">I", zlib.crc32(name + body)) for name, body in parts]
    path = tmp_path / "p.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(a + b for a, b in zip(chunks, sums, strict=True)))
    first_frame(path, tmp_path / "o.mp4")
    assert np.abs(frames(tmp_path / "o.mp4")[0].astype(int) - (200, 90, 30)).max() <= 5


@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (12, 200, 90)])
def test_one_colour_stays_one_colour(tmp_path: Path, colour: tuple[int, int, int]) -> None:
    path = saved(tmp_path / "p.png", np.full((300, 400, 3), colour, np.uint8))
    first_frame(path, tmp_path / "o.mp4")
    assert np.abs(frames(tmp_path / "o.mp4")[-1].astype(int) - colour).max() <= 5


def test_colours_of_another_profile_are_converted(tmp_path: Path) -> None:
    """A profile under which the numbers mean other colours: here linear light, so that 55 is a middle grey."""
    profile = linear_profile()
    Image.new("RGB", (320, 180), (55, 55, 55)).save(tmp_path / "p.png", icc_profile=profile)
    first_frame(tmp_path / "p.png", tmp_path / "o.mp4")
    assert np.abs(frames(tmp_path / "o.mp4")[0].astype(int) - 128).max() <= 5


def test_a_broken_profile_is_no_reason_to_refuse(tmp_path: Path) -> None:
    Image.new("RGB", (320, 180), (55, 90, 55)).save(tmp_path / "p.png", icc_profile=b"not a profile at all" * 9)
    first_frame(tmp_path / "p.png", tmp_path / "o.mp4")
    assert np.abs(frames(tmp_path / "o.mp4")[0].astype(int) - (55, 90, 55)).max() <= 5


def linear_profile() -> bytes:
    """sRGB's primaries with a linear tone curve."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    (count,) = struct.unpack_from(">I", data, 128)
    for index in range(count):
        name, start, _ = struct.unpack_from(">4sII", data, 132 + 12 * index)
        if name in (b"rTRC", b"gTRC", b"bTRC"):
            data[start : start + 12] = b"curv" + bytes(8)  # no entries: the identity
            struct.pack_into(">I", data, 132 + 12 * index + 8, 12)
    data[84:100] = bytes(16)  # the profile's own checksum: not computed
    return bytes(data).replace("sRGB".encode("utf-16-be"), "flat".encode("utf-16-be"))


# -- clips -----------------------------------------------------------------------------


def filmed(path: Path, pictures: list[Picture], times: list[int] | None = None, *, audio: Path | None = None) -> Path:
    """A clip whose frames begin at these hundredths of a second; without them, 24 a second."""
    rows, columns = pictures[0].shape[:2]
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=24, options={"crf": "10"})
        video.width, video.height, video.pix_fmt = columns, rows, "yuv420p"
        if times is not None:
            video.codec_context.time_base = Fraction(1, 100)
        heard = container.add_stream("aac", rate=8000, layout="mono") if audio is not None else None
        for index, pixels in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
            if times is not None:
                frame.pts, frame.time_base = times[index], Fraction(1, 100)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        if heard is not None:
            with av.open(str(audio)) as source:
                for part in source.decode(audio=0):
                    part.pts = None
                    container.mux(heard.encode(part))
            container.mux(heard.encode(None))
    return path


def continued(video: Path, out: Path, seconds: float = 1.0, width: int = WIDTH, height: int = HEIGHT) -> list[Picture]:
    extend_video(video, out, prompt="", width=width, height=height, fps=24, seconds=seconds, seed=1)
    made = lumas(out)
    assert [each.shape for each in made] == [(height, width)] * round(seconds * 24)
    return made


def test_a_clip_of_two_frames_is_continued_and_stays_without_sound(tmp_path: Path) -> None:
    pictures = [scenery(WIDTH, HEIGHT, seed) for seed in (1, 2)]
    made = continued(filmed(tmp_path / "i.mp4", pictures), tmp_path / "o.mp4")
    assert psnr(made[0], luma(pictures[0])) > 33
    assert psnr(made[1], luma(pictures[1])) > 33
    with av.open(str(tmp_path / "o.mp4")) as container:
        assert not container.streams.audio


def test_frames_of_a_clip_without_a_steady_rate_keep_their_times(tmp_path: Path) -> None:
    pictures = [scenery(WIDTH, HEIGHT, seed) for seed in range(4)]
    made = continued(filmed(tmp_path / "i.mp4", pictures, [0, 25, 30, 50]), tmp_path / "o.mp4", seconds=1.5)
    nearest = [int(np.argmax([psnr(frame, luma(each)) for each in pictures])) for frame in made[:13]]
    assert nearest == [0] * 6 + [1] * 2 + [2] * 4 + [3]


TURNS = {
    90: (0, 1 << 16, 0, -(1 << 16), 0, 0),
    180: (-(1 << 16), 0, 0, 0, -(1 << 16), 0),
    270: (0, -(1 << 16), 0, 1 << 16, 0, 0),
}


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_clip_filmed_with_a_turned_telephone_is_upright(tmp_path: Path, degrees: int) -> None:
    upright = scenery(HEIGHT, WIDTH) if degrees % 180 else scenery(WIDTH, HEIGHT)
    rows, columns = upright.shape[:2]
    lying = np.rot90(upright, degrees // 90)  # the header says by how much to turn it clockwise
    path = filmed(tmp_path / "i.mp4", [lying] * 6)
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 44
    data[at : at + 24] = struct.pack(">6i", *TURNS[degrees])
    path.write_bytes(data)
    assert video_size(path) == (columns, rows)
    made = continued(path, tmp_path / "o.mp4", width=columns, height=rows)
    assert psnr(made[0], luma(upright)) > 33


@pytest.mark.parametrize(("columns", "rows"), [(322, 182), (162, 442), (1100, 138)])
def test_a_clip_of_any_shape_is_cropped_to_cover(tmp_path: Path, columns: int, rows: int) -> None:
    pixels = np.asarray(Image.fromarray(scenery(160, 100)).resize((columns, rows), Image.Resampling.BICUBIC))
    made = continued(filmed(tmp_path / "i.mp4", [pixels] * 3), tmp_path / "o.mp4", seconds=0.5)
    assert psnr(made[0], luma(cover(pixels, WIDTH, HEIGHT))) > 30


def test_a_clip_s_mono_telephone_sound_is_kept(tmp_path: Path) -> None:
    clip = filmed(tmp_path / "i.mp4", [scenery(WIDTH, HEIGHT)] * 24, audio=tone(tmp_path / "t.wav", 1.0))
    continued(clip, tmp_path / "o.mp4", seconds=2.0)
    samples = sound(tmp_path / "o.mp4")
    assert samples.shape[0] == 2
    assert np.abs(samples[:, 10000:40000]).max(axis=1).min() > 0.2
    assert np.abs(samples[:, 60000:90000]).max() < 0.01


@pytest.mark.parametrize("front", [b"\0\0\0\x08free", b"\0\0\0\x0cskip----", b"\0\0\0\x14stypmsdh\0\0\0\0msdh"])
def test_a_clip_that_begins_with_another_box_is_read(tmp_path: Path, front: bytes) -> None:
    filmed(tmp_path / "i.mp4", [scenery(64, 64)] * 4)
    options = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}  # offsets count from each fragment
    with av.open(str(tmp_path / "i.mp4")) as source, av.open(str(tmp_path / "f.mp4"), "w", options=options) as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    (tmp_path / "f.mp4").write_bytes(front + (tmp_path / "f.mp4").read_bytes())
    assert video_size(tmp_path / "f.mp4") == (64, 64)


# -- sounds ----------------------------------------------------------------------------


def heard(audio: Path, tmp_path: Path) -> Picture:
    photo = saved(tmp_path / "p.png", scenery(WIDTH, HEIGHT))
    out = tmp_path / "o.mp4"
    image_to_video(photo, out, prompt="", width=WIDTH, height=HEIGHT, fps=12, seconds=1, seed=1, audio=audio)
    with av.open(str(out)) as container:
        stream = container.streams.audio[0]
        assert float((stream.duration or 0) * (stream.time_base or 0)) == pytest.approx(1, abs=1e-3)
    assert len(lumas(out)) == 12
    return sound(out)


@pytest.mark.parametrize("width", [1, 2, 3, 4])
@pytest.mark.parametrize("rate", [8000, 44100, 96000])
def test_sound_of_any_rate_and_depth_is_heard(tmp_path: Path, rate: int, width: int) -> None:
    wave_in = np.sin(2 * np.pi * 440 * np.arange(rate) / rate) * 0.4
    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(width)
        file.setframerate(rate)
        whole = (wave_in * (2 ** (8 * width - 1) - 1)).astype("<i8") + (128 if width == 1 else 0)
        file.writeframes(whole.view(np.uint8).reshape(-1, 8)[:, :width].tobytes())
    samples = heard(tmp_path / "a.wav", tmp_path)
    loud = np.sqrt((samples[:, 8000:30000] ** 2).mean(axis=1))
    assert loud == pytest.approx([0.28, 0.28], abs=0.03)


def test_six_channels_are_mixed_to_two(tmp_path: Path) -> None:
    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setnchannels(6)
        file.setsampwidth(2)
        file.setframerate(48000)
        one = (np.sin(np.arange(48000) / 10) * 9000).astype("<i2")
        file.writeframes(np.repeat(one[:, None], 6, axis=1).tobytes())
    assert np.abs(heard(tmp_path / "a.wav", tmp_path)[:, 8000:30000]).max(axis=1).min() > 0.1


@pytest.mark.parametrize("length", [0, 0x7FFFFFFF, 0xFFFFFFFF])
def test_sound_whose_writer_did_not_know_its_length_is_heard(tmp_path: Path, length: int) -> None:
    content = bytearray(tone(tmp_path / "t.wav", 1.0).read_bytes())
    at = content.index(b"data") + 4
    content[at : at + 4] = struct.pack("<I", length)
    (tmp_path / "a.wav").write_bytes(content)
    assert np.abs(heard(tmp_path / "a.wav", tmp_path)[:, 8000:30000]).max(axis=1).min() > 0.2
