"""Luma's models."""

from mutoscope.model.catalog import Model, an_image, nominal, row
from mutoscope.model.job import Operation

VIDEO = (
    Operation.IMAGE_TO_VIDEO,
    Operation.TEXT_TO_VIDEO,
    Operation.VIDEO_EXTENSION,
    Operation.VIDEO_TO_VIDEO,
    Operation.VIDEO_UPSCALE,
    Operation.VIDEO_TO_AUDIO,
)
IMAGE = (Operation.TEXT_TO_IMAGE, Operation.IMAGE_TO_IMAGE, Operation.IMAGE_OUTPAINT)
WIDE = {"width": 1280, "height": 720, "seconds": 5.0, "fps": 24}
PICTURE = {"width": 1920, "height": 1080}
PER_PIXEL = "the vendor charges by the pixel; this is its figure for 720p, five seconds"

# fmt: off
ROWS: tuple[Model, ...] = (
    row("ray-2", "luma", *VIDEO, price=nominal(PER_PIXEL, second=14), defaults=WIDE, max_seconds=30,
        names={"luma": ("ray-2",)}),
    row("ray-flash-2", "luma", *VIDEO, price=nominal(PER_PIXEL, second=5), defaults=WIDE, max_seconds=30,
        names={"luma": ("ray-flash-2",)}),
    row("ray-1-6", "luma", *VIDEO, price=nominal(PER_PIXEL, second=7), defaults=WIDE, max_seconds=30,
        names={"luma": ("ray-1-6",)}),
    row("photon-1", "luma", *IMAGE, price=an_image(2), defaults=PICTURE, names={"luma": ("photon-1",)}),
    row("photon-flash-1", "luma", *IMAGE, price=an_image(1), defaults=PICTURE, names={"luma": ("photon-flash-1",)}),
)
# fmt: on
