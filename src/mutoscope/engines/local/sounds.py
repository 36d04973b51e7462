"""Sounds as models take them, out of a stranger's file: only a child opens one."""

from typing import IO, Any

import av
import numpy as np

from mutoscope.engines.local.pictures import Refused

RATE = 16_000
MOST_SECONDS = 1800


def samples(file: IO[bytes] | None) -> Any:
    """The sound, mono, as models take it."""
    if file is None:
        raise Refused("A sound is needed.", kind="invalid")
    try:
        with av.open(file, "r", metadata_errors="ignore") as container:
            if not container.streams.audio:
                raise Refused("The file has no sound.")
            resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE)
            pieces: list[Any] = []
            heard = 0
            for frame in container.decode(container.streams.audio[0]):
                for part in resampler.resample(frame):
                    pieces.append(part.to_ndarray()[0])
                    heard += len(pieces[-1])
                if heard > MOST_SECONDS * RATE:
                    raise Refused(f"The sound is longer than {MOST_SECONDS} seconds.")
            pieces += [part.to_ndarray()[0] for part in resampler.resample(None)]
    except (Refused, MemoryError):
        raise
    except Exception as error:  # FFmpeg's parsers raise whatever a broken file makes them raise
        raise Refused(f"The sound cannot be read ({type(error).__name__}).") from error
    return np.concatenate(pieces).astype(np.float32) if pieces else np.zeros(0, np.float32)
