"""Durable creates and status reads a second, side by side with a bare ASGI handler and with FastAPI.

    python benchmarks/bench_serve.py [--rounds 5] [--seconds 2] [--jobs 1000000] [--only-cost] [--against CHECKOUT]

All servers run at once on the same uvicorn, pinned to one core, and are loaded in turn from the other, round by
round, so that a ratio compares neighbours in time. "CPU" is the server's own CPU time by the kernel's account,
divided by the requests it answered: the figure that a noisy machine disturbs least. mutoscope writes every
create to disk (WAL, synchronous=FULL) before it answers; FastAPI keeps a dict and the bare handler nothing.

The second table is mutoscope alone with 1,000 and with `--jobs` jobs in its store, the third what keys, limits, budgets
and the ledger of money cost.
`--against` prints the first table only, with the same of another checkout of mutoscope ("before") beside it.
"""

import argparse
import hashlib
import json
import os
import random
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from _common import seconds_of, stop

HERE = Path(__file__).parent
ROUTE = "/v1/ai/text-to-image/runway"
HEADERS = {"content-type": "application/json", "x-freepik-api-key": "benchmark"}
BODY = json.dumps({"prompt": "A serene mountain landscape at sunset", "ratio": "1920:1080", "seed": 12345})
CONNECTIONS = 64
CORES = sorted(os.sched_getaffinity(0))
CONFIG = """
[models.gen4_image]
engine = "script"
[script]
slots = 0
[server]
log_level = "error"
"""


GUARDED = f"""
[limits]
requests_per_second = 1000000.0
requests_per_minute = 60000000
max_concurrent = 100000000
max_daily = 100000000
max_queued = 100000000
max_bytes_daily = 1000000000000000
[[keys]]
name = "benchmark"
sha256 = "{hashlib.sha256(b"benchmark").hexdigest()}"
budget = 1000000000.0
"""


class Server:
    """A server process under test."""

    def __init__(self, name: str, process: subprocess.Popen[bytes], port: int) -> None:
        self.name, self.process, self.port = name, process, port

    def cpu(self) -> float:
        """Seconds of CPU that the process has used, all its threads together."""
        return seconds_of(self.process.pid)

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(name: str, command: list[str], port: int, source: Path | None = None) -> Generator[Server]:
    """The command as a server on one core; `source` is the folder of another mutoscope to be imported."""
    more = {} if source is None else {"PYTHONPATH": str(source)}
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=os.environ | more)
    try:
        os.sched_setaffinity(process.pid, {CORES[0]})
        wait_for(port, process)
        yield Server(name, process, port)
    finally:
        stop(process, 30)


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(1200):
        if process.poll() is not None:
            raise SystemExit(f"a server ended at start with status {process.returncode}")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise SystemExit("a server did not start within a minute")


@contextmanager
def mutoscope(name: str, data: Path, more: str = "", source: Path | None = None) -> Generator[Server]:
    """`mutoscope serve` whose jobs stay queued, so that only the requests are measured."""
    port = free_port()
    config = data.parent / "mutoscope.toml"
    config.write_text(CONFIG + more)
    command = [sys.executable, "-m", "mutoscope", "serve", "--port", str(port), "--data", str(data)]
    with running(name, [*command, "--config", str(config)], port, source) as server:
        yield server


@contextmanager
def peer(name: str) -> Generator[Server]:
    port = free_port()
    with running(name, [sys.executable, str(HERE / f"_peer_{name}.py"), str(port)], port) as server:
        yield server


def create(server: Server) -> str:
    """One job; its id."""
    request = urllib.request.Request(server.url(ROUTE), BODY.encode(), HEADERS)
    with urllib.request.urlopen(request) as answer:
        return json.loads(answer.read())["data"]["task_id"]


def measure(server: Server, requests: list[list[object]], seconds: float) -> dict[str, float]:
    """Load a server for so many seconds: requests a second, CPU microseconds a request, p50, p99."""
    plan = {"port": server.port, "seconds": seconds, "connections": CONNECTIONS, "requests": requests}
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(plan, file)
        file.flush()
        before = server.cpu()
        command = [sys.executable, str(HERE / "_load.py"), file.name]
        load = subprocess.Popen(command, stdout=subprocess.PIPE)
        os.sched_setaffinity(load.pid, {CORES[-1]})
        result = json.loads(load.communicate(timeout=seconds + 60)[0])
        spent = server.cpu() - before
    if result["errors"]:
        raise SystemExit(f"{server.name}: {result['errors'][0]}")
    return {
        "rate": result["requests"] / result["seconds"],
        "cpu": spent / result["requests"] * 1e6,
        "p50": result["p50_ms"],
        "p99": result["p99_ms"],
    }


def reads(ids: list[str]) -> list[list[object]]:
    return [["GET", f"{ROUTE}/{id}", HEADERS, ""] for id in ids]


CREATES: list[list[object]] = [["POST", ROUTE, HEADERS, BODY]]


def compare(
    servers: list[Server], wanted: dict[str, list[list[object]]], rounds: int, seconds: float
) -> dict[str, dict[str, float]]:
    """The median of each figure over the rounds, servers taken in turn."""
    seen: dict[str, list[dict[str, float]]] = {server.name: [] for server in servers}
    for number in range(rounds):
        for server in servers if number % 2 == 0 else reversed(servers):
            seen[server.name].append(measure(server, wanted[server.name], seconds))
        print(f"  round {number + 1} of {rounds}", file=sys.stderr)
    return {
        name: {figure: statistics.median(each[figure] for each in results) for figure in results[0]}
        for name, results in seen.items()
    }


def show(title: str, results: dict[str, dict[str, float]], base: str) -> None:
    print(f"\n{title}\n")
    print(f"| server | requests/s | ratio to {base} | CPU µs | CPU ratio | p50 ms | p99 ms |")
    print("|---|---|---|---|---|---|---|")
    for name, each in results.items():
        rate, cpu = each["rate"] / results[base]["rate"], results[base]["cpu"] / each["cpu"]
        print(
            f"| {name} | {each['rate']:.0f} | {rate:.2f} | {each['cpu']:.1f} | {cpu:.2f} "
            f"| {each['p50']:.2f} | {each['p99']:.2f} |"
        )


def fill(data: Path, count: int) -> list[str]:
    """Put `count` finished jobs into a store by copying one, and return a sample of their public ids."""
    with sqlite3.connect(data / "mutoscope.db") as db:
        columns = [row[1] for row in db.execute("PRAGMA table_info(jobs)")]
        values = {name: name for name in columns}
        # ids that are spread over the last year and in time order, as UUIDv7 are
        now = int(time.time() * 1000)
        step = 365 * 86400 * 1000 // count
        values["id"] = (
            f"(SELECT substr(h,1,8)||'-'||substr(h,9,4)||'-7'||substr(r,1,3)||'-a'||substr(r,4,3)||'-'||substr(r,7,12) "
            f"FROM (SELECT printf('%012x', {now - 86400_000} - n * {step}) AS h, lower(hex(randomblob(9))) AS r))"
        )
        values |= {"state": "'succeeded'", "finished": "created", "started": "created", "cost": "1.0"}
        values |= {"outputs": "CAST('[]' AS BLOB)", "throttled": "0"}
        db.execute(
            f"WITH RECURSIVE numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < {count} - 1), "
            f"one AS (SELECT * FROM jobs LIMIT 1) "
            f"INSERT INTO jobs ({', '.join(columns)}) SELECT {', '.join(values.values())} FROM one, numbers"
        )
    db.close()
    with sqlite3.connect(data / "mutoscope.db") as db:
        ids = [row[0] for row in db.execute("SELECT id FROM jobs ORDER BY random() LIMIT 20000")]
    db.close()
    return [f"{id[:14]}4{id[15:]}" for id in ids]


def side_by_side(rounds: int, seconds: float, against: Path | None) -> None:
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        ours = stack.enter_context(mutoscope("mutoscope", Path(folder) / "data"))
        servers = [stack.enter_context(peer("bare")), ours]
        if against is None:
            servers.append(stack.enter_context(peer("fastapi")))
        else:
            (Path(folder) / "before").mkdir()
            data = Path(folder) / "before" / "data"
            servers.append(stack.enter_context(mutoscope("before", data, source=against / "src")))
        base = "bare" if against is None else "before"
        wanted = {server.name: reads([create(server) for _ in range(500)]) for server in servers}
        show("Status reads (500 jobs, polled in turn)", compare(servers, wanted, rounds, seconds), base)
        wanted = {server.name: CREATES for server in servers}
        show("Creates (mutoscope: durable, synchronous=FULL)", compare(servers, wanted, rounds, seconds), base)


def small_and_large(count: int, rounds: int, seconds: float) -> None:
    """The same work on a store of a thousand jobs and on one of `count`."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        cold: dict[str, list[list[object]]] = {}
        servers: list[Server] = []
        for jobs in (1000, count):
            data = Path(folder) / str(jobs) / "data"
            data.mkdir(parents=True)
            with mutoscope("filling", data) as server:
                create(server)
            ids = fill(data, jobs)
            servers.append(stack.enter_context(mutoscope(f"{jobs:,} jobs", data)))
            cold[servers[-1].name] = reads(random.Random(1).sample(ids, len(ids)))
        base = servers[0].name
        recent = {server.name: reads([create(server) for _ in range(500)]) for server in servers}
        show("Status reads of 500 recent jobs", compare(servers, recent, rounds, seconds), base)
        show(
            "Status reads of any job, at random (most are not in memory)", compare(servers, cold, rounds, seconds), base
        )
        creates = {server.name: CREATES for server in servers}
        show("Durable creates", compare(servers, creates, rounds, seconds), base)


def cost_of_it_all(rounds: int, seconds: float) -> None:
    """Keys, limits and the ledger of money on, against the same without them."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        servers: list[Server] = []
        for name, more in (("open", ""), ("keys, limits, budget", GUARDED)):
            data = Path(folder) / name / "data"
            data.mkdir(parents=True)
            servers.append(stack.enter_context(mutoscope(name, data, more)))
        wanted = {server.name: reads([create(server) for _ in range(500)]) for server in servers}
        show("Status reads: the cost of it all", compare(servers, wanted, rounds, seconds), "open")
        wanted = {server.name: CREATES for server in servers}
        show("Durable creates: the cost of it all", compare(servers, wanted, rounds, seconds), "open")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--jobs", type=int, default=1_000_000)
    parser.add_argument(
        "--only-cost", action="store_true", help="the last table only: what keys, limits and money cost"
    )
    parser.add_argument("--against", type=Path, help="another checkout of mutoscope: the first table, beside it")
    options = parser.parse_args()
    print(f"{len(CORES)} cores; {CONNECTIONS} connections; medians of {options.rounds} rounds of {options.seconds:g} s")
    if options.against is not None:
        side_by_side(options.rounds, options.seconds, options.against)
        return
    if not options.only_cost:
        side_by_side(options.rounds, options.seconds, None)
        small_and_large(options.jobs, options.rounds, options.seconds)
    cost_of_it_all(options.rounds, options.seconds)


if __name__ == "__main__":
    main()
