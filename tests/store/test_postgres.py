"""What is particular to the store in PostgreSQL: several processes at one database, news, failures, the dialect."""

import asyncio
import inspect
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import cast
from unittest.mock import MagicMock

import psycopg
import pytest
from store_samples import OUTPUT, T0, make_job, pending_deliveries, postgres_store
from test_sqlite import use_everything

from mutoscope.model.job import Job, State
from mutoscope.model.problem import Kind, Problem, Unavailable
from mutoscope.store import NewerDatabase, News, SpendingHold, SqliteStore, Store
from mutoscope.store import postgres as dialect
from mutoscope.store.postgres import PostgresConnection, PostgresStore, check_database, translate, translated
from mutoscope.store.sql.connection import undone
from mutoscope.store.sql.migrations import migration_files
from mutoscope.store.sqlite import SqliteConnection, SqliteDatabase
from postgres_server import server


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[Callable]:
    """Open another store at the same database, as another process would."""
    stores: list[PostgresStore] = []

    async def open(**settings: float) -> PostgresStore:
        store = postgres_store(tmp_path, **settings)
        await store.open()
        stores.append(store)
        return store

    yield open
    for store in stores:
        await store.close()


@asynccontextmanager
async def other_session(tmp_path: Path) -> AsyncIterator[psycopg.AsyncConnection]:
    async with await psycopg.AsyncConnection.connect(server().of(tmp_path), autocommit=True) as db:
        yield db


async def claim(store: PostgresStore, worker: str = "w", limit: int = 9, now: float = T0) -> list[Job]:
    return await store.claim(engine="script", worker=worker, lease_seconds=9, limit=limit, now=now)


# The dialect


async def test_every_statement_is_prepared_by_postgres(
    opened: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that SQLite is asked by the same calls, without what is SQLite's own."""
    asked: set[str] = set()
    execute = SqliteConnection.execute

    def spy(self: SqliteConnection, sql: str, *values: object) -> object:
        asked.add(sql)
        return execute(self, sql, *values)

    async def note(self: SqliteDatabase, sql: str, values: tuple) -> object:
        asked.add(sql)
        return await read(self, sql, values)

    async def note_report(self: SqliteDatabase, sql: str, values: tuple) -> object:
        asked.add(sql)
        return await report(self, sql, values)

    read, report = SqliteDatabase.read, SqliteDatabase.report
    monkeypatch.setattr(SqliteConnection, "execute", spy)
    monkeypatch.setattr(SqliteDatabase, "read", note)
    monkeypatch.setattr(SqliteDatabase, "report", note_report)
    sqlite = SqliteStore(tmp_path / "jobs.db")
    await sqlite.open()
    asked.clear()
    await use_everything(sqlite)
    await sqlite.close()
    own = re.compile("PRAGMA|BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE|EXPLAIN")
    asked = {sql for sql in asked if not own.match(sql)}
    assert len(asked) > 110
    store = await opened()
    dialect.TRANSLATED.clear()
    await use_everything(store)
    remembered = {"SELECT 1 FROM jobs WHERE id = ?"}  # counts of the daily limit, which SQLite's store keeps
    assert asked - dialect.TRANSLATED.keys() == remembered
    plans = {sql: await store._write(partial(plan, sql=translated(sql))) for sql in asked}
    assert not [sql for sql, found in plans.items() if not found], "also where nothing tells the types of its values"
    whole = re.compile(r"Seq Scan on (?!removals|key_changes|outlays)(\w+)")
    scans = {(found[1], sql) for sql, steps in plans.items() if (found := whole.search(steps))}
    assert {table for table, _ in scans} == {"watches"}  # a clock that jumped moves all of them
    assert len(scans) == 1


async def test_those_calls_are_all_that_the_store_takes(tmp_path: Path) -> None:
    """What is added to the store is added there, or its statements are prepared by nobody."""
    store, called = SqliteStore(tmp_path / "jobs.db"), set[str]()

    class Noted:
        def __getattr__(self, name: str) -> object:
            called.add(name)
            return getattr(store, name)

    await store.open()
    await use_everything(cast("SqliteStore", Noted()))
    await store.close()
    taken = {name for part in Store.__mro__ for name, each in vars(part).items() if inspect.iscoroutinefunction(each)}
    left = taken - called - {"open", "close", "compact"}
    assert not left, " ".join(sorted(left))


def plan(db: PostgresConnection, _: list, *, sql: str) -> str:
    """How the database would go about it, whatever the values are. Empty: it does not understand it."""
    values = ", ".join(["NULL"] * len(set(re.findall(r"\$\d+", sql))))
    try:
        with undone(db):
            _ = db._db.execute("SET LOCAL plan_cache_mode = force_generic_plan")
            _ = db._db.execute(f"PREPARE one AS {sql}")
            steps = db._db.execute(f"EXPLAIN EXECUTE one {f'({values})' if values else ''}").fetchall()
            _ = db._db.execute("DEALLOCATE one")
    except psycopg.Error:
        return ""
    return "\n".join(step for (step,) in steps)


def test_the_dialect_is_little_more_than_a_few_words() -> None:
    assert 1 + len(dialect.RULES) <= 8
    assert len(dialect.OVERRIDES) <= 5


def test_places_are_counted_as_sqlite_counts_them() -> None:
    assert translate("SET a = ?, b = ?1 WHERE c = ? AND d = ?4 AND e = ?") == (
        "SET a = $1, b = $1 WHERE c = $2 AND d = $4 AND e = $5"
    )


async def test_a_text_with_a_nul_is_kept_with_a_sign_for_it(opened: Callable) -> None:
    store = await opened()
    job = await store.add(make_job())
    await store.add_event(job.id, "late", detail="a\0b", now=T0)
    [event] = await store.events(job.id)
    assert event.detail == "a\N{SYMBOL FOR NULL}b"


async def test_one_that_fails_leaves_the_others_of_its_transaction(opened: Callable) -> None:
    store = await opened()
    jobs = [await store.add(make_job()) for _ in range(3)]
    _ = await claim(store)
    before = store.commits
    settled = [store.settle(job.id, "w", state=State.SUCCEEDED, outputs=(OUTPUT,), now=T0) for job in jobs[:2]]
    wrong = store.settle(jobs[2].id, "w", state=State.FAILED, now=T0)  # without a failure
    results = await asyncio.gather(settled[0], wrong, settled[1], return_exceptions=True)
    assert [type(each) for each in results] == [Job, psycopg.errors.CheckViolation, Job]
    assert store.commits == before + 1


# Several processes


async def test_no_job_is_claimed_by_two(opened: Callable) -> None:
    stores = [await opened() for _ in range(3)]
    jobs = await asyncio.gather(*(stores[0].add(make_job()) for _ in range(60)))
    found: Counter[str] = Counter()

    async def work(store: PostgresStore, name: str) -> None:
        while taken := await claim(store, name, 7):
            found.update(job.id for job in taken)
            ends = (store.settle(job.id, name, state=State.SUCCEEDED, now=T0) for job in taken)
            assert None not in await asyncio.gather(*ends)

    await asyncio.gather(*(work(store, f"w{number}") for number, store in enumerate(stores)))
    assert found == Counter(job.id for job in jobs)


async def test_limits_and_budgets_hold_over_all_processes(opened: Callable) -> None:
    stores = [await opened() for _ in range(2)]
    adds = [store.add(make_job(), concurrency=3, daily=8) for store in stores * 10]
    results = await asyncio.gather(*adds, return_exceptions=True)
    made = [each for each in results if isinstance(each, Job)]
    assert len(made) == 8
    assert sum(not job.throttled for job in made) == 3
    hold = SpendingHold(credits=1.0, budget=5.0)
    adds = [store.add(make_job(owner="bob"), hold=hold) for store in stores * 10]
    results = await asyncio.gather(*adds, return_exceptions=True)
    assert sum(isinstance(each, Job) for each in results) == 5
    assert (await stores[1].balance("bob", period="total", now=T0)).reserved == 5.0


async def test_others_are_told_what_there_is_to_do(opened: Callable) -> None:
    ours, theirs = await opened(), await opened()
    news: list[News] = []
    own: list[News] = []
    ours.told, theirs.told = news.append, own.append

    async def heard(what: Callable[[News], bool]) -> None:
        async with asyncio.timeout(10):
            while not any(map(what, news)):
                await asyncio.sleep(0.005)
        news.clear()

    job = await theirs.add(make_job(), pending_delivery=pending_deliveries("queued"))
    await heard(lambda each: "script" in each.engines)
    assert await ours.get(job.id) == job
    assert ours.hot(job.id) == job
    _ = await theirs.cancel(job.id, now=T0 + 1)
    await heard(lambda each: job.id in each.jobs)
    assert ours.hot(job.id) is None
    waiting = [await theirs.add(make_job(model="gen4"), concurrency=1) for _ in range(2)]
    await asyncio.sleep(0.05)
    news.clear()
    _ = await theirs.cancel(waiting[0].id, now=T0 + 1)  # lets the other one go
    await heard(lambda each: "script" in each.engines)
    _ = await claim(theirs)
    _ = await theirs.intend(waiting[1].id, "w", account="vendor", reference="r", now=T0)
    times = {"due": T0, "deadline": T0, "now": T0}
    _ = await theirs.accept(waiting[1].id, number=1, handle={"id": "t"}, status="", **times)
    await heard(lambda each: each.watches)
    _ = await theirs.collect(waiting[1].id, facts={}, now=T0 + 1)
    await heard(lambda each: "script" in each.engines)
    _ = await theirs.cancel(waiting[1].id, now=T0 + 1, pending_delivery=pending_deliveries("canceled"))
    await heard(lambda each: each.deliveries)
    assert own == [], "what one did oneself is no news"


async def test_recovery_spares_what_others_are_at(opened: Callable) -> None:
    ours, theirs = await opened(), await opened()
    for _ in range(3):
        _ = await theirs.add(make_job())
    _ = await claim(theirs, "theirs", 1), await claim(theirs, "gone", 1)
    assert await ours.recover(now=T0 + 1, dead=()) == 0
    assert await ours.recover(now=T0 + 1, dead=["gone"]) == 1
    assert await ours.recover(now=T0 + 9, dead=()) == 1  # a lease that has ended
    assert len(await claim(ours, "ours")) == 3


async def test_a_read_that_waits_holds_up_nothing_else(opened: Callable, tmp_path: Path) -> None:
    store = await opened()
    job = await store.add(make_job())
    store._hot.clear()
    async with other_session(tmp_path) as other, other.transaction():
        _ = await other.execute("LOCK TABLE jobs IN ACCESS EXCLUSIVE MODE")
        reads = [asyncio.ensure_future(store.get(job.id)), asyncio.ensure_future(store.count_by_state())]
        for _ in range(20):
            await asyncio.sleep(0.001)  # the loop goes round
        assert not any(read.done() for read in reads)
    assert (await reads[0], (await reads[1])[State.QUEUED]) == (job, 1)


async def test_a_job_that_changed_while_it_was_read_is_not_remembered_as_it_was(
    opened: Callable, tmp_path: Path
) -> None:
    store = await opened()
    job = await store.add(make_job())
    store._hot.clear()
    reading = asyncio.ensure_future(store.get(job.id))
    await asyncio.sleep(0)
    canceled = await store.cancel(job.id, now=T0 + 1)
    _ = await reading
    assert store.hot(job.id) in (None, canceled)


# Failures


async def test_a_session_that_is_ended_costs_no_call(opened: Callable, tmp_path: Path) -> None:
    store = await opened()
    news: list[News] = []
    store.told = news.append
    job = await store.add(make_job())
    async with other_session(tmp_path) as other:
        _ = await other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = "
            "current_database()"
        )
    store._hot.clear()
    assert await store.get(job.id) == job
    _ = await store.add(make_job())
    assert (await store.count_by_state())[State.QUEUED] == 2
    async with asyncio.timeout(10):
        while not any(each.anything for each in news):
            await asyncio.sleep(0.01)


async def test_a_transaction_that_is_cut_off_before_its_end_is_written_anew(opened: Callable, tmp_path: Path) -> None:
    store = await opened()
    job, cut = make_job(), []

    def cut_once(_: Job) -> None:
        if not cut:
            cut.append(True)
            pid = store._database.writer.pid
            server().execute(f"SELECT pg_terminate_backend({pid})", database="postgres")

    _ = await store.add(job)
    canceled = await store.cancel(job.id, now=T0 + 1, pending_delivery=cut_once)
    assert cut
    assert canceled is not None
    assert canceled.state is State.CANCELED


async def test_a_database_that_is_away_is_a_problem_and_passes(opened: Callable, tmp_path: Path) -> None:
    store = await opened(busy_seconds=0.1)
    job = await store.add(make_job())
    server().stop()
    try:
        store._hot.clear()
        for call in (store.get(job.id), store.add(make_job()), store.count_by_state(), store.touch()):
            with pytest.raises(Problem, match=r"cannot be reached|shutting down") as refused:
                _ = await call
            assert refused.value.kind is Kind.UNAVAILABLE
        async with asyncio.timeout(10):  # they wait together
            reads = await asyncio.gather(*(store.get(job.id) for _ in range(200)), return_exceptions=True)
        assert {type(each) for each in reads} == {Unavailable}
    finally:
        server().start()
    assert await store.get(job.id) == job
    _ = await store.add(make_job())
    assert (await store.count_by_state())[State.QUEUED] == 2


def test_nobody_waits_twice_for_a_database_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    now, tries, down = 100.0, 0, True

    def arrive(*_: object, **__: object) -> object:
        nonlocal tries
        tries += 1
        if down:
            raise psycopg.OperationalError("away")
        return MagicMock()

    def pass_by(seconds: float) -> None:
        nonlocal now
        now += seconds

    monkeypatch.setattr(dialect, "monotonic", lambda: now)
    monkeypatch.setattr(dialect, "sleep", pass_by)
    monkeypatch.setattr(psycopg, "connect", arrive)
    away = dialect.Away()

    def waited() -> float:
        before = now
        with pytest.raises(psycopg.OperationalError):
            _ = dialect.connect("postgresql://h/d", 5.0, away)
        return now - before

    assert waited() == pytest.approx(5.0, abs=0.2)
    tries = 0
    assert waited() == 0.0 and tries == 1  # the second try of a call, or one that came while the first one waited
    now += 3.0
    assert waited() == 0.0
    down = False
    _ = dialect.connect("postgresql://h/d", 5.0, away)
    down = True
    assert waited() == pytest.approx(5.0, abs=0.2)  # it was there meanwhile
    now += 60.0
    assert waited() == pytest.approx(5.0, abs=0.2)  # nobody knows whether it was


async def test_a_database_that_cannot_be_reached_says_so_without_the_password() -> None:
    store = PostgresStore("postgresql://u:geheim@127.0.0.1:1/none", busy_seconds=0.0)
    with pytest.raises(Problem, match="cannot be reached") as refused:
        await store.open()
    assert "geheim" not in refused.value.message
    await store.close()


# The schema


async def test_processes_that_start_together_make_the_schema_once() -> None:
    url = server().fresh()
    stores = [PostgresStore(url) for _ in range(4)]
    await asyncio.gather(*(store.open() for store in stores))
    assert server().execute("SELECT number FROM schema_version", database=url.rpartition("/")[2]) == [
        (len(migration_files("postgres")),)
    ]
    job = await stores[0].add(make_job())
    assert await stores[3].get(job.id) == job
    await asyncio.gather(*(store.close() for store in stores))
    check_database(url)
    server().execute("UPDATE schema_version SET number = 999", database=url.rpartition("/")[2])
    with pytest.raises(NewerDatabase, match="999"):
        check_database(url)
    with pytest.raises(NewerDatabase, match="999"):
        await stores[0].open()
    await stores[0].close()


async def test_a_migration_that_fails_leaves_no_half_of_it() -> None:
    url = server().fresh()
    name = url.rpartition("/")[2]
    server().execute("CREATE TABLE uploads (id TEXT)", database=name)  # one of the statements will stumble over it
    store = PostgresStore(url)
    with pytest.raises(Problem):
        await store.open()
    await store.close()
    tables = server().execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'", database=name)
    assert tables == [("uploads",)]


async def test_both_databases_have_the_same_tables_and_columns(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "jobs.db")
    await store.open()
    there = await store._read(
        "SELECT m.name, c.name FROM sqlite_schema AS m JOIN pragma_table_info(m.name) AS c WHERE m.type = 'table'", ()
    )
    await store.close()
    query = "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
    here = server().execute(query, database=server().migrated.rpartition("/")[2])
    among_processes = {"schema_version", "members", "duties"}  # one process with a file of its own needs none of these
    assert {each for each in here if each[0] not in among_processes} - {("uploads", "rowid")} == set(there)
