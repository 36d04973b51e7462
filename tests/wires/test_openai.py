"""OpenAI's API in front: every line of the listing's group "Chat Models", answered without an account."""

import asyncio
import base64
import io
import json
import math
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from PIL import Image

from mutoscope.engines.script import tone

Start = Callable[..., AbstractAsyncContextManager[Any]]
HELLO = [{"role": "user", "content": "Say this is a test"}]


@pytest.fixture
async def client(start: Start) -> AsyncIterator[httpx.AsyncClient]:
    async with start(rehearsal=True) as running:
        yield running.client


async def posted(client: httpx.AsyncClient, path: str, **body: Any) -> Any:
    answer = await client.post(path, json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def streamed(client: httpx.AsyncClient, path: str, **body: Any) -> list[Any]:
    """The data of the events; the last one of chats is no JSON."""
    answer = await client.post(path, json=body | {"stream": True})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert answer.text.endswith("\n\n")
    return [
        data if data == "[DONE]" else json.loads(data)
        for event in answer.text.strip().split("\n\n")
        for data in [event.rpartition("data: ")[2]]
    ]


# -- chat --------------------------------------------------------------------------------


async def test_a_conversation_is_answered_and_the_answer_says_that_it_is_scripted(client: httpx.AsyncClient) -> None:
    answer = await posted(client, "/v1/chat/completions", model="gpt-4o", messages=HELLO)
    assert answer["id"].startswith("chatcmpl-")
    assert (answer["object"], answer["model"]) == ("chat.completion", "gpt-4o")
    [choice] = answer["choices"]
    assert (choice["index"], choice["finish_reason"], choice["logprobs"]) == (0, "stop", None)
    assert choice["message"]["role"] == "assistant" and choice["message"]["refusal"] is None
    assert "scripted" in choice["message"]["content"] and '"Say this is a test"' in choice["message"]["content"]
    usage = answer["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"] > 0


async def test_the_same_request_gets_the_same_words(client: httpx.AsyncClient) -> None:
    first, second = [
        await posted(client, "/v1/chat/completions", model="gpt-4o", messages=HELLO, n=2) for _ in range(2)
    ]
    assert first["choices"] == second["choices"]
    assert first["choices"][0]["message"] != first["choices"][1]["message"]


async def test_a_picture_is_seen_to_be_there(client: httpx.AsyncClient) -> None:
    parts = [
        {"type": "text", "text": "What is in this image?"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA", "detail": "high"}},
        {"type": "image_url", "image_url": "https://example.com/b.png"},
    ]
    answer = await posted(client, "/v1/chat/completions", model="gpt-4o", messages=[{"role": "user", "content": parts}])
    assert "2 image" in answer["choices"][0]["message"]["content"]


async def test_a_stream_is_the_answer_in_pieces(client: httpx.AsyncClient) -> None:
    whole = await posted(client, "/v1/chat/completions", model="gpt-4o", messages=HELLO)
    *chunks, done = await streamed(client, "/v1/chat/completions", model="gpt-4o", messages=HELLO)
    assert done == "[DONE]"
    assert len({(chunk["id"], chunk["created"]) for chunk in chunks}) == 1
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
    assert "usage" not in chunks[0]
    choices = [chunk["choices"][0] for chunk in chunks]
    assert [each["finish_reason"] for each in choices] == [None] * (len(choices) - 1) + ["stop"]
    assert choices[0]["delta"] == {"role": "assistant", "content": ""}
    assert choices[-1]["delta"] == {}
    said = "".join(each["delta"].get("content", "") for each in choices)
    assert said == whole["choices"][0]["message"]["content"]


async def test_the_usage_of_a_stream_comes_last_where_it_was_asked_for(client: httpx.AsyncClient) -> None:
    options = {"include_usage": True}
    *chunks, last, done = await streamed(
        client, "/v1/chat/completions", model="gpt-4o", messages=HELLO, stream_options=options
    )
    assert done == "[DONE]"
    assert last["choices"] == [] and last["usage"]["total_tokens"] > 0
    assert all(chunk["usage"] is None for chunk in chunks)


TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "unit": {"enum": ["c", "f"]}},
            "required": ["city"],
        },
    },
}


@pytest.mark.parametrize("choice", ["required", {"type": "function", "function": {"name": "get_weather"}}])
async def test_a_tool_that_must_be_called_is_called(client: httpx.AsyncClient, choice: Any) -> None:
    asked = {"model": "gpt-4o", "messages": HELLO, "tools": [TOOL], "tool_choice": choice}
    whole = await posted(client, "/v1/chat/completions", **asked)
    [choice_made] = whole["choices"]
    assert choice_made["finish_reason"] == "tool_calls" and choice_made["message"]["content"] is None
    [call] = choice_made["message"]["tool_calls"]
    arguments = json.loads(call["function"]["arguments"])
    assert isinstance(arguments["city"], str) and arguments["unit"] in ("c", "f")
    *chunks, _ = await streamed(client, "/v1/chat/completions", **asked)
    deltas = [each for chunk in chunks for each in chunk["choices"][0]["delta"].get("tool_calls", ())]
    assert all(each["index"] == 0 for each in deltas)
    assert [each for each in deltas if "id" in each] == [deltas[0]]
    assert "".join(each["function"]["arguments"] for each in deltas) == call["function"]["arguments"]


async def test_a_tools_answer_is_shown(client: httpx.AsyncClient) -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}
    messages = [
        *HELLO,
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": "rain"},
    ]
    answer = await posted(client, "/v1/chat/completions", model="gpt-4o", messages=messages, tools=[TOOL])
    assert 'The tool answered: "rain"' in answer["choices"][0]["message"]["content"]


async def test_a_schema_is_obeyed(client: httpx.AsyncClient) -> None:
    schema = {
        "type": "object",
        "properties": {
            "steps": {"type": "array", "items": {"type": "string"}, "minItems": 2},
            "n": {"type": "integer"},
        },
        "required": ["steps", "n"],
        "additionalProperties": False,
    }
    form = {"type": "json_schema", "json_schema": {"name": "plan", "schema": schema, "strict": True}}
    answer = await posted(client, "/v1/chat/completions", model="gpt-4o", messages=HELLO, response_format=form)
    value = json.loads(answer["choices"][0]["message"]["content"])
    assert len(value["steps"]) >= 2 and isinstance(value["n"], int) and set(value) == {"steps", "n"}
    form = {"type": "json_object"}
    answer = await posted(client, "/v1/chat/completions", model="gpt-4o", messages=HELLO, response_format=form)
    assert json.loads(answer["choices"][0]["message"]["content"])["scripted"] is True


async def test_stop_words_and_the_most_tokens_end_an_answer(client: httpx.AsyncClient) -> None:
    answer = await posted(client, "/v1/chat/completions", model="m", messages=HELLO, stop=["nowhere", " answer"])
    assert answer["choices"][0] | {"message": 0} == {
        "index": 0,
        "message": 0,
        "logprobs": None,
        "finish_reason": "stop",
    }
    assert answer["choices"][0]["message"]["content"] == "This is a scripted"
    answer = await posted(client, "/v1/chat/completions", model="m", messages=HELLO, max_tokens=2)
    assert answer["choices"][0]["finish_reason"] == "length"
    assert answer["choices"][0]["message"]["content"] == "This is "
    assert answer["usage"]["completion_tokens"] == 2


@pytest.mark.parametrize(
    ("body", "param", "code"),
    [
        ({"messages": HELLO}, "model", None),
        ({"model": "m"}, "messages", "missing_required_parameter"),
        ({"model": "m", "messages": []}, "messages", "invalid_value"),
        ({"model": "m", "messages": HELLO, "temperature": 3}, "temperature", "invalid_value"),
        ({"model": "m", "messages": HELLO, "n": "2"}, "n", "invalid_type"),
        ({"model": "m", "messages": [{"role": "user"}]}, "messages[0].content", "missing_required_parameter"),
        ({"model": "m", "messages": HELLO, "modalities": ["audio"]}, "modalities", "unsupported_value"),
    ],
)
async def test_a_bad_chat_is_refused_by_name(client: httpx.AsyncClient, body: Any, param: str, code: str) -> None:
    answer = await client.post("/v1/chat/completions", json=body)
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["type"] == "invalid_request_error"
    assert error["param"] == param
    assert param in error["message"]
    assert code in (None, error["code"])


@pytest.mark.parametrize("path", ["/chat/completions", "/v1/v1/chat/completions", "/openai/chat/completions"])
async def test_other_mounts_reach_the_same(client: httpx.AsyncClient, path: str) -> None:
    assert (await posted(client, path, model="m", messages=HELLO))["object"] == "chat.completion"


# -- completions, responses, vectors --------------------------------------------------------


async def test_instruct_goes_on_with_each_prompt(client: httpx.AsyncClient) -> None:
    asked: Any = {"model": "gpt-3.5-turbo-instruct", "prompt": ["Once", "Twice"], "n": 2, "max_tokens": 50}
    answer = await posted(client, "/v1/completions", **asked)
    assert answer["object"] == "text_completion"
    assert [each["index"] for each in answer["choices"]] == [0, 1, 2, 3]
    assert ['"Twice"' in each["text"] for each in answer["choices"]] == [False, False, True, True]
    *chunks, done = await streamed(client, "/v1/completions", **asked)
    assert done == "[DONE]"
    for number, choice in enumerate(answer["choices"]):
        pieces = [each for chunk in chunks for each in chunk["choices"] if each["index"] == number]
        assert "".join(each["text"] for each in pieces) == choice["text"]
        assert pieces[-1]["finish_reason"] == choice["finish_reason"]
    echo = await posted(client, "/v1/completions", model="davinci-002", prompt="Hi", echo=True, logprobs=1)
    assert echo["choices"][0]["text"].startswith("Hi") and echo["choices"][0]["logprobs"]["tokens"][0] == "Hi"


async def test_responses_in_the_minimal_form(client: httpx.AsyncClient) -> None:
    answer = await posted(client, "/v1/responses", model="gpt-5.4", input="Say this is a test")
    assert (answer["object"], answer["status"], answer["error"]) == ("response", "completed", None)
    [item] = answer["output"]
    assert '"Say this is a test"' in item["content"][0]["text"]
    events = await streamed(client, "/v1/responses", model="gpt-5.4", input="Say this is a test")
    assert [each["sequence_number"] for each in events] == list(range(len(events)))
    kinds = [each["type"].removeprefix("response.") for each in events]
    assert kinds[:4] == ["created", "in_progress", "output_item.added", "content_part.added"]
    assert kinds[-4:] == ["output_text.done", "content_part.done", "output_item.done", "completed"]
    assert "".join(each["delta"] for each in events if "delta" in each) == item["content"][0]["text"]
    tool = {"type": "function", "name": "f", "parameters": {"type": "object", "properties": {"a": {"const": 1}}}}
    called = await posted(client, "/v1/responses", model="m", input="x", tools=[tool], tool_choice="required")
    assert called["output"][0]["arguments"] == '{"a":1}'
    refused = await client.post("/v1/responses", json={"model": "m", "input": "x", "previous_response_id": "resp_1"})
    error = refused.json()["error"]
    assert (refused.status_code, error["param"]) == (400, "previous_response_id")
    assert error["code"] == "previous_response_not_found"


async def test_a_response_is_kept_gone_on_from_and_forgotten(client: httpx.AsyncClient) -> None:
    first = await posted(client, "/v1/responses", model="gpt-5.4", input="One", instructions="Be brief")
    said = first["output"][0]
    asked: list[Any] = [
        {"id": said["id"]},
        {"type": "item_reference", "id": said["id"]},
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": "seven"},
        {"role": "user", "content": [{"type": "input_text", "text": "Two"}, {"type": "input_image", "file_id": "f"}]},
    ]
    goes_on = {"model": "gpt-5.4", "previous_response_id": first["id"]}
    second = await posted(client, "/v1/responses", input=asked, **goes_on)
    assert (second["store"], second["previous_response_id"]) == (True, first["id"])
    assert "Received: 2 user, 4 assistant, 1 tool; 1 image" in second["output"][0]["content"][0]["text"]
    assert (await client.get(f"/v1/responses/{second['id']}")).json() == second
    third = await streamed(client, "/responses", input="Three", model="m", previous_response_id=second["id"])
    last = third[-1]["response"]
    assert (await client.get(f"/responses/{last['id']}")).json() == last

    url = f"/v1/responses/{second['id']}/input_items"
    listed = (await client.get(url, params={"order": "asc"})).json()
    kinds = [each["type"] for each in listed["data"]]
    assert kinds == [*("message",) * 4, "function_call", "function_call_output", "message"]
    assert listed["data"][0]["content"] == [{"type": "input_text", "text": "One"}]
    assert listed["data"][3] == said and not listed["has_more"]
    ids = [each["id"] for each in listed["data"]]
    page = (await client.get(url, params={"limit": 2, "after": ids[-1]})).json()
    assert [each["id"] for each in page["data"]] == [ids[-2], ids[-3]] == [page["first_id"], page["last_id"]]
    assert page["has_more"]
    again = await posted(client, "/v1/responses", model="m", input=[{"type": "item_reference", "id": ids[-1]}])
    assert "1 image" in again["output"][0]["content"][0]["text"]

    gone = await client.delete(f"/v1/responses/{first['id']}")
    assert gone.json() == {"id": first["id"], "object": "response", "deleted": True}
    for method, path in (("GET", ""), ("DELETE", ""), ("GET", "/input_items"), ("POST", "/cancel")):
        missing = await client.request(method, f"/v1/responses/{first['id']}{path}")
        assert (missing.status_code, missing.json()["error"]["type"]) == (404, "invalid_request_error")
    hole = await client.post("/v1/responses", json={"model": "m", "input": "x", "previous_response_id": last["id"]})
    assert hole.status_code == 400 and "deleted" in hole.json()["error"]["message"]
    lost = await client.post("/v1/responses", json={"model": "m", "input": [{"id": said["id"]}]})
    assert (lost.status_code, lost.json()["error"]["param"]) == (400, "input[0].id")
    unkept = await posted(client, "/v1/responses", model="m", input="x", store=False)
    assert unkept["store"] is False
    assert (await client.get(f"/v1/responses/{unkept['id']}")).status_code == 404
    # of one that is kept, a count of tokens keeps nothing, and includes what it goes on from
    body = {"model": "m", "input": "x"}
    short = await posted(client, "/v1/responses/input_tokens", **body)
    long = await posted(client, "/v1/responses/input_tokens", **body, previous_response_id=again["id"])
    assert long["input_tokens"] > short["input_tokens"]


async def test_a_response_in_the_background_is_there_later_and_can_be_cancelled(start: Start, tmp_path: Path) -> None:
    (tmp_path / "replies.toml").write_text(
        '[[replies]]\nuser = "slow"\ntext = "Slow it is."\nlatency = 600.0\n[[replies]]\ntext = "Done it is."\n'
    )
    async with start(script={"replies": str(tmp_path / "replies.toml")}) as running:
        client = running.client
        asked = {"model": "gpt-5.4", "background": True}
        slow = await posted(client, "/v1/responses", input="slow", **asked)
        fast = await posted(client, "/v1/responses", input="fast", **asked)
        assert (slow["status"], fast["status"], fast["output"], fast["background"]) == ("queued", "queued", [], True)
        read = [(await client.get(f"/v1/responses/{each['id']}")).json() for each in (slow, fast)]
        assert [each["status"] for each in read] == ["in_progress", "completed"]
        assert read[1]["output"][0]["content"][0]["text"] == "Done it is."
        ended = [(await client.post(f"/v1/responses/{each['id']}/cancel")).json() for each in (slow, fast, slow)]
        assert [each["status"] for each in ended] == ["cancelled", "completed", "cancelled"]
        assert (await client.get(f"/v1/responses/{slow['id']}")).json() == ended[0]

        events = await streamed(client, "/v1/responses", input="fast", **asked)
        id = events[0]["response"]["id"]
        assert [each["type"] for each in events[:3]] == ["response.created", "response.queued", "response.in_progress"]
        for after in (None, 2, len(events) - 2):
            query = {"stream": "true"} | ({} if after is None else {"starting_after": str(after)})
            rest = await client.get(f"/v1/responses/{id}", params=query)
            assert rest.headers["content-type"].startswith("text/event-stream")
            told = [json.loads(line[6:]) for line in rest.text.splitlines() if line.startswith("data: ")]
            assert told == (events if after is None else events[after + 1 :])
        refused = await client.get(f"/v1/responses/{fast['id']}", params={"stream": "true"})
        assert (refused.status_code, refused.json()["error"]["param"]) == (400, "stream")
        whole = await posted(client, "/v1/responses", input="fast", model="m")
        refused = await client.post(f"/v1/responses/{whole['id']}/cancel")
        assert (refused.status_code, "background" in refused.json()["error"]["message"]) == (400, True)
        refused = await client.post("/v1/responses", json={"input": "x", "store": False, **asked})
        assert (refused.status_code, refused.json()["error"]["param"]) == (400, "background")


async def test_vectors_have_length_one_and_similar_texts_are_closer(client: httpx.AsyncClient) -> None:
    texts = ["a red fox jumps", "the red fox jumped", "quarterly tax statement"]
    answer = await posted(client, "/v1/embeddings", model="text-embedding-3-small", input=texts)
    one, two, three = (each["embedding"] for each in answer["data"])
    assert len(one) == 1536
    assert math.isclose(math.hypot(*one), 1.0)
    assert near(one, two) > near(one, three) + 0.2
    packed = await posted(client, "/v1/embeddings", model="m", input=texts[0], encoding_format="base64", dimensions=64)
    floats = struct.unpack("<64f", base64.b64decode(packed["data"][0]["embedding"]))
    assert math.isclose(math.hypot(*floats), 1.0, rel_tol=1e-5)
    tokens = await posted(client, "/v1/embeddings", model="m", input=[[1, 2], [3]])
    assert [each["index"] for each in tokens["data"]] == [0, 1]
    refused = await client.post("/v1/embeddings", json={"model": "m", "input": ["a", ""]})
    assert (refused.status_code, refused.json()["error"]["param"]) == (400, "input[1]")


def near(one: list[float], other: list[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


async def test_moderation_by_rule_has_all_categories(client: httpx.AsyncClient) -> None:
    answer = await posted(client, "/v1/moderations", input=["a calm lake", "I will kill you"])
    calm, threat = answer["results"]
    assert len(calm["categories"]) == 13 and not calm["flagged"]
    assert threat["flagged"] and threat["categories"]["violence"] and threat["categories"]["harassment/threatening"]
    parts = [{"type": "text", "text": "a lake"}, {"type": "image_url", "image_url": {"url": "https://e.com/a.png"}}]
    both, picture, other = [
        await posted(client, "/v1/moderations", input=each) for each in (parts, parts[1:], ["a calm lake"])
    ]
    assert [each["category_applied_input_types"]["violence"] for each in (*both["results"], *picture["results"])] == [
        *(["text"], [])
    ]
    assert len({each["id"] for each in (answer, both, picture, other)}) == 4
    wrong = await client.post("/v1/moderations", json={"input": [{"type": "input_text", "text": "a"}]})
    assert (wrong.status_code, wrong.json()["error"]["param"]) == (400, "input[0]")


async def test_the_models_are_listed(client: httpx.AsyncClient) -> None:
    listed = (await client.get("/v1/models")).json()
    assert listed["object"] == "list"
    assert {"gpt-4o", "dall-e-3", "tts-1", "whisper-1", "sora-2"} <= {each["id"] for each in listed["data"]}
    assert (await client.get("/v1/models/gpt-4o")).json()["object"] == "model"
    lost = await client.get("/openai/v1/models/no/such:model")  # the bare path is Replicate's too
    assert (lost.status_code, lost.json()["error"]["code"]) == (404, "model_not_found")


# -- sound ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("form", "kind", "head"),
    [
        (None, "audio/mpeg", b"ID3"),
        ("opus", "audio/opus", b"OggS"),
        ("aac", "audio/aac", b"\xff\xf1"),
        ("flac", "audio/flac", b"fLaC"),
        ("wav", "audio/wav", b"RIFF"),
        ("pcm", "audio/pcm", b""),
    ],
)
async def test_speech_is_the_answer_itself(client: httpx.AsyncClient, form: str | None, kind: str, head: bytes) -> None:
    body = {"model": "tts-1", "voice": "alloy", "input": "Hello"} | ({"response_format": form} if form else {})
    answer = await client.post("/v1/audio/speech", json=body)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == kind
    assert answer.content.startswith(head) and len(answer.content) > 1000


async def test_speech_by_events_joins_to_the_same_sound(client: httpx.AsyncClient) -> None:
    body = {"model": "gpt-4o-mini-tts", "voice": "alloy", "input": "Hello"}
    whole = await client.post("/v1/audio/speech", json=body)
    answer = await client.post("/v1/audio/speech", json=body | {"stream_format": "sse"})
    *deltas, done = [json.loads(event.removeprefix("data: ")) for event in answer.text.strip().split("\n\n")]
    assert done["type"] == "speech.audio.done"
    assert b"".join(base64.b64decode(each["audio"]) for each in deltas) == whole.content


@pytest.mark.parametrize("path", ["transcriptions", "translations"])
async def test_sound_is_written_down_in_every_format(client: httpx.AsyncClient, path: str) -> None:
    told = {}
    for form in ("json", "text", "srt", "vtt", "verbose_json"):
        answer = await client.post(
            f"/v1/audio/{path}",
            data={"model": "whisper-1", "response_format": form, "temperature": "0"},
            files={"file": ("speech.wav", tone(1.0), "audio/wav")},
        )
        assert answer.status_code == 200, answer.text
        told[form] = answer
    text = told["json"].json()["text"]
    assert "scripted" in text
    assert told["text"].text == f"{text}\n" and told["text"].headers["content-type"].startswith("text/plain")
    assert told["srt"].text == f"1\n00:00:00,000 --> 00:00:01,000\n{text}\n\n"
    assert told["vtt"].text.startswith("WEBVTT\n\n00:00:00.000 --> 00:00:01.000\n")
    verbose = told["verbose_json"].json()
    assert (verbose["duration"], verbose["segments"][0]["text"]) == (1.0, text)
    assert verbose["task"] == ("transcribe" if path == "transcriptions" else "translate")


async def test_where_no_engine_hears_a_transcript_is_refused_by_name(start: Start) -> None:
    async with start() as running:
        form = {"model": "whisper-1"}
        files = {"file": ("speech.wav", tone(0.1), "audio/wav")}
        answer = await running.client.post("/v1/audio/transcriptions", data=form, files=files)
    assert answer.status_code == 400
    assert "speech_to_text" in answer.json()["error"]["message"]


# -- pictures --------------------------------------------------------------------------------


async def test_a_picture_by_link(client: httpx.AsyncClient) -> None:
    asked: Any = {"model": "dall-e-3", "prompt": "a lake", "size": "1792x1024", "quality": "hd", "style": "vivid"}
    answer = await posted(client, "/v1/images/generations", **asked)
    [made] = answer["data"]
    assert made["revised_prompt"] == "a lake" and isinstance(answer["created"], int)
    file = await client.get(made["url"])
    assert Image.open(io.BytesIO(file.content)).size == (1792, 1024)


async def test_pictures_inline_in_the_type_that_was_asked_for(client: httpx.AsyncClient) -> None:
    answer = await posted(
        client, "/v1/images/generations", model="gpt-image-1.5", prompt="a lake", n=2, output_format="webp"
    )
    for each in answer["data"]:
        assert Image.open(io.BytesIO(base64.b64decode(each["b64_json"]))).format == "WEBP"
    assert (answer["output_format"], answer["size"], answer["background"]) == ("webp", "1024x1024", "opaque")
    inline = await posted(
        client, "/v1/images/generations", model="dall-e-2", prompt="a", response_format="b64_json", size="256x256"
    )
    assert Image.open(io.BytesIO(base64.b64decode(inline["data"][0]["b64_json"]))).size == (256, 256)
    streamed_ = await client.post(
        "/v1/images/generations", json={"model": "gpt-image-1", "prompt": "a", "stream": True, "partial_images": 1}
    )
    assert streamed_.text.startswith("event: image_generation.completed\ndata: ")


async def test_edits_take_one_picture_or_several_and_a_mask(client: httpx.AsyncClient, picture: bytes) -> None:
    one = ("a.png", picture, "image/png")
    for files in ([("image", one)], [("image[]", one), ("image[]", one)], [("image", one), ("mask", one)]):
        answer = await client.post(
            "/v1/images/edits", data={"prompt": "red", "model": "gpt-image-1", "n": "1"}, files=files
        )
        assert answer.status_code == 200, answer.text
        assert answer.json()["data"][0]["b64_json"]
    link = f"data:image/png;base64,{base64.b64encode(picture).decode()}"
    body = {"model": "gpt-image-1", "prompt": "red", "images": [{"image_url": link}], "mask": {"image_url": link}}
    assert (await client.post("/v1/images/edits", json=body)).status_code == 200
    refused = await client.post("/v1/images/edits", json={"prompt": "red", "model": "gpt-image-1"})
    assert refused.status_code == 400
    varied = await client.post("/v1/images/variations", data={"model": "dall-e-2"}, files={"image": one})
    assert varied.json()["data"][0]["url"]


@pytest.mark.parametrize(
    ("model", "more", "size"),
    [
        ("flux", {"size": "512x768"}, (512, 768)),
        ("flux-schnell", {}, (1024, 768)),
        ("flux-pro-1.1", {}, (1024, 768)),
        ("black-forest-labs/flux-pro-1.1", {}, (1024, 768)),
        ("flux-2-pro", {"aspect_ratio": "1:1"}, (1024, 1024)),
        ("flux-kontext-pro", {"aspect_ratio": "16:9"}, (1360, 768)),
    ],
)
async def test_relays_sell_flux_by_its_models_names(
    client: httpx.AsyncClient, model: str, more: dict[str, str], size: tuple[int, int]
) -> None:
    answer = await posted(client, "/v1/images/generations", model=model, prompt="a lake", **more)
    made = await client.get(answer["data"][0]["url"])
    assert Image.open(io.BytesIO(made.content)).size == size


async def test_a_picture_that_cannot_be_so_large_is_told_by_the_callers_name(start: Start) -> None:
    async with start() as running:
        body = {"prompt": "a lake", "model": "dall-e-2", "size": "17x19"}
        answer = await running.client.post("/v1/images/generations", json=body)
        assert (answer.status_code, answer.json()["error"]["param"]) == (400, "size")
        assert answer.json()["error"]["message"].startswith("size: Width is 17")


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"model": "dall-e-3", "prompt": "a", "n": 2}, "n"),
        ({"model": "dall-e-3", "prompt": "a", "size": "64x64", "aspect_ratio": "1:1"}, "aspect_ratio"),
        ({"model": "gpt-image-1", "prompt": "a", "response_format": "url"}, "response_format"),
        ({"model": "dall-e-2", "prompt": "a", "background": "opaque"}, "background"),
        ({"model": "dall-e-2", "prompt": ""}, "prompt"),
    ],
)
async def test_what_a_model_does_not_take_is_refused_by_name(client: httpx.AsyncClient, body: Any, param: str) -> None:
    answer = await client.post("/v1/images/generations", json=body)
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == param


async def test_a_picture_that_fails_is_an_error_of_its_kind(client: httpx.AsyncClient) -> None:
    body = {"model": "dall-e-3", "prompt": "fail refused not such a thing"}
    answer = await client.post("/v1/images/generations", json=body)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "content_policy_violation"


# -- videos and files --------------------------------------------------------------------------


async def test_a_video_from_its_create_to_its_end(client: httpx.AsyncClient) -> None:
    form = {"prompt": "a lighthouse", "seconds": "4", "size": "320x240", "model": "sora-2"}
    made = await client.post("/v1/videos", files={name: (None, text) for name, text in form.items()})
    assert made.status_code == 200, made.text
    video = made.json()
    assert (video["object"], video["seconds"], video["size"], video["model"]) == ("video", "4", "320x240", "sora-2")
    for _ in range(200):
        answer = await client.get(f"/v1/videos/{video['id']}")
        if answer.json()["status"] == "completed":
            break
        await asyncio.sleep(0.02)
    assert answer.headers["openai-poll-after-ms"] == "1000"
    assert answer.json()["progress"] == 100
    content = await client.get(f"/v1/videos/{video['id']}/content", follow_redirects=True)
    assert content.headers["content-type"] == "video/mp4"
    remix = (await client.post(f"/v1/videos/{video['id']}/remix", json={"prompt": "at night"})).json()
    assert remix["remixed_from_video_id"] == video["id"]
    listed = (await client.get("/v1/videos", params={"limit": 1})).json()
    assert ([each["id"] for each in listed["data"]], listed["has_more"]) == ([remix["id"]], True)
    after = (await client.get("/v1/videos", params={"after": remix["id"]})).json()
    fixed = "video_0123456789ab7cde8f0123456789abcd"  # a rehearsal's own
    assert [each["id"] for each in after["data"]] == [video["id"], fixed]
    oldest = (await client.get("/v1/videos", params={"order": "asc"})).json()
    assert [each["id"] for each in oldest["data"]] == [fixed, video["id"], remix["id"]]
    gone = (await client.delete(f"/v1/videos/{video['id']}")).json()
    assert gone == {"id": video["id"], "object": "video.deleted", "deleted": True}
    assert (await client.get(f"/v1/videos/{video['id']}")).status_code == 404


async def test_a_file_is_kept_read_and_forgotten(client: httpx.AsyncClient, picture: bytes) -> None:
    form = {"purpose": "vision", "expires_after[anchor]": "created_at", "expires_after[seconds]": "3600"}
    kept = (await client.post("/v1/files", data=form, files={"file": ("a.png", picture, "image/png")})).json()
    assert (kept["object"], kept["filename"], kept["purpose"]) == ("file", "a.png", "vision")
    assert kept["expires_at"] == kept["created_at"] + 3600
    assert (await client.get(f"/v1/files/{kept['id']}")).json() == kept
    content = await client.get(f"/v1/files/{kept['id']}/content", follow_redirects=True)
    assert content.content == picture
    assert [each["id"] for each in (await client.get("/v1/files")).json()["data"]] == [kept["id"]]
    assert (await client.delete(f"/v1/files/{kept['id']}")).json()["deleted"] is True
    assert (await client.get(f"/v1/files/{kept['id']}")).status_code == 404
    refused = await client.post("/v1/files", data={"purpose": "x"}, files={"file": ("a", b"a")})
    assert refused.json()["error"]["param"] == "purpose"


async def test_realtime_is_no_page(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/realtime", params={"model": "gpt-realtime"})
    assert answer.status_code == 400
    assert "wss://" in answer.json()["error"]["message"]


async def test_a_wrong_key_is_told_in_the_vendors_words(start: Start) -> None:
    keys = [{"name": "ann", "sha256": "0" * 64}]
    async with start(rehearsal=True, keys=keys) as running:
        answer = await running.client.post("/v1/chat/completions", json={"model": "m", "messages": HELLO})
    assert answer.status_code == 401
    assert msgspec.json.decode(answer.content)["error"]["code"] == "invalid_api_key"
    assert answer.headers["x-request-id"]
