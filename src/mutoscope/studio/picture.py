"""Pictures from files and into them: untrusted bytes in, an upright sRGB picture; PNG, JPEG or WebP out."""

import io
import warnings
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, ImageOps
from PIL.PngImagePlugin import PngInfo

from mutoscope.studio import hdr, imprint
from mutoscope.studio.error import StudioError

FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "BMP", "GIF", "MPO")
"""What is opened; Pillow's other parsers (EPS, PSD, TIFF, …) are not let near a stranger's file."""
MAX_PIXELS = 100_000_000
DEEP = ("I;16", "I;16L", "I;16B", "I;16N", "I", "F")
BACKDROP = (255, 255, 255)  # what shows through: white, as on a page
QUALITY = 92  # of JPEG and WebP
IMAGE_DESCRIPTION = 0x010E  # EXIF
MAX_TOLD = 1500  # characters of what a file says of itself
MAX_JPEG_SIDE, MAX_WEBP_SIDE = 65_535, 16_383
RUNS, SEARCH = {"compress_type": zlib.Z_RLE}, {"compress_level": 4}
"""How a PNG is packed: only runs of equal bytes are looked for, or what is alike, where much is empty or smooth."""


def load(path: Path, *, field: str = "image", enough: tuple[int, int] | None = None) -> Image.Image:
    """The picture, sRGB, turned as its EXIF orientation says, transparency over white, at most 8 bits a channel.

    `enough` is the size that it needs to cover: a much larger JPEG is then decoded at a half, a quarter or an
    eighth, which costs a fraction of the time and memory. Raises StudioError with `field` when it cannot be read.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # malformed metadata is no reason to refuse a picture
            with Image.open(path, formats=FORMATS) as image:
                if image.width * image.height > MAX_PIXELS:
                    raise StudioError(f"the picture has more than {MAX_PIXELS} pixels", field=field)
                if enough is not None:
                    _reduce(image, enough)
                # In place: a turned copy would be made even of a picture that is upright.
                ImageOps.exif_transpose(image, in_place=True)
                transfer = hdr.transfer_of(path)
                return _rgb(image) if transfer is None else _tone_mapped(image, transfer)
    except StudioError:
        raise
    except Exception as error:  # Pillow's parsers raise whatever a broken file makes them raise
        raise StudioError(f"the picture cannot be read ({type(error).__name__})", field=field) from error


def _reduce(image: Image.Image, enough: tuple[int, int]) -> None:
    side = max(enough)  # whichever way it will be turned
    cover = max(side / image.width, side / image.height)
    image.draft(None, (max(1, int(image.width * cover)), max(1, int(image.height * cover))))


def save(image: Image.Image, out: Path, told: str, *, packing: Mapping[str, int] = RUNS) -> None:
    """Write a file that says what made it: PNG, JPEG or WebP by its ending. JPEG shows white where nothing is.

    In a PNG, runs of equal bytes are usually all that is looked for: with grain there is little else, and the search
    takes five times as long, half of the time that a painting takes, to save a few per cent. Raises StudioError.
    """
    image = imprint.marked(image)
    if out.suffix == ".jpg":
        _check_side(image, MAX_JPEG_SIDE)
        image = _on_backdrop(image) if image.mode == "RGBA" else image.convert("RGB")
        image.save(out, format="JPEG", quality=QUALITY, subsampling=0, comment=told.encode())
    elif out.suffix == ".webp":
        _check_side(image, MAX_WEBP_SIDE)
        facts = Image.Exif()
        facts[IMAGE_DESCRIPTION] = told
        image.save(out, format="WEBP", quality=QUALITY, method=3, exif=facts)
    else:
        notes = PngInfo()
        notes.add_itxt("Comment", told)
        image.save(out, format="PNG", pnginfo=notes, **packing)


def _check_side(image: Image.Image, most: int) -> None:
    if max(image.size) > most:
        raise StudioError(
            f"{image.width}x{image.height} is more than {most} on a side, the most it can be", field="format"
        )


def fitting(size: tuple[int, int], width: int | None, height: int | None) -> tuple[int, int]:
    """A size of which one side may be open: that follows from the shape of a picture of this size."""
    across, down = size
    wide = width or max(1, round(across * (height or down) / down))
    return wide, height or max(1, round(down * wide / across))


def cover(image: Image.Image, width: int, height: int) -> Image.Image:
    """The picture's middle, resampled to fill exactly this size."""
    if image.size == (width, height):
        return image
    zoom = max(width / image.width, height / image.height)
    across, down = width / zoom, height / zoom
    left, top = (image.width - across) / 2, (image.height - down) / 2
    box = (max(0.0, left), max(0.0, top), min(image.width, left + across), min(image.height, top + down))
    return image.resize((width, height), Image.Resampling.LANCZOS, box=box, reducing_gap=3.0)


def origin(path: Path) -> str:
    """What a file that this renderer wrote says of itself; nothing for any other. Metadata alone is asked, never the
    picture, and anybody can write metadata.
    """
    try:
        with Image.open(path, formats=FORMATS) as image:
            told = image.info.get("Comment") or image.info.get("comment") or image.getexif().get(IMAGE_DESCRIPTION)
    except Exception:  # it was opened before, or will be refused elsewhere
        return ""
    text = told.decode("utf-8", "replace") if isinstance(told, bytes) else str(told or "")
    return " ".join(text.split())[:MAX_TOLD] if text.startswith("mutoscope studio ") else ""


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
        return _on_backdrop(layer, _screen_colours(layer.convert("RGB"), image))
    return _screen_colours(image, image).convert("RGB")


def _on_backdrop(layer: Image.Image, shown: Image.Image | None = None) -> Image.Image:
    """What shows of an RGBA picture on a page; `shown` are its colours where they are not its own."""
    backdrop = Image.new("RGB", layer.size, BACKDROP)
    backdrop.paste(shown or layer.convert("RGB"), mask=layer.getchannel("A"))
    return backdrop


def _tone_mapped(image: Image.Image, transfer: int) -> Image.Image:
    image.info.pop("icc_profile", None)  # it says the same, in a way that cannot be applied here
    return Image.fromarray(hdr.to_sdr(np.asarray(_rgb(image)), transfer))


def _screen_colours(image: Image.Image, source: Image.Image) -> Image.Image:
    """As sRGB where the source carries the profile of another colour space; a broken profile counts as none."""
    profile = source.info.get("icc_profile")
    if not profile or image.mode not in ("RGB", "L", "CMYK"):
        return image
    try:
        mine = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        described = ImageCms.getProfileDescription(mine).strip().lower()
        if "srgb" in described or described == "c2":  # sRGB itself, and its compact form: converting would only round
            return image
        intent = ImageCms.Intent.RELATIVE_COLORIMETRIC
        srgb = ImageCms.createProfile("sRGB")
        flags = ImageCms.Flags.BLACKPOINTCOMPENSATION
        found = ImageCms.profileToProfile(image, mine, srgb, intent, outputMode="RGB", flags=flags)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return image
    return found or image


def _from_deep(image: Image.Image) -> Image.Image:
    """Grey of 16 bits or more: Pillow's own conversion clips at 255 and would make it white."""
    values = np.asarray(image, np.float32)
    top = float(values.max(initial=0.0))
    full = 255.0 if top <= 255 and image.mode != "I;16" else max(65535.0, top)
    return Image.fromarray((values * (255 / full)).clip(0, 255).astype(np.uint8)).convert("RGB")
