"""A thin HTTP/1.1 client for answers that are read as they come: one server, whose connections are kept.

It does what a relay needs and nothing else, at a fraction of what a general client costs. It is strict, because
whoever disagrees with a server about where an answer ends gives one caller the answer of another: a connection serves
the next request only where the framing left no doubt, nobody said a byte too many, and the server wants it so.
"""

import asyncio
import functools
import math
import re
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, cast

import aiohappyeyeballs
import httptools
from yarl import URL

from mutoscope.model.problem import Kind, Problem

MAX_HEAD = 64 * 1024  # bytes of an answer's head, and of what is said between two pieces of its body
MAX_HEADERS = 1000
READ = 32 * 1024  # bytes that are read at once
HELD = 32 * 1024  # bytes of an answer that nobody has read yet, beyond which the server has to wait
KEPT_SECONDS = 15.0  # that a connection waits for its next request
MOST_KEPT = 256  # connections that wait
LONGEST_LENGTH = 18  # digits of a body's length
ONE_WRITE = 64 * 1024  # bytes of a body that are copied behind the head, so that both leave together
REPEATABLE = frozenset({"GET", "HEAD"})
OURS = frozenset({"host", "connection", "content-length", "transfer-encoding", "expect", "upgrade", "te", "trailer"})
"""Headers that only this module may write: they say where the request ends, and to whom it goes."""

NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
NOT_VISIBLE = re.compile(r"[^!-~]")

BROKE_OFF = "the connection broke off"
NOT_HTTP = "the server's answer is not HTTP"

Address = tuple[int, int, int, str, tuple[Any, ...]]  # as socket.getaddrinfo has them
Resolve = Callable[[], Awaitable[Sequence[Address]]]
"""The addresses that may be connected to, judged already. Raises OSError, whose words are told."""

IDLE, HEAD, BODY, WHOLE, FAILED = range(5)  # what is heard of a connection


class ConnectFailed(Problem):
    """A request that was certainly not received: no connection came about."""


class Opened:
    """An answer whose body is read piece by piece: no more of it is held than HELD and READ."""

    def __init__(self, connection: "Connection", status: int, headers: dict[str, str]) -> None:
        self._connection: Connection | None = connection
        self.status, self.headers = status, headers

    async def piece(self, seconds: float) -> bytes:
        """What has come since, as soon as there is anything; b"" at the end.

        Raises Problem: TIMED_OUT when nothing comes for so long, UPSTREAM_FAILED when it breaks off.
        """
        connection = self._connection
        if connection is None:
            return b""
        if not connection.pieces and connection.stage == BODY:
            try:
                await connection.wait(seconds)
            except TimeoutError as error:
                message = f"{connection.host} said nothing for {seconds:g} seconds"
                raise Problem(Kind.TIMED_OUT, message) from error
        if connection.pieces:
            return connection.take()
        if connection.stage == FAILED:
            raise Problem(Kind.UPSTREAM_FAILED, f"{connection.host}: {connection.trouble}")
        return b""

    def close(self) -> None:
        """The connection serves others if the answer came to its end, and is cut otherwise."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.release()


class Server:
    """One server, by its connections. Each that is kept serves one request at a time; `close` ends all."""

    def __init__(self, url: URL, resolve: Resolve, *, headers: Mapping[str, str], connect_seconds: float) -> None:
        """`headers` go with each request that does not say otherwise."""
        self.host, self.port = url.host or "", url.port or 0
        self.resolve, self.connect_seconds = resolve, connect_seconds
        self.headers = dict(headers)
        self.name = url.host_port_subcomponent or ""
        self.tls = verified() if url.scheme == "https" else None
        self.tls_name = (url.raw_host or "").rstrip(".") if self.tls else None
        self.kept: list[Connection] = []  # the one that was used last stands last
        self.all: set[Connection] = set()
        # Of all connections: what one reads is taken out before another reads.
        self.buffer = memoryview(bytearray(READ))

    async def open(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes, *, seconds: float
    ) -> Opened:
        """One request and the head of its answer. Redirects are answers.

        A request is sent once. Only one that changes nothing is sent again, on a fresh connection, where a kept one
        ends without a byte of an answer: of any other nobody knows whether it arrived.

        Raises ConnectFailed, or Problem (UPSTREAM_FAILED, TIMED_OUT).
        """
        head = head_of(method, target, self.name, self.headers, headers, body)
        until = asyncio.get_running_loop().time() + seconds
        connection = self._take_kept()
        again = connection is not None and method in REPEATABLE
        try:
            connection = connection or await self._connect(seconds)
            await connection.exchange(head, body, seconds, bodiless=method == "HEAD")
            if again and connection.stage == FAILED and connection.silent:
                connection = await self._connect(seconds)
                await connection.exchange(head, body, until - connection.loop.time(), bodiless=method == "HEAD")
        except TimeoutError as error:
            raise Problem(Kind.TIMED_OUT, f"{self.host} gave no answer within {seconds:g} seconds") from error
        if connection.stage == FAILED:
            raise Problem(Kind.UPSTREAM_FAILED, f"{self.host}: {connection.trouble}")
        return Opened(connection, connection.status, connection.headers)

    def close(self) -> None:
        for connection in tuple(self.all):
            connection.fail(BROKE_OFF)

    def _take_kept(self) -> "Connection | None":
        while self.kept:
            connection = self.kept.pop()
            if connection.quiet:
                return connection
            connection.drop()
        return None

    async def _connect(self, seconds: float) -> "Connection":
        """Raises ConnectFailed, and TimeoutError after `seconds`."""
        loop, door = asyncio.get_running_loop(), None
        try:
            async with asyncio.timeout(seconds):
                addresses = await self.resolve()
                try:
                    async with asyncio.timeout(self.connect_seconds):
                        door = await aiohappyeyeballs.start_connection(addresses, happy_eyeballs_delay=0.25, loop=loop)  # pyright: ignore[reportUnknownMemberType]
                        door.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                        _, made = await loop.create_connection(
                            functools.partial(Connection, self, loop, door),
                            sock=door,
                            ssl=self.tls,
                            server_hostname=self.tls_name,
                        )
                        return made
                except TimeoutError as error:
                    raise Unreached("the connection timed out") from error
                except (ssl.SSLError, ssl.CertificateError) as error:
                    raise Unreached(f"the TLS connection to {self.host} failed") from error
                except OSError as error:
                    raise Unreached(f"no connection to {self.host}:{self.port}") from error
        except OSError as error:
            if door is not None:
                door.close()
            if isinstance(error, TimeoutError):
                raise
            raise ConnectFailed(Kind.UPSTREAM_FAILED, f"{self.host}: {error}") from error
        except BaseException:
            if door is not None:
                door.close()
            raise


class Unreached(OSError):
    """No connection, in words that may be told."""


class Refused(Exception):
    """Stops the parser."""


class Connection(asyncio.BufferedProtocol):
    """One connection and, at a time, one answer on it."""

    transport: asyncio.Transport

    def __init__(self, server: Server, loop: asyncio.AbstractEventLoop, door: socket.socket) -> None:
        self.server, self.loop, self.door, self.host = server, loop, door, server.host
        self.parser = httptools.HttpResponseParser(self)
        self.stage, self.trouble, self.lost = IDLE, "", False
        self.waiter: asyncio.Future[None] | None = None
        self.until = math.inf  # when who waits gives up, or an idle connection is closed
        self.timer: asyncio.TimerHandle | None = None
        self.timer_at = 0.0
        self.paused = False
        self.begin()

    def begin(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.lengths: list[bytes] = []  # of the body, as they are told
        self.codings: list[bytes] = []
        self.count = self.size = 0  # of headers, and their bytes
        self.dry = 0  # bytes since the last one of a body
        self.pieces: list[bytes] = []
        self.held = 0
        self.silent, self.keep, self.to_the_end, self.bodiless = True, True, False, False

    # -- for those who ask ---------------------------------------------------------------------

    @property
    def quiet(self) -> bool:
        """Whether nothing was said, and no goodbye, since the last answer: what lies unread was not asked for."""
        if self.lost or self.transport.is_closing():
            return False
        try:
            self.door.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    async def exchange(self, head: bytes, body: bytes, seconds: float, *, bodiless: bool) -> None:
        """Send a request, and wait for the head of its answer, or for trouble. Raises TimeoutError."""
        self.begin()
        if self.lost:  # between the connecting and this
            self.trouble, self.stage = BROKE_OFF, FAILED
            return
        self.bodiless, self.stage = bodiless, HEAD
        if len(body) <= ONE_WRITE:
            self.transport.write(head + body)
        else:
            self.transport.write(head)
            self.transport.write(body)
        try:
            await self.wait(seconds)
        except BaseException:
            self.drop()
            raise

    async def wait(self, seconds: float) -> None:
        """Until there is something new: the head, a piece, the end or trouble. Raises TimeoutError."""
        stage = self.stage
        if self.lost:
            return
        self.watch(seconds)
        try:
            while self.stage == stage and not self.pieces:
                self.waiter = self.loop.create_future()
                await self.waiter
        finally:
            self.waiter, self.until = None, math.inf

    def take(self) -> bytes:
        pieces = self.pieces
        found = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        self.pieces, self.held = [], 0
        if self.paused and not self.lost:
            self.paused = False
            self.transport.resume_reading()
        return found

    def release(self) -> None:
        if not self.keep or self.stage != WHOLE or self.lost or self.transport.get_write_buffer_size():
            self.drop()
            return
        self.stage, self.pieces = IDLE, []
        if self.paused:
            self.paused = False
            self.transport.resume_reading()
        kept = self.server.kept
        kept.append(self)
        self.watch(KEPT_SECONDS)
        if len(kept) > MOST_KEPT:
            kept.pop(0).drop()

    def drop(self) -> None:
        """Cut it; nobody waits any more."""
        if self.stage == IDLE and self in self.server.kept:
            self.server.kept.remove(self)
        self.stage = FAILED
        self.transport.abort()

    def fail(self, trouble: str) -> None:
        """Cut it, and tell who waits."""
        if self.stage in (HEAD, BODY):
            self.trouble, self.stage = trouble, FAILED
        elif self.stage == WHOLE:
            self.keep = False  # the answer is there; whoever reads it gets all of it
        self.wake()
        if self.stage != WHOLE:
            self.drop()

    def wake(self) -> None:
        if self.waiter is not None and not self.waiter.done():
            self.waiter.set_result(None)

    # -- the clock: one timer as long as the connection lives, since to set one for each wait costs more than the wait

    def watch(self, seconds: float) -> None:
        self.until = self.loop.time() + seconds
        if self.timer is None or self.timer_at > self.until:
            if self.timer is not None:
                self.timer.cancel()
            self.set_timer(seconds)

    def set_timer(self, seconds: float) -> None:
        self.timer_at = self.loop.time() + seconds
        self.timer = self.loop.call_later(max(seconds, 0.0), self.look)

    def look(self) -> None:
        self.timer = None
        if self.until == math.inf:
            return
        if (left := self.until - self.loop.time()) > 0:
            self.set_timer(left)
        elif self.stage == IDLE:
            self.drop()
        elif self.waiter is not None and not self.waiter.done():
            self.waiter.set_exception(TimeoutError())

    # -- what comes ---------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.server.all.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended(whole=exc is None)
        self.lost = True
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
        self.server.all.discard(self)

    def eof_received(self) -> None:
        self.ended(whole=True)
        self.drop() if self.stage == IDLE else self.transport.abort()

    def ended(self, *, whole: bool) -> None:
        """The server says nothing more."""
        if self.stage == BODY and self.to_the_end and whole:
            self.stage = WHOLE
            self.wake()
        self.keep = False
        self.fail(BROKE_OFF)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 (the buffer is as large as it is)
        return self.server.buffer

    def buffer_updated(self, nbytes: int) -> None:
        if self.stage not in (HEAD, BODY):
            self.keep = False  # nobody asked
            self.fail(NOT_HTTP)
            return
        self.silent = False
        self.dry += nbytes
        try:
            self.parser.feed_data(self.server.buffer[:nbytes])
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self.keep = False
            self.fail(self.trouble or NOT_HTTP)
            return
        if self.dry > MAX_HEAD:
            self.fail(TOO_LONG)
            return
        if self.held >= HELD and not self.paused:
            self.paused = True
            self.transport.pause_reading()
        if self.stage != HEAD:
            self.wake()

    # What the parser says, often several things in one read

    def on_message_begin(self) -> None:
        if self.stage != HEAD or self.status:
            self.refuse(NOT_HTTP)  # an answer that nobody asked for

    def on_header(self, name: bytes, value: bytes) -> None:
        self.count += 1
        self.size += len(name) + len(value) + 4
        if self.size > MAX_HEAD:
            self.refuse(TOO_LONG)
        if self.count > MAX_HEADERS:
            self.refuse(TOO_MANY)
        if self.stage != HEAD:
            return  # of a trailer: it comes too late to mean anything
        name = name.lower()
        if name == b"content-length":
            self.lengths.append(value)
        elif name == b"transfer-encoding":
            self.codings.append(value)
        self.headers[name.decode("latin-1")] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        status = self.parser.get_status_code()
        version = self.parser.get_http_version()
        if not 100 <= status < 600 or status == 101 or version not in ("1.1", "1.0"):
            self.refuse(NOT_HTTP)
        if flaw := framing_flaw(self.lengths, self.codings, version):
            self.refuse(flaw)
        if status < 200:  # what it announces is of no use here
            self.count += 1
            if self.lengths or self.codings or self.count > MAX_HEADERS:
                self.refuse(NOT_HTTP)
            self.headers = {}
            return
        self.status, self.stage = status, BODY
        if self.bodiless or status in (204, 304):
            self.stage, self.keep = WHOLE, False
        self.to_the_end = not self.lengths and not self.codings

    def on_body(self, body: bytes) -> None:
        if self.stage == BODY:
            self.pieces.append(body)
            self.held += len(body)
            self.dry = 0

    def on_message_complete(self) -> None:
        if self.stage == BODY:
            self.stage = WHOLE
            self.keep = self.keep and self.parser.should_keep_alive()

    def refuse(self, trouble: str) -> None:
        if self.stage != WHOLE:
            self.trouble = trouble
        raise Refused


TOO_LONG = f"the head of the answer is longer than this server reads ({MAX_HEAD} bytes)"
TOO_MANY = f"the answer has more headers than this server reads ({MAX_HEADERS})"


def framing_flaw(lengths: list[bytes], codings: list[bytes], version: str) -> str:
    """Why it is in doubt where the body ends; "" where it is not."""
    if codings:
        if lengths:
            return "the answer tells a length and is in chunks as well"
        if version != "1.1" or len(codings) > 1 or codings[0].strip().lower() != b"chunked":
            return "the answer is in a transfer coding other than chunked"
    elif lengths:
        [length, *others] = lengths
        if others or not length.strip().isdigit() or len(length) > LONGEST_LENGTH:
            return "the answer's length cannot be read"
    return ""


def head_of(
    method: str, target: str, host: str, common: Mapping[str, str], headers: Mapping[str, str], body: bytes
) -> bytes:
    """Raises Problem for what would break the request apart."""
    if not NAME.fullmatch(method) or NOT_VISIBLE.search(target):
        raise unsendable()
    lines = [f"{method} {target} HTTP/1.1\r\nhost: {host}\r\n"]
    for name, text in {**common, **headers}.items():
        if name in OURS:
            continue
        if not is_name(name) or CONTROL.search(text):
            raise unsendable()
        lines.append(f"{name}: {text}\r\n")
    if body or method not in REPEATABLE:
        lines.append(f"content-length: {len(body)}\r\n")
    lines.append("\r\n")
    return "".join(lines).encode()


def unsendable() -> Problem:
    return Problem(Kind.UPSTREAM_FAILED, "this request cannot be sent: a header or its path has a character too many")


@functools.lru_cache(maxsize=1024)
def is_name(name: str) -> bool:
    return NAME.fullmatch(name) is not None


@functools.cache
def verified() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.set_alpn_protocols(("http/1.1",))
    return context
