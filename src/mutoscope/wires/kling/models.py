"""Kling's models. One word names a model for videos and another for pictures: the words of all but plain videos have
the family of their path in front."""

from msgspec.structs import replace

from mutoscope.model.catalog import ADVICE, Model, Price, nominal, row
from mutoscope.model.config import Rates
from mutoscope.model.job import Operation

MADE = (Operation.IMAGE_TO_VIDEO, Operation.TEXT_TO_VIDEO)
EARLY = (*MADE, Operation.VIDEO_EXTENSION)
MOTION = (*MADE, Operation.CHARACTER_PERFORMANCE)
PICTURES = (Operation.TEXT_TO_IMAGE, Operation.IMAGE_TO_IMAGE)
CLIP = {"resolution": "720p", "seconds": 5.0, "fps": 24}
PICTURE = {"resolution": "1k"}
UNIT = 14.0
"""Credits of one of the vendor's units, by its list price of about US$0.14."""
ADVISED = ADVICE | {"cfg_scale", "image_fidelity", "human_fidelity", "mask", "dynamic_masks"}
"""How closely the words and the picture are followed, and the brush: noted where they are not supported."""
SOLD = "the vendor charges units a second; the list price of a unit is about US$0.14"


def a_second(standard: float, professional: float) -> Price:
    """By units for five seconds at 720p, and above."""
    tiers = {"720p": Rates(second=round(standard * UNIT / 5, 2))}
    return nominal(SOLD, second=round(professional * UNIT / 5, 2), tiers=tiers)


def video(word: str, *serves: Operation, price: Price, also: tuple[str, ...] = (), longest: float = 10) -> Model:
    made = row(word, "kling", *(serves or MADE), price=price, defaults=CLIP, max_seconds=longest,
               names={"kling": (word, *also)})  # fmt: skip
    return replace(made, ignores=ADVISED)


def picture(word: str, credits: float) -> Model:
    made = row(f"{word}-image", "kling", *PICTURES, price=nominal(SOLD, image=credits), defaults=PICTURE,
               names={"kling": (f"images/{word}",)})  # fmt: skip
    return replace(made, ignores=ADVISED)


def other(name: str, operation: Operation, *words: str, price: Price) -> Model:
    """What has a path of its own."""
    made = row(name, "kling", operation, price=price, defaults=CLIP if operation in MADE else {}, max_seconds=60,
               names={"kling": words})  # fmt: skip
    return replace(made, ignores=ADVISED)


TRY_ON = ("kolors-virtual-try-on-v1", "kolors-virtual-try-on-v1-5")
# fmt: off
ROWS: tuple[Model, ...] = (
    video("kling-v1", *EARLY, price=a_second(1, 3.5)),
    video("kling-v1-5", *EARLY, price=a_second(2, 3.5)),
    video("kling-v1-6", *EARLY, price=a_second(2, 3.5)),
    video("kling-v2-master", price=a_second(10, 10)),
    video("kling-v2-1", price=a_second(2, 3.5)),
    video("kling-v2-1-master", price=a_second(10, 10)),
    video("kling-v2-5-turbo", price=a_second(1.5, 2.5)),
    video("kling-v2-6", *MOTION, price=a_second(2.5, 5), also=("kling-2.6",), longest=30),
    video("kling-v3", price=a_second(3, 4), also=("kling-3.0",), longest=15),
    video("kling-3.0-turbo", price=a_second(2, 3), longest=15),
    video("kling-3.0-omni", price=a_second(3, 4), longest=15),
    picture("kling-v1", 0.35),
    picture("kling-v1-5", 2.8),
    picture("kling-v2", 1.4),
    picture("kling-v2-new", 2.8),
    picture("kling-v2-1", 1.4),
    picture("kling-v3", 2.8),
    other("kling-v1-6-multi", Operation.IMAGE_TO_VIDEO, "multi/kling-v1-6", price=a_second(2, 3.5)),
    other("kling-lip-sync", Operation.LIP_SYNC, "kling-lip-sync", price=nominal(SOLD, second=1.4)),
    *(other(word, Operation.VIRTUAL_TRY_ON, word, price=nominal(SOLD, image=7)) for word in TRY_ON),
)
# fmt: on
