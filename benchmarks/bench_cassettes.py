"""What recording costs: creates of jobs at a vendor, and relayed words, with and without cassettes, side by side.

    python benchmarks/bench_cassettes.py [creates] [json] [sse] [--rounds 7] [--seconds 2]

Three servers stand before one fake vendor: two that record nothing, one that does. They are loaded in turn, the first
of each round changing, and each round's ratio compares neighbours in time; "off again" tells what the machine itself
scatters. Each create is handed to the vendor while others are taken; streams have 200 events. The aim is 0.9 or more.
"""

import argparse
import statistics
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from _common import table
from bench_relay import BODY, HEADERS, ROUTE, Process, fake_vendor, load, serve
from bench_serve import HERE, free_port, wait_for
from bench_stream import CONFIG, OTHERS, SERVED, Server, loaded, process

PARTS = ("creates", "json", "sse")
NAMES = ("off", "off again", "recording")
Measure = Callable[[], tuple[float, float]]
"""Loads a server; how much a second, and CPU microseconds for each."""


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
        def measure() -> tuple[float, float]:
            figures = load(server, [["POST", ROUTE, HEADERS, BODY]], seconds)
            return figures["rate"], figures["cpu"]

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
        def measure() -> tuple[float, float]:
            before = server.cpu
            figures = loaded(server, model, "closed", 32, seconds)
            return figures[what] / figures["seconds"], (server.cpu - before) / max(figures[what], 1) * 1e6

        return measure

    found: dict[str, Measure] = {}
    for name, (home, more) in homes(folder).items():
        (home / "mutoscope.toml").write_text(CONFIG.format(vendor=vendor) + more)
        port = free_port()
        command = [sys.executable, "-m", "mutoscope", "serve", "--port", str(port), "--data", str(home / "data")]
        started = stack.enter_context(process([*command, "--config", str(home / "mutoscope.toml")], port, SERVED))
        found[name] = measured(Server(name, started, port, {"Authorization": "Bearer any"}))
    return found


def compare(part: str, found: dict[str, Measure], rounds: int) -> None:
    for measure in found.values():
        measure()  # warm
    rates: dict[str, list[float]] = {name: [] for name in found}
    costs: dict[str, list[float]] = {name: [] for name in found}
    for number in range(rounds):
        order = list(found) if number % 2 else list(reversed(found))
        for name in order:
            rate, cost = found[name]()
            rates[name].append(rate)
            costs[name].append(cost)
    rows: list[list[str]] = []
    for name in found:
        ratios = [mine / off for mine, off in zip(rates[name], rates["off"], strict=True)]
        cost, off = statistics.median(costs[name]), statistics.median(costs["off"])
        middle = f"{statistics.median(ratios):.2f}"
        spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
        rows.append(
            [name, f"{statistics.median(rates[name]):,.0f}", middle, spread, f"{cost:,.0f}", f"{off / cost:.2f}"]
        )
    table("", [part, "a second", "of off", "rounds", "CPU, µs", "off's of it"], *rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", default=PARTS)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=2.0)
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
            compare(part, found, asked.rounds)


if __name__ == "__main__":
    main()
