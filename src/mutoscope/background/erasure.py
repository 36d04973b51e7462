"""Removes all that is kept of one owner, beside a running server or without one, and looks whether it is gone."""

import asyncio
import multiprocessing
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from mutoscope.background.retention import FILES, REFRESH_SECONDS, Sweeper
from mutoscope.store import Forgotten, Jobs, Retention

PART = 200  # jobs in a transaction
SETTLING_SECONDS = 5.0  # until a server's worker has let go of what was canceled, and has told what it had counted
CHUNK = 1 << 20
OVERLAP = 4096  # of two pieces of a file, so that no word falls between them
DATABASE = re.compile(r"\.db(-wal|-shm|-journal)?$")
IDS = re.compile(
    rb"(?=([0-9a-f]{64}))|(?=(msg_[0-9a-f]{32}))|(?=([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}))"
)
SHORTEST = 4  # bytes of a name that is looked for: shorter ones are in every file by chance


class Report(Struct, kw_only=True):
    """What was removed, and what of it was found afterwards all the same."""

    removed: Forgotten = Forgotten()
    canceled: int = 0
    files: int = 0
    searched_files: int = 0
    found: list[str] = []  # file: word


class ErasureStore(Jobs, Retention, Protocol):
    """What an erasure needs of the store."""


async def forget(
    store: ErasureStore,
    sweeper: Sweeper,
    owner: str,
    *,
    root: Path,
    words: Sequence[str] = (),
    settling_seconds: float = SETTLING_SECONDS,
    clock: Callable[[], float],
) -> Report:
    """`settling_seconds`: how long a server that runs meanwhile has to let go; 0 where none does. `words` are looked
    for in the end besides the owner's traces. Raises Problem when the store cannot be written."""
    report, began = Report(), clock()
    traces = set(await store.traces(owner))
    files = set(filter(is_file, traces))
    # The keys go with the first part, so that no more is made; then what runs is canceled, then all of it is removed.
    report.removed += await store.forget(owner, limit=PART, now=clock())
    while unfinished := await store.unfinished(owner, limit=PART):
        for id in unfinished:
            report.canceled += await store.cancel(id, now=clock()) is not None
    await asyncio.sleep(settling_seconds)
    later = set(filter(is_file, await store.traces(owner)))  # made, or sent, while it settled
    while part := await store.forget(owner, limit=PART, now=clock()):
        report.removed += part
    report.files = await remove_files(sweeper, sorted(files), began)
    report.files += await remove_files(sweeper, sorted(later - files), clock())
    await store.compact()
    await asyncio.sleep(min(settling_seconds, 1.5 * REFRESH_SECONDS))  # a server has noticed by then what is gone
    report.searched_files, report.found = await searched(root, traces | later, [owner, *words])
    return report


async def remove_files(sweeper: Sweeper, keys: Sequence[str], began: float) -> int:
    """Without the day's wait of a sweep: what somebody else is about to need was touched since it began, or is
    recorded by now."""
    removed = 0
    for start in range(0, len(keys), FILES):
        removed += await sweeper.remove(keys[start : start + FILES], untouched_since=began)
    return removed


def is_file(trace: str) -> bool:
    return re.fullmatch(r"[0-9a-f]{64}\.[a-z0-9]{1,5}", trace) is not None


# Looking for what should be gone


async def searched(root: Path, traces: Collection[str], words: Collection[str]) -> tuple[int, list[str]]:
    """`search` in a process of its own: whoever opens a database's file beside SQLite and closes it again lets go of
    every lock that its process has on it (sqlite.org/howtocorrupt.html, 2.2)."""
    pool = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"))
    try:
        return await asyncio.get_running_loop().run_in_executor(pool, search, root, traces, words)
    finally:
        pool.shutdown(wait=False)


def search(root: Path, traces: Collection[str], words: Collection[str]) -> tuple[int, list[str]]:
    """How many files there are under a directory, and which of them still hold a word or, in the database, a trace.

    A trace is an id or a digest: there may be very many, and nothing but the database and file names holds them.
    """
    ids = {trace.partition(".")[0].encode() for trace in traces}
    wanted = [word for word in dict.fromkeys(words) if len(word.encode()) >= SHORTEST]
    files, found = 0, list[str]()
    for path in sorted(each for each in root.rglob("*") if each.is_file()):
        files += 1
        name = str(path.relative_to(root))
        if path.name.partition(".")[0].encode() in ids:
            found.append(f"{name}: its name")
        found += [f"{name}: {hit}" for hit in sorted(hits(path, ids, wanted))]
    return files, found


def hits(path: Path, ids: Collection[bytes], words: Sequence[str]) -> set[str]:
    told = {word.encode(): word for word in words}
    found: set[str] = set()
    for piece in pieces(path):
        found |= {told[word] for word in told if word in piece}
        if DATABASE.search(path.name):
            seen = (group for match in IDS.finditer(piece) for group in match.groups() if group)
            found |= {id.decode() for id in seen if id in ids}
    return found


def pieces(path: Path) -> Iterator[bytes]:
    before = b""
    with path.open("rb") as file:
        while fresh := file.read(CHUNK):
            yield before + fresh
            before = fresh[-OVERLAP:]
