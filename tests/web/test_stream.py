"""Answers in words from accounts: as they are, piece by piece, and what happens when either side goes away."""

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from mutoscope.app import App
from mutoscope.model.words import Tokens
from mutoscope.web.stream import HELD, Cutter, Watch
from mutoscope.wirekit.words import with_model
from mutoscope.wires.openai.chat import tokens_reported

sys.path.append(str(Path(__file__).parent.parent / "relay"))
from sockets import served

from local_settings import settings

Start = Callable[..., AbstractAsyncContextManager[Any]]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
ASK = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hi"}]}
CHUNK = b'data: {"id":"c","choices":[{"index":0,"delta":{"content":"%d"},"finish_reason":null}]}\n\n'
USAGE = b'{"prompt_tokens":7,"completion_tokens":3,"total_tokens":10}'
END = b'data: {"id":"c","choices":[],"usage":%b}\n\ndata: [DONE]\n\n' % USAGE


@asynccontextmanager
async def upstream(handler: Handler) -> AsyncIterator[str]:
    """A vendor whose every path does this."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def account(url: str, **more: Any) -> dict[str, Any]:
    return {"wire": "openai", "key": "theirs", "base_url": url, "open_models": True} | more


async def streaming(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"content-type": "text/event-stream"})
    await response.prepare(request)
    return response


def answering(seen: list[Any], status: int = 200, body: Any = None, **headers: str) -> Handler:
    async def handler(request: web.Request) -> web.StreamResponse:
        seen.append((request.path, request.headers.copy(), await request.read()))
        told = {"id": "x", "usage": {"prompt_tokens": 5, "completion_tokens": 2}} if body is None else body
        return web.json_response(told, status=status, headers=headers)

    return handler


# -- what goes there and back ------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["", "/v1", "/v1/"])
async def test_a_body_goes_as_it_came_with_our_key(start: Start, suffix: str) -> None:
    seen: list[Any] = []
    body = b'{ "model":"gpt-4o",  "messages":[], "not_known": 1e2 }'
    async with upstream(answering(seen)) as url, start(accounts={"house": account(url + suffix)}) as running:
        answer = await running.client.post(
            "/v1/chat/completions",
            content=body,
            headers={"authorization": "Bearer ours", "openai-organization": "org", "cookie": "a=b"},
        )
        spent = running.app.words.spent.sums
    [(path, headers, sent)] = seen
    assert answer.json()["id"] == "x"
    assert (path, sent) == ("/v1/chat/completions", body)
    assert headers["Authorization"] == "Bearer theirs"
    assert "Cookie" not in headers and "OpenAI-Organization" not in headers
    assert answer.headers["x-mutoscope-engine"] == "house"
    assert answer.headers["x-request-id"] == headers["x-request-id"]
    assert spent == {("openai", "gpt-4o", "house", "read"): 5, ("openai", "gpt-4o", "house", "written"): 2}


async def test_a_base_with_a_version_of_its_own_is_taken_as_it_is(start: Start) -> None:
    seen: list[Any] = []
    async with upstream(answering(seen)) as url, start(accounts={"z": account(f"{url}/api/paas/v4")}) as running:
        await running.client.post("/v1/chat/completions", json=ASK)
    assert seen[0][0] == "/api/paas/v4/chat/completions"


async def test_a_model_goes_by_its_name_there(start: Start) -> None:
    seen: list[Any] = []
    names = {"gpt-4o": "llama3.1:8b"}
    async with upstream(answering(seen)) as url, start(accounts={"o": account(url, renames=names)}) as running:
        await running.client.post("/v1/embeddings", content=b'{"input":"a b", "model": "gpt-4o", "x": 1.50}')
    assert json.loads(seen[0][2]) == {"input": "a b", "model": "llama3.1:8b", "x": 1.5}
    assert b"1.50" in seen[0][2]
    assert with_model(b'{"model":"a","b":[ 1 ]}', "c") == b'{"model":"c","b":[ 1 ]}'


async def test_a_model_that_no_account_has_is_not_found(start: Start) -> None:
    only = account("http://127.0.0.1:9", models=["mine"], open_models=False)
    async with start(accounts={"house": only}) as running:
        answer = await running.client.post("/v1/chat/completions", json=ASK)
        listed = (await running.client.get("/v1/models")).json()
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "model_not_found")
    assert "mine" in answer.json()["error"]["message"]
    assert "mine" in {each["id"] for each in listed["data"]}


async def test_headers_of_anthropic_go_along(start: Start) -> None:
    seen: list[Any] = []
    body = {"model": "claude-x", "max_tokens": 5, "messages": []}
    async with upstream(answering(seen)) as url, start(accounts={"a": account(url, wire="anthropic")}) as running:
        headers = {"anthropic-version": "2026-10-21", "anthropic-beta": "a,b"}
        await running.client.post("/claude/v1/messages", json=body, headers=headers)
    path, headers, _ = seen[0]
    assert path == "/v1/messages"
    assert (headers["x-api-key"], headers["anthropic-version"], headers["anthropic-beta"]) == (
        "theirs",
        "2026-10-21",
        "a,b",
    )


async def test_a_stream_passes_as_it_is(start: Start) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = await streaming(request)
        for number in range(3):
            await response.write(CHUNK % number)
        await response.write(END)
        return response

    async with upstream(handler) as url, start(accounts={"house": account(url)}) as running:
        answer = await running.client.post("/v1/chat/completions", json=ASK | {"stream": True})
        spent = running.app.words.spent.sums
    assert answer.content == b"".join(CHUNK % number for number in range(3)) + END
    assert answer.headers["content-type"] == "text/event-stream"
    assert spent[("openai", "gpt-4o", "house", "read")] == 7
    assert spent[("openai", "gpt-4o", "house", "written")] == 3


async def test_a_second_mutoscope_is_an_upstream_like_any_other(start: Start, tmp_path: Path) -> None:
    """What the author writes there arrives here, whole and in pieces, for both wires."""
    async with served(App(settings(), data=tmp_path / "vendor")) as url:
        both = {"o": account(f"{url}/v1"), "a": account(url, wire="anthropic")}
        async with start(accounts=both) as running:
            whole = (await running.client.post("/v1/chat/completions", json=ASK)).json()
            pieces = await running.client.post("/v1/chat/completions", json=ASK | {"stream": True})
            body = {"model": "claude-x", "max_tokens": 99, "messages": ASK["messages"], "stream": True}
            events = await running.client.post("/v1/messages", json=body)
    said = "".join(
        json.loads(line.removeprefix("data: "))["choices"][0]["delta"].get("content", "")
        for line in pieces.text.splitlines()
        if line.startswith("data: {")
    )
    assert said == whole["choices"][0]["message"]["content"]
    assert events.text.endswith('event: message_stop\ndata: {"type":"message_stop"}\n\n')


# -- failover ------------------------------------------------------------------------------


async def dies_at_once(request: web.Request) -> web.StreamResponse:
    assert request.transport
    request.transport.abort()
    return web.Response()


async def dies_after_its_head(request: web.Request) -> web.StreamResponse:
    response = await streaming(request)
    await asyncio.sleep(0.01)
    assert request.transport
    request.transport.abort()
    return response


async def dies_within_its_head(request: web.Request) -> web.StreamResponse:
    return await says_and_dies(request, b"HTTP/1.1 200 O")


async def dies_within_its_first_byte(request: web.Request) -> web.StreamResponse:
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    return await says_and_dies(request, head + b"5")


async def says_and_dies(request: web.Request, said: bytes) -> web.StreamResponse:
    assert isinstance(request.transport, asyncio.Transport)
    request.transport.write(said)
    await asyncio.sleep(0.01)
    request.transport.abort()
    return web.Response()


async def refuses_our_key(request: web.Request) -> web.StreamResponse:
    return web.json_response({"error": {"message": "bad key theirs"}}, status=401)


async def is_busy(request: web.Request) -> web.StreamResponse:
    return web.json_response({"error": {"message": "slow down"}}, status=429, headers={"retry-after": "7"})


@pytest.mark.parametrize(
    "bad",
    [
        dies_at_once,
        dies_within_its_head,
        dies_after_its_head,
        dies_within_its_first_byte,
        refuses_our_key,
        is_busy,
    ],
)
async def test_another_account_takes_over_before_the_first_byte(start: Start, bad: Handler) -> None:
    seen: list[Any] = []
    async with upstream(bad) as first, upstream(answering(seen)) as second:
        accounts = {"bad": account(first, weight=1e9), "good": account(second, weight=1e-9)}
        async with start(accounts=accounts) as running:
            answer = await running.client.post("/v1/chat/completions", json=ASK)
    assert answer.status_code == 200
    assert answer.headers["x-mutoscope-engine"] == "good"
    assert len(seen) == 1


@pytest.mark.parametrize(
    ("bad", "status"), [(dies_at_once, 502), (dies_after_its_head, 502), (refuses_our_key, 502), (is_busy, 429)]
)
async def test_where_there_is_no_other_account_its_failure_is_told(start: Start, bad: Handler, status: int) -> None:
    async with upstream(bad) as url, start(accounts={"bad": account(url)}) as running:
        answer = await running.client.post("/v1/chat/completions", json=ASK)
    assert answer.status_code == status
    assert answer.json()["error"]["message"]
    assert "theirs" not in answer.text  # what was said to our key
    assert answer.headers.get("retry-after") == ("7" if status == 429 else None)


async def test_a_refusal_of_the_request_is_passed_on(start: Start) -> None:
    seen: list[Any] = []
    refusal = {"error": {"message": "no", "type": "invalid_request_error", "param": "x", "code": "unknown_parameter"}}
    async with (
        upstream(answering(seen, 400, refusal)) as first,
        upstream(answering(seen, 400, refusal)) as second,
        start(accounts={"a": account(first), "b": account(second)}) as running,
    ):
        answer = await running.client.post("/v1/chat/completions", json=ASK)
    assert (answer.status_code, answer.json()) == (400, refusal)
    assert len(seen) == 1


async def test_a_page_of_a_proxy_is_told_in_the_vendors_words(start: Start) -> None:
    async def page(request: web.Request) -> web.StreamResponse:
        return web.Response(text="<html>", status=404, content_type="text/html")

    async with upstream(page) as url, start(accounts={"bad": account(url)}) as running:
        answer = await running.client.post("/v1/chat/completions", json=ASK)
    assert (answer.status_code, answer.json()["error"]["type"]) == (502, "server_error")


async def test_an_account_that_fails_is_left_alone_for_a_while(start: Start) -> None:
    seen: list[Any] = []
    async with (
        upstream(answering(seen, 500)) as url,
        start(accounts={"bad": account(url)}, relay={"breaker_failures": 2}) as running,
    ):
        statuses = [(await running.client.post("/v1/chat/completions", json=ASK)).status_code for _ in range(4)]
    assert statuses == [500, 500, 503, 503]
    assert len(seen) == 2


# -- when it breaks ---------------------------------------------------------------------------


async def test_an_answer_that_breaks_off_between_events_says_so(start: Start) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = await streaming(request)
        await response.write(CHUNK % 1 + b'data: {"half')
        await asyncio.sleep(0.05)
        assert request.transport
        request.transport.abort()
        return response

    async with upstream(handler) as url, start(accounts={"house": account(url)}) as running:
        answer = await running.client.post("/v1/chat/completions", json=ASK | {"stream": True})
    first, last = answer.text.strip().split("\n\n")
    assert first == (CHUNK % 1).decode().strip()
    assert json.loads(last.removeprefix("data: "))["error"]["code"] == "upstream_failed"


async def test_an_answer_that_is_no_stream_and_breaks_off_is_cut_off_here_too(tmp_path: Path) -> None:
    """Whoever is told 200 and a length must not take the half for the whole; where no length is told, neither."""

    async def handler(request: web.Request) -> web.StreamResponse:
        length = {} if (await request.json()).get("user") else {"content-length": "100"}
        response = web.StreamResponse(headers={"content-type": "application/json", **length})
        await response.prepare(request)
        await response.write(b'{"id": "c", "choices": [')
        await asyncio.sleep(0.02)
        assert request.transport
        request.transport.abort()
        return response

    async with (
        upstream(handler) as url,
        served(App(settings(accounts={"a": account(url)}), data=tmp_path / "d")) as here,
        aiohttp.ClientSession() as session,
    ):
        for more in ({}, {"user": "x"}):
            async with session.post(f"{here}/v1/chat/completions", json=ASK | more) as answer:
                assert answer.status == 200
                with pytest.raises(aiohttp.ClientPayloadError):
                    await answer.read()


PIECE = {"id": "c", "created": 1, "model": "m", "choices": [{"index": 0, "delta": {"content": "é€🦊"}}]}
LAST = {"id": "c", "created": 1, "model": "m", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
SPELT = b"".join(b"data: %s\n\n" % json.dumps(each, ensure_ascii=False).encode() for each in (PIECE, LAST))


async def test_a_character_that_a_piece_cuts_arrives_whole_for_clients_of_both_apis(start: Start) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = await streaming(request)
        before = 0
        for at in [place for place, byte in enumerate(SPELT) if byte >= 0x80]:  # within each of the three
            await response.write(SPELT[before:at])
            await asyncio.sleep(0.003)
            before = at
        await response.write(SPELT[before:])
        return response

    body = {"model": "gpt-4o", "max_tokens": 9, "messages": ASK["messages"], "stream": True}
    async with upstream(handler) as url, start(accounts={"house": account(url)}) as running:
        passed = await running.client.post("/v1/chat/completions", json=ASK | {"stream": True})
        turned = await running.client.post("/v1/messages", json=body)
    assert passed.content == SPELT
    assert "é€🦊" in turned.text
    assert "message_stop" in turned.text


async def test_ten_megabytes_in_one_event_pass_and_are_translated(start: Start) -> None:
    text = "x" * 10_000_000
    choices: list[Any] = [{"index": 0, "delta": {"content": text}}]
    event = b"data: %s\n\n" % json.dumps(PIECE | {"choices": choices}).encode()
    whole = event + b"data: %s\n\n" % json.dumps(LAST).encode() + END

    async def handler(request: web.Request) -> web.StreamResponse:
        response = await streaming(request)
        await response.write(whole)
        return response

    body = {"model": "gpt-4o", "max_tokens": 9, "messages": ASK["messages"], "stream": True}
    async with upstream(handler) as url, start(accounts={"house": account(url)}) as running:
        passed = await running.client.post("/v1/chat/completions", json=ASK | {"stream": True})
        spent = dict(running.app.words.spent.sums)
        turned = await running.client.post("/v1/messages", json=body)
    assert passed.content == whole
    assert spent[("openai", "gpt-4o", "house", "written")] == 3
    assert text in turned.text


async def test_an_answer_that_falls_silent_is_given_up(start: Start) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = await streaming(request)
        await response.write(CHUNK % 1)
        await asyncio.sleep(30)
        return response

    async with upstream(handler) as url, start(accounts={"a": account(url)}, words={"idle_seconds": 0.1}) as running:
        answer = await running.client.post("/v1/chat/completions", json=ASK | {"stream": True})
    assert '"code":"timed_out"' in answer.text


@pytest.mark.parametrize("after", [0, 1])
async def test_a_caller_who_goes_away_ends_it_upstream(start: Start, tmp_path: Path, after: int) -> None:
    ended = asyncio.Event()

    async def handler(request: web.Request) -> web.StreamResponse:
        try:
            if not after:
                await asyncio.sleep(30)
            response = await streaming(request)
            await response.write(CHUNK % 1)
            await asyncio.sleep(30)
            return response
        finally:
            ended.set()

    async with (
        upstream(handler) as url,
        served(App(settings(accounts={"a": account(url)}), data=tmp_path / "d")) as here,
        aiohttp.ClientSession() as session,
    ):
        asking = asyncio.create_task(session.post(f"{here}/v1/chat/completions", json=ASK | {"stream": True}))
        if after:
            response = await asking
            assert await response.content.readany() == CHUNK % 1
            response.close()
        else:
            await asyncio.sleep(0.2)
            asking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await asking
        async with asyncio.timeout(10):
            await ended.wait()


async def test_a_caller_who_reads_slowly_holds_the_account_back(tmp_path: Path) -> None:
    sent = 0

    async def handler(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = await streaming(request)
        for _ in range(4000):
            await response.write(b"data: " + b"x" * 16_000 + b"\n\n")
            sent += 16_000
        return response

    async with (
        upstream(handler) as url,
        served(App(settings(accounts={"a": account(url)}), data=tmp_path / "d")) as here,
        aiohttp.ClientSession(read_bufsize=1024) as session,
    ):
        response = await session.post(f"{here}/v1/chat/completions", json=ASK | {"stream": True})
        await response.content.readany()
        before = -1
        while before != sent:
            before = sent
            await asyncio.sleep(0.3)
        assert sent < 40_000_000  # the buffers of two sockets, and no more
        response.close()


async def test_a_client_that_reads_byte_by_byte_gets_all_and_dozens_of_idle_streams_delay_nobody(
    tmp_path: Path,
) -> None:
    """Slow and idle streams hold a connection each, and nothing else: others are answered, and each has its end."""
    gate = asyncio.Event()
    many = b"".join(CHUNK % number for number in range(1000)) + END

    async def handler(request: web.Request) -> web.StreamResponse:
        kind = (await request.json())["user"]
        response = await streaming(request)
        await response.write(CHUNK % 1)
        if kind == "idle":
            await gate.wait()
        await response.write(many if kind == "slow" else END)
        return response

    async with (
        upstream(handler) as url,
        served(App(settings(accounts={"a": account(url)}), data=tmp_path / "d")) as here,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session,
    ):

        async def ask(kind: str) -> aiohttp.ClientResponse:
            body = ASK | {"stream": True, "user": kind}
            return await session.post(f"{here}/v1/chat/completions", json=body)

        idle = await asyncio.gather(*(ask("idle") for _ in range(48)))
        head, body = b"", json.dumps(ASK | {"stream": True, "user": "slow"}).encode()
        host, port = here.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port), limit=2)
        request = b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: %d\r\n\r\n"
        writer.write(request % len(body) + body)
        for _ in range(15):
            head += await reader.readexactly(1)
            await asyncio.sleep(0.005)
            async with await ask("quick") as quick:
                assert await quick.read() == CHUNK % 1 + END
        rest = head + await reader.read()
        writer.close()
        gate.set()
        for each in idle:
            assert await each.read() == CHUNK % 1 + END
    assert head.startswith(b"HTTP/1.1 200")
    assert b'"content":"999"' in rest and rest.endswith(b"0\r\n\r\n")


def test_events_are_cut_at_their_ends_wherever_the_pieces_end() -> None:
    whole = b'data: {"a": "\xc3\xa9"}\n\ndata: 2\r\n\r\n: ping\n\ndata: 3\n\n'
    for size in range(1, len(whole)):
        cutter = Cutter()
        pieces = [cutter.take(whole[at : at + size]) for at in range(0, len(whole), size)]
        assert b"".join(pieces) + cutter.held == whole
        for piece in pieces:
            assert not piece or piece.endswith((b"\n\n", b"\r\n\r\n"))


@pytest.mark.parametrize("mark", [b"\n", b"\r\n", b"\r"])
def test_the_usage_in_a_piece_of_many_events_is_found_whatever_stands_around_it(mark: bytes) -> None:
    watch = Watch(tokens_reported)
    null = [b'data: {"choices":[{"delta":{"content":"\\"usage\\": {}"}}],"usage":null}', b""]
    told = [b'data: {"usage" : {"prompt_tokens":7,', b'data: "completion_tokens":3},"usage_of":{"usage":{}}}', b""]
    watch.look(mark.join([*null * 3, *told, *null, b"data: [DONE]", b"", b""]))
    assert watch.tokens == Tokens(read=7, written=3)
    assert watch.events == (7 if mark != b"\r" else 1)


def test_no_more_than_so_much_is_held() -> None:
    cutter, total = Cutter(), b""
    for _ in range(100):
        total += cutter.take(b"x" * 5_000)
        assert len(cutter.held) <= HELD
    assert cutter.torn
    assert total + cutter.held == b"x" * 500_000
    assert cutter.take(b"\n\n").endswith(b"\n\n")
    assert not cutter.torn


# -- keys -------------------------------------------------------------------------------------


async def test_a_key_uses_what_it_may(start: Start) -> None:
    key = {"name": "ann", "sha256": "8254c329a92850f6d539dd376f4816ee2764517da5e0235514af433164480d7a"}
    headers = {"authorization": "Bearer k"}

    async def status(accounts: dict[str, Any], **rights: Any) -> int:
        async with start(keys=[key | rights], accounts=accounts) as running:
            return (await running.client.post("/v1/chat/completions", json=ASK, headers=headers)).status_code

    async with upstream(answering([])) as url:
        there = {"house": account(url)}
        assert await status(there) == 200
        assert await status(there, models=["gpt-4o"], engines=["openai"], wires=["openai"]) == 200
        assert await status(there, models=["gpt-5"]) == 403
        assert await status(there, engines=["studio"]) == 403
        assert await status(there, wires=["runway"]) == 403
        assert await status(there, budget=5.0) == 403  # what it costs is not known
        assert await status({}, budget=5.0) == 200  # the author is free
        assert await status({}, engines=["studio"]) == 403


async def test_requests_are_paced_by_key_and_model(start: Start) -> None:
    digest = "8254c329a92850f6d539dd376f4816ee2764517da5e0235514af433164480d7a"
    key = {"name": "ann", "sha256": digest, "per_model": {"gpt-4o": {"requests_per_minute": 1}}}
    headers = {"authorization": "Bearer k"}
    async with start(keys=[key]) as running:
        answers = [await running.client.post("/v1/chat/completions", json=ASK, headers=headers) for _ in range(2)]
        other = await running.client.post("/v1/chat/completions", json=ASK | {"model": "m"}, headers=headers)
    assert [each.status_code for each in answers] == [200, 429]
    assert answers[1].json()["error"]["code"] == "rate_limit_exceeded"
    assert other.status_code == 200
