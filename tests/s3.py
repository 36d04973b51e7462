"""An S3 server for tests, and a proxy before it that fails as it is told to."""

import asyncio
import io
import logging
import urllib.request
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from uuid import uuid4

import aiohttp
from aiohttp import web
from msgspec import Struct
from yarl import URL

OPTIONS = {"access_key_id": "tester", "secret_access_key": "nothing-secret", "region": "us-east-1"}


class S3(Struct):
    """Where it is."""

    endpoint: str

    def bucket(self) -> str:
        """A new one, as the URL of a place in it."""
        name = f"films-{uuid4().hex[:12]}"
        self.call("PUT", name)
        return f"s3://{name}/here"

    def call(self, method: str, path: str) -> bytes:
        request = urllib.request.Request(f"{self.endpoint}/{path}", method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.read()


@contextmanager
def served() -> Generator[S3]:
    from moto.server import ThreadedMotoServer  # late: it takes two seconds

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield S3(f"http://{host}:{port}")
    finally:
        server.stop()


Fault = Callable[[web.Request, Callable[[], Awaitable[web.StreamResponse]]], Awaitable[web.StreamResponse]]
"""What happens to a request in the place of the usual."""


class Proxy:
    """Passes requests on; each of `faults` befalls one request, in order."""

    def __init__(self, endpoint: str) -> None:
        self.behind, self.endpoint = endpoint, ""
        self.faults: list[Fault] = []
        self.seen: list[str] = []
        self.always: Fault | None = None

    @asynccontextmanager
    async def running(self) -> AsyncGenerator["Proxy"]:
        app = web.Application(client_max_size=2**30)
        app.router.add_route("*", "/{path:.*}", self.answer)
        runner = web.AppRunner(app, auto_decompress=False, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.endpoint = site.name
        async with aiohttp.ClientSession(auto_decompress=False) as self.session:
            try:
                yield self
            finally:
                await runner.cleanup()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.seen.append(request.method)

        body = await request.read()

        async def usual() -> web.StreamResponse:
            headers = {k: v for k, v in request.headers.items() if k.lower() not in ("host", "transfer-encoding")}
            url = f"{self.behind}{request.raw_path}"
            async with self.session.request(
                request.method, URL(url, encoded=True), headers=headers, data=io.BytesIO(body)
            ) as answer:
                kept = {k: v for k, v in answer.headers.items() if k.lower() not in ("transfer-encoding", "connection")}
                return web.Response(status=answer.status, headers=kept, body=await answer.read())

        fault = self.faults.pop(0) if self.faults else self.always
        return await (fault(request, usual) if fault else usual())


def status(code: int, word: str = "") -> Fault:
    async def fault(request: web.Request, usual: Callable[[], Awaitable[web.StreamResponse]]) -> web.StreamResponse:
        return web.Response(status=code, text=f"<Error><Code>{word}</Code></Error>" if word else "")

    return fault


def slow(seconds: float) -> Fault:
    async def fault(request: web.Request, usual: Callable[[], Awaitable[web.StreamResponse]]) -> web.StreamResponse:
        await asyncio.sleep(seconds)
        return await usual()

    return fault


async def lost(request: web.Request, usual: Callable[[], Awaitable[web.StreamResponse]]) -> web.StreamResponse:
    """It is done, and nobody hears of it."""
    answer = await usual()
    assert request.transport is not None
    request.transport.abort()
    return answer


async def cut(request: web.Request, usual: Callable[[], Awaitable[web.StreamResponse]]) -> web.StreamResponse:
    """Half of the answer's body arrives."""
    whole = await usual()
    assert isinstance(whole, web.Response) and isinstance(whole.body, bytes) and request.transport is not None
    answer = web.StreamResponse(status=whole.status, headers=whole.headers)
    answer.content_length = len(whole.body)
    await answer.prepare(request)
    await answer.write(whole.body[: len(whole.body) // 2])
    request.transport.close()
    return answer
