"""Still and moving water: a mirror of what stands over it, broken by waves that lie in perspective."""

import numpy as np
import numpy.typing as npt

from mutoscope.studio.scene.noise import tile
from mutoscope.studio.scene.raster import (
    Floats,
    bands,
    blur,
    clip,
    colour,
    columns,
    floats,
    mix,
    rows_of,
    sample,
    sample_tile,
    smoothstep,
)
from mutoscope.studio.scene.stage import Stage

_TILE = 512
_CELLS = 16
_LENGTH = 0.085  # wavelengths are given in this many times the eye's height


class Waves:
    """A surface of waves, sampled at several lengths; those finer than a pixel are left out, as the eye does."""

    def __init__(self, stage: Stage, *, eye: float, rough: float) -> None:
        self.stage: Stage = stage
        self.eye: float = eye  # height over the water, in units of distance
        self.rough: float = rough
        surface = tile(_TILE, _CELLS, 4, stage.seed + 81, 0.55)
        if rough > 2.0:
            surface = 1.0 - np.abs(surface - 0.5) * 2.0  # breaking waves have crests
        self.tile: Floats = (surface - float(surface.mean())) * (1.0 / max(1e-6, float(surface.std())))

    def slope(self, rows: Floats) -> tuple[Floats, Floats]:
        """How the surface leans towards the viewer at every pixel of some rows, in radians, and its distance."""
        stage = self.stage
        down = np.maximum(rows - stage.horizon, np.float32(0.35))
        distance = floats(self.eye * stage.focal / down)
        across = (columns(stage.width) - stage.width / 2) * distance * (1.0 / stage.focal)
        lean = np.zeros(across.shape, np.float32)
        for length, weight in ((24.0, 0.030), (9.0, 0.050), (3.1, 0.042), (1.05, 0.032)):
            # a pixel row covers distance / down units; waves shorter than two of them are blurred away
            seen = clip(length * self.eye * _LENGTH * down / distance - 0.30, 0.0, 1.0) * weight
            if float(seen.max()) <= 0:
                continue
            scale = _CELLS / length / (self.eye * _LENGTH)
            x = across * (scale * (0.38 if self.rough < 2.0 else 0.62)) + 97.0 * length
            lean += sample_tile(self.tile, x, floats(np.broadcast_to(distance * scale, x.shape))) * seen
        return lean * self.rough, distance


def mirror(canvas: Floats, stage: Stage, wet: npt.NDArray[np.bool_], *, eye: float) -> None:
    """Turn the wet pixels of a landscape into a lake that mirrors the land behind it."""
    if not wet.any():
        return
    shore = _shoreline(stage, wet)
    waves = Waves(stage, eye=eye, rough=0.22 if stage.wish.has("calm") else 0.36)
    above = blur(canvas, stage.unit / 1500.0)  # a mirror of water is never sharp
    top = int(np.argmax(wet.any(axis=1)))
    for band in bands(top, stage.height, stage.width):
        water = _surface(above, stage, waves, rows_of(band), shore)
        canvas[band] = np.where(wet[band][..., None], water, canvas[band])


def _shoreline(stage: Stage, wet: npt.NDArray[np.bool_]) -> Floats:
    """The row over which every column is mirrored: where its water begins, smoothed lest the mirror tears."""
    any_water = wet.any(axis=0)
    first = wet.argmax(axis=0).astype(np.float32)
    at = np.arange(stage.width)
    first = np.interp(at, at[any_water], first[any_water]).astype(np.float32)[None]
    return blur(first, stage.unit * 0.045)


def sea(canvas: Floats, stage: Stage, *, rough: float, eye: float = 3.0) -> None:
    """Fill everything under the horizon with open water."""
    waves = Waves(stage, eye=eye, rough=rough)
    start = min(stage.height, max(1, int(stage.horizon)))
    above = canvas[:start].copy()
    shore = np.full((1, stage.width), float(start), np.float32)
    for band in bands(start, stage.height, stage.width):
        canvas[band] = _surface(above, stage, waves, rows_of(band), shore)


def _surface(above: Floats, stage: Stage, waves: Waves, rows: Floats, shore: Floats) -> Floats:
    """The colour of water: mirror where the eye grazes it, its own depth where the eye looks into it."""
    lean, _ = waves.slope(rows)
    down = rows - stage.horizon
    # a lean turns the mirrored ray by twice itself, upwards and downwards far more than sideways; far waves hide
    # each other's backs, which calms them
    spread = stage.focal * (2.0 / max(1.0, waves.rough)) * clip(down * (1.0 / (stage.height * 0.16)), 0.04, 1.0)
    mirrored = floats(np.minimum(2.0 * shore - rows, rows))
    row = clip(mirrored + lean * spread, 0.0, above.shape[0] - 1.0)
    column = columns(stage.width) + lean * (spread * 0.07)
    seen = sample(above, column, row)
    angle = down * (1.0 / stage.focal) + lean * 1.2
    angle = clip(0.5 * (angle + floats(np.sqrt(angle * angle + 0.012))), 0.0, 0.8)  # never quite edge-on
    share = 0.26 + 0.70 * (1.0 - angle) ** 5
    if waves.rough > 2.0:  # steep waves show their sides: light by how they lean, not by the grazing eye
        share = 0.12 + 0.62 / (1.0 + floats(np.exp(-9.0 * lean - 0.4)))
    water = mix(_depths(stage), seen, share[..., None])
    return water + _glitter(stage, lean, rows)[..., None] * stage.light("sun")


def _depths(stage: Stage) -> Floats:
    deep = stage.light("ambient") * 0.30 + colour(0.0, 0.03, 0.05) * (0.4 if stage.dark else 1.0)
    named = stage.wish.tint("water")
    if named is not None:
        deep = colour(*named) * max(0.12, float(stage.light("ambient").mean()) * 1.3)
    elif stage.time == "day":
        deep = deep * 0.6 + colour(0.01, 0.10, 0.15) * (0.2 + 0.6 * stage.palette.direct)
    return deep


def _glitter(stage: Stage, lean: Floats, rows: Floats) -> Floats:
    """The sun's road on the water."""
    if stage.palette.altitude > 1.0 or stage.palette.altitude < 0:
        return np.zeros_like(lean)
    down = np.maximum(rows - stage.horizon, np.float32(0.0))
    reach = stage.unit * 0.022 + down * 0.20
    road = floats(np.exp(-(((columns(stage.width) - stage.sun[0]) / reach) ** 2)))
    sparkle = smoothstep(0.4, 2.2, lean * (1.0 / max(0.02, float(np.std(lean)))))
    return sparkle * road * (stage.palette.direct * (0.9 if stage.time == "night" else 1.35))
