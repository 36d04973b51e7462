"""What the renderer's benchmarks share: their setting, the pictures, the frames as rendered, and files read back."""

import os
import statistics
import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mutoscope import studio
from mutoscope.studio import film

Pixels = NDArray[np.uint8]
Matrix = NDArray[np.float64]

CORES = sorted(os.sched_getaffinity(0))[:2]
"""All is measured on two cores, whatever the machine has."""
SEED = 12345
LANDSCAPE = "A serene mountain landscape at sunset with golden light"
BOX = 0.5  # px: half a pixel, where a pixel's centre lies in a box of pixels


@dataclass(frozen=True)
class Size:
    name: str
    width: int
    height: int
    fps: int


@dataclass(frozen=True)
class Setting:
    """What the command line said, and a folder to work in."""

    work: Path
    rounds: int
    tiny: bool = False
    peers: bool = False
    prototype: Path | None = None
    photo: Path | None = None
    pictures: Path | None = None

    @property
    def sizes(self) -> tuple[Size, ...]:
        if self.tiny:
            return (Size("tiny", 256, 144, 12),)
        return Size("720p24", 1280, 720, 24), Size("1080p30", 1920, 1080, 30)

    @property
    def small(self) -> Size:
        return self.sizes[0]

    @property
    def large(self) -> Size:
        return self.sizes[-1]

    def seconds(self, wanted: float) -> float:
        return wanted / 4 if self.tiny else wanted

    def picture(self) -> Path:
        """A detailed 16:9 picture of one and a half times the largest size: the operator's, or a painted one."""
        path = self.work / "picture.png"
        if not path.exists():
            width, height = self.large.width * 3 // 2 // 2 * 2, self.large.height * 3 // 2 // 2 * 2
            if self.photo is not None:
                with Image.open(self.photo) as image:
                    cover(np.asarray(image.convert("RGB")), width, height).save(path)
            else:
                studio.text_to_image(LANDSCAPE, path, width=width, height=height, seed=SEED)
        return path


@dataclass
class Report:
    """What a part found: a table for people, numbers for the plots."""

    title: str
    head: tuple[str, ...]
    rows: list[tuple[str, ...]] = field(default_factory=list[tuple[str, ...]])
    notes: list[str] = field(default_factory=list[str])

    def row(self, *cells: object) -> None:
        self.rows.append(tuple(str(cell) for cell in cells))

    def show(self) -> None:
        print(f"\n{self.title}\n")
        print("| " + " | ".join(self.head) + " |")
        print("|" + "---|" * len(self.head))
        for row in self.rows:
            print("| " + " | ".join(row) + " |")
        for note in self.notes:
            print(f"\n{note}")


def environment(work: Path) -> dict[str, str]:
    """Of a rendering process: as the engine's children have it, and with modules compiled, as after a first start."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    alone = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}
    return kept | alone | {"PYTHONPYCACHEPREFIX": str(work / "bytecode")}


# -- rendering, watched -----------------------------------------------------------


@dataclass
class Watch:
    """One rendering: its frames where they were wanted, and how long it took from the first frame to the file."""

    frames: list[av.VideoFrame] = field(default_factory=list[av.VideoFrame])
    began: float = 0.0
    began_cpu: float = 0.0


@contextmanager
def watched(*, keep: bool = False, instead: Sequence[av.VideoFrame] | None = None) -> Generator[Watch]:
    """Watch what is rendered meanwhile; or encode other frames `instead` of rendering any, in the same way.

    It steps in between the renderer and its encoder: the encoder's settings are therefore the renderer's own.
    """
    watch = Watch()
    write = film.write

    def stepped_in(writer: Any, frames: Iterable[av.VideoFrame], *rest: Any) -> None:
        watch.began, watch.began_cpu = time.perf_counter(), time.process_time()
        if instead is not None:
            for frame in instead:
                writer.put(frame)
            return
        write(writer, keeping(frames, watch.frames) if keep else frames, *rest)

    film.write = stepped_in
    try:
        yield watch
    finally:
        film.write = write


def keeping(frames: Iterable[av.VideoFrame], kept: list[av.VideoFrame]) -> Iterator[av.VideoFrame]:
    for frame in frames:
        kept.append(frame)
        yield frame


def rendered(out: Path, **wish: Any) -> list[Pixels]:
    """The luma planes of a clip as rendered, before the codec."""
    with watched(keep=True) as watch:
        studio.image_to_video(out=out, **wish)
    return [luma(frame) for frame in watch.frames]


# -- files read back --------------------------------------------------------------


def luma(frame: av.VideoFrame) -> Pixels:
    plane = frame.planes[0]
    whole = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)  # pyright: ignore[reportCallIssue, reportArgumentType]
    return whole[: plane.height, : plane.width].copy()


def lumas(path: Path) -> list[Pixels]:
    with av.open(str(path)) as container:
        return [luma(frame) for frame in container.decode(video=0)]


def colours(path: Path, *indices: int) -> list[Pixels]:
    """Some frames of a file as RGB; -1 is the last."""
    with av.open(str(path)) as container:
        frames = [np.asarray(frame.to_ndarray(format="rgb24"), np.uint8) for frame in container.decode(video=0)]
    return [frames[index] for index in indices]


# -- pictures compared ------------------------------------------------------------


def psnr(one: NDArray[Any], other: NDArray[Any]) -> float:
    error = float(((one.astype(np.float32) - other.astype(np.float32)) ** 2).mean())
    return float(10 * np.log10(255**2 / max(error, 1e-9)))


def cover(pixels: Pixels, width: int, height: int) -> Image.Image:
    """Cropped about the middle to the shape, and resampled with Pillow."""
    rows, columns = pixels.shape[:2]
    zoom = max(width / columns, height / rows)
    across, down = width / zoom, height / zoom
    box = ((columns - across) / 2, (rows - down) / 2, (columns + across) / 2, (rows + down) / 2)
    return Image.fromarray(pixels).resize((width, height), Image.Resampling.LANCZOS, box=box)


def patches(frame: Pixels, count: int = 3) -> list[tuple[int, int, int]]:
    """Left, top and side of the squares with the most detail, apart from each other and from the edges."""
    rows, columns = frame.shape
    side = min(256, rows * 2 // 5 // 2 * 2)
    detail = np.abs(cv2.Laplacian(frame, cv2.CV_32F))
    tops = np.linspace(rows * 0.05, rows * 0.95 - side, 3).astype(int)
    lefts = np.linspace(columns * 0.05, columns * 0.95 - side, 5).astype(int)
    places = [(int(left), int(top), side) for top in tops for left in lefts]
    places.sort(key=lambda place: -float(detail[place[1] : place[1] + side, place[0] : place[0] + side].mean()))
    return places[:count]


def velocities(frames: Sequence[Pixels], where: Sequence[tuple[int, int, int]]) -> Matrix:
    """Pixels right and down between neighbouring frames: (steps, patches, 2), by phase correlation."""
    side = where[0][2]
    window = cv2.createHanningWindow((side, side), cv2.CV_32F)
    result = np.zeros((len(frames) - 1, len(where), 2))
    for column, (left, top, _) in enumerate(where):
        parts = [each[top : top + side, left : left + side].astype(np.float32) for each in frames]
        for row in range(len(parts) - 1):
            # Copies: with a window, OpenCV 5.0 changes its inputs.
            shift, _ = cv2.phaseCorrelate(parts[row].copy(), parts[row + 1].copy(), window)
            result[row, column] = shift
    return result


def speeds_across(frames: Sequence[Pixels]) -> list[float]:
    """Pixels right between neighbouring frames, of the middle as a whole, by ECC.

    Phase correlation finds changes of speed well, but draws every speed towards whole pixels.
    """
    rows, columns = frames[0].shape
    parts = [each[rows // 8 : -rows // 8, columns // 8 : -columns // 8] for each in frames]
    done = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 100, 1e-6)
    found: list[float] = []
    moved = np.eye(2, 3, dtype=np.float32)
    for one, other in pairwise(parts):
        moved = ecc(one, other, moved, cv2.MOTION_TRANSLATION, done)
        found.append(float(moved[0, 2]))
    return found


def ecc(one: Pixels, other: Pixels, guess: NDArray[np.float32], kind: int, done: Any) -> NDArray[np.float32]:
    """What maps a place in one picture to the same in the other; the guess where there is nothing to hold on to."""
    try:
        _, moved = cv2.findTransformECC(one, other, guess.copy(), kind, done, None, 5)  # pyright: ignore[reportCallIssue, reportArgumentType]
    except cv2.error:
        return guess
    return np.asarray(moved, np.float32)


def pin(cores: Iterable[int]) -> None:
    """Keep this thread, and those that it will start, on these cores."""
    os.sched_setaffinity(0, set(cores))


def median(values: Iterable[float]) -> float:
    return statistics.median(values)
