"""A client's connection, with bounds: how large a request's head may be, and how long head and body may drip in.

The ASGI server has none of these, and reads each request to its end before anybody else can say that it is enough.
"""

import asyncio
from enum import Enum

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD = 64 * 1024  # bytes of request line and headers
MAX_TARGET = 8 * 1024  # path and query
MAX_HEADERS = 100
HEAD_SECONDS = 20.0  # from the first byte, or from the connection's beginning, to the end of the head
BODY_SECONDS, BODY_BYTES = 20.0, 16 * 1024  # in any such time at least so much of a body has to come

REASONS = {
    408: "Request Timeout",
    414: "URI Too Long",
    431: "Request Header Fields Too Large",
}


class Stage(Enum):
    IDLE = "idle"  # between two requests: the server's own keep-alive timeout counts
    HEAD = "head"
    BODY = "body"


class Connection(HttpToolsProtocol):
    """uvicorn's, watched. A request that comes whole, as nearly all do, costs a few assignments and no timer."""

    stage = Stage.HEAD  # a connection on which nothing is ever said does not stay either
    taken = 0  # bytes of this head, or of a body since the last look
    timer: asyncio.TimerHandle | None = None
    told_again = False  # while a parser is told a head that has been taken already
    refusal = 0  # the status for a head that breaks a bound

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self.wait(HEAD_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        self.stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self.taken += len(data)
        self._unset_keepalive_if_required()
        self.feed(data)
        if self.transport.is_closing():
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
            self.decline(data[offer.args[0] :])

    def decline(self, rest: bytes) -> None:
        """The client offers another protocol (h2c, as Java's does with every request, or websocket), which a server may
        ignore. The parser stops at such a head and would drop the body: another goes on from there, that is told the
        same head without the offer.
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
        head = f"HTTP/1.1 {status} {REASONS[status]}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        self.transport.write(head.encode())
        self.transport.close()


class TooLarge(Exception):
    """Stops the parser."""


def size_of(headers: list[tuple[bytes, bytes]]) -> int:
    return sum(len(name) + len(value) for name, value in headers)
