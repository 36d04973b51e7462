"""A connection's bounds, over real sockets: heads that never end, bodies that drip, and what is ordinary."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import msgspec
import pytest
import uvicorn
from uvicorn.server import ServerState

from mutoscope.web import protocol
from mutoscope.web.protocol import Connection

IMAGE = "/v1/ai/text-to-image/runway"
BODY = msgspec.json.encode({"prompt": "x", "ratio": "720:720"})[:-1] + b" " * 8000 + b"}"
SCRIPTED = {"models": {"gen4_image": {"engine": "script"}}, "script": {"slots": 0}}
Dial = Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]


class Door:
    """A mutoscope behind a listening socket, and the connections that it has."""

    def __init__(self) -> None:
        self.port = 0
        self.assets: Any = None
        self.made: list[Connection] = []
        self.writers: list[asyncio.StreamWriter] = []

    async def dial(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.writers.append(writer)
        return reader, writer


@pytest.fixture
async def door(start: Callable[..., Any]) -> AsyncIterator[Door]:
    door = Door()
    async with start(**SCRIPTED) as running:
        config = uvicorn.Config(running.app.server, http=Connection, ws="none", lifespan="off", log_config=None)
        config.load()
        state = ServerState()

        def connected() -> Connection:
            door.made.append(Connection(config=config, server_state=state, app_state={}))
            return door.made[-1]

        server = await asyncio.get_running_loop().create_server(connected, "127.0.0.1", 0)
        door.assets = running.app.assets
        door.port = server.sockets[0].getsockname()[1]
        yield door
        server.close()
        for writer in door.writers:
            writer.close()
        for made in door.made:
            made.transport.abort()
        await asyncio.gather(*state.tasks, return_exceptions=True)


async def answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """The status and the body of the next answer."""
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.decode().lower().split("\r\n")
    length = next((int(line.partition(":")[2]) for line in lines if line.startswith("content-length")), 0)
    return int(lines[0].split()[1]), await reader.readexactly(length)


async def rest_of(reader: asyncio.StreamReader) -> bytes:
    """What comes until the connection ends; one that is reset has ended too."""
    with contextlib.suppress(ConnectionResetError):
        return await reader.read()
    return b""


def post(body: bytes = BODY) -> bytes:
    return f"POST {IMAGE} HTTP/1.1\r\nhost: a\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body


async def drip(writer: asyncio.StreamWriter, data: bytes, size: int, pause: float) -> None:
    for at in range(0, len(data), size):
        writer.write(data[at : at + size])
        await asyncio.sleep(pause)


async def test_a_head_that_drips_is_given_up_in_its_time(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.3)
    reader, writer = await door.dial()
    began = time.monotonic()
    dripping = asyncio.create_task(drip(writer, b"GET / HTTP/1.1\r\n" + b"x-slow: 1\r\n" * 1000, 1, 0.01))
    async with asyncio.timeout(5):
        assert await answer(reader) == (408, b"")
        assert await rest_of(reader) == b""
    assert 0.2 < time.monotonic() - began < 3
    dripping.cancel()


async def test_a_connection_on_which_nothing_is_said_does_not_stay(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.1)
    reader, _ = await door.dial()
    async with asyncio.timeout(5):
        assert (await answer(reader))[0] == 408


async def test_a_second_head_that_drips_is_given_up_like_the_first(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.2)
    reader, writer = await door.dial()
    writer.write(post())
    assert (await answer(reader))[0] == 200
    writer.write(b"GET / HT")
    async with asyncio.timeout(5):
        assert (await answer(reader))[0] == 408


async def test_a_body_that_drips_is_given_up_and_makes_no_job(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "BODY_SECONDS", 0.2)
    reader, writer = await door.dial()
    dripping = asyncio.create_task(drip(writer, post(), 64, 0.02))
    async with asyncio.timeout(5):
        assert b" 200 " not in await reader.read()
    dripping.cancel()
    await asyncio.gather(dripping, return_exceptions=True)
    monkeypatch.undo()
    reader, writer = await door.dial()
    writer.write(f"GET {IMAGE} HTTP/1.1\r\nhost: a\r\n\r\n".encode())
    assert await answer(reader) == (200, b'{"data":[]}')


async def test_a_body_that_comes_slowly_but_steadily_is_taken(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "BODY_SECONDS", 0.2)
    monkeypatch.setattr(protocol, "BODY_BYTES", 256)
    reader, writer = await door.dial()
    began = time.monotonic()
    await drip(writer, post(), 256, 0.02)
    async with asyncio.timeout(5):
        assert (await answer(reader))[0] == 200
    assert time.monotonic() - began > 0.4  # it was looked at, and more than once


async def test_who_waits_between_two_requests_is_left_alone(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.1)
    monkeypatch.setattr(protocol, "BODY_SECONDS", 0.1)
    reader, writer = await door.dial()
    for _ in range(3):
        writer.write(post())
        assert (await answer(reader))[0] == 200
        assert door.made[0].timer is None
        await asyncio.sleep(0.3)


async def test_many_requests_in_one_piece_are_all_answered(door: Door) -> None:
    reader, writer = await door.dial()
    writer.write(post() * 20)
    async with asyncio.timeout(10):
        assert [(await answer(reader))[0] for _ in range(20)] == [200] * 20


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (f"GET {IMAGE}?page={'1' * protocol.MAX_TARGET} HTTP/1.1\r\nhost: a\r\n\r\n", 414),
        (f"GET /{'a' * 60_000} HTTP/1.1\r\nhost: a\r\n\r\n", 414),
        (f"GET {IMAGE} HTTP/1.1\r\nhost: a\r\n" + "x-a: b\r\n" * protocol.MAX_HEADERS + "\r\n", 431),
        (f"GET {IMAGE} HTTP/1.1\r\nhost: a\r\nx-a: {'b' * protocol.MAX_HEAD}\r\n\r\n", 431),
        (f"GET {IMAGE} HTTP/1.1\r\nhost: a\r\nx-a: {'b' * 10_000_000}", 431),
        ("GET / HTTP/1.1\r\n" + "x" * 1_000_000, 431),
        (f"GET {IMAGE}?page=1&x={'1' * (protocol.MAX_TARGET - 100)} HTTP/1.1\r\nhost: a\r\n\r\n", 200),
        (f"GET {IMAGE} HTTP/1.1\r\nhost: a\r\nx-a: {'b' * 60_000}\r\n\r\n", 200),
        ("nonsense\r\n\r\n", 400),
    ],
    ids=[
        "query",
        "path",
        "headers",
        "header",
        "endless header",
        "endless name",
        "long query",
        "long header",
        "nonsense",
    ],
)
async def test_a_head_has_its_bounds(door: Door, head: str, status: int) -> None:
    reader, writer = await door.dial()
    writer.write(head.encode())
    async with asyncio.timeout(10):
        assert (await answer(reader))[0] == status
    assert len(door.made[0].url) < 128 * 1024


OFFERS = {
    "h2c, as Java's client says it": (
        "connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAEAAEAAAAIAAAABAAMAAABk\r\n"
    ),
    "websocket": "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n",
    "something unknown": "UPGRADE: tls/1.0, x\r\nCONNECTION: upgrade\r\n",
}


@pytest.mark.parametrize("offer", OFFERS.values(), ids=OFFERS)
@pytest.mark.parametrize("size", [1, 700, 100_000])
async def test_an_offer_of_another_protocol_is_ignored_and_the_body_read(door: Door, offer: str, size: int) -> None:
    head = f"POST {IMAGE} HTTP/1.1\r\nhost: a\r\n{offer}"
    whole = f"{head}content-length: {len(BODY)}\r\n\r\n".encode() + BODY
    chunked = f"{head}transfer-encoding: chunked\r\n\r\n{len(BODY):x}\r\n".encode() + BODY + b"\r\n0\r\n\r\n"
    empty = f"GET {IMAGE} HTTP/1.1\r\nhost: a\r\n{offer}\r\n".encode()
    reader, writer = await door.dial()
    await drip(writer, whole + chunked + empty + whole, size, 0)
    async with asyncio.timeout(20):
        answers = [await answer(reader) for _ in range(4)]
    assert [status for status, _ in answers] == [200] * 4, answers
    assert len(msgspec.json.decode(answers[2][1])["data"]) == 2  # both bodies were read to their ends, and no further


async def test_an_offer_does_not_open_a_way_around_the_bounds(door: Door) -> None:
    offer = OFFERS["websocket"]
    for head, status in (
        (f"POST {IMAGE} HTTP/1.1\r\nhost: a\r\n{offer}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n", 400),
        (f"POST {IMAGE}?{'x' * 9000} HTTP/1.1\r\nhost: a\r\n{offer}content-length: 5\r\n\r\n12345", 414),
        (f"POST {IMAGE} HTTP/1.1\r\nhost: a\r\n{offer}content-length: 100000000\r\n\r\n", 413),
        ("CONNECT a:443 HTTP/1.1\r\nhost: a\r\n\r\n", 400),
    ):
        reader, writer = await door.dial()
        writer.write(head.encode())
        async with asyncio.timeout(10):
            assert (await answer(reader))[0] == status, head


async def test_who_speaks_http_1_0_names_no_host_where_balancers_ask(door: Door) -> None:
    for path, status in (("/healthz", 200), ("/readyz", 200), ("/", 400), (IMAGE, 400)):
        reader, writer = await door.dial()
        writer.write(f"GET {path} HTTP/1.0\r\n\r\n".encode())
        async with asyncio.timeout(10):
            assert (await answer(reader))[0] == status, path
    reader, writer = await door.dial()
    writer.write(b"GET /healthz HTTP/1.1\r\n\r\n")
    assert (await answer(reader))[0] == 400


async def test_a_reader_who_never_reads_is_given_up_and_one_who_is_slow_is_not(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "ANSWER_SECONDS", 0.4)
    assets = door.assets
    key = await assets.put(bytes(32 << 20), "video/mp4")
    path = assets.link(key, base="", seconds=60, now=time.time())
    ask = f"GET {path} HTTP/1.1\r\nhost: a\r\n\r\n".encode()
    _, silent = await door.dial()
    silent.transport.pause_reading()
    silent.write(ask)
    reader, slow = await door.dial()
    slow.write(ask)
    async with asyncio.timeout(20):
        got, began = 0, time.monotonic()
        while time.monotonic() - began < 1.5:
            got += len(await reader.read(1 << 18))
            await asyncio.sleep(0.02)
        while not door.made[0].transport.is_closing():
            await asyncio.sleep(0.05)
        while got < 32 << 20:
            got += len(await reader.read(1 << 20))
    assert not door.made[1].transport.is_closing()
    assert assets.sending <= 1


async def test_beyond_the_descriptors_that_may_be_used_the_answer_is_503(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Connection, "most", 3)
    for number in range(5):
        reader, writer = await door.dial()
        writer.write(post())
        async with asyncio.timeout(10):
            head = await reader.readuntil(b"\r\n\r\n")
        assert (b" 200 " in head) == (number < 3), head
        assert number < 3 or (b" 503 " in head and b"retry-after: 5" in head)
    door.writers[0].close()
    await asyncio.sleep(0.1)
    reader, writer = await door.dial()
    writer.write(post())
    assert (await answer(reader))[0] == 200
