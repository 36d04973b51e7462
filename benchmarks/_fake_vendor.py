"""A vendor that takes every job and never finishes one, cheaper than any client: Runway's and Freepik's paths.

`GET /figures` tells how often it was asked since the last time, and how long the most neglected task waited or waits;
`GET /requests` what was asked since the last time, and when. What asks with the header `x-peer` is answered, not noted.
"""

import argparse
import asyncio
import json
import time
import uuid
from typing import cast

import uvloop

HEAD_END = b"\r\n\r\n"
FREEPIK = "/v1/ai/"


class Tasks:
    """What was asked, and when."""

    def __init__(self) -> None:
        self.creates = self.polls = 0
        self.first_poll: float | None = None
        self.asked: dict[str, float] = {}  # task → when it was asked about last
        self.longest = 0.0
        self.since = self.logged = time.monotonic()
        self.requests: list[tuple[float, str]] = []

    def poll(self, id: str) -> None:
        now = time.monotonic()
        self.polls += 1
        self.first_poll = self.first_poll or time.time()
        self.longest = max(self.longest, now - max(self.asked.get(id, now), self.since))
        self.asked[id] = now

    def figures(self) -> dict[str, object]:
        now = time.monotonic()
        waiting = max((now - max(when, self.since) for when in self.asked.values()), default=0.0)
        told: dict[str, object] = {
            "creates": self.creates,
            "polls": self.polls,
            "tasks": len(self.asked),
            "longest": max(self.longest, waiting),
            "seconds": now - self.since,
            "first_poll": self.first_poll,
        }
        self.creates = self.polls = 0
        self.longest, self.since = 0.0, now
        return told

    def log(self) -> list[tuple[float, str]]:
        told, began = self.requests, self.logged
        self.requests, self.logged = [], time.monotonic()
        return [(when - began, target) for when, target in told]

    def answer(self, method: str, target: str, *, noted: bool) -> object:
        path, _, query = target.partition("?")
        if path == "/requests":
            return self.log()
        if path == "/figures":
            return self.figures()
        if path == "/forget":
            self.first_poll, self.asked = None, {}
            return {}
        if noted and method == "GET":
            self.requests.append((time.monotonic(), target))
        if method == "POST":
            self.creates += 1
            id = str(uuid.uuid4())
            self.asked[id] = time.monotonic()
            if path.startswith(FREEPIK):
                return {"data": {"task_id": id, "status": "CREATED", "generated": []}}
            return {"id": id}
        if query:  # Freepik's list, newest first
            number, size = (int(part.partition("=")[2]) for part in query.split("&")[:2])
            listed = list(self.asked)[-number * size : len(self.asked) - (number - 1) * size]
            for id in listed if noted else ():
                self.poll(id)
            return {"data": [{"task_id": id, "status": "IN_PROGRESS"} for id in reversed(listed)]}
        id = path.rpartition("/")[2]
        if noted:
            self.poll(id)
        if path.startswith(FREEPIK):
            return {"data": {"task_id": id, "status": "IN_PROGRESS", "generated": []}}
        return {"id": id, "status": "RUNNING", "createdAt": "2026-01-01T00:00:00.000Z", "progress": 0.5}


class Connection(asyncio.Protocol):
    def __init__(self, tasks: Tasks) -> None:
        self.tasks, self.buffer = tasks, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is not a subclass

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while (end := self.buffer.find(HEAD_END)) >= 0:
            head = self.buffer[:end].decode("latin-1")
            lines = [line.partition(":") for line in head.lower().split("\r\n")[1:]]
            length = next((int(value) for name, _, value in lines if name == "content-length"), 0)
            if len(self.buffer) < end + 4 + length:
                return
            self.buffer = self.buffer[end + 4 + length :]
            method, target, _ = head.split(" ", 2)
            body = json.dumps(self.tasks.answer(method, target, noted="\r\nx-peer:" not in head.lower())).encode()
            self.transport.write(
                b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)
            )


async def serve(port: int) -> None:
    tasks = Tasks()
    server = await asyncio.get_running_loop().create_server(lambda: Connection(tasks), "127.0.0.1", port)
    await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    _ = parser.add_argument("port", type=int)
    uvloop.run(serve(parser.parse_args().port))


if __name__ == "__main__":
    main()
