"""Realtime sessions over real sockets: with the author, with keys, and by way of an account."""

import asyncio
import base64
import contextlib
import json
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import av
import numpy as np
import openai
import pytest
from aiohttp import web
from openai import AsyncOpenAI

import trained
from mutoscope.app import App
from mutoscope.web import protocol
from mutoscope.web.protocol import Connection, Socket
from mutoscope.web.realtime import MAX_EVENT
from mutoscope.wires.openai.realtime import wave

sys.path.append(str(Path(__file__).parent.parent / "relay"))
from sockets import served

from local_settings import settings

DIGEST = "8254c329a92850f6d539dd376f4816ee2764517da5e0235514af433164480d7a"  # of k
KEY: dict[str, Any] = {"name": "ann", "sha256": DIGEST}
BEARER = {"authorization": "Bearer k"}
HELLO = {
    "type": "conversation.item.create",
    "item": {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hello there"}]},
}
RESPOND = {"type": "response.create"}
SOUND = base64.b64encode(bytes(48_000)).decode()
GUARDED: dict[str, Any] = {
    "http": Connection,
    "ws": Socket,
    "ws_max_size": MAX_EVENT,
    "ws_per_message_deflate": False,
}
Open = Callable[..., Any]


class Talk:
    """A client that speaks the wire by hand."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket

    async def say(self, *events: Any) -> None:
        for event in events:
            await self.socket.send_str(event if isinstance(event, str) else json.dumps(event))

    async def hear(self, until: str) -> list[Any]:
        """The events up to one of this type."""
        heard: list[Any] = []
        async with asyncio.timeout(20):
            while not heard or heard[-1]["type"] != until:
                heard.append(json.loads(await self.socket.receive_str()))
        return heard

    async def error(self, *events: Any) -> Any:
        await self.say(*events)
        return (await self.hear("error"))[-1]["error"]

    async def end(self) -> int | None:
        """The code with which it is closed."""
        async with asyncio.timeout(20):
            async for _ in self.socket:
                pass
        return self.socket.close_code


@asynccontextmanager
async def serving(folder: Path, *, rehearsal: bool = False, **sections: Any) -> AsyncIterator[tuple[App, str]]:
    app = App(settings(**sections), data=folder, rehearsal=rehearsal)
    async with served(app, **GUARDED) as url:
        yield app, url


@asynccontextmanager
async def talking(url: str, model: str = "gpt-realtime", **more: Any) -> AsyncIterator[Talk]:
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{url}/v1/realtime?model={model}", max_msg_size=0, **more) as socket,
    ):
        yield Talk(socket)


async def refused(url: str, query: str = "?model=gpt-realtime", **more: Any) -> tuple[int, Any]:
    """The status and the error of a handshake that comes to nothing, over a plain request."""
    upgrade = {
        "connection": "Upgrade",
        "upgrade": "websocket",
        "sec-websocket-version": "13",
        "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
    }
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{url}/v1/realtime{query}", headers=upgrade | more) as answer,
    ):
        return answer.status, (await answer.json())["error"]


# -- with the author -----------------------------------------------------------------------


async def test_the_vendors_client_converses(tmp_path: Path) -> None:
    async with serving(tmp_path) as (app, url), AsyncOpenAI(base_url=f"{url}/v1", api_key="k") as client:
        async with client.realtime.connect(model="gpt-realtime") as connection:
            created = await connection.recv()
            assert created.type == "session.created" and created.session.model == "gpt-realtime"
            await connection.session.update(session={"type": "realtime", "instructions": "Be brief."})
            updated = await connection.recv()
            assert updated.type == "session.updated" and updated.session.instructions == "Be brief."
            await connection.conversation.item.create(item=HELLO["item"])
            await connection.response.create()
            said, types = "", []
            async for event in connection:
                types.append(event.type)
                if event.type == "response.output_text.delta":
                    said += event.delta
                if event.type == "response.done":
                    break
        assert types[:2] == ["conversation.item.added", "conversation.item.done"]
        assert "scripted" in said and "Hello there" in said and "1 system, 1 user" in said
        assert event.response.output[0].content[0].text == said
        assert event.response.usage.output_tokens > 0
        assert app.words.spent.sums["openai", "gpt-realtime", "script", "written"] == event.response.usage.output_tokens


async def test_an_answer_comes_in_the_vendors_order(tmp_path: Path) -> None:
    async with serving(tmp_path) as (_, url), talking(url) as talk:
        await talk.say(HELLO, RESPOND)
        heard = await talk.hear("response.done")
        ids = [event["event_id"] for event in heard]
        assert len(set(ids)) == len(ids)
        types = list(dict.fromkeys(event["type"] for event in heard))
        assert types == [
            "session.created",
            *("conversation.item.added", "conversation.item.done"),
            *("response.created", "response.output_item.added", "response.content_part.added"),
            *("response.output_text.delta", "response.output_text.done", "response.content_part.done"),
            *("response.output_item.done", "response.done"),
        ]
        await talk.say(RESPOND)
        again = (await talk.hear("response.done"))[-1]["response"]
        assert "1 user, 1 assistant" in again["output"][0]["content"][0]["text"]


async def test_tools_are_called_and_their_results_read(tmp_path: Path) -> None:
    tool = {"type": "function", "name": "f", "parameters": {"type": "object", "properties": {}}}
    async with serving(tmp_path) as (_, url), talking(url) as talk:
        await talk.say(HELLO, RESPOND | {"response": {"tools": [tool], "tool_choice": "required"}})
        [call] = (await talk.hear("response.done"))[-1]["response"]["output"]
        assert (call["name"], call["arguments"]) == ("f", "{}")
        result = {"type": "function_call_output", "call_id": call["call_id"], "output": "42"}
        await talk.say({"type": "conversation.item.create", "item": result}, RESPOND)
        assert "42" in (await talk.hear("response.done"))[-1]["response"]["output"][0]["content"][0]["text"]


async def test_sound_is_answered_by_the_scripted_transcript(tmp_path: Path) -> None:
    told = {"type": "realtime", "audio": {"input": {"transcription": {"model": "whisper-1"}}}}
    async with serving(tmp_path) as (_, url), talking(url) as talk:
        append = {"type": "input_audio_buffer.append", "audio": SOUND}
        empty = await talk.error(append, {"type": "input_audio_buffer.clear"}, {"type": "input_audio_buffer.commit"})
        assert empty["code"] == "input_audio_buffer_commit_empty"
        bad = await talk.error({"type": "input_audio_buffer.append", "audio": "***", "event_id": "mine"})
        assert (bad["param"], bad["event_id"]) == ("audio", "mine")
        await talk.say({"type": "session.update", "session": told}, append, {"type": "input_audio_buffer.commit"})
        done = (await talk.hear("conversation.item.input_audio_transcription.completed"))[-1]
        assert "nobody listened" in done["transcript"] and done["usage"] == {"type": "duration", "seconds": 1.0}
        await talk.say(RESPOND)
        said = (await talk.hear("response.done"))[-1]["response"]["output"][0]["content"][0]["text"]
        assert "1 audio" in said and "nobody listened" in said


async def test_sound_is_listened_to_where_a_recogniser_is_here(tmp_path: Path) -> None:
    """Another language, and more than is kept, fail by name and the session goes on."""
    shelf = trained.shelf("whisper_tiny_en")
    if shutil.which("espeak-ng") is None:
        pytest.skip("espeak-ng, which speaks what is listened to, is not installed: apt install espeak-ng")
    spoken = tmp_path / "spoken.wav"
    subprocess.run(["espeak-ng", "-v", "en-us", "-s", "140", "-w", str(spoken), "The ship is on the sea."], check=True)
    commit, append = {"type": "input_audio_buffer.commit"}, "input_audio_buffer.append"
    name = "conversation.item.input_audio_transcription"

    def asking(kind: str, **more: str) -> Any:
        heard = {"format": {"type": kind}, "transcription": {"model": "whisper-1", **more}}
        return {"type": "session.update", "session": {"type": "realtime", "audio": {"input": heard}}}

    weights = {"folder": str(shelf.folder)}
    async with serving(tmp_path / "data", weights=weights) as (_, url), talking(url) as talk:
        sound = raw(spoken, "pcm_s16le", 24_000)
        pieces = [{"type": append, "audio": base64.b64encode(each).decode()} for each in (sound[:8000], sound[8000:])]
        await talk.say(asking("audio/pcm"), *pieces, commit, RESPOND)
        events = await talk.hear("response.done")
        types = [each["type"] for each in events]
        assert types.index(f"{name}.completed") < types.index("response.created"), "the answer waits for it"
        [done] = [each for each in events if each["type"] == f"{name}.completed"]
        assert "ship" in done["transcript"].lower() and "sea" in done["transcript"].lower()
        assert abs(done["usage"]["seconds"] - len(sound) / 48_000) < 0.01
        assert "nobody listened" not in json.dumps(events)
        await talk.say({"type": "conversation.item.retrieve", "item_id": done["item_id"]})
        kept = (await talk.hear("conversation.item.retrieved"))[-1]["item"]["content"][0]
        assert kept == {"type": "input_audio", "transcript": done["transcript"]}
        await talk.say(asking("audio/pcm", language="ja"), *pieces, commit)
        failed = (await talk.hear(f"{name}.failed"))[-1]
        assert "knows English only; 'ja'" in failed["error"]["message"] and failed["content_index"] == 0
        most = {"type": append, "audio": base64.b64encode(bytes(9 * 1024 * 1024)).decode()}
        await talk.say(asking("audio/pcm", language="en"), most, most, commit)
        assert "commit it in parts" in (await talk.hear(f"{name}.failed"))[-1]["error"]["message"]
        noise = {"type": append, "audio": base64.b64encode(bytes(range(256)) * 40).decode()}
        await talk.say(noise, commit)
        assert "transcript" in (await talk.hear(f"{name}.completed"))[-1]


def test_sound_without_a_head_is_handed_on_as_what_it_is(tmp_path: Path) -> None:
    tone = (8000 * np.sin(np.arange(24_000) / 9)).astype("<i2")
    path = tmp_path / "tone.wav"
    path.write_bytes(wave(tone.tobytes(), "audio/pcm"))
    for form, codec in (("audio/pcm", "pcm_s16le"), ("audio/pcmu", "pcm_mulaw"), ("audio/pcma", "pcm_alaw")):
        rate = 24_000 if form == "audio/pcm" else 8000
        other = tmp_path / f"{codec}.wav"
        other.write_bytes(wave(raw(path, codec, rate), form))
        one, two = (np.frombuffer(raw(each, "pcm_s16le", rate), "<i2") for each in (path, other))
        assert len(one) == len(two) == rate and np.corrcoef(one, two)[0, 1] > 0.999, form


def raw(path: Path, codec: str, rate: int) -> bytes:
    """A file's sound, without a head."""
    made = bytearray()
    encoder = av.CodecContext.create(codec, "w")
    encoder.sample_rate, encoder.layout, encoder.format = rate, "mono", "s16"
    with av.open(str(path)) as source:
        resampler = av.AudioResampler(format="s16", layout="mono", rate=rate)
        for frame in (*source.decode(audio=0), None):
            for each in resampler.resample(frame):
                for packet in encoder.encode(each):
                    made += bytes(packet)
    return bytes(made)


async def test_what_is_wrong_is_an_event_that_names_the_field_and_the_session_goes_on(tmp_path: Path) -> None:
    audio = {"type": "realtime", "output_modalities": ["audio"]}
    heard = {"type": "realtime", "audio": {"input": {"turn_detection": {"type": "server_vad"}}}}
    cases: list[tuple[Any, str | None, str]] = [
        ("{not json", None, "not valid JSON"),
        ("[]", None, "object"),
        ({"event_id": "e"}, "type", "type"),
        ({"type": "response.dance"}, "type", "session.update"),
        ({"type": "session.update", "session": audio}, "session.output_modalities", "text"),
        ({"type": "session.update", "session": heard}, "session.audio.input.turn_detection", "commit"),
        ({"type": "session.update", "session": {"type": "realtime", "model": "x"}}, "session.model", "gpt-realtime"),
        ({"type": "session.update", "session": {"type": "realtime", "tools": [{"type": "mcp"}]}},
         "session.tools[0].type", "mcp"),
        ({"type": "conversation.item.create", "item": {"type": "message", "role": "user"}}, "item.content", ""),
        (HELLO | {"previous_item_id": "none"}, "previous_item_id", "none"),
        ({"type": "conversation.item.delete", "item_id": "none"}, "item_id", "none"),
        ({"type": "response.cancel"}, "response_id", "under way"),
        (RESPOND | {"response": {"max_output_tokens": 5000}}, "response.max_output_tokens", "4096"),
    ]  # fmt: skip
    async with serving(tmp_path) as (_, url), talking(url) as talk:
        for event, field, word in cases:
            error = await talk.error(event)
            assert (error["type"], error["param"]) == ("invalid_request_error", field), event
            assert word in error["message"], event
        nothing = {"type": "realtime", "model": None, "audio": None, "tools": None}
        await talk.say({"type": "session.update", "session": nothing})
        session = (await talk.hear("session.updated"))[-1]["session"]
        assert session["model"] == "gpt-realtime" and session["audio"]["input"]["format"]["rate"] == 24_000
        assert "values" in (await talk.error({"type": "session.update", "session": [0] * 20_000}))["message"]
        await talk.socket.send_bytes(b"\xff")
        assert "JSON" in (await talk.hear("error"))[-1]["error"]["message"]
        await talk.say(RESPOND)
        assert (await talk.hear("response.done"))[-1]["response"]["status"] == "completed"


async def test_items_are_placed_read_and_deleted(tmp_path: Path) -> None:
    async with serving(tmp_path) as (_, url), talking(url) as talk:
        second = HELLO | {"item": HELLO["item"] | {"id": "b"}}  # type: ignore[operator]
        first = HELLO | {"item": HELLO["item"] | {"id": "a"}, "previous_item_id": "root"}  # type: ignore[operator]
        await talk.say(second, first, {"type": "conversation.item.retrieve", "item_id": "b"})
        heard = await talk.hear("conversation.item.retrieved")
        assert heard[-1]["item"]["content"][0]["text"] == "Hello there"
        await talk.say({"type": "conversation.item.delete", "item_id": "b"}, RESPOND)
        heard = await talk.hear("response.done")
        assert heard[0]["item_id"] == "b"
        assert "1 user" in heard[-1]["response"]["output"][0]["content"][0]["text"]
        assert (await talk.error(first))["param"] == "item.id"


async def test_one_answer_at_a_time_and_it_may_be_cancelled(tmp_path: Path) -> None:
    rules = tmp_path / "replies.toml"
    rules.write_text('[[replies]]\ntext = "one two three four"\ntokens_per_second = 0.5\n')
    async with serving(tmp_path / "d", script={"replies": str(rules)}) as (_, url), talking(url) as talk:
        await talk.say(HELLO, RESPOND)
        await talk.hear("response.output_text.delta")
        assert (await talk.error(RESPOND))["code"] == "conversation_already_has_active_response"
        await talk.say({"type": "response.cancel"})
        response = (await talk.hear("response.done"))[-1]["response"]
        assert (response["status"], response["status_details"]["reason"]) == ("cancelled", "client_cancelled")
        assert response["output"][0]["content"][0]["text"] == "one"
        await talk.say(RESPOND | {"response": {"max_output_tokens": 1}})
        assert (await talk.hear("response.done"))[-1]["response"]["status"] == "incomplete"


async def test_a_rule_breaks_an_answer_or_the_connection(tmp_path: Path) -> None:
    rules = tmp_path / "replies.toml"
    rules.write_text(
        '[[replies]]\nuser = "there"\nerror = "refused"\ntext = "No."\n[[replies]]\ntext = "a b"\ncut = 1\n'
    )
    async with serving(tmp_path / "d", script={"replies": str(rules)}) as (_, url), talking(url) as talk:
        await talk.say(HELLO, RESPOND)
        response = (await talk.hear("response.done"))[-1]["response"]
        assert response["status"] == "failed" and response["status_details"]["error"]["message"] == "No."
        await talk.say(RESPOND | {"response": {"input": []}})
        await talk.hear("response.output_text.delta")
        assert await talk.end() == 1011


async def test_an_event_of_10_mb_is_taken_and_one_beyond_the_bound_ends_the_session(tmp_path: Path) -> None:
    async with serving(tmp_path) as (_, url), talking(url) as talk:
        sound = base64.b64encode(bytes(7_500_000)).decode()
        await talk.say({"type": "input_audio_buffer.append", "audio": sound}, {"type": "input_audio_buffer.commit"})
        await talk.hear("input_audio_buffer.committed")
        with contextlib.suppress(ConnectionError):  # it is not read to its end
            await talk.say(json.dumps({"type": "input_audio_buffer.append", "audio": "A" * MAX_EVENT}))
        assert await talk.end() in (1009, 1006)
        async with talking(url) as another:
            await another.hear("session.created")


async def test_a_silent_session_is_ended_and_says_why(tmp_path: Path) -> None:
    async with serving(tmp_path, words={"session_idle_seconds": 0.3}) as (_, url), talking(url) as talk:
        await talk.hear("session.created")
        assert "0.3 seconds" in (await talk.hear("error"))[-1]["error"]["message"]
        assert await talk.end() == 1001


async def test_a_client_that_leaves_leaves_nothing_behind(tmp_path: Path) -> None:
    rules = tmp_path / "replies.toml"
    rules.write_text('[[replies]]\ntext = "one two three four"\ntokens_per_second = 0.01\n')
    async with serving(tmp_path / "d", script={"replies": str(rules)}) as (_, url):
        before = len(asyncio.all_tasks())
        async with talking(url) as talk:
            await talk.say(RESPOND)
            await talk.hear("response.output_text.delta")
            talk.socket._response.connection.transport.abort()  # pyright: ignore
        async with asyncio.timeout(10):
            while len(asyncio.all_tasks()) > before:
                await asyncio.sleep(0.02)


# -- who may ---------------------------------------------------------------------------------


async def test_a_handshake_is_refused_in_the_vendors_words(tmp_path: Path) -> None:
    keys = [KEY | {"models": ["gpt-realtime"]}]
    async with serving(tmp_path, keys=keys) as (_, url):
        assert (await refused(url))[0] == 401
        assert (await refused(url, authorization="Bearer wrong"))[1]["code"] == "invalid_api_key"
        assert (await refused(url, authorization="Bearer ek_none"))[0] == 401
        assert (await refused(url, "", **BEARER))[1]["param"] == "model"
        assert (await refused(url, "?model=other", **BEARER))[0] == 403
        assert (await refused(url, "/nowhere", **BEARER))[0] == 404
        older = await refused(url, **BEARER, **{"openai-beta": "realtime=v1"})
        assert (older[0], older[1]["param"]) == (400, "openai-beta")
        two = await refused(url, **BEARER, **{"sec-websocket-protocol": "realtime, openai-insecure-api-key.other"})
        assert two[0] == 401
        async with AsyncOpenAI(base_url=f"{url}/v1", api_key="wrong") as client:
            with pytest.raises(Exception, match="401"):
                async with client.realtime.connect(model="gpt-realtime"):
                    pass


async def test_a_browser_sends_its_key_as_a_subprotocol(tmp_path: Path) -> None:
    protocols = ("realtime", "openai-insecure-api-key.k")
    async with serving(tmp_path, keys=[KEY]) as (_, url), talking(url, protocols=protocols) as talk:
        await talk.hear("session.created")
        assert talk.socket.protocol == "realtime"


async def test_a_client_secret_opens_sessions_until_it_ends_and_nothing_else(tmp_path: Path) -> None:
    async with serving(tmp_path, keys=[KEY]) as (app, url), AsyncOpenAI(base_url=f"{url}/v1", api_key="k") as client:
        told: Any = {"type": "realtime", "model": "gpt-realtime", "instructions": "Sing."}
        made = await client.realtime.client_secrets.create(session=told, expires_after={"seconds": 10})
        assert made.value.startswith("ek_") and made.session.instructions == "Sing."
        async with AsyncOpenAI(base_url=f"{url}/v1", api_key=made.value, max_retries=0) as browser:
            for _ in range(2):
                async with browser.realtime.connect(model="gpt-realtime") as connection:
                    assert (await connection.recv()).type == "session.created"
                    updated = await connection.recv()
                    assert updated.type == "session.updated" and updated.session.instructions == "Sing."
            with pytest.raises(openai.AuthenticationError):
                await browser.models.list()
        later = app.server.secrets.clock() + 11
        app.server.secrets.clock = lambda: later
        status, error = await refused(url, authorization=f"Bearer {made.value}")
        assert status == 401 and "expired" in error["message"]
        with pytest.raises(openai.BadRequestError, match="seconds"):
            await client.realtime.client_secrets.create(expires_after={"seconds": 5})


async def test_a_client_secret_is_worth_what_its_makers_key_is_worth(tmp_path: Path) -> None:
    async with serving(tmp_path, keys=[KEY]) as (app, url), aiohttp.ClientSession(headers=BEARER) as session:
        async with session.post(f"{url}/v1/realtime/client_secrets", json={}) as answer:
            secret = (await answer.json())["value"]
        app.keys._listed.clear()
        app.keys._changes = 1
        assert (await refused(url, authorization=f"Bearer {secret}"))[0] == 401


async def test_strangers_pages_open_no_socket_of_a_server_without_keys(tmp_path: Path) -> None:
    async with serving(tmp_path / "a") as (_, url):
        status, error = await refused(url, origin="https://evil.example")
        assert status == 403 and "allow_origins" in error["message"]
        async with talking(url, headers={"origin": url}) as talk:
            await talk.hear("session.created")
    async with (
        serving(tmp_path / "b", server={"allow_origins": ["https://app.example"]}) as (_, url),
        talking(url, headers={"origin": "https://app.example"}) as talk,
    ):
        await talk.hear("session.created")


async def test_each_answer_counts_as_a_request(tmp_path: Path) -> None:
    async with serving(tmp_path, limits={"requests_per_minute": 2}) as (_, url), talking(url) as talk:
        await talk.say(RESPOND)
        await talk.hear("response.done")
        error = await talk.error(RESPOND)
        assert (error["type"], error["code"]) == ("requests", "rate_limit_exceeded")


async def test_other_paths_take_no_socket(tmp_path: Path) -> None:
    async with serving(tmp_path) as (_, url), aiohttp.ClientSession() as session:
        for path, status in (("/v1/models", 200), ("/docs", 200), ("/nowhere/realtime", 404)):
            with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
                await session.ws_connect(f"{url}{path}")
            assert caught.value.status == status, path


# -- by way of an account --------------------------------------------------------------------

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Vendor = Callable[[web.WebSocketResponse], Awaitable[None]]


@asynccontextmanager
async def vendor(does: Vendor, seen: list[web.Request] | None = None) -> AsyncIterator[str]:
    """An account whose sessions go so."""

    async def handler(request: web.Request) -> web.StreamResponse:
        if seen is not None:
            seen.append(request)
        socket = web.WebSocketResponse(max_msg_size=0, timeout=0.2)
        await socket.prepare(request)
        await does(socket)
        return socket

    async with answering(handler) as url:
        yield url


@asynccontextmanager
async def answering(handler: Handler) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def account(url: str, **more: Any) -> dict[str, Any]:
    return {"wire": "openai", "key": "theirs", "base_url": url, "open_models": True} | more


async def echo(socket: web.WebSocketResponse) -> None:
    async for message in socket:
        if message.type == aiohttp.WSMsgType.TEXT:
            await socket.send_str(message.data)
        else:
            await socket.send_bytes(message.data)


def declining(status: int) -> Handler:
    async def handler(_: web.Request) -> web.StreamResponse:
        return web.Response(status=status, headers={"location": "http://127.0.0.1:9/"})

    return handler


async def test_a_session_goes_through_a_second_mutoscope(tmp_path: Path) -> None:
    key = KEY | {"models": ["theirs"]}
    async with serving(tmp_path / "behind", keys=[key]) as (behind, there):
        house = account(f"{there}/v1", key="k", renames={"gpt-realtime": "theirs"})
        async with serving(tmp_path / "front", accounts={"house": house}) as (front, url), AsyncOpenAI(
            base_url=f"{url}/v1", api_key="ours"
        ) as client:  # fmt: skip
            told: Any = {"type": "realtime", "instructions": "Sing."}
            secret = await client.realtime.client_secrets.create(session=told)
            async with client.with_options(api_key=secret.value).realtime.connect(model="gpt-realtime") as connection:
                created = await connection.recv()
                assert created.type == "session.created" and created.session.model == "theirs"
                assert (await connection.recv()).session.instructions == "Sing."
                await connection.conversation.item.create(item=HELLO["item"])
                await connection.response.create()
                async for event in connection:
                    if event.type == "response.done":
                        break
            assert "Hello there" in event.response.output[0].content[0].text
            usage = event.response.usage
            assert front.words.spent.sums == {
                ("openai", "gpt-realtime", "house", "read"): usage.input_tokens,
                ("openai", "gpt-realtime", "house", "written"): usage.output_tokens,
            }
            assert behind.words.spent.sums["openai", "theirs", "script", "written"] == usage.output_tokens
            async with asyncio.timeout(10):
                while front.words.peers[0].open:
                    await asyncio.sleep(0.01)


async def test_events_pass_as_they_are_and_our_key_goes_in_place_of_the_callers(tmp_path: Path) -> None:
    seen: list[web.Request] = []
    async with (
        vendor(echo, seen) as there,
        serving(tmp_path, keys=[KEY], accounts={"house": account(there)}) as (_, url),
        talking(url, headers=BEARER | {"openai-beta": "realtime=v1", "cookie": "a=b"}) as talk,
    ):
        for text in ('{ "type" : "not.known",  "x": 1e2 }', "no JSON", "é" * 10, "A" * 10_000_000):
            await talk.say(text)
            assert await talk.socket.receive_str() == text
        await talk.socket.send_bytes(b"\x00\xff")
        assert await talk.socket.receive_bytes() == b"\x00\xff"
    headers = seen[0].headers
    assert seen[0].path_qs == "/v1/realtime?model=gpt-realtime"
    assert (headers["authorization"], headers["openai-beta"]) == ("Bearer theirs", "realtime=v1")
    assert "cookie" not in headers


@pytest.mark.parametrize("code", [1000, 4001])
async def test_a_goodbye_passes_in_both_directions(tmp_path: Path, code: int) -> None:
    left: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()

    async def listens(socket: web.WebSocketResponse) -> None:
        async for message in socket:
            if message.data == "leave":
                await socket.close(code=code, message=b"why")
                return
        left.set_result(socket.close_code)

    async with vendor(listens) as there, serving(tmp_path, accounts={"house": account(there)}) as (_, url):
        async with talking(url) as talk:
            await talk.say("leave")
            assert await talk.end() == code
        async with talking(url) as talk:
            await talk.socket.close(code=code)
            async with asyncio.timeout(10):
                assert await left == code


async def test_a_client_that_vanishes_ends_the_session_at_the_account(tmp_path: Path) -> None:
    left = asyncio.Event()

    async def listens(socket: web.WebSocketResponse) -> None:
        await echo(socket)
        left.set()

    async with (
        vendor(listens) as there,
        serving(tmp_path, accounts={"house": account(there)}) as (app, url),
        talking(url) as talk,
    ):
        await talk.say("x")
        await talk.socket.receive_str()
        talk.socket._response.connection.transport.abort()  # pyright: ignore
        async with asyncio.timeout(10):
            await left.wait()
            while app.words.peers[0].open:
                await asyncio.sleep(0.01)


async def test_an_account_that_dies_is_told_and_counted(tmp_path: Path) -> None:
    async def dies(socket: web.WebSocketResponse) -> None:
        await socket.receive()
        socket._req.transport.abort()  # pyright: ignore

    async with (
        vendor(dies) as there,
        serving(tmp_path, accounts={"house": account(there)}) as (app, url),
        talking(url) as talk,
    ):
        error = await talk.error(RESPOND)
        assert (error["type"], error["code"]) == ("server_error", "upstream_failed")
        assert "house" in error["message"]
        assert await talk.end() == 1011
        assert "broke off" in app.words.peers[0].breaker.reason


@pytest.mark.parametrize(("answer", "told"), [(401, 502), (404, 502), (503, 502), (307, 502), (429, 429)])
async def test_an_account_that_opens_no_session_is_passed_over_and_the_last_is_told_of(
    tmp_path: Path, answer: int, told: int
) -> None:
    async with answering(declining(answer)) as bad, vendor(echo) as good:
        accounts = {"bad": account(bad, weight=1e9)}
        async with serving(tmp_path / "a", accounts=accounts) as (_, url):
            status, error = await refused(url)
            assert status == told and "bad" in error["message"]
        accounts |= {"good": account(good, weight=1e-9)}
        async with serving(tmp_path / "b", accounts=accounts) as (_, url), talking(url) as talk:
            await talk.say("x")
            assert await talk.socket.receive_str() == "x"


async def test_a_request_too_many_does_not_reach_the_account(tmp_path: Path) -> None:
    async with (
        vendor(echo) as there,
        serving(tmp_path, accounts={"house": account(there)}, limits={"requests_per_minute": 2}) as (_, url),
        talking(url) as talk,
    ):
        await talk.say(RESPOND)
        assert json.loads(await talk.socket.receive_str()) == RESPOND
        assert (await talk.error('{"type": "response\\u002ecreate"}'))["code"] == "rate_limit_exceeded"
        await talk.say(HELLO)
        assert json.loads(await talk.socket.receive_str()) == HELLO


async def test_a_side_that_does_not_read_holds_the_other_back(tmp_path: Path) -> None:
    """At most what sockets and their buffers take goes ahead of the reader."""
    piece, sent, over = "A" * 262_144, [0, 0], asyncio.Event()

    async def floods(socket: web.WebSocketResponse) -> None:
        with contextlib.suppress(ConnectionError):
            while sent[0] < 400:
                await socket.send_str(piece)
                sent[0] += 1

    async def sleeps(socket: web.WebSocketResponse) -> None:
        await over.wait()

    async with vendor(floods) as there, serving(tmp_path / "a", accounts={"house": account(there)}) as (_, url):
        async with talking(url):
            await settled(sent, 0)
        assert 0 < sent[0] < 200
    async with vendor(sleeps) as there, serving(tmp_path / "b", accounts={"house": account(there)}) as (_, url):
        async with talking(url) as talk:

            async def push() -> None:
                while sent[1] < 400:
                    await talk.socket.send_str(piece)
                    sent[1] += 1

            pushing = asyncio.create_task(push())
            await settled(sent, 1)
            pushing.cancel()
            over.set()
            talk.socket._response.connection.transport.abort()  # pyright: ignore
        assert 0 < sent[1] < 200


async def settled(counts: list[int], which: int) -> None:
    """Until a count stands still."""
    before = -1
    while not counts[which] or counts[which] != before:
        before = counts[which]
        await asyncio.sleep(0.3)


async def test_a_client_that_never_reads_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "ANSWER_SECONDS", 0.2)
    left = asyncio.Event()

    async def floods(socket: web.WebSocketResponse) -> None:
        try:
            while not socket.closed:
                await socket.send_str("A" * 262_144)
        finally:
            left.set()

    async with (
        vendor(floods) as there,
        serving(tmp_path, accounts={"house": account(there)}) as (app, url),
        talking(url) as talk,
    ):
        async with asyncio.timeout(20):
            await left.wait()
            while app.words.peers[0].open:
                await asyncio.sleep(0.01)
        talk.socket._response.connection.transport.abort()  # pyright: ignore


async def test_a_silent_session_at_an_account_is_ended(tmp_path: Path) -> None:
    idle = {"session_idle_seconds": 0.3}
    async with (
        vendor(echo) as there,
        serving(tmp_path, accounts={"house": account(there)}, words=idle) as (app, url),
        talking(url) as talk,
    ):
        assert "0.3 seconds" in (await talk.hear("error"))[-1]["error"]["message"]
        assert await talk.end() == 1001
        async with asyncio.timeout(10):
            while app.words.peers[0].open:
                await asyncio.sleep(0.01)
