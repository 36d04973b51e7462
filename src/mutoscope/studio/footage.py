"""Frames of a video file, at another size and rate."""

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.error import FFmpegError
from av.video.stream import VideoStream

from mutoscope.studio import colour as colours
from mutoscope.studio import hdr
from mutoscope.studio.colour import Colour
from mutoscope.studio.error import StudioError
from mutoscope.studio.media import open_media
from mutoscope.studio.planes import Planes, planes_of

MAX_SIDE = 8192
BT601_CODES = (5, 6)
FULL_RANGE = 2  # AVCOL_RANGE_JPEG


def measure(path: Path, *, field: str = "video") -> tuple[int, int]:
    """Width and height as shown: after rotation metadata, with square pixels."""
    with open_media(path, field=field) as container:
        stream = _stream(container.streams.video, field)
        for frame in _decoded(container, stream, field):
            return _shown_size(frame, stream)
    raise StudioError("the video has no frames", field=field)


def facts(path: Path) -> tuple[int, int, int, float]:
    """Width, height, frames and seconds of an MP4's picture track, as its header tells them."""
    with open_media(path, field="video") as container:
        stream = _stream(container.streams.video, "video")
        seconds = float((stream.duration or 0) * (stream.time_base or 0))
        return stream.width, stream.height, stream.frames, seconds


def read(path: Path, width: int, height: int, fps: int, colour: Colour, *, field: str = "video") -> Iterator[Planes]:
    """The video's frames, cover-cropped to this size, resampled to this rate (each the latest that had begun).

    Raises StudioError with `field` when it cannot be read.
    """
    with open_media(path, field=field) as container:
        stream = _stream(container.streams.video, field)
        held: av.VideoFrame | None = None
        begin, last, made = 0.0, 0.0, 0
        spacing = 1 / float(stream.average_rate or fps)
        for index, frame in enumerate(_decoded(container, stream, field)):
            time = index * spacing if frame.pts is None else float(frame.time)
            if held is None:
                begin = time
            else:
                held_planes: Planes | None = None
                while made / fps < time - begin - 1e-3 / fps:
                    held_planes = held_planes or _fit(held, stream, width, height, colour)
                    yield held_planes
                    made += 1
            held = frame
            last = time - begin
        if held is None:
            raise StudioError("the video has no frames", field=field)
        final = _fit(held, stream, width, height, colour)
        while made == 0 or made / fps < last + spacing - 0.5 / fps:
            yield final
            made += 1


def _stream(streams: "tuple[VideoStream, ...] | list[VideoStream]", field: str) -> VideoStream:
    if not streams:
        raise StudioError("the file has no pictures", field=field)
    stream = streams[0]
    if max(stream.width, stream.height) > MAX_SIDE:
        raise StudioError(f"the video is larger than {MAX_SIDE} pixels a side", field=field)
    return stream


def _decoded(container: InputContainer, stream: VideoStream, field: str) -> Iterator[av.VideoFrame]:
    some = False
    try:
        for frame in container.decode(stream):
            some = True
            yield frame
    except FFmpegError as error:
        if not some:
            raise StudioError(f"the video cannot be decoded ({type(error).__name__})", field=field) from error


def _shown_size(frame: av.VideoFrame, stream: VideoStream) -> tuple[int, int]:
    aspect = float(stream.sample_aspect_ratio or 1) or 1.0
    width, height = max(1, round(frame.width * aspect)), frame.height
    return (height, width) if frame.rotation % 180 else (width, height)


def _fit(frame: av.VideoFrame, stream: VideoStream, width: int, height: int, colour: Colour) -> Planes:
    """The frame upright, scaled to cover the size, cropped about its middle."""
    shown = _shown_size(frame, stream)
    zoom = max(width / shown[0], height / shown[1])
    across, down = (_even_cover(shown[0] * zoom, width), _even_cover(shown[1] * zoom, height))
    turned = frame.rotation % 180 != 0
    size = (down, across) if turned else (across, down)
    planes = (
        _tone_mapped(frame, *size, colour) if frame.color_trc in (hdr.PQ, hdr.HLG) else _scaled(frame, *size, colour)
    )
    return _cropped(_upright(planes, frame.rotation), width, height)


def _scaled(frame: av.VideoFrame, width: int, height: int, colour: Colour) -> Planes:
    scaled = frame.reformat(
        width=width,
        height=height,
        format="nv12",
        src_colorspace=_matrix_of(frame),
        dst_colorspace=_swscale(colour),
        src_color_range=_range_of(frame),
        dst_color_range=1,
        interpolation="BICUBIC",
    )
    return planes_of(scaled)


def _tone_mapped(frame: av.VideoFrame, width: int, height: int, colour: Colour) -> Planes:
    scaled = frame.reformat(
        width=width,
        height=height,
        format="rgb48le",
        src_colorspace=_matrix_of(frame),
        src_color_range=_range_of(frame),
        dst_color_range=FULL_RANGE,
        interpolation="BICUBIC",
    )
    return colours.to_planes(hdr.to_sdr(np.asarray(scaled.to_ndarray()), frame.color_trc), colour)


def _range_of(frame: av.VideoFrame) -> int:
    return FULL_RANGE if frame.color_range == FULL_RANGE else 1


def _matrix_of(frame: av.VideoFrame) -> int:
    """By its tag; an untagged one as players do."""
    if frame.colorspace == hdr.BT2020:
        return hdr.BT2020  # the scaler's code is the same
    if frame.colorspace in BT601_CODES:
        return _swscale(colours.BT601)
    return _swscale(colours.BT709 if frame.colorspace == 1 else colours.for_size(frame.width, frame.height))


def _swscale(colour: Colour) -> int:
    """FFmpeg's scaler has codes of its own."""
    return 1 if colour is colours.BT709 else 5


def _even_cover(side: float, least: int) -> int:
    return max(least, round(side / 2) * 2)


def _upright(planes: Planes, rotation: int) -> Planes:
    """`rotation` is in degrees counter-clockwise, as PyAV tells it."""
    turns = round(rotation / 90) % 4
    return Planes(np.rot90(planes.y, turns), np.rot90(planes.uv, turns))


def _cropped(planes: Planes, width: int, height: int) -> Planes:
    left = (planes.y.shape[1] - width) // 4 * 2
    top = (planes.y.shape[0] - height) // 4 * 2
    y = planes.y[top : top + height, left : left + width]
    uv = planes.uv[top // 2 : (top + height) // 2, left // 2 : (left + width) // 2]
    return Planes(np.ascontiguousarray(y), np.ascontiguousarray(uv))
