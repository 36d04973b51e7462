"""Strangers' programs that use OpenAI's and Anthropic's Python SDKs as they are, with another address only."""

import base64
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of what the vendor ended and we serve
HELLO: Any = [{"role": "user", "content": "Say this is a test"}]


@pytest.fixture(scope="module")
def url(serve: Callable[..., str]) -> str:
    return serve("--rehearse")


@pytest.fixture(params=["/v1", "", "/openai/v1"])
def client(url: str, request: pytest.FixtureRequest) -> Iterator[Any]:
    with openai.OpenAI(base_url=url + request.param, api_key="k", max_retries=0) as client:
        yield client


@pytest.fixture
def claude(url: str) -> Iterator[Any]:
    with anthropic.Anthropic(base_url=url, api_key="k", max_retries=0) as client:
        yield client


def test_chat_whole_and_in_pieces(client: Any) -> None:
    whole = client.chat.completions.create(model="gpt-4o", messages=HELLO)
    said = whole.choices[0].message.content
    assert "scripted" in said and whole.usage.total_tokens > 0 and whole._request_id
    options = {"include_usage": True}
    chunks = list(client.chat.completions.create(model="gpt-4o", messages=HELLO, stream=True, stream_options=options))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == said
    assert chunks[-1].usage.total_tokens == whole.usage.total_tokens


def test_vision_and_tools(client: Any) -> None:
    parts = [
        {"type": "text", "text": "What?"},
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
    ]
    seen = client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": parts}])
    assert "1 image" in seen.choices[0].message.content
    tool: Any = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}
    called = client.chat.completions.create(model="gpt-4o", messages=HELLO, tools=[tool], tool_choice="required")
    assert called.choices[0].message.tool_calls[0].function.name == "f"
    with client.chat.completions.stream(model="gpt-4o", messages=HELLO, tools=[tool], tool_choice="required") as stream:
        last = stream.get_final_completion()
    assert last.choices[0].message.tool_calls[0].function.arguments == "{}"


def test_completions_responses_and_embeddings(client: Any) -> None:
    assert client.completions.create(model="gpt-3.5-turbo-instruct", prompt="Once", max_tokens=50).choices[0].text
    response = client.responses.create(model="gpt-5.4", input="Say this is a test")
    assert "Say this is a test" in response.output_text
    with client.responses.stream(model="gpt-5.4", input="Say this is a test") as stream:
        assert stream.get_final_response().output_text == response.output_text
    vectors = client.embeddings.create(model="text-embedding-3-small", input=["a", "b"])
    assert len(vectors.data[0].embedding) == 1536
    assert client.moderations.create(input="a lake").results[0].flagged is False
    assert "gpt-4o" in {model.id for model in client.models.list()}


def test_responses_that_are_kept(client: Any) -> None:
    first = client.responses.create(model="gpt-5.4", input="One")
    second = client.responses.create(input="Two", previous_response_id=first.id, background=True)
    while second.status in ("queued", "in_progress"):
        second = client.responses.retrieve(second.id)
    assert "2 user, 1 assistant" in second.output_text
    assert client.responses.cancel(second.id).status == "completed"
    items = list(client.responses.input_items.list(second.id, limit=1, order="asc"))
    assert [item.role for item in items] == ["user", "assistant", "user"]
    stream = client.responses.create(input="Three", background=True, stream=True)
    events = list(stream)
    again = client.responses.retrieve(events[0].response.id, stream=True, starting_after=3)
    assert [event.type for event in again] == [event.type for event in events[4:]]
    client.responses.delete(first.id)
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(first.id)
    with pytest.raises(openai.BadRequestError, match="to go on from"):
        client.responses.create(input="Four", previous_response_id=first.id)


async def test_a_realtime_session(url: str) -> None:
    async with openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="k", max_retries=0) as client:
        secret = await client.realtime.client_secrets.create()
        async with (
            client.with_options(api_key=secret.value) as browser,
            browser.realtime.connect(model="gpt-realtime") as connection,
        ):
            assert (await connection.recv()).type == "session.created"
            part: Any = {"type": "input_text", "text": "Say this is a test"}
            await connection.conversation.item.create(item={"type": "message", "role": "user", "content": [part]})
            await connection.response.create()
            async for event in connection:
                if event.type == "response.done":
                    break
    assert "Say this is a test" in event.response.output[0].content[0].text


@pytest.fixture
def media(url: str) -> Iterator[Any]:
    with openai.OpenAI(base_url=f"{url}/v1", api_key="k", max_retries=0) as client:
        yield client


def test_sound(media: Any, tmp_path: Path) -> None:
    spoken = media.audio.speech.create(model="tts-1", voice="alloy", input="Hello", response_format="wav")
    (tmp_path / "a.wav").write_bytes(spoken.content)
    assert spoken.content[:4] == b"RIFF"
    for make in (media.audio.transcriptions.create, media.audio.translations.create):
        with (tmp_path / "a.wav").open("rb") as file:
            assert "scripted" in make(model="whisper-1", file=file).text
        with (tmp_path / "a.wav").open("rb") as file:
            assert make(model="whisper-1", file=file, response_format="srt").startswith("1\n00:00:00,000")


def test_pictures(media: Any, picture: bytes) -> None:
    made = media.images.generate(model="dall-e-3", prompt="a lake", size="1024x1024")
    assert made.data[0].url.startswith("http")
    inline = media.images.generate(model="gpt-image-1.5", prompt="a lake")
    assert base64.b64decode(inline.data[0].b64_json)[:4] == b"\x89PNG"
    one = ("a.png", picture, "image/png")
    for image in (one, [one, one]):
        assert media.images.edit(model="gpt-image-1", image=image, prompt="red").data[0].b64_json
    assert media.images.create_variation(model="dall-e-2", image=one).data[0].url


def test_videos_and_files(media: Any, picture: bytes) -> None:
    video = media.videos.create_and_poll(model="sora-2", prompt="a lake", seconds="4", size="720x1280")
    assert (video.status, video.progress) == ("completed", 100)
    assert b"ftyp" in media.videos.download_content(video.id).content[:16]
    assert media.videos.remix(video.id, prompt="at night").remixed_from_video_id == video.id
    assert video.id in {each.id for each in media.videos.list()}
    assert media.videos.delete(video.id).deleted
    kept = media.files.create(file=("a.png", picture, "image/png"), purpose="vision")
    assert media.files.content(kept.id).content == picture
    assert media.files.delete(kept.id).deleted


def test_errors_have_their_classes(media: Any, claude: Any) -> None:
    with pytest.raises(openai.BadRequestError, match="temperature"):
        media.chat.completions.create(model="gpt-4o", messages=HELLO, temperature=3)
    with pytest.raises(openai.NotFoundError):
        media.models.retrieve("none/such")
    with pytest.raises(openai.RateLimitError):
        media.with_options(default_headers={"x-mutoscope-rehearse": "rate_limited"}).models.list()
    with pytest.raises(anthropic.BadRequestError, match="messages"):
        claude.messages.create(model="claude-sonnet-4-6", max_tokens=9, messages=[])
    with pytest.raises(anthropic.NotFoundError):
        claude.models.retrieve("claude-9")


def test_messages_whole_and_in_pieces(claude: Any) -> None:
    asked: Any = {"model": "claude-sonnet-4-6", "max_tokens": 1024, "messages": HELLO}
    whole = claude.messages.create(**asked)
    assert "scripted" in whole.content[0].text and whole._request_id
    with claude.messages.stream(**asked) as stream:
        assert "".join(stream.text_stream) == whole.content[0].text
        assert stream.get_final_message().usage.output_tokens == whole.usage.output_tokens
    tool = {"name": "f", "input_schema": {"type": "object", "properties": {"a": {"const": 1}}}}
    with claude.messages.stream(**asked, tools=[tool], tool_choice={"type": "any"}) as stream:
        assert stream.get_final_message().content[0].input == {"a": 1}
    counted = claude.messages.count_tokens(model="claude-sonnet-4-6", messages=HELLO)
    assert counted.input_tokens == whole.usage.input_tokens
    assert "claude-sonnet-4-6" in {model.id for model in claude.models.list(limit=2)}
