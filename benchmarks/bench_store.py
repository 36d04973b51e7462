"""The store in SQLite and in PostgreSQL, side by side: creates, reads, and jobs from claim to end.

python benchmarks/bench_store.py --jobs 2000

SQLite with one process is the yardstick of its own run: rates on one machine say nothing of another, ratios do. The
last rows have a database behind a relay that delays each direction by a millisecond, as another building would. A
server is made for the purpose, with its own defaults but for a free port; fsync is on.

`--stored 1000000` compares, and nothing else, a PostgreSQL that has so many finished jobs with an empty one, and SQLite
likewise, in turn for `--rounds`: the medians of the ratios, by rate and by the CPU time of clients and database.

With `--peers FOLDER`, a virtual environment that has procrastinate and psycopg, its worker makes as many jobs on the
same server in the same round, as many at once as are claimed at once here; and where the environment has celery,
sqlalchemy and psycopg2 as well, Celery's does, with broker and results in that server, and in files.

`--without-lock` takes the lock out of the database's transactions: no finer lock could let them wait less.
"""

# pyright: reportPrivateUsage=false

import argparse
import asyncio
import importlib.util
import multiprocessing as mp
import os
import sqlite3
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import uuid_utils

from _common import table
from mutoscope.model.job import Generation, Job, Operation, State
from mutoscope.store import make_store
from mutoscope.store import postgres as store_in_postgres
from mutoscope.store.sql.store import SqlStore

ROOT = Path(__file__).parent.parent
OWNERS = 10
CALLERS = 64
STRIDE = 16  # jobs that are claimed at once
DURABLE = {"fsync": "on", "full_page_writes": "on", "autovacuum": "on", "shared_buffers": "128MB"}
UNLOCKED = "BENCH_UNLOCKED"
PARTS = ("creates", "reads", "claims")


class Place(NamedTuple):
    """A store as it is measured."""

    name: str
    url: str  # empty: SQLite
    processes: int = 1


class Result(NamedTuple):
    rate: float  # a second, all processes together
    cpu: float  # microseconds of the clients' for each


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    _ = parser.add_argument("--jobs", type=int, default=2000, help="for each measurement")
    _ = parser.add_argument("--processes", type=int, nargs="*", default=[1, 2, 4], help="at PostgreSQL")
    _ = parser.add_argument("--rounds", type=int, default=1)
    _ = parser.add_argument("--peers", type=Path, help="a virtual environment with procrastinate, celery")
    _ = parser.add_argument("--without-lock", action="store_true", help="what the lock costs; limits do not hold")
    _ = parser.add_argument("--stored", type=int, help="compare a store of so many jobs with an empty one")
    options = parser.parse_args()
    if options.without_lock:
        os.environ[UNLOCKED] = "1"
    with tempfile.TemporaryDirectory() as folder:
        server = postgres()
        try:
            if options.stored:
                beside_empty(server, Path(folder), options.jobs, options.stored, options.rounds)
            else:
                measure(server, Path(folder), options.jobs, options.processes, options.rounds, options.peers)
        finally:
            server.remove()


def measure(
    server: Any, folder: Path, jobs: int, processes: Sequence[int], rounds: int, peers: Path | None = None
) -> None:
    head = ("store", "processes", *(f"{part}/s" for part in PARTS), *(f"{part} ×" for part in PARTS), "CPU µs of each")
    for number in range(rounds):
        rows: list[tuple[object, ...]] = []
        first: list[Result] = []
        relay, port = delayed(server.port)
        far = server.url("{}").replace(f":{server.port}/", f":{port}/")
        places = [Place("SQLite", "")]
        places += [Place("PostgreSQL", server.url("{}"), count) for count in processes]
        places += [Place("PostgreSQL, 1 ms away", far, processes[-1] if processes else 1)]
        for place in places:
            url = place.url.format(fresh(server)) if place.url else ""
            found = run(place._replace(url=url), folder / f"{number}-{len(rows)}.db", jobs)
            first = first or found
            ratios = [one.rate / other.rate for one, other in zip(found, first, strict=True)]
            cpu = " · ".join(f"{each.cpu:.0f}" for each in found)
            rows.append((place.name, place.processes, *(round(each.rate) for each in found), *ratios, cpu))
        relay.terminate()
        table(f"Round {number + 1}: {jobs} jobs of {OWNERS} owners", head, *rows)
        if peers is not None:
            beside(peers, server, folder / f"{number}", jobs, first[-1], rows)
    one, many = asyncio.run(statements(make_store(server.url(fresh(server)), folder)))
    table("Statements sent to PostgreSQL for each job", ("", "create", "claim", "settle"), one, many)


def beside(
    peers: Path, server: Any, folder: Path, jobs: int, sqlite: Result, rows: Sequence[tuple[object, ...]]
) -> None:
    """From claim to end, by others and by each store."""
    url = server.url(fresh(server))
    place = {**os.environ, "PEER_FOLDER": str(folder / "celery")}
    durable = {"PEER_BROKER": f"sqla+{url}", "PEER_BACKEND": f"db+{url}"}
    files = {"PEER_BROKER": "filesystem://", "PEER_BACKEND": f"file://{folder}"}
    told = [("procrastinate", asked(peers, "procrastinate", (server.url(fresh(server)), jobs, STRIDE), place))]
    if (peers / "bin" / "celery").exists():
        told.append(("Celery, in PostgreSQL", asked(peers, "celery", (jobs, STRIDE), place | durable)))
        told.append(("Celery, in files (not durable)", asked(peers, "celery", (jobs, STRIDE), place | files)))
    first = told[0][1].rate
    claims = 2 + PARTS.index("claims")
    table(
        f"From claim to end; SQLite took {sqlite.cpu:.0f} µs of CPU for each",
        ("", "processes", "a second", "× procrastinate", "CPU µs of the worker"),
        *((name, 1, round(each.rate), each.rate / first, round(each.cpu)) for name, each in told),
        *((*row[:2], row[claims], float(str(row[claims])) / first, "") for row in rows),
    )


def asked(peers: Path, name: str, words: Sequence[object], environment: Mapping[str, str]) -> Result:
    jobs = int(str(words[-2]))
    script = Path(__file__).with_name(f"_peer_{name}.py")
    command = [str(peers / "bin" / "python"), str(script), *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False, env=environment)
    if done.returncode:
        raise SystemExit(f"{name} did not run:\n{done.stderr[-2000:]}")
    wall, cpu = map(float, done.stdout.split())
    return Result(jobs / wall, cpu / jobs * 1e6)


# Many jobs


def beside_empty(server: Any, folder: Path, jobs: int, count: int, rounds: int) -> None:
    for name in ("SQLite", "PostgreSQL"):
        is_there = name == "PostgreSQL"
        empty, full = ((server.url(fresh(server)) if is_there else "", folder / f"{each}.db") for each in range(2))
        began = time.perf_counter()
        asyncio.run(fill(*full, count))
        print(f"{name}: {count:,} jobs filed in {time.perf_counter() - began:.0f} s", flush=True)
        found: list[tuple[float, ...]] = []
        for number in range(rounds + 1):
            results: list[list[float]] = []
            for url, file in (empty, full) if number % 2 else (full, empty):
                used = cpu_of(server)
                parts = run(Place(name, url), file, jobs)
                database = (cpu_of(server) - used) / jobs * 1e6 if is_there else 0.0
                results.append([*(each.rate for each in parts), sum(each.cpu for each in parts) + database])
            small, large = results if number % 2 else results[::-1]
            ratios = [after / before for before, after in zip(small[:-1], large[:-1], strict=True)]
            if number:  # the first warms up
                found.append((*ratios, small[-1] / large[-1], small[-1], large[-1]))
        rows = [(f"round {number + 1}", *each) for number, each in enumerate(found)]
        rows.append(("median", *(statistics.median(column) for column in zip(*found, strict=True))))
        head = (*(f"{part} ×" for part in PARTS), "CPU ×", "CPU µs of all, empty", "full")
        table(f"{name} with {count:,} jobs, of the same when empty", ("", *head), *rows)


async def fill(url: str, file: Path, count: int) -> None:
    """Finished jobs of the last year, as copies of one."""
    store = make_store(url, file)
    await store.open()
    _ = await store.add(make_job("owner0"))
    [job] = await store.claim(engine="script", worker="w", lease_seconds=60, limit=1, now=time.time())
    _ = await store.settle(job.id, "w", state=State.SUCCEEDED, cost=1.0, now=time.time())
    await store.close()
    step = 365 * 86400 * 1000 // count
    first = int(time.time() * 1000) - count * step
    if url:
        with psycopg.connect(url, autocommit=True) as db:
            _ = db.execute("SET session_replication_role = replica")  # finished jobs are in no trigger's sums
            names = [str(name) for (name,) in db.execute(NAMES)]
            id = f"lpad(to_hex({first} + CAST(n AS BIGINT) * {step}), 12, '0')"
            id += " || '7' || substr(r, 1, 3) || 'a' || substr(r, 4, 15)"
            id = f"(SELECT CAST(CAST(h AS UUID) AS TEXT) FROM (SELECT {id}) AS made (h))"
            source = f"generate_series(0, {count - 1}) AS n, LATERAL (SELECT md5(CAST(n AS TEXT)) AS r) AS chance"
            _ = db.execute(copies(names, id, source).encode())
            _ = db.execute("VACUUM ANALYZE")
    else:
        with sqlite3.connect(file) as db:
            names = [str(row[1]) for row in db.execute("PRAGMA table_info(jobs)")]
            id = f"printf('%012x', {first} + n * {step}) || '7' || substr(r, 1, 3) || 'a' || substr(r, 4, 15)"
            id = "||'-'||".join(f"substr(h, {at}, {length})" for at, length in UUID) + f" FROM (SELECT {id} AS h)"
            numbers = f"WITH RECURSIVE c (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM c WHERE n < {count - 1})"
            source = f"({numbers} SELECT n, lower(hex(randomblob(9))) AS r FROM c)"
            _ = db.execute(copies(names, f"(SELECT {id})", source))
        db.close()


NAMES = "SELECT column_name FROM information_schema.columns WHERE table_name = 'jobs' AND is_generated = 'NEVER'"
UUID = ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))


def copies(names: Sequence[str], id: str, source: str) -> str:
    values = ", ".join(id if name == "id" else f"one.{name}" for name in names)
    return f"INSERT INTO jobs ({', '.join(names)}) SELECT {values} FROM (SELECT * FROM jobs LIMIT 1) AS one, {source}"


def cpu_of(server: Any) -> float:
    """Seconds of the database's processes that have ended: those of connections that were closed."""
    time.sleep(0.5)  # for the last of them to end
    words = Path(f"/proc/{server.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[13]) + int(words[14])) / os.sysconf("SC_CLK_TCK")


# The database


def postgres() -> Any:
    """The server that the tests have, with a disk that is waited for."""
    spec = importlib.util.spec_from_file_location("postgres_server", ROOT / "tests" / "postgres_server.py")
    if spec is None or spec.loader is None:
        raise FileNotFoundError("tests/postgres_server.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found = module.programs()
    if found is None:
        raise SystemExit("PostgreSQL is not installed: apt-get install postgresql")
    return module.Server(found, **DURABLE)


def fresh(server: Any) -> str:
    return str(server.fresh().rpartition("/")[2])


def delayed(port: int) -> tuple[SpawnProcess, int]:
    """A relay to a port of this machine, in a process of its own."""
    ours, theirs = mp.get_context("spawn").Pipe()
    process = mp.get_context("spawn").Process(target=relay, args=(port, theirs), daemon=True)
    process.start()
    return process, int(ours.recv())


def relay(port: int, told: Any) -> None:
    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        while data := await reader.read(65536):
            _ = loop.call_later(0.001, writer.write, data)
        _ = loop.call_later(0.002, writer.close)

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back, forth = await asyncio.open_connection("127.0.0.1", port)
        _ = await asyncio.gather(carry(reader, forth), carry(back, writer), return_exceptions=True)

    async def live() -> None:
        server = await asyncio.start_server(connect, "127.0.0.1", 0)
        told.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(live())


# Measuring


def run(place: Place, file: Path, jobs: int) -> list[Result]:
    """The processes do each part together; its time is that of the slowest."""
    context = mp.get_context("spawn")
    gate, results = context.Barrier(place.processes), context.Queue()
    share = jobs // place.processes
    asyncio.run(prepare(place.url, file))
    workers = [
        context.Process(target=work, args=(place.url, file, share, number, gate, results))
        for number in range(place.processes)
    ]
    for worker in workers:
        worker.start()
    told = [results.get(timeout=600) for _ in workers]
    for worker in workers:
        worker.join()
    found: list[Result] = []
    for part in range(len(PARTS)):
        done = sum(each[part][0] for each in told)
        wall, cpu = max(each[part][1] for each in told), sum(each[part][2] for each in told)
        found.append(Result(done / wall, cpu / done * 1e6))
    return found


async def prepare(url: str, file: Path) -> None:
    """Make the tables."""
    store = make_store(url, file)
    await store.open()
    await store.close()


def work(url: str, file: Path, jobs: int, number: int, gate: Any, results: Any) -> None:
    asyncio.run(do(url, file, jobs, f"w{number}", gate, results))


async def do(url: str, file: Path, jobs: int, name: str, gate: Any, results: Any) -> None:
    if os.environ.get(UNLOCKED):
        store_in_postgres.LOCK = "SELECT 1"
    store = make_store(url, file)
    await store.open()
    ids: list[str] = []

    async def create(count: int) -> int:
        ids.extend([(await store.add(make_job(f"owner{n % OWNERS}"))).id for n in range(count)])
        return count

    async def read(count: int) -> int:
        for n in range(count):
            _ = await store.get(ids[n * 7 % len(ids)])
            store._hot.clear()
        return count

    async def claim(_: int) -> int:
        done = 0
        while taken := await store.claim(engine="script", worker=name, lease_seconds=60, limit=STRIDE, now=time.time()):
            now = time.time()
            ends = (store.settle(job.id, name, state=State.SUCCEEDED, cost=1.0, now=now) for job in taken)
            done += sum(each is not None for each in await asyncio.gather(*ends))
        return done

    measured: list[tuple[int, float, float]] = []
    for part, callers in ((create, CALLERS), (read, CALLERS), (claim, 1)):
        await asyncio.to_thread(gate.wait)
        began, used = time.perf_counter(), time.process_time()
        done = sum(await asyncio.gather(*(part(jobs // callers) for _ in range(callers))))
        measured.append((done, time.perf_counter() - began, time.process_time() - used))
        await asyncio.to_thread(gate.wait)
    await store.close()
    results.put(measured)


async def statements(store: SqlStore) -> tuple[tuple[object, ...], tuple[object, ...]]:
    """For one alone and for 64 together, those that begin and end the transaction too."""
    await store.open()
    rows: list[tuple[object, ...]] = []
    for count in (1, 64):
        sent: list[float] = []

        async def noted(part: Callable[[], Any], count: int = count, sent: list[float] = sent) -> Any:
            before = store.statements
            found = await part()
            sent.append((store.statements - before) / count)
            return found

        async def create(count: int = count) -> None:
            _ = await asyncio.gather(*(store.add(make_job("alice")) for _ in range(count)))

        async def claim(count: int = count) -> list[Job]:
            return await store.claim(engine="script", worker="w", lease_seconds=60, limit=count, now=time.time())

        await noted(create)
        taken: list[Job] = await noted(claim)

        async def settle(taken: list[Job] = taken) -> None:
            ends = (store.settle(job.id, "w", state=State.SUCCEEDED, cost=1.0, now=time.time()) for job in taken)
            _ = await asyncio.gather(*ends)

        await noted(settle)
        rows.append(("alone" if count == 1 else f"{count} together", *sent))
    await store.close()
    return rows[0], rows[1]


def make_job(owner: str) -> Job:
    now = time.time()
    generation = Generation(operation=Operation.TEXT_TO_IMAGE, model="gen4_image", prompt="a lighthouse")
    return Job(
        id=str(uuid_utils.uuid7()),
        wire="runway",
        route="text_to_image",
        owner=owner,
        generation=generation,
        body=b'{"prompt": "a lighthouse"}',
        engine="script",
        created=now,
        updated=now,
    )


if __name__ == "__main__":
    main()
