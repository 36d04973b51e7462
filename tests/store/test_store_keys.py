"""Keys, what owners sent, and the queue between owners: what every store does."""

import asyncio
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from store_samples import OUTPUT, STORES, T0, id_at, make_job

from mutoscope.model.config import ModelRights, Rights
from mutoscope.model.job import Job, State
from mutoscope.model.problem import Kind, Problem
from mutoscope.store import KeyRecord, SqliteStore, Store
from mutoscope.store.sql.jobs import TALLIES_KEPT, Tallies, Tally
from mutoscope.store.sql.migrations import migration_files, statements
from mutoscope.store.sql.queue import OWNERS_KEPT, Turns
from mutoscope.store.sql.rows import HOLES, INSERT_JOB, row_of

DAY = 86400.0
EVERYTHING = Rights(
    webhook="https://example.com/hook",
    admin=True,
    wires=("runway",),
    models=("gen4_turbo",),
    engines=("script",),
    requests_per_second=0.5,
    requests_per_minute=0,
    max_concurrent=1,
    max_daily=2,
    max_queued=3,
    max_bytes_daily=4,
    per_model={"gen4_turbo": ModelRights(max_daily=0)},
)


def make_key(number: int = 1, **fields: object) -> KeyRecord:
    plain = KeyRecord(id=f"key_{number}", name="alice", digest=f"{number:064x}", prefix="msk_abcd", created=T0 + number)
    return msgspec.structs.replace(plain, **fields)


async def claim(store: Store, *, limit: int = 1, worker: str = "w1", engine: str = "script") -> list[Job]:
    return await store.claim(engine=engine, worker=worker, lease_seconds=30, limit=limit, now=T0)


async def succeed(store: Store, job: Job) -> None:
    assert await store.settle(job.id, "w1", state=State.SUCCEEDED, outputs=(OUTPUT,), now=T0 + 9)


async def add(store: Store, owner: str, count: int = 1, **more: object) -> list[Job]:
    return list(await asyncio.gather(*(store.add(make_job(owner=owner), **more) for _ in range(count))))


# Keys


async def test_a_pass_is_ended_once_and_forgotten_when_it_would_have_ended(store: Store) -> None:
    assert not await store.pass_ended("n")
    assert [await store.end_pass("n", until=T0 + 9, now=T0) for _ in range(2)] == [True, False]
    assert await store.pass_ended("n")
    assert await store.end_pass("m", until=T0 + 99, now=T0 + 9)
    assert (await store.pass_ended("n"), await store.pass_ended("m")) == (False, True)


async def test_a_key_is_found_by_its_whole_digest_and_by_nothing_else(store: Store) -> None:
    key = make_key(rights=EVERYTHING, expires=T0 + 9)
    await store.add_key(key)
    assert await store.key(key.digest) == key
    for wrong in (key.digest[:8], key.prefix, key.id, key.name, "", "%", "_" * 64, "' OR '1'='1"):
        assert await store.key(wrong) is None


async def test_two_keys_have_neither_the_same_digest_nor_the_same_id(store: Store) -> None:
    await store.add_key(make_key())
    for twin in (make_key(id="key_2"), make_key(digest="f" * 64)):
        with pytest.raises(Problem) as refused:
            await store.add_key(twin)
        assert refused.value.kind is Kind.CONFLICT
    assert await store.keys() == (make_key(),)


async def test_keys_are_listed_for_all_and_for_one_owner(store: Store) -> None:
    keys = (make_key(1), make_key(2, name="bob"), make_key(3))
    for key in reversed(keys):
        await store.add_key(key)
    assert await store.keys() == keys
    assert await store.keys(name="alice") == (keys[0], keys[2])
    assert await store.keys(name="carol") == ()


async def test_a_revoked_key_is_kept_with_the_time_of_its_first_revocation(store: Store) -> None:
    await store.add_key(make_key())
    revoked = await store.revoke_key("key_1", now=T0 + 5)
    assert revoked == make_key(revoked=T0 + 5)
    assert await store.revoke_key("key_1", now=T0 + 6) == revoked
    assert await store.key(make_key().digest) == revoked
    assert await store.revoke_key("key_9", now=T0) is None


async def test_a_rotated_key_has_a_successor_with_its_name_rights_and_expiry(store: Store) -> None:
    await store.add_key(make_key(rights=EVERYTHING, expires=T0 + 1000))
    fresh = await store.rotate_key("key_1", make_key(2, name="x"), until=T0 + 60, now=T0)
    assert fresh == make_key(2, rights=EVERYTHING, expires=T0 + 1000)
    old = await store.key(make_key().digest)
    assert old is not None and old.expires == T0 + 60
    longer = await store.rotate_key("key_1", make_key(3), until=T0 + 999, now=T0)
    old = await store.key(make_key().digest)
    assert longer is not None and old is not None and old.expires == T0 + 60


@pytest.mark.parametrize("state", [{"revoked": T0}, {"expires": T0}])
async def test_a_key_that_is_not_valid_has_no_successor(store: Store, state: dict[str, float]) -> None:
    await store.add_key(make_key(**state))
    assert await store.rotate_key("key_1", make_key(2), until=T0 + 60, now=T0) is None
    assert len(await store.keys()) == 1


async def test_every_change_of_a_key_is_counted_and_its_use_is_not(store: Store) -> None:
    counts = [await store.key_changes()]
    await store.add_key(make_key())
    counts.append(await store.key_changes())
    _ = await store.touch_key("key_1", now=T0)
    assert await store.key_changes() == counts[-1]
    _ = await store.rotate_key("key_1", make_key(2), until=T0 + 60, now=T0)
    counts.append(await store.key_changes())
    _ = await store.revoke_key("key_2", now=T0)
    counts.append(await store.key_changes())
    assert counts[0] == 0
    assert counts == sorted(set(counts))


async def test_the_use_of_a_key_is_written_once_a_minute(store: Store) -> None:
    await store.add_key(make_key())
    assert [await store.touch_key("key_1", now=T0 + at) for at in (0, 1, 59, 60, 61)] == [
        True,
        False,
        False,
        True,
        False,
    ]
    key = await store.key(make_key().digest)
    assert key is not None and key.last_used == T0 + 60
    assert not await store.touch_key("key_9", now=T0)


@pytest.mark.parametrize("name", STORES)
async def test_another_handle_sees_that_keys_changed(name: str, tmp_path: Path) -> None:
    one, other = STORES[name](tmp_path), STORES[name](tmp_path)
    await one.open()
    await other.open()
    await one.add_key(make_key())
    before = await other.key_changes()
    assert before > 0 and await other.key(make_key().digest) == make_key()
    _ = await one.revoke_key("key_1", now=T0)
    assert await other.key_changes() > before
    await one.close()
    await other.close()


# What owners sent


async def test_bytes_are_added_up_by_owner_and_day(store: Store) -> None:
    assert await store.traffic("2026-01-01", "alice") == 0
    assert await store.add_traffic("2026-01-01", {"alice": 5, "bob": 7}) == {"alice": 5, "bob": 7}
    assert await store.add_traffic("2026-01-01", {"alice": 6}) == {"alice": 11}
    assert await store.traffic("2026-01-01", "alice") == 11
    assert await store.traffic("2026-01-01", "carol") == 0
    assert await store.add_traffic("2026-01-02", {"bob": 1}) == {"bob": 1}
    assert await store.traffic("2026-01-01", "alice") == 0


# How long a queue may grow


async def test_a_full_queue_takes_no_more_until_something_has_begun(store: Store) -> None:
    _ = await add(store, "alice", 3, queued=3)
    with pytest.raises(Problem) as refused:
        _ = await add(store, "alice", queued=3)
    assert refused.value.kind is Kind.RATE_LIMITED
    assert refused.value.retry_after
    _ = await add(store, "bob", 3, queued=3)
    _ = await claim(store)
    _ = await add(store, "alice", queued=3)
    with pytest.raises(Problem):
        _ = await add(store, "alice", queued=3)


async def test_throttled_jobs_wait_too_and_running_ones_of_any_engine_do_not(store: Store) -> None:
    _ = await add(store, "alice", 2)
    _ = await store.add(make_job(engine="other"))
    assert len(await claim(store, limit=9)) == 2
    assert len(await claim(store, limit=9, engine="other")) == 1
    _ = await add(store, "alice", 2, queued=2, concurrency=3)
    with pytest.raises(Problem) as refused:
        _ = await add(store, "alice", queued=2, concurrency=3)
    assert refused.value.kind is Kind.RATE_LIMITED


async def test_a_queue_counts_what_is_added_at_the_same_moment(store: Store) -> None:
    calls = (store.add(make_job(), queued=3) for _ in range(8))
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert [isinstance(result, Job) for result in results] == [True] * 3 + [False] * 5


async def test_a_queue_is_of_all_models_together(store: Store) -> None:
    for model in ("x", "y"):
        _ = await store.add(make_job(model=model), queued=2)
    with pytest.raises(Problem):
        _ = await store.add(make_job(model="x"), queued=2)


async def test_queues_of_several_owners_are_told_apart_among_creates_at_the_same_moment(store: Store) -> None:
    _ = await add(store, "bob", 2)
    owners = ("alice", "alice", "bob", "alice", "carol")
    calls = (store.add(make_job(owner=owner), queued=2, concurrency=9) for owner in owners)
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert [isinstance(each, Job) for each in outcomes] == [True, True, False, False, True]


async def test_what_has_begun_on_an_open_server_does_not_wait(store: Store) -> None:
    _ = await add(store, "", 2, queued=2)
    _ = await claim(store, limit=2)
    _ = await add(store, "", 2, queued=2)


async def test_jobs_that_are_stored_with_their_end_hold_nothing_and_do_not_wait(store: Store) -> None:
    _ = await store.add(make_job(state=State.SUCCEEDED, finished=T0))
    assert not (await store.add(make_job(), queued=1, concurrency=1)).throttled


async def test_what_keys_held_before_it_stood_in_rows_is_known(tmp_path: Path) -> None:
    jobs = [
        make_job(),
        make_job(throttled=True),
        make_job(engine="other"),
        make_job(state=State.SUCCEEDED, finished=T0),
        make_job(model="x", state=State.CANCELED, finished=T0),
        make_job(owner="bob", throttled=True),
        make_job(owner=""),
    ]
    with closing(sqlite3.connect(tmp_path / "jobs.db", isolation_level=None)) as db:
        for statement in (each for text in migration_files()[:7] for each in statements(text)):
            _ = db.execute(statement)
        _ = db.execute("PRAGMA user_version = 7")
        _ = db.executemany(f"{INSERT_JOB} VALUES {HOLES}", map(row_of, jobs))
        _ = db.execute(
            "UPDATE jobs SET state = 'running', worker = 'w', leased_until = 9, started = 1 WHERE engine = 'other'"
        )
    store = SqliteStore(tmp_path / "jobs.db")
    await store.open()
    await store.close()
    with closing(sqlite3.connect(tmp_path / "jobs.db")) as db:
        rows = db.execute("SELECT owner, model, held, waiting FROM standings ORDER BY owner, model").fetchall()
    assert rows == [("alice", "wan-2-7", 2, 2), ("alice", "x", 0, 0), ("bob", "wan-2-7", 0, 1)]


async def test_jobs_that_an_operator_removes_by_hand_hold_nothing_any_more(sqlite: SqliteStore, tmp_path: Path) -> None:
    for owner in ("alice", "alice", "bob"):
        _ = await sqlite.add(make_job(owner=owner))
    with closing(sqlite3.connect(tmp_path / "jobs.db")) as db:
        _ = db.execute("DELETE FROM jobs WHERE owner = 'alice'")
        db.commit()
    assert not (await sqlite.add(make_job(), queued=1, concurrency=1)).throttled
    assert (await sqlite.add(make_job(owner="bob"), queued=2, concurrency=1)).throttled
    with pytest.raises(Problem):
        _ = await sqlite.add(make_job(owner="bob"), queued=2)


# How many at once


@pytest.mark.parametrize("owner", ["alice", ""])
async def test_jobs_that_are_throttled_or_have_ended_take_no_place_with_or_without_a_key(
    store: Store, owner: str
) -> None:
    limits = (1, 1, 2)
    jobs = [await store.add(make_job(owner=owner), concurrency=limit) for limit in limits]
    assert [job.throttled for job in jobs] == [False, True, False]
    for job in jobs:
        _ = await store.cancel(job.id, now=T0)
    assert not (await store.add(make_job(owner=owner), concurrency=1)).throttled


@pytest.mark.parametrize("owner", ["alice", ""])
async def test_a_job_keeps_its_place_while_it_runs(store: Store, owner: str) -> None:
    _ = await store.add(make_job(owner=owner), concurrency=1)
    [job] = await claim(store)
    assert (await store.add(make_job(owner=owner), concurrency=1)).throttled
    await succeed(store, job)  # lets the other go, which has the place now
    assert (await store.add(make_job(owner=owner), concurrency=1)).throttled


async def test_the_end_of_a_job_gives_no_place_of_another_model_away(store: Store) -> None:
    first = await store.add(make_job())
    _ = await store.add(make_job(model="x"), concurrency=1)
    waits = await store.add(make_job(model="x"), concurrency=1)
    _ = await store.cancel(first.id, now=T0)
    assert [job.throttled for job in await store.recent(limit=9) if job.id == waits.id] == [True]


async def test_a_limit_that_was_lowered_lets_nobody_go_at_a_start(store: Store) -> None:
    jobs = [await store.add(make_job(), concurrency=3) for _ in range(4)]
    _ = await store.recover(now=T0, concurrency=lambda *_: 1)
    assert [job.throttled for job in await store.recent(limit=9)] == [True, False, False, False]
    assert jobs[3].throttled


async def test_a_limit_that_was_raised_is_each_models_own_at_a_start(store: Store) -> None:
    for model in ("x", "y", "x", "y", "x", "y"):
        _ = await store.add(make_job(model=model), concurrency=1)
    _ = await store.recover(now=T0, concurrency=lambda *_: 2)
    waiting = [job.generation.model for job in await store.recent(limit=9) if job.throttled]
    assert sorted(waiting) == ["x", "y"]


async def test_creates_at_the_same_moment_take_no_place_when_they_are_throttled_or_have_ended(store: Store) -> None:
    _, *jobs = await asyncio.gather(
        store.add(make_job(state=State.SUCCEEDED, finished=T0), concurrency=1),
        *(store.add(make_job(), concurrency=limit) for limit in (1, 1, 2)),
    )
    assert [job.throttled for job in jobs] == [False, True, False]


# How many in a day


async def test_the_daily_limit_is_for_each_owner_and_model(store: Store) -> None:
    _ = await add(store, "alice", 2, daily=2)
    with pytest.raises(Problem):
        _ = await add(store, "alice", daily=2)
    _ = await add(store, "bob", 2, daily=2)
    _ = await store.add(make_job(model="x"), daily=1)
    _ = await store.add(make_job(model="y"), daily=1)
    assert await store.made_since("alice", T0 - 1) == {"wan-2-7": 2, "x": 1, "y": 1}
    assert await store.made_since("alice", T0 + 1) == {}
    assert await store.made_since("bob", T0 - 1) == {"wan-2-7": 2}


async def together(store: Store, *wishes: tuple[float, int]) -> list[bool]:
    """Whether creates at these times and with these daily limits are taken, which come at the same moment."""
    calls = (store.add(make_job(at=at), daily=daily) for at, daily in wishes)
    return [isinstance(each, Job) for each in await asyncio.gather(*calls, return_exceptions=True)]


async def test_what_was_counted_up_to_one_keys_limit_is_not_believed_for_another(store: Store) -> None:
    _ = await add(store, "alice", 5)
    assert await together(store, (T0, 3), (T0, 5), (T0, 6)) == [False, False, True]


async def test_what_was_counted_for_a_later_time_is_not_believed_for_an_earlier_one(store: Store) -> None:
    _ = await add(store, "alice", 3)
    assert await together(store, (T0 + DAY + 1, 9), (T0 + 1, 3)) == [True, False]


async def test_more_than_the_limit_may_have_left_the_day_between_two_creates(store: Store) -> None:
    _ = await add(store, "alice", 5)
    assert await together(store, (T0 + DAY - 1, 9), (T0 + DAY + 1, 2), (T0 + DAY + 1, 2)) == [True, True, False]


async def test_what_was_made_a_day_before_in_the_same_moment_does_not_count(store: Store) -> None:
    later = T0 + DAY + 1
    assert await together(store, (T0, 9), (T0, 9), (later, 2), (later, 2), (later, 2)) == [True] * 4 + [False]
    assert await together(store, *[(later, 5)] * 4) == [True] * 3 + [False]


async def test_creates_are_stored_and_counted_once_although_one_beside_them_fails(store: Store) -> None:
    first = await store.add(make_job(), daily=9)
    adds = (store.add(job, daily=9) for job in (make_job(), make_job(), make_job(id=first.id)))
    outcomes = await asyncio.gather(*adds, return_exceptions=True)
    assert [getattr(each, "kind", None) for each in outcomes] == [None, None, Kind.CONFLICT]
    assert await together(store, (T0, 3), (T0, 5), (T0, 5), (T0, 5)) == [False, True, True, False]


def test_counts_are_kept_of_a_bounded_number_of_keys() -> None:
    tallies = Tallies()
    for number in range(2 * TALLIES_KEPT):
        tallies.keep((f"{number}", "wan-2-7"), Tally("", 1, ""))
        assert len(tallies._kept) <= TALLIES_KEPT


async def test_creates_that_a_full_disk_takes_back_are_not_counted(sqlite: SqliteStore) -> None:
    await sqlite._write(lambda db, _: db.execute("PRAGMA max_page_count = 1").fetchone())  # never less than it has
    large = make_job(body=b"x" * 1_000_000)
    adds = (sqlite.add(make_job(), daily=2), sqlite.touch(), sqlite.add(large))
    assert not any(isinstance(each, Job) for each in await asyncio.gather(*adds, return_exceptions=True))
    await sqlite._write(lambda db, _: db.execute("PRAGMA max_page_count = 1000000").fetchone())
    assert await together(sqlite, (T0, 2), (T0, 2), (T0, 2)) == [True, True, False]


# Turns


async def test_the_owner_with_the_fewest_running_goes_first(store: Store) -> None:
    alices = await add(store, "alice", 4)
    bobs = await add(store, "bob", 2)
    [first] = await claim(store)
    [second] = await claim(store)
    [third] = await claim(store)
    assert [first.id, second.id, third.id] == [alices[0].id, bobs[0].id, alices[1].id]
    await succeed(store, second)
    [fourth] = await claim(store)
    assert fourth.id == bobs[1].id


async def test_the_fewest_running_come_before_the_longest_wait(store: Store) -> None:
    _ = await add(store, "alice", 2)
    bobs = await add(store, "bob", 2)
    [_], [second] = await claim(store), await claim(store)
    assert second.id == bobs[0].id
    await succeed(store, second)
    assert [job.id for job in await claim(store)] == [bobs[1].id]  # although bob was the last to be served


async def test_jobs_that_are_taken_together_count_as_running_for_those_behind_them(store: Store) -> None:
    _ = await add(store, "alice", 4)
    _ = await claim(store, limit=2)
    _ = await add(store, "bob", 4)
    assert Counter(job.owner for job in await claim(store, limit=4)) == {"alice": 1, "bob": 3}


async def test_who_was_served_while_nobody_else_waited_has_had_the_turn(store: Store) -> None:
    _ = await add(store, "alice", 2)
    [first] = await claim(store)
    await succeed(store, first)
    bobs = await add(store, "bob")
    assert [job.id for job in await claim(store)] == [bobs[0].id]


def test_turns_are_remembered_of_a_bounded_number_of_owners_those_served_last() -> None:
    turns = Turns()
    for owner in ("busy", *map(str, range(OWNERS_KEPT - 1)), "busy", "new", "newer"):
        _ = turns.serve("script", owner)
    assert [turns.last("script", owner) for owner in ("0", "1", "busy")] == [0, 0, OWNERS_KEPT + 1]
    assert len(turns._served) == OWNERS_KEPT


async def test_with_one_slot_the_turn_goes_round(store: Store) -> None:
    """Nothing runs whenever the next is chosen: the oldest first would be alice's, all ten."""
    _ = await add(store, "alice", 10)
    _ = await add(store, "bob", 3)
    _ = await add(store, "carol", 1)
    served = ""
    for _ in range(8):
        [job] = await claim(store)
        served += job.owner[0]
        await succeed(store, job)
    assert served == "abcababa"


async def test_several_jobs_at_once_are_taken_in_the_same_turns(store: Store) -> None:
    _ = await add(store, "alice", 9)
    _ = await add(store, "bob", 2)
    _ = await add(store, "carol", 1)
    taken = await claim(store, limit=7)
    assert Counter(job.owner for job in taken) == {"alice": 4, "bob": 2, "carol": 1}


async def test_what_runs_on_another_engine_does_not_count(store: Store) -> None:
    for _ in range(3):
        _ = await store.add(make_job(owner="alice", engine="other"))
    _ = await claim(store, limit=9, engine="other")
    mine = await add(store, "alice")
    _ = await add(store, "bob")
    assert [job.id for job in await claim(store)] == [mine[0].id]


async def test_throttled_jobs_have_no_turn(store: Store) -> None:
    _ = await add(store, "alice", 3, concurrency=1)
    assert [job.throttled for job in await store.recent(limit=9)] == [True, True, False]
    _ = await add(store, "bob", 1)
    assert Counter(job.owner for job in await claim(store, limit=9)) == {"alice": 1, "bob": 1}


async def test_a_backlog_of_ten_thousand_delays_anothers_first_job_by_one_job_for_each_slot(store: Store) -> None:
    backlog = await add(store, "alice", 10_000)
    running = await claim(store, limit=2)
    [bobs] = await add(store, "bob")
    await succeed(store, running[0])
    assert [job.id for job in await claim(store)] == [bobs.id]
    left = [job.id for job in backlog if job.id not in {running[0].id, running[1].id}]
    await succeed(store, running[1])
    assert [job.id for job in await claim(store)] == [left[0]]  # oldest first, with bob's one running


async def test_jobs_of_one_owner_are_taken_oldest_first(store: Store) -> None:
    ids = [id_at(T0 + at) for at in (5, 3, 1, 4, 2)]
    for id in ids:
        _ = await store.add(make_job(id=id))
    assert [(await claim(store))[0].id for _ in ids] == sorted(ids)


async def test_an_open_servers_queue_is_limited_whether_creates_come_together_or_not(store: Store) -> None:
    for _ in range(2):
        _ = await store.add(make_job(owner=""), queued=2)
    with pytest.raises(Problem, match="2 jobs"):
        _ = await store.add(make_job(owner=""), queued=2)
    _ = await store.claim(engine="script", worker="w", lease_seconds=9, limit=1, now=T0)
    more = [store.add(make_job(owner=""), queued=2) for _ in range(2)]
    outcomes = await asyncio.gather(*more, return_exceptions=True)
    assert [isinstance(each, Problem) for each in outcomes] == [False, True]
