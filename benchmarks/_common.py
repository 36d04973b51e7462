"""What several benchmarks need: a table, yardsticks, what a process has used and holds, and its end."""

import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image

TICK = os.sysconf("SC_CLK_TCK")


def table(title: str, head: Sequence[object], *rows: Sequence[object]) -> None:
    """In Markdown; fractions with two digits."""
    print(f"### {title}\n" if title else "")
    for number, row in enumerate((head, *rows)):
        print("| " + " | ".join(f"{each:.2f}" if isinstance(each, float) else str(each) for each in row) + " |")
        if number == 0:
            print("|---" * len(row) + "|")
    print(flush=True)


def seconds_of(pid: int) -> float:
    """CPU that a process has used, all its threads together, by the kernel's account."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def resident(pid: int) -> int:
    """Memory that a process holds, KiB; none of one that is ending."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next((int(line.split()[1]) for line in lines if line.startswith("VmRSS")), 0)


def stop(process: subprocess.Popen[bytes], seconds: float) -> None:
    """Ask it to end, and end it where it does not."""
    process.terminate()
    try:
        process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextmanager
def bare(core: int | None = None) -> Generator[tuple["subprocess.Popen[bytes]", int]]:
    """The server that does nothing (`_peer_bare.py`), and its port: what requests are measured against."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    pinned = () if core is None else ("taskset", "-c", str(core))
    process = subprocess.Popen([*pinned, sys.executable, str(Path(__file__).with_name("_peer_bare.py")), str(port)])
    try:
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            if process.poll() is not None:
                raise SystemExit("the bare server did not start")
            time.sleep(0.05)
        yield process, port
    finally:
        stop(process, 10)


def pillow_seconds(times: int = 9) -> float:
    """CPU that Pillow takes to enlarge a picture of 512x512 twofold by Lanczos: what models are measured against."""
    picture = Image.fromarray(np.random.default_rng(1).integers(0, 256, (512, 512, 3), np.uint8))
    taken: list[float] = []
    for _ in range(times):
        before = time.process_time()
        picture.resize((1024, 1024), Image.Resampling.LANCZOS)
        taken.append(time.process_time() - before)
    return statistics.median(taken)
