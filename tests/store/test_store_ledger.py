"""The ledger and the budgets: what is set aside, charged and given back, by every store."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from store_samples import FAILURE, OUTPUT, T0, make_job

from mutoscope.model.job import Failure, Job, State
from mutoscope.model.problem import Kind, Problem
from mutoscope.model.words import KeptAnswer
from mutoscope.store import Kept, Outlay, Repeat, Settlement, SpendingHold, SqliteStore, Store
from mutoscope.store.sql.migrations import migration_files, statements
from mutoscope.store.sql.rows import HOLES, INSERT_JOB, row_of

DAY = 86400.0
TIMED_OUT = Failure(kind=Kind.TIMED_OUT, message="It took too long.")


async def books(store: Store, job: Job) -> list[tuple[str, float]]:
    return [(each.kind, each.credits) for each in await store.entries(job.id)]


async def taken(store: Store, *, period: str = "total", now: float = T0) -> tuple[float, float]:
    balance = await store.balance("alice", period=period, now=now)
    return balance.charged, balance.reserved


async def running(store: Store, **fields: object) -> Job:
    _ = await store.add(make_job(estimate=25.0, **fields))
    [job] = await store.claim(engine="script", worker="w", lease_seconds=9, limit=1, now=T0)
    return job


async def at_the_vendor(store: Store, **fields: object) -> Job:
    job = await running(store, **fields)
    _ = await store.intend(job.id, "w", account="vendor", reference="r", now=T0)
    assert await store.accept(job.id, number=1, handle={"id": job.id}, status="", due=T0, deadline=T0 + 9, now=T0)
    return job


async def test_a_new_job_sets_aside_what_it_may_cost(store: Store) -> None:
    job = await store.add(make_job(estimate=25.0))
    assert await books(store, job) == [("reserve", 25.0)]
    assert await taken(store) == (0.0, 25.0)


async def test_success_charges_the_cost_and_gives_back_the_rest(store: Store) -> None:
    job = await running(store)
    _ = await store.settle(job.id, "w", state=State.SUCCEEDED, outputs=(OUTPUT,), cost=8.2, now=T0 + 1)
    assert await books(store, job) == [("reserve", 25.0), ("release", 25.0), ("charge", 8.2)]  # to the last millionth
    assert await taken(store) == (8.2, 0.0)


@pytest.mark.parametrize("how", ["fails", "is cancelled"])
async def test_what_is_not_made_costs_nothing(store: Store, how: str) -> None:
    job = await running(store)
    if how == "fails":
        _ = await store.settle(job.id, "w", state=State.FAILED, failure=FAILURE, now=T0 + 1)
    else:
        _ = await store.cancel(job.id, now=T0 + 1)
        _ = await store.cancel(job.id, now=T0 + 2)
    assert await books(store, job) == [("reserve", 25.0), ("release", 25.0)]
    assert await taken(store) == (0.0, 0.0)


async def test_a_late_success_is_charged_late(store: Store) -> None:
    job = await at_the_vendor(store)
    _ = await store.settle_upstream(job.id, state=State.FAILED, failure=TIMED_OUT, now=T0 + 9, keep_until=T0 + 99)
    assert await taken(store) == (0.0, 0.0)
    assert await store.revive(job.id, facts={}, now=T0 + 20)
    _ = await store.claim(engine="script", worker="w", lease_seconds=9, limit=1, now=T0 + 20)
    _ = await store.settle(job.id, "w", state=State.SUCCEEDED, outputs=(OUTPUT,), cost=25.0, now=T0 + 21)
    assert await books(store, job) == [("reserve", 25.0), ("release", 25.0), ("late", 25.0)]


async def test_what_a_vendor_charges_for_a_cancelled_job_is_charged_although_it_was_deleted(store: Store) -> None:
    job = await at_the_vendor(store)
    _ = await store.cancel(job.id, now=T0 + 1)
    assert await store.delete(job.id)
    assert await store.unwatch(job.id, detail="the vendor made it", cost=7.0, now=T0 + 2)
    assert not await store.unwatch(job.id, detail="again", cost=7.0, now=T0 + 3)
    assert await books(store, job) == [("reserve", 25.0), ("release", 25.0), ("late", 7.0)]
    [late] = (await store.entries(job.id))[2:]
    assert (late.engine, late.at) == ("vendor", T0 + 2)


async def test_a_cost_that_may_still_change_is_charged_when_nothing_more_is_to_be_learned(store: Store) -> None:
    job = await at_the_vendor(store)
    _ = await store.settle_upstream(
        job.id, state=State.FAILED, failure=TIMED_OUT, cost=3.0, now=T0 + 9, keep_until=T0 + 99
    )
    assert await taken(store) == (0.0, 0.0)
    assert await store.unwatch(job.id, detail="given up", now=T0 + 99)
    assert await taken(store) == (3.0, 0.0)


async def test_what_a_vendor_charges_for_an_open_servers_job_is_in_no_book(store: Store) -> None:
    job = await at_the_vendor(store, owner="")
    _ = await store.cancel(job.id, now=T0 + 1)
    assert await store.unwatch(job.id, detail="the vendor made it", cost=7.0, now=T0 + 2)
    assert await store.entries(job.id) == ()


async def test_a_job_that_is_stored_with_its_end_sets_nothing_aside(store: Store) -> None:
    job = await store.add(make_job(state=State.SUCCEEDED, estimate=25.0, finished=T0))
    assert await store.entries(job.id) == ()


async def test_a_vendors_last_word_that_nothing_is_to_be_paid_is_believed(store: Store) -> None:
    job = await at_the_vendor(store)
    _ = await store.settle_upstream(
        job.id, state=State.FAILED, failure=TIMED_OUT, cost=3.0, now=T0 + 9, keep_until=T0 + 99
    )
    assert await store.unwatch(job.id, detail="the vendor failed", cost=0.0, now=T0 + 20)
    assert await books(store, job) == [("reserve", 25.0), ("release", 25.0)]


async def test_what_a_vendor_charges_for_a_failure_is_charged_at_once(store: Store) -> None:
    job = await at_the_vendor(store)
    assert await store.settle_upstream(job.id, state=State.FAILED, failure=FAILURE, cost=3.0, now=T0 + 9)
    assert await books(store, job) == [("reserve", 25.0), ("release", 25.0), ("charge", 3.0)]


async def test_an_open_servers_jobs_are_in_no_book_but_what_they_cost_is_told(store: Store) -> None:
    free = await running(store, owner="")
    _ = await store.settle(free.id, "w", state=State.SUCCEEDED, outputs=(OUTPUT,), cost=0.0, now=T0)
    job = await running(store, owner="")
    _ = await store.settle(job.id, "w", state=State.SUCCEEDED, outputs=(OUTPUT,), cost=20.0, now=T0)
    assert await store.entries(job.id) == ()
    [row] = await store.spending(since=T0 - 1, until=T0 + 1)
    assert (row.owner, row.engine, row.jobs, row.credits) == ("", "script", 1, 20.0)
    assert await store.spending(since=T0 - 1, until=T0 + 1, owner="") == (row,)
    assert await store.spending(since=T0 - 1, until=T0 + 1, owner="alice") == ()


@pytest.mark.parametrize("owner", ["alice", ""])
async def test_a_period_of_spending_has_its_first_moment_in_it_and_not_its_last(store: Store, owner: str) -> None:
    job = await running(store, owner=owner)
    _ = await store.settle(job.id, "w", state=State.SUCCEEDED, outputs=(OUTPUT,), cost=20.0, now=T0 + 5)
    for since, until, told in ((T0 + 5, T0 + 6, 1), (T0, T0 + 5, 0), (T0 + 6, T0 + 7, 0)):
        assert len(await store.spending(since=since, until=until)) == told
        assert len(await store.spending(since=since, until=until, owner=owner)) == told


# Budgets


async def test_a_create_that_does_not_fit_is_refused_with_what_is_left(store: Store) -> None:
    _ = await store.add(make_job(), hold=SpendingHold(credits=30.0, budget=50.0, period="month"))
    with pytest.raises(Problem, match=r"may cost 25 credits, and 20 are left of this key's 50 a month") as refused:
        _ = await store.add(make_job(), hold=SpendingHold(credits=25.0, budget=50.0, period="month"))
    assert refused.value.kind is Kind.OVER_BUDGET
    _ = await store.add(make_job(), hold=SpendingHold(credits=20.0, budget=50.0, period="month"))
    assert await taken(store) == (0.0, 50.0)


async def test_creates_at_once_cannot_overspend(store: Store) -> None:
    hold = SpendingHold(credits=10.0, budget=55.0)
    outcomes = await asyncio.gather(*(store.add(make_job(), hold=hold) for _ in range(20)), return_exceptions=True)
    assert sum(isinstance(each, Job) for each in outcomes) == 5
    assert await taken(store) == (0.0, 50.0)


async def test_two_processes_cannot_overspend(tmp_path: Path) -> None:
    one, other = SqliteStore(tmp_path / "jobs.db"), SqliteStore(tmp_path / "jobs.db")
    await one.open()
    await other.open()
    hold = SpendingHold(credits=10.0, budget=55.0)
    outcomes = await asyncio.gather(
        *(store.add(make_job(), hold=hold) for _ in range(10) for store in (one, other)), return_exceptions=True
    )
    assert sum(isinstance(each, Job) for each in outcomes) == 5
    await one.close()
    await other.close()


@pytest.mark.parametrize(
    ("period", "later", "fits"),
    [("day", DAY, True), ("day", 0.0, False), ("month", DAY * 32, True), ("total", DAY * 400, False)],
)
async def test_a_budget_begins_anew_with_its_period(store: Store, period: str, later: float, fits: bool) -> None:
    job = await running(store)
    _ = await store.settle(job.id, "w", state=State.SUCCEEDED, outputs=(OUTPUT,), cost=25.0, now=T0)
    call = store.add(make_job(at=T0 + later), hold=SpendingHold(credits=6.0, budget=30.0, period=period))
    if fits:
        assert await call
    else:
        with pytest.raises(Problem, match="5 are left"):
            await call


async def test_budgets_of_other_periods_and_owners_hold_among_creates_at_the_same_moment(store: Store) -> None:
    job = await running(store)
    _ = await store.settle(job.id, "w", state=State.SUCCEEDED, outputs=(OUTPUT,), cost=25.0, now=T0)
    wishes = [("alice", "day", 6.0), ("alice", "total", 6.0), ("alice", "day", 24.0), ("bob", "total", 30.0)]
    adds = (
        store.add(make_job(at=T0 + DAY, owner=owner), hold=SpendingHold(credits=reserve, budget=30.0, period=period))
        for owner, period, reserve in wishes
    )
    outcomes = await asyncio.gather(*adds, return_exceptions=True)
    assert [isinstance(each, Job) for each in outcomes] == [True, False, True, True]


async def test_who_has_spent_more_than_the_budget_has_nothing_left(store: Store) -> None:
    job = await running(store)
    _ = await store.settle(job.id, "w", state=State.SUCCEEDED, outputs=(OUTPUT,), cost=25.0, now=T0)
    with pytest.raises(Problem, match=r"and 0 are left of this key's 20;"):
        _ = await store.add(make_job(), hold=SpendingHold(credits=1.0, budget=20.0))
    with pytest.raises(Problem, match=r"and 0 are left of this key's 0;"):
        _ = await store.add(make_job(), hold=SpendingHold(credits=1.0, budget=0.0))


async def test_what_is_set_aside_counts_in_every_period(store: Store) -> None:
    _ = await store.add(make_job(estimate=25.0))
    with pytest.raises(Problem, match="5 are left"):
        _ = await store.add(make_job(at=T0 + DAY), hold=SpendingHold(credits=6.0, budget=30.0, period="day"))


async def test_a_repeated_create_sets_nothing_aside_again(store: Store) -> None:
    repeat = Repeat(key="k", digest="d", seconds=60)
    hold = SpendingHold(credits=25.0, budget=30.0)
    first = await store.add(make_job(), repeat=repeat, hold=hold)
    assert await store.add(make_job(), repeat=repeat, hold=hold) == first
    assert await taken(store) == (0.0, 25.0)


async def test_a_refused_create_leaves_nothing_behind(store: Store) -> None:
    first = await store.add(make_job(), hold=SpendingHold(credits=5.0))
    for refusal in ({"daily": 1}, {"queued": 1}):
        with pytest.raises(Problem):
            _ = await store.add(make_job(), hold=SpendingHold(credits=5.0, budget=99.0), **refusal)
    with pytest.raises(Problem, match="exists already"):
        _ = await store.add(make_job(id=first.id), hold=SpendingHold(credits=5.0))
    assert await taken(store) == (0.0, 5.0)


@pytest.mark.parametrize("together", [False, True])
async def test_a_create_that_is_in_the_books_already_is_not_stored(sqlite: SqliteStore, together: bool) -> None:
    """Its job was swept; what it cost is still known."""
    job = await running(sqlite)
    _ = await sqlite.settle(job.id, "w", state=State.SUCCEEDED, outputs=(OUTPUT,), cost=20.0, now=T0)
    found = await sqlite.sweep(Kept.JOBS, before=T0 + 99, now=T0 + 99, limit=9, after="")
    assert found.removed == 1
    before, after = make_job(), make_job()
    calls = [sqlite.add(before), sqlite.add(make_job(id=job.id)), sqlite.add(after)]
    if together:
        outcomes = await asyncio.gather(*calls, return_exceptions=True)
    else:  # in a transaction with others all the same
        outcomes = [
            each for call in calls for each in await asyncio.gather(call, sqlite.touch(), return_exceptions=True)
        ]
        outcomes = outcomes[::2]
    assert [isinstance(each, Job) for each in outcomes] == [True, False, True]
    assert await sqlite.recent(limit=9) == (after, before)
    assert len(await sqlite.entries(job.id)) == 3


# The table itself


@pytest.fixture
async def kept(sqlite: SqliteStore, tmp_path: Path) -> Path:
    """A database with one job that has been paid for, and one that waits."""
    job = await running(sqlite)
    _ = await sqlite.settle(job.id, "w", state=State.SUCCEEDED, outputs=(OUTPUT,), cost=20.0, now=T0)
    _ = await sqlite.add(make_job(estimate=25.0))
    return tmp_path / "jobs.db"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger SET amount = 0",
        "DELETE FROM ledger",
        "INSERT OR REPLACE INTO ledger SELECT job, kind, 0, owner, model, engine, at, basis FROM ledger WHERE amount",
        "INSERT INTO ledger SELECT job, 'release', 1, owner, model, engine, at, basis FROM ledger LIMIT 1",
        "INSERT INTO ledger SELECT max(job), 'release', 1, owner, model, engine, at, basis FROM ledger",
        "INSERT INTO ledger SELECT 'x', 'release', 1, owner, model, engine, at, basis FROM ledger LIMIT 1",
        "INSERT INTO ledger SELECT 'x', 'charge', -1, owner, model, engine, at, basis FROM ledger LIMIT 1",
        "INSERT INTO ledger SELECT 'x', 'refund', 1, owner, model, engine, at, basis FROM ledger LIMIT 1",
        "INSERT INTO ledger SELECT 'x', 'charge', 1, '', model, engine, at, basis FROM ledger LIMIT 1",
        "UPDATE balances SET charged = -1",
        "UPDATE balances SET reserved = -1 WHERE period = ''",
        "UPDATE balances SET reserved = 1 WHERE period <> ''",
        "UPDATE standings SET held = -1",
        "UPDATE standings SET waiting = -1",
    ],
)
async def test_the_books_cannot_be_cooked(kept: Path, statement: str) -> None:
    with closing(sqlite3.connect(kept)) as db:
        before = db.execute("SELECT * FROM ledger").fetchall()
        with pytest.raises(sqlite3.IntegrityError):
            _ = db.execute(statement)
        assert db.execute("SELECT * FROM ledger").fetchall() == before


async def test_entries_of_an_owner_who_is_being_forgotten_can_be_removed_and_nobody_elses(kept: Path) -> None:
    with closing(sqlite3.connect(kept)) as db:
        _ = db.execute(
            "INSERT INTO ledger SELECT 'x', 'charge', 1, 'bob', model, engine, at, basis FROM ledger LIMIT 1"
        )
        _ = db.execute("INSERT INTO forgotten (owner) VALUES ('alice')")
        with pytest.raises(sqlite3.IntegrityError):
            _ = db.execute("DELETE FROM ledger")
        assert db.execute("DELETE FROM ledger WHERE owner = 'alice'").rowcount == 4
        assert db.execute("SELECT owner FROM ledger").fetchall() == [("bob",)]


def before_the_ledger(file: Path, *jobs: Job) -> None:
    """A database of the version before, with these jobs in it."""
    with closing(sqlite3.connect(file, isolation_level=None)) as db:
        for statement in (each for text in migration_files()[:5] for each in statements(text)):
            _ = db.execute(statement)
        _ = db.execute("PRAGMA user_version = 5")
        _ = db.executemany(f"{INSERT_JOB} VALUES {HOLES}", map(row_of, jobs))


async def test_jobs_from_before_the_ledger_are_entered(tmp_path: Path) -> None:
    done = make_job(state=State.SUCCEEDED, estimate=25.0, cost=20.0, finished=T0 + 9)
    failed = make_job(state=State.CANCELED, estimate=25.0, cost=0.0, finished=T0 + 9)
    waits, open_to_all = make_job(estimate=5.5), make_job(estimate=5.5, owner="")
    before_the_ledger(tmp_path / "jobs.db", done, failed, waits, open_to_all)
    store = SqliteStore(tmp_path / "jobs.db")
    await store.open()
    assert await taken(store) == (20.0, 5.5)
    assert await books(store, done) == [("charge", 20.0)]
    assert await books(store, waits) == [("reserve", 5.5)]
    assert [await books(store, each) for each in (failed, open_to_all)] == [[], []]
    await store.close()


@pytest.mark.parametrize(("cost", "late"), [(25.0, [("late", 22.0)]), (1.0, [])])
async def test_a_late_success_of_a_job_from_before_the_ledger_is_charged_what_was_not_yet(
    tmp_path: Path, cost: float, late: list[tuple[str, float]]
) -> None:
    """It was entered with what it cost when it had failed, and with nothing set aside."""
    job = make_job(state=State.FAILED, failure=TIMED_OUT, estimate=25.0, cost=3.0, finished=T0 + 9)
    before_the_ledger(tmp_path / "jobs.db", job)
    with closing(sqlite3.connect(tmp_path / "jobs.db", isolation_level=None)) as db:
        columns, values = "job, account, handle, mode, since, deadline", "?, 'vendor', x'7b7d', 'late', ?, ?"
        _ = db.execute(f"INSERT INTO watches ({columns}) VALUES ({values})", (job.id, T0, T0 + 99))
    store = SqliteStore(tmp_path / "jobs.db")
    await store.open()
    assert await store.revive(job.id, facts={}, now=T0 + 20)
    _ = await store.claim(engine="script", worker="w", lease_seconds=9, limit=1, now=T0 + 20)
    assert await store.settle(job.id, "w", state=State.SUCCEEDED, outputs=(OUTPUT,), cost=cost, now=T0 + 21)
    assert await books(store, job) == [("charge", 3.0), *late]  # what was charged is not taken back
    assert await taken(store) == (max(cost, 3.0), 0.0)
    [row] = await store.spending(since=T0, until=T0 + 99)
    assert (row.jobs, row.credits) == (1, max(cost, 3.0))
    await store.close()


async def test_exchanges_are_settled_together_and_each_once(store: Store) -> None:
    about = {"owner": "alice", "model": "m", "engine": "e", "at": T0}
    outlays = [Outlay(id=f"e{number}", hold=SpendingHold(credits=5.0), **about) for number in range(20)]
    await store.set_aside(outlays[0])
    free, twice, late = (Settlement(id=f"e{number}", credits=number, basis="told", **about) for number in (0, 1, 19))
    rest = [Settlement(id=f"e{number}", credits=2.0, basis="told", **about) for number in range(2, 19)]
    again = msgspec.structs.replace(twice, credits=9.0)
    await store.settle_exchanges([free, twice, *rest, again], outlays=outlays[1:])
    await store.settle_exchanges([again, *rest, late, late])
    credits = 1.0 + 17 * 2.0 + 19.0
    balance = await store.balance("alice", period="total", now=T0)
    assert (balance.charged, balance.reserved) == (credits, 0.0)
    assert [(each.kind, each.credits) for each in await store.entries("e1")] == [
        *(("reserve", 5.0), ("release", 5.0), ("charge", 1.0))
    ]
    assert [each.kind for each in await store.entries("e0")] == ["reserve", "release"]
    before = Outlay(id="e30", hold=SpendingHold(credits=1.0, budget=credits + 0.5), **about)
    with pytest.raises(Problem, match=r"0\.5 are left"):
        await store.set_aside(before)


async def test_what_is_set_aside_at_one_moment_comes_to_no_more_than_the_budgets(store: Store) -> None:
    def outlay(id: str, owner: str, credits: float, budget: float | None = 10.0) -> Outlay:
        hold = SpendingHold(credits=credits, budget=budget)
        return Outlay(id=id, owner=owner, model="m", engine="e", at=T0, hold=hold)

    crowd = [outlay(f"a{number}", "alice", 3.0) for number in range(20)]
    crowd += [
        outlay("a20", "alice", 1.0),
        outlay("b0", "bob", 10.0),
        outlay("b1", "bob", 0.0),
        outlay("b2", "bob", 1.0),
    ]
    crowd += [outlay("b3", "bob", 50.0, budget=None), outlay("b0", "bob", 0.0)]  # no budget; and one twice
    outcomes = await asyncio.gather(*map(store.set_aside, crowd), return_exceptions=True)
    admitted = [each.id for each, outcome in zip(crowd, outcomes, strict=True) if outcome is None]
    assert admitted == ["a0", "a1", "a2", "a20", "b0", "b1", "b3"]
    refused = [each for each in outcomes[3:20] if isinstance(each, Problem)]
    assert [each.kind for each in refused] == [Kind.OVER_BUDGET] * 17
    assert all("1 are left" in each.message for each in refused)
    assert await taken(store) == (0.0, 10.0)
    assert (await store.balance("bob", period="total", now=T0)).reserved == 60.0


async def test_an_answer_is_kept_for_its_owner_with_those_before_it_until_its_time_is_over(store: Store) -> None:
    for number, previous in enumerate((None, "r0", "r1", "r2")):
        await store.keep_answer(
            KeptAnswer(id=f"r{number}", owner="alice", engine="e", previous=previous, created=T0 + number, input=b"[]")
        )
    await store.keep_answer(KeptAnswer(id="r1", owner="bob", engine="other", created=T0, record=b"{}"))

    async def ids(owner: str, *asked: str, back: int = 0) -> list[str]:
        return [each.id for each in await store.answers(owner, asked, back=back)]

    assert await ids("alice", "r2", "r9", back=9) == ["r2", "r1", "r0"]
    assert await ids("alice", "r3", back=1) == ["r3", "r2"]
    assert await ids("alice", "r3", "r0") == ["r0", "r3"]
    assert await ids("bob", "r2", back=9) == []
    [theirs] = await store.answers("bob", ["r1"])
    assert (theirs.engine, theirs.record) == ("other", b"{}")
    await store.keep_answer(msgspec.structs.replace(theirs, record=b"[]", ready=T0 + 5))
    [theirs] = await store.answers("bob", ["r1"])
    assert (theirs.record, theirs.ready) == (b"[]", T0 + 5)
    assert (await store.drop_answer("alice", "r1"), await store.drop_answer("alice", "r1")) == (True, False)
    assert await ids("alice", "r3", back=9) == ["r3", "r2"]
    assert await ids("bob", "r1") == ["r1"]
    swept = await store.sweep(Kept.ANSWERS, before=T0 + 2, now=T0 + 9, limit=9)
    assert swept.removed == 3
    assert await ids("alice", "r0", "r2", "r3") == ["r3"]
    assert (await store.forget("alice", limit=9, now=T0 + 9)).answers == 1
