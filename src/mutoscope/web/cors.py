"""Which web pages may call this server from a browser: none, unless the operator names them."""

from collections.abc import Collection, MutableMapping
from typing import Any

Headers = list[tuple[bytes, bytes]]

PREFLIGHT: Headers = [
    (b"access-control-allow-methods", b"GET, HEAD, POST, PUT, PATCH, DELETE"),
    (b"access-control-allow-headers", b"authorization, *"),  # "*" does not stand for that one
    (b"access-control-max-age", b"600"),
]
SHOWN = b"x-request-id, x-mutoscope-engine, x-mutoscope-notes, retry-after, content-range"


class Origins:
    """A key is a header that a page has to send itself, and there are no cookies: so credentials are never allowed."""

    def __init__(self, allowed: Collection[str]) -> None:
        self.allowed = {each.rstrip("/").encode("latin-1") for each in allowed}
        self.all = b"*" in self.allowed

    def allows(self, origin: str) -> bool:
        return self.all or origin.encode("latin-1", "replace") in self.allowed

    def headers(self, scope: MutableMapping[str, Any]) -> Headers:
        """What the answer to this request says in addition."""
        origin: bytes = next((value for name, value in scope["headers"] if name == b"origin"), b"")
        if not origin or not (self.all or origin in self.allowed):
            return [] if self.all else [(b"vary", b"origin")]
        allowed = b"*" if self.all else origin
        told = [(b"access-control-allow-origin", allowed), (b"access-control-expose-headers", SHOWN)]
        if not self.all:
            told.append((b"vary", b"origin"))
        return told + PREFLIGHT if is_preflight(scope) else told


def is_preflight(scope: MutableMapping[str, Any]) -> bool:
    """A browser asks before it sends what a page could not have sent before there was CORS."""
    return scope["method"] == "OPTIONS" and any(
        name == b"access-control-request-method" for name, _ in scope["headers"]
    )
