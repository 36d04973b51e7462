"""What is in a file that was downloaded, found by decoding all of it."""

import io
from dataclasses import dataclass

import av


@dataclass(frozen=True)
class Clip:
    width: int
    height: int
    frames: int
    seconds: float
    codec: str
    pixels: str


def clip_in(data: bytes) -> Clip:
    with av.open(io.BytesIO(data), "r") as container:
        stream = container.streams.video[0]
        shapes: list[tuple[int, int, str]] = [
            (frame.width, frame.height, frame.format.name) for frame in container.decode(stream)
        ]
        ((width, height, pixels),) = set(shapes)
        assert stream.duration is not None
        assert stream.time_base is not None
        seconds = float(stream.duration * stream.time_base)
        return Clip(width, height, len(shapes), seconds, stream.codec_context.name, pixels)
