"""Ideogram's models and sizes. The tools that take no model have rows of their own, by words that no caller sends."""

# ruff: noqa: SIM905  (tables of words that a person can read)

from collections.abc import Iterable

from msgspec.structs import replace

from mutoscope.model.catalog import ADVICE, Model, nominal, row
from mutoscope.model.job import Operation

T2I, I2I = Operation.TEXT_TO_IMAGE, Operation.IMAGE_TO_IMAGE
INPAINT, OUTPAINT = Operation.IMAGE_INPAINT, Operation.IMAGE_OUTPAINT

V2 = ("V_2", "V_2_TURBO")
LEGACY = (*V2, "V_1", "V_1_TURBO", "V_2A", "V_2A_TURBO", "V_3", "AUTO")
V3, V4, REMIX_V4 = ("V_3",), ("V_4",), ("REMIX_V4",)
TRANSPARENT, EDIT, UPSCALE = ("TRANSPARENT",), ("EDIT",), ("UPSCALE",)
REMOVE_BACKGROUND, DESCRIBE, DESCRIBE_V4 = ("REMOVE_BACKGROUND",), ("DESCRIBE",), ("DESCRIBE_V4",)

SHAPES: dict[str, tuple[int, int]] = {
    "1x1": (1024, 1024), "16x9": (1312, 736), "9x16": (736, 1312), "4x3": (1152, 864), "3x4": (864, 1152),
    "3x2": (1248, 832), "2x3": (832, 1248), "16x10": (1280, 800), "10x16": (800, 1280), "2x1": (1408, 704),
    "1x2": (704, 1408), "3x1": (1536, 512), "1x3": (512, 1536), "5x4": (1120, 896), "4x5": (896, 1120),
}  # fmt: skip
"""What a ratio comes to in pixels."""
LEGACY_SHAPES = {f"ASPECT_{shape.replace('x', '_')}": size for shape, size in SHAPES.items()
                 if shape not in ("2x1", "1x2", "5x4", "4x5")}  # fmt: skip

SHARED_SIZES = """512x1536 576x1408 576x1472 576x1536 640x1344 640x1408 640x1472 640x1536 704x1152 704x1216 704x1280
704x1344 704x1408 704x1472 736x1312 768x1088 768x1216 768x1280 768x1344 832x960 832x1024 832x1088 832x1152 832x1216
832x1248 864x1152 896x960 896x1024 896x1088 896x1120 896x1152 960x832 960x896 960x1024 960x1088 1024x832 1024x896
1024x960 1024x1024 1088x768 1088x832 1088x896 1088x960 1120x896 1152x704 1152x832 1152x864 1152x896 1216x704 1216x768
1216x832 1248x832 1280x704 1280x768 1280x800 1312x736 1344x640 1344x704 1344x768 1408x576 1408x640 1408x704 1472x576
1472x640 1472x704 1536x512 1536x576 1536x640""".split()
V3_SIZES = (*SHARED_SIZES, "800x1280")
LEGACY_SIZES = (*SHARED_SIZES, "640x1024", "720x1280", "768x1024", "768x1152", "768x1232", "1024x640", "1024x768",
                "1152x768", "1232x768", "1280x720")  # fmt: skip
LARGE_SIZES = """2048x2048 1440x2880 2880x1440 1664x2496 2496x1664 1792x2240 2240x1792 1440x2560 2560x1440 1600x2560
2560x1600 1728x2304 2304x1728 1296x3168 3168x1296 1152x2944 2944x1152 1248x3328 3328x1248 1280x3072 3072x1280""".split()
V4_SIZES = (*LARGE_SIZES, *V3_SIZES, "512x512")
PRESETS = """80S_ILLUSTRATION 90S_NOSTALGIA ABSTRACT_ORGANIC ANALOG_NOSTALGIA ART_BRUT ART_DECO ART_POSTER AURA
AVANT_GARDE BAUHAUS BLUEPRINT BLURRY_MOTION BRIGHT_ART C4D_CARTOON CHILDRENS_BOOK COLLAGE COLORING_BOOK_I
COLORING_BOOK_II CUBISM DARK_AURA DOODLE DOUBLE_EXPOSURE DRAMATIC_CINEMA EDITORIAL EMOTIONAL_MINIMAL ETHEREAL_PARTY
EXPIRED_FILM FLAT_ART FLAT_VECTOR FOREST_REVERIE GEO_MINIMALIST GLASS_PRISM GOLDEN_HOUR GRAFFITI_I GRAFFITI_II
HALFTONE_PRINT HIGH_CONTRAST HIPPIE_ERA ICONIC JAPANDI_FUSION JAZZY LONG_EXPOSURE MAGAZINE_EDITORIAL
MINIMAL_ILLUSTRATION MIXED_MEDIA MONOCHROME NIGHTLIFE OIL_PAINTING OLD_CARTOONS PAINT_GESTURE POP_ART RETRO_ETCHING
RIVIERA_POP SPOTLIGHT_80S STYLIZED_RED SURREAL_COLLAGE TRAVEL_POSTER VINTAGE_GEO VINTAGE_POSTER WATERCOLOR WEIRD
WOODBLOCK_PRINT""".split()

HINTS = frozenset({"magic_prompt", "magic_prompt_version", "rendering_speed", "enable_copyright_detection"})
"""How the vendor goes about it. What changes the picture itself (a style, a palette, codes) is not among them."""
UPSCALING = HINTS | {"prompt", "seed", "resemblance", "detail"}


def sized(large: Iterable[str]) -> dict[str, tuple[int, int]]:
    """The shapes of the large sizes, 16:9 and the like, the first of each."""
    found: dict[str, tuple[int, int]] = {}
    for shape in SHAPES:
        wide, high = map(int, shape.split("x"))
        for size in large:
            width, height = map(int, size.split("x"))
            if width * high == height * wide:
                found.setdefault(f"{wide}:{high}", (width, height))
    return found


USUAL = {shape.replace("x", ":"): size for shape, size in SHAPES.items()}


def ideogram(
    name: str,
    words: tuple[str, ...],
    *serves: Operation,
    cents: float,
    side: int = 1024,
    ignores: frozenset[str] = HINTS,
) -> Model:
    """Relays sell the pictures by OpenAI's path too, by the same words."""
    sizes = {"": USUAL if side == 1024 else sized(LARGE_SIZES)}
    spoken = tuple(word for word in words if word.startswith("V_"))
    names = {"ideogram": words} | ({"openai": spoken} if T2I in serves and spoken else {})
    found = row(name, "ideogram", *serves, price=nominal("the vendor's figures change with the speed", image=cents),
                defaults={"width": side, "height": side}, sizes=sizes, names=names)  # fmt: skip
    return replace(found, ignores=ADVICE | ignores)


# fmt: off
ROWS: tuple[Model, ...] = (
    ideogram("ideogram-v4", V4, T2I, cents=6, side=2048),
    ideogram("ideogram-v4-remix", REMIX_V4, I2I, cents=6, side=2048),
    ideogram("ideogram-v3", (*V3, "AUTO"), T2I, I2I, INPAINT, OUTPAINT, Operation.BACKGROUND_REPLACEMENT,
             Operation.VIRTUAL_TRY_ON, cents=6),
    ideogram("ideogram-v3-transparent", TRANSPARENT, T2I, cents=6),
    ideogram("ideogram-v2", ("V_2",), T2I, I2I, INPAINT, OUTPAINT, cents=8),
    ideogram("ideogram-v2-turbo", ("V_2_TURBO",), T2I, I2I, INPAINT, OUTPAINT, cents=5),
    ideogram("ideogram-v2a", ("V_2A",), T2I, I2I, OUTPAINT, cents=4),
    ideogram("ideogram-v2a-turbo", ("V_2A_TURBO",), T2I, I2I, OUTPAINT, cents=2.5),
    ideogram("ideogram-v1", ("V_1",), T2I, I2I, OUTPAINT, cents=6),
    ideogram("ideogram-v1-turbo", ("V_1_TURBO",), T2I, I2I, OUTPAINT, cents=2),
    ideogram("ideogram-edit", EDIT, I2I, cents=6),
    ideogram("ideogram-upscale", UPSCALE, Operation.IMAGE_UPSCALE, cents=6, ignores=UPSCALING),
    ideogram("ideogram-remove-background", REMOVE_BACKGROUND, Operation.BACKGROUND_REMOVAL, cents=1),
    ideogram("ideogram-describe", DESCRIBE, Operation.IMAGE_TO_TEXT, cents=1, ignores=HINTS | {"describer"}),
    ideogram("ideogram-v4-describe", DESCRIBE_V4, Operation.IMAGE_TO_TEXT, cents=1),
)
# fmt: on
