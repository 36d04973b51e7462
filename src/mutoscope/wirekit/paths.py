"""Dotted paths into JSON: `input.prompt`, `data.*.url` for that member of every item of a list, and
`contents[type=video].url` for that of the item of which another member says so."""

from collections.abc import Iterator
from functools import cache
from typing import Any, cast

from msgspec import inspect

from mutoscope.model.job import Json
from mutoscope.wirekit.body import schema
from mutoscope.wirekit.forms import arms


def at(value: Any, path: str) -> Any:
    """What stands at a path; None where nothing does, and a flat list where the path has a `*`."""
    if path.isidentifier():
        return cast("Json", value).get(path) if isinstance(value, dict) else None
    steps = path.split(".")
    for place, step in enumerate(steps):
        if step == "*":
            rest = ".".join(steps[place + 1 :])
            items = cast("list[Any]", value) if isinstance(value, list) else []
            return [found for each in items if (found := at(each, rest) if rest else each) is not None]
        name, choice = chosen(step)
        if choice:
            value = next(fitting(cast("Json", value).get(name), choice), None) if isinstance(value, dict) else None
        elif isinstance(value, list) and step.isdigit():
            value = cast("list[Any]", value)[int(step)] if int(step) < len(cast("list[Any]", value)) else None
        else:
            value = cast("Json", value).get(step) if isinstance(value, dict) else None
    return value


def put(body: Json, path: str, value: Any) -> None:
    """Set what stands at a path without `*`, making the objects on the way."""
    *steps, last = path.split(".")
    for step in steps:
        name, choice = chosen(step)
        if choice:
            items: list[Json] = body.setdefault(name, [])
            found = next(fitting(items, choice), None)
            if found is None:
                items.append(found := Json(choice))
            body = found
        else:
            body = body.setdefault(step, {})
    body[last] = value


def chosen(step: str) -> tuple[str, dict[str, str]]:
    """The member of a step, and which of its items is meant: "contents[type=video]"."""
    name, _, choice = step.partition("[")
    key, _, wanted = choice.rstrip("]").partition("=")
    return name, {key: wanted} if choice else {}


def fitting(items: Any, choice: dict[str, str]) -> Iterator[Json]:
    """The objects of a list that say so."""
    for each in cast("list[Any]", items) if isinstance(items, list) else []:
        if isinstance(each, dict) and choice.items() <= cast("Json", each).items():
            yield cast("Json", each)


@cache
def has(body: Any, path: str) -> bool:
    """Whether a type has a member at a path."""
    return bool(types_at(body, path))


def types_at(body: Any, path: str) -> list[inspect.Type]:
    """The types of the member at a path, in every variant of a body."""
    types = arms(schema(body))
    for step in path.split("."):
        name, choice = chosen(step)
        found: list[inspect.Type] = []
        for each in types:
            for field in cast("tuple[inspect.Field, ...]", getattr(each, "fields", ())):
                if field.encode_name == name:
                    found += arms(field.type)
        if choice:
            found = [arm for each in found if isinstance(each, inspect.ListType) for arm in arms(each.item_type)]
        types = found
    return types
