"""Bodies as rows: the members of each by their names, and what a member is wherever a body does not say otherwise."""

from typing import Annotated, Any

from msgspec import Meta, defstruct

from mutoscope.model.job import Json


def body(
    types: Json, module: str, name: str, members: str, /, about: str = "", strict: bool = False, **own: Any
) -> Any:
    """The struct of a body with these members, in their order; one with a `!` is needed, and one without a type is a
    text. `own`: types of this body alone, and members that come last. `strict`: unknown members are refused."""
    listed = dict.fromkeys(members.split()) | {each: None for each in own if f"{each}!" not in members.split()}
    found: list[Any] = []
    for each in listed:
        type = (types | own).get(each.rstrip("!"), str)
        found.append((each[:-1], type) if each.endswith("!") else (each, type | None, None))
    namespace = {"__doc__": about} if about else None
    return defstruct(name, found, namespace=namespace, module=module, kw_only=True, forbid_unknown_fields=strict)


def text(longest: int | None = None, shortest: int | None = 1) -> Any:
    return Annotated[str, Meta(min_length=shortest, max_length=longest)]


def word(pattern: str, example: str = "") -> Any:
    return Annotated[str, Meta(pattern=f"^{pattern}$", examples=[example] if example else None)]


def whole(least: int, most: int | None = None) -> Any:
    return Annotated[int, Meta(ge=least, le=most)]


def number(least: float, most: float | None = None) -> Any:
    return Annotated[float, Meta(ge=least, le=most)]


def many(item: Any, most: int | None = None, least: int | None = None) -> Any:
    return Annotated[list[item], Meta(min_length=least, max_length=most)] if most else list[item]
