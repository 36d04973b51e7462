"""Opening a stranger's video or sound file: the demuxer is forced by the file's first bytes."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import av
from av.container import InputContainer
from av.error import FFmpegError

from mutoscope.studio.error import StudioError

SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    *((4, box, "mov") for box in (b"ftyp", b"styp", b"moov", b"mdat", b"moof", b"sidx")),
    *((4, filler, "mov") for filler in (b"free", b"skip", b"wide", b"uuid", b"pnot")),
    (0, b"\x1aE\xdf\xa3", "matroska"),
    (8, b"WAVE", "wav"),
    (8, b"AVI ", "avi"),
    (0, b"OggS", "ogg"),
    (0, b"fLaC", "flac"),
    (0, b"ID3", "mp3"),
    (0, b"\xff\xf1", "aac"),
    (0, b"\xff\xf9", "aac"),
)
"""Where, which bytes, and FFmpeg's name of the format. Left to guess, FFmpeg would follow a text file that
says it is a playlist to other files and hosts."""


@contextmanager
def open_media(path: Path, *, field: str) -> Generator[InputContainer]:
    """The opened container. Raises StudioError with `field` when it is none that is known."""
    with path.open("rb") as file:
        head = file.read(16)
    kind = next((name for at, mark, name in SIGNATURES if head[at:].startswith(mark)), None)
    if kind is None and head[:1] == b"\xff" and len(head) > 1 and head[1] & 0xE0 == 0xE0:
        kind = "mp3"  # a bare frame header
    if kind is None:
        raise StudioError("the file is in no format that is known here", field=field)
    try:
        container = av.open(str(path), format=kind, options={"protocol_whitelist": "file"})
    except (FFmpegError, ValueError) as error:
        raise StudioError(f"the file cannot be read ({type(error).__name__})", field=field) from error
    with container:
        yield container
