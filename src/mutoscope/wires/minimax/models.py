"""MiniMax's models."""

from msgspec.structs import replace

from mutoscope.model.catalog import ADVICE, I2V, T2V, Model, Price, an_image, nominal, row
from mutoscope.model.config import Rates
from mutoscope.model.job import Json, Operation

WORDS = {
    "MiniMax-Hailuo-2.3": "hailuo-2.3",
    "MiniMax-Hailuo-2.3-Fast": "hailuo-2.3-fast",
    "MiniMax-Hailuo-02": "hailuo-02",
    "T2V-01": "t2v-01",
    "T2V-01-Director": "t2v-01-director",
    "I2V-01": "i2v-01",
    "I2V-01-Director": "i2v-01-director",
    "I2V-01-live": "i2v-01-live",
    "S2V-01": "s2v-01",
    "video-01": "video-01",  # the first name of T2V-01 and I2V-01, which a client of 2024 always sends
}
"""The vendor's names of the first version's videos → ours."""
TEXT = ("T2V-01", "T2V-01-Director")
FIRST = ("MiniMax-Hailuo-2.3-Fast", "I2V-01", "I2V-01-Director", "I2V-01-live")
"""Those that begin with a picture only."""
FRAMES = ("MiniMax-Hailuo-02",)
"""Those that can end with a given picture."""
OLD = (*TEXT, "I2V-01", "I2V-01-Director", "I2V-01-live", "S2V-01", "video-01")
"""Those of one length and one size, which may not be named."""
H3 = {"MiniMax-H3": "minimax-h3", "MiniMax-H3-Max": "minimax-h3-max"}
SPEECH = (
    *("speech-2.8-hd", "speech-2.8-turbo", "speech-2.6-hd", "speech-2.6-turbo"),
    *("speech-02-hd", "speech-02-turbo"),
)
MUSIC = ("music-2.5", "music-2.0", "music-1.5")

HINTS = ADVICE | {"fast_pretreatment"}
TONE = ADVICE | {"vol", "pitch", "emotion", "language_boost", "audio_setting"}
PER_CLIP = "the vendor charges by the clip; a figure to count with"
REPORTED = "USD 0.08 a second at 768P and 0.13 at 2K, as third parties report"


def video(word: str) -> Model:
    makes = (T2V,) if word in (*TEXT, "S2V-01") else (I2V,) if word in FIRST else (I2V, T2V)
    usual: Json = {"resolution": "720p" if word in OLD else "768p", "seconds": 6.0, "fps": 24}
    price = nominal(PER_CLIP, second=5)
    made = row(WORDS[word], "minimax", *makes, price=price, defaults=usual, max_seconds=10, names={"minimax": (word,)})
    return replace(made, ignores=HINTS)


def h3(word: str) -> Model:
    price = Price(second=13, tiers={"768p": Rates(second=8)}, note=REPORTED)
    usual: Json = {"resolution": "768p", "seconds": 5.0, "fps": 24}
    makes = (I2V, T2V, Operation.VIDEO_UPSCALE)
    return row(H3[word], "minimax", *makes, price=price, defaults=usual, max_seconds=15, names={"minimax": (word,)})


def spoken(word: str) -> Model:
    made = row(word, "minimax", Operation.TEXT_TO_SPEECH, price=nominal(character=0.01), names={"minimax": (word,)})
    return replace(made, ignores=TONE)


def played(word: str) -> Model:
    made = row(word, "minimax", Operation.TEXT_TO_MUSIC, price=nominal(job=3), names={"minimax": (word,)})
    return replace(made, ignores=TONE)


ROWS: tuple[Model, ...] = (
    *map(video, WORDS),
    *map(h3, H3),
    row(
        "image-01",
        "minimax",
        Operation.TEXT_TO_IMAGE,
        price=an_image(1),
        defaults={"width": 1024, "height": 1024},
        names={"minimax": ("image-01",)},
    ),
    *map(spoken, SPEECH),
    *map(played, MUSIC),
)
