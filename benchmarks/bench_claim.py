"""What taking the next job costs, by how many owners wait and how many jobs run already, beside a claim that takes the
oldest and knows of no owners.

python benchmarks/bench_claim.py --queued 10000
"""

# pyright: reportPrivateUsage=false

import argparse
import asyncio
import sqlite3
import statistics
import tempfile
import time
from contextlib import closing
from pathlib import Path

import uuid_utils

from mutoscope.model.job import Generation, Job, Operation
from mutoscope.store import SqliteStore
from mutoscope.store.sql import jobs
from mutoscope.store.sql.queue import Turns
from mutoscope.store.sqlite import SqliteConnection

CASES = ((1, 0), (2, 0), (1000, 0), (1, 10_000), (2, 10_000), (1000, 10_000))
"""How many owners wait, and how many jobs run already."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    _ = parser.add_argument("--queued", type=int, default=10_000, help="how many jobs wait")
    _ = parser.add_argument("--rounds", type=int, default=50)
    asked = parser.parse_args()
    print("| owners | running | CPU of a claim of 1, ms | of oldest first | of 16, ms | of oldest first |")
    print("|---|---|---|---|---|---|")
    for owners, running in CASES:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "jobs.db"
            asyncio.run(fill(path, owners=owners, running=running, queued=asked.queued))
            fair, plain = ([each(path, limit, asked.rounds) for limit in (1, 16)] for each in (measure, oldest_first))
        told = (f"{ours * 1e3:.3f} | {ours / theirs:.1f}" for ours, theirs in zip(fair, plain, strict=True))
        print(f"| {owners} | {running} | {' | '.join(told)} |", flush=True)


async def fill(path: Path, *, owners: int, running: int, queued: int) -> None:
    store = SqliteStore(path)
    await store.open()
    now = time.time()
    for count, begun in ((running, True), (queued, False)):
        _ = await asyncio.gather(*(store.add(make_job(f"owner{n % owners}", now)) for n in range(count)))
        if begun and count:
            _ = await store.claim(engine="script", worker="w", lease_seconds=1e6, limit=count, now=now)
    await store.close()


def make_job(owner: str, now: float) -> Job:
    generation = Generation(operation=Operation.TEXT_TO_IMAGE, model="gen4_image", prompt="a lighthouse")
    id = str(uuid_utils.uuid7())
    return Job(
        id=id, wire="freepik", route="x", owner=owner, generation=generation, engine="script", created=now, updated=now
    )


def measure(path: Path, limit: int, rounds: int) -> float:
    """The median of this thread's CPU time for a claim, each undone again."""
    turns, taken = Turns(), list[float]()
    with closing(sqlite3.connect(path, isolation_level=None, factory=SqliteConnection)) as db:
        for _ in range(rounds):
            _ = db.execute("BEGIN IMMEDIATE")
            now, start = time.time(), time.thread_time()
            claimed = jobs.claim(
                db,
                [],
                turns=turns,
                engine="script",
                worker="w",
                leased_until=now + 30,
                limit=limit,
                now=now,
                held=(),
                pending_delivery=None,
            )
            taken.append(time.thread_time() - start)
            _ = db.execute("ROLLBACK")
            if len(claimed) != limit:
                raise RuntimeError(f"{len(claimed)} of {limit} jobs were claimed")
    return statistics.median(taken)


def oldest_first(path: Path, limit: int, rounds: int) -> float:
    """The yardstick: the same of two statements that know of no owners."""
    taken = list[float]()
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        for _ in range(rounds):
            _ = db.execute("BEGIN IMMEDIATE")
            start = time.thread_time()
            found = db.execute(
                f"""UPDATE jobs SET state = 'running', worker = 'w', leased_until = ?, started = ?, attempts = 1
                    WHERE id IN (SELECT id FROM jobs WHERE engine = 'script' AND state = 'queued' ORDER BY id LIMIT ?)
                    RETURNING {jobs.COLUMNS}""",
                (time.time() + 30, time.time(), limit),
            ).fetchall()
            taken.append(time.thread_time() - start)
            _ = db.execute("ROLLBACK")
            if len(found) != limit:
                raise RuntimeError(f"{len(found)} of {limit} jobs were claimed")
    return statistics.median(taken)


if __name__ == "__main__":
    main()
