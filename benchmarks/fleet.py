"""A fleet on one PostgreSQL and one bucket: its processes killed one after the other, its database troubled, its
processes replaced under load. What is left of a thousand paid jobs?

    python benchmarks/fleet.py [--jobs 1000] [--seconds 60] [--servers 2] [--workers 3] [--scenarios 5] [--rolling 200]
                               [--without-lock]

The servers take requests only; the workers send jobs to a vendor (a second mutoscope, by an account that is ours alone,
30 ms away) and make every tenth themselves. Files go to moto's S3. For `--seconds` one process of the fleet is killed
with SIGKILL, and the next one as soon as that is ready again; then all has five minutes to end. Clients repeat a create
whose answer they did not get, with the same Idempotency-Key, at another server.

Before that eight keys ask for three times what their limits allow, a day's share or a budget, at all servers at one
moment: exactly that much may be taken.

Then the five scenarios, each with fifty jobs: the database stops as in a crash and comes back; all its connections are
cut; it has no connection left for anybody; all workers are killed at once; one process is killed again and again. Then
the rolling restart: every process is asked to end and replaced, while a balancer that asks /readyz sends requests.

Lost: accepted and not there, or never ended. Doubled: submitted to the vendor more than once. Missing: a webhook that
is owed and did not arrive. The ledger is reconciled when charges and balances are the sum of the jobs' costs, and
nothing is set aside any more. `--without-lock` takes the lock out of the database's transactions: then this must fail.
Exits with 1 when a count is wrong. PostgreSQL has to be installed.
"""

import argparse
import asyncio
import contextlib
import hashlib
import itertools
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import msgspec
import psycopg

from chaos import SECRET, VENDOR, Distance, Program, Receiver, free_port
from mutoscope.files.data_dir import Home
from mutoscope.model.job import Job, Sent, State
from mutoscope.model.problem import Kind
from mutoscope.store import SqliteStore
from mutoscope.store.postgres import PostgresStore
from mutoscope.wires import BY_NAME

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))  # a PostgreSQL and an S3 are started as the tests do it

from postgres_server import Server, programs  # pyright: ignore[reportMissingImports]
from s3 import OPTIONS, served  # pyright: ignore[reportMissingImports]

KEY = "a-key-of-the-play-of-a-fleet"
PRICE = 5.0  # credits a picture
SETTLING_SECONDS = 300.0
PART = 50  # jobs of a scenario
CLIENTS = 24
READY_SECONDS = 120.0

CONFIG = """
[store]
url = "{database}"
[files]
store = "{bucket}"
endpoint = "{s3}"
link_secret = "{secret}"
options = {{ {options} }}
[net]
allow_private = true
[models.gen4_image]
price = {{image = {price}}}
[models."gemini_2.5_flash"]
engine = "script"
price = {{image = {price}}}
[accounts.freepik]
wire = "freepik"
key = "of-the-play"
base_url = "{vendor}"
requests_per_second = 1000
exclusive = true
[relay]
first_poll_seconds = 0.3
max_poll_seconds = 2.0
request_seconds = 20.0
breaker_seconds = 1.0
[worker]
lease_seconds = 6.0
max_attempts = 1000  # the kills are the play's doing, not the jobs'
[webhooks]
secret = "{secret}"
schedule = [0.2, 0.2, 0.5, 0.5, 1, 1, 2, 2, 5, 5, 5, 5, 5, 5]
[server]
log_level = "warning"
leave_seconds = 1.0
[[keys]]
name = "player"
sha256 = "{digest}"
{limited}
"""
LIMITED = """
[[keys]]
name = "limited-{number}"
sha256 = "{digest}"
{limit}
"""
LIMITS = ("max_daily = 10", f"budget = {10 * PRICE}")  # ten jobs, either way
FLOODED, ASKED, ALLOWED = 8, 30, 10  # keys, creates for each of them at one moment, and how many may be taken


class Process:
    """One of the fleet, to be ended and begun again."""

    def __init__(self, folder: Path, kind: str, number: int, program: Sequence[str]) -> None:
        self.name, self.kind, self.program = f"{kind} {number}", kind, program
        self.port = free_port()
        self.data, self.log, self.config = folder / f"{kind}-{number}", folder / f"{kind}-{number}.log", folder / "toml"
        self.process: asyncio.subprocess.Process | None = None
        self.kills = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        words = ["worker"] if self.kind == "worker" else ["serve", "--no-worker", "--port", str(self.port)]
        words += ["--data", str(self.data), "--config", str(self.config)]
        before = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, *self.program, *words, stdout=log, stderr=log
            )
        until = time.monotonic() + READY_SECONDS
        while not await self.is_ready(before):
            if self.process.returncode is not None or time.monotonic() > until:
                raise SystemExit(f"{self.name} does not start:\n{self.log.read_text()[-3000:]}")
            await asyncio.sleep(0.05)

    async def is_ready(self, before: int = 0) -> bool:
        if self.kind == "worker":
            return b" works as " in self.log.read_bytes()[before:]
        return await is_ready(self.port)

    async def end(self, how: signal.Signals) -> None:
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(how)
            _ = await self.process.wait()

    async def kill(self) -> None:
        await self.end(signal.SIGKILL)
        self.kills += 1

    async def revive(self) -> None:
        await self.kill()
        await self.start()


async def is_ready(port: int) -> bool:
    """What /readyz says: the door is open before there is anybody to answer."""
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(2.0):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                writer.write(f"GET /readyz HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nconnection: close\r\n\r\n".encode())
                return b" 200 " in await reader.readline()
            finally:
                writer.close()
    return False


def key_of(number: int) -> str:
    return f"{KEY}-{number}"


def limited_keys() -> str:
    digests = [hashlib.sha256(key_of(number).encode()).hexdigest() for number in range(FLOODED)]
    numbered = enumerate(digests)
    return "".join(LIMITED.format(number=n, digest=each, limit=LIMITS[n % len(LIMITS)]) for n, each in numbered)


class Ground(NamedTuple):
    """What a play goes on: begun once."""

    database: Any  # a Server of the tests
    url: str
    vendor: Program
    distance: Distance
    receiver: Receiver
    servers: list[Process]
    workers: list[Process]

    @property
    def fleet(self) -> list[Process]:
        return [*self.servers, *self.workers]


class Clients:
    """Create jobs, each until it is accepted, at whichever server is believed to be up."""

    def __init__(self, session: aiohttp.ClientSession, ground: Ground) -> None:
        self.session, self.ground = session, ground
        self.accepted: dict[str, str] = {}  # our id → the prompt
        self.answers: Counter[str] = Counter()
        self.ready: list[Process] = list(ground.servers)
        self._turn = itertools.count()
        self._numbers = itertools.count()

    async def create_all(self, jobs: int, seconds: float) -> None:
        room = asyncio.Semaphore(CLIENTS)

        async def one(number: int) -> None:
            await asyncio.sleep(seconds * number / jobs)
            async with room:
                await self.create(next(self._numbers))

        _ = await asyncio.gather(*(one(number) for number in range(jobs)))

    async def create(self, number: int) -> None:
        prompt = f"sleep {0.05 + number % 10 / 20:.2f}; job {number}"
        body: dict[str, Any] = {"promptText": prompt, "ratio": "720:720", "model": "gen4_image"}
        if number % 10 == 9:
            body |= {"model": "gemini_2.5_flash", "ratio": "1024:1024"}
        headers = {
            "authorization": f"Bearer {KEY}",
            "x-runway-version": "2024-11-06",
            "idempotency-key": f"fleet-{number}",
            "x-mutoscope-webhook": self.ground.receiver.url,
        }
        pause = 0.1
        while True:
            at = self.ready[next(self._turn) % len(self.ready)]
            try:
                async with self.session.post(f"{at.url}/v1/text_to_image", json=body, headers=headers) as answer:
                    told = await answer.read()
                    self.answers[f"{answer.status // 100}xx"] += 1
                    if answer.status == 200:
                        id = BY_NAME["runway"].job_id(msgspec.json.decode(told)["id"])
                        self.accepted[id or ""] = prompt
                        return
                    if answer.status < 500 and answer.status != 429:
                        raise SystemExit(f"refused: {told.decode()}")
            except (aiohttp.ClientError, TimeoutError, OSError):
                self.answers["none"] += 1  # whether it arrived is not known: the key says that it is the same create
            await asyncio.sleep(pause := min(1.3 * pause, 1.0))

    async def flood(self, key: int) -> int:
        """Ask for more than a key may have, all at once and everywhere; how many too many, or too few, were taken."""

        async def ask(number: int) -> bool:
            at = self.ground.servers[number % len(self.ground.servers)]
            prompt = f"sleep 0.05; flood {key} {number}"
            body = {"promptText": prompt, "ratio": "1024:1024", "model": "gemini_2.5_flash"}
            headers = {"authorization": f"Bearer {key_of(key)}", "x-runway-version": "2024-11-06"}
            headers["x-mutoscope-webhook"] = self.ground.receiver.url
            headers["idempotency-key"] = f"flood-{number}"
            while True:
                async with self.session.post(f"{at.url}/v1/text_to_image", json=body, headers=headers) as answer:
                    self.answers[f"{answer.status // 100}xx"] += 1
                    if answer.status == 200:
                        id = BY_NAME["runway"].job_id(msgspec.json.decode(await answer.read())["id"])
                        self.accepted[id or ""] = prompt
                    if answer.status < 500:
                        return answer.status == 200

        return abs(sum(await asyncio.gather(*(ask(number) for number in range(ASKED)))) - ALLOWED)

    async def balance(self) -> None:
        """As a balancer does: ask who is ready, and leave the others alone. Until cancelled."""
        while True:
            found = [each for each in self.ground.servers if await self._is_ready(each)]
            self.ready = found or list(self.ground.servers)
            await asyncio.sleep(0.1)

    async def _is_ready(self, server: Process) -> bool:
        with contextlib.suppress(aiohttp.ClientError, TimeoutError, OSError):
            async with self.session.get(f"{server.url}/readyz") as answer:
                return answer.status == 200
        return False


# -- the books ----------------------------------------------------------------------


class Books(NamedTuple):
    """What is wrong, in counts, of the jobs that were accepted so far."""

    lost: int
    doubled: int
    missing: int  # webhooks
    unreconciled: int
    unknown: int  # jobs of which nothing tells whether the vendor got them
    failed: int
    faults: Sequence[str]

    @property
    def good(self) -> bool:
        return not (self.lost or self.doubled or self.missing or self.unreconciled or self.failed)


async def settled(ground: Ground) -> float:
    """Wait until every job is final and every webhook sent; how long that took."""
    began = time.monotonic()
    while time.monotonic() - began < SETTLING_SECONDS:
        with contextlib.suppress(Exception):  # the database may be away
            async with opened(ground.url) as store:
                counts = await store.count_by_state()
                left = sum(count for state, count in counts.items() if not state.final)
                if not left and not await store.deliveries(pending_only=True, limit=1):
                    break
        await asyncio.sleep(0.5)
    return time.monotonic() - began


@contextlib.asynccontextmanager
async def opened(url: str) -> AsyncGenerator[PostgresStore]:
    store = PostgresStore(url)
    await store.open()
    try:
        yield store
    finally:
        await store.close()


async def read_books(ground: Ground, accepted: Mapping[str, str]) -> Books:
    faults: list[str] = []
    async with opened(ground.url) as store:
        jobs = {job.id: job for job in await store.recent(limit=100_000)}
        dispatches = {id: await store.dispatches(id) for id in jobs}
        records = {id: await store.deliveries(job=id) for id in jobs}
        entries = {id: await store.entries(id) for id in jobs}
        names = ["player", *(f"limited-{number}" for number in range(FLOODED))]
        balances = {name: await store.balance(name, period="total", now=time.time()) for name in names}
    vendor = SqliteStore(Home(ground.vendor.data).database)
    await vendor.open()
    times = Counter(job.generation.prompt for job in await vendor.recent(limit=100_000))
    await vendor.close()

    lost = [id for id in accepted if id not in jobs or not jobs[id].state.final]
    by_prompt = Counter(job.generation.prompt for job in jobs.values())
    doubled = [prompt for prompt, count in (times + by_prompt - Counter(by_prompt.keys())).items() if count > 1]
    owed = {id: 1 + (job.started is not None) for id, job in jobs.items()}
    arrived = ground.receiver.ids
    missing = [
        id
        for id in jobs
        if len(records[id]) != owed[id] or any(each.delivery.id not in arrived for each in records[id])
    ]
    unknown = [job for job in jobs.values() if job.failure and job.failure.kind is Kind.SUBMISSION_UNKNOWN]
    failed = [job for job in jobs.values() if job.state is not State.SUCCEEDED and job not in unknown]
    unreconciled = [id for id, job in jobs.items() if not is_reconciled(job, entries[id])]
    unreconciled += [id for id in jobs if any(each.sent is Sent.INTENDED for each in dispatches[id])]
    for name, balance in balances.items():
        charged = sum(job.cost or 0.0 for job in jobs.values() if job.owner == name)
        if abs(balance.charged - charged) > 0.001 or abs(balance.reserved) > 0.001:
            set_aside = f"{balance.charged:g}, and {balance.reserved:g} set aside"
            unreconciled.append(f"balance of {name} {set_aside}; jobs cost {charged:g}")
    for what, found in (("lost", lost), ("doubled", doubled), ("webhooks", missing), ("ledger", unreconciled)):
        faults += [f"{what}: {each}" for each in found[:3]]
    faults += [f"failed: {job.id} {job.failure}" for job in failed[:3]]
    return Books(len(lost), len(doubled), len(missing), len(unreconciled), len(unknown), len(failed), faults)


def is_reconciled(job: Job, entries: Sequence[Any]) -> bool:
    """One reservation, one charge, and the job's own cost."""
    kinds = Counter(each.kind for each in entries)
    charges = [each.credits for each in entries if each.kind == "charge"]
    return kinds["reserve"] <= 1 and len(charges) == 1 and abs(charges[0] - (job.cost or 0.0)) < 0.001


# -- trouble ------------------------------------------------------------------------


async def killing(ground: Ground, seconds: float, chance: random.Random) -> None:
    """One after the other; the next as soon as the last is ready again."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        await chance.choice(ground.fleet).revive()


async def database_restarts(ground: Ground) -> None:
    await asyncio.to_thread(ground.database.stop)
    await asyncio.sleep(1.0)
    await asyncio.to_thread(ground.database.start)


async def connections_are_cut(ground: Ground) -> None:
    for _ in range(5):
        await asyncio.to_thread(cut_all, ground)
        await asyncio.sleep(0.3)


def cut_all(ground: Ground) -> None:
    sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'mutoscope'"
    ground.database.execute(sql, database="postgres")


async def no_connection_is_left(ground: Ground) -> None:
    with contextlib.ExitStack() as held:
        hog = f"{ground.url}?application_name=hog"

        def take_all() -> None:
            with contextlib.suppress(psycopg.OperationalError):
                while True:
                    _ = held.enter_context(psycopg.connect(hog))

        spare = held.enter_context(psycopg.connect(hog, autocommit=True))
        for _ in range(6):
            await asyncio.to_thread(take_all)
            sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'mutoscope'"
            await asyncio.to_thread(spare.execute, sql)
            await asyncio.sleep(0.5)


async def workers_crash(ground: Ground) -> None:
    await asyncio.gather(*(each.kill() for each in ground.workers))
    await asyncio.gather(*(each.start() for each in ground.workers))


async def one_is_killed_again_and_again(ground: Ground) -> None:
    for _ in range(4):
        await ground.workers[0].revive()


SCENARIOS: tuple[tuple[str, Callable[[Ground], Awaitable[None]]], ...] = (
    ("backend killed", connections_are_cut),
    ("database restart", database_restarts),
    ("pool exhausted", no_connection_is_left),
    ("worker crash", workers_crash),
    ("repeated kills", one_is_killed_again_and_again),
)


async def replaced(ground: Ground) -> None:
    """Each process is asked to end, and a new one takes its place: the first two of each kind, servers first."""
    for each in (*ground.servers[:2], *ground.workers[:2]):
        await each.end(signal.SIGTERM)
        await each.start()


# -- the play -----------------------------------------------------------------------


HEADS = (
    *("part", "jobs", "killed", "no answer", "5xx", "settled after", "over a limit", "lost", "doubled"),
    *("webhooks missing", "ledger", "unknown", "failed"),
)


@contextlib.contextmanager
def place() -> Generator[tuple[Any, str, str]]:
    """A database, and a bucket's endpoint and URL."""
    found = programs()
    if found is None:
        raise SystemExit("PostgreSQL is not installed: apt-get install postgresql")
    database = Server(found, fsync="on", max_connections="60")
    try:
        with served() as s3:
            yield database, s3.endpoint, s3.bucket()
    finally:
        database.remove()


@contextlib.asynccontextmanager
async def begun(folder: Path, options: argparse.Namespace) -> AsyncGenerator[Ground]:
    chance = random.Random(options.seed)
    with place() as (database, s3, bucket):
        url = database.fresh()
        receiver, vendor = Receiver(chance), Program(folder / "vendor", VENDOR)
        distance = Distance(vendor.port, 0.03, 50.0)
        await receiver.start()
        await distance.start()
        config = CONFIG.format(
            database=url,
            bucket=bucket,
            s3=s3,
            options=", ".join(f'{name} = "{value}"' for name, value in OPTIONS.items()),
            vendor=distance.url,
            secret=SECRET,
            price=PRICE,
            digest=hashlib.sha256(KEY.encode()).hexdigest(),
            limited=limited_keys(),
        )
        (folder / "toml").write_text(config)
        program = [str(Path(__file__).with_name("_unlocked.py"))] if options.without_lock else ["-m", "mutoscope"]
        servers = [Process(folder, "server", number, program) for number in range(options.servers)]
        workers = [Process(folder, "worker", number, program) for number in range(options.workers)]
        ground = Ground(database, url, vendor, distance, receiver, servers, workers)
        try:
            await asyncio.gather(vendor.start(), servers[0].start())  # which makes the tables
            await asyncio.gather(*(each.start() for each in ground.fleet[1:]))
            yield ground
        finally:
            await asyncio.gather(*(each.end(signal.SIGKILL) for each in ground.fleet), vendor.end(signal.SIGKILL))
            await receiver.stop()
            await distance.stop()


async def play(folder: Path, options: argparse.Namespace) -> bool:
    chance, good = random.Random(options.seed), True
    async with begun(folder, options) as ground, aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(30)) as session:
        clients = Clients(session, ground)
        print(f"| {' | '.join(HEADS)} | |")
        print("|---" * (len(HEADS) + 1) + "|")
        over = 0

        async def part(
            name: str, jobs: int, seconds: float, trouble: Awaitable[None], *, spotless: bool = False
        ) -> None:
            nonlocal good
            kills, before = sum(each.kills for each in ground.fleet), len(clients.accepted)
            answers = clients.answers.copy()
            _ = await asyncio.gather(clients.create_all(jobs, seconds), trouble)
            took = await settled(ground)
            books = await read_books(ground, clients.accepted)
            seen = clients.answers - answers
            passed = (
                books.good and not over and len(clients.accepted) - before == jobs and not (spotless and seen["5xx"])
            )
            good = good and passed
            cells = (
                name, jobs, sum(each.kills for each in ground.fleet) - kills, seen["none"], seen["5xx"],
                f"{took:.0f} s",
                over, books.lost, books.doubled, books.missing, books.unreconciled, books.unknown, books.failed,
                "yes" if passed else "**no**",
            )  # fmt: skip
            print("| " + " | ".join(map(str, cells)) + " |", flush=True)
            for fault in books.faults:
                print(f"  {fault}", flush=True)

        if options.flooded:
            for number in range(FLOODED):
                over += await clients.flood(number)
            await part("limits", 0, 0.0, asyncio.sleep(0))
        if options.seconds:
            await part(
                "any process killed", options.jobs, 0.9 * options.seconds, killing(ground, options.seconds, chance)
            )
        for name, trouble in SCENARIOS[: options.scenarios]:
            await part(name, PART if options.jobs >= PART else options.jobs, 2.0, trouble(ground))
        if options.rolling:
            balancing = asyncio.create_task(clients.balance())
            await part("rolling restart", options.rolling, 20.0, replaced(ground), spotless=True)
            balancing.cancel()
        for each in ground.fleet:
            if options.verbose:
                print(each.name, each.log.read_text()[-4000:])
    return good


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    _ = parser.add_argument("--jobs", type=int, default=1000)
    _ = parser.add_argument("--seconds", type=float, default=60.0, help="how long there is killing; 0: not at all")
    _ = parser.add_argument("--servers", type=int, default=2)
    _ = parser.add_argument("--workers", type=int, default=3)
    _ = parser.add_argument("--scenarios", type=int, default=len(SCENARIOS), help="how many of the five")
    _ = parser.add_argument("--no-limits", dest="flooded", action="store_false", help="leave out the limits")
    _ = parser.add_argument("--rolling", type=int, default=200, help="jobs during the rolling restart; 0: none")
    _ = parser.add_argument("--without-lock", action="store_true", help="take out the lock: this has to fail")
    _ = parser.add_argument("--seed", type=int, default=1, help="of which process is killed")
    _ = parser.add_argument("--verbose", action="store_true", help="show the logs in the end")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)  # noqa: PTH101 (PostgreSQL runs as somebody else)
        good = asyncio.run(play(Path(folder), options))
    sys.exit(not good)


if __name__ == "__main__":
    main()
