"""A client's connection, with bounds: how large a request's head may be, how long head and body may drip in, and how
long an answer may wait for its reader.

The ASGI server has none of these, and reads each request to its end before anybody else can say that it is enough.
"""

import asyncio
import contextlib
import re
import socket
import struct
from collections.abc import Callable, Coroutine, MutableMapping, Sequence
from enum import Enum
from functools import lru_cache
from itertools import chain
from operator import itemgetter
from typing import Any
from urllib.parse import unquote

import httptools
from uvicorn.protocols.http.httptools_impl import (
    HEADER_RE,
    HEADER_VALUE_RE,
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

MAX_HEAD = 64 * 1024  # bytes of request line and headers
MAX_TARGET = 8 * 1024  # path and query
MAX_HEADERS = 100
HEAD_SECONDS = 20.0  # from the first byte, or from the connection's beginning, to the end of the head
BODY_SECONDS, BODY_BYTES = 20.0, 16 * 1024  # in any such time at least so much of a body has to come

ANSWER_SECONDS, ANSWER_BYTES = 20.0, 16 * 1024  # in any such time at least so much of an answer has to be read
SOCKETS = re.compile(rb"/realtime/?(?:\?|$)")  # where an offer of a WebSocket is accepted
SPARE = 128  # descriptors that are kept for the store, children, vendors and receivers

REASONS = {
    408: "Request Timeout",
    414: "URI Too Long",
    431: "Request Header Fields Too Large",
    503: "Service Unavailable",
}


class Stage(Enum):
    IDLE = "idle"  # between two requests: the server's own keep-alive timeout counts
    HEAD = "head"
    BODY = "body"


class Watched:
    """A connection that is reset where an answer waits too long for its reader. Stands before uvicorn's own class."""

    loop: asyncio.AbstractEventLoop
    transport: asyncio.Transport
    unread = 0  # bytes of an answer that waited for the reader at the last look
    reading: asyncio.TimerHandle | None = None  # while they are too many to write more

    def pause_writing(self) -> None:
        super().pause_writing()  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
        self.unread = self.transport.get_write_buffer_size()
        self.reading = self.loop.call_later(ANSWER_SECONDS, self.look_after)

    def resume_writing(self) -> None:
        if self.reading is not None:
            self.reading.cancel()
            self.reading = None
        super().resume_writing()  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]

    def look_after(self) -> None:
        """Nothing is written meanwhile: what is left less is what was read."""
        left = self.transport.get_write_buffer_size()
        if self.unread - left < ANSWER_BYTES:
            self.drop()
            return
        self.unread = left
        self.reading = self.loop.call_later(ANSWER_SECONDS, self.look_after)

    def drop(self) -> None:
        """Reset it: the system, too, keeps nothing for a reader who does not read."""
        door = self.transport.get_extra_info("socket")
        if door is not None:
            with contextlib.suppress(OSError):
                door.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()


WHOLE = "mutoscope.whole"
"""An extension of ASGI that a scope names: the message that starts an answer may have its whole body too."""


class Exchange(RequestResponseCycle):
    """uvicorn's request and its answer, which may be one message and one write."""

    on_left: Callable[[], None] | None = None  # called where the client goes before the answer is whole
    handed = False  # the whole body, to who asked for it: what is heard after it is the client going

    @property
    def is_over(self) -> bool:
        return self.disconnected or self.response_complete

    async def receive(self) -> Any:
        """A body that is there already, as nearly all are, is waited for by nobody."""
        if self.handed or self.more_body or self.waiting_for_100_continue or self.is_over:
            return await super().receive()
        self.handed = True
        self.flow.resume_reading()
        self.message_event.clear()
        body, self.body = bytes(self.body), bytearray()
        return {"type": "http.request", "body": body, "more_body": False}

    def send(self, message: Any) -> Coroutine[Any, Any, None]:  # pyright: ignore[reportIncompatibleMethodOverride]
        if "body" in message and message["type"] == "http.response.start" and not self.response_started:
            return self.send_whole(message["status"], message["headers"], message["body"])
        return super().send(message)

    async def send_whole(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        """The headers are lower case, with the length of the body among them."""
        if self.flow.write_paused and not self.disconnected:
            await self.flow.drain()
        if self.disconnected:
            return
        self.response_started, self.waiting_for_100_continue = True, False
        head, close = head_of(status, headers), b"" if self.keep_alive else b"connection: close\r\n"
        self.transport.write(b"%b%b\r\n%b" % (head, close, b"" if self.scope["method"] == "HEAD" else body))
        self.response_complete = True
        self.message_event.set()
        if not self.keep_alive:
            self.transport.close()
        self.on_response()


class Connection(Watched, HttpToolsProtocol):
    """uvicorn's, watched. A request that comes whole, as nearly all do, costs a few assignments and no timer."""

    app: Any
    cycle: Any
    scope: Any
    at_once: Callable[[MutableMapping[str, Any]], bytes | None] | None = None
    """Answers some requests without a task of their own, with all bytes of the answer; None: as all others."""
    answered = False  # the request was answered at once, and its end is still to be heard
    idle_since = 0.0  # by the loop's clock; 0 while a request is under way
    stage = Stage.HEAD  # a connection on which nothing is ever said does not stay either
    taken = 0  # bytes of this head, or of a body since the last look
    timer: asyncio.TimerHandle | None = None
    most = 0  # connections at once; 0 sets no limit
    told_again = False  # while a parser is told a head that has been taken already
    refusal = 0  # the status for a head that breaks a bound

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        if self.most and len(self.connections) > self.most:
            self.refuse(503)  # before there is no descriptor left, and nobody gets an answer
            return
        self.wait(HEAD_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        self.stop_waiting()
        self._unset_keepalive_if_required()
        self.resume_writing()
        super().connection_lost(exc)
        if self.cycle is not None and self.cycle.disconnected and self.cycle.on_left:
            self.cycle.on_left()

    def data_received(self, data: bytes) -> None:
        self.taken += len(data)
        self.feed(data)
        if self.transport.is_closing() or self.transport.get_protocol() is not self:
            return
        if self.stage is Stage.IDLE:
            if self.timer is not None:
                self.stop_waiting()
        elif self.stage is Stage.HEAD and self.taken > MAX_HEAD:
            self.refuse(431)
        elif self.timer is None:
            self.wait(HEAD_SECONDS if self.stage is Stage.HEAD else BODY_SECONDS)

    def feed(self, data: bytes) -> None:
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError:
            self.send_400_response("Invalid HTTP request received.")
        except httptools.HttpParserUpgrade as offer:
            if not self._should_upgrade():
                self.decline(data[offer.args[0] :])
            elif data[offer.args[0] :]:
                self.send_400_response("A WebSocket says nothing before its handshake is answered.")
            else:
                self.stop_waiting()
                self._unset_keepalive_if_required()
                self.handle_websocket_upgrade()

    def _should_upgrade(self) -> bool:
        """Where there is a WebSocket; elsewhere the offer is declined like any other."""
        get = self.parser.get_method() == b"GET"
        return get and SOCKETS.search(self.url) is not None and super()._should_upgrade()

    def decline(self, rest: bytes) -> None:
        """The client offers another protocol (h2c, as Java's does with every request), which a server may ignore. The
        parser stops at such a head and would drop the body: another goes on from there, that is told the same head
        without the offer.
        """
        if self.parser.get_method() != b"CONNECT":
            lines = [b"%s / HTTP/%s" % (self.parser.get_method(), self.parser.get_http_version().encode())]
            lines += [b"%s: %s" % header for header in self.headers if header[0] != b"upgrade"]
            self.parser = httptools.HttpRequestParser(self)
            self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn does
            self.told_again = True
            self.feed(b"\r\n".join(lines) + b"\r\n\r\n")
        if not self.transport.is_closing():
            self.feed(rest)

    # What the parser says, often several things in one piece of data

    def on_message_begin(self) -> None:
        if self.told_again:
            return
        self.url, self.headers, self.expect_100_continue = b"", [], False
        self.stage, self.idle_since = Stage.HEAD, 0.0

    def on_url(self, url: bytes) -> None:
        if not self.told_again:
            self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.told_again:
            return
        name = name.lower()
        if name == b"expect" and value.lower() == b"100-continue":
            self.expect_100_continue = True
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        if self.told_again:
            self.told_again = False
            return
        if len(self.url) > MAX_TARGET:
            self.refusal = 414
        elif len(self.headers) > MAX_HEADERS or (self.taken > MAX_HEAD and size_of(self.headers) > MAX_HEAD):
            self.refusal = 431
        if self.refusal:
            raise TooLarge
        self.begin()
        self.stage, self.taken = Stage.BODY, 0
        if self.timer is not None:
            self.stop_waiting()

    def begin(self) -> None:
        """Answer the request whose head is complete, after those before it. As uvicorn does, without what we never use:
        root paths, its own limit of connections, and a state that requests share."""
        parser = self.parser
        version, method = parser.get_http_version(), parser.get_method().decode("ascii")
        scope: Any = {
            "type": "http",
            "asgi": ASGI,
            "http_version": version,
            "server": self.server,
            "client": self.client,
            "scheme": self.scheme or "http",
            "root_path": "",
            "headers": self.headers,
            "extensions": EXTENSIONS,
            "method": method,
        }
        self.scope = scope
        if parser.should_upgrade() and self._should_upgrade():
            return
        path, query = target_of(self.url)
        text = path.decode("ascii")
        scope["path"], scope["raw_path"] = unquote(text) if "%" in text else text, path
        scope["query_string"] = query
        first = self.cycle is None or self.cycle.response_complete
        keep_alive = version != "1.0" and parser.should_keep_alive()
        if method == "GET" and first and keep_alive and self.at_once and not self.flow.write_paused:
            answer = self.at_once(scope)
            if answer is not None:
                self.answered = True
                self.transport.write(answer)
                return
        self.cycle = Exchange(
            scope,
            self.transport,
            self.flow,
            self.logger,
            self.access_logger,
            False,
            self.server_state.default_headers,
            asyncio.Event(),
            self.expect_100_continue,
            keep_alive,
            self.on_response_complete,
        )
        if first:
            self._start_asgi_task(self.cycle, self.app)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((self.cycle, self.app))

    def on_body(self, body: bytes) -> None:
        if not self.answered:
            super().on_body(body)

    def on_message_complete(self) -> None:
        if (offered := self.parser.should_upgrade()) and self.parser.get_method() != b"CONNECT":
            return  # its body is still to come
        if self.answered:
            self.answered = False
            self.on_response_complete()
        elif offered:
            super().on_message_complete()
        elif not self.cycle.response_complete:
            self.cycle.more_body = False
            self.cycle.message_event.set()
        self.stage, self.taken = Stage.IDLE, 0

    # Between two requests: one timer as long as the connection lives, for to set one anew with each costs more than all
    # else that is done here

    def on_response_complete(self) -> None:
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
            return
        self.idle_since = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self.look_at_idle(self.timeout_keep_alive)

    def look_at_idle(self, seconds: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(seconds, self.timeout_keep_alive_handler)

    def timeout_keep_alive_handler(self) -> None:
        self.timeout_keep_alive_task = None
        if not self.idle_since:
            return  # the end of the answer under way asks for the next look
        left = self.idle_since + self.timeout_keep_alive - self.loop.time()
        if left > 0:
            self.look_at_idle(left)
        elif self.transport.get_write_buffer_size():
            self.drop()  # the last answer was never read, and to close would wait for that
        else:
            super().timeout_keep_alive_handler()

    # Patience and its end

    def wait(self, seconds: float) -> None:
        self.timer = self.loop.call_later(seconds, self.look)

    def stop_waiting(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None

    def look(self) -> None:
        """Time is up: for a head in any case, for a body if too little of it came although we would have read it."""
        self.timer = None
        if self.stage is Stage.HEAD:
            self.refuse(408)
        elif self.stage is Stage.BODY and self.taken < BODY_BYTES and not self.flow.read_paused:
            self.transport.close()  # whoever reads the body is told that it broke off
        elif self.stage is Stage.BODY:
            self.taken = 0
            self.wait(BODY_SECONDS)

    def send_400_response(self, msg: str) -> None:
        """For what the parser could not take, and for what our own bounds made it stop at."""
        if self.refusal:
            self.refuse(self.refusal)
        else:
            super().send_400_response(msg)

    def refuse(self, status: int) -> None:
        """Nobody has read the request, so nobody's words are right: the status alone says it."""
        more = "retry-after: 5\r\n" if status == 503 else ""
        head = f"HTTP/1.1 {status} {REASONS[status]}\r\n{more}content-length: 0\r\nconnection: close\r\n\r\n"
        self.transport.write(head.encode())
        self.transport.close()


class Socket(Watched, WebSocketsSansIOProtocol):
    """uvicorn's, watched. While its events are not read, no more of them are; the client is pinged meanwhile."""

    def connection_lost(self, exc: Exception | None) -> None:
        self.resume_writing()
        super().connection_lost(exc)


ASGI = {"version": "3.0", "spec_version": "2.3"}
EXTENSIONS: dict[str, dict[str, object]] = {WHOLE: {}}


def head_of(status: int, headers: Sequence[tuple[bytes, bytes]]) -> bytes:
    """The head of an answer but for the empty line that ends it."""
    if not all(map(is_name, map(NAME, headers))) or HEADER_VALUE_RE.search(b"".join(chain.from_iterable(headers))):
        raise RuntimeError("Invalid HTTP header.")
    return STATUS_LINE[status] + b"".join([b"%b: %b\r\n" % header for header in headers])


NAME = itemgetter(0)


@lru_cache(maxsize=256)
def is_name(name: bytes) -> bool:
    """Whether a header may be called so."""
    return HEADER_RE.search(name) is None


def target_of(url: bytes) -> tuple[bytes, bytes]:
    """Path and query of what a request asks for."""
    if url.startswith(b"/") and b"#" not in url:
        path, _, query = url.partition(b"?")
        return path, query
    parsed = httptools.parse_url(url)
    if not parsed.path:  # of CONNECT
        raise ValueError("no path")
    return parsed.path, parsed.query or b""


class TooLarge(Exception):
    """Stops the parser."""


def size_of(headers: list[tuple[bytes, bytes]]) -> int:
    return sum(len(name) + len(value) for name, value in headers)
