"""Sends answers in words: as they come, no more than 64 KiB of them held, until the caller or the account goes away."""

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from typing import Any

from mutoscope.model.http import Headers, HttpRequest, HttpResponse
from mutoscope.model.problem import Kind, Problem
from mutoscope.model.words import Tokens, token_count
from mutoscope.service.keys import Caller
from mutoscope.service.words import SCRIPT, Desk, Passing
from mutoscope.wirekit.routes import Stream
from mutoscope.wirekit.wire import Wire
from mutoscope.wirekit.words import Answer, event_data

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

HELD = 64 * 1024  # bytes of an answer that are held at most
EVENTS = "text/event-stream"
ENGINE = "x-mutoscope-engine"
UPSTREAM_ID = "x-mutoscope-upstream-id"  # by which the account's vendor finds the request
PASSED = ("retry-after", "retry-after-ms", "x-should-retry", "content-encoding", "content-length", "cache-control")
"""Headers of an account's answer that mean the same to the caller. Its rate limits are those of our key."""
USAGE = re.compile(rb'"usage"\s*:\s*(?=\{)')
ENDS = (b"\n\n", b"\r\n\r\n", b"\r\r")  # of an event
GONE = HttpResponse(status=499)  # nobody reads it


class Sending:
    """An answer that is sent piece by piece. `headers` may be added to until then."""

    def __init__(
        self, status: int, headers: Headers, pieces: AsyncIterator[bytes], gone: asyncio.Future[None], end: "End"
    ) -> None:
        self.status, self.headers = status, headers
        self._pieces, self._gone, self._end = pieces, gone, end

    async def send(self, send: Send) -> None:
        """To the end, or until the caller is gone: then what is behind it stops at once."""
        pump = asyncio.ensure_future(self._pump(send))
        try:
            await asyncio.wait({pump, self._gone}, return_when=asyncio.FIRST_COMPLETED)
            if not pump.done():
                pump.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await pump
        finally:
            pump.cancel()
            self._gone.cancel()
            self._end()

    async def _pump(self, send: Send) -> None:
        headers = [(name.encode(), text.encode("latin-1")) for name, text in self.headers.items()]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        with contextlib.suppress(Torn):  # without its end, which tells the caller that it is not whole
            async for piece in self._pieces:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b""})


class Torn(Exception):
    """The answer broke off where nothing can be said any more."""


End = Callable[[], None]


async def begin(
    desk: Desk, wire: Wire, route: Stream, request: HttpRequest, caller: Caller, receive: Receive, id: str
) -> HttpResponse | Sending:
    """An answer that has begun to come. Raises Problem while nothing was sent."""
    gone = asyncio.ensure_future(until_gone(receive))
    asking = asyncio.ensure_future(ask(desk, wire, route, request, caller, id))
    try:
        await asyncio.wait({gone, asking}, return_when=asyncio.FIRST_COMPLETED)
        if not asking.done():
            asking.cancel()
            with contextlib.suppress(asyncio.CancelledError, Problem):
                await asking
            return GONE
        model, found = asking.result()
    except BaseException:
        asking.cancel()
        gone.cancel()
        raise
    if isinstance(found, Passing):
        return passing(desk, wire, route, request, model, found, gone)
    desk.count(wire, model, SCRIPT, found.tokens.read, found.tokens.written)
    if found.response is not None:
        gone.cancel()
        found.response.headers[ENGINE] = SCRIPT
        return found.response
    headers = {"content-type": f"{EVENTS}; charset=utf-8", "cache-control": "no-cache", ENGINE: SCRIPT}
    return Sending(200, headers, written(found), gone, lambda: None)


async def ask(
    desk: Desk, wire: Wire, route: Stream, request: HttpRequest, caller: Caller, id: str
) -> tuple[str, Answer | Passing]:
    model, found = await desk.answer(wire, route, request, caller, id)
    if isinstance(found, Answer) and found.latency:
        await asyncio.sleep(found.latency)
    return model, found


async def until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def written(answer: Answer) -> AsyncIterator[bytes]:
    """The author's events, at the pace that was asked for."""
    for number, event in enumerate(answer.events):
        if number and answer.pause:
            await asyncio.sleep(answer.pause)
        if answer.cut is not None and number >= answer.cut:
            raise Torn
        yield event


# -- answers of accounts ------------------------------------------------------------------


def passing(
    desk: Desk,
    wire: Wire,
    route: Stream,
    request: HttpRequest,
    model: str,
    found: Passing,
    gone: asyncio.Future[None],
) -> Sending:
    """Raises Problem for an error that is not in the wire's words: a page of a proxy on the way."""
    peer, opened = found.peer, found.opened
    kind = opened.headers.get("content-type", "")
    if opened.status >= 400 and not kind.startswith("application/json"):
        peer.done(opened)
        gone.cancel()
        raise Problem(Kind.UPSTREAM_FAILED, f"The account {peer.name} answered {opened.status}, and not in JSON.")
    streams = kind.startswith(EVENTS)
    watch = Watch(route, streams)
    headers = {name: text for name in PASSED if (text := opened.headers.get(name))}
    headers |= {"content-type": kind or "application/json", ENGINE: peer.name}
    if streams:
        headers.pop("content-length", None)  # an error may have to be added
    if theirs := opened.headers.get("request-id") or opened.headers.get("x-request-id"):
        headers[UPSTREAM_ID] = theirs
    seconds = peer.settings.idle_seconds

    def end() -> None:
        peer.done(opened)
        if opened.status < 400:
            tokens = watch.tokens or Tokens(read=token_count(request.body.decode("utf-8", "replace")), estimated=True)
            desk.count(wire, model, peer.name, tokens.read, tokens.written or watch.events)

    pieces = events(found, route, watch, seconds) if streams else plain(found, watch, seconds)
    return Sending(opened.status, headers, pieces, gone, end)


async def plain(found: Passing, watch: "Watch", seconds: float) -> AsyncIterator[bytes]:
    """The bytes as they come. Raises Torn where they break off."""
    piece = found.first
    while piece:
        watch.tail(piece)
        yield piece
        try:
            piece = await found.opened.piece(seconds)
        except Problem as problem:
            raise Torn from problem
    watch.whole()


async def events(found: Passing, route: Stream, watch: "Watch", seconds: float) -> AsyncIterator[bytes]:
    """Whole events as they come, and one that tells why where they break off. Raises Torn where none can be added."""
    cutter, piece = Cutter(), found.first
    while piece:
        if whole := cutter.take(piece):
            watch.look(whole)
            yield whole
        try:
            piece = await found.opened.piece(seconds)
        except Problem as problem:
            found.peer.breaker.failed(problem.message)
            if cutter.torn:
                raise Torn from problem
            yield route.broken(problem)
            return
    if cutter.held:
        watch.look(cutter.held)
        yield cutter.held


class Cutter:
    """Cuts a stream after whole events. What is not whole yet is held back, and let go where it is too long to hold."""

    def __init__(self) -> None:
        self.held, self.torn = b"", False

    def take(self, piece: bytes) -> bytes:
        if not self.held and piece.endswith(b"\n\n"):
            self.torn = False
            return piece
        start, text = max(len(self.held) - 3, 0), self.held + piece
        end = max((at + len(mark) for mark in ENDS if (at := text.rfind(mark, start)) >= 0), default=0)
        whole, rest = text[:end], text[end:]
        if len(rest) > HELD:
            self.held, self.torn = b"", True
            return text
        if whole:
            self.torn = False
        self.held = rest
        return whole


class Watch:
    """What an answer tells of tokens while it passes."""

    def __init__(self, route: Stream, streams: bool) -> None:
        self.route, self.streams = route, streams
        self.tokens: Tokens | None = None
        self.events = 0
        self.kept, self.all = b"", True  # the end of an answer that is no stream, and whether it is all of it

    def look(self, events: bytes) -> None:
        self.events += events.count(b"\ndata:") + events.startswith(b"data:")
        if b'"usage"' not in events:
            return
        for each in events.replace(b"\r\n", b"\n").split(b"\n\n"):
            if b'"usage"' in each and (found := self.route.usage(event_data(each))):
                before = self.tokens or Tokens()
                self.tokens = Tokens(read=max(before.read, found.read), written=max(before.written, found.written))

    def tail(self, piece: bytes) -> None:
        self.all = self.all and len(self.kept) + len(piece) <= HELD
        self.kept = (self.kept + piece)[-HELD:]

    def whole(self) -> None:
        text = self.kept
        if not self.all:
            text = b'{"usage":%s}' % last_usage(text)
        self.tokens = self.route.usage(text)


def last_usage(text: bytes) -> bytes:
    """The object that stands as `usage` last in the end of an answer."""
    places = list(USAGE.finditer(text))
    if not places:
        return b"null"
    try:
        return json.dumps(
            json.JSONDecoder().raw_decode(text[places[-1].end() :].decode("utf-8", "replace"))[0]
        ).encode()
    except ValueError:
        return b"null"
