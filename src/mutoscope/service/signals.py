"""Who wakes whom: what happened is told here, and each loop in the background waits here for what is its own."""

import asyncio
import contextlib
from collections.abc import Callable

from mutoscope.model.job import Job


class Bell:
    """What one loop waits for and everybody may ring."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        self._rung.set()

    async def wait(self, seconds: float) -> None:
        """Until it is rung, unless it was since the last time, and no longer than so many seconds."""
        with contextlib.suppress(TimeoutError):
            # not `wait_for`, which on Python 3.11 loses a cancel that comes together with the event
            async with asyncio.timeout(seconds):
                await self._rung.wait()
        self._rung.clear()


class Signals:
    def __init__(self) -> None:
        self.worker, self.poller, self.deliverer = Bell(), Bell(), Bell()
        self.draining = False  # the server is shutting down: nothing new is taken
        self.interrupt: Callable[[str], None] | None = None  # the worker sets it: stop making the job of this id
        self._wanted: set[str] = set()  # the engines that the worker should look for jobs of
        self._full: set[str] = set()  # the engines without a free slot: no use waking it for these

    def filed(self, job: Job) -> None:
        """A job waits for its engine."""
        self.wake(job.engine)

    def unwanted(self, job: Job) -> None:
        """Nobody wants this job any more, and its engine has room for another."""
        if self.interrupt:
            self.interrupt(job.id)
        self.wake(job.engine)

    def delivery_pending(self) -> None:
        """There is a webhook to send."""
        self.deliverer.ring()

    def watched(self) -> None:
        """There is a job to ask a vendor about, or room to ask."""
        self.poller.ring()

    def wake(self, engine: str) -> None:
        """Have the worker look for jobs of this engine now."""
        self._wanted.add(engine)
        if engine not in self._full:
            self.worker.ring()

    def wanted(self) -> set[str]:
        """The engines that it was woken for since it last asked."""
        wanted, self._wanted = self._wanted, set()
        return wanted

    def full(self, engine: str) -> None:
        """This engine has no free slot, until one is `freed`."""
        self._full.add(engine)

    def freed(self, engine: str) -> None:
        self._full.discard(engine)
        self.wake(engine)
