"""The guard on the way out: what it refuses, what it lets through, and how it caps what comes back."""

import asyncio
import contextlib
import hashlib
import socket
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.abc import ResolveResult

from mutoscope.files import egress
from mutoscope.files import egress as net
from mutoscope.files.egress import AGENT, Fetched, Refused, SafeClient, address_flaw, guarded_socket
from mutoscope.model.config import Net
from mutoscope.model.problem import Kind, Problem

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

LITERALS = """
http://127.0.0.1/ http://127.0.0.1:8700/files/x http://127.1.2.3/ http://127.255.255.254/ http://0.0.0.0/
http://0.1.2.3/ http://10.0.0.1/ http://10.255.255.255/ http://100.64.0.1/ http://100.100.100.200/
http://168.63.129.16/ http://169.254.169.254/latest/meta-data/ http://169.254.1.1/ http://172.16.0.1/
http://172.31.255.255/ http://192.0.0.192/ http://192.0.2.1/ http://192.88.99.1/ http://192.168.0.1/
http://192.168.255.255/ http://198.18.0.1/ http://198.19.255.255/ http://198.51.100.1/ http://203.0.113.9/
http://224.0.0.1/ http://239.255.255.255/ http://240.0.0.1/ http://255.255.255.255/ https://127.0.0.1/
http://[::]/ http://[::1]/ http://[0:0:0:0:0:0:0:1]/ http://[::127.0.0.1]/ http://[::ffff:127.0.0.1]/
http://[::ffff:7f00:1]/ http://[::ffff:8.8.8.8]/ http://[::ffff:169.254.169.254]/ http://[64:ff9b::7f00:1]/
http://[64:ff9b::8.8.8.8]/ http://[64:ff9b:1::1]/ http://[100::1]/ http://[2001::1]/ http://[2001:db8::1]/
http://[2002:7f00:1::]/ http://[2002:a00:1::1]/ http://[3fff::1]/ http://[fc00::1]/ http://[fd00:ec2::254]/
http://[fe80::1]/ http://[febf::1]/ http://[fec0::1]/ http://[ff02::1]/ http://[4000::1]/ http://[5f00::1]/
http://①②⑦.⓪.⓪.①/ http://127。0。0。1/
""".split()  # noqa: SIM905 (a list literal would be three pages)

MALFORMED = [
    "http://2130706433/",
    "http://127.1/",
    "http://127.0.1/",
    "http://0/",
    "http://0177.0.0.1/",
    "http://017700000001/",
    "http://0x7f000001/",
    "http://0x7f.0.0.1/",
    "http://0x7f.1/",
    "http://127.0.0.0x1/",
    "http://127.0.0.1./",
    "http://0x/",
    "http://%31%32%37.0.0.1/",
    "http://[fe80::1%25eth0]/",
    "http://[::1",
    "http://[v1.x]/",
    "http://[]/",
    "http:///path",
    "http://",
    "http:/one-slash.example/",
    "//no-scheme.example/",
    "no-scheme.example/a.png",
    "",
    "file:///etc/passwd",
    "ftp://example.com/a.png",
    "gopher://example.com/",
    "data:image/png;base64,AAAA",
    "javascript:alert(1)",
    "unix:///run/docker.sock",
    "http://user:secret@example.com/",
    "http://user@example.com/",
    "http://@example.com/",
    "http://example.com\\@127.0.0.1/",
    "http://example.com/\\..\\x",
    "http://exa mple.com/",
    "http://exam\nple.com/",
    "http://example.com/\r\nHost: evil",
    "http://example.com/\x00",
    "http://example.com:99999/",
    "http://example.com:http/",
    "http://-example.com/",
    "http://exa..mple.com/",
    "http://exa$mple.com/",
    f"http://example.com/{'a' * 9000}",
]

PRIVATE_NAMES = {
    "localhost": ["127.0.0.1"],
    "localhost.": ["::1"],
    "mixed.example": ["93.184.215.14", "10.0.0.1"],
    "metadata.example": ["169.254.169.254"],
    "mapped.example": ["::ffff:10.0.0.1"],
    "scoped.example": ["fe80::1%2"],
    "zero.example": ["0.0.0.0"],
    "nat64.example": ["64:ff9b::a00:1"],
    "odd.example": ["not an address"],
}


async def private_lookup(host: str, port: int) -> list[str]:
    return PRIVATE_NAMES[host]


async def loopback_lookup(host: str, port: int) -> list[str]:
    return ["127.0.0.1"]


@contextlib.asynccontextmanager
async def served(**handlers: Handler) -> AsyncGenerator[int]:
    """A server on loopback with a handler for each path; yields its port."""
    app = web.Application()
    for name, handler in handlers.items():
        app.router.add_route("*", f"/{name}", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.05)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


async def refusal(client: SafeClient, url: str, into: Path, max_bytes: int = 1000) -> Problem:
    with pytest.raises(Problem) as caught:
        await client.fetch(url, max_bytes=max_bytes, into=into, field="image")
    await client.close()
    assert caught.value.field == "image"
    assert not into.exists()
    return caught.value


@pytest.mark.parametrize("url", LITERALS)
async def test_an_address_that_is_not_public_is_refused(url: str, tmp_path: Path):
    problem = await refusal(SafeClient(Net()), url, tmp_path / "x")
    assert problem.kind is Kind.UNREACHABLE_MEDIA
    assert problem.message.startswith("Failed to fetch asset: refused: ")
    assert "net.allow_private" in problem.message


@pytest.mark.parametrize("url", MALFORMED)
async def test_a_url_that_can_be_misread_is_refused_whatever_the_settings(url: str, tmp_path: Path):
    problem = await refusal(SafeClient(Net(allow_private=True), lookup=loopback_lookup), url, tmp_path / "x")
    assert problem.kind is Kind.UNREACHABLE_MEDIA
    assert problem.message.startswith("Failed to fetch asset: refused: ")


@pytest.mark.parametrize("host", PRIVATE_NAMES)
async def test_a_name_is_refused_when_any_of_its_addresses_is_not_public(host: str, tmp_path: Path):
    problem = await refusal(SafeClient(Net(), lookup=private_lookup), f"http://{host}/a.png", tmp_path / "x")
    assert problem.message.startswith("Failed to fetch asset: refused: ")
    assert host in problem.message
    assert not any(address in problem.message for address in PRIVATE_NAMES[host] if ":" in address or "." in address)


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "93.184.215.14", "172.32.0.1", "2606:4700::1111", "2a00::1"])
def test_public_addresses_pass(address: str):
    assert address_flaw(address) is None


async def test_a_redirect_into_the_private_network_is_refused(tmp_path: Path):
    async def away(request: web.Request) -> web.StreamResponse:
        raise web.HTTPFound(f"http://127.0.0.1:{request.url.port}/secret")

    async def secret(request: web.Request) -> web.StreamResponse:
        reached.append(request.path)
        return web.Response(body=b"secret")

    reached: list[str] = []
    async with served(away=away, secret=secret) as port:
        client = SafeClient(Net(allow_hosts=("cdn.example",)), lookup=loopback_lookup)
        problem = await refusal(client, f"http://cdn.example:{port}/away", tmp_path / "x")
    assert "127.0.0.1" in problem.message
    assert reached == []


async def test_a_redirect_to_a_name_that_resolves_to_loopback_is_refused(tmp_path: Path):
    async def away(request: web.Request) -> web.StreamResponse:
        raise web.HTTPTemporaryRedirect(f"http://inside.example:{request.url.port}/secret")

    async def secret(request: web.Request) -> web.StreamResponse:
        return web.Response(body=b"secret")

    async with served(away=away, secret=secret) as port:
        client = SafeClient(Net(allow_hosts=("cdn.example",), ports=(port,)), lookup=loopback_lookup)
        problem = await refusal(client, f"http://cdn.example:{port}/away", tmp_path / "x")
    assert "inside.example resolves to" in problem.message


async def test_a_connection_of_an_allowed_host_is_not_lent_to_another_name(tmp_path: Path):
    async def ok(request: web.Request) -> web.StreamResponse:
        return web.Response(body=b"fine")

    async with served(ok=ok) as port:
        client = SafeClient(Net(allow_hosts=("cdn.example",), ports=(port,)), lookup=loopback_lookup)
        await client.fetch(f"http://cdn.example:{port}/ok", max_bytes=10, into=tmp_path / "y")
        problem = await refusal(client, f"http://other.example:{port}/ok", tmp_path / "x")
    assert "other.example resolves to a loopback address" in problem.message


async def test_a_name_is_resolved_anew_for_each_connection(tmp_path: Path):
    asked: list[str] = []

    async def counting(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"]

    async def ok(request: web.Request) -> web.StreamResponse:
        return web.Response(body=b"fine", headers={"Connection": "close"})

    async with served(ok=ok) as port:
        client = SafeClient(Net(allow_private=True), lookup=counting)
        for _ in range(2):
            await client.fetch(f"http://rebind.example:{port}/ok", max_bytes=10, into=tmp_path / "x")
        await client.close()
    assert asked == ["rebind.example"] * 2


@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "::1", "::ffff:127.0.0.1", "fe80::1%1"])
def test_no_socket_is_made_for_a_private_address_however_it_got_there(address: str):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with pytest.raises(Refused):
        guarded_socket((family, socket.SOCK_STREAM, 0, "", (address, 80)))


def test_a_socket_is_made_for_a_public_address():
    guarded_socket((socket.AF_INET, socket.SOCK_STREAM, 0, "", ("8.8.8.8", 80))).close()


async def test_an_address_that_was_not_judged_gets_no_connection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Should a name ever come past the resolver's guard, the socket is refused."""

    async def unjudged(self: object, host: str, port: int = 0, family: int = 0) -> list[ResolveResult]:
        return [egress.resolved(host, port, "127.0.0.1")]

    async def secret(request: web.Request) -> web.StreamResponse:
        raise AssertionError("it was reached")

    monkeypatch.setattr(egress._Resolver, "resolve", unjudged)
    async with served(secret=secret) as port:
        problem = await refusal(SafeClient(Net(ports=(port,))), f"http://cdn.example:{port}/secret", tmp_path / "x")
    assert "refused: the address is a loopback address" in problem.message


async def test_only_so_many_redirects_are_followed(tmp_path: Path):
    async def hop(request: web.Request) -> web.StreamResponse:
        left = int(request.query["left"])
        return (
            web.Response(body=b"there")
            if left == 0
            else web.Response(status=308, headers={"Location": f"?left={left - 1}"})
        )

    async with served(hop=hop) as port:
        client = SafeClient(Net(allow_private=True, max_redirects=3))
        url = f"http://127.0.0.1:{port}/hop?left="
        assert (await client.fetch(url + "3", max_bytes=10, into=tmp_path / "y")).bytes == 5
        problem = await refusal(client, url + "4", tmp_path / "x")
    assert "more than 3 redirects" in problem.message


async def test_a_file_is_saved_and_measured(tmp_path: Path):
    async def picture(request: web.Request) -> web.StreamResponse:
        assert request.headers["User-Agent"] == AGENT
        assert request.headers["Accept-Encoding"] == "identity"
        return web.Response(body=b"x" * 700_000, content_type="image/png")

    async with served(picture=picture) as port:
        client = SafeClient(Net(allow_private=True))
        fetched = await client.fetch(
            f"http://127.0.0.1:{port}/picture#part", max_bytes=700_000, into=tmp_path / "x", accept=("image/*",)
        )
        await client.close()
    assert (fetched.media_type, fetched.bytes) == ("image/png", 700_000)
    assert fetched.sha256 == hashlib.sha256((tmp_path / "x").read_bytes()).hexdigest()


class Origin:
    """Serves a file in parts, and breaks off in the middle of its first answers."""

    def __init__(self, *, tag: str = '"v1"', parts: bool = True, breaks: int = 1, careless: bool = False) -> None:
        """`careless`: it gives a part of whatever version it has."""
        self.body, self.tag, self.parts, self.careless = bytes(range(256)) * 4000, tag, parts, careless
        self.breaks = breaks
        self.ranges: list[str | None] = []
        self.sent = 0

    async def answer(self, request: web.Request) -> web.StreamResponse:
        asked = request.headers.get("Range")
        self.ranges.append(asked)
        start = 0
        if asked and self.parts and (self.careless or request.headers.get("If-Range") == self.tag):
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
        if start >= len(self.body):
            return web.Response(status=416, headers={"Content-Range": f"bytes */{len(self.body)}"})
        left = self.body[start:]
        headers = {"Content-Length": str(len(left))} | ({"ETag": self.tag} if self.tag else {})
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(self.body) - 1}/{len(self.body)}"
        response = web.StreamResponse(status=206 if start else 200, headers=headers)
        await response.prepare(request)
        if self.breaks:
            self.breaks -= 1
            left = left[: len(left) // 2]
        self.sent += len(left)
        await response.write(left)
        if len(left) < len(self.body) - start:
            await asyncio.sleep(0.05)
            assert request.transport
            request.transport.abort()
        return response


async def copied(origin: Origin, path: Path, *, meanwhile: Callable[[], None] = lambda: None) -> Fetched:
    """What a copy comes to that is resumed until it succeeds, by another client each time, as after a crash."""
    async with served(file=origin.answer) as port:
        for _ in range(5):
            client = SafeClient(Net(allow_private=True))
            try:
                url = f"http://127.0.0.1:{port}/file"
                return await client.fetch(url, max_bytes=2_000_000, into=path, resume=True)
            except Problem:
                meanwhile()
            finally:
                await client.close()
    raise AssertionError("it never succeeded")


async def test_a_copy_that_broke_off_is_resumed(tmp_path: Path):
    origin = Origin(breaks=3)
    fetched = await copied(origin, tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == origin.body
    assert (fetched.bytes, fetched.sha256) == (len(origin.body), hashlib.sha256(origin.body).hexdigest())
    assert origin.sent == len(origin.body), "nothing was sent twice"
    assert origin.ranges[0] is None and all(origin.ranges[1:])


async def test_a_copy_that_was_whole_already_is_not_fetched_again(tmp_path: Path):
    origin = Origin(breaks=0)
    await copied(origin, tmp_path / "x")
    await copied(origin, tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == origin.body
    assert origin.sent == len(origin.body)


@pytest.mark.parametrize(
    "kind", ["no parts", "no tag", "a weak tag", "a new version", "a part of a new version", "a boot"]
)
async def test_a_copy_that_cannot_be_resumed_begins_anew(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A part is only added to what is certain to be the beginning of the same bytes."""
    origin = Origin(
        parts=kind != "no parts",
        tag={"no tag": "", "a weak tag": 'W/"v1"'}.get(kind, '"v1"'),
        careless=kind == "a part of a new version",
    )

    def meanwhile() -> None:
        if kind in ("a new version", "a part of a new version"):
            origin.body, origin.tag = origin.body[::-1], '"v2"'
        elif kind == "a boot":  # the machine went down: what was written may not have reached the disk
            monkeypatch.setattr(net, "BOOT", "another")

    await copied(origin, tmp_path / "x", meanwhile=meanwhile)
    assert (tmp_path / "x").read_bytes() == origin.body
    assert origin.sent >= len(origin.body) * 1.5


async def test_a_copy_grows_no_larger_than_it_may_by_its_parts(tmp_path: Path):
    origin = Origin(breaks=1)
    async with served(file=origin.answer) as port:
        client = SafeClient(Net(allow_private=True))
        url, most = f"http://127.0.0.1:{port}/file", len(origin.body)
        with pytest.raises(Problem, match="broke off"):
            await client.fetch(url, max_bytes=most, into=tmp_path / "x", resume=True)
        with pytest.raises(Problem, match="Asset size exceeds"):
            await client.fetch(url, max_bytes=most - 1, into=tmp_path / "x", resume=True)
        await client.close()


async def test_a_signed_link_is_asked_for_as_it_was_spelled(tmp_path: Path):
    async def echo(request: web.Request) -> web.StreamResponse:
        return web.Response(text=request.raw_path)

    async with served(**{"{any:.*}": echo}) as port:
        client = SafeClient(Net(allow_private=True))
        await client.fetch(
            f"http://127.0.0.1:{port}/a%2Fb%41~%7E?sig=x%2By%3D%3d&k=a+b", max_bytes=99, into=tmp_path / "x"
        )
        await client.fetch(f"http://127.0.0.1:{port}/ein bild.png", max_bytes=99, into=tmp_path / "y")
        await client.close()
    assert (tmp_path / "x").read_text() == "/a%2Fb%41~%7E?sig=x%2By%3D%3d&k=a+b"
    assert (tmp_path / "y").read_text() == "/ein%20bild.png"


async def test_an_announced_size_beyond_the_cap_is_refused_before_the_body(tmp_path: Path):
    async def large(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": str(17 << 20)})
        await response.prepare(request)
        await asyncio.sleep(5)  # the body never comes
        return response

    async with served(large=large) as port:
        client = SafeClient(Net(allow_private=True, total_seconds=2))
        problem = await refusal(client, f"http://127.0.0.1:{port}/large", tmp_path / "x", max_bytes=16 << 20)
    assert (problem.kind, problem.message) == (Kind.BAD_MEDIA, "Asset size exceeds 16MB")


async def test_a_body_without_end_is_cut_off_at_the_cap(tmp_path: Path):
    sent = 0

    async def endless(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            while sent < 64 << 20:
                await response.write(b"x" * 65536)
                sent += 65536
        return response

    async with served(endless=endless) as port:
        client = SafeClient(Net(allow_private=True))
        problem = await refusal(client, f"http://127.0.0.1:{port}/endless", tmp_path / "x", max_bytes=1 << 20)
    assert (problem.kind, problem.message) == (Kind.BAD_MEDIA, "Asset size exceeds 1MB")
    assert sent < 16 << 20


async def raw_server(answer: bytes) -> asyncio.Server:
    """A server that says exactly these bytes, true or not, and hangs up."""

    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        writer.close()

    return await asyncio.start_server(say, "127.0.0.1", 0)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort", "broke off"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nx", "not HTTP"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", "broke off"),
        (b"this is not HTTP\r\n\r\n", "not HTTP"),
        (b"", "broke off"),
        (b"HTTP/1.1 302 Found\r\nLocation: http://[\r\n\r\n", "not a URL"),
        (b"HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\n\r\n", "scheme is file"),
        (b"HTTP/1.1 302 Found\r\n\r\n", "answered 302"),
        (b"HTTP/1.1 404 Not Found\r\n\r\n", "answered 404"),
        (b"HTTP/1.1 206 Partial Content\r\n\r\nx", "answered 206"),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n\x1f\x8b", "compressed"),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\n\r\n\x0b", "compressed"),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: identity, gzip\r\n\r\n\x1f\x8b", "compressed"),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: identity\r\nContent-Encoding: gzip\r\n\r\n\x1f\x8b", "compressed"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n2\r\n\x1f\x8b\r\n0\r\n\r\n", "compressed"),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: utf-8, zstd\r\n\r\nx", "compressed its answer (zstd)"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 200_000 + b"\r\n\r\nx", "longer than this server reads (65536 characters)"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 2000 + b"\r\nx", "more headers than this server reads (1000)"),
    ],
)
async def test_a_server_that_lies_or_breaks_off_is_told_in_plain_words(answer: bytes, told: str, tmp_path: Path):
    server = await raw_server(answer)
    async with server:
        port = server.sockets[0].getsockname()[1]
        client = SafeClient(Net(allow_private=True, total_seconds=5))
        problem = await refusal(client, f"http://127.0.0.1:{port}/", tmp_path / "x")
    assert told in problem.message
    assert problem.kind is Kind.UNREACHABLE_MEDIA


@pytest.mark.parametrize(
    "head",
    [
        *(
            b"Content-Encoding: " + coding
            for coding in (b"aws-chunked", b"utf-8", b"UTF-8", b"binary", b"none", b"7bit")
        ),
        b"Content-Encoding: aws-chunked\r\nContent-Encoding: identity",
        b"Content-Encoding:",
        *(b"Content-Security-Policy: " + b"x" * size for size in (8_190, 8_191, 20_000, 60_000)),
        *(b"\r\n".join([b"X-Meta-%d: y" % number for number in range(count)]) for count in (127, 129, 900)),
    ],
    ids=lambda head: head[:40].decode(),
)
async def test_a_head_that_is_unusual_and_right_is_no_hindrance(head: bytes, tmp_path: Path):
    server = await raw_server(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n" + head + b"\r\n\r\nabc")
    async with server:
        client = SafeClient(Net(allow_private=True))
        kept = tmp_path / "x"
        await client.fetch(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", max_bytes=10, into=kept)
        await client.close()
    assert kept.read_bytes() == b"abc"


async def test_bytes_beyond_the_announced_length_are_not_taken(tmp_path: Path):
    server = await raw_server(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc" + b"x" * 100_000)
    kept = tmp_path / "x"
    async with server:
        port = server.sockets[0].getsockname()[1]
        client = SafeClient(Net(allow_private=True))
        try:  # whether the rest is seen in time to spoil the answer is a matter of packets
            await client.fetch(f"http://127.0.0.1:{port}/", max_bytes=10, into=kept)
            assert kept.read_bytes() == b"abc"
        except Problem:
            assert not kept.exists()
        await client.close()


async def test_a_slow_server_runs_out_of_time(tmp_path: Path):
    async def drip(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            for _ in range(50):
                await response.write(b"x")
                await asyncio.sleep(0.05)
        return response

    async with served(drip=drip) as port:
        client = SafeClient(Net(allow_private=True, total_seconds=0.3))
        problem = await refusal(client, f"http://127.0.0.1:{port}/drip", tmp_path / "x")
    assert problem.message == "Timeout while fetching asset: more than 0.3 seconds (net.total_seconds)"


async def test_a_page_is_not_taken_for_a_picture_but_an_untyped_answer_may_be_one(tmp_path: Path):
    async def page(request: web.Request) -> web.StreamResponse:
        return web.Response(text="<html>", content_type=request.query["type"])

    async with served(page=page) as port:
        client = SafeClient(Net(allow_private=True))
        url = f"http://127.0.0.1:{port}/page?type="
        kept = tmp_path / "x"
        await client.fetch(url + "application/octet-stream", max_bytes=99, into=kept, accept=("image/png",))
        with pytest.raises(Problem, match="Unsupported asset type") as caught:
            await client.fetch(url + "text/html", max_bytes=99, into=tmp_path / "y", accept=("image/png",))
        await client.close()
    assert caught.value.kind is Kind.BAD_MEDIA
    assert kept.read_bytes() == b"<html>"


async def test_plain_http_can_be_switched_off(tmp_path: Path):
    problem = await refusal(SafeClient(Net(allow_http=False)), "http://example.com/", tmp_path / "x")
    assert "net.allow_http" in problem.message


async def test_only_the_usual_ports_are_connected_to_and_those_that_the_operator_names(tmp_path: Path):
    problem = await refusal(SafeClient(Net(), lookup=loopback_lookup), "http://example.com:6379/", tmp_path / "x")
    assert problem.message == "Failed to fetch asset: refused: port 6379; allowed are 80, 443 (net.ports)"
    named = SafeClient(Net(ports=(6379,)), lookup=loopback_lookup)
    assert named.check("http://example.com:6379/").port == 6379
    assert "port 443; allowed are 6379" in (await refusal(named, "https://example.com/", tmp_path / "x")).message
    nothing = SafeClient(Net(ports=()), lookup=loopback_lookup)
    assert "allowed are none" in (await refusal(nothing, "https://example.com/", tmp_path / "x")).message
    exempt = SafeClient(Net(allow_hosts=("redis.internal",)), lookup=loopback_lookup)
    assert exempt.check("http://redis.internal:6379/").port == 6379


async def test_a_private_name_is_refused_before_it_is_looked_up(tmp_path: Path):
    async def fail(host: str, port: int) -> list[str]:
        raise AssertionError(f"{host} was looked up")

    for host in ("localhost", "LocalHost.", "a.localhost", "redis", "printer.local", "metadata.google.internal"):
        assert (
            "net.allow_hosts"
            in (await refusal(SafeClient(Net(), lookup=fail), f"http://{host}/", tmp_path / "x")).message
        )


async def test_a_name_without_addresses_is_told_as_unresolved(tmp_path: Path):
    async def none(host: str, port: int) -> list[str]:
        return []

    async def broken(host: str, port: int) -> list[str]:
        raise socket.gaierror(-2, "Name or service not known")

    for lookup in (none, broken):
        for settings in (Net(), Net(allow_private=True)):
            problem = await refusal(SafeClient(settings, lookup=lookup), "http://example.com/", tmp_path / "x")
            assert problem.message == "Failed to fetch asset: example.com could not be resolved"


async def test_a_slow_name_server_holds_up_no_other_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def slow_lookup(*args: object, **kinds: object) -> list[object]:
        hold.wait(10)
        return []

    hold = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", slow_lookup)
    client = SafeClient(Net(connect_seconds=20))
    slow = [asyncio.create_task(refusal(client, f"http://{n}.example.com/", tmp_path / "x")) for n in range(40)]
    try:
        await asyncio.sleep(0.05)
        async with asyncio.timeout(5):
            assert await asyncio.to_thread(len, "abc") == 3
    finally:
        hold.set()
    assert all("could not be resolved" in each.message for each in await asyncio.gather(*slow))


async def test_a_name_server_that_is_too_slow_is_not_waited_for(tmp_path: Path):
    async def slow(host: str, port: int) -> list[str]:
        await asyncio.sleep(20)
        return []

    problem = await refusal(SafeClient(Net(connect_seconds=0.1), lookup=slow), "http://example.com/", tmp_path / "x")
    assert problem.message == "Failed to fetch asset: example.com could not be resolved within 0.1 seconds"


async def test_a_proxy_named_in_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    async def ok(request: web.Request) -> web.StreamResponse:
        return web.Response(body=b"direct")

    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    async with served(ok=ok) as port:
        client = SafeClient(Net(allow_private=True))
        await client.fetch(f"http://127.0.0.1:{port}/ok", max_bytes=10, into=tmp_path / "x")
        await client.close()
    assert (tmp_path / "x").read_bytes() == b"direct"


def test_allowed_hosts_are_whole_names_or_a_domain_behind_a_star():
    client = SafeClient(Net(allow_hosts=("Minio", "*.corp.example", "10.0.0.7")))
    assert all(map(client.exempt, ["minio", "MINIO.", "a.corp.example", "a.b.corp.example", "10.0.0.7"]))
    assert not any(
        map(client.exempt, ["minio.evil.example", "xminio", "corp.example", "evilcorp.example", "10.0.0.70"])
    )


async def test_a_webhook_is_sent_once_and_its_redirect_is_the_answer():
    seen: list[tuple[bytes, str | None]] = []

    async def hook(request: web.Request) -> web.StreamResponse:
        seen.append((await request.read(), request.headers.get("webhook-id")))
        return web.Response(status=302, text="y" * 5000, headers={"Location": "/elsewhere"})

    async with served(hook=hook) as port:
        client = SafeClient(Net(allow_private=True))
        answer = await client.post(f"http://127.0.0.1:{port}/hook", b"{}", {"webhook-id": "1"}, timeout_seconds=5)
        await client.close()
    assert seen == [(b"{}", "1")]
    assert (answer.status, len(answer.text)) == (302, 1024)
    assert 0 < answer.seconds < 5


async def test_a_webhook_that_cannot_be_delivered_says_why():
    async def hang(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(2)
        return web.Response()

    async with served(hang=hang) as port:
        client = SafeClient(Net(allow_private=True))
        with pytest.raises(Problem) as slow:
            await client.post(f"http://127.0.0.1:{port}/hang", b"", {}, timeout_seconds=0.1)
        await client.close()
    with pytest.raises(Problem) as closed:
        await client.post(f"http://127.0.0.1:{port}/hang", b"", {}, timeout_seconds=1)
    await client.close()
    guarded = SafeClient(Net())
    with pytest.raises(Problem) as refused:
        await guarded.post("http://127.0.0.1:1/", b"", {}, timeout_seconds=1)
    assert (slow.value.kind, slow.value.message) == (Kind.TIMED_OUT, "no answer within 0.1 seconds")
    assert closed.value.message == f"no connection to 127.0.0.1:{port}"
    assert refused.value.message.startswith("refused: 127.0.0.1 is")
    assert {closed.value.kind, refused.value.kind} == {Kind.UPSTREAM_FAILED}
