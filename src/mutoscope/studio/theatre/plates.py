"""What lettering is set on: a logo, a badge, a sign, a poster, a banner, a neon tube; and the title card."""

import cv2
import numpy as np

from mutoscope.studio.scene.lexicon import Rgb
from mutoscope.studio.scene.raster import Bytes
from mutoscope.studio.theatre import lettering, puppet, show
from mutoscope.studio.theatre.casting import Cast
from mutoscope.studio.theatre.puppet import Sprite
from mutoscope.studio.theatre.shapes import Figure, part
from mutoscope.studio.theatre.staging import Actor

CARD_WORDS, CARD_CHARACTERS = 6, 48
INK: Rgb = (0.14, 0.13, 0.17)
PAPER: Rgb = (0.98, 0.96, 0.91)


def set_letters(picture: Bytes, cast: Cast, tint: Rgb, *, crowd: bool) -> bool:
    """Lay the cast's lettering into the picture; False where no face can show it. With a `crowd`, room is left for it."""
    text = cast.letters[: lettering.MOST]
    if not text or not lettering.can_set(text):
        return False
    {"logo": _logo, "badge": _badge, "sign": _sign, "neon": _neon, "poster": _poster, "banner": _banner}.get(
        cast.plate, _plain
    )(picture, cast, text, tint, crowd)
    return True


def ink_of(cast: Cast) -> Rgb:
    named = cast.letter_colour
    return named if named is not None else INK


def _logo(picture: Bytes, cast: Cast, text: str, tint: Rgb, crowd: bool) -> None:
    height, width = picture.shape[:2]
    mask = lettering.fitted(
        text, "sans", width * 0.7, height * (0.17 if crowd else 0.34), tracking=0.06, lines=1 if crowd else 2
    )
    show.over(
        picture, lettering.sprite_of(mask, ink_of(cast), shade=0.25), width / 2, height * (0.93 if crowd else 0.60)
    )
    del tint


def _badge(picture: Bytes, cast: Cast, text: str, tint: Rgb, crowd: bool) -> None:
    """Round, with the words on its rim: the second half of them at its foot where they are many."""
    height, width = picture.shape[:2]
    radius = min(height, width) * 0.44
    centre = width / 2, height / 2
    colour = tuple(each * light for each, light in zip(ink_of(cast), tint, strict=True))
    words = text.split()
    half = (len(words) + 1) // 2 if len(text) > 18 and len(words) > 1 else len(words)
    size = int(radius * 0.20)
    for line, above in ((" ".join(words[:half]), True), (" ".join(words[half:]), False)):
        if line:
            sprite = lettering.on_arc(line, "sans", size, radius * (0.79 if above else 0.93), above=above)
            show.over(picture, _inked(sprite, (colour[0], colour[1], colour[2])), *centre)
    for ring in (0.99, 0.72):
        cv2.circle(
            picture,
            (int(centre[0]), int(centre[1])),
            int(radius * ring),
            tuple(round(each * 255) for each in colour),
            max(2, int(radius * 0.016)),
            cv2.LINE_AA,
        )
    del crowd


def _inked(sprite: Sprite, colour: Rgb) -> Sprite:
    cover = sprite.rgba[..., 3]
    rgba = np.dstack([(cover.astype(np.float32) * each).astype(np.uint8) for each in colour] + [cover])
    return Sprite(np.asarray(rgba, np.uint8), sprite.x, sprite.y)


def _plate(picture: Bytes, figure: Figure, x: float, y: float, scale: float, tint: Rgb, main: Rgb, second: Rgb) -> None:
    inks = {"main": main, "second": second}
    lit = {name: (rgb[0] * tint[0], rgb[1] * tint[1], rgb[2] * tint[2]) for name, rgb in inks.items()}
    lit = {name: (min(1.0, rgb[0]), min(1.0, rgb[1]), min(1.0, rgb[2])) for name, rgb in lit.items()}
    show.lay(picture, None, Actor(figure, puppet.inks_of(lit), scale, x, y, 0.8, stands=False))


def _sign(picture: Bytes, cast: Cast, text: str, tint: Rgb, crowd: bool) -> None:
    height, width = picture.shape[:2]
    mask = lettering.fitted(text, "sans", width * (0.30 if crowd else 0.52), height * 0.24, lines=2)
    wide, tall = mask.shape[1] * 1.22, mask.shape[0] + height * 0.11
    x, foot = (width * 0.76 if crowd else width / 2), height * 0.9
    top = height * 0.24
    unit = height / 100
    half, low, high = wide / 2 / unit, (foot - top - tall) / unit, (foot - top) / unit
    board = Figure(
        (
            part("second", "box", -half * 0.62, 0, -half * 0.62 + 3, high),
            part("second", "box", half * 0.62 - 3, 0, half * 0.62, high),
            part("second-", "box", -half - 1.4, low - 1.4, half + 1.4, high + 1.4, 3, sheet=True),
            part("main", "box", -half, low, half, high, 2.4, sheet=True),
        ),
        {},
    )
    _plate(picture, board, x, foot, unit, tint, cast.letter_board or PAPER, (0.45, 0.30, 0.18))
    show.over(
        picture, lettering.sprite_of(mask, _on(cast, cast.letter_board or PAPER)), x, top + tall / 2 + mask.shape[0] / 2
    )


def _banner(picture: Bytes, cast: Cast, text: str, tint: Rgb, crowd: bool) -> None:
    height, width = picture.shape[:2]
    mask = lettering.fitted(text, "sans", width * 0.66, height * 0.13, lines=1)
    unit = height / 100
    half, tall = mask.shape[1] * 0.62 / unit, mask.shape[0] * 1.8 / unit
    ribbon = Figure(
        (
            part(
                "main-",
                "poly",
                -half - 9,
                tall * 0.9,
                -half + 4,
                tall * 0.9,
                -half + 4,
                -tall * 0.12,
                -half - 9,
                -tall * 0.12,
                -half - 4,
                tall * 0.4,
            ),
            part(
                "main-",
                "poly",
                half + 9,
                tall * 0.9,
                half - 4,
                tall * 0.9,
                half - 4,
                -tall * 0.12,
                half + 9,
                -tall * 0.12,
                half + 4,
                tall * 0.4,
            ),
            part("main", "box", -half, 0, half, tall, 0.8, sheet=True),
        ),
        {},
    )
    top = height * 0.10
    _plate(picture, ribbon, width / 2, top + tall * unit, unit, tint, cast.letter_board or (0.80, 0.26, 0.24), PAPER)
    show.over(
        picture,
        lettering.sprite_of(mask, PAPER if cast.letter_colour is None else cast.letter_colour, shade=0.3),
        width / 2,
        top + tall * unit / 2 + mask.shape[0] / 2,
    )
    del crowd


def _poster(picture: Bytes, cast: Cast, text: str, tint: Rgb, crowd: bool) -> None:
    height, width = picture.shape[:2]
    mask = lettering.fitted(
        text.upper() if text.islower() else text,
        "serif",
        width * 0.84,
        height * (0.20 if crowd else 0.5),
        tracking=0.04,
        lines=2 if crowd else 3,
    )
    dark = float(picture[: height // 4].mean()) < 130
    colour = cast.letter_colour or (PAPER if dark else INK)
    foot = height * 0.06 + mask.shape[0] if crowd else height / 2 + mask.shape[0] / 2
    show.over(picture, lettering.sprite_of(mask, colour, shade=0.5), width / 2, foot)
    edge = max(2, height // 130)
    cv2.rectangle(
        picture,
        (edge * 2, edge * 2),
        (width - edge * 2 - 1, height - edge * 2 - 1),
        tuple(round(each * 255) for each in colour),
        max(1, edge // 3),
        cv2.LINE_AA,
    )
    del tint


def _neon(picture: Bytes, cast: Cast, text: str, tint: Rgb, crowd: bool) -> None:
    """Tubes of light: a bright line in a glow of its colour."""
    height, width = picture.shape[:2]
    mask = lettering.fitted(text, "sans", width * 0.72, height * (0.20 if crowd else 0.38), lines=2)
    colour = np.array(cast.letter_colour or (1.0, 0.25, 0.55), np.float32)
    pad = max(6, mask.shape[0] // 2)
    cover = cv2.copyMakeBorder(mask, pad, pad, pad, pad, cv2.BORDER_CONSTANT)
    stroke = max(2, mask.shape[0] // 28)
    tube = cv2.subtract(cover, cv2.erode(cover, np.ones((stroke, stroke), np.uint8)))
    glow = np.zeros(cover.shape, np.float32)
    for share, reach in ((0.9, 0.05), (0.7, 0.14), (0.5, 0.34)):
        size = max(1, int(mask.shape[0] * reach)) | 1
        glow += cv2.blur(cv2.blur(tube, (size, size)), (size, size)).astype(np.float32) * share
    bright = np.clip(tube.astype(np.float32), 0, 255)
    light = np.clip(glow[..., None] * colour * 1.5 + bright[..., None] * (colour * 0.3 + 0.7), 0, 255).astype(np.uint8)
    foot = height * 0.30 if crowd else height * 0.5 + mask.shape[0] / 2
    flat = np.dstack([light, np.maximum(light.max(2) // 3, tube)])
    show.over(picture, Sprite(np.asarray(flat, np.uint8), flat.shape[1] / 2, flat.shape[0] - pad), width / 2, foot)
    del tint


def _plain(picture: Bytes, cast: Cast, text: str, tint: Rgb, crowd: bool) -> None:
    """Cut-out letters: below the cast, or in the middle."""
    height, width = picture.shape[:2]
    mask = lettering.fitted(
        text, "sans", width * (0.62 if crowd else 0.78), height * (0.14 if crowd else 0.5), lines=1 if crowd else 3
    )
    dark = float(picture[int(height * 0.8) :].mean() if crowd else picture.mean()) < 140
    colour = cast.letter_colour or (PAPER if dark else INK)
    foot = height * 0.955 if crowd else height / 2 + mask.shape[0] / 2
    show.over(picture, lettering.sprite_of(mask, colour, shade=0.5), width / 2, foot)
    del tint


def _on(cast: Cast, board: Rgb) -> Rgb:
    if cast.letter_colour is not None:
        return cast.letter_colour
    return INK if sum(board) > 1.3 else PAPER


# -- the card ------------------------------------------------------------------------------


def title_of(prompt: str) -> str:
    """The first words of a prompt, as many as a card holds."""
    words = prompt.split()
    text = ""
    for word in words[:CARD_WORDS]:
        if len(text) + len(word) + 1 > CARD_CHARACTERS:
            break
        text = f"{text} {word}".strip()
    text = text or prompt.strip()[:CARD_CHARACTERS]
    text = text.strip(" ,.;:–—-")
    return text + " …" if text and len(text) < len(prompt.strip(" ,.;:–—-")) else text


def lay_card(picture: Bytes, prompt: str) -> bool:
    """A small card of paper with the prompt's first words; False where no face can show them."""
    text = "".join(each for each in title_of(" ".join(prompt.split())) if each.isprintable())
    if not text or not lettering.can_set(text):
        return False
    height, width = picture.shape[:2]
    unit = min(width, height) / 100
    mask = lettering.fitted(text, "book", width * 0.62, unit * 5.4, tracking=0.02, lines=1)
    if min(mask.shape) < 4:
        return False
    half, tall = mask.shape[1] / 2 / unit + 5, mask.shape[0] / unit + 6
    card = Figure(
        (
            part("main-", "box", -half, 0, half, tall, 0.8),
            part("main", "box", -half + 0.5, 0.5, half - 0.5, tall - 0.5, 0.7, sheet=True),
            part("second", "box", -half + 2, 1.5, half - 2, 1.75),
            part("second", "box", -half + 2, tall - 1.75, half - 2, tall - 1.5),
        ),
        {},
    )
    foot = height - unit * 9
    _plate(picture, card, width / 2, foot, unit, (1.0, 1.0, 1.0), PAPER, (0.72, 0.60, 0.40))
    show.over(picture, lettering.sprite_of(mask, INK), width / 2, foot - tall * unit / 2 + mask.shape[0] / 2)
    return True
