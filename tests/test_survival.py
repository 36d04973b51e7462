"""The process is killed at random moments of a hundred jobs in flight; nothing that was accepted is lost."""

import asyncio
import contextlib
import random
import signal
import socket
import sys
from collections import defaultdict
from pathlib import Path

import httpx
import msgspec
import pytest
from aiohttp import web
from standardwebhooks import Webhook

from mutoscope.files.data_dir import Home
from mutoscope.model.job import State
from mutoscope.store import SqliteStore

JOBS = 100
KILLS = 5
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
CONFIG = f"""
[net]
allow_private = true
[models.gen4_image]
engine = "script"
[script]
slots = 20
[worker]
max_attempts = 20  # this many kills are the test's doing, not the jobs'
[webhooks]
secret = "{SECRET}"
schedule = [0.2, 0.2, 0.5, 0.5, 1, 1, 2, 2, 5, 5]
"""
ROUTE = "/v1/ai/text-to-image/runway"


class Receiver:
    """Takes webhooks, verifies them with a library of somebody else's, and is out of order now and then."""

    def __init__(self) -> None:
        self.seen: dict[tuple[str, str], set[str]] = defaultdict(set)  # (task, status) → webhook ids
        self.bodies: dict[str, set[bytes]] = defaultdict(set)  # webhook id → bodies
        self.chance = random.Random(7)

    async def answer(self, request: web.Request) -> web.Response:
        body = await request.read()
        if self.chance.random() < 0.2:
            return web.Response(status=503)
        self.take({name.lower(): value for name, value in request.headers.items()}, body)
        return web.Response(status=204)

    def take(self, headers: dict[str, str], body: bytes) -> None:
        Webhook(SECRET).verify(body, headers)
        told = msgspec.json.decode(body)
        self.seen[(told["task_id"], told["status"])].add(headers["webhook-id"])
        self.bodies[headers["webhook-id"]].add(body)


class Process:
    """`mutoscope serve`, to be killed."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port = folder, port

    async def start(self) -> None:
        arguments = [
            "--port",
            str(self.port),
            "--data",
            str(self.folder / "data"),
            "--config",
            str(self.folder / "c.toml"),
        ]
        with (self.folder / "log").open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "mutoscope", "serve", *arguments, stdout=log, stderr=log
            )
        while True:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                writer.close()
                return
            assert self.process.returncode is None, (self.folder / "log").read_text()
            await asyncio.sleep(0.05)

    async def end(self, how: signal.Signals) -> int:
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(how)
        return await self.process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def submit(client: httpx.AsyncClient, number: int, hook: str) -> str | None:
    """One create; None when the server was dead before it answered."""
    body = {"prompt": f"sleep {0.1 + number % 10 / 10}", "ratio": "720:720", "seed": number, "webhook_url": hook}
    with contextlib.suppress(httpx.TransportError):
        answer = await client.post(ROUTE, json=body, headers={"x-freepik-api-key": "any"})
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]["task_id"]
    return None


@pytest.mark.timeout(180)
async def test_killed_again_and_again_every_accepted_job_ends_once_and_is_announced(tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text(CONFIG)
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/hook", receiver.answer)
    hooks = web.AppRunner(app, shutdown_timeout=0.1)
    await hooks.setup()
    await web.TCPSite(hooks, "127.0.0.1", 0).start()
    hook = f"http://127.0.0.1:{hooks.addresses[0][1]}/hook"
    process = Process(tmp_path, free_port())
    chance = random.Random(3)
    accepted: set[str] = set()

    await process.start()
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{process.port}", timeout=10) as client:
        for kill in range(KILLS):
            wanted = range(kill * JOBS // KILLS, (kill + 1) * JOBS // KILLS)
            made = asyncio.gather(*(submit(client, number, hook) for number in wanted))
            await asyncio.sleep(chance.uniform(0.02, 0.8))
            await process.end(signal.SIGKILL)
            accepted |= {id for id in await made if id}
            await process.start()
        while len(accepted) < JOBS:  # those whose create fell into a kill, so that there are a hundred
            accepted |= {id for id in [await submit(client, len(accepted), hook)] if id}
        await all_end(client, accepted)
    await told_all(receiver, accepted)
    assert await process.end(signal.SIGTERM) == 0
    await hooks.cleanup()
    await one_set_of_outputs(tmp_path / "data", accepted)


async def all_end(client: httpx.AsyncClient, ids: set[str]) -> None:
    left = set(ids)
    async with asyncio.timeout(90):
        while left:
            for id in list(left):
                task = (await client.get(f"{ROUTE}/{id}")).json()["data"]
                if task["status"] == "COMPLETED":
                    assert len(task["generated"]) == 1
                    left.discard(id)
                assert task["status"] != "FAILED", task
            await asyncio.sleep(0.2)


async def told_all(receiver: Receiver, ids: set[str]) -> None:
    """Every job was announced, and each of its messages has one id and one body however often it came."""
    owed = {(id, status) for id in ids for status in ("IN_PROGRESS", "COMPLETED")}
    async with asyncio.timeout(60):
        while not owed <= receiver.seen.keys():
            await asyncio.sleep(0.1)
    assert all(len(receiver.seen[each]) == 1 for each in owed)
    assert all(len(bodies) == 1 for bodies in receiver.bodies.values())


async def one_set_of_outputs(data: Path, ids: set[str]) -> None:
    store = SqliteStore(Home(data).database)
    await store.open()
    jobs = await store.recent(limit=10 * JOBS)
    owed = await store.deliveries(pending_only=True, limit=10)
    await store.close()
    assert {job.state for job in jobs} == {State.SUCCEEDED}
    assert {f"{job.id[:14]}4{job.id[15:]}" for job in jobs} >= ids
    assert all(len(job.outputs) == 1 for job in jobs)
    assert any(job.attempts > 1 for job in jobs), "no job was running at any kill: the test proves nothing"
    assert not owed
