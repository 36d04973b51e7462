"""The writers of MP4 files: H.264 yuv420p and AAC, index first, the same bytes for the same frames."""

import os
import queue
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Protocol, cast

import av
import numpy as np
from av.audio.stream import AudioStream
from av.codec.context import Flags
from av.video.frame import PictureType
from av.video.stream import VideoStream

from mutoscope.studio import encoder as encoders
from mutoscope.studio.colour import Colour
from mutoscope.studio.encoder import Encoder
from mutoscope.studio.pipe import PipeWriter
from mutoscope.studio.planes import Floats
from mutoscope.studio.sound import RATE

THREADS = 2  # pinned: x264's output depends on the number of threads
SOUND_BITS = 160_000
LIMITED_RANGE = 1  # AVCOL_RANGE_MPEG
AHEAD = 5  # frames that the renderer may be ahead of the encoder, which takes them by groups of some four
STEPPING_BACK = 5  # how much nicer than the encoder the renderer is

Progress = Callable[[float], None]


class Writer(Protocol):
    """Takes frames one by one; a context manager that finishes the file."""

    frames: int
    """How many it has."""

    def __enter__(self) -> "Writer": ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
    def put(self, frame: av.VideoFrame) -> None:
        """Encode the next frame (NV12, not to be touched afterwards)."""
        ...


def open_writer(
    path: Path,
    *,
    encoder: Encoder,
    width: int,
    height: int,
    fps: int,
    colour: Colour,
    sound: Floats | None = None,
    comment: str = "",
    exact: tuple[int, ...] = (),
    threads: int = THREADS,
) -> Writer:
    """A writer of frames and their sound, in this process or through a pipe.

    Sound, where given, is stereo (2, samples) at `sound.RATE` and goes in beside the frames. `exact` numbers the
    frames that must lose little.
    """
    return (PipeWriter if encoder.piped else Mp4Writer)(
        path,
        encoder=encoder,
        width=width,
        height=height,
        fps=fps,
        colour=colour,
        sound=sound,
        comment=comment,
        exact=exact,
        threads=threads,
    )


class Mp4Writer:
    """Writes a file by PyAV; the arguments are those of `open_writer`."""

    def __init__(
        self,
        path: Path,
        *,
        encoder: Encoder,
        width: int,
        height: int,
        fps: int,
        colour: Colour,
        sound: Floats | None,
        comment: str,
        exact: tuple[int, ...],
        threads: int,
    ) -> None:
        self.fps = fps
        self.frames = 0
        self._colour = colour
        self._sound = sound
        self._heard = 0  # samples written
        options = {"movflags": "+faststart", "fflags": "+bitexact"}
        self._container = av.open(str(path), "w", format="mp4", options=options)
        self._container.metadata["comment"] = comment
        told = encoders.options(encoder.codec, width=width, height=height, fps=fps, exact=exact)
        self._video = self._add_video(encoder.codec, width, height, threads, told)
        self._audio = self._add_audio() if sound is not None else None

    def __enter__(self) -> "Mp4Writer":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._finish()
        self._container.close()

    def put(self, frame: av.VideoFrame) -> None:
        """Encode the next frame (NV12, not to be touched afterwards)."""
        frame.pts = self.frames
        frame.time_base = Fraction(1, self.fps)
        if frame.pict_type != PictureType.I:  # one that bears the mark is coded by itself
            frame.pict_type = PictureType.NONE
        frame.colorspace, frame.color_range = self._colour.matrix, LIMITED_RANGE
        self.frames += 1
        self._container.mux(self._video.encode(frame))
        self._put_sound(self.frames * RATE // self.fps)

    def _add_video(self, codec: str, width: int, height: int, threads: int, told: dict[str, str]) -> VideoStream:
        stream = cast("VideoStream", self._container.add_stream(codec, rate=self.fps))
        stream.width, stream.height, stream.pix_fmt = width, height, encoders.pixels(codec)
        context = stream.codec_context
        context.options = told
        context.thread_count = threads
        context.thread_type = "AUTO"  # whole frames; by its own default PyAV makes x264 cut each into slices
        context.flags |= Flags.bitexact
        context.time_base = Fraction(1, self.fps)
        context.color_range = LIMITED_RANGE
        context.colorspace = self._colour.matrix
        context.color_primaries = self._colour.primaries
        context.color_trc = self._colour.transfer
        return stream

    def _add_audio(self) -> AudioStream:
        stream = self._container.add_stream("aac", rate=RATE)
        stream.layout = "stereo"
        stream.bit_rate = SOUND_BITS
        stream.codec_context.flags |= Flags.bitexact
        return stream

    def _put_sound(self, until: int) -> None:
        """Encode the sound up to this sample, in whole AAC frames, so that it lies beside its pictures."""
        if self._audio is None or self._sound is None:
            return
        step = self._audio.codec_context.frame_size or 1024
        last = until >= self._sound.shape[1]
        while self._heard + step <= until or (last and self._heard < self._sound.shape[1]):
            part = np.ascontiguousarray(self._sound[:, self._heard : self._heard + step])
            frame = av.AudioFrame.from_ndarray(part, format="fltp", layout="stereo")
            frame.sample_rate, frame.pts, frame.time_base = RATE, self._heard, Fraction(1, RATE)
            self._heard += part.shape[1]
            self._container.mux(self._audio.encode(frame))

    def _finish(self) -> None:
        self._container.mux(self._video.encode(None))
        if self._audio is not None and self._sound is not None:
            self._put_sound(self._sound.shape[1])
            self._container.mux(self._audio.encode(None))


def write(writer: Writer, frames: Iterable[av.VideoFrame], total: int, progress: Progress | None) -> None:
    """Render in one thread, encode in this one; both let go of the interpreter while they work."""
    for frame in _ahead(frames):
        writer.put(frame)
        if progress is not None:
            progress(writer.frames / total)


def _ahead(frames: Iterable[av.VideoFrame]) -> Iterator[av.VideoFrame]:
    """The same frames, made by a thread of their own up to AHEAD frames early. Its errors are raised here."""
    made: queue.Queue[av.VideoFrame | BaseException | None] = queue.Queue(AHEAD)
    stopped = threading.Event()

    def produce() -> None:
        step_back()
        try:
            for frame in frames:
                made.put(frame)
                if stopped.is_set():
                    return
            made.put(None)
        except BaseException as error:
            made.put(error)

    thread = threading.Thread(target=produce, name="studio-render", daemon=True)
    thread.start()
    try:
        while (item := made.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        stopped.set()
        while thread.is_alive():  # it may wait for room in the queue
            with suppress(queue.Empty):
                made.get(timeout=0.01)
        thread.join()


def step_back() -> None:
    """Lower the priority of this thread alone, which only Linux can.

    x264 does some of its work in one thread and some in all. The renderer then works where the encoder leaves a core
    idle, and not beside it where it would need both: a few per cent more frames on two cores. No further, because the
    thread must not starve beside other programs.
    """
    if sys.platform == "linux":
        thread = threading.get_native_id()
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + STEPPING_BACK)
