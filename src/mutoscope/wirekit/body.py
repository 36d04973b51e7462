"""Reads a JSON body into a wire's struct, and lists everything that is wrong with it at once.

msgspec decodes and validates in one pass and stops at the first error: that is the fast path. Only when it
fails is the body walked again, against the same annotations, to collect every flaw. So a bound stands
in one place, the struct's annotation, and each wire words the flaws as its vendor does.
"""

import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import cache
from itertools import chain, islice, product
from typing import Annotated, Any, Literal, TypeVar, cast, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta, Struct, inspect
from msgspec.structs import replace

from mutoscope.model.http import HttpRequest
from mutoscope.model.job import Job, Json
from mutoscope.model.problem import Flaw, Kind, Problem, Rule, custom_flaw

T = TypeVar("T")
Path = tuple[str | int, ...]

FLAWS_TOLD = 100
"""A list of a million wrong items is answered in a few kilobytes."""
ITEMS_READ = 1000
"""Of a list: what is wrong behind that is told as msgspec tells it."""

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What msgspec raises for bytes that are not JSON. Its ValidationError is a DecodeError too: catch it first."""


def read_body(body: bytes, type: type[T]) -> T:
    """Decode `body` as `type`. Raises Problem(INVALID) whose flaws name every bad field."""
    try:
        return decoder(type).decode(body)
    except msgspec.ValidationError as error:
        value = read_json(body)
        flaws = tuple(walk(value, schema(type), ()))
        if flaws:
            raise invalid(flaws) from error
        return reread(value, type)
    except UNREADABLE as error:
        raise not_json(error, body) from error


def reread(value: Any, type: type[T]) -> T:
    """For values in which only msgspec finds fault: 5.0 is an integer to JSON Schema and to JavaScript."""
    try:
        return msgspec.convert(wholes(value), type)
    except msgspec.ValidationError as error:
        raise invalid((custom_flaw((), str(error)),)) from error


def wholes(value: Any) -> Any:
    match value:
        case float() if value.is_integer():
            return int(value)
        case list():
            return [wholes(each) for each in cast("list[Any]", value)]
        case dict():
            return {name: wholes(each) for name, each in cast("dict[str, Any]", value).items()}
        case _:
            return value


def read_json(body: bytes) -> Any:
    """The body as plain values. Raises Problem(INVALID)."""
    try:
        return msgspec.json.decode(body)
    except msgspec.ValidationError:
        return read_vast_numbers(body)
    except UNREADABLE as error:
        raise not_json(error, body) from error


def body_of(job: Job) -> Json:
    """What a job was made of, as its caller sent it; nothing where that was too long to be kept whole."""
    try:
        return msgspec.json.decode(job.body or b"{}", type=dict[str, Any])
    except UNREADABLE:
        return {}


def read_vast_numbers(body: bytes) -> Any:
    """As read_json, with figures beyond all bounds as infinity, so that they break the rules of their field
    and not the reading. The standard library's reader is laxer than JSON otherwise: what could not be written
    again is refused.
    """
    try:
        value = json.loads(body, parse_int=bounded_int, parse_constant=no_constant)
        msgspec.json.encode(value)
    except (ValueError, RecursionError) as error:
        raise not_json(error, body) from error
    return value


def bounded_int(text: str) -> int | float:
    return int(text) if len(text) < 300 else float(text)


def no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def not_json(error: Exception, body: bytes) -> Problem:
    message = f"The request body is not valid JSON: {what_it_is(body) or error}"
    return Problem(Kind.INVALID, message, flaws=(Flaw(path=(), rule=Rule.JSON, message=message),))


SEND_JSON = "send a JSON body, in UTF-8, with content-type: application/json"
FORM = re.compile(rb"[\w.%+\[\]-]{1,200}=[^{}\s]*(&|$)", re.ASCII)


def what_it_is(body: bytes) -> str | None:
    """What was sent in place of JSON, where that can be told."""
    if not body.strip():
        return f"it is empty; {SEND_JSON}"
    if body.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\x00" in body[:4]:
        return f"it is not UTF-8, but looks like UTF-16 or UTF-32; {SEND_JSON}"
    if body.startswith(b"\xef\xbb\xbf"):
        return f"it begins with a byte order mark; {SEND_JSON}"
    if body.startswith(b"--") or FORM.match(body[:2000]):
        return f"it looks like a form; {SEND_JSON}"
    return None


def invalid(flaws: tuple[Flaw, ...]) -> Problem:
    """The problem that carries these flaws; its field is that of the first."""
    field = dotted(flaws[0].path) or None
    return Problem(Kind.INVALID, flaws[0].message or "The request body is not valid.", field=field, flaws=flaws)


def outside_body(problem: Problem, request: HttpRequest) -> str | None:
    """ "header" or "query", where the problem's field is a member of that and not of the body."""
    if problem.flaws or problem.field is None:
        return None
    if problem.field.lower() in request.headers:
        return "header"
    return "query" if problem.field in request.query else None


def dotted(path: Path) -> str:
    """('references', 0, 'uri') → references[0].uri"""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def with_others(flaws: tuple[Flaw, ...], others: Iterable[Flaw]) -> tuple[Flaw, ...]:
    """Without those about what the first ones are about, or about what holds it."""
    known = {flaw.path for flaw in flaws}
    return (*flaws, *(each for each in others if known.isdisjoint(upwards(each.path))))


def upwards(path: Path) -> Iterator[Path]:
    """a.b.c → a.b.c, a.b, a"""
    return (path[:length] for length in range(len(path), 0, -1))


@cache
def bare(type: Any) -> Any:
    """A struct without what is said about it: msgspec converts to that quickest."""
    found = schema(type)
    while isinstance(found, inspect.Metadata):
        found = found.type
    return found.cls if isinstance(found, inspect.StructType) else type


def flaws_in(body: bytes, type: Any) -> tuple[Flaw, ...]:
    return tuple(walk(read_json(body), schema(type), ()))


@cache
def decoder(type: Any) -> Any:
    return msgspec.json.Decoder(type)


@cache
def schema(type: Any) -> inspect.Type:
    return inspect.type_info(type)


# -- what nobody reads -----------------------------------------------------------------

NOTED = 20  # unknown members that are named; a body may have any number
LONGEST_NOTED = 80  # characters of each


def unread(body: bytes, type: Any, whose: str, *, idle: Collection[Path] = ()) -> tuple[str, ...]:
    """A note for each member of a body that fits `type` and has no place in it: what vanishes is told.

    `whose` members they could have been; `idle` are those that some client always sends. Raises Problem(INVALID).
    """
    return ignored_notes((path for path in strangers(body, type) if path not in idle), whose)


def ignored_notes(paths: Iterable[Path], whose: str) -> tuple[str, ...]:
    """What to say of members that nobody reads."""
    named = tuple(islice(paths, NOTED + 1))
    notes = tuple(f"ignored: {shown(path)} ({whose} has no such member)" for path in named[:NOTED])
    return (*notes, "ignored: further members") if len(named) > NOTED else notes


def shown(path: Path) -> str:
    text = "".join(each if each.isprintable() else "?" for each in dotted(path))
    return text if len(text) <= LONGEST_NOTED else text[:LONGEST_NOTED] + "…"


class Shape(Struct, frozen=True):
    """Where in a JSON value a type has objects, and which members those may have."""

    tag: str | None = None  # the member that says which object it is
    objects: dict[str, dict[str, "Shape"]] = {}  # by the tag's value, "" where there is no tag
    items: "Shape | None" = None  # of an array


def strangers(body: bytes, type: Any) -> Iterator[Path]:
    """The members that the type has no field for, in the order of the body; null says nothing and is left out.

    Raises Problem(INVALID) for a name that is no text, which is passed over where a body is read.
    """
    try:
        yield from strange(msgspec.Raw(body.strip(BLANKS)), shape(type), ())
    except UNREADABLE as error:
        raise not_json(error, body) from error


def strange(value: Any, shape: Shape, path: Path) -> Iterator[Path]:
    """The members that a shape has no place for in a value, decoded or as bytes."""
    # Bytes stay so until a value is known to matter: a file inside a body is passed over, not decoded once more.
    value = opened(value) if isinstance(value, msgspec.Raw) else value
    if isinstance(value, dict) and shape.objects:
        said = cast("Json", value)
        known = fields_said(said, shape)
        if known is None:
            return
        for name, inner in said.items():
            if name not in known:
                if inner is not None and inner != NULL:
                    yield (*path, name)
            elif (within := known[name]) is not NOTHING:
                yield from strange(inner, within, (*path, name))
    elif isinstance(value, list) and shape.items is not None:
        for index, inner in enumerate(cast("list[Any]", value)):
            yield from strange(inner, shape.items, (*path, index))


def familiar(value: Any, shape: Shape) -> Any:
    """A decoded value without the members that a shape has no place for."""
    if isinstance(value, list) and shape.items is not None:
        return [familiar(each, shape.items) for each in cast("list[Any]", value)]
    said = cast("Json", value) if isinstance(value, dict) and shape.objects else {}
    known = fields_said(said, shape) if said else None
    if known is None:
        return cast("Any", value)
    return {name: familiar(each, known[name]) for name, each in said.items() if name in known}


def opened(value: msgspec.Raw) -> Any:
    """An object or a list whose values stay bytes; None for anything else."""
    match bytes(memoryview(value)[:1]):
        case b"{":
            return RAW_OBJECT.decode(value)
        case b"[":
            return RAW_ARRAY.decode(value)
        case _:
            return None


def fields_said(said: Json, shape: Shape) -> dict[str, Shape] | None:
    if shape.tag is None:
        return shape.objects.get("")
    if shape.tag not in said and len(shape.objects) == 1:
        return next(iter(shape.objects.values()))
    tag = said.get(shape.tag)
    tag = msgspec.json.decode(tag, type=str | None) if isinstance(tag, msgspec.Raw) else tag
    return shape.objects.get(tag if isinstance(tag, str) else "")


BLANKS = b" \t\r\n"
NULL = msgspec.Raw(b"null")
NOTHING = Shape()
RAW_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
RAW_ARRAY = msgspec.json.Decoder(list[msgspec.Raw])


@cache
def shape(type: Any) -> Shape:
    return shape_of(schema(type))


@cache
def simple(type: Any) -> frozenset[str]:
    """The members of an object in which there is nothing that a type could have no field for."""
    found = shape(type)
    members = found.objects.get("", {}) if found.tag is None else {}
    return frozenset(name for name, inner in members.items() if inner is NOTHING)


def shape_of(type: inspect.Type) -> Shape:
    match type:
        case inspect.Metadata():
            return shape_of(type.type)
        case inspect.StructType():
            fields = {field.encode_name: shape_of(field.type) for field in type.fields}
            tagged = {} if type.tag_field is None else {type.tag_field: NOTHING}
            return Shape(type.tag_field, {str(type.tag or ""): fields | tagged})
        case inspect.ListType() | inspect.VarTupleType():
            items = shape_of(type.item_type)
            return NOTHING if items is NOTHING else Shape(items=items)
        case inspect.UnionType():
            shapes = [each for each in map(shape_of, type.types) if each is not NOTHING]
            tag = next((each.tag for each in shapes if each.tag is not None), None)
            objects = {name: fields for each in shapes for name, fields in each.objects.items()}
            items = next((each.items for each in shapes if each.items is not None), None)
            return Shape(tag, objects, items) if shapes else NOTHING
        case _:
            return NOTHING


# -- what is to be there, of several names ------------------------------------------------


def needing(body: Any, *groups: tuple[str, ...]) -> Any:
    """The body, published with what is to be there of each group; the rule itself is `one_of`."""
    return Annotated[body, Meta(extra_json_schema={"anyOf": [{"required": list(each)} for each in product(*groups)]})]


def one_of(
    *groups: tuple[str, ...], others: Callable[[Json], Iterable[Flaw]] | None = None
) -> Callable[[Json], Iterator[Flaw]]:
    """Of each group, one member is to be there; before what else is wrong."""

    def flaws(said: Json) -> Iterator[Flaw]:
        lacking = (names[0] for names in groups if not any(said.get(name) for name in names))
        yield from (Flaw(path=(name,), rule=Rule.REQUIRED, bound="string") for name in lacking)
        yield from others(said) if others else ()

    return flaws


# -- every flaw ------------------------------------------------------------------------


def walk(value: Any, type: inspect.Type, path: Path) -> Iterator[Flaw]:
    """Every way in which a decoded JSON value breaks its type, up to as many as somebody would read."""
    return islice(walked(value, type, path), FLAWS_TOLD)


def walked(value: Any, type: inspect.Type, path: Path) -> Iterator[Flaw]:
    match type:
        case inspect.AnyType():
            return
        case inspect.Metadata():
            yield from walked(value, type.type, path)
        case inspect.UnionType():
            yield from walk_union(value, type, path)
        case inspect.StructType():
            yield from walk_struct(value, type, path)
        case inspect.ListType() | inspect.VarTupleType():
            yield from walk_list(value, type, path)
        case inspect.DictType():
            if found(value) != "object":
                yield wrong(path, "object", value)
                return
            for name, each in cast("dict[str, Any]", value).items():
                yield from walked(each, type.value_type, (*path, name))
        case inspect.LiteralType():
            # True equals 1 in Python, and is none of the vendor's values; 5.0 is the 5 that it is in JSON
            if value not in type.values or found(value) != found(type.values[0]):
                yield Flaw(path=path, rule=Rule.CHOICE, bound=tuple(type.values), found=found(value))
        case inspect.StrType():
            yield from walk_text(value, type, path)
        case inspect.IntType() | inspect.FloatType():
            yield from walk_number(value, type, path)
        case inspect.BoolType():
            if not isinstance(value, bool):
                yield wrong(path, "boolean", value)
        case _:
            raise TypeError(f"no rule to walk {type!r}")


def walk_struct(value: Any, type: inspect.StructType, path: Path) -> Iterator[Flaw]:
    if found(value) != "object":
        yield wrong(path, "object", value)
        return
    known: set[str] = set() if type.tag_field is None else {type.tag_field}
    for field in type.fields:
        name = field.encode_name
        known.add(name)
        if name in value:
            for flaw in walked(value[name], field.type, (*path, name)):
                yield as_declared(flaw, type.cls)
        elif field.required:
            # what would have been right, so that a wire can say which type it expected
            yield Flaw(path=(*path, name), rule=Rule.REQUIRED, bound=expected(field.type), found="undefined")
    if type.forbid_unknown_fields:
        for name in value:
            if name not in known:
                yield Flaw(path=(*path, name), rule=Rule.UNKNOWN_KEY)


def as_declared(flaw: Flaw, struct: Any) -> Flaw:
    """With the choices in the order of the source: vendors list them so, msgspec sorts them."""
    if flaw.rule is not Rule.CHOICE:
        return flaw
    return replace(flaw, bound=choices(struct).get(frozenset(flaw.bound), flaw.bound))


@cache
def choices(struct: Any) -> dict[frozenset[Any], tuple[Any, ...]]:
    hints = get_type_hints(get_origin(struct) or struct, include_extras=True).values()
    known = [list(literals(hint)) for hint in hints]
    joined = [tuple(chain.from_iterable(each)) for each in known]
    return {frozenset(values): values for values in (*joined, *chain.from_iterable(known))}


def literals(hint: Any) -> Iterator[tuple[Any, ...]]:
    """The values of every Literal inside an annotation."""
    if get_origin(hint) is Literal:
        yield get_args(hint)
    else:
        for part in get_args(hint):
            yield from literals(part)


def walk_union(value: Any, type: inspect.UnionType, path: Path) -> Iterator[Flaw]:
    members = [each for each in type.types if not isinstance(each, inspect.NoneType)]
    if value is None and len(members) < len(type.types):
        return
    tagged = [each for each in members if isinstance(each, inspect.StructType) and each.tag_field]
    if tagged and found(value) == "object" and len(tagged) == len([m for m in members if is_struct(m)]):
        yield from walk_tagged(value, tagged, path)
        return
    # an optional field has but one type to hold the value against, whatever the value is
    fitting = members if len(members) == 1 else [each for each in members if accepts_kind(each, value)]
    if fitting:
        yield from least_flawed([tuple(walked(value, each, path)) for each in fitting])
    elif members:
        yield wrong(path, " or ".join(dict.fromkeys(expected(each) for each in members)), value)


def least_flawed(readings: list[tuple[Flaw, ...]]) -> tuple[Flaw, ...]:
    """What is wrong with a value that may be of several types: nothing where one of them takes it, else what the first
    of them says; lists of values are one list."""
    if not all(readings):
        return ()
    first = readings[0]
    if len(readings) > 1 and all(each[0].rule is Rule.CHOICE and each[0].path == first[0].path for each in readings):
        return (replace(first[0], bound=tuple(value for each in readings for value in each[0].bound)),)
    return first


def walk_tagged(value: Any, members: list[inspect.StructType], path: Path) -> Iterator[Flaw]:
    field = str(members[0].tag_field)
    known = tuple(str(each.tag) for each in members)
    tag = value.get(field)
    if not isinstance(tag, str):
        rule = Rule.REQUIRED if field not in value else Rule.TYPE
        kind = found(value.get(field, msgspec.UNSET))
        yield Flaw(path=(*path, field), rule=rule, bound="string", found=kind, known=known if value else ())
        if not value:  # Runway tells of an empty object in two ways, and its clients look for both
            yield Flaw(path=(*path, field), rule=Rule.NO_MATCH, bound=known)
    elif tag in known:
        yield from walk_struct(value, members[known.index(tag)], path)
    else:
        yield Flaw(path=(*path, field), rule=Rule.NO_MATCH, bound=known, found=tag)


def walk_list(value: Any, type: inspect.ListType | inspect.VarTupleType, path: Path) -> Iterator[Flaw]:
    if found(value) != "array":
        yield wrong(path, "array", value)
        return
    if type.min_length is not None and len(value) < type.min_length:
        yield Flaw(path=path, rule=Rule.MIN_ITEMS, bound=type.min_length, found=len(value))
    if type.max_length is not None and len(value) > type.max_length:
        yield Flaw(path=path, rule=Rule.MAX_ITEMS, bound=type.max_length, found=len(value))
    for index, item in enumerate(value[:ITEMS_READ]):
        yield from walked(item, type.item_type, (*path, index))


def walk_text(value: Any, type: inspect.StrType, path: Path) -> Iterator[Flaw]:
    if not isinstance(value, str):
        yield wrong(path, "string", value)
        return
    if type.min_length is not None and len(value) < type.min_length:
        yield Flaw(path=path, rule=Rule.MIN_LENGTH, bound=type.min_length, found=len(value))
    if type.max_length is not None and len(value) > type.max_length:
        yield Flaw(path=path, rule=Rule.MAX_LENGTH, bound=type.max_length, found=len(value))
    if type.pattern is not None and not re.search(type.pattern, value):
        yield Flaw(path=path, rule=Rule.PATTERN, bound=type.pattern)


def walk_number(value: Any, type: inspect.IntType | inspect.FloatType, path: Path) -> Iterator[Flaw]:
    whole = isinstance(type, inspect.IntType)
    fits = isinstance(value, int) or (isinstance(value, float) and (not whole or value.is_integer()))
    if isinstance(value, bool) or not fits:
        yield wrong(path, "integer" if whole else "number", value)
        return
    if type.ge is not None and value < type.ge:
        yield Flaw(path=path, rule=Rule.MINIMUM, bound=type.ge, found=value)
    if type.le is not None and value > type.le:
        yield Flaw(path=path, rule=Rule.MAXIMUM, bound=type.le, found=value)


def is_struct(type: inspect.Type) -> bool:
    return isinstance(type, inspect.StructType)


def accepts_kind(type: inspect.Type, value: Any) -> bool:
    """Whether the value is of the type's JSON kind, its bounds aside."""
    return (
        expected(type) == "any"
        or found(value) in expected(type)
        or (expected(type) == "integer" and found(value) == "number")
    )


def expected(type: inspect.Type) -> str:
    """The JSON kind of a type, in the words of JSON Schema."""
    match type:
        case inspect.Metadata():
            return expected(type.type)
        case inspect.UnionType():
            return " or ".join(expected(each) for each in type.types if not isinstance(each, inspect.NoneType))
        case inspect.LiteralType():
            return found(type.values[0])
        case inspect.StrType():
            return "string"
        case inspect.IntType():
            return "integer"
        case inspect.FloatType():
            return "number"
        case inspect.BoolType():
            return "boolean"
        case inspect.ListType() | inspect.VarTupleType():
            return "array"
        case inspect.StructType() | inspect.DictType():
            return "object"
        case _:
            return "any"


def found(value: Any) -> str:
    """The kind of a decoded JSON value; "undefined" for what was not there."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str():
            return "string"
        case list():
            return "array"
        case dict():
            return "object"
        case _:
            return "undefined"


def wrong(path: Path, wanted: str, value: Any) -> Flaw:
    return Flaw(path=path, rule=Rule.TYPE, bound=wanted, found=found(value))
