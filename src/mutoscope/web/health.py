"""Whether jobs can be taken and made now, and if not, what is in the way."""

import asyncio
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import structlog

from mutoscope.background.worker import Worker
from mutoscope.model.problem import Problem
from mutoscope.service.gateway import Gateway

log = structlog.get_logger(__name__)

STORE_SECONDS = 1.0  # how long a write may take
WORKER_SECONDS = 5.0  # the worker looks for jobs every second
BELIEVED_SECONDS = 1.0  # how long a finding holds: whoever asks more often costs no more writes


class Readiness:
    def __init__(
        self,
        *,
        gateway: Gateway,
        worker: Worker | None,
        data: Path,
        min_free_bytes: int,
        tick: Callable[[], float] = time.monotonic,
        hindrance: Callable[[], str] = lambda: "",
    ) -> None:
        """Without a worker, others make what is filed here. `hindrance`: why this process may not work at all."""
        self.hindrance = hindrance
        self.gateway, self.worker, self.data, self.min_free_bytes = gateway, worker, data, min_free_bytes
        self.tick = tick
        self._found: dict[str, str] = {}
        self._until = float("-inf")
        self._looking = asyncio.Lock()

    async def failing(self) -> dict[str, str]:
        """What is in the way → why; empty when nothing is. It is told to strangers: no path, no number."""
        if self.gateway.signals.draining:
            return {"draining": "the server is shutting down"}
        async with self._looking:
            if self.tick() >= self._until:
                self._found = await self._look()
                self._until = self.tick() + BELIEVED_SECONDS
        return self._found

    async def _look(self) -> dict[str, str]:
        store, files = await asyncio.gather(self._store(), self.gateway.assets.trouble())
        found = {
            "clock": self.hindrance(),
            "store": store,
            "files": files,
            "worker": self._worker(),
            "disk": self._disk(),
        }
        failing = {what: why for what, why in found.items() if why}
        if failing and failing != self._found:
            log.error("not_ready", **failing)
        return failing

    async def _store(self) -> str:
        try:
            await asyncio.wait_for(self.gateway.store.touch(), STORE_SECONDS)
        except TimeoutError:
            return "a write takes too long"
        except Problem as problem:
            return problem.message
        return ""

    def _worker(self) -> str:
        if self.worker is None:
            return ""
        return "no jobs are being started" if self.tick() - self.worker.looked > WORKER_SECONDS else ""

    def _disk(self) -> str:
        try:
            free = shutil.disk_usage(self.data).free
        except OSError:
            return "the data directory cannot be read"
        return "there is too little free space" if free < self.min_free_bytes else ""
