"""How a vendor's account fares: a circuit breaker, and a token bucket for its requests."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Generator

LONGEST_SECONDS = 600.0  # that an account is left alone for, whatever its vendor wishes
UNANSWERED_SECONDS = 5.0


class Breaker:
    """Leaves an account alone after failures in a row; then lets one try through, and closes again when that succeeds.

    A pause is the vendor's own wish (429 with Retry-After): everything waits, and nothing counts as a failure.
    """

    def __init__(self, *, failures: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.limit, self.first_seconds, self.clock = failures, seconds, clock
        self.reason = ""  # of the last failure
        self._failures = 0
        self._seconds = seconds  # the length of the next opening
        self._until: float | None = None  # None: closed
        self._paused_until = 0.0
        self._trying = 0
        self._unanswered = 0  # questions in a row

    @property
    def closed(self) -> bool:
        return self._until is None

    @property
    def state(self) -> str:
        if self._until is None:
            return "closed"
        return "open" if self.clock() < self._until else "half-open"

    @property
    def allows(self) -> bool:
        """Whether something may be tried now."""
        now = self.clock()
        if now < self._paused_until:
            return False
        return self._until is None or (now >= self._until and not self._trying)

    @property
    def seconds_left(self) -> float:
        """How long nothing can be tried; 0 when it can."""
        return max((self._until or 0.0) - self.clock(), self._paused_until - self.clock(), 0.0)

    @contextlib.contextmanager
    def trying(self) -> Generator[None]:
        """Around each try, so that a breaker that is half open lets one through and not all."""
        self._trying += 1
        try:
            yield
        finally:
            self._trying -= 1

    def succeeded(self) -> None:
        self._failures, self._until, self._seconds, self.reason = 0, None, self.first_seconds, ""

    def failed(self, reason: str) -> None:
        self.reason = reason
        self._failures += 1
        if self._until is not None:  # the try that was let through
            if self.clock() >= self._until:
                self._seconds = min(LONGEST_SECONDS, 2 * self._seconds)
                self._until = self.clock() + self._seconds
        elif self._failures >= self.limit:
            self._until = self.clock() + self._seconds

    @property
    def answers(self) -> bool:
        """Whether questions that cost nothing may be asked: they are the cheap way to learn that it is back."""
        return self.clock() >= self._paused_until

    def answered(self) -> None:
        """A question was answered: what speaks of the network, not of submissions."""
        self._unanswered = 0

    def unanswered(self, reason: str) -> None:
        """A question was not answered. So many in a row, and the next ones wait for a little."""
        self._unanswered += 1
        if self._unanswered >= self.limit:
            self._unanswered = 0
            self.pause(UNANSWERED_SECONDS, reason)

    def pause(self, seconds: float, reason: str) -> None:
        self.reason = reason
        self._paused_until = max(self._paused_until, self.clock() + min(seconds, LONGEST_SECONDS))


class Bucket:
    """So many requests a second, and as many at once; 0 sets no limit."""

    def __init__(self, per_second: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.per_second, self.clock = per_second, clock
        self.size = max(per_second, 1.0)
        self._whole = per_second
        self._tokens, self._when = self.size, clock()

    @property
    def available(self) -> float:
        """How many requests could go out at once now."""
        if not self.per_second:
            return float("inf")
        self._refill()
        return max(self._tokens, 0.0)

    def share(self, processes: int) -> None:
        """So many processes send requests by the same account."""
        self.per_second = self._whole / processes
        self.size = max(self.per_second, 1.0)

    async def take(self) -> None:
        """Wait for the turn of one request."""
        if not self.per_second:
            return
        self._refill()
        self._tokens -= 1
        if self._tokens < 0:
            await asyncio.sleep(-self._tokens / self.per_second)

    def _refill(self) -> None:
        now = self.clock()
        self._tokens = min(self.size, self._tokens + (now - self._when) * self.per_second)
        self._when = now
