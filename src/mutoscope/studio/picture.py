"""Pictures from files: untrusted bytes in, an upright RGB picture out."""

import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from mutoscope.studio.error import StudioError

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "MPO")
"""What is opened; Pillow's other parsers (EPS, PSD, TIFF, …) are not let near a stranger's file."""
MAX_PIXELS = 100_000_000
DEEP = ("I;16", "I;16L", "I;16B", "I;16N", "I", "F")
BACKDROP = (255, 255, 255, 255)  # what shows through: white, as on a page


def load(path: Path, *, field: str = "image") -> Image.Image:
    """The picture, RGB, turned as its EXIF orientation says, transparency over white, at most 8 bits a channel.

    Raises StudioError with `field` when it cannot be read.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # malformed metadata is no reason to refuse a picture
            with Image.open(path, formats=FORMATS) as image:
                if image.width * image.height > MAX_PIXELS:
                    raise StudioError(f"the picture has more than {MAX_PIXELS} pixels", field=field)
                return _rgb(ImageOps.exif_transpose(image))
    except StudioError:
        raise
    except Exception as error:  # Pillow's parsers raise whatever a broken file makes them raise
        raise StudioError(f"the picture cannot be read ({type(error).__name__})", field=field) from error


def measure(path: Path, *, field: str = "image") -> tuple[int, int]:
    """Width and height as shown, after EXIF orientation; reads the header only."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path, formats=FORMATS) as image:
                turned = image.getexif().get(0x0112, 1) in (5, 6, 7, 8)
                return (image.height, image.width) if turned else (image.width, image.height)
    except Exception as error:
        raise StudioError(f"the picture cannot be read ({type(error).__name__})", field=field) from error


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode in DEEP:
        return _from_deep(image)
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", layer.size, BACKDROP), layer).convert("RGB")
    return image.convert("RGB")


def _from_deep(image: Image.Image) -> Image.Image:
    """Grey of 16 bits or more: Pillow's own conversion clips at 255 and would make it white."""
    values = np.asarray(image, np.float32)
    top = float(values.max(initial=0.0))
    full = 255.0 if top <= 255 and image.mode != "I;16" else max(65535.0, top)
    return Image.fromarray((values * (255 / full)).clip(0, 255).astype(np.uint8)).convert("RGB")
