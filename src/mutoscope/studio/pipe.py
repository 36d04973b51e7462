"""The writer of MP4 files that leaves the encoding to the ffmpeg command: frames go in through a pipe."""

import errno
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType

import av
import numpy as np

from mutoscope.studio import encoder as encoders
from mutoscope.studio.aside import Aside
from mutoscope.studio.colour import Colour
from mutoscope.studio.encoder import Encoder
from mutoscope.studio.error import Killed
from mutoscope.studio.planes import Floats, planes_of
from mutoscope.studio.sound import RATE

SOUND_BITS = 160_000
NAMES = {1: "bt709", 6: "smpte170m"}  # FFmpeg's, of the codes in Colour
MAX_TOLD = 2000  # characters of its complaint
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO)
"""What a disk answers that takes no more. ffmpeg says it in words only: its version 5 then cuts the file short, and
ends with status 0."""


class PipeWriter:
    """As `encode.Mp4Writer`. Its bytes are those of the ffmpeg that is there, which is the operator's affair."""

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
        self.frames = 0
        self._sound: Path | None = None
        if sound is not None:  # a second pipe could block while ffmpeg waits for the first
            self._sound = path.with_name(f"{path.name}.f32")
            self._sound.write_bytes(np.ascontiguousarray(sound.T, "<f4").data)  # `tofile` tells no errno
        told = encoders.options(encoder.codec, width=width, height=height, fps=fps, exact=exact)
        self._process = subprocess.Popen(  # noqa: S603 (the operator's own ffmpeg)
            [
                *(encoder.program, "-hide_banner", "-nostdin", "-v", "error", "-y"),
                *(
                    "-f",
                    "rawvideo",
                    "-pix_fmt",
                    "nv12",
                    "-s",
                    f"{width}x{height}",
                    "-framerate",
                    str(fps),
                    "-i",
                    "pipe:0",
                ),
                *_sound_in(self._sound),
                *("-map", "0:v", "-c:v", encoder.codec, "-pix_fmt", encoders.pixels(encoder.codec)),
                *(part for name, value in told.items() for part in (f"-{name}:v", value)),
                *("-threads", str(threads), "-flags:v", "+bitexact", *_tags(colour)),
                *("-metadata", f"comment={comment}", "-fflags", "+bitexact"),
                *("-movflags", "+faststart", "-f", "mp4", f"file:{path}"),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        assert self._process.stderr is not None  # noqa: S101 (for the types)
        self._complaint = Aside(self._process.stderr.read)  # not into a file: the disk may be what it complains of

    def __enter__(self) -> "PipeWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._finish()
        finally:
            self._process.kill()  # nothing, once it has ended
            if self._process.stdin is not None:
                with suppress(BrokenPipeError):
                    self._process.stdin.close()
            self._process.wait()
            self._complaint.result()
            if self._process.stderr is not None:
                self._process.stderr.close()
            if self._sound is not None:
                self._sound.unlink(missing_ok=True)

    def put(self, frame: av.VideoFrame) -> None:
        """Hand over the next frame (NV12)."""
        stdin = self._process.stdin
        assert stdin is not None  # noqa: S101 (for the types)
        try:
            for plane in planes_of(frame):
                stdin.write(np.ascontiguousarray(plane).data)
        except BrokenPipeError:
            self._finish()
        self.frames += 1

    def _finish(self) -> None:
        """Wait for its end. Raises OSError where the disk took no more, else Killed, or RuntimeError with its words."""
        if self._process.stdin is not None:
            with suppress(BrokenPipeError):
                self._process.stdin.close()
        code = self._process.wait()
        told = self._complaint.result()[:MAX_TOLD].decode("utf-8", "replace").strip()
        if number := next((each for each in FULL if os.strerror(each) in told), None):
            raise OSError(number, f"ffmpeg ended with status {code}: {told}")
        if code == -signal.SIGXFSZ:
            raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
        if code in (-signal.SIGKILL, -signal.SIGTERM):
            raise Killed(f"ffmpeg ended by signal {-code}")
        if code != 0:
            raise RuntimeError(f"ffmpeg ended with status {code}: {told}")


def _sound_in(sound: Path | None) -> Iterator[str]:
    if sound is not None:
        yield from ("-f", "f32le", "-ar", str(RATE), "-ac", "2", "-i", f"file:{sound}")
        yield from ("-map", "1:a", "-c:a", "aac", "-b:a", str(SOUND_BITS), "-flags:a", "+bitexact")


def _tags(colour: Colour) -> Iterator[str]:
    """On each frame and on the stream: which of the two counts depends on ffmpeg's version."""
    space, primaries, transfer = NAMES[colour.matrix], NAMES[colour.primaries], NAMES[colour.transfer]
    yield from ("-vf", f"setparams=range=tv:colorspace={space}:color_primaries={primaries}:color_trc={transfer}")
    yield from ("-color_range", "tv", "-colorspace", space, "-color_primaries", primaries, "-color_trc", transfer)
