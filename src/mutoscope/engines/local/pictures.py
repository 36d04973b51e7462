"""Pictures as models take them, out of a stranger's file: only a child opens one."""

import io
import warnings
from typing import IO, Any

from PIL import Image, ImageOps

from mutoscope.studio.imprint import shown
from mutoscope.studio.picture import FORMATS

Image.init()  # every parser now: they are not all loaded later, behind the walls

MOST_PIXELS = 64_000_000
Json = dict[str, Any]


class Refused(Exception):
    """What was handed in cannot be used; the message is for the caller."""

    def __init__(self, message: str, *, kind: str = "bad_media", field: str | None = None) -> None:
        super().__init__(message)
        self.told = {"message": message, "kind": kind, "field": field}


def transparent(file: IO[bytes] | None) -> bool:
    """Whether something shines through it; what cannot be read is told of when it is read."""
    if file is None:
        return False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(file, formats=FORMATS) as image:
                return image.has_transparency_data
    except Exception:  # Pillow's parsers raise whatever a broken file makes them raise
        return False
    finally:
        _ = file.seek(0)


class Unfit(Exception):
    """An operator's file is no model of its kind; the message goes on where its path ends."""


def read(file: IO[bytes] | None, *, enough: int) -> Any:
    """The picture, upright, (H, W, 3); what is transparent over white. A much larger JPEG is read smaller, where
    `enough` pixels a side will do."""
    if file is None:
        raise Refused("A picture is needed.", kind="invalid")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(file.read()), formats=FORMATS) as image:
                if image.width * image.height > MOST_PIXELS:
                    raise Refused(f"The picture has more than {MOST_PIXELS} pixels.")
                image.draft("RGB", (enough, enough))
                ImageOps.exif_transpose(image, in_place=True)
                return shown(image.convert("RGBA" if image.has_transparency_data else "RGB"))
    except (Refused, MemoryError):
        raise
    except Exception as error:  # Pillow's parsers raise whatever a broken file makes them raise
        raise Refused(f"The picture cannot be read ({type(error).__name__}).") from error


def write(pixels: Any, out: IO[bytes]) -> None:
    """As PNG, quickly: it is read again at once. Three channels, or one of 8 or 16 bits."""
    Image.fromarray(pixels).save(out, "PNG", compress_level=1)
