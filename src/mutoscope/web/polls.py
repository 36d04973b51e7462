"""Status reads that come again word for word, as clients that poll send them: answered at once, from what the last one
found, for as long as all of that holds."""

from collections.abc import MutableMapping
from hashlib import blake2b
from itertools import chain
from typing import Any, NamedTuple

from mutoscope.model.job import Job
from mutoscope.service.keys import Caller
from mutoscope.wirekit.wire import Wire

Scope = MutableMapping[str, Any]

ASKED = "mutoscope.asked"
"""What a scope has of a request that may be answered at once: the digest of its words, which hold a key."""
KEPT = 4096


class Poll(NamedTuple):
    """What a status read found, and the answer to it without what is new each time."""

    job: Job  # as the store remembers it: another object means that it has changed
    until: float  # by the monotonic clock
    caller: Caller
    who: str  # whose share of requests it counts against
    wire: Wire
    counted: tuple[str, int]  # as what
    head: bytes
    body: bytes


class Polls:
    def __init__(self) -> None:
        self._kept: dict[bytes, Poll] = {}

    def find(self, scope: Scope) -> Poll | None:
        """The same request, from the same address, of a while ago."""
        client = scope["client"]
        words = chain(
            (client[0].encode() if client else b"", scope["raw_path"], scope["query_string"]), *scope["headers"]
        )
        scope[ASKED] = asked = blake2b(b"\n".join(words), digest_size=32).digest()
        return self._kept.get(asked)

    def keep(self, scope: Scope, poll: Poll) -> None:
        if len(self._kept) >= KEPT:
            self._kept.clear()
        self._kept[scope[ASKED]] = poll
