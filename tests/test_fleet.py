"""Several mutoscopes on one database and one bucket, each a whole one in this process."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Callable, Collection
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from local_settings import settings
from mutoscope.app import App
from mutoscope.background import members
from mutoscope.background.members import DELIVER, POLL, RECOVER, SUBMIT, SWEEP, Membership
from mutoscope.cli import doctor
from mutoscope.cli._check import Check, Verdict
from mutoscope.cli._failure import Stop
from mutoscope.cli.generate import in_private
from mutoscope.cli.serve import serve
from mutoscope.cli.worker import worker
from mutoscope.files.data_dir import Home, HomeBusy
from mutoscope.model.job import State
from mutoscope.model.problem import Kind, Problem
from mutoscope.service.keys import RateLimited, RateLimiter, TokenRateLimiter
from mutoscope.store.fleet import Duty, Fleet, Member, Muster
from mutoscope.web import news
from mutoscope.wirekit.ids import from_uuid4_form
from mutoscope.wires import BY_NAME
from postgres_server import server
from running import Running
from s3 import OPTIONS, S3

IMAGE = "/v1/ai/text-to-image/runway"
BODY = {"prompt": "a heron", "ratio": "720:720"}
SECRETS = {"files": {"link_secret": "a secret of several servers"}, "webhooks": {"secret": "whsec_" + "x" * 32}}
SCRIPTED = {"models": {"gen4_image": {"engine": "script"}}}
Begin = Callable[..., Any]


@pytest.fixture
def begin(tmp_path: Path) -> Begin:
    """`async with begin("name", works=False, limits={...}) as running`: a mutoscope with a directory of its own."""
    url = server().of(tmp_path)

    @asynccontextmanager
    async def run(
        name: str, *, serves: bool = True, works: bool = True, only: tuple[str, ...] = (), **sections: Any
    ) -> AsyncGenerator[Running]:
        told = settings(**{"store": {"url": url}, **SECRETS, **SCRIPTED, **sections})
        app = App(told, data=tmp_path / name, serves=serves, works=works, only=only)
        transport = httpx.ASGITransport(app.server)
        async with app.running(), httpx.AsyncClient(transport=transport, base_url="http://gateway.test") as client:
            yield Running(app, client)

    return run


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(members, "BEAT_SECONDS", 0.05)
    monkeypatch.setattr(members, "LEASE_SECONDS", 1.0)
    monkeypatch.setattr(members, "MARGIN_SECONDS", 0.2)


async def filed(running: Running, **headers: str) -> str:
    answer = await running.client.post(IMAGE, json=BODY, headers=headers)
    assert answer.status_code == 200, answer.text
    id = from_uuid4_form(answer.json()["data"]["task_id"])
    assert id
    return id


async def until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not true():
            await asyncio.sleep(0.02)


async def test_a_worker_makes_what_a_server_has_filed_and_the_bucket_has_it(begin: Begin, s3: S3) -> None:
    files = {**SECRETS["files"], "store": s3.bucket(), "endpoint": s3.endpoint, "options": OPTIONS}
    async with (
        begin("server", works=False, files=files) as front,
        begin("studio", serves=False, only=("studio",), files=files) as idle,
        begin("worker", serves=False, only=("script",), files=files) as back,
    ):
        job = await front.finished(await filed(front))
        assert job.state is State.SUCCEEDED
        assert not front.app.worker.runs and not idle.app.worker.runs and list(back.app.worker.engines) == ["script"]
        shown = await front.client.get(f"{IMAGE}/{BY_NAME['freepik'].public_id(job.id)}")
        [link] = shown.json()["data"]["generated"]
        file = await front.client.get(link)
        assert file.status_code == 200 and file.content.startswith(b"\x89PNG")
        assert (await front.client.get("/readyz")).status_code == 200  # others make what is filed here


async def test_the_console_shows_live_what_other_processes_do(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    """A job that one server files, a worker makes and another server's deliverer tells of."""
    monkeypatch.setattr(news, "LOOK_SECONDS", 0.1)
    net = {"net": {"allow_private": True}}
    heard: list[bytes] = []
    async with (
        begin("watched", works=False, **net) as watched,
        begin("front", works=False, **net) as front,
        begin("worker", serves=False, **net) as back,
    ):
        for each in (watched, front, back):
            monkeypatch.setattr(each.app.deliverer, "on_duty", partial(bool, each is front))

        async def listen(wanted: Callable[[bytes], bool]) -> None:
            async with asyncio.timeout(30):
                async for piece in watched.app.server.news.watch():
                    heard.append(piece)
                    if wanted(b"".join(heard)):
                        return

        ended = asyncio.create_task(listen(lambda told: b'"succeeded"' in told and b"event: delivery" in told))
        await until(lambda: watched.app.server.news._tried is not None)
        id = await filed(front, **{"x-mutoscope-webhook": "http://127.0.0.1:9/"})
        await ended
        told = b"".join(heard).decode()
        assert f'"id":"{id}"' in told and "http://127.0.0.1:9" in told
        assert b"event: reset" not in b"".join(heard)


async def test_each_duty_has_one_process_and_passes_to_another_when_that_one_leaves(begin: Begin) -> None:
    accounts = {"acme": {"wire": "freepik", "key": "k", "base_url": "http://127.0.0.1:9", "exclusive": True}}
    duties = (DELIVER, SWEEP, RECOVER, POLL + "acme", SUBMIT + "acme")

    def holders(duty: str, *all: Running) -> list[str]:
        return [each.app.membership.member.name for each in all if each.app.membership.holds(duty)]

    async with begin("one", accounts=accounts) as one:
        await until(lambda: all(holders(duty, one) for duty in duties))
        async with begin("two", accounts=accounts) as two, begin("three", works=False, accounts=accounts) as three:
            everybody = (one, two, three)
            await until(lambda: all(each.app.membership.servers == 3 for each in everybody))
            await until(lambda: all(len(holders(duty, *everybody)) == 1 for duty in duties))
            assert holders(SUBMIT + "acme", three) == []  # it makes no jobs
            assert one.app.relays["acme"].processes == 2 and one.app.rate_limiter.processes == 3
            shares = {each.app.relays["acme"].fetches_only for each in (one, two)}
            assert shares == {True, False}  # lost answers are found out by one process alone
        await until(lambda: all(holders(duty, one) for duty in duties) and one.app.rate_limiter.processes == 1)
        fleet = one.app.store.fleet
        assert fleet is not None and [each.name for each in (await fleet.muster()).members] == [
            one.app.membership.member.name
        ]


async def test_any_worker_copies_what_an_account_has_made_that_another_one_sends_by(
    begin: Begin, picture: bytes
) -> None:
    async def give(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: image/png\r\ncontent-length: %d\r\n\r\n" % len(picture) + picture
        )
        await writer.drain()
        writer.close()

    account = {"wire": "freepik", "key": "k", "base_url": "http://127.0.0.1:9", "exclusive": True}
    sections = {"accounts": {"acme": account}, "net": {"allow_private": True}, "models": {}}
    async with (
        begin("sender", **sections) as sender,
        begin("copier", **sections) as copier,
        await asyncio.start_server(give, "127.0.0.1", 0) as files,
    ):
        for each in (sender, copier):
            each.app.relays["acme"].on_duty = partial(bool, each is sender)
        sender.app.worker.hindered = lambda: True
        made, queued = await filed(sender), await filed(sender)
        store, now = sender.app.store, time.time()
        [job] = await store.claim(engine="acme", worker="w", lease_seconds=60, limit=1, now=now)
        assert job.id == made and await store.intend(made, "w", account="acme", reference="r", now=now)
        told = {"handle": {"id": "t"}, "status": "s", "due": now + 60, "deadline": now + 60, "now": now}
        assert await store.accept(made, number=1, **told)
        link = f"http://127.0.0.1:{files.sockets[0].getsockname()[1]}/a.png"
        assert await store.collect(made, facts={"links": [link]}, now=now)
        job = await sender.finished(made)
        assert job.state is State.SUCCEEDED and await copier.app.assets.read(job.outputs[0].asset) == picture
        left = await store.get(queued)
        assert left is not None and left.state is State.QUEUED and left.attempts == 0


async def test_recovery_spares_the_living_and_takes_up_what_the_dead_left(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with begin("one", worker={"lease_seconds": 600}) as one:
        answer = await one.client.post(IMAGE, json={**BODY, "prompt": "sleep 30"})
        id = from_uuid4_form(answer.json()["data"]["task_id"])
        await until(lambda: one.app.worker.runs)
        async with begin("two", worker={"lease_seconds": 600}) as two:
            job = await two.app.store.get(id)
            assert job is not None and job.state is State.RUNNING and not two.app.worker.runs
            # the first one goes without a word
            one.app._tasks[1].cancel()
            run = next(iter(one.app.worker.runs.values()))
            one.app.worker.stopping = True
            assert run.task is not None
            run.canceled = True
            run.task.cancel()
            two.app.membership.silent_seconds = 0.3
            await until(lambda: two.app.worker.runs)  # long before the lease would have ended
            assert two.app.membership.servers == 1
            assert await two.app.store.cancel(id, now=time.time()) is not None


async def test_who_has_another_clock_or_other_secrets_does_not_join(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with begin("one") as one:
        with pytest.raises(Problem, match=r"other secrets than .*link_secret") as refused:
            async with begin("two", webhooks={"secret": "whsec_" + "y" * 32}):
                pass
        assert refused.value.kind is Kind.CONFLICT
        fleet = one.app.store.fleet
        assert fleet is not None
        assert abs(await fleet.offset()) < 1.0
        monkeypatch.setattr(fleet, "_clock", lambda: time.time() - 7)
        one.app.membership._looked = -1e9
        await until(lambda: one.app.membership.trouble)
        one.app.readiness._until = 0.0
        told = (await one.client.get("/readyz")).json()["failing"]["clock"]
        assert told.startswith("The clock of this machine is 7.0 s behind the database's")
        await until(lambda: not one.app.membership.holds(SWEEP))
        id = await filed(one)  # taken, and made by others
        await asyncio.sleep(0.05)
        assert not one.app.worker.runs
        monkeypatch.setattr(fleet, "_clock", time.time)
        assert (await one.finished(id)).state is State.SUCCEEDED
        monkeypatch.setattr(Fleet, "offset", ahead)
        with pytest.raises(Problem, match=r"9\.0 s ahead of the database's; at most 5 s are borne"):
            async with begin("three"):
                pass


async def ahead(self: Fleet) -> float:
    return -9.0


async def test_limits_hold_over_all_processes(begin: Begin) -> None:
    limits = {"max_queued": 3, "requests_per_minute": 40}
    slow = {"models": {"gen4_image": {"engine": "script", "max_concurrent": 1}}}
    async with (
        begin("one", works=False, limits=limits, **slow) as one,
        begin("two", works=False, limits=limits, **slow) as two,
    ):
        await until(lambda: one.app.rate_limiter.processes == two.app.rate_limiter.processes == 2)
        # the same create, sent to both at once, is one job
        same = await asyncio.gather(*(filed(each, **{"idempotency-key": "k"}) for each in (one, two, one, two)))
        assert len(set(same)) == 1
        statuses = [(await (one, two)[turn % 2].client.post(IMAGE, json=BODY)).status_code for turn in range(6)]
        assert statuses.count(200) == 2 and statuses.count(429) == 4  # three may wait
        left = [0, 0]
        for turn in range(60):  # each gives half of the minute's share
            side = turn % 2
            answer = await (one, two)[side].client.get(f"{IMAGE}/{BY_NAME['freepik'].public_id(same[0])}")
            left[side] += answer.status_code == 200
        assert sum(left) <= 40 and min(left) >= 10


def test_shares_follow_the_number_of_processes() -> None:
    now = [0.0]
    limiter, tokens = RateLimiter(60, clock=lambda: now[0]), TokenRateLimiter(clock=lambda: now[0])
    limiter.spend("a")
    tokens.take("a", 600, 100)
    limiter.processes = tokens.processes = 3
    for _ in range(20):
        limiter.spend("a")
    with pytest.raises(RateLimited):
        limiter.spend("a")
    tokens.take("a", 600, 200)
    with pytest.raises(RateLimited):
        tokens.take("a", 600, 1)
    limiter.processes = tokens.processes = 1
    with pytest.raises(RateLimited):
        limiter.spend("a")  # what was spent is spent
    now[0] += 60
    for _ in range(60):
        limiter.spend("a")
    with pytest.raises(RateLimited):
        tokens.take("a", 600, 201)  # nobody has more for there being fewer of them
    now[0] += 60
    tokens.take("a", 600, 600)


async def test_what_an_account_may_hold_is_parted_among_the_workers(begin: Begin) -> None:
    account = {"wire": "runway", "key": "k", "base_url": "http://127.0.0.1:9", "max_in_flight": 5}
    async with begin("one", accounts={"acme": account}) as one:
        relay = one.app.relays["acme"]
        for upstream in range(7):
            relay.count(upstream)
            rooms: list[int] = []
            for place in range(3):
                relay.processes, relay.place = 3, place
                rooms.append(relay.slots)
            assert sum(rooms) == max(5 - upstream, 0) and max(rooms) - min(rooms) <= 1
        relay.count(0)
        relay.processes, relay.place = 2, 0
        relay.upstream += 3  # sent since they were counted
        assert relay.slots == 0


def test_a_data_directory_is_shared_by_those_who_share_a_database_and_by_nobody_else(tmp_path: Path) -> None:
    one, two, alone = Home(tmp_path, shared=True), Home(tmp_path, shared=True), Home(tmp_path)
    one.take()
    two.take()
    assert one.scratch != two.scratch and one.scratch.parent == two.scratch.parent == tmp_path / "tmp"
    assert one.link_secret() == two.link_secret()
    with pytest.raises(HomeBusy):
        alone.take()
    (two.scratch / "left").touch()
    for lock in two._locks:  # as a kill does
        os.close(lock)
    three = Home(tmp_path, shared=True)
    three.take()
    assert not two.scratch.exists() and one.scratch.exists()
    one.leave()
    three.leave()
    assert list((tmp_path / "tmp").iterdir()) == []
    alone.take()
    alone.leave()


def test_the_duties_of_one_member_are_spread_over_many() -> None:
    names = [Member(name=f"m{n}", engines=("x",)) for n in range(5)]
    duties = [f"{POLL}{n}" for n in range(100)]
    counts: list[int] = []
    for each in names:
        one = Membership(None, None, each, duties=duties)  # type: ignore[arg-type]
        one.alive = tuple(names)
        counts.append(sum(one._falls_to_us(duty) for duty in duties))
    assert sum(counts) == 100 and min(counts) > 8


class Heard:
    """A database in which who is heard of is what a test says."""

    def __init__(self) -> None:
        self.members: tuple[Member, ...] = ()
        self.recovered: list[list[str]] = []

    async def beat(self, member: Member, *, duties: Collection[str], lease_seconds: float) -> Muster:
        return Muster(
            members=self.members,
            duties=tuple(Duty(name=each, member=member.name, left=lease_seconds) for each in duties),
        )

    async def recover(self, *, now: float, dead: Collection[str] | None = None) -> int:
        self.recovered.append(list(dead or ()))
        return 0


async def test_who_was_silent_and_came_back_is_recovered_again_when_it_dies() -> None:
    heard, other = Heard(), Member(name="other")
    one = Membership(heard, heard, Member(name="one"))  # type: ignore[arg-type]
    for silent in (120.0, 120.0, 0.0, 120.0):
        heard.members = (one.member, replace(other, silent=silent))
        await one.beat()
        await one._recover()
    assert heard.recovered == [["other"], ["other"]]


async def test_the_doctor_reads_the_whole_fleet(begin: Begin) -> None:
    async with begin("one", works=False) as one, begin("two", serves=False, only=("script",)) as two:
        await until(lambda: one.app.membership.servers == 1 and len(two.app.membership.alive) == 2)
        await until(lambda: all(one.app.membership.holds(d) or two.app.membership.holds(d) for d in (DELIVER, SWEEP)))
        told = one.app.settings
        checks: dict[str, Check] = {}
        async with asyncio.timeout(20):  # on a busy machine a duty may be nobody's for a moment
            while "duties" not in checks or checks["duties"].verdict is not Verdict.GOOD:
                checks = {each.what: each for each in await asyncio.to_thread(lambda: list(doctor.fleet(told)))}
        names = [each.app.membership.member.name for each in (one, two)]
        assert all(name in checks["fleet"].found for name in names) and "1 servers" in checks["fleet"].found
        assert checks["workers"].verdict is Verdict.MISSING and "studio" in checks["workers"].found
        assert checks["leases"].verdict is Verdict.GOOD
        assert not {"clocks", "secrets", "versions", "gone"} & checks.keys()
    fine = Member(name="a", version="1", engines=("studio",), secrets="x")
    found = doctor.Fleet(
        alive=[fine, replace(fine, name="b", version="2", secrets="y", offset=-2.0)],
        gone=[replace(fine, name="c", host="far", silent=120.0)],
        duties={DELIVER: "a"},
        leases={"c": (3, 2)},
        offset=9.0,
    )
    checks = {each.what: each for each in doctor.fleet_checks(found, ["studio"])}
    assert checks["versions"].found == "1, 2" and checks["secrets"].verdict is Verdict.BROKEN
    assert checks["clocks"].verdict is Verdict.BROKEN and "this machine: -9.0 s" in checks["clocks"].found
    assert checks["duties"].found == "nobody has: sweep, recover" and "2 have ended" in checks["leases"].found
    assert "c on far, 2 min ago" in checks["gone"].found


def test_with_sqlite_one_process_does_everything(tmp_path: Path) -> None:
    for command in (partial(serve, no_worker=True), partial(serve, processes=2), worker):
        with pytest.raises(Stop, match=r"\[store\] url = \"postgresql://"):
            command(data=tmp_path)
    with pytest.raises(Stop, match="1 or more"):
        serve(processes=0, data=tmp_path)


def test_a_command_that_makes_one_job_for_itself_joins_no_fleet() -> None:
    given = settings(store={"url": "postgresql://nobody@127.0.0.1:9/none"}, files={"store": "s3://films"})
    private = in_private(given)
    assert (private.store.url, private.files.store) == ("", "")


TENDED = """
import os, signal, sys, time
from mutoscope.cli import serve
serve.PAUSE_SECONDS = 0.01
def run(number):
    print(number, os.getpid(), flush=True)
    time.sleep(60)
    return 0
sys.exit(serve.tended(2, run))
"""


def test_of_several_processes_one_that_dies_is_replaced_and_all_end_together() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", TENDED], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    out = process.stdout

    def told() -> tuple[str, int]:
        number, child = out.readline().split()
        return number, int(child)

    first, second = told(), told()
    assert {first[0], second[0]} == {"0", "1"}
    os.kill(first[1], signal.SIGKILL)
    again = told()
    assert again[0] == first[0] and again[1] != first[1]
    process.send_signal(signal.SIGTERM)
    _, complaint = process.communicate(timeout=60)
    assert process.returncode == 0 and "another takes its place" in complaint
    for child in (second[1], again[1]):
        with pytest.raises(ProcessLookupError):
            os.kill(child, 0)
