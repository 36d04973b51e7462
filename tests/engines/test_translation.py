"""Between OpenAI's chat and Anthropic's messages: the map of the specification, both ways, whole and in pieces."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mutoscope.engines.translation import Asked, ToChunks, ToEvents, problem_in, to_chat, to_completion, to_message
from mutoscope.engines.translation import to_messages as to_messages_
from mutoscope.model.http import HttpRequest
from mutoscope.model.problem import Kind, Problem
from mutoscope.wirekit.words import event_data

Json = dict[str, Any]


def asked(body: Json, **headers: str) -> HttpRequest:
    return HttpRequest(method="POST", path="/", body=json.dumps(body).encode(), headers=headers)


def messages(body: Json) -> Asked:
    return to_messages_(asked({"model": "m", "messages": [{"role": "user", "content": "Hi"}]} | body), "there", False)


def chat(body: Json, *, vendor: bool = False) -> Asked:
    usual = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]}
    return to_chat(asked(usual | body), "there", vendor)


# -- OpenAI's request ----------------------------------------------------------------------

CALL = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}
CALL_2 = {"id": "call_2", "type": "function", "function": {"name": "g", "arguments": "{}"}}
USE = {"type": "tool_use", "id": "call_1", "name": "f", "input": {"a": 1}}
USE_2 = {"type": "tool_use", "id": "call_2", "name": "g", "input": {}}
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}}
FUNCTION = {"type": "function", "function": {"name": "f", "description": "d", "parameters": SCHEMA, "strict": True}}
TOOL = {"name": "f", "description": "d", "input_schema": SCHEMA, "strict": True}
PNG = {"type": "base64", "media_type": "image/png", "data": "AAAA"}
PDF = {"type": "base64", "media_type": "application/pdf", "data": "AAAA"}


@pytest.mark.parametrize(
    ("body", "there"),
    [
        ({}, {"max_tokens": 4096}),
        ({"max_tokens": 5}, {"max_tokens": 5}),
        ({"max_tokens": 5, "max_completion_tokens": 6}, {"max_tokens": 6}),
        ({"stop": "a"}, {"stop_sequences": ["a"]}),
        ({"stop": ["a", " "]}, {"stop_sequences": ["a"]}),
        ({"temperature": 0, "top_p": 0.5}, {"temperature": 0, "top_p": 0.5}),
        ({"tools": [FUNCTION]}, {"tools": [TOOL]}),
        (
            {"tools": [{"type": "function", "function": {"name": "f"}}]},
            {"tools": [{"name": "f", "input_schema": {"type": "object", "properties": {}}}]},
        ),
        ({"tools": [FUNCTION], "tool_choice": "required"}, {"tools": [TOOL], "tool_choice": {"type": "any"}}),
        ({"tools": [FUNCTION], "tool_choice": "none"}, {"tools": [TOOL], "tool_choice": {"type": "none"}}),
        (
            {"tools": [FUNCTION], "tool_choice": {"type": "function", "function": {"name": "f"}}},
            {"tools": [TOOL], "tool_choice": {"type": "tool", "name": "f"}},
        ),
        (
            {"tools": [FUNCTION], "parallel_tool_calls": False},
            {"tools": [TOOL], "tool_choice": {"type": "auto", "disable_parallel_tool_use": True}},
        ),
        (
            {"functions": [FUNCTION["function"]], "function_call": {"name": "f"}},
            {"tools": [TOOL], "tool_choice": {"type": "tool", "name": "f"}},
        ),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}}},
            {"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}},
        ),
        ({"reasoning_effort": "none"}, {"thinking": {"type": "disabled"}}),
        ({"reasoning_effort": "minimal"}, {"thinking": {"type": "disabled"}}),
        ({"reasoning_effort": "high"}, {"thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}}),
        ({"user": "u"}, {"metadata": {"user_id": "u"}}),
        ({"user": "u", "safety_identifier": "s"}, {"metadata": {"user_id": "s"}}),
        ({"service_tier": "default"}, {"service_tier": "standard_only"}),
        ({"stream": True}, {"stream": True}),
        ({"n": 1, "logprobs": False, "frequency_penalty": 0, "seed": None}, {}),
    ],
)
def test_what_a_chat_asks_is_asked_as_a_message(body: Json, there: Json) -> None:
    told = messages(body)
    usual = {"model": "there", "max_tokens": 4096, "messages": [{"role": "user", "content": "Hi"}]}
    assert told.body == usual | there
    assert not told.notes


def test_a_system_is_no_turn_and_empty_texts_are_none() -> None:
    said = [
        {"role": "system", "content": "One."},
        {"role": "user", "content": [{"type": "text", "text": ""}, {"type": "text", "text": "Hi"}]},
        {"role": "developer", "content": [{"type": "text", "text": "Two."}]},
        {"role": "assistant", "content": ""},
    ]
    body = messages({"messages": said, "response_format": {"type": "json_object"}}).body
    assert [each["text"] for each in body["system"]][:2] == ["One.", "Two."] and "JSON" in body["system"][2]["text"]
    assert body["messages"] == [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}]


def test_pictures_and_files_go_as_blocks() -> None:
    parts = [
        {"type": "image_url", "image_url": {"url": "data:image/jpg;base64,AAAA", "detail": "high"}},
        {"type": "image_url", "image_url": "https://example.com/a.png"},
        {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,AAAA"}},
    ]
    told = messages({"messages": [{"role": "user", "content": parts}]})
    assert told.body["messages"][0]["content"] == [
        {"type": "image", "source": PNG | {"media_type": "image/jpeg"}},
        {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}},
        {"type": "document", "source": PDF, "title": "a.pdf"},
    ]
    assert told.notes == ("image_url.detail",)


def test_what_tools_answered_is_one_turn_and_first_in_it() -> None:
    said = [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Well", "tool_calls": [CALL, CALL_2]},
        {"role": "tool", "tool_call_id": "call_1", "content": "one"},
        {"role": "tool", "tool_call_id": "call_2", "content": [{"type": "text", "text": "two"}]},
        {"role": "user", "content": "Go on"},
    ]
    assert messages({"messages": said}).body["messages"] == [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": [{"type": "text", "text": "Well"}, USE, USE_2]},
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "call_1", "content": "one"},
                {"type": "tool_result", "tool_use_id": "call_2", "content": [{"type": "text", "text": "two"}]},
                {"type": "text", "text": "Go on"},
            ],
        },
    ]


def test_the_older_functions_are_tools_with_an_id_of_ours() -> None:
    said = [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{broken"}},
        {"role": "function", "name": "f", "content": "one"},
    ]
    told = messages({"messages": said})
    assert told.body["messages"][1:] == [
        {"role": "assistant", "content": [USE | {"input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "call_1", "content": "one"}]},
    ]
    assert "arguments" in told.notes[0]


@pytest.mark.parametrize(
    ("body", "note"),
    [
        ({"seed": 1}, "seed"),
        ({"logprobs": True}, "logprobs"),
        ({"presence_penalty": 1}, "presence_penalty"),
        ({"logit_bias": {"1": 2}}, "logit_bias"),
        ({"prediction": {"type": "content", "content": "x"}}, "prediction"),
        ({"something_new": 1}, "something_new"),
        ({"temperature": 1.5}, "temperature above 1"),
        ({"service_tier": "flex"}, "service_tier"),
        ({"messages": [{"role": "user", "content": "Hi", "name": "ann"}]}, "messages.name"),
    ],
)
def test_what_a_message_cannot_say_is_noted(body: Json, note: str) -> None:
    assert messages(body).notes == (note,)


USER = {"role": "user"}
CUSTOM = {"id": "c", "type": "custom", "custom": {"name": "f", "input": "x"}}


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"n": 2}, "n"),
        ({"tools": [FUNCTION, {"type": "custom", "custom": {"name": "f"}}]}, "tools[1].type"),
        (
            {"tools": [FUNCTION], "tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": "auto"}}},
            "tool_choice.type",
        ),
        (
            {"messages": [USER | {"content": [{"type": "input_audio", "input_audio": {"data": "", "format": "wav"}}]}]},
            "messages[0].content[0]",
        ),
        (
            {"messages": [USER | {"content": [{"type": "file", "file": {"file_id": "file-1"}}]}]},
            "messages[0].content[0]",
        ),
        (
            {"messages": [USER | {"content": [{"type": "image_url", "image_url": {"url": "data:image/png,x"}}]}]},
            "messages[0].content[0]",
        ),
        ({"messages": [{"role": "assistant", "audio": {"id": "a"}}]}, "messages[0].audio"),
        ({"messages": [{"role": "assistant", "tool_calls": [CUSTOM]}]}, "messages[0].tool_calls[0].type"),
        ({"modalities": ["text", "audio"]}, "modalities"),
    ],
)
def test_what_would_make_another_answer_is_refused_by_its_name(body: Json, place: str) -> None:
    with pytest.raises(Problem) as caught:
        messages(body)
    assert (caught.value.kind, caught.value.field) == (Kind.UNSUPPORTED, place)


def test_the_version_is_the_older_one_only_where_it_has_to_be() -> None:
    assert messages({}).headers == {"anthropic-version": "2026-10-21"}
    assert messages({"temperature": 0.5}).headers == {"anthropic-version": "2023-06-01"}


# -- Anthropic's request ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "there"),
    [
        ({}, {}),
        ({"stop_sequences": ["a"]}, {"stop": ["a"]}),
        ({"temperature": 0, "top_p": 0.5}, {"temperature": 0, "top_p": 0.5}),
        ({"tools": [TOOL]}, {"tools": [FUNCTION]}),
        ({"tools": [TOOL], "tool_choice": {"type": "any"}}, {"tools": [FUNCTION], "tool_choice": "required"}),
        (
            {"tools": [TOOL], "tool_choice": {"type": "auto", "disable_parallel_tool_use": True}},
            {"tools": [FUNCTION], "tool_choice": "auto", "parallel_tool_calls": False},
        ),
        (
            {"tools": [TOOL], "tool_choice": {"type": "tool", "name": "f"}},
            {"tools": [FUNCTION], "tool_choice": {"type": "function", "function": {"name": "f"}}},
        ),
        ({"thinking": {"type": "disabled"}}, {"reasoning_effort": "none"}),
        ({"thinking": {"type": "enabled", "budget_tokens": 8192}}, {"reasoning_effort": "high"}),
        ({"thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}}, {"reasoning_effort": "low"}),
        ({"metadata": {"user_id": "u"}}, {"user": "u"}),
        ({"service_tier": "standard_only"}, {"service_tier": "default"}),
        ({"stream": True}, {"stream": True, "stream_options": {"include_usage": True}}),
    ],
)
def test_what_a_message_asks_is_asked_as_a_chat(body: Json, there: Json) -> None:
    told = chat(body)
    usual = {"model": "there", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]}
    assert told.body == usual | there
    assert not told.notes


def test_the_most_tokens_go_by_the_name_that_is_known_there() -> None:
    assert chat({}, vendor=True).body["max_completion_tokens"] == 9
    assert "max_tokens" not in chat({}, vendor=True).body


def test_a_schema_and_a_system_of_several_blocks() -> None:
    body = chat(
        {
            "system": [
                {"type": "text", "text": "One.", "cache_control": {"type": "ephemeral"}},
                {"type": "text", "text": "Two."},
            ],
            "output_config": {"format": {"type": "json_schema", "schema": SCHEMA}},
        }
    ).body
    assert body["messages"][0] == {"role": "system", "content": "One.\n\nTwo."}
    assert body["response_format"]["json_schema"] == {"name": "answer", "schema": SCHEMA, "strict": True}


def test_blocks_go_as_parts_and_the_answers_of_tools_as_turns() -> None:
    thinking = {"type": "thinking", "thinking": "hm", "signature": "s"}
    picture = {"type": "image", "source": PNG}
    said = [
        {"role": "user", "content": [{"type": "text", "text": "What?"}, picture, {"type": "document", "source": PDF}]},
        {"role": "assistant", "content": [thinking, {"type": "text", "text": "Well"}, USE, USE_2]},
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "call_1", "content": "no", "is_error": True},
                {
                    "type": "tool_result",
                    "tool_use_id": "call_2",
                    "content": [{"type": "text", "text": "a"}, picture, {"type": "text", "text": "b"}],
                },
                {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "Read."}},
            ],
        },
    ]
    told = chat({"messages": said})
    link = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    file = {"filename": "document.pdf", "file_data": "data:application/pdf;base64,AAAA"}
    assert told.body["messages"] == [
        {"role": "user", "content": [{"type": "text", "text": "What?"}, link, {"type": "file", "file": file}]},
        {"role": "assistant", "content": "Well", "tool_calls": [CALL, CALL_2]},
        {"role": "tool", "tool_call_id": "call_1", "content": "Error: no"},
        {"role": "tool", "tool_call_id": "call_2", "content": "a\nb"},
        {"role": "user", "content": [link, {"type": "text", "text": "Read."}]},
    ]
    assert told.notes == ("thinking",)


@pytest.mark.parametrize(
    ("body", "note"),
    [
        ({"top_k": 5}, "top_k"),
        ({"cache_control": {"type": "ephemeral"}}, "cache_control"),
        ({"something_new": 1}, "something_new"),
        ({"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "W"}]}, "the last message"),
        ({"tools": [TOOL | {"cache_control": {"type": "ephemeral"}}]}, "tools.cache_control"),
    ],
)
def test_what_a_chat_cannot_say_is_noted(body: Json, note: str) -> None:
    [told] = chat(body).notes
    assert told.startswith(note)


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"stop_sequences": list("abcde")}, "stop_sequences"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"mcp_servers": [{"type": "url", "name": "a", "url": "https://e.com"}]}, "mcp_servers"),
        ({"messages": [USER | {"content": [{"type": "container_upload", "file_id": "f"}]}]}, "messages.0.content.0"),
        (
            {
                "messages": [
                    USER | {"content": [{"type": "document", "source": {"type": "url", "url": "https://e.com"}}]}
                ]
            },
            "messages.0.content.0",
        ),
        ({"tools": [{"type": "bash_20250124", "name": "bash"}]}, "tools.0.type"),
    ],
)
def test_what_no_chat_can_say_is_refused_by_its_name(body: Json, place: str) -> None:
    with pytest.raises(Problem) as caught:
        chat(body)
    assert (caught.value.kind, caught.value.field) == (Kind.UNSUPPORTED, place)


# -- answers, as the specifications have them ------------------------------------------------

MESSAGE = {
    "id": "msg_01XFD",
    "type": "message",
    "role": "assistant",
    "model": "claude-sonnet-4-6",
    "content": [{"type": "text", "text": "A red fox.", "citations": None}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "stop_details": None,
    "container": None,
    "usage": {
        "input_tokens": 19,
        "cache_creation_input_tokens": 2,
        "cache_read_input_tokens": 3,
        "cache_creation": {"ephemeral_5m_input_tokens": 2, "ephemeral_1h_input_tokens": 0},
        "output_tokens": 6,
        "output_tokens_details": {"thinking_tokens": 1},
        "server_tool_use": None,
        "service_tier": "standard",
    },
}
COMPLETION = {
    "id": "chatcmpl-01XFD",
    "object": "chat.completion",
    "created": 1790000000,
    "model": "claude-sonnet-4-6",
    "system_fingerprint": None,
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "A red fox.", "refusal": None, "annotations": []},
            "logprobs": None,
            "finish_reason": "stop",
        }
    ],
    "usage": {
        "prompt_tokens": 24,
        "completion_tokens": 6,
        "total_tokens": 30,
        "prompt_tokens_details": {"cached_tokens": 3, "cache_write_tokens": 2, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": 1,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    },
}


def completion(message: Json) -> Json:
    return to_completion(json.dumps(message).encode(), 1790000000)


def message(completion: Json) -> Json:
    return to_message(json.dumps(completion).encode(), 0)


def test_an_answer_of_the_specification_is_the_same_on_either_wire() -> None:
    assert completion(MESSAGE) == COMPLETION
    assert message(COMPLETION) == MESSAGE


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("tool_use", "tool_calls"),
        ("refusal", "content_filter"),
        ("pause_turn", "stop"),
        ("compaction", "stop"),
    ],
)
def test_every_reason_to_stop_has_its_word(reason: str, finish: str) -> None:
    assert completion(MESSAGE | {"stop_reason": reason})["choices"][0]["finish_reason"] == finish


@pytest.mark.parametrize(
    ("finish", "reason"),
    [
        ("stop", "end_turn"),
        ("length", "max_tokens"),
        ("tool_calls", "tool_use"),
        ("function_call", "tool_use"),
        ("content_filter", "refusal"),
        (None, "end_turn"),
        ("new", "end_turn"),
    ],
)
def test_every_end_of_a_choice_has_its_word(finish: str | None, reason: str) -> None:
    choice = COMPLETION["choices"][0] | {"finish_reason": finish}
    assert message(COMPLETION | {"choices": [choice]})["stop_reason"] == reason


def test_a_refusal_and_a_stop_word_come_there_and_back() -> None:
    details = {"type": "refusal", "category": None, "explanation": "No."}
    refused = MESSAGE | {"content": [], "stop_reason": "refusal", "stop_details": details}
    told = completion(refused)["choices"][0]
    assert (told["message"]["content"], told["message"]["refusal"]) == (None, "No.")
    assert message(completion(refused)) == refused
    stopped = MESSAGE | {"stop_reason": "stop_sequence", "stop_sequence": "fox"}
    assert message(completion(stopped)) == stopped


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"choices":[]}', b'{"choices":[{"message":null}]}', b"\xff"])
def test_an_answer_that_is_none_is_a_failure_of_the_account(body: bytes) -> None:
    with pytest.raises(Problem) as caught:
        to_message(body, 0)
    assert caught.value.kind is Kind.UPSTREAM_FAILED


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        (400, {"type": "invalid_request_error", "message": "no"}, Kind.INVALID),
        (404, {"type": "not_found_error", "message": "no"}, Kind.NOT_FOUND),
        (413, {"type": "request_too_large", "message": "no"}, Kind.TOO_LARGE),
        (429, {"type": "rate_limit_error", "message": "no"}, Kind.RATE_LIMITED),
        (429, {"type": "insufficient_quota", "code": "insufficient_quota", "message": "no"}, Kind.QUOTA_EXCEEDED),
        (500, {"type": "api_error", "message": "no"}, Kind.ENGINE_FAILED),
        (502, {"type": "server_error", "message": "no"}, Kind.UPSTREAM_FAILED),
        (504, {"type": "timeout_error", "message": "no"}, Kind.TIMED_OUT),
        (503, {"type": "server_error", "message": "no"}, Kind.UNAVAILABLE),
        (529, {"type": "overloaded_error", "message": "no"}, Kind.UNAVAILABLE),
        (None, {"type": "overloaded_error", "message": "no"}, Kind.UNAVAILABLE),
        (None, {"type": "server_error", "message": "no"}, Kind.UPSTREAM_FAILED),
    ],
)
def test_every_error_is_a_problem_of_its_kind(status: int | None, error: Json, kind: Kind) -> None:
    problem = problem_in(json.dumps({"error": error}).encode(), status)
    assert (problem.kind, problem.message) == (kind, "no")


@pytest.mark.parametrize("body", [b"", b"{", b"[1]", b'{"error":"no"}', b'{"error":{"message":null}}', b"\xff"])
def test_an_error_that_cannot_be_read_is_one_all_the_same(body: bytes) -> None:
    assert problem_in(body, 500).message


# -- there and back --------------------------------------------------------------------------

TEXT = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20).filter(lambda text: bool(text.strip()))
NAME = st.from_regex(r"\A[A-Za-z0-9_-]{1,20}\Z")
ID = st.from_regex(r"\A(call|toolu)_[a-z0-9]{1,8}\Z")
VALUE = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXT,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXT, inner, max_size=2),
    max_leaves=4,
)
OBJECT = st.dictionaries(TEXT, VALUE, max_size=3)
PICTURE = st.sampled_from([PNG, PNG | {"media_type": "image/webp"}, {"type": "url", "url": "https://e.com/a.png"}])


def block(kind: str, **members: st.SearchStrategy[Any]) -> st.SearchStrategy[Json]:
    return st.fixed_dictionaries({"type": st.just(kind), **members})


USES = st.lists(block("tool_use", id=ID, name=NAME, input=OBJECT), max_size=3, unique_by=lambda use: use["id"])
PICTURES = st.lists(block("image", source=PICTURE), min_size=1, max_size=2)


@st.composite
def turns(draw: st.DrawFn) -> list[Json]:
    """A conversation, each turn in the one form that means the same on both wires."""
    said: list[Json] = []
    called: list[Json] = []
    for _ in range(draw(st.integers(1, 3))):
        content: Any = draw(TEXT)
        shown = draw(st.booleans())
        if shown or called:
            texts = [{"type": "text", "text": content}]
            content = [
                *({"type": "tool_result", "tool_use_id": use["id"], "content": draw(TEXT)} for use in called),
                *(texts + draw(PICTURES) if shown else texts),
            ]
        said.append({"role": "user", "content": content})
        called = draw(USES)
        text = draw(TEXT)
        answer = [{"type": "text", "text": text}] if draw(st.booleans()) else []
        said.append({"role": "assistant", "content": [*answer, *called] if called else text})
    results = [{"type": "tool_result", "tool_use_id": use["id"], "content": draw(TEXT)} for use in called]
    return [*said, {"role": "user", "content": results or draw(TEXT)}]


TOOLS = st.lists(
    st.fixed_dictionaries(
        {"name": NAME, "input_schema": OBJECT.map(lambda more: {**more, "type": "object"})},
        optional={"description": TEXT, "strict": st.booleans()},
    ),
    min_size=1,
    max_size=2,
)
CHOICE = st.sampled_from(
    [
        {"type": "auto"},
        {"type": "any", "disable_parallel_tool_use": True},
        {"type": "none"},
        {"type": "tool", "name": "f"},
    ]
)


@st.composite
def bodies(draw: st.DrawFn) -> Json:
    body = draw(
        st.fixed_dictionaries(
            {"model": st.just("there"), "max_tokens": st.integers(1, 9999), "messages": turns()},
            optional={
                "system": TEXT.map(lambda text: [{"type": "text", "text": text}]),
                "stop_sequences": st.lists(TEXT, min_size=1, max_size=4),
                "temperature": st.floats(0, 1),
                "top_p": st.floats(0, 1),
                "tools": TOOLS,
                "thinking": st.just({"type": "disabled"}),
                "output_config": st.fixed_dictionaries(
                    {"format": st.fixed_dictionaries({"type": st.just("json_schema"), "schema": OBJECT})}
                ),
                "metadata": st.fixed_dictionaries({"user_id": TEXT}),
                "service_tier": st.sampled_from(["auto", "standard_only"]),
                "stream": st.just(True),
            },
        )
    )
    if "tools" in body and draw(st.booleans()):
        body["tool_choice"] = draw(CHOICE)
    return body


@given(bodies())
def test_a_generated_conversation_is_the_same_there_and_back(body: Json) -> None:
    """What Anthropic's client says, said as OpenAI's, and again; and that as OpenAI's client once more."""
    there = to_chat(asked(body), "there", False)
    back = to_messages_(asked(there.body), "there", False)
    assert back.body == body
    assert not there.notes and not back.notes
    assert to_chat(asked(back.body), "there", False).body == there.body


THOUGHT = block("thinking", thinking=TEXT, signature=TEXT) | block("redacted_thinking", data=TEXT)
USAGE = st.fixed_dictionaries(
    {
        "input_tokens": st.integers(0, 99),
        "cache_creation_input_tokens": st.integers(0, 9),
        "cache_read_input_tokens": st.integers(0, 9),
        "output_tokens": st.integers(0, 99),
    }
)
ENDS = st.sampled_from(
    [
        {"stop_reason": "end_turn", "stop_sequence": None, "stop_details": None},
        {"stop_reason": "max_tokens", "stop_sequence": None, "stop_details": None},
        {"stop_reason": "stop_sequence", "stop_sequence": "x", "stop_details": None},
        {
            "stop_reason": "refusal",
            "stop_sequence": None,
            "stop_details": {"type": "refusal", "category": None, "explanation": "No."},
        },
    ]
)


@st.composite
def answers(draw: st.DrawFn) -> Json:
    """A message as a model may answer: thoughts, a text, calls, in the order that models have."""
    text = draw(st.none() | TEXT)
    uses = draw(USES)
    content = [
        *draw(st.lists(THOUGHT, max_size=2)),
        *([{"type": "text", "text": text, "citations": None}] if text else []),
        *uses,
    ]
    end = {"stop_reason": "tool_use", "stop_sequence": None, "stop_details": None} if uses else draw(ENDS)
    usage = MESSAGE["usage"] | draw(USAGE)
    usage["cache_creation"] = usage["cache_creation"] | {
        "ephemeral_5m_input_tokens": usage["cache_creation_input_tokens"]
    }
    return {**MESSAGE, "content": content, **end, "usage": usage}


@given(answers())
def test_a_generated_answer_is_the_same_there_and_back(answer: Json) -> None:
    assert message(completion(answer)) == answer
    assert completion(message(completion(answer))) == completion(answer)


# -- streams -----------------------------------------------------------------------------------


def cut(draw: st.DrawFn, text: str) -> list[str]:
    """The text in pieces, some of them empty."""
    places = sorted(draw(st.lists(st.integers(0, len(text)), max_size=3)))
    return [text[start:end] for start, end in zip([0, *places], [*places, len(text)], strict=True)]


def compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


@st.composite
def events(draw: st.DrawFn, answer: Json) -> list[Json]:
    """The answer as Anthropic would stream it."""
    usage = {"input_tokens": answer["usage"]["input_tokens"], "output_tokens": 1}
    told: list[Json] = [
        {"type": "message_start", "message": answer | {"content": [], "stop_reason": None, "usage": usage}},
        {"type": "ping"},
    ]
    for index, each in enumerate(answer["content"]):
        match each["type"]:
            case "text":
                begun, deltas = each | {"text": ""}, [("text_delta", "text", each["text"])]
            case "thinking":
                begun = each | {"thinking": "", "signature": ""}
                deltas = [
                    ("thinking_delta", "thinking", each["thinking"]),
                    ("signature_delta", "signature", each["signature"]),
                ]
            case "tool_use":
                given_ = compact(each["input"]) if each["input"] or draw(st.booleans()) else ""
                begun, deltas = each | {"input": {}}, [("input_json_delta", "partial_json", given_)]
            case _:
                begun, deltas = each, []
        told.append({"type": "content_block_start", "index": index, "content_block": begun})
        for kind, member, text in deltas:
            pieces = [text] if kind == "signature_delta" else cut(draw, text)
            told += [
                {"type": "content_block_delta", "index": index, "delta": {"type": kind, member: piece}}
                for piece in pieces
            ]
        told.append({"type": "content_block_stop", "index": index})
    ended = {name: answer[name] for name in ("stop_reason", "stop_sequence", "stop_details")}
    told.append({"type": "message_delta", "delta": ended, "usage": answer["usage"]})
    return [*told, {"type": "message_stop"}, {"type": "something_new"}]


@st.composite
def chunks(draw: st.DrawFn, answer: Json) -> list[Json]:
    """The completion as OpenAI would stream it; the pieces of calls may come in any order."""
    choice = answer["choices"][0]
    said = choice["message"]
    deltas: list[Json] = [{"role": "assistant", "content": ""}]
    deltas += [{"reasoning_content": piece} for piece in cut(draw, said.get("reasoning_content") or "")]
    deltas += [{"content": piece} for piece in cut(draw, said["content"] or "")]
    calls = [
        [
            {
                "index": index,
                "id": each["id"],
                "type": "function",
                "function": {"name": each["function"]["name"], "arguments": ""},
            },
            *({"index": index, "function": {"arguments": piece}} for piece in cut(draw, each["function"]["arguments"])),
        ]
        for index, each in enumerate(said.get("tool_calls") or ())
    ]
    if draw(st.booleans()):
        order = draw(st.permutations([index for index, call in enumerate(calls) for _ in call]))
        left = [iter(call) for call in calls]
        begun = [next(each) for each in left]
        pieces = [*begun, *(piece for index in order for piece in [next(left[index], None)] if piece)]
        pieces += [piece for each in left for piece in each]
    else:
        pieces = [piece for call in calls for piece in call]
    deltas += [{"tool_calls": [piece]} for piece in pieces]
    deltas += [{"refusal": said["refusal"]}] if said["refusal"] else []
    head = {
        "id": answer["id"],
        "object": "chat.completion.chunk",
        "created": answer["created"],
        "model": answer["model"],
    }
    told: list[Json] = [head | {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
    last = {name: value for name, value in choice.items() if name not in ("message", "logprobs")}
    told.append(head | {"choices": [last | {"delta": {}}]})
    return [*told, head | {"choices": [], "usage": answer["usage"]}]


def fed(turning: ToChunks | ToEvents, told: Iterable[Any]) -> Iterator[Any]:
    """The data of what is said to the caller."""
    for each in told:
        for said in turning.take(each if isinstance(each, bytes) else json.dumps(each).encode()):
            if data := event_data(said):
                yield data.decode() if data == b"[DONE]" else json.loads(data)
    for said in turning.end():
        data = event_data(said)
        yield data.decode() if data == b"[DONE]" else json.loads(data)


def assembled(told: list[Json]) -> Json:
    """The completion that chunks make, as OpenAI's SDK puts them together."""
    *parts, counted, done = told
    assert done == "[DONE]" and counted["choices"] == []
    said: Json = {"content": None, "refusal": None, "annotations": []}
    finish: Json = {}
    for part in parts:
        [choice] = part["choices"]
        assert "finish_reason" in choice and choice["finish_reason"] != "" and part["usage"] is None
        finish = {name: value for name, value in choice.items() if name not in ("delta", "index", "logprobs")}
        for name, value in choice["delta"].items():
            if name == "tool_calls":
                [call] = value
                calls = said.setdefault(name, [])
                if call["index"] == len(calls):
                    assert call["id"] and call["function"]["name"]
                    calls.append({"id": call["id"], "type": call["type"], "function": call["function"]})
                else:
                    assert call["index"] == len(calls) - 1 and "id" not in call
                    calls[-1]["function"]["arguments"] += call["function"]["arguments"]
            elif name == "thinking_blocks":
                said.setdefault(name, []).extend({n: v for n, v in each.items() if n != "index"} for each in value)
            elif name == "role":
                said[name] = value
            elif value:
                said[name] = (said.get(name) or "") + value
    if "thinking_blocks" in said:
        said.setdefault("reasoning_content", "")
    head = {name: counted[name] for name in ("id", "created", "model")}
    choice = {"index": 0, "message": said, "logprobs": None, **finish}
    return COMPLETION | head | {"choices": [choice], "usage": counted["usage"]}


def gathered(told: list[Json]) -> Json:
    """The message that events make, as Anthropic's SDK puts them together."""
    first, *rest, ended, stop = [each for each in told if each["type"] != "ping"]
    assert (first["type"], ended["type"], stop["type"]) == ("message_start", "message_delta", "message_stop")
    content: list[Json] = []
    text, opened = "", False
    for each in rest:
        assert each["index"] == len(content) - opened
        match each["type"]:
            case "content_block_start":
                content.append(dict(each["content_block"]))
                text, opened = "", True
            case "content_block_delta":
                [_, (member, piece)] = each["delta"].items()
                text += piece if member == "partial_json" else ""
                if member != "partial_json":
                    content[-1][member] += piece
            case _:
                opened = False
                if content[-1]["type"] == "tool_use":
                    content[-1]["input"] = json.loads(text or "{}")
    return first["message"] | {"content": content} | ended["delta"] | {"usage": ended["usage"]}


@given(st.data())
def test_a_stream_of_anthropics_makes_the_same_completion(data: st.DataObject) -> None:
    answer = data.draw(answers())
    told = data.draw(events(answer))
    turning = ToChunks(Asked(body={}, counted=True), 1790000000)
    assert assembled(list(fed(turning, told))) == completion(answer)
    assert turning.over


@given(st.data())
def test_a_stream_of_openais_makes_the_same_message(data: st.DataObject) -> None:
    whole = completion(data.draw(answers()))
    whole["choices"][0]["message"].pop("thinking_blocks", None)  # that is our own
    told = data.draw(chunks(whole))
    ending = [b"[DONE]"] if data.draw(st.booleans()) else []
    turning = ToEvents(Asked(body={}), 0)
    assert gathered(list(fed(turning, [*told, *ending]))) == message(whole)
    assert turning.over


@given(st.data())
def test_a_stream_there_and_back_is_the_same_answer(data: st.DataObject) -> None:
    answer = data.draw(answers())
    there = fed(ToChunks(Asked(body={}, counted=True), 0), data.draw(events(answer)))
    back = ToEvents(Asked(body={}), 0)
    said = fed(back, (each.encode() if isinstance(each, str) else each for each in there))
    assert gathered(list(said)) == answer


SPEC_USAGE = {"input_tokens": 25, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0, "output_tokens": 1}
SPEC_EVENTS = [
    {
        "type": "message_start",
        "message": {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": "m",
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": SPEC_USAGE,
        },
    },
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "ping"},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Fox"}},
    {"type": "content_block_stop", "index": 0},
    {
        "type": "message_delta",
        "delta": {"stop_reason": "end_turn", "stop_sequence": None},
        "usage": {"output_tokens": 6},
    },
    {"type": "message_stop"},
]


def test_the_stream_of_anthropics_specification() -> None:
    told = list(fed(ToChunks(Asked(body={}), 7), SPEC_EVENTS))
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 7, "model": "m"}
    deltas = [({"role": "assistant", "content": ""}, None), ({"content": "Fox"}, None), ({}, "stop")]
    assert told == [
        *(
            head | {"choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}]}
            for delta, finish in deltas
        ),
        "[DONE]",
    ]
    *_, counted, _ = fed(ToChunks(Asked(body={}, counted=True), 7), SPEC_EVENTS)
    assert (counted["usage"]["prompt_tokens"], counted["usage"]["completion_tokens"]) == (25, 6)


def test_the_stream_of_openais_specification() -> None:
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1790000000, "model": "m"}
    deltas = [({"role": "assistant", "content": ""}, None), ({"content": "Fox"}, None), ({}, "stop")]
    told = [
        *(
            head | {"choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}], "usage": None}
            for delta, finish in deltas
        ),
        head | {"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 1, "total_tokens": 6}},
        b"[DONE]",
    ]
    said = list(fed(ToEvents(Asked(body={}), 0), told))
    assert [each["type"] for each in said] == [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    assert said[0]["message"]["id"] == "msg_1" and isinstance(said[0]["message"]["usage"]["input_tokens"], int)
    assert (said[4]["usage"]["input_tokens"], said[4]["usage"]["output_tokens"]) == (5, 1)


def test_calls_of_a_stream_come_as_soon_as_the_one_before_is_whole() -> None:
    """And the pieces of a call that is not whole yet are told at once."""
    turning = ToEvents(Asked(body={}), 0)

    def kinds(call: Json) -> list[str]:
        chunk = {"id": "c", "choices": [{"index": 0, "delta": {"tool_calls": [call]}}]}
        return [json.loads(event_data(each))["type"] for each in turning.take(json.dumps(chunk).encode())]

    start, delta, stop = "content_block_start", "content_block_delta", "content_block_stop"
    assert kinds({"index": 0, "id": "a", "function": {"name": "f", "arguments": ""}}) == ["message_start", start, delta]
    assert kinds({"index": 0, "function": {"arguments": '{"a"'}}) == [delta]
    assert kinds({"index": 1, "id": "b", "function": {"name": "g", "arguments": ""}}) == []
    assert kinds({"index": 1, "function": {"arguments": "{"}}) == []
    assert kinds({"index": 0, "function": {"arguments": ":1}"}}) == [delta, stop, start, delta]
    assert kinds({"index": 1, "function": {"arguments": "}"}}) == [delta]


def test_a_text_within_a_call_comes_after_it() -> None:
    call = {"index": 0, "id": "a", "function": {"name": "f", "arguments": '{"a"'}}
    deltas: list[Json] = [{"tool_calls": [call]}, {"content": "Well"}]
    deltas.append({"tool_calls": [{"index": 0, "function": {"arguments": ":1}"}}]})
    told = [{"id": "chatcmpl-1", "choices": [{"index": 0, "delta": delta}]} for delta in deltas]
    assert gathered(list(fed(ToEvents(Asked(body={}), 0), told)))["content"] == [
        USE | {"id": "a"},
        {"type": "text", "text": "Well", "citations": None},
    ]


def test_a_stream_that_ends_too_early_is_a_failure() -> None:
    for turning, told in (
        (ToChunks(Asked(body={}), 0), SPEC_EVENTS[:4]),
        (ToEvents(Asked(body={}), 0), [b'{"id":"c","choices":[]}']),
    ):
        with pytest.raises(Problem) as caught:
            list(fed(turning, told))
        assert caught.value.kind is Kind.UPSTREAM_FAILED


def test_an_error_within_a_stream_is_a_problem() -> None:
    overloaded = b'{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}'
    for turning in (ToChunks(Asked(body={}), 0), ToEvents(Asked(body={}), 0)):
        with pytest.raises(Problem, match="Overloaded") as caught:
            list(turning.take(overloaded))
        assert caught.value.kind is Kind.UNAVAILABLE


# -- what may come ---------------------------------------------------------------------------

ANY = st.sampled_from([None, True, 0, -1, 1e300, "", "x", "ü\ud83d", [], [1], {}, {"type": "text"}, {"type": []}])


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every container within a value, and a key of it."""
    for key, inner in list(value.items() if isinstance(value, dict) else enumerate(value)):
        yield value, key
        if isinstance(inner, dict | list):
            yield from places(inner)


FULL_CHAT: Json = {
    "model": "m",
    "messages": [
        {"role": "system", "content": "One."},
        {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "image_url", "image_url": {"url": "h"}}]},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [CALL],
            "thinking_blocks": [{"type": "thinking", "thinking": "t", "signature": "s"}],
        },
        {"role": "tool", "tool_call_id": "call_1", "content": [{"type": "text", "text": "b"}]},
        {"role": "user", "content": [{"type": "file", "file": {"file_data": "data:application/pdf;base64,AA"}}]},
    ],
    "tools": [FUNCTION],
    "tool_choice": {"type": "function", "function": {"name": "f"}},
    "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}},
    "reasoning_effort": "low",
    "user": "u",
    "service_tier": "auto",
    "stop": ["a"],
}
FULL_MESSAGES: Json = {
    "model": "m",
    "max_tokens": 9,
    "system": [{"type": "text", "text": "One."}],
    "messages": [
        {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "image", "source": PNG}]},
        {"role": "assistant", "content": [{"type": "thinking", "thinking": "t", "signature": "s"}, USE]},
        {
            "role": "user",
            "content": [
                {
                    "type": "tool_result",
                    "tool_use_id": "call_1",
                    "content": [{"type": "text", "text": "b"}, {"type": "image", "source": PNG}],
                },
                {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "d"}},
            ],
        },
    ],
    "tools": [TOOL],
    "tool_choice": {"type": "tool", "name": "f"},
    "output_config": {"effort": "low", "format": {"type": "json_schema", "schema": SCHEMA}},
    "thinking": {"type": "enabled", "budget_tokens": 2000},
    "metadata": {"user_id": "u"},
}


@pytest.mark.parametrize("full", [FULL_CHAT, FULL_MESSAGES])
@given(data=st.data())
def test_a_body_with_something_else_in_any_place_is_translated_or_refused(full: Json, data: st.DataObject) -> None:
    body = json.loads(json.dumps(full))
    container, key = data.draw(st.sampled_from(list(places(body))))
    container[key] = data.draw(ANY)
    translate = to_messages_ if full is FULL_CHAT else to_chat
    try:
        translate(asked(body), "there", False)
    except Problem as problem:
        assert problem.kind in (Kind.INVALID, Kind.UNSUPPORTED)


@pytest.mark.parametrize("turning", [ToChunks, ToEvents])
@given(data=st.data())
def test_an_answer_with_something_else_in_any_place_is_translated_or_the_accounts_fault(
    turning: type[ToChunks | ToEvents], data: st.DataObject
) -> None:
    answer = data.draw(answers())
    whole: Json = answer if turning is ToChunks else completion(answer)
    told: list[Json] = data.draw(events(whole) if turning is ToChunks else chunks(whole))
    body: Json = json.loads(json.dumps({"whole": whole, "told": told}))
    container, key = data.draw(st.sampled_from(list(places(body))))
    container[key] = data.draw(ANY)
    for translate in (
        lambda: (completion if turning is ToChunks else message)(body["whole"]),
        lambda: list(fed(turning(Asked(body={}), 0), body["told"])),
    ):
        try:
            translate()
        except Problem as problem:
            assert problem.kind is Kind.UPSTREAM_FAILED
