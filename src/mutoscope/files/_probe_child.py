"""The child of `probe.py`: opens one stranger's file per fork, in a sandbox, and tells what it is.

Run by path, isolated; of ours it loads the sandbox only, by path. It reads a line of JSON, forks, and the fork sets
its limits, opens the file, tells what it found and is gone. Nothing that a file did outlives it.

The sandbox, where the system has it: memory, processor time, no file written (resource limits); no network, no
process started, signalled or read, no file removed or renamed (seccomp); no file opened but the one that was named
(Landlock).
"""

import base64
import contextlib
import copy
import importlib.util
import io
import json
import math
import mmap
import os
import re
import resource
import signal
import struct
import sys
import warnings
from array import array
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast
from xml.parsers import expat

import av
from av import logging
from av.audio.stream import AudioStream
from av.codec.context import CodecContext
from av.container import InputContainer
from av.stream import Disposition
from av.subtitles.codeccontext import SubtitleCodecContext
from av.subtitles.stream import SubtitleStream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageOps,
    JpegImagePlugin,
    MpoImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

if TYPE_CHECKING:
    from mutoscope.files import _sandbox as shut
else:
    spec = importlib.util.spec_from_file_location("sandbox", Path(__file__).with_name("_sandbox.py"))
    shut = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(shut)

MEMORY = 1536 * 1024 * 1024  # address space: libraries, a 64-megapixel frame, and the decoder's own
CPU_SECONDS = 10
FROM_OUTSIDE = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
"""What no file does to the process that reads it: somebody else did, or the system was short of memory."""
OPEN_FILES = 32
TRACKS = 16
PACKETS = 2_000_000
FRAMES = 150_000  # of a video: ten minutes at 240 a second, and some
PICTURES = 2_000  # of an animated picture
RATES = range(1_000, 768_001)  # samples a second
CHANNELS = range(1, 65)
MOST_FPS = 1000
ANSWER = 64 * 1024  # bytes that a fork may say
DRAWN = 2 * 1024 * 1024  # the same where it was asked for a picture of the file
BOXES = 1_000_000
SLACK_SECONDS = 0.25  # how far a header's length may be from the packets'
UNKNOWN_LENGTH = 0x7F000000  # bytes of sound that a WAV header claims; more than any file that is taken has
COMMENT = 1000  # characters
ORIENTATION = 0x0112  # EXIF
LYING = (5, 6, 7, 8)  # its values that swap width and height

PARSERS = (PngImagePlugin, JpegImagePlugin, WebPImagePlugin, AvifImagePlugin, BmpImagePlugin, GifImagePlugin)
LATER = (MpoImagePlugin, TiffImagePlugin, SubtitleCodecContext, SubtitleStream, copy, mmap)
"""Imported before the fork, and by name, so that Pillow does not go and load every parser it has; the second line is
what the libraries would import for a file that needs it, but in the sandbox nothing can be imported any more."""
FORMATS = {
    "image/png": "PNG",
    "image/jpeg": "JPEG",
    "image/webp": "WEBP",
    "image/avif": "AVIF",
    "image/bmp": "BMP",
    "image/gif": "GIF",
}
DRAWING = "image/svg+xml"
DEPTH = 256  # elements of a drawing in each other
PIXELS = re.compile(r"\+?(\d{1,6}(?:\.\d{0,6})?)(?:px)?")
DEMUXERS = {
    "video/mp4": "mov",
    "video/quicktime": "mov",
    "audio/mp4": "mov",
    "video/webm": "matroska",
    "video/x-matroska": "matroska",
    "video/x-msvideo": "avi",
    "video/ogg": "ogg",
    "audio/ogg": "ogg",
    "audio/mpeg": "mp3",
    "audio/aac": "aac",
    "audio/wav": "wav",
    "audio/flac": "flac",
}
SOUND_ONLY = {
    "video/mp4": "audio/mp4",
    "video/quicktime": "audio/mp4",
    "video/webm": "audio/webm",
    "video/ogg": "audio/ogg",
}
TELLS_LENGTH = ("matroska", "wav", "flac")
"""Demuxers whose headers state the length, so that a shorter file is a truncated one."""


DECODERS = frozenset(
    {
        *("h264", "hevc", "vp8", "vp9", "libvpx-vp9", "av1", "libdav1d", "libaom-av1", "mpeg4", "mpeg1video"),
        *("mpeg2video", "h263", "mjpeg", "theora", "prores", "png", "rawvideo", "msmpeg4v3", "dnxhd", "ffv1"),
        *("aac", "mp3", "mp3float", "mp2", "mp2float", "opus", "libopus", "vorbis", "libvorbis", "flac", "alac"),
        *("ac3", "eac3", "pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s24be", "pcm_s32le", "pcm_s32be", "pcm_u8"),
        *("pcm_s8", "pcm_f32le", "pcm_f32be", "pcm_f64le", "pcm_f64be", "pcm_mulaw", "pcm_alaw", "adpcm_ms"),
        *("adpcm_ima_wav", "adpcm_ima_qt"),
    }
)
"""What is let loose on a stranger's bytes, of the hundreds of decoders that FFmpeg has."""


class Flaw(Exception):
    """What is wrong with the file, for the caller."""


def main() -> None:
    warnings.simplefilter("ignore")
    logging.set_level(None)
    Image.preinit()
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1  # in the sandbox no thread can be started
    for line in sys.stdin.buffer:
        say(answer(line))


def answer(line: bytes) -> dict[str, Any]:
    """What a fork found. It speaks through a pipe of its own, so that it cannot answer for the next file."""
    inlet, outlet = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            request = json.loads(line)
            os.dup2(os.open(os.devnull, os.O_RDWR), 0)
            os.dup2(0, 1)
            limit(request["path"])
            os.write(outlet, json.dumps(look(request)).encode())
            code = 0
        finally:
            os._exit(code)
    os.close(outlet)
    with os.fdopen(inlet, "rb") as pipe:
        told = pipe.read(DRAWN if b'"draw"' in line else ANSWER)
    _, status = os.waitpid(child, 0)
    with contextlib.suppress(ValueError, RecursionError):
        found: Any = json.loads(told) if status == 0 else None
        if isinstance(found, dict):
            return cast("dict[str, Any]", found)
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) in FROM_OUTSIDE:
        return {"killed": os.WTERMSIG(status)}
    # A signal of another kind: memory, processor time, or a crash in a codec.
    return {"flaw": "Invalid asset: it cannot be read within the limits of this server"}


def look(request: dict[str, Any]) -> dict[str, Any]:
    """In the fork: answer in any case, except when killed."""
    try:
        if request["media_type"] == SANDBOX:
            return {"info": shut.standing(request["path"], MEMORY)}
        if "draw" in request:
            os.nice(DRAWS_LATER)
            return {"info": DRAW[request["draw"]](request)}
        read = drawing if request["media_type"] == DRAWING else image if request["media_type"] in FORMATS else stream
        return {"info": read(request)}
    except Flaw as flaw:
        return {"flaw": str(flaw)}
    except MemoryError:
        return {"flaw": "Invalid asset: it needs more memory than this server gives a file"}
    except Exception:
        # Not the library's own words: they may quote the file or name a path.
        return {"flaw": f"Invalid asset: damaged, or not {request['media_type']}"}


def say(found: dict[str, Any]) -> None:
    os.write(1, json.dumps(found).encode() + b"\n")


# -- the sandbox ----------------------------------------------------------------------

SANDBOX = "sandbox"


def limit(path: str) -> None:
    """Shut this process in with the one file that it may read."""
    bounds = (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
    )
    for which, value in bounds:
        hard = (
            value + 1 if which == resource.RLIMIT_CPU else value
        )  # at the hard limit comes a SIGKILL, as from outside
        try:
            resource.setrlimit(which, (value, hard))
        except (OSError, ValueError):  # macOS does not bound address space
            if which != resource.RLIMIT_AS:
                raise
    signal.alarm(3 * CPU_SECONDS)  # should the parent be gone
    if shut.keep_privileges():
        shut.shut_files([(path, shut.READ)])
        shut.shut_calls(shut.NETWORK, shut.STARTS, shut.OTHERS, shut.FILES, shut.SYSTEM)


# -- pictures -------------------------------------------------------------------------


def image(request: dict[str, Any]) -> dict[str, Any]:
    """The header, one walk over the file's own structure, and a first picture that can be decoded."""
    path, media_type, most = request["path"], request["media_type"], request["max_pixels"]
    if media_type == "image/avif" and not AvifImagePlugin.SUPPORTED:
        raise Flaw("Unsupported asset type: image/avif; the Pillow that is installed here was built without it")
    Image.MAX_IMAGE_PIXELS = most
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    try:
        with Image.open(path, formats=(FORMATS[media_type],)) as opened:
            width, height = opened.size
            turned = on_its_side(opened.info.get("exif"))
            comment = comment_text(opened.info.get("Comment", opened.info.get("comment")))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        found = re.search(r"\d+", str(error))
        raise too_many_pixels(most, found.group() if found else "more") from error
    if width * height > most:
        raise too_many_pixels(most, f"{width}x{height}")
    if width * height == 0:
        raise Flaw(f"Invalid asset dimensions: found {width}x{height}")
    with open(path, "rb") as file:  # noqa: PTH123 (a fork that opens one file needs no pathlib)
        if not WHOLE[media_type](file, os.fstat(file.fileno()).st_size):
            raise Flaw(f"Invalid asset: the {media_type} file is truncated or damaged")
    decode(path, media_type)
    shown = (height, width) if turned else (width, height)
    return {"kind": "image", "width": shown[0], "height": shown[1], "comment": comment}


def drawing(request: dict[str, Any]) -> dict[str, Any]:
    """SVG, well-formed to its end, without entities of its own; its size as it says, or of its view."""
    reader = expat.ParserCreate(namespace_separator=" ")
    depth, sizes = 0, list[tuple[int, int]]()

    def begin(name: str, told: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > DEPTH:
            raise Flaw("Invalid asset: its elements stand too deep in each other")
        if depth == 1:
            if name.rpartition(" ")[2] != "svg":
                raise Flaw("Invalid asset: damaged, or not image/svg+xml")
            sizes.append(drawn_size(told))

    def end(_: str) -> None:
        nonlocal depth
        depth -= 1

    def entity(*_: object) -> None:
        raise Flaw("Invalid asset: it declares entities, which a drawing needs none of")

    reader.StartElementHandler, reader.EndElementHandler, reader.EntityDeclHandler = begin, end, entity
    with open(request["path"], "rb") as file:  # noqa: PTH123 (a fork that opens one file needs no pathlib)
        reader.ParseFile(file)
    [(width, height)] = sizes
    if width * height == 0:
        raise Flaw(f"Invalid asset dimensions: found {width}x{height}")
    if width * height > request["max_pixels"]:
        raise too_many_pixels(request["max_pixels"], f"{width}x{height}")
    return {"kind": "image", "width": width, "height": height}


def drawn_size(told: dict[str, str]) -> tuple[int, int]:
    """In pixels: 0 for a side that it tells nowhere, or as no figure."""
    view = [
        float(each) if PIXELS.fullmatch(each) else 0.0 for each in re.split(r"[\s,]+", told.get("viewBox", "").strip())
    ]
    seen = view[2:] if len(view) == 4 else [0.0, 0.0]
    found = (PIXELS.fullmatch(told.get(name, "").strip()) for name in ("width", "height"))
    width, height = (float(each.group(1)) if each else usual for each, usual in zip(found, seen, strict=True))
    return math.ceil(width), math.ceil(height)


def decode(path: str, media_type: str) -> None:
    """Whoever makes something of the file will decode it: what breaks a decoder breaks it here first."""
    with Image.open(path, formats=(FORMATS[media_type],)) as opened:
        if media_type == "image/jpeg":
            opened.draft(None, (1, 1))  # an eighth of each side is enough to read all of it
        opened.load()


def comment_text(comment: object) -> str | None:
    """What a file says of itself, cut short."""
    text = comment.decode("utf-8", "replace") if isinstance(comment, bytes) else comment
    return str(text)[:COMMENT] if text else None


def on_its_side(exif: bytes | None) -> bool:
    """Read from the bytes: Pillow's own `getexif` decodes a whole PNG to look behind the pixels."""
    if not exif:
        return False
    tags = Image.Exif()
    try:
        tags.load(exif)
        return tags.get(ORIENTATION) in LYING
    except Exception:  # an absurd block turns nothing
        return False


def too_many_pixels(most: int, found: str) -> Flaw:
    return Flaw(f"Invalid asset dimensions: at most {most} pixels in all (inputs.max_pixels), found {found}")


def whole_png(file: BinaryIO, size: int) -> bool:
    """Walk the chunks and their checksums to the end; the pictures of an animation are counted."""
    with Image.open(file, formats=("PNG",)) as opened:
        opened.verify()
    claimed, found, at = 0, 0, 8
    while at < size:
        file.seek(at)
        head = file.read(12)
        found += head[4:8] == b"fcTL"
        if head[4:8] == b"acTL":
            claimed = int.from_bytes(head[8:12])
        if head[4:8] == b"IEND":
            break
        at += 12 + int.from_bytes(head[:4])
    check_pictures(found, claimed)
    return True


def whole_jpeg(file: BinaryIO, size: int) -> bool:
    """Walk the segments to the first scan, so that a thumbnail's end is not taken for the picture's."""
    data, at = file.read(), 2
    while data[at : at + 1] == b"\xff":
        mark = data[at + 1 : at + 2]
        if mark == b"\xff":  # fill
            at += 1
        elif mark == b"\xda":
            return data.find(b"\xff\xd9", at) > 0
        else:
            if mark in HUFFMAN:
                height, width = struct.unpack_from(">HH", data, at + 5)
                if 8 * size < -(-width // 8) * -(-height // 8):  # not one bit for each block
                    raise Flaw(f"Invalid asset dimensions: the header says {width}x{height}, the data is too little")
            at += 2 + int.from_bytes(data[at + 2 : at + 4])
    return False


HUFFMAN = (b"\xc0", b"\xc1", b"\xc2")
"""Frames of JPEG in which each block of 8x8 pixels takes a bit at least."""


def whole_webp(file: BinaryIO, size: int) -> bool:
    length = int.from_bytes(file.read(8)[4:], "little") + 8
    at, found = 12, 0
    while at < min(length, size):
        file.seek(at)
        head = file.read(8)
        found += head[:4] == b"ANMF"
        check_pictures(found)
        at += 8 + (int.from_bytes(head[4:], "little") + 1 & ~1)
    return length <= size


def whole_gif(file: BinaryIO, size: int) -> bool:
    """Walk the blocks and count the pictures. A missing end is common, and forgiven."""
    data, at, found = file.read(), 13, 0
    at += colors(data[10:11])
    while at < size and data[at] != 0x3B:
        if data[at] == 0x2C:
            found += 1
            check_pictures(found)
            at += 11 + colors(data[at + 9 : at + 10])
        elif data[at] == 0x21:
            at += 2
        else:
            break  # padding, or something that no viewer reads
        while at < size and (length := data[at]):
            at += 1 + length
        at += 1
    return found > 0


def colors(flags: bytes) -> int:
    """The bytes of a GIF's colour table."""
    return 3 << (flags[0] & 7) + 1 if flags and flags[0] & 0x80 else 0


def check_pictures(found: int, claimed: int | None = None) -> None:
    if found > PICTURES:
        raise Flaw(f"Invalid asset: more than {PICTURES} pictures in one file")
    if claimed is not None and claimed != found:
        raise Flaw(f"Invalid asset: the header says {claimed} pictures, there are {found}")


def whole_bmp(file: BinaryIO, size: int) -> bool:
    """The header knows the length, where it tells it; decoding finds out the rest."""
    return int.from_bytes(file.read(6)[2:], "little") <= size


def boxes_end(file: BinaryIO, size: int) -> bool:
    """Whether the outermost boxes of an ISO file end where the file ends."""
    at = 0
    for _ in range(BOXES):
        file.seek(at)
        head = file.read(16)
        length = int.from_bytes(head[:4])
        if length == 1:
            length = int.from_bytes(head[8:16])
        if length == 0:  # the last box, open-ended; or padding
            return True
        at += length
        if length < 8 or at > size:
            return False
        if at == size:
            return True
    return False


WHOLE: dict[str, Callable[[BinaryIO, int], bool]] = {
    "image/png": whole_png,
    "image/jpeg": whole_jpeg,
    "image/webp": whole_webp,
    "image/avif": boxes_end,
    "image/bmp": whole_bmp,
    "image/gif": whole_gif,
}
"""Whether a file goes on to its own end, read without decoding."""


# -- videos and sounds ----------------------------------------------------------------


def stream(request: dict[str, Any]) -> dict[str, Any]:
    """A video or a sound: the header, the first frame, and one walk over all packets without decoding the rest."""
    media_type = request["media_type"]
    demuxer = DEMUXERS[media_type]
    if demuxer == "mov" and not whole_boxes(request["path"]):
        raise Flaw(f"Invalid asset: the {media_type} file is truncated or damaged")
    with open_stream("file:" + request["path"], demuxer) as container:
        video = next((each for each in container.streams.video if not cover_art(each)), None)
        sound = next(iter(container.streams.audio), None)
        track = video or sound
        if track is None:
            raise Flaw("Unsupported asset type: it holds neither picture nor sound")
        for each in (video, sound):
            if each is not None:
                check_decoder(each)
        if sound is not None:
            check_rate(sound)
        comment = comment_text(container.metadata.get("comment"))
        claimed = claimed_seconds(container, track)
        check_seconds(claimed, request["max_seconds"])
        size = check_pixels(video, request["max_pixels"]) if video is not None else (0, 0)
        ragged = demuxer == "wav" and no_length(request["path"])
        frame, tallies = walk(container, video, sound, request["max_pixels"], ragged=ragged)
        seconds = settle_seconds(claimed, tallies, demuxer)
        if video is not None:
            check_frames(video.frames, tallies[0].frames, seconds)
        check_seconds(seconds, request["max_seconds"])
        if video is None:
            found = SOUND_ONLY.get(media_type, media_type)
            if not str(found).startswith("audio/"):
                raise Flaw(f"Unsupported asset type: {media_type} without a picture")
            return {"kind": "audio", "media_type": found, "seconds": seconds, "has_audio": True, "comment": comment}
        shape = {**sides(frame, size), "fps": rate(video), "comment": comment}
    return {"kind": "video", **shape, "frames": tallies[0].frames, "seconds": seconds, "has_audio": sound is not None}


def open_stream(url: str, demuxer: str) -> InputContainer:
    """With the demuxer forced, and nothing but files to open: FFmpeg's playlists would read what they name."""
    options = {
        "protocol_whitelist": "file",
        "format_whitelist": demuxer,
        "codec_whitelist": ",".join(sorted(DECODERS)),
        "max_streams": str(TRACKS),
    }
    return av.open(url, mode="r", format=demuxer, options=options)


def check_decoder(track: VideoStream | AudioStream) -> None:
    context = cast("CodecContext | None", track.codec_context)  # None where FFmpeg has no decoder
    if context is None or context.name not in DECODERS:
        raise Flaw(f"Unsupported asset type: its {track.type} is in a coding that is not taken here")


def check_rate(sound: AudioStream) -> None:
    rate, channels = sound.codec_context.sample_rate, sound.codec_context.channels
    if rate not in RATES or channels not in CHANNELS:
        raise Flaw(f"Invalid asset: {channels} channels at {rate} samples a second are not sound")


def check_frames(claimed: int, found: int, seconds: float | None) -> None:
    """Held against the header's count, where it has one; an edit list may leave some out."""
    if found > FRAMES or (seconds and found > MOST_FPS * max(seconds, 1)):
        raise Flaw(f"Invalid asset: {found} frames in {seconds or 0:.2f} seconds")
    if claimed and found > 1.1 * claimed + 2:
        raise Flaw(f"Invalid asset: the header says {claimed} frames, there are {found}")


def cover_art(video: VideoStream) -> bool:
    """Cover art in a sound file is a video stream to FFmpeg."""
    return bool(video.disposition & Disposition.attached_pic)


def claimed_seconds(container: InputContainer, track: VideoStream | AudioStream) -> float | None:
    if track.duration and track.time_base:
        return float(track.duration * track.time_base)
    return container.duration / av.time_base if container.duration else None


def check_seconds(seconds: float | None, most: float) -> None:
    if seconds is not None and not (math.isfinite(seconds) and seconds >= 0):
        raise Flaw("Invalid asset: its length makes no sense")
    if seconds is not None and seconds > most:
        raise Flaw(f"Asset duration must be at most {most:g} seconds (inputs.max_seconds): found {seconds:.2f}")


def check_pixels(video: VideoStream, most: int) -> tuple[int, int]:
    """The size by the header, taken before a decoder can correct it."""
    width, height = video.codec_context.width, video.codec_context.height
    if width * height > most:
        raise too_many_pixels(most, f"{width}x{height}")
    if width * height == 0:
        raise Flaw(f"Invalid asset dimensions: found {width}x{height}")
    return width, height


class Tally:
    """What the packets of one track came to."""

    def __init__(self, track: VideoStream | AudioStream) -> None:
        self.unit = float(track.time_base or 0)
        self.frames, self.end = 0, 0.0
        self.first: float | None = None

    def add(self, packet: Any) -> None:
        self.frames += 1
        if packet.pts is not None:
            at = packet.pts * self.unit
            self.first = at if self.first is None else min(self.first, at)
            self.end = max(self.end, at + (packet.duration or 0) * self.unit)

    @property
    def seconds(self) -> float | None:
        return None if self.first is None else self.end - self.first


def walk(
    container: InputContainer, video: VideoStream | None, sound: AudioStream | None, most: int, *, ragged: bool
) -> tuple[VideoFrame | None, list[Tally]]:
    """Read every packet and decode the first picture only; returns it, and the tally of each track.

    With `ragged` the last packet may be shorter than the header promised.
    """
    tracks = [each for each in (video, sound) if each is not None]
    tallies = {each.index: Tally(each) for each in tracks}
    if video is not None:
        video.codec_context.thread_count = 1
        video.codec_context.options = {"max_pixels": str(most)}  # a picture may grow after its header
    frame, packets = None, 0
    packet: Any
    for packet in container.demux(tracks):
        if packet.is_corrupt and not ragged:
            raise Flaw("Invalid asset: the file is truncated or damaged")
        if frame is None and video is not None and packet.stream_index == video.index:
            frame = next(iter(packet.decode()), None)
        if packet.size == 0 or packet.is_discard:  # the end, or cut away by an edit list
            continue
        tallies[packet.stream_index].add(packet)
        packets += 1
        if packets > PACKETS:
            raise Flaw(f"Invalid asset: more than {PACKETS} frames")
    return frame, list(tallies.values())


def settle_seconds(claimed: float | None, tallies: list[Tally], demuxer: str) -> float | None:
    """The header's word where the packets bear it out, else the packets'."""
    counted = tallies[0].seconds
    if tallies[0].frames == 0:
        raise Flaw("Invalid asset: it holds no frames")
    if claimed is None or counted is None:
        return counted if claimed is None else claimed
    end = max(each.end for each in tallies)
    if demuxer in TELLS_LENGTH and end < claimed - min(SLACK_SECONDS, max(0.05, 0.1 * claimed)):
        raise Flaw(f"Invalid asset: truncated; {claimed:.2f} seconds announced, {end:.2f} there")
    return claimed if abs(claimed - counted) <= max(SLACK_SECONDS, 0.02 * claimed) else counted


def sides(frame: VideoFrame | None, claimed: tuple[int, int]) -> dict[str, Any]:
    """Size as shown. The container's word and the picture's must agree: a false header is a known trick."""
    if frame is None:
        raise Flaw("Invalid asset: no frame can be decoded")
    width, height = frame.width, frame.height
    if (width, height) != claimed:
        told = f"the header says {claimed[0]}x{claimed[1]}, the picture is {width}x{height}"
        raise Flaw(f"Invalid asset dimensions: {told}")
    turned = round(frame.rotation) % 180 == 90
    return {"width": height if turned else width, "height": width if turned else height}


def rate(video: VideoStream) -> float | None:
    found = video.average_rate or video.guessed_rate
    if found and found > MOST_FPS:
        raise Flaw(f"Invalid asset: {float(found):g} frames a second")
    return round(float(found), 4) if found else None


def no_length(path: str) -> bool:
    """Whether a WAV file's length is no length: who writes to a pipe puts 0 or nearly 2 or 4 GiB for what is not known.

    Such a file ends where it ends.
    """
    with open(path, "rb") as file:  # noqa: PTH123
        size, at = os.fstat(file.fileno()).st_size, 12
        while at < size:
            file.seek(at)
            head = file.read(8)
            length = int.from_bytes(head[4:], "little")
            if head[:4] == b"data":
                return length == 0 or (length >= UNKNOWN_LENGTH and at + 8 + length > size)
            at += 8 + length + length % 2
    return False


def whole_boxes(path: str) -> bool:
    with open(path, "rb") as file:  # noqa: PTH123
        return boxes_end(file, os.fstat(file.fileno()).st_size)


# -- small pictures of a file -----------------------------------------------------------

DRAWS_LATER = 10  # niceness: nobody waits for it
PREVIEW_SECONDS, PREVIEW_FPS = 4.0, 12
PREVIEW_CODING = {"crf": "30", "preset": "veryfast", "tune": "fastdecode"}
WAVE = (640, 120)
WAVE_RATE = 8000  # samples a second that are looked at
WAVE_COLOR = (79, 140, 255)


def poster(request: dict[str, Any]) -> dict[str, Any]:
    """A picture, made small; of a clip, a frame from behind its beginning, which is often black."""
    side = request["side"]
    if request["media_type"] in FORMATS:
        with Image.open(request["path"], formats=(FORMATS[request["media_type"]],)) as opened:
            opened.draft("RGB", (side, side))
            picture = ImageOps.exif_transpose(opened)
            picture.thumbnail((side, side))
            return drawn(picture.convert("RGBA" if picture.has_transparency_data else "RGB"))
    frame: Any = next(small_frames(request, side, after=1.0))
    return drawn(frame.to_image())


def drawn(picture: Image.Image) -> dict[str, Any]:
    file, clear = io.BytesIO(), picture.mode == "RGBA"
    picture.save(file, "PNG" if clear else "JPEG", **({} if clear else {"quality": 82}))
    return told_picture(file.getvalue(), "image/png" if clear else "image/jpeg", picture.size)


def told_picture(data: bytes, media_type: str, size: tuple[int, int]) -> dict[str, Any]:
    return {"data": base64.b64encode(data).decode(), "media_type": media_type, "width": size[0], "height": size[1]}


def small_frames(request: dict[str, Any], side: int, *, after: float) -> Iterator[VideoFrame]:
    """The frames of a clip at PREVIEW_FPS, no side longer than `side`, from `after` on; of a shorter one, its last."""
    with open_stream("file:" + request["path"], DEMUXERS[request["media_type"]]) as container:
        video = next((each for each in container.streams.video if not cover_art(each)), None)
        if video is None:
            raise Flaw("Unsupported asset type: it has no picture")
        check_decoder(video)
        check_pixels(video, request["max_pixels"])
        video.codec_context.thread_count = 1  # in the sandbox no thread can be started
        due, begun, last = after, None, None
        for frame in container.decode(video):
            begun = frame.time or 0.0 if begun is None else begun
            last, at = frame, (frame.time or 0.0) - begun
            if at + 1e-6 >= due:
                due += 1 / PREVIEW_FPS
                yield shrunk(frame, side)
                last = None
        if last is not None and due == after:
            yield shrunk(last, side)


def shrunk(frame: VideoFrame, side: int) -> VideoFrame:
    share = min(1.0, side / max(frame.width, frame.height))
    width, height = (max(2, round(each * share / 2) * 2) for each in (frame.width, frame.height))
    small: Any = frame.reformat(width=width, height=height, format="rgb24", threads=1)
    make: Any = VideoFrame
    return make.from_image(small.to_image().rotate(frame.rotation, expand=True)) if frame.rotation else small


def preview(request: dict[str, Any]) -> dict[str, Any]:
    """The first seconds of a clip, small and without its sound."""
    file, size, number = io.BytesIO(), (0, 0), 0
    sink: Any = av.open(file, "w", format="mp4")
    with sink:
        track: Any = None
        for frame in small_frames(request, request["side"], after=0.0):
            if track is None:
                size = frame.width, frame.height
                track = sink.add_stream("libx264", rate=PREVIEW_FPS, options=PREVIEW_CODING)
                track.width, track.height, track.pix_fmt = *size, "yuv420p"
                track.codec_context.thread_count = 1
            flat = frame.reformat(width=size[0], height=size[1], format="yuv420p", threads=1)
            flat.pts, flat.time_base = number, Fraction(1, PREVIEW_FPS)
            sink.mux(track.encode(flat))
            number += 1
            if number >= PREVIEW_SECONDS * PREVIEW_FPS:
                break
        if track is None:
            raise Flaw("Invalid asset: it has no frames")
        sink.mux(track.encode())
    return told_picture(file.getvalue(), "video/mp4", size)


def waveform(request: dict[str, Any]) -> dict[str, Any]:
    """How loud a sound is from its beginning to its end."""
    (width, height), samples = WAVE, array("h")
    with open_stream("file:" + request["path"], DEMUXERS[request["media_type"]]) as container:
        sound = next(iter(container.streams.audio), None)
        if sound is None:
            raise Flaw("Unsupported asset type: it has no sound")
        check_decoder(sound)
        resampler = av.AudioResampler("s16", "mono", WAVE_RATE)
        for frame in (*container.decode(sound), None):
            for piece in resampler.resample(frame):
                samples.frombytes(bytes(piece.planes[0])[: 2 * piece.samples])
            if len(samples) > WAVE_RATE * request["max_seconds"]:
                raise Flaw("Invalid asset: it is longer than its header says")
    mask, step = bytearray(width * height), max(len(samples) / width, 1)
    for column in range(width if samples else 0):
        part = samples[int(column * step) : max(int((column + 1) * step), int(column * step) + 1)]
        loud = max(map(abs, part)) / 32768 if part else 0.0
        half = max(1, round(loud * height / 2))
        for row in range(height // 2 - half, height // 2 + half):
            mask[row * width + column] = 255
    picture = Image.new("RGB", WAVE, WAVE_COLOR)
    picture.putalpha(Image.frombytes("L", WAVE, bytes(mask)))
    return drawn(picture)


DRAW: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "poster": poster,
    "preview": preview,
    "waveform": waveform,
}


if __name__ == "__main__":
    main()
