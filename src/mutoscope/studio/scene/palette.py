"""The light of an hour as data, bent by weather, style and the colours that were named."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from mutoscope.studio.scene.lexicon import Rgb, Wish
from mutoscope.studio.scene.raster import Floats, floats


@dataclass(frozen=True, slots=True)
class Palette:
    """One light: where it comes from, and the colours that it gives to things."""

    sky: tuple[tuple[float, Rgb], ...]  # (height above the horizon 0..1, colour), from the horizon upwards
    sun: Rgb  # the direct light: the sun's, or at night the moon's
    ambient: Rgb  # the light from everywhere, seen in the shadows
    haze: Rgb  # what distance fades into
    altitude: float  # of the sun or moon, as a share of the sky's height
    slant: float  # radians that the light on the ground stands above the horizon
    direct: float = 1.0  # how much of the disc shows through the clouds


HOURS: dict[str, Palette] = {
    "sunset": Palette(
        sky=(
            (0.0, (1.0, 0.72, 0.36)),
            (0.16, (1.0, 0.58, 0.30)),
            (0.38, (0.90, 0.42, 0.36)),
            (0.66, (0.48, 0.32, 0.52)),
            (1.0, (0.15, 0.19, 0.42)),
        ),
        sun=(1.0, 0.60, 0.27),
        ambient=(0.25, 0.25, 0.42),
        haze=(0.95, 0.57, 0.38),
        altitude=0.36,
        slant=0.30,
    ),
    "dawn": Palette(
        sky=(
            (0.0, (1.0, 0.80, 0.58)),
            (0.18, (1.0, 0.68, 0.58)),
            (0.45, (0.70, 0.60, 0.75)),
            (1.0, (0.28, 0.42, 0.70)),
        ),
        sun=(1.0, 0.74, 0.50),
        ambient=(0.34, 0.36, 0.50),
        haze=(0.94, 0.74, 0.66),
        altitude=0.38,
        slant=0.34,
    ),
    "day": Palette(
        sky=((0.0, (0.72, 0.84, 0.95)), (0.25, (0.46, 0.69, 0.93)), (1.0, (0.11, 0.34, 0.74))),
        sun=(1.0, 0.94, 0.82),
        ambient=(0.34, 0.43, 0.58),
        haze=(0.68, 0.80, 0.93),
        altitude=1.35,  # high above the picture: the sky shows its light, not its disc
        slant=0.78,
    ),
    "twilight": Palette(
        sky=(
            (0.0, (0.85, 0.52, 0.50)),
            (0.16, (0.52, 0.42, 0.62)),
            (0.5, (0.18, 0.22, 0.48)),
            (1.0, (0.04, 0.07, 0.24)),
        ),
        sun=(0.62, 0.50, 0.66),
        ambient=(0.18, 0.22, 0.40),
        haze=(0.44, 0.40, 0.60),
        altitude=-0.02,
        slant=0.35,
    ),
    "night": Palette(
        sky=((0.0, (0.15, 0.22, 0.38)), (0.3, (0.055, 0.10, 0.24)), (1.0, (0.012, 0.02, 0.07))),
        sun=(0.60, 0.70, 0.95),
        ambient=(0.065, 0.095, 0.20),
        haze=(0.13, 0.19, 0.34),
        altitude=0.72,
        slant=0.70,
    ),
}
NEON = Palette(
    sky=((0.0, (1.0, 0.38, 0.55)), (0.2, (0.80, 0.16, 0.60)), (0.5, (0.30, 0.08, 0.46)), (1.0, (0.04, 0.02, 0.15))),
    sun=(1.0, 0.45, 0.50),
    ambient=(0.26, 0.11, 0.40),
    haze=(0.72, 0.20, 0.58),
    altitude=0.34,
    slant=0.34,
)
# cover → how much of the sky's colour survives, and the share of the disc that shows
_GREYING: dict[str, tuple[float, Rgb, float]] = {
    "fog": (0.62, (0.99, 1.0, 1.02), 0.55),
    "overcast": (0.30, (0.93, 1.0, 1.07), 0.10),
    "storm": (0.30, (0.84, 0.96, 1.12), 0.05),
}
_DIMMING = {"fog": 0.95, "overcast": 0.82, "storm": 0.44}


def palette_for(wish: Wish, time: str, clouds: str) -> Palette:
    """The palette of this hour, with everything that the wish says about light."""
    palette = NEON if wish.styled("neon") else HOURS[time]
    cover = clouds if clouds in _GREYING else ("fog" if wish.has("fog") else None)
    if time == "day" and wish.has("sun"):
        palette = replace(palette, altitude=0.70)  # low enough to stand in the picture
    if cover is not None:
        palette = _greyed(palette, cover, _DIMMING[cover] if time != "night" else 0.95)
    for part, share in (("light", 0.24), ("sky", 0.50)):
        named = wish.tint(part)
        if named is not None and wish.place not in ("space", "abstract"):
            palette = _tinted(palette, np.array(named, np.float32), share)
    if wish.styled("pastel"):
        palette = _mapped(palette, lambda light: light * 0.55 + 0.42)
    return palette


def _greyed(palette: Palette, cover: str, dim: float) -> Palette:
    keep, cast, direct = _GREYING[cover]
    grey = np.array(cast, np.float32)
    return replace(
        _mapped(palette, lambda light: (light * keep + light.mean() * (1.0 - keep) * grey) * dim), direct=direct
    )


def _tinted(palette: Palette, named: Floats, share: float) -> Palette:
    strength = max(float(named.mean()), 0.18)
    return _mapped(palette, lambda light: light * (1.0 - share) + named * (share * float(light.mean()) / strength))


def _mapped(palette: Palette, change: Callable[[Floats], Floats]) -> Palette:
    def changed(light: Rgb) -> Rgb:
        red, green, blue = (float(v) for v in change(floats(np.array(light, np.float32))))
        return red, green, blue

    return replace(
        palette,
        sky=tuple((height, changed(light)) for height, light in palette.sky),
        haze=changed(palette.haze),
        sun=changed(palette.sun),
    )
