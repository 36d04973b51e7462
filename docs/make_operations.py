"""Renders docs/pictures/operations.jpg with the built-in renderer: every operation on pictures, before and after, and
docs/pictures/sounds.png where the command ffmpeg is there: what its music looks like.

    python docs/make_operations.py

Nothing but `mutoscope.studio` and what the engine does with it is used. The same machine makes the same files.
"""

import shutil
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from mutoscope.engines.studio_operations import MAKERS
from mutoscope.studio import extend_music, join_music, make_music

FOLDER = Path(__file__).parent / "pictures"
CELL, GAP, CAPTION, COLUMNS = (232, 154), 6, 34, 2
SIZE = (480, 320)
LAKE, SEA = "a lake between mountains at dawn", "calm ocean at sunset"

Json = dict[str, Any]


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as room:
        folder = Path(room)
        rows = pairs(folder)
        sheet = laid(rows)
        sheet.save(FOLDER / "operations.jpg", quality=84, optimize=True)
        print(f"operations.jpg: {sheet.width}x{sheet.height}, {len(rows)} operations")
        if "--sounds" in sys.argv[1:] or shutil.which("ffmpeg"):
            sounds(folder)


# -- pictures ------------------------------------------------------------------------------------


def pairs(folder: Path) -> list[tuple[str, str, Image.Image, Image.Image]]:
    """Operation, what was asked, before, after."""
    lake, sea, thing = given(folder)
    mask = masked(folder)
    hatched = holed(lake, mask)

    def made(operation: str, **asked: Any) -> Image.Image:
        order = ORDER | {"out": [str(folder / f"{operation}.png")]} | asked
        [first, *_] = MAKERS[operation](order, lambda _: None)
        return shown(first, folder)

    def words(operation: str, **asked: Any) -> Image.Image:
        return written(made_text(operation, **asked))

    def made_text(operation: str, **asked: Any) -> str:
        order = ORDER | {"out": [str(folder / "words.txt")]} | asked
        return "\n".join(each["text"] for each in MAKERS[operation](order, lambda _: None))

    small = folder / "small.png"
    opened(lake).resize((120, 80), Image.Resampling.BOX).save(small)
    size: Json = {"width": SIZE[0], "height": SIZE[1]}
    images, two = {"images": [str(lake)]}, [str(lake), str(sea)]
    both = side_by_side([opened(lake), opened(sea)])
    return [
        ("text to image", LAKE, written(LAKE), made("text_to_image", prompt=LAKE, **size)),
        ("image to image", "strength 0.6", opened(lake), made("image_to_image", **images, extra={"strength": 0.6})),
        ("image to image", "autumn, oil painting", opened(lake),
         made("image_to_image", **images, prompt="autumn oil painting", extra={"strength": 0.6})),
        ("image to image, with a reference", "the tone of the second", both,
         made("image_to_image", **images, references=[str(sea)], extra={"strength": 0.7})),
        ("image to image", "night city, strength 0.9", opened(lake),
         made("image_to_image", **images, prompt="neon city at night", extra={"strength": 0.9})),
        ("image blend", "two pictures", both, made("image_blend", images=two, **size)),
        ("image outpaint", "zoom 1.5", framed(opened(lake), 1.5),
         made("image_outpaint", **images, extra={"zoom": 1.5})),
        ("image outpaint", "zoom 1.5, snowy mountains", framed(opened(lake), 1.5),
         made("image_outpaint", **images, prompt="snowy mountains", extra={"zoom": 1.5})),
        ("image inpaint, erase", "a mask", hatched, made("image_inpaint", **images, mask=str(mask))),
        ("image inpaint", "a mask, snowy mountains at dawn", hatched,
         made("image_inpaint", **images, mask=str(mask), prompt="snowy mountains at dawn")),
        ("image upscale", "4 times", opened(small), made("image_upscale", images=[str(small)], extra={"scale": 4})),
        ("background removal", "", opened(thing), made("background_removal", images=[str(thing)])),
        ("background replacement", "beach at sunset", opened(thing),
         made("background_replacement", images=[str(thing)], prompt="beach at sunset")),
        ("vectorization", "drawn from its SVG", opened(lake), traced(folder, lake)),
        ("finetune", "palette and tone of two", both, made("finetune", references=two)),
        ("after that finetune", SEA, written(SEA),
         made("image_to_image", prompt=SEA, references=[str(folder / "made-0-finetune.png")], **size)),
        ("image to text", "", opened(lake), words("image_to_text", **images)),
        ("text to text", "lyrics", written("rain on a tin roof"), words("text_to_text", prompt="rain on a tin roof")),
    ]  # fmt: skip


ORDER: Json = {
    "prompt": "", "negative_prompt": None, "width": None, "height": None, "resolution": None, "seed": 7, "count": 1,
    "length": None, "extra": {}, "images": [], "references": [], "sounds": [], "mask": None, "card": "never",
}  # fmt: skip


def given(folder: Path) -> tuple[Path, Path, Path]:
    """A lake, a sea, and a thing before a scene out of focus."""
    for name, prompt in (("lake", LAKE), ("sea", SEA), ("wood", "misty pine forest in the morning")):
        order = ORDER | {"prompt": prompt, "width": SIZE[0], "height": SIZE[1], "out": [str(folder / "x.png")]}
        [file] = MAKERS["text_to_image"](order, lambda _: None)
        Path(file["path"]).rename(folder / f"{name}.png")
    behind = cv2.GaussianBlur(np.asarray(opened(folder / "wood.png")), (0, 0), 4).astype(np.float32)
    rows, columns = np.mgrid[: SIZE[1], : SIZE[0]].astype(np.float32)
    away = np.hypot((columns - 250) / 1.0, (rows - 190) / 1.1) / 88
    light = (1.15 - 0.75 * np.hypot(columns - 225, rows - 160) / 120).clip(0.25, 1.2)[..., None]
    ball = np.array([214, 92, 46], np.float32) * light * (1 + 0.12 * np.sin(columns / 6)[..., None])
    cover = ((1 - away) * 60).clip(0, 1)[..., None]
    Image.fromarray((behind * (1 - cover) + ball.clip(0, 255) * cover).astype(np.uint8)).save(folder / "thing.png")
    return folder / "lake.png", folder / "sea.png", folder / "thing.png"


def masked(folder: Path) -> Path:
    mask = np.zeros((SIZE[1], SIZE[0]), np.uint8)
    cv2.ellipse(mask, (330, 130), (70, 60), 0, 0, 360, 255, -1)
    Image.fromarray(mask).save(folder / "mask.png")
    return folder / "mask.png"


def holed(image: Path, mask: Path) -> Image.Image:
    rgb, where = np.asarray(opened(image)).copy(), np.asarray(Image.open(mask)) > 0
    rgb[where] = (255, 0, 200)
    return Image.fromarray(rgb)


def shown(file: Json, folder: Path) -> Image.Image:
    """Over a chequered ground where it is transparent. A copy of a finetune's picture stays for later."""
    with Image.open(file["path"]) as picture:
        image = picture.convert("RGBA")
    if Path(file["path"]).name == "made-0.png":
        image.convert("RGB").save(folder / "made-0-finetune.png")
    rows, columns = np.mgrid[: image.height, : image.width]
    ground = np.where((rows // 12 + columns // 12) % 2, 205, 245).astype(np.uint8)
    below = Image.fromarray(np.dstack([ground] * 3)).convert("RGBA")
    return Image.alpha_composite(below, image).convert("RGB")


def traced(folder: Path, image: Path) -> Image.Image:
    """The drawing as the benchmark draws it."""
    sys.path.insert(0, str(Path(__file__).parent.parent / "benchmarks"))
    from bench_pictures import drawn  # late: it lies in another folder

    order = ORDER | {"out": [str(folder / "traced.svg")], "images": [str(image)]}
    [file] = MAKERS["vectorization"](order, lambda _: None)
    return Image.fromarray(drawn(Path(file["path"]).read_text(), *SIZE))


def opened(path: Path) -> Image.Image:
    with Image.open(path) as picture:
        return picture.convert("RGB")


def side_by_side(images: list[Image.Image]) -> Image.Image:
    made = Image.new("RGB", SIZE, "white")
    for number, each in enumerate(images):
        half = each.resize((SIZE[0] // 2 - 4, SIZE[1] // 2), Image.Resampling.LANCZOS)
        made.paste(half, (number * (SIZE[0] // 2 + 2), SIZE[1] // 4))
    return made


def framed(image: Image.Image, zoom: float) -> Image.Image:
    """As large as it is in what is made of it."""
    made = Image.new("RGB", (round(image.width * zoom), round(image.height * zoom)), (225, 225, 225))
    made.paste(image, ((made.width - image.width) // 2, (made.height - image.height) // 2))
    return made


def written(text: str) -> Image.Image:
    made = Image.new("RGB", SIZE, (250, 248, 242))
    words = ImageDraw.Draw(made)
    lines = [part for line in text.splitlines() for part in textwrap.wrap(line, 42) or [""]]
    words.multiline_text((16, 16), "\n".join(lines[:13]), fill=(40, 40, 40), font=ImageFont.load_default(20), spacing=2)
    return made


def laid(rows: list[tuple[str, str, Image.Image, Image.Image]]) -> Image.Image:
    wide = 2 * CELL[0] + 3 * GAP
    count = -(-len(rows) // COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * wide + GAP, count * (CELL[1] + CAPTION) + GAP), "white")
    words = ImageDraw.Draw(sheet)
    for number, (operation, asked, before, after) in enumerate(rows):
        left, top = GAP + number % COLUMNS * wide, number // COLUMNS * (CELL[1] + CAPTION)
        caption = f"{operation}: {asked}" if asked else operation
        words.text((left, top + 12), caption, fill="black", font=ImageFont.load_default(14))
        for place, each in enumerate((before, after)):
            small = each.copy()
            small.thumbnail(CELL, Image.Resampling.LANCZOS)
            at = left + place * (CELL[0] + GAP) + (CELL[0] - small.width) // 2
            sheet.paste(small, (at, top + CAPTION + (CELL[1] - small.height) // 2))
    return sheet


# -- sounds --------------------------------------------------------------------------------------

TAGS = (
    ("ambient, slow, pads", 11),
    ("techno, 128 bpm, dark", 12),
    ("piano ballad, 72 bpm, A minor", 13),
    ("rock, energetic, 140 bpm, E major", 14),
)
SECONDS, WIDE, HIGH = 20.0, 480, 160


def sounds(folder: Path) -> None:
    """Spectrograms by ffmpeg's showspectrumpic: four pieces, one that goes on and two that were joined."""
    pieces = list[tuple[str, Path]]()
    for number, (tags, seed) in enumerate(TAGS):
        out = folder / f"{number}.wav"
        _ = make_music(tags, out, seconds=SECONDS, seed=seed)
        pieces.append((tags, out))
    more, joined = folder / "more.wav", folder / "joined.wav"
    _ = extend_music(pieces[1][1], more, seconds=SECONDS + 10, prompt=TAGS[1][0], seed=15)
    _ = join_music([pieces[2][1], pieces[3][1]], joined)
    pieces += [("the second, continued by 10 seconds", more), ("the third and the fourth, joined", joined)]
    sheet = Image.new("RGB", (2 * (WIDE + GAP) + GAP, 3 * (HIGH + 26) + GAP), "white")
    for number, (caption, path) in enumerate(pieces):
        drawing = folder / f"{number}.png"
        how = f"showspectrumpic=s={WIDE}x{HIGH}:legend=0:scale=log:fscale=log:drange=90"
        command = ["ffmpeg", "-v", "error", "-y", "-i", str(path), "-lavfi", how, str(drawing)]
        _ = subprocess.run(command, check=True)  # noqa: S603
        left, top = GAP + number % 2 * (WIDE + GAP), number // 2 * (HIGH + 26)
        ImageDraw.Draw(sheet).text((left, top + 6), caption, fill="black", font=ImageFont.load_default(14))
        with Image.open(drawing) as picture:
            sheet.paste(picture.convert("RGB").resize((WIDE, HIGH)), (left, top + 26))
    sheet.save(FOLDER / "sounds.png", optimize=True)
    print(f"sounds.png: {len(pieces)} pieces")


if __name__ == "__main__":
    main()
