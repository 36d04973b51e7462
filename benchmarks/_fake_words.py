"""A vendor of words, cheaper than any gateway: POST /v1/chat/completions, and the model says what comes.

`json` answers at once with a kilobyte; `sse-N` streams N events as fast as they are read; `slow-N` N events a second,
until the caller goes; `idle` one event, and then nothing until the caller goes.
"""

import argparse
import asyncio
import re
from typing import cast

import uvloop

TEXT = "All the world's a stage, and all the men and women merely players. " * 12
JSON = b"""{"id":"chatcmpl-1","object":"chat.completion","created":1790000000,"model":"m","choices":[{"index":0,\
"message":{"role":"assistant","content":"%s","refusal":null},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":19,\
"completion_tokens":200,"total_tokens":219}}""" % TEXT.encode()
EVENT = b"""data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1790000000,"model":"m","choices":[\
{"index":0,"delta":{"content":" stage"},"logprobs":null,"finish_reason":null}]}\n\n"""
LAST = b"""data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1790000000,"model":"m","choices":[\
{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}]}\n\ndata: {"id":"chatcmpl-1",\
"object":"chat.completion.chunk","created":1790000000,"model":"m","choices":[],"usage":{"prompt_tokens":19,"completion_tokens":200,\
"total_tokens":219}}\n\ndata: [DONE]\n\n"""
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (len(JSON), JSON)
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
MODEL = re.compile(rb'"model"\s*:\s*"(?:[\w.]+/)?(json|idle|sse-\d+|slow-\d+)"')
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


ONE, END = chunk(EVENT), chunk(LAST) + b"0\r\n\r\n"


class Vendor(asyncio.Protocol):
    def __init__(self) -> None:
        self.buffer = b""
        self.speaking: asyncio.Task[None] | None = None
        self.writable = asyncio.Event()
        self.writable.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def pause_writing(self) -> None:
        self.writable.clear()

    def resume_writing(self) -> None:
        self.writable.set()

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self.writable.set()
        if self.speaking:
            self.speaking.cancel()

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            length = LENGTH.search(self.buffer, 0, end + 2)
            whole = end + 4 + (int(length[1]) if length else 0)
            if len(self.buffer) < whole:
                return
            asked = MODEL.search(self.buffer, end, whole)
            self.buffer = self.buffer[whole:]
            kind, _, number = (asked[1] if asked else b"json").decode().partition("-")
            if kind == "json":
                self.transport.write(ANSWER)
            else:
                self.speaking = asyncio.ensure_future(self.speak(kind, int(number or 0)))

    async def speak(self, kind: str, number: int) -> None:
        self.transport.write(HEAD + (b"" if kind == "sse" else ONE))
        while kind == "slow":
            await asyncio.sleep(1 / number)
            self.transport.write(ONE)
        if kind == "sse":
            for _ in range(number):  # one write an event, as a model's server does
                await self.writable.wait()
                self.transport.write(ONE)
            self.transport.write(END)


async def serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Vendor, "127.0.0.1", port, backlog=8192)
    await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    uvloop.run(serve(parser.parse_args().port))


if __name__ == "__main__":
    main()
