"""The thin client, before servers that say what they should not, too much of it, or nothing at all."""

import asyncio
import contextlib
import socket
import ssl
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path

import pytest
from yarl import URL

from mutoscope.files import http1
from mutoscope.files.http1 import HELD, READ, Address, ConnectFailed, Opened, Server
from mutoscope.model.problem import Kind, Problem

sys.path.append(str(Path(__file__).parent.parent / "acceptance"))
from tls_front import certified

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
OK = b"HTTP/1.1 200 OK\r\n"
LATER = b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nlater!"


@contextlib.asynccontextmanager
async def serving(talk: Talk, tls: ssl.SSLContext | None = None) -> AsyncGenerator[Server]:
    """A client of a server that talks like this on each connection."""

    talking = set[asyncio.Task[None] | None]()

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talking.add(asyncio.current_task())
        try:
            await talk(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
            talking.discard(asyncio.current_task())

    listener = await asyncio.start_server(one, "127.0.0.1", 0, ssl=tls)
    port = int(listener.sockets[0].getsockname()[1])

    async def resolve() -> list[Address]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", port))]

    scheme = "https" if tls else "http"
    server = Server(URL(f"{scheme}://localhost:{port}"), resolve, headers={"accept": "*/*"}, connect_seconds=5)
    try:
        yield server
    finally:
        server.close()
        listener.close()
        async with asyncio.timeout(5):
            while talking or server.all:
                await asyncio.sleep(0.001)


async def heard(reader: asyncio.StreamReader) -> bytes:
    """One request."""
    head = await reader.readuntil(b"\r\n\r\n")
    lengths = [line[15:] for line in head.split(b"\r\n") if line.startswith(b"content-length:")]
    return head + await reader.readexactly(int(lengths[0]) if lengths else 0)


def saying(*answers: bytes, stays: bool = False) -> Talk:
    """To each request on a connection the next of these; then the connection is closed, or stays."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in answers:
            await heard(reader)
            writer.write(answer)
            await writer.drain()
        if stays:
            await reader.read()

    return talk


async def whole(opened: Opened) -> bytes:
    found = b""
    while piece := await opened.piece(5):
        found += piece
    return found


async def post(server: Server, body: bytes = b"{}", seconds: float = 5.0) -> Opened:
    return await server.open("POST", "/v1/x", {"content-type": "application/json"}, body, seconds=seconds)


async def asked(server: Server) -> bytes:
    opened = await post(server)
    try:
        return await whole(opened)
    finally:
        opened.close()


# -- answers as they are --------------------------------------------------------------------


PLAIN = {
    "a length": (OK + b"content-length: 5\r\n\r\nhello", b"hello", True),
    "no body": (OK + b"Content-Length: 0\r\n\r\n", b"", True),
    "chunks": (OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;a=b\r\nllo\r\n0\r\n\r\n", b"hello", True),
    "chunks with a trailer": (
        OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nx-checksum: 3\r\n\r\n",
        b"hello",
        True,
    ),
    "to the end": (OK + b"x: y\r\n\r\nhello", b"hello", False),
    "an older version": (b"HTTP/1.0 200 OK\r\ncontent-length: 5\r\n\r\nhello", b"hello", False),
    "a goodbye": (OK + b"connection: close\r\ncontent-length: 5\r\n\r\nhello", b"hello", False),
    "announced": (b"HTTP/1.1 103 Early\r\nlink: a\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n" + LATER, b"later!", True),
    "nothing to tell": (b"HTTP/1.1 204 No Content\r\n\r\n", b"", False),
    "as before": (b"HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n", b"", False),
    "more than was announced": (OK + b"content-length: 5\r\n\r\nhello" + LATER, b"hello", False),
}


async def test_an_answer_is_read_to_its_end_and_its_connection_kept_where_no_doubt_is_left() -> None:
    for name, (said, body, kept) in PLAIN.items():
        for cuts in ([said], [said[at : at + 1] for at in range(len(said))]):  # whole, and byte by byte

            async def talk(
                reader: asyncio.StreamReader, writer: asyncio.StreamWriter, cuts: list[bytes] = cuts
            ) -> None:
                await heard(reader)
                for cut in cuts:
                    writer.write(cut)
                    await asyncio.sleep(0)
                if kept:  # noqa: B023 (called within this turn)
                    await reader.read()

            async with serving(talk) as server:
                assert await asked(server) == body, name
                assert len(server.kept) == kept, name


HOSTILE = {
    "no HTTP": b"SSH-2.0-OpenSSH_9.9\r\n",
    "a later version": b"HTTP/2.0 200 OK\r\ncontent-length: 1\r\n\r\nx",
    "a status of two digits": b"HTTP/1.1 20 OK\r\ncontent-length: 1\r\n\r\nx",
    "a status that is none": b"HTTP/1.1 099 OK\r\ncontent-length: 1\r\n\r\nx",
    "another protocol": b"HTTP/1.1 101 Go\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\nxx",
    "a length that is none": OK + b"content-length: five\r\n\r\nhello",
    "a length with a sign": OK + b"content-length: +5\r\n\r\nhello",
    "a negative length": OK + b"content-length: -5\r\n\r\nhello",
    "a length in hexadecimal": OK + b"content-length: 0x5\r\n\r\nhello",
    "an empty length": OK + b"content-length: \r\n\r\nhello",
    "a length beyond all bounds": OK + b"content-length: 99999999999999999999999\r\n\r\nhello",
    "two lengths": OK + b"content-length: 5\r\ncontent-length: 6\r\n\r\nhello",
    "two equal lengths": OK + b"content-length: 5\r\ncontent-length: 5\r\n\r\nhello",
    "two lengths in one": OK + b"content-length: 5, 5\r\n\r\nhello",
    "a length and chunks": OK + b"content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks and a length": OK + b"transfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n0\r\n\r\n",
    "another coding": OK + b"transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "a coding that is none": OK + b"transfer-encoding: xchunked\r\n\r\n0\r\n\r\n",
    "chunks twice": OK + b"transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks in an older version": b"HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    "a space before the colon": OK + b"content-length : 5\r\n\r\nhello",
    "a space before the name": OK + b" content-length: 5\r\n\r\nhello",
    "a folded header": OK + b"x: a\r\n b\r\ncontent-length: 5\r\n\r\nhello",
    "a header without a colon": OK + b"content-length 5\r\n\r\nhello",
    "a header without a name": OK + b": 5\r\n\r\nhello",
    "a header with a null": OK + b"x: a\0b\r\ncontent-length: 5\r\n\r\nhello",
    "a lone line feed": b"HTTP/1.1 200 OK\ncontent-length: 5\n\nhello",
    "a lone carriage return": OK + b"x: a\rcontent-length: 5\r\n\r\nhello",
    "a body of what only announces": b"HTTP/1.1 100 Go\r\ncontent-length: 5\r\n\r\nhello" + LATER,
    "a size that is none": OK + b"transfer-encoding: chunked\r\n\r\nfive\r\nhello\r\n0\r\n\r\n",
    "a size with a sign": OK + b"transfer-encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n",
    "a size in another spelling": OK + b"transfer-encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n",
    "an empty size": OK + b"transfer-encoding: chunked\r\n\r\n\r\nhello\r\n0\r\n\r\n",
    "a space after a size": OK + b"transfer-encoding: chunked\r\n\r\n5 \r\nhello\r\n0\r\n\r\n",
    "a size beyond all bounds": OK + b"transfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\nhello\r\n0\r\n\r\n",
    "a chunk longer than its size": OK + b"transfer-encoding: chunked\r\n\r\n3\r\nhello\r\n0\r\n\r\n",
    "a size on a line of its own kind": OK + b"transfer-encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n",
    "a length in a trailer": OK + b"transfer-encoding: chunked\r\n\r\n0\r\ncontent-length: 3\r\n\r\n",
    "a length that is not reached": OK + b"content-length: 9\r\n\r\nhello",
    "chunks without an end": OK + b"transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n",
    "half a head": OK + b"content-len",
    "nothing": b"",
    "too many headers": OK + b"x: y\r\n" * 1001 + b"content-length: 5\r\n\r\nhello",
    "a header too long": OK + b"x: " + b"y" * 70_000 + b"\r\ncontent-length: 5\r\n\r\nhello",
    "a head too long": OK + (b"x: " + b"y" * 1000 + b"\r\n") * 70 + b"content-length: 5\r\n\r\nhello",
    "announcements without end": b"HTTP/1.1 103 Early\r\n\r\n" * 4000 + LATER,
    "an endless extension": OK + b"transfer-encoding: chunked\r\n\r\n5;" + b"a" * 140_000 + b"\r\nhello\r\n0\r\n\r\n",
    "an endless trailer": OK
    + b"transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nx: "
    + b"y" * 140_000
    + b"\r\n\r\n",
    "endless trailers": OK + b"transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n" + b"x: y\r\n" * 2000 + b"\r\n",
}


async def test_an_answer_whose_end_is_in_doubt_is_refused_and_its_connection_serves_nobody_else() -> None:
    for name, said in HOSTILE.items():
        async with serving(saying(said)) as server:
            with pytest.raises(Problem) as caught:
                pytest.fail(f"{name}: {await asked(server)!r}")
            assert caught.value.kind is Kind.UPSTREAM_FAILED, name
            assert caught.value.message.startswith("localhost: "), name
            assert not server.kept, name
            await asyncio.sleep(0)
            assert all(each.transport.is_closing() for each in server.all), name


async def test_why_an_answer_is_refused_is_said() -> None:
    for name, words in {
        "a length and chunks": "",
        "too many headers": "more headers than this server reads (1000)",
        "a head too long": "longer than this server reads (65536 bytes)",
        "half a head": "the connection broke off",
        "no HTTP": "the server's answer is not HTTP",
    }.items():
        async with serving(saying(HOSTILE[name])) as server:
            with pytest.raises(Problem) as caught:
                await asked(server)
            assert words in caught.value.message, name


async def test_a_request_cannot_be_made_two() -> None:
    seen: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await heard(reader))
        writer.write(LATER)

    async with serving(talk) as server:
        for target, headers in (
            ("/a b", {}),
            ("/a\r\nx: y", {}),
            ("/", {"x": "a\r\ny: z"}),
            ("/", {"x": "a\ny"}),
            ("/", {"x y": "a"}),
            ("/", {"x\r\ny": "a"}),
        ):
            with pytest.raises(Problem, match="cannot be sent"):
                await server.open("POST", target, headers, b"", seconds=5)
        assert not server.all
        ours = {"host": "other", "content-length": "7", "transfer-encoding": "chunked", "connection": "close"}
        (await server.open("POST", "/a?b=c", {**ours, "x": "é"}, b"four", seconds=5)).close()
    [sent] = seen
    assert sent.startswith(b"POST /a?b=c HTTP/1.1\r\nhost: localhost:")
    assert sent.endswith("accept: */*\r\nx: é\r\ncontent-length: 4\r\n\r\nfour".encode())
    assert b"chunked" not in sent and b"other" not in sent and b"close" not in sent


# -- connections that are kept ----------------------------------------------------------------


async def test_a_kept_connection_serves_one_request_after_the_other() -> None:
    async with serving(saying(LATER, LATER, LATER)) as server:
        for _ in range(3):
            assert await asked(server) == b"later!"
            assert len(server.all) == 1


async def test_a_connection_that_said_something_or_goodbye_in_between_is_not_used() -> None:
    """Whether the loop has seen it or not: what lies unread there would be taken for the next answer."""
    connections = 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await heard(reader)
        writer.write(LATER)
        await writer.drain()
        if connections % 2:
            socket.socket.shutdown(writer.get_extra_info("socket")._sock, socket.SHUT_WR)
        else:
            writer.write(OK + b"content-length: 6\r\n\r\nforged")
        await reader.read()

    async with serving(talk) as server:
        for number in range(1, 7):
            assert await asked(server) == b"later!"
            assert connections == number
            for _ in range(number):  # sometimes the loop has heard of it, sometimes not
                await asyncio.sleep(0)
            while server.kept and server.kept[0].quiet:
                await asyncio.sleep(0.001)


@pytest.mark.parametrize(("method", "times"), [("GET", 2), ("POST", 1)])
async def test_what_a_closing_connection_may_have_received_is_sent_again_only_if_it_changes_nothing(
    method: str, times: int
) -> None:
    seen: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first = await heard(reader)
        writer.write(LATER)
        if b" /first " in first:
            seen.append(await heard(reader))  # and closes, without a byte
        else:
            seen.append(first)

    async with serving(talk) as server:
        opened = await server.open("GET", "/first", {}, b"", seconds=5)
        assert await whole(opened) == b"later!"
        opened.close()
        if method == "GET":
            opened = await server.open(method, "/", {}, b"", seconds=5)
            assert await whole(opened) == b"later!"
            opened.close()
        else:
            with pytest.raises(Problem, match="the connection broke off"):
                await server.open(method, "/", {}, b"x", seconds=5)
        await asyncio.sleep(0)
    assert len(seen) == times


async def test_a_connection_that_nobody_uses_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http1, "KEPT_SECONDS", 0.02)
    async with serving(saying(LATER, stays=True)) as server:
        assert await asked(server) == b"later!"
        async with asyncio.timeout(5):
            while server.all:
                await asyncio.sleep(0.005)
        assert not server.kept


# -- back-pressure, patience, and callers who leave --------------------------------------------


async def test_no_more_is_held_than_so_much_and_all_arrives() -> None:
    size, sent = 3_000_000, 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await heard(reader)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 64 * 1024)
        writer.write(OK + b"content-length: %d\r\n\r\n" % size)
        while sent < size:
            writer.write(bytes(10_000))
            await writer.drain()
            sent += 10_000
        await reader.read()

    async with serving(talk) as server:
        opened = await post(server)
        [connection] = server.all
        async with asyncio.timeout(10):
            while not connection.paused:
                await asyncio.sleep(0.001)
        await asyncio.sleep(0.01)
        assert connection.held < HELD + READ
        assert sent < size
        most = total = 0
        while piece := await opened.piece(5):
            most, total = max(most, len(piece)), total + len(piece)
        assert (total, most < HELD + READ) == (size, True)
        opened.close()
        assert server.kept == [connection]


async def test_a_server_that_says_nothing_is_given_up() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if b"/silent" not in await heard(reader):
            writer.write(OK + b"content-length: 9\r\n\r\nhe")
        await reader.read()

    async with serving(talk) as server:
        with pytest.raises(Problem, match=r"gave no answer within 0\.02 seconds") as caught:
            await server.open("POST", "/silent", {}, b"", seconds=0.02)
        assert caught.value.kind is Kind.TIMED_OUT
        opened = await post(server)
        assert await opened.piece(5) == b"he"
        with pytest.raises(Problem, match=r"said nothing for 0\.02 seconds"):
            await opened.piece(0.02)
        opened.close()
        async with asyncio.timeout(5):
            while server.all:
                await asyncio.sleep(0.001)


@pytest.mark.parametrize("head", [False, True])
async def test_a_caller_who_leaves_frees_the_connection(head: bool) -> None:
    reached, left = asyncio.Event(), asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await heard(reader)
        if head:
            writer.write(OK + b"transfer-encoding: chunked\r\n\r\n")
        reached.set()
        with contextlib.suppress(ConnectionError):
            await reader.read()
        left.set()

    async def ask(server: Server) -> None:
        opened = await post(server)
        try:
            await opened.piece(60)
        finally:
            opened.close()

    async with serving(talk) as server:
        task = asyncio.ensure_future(ask(server))
        await reached.wait()
        await asyncio.sleep(0.01)
        task.cancel()
        async with asyncio.timeout(5):
            await asyncio.wait({task})
            await left.wait()
            while server.all:
                await asyncio.sleep(0.001)
        assert not server.kept


async def test_an_answer_that_comes_before_the_request_is_read_ends_the_connection() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\n\r\nno")
        await writer.drain()
        await asyncio.sleep(0.2)

    async with serving(talk) as server:
        opened = await post(server, bytes(30_000_000))
        assert (opened.status, await whole(opened)) == (413, b"no")
        opened.close()
        assert not server.kept


# -- connecting ----------------------------------------------------------------------------


async def test_a_connection_that_ends_before_it_is_used_gives_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    async def slow(self: Server, seconds: float) -> http1.Connection:
        found = await connect(self, seconds)
        while not found.lost:
            await asyncio.sleep(0.001)
        return found

    connect = Server._connect
    monkeypatch.setattr(Server, "_connect", slow)
    async with serving(saying()) as server:
        with pytest.raises(Problem, match="broke off"):
            _ = await post(server)


async def test_no_connection_is_told_as_such() -> None:
    async def nowhere() -> list[Address]:
        with socket.socket() as door:
            door.bind(("127.0.0.1", 0))
            return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", door.getsockname())]

    async def unknown() -> list[Address]:
        raise OSError("nowhere.example could not be resolved")

    url = URL("http://nowhere.example:81")
    with pytest.raises(ConnectFailed, match=r"^nowhere\.example: no connection to nowhere\.example:81$"):
        await post(Server(url, nowhere, headers={}, connect_seconds=5))
    with pytest.raises(ConnectFailed, match=r"^nowhere\.example: nowhere\.example could not be resolved$"):
        await post(Server(url, unknown, headers={}, connect_seconds=5))


async def test_a_server_is_asked_by_tls_only_where_its_certificate_is_known(tmp_path: Path) -> None:
    pem, key = certified(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pem, key)
    async with serving(saying(LATER, LATER), context) as server:
        with pytest.raises(ConnectFailed, match="the TLS connection to localhost failed"):
            await post(server)
        server.tls = ssl.create_default_context(cafile=pem)
        for _ in range(2):
            assert await asked(server) == b"later!"
        server.tls_name = "other.example"
        server.close()
        with pytest.raises(ConnectFailed, match="the TLS connection to localhost failed"):
            await post(server)
