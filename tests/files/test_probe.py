"""Looking into strangers' files: what each kind is found to be, and what a hostile one gets."""

import asyncio
import ctypes
import json
import os
import platform
import socket
import struct
import sys
import time
import wave
import zlib
from collections.abc import AsyncGenerator, Callable
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import av
import numpy as np
import pytest
from msgspec.structs import replace
from PIL import Image

from mutoscope.files import probe as media
from mutoscope.files.probe import MediaInfo, Prober, check, sniff
from mutoscope.model.config import Inputs
from mutoscope.model.job import MediaLimits, Role
from mutoscope.model.problem import Kind, Problem

PROBE = Path(media.__file__).with_name("_probe_child.py")


@pytest.fixture
async def prober() -> AsyncGenerator[Prober]:
    prober = Prober(Inputs())
    yield prober
    await prober.close()


def picture(format: str, width: int = 320, height: int = 200, **options: Any) -> bytes:
    out = BytesIO()
    Image.effect_noise((width, height), 40).convert("RGB").save(out, format, **options)
    return out.getvalue()


def lying_on_its_side() -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = 6
    return exif


def film(format: str, codec: str, *, frames: int = 30, sound: str | None = None, **options: str) -> bytes:
    """A clip of 320x180 at 30 frames a second."""
    with TemporaryDirectory() as place:
        path = Path(place, "film")  # a file, because faststart reads it again
        write_film(path, format, codec, frames, sound, options)
        return path.read_bytes()


def write_film(path: Path, format: str, codec: str, frames: int, sound: str | None, options: dict[str, str]) -> None:
    with opened(str(path), format, options) as container:
        video = container.add_stream(codec, rate=30)
        video.width, video.height, video.pix_fmt = 320, 180, "yuv420p"
        audio = container.add_stream(sound, rate=48000) if sound else None
        for number in range(frames):
            pixels = np.full((180, 320, 3), number * 8 % 256, np.uint8)
            container.mux(video.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(video.encode(None))
        if audio is not None:
            for packet in encoded_noise(audio, frames / 30):
                container.mux(packet)


def opened(out: str | BytesIO, format: str, options: dict[str, str]) -> Any:
    """Any, for the stubs know too little of codecs that are chosen by a string."""
    return av.open(out, "w", format=format, options=options)


def song(format: str, codec: str, seconds: float = 1.0) -> bytes:
    out = BytesIO()
    with opened(out, format, {}) as container:
        for packet in encoded_noise(container.add_stream(codec, rate=48000), seconds):
            container.mux(packet)
    return out.getvalue()


def encoded_noise(audio: Any, seconds: float) -> Any:
    chance = np.random.default_rng(1)
    for number in range(int(seconds * 48000 / 1024)):
        samples = chance.integers(-999, 999, (1, 2048), dtype=np.int16)
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="stereo")
        frame.sample_rate, frame.pts = 48000, number * 1024
        yield from audio.encode(frame)
    yield from audio.encode(None)


def recording(seconds: float) -> bytes:
    out = BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(b"\0\1" * int(8000 * seconds))
    return out.getvalue()


def streamed(seconds: float, length: int, total: int = 0xFFFFFFFF) -> bytes:
    """As a writer that cannot go back leaves it: the header's lengths are made up."""
    content = bytearray(recording(seconds))
    content[4:8], content[40:44] = struct.pack("<I", total), struct.pack("<I", length)
    return bytes(content)


def box(name: bytes, content: bytes = b"") -> bytes:
    return struct.pack(">I", 8 + len(content)) + name + content


def large_box(name: bytes, content: bytes = b"") -> bytes:
    """With its length in 64 bits."""
    return struct.pack(">I4sQ", 1, name, 16 + len(content)) + content


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims any size and holds next to nothing."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")


async def probe(prober: Prober, tmp_path: Path, content: bytes, name: str = "file") -> MediaInfo:
    path = tmp_path / name
    path.write_bytes(content)
    return await prober.probe(path, field="image")


async def flaw(prober: Prober, tmp_path: Path, content: bytes, name: str = "file") -> str:
    with pytest.raises(Problem) as caught:
        await probe(prober, tmp_path, content, name)
    assert (caught.value.kind, caught.value.field) == (Kind.BAD_MEDIA, "image")
    assert str(tmp_path) not in caught.value.message
    return caught.value.message


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "AVIF", "BMP", "GIF"])
async def test_a_picture_is_measured(format: str, prober: Prober, tmp_path: Path):
    content = picture(format)
    assert await probe(prober, tmp_path, content, "misnamed.mp4") == MediaInfo(
        media_type=f"image/{format.lower()}", kind="image", bytes=len(content), width=320, height=200
    )


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "AVIF"])
async def test_a_picture_on_its_side_is_measured_as_shown(format: str, prober: Prober, tmp_path: Path):
    info = await probe(prober, tmp_path, picture(format, exif=lying_on_its_side()))
    assert (info.width, info.height) == (200, 320)


@pytest.mark.parametrize(
    ("format", "codec", "sound", "media_type"),
    [
        ("mp4", "libx264", "aac", "video/mp4"),
        ("mov", "libx264", None, "video/quicktime"),
        ("webm", "libvpx-vp9", "libopus", "video/webm"),
        ("matroska", "libx264", None, "video/x-matroska"),
        ("avi", "mpeg4", None, "video/x-msvideo"),
    ],
)
async def test_a_clip_is_measured(
    format: str, codec: str, sound: str | None, media_type: str, prober: Prober, tmp_path: Path
):
    info = await probe(prober, tmp_path, film(format, codec, sound=sound))
    assert (info.media_type, info.kind, info.has_audio) == (media_type, "video", sound is not None)
    assert (info.width, info.height, info.fps, info.frames) == (320, 180, 30.0, 30)
    assert info.seconds == pytest.approx(1.0, abs=0.03)


FRONTS = {
    "free": lambda: box(b"free"),
    "much free": lambda: box(b"free", bytes(300_000)),
    "skip": lambda: box(b"skip", b"made by somebody"),
    "uuid": lambda: large_box(b"uuid", bytes(16) + b"what this is"),
    "several": lambda: box(b"wide") + box(b"free", bytes(9)) + box(b"skip"),
}


@pytest.mark.parametrize("front", FRONTS)
@pytest.mark.parametrize(("format", "media_type"), [("mp4", "video/mp4"), ("mov", "video/quicktime")])
async def test_what_stands_before_the_first_telling_box_is_passed_over(
    front: str, format: str, media_type: str, prober: Prober, tmp_path: Path
):
    # faststart would shift the offsets of the samples: fragments count theirs from their own beginning
    clip = film(format, "libx264", movflags="frag_keyframe+empty_moov+default_base_moof")
    info = await probe(prober, tmp_path, FRONTS[front]() + clip)
    assert (info.media_type, info.frames, info.width) == (media_type, 30, 320)


async def test_a_segment_that_brings_its_header_is_a_clip(prober: Prober, tmp_path: Path):
    clip = film("mp4", "libx264", movflags="frag_keyframe+empty_moov+default_base_moof")
    info = await probe(prober, tmp_path, box(b"styp", b"msdh\0\0\0\0msdhmsix") + clip)
    assert (info.media_type, info.frames) == ("video/mp4", 30)


@pytest.mark.parametrize("length", [0, 0x7FFFFFFF, 0x7FFFF000, 0xFFFFFFFF, 0xFFFFFFFF - 36])
@pytest.mark.parametrize("total", [0, 0xFFFFFFFF])
async def test_speech_whose_writer_did_not_know_its_length_is_as_long_as_it_is(
    length: int, total: int, prober: Prober, tmp_path: Path
):
    info = await probe(prober, tmp_path, streamed(1.5, length, total))
    assert (info.media_type, info.seconds) == ("audio/wav", pytest.approx(1.5))


async def test_a_fragmented_mp4_is_measured(prober: Prober, tmp_path: Path):
    info = await probe(prober, tmp_path, film("mp4", "libx264", movflags="frag_keyframe+empty_moov"))
    assert (info.frames, info.seconds) == (30, pytest.approx(1.0, abs=0.03))


@pytest.mark.parametrize(
    ("format", "codec", "media_type"),
    [
        ("mp3", "mp3", "audio/mpeg"),
        ("adts", "aac", "audio/aac"),
        ("ipod", "aac", "audio/mp4"),
        ("mp4", "aac", "audio/mp4"),
        ("flac", "flac", "audio/flac"),
        ("ogg", "libopus", "audio/ogg"),
        ("webm", "libopus", "audio/webm"),
        ("wav", "pcm_s16le", "audio/wav"),
    ],
)
async def test_a_sound_is_measured(format: str, codec: str, media_type: str, prober: Prober, tmp_path: Path):
    info = await probe(prober, tmp_path, song(format, codec))
    assert (info.media_type, info.kind, info.width, info.frames) == (media_type, "audio", None, None)
    assert info.seconds == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize(("format", "codec"), [("avi", "mp3"), ("matroska", "libopus")])
async def test_a_sound_in_a_container_of_films_is_no_film(format: str, codec: str, prober: Prober, tmp_path: Path):
    assert (await flaw(prober, tmp_path, song(format, codec))).endswith("without a picture")


async def test_a_header_of_60000_by_60000_pixels_is_refused_quickly(prober: Prober, tmp_path: Path):
    await probe(prober, tmp_path, picture("PNG"))  # the child is warm
    started = time.perf_counter()
    told = await flaw(prober, tmp_path, png_header(60000, 60000))
    assert time.perf_counter() - started < 5.0  # whoever decodes it takes minutes
    assert told == "Invalid asset dimensions: at most 64000000 pixels in all (inputs.max_pixels), found 3600000000"


async def test_the_hosts_patience_is_a_setting(tmp_path: Path):
    strict = Prober(Inputs(max_pixels=10_000, max_seconds=0.5, max_bytes=100_000))
    assert "at most 10000 pixels" in await flaw(strict, tmp_path, picture("JPEG", 200, 100))
    assert "at most 10000 pixels" in await flaw(strict, tmp_path, film("mp4", "libx264", frames=5))
    assert (await flaw(strict, tmp_path, recording(1.0))).startswith("Asset duration must be at most 0.5 seconds")
    assert (await flaw(strict, tmp_path, picture("BMP"))).startswith("Asset size exceeds 0.0953674MB")
    await strict.close()


PLAYLIST = b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n"
CONCAT = b"ffconcat version 1.0\nfile '/etc/hostname'\n"
FTYP = b"\0\0\0\x18ftypisom\0\0\0\0isomavc1"


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("page.png", b"<!DOCTYPE html><script>alert(1)</script>", "Unsupported asset type: text/html"),
        ("svg.png", b'<?xml version="1.0"?><svg width="9" height="9"/>', "Unsupported asset type: image/svg+xml"),
        ("list.mp4", PLAYLIST, "Unsupported asset type: "),
        ("concat.mp4", CONCAT, "Unsupported asset type: "),
        ("empty.png", b"", "Unsupported asset type: the file is empty"),
        ("sdp.mp4", b"v=0\no=- 0 0 IN IP4 127.0.0.1\n", "Unsupported asset type: "),
        ("heic.jpg", b"\0\0\0\x18ftypheic\0\0\0\0heicmif1", "Unsupported asset type: image/heic; convert it to PNG"),
        ("tiff.png", b"II*\0\x08\0\0\0", "Unsupported asset type: image/tiff; convert it to PNG"),
        ("new.png", b"\xff\x0a\xfa\x1f", "Unsupported asset type: image/jxl; convert it to PNG"),
        ("sound.wav", b"FORM\0\0\0\x20AIFFCOMM", "Unsupported asset type: audio/aiff; convert it to MP3"),
        ("page.pdf", b"%PDF-1.7\n", "Unsupported asset type: application/pdf"),
        ("film.flv", b"FLV\x01\x05", "Unsupported asset type: video/x-flv; convert it to MP4"),
        ("only.mp4", box(b"free", bytes(100)), "Unsupported asset type: "),
        ("text.txt", b"sni free skip wide", "Unsupported asset type: "),
        ("eps.png", b"%!PS-Adobe-3.0 EPSF-3.0\n", "Unsupported asset type: "),
        ("magic.png", b"\x89PNG\r\n\x1a\n", "Invalid asset: "),
        ("magic.jpg", b"\xff\xd8\xff\xe0", "Invalid asset: "),
        ("page.jpg", b"\xff\xd8\xff<html>", "Invalid asset: "),
        ("magic.gif", b"GIF89a", "Invalid asset: "),
        ("magic.avif", b"\0\0\0\x18ftypavif\0\0\0\0avifmif1", "Invalid asset: "),
        ("magic.webp", b"RIFF\x10\0\0\0WEBPVP8 ", "Invalid asset: "),
        ("list2.mp4", FTYP + PLAYLIST, "Invalid asset: "),
        ("ftyp.mp4", FTYP, "Invalid asset: "),
        ("magic.webm", b"\x1aE\xdf\xa3webm" + bytes(100), "Invalid asset: "),
        ("magic.wav", b"RIFF\0\0\0\0WAVE", "Invalid asset: "),
        ("magic.ogg", b"OggS" + bytes(100), "Invalid asset: "),
        ("noise.mp3", b"ID3\3\0\0\0\0\0\0" + bytes(500), "Invalid asset: "),
        ("header.png", png_header(300, 300)[:40], "Invalid asset: "),
    ],
)
async def test_what_is_no_media_is_refused(name: str, content: bytes, told: str, prober: Prober, tmp_path: Path):
    assert (await flaw(prober, tmp_path, content, name)).startswith(told)


WHOLE: dict[str, Callable[[], bytes]] = {
    "png": lambda: picture("PNG"),
    "jpeg": lambda: picture("JPEG"),
    "progressive jpeg": lambda: picture("JPEG", progressive=True, exif=lying_on_its_side()),
    "webp": lambda: picture("WEBP"),
    "avif": lambda: picture("AVIF"),
    "mp4": lambda: film("mp4", "libx264", movflags="faststart"),
    "mov": lambda: film("mov", "libx264"),
    "webm": lambda: film("webm", "libvpx-vp9"),
    "wav": lambda: recording(2.0),
    "flac": lambda: song("flac", "flac"),
}


@pytest.mark.parametrize("kind", WHOLE)
async def test_a_truncated_file_is_refused(kind: str, prober: Prober, tmp_path: Path):
    content = WHOLE[kind]()
    await probe(prober, tmp_path, content)
    assert (await flaw(prober, tmp_path, content[: len(content) // 2])).startswith("Invalid asset: ")


async def test_flipped_bytes_do_no_harm(prober: Prober, tmp_path: Path):
    for kind, make in WHOLE.items():
        content = make()
        for seed in range(6):
            damaged = bytearray(content)
            for at in np.random.default_rng(seed).integers(12, len(content), 12):
                damaged[at] ^= 0x5A
            try:
                info = await probe(prober, tmp_path, bytes(damaged))
                assert info.kind in ("image", "video", "audio"), kind
            except Problem as problem:
                assert problem.kind is Kind.BAD_MEDIA, kind


async def test_the_size_of_the_picture_counts_and_not_the_containers(prober: Prober, tmp_path: Path):
    content = bytearray(film("mp4", "libx264"))
    entry = content.index(b"avc1", content.index(b"stsd"))
    content[entry + 28 : entry + 32] = struct.pack(">HH", 16000, 16000)
    info = await probe(prober, tmp_path, bytes(content))
    assert (info.width, info.height) == (320, 180)


async def test_a_false_length_does_not_pass_for_the_true_one(prober: Prober, tmp_path: Path):
    content = bytearray(film("mp4", "libx264", frames=60))
    for box, at in ((b"mvhd", 16), (b"tkhd", 24), (b"mdhd", 16)):
        start = content.index(box) + 4 + at
        content[start : start + 4] = struct.pack(">I", struct.unpack(">I", content[start : start + 4])[0] // 8)
    edits = content.index(b"edts")
    content[edits : edits + 4] = b"free"
    assert (await probe(prober, tmp_path, bytes(content))).seconds == pytest.approx(2.0, abs=0.1)


async def test_a_child_that_hangs_is_replaced(tmp_path: Path):
    prober = Prober(Inputs(), wall_seconds=0.3)
    pipe = tmp_path / "pipe.png"
    pipe.write_bytes(picture("PNG"))
    await warm(prober, pipe)
    child = prober._idle[0].process  # pyright: ignore[reportPrivateUsage]
    os.kill(child.pid, 19)  # SIGSTOP
    with pytest.raises(Problem, match="looking into it took more than"):
        await prober.probe(pipe)
    assert child.returncode == -9
    await warm(prober, pipe)
    await prober.close()


async def warm(prober: Prober, path: Path) -> None:
    """The first look starts an interpreter, which a busy machine may not manage in time."""
    for _ in range(20):
        try:
            await prober.probe(path)
            return
        except Problem:
            prober.wall_seconds *= 1.5
    raise AssertionError("the child never came up")


async def test_a_child_that_was_killed_is_replaced_and_asked_again(prober: Prober, tmp_path: Path):
    """As by a system that is short of memory: no word about the file."""
    content = picture("PNG")
    for _ in range(2):
        await probe(prober, tmp_path, content)
        os.kill(prober._idle[0].process.pid, 9)  # pyright: ignore[reportPrivateUsage]
        assert (await probe(prober, tmp_path, content)).width == 320
        os.kill(prober._idle[0].process.pid, 9)  # pyright: ignore[reportPrivateUsage]
        await asyncio.sleep(0.05)  # until its end is known
        assert (await probe(prober, tmp_path, content)).width == 320


async def test_a_look_that_is_killed_again_and_again_is_told_as_the_servers_trouble(prober: Prober, tmp_path: Path):
    content = picture("PNG")
    await probe(prober, tmp_path, content)
    os.mkfifo(pipe := tmp_path / "pipe")  # nobody writes: looking into it takes as long as one likes
    request = {"path": str(pipe), "media_type": "image/png", "max_pixels": 1000, "max_seconds": 1.0}
    look = asyncio.create_task(prober._ask(request))  # pyright: ignore[reportPrivateUsage]
    child = prober._idle[0].process.pid  # pyright: ignore[reportPrivateUsage]
    while not look.done():
        for fork in Path(f"/proc/{child}/task/{child}/children").read_text().split():
            os.kill(int(fork), 9)
        await asyncio.sleep(0.01)
    with pytest.raises(Problem, match="whatever looks into them is killed") as caught:
        await look
    assert (caught.value.kind, caught.value.retry_after) == (Kind.UNAVAILABLE, 5.0)
    assert (await probe(prober, tmp_path, content)).width == 320


async def test_files_are_looked_at_side_by_side(prober: Prober, tmp_path: Path):
    path = tmp_path / "a.png"
    path.write_bytes(picture("PNG"))
    found = await asyncio.gather(*(prober.probe(path) for _ in range(12)))
    assert {each.width for each in found} == {320}


async def test_the_child_is_walled_in(prober: Prober):
    found = await prober.sandbox()
    assert set(found) == {"network", "files", "processes", "memory"}
    if sys.platform != "linux" or platform.machine() not in ("x86_64", "aarch64"):
        pytest.skip("seccomp and Landlock stand on Linux, on x86-64 and 64-bit ARM, only")
    assert found["network"] and found["processes"] and found["memory"]
    assert found["files"] is (ctypes.CDLL(None).syscall(444, None, 0, 1) > 0)  # where the kernel has Landlock


DEEDS = """
import importlib.util, json, os, resource, signal, socket, subprocess, sys
spec = importlib.util.spec_from_file_location("probe", sys.argv[1])
probe = importlib.util.module_from_spec(spec)
spec.loader.exec_module(probe)
file, other, port, told = sys.argv[2], sys.argv[3], int(sys.argv[4]), os.dup(1)
parent, keeper = os.getppid(), os.open("/dev/null", os.O_WRONLY)
deeds = {
    "connect": lambda: socket.create_connection(("127.0.0.1", port)),
    "ask for a name": lambda: socket.getaddrinfo("localhost", port),
    "a socket of the system": lambda: socket.socket(socket.AF_UNIX),
    "a pair of sockets": lambda: socket.socketpair(),
    "fork": lambda: os.fork() or os._exit(0),
    "start a program": lambda: subprocess.run(["/bin/true"]),
    "become a program": lambda: os.execv("/bin/true", ["true"]),
    "signal the parent": lambda: os.kill(parent, 0),
    "signal everybody": lambda: os.kill(-1, 0),
    "read another file": lambda: open(other).read(),
    "read the secrets of another process": lambda: open(f"/proc/{parent}/environ").read(),
    "list a directory": lambda: os.listdir(os.path.dirname(other)),
    "write the file": lambda: open(file, "r+").write("x"),
    "write another file": lambda: open(other, "w").write("x"),
    "make a file": lambda: open(other + ".new", "x"),
    "make a directory": lambda: os.mkdir(other + ".d"),
    "remove the file": lambda: os.unlink(file),
    "rename another file": lambda: os.rename(other, other + ".away"),
    "link to another file": lambda: os.symlink(other, other + ".link"),
    "open up another file": lambda: os.chmod(other, 0o777),
    "take more memory": lambda: bytearray(2 << 30),
    "take more time": lambda: resource.setrlimit(resource.RLIMIT_CPU, (10**6, 10**6)),
}
probe.limit(file)
done = []
for name, deed in deeds.items():
    try:
        deed()
        done.append(name)
    except (OSError, MemoryError, ValueError):
        pass
assert open(file, "rb").read(4) == b"file"
os.write(told, json.dumps(done).encode())
"""


async def test_behind_the_walls_nothing_can_be_done(tmp_path: Path):
    if sys.platform != "linux" or platform.machine() not in ("x86_64", "aarch64"):
        pytest.skip("seccomp and Landlock stand on Linux, on x86-64 and 64-bit ARM, only")
    file, other = tmp_path / "file", tmp_path / "other"
    file.write_text("file")
    other.write_text("other")
    with socket.create_server(("127.0.0.1", 0)) as server:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", DEEDS, str(PROBE), str(file), str(other), str(server.getsockname()[1])),
            stdout=asyncio.subprocess.PIPE,
        )
        told, _ = await process.communicate()
    done = set(json.loads(told))
    if ctypes.CDLL(None).syscall(444, None, 0, 1) <= 0:  # the kernel has no Landlock
        done -= {"read another file", "read the secrets of another process", "list a directory"}
        done -= {"write the file", "write another file", "make a file"}
    assert done == set()
    assert (file.read_text(), other.read_text()) == ("file", "other")
    assert sorted(tmp_path.iterdir()) == [file, other]


async def test_a_photograph_of_two_pictures_is_measured(prober: Prober, tmp_path: Path):
    out = BytesIO()
    first, second = (Image.effect_noise((320, 200), 40).convert("RGB") for _ in range(2))
    first.save(out, "MPO", save_all=True, append_images=[second], exif=lying_on_its_side())
    info = await probe(prober, tmp_path, out.getvalue())
    assert (info.media_type, info.width, info.height) == ("image/jpeg", 200, 320)


async def test_this_process_never_loads_a_parser():
    script = "import sys, mutoscope.files.probe; sys.exit('av' in sys.modules or 'PIL' in sys.modules)"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", script)
    assert await process.wait() == 0


@pytest.mark.parametrize(
    ("head", "media_type"),
    [
        (b"\0\0\0\x20ftypM4A \0\0\0\0", "audio/mp4"),
        (b"\0\0\0\x14ftypqt  \0\0\0\0", "video/quicktime"),
        (b"\0\0\0\x14ftypavif\0\0\0\0", "image/avif"),
        (b"\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf", "image/avif"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", "image/heic"),
        (b"\0\0\0\x18stypmsdh\0\0\0\0msdhmsix", "video/mp4"),
        (b"\0\0\0\x08wide\0\0\0\x01mdat", "video/quicktime"),
        (b"\0\0\0\x01mdat\0\0\0\0\0\0\0\x20", "video/quicktime"),
        (b"RF64\xff\xff\xff\xffWAVEds64", "audio/wav"),
        (b"\xff\xfb\x90\x64", "audio/mpeg"),
        (b"\xff\xf1\x50\x80", "audio/aac"),
        (b"\xff\xfe\x00\x00", None),  # a byte-order mark is no sound
        (b"\xff\xff\xff\xff", None),
        (b"BM" + bytes(12) + b"\x28\0\0\0", "image/bmp"),
        (b"BMW is a car maker", None),
        (b"RIFF\0\0\0\0sfbk", None),
        (b"", None),
    ],
)
def test_content_is_told_by_its_first_bytes(head: bytes, media_type: str | None):
    assert sniff(head) == media_type


IMAGE = MediaInfo(media_type="image/png", kind="image", bytes=1000, width=1000, height=400)
CLIP = MediaInfo(media_type="video/mp4", kind="video", bytes=20 << 20, width=640, height=360, seconds=31.2)


@pytest.mark.parametrize(
    ("info", "role", "limits", "told"),
    [
        (
            IMAGE,
            Role.REFERENCE,
            {"types": ("image/jpg", "image/webp")},
            "Unsupported asset type: expected image/jpeg, image/webp, found image/png",
        ),
        (CLIP, Role.FIRST_FRAME, {}, "Unsupported asset type: expected image, found video/mp4"),
        (IMAGE, Role.VIDEO, {}, "Unsupported asset type: expected video, found image/png"),
        (CLIP, Role.VIDEO, {"max_bytes": 16 << 20}, "Asset size exceeds 16MB: found 20.00MB"),
        (CLIP, Role.VIDEO, {"max_seconds": 30.0}, "Asset duration must be at most 30 seconds: found 31.20"),
        (CLIP, Role.VIDEO, {"min_seconds": 40.0}, "Asset duration must be at least 40 seconds: found 31.20"),
        (
            IMAGE,
            Role.FIRST_FRAME,
            {"max_aspect": 2.0},
            "Invalid asset aspect ratio: width / height must be at most 2, found 2.5 (1000x400)",
        ),
        (
            IMAGE,
            Role.FIRST_FRAME,
            {"min_aspect": 3.0},
            "Invalid asset aspect ratio: width / height must be at least 3, found 2.5 (1000x400)",
        ),
        (
            IMAGE,
            Role.FIRST_FRAME,
            {"max_side": 999},
            "Invalid asset dimensions: each side must be at most 999 pixels, found 1000x400",
        ),
        (
            IMAGE,
            Role.FIRST_FRAME,
            {"min_side": 401},
            "Invalid asset dimensions: each side must be at least 401 pixels, found 1000x400",
        ),
        (
            IMAGE,
            Role.FIRST_FRAME,
            {"max_pixels": 399_999},
            "Invalid asset dimensions: at most 399999 pixels in all, found 1000x400",
        ),
        (
            replace(CLIP, fps=8.0),
            Role.VIDEO,
            {"above_fps": 8},
            "Asset frame rate must be above 8 frames per second: found 8",
        ),
    ],
)
def test_a_file_beyond_the_vendors_limits_is_refused_in_the_vendors_words(
    info: MediaInfo, role: Role, limits: dict[str, Any], told: str
):
    with pytest.raises(Problem) as caught:
        check(info, MediaLimits(**limits), role=role, field="promptImage")
    assert (caught.value.kind, caught.value.message, caught.value.field) == (Kind.BAD_MEDIA, told, "promptImage")


def test_a_file_at_the_limits_is_accepted():
    limits = MediaLimits(
        types=("image/png",), max_bytes=1000, min_side=400, max_side=1000, min_aspect=2.5, max_aspect=2.5
    )
    check(IMAGE, limits, role=Role.FIRST_FRAME, field=None)
    check(CLIP, MediaLimits(max_seconds=31.2, min_seconds=31.2), role=Role.REFERENCE_VIDEO, field=None)
    check(CLIP, None, role=Role.CHARACTER, field=None)
    check(IMAGE, None, role=Role.CHARACTER, field=None)


SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="640" height="360"><rect width="9" height="9"/></svg>'
BOMB = "".join(f'<!ENTITY e{number} "&e{number - 1};&e{number - 1};">' for number in range(1, 40))


async def test_a_drawing_is_taken_where_a_vendor_made_it_and_measured_as_it_says(prober: Prober, tmp_path: Path):
    path = tmp_path / "a.svg"
    for text, size in (
        (SVG, (640, 360)),
        (
            f'<?xml version="1.0"?>\n<!-- a fox -->\n<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "x">{SVG}',
            (640, 360),
        ),
        (SVG.replace('width="640" height="360"', 'viewBox="0 0 30.5 20"', 1), (31, 20)),
        (SVG.replace('width="640"', 'width="100%" viewBox="0,0,70,20"', 1), (70, 360)),
    ):
        path.write_text(text)
        found = await prober.probe(path, drawings=True)
        assert (found.media_type, found.kind, (found.width, found.height)) == ("image/svg+xml", "image", size)
        with pytest.raises(Problem, match="image/svg"):
            await prober.probe(path)


async def test_what_is_no_drawing_or_would_burst_is_none(prober: Prober, tmp_path: Path):
    path = tmp_path / "a.svg"
    for text in (
        SVG[:-9],
        f"{SVG}<p/>",
        SVG.replace("svg", "svg-of-mine"),
        f"<html>{SVG}</html>",
        f"<?x?>{SVG}"[:9] * 400,
        SVG.replace('width="640"', 'width="0"'),
        SVG.replace('width="640" height="360"', ""),
        SVG.replace('"640"', '"99999"').replace('"360"', '"99999"'),
        SVG.replace("<rect", f"{'<g>' * 5000}<rect"),
        f'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY e0 "ha">{BOMB}]>{SVG.replace("<rect", "&e39;<rect")}',
        f'<!DOCTYPE svg [<!ENTITY e SYSTEM "file:///etc/passwd">]>{SVG.replace("<rect", "&e;<rect")}',
        SVG.replace("<rect", "&nbsp;<rect"),
    ):
        path.write_text(text)
        with pytest.raises(Problem) as caught:
            await prober.probe(path, drawings=True)
        assert caught.value.kind is Kind.BAD_MEDIA, text[:200]
