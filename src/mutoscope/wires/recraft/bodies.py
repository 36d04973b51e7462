"""The bodies of Recraft's calls, JSON or forms, with the vendor's bounds, and what their members say."""

from collections.abc import Callable, Iterator
from itertools import chain
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct
from msgspec.structs import replace

from mutoscope.model.job import Generation, Json, MediaLimits, Role
from mutoscope.model.problem import Flaw, Rule, custom_flaw
from mutoscope.wirekit.back import Way
from mutoscope.wirekit.body import one_of
from mutoscope.wirekit.fields import AnyField, Field, FileField, JobField, alias, extra, same, unless
from mutoscope.wirekit.media import LinkOrData as Picture  # or a part of a form
from mutoscope.wires.recraft.models import OLD, STYLED, USUAL, USUAL_STYLED, sizes_of

Word = Annotated[str, Meta(pattern="^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$", examples=["recraftv3"])]
Uuid = Annotated[str, Meta(pattern="^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$")]
Size = Annotated[str, Meta(pattern="^(auto|[1-9][0-9]{0,3}(x|:)[1-9][0-9]{0,3})$", examples=["1024x1024"])]
Uint = Annotated[int, Meta(ge=0, le=2**32 - 1)]
Share = Annotated[float, Meta(ge=0, le=1)]
Prompt = Annotated[str, Meta(min_length=1, max_length=10_000)]
Switch = Literal["on", "off"]
Channels = Annotated[list[Annotated[int, Meta(ge=0, le=255)]], Meta(min_length=3, max_length=3)]
Corner = Annotated[list[float], Meta(min_length=2, max_length=2)]
Several = Annotated[list[Picture], Meta(min_length=1, max_length=10)]
OLDER_PROMPT = 1000  # characters
OLDER_ONLY = ("style", "substyle", "text_layout", "negative_prompt")

# -- bodies ------------------------------------------------------------------------------


class Color(Struct, kw_only=True):
    rgb: Channels
    weight: float | None = None
    std: list[float] | None = None


class Controls(Struct, kw_only=True):
    artistic_level: Annotated[int, Meta(ge=0, le=5)] | None = None
    no_text: bool | None = None
    background_color: Color | None = None
    colors: list[Color] | None = None


class Text(Struct, kw_only=True):
    text: str
    bbox: Annotated[list[Corner], Meta(min_length=4, max_length=4)]


class Answered(Struct, kw_only=True):
    """How the answer is wanted."""

    response_format: Literal["url", "b64_json", "multipart"] | None = None
    image_format: Literal["webp", "png"] | None = None
    expire: bool | None = None


class Given(Answered, kw_only=True):
    """The picture: a link or a data URI, or a part of a form, which goes by several names."""

    image_url: Picture | None = None
    image: Picture | None = None
    file: Picture | None = None
    image_file: Picture | None = None


class Erase(Given, kw_only=True):
    mask_url: Picture | None = None
    mask: Picture | None = None


class Look(Answered, kw_only=True):
    model: Word | None = None
    n: Annotated[int, Meta(ge=1, le=6)] | None = None
    style: str | None = None
    substyle: str | None = None
    style_id: Uuid | None = None
    style_match: Literal["regular", "precise", "flexible"] | None = None
    negative_prompt: str | None = None
    controls: Controls | None = None
    text_layout: list[Text] | None = None
    random_seed: Uint | None = None
    creativity: Literal["simple", "standard", "eccentric"] | None = None
    block_nsfw: bool | None = None
    calculate_features: bool | None = None


class Generate(Look, kw_only=True):
    prompt: Prompt
    size: Size | None = None
    upscale: Literal["upscale4mp", "upscale16mp"] | None = None
    style_reference_urls: Several | None = None
    style_references: Several | None = None


class ReplaceBackground(Look, kw_only=True):
    prompt: Prompt
    image_url: Picture | None = None
    image: Picture | None = None
    file: Picture | None = None
    image_file: Picture | None = None


class Change(ReplaceBackground, kw_only=True):
    strength: Share


class Edit(Look, kw_only=True):
    """As OpenAI's clients send it: a picture may come as a list of one."""

    prompt: Prompt
    strength: Share | None = None
    image_url: Picture | None = None
    image: Picture | Annotated[list[Picture], Meta(min_length=1, max_length=1)] | None = None
    file: Picture | None = None
    image_file: Picture | None = None


class Inpaint(ReplaceBackground, kw_only=True):
    mask_url: Picture | None = None
    mask: Picture | None = None


class Outpaint(Look, kw_only=True):
    prompt: Annotated[str, Meta(max_length=10_000)]
    image_url: Picture | None = None
    image: Picture | None = None
    file: Picture | None = None
    image_file: Picture | None = None
    size: Size | None = None
    expand_left: Uint | None = None
    expand_right: Uint | None = None
    expand_top: Uint | None = None
    expand_bottom: Uint | None = None
    zoom_out_percentage: Annotated[float, Meta(ge=0, le=1000)] | None = None


class Varied(Given, kw_only=True):
    model: Word | None = None
    n: Annotated[int, Meta(ge=1, le=6)] | None = None
    random_seed: Uint | None = None


class Variate(Varied, kw_only=True):
    size: Size


class Vary(Varied, kw_only=True):
    """As OpenAI's clients send it, who may leave out the size."""

    size: Size | None = None


class Process(Given, kw_only=True):
    upscale: Literal["upscale4mp", "upscale16mp"] | None = None


class Vectorize(Process, kw_only=True):
    svg_compression: Switch | None = None
    limit_num_shapes: Switch | None = None
    max_num_shapes: Uint | None = None
    small_shape_filter: Switch | None = None
    color_reduction: Switch | None = None
    return_gradients: Switch | None = None
    shape_stacking: Literal["cut_out", "hierarchical"] | None = None
    strict_color_palette: list[Channels] | None = None


# For the published description: whose these are tells the model, where other vendors have the path too.
BY_NAME = Meta(examples=[{"prompt": "A lighthouse at dusk", "model": "recraftv3"}])
EDIT = {"image_url": "https://example.com/picture.png", "prompt": "A lighthouse at dusk", "model": "recraftv3"}
VARIATION = {"image_url": "https://example.com/picture.png", "model": "recraftv3"}


class Palette(Struct, kw_only=True):
    colors: list[Color]
    background_color: Color | None = None


class MakeStyle(Struct, kw_only=True):
    style: str | None = None
    substyle: str | None = None
    image_urls: Several | None = None
    images: Several | None = None
    file: Picture | Several | None = None
    file1: Picture | None = None
    file2: Picture | None = None
    file3: Picture | None = None
    file4: Picture | None = None
    file5: Picture | None = None
    model: Word | None = None
    match: Literal["regular", "precise", "flexible"] | None = None
    mix_policy: Literal["PaletteMatch", "MaxWeight"] | None = None
    prompt: str | None = None
    image_weights: list[float] | None = None
    source_styles: list[Uuid] | None = None
    source_style_weights: list[float] | None = None
    palette: Palette | None = None
    private: bool | None = None


PICTURES, MASKS = ("image_url", "image", "file", "image_file"), ("mask_url", "mask")
WIDER = ("size", "expand_left", "expand_right", "expand_top", "expand_bottom", "zoom_out_percentage")
STYLE_REFERENCES = ("style_reference_urls", "style_references")
STYLE_FILES = ("file", "file1", "file2", "file3", "file4", "file5")
LEARNT_FROM = ("image_urls", "images", *STYLE_FILES, "source_styles", "prompt")


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


def read_style(word: str) -> Json:
    return {"extra": {"style": word} | ({"format": "svg"} if word in VECTOR_STYLES else {})}


def write_style(wish: Generation) -> Any:
    wants = wish.extra.get("format") == "svg" and is_old(wish.model) and not draws(wish)
    return VECTOR_STYLES[0] if wants else wish.extra.get("style")


def read_model(word: str) -> Json:
    return {"extra": {"format": "svg"}} if word.endswith(("_vector", "_svg")) else {}


def write_format(wish: Generation) -> Any:
    format = wish.extra.get("format")
    return None if format == "svg" and (draws(wish) or is_old(wish.model)) else format


def read_size(text: str) -> Json:
    width, x, height = text.partition("x")
    if x:
        return {"width": int(width), "height": int(height)}
    return {} if text == "auto" else {"extra": {"ratio": text}}


def write_size(wish: Generation) -> str | None:
    """A picture that is widened by its sides or by a factor has no size beside it."""
    if wish.width is None or wish.height is None or any(each in wish.extra for each in MARGINS):
        return wish.extra.get("ratio")
    return f"{wish.width}x{wish.height}"


MARGINS = ("left", "right", "up", "down", "zoom")
SIZE = Field(ours=("width", "height", "ratio"), read=read_size, write=write_size)
ZOOM = Field(
    ours=("zoom",),
    read=lambda value: {"extra": {"zoom": 1 + value / 100}} if value else {},
    write=lambda wish: None if (zoom := wish.extra.get("zoom")) is None else round((zoom - 1) * 100, 6),
)


FIELDS: dict[str, AnyField] = {
    "prompt": same("prompt"),
    "n": same("count"),
    "size": SIZE,
    "negative_prompt": same("negative_prompt"),
    "random_seed": same("seed"),
    "strength": Field(
        ours=("strength",),
        read=lambda value: {"extra": {"strength": value}},
        write=lambda wish: wish.extra.get("strength", 0.5),  # the vendor wants one
    ),
    "expand_left": unless(0, extra("left")),
    "expand_right": unless(0, extra("right")),
    "expand_top": unless(0, extra("up")),
    "expand_bottom": unless(0, extra("down")),
    "zoom_out_percentage": ZOOM,
    # what comes first here is overruled by what comes later: a style, and a model, make drawings whatever the format
    "image_format": Field(ours=("format",), read=extra("format").read, write=write_format),
    "style": Field(ours=("style",), read=read_style, write=write_style),
    "model": Field(ours=("format",), read=read_model, write=lambda _: None, alias=True),
    "image": alias(IMAGE),
    "file": alias(IMAGE),
    "image_file": alias(IMAGE),
    "image_url": IMAGE,
    "mask": alias(MASK),
    "mask_url": MASK,
    "style_references": alias(REFERENCES),
    "style_reference_urls": REFERENCES,
    "style_id": JobField(role=Role.REFERENCE),
    **{name: extra(name) for name in ("substyle", "style_match", "creativity", "upscale")},
    "controls": unless({}, extra("controls")),
    "text_layout": unless([], extra("text_layout")),
    **{name: unless(False, extra(name)) for name in ("block_nsfw", "calculate_features", "expire")},
}
# fmt: off
SHAPES: dict[str, AnyField] = {name: unless("off", extra(name)) for name in (
    "svg_compression", "limit_num_shapes", "small_shape_filter", "color_reduction", "return_gradients")}
# fmt: on
TRACED: dict[str, AnyField] = {
    **{name: FIELDS[name] for name in (*PICTURES, "upscale", "expire")},
    **SHAPES,
    **{name: extra(name) for name in ("max_num_shapes", "shape_stacking", "strict_color_palette")},
}
"""A tracing is SVG, whatever `image_format` says."""
DRAWING: dict[str, AnyField] = {name: field for name, field in FIELDS.items() if name != "image_format"}
LEARNT: dict[str, AnyField] = {
    **{name: alias(replace(REFERENCES, many=False)) for name in STYLE_FILES},
    "images": alias(REFERENCES),
    "image_urls": REFERENCES,
    **{name: extra(name) for name in ("style", "substyle", "model", "match", "mix_policy", "image_weights")},
    **{name: extra(name) for name in ("source_styles", "source_style_weights", "palette")},
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


def sized(said: Json) -> Json:
    """A shape as the pixels that it stands for in the model's family."""
    size, model = said.get("size"), said.get("model") or usual(said)
    pixels = sizes_of(model).get(size) if isinstance(size, str) and isinstance(model, str) else None
    return said if pixels is None else said | {"size": f"{pixels[0]}x{pixels[1]}"}


def size_flaws(said: Json) -> Iterator[Flaw]:
    """The vendor has sizes of its own for each family of models, by their pixels or by their shape."""
    size, model = said.get("size"), said.get("model") or usual(said)
    sizes = sizes_of(model)
    pixels = [f"{width}x{height}" for width, height in sizes.values()]
    if size not in (None, "auto", *sizes, *pixels) and model.startswith("recraft"):
        yield custom_flaw(("size",), f"should be one of {', '.join(pixels)} for {model}, or one of {', '.join(sizes)}")


def all_of(*rules: Callable[[Json], Iterator[Flaw]]) -> Callable[[Json], Iterator[Flaw]]:
    return lambda said: chain.from_iterable(rule(said) for rule in rules)


DRAWN = all_of(look_flaws, size_flaws)
CHANGED, MASKED = all_of(one_of(PICTURES), look_flaws), all_of(one_of(PICTURES, MASKS), look_flaws)
VARIED, WIDENED = all_of(one_of(PICTURES), size_flaws), all_of(one_of(PICTURES, WIDER), look_flaws, size_flaws)
