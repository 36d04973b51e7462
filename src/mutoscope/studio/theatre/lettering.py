"""Type: words set in a face that this machine has, fitted to a plate, kerned, on a line or an arc.

Faces are looked for where systems keep them and in font packages that are installed beside mutoscope; the last resort is
Pillow's own, which knows Latin letters only. What no face can show is not set, and is told.
"""

import functools
import importlib.util
import math
import sys
import unicodedata
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont, features

from mutoscope.studio.scene.lexicon import Rgb
from mutoscope.studio.scene.raster import Bytes
from mutoscope.studio.theatre.puppet import Sprite

MOST = 90  # characters that are set
_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "/System/Library/Fonts", "/Library/Fonts")
_PACKAGES = (
    "noto_cjk_sans_jp_regular",
    "fontpkg_noto_sans_arabic",
    "fontpkg_noto_sans",
    "pylopdf_fonts_he",
    "pylopdf_fonts_ko",
    "pylopdf_fonts_hi",
    "pylopdf_fonts_th",
    "fontpkg_noto_sans_devanagari",
    "fontpkg_noto_sans_thai",
)
# names of files, the best first; a name may be a beginning
_FACES = {
    "sans": (
        "Inter-Bold",
        "Montserrat-Bold",
        "Lato-Black",
        "OpenSans-Bold",
        "NotoSans-Bold",
        "DejaVuSans-Bold",
        "LiberationSans-Bold",
        "FreeSansBold",
        "Arial Bold",
    ),
    "serif": (
        "PlayfairDisplay-Bold",
        "EBGaramond-Bold",
        "NotoSerif-Bold",
        "DejaVuSerif-Bold",
        "LiberationSerif-Bold",
        "FreeSerifBold",
        "Georgia Bold",
    ),
    "book": ("EBGaramond-Regular", "NotoSerif-Regular", "DejaVuSerif", "LiberationSerif-Regular", "FreeSerif"),
}
_WIDE = (
    "NotoSansCJK",
    "NotoSansArabic",
    "NotoSansHebrew",
    "NotoSansDevanagari",
    "NotoSansThai",
    "NotoSansKR",
    "NotoSans",
    "DejaVuSans",
    "FreeSans",
    "wqy",
    "unifont",
)
Face = ImageFont.FreeTypeFont


@dataclass(frozen=True, slots=True)
class Setting:
    """Lettering that was made."""

    mask: Bytes  # (height, width), cover


def can_set(text: str) -> bool:
    """Whether there is a face for every character."""
    return face_for(text, "sans", 24) is not None


def mask_of(text: str, style: str, size: int, *, tracking: float = 0.0) -> Bytes:
    """One line as cover; `tracking` is what is added between letters, as a share of the size."""
    face = face_for(text, style, size)
    if face is None:
        return np.zeros((1, 1), np.uint8)
    if tracking and not _joined(text):
        return _tracked(text, face, round(tracking * size))
    left, top, right, bottom = (round(each) for each in face.getbbox(text))
    sheet = Image.new("L", (max(1, right - left + 4), max(1, bottom - top + 4)), 0)
    ImageDraw.Draw(sheet).text((2 - left, 2 - top), text, font=face, fill=255)
    return np.asarray(sheet, np.uint8)


def fitted(text: str, style: str, width: float, height: float, *, tracking: float = 0.0, lines: int = 3) -> Bytes:
    """The text in at most so many lines, as large as fits."""
    best: Bytes = np.zeros((1, 1), np.uint8)
    area = 0.0
    for count in range(1, lines + 1):
        parts = _broken(text, count)
        if len(parts) != count:
            continue
        probe = 64
        masks = [mask_of(part, style, probe, tracking=tracking) for part in parts]
        wide = max(each.shape[1] for each in masks)
        tall = probe * 1.18 * count
        size = probe * min(width / wide, height / tall)
        if size > area * 1.08:
            area = size
            best = _stacked(parts, style, max(8, int(size)), tracking)
    return best


def on_arc(text: str, style: str, size: int, radius: float, *, above: bool = True) -> Sprite:
    """The letters along a circle about (0, 0), upright at its top, or at its foot where `above` is false."""
    face = face_for(text, style, size)
    side = int(2 * (radius + size * 1.4))
    canvas = np.zeros((side, side), np.uint8)
    if face is not None:
        letters = [text] if _joined(text) else list(text)
        widths = [face.getlength(each) + size * 0.06 for each in letters]
        total = sum(widths)
        spread = min(total / radius, math.radians(300))
        at = -spread / 2
        for letter, wide in zip(letters, widths, strict=True):
            angle = at + wide / total * spread / 2
            at += wide / total * spread
            if letter.strip():
                _stamp(canvas, _upright(letter, face, size), angle, radius, above=above)
    rgba = np.dstack([canvas] * 4)
    return Sprite(np.asarray(rgba, np.uint8), side / 2, side / 2)


def sprite_of(mask: Bytes, colour: Rgb, *, shade: float = 0.0) -> Sprite:
    """The cover in a colour, its foot's middle at the sprite's point; `shade` throws a shadow to the lower right."""
    pad = max(2, int(mask.shape[0] * 0.12))
    cover = cv2.copyMakeBorder(mask, pad, pad, pad, pad, cv2.BORDER_CONSTANT)
    rgba = np.dstack([(cover.astype(np.float32) * each).astype(np.uint8) for each in colour] + [cover])
    if shade:
        reach = max(1, pad // 3)
        fallen = cv2.warpAffine(
            cover, np.array([[1, 0, reach], [0, 1, reach * 1.3]], np.float64), (cover.shape[1], cover.shape[0])
        )
        fallen = cv2.convertScaleAbs(cv2.blur(fallen, (reach * 2 + 1, reach * 2 + 1)), alpha=shade)
        under = np.zeros_like(rgba)
        under[..., 3] = fallen
        rest = cv2.merge([255 - cover] * 4)
        rgba = cv2.add(rgba, cv2.multiply(under, rest, scale=1 / 255))
    return Sprite(np.asarray(rgba, np.uint8), rgba.shape[1] / 2, rgba.shape[0] - pad)


# -- faces ---------------------------------------------------------------------------------


def face_for(text: str, style: str, size: int) -> Face | None:
    """A face that has every character of it; None where there is none."""
    wanted = frozenset(
        each
        for each in unicodedata.normalize("NFC", text)
        if not each.isspace() and unicodedata.category(each)[0] not in "CZ"
    )
    for path in _ranked(style):
        if _covers(path, wanted):
            return _opened(path, size)
    return None


@functools.lru_cache(64)
def _opened(path: str, size: int) -> Face:
    layout = ImageFont.Layout.RAQM if features.check("raqm") else ImageFont.Layout.BASIC
    if not path:
        found = ImageFont.load_default(size)
        assert isinstance(found, ImageFont.FreeTypeFont)  # noqa: S101 (with a size it is)
        return found
    return ImageFont.truetype(path, size, layout_engine=layout)


@functools.cache
def _files() -> tuple[str, ...]:
    found: list[Path] = []
    folders = [Path(each) for each in _FOLDERS] + [Path(sys.prefix) / "share" / "fonts"]
    for name in _PACKAGES:
        spec = importlib.util.find_spec(name)
        if spec and spec.origin:
            folders.append(Path(spec.origin).parent)
    for folder in folders:
        if folder.is_dir():
            found += [each for each in folder.rglob("*") if each.suffix.lower() in (".ttf", ".otf", ".ttc")]
    return tuple(sorted({str(each) for each in found}))


@functools.cache
def _ranked(style: str) -> tuple[str, ...]:
    """The faces to try, in order; Pillow's own is the empty name, before those that are only wide."""
    files = _files()
    ranked: list[str] = []
    for name in _FACES[style]:
        ranked.extend(path for path in files if Path(path).stem == name)
    ranked.append("")
    for name in _WIDE:
        ranked += [
            path
            for path in files
            if Path(path).stem.startswith(name) and not any(part in path for part in ("Mono", "Oblique", "Italic"))
        ]
    return tuple(dict.fromkeys(ranked))


@functools.lru_cache(256)
def _covers(path: str, wanted: frozenset[str]) -> bool:
    """Whether the face draws each of them otherwise than what it draws for nothing."""
    try:
        face = _opened(path, 20)
        missing = _picture(face, "\U0010fffd")
        return all(_picture(face, each) != missing for each in wanted)
    except OSError:
        return False


def _picture(face: Face, letter: str) -> tuple[tuple[int, int], bytes]:
    left, top, right, bottom = (round(each) for each in face.getbbox(letter))
    sheet = Image.new("L", (max(1, right - left), max(1, bottom - top)), 0)
    ImageDraw.Draw(sheet).text((-left, -top), letter, font=face, fill=255)
    return sheet.size, sheet.tobytes()


def _joined(text: str) -> bool:
    """Whether letters change beside one another, or run from the right: they are then set as a whole."""
    return any(unicodedata.bidirectional(each) in ("R", "AL") or "\u0900" <= each <= "\u0eff" for each in text)


# -- lines ---------------------------------------------------------------------------------


def _tracked(text: str, face: Face, gap: int) -> Bytes:
    """Letter by letter, with the pairs' kerning kept."""
    places = [0.0]
    for at in range(1, len(text)):
        places.append(face.getlength(text[: at + 1]) - face.getlength(text[at]) + gap * at)
    wide = int(places[-1] + face.getlength(text[-1])) + 6
    _, top, _, bottom = (round(each) for each in face.getbbox(text))
    sheet = Image.new("L", (wide, bottom - top + 4), 0)
    pen = ImageDraw.Draw(sheet)
    for place, letter in zip(places, text, strict=True):
        pen.text((2 + place, 2 - top), letter, font=face, fill=255)
    return np.asarray(sheet, np.uint8)


def _broken(text: str, count: int) -> list[str]:
    """The text in so many lines of nearly the same length; words stay whole, where there are spaces."""
    if count == 1:
        return [text]
    words = text.split()
    if len(words) == 1 and len(text) > 6 and not text.isascii() and not _joined(text):
        words = list(text)
    if len(words) < count:
        return []
    glue = "" if words == list(text) else " "
    best: tuple[int, list[str]] | None = None
    for cuts in _cuts(len(words), count):
        lines = [glue.join(words[start:end]) for start, end in zip((0, *cuts), (*cuts, len(words)), strict=True)]
        longest = max(len(line) for line in lines)
        if best is None or longest < best[0]:
            best = longest, lines
    return best[1] if best else []


def _cuts(count: int, lines: int) -> list[tuple[int, ...]]:
    if lines == 2:
        return [(at,) for at in range(1, count)]
    return [(one, two) for one in range(1, count - 1) for two in range(one + 1, count)]


def _stacked(parts: list[str], style: str, size: int, tracking: float) -> Bytes:
    masks = [mask_of(part, style, size, tracking=tracking) for part in parts]
    if len(masks) == 1:
        return masks[0]
    wide = max(each.shape[1] for each in masks)
    step = int(size * 1.16)
    sheet = np.zeros((step * (len(masks) - 1) + max(each.shape[0] for each in masks), wide), np.uint8)
    for number, each in enumerate(masks):
        left, top = (wide - each.shape[1]) // 2, number * step
        part = sheet[top : top + each.shape[0], left : left + each.shape[1]]
        np.maximum(part, each[: part.shape[0]], out=part)
    return sheet


def _upright(letter: str, face: Face, size: int) -> Bytes:
    """A letter on the line's own height, so that all stand on one arc."""
    wide = max(1, round(face.getlength(letter)))
    sheet = Image.new("L", (wide + 4, round(size * 1.4)), 0)
    ImageDraw.Draw(sheet).text((2, round(size * 1.1)), letter, font=face, fill=255, anchor="ls")
    return np.asarray(sheet, np.uint8)


def _stamp(canvas: Bytes, letter: Bytes, angle: float, radius: float, *, above: bool) -> None:
    side = canvas.shape[0]
    height, width = letter.shape
    turn = angle if above else -angle
    x = side / 2 + math.sin(angle) * radius
    y = side / 2 - math.cos(angle) * radius if above else side / 2 + math.cos(angle) * radius
    cosine, sine = math.cos(turn), math.sin(turn)
    foot = height * 0.78
    matrix = np.array(
        [[cosine, -sine, x - cosine * width / 2 + sine * foot], [sine, cosine, y - sine * width / 2 - cosine * foot]]
    )
    turned = cv2.warpAffine(letter, matrix, (side, side), flags=cv2.INTER_LINEAR)
    np.maximum(canvas, turned, out=canvas)
