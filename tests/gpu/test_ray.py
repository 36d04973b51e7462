"""Actors of a Ray cluster that this test starts on this machine, with a tiny pipeline. Run by `make ray-test`."""

import asyncio
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import msgspec
import pytest
import pytest_asyncio
from PIL import Image

from mutoscope.engines.diffusers import Diffusers
from mutoscope.engines.engine import CutOff, NotSubmitted
from mutoscope.model.config import EngineSettings
from mutoscope.model.job import Generation, Json, Operation, Output, State

PYTHON = os.environ.get("GPU_PYTHON", "")
if not PYTHON:
    pytest.skip("GPU_PYTHON names no Python with torch, diffusers and ray", allow_module_level=True)
RAY = Path(PYTHON).with_name("ray")
if not RAY.exists():
    pytest.skip("the environment of GPU_PYTHON has no ray: `make ray-test` installs it", allow_module_level=True)
pytestmark = [pytest.mark.timeout(300), pytest.mark.asyncio(loop_scope="module")]

PORT = 6399
ADDRESS = f"127.0.0.1:{PORT}"


class Bench:
    def __init__(self, scratch: Path, **wish: Any) -> None:
        self.job_id, self.scratch, self.inputs = "job", scratch, ()
        usual = {"operation": Operation.TEXT_TO_IMAGE, "model": "m", "prompt": "a red fox", "width": 100, "height": 60,
                 "seed": 7, "extra": {"steps": 3}}  # fmt: skip
        self.generation = Generation(**(usual | wish))
        self.checkpointed: Json = {}
        self.canceled = False
        self.shares: list[float] = []
        self.notes: list[str] = []
        self.pictures: list[bytes] = []

    def progress(self, share: float) -> None:
        self.shares.append(share)

    def show(self, picture: bytes) -> None:
        self.pictures.append(picture)

    def note(self, text: str) -> None:
        self.notes.append(text)

    async def checkpoint(self, **facts: object) -> None: ...

    def say(self, text: str) -> Output:
        raise NotImplementedError

    async def keep(self, source: Path | bytes, *, media_type: str, made: object = True, **facts: Any) -> Output:
        return Output(id="o", media_type=media_type, asset=str(source), **facts)


class Cluster:
    """One head on this machine, whose resources are two processors."""

    def __init__(self) -> None:
        self.folder = tempfile.mkdtemp(prefix="ray")  # short: Ray's sockets have it in their names

    def command(self, *arguments: str, inside: str = "") -> subprocess.CompletedProcess[str]:
        """`inside`: a network namespace."""
        environment = {
            "PATH": f"{RAY.parent}:{os.environ['PATH']}",
            "HOME": self.folder,
            "RAY_USAGE_STATS_ENABLED": "0",
        }
        there = ("ip", "netns", "exec", inside) if inside else ()
        return subprocess.run([*there, RAY, *arguments], capture_output=True, text=True, env=environment)

    def start(self, address: str = "127.0.0.1", inside: str = "") -> None:
        done = self.command(
            *("start", "--head", f"--port={PORT}", f"--node-ip-address={address}", "--num-cpus=2"),
            *("--include-dashboard=false", "--disable-usage-stats", f"--temp-dir={self.folder}"),
            inside=inside,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def join(self, head: str, address: str, inside: str) -> None:
        """Another node, of a resource that the head has not."""
        done = self.command(
            *("start", f"--address={head}:{PORT}", f"--node-ip-address={address}", "--num-cpus=2"),
            *("--disable-usage-stats", '--resources={"far": 1}'),
            inside=inside,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def processes(self, part: str) -> list[int]:
        """Those of this cluster whose command has these words."""
        found: list[int] = []
        for each in Path("/proc").iterdir():
            try:
                line = (each / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                surroundings = (each / "environ").read_bytes().decode(errors="replace") if each.name.isdigit() else ""
            except OSError:
                continue
            if part in line and (self.folder in line or self.folder in surroundings):
                found.append(int(each.name))
        return found

    def stop(self) -> None:
        """End the processes of this cluster, and no others: `ray stop` would end every cluster of this machine."""
        for process in self.processes(""):
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                continue


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    made = Cluster()
    made.start()
    yield made
    made.stop()
    shutil.rmtree(made.folder, ignore_errors=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("tiny")
    done = subprocess.run(
        [PYTHON, Path(__file__).with_name("tiny.py"), root, "sdxl"], capture_output=True, text=True,
        env={"HF_HUB_OFFLINE": "1", "PATH": os.environ["PATH"], "HOME": str(root)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    return root / "sdxl"


def told(folder: Path, **more: Any) -> Json:
    usual = {"kind": "ray", "model": str(folder), "python": PYTHON, "dtype": "float32", "threads": 1,
             "address": ADDRESS, "resources": {"CPU": 1.0}, "load_seconds": 120.0, "preview_seconds": 1e-9}  # fmt: skip
    return usual | more


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def engine(cluster: Cluster, folder: Path) -> AsyncIterator[Callable[..., Diffusers]]:
    made: list[Diffusers] = []

    def get(**more: Any) -> Diffusers:
        if not made or more:
            made.append(Diffusers("farm", msgspec.convert(told(folder, **more), EngineSettings)))
        return made[-1] if more else made[0]

    yield get
    for each in made:
        await each.close()


async def made(engine: Diffusers, run: Bench) -> bytes:
    outcome = await engine.generate(run)
    assert isinstance(outcome, tuple), outcome
    with Image.open(outcome[0].asset) as image:
        assert image.size == (100, 60)
        return image.tobytes()


async def test_an_actor_makes_it_and_can_be_told_to_stop(engine: Callable[..., Diffusers], tmp_path: Path) -> None:
    farm = engine()
    run = Bench(tmp_path)
    one = await made(farm, run)
    assert "farm: made at 104x64 and cut to 100x60" in run.notes
    child = farm.seats[0].child
    long = Bench(tmp_path, width=512, height=512, extra={"steps": 200})
    task = asyncio.create_task(farm.generate(long))
    while not any(long.shares):
        await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert long.pictures[0].startswith(b"\xff\xd8"), "what the first step had come to, as a JPEG"
    assert one == await made(farm, Bench(tmp_path)), "the same seed, the same pixels"
    assert farm.seats[0].child is child, "by the same actor"


async def test_a_job_whose_actor_is_killed_is_taken_up_again(
    engine: Callable[..., Diffusers], cluster: Cluster, tmp_path: Path
) -> None:
    farm = engine()
    await made(farm, Bench(tmp_path))
    long = Bench(tmp_path, width=512, height=512, extra={"steps": 200})
    task = asyncio.create_task(farm.generate(long))
    while not any(long.shares):
        await asyncio.sleep(0.05)
    [actor] = cluster.processes("ray::Actor")
    os.kill(actor, signal.SIGKILL)
    with pytest.raises(CutOff, match=r"ActorDiedError|ActorUnavailableError"):
        await task
    await made(farm, Bench(tmp_path))


async def test_a_cluster_without_room_or_out_of_reach_has_the_job_wait(
    engine: Callable[..., Diffusers], tmp_path: Path
) -> None:
    for more in (
        {"resources": {"GPU": 1.0}, "load_seconds": 12.0},
        {"address": "127.0.0.1:6398", "load_seconds": 12.0},
    ):
        outcome = await engine(**more).generate(Bench(tmp_path))
        assert isinstance(outcome, NotSubmitted) and outcome.retry_seconds, outcome
        assert "the cluster" in outcome.problem.message


async def test_a_job_outlives_the_head_of_the_cluster(
    start: Callable[..., AbstractAsyncContextManager[Any]], cluster: Cluster, folder: Path
) -> None:
    row = {"operations": ["text_to_image"], "engine": "farm"}
    async with start(engines={"farm": told(folder)}, models={"tiny": row}) as running:
        body = {"model": "tiny", "prompt": "a red fox", "size": "512x512"}
        asking = asyncio.create_task(running.client.post("/v1/images/generations", json=body, timeout=280))
        while not running.app.worker.runs or not next(iter(running.app.worker.runs.values()))._share:
            await asyncio.sleep(0.1)
        [run] = running.app.worker.runs.values()
        await asyncio.to_thread(cluster.stop)
        await asyncio.to_thread(cluster.start)
        job = await running.finished(run.job.id, 240)
        assert job.state is State.SUCCEEDED and job.attempts >= 2, job
        assert (await asking).status_code == 200


NEAR, FAR = "10.213.0.1", "10.213.0.2"
HERE, THERE = f"mt{os.getpid()}a", f"mt{os.getpid()}b"


@pytest.fixture
def two_networks() -> Iterator[None]:
    """Two network namespaces and a cable between them, which stand for two machines."""
    made = [
        *(("netns", "add", each) for each in (HERE, THERE)),
        ("link", "add", HERE, "netns", HERE, "type", "veth", "peer", "name", THERE, "netns", THERE),
        *(("-n", each, "addr", "add", f"{address}/24", "dev", each) for each, address in ((HERE, NEAR), (THERE, FAR))),
        *(("-n", each, "link", "set", device, "up") for each in (HERE, THERE) for device in ("lo", each)),
    ]
    try:
        for each in made:
            try:
                done = subprocess.run(["ip", *each], capture_output=True, text=True)
            except FileNotFoundError:
                pytest.skip("there is no `ip` to make network namespaces with")
            if done.returncode:
                pytest.skip(f"`ip {' '.join(each)}`, which needs root and network namespaces: {done.stderr.strip()}")
        yield
    finally:
        for each in (HERE, THERE):
            subprocess.run(["ip", "netns", "del", each], capture_output=True)


async def test_an_actor_on_another_machine_makes_it_and_its_death_is_noticed(
    two_networks: None, folder: Path, tmp_path: Path
) -> None:
    del two_networks
    apart = Cluster()
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nexec ip netns exec {HERE} {Path(PYTHON).absolute()} "$@"\n')
    python.chmod(0o755)
    more = {"python": str(python), "address": f"{NEAR}:{PORT}", "resources": {"CPU": 1.0, "far": 1.0}}
    farm = Diffusers("farm", msgspec.convert(told(folder, **more), EngineSettings))
    try:
        apart.start(NEAR, HERE)
        apart.join(NEAR, FAR, THERE)
        run = Bench(tmp_path)
        await made(farm, run)
        [actor] = apart.processes("ray::Actor")
        assert Path(f"/proc/{actor}/ns/net").stat().st_ino == Path(f"/run/netns/{THERE}").stat().st_ino
        long = Bench(tmp_path, width=512, height=512, extra={"steps": 200})
        task = asyncio.create_task(farm.generate(long))
        while not any(long.shares):
            await asyncio.sleep(0.05)
        os.kill(actor, signal.SIGKILL)
        with pytest.raises(CutOff, match=r"ActorDiedError|ActorUnavailableError"):
            await task
    finally:
        await farm.close()
        apart.stop()
        shutil.rmtree(apart.folder, ignore_errors=True)
