"""What several benchmarks need: a table, what a process has used and holds, and its end."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

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
