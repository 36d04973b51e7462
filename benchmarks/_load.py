"""A load generator: N connections that each send the next request when the last is answered.

Run as a program it prints one JSON line: requests, seconds, errors, p50 and p99 in milliseconds. It speaks just
enough HTTP/1.1 to be cheaper than any server under test: one write a request, one read of the head and the length.
"""

import argparse
import asyncio
import itertools
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import uvloop

HEAD_END = b"\r\n\r\n"


class Connection(asyncio.Protocol):
    """One keep-alive connection; `done` is set when time is up and the last answer is in."""

    def __init__(
        self, requests: Iterator[bytes], until: float, times: list[float], errors: list[bytes], pause: float = 0.0
    ) -> None:
        """`pause`: seconds from each request to the next one at the least; it counts from when it was due."""
        self.requests, self.until, self.times, self.errors, self.pause = requests, until, times, errors, pause
        self.done = asyncio.get_running_loop().create_future()
        self.buffer = b""
        self.sent = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is not a subclass
        self.due = time.perf_counter()
        self.send()

    def send(self) -> None:
        now = time.perf_counter()
        self.sent = self.due if self.pause else now
        if now >= self.until or self.sent >= self.until:
            self.transport.close()
            return
        self.transport.write(next(self.requests))

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        end = self.buffer.find(HEAD_END)
        if end < 0:
            return
        head = self.buffer[:end].lower()
        at = head.find(b"content-length:")
        length = int(head[at + 15 : head.find(b"\r\n", at) if head.find(b"\r\n", at) > 0 else end])
        if len(self.buffer) < end + 4 + length:
            return
        self.times.append(time.perf_counter() - self.sent)
        if not head.startswith(b"http/1.1 2") and len(self.errors) < 5:
            self.errors.append(self.buffer[:300])
        self.buffer = b""
        self.due += self.pause
        if self.pause and (left := self.due - time.perf_counter()) > 0:
            asyncio.get_running_loop().call_later(left, self.send)
        else:
            self.send()

    def connection_lost(self, exc: Exception | None) -> None:
        if exc is not None:
            self.errors.append(repr(exc).encode())
        if not self.done.done():
            self.done.set_result(None)


def request(method: str, path: str, headers: dict[str, str], body: bytes) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + HEAD_END + body


async def load(
    port: int, requests: list[bytes], seconds: float, connections: int, rate: float = 0.0
) -> dict[str, object]:
    """`rate`: requests a second that are offered, as far as they are kept up with; without it as many as can be."""
    loop = asyncio.get_running_loop()
    times: list[float] = []
    errors: list[bytes] = []
    cycle = itertools.cycle(requests)
    pause = connections / rate if rate else 0.0
    started = time.perf_counter()
    made = [
        await loop.create_connection(
            lambda: Connection(cycle, started + seconds, times, errors, pause), "127.0.0.1", port
        )
        for _ in range(connections)
    ]
    await asyncio.gather(*(protocol.done for _, protocol in made))
    took = time.perf_counter() - started
    times.sort()
    return {
        "requests": len(times),
        "seconds": took,
        "errors": [error.decode(errors="replace") for error in errors],
        "p50_ms": times[len(times) // 2] * 1000 if times else None,
        "p99_ms": times[int(len(times) * 0.99)] * 1000 if times else None,
    }


def main() -> None:
    """The plan is a JSON file: {"port", "seconds", "connections", "requests": [[method, path, headers, body], …]},
    and "rate" where no more than that is offered."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("plan", type=Path)
    plan = json.loads(parser.parse_args().plan.read_text())
    requests = [request(method, path, headers, body.encode()) for method, path, headers, body in plan["requests"]]
    print(
        json.dumps(
            uvloop.run(load(plan["port"], requests, plan["seconds"], plan["connections"], plan.get("rate", 0.0)))
        )
    )


if __name__ == "__main__":
    main()
