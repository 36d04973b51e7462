"""Sends answers in words: as they come, no more than 64 KiB of them held, until the caller or the account goes away."""

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from typing import Any

from mutoscope.engines.translation import Asked, Translation, Turning, problem_in
from mutoscope.model.http import Headers, HttpRequest, HttpResponse, json_response
from mutoscope.model.problem import Kind, Problem
from mutoscope.model.words import Tokens, token_count
from mutoscope.service.keys import Caller
from mutoscope.service.words import SCRIPT, Desk, Passing
from mutoscope.wirekit.answers import retry_after_in
from mutoscope.wirekit.routes import Stream
from mutoscope.wirekit.wire import Wire
from mutoscope.wirekit.words import Answer, event_data

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

HELD = 64 * 1024  # bytes of an answer that are held at most
TRANSLATED = 32 * 1024 * 1024  # bytes of an answer, or of an event, that is translated: it has to be whole
EVENTS = "text/event-stream"
ENGINE = "x-mutoscope-engine"
NOTES = "x-mutoscope-notes"
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
    if isinstance(found, HttpResponse):
        gone.cancel()
        return found
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
) -> tuple[str, Answer | Passing | HttpResponse]:
    model, found = await desk.answer(wire, route, request, caller, id)
    if isinstance(found, Answer) and found.latency:
        await asyncio.sleep(found.latency)
    if isinstance(found, Passing) and found.translation and (found.opened.status >= 400 or not found.asked.streams):
        return model, await translated(desk, wire, request, model, found, found.translation)
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
    """Raises Problem for an error that is not in the wire's words."""
    peer, opened = found.peer, found.opened
    try:
        kind = hold_json(found)
    except Problem:
        peer.done(opened)
        gone.cancel()
        raise
    streams = kind.startswith(EVENTS)
    watch = Watch(found.translation.usage if found.translation else route.usage)
    headers = headers_of(found) | {"content-type": kind or "application/json"}
    if streams:
        headers.pop("content-length", None)  # an error may have to be added
    seconds = peer.settings.idle_seconds

    def end() -> None:
        peer.done(opened)
        if opened.status < 400:
            tokens = watch.tokens or Tokens(read=token_count(request.body.decode("utf-8", "replace")), estimated=True)
            desk.count(wire, model, peer.name, tokens.read, tokens.written or watch.events)

    if found.translation:
        turning = found.translation.turning(found.asked, desk.author.now())
        pieces = turned(found, turning, route, watch, seconds)
        headers["content-type"] = f"{EVENTS}; charset=utf-8"
    else:
        pieces = events(found, route, watch, seconds) if streams else plain(found, watch, seconds)
    return Sending(opened.status, headers, pieces, gone, end)


def hold_json(found: Passing) -> str:
    """The media type. Raises Problem for an error that is a page of a proxy on the way."""
    kind, status = found.opened.headers.get("content-type", ""), found.opened.status
    if status >= 400 and not kind.startswith("application/json"):
        raise Problem(Kind.UPSTREAM_FAILED, f"The account {found.peer.name} answered {status}, and not in JSON.")
    return kind


def headers_of(found: Passing) -> Headers:
    """What an account's answer tells beside its body."""
    told = found.opened.headers
    headers = {name: text for name in PASSED if (text := told.get(name))} | {ENGINE: found.peer.name}
    if theirs := told.get("request-id") or told.get("x-request-id"):
        headers[UPSTREAM_ID] = theirs
    if found.translation:
        headers = {name: text for name, text in headers.items() if name not in ("content-length", "content-encoding")}
        headers |= {NOTES: noted(found.asked)} if found.asked.notes else {}
    return headers


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


# -- answers of accounts of another wire ---------------------------------------------------


def noted(asked: Asked) -> str:
    text = f"left out, because the account's API has no word for it: {', '.join(asked.notes)}"
    return text.encode("ascii", "backslashreplace").decode()[:1024]


async def translated(
    desk: Desk, wire: Wire, request: HttpRequest, model: str, found: Passing, translation: Translation
) -> HttpResponse:
    """A whole answer in the caller's words. Raises Problem where it breaks off, or is none."""
    peer, opened, piece, held = found.peer, found.opened, found.first, bytearray()
    try:
        hold_json(found)
        while piece:
            held += piece
            if len(held) > TRANSLATED:
                raise Problem(Kind.UPSTREAM_FAILED, f"The account {peer.name} sent more than can be translated.")
            piece = await opened.piece(peer.settings.idle_seconds)
    finally:
        peer.done(opened)
    body = bytes(held)
    if opened.status >= 400:
        problem = problem_in(body, opened.status, retry_after_in(opened.headers))
        response = wire.render_problem(problem, request)
    else:
        tokens = translation.usage(body) or Tokens(read=token_count(request.body.decode("utf-8", "replace")))
        desk.count(wire, model, peer.name, tokens.read, tokens.written)
        response = json_response(translation.answer(body, desk.author.now()))
    response.headers.update(headers_of(found) | response.headers)
    return response


async def turned(
    found: Passing, turning: Turning, route: Stream, watch: "Watch", seconds: float
) -> AsyncIterator[bytes]:
    """The account's events in the caller's words, as they come, and one that tells why where they break off."""
    cutter, piece = Cutter(TRANSLATED), found.first
    try:
        while piece and not turning.over:
            whole = cutter.take(piece)
            watch.look(whole)
            for event in ends_alike(whole).split(b"\n\n")[:-1]:
                for said in turning.take(event_data(event)):
                    yield said
            if cutter.torn:
                raise Problem(Kind.UPSTREAM_FAILED, f"The account {found.peer.name} sent an event without end.")
            piece = b"" if turning.over else await found.opened.piece(seconds)
        if cutter.held.strip() and not turning.over:
            watch.look(cutter.held)
            data = event_data(cutter.held)
            if not data:
                raise Problem(Kind.UPSTREAM_FAILED, f"The account {found.peer.name} broke off within an event.")
            for said in turning.take(data):
                yield said
        for said in turning.end():
            yield said
    except Problem as problem:
        found.peer.breaker.failed(problem.message)
        yield route.broken(problem)


def ends_alike(events: bytes) -> bytes:
    return events.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


class Cutter:
    """Cuts a stream after whole events. What is not whole yet is held back, and let go where it is too long to hold."""

    def __init__(self, most: int = HELD) -> None:
        self.held, self.torn, self.most = b"", False, most

    def take(self, piece: bytes) -> bytes:
        if not self.held and piece.endswith(b"\n\n"):
            self.torn = False
            return piece
        start, text = max(len(self.held) - 3, 0), self.held + piece
        end = max((at + len(mark) for mark in ENDS if (at := text.rfind(mark, start)) >= 0), default=0)
        whole, rest = text[:end], text[end:]
        if len(rest) > self.most:
            self.held, self.torn = b"", True
            return text
        if whole:
            self.torn = False
        self.held = rest
        return whole


class Watch:
    """What an answer tells of tokens while it passes."""

    def __init__(self, usage: Callable[[bytes], Tokens | None]) -> None:
        self.usage = usage
        self.tokens: Tokens | None = None
        self.events = 0
        self.kept, self.all = b"", True  # the end of an answer that is no stream, and whether it is all of it

    def look(self, events: bytes) -> None:
        self.events += events.count(b"\ndata:") + events.startswith(b"data:")
        if b'"usage"' not in events:
            return
        for each in events.replace(b"\r\n", b"\n").split(b"\n\n"):
            if b'"usage"' in each and (found := self.usage(event_data(each))):
                before = self.tokens or Tokens()
                self.tokens = Tokens(read=max(before.read, found.read), written=max(before.written, found.written))

    def tail(self, piece: bytes) -> None:
        self.all = self.all and len(self.kept) + len(piece) <= HELD
        self.kept = (self.kept + piece)[-HELD:]

    def whole(self) -> None:
        text = self.kept
        if not self.all:
            text = b'{"usage":%s}' % last_usage(text)
        self.tokens = self.usage(text)


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
