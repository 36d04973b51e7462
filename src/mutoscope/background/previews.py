"""Draws small pictures of what jobs made, when nothing else is to do, for the pages that list them."""

import asyncio
import tempfile
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import structlog

from mutoscope.files.assets import Assets
from mutoscope.files.probe import DRAWINGS, Drawn, Prober
from mutoscope.model.config import Inputs
from mutoscope.model.job import Job, Output, State
from mutoscope.model.problem import Problem
from mutoscope.store import Jobs

log = structlog.get_logger(__name__)

LATER_SECONDS = 2.0  # after a job's end: whoever waited for it fetches its files first
IDLE_LOOKS = 0.5  # seconds between two looks whether nothing is to do
PATIENCE_SECONDS = 60.0  # after which it is drawn although something is
MOST_WAITING = 1000  # of those that wait longest, some go without
TAKEN_UP = 100  # newest jobs that are looked at after a start
SMALL_BYTES = 64 * 1024  # a picture so small is its own poster


class PreviewStore(Jobs, Protocol):
    """What this needs of the store."""


class Previews:
    def __init__(
        self,
        *,
        store: PreviewStore,
        assets: Assets,
        inputs: Inputs,
        scratch: Path,
        busy: Callable[[], bool],
        clock: Callable[[], float] = time.time,
        later_seconds: float = LATER_SECONDS,
        told: Callable[[str], None] | None = None,
    ) -> None:
        """`busy`: whether jobs are being made here. `told`: of each job that has got a picture."""
        self.told = told
        self.store, self.assets, self.inputs, self.scratch = store, assets, inputs, scratch
        self.busy, self.clock, self.later_seconds = busy, clock, later_seconds
        self._waiting: deque[tuple[str, float]] = deque(maxlen=MOST_WAITING)
        self._more = asyncio.Event()

    def add(self, job: Job) -> None:
        """A job has ended with files."""
        if job.state is State.SUCCEEDED and any(wants(each) for each in job.outputs):
            self._waiting.append((job.id, time.monotonic()))
            self._more.set()

    async def run(self) -> None:
        """Draw until cancelled. The child that draws is there while there is something to draw."""
        await self._take_up()
        while True:
            await self._more.wait()
            self._more.clear()
            await asyncio.sleep(self.later_seconds)
            prober = Prober(self.inputs)
            try:
                while self._waiting:
                    id, since = self._waiting.popleft()
                    while self.busy() and time.monotonic() - since < PATIENCE_SECONDS:  # noqa: ASYNC110
                        await asyncio.sleep(IDLE_LOOKS)
                    await self.draw(id, prober)
            finally:
                await prober.close()

    async def _take_up(self) -> None:
        """What an earlier process left undone."""
        try:
            for job in reversed(await self.store.recent(limit=TAKEN_UP, state=State.SUCCEEDED)):
                self.add(job)
        except Problem as problem:
            log.error("previews_not_taken_up", reason=problem.message)

    async def draw(self, id: str, prober: Prober) -> None:
        """Whatever is in the way, the job is what it was; what cannot be drawn is not tried again here."""
        try:
            job = await self.store.get(id)
            for output in job.outputs if job else ():
                if wants(output):
                    await self._draw(id, output, prober)
        except (Problem, OSError) as problem:
            log.info("not_drawn", job=id, reason=str(problem))
        except Exception:
            log.exception("drawing_broke", job=id)

    async def _draw(self, id: str, output: Output, prober: Prober) -> None:
        with tempfile.TemporaryDirectory(dir=self.scratch) as folder:
            path = await self.assets.local_path(output.asset, Path(folder))
            drawn = [await prober.draw(path, what) for what in DRAWINGS[kind_of(output)]]
        poster, preview = [*(await self._keep(drawn)), ""][:2]
        if await self.store.illustrate(id, output.id, poster=poster, preview=preview, now=self.clock()) and self.told:
            self.told(id)

    async def _keep(self, drawn: list[Drawn]) -> list[str]:
        return [await self.assets.put(each.data, each.media_type) for each in drawn]


def wants(output: Output) -> bool:
    """Whether a file has no poster yet and needs one."""
    kind = kind_of(output)
    small = kind == "image" and output.bytes <= SMALL_BYTES
    return bool(output.asset) and kind in DRAWINGS and not output.poster and not small


def kind_of(output: Output) -> str:
    return output.media_type.partition("/")[0]
