"""A real DNS server on loopback that changes its mind between questions, and the small resolver that asks it."""

import asyncio
import contextlib
import ipaddress
import itertools
import socket
import struct
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any

A, CNAME, AAAA = 1, 5, 28
CLASS_IN = 1
UNKNOWN = 3  # NXDOMAIN
ALIASES = 8  # an alias leads on, but not for ever

Answer = Sequence[str] | None
"""The addresses of one answer; an entry that is no address is an alias (CNAME). None: the server stays silent."""


def spell(name: str) -> bytes:
    parts = name.rstrip(".").split(".")
    return b"".join(bytes([len(part)]) + part.encode("ascii") for part in parts) + b"\0"


def read_name(packet: bytes, at: int) -> tuple[str, int]:
    """A name and where it ends; pointers are followed, as far as they point back."""
    parts: list[str] = []
    while length := packet[at]:
        if length & 0xC0:
            target = struct.unpack_from(">H", packet, at)[0] & 0x3FFF
            assert target < at
            return ".".join([*parts, read_name(packet, target)[0]]), at + 2
        parts.append(packet[at + 1 : at + 1 + length].decode("ascii"))
        at += 1 + length
    return ".".join(parts), at + 1


class NameServer(asyncio.DatagramProtocol):
    """Answers each name from its own script: one entry a round of questions, the last one for ever.

    A round is one question for A and one for AAAA; `asked` counts the rounds of each name.
    """

    def __init__(self, script: Mapping[str, Sequence[Answer]]) -> None:
        self.script, self.asked = script, dict.fromkeys(script, 0)

    def connection_made(self, transport: Any) -> None:
        self.transport: asyncio.DatagramTransport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        name, end = read_name(data, 12)
        (kind,) = struct.unpack_from(">H", data, end)
        question = data[12 : end + 4]
        if name not in self.script:
            self.transport.sendto(data[:2] + struct.pack(">HHHHH", 0x8180 | UNKNOWN, 1, 0, 0, 0) + question, addr)
            return
        if kind == A:
            self.asked[name] += 1
        answers = self.script[name]
        answer = answers[min(max(self.asked[name], 1), len(answers)) - 1]
        if answer is None:
            return
        records = [record(name, each) for each in answer]
        fitting = [each for each, of in records if of in (kind, CNAME)]
        head = data[:2] + struct.pack(">HHHHH", 0x8180, 1, len(fitting), 0, 0)
        self.transport.sendto(head + question + b"".join(fitting), addr)


def record(name: str, value: str) -> tuple[bytes, int]:
    """A resource record without a lifetime (TTL 0), and its type."""
    try:
        address = ipaddress.ip_address(value)
        kind, data = (A if address.version == 4 else AAAA), address.packed
    except ValueError:
        kind, data = CNAME, spell(value)
    return spell(name) + struct.pack(">HHIH", kind, CLASS_IN, 0, len(data)) + data, kind


@contextlib.asynccontextmanager
async def name_server(script: Mapping[str, Sequence[Answer]]) -> AsyncGenerator[tuple[NameServer, "Resolver"]]:
    loop = asyncio.get_running_loop()
    transport, server = await loop.create_datagram_endpoint(lambda: NameServer(script), local_addr=("127.0.0.1", 0))
    try:
        yield server, Resolver(transport.get_extra_info("sockname"))
    finally:
        transport.close()


class Resolver:
    """Asks over UDP, for both families, as a system's resolver does; a `Lookup` of `net.py`."""

    numbers = itertools.count(1)

    def __init__(self, server: tuple[str, int]) -> None:
        self.server = server

    async def __call__(self, host: str, port: int) -> list[str]:
        addresses: list[str] = []
        names = [host.rstrip(".")]
        for name in itertools.islice(names, ALIASES):  # grows while it is read
            for kind in (A, AAAA):
                for found in await self.ask(name, kind):
                    (addresses if is_address(found) else names).append(found)
        if not addresses:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return list(dict.fromkeys(addresses))

    async def ask(self, name: str, kind: int) -> list[str]:
        number = next(self.numbers) & 0xFFFF
        question = struct.pack(">HHHHHH", number, 0x0100, 1, 0, 0, 0) + spell(name) + struct.pack(">HH", kind, CLASS_IN)
        loop = asyncio.get_running_loop()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
            line.setblocking(False)
            await loop.sock_connect(line, self.server)
            await loop.sock_sendall(line, question)
            answer = await asyncio.wait_for(loop.sock_recv(line, 4096), 5)
        assert answer[:2] == question[:2]
        if answer[3] & 0xF:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return read_records(answer)


def read_records(packet: bytes) -> list[str]:
    questions, answers = struct.unpack_from(">HH", packet, 4)
    at, found = 12, []
    for _ in range(questions):
        at = read_name(packet, at)[1] + 4
    for _ in range(answers):
        at = read_name(packet, at)[1]
        kind, _, _, length = struct.unpack_from(">HHIH", packet, at)
        at += 10
        value = read_name(packet, at)[0] if kind == CNAME else str(ipaddress.ip_address(packet[at : at + length]))
        found.append(value)
        at += length
    return found


def is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
