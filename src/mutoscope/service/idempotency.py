"""How a create is recognised when it comes again: by a key that its client chose, or by its SDK's count of retries."""

import asyncio
import contextlib
import hashlib
import re
from collections.abc import AsyncGenerator

from mutoscope.model.http import HttpRequest
from mutoscope.model.problem import Kind, Problem
from mutoscope.store import Repeat

KEY = "idempotency-key"
RETRIES = "x-stainless-retry-count"  # SDKs that Stainless generates say with each request how many came before it
REPLAYED = "idempotent-replayed"  # on an answer that tells of a job which was there before

KEY_SECONDS = 24 * 3600.0
RETRY_SECONDS = 600.0  # longer than an SDK goes on trying
LONGEST_KEY = 255
PRINTABLE = re.compile(rf"[!-~](?:[ -~]{{0,{LONGEST_KEY - 2}}}[!-~])?")
COUNT = re.compile(r"[0-9]{1,6}")


def may_repeat(request: HttpRequest) -> bool:
    """Whether a create says anything of itself by which it could be recognised."""
    return KEY in request.headers or RETRIES in request.headers


def repeat_of(request: HttpRequest) -> Repeat | None:
    """None for a request that says nothing of itself: it is always a new one. Raises Problem(INVALID)."""
    key, count = request.headers.get(KEY), request.headers.get(RETRIES)
    if key is not None:
        if not PRINTABLE.fullmatch(key):
            message = f"The header {KEY} should be 1 to {LONGEST_KEY} printable ASCII characters; it has {len(key)}."
            raise Problem(Kind.INVALID, message, field=KEY)
        return Repeat(key=f"key {key}", digest=digest_of(request), seconds=KEY_SECONDS)
    if count is not None and COUNT.fullmatch(count):
        # Two requests of the same text may both be meant. Only a retry says of itself that it is one.
        digest = digest_of(request)
        return Repeat(key=f"retry {digest}", digest=digest, seconds=RETRY_SECONDS, replays=int(count) > 0)
    return None


def digest_of(request: HttpRequest) -> str:
    """What makes two requests the same: method, path, query and the bytes of the body."""
    query = sorted(request.query.items())
    found = hashlib.sha256(f"{request.method} {request.path} {query}\n".encode())
    found.update(request.body)
    return found.hexdigest()


class SingleFlight:
    """Lets a repetition wait until the request that it repeats is through, so that nothing is fetched or made twice."""

    def __init__(self) -> None:
        self._under: dict[tuple[str, str], dict[asyncio.Event, None]] = {}  # those to be waited for, by owner and key

    @contextlib.asynccontextmanager
    async def take(self, owner: str, repeat: Repeat) -> AsyncGenerator[None]:
        """What replays waits for all who came before it; what is new waits for nobody, and is waited for."""
        before, mine = self._under.get((owner, repeat.key), {}), asyncio.Event()
        if repeat.replays:  # who comes later need wait for this one only
            self._under[owner, repeat.key] = {mine: None}
        else:
            self._under.setdefault((owner, repeat.key), {})[mine] = None
        try:
            if repeat.replays:
                for each in tuple(before):
                    await each.wait()
            yield
        finally:
            mine.set()
            under = self._under.get((owner, repeat.key), {})
            under.pop(mine, None)
            if not under:
                self._under.pop((owner, repeat.key), None)
