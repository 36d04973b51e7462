"""Voices without what else is heard: GTCRN, which says of each moment's spectrum what of it is speech."""

import wave
from typing import IO, Any

import numpy as np

from mutoscope.engines.local.pictures import Json, Refused
from mutoscope.engines.local.sounds import RATE, samples
from mutoscope.studio.imprint import network

SIDE, STEP = 512, 256  # samples of a moment, and from one to the next
WINDOW = np.sqrt(np.hanning(SIDE + 1)[:-1]).astype(np.float32)  # twice in a row it leaves a sound as it is
MEMORY = {"conv_cache": (2, 1, 16, 16, 33), "tra_cache": (2, 3, 1, 1, 16), "inter_cache": (2, 1, 33, 16)}
"""What the network hands on from one moment to the next."""
BLOCK = 4096  # moments that are held at once


def load(files: dict[str, str]) -> Any:
    model = network(files["model.onnx"])

    def answer(_: Json, file: IO[bytes] | None, out: IO[bytes]) -> Json:
        sound = samples(file)
        if len(sound) < STEP:
            raise Refused("There is no sound in the file.")
        with wave.open(out, "wb") as target:
            target.setnchannels(1)
            target.setsampwidth(2)
            target.setframerate(RATE)
            target.writeframes(np.rint(isolated(model, sound).clip(-1, 1) * 32767).astype("<i2").tobytes())
        return {"made": True, "seconds": len(sound) / RATE}

    return answer


def isolated(model: Any, sound: Any) -> Any:
    """As long as the sound was."""
    moments = -(-len(sound) // STEP) + 1
    padded = np.zeros((moments + 1) * STEP, np.float32)
    padded[STEP : STEP + len(sound)] = sound
    made = np.zeros_like(padded)
    kept = {name: np.zeros(shape, np.float32) for name, shape in MEMORY.items()}
    seen = np.lib.stride_tricks.sliding_window_view(padded, SIDE)[::STEP]
    for first in range(0, moments, BLOCK):
        spectra = np.fft.rfft(seen[first : first + BLOCK] * WINDOW, axis=1).astype(np.complex64)
        for number, spectrum in enumerate(spectra):
            mixed = np.stack([spectrum.real, spectrum.imag], -1)[None, :, None]
            found, *told = model.run(None, {"mix": mixed, **kept})
            kept = dict(zip(MEMORY, told, strict=True))
            spectra[number] = found[0, :, 0, 0] + 1j * found[0, :, 0, 1]
        for number, moment in enumerate(np.fft.irfft(spectra, SIDE, axis=1) * WINDOW, first):
            made[number * STEP : number * STEP + SIDE] += moment
    return made[STEP : STEP + len(sound)]
