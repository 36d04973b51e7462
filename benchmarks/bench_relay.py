"""Paid jobs: how soon a server with many unfinished ones is back, what their polling costs, and LiteLLM beside us.

    python benchmarks/bench_relay.py [restart] [polling] [litellm] [--jobs N] [--rounds 3] [--litellm FOLDER]

Without a part's name: restart and polling. The vendor is a fake in a process of its own that never finishes a job.

    restart   90% of 100,000 jobs parked at the vendor, the rest queued: from the process's start to ready and to the
              first poll, and the process's memory
    polling   10,000 jobs in flight at an interval of 10 s: the gateway's CPU for a job that is asked about, beside a
              bare aiohttp client that meanwhile makes the same requests at the same moments, and the longest time that
              any job was not asked about
    litellm   creates and status reads a second at the same fake vendor, in turn with LiteLLM's proxy, which is not
              installed for this: python -m venv FOLDER && FOLDER/bin/pip install "litellm[proxy]"
"""

import argparse
import itertools
import json
import os
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from _common import resident, seconds_of
from bench_serve import CORES, HERE, free_port, wait_for

ROUTE = "/v1/text_to_image"
HEADERS = {"content-type": "application/json", "x-runway-version": "2024-11-06", "authorization": "Bearer any"}
BODY = json.dumps({"model": "gen4_image", "promptText": "a lake", "ratio": "1280:720"})
INTERVAL = 10.0
CONFIG = """
[server]
log_level = "error"
[net]
allow_private = true
[accounts.vendor]
wire = "{back}"
key = "of-the-benchmark"
base_url = "http://127.0.0.1:{vendor}"
requests_per_second = 100000
[relay]
first_poll_seconds = {interval}
max_poll_seconds = {interval}
timeout_seconds = 86400
"""


class Process:
    """A server, and what the kernel says of it."""

    def __init__(self, command: list[str], port: int, environment: dict[str, str] | None = None) -> None:
        self.port, self.began = port, time.time()
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)

    @property
    def cpu(self) -> float:
        """Seconds that it and its children have used."""
        return sum(seconds_of(pid) for pid in (self.process.pid, *children_of(self.process.pid)))

    @property
    def megabytes(self) -> float:
        return sum(resident(pid) for pid in (self.process.pid, *children_of(self.process.pid))) / 1024

    def ask(self, path: str, method: str = "GET", body: str = "", headers: dict[str, str] | None = None) -> Any:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}", body.encode() or None, headers or {}, method=method
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read())

    def end(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self.process.kill()


def children_of(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(each) for each in found]


@contextmanager
def fake_vendor() -> Generator[Process]:
    port = free_port()
    vendor = Process([sys.executable, str(HERE / "_fake_vendor.py"), str(port)], port)
    os.sched_setaffinity(vendor.process.pid, {CORES[-1]})
    wait_for(port, vendor.process)
    try:
        yield vendor
    finally:
        vendor.end()


def serve(folder: Path, vendor: Process, back: str = "runway", interval: float = INTERVAL, more: str = "") -> Process:
    """The gateway, just started: it does not listen yet."""
    config = folder / "mutoscope.toml"
    config.write_text(CONFIG.format(back=back, vendor=vendor.port, interval=interval) + more)
    port = free_port()
    words = ["--port", str(port), "--data", str(folder / "data"), "--config", str(config)]
    server = Process([sys.executable, "-m", "mutoscope", "serve", *words], port)
    os.sched_setaffinity(server.process.pid, {CORES[0]})
    return server


def fill(folder: Path, vendor: Process, back: str, parked: int, queued: int) -> None:
    """A store with so many unfinished jobs: one is made in the usual way, and then copied."""
    server = serve(folder, vendor, back)
    try:
        wait_for(server.port, server.process)
        server.ask(ROUTE, "POST", BODY, HEADERS)
        time.sleep(2)
    finally:
        server.end()
    with sqlite3.connect(folder / "data" / "mutoscope.db") as db:
        [(waiting,)] = db.execute("SELECT count(*) FROM watches")
        if waiting != 1:
            raise SystemExit("the pattern job did not reach the vendor")
        start = int(time.time() * 1000) - 600_000
        db.execute(
            f"CREATE TEMP TABLE ids AS WITH RECURSIVE numbers(n) AS "
            f"(SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < {parked + queued - 1}) SELECT n, "
            f"substr(h,1,8)||'-'||substr(h,9,4)||'-7'||substr(r,1,3)||'-a'||substr(r,4,3)||'-'||substr(r,7,12) AS id "
            f"FROM (SELECT n, printf('%012x', {start} + n * 5) AS h, lower(hex(randomblob(9))) AS r FROM numbers)"
        )
        copy(db, "jobs", {"id": "ids.id"}, f"n < {parked}")
        idle = {"state": "'queued'", "worker": "NULL", "leased_until": "NULL", "attempts": "0", "started": "NULL"}
        copy(db, "jobs", {"id": "ids.id", "upstream_status": "NULL", **idle}, f"n >= {parked}")
        handle = "CAST(json_set(CAST(one.handle AS TEXT), '$.id', ids.id) AS BLOB)"
        copy(db, "dispatches", {"job": "ids.id", "upstream_id": "ids.id", "handle": handle}, f"n < {parked}")
        due = f"{time.time() + 5} + abs(random() % 10000) / 10000.0 * {INTERVAL}"
        copy(db, "watches", {"job": "ids.id", "handle": handle, "due": due, "polls": "5"}, f"n < {parked}")
    db.close()


def copy(db: sqlite3.Connection, table: str, values: dict[str, str], which: str) -> None:
    columns = [row[1] for row in db.execute(f"PRAGMA table_info({table})")]
    told = ", ".join(values.get(name, f"one.{name}") for name in columns)
    db.execute(
        f"INSERT INTO {table} ({', '.join(columns)}) SELECT {told} FROM ids, (SELECT * FROM {table} LIMIT 1) AS one "
        f"WHERE {which}"
    )


# -- restart -------------------------------------------------------------------------


def restart(jobs: int, rounds: int) -> None:
    seen: list[dict[str, float]] = []
    with fake_vendor() as vendor, tempfile.TemporaryDirectory() as folder:
        fill(Path(folder), vendor, "runway", jobs * 9 // 10, jobs // 10)
        for _ in range(rounds):
            with sqlite3.connect(Path(folder) / "data" / "mutoscope.db") as db:
                db.execute("UPDATE watches SET due = ? + abs(random() % 10000) / 10000.0 * 10 - 5", (time.time(),))
            db.close()
            seen.append(start_once(Path(folder), vendor))
        empty = [start_empty(vendor) for _ in range(rounds)]
    print(f"\nRestart with {jobs:,} unfinished jobs, 90% parked at the vendor, 10% queued; medians of {rounds}\n")
    print("| | found |\n|---|---|")
    middle = {name: statistics.median(each[name] for each in seen) for name in seen[0]}
    print(
        f"| start to ready (/readyz), s; with an empty store | {middle['ready']:.2f}; {statistics.median(empty):.2f} |"
    )
    print(f"| start to the first poll, s | {middle['poll']:.2f} |")
    print(f"| memory when ready, after 15 s, MB | {middle['memory']:.0f}, {middle['later']:.0f} |")
    print(f"| polls and creates a second in the first 15 s | {middle['polls']:.0f}, {middle['creates']:.0f} |")


def start_once(folder: Path, vendor: Process) -> dict[str, float]:
    vendor.ask("/forget", "POST")
    vendor.ask("/figures")
    server = serve(folder, vendor)
    try:
        ready = until_ready(server)
        memory = server.megabytes
        time.sleep(15)
        told = vendor.ask("/figures")
        return {
            "ready": ready,
            "poll": told["first_poll"] - server.began,
            "memory": memory,
            "later": server.megabytes,
            "polls": told["polls"] / 15,
            "creates": told["creates"] / 15,
        }
    finally:
        server.end()


def start_empty(vendor: Process) -> float:
    with tempfile.TemporaryDirectory() as folder:
        server = serve(Path(folder), vendor)
        try:
            return until_ready(server)
        finally:
            server.end()


def until_ready(server: Process) -> float:
    while time.time() - server.began < 120:
        try:
            server.ask("/readyz")
            return time.time() - server.began
        except (urllib.error.URLError, OSError):
            time.sleep(0.01)
    raise SystemExit("a server was not ready within two minutes")


# -- polling --------------------------------------------------------------------------


HEADS = "| back | CPU µs a job | of the bare client's | requests | longest wait, s | memory, MB |"


def polling(jobs: int, rounds: int) -> None:
    print(f"\nPolling {jobs:,} jobs in flight at an interval of {INTERVAL:g} s; medians of {rounds} windows of 20 s\n")
    print(f"{HEADS}\n|---|---|---|---|---|---|")
    for back in ("runway", "freepik"):
        with fake_vendor() as vendor, tempfile.TemporaryDirectory() as folder:
            fill(Path(folder), vendor, back, jobs, 0)
            server = serve(Path(folder), vendor, back)
            peer = poller(vendor)
            try:
                wait_for(server.port, server.process)
                time.sleep(3 * INTERVAL)
                seen: list[Window] = []
                for _ in range(rounds + 1):
                    seen.append(window(server, vendor, peer, seen[-1].requests if seen else ()))
            finally:
                server.end()
                peer.kill()
                peer.wait()
        rows = [
            (ours.cpu / ours.polls * 1e6, ours.cpu / after.peer, len(ours.requests), ours.longest)
            for ours, after in itertools.pairwise(seen)
        ]
        cost, ratio, asked, longest = (statistics.median(column) for column in zip(*rows, strict=True))
        print(
            f"| {back} | {cost:.1f} | {ratio:.2f} | {asked:.0f} | {longest:.1f} | {seen[-1].megabytes:.0f} |",
            flush=True,
        )


class Window(NamedTuple):
    """What the gateway did in a while, and what the bare client took meanwhile for what that had asked before."""

    cpu: float
    polls: int
    requests: list[Any]
    longest: float
    megabytes: float
    peer: float


def poller(vendor: Process) -> subprocess.Popen[str]:
    command = [sys.executable, str(HERE / "_peer_poller.py"), f"http://127.0.0.1:{vendor.port}"]
    peer = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    os.sched_setaffinity(peer.pid, {CORES[0]})
    return peer


def window(server: Process, vendor: Process, peer: subprocess.Popen[str], again: Sequence[Any]) -> Window:
    """`again`: what the bare client asks meanwhile."""
    if peer.stdin is None or peer.stdout is None:
        raise SystemExit("the bare client has no pipes")
    for what in ("/requests", "/figures"):  # from now on
        vendor.ask(what)
    before = server.cpu
    print(json.dumps(again), file=peer.stdin, flush=True)
    time.sleep(2 * INTERVAL)
    cpu, told, requests = server.cpu - before, vendor.ask("/figures"), vendor.ask("/requests")
    used, answered = json.loads(peer.stdout.readline())
    if answered != len(again):
        raise SystemExit(f"{len(again) - answered} of the bare client's requests were not answered")
    return Window(cpu, told["polls"], requests, told["longest"], server.megabytes, used)


# -- beside LiteLLM ---------------------------------------------------------------------

VIDEO = json.dumps({"model": "gen4.5", "promptText": "waves", "ratio": "1280:720", "duration": 5})
THEIR_VIDEO = json.dumps({"model": "gen4.5", "prompt": "waves", "size": "1280x720", "seconds": "5"})
THEIR_HEADERS = {"content-type": "application/json", "authorization": "Bearer sk-bench"}
THEIR_CONFIG = """
model_list:
  - model_name: gen4.5
    litellm_params:
      model: runwayml/gen4.5
      api_base: http://127.0.0.1:{vendor}/v1
      api_key: of-the-benchmark
general_settings:
  master_key: sk-bench
litellm_settings:
  telemetry: false
"""


def litellm(place: Path | None, rounds: int) -> None:
    program = place / "bin" / "litellm" if place else None
    if program is None or not program.exists():
        raise SystemExit(
            "LiteLLM is not there. Make it so, outside of this repository, and name the folder with --litellm: "
            'python -m venv FOLDER && FOLDER/bin/pip install "litellm[proxy]"'
        )
    with fake_vendor() as vendor, tempfile.TemporaryDirectory() as folder:
        theirs = start_theirs(program, Path(folder), vendor)
        ours = serve(Path(folder), vendor)
        try:
            wait_for(ours.port, ours.process)
            wait_for(theirs.port, theirs.process)
            until_answers(theirs)
            compare(ours, theirs, rounds)
        finally:
            ours.end()
            theirs.end()


def start_theirs(program: Path, folder: Path, vendor: Process) -> Process:
    config = folder / "litellm.yaml"
    config.write_text(THEIR_CONFIG.format(vendor=vendor.port))
    port = free_port()
    environment = os.environ | {"LITELLM_LOG": "ERROR", "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    environment.pop("PYTHONPATH", None)
    server = Process(
        [str(program), "--config", str(config), "--port", str(port), "--host", "127.0.0.1"], port, environment
    )
    os.sched_setaffinity(server.process.pid, {CORES[0]})
    return server


def until_answers(server: Process) -> None:
    for _ in range(240):
        try:
            server.ask("/health/liveliness", headers=THEIR_HEADERS)
            return
        except (urllib.error.URLError, OSError, json.JSONDecodeError):
            time.sleep(0.5)
    raise SystemExit("LiteLLM's proxy did not answer within two minutes")


def compare(ours: Process, theirs: Process, rounds: int) -> None:
    our_ids = [ours.ask("/v1/text_to_video", "POST", VIDEO, HEADERS)["id"] for _ in range(100)]
    their_ids = [theirs.ask("/v1/videos", "POST", THEIR_VIDEO, THEIR_HEADERS)["id"] for _ in range(100)]
    plans: dict[str, tuple[list[list[object]], list[list[object]]]] = {
        "creates": (
            [["POST", "/v1/text_to_video", HEADERS, VIDEO]],
            [["POST", "/v1/videos", THEIR_HEADERS, THEIR_VIDEO]],
        ),
        "status reads": (
            [["GET", f"/v1/tasks/{id}", HEADERS, ""] for id in our_ids],
            [["GET", f"/v1/videos/{id}", THEIR_HEADERS, ""] for id in their_ids],
        ),
    }
    print(f"\nBeside LiteLLM's proxy, one process each, the same fake vendor, 32 connections; medians of {rounds}\n")
    print("| | server | a second | ratio | p50 ms | p99 ms | CPU µs | memory, MB |\n|---|---|---|---|---|---|---|---|")
    for what, (our_plan, their_plan) in plans.items():
        seen: dict[str, list[dict[str, float]]] = {"LiteLLM": [], "mutoscope": []}
        for _ in range(rounds):
            seen["LiteLLM"].append(load(theirs, their_plan))
            seen["mutoscope"].append(load(ours, our_plan))
            time.sleep(1)
        middle = {name: {f: statistics.median(e[f] for e in each) for f in each[0]} for name, each in seen.items()}
        for name, each in middle.items():
            ratio = each["rate"] / middle["LiteLLM"]["rate"]
            print(
                f"| {what} | {name} | {each['rate']:.0f} | {ratio:.1f} | {each['p50']:.1f} | {each['p99']:.1f} "
                f"| {each['cpu']:.0f} | {each['memory']:.0f} |"
            )


def load(server: Process, requests: list[list[object]], seconds: float = 4.0, rate: float = 0.0) -> dict[str, float]:
    """`rate`: requests a second that are offered; without it as many as can be."""
    plan = {"port": server.port, "seconds": seconds, "connections": 32, "requests": requests, "rate": rate}
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(plan, file)
        file.flush()
        before = server.cpu
        made = subprocess.Popen([sys.executable, str(HERE / "_load.py"), file.name], stdout=subprocess.PIPE)
        os.sched_setaffinity(made.pid, {CORES[-1]})
        result = json.loads(made.communicate(timeout=seconds + 120)[0])
        spent = server.cpu - before
    if result["errors"]:
        raise SystemExit(f"{result['errors'][0]}")
    return {
        "rate": result["requests"] / result["seconds"],
        "p50": result["p50_ms"],
        "p99": result["p99_ms"],
        "cpu": spent / result["requests"] * 1e6,
        "memory": server.megabytes,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    _ = parser.add_argument(
        "parts", nargs="*", choices=("restart", "polling", "litellm"), default=("restart", "polling")
    )
    _ = parser.add_argument("--jobs", type=int, default=0, help="instead of 100,000 or 10,000")
    _ = parser.add_argument("--rounds", type=int, default=3)
    _ = parser.add_argument("--litellm", type=Path, help="a virtual environment that has it")
    options = parser.parse_args()
    if "restart" in options.parts:
        restart(options.jobs or 100_000, options.rounds)
    if "polling" in options.parts:
        polling(options.jobs or 10_000, options.rounds)
    if "litellm" in options.parts:
        litellm(options.litellm, options.rounds)


if __name__ == "__main__":
    main()
