"""Recraft's models, a row for each; what is done to pictures without one has rows of its own."""

from collections.abc import Mapping

from msgspec.structs import replace

from mutoscope.model.catalog import ADVICE, Model, Price, nominal, row
from mutoscope.model.job import Operation

Sizes = Mapping[str, tuple[int, int]]


def sized(*pairs: tuple[str, tuple[int, int]]) -> Sizes:
    """Each shape and the same one upright."""
    return dict(pairs) | {":".join(reversed(shape.split(":"))): (size[1], size[0]) for shape, size in pairs}


# fmt: off
OLDER = sized(("1:1", (1024, 1024)), ("2:1", (2048, 1024)), ("3:2", (1536, 1024)), ("4:3", (1365, 1024)),
              ("5:4", (1280, 1024)), ("10:6", (1707, 1024)), ("14:10", (1434, 1024)), ("16:9", (1820, 1024)))
FOURTH = {**sized(("1:1", (1024, 1024)), ("2:1", (1536, 768)), ("3:2", (1280, 832)), ("4:3", (1216, 896)),
                  ("5:4", (1152, 896)), ("14:10", (1280, 896)), ("16:9", (1344, 768))), "6:10": (832, 1344)}
# fmt: on
PRO: Sizes = {shape: (2 * width, 2 * height) for shape, (width, height) in FOURTH.items()}
"""The vendor's sizes, by the family of the model."""

OLD = ("recraftv3", "recraftv2")
OTHER_NAMES = {"recraftv2": ("recraft20b",), "recraftv3_vector": ("recraftv3_svg",)}
USUAL, USUAL_STYLED = "recraftv4_1", "recraftv4_styles"
T2I, I2I = Operation.TEXT_TO_IMAGE, Operation.IMAGE_TO_IMAGE
DRAWN = (T2I, I2I, Operation.IMAGE_INPAINT, Operation.IMAGE_OUTPAINT, Operation.BACKGROUND_REPLACEMENT)
HINTS = frozenset(
    {"model", "match", "style", "substyle", "style_match", "creativity", "block_nsfw", "calculate_features", "expire"}
)
"""Tastes and filters: where an engine does not support them, the job says so."""

WORDS: dict[str, float] = {
    "recraftv3": 4,
    "recraftv3_vector": 8,
    "recraftv2": 2.2,
    "recraftv2_vector": 4.4,
    "recraftv4": 4,
    "recraftv4_vector": 8,
    "recraftv4_pro": 25,
    "recraftv4_pro_vector": 30,
    "recraftv4_1": 3.5,
    "recraftv4_1_vector": 8,
    "recraftv4_1_pro": 21,
    "recraftv4_1_pro_vector": 30,
    "recraftv4_1_utility": 3.5,
    "recraftv4_1_utility_pro": 21,
    "recraftv4_1_flash": 3.5,
    "refm1": 4,
}
"""The vendor's words, with credits for a picture: a tenth of its API units."""
STYLED: dict[str, float] = {
    "recraftv4_styles": 4,
    "recraftv4_styles_vector": 8,
    "recraftv4_styles_pro": 25,
    "recraftv4_styles_pro_vector": 30,
}


def sizes_of(word: str) -> Sizes:
    if word.startswith(("recraftv2", "recraftv3", "recraft20b")):
        return OLDER
    return PRO if "_pro" in word else FOURTH


def drawing(word: str, credits: float, *serves: Operation) -> Model:
    width, height = sizes_of(word)["1:1"]
    made = row(word, "recraft", *serves, price=nominal(image=credits), defaults={"width": width, "height": height},
               sizes={"": sizes_of(word)}, names={"recraft": (word, *OTHER_NAMES.get(word, ()))})  # fmt: skip
    return replace(made, ignores=ADVICE | HINTS)


def tool(name: str, operation: Operation, price: Price, *words: str) -> Model:
    """`words`: those that the wire calls it by, where it takes the name of a model too."""
    made = row(name, "recraft", operation, price=price, names={"recraft": words or (name,)})
    return replace(made, ignores=ADVICE | HINTS)


def with_models(family: str) -> tuple[str, ...]:
    return tuple(family + each for word in WORDS for each in (word, *OTHER_NAMES.get(word, ())))


VARIATE, BACKGROUND, ERASE = "variate/", "background/", "recraft-erase"
ROWS: tuple[Model, ...] = (
    *(drawing(word, credits, *DRAWN) for word, credits in WORDS.items()),
    *(drawing(word, credits, I2I) for word, credits in STYLED.items()),
    replace(
        tool("recraft-variate", I2I, nominal(image=4), *with_models(VARIATE)), defaults={"width": 1024, "height": 1024}
    ),
    tool("recraft-background", Operation.IMAGE_INPAINT, nominal(image=4), *with_models(BACKGROUND)),
    tool(ERASE, Operation.IMAGE_INPAINT, nominal(image=0.2)),
    tool("recraft-vectorize", Operation.VECTORIZATION, nominal(image=1)),
    tool("recraft-remove-background", Operation.BACKGROUND_REMOVAL, nominal(image=1)),
    tool("recraft-crisp-upscale", Operation.IMAGE_UPSCALE, nominal(image=0.4)),
    tool("recraft-creative-upscale", Operation.IMAGE_UPSCALE, nominal(image=25)),
    tool("recraft-describe", Operation.IMAGE_TO_TEXT, nominal(job=0.1)),
    tool("recraft-style", Operation.FINETUNE, nominal(job=4)),
)
