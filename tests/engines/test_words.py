"""The author: what it answers by itself, what `replies.toml` makes it say, and the values that it fits to schemas."""

import json
import os
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mutoscope.engines.fit import fit
from mutoscope.engines.words import Author, vector
from mutoscope.model.problem import Kind, Problem
from mutoscope.model.words import Ask, Part, Tool, Turn, token_count


def ask(text: str, **more: Any) -> Ask:
    return Ask(model="gpt-4o", turns=(Turn(role="user", parts=(Part(text=text),)),), **more)


def author(tmp_path: Path, rules: str) -> Author:
    path = tmp_path / "replies.toml"
    path.write_text(rules)
    return Author(str(path))


def test_a_rule_answers_what_it_fits_with_what_it_found(tmp_path: Path) -> None:
    rules = """
    [[replies]]
    model = "gpt-*"
    user = "weather in (?P<city>\\\\w+)"
    text = "It rains in {city}, {unknown}."
    latency = 0.5
    tokens_per_second = 10
    chunk = 2
    """
    found = author(tmp_path, rules).reply(ask("the weather in Oslo today"))
    assert found.text == "It rains in Oslo, {unknown}."
    assert (found.latency, found.pause) == (0.5, 0.2)
    assert found.pieces == ("It rains", " in Oslo,", " {unknown}.")
    assert "scripted" in author(tmp_path, rules).reply(ask("something else")).text


def test_rules_call_refuse_and_fail(tmp_path: Path) -> None:
    rules = """
    [[replies]]
    tool = "get_weather"
    user = "in (\\\\w+)"
    call = { name = "get_weather", arguments = { city = "{1}", days = 2 } }
    [[replies]]
    user = "secret"
    refusal = "No."
    [[replies]]
    user = "busy"
    error = "rate_limited"
    text = "later"
    [[replies]]
    image = true
    text = "A picture."
    cut = 1
    """
    made = author(tmp_path, rules)
    called = made.reply(ask("weather in Oslo", tools=(Tool(name="get_weather"),)))
    assert (called.reason, json.loads(called.calls[0].arguments)) == ("tool", {"city": "Oslo", "days": 2})
    assert (made.reply(ask("a secret")).refusal, made.reply(ask("a secret")).reason) == ("No.", "refusal")
    with pytest.raises(Problem, match="later") as caught:
        made.reply(ask("busy?"))
    assert caught.value.kind is Kind.RATE_LIMITED
    seen = Ask(model="m", turns=(Turn(role="user", parts=(Part(kind="image", source="x"),)),))
    assert (made.reply(seen).text, made.reply(seen).cut) == ("A picture.", 1)


def test_a_changed_file_is_read_again_and_a_broken_one_changes_nothing(tmp_path: Path) -> None:
    made = author(tmp_path, '[[replies]]\ntext = "one"')
    assert made.reply(ask("x")).text == "one"
    for number, (rules, said) in enumerate(
        (('[[replies]]\ntext = "other"', "other"), ("[[replies]]\nno = 1", "other"))
    ):
        (tmp_path / "replies.toml").write_text(rules)
        os.utime(tmp_path / "replies.toml", (number, number))
        assert made.reply(ask("x")).text == said


SCHEMAS: tuple[Any, ...] = (
    {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 0.1},
    {"type": "integer", "multipleOf": 7, "minimum": 10, "maximum": 30},
    {"type": "string", "pattern": "^[A-Z]{3}-\\d{4}$"},
    {"type": ["string", "null"], "minLength": 30, "maxLength": 32},
    {"type": "array", "items": {"enum": [1, 2, 3]}, "minItems": 3, "uniqueItems": True},
    {"anyOf": [{"type": "integer", "minimum": 5}, {"type": "array", "items": {"type": "boolean"}, "maxItems": 1}]},
    {"allOf": [{"required": ["a"], "properties": {"a": {"format": "date", "type": "string"}}}, {"required": ["b"]}],
     "type": "object"},
    {
        "$defs": {
            "Node": {
                "type": "object",
                "properties": {
                    "v": {"type": "integer"},
                    "next": {"anyOf": [{"$ref": "#/$defs/Node"}, {"type": "null"}]},
                },
                "required": ["v", "next"],
                "additionalProperties": False,
            }
        },
        "$ref": "#/$defs/Node",
    },
)  # fmt: skip


@pytest.mark.parametrize("schema", SCHEMAS)
def test_a_value_fits_its_schema_and_is_the_same_for_the_same_seed(schema: Any) -> None:
    for number in range(30):
        value = fit(schema, str(number))
        jsonschema_rs.validate(schema, value)
        assert fit(schema, str(number)) == value


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["type", "items", "properties", "enum",
        "anyOf", "$ref", "minItems", "pattern", "required", "minimum", "maxLength"]), inner, max_size=4),
    max_leaves=8,
)  # fmt: skip


@given(JUNK)
def test_a_schema_that_is_none_makes_a_value_or_a_problem(schema: Any) -> None:
    try:
        json.dumps(fit(schema, "0"))
    except Problem as problem:
        assert problem.kind is Kind.INVALID


@given(st.text(max_size=60))
def test_every_text_has_a_vector_of_length_one(text: str) -> None:
    found = vector(text, 32)
    assert sum(each * each for each in found) == pytest.approx(1.0)
    assert vector(text, 32) == found


def test_tokens_are_counted_by_the_stated_rule() -> None:
    assert [token_count(text) for text in ("", "a", "abcd", "abcde", "é" * 3)] == [0, 1, 1, 2, 2]
