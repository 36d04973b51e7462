"""Conversations over a WebSocket: relayed event by event to an account, or held with the author."""

import asyncio
import contextlib
import secrets
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

from msgspec import Struct
from uuid_utils import uuid7

from mutoscope.engines.peer import Peer
from mutoscope.files.egress import Channel, Closed
from mutoscope.model.http import HttpRequest
from mutoscope.model.problem import Kind, Problem
from mutoscope.model.requests import SecretWish
from mutoscope.service.keys import KEY_EXPIRED, Caller, digest
from mutoscope.service.spending import Exchange
from mutoscope.service.words import SCRIPT, Desk
from mutoscope.wirekit.routes import Socket
from mutoscope.wirekit.wire import Wire
from mutoscope.wirekit.words import Session

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Spend = Callable[[], object]

MAX_EVENT = 16 * 1024 * 1024  # bytes
SESSION_SECONDS = 3600.0  # from its beginning to its end, whatever is said
DONE, GOING_AWAY, NO_CODE, BROKEN = 1000, 1001, 1005, 1011  # codes with which a socket is closed
SENDABLE = {*range(1000, 1004), *range(1007, 1012), *range(3000, 5000)}  # those that may be sent
ENGINE = "x-mutoscope-engine"
SCHEMES = {"ws": "http", "wss": "https"}
PROTOCOLS = b"sec-websocket-protocol"


def as_http(scope: Scope, route: Socket) -> Scope:
    """The handshake as any other request: what a browser says by subprotocols stands in headers."""
    more = [(name.encode(), text.encode("latin-1")) for name, text in route.offered(scope["subprotocols"]).items()]
    headers = [each for each in scope["headers"] if each[0] != PROTOCOLS]
    return {**scope, "method": "GET", "scheme": SCHEMES[scope["scheme"]], "headers": [*headers, *more]}


def check_origin(request: HttpRequest, allowed: Callable[[str], bool]) -> None:
    """No browser asks before a page opens a socket, so a server without keys takes none from a stranger's page.

    Raises Problem(FORBIDDEN).
    """
    origin = request.headers.get("origin")
    if origin and urlsplit(origin).netloc != request.headers.get("host") and not allowed(origin):
        message = (
            f"Pages of {origin[:200]} may not open sockets here; name it in [server] allow_origins, or make a key."
        )
        raise Problem(Kind.FORBIDDEN, message)


async def converse(
    desk: Desk,
    wire: Wire,
    route: Socket,
    request: HttpRequest,
    caller: Caller,
    spend: Spend,
    client: "Client",
    kept: "Kept | None",
    who: str,
) -> None:
    """From the handshake to the end. Raises Problem while nothing was accepted."""
    model = request.query.get("model") or (kept.wish.model if kept else "")
    if not model:
        raise Problem(Kind.INVALID, "Name the model in the query: ?model=gpt-realtime", field="model")
    first = [route.begin(kept.wish.session)] if kept and kept.wish.session else []
    id, idle = uuid7().hex, desk.session_idle_seconds
    peers = desk.choose(wire, route, model, caller)
    exchange = desk.exchange(wire, route, model, caller, id, who, request)
    exchange.prices, spend = desk.prices(wire, model, peers), both(spend, exchange.check)
    exchange.check()
    watch = Watch(route, exchange)
    if not peers:
        session = route.session(request, model, desk.author)
        exchange.engine = SCRIPT
        await client.accept({ENGINE: SCRIPT, "x-request-id": id})
        await client.within(idle, hold(session, route, client, spend, watch, first), route)
        return
    peer, channel = await desk.connect(peers, route, request, model, id, MAX_EVENT)
    try:
        exchange.engine = peer.name
        await client.accept({ENGINE: peer.name, "x-request-id": id})
        await client.within(idle, relay(peer, channel, route, client, spend, watch, first), route)
    finally:
        peer.done(None)
        code = client.code if client.code in SENDABLE else GOING_AWAY
        await channel.close(code, cut_bytes(client.reason, 123))


def both(*spends: Spend) -> Spend:
    return lambda: [spend() for spend in spends]


# -- with an account ---------------------------------------------------------------------


async def relay(
    peer: Peer, channel: Channel, route: Socket, client: "Client", spend: Spend, watch: "Watch", first: list[str]
) -> None:
    """Each side's events to the other as they are, until one of them ends it; no more than one of each is held."""
    ways = {
        asyncio.create_task(upward(channel, route, client, spend, first)),
        asyncio.create_task(downward(peer, channel, route, client, watch)),
    }
    try:
        done, _ = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in done:
            way.result()
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)


async def upward(channel: Channel, route: Socket, client: "Client", spend: Spend, first: list[str]) -> None:
    while (said := first.pop() if first else await client.next()) is not None:
        if problem := denied(route, said, spend):
            await client.send_event(route.error(problem))
            continue
        try:
            await channel.send(said)
        except Problem:
            await asyncio.Event().wait()  # what ended it is told on the way down


async def downward(peer: Peer, channel: Channel, route: Socket, client: "Client", watch: "Watch") -> None:
    try:
        while not isinstance(said := await channel.next(), Closed):
            if isinstance(said, str):
                watch.look(said)
            await client.send_event(said)
    except Problem as problem:
        peer.breaker.failed(problem.message)
        message = f"The account {peer.name} broke the session off."
        await client.send_event(route.error(Problem(Kind.UPSTREAM_FAILED, message)))
        await client.close(BROKEN, "the account broke off")
    else:
        await client.close(said.code if said.code != NO_CODE else DONE, said.reason)


# -- with the author ---------------------------------------------------------------------


async def hold(
    session: Session, route: Socket, client: "Client", spend: Spend, watch: "Watch", first: list[str]
) -> None:
    speaking: asyncio.Task[None] | None = None
    ears: list[asyncio.Task[None]] = []  # one at most
    answered = None
    try:
        for event in session.greet():
            await client.send_event(event)
        while (text := first.pop() if first else await client.next()) is not None:
            if problem := denied(route, text, spend):
                await client.send_event(route.error(problem))
                continue
            if ears and isinstance(text, str) and route.asks(text):
                await ears[0]  # what is answered was heard
            events = list(session.take(text if isinstance(text, str) else text.decode("utf-8", "replace")))
            if speaking and session.speaking is None:
                speaking.cancel()
            for event in events:
                watch.look(event)
                await client.send_event(event)
            if session.speaking is not None and session.speaking is not answered:
                answered = session.speaking
                speaking = asyncio.create_task(speak(session, client, watch))
            if session.unheard() and all(each.done() for each in ears):
                ears[:] = [asyncio.create_task(listen(session, client))]
    finally:
        for each in (speaking, *ears):
            if each:
                each.cancel()


async def listen(session: Session, client: "Client") -> None:
    """To what was committed, one after the other, while others are spoken with."""
    with contextlib.suppress(Gone):
        while work := session.unheard():
            try:
                found: str | Problem = await asyncio.to_thread(work)
            except Problem as problem:
                found = problem
            for event in session.heard(found):
                await client.send_event(event)


async def speak(session: Session, client: "Client", watch: "Watch") -> None:
    """An answer, at the pace that was asked for."""
    reply, pieces = session.speaking, 0
    if reply is None:
        return
    with contextlib.suppress(Gone):
        for number, (event, piece) in enumerate(session.speak()):
            if piece and pieces and reply.pause:
                await asyncio.sleep(reply.pause)
            if piece and reply.cut is not None and pieces >= reply.cut:
                await client.close(BROKEN, "cut")
                return
            pieces += piece
            watch.look(event)
            await client.send_event(event)
            if number == 0 and reply.latency:
                await asyncio.sleep(reply.latency)


def denied(route: Socket, text: str | bytes, spend: Spend) -> Problem | None:
    """Each answer that is asked for counts as a request."""
    try:
        if isinstance(text, str) and route.asks(text):
            spend()
    except Problem as problem:
        return problem
    return None


# -- both sides ----------------------------------------------------------------------------


class Gone(Exception):
    """The client has left."""


class Client:
    """The caller's end of a socket."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, protocol: str) -> None:
        self.protocol = protocol if protocol in scope["subprotocols"] else None
        self.receive, self.send = receive, send
        self.accepted, self.closed = False, False
        self.code, self.reason = DONE, ""  # with which it left
        self.clock: asyncio.Timeout | None = None
        self.idle, self.last = 0.0, 0.0

    async def accept(self, headers: dict[str, str]) -> None:
        told = [(name.encode(), text.encode("latin-1")) for name, text in headers.items()]
        self.accepted = True
        await self.send({"type": "websocket.accept", "subprotocol": self.protocol, "headers": told})

    async def within(self, idle: float, conversation: Awaitable[None], route: Socket) -> None:
        """Let it end where nothing is said for so long, or it takes too long."""
        now = asyncio.get_running_loop().time()
        self.idle, self.last = idle, now + SESSION_SECONDS
        try:
            async with asyncio.timeout(idle) as self.clock:
                with contextlib.suppress(Gone):
                    await conversation
        except TimeoutError:
            minutes = SESSION_SECONDS / 60
            message = f"A session ends after {idle:g} seconds in which nothing is said, and after {minutes:g} minutes."
            with contextlib.suppress(Gone):
                await self.send_event(route.error(Problem(Kind.TIMED_OUT, message)))
                await self.close(GOING_AWAY, "session expired")
        await self.close(DONE, "")

    def heard(self) -> None:
        if self.clock and not self.clock.expired():
            self.clock.reschedule(min(asyncio.get_running_loop().time() + self.idle, self.last))

    async def next(self) -> str | bytes | None:
        """What is said; None where the caller has left."""
        while True:
            message = await self.receive()
            if message["type"] == "websocket.disconnect":
                self.code, self.reason = message.get("code") or DONE, message.get("reason") or ""
                self.closed = True
                return None
            if message["type"] == "websocket.receive":
                self.heard()
                text: str | bytes | None = message.get("text")
                return message.get("bytes") or b"" if text is None else text

    async def send_event(self, event: str | bytes) -> None:
        """Waits where the caller does not read. Raises Gone."""
        if self.closed:
            raise Gone
        try:
            await self.send({"type": "websocket.send", "text" if isinstance(event, str) else "bytes": event})
        except OSError as error:
            self.closed = True
            raise Gone from error
        self.heard()

    async def close(self, code: int, reason: str) -> None:
        if not self.closed:
            self.closed = True
            with contextlib.suppress(OSError):
                told = code if code in SENDABLE else BROKEN
                await self.send({"type": "websocket.close", "code": told, "reason": cut_bytes(reason, 123)})


def cut_bytes(text: str, most: int) -> str:
    return text.encode()[:most].decode("utf-8", "ignore")


class Watch:
    """What a conversation tells of tokens."""

    def __init__(self, route: Socket, exchange: Exchange) -> None:
        self.route, self.exchange = route, exchange

    def look(self, event: str) -> None:
        if tokens := self.route.usage(event):
            self.exchange.add(tokens)


# -- keys for browsers -----------------------------------------------------------------------

MOST_SECRETS = 1000  # of one owner at once
MAX_SESSION = 16 * 1024  # bytes of what one is made for


class Kept(Struct, frozen=True, kw_only=True):
    wish: SecretWish
    owner: str
    parent: str | None  # the digest of the key with which it was made; None on an open server
    expires: float


class Secrets:
    """Keys for a short time, known to this process only and as digests. One is worth what its maker's key is worth."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self.clock = clock
        self._kept: dict[str, Kept] = {}

    def make(self, prefix: str, wish: SecretWish, owner: str, parent: str | None) -> tuple[str, int]:
        """The key and the second of its end. Raises Problem(RATE_LIMITED)."""
        now = self.clock()
        self._kept = {name: each for name, each in self._kept.items() if each.expires > now}
        if sum(each.owner == owner for each in self._kept.values()) >= MOST_SECRETS:
            message = f"This key has {MOST_SECRETS} client secrets that have not expired."
            raise Problem(Kind.RATE_LIMITED, message, retry_after=60)
        secret, expires = prefix + secrets.token_hex(24), int(now) + wish.seconds
        self._kept[digest(secret)] = Kept(wish=wish, owner=owner, parent=parent, expires=expires)
        return secret, expires

    def find(self, secret: str) -> Kept:
        """Raises Problem(UNAUTHENTICATED)."""
        kept = self._kept.get(digest(secret))
        if kept is None or kept.expires <= self.clock():
            raise Problem(Kind.UNAUTHENTICATED, KEY_EXPIRED if kept else "Invalid client secret: none such, or expired")
        return kept
