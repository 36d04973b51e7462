"""Paint the contact sheet of the scene painter: `python docs/make_scenes.py [FILE]` (default docs/pictures/scenes.jpg).

Every prompt of the list is painted with the built-in renderer and labelled with itself; words that the painter could
not use stand in brackets behind it, as they would on the job.
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from mutoscope.studio.scene import paint

PROMPTS = (
    ("A serene mountain landscape at sunset with golden light", 7),
    ("mountain lake at dawn, mist", 4),
    ("snowy peaks under the northern lights", 3),
    ("a river through an autumn valley", 2),
    ("a fjord between cliffs, overcast", 5),
    ("rolling green hills with wildflowers at noon", 4),
    ("tuscany, cypress trees in the evening", 2),
    ("a road across the prairie at sunset", 1),
    ("desert dunes at noon", 6),
    ("desert under the milky way", 2),
    ("canyon with a river at sunset", 2),
    ("autumn birch forest", 1),
    ("misty pine forest in the morning", 6),
    ("beech forest in spring, god rays", 2),
    ("snowfall in a winter forest", 3),
    ("cherry blossom trees by a lake", 2),
    ("storm at sea with waves", 3),
    ("tropical beach at noon, turquoise water", 2),
    ("palm trees on an island beach at sunset", 3),
    ("a wooden pier on a calm lake at dusk", 3),
    ("rocky coast at sunset, film", 4),
    ("neon city skyline in the rain", 2),
    ("city by the sea at twilight", 3),
    ("a ringed planet over a purple nebula", 2),
    ("misty autumn mountains, watercolour", 4),
    ("pencil sketch of mountains and a lake", 2),
    ("pixel art city at sunset", 1),
    ("minimal mountains, pastel", 3),
    ("lavender field at sunset, oil painting", 4),
    ("aerial view of a winding river", 4),
    ("a cat playing jazz in teal and gold", 5),
    ("the joy of mathematics", 3),
)
COLUMNS, TILE, LABEL = 4, (400, 225), 20


def main(file: Path) -> None:
    """Paint every prompt and write the sheet."""
    rows = -(-len(PROMPTS) // COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * TILE[0], rows * (TILE[1] + LABEL)), "white")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(12)
    for at, (prompt, seed) in enumerate(PROMPTS):
        left, top = at % COLUMNS * TILE[0], at // COLUMNS * (TILE[1] + LABEL)
        picture, label = _tile(prompt, seed)
        sheet.paste(picture, (left, top))
        pen.text((left + 4, top + TILE[1] + 3), label, fill="black", font=font)
    file.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(file, quality=78, optimize=True)


def _tile(prompt: str, seed: int) -> tuple[Image.Image, str]:
    painting = paint(prompt, 2 * TILE[0], 2 * TILE[1], seed)
    picture = Image.fromarray(np.ascontiguousarray(painting.rgb)).resize(TILE, Image.Resampling.LANCZOS)
    ignored = f"  [not: {', '.join(painting.ignored)}]" if painting.ignored else ""
    return picture, prompt + ignored


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "pictures" / "scenes.jpg")
