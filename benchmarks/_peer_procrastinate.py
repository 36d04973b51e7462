"""procrastinate on PostgreSQL, from claim to end: jobs of one task that does nothing, filed beforehand.

python _peer_procrastinate.py URL JOBS CONCURRENCY

It runs in an environment of its own and prints the seconds from the first claim to the last end, and the process's CPU
seconds. Its tables are made anew.
"""

import asyncio
import sys
import time
from typing import Any

from procrastinate import App, PsycopgConnector  # pyright: ignore[reportMissingImports]


async def measure(url: str, jobs: int, concurrency: int) -> None:
    app: Any = App(connector=PsycopgConnector(conninfo=url))
    ends: list[int] = []

    async def note(number: int) -> None:
        ends.append(number)

    nothing: Any = app.task(name="nothing")(note)

    async with app.open_async():
        await app.schema_manager.apply_schema_async()
        _ = await nothing.batch_defer_async(*({"number": number} for number in range(jobs)))
        began, used = time.perf_counter(), time.process_time()
        await app.run_worker_async(wait=False, concurrency=concurrency, install_signal_handlers=False)
        wall, cpu = time.perf_counter() - began, time.process_time() - used
        left = await app.connector.execute_query_one_async(
            "SELECT count(*) AS count FROM procrastinate_jobs WHERE status <> 'succeeded'"
        )
    if left["count"] or len(ends) != jobs:
        raise SystemExit(f"{left['count']} of {jobs} jobs did not end")
    print(wall, cpu)


if __name__ == "__main__":
    asyncio.run(measure(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
