"""What is particular to the store in SQLite: group commit, files, failures, query plans."""

import asyncio
import signal
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest
from store_samples import FAILURE, OUTPUT, T0, id_at, make_job, make_upload, pending_deliveries

import mutoscope.store.sql.jobs as transitions
from mutoscope.model.job import Failure, Job, Sent, State
from mutoscope.model.problem import Kind, Problem
from mutoscope.model.words import KeptAnswer
from mutoscope.store import (
    ExchangeRecord,
    Kept,
    KeyRecord,
    NewerDatabase,
    Outlay,
    Repeat,
    Settlement,
    Sieve,
    SpendingHold,
    SqliteStore,
)
from mutoscope.store.hot import HotJobs
from mutoscope.store.sql.migrations import migration_files


async def test_changes_that_wait_together_share_a_transaction(sqlite: SqliteStore) -> None:
    before = sqlite.commits
    jobs = await asyncio.gather(*(sqlite.add(make_job()) for _ in range(100)))
    assert sqlite.commits == before + 1
    _ = await asyncio.gather(*(sqlite.cancel(job.id, now=T0) for job in jobs), sqlite.add(make_job()))
    assert sqlite.commits == before + 2


async def test_news_that_say_nothing_new_are_not_written(sqlite: SqliteStore) -> None:
    job = await sqlite.add(make_job())
    _ = await sqlite.claim(engine="script", worker="w", lease_seconds=9, limit=1, now=T0)
    _ = await sqlite.intend(job.id, "w", account="vendor", reference="r", now=T0)
    _ = await sqlite.accept(job.id, number=1, handle={"id": "t"}, status="RUNNING", due=T0, deadline=T0, now=T0)
    assert await sqlite.observe(job.id, status="RUNNING", progress=0.5, now=T0)
    before = sqlite.commits
    for progress in (0.5, 0.5001, None):
        assert await sqlite.observe(job.id, status="RUNNING", progress=progress, now=T0)
    assert sqlite.commits == before


async def test_a_failed_call_in_a_transaction_leaves_the_others(sqlite: SqliteStore) -> None:
    jobs = await asyncio.gather(*(sqlite.add(make_job()) for _ in range(3)))
    claimed = await sqlite.claim(engine="script", worker="w", lease_seconds=9, limit=3, now=T0)
    before = sqlite.commits
    results = await asyncio.gather(
        sqlite.settle(jobs[0].id, "w", state=State.SUCCEEDED, outputs=(OUTPUT,), now=T0),
        sqlite.settle(
            jobs[1].id, "w", state=State.FAILED, now=T0, pending_delivery=pending_deliveries("failed")
        ),  # without a failure
        sqlite.settle(jobs[2].id, "w", state=State.FAILED, failure=FAILURE, now=T0),
        return_exceptions=True,
    )
    assert sqlite.commits == before + 1
    assert [type(result) for result in results] == [Job, sqlite3.IntegrityError, Job]
    assert await sqlite.get(jobs[1].id) == claimed[1]
    assert await sqlite.deliveries() == ()


async def test_nothing_is_shown_before_it_is_durable(sqlite: SqliteStore) -> None:
    job = make_job()
    adding = asyncio.ensure_future(sqlite.add(job))
    await asyncio.sleep(0)
    assert sqlite.hot(job.id) is None
    _ = await adding
    assert sqlite.hot(job.id) == job


async def test_a_commit_waits_for_the_disk(sqlite: SqliteStore) -> None:
    """Which no test that ends a process can see: the kernel keeps what was written."""
    full = (2,)
    assert await sqlite._write(lambda db, _: db.execute("PRAGMA synchronous").fetchone()) == full


# Killed


async def test_what_was_acknowledged_survives_a_kill(tmp_path: Path) -> None:
    path = tmp_path / "jobs.db"
    script = Path(__file__).with_name("endless_creates.py")
    process = await asyncio.create_subprocess_exec(sys.executable, script, path, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    printed = b"".join([await process.stdout.readline() for _ in range(500)])
    process.send_signal(signal.SIGKILL)
    printed += (await process.stdout.read()).rpartition(b"\n")[0]  # the last line may be half of one
    assert await process.wait() == -signal.SIGKILL
    acknowledged = printed.decode().split()
    assert len(acknowledged) >= 500
    store = SqliteStore(path)
    await store.open()
    missing = [id for id in acknowledged if await store.get(id) is None]
    await store.close()
    assert missing == []


# Schema


async def test_an_empty_file_gets_the_whole_schema(sqlite: SqliteStore, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "jobs.db")) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (len(migration_files()),)
        assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert (tmp_path / "jobs.db").stat().st_mode & 0o077 == 0


async def test_migrations_continue_where_the_last_version_ended(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "jobs.db")) as db:
        _ = db.executescript(migration_files()[0] + "PRAGMA user_version = 1;")
    store = SqliteStore(tmp_path / "jobs.db")
    await store.open()
    await store.add_uploads([make_upload()])
    await store.close()


async def test_a_migration_that_fails_leaves_no_half_of_it(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "jobs.db")) as db:
        _ = db.executescript("CREATE TABLE uploads (id)")  # the last file will stumble over it
    with pytest.raises(Problem):
        await SqliteStore(tmp_path / "jobs.db").open()
    with closing(sqlite3.connect(tmp_path / "jobs.db")) as db:
        assert db.execute("SELECT name FROM sqlite_schema").fetchall() == [("uploads",)]
        assert db.execute("PRAGMA user_version").fetchone() == (0,)


async def test_a_newer_database_is_refused(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "jobs.db")) as db:
        _ = db.execute("PRAGMA user_version = 999")
    with pytest.raises(NewerDatabase, match="999"):
        await SqliteStore(tmp_path / "jobs.db").open()


async def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    _ = (tmp_path / "jobs.db").write_text("Dear diary, " * 500)
    with pytest.raises(Problem, match="not a database") as refused:
        await SqliteStore(tmp_path / "jobs.db").open()
    assert refused.value.kind is Kind.UNAVAILABLE


# Failures


async def test_a_full_disk_is_told_to_all_that_wait_and_passes(sqlite: SqliteStore) -> None:
    first = await sqlite.add(make_job())
    await sqlite._write(lambda db, _: set_page_limit(db, 1))
    body = bytes(100_000)
    adds = [sqlite.add(make_job(body=body)) for _ in range(3)]
    cancel = sqlite.cancel(first.id, now=T0)
    *refused, canceled = await asyncio.gather(*adds, cancel, return_exceptions=True)
    for each in [*refused, canceled]:
        assert isinstance(each, Problem)
        assert each.kind is Kind.UNAVAILABLE
        assert "the disk is full" in each.message
    await sqlite._write(lambda db, _: set_page_limit(db, 1_000_000))
    assert await sqlite.get(first.id) == first
    _ = await sqlite.add(make_job(body=body))


async def test_a_full_disk_in_the_middle_of_a_change_is_told_as_such(sqlite: SqliteStore) -> None:
    job = await sqlite.add(make_job())
    [running] = await sqlite.claim(engine="script", worker="w", lease_seconds=9, limit=1, now=T0)
    await sqlite._write(lambda db, _: set_page_limit(db, 1))
    with pytest.raises(Problem, match="the disk is full"):
        _ = await sqlite.checkpoint(job.id, "w", {"much": "x" * 100_000})
    await sqlite._write(lambda db, _: set_page_limit(db, 1_000_000))
    assert await sqlite.get(job.id) == running


def set_page_limit(db: sqlite3.Connection, pages: int) -> None:
    _ = db.execute(f"PRAGMA max_page_count = {pages}").fetchall()  # never less than it has


async def test_another_process_that_holds_the_database_is_named(sqlite: SqliteStore, tmp_path: Path) -> None:
    job = await sqlite.add(make_job())
    with closing(sqlite3.connect(tmp_path / "jobs.db", isolation_level=None)) as other:
        _ = other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Problem, match="another process") as refused:
            _ = await sqlite.add(make_job())
        assert refused.value.kind is Kind.UNAVAILABLE
        assert await sqlite.get(job.id) == job  # readers do not wait
        _ = other.execute("ROLLBACK")
    _ = await sqlite.add(make_job())


async def test_a_file_that_is_gone_under_the_reader_is_a_problem(sqlite: SqliteStore, tmp_path: Path) -> None:
    _ = await sqlite.add(make_job())
    with closing(sqlite3.connect(tmp_path / "jobs.db")) as other:
        _ = other.execute("DROP TABLE uploads")
        with pytest.raises(Problem) as refused:
            _ = await sqlite.upload("any")
    assert refused.value.kind is Kind.UNAVAILABLE
    assert "uploads" not in refused.value.message


async def test_a_writer_that_dies_fails_everyone_now_and_later(sqlite: SqliteStore) -> None:
    def fatal(_: Job) -> None:
        raise SystemExit

    job = await sqlite.add(make_job())
    waiting = [
        sqlite.add(make_job()),
        sqlite.cancel(job.id, now=T0, pending_delivery=fatal),
        sqlite.add(make_job()),
    ]
    results = await asyncio.wait_for(asyncio.gather(*waiting, return_exceptions=True), timeout=5)
    with pytest.raises(Problem, match="stopped") as later:
        _ = await sqlite.add(make_job())
    for each in [*results, later.value]:
        assert isinstance(each, Problem)
        assert each.kind is Kind.UNAVAILABLE
    assert await sqlite.get(job.id) == job


async def test_a_store_that_is_not_open_says_so(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "jobs.db")
    for call in (store.add(make_job()), store.get(id_at(T0)), store.count_by_state()):
        with pytest.raises(Problem, match="not open"):
            _ = await call
    await store.close()


# Plans


async def test_every_query_goes_by_an_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is as short as the queue or as what runs may be read whole; the table of jobs never."""
    statements = spy_on_statements(monkeypatch)
    store = SqliteStore(tmp_path / "jobs.db")
    await store.open()
    statements.clear()
    await use_everything(store)
    await store.close()
    short = (
        "jobs_queue",
        "jobs_leased",
        "jobs_unfinished",
        "dispatches_doubtful",
        "deliveries_leased",
        "deliveries_due",
        "deliveries_receivers",
        "watches_due",
        "dispatches_intended",
    )
    with closing(sqlite3.connect(tmp_path / "jobs.db")) as db:
        steps = [
            (step, statement)
            for statement in statements
            if statement.startswith(("SELECT", "UPDATE", "DELETE", "WITH"))
            for *_, step in db.execute(f"EXPLAIN QUERY PLAN {statement}")
        ]
    tables = (
        "jobs",
        "deliveries",
        "delivery_attempts",
        "uploads",
        "d",
        "dispatches",
        "watches",
        "w",
        "events",
        "repeats",
        "keys",
        "traffic",
        "ledger",
        "balances",
        "transcripts",
        "ended_passes",
    )
    scans = [
        (step, statement)
        for step, statement in steps
        if step.startswith(tuple(f"SCAN {table}" for table in tables))
        and not step.endswith(short)
        and not statement.startswith("UPDATE watches SET due = due +")  # a clock that jumped moves them all
    ]
    assert len(statements) > 80
    assert scans == []


def spy_on_statements(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Collects the SQL of every connection made from now on, with its values filled in."""
    statements: set[str] = set()
    connect = sqlite3.connect

    def connect_and_trace(*args: object, **settings: object) -> sqlite3.Connection:
        db = connect(*args, **settings)
        db.set_trace_callback(lambda text: statements.add(text.strip()))
        return db

    monkeypatch.setattr(sqlite3, "connect", connect_and_trace)
    return statements


async def use_everything(store: SqliteStore) -> None:
    jobs = [await store.add(make_job(), concurrency=3, daily=99) for _ in range(6)]
    for number, job in enumerate(await store.claim(engine="script", worker="w", lease_seconds=9, limit=3, now=T0)):
        _ = await store.renew(worker="w", lease_seconds=9, ids=[job.id], now=T0)
        _ = await store.progress(job.id, "w", 0.5)
        _ = await store.show(job.id, "w", b"x"), await store.glimpse(job.id), await store.hide(job.id)
        _ = await store.checkpoint(job.id, "w", {"a": 1})
        if number == 0:
            _ = await store.release(job.id, "w", T0)
        else:
            pending_delivery = pending_deliveries("succeeded")
            _ = await store.settle(
                job.id, "w", state=State.SUCCEEDED, notes=("x",), now=T0, pending_delivery=pending_delivery
            )
    _ = await store.cancel(jobs[0].id, now=T0, pending_delivery=pending_deliveries("canceled"))
    for state in (None, *State):
        _ = await store.recent(limit=9, state=state)
    for route in ("", jobs[0].route):
        _ = await store.list(wire="freepik", owner="alice", route=route, limit=9)
    await look_through(store, jobs)
    await use_words(store)
    await store.add_said({jobs[0].id: [b"1", b"2", b"3"]}, first=1, last=1, most_bytes=9)
    await store.add_said({jobs[0].id: [b"4"]}, first=1, last=1, most_bytes=9)
    _ = await store.said(jobs[0].id)
    _ = await store.recover(now=T0, concurrency=lambda *_: 2)
    store._hot.clear()
    _ = await store.get(jobs[0].id), await store.count_by_state()
    _ = await store.spending(since=T0, until=T0 + 9, owner="alice"), await store.made_since("alice", T0)
    _ = await store.spending(since=T0, until=T0 + 9, owner=""), await store.entries(jobs[0].id)
    _ = await store.balance("alice", period="month", now=T0)
    _ = await store.add(make_job(), hold=SpendingHold(credits=1.0, budget=9.0))
    await use_deliveries(store, jobs[0])
    _ = await store.figures(), await store.touch()
    await store.add_uploads([upload := make_upload()])
    _ = await store.fill_upload(upload.id, "a", 1, T0), await store.upload(upload.id)
    _ = await store.uploads(wire="runway", owner="alice", limit=9), await store.expire_upload(upload.id, T0)
    _ = await store.delete(jobs[0].id)
    await use_keys(store)
    await use_vendor(store)
    for what in Kept:
        _ = await store.sweep(what, before=T0 + 9, now=T0 + 9, limit=9)
    _ = await store.due_drops(now=T0 + 9, limit=9), await store.needed(["a"]), await store.refresh()
    _ = await store.condemn(["a"], before=T0, now=T0), await store.spare("a", until=T0 + 9, now=T0)
    _ = await store.assets(), await store.queued("script")
    await store.dropped(["a"], {"b": T0})
    _ = await store.unfinished("alice", limit=9), await store.traces("alice")
    _ = await store.forget("alice", limit=9, now=T0 + 9)


async def look_through(store: SqliteStore, jobs: list[Job]) -> None:
    for sieve in (
        *(Sieve(), Sieve(owner="alice", model="m", wire="w", engine="e", since=T0, until=T0 + 9, before=jobs[0].id)),
        *(Sieve(state=State.FAILED), Sieve(state=State.RUNNING, owner="alice"), Sieve(since=T0, until=T0 + 9)),
    ):
        _ = await store.browse(sieve, limit=9)
    _ = await store.doubtful(limit=9)
    made = await store.add(make_job(engine="drawn"))
    _ = await store.claim(engine="drawn", worker="w", lease_seconds=9, limit=1, now=T0)
    _ = await store.settle(made.id, "w", state=State.SUCCEEDED, outputs=(OUTPUT,), now=T0)
    for id in (made.id, jobs[1].id):
        _ = await store.illustrate(id, OUTPUT.id, poster="p.jpg", preview="q.mp4", now=T0)


async def use_words(store: SqliteStore) -> None:
    about = {"owner": "carol", "model": "m", "engine": "e", "at": T0}
    for number, budget in enumerate((None, 99.0)):
        await store.set_aside(Outlay(id=f"e{number}", hold=SpendingHold(credits=1.0, budget=budget), **about))
    settlements = [Settlement(id=f"e{number}", credits=2.0, basis="told", **about) for number in range(85)]
    outlays = [Outlay(id=f"e{number}", hold=SpendingHold(credits=1.0), **about) for number in range(2, 88)]
    told = {"owner": "alice", "began": T0, "ended": T0, "wire": "w", "path": "/p", "model": "m", "engine": "e"}
    records = [ExchangeRecord(id=f"e{number}", **told) for number in range(85)]
    await store.settle_exchanges(settlements, outlays=outlays, records=records)
    for owner in (None, "carol"):
        _ = await store.exchanges(owner=owner, before="e9")
    _ = await store.exchange("e1")
    await store.keep_answer(KeptAnswer(id="r1", owner="carol", engine="e"))
    _ = await store.answers("carol", ["r1"], back=1)
    _ = await store.drop_answer("carol", "r1")


async def use_keys(store: SqliteStore) -> None:
    keys = [KeyRecord(id=f"k{n}", name="alice", digest=f"{n:064}", prefix="msk_", created=T0) for n in (1, 2)]
    await store.add_key(keys[0])
    _ = await store.key(keys[0].digest), await store.keys(name="alice"), await store.key_changes()
    _ = await store.rotate_key("k1", keys[1], until=T0, now=T0), await store.touch_key("k1", now=T0)
    _ = await store.end_pass("n", until=T0 + 9, now=T0), await store.pass_ended("n")
    _ = await store.revoke_key("k1", now=T0), await store.traffic("2026-01-01", "alice")
    _ = await store.add_traffic("2026-01-01", {"alice": 1})
    for owner in ("alice", "bob"):
        _ = await store.add(make_job(owner=owner), queued=99)
    _ = await store.claim(engine="script", worker="w", lease_seconds=9, limit=9, now=T0)


async def use_vendor(store: SqliteStore) -> None:
    jobs = [await store.add(make_job(engine="vendor"), repeat=Repeat(key="k", digest="d", seconds=9, replays=False))]
    jobs += [await store.add(make_job(engine="vendor"), concurrency=9, daily=99) for _ in range(6)]
    _ = await store.add(make_job(), repeat=Repeat(key="k", digest="d", seconds=9))
    _ = await store.repeated("alice", Repeat(key="k", digest="d", seconds=9), now=T0)
    asked = {"account": "vendor", "now": T0, "limit": 9, "next_due": lambda watch: watch.due}
    for number, job in enumerate(await store.claim(engine="vendor", worker="w", lease_seconds=9, limit=9, now=T0)):
        _ = await store.intend(job.id, "w", account="vendor", reference="r", now=T0, alone=number == 0)
        if number < 2:
            _ = await store.resolve(job.id, number=1, sent=Sent.UNSENT, detail="", now=T0)
            _ = await store.reroute(job.id, "w", engine="x", detail="", now=T0)
            _ = await store.defer(job.id, "w", until=T0, detail="", now=T0)
            continue
        handle = {"id": job.id}
        _ = await store.accept(job.id, number=1, handle=handle, status="s", due=T0, deadline=T0, now=T0)
        _ = await store.due_watches(**asked), await store.hasten(job.id, now=T0), await store.postpone(job.id, due=T0)
        _ = await store.observe(job.id, status="x", progress=0.5, now=T0)
        if number < 5:
            keep_until = T0 if number < 4 else None
            failure = Failure(kind=Kind.TIMED_OUT, message="x")
            _ = await store.settle_upstream(job.id, state=State.FAILED, failure=failure, now=T0, keep_until=keep_until)
            _ = await store.revive(job.id, facts={}, now=T0)
        else:
            _ = await store.collect(job.id, facts={}, now=T0)
    _ = await store.claim(engine="vendor", worker="w", lease_seconds=9, limit=0, now=T0, accepted_only=True)
    for job in await store.claim(engine="vendor", worker="w", lease_seconds=9, limit=2, now=T0):
        _ = await store.park(job.id, "w", due=T0, detail="", now=T0)
    for job in jobs:
        _ = await store.cancel(job.id, now=T0), await store.unwatch(job.id, detail="", cost=1.0, now=T0)
        _ = await store.events(job.id), await store.dispatches(job.id), await store.add_event(job.id, "late", now=T0)
    _ = await store.all_dispatches(), await store.dispatched_ids("vendor", [jobs[0].id]), await store.next_watch()
    _ = await store.upstream("vendor"), await store.unresolved("vendor"), await store.shift(1.0)
    _ = await store.left_open("vendor", before=T0), await store.collect(jobs[-1].id, facts={}, now=T0)
    _ = await store.claim(engine="vendor", worker="w", lease_seconds=9, limit=1, now=T0, made_before=T0)
    _ = await store.asset_bytes(f"{'0' * 64}.png")
    _ = await store.recover(now=T0)


async def use_deliveries(store: SqliteStore, job: Job) -> None:
    _ = await store.due_deliveries(now=T0, limit=1, lease_seconds=9)
    _ = await store.due_deliveries(now=T0, limit=9, lease_seconds=9, per_receiver=5)
    _ = await store.next_due(), await store.next_due(after=T0)
    for which in ({}, {"job": job.id}, {"pending_only": True}, {"job": job.id, "pending_only": True}):
        found = await store.deliveries(**which)
    for delivered in (False, True):
        id = found[0].delivery.id
        _ = await store.record_attempt(id, at=T0, status=200, error=None, ms=1, delivered=delivered, next_due=T0)
    _ = await store.delivery(id), await store.attempts(id), await store.replay(id, T0)


async def test_what_no_vendor_makes_costs_no_statement_more(sqlite: SqliteStore) -> None:
    statements: list[str] = []

    def note(statement: str) -> None:
        if not statements or statement != statements[-1]:  # told again where a trigger asks whether it is meant
            statements.append(statement)

    await sqlite._write(lambda db, _: db.set_trace_callback(note))
    jobs = [await sqlite.add(make_job(owner="")), await sqlite.add(make_job(owner=""))]
    assert len(statements) == 2 * len(["begin", "insert", "commit"]) + 1
    _ = await sqlite.claim(engine="script", worker="w", lease_seconds=9, limit=1, now=T0)
    statements.clear()
    _ = await sqlite.settle(jobs[0].id, "w", state=State.SUCCEEDED, now=T0)
    assert len(statements) == len(["begin", "update", "unthrottle", "commit"])
    statements.clear()
    _ = await sqlite.cancel(jobs[1].id, now=T0)
    assert len(statements) == len(["begin", "select", "update", "unthrottle", "commit"])


async def test_keys_past_their_time_are_swept_in_small_batches(sqlite: SqliteStore, tmp_path: Path) -> None:
    def repeat(key: str) -> Repeat:
        return Repeat(key=key, digest="d", seconds=10)

    _ = await asyncio.gather(*(sqlite.add(make_job(), repeat=repeat(f"old {n}")) for n in range(250)))
    kept = await sqlite.add(make_job(at=T0 + 5), repeat=repeat("kept"))
    with closing(sqlite3.connect(tmp_path / "jobs.db")) as db:
        for left in (149, 48, 0, 0):
            _ = await sqlite.add(make_job(at=T0 + 10), repeat=repeat(f"new {left}"))
            [found] = db.execute("SELECT count(*) FROM repeats WHERE until <= ?", (T0 + 10,)).fetchone()
            assert found == left
    assert await sqlite.repeated("alice", repeat("kept"), now=T0 + 10) == kept


# Hot jobs


def test_an_unfinished_job_is_believed_for_a_second() -> None:
    now = 0.0
    hot = HotJobs(9, clock=lambda: now)
    running, done = make_job(), make_job(state=State.CANCELED, finished=T0)
    late = make_job(state=State.FAILED, finished=T0, failure=Failure(kind=Kind.SUBMISSION_UNKNOWN, message="x"))
    for each in (running, done, late):
        hot.put(each)
    now = 1.0
    assert hot.get(running.id) is running
    now = 1.1
    assert hot.get(running.id) is None
    assert hot.get(done.id) is done
    assert hot.get(late.id) is None  # it may be made after all


def test_the_least_used_job_is_forgotten_first() -> None:
    hot = HotJobs(2)
    jobs = [make_job() for _ in range(3)]
    hot.put(jobs[0])
    hot.put(jobs[1])
    _ = hot.get(jobs[0].id)
    hot.put(jobs[2])
    assert [hot.get(job.id) for job in jobs] == [jobs[0], None, jobs[2]]
    assert len(hot) == 2


async def test_what_another_process_changed_is_seen(tmp_path: Path) -> None:
    now = 0.0
    ours = SqliteStore(tmp_path / "jobs.db", clock=lambda: now)
    theirs = SqliteStore(tmp_path / "jobs.db")
    await ours.open()
    await theirs.open()
    job = await ours.add(make_job())
    canceled = await theirs.cancel(job.id, now=T0)
    now = 1.5
    assert ours.hot(job.id) is None
    assert await ours.get(job.id) == canceled
    await ours.close()
    await theirs.close()


async def test_a_job_let_go_by_another_is_not_shown_as_throttled(sqlite: SqliteStore) -> None:
    jobs = [await sqlite.add(make_job(), concurrency=1) for _ in range(2)]
    _ = await sqlite.cancel(jobs[0].id, now=T0)
    shown = sqlite.hot(jobs[1].id) or await sqlite.get(jobs[1].id)
    assert shown is not None
    assert not shown.throttled


def test_ids_of_a_time_start_where_its_bound_says() -> None:
    assert transitions.first_id(T0) < id_at(T0, 0) < transitions.first_id(T0 + 0.001)
    assert transitions.first_id(-5.0) == "00000000-0000"


async def test_the_daily_count_is_not_believed_when_another_process_has_added(
    sqlite: SqliteStore, tmp_path: Path
) -> None:
    other = SqliteStore(tmp_path / "jobs.db")
    await other.open()
    try:
        for store in (sqlite, other, sqlite, other):
            _ = await store.add(make_job(), daily=4)
        for store in (sqlite, other):
            with pytest.raises(Problem):
                _ = await store.add(make_job(), daily=4)
    finally:
        await other.close()


async def test_the_daily_count_knows_what_was_added_while_there_was_no_limit(sqlite: SqliteStore) -> None:
    for daily in (3, None, 3):
        _ = await sqlite.add(make_job(), daily=daily)
    with pytest.raises(Problem):
        _ = await sqlite.add(make_job(), daily=3)


async def test_the_daily_count_forgets_what_was_rolled_back(sqlite: SqliteStore) -> None:
    first = await sqlite.add(make_job(), daily=3)
    adds = [sqlite.add(make_job(id=id), daily=9) for id in (id_at(T0), id_at(T0), first.id)]
    results = await asyncio.gather(*adds, return_exceptions=True)
    assert [isinstance(each, Job) for each in results] == [True, True, False]  # the last id is taken already
    with pytest.raises(Problem) as refused:
        _ = await sqlite.add(make_job(), daily=3)
    assert refused.value.kind is Kind.QUOTA_EXCEEDED
    _ = await sqlite.add(make_job(), daily=4)
