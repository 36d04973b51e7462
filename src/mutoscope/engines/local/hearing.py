"""English speech as text, with the times of its segments and words: Whisper tiny.en by faster-whisper."""

from pathlib import Path
from typing import IO, Any

import faster_whisper

from mutoscope.engines.local.pictures import Json
from mutoscope.engines.local.sounds import RATE, samples

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
