"""How the imperceptible mark measures, on pictures and clips that the renderer makes: tables in Markdown.

    python benchmarks/bench_mark.py --weights FOLDER
    python benchmarks/bench_mark.py --weights FOLDER --pictures 20 --unmarked 50 --clips 1

FOLDER is that of `mutoscope weights fetch rivagan --into FOLDER`. What takes long is reading: about a third of a second
a look, and an unmarked picture is looked at three times.
"""

import argparse
import io
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from _common import pillow_seconds, table
from mutoscope import studio
from mutoscope.studio import imprint

Bytes = NDArray[np.uint8]
PROMPTS = Path(__file__).parent.parent / "tests" / "studio" / "prompts.txt"
SIZES = ((512, 288), (384, 384), (288, 512), (640, 480))
EVERY = 8  # of the pictures, one is put through what is slow to measure as well
KIND = "picture"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path, default=Path(".venv/weights"))
    parser.add_argument("--pictures", type=int, default=200)
    parser.add_argument("--unmarked", type=int, default=500)
    parser.add_argument("--clips", type=int, default=6)
    asked = parser.parse_args()
    folder = asked.weights / "rivagan"
    if not folder.is_dir():
        print(f"{folder} is not there: mutoscope weights fetch rivagan --into {asked.weights}", file=sys.stderr)
        return 2
    writer = imprint.Writer(folder / "encoder.onnx", folder / "decoder.onnx", KIND)
    reader = imprint.Reader(folder / "decoder.onnx")
    if asked.pictures:
        survival(writer, reader, asked.pictures)
    if asked.unmarked:
        false_alarms(reader, asked.unmarked)
    if asked.clips:
        clips(folder, reader, asked.clips)
    costs(writer)
    return 0


def survival(writer: imprint.Writer, reader: imprint.Reader, count: int) -> None:
    """How many are recognised after what happens to pictures."""
    found: dict[str, list[imprint.Reading]] = {name: [] for name in ("as it is", "JPEG 75", *HARM)}
    loss: list[float] = []
    weak = 0
    for number, picture in enumerate(pictures(count)):
        marked = np.asarray(writer.on_picture(Image.fromarray(picture)), np.uint8)
        weak += not writer.survived
        loss.append(psnr(picture, marked))
        found["JPEG 75"].append(reader.read(jpeg(marked, 75)))
        if number % EVERY == 0:
            found["as it is"].append(reader.read(marked))
            for name, harm in HARM.items():
                found[name].append(reader.read(harm(marked)))
    table(
        f"{count} pictures, PSNR {np.mean(loss):.1f} dB on average, {min(loss, default=0):.1f} at least; "
        f"{weak} were marked in vain",
        ("after", "pictures", "recognised, %", "bits of 24 on average", "kind right, %"),
        *(
            (
                name,
                len(each),
                100 * sum(one.recognised for one in each) / len(each),
                float(np.mean([one.bits for one in each])),
                100 * sum(one.kind == KIND for one in each) / len(each),
            )
            for name, each in found.items()
            if each
        ),
    )


def false_alarms(reader: imprint.Reader, count: int) -> None:
    """Pictures without a mark, looked at as often as any."""
    bits = [reader.read(picture).bits for picture in pictures(count, seed=10_000)]
    alarms = sum(each >= imprint.RECOGNISED for each in bits)
    head = ("pictures", "recognised", "most bits of 24", "bits needed", "a look, by chance alone")
    table("Without a mark", head, (count, alarms, max(bits), imprint.RECOGNISED, f"1 in {1 / imprint.chance():,.0f}"))


def clips(folder: Path, reader: imprint.Reader, count: int) -> None:
    """Whether a clip is recognised by its frames, as it was made and encoded again."""
    rows: list[tuple[str, int, int]] = []
    with tempfile.TemporaryDirectory() as room:
        made: list[Path] = []
        for number, prompt in enumerate(prompts(count)):
            imprint.current = imprint.Writer(folder / "encoder.onnx", folder / "decoder.onnx", "clip")
            path = Path(room) / f"{number}.mp4"
            studio.text_to_video(path, prompt=prompt, width=640, height=360, fps=24, seconds=2, seed=number)
            made.append(path)
        imprint.current = None
        for name, crf in (("as it is", None), ("CRF 23", 23), ("CRF 28", 28)):
            seen = [path if crf is None else again(path, crf) for path in made]
            rows.append((name, len(seen), sum(recognised(path, reader) for path in seen)))
    table("Clips of 2 s, 640x360", ("after", "clips", "recognised"), *rows)


def costs(writer: imprint.Writer) -> None:
    """CPU and memory for one picture, by its size."""
    rows: list[tuple[str, float, float, float]] = []
    yardstick = pillow_seconds()
    for width, height in ((512, 512), (1280, 720), (1920, 1080), (3840, 2160)):
        noise = np.random.default_rng(1).integers(0, 256, (height // 8, width // 8, 3), np.uint8)
        picture = Image.fromarray(cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC))
        before, peak = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        writer.on_picture(picture)
        cpu = time.process_time() - before
        more = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak
        rows.append((f"{width}x{height}", cpu, cpu / yardstick, more / 1024))
    head = ("size", "CPU s", "of Pillow's 512x512 to 1024x1024", "more memory at its peak, MB")
    table("One picture", head, *rows)


def pictures(count: int, seed: int = 0) -> Iterator[Bytes]:
    with tempfile.TemporaryDirectory() as room:
        for number, prompt in enumerate(prompts(count)):
            width, height = SIZES[number % len(SIZES)]
            path = Path(room) / f"{number}.png"
            studio.text_to_image(prompt, path, width=width, height=height, seed=seed + number)
            yield np.asarray(Image.open(path).convert("RGB"), np.uint8)
            path.unlink()


def prompts(count: int) -> Iterator[str]:
    lines = [line for line in PROMPTS.read_text().splitlines() if line and not line.startswith("#")]
    for number in range(count):
        yield lines[number * 7 % len(lines)]


def jpeg(rgb: Bytes, quality: int) -> Bytes:
    file = io.BytesIO()
    Image.fromarray(rgb).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file).convert("RGB"), np.uint8)


def cropped(rgb: Bytes, share: float) -> Bytes:
    rows, columns = (round(side * (1 - share) / 2) for side in rgb.shape[:2])
    return np.ascontiguousarray(rgb[rows : rgb.shape[0] - rows, columns : rgb.shape[1] - columns])


def scaled(rgb: Bytes, share: float) -> Bytes:
    return np.asarray(cv2.resize(rgb, None, fx=share, fy=share, interpolation=cv2.INTER_AREA), np.uint8)


HARM: dict[str, Callable[[Bytes], Bytes]] = {
    "JPEG 90": lambda rgb: jpeg(rgb, 90),
    "JPEG 50": lambda rgb: jpeg(rgb, 50),
    "cropped to 7/8": lambda rgb: cropped(rgb, 7 / 8),
    "cropped to 3/4": lambda rgb: cropped(rgb, 3 / 4),
    "halved": lambda rgb: scaled(rgb, 0.5),
    "enlarged 1.5 times": lambda rgb: scaled(rgb, 1.5),
    "blurred, sigma 2": lambda rgb: np.asarray(cv2.GaussianBlur(rgb, (0, 0), 2), np.uint8),
}


def again(path: Path, crf: int) -> Path:
    """The clip, encoded once more."""
    out = path.with_name(f"{path.stem}-{crf}.mp4")
    with av.open(str(path)) as source, av.open(str(out), "w") as target:
        stream = target.add_stream("libx264", rate=24, options={"crf": str(crf)})
        stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
        for frame in source.decode(video=0):
            frame.pict_type = 0  # pyright: ignore[reportAttributeAccessIssue] (as the encoder likes)
            target.mux(stream.encode(frame))
        target.mux(stream.encode())
    return out


def recognised(path: Path, reader: imprint.Reader) -> bool:
    with av.open(str(path)) as container:
        frames = [np.asarray(frame.to_ndarray(format="rgb24"), np.uint8) for frame in container.decode(video=0)]
    return any(reader.read(frames[number]).recognised for number in imprint.frames_of(len(frames)))


def psnr(one: Bytes, other: Bytes) -> float:
    error = float(np.mean((one.astype(np.float32) - other.astype(np.float32)) ** 2))
    return 10 * np.log10(255**2 / error) if error else 99.0


if __name__ == "__main__":
    sys.exit(main())
