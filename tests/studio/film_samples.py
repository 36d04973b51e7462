"""Pictures, sounds and clips that the tests of studio's videos make, and what they read back."""

import wave
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

Picture = NDArray[np.uint8]


def scenery(width: int, height: int, seed: int = 1) -> Picture:
    """An RGB picture with detail at several scales and corners to find again."""
    chance = np.random.default_rng(seed)
    total = np.zeros((height, width, 3), np.float32)
    for cells, weight in ((5, 1.0), (17, 0.6), (43, 0.35)):
        noise = chance.random((cells, cells * 2, 3)).astype(np.float32)
        total += weight * cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
    total = total / 1.95
    for _ in range(40):  # light and dark squares: coloured ones would measure 4:2:0 instead of studio
        x, y = int(chance.integers(width)), int(chance.integers(height))
        size = int(chance.integers(height // 24, height // 8))
        total[y : y + size, x : x + size] *= np.float32(chance.choice([0.6, 1.4]))
    return (total * 255).clip(0, 255).astype(np.uint8)


def saved(path: Path, pixels: Picture) -> Path:
    Image.fromarray(pixels).save(path)
    return path


def tone(path: Path, seconds: float, *, rate: int = 8000, hertz: float = 440.0) -> Path:
    """A mono WAV file of 16 bits."""
    times = np.arange(round(seconds * rate)) / rate
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((np.sin(2 * np.pi * hertz * times) * 12000).astype("<i2").tobytes())
    return path


def mp3(path: Path, seconds: float) -> Path:
    wav = tone(path.with_suffix(".wav"), seconds, rate=44100)
    with av.open(str(wav)) as source, av.open(str(path), "w", format="mp3") as target:
        stream = target.add_stream("libmp3lame", rate=44100)
        for frame in source.decode(audio=0):
            target.mux(stream.encode(frame))
        target.mux(stream.encode(None))
    return path


def frames(path: Path) -> list[Picture]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def lumas(path: Path) -> list[Picture]:
    """The decoded luma planes: what the codec kept, without the reader's own way from chroma to colours."""
    with av.open(str(path)) as container:
        return [frame.to_ndarray()[: frame.height] for frame in container.decode(video=0)]


def luma(pixels: Picture) -> Picture:
    """The luma of an RGB picture, BT.601, limited range."""
    weights = np.array([0.299, 0.587, 0.114]) * 219 / 255
    return (pixels @ weights + 16.5).astype(np.uint8)


def sound(path: Path) -> Picture:
    """Samples (channels, n) of the sound track."""
    with av.open(str(path)) as container:
        return np.concatenate([frame.to_ndarray() for frame in container.decode(audio=0)], axis=1)


def psnr(one: Picture, other: Picture) -> float:
    error = float(((one.astype(np.float64) - other.astype(np.float64)) ** 2).mean())
    return 10 * np.log10(255**2 / max(error, 1e-9))


def cover(pixels: Picture, width: int, height: int) -> Picture:
    """Cropped about the middle and resampled by another way than studio's own."""
    rows, columns = pixels.shape[:2]
    zoom = max(width / columns, height / rows)
    across, down = width / zoom, height / zoom
    box = ((columns - across) / 2, (rows - down) / 2, (columns + across) / 2, (rows + down) / 2)
    image = Image.fromarray(pixels).resize((width, height), Image.Resampling.BICUBIC, box=box)
    return np.asarray(image)


def shift(one: Picture, other: Picture) -> tuple[float, float]:
    """How far the middle of the picture moved, in pixels right and down."""
    grey = [cv2.cvtColor(each, cv2.COLOR_RGB2GRAY).astype(np.float32) for each in (one, other)]
    rows, columns = grey[0].shape
    part = np.s_[rows // 4 : -rows // 4, columns // 4 : -columns // 4]
    first, second = (np.ascontiguousarray(each[part]) for each in grey)
    window = cv2.createHanningWindow((first.shape[1], first.shape[0]), cv2.CV_32F)
    (right, down), _ = cv2.phaseCorrelate(first.copy(), second.copy(), window)
    return right, down
