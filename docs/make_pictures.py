"""Renders docs/pictures/contact-sheet.jpg with the built-in renderer: pictures from words, and frames of two clips.

    python docs/make_pictures.py

Nothing but `mutoscope.studio` is used. It takes some seconds; the same machine makes the same file.
"""

import tempfile
from collections.abc import Iterable
from functools import partial
from pathlib import Path

import av
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from mutoscope import studio

SHEET = Path(__file__).parent / "pictures" / "contact-sheet.jpg"
COLUMNS, CELL, GAP, CAPTION = 4, (320, 180), 6, 24

SCENES = (
    "a lake between mountains at dawn",
    "a neon city at night in the rain",
    "northern lights over snowy pine trees",
    "wildflowers on rolling hills under scattered clouds",
)
FROM_PICTURE = "slow push in, then pan right"
FROM_WORDS = "an island in a turquoise sea at sunset, zoom out"


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        rows = made(Path(folder))
    height = sum(CAPTION + CELL[1] + GAP for _ in rows)
    sheet = Image.new("RGB", (COLUMNS * (CELL[0] + GAP) + GAP, height + GAP), "white")
    for number, (caption, pictures) in enumerate(rows):
        lay(sheet, number * (CAPTION + CELL[1] + GAP), caption, pictures)
    SHEET.parent.mkdir(exist_ok=True)
    sheet.save(SHEET, quality=82, optimize=True)
    print(f"{SHEET.name}: {sheet.width}x{sheet.height}, {SHEET.stat().st_size / 1000:.0f} kB")


def made(folder: Path) -> list[tuple[str, list[Image.Image]]]:
    """The rows: what was asked, and what came of it."""
    painted = [paint(prompt, folder / f"{number}.png") for number, prompt in enumerate(SCENES)]
    moved, told = folder / "moved.mp4", folder / "told.mp4"
    for shoot, out, prompt in (
        (partial(studio.image_to_video, folder / "0.png"), moved, FROM_PICTURE),
        (studio.text_to_video, told, FROM_WORDS),
    ):
        shoot(out, prompt=prompt, width=640, height=360, fps=24, seconds=4.0, seed=7)
    return [
        ("text to image: " + "; ".join(SCENES), painted),
        (f"image to video, from the first picture: {FROM_PICTURE}", frames(moved)),
        (f"text to video: {FROM_WORDS}", frames(told)),
    ]


def paint(prompt: str, path: Path) -> Image.Image:
    studio.text_to_image(prompt, path, width=1280, height=720, seed=7)
    with Image.open(path) as picture:
        return picture.convert("RGB")


def frames(path: Path) -> list[Image.Image]:
    """As many as there are columns, from the first to the last."""
    with av.open(str(path)) as clip:
        every: list[av.VideoFrame] = list(clip.decode(clip.streams.video[0]))
    wanted = (every[round((len(every) - 1) * n / (COLUMNS - 1))] for n in range(COLUMNS))
    return [Image.fromarray(np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)) for frame in wanted]


def lay(sheet: Image.Image, top: int, caption: str, pictures: Iterable[Image.Image]) -> None:
    ImageDraw.Draw(sheet).text((GAP, top + 5), caption, fill="black", font=ImageFont.load_default(14))
    for column, picture in enumerate(pictures):
        small = picture.resize(CELL, Image.Resampling.LANCZOS)
        sheet.paste(small, (GAP + column * (CELL[0] + GAP), top + CAPTION))


if __name__ == "__main__":
    main()
