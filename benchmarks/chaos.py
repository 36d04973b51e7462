"""A thousand paid jobs, the gateway killed every second or so and its vendor now and then: what is left of them.

    python benchmarks/chaos.py [--jobs 1000] [--seconds 60] [--back freepik|runway kling minimax] [--shared]
                               [--distance 0.03] [--heavy 10] [--megabytes 5] [--rate 1] [--rendered 50]

The vendor is a second `mutoscope serve`, with an account for each `--back`. Freepik's is ours alone, so that its list
tells what became of a lost answer; Kling knows tasks by the names that we gave; of the others' nothing tells. Every
tenth result (`--heavy`) is of five megabytes and comes at one megabyte a second, so that no life of the gateway is long
enough to copy it; every fiftieth job (`--rendered`) is made by the gateway's own renderer. Whatever looks into files or
renders for the gateway is killed too, several times a second: the first to the very end, if ever less often.

Two kinds of clients for each account create jobs and repeat a create whose answer they did not get with the same
Idempotency-Key; a receiver takes webhooks and is out of order now and then. Killing means SIGKILL. When the time is
over everything is left to end, both are stopped, and their stores are laid side by side.

`--shared` says that others may use Freepik's account too, so that its list of tasks settles nothing. Exits with 1
when a count is wrong.
"""

import argparse
import asyncio
import contextlib
import os
import random
import signal
import socket
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import msgspec
from aiohttp import web
from standardwebhooks import Webhook

from mutoscope.engines.studio import CHILD
from mutoscope.files.data_dir import Home
from mutoscope.model.job import Dispatch, Job, Sent, State
from mutoscope.model.problem import Kind
from mutoscope.store import DeliveryRecord, SqliteStore
from mutoscope.wirekit.paths import put
from mutoscope.wires import BY_NAME

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # of this play only
LIFE_SECONDS = (0.4, 1.6)  # of the gateway's process, from its being ready to its being killed
VENDOR_LIFE_SECONDS = (6.0, 14.0)
PATIENCE_SECONDS = 600.0  # for everything to end when the killing is over
CHILD_LIFE_SECONDS = (0.05, 0.4)  # between two kills of what works for the gateway
CLIENTS = 40

VENDOR = """
[models.gen4_image]
engine = "script"
[models."kling-v1-6"]
engine = "script"
[models."kling-3.0-turbo"]
engine = "script"
[models.t2v-01]
engine = "script"
[models.minimax-h3]
engine = "script"
[script]
slots = 32
[worker]
max_attempts = 1000  # the kills are the play's doing, not the jobs'
[server]
log_level = "error"
"""
GATEWAY = """
[net]
allow_private = true
[models."gemini_2.5_flash"]
engine = "studio"
{accounts}
[relay]
first_poll_seconds = 0.3
max_poll_seconds = 2.0
request_seconds = 20.0
breaker_seconds = 1.0
[worker]
max_attempts = 1000  # of what is rendered here, and of what is cut off before it is sent
[webhooks]
secret = "{secret}"
schedule = [0.2, 0.2, 0.5, 0.5, 1, 1, 2, 2, 5, 5, 5, 5, 5, 5]
[server]
log_level = "warning"
"""

ACCOUNT = """
[accounts.{back}]
wire = "{back}"
key = "of-the-play"
base_url = "{url}"
requests_per_second = 1000
exclusive = {exclusive}
"""
LISTED, NAMED = "freepik", "kling"  # how a lost answer is found out


class Front(NamedTuple):
    """How the clients of a wire ask for a picture."""

    wire: str
    path: str
    prompt: str  # the field's path
    body: Mapping[str, Any]
    id: Sequence[str]  # where the task's name is in the answer


PICTURES = (
    Front("freepik", "/v1/ai/text-to-image/runway", "prompt", {"ratio": "720:720"}, ("data", "task_id")),
    Front("runway", "/v1/text_to_image", "promptText", {"model": "gen4_image", "ratio": "720:720"}, ("id",)),
)
FRONTS = {
    "freepik": PICTURES,
    "runway": PICTURES,
    "kling": (
        Front("kling", "/v1/videos/text2video", "prompt", {"model_name": "kling-v1-6"}, ("data", "task_id")),
        Front("kling", "/text-to-video/kling-3.0-turbo", "prompt", {"settings": {"duration": 3}}, ("data", "id")),
    ),
    "minimax": (
        Front("minimax", "/v1/video_generation", "prompt", {"model": "T2V-01"}, ("task_id",)),
        Front(
            "minimax",
            "/v2/video_generation",
            "content[type=text].text",
            {"model": "MiniMax-H3", "ratio": "1:1", "duration": 4},
            ("task_id",),
        ),
    ),
}
"""By the vendor behind: pictures by Runway's model, or clips by the vendor's own, older and newer."""
OURS = Front("runway", "/v1/text_to_image", "promptText", {"model": "gemini_2.5_flash", "ratio": "1024:1024"}, ("id",))
"""What the gateway makes itself."""
HEADERS = {"x-runway-version": "2024-11-06", "authorization": "Bearer any"}


class Program:
    """`mutoscope serve`, to be killed and started again on the same data and port."""

    def __init__(self, folder: Path, config: str) -> None:
        folder.mkdir()
        self.folder, self.port, self.kills = folder, free_port(), 0
        self.process: asyncio.subprocess.Process | None = None
        (folder / "mutoscope.toml").write_text(config)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def data(self) -> Path:
        return self.folder / "data"

    async def start(self) -> None:
        words = ["--port", str(self.port), "--data", str(self.data), "--config", str(self.folder / "mutoscope.toml")]
        with (self.folder / "log").open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "mutoscope", "serve", *words, stdout=log, stderr=log
            )
        while not await listens(self.port):
            if self.process.returncode is not None:
                raise SystemExit((self.folder / "log").read_text())
            await asyncio.sleep(0.02)

    async def end(self, how: signal.Signals) -> None:
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(how)
            _ = await self.process.wait()

    async def live_and_die(
        self, life_seconds: tuple[float, float], until: float, chance: random.Random, least: int = 0
    ) -> None:
        """Be killed and started again until then, `least` times on the slowest machine, and be up in the end."""
        while (life := chance.uniform(*life_seconds)) + time.monotonic() < until or self.kills < least:
            await asyncio.sleep(life)
            await self.end(signal.SIGKILL)
            self.kills += 1
            await self.start()


RENDERS = CHILD.encode()


class Killer:
    """Ends what works for a program: whatever looks into files, and whatever renders."""

    def __init__(self, program: Program, chance: random.Random) -> None:
        self.program, self.chance = program, chance
        self.kills: Counter[str] = Counter()

    async def run(self, spared_from: float) -> None:
        """Until cancelled; from some time on what renders is left to end, and what looks into files lives ever longer:
        on a slow machine a look may take more than the longest life."""
        patience = 1.0
        while True:
            await asyncio.sleep(patience * self.chance.uniform(*CHILD_LIFE_SECONDS))
            process = self.program.process
            children = descendants(process.pid) if process is not None and process.returncode is None else []
            if is_late := time.monotonic() >= spared_from:
                children = [each for each in children if RENDERS not in each[1]]
            if children:
                child, words = self.chance.choice(children)
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child, signal.SIGKILL)
                    self.kills["renderer" if RENDERS in words else "prober"] += 1
                    patience *= 1.1 if is_late else 1.0


def descendants(process: int) -> list[tuple[int, bytes]]:
    """The children of a process and theirs, with the words they were started by."""
    found: list[tuple[int, bytes]] = []
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{process}/task").iterdir():
            for child in (task / "children").read_text().split():
                found.append((int(child), Path(f"/proc/{child}/cmdline").read_bytes()))
                found += descendants(int(child))
    return found


class Distance:
    """Stands before the vendor and lets every request and answer take its time: what is on its way is what is cut."""

    def __init__(self, port: int, seconds: float, rate: float) -> None:
        """`rate`: megabytes a second of one connection."""
        self.target, self.seconds, self.rate, self.port = port, seconds, rate * 1_000_000, free_port()
        self.carried = 0  # bytes, from the vendor
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        self._server = await asyncio.start_server(self.meet, "127.0.0.1", self.port)

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()

    async def meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        _ = await asyncio.gather(self.carry(reader, far_writer), self.carry(far_reader, writer, back=True))

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, back: bool = False) -> None:
        """What was sent before its sender was killed arrives all the same."""
        with contextlib.suppress(OSError):
            await asyncio.sleep(self.seconds)
            while piece := await reader.read(1 << 16):
                await asyncio.sleep(max(self.seconds if len(piece) < 1 << 15 else 0.0, len(piece) / self.rate))
                writer.write(piece)
                self.carried += len(piece) if back else 0
                await writer.drain()
        writer.close()


class Receiver:
    """Takes webhooks, verifies them with a library of somebody else's, and is out of order now and then."""

    def __init__(self, chance: random.Random) -> None:
        self.chance, self.url = chance, ""
        self.ids: dict[str, set[bytes]] = defaultdict(set)  # message → the bodies that it had
        self.asked = 0
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application()
        _ = app.router.add_post("/hook", self.take)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/hook"

    async def stop(self) -> None:
        if self._runner:
            await self._runner.cleanup()

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.asked += 1
        ill = self.chance.random()
        if ill < 0.1:
            return web.Response(status=503)
        headers = {name.lower(): value for name, value in request.headers.items()}
        Webhook(SECRET).verify(body, headers)
        self.ids[headers["webhook-id"]].add(body)
        if ill < 0.15:
            return web.Response(status=500)  # it has it, and says that it has not
        if ill < 0.17:
            await asyncio.sleep(1.0)
        return web.Response(status=204)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def listens(port: int) -> bool:
    with contextlib.suppress(OSError):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.close()
        return True
    return False


# -- the play ----------------------------------------------------------------------


class Clients:
    """Create jobs, each until it is accepted, spread over the time."""

    def __init__(self, session: aiohttp.ClientSession, url: str, hook: str, options: argparse.Namespace) -> None:
        self.session, self.url, self.hook, self.options = session, url, hook, options
        self.accepted: dict[str, int] = {}  # our id → the number of the job
        self.repeated = 0
        self.refused: list[str] = []

    async def create_all(self, jobs: int, seconds: float) -> None:
        room = asyncio.Semaphore(CLIENTS)

        async def one(number: int) -> None:
            await asyncio.sleep(seconds * number / jobs)
            async with room:
                await self.create(number)

        _ = await asyncio.gather(*(one(number) for number in range(jobs)))

    async def create(self, number: int) -> None:
        options = self.options
        fronts = [front for back in options.back for front in FRONTS[back]]
        front = OURS if is_rendered(number, options) else fronts[number % len(fronts)]
        body = deepcopy(dict(front.body))
        put(body, front.prompt, prompt_of(number, options))
        headers = {**HEADERS, "idempotency-key": f"chaos-{number}", "x-mutoscope-webhook": self.hook}
        pause = 0.1
        while True:
            try:
                async with self.session.post(self.url + front.path, json=body, headers=headers) as answer:
                    told = await answer.read()
                    if answer.status == 200:
                        public = msgspec.json.decode(told)
                        for step in front.id:
                            public = public[step]
                        self.accepted[BY_NAME[front.wire].job_id(public) or ""] = number
                        return
                    if answer.status < 500 and answer.status != 429:
                        self.refused.append(told.decode())
                        return
            except (aiohttp.ClientError, TimeoutError, OSError):
                pass  # whether it arrived is not known: the same key says that it is the same create
            self.repeated += 1
            await asyncio.sleep(pause := min(1.3 * pause, 1.0))


def is_rendered(number: int, options: argparse.Namespace) -> bool:
    return bool(options.rendered) and number % options.rendered == options.rendered - 1


def prompt_of(number: int, options: argparse.Namespace) -> str:
    weight = f"weigh {options.megabytes:g}; " if options.heavy and number % options.heavy == 0 else ""
    return f"sleep {0.1 + number % 10 / 10:.1f}; {weight}job {number}"


async def play(folder: Path, options: argparse.Namespace) -> bool:
    chance = random.Random(options.seed)
    receiver = Receiver(random.Random(options.seed))
    await receiver.start()
    vendor = Program(folder / "vendor", VENDOR)
    distance = Distance(vendor.port, options.distance, options.rate)
    await distance.start()
    alone = {back: str(back == LISTED and not options.shared).lower() for back in options.back}
    accounts = "".join(ACCOUNT.format(back=back, url=distance.url, exclusive=alone[back]) for back in options.back)
    config = GATEWAY.format(accounts=accounts, secret=SECRET)
    gateway = Program(folder / "gateway", config)
    killer = Killer(gateway, random.Random(options.seed))
    try:
        _ = await asyncio.gather(vendor.start(), gateway.start())
        timeout = aiohttp.ClientTimeout(total=30)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            clients = Clients(session, gateway.url, receiver.url, options)
            until = time.monotonic() + options.seconds
            killing = asyncio.create_task(killer.run(until))
            _ = await asyncio.gather(
                clients.create_all(options.jobs, options.seconds * 0.9),
                gateway.live_and_die(LIFE_SECONDS, until, chance, least=3),
                vendor.live_and_die(VENDOR_LIFE_SECONDS, until, chance),
            )
            calm = time.monotonic()
            left = await all_end(gateway, len(clients.accepted))
            took = time.monotonic() - calm
            killing.cancel()
        await asyncio.gather(gateway.end(signal.SIGTERM), vendor.end(signal.SIGTERM))
        print(
            f"{options.jobs} jobs, the vendor speaks {', '.join(options.back)}"
            f"{' and may be used by others' if options.shared else ''}; gateway killed {gateway.kills} times, "
            f"vendor {vendor.kills} times in {options.seconds:g} s, "
            f"what looks into files {killer.kills['prober']} times, "
            f"what renders {killer.kills['renderer']} times; {clients.repeated} creates repeated; "
            f"{distance.carried / 1e6:.0f} MB from the vendor; "
            f"{receiver.asked} webhook requests; all ended {took:.0f} s after the last kill\n"
        )
        if clients.refused:
            print(f"refused: {clients.refused[0]}")
        books = await read_books(gateway.data, vendor.data, clients.accepted)
        return show(count(books, options, left, receiver))
    finally:
        await asyncio.gather(gateway.end(signal.SIGKILL), vendor.end(signal.SIGKILL))
        await receiver.stop()
        await distance.stop()


async def all_end(gateway: Program, jobs: int) -> int:
    """Wait until every job is final and every webhook is sent; how many are not."""
    store = SqliteStore(Home(gateway.data).database)
    await store.open()
    left = jobs
    try:
        until = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < until:
            found = await store.recent(limit=2 * jobs)
            left = sum(not job.state.final for job in found)
            if not left and not await store.deliveries(pending_only=True, limit=1):
                break
            await asyncio.sleep(0.5)
        return left
    finally:
        await store.close()


# -- the books ----------------------------------------------------------------------


class Books(NamedTuple):
    """What both stores say in the end."""

    accepted: Mapping[str, int]  # by the clients
    jobs: Mapping[str, Job]  # of the gateway
    ledger: Mapping[str, tuple[Dispatch, ...]]
    deliveries: Mapping[str, tuple[DeliveryRecord, ...]]
    made: Mapping[str, Job]  # of the vendor, by the name that it gave us

    def submitted(self, job: Job) -> int:
        """How often the vendor got it: prompts are unique."""
        return sum(each.generation.prompt == job.generation.prompt for each in self.made.values())


async def read_books(gateway: Path, vendor: Path, accepted: Mapping[str, int]) -> Books:
    store = SqliteStore(Home(gateway).database)
    await store.open()
    jobs = {job.id: job for job in await store.recent(limit=100_000)}
    ledger = {id: tuple(await store.dispatches(id)) for id in jobs}
    deliveries = {id: tuple(await store.deliveries(job=id)) for id in jobs}
    await store.close()
    store = SqliteStore(Home(vendor).database)
    await store.open()
    made = {BY_NAME[job.wire].public_id(job.id): job for job in await store.recent(limit=100_000)}
    await store.close()
    return Books(accepted, jobs, ledger, deliveries, made)


class Line(NamedTuple):
    what: str
    found: int
    wanted: int | None  # None: it is what it is


def count(books: Books, options: argparse.Namespace, left: int, receiver: Receiver) -> list[Line]:
    asked: int = options.jobs
    rendered = [job for job in books.jobs.values() if job.engine == "studio"]
    jobs = [job for job in books.jobs.values() if job.engine != "studio"]
    good = [job for job in jobs if job.state is State.SUCCEEDED]
    unknown = [job for job in jobs if job.failure and job.failure.kind is Kind.SUBMISSION_UNKNOWN]
    other = [job for job in jobs if job not in good and job not in unknown]
    for job in other[:5]:
        print(f"  {job.id} {job.state}: {job.failure}; {[each.sent.value for each in books.ledger[job.id]]}")
    times = Counter(job.generation.prompt for job in books.made.values())
    once = sum(times[job.generation.prompt] == 1 for job in good)
    arrived = sum(times[job.generation.prompt] == 1 for job in unknown)
    absent = sum(times[job.generation.prompt] == 0 for job in unknown)
    listed = sum(job.engine == LISTED for job in unknown)
    named = sum(job.engine == NAMED and times[job.generation.prompt] > 0 for job in unknown)
    known = {job.generation.prompt for job in jobs}
    heavy = [job for job in good if "weigh" in (job.generation.prompt or "")]
    ledger = [each for lines in books.ledger.values() for each in lines]
    handed = [each for each in ledger if each.sent is Sent.ACCEPTED]
    mixed = [each for each in handed if not is_same(books, each)]
    records = [each for owed in books.deliveries.values() for each in owed]
    owed = sum(1 + (job.started is not None) for job in books.jobs.values())
    return [
        Line("creates accepted", len(books.accepted), asked),
        Line("jobs in the gateway's store", len(books.jobs), asked),
        Line("jobs that are not final", left, 0),
        Line("jobs rendered here", len(rendered), None),
        Line("… that succeeded, with one output", sum(len(job.outputs) == 1 for job in rendered), len(rendered)),
        Line("jobs succeeded", len(good), None),
        Line("… submitted to the vendor exactly once", once, len(good)),
        Line("… with one output", sum(len(job.outputs) == 1 for job in good), len(good)),
        Line("… whose output has the vendor's bytes", sum(has_its_bytes(books, job) for job in good), len(good)),
        Line("… of them large and slow", len(heavy), None),
        Line("jobs reported as submission_unknown", len(unknown), None),
        Line("… though the vendor's list tells", listed, None if options.shared else 0),
        Line("… though the vendor has it by our name", named, 0),
        Line("… that the vendor got once", arrived, None),
        Line("… that the vendor did not get", absent, len(unknown) - arrived),
        Line("jobs that ended otherwise", len(other), 0),
        Line("tasks at the vendor", sum(times.values()), len(good) + arrived),
        Line("… of no job of ours", sum(prompt not in known for prompt in times.elements()), 0),
        Line("ledger: accepted", len(handed), len(good)),
        Line("… that name a task of another job, or none", len(mixed), 0),
        Line("ledger: unknown", sum(each.sent is Sent.UNKNOWN for each in ledger), len(unknown)),
        Line(
            "ledger: sent again after certainly not submitted", sum(each.sent is Sent.UNSENT for each in ledger), None
        ),
        Line("ledger: still open", sum(each.sent is Sent.INTENDED for each in ledger), 0),
        Line("webhooks owed", len(records), owed),
        Line("… told as delivered", sum(each.delivered is not None for each in records), owed),
        Line("… that the receiver got", sum(each.delivery.id in receiver.ids for each in records), owed),
        Line("… with one body at every try", sum(len(bodies) == 1 for bodies in receiver.ids.values()), owed),
        Line("… that the receiver got and nobody owed", len(receiver.ids.keys() - {e.delivery.id for e in records}), 0),
    ]


def is_same(books: Books, dispatch: Dispatch) -> bool:
    """Whether the vendor's task that a dispatch names is of the same job."""
    made = books.made.get(str(dispatch.handle.get("id")))
    return made is not None and made.generation.prompt == books.jobs[dispatch.job].generation.prompt


def has_its_bytes(books: Books, job: Job) -> bool:
    """Files are named by their digest."""
    handles = [each.handle for each in books.ledger[job.id] if each.sent is Sent.ACCEPTED]
    made = books.made.get(str(handles[0].get("id"))) if handles else None
    return made is not None and [each.asset for each in made.outputs] == [each.asset for each in job.outputs]


def show(lines: list[Line]) -> bool:
    print("| what | found | wanted | |")
    print("| --- | --- | --- | --- |")
    for line in lines:
        verdict = "" if line.wanted is None else "yes" if line.found == line.wanted else "**no**"
        print(f"| {line.what} | {line.found} | {'' if line.wanted is None else line.wanted} | {verdict} |")
    return all(line.wanted is None or line.found == line.wanted for line in lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    _ = parser.add_argument("--jobs", type=int, default=1000)
    _ = parser.add_argument("--seconds", type=float, default=60.0, help="how long there is killing")
    _ = parser.add_argument("--back", nargs="+", choices=tuple(FRONTS), default=["freepik"])
    _ = parser.add_argument("--shared", action="store_true", help="no account is ours alone")
    _ = parser.add_argument("--distance", type=float, default=0.03, help="seconds that each way to the vendor takes")
    _ = parser.add_argument("--heavy", type=int, default=10, help="every how manieth result is large; 0: none")
    _ = parser.add_argument("--megabytes", type=float, default=5.0, help="of a large result")
    _ = parser.add_argument(
        "--rate", type=float, default=1.0, help="megabytes a second of one connection to the vendor"
    )
    _ = parser.add_argument("--rendered", type=int, default=50, help="every how manieth job is made here; 0: none")
    _ = parser.add_argument("--seed", type=int, default=1, help="of the times of the kills")
    options = parser.parse_args()
    if {"freepik", "runway"} <= set(options.back):
        parser.error("--back: freepik and runway make the same pictures, so that one of them would make all")
    with tempfile.TemporaryDirectory() as folder:
        good = asyncio.run(play(Path(folder), options))
    sys.exit(not good)


if __name__ == "__main__":
    main()
