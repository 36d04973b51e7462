"""The hot jobs, kept in memory so that a status read costs no query."""

import time
from collections import OrderedDict
from collections.abc import Callable
from math import inf

from mutoscope.model.job import Job
from mutoscope.store.protocol import UNSETTLED


class HotJobs:
    """The most recently used jobs. A job that may still change is believed for `fresh_seconds` only, because another
    process may change it; this process's own changes are put here as they are committed.
    """

    def __init__(self, size: int, *, fresh_seconds: float = 1.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._size, self._fresh, self._clock = size, fresh_seconds, clock
        self._entries: OrderedDict[str, tuple[Job, float]] = OrderedDict()

    def get(self, id: str) -> Job | None:
        entry = self._entries.get(id)
        if entry is None:
            return None
        job, believed_until = entry
        if self._clock() > believed_until:
            return None
        self._entries.move_to_end(id)
        return job

    def put(self, job: Job) -> None:
        entries = self._entries
        entries[job.id] = (job, self._clock() + self._fresh if may_change(job) else inf)
        entries.move_to_end(job.id)
        if len(entries) > self._size:
            _ = entries.popitem(last=False)

    def drop(self, id: str) -> None:
        _ = self._entries.pop(id, None)

    def clear(self) -> None:
        self._entries.clear()

    def __len__(self) -> int:
        return len(self._entries)


def may_change(job: Job) -> bool:
    """A job that failed for want of news may be made after all, and one that no engine has may be replaced."""
    return job.finished is None or not job.engine or (job.failure is not None and job.failure.kind in UNSETTLED)
