"""What is wrong with a member, in the words that vendors' frameworks use."""

from typing import Any

from mutoscope.model.problem import Flaw, Rule


def plain(flaw: Flaw) -> str:
    """A clause that follows the member's name: "should be at most 10"."""
    bound: Any = flaw.bound
    match flaw.rule:
        case Rule.REQUIRED:
            return "is required"
        case Rule.TYPE:
            return f"should be of type {bound}, not {flaw.found}"
        case Rule.CHOICE | Rule.NO_MATCH:
            return f"should be one of {', '.join(map(str, bound))}{as_type(flaw)}"
        case Rule.MINIMUM:
            return f"should be at least {bound}"
        case Rule.MAXIMUM:
            return f"should be at most {bound}"
        case Rule.MIN_LENGTH:
            return f"should have at least {bound} characters"
        case Rule.MAX_LENGTH:
            return f"should have at most {bound} characters"
        case Rule.MIN_ITEMS:
            return f"should have at least {bound} items"
        case Rule.MAX_ITEMS:
            return f"should have at most {bound} items"
        case Rule.PATTERN:
            return f"should match {bound}"
        case Rule.UNKNOWN_KEY:
            return "is not known"
        case Rule.JSON | Rule.CUSTOM:
            return flaw.message or "is not valid"


def as_type(flaw: Flaw) -> str:
    """What is said of a choice's type where a value of the other type may look the same: 5 is not "5"."""
    wanted = "string" if isinstance(flaw.bound[0], str) else "number"
    return f", as a {wanted}, not a {flaw.found}" if {wanted, flaw.found} == {"string", "number"} else ""


PYDANTIC_TYPES: dict[Rule, str] = {
    Rule.REQUIRED: "missing",
    Rule.CHOICE: "literal_error",
    Rule.NO_MATCH: "union_tag_invalid",
    Rule.MINIMUM: "greater_than_equal",
    Rule.MAXIMUM: "less_than_equal",
    Rule.MIN_LENGTH: "string_too_short",
    Rule.MAX_LENGTH: "string_too_long",
    Rule.MIN_ITEMS: "too_short",
    Rule.MAX_ITEMS: "too_long",
    Rule.PATTERN: "string_pattern_mismatch",
    Rule.UNKNOWN_KEY: "extra_forbidden",
    Rule.JSON: "json_invalid",
    Rule.CUSTOM: "value_error",
}
"""A rule's name in the errors of FastAPI and pydantic; that of a wrong type is `<type>_type`."""


def fastapi(flaw: Flaw) -> dict[str, Any]:
    """One finding of FastAPI's list under `detail`. All clients can read it: the place and what was found are texts."""
    closed = flaw.rule is Rule.CHOICE
    return {
        "type": "enum" if closed else pydantic_type(flaw),
        "loc": [flaw.place, *map(str, flaw.path)],
        "msg": pydantic(flaw),
        "input": str(flaw.found) if flaw.rule in VALUED else "",
        "ctx": {"expected": pydantic(flaw).removeprefix("Input should be ")} if closed else None,
    }


VALUED = frozenset({Rule.NO_MATCH, Rule.MINIMUM, Rule.MAXIMUM})
"""The rules whose flaw has the value itself as what was found."""


def pydantic_type(flaw: Flaw) -> str:
    return PYDANTIC_TYPES.get(flaw.rule) or f"{str(flaw.bound).partition(' ')[0]}_type"


def pydantic(flaw: Flaw) -> str:
    """A sentence of pydantic 2: "Input should be less than or equal to 10"."""
    bound: Any = flaw.bound
    match flaw.rule:
        case Rule.REQUIRED:
            return "Field required"
        case Rule.TYPE:
            return f"Input should be a valid {PYDANTIC_KINDS.get(bound, bound)}"
        case Rule.CHOICE | Rule.NO_MATCH:
            return f"Input should be {listed(bound)}"
        case Rule.MINIMUM:
            return f"Input should be greater than or equal to {bound}"
        case Rule.MAXIMUM:
            return f"Input should be less than or equal to {bound}"
        case Rule.MIN_LENGTH:
            return f"String should have at least {counted(bound, 'character')}"
        case Rule.MAX_LENGTH:
            return f"String should have at most {counted(bound, 'character')}"
        case Rule.MIN_ITEMS:
            return f"List should have at least {counted(bound, 'item')} after validation, not {flaw.found}"
        case Rule.MAX_ITEMS:
            return f"List should have at most {counted(bound, 'item')} after validation, not {flaw.found}"
        case Rule.PATTERN:
            return f"String should match pattern '{bound}'"
        case Rule.UNKNOWN_KEY:
            return "Extra inputs are not permitted"
        case Rule.JSON | Rule.CUSTOM:
            return flaw.message or "Value error"


PYDANTIC_KINDS = {"array": "list", "object": "dictionary or object to extract fields from"}


def counted(figure: int, noun: str) -> str:
    return f"{figure} {noun}" if figure == 1 else f"{figure} {noun}s"


def listed(values: tuple[Any, ...]) -> str:
    """'a', 'b' or 'c'"""
    *first, last = map(repr, values)
    return f"{', '.join(first)} or {last}" if first else last
