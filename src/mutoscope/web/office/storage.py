"""What is kept for how long, what would go now, and forgetting an owner."""

import asyncio

import msgspec
from msgspec import Struct

from mutoscope.background import erasure
from mutoscope.model.job import Json
from mutoscope.model.problem import Kind, Problem
from mutoscope.store import Forgotten
from mutoscope.web.office.calls import Asked, Desk
from mutoscope.web.office.jobs import disk

SECONDS = 20.0  # of one pass


class SweepWish(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    dry_run: bool = True


class ForgetWish(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    owner: str  # "" is everybody on a server without keys
    dry_run: bool = True
    sure: str = ""  # the owner's name again, where it is not a dry run


async def storage(desk: Desk, _asked: Asked) -> Json:
    """How long things are kept, and how much room there is."""
    sweeper = desk.parts.sweeper
    spans = {kept.value: days for kept, days in sweeper.spans() if days} if sweeper else {}
    return {
        "disk": disk(desk),
        "kept_days": spans,
        "counts": {state.value: count for state, count in (await desk.store.count_by_state()).items()},
        "settings": msgspec.to_builtins(desk.gateway.settings.retention),
    }


async def sweep(desk: Desk, asked: Asked) -> Json:
    """Remove what was kept for its time, or count what would go."""
    if desk.parts.sweeper is None:
        raise Problem(Kind.UNAVAILABLE, "This server has no sweeper.")
    counts = await desk.parts.sweeper.sweep(seconds=SECONDS, dry_run=asked.body.dry_run, rest=0.5)
    rows = {kept.value: count for kept, count in counts.rows.items()}
    return {"dry_run": asked.body.dry_run, "rows": rows, "files": counts.files}


async def forget(desk: Desk, asked: Asked) -> Json:
    """Remove everything that is kept of an owner, or tell how much that is."""
    wish: ForgetWish = asked.body
    store = desk.store
    if wish.dry_run:
        traces, unfinished = await asyncio.gather(
            store.traces(wish.owner), store.unfinished(wish.owner, limit=erasure.PART)
        )
        files = sum(map(erasure.is_file, traces))
        return {"dry_run": True, "owner": wish.owner, "files": files, "records": len(traces) - files,
                "unfinished": len(unfinished)}  # fmt: skip
    if wish.sure != wish.owner:
        raise Problem(Kind.INVALID, "sure should be the owner's name again: this cannot be undone.", field="sure")
    if desk.parts.sweeper is None or desk.parts.data is None:
        raise Problem(Kind.UNAVAILABLE, "This server cannot forget: it was put together without a sweeper.")
    report = await erasure.forget(
        store, desk.parts.sweeper, wish.owner, root=desk.parts.data, settling_seconds=1.0, clock=desk.now
    )
    removed: Forgotten = report.removed
    return {"dry_run": False, "owner": wish.owner, "files": report.files, "canceled": report.canceled,
            "removed": msgspec.to_builtins(removed), "searched_files": report.searched_files,
            "found": report.found}  # fmt: skip
