"""The child of `media.py`: opens one stranger's file per fork, under limits, and tells what it is.

Run by path, isolated; it imports nothing of ours. It reads a line of JSON, forks, and the fork sets its
limits, opens the file, writes a line of JSON and is gone. Nothing that a file did outlives it.
"""

import json
import os
import re
import resource
import signal
import sys
import warnings
from typing import Any

import av
from av import logging
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from PIL import BmpImagePlugin, GifImagePlugin, Image, JpegImagePlugin, PngImagePlugin, WebPImagePlugin

MEMORY = 1536 * 1024 * 1024  # address space: libraries, a 64-megapixel frame, and the decoder's own
CPU_SECONDS = 10
OPEN_FILES = 32
TRACKS = 16
PACKETS = 2_000_000
BOXES = 1_000_000
SLACK_SECONDS = 0.25  # how far a header's length may be from the packets'
COMMENT = 1000  # characters
ORIENTATION = 0x0112  # EXIF
LYING = (5, 6, 7, 8)  # its values that swap width and height

PARSERS = (PngImagePlugin, JpegImagePlugin, WebPImagePlugin, BmpImagePlugin, GifImagePlugin)
"""Imported before the fork, and by name, so that Pillow does not go and load every parser it has."""
FORMATS = {
    "image/png": "PNG",
    "image/jpeg": "JPEG",
    "image/webp": "WEBP",
    "image/bmp": "BMP",
    "image/gif": "GIF",
}
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


class Flaw(Exception):
    """What is wrong with the file, for the caller."""


def main() -> None:
    warnings.simplefilter("ignore")
    logging.set_level(None)
    for line in sys.stdin.buffer:
        answer(line)


def answer(line: bytes) -> None:
    child = os.fork()
    if child == 0:
        code = 1
        try:
            look(json.loads(line))
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    if status != 0:  # a signal: memory, processor time, or a crash in a codec
        say({"flaw": "Invalid asset: it cannot be read within the limits of this server"})


def look(request: dict[str, Any]) -> None:
    """In the fork: answer in any case, except when killed."""
    limit()
    try:
        read = image if request["media_type"] in FORMATS else stream
        found = {"info": read(request)}
    except Flaw as flaw:
        found = {"flaw": str(flaw)}
    except MemoryError:
        found = {"flaw": "Invalid asset: it needs more memory than this server gives a file"}
    except Exception:
        # Not the library's own words: they may quote the file or name a path.
        found = {"flaw": f"Invalid asset: damaged, or not {request['media_type']}"}
    say(found)


def say(found: dict[str, Any]) -> None:
    os.write(1, json.dumps(found).encode() + b"\n")


def limit() -> None:
    bounds = (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
    )
    for which, value in bounds:
        try:
            resource.setrlimit(which, (value, value))
        except (OSError, ValueError):  # macOS does not bound address space
            if which != resource.RLIMIT_AS:
                raise
    signal.alarm(3 * CPU_SECONDS)  # should the parent be gone


def image(request: dict[str, Any]) -> dict[str, Any]:
    """The header only: no pixel is decoded."""
    media_type, most = request["media_type"], request["max_pixels"]
    Image.MAX_IMAGE_PIXELS = most
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    try:
        with Image.open(request["path"], formats=(FORMATS[media_type],)) as opened:
            width, height = opened.size
            turned = on_its_side(opened.info.get("exif"))
            comment = told(opened.info.get("Comment", opened.info.get("comment")))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        found = re.search(r"\d+", str(error))
        raise too_many_pixels(most, found.group() if found else "more") from error
    if width * height > most:
        raise too_many_pixels(most, f"{width}x{height}")
    if not whole_image(request["path"], media_type):
        raise Flaw(f"Invalid asset: the {media_type} file is truncated or damaged")
    shown = (height, width) if turned else (width, height)
    return {"kind": "image", "width": shown[0], "height": shown[1], "comment": comment}


def told(comment: object) -> str | None:
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


def whole_image(path: str, media_type: str) -> bool:
    """Whether the file goes on to its own end; read without decoding."""
    size = os.path.getsize(path)  # noqa: PTH202 (a fork that opens one file needs no pathlib)
    with open(path, "rb") as file:  # noqa: PTH123
        if media_type == "image/jpeg":
            return whole_jpeg(file.read())
        if media_type == "image/png":
            with Image.open(file, formats=("PNG",)) as opened:
                opened.verify()  # walks the chunks and their checksums
            return True
        if media_type == "image/webp":
            return int.from_bytes(file.read(8)[4:], "little") + 8 <= size
    return True


def whole_jpeg(data: bytes) -> bool:
    """Walk the segments to the first scan, so that a thumbnail's end is not taken for the picture's."""
    at = 2
    while data[at : at + 1] == b"\xff":
        if data[at + 1 : at + 2] == b"\xff":  # fill
            at += 1
        elif data[at + 1 : at + 2] == b"\xda":
            return data.find(b"\xff\xd9", at) > 0
        else:
            at += 2 + int.from_bytes(data[at + 2 : at + 4])
    return False


def stream(request: dict[str, Any]) -> dict[str, Any]:
    """A video or a sound: the header, the first frame, and one walk over all packets without decoding them."""
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
        comment = told(container.metadata.get("comment"))
        claimed = claimed_seconds(container, track)
        hold_seconds(claimed, request["max_seconds"])
        size = hold_pixels(video, request["max_pixels"]) if video is not None else (0, 0)
        frame, tallies = walk(container, video, sound)
        seconds = settle_seconds(claimed, tallies, demuxer)
        hold_seconds(seconds, request["max_seconds"])
        if video is None:
            found = SOUND_ONLY.get(media_type, media_type)
            return {"kind": "audio", "media_type": found, "seconds": seconds, "has_audio": True, "comment": comment}
        shape = {**sides(frame, size), "fps": rate(video), "comment": comment}
    return {"kind": "video", **shape, "frames": tallies[0].frames, "seconds": seconds, "has_audio": sound is not None}


def open_stream(url: str, demuxer: str) -> InputContainer:
    """With the demuxer forced, and nothing but files to open: FFmpeg's playlists would read what they name."""
    options = {"protocol_whitelist": "file", "max_streams": str(TRACKS)}
    return av.open(url, mode="r", format=demuxer, options=options)


def cover_art(video: VideoStream) -> bool:
    """Cover art in a sound file is a video stream to FFmpeg."""
    return bool(video.disposition & Disposition.attached_pic)


def claimed_seconds(container: InputContainer, track: VideoStream | AudioStream) -> float | None:
    if track.duration and track.time_base:
        return float(track.duration * track.time_base)
    return container.duration / av.time_base if container.duration else None


def hold_seconds(seconds: float | None, most: float) -> None:
    if seconds is not None and seconds > most:
        raise Flaw(f"Asset duration must be at most {most:g} seconds (inputs.max_seconds): found {seconds:.2f}")


def hold_pixels(video: VideoStream, most: int) -> tuple[int, int]:
    """The size by the header, taken before a decoder can correct it."""
    width, height = video.codec_context.width, video.codec_context.height
    if width * height > most:
        raise too_many_pixels(most, f"{width}x{height}")
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
    container: InputContainer, video: VideoStream | None, sound: AudioStream | None
) -> tuple[VideoFrame | None, list[Tally]]:
    """Read every packet and decode the first picture only; returns it, and the tally of each track."""
    tracks = [each for each in (video, sound) if each is not None]
    tallies = {each.index: Tally(each) for each in tracks}
    if video is not None:
        video.codec_context.thread_count = 1
    frame, packets = None, 0
    packet: Any
    for packet in container.demux(tracks):
        if packet.is_corrupt:
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
    if demuxer in TELLS_LENGTH and end < claimed - SLACK_SECONDS:
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
    return round(float(found), 4) if found else None


def whole_boxes(path: str) -> bool:
    """Whether the outermost boxes of an ISO file end where the file ends."""
    with open(path, "rb") as file:  # noqa: PTH123
        size, at = os.fstat(file.fileno()).st_size, 0
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


if __name__ == "__main__":
    main()
