"""Status reads a second with ten consoles open, against none.

    python benchmarks/bench_consoles.py [--consoles 10] [--rounds 5] [--seconds 2] [--creates 10]

One server on one core, loaded from the other; rounds with and without consoles take turns, so that a ratio compares
neighbours in time. A console here does what an open gallery does: it holds the stream of news, and once a second
asks for the tiles of the jobs that changed. All the while `--creates` jobs a second are filed, and made by the scripted
engine, with consoles and without. "CPU" is the server's own time a read, which a noisy machine disturbs least; a server
that does nothing (`_peer_bare.py`), loaded in each round on the same core, is what it is measured against.
"""

import argparse
import json
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from contextlib import ExitStack
from pathlib import Path

from _common import bare, seconds_of, stop

HERE = Path(__file__).parent
CORES = sorted(os.sched_getaffinity(0))
ROUTE = "/v1/ai/text-to-image/runway"
BODY = json.dumps({"prompt": "A serene mountain landscape", "ratio": "1920:1080"}).encode()
JSON = {"content-type": "application/json"}
CONNECTIONS = 32
ID = re.compile(rb'"id":"([0-9a-f-]{36})"')


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--consoles", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--creates", type=float, default=10.0)
    asked = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        process, url = serve(folder)
        stack.callback(stop, process, 10)
        id = create(url)
        idle, port = stack.enter_context(bare(CORES[0]))
        over = threading.Event()
        stack.callback(over.set)
        threading.Thread(target=keep_filing, args=(url, asked.creates, over), daemon=True).start()
        rows: dict[int, list[tuple[float, float]]] = {0: [], asked.consoles: []}
        yardstick: list[float] = []
        for _ in range(asked.rounds):
            yardstick.append(measure(idle, f"http://127.0.0.1:{port}", f"{ROUTE}/{id}", asked.seconds)[1])
            for count, found in rows.items():
                with ExitStack() as open_consoles:
                    for _ in range(count):
                        console = Console(url)
                        open_consoles.callback(console.close)
                    time.sleep(0.5)
                    found.append(measure(process, url, f"{ROUTE}/{id}", asked.seconds))
    print("| consoles open | reads a second | server CPU a read | of the bare server's |")
    print("| ---: | ---: | ---: | ---: |")
    least = statistics.median(yardstick)
    for count, found in rows.items():
        reads, cpu = (statistics.median(column) for column in zip(*found, strict=True))
        print(f"| {count} | {reads:,.0f} | {1e6 * cpu:,.0f} µs | {cpu / least:.2f} |")
    pairs = zip(rows[asked.consoles], rows[0], strict=True)
    ratios = [with_[0] / without[0] for with_, without in pairs]
    print(f"\nReads with {asked.consoles} consoles to reads with none: {statistics.median(ratios):.2f} (aim: 0.9)")


def serve(folder: Path) -> tuple["subprocess.Popen[bytes]", str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = folder / "mutoscope.toml"
    config.write_text('[server]\nlog_level = "error"\n')
    command = [sys.executable, "-m", "mutoscope", "serve", "--rehearse", "--port", str(port)]
    command += ["--data", str(folder / "data"), "--config", str(config)]
    process = subprocess.Popen(["taskset", "-c", str(CORES[0]), *command], stdout=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    while True:
        try:
            urllib.request.urlopen(f"{url}/healthz", timeout=5).close()
            return process, url
        except OSError:
            if process.poll() is not None:
                raise SystemExit("the server did not start") from None
            time.sleep(0.1)


def create(url: str) -> str:
    request = urllib.request.Request(url + ROUTE, BODY, JSON)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)["data"]["task_id"]


def keep_filing(url: str, a_second: float, over: threading.Event) -> None:
    while a_second and not over.wait(1 / a_second):
        create(url)


class Console:
    """An open gallery."""

    def __init__(self, url: str) -> None:
        self.url, self.changed, self.over = url, set[str](), threading.Event()
        self.stream = urllib.request.urlopen(f"{url}/admin/events", timeout=60)
        threading.Thread(target=self.listen, daemon=True).start()
        threading.Thread(target=self.look, daemon=True).start()

    def listen(self) -> None:
        try:
            for line in self.stream:
                self.changed |= {found[1].decode() for found in ID.finditer(line)}
        except (OSError, ValueError, AttributeError):
            return  # closed

    def look(self) -> None:
        while not self.over.wait(1):
            ids, self.changed = sorted(self.changed)[:100], set()
            if ids:
                urllib.request.urlopen(f"{self.url}/console/gallery/tiles?ids={','.join(ids)}", timeout=60).read()

    def close(self) -> None:
        self.over.set()
        self.stream.close()


def measure(process: "subprocess.Popen[bytes]", url: str, path: str, seconds: float) -> tuple[float, float]:
    """Reads a second, and the server's CPU seconds for each."""
    plan = {"port": int(url.rpartition(":")[2]), "seconds": seconds, "connections": CONNECTIONS}
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(plan | {"requests": [["GET", path, {}, ""]]}, file)
        file.flush()
        command = ["taskset", "-c", str(CORES[-1]), sys.executable, str(HERE / "_load.py"), file.name]
        before = seconds_of(process.pid)
        done = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    if done["errors"]:
        raise SystemExit(f"errors: {done['errors']}")
    return done["requests"] / done["seconds"], (seconds_of(process.pid) - before) / done["requests"]


if __name__ == "__main__":
    main()
