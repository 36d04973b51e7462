"""One file per vendor API. A new vendor is one file and one name in the list below."""

from mutoscope.model.catalog import Model
from mutoscope.wirekit.wire import Wire
from mutoscope.wires import runway_reverse, udio
from mutoscope.wires.anthropic import api as anthropic
from mutoscope.wires.anthropic import models as anthropic_models
from mutoscope.wires.dashscope import api as dashscope
from mutoscope.wires.dashscope import models as wan_models
from mutoscope.wires.fal import api as fal
from mutoscope.wires.fal import models as fal_models
from mutoscope.wires.flux import api as flux
from mutoscope.wires.flux import models as flux_models
from mutoscope.wires.freepik import api as freepik
from mutoscope.wires.freepik import catalogue as freepik_models
from mutoscope.wires.ideogram import api as ideogram
from mutoscope.wires.ideogram import models as ideogram_models
from mutoscope.wires.kling import later as kling
from mutoscope.wires.kling import models as kling_models
from mutoscope.wires.luma import api as luma
from mutoscope.wires.luma import models as luma_models
from mutoscope.wires.luma import own as luma_own
from mutoscope.wires.midjourney import api as midjourney
from mutoscope.wires.midjourney import models as midjourney_models
from mutoscope.wires.minimax import api as minimax
from mutoscope.wires.minimax import models as minimax_models
from mutoscope.wires.openai import api as openai
from mutoscope.wires.openai import models as openai_models
from mutoscope.wires.recraft import api as recraft
from mutoscope.wires.recraft import models as recraft_models
from mutoscope.wires.replicate import api as replicate
from mutoscope.wires.replicate import models as replicate_models
from mutoscope.wires.runway import api as runway
from mutoscope.wires.runway import models as runway_models
from mutoscope.wires.runway import reseller
from mutoscope.wires.suno import api as suno
from mutoscope.wires.suno import models as suno_models

ALL: tuple[Wire, ...] = (
    freepik.WIRE,
    dashscope.WIRE,
    luma.WIRE,
    luma_own.WIRE,
    openai.WIRE,
    anthropic.WIRE,
    runway_reverse.WIRE,
    midjourney.WIRE,
    reseller.WIRE,
    runway.WIRE,
    minimax.WIRE,
    replicate.WIRE,
    kling.WIRE,
    suno.WIRE,
    udio.WIRE,
    flux.WIRE,
    ideogram.WIRE,
    recraft.WIRE,
    fal.WIRE,
)
"""Every wire, the narrower path roots first."""

# fmt: off
ROWS: tuple[Model, ...] = (
    *runway_models.ROWS,
    *wan_models.ROWS,
    *luma_models.ROWS,
    *minimax_models.ROWS,
    *runway_reverse.ROWS,
    *midjourney_models.ROWS,
    *replicate_models.ROWS,
    *openai_models.ROWS,
    *anthropic_models.ROWS,
    *kling_models.ROWS,
    *suno_models.ROWS,
    *udio.ROWS,
    *flux_models.ROWS,
    *ideogram_models.ROWS,
    *recraft_models.ROWS,
    *fal_models.ROWS,
    *freepik_models.ROWS,
)
# fmt: on
"""Every vendor's models, for the catalog."""

BY_NAME: dict[str, Wire] = {wire.name: wire for wire in ALL}

DIALECTS: dict[str, dict[str, Wire]] = {"fal": fal.DIALECTS, "runway_reverse": runway_reverse.DIALECTS}
"""The wires of which a server speaks one of several, by `[wires.NAME] dialect`; `ALL` has the usual one."""
