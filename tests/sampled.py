"""The wires as those tests see them that try every route: of Freepik's catalogue, a model of each shape.

All of its rows are tried in tests/wires/test_freepik_catalogue.py, in a few loops.
"""

from msgspec.structs import replace

from mutoscope import wires
from mutoscope.model.catalog import Model
from mutoscope.wirekit.routes import Route
from mutoscope.wirekit.wire import Wire
from mutoscope.wires.freepik import api as freepik
from mutoscope.wires.freepik.models import TABLE

SHAPES = (
    "text-to-image/seedream-v4-5",  # a shape by its word
    "text-to-image/nano-banana-pro",  # references, tiers
    "image-to-video/kling-std",  # brief, read elsewhere, masks, a duration as a text
    "video/seedance-2-pro-480p",  # either end, a seed that may be drawn
    "text-to-video/ltx-2-pro",  # frames a second
    "image-expand/ideogram",
    "lip-sync/latent-sync",
    "improve-prompt",  # words
)
SOLD = {path: sold for sold in TABLE for path in sold.paths}
OTHERWISE = ("text-to-icon/", "flows/")
"""What has bodies like no other."""
KEPT = {*SHAPES, *(SOLD[path].reads for path in SHAPES)}
LEFT_OUT = {path for sold in TABLE for path in (*sold.paths, sold.reads)} - KEPT


def is_sampled(route: Route) -> bool:
    at = route.path.removeprefix(freepik.ROOT)
    return at.removesuffix("/{id}") not in LEFT_OUT and not at.startswith(OTHERWISE)


FREEPIK = replace(freepik.WIRE, routes=tuple(filter(is_sampled, freepik.WIRE.routes)))
ALL: tuple[Wire, ...] = tuple(FREEPIK if wire is freepik.WIRE else wire for wire in wires.ALL)
ROWS: tuple[Model, ...] = tuple(each for each in wires.ROWS if not LEFT_OUT.intersection(each.names.get("freepik", ())))
"""The catalog's rows, those of the models that are left out likewise."""
