"""Query parameters, read into a struct by the same rules as a body."""

import re
from typing import Any, TypeVar

import msgspec
from msgspec import Struct, inspect

from mutoscope.model.http import HttpRequest
from mutoscope.wirekit.body import invalid, schema, walk
from mutoscope.wirekit.forms import arms, has

Q = TypeVar("Q", bound=Struct)
WHOLE = re.compile(r"-?[0-9]{1,18}", re.ASCII)


def read_query(request: HttpRequest, type: type[Q]) -> Q:
    """The parameters that the struct has. Raises Problem(INVALID) with every flaw; a text that is no number is one."""
    values: dict[str, Any] = {}
    for field in getattr(schema(type), "fields", ()):
        if (text := request.query.get(field.encode_name)) is not None:
            whole = has(arms(field.type), inspect.IntType) and WHOLE.fullmatch(text)
            values[field.encode_name] = int(text) if whole else text
    flaws = tuple(walk(values, schema(type), ()))
    if flaws:
        raise invalid(flaws)
    return msgspec.convert(values, type)
