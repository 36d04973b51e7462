"""A load generator for words. Run as a program it takes a plan and prints one JSON line.

    {"port", "path", "headers", "model", "how", "connections", "seconds", "rate"}

`how`: "closed", each connection asks again when it was answered; "open", `rate` requests a second whatever happens, for
latencies; "held", all connections ask once, are counted when their first event is there, and stay until the standard
input ends.
"""

import argparse
import asyncio
import json
import sys
import time
from typing import Any, cast

import uvloop

MESSAGES = [{"role": "user", "content": "Say something about the world. " * 8}]


class Connection(asyncio.Protocol):
    """One keep-alive connection and, at a time, one answer on it: of a known length, or in chunks."""

    def __init__(self, request: bytes, told: "Counts") -> None:
        self.request, self.told = request, told
        self.buffer, self.length = b"", -1  # -1: the head is not whole yet; 0: in chunks
        self.answered: asyncio.Future[bool] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def ask(self) -> "asyncio.Future[bool]":
        self.sent = time.perf_counter()
        self.buffer, self.length, self.begun = b"", -1, False
        self.answered = asyncio.get_running_loop().create_future()
        self.transport.write(self.request)
        return self.answered

    def data_received(self, data: bytes) -> None:
        self.told.events += data.count(b"data: {")
        self.begun = self.begun or b"data: {" in data
        self.buffer = self.buffer + data if self.length else (self.buffer + data)[-8:]
        if self.length < 0:
            end = self.buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            head = self.buffer[:end].lower()
            if not head.startswith(b"http/1.1 2"):
                self.told.fail(self.buffer[:300])
            at = head.find(b"content-length:")
            self.length = int(head[at + 15 :].split(b"\r\n", 1)[0]) + end + 4 if at >= 0 else 0
        over = len(self.buffer) >= self.length if self.length else self.buffer.endswith(b"\r\n0\r\n\r\n")
        if over and self.answered and not self.answered.done():
            self.told.times.append(time.perf_counter() - self.sent)
            self.answered.set_result(True)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        if self.answered and not self.answered.done():
            self.told.fail(b"cut off")
            self.answered.set_result(False)


class Counts:
    def __init__(self) -> None:
        self.times: list[float] = []
        self.errors: list[str] = []
        self.events = 0

    def fail(self, what: bytes) -> None:
        if len(self.errors) < 5:
            self.errors.append(what.decode(errors="replace"))


def request_of(plan: dict[str, Any]) -> bytes:
    streams = not plan["model"].endswith("json")
    body = json.dumps({"model": plan["model"], "messages": MESSAGES, "max_tokens": 300, "stream": streams}).encode()
    lines = [f"POST {plan['path']} HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json"]
    lines += [f"{name}: {value}" for name, value in plan["headers"].items()]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}"]).encode() + b"\r\n\r\n" + body


async def opened(plan: dict[str, Any], told: Counts, count: int) -> list[Connection]:
    loop, request = asyncio.get_running_loop(), request_of(plan)
    made: list[Connection] = []
    for _ in range(count):
        _, each = await loop.create_connection(lambda: Connection(request, told), "127.0.0.1", plan["port"])
        made.append(each)
    return made


async def closed(plan: dict[str, Any], told: Counts) -> None:
    async def go_on(each: Connection) -> None:
        while time.perf_counter() < until and await each.ask():
            pass

    connections = await opened(plan, told, plan["connections"])
    until = time.perf_counter() + plan["seconds"]
    await asyncio.gather(*map(go_on, connections))


async def open_loop(plan: dict[str, Any], told: Counts) -> None:
    """Each request by a connection that is free; it counts from when it was due."""
    free = await opened(plan, told, plan["connections"])
    began, asking = time.perf_counter(), set[asyncio.Task[None]]()

    async def one(each: Connection, due: float) -> None:
        if await each.ask():
            told.times[-1] = time.perf_counter() - due
            free.append(each)

    for number in range(int(plan["rate"] * plan["seconds"])):
        due = began + number / plan["rate"]
        if (left := due - time.perf_counter()) > 0:
            await asyncio.sleep(left)
        while not free:
            await asyncio.sleep(0.001)
        task = asyncio.ensure_future(one(free.pop(), due))
        asking.add(task)
        task.add_done_callback(asking.discard)
    await asyncio.wait(asking) if asking else None


async def held(plan: dict[str, Any], told: Counts) -> None:
    connections: list[Connection] = []
    for start in range(0, plan["connections"], 100):
        some = await opened(plan, told, min(100, plan["connections"] - start))
        for each in some:
            each.ask()
        connections += some
        await asyncio.sleep(0.05)
    until = time.perf_counter() + 120
    while not all(each.begun for each in connections) and not told.errors and time.perf_counter() < until:
        await asyncio.sleep(0.1)
    print(json.dumps({"held": sum(each.begun for each in connections), "errors": told.errors}), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("plan", type=json.loads)
    plan, told = parser.parse_args().plan, Counts()
    began = time.perf_counter()
    uvloop.run({"closed": closed, "open": open_loop, "held": held}[plan["how"]](plan, told))
    times = sorted(told.times) or [0.0]
    figures = {"requests": len(told.times), "events": told.events, "seconds": time.perf_counter() - began}
    shares = {f"p{share}_ms": times[int(len(times) * share / 100)] * 1000 for share in (50, 99)}
    print(json.dumps(figures | shares | {"errors": told.errors}), flush=True)


if __name__ == "__main__":
    main()
