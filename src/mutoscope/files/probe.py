"""The only thing that opens a stranger's file: what it is, judged by its content, in a child process.

This process reads the first bytes of a file and compares them with a table. Everything that parses runs
in `_probe_child.py`, in a child with limits on memory, processor time, files and clock, and without a network.
"""

import asyncio
import contextlib
import os
import re
import signal
import sys
from pathlib import Path
from typing import Any, BinaryIO, Literal

import msgspec
from msgspec import Struct

from mutoscope.model.config import Inputs
from mutoscope.model.job import MediaLimits, Role
from mutoscope.model.problem import Kind, Problem, Unavailable

HEAD = 64 * 1024  # enough to look past an ID3 tag's header and into the first frames
WALL_SECONDS = 15.0  # the patience of this process with one file
CHILDREN = 2  # files looked at side by side
TRIES = 3  # with a new child each, where one was killed
MEBIBYTE = 1024 * 1024
POSTER_SIDE = 512  # pixels
LONGEST_LINE = 4 * MEBIBYTE  # that a child may say

MARKS = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"fLaC", "audio/flac"),
    (b"ID3", "audio/mpeg"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
    (b"II+\0", "image/tiff"),
    (b"MM\0+", "image/tiff"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "image/jxl"),
    (b"\xff\x0a", "image/jxl"),
)
RIFF = {b"WEBP": "image/webp", b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo"}
FORM = {b"AIFF": "audio/aiff", b"AIFC": "audio/aiff"}
BRANDS = {
    b"qt  ": "video/quicktime",
    b"M4A ": "audio/mp4",
    b"M4B ": "audio/mp4",
    b"avif": "image/avif",
    b"avis": "image/avif",
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"), "image/heic"),
}
"""First brands of an ISO file that are not video/mp4."""
ANY_PICTURE = (b"mif1", b"msf1")  # first brands of both AVIF and HEIC
FILLERS = (b"free", b"skip", b"wide", b"uuid", b"pnot")
"""Boxes that may stand at the front of an ISO file and tell nothing of what it is."""
FRONT = 64  # boxes that are passed over in search of one that tells
BARE_BOXES = {
    **dict.fromkeys((b"moov", b"mdat", b"wide"), "video/quicktime"),  # from before there were brands
    **dict.fromkeys((b"moof", b"sidx"), "video/mp4"),
}
OTHERS = (
    (b"%PDF", "application/pdf"),
    (b"%!PS", "application/postscript"),
    (b"8BPS", "image/vnd.adobe.photoshop"),
    (b"\0\0\0\x0cjP  ", "image/jp2"),
    (b"\xff\x4f\xff\x51", "image/jp2"),
    (b"FLV\x01", "video/x-flv"),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "video/x-ms-asf"),
    (b"\0\0\x01\xba", "video/mpeg"),
    (b"caff\0", "audio/x-caf"),
    (b".snd", "audio/basic"),
    (b"riff.\x91\xcf\x11", "audio/x-w64"),
    (b"#!AMR", "audio/amr"),
    (b"MThd", "audio/midi"),
    (b"PK\x03\x04", "application/zip"),
)
"""What is not taken, and can be named to whoever sent it."""
OGG_VIDEO = (b"\x80theora", b"\x01video", b"OVP80")

IMAGES = ("image/png", "image/jpeg", "image/webp", "image/avif", "image/bmp", "image/gif")
STREAMS = (
    *("video/mp4", "video/quicktime", "video/webm", "video/x-matroska", "video/x-msvideo", "video/ogg"),
    *("audio/mp4", "audio/mpeg", "audio/aac", "audio/wav", "audio/flac", "audio/ogg", "audio/webm"),
)
READABLE = (*IMAGES, *STREAMS)
DRAWING = "image/svg+xml"
DRAWING_HEAD = 4096  # bytes in which its first element begins
BEFORE_SVG = re.compile(
    rb"(?:\xef\xbb\xbf)?(?>\s+|<\?.{0,1024}?\?>|<!--.{0,2048}?-->|<!DOCTYPE svg[^\[>]{0,1024}>)*+<svg[\s>/]", re.DOTALL
)  # nothing is tried twice: it is a stranger's text
TAKEN = {
    "image": "PNG, JPEG, WebP, AVIF, BMP or GIF",
    "video": "MP4, MOV, WebM, Matroska, AVI or Ogg",
    "audio": "MP3, AAC, M4A, WAV, FLAC, Ogg or WebM",
}
"""For people: what a picture, a clip or a sound may come as."""

FAMILY = {
    Role.VIDEO: ("video",),
    Role.REFERENCE_VIDEO: ("video",),
    Role.AUDIO: ("audio",),
    Role.CHARACTER: ("image", "video"),
}
"""Kinds of media that a role takes when its limits name no types; every other role takes images."""


def kinds_of(role: Role) -> tuple[str, ...]:
    return FAMILY.get(role, ("image",))


class MediaInfo(Struct, frozen=True, kw_only=True):
    """What a file is. Width and height are as shown, after its own rotation."""

    media_type: str
    kind: str  # "image", "video" or "audio"
    bytes: int
    width: int | None = None
    height: int | None = None
    seconds: float | None = None
    fps: float | None = None
    frames: int | None = None
    has_audio: bool = False
    comment: str | None = None  # what it says of itself


Drawing = Literal["poster", "preview", "waveform"]
DRAWINGS: dict[str, tuple[Drawing, ...]] = {
    "image": ("poster",),
    "video": ("poster", "preview"),
    "audio": ("waveform",),
}
"""What is drawn of a file of each kind; the first stands for it where there is room for one picture."""


class Drawn(Struct, frozen=True, kw_only=True):
    """A small picture, or a small clip without sound, of a file."""

    data: bytes
    media_type: str
    width: int
    height: int


def sniff(head: bytes) -> str | None:
    """The media type of a file that begins with `head`, by content alone; None when it is none of ours."""
    for mark, media_type in MARKS:
        if head.startswith(mark):
            return media_type
    if head[:4] in (b"RIFF", b"RF64"):
        return RIFF.get(head[8:12])
    if head[:4] == b"FORM":
        return FORM.get(head[8:12])
    if head[4:8] in (b"ftyp", b"styp"):
        return sniff_brands(head)
    if head[4:8] in BARE_BOXES and int.from_bytes(head[:4]) not in range(2, 8):
        return BARE_BOXES[head[4:8]]
    if head[:4] == b"\x1aE\xdf\xa3":
        return "video/webm" if b"webm" in head[:64] else "video/x-matroska"
    if head[:4] == b"OggS":
        return "video/ogg" if any(mark in head[:256] for mark in OGG_VIDEO) else "audio/ogg"
    if head[:2] == b"BM" and int.from_bytes(head[14:18], "little") in (12, 40, 52, 56, 64, 108, 124):
        return "image/bmp"
    return sniff_frames(head)


def sniff_brands(head: bytes) -> str:
    """The first brand tells, but where it is one of any picture's, which coding that picture has."""
    first, length = head[8:12], int.from_bytes(head[:4])
    others = {head[at : at + 4] for at in range(16, min(length, len(head), 256), 4)}
    if first in ANY_PICTURE and others & {b"avif", b"avis"}:
        return "image/avif"
    return BRANDS.get(first, "video/mp4")


def sniff_frames(head: bytes) -> str | None:
    """MP3 and ADTS have no file header: the sync word and the fields after it must make sense."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    if head[1] & 0xF6 == 0xF0:  # layer 00
        return "audio/aac" if (head[2] >> 2) & 0xF < 13 else None
    version, layer = (head[1] >> 3) & 3, (head[1] >> 1) & 3
    bitrate, rate = head[2] >> 4, (head[2] >> 2) & 3
    return "audio/mpeg" if version != 1 and layer == 1 and 0 < bitrate < 15 and rate != 3 else None


def is_drawing(head: bytes) -> bool:
    """Whether it begins as SVG does: a text whose first element is one, behind what may stand before it."""
    return BEFORE_SVG.match(head[:DRAWING_HEAD]) is not None


class Prober:
    """Looks into strangers' files. Children start with the first file and are kept warm."""

    def __init__(self, settings: Inputs, *, wall_seconds: float = WALL_SECONDS) -> None:
        self.settings, self.wall_seconds = settings, wall_seconds
        self._turns = asyncio.Semaphore(CHILDREN)
        self._idle: list[_Child] = []
        self._closed = False

    async def probe(self, path: Path, *, field: str | None = None, drawings: bool = False) -> MediaInfo:
        """What the file is. Raises Problem (BAD_MEDIA) when it is damaged, unknown or beyond the host's limits.

        `drawings`: SVG is taken too, as what a vendor makes; as an input it is a picture for nobody.
        """
        head, size = await asyncio.to_thread(read_head, path)
        media_type = DRAWING if drawings and is_drawing(head) else sniff(head)
        if media_type not in (*READABLE, DRAWING):
            raise bad(f"Unsupported asset type: {unreadable(media_type) if media_type else describe(head)}", field)
        if size > self.settings.max_bytes:
            raise bad(f"{size_phrase(self.settings.max_bytes)} (inputs.max_bytes)", field)
        answer = await self._ask(
            {
                "path": str(await asyncio.to_thread(path.resolve)),
                "media_type": media_type,
                "max_pixels": self.settings.max_pixels,
                "max_seconds": self.settings.max_seconds,
            }
        )
        if "flaw" in answer:
            raise bad(str(answer["flaw"]), field)
        return msgspec.convert({"media_type": media_type, **answer["info"], "bytes": size}, MediaInfo)

    async def draw(self, path: Path, what: Drawing, *, side: int = POSTER_SIDE) -> Drawn:
        """A small picture or clip of a file, no side longer than `side`; of a sound, what it looks like. Drawn by a
        child of low priority. Raises Problem(BAD_MEDIA) where there is nothing to be drawn.
        """
        head, _ = await asyncio.to_thread(read_head, path)
        answer = await self._ask(
            {
                "path": str(await asyncio.to_thread(path.resolve)),
                "media_type": sniff(head) or "unknown",
                "max_pixels": self.settings.max_pixels,
                "max_seconds": self.settings.max_seconds,
                "draw": what,
                "side": side,
            }
        )
        if "flaw" in answer:
            raise bad(str(answer["flaw"]), None)
        return msgspec.convert(answer["info"], Drawn)

    async def sandbox(self) -> dict[str, bool]:
        """Which walls stand around a child at work on this machine: network, files, processes, memory."""
        answer = await self._ask({"path": __file__, "media_type": "sandbox"})
        return msgspec.convert(answer.get("info", {}), dict[str, bool])

    async def close(self) -> None:
        self._closed = True  # children at work end with their file
        while self._idle:
            await self._idle.pop().end()

    async def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """What a child found. One that was killed is replaced and the next one asked: that was not the file's doing."""
        async with self._turns:
            for _ in range(TRIES):
                child = await self._child()
                healthy = False
                try:
                    async with asyncio.timeout(self.wall_seconds):
                        answer = await child.ask(request)
                    healthy = True
                except TimeoutError:
                    return {"flaw": f"Invalid asset: looking into it took more than {self.wall_seconds:g} seconds"}
                except Died:
                    continue
                finally:
                    if healthy and not self._closed:
                        self._idle.append(child)
                    else:
                        await child.end()
                if "killed" not in answer:
                    return answer
            raise Unavailable("The server cannot look into files now: whatever looks into them is killed.")

    async def _child(self) -> "_Child":
        while self._idle:
            if (child := self._idle.pop()).alive:
                return child
            await child.end()
        return await _Child.start()


class Died(Exception):
    """A child is gone, or speaks no sense: it has not answered."""


class _Child:
    """A process that runs `_probe_child.py`: a line of JSON in, a line of JSON out."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    @classmethod
    async def start(cls) -> "_Child":
        # By path, isolated and with an empty environment: it needs none of our modules, and knows no secrets.
        return cls(
            await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", str(Path(__file__).with_name("_probe_child.py"))),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                env={"OPENBLAS_NUM_THREADS": "1"},
                start_new_session=True,
                limit=LONGEST_LINE,
            )
        )

    @property
    def alive(self) -> bool:
        return self.process.returncode is None

    async def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """Raises Died."""
        assert self.process.stdin is not None and self.process.stdout is not None  # noqa: S101 (for the types)
        try:
            self.process.stdin.write(msgspec.json.encode(request) + b"\n")
            await self.process.stdin.drain()
            line = await self.process.stdout.readline()
            if line.endswith(b"\n"):
                return msgspec.json.decode(line, type=dict[str, Any])
        except (OSError, ValueError, RuntimeError) as error:  # the last is uvloop's word for a pipe that is closed
            raise Died from error
        raise Died

    async def end(self) -> None:
        """Kill it and whatever it forked."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        await self.process.communicate()  # waits, and lets go of the pipes


def check(info: MediaInfo, limits: MediaLimits | None, *, role: Role, field: str | None) -> None:
    """Hold a file against the vendor's limits; raises Problem (BAD_MEDIA) with the phrase that clients know."""
    limits = limits or MediaLimits()
    flaw = type_flaw(info, limits, role) or size_flaw(info, limits) or seconds_flaw(info, limits)
    if flaw is None and info.width is not None and info.height is not None:
        flaw = sides_flaw(info.width, info.height, limits) or aspect_flaw(info.width, info.height, limits)
    if flaw is not None:
        raise bad(flaw, field)


def type_flaw(info: MediaInfo, limits: MediaLimits, role: Role) -> str | None:
    if limits.types:
        types = tuple("image/jpeg" if each == "image/jpg" else each for each in limits.types)
        if info.media_type not in types:
            return f"Unsupported asset type: expected {', '.join(types)}, found {info.media_type}"
    elif info.kind not in (kinds := kinds_of(role)):
        return f"Unsupported asset type: expected {' or '.join(kinds)}, found {info.media_type}"
    return None


def size_flaw(info: MediaInfo, limits: MediaLimits) -> str | None:
    if limits.max_bytes is not None and info.bytes > limits.max_bytes:
        return f"{size_phrase(limits.max_bytes)}: found {info.bytes / MEBIBYTE:.2f}MB"
    return None


def seconds_flaw(info: MediaInfo, limits: MediaLimits) -> str | None:
    if info.seconds is None:
        return None
    if limits.max_seconds is not None and info.seconds > limits.max_seconds + SLACK_SECONDS:
        return f"Asset duration must be at most {limits.max_seconds:g} seconds: found {info.seconds:.2f}"
    if limits.min_seconds is not None and info.seconds < limits.min_seconds - SLACK_SECONDS:
        return f"Asset duration must be at least {limits.min_seconds:g} seconds: found {info.seconds:.2f}"
    if limits.above_fps is not None and info.fps is not None and info.fps <= limits.above_fps:
        return f"Asset frame rate must be above {limits.above_fps:g} frames per second: found {info.fps:.4g}"
    return None


SLACK_SECONDS = 0.1
"""A 30-second clip with sound is often a few audio frames longer."""


def sides_flaw(width: int, height: int, limits: MediaLimits) -> str | None:
    found = f"found {width}x{height}"
    if limits.min_side is not None and min(width, height) < limits.min_side:
        return f"Invalid asset dimensions: each side must be at least {limits.min_side} pixels, {found}"
    if limits.max_side is not None and max(width, height) > limits.max_side:
        return f"Invalid asset dimensions: each side must be at most {limits.max_side} pixels, {found}"
    if limits.max_pixels is not None and width * height > limits.max_pixels:
        return f"Invalid asset dimensions: at most {limits.max_pixels} pixels in all, {found}"
    return None


def aspect_flaw(width: int, height: int, limits: MediaLimits) -> str | None:
    aspect = width / height
    found = f"found {aspect:.4g} ({width}x{height})"
    if limits.min_aspect is not None and aspect < limits.min_aspect:
        return f"Invalid asset aspect ratio: width / height must be at least {limits.min_aspect:g}, {found}"
    if limits.max_aspect is not None and aspect > limits.max_aspect:
        return f"Invalid asset aspect ratio: width / height must be at most {limits.max_aspect:g}, {found}"
    return None


def size_phrase(max_bytes: int) -> str:
    """As Runway says it: Asset size exceeds 16MB."""
    return f"Asset size exceeds {max_bytes / MEBIBYTE:g}MB"


def read_head(path: Path) -> tuple[bytes, int]:
    """The first bytes that tell what it is, and the size of the file."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        file.seek(front_of(file, size))
        return file.read(HEAD), size


def front_of(file: BinaryIO, size: int) -> int:
    """Where the first box begins that is no filler; 0 where there is none, and in what is no ISO file."""
    at = 0
    for _ in range(FRONT):
        file.seek(at)
        head = file.read(16)
        if head[4:8] not in FILLERS:
            return at
        length = int.from_bytes(head[8:16] if head[:4] == b"\0\0\0\1" else head[:4])
        if length < 8 or at + length >= size:
            return 0
        at += length
    return 0


def unreadable(media_type: str) -> str:
    """A kind of media that is known and not taken, and what is taken instead."""
    kind = media_type.partition("/")[0]
    return f"{media_type}; convert it to {TAKEN[kind]}" if kind in TAKEN else media_type


def describe(head: bytes) -> str:
    """A word on content that is no media, for the message."""
    start = head[:256].lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    if not head:
        return "the file is empty"
    if b"<svg" in head[:1024].lower():
        return DRAWING
    if start.startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        return "text/html"
    if named := next((name for mark, name in OTHERS if head.startswith(mark)), None):
        return unreadable(named)
    if len(head) > 376 and head[0] == head[188] == head[376] == 0x47:
        return unreadable("video/mp2t")
    return "the content is no picture, video or sound that is known here"


def bad(message: str, field: str | None) -> Problem:
    return Problem(Kind.BAD_MEDIA, message, field=field)
