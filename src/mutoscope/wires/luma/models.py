"""Luma's models, and the camera that they know by words."""

from mutoscope.model.catalog import Model, an_image, nominal, pixels_of, row
from mutoscope.model.job import Operation

MADE = (Operation.IMAGE_TO_VIDEO, Operation.TEXT_TO_VIDEO, Operation.VIDEO_EXTENSION)
VIDEO = (*MADE, Operation.VIDEO_TO_VIDEO, Operation.VIDEO_UPSCALE, Operation.VIDEO_TO_AUDIO)
IMAGE = (Operation.TEXT_TO_IMAGE, Operation.IMAGE_TO_IMAGE, Operation.IMAGE_OUTPAINT)
# fmt: off
CONCEPTS = (
    "truck_left", "pan_right", "pedestal_down", "low_angle", "pedestal_up", "selfie", "pan_left", "roll_right",
    "zoom_in", "over_the_shoulder", "orbit_right", "orbit_left", "static", "tiny_planet", "high_angle", "bolt_cam",
    "dolly_zoom", "overhead", "zoom_out", "handheld", "roll_left", "pov", "aerial_drone", "push_in", "crane_down",
    "truck_right", "tilt_down", "elevator_doors", "tilt_up", "ground_level", "pull_out", "aerial", "crane_up",
    "eye_level",
)
# fmt: on
MOTIONS = tuple(f"camera {each.replace('_', ' ')}" for each in CONCEPTS)
"""As the older list has them: words for the prompt."""

WIDE = {"width": 1280, "height": 720, "seconds": 5.0, "fps": 24}
PICTURE = {"width": 1920, "height": 1080}
SHAPES = ("1:1", "16:9", "9:16", "4:3", "3:4", "21:9", "9:21")
SIZES = {"": {shape: pixels_of(shape, "1080p") or (1920, 1080) for shape in SHAPES}}
PER_PIXEL = "the vendor charges by the pixel; this is its figure for 720p, five seconds"

# fmt: off
ROWS: tuple[Model, ...] = (
    row("ray-2", "luma", *VIDEO, price=nominal(PER_PIXEL, second=14), defaults=WIDE, max_seconds=30,
        names={"luma": ("ray-2",), "luma_own": ("ray-v2",)}),
    row("ray-flash-2", "luma", *VIDEO, price=nominal(PER_PIXEL, second=5), defaults=WIDE, max_seconds=30,
        names={"luma": ("ray-flash-2",)}),
    row("ray-1-6", "luma", *VIDEO, price=nominal(PER_PIXEL, second=7), defaults=WIDE, max_seconds=30,
        names={"luma": ("ray-1-6",), "luma_own": ("ray-v1",)}),
    row("ray-3", "luma", *MADE, price=nominal("counted as ray-2", second=14), defaults=WIDE, max_seconds=30,
        names={"luma_own": ("ray-v3",)}),
    row("photon-1", "luma", *IMAGE, price=an_image(2), defaults=PICTURE, sizes=SIZES,
        names={"luma": ("photon-1",)}),
    row("photon-flash-1", "luma", *IMAGE, price=an_image(1), defaults=PICTURE, sizes=SIZES,
        names={"luma": ("photon-flash-1",)}),
)
# fmt: on
