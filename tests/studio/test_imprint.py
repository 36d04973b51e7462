"""The imperceptible mark: written, read back, absent where nobody wrote it."""

import io
from itertools import combinations
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

import trained
from mutoscope import studio
from mutoscope.studio import imprint, picture

ENCODER, DECODER = (trained.FOLDER / "rivagan" / name for name in ("encoder.onnx", "decoder.onnx"))


@pytest.fixture(scope="module")
def reader() -> imprint.Reader:
    trained.shelf("rivagan")
    return imprint.Reader(DECODER)


@pytest.fixture(scope="module")
def lighthouse(tmp_path_factory: pytest.TempPathFactory) -> Image.Image:
    path = tmp_path_factory.mktemp("pictures") / "lighthouse.png"
    studio.text_to_image("a lighthouse by the sea at dusk", path, width=384, height=216, seed=1)
    return Image.open(path).convert("RGB")


def test_any_two_kinds_differ_in_four_bits_at_least_and_every_kind_has_a_code():
    assert len(imprint.KINDS) == len(imprint.CODES)
    assert all((one ^ other).bit_count() >= 4 for one, other in combinations(imprint.CODES, 2))
    assert len(imprint.WORD) == 24 and 0.0005 < imprint.chance() < 0.001


def test_three_frames_of_a_clip_bear_the_mark_and_fewer_of_a_short_one():
    assert imprint.frames_of(120) == (0, 40, 80)
    assert [len(imprint.frames_of(frames)) for frames in (0, 1, 2, 3)] == [0, 1, 2, 3]
    assert all(number < frames for frames in range(1, 50) for number in imprint.frames_of(frames))


def test_a_mark_is_read_back_with_its_kind_and_nothing_is_read_where_none_is(
    reader: imprint.Reader, lighthouse: Image.Image
):
    plain = np.asarray(lighthouse)
    assert not reader.read(plain).recognised
    writer = imprint.Writer(ENCODER, DECODER, "enlargement")
    marked = writer.on_picture(lighthouse)
    assert writer.survived
    error = np.mean((np.asarray(marked, np.float32) - plain) ** 2)
    assert 38 < 10 * np.log10(255**2 / error) < 45  # decibels
    file = io.BytesIO()
    marked.save(file, "JPEG", quality=75)
    found = reader.look(np.asarray(Image.open(file).convert("RGB")))
    assert found.recognised and found.kind == "enlargement"


def test_what_is_transparent_stays_so_and_a_tiny_picture_is_left_alone(lighthouse: Image.Image):
    writer = imprint.Writer(ENCODER, DECODER, "cut-out")
    cut = lighthouse.convert("RGBA")
    alpha = Image.linear_gradient("L").resize(cut.size)
    cut.putalpha(alpha)
    marked = writer.on_picture(cut)
    assert marked.mode == "RGBA" and marked.getchannel("A").tobytes() == alpha.tobytes()
    assert marked.tobytes() != cut.tobytes()
    tiny = lighthouse.resize((60, 40))
    assert writer.on_picture(tiny) is tiny and not writer.survived


def test_a_large_picture_is_marked_in_strips_as_if_at_once(monkeypatch: pytest.MonkeyPatch):
    hidden = np.random.default_rng(1).normal(0, 3, (36, 64, 3)).astype(np.float32)
    whole, parts = (np.full((700, 900, 3), 128, np.uint8) for _ in range(2))
    imprint.lay(whole, hidden, (700, 900), 0)
    for top, strip in imprint.strips(parts):
        imprint.lay(strip, hidden, (700, 900), top)
    assert np.abs(whole.astype(int) - parts).max() <= 1


def test_what_the_renderer_writes_is_marked_where_a_process_marks_and_not_otherwise(
    reader: imprint.Reader, lighthouse: Image.Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    source = tmp_path / "source.png"
    lighthouse.save(source)
    picture.save(lighthouse, tmp_path / "plain.webp", "told")
    monkeypatch.setattr(imprint, "current", imprint.Writer(ENCODER, DECODER, "clip of pictures"))
    picture.save(lighthouse, tmp_path / "marked.webp", "told")
    made = {name: np.asarray(Image.open(tmp_path / name).convert("RGB")) for name in ("plain.webp", "marked.webp")}
    assert not reader.look(made["plain.webp"]).recognised and reader.look(made["marked.webp"]).recognised
    clip = tmp_path / "clip.mp4"
    size = {"width": 384, "height": 216, "fps": 12, "seconds": 0.75, "seed": 1}
    studio.image_to_video(source, clip, prompt="zoom in", **size)  # pyright: ignore[reportArgumentType]
    with av.open(str(clip)) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    chosen = imprint.frames_of(len(frames))
    assert [reader.look(frames[number]).recognised for number in chosen] == [False, True, True]  # the first is given
