"""What recording costs: creates of jobs at a vendor, and relayed words, with and without cassettes, side by side.

    python benchmarks/bench_cassettes.py [creates] [json] [sse] [--rounds 7] [--seconds 2] [--share 0.5]

Three servers stand before one fake vendor: two that record nothing, one that does. They are loaded in turn, the first
of each round changing, and each round's ratio compares neighbours in time; "off again" tells what the machine itself
scatters. Each create is handed to the vendor while others are taken; streams have 200 events. First they answer as
many as they can, then a fixed load is offered to each: that share of what the first one answered when warm. CPU is told
of the process that serves and, with the process that writes recordings, of all; what that one writes after a round is
counted with it. The aim is 0.9 or more of the rate.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from _common import seconds_of, table
from bench_relay import BODY, HEADERS, ROUTE, Process, fake_vendor, load, serve
from bench_serve import HERE, free_port, wait_for
from bench_stream import CONFIG, OTHERS, SERVED, Server, loaded, process, tree

PARTS = ("creates", "json", "sse")
NAMES = ("off", "off again", "recording")
QUIET_SECONDS, QUIET_CPU = 0.5, 0.02  # the writer is done when it uses no more in so long
PATIENCE_SECONDS = 30.0  # that it is waited for


class Figures(NamedTuple):
    rate: float  # a second
    serving: float  # CPU microseconds of the process that serves, for each
    whole: float  # of all its processes
    p50: float  # milliseconds
    p99: float


Measure = Callable[[float], Figures]
"""Loads a server with so much a second, or with all it can take (0)."""


class Meter:
    """What a server and its children use from now on."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.before = self._used()

    def _used(self) -> tuple[float, float]:
        return seconds_of(self.pid), sum(map(seconds_of, tree(self.pid)))

    def over(self, count: float) -> tuple[float, float]:
        """Microseconds for each: of what was used while they were loaded, and with what the writer is behind."""
        serving = self._used()[0] - self.before[0]
        until, last = time.monotonic() + PATIENCE_SECONDS, 0.0
        while (now := self._used()[1]) > last + QUIET_CPU and time.monotonic() < until:
            last = now
            time.sleep(QUIET_SECONDS)
        return serving / count * 1e6, (self._used()[1] - self.before[1]) / count * 1e6


def homes(folder: Path) -> dict[str, tuple[Path, str]]:
    """For each server a directory and its section of the settings."""
    made: dict[str, tuple[Path, str]] = {}
    for name in NAMES:
        home = folder / name.replace(" ", "-")
        home.mkdir(parents=True)
        made[name] = (home, f'[cassettes]\nrecord = "{home / "tapes"}"\n' if name == "recording" else "")
    return made


def creates(stack: ExitStack, folder: Path, seconds: float) -> dict[str, Measure]:
    vendor = stack.enter_context(fake_vendor())

    def measured(server: Process) -> Measure:
        def measure(rate: float) -> Figures:
            meter = Meter(server.process.pid)
            told = load(server, [["POST", ROUTE, HEADERS, BODY]], seconds, rate)
            serving, whole = meter.over(told["rate"] * seconds)
            return Figures(told["rate"], serving, whole, told["p50"], told["p99"])

        return measure

    found: dict[str, Measure] = {}
    for name, (home, more) in homes(folder).items():
        server = serve(home, vendor, interval=3600.0, more=more)
        stack.callback(server.end)
        wait_for(server.port, server.process)
        found[name] = measured(server)
    return found


def words(stack: ExitStack, folder: Path, seconds: float, model: str, what: str) -> dict[str, Measure]:
    vendor = free_port()
    stack.enter_context(process([sys.executable, str(HERE / "_fake_words.py"), str(vendor)], vendor, OTHERS))

    def measured(server: Server) -> Measure:
        def measure(rate: float) -> Figures:
            meter = Meter(server.process.pid)
            each = 200 if what == "events" else 1  # of one request
            told = loaded(server, model, "open" if rate else "closed", 32, seconds, rate / each)
            serving, whole = meter.over(max(told[what], 1))
            return Figures(told[what] / told["seconds"], serving, whole, told["p50_ms"], told["p99_ms"])

        return measure

    found: dict[str, Measure] = {}
    for name, (home, more) in homes(folder).items():
        (home / "mutoscope.toml").write_text(CONFIG.format(vendor=vendor) + more)
        port = free_port()
        command = [sys.executable, "-m", "mutoscope", "serve", "--port", str(port), "--data", str(home / "data")]
        started = stack.enter_context(process([*command, "--config", str(home / "mutoscope.toml")], port, SERVED))
        found[name] = measured(Server(name, started, port, {"Authorization": "Bearer any"}))
    return found


def compare(part: str, found: dict[str, Measure], rounds: int, share: float) -> None:
    warm = {name: measure(0.0) for name, measure in found.items()}
    for offered in (0.0, warm["off"].rate * share):
        told: dict[str, list[Figures]] = {name: [] for name in found}
        for number in range(rounds):
            for name in found if number % 2 else reversed(found):
                told[name].append(found[name](offered))
        heads = ["a second", "of off", "rounds", "CPU, µs", "off's of it", "with the writer", "p50, ms", "p99, ms"]
        rows = [row(name, told[name], told["off"]) for name in found]
        table("", [f"{part}, {f'{offered:,.0f} a second offered' if offered else 'all they can'}", *heads], *rows)


def row(name: str, mine: list[Figures], off: list[Figures]) -> list[str]:
    def middle(field: str, of: list[Figures]) -> float:
        return statistics.median(getattr(each, field) for each in of)

    ratios = [here.rate / there.rate for here, there in zip(mine, off, strict=True)]
    return [
        name,
        f"{middle('rate', mine):,.0f}",
        f"{statistics.median(ratios):.2f}",
        f"{min(ratios):.2f} to {max(ratios):.2f}",
        f"{middle('serving', mine):,.1f}",
        f"{middle('serving', off) / middle('serving', mine):.2f}",
        f"{middle('whole', mine):,.1f}",
        f"{middle('p50', mine):.1f}",
        f"{middle('p99', mine):.1f}",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", default=PARTS)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--share", type=float, default=0.5, help="of what the first answers: the load that is offered")
    asked = parser.parse_args()
    if unknown := set(asked.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(unknown)}; there are {', '.join(PARTS)}")
    for part in asked.parts:
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            if part == "creates":
                found = creates(stack, folder, asked.seconds)
            elif part == "json":
                found = words(stack, folder, asked.seconds, "json", "requests")
            else:
                found = words(stack, folder, asked.seconds, "sse-200", "events")
            compare(part, found, asked.rounds, asked.share)


if __name__ == "__main__":
    main()
