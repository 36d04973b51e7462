"""The bodies of Ideogram's creates, with the vendor's bounds, and what their members say."""

from collections.abc import Callable, Collection, Iterator, Mapping
from functools import partial
from typing import Annotated, Any, Literal

from msgspec import Meta

from mutoscope.model.job import Generation, Json, MediaLimits, Role
from mutoscope.model.problem import Flaw, Rule, custom_flaw
from mutoscope.wirekit import members
from mutoscope.wirekit.back import Way
from mutoscope.wirekit.fields import AnyField, Field, FileField, alias, extra, extras, same, sized, unless
from mutoscope.wirekit.media import LinkOrData as Picture
from mutoscope.wirekit.members import many, number, text, whole, word
from mutoscope.wirekit.paths import at
from mutoscope.wires.ideogram.models import LEGACY_SHAPES, LEGACY_SIZES, PRESETS, SHAPES, V2, V3_SIZES, V4_SIZES


def closed(words: Collection[str], prefix: str = "") -> Any:
    """A closed list that is too long for its choices to be told one by one."""
    return word(f"{prefix}({'|'.join(words)})", prefix + next(iter(words)))


# fmt: off
TYPES: Json = {
    **dict.fromkeys(("image", "image_file", "mask"), Picture),
    **dict.fromkeys(("character_reference_images", "character_reference_images_mask"), many(Picture, 1)),
    **dict.fromkeys(("images", "image_urls"), many(Picture, 10, 1)),
    **dict.fromkeys(("magic_prompt", "magic_prompt_option"), Literal["AUTO", "ON", "OFF"]),
    **dict.fromkeys(("image_weight", "resemblance", "detail"), whole(1, 100)),
    **dict.fromkeys(("enable_copyright_detection", "transparent_background"), bool),
    **dict.fromkeys(("prompt", "text_prompt"), text()),
    "seed": whole(0, 2147483647),
    "num_images": whole(1, 8),
    "color_hex": word("#([0-9a-fA-F]{3}){1,2}"),
    "color_weight": number(0.05, 1),
    "style_preset": closed(PRESETS),
    "style_codes": list[word("[0-9a-fA-F]{8}")],
    "style_type": Literal["AUTO", "GENERAL", "REALISTIC", "DESIGN", "CUSTOM", "FICTION", "STYLIZED"],
    "style_reference_images": list[Picture],
    "product_reference_images": many(Picture, 1, 1),
    "rendering_speed": Literal["FLASH", "TURBO", "BALANCED", "DEFAULT", "QUALITY"],
    "resolution": closed(V3_SIZES),
    "aspect_ratio": closed(SHAPES),
    "upscale_factor": Literal["X1", "X2", "X4"],
    "custom_model_uri": word("model/[^/]+/version/[^/]+"),
    "json_prompt": dict[str, Any],
}
body = partial(members.body, TYPES, __name__)
Member = body("Member", "color_hex! color_weight")
TYPES["color_palette"] = body(
    "Palette", "name members", members=many(Member, 8, 1),
    name=Literal["EMBER", "FRESH", "JUNGLE", "MAGIC", "MELON", "MOSAIC", "PASTEL", "ULTRAMARINE"])
older = partial(members.body, TYPES | {
    "aspect_ratio": closed(LEGACY_SHAPES),
    "resolution": closed([size.replace("x", "_") for size in LEGACY_SIZES], "RESOLUTION_"),
    "model": Literal["V_2", "V_2_TURBO", "V_1", "V_1_TURBO", "V_2A", "V_2A_TURBO", "V_3", "AUTO"],
    "magic_prompt_version": Literal["V_0", "V_0_1", "V_0_2", "V_0_3", "V_0_4", "V_0_5", "V_0_6", "V_0_7", "V_0_8"],
    "style_type": Literal["AUTO", "GENERAL", "FICTION", "REALISTIC", "DESIGN", "RENDER_3D", "ANIME", "CUSTOM",
                          "STYLIZED"],
    "describe_model_version": Literal["V_2", "V_3", "CUSTOM"],
}, __name__)

REQUEST = ("prompt! aspect_ratio resolution model magic_prompt_option magic_prompt_version seed style_type "
           "negative_prompt num_images color_palette")
Request, RemixRequest = older("Request", REQUEST), older("RemixRequest", f"{REQUEST} image_weight")
UpscaleRequest = older(
    "UpscaleRequest", "prompt resemblance detail magic_prompt_option magic_prompt_version num_images seed", prompt=str)
Generate = older("Generate", "image_request!", image_request=Request)
Remix = older("Remix", "image_request! image_file!", image_request=RemixRequest)
Upscale = older("Upscale", "image_request! image_file!", image_request=UpscaleRequest)
Edit = older("Edit", "image_file! mask! prompt! model! magic_prompt_option num_images seed style_type",
             model=Literal["V_2", "V_2_TURBO"])
Reframe = older("Reframe", "image_file! resolution! model! num_images seed style_type")
Describe = older("Describe", "image_file! describe_model_version")

DRAWN = "seed rendering_speed num_images model"  # relays' clients name the model that the path means
STYLED = f"{DRAWN} style_preset color_palette style_codes style_reference_images"
WORDED = f"{STYLED} prompt! magic_prompt style_type custom_model_uri character_reference_images"
GENERATE = f"{WORDED} resolution aspect_ratio negative_prompt character_reference_images_mask"
GENERATE4 = ("text_prompt json_prompt prompt magic_prompt_option resolution rendering_speed enable_copyright_detection "
             "custom_model_uri seed num_images")
fourth = partial(members.body, TYPES | {"resolution": closed((*V4_SIZES, "1024x1024")),
                                        "rendering_speed": Literal["TURBO", "DEFAULT", "QUALITY"]}, __name__)
Generate3, Remix3 = body("Generate3", GENERATE), body("Remix3", f"{GENERATE} image! image_weight")
Edit3 = body("Edit3", f"{WORDED} image! mask!")
Reframe3 = body("Reframe3", f"{STYLED} image! resolution!")
Replace3 = body("Replace3", f"{STYLED} image! prompt! magic_prompt")
Transparent3 = body("Transparent3", f"{DRAWN} prompt! upscale_factor aspect_ratio magic_prompt negative_prompt "
                    "custom_model_uri")
TryOn3 = body("TryOn3", f"{DRAWN} image! product_reference_images! prompt", prompt=str)
Generate4 = fourth("Generate4", GENERATE4, "`prompt` and `magic_prompt_option` are those of an older version.")
Remix4 = fourth("Remix4", f"{GENERATE4} image! image_weight")
EditAny = body("EditAny", "prompt! images image_urls num_images seed magic_prompt resolution aspect_ratio "
               "transparent_background")
OnePicture = body("OnePicture", "image!")
# fmt: on


def exactly_one(body: Any, *names: str, **example: Any) -> Any:
    """The body, published with the members of which there is to be one; the rule itself is read with the body."""
    needed = {"oneOf": [{"required": [name]} for name in names]}
    return Annotated[body, Meta(examples=[example], extra_json_schema=needed)]


# -- what they say -----------------------------------------------------------------------------


def size(prefix: str = "", between: str = "x", but: Mapping[str, tuple[int, int]] | None = None) -> Field:
    """Width and height as one word; those that are `but` ratios are said as such."""

    def read(word: str) -> Json:
        return dict(zip(("width", "height"), map(int, word.removeprefix(prefix).split(between)), strict=True))

    def write(wish: Generation) -> str | None:
        asked = (wish.width, wish.height)
        return None if None in asked or asked in (but or {}).values() else f"{prefix}{asked[0]}{between}{asked[1]}"

    return Field(ours=("width", "height"), read=read, write=write)


def ratio(sizes: Mapping[str, tuple[int, int]]) -> Field:
    """A ratio that stands for a size; any other size is another member's to say."""

    def write(wish: Generation) -> str | None:
        return next((word for word, pair in sizes.items() if pair == (wish.width, wish.height)), None)

    return Field(ours=("width", "height"), read=sized("ratio", sizes).read, write=write)


TRANSPARENT = Field(
    ours=("background",),
    read=lambda _: {"extra": {"background": "transparent"}},
    write=lambda wish: True if wish.extra.get("background") == "transparent" else None,
)


WEIGHT = Field(
    ours=("strength",),
    read=lambda said: {"extra": {"strength": round(1 - said / 100, 2)}},
    write=lambda wish: None if wish.extra.get("strength") is None else 100 - round(wish.extra["strength"] * 100) or 1,
)
"""How much of the picture stays, from 1 to 100; ours is how much it changes."""

PICTURE = MediaLimits(types=("image/jpeg", "image/png", "image/webp"), max_bytes=25 * 1024 * 1024)


def file(role: Role, *, many: bool = False) -> FileField:
    """The vendor takes the file itself, in a form. In front a link is read as well, as resellers have it."""
    return FileField(role=role, ways=(Way.DATA,), limits=PICTURE, many=many)


COMMON: dict[str, AnyField] = {
    "prompt": same("prompt"),
    "negative_prompt": same("negative_prompt"),
    "seed": same("seed"),
    "num_images": unless(1, same("count")),  # which is what there is anyway, also of what there is one only
    "magic_prompt_option": extra("magic_prompt"),
    **extras("magic_prompt_version style_type color_palette resemblance detail"),
    "image_weight": WEIGHT,
    "aspect_ratio": ratio(LEGACY_SHAPES),
    "resolution": size("RESOLUTION_", "_", LEGACY_SHAPES),
}
LEGACY: dict[str, AnyField] = {
    **{f"image_request.{name}": field for name, field in COMMON.items()},
    **COMMON,
    "image_file": file(Role.IMAGE),
    "mask": file(Role.MASK),
    "resolution": size("RESOLUTION_", "_"),
    "describe_model_version": extra("describer"),
}
LATER: dict[str, AnyField] = COMMON | {
    "aspect_ratio": alias(ratio(SHAPES)),
    "resolution": size(),
    **extras("magic_prompt rendering_speed style_preset style_codes custom_model_uri"),
    "image": file(Role.IMAGE),
    "mask": file(Role.MASK),
    "style_reference_images": file(Role.REFERENCE, many=True),
    "product_reference_images": file(Role.REFERENCE, many=True),
    "character_reference_images": file(Role.CHARACTER, many=True),
    "character_reference_images_mask": file(Role.MASK, many=True),
    "upscale_factor": unless("X1", extra("upscale_factor")),
    "images": file(Role.IMAGE, many=True),
    "image_urls": alias(file(Role.IMAGE, many=True)),
    "transparent_background": unless(False, TRANSPARENT),
}
ONLY_SHAPES: dict[str, AnyField] = LATER | {"aspect_ratio": sized("ratio", SHAPES)}
"""Of a path that has no resolution."""
FOURTH: dict[str, AnyField] = LATER | {
    "text_prompt": same("prompt"),
    "prompt": alias(same("prompt")),
    **extras("json_prompt enable_copyright_detection"),
}

# -- other forms, and what is wrong between members ----------------------------------------------


def plainly(said: Json) -> Json:
    """Codes with commas between them, and colours by other names, as some clients send them."""
    codes: list[Any] = at(said, "style_codes.*")
    if codes and all(isinstance(each, str) for each in codes):
        said |= {"style_codes": [code.strip() for each in codes for code in each.split(",")]}
    for palette in (at(said, "color_palette"), at(said, "image_request.color_palette")):
        members: list[Json] = [each for each in at(palette, "members.*") if isinstance(each, dict)]
        for each in members:
            for name in {"color", "weight"} & set(each):
                each.setdefault("color_hex" if name == "color" else "color_weight", each.pop(name))
    return said


STYLES: dict[str, Callable[[str], bool]] = {
    "style_type": lambda model: not model.startswith("V_1"),
    "negative_prompt": lambda model: model.startswith(("V_1", "V_2")) and not model.startswith("V_2A"),
    "color_palette": lambda model: not model.startswith(("V_1", "V_2A")),
    "resolution": lambda model: model in V2,
}
"""Of the legacy models, which take it."""


def legacy_flaws(said: Json) -> Iterator[Flaw]:
    asked: Json = said.get("image_request") or {}
    model = asked.get("model") or "V_2"
    for name, takes in STYLES.items():
        if asked.get(name) and not takes(model):
            yield custom_flaw(("image_request", name), f"is not taken by {model}")
    yield from (Flaw(path=("image_request", *flaw.path), rule=flaw.rule, message=flaw.message) for flaw in both(asked))


def both(said: Json) -> Iterator[Flaw]:
    """What stands against each other anywhere."""
    if said.get("resolution") and said.get("aspect_ratio"):
        yield custom_flaw(("resolution",), "stands against aspect_ratio: one of them")
    if at(said, "color_palette.name") and at(said, "color_palette.members"):
        yield custom_flaw(("color_palette",), "has a name and members: one of them")


def later_flaws(said: Json) -> Iterator[Flaw]:
    yield from both(said)
    for other in ("style_reference_images", "style_type"):
        if said.get("style_codes") and said.get(other):
            yield custom_flaw(("style_codes",), f"stands against {other}")
    if said.get("style_reference_images") and said.get("style_type") not in (None, "AUTO", "GENERAL"):
        yield custom_flaw(("style_type",), "should be AUTO or GENERAL beside style_reference_images")
    masks, faces = (len(said.get(f"character_reference_images{each}") or ()) for each in ("_mask", ""))
    if masks and masks != faces:
        yield custom_flaw(("character_reference_images_mask",), "should be as many as character_reference_images")


def fourth_flaws(said: Json) -> Iterator[Flaw]:
    given = [name for name in ("text_prompt", "prompt", "json_prompt") if said.get(name)]
    if not given:
        yield Flaw(path=("text_prompt",), rule=Rule.REQUIRED, bound="string")
    elif len(given) > 1:
        yield custom_flaw((given[1],), f"stands against {given[0]}: one of them")


def any_flaws(said: Json) -> Iterator[Flaw]:
    yield from both(said)
    if said.get("images") and said.get("image_urls"):
        yield custom_flaw(("image_urls",), "stands against images: one of them")
