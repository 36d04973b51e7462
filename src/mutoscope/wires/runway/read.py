"""Turns Runway's request bodies into generations, and finds the flaws that a schema alone cannot say.

Where the fields of a body go:

- `ratio` that is a size in pixels ("1280:720") becomes width and height; `auto_720p` and its like the resolution
  "720p", with "auto" in `extra["ratio"]`; a shape ("16:9", "adaptive", "auto") stays there as it is.
- `resolution` is a tier and becomes the resolution, in lower case ("768P" → "768p").
- `duration` in seconds becomes the seconds; the word "auto" stays in `extra["duration"]`.
- Members that hold files become inputs, by the tables below. What else stands beside a file's URI stays in `extra`
  under the member's name, one object for each file.
- `mode` "extend" becomes the operation.
- Everything else stays in `extra` under the vendor's name.
"""

import re
from collections.abc import Callable, Iterator
from functools import cache
from itertools import chain
from typing import Any, Literal, NamedTuple, cast, get_args, get_origin, get_type_hints

import msgspec
from msgspec import inspect

from mutoscope.model.http import HttpRequest
from mutoscope.model.job import Generation, Input, Json, MediaLimits, Operation, Role
from mutoscope.model.problem import Flaw, Problem, Rule, custom_flaw
from mutoscope.model.requests import Submission
from mutoscope.wirekit.body import Path, dotted, invalid, read_body, read_json, unread, with_others
from mutoscope.wirekit.media import BadSource, source
from mutoscope.wires.runway.pieces import (
    AUDIO_PATTERN,
    IMAGE_PATTERN,
    MAX_LINK,
    MAX_UPLOAD_URI,
    UPLOAD_SCHEME,
    VIDEO_PATTERN,
)

VERSION_HEADER, VERSION = "x-runway-version", "2024-11-06"
"""Every call names the version of the API that it speaks."""

MEGABYTE = 1024 * 1024
PIXELS = re.compile(r"(\d{3,5}):(\d{3,5})", re.ASCII)
AUTO = "auto"
AUTO_TIER = re.compile(rf"{AUTO}_(\w+)", re.ASCII)

TEXTS = {"promptText": "prompt", "negativePrompt": "negative_prompt"}
NAMED = {**TEXTS, "seed": "seed", "outputCount": "count", "watermark": "watermark"}
"""Members that are a field of the generation, as they stand."""
CALLERS_NAMES = {"width": "ratio", "height": "ratio", "seconds": "duration"} | {v: k for k, v in NAMED.items()}

ROLES = {
    "promptImage": Role.FIRST_FRAME,
    "references": Role.REFERENCE,
    "referenceImages": Role.REFERENCE,
    "keyframes": Role.REFERENCE,
    "referenceVideos": Role.REFERENCE_VIDEO,
    "reference": Role.REFERENCE_VIDEO,
    "referenceAudio": Role.AUDIO,
    "referenceAudios": Role.AUDIO,
    "voice": Role.AUDIO,
    "audioUri": Role.AUDIO,
    "media": Role.AUDIO,
    "videoUri": Role.VIDEO,
    "promptVideo": Role.VIDEO,
    "imageUri": Role.IMAGE,
    "maskUri": Role.MASK,
    "character": Role.CHARACTER,
}
"""Members that hold files, and what a file there is for unless its position or type says otherwise."""
URI_KEYS = ("uri", "audioUri")
HEARD = (*URI_KEYS, "tag", "type")
"""What inputs hold of a file, beside a position that is one of these."""
POSITIONS = {"first": Role.FIRST_FRAME, "last": Role.LAST_FRAME}
FAMILIES = {
    Role.VIDEO: "video",
    Role.REFERENCE_VIDEO: "video",
    Role.AUDIO: "audio",
}
"""Every other role takes images."""
PATTERNS = {"image": IMAGE_PATTERN, "video": VIDEO_PATTERN, "audio": AUDIO_PATTERN}

MODES = {"extend": Operation.VIDEO_EXTENSION}
"""Modes that are an operation of their own; the others stay words."""

IMAGE_TYPES = ("image/jpeg", "image/png", "image/webp")
VIDEO_TYPES = ("video/mp4", "video/quicktime", "video/webm", "video/x-matroska", "video/x-msvideo", "video/ogg")
LINK_BYTES = {"image": 16 * MEGABYTE, "video": 32 * MEGABYTE, "audio": 32 * MEGABYTE}
MIN_UPLOAD, UPLOAD_BYTES = 512, 200 * MEGABYTE
MAX_SIDE = 8000
ASPECTS = {"gen4_turbo": (0.5, 2.0), "gen3a_turbo": (0.5, 2.0)}
SECONDS: dict[tuple[str, str], tuple[float | None, float | None]] = {
    ("act_two", "reference"): (3, 30),
    ("aleph2", "videoUri"): (None, 30),
    ("gen4_aleph", "videoUri"): (None, 30),
}
"""How short and how long the video in a model's member may be."""


class File(NamedTuple):
    """A file that a body names, with what is said of it."""

    member: str
    path: Path
    uri: str
    role: Role
    family: str
    label: str | None


def parse_submission(operation: Operation, type: Any, request: HttpRequest) -> Submission:
    return submission(operation, request.body, type)


def submission(
    operation: Operation, body: bytes, type: Any, *, adapt: Callable[[Json], Json] | None = None
) -> Submission:
    """Read a body. `adapt` may put its members into the vendor's form; those may have flaws.

    Raises Problem(INVALID) with everything that is wrong.
    """
    said, flaws = read(body, type)
    values = adapt(said) if adapt else said
    files = tuple(as_written(each, said) for each in files_in(values))
    rules = (text_flaws(values, type), file_flaws(files), keyframe_flaws(values), position_flaws(values))
    flaws = with_others(flaws, chain.from_iterable(rules))
    known = {flaw.path for flaw in flaws}
    inputs, broken = read_inputs(tuple(each for each in files if each.path not in known), str(values.get("model")))
    if flaws or broken:
        raise invalid((*flaws, *broken))
    model = values.pop("model")
    fields: Json = {}
    extra: Json = {}
    for name, value in values.items():
        if name in NAMED:
            fields[NAMED[name]] = value
        elif name in ROLES:
            extra |= left_over(name, value)
        else:
            add(fields, extra, name, value)
    if extra.get("mode") in MODES:
        operation = MODES[extra.pop("mode")]
    generation = Generation(operation=operation, model=model, inputs=inputs, extra=extra, **fields)
    return Submission(generation=generation, fields=callers_names(files), notes=unread(body, type, model))


def read(body: bytes, type: Any) -> tuple[Json, tuple[Flaw, ...]]:
    """The members that the body's model knows, as plain values, and where they break its schema; then they are as they
    were sent. Raises Problem(INVALID) when there are none to read."""
    try:
        return msgspec.to_builtins(read_body(body, type)), ()
    except Problem as problem:
        if any(not flaw.path for flaw in problem.flaws):  # no JSON, or no object
            raise
        values = cast("Json", read_json(body))
        return values, tuple(with_choices(flaw, type, values) for flaw in problem.flaws)


def add(fields: Json, extra: Json, name: str, value: Any) -> None:
    """Put a member that holds no file where it belongs."""
    match name, value:
        case "duration", int() | float():
            fields["seconds"] = float(value)
        case "resolution", str():
            fields["resolution"] = value.lower()
        case "ratio", str():
            if size := PIXELS.fullmatch(value):
                fields["width"], fields["height"] = int(size[1]), int(size[2])
            elif tier := AUTO_TIER.fullmatch(value):
                fields["resolution"], extra[name] = tier[1], AUTO
            else:
                extra[name] = value
        case _:
            extra[name] = value


def callers_names(files: tuple[File, ...]) -> dict[str, str]:
    return CALLERS_NAMES | {each.role.value: each.member for each in files}


# ---- files


def files_in(values: Json) -> Iterator[File]:
    """Every file that a body names. The body may be one that has flaws."""
    for member, value in values.items():
        if member not in ROLES:
            continue
        items = cast("list[Any]", value) if isinstance(value, list) else [value]
        for index, item in enumerate(items):
            where = (member, index) if isinstance(value, list) else (member,)
            if isinstance(item, str):
                yield file(member, where, item, {})
            elif isinstance(item, dict):
                said = cast("Json", item)
                for key in URI_KEYS:
                    if isinstance(uri := said.get(key), str):
                        yield file(member, (*where, key), uri, said)


def as_written(file: File, said: Json) -> File:
    """With the place as the caller wrote it, who may have sent a text where the vendor's form has an object."""
    at: Any = said
    for depth, step in enumerate(file.path):
        at = at[step]
        if isinstance(at, str):
            return file._replace(path=file.path[: depth + 1])
    return file


def file(member: str, path: Path, uri: str, said: Json) -> File:
    role = role_of(member, said)
    family = FAMILIES.get(role, "image")
    if role is Role.CHARACTER:
        family = "video" if said.get("type") == "video" else "image"
    tag = said.get("tag")
    return File(member, path, uri, role, family, tag if isinstance(tag, str) else None)


def role_of(member: str, said: Json) -> Role:
    positioned = POSITIONS.get(str(said.get("position")))
    if member == "promptImage" and said:
        return positioned or Role.REFERENCE
    if member == "references" and positioned:
        return positioned
    if member == "media" and said.get("type") == "video":
        return Role.VIDEO
    return ROLES[member]


def left_over(member: str, value: Any) -> Json:
    """What is said of a member's files beside what their inputs hold; empty when that is all."""
    if not isinstance(value, list):
        rest = unheard(value)
        return {member: rest} if rest else {}
    items = [unheard(item) for item in cast("list[Any]", value)]
    return {member: items} if any(items) else {}


def unheard(item: Any) -> Json:
    if not isinstance(item, dict):
        return {}
    said = cast("Json", item)
    if said.keys().isdisjoint(URI_KEYS):
        return said
    heard = (*HEARD, *(["position"] if said.get("position") in POSITIONS else []))
    return {key: each for key, each in said.items() if key not in heard}


def read_inputs(files: tuple[File, ...], model: str) -> tuple[tuple[Input, ...], tuple[Flaw, ...]]:
    """The files as inputs, and what is wrong with the others: data URIs that cannot be decoded."""
    inputs: list[Input] = []
    flaws: list[Flaw] = []
    for each in files:
        try:
            inputs.append(read_input(each, model))
        except BadSource as error:
            flaws.append(custom_flaw(each.path, reworded(error)))
    return tuple(inputs), tuple(flaws)


def reworded(error: BadSource) -> str:
    text = str(error)
    return text if "Invalid data URI" in text else f"Invalid asset URI: it {text} or a Runway upload URI"


def read_input(file: File, model: str) -> Input:
    field, limits = dotted(file.path), limits_of(file, model)
    if file.uri.startswith(UPLOAD_SCHEME):
        upload = file.uri.removeprefix(UPLOAD_SCHEME)
        return Input(role=file.role, field=field, upload=upload, limits=limits, label=file.label)
    read = source(file.uri, role=file.role, field=field, limits=limits)
    return msgspec.structs.replace(read, label=file.label)


def limits_of(file: File, model: str) -> MediaLimits:
    """What the vendor takes there. A data URI's size is bounded by its text, which the body's schema holds."""
    if file.uri.startswith(UPLOAD_SCHEME):
        max_bytes = UPLOAD_BYTES
    else:
        max_bytes = None if file.uri.startswith("data:") else LINK_BYTES[file.family]
    if file.family == "audio":
        return MediaLimits(max_bytes=max_bytes)
    if file.family == "video":
        shortest, longest = SECONDS.get((model, file.member), (None, None))
        types = VIDEO_TYPES if file.role is Role.CHARACTER else ()
        return MediaLimits(
            types=types, max_bytes=max_bytes, max_side=MAX_SIDE, min_seconds=shortest, max_seconds=longest
        )
    narrowest, widest = ASPECTS.get(model, (None, None))
    return MediaLimits(
        types=IMAGE_TYPES, max_bytes=max_bytes, max_side=MAX_SIDE, min_aspect=narrowest, max_aspect=widest
    )


# ---- flaws


def file_flaws(files: tuple[File, ...]) -> Iterator[Flaw]:
    """A URI of the wrong kind, or a link that is too long."""
    for each in files:
        longest = MAX_UPLOAD_URI if each.uri.startswith(UPLOAD_SCHEME) else MAX_LINK
        if not re.match(PATTERNS[each.family], each.uri):
            yield Flaw(path=each.path, rule=Rule.PATTERN, bound=PATTERNS[each.family])
        elif not each.uri.startswith("data:") and len(each.uri) > longest:
            yield Flaw(path=each.path, rule=Rule.MAX_LENGTH, bound=longest, found=len(each.uri))


def text_flaws(values: Json, type: Any) -> Iterator[Flaw]:
    """The vendor counts UTF-16 code units, of which a character outside the basic plane has two."""
    bounds = longest_texts(type).get(str(values.get("model")), {})
    for name in TEXTS:
        text, longest = values.get(name), bounds.get(name)
        if isinstance(text, str) and longest is not None and len(text) <= longest < utf16_length(text):
            yield Flaw(path=(name,), rule=Rule.MAX_LENGTH, bound=longest, found=utf16_length(text))


def utf16_length(text: str) -> int:
    return len(text) + sum(character > "\uffff" for character in text)


def position_flaws(values: Json) -> Iterator[Flaw]:
    frames = values.get("promptImage")
    if not isinstance(frames, list):
        return
    items = cast("list[Any]", frames)
    said = [cast("Json", item).get("position") if isinstance(item, dict) else None for item in items]
    positions = [each if isinstance(each, str) else None for each in said]
    for index, position in enumerate(positions):
        if position in POSITIONS and position in positions[:index]:
            message = f"Duplicate position: more than one image has the position {position!r}"
            yield custom_flaw(("promptImage", index, "position"), message)
    if None in positions and any(position in POSITIONS for position in positions):
        message = "Images with a position (keyframes) and without one (references) cannot be mixed"
        yield custom_flaw(("promptImage",), message)


def keyframe_flaws(values: Json) -> Iterator[Flaw]:
    keyframes = values.get("keyframes")
    for index, keyframe in enumerate(cast("list[Any]", keyframes) if isinstance(keyframes, list) else ()):
        if isinstance(keyframe, dict) and ("seconds" in keyframe) == ("at" in keyframe):
            yield custom_flaw(("keyframes", index), "Exactly one of seconds and at is required")


def with_choices(flaw: Flaw, type: Any, values: Json) -> Flaw:
    """The vendor answers a missing member that has a list of values with that list."""
    if flaw.rule is not Rule.REQUIRED or len(flaw.path) != 1:
        return flaw
    struct = variants(type).get(str(values.get("model"))) or variants(type).get("")
    listed = choices(struct).get(str(flaw.path[0])) if struct else None
    return Flaw(path=flaw.path, rule=Rule.CHOICE, bound=listed, found="undefined") if listed else flaw


@cache
def variants(type: Any) -> dict[str, Any]:
    """Model → struct; the struct of an endpoint with one model is under "" as well."""
    structs = {each.__struct_config__.tag: each for each in get_args(type) or (type,)}
    return {tag or "": each for tag, each in structs.items()}


@cache
def choices(struct: Any) -> dict[str, tuple[Any, ...]]:
    hints = get_type_hints(struct, include_extras=True)
    names = dict(zip(struct.__struct_fields__, struct.__struct_encode_fields__, strict=True))
    return {names[name]: get_args(hint) for name, hint in hints.items() if get_origin(hint) is Literal}


@cache
def longest_texts(type: Any) -> dict[str, dict[str, int | None]]:
    """Model → member → how long its text may be."""
    bounds: dict[str, dict[str, int | None]] = {}
    for model, struct in variants(type).items():
        info = cast("inspect.StructType", inspect.type_info(struct))
        texts = {each.encode_name: each.type for each in info.fields if isinstance(each.type, inspect.StrType)}
        bounds[model] = {name: each.max_length for name, each in texts.items()}
    return bounds
