"""A proxy between a gateway and its vendor that goes wrong on demand."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
from aiohttp import web


class Reply:
    """What came back from behind the proxy."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.status, self.headers, self.body = status, headers, body


Forward = Callable[[], Awaitable[Reply]]
Fault = Callable[[web.Request, Forward], Awaitable[web.StreamResponse | None]]
"""Answers a request in its own way; None: the connection is reset."""


NAME = re.compile(r"(?=[a-z_-]*[0-9A-Z])[A-Za-z0-9_-]{12,}")
"""What may be a name that the vendor gave, of a task or of a file: no word of plain letters."""
LINK = re.compile(r"/(?:files|assets)/[^\"\\\s]*")


class Rule:
    """What goes wrong, how often still, and with the requests of which job: of that whose prompt has this mark."""

    def __init__(self, pattern: str, fault: Fault, times: int, mark: str) -> None:
        self.pattern, self.fault, self.times, self.mark = re.compile(pattern), fault, times, mark


class FaultProxy:
    """Forwards what no rule is for. `await start()` first; `url` is where the gateway finds it."""

    def __init__(self, target: str) -> None:
        self.target = target
        self.rules: list[Rule] = []
        self.marks: set[str] = set()  # of the jobs that are told apart
        self._named: dict[str, str] = {}  # the vendor's names → the mark of the job that they are of
        self.log: list[tuple[str, int | None]] = []  # "POST /v1/…" and the status that the caller saw; None: a reset
        self.port = 0
        self._runner: web.AppRunner | None = None
        self._session: aiohttp.ClientSession | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def on(self, pattern: str, fault: Fault, times: int = 1, *, mark: str = "") -> None:
        """The next `times` requests whose "METHOD /path" the pattern matches go wrong in this way. `mark`: only those
        of the job whose prompt has it, its polls and the download of its result among them."""
        self.rules.append(Rule(pattern, fault, times, mark))
        if mark:
            self.marks.add(mark)

    async def start(self) -> None:
        self._session = self._session or aiohttp.ClientSession(auto_decompress=False)
        app = web.Application(client_max_size=1 << 28)
        app.router.add_route("*", "/{rest:.*}", self._answer)
        # what the test does not wait for is not waited for here: as it is, cleaning up takes up to a minute
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=0.5)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop_listening(self) -> None:
        """From now on connections are refused; `start` takes up the same port."""
        if self._runner:
            await self._runner.cleanup()
            self._runner = None

    async def close(self) -> None:
        await self.stop_listening()
        if self._session:
            await self._session.close()

    def sent(self, pattern: str) -> int:
        """How many requests there were that match."""
        return sum(bool(re.search(pattern, what)) for what, _ in self.log)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        what = f"{request.method} {request.path_qs}"
        body = await request.read() if self.marks else b""
        mark = self._mark_of(what, body)
        fault = self._fault_for(what, mark)
        if not body and fault is not reset_before:
            body = await request.read()

        async def forward() -> Reply:
            assert self._session
            headers = {name: value for name, value in request.headers.items() if name.lower() != "connection"}
            async with self._session.request(
                request.method, self.target + request.path_qs, data=body, headers=headers, allow_redirects=False
            ) as response:
                kept = {k: v for k, v in response.headers.items() if k.lower() not in HOP}
                said = await response.read()
                is_json = mark and "json" in response.content_type
                return Reply(response.status, kept, self._learn(mark, what, body, said) if is_json else said)

        try:
            answer = await (fault or passed_on)(request, forward)
        except aiohttp.ClientError:
            answer = None  # nobody is behind the proxy: to the caller, a connection that breaks off
        self.log.append((what, answer.status if answer is not None else None))
        if answer is None:
            if request.transport:
                request.transport.abort()
            raise asyncio.CancelledError
        return answer

    def _fault_for(self, what: str, mark: str) -> Fault | None:
        rule = next((each for each in self.rules if each.mark in ("", mark) and each.pattern.search(what)), None)
        if rule is None:
            return None
        rule.times -= 1
        if not rule.times:
            self.rules.remove(rule)
        return rule.fault

    def _mark_of(self, what: str, body: bytes) -> str:
        """Of the one job that a request is about; "" where it is about none, or about several."""
        if not self.marks:
            return ""
        text = what + body.decode("utf-8", "replace")
        found = {mark for mark in self.marks if mark in text}
        found = found or {self._named[name] for name in NAME.findall(text) if name in self._named}
        return found.pop() if len(found) == 1 else ""

    def _learn(self, mark: str, what: str, body: bytes, said: bytes) -> bytes:
        """Which names an answer tells first are of this job; its links carry the mark from now on."""
        asked = set(NAME.findall(what + body.decode("utf-8", "replace")))
        text = said.decode("utf-8", "replace")
        for name in set(NAME.findall(LINK.sub("", text))) - asked:
            self._named.setdefault(name, mark)
        return LINK.sub(lambda link: f"{link[0]}{'&' if '?' in link[0] else '?'}of={mark}", text).encode()


HOP = ("connection", "transfer-encoding", "content-length", "date", "server", "content-encoding")


def response_of(reply: Reply) -> web.Response:
    return web.Response(status=reply.status, headers=reply.headers, body=reply.body)


async def passed_on(request: web.Request, forward: Forward) -> web.StreamResponse | None:
    del request
    return response_of(await forward())


async def reset_before(request: web.Request, forward: Forward) -> web.StreamResponse | None:
    """The connection is reset when the head of the request has arrived, and nothing is forwarded."""


async def answer_lost(request: web.Request, forward: Forward) -> web.StreamResponse | None:
    """The vendor gets the request, the caller no answer."""
    await forward()


def late(seconds: float) -> Fault:
    async def fault(request: web.Request, forward: Forward) -> web.StreamResponse | None:
        reply = await forward()
        await asyncio.sleep(seconds)
        return response_of(reply)

    return fault


async def too_late(request: web.Request, forward: Forward) -> web.StreamResponse | None:
    """The vendor gets the request; the caller waits for the answer until it does not any more."""
    await forward()
    while request.transport is not None and not request.transport.is_closing():
        await asyncio.sleep(0.02)
    return None


def status(code: int, *, body: bytes = b'{"message": "no"}', retry_after: str | None = None) -> Fault:
    """An answer that the vendor did not give; nothing is forwarded."""

    async def fault(request: web.Request, forward: Forward) -> web.StreamResponse | None:
        headers = {"Retry-After": retry_after} if retry_after else None
        return web.Response(status=code, body=body, headers=headers, content_type="application/json")

    return fault


def status_after(code: int) -> Fault:
    """The vendor takes it, and then the answer is an error all the same."""

    async def fault(request: web.Request, forward: Forward) -> web.StreamResponse | None:
        await forward()
        return web.Response(status=code, body=b"upstream timed out")

    return fault


async def garbage(request: web.Request, forward: Forward) -> web.StreamResponse | None:
    """The vendor takes it; the answer is not what it documents."""
    reply = await forward()
    return web.Response(status=reply.status, body=b"<html>\xff{", content_type="application/json")


def changed(change: Callable[[Any], Any]) -> Fault:
    """The answer's JSON, changed."""

    async def fault(request: web.Request, forward: Forward) -> web.StreamResponse | None:
        reply = await forward()
        return web.json_response(change(json.loads(reply.body)), status=reply.status)

    return fault


async def truncated(request: web.Request, forward: Forward) -> web.StreamResponse | None:
    """Half of the body, then a reset."""
    reply = await forward()
    response = web.StreamResponse(status=reply.status, headers={"Content-Length": str(len(reply.body))})
    await response.prepare(request)
    await response.write(reply.body[: len(reply.body) // 2])
    await asyncio.sleep(0.05)
    return None


async def dead_link(request: web.Request, forward: Forward) -> web.StreamResponse | None:
    return web.Response(status=403, text="expired")
