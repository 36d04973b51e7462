"""Paint the sheet of the paper theatre: `python docs/make_theatre.py [FILE]` (default docs/pictures/theatre.jpg).

Forty-eight everyday prompts, each labelled with itself; words that the studio could not use stand in brackets below it,
as they would on the job.
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from mutoscope.studio.scene import paint
from mutoscope.studio.theatre.lettering import face_for

PROMPTS = (
    ("portrait of an old man with glasses and a white beard", 3),
    ("portrait of a young woman with curly red hair, bokeh", 5),
    ("a girl in a yellow raincoat holding a red umbrella in the rain", 2),
    ("a samurai standing in a field at sunset", 4),
    ("a chef holding a cake in a kitchen", 7),
    ("a ballerina dancing on stage", 3),
    ("two cats sleeping on a red sofa", 3),
    ("a corgi wearing sunglasses on a beach", 3),
    ("a fox in a snowy forest", 5),
    ("three penguins on the ice", 2),
    ("an owl on a branch at night", 4),
    ("a flock of birds over the mountains at dawn", 6),
    ("an elephant walking through the savanna at sunset", 2),
    ("a whale and a submarine under the sea", 4),
    ("a butterfly on a flower in a meadow", 8),
    ("a bowl of ramen", 5),
    ("a burger and french fries on a table", 2),
    ("three apples and a banana in a basket", 6),
    ("a birthday cake with candles, confetti", 4),
    ("a cup of coffee and a croissant, warm light", 3),
    ("sushi, black background", 2),
    ("product photo of a perfume bottle on a podium, pink background", 3),
    ("white sneakers, orange background", 4),
    ("headphones on a pedestal, dark background, dramatic lighting", 2),
    ("a watch, luxury advertisement", 6),
    ("red sports car driving through the city at night", 3),
    ("a steam train in the countryside", 5),
    ("a sailboat on a calm sea at sunset", 3),
    ("a man riding a motorcycle through the desert", 2),
    ("a hot air balloon over a valley at sunrise", 4),
    ("a cozy living room with a green armchair and a lamp", 3),
    ("a vase of sunflowers on a table", 4),
    ('logo of a fox named "Copper Fox"', 3),
    ('round badge "Pine Ridge Outdoor Club" with a tent', 2),
    ('neon sign "Jazz Club" on a brick wall', 4),
    ('movie poster titled "The Last Light" with a lighthouse in a storm', 3),
    ("an astronaut riding a horse on the moon", 3),
    ("a knight fighting a dragon near a castle", 5),
    ("a wizard holding a book in a library", 2),
    ("a boy kicking a football in the park", 4),
    ("un gato negro durmiendo en el sofá", 3),
    ("ein roter Fuchs im Schnee", 2),
    ("un petit chien et un ballon rouge sur la plage", 4),
    ("una casa in montagna, tramonto", 2),
    ("猫が森で踊る", 5),
    ("красная машина, ночь, город", 3),
    ("cachorro correndo na praia", 2),
    ("شجرة قديمة وحيدة", 3),
)
TILE, COLUMNS, LABEL = (300, 200), 6, 34


def main(file: Path) -> None:
    rows = -(-len(PROMPTS) // COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * TILE[0], rows * (TILE[1] + LABEL)), "white")
    pen = ImageDraw.Draw(sheet)
    for at, (prompt, seed) in enumerate(PROMPTS):
        left, top = at % COLUMNS * TILE[0], at // COLUMNS * (TILE[1] + LABEL)
        painting = paint(prompt, 2 * TILE[0], 2 * TILE[1], seed)
        picture = Image.fromarray(np.ascontiguousarray(painting.rgb)).resize(TILE, Image.Resampling.LANCZOS)
        sheet.paste(picture, (left, top))
        told = f"[not: {', '.join(painting.ignored)}]" if painting.ignored else ""
        for line, text in enumerate((prompt, told)):
            font = face_for(text, "book", 11) if text else None
            if font is not None:
                pen.text(
                    (left + 4, top + TILE[1] + 3 + 14 * line), text, fill="black" if line == 0 else "#a03020", font=font
                )
    file.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(file, quality=78, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "pictures" / "theatre.jpg")
