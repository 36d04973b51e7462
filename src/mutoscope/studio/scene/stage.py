"""Where a picture is set: its size, the viewer's eye, the light, and the wish that it answers."""

import math
from dataclasses import dataclass

import numpy as np

from mutoscope.studio.scene.lexicon import SUITS, Wish
from mutoscope.studio.scene.noise import chance
from mutoscope.studio.scene.palette import Palette, palette_for
from mutoscope.studio.scene.raster import Floats, colour

# where the eye's horizon lies, as a share of the height from the top
_VIEWS = {"wide": 0.74, "close": 1.45}  # how much larger things are seen
_HORIZON = {"mountains": 0.52, "hills": 0.47, "desert": 0.46, "forest": 0.72, "city": 0.70, "sea": 0.56}


@dataclass(frozen=True, slots=True)
class Stage:
    """One composition. Lengths are pixels; the sun may stand outside the picture."""

    width: int
    height: int
    seed: int
    wish: Wish
    place: str
    time: str
    clouds: str
    palette: Palette
    horizon: float  # row of the eye's level
    zoom: float  # how large things are drawn: 1 unless the wish says wide or close
    focal: float  # pixels by which one unit across is seen at one unit of distance
    sun: tuple[float, float]  # column and row of the sun or moon

    @property
    def unit(self) -> float:
        """A length that grows with the picture whatever its shape."""
        return math.sqrt(self.width * self.height)

    @property
    def dark(self) -> bool:
        """Whether lamps are lit."""
        return self.time in ("night", "twilight") or self.wish.styled("neon")

    @property
    def frosty(self) -> bool:
        """Whether snow lies."""
        return self.wish.has("snow", "snowfall")

    def chance(self, salt: int) -> np.random.Generator:
        """The chance of one purpose in this picture."""
        return chance(self.seed + salt)

    def light(self, name: str) -> Floats:
        """One of the palette's colours as an array: sun, ambient or haze."""
        palette = self.palette
        return colour(*{"sun": palette.sun, "ambient": palette.ambient, "haze": palette.haze}[name])


def set_stage(wish: Wish, width: int, height: int, seed: int, *, place: str | None = None) -> Stage:
    """Choose what the wish leaves open: the side of the sun, the horizon, the hour."""
    chances = chance(seed)
    place = place or _place(wish, chances)
    time = wish.time or ("night" if wish.styled("neon") else "day")
    clouds = wish.clouds or _clouds(wish)
    palette = palette_for(wish, time, clouds)
    horizon = _horizon(wish, place) + float(chances.uniform(-0.025, 0.025))
    if height > width and not wish.has("aerial"):
        horizon = horizon * 0.9 + 0.07
    across = float(chances.uniform(0.2, 0.4))
    sun_x = across if chances.random() < 0.5 else 1.0 - across
    zoom = next((zoom for view, zoom in _VIEWS.items() if wish.has(view)), 1.0)
    focal = max(1.15 * math.sqrt(width * height), width / 2.2) * zoom
    focal = max(focal, width / 2.2)
    return Stage(
        width=width,
        height=height,
        seed=seed,
        wish=wish,
        place=place,
        time=time,
        clouds=clouds,
        palette=palette,
        horizon=horizon * height,
        zoom=zoom,
        focal=focal,
        sun=(sun_x * width, horizon * height * (1.0 - palette.altitude)),
    )


def _horizon(wish: Wish, place: str) -> float:
    usual = _HORIZON.get(place, 0.5)
    if wish.has("aerial") and place in SUITS["aerial"]:
        return 0.13
    if wish.has("low horizon"):
        return min(0.84, usual + 0.17)
    return usual - 0.15 if wish.has("high horizon") else usual


def _clouds(wish: Wish) -> str:
    if wish.has("rain", "snowfall"):
        return "overcast"
    return "clear" if wish.has("stars", "aurora") else "some"


def _place(wish: Wish, chances: np.random.Generator) -> str:
    """A prompt with an hour or a weather but no place still gets one; nothing at all is answered in the abstract."""
    if wish.place is not None:
        return wish.place
    if wish.time is None and wish.clouds is None and not wish.features:
        return "abstract"
    return str(chances.choice(["mountains", "hills", "sea"]))
