"""Models that clients call by the vendor's word: those with a row of their own, and a guess at what any other makes."""

import re
from collections.abc import Mapping
from typing import Any, cast

from msgspec import Struct
from msgspec.structs import replace

from mutoscope.model.catalog import ADVICE, Model, Price, row
from mutoscope.model.job import Json, Operation, Role
from mutoscope.wirekit.fields import AnyField

Makes = Mapping[Role | None, Operation]
"""See `Endpoint.makes`."""


class KnownModel(Struct, frozen=True, kw_only=True):
    """A model with a body of its own."""

    word: str  # owner/name
    about: str
    input: type[Struct]
    fields: Mapping[str, AnyField]
    makes: Makes
    price: Price
    defaults: Json
    max_seconds: float | None = None


def row_of(known: KnownModel, vendor: str, *, knobs: tuple[str, ...], versions: tuple[str, ...] = ()) -> Model:
    """Its row in the catalog. `knobs`: members that an engine without them goes on without, and says so."""
    plain = row(known.word, vendor, *known.makes.values(), price=known.price, defaults=known.defaults,
                max_seconds=known.max_seconds, names={vendor: (*versions, known.word)})  # fmt: skip
    return replace(plain, ignores=ADVICE | set(knobs))


CLIP_NAME = re.compile("video|i2v|t2v|motion|animate|kling|veo|hailuo|seedance|sora|(?<![a-z])wan(?![a-z])")


def makes_clips(word: str, said: Any, telling: frozenset[str]) -> bool:
    """Whether a model that is not known makes clips: by the members of its input that tell so, else by its name."""
    asked = isinstance(said, dict) and telling.intersection(cast("Json", said))
    return bool(asked) or CLIP_NAME.search(word.lower()) is not None
