"""Words relayed, side by side with a plain aiohttp proxy, nginx, LiteLLM and Portkey's gateway.

    python benchmarks/bench_stream.py [--parts json,sse,latency,memory,idle] [--rounds 5] [--seconds 3]
        [--nginx nginx] [--litellm FOLDER] [--portkey FOLDER] [--idle 5000]

All servers stand before one fake vendor and are loaded in turn, round by round, so that a ratio compares neighbours in
time. Each is pinned to one core, the vendor and the load to the others. mutoscope stands there three times: open; with
keys, limits and prices, so that what tokens cost is entered in the ledger; and with a budget too, which is set aside on
disk before each request. "CPU" is the server's own by the kernel's account, which a noisy machine disturbs least.

    json      answers of a kilobyte a second
    sse       events a second, in streams of 200
    latency   JSON at half the rate that the plain proxy bears: what is added to the vendor's own time
    memory    what 1,000 open streams at 20 events a second take beyond the idle server
    idle      what so many streams take that say nothing, and whether others are answered meanwhile (mutoscope alone)

nginx is installed for this only (apt-get install nginx-light); LiteLLM and Portkey have folders of their own:
python -m venv FOLDER && FOLDER/bin/pip install "litellm[proxy]"; npm install --prefix FOLDER @portkey-ai/gateway
"""

import argparse
import hashlib
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from _common import seconds_of, stop, table
from bench_serve import CORES, HERE, free_port, wait_for

PARTS = ("json", "sse", "latency", "memory", "idle")
CHAT = "/v1/chat/completions"
KEY = "benchmark"
MASTER = f"sk-{hashlib.sha256(KEY.encode()).hexdigest()}"  # LiteLLM starts with no weaker one
CONFIG = """
[server]
log_level = "error"
[net]
allow_private = true
[accounts.vendor]
wire = "openai"
key = "theirs"
base_url = "http://127.0.0.1:{vendor}"
open_models = true
"""
GUARDED = f"""
[limits]
requests_per_minute = 60000000
tokens_per_minute = 100000000000
[[keys]]
name = "benchmark"
sha256 = "{hashlib.sha256(KEY.encode()).hexdigest()}"
%s
""" + "".join(
    f'[models."{name}".price]\ninput_tokens = 250.0\noutput_tokens = 1000.0\n'
    for name in ("json", "sse-200", "slow-20")
)
NGINX = """
worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 8192; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    keepalive_requests 1000000000;
    upstream vendor {{ server 127.0.0.1:{vendor}; keepalive 1024; keepalive_requests 1000000000; }}
    server {{
        listen 127.0.0.1:{port} backlog=8192;
        location / {{
            proxy_pass http://vendor; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off;
            proxy_set_header Authorization "Bearer theirs"; proxy_read_timeout 600s;
        }}
    }}
}}
"""
LITELLM = """
model_list:
{models}
litellm_settings:
  telemetry: false
"""
LITELLM_MODEL = """\
  - model_name: {name}
    litellm_params: {{model: openai/{name}, api_base: "http://127.0.0.1:{vendor}/v1", api_key: theirs}}
"""


class Server:
    """One that is loaded, and how it is spoken to."""

    def __init__(self, name: str, process: subprocess.Popen[bytes], port: int, headers: Mapping[str, str]) -> None:
        self.name, self.process, self.port, self.headers = name, process, port, dict(headers)

    @property
    def cpu(self) -> float:
        """Seconds of all its threads and children."""
        return sum(map(seconds_of, tree(self.process.pid)))

    @property
    def megabytes(self) -> float:
        """Resident, with its children."""
        return sum(map(resident, tree(self.process.pid))) / 1e6


def tree(pid: int) -> list[int]:
    found = [pid]
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            found += tree(int(child))
    return found


def resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def process(
    command: list[str], port: int, cores: set[int], env: dict[str, str] | None = None
) -> Generator[subprocess.Popen[bytes]]:
    started = subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: os.sched_setaffinity(0, cores),
        env=env,
    )
    try:
        wait_long(port, started)
        yield started
    finally:
        stop(started, 15)


def wait_long(port: int, started: subprocess.Popen[bytes]) -> None:
    """LiteLLM takes its time to start, more than a minute on a busy machine."""
    for _ in range(5):
        try:
            return wait_for(port, started)
        except SystemExit:
            if started.poll() is not None:
                raise
    raise SystemExit(f"{started.args} did not start within five minutes")


SERVED, OTHERS = {CORES[0]}, set(CORES[1:] or CORES)


@contextmanager
def servers(asked: argparse.Namespace, vendor: int, folder: Path) -> Generator[list[Server]]:
    python, address = sys.executable, f"http://127.0.0.1:{vendor}"
    commands: dict[str, tuple[list[str], int, dict[str, str], dict[str, str]]] = {}

    def add(name: str, port: int, command: list[str], headers: Mapping[str, str] = {}, **env: str) -> None:
        commands[name] = (command, port, {"Authorization": "Bearer any", **headers}, env)

    port = free_port()
    add("aiohttp", port, [python, str(HERE / "_peer_proxy.py"), str(port), address])
    budget = "budget = 1000000000.0"
    variants = {"mutoscope": "", "mutoscope, keys": GUARDED % "", "mutoscope, budget": GUARDED % budget}
    for name, more in variants.items():
        port, home = free_port(), folder / name.replace(", ", "-")
        home.mkdir()
        config = home / "mutoscope.toml"
        config.write_text(CONFIG.format(vendor=vendor) + more)
        command = [python, "-m", "mutoscope", "serve", "--port", str(port), "--data", str(home / "data")]
        add(name, port, [*command, "--config", str(config)], {"Authorization": f"Bearer {KEY}"})
    if asked.nginx:
        port = free_port()
        (folder / "nginx.conf").write_text(NGINX.format(folder=folder, vendor=vendor, port=port))
        add("nginx", port, [asked.nginx, "-p", str(folder), "-c", str(folder / "nginx.conf")])
    if asked.litellm:
        port, names = free_port(), ("json", "sse-200", "slow-20")
        models = "".join(LITELLM_MODEL.format(name=name, vendor=vendor) for name in names)
        (folder / "litellm.yaml").write_text(LITELLM.format(models=models))
        command = [f"{asked.litellm}/bin/litellm", "--config", str(folder / "litellm.yaml"), "--port", str(port)]
        add(
            "LiteLLM",
            port,
            [*command, "--host", "127.0.0.1", "--num_workers", "1"],
            {"Authorization": f"Bearer {MASTER}"},
            LITELLM_LOCAL_MODEL_COST_MAP="True",
            LITELLM_MASTER_KEY=MASTER,
        )
    if asked.portkey:
        port = free_port()
        script = f"{asked.portkey}/node_modules/@portkey-ai/gateway/build/start-server.js"
        told = {"x-portkey-provider": "openai", "x-portkey-custom-host": f"{address}/v1"}
        add("Portkey", port, ["node", script, f"--port={port}", "--headless"], told)
    with ExitStack() as stack:
        made: list[Server] = []
        for name, (command, port, headers, env) in commands.items():
            started = stack.enter_context(process(command, port, SERVED, env={**os.environ, **env}))
            made.append(Server(name, started, port, headers))
        yield made


def plan(server: Server, model: str, how: str, connections: int, seconds: float = 0.0, rate: float = 0.0) -> str:
    told = {"port": server.port, "path": CHAT, "headers": server.headers, "model": model, "how": how}
    return json.dumps(told | {"connections": connections, "seconds": seconds, "rate": rate})


def loaded(server: Server, model: str, how: str, connections: int, seconds: float, rate: float = 0.0) -> dict[str, Any]:
    command = [sys.executable, str(HERE / "_load_words.py"), plan(server, model, how, connections, seconds, rate)]
    done = subprocess.run(
        command, stdout=subprocess.PIPE, check=True, timeout=600, preexec_fn=lambda: os.sched_setaffinity(0, OTHERS)
    )
    figures = json.loads(done.stdout)
    if figures["errors"]:
        print(f"{server.name}: {figures['errors'][0]}", file=sys.stderr)
    return figures


@contextmanager
def holding(server: Server, model: str, connections: int) -> Generator[int]:
    """So many streams are open. How many of them had their first event."""
    command = [sys.executable, str(HERE / "_load_words.py"), plan(server, model, "held", connections)]
    loader = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        preexec_fn=lambda: os.sched_setaffinity(0, OTHERS),
    )
    assert loader.stdin and loader.stdout
    try:
        told = json.loads(loader.stdout.readline() or "{}")
        if told.get("errors"):
            print(f"{server.name}: {told['errors'][0]}", file=sys.stderr)
        yield int(told.get("held", 0))
    finally:
        loader.kill()
        loader.wait()
        loader.stdin.close()
        loader.stdout.close()


def throughput(made: list[Server], model: str, what: str, asked: argparse.Namespace) -> dict[str, float]:
    """A second, as the median of the rounds."""
    rates: dict[str, list[float]] = {each.name: [] for each in made}
    costs: dict[str, list[float]] = {each.name: [] for each in made}
    for each in made:
        loaded(each, model, "closed", 8, 0.3)  # warm
    for _ in range(asked.rounds):
        for each in made:
            before = each.cpu
            figures = loaded(each, model, "closed", asked.connections, asked.seconds)
            rates[each.name].append(figures[what] / figures["seconds"])
            costs[each.name].append((each.cpu - before) / max(figures[what], 1))
    found = {name: statistics.median(each) for name, each in rates.items()}
    rows: list[list[str]] = []
    for name, rate in found.items():
        ratios = [mine / plain for mine, plain in zip(rates[name], rates["aiohttp"], strict=True) if plain]
        row = [name, f"{rate:,.0f}", f"{statistics.median(ratios):.2f}", f"{min(ratios):.2f} to {max(ratios):.2f}"]
        cost, plain = statistics.median(costs[name]), statistics.median(costs["aiohttp"])
        rows.append([*row, f"{cost * 1e6:,.1f}", f"{plain / cost:.2f}" if cost else ""])
    table("", [model, f"{what} a second", "of aiohttp's", "rounds", "CPU, µs", "aiohttp's of it"], *rows)
    return found


def latency(made: list[Server], vendor: Server, rate: float, asked: argparse.Namespace) -> None:
    times: dict[str, list[tuple[float, float]]] = {}
    for _ in range(asked.rounds):
        for each in (vendor, *made):
            figures = loaded(each, "json", "open", 256, asked.seconds, rate)
            times.setdefault(each.name, []).append((figures["p50_ms"], figures["p99_ms"]))
    medians = {name: [statistics.median(column) for column in zip(*each, strict=True)] for name, each in times.items()}
    own = medians[vendor.name]
    added = {
        name: [max(mine - base, 0.001) for mine, base in zip(each, own, strict=True)] for name, each in medians.items()
    }
    rows = [
        [name, *(f"{each:.2f}" for each in added[name])]
        + [f"{mine / plain:.2f}" for mine, plain in zip(added[name], added["aiohttp"], strict=True)]
        for name in medians
        if name != vendor.name
    ]
    table(
        "",
        [f"at {rate:,.0f} a second", "p50 added, ms", "p99 added, ms", "p50 of aiohttp's", "p99 of aiohttp's"],
        *rows,
    )


def memory(made: list[Server], asked: argparse.Namespace) -> None:
    rows: list[list[str]] = []
    for each in made:
        before = each.megabytes
        with holding(each, "slow-20", asked.streams) as held:
            time.sleep(asked.seconds)
            rows.append([each.name, str(held), f"{before:.0f}", f"{each.megabytes - before:.0f}"])
    table("", [f"{asked.streams} streams, 20 events a second", "open", "idle, MB", "more, MB"], *rows)


def idle(server: Server, asked: argparse.Namespace) -> None:
    before = server.megabytes
    alone = loaded(server, "json", "closed", 4, asked.seconds)
    with holding(server, "idle", asked.idle) as held:
        more, figures = server.megabytes - before, loaded(server, "json", "closed", 4, asked.seconds)
    row = [server.name, str(held), f"{more:.0f}", f"{figures['p50_ms'] / alone['p50_ms']:.2f}"]
    table("", [f"{asked.idle} idle streams", "open", "more, MB", "p50 of others, of that without"], row)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", default=",".join(PARTS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--streams", type=int, default=1000)
    parser.add_argument("--idle", type=int, default=5000)
    parser.add_argument("--nginx", default="")
    parser.add_argument("--litellm", default="")
    parser.add_argument("--portkey", default="")
    asked = parser.parse_args()
    parts = asked.parts.split(",")
    if unknown := set(parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(unknown)}; there are {', '.join(PARTS)}")
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    port = free_port()
    command = [sys.executable, str(HERE / "_fake_words.py"), str(port)]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        vendor = Server("the vendor", stack.enter_context(process(command, port, OTHERS)), port, {})
        made = stack.enter_context(servers(asked, port, folder))
        rates: dict[str, float] = {}
        if {"json", "latency"} & set(parts):
            rates = throughput(made, "json", "requests", asked)
        if "sse" in parts:
            throughput(made, "sse-200", "events", asked)
        if "latency" in parts:
            latency(made, vendor, rates["aiohttp"] / 2, asked)
        if "memory" in parts:
            memory(made, asked)
        if "idle" in parts:
            idle(next(each for each in made if each.name == "mutoscope"), asked)


if __name__ == "__main__":
    main()
