"""What stands behind the cast where no place of the painter's is asked for: a painted ground, and paper before it.

A set is data: three colours of its ground by day (above, below, the light in the middle), where its floor lies, and its
paper in the language of `shapes`: a hundred high, `L` and `R` its sides whatever the picture's shape.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from mutoscope.studio.scene.lexicon import Rgb
from mutoscope.studio.scene.raster import Floats, floats
from mutoscope.studio.theatre.figures import colour_of
from mutoscope.studio.theatre.shapes import Figure, drawn


@dataclass(frozen=True, slots=True)
class Set:
    above: str
    below: str
    light: str
    floor: float  # where the cast stands, from the bottom, in hundredths of the height
    cut: str = ""
    front: str = ""  # paper before the cast
    inks: str = ""
    indoors: bool = True


_COURSES = "\n".join(
    f"{('main', 'main-', 'main+')[(row * 7 + column * 5) % 3]} box {x + 0.5} {13.5 + row * 11} {x + 21.5} {23.5 + row * 11}"
    for row in range(8)
    for column in range(-6, 7)
    for x in [column * 22 + (11 if row % 2 else 0)]
)
_BRICKS = f"+ tan box L 12 R 104\n{_COURSES}\n+ second box L -4 R 13\nsecond- line 0.6 L 12.6 0 12.6 R 12.6"


def _shelves() -> str:
    """Two cases of books beside a window."""
    tones, sizes = (
        ("rose", "gold", "leaf", "navy", "cream", "brick", "purple", "slate", "orange"),
        (5, 4, 7, 5, 6, 4, 8),
    )
    rows = ["+ second box L -4 R 12", "second- line 0.6 L 4 0 4 R 4", "+ third oval 0 4 56 5", "third+ oval 0 4 46 3.6"]
    for case, left in enumerate((-112, 34)):
        rows.append(f"+ main box {left} 8 {left + 78} 102 1")
        for shelf in range(4):
            at, foot, step = left + 4.0, 12 + shelf * 22, 0
            rows.append(f"main- box {left + 3} {foot} {left + 75} {foot + 19}")
            while at < left + 68:
                turn = step + 3 * shelf + 5 * case
                wide, high = sizes[turn * 3 % 7], 12 + turn * 5 % 6
                if turn % 9 != 7:
                    rows.append(f"{tones[turn * 4 % 9]} box {at:.1f} {foot} {at + wide:.1f} {foot + high} 0.6")
                at, step = at + wide + 0.5, step + 1
    rows += ["+ main box -22 44 22 94 1", "sky box -19 47 19 91", "white box -1 47 1 91", "white box -19 68 19 70"]
    return "\n".join(rows)


_SHELVES = _shelves()

SETS: dict[str, Set] = {
    "backdrop": Set("#8fa3b0", "#c9d3d8", "#eef2f3", 14),
    "table": Set(
        "#8a6f5c",
        "#d8b48a",
        "#f3ddb8",
        17,
        """
+ second box L -4 R 30
second+ line 1.2 L 29.4 0 29.6 R 29.4
second- line 0.5 L 21 0 21 R 21
second- line 0.6 L 10 0 10 R 10
""",
        inks="main=cream second=#a9744a",
    ),
    "plinth": Set(
        "#6f7f8c",
        "#b9c4ca",
        "#f2f4f2",
        26,
        """
+ main- box -30 -4 30 22
main box -30 -4 8 22
+ main+ oval 0 22 30 4.6
main- box L -4 L -3
""",
        inks="main=#dcd8d0",
    ),
    "room": Set(
        "#d9c3a5",
        "#cdb08c",
        "#f0e2c8",
        11,
        """
+ second box L -4 R 22
second- line 0.5 L 14 0 14 R 14
second- line 0.7 L 5 0 5 R 5
+ white box L 21 R 25
+ timber box -62 40 -24 88 1
sky box -60 42 -26 86
leaf blob -60 42 -60 54 -50 60 -40 52 -32 58 -26 50 -26 42
white box -44 42 -42 86
white box -60 63 -26 65
white box -65 37 -21 41 1
+ third blob -72 94 -56 94 -58 66 -68 36 -74 36
third blob -30 94 -14 94 -12 36 -18 36 -28 66
third+ box -76 92 -10 95 1
+ gold box 34 56 58 82 1
cream box 36 58 56 80
rose blob 36 58 36 66 44 72 50 64 56 68 56 58
+ third oval 0 6 62 6
third+ oval 0 6 52 4.4
""",
        inks="second=#b98a5a third=#b5564a sky=#a9d3ea",
    ),
    "library": Set(
        "#6b4a3a",
        "#8d6a4c",
        "#e8c98f",
        9,
        _SHELVES,
        inks="main=#7a4a2c second=#6b452c third=#7d3140 sky=#a9d3ea",
    ),
    "kitchen": Set(
        "#dfe6e0",
        "#cfd9d2",
        "#f6f4ea",
        10,
        """
+ grey box L -4 R 14
white box L 12.6 R 14
+ second box L 12 R 44
second- box L 12 R 15
second- line 0.8 -70 17 -70 41
second- line 0.8 -40 17 -40 41
second- line 0.8 70 17 70 41
second- line 0.8 98 17 98 41
steel line 1.6 -64 37 -54 37
steel line 1.6 -34 37 -24 37
steel line 1.6 76 37 86 37
+ cream box L 43 R 48
+ iron box 24 13 62 47 2
ink box 29 18 57 36 2
steel line 1.6 29 39 57 39
red oval 32 43 1.6
red oval 39 43 1.6
red oval 47 43 1.6
red oval 54 43 1.6
+ steel box 30 48 54 61 2
steel line 2 24 57 60 57
iron oval 42 62 13 2
+ wood box -84 66 -26 69
+ rose blob -80 69 -82 80 -70 80 -72 69
blue blob -66 69 -68 83 -54 83 -56 69
leaf box -50 69 -42 85 2
gold oval -33 75 5 6
+ timber line 1.6 20 92 96 92
iron line 1 36 92 36 84
iron oval 36 77 9 8
brick oval 60 76 8 9
iron line 1 60 92 60 84
steel oval 82 78 7
iron line 1 82 92 82 84
""",
        inks="second=#5f8f86",
    ),
    "underwater": Set(
        "#0d5f8a",
        "#0a2f52",
        "#5fc3d8",
        10,
        """
joint a -62 0 swing 5
joint b 66 0 swing 5 0.4
joint c -40 0 swing 6 0.7
joint d 44 0 swing 6 0.2
+ second blob L -4 L 12 -50 9 -10 14 30 8 R 13 R -4
+ leaf line -5 -62 4 -70 20 -58 34 -66 50 @a
leaf line -4 -56 4 -50 18 -60 30 -54 40 @a
moss line -5 66 4 74 22 62 38 70 56 @b
moss line -4 58 4 52 16 62 28 56 36 @b
+ rose line -4 -40 6 -46 16 -52 24 @c
rose line -4 -40 8 -36 18 -40 28 @c
rose line -4 -40 8 -30 14 -26 22 @c
orange line -4 44 6 38 16 40 26 @d
orange line -4 44 6 50 14 54 24 @d
glass ring -20 70 2 0.5
glass ring -16 80 1.4 0.4
glass ring 28 62 1.7 0.5
glass ring 33 74 1.1 0.4
glass ring 30 84 2.2 0.5
""",
        inks="second=#d8c08a",
        indoors=False,
    ),
    "moon": Set(
        "#05070f",
        "#0c1224",
        "#18233f",
        16,
        """
+ blue oval 52 78 12
green blob 46 84 54 88 60 82 54 76 48 78
white blob 42 74 52 70 62 74 54 76
+ main- blob L -4 L 26 -60 32 -20 25 30 34 R 26 R -4
+ main blob L -4 L 20 -50 17 0 22 60 18 R 22 R -4
main- oval -48 10 14 3
main+ oval -48 9.4 11 2
main- oval 34 6 20 4
main+ oval 34 5.2 16 2.8
main- oval 74 13 9 2
main- oval -8 16 7 1.4
""",
        inks="main=#a9abb3",
        indoors=False,
    ),
    "mars": Set(
        "#8a4a3a",
        "#e0a070",
        "#f0c090",
        16,
        """
+ main- blob L -4 L 30 -60 40 -30 28 10 36 50 28 R 40 R -4
+ main blob L -4 L 20 -50 17 0 22 60 18 R 22 R -4
main- oval -48 10 14 3
main- oval 34 6 20 4
main- oval 74 13 9 2
""",
        inks="main=#b5542e",
        indoors=False,
    ),
    "stage": Set(
        "#1c0f1e",
        "#3a1626",
        "#c9744e",
        14,
        """
+ second box L -4 R 20
second- line 0.5 L 12 0 12 R 12
second+ line 1 L 19.6 0 19.6 R 19.6
+ main blob L 104 L -4 -66 -4 -70 30 -62 70 -54 104
main blob R 104 R -4 66 -4 70 30 62 70 54 104
main- line 2 -78 100 -82 60 -80 4
main- line 2 78 100 82 60 80 4
+ main poly L 104 L 88 -60 80 -40 88 -20 80 0 88 20 80 40 88 60 80 R 88 R 104
gold line 1.2 L 87 -60 79.4 -40 87 -20 79.4 0 87 20 79.4 40 87 60 79.4 R 87
""",
        inks="main=#a52a32 second=#7a4a2c",
    ),
    "street": Set(
        "#8fc0e0",
        "#dfe9ee",
        "#f5efe0",
        12,
        """
+ rose box -96 10 -70 70
cream box -70 10 -42 58
window box -90 50 -84 60
window box -80 50 -74 60
window box -90 32 -84 42
window box -80 32 -74 42
window box -64 40 -58 50
window box -54 40 -48 50
+ main box -42 10 -12 78
second box -12 10 20 62
tan box 20 10 50 72
window box -36 60 -30 70
window box -24 60 -18 70
window box -36 42 -30 52
window box -24 42 -18 52
window box -6 42 0 52
window box 8 42 14 52
window box 26 52 32 62
window box 38 52 44 62
window box 26 34 32 44
window box 38 34 44 44
+ brick box 50 10 78 60
yellow box 78 10 104 66
window box 56 42 62 52
window box 66 42 72 52
window box 84 46 90 56
window box 94 46 100 56
brick poly -74 70 -83 80 -92 70
slate poly -44 78 -27 90 -10 78
brick poly 18 72 35 84 52 72
red poly -12 34 20 34 24 26 -16 26
white poly -6 34 2 34 2 26 -8 26
white poly 10 34 16 34 18 26 10 26
+ iron box L -4 R 20
grey box L 18 R 22
white box -60 8 -40 9.4
white box -20 8 0 9.4
white box 20 8 40 9.4
white box 60 8 80 9.4
white box -100 8 -80 9.4
""",
        inks="main=#7fa7a0 second=#d9a066",
        indoors=False,
    ),
    "sky": Set(
        "#3f8fd2",
        "#bfe2f5",
        "#8cc6ec",
        30,
        """
joint a 0 0 swing 0.4
+ white blob -80 58 -76 70 -62 76 -50 72 -40 74 -34 62 -42 56 @a
+ white blob 30 74 36 86 50 90 60 84 72 84 76 76 66 72 @a
+ white blob L 8 -70 22 -50 16 -30 24 -4 14 22 22 48 14 72 24 R 12 R -4 L -4
""",
        indoors=False,
    ),
    "branch": Set(
        "#8cc0b4",
        "#e6eecb",
        "#f8f4dc",
        33,
        """
+ second line 5 L 26 -40 32 0 30 44 34 R 30
second line 2.4 36 33 52 44 64 50
second line 2 -52 30 -62 42
+ main blob 60 48 70 58 82 54 72 44
main blob 48 44 50 58 60 60 60 48
main blob -62 42 -74 48 -78 58 -64 56
main+ blob R 30 74 24 66 14 R 18
main+ blob -76 28 -70 18 -82 10 -90 20
""",
        inks="main=leaf second=wood",
        indoors=False,
    ),
    "wall": Set("#8d7a70", "#a18d80", "#cbb8a8", 10, _BRICKS, inks="main=#b0614a second=#7d7f85", indoors=False),
    "paper": Set("#e9e1d2", "#ddd2bf", "#f6f0e4", 20),
}

# place of the painter's → the strip of paper that the cast stands on: ink, and its line
APRONS: dict[str, tuple[str, str]] = {
    "hills": ("#6d9a4b", "blob"),
    "mountains": ("#5f7f4c", "blob"),
    "forest": ("#4c5f37", "blob"),
    "desert": ("#d8ab6a", "blob"),
    "sea": ("#e2c896", "blob"),
    "waves": ("#2f86a8", "waves"),
    "city": ("#4b4f58", "road"),
    "road": ("#5a5d64", "road"),
    "snow": ("#eef3f7", "blob"),
}


def ground(
    place: str, *, colour: Rgb | None, width: int, height: int, chance: np.random.Generator, tint: Rgb, dark: bool
) -> Floats:
    """The painted ground, at the picture's size."""
    told = SETS[place]
    above, below, light = (np.array(colour_of(each), np.float32) for each in (told.above, told.below, told.light))
    if place in ("backdrop", "plinth", "paper") and colour is None:
        turned = np.array(
            colour_of(("#9fb4bd", "#b9a58f", "#8fae9a", "#b59aa8", "#a4a0c4", "#c7a27c")[int(chance.integers(6))]),
            np.float32,
        )
        above, below, light = turned * 0.72, turned * 1.02, np.clip(turned * 1.3 + 0.08, 0, 1)
    if colour is not None:
        own = np.array(colour, np.float32)
        above, below, light = own * 0.68, own * 0.95, np.clip(own * 1.05 + 0.12, 0, 1)
    small = 72
    across = max(8, round(small * width / height))
    y = np.linspace(0, 1, small, dtype=np.float32)[:, None, None]
    x = np.linspace(-0.5, 0.5, across, dtype=np.float32)[None, :, None] * np.float32(width / height)
    middle = np.exp(-((x / 0.62) ** 2 + ((y - 0.46) / 0.42) ** 2))
    made = above + (below - above) * y
    made = made + (light - made) * middle * 0.9
    if place == "backdrop":
        # the paper's roll: a soft fold where the wall turns into the floor
        made = made * (1.0 - 0.10 * np.exp(-(((y - 0.80) / 0.035) ** 2)))
    if dark:
        made = made * (0.22 + 0.62 * middle)
    made = made * np.array(tint, np.float32)
    return floats(cv2.resize(made.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC))


def paper(cut: str, aspect: float) -> Figure:
    """The set's paper for a picture of this shape."""
    side = 50 * aspect + 3
    words = [
        f"{-side:.2f}" if each == "L" else f"{side:.2f}" if each == "R" else each
        for each in cut.replace("\n", " \n ").split(" ")
    ]
    return drawn(" ".join(words))


def apron(place: str, aspect: float, top: float) -> Figure:
    """A strip of paper across the picture, its line at `top`."""
    side = 50 * aspect + 3
    kind = APRONS[place][1]
    if kind == "road":
        dashes = " \n".join(
            f"white box {x} {top * 0.46:.2f} {x + 12} {top * 0.46 + 1.4:.2f}"
            for x in range(-int(side) - 6, int(side), 26)
        )
        return drawn(f"+ main- box {-side} -4 {side} {top + 2.6}\nmain box {-side} -4 {side} {top}\n{dashes}")
    if kind == "waves":
        points = " ".join(
            f"{x:.1f} {top + (2.2 if at % 2 else -1.2):.2f}"
            for at, x in enumerate(np.linspace(-side, side, int(side / 4) | 1))
        )
        lower = " ".join(
            f"{x:.1f} {top - 7 + (2.2 if at % 2 else -1.2):.2f}"
            for at, x in enumerate(np.linspace(-side + 3, side, int(side / 4) | 1))
        )
        return drawn(f"+ main blob {-side} -4 {points} {side} -4\n+ main- blob {-side} -4 {lower} {side} -4")
    return drawn(
        f"+ main- blob {-side} -4 {-side} {top + 4} {-side * 0.5} {top + 1} 0 {top + 3.4} {side * 0.5} {top + 0.8} {side} {top + 4} {side} -4\n"
        f"+ main blob {-side} -4 {-side} {top - 3} {-side * 0.45} {top} {side * 0.1} {top - 2.4} {side * 0.6} {top + 0.4} {side} {top - 2} {side} -4"
    )
