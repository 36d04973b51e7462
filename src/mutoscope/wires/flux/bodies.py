"""The bodies of Black Forest Labs' creates, with the vendor's bounds, and what their members say."""

from collections.abc import Iterator
from functools import partial
from typing import Annotated, Any, Literal, cast

from msgspec import Meta

from mutoscope.model.job import Json, Role
from mutoscope.model.problem import Flaw, Kind, Problem, Rule, custom_flaw
from mutoscope.wirekit import members
from mutoscope.wirekit.back import Way
from mutoscope.wirekit.fields import AnyField, FileField, alias, extra, extras, figure, same, shaped, unless, words
from mutoscope.wirekit.media import Link
from mutoscope.wirekit.media import LinkOrBase64 as Picture
from mutoscope.wirekit.members import many, number, whole, word
from mutoscope.wires.flux.models import SHAPES

Timed = many(float | Picture, 2, 2)  # seconds, and what is seen then
ZIP = (
    "UEsDBBQAAAAAAAAAIQCwo7KIQwAAAEMAAAAFAAAAYS5wbmeJUE5HDQoaCgAAAA1JSERSAAAAAQAAAAEIAAAAADp+m1UAAAAKSURB"
    "VHjaY2AAAAACAAHlJ978AAAAAElFTkSuQmCCUEsBAhQDFAAAAAAAAAAhALCjsohDAAAAQwAAAAUAAAAAAAAAAAAAAIABAAAAAGEu"
    "cG5nUEsFBgAAAAABAAEAMwAAAGYAAAAAAA=="
)  # of one picture of one pixel

# -- bodies ------------------------------------------------------------------------------

FOUR, FIVE = "input_image input_image_2 input_image_3 input_image_4", "input_image_5"
REST = "input_image_6 input_image_7 input_image_8"
PICTURES = f"{FOUR} {FIVE} {REST} image mask image_prompt control_image preprocessed_image mask_image person garment"
# fmt: off
TYPES: Json = {
    **dict.fromkeys(PICTURES.split(), Picture),
    **dict.fromkeys(("prompt_upsampling", "raw", "transparent_bg", "auto_crop", "generate_audio", "draft"), bool),
    **dict.fromkeys(("width", "height"), whole(256, 1440)),
    **dict.fromkeys(("top", "bottom", "left", "right"), whole(0, 2048)),
    **dict.fromkeys(("canny_low_threshold", "canny_high_threshold"), whole(0, 500)),
    **dict.fromkeys(("webhook_url", "start_video", "draft_cache"), Link),
    **dict.fromkeys(("seed", "reference_offset_x", "reference_offset_y"), int),
    "webhook_secret": word("[!-~]{1,512}"),  # it becomes a header
    "aspect_ratio": word("[1-9][0-9]{0,3}:[1-9][0-9]{0,3}"),
    "safety_tolerance": whole(0, 6),
    "output_format": Literal["jpeg", "png", "webp"],
    "steps": whole(1, 50),
    "guidance": number(1.5, 5),
    "image_prompt_strength": number(0, 1),
    "finetune_strength": number(0, 2),
}
body = partial(members.body, TYPES, __name__)
later = partial(members.body, TYPES | {**dict.fromkeys(("width", "height"), whole(0)), "safety_tolerance": whole(0, 5)},
                __name__)
LONG, DEEP = ({"steps": whole(15, 50), "guidance": number(least, 100)} for least in (1.5, 1))

HOOKED, SIZED = "seed webhook_url webhook_secret", "width height"
EASED = f"{HOOKED} prompt_upsampling safety_tolerance output_format"
LATER = f"{HOOKED} safety_tolerance output_format"
DRAWN = f"{EASED} prompt image_prompt {SIZED}"
CONTROLLED = f"{EASED} prompt! control_image preprocessed_image steps guidance"
SHAPED = f"{EASED} prompt aspect_ratio image_prompt image_prompt_strength"
FILLED, CANNY = f"{EASED} prompt image! mask steps guidance", f"{CONTROLLED} canny_low_threshold canny_high_threshold"
KLEIN = f"{LATER} prompt! {FOUR} {SIZED}"
SECOND = f"{KLEIN} {FIVE} {REST} transparent_bg prompt_upsampling"
TRAINED = "finetune_comment! mode! trigger_word iterations learning_rate captioning priority finetune_type lora_rank"

Pro11 = body("Pro11", DRAWN)
Dev = body("Dev", f"{DRAWN} steps guidance")
Pro = body("Pro", f"{DRAWN} steps guidance", interval=number(1, 4))
Ultra = body("Ultra", f"{SHAPED} raw")
Fill = body("Fill", FILLED, **LONG)
Expand = body("Expand", f"{EASED} prompt image! top bottom left right", **LONG)
Canny, Depth = body("Canny", CANNY, **DEEP), body("Depth", CONTROLLED, **DEEP)
Kontext = body("Kontext", f"{EASED} prompt! {FOUR} aspect_ratio")
Klein = later("Klein", KLEIN, "A side of 0 is the vendor's own default, below its own least: it says nothing.")
Klein9 = later("Klein9", f"{KLEIN} {FIVE}")
Second = later("Second", SECOND)
Flex = later("Flex", SECOND, guidance=number(1.5, 10), steps=whole(1, 50))
Outpainting = later(
    "Outpainting", "input_image! width! height! reference_offset_x reference_offset_y auto_crop mode prompt seed "
    "safety_tolerance output_format", "The one body that takes nothing it does not know, and no webhook.", strict=True,
    width=whole(64), height=whole(64), mode=Literal["high", "fast"])
Erase = later("Erase", f"{LATER} image mask input_image mask_image", dilate_pixels=whole(0, 25))
Deblur = later("Deblur", f"{LATER} image!")
TryOn = later("TryOn", f"{LATER} prompt! person garment input_image input_image_2")
Third = body("Third", f"{HOOKED} prompt! input_image aspect_ratio", aspect_ratio=Literal["auto", *SHAPES],
             resolution=Literal["768sq", "1k", "1.5k", "2k", "4k"])
Video = body(
    "Video", "mode! prompt aspect_ratio duration resolution generate_audio safety_tolerance draft version keyframes "
    "start_video draft_cache webhook_url webhook_secret",
    mode=Annotated[Literal["t2v", "i2v", "v2v", "draft_enhance"], Meta(examples=["t2v"])],
    aspect_ratio=Literal["21:9", "16:9", "4:3", "1:1", "3:4", "9:16", "auto"], duration=whole(5, 20) | Literal["auto"],
    resolution=Literal["hd", "fhd"], safety_tolerance=whole(0, 4), keyframes=many(Picture | Timed, 10, 1))
Finetune = body(
    "Finetune", f"file_data! {TRAINED} webhook_url webhook_secret", file_data=Annotated[Picture, Meta(examples=[ZIP])],
    mode=Literal["general", "character", "style", "product"], iterations=whole(100, 1000), captioning=bool,
    learning_rate=number(1e-6, 0.005), priority=Literal["speed", "quality", "high_res_only"],
    finetune_type=Literal["full", "lora"], lora_rank=Literal[16, 32])
# with what a finetune learnt
DevTuned, UltraTuned, FillTuned, CannyTuned, DepthTuned = (
    body(f"{name}Finetuned", f"{listed} finetune_id! finetune_strength", **own)
    for name, listed, own in (("Dev", f"{DRAWN} steps guidance", {}), ("Ultra", SHAPED, {}), ("Fill", FILLED, LONG),
                              ("Canny", CANNY, DEEP), ("Depth", CONTROLLED, DEEP)))
# fmt: on

# -- what they say ----------------------------------------------------------------------

file = partial(FileField, bare=True, ways=(Way.DATA,))
linked = partial(FileField, bare=True, ways=(Way.LINK, Way.DATA))
PICTURE, MASK, EITHER = file(role=Role.IMAGE), file(role=Role.MASK), linked(role=Role.IMAGE)
MORE = linked(role=Role.REFERENCE)
KEPT = ("safety_tolerance steps guidance interval raw image_prompt_strength left right canny_low_threshold "
        "canny_high_threshold reference_offset_x reference_offset_y finetune_id finetune_strength")  # fmt: skip
USUAL = {"transparent_bg": False, "auto_crop": False, "mode": "high", "dilate_pixels": 10}
"""The vendor's defaults of what its engines alone know: said or not, they ask for nothing."""
FIELDS: dict[str, AnyField] = {
    "prompt": same("prompt"),
    "seed": same("seed"),
    "width": unless(0, same("width")),
    "height": unless(0, same("height")),
    "aspect_ratio": shaped(SHAPES),
    "output_format": extra("format"),
    "prompt_upsampling": extra("prompt_extend"),
    **dict.fromkeys(("image_prompt", "image"), PICTURE),
    "mask": MASK,
    "control_image": PICTURE,
    "preprocessed_image": file(role=Role.REFERENCE),
    "input_image": EITHER,
    **{f"input_image_{number}": MORE for number in range(2, 9)},
    "top": extra("up"),
    "bottom": extra("down"),
    "resolution": extra("imageSize"),
    **extras(KEPT),
    **{name: unless(usual, extra(name)) for name, usual in USUAL.items()},
}
ERASE: dict[str, AnyField] = FIELDS | {"input_image": alias(EITHER), "mask_image": alias(MASK)}
TRY_ON: dict[str, AnyField] = FIELDS | {
    "person": EITHER, "garment": MORE, "input_image": alias(EITHER), "input_image_2": alias(MORE)
}  # fmt: skip
VIDEO: dict[str, AnyField] = {
    "prompt": same("prompt"),
    "aspect_ratio": shaped(SHAPES),
    "duration": unless("auto", figure("seconds")),
    "resolution": words("resolution", {"720p": "hd", "1080p": "fhd"}),
    "generate_audio": extra("audio"),
    "safety_tolerance": extra("contentModeration"),
    "draft": unless(False, extra("draft")),
    "keyframes": linked(role=Role.FIRST_FRAME, many=True),
    "start_video": FileField(role=Role.VIDEO),
}
FINETUNE: dict[str, AnyField] = {"file_data": file(role=Role.REFERENCE), **extras(TRAINED.replace("!", ""))}

# -- what is wrong between members --------------------------------------------------------


def shape_flaws(least: float, most: float, ends: str, said: Json) -> Iterator[Flaw]:
    width, _, height = str(said.get("aspect_ratio") or "").partition(":")
    if width.isdigit() and height.strip("0").isdigit() and not least <= int(width) / int(height) <= most:
        yield custom_flaw(("aspect_ratio",), f"Input should be between {ends}")


kontext_flaws = partial(shape_flaws, 1 / 4, 4, "4:1 and 1:4")


def first_flaws(said: Json) -> Iterator[Flaw]:
    """FLUX.1: sides are multiples of 32, a shape lies between 21:9 and 9:21."""
    for name in SIZED.split():
        if isinstance(value := said.get(name), int) and value % 32:
            yield custom_flaw((name,), "Input should be a multiple of 32")
    yield from shape_flaws(9 / 21, 21 / 9, "21:9 and 9:21", said)


def second_flaws(said: Json) -> Iterator[Flaw]:
    """FLUX.2: a side is 0 or at least 64, the area at most 4 megapixels; what is transparent is no JPEG."""
    sides = {name: said.get(name) or 0 for name in SIZED.split()}
    for name, value in sides.items():
        if 0 < value < 64:
            yield Flaw(path=(name,), rule=Rule.MINIMUM, bound=64, found=value)
    if sides["width"] * sides["height"] > 2048 * 2048:
        yield custom_flaw(("width",), "width and height should come to at most 4 megapixels")
    if said.get("transparent_bg") and said.get("output_format") == "jpeg":
        yield custom_flaw(("output_format",), "Input should be 'png' or 'webp' with transparent_bg")


BEGINS_WITH = {"i2v": "keyframes", "v2v": "start_video"}


def video_flaws(said: Json) -> Iterator[Flaw]:
    """Each mode has what it begins with. Raises Problem(UNSUPPORTED) for what is not made here in any way."""
    if (mode := said.get("mode")) == "draft_enhance":
        raise Problem(Kind.UNSUPPORTED, "drafts are not enhanced here", field="mode")
    if mode in BEGINS_WITH and not said.get(BEGINS_WITH[mode]):
        yield Flaw(path=(BEGINS_WITH[mode],), rule=Rule.REQUIRED, bound="string")
    frames = cast("list[Any]", said.get("keyframes") or [])
    if len(frames) > 1 or any(not isinstance(each, str) for each in frames):
        raise Problem(Kind.UNSUPPORTED, "one picture is taken here, as the first frame", field="keyframes")
