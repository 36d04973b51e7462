"""What the wires share: reading bodies with every flaw listed, naming files, deriving ids."""

import base64
import json
import time
from typing import Annotated, Any, Literal

import pytest
import uuid_utils
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET, Meta, Struct, UnsetType

from mutoscope.model.job import MediaLimits, Role
from mutoscope.model.problem import Flaw, Kind, Problem, Rule
from mutoscope.wirekit.body import dotted, flaws_in, invalid, read_body
from mutoscope.wirekit.flaws import plain
from mutoscope.wirekit.ids import from_uuid4_form, uuid4_form
from mutoscope.wirekit.media import BadSource, source


class Leaf(Struct):
    uri: Annotated[str, Meta(max_length=3)]
    position: Literal["last", "first"] = "first"


class Cat(Struct, tag_field="model", tag="cat", forbid_unknown_fields=True):
    lives: Annotated[int, Meta(ge=1, le=9)]


class Dog(Struct, tag_field="model", tag="dog"):
    name: Annotated[str, Meta(pattern="^[a-z]+$")]


class Said(Struct):
    length: Literal["5", "10"]


class Body(Struct):
    text: Annotated[str, Meta(min_length=1, max_length=4)]
    whole: Annotated[int, Meta(ge=0, le=4294967295)] | None = None
    real: Annotated[float, Meta(ge=0, le=1)] | None = None
    flag: bool | UnsetType = UNSET
    choice: Literal[5, 8, 10] | None = None
    leaf: Leaf | None = None
    leaves: Annotated[list[Leaf], Meta(min_length=1, max_length=2)] | None = None
    either: str | list[Leaf] | None = None
    pet: Cat | Dog | None = None
    anything: dict[str, Any] | None = None


def flaws(body: Any, type: Any = Body) -> tuple[Flaw, ...]:
    with pytest.raises(Problem) as caught:
        read_body(body if isinstance(body, bytes) else json.dumps(body).encode(), type)
    assert caught.value.kind is Kind.INVALID
    return caught.value.flaws


@pytest.mark.parametrize(
    ("extra", "path", "rule", "bound"),
    [
        ({"text": 5}, ("text",), Rule.TYPE, "string"),
        ({"text": None}, ("text",), Rule.TYPE, "string"),
        ({"text": ""}, ("text",), Rule.MIN_LENGTH, 1),
        ({"text": "xxxxx"}, ("text",), Rule.MAX_LENGTH, 4),
        ({"whole": -1}, ("whole",), Rule.MINIMUM, 0),
        ({"whole": 4294967296}, ("whole",), Rule.MAXIMUM, 4294967295),
        ({"whole": 10**400}, ("whole",), Rule.MAXIMUM, 4294967295),
        ({"whole": 5.5}, ("whole",), Rule.TYPE, "integer"),
        ({"whole": "5"}, ("whole",), Rule.TYPE, "integer"),
        ({"whole": True}, ("whole",), Rule.TYPE, "integer"),
        ({"real": 1.5}, ("real",), Rule.MAXIMUM, 1),
        ({"real": "x"}, ("real",), Rule.TYPE, "number"),
        ({"flag": 1}, ("flag",), Rule.TYPE, "boolean"),
        ({"flag": None}, ("flag",), Rule.TYPE, "boolean"),
        ({"choice": 7}, ("choice",), Rule.CHOICE, (5, 8, 10)),
        ({"choice": "5"}, ("choice",), Rule.CHOICE, (5, 8, 10)),
        ({"leaf": []}, ("leaf",), Rule.TYPE, "object"),
        ({"leaf": {}}, ("leaf", "uri"), Rule.REQUIRED, "string"),
        ({"leaf": {"uri": "x", "position": "mid"}}, ("leaf", "position"), Rule.CHOICE, ("last", "first")),
        ({"leaves": "x"}, ("leaves",), Rule.TYPE, "array"),
        ({"leaves": []}, ("leaves",), Rule.MIN_ITEMS, 1),
        ({"leaves": [{"uri": "x"}] * 3}, ("leaves",), Rule.MAX_ITEMS, 2),
        ({"leaves": [{"uri": "x"}, {"uri": "long"}]}, ("leaves", 1, "uri"), Rule.MAX_LENGTH, 3),
        ({"either": 5}, ("either",), Rule.TYPE, "string or array"),
        ({"either": [{"uri": 5}]}, ("either", 0, "uri"), Rule.TYPE, "string"),
        ({"pet": {"model": "cow"}}, ("pet", "model"), Rule.NO_MATCH, ("cat", "dog")),
        ({"pet": {"model": "cat", "lives": 10}}, ("pet", "lives"), Rule.MAXIMUM, 9),
        ({"pet": {"model": "cat", "lives": 9, "x": 1}}, ("pet", "x"), Rule.UNKNOWN_KEY, None),
        ({"pet": {"model": "dog", "name": "Rex"}}, ("pet", "name"), Rule.PATTERN, "^[a-z]+$"),
        ({"anything": []}, ("anything",), Rule.TYPE, "object"),
    ],
)
def test_each_broken_rule_is_told_with_its_place_and_bound(
    extra: dict[str, Any], path: tuple[str | int, ...], rule: Rule, bound: Any
):
    [flaw] = flaws({"text": "x"} | extra)
    assert (flaw.path, flaw.rule, flaw.bound) == (path, rule, bound)


def test_every_flaw_is_found_in_one_reading():
    found = flaws({"whole": -1, "choice": 7, "leaf": {"uri": 5}})
    assert [dotted(each.path) for each in found] == ["text", "whole", "choice", "leaf.uri"]


@pytest.mark.parametrize(
    ("pet", "rule"), [({"lives": 1}, Rule.REQUIRED), ({"model": 5}, Rule.TYPE), ({"model": None}, Rule.TYPE)]
)
def test_a_missing_discriminator_is_told_once_with_the_known_ones(pet: Any, rule: Rule):
    [flaw] = flaws({"text": "x", "pet": pet})
    assert (flaw.path, flaw.rule, flaw.known) == (("pet", "model"), rule, ("cat", "dog"))


def test_of_an_object_with_nothing_in_it_runways_two_flaws_are_told():
    found = flaws({"text": "x", "pet": {}})
    assert [(each.path, each.rule) for each in found] == [
        (("pet", "model"), Rule.REQUIRED),
        (("pet", "model"), Rule.NO_MATCH),
    ]


def test_a_good_body_is_read_in_full():
    body = read_body(
        b'{"text": "abcd", "whole": 4294967295, "real": 1, "flag": false, "choice": 8, "leaf": {"uri": "x"},'
        b' "leaves": [{"uri": "a", "position": "last"}], "either": "e", "pet": {"model": "dog", "name": "rex"},'
        b' "anything": {"a": 1.0}, "unknown": 1e999}',
        Body,
    )
    assert body == Body(
        text="abcd",
        whole=4294967295,
        real=1.0,
        flag=False,
        choice=8,
        leaf=Leaf("x"),
        leaves=[Leaf("a", "last")],
        either="e",
        pet=Dog("rex"),
        anything={"a": 1.0},
    )


def test_a_fraction_of_zero_is_whole():
    assert read_body(b'{"text": "x", "whole": 5.0, "real": 1.0}', Body) == Body(text="x", whole=5, real=1.0)


def test_a_choice_of_whole_numbers_may_have_a_fraction_of_zero_too():
    read = read_body(b'{"text": "x", "choice": 5.0}', Body)
    assert (read.choice, type(read.choice)) == (5, int)


def test_a_choice_of_the_wrong_type_says_which_would_be_right():
    [number] = flaws({"text": "x", "choice": "5"})
    assert plain(number) == "should be one of 5, 8, 10, as a number, not a string"
    [other] = flaws({"text": "x", "choice": 7})
    assert plain(other) == "should be one of 5, 8, 10"
    [text] = flaws({"length": 5}, Said)
    assert plain(text) == "should be one of 5, 10, as a string, not a number"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"nonsense",
        b'{"text": 5, bad',  # broken for its type before it is broken as JSON
        b'{"whole": "x", "anything": ' + b"[" * 100_000,
        b'{"text": "\xff"}',
        b'{"text": "\\ud800x"}',
        b'{"whole": 1e999, "text": NaN}',
        b'{"whole": 1e999, "text": "\\ud800"}',
        b"\xef\xbb\xbf{}",
    ],
)
def test_what_is_no_json_is_one_flaw_of_the_whole(body: bytes):
    [flaw] = flaws(body)
    assert (flaw.path, flaw.rule) == ((), Rule.JSON)
    assert flaw.message is not None
    assert flaw.message.startswith("The request body is not valid JSON")


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "it is empty"),
        (b" \r\n", "it is empty"),
        (b"text=a+lake&whole=5", "it looks like a form"),
        (b"text=a%20lake", "it looks like a form"),
        (b"text=" + b"x" * 100_000 + b"&whole=5", "it looks like a form"),
        (b'--b0undary\r\nContent-Disposition: form-data; name="text"\r\n\r\nx\r\n--b0undary--', "it looks like a form"),
        (b"\xef\xbb\xbf{}", "it begins with a byte order mark"),
        ('{"text": "x"}'.encode("utf-16"), "it is not UTF-8"),
        ('{"text": "x"}'.encode("utf-16-le"), "it is not UTF-8"),
        ('{"text": "x"}'.encode("utf-32"), "it is not UTF-8"),
    ],
)
def test_what_was_sent_in_place_of_json_is_named_and_what_should_be_sent(body: bytes, told: str):
    [flaw] = flaws(body)
    assert f"not valid JSON: {told}" in (flaw.message or "")
    assert "send a JSON body" in (flaw.message or "")


@pytest.mark.parametrize("figure", [b"9" * 5000, b"-" + b"9" * 5000, b"1e999"])
def test_a_figure_beyond_all_reading_breaks_its_field_only(figure: bytes):
    [flaw] = flaws(b'{"text": "x", "whole": ' + figure + b"}")
    assert (flaw.path, flaw.rule) == (("whole",), Rule.TYPE)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
NEAR = st.fixed_dictionaries(
    {"text": st.text(max_size=6) | JSON},
    optional={
        "whole": st.integers(-2, 2**33) | st.sampled_from([5.0, 5.5, True]) | JSON,
        "real": st.floats(-0.5, 1.5) | JSON,
        "flag": st.booleans() | JSON,
        "choice": st.integers(4, 11) | st.sampled_from([5.0, True]) | JSON,
        "leaf": st.fixed_dictionaries({}, optional={"uri": st.text(max_size=5), "position": st.just("last") | JSON}),
        "leaves": st.lists(st.fixed_dictionaries({"uri": st.text(max_size=4)}), max_size=3) | JSON,
        "either": st.text(max_size=2) | st.lists(st.fixed_dictionaries({"uri": st.just("x")}), max_size=2) | JSON,
        "pet": st.fixed_dictionaries(
            {},
            optional={"model": st.sampled_from(["cat", "dog", "cow", 5]), "lives": JSON, "name": st.text(max_size=3)},
        ),
        "anything": JSON,
    },
)
"""Bodies that are mostly right, so that each field's rules come into play."""


@given(NEAR | JSON)
@settings(max_examples=300)
def test_a_body_is_read_exactly_when_it_has_no_flaw(value: Any):
    body = json.dumps(value).encode()
    try:
        read = read_body(body, Body)
    except Problem as problem:
        assert problem.flaws
        assert not any(flaw.rule is Rule.CUSTOM for flaw in problem.flaws)  # the walk found it, and can say where
    else:
        assert flaws_in(body, Body) == ()
        assert isinstance(read, Body)


@given(st.binary(max_size=30))
@settings(max_examples=200)
def test_no_bytes_are_an_accident(body: bytes):
    with pytest.raises(Problem):
        read_body(body, Body)


def test_a_problem_names_the_field_of_its_first_flaw():
    problem = invalid((Flaw(path=("references", 0, "uri"), rule=Rule.REQUIRED),))
    assert (problem.kind, problem.field) == (Kind.INVALID, "references[0].uri")
    assert invalid((Flaw(path=(), rule=Rule.JSON, message="why"),)).field is None


# -- naming files ------------------------------------------------------------------

DATA = bytes(range(256))
BARE = base64.b64encode(DATA).decode()


def read(text: str, *, bare: bool = True):
    return source(text, role=Role.REFERENCE, field="f[0]", limits=MediaLimits(max_bytes=9), bare_base64=bare)


@pytest.mark.parametrize("text", ["http://h.example/x.png", "HTTPS://H.example", "https://h.example:8/?a=b#c"])
def test_a_link_is_kept_as_it_is(text: str):
    found = read(text)
    assert (found.url, found.data, found.role, found.field, found.limits) == (
        text,
        None,
        Role.REFERENCE,
        "f[0]",
        MediaLimits(max_bytes=9),
    )


@pytest.mark.parametrize(
    ("text", "media_type"),
    [
        (BARE, None),
        (BARE.rstrip("="), None),
        (base64.urlsafe_b64encode(DATA).decode(), None),
        (base64.encodebytes(DATA).decode(), None),
        (f"data:image/png;base64,{BARE}", "image/png"),
        (f"data:image/svg+xml;charset=utf-8;base64,{BARE}", "image/svg+xml"),
        (f"Data:Image/PNG;Base64,{BARE}", "image/png"),
        (f"data:;base64,{BARE}", None),
    ],
)
def test_inline_bytes_are_decoded(text: str, media_type: str | None):
    found = read(text)
    assert (found.data, found.media_type, found.url) == (DATA, media_type, None)


LONG = bytes(range(256)) * 40 + b"\xfb\xef\xbe\xfb"


@given(st.binary(min_size=30, max_size=200).map(lambda data: b"\x89PNG" + data), st.booleans())
@settings(max_examples=300)
def test_a_plus_that_a_form_made_a_blank_is_read_as_it_was(data: bytes, padded: bool):
    text = base64.b64encode(data).decode()
    if not padded:
        text = text.rstrip("=")
    lines = sorted(map(len, text.split("+")[:-1]))
    if text.endswith("+") or (lines and lines[0] == lines[-1]):
        return  # nothing tells the last one from a blank at the end; pieces as long as each other are taken for lines
    assert read(f"data:image/png;base64,{text.replace('+', ' ')}").data == data


@pytest.mark.parametrize("width", [4, 64, 75, 76, 100])
@pytest.mark.parametrize("gap", [" ", "\n", "\r\n", " \n", "\t"])
def test_lines_of_base64_are_joined_whatever_stands_between_them(width: int, gap: str):
    text = base64.b64encode(LONG).decode()
    lines = gap.join(text[start : start + width] for start in range(0, len(text), width))
    assert read(f"data:image/png;base64, {lines}\n").data == LONG


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "should be an HTTP(S) URL, a data URI or base64"),
        ("fox.png", "should be an HTTP(S) URL, a data URI or base64"),
        ("C:\\pictures\\a-rather-long-name.png", "should be an HTTP(S) URL, a data URI or base64"),
        ("file:///etc/passwd", "should be an HTTP(S) URL, a data URI or base64"),
        ("https://h.example/a b", "should be an HTTP(S) URL, a data URI or base64"),
        ("A" * 17, "Invalid data URI: the base64 cannot be decoded"),
        ("data:image/png,x", "Invalid data URI: it must be data:<media type>;base64,<data>"),
        ("data:image/png;base64,*", "Invalid data URI: the base64 cannot be decoded"),
    ],
)
def test_text_that_names_no_file_is_refused(text: str, message: str):
    with pytest.raises(BadSource) as caught:
        read(text)
    assert str(caught.value) == message


def test_bare_base64_is_read_only_where_the_vendor_takes_it():
    with pytest.raises(BadSource, match=r"should be an HTTP\(S\) URL, a data URI$"):
        read(BARE, bare=False)


@pytest.mark.parametrize(
    "text", ["http://" + "a" * 200_000 + " ", "A" + " " * 200_000 + "!", "data:" + ";a=b" * 50_000]
)
def test_a_long_text_is_refused_in_no_time(text: str):
    started = time.perf_counter()
    with pytest.raises(BadSource):
        read(text)
    assert time.perf_counter() - started < 2.0  # a pattern that backtracks takes minutes


# -- ids -----------------------------------------------------------------------------


def test_an_id_comes_back_from_its_public_form():
    for _ in range(100):
        id = str(uuid_utils.uuid7())
        public = uuid4_form(id)
        assert public != id
        assert public[14] == "4"
        assert from_uuid4_form(public) == id
        assert from_uuid4_form(public.upper()) == id


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "01890a5d-ac96-774b-bcce-b302099a8057",  # version 7 is our own form
        "01890a5d-ac96-474b-ccce-b302099a8057",
        "01890a5dac96474bbcceb302099a8057",
        "01890a5d-ac96-474b-bcce-b302099a8057\n",
        "../01890a5d-ac96-474b-bcce-b302099a8057",
        "०1890a5d-ac96-474b-bcce-b302099a8057",
    ],
)
def test_what_cannot_be_an_id_is_none(text: str):
    assert from_uuid4_form(text) is None


def test_the_order_of_ids_survives_in_public():
    ids = [str(uuid_utils.uuid7()) for _ in range(50)]
    times = [uuid4_form(id)[:13] for id in ids]
    assert times == sorted(times)
