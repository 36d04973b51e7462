"""The bodies of Recraft's calls, JSON or forms, with the vendor's bounds, and what their members say."""

from collections.abc import Iterator
from functools import partial
from typing import Any, Literal

from msgspec.structs import replace

from mutoscope.model.job import Generation, Json, MediaLimits, Role
from mutoscope.model.problem import Flaw, Rule, custom_flaw
from mutoscope.wirekit import members
from mutoscope.wirekit.back import Way
from mutoscope.wirekit.fields import AnyField, Field, FileField, JobField, alias, extra, extras, pixels, same, unless
from mutoscope.wirekit.media import LinkOrData as Picture  # or a part of a form
from mutoscope.wirekit.members import many, number, text, whole, word
from mutoscope.wires.recraft.models import OLD, STYLED, USUAL, USUAL_STYLED, sizes_of

Switch = Literal["on", "off"]
Uint, Channels, Several = whole(0, 2**32 - 1), many(whole(0, 255), 3, 3), many(Picture, 10, 1)
Uuid = word("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
OLDER_PROMPT = 1000  # characters
OLDER_ONLY = ("style", "substyle", "text_layout", "negative_prompt")

# -- bodies ------------------------------------------------------------------------------

PICTURES, MASKS = ("image_url", "image", "file", "image_file"), ("mask_url", "mask")
WIDER = ("size", "expand_left", "expand_right", "expand_top", "expand_bottom", "zoom_out_percentage")
STYLE_REFERENCES = ("style_reference_urls", "style_references")
STYLE_FILES = ("file", "file1", "file2", "file3", "file4", "file5")
LEARNT_FROM = ("image_urls", "images", *STYLE_FILES, "source_styles", "prompt")
SWITCHES = ("svg_compression", "limit_num_shapes", "small_shape_filter", "color_reduction", "return_gradients")

# fmt: off
part = partial(members.body, {}, __name__)
Color = part("Color", "rgb! weight std", rgb=Channels, weight=float, std=list[float])
Controls = part("Controls", "", artistic_level=whole(0, 5), no_text=bool, background_color=Color, colors=list[Color])
Text = part("Text", "text! bbox!", bbox=many(many(float, 2, 2), 4, 4))
Palette = part("Palette", "colors! background_color", colors=list[Color], background_color=Color)
TYPES: Json = {
    **dict.fromkeys((*PICTURES, *MASKS, *STYLE_FILES), Picture),
    **dict.fromkeys((*STYLE_REFERENCES, "image_urls", "images"), Several),
    **dict.fromkeys((*WIDER[1:5], "random_seed", "max_num_shapes"), Uint),
    **dict.fromkeys(SWITCHES, Switch),
    **dict.fromkeys(("expire", "block_nsfw", "calculate_features", "private"), bool),
    **dict.fromkeys(("style_match", "match"), Literal["regular", "precise", "flexible"]),
    **dict.fromkeys(("image_weights", "source_style_weights"), list[float]),
    "response_format": Literal["url", "b64_json", "multipart"],
    "image_format": Literal["webp", "png"],
    "prompt": text(10_000),
    "model": word("[A-Za-z0-9][A-Za-z0-9_.-]{0,99}", "recraftv3"),
    "size": word("(auto|[1-9][0-9]{0,3}(x|:)[1-9][0-9]{0,3})", "1024x1024"),
    "n": whole(1, 6),
    "strength": number(0, 1),
    "zoom_out_percentage": number(0, 1000),
    "style_id": Uuid,
    "source_styles": list[Uuid],
    "controls": Controls,
    "palette": Palette,
    "text_layout": list[Text],
    "creativity": Literal["simple", "standard", "eccentric"],
    "upscale": Literal["upscale4mp", "upscale16mp"],
    "mix_policy": Literal["PaletteMatch", "MaxWeight"],
    "shape_stacking": Literal["cut_out", "hierarchical"],
    "strict_color_palette": list[Channels],
}
body = partial(members.body, TYPES, __name__)
ANSWERED, GIVEN = "response_format image_format expire", " ".join(PICTURES)
LOOK = (f"{ANSWERED} model n style substyle style_id style_match negative_prompt controls text_layout random_seed "
        "creativity block_nsfw calculate_features")
PROCESSED, VARIATION = f"{ANSWERED} {GIVEN} upscale", f"{ANSWERED} {GIVEN} model n random_seed"

Generate = body("Generate", f"{LOOK} prompt! size upscale style_reference_urls style_references")
ReplaceBackground = body("ReplaceBackground", f"{LOOK} prompt! {GIVEN}")
Change = body("Change", f"{LOOK} prompt! {GIVEN} strength!")
Edit = body("Edit", f"{LOOK} prompt! strength {GIVEN}",
            "As OpenAI's clients send it: a picture may come as a list of one.", image=Picture | many(Picture, 1, 1))
Inpaint = body("Inpaint", f"{LOOK} prompt! {GIVEN} mask_url mask")
Outpaint = body("Outpaint", f"{LOOK} prompt! {GIVEN} {' '.join(WIDER)}", prompt=text(10_000, None))
Variate = body("Variate", f"{VARIATION} size!")
Vary = body("Vary", f"{VARIATION} size", "As OpenAI's clients send it, who may leave out the size.")
Erase = body("Erase", f"{ANSWERED} {GIVEN} mask_url mask")
Process = body("Process", PROCESSED)
Vectorize = body("Vectorize", f"{PROCESSED} svg_compression limit_num_shapes max_num_shapes small_shape_filter "
                 "color_reduction return_gradients shape_stacking strict_color_palette")
MakeStyle = body("MakeStyle", f"style substyle image_urls images {' '.join(STYLE_FILES)} model match mix_policy prompt "
                 "image_weights source_styles source_style_weights palette private", file=Picture | Several, prompt=str)
# fmt: on

# -- what they say -------------------------------------------------------------------------

VECTOR_STYLES = ("vector_illustration", "icon", "Vector art")
PHOTO = MediaLimits(types=("image/png", "image/jpeg", "image/webp"), max_bytes=20_000_000, min_side=32, max_side=4096)
WAYS = (Way.LINK, Way.DATA)
IMAGE, MASK = (FileField(role=role, limits=PHOTO, ways=WAYS) for role in (Role.IMAGE, Role.MASK))
REFERENCES = FileField(role=Role.REFERENCE, limits=PHOTO, ways=WAYS, many=True)


def is_old(model: str) -> bool:
    return model.startswith((*OLD, "recraft20b"))


def draws(wish: Generation) -> bool:
    """Whether the model or its style makes a drawing without being told."""
    return wish.model.endswith("vector") or (is_old(wish.model) and wish.extra.get("style") in VECTOR_STYLES)


def write_style(wish: Generation) -> Any:
    wants = wish.extra.get("format") == "svg" and is_old(wish.model) and not draws(wish)
    return VECTOR_STYLES[0] if wants else wish.extra.get("style")


def write_format(wish: Generation) -> Any:
    format = wish.extra.get("format")
    return None if format == "svg" and (draws(wish) or is_old(wish.model)) else format


MARGINS = ("left", "right", "up", "down", "zoom")


def write_size(wish: Generation) -> str | None:
    """A picture that is widened by its sides or by a factor has no size beside it."""
    return (None if any(each in wish.extra for each in MARGINS) else X.write(wish)) or wish.extra.get("ratio")


X = pixels("x")
SVG = {"format": "svg"}
# fmt: off
FIELDS: dict[str, AnyField] = {
    "prompt": same("prompt"),
    "n": same("count"),
    "size": Field(ours=("width", "height", "ratio"), write=write_size,
                  read=lambda size: X.read(size) or ({} if size == "auto" else {"extra": {"ratio": size}})),
    "negative_prompt": same("negative_prompt"),
    "random_seed": same("seed"),
    "strength": Field(ours=("strength",), read=extra("strength").read,
                      write=lambda wish: wish.extra.get("strength", 0.5)),  # the vendor wants one
    **{name: unless(0, extra(side)) for name, side in zip(WIDER[1:5], MARGINS, strict=False)},
    "zoom_out_percentage": Field(
        ours=("zoom",), read=lambda value: {"extra": {"zoom": 1 + value / 100}} if value else {},
        write=lambda wish: round((wish.extra["zoom"] - 1) * 100, 6) if "zoom" in wish.extra else None),
    # what comes first here is overruled by what comes later: a style, and a model, make drawings whatever the format
    "image_format": replace(extra("format"), write=write_format),
    "style": Field(ours=("style",), write=write_style,
                   read=lambda style: {"extra": {"style": style} | (SVG if style in VECTOR_STYLES else {})}),
    "model": Field(ours=("format",), write=lambda _: None, alias=True,
                   read=lambda model: {"extra": SVG} if model.endswith(("_vector", "_svg")) else {}),
    **dict.fromkeys(PICTURES[1:], alias(IMAGE)),
    "image_url": IMAGE,
    "mask": alias(MASK),
    "mask_url": MASK,
    "style_references": alias(REFERENCES),
    "style_reference_urls": REFERENCES,
    "style_id": JobField(role=Role.REFERENCE),
    **extras("substyle style_match creativity upscale"),
    "controls": unless({}, extra("controls")),
    "text_layout": unless([], extra("text_layout")),
    **{name: unless(False, extra(name)) for name in ("block_nsfw", "calculate_features", "expire")},
}
# fmt: on
TRACED: dict[str, AnyField] = {
    **{name: FIELDS[name] for name in (*PICTURES, "upscale", "expire")},
    **{name: unless("off", extra(name)) for name in SWITCHES},
    **extras("max_num_shapes shape_stacking strict_color_palette"),
}
"""A tracing is SVG, whatever `image_format` says."""
DRAWING: dict[str, AnyField] = {name: field for name, field in FIELDS.items() if name != "image_format"}
LEARNT: dict[str, AnyField] = {
    **dict.fromkeys(STYLE_FILES, alias(replace(REFERENCES, many=False))),
    "images": alias(REFERENCES),
    "image_urls": REFERENCES,
    **extras("style substyle model match mix_policy image_weights source_styles source_style_weights palette"),
    "private": unless(True, extra("private")),
    "prompt": same("prompt"),
}

# -- what is wrong between members -----------------------------------------------------------


def usual(said: Json) -> str:
    """The model where none is named. What only older models take comes from clients of their time."""
    if any(said.get(name) for name in STYLE_REFERENCES):
        return USUAL_STYLED
    return OLD[0] if any(said.get(name) for name in OLDER_ONLY) else USUAL


def look_flaws(said: Json) -> Iterator[Flaw]:
    """What hangs on the model, and what excludes another member."""
    model = said.get("model") or usual(said)
    if said.get("style") and said.get("style_id"):
        yield custom_flaw(("style",), "cannot stand beside style_id")
    if is_old(model) and len(said.get("prompt") or "") > OLDER_PROMPT:
        yield Flaw(path=("prompt",), rule=Rule.MAX_LENGTH, bound=OLDER_PROMPT, found="string")
    for name in OLDER_ONLY if model.startswith("recraftv4") else ():
        if said.get(name):
            yield custom_flaw((name,), f"is not taken by {model}, but by recraftv3")
    if model in STYLED and not any(said.get(name) for name in ("style_id", *STYLE_REFERENCES)):
        yield custom_flaw(("style_id",), f"is required by {model}, or style_references")


def sized(said: Json, shape: str | None = None) -> Json:
    """A shape as the pixels that it stands for in the model's family."""
    size, model = said.get("size", shape), said.get("model") or usual(said)
    pixels = sizes_of(model).get(size) if isinstance(size, str) and isinstance(model, str) else None
    return said if pixels is None else said | {"size": f"{pixels[0]}x{pixels[1]}"}


def size_flaws(said: Json) -> Iterator[Flaw]:
    """The vendor has sizes of its own for each family of models, by their pixels or by their shape."""
    size, model = said.get("size"), said.get("model") or usual(said)
    sizes = sizes_of(model)
    pixels = [f"{width}x{height}" for width, height in sizes.values()]
    if size not in (None, "auto", *sizes, *pixels) and model.startswith("recraft"):
        yield custom_flaw(("size",), f"should be one of {', '.join(pixels)} for {model}, or one of {', '.join(sizes)}")


def drawn_flaws(said: Json) -> Iterator[Flaw]:
    yield from look_flaws(said)
    yield from size_flaws(said)
