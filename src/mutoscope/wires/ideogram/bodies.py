"""The bodies of Ideogram's creates, with the vendor's bounds, and what their members say."""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from mutoscope.model.job import Generation, Json, MediaLimits, Role
from mutoscope.model.problem import Flaw, Rule, custom_flaw
from mutoscope.wirekit.back import Way
from mutoscope.wirekit.fields import AnyField, Field, FileField, alias, extra, same, sized, unless
from mutoscope.wirekit.media import LinkOrData as Picture
from mutoscope.wirekit.paths import at
from mutoscope.wires.ideogram.models import LEGACY_SHAPES, LEGACY_SIZES, PRESETS, SHAPES, V2, V3_SIZES, V4_SIZES


def closed(words: Collection[str], prefix: str = "") -> Meta:
    """A closed list that is too long for its choices to be told one by one."""
    return Meta(pattern=f"^{prefix}({'|'.join(words)})$", examples=[prefix + next(iter(words))])


Seed = Annotated[int, Meta(ge=0, le=2147483647)]
Count = Annotated[int, Meta(ge=1, le=8)]
Share = Annotated[int, Meta(ge=1, le=100)]
Prompt = Annotated[str, Meta(min_length=1)]
Magic = Literal["AUTO", "ON", "OFF"]
MagicVersion = Literal["V_0", "V_0_1", "V_0_2", "V_0_3", "V_0_4", "V_0_5", "V_0_6", "V_0_7", "V_0_8"]
Colour = Annotated[str, Meta(pattern="^#([0-9a-fA-F]{3}){1,2}$")]
Weight = Annotated[float, Meta(ge=0.05, le=1)]
Hex = Annotated[str, Meta(pattern="^[0-9a-fA-F]{8}$")]


class Member(Struct, kw_only=True):
    color_hex: Colour
    color_weight: Weight | None = None


class Palette(Struct, kw_only=True):
    name: Literal["EMBER", "FRESH", "JUNGLE", "MAGIC", "MELON", "MOSAIC", "PASTEL", "ULTRAMARINE"] | None = None
    members: Annotated[list[Member], Meta(min_length=1, max_length=8)] | None = None


# -- legacy --------------------------------------------------------------------------------

LegacyStyle = Literal["AUTO", "GENERAL", "FICTION", "REALISTIC", "DESIGN", "RENDER_3D", "ANIME", "CUSTOM", "STYLIZED"]
LegacyModel = Literal["V_2", "V_2_TURBO", "V_1", "V_1_TURBO", "V_2A", "V_2A_TURBO", "V_3", "AUTO"]
LegacySize = Annotated[str, closed([size.replace("x", "_") for size in LEGACY_SIZES], "RESOLUTION_")]


class Request(Struct, kw_only=True):
    prompt: Prompt
    aspect_ratio: Annotated[str, closed(LEGACY_SHAPES)] | None = None
    resolution: LegacySize | None = None
    model: LegacyModel | None = None
    magic_prompt_option: Magic | None = None
    magic_prompt_version: MagicVersion | None = None
    seed: Seed | None = None
    style_type: LegacyStyle | None = None
    negative_prompt: str | None = None
    num_images: Count | None = None
    color_palette: Palette | None = None


class Generate(Struct, kw_only=True):
    image_request: Request


class RemixRequest(Request, kw_only=True):
    image_weight: Share | None = None


class Remix(Struct, kw_only=True):
    image_request: RemixRequest
    image_file: Picture


class UpscaleRequest(Struct, kw_only=True):
    prompt: str | None = None
    resemblance: Share | None = None
    detail: Share | None = None
    magic_prompt_option: Magic | None = None
    magic_prompt_version: MagicVersion | None = None
    num_images: Count | None = None
    seed: Seed | None = None


class Upscale(Struct, kw_only=True):
    image_request: UpscaleRequest
    image_file: Picture


class Edit(Struct, kw_only=True):
    image_file: Picture
    mask: Picture
    prompt: Prompt
    model: Literal["V_2", "V_2_TURBO"]
    magic_prompt_option: Magic | None = None
    num_images: Count | None = None
    seed: Seed | None = None
    style_type: LegacyStyle | None = None


class Reframe(Struct, kw_only=True):
    image_file: Picture
    resolution: LegacySize
    model: LegacyModel
    num_images: Count | None = None
    seed: Seed | None = None
    style_type: LegacyStyle | None = None


class Describe(Struct, kw_only=True):
    image_file: Picture
    describe_model_version: Literal["V_2", "V_3", "CUSTOM"] | None = None


# -- v3 and later ----------------------------------------------------------------------------

Speed = Literal["FLASH", "TURBO", "BALANCED", "DEFAULT", "QUALITY"]
Style = Literal["AUTO", "GENERAL", "REALISTIC", "DESIGN", "CUSTOM", "FICTION", "STYLIZED"]
Size = Annotated[str, closed(V3_SIZES)]
Shape = Annotated[str, closed(SHAPES)]
Own = Annotated[str, Meta(pattern="^model/[^/]+/version/[^/]+$")]


class Drawn(Struct, kw_only=True):
    seed: Seed | None = None
    rendering_speed: Speed | None = None
    num_images: Count | None = None
    model: str | None = None  # relays' clients name the one that the path means


class Styled(Drawn, kw_only=True):
    style_preset: Annotated[str, closed(PRESETS)] | None = None
    color_palette: Palette | None = None
    style_codes: list[Hex] | None = None
    style_reference_images: list[Picture] | None = None


class Worded(Styled, kw_only=True):
    prompt: Prompt
    magic_prompt: Magic | None = None
    style_type: Style | None = None
    custom_model_uri: Own | None = None
    character_reference_images: Annotated[list[Picture], Meta(max_length=1)] | None = None


class Generate3(Worded, kw_only=True):
    resolution: Size | None = None
    aspect_ratio: Shape | None = None
    negative_prompt: str | None = None
    character_reference_images_mask: Annotated[list[Picture], Meta(max_length=1)] | None = None


class Remix3(Generate3, kw_only=True):
    image: Picture
    image_weight: Share | None = None


class Edit3(Worded, kw_only=True):
    image: Picture
    mask: Picture


class Reframe3(Styled, kw_only=True):
    image: Picture
    resolution: Size


class Replace3(Styled, kw_only=True):
    image: Picture
    prompt: Prompt
    magic_prompt: Magic | None = None


class Transparent3(Drawn, kw_only=True):
    prompt: Prompt
    upscale_factor: Literal["X1", "X2", "X4"] | None = None
    aspect_ratio: Shape | None = None
    magic_prompt: Magic | None = None
    negative_prompt: str | None = None
    custom_model_uri: Own | None = None


class TryOn3(Drawn, kw_only=True):
    image: Picture
    product_reference_images: Annotated[list[Picture], Meta(min_length=1, max_length=1)]
    prompt: str | None = None


class Generate4(Struct, kw_only=True):
    """`prompt` and `magic_prompt_option` are those of an older version."""

    text_prompt: Prompt | None = None
    json_prompt: dict[str, Any] | None = None
    prompt: Prompt | None = None
    magic_prompt_option: Magic | None = None
    resolution: Annotated[str, closed((*V4_SIZES, "1024x1024"))] | None = None
    rendering_speed: Literal["TURBO", "DEFAULT", "QUALITY"] | None = None
    enable_copyright_detection: bool | None = None
    custom_model_uri: Own | None = None
    seed: Seed | None = None
    num_images: Count | None = None


class Remix4(Generate4, kw_only=True):
    image: Picture
    image_weight: Share | None = None


class EditAny(Struct, kw_only=True):
    prompt: Prompt
    images: Annotated[list[Picture], Meta(min_length=1, max_length=10)] | None = None
    image_urls: Annotated[list[Picture], Meta(min_length=1, max_length=10)] | None = None
    num_images: Count | None = None
    seed: Seed | None = None
    magic_prompt: Magic | None = None
    resolution: Size | None = None
    aspect_ratio: Shape | None = None
    transparent_background: bool | None = None


class OnePicture(Struct, kw_only=True):
    image: Picture


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


def several(said: int) -> Json:
    """One is what there is anyway, also of what there is one only."""
    return {} if said == 1 else {"count": said}


WEIGHT = Field(
    ours=("strength",),
    read=lambda said: {"extra": {"strength": round(1 - said / 100, 2)}},
    write=lambda wish: None if wish.extra.get("strength") is None else 100 - round(wish.extra["strength"] * 100) or 1,
)
"""How much of the picture stays, from 1 to 100; ours is how much it changes."""

COUNT = Field(ours=("count",), read=several, write=lambda wish: wish.count)
PICTURE = MediaLimits(types=("image/jpeg", "image/png", "image/webp"), max_bytes=25 * 1024 * 1024)


def file(role: Role, *, many: bool = False) -> FileField:
    """The vendor takes the file itself, in a form. In front a link is read as well, as resellers have it."""
    return FileField(role=role, ways=(Way.DATA,), limits=PICTURE, many=many)


COMMON: dict[str, AnyField] = {
    "prompt": same("prompt"),
    "negative_prompt": same("negative_prompt"),
    "seed": same("seed"),
    "num_images": COUNT,
    "magic_prompt_option": extra("magic_prompt"),
    "magic_prompt_version": extra("magic_prompt_version"),
    "style_type": extra("style_type"),
    "color_palette": extra("color_palette"),
    "image_weight": WEIGHT,
    "resemblance": extra("resemblance"),
    "detail": extra("detail"),
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
    "magic_prompt": extra("magic_prompt"),
    "rendering_speed": extra("rendering_speed"),
    "style_preset": extra("style_preset"),
    "style_codes": extra("style_codes"),
    "custom_model_uri": extra("custom_model_uri"),
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
    "json_prompt": extra("json_prompt"),
    "enable_copyright_detection": extra("enable_copyright_detection"),
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
