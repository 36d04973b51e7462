"""Removes what was kept for its time: rows of the store in small steps, then the files that nobody needs any more."""

import asyncio
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import structlog
from msgspec import Struct

from mutoscope.files.assets import WAITING_SECONDS, Assets, kept_since
from mutoscope.model.config import Retention
from mutoscope.model.problem import Problem
from mutoscope.store import Kept
from mutoscope.store import Retention as RetentionStore

log = structlog.get_logger(__name__)

DAY = 86400.0
LOOK = 50  # rows in a transaction: requests that are written in the same one wait for a millisecond or two
FILES = 50
REST = 4.0  # how many times as long as it worked the sweeper rests, so that it has a fifth of the disk's time at most
FIRST_SECONDS = 30.0  # after the start, when there is more to do than this
PASS_SECONDS = 300.0  # between two passes
LONGEST_PASS = 60.0  # what is left is for the next one
REFRESH_SECONDS = 1.0  # how long what another process removed may still be shown
FOLDERS = 256  # of a local store of files


class Counts(Struct):
    """What a pass removed, or would remove."""

    rows: dict[Kept, int]
    files: int = 0
    strays: int = 0

    def __bool__(self) -> bool:
        return bool(self.files or self.strays or any(self.rows.values()))


class Sweeper:
    def __init__(
        self,
        *,
        store: RetentionStore,
        assets: Assets,
        settings: Retention,
        spared: Collection[str] = (),
        clock: Callable[[], float] = time.time,
        waiting_seconds: float = WAITING_SECONDS,
        on_duty: Callable[[], bool] = lambda: True,
    ) -> None:
        """`spared` are jobs that stay. `waiting_seconds`: how old a file is before it can be one that nobody needs."""
        self.store, self.assets, self.settings = store, assets, settings
        self.spared, self.clock, self.waiting_seconds = spared, clock, waiting_seconds
        self.on_duty = on_duty  # whether it is for this process to sweep

    async def run(self) -> None:
        """A pass now and then, until cancelled; a fault of the store is waited out, not fatal."""
        due = time.monotonic() + FIRST_SECONDS
        while True:
            await asyncio.sleep(REFRESH_SECONDS)
            try:
                await self.store.refresh()
                if time.monotonic() >= due and self.on_duty():
                    if counts := await self.sweep(seconds=LONGEST_PASS):
                        log.info("swept", files=counts.files, **{kept.value: n for kept, n in counts.rows.items() if n})
                    due = time.monotonic() + PASS_SECONDS
            except (Problem, OSError) as problem:
                log.error("sweep_failed", reason=str(problem))
                due = time.monotonic() + PASS_SECONDS
            except Exception:
                log.exception("sweep_broke")
                due = time.monotonic() + PASS_SECONDS

    async def sweep(
        self, *, seconds: float | None = None, dry_run: bool = False, strays: bool = False, rest: float = REST
    ) -> Counts:
        """One pass, for so long at most. `dry_run` counts what would go, and touches nothing."""
        end = None if seconds is None else time.monotonic() + seconds
        counts = Counts(rows=dict.fromkeys(Kept, 0))
        for kept, days in self.spans():
            await self._sweep_rows(kept, days, counts, end=end, dry_run=dry_run, rest=rest)
        if not dry_run:
            counts.files = await self._sweep_drops(end, rest)
        if strays:
            counts.strays = await self._sweep_strays(end, dry_run=dry_run)
        return counts

    def spans(self) -> Iterator[tuple[Kept, float]]:
        """What has a time, and how long it is in days."""
        settings = self.settings
        days = {
            Kept.OUTPUTS: settings.outputs_days,
            Kept.INPUTS: settings.inputs_days,
            Kept.JOBS: settings.jobs_days,
            Kept.DELIVERIES: settings.deliveries_days,
            Kept.UPLOADS: settings.uploads_days,
            Kept.EXCHANGES: settings.exchanges_days,
            Kept.ANSWERS: settings.answers_days,
        }
        yield from ((kept, each) for kept, each in days.items() if each)
        yield Kept.REPEATS, 0.0  # these have their time with them

    async def _sweep_rows(
        self, kept: Kept, days: float, counts: Counts, *, end: float | None, dry_run: bool, rest: float
    ) -> None:
        after: str | None = ""
        before = self.clock() - days * DAY
        while after is not None and not passed(end):
            began = time.monotonic()
            swept = await self.store.sweep(
                kept, before=before, now=self.clock(), limit=LOOK, after=after, spared=self.spared, dry_run=dry_run
            )
            counts.rows[kept] += swept.removed
            after = swept.after
            await asyncio.sleep(rest * (time.monotonic() - began))

    # -- files ------------------------------------------------------------------------

    async def _sweep_drops(self, end: float | None, rest: float) -> int:
        """Files that a job or an upload needed until it went."""
        removed = 0
        # In a bucket nothing tells when a file was last wanted: each stays for as long as somebody may be about to.
        waits = 0.0 if self.assets.root is not None else self.waiting_seconds
        while not passed(end) and (assets := await self.store.due_drops(now=self.clock() - waits, limit=FILES)):
            began = time.monotonic()
            removed += await self.remove(assets, untouched_since=self.clock() - self.waiting_seconds)
            await asyncio.sleep(rest * (time.monotonic() - began))
        return removed

    async def _sweep_strays(self, end: float | None, *, dry_run: bool) -> int:
        """Files that no record names: what a run left that died before it ended, or a request that was refused.

        Asked for by hand only, because beside a database that was lost every file is one. And only in a directory of
        our own: in one that the settings name, others may keep files too.
        """
        root, removed = self.assets.root, 0
        if root is None or self.assets.settings.store:
            return 0
        before = self.clock() - self.waiting_seconds
        for folder in range(FOLDERS):
            if passed(end):
                break
            keys, drafts = await asyncio.to_thread(kept_since, root, f"{folder:02x}", before)
            for start in range(0, len(keys), FILES):
                some = keys[start : start + FILES]
                if dry_run:
                    removed += len(some) - len(await self.store.needed(some))
                else:
                    removed += await self.remove(some, untouched_since=before)
            removed += len(drafts)
            if not dry_run:
                await asyncio.to_thread(unlink, drafts)
        return removed

    async def remove(self, assets: Collection[str], *, untouched_since: float) -> int:
        """Those that nobody needs, and that nobody is about to need.

        Whoever is about to write that a file is needed touches it first, so a file that was not touched for long is
        needed by nobody whose record is not there yet.
        """
        if self.assets.root is None:
            return await self._remove_from_bucket(assets, untouched_since)
        needed = await self.store.needed(assets)
        later: dict[str, float] = {}
        removed = 0
        for asset in assets:
            if asset in needed:
                continue
            touched = await self.assets.remove(asset, untouched_since=untouched_since)
            if touched is None:
                removed += 1
            else:
                later[asset] = touched + self.waiting_seconds
        await self.store.dropped([asset for asset in assets if asset not in later], later)
        return removed

    async def _remove_from_bucket(self, assets: Collection[str], untouched_since: float) -> int:
        """Several machines use it: what is removed is condemned in the store first, and whoever is about to need a file
        has it spared there (`Assets`)."""
        removed: list[str] = []
        later: dict[str, float] = {}
        for asset in await self.store.condemn(assets, before=untouched_since, now=self.clock()):
            touched = await self.assets.remove(asset, untouched_since=untouched_since)
            if touched is None:
                removed.append(asset)
            else:
                later[asset] = touched
        await self.store.dropped([*removed, *await self.store.needed(assets)], later)
        return len(removed)


def unlink(paths: Iterable[Path]) -> None:
    for path in paths:
        with suppress(OSError):
            path.unlink()


def passed(end: float | None) -> bool:
    return end is not None and time.monotonic() >= end
