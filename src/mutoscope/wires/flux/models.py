"""The models of Black Forest Labs: each has a path of its own, which is its name."""

from collections.abc import Mapping

from msgspec.structs import replace

from mutoscope.model.catalog import ADVICE, Model, nominal, row
from mutoscope.model.job import Operation

T2I, I2I = Operation.TEXT_TO_IMAGE, Operation.IMAGE_TO_IMAGE
INPAINT, OUTPAINT, TRY_ON = Operation.IMAGE_INPAINT, Operation.IMAGE_OUTPAINT, Operation.VIRTUAL_TRY_ON

SHAPES = ("21:9", "2:1", "16:9", "3:2", "7:5", "4:3", "5:4", "1:1", "4:5", "3:4", "5:7", "2:3", "9:16", "1:2", "9:21")
HINTS = frozenset({"safety_tolerance", "steps", "guidance", "interval", "raw", "image_prompt_strength"})
"""What the vendor's SDK sends with every request, its defaults too: an engine without them says so in a note."""


TRAINING = frozenset({"finetune_comment", "mode", "trigger_word", "iterations", "learning_rate", "captioning",
                      "priority", "finetune_type", "lora_rank"})  # fmt: skip
"""What steers a training: the renderer takes the pictures' palette and tone, and says that it does no more."""


def sizes_of(megapixels: float) -> Mapping[str, Mapping[str, tuple[int, int]]]:
    """Each shape at an area, both sides multiples of 16."""
    sizes: dict[str, tuple[int, int]] = {}
    for shape in SHAPES:
        width, _, height = shape.partition(":")
        side = (megapixels * 2**20 / (int(width) * int(height))) ** 0.5
        sizes[shape] = (16 * round(int(width) * side / 16), 16 * round(int(height) * side / 16))
    return {"": sizes}


def flux(
    name: str,
    *serves: Operation,
    cents: float,
    size: tuple[int, int] = (1024, 1024),
    megapixels: float = 1,
    spoken: tuple[str, ...] = (),
    format: str = "jpeg",
) -> Model:
    """`spoken`: other names, by which relays sell it at OpenAI's path of pictures."""
    names = {"flux": (name,)} | ({"openai": (name, *spoken)} if T2I in serves else {})
    defaults = {"width": size[0], "height": size[1], "format": format}
    found = row(name, "flux", *serves, price=nominal("the vendor's figures change with the size", image=cents),
                defaults=defaults, sizes=sizes_of(megapixels), names=names)  # fmt: skip
    return replace(found, ignores=ADVICE | HINTS)


# fmt: off
PICTURES: tuple[Model, ...] = (
    flux("flux-pro-1.1", T2I, I2I, cents=4, size=(1024, 768), spoken=("black-forest-labs/flux-pro-1.1",)),
    flux("flux-dev", T2I, I2I, cents=2.5, size=(1024, 768), spoken=("flux", "flux-schnell")),
    flux("flux-pro", T2I, I2I, cents=5, size=(1024, 768), spoken=("black-forest-labs/flux-pro",)),
    flux("flux-pro-1.1-ultra", T2I, I2I, cents=6, size=(2736, 1536), megapixels=4),
    flux("flux-pro-1.0-fill", INPAINT, cents=5),
    flux("flux-pro-1.0-expand", OUTPAINT, cents=5),
    flux("flux-pro-1.0-canny", I2I, cents=5),
    flux("flux-pro-1.0-depth", I2I, cents=5),
    flux("flux-kontext-pro", T2I, I2I, cents=4, format="png"),
    flux("flux-kontext-max", T2I, I2I, cents=8, format="png"),
    flux("flux-2-pro", T2I, I2I, cents=3),
    flux("flux-2-pro-preview", T2I, I2I, cents=3),
    flux("flux-2-max", T2I, I2I, cents=7),
    flux("flux-2-flex", T2I, I2I, cents=6),
    flux("flux-2-klein-4b", T2I, I2I, cents=1.4),
    flux("flux-2-klein-9b", T2I, I2I, cents=1.5),
    flux("flux-2-klein-9b-preview", T2I, I2I, cents=1.5),
    flux("flux-tools/outpainting-v1", OUTPAINT, cents=5, format="png"),
    flux("flux-2-flex-outpainting", OUTPAINT, cents=5, format="png"),
    flux("flux-tools/erase-v1", INPAINT, cents=5, format="png"),
    flux("flux-tools/deblur-v1", I2I, cents=5, format="png"),
    flux("flux-tools/vto-v1", TRY_ON, cents=5),
    flux("flux-tools/vto-v2", TRY_ON, cents=5),
    flux("flux-3-image", T2I, I2I, cents=5),
    flux("flux-pro-finetuned", T2I, I2I, cents=6, size=(1024, 768)),
    flux("flux-pro-1.1-ultra-finetuned", T2I, I2I, cents=7, size=(2736, 1536), megapixels=4),
    flux("flux-pro-1.0-fill-finetuned", INPAINT, cents=6),
    flux("flux-pro-1.0-canny-finetuned", I2I, cents=6),
    flux("flux-pro-1.0-depth-finetuned", I2I, cents=6),
)
ROWS: tuple[Model, ...] = (
    *PICTURES,
    row("flux-3-video", "flux", Operation.TEXT_TO_VIDEO, Operation.IMAGE_TO_VIDEO, Operation.VIDEO_TO_VIDEO,
        price=nominal(second=10), defaults={"width": 1280, "height": 720, "seconds": 5.0}, max_seconds=20,
        names={"flux": ("flux-3-video",)}),
    row("flux-finetune", "flux", Operation.FINETUNE, price=nominal(job=200), names={"flux": ("flux-finetune",)},
        ignores=TRAINING),
)
# fmt: on
