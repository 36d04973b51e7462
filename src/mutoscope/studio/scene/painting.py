"""One prompt, one picture."""

import math
import zlib
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

from mutoscope.studio.scene.abstract import paint_abstract
from mutoscope.studio.scene.city import paint_city
from mutoscope.studio.scene.falling import paint_falling
from mutoscope.studio.scene.foreground import frame_with_branch, paint_foreground, wants_branch
from mutoscope.studio.scene.forest import paint_forest
from mutoscope.studio.scene.grade import develop, finish
from mutoscope.studio.scene.layers import LAYERED, paint_layers
from mutoscope.studio.scene.lexicon import MANNERS, TAKEN, Wish, read_words, words_of
from mutoscope.studio.scene.raster import Bytes, Floats, resize
from mutoscope.studio.scene.sea import paint_sea
from mutoscope.studio.scene.sky import paint_sky
from mutoscope.studio.scene.space import paint_space
from mutoscope.studio.scene.stage import Stage, set_stage
from mutoscope.studio.scene.terrain import paint_terrain
from mutoscope.studio.scene.trees import frame_with_pines
from mutoscope.studio.theatre import casting, plates, show
from mutoscope.studio.theatre.casting import Cast
from mutoscope.studio.theatre.homes import at_home
from mutoscope.studio.theatre.staging import Actor

SMALLEST, LARGEST = 64, 8192
Card = Literal["auto", "always", "never"]
"""Whether a picture carries its prompt's first words."""
_PAINTED_PIXELS = 16_000_000
_OUTDOORS = {
    "mountains": paint_terrain,
    "hills": paint_terrain,
    "desert": paint_terrain,
    "forest": paint_forest,
    "sea": paint_sea,
    "city": paint_city,
}


@dataclass(frozen=True, slots=True)
class Painting:
    """A painted picture and what it is made of."""

    rgb: Bytes  # (height, width, 3), sRGB
    depth: npt.NDArray[np.float32]  # (height, width), 0 at the sky to 1 at the viewer
    used: tuple[str, ...]  # words of the prompt that the picture obeys
    ignored: tuple[str, ...]  # words of the prompt that it could not
    shown: tuple[str, ...] = ()  # how the theatre shows words: "cat: cut-paper figure"
    effects: tuple[str, ...] = ()  # of the theatre's, for those who act
    actors: tuple[Actor, ...] = ()  # who is not in the picture yet, because they move


def paint(
    prompt: str, width: int, height: int, seed: int, *, acting: bool = False, card: Card = "auto", figures: bool = True
) -> Painting:
    """Paint a prompt; the same arguments give the same picture on one machine. With `acting`, figures are left out of
    it and told instead. A `card` with the prompt's first words is laid where nothing
    else can be shown, always, or never.
    Without `figures` the painter alone reads the prompt: land, sky and light.

    A picture of more than 16 million pixels is painted smaller and enlarged. ValueError for a side outside of
    64 to 8192.
    """
    for side in (width, height):
        if not SMALLEST <= side <= LARGEST:
            raise ValueError(f"a side must have {SMALLEST} to {LARGEST} pixels, not {side}")
    cast, wish = read(prompt) if figures else (Cast(), read_words(words_of(prompt)))
    shrink = min(1.0, math.sqrt(_PAINTED_PIXELS / (width * height)))
    painted = (max(SMALLEST, round(width * shrink)), max(SMALLEST, round(height * shrink)))
    seed = _mixed(prompt, seed)
    wish, place = at_home(cast, wish)
    stage = set_stage(wish, *painted, seed, place=place)
    rgb, depth, actors = _painted(stage, cast, acting=acting and painted == (width, height))
    told = wish.obeyed_in(stage.place)[0] or cast.used
    shown = cast.shown
    if (card == "always" or (card == "auto" and not told and stage.place == "abstract")) and plates.lay_card(
        rgb, prompt
    ):
        shown += ("its first words: a title card",)
    if painted != (width, height):
        rgb = np.asarray(cv2.resize(rgb, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)
        depth = resize(depth, width, height)
    used, ignored = wish.obeyed_in(stage.place)
    ignored += cast.unset
    used = tuple(dict.fromkeys((*cast.used, *used)))
    depth = np.clip(depth, 0.0, 1.0).astype(np.float32, copy=False)
    return Painting(rgb, depth, used, ignored, shown, cast.effects, tuple(actors))


def read(prompt: str) -> tuple[Cast, Wish]:
    """What the theatre shows of a prompt, and what of the rest the painter understands."""
    cast = casting.read(prompt)
    words = [TAKEN if at in cast.taken else word for at, word in enumerate(casting.split(cast.rest))]
    return cast, read_words(words)


def restyle(rgb: Bytes, wish: Wish, seed: int) -> Bytes:
    """A given picture with the rain or snow, and in the manner, that a wish names."""
    height, width = rgb.shape[:2]
    stage = set_stage(wish, width, height, seed & 0x7FFFFFFF)
    if wish.has("rain", "snowfall"):
        canvas = rgb.astype(np.float32) / np.float32(255)
        paint_falling(canvas, stage)
        rgb = (canvas * 255.0 + 0.5).clip(0, 255).astype(np.uint8)
    return finish(rgb, stage)


def _mixed(prompt: str, seed: int) -> int:
    """A seed of its own for each prompt, so that seed 1 of two prompts does not share its hills."""
    return (seed * 2654435761 ^ zlib.crc32(prompt.encode("utf-8", "replace"))) & 0x7FFFFFFF


def _painted(stage: Stage, cast: Cast, *, acting: bool) -> tuple[Bytes, Floats, list[Actor]]:
    canvas = np.empty((stage.height, stage.width, 3), np.float32)
    if show.is_set(stage.place):
        canvas[:] = show.ground(stage, cast)
        depth: Floats = np.full((stage.height, stage.width), 0.2, np.float32)
    elif stage.place in _OUTDOORS:
        paint_sky(canvas, stage)
        flat = stage.wish.styled("minimal") and stage.place in LAYERED
        depth = (paint_layers if flat else _OUTDOORS[stage.place])(canvas, stage)
        if not cast.roles and not paint_foreground(canvas, depth, stage) and _wants_frame(stage):
            (frame_with_branch if wants_branch(stage) else frame_with_pines)(canvas, depth, stage)
        paint_falling(canvas, stage)
    else:
        depth = paint_space(canvas, stage) if stage.place == "space" else paint_abstract(canvas, stage)
    picture = develop(canvas, stage)
    del canvas  # the manners of painting need room of their own
    acting = acting and not MANNERS & set(stage.wish.styles)
    actors = show.perform(picture, depth, stage, cast, acting=acting) if cast else []
    if cast.letters:
        plates.set_letters(picture, cast, show.tint_of(stage, cast), crowd=bool(cast.roles))
    return finish(picture, stage), depth, actors


def _wants_frame(stage: Stage) -> bool:
    """Whether something dark and near stands before the land: always when asked for, else more often than not."""
    wish = stage.wish
    if stage.place not in ("mountains", "hills") or "trees" in wish.excluded or wish.styled("minimal"):
        return False
    if wish.has("aerial", "road", "path", "cypress", "furrows", "fields"):
        return False
    if wish.has("trees", "conifers", "leafy", "blossom"):
        return True
    return stage.place == "mountains" and stage.chance(403).random() < 0.65
