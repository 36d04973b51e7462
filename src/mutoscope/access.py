"""Who may call, and how often: keys by digest, and a token bucket for each."""

import hashlib
import time
from collections.abc import Callable, Iterable

from mutoscope.config import Key
from mutoscope.problem import Kind, Problem
from mutoscope.wires._wire import Allowance

MINUTE = 60.0
BUCKETS_KEPT = 10_000


class Keys:
    """The keys that this server takes. Without any it is open, and then it listens on loopback only."""

    def __init__(self, keys: Iterable[Key] = ()) -> None:
        self._owners = {key.sha256.lower(): key.name for key in keys}

    @property
    def open(self) -> bool:
        return not self._owners

    def owner(self, secret: str | None) -> str:
        """Whose key this is; "" on an open server. Raises Problem(UNAUTHENTICATED).

        The look-up is by the digest of the whole key, so that its time tells nothing about a kept key.
        """
        if self.open:
            return ""
        if not secret:
            raise Problem(Kind.UNAUTHENTICATED, "Missing API key")
        owner = self._owners.get(digest(secret))
        if owner is None:
            raise Problem(Kind.UNAUTHENTICATED, "Invalid API key")
        return owner


def digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


class Pace:
    """A token bucket per caller: `per_minute` requests, a minute's worth at once at most. 0 sets no limit."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.per_minute, self.clock = per_minute, clock
        self._buckets: dict[str, tuple[float, float]] = {}  # caller → (tokens, when)

    def spend(self, caller: str) -> Allowance | None:
        """Take one request from the caller's share; None where there is no limit. Raises Problem(RATE_LIMITED)."""
        if not self.per_minute:
            return None
        now = self.clock()
        rate = self.per_minute / MINUTE
        tokens, then = self._buckets.pop(caller, (float(self.per_minute), now))
        tokens = min(float(self.per_minute), tokens + (now - then) * rate)
        if len(self._buckets) >= BUCKETS_KEPT:
            self._buckets.pop(next(iter(self._buckets)))  # the one that was used longest ago
        if tokens < 1:
            self._buckets[caller] = (tokens, now)
            raise RateLimited(self.allowance(0, (1 - tokens) / rate))
        self._buckets[caller] = (tokens - 1, now)
        return self.allowance(int(tokens - 1), (self.per_minute - tokens + 1) / rate)

    def allowance(self, remaining: int, reset_seconds: float) -> Allowance:
        return Allowance(limit=self.per_minute, remaining=remaining, reset_seconds=reset_seconds)


class RateLimited(Problem):
    """Too many requests from one caller; `allowance` goes into the wire's headers."""

    def __init__(self, allowance: Allowance) -> None:
        super().__init__(Kind.RATE_LIMITED, "Too many requests", retry_after=allowance.reset_seconds)
        self.allowance = allowance
