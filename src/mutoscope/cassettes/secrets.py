"""What never reaches a cassette: the one list, and how it is struck out."""

import re
from collections.abc import Callable, Collection
from functools import lru_cache
from typing import Any, cast

from mutoscope.telemetry import logs
from mutoscope.telemetry.logs import STRUCK

KEPT_HEADERS = frozenset({
    *("content-type", "content-encoding", "cache-control", "retry-after", "retry-after-ms", "x-should-retry"),
    *("request-id", "x-request-id", "x-fal-retryable", "x-fal-error-type"),
})  # fmt: skip
"""Headers of an answer that are kept; of a request none is. All others (cookies, signatures, keys, whatever a proxy
adds) are not."""
MEMBERS = frozenset({
    *("authorization", "apikey", "accesstoken", "refreshtoken", "idtoken", "clientsecret", "secretkey", "secret"),
    *("password", "cookie", "setcookie", "credential", "credentials", "signedurl", "xamzsecuritytoken"),
})  # fmt: skip
"""Members of JSON whose text is struck out, in lower case and without hyphens and underscores."""
SLOT_MEMBERS = MEMBERS | {"fields", "headers", "policy", "signature"}
"""The same of an answer that opens a slot for an upload: whoever has its form may upload."""
SIGNED = re.compile(r"(https?://[^\s\"'<>?#]+)\?([^\s\"'<>]*)")
SIGNATURE = re.compile(
    r"(?i)(^|[&;]|u0026)(x-(amz|goog|oss|tos)-|[a-z-]*(sig|signature|token|key|secret|auth|credential|policy|se|exp|expires)=)"
)
"""What tells by its names that a link's query lets in whoever has it: then all of the query goes."""
SUSPECT = ("bearer", "basic", "whsec_", "sk-", "msk_", "key_", "://", "?", "&", "data:")
"""One of these is in every text of which something may have to be struck out, but for the secrets that are known."""
EMAIL = re.compile(r"[\w.+-]+@[\w-]+(\.[\w-]+)+")
SHORTEST = 4  # characters of a key that is struck out wherever it stands


def text_without(text: str, secrets: Collection[str] = ()) -> str:
    """Without the secrets that are known, what looks like one, and the queries of signed links."""
    low = text.lower()
    if not any(each in low for each in SUSPECT) and not any(each in text for each in (*secrets, *logs.known)):
        return text  # nearly all texts
    for secret in secrets:
        if len(secret) >= SHORTEST:
            text = text.replace(secret, STRUCK)
    return SIGNED.sub(unsigned, logs.replaced(text) if "data:" not in text[:5] else text)


def unsigned(found: re.Match[str]) -> str:
    return found[1] if SIGNATURE.search(found[2]) else found[0]


def value_without(value: Any, secrets: Collection[str] = (), *, members: Collection[str] = MEMBERS) -> Any:
    """JSON without them."""

    def struck(name: str, each: Any) -> Any:
        if plain_name(name) in members:
            return mapped(each, lambda _: STRUCK)
        return value_without(each, secrets, members=members) if isinstance(each, str | dict | list) else each

    return mapped(value, lambda text: text_without(text, secrets), struck)


@lru_cache(maxsize=4096)
def plain_name(name: str) -> str:
    return re.sub("[-_ ]", "", name).lower()


def mapped(value: Any, text: Callable[[str], Any], member: Callable[[str, Any], Any] | None = None) -> Any:
    """JSON with something else for each text in it, or for each member of its objects."""
    if isinstance(value, str):
        return text(value)
    if isinstance(value, dict):
        told = cast("dict[str, Any]", value).items()
        return {name: member(name, each) if member else mapped(each, text) for name, each in told}
    if isinstance(value, list | tuple):
        return [mapped(each, text, member) for each in cast("list[Any]", value)]
    return value


def headers_without(headers: dict[str, str], secrets: Collection[str] = ()) -> dict[str, str]:
    kept = {name: text for name, text in headers.items() if name in KEPT_HEADERS}
    return {name: EMAIL.sub(STRUCK, text_without(text, secrets)) for name, text in kept.items()}
