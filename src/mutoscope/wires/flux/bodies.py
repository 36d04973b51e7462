"""The bodies of Black Forest Labs' creates, with the vendor's bounds, and what their members say."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal, cast

import msgspec
from msgspec import Meta, Struct

from mutoscope.model.job import Json, Role
from mutoscope.model.problem import Flaw, Kind, Problem, Rule, custom_flaw
from mutoscope.wirekit.back import Way
from mutoscope.wirekit.fields import AnyField, Field, FileField, alias, extra, same, shaped, unless, words
from mutoscope.wirekit.media import Link
from mutoscope.wirekit.media import LinkOrBase64 as Picture
from mutoscope.wires.flux.models import SHAPES

Secret = Annotated[str, Meta(pattern="^[!-~]{1,512}$")]  # it becomes a header
Ratio = Annotated[str, Meta(pattern="^[1-9][0-9]{0,3}:[1-9][0-9]{0,3}$")]
Timed = Annotated[list[float | Picture], Meta(min_length=2, max_length=2)]  # seconds, and what is seen then
Side = Annotated[int, Meta(ge=256, le=1440)]
Format = Literal["jpeg", "png", "webp"]


class Hooked(Struct, kw_only=True):
    """What nearly every create takes."""

    seed: int | None = None
    webhook_url: Link | None = None
    webhook_secret: Secret | None = None


class Eased(Hooked, kw_only=True):
    """FLUX.1 and Kontext."""

    prompt_upsampling: bool | None = None
    safety_tolerance: Annotated[int, Meta(ge=0, le=6)] | None = None
    output_format: Format | None = None


class First(Eased, kw_only=True):
    prompt: str | None = None


class Pro11(First, kw_only=True):
    image_prompt: Picture | None = None
    width: Side | None = None
    height: Side | None = None


class Dev(Pro11, kw_only=True):
    steps: Annotated[int, Meta(ge=1, le=50)] | None = None
    guidance: Annotated[float, Meta(ge=1.5, le=5)] | None = None


class Pro(Dev, kw_only=True):
    interval: Annotated[float, Meta(ge=1, le=4)] | None = None


class TunedUltra(First, kw_only=True):
    aspect_ratio: Ratio | None = None
    image_prompt: Picture | None = None
    image_prompt_strength: Annotated[float, Meta(ge=0, le=1)] | None = None


class Ultra(TunedUltra, kw_only=True):
    raw: bool | None = None


class Fill(First, kw_only=True):
    image: Picture
    mask: Picture | None = None
    steps: Annotated[int, Meta(ge=15, le=50)] | None = None
    guidance: Annotated[float, Meta(ge=1.5, le=100)] | None = None


Edge = Annotated[int, Meta(ge=0, le=2048)]


class Expand(First, kw_only=True):
    image: Picture
    top: Edge | None = None
    bottom: Edge | None = None
    left: Edge | None = None
    right: Edge | None = None
    steps: Annotated[int, Meta(ge=15, le=50)] | None = None
    guidance: Annotated[float, Meta(ge=1.5, le=100)] | None = None


class Depth(Eased, kw_only=True):
    prompt: str
    control_image: Picture | None = None
    preprocessed_image: Picture | None = None
    steps: Annotated[int, Meta(ge=15, le=50)] | None = None
    guidance: Annotated[float, Meta(ge=1, le=100)] | None = None


class Canny(Depth, kw_only=True):
    canny_low_threshold: Annotated[int, Meta(ge=0, le=500)] | None = None
    canny_high_threshold: Annotated[int, Meta(ge=0, le=500)] | None = None


class Kontext(Eased, kw_only=True):
    prompt: str
    input_image: Picture | None = None
    input_image_2: Picture | None = None
    input_image_3: Picture | None = None
    input_image_4: Picture | None = None
    aspect_ratio: Ratio | None = None


class Later(Hooked, kw_only=True):
    """FLUX.2 and the tools."""

    safety_tolerance: Annotated[int, Meta(ge=0, le=5)] | None = None
    output_format: Format | None = None


class Klein(Later, kw_only=True):
    """A side of 0 is the vendor's own default, below its own least: it says nothing."""

    prompt: str
    input_image: Picture | None = None
    input_image_2: Picture | None = None
    input_image_3: Picture | None = None
    input_image_4: Picture | None = None
    width: Annotated[int, Meta(ge=0)] | None = None
    height: Annotated[int, Meta(ge=0)] | None = None


class Klein9(Klein, kw_only=True):
    input_image_5: Picture | None = None


class Second(Klein9, kw_only=True):
    input_image_6: Picture | None = None
    input_image_7: Picture | None = None
    input_image_8: Picture | None = None
    transparent_bg: bool | None = None
    prompt_upsampling: bool | None = None


class Flex(Second, kw_only=True):
    guidance: Annotated[float, Meta(ge=1.5, le=10)] | None = None
    steps: Annotated[int, Meta(ge=1, le=50)] | None = None


class Outpainting(Struct, kw_only=True, forbid_unknown_fields=True):
    """The one body that takes nothing it does not know, and no webhook."""

    input_image: Picture
    width: Annotated[int, Meta(ge=64)]
    height: Annotated[int, Meta(ge=64)]
    reference_offset_x: int | None = None
    reference_offset_y: int | None = None
    auto_crop: bool | None = None
    mode: Literal["high", "fast"] | None = None
    prompt: str | None = None
    seed: int | None = None
    safety_tolerance: Annotated[int, Meta(ge=0, le=5)] | None = None
    output_format: Format | None = None


class Erase(Later, kw_only=True):
    image: Picture | None = None
    mask: Picture | None = None
    input_image: Picture | None = None
    mask_image: Picture | None = None
    dilate_pixels: Annotated[int, Meta(ge=0, le=25)] | None = None


class Deblur(Later, kw_only=True):
    image: Picture


class TryOn(Later, kw_only=True):
    prompt: str
    person: Picture | None = None
    garment: Picture | None = None
    input_image: Picture | None = None
    input_image_2: Picture | None = None


Shape3 = Literal["auto", "21:9", "2:1", "16:9", "3:2", "7:5", "4:3", "5:4", "1:1", "4:5", "3:4", "5:7", "2:3", "9:16",
                 "1:2", "9:21"]  # fmt: skip


class Third(Hooked, kw_only=True):
    prompt: str
    input_image: Picture | None = None
    aspect_ratio: Shape3 | None = None
    resolution: Literal["768sq", "1k", "1.5k", "2k", "4k"] | None = None


class Video(Struct, kw_only=True):
    mode: Annotated[Literal["t2v", "i2v", "v2v", "draft_enhance"], Meta(examples=["t2v"])]
    prompt: str | None = None
    aspect_ratio: Literal["21:9", "16:9", "4:3", "1:1", "3:4", "9:16", "auto"] | None = None
    duration: Annotated[int, Meta(ge=5, le=20)] | Literal["auto"] | None = None
    resolution: Literal["hd", "fhd"] | None = None
    generate_audio: bool | None = None
    safety_tolerance: Annotated[int, Meta(ge=0, le=4)] | None = None
    draft: bool | None = None
    version: str | None = None
    keyframes: Annotated[list[Picture | Timed], Meta(min_length=1, max_length=10)] | None = None
    start_video: Link | None = None
    draft_cache: Link | None = None
    webhook_url: Link | None = None
    webhook_secret: Secret | None = None


ZIP = (
    "UEsDBBQAAAAAAAAAIQCwo7KIQwAAAEMAAAAFAAAAYS5wbmeJUE5HDQoaCgAAAA1JSERSAAAAAQAAAAEIAAAAADp+m1UAAAAKSURB"
    "VHjaY2AAAAACAAHlJ978AAAAAElFTkSuQmCCUEsBAhQDFAAAAAAAAAAhALCjsohDAAAAQwAAAAUAAAAAAAAAAAAAAIABAAAAAGEu"
    "cG5nUEsFBgAAAAABAAEAMwAAAGYAAAAAAA=="
)  # of one picture of one pixel


class Finetune(Struct, kw_only=True):
    file_data: Annotated[Picture, Meta(examples=[ZIP])]  # a zip of pictures
    finetune_comment: str
    mode: Literal["general", "character", "style", "product"]
    trigger_word: str | None = None
    iterations: Annotated[int, Meta(ge=100, le=1000)] | None = None
    learning_rate: Annotated[float, Meta(ge=1e-6, le=0.005)] | None = None
    captioning: bool | None = None
    priority: Literal["speed", "quality", "high_res_only"] | None = None
    finetune_type: Literal["full", "lora"] | None = None
    lora_rank: Literal[16, 32] | None = None
    webhook_url: Link | None = None
    webhook_secret: Secret | None = None


Strength: Any = Annotated[float, Meta(ge=0, le=2)]


def tuned(body: type[Struct]) -> type[Struct]:
    """The body of a model that is asked for with what a finetune learnt."""
    more: list[Any] = [("finetune_id", str), ("finetune_strength", Strength | None, None)]
    return msgspec.defstruct(f"{body.__name__.removeprefix('Tuned')}Finetuned", more, bases=(body,), kw_only=True)


# -- what they say ----------------------------------------------------------------------


def side(name: str) -> Field:
    """Pixels; 0 says nothing."""
    return Field(ours=(name,), read=lambda value: {name: value} if value else {}, write=same(name).write)


def seconds() -> Field:
    return Field(
        ours=("seconds",),
        read=lambda value: {} if value == "auto" else {"seconds": float(value)},
        write=same("seconds").write,
    )


PICTURE = FileField(role=Role.IMAGE, bare=True, ways=(Way.DATA,))
EITHER = FileField(role=Role.IMAGE, bare=True, ways=(Way.LINK, Way.DATA))
MORE = FileField(role=Role.REFERENCE, bare=True, ways=(Way.LINK, Way.DATA))
MASK = FileField(role=Role.MASK, bare=True, ways=(Way.DATA,))
KEPT = ("safety_tolerance", "steps", "guidance", "interval", "raw", "image_prompt_strength", "left",
        "right", "canny_low_threshold", "canny_high_threshold", "reference_offset_x", "reference_offset_y",
        "finetune_id", "finetune_strength")  # fmt: skip
USUAL = {"transparent_bg": False, "auto_crop": False, "mode": "high", "dilate_pixels": 10}
"""The vendor's defaults of what its engines alone know: said or not, they ask for nothing."""
FIELDS: dict[str, AnyField] = {
    "prompt": same("prompt"),
    "seed": same("seed"),
    "width": side("width"),
    "height": side("height"),
    "aspect_ratio": shaped(SHAPES),
    "output_format": extra("format"),
    "prompt_upsampling": extra("prompt_extend"),
    "image_prompt": PICTURE,
    "image": PICTURE,
    "mask": MASK,
    "control_image": PICTURE,
    "preprocessed_image": FileField(role=Role.REFERENCE, bare=True, ways=(Way.DATA,)),
    "input_image": EITHER,
    **{f"input_image_{number}": MORE for number in range(2, 9)},
    "top": extra("up"),
    "bottom": extra("down"),
    "resolution": extra("imageSize"),
    **{name: extra(name) for name in KEPT},
    **{name: unless(usual, extra(name)) for name, usual in USUAL.items()},
}
ERASE: dict[str, AnyField] = FIELDS | {"input_image": alias(EITHER), "mask_image": alias(MASK)}
TRY_ON: dict[str, AnyField] = FIELDS | {
    "person": EITHER, "garment": MORE, "input_image": alias(EITHER), "input_image_2": alias(MORE)
}  # fmt: skip
VIDEO: dict[str, AnyField] = {
    "prompt": same("prompt"),
    "aspect_ratio": shaped(SHAPES),
    "duration": seconds(),
    "resolution": words("resolution", {"720p": "hd", "1080p": "fhd"}),
    "generate_audio": extra("audio"),
    "safety_tolerance": extra("contentModeration"),
    "draft": unless(False, extra("draft")),
    "keyframes": FileField(role=Role.FIRST_FRAME, bare=True, many=True, ways=(Way.LINK, Way.DATA)),
    "start_video": FileField(role=Role.VIDEO),
}
FINETUNE: dict[str, AnyField] = {
    "file_data": FileField(role=Role.REFERENCE, bare=True, ways=(Way.DATA,)),
    **{name: extra(name) for name in Finetune.__struct_fields__ if name[:7] not in ("file_da", "webhook")},
}

# -- what is wrong between members --------------------------------------------------------


def first_flaws(said: Json) -> Iterator[Flaw]:
    """FLUX.1: sides are multiples of 32, a shape lies between 21:9 and 9:21."""
    for name in ("width", "height"):
        if isinstance(value := said.get(name), int) and value % 32:
            yield custom_flaw((name,), "Input should be a multiple of 32")
    yield from shape_flaws(said, 9 / 21, 21 / 9)


def kontext_flaws(said: Json) -> Iterator[Flaw]:
    yield from shape_flaws(said, 1 / 4, 4)


def shape_flaws(said: Json, least: float, most: float) -> Iterator[Flaw]:
    width, _, height = str(said.get("aspect_ratio") or "").partition(":")
    if width.isdigit() and height.strip("0").isdigit() and not least <= int(width) / int(height) <= most:
        ends = "21:9 and 9:21" if most < 3 else "4:1 and 1:4"
        yield custom_flaw(("aspect_ratio",), f"Input should be between {ends}")


def second_flaws(said: Json) -> Iterator[Flaw]:
    """FLUX.2: a side is 0 or at least 64, the area at most 4 megapixels; what is transparent is no JPEG."""
    width, height = said.get("width") or 0, said.get("height") or 0
    for name, value in (("width", width), ("height", height)):
        if 0 < value < 64:
            yield Flaw(path=(name,), rule=Rule.MINIMUM, bound=64, found=value)
    if width * height > 2048 * 2048:
        yield custom_flaw(("width",), "width and height should come to at most 4 megapixels")
    if said.get("transparent_bg") and said.get("output_format") == "jpeg":
        yield custom_flaw(("output_format",), "Input should be 'png' or 'webp' with transparent_bg")


def video_flaws(said: Json) -> Iterator[Flaw]:
    """Each mode has what it begins with. Raises Problem(UNSUPPORTED) for what is not made here in any way."""
    match said.get("mode"):
        case "draft_enhance":
            raise Problem(Kind.UNSUPPORTED, "drafts are not enhanced here", field="mode")
        case "i2v":
            needed = "keyframes"
        case "v2v":
            needed = "start_video"
        case _:
            needed = "prompt"
    for name in dict.fromkeys(("prompt", needed)):
        if not said.get(name):
            yield Flaw(path=(name,), rule=Rule.REQUIRED, bound="string")
    frames = cast("list[Any]", said.get("keyframes") or [])
    if len(frames) > 1 or any(not isinstance(each, str) for each in frames):
        raise Problem(Kind.UNSUPPORTED, "one picture is taken here, as the first frame", field="keyframes")
