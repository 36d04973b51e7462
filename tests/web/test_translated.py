"""A client of OpenAI's or Anthropic's at an account of the other: the SDKs as they are, over sockets, to a second
mutoscope that is the vendor; and vendors that break."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import aiohttp
import anthropic
import openai
import pytest
from aiohttp import web

from mutoscope.app import App
from mutoscope.engines.translation import BETWEEN
from mutoscope.model.http import HttpRequest
from mutoscope.service.words import translated

sys.path.append(str(Path(__file__).parent.parent / "relay"))
from sockets import served
from test_stream import Handler, account, answering, streaming, upstream

from local_settings import settings

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the SDK's, of models that the vendor ended
Start = Callable[..., AbstractAsyncContextManager[Any]]
REPLIES = """
[[replies]]
user = "weather"
turns = 1
call = { name = "get_weather", arguments = { city = "Oslo" } }
[[replies]]
user = "forbidden"
refusal = "No."
[[replies]]
user = "busy"
error = "rate_limited"
text = "Too fast."
[[replies]]
user = "breaks"
text = "one two three"
cut = 4
[[replies]]
user = "été"
text = "ça été 狐"
"""
SCHEMA: Any = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[str]:
    """A mutoscope whose two accounts are a second one, where each wire has models that the other has not."""
    (tmp_path / "replies.toml").write_text(REPLIES)
    vendor = settings(script={"replies": str(tmp_path / "replies.toml")})
    async with served(App(vendor, data=tmp_path / "vendor")) as there:
        accounts = {
            "o": account(f"{there}/v1", open_models=False),
            "a": account(there, wire="anthropic", open_models=False),
        }
        async with served(App(settings(accounts=accounts), data=tmp_path / "here")) as url:
            yield url


@pytest.fixture
async def gpt(here: str) -> AsyncIterator[Any]:
    async with openai.AsyncOpenAI(base_url=f"{here}/v1", api_key="k", max_retries=0) as client:
        yield client


@pytest.fixture
async def claude(here: str) -> AsyncIterator[Any]:
    async with anthropic.AsyncAnthropic(base_url=here, api_key="k", max_retries=0) as client:
        yield client


def hello(text: str) -> Any:
    return [{"role": "user", "content": text}]


async def test_openais_sdk_gets_an_answer_of_a_model_of_anthropics(gpt: Any) -> None:
    asked: Any = {
        "model": "claude-sonnet-4-6",
        "messages": [{"role": "system", "content": "Be brief."}, *hello("A fox?")],
    }
    whole = await gpt.chat.completions.create(**asked, max_completion_tokens=500)
    said = whole.choices[0].message.content
    assert said and "1 system, 1 user" in said and '"A fox?"' in said
    assert (whole.choices[0].finish_reason, whole.id[:9]) == ("stop", "chatcmpl-")
    assert whole.usage and whole.usage.total_tokens == whole.usage.prompt_tokens + whole.usage.completion_tokens > 9
    options: Any = {"stream": True, "stream_options": {"include_usage": True}}
    chunks = [chunk async for chunk in await gpt.chat.completions.create(**asked, **options)]
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == said
    assert chunks[-1].usage == whole.usage


async def test_anthropics_sdk_gets_an_answer_of_a_model_of_openais(claude: Any) -> None:
    asked: Any = {"model": "gpt-4o", "max_tokens": 500, "system": "Be brief.", "messages": hello("A fox?")}
    whole = await claude.messages.create(**asked)
    [block] = whole.content
    assert block.type == "text" and "1 system, 1 user" in block.text and '"A fox?"' in block.text
    assert (whole.stop_reason, whole.id[:4]) == ("end_turn", "msg_")
    async with claude.messages.stream(**asked) as stream:
        told = await stream.get_final_message()
    assert told.content[0].model_dump(exclude={"parsed_output"}) == block.model_dump()
    assert told.stop_reason == "end_turn"
    assert told.usage.output_tokens == whole.usage.output_tokens > 0
    assert told.usage.input_tokens == whole.usage.input_tokens > 0


async def test_a_tool_is_called_and_its_answer_told_by_openais_sdk(gpt: Any) -> None:
    tool = {"type": "function", "function": {"name": "get_weather", "parameters": SCHEMA}}
    turns: list[Any] = hello("The weather?")
    asked: Any = {"model": "claude-sonnet-4-6", "messages": turns, "tools": [tool]}
    whole = await gpt.chat.completions.create(**asked)
    async with gpt.chat.completions.stream(**asked) as stream:
        told = await stream.get_final_completion()
    for answer in (whole, told):
        assert answer.choices[0].finish_reason == "tool_calls"
        [call] = answer.choices[0].message.tool_calls or []
        assert call.type == "function" and json.loads(call.function.arguments) == {"city": "Oslo"}
    [call] = whole.choices[0].message.tool_calls or []
    turns += [whole.choices[0].message, {"role": "tool", "tool_call_id": call.id, "content": "rain"}, *hello("So?")]
    said = (await gpt.chat.completions.create(**asked)).choices[0].message.content
    assert said and "1 assistant, 1 tool" in said and "1 tools: get_weather" in said


async def test_a_tool_is_called_and_its_answer_told_by_anthropics_sdk(claude: Any) -> None:
    turns: list[Any] = hello("The weather?")
    asked: Any = {"model": "gpt-4o", "max_tokens": 500, "messages": turns}
    asked["tools"] = [{"name": "get_weather", "input_schema": SCHEMA}]
    whole = await claude.messages.create(**asked)
    async with claude.messages.stream(**asked) as stream:
        told = await stream.get_final_message()
    for answer in (whole, told):
        [use] = answer.content
        assert answer.stop_reason == "tool_use" and use.type == "tool_use" and use.input == {"city": "Oslo"}
    [use] = whole.content
    assert use.type == "tool_use"
    result = {"type": "tool_result", "tool_use_id": use.id, "content": "rain"}
    turns += [{"role": "assistant", "content": whole.content}, {"role": "user", "content": [result]}]
    [block] = (await claude.messages.create(**asked)).content
    assert block.type == "tool_use"  # the rule counts the turns of the user: of OpenAI's there is one still
    turns += [
        {"role": "assistant", "content": [block]},
        {"role": "user", "content": [result | {"tool_use_id": block.id}, {"type": "text", "text": "So?"}]},
    ]
    [block] = (await claude.messages.create(**asked)).content
    assert block.type == "text" and "2 assistant, 2 tool" in block.text


async def test_refusals_and_errors_have_their_classes(gpt: Any, claude: Any) -> None:
    one: Any = {"model": "claude-sonnet-4-6"}
    other: Any = {"model": "gpt-4o", "max_tokens": 9}
    refused = await gpt.chat.completions.create(**one, messages=hello("forbidden"))
    assert (refused.choices[0].message.refusal, refused.choices[0].finish_reason) == ("No.", "content_filter")
    told = await claude.messages.create(**other, messages=hello("forbidden"))
    assert told.stop_reason == "refusal" and told.stop_details and told.stop_details.explanation == "No."
    with pytest.raises(openai.BadRequestError, match="one answer") as bad:
        await gpt.chat.completions.create(**one, messages=hello("x"), n=2)
    assert bad.value.param == "n"
    with pytest.raises(openai.BadRequestError, match="role"):
        await gpt.chat.completions.create(**one, messages=[{"role": "x", "content": "x"}])
    with pytest.raises(anthropic.BadRequestError, match="stop_sequences: "):
        await claude.messages.create(**other, messages=hello("x"), stop_sequences=list("abcde"))
    with pytest.raises(anthropic.BadRequestError, match="messages"):
        await claude.messages.create(**other, messages=[])
    with pytest.raises(openai.NotFoundError) as lost:
        await gpt.chat.completions.create(model="no-such", messages=hello("x"))
    assert lost.value.code == "model_not_found"
    with pytest.raises(openai.RateLimitError, match=r"Too fast\.") as slow:
        await gpt.chat.completions.create(**one, messages=hello("busy"))
    assert (slow.value.code, slow.value.response.headers["retry-after"]) == ("rate_limit_exceeded", "1")
    with pytest.raises(anthropic.RateLimitError, match=r"Too fast\."):
        await claude.messages.create(**other, messages=hello("busy"))


async def test_an_account_that_breaks_off_is_an_error_in_the_stream(gpt: Any, claude: Any) -> None:
    with pytest.raises(openai.APIError) as broken:
        async for _ in await gpt.chat.completions.create(
            model="claude-sonnet-4-6", messages=hello("breaks"), stream=True
        ):
            pass
    assert broken.value.code == "upstream_failed"
    with pytest.raises(anthropic.APIStatusError):
        async with claude.messages.stream(model="gpt-4o", max_tokens=99, messages=hello("breaks")) as stream:
            await stream.get_final_message()


async def test_the_models_of_both_are_listed(gpt: Any, claude: Any) -> None:
    assert {"gpt-4o", "claude-sonnet-4-6"} <= {model.id async for model in gpt.models.list()}
    assert {"gpt-4o", "claude-sonnet-4-6"} <= {model.id async for model in claude.models.list(limit=1000)}


# -- a vendor whose every byte is chosen --------------------------------------------------------


def event(name: str, more: str = "") -> str:
    return f'event: {name}\ndata: {{"type":"{name}"{more}}}\n\n'


def chunk(choices: str, more: str = "") -> str:
    return f'data: {{"id":"chatcmpl-1","model":"m","choices":[{choices}]{more}}}\n\n'


EVENTS = (
    event("message_start", ',"message":{"id":"msg_1","model":"m","usage":{"input_tokens":7}}')
    + event("content_block_start", ',"index":0,"content_block":{"type":"text","text":""}')
    + "event: ping\ndata: {}\n\n"
    + event("content_block_delta", ',"index":0,"delta":{"type":"text_delta","text":"ça 狐"}')
    + event("content_block_stop", ',"index":0')
    + event("message_delta", ',"delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":3}')
    + event("message_stop")
).encode()
CHUNKS = (
    chunk('{"index":0,"delta":{"role":"assistant","content":"ça "},"finish_reason":null}')
    + chunk('{"index":0,"delta":{"content":"狐"},"finish_reason":null}')
    + chunk('{"index":0,"delta":{},"finish_reason":"stop"}')
    + chunk("", ',"usage":{"prompt_tokens":7,"completion_tokens":3}')
    + "data: [DONE]\n\n"
).encode()


def sending(*pieces: bytes, abort: bool = False) -> Handler:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = await streaming(request)
        for piece in pieces:
            await response.write(piece)
            await asyncio.sleep(0.01)
        if abort:
            assert request.transport
            request.transport.abort()
        return response

    return handler


async def asked(start: Start, handler: Handler, wire: str, **body: Any) -> tuple[Any, dict[Any, int]]:
    """The answer that a client of the other wire gets, and the tokens that were counted."""
    path, model = ("/v1/chat/completions", "claude-x") if wire == "anthropic" else ("/v1/messages", "gpt-x")
    json = {"model": model, "max_tokens": 99, "messages": hello("Hi"), "stream": True} | body
    async with upstream(handler) as url, start(accounts={"there": account(url, wire=wire)}) as running:
        answer = await running.client.post(path, json=json)
        return answer, running.app.words.spent.sums


def text_of(stream: str) -> str:
    told = [json.loads(line[6:]) for line in stream.splitlines() if line.startswith("data: {")]
    chunks = [choice["delta"] for each in told for choice in each.get("choices", ())]
    deltas = [each["delta"] for each in told if each.get("type") == "content_block_delta"]
    return "".join(each.get("content") or each.get("text") or "" for each in (*chunks, *deltas))


@pytest.mark.parametrize(("wire", "whole"), [("anthropic", EVENTS), ("openai", CHUNKS)])
async def test_a_letter_and_an_event_may_be_cut_anywhere(start: Start, wire: str, whole: bytes) -> None:
    letter = whole.index("狐".encode()) + 1
    for pieces in ([whole[:letter], whole[letter:]], [whole[:70], whole[70:letter], whole[letter:-1], whole[-1:]]):
        answer, spent = await asked(start, sending(*pieces), wire)
        assert text_of(answer.text) == "ça 狐"
        assert answer.text.endswith("data: [DONE]\n\n" if wire == "anthropic" else '"type":"message_stop"}\n\n')
    assert set(spent.values()) == {7, 3}
    crlf, _ = await asked(start, sending(whole.replace(b"\n", b"\r\n")), wire)
    assert text_of(crlf.text) == "ça 狐" and "\r" not in crlf.text


@pytest.mark.parametrize(("wire", "whole"), [("anthropic", EVENTS), ("openai", CHUNKS)])
@pytest.mark.parametrize("abort", [False, True])
@pytest.mark.parametrize("left", [b"", b"data: {", b"dat", b'data: {"choices":[], "type":"content_block_delta"'])
async def test_what_breaks_off_says_so(start: Start, wire: str, whole: bytes, abort: bool, left: bytes) -> None:
    cut = whole.index(b"\n\n", whole.index("狐".encode())) + 2
    answer, _ = await asked(start, sending(whole[:cut], left, abort=abort), wire)
    assert text_of(answer.text) == "ça 狐"
    if wire == "openai" and not abort and not left:
        assert answer.text.endswith('"type":"message_stop"}\n\n')  # some servers end so
    else:
        last = json.loads(answer.text.strip().rpartition("data: ")[2])
        assert last["error"]["message"] and "[DONE]" not in answer.text and "message_stop" not in answer.text


@pytest.mark.parametrize("wire", ["anthropic", "openai"])
async def test_an_error_of_a_streams_is_told_in_the_callers_words(start: Start, wire: str) -> None:
    error = b'data: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n'
    answer, _ = await asked(start, sending(error), wire)
    [told] = [json.loads(line[6:]) for line in answer.text.splitlines() if line.startswith("data: ")]
    assert told["error"]["message"] == "Overloaded"
    assert told["error"]["type"] == ("server_error" if wire == "anthropic" else "overloaded_error")


@pytest.mark.parametrize("wire", ["anthropic", "openai"])
@pytest.mark.parametrize(
    ("body", "status"), [("{", 502), ("[]", 502), ('{"content":[{"type":1}],"choices":[{"message":1}]}', 502)]
)
async def test_an_answer_that_cannot_be_read_is_the_accounts_fault(
    start: Start, wire: str, body: str, status: int
) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        return web.Response(text=body, content_type="application/json")

    answer, _ = await asked(start, handler, wire, stream=False)
    assert answer.status_code == status and answer.json()["error"]["message"]
    streamed, _ = await asked(start, handler, wire)
    assert '"error"' in streamed.text


@pytest.mark.parametrize("wire", ["anthropic", "openai"])
@pytest.mark.parametrize("status", [400, 404, 413, 429, 500, 503])
async def test_an_error_keeps_its_status_and_its_message(start: Start, wire: str, status: int) -> None:
    body = {"type": "error", "error": {"type": "x", "message": "because"}}
    answer, _ = await asked(start, answering([], status, body, **{"retry-after": "3", "x-request-id": "r"}), wire)
    assert answer.status_code == (529 if wire == "openai" and status == 503 else status)
    assert "because" in answer.json()["error"]["message"]
    assert answer.headers["retry-after"] == "3"
    assert (answer.headers["x-mutoscope-engine"], answer.headers["x-mutoscope-upstream-id"]) == ("there", "r")


async def test_what_was_left_out_stands_in_a_header(start: Start) -> None:
    seen: list[Any] = []
    told: Any = {"id": "msg_1", "model": "m", "content": [], "usage": {"input_tokens": 1, "output_tokens": 1}}
    answer, _ = await asked(start, answering(seen, body=told), "anthropic", stream=False, seed=7, temperature=2)
    assert answer.headers["x-mutoscope-notes"].endswith(": seed, temperature above 1")
    [(path, headers, sent)] = seen
    assert (path, headers["anthropic-version"], headers["x-api-key"]) == ("/v1/messages", "2023-06-01", "theirs")
    assert json.loads(sent) == {"model": "claude-x", "max_tokens": 99, "messages": hello("Hi"), "temperature": 1}


# -- which account -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("o", "a", "model", "engine"),
    [
        ({}, {}, "claude-sonnet-4-6", "a"),
        ({}, {}, "gpt-4o", "o"),
        ({"open_models": True}, {}, "claude-sonnet-4-6", "a"),  # which is known to have it
        ({"open_models": True}, {"open_models": True}, "any", "o"),  # which needs no translation
        ({"models": ["claude-sonnet-4-6"]}, {}, "claude-sonnet-4-6", "o"),
        ({}, {"renames": {"gpt-5": "claude-x"}}, "gpt-5", "o"),
        ({"models": ["m"]}, {"renames": {"gpt-5": "claude-x"}}, "gpt-5", "a"),
    ],
)
async def test_an_account_of_the_own_wire_comes_first_where_it_has_the_model(
    start: Start, o: Any, a: Any, model: str, engine: str
) -> None:
    message: Any = {"id": "msg_1", "model": "m", "content": [], "usage": {"input_tokens": 1, "output_tokens": 1}}
    seen: list[Any] = []
    async with upstream(answering([])) as one, upstream(answering(seen, body=message)) as other:
        closed = {"open_models": False}
        accounts = {"o": account(one, **closed | o), "a": account(other, wire="anthropic", **closed | a)}
        async with start(accounts=accounts) as running:
            answer = await running.client.post("/v1/chat/completions", json={"model": model, "messages": hello("x")})
    assert (answer.status_code, answer.headers["x-mutoscope-engine"]) == (200, engine)
    assert not seen or json.loads(seen[0][2])["model"] == ("claude-x" if model == "gpt-5" else model)


async def test_an_account_of_the_other_wire_takes_over(start: Start) -> None:
    message: Any = {
        "id": "msg_1",
        "model": "m",
        "content": [{"type": "text", "text": "Well"}],
        "stop_reason": "end_turn",
    }
    async with upstream(answering([], 529, {})) as one, upstream(answering([], body=message)) as other:
        accounts = {"o": account(one), "a": account(other, wire="anthropic")}
        async with start(accounts=accounts) as running:
            answer = await running.client.post("/v1/chat/completions", json={"model": "m", "messages": hello("x")})
    assert answer.json()["choices"][0]["message"]["content"] == "Well"


async def test_a_key_that_may_use_one_wires_accounts_uses_no_others(start: Start) -> None:
    digest = "8254c329a92850f6d539dd376f4816ee2764517da5e0235514af433164480d7a"
    keys = [{"name": "ann", "sha256": digest, "engines": ["openai"]}]
    accounts = {"a": account("http://127.0.0.1:9", wire="anthropic")}
    async with start(keys=keys, accounts=accounts) as running:
        body = {"model": "claude-sonnet-4-6", "messages": hello("x")}
        answer = await running.client.post("/v1/chat/completions", json=body, headers={"authorization": "Bearer k"})
    assert answer.status_code == 403


async def test_tokens_are_counted_by_our_rule_where_the_model_is_the_other_wires(start: Start) -> None:
    accounts = {
        "o": account("http://127.0.0.1:9", open_models=False),
        "a": account("http://127.0.0.1:9", wire="anthropic", open_models=False),
    }
    async with start(accounts=accounts) as running:
        body = {"model": "gpt-4o", "messages": hello("Hi")}
        answer = await running.client.post("/v1/messages/count_tokens", json=body)
        lost = await running.client.post("/v1/messages/count_tokens", json=body | {"model": "no-such"})
    assert answer.json() == {"input_tokens": 5}
    assert lost.status_code == 404


@pytest.mark.parametrize(
    ("base", "name"),
    [
        ("", "max_completion_tokens"),
        ("https://api.openai.com/v1", "max_completion_tokens"),
        ("https://api.openai.com.example/v1", "max_tokens"),
        ("http://127.0.0.1:11434", "max_tokens"),
    ],
)
async def test_the_most_tokens_go_by_the_newer_name_to_the_vendor_itself(start: Start, base: str, name: str) -> None:
    body = json.dumps({"model": "m", "max_tokens": 9, "messages": hello("Hi")}).encode()
    request = HttpRequest(method="POST", path="/v1/messages", body=body)
    async with start(accounts={"o": account(base)}) as running:
        [peer] = running.app.words.peers
        asked = translated(BETWEEN["anthropic", "/v1/messages", "openai"], peer, request, "m")
    assert asked.body[name] == 9


@pytest.mark.parametrize("wire", ["anthropic", "openai"])
async def test_an_event_of_some_megabytes_comes_whole(start: Start, wire: str) -> None:
    text = "x" * 5_000_000
    whole = (EVENTS if wire == "anthropic" else CHUNKS).replace("狐".encode(), text.encode())
    answer, _ = await asked(start, sending(whole), wire)
    assert text_of(answer.text) == f"ça {text}"


@pytest.mark.parametrize("wire", ["anthropic", "openai"])
@pytest.mark.parametrize("streams", [False, True])
async def test_a_caller_who_goes_away_ends_it_at_the_other_wires_account(
    tmp_path: Path, wire: str, streams: bool
) -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def handler(request: web.Request) -> web.StreamResponse:
        try:
            response = await streaming(request)
            await response.write(EVENTS[:200])
            begun.set()
            await asyncio.sleep(30)
            return response
        finally:
            ended.set()

    path, model = ("/v1/chat/completions", "claude-x") if wire == "anthropic" else ("/v1/messages", "gpt-x")
    body = {"model": model, "max_tokens": 99, "messages": hello("Hi"), "stream": streams}
    async with (
        upstream(handler) as url,
        served(App(settings(accounts={"there": account(url, wire=wire)}), data=tmp_path / "d")) as here,
        aiohttp.ClientSession() as session,
    ):
        asking = asyncio.create_task(session.post(f"{here}{path}", json=body))
        async with asyncio.timeout(10):
            await begun.wait()
            if streams:
                (await asking).close()
            else:
                asking.cancel()
            await ended.wait()
