"""Makes several hundred hostile files, the same each time: what strangers send instead of pictures, films and sounds.

Nothing is kept in the repository. `everything()` yields them by family; each says whether it must be refused or may
also be measured, for much of what is damaged is still a picture.
"""

import functools
import gzip
import io
import struct
import tempfile
import wave
import zipfile
import zlib
from collections.abc import Callable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

import av
import numpy as np
from PIL import Image

MAX_PIXELS, MAX_SECONDS = 64_000_000, 600.0  # the defaults of [inputs]


class Fate(StrEnum):
    REFUSED = "refused"  # with a reason
    EITHER = "either"  # refused, or measured honestly


class Hostile(NamedTuple):
    family: str
    name: str
    content: bytes
    fate: Fate


Maker = Callable[[], Iterator[tuple[str, bytes, Fate]]]
FAMILIES: dict[str, Maker] = {}
REFUSED, EITHER = Fate.REFUSED, Fate.EITHER


def family(maker: Maker) -> Maker:
    FAMILIES[maker.__name__] = maker
    return maker


def everything() -> Iterator[Hostile]:
    for name in FAMILIES:
        yield from members(name)


def members(name: str) -> Iterator[Hostile]:
    for file, content, fate in FAMILIES[name]():
        yield Hostile(name, file, content, fate)


# -- good files, to be spoiled ------------------------------------------------------------


def scene(width: int = 64, height: int = 48, seed: int = 1) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8))


def picture(format: str, **options: Any) -> bytes:
    out = io.BytesIO()
    scene().save(out, format, **options)
    return out.getvalue()


def animation(format: str, count: int = 5) -> bytes:
    return picture(format, save_all=True, append_images=[scene(seed=n) for n in range(2, count + 1)], duration=40)


SAME = {"fflags": "bitexact"}
"""Or FFmpeg numbers tracks and pages by chance."""


def film(
    format: str, codec: str, *, sound: str | None = None, frames: int = 10, pixels: str = "yuv420p", **options: str
) -> bytes:
    with tempfile.TemporaryDirectory() as place:
        path = Path(place, "film")
        container: Any
        with av.open(str(path), "w", format=format, options={**SAME, **options}) as container:
            video = container.add_stream(codec, rate=25)
            video.width, video.height, video.pix_fmt = 64, 48, pixels
            video.codec_context.thread_count = 1
            if codec == "libx264":  # its macroblock trees read stray memory on processors with AVX-512
                video.options = {"x264-params": "mbtree=0"}
            audio = container.add_stream(sound, rate=48000) if sound else None
            for number in range(frames):
                drawn = np.full((48, 64, 3), number * 20 % 256, np.uint8)
                container.mux(video.encode(av.VideoFrame.from_ndarray(drawn, format="rgb24")))
            container.mux(video.encode(None))
            for packet in noise(audio, frames / 25) if audio else ():
                container.mux(packet)
        return path.read_bytes()


def song(format: str, codec: str) -> bytes:
    out = io.BytesIO()
    container: Any
    with av.open(out, "w", format=format, options=SAME) as container:
        for packet in noise(container.add_stream(codec, rate=48000), 0.5):
            container.mux(packet)
    return out.getvalue()


def noise(audio: Any, seconds: float) -> Iterator[Any]:
    chance = np.random.default_rng(1)
    for number in range(int(seconds * 48000 / 1024)):
        samples = chance.integers(-999, 999, (1, 2048), dtype=np.int16)
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="stereo")
        frame.sample_rate, frame.pts = 48000, number * 1024
        yield from audio.encode(frame)
    yield from audio.encode(None)


def recording() -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(np.random.default_rng(1).integers(0, 256, 8000, dtype=np.uint8).tobytes())
    return out.getvalue()


MAKERS: dict[str, Callable[[], bytes]] = {
    "png": lambda: picture("PNG"),
    "apng": lambda: animation("PNG"),
    "jpg": lambda: picture("JPEG", exif=turned()),
    "progressive.jpg": lambda: picture("JPEG", progressive=True),
    "webp": lambda: picture("WEBP", exif=turned()),
    "animated.webp": lambda: animation("WEBP"),
    "avif": lambda: picture("AVIF", max_threads=1, speed=10),
    "bmp": lambda: picture("BMP"),
    "gif": lambda: picture("GIF"),
    "animated.gif": lambda: animation("GIF"),
    "mp4": lambda: film("mp4", "libx264", sound="aac", movflags="faststart"),
    "fragmented.mp4": lambda: film("mp4", "libx264", movflags="frag_keyframe+empty_moov"),
    "mov": lambda: film("mov", "mpeg4"),
    "webm": lambda: film("webm", "libvpx", sound="libopus"),
    "mkv": lambda: film("matroska", "libx264"),
    "avi": lambda: film("avi", "mpeg4", sound="mp3"),
    "wav": recording,
    "mp3": lambda: song("mp3", "mp3"),
    "flac": lambda: song("flac", "flac"),
    "aac": lambda: song("adts", "aac"),
    "m4a": lambda: song("ipod", "aac"),
    "ogg": lambda: song("ogg", "libopus"),
}
SELF_EVIDENT = {"png", "jpg", "progressive.jpg", "webp", "avif", "mp4", "mov", "wav", "flac", "bmp"}
"""Kinds of which half a file is never taken for a whole one."""


@functools.cache
def good(kind: str) -> bytes:
    return MAKERS[kind]()


def turned() -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = 6
    return exif


# -- bricks -------------------------------------------------------------------------------


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


PNG = b"\x89PNG\r\n\x1a\n"


def png(width: int, height: int, *chunks: bytes, depth: int = 8, color: int = 2, data: bytes | None = None) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0))
    data = zlib.compress(bytes(1000)) if data is None else data
    return PNG + header + b"".join(chunks) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


@functools.cache
def zeros(mebibytes: int) -> bytes:
    """That many MiB of nothing, deflated."""
    pump, block = zlib.compressobj(9), bytes(1 << 20)
    return b"".join(pump.compress(block) for _ in range(mebibytes)) + pump.flush()


def box(name: bytes, data: bytes = b"", length: int | None = None) -> bytes:
    return struct.pack(">I", 8 + len(data) if length is None else length) + name + data


def riff(name: bytes, data: bytes, length: int | None = None) -> bytes:
    return name + struct.pack("<I", len(data) if length is None else length) + data + bytes(len(data) % 2)


def wav(rate: int = 8000, channels: int = 1, bits: int = 16, align: int | None = None, **lies: int) -> bytes:
    align = channels * bits // 8 if align is None else align
    form = struct.pack(
        "<HHIIHH", lies.get("coding", 1), channels & 0xFFFF, rate, rate * align & 0xFFFFFFFF, align, bits
    )
    body = b"WAVE" + riff(b"fmt ", form) + riff(b"data", bytes(4000), lies.get("data"))
    return riff(b"RIFF", body, lies.get("riff"))


def ebml(id: int, data: bytes, length: int | None = None) -> bytes:
    size = len(data) if length is None else length
    return id.to_bytes((id.bit_length() + 7) // 8, "big") + (0x01 << 56 | size).to_bytes(8, "big") + data


WEBM = ebml(0x1A45DFA3, ebml(0x4282, b"webm"))


def gif(width: int, height: int, *blocks: bytes, end: bytes = b";") -> bytes:
    palette = bytes(6)
    return b"GIF89a" + struct.pack("<HH", width, height) + b"\x80\0\0" + palette + b"".join(blocks) + end


def gif_picture(width: int = 1, height: int = 1, left: int = 0, top: int = 0) -> bytes:
    return b"," + struct.pack("<HHHHB", left, top, width, height, 0) + b"\x02\x02\x44\x01\0"


LOOP_FOR_EVER = b"!\xff\x0bNETSCAPE2.0\x03\x01\0\0\0"


def jpeg(*segments: bytes) -> bytes:
    """A good JPEG with segments put in right after its start."""
    plain = picture("JPEG")
    return plain[:2] + b"".join(segments) + plain[2:]


def segment(mark: int, data: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, mark, len(data) + 2) + data


def put(content: bytes, at: int, data: bytes) -> bytes:
    return content[:at] + data + content[at + len(data) :]


def put_after(content: bytes, mark: bytes, offset: int, data: bytes) -> bytes:
    """`data` written over what stands `offset` bytes behind the first `mark`."""
    return put(content, content.index(mark) + len(mark) + offset, data)


# -- the families ---------------------------------------------------------------------------


@family
def truncated() -> Iterator[tuple[str, bytes, Fate]]:
    for kind in MAKERS:
        content = good(kind)
        for share in (0.05, 0.5, 0.9):
            fate = REFUSED if kind in SELF_EVIDENT and share < 0.9 else EITHER
            yield f"{share:.0%}.{kind}", content[: int(len(content) * share)], fate
        yield f"last-bytes.{kind}", content[:-9], EITHER


@family
def flipped() -> Iterator[tuple[str, bytes, Fate]]:
    for number, kind in enumerate(MAKERS):
        for seed, rate in enumerate((1, 8, 64)):
            chance = np.random.default_rng(1000 * number + seed)
            damaged = bytearray(good(kind))
            for at in chance.integers(8, len(damaged), rate):
                damaged[at] ^= 1 << int(chance.integers(0, 8))
            yield f"{rate}-bits.{kind}", bytes(damaged), EITHER


@family
def noise_behind_a_true_beginning() -> Iterator[tuple[str, bytes, Fate]]:
    for number, kind in enumerate(MAKERS):
        rubbish = np.random.default_rng(number).integers(0, 256, 5000, dtype=np.uint8).tobytes()
        yield f"noise.{kind}", good(kind)[:64] + rubbish, EITHER


@family
def shuffled() -> Iterator[tuple[str, bytes, Fate]]:
    for number, kind in enumerate(MAKERS):
        content = good(kind)
        chance = np.random.default_rng(number)
        blocks = [content[at : at + 64] for at in range(64, len(content), 64)]
        yield f"shuffled.{kind}", content[:64] + b"".join(blocks[at] for at in chance.permutation(len(blocks))), EITHER


def zipped(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)  # dated 1980, each time
    return out.getvalue()


@family
def bombs() -> Iterator[tuple[str, bytes, Fate]]:
    yield "60000x60000.png", png(60000, 60000), REFUSED
    yield "2147483647x2147483647.png", png(2**31 - 1, 2**31 - 1), REFUSED
    yield "true-30000x30000.png", png(30000, 30000, depth=1, color=0, data=zeros(108)), REFUSED
    # at the very limit: taken, in bounded time and memory
    yield "true-8000x8000-grey.png", png(8000, 8000, depth=8, color=0, data=zeros(62)), EITHER
    yield "data-beyond-the-picture.png", png(8, 8, data=zeros(100)), EITHER
    yield "ztxt.png", png(8, 8, chunk(b"zTXt", b"Comment\0\0" + zeros(100))), REFUSED
    yield "itxt.png", png(8, 8, chunk(b"iTXt", b"Comment\0\1\0\0\0" + zeros(100))), REFUSED
    yield "iccp.png", png(8, 8, chunk(b"iCCP", b"x\0\0" + zeros(100))), EITHER
    many = b"".join(chunk(b"tEXt", b"Comment\0" + bytes([65 + n % 26]) * 900_000) for n in range(80))
    yield "much-text.png", png(8, 8, many), REFUSED
    yield "100000-chunks.png", png(8, 8, chunk(b"tEXt", b"a\0b") * 100_000), EITHER
    yield "65535x65535.gif", gif(65535, 65535, gif_picture()), REFUSED
    yield "picture-beyond-the-screen.gif", gif(1, 1, gif_picture(65535, 65535)), REFUSED
    yield "65500x65500.jpg", put_after(good("jpg"), b"\xff\xc0", 3, struct.pack(">HH", 65500, 65500)), REFUSED
    yield "16383x16383.webp", put_after(good("webp"), b"VP8X", 8, b"\xfe\x3f\0\xfe\x3f\0"), REFUSED
    yield "30000x30000.avif", put_after(good("avif"), b"ispe", 4, struct.pack(">II", 30000, 30000)), REFUSED
    yield "50000x50000.bmp", put(good("bmp"), 18, struct.pack("<ii", 50000, 50000)), REFUSED
    yield "upside-down.bmp", put(good("bmp"), 18, struct.pack("<ii", 50000, -50000)), REFUSED
    run = b"\xff\x00" * 1000
    head = struct.pack("<IiiHHIIiiII", 40, 8000, 8000, 1, 8, 1, len(run), 0, 0, 256, 0)
    yield "runs.bmp", b"BM" + struct.pack("<IHHI", 1078 + len(run), 0, 0, 1078) + head + bytes(1024) + run, EITHER
    nested = zipped({"picture.png": bytes(5_000_000)})
    yield "zip.png", nested, REFUSED
    for _ in range(5):
        nested = zipped({f"{number}.zip": nested for number in range(5)})
    yield "zip-in-zip.png", nested, REFUSED
    yield "gzip.png", gzip.compress(bytes(5_000_000), mtime=0), REFUSED
    yield "gzipped-picture.png", gzip.compress(good("png"), mtime=0), REFUSED
    yield "deflate.png", zeros(100), REFUSED
    yield "svgz.png", gzip.compress(b"<svg xmlns='http://www.w3.org/2000/svg'>" + b"<g>" * 100_000, mtime=0), REFUSED
    yield "tiff.png", b"II*\0\x08\0\0\0" + struct.pack("<HHHII", 1, 256, 4, 1, 2**31), REFUSED


@family
def polyglots() -> Iterator[tuple[str, bytes, Fate]]:
    archive = zipped({"META-INF/MANIFEST.MF": b"Main-Class: Evil\n"})
    page = b"<html><script>alert(document.domain)</script></html>"
    for kind in ("gif", "png", "jpg", "webp", "avif", "bmp", "mp4", "webm", "wav", "mp3", "flac"):
        yield f"zip-behind.{kind}", good(kind) + archive, EITHER
        yield f"page-behind.{kind}", good(kind) + page, EITHER
    yield "page-in-a-comment.jpg", jpeg(segment(0xFE, page)), EITHER
    yield "php-in-text.png", png(8, 8, chunk(b"tEXt", b"Comment\0<?php system($_GET[0]); ?>")), EITHER
    yield "page-in-a-comment.gif", gif(1, 1, b"!\xfe" + bytes([len(page)]) + page + b"\0", gif_picture()), EITHER
    yield "script.gif", b"GIF89a=1;alert(1)//" + bytes(100), EITHER
    yield "script.bmp", b"BM=1;alert(1);/*" + bytes(100) + b"*/", REFUSED
    yield "page-in-a-free-box.mp4", good("mp4")[:32] + box(b"free", page) + good("mp4")[32:], EITHER
    yield "program.wav", put(good("wav"), 44, b"MZ\x90\0" + page), EITHER
    yield "document-before.jpg", b"%PDF-1.4\n" + good("jpg"), REFUSED
    yield "page-in-id3.mp3", b"ID3\3\0\0\0\0\0" + bytes([len(page)]) + page + good("mp3")[45:], EITHER
    yield "script-before.webm", b"#!/bin/sh\nid\n" + good("webm"), REFUSED
    yield "jpeg-behind.gif", gif(1, 1, gif_picture()) + good("jpg"), EITHER
    yield "gif-behind.jpg", good("jpg") + good("animated.gif"), EITHER
    yield "ftyp-in.png", put(good("png"), 4, b"ftyp"), REFUSED


SECRETS = (
    "file:///etc/passwd",
    "/etc/passwd",
    "http://127.0.0.1:8700/",
    "subfile,,start,0,end,64,,:/etc/passwd",
    "concat:/etc/passwd|/etc/hostname",
)
FTYP = b"\0\0\0\x18ftypisom\0\0\0\0isomavc1"


@family
def playlists() -> Iterator[tuple[str, bytes, Fate]]:
    for number, secret in enumerate(SECRETS):
        hls = f"#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:10.0,\n{secret}\n#EXT-X-ENDLIST\n".encode()
        yield f"hls-{number}.mp4", hls, REFUSED
        yield f"concat-{number}.mp4", f"ffconcat version 1.0\nfile '{secret}'\n".encode(), REFUSED
        yield f"hls-behind-ftyp-{number}.mp4", FTYP + hls, REFUSED
        yield f"hls-in-subtitles-{number}.avi", avi_with_subtitles(hls), EITHER
        yield f"elsewhere-{number}.mov", elsewhere(secret), EITHER
        yield f"hls-in-id3-{number}.mp3", b"ID3\3\0\0\0\0\0\x7f" + hls.ljust(127, b"\0"), REFUSED
    key = b'#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI="file:///etc/passwd"\n#EXTINF:1,\nhttp://127.0.0.1/\n'
    yield "key.m3u8.png", key, REFUSED
    yield "master.png", b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nfile:///etc/passwd\n", REFUSED
    yield "dash.mp4", b'<?xml version="1.0"?><MPD><BaseURL>file:///etc/passwd</BaseURL></MPD>', REFUSED
    yield "smooth.mp4", b"<SmoothStreamingMedia><Url>file:///etc/passwd</Url></SmoothStreamingMedia>", REFUSED
    yield "session.mp4", b"v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n", REFUSED
    yield "list.pls.mp3", b"[playlist]\nFile1=file:///etc/passwd\n", REFUSED
    yield "list.asx.mp3", b'<asx version="3.0"><entry><ref href="file:///etc/passwd"/></entry></asx>', REFUSED
    yield "list.cue.wav", b'FILE "/etc/passwd" WAVE\n TRACK 01 AUDIO\n', REFUSED
    yield (
        "reference.mov",
        box(b"moov", box(b"rmra", box(b"rmda", box(b"rdrf", bytes(4) + b"url \0\0\0\x14file:///etc/passwd")))),
        REFUSED,
    )
    yield "pattern%03d.png", b"/etc/passwd", REFUSED
    yield "frames.y4m.mp4", b"YUV4MPEG2 W64 H48 F25:1 Ip A1:1\nFRAME\n" + bytes(4608), REFUSED
    yield "text.mp4", b"WEBVTT\n\n00:00.000 --> 00:01.000\nfile:///etc/passwd\n", REFUSED


def avi_with_subtitles(text: bytes) -> bytes:
    """An AVI whose subtitle stream (GAB2) is a playlist: FFmpeg of old opened what it named."""
    gab2 = b"GAB2\0\2\0" + struct.pack("<I", 2) + b"a\0" + struct.pack("<HI", 4, len(text)) + text
    header = b"txts" + bytes(4) + bytes(12) + struct.pack("<IIIIIIII", 1, 25, 0, 1, 0, 0, 0, 0) + bytes(8)
    streams = riff(b"LIST", b"strl" + riff(b"strh", header) + riff(b"strf", b""))
    main = riff(b"avih", struct.pack("<14I", 40000, 0, 0, 16, 1, 0, 1, 0, 64, 48, 0, 0, 0, 0))
    return riff(
        b"RIFF", b"AVI " + riff(b"LIST", b"hdrl" + main + streams) + riff(b"LIST", b"movi" + riff(b"00tx", gab2))
    )


def elsewhere(where: str) -> bytes:
    """A film that says its pictures lie in another file."""
    content = good("mov")
    entry = box(b"url ", bytes(4) + where.encode() + b"\0")
    return within(content, content.index(b"dref") - 4, box(b"dref", struct.pack(">II", 0, 1) + entry), b"dinf")


@family
def pages_and_programs_named_png() -> Iterator[tuple[str, bytes, Fate]]:
    laughs = b"".join(b'<!ENTITY l%d "%s">' % (n, b"&l%d;" % (n - 1) * 10) for n in range(1, 10))
    texts = {
        "svg": b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script>alert(1)</script></svg>',
        "svg-with-declaration": b'<?xml version="1.0"?>\n<!-- x -->\n<svg width="9" height="9" onload="alert(1)"/>',
        "svg-with-entity": b'<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]><svg><text>&x;</text></svg>',
        "svg-of-laughs": b'<!DOCTYPE svg [<!ENTITY l0 "ha">' + laughs + b"]><svg>&l9;</svg>",
        "svg-that-includes": b'<svg><image href="file:///etc/passwd"/><use href="http://127.0.0.1/#x"/></svg>',
        "svg-after-a-mark": b"\xef\xbb\xbf<svg/>",
        "svg-in-utf16": "<svg/>".encode("utf-16"),
        "html": b"<!DOCTYPE html><html><script>alert(1)</script></html>",
        "html-later": b" \n\t" * 80 + b"<html>",
        "xhtml": b'<html xmlns="http://www.w3.org/1999/xhtml"><body/></html>',
        "javascript": b"alert(document.cookie)",
        "php": b"<?php system($_GET['c']); ?>",
        "shell": b"#!/bin/sh\nrm -rf /\n",
        "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(/etc/passwd) (r) file\n",
        "pdf": b"%PDF-1.7\n1 0 obj<</JS(app.alert(1))>>endobj\n",
        "mvg": b"push graphic-context\nviewbox 0 0 640 480\nfill 'url(https://127.0.0.1/|ls)'\npop graphic-context\n",
        "msl": b'<?xml version="1.0"?><image><read filename="/etc/passwd"/></image>',
        "elf": b"\x7fELF\2\1\1" + bytes(200),
        "exe": b"MZ\x90\0" + bytes(200),
        "json": b"[" * 100_000,
        "pickle": b"\x80\x04cos\nsystem\n(S'id'\ntR.",
        "font": b"\0\1\0\0" + bytes(100),
        "icon": b"\0\0\1\0\1\0\xff\xff\0\0" + bytes(100),
        "photoshop": b"8BPS\0\1" + bytes(6) + struct.pack(">HIIHH", 3, 300000, 300000, 8, 3),
        "jpeg2000": b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(100),
        "openexr": b"v/1\1\2\0\0\0" + bytes(100),
        "pnm": b"P6 60000 60000 255\n" + bytes(100),
        "xpm": b"/* XPM */ static char *x[] = {" + bytes(100),
        "pcx": b"\x0a\5\1\x08" + bytes(200),
        "text": b"This is not a picture.\n",
        "nothing": b"",
        "one-byte": b"\x89",
        "zeros": bytes(100_000),
        "ones": b"\xff" * 100_000,
        "heic": b"\0\0\0\x18ftypheic\0\0\0\0heicmif1" + bytes(100),
        "avif": b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf" + bytes(100),
    }
    for name, content in texts.items():
        yield f"{name}.png", content, REFUSED
    for seed in range(6):
        yield (
            f"noise-{seed}.png",
            b"\0" + np.random.default_rng(seed).integers(0, 256, 9000, np.uint8).tobytes(),
            REFUSED,
        )


@family
def false_dimensions() -> Iterator[tuple[str, bytes, Fate]]:
    sizes = {"0x0": (0, 0), "0x9": (0, 9), "9x0": (9, 0), "65535x65535": (65535, 65535), "6000x6000": (6000, 6000)}
    for name, (width, height) in sizes.items():
        yield f"{name}.png", png(width, height), REFUSED
        yield f"{name}.jpg", put_after(good("jpg"), b"\xff\xc0", 3, struct.pack(">HH", height, width)), REFUSED
        yield (
            f"{name}.progressive.jpg",
            put_after(good("progressive.jpg"), b"\xff\xc2", 3, struct.pack(">HH", height, width)),
            REFUSED,
        )
        yield f"{name}.bmp", put(good("bmp"), 18, struct.pack("<ii", width, height)), REFUSED
        fate = EITHER if name == "6000x6000" else REFUSED  # a screen may be larger than its pictures
        yield f"{name}.gif", gif(width, height, gif_picture()), EITHER if 0 in (width, height) else fate
        entry = good("mp4").index(b"avc1", good("mp4").index(b"stsd"))
        yield f"{name}.mp4", put(good("mp4"), entry + 28, struct.pack(">HH", width, height)), EITHER
        yield f"{name}.avi", put_after(good("avi"), b"avih", 36, struct.pack("<II", width, height)), EITHER
        yield (
            f"{name}.webp",
            put_after(good("webp"), b"VP8 ", 10, struct.pack("<HH", width & 0x3FFF, height & 0x3FFF)),
            EITHER,
        )
    yield "wrong-depth.png", png(64, 48, depth=3), REFUSED
    yield "wrong-colour.png", png(64, 48, color=5), REFUSED
    yield (
        "two-headers.png",
        PNG + 2 * chunk(b"IHDR", struct.pack(">IIBBBBB", 9, 9, 8, 2, 0, 0, 0)) + chunk(b"IEND", b""),
        REFUSED,
    )
    yield (
        "no-data.png",
        PNG + chunk(b"IHDR", struct.pack(">IIBBBBB", 9, 9, 8, 2, 0, 0, 0)) + chunk(b"IEND", b""),
        REFUSED,
    )
    yield "no-palette.png", png(64, 48, color=3), EITHER
    yield "wrong-checksum.png", put(good("png"), 29, b"\0\0\0\0"), REFUSED


@family
def absurd_exif() -> Iterator[tuple[str, bytes, Fate]]:
    def ifd(*entries: tuple[int, int, int, int], then: int = 0) -> bytes:
        rows = b"".join(struct.pack("<HHII", *entry) for entry in entries)
        return b"II*\0\x08\0\0\0" + struct.pack("<H", len(entries)) + rows + struct.pack("<I", then)

    blocks = {
        "empty": b"",
        "header-only": b"II*\0",
        "orientation-9": ifd((0x112, 3, 1, 9)),
        "orientation-65535": ifd((0x112, 3, 1, 65535)),
        "orientation-4294967295": ifd((0x112, 4, 1, 2**32 - 1)),
        "orientation-as-text": ifd((0x112, 2, 4, 0x41414141)),
        "orientation-of-many": ifd((0x112, 3, 2**31, 0)),
        "offset-outside": b"II*\0\xff\xff\xff\xff",
        "offset-to-itself": b"II*\0\0\0\0\0",
        "circle": ifd((0x112, 3, 1, 6), then=8),
        "circle-of-sub-directories": ifd((0x8769, 4, 1, 8), (0x8825, 4, 1, 8), (0x14A, 4, 1, 8)),
        "too-many-entries": b"II*\0\x08\0\0\0\xff\xff" + bytes(300),
        "enormous-entry": ifd((0x927C, 7, 2**32 - 1, 8)),
        "unknown-types": ifd(*((n, 200 + n, 1, 1) for n in range(40))),
        "fractions-of-nothing": ifd((0x11A, 5, 1, 8)),
        "both-orders": b"MM\0*\0\0\0\x08\0\1\x12\1\3\0\1\0\0\0\6\0",
        "noise": np.random.default_rng(7).integers(0, 256, 60_000, np.uint8).tobytes(),
        "page": b"<html><script>alert(1)</script>",
    }
    for name, block in blocks.items():
        yield f"{name}.jpg", jpeg(segment(0xE1, b"Exif\0\0" + block)), EITHER
        yield f"{name}.png", png(64, 48, chunk(b"eXIf", block), data=zlib.compress(bytes(193 * 48))), EITHER
    xmp = b"http://ns.adobe.com/xap/1.0/\0<!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><x>&a;</x>"
    yield "entity-in-xmp.jpg", jpeg(segment(0xE1, xmp)), EITHER
    yield "sixty-blocks.jpg", jpeg(*[segment(0xE1, b"Exif\0\0" + blocks["noise"])] * 60), EITHER
    yield (
        "profile-in-pieces.jpg",
        jpeg(*(segment(0xE2, b"ICC_PROFILE\0\1\xff" + bytes(60_000)) for _ in range(60))),
        EITHER,
    )


@family
def endless_animations() -> Iterator[tuple[str, bytes, Fate]]:
    yield "for-ever.gif", gif(1, 1, LOOP_FOR_EVER, gif_picture(), gif_picture()), EITHER
    yield "for-ever-without-end.gif", gif(1, 1, LOOP_FOR_EVER, gif_picture(), end=b""), EITHER
    yield "100000-pictures.gif", gif(1, 1, gif_picture() * 100_000), REFUSED
    yield "3000-pictures-without-end.gif", gif(1, 1, gif_picture() * 3000, end=b""), REFUSED
    yield "no-picture.gif", gif(9, 9), REFUSED
    yield "only-extensions.gif", gif(9, 9, LOOP_FOR_EVER * 50_000), REFUSED
    yield "block-without-end.gif", gif(9, 9, b"!\xfe" + b"\xff" * 300_000), REFUSED
    yield "empty-picture.gif", gif(9, 9, b"," + bytes(9) + b"\x02\0"), EITHER
    yield "code-size-255.gif", gif(9, 9, b"," + struct.pack("<HHHHB", 0, 0, 9, 9, 0) + b"\xff\x02\x44\x01\0"), EITHER
    control, pixel = struct.pack(">IIIIIHHBB", 0, 1, 1, 0, 0, 0, 100, 0, 0), zlib.compress(bytes(4))
    for name, claimed, count in (("claims-2147483647", 2**31 - 1, 1), ("claims-1", 1, 3), ("3000", 3000, 3000)):
        frames = (chunk(b"fcTL", control) + chunk(b"fdAT", bytes(4) + pixel)) * (count - 1)
        chunks = chunk(b"acTL", struct.pack(">II", claimed, 0)) + chunk(b"fcTL", control)
        yield (
            f"{name}.apng.png",
            png(1, 1, chunks, data=pixel).replace(chunk(b"IEND", b""), frames + chunk(b"IEND", b"")),
            REFUSED,
        )
    animated = good("animated.webp")
    first = animated.index(b"ANMF")
    frame = animated[first : first + 8 + struct.unpack_from("<I", animated, first + 4)[0]]
    yield "3000-pictures.webp", riff(b"RIFF", animated[8:first] + frame * 3000), REFUSED
    yield "no-picture.webp", riff(b"RIFF", animated[8:first]), REFUSED
    yield "chunk-of-nothing.webp", riff(b"RIFF", b"WEBP" + riff(b"junk", b"") * 200_000), REFUSED


@family
def lying_films() -> Iterator[tuple[str, bytes, Fate]]:
    mp4, mov, fragmented, m4a = (good(kind) for kind in ("mp4", "mov", "fragmented.mp4", "m4a"))
    for name, content in (("mp4", mp4), ("mov", mov), ("m4a", m4a)):
        yield f"samples-4294967295.{name}", put_after(content, b"stsz", 8, b"\xff\xff\xff\xff"), EITHER
        yield f"samples-0.{name}", put_after(content, b"stsz", 8, bytes(4)), EITHER
        yield f"samples-of-2-gigabytes.{name}", put_after(content, b"stsz", 4, b"\x7f\xff\xff\xff"), EITHER
        yield f"sample-times-4294967295.{name}", put_after(content, b"stts", 4, b"\xff\xff\xff\xff"), EITHER
        yield f"a-sample-lasts-136-years.{name}", put_after(content, b"stts", 12, b"\x7f\xff\xff\xff"), REFUSED
        yield f"chunks-4294967295.{name}", put_after(content, b"stsc", 4, b"\xff\xff\xff\xff"), EITHER
        yield f"chunk-outside.{name}", put_after(content, b"stco", 8, b"\xff\xff\xff\x00"), EITHER
        yield f"chunk-of-itself.{name}", put_after(content, b"stco", 8, bytes(4)), EITHER
        yield f"timescale-0.{name}", put_after(content, b"mdhd", 12, bytes(4)), EITHER
        yield f"timescale-4294967295.{name}", put_after(content, b"mdhd", 12, b"\xff\xff\xff\xff"), EITHER
        yield f"length-4294967295.{name}", put_after(content, b"mdhd", 16, b"\xff\xff\xff\xff"), EITHER
        yield f"unknown-coding.{name}", put_after(content, b"stsd", 12, b"evil"), EITHER
        yield f"another-coding.{name}", put_after(content, b"stsd", 12, b"SVQ3" if name != "m4a" else b"QDM2"), EITHER
        yield f"box-of-length-1.{name}", put(content, content.index(b"moov") - 4, b"\0\0\0\1"), REFUSED
        yield f"box-of-length-7.{name}", put(content, content.index(b"moov") - 4, b"\0\0\0\7"), REFUSED
        yield f"box-beyond-the-end.{name}", put(content, content.index(b"moov") - 4, b"\x7f\xff\xff\xff"), REFUSED
        yield (
            f"inner-box-beyond-its-outer.{name}",
            put(content, content.index(b"trak") - 4, b"\x7f\xff\xff\xff"),
            EITHER,
        )
        yield f"no-index.{name}", content.replace(b"moov", b"wide"), REFUSED
    deep = b""
    for _ in range(2000):
        deep = box(b"moov", deep)
    yield "deep.mp4", FTYP + deep, REFUSED
    trak = mp4[mp4.index(b"trak") - 4 :][: struct.unpack_from(">I", mp4, mp4.index(b"trak") - 4)[0]]
    mvhd = mp4[mp4.index(b"mvhd") - 4 :][:108]
    yield "a-thousand-tracks.mp4", FTYP + box(b"moov", mvhd + trak * 1000) + box(b"mdat", bytes(1000)), REFUSED
    yield "only-an-index.mp4", FTYP + box(b"moov", mvhd), REFUSED
    yield "300000-boxes.mp4", FTYP + box(b"free") * 300_000, REFUSED
    yield "50000-fragments.mp4", fragmented + box(b"moof", box(b"mfhd", bytes(8))) * 50_000, EITHER
    yield "long-box.mp4", FTYP + struct.pack(">I4sQ", 1, b"mdat", 2**63), REFUSED
    yield "runs-4294967295.mp4", put_after(fragmented, b"trun", 4, b"\xff\xff\xff\xff"), EITHER
    yield "20000-frames-in-two-seconds.mov", many_frames(20_000), REFUSED
    for codec, pixels in (("flv1", "yuv420p"), ("wmv2", "yuv420p"), ("cinepak", "rgb24"), ("ffvhuff", "yuv420p")):
        yield f"{codec}.avi", film("avi", codec, pixels=pixels), REFUSED  # good, but of no decoder that is let loose
    avi = good("avi")
    yield "frames-1-in-the-stream.avi", put_after(avi, b"strh", 36, b"\1\0\0\0"), REFUSED
    yield "frames-4294967295.avi", put_after(avi, b"avih", 20, b"\xff\xff\xff\xff"), EITHER
    yield "frames-4294967295-in-the-stream.avi", put_after(avi, b"strh", 36, b"\xff\xff\xff\xff"), EITHER
    yield "rate-0.avi", put_after(avi, b"strh", 24, bytes(8)), EITHER
    yield "rate-4294967295.avi", put_after(avi, b"strh", 24, b"\1\0\0\0\xff\xff\xff\xff"), EITHER
    yield "streams-4294967295.avi", put_after(avi, b"avih", 28, b"\xff\xff\xff\xff"), EITHER
    lists = b""
    for _ in range(3000):
        lists = riff(b"LIST", b"hdrl" + lists)
    yield "deep.avi", riff(b"RIFF", b"AVI " + lists), REFUSED
    webm = good("webm")
    for name, element in (("width-0", b"\xb0"), ("height-0", b"\xba")):
        at = webm.index(element, webm.index(b"\xe0"))
        yield f"{name}.webm", put(webm, at + 2, bytes(webm[at + 1] & 0x7F)), EITHER
    scale = webm.index(b"\x2a\xd7\xb1")
    yield "scale-0.webm", put(webm, scale + 4, bytes(3)), EITHER
    yield "scale-16777215.webm", put(webm, scale + 4, b"\xff" * 3), EITHER
    length = webm.index(b"\x44\x89")
    for name, value in (("nan", float("nan")), ("inf", float("inf")), ("negative", -1.0), ("1e300", 1e300)):
        yield f"length-{name}.webm", put(webm, length + 3, struct.pack(">d", value)), EITHER
    nest = b""
    for _ in range(3000):
        nest = ebml(0x18538067, nest)
    yield "deep.webm", WEBM + nest, REFUSED
    yield (
        "tracks-without-end.webm",
        WEBM + ebml(0x18538067, ebml(0x1654AE6B, ebml(0xAE, ebml(0xD7, b"\1")) * 20_000)),
        REFUSED,
    )
    yield "element-beyond-the-end.webm", WEBM + ebml(0x18538067, b"", 2**48), REFUSED
    yield "header-only.webm", WEBM, REFUSED


def many_frames(count: int) -> bytes:
    """A film whose tables say that the same picture is shown `count` times, 12,800 times a second."""
    content = film("mov", "rawvideo", pixels="rgb24", frames=1)
    content = put_after(content, b"stsz", 8, struct.pack(">I", count))
    content = put_after(content, b"stts", 8, struct.pack(">II", count, 1))
    at = content.index(b"stco") - 4
    place = content[at + 16 : at + 20]
    return within(content, at, box(b"stco", struct.pack(">II", 0, count) + place * count), b"stbl")


def within(content: bytes, at: int, new: bytes, *parents: bytes) -> bytes:
    """Another box in place of the one at `at`, with the boxes around it grown to hold it."""
    old = struct.unpack_from(">I", content, at)[0]
    grown = bytearray(content[:at] + new + content[at + old :])
    for name in (b"moov", b"trak", b"mdia", b"minf", *parents):
        place = content.index(name) - 4
        grown[place : place + 4] = struct.pack(">I", struct.unpack_from(">I", content, place)[0] + len(new) - old)
    return bytes(grown)


@family
def lying_sounds() -> Iterator[tuple[str, bytes, Fate]]:
    yield "rate-4294967295.wav", wav(rate=2**32 - 1), REFUSED
    yield "rate-0.wav", wav(rate=0), REFUSED
    yield "rate-1.wav", wav(rate=1), REFUSED
    yield "channels-65535.wav", wav(channels=65535, align=65535), REFUSED
    yield "channels-0.wav", wav(channels=0, align=2), REFUSED
    yield "bits-0.wav", wav(bits=0), EITHER
    yield "bits-65535.wav", wav(bits=65535, align=2), EITHER
    yield "align-0.wav", wav(align=0), EITHER
    yield "align-65535.wav", wav(align=65535), EITHER
    yield "data-4294967295.wav", wav(data=2**32 - 1), EITHER
    yield "data-0.wav", wav(data=0), EITHER
    yield "riff-0.wav", wav(riff=0), EITHER
    for coding in (0, 2, 0x11, 0x31, 0x50, 0x160, 0xFFFE, 0xFFFF):
        yield f"coding-{coding:x}.wav", wav(coding=coding), EITHER
    yield "no-format.wav", riff(b"RIFF", b"WAVE" + riff(b"data", bytes(4000))), REFUSED
    yield "200000-chunks.wav", riff(b"RIFF", b"WAVE" + riff(b"junk", b"") * 200_000), REFUSED
    long = struct.pack("<HHIIHH", 1, 1, 8000, 16000, 2, 16)
    yield (
        "thirty-minutes.wav",
        riff(b"RIFF", b"WAVE" + riff(b"fmt ", long) + riff(b"data", bytes(16000 * 1800))),
        REFUSED,
    )
    flac = good("flac")
    yield "rate-0.flac", put(flac, 18, b"\0\0\x02"), EITHER  # each frame says it again
    yield "samples-68719476735.flac", put(flac, 21, b"\xff" * 5), REFUSED
    yield "block-of-16-megabytes.flac", put(flac, 5, b"\xff\xff\xff"), REFUSED
    yield "cover-of-4-gigabytes.flac", flac[:4] + b"\x06\0\0\x20" + b"\xff" * 32 + flac[4:], EITHER
    mp3 = good("mp3")
    yield "tag-of-256-megabytes.mp3", b"ID3\3\0\0\x7f\x7f\x7f\x7f" + mp3, REFUSED
    yield "tag-in-tag.mp3", b"ID3\3\0\0\0\0\0\x0a" * 20_000 + mp3, EITHER
    yield (
        "frames-4294967295.mp3",
        put(mp3, mp3.index(b"Xing") + 8 if b"Xing" in mp3 else mp3.index(b"Info") + 8, b"\xff" * 4),
        EITHER,
    )
    yield "frame-of-no-length.aac", good("aac")[:3] + bytes(4) + good("aac")[7:], EITHER
    yield "only-heads.aac", good("aac")[:7] * 3000, EITHER
    ogg = good("ogg")
    yield "grain-9223372036854775807.ogg", put(ogg, ogg.rindex(b"OggS") + 6, b"\xff" * 7 + b"\x7f"), EITHER
    yield "only-pages.ogg", ogg[:28] * 3000, EITHER
    yield "rate-0.ogg", put_after(ogg, b"OpusHead", 1, b"\0"), EITHER
    yield "channels-255.ogg", put_after(ogg, b"OpusHead", 1, b"\xff"), EITHER
