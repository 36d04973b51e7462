"""Reading the imperceptible mark of pictures and clips; `studio/imprint.py` writes it and knows how it is read."""

from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import av

from mutoscope.engines.local import pictures
from mutoscope.engines.local.pictures import Json, Refused
from mutoscope.studio import imprint

FRAMES_READ = 8  # of a clip at most, beside those that ours bear it in
MOST_FRAMES = 20_000


def load(files: dict[str, str]) -> Any:
    reader = imprint.Reader(Path(files["decoder.onnx"]))

    def answer(asked: Json, file: IO[bytes] | None) -> Json:
        best = imprint.Reading(0, None)
        for rgb in frames(file) if asked.get("clip") else [pictures.read(file, enough=4 * imprint.SIDE)]:
            best = max(best, reader.read(rgb), key=lambda each: each.bits)
            if best.recognised:
                break
        return {"recognised": best.recognised, "bits": best.bits, "of": len(imprint.WORD), "kind": best.kind}

    return answer


def frames(file: IO[bytes] | None) -> Iterator[Any]:
    """Those in which our clips bear it; then some others, in case that the clip was cut."""
    if file is None:
        raise Refused("A clip is needed.", kind="invalid")
    try:
        with av.open(file, "r", metadata_errors="ignore") as container:
            stream = container.streams.video[0]
            stream.thread_type = "NONE"
            total = min(stream.frames or 0, MOST_FRAMES)
            ours = set(imprint.frames_of(total))
            step = max(1, total // FRAMES_READ)
            others: list[Any] = []
            for number, frame in enumerate(container.decode(stream)):
                if number >= MOST_FRAMES:
                    break
                if number in ours:
                    yield small_frame(frame)
                elif number % step == 0 and len(others) < FRAMES_READ:
                    others.append(small_frame(frame))
            yield from others
    except (Refused, MemoryError):
        raise
    except Exception as error:
        raise Refused(f"The clip cannot be read ({type(error).__name__}).") from error


def small_frame(frame: Any) -> Any:
    """No larger than it is looked at, so that several take little memory."""
    width, height = imprint.size_of(frame.width, frame.height, 2 * imprint.SIDE)
    return frame.reformat(width=width, height=height, format="rgb24").to_ndarray()
