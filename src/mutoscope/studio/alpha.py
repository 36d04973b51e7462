"""Pictures with their transparency kept, for the operations whose results have it too."""

import warnings
from pathlib import Path

from PIL import Image, ImageOps

from mutoscope.studio import picture


def load(path: Path, *, field: str = "image") -> Image.Image:
    """The picture, upright: RGBA where the file has transparency, else RGB. Raises StudioError with `field`."""
    flat = picture.load(path, field=field)  # every check is there
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with Image.open(path, formats=picture.FORMATS) as image:
            return ImageOps.exif_transpose(image).convert("RGBA") if image.has_transparency_data else flat
