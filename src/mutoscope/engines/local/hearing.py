"""English speech as text, with the times of its segments and words: Whisper tiny.en by faster-whisper."""

from pathlib import Path
from typing import IO, Any

import av
import faster_whisper
import numpy as np

from mutoscope.engines.local.pictures import Json, Refused

RATE = 16_000
MOST_SECONDS = 1800
LEAST_SAMPLES = 1600  # a tenth of a second: of less, nothing can be heard
DIGITS = 3  # of times


def load(files: dict[str, str]) -> Any:
    folder = str(Path(files["model.bin"]).parent)
    model: Any = faster_whisper.WhisperModel(folder, device="cpu", compute_type="int8", cpu_threads=1, num_workers=1)

    def answer(asked: Json, file: IO[bytes] | None) -> Json:
        sound = samples(file)
        told: list[Json] = []
        if len(sound) >= LEAST_SAMPLES:
            segments, _ = model.transcribe(
                sound,
                language="en",
                beam_size=1,
                word_timestamps=True,
                condition_on_previous_text=False,
                initial_prompt=asked.get("prompt") or None,
                temperature=asked.get("temperature") or 0.0,
            )
            told = [segment(number, each) for number, each in enumerate(segments)]
        return {
            "text": "".join(each["text"] for each in told).strip(),
            "seconds": round(len(sound) / RATE, DIGITS),
            "segments": [{name: value for name, value in each.items() if name != "words"} for each in told],
            "words": [word for each in told for word in each["words"]],
        }

    return answer


def segment(number: int, found: Any) -> Json:
    return {
        "id": number,
        "seek": int(found.seek),
        "start": round(float(found.start), DIGITS),
        "end": round(float(found.end), DIGITS),
        "text": found.text,
        "tokens": [int(each) for each in found.tokens],
        "temperature": float(found.temperature or 0.0),
        "avg_logprob": round(float(found.avg_logprob), DIGITS),
        "compression_ratio": round(float(found.compression_ratio), DIGITS),
        "no_speech_prob": round(float(found.no_speech_prob), DIGITS),
        "words": [
            {
                "word": each.word.strip(),
                "start": round(float(each.start), DIGITS),
                "end": round(float(each.end), DIGITS),
            }
            for each in found.words or ()
        ],
    }


def samples(file: IO[bytes] | None) -> Any:
    """The sound, mono, as the model takes it."""
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
