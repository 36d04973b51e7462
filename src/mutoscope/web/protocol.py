"""A client's connection, with bounds: how large a request's head may be, how long head and body may drip in, and how
long an answer may wait for its reader.

The ASGI server has none of these, and reads each request to its end before anybody else can say that it is enough.
"""

import asyncio
import contextlib
import re
import socket
import struct
from enum import Enum

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
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


class Connection(Watched, HttpToolsProtocol):
    """uvicorn's, watched. A request that comes whole, as nearly all do, costs a few assignments and no timer."""

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
        self.resume_writing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self.taken += len(data)
        self._unset_keepalive_if_required()
        self.feed(data)
        if self.transport.is_closing() or self.transport.get_protocol() is not self:
            return
        if self.stage is Stage.IDLE:
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
        super().on_message_begin()
        self.stage = Stage.HEAD

    def on_url(self, url: bytes) -> None:
        if not self.told_again:
            super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self.told_again:
            super().on_header(name, value)

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
        super().on_headers_complete()
        self.stage, self.taken = Stage.BODY, 0
        self.stop_waiting()

    def on_message_complete(self) -> None:
        if self.parser.should_upgrade() and self.parser.get_method() != b"CONNECT":
            return  # its body is still to come
        super().on_message_complete()
        self.stage, self.taken = Stage.IDLE, 0

    def timeout_keep_alive_handler(self) -> None:
        if self.transport.get_write_buffer_size():
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


class TooLarge(Exception):
    """Stops the parser."""


def size_of(headers: list[tuple[bytes, bytes]]) -> int:
    return sum(len(name) + len(value) for name, value in headers)
