"""Suno's models, and what its relays do beside: words for a song, joining, taking in a piece."""

from mutoscope.model.catalog import ADVICE, Model, a_job, row
from mutoscope.model.job import Operation
from mutoscope.wires.suno.api import CONCAT, LYRICS, NOTED, UPLOAD, VERSIONS

TWO_TAKES = {"count": 2, "seconds": 60.0}


def named(name: str, *serves: Operation, credits: float, defaults: dict[str, float] | None = None) -> Model:
    return row(
        *(name, "suno", *serves),
        price=a_job(credits),
        defaults=defaults,
        names={"suno": (name,)},
        ignores=ADVICE | NOTED,
    )


ROWS: tuple[Model, ...] = (
    *(
        named(version, Operation.TEXT_TO_MUSIC, Operation.MUSIC_EXTENSION, credits=10, defaults=TWO_TAKES)
        for version in VERSIONS
    ),
    named(LYRICS, Operation.TEXT_TO_TEXT, credits=1),
    named(CONCAT, Operation.MUSIC_JOIN, credits=1),
    named(UPLOAD, Operation.MUSIC_JOIN, credits=1),
)
