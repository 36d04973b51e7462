"""Forms, read into the same structs as JSON: texts become what the body's type asks for, files stay on disk."""

import re
from typing import Any, cast

import msgspec
from msgspec import inspect

from mutoscope.model.http import Form, FormFile, HttpRequest
from mutoscope.wirekit.body import schema

PART = "form-file:"
"""Begins the text that stands for a file of the form; what follows is the part's name, its number and its digest."""
NUMBER = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,18})?", re.ASCII)
JSON, MAX_JSON = "application/json", 1024 * 1024
STRUCTURED = (inspect.StructType, inspect.DictType, inspect.ListType, inspect.VarTupleType)
WORDS: dict[str, Any] = {"true": True, "false": False}


def as_json(form: Form, body: Any) -> bytes:
    """The form as the JSON body that would say the same; `name[]` says the same as `name` several times.

    A file becomes a text that `file_of` reads, with its digest, so that equal forms give equal bytes.
    """
    members = members_of(body)
    said: dict[str, Any] = {}
    for name, texts in form.texts.items():
        plain = name.removesuffix("[]")
        types = members.get(plain, [])
        values = [value_of(escaped(text), types) for text in texts]
        many = name != plain or len(values) > 1 or has(types, inspect.ListType, inspect.VarTupleType)
        said[plain] = values if many and not (len(values) == 1 and isinstance(values[0], list)) else values[0]
    for name, files in form.files.items():
        plain = name.removesuffix("[]")
        if (text := object_in(files, members.get(plain, []))) is not None:
            said[plain] = text
            continue
        marks = [f"{PART}{name}/{number}#{file.digest}" for number, file in enumerate(files)]
        many = name != plain or len(marks) > 1 or has(members.get(plain, []), inspect.ListType, inspect.VarTupleType)
        said[plain] = marks if many else marks[0]
    return msgspec.json.encode(said)


def object_in(files: list[FormFile], types: list[inspect.Type]) -> Any:
    """What a part says that is a file of JSON, as browsers send an object, where the member is no file."""
    if len(files) != 1 or files[0].media_type != JSON or files[0].bytes > MAX_JSON or not has(types, *STRUCTURED):
        return None
    text = files[0].path.read_text("utf-8", "replace")
    return value_of(escaped(text), types)


def file_of(request: HttpRequest, text: str) -> FormFile | None:
    """The file that a text of `as_json` stands for; None for any other text."""
    if request.form is None or not text.startswith(PART):
        return None
    name, _, place = text.removeprefix(PART).partition("#")[0].rpartition("/")
    files = request.form.files.get(name, [])
    return files[int(place)] if place.isdigit() and int(place) < len(files) else None


def escaped(text: str) -> str:
    """A text that a caller wrote never stands for a file."""
    return f" {text}" if text.startswith(PART) else text


def value_of(text: str, types: list[inspect.Type]) -> Any:
    """A text as the first of the types that it can be; as it is where it can be none: the body's rules tell it then."""
    if text.lower() in WORDS and has(types, inspect.BoolType):
        return WORDS[text.lower()]
    numbers = has(types, inspect.IntType, inspect.FloatType) or any(
        isinstance(value, int) for each in types if isinstance(each, inspect.LiteralType) for value in each.values
    )
    if numbers and NUMBER.fullmatch(text):
        return float(text) if "." in text else int(text)
    if text[:1] in ("{", "[") and has(types, *STRUCTURED, inspect.AnyType):
        try:
            return msgspec.json.decode(text.encode())
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            return text
    items = [item for each in types for item in arms(getattr(each, "item_type", None))]
    return value_of(text, items) if items else text


def has(types: list[inspect.Type], *kinds: type[inspect.Type]) -> bool:
    return any(isinstance(each, kinds) for each in types)


def members_of(body: Any) -> dict[str, list[inspect.Type]]:
    """Name → types of the members of a body's type, those of every variant where it is a union."""
    found: dict[str, list[inspect.Type]] = {}
    for arm in arms(schema(body)) if body is not None else ():
        for field in cast("tuple[inspect.Field, ...]", getattr(arm, "fields", ())):
            found.setdefault(field.encode_name, []).extend(arms(field.type))
    return found


def arms(type: inspect.Type | None) -> list[inspect.Type]:
    """The types that a value may have, unions and annotations taken apart."""
    match type:
        case None:
            return []
        case inspect.UnionType():
            return [arm for each in type.types for arm in arms(each)]
        case inspect.Metadata():
            return arms(type.type)
        case _:
            return [type]
