"""Bright and wide pictures and clips come out as an ordinary screen shows them; deep ones keep what they are."""

import struct
import zlib
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from film_samples import lumas, psnr, scenery
from PIL import Image

from mutoscope.studio import extend_video, hdr, picture

GREYS = {
    # BT.2408: HLG at 75 % and PQ at 58 % are an ordinary screen's white; it leaves room for what is brighter
    hdr.HLG: {0.0: 0, 0.375: 108, 0.75: 230, 1.0: 255},
    hdr.PQ: {0.0: 0, 0.35: 94, 0.58: 230, 0.75: 255, 1.0: 255},
}


@pytest.mark.parametrize("transfer", GREYS)
@pytest.mark.parametrize("deep", [False, True])
def test_greys_come_out_as_bright_as_they_were_meant(transfer: int, deep: bool) -> None:
    most = 65535 if deep else 255
    for value, shown in GREYS[transfer].items():
        grey = np.full((2, 2, 3), round(value * most), np.uint16 if deep else np.uint8)
        made = hdr.to_sdr(grey, transfer)
        assert made.dtype == np.uint8
        assert np.abs(made.astype(int) - shown).max() <= 3, value


@pytest.mark.parametrize("transfer", GREYS)
def test_what_is_brighter_never_comes_out_darker(transfer: int) -> None:
    ramp = np.repeat(np.arange(0, 65536, 16, dtype=np.uint16)[None, :, None], 3, axis=2)
    assert (np.diff(hdr.to_sdr(ramp, transfer)[0, :, 0].astype(int)) >= 0).all()


def test_a_grey_stays_grey_and_a_colour_of_bt_709_keeps_its_hue() -> None:
    linear = np.linalg.inv(hdr.TO_BT709.astype(float)) @ np.array([0.2, 0.05, 0.05])  # in whites, a dull red
    value = np.rint(hdr._to_pq(linear * hdr.WHITE) * 65535).astype(np.uint16)  # pyright: ignore[reportPrivateUsage]
    red, green, blue = hdr.to_sdr(value.reshape(1, 1, 3), hdr.PQ)[0, 0].astype(int)
    assert abs(red - 0.2 ** (1 / 2.4) * 255) <= 3
    assert abs(green - 0.05 ** (1 / 2.4) * 255) <= 3 and abs(green - blue) <= 2


def filmed(path: Path, pixels: Any, *, form: str, transfer: int = 1, matrix: int = 1) -> Path:
    height, width = pixels.shape[:2]
    container: Any
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=24, options={"crf": "4"})
        video.width, video.height, video.pix_fmt = width, height, form
        video.codec_context.color_trc = transfer
        video.codec_context.color_primaries = video.codec_context.colorspace = matrix
        for _ in range(4):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb48le")
            frame = frame.reformat(format=form, dst_colorspace=matrix, src_color_range=2, dst_color_range=1)
            frame.color_trc, frame.color_primaries, frame.colorspace = transfer, matrix, matrix
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
    return path


def first_luma(clip: Path, out: Path) -> Any:
    extend_video(clip, out, prompt="", width=1280, height=720, fps=24, seconds=0.25, seed=1)
    return lumas(out)[0]


@pytest.mark.parametrize(("transfer", "value"), [(hdr.HLG, 0.75), (hdr.HLG, 0.375), (hdr.PQ, 0.58), (hdr.PQ, 0.35)])
def test_a_bright_clip_is_bent_into_an_ordinary_one(transfer: int, value: float, tmp_path: Path) -> None:
    pixels = np.full((720, 1280, 3), round(value * 65535), np.uint16)
    clip = filmed(tmp_path / "i.mp4", pixels, form="yuv420p10le", transfer=transfer, matrix=hdr.BT2020)
    shown = 16 + GREYS[transfer][value] * 219 / 255
    assert abs(float(first_luma(clip, tmp_path / "o.mp4").mean()) - shown) <= 4


@pytest.mark.parametrize("form", ["yuv420p10le", "yuv422p", "yuv422p10le", "yuv444p10le"])
def test_a_deep_or_finer_clip_is_rendered_as_it_looks(form: str, tmp_path: Path) -> None:
    pixels = scenery(1280, 720)
    clip = filmed(tmp_path / "i.mp4", pixels.astype(np.uint16) * 257, form=form)
    ordinary = filmed(tmp_path / "j.mp4", pixels.astype(np.uint16) * 257, form="yuv420p")
    assert psnr(first_luma(clip, tmp_path / "o.mp4"), first_luma(ordinary, tmp_path / "p.mp4")) > 36


def with_cicp(path: Path, grey: int, transfer: int) -> Path:
    Image.new("RGB", (64, 64), (grey, grey, grey)).save(path)
    content = path.read_bytes()
    body = b"cICP" + bytes((hdr.BT2020, transfer, 0, 1))
    path.write_bytes(content[:33] + struct.pack(">I", 4) + body + struct.pack(">I", zlib.crc32(body)) + content[33:])
    return path


def with_nclx(path: Path, grey: int, transfer: int) -> Path:
    Image.new("RGB", (64, 64), (grey, grey, grey)).save(path, max_threads=1)
    content = bytearray(path.read_bytes())
    at = content.index(b"colrnclx") + 8
    content[at : at + 4] = struct.pack(">HH", hdr.BT2020, transfer)
    path.write_bytes(bytes(content))
    return path


@pytest.mark.parametrize(("make", "name"), [(with_cicp, "p.png"), (with_nclx, "p.avif")])
def test_a_picture_that_says_so_is_bent_too(make: Any, name: str, tmp_path: Path) -> None:
    found = np.asarray(picture.load(make(tmp_path / name, round(0.58 * 255), hdr.PQ)))
    assert np.abs(found.astype(int) - 230).max() <= 4
    found = np.asarray(picture.load(make(tmp_path / name, 120, 13)))  # sRGB, as usual
    assert np.abs(found.astype(int) - 120).max() <= 2
