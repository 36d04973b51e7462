"""A stranger's name server that changes its mind: a real one, asked over UDP.

127.0.0.2 stands for the public internet here, by an exception in the guard's judgement that only these tests make;
127.0.0.1, on the same port, is the private server that must never be reached.
"""

import asyncio
import contextlib
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from name_server import Answer, name_server

from mutoscope.files import egress
from mutoscope.files.egress import SafeClient, address_flaw
from mutoscope.model.config import Net
from mutoscope.model.problem import Problem

PUBLIC, PRIVATE = "127.0.0.2", "127.0.0.1"
NAME = "rebind.example.com"

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="127.0.0.2 is up by itself on Linux only; `ifconfig lo0 alias 127.0.0.2` elsewhere"
)


@pytest.fixture(autouse=True)
def a_public_address_on_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(egress, "address_flaw", lambda address: None if address == PUBLIC else address_flaw(address))


class Servers:
    """The stranger's server and the private one, on one port; each notes what it was asked."""

    def __init__(self) -> None:
        self.public: list[str] = []
        self.private: list[str] = []
        self.redirect_once = False

    async def stranger(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path = (await reader.readuntil(b"\r\n\r\n")).split()[1].decode()
        self.public.append(path)
        if self.redirect_once and len(self.public) == 1:
            writer.write(b"HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        else:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\npublic")
        await writer.drain()
        writer.close()

    async def secret(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.private.append(str(writer.get_extra_info("peername")))
        writer.close()


@contextlib.asynccontextmanager
async def servers() -> AsyncGenerator[tuple[Servers, int]]:
    both = Servers()
    private = await asyncio.start_server(both.secret, PRIVATE, 0)
    port = private.sockets[0].getsockname()[1]
    async with private, await asyncio.start_server(both.stranger, PUBLIC, port):
        yield both, port


async def fetch(client: SafeClient, port: int, into: Path) -> str:
    """What came of it: the body, or why there is none."""
    try:
        await client.fetch(f"http://{NAME}:{port}/a.png", max_bytes=100, into=into)
    except Problem as problem:
        return problem.message
    return into.read_text()


async def test_the_address_that_was_judged_is_the_one_that_is_used(tmp_path: Path) -> None:
    async with servers() as (both, port), name_server({NAME: [[PUBLIC], [PRIVATE]]}) as (dns, lookup):
        client = SafeClient(Net(ports=(port,)), lookup=lookup)
        first = await fetch(client, port, tmp_path / "x")
        asked = dns.asked[NAME]
        second = await fetch(client, port, tmp_path / "x")
        await client.close()
    assert (first, asked) == ("public", 1)  # a second question would have been answered with the private address
    assert f"refused: {NAME} resolves to a loopback address" in second
    assert (both.public, both.private) == (["/a.png"], [])


async def test_a_name_that_turns_private_between_two_hops_is_refused(tmp_path: Path) -> None:
    async with servers() as (both, port), name_server({NAME: [[PUBLIC], [PRIVATE]]}) as (_, lookup):
        both.redirect_once = True
        client = SafeClient(Net(ports=(port,)), lookup=lookup)
        told = await fetch(client, port, tmp_path / "x")
        await client.close()
    assert f"refused: {NAME} resolves to a loopback address" in told
    assert (both.public, both.private) == (["/a.png"], [])


async def test_a_webhook_goes_by_the_same_guard(tmp_path: Path) -> None:
    async with servers() as (both, port), name_server({NAME: [[PUBLIC], [PRIVATE]]}) as (_, lookup):
        client = SafeClient(Net(ports=(port,)), lookup=lookup)
        assert (await client.post(f"http://{NAME}:{port}/hook", b"{}", {}, timeout_seconds=5)).status == 200
        with pytest.raises(Problem, match="resolves to a loopback address"):
            await client.post(f"http://{NAME}:{port}/hook", b"{}", {}, timeout_seconds=5)
        await client.close()
    assert both.private == []


@pytest.mark.parametrize(
    "answer",
    [
        [PUBLIC, PRIVATE],  # the second address for when the first does not answer
        [PRIVATE, PUBLIC],
        [PUBLIC, "::1"],  # the other family
        [PUBLIC, "::ffff:127.0.0.1"],
        [PUBLIC, "64:ff9b::7f00:1"],
        [PUBLIC, "0.0.0.0"],
        [PUBLIC, "169.254.169.254"],
        ["inside.example.com"],  # an alias of a private name
        ["0.0.0.0"],
        ["::"],
    ],
    ids=str,
)
async def test_one_private_address_spoils_the_whole_answer(answer: Answer, tmp_path: Path) -> None:
    script = {NAME: [answer], "inside.example.com": [[PRIVATE]]}
    async with servers() as (both, port), name_server(script) as (_, lookup):
        client = SafeClient(Net(ports=(port,)), lookup=lookup)
        told = await fetch(client, port, tmp_path / "x")
        await client.close()
    assert f"refused: {NAME} resolves to" in told
    assert (both.public, both.private) == ([], [])


@pytest.mark.parametrize("answer", [None, []], ids=["silent", "empty"])
async def test_a_server_that_gives_no_answer_gives_no_connection(answer: Answer, tmp_path: Path) -> None:
    async with servers() as (both, port), name_server({NAME: [answer]}) as (_, lookup):
        client = SafeClient(Net(ports=(port,), connect_seconds=0.3), lookup=lookup)
        told = await fetch(client, port, tmp_path / "x")
        await client.close()
    assert f"{NAME} could not be resolved" in told
    assert (both.public, both.private) == ([], [])


async def test_a_hundred_fetches_of_a_name_that_flips_each_time_never_get_inside(tmp_path: Path) -> None:
    script = {NAME: [[PUBLIC], [PRIVATE]] * 50}
    async with servers() as (both, port), name_server(script) as (_, lookup):
        client = SafeClient(Net(ports=(port,)), lookup=lookup)
        told = await asyncio.gather(*(fetch(client, port, tmp_path / str(n)) for n in range(100)))
        await client.close()
    assert both.private == []
    assert "public" in told
    assert any("resolves to a loopback address" in each for each in told)


async def test_the_private_server_of_these_tests_can_be_reached_at_all(tmp_path: Path) -> None:
    async with servers() as (both, port), name_server({NAME: [[PRIVATE]]}) as (_, lookup):
        client = SafeClient(Net(allow_private=True), lookup=lookup)
        await fetch(client, port, tmp_path / "x")
        await client.close()
    assert both.private
