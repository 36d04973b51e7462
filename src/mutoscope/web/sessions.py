"""Who operates this server from a browser: an administrator's key, a short cookie, one-time links; and what a request
must show so that no other site in the same browser speaks for them."""

import base64
import hmac
import ipaddress
import secrets
import time
from collections.abc import Callable
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from mutoscope.model.http import HttpRequest
from mutoscope.model.problem import Kind, Problem
from mutoscope.service.keys import Caller, Keys, digest
from mutoscope.store import Keys as KeyStore

COOKIE = "mutoscope_console"
SESSION_SECONDS = 12 * 3600.0
LINK_SECONDS = 300.0
TRIES, TRIES_SECONDS = 10, 60.0  # of one address to sign in
ADDRESSES = 10_000
SAFE = ("GET", "HEAD")
OURS = ("same-origin", "none")  # what a browser says of where a request comes from


class Pass(Struct, frozen=True, array_like=True):
    """What a cookie or a link says, signed by the server's secret."""

    use: str  # session, link
    digest: str  # of the key; "" for whoever can read the data directory
    expires: float
    nonce: str


class Sessions:
    def __init__(
        self,
        keys: Keys,
        store: KeyStore,
        secret: bytes,
        *,
        public_url: str = "",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.keys, self.store, self.clock = keys, store, clock
        self.public = origin_in(public_url)
        self._secret = signing_key(secret)
        self._tries: dict[str, list[float]] = {}

    # -- asking ------------------------------------------------------------------------

    async def operator(self, request: HttpRequest, address: str, origin: str, *, page: bool = False) -> Caller:
        """Whoever operates the server by a cookie or, where there are no keys, from this machine. `origin` is where
        the request was sent to. Raises Problem.

        A `page` may be come to by a link of another site; nothing else may.
        """
        await self.keys.refresh()
        if self.keys.open:
            check_local(request, address)
        elif cookie_of(request) is None:
            raise Problem(Kind.UNAUTHENTICATED, "Sign in with a key that has the right `admin`.")
        check_origin(request, (origin, self.public), page=page, needed=not self.keys.open)
        if self.keys.open:
            return Caller()
        found = self.read(cookie_of(request) or "", "session")
        if await self.store.pass_ended(found.nonce):
            raise is_over("session")
        return await self.admitted(found)

    async def admitted(self, found: Pass) -> Caller:
        """The key that a pass stands for must still be an administrator's."""
        if not found.digest:
            return Caller(owner="operator")
        caller = await self.keys.of_digest(found.digest)
        if not caller.rights.admin:
            raise Problem(Kind.FORBIDDEN, "This key may not look after the server; it needs the right `admin`.")
        return caller

    # -- signing in and out --------------------------------------------------------------

    async def with_key(self, key: str, address: str) -> str:
        """The cookie of a session. Raises Problem for a key that is no administrator's, and RATE_LIMITED."""
        self.count_try(address)
        if self.keys.open:
            raise Problem(Kind.INVALID, "This server has no keys: its console is open on the machine itself.")
        caller = await self.keys.caller(key.strip())
        if not caller.rights.admin:
            raise Problem(Kind.FORBIDDEN, "This key may not look after the server; it needs the right `admin`.")
        self._tries.pop(address, None)
        return self.session(digest(key.strip()))

    async def with_link(self, token: str, address: str) -> str:
        """The same by a link, which is good once."""
        self.count_try(address)
        found = self.read(token, "link")
        await self.keys.refresh()
        if not self.keys.open:
            await self.admitted(found)
        if not await self.end(found):
            raise is_over("link")
        self._tries.pop(address, None)
        return self.session(found.digest)

    def session(self, digest: str) -> str:
        return self.write(Pass("session", digest, self.clock() + SESSION_SECONDS, secrets.token_urlsafe(12)))

    async def sign_out(self, request: HttpRequest) -> None:
        """For every process. Raises Problem when the store cannot be written: then the session goes on."""
        try:
            found = self.read(cookie_of(request) or "", "session")
        except Problem:
            return
        _ = await self.end(found)

    async def end(self, found: Pass) -> bool:
        """False: somebody has ended it before."""
        return await self.store.end_pass(found.nonce, until=found.expires, now=self.clock())

    def count_try(self, address: str) -> None:
        now = self.clock()
        if len(self._tries) >= ADDRESSES:
            self._tries.clear()
        tries = [at for at in self._tries.get(address, ()) if now - at < TRIES_SECONDS]
        if len(tries) >= TRIES:
            wait = max(1.0, TRIES_SECONDS - (now - tries[0]))
            message = f"Too many tries to sign in. Try again in {wait:.0f} s."
            raise Problem(Kind.RATE_LIMITED, message, retry_after=wait)
        self._tries[address] = [*tries, now]

    # -- passes ----------------------------------------------------------------------------

    def link(self, digest: str = "") -> str:
        return link_token(self._secret, digest, now=self.clock())

    def write(self, found: Pass) -> str:
        return seal(self._secret, found)

    def read(self, token: str, use: str) -> Pass:
        """A pass as it was given; whether it was ended the store knows. Raises Problem(UNAUTHENTICATED)."""
        found = unseal(self._secret, token)
        if found is None or found.use != use or found.expires <= self.clock():
            raise is_over(use)
        return found


def is_over(use: str) -> Problem:
    what = "sign-in link" if use == "link" else "session"
    return Problem(Kind.UNAUTHENTICATED, f"This {what} is over. Sign in again.")


def signing_key(secret: bytes) -> bytes:
    return hmac.digest(secret, b"mutoscope console", "sha256")  # not the key that signs links to files


def link_token(key: bytes, digest: str, *, now: float) -> str:
    """What a one-time link carries. `mutoscope open` makes it of the secret in the data directory."""
    return seal(key, Pass("link", digest, now + LINK_SECONDS, secrets.token_urlsafe(12)))


def seal(key: bytes, found: Pass) -> str:
    said = coded(msgspec.json.encode(found))
    return f"{said}.{coded(hmac.digest(key, said.encode(), 'sha256'))}"


def unseal(key: bytes, token: str) -> Pass | None:
    said, _, signature = token[:1000].partition(".")
    if not hmac.compare_digest(coded(hmac.digest(key, said.encode(), "sha256")).encode(), signature.encode()):
        return None
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(said + "=" * (-len(said) % 4)), type=Pass)
    except (msgspec.DecodeError, ValueError):
        return None


def coded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def cookie_of(request: HttpRequest) -> str | None:
    try:
        found = SimpleCookie(request.headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return None
    return found.value if found and found.value else None


def set_cookie(value: str, *, secure: bool, seconds: float = SESSION_SECONDS) -> str:
    """`value` "" removes it."""
    life = f"Max-Age={int(seconds) if value else 0}"
    return f"{COOKIE}={value}; Path=/; {life}; HttpOnly; SameSite=Strict{'; Secure' if secure else ''}"


# -- other sites in the same browser -----------------------------------------------------------


def check_local(request: HttpRequest, address: str) -> None:
    """Without keys the console is for this machine only, addressed as such: a name that somebody else's DNS leads here
    is not. Raises Problem(FORBIDDEN)."""
    if not is_loopback(address):
        raise Problem(Kind.FORBIDDEN, "Without keys the console is open on the machine itself only.")
    if not is_loopback(urlsplit(f"//{request.headers.get('host', '')}").hostname or ""):
        message = "Without keys the console is open at localhost or 127.0.0.1 only, not at another name."
        raise Problem(Kind.FORBIDDEN, message)


def check_origin(request: HttpRequest, origins: tuple[str, ...], *, page: bool, needed: bool) -> None:
    """What changes something comes from a page of ours, by the browser's own word; `needed` where a cookie, which any
    page would send along, is all that speaks for it. Raises Problem(FORBIDDEN)."""
    told, site = request.headers.get("origin"), request.headers.get("sec-fetch-site")
    changes = request.method not in SAFE
    foreign = told is not None and told not in origins
    foreign |= site is not None and site not in OURS and (changes or not page)
    if foreign or (changes and needed and told is None):
        raise Problem(Kind.FORBIDDEN, "This request comes from another site than the console.")


def is_loopback(host: str) -> bool:
    if host.rstrip(".").lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False


def origin_in(url: str) -> str:
    """scheme://host of a URL, without the port that goes without saying."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme and parts.netloc else ""
