"""How long status reads take while the same server renders, and how long a render takes beside other programs."""

import json
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Generator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np

from _common import stop
from _studio_clips import CORES, Report, Setting

HERE = Path(__file__).parent
ROUTE = "/v1/ai/text-to-video/wan-2-7"
HEADERS = {"content-type": "application/json", "x-freepik-api-key": "benchmark"}
PROMPT = "misty pine forest in the morning, the camera orbits to the right"
RENDERS = 2
RENDER_SECONDS = 15  # of video: the longest that this model has, so that both run while they are measured
LOADS = {"20 clients, each asks every 100 ms": (20, 0.1), "16 clients that never pause": (16, 0.0)}
BESIDE_SECONDS = 5  # of video
START_SECONDS, PATIENCE_SECONDS = 60.0, 240.0
CONFIG = """
[studio]
slots = 2
[server]
log_level = "error"
"""


class Server:
    """`mutoscope serve`, and one finished job to ask about."""

    def __init__(self, port: int) -> None:
        self.port = port

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data, HEADERS, method=method)
        with urllib.request.urlopen(request) as answer:
            return json.loads(answer.read())["data"]

    def submit(self, *, resolution: str, seconds: int, seed: int) -> str:
        body = {"prompt": PROMPT, "resolution": resolution, "duration": seconds, "seed": seed}
        return self.call("POST", ROUTE, body)["task_id"]

    def state(self, id: str) -> str:
        return self.call("GET", f"{ROUTE}/{id}")["status"]

    def wait_for(self, id: str, *states: str) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (state := self.state(id)) not in states:
            if state == "FAILED" or time.monotonic() > deadline:
                raise SystemExit(f"a render is {state}, not {' or '.join(states)}")
            time.sleep(0.1)


def reads(setting: Setting) -> Report:
    """The same server, idle and with two renders, in turn."""
    report = Report(
        f"Status reads while {RENDERS} 1080p renders run, against the same server idle",
        ("load", "server", "reads/s", "p50 ms", "p99 ms", "p99, ratio to idle"),
    )
    found: dict[tuple[str, str], list[list[float]]] = {}
    seconds = 0.5 if setting.tiny else 4.0
    with serving(setting.work) as server:
        finished = server.submit(resolution="720P", seconds=2, seed=1)
        server.wait_for(finished, "COMPLETED")
        for number in range(setting.rounds):
            for name in LOADS:
                found.setdefault((name, "idle"), []).append(polled(setting, server, finished, name, seconds))
                with rendering(server, seed=number):
                    times = polled(setting, server, finished, name, seconds)
                found.setdefault((name, "renders"), []).append(times)
    for name in LOADS:
        idle = percentiles(found[name, "idle"])
        for state in ("idle", "renders"):
            rate, half, most = (
                sum(map(len, found[name, state])) / seconds / setting.rounds,
                *percentiles(found[name, state]),
            )
            report.row(name, state, f"{rate:.0f}", f"{half:.2f}", f"{most:.2f}", f"**{most / idle[1]:.1f}**")
    report.notes.append("Percentiles are medians over the rounds. Clients and server share the two cores.")
    return report


def beside(setting: Setting) -> Report:
    """A render and the reads meanwhile, alone and beside busy loops, in turn."""
    report = Report(
        f"One 720p render of {BESIDE_SECONDS} s beside {len(CORES)} busy loops, against the same server without them",
        ("loops", "render, s", "ratio", "p99 ms, no render", "p99 ms, render", "ratio", "ratio to idle"),
    )
    found: dict[str, list[tuple[float, list[float], list[float]]]] = {"none": [], "running": []}
    seconds, load = (0.5, next(iter(LOADS))) if setting.tiny else (2.0, next(iter(LOADS)))
    with serving(setting.work) as server:
        finished = server.submit(resolution="720P", seconds=2, seed=1)
        server.wait_for(finished, "COMPLETED")
        for number in range(setting.rounds):
            for loops, others in (("none", nullcontext()), ("running", busy_loops())):
                with others:
                    before = polled(setting, server, finished, load, seconds)
                    began = time.monotonic()
                    job = server.submit(resolution="720P", seconds=BESIDE_SECONDS, seed=number)
                    server.wait_for(job, "IN_PROGRESS")
                    during = polled(setting, server, finished, load, seconds)
                    server.wait_for(job, "COMPLETED")
                    found[loops].append((time.monotonic() - began, before, during))
    usual = float(np.median([each[0] for each in found["none"]]))
    idle = percentiles([each[1] for each in found["none"]])[1]
    for loops, rounds in found.items():
        took = float(np.median([each[0] for each in rounds]))
        before = percentiles([each[1] for each in rounds])[1]
        during = percentiles([each[2] for each in rounds])[1]
        row = (f"{took:.1f}", f"**{took / usual:.1f}**", f"{before:.2f}", f"{during:.2f}")
        report.row(loops, *row, f"{during / before:.1f}", f"**{during / idle:.1f}**")
    report.notes.append("Medians over the rounds; each loop is a session of its own, as another user's program is.")
    return report


@contextmanager
def busy_loops() -> Generator[None]:
    """As many as cores, that never wait for anything."""
    command = [sys.executable, "-c", "while True: pass"]
    loops = [subprocess.Popen(command, start_new_session=True) for _ in CORES]
    try:
        yield
    finally:
        for each in loops:
            each.kill()
            each.wait()


def percentiles(rounds: list[list[float]]) -> tuple[float, float]:
    each = [np.percentile(times, [50, 99]) for times in rounds]
    half, most = np.median(each, axis=0)
    return float(half), float(most)


def polled(setting: Setting, server: Server, id: str, load: str, seconds: float) -> list[float]:
    """Milliseconds of each read."""
    clients, pause = LOADS[load]
    requests = [["GET", f"{ROUTE}/{id}", HEADERS, ""]]
    plan = {"port": server.port, "seconds": seconds, "clients": clients, "pause": pause, "requests": requests}
    file = setting.work / "polls.json"
    file.write_text(json.dumps(plan))
    command = [sys.executable, str(HERE / "_studio_polls.py"), str(file)]
    result = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    if result["errors"]:
        raise SystemExit(f"a status read failed: {result['errors'][0]}")
    return result["times_ms"]


@contextmanager
def rendering(server: Server, *, seed: int) -> Generator[None]:
    """Two renders that are under way before this begins and not yet done when it ends."""
    jobs = [
        server.submit(resolution="1080P", seconds=RENDER_SECONDS, seed=100 * seed + index) for index in range(RENDERS)
    ]
    for job in jobs:
        server.wait_for(job, "IN_PROGRESS")
    time.sleep(1.0)
    yield
    if (states := [server.state(job) for job in jobs]) != ["IN_PROGRESS"] * RENDERS:
        raise SystemExit(f"the renders were to last longer than the measurement: {', '.join(states)}")
    for job in jobs:
        server.wait_for(job, "COMPLETED")


@contextmanager
def serving(work: Path) -> Generator[Server]:
    config, log = work / "server.toml", work / "server.log"
    config.write_text(CONFIG)
    command = [sys.executable, "-m", "mutoscope", "serve", "--port", "0", "--data", str(work / "server")]
    with log.open("w") as file:
        process = subprocess.Popen([*command, "--config", str(config)], stdout=file, stderr=subprocess.STDOUT, cwd=work)
        try:
            yield Server(port_of(process, log))
        finally:
            stop(process, 30)


def port_of(process: subprocess.Popen[bytes], log: Path) -> int:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if match := re.search(r"serves on http://\S+:(\d+)", log.read_text()):
            return int(match[1])
        time.sleep(0.05)
    raise SystemExit(f"the server did not start: {log.read_text()[-500:]}")


PARTS: dict[str, Callable[[Setting], Report]] = {"reads": reads, "beside": beside}
