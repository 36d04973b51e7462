"""Query parameters, read into a struct by the same rules as a body."""

import re
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
from msgspec import Struct, inspect
from msgspec.structs import replace

from mutoscope.model.http import HttpRequest
from mutoscope.model.problem import Flaw, Rule
from mutoscope.wirekit.body import invalid, schema, walk
from mutoscope.wirekit.forms import arms, has

Q = TypeVar("Q", bound=Struct)
WHOLE = re.compile(r"-?[0-9]{1,18}", re.ASCII)
DECIMAL = re.compile(r"-?[0-9]{1,18}(?:\.[0-9]{1,18})?", re.ASCII)


def read_query(request: HttpRequest, type: type[Q]) -> Q:
    """The parameters that the struct has. Raises Problem(INVALID) with every flaw; a text that is no number is one."""
    values: dict[str, Any] = {}
    for field in getattr(schema(type), "fields", ()):
        if (text := request.query.get(field.encode_name)) is not None:
            values[field.encode_name] = number(text, arms(field.type))
    flaws = tuple(replace(flaw, place="query") for flaw in walk(values, schema(type), ()))
    if flaws:
        raise invalid(flaws)
    return msgspec.convert(values, type)


def number(text: str, kinds: Any) -> int | float | str:
    """A text as the number that is wanted; as it stands where it is none, or none is wanted."""
    if has(kinds, inspect.IntType) and WHOLE.fullmatch(text):
        return int(text)
    return float(text) if has(kinds, inspect.FloatType) and DECIMAL.fullmatch(text) else text


def named(parameter: str) -> Callable[[HttpRequest], str]:
    """What reads the id of a task from a parameter. It raises Problem(INVALID) where that is left out or empty."""

    def id_of(request: HttpRequest) -> str:
        if not (said := request.query.get(parameter, "")):
            raise invalid((Flaw(path=(parameter,), rule=Rule.REQUIRED, found="undefined", place="query"),))
        return said

    return id_of
