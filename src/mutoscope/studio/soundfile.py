"""Sound files that studio makes: WAV or MP3 by the file's ending, saying what made them."""

from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream

from mutoscope.studio.error import StudioError
from mutoscope.studio.planes import Floats

KINDS: dict[str, tuple[str, str, str]] = {
    ".wav": ("wav", "pcm_s16le", "s16"),
    ".mp3": ("mp3", "libmp3lame", "fltp"),
}
"""FFmpeg's names of the container, the codec and its samples' form."""
LAYOUTS = {1: "mono", 2: "stereo"}
BITEXACT = 1 << 23  # of a codec's flags: no version strings, so that the same sound is the same file
MP3_BITS = 192_000  # a second
CHUNK = 1152  # samples that are given at a time: a frame of MP3


def write(sound: Floats, out: Path, *, rate: int, comment: str) -> None:
    """Write `sound`, (1 or 2 channels, samples) from -1 to 1 at `rate` a second. Raises StudioError with "out"."""
    if out.suffix.lower() not in KINDS:
        raise StudioError(f"sound is written as {' or '.join(KINDS)}, not {out.suffix!r}", field="out")
    container, codec, form = KINDS[out.suffix.lower()]
    with av.open(str(out), "w", format=container, options={"fflags": "+bitexact"}) as file:
        file.metadata["comment"] = comment
        stream = file.add_stream(codec, rate=rate)
        assert isinstance(stream, AudioStream)  # noqa: S101  # what this codec always has
        stream.codec_context.layout = LAYOUTS[len(sound)]
        stream.codec_context.format = form
        stream.codec_context.flags |= BITEXACT
        if codec != "pcm_s16le":
            stream.codec_context.bit_rate = MP3_BITS
        for at in range(0, sound.shape[1], CHUNK):
            file.mux(stream.encode(_frame(sound[:, at : at + CHUNK], form, rate=rate, at=at)))
        file.mux(stream.encode(None))


def _frame(sound: Floats, form: str, *, rate: int, at: int) -> AudioFrame:
    if form == "s16":
        steps = np.rint(sound.clip(-1, 1) * 32767).astype(np.int16)
        samples = np.ascontiguousarray(steps.T).reshape(1, -1)  # packed: left, right, left, …
    else:
        samples = np.ascontiguousarray(sound, np.float32)
    frame = AudioFrame.from_ndarray(samples, format=form, layout=LAYOUTS[len(sound)])
    frame.sample_rate = rate
    frame.pts = at
    return frame
