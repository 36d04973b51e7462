"""The limit to measure a poller against: aiohttp's client makes the same requests at the same moments, reads each
answer as JSON and keeps nothing.

python _peer_poller.py URL

Takes lines with [[seconds, target], …] and answers each with the CPU seconds that it took and how many were answered.
"""

import asyncio
import json
import sys
import time

import aiohttp
import uvloop

HEADERS = {"authorization": "Bearer of-the-benchmark", "x-runway-version": "2024-11-06", "x-peer": "1"}


async def main() -> None:
    async with aiohttp.ClientSession(sys.argv[1], headers=HEADERS) as session:
        while line := await asyncio.to_thread(sys.stdin.readline):
            used, began, answered = time.process_time(), time.monotonic(), 0

            async def ask(target: str) -> None:
                nonlocal answered
                async with session.get(target) as answer:
                    answered += answer.status == 200 and bool(json.loads(await answer.read()))

            async with asyncio.TaskGroup() as group:
                for at, target in json.loads(line):
                    if (left := began + at - time.monotonic()) > 0:
                        await asyncio.sleep(left)
                    _ = group.create_task(ask(target))
            print(json.dumps([time.process_time() - used, answered]), flush=True)


if __name__ == "__main__":
    uvloop.run(main())
