"""The only way out: guarded HTTP to addresses that strangers name.

A request leaves only for a usual port of an address on the public internet that was checked, or for a host that
the operator allowed. Names are resolved once, every address is judged, and the connection goes to what was
judged; so DNS that changes its mind between check and use gains nothing.
"""

import asyncio
import contextlib
import functools
import hashlib
import ipaddress
import re
import secrets
import socket
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatchcase
from io import RawIOBase
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import msgspec
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.http_exceptions import HttpProcessingError, LineTooLong
from msgspec import Struct
from msgspec.structs import replace
from yarl import URL

import mutoscope
from mutoscope.files.http1 import Address, ConnectFailed, Opened, Server
from mutoscope.files.probe import size_phrase
from mutoscope.model.config import Net
from mutoscope.model.http import HttpRequest, HttpResponse
from mutoscope.model.problem import Kind, Problem

AGENT = f"mutoscope/{mutoscope.__version__}"
CHUNK = 256 * 1024
ANSWER_BYTES = 1024  # how much of a webhook receiver's answer is kept
MAX_URL = 8192
MAX_ANSWER = 8 * 1024 * 1024  # of a vendor's API
MAX_HEADER = 64 * 1024  # characters of a line of an answer's head
MAX_HEADERS = 1000
PING_SECONDS, CLOSING_SECONDS = 30.0, 2.0  # of WebSockets: between two pings, and for the other side's goodbye
REDIRECTS = (301, 302, 303, 307, 308)
PASSING = (408, 425, 429)  # and all from 500 on: statuses of trouble that may pass
AGAIN_SECONDS, LONGEST_AGAIN = 2.0, 600.0  # to wait before another try, where the server does not say
UNTYPED = ("", "application/octet-stream", "binary/octet-stream")
"""Content types that say nothing; the content itself decides."""

COMPRESSED = frozenset({
    *("gzip", "x-gzip", "deflate", "br", "zstd", "compress", "x-compress", "exi", "pack200-gzip", "dcb", "dcz"),
    *("lzma", "xz", "bzip2", "snappy", "lz4"),
})  # fmt: skip
"""Codings in which a body would have to be unpacked. Others that servers name, such as `utf-8`, `binary` or the
`aws-chunked` that object stores keep from an upload, change nothing about it: the content itself decides."""

BROKEN = (aiohttp.ClientError, ConnectionError, HttpProcessingError)
"""What aiohttp raises; the last one only when a server goes on talking after its answer has ended."""

BAD_SPELLING = (ValueError, LookupError)
"""What yarl and urllib raise at a URL that is none; the second by oversight, for "http://[]@" and its like."""

Lookup = Callable[[str, int], Awaitable[list[str]]]
"""Host name and port → addresses. Raises OSError when there are none."""

SPECIAL = {
    ipaddress.ip_network(network): what
    for network, what in {
        "0.0.0.0/8": "an unspecified address",
        "10.0.0.0/8": "a private address",
        "100.64.0.0/10": "a shared (carrier) address",
        "127.0.0.0/8": "a loopback address, which is private",
        "168.63.129.16/32": "a cloud metadata address",  # public by number, the host's own agent on Azure
        "169.254.0.0/16": "a link-local address (cloud metadata)",
        "172.16.0.0/12": "a private address",
        "192.0.0.0/24": "a protocol address",
        "192.0.2.0/24": "a documentation address",
        "192.88.99.0/24": "a 6to4 relay address",
        "192.168.0.0/16": "a private address",
        "198.18.0.0/15": "a benchmarking address",
        "198.51.100.0/24": "a documentation address",
        "203.0.113.0/24": "a documentation address",
        "224.0.0.0/4": "a multicast address",
        "240.0.0.0/4": "a reserved address",
        "::/128": "an unspecified address",
        "::1/128": "a loopback address, which is private",
        "::ffff:0:0/96": "an IPv4-mapped address",
        "64:ff9b::/96": "a NAT64 address",
        "64:ff9b:1::/48": "a NAT64 address",
        "100::/64": "a discard address",
        "2001::/23": "a protocol address (Teredo and others)",
        "2001:db8::/32": "a documentation address",
        "2002::/16": "a 6to4 address",
        "3fff::/20": "a documentation address",
        "fc00::/7": "a private address",
        "fe80::/10": "a link-local address",
        "fec0::/10": "a site-local address, which is private",
        "ff00::/8": "a multicast address",
    }.items()
}
"""Our own table: `ipaddress.is_global` judges some of these differently from one Python release to the next."""
GLOBAL_V6 = ipaddress.ip_network("2000::/3")  # whatever lies outside has not been given out

PRIVATE_NAMES = {
    "localhost": "this machine's own name",
    "local": "a name of the local network",
    "internal": "a name of a private network (cloud metadata)",
    "home.arpa": "a name of a home network",
    "onion": "a name of the Tor network",
}
"""Domains that never lead to the public internet: refused before anybody is asked where they lie."""

HOST_NAME = re.compile(r"(?=.{1,254}$)[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*\.?")
AUTHORITY = re.compile(r"(\[[^\[\]]*\]|[^:\[\]]*)(:[0-9]{0,5})?")  # no "+80", no "8_0", no digits of other scripts
SCHEMED = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
PLAIN = re.compile(r"[!-~]*")  # printable ASCII: may be sent as the caller spelled it


LOOKUPS = ThreadPoolExecutor(32, thread_name_prefix="lookup")
"""Names wait in threads of their own: a stranger's slow name server holds up no file, and few other names."""


class Refused(OSError):
    """An address that must not be connected to; an OSError so that aiohttp carries it out unharmed."""


class Fetched(Struct, frozen=True, kw_only=True):
    """What was fetched. `media_type` is what the server called it: a claim, not a finding."""

    media_type: str
    bytes: int
    sha256: str


class Answer(Struct, frozen=True, kw_only=True):
    status: int
    seconds: float
    text: str  # the first KiB


def address_flaw(address: str) -> str | None:
    """What is wrong with connecting to `address`, or None when it lies on the public internet."""
    try:
        number = ipaddress.ip_address(address)
    except ValueError:
        return "something that is not an address"
    for network, what in SPECIAL.items():
        if number in network:
            return what
    if number.version == 6 and (number not in GLOBAL_V6 or number.scope_id):
        return "an address that is not global"
    return None if number.is_global else "an address that is not global"


def name_flaw(host: str) -> str | None:
    """What is wrong with looking `host` up, or None when it may be a name of the public internet."""
    name = host.lower().rstrip(".")
    if "." not in name:  # the search list of the machine's own network would complete it
        return PRIVATE_NAMES.get(name, "a name without a domain")
    return next((what for domain, what in PRIVATE_NAMES.items() if name.endswith(f".{domain}") or name == domain), None)


class VendorClient:
    """Requests to one vendor's API, whose host the operator chose; to hosts that the vendor names only as guarded.

    One per account; opens its connections on first use, `close` ends them.
    """

    def __init__(
        self,
        base_url: str,
        sign: Callable[[], Mapping[str, str]],
        settings: Net,
        *,
        seconds: float,
        hosts: Collection[str] = (),
        lookup: Lookup | None = None,
    ) -> None:
        """`sign` gives the headers that carry the key, anew for each request: they go to `base_url` and, by https, to
        `hosts` only. `seconds` is the time for one whole answer.

        Raises Problem (UNREACHABLE_MEDIA) when `base_url` is not a URL.
        """
        self.base = read_url(base_url.rstrip("/"))
        self.sign, self.hosts, self.seconds = sign, frozenset(hosts), seconds
        allowed = replace(settings, allow_hosts=(*settings.allow_hosts, self.base.host or ""), allow_http=True)
        self.guard = SafeClient(allowed, lookup=lookup)
        self._below = functools.lru_cache(maxsize=256)(self._put_below)
        self._target = functools.lru_cache(maxsize=256)(self._target_below)
        self._server = Server(
            self.base,
            self._addresses,
            headers={"user-agent": AGENT, "accept-encoding": "identity", "accept": "*/*"},
            connect_seconds=settings.connect_seconds,
        )
        self._kept: aiohttp.ClientSession | None = None
        self._fresh: aiohttp.ClientSession | None = None
        self._sockets: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        for session in (self._kept, self._fresh, self._sockets):
            if session is not None:
                await session.close()
        self._kept = self._fresh = self._sockets = None
        self._server.close()
        await self.guard.close()

    async def send(self, request: HttpRequest) -> HttpResponse:
        """One request and its whole answer, up to 8 MiB. Redirects are answers.

        A request that spends goes over a connection of its own, because one that was kept open may be closed by the
        other side at that very moment, and then nobody knows whether the request arrived. Raises ConnectFailed, or
        Problem (UPSTREAM_FAILED, TIMED_OUT) for an answer that did not come.
        """
        headers: dict[str, str] = {**request.headers}
        if request.path.startswith("/"):
            headers |= self.sign()
            session = self._session(spends=request.spends)
            url = self._below(request.path)
        else:
            url = self.guard.check(request.path)
            if url.scheme == "https" and url.host in self.hosts:
                headers |= self.sign()
            session = self.guard.session(url)
        if request.query:
            url = url.with_query(request.query)
        host = url.host or ""
        try:
            async with asyncio.timeout(self.seconds):
                async with session.request(
                    request.method, url, data=request.body or None, headers=headers, allow_redirects=False
                ) as response:
                    return await read_response(response)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise ConnectFailed(Kind.UPSTREAM_FAILED, f"{host}: {reason(error)}") from error
        except TimeoutError as error:
            raise Problem(Kind.TIMED_OUT, f"{host} gave no answer within {self.seconds:g} seconds") from error
        except BROKEN as error:
            raise Problem(Kind.UPSTREAM_FAILED, f"{host}: {reason(error)}") from error
        except BAD_SPELLING as error:  # a header or an address that the vendor named
            raise Problem(Kind.UPSTREAM_FAILED, f"{host}: this request cannot be sent") from error

    async def open(self, request: HttpRequest) -> Opened:
        """One request to the API itself, and the head of its answer; the body is read piece by piece, and closed.

        Raises ConnectFailed, or Problem (UPSTREAM_FAILED, TIMED_OUT).
        """
        target = self._target(request.path)
        if request.query:
            target = self._below(request.path).with_query(request.query).raw_path_qs
        headers = {**request.headers, **self.sign()}
        return await self._server.open(request.method, target, headers, request.body, seconds=self.seconds)

    async def socket(self, request: HttpRequest, *, max_bytes: int) -> "Channel":
        """A WebSocket to the API itself. Raises ConnectFailed, Declined, or Problem (UPSTREAM_FAILED, TIMED_OUT)."""
        url = self._below(request.path).with_query(request.query)
        host = url.host or ""
        self._sockets = self._sockets or self.guard.make_session(guarded=False, limit=0, middlewares=(no_redirect,))
        try:
            async with asyncio.timeout(self.seconds):
                socket = await self._sockets.ws_connect(
                    url,
                    headers={**request.headers, **self.sign()},
                    max_msg_size=max_bytes,
                    heartbeat=PING_SECONDS,
                    timeout=aiohttp.ClientWSTimeout(ws_close=CLOSING_SECONDS),  # pyright: ignore[reportCallIssue]
                )
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise ConnectFailed(Kind.UPSTREAM_FAILED, f"{host}: {reason(error)}") from error
        except TimeoutError as error:
            raise Problem(Kind.TIMED_OUT, f"{host} gave no answer within {self.seconds:g} seconds") from error
        except aiohttp.WSServerHandshakeError as error:
            raise Declined(host, error.status, {k.lower(): v for k, v in (error.headers or {}).items()}) from error
        except BROKEN as error:
            raise Problem(Kind.UPSTREAM_FAILED, f"{host}: {reason(error)}") from error
        return Channel(socket, host)

    def _put_below(self, path: str) -> URL:
        """A path of the API, below the base URL."""
        return self.base.with_path(self.base.raw_path.rstrip("/") + path, encoded=True)

    def _target_below(self, path: str) -> str:
        return self._put_below(path).raw_path_qs

    async def _addresses(self) -> list[Address]:
        """Where the API lies. Raises OSError."""
        host, port = self.base.raw_host or "", self.base.port or 0
        found = [host] if is_address(host) else [each["host"] for each in await self.guard.resolve(host, port)]
        return [address_info(each, port) for each in found]

    def _session(self, *, spends: bool) -> aiohttp.ClientSession:
        if spends:
            self._fresh = self._fresh or self.guard.make_session(guarded=False, keep=False)
            return self._fresh
        self._kept = self._kept or self.guard.make_session(guarded=False)
        return self._kept


class Declined(Problem):
    """A handshake that was answered otherwise."""

    def __init__(self, host: str, status: int, headers: dict[str, str]) -> None:
        super().__init__(Kind.UPSTREAM_FAILED, f"{host} opens no WebSocket: status {status}")
        self.answered, self.headers = status, headers


class Closed(Struct, frozen=True):
    """How the other side ended a WebSocket."""

    code: int
    reason: str


class Channel:
    """A WebSocket. What is not read holds the other side back, and what it does not read whoever sends."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, host: str) -> None:
        self._socket, self._host = socket, host

    async def next(self) -> str | bytes | Closed:
        """What is said. Raises Problem(UPSTREAM_FAILED) where it breaks off."""
        message = await self._socket.receive()
        match message.type:
            case aiohttp.WSMsgType.TEXT | aiohttp.WSMsgType.BINARY:
                return message.data
            case aiohttp.WSMsgType.CLOSE:
                return Closed(message.data or 1005, message.extra or "")
            case aiohttp.WSMsgType.ERROR:
                raise Problem(Kind.UPSTREAM_FAILED, f"{self._host} broke off: {message.data}")
            case _:
                raise Problem(Kind.UPSTREAM_FAILED, f"{self._host} broke off")

    async def send(self, said: str | bytes) -> None:
        """Raises Problem(UPSTREAM_FAILED)."""
        try:
            if isinstance(said, str):
                await self._socket.send_str(said)
            else:
                await self._socket.send_bytes(said)
        except BROKEN as error:
            raise Problem(Kind.UPSTREAM_FAILED, f"{self._host} broke off") from error

    async def close(self, code: int, reason: str) -> None:
        """Goodbye; of one who goes on talking no more than that is heard."""
        with contextlib.suppress(*BROKEN, TimeoutError):
            async with asyncio.timeout(CLOSING_SECONDS):
                await self._socket.close(code=code, message=reason.encode())


async def no_redirect(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """A redirect is no answer to a handshake, and would lead away from the host that the operator chose."""
    response = await handler(request)
    if response.status in REDIRECTS:
        response.close()
        raise aiohttp.WSServerHandshakeError(
            response.request_info, response.history, status=response.status, headers=response.headers
        )
    return response


async def read_response(response: aiohttp.ClientResponse) -> HttpResponse:
    body = await response.content.read(MAX_ANSWER + 1)
    while not response.content.at_eof() and len(body) <= MAX_ANSWER:
        body += await response.content.read(MAX_ANSWER + 1 - len(body))
    if len(body) > MAX_ANSWER:
        response.close()
        raise Problem(Kind.UPSTREAM_FAILED, f"the answer is larger than {MAX_ANSWER} bytes")
    headers = {name.lower(): value for name, value in response.headers.items()}
    return HttpResponse(
        status=response.status, headers=headers, body=body, media_type=headers.get("content-type", "application/json")
    )


class SafeClient:
    """Guarded HTTP. One per process; opens its connections on first use, `close` ends them."""

    def __init__(self, settings: Net, *, lookup: Lookup | None = None) -> None:
        self.settings = settings
        self._lookup = lookup or system_lookup
        self._guarded: aiohttp.ClientSession | None = None
        self._open: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        for session in (self._guarded, self._open):
            if session is not None:
                await session.close()
        self._guarded = self._open = None

    async def fetch(
        self,
        url: str,
        *,
        max_bytes: int,
        into: Path,
        field: str | None = None,
        accept: tuple[str, ...] = (),
        resume: bool = False,
    ) -> Fetched:
        """Download `url` to the file `into`, which is gone again when this fails.

        With `resume` it stays, and what an earlier call left of the same file there, in whatever process, is not
        fetched again where the server gives parts. `accept` names media types, where "image/*" stands for a family; a
        server that does not tell the type passes. Raises Problem (UNREACHABLE_MEDIA, BAD_MEDIA).
        """
        try:
            async with asyncio.timeout(self.settings.total_seconds):
                return await self._download(url, into, max_bytes=max_bytes, accept=accept, resume=resume)
        except Problem as problem:
            if problem.kind is Kind.UNREACHABLE_MEDIA:
                raise unfetched(problem.message, field, problem.retry_after) from problem.__cause__
            raise Problem(problem.kind, problem.message, field=field) from problem.__cause__
        except TimeoutError as error:
            allowed = f"{self.settings.total_seconds:g} seconds (net.total_seconds)"
            message = f"Timeout while fetching asset: more than {allowed}"
            raise Problem(Kind.UNREACHABLE_MEDIA, message, field=field) from error
        except BROKEN as error:
            raise unfetched(reason(error), field, AGAIN_SECONDS if may_pass(error) else None) from error

    async def post(self, url: str, body: bytes, headers: Mapping[str, str], *, timeout_seconds: float) -> Answer:
        """Send `body` once. Redirects are answers, not followed.

        Raises Problem: UPSTREAM_FAILED (no connection, or refused by the guard) or TIMED_OUT.
        """
        started = time.perf_counter()
        try:
            async with asyncio.timeout(timeout_seconds):
                target = self.check(url)
                sent = {**headers, "User-Agent": AGENT, "Accept-Encoding": "identity"}
                session = self.session(target)
                async with session.post(target, data=body, headers=sent, allow_redirects=False) as response:
                    text = await beginning(response)
                    return Answer(status=response.status, seconds=time.perf_counter() - started, text=text)
        except Problem as problem:
            raise Problem(Kind.UPSTREAM_FAILED, problem.message) from problem.__cause__
        except TimeoutError as error:
            raise Problem(Kind.TIMED_OUT, f"no answer within {timeout_seconds:g} seconds") from error
        except BROKEN as error:
            raise Problem(Kind.UPSTREAM_FAILED, reason(error)) from error

    def judge(self, url: str, *, field: str | None = None) -> None:
        """Refuse a URL that `fetch` would refuse as it is spelled, in the same words, without a request."""
        try:
            self.check(url)
        except Problem as problem:
            raise unfetched(problem.message, field) from problem

    def check(self, url: str) -> URL:
        """Read a URL and refuse what must not be requested; a host name's addresses are judged on connecting."""
        return judge_url(url, self.settings)

    def exempt(self, host: str) -> bool:
        """Whether the operator's settings take this host out of the guard."""
        return exempt(host, self.settings)

    async def _download(
        self, url: str, into: Path, *, max_bytes: int, accept: tuple[str, ...], resume: bool
    ) -> Fetched:
        begun = await asyncio.to_thread(begun_at, into) if resume else NOTHING
        async with self._follow(url, accept, begun.headers) as response:
            if (
                begun.bytes
                and response.status == 416
                and response.headers.get("Content-Range") == f"bytes */{begun.bytes}"
            ):
                sha256 = await asyncio.to_thread(digest_of, into)  # all of it was there
                return Fetched(media_type="", bytes=begun.bytes, sha256=sha256)
            if begun.bytes and response.status in (206, 416) and not begun.goes_on(response):
                await asyncio.to_thread(discard, into)
            else:
                goes_on = bool(begun.bytes) and response.status == 206
                media_type = check_head(response, max_bytes, accept, begun=begun.bytes if goes_on else None)
                return await save(
                    response, into, media_type, max_bytes, begun=begun.bytes if goes_on else 0, resume=resume
                )
        return await self._download(url, into, max_bytes=max_bytes, accept=accept, resume=resume)  # from its beginning

    @contextlib.asynccontextmanager
    async def _follow(
        self, url: str, accept: tuple[str, ...], more: Mapping[str, str]
    ) -> AsyncGenerator[aiohttp.ClientResponse]:
        """A GET that follows redirects by hand, so that each hop is checked like the first."""
        headers = {"Accept": ", ".join((*accept, "*/*;q=0.1")), **more}
        target = self.check(url)
        for _ in range(self.settings.max_redirects + 1):
            async with self.session(target).get(target, headers=headers, allow_redirects=False) as response:
                location = response.headers.get("Location")
                if response.status not in REDIRECTS or not location:
                    yield response
                    return
            target = self.check(follow(target, location))
        allowed = f"{self.settings.max_redirects} redirects (net.max_redirects)"
        raise unreachable(f"more than {allowed}")

    def session(self, target: URL) -> aiohttp.ClientSession:
        """Two pools, so that a connection made without the guard is never given to a host under it."""
        if self.exempt(target.host or ""):
            self._open = self._open or self.make_session(guarded=False)
            return self._open
        self._guarded = self._guarded or self.make_session(guarded=True)
        return self._guarded

    async def resolve(self, host: str, port: int) -> list[ResolveResult]:
        """The addresses of a host that the operator chose. Raises OSError."""
        return await _Resolver(self._lookup, guarded=False, seconds=self.settings.connect_seconds).resolve(host, port)

    def make_session(
        self,
        *,
        guarded: bool,
        keep: bool = True,
        limit: int = 256,
        middlewares: tuple[aiohttp.ClientMiddlewareType, ...] = (),
    ) -> aiohttp.ClientSession:
        """`keep`: a connection may serve more than one request. `limit`: of connections; 0 sets none."""
        connector = aiohttp.TCPConnector(
            resolver=_Resolver(self._lookup, guarded, self.settings.connect_seconds),
            use_dns_cache=False,
            socket_factory=guarded_socket if guarded else None,
            limit=limit,
            force_close=not keep,
        )
        return aiohttp.ClientSession(
            connector=connector,
            trust_env=False,
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": AGENT, "Accept-Encoding": "identity"},
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=self.settings.connect_seconds),
            max_line_size=MAX_HEADER,
            max_field_size=MAX_HEADER,
            max_headers=MAX_HEADERS,
            middlewares=middlewares,
        )


class _Resolver(AbstractResolver):
    """Resolves a name and refuses it as a whole when any of its addresses is not for us."""

    def __init__(self, lookup: Lookup, guarded: bool, seconds: float) -> None:
        self.lookup, self.guarded, self.seconds = lookup, guarded, seconds

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_UNSPEC,  # noqa: ARG002 (both families are always asked for)
    ) -> list[ResolveResult]:
        try:
            async with asyncio.timeout(self.seconds):
                addresses = await self.lookup(host, port)
        except TimeoutError as error:
            raise OSError(f"{host} could not be resolved within {self.seconds:g} seconds") from error
        except OSError as error:
            raise OSError(f"{host} could not be resolved") from error
        if not addresses:
            raise OSError(f"{host} could not be resolved")
        if self.guarded:
            for what in filter(None, map(address_flaw, addresses)):
                raise Refused(refusal(f"{host} resolves to {what}"))
        return [resolved(host, port, address) for address in addresses]

    async def close(self) -> None: ...


def resolved(host: str, port: int, address: str) -> ResolveResult:
    return ResolveResult(
        hostname=host,
        host=address,
        port=port,
        family=socket.AF_INET6 if ":" in address else socket.AF_INET,
        proto=0,
        flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
    )


def address_info(address: str, port: int) -> Address:
    if ":" in address:
        return socket.AF_INET6, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port, 0, 0)
    return socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port)


def guarded_socket(info: tuple[Any, ...]) -> socket.socket:
    """The last check, on the address in use: nothing that reached this far unjudged gets a socket."""
    family, kind, protocol, _, peer = info
    if what := address_flaw(str(peer[0])):
        raise Refused(refusal(f"the address is {what}"))
    return socket.socket(family, kind, protocol)


async def system_lookup(host: str, port: int) -> list[str]:
    """Ask the operating system."""
    ask = functools.partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    found = await asyncio.get_running_loop().run_in_executor(LOOKUPS, ask)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def judge_url(url: str, settings: Net) -> URL:
    """A URL that these settings let be requested, as far as its spelling tells: no name is looked up.

    Raises Problem (UNREACHABLE_MEDIA) with what is wrong, and the setting that would allow it.
    """
    target = read_url(url)
    if target.scheme == "http" and not settings.allow_http:
        raise unreachable("refused: the scheme is http; use https, or set net.allow_http = true to allow it")
    host = target.host or ""
    if exempt(host, settings):
        return target
    if what := address_flaw(host) if is_address(host) else name_flaw(host):
        raise unreachable(refusal(f"{host} is {what}"))
    if target.port not in settings.ports:
        allowed = ", ".join(map(str, settings.ports)) or "none"
        raise unreachable(f"refused: port {target.port}; allowed are {allowed} (net.ports)")
    return target


def exempt(host: str, settings: Net) -> bool:
    """Whether the operator's settings take this host out of the guard."""
    name = host.lower().rstrip(".")
    allowed_names = (allowed.lower().rstrip(".") for allowed in settings.allow_hosts)
    return settings.allow_private or any(
        name == allowed or (allowed.startswith("*.") and name.endswith(allowed[1:])) for allowed in allowed_names
    )


def read_url(text: str) -> URL:
    """A stranger's URL, read strictly; raises Problem (UNREACHABLE_MEDIA) with what is wrong."""
    text = text.strip(" ")
    if len(text) > MAX_URL:
        raise unreachable(f"refused: the URL is longer than {MAX_URL} characters")
    if "\\" in text or any(ord(char) < 32 or ord(char) == 127 for char in text):
        raise unreachable("refused: the URL contains a backslash or a control character")
    try:
        url = URL(text)
        parts = urlsplit(text)
        named = url.raw_host if url.host else None  # `host` is decoded by this, or found not to be IDNA
    except BAD_SPELLING as error:
        raise unreachable("refused: not a URL") from error
    if url.scheme not in ("http", "https"):
        raise unreachable(f"refused: the scheme is {url.scheme or 'missing'}; http and https are possible")
    if "@" in url.raw_authority or "@" in parts.netloc:
        raise unreachable("refused: the URL contains credentials")
    if not AUTHORITY.fullmatch(parts.netloc):
        raise unreachable("refused: not a URL")
    host = (named or "").lower()
    if not is_address(host) and ("[" in parts.netloc or not is_name(host)):
        raise unreachable("refused: the URL has no valid host name")
    if not PLAIN.fullmatch(parts.path + parts.query):
        return url.with_fragment(None)
    # Path and query as they were spelled: a signed link does not survive being quoted anew.
    return URL.build(
        scheme=url.scheme, authority=url.raw_authority, path=parts.path or "/", query_string=parts.query, encoded=True
    )


def is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return "%" not in host  # a zone names one of our own interfaces


def is_name(host: str) -> bool:
    """A host name; not one of the old spellings of an address (127.1, 0x7f000001, 2130706433)."""
    last = host.rstrip(".").rpartition(".")[2]
    return bool(HOST_NAME.fullmatch(host)) and not NUMBER.fullmatch(last)


def follow(target: URL, location: str) -> str:
    if SCHEMED.match(location):
        return location  # to be judged as it is spelled, like a first address
    try:
        return str(target.join(URL(location, encoded=bool(PLAIN.fullmatch(location)))))
    except BAD_SPELLING as error:
        raise unreachable("redirected to something that is not a URL") from error


class Begun(Struct, frozen=True, kw_only=True):
    """What is on disk of a file that is being downloaded."""

    bytes: int = 0
    validator: str = ""  # by which its server knows this version of it
    boot: str = ""

    @property
    def headers(self) -> dict[str, str]:
        return {"Range": f"bytes={self.bytes}-", "If-Range": self.validator} if self.bytes else {}

    def goes_on(self, response: aiohttp.ClientResponse) -> bool:
        """Whether an answer is the rest of the same version."""
        told = response.headers.get("Content-Range", "")
        return told.startswith(f"bytes {self.bytes}-") and validator_of(response) in ("", self.validator)


NOTHING = Begun()


def boot_id() -> str:
    """Of the system's start: what it had not brought to the disk when it went down is not there, though the file has
    its length. Where the system tells none, of this process."""
    with contextlib.suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return secrets.token_hex()


BOOT = boot_id()


def note_beside(path: Path) -> Path:
    return path.with_name(f"{path.name}.begun")


def begun_at(path: Path) -> Begun:
    with contextlib.suppress(OSError, msgspec.DecodeError):
        noted = msgspec.json.decode(note_beside(path).read_bytes(), type=Begun)
        if noted.boot == BOOT and noted.validator:
            return replace(noted, bytes=path.stat().st_size)
    return NOTHING


def validator_of(response: aiohttp.ClientResponse) -> str:
    """A strong tag, or else the time of the last change; nothing by a weak one, which may stand for other bytes."""
    tag = response.headers.get("ETag", "")
    return "" if tag.startswith("W/") else tag or response.headers.get("Last-Modified", "")


def begin(path: Path, validator: str) -> None:
    """Of what follows, it can be told where it came from."""
    discard(path)
    if validator:
        note_beside(path).write_bytes(msgspec.json.encode(Begun(validator=validator, boot=BOOT)))


def digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_head(
    response: aiohttp.ClientResponse, max_bytes: int, accept: tuple[str, ...], *, begun: int | None = None
) -> str:
    """Judge an answer before its body is read; returns the media type that it claims. `begun`: it is to be the rest of
    a file of which so many bytes are there."""
    if response.status != (200 if begun is None else 206):
        raise unreachable(f"the server answered {response.status}", again_seconds(response))
    if packed := sorted(COMPRESSED.intersection(codings(response))):  # what is never unpacked cannot be a bomb
        raise unreachable(f"the server compressed its answer ({', '.join(packed)}), although identity was asked")
    media_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if accept and media_type not in UNTYPED and not any(fnmatchcase(media_type, each) for each in accept):
        raise Problem(
            Kind.BAD_MEDIA,
            f"Unsupported asset type: the server says {media_type[:64]!r}, expected {', '.join(accept)}",
        )
    if response.content_length is not None and (begun or 0) + response.content_length > max_bytes:
        raise Problem(Kind.BAD_MEDIA, size_phrase(max_bytes))
    return media_type


def codings(response: aiohttp.ClientResponse) -> list[str]:
    """Every coding of the body that the headers name, however many headers that takes."""
    named = [value for name in ("Content-Encoding", "Transfer-Encoding") for value in response.headers.getall(name, ())]
    return [coding.strip().lower() for value in named for coding in value.split(",")]


async def save(
    response: aiohttp.ClientResponse,
    into: Path,
    media_type: str,
    max_bytes: int,
    *,
    begun: int = 0,
    resume: bool = False,
) -> Fetched:
    """Stream the body to a file, counting; the file is removed unless all went well, or somebody will resume it."""
    digest, total = hashlib.sha256(), begun
    try:
        if begun:
            await asyncio.to_thread(read_into, digest, into)
        elif resume:
            await asyncio.to_thread(begin, into, validator_of(response))
        # not buffered: what was written is there even if this process is killed
        with await asyncio.to_thread(into.open, "ab" if begun else "wb", 0) as sink:
            async for chunk in response.content.iter_chunked(CHUNK):
                total += len(chunk)
                if total > max_bytes:
                    raise Problem(Kind.BAD_MEDIA, size_phrase(max_bytes))
                await asyncio.to_thread(keep, sink, digest, chunk)
    except BaseException as error:
        response.close()
        if not resume or isinstance(error, Problem):
            discard(into)
        raise
    return Fetched(media_type=media_type, bytes=total, sha256=digest.hexdigest())


def discard(path: Path) -> None:
    path.unlink(missing_ok=True)
    note_beside(path).unlink(missing_ok=True)


def read_into(digest: Any, path: Path) -> None:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)


def keep(sink: RawIOBase, digest: Any, chunk: bytes) -> None:
    digest.update(chunk)
    left = memoryview(chunk)
    while left:
        left = left[sink.write(left) or 0 :]


async def beginning(response: aiohttp.ClientResponse) -> str:
    """The first KiB of a body. The status has arrived: a body that never comes does not undo it."""
    found = b""
    with contextlib.suppress(*BROKEN, TimeoutError):
        async with asyncio.timeout(1.0):
            while len(found) < ANSWER_BYTES and (chunk := await response.content.read(ANSWER_BYTES - len(found))):
                found += chunk
    return found.decode("utf-8", "replace")


def refusal(what: str) -> str:
    return f"refused: {what}; set net.allow_private = true, or name the host in net.allow_hosts, to allow it"


def reason(error: BaseException) -> str:
    """What went wrong, in few words and without our own addresses or paths."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, Refused):
            return str(cause)
        if isinstance(cause, LineTooLong):
            return f"a header of the answer is longer than this server reads ({MAX_HEADER} characters)"
        if isinstance(cause, HttpProcessingError) and "Too many headers" in cause.message:
            return f"the answer has more headers than this server reads ({MAX_HEADERS})"
        cause = getattr(cause, "os_error", None) or cause.__cause__
    match error:
        case aiohttp.ClientConnectorDNSError():
            return str(error.os_error)
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientSSLError():
            return f"the TLS connection to {error.host} failed"
        case aiohttp.ClientConnectorError():
            return f"no connection to {error.host}:{error.port}"
        case aiohttp.ServerTimeoutError():
            return "the connection timed out"
        case aiohttp.ServerDisconnectedError() | aiohttp.ClientPayloadError() | ConnectionError():
            return "the connection broke off"
        case aiohttp.ClientResponseError() | HttpProcessingError():
            return "the server's answer is not HTTP"
        case _:
            return "the request failed"


def may_pass(error: BaseException) -> bool:
    """Whether it is worth trying again: a connection that broke off or was refused, a name server without an answer."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, Refused):
            return False
        if isinstance(cause, socket.gaierror):
            return cause.errno == socket.EAI_AGAIN
        cause = getattr(cause, "os_error", None) or cause.__cause__
    if isinstance(
        error, aiohttp.ClientConnectorDNSError | aiohttp.ClientConnectorCertificateError | aiohttp.ClientSSLError
    ):
        return False
    passing = (
        aiohttp.ClientConnectorError,
        aiohttp.ServerDisconnectedError,
        aiohttp.ClientPayloadError,
        aiohttp.ClientOSError,
        ConnectionError,
    )
    return isinstance(error, passing)


def again_seconds(response: aiohttp.ClientResponse) -> float | None:
    """After how long to try again, where the status is one of trouble that passes."""
    if response.status not in PASSING and response.status < 500:
        return None
    told = response.headers.get("Retry-After", "").strip()
    return min(float(told), LONGEST_AGAIN) if re.fullmatch("[0-9]{1,9}", told) else AGAIN_SECONDS


def unreachable(why: str, retry_after: float | None = None) -> Problem:
    """`retry_after` where it is trouble that may pass."""
    return Problem(Kind.UNREACHABLE_MEDIA, why, retry_after=retry_after)


def unfetched(why: str, field: str | None, retry_after: float | None = None) -> Problem:
    """In Runway's words, which its clients look for."""
    return Problem(Kind.UNREACHABLE_MEDIA, f"Failed to fetch asset: {why}", field=field, retry_after=retry_after)
