"""Midjourney's models, as the proxy calls them: by the bot that is asked."""

from msgspec.structs import replace

from mutoscope.model.catalog import ADVICE, Model, a_job, row
from mutoscope.model.job import Operation

MADE = (
    Operation.TEXT_TO_IMAGE,
    Operation.IMAGE_TO_IMAGE,
    Operation.IMAGE_BLEND,
    Operation.IMAGE_INPAINT,
    Operation.IMAGE_OUTPAINT,
    Operation.IMAGE_UPSCALE,
    Operation.IMAGE_TO_TEXT,
    Operation.TEXT_TO_TEXT,
)
SQUARE = {"width": 1024, "height": 1024}
HINTS = frozenset({"flags", "mode", "language"})
"""What only the vendor understands: `--v 7`, how fast it is made, the language of a description."""


def bot(name: str, *words: str) -> Model:
    made = row(name, "midjourney", *MADE, price=a_job(4), defaults=SQUARE, names={"midjourney": words})
    return replace(made, ignores=ADVICE | HINTS)


ROWS: tuple[Model, ...] = (bot("midjourney", "MID_JOURNEY", "mj"), bot("niji", "NIJI_JOURNEY", "niji"))
