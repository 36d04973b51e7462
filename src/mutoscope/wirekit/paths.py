"""Dotted paths into JSON: `input.prompt`, `data.*.url` for that member of every item of a list, and
`contents[type=video].url` for that of the item of which another member says so."""

from collections.abc import Iterator
from functools import cache, lru_cache
from typing import Any, cast

from msgspec import inspect

from mutoscope.model.job import Json
from mutoscope.wirekit.body import Path, schema
from mutoscope.wirekit.forms import arms


def at(value: Any, path: str) -> Any:
    """What stands at a path; None where nothing does, and a flat list where the path has a `*`."""
    if path.isidentifier():
        return cast("Json", value).get(path) if isinstance(value, dict) else None
    for place, (step, choice) in enumerate(steps_of(path)):
        if step == "*":
            rest = path.split(".", place + 1)[place + 1] if place + 1 < len(steps_of(path)) else ""
            items = cast("list[Any]", value) if isinstance(value, list) else []
            return [found for each in items if (found := at(each, rest) if rest else each) is not None]
        if choice:
            value = next(fitting(cast("Json", value).get(step), choice), None) if isinstance(value, dict) else None
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


def located(value: Any, path: str) -> Path:
    """Where in a value a path leads, each item of a list by its place; as far as there is anything."""
    if "[" not in path:
        return tuple(path.split("."))
    found: list[str | int] = []
    for name, choice in steps_of(path):
        found.append(name)
        value = cast("Json", value).get(name) if isinstance(value, dict) else None
        if choice:
            items = cast("list[Any]", value) if isinstance(value, list) else []
            value = next(fitting(items, choice), None)
            found += [index for index, each in enumerate(items) if each is value][:1]
    return tuple(found)


@lru_cache(4096)
def steps_of(path: str) -> tuple[tuple[str, dict[str, str]], ...]:
    return tuple(map(chosen, path.split(".")))


def chosen(step: str) -> tuple[str, dict[str, str]]:
    """The member of a step, and which of its items is meant: "contents[type=video]"."""
    name, _, choice = step.partition("[")
    key, _, wanted = choice.rstrip("]").partition("=")
    return name, {key: wanted} if choice else {}


def fitting(items: Any, choice: dict[str, str]) -> Iterator[Json]:
    """The objects of a list that say so."""
    for each in cast("list[Any]", items) if isinstance(items, list) else []:
        if isinstance(each, dict) and all(cast("Json", each).get(key) == word for key, word in choice.items()):
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
            found += members_named(each, name)
        if choice:
            items = [arm for each in found if isinstance(each, inspect.ListType) for arm in arms(each.item_type)]
            found = [each for each in items if all(may_be(members_named(each, key), choice[key]) for key in choice)]
        types = found
    return types


def members_named(type: inspect.Type, name: str) -> list[inspect.Type]:
    """The types of a member; the tag that tells structs apart is one too."""
    if isinstance(type, inspect.StructType) and type.tag_field == name:
        return [inspect.LiteralType((type.tag,))]
    fields = cast("tuple[inspect.Field, ...]", getattr(type, "fields", ()))
    return [arm for field in fields if field.encode_name == name for arm in arms(field.type)]


def may_be(types: list[inspect.Type], word: str) -> bool:
    """Whether a member may have a value: of a closed list, one that it names."""
    return any(word in each.values if isinstance(each, inspect.LiteralType) else True for each in types)
