"""What must hold of every request's head: one host, one credential, and a proxy's word from proxies of ours only."""

import ipaddress
import re
from collections.abc import Collection, Iterable, MutableMapping
from functools import lru_cache
from typing import Any

from mutoscope.model.config import BadSettings
from mutoscope.model.problem import Kind, Problem

Scope = MutableMapping[str, Any]
Headers = Iterable[tuple[bytes, bytes]]

LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"  # containers' names have underscores
HOST = re.compile(rf"(?:{LABEL}(?:\.{LABEL})*\.?|\[[0-9A-Fa-f:.]{{2,45}}\])(?::[0-9]{{1,5}})?")
LONGEST_HOST = 262  # a name of 253 characters, and a port
WITHOUT_HOST = ("/healthz", "/readyz")
"""What balancers ask by HTTP/1.0, which knows no Host."""
PROTO, FORWARDED_HOST, FOR = b"x-forwarded-proto", b"x-forwarded-host", b"x-forwarded-for"


def check_host(scope: Scope) -> None:
    """Links begin with the host by which we were addressed, so it must be one. Raises Problem(INVALID)."""
    hosts = [value for name, value in scope["headers"] if name == b"host"]
    if len(hosts) == 1 and is_host(hosts[0]):
        return
    if not hosts and scope.get("http_version") == "1.0" and scope["path"] in WITHOUT_HOST:
        return
    if not hosts:
        raise Problem(Kind.INVALID, "The header Host is missing: name the server that you ask, as in Host: example.com")
    if len(hosts) > 1:
        raise Problem(Kind.INVALID, "The header Host is given twice: one server is asked at a time.")
    raise Problem(Kind.INVALID, "The header Host should be a name or an address, and a port if need be: example.com:80")


@lru_cache(maxsize=1024)
def is_host(value: bytes) -> bool:
    text = value.decode("latin-1")
    if len(text) > LONGEST_HOST or not HOST.fullmatch(text):
        return False
    name, _, port = text.rpartition(":") if not text.endswith("]") else (text, "", "")
    if port.isdigit() and int(port) > 65535:
        return False
    bare = name or text
    return not bare.startswith("[") or is_address(bare.strip("[]"))


def is_address(text: str) -> bool:
    try:
        return bool(ipaddress.ip_address(text))
    except ValueError:
        return False


def is_this_machine(name: str) -> bool:
    """Whether a name or an address is one of loopback."""
    return name == "localhost" or (is_address(name) and ipaddress.ip_address(name).is_loopback)


def one_credential(headers: Headers) -> None:
    """Two keys in one request are none: whoever stands before us may have looked at the other one. The same key in the
    headers of two vendors is one: so clients ask that do not know which we look at.

    Raises Problem(UNAUTHENTICATED).
    """
    found = [each for each in headers if each[0].endswith(ENDINGS)]
    if len(found) < 2:
        return
    found = [each for each in found if each[0] in CREDENTIALS or each[0].endswith(b"api-key")]
    given = [(name.decode("latin-1"), value.strip()) for name, value in found]
    names = [name for name, _ in given]
    if len(set(names)) < len(names):
        raise Problem(Kind.UNAUTHENTICATED, "The API key is given twice in the same header. Send one.")
    if len({key_in(value) for _, value in given if value}) > 1:
        raise Problem(Kind.UNAUTHENTICATED, f"There are different API keys in {' and in '.join(names)}. Send one.")


def key_in(value: bytes) -> bytes:
    scheme, _, key = value.partition(b" ")
    return key.strip() if scheme.lower() == b"bearer" else value


CREDENTIALS = (b"authorization", b"x-key")
ENDINGS = (*CREDENTIALS, b"api-key")


class Proxies:
    """The proxies whose word about the caller counts. Anybody else's is not looked at."""

    def __init__(self, trusted: Collection[str]) -> None:
        """Raises BadSettings for what is neither an address nor a network."""
        try:
            self.networks = [ipaddress.ip_network(each.strip(), strict=False) for each in trusted]
        except ValueError as error:
            raise BadSettings(f"[server] trusted_proxies: {error}") from error
        self.trusts = lru_cache(maxsize=1024)(self._trusts)

    def _trusts(self, address: str) -> bool:
        try:
            asked = ipaddress.ip_address(address)
        except ValueError:
            return False
        if isinstance(asked, ipaddress.IPv6Address) and asked.ipv4_mapped:
            asked = asked.ipv4_mapped
        return any(asked in network for network in self.networks)

    def scope(self, scope: Scope) -> Scope:
        """As the caller asked, by the word of the nearest proxy. Raises Problem(INVALID) where that is no sense."""
        client = scope.get("client")
        if not client or not self.trusts(client[0]):
            return scope
        told = {name: value.decode("latin-1").rpartition(",")[2].strip() for name, value in scope["headers"]}
        scheme, host = told.get(PROTO, scope.get("scheme", "http")).lower(), told.get(FORWARDED_HOST)
        if scheme in ("ws", "wss"):  # as some say of a WebSocket
            scheme = f"http{scheme[2:]}"
        if scheme not in ("http", "https"):
            raise Problem(Kind.INVALID, f"X-Forwarded-Proto is http or https; {scheme[:20]!r} is neither.")
        headers = scope["headers"]
        if host is not None:
            headers = [
                *((name, value) for name, value in headers if name != b"host"),
                (b"host", host.encode("latin-1")),
            ]
        return {**scope, "scheme": scheme, "headers": headers, "client": (self.caller(scope) or client[0], client[1])}

    def caller(self, scope: Scope) -> str:
        """The last address that none of our proxies is: what stands before it is its own word."""
        listed = b",".join(value for name, value in scope["headers"] if name == FOR).decode("latin-1")
        hops = [hop.strip() for hop in listed.split(",")] if listed else []
        while len(hops) > 1 and self.trusts(hops[-1]):
            hops.pop()
        return hops[-1] if hops and is_address(hops[-1]) else ""
