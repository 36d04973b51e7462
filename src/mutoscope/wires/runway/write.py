"""Turns generations into Runway's request bodies: the way back of `read.py`, by the same tables and structs.

What a member of a model's body may hold is read off its annotation, and what stands there means what the reading says
it means. So a body is held against its struct by reading it again, and no bound is said a second time.
"""

import math
import re
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple, cast, get_args

import msgspec
from msgspec import UNSET, inspect

from mutoscope.model.job import Generation, Input, Json, Operation, Role
from mutoscope.model.problem import Flaw, Kind, Problem
from mutoscope.wirekit import body as _body
from mutoscope.wirekit.answers import source_of
from mutoscope.wirekit.back import Order
from mutoscope.wirekit.body import Path, dotted
from mutoscope.wires.runway.bodies import ENDPOINTS
from mutoscope.wires.runway.issues import issue, steps
from mutoscope.wires.runway.read import (
    AUTO,
    AUTO_TIER,
    CALLERS_NAMES,
    FAMILIES,
    HEARD,
    MODES,
    NAMED,
    PIXELS,
    POSITIONS,
    ROLES,
    URI_KEYS,
    File,
    file,
    submission,
)

OURS = {member: name for name, member in reversed(CALLERS_NAMES.items())}
"""Member of a body → the field of the generation that a flaw there is about; a ratio is the width's."""
PARENTS = dict.fromkeys(MODES.values(), Operation.VIDEO_TO_VIDEO)
"""Operations that are a mode of another one's body."""
UNASKED: Json = {"count": 1, "watermark": False}
"""What the vendor does where a body cannot say it: one picture, and no mark on it."""
SHAPE = re.compile(r"(\d{1,2}):(\d{1,2})", re.ASCII)


class Form(NamedTuple):
    """How one model's body is filled in."""

    endpoint: Operation
    model: str
    struct: Any
    mode: str | None  # that makes the operation another than the endpoint's


class Place(NamedTuple):
    """A spot of a body that takes a file."""

    file: File  # as it would be read from there
    said: Json  # what has to stand beside its URI
    key: str  # of the URI; "" where it stands alone
    listed: bool
    tagged: bool  # whether a tag may stand beside it


class Written(NamedTuple):
    """A body, and which role each file of it has."""

    form: Form
    body: Json
    placed: dict[Path, str]

    def field(self, path: Path) -> str | None:
        """The generation's name for what stands there."""
        if not path:
            return None
        member = str(path[0])
        for start in (path[:2], path[:1]):
            if start in self.placed:
                return self.placed[start]
        if member in ROLES and any(each.file.member == member for each in places(self.form.struct)):
            return ROLES[member].value
        return OURS.get(member, member)


def check(order: Order) -> None:
    """Raises Problem for what cannot be said: INVALID for a value out of bounds, UNSUPPORTED where there is no word."""
    written = write(order)
    form, generation = written.form, order.generation
    try:
        heard = submission(form.endpoint, msgspec.json.encode(written.body), ENDPOINTS[form.endpoint]).generation
    except Problem as problem:
        field = written.field(problem.flaws[0].path) if problem.flaws else None
        reasons = "; ".join(worded(flaw) for flaw in problem.flaws) or problem.message
        raise Problem(Kind.INVALID, f"{form.model} at Runway takes no such request: {reasons}", field=field) from None
    for name, value in generation.extra.items():
        if name in sayable(form) and heard.extra.get(name) != value:
            raise unsayable(form, name, f"{name} cannot be told as it was asked for")


def worded(flaw: Flaw) -> str:
    return f"{dotted(flaw.path)}: {issue(flaw).message}"


def unsayable(form: Form, field: str, reason: str) -> Problem:
    return Problem(Kind.UNSUPPORTED, f"{form.model} at Runway: {reason}.", field=field)


def form_of(operation: Operation, names: tuple[str, ...]) -> Form | None:
    """The body of the first of these names that is a model of this operation."""
    endpoint = PARENTS.get(operation, operation)
    mode = next((word for word, each in MODES.items() if each is operation), None)
    structs = models(ENDPOINTS[endpoint]) if endpoint in ENDPOINTS else {}
    for name in names:
        struct = structs.get(name)
        if struct is not None and (mode is None or mode in words(members(struct).get("mode"), struct)):
            return Form(endpoint, name, struct, mode)
    return None


def heeds(operation: Operation, names: tuple[str, ...]) -> frozenset[str] | None:
    form = form_of(operation, names)
    return sayable(form) if form else None


@cache
def sayable(form: Form) -> frozenset[str]:
    """The Generation fields, input roles and names of extras that this body can tell."""
    names = set(UNASKED)
    for member, type in members(form.struct).items():
        listed = words(type, form.struct)
        match member:
            case "model":
                pass
            case "mode" if form.mode:
                pass
            case "duration":
                names |= {"seconds"} | ({member} if listed and isinstance(listed[0], str) else set())
            case "ratio":
                names |= ratio_names(listed)
            case _ if member in NAMED:
                names.add(NAMED[member])
            case _ if member in ROLES:
                names |= {each.file.role.value for each in places(form.struct) if each.file.member == member}
                names |= {member} if has_more(type) else set()
            case _:
                names.add(member)
    return frozenset(names)


def ratio_names(listed: tuple[Any, ...]) -> set[str]:
    """What can be told by a ratio of this list; an empty one takes any."""
    names: set[str] = set()
    if not listed or any(PIXELS.fullmatch(each) for each in listed):
        names |= {"width", "height", "resolution"}
    if any(SHAPE.fullmatch(each) for each in listed):
        names |= {"width", "height"}
    if any(AUTO_TIER.fullmatch(each) for each in listed):
        names.add("resolution")
    if not all(PIXELS.fullmatch(each) for each in listed or ("any",)):
        names.add("ratio")
    return names


# ---- writing


def write(order: Order) -> Written:
    """The body that says what the order asks for. Raises Problem(UNSUPPORTED) for what has no place in it."""
    generation = order.generation
    form = form_of(generation.operation, order.names)
    if form is None:
        name = " or ".join(order.names) or generation.model
        message = f"Runway does not do {generation.operation} with a model named {name}."
        raise Problem(Kind.UNSUPPORTED, message, field="model")
    for name, usual in UNASKED.items():
        asked = getattr(generation, name)
        if asked not in (None, usual) and not told(form, name):
            raise unsayable(form, name, f"there is no way to ask for a {name} of {asked!r}")
    placed: dict[Path, str] = {}
    files = sorted_out(order, form)
    body: Json = {"model": form.model}
    for member, type in members(form.struct).items():
        if member == "model":
            continue
        if member in ROLES:
            value = files_of(order, form, member, files.get(member, []), placed)
        else:
            value = value_of(generation, form, member, type)
        if value is not UNSET:
            body[member] = value
    return Written(form, body, placed)


def told(form: Form, name: str) -> bool:
    return any(NAMED.get(member) == name for member in members(form.struct))


def value_of(generation: Generation, form: Form, member: str, type: inspect.Type) -> Any:
    """What stands in a member that holds no file; UNSET when nothing was asked for."""
    match member:
        case "mode" if form.mode:
            return form.mode
        case "duration":
            return duration(generation, words(type, form.struct))
        case "resolution":
            return resolution(generation, form, words(type, form.struct))
        case "ratio":
            return ratio(generation, form, words(type, form.struct))
        case _ if member in NAMED:
            value = getattr(generation, NAMED[member])
            # an empty text, where the vendor takes none, asks for nothing
            idle = value is None or (value == "" and isinstance(type, inspect.StrType) and type.min_length)
            return UNSET if idle else value
        case _:
            return generation.extra.get(member, UNSET)


def duration(generation: Generation, listed: tuple[Any, ...]) -> Any:
    """A word that was asked for goes before the seconds that the catalog filled in."""
    if (word := generation.extra.get("duration")) in listed:
        return word
    seconds = generation.seconds
    if seconds is None:
        return UNSET
    return int(seconds) if float(seconds).is_integer() else seconds


def resolution(generation: Generation, form: Form, listed: tuple[Any, ...]) -> Any:
    """The vendor's word for the tier, in the vendor's case."""
    tier = generation.resolution or tier_of(generation)
    word = next((each for each in listed if each.lower() == tier), None)
    if word is not None:
        return word
    right = ", ".join(dict.fromkeys(each.lower() for each in listed))
    if generation.resolution is not None:
        raise unsayable(form, "resolution", f"the resolution is one of {right}, not {generation.resolution}")
    if generation.width is not None and "width" in sayable(form):
        size = f"{generation.width}x{generation.height}"
        raise unsayable(form, "width", f"the size is that of a resolution, one of {right}, not {size}")
    return UNSET


def ratio(generation: Generation, form: Form, listed: tuple[Any, ...]) -> Any:
    """The size in pixels or, where the vendor lists those, a shape, a word or a tier."""
    said, tier = generation.extra.get("ratio"), generation.resolution
    if said in listed or (said is not None and not listed):
        return said
    if said == AUTO and (word := f"{AUTO}_{tier or tier_of(generation)}") in listed:
        return word
    if "width" in sayable(form) and generation.width is not None and generation.height is not None:
        pixels = f"{generation.width}:{generation.height}"
        return pixels if pixels in listed else shape_of(generation.width, generation.height, listed) or pixels
    if (word := f"{AUTO}_{tier or tier_of(generation)}") in listed:
        return word
    if tier is not None and "resolution" not in members(form.struct):
        sizes = ", ".join(listed) or "width:height in pixels"
        raise unsayable(form, "resolution", f"a size is asked for by ratio ({sizes}), not by a resolution of {tier}")
    return UNSET


def shape_of(width: int, height: int, listed: tuple[Any, ...]) -> str | None:
    """The listed shape that these pixels have, give or take the rounding of a pixel on each side."""
    for each in listed:
        if shape := SHAPE.fullmatch(each):
            off = width / height * int(shape[2]) / int(shape[1]) - 1
            if abs(off) <= 1 / width + 1 / height:
                return each
    return None


def tier_of(generation: Generation) -> str | None:
    """1366x768 → 768p: a tier is named after the short side of its area at 16:9."""
    if generation.width is None or generation.height is None:
        return None
    return f"{round(math.sqrt(generation.width * generation.height * 9 / 16))}p"


# ---- files


def sorted_out(order: Order, form: Form) -> dict[str, list[Input]]:
    """Member → its files. Raises Problem(UNSUPPORTED) for a file that has no place.

    A file goes where its name says that it came from, if this body has that member; else where its role is at home.
    """
    sorted_files: dict[str, list[Input]] = {}
    for each in order.generation.inputs:
        root = steps(each.field)[:1]
        fitting = [place.file.member for place in places(form.struct) if fits(place, each)]
        if not fitting:
            raise unsayable(form, each.role.value, f"there is no place for a {each.role.value}")
        at_home = [member for member in fitting if ROLES[member] is each.role]
        member = root[0] if root and root[0] in fitting else (at_home or fitting)[0]
        sorted_files.setdefault(str(member), []).append(each)
    return sorted_files


def fits(place: Place, each: Input) -> bool:
    return place.file.role is each.role and place.file.family == family_of(each)


def family_of(each: Input) -> str:
    """image, video or audio. Of a character, which may be either, its type tells, or what its caller's vendor takes."""
    types = each.limits.types if each.limits else ()
    family = (each.media_type or (types[0] if types else "")).partition("/")[0]
    if each.role is Role.CHARACTER and family == "video":
        return family
    return FAMILIES.get(each.role, "image")


def files_of(order: Order, form: Form, member: str, files: list[Input], placed: dict[Path, str]) -> Any:
    """A member with its files, and with what else was said of them."""
    rest = order.generation.extra.get(member)
    if not files:
        return UNSET if rest is None else rest
    options = [each for each in places(form.struct) if each.file.member == member]
    alone, listed = [each for each in options if not each.listed], [each for each in options if each.listed]
    first = files[0]
    place = next((each for each in alone if len(files) == 1 and fits(each, first)), None)
    if place and (place.key or not (listed and (rest or first.label))):
        placed[member,] = first.role.value
        return item(order, form, place, first, rest)
    if not listed:
        raise unsayable(form, first.role.value, f"there is place for one {first.role.value}, not for {len(files)}")
    return list_of(order, form, listed, files, rest, placed)


def list_of(
    order: Order, form: Form, options: list[Place], files: list[Input], rest: Any, placed: dict[Path, str]
) -> list[Any]:
    """The items of a list: each file at the index that its name tells, or else one after the other."""
    member = options[0].file.member
    rests = cast("list[Any]", rest) if isinstance(rest, list) else []
    items: dict[int, Any] = dict(enumerate(rests))
    roles: dict[int, str] = {}
    own = [steps(each.field)[1:2] for each in files if steps(each.field)[:1] == [member]]
    indexes = [index[0] for index in own if index and isinstance(index[0], int)]
    for at, each in zip(indexes if len(indexes) == len(files) else range(len(files)), files, strict=True):
        place = next((option for option in options if fits(option, each)), None)
        if place is None:
            raise unsayable(form, each.role.value, f"a {each.role.value} cannot stand beside others in {member}")
        items[at] = item(order, form, place, each, items.get(at))
        roles[at] = each.role.value
    for index, at in enumerate(sorted(items)):
        if at in roles:
            placed[member, index] = roles[at]
    return [items[at] for at in sorted(items)]


def item(order: Order, form: Form, place: Place, each: Input, rest: Any) -> Any:
    """One file as it stands in the body."""
    uri = source_of(order, each.field)
    if each.label is not None and not place.tagged:
        raise unsayable(form, each.role.value, f"a {each.role.value} there has no tag")
    if not place.key:
        return uri
    more = cast("Json", rest) if isinstance(rest, dict) else {}
    tag = {} if each.label is None else {"tag": each.label}
    return {place.key: uri, **place.said, **tag, **more}


@cache
def places(struct: Any) -> tuple[Place, ...]:
    """Every spot of a body that takes a file, in the body's order."""
    return tuple(
        place for member, type in members(struct).items() if member in ROLES for place in places_in(member, type)
    )


def places_in(member: str, type: inspect.Type) -> Iterator[Place]:
    for arm in arms(type):
        listed = isinstance(arm, inspect.ListType)
        for each in arms(arm.item_type) if isinstance(arm, inspect.ListType) else (arm,):
            if isinstance(each, inspect.StrType):
                yield Place(file(member, (), "", {}), {}, "", listed, tagged=False)
            elif isinstance(each, inspect.StructType):
                yield from places_with(member, each, listed=listed)


def places_with(member: str, type: inspect.StructType, *, listed: bool) -> Iterator[Place]:
    """Where a file's URI has other things beside it: one spot for each position."""
    fields = {field.encode_name: field for field in type.fields}
    key = next((each for each in URI_KEYS if each in fields), None)
    if key is None:
        return
    said: Json = {}
    if type.tag_field:
        said = {type.tag_field: type.tag}
    elif "type" in fields:
        said = {"type": words(fields["type"].type, type.cls)[0]}
    position = fields.get("position")
    positions: tuple[str | None, ...] = (None,)
    if position is not None:
        free = () if position.required else (None,)
        positions = (*(words(position.type, type.cls) or tuple(POSITIONS)), *free)
    for each in positions:
        beside = said if each is None else said | {"position": each}
        yield Place(file(member, (), "", beside | {key: ""}), beside, key, listed, tagged="tag" in fields)


def has_more(type: inspect.Type) -> bool:
    """Whether more can be said of a member's files than their inputs hold."""
    for arm in arms(type):
        for each in arms(arm.item_type) if isinstance(arm, inspect.ListType) else (arm,):
            if not isinstance(each, inspect.StructType):
                continue
            fields = {field.encode_name: field for field in each.fields}
            uri = next((fields[key] for key in URI_KEYS if key in fields), None)
            free = "position" in fields and not words(fields["position"].type, each.cls)
            if uri is None or not uri.required or free or fields.keys() - {*HEARD, "position"}:
                return True
    return False


# ---- what annotations say


@cache
def models(type: Any) -> dict[str, Any]:
    """Model → its struct."""
    structs: dict[str, Any] = {}
    for struct in get_args(type) or (type,):
        tag = struct.__struct_config__.tag
        names = (tag,) if tag else words(members(struct)["model"], struct)
        structs |= dict.fromkeys(names, struct)
    return structs


@cache
def members(struct: Any) -> dict[str, inspect.Type]:
    """Member → its type, in the body's order."""
    info = cast("inspect.StructType", inspect.type_info(struct))
    return {field.encode_name: field.type for field in info.fields}


def arms(type: inspect.Type) -> tuple[inspect.Type, ...]:
    match type:
        case inspect.UnionType():
            return tuple(arm for each in type.types for arm in arms(each))
        case inspect.Metadata():
            return arms(type.type)
        case _:
            return (type,)


def words(type: inspect.Type | None, struct: Any) -> tuple[Any, ...]:
    """The values that a type lists, in the order of the source; empty where it lists none."""
    for arm in arms(type) if type else ():
        if isinstance(arm, inspect.LiteralType):
            return _body.choices(struct).get(frozenset(arm.values), tuple(arm.values))
    return ()
