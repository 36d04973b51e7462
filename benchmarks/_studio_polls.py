"""Clients that ask for a job's status and then wait a while, as people's programs do; prints one JSON line."""

import argparse
import asyncio
import itertools
import json
import time
from pathlib import Path
from typing import Any

import uvloop

import _load


class Patient(_load.Connection):
    """Sends its next request so many seconds after the last answer."""

    pause = 0.0
    begun = False

    def send(self) -> None:
        if not self.begun:
            self.begun = True
            super().send()
        else:
            asyncio.get_running_loop().call_later(self.pause, super().send)


async def poll(plan: dict[str, Any]) -> dict[str, Any]:
    loop = asyncio.get_running_loop()
    times: list[float] = []
    errors: list[bytes] = []
    made = [_load.request(method, path, headers, body.encode()) for method, path, headers, body in plan["requests"]]
    cycle, until = itertools.cycle(made), time.perf_counter() + plan["seconds"]
    Patient.pause = plan["pause"]
    clients: list[Patient] = []
    for _ in range(plan["clients"]):
        _, client = await loop.create_connection(
            lambda: Patient(cycle, until, times, errors), "127.0.0.1", plan["port"]
        )
        clients.append(client)
        await asyncio.sleep(plan["pause"] / plan["clients"])  # not all at once
    await asyncio.gather(*(client.done for client in clients))
    return {"times_ms": [each * 1000 for each in times], "errors": [each.decode(errors="replace") for each in errors]}


def main() -> None:
    """The plan is a JSON file: _load.py's, with "clients" for connections and "pause" in seconds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("plan", type=Path)
    print(json.dumps(uvloop.run(poll(json.loads(parser.parse_args().plan.read_text())))))


if __name__ == "__main__":
    main()
