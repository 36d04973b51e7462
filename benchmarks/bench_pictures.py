"""How good the renderer's picture operations are, beside what anybody has at hand: tables in Markdown.

    python benchmarks/bench_pictures.py
    python benchmarks/bench_pictures.py --only upscale,cutout,vectorize,inpaint --cases 20

Everything is made from painted scenes and shapes whose truth is known, from fixed seeds. PSNR in dB, of 8 bits.
"""

import argparse
import re
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from statistics import mean

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from _common import table
from mutoscope import studio
from mutoscope.studio.scene import paint

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]

PROMPTS = (
    "a lake between mountains at dawn",
    "a neon city at night",
    "calm ocean at sunset",
    "misty pine forest in the morning",
    "desert dunes under a clear sky",
    "wildflowers on rolling hills",
    "snowy mountains under northern lights",
    "an island in a turquoise sea",
    "nebula in teal and gold",
    "abstract in red and blue",
)
SIZE = (480, 320)


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--only", default=",".join(PARTS), help=f"parts of: {', '.join(PARTS)}")
    words.add_argument("--cases", type=int, default=20, help="made cases of each part")
    asked = words.parse_args()
    parts = [each.strip() for each in asked.only.split(",")]
    if unknown := [each for each in parts if each not in PARTS]:
        words.error(f"no such part: {unknown[0]}; there are {', '.join(PARTS)}")
    with tempfile.TemporaryDirectory() as folder:
        for part in parts:
            PARTS[part](Path(folder), max(1, asked.cases))


def scenes(count: int, size: tuple[int, int] = SIZE) -> Iterable[Bytes]:
    for number in range(count):
        yield paint(PROMPTS[number % len(PROMPTS)], *size, 11 + number).rgb


def psnr(one: Bytes, other: Bytes, where: NDArray[np.bool_] | None = None) -> float:
    difference = one.astype(np.float32) - other.astype(np.float32)
    error = float(np.mean((difference if where is None else difference[where]) ** 2))
    return 10 * float(np.log10(255**2 / max(error, 1e-9)))


def kept(rgb: Bytes, path: Path) -> Path:
    Image.fromarray(rgb).save(path)
    return path


def read(path: Path) -> Bytes:
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"), np.uint8)


# -- upscale ------------------------------------------------------------------------------------


def upscale(folder: Path, cases: int) -> None:
    """A picture made smaller by averaging, and enlarged again."""
    rows: list[Sequence[object]] = [("factor", "the renderer", "Pillow's Lanczos", "Pillow's bicubic", "cases won")]
    for factor in (2, 4):
        ours, theirs, cubic = list[float](), list[float](), list[float]()
        for rgb in scenes(cases):
            height, width = rgb.shape[:2]
            small = Image.fromarray(rgb).resize((width // factor, height // factor), Image.Resampling.BOX)
            given = folder / "small.png"
            small.save(given)
            studio.enlarge_image(given, folder / "large.png", factor=factor)
            ours.append(psnr(read(folder / "large.png"), rgb))
            for method, found in ((Image.Resampling.LANCZOS, theirs), (Image.Resampling.BICUBIC, cubic)):
                found.append(psnr(np.asarray(small.resize((width, height), method), np.uint8), rgb))
        won = sum(mine >= other - 0.005 for mine, other in zip(ours, theirs, strict=True))
        rows.append((f"{factor}x", mean(ours), mean(theirs), mean(cubic), f"{won} of {cases}"))
    table(f"Upscale: PSNR of {cases} scenes that were made smaller and enlarged again", *rows)


# -- cut out ------------------------------------------------------------------------------------


def subject(number: int, size: tuple[int, int]) -> tuple[Bytes, NDArray[np.bool_]]:
    """A thing of its own colours before a scene that is out of focus, and where it is."""
    chance = np.random.default_rng(100 + number)
    width, height = size
    behind = cv2.GaussianBlur(paint(PROMPTS[number % len(PROMPTS)], width, height, number).rgb, (0, 0), 5)
    large = np.zeros((height * 4, width * 4), np.uint8)
    middle = (int(width * 4 * chance.uniform(0.4, 0.6)), int(height * 4 * chance.uniform(0.45, 0.6)))
    side = min(size) * 4 * chance.uniform(0.22, 0.3)
    turns = np.linspace(0, 2 * np.pi, 240, endpoint=False)
    waves = 1 + sum(chance.uniform(0.03, 0.12) * np.sin(k * turns + chance.uniform(0, 6)) for k in (2, 3, 5))
    shape = np.stack([middle[0] + side * waves * np.cos(turns), middle[1] + 1.15 * side * waves * np.sin(turns)], 1)
    cv2.fillPoly(large, [shape.round().astype(np.int32)], 255)
    cover = cv2.resize(large, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    colour = np.array(chance.uniform(30, 225, 3), np.float32)
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    light = 1 - 0.45 * np.hypot(columns - middle[0] / 4 + 20, rows - middle[1] / 4 + 24) / (side / 2.6)
    grain = chance.normal(0, 9, (height, width)).astype(np.float32)
    own = (colour * light.clip(0.35, 1.2)[..., None] + grain[..., None]).clip(0, 255)
    rgb = behind * (1 - cover[..., None]) + own * cover[..., None]
    return rgb.round().astype(np.uint8), cover > 0.5


def cutout(folder: Path, cases: int) -> None:
    found, boxes = list[float](), list[float]()
    for number in range(cases):
        rgb, truth = subject(number, SIZE)
        studio.cut_out(kept(rgb, folder / "given.png"), folder / "cut.png")
        with Image.open(folder / "cut.png") as cut:
            alpha = np.asarray(cut.convert("RGBA"), np.uint8)[..., 3] > 127
        found.append(overlap(alpha, truth))
        boxes.append(overlap(grabbed(rgb), truth))
    rows = (
        ("method", "mean IoU", "worst", "above 0.9"),
        ("the renderer", mean(found), min(found), f"{sum(each > 0.9 for each in found)} of {cases}"),
        (
            "OpenCV's GrabCut, told a box of 80 %",
            mean(boxes),
            min(boxes),
            f"{sum(each > 0.9 for each in boxes)} of {cases}",
        ),
    )
    table(f"Cut out: IoU with the known mask, {cases} made cases", *rows)


def overlap(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    return float((one & other).sum() / max(1, (one | other).sum()))


def grabbed(rgb: Bytes) -> NDArray[np.bool_]:
    height, width = rgb.shape[:2]
    mask = np.zeros((height, width), np.uint8)
    box = (width // 10, height // 10, width * 8 // 10, height * 8 // 10)
    cv2.setRNGSeed(1)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    found, _, _ = cv2.grabCut(rgb, mask, box, *models, 5, cv2.GC_INIT_WITH_RECT)
    return (found == cv2.GC_FGD) | (found == cv2.GC_PR_FGD)


# -- vectorize ----------------------------------------------------------------------------------

PATH = re.compile(r'<path d="([^"]+)"[^>]*?fill="#([0-9A-Fa-f]{6})"(?:[^>]*?transform="translate\(([-\d.,]+)\)")?')
STEP = re.compile(r"([MLCZ])([^MLCZ]*)")
FINER = 2


def vectorize(folder: Path, cases: int) -> None:
    rows: list[Sequence[object]] = [("detail", "PSNR", "SVG, kB", "the same as PNG, kB", "areas")]
    for detail in ("plain", "fair", "fine"):
        quality, bytes_, png, paths = list[float](), list[float](), list[float](), list[float]()
        for rgb in scenes(cases):
            given = kept(rgb, folder / "given.png")
            made = studio.trace_image(given, folder / "drawn.svg", detail=detail)
            quality.append(psnr(drawn((folder / "drawn.svg").read_text(), *SIZE), rgb))
            bytes_.append((folder / "drawn.svg").stat().st_size / 1000)
            png.append(given.stat().st_size / 1000)
            paths.append(made.paths)
        rows.append((detail, mean(quality), mean(bytes_), mean(png), round(mean(paths))))
    table(f"Vectorize: {cases} scenes of {SIZE[0]}x{SIZE[1]}, drawn again from their SVG", *rows)


def drawn(svg: str, width: int, height: int) -> Bytes:
    """What a tracer's SVG shows: areas of one colour between curves, the later ones above."""
    view = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg) or re.search(r'width="([\d.]+)" height="([\d.]+)"', svg)
    scale = width / float(view[1]) if view else 1.0
    canvas = np.full((height * FINER, width * FINER, 3), 255, np.uint8)
    for path, colour, moved in PATH.findall(svg):
        corner = np.array((moved or "0,0").split(","), np.float32)
        shapes = [((each + corner) * scale * FINER * 16).round().astype(np.int32) for each in outlines(path)]
        value = tuple(int(colour[at : at + 2], 16) for at in (0, 2, 4))
        cv2.fillPoly(canvas, shapes, value, lineType=cv2.LINE_8, shift=4)
    return cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA).astype(np.uint8)


def outlines(path: str) -> list[Floats]:
    found: list[list[Floats]] = []
    for word, figures in STEP.findall(path):
        points = np.array(re.findall(r"-?[\d.]+", figures), np.float32).reshape(-1, 2)
        if word == "M":
            found.append([])
        if word == "C":
            start = found[-1][-1][-1:]
            begins = np.concatenate([start, points[2:-1:3]])
            found[-1].append(bent(begins, points[::3], points[1::3], points[2::3]))
        elif word in "ML":
            found[-1].append(points)
    return [np.concatenate(each) for each in found if sum(map(len, each)) > 2]


SHARES = np.linspace(1 / 6, 1, 6, dtype=np.float32)[None, :, None]


def bent(*corners: Floats) -> Floats:
    """Points of many cubic curves."""
    a, b, c, d = (each[:, None] for each in corners)
    s = SHARES
    points = (1 - s) ** 3 * a + 3 * s * (1 - s) ** 2 * b + 3 * s * s * (1 - s) * c + s**3 * d
    return points.reshape(-1, 2).astype(np.float32)


# -- inpaint ------------------------------------------------------------------------------------


def hole(number: int, size: tuple[int, int]) -> NDArray[np.bool_]:
    """A blot, a stroke or a box of some size somewhere."""
    chance = np.random.default_rng(300 + number)
    width, height = size
    mask = np.zeros((height, width), np.uint8)
    middle = int(chance.uniform(0.25, 0.75) * width), int(chance.uniform(0.25, 0.75) * height)
    side = int(chance.uniform(0.06, 0.14) * width)
    match number % 3:
        case 0:
            cv2.ellipse(mask, middle, (side, round(side * 0.7)), chance.uniform(0, 180), 0, 360, 255, -1)
        case 1:
            end = (
                middle[0] + int(chance.uniform(-0.3, 0.3) * width),
                middle[1] + int(chance.uniform(-0.2, 0.2) * height),
            )
            cv2.line(mask, middle, end, 255, max(6, side // 3))
        case _:
            cv2.rectangle(
                mask, (middle[0] - side, middle[1] - side // 2), (middle[0] + side, middle[1] + side // 2), 255, -1
            )
    return mask > 0


def inpaint(folder: Path, cases: int) -> None:
    methods: dict[str, Callable[[Bytes, Bytes], Bytes]] = {
        "the renderer": lambda rgb, mask: filled(folder, rgb, mask),
        "OpenCV, Telea": lambda rgb, mask: np.asarray(cv2.inpaint(rgb, mask, 5, cv2.INPAINT_TELEA), np.uint8),
        "OpenCV, Navier-Stokes": lambda rgb, mask: np.asarray(cv2.inpaint(rgb, mask, 5, cv2.INPAINT_NS), np.uint8),
    }
    figures: dict[str, list[tuple[float, float]]] = {name: [] for name in methods}
    for number, rgb in enumerate(scenes(cases)):
        gone = hole(number, SIZE)
        mask = np.where(gone, 255, 0).astype(np.uint8)
        given = rgb.copy()
        given[gone] = 255
        for name, method in methods.items():
            made = method(given, mask)
            figures[name].append((psnr(made, rgb, gone), liveliness(made, rgb, gone)))
    best = [max(range(len(methods)), key=lambda at: [*figures.values()][at][case][0]) for case in range(cases)]
    rows: list[Sequence[object]] = [("method", "PSNR within the hole", "worst", "best of the three", "detail kept")]
    for at, (name, found) in enumerate(figures.items()):
        quality = [each for each, _ in found]
        kept_detail = f"{100 * mean(each for _, each in found):.0f} %"
        rows.append((name, mean(quality), min(quality), f"{best.count(at)} of {cases}", kept_detail))
    table(f"Inpaint: {cases} scenes with a hole whose content is known", *rows)
    print("Detail kept: the standard deviation of what is fine (against a blur of 3 pixels), to that of the truth.\n")


def filled(folder: Path, rgb: Bytes, mask: Bytes) -> Bytes:
    studio.fill_image(kept(rgb, folder / "given.png"), kept(mask, folder / "mask.png"), folder / "filled.png", seed=1)
    return read(folder / "filled.png")


def liveliness(made: Bytes, truth: Bytes, where: NDArray[np.bool_]) -> float:
    def fine(rgb: Bytes) -> float:
        soft = cv2.GaussianBlur(rgb.astype(np.float32), (0, 0), 3)
        return float(np.std((rgb - soft)[where]))

    return min(2.0, fine(made) / max(fine(truth), 0.2))


PARTS: dict[str, Callable[[Path, int], None]] = {
    "upscale": upscale,
    "cutout": cutout,
    "vectorize": vectorize,
    "inpaint": inpaint,
}

if __name__ == "__main__":
    sys.exit(main())
