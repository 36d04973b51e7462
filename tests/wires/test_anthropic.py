"""Anthropic's Messages API in front: the listing's line "Anthropic Claude (POST)", answered without an account."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import httpx
import pytest

Start = Callable[..., AbstractAsyncContextManager[Any]]
HELLO = [{"role": "user", "content": "A fox?"}]
OLD, NEW = {"anthropic-version": "2023-06-01"}, {"anthropic-version": "2026-10-21"}


@pytest.fixture
async def client(start: Start) -> AsyncIterator[httpx.AsyncClient]:
    async with start(rehearsal=True) as running:
        running.client.headers.update(OLD)
        yield running.client


async def posted(client: httpx.AsyncClient, path: str = "/v1/messages", **body: Any) -> Any:
    asked = {"model": "claude-sonnet-4-6", "max_tokens": 1024, "messages": HELLO} | body
    answer = await client.post(path, json=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def events(client: httpx.AsyncClient, **body: Any) -> list[Any]:
    asked = {"model": "claude-sonnet-4-6", "max_tokens": 1024, "messages": HELLO, "stream": True} | body
    answer = await client.post("/v1/messages", json=asked)
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert "\r" not in answer.text
    found = []
    for text in answer.text.strip().split("\n\n"):
        name, data = text.split("\n")
        found.append(json.loads(data.removeprefix("data: ")))
        assert name == f"event: {found[-1]['type']}"
    return found


async def test_a_message_is_answered(client: httpx.AsyncClient) -> None:
    answer = await client.post(
        "/v1/messages", json={"model": "claude-sonnet-4-6", "max_tokens": 1024, "messages": HELLO}
    )
    message = answer.json()
    assert answer.headers["request-id"].startswith("req_")
    assert message["id"].startswith("msg_")
    assert (message["type"], message["role"], message["stop_reason"]) == ("message", "assistant", "end_turn")
    [block] = message["content"]
    assert block["type"] == "text" and "scripted" in block["text"] and '"A fox?"' in block["text"]
    assert message["usage"]["input_tokens"] > 0 and message["usage"]["output_tokens"] > 0


async def test_system_pictures_and_documents_are_seen(client: httpx.AsyncClient) -> None:
    content = [
        {"type": "text", "text": "What is it?"},
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}},
        {"type": "document", "source": {"type": "url", "url": "https://example.com/a.pdf"}, "title": "A"},
    ]
    message = await posted(
        client, system=[{"type": "text", "text": "Be brief."}], messages=[{"role": "user", "content": content}]
    )
    text = message["content"][0]["text"]
    assert "1 system, 1 user" in text and "1 image" in text and "1 file" in text


async def test_a_stream_is_the_message_in_pieces(client: httpx.AsyncClient) -> None:
    whole = await posted(client)
    told = await events(client)
    kinds = [each["type"] for each in told if each["type"] != "content_block_delta"]
    assert kinds == [
        "message_start",
        "content_block_start",
        "ping",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    assert told[0]["message"]["content"] == [] and told[0]["message"]["usage"]["input_tokens"] > 0
    said = "".join(each["delta"]["text"] for each in told if each["type"] == "content_block_delta")
    assert said == whole["content"][0]["text"]
    [ended] = [each for each in told if each["type"] == "message_delta"]
    assert ended["delta"]["stop_reason"] == "end_turn"
    assert ended["usage"]["output_tokens"] == whole["usage"]["output_tokens"]


TOOLS = [
    {
        "name": "get_weather",
        "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    }
]


@pytest.mark.parametrize("choice", [{"type": "any"}, {"type": "tool", "name": "get_weather"}])
async def test_a_tool_that_must_be_used_is_used(client: httpx.AsyncClient, choice: Any) -> None:
    message = await posted(client, tools=TOOLS, tool_choice=choice)
    assert message["stop_reason"] == "tool_use"
    [block] = message["content"]
    assert block["id"].startswith("toolu_") and isinstance(block["input"]["city"], str)
    told = await events(client, tools=TOOLS, tool_choice=choice)
    pieces = [each["delta"]["partial_json"] for each in told if each["type"] == "content_block_delta"]
    assert pieces[0] == "" and json.loads("".join(pieces)) == block["input"]
    [begun] = [each["content_block"] for each in told if each["type"] == "content_block_start"]
    assert begun == block | {"input": {}}


async def test_what_a_tool_answered_is_shown(client: httpx.AsyncClient) -> None:
    use = {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {"city": "Oslo"}}
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": [{"type": "text", "text": "rain"}]}
    turns = [*HELLO, {"role": "assistant", "content": [use]}, {"role": "user", "content": [result]}]
    message = await posted(client, tools=TOOLS, messages=turns)
    assert 'The tool answered: "rain"' in message["content"][0]["text"]
    lost = await client.post("/v1/messages", json={"model": "m", "max_tokens": 9, "messages": turns[:2]})
    assert lost.status_code == 400
    assert "toolu_1" in lost.json()["error"]["message"]


async def test_stop_words_lengths_and_schemas_are_obeyed(client: httpx.AsyncClient) -> None:
    stopped = await posted(client, stop_sequences=[" answer"])
    assert (stopped["stop_reason"], stopped["stop_sequence"]) == ("stop_sequence", " answer")
    assert stopped["content"][0]["text"] == "This is a scripted"
    short = await posted(client, max_tokens=2)
    assert (short["stop_reason"], short["usage"]["output_tokens"]) == ("max_tokens", 2)
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    fitted = await posted(client, output_config={"format": {"type": "json_schema", "schema": schema}})
    assert isinstance(json.loads(fitted["content"][0]["text"])["n"], int)


async def test_tokens_are_counted_as_the_message_counts_them(client: httpx.AsyncClient) -> None:
    body = {"model": "claude-sonnet-4-6", "messages": HELLO, "tools": TOOLS, "system": "Be brief."}
    counted = (await client.post("/v1/messages/count_tokens", json=body)).json()
    message = await posted(client, tools=TOOLS, system="Be brief.")
    assert counted == {"input_tokens": message["usage"]["input_tokens"]}


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"max_tokens": None}, "max_tokens: Input should be a valid integer"),
        ({"messages": []}, "messages: List should have at least 1 item after validation, not 0"),
        ({"messages": [{"role": "user"}]}, "messages.0.content: Field required"),
        ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, "messages.0.content.0.text: Field required"),
        ({"temperature": 2}, "temperature: Input should be less than or equal to 1"),
        ({"tools": [{"name": "f"}]}, "tools.0.input_schema: Field required"),
        ({"tools": [{"name": "bash", "type": "bash_20250124"}]}, "tools.0.type: "),
        ({"stop_sequences": [" "]}, "stop_sequences.0: "),
    ],
)
async def test_a_bad_message_is_refused_by_name(client: httpx.AsyncClient, body: Any, told: str) -> None:
    asked = {"model": "m", "max_tokens": 9, "messages": HELLO} | body
    answer = await client.post("/v1/messages", json=asked)
    assert answer.status_code == 400
    error = answer.json()
    assert (error["type"], error["error"]["type"]) == ("error", "invalid_request_error")
    assert error["error"]["message"].startswith(told)


async def test_the_newest_version_takes_no_sampling(client: httpx.AsyncClient) -> None:
    body = {"model": "m", "max_tokens": 9, "messages": HELLO, "temperature": 1.0}
    assert (await client.post("/v1/messages", json=body)).status_code == 200
    refused = await client.post("/v1/messages", json=body, headers=NEW)
    assert refused.json()["error"]["message"] == "temperature: Extra inputs are not permitted"


async def test_the_models_are_listed_in_this_shape_where_a_header_says_so(client: httpx.AsyncClient) -> None:
    listed = (await client.get("/v1/models", params={"limit": 2})).json()
    assert listed["has_more"] and len(listed["data"]) == 2 and listed["last_id"] == listed["data"][1]["id"]
    rest = (await client.get("/v1/models", params={"after_id": listed["last_id"], "limit": 1000})).json()
    assert not rest["has_more"] and listed["last_id"] not in {each["id"] for each in rest["data"]}
    one = (await client.get("/v1/models/claude-sonnet-4-6")).json()
    assert (one["type"], one["id"]) == ("model", "claude-sonnet-4-6")
    lost = await client.get("/v1/models/claude-9")
    assert (lost.status_code, lost.json()["error"]["type"]) == (404, "not_found_error")
    del client.headers["anthropic-version"]
    assert (await client.get("/v1/models")).json()["object"] == "list"
    assert "has_more" in (await client.get("/v1/models", headers={"x-api-key": "k"})).json()


@pytest.mark.parametrize("path", ["/anthropic/v1/messages", "/claude/v1/messages", "/messages", "/v1/v1/messages"])
async def test_other_mounts_reach_the_same(client: httpx.AsyncClient, path: str) -> None:
    assert (await posted(client, path))["type"] == "message"


@pytest.mark.parametrize("headers", [{"x-api-key": "k"}, {"authorization": "Bearer k"}])
async def test_a_key_is_taken_from_either_header(start: Start, headers: dict[str, str]) -> None:
    keys = [{"name": "ann", "sha256": "8254c329a92850f6d539dd376f4816ee2764517da5e0235514af433164480d7a"}]
    body = {"model": "m", "max_tokens": 9, "messages": HELLO}
    async with start(rehearsal=True, keys=keys) as running:
        assert (await running.client.post("/v1/messages", json=body, headers=headers)).status_code == 200
        lost = await running.client.post("/v1/messages", json=body)
    assert (lost.status_code, lost.json()["error"]["type"]) == (401, "authentication_error")


@pytest.mark.parametrize("source", [True, [], "x", {}])
async def test_a_picture_in_a_tools_answer_without_a_source_is_none(client: httpx.AsyncClient, source: Any) -> None:
    """It was a fault of the server's."""
    use = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}}
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": [{"type": "image", "source": source}]}
    turns = [*HELLO, {"role": "assistant", "content": [use]}, {"role": "user", "content": [result]}]
    answer = await client.post("/v1/messages", json={"model": "m", "max_tokens": 9, "messages": turns})
    assert answer.status_code == 200
