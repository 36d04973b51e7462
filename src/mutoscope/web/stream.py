"""Sends answers in words: as they come, no more than 64 KiB of them held, until the caller or the account goes away."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from typing import Any

from mutoscope.engines.translation import Asked, Translation, Turning, problem_in
from mutoscope.model.http import Headers, HttpRequest, HttpResponse, json_response
from mutoscope.model.problem import Kind, Problem
from mutoscope.model.words import Tokens
from mutoscope.service.keys import Caller
from mutoscope.service.spending import RECORDED, Exchange, How
from mutoscope.service.words import SCRIPT, Desk, Passing
from mutoscope.web import protocol
from mutoscope.wirekit.answers import retry_after_in
from mutoscope.wirekit.routes import Again, InWords, Stream
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
        self, status: int, headers: Headers, pieces: AsyncIterator[bytes], departure: "Departure", end: "End"
    ) -> None:
        self.status, self.headers = status, headers
        self._pieces, self._departure, self._end = pieces, departure, end

    async def send(self, send: Send) -> None:
        """To the end, or until the caller is gone: then what is behind it stops at once."""
        how: How = "left"
        try:
            how = await self._pump(send)
        except asyncio.CancelledError:
            self._departure.accept()
        finally:
            self._departure.stop()
            self._end(how)

    async def _pump(self, send: Send) -> How:
        headers = [(name.encode(), text.encode("latin-1")) for name, text in self.headers.items()]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        try:
            async for piece in self._pieces:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        except Torn:
            return "broken"  # without its end, which tells the caller that it is not whole
        await send({"type": "http.response.body", "body": b""})
        return "whole"


class Departure:
    """Cancels the task that makes an answer as soon as its caller is gone. It watches until it is stopped."""

    def __init__(self, receive: Receive) -> None:
        self._seen = False
        self._task = asyncio.current_task()
        self._watch: asyncio.Task[None] | None = None
        exchange = getattr(receive, "__self__", None)
        self._exchange = exchange if isinstance(exchange, protocol.Exchange) else None
        if self._exchange is not None and not self._exchange.disconnected:
            self._exchange.on_left = self._leave  # our own connection tells, which costs no task that waits for it
        else:
            self._watch = asyncio.ensure_future(until_gone(receive))
            self._watch.add_done_callback(self._left)

    def _left(self, watch: asyncio.Task[None]) -> None:
        if not watch.cancelled() and watch.exception() is None:
            self._leave()

    def _leave(self) -> None:
        if self._task:
            self._seen = True
            self._task.cancel()

    def accept(self) -> None:
        """Where a cancellation was caught: go on if it was ours. Raises CancelledError for another's."""
        if not self._seen or self._task is None:
            raise asyncio.CancelledError
        self._task.uncancel()

    def stop(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
        if self._exchange is not None:
            self._exchange.on_left = None


class Torn(Exception):
    """The answer broke off where nothing can be said any more."""


End = Callable[[How], None]


async def begin(
    desk: Desk,
    wire: Wire,
    route: Stream | Again,
    request: HttpRequest,
    caller: Caller,
    receive: Receive,
    id: str,
    who: str,
) -> HttpResponse | Sending:
    """An answer that has begun to come. `who` shares what is limited. Raises Problem while nothing was sent."""
    departure = Departure(receive)
    try:
        exchange, found = await ask(desk, wire, route, request, caller, id, who)
        if isinstance(found, Passing):
            found = passing(desk, route, exchange, found, departure)
    except asyncio.CancelledError:
        departure.stop()
        departure.accept()
        return GONE
    except BaseException:
        departure.stop()
        raise
    if isinstance(found, Sending):
        return found
    if isinstance(found, HttpResponse):
        departure.stop()
        return found
    if found.response is not None:
        departure.stop()
        exchange.end(found.response.status, "whole", found.tokens, response=found.response.body)
        found.response.headers[ENGINE] = SCRIPT
        return found.response
    headers = {"content-type": f"{EVENTS}; charset=utf-8", "cache-control": "no-cache", ENGINE: SCRIPT}
    response = b"".join(found.events)
    return Sending(
        200, headers, written(found), departure, lambda _: exchange.end(200, "whole", found.tokens, response=response)
    )


async def ask(
    desk: Desk, wire: Wire, route: Stream | Again, request: HttpRequest, caller: Caller, id: str, who: str
) -> tuple[Exchange, Answer | Passing | HttpResponse]:
    if isinstance(route, Again):
        return await desk.again(wire, route, request, caller, id, who)
    exchange, found = await desk.answer(wire, route, request, caller, id, who)
    if isinstance(found, Answer) and found.latency:
        await asyncio.sleep(found.latency)
    if isinstance(found, Passing) and found.translation and (found.opened.status >= 400 or not found.asked.streams):
        return exchange, await translated(desk, wire, request, exchange, found, found.translation)
    return exchange, found


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
    desk: Desk, route: InWords, exchange: Exchange, found: Passing, departure: Departure
) -> Sending | HttpResponse:
    """Raises Problem for an error that is not in the wire's words."""
    peer, opened = found.peer, found.opened
    try:
        kind = check_json(found)
    except Problem:
        peer.done(opened)
        exchange.end(opened.status, "failed")
        raise
    streams = kind.startswith(EVENTS)
    watch = Watch(found.translation.usage if found.translation else route.usage, keeps=desk.books.records == "bodies")
    headers = headers_of(found)
    if not streams and not found.translation and headers.get("content-length") == str(len(found.first)):
        del headers["content-length"]  # all of it is there
        watch.tail(found.first)
        watch.whole()
        peer.done(opened)
        exchange.end(opened.status, "whole", watch.tokens, response=found.first)
        departure.stop()
        return HttpResponse(status=opened.status, headers=headers, body=found.first, media_type=kind)
    headers["content-type"] = kind or "application/json"
    if streams:
        headers.pop("content-length", None)  # an error may have to be added
    seconds = peer.settings.idle_seconds

    def end(how: How) -> None:
        peer.done(opened)
        if not streams and how != "whole":
            watch.whole()  # what there is of it
        how = "broken" if watch.broken else how
        exchange.end(opened.status, how, watch.tokens, events=watch.events, response=bytes(watch.record))

    if found.translation:
        turning = found.translation.turning(found.asked, desk.author.now())
        pieces = turned(found, turning, route, watch, seconds)
        headers["content-type"] = f"{EVENTS}; charset=utf-8"
    else:
        pieces = events(found, route, watch, seconds) if streams else plain(found, watch, seconds)
    return Sending(opened.status, headers, pieces, departure, end)


def check_json(found: Passing) -> str:
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


async def events(found: Passing, route: InWords, watch: "Watch", seconds: float) -> AsyncIterator[bytes]:
    """Whole events as they come, and one that tells why where they break off. Raises Torn where none can be added."""
    cutter, piece = Cutter(), found.first
    while piece:
        if whole := cutter.take(piece):
            watch.look(whole)
            yield whole
        try:
            piece = await found.opened.piece(seconds)
        except Problem as problem:
            found.peer.broke_off(found.opened, problem.message)
            watch.broken = True
            if cutter.torn:
                raise Torn from problem
            yield route.broken(problem)
            return
    if cutter.held:
        rest = bytes(cutter.held)
        watch.look(rest)
        yield rest


# -- answers of accounts of another wire ---------------------------------------------------


def noted(asked: Asked) -> str:
    text = f"left out, because the account's API has no word for it: {', '.join(asked.notes)}"
    return text.encode("ascii", "backslashreplace").decode()[:1024]


async def translated(
    desk: Desk, wire: Wire, request: HttpRequest, exchange: Exchange, found: Passing, translation: Translation
) -> HttpResponse:
    """A whole answer in the caller's words. Raises Problem where it breaks off, or is none."""
    peer, opened, piece, held = found.peer, found.opened, found.first, bytearray()
    try:
        check_json(found)
        while piece:
            held += piece
            if len(held) > TRANSLATED:
                raise Problem(Kind.UPSTREAM_FAILED, f"The account {peer.name} sent more than can be translated.")
            piece = await opened.piece(peer.settings.idle_seconds)
        body = bytes(held)
        told = translation.usage(body) if opened.status < 400 else None
        response = in_callers_words(desk, wire, request, found, translation, body)
    except Problem:
        exchange.end(opened.status, "broken")
        raise
    except BaseException:
        exchange.end(opened.status, "left")
        raise
    finally:
        peer.done(opened)
    exchange.end(opened.status, "whole", told, response=body)
    response.headers.update(headers_of(found) | response.headers)
    return response


def in_callers_words(
    desk: Desk, wire: Wire, request: HttpRequest, found: Passing, translation: Translation, body: bytes
) -> HttpResponse:
    """Raises Problem for what cannot be read."""
    opened = found.opened
    if opened.status >= 400:
        return wire.render_problem(problem_in(body, opened.status, retry_after_in(opened.headers)), request)
    return json_response(translation.answer(body, desk.author.now()))


async def turned(
    found: Passing, turning: Turning, route: InWords, watch: "Watch", seconds: float
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
            rest = bytes(cutter.held)
            watch.look(rest)
            data = event_data(rest)
            if not data:
                raise Problem(Kind.UPSTREAM_FAILED, f"The account {found.peer.name} broke off within an event.")
            for said in turning.take(data):
                yield said
        for said in turning.end():
            yield said
    except Problem as problem:
        found.peer.broke_off(found.opened, problem.message)
        watch.broken = True
        yield route.broken(problem)


def ends_alike(events: bytes) -> bytes:
    return events.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


class Cutter:
    """Cuts a stream after whole events. What is not whole yet is held back, and let go where it is too long to hold."""

    def __init__(self, most: int = HELD) -> None:
        self.held, self.torn, self.most = bytearray(), False, most

    def take(self, piece: bytes) -> bytes:
        if not self.held and piece.endswith(b"\n\n"):
            self.torn = False
            return piece
        start = max(len(self.held) - 3, 0)
        self.held += piece
        end = max((at + len(mark) for mark in ENDS if (at := self.held.rfind(mark, start)) >= 0), default=0)
        if len(self.held) - end > self.most:
            self.torn, end = True, len(self.held)
        elif end:
            self.torn = False
        whole = bytes(self.held[:end])
        del self.held[:end]
        return whole


class Watch:
    """What an answer tells of tokens while it passes."""

    def __init__(self, usage: Callable[[bytes], Tokens | None], *, keeps: bool = False) -> None:
        """`keeps` the beginning for a record."""
        self.usage, self.keeps, self.record = usage, keeps, bytearray()
        self.broken = False  # by the account
        self.tokens: Tokens | None = None
        self.events = 0
        self.kept, self.all = b"", True  # the end of an answer that is no stream, and whether it is all of it

    def look(self, events: bytes) -> None:
        self.keep(events)
        self.events += events.count(b"\ndata:") + events.startswith(b"data:")
        end = 0
        for place in USAGE.finditer(events):
            if place.start() < end:
                continue
            start, end = event_around(events, place.start())
            if found := self.usage(event_data(events[start:end])):
                self.tokens = larger(self.tokens, found) if self.tokens else found

    def keep(self, piece: bytes) -> None:
        if self.keeps and len(self.record) <= RECORDED:
            self.record += piece[: RECORDED * 2]

    def tail(self, piece: bytes) -> None:
        self.keep(piece)
        self.all = self.all and len(self.kept) + len(piece) <= HELD
        self.kept = (self.kept + piece)[-HELD:]

    def whole(self) -> None:
        text = self.kept
        if not self.all:
            text = b'{"usage":%s}' % last_usage(text)
        self.tokens = self.usage(text)


def event_around(events: bytes, place: int) -> tuple[int, int]:
    """Where the event begins and ends that has this place."""
    start = max(at + len(mark) if (at := events.rfind(mark, 0, place)) >= 0 else 0 for mark in ENDS)
    end = min(at if (at := events.find(mark, place)) >= 0 else len(events) for mark in ENDS)
    return start, end


def larger(one: Tokens, other: Tokens) -> Tokens:
    """Events count from the beginning of the answer, so the largest figures are those of the end."""
    return Tokens(
        read=max(one.read, other.read),
        written=max(one.written, other.written),
        cached=max(one.cached, other.cached),
        cache_written=max(one.cache_written, other.cache_written),
    )


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
