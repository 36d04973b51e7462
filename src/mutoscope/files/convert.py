"""Our own pictures and sounds in the file type that an answer asks for."""

# PyAV's stubs are partial.
# pyright: reportUnknownMemberType=false

import io
from fractions import Fraction
from typing import Any, NamedTuple

from mutoscope.model.problem import Kind, Problem

RAW = "audio/pcm"  # 24 kHz, 16 bits, one channel, no head
PICTURES = {"image/png": "PNG", "image/jpeg": "JPEG", "image/webp": "WEBP", "image/gif": "GIF"}


class Sound(NamedTuple):
    container: str
    codec: str
    rate: int
    layout: str = "mono"


SOUNDS = {
    "audio/mpeg": Sound("mp3", "libmp3lame", 24000),
    "audio/opus": Sound("ogg", "libopus", 48000),
    "audio/aac": Sound("adts", "aac", 24000),
    "audio/flac": Sound("flac", "flac", 24000),
    "audio/wav": Sound("wav", "pcm_s16le", 24000),
    RAW: Sound("s16le", "pcm_s16le", 24000),
}


def convert(data: bytes, media_type: str, wanted: str) -> bytes:
    """Raises Problem(UNSUPPORTED) where the one cannot be made of the other."""
    family = media_type.partition("/")[0]
    if wanted in PICTURES and family == "image":
        return picture(data, PICTURES[wanted])
    if wanted in SOUNDS and family in ("audio", "video"):
        return sound(data, SOUNDS[wanted])
    raise Problem(Kind.UNSUPPORTED, f"A file of the type {media_type} cannot be given as {wanted}.")


def picture(data: bytes, format: str) -> bytes:
    from PIL import Image  # late, as what follows: a server starts without, and few answers need it

    file = io.BytesIO()
    with Image.open(io.BytesIO(data)) as image:
        (image.convert("RGB") if format == "JPEG" else image).save(file, format)
    return file.getvalue()


def sound(data: bytes, wanted: Sound) -> bytes:
    import av

    file = io.BytesIO()
    sink: Any = av.open(file, "w", format=wanted.container)
    source: Any = av.open(io.BytesIO(data))
    with source, sink:
        stream = sink.add_stream(wanted.codec, rate=wanted.rate, layout=wanted.layout)
        resampler = av.AudioResampler(stream.format, wanted.layout, wanted.rate, stream.frame_size or 1024)
        position = 0
        for frame in (*source.decode(audio=0), None):
            for piece in resampler.resample(frame):
                piece.pts, piece.time_base = position, Fraction(1, wanted.rate)
                position += piece.samples
                sink.mux(stream.encode(piece))
        sink.mux(stream.encode())
    return file.getvalue()
