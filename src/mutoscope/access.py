"""Who may call, and how often: keys by digest, a token bucket for each, and tokens for those whom we ask to call."""

import base64
import hashlib
import hmac
import time
from collections.abc import Callable, Iterable

from mutoscope.config import BadSettings, Key
from mutoscope.problem import Kind, Problem
from mutoscope.webhooks import receiver_address
from mutoscope.wires._wire import Allowance

MINUTE = 60.0
BUCKETS_KEPT = 10_000


class Keys:
    """The keys that this server takes. Without any it is open, and then it listens on loopback only."""

    def __init__(self, keys: Iterable[Key] = ()) -> None:
        """Raises BadSettings for a webhook that is no address."""
        keys = tuple(keys)
        self._owners = {key.sha256.lower(): key.name for key in keys}
        self._webhooks = {key.name: receiver_of(key) for key in keys if key.webhook}

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

    def webhook(self, owner: str) -> str | None:
        """Where this owner's news goes when a request does not say."""
        return self._webhooks.get(owner)


def receiver_of(key: Key) -> str:
    try:
        return receiver_address(key.webhook, "webhook")
    except Problem as problem:
        raise BadSettings(f"[[keys]] {key.name}: {problem.message}") from problem


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


# -- callbacks ---------------------------------------------------------------------


def callback_token(secret: bytes, job: str) -> str:
    """What a vendor shows that calls us about a job: nobody else can make it, and it tells nothing but the job."""
    key = hmac.digest(secret, b"mutoscope callbacks", "sha256")  # not the key that signs links
    proof = base64.urlsafe_b64encode(hmac.digest(key, job.encode(), "sha256")).rstrip(b"=").decode()
    return f"{job}.{proof}"


def called_job(secret: bytes, token: str) -> str | None:
    """The job that a token is for; None when it is no token of ours."""
    job = token.partition(".")[0]
    return job if hmac.compare_digest(callback_token(secret, job).encode(), token.encode()) else None
