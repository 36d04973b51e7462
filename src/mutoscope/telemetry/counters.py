"""Counts and durations, kept where things happen and read by whoever tells them.

Counting is on the path of every request: one look into a dict and two additions, a tenth of what the instruments of
prometheus-client cost.
"""

from bisect import bisect_left
from collections.abc import Hashable
from typing import Generic, TypeVar

REQUEST_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
JOB_SECONDS = (0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 14400.0)
LAG_SECONDS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)

K = TypeVar("K", bound=Hashable)


class Tally(Generic[K]):
    """Sums by what they are of. Beyond `most` different ones a new one is counted as `rest`, since names that come from
    outside have no end."""

    def __init__(self, most: int = 10_000, rest: K | None = None) -> None:
        self.most, self.rest = most, rest
        self.sums: dict[K, float] = {}

    def add(self, of: K, amount: float = 1.0) -> None:
        if of not in self.sums and len(self.sums) >= self.most:
            if self.rest is None:
                return
            of = self.rest
        self.sums[of] = self.sums.get(of, 0.0) + amount


class Durations(Generic[K]):
    """How often something took how long, by what it was. Each row ends with the sum of its seconds; before that stand
    the counts between the bounds, the last beyond all."""

    def __init__(self, bounds: tuple[float, ...] = REQUEST_SECONDS) -> None:
        self.bounds = bounds
        self.rows: dict[K, list[float]] = {}

    def add(self, of: K, seconds: float) -> None:
        row = self.rows.get(of)
        if row is None:
            row = self.rows[of] = [0] * (len(self.bounds) + 1) + [0.0]
        row[bisect_left(self.bounds, seconds)] += 1
        row[-1] += seconds
