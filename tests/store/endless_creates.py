"""Creates jobs until it is killed, printing the id of each as soon as it is acknowledged."""

import asyncio
import sys
from pathlib import Path

from store_samples import make_job

from mutoscope.store import SqliteStore


async def create(store: SqliteStore) -> None:
    while True:
        print((await store.add(make_job())).id, flush=True)


async def main() -> None:
    store = SqliteStore(Path(sys.argv[1]))
    await store.open()
    _ = await asyncio.gather(*(create(store) for _ in range(16)))


asyncio.run(main())
