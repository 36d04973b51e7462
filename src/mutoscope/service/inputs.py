"""Inputs on their way in: from a link, an upload or inline bytes to a checked file on disk."""

import asyncio
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from msgspec.structs import replace

from mutoscope.engines.engine import OpenedInput
from mutoscope.files import probe as media
from mutoscope.files.assets import DRAWING, EXTENSIONS, Assets
from mutoscope.files.egress import SafeClient
from mutoscope.files.probe import Prober
from mutoscope.model.config import Inputs
from mutoscope.model.job import Input
from mutoscope.model.problem import Kind, Problem
from mutoscope.store import Uploads

TRIES = (1.0, 4.0, 10.0)  # seconds before each further try to fetch an input while a job runs
LONGEST_WAIT = 30.0  # where its host asks for more patience
TAKEN = frozenset(EXTENSIONS) - {DRAWING}
"""What a stranger's file may be called where it is kept: a drawing is never looked into, and is given out as bytes."""


class Intake:
    """Takes inputs in at create time, and opens them when the job runs."""

    def __init__(
        self,
        *,
        settings: Inputs,
        client: SafeClient,
        prober: Prober,
        assets: Assets,
        store: Uploads,
        scratch: Path,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.settings, self.client, self.prober = settings, client, prober
        self.assets, self.store, self.scratch, self.clock = assets, store, scratch, clock

    async def take_in(
        self, inputs: tuple[Input, ...], *, owner: str, probe: bool, fetched_later: bool = True
    ) -> tuple[Input, ...]:
        """Keep what must not be lost before the job is stored: inline bytes and uploads become assets.

        With `probe`, links are fetched too and every file is held against its limits. Otherwise, where they are
        `fetched_later` from here and not by a vendor, those that never can be are refused now. Raises Problem.
        """
        taken = (self._take(each, owner=owner, probe=probe, fetched_later=fetched_later) for each in inputs)
        return tuple(await asyncio.gather(*taken))

    async def open(self, inputs: tuple[Input, ...], scratch: Path) -> tuple[OpenedInput, ...]:
        """Files on disk, fetched where they are still links and checked in any case. Raises Problem."""
        return tuple(await asyncio.gather(*(self._open(each, scratch) for each in inputs)))

    async def _take(self, each: Input, *, owner: str, probe: bool, fetched_later: bool) -> Input:
        asset = await self._known_asset(each, owner)
        if asset is not None and not await self.assets.touch(asset):
            raise Problem(Kind.UNREACHABLE_MEDIA, "The file is not kept any more.", field=each.field)
        if asset is None and each.data is None and each.file is None and not probe:
            if each.url is not None and fetched_later:
                self.client.judge(each.url, field=each.field)
            return each
        with tempfile.TemporaryDirectory(dir=self.scratch) as folder:
            if asset is None:
                path = await self._land(each, Path(folder) / "input", patient=False)
                media_type = await asyncio.to_thread(sniff, path)
                if probe:
                    await self._check(each, path)
                asset = await self.assets.put(path, media_type if media_type in TAKEN else "application/octet-stream")
            elif probe:
                await self._check(each, await self._local_path(asset, Path(folder)))
        return replace(each, asset=asset, url=None, upload=None, data=None, file=None)

    async def _open(self, each: Input, scratch: Path) -> OpenedInput:
        folder = Path(tempfile.mkdtemp(dir=scratch))
        asset = each.asset or await self._known_asset(each, None)
        if asset is not None and not await self.assets.touch(asset):
            raise Problem(Kind.UNREACHABLE_MEDIA, "The file is not kept any more.", field=each.field)
        path = await (self._local_path(asset, folder) if asset else self._land(each, folder / "input", patient=True))
        info = await self._check(each, path)
        return OpenedInput(role=each.role, field=each.field, path=path, info=info, label=each.label)

    async def _local_path(self, asset: str, folder: Path) -> Path:
        return await self.assets.local_path(asset, folder, most=self.settings.max_bytes)

    async def _check(self, each: Input, path: Path) -> media.MediaInfo:
        info = await self.prober.probe(path, field=each.field)
        media.check(info, each.limits, role=each.role, field=each.field)
        return info

    async def _fetch(self, url: str, path: Path, most: int, field: str, *, patient: bool) -> None:
        """Trouble of its host that may pass is waited out where there is time, else told as such."""
        tries = iter(TRIES if patient else ())
        while True:
            try:
                await self.client.fetch(url, max_bytes=most, into=path, field=field)
                return
            except Problem as problem:
                if problem.retry_after is None:
                    raise
                wait = next(tries, None)
                if wait is None:
                    told = f"tried {len(TRIES) + 1} times" if patient else "this may pass, so try again"
                    message = f"{problem.message}; {told}"
                    raise Problem(problem.kind, message, field=field, retry_after=problem.retry_after) from problem
                await asyncio.sleep(max(wait, min(problem.retry_after, LONGEST_WAIT)))

    async def _land(self, each: Input, path: Path, *, patient: bool) -> Path:
        if each.data is not None:
            await asyncio.to_thread(path.write_bytes, each.data)
        elif each.file is not None:
            path.hardlink_to(each.file)  # another input may be the same part
        elif each.url is not None:
            most = self.settings.max_bytes
            if each.limits and each.limits.max_bytes:
                most = min(most, each.limits.max_bytes)
            await self._fetch(each.url, path, most, each.field, patient=patient)
        else:
            raise Problem(Kind.INTERNAL, f"{each.field} names no file.", field=each.field)
        return path

    async def _known_asset(self, each: Input, owner: str | None) -> str | None:
        """The asset behind an upload or behind a link of our own; None for what lies elsewhere."""
        if each.asset:
            return each.asset
        if each.upload:
            return await self._uploaded(each.upload, each.field, owner)
        if each.url:
            # the signature in one of our own links is the permission, so uploads are looked up for any owner
            return await self.assets.resolve_link(each.url, now=self.clock(), uploads=self.uploaded_asset)
        return None

    async def uploaded_asset(self, id: str) -> str | None:
        """The asset of an upload that has its file and has not expired."""
        upload = await self.store.upload(id)
        return upload.asset if upload and upload.expires > self.clock() else None

    async def _uploaded(self, id: str, field: str, owner: str | None) -> str:
        upload = await self.store.upload(id)
        if upload is None or (owner is not None and upload.owner != owner) or upload.expires < self.clock():
            raise Problem(Kind.BAD_MEDIA, f"{field}: there is no such upload, or it has expired.", field=field)
        if upload.asset is None:
            raise Problem(Kind.BAD_MEDIA, f"{field}: the upload has not received its file yet.", field=field)
        return upload.asset


def sniff(path: Path) -> str | None:
    head, _ = media.read_head(path)
    return media.sniff(head)
