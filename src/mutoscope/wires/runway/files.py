"""Members of Runway's bodies that hold files: which file is what for, by where it stands.

What else stands beside a file's URI stays in `extra` under the member's name, one object for each file.
"""

import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple, cast

from msgspec import inspect
from msgspec.structs import replace

from mutoscope.model.job import Generation, Input, Json, MediaLimits, Role
from mutoscope.model.problem import Flaw, Kind, Problem, Rule, custom_flaw
from mutoscope.wirekit.answers import source_of
from mutoscope.wirekit.back import VendorRequest
from mutoscope.wirekit.body import Path, Shape, choices, dotted, familiar, shape_of, strange
from mutoscope.wirekit.fields import FilesField
from mutoscope.wirekit.forms import arms
from mutoscope.wirekit.media import BadSource, source
from mutoscope.wires.runway.issues import steps
from mutoscope.wires.runway.pieces import (
    AUDIO_PATTERN,
    IMAGE_PATTERN,
    MAX_LINK,
    MAX_UPLOAD_URI,
    UPLOAD_SCHEME,
    VIDEO_PATTERN,
)

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
FAMILIES = {Role.VIDEO: "video", Role.REFERENCE_VIDEO: "video", Role.AUDIO: "audio"}
"""Every other role takes images."""
PATTERNS = {"image": IMAGE_PATTERN, "video": VIDEO_PATTERN, "audio": AUDIO_PATTERN}

MEGABYTE = 1024 * 1024
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


class Place(NamedTuple):
    """A spot of a body that takes a file."""

    member: str
    role: Role
    family: str
    said: Json  # what has to stand beside its URI
    key: str  # of the URI; "" where it stands alone
    listed: bool
    tagged: bool  # whether a tag may stand beside it


def row(
    model: str,
    members: dict[str, inspect.Type],
    member: str,
    adapt: Callable[[list[Any]], list[Any]] = lambda items: items,
) -> FilesField:
    """`adapt`: a list as the vendor would have it, of one that has texts for objects."""
    places = tuple(place for name, type in members.items() if name in ROLES for place in places_in(name, type))
    here = tuple(each for each in places if each.member == member)
    shape = shape_of(members[member])
    home = ROLES[member].value if here else member
    roles = dict.fromkeys((home, *(each.role.value for each in here)))

    def write(order: VendorRequest) -> Any:
        given = sorted_out(model, order.generation.inputs, places).get(member, [])
        value = written(model, order, here, given, order.generation.extra.get(member))
        if next(strange(value, shape, ()), None):
            raise unsayable(model, member, f"{member} cannot be told as it was asked for")
        return value

    def named(wish: Generation, path: str) -> str:
        given = sorted_out(model, wish.inputs, places).get(member, [])
        index = next((step for step in steps(path) if isinstance(step, int)), 0 if len(given) == 1 else len(given))
        return given[index].role.value if index < len(given) else home

    more = (member,) if has_more(members[member]) and member not in roles else ()
    return FilesField(ours=(*roles, *more), read=partial(read, model, member, shape, adapt), write=write, named=named)


def unsayable(model: str, field: str, reason: str) -> Problem:
    return Problem(Kind.UNSUPPORTED, f"{model} at Runway: {reason}.", field=field)


# ---- reading


def read(
    model: str, member: str, shape: Shape, adapt: Callable[[list[Any]], list[Any]], value: Any
) -> Iterator[Input | Flaw | Json]:
    value = familiar(value, shape)
    many = isinstance(value, list)
    items = cast("list[Any]", value) if many else [value]
    seen = adapt(items) if many else items
    for index, (sent, item) in enumerate(zip(items, seen, strict=True)):
        path: Path = (member, index) if many else (member,)
        if isinstance(item, str):
            yield read_file(model, path, item, {})
        elif isinstance(item, dict):
            for key in URI_KEYS:
                if isinstance(uri := cast("Json", item).get(key), str):
                    yield read_file(model, path if isinstance(sent, str) else (*path, key), uri, cast("Json", item))
    rests = [unheard(item) for item in seen]
    if any(rests):
        yield {member: rests if many else rests[0]}


def read_file(model: str, path: Path, uri: str, said: Json) -> Input | Flaw:
    """The file, or what is wrong: a URI of the wrong kind, a link that is too long, a data URI that is none."""
    member = str(path[0])
    role = role_of(member, said)
    family = family_at(role, said)
    uploaded = uri.startswith(UPLOAD_SCHEME)
    longest = MAX_UPLOAD_URI if uploaded else MAX_LINK
    if not re.match(PATTERNS[family], uri):
        return Flaw(path=path, rule=Rule.PATTERN, bound=PATTERNS[family])
    if not uri.startswith("data:") and len(uri) > longest:
        return Flaw(path=path, rule=Rule.MAX_LENGTH, bound=longest, found=len(uri))
    tag = said.get("tag")
    label = tag if isinstance(tag, str) else None
    limits = limits_of(model, member, role, family, uri)
    if uploaded:
        upload = uri.removeprefix(UPLOAD_SCHEME)
        return Input(role=role, field=dotted(path), upload=upload, limits=limits, label=label)
    try:
        return replace(source(uri, role=role, field=dotted(path), limits=limits), label=label)
    except BadSource as error:
        told = str(error)
        why = told if "Invalid data URI" in told else f"Invalid asset URI: it {told} or a Runway upload URI"
        return custom_flaw(path, why)


def role_of(member: str, said: Json) -> Role:
    positioned = POSITIONS.get(str(said.get("position")))
    if member == "promptImage" and said:
        return positioned or Role.REFERENCE
    if member == "references" and positioned:
        return positioned
    if member == "media" and said.get("type") == "video":
        return Role.VIDEO
    return ROLES[member]


def family_at(role: Role, said: Json) -> str:
    if role is Role.CHARACTER:
        return "video" if said.get("type") == "video" else "image"
    return FAMILIES.get(role, "image")


def unheard(item: Any) -> Json:
    """What is said of a file beside what its input holds."""
    if not isinstance(item, dict):
        return {}
    said = cast("Json", item)
    if said.keys().isdisjoint(URI_KEYS):
        return said
    heard = (*HEARD, *(["position"] if str(said.get("position")) in POSITIONS else []))
    return {key: each for key, each in said.items() if key not in heard}


def limits_of(model: str, member: str, role: Role, family: str, uri: str) -> MediaLimits:
    """What the vendor takes there. A data URI's size is bounded by its text, which the body's schema holds."""
    if uri.startswith(UPLOAD_SCHEME):
        max_bytes = UPLOAD_BYTES
    else:
        max_bytes = None if uri.startswith("data:") else LINK_BYTES[family]
    if family == "audio":
        return MediaLimits(max_bytes=max_bytes)
    if family == "video":
        shortest, longest = SECONDS.get((model, member), (None, None))
        types = VIDEO_TYPES if role is Role.CHARACTER else ()
        return MediaLimits(
            types=types, max_bytes=max_bytes, max_side=MAX_SIDE, min_seconds=shortest, max_seconds=longest
        )
    narrowest, widest = ASPECTS.get(model, (None, None))
    return MediaLimits(
        types=IMAGE_TYPES, max_bytes=max_bytes, max_side=MAX_SIDE, min_aspect=narrowest, max_aspect=widest
    )


def position_flaws(frames: Any) -> Iterator[Flaw]:
    items = cast("list[Any]", frames) if isinstance(frames, list) else []
    said = [cast("Json", item).get("position") if isinstance(item, dict) else None for item in items]
    positions = [each if isinstance(each, str) else None for each in said]
    for index, position in enumerate(positions):
        if position in POSITIONS and position in positions[:index]:
            message = f"Duplicate position: more than one image has the position {position!r}"
            yield custom_flaw(("promptImage", index, "position"), message)
    if None in positions and any(position in POSITIONS for position in positions):
        message = "Images with a position (keyframes) and without one (references) cannot be mixed"
        yield custom_flaw(("promptImage",), message)


def keyframe_flaws(keyframes: Any) -> Iterator[Flaw]:
    for index, keyframe in enumerate(cast("list[Any]", keyframes) if isinstance(keyframes, list) else ()):
        if isinstance(keyframe, dict) and ("seconds" in keyframe) == ("at" in keyframe):
            yield custom_flaw(("keyframes", index), "Exactly one of seconds and at is required")


# ---- writing


def sorted_out(model: str, inputs: tuple[Input, ...], places: tuple[Place, ...]) -> dict[str, list[Input]]:
    """Member → its files. Raises Problem(UNSUPPORTED) for a file that has no place.

    A file goes where its name says that it came from, if this body has that member; else where its role is at home.
    """
    found: dict[str, list[Input]] = {}
    for each in inputs:
        root = steps(each.field)[:1]
        fitting = [place.member for place in places if fits(place, each)]
        if not fitting:
            raise unsayable(model, each.role.value, f"there is no place for a {each.role.value}")
        at_home = [member for member in fitting if ROLES[member] is each.role]
        member = root[0] if root and root[0] in fitting else (at_home or fitting)[0]
        found.setdefault(str(member), []).append(each)
    return found


def fits(place: Place, each: Input) -> bool:
    return place.role is each.role and place.family == family_of(each)


def family_of(each: Input) -> str:
    """image, video or audio. Of a character, which may be either, its type tells, or what its caller's vendor takes."""
    types = each.limits.types if each.limits else ()
    family = (each.media_type or (types[0] if types else "")).partition("/")[0]
    if each.role is Role.CHARACTER and family == "video":
        return family
    return FAMILIES.get(each.role, "image")


def written(model: str, order: VendorRequest, here: tuple[Place, ...], given: list[Input], rest: Any) -> Any:
    """A member with its files, and with what else was said of them."""
    if not given:
        return rest
    member, first = here[0].member, given[0]
    alone, listed = [each for each in here if not each.listed], [each for each in here if each.listed]
    place = next((each for each in alone if len(given) == 1 and fits(each, first)), None)
    if place and (place.key or not (listed and (rest or first.label))):
        return item(model, order, place, first, rest)
    if rest is not None and not isinstance(rest, list):
        raise unsayable(model, member, f"{member} cannot be told as it was asked for")
    if not listed:
        raise unsayable(model, first.role.value, f"there is place for one {first.role.value}, not for {len(given)}")
    # each file at the index that its name tells, or else one after the other
    items: dict[int, Any] = dict(enumerate(cast("list[Any]", rest or [])))
    own = [steps(each.field)[1:2] for each in given if steps(each.field)[:1] == [member]]
    indexes = [index[0] for index in own if index and isinstance(index[0], int)]
    for at, each in zip(indexes if len(indexes) == len(given) else range(len(given)), given, strict=True):
        place = next((option for option in listed if fits(option, each)), None)
        if place is None:
            raise unsayable(model, each.role.value, f"a {each.role.value} cannot stand beside others in {member}")
        items[at] = item(model, order, place, each, items.get(at))
    return [items[at] for at in sorted(items)]


def item(model: str, order: VendorRequest, place: Place, each: Input, rest: Any) -> Any:
    """One file as it stands in the body."""
    uri = source_of(order, each.field)
    if each.label is not None and not place.tagged:
        raise unsayable(model, each.role.value, f"a {each.role.value} there has no tag")
    if not place.key:
        return uri
    more = cast("Json", rest) if isinstance(rest, dict) else {}
    tag = {} if each.label is None else {"tag": each.label}
    return {place.key: uri, **place.said, **tag, **more}


# ---- what types say of files


def items_in(type: inspect.Type) -> Iterator[tuple[inspect.Type, bool]]:
    """What a member may be or hold, and whether that stands in a list."""
    for arm in arms(type):
        listed = isinstance(arm, inspect.ListType)
        yield from ((each, listed) for each in (arms(arm.item_type) if isinstance(arm, inspect.ListType) else [arm]))


def places_in(member: str, type: inspect.Type) -> Iterator[Place]:
    """Every spot of a member that takes a file: where other things stand beside it, one for each position."""
    for each, listed in items_in(type):
        if isinstance(each, inspect.StrType):
            yield Place(member, ROLES[member], family_at(ROLES[member], {}), {}, "", listed, tagged=False)
        if not isinstance(each, inspect.StructType):
            continue
        fields = {field.encode_name: field for field in each.fields}
        key = next((key for key in URI_KEYS if key in fields), None)
        if key is None:
            continue
        said: Json = {each.tag_field: each.tag} if each.tag_field else {}
        if "type" in fields:
            said = {"type": words(fields["type"].type, each.cls)[0]}
        position = fields.get("position")
        listing = (words(position.type, each.cls) or tuple(POSITIONS)) if position else ()
        for word in (*listing, *(() if position and position.required else (None,))):
            beside = said if word is None else said | {"position": word}
            role = role_of(member, beside | {key: ""})
            yield Place(member, role, family_at(role, beside), beside, key, listed, tagged="tag" in fields)


def has_more(type: inspect.Type) -> bool:
    """Whether more can be said of a member's files than their inputs hold."""
    for each, _ in items_in(type):
        if isinstance(each, inspect.StructType):
            fields = {field.encode_name: field for field in each.fields}
            uri = next((fields[key] for key in URI_KEYS if key in fields), None)
            free = "position" in fields and not words(fields["position"].type, each.cls)
            if uri is None or not uri.required or free or fields.keys() - {*HEARD, "position"}:
                return True
    return False


def words(type: inspect.Type | None, struct: Any) -> tuple[Any, ...]:
    """The values that a type lists, in the order of the source; empty where it lists none."""
    for arm in arms(type):
        if isinstance(arm, inspect.LiteralType):
            return choices(struct).get(frozenset(arm.values), tuple(arm.values))
    return ()
