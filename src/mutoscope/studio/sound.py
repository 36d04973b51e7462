"""Sound from files, made to last exactly as long as the video."""

from pathlib import Path

import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.error import FFmpegError

from mutoscope.studio.error import StudioError
from mutoscope.studio.media import open_media
from mutoscope.studio.planes import Floats

RATE = 48_000  # samples a second
FADE_IN_SECONDS, FADE_OUT_SECONDS = 0.005, 0.35


def sample_count(frames: int, fps: int) -> int:
    """How many samples last as long as so many frames."""
    return (frames * RATE * 2 + fps) // (2 * fps)


def load(path: Path, samples: int, *, field: str = "audio") -> Floats:
    """The sound of a file, stereo (2, samples), trimmed with a fade or padded with silence to exactly this length.

    Raises StudioError with `field` when the file cannot be read or has no sound.
    """
    decoded = decode(path, samples, field=field)
    if decoded is None:
        raise StudioError("the file has no sound", field=field)
    return conform(decoded, samples)


def decode(path: Path, samples: int, *, field: str = "audio", rate: int = RATE) -> Floats | None:
    """At least so many samples where the file has them, stereo at this rate; None where it has no sound at all."""
    with open_media(path, field=field) as container:
        if not container.streams.audio:
            return None
        stream = container.streams.audio[0]
        # FFmpeg would spread one channel over two at 0.7 of its level, so that a voice came out softer than it was.
        layout = "mono" if stream.channels == 1 else "stereo"
        resampler = AudioResampler(format="fltp", layout=layout, rate=rate)
        parts: list[Floats] = []
        found = 0
        try:
            for frame in container.decode(stream):
                for part in resampler.resample(frame):
                    parts.append(_array(part))
                    found += parts[-1].shape[1]
                if found > samples:
                    break
            else:
                parts.extend(_array(part) for part in resampler.resample(None))
        except FFmpegError as error:
            if not parts:
                raise StudioError(f"the sound cannot be decoded ({error.strerror})", field=field) from error
    if not parts:
        raise StudioError("the sound is empty", field=field)
    return np.concatenate(parts, axis=1)


def conform(sound: Floats, samples: int) -> Floats:
    """Exactly so many samples: padded with silence, or cut with a fade so that the end does not click."""
    kept = sound[:, :samples].copy()
    start = min(int(FADE_IN_SECONDS * RATE), kept.shape[1])
    kept[:, :start] *= np.linspace(0, 1, start, dtype=np.float32)
    if sound.shape[1] > samples:
        end = min(int(FADE_OUT_SECONDS * RATE), samples)
        kept[:, samples - end :] *= np.cos(np.linspace(0, np.pi / 2, end)).astype(np.float32)
    return np.pad(kept, ((0, 0), (0, samples - kept.shape[1]))).clip(-1, 1)


def _array(frame: AudioFrame) -> Floats:
    samples = np.asarray(frame.to_ndarray(), np.float32)
    return np.repeat(samples, 2, axis=0) if samples.shape[0] == 1 else samples
