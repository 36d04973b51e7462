"""Freepik's other models, made from their table: types of the bodies, what the members say, endpoints, catalog rows."""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace

from mutoscope.model.catalog import ADVICE, Model, Price, a_job, a_second, an_image, nominal
from mutoscope.model.job import Generation, Input, Json, Operation, Role
from mutoscope.model.problem import Flaw, custom_flaw
from mutoscope.wirekit import body as bodykit
from mutoscope.wirekit import paths
from mutoscope.wirekit.fields import (
    AnyField,
    Field,
    FileField,
    area_of,
    aspect_of,
    extra,
    folded,
    pixels,
    same,
    seconds,
)
from mutoscope.wirekit.task import Endpoint
from mutoscope.wires import _wan
from mutoscope.wires.freepik.bodies import BY_LINK, VENDOR, Link, Picture
from mutoscope.wires.freepik.models import SETS, TABLE, WAYS, Sold

# -- the notation of the table ---------------------------------------------------------------

WIDE = 2**63 - 1  # a number without bounds is one that every program can hold
VAST = 1e9
LIST = re.compile(r"\[(?:(\d*)\.\.(\d*) )?(.*)\]")
ANY: Any = Literal


class Type(Struct, frozen=True):
    """What may stand at a member."""

    says: Any  # the annotation, without what `meta` adds to it
    meta: Json = {}
    values: tuple[Any, ...] = ()  # of a closed list
    least: float | None = None
    most: float | None = None
    members: "tuple[Member, ...]" = ()  # of an object, or of the objects of a list
    many: bool = False
    inline: bool = True  # of a file: base64 too

    @property
    def annotation(self) -> Any:
        return Annotated[self.says, Meta(**self.meta)] if self.meta else self.says


class Member(NamedTuple):
    name: str
    required: bool
    type: Type
    default: Any  # the vendor's: what is left out stays left out here
    annotation: Any


def members_of(text: str, name: str, *, between: str = ";", files: bool = True) -> tuple[Member, ...]:
    """Those of a body, or of an object in one."""
    found: list[Member] = []
    for part in split(text, between):
        if part in SETS:
            found += members_of(SETS[part], name)
            continue
        head, _, rest = part.partition(": ")
        word, star = head.removesuffix("*"), head.endswith("*")
        told, *default = split(rest, " =")
        inner = name + word.title().replace("_", "") if "{" in told else ""
        read = member_of(told, inner, "".join(default), required=star, is_file=files and word in FILES)
        found.append(Member(word, star, *read))
    return tuple(found)


@cache
def member_of(told: str, name: str, default: str, *, required: bool, is_file: bool) -> tuple[Type, Any, Any]:
    """Type, default and annotation: many bodies have the same member."""
    type = type_of(told, name, is_file=is_file)
    usual = value_of(default, type) if default else None
    meta: Json = type.meta if usual is None else type.meta | {"extra_json_schema": {"default": usual}}
    annotation: Any = Annotated[type.says, Meta(**meta)] if meta else type.says
    return type, usual, annotation if required else annotation | None


def split(text: str, between: str) -> list[str]:
    """At what stands between the parts, not inside of brackets."""
    parts, depth, begin = list[str](), 0, 0
    for match in re.finditer(rf"[\[{{(\]}})]|{between}", text):
        if match[0] == between:
            if not depth:
                parts.append(text[begin : match.start()].strip())
                begin = match.end()
        else:
            depth += 1 if match[0] in "[{(" else -1
    return [each for each in (*parts, text[begin:].strip()) if each]


def value_of(text: str, type: Type) -> Any:
    if type.says is bool:
        return text == "true"
    numbers = type.says in (int, float) or (type.values and isinstance(type.values[0], int))
    return msgspec.json.decode(text) if numbers else text


@cache
def type_of(text: str, name: str, *, is_file: bool = False) -> Type:
    """`name`: of the struct that an object becomes."""
    if text in SETS:
        name, text = text.title(), SETS[text]
    if match := LIST.fullmatch(text):
        least, most, inner = match.groups()
        each = type_of(inner, name, is_file=is_file)
        bounds = {"min_length": int(least or 0) or None, "max_length": int(most) if most else None}
        bounds = {key: value for key, value in bounds.items() if value is not None}
        return Type(list[each.annotation], bounds, members=each.members, many=True, inline=each.inline)
    if text[0] == "{":
        members, struct = object_of(text[1:-1], name)
        return Type(struct, members=members)
    if " or " in text:
        both = [type_of(each, name) for each in text.split(" or ")]
        return replace(both[0], says=both[0].annotation | both[1].annotation, meta={})
    word, _, rest = text.partition(" ")
    rest = SETS.get(rest, rest)
    match word:
        case "url":
            return Type(Link, inline=False)
        case "b64":
            return Type(Picture)
        case "str" if is_file:
            return Type(Picture)
        case "str" if rest.startswith("/"):
            return Type(str, {"pattern": rest.strip("/")})
        case "str":
            least, most = bounds_of(rest, int)
            lengths = {"min_length": least or None, "max_length": most}
            return Type(str, {key: value for key, value in lengths.items() if value is not None})
        case "int" if "|" in rest or (rest and ".." not in rest):
            values = tuple(int(each) for each in rest.split("|"))
            return Type(ANY[values], values=values, least=min(values), most=max(values))
        case "int":
            least, most = bounds_of(rest, int)
            return Type(int, {"ge": -WIDE if least is None else least, "le": WIDE if most is None else most},
                        least=least, most=most)  # fmt: skip
        case "num":
            least, most = bounds_of(rest, float)
            return Type(float, {"ge": -VAST if least is None else least, "le": VAST if most is None else most},
                        least=least, most=most)  # fmt: skip
        case "bool":
            return Type(bool)
        case _:
            listed = "|".join(SETS.get(each.strip(), each.strip()) for each in text.split("|"))
            return Type(ANY[tuple(listed.split("|"))], values=tuple(listed.split("|")))


def bounds_of(text: str, number: Callable[[str], Any]) -> tuple[Any, Any]:
    least, _, most = text.partition("..")
    return number(least) if least else None, number(most) if most else None


@cache
def object_of(text: str, name: str) -> tuple[tuple[Member, ...], type[Struct]]:
    members = members_of(text, name, between=",", files=name.endswith("ReferenceImages"))
    return members, struct_of(name, members)


def struct_of(name: str, members: tuple[Member, ...]) -> type[Struct]:
    fields: list[Any] = [
        (each.name, each.annotation) if each.required else (each.name, each.annotation, None) for each in members
    ]
    return msgspec.defstruct(name, fields, frozen=True, kw_only=True, module=__name__)


# -- what a member says ----------------------------------------------------------------------

CLIPS = frozenset({Operation.TEXT_TO_VIDEO, Operation.IMAGE_TO_VIDEO})
PICTURES = frozenset({Operation.TEXT_TO_IMAGE, Operation.IMAGE_TO_IMAGE})

FILES: Mapping[str, Role | None] = {
    **dict.fromkeys(("image", "image_url", "input_image", "input_image_2", "input_image_3", "input_image_4")),
    **dict.fromkeys(("video", "video_url")),
    **dict.fromkeys(("first_frame", "first_frame_image", "first_image_url", "start_image_url"), Role.FIRST_FRAME),
    **dict.fromkeys(
        ("image_tail", "image_end", "last_frame", "last_frame_image", "last_image_url", "end_image_url"),
        Role.LAST_FRAME,
    ),
    **dict.fromkeys(("reference_image", "reference_images", "images", "image_urls"), Role.REFERENCE),
    "video_urls": Role.REFERENCE_VIDEO,
    **dict.fromkeys(("audio", "audio_url"), Role.AUDIO),
    **dict.fromkeys(("mask", "static_mask"), Role.MASK),
}
"""Members that name a file, and what it is for; None: that depends on what is made."""
SAME: Mapping[str, str] = {
    **dict.fromkeys(("prompt", "text", "description"), "prompt"),
    "negative_prompt": "negative_prompt",
    "num_images": "count",
    **dict.fromkeys(("fps", "frames_per_second"), "fps"),
    **dict.fromkeys(("width", "image_size.width"), "width"),
    **dict.fromkeys(("height", "image_size.height"), "height"),
    **dict.fromkeys(("duration_seconds", "music_length_seconds"), "seconds"),
    "watermark": "watermark",
}
EXTRAS: Mapping[str, str] = {
    **dict.fromkeys(("generate_audio", "generate_audio_switch"), "audio"),
    "voice_id": "voice",
    "speed": "speed",
    "loop": "loop",
    "left": "left",
    "right": "right",
    "top": "up",
    "bottom": "down",
    "type": "improves",
    "additional_settings.prompt_extend": "prompt_extend",
    **{f"styling.{name}": f"styling_{name}" for name in ("styles", "characters")},
    **{
        name: name
        for name in (
            "multi_prompt", "multi_shot", "elements", "dynamic_masks", "structure_reference", "style_reference",
            "style_reference_images", "character_reference_images", "transfer_light_from_reference_image",
            "transfer_light_from_lightmap", "element_image_list", "element_video_list", "reference_type",
        )
    },
}  # fmt: skip
"""What decides what is made and has no field: an engine that does not know it does not make it. A member that is in no
table here changes how something is made; it goes to the vendor, and is told of where it goes elsewhere."""


class Frame(NamedTuple):
    """The sizes that a model makes."""

    shapes: Mapping[str, str]  # ours → the vendor's word: "16:9" → "widescreen_16_9"
    tiers: Mapping[str, str]  # "1080p" → "1080P"
    areas: Mapping[str, float]  # of each tier, in pixels
    sizes: Mapping[str, Mapping[str, tuple[int, int]]]  # as the catalog has them
    fixed: float | None  # the one area of a model that lets nobody choose


TIERS = {"1440p": "2k", "2160p": "4k"}
GRADES = ("low", "medium", "high")
"""Words beside the tiers of which the vendor does not say what size they are."""
SIDES = {"1k": 1024, "2k": 2048, "4k": 4096}
"""Of a square picture."""
SHAPE_AT_END = re.compile(r"(\d+)[_:](\d+)$")
PATH_TIER = re.compile(r"-(\d+p)\b")
NAMED_SIZES = {
    "square": (512, 512), "square_hd": (1024, 1024), "portrait_3_4": (768, 1024), "portrait_9_16": (576, 1024),
    "landscape_4_3": (1024, 768), "landscape_16_9": (1024, 576),
}  # fmt: skip
SAME_SHAPE, SAME_AREA = 0.01, 0.03


def shape_of(word: str) -> str | None:
    """square_1_1 → 1:1"""
    match = SHAPE_AT_END.search(word)
    return f"{match[1]}:{match[2]}" if match else None


def frame_of(sold: Sold, path_tier: str, known: Mapping[str, Member]) -> Frame:
    asked = known.get("aspect_ratio") or known.get("image.size")
    shapes = {shape: word for word in asked.type.values if (shape := shape_of(word))} if asked else {}
    told = known["resolution"].type.values if "resolution" in known else ()
    tiers: dict[str, str] = {tier_of(word): word for word in map(str, told) if word not in GRADES}
    if not PICTURES.isdisjoint(sold.makes.values()):
        sides = {tier: SIDES[tier] for tier in tiers} or {"": sold.side}
        sizes = {tier: {shape: square(side, shape, sold.longest) for shape in shapes} for tier, side in sides.items()}
        return Frame(shapes, tiers, {tier: side**2 for tier, side in sides.items()}, sizes, None)
    areas = {tier: area_of(tier) for tier in tiers}
    return Frame(shapes, tiers, areas, {}, area_of(path_tier) if path_tier and not tiers else None)


def tier_of(word: str) -> str:
    """1080P → 1080p"""
    return TIERS.get(word.lower(), word.lower())


def square(side: int, shape: str, longest: int | None) -> tuple[int, int]:
    """A shape at the area of a square, both sides even."""
    aspect = aspect_of(shape)
    width, height = side * math.sqrt(aspect), side / math.sqrt(aspect)
    factor = min(1.0, longest / max(width, height)) if longest else 1.0
    return 2 * round(width * factor / 2), 2 * round(height * factor / 2)


def meanings(sold: Sold, frame: Frame, known: Mapping[str, Member]) -> dict[str, AnyField]:
    """Dotted path → what it says, of the members that say something of ours."""
    found: dict[str, AnyField] = {}
    for at, member in known.items():
        field = sold.means[at] if at in sold.means else meaning(sold, frame, at, member)
        if isinstance(field, FileField):
            field = replace(field, limits=sold.limits.get(family_of(field.role)))
        if field is not None:
            found[at] = field
    return found


def leaves(members: tuple[Member, ...], above: str = "") -> Iterator[tuple[str, Member]]:
    """Every member, those of objects by their dotted path."""
    for each in members:
        yield f"{above}{each.name}", each
        if each.type.members and not each.type.many:
            yield from leaves(each.type.members, f"{above}{each.name}.")


def meaning(sold: Sold, frame: Frame, at: str, member: Member) -> AnyField | None:
    type = member.type
    if at in FILES and not (type.members and not type.many):
        return file_of(sold, at, type)
    if at in SAME:
        return same(SAME[at])
    if at in EXTRAS:
        return extra(EXTRAS[at])
    match at:
        case "aspect_ratio" | "image.size":
            return shaped(frame, type.values)
        case "ratio" | "size":
            return in_pixels(":" if at == "ratio" else "*")
        case "resolution":
            return tiered(frame)
        case "image_size" if type.values:
            return named()
        case "duration" if type.values and isinstance(type.values[0], str):
            return seconds()
        case "duration":
            return same("seconds")
        case "seed":
            return seed(int(type.least or 0), int(WIDE if type.most is None else type.most))
        case "output_format" | "format":
            return extra("format")
        case "output_options.mime_type":
            return renamed("format", {"image/png": "png", "image/jpeg": "jpeg"})
        case "scale_factor":
            return factor("x" if type.values else "")
        case "style_strength":
            return Field(
                ours=("strength",),
                read=lambda value: {"extra": {"strength": value / 100}},
                write=lambda wish: None if (told := wish.extra.get("strength")) is None else round(told * 100),
            )
        case "imagination":
            return renamed("strength", {"subtle": 0.25, "vivid": 0.55, "wild": 0.85})
        case "character.uri":
            return FileField(role=Role.CHARACTER, ways=BY_LINK)
        case "character.type":
            return Field(ours=("character_type",), read=lambda value: {"extra": {"character_type": value}},
                         write=lambda wish: wish.extra.get("character_type", "image"))  # fmt: skip
        case "reference.uri":
            return FileField(role=Role.REFERENCE_VIDEO, ways=BY_LINK, beside={"type": "video"})
        case _:
            return None


def file_of(sold: Sold, at: str, type: Type) -> FileField:
    makes = set(sold.makes.values())
    role = FILES[at]
    acted = Operation.CHARACTER_PERFORMANCE in makes
    if role is None and at.startswith("video"):
        role = Role.REFERENCE_VIDEO if acted else Role.VIDEO
    elif role is None:
        role = Role.CHARACTER if acted else Role.FIRST_FRAME if makes & CLIPS else Role.IMAGE
    names = [each.name for each in type.members]
    item = next((name for name in ("url", "image") if name in names), "")
    # what else an item says goes with it as a weight does, which only the same vendor understands
    weight = next((name for name in ("reference_voice", "text") if name in names), "")
    return FileField(role=role, ways=WAYS if type.inline else BY_LINK, many=type.many, item=item,
                     weight=weight, written=typed if "mime_type" in names else None)  # fmt: skip


def typed(link: str) -> Json:
    """A reference with its media type, which is to be there, by what its name tells."""
    ending = link.partition("?")[0].rpartition(".")[2].lower()
    if link.startswith("data:image/"):
        ending = link.partition(";")[0].removeprefix("data:image/")
    return {"image": link, "mime_type": {"png": "image/png", "webp": "image/webp"}.get(ending, "image/jpeg")}


def shaped(frame: Frame, listed: tuple[str, ...]) -> Field:
    """The shape of the frame by its word; of a size, the shape that it has, where the model makes that size."""

    def write(wish: Generation) -> Any:
        if (size := _wan.size_of(VENDOR, wish)) is None:
            told = wish.extra.get("ratio")
            if told in ("auto", "adaptive"):
                return next((word for word in ("auto", "original") if word in listed), None)
            return frame.shapes.get(str(told), told)
        if frame.fixed and abs(size[0] * size[1] / frame.fixed - 1) > SAME_AREA:
            return f"{size[0]}x{size[1]}"  # which the body's type refuses, with what would be right
        sizes = {pixels: shape for each in frame.sizes.values() for shape, pixels in each.items()}
        near = (shape for shape in frame.shapes if abs(size[0] / size[1] / aspect_of(shape) - 1) < SAME_SHAPE)
        shape = sizes.get(size) or next(near, "")
        return frame.shapes.get(shape, f"{size[0]}x{size[1]}")

    def read(word: str) -> Json:
        return {"extra": {"ratio": shape_of(word) or "auto"}}

    return Field(ours=("ratio", "width", "height"), read=read, write=write)


def tiered(frame: Frame) -> Field:
    """The tier by its word; of a size, that of as many pixels."""

    def write(wish: Generation) -> Any:
        if wish.extra.get("quality") in GRADES:
            return wish.extra["quality"]
        if wish.resolution is not None or (size := _wan.size_of(VENDOR, wish)) is None:
            return frame.tiers.get(wish.resolution or "", wish.resolution)
        sizes = {pixels: tier for tier, each in frame.sizes.items() for pixels in each.values()}
        area = size[0] * size[1]
        near = (tier for tier, wanted in frame.areas.items() if abs(area / wanted - 1) < SAME_AREA)
        return frame.tiers.get(sizes.get(size) or next(near, ""), f"{size[0]}x{size[1]}")

    def read(word: str) -> Json:
        if word in GRADES:
            return {"extra": {"quality": word}}
        return {"resolution": tier_of(word)}

    return Field(ours=("resolution", "width", "height", "quality"), read=read, write=write)


def in_pixels(between: str) -> Field:
    def write(wish: Generation) -> str | None:
        return f"{size[0]}{between}{size[1]}" if (size := _wan.size_of(VENDOR, wish)) else wish.resolution

    return replace(pixels(between), ours=("width", "height", "resolution"), write=write)


def named() -> Field:
    def write(wish: Generation) -> str | None:
        size = _wan.size_of(VENDOR, wish)
        return next((word for word, pixels in NAMED_SIZES.items() if pixels == size), f"{size[0]}x{size[1]}") if (
            size
        ) else None  # fmt: skip

    def read(word: str) -> Json:
        return {"width": NAMED_SIZES[word][0], "height": NAMED_SIZES[word][1]}

    return Field(ours=("width", "height"), read=read, write=write)


def renamed(name: str, theirs: Mapping[str, Any]) -> Field:
    """A closed list in `extra`: their value → ours."""
    back = {ours: word for word, ours in theirs.items()}
    return Field(ours=(name,), read=lambda word: {"extra": {name: theirs[word]}},
                 write=lambda wish: back.get(wish.extra.get(name), wish.extra.get(name)))  # fmt: skip


def factor(suffix: str) -> Field:
    """How many times larger, as a text "2x" or as a number."""

    def read(value: Any) -> Json:
        return {"extra": {"scaleFactor": int(str(value).removesuffix("x"))}}

    def write(wish: Generation) -> Any:
        told = wish.extra.get("scaleFactor")
        return f"{told}{suffix}" if suffix and told is not None else told

    return Field(ours=("scaleFactor",), read=read, write=write)


def seed(least: int, most: int) -> Field:
    """Drawn by the vendor where it is below 0. One out of the range is folded into it, the same every time."""

    def read(value: int) -> Json:
        return {} if value < 0 else {"seed": value}

    return replace(folded(most, max(least, 0)), read=read)


# -- endpoints and rows ----------------------------------------------------------------------

WHAT: Mapping[Operation, str] = {
    Operation.TEXT_TO_IMAGE: "picture from text",
    Operation.IMAGE_TO_IMAGE: "picture from pictures",
    Operation.TEXT_TO_VIDEO: "video from text",
    Operation.IMAGE_TO_VIDEO: "video from a picture",
    Operation.VIDEO_TO_VIDEO: "video from a video",
    Operation.IMAGE_UPSCALE: "a larger picture",
    Operation.VIDEO_UPSCALE: "a larger video",
}


def title_of(sold: Sold, path: str) -> str:
    made = dict.fromkeys(WHAT.get(each, each.value.replace("_", " ")) for each in sold.makes.values())
    return f"{path.rpartition('/')[2]}, {' or '.join(made)}"


def name_of(path: str) -> str:
    return re.sub(r"[^A-Za-z0-9]", "", path.title())


def body_of(sold: Sold) -> str:
    told = sold.body
    return told if "webhook_url" in told or not sold.webhook else f"{told}; webhook_url: url"


def idle_of(members: tuple[Member, ...], fields: Mapping[str, AnyField], above: str = "") -> Iterator[str]:
    """The members that no field speaks of."""
    for each in members:
        at = f"{above}{each.name}"
        if at in fields or at in ("webhook_url", "reference.type"):  # the one is ours, the other always the same
            continue
        if each.type.members and not each.type.many and any(path.startswith(f"{at}.") for path in fields):
            yield from idle_of(each.type.members, fields, f"{at}.")
        else:
            yield at


class Entry(NamedTuple):
    """A row of the table, read."""

    sold: Sold
    name: str  # of the type of its body
    members: tuple[Member, ...]
    known: dict[str, Member]  # by dotted path
    tiers: dict[str, str]  # path of a model → the tier that it names
    frames: dict[str, Frame]  # by that tier


def entry(sold: Sold) -> Entry:
    name = name_of(sold.paths[0])
    members = members_of(body_of(sold), name)
    known = dict(leaves(members))
    tiers = {path: match[1] if (match := PATH_TIER.search(path)) else "" for path in sold.paths}
    return Entry(sold, name, members, known, tiers, {tier: frame_of(sold, tier, known) for tier in {*tiers.values()}})


ENTRIES = tuple(map(entry, TABLE))
LIMITED = {
    path: (each.known[limits[0]], limits[1])
    for each in ENTRIES
    if (limits := each.sold.limits_by)
    for path in each.sold.paths
}
"""By path the member that says what files may be, and how."""


def endpoints(answers: Mapping[str, Json]) -> Iterator[Endpoint]:
    """One for each path. `answers`: the members of an endpoint for each word that a row may have."""
    for sold, name, members, known, tiers, frames in ENTRIES:
        struct = struct_of(name, members)
        body = Annotated[struct, Meta(extra_json_schema=needing(sold.one_of))] if sold.one_of else struct
        if sold.example:
            body = Annotated[body, Meta(examples=[sold.example])]
        fields = {tier: meanings(sold, frame, known) for tier, frame in frames.items()}
        idle = tuple(idle_of(members, fields[tiers[sold.paths[0]]]))
        for path in sold.paths:
            yield Endpoint(
                at=path, title=title_of(sold, path), body=body, makes=sold.makes, models=(path,), model_at=None,
                route=sold.reads or path, shown=sold.reads, fields=fields[tiers[path]], exact=True, idle=idle,
                rules=rules_of(sold), says=sold.says, **answers[sold.answer],
                fixed={"webhook_url": NOWHERE} if "webhook_url*" in sold.body else {},
            )  # fmt: skip


def needing(names: tuple[str, ...]) -> Json:
    """The rule of `one_of` for the published description: one of these is there, and says something."""
    some: Json = {"not": {"enum": [None, "", 0, []]}}
    return {"anyOf": [{"required": [name], "properties": {name: some}} for name in names]}


def rules_of(sold: Sold) -> Callable[[Json], Iterator[Flaw]] | None:
    if not (sold.one_of or sold.apart or sold.never or sold.needs or sold.narrows or sold.together or sold.lasting):
        return None
    needed = bodykit.one_of(sold.one_of) if sold.one_of else None

    def rules(said: Json) -> Iterator[Flaw]:
        if needed:
            yield from needed(said)
        yield from (custom_flaw((name,), f"Value error, {told}") for name, told in between(sold, said))

    return rules


def between(sold: Sold, said: Json) -> Iterator[tuple[str, str]]:
    """What is wrong between members: the one to change, and what would be right."""
    first, *more = [name for name in sold.apart if said.get(name)] or [""]
    yield from ((name, f"{name} is not taken beside {first}") for name in more)
    for name in sold.never:
        if said.get(name):
            others = ", ".join(each for other in TABLE if other.reads == sold.reads and not other.never
                               for each in other.paths)  # fmt: skip
            yield name, f"{name} is not taken here, only at {others}"
    for name, other in sold.needs.items():
        if said.get(name) and not said.get(other):
            yield name, f"{name} is taken beside {other} only"
    for name, value, other, right in sold.narrows:
        if said.get(name) == value and said.get(other) is not None and said[other] not in right:
            yield other, f"{other} should be {' or '.join(map(str, right))} where {name} is {value}"
    if sold.together:
        names, most = sold.together
        sent = [name for name in names for _ in paths.at(said, f"{name}.*")]
        if len(sent) > most:
            yield sent[-1], f"{' and '.join(names)} should have at most {most} items together, not {len(sent)}"
    if sold.lasting:
        name, longest = sold.lasting
        length = sum(int(each) for each in map(str, paths.at(said, f"{name}.*.duration")) if each.isdecimal())
        if length > longest:
            yield name, f"the durations of {name} should be at most {longest} seconds together, not {length}"


def limited(path: str, said: Json, inputs: tuple[Input, ...]) -> tuple[Input, ...]:
    """The inputs of a model with the limits that a member of its body sets them."""
    member, limits = LIMITED[path]
    word = str(member.default if said.get(member.name) is None else said[member.name])
    set_here = limits.get(word, {})
    return tuple(replace(each, limits=set_here.get(family_of(each.role), each.limits)) for each in inputs)


def family_of(role: Role) -> str:
    return {Role.VIDEO: "video", Role.REFERENCE_VIDEO: "video", Role.AUDIO: "audio"}.get(role, "image")


NOWHERE = "https://nobody.invalid/"
"""For news that a vendor insists to send, where it is not to send any: what there is to know is asked for."""

PRICES: Mapping[Operation, Price] = {
    **dict.fromkeys(CLIPS | {Operation.VIDEO_TO_VIDEO, Operation.CHARACTER_PERFORMANCE, Operation.LIP_SYNC,
                             Operation.VIDEO_UPSCALE, Operation.VOICE_ISOLATION}, a_second(10)),
    **dict.fromkeys((Operation.IMAGE_UPSCALE, Operation.SOUND_EFFECT, Operation.TEXT_TO_MUSIC), a_job(10)),
    **dict.fromkeys((Operation.IMAGE_TO_TEXT, Operation.TEXT_TO_TEXT), a_job(1)),
    Operation.TEXT_TO_SPEECH: nominal(character=0.02),
    Operation.FINETUNE: a_job(200),
}  # fmt: skip
"""Nominal: Freepik publishes none. Whatever is not here is a picture."""
AN_IMAGE = an_image(5)


def rows() -> Iterator[Model]:
    """Each path is a model of the catalog."""
    for sold, _, _, known, tiers, frames in ENTRIES:
        duration, asked = known.get("duration"), known.get("aspect_ratio")
        longest = max(map(float, duration.type.values), default=duration.type.most or 0) if duration else 0
        price = PRICES.get(next(iter(sold.makes.values())), AN_IMAGE)
        shape = (shape_of(str(asked.default)) if asked else None) or "1:1"
        for path in sold.paths:
            sizes = frames[tiers[path]].sizes
            yield Model(
                name=f"freepik/{path}", vendor=sold.maker, serves=frozenset(sold.makes.values()), price=price,
                defaults=defaults_of(sold, tiers[path], known), max_seconds=longest or None, ignores=ADVICE,
                names={"freepik": (path,)}, sizes=sizes, shape=shape if sizes else "16:9",
            )  # fmt: skip


def defaults_of(sold: Sold, path_tier: str, known: Mapping[str, Member]) -> Json:
    """What the vendor does where nobody says otherwise."""
    makes = set(sold.makes.values())
    usual = {name: member.default for name, member in known.items() if member.default is not None}
    if makes & PICTURES:
        return dict(zip(("width", "height"), picture_size(sold, usual), strict=True))
    if not makes & CLIPS:
        return {}
    values = known["duration"].type.values if "duration" in known else ()
    length = usual.get("duration") or next(iter(values), 5)
    told: Json = {"seconds": float(length), "fps": usual.get("fps") or usual.get("frames_per_second") or 24}
    for name, between in (("ratio", ":"), ("size", "*")):
        if name in usual:
            width, height = map(int, usual[name].split(between))
            return told | {"width": width, "height": height}
    return told | {"resolution": tier_of(str(usual.get("resolution") or path_tier or sold.tier))}


def picture_size(sold: Sold, usual: Json) -> tuple[int, int]:
    if size := NAMED_SIZES.get(str(usual.get("image_size"))):
        return size
    if "width" in usual:
        return usual["width"], usual["height"]
    side = SIDES.get(tier_of(str(usual.get("resolution", ""))), sold.side)
    return square(
        side, shape_of(str(usual.get("aspect_ratio") or usual.get("image.size") or "")) or "1:1", sold.longest
    )


ROWS: tuple[Model, ...] = tuple(rows())
NAMES = frozenset(each.name for entry in ENTRIES for each in entry.members if each.name != "model")
"""Of the members of all bodies. That which mystic calls its model is none of the catalog's."""
SPELLINGS: Mapping[str, bytes] = {
    path: rb'\1"\3"' if isinstance(each.type.values[0], str) else rb"\1\3"
    for entry in ENTRIES
    if (each := entry.known.get("duration")) and each.type.values
    for path in entry.sold.paths
}
"""What a duration of a closed list is to look like, by path."""
