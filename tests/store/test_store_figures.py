"""What an operator watches: how much there is to do, and which jobs there are, by every store; and whether it can be
written."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from store_samples import OUTPUT, T0, make_job, pending_deliveries

from mutoscope.model.job import Sent, State
from mutoscope.model.problem import Kind, Problem
from mutoscope.store import Figures, PendingDeliveries, Sieve, SqliteStore, Store, Unfinished, Watched


async def test_a_new_store_has_nothing_to_do(store: Store) -> None:
    assert await store.figures() == Figures()


async def test_what_has_not_ended_is_counted_by_what_it_is(store: Store) -> None:
    for number in range(3):
        _ = await store.add(make_job(at=T0 + number), concurrency=2)
    _ = await store.add(make_job(at=T0 + 9, model="gen4", wire="runway", engine="studio"))
    [job] = await store.claim(engine="script", worker="w", lease_seconds=30, limit=1, now=T0 + 20)
    figures = await store.figures()
    script = {"wire": "freepik", "model": "wan-2-7", "engine": "script"}
    assert set(figures.unfinished) == {
        Unfinished(state="running", **script, jobs=1, oldest=T0),
        Unfinished(state="queued", **script, jobs=1, oldest=T0 + 1),
        Unfinished(state="throttled", **script, jobs=1, oldest=T0 + 2),
        Unfinished(state="queued", wire="runway", model="gen4", engine="studio", jobs=1, oldest=T0 + 9),
    }
    _ = await store.settle(job.id, "w", state=State.SUCCEEDED, now=T0 + 30)
    assert "running" not in {each.state for each in (await store.figures()).unfinished}


async def test_messages_that_are_owed_are_counted_by_receiver(store: Store) -> None:
    for number, url in enumerate(("https://a.example/1", "https://a.example/2", "https://b.example:444/")):
        job = await store.add(make_job())
        _ = await store.cancel(job.id, now=T0 + number, pending_delivery=pending_deliveries("canceled", url))
    assert set((await store.figures()).pending_deliveries) == {
        PendingDeliveries(receiver="a.example", messages=2, due=T0),
        PendingDeliveries(receiver="b.example:444", messages=1, due=T0 + 2),
    }
    [due] = await store.due_deliveries(now=T0, limit=1, lease_seconds=9)
    _ = await store.record_attempt(
        due.delivery.id, at=T0, status=200, error=None, ms=1.0, delivered=True, next_due=None
    )
    assert {each.messages for each in (await store.figures()).pending_deliveries} == {1}


async def test_jobs_that_vendors_make_are_counted_by_account(store: Store) -> None:
    for number in range(2):
        job = await store.add(make_job(engine="acme"))
        _ = await store.claim(engine="acme", worker="w", lease_seconds=9, limit=1, now=T0)
        _ = await store.intend(job.id, "w", account="acme", reference="r", now=T0)
        told = {"handle": {"id": job.id}, "status": "s", "deadline": T0 + 99, "now": T0}
        assert await store.accept(job.id, number=1, due=T0 + number, **told)
    assert (await store.figures()).watched == (Watched(account="acme", mode="wait", jobs=2, due=T0),)


async def test_an_operator_looks_through_the_jobs_of_all_owners(store: Store) -> None:
    first = await store.add(make_job(at=T0, owner="alice", model="gen4", engine="acme"))
    second = await store.add(make_job(at=T0 + 10, owner="bob", wire="runway"))
    third = await store.add(make_job(at=T0 + 20, owner=""))
    _ = await store.cancel(third.id, now=T0 + 21)
    gone = await store.add(make_job(at=T0 + 30))
    _ = await store.cancel(gone.id, now=T0 + 31)
    assert await store.delete(gone.id)

    async def found(limit: int = 9, **asked: Any) -> list[str]:
        return [job.id for job in await store.browse(Sieve(**asked), limit=limit)]

    assert await found() == [third.id, second.id, first.id]
    assert await found(limit=2) == [third.id, second.id]
    assert await found(before=third.id) == [second.id, first.id]
    assert await found(owner="") == await found(state=State.CANCELED) == await found(since=T0 + 20) == [third.id]
    assert await found(owner="bob") == await found(wire="runway") == await found(since=T0 + 10, until=T0 + 20)
    assert await found(state=State.QUEUED) == [second.id, first.id]
    assert await found(model="gen4", engine="acme", owner="alice", state=State.QUEUED, until=T0 + 1) == [first.id]
    assert await found(model="gen4", owner="bob") == await found(until=T0) == []


async def test_what_may_have_been_paid_for_is_listed_the_newest_first(store: Store) -> None:
    jobs = [await store.add(make_job(at=T0 + number, engine="acme")) for number in range(3)]
    _ = await store.claim(engine="acme", worker="w", lease_seconds=9, limit=3, now=T0)
    for job in jobs:
        _ = await store.intend(job.id, "w", account="acme", reference="r", now=T0)
    _ = await store.resolve(jobs[0].id, number=1, sent=Sent.UNKNOWN, detail="lost", now=T0)
    _ = await store.resolve(jobs[1].id, number=1, sent=Sent.UNSENT, detail="refused", now=T0)
    doubtful = await store.doubtful(limit=9)
    assert [(each.job, each.sent) for each in doubtful] == [(jobs[2].id, Sent.INTENDED), (jobs[0].id, Sent.UNKNOWN)]
    assert await store.doubtful(limit=1) == doubtful[:1]


async def test_small_pictures_go_with_the_file_that_they_show(store: Store) -> None:
    job = await store.add(make_job())
    _ = await store.claim(engine="script", worker="w", lease_seconds=9, limit=1, now=T0)
    ended = await store.settle(job.id, "w", state=State.SUCCEEDED, outputs=(OUTPUT,), now=T0)
    assert ended
    assert await store.illustrate(job.id, OUTPUT.id, poster="p.jpg", preview="q.mp4", now=T0)
    shown = replace(OUTPUT, poster="p.jpg", preview="q.mp4")
    assert await store.get(job.id) == replace(ended, outputs=(shown,))
    assert set(await store.needed(["p.jpg", "q.mp4", "r.jpg"])) == {"p.jpg", "q.mp4"}
    assert not await store.illustrate(job.id, "another", poster="r.jpg", preview="", now=T0)
    assert await store.delete(job.id)
    assert not await store.illustrate(job.id, OUTPUT.id, poster="s.jpg", preview="", now=T0)
    assert not await store.needed(["p.jpg", "q.mp4", "r.jpg", "s.jpg"])
    assert {"r.jpg", "s.jpg"} <= set(await store.due_drops(now=T0 + 1, limit=9))


async def test_a_touch_changes_no_row_and_is_a_write(sqlite: SqliteStore, tmp_path: Path) -> None:
    await sqlite.touch()
    log = tmp_path / "jobs.db-wal"
    before = log.stat().st_size
    await sqlite.touch()
    assert log.stat().st_size > before
    with closing(sqlite3.connect(tmp_path / "jobs.db")) as db:
        assert db.execute("PRAGMA application_id").fetchone() == (int.from_bytes(b"MUTO"),)


async def test_a_touch_tells_that_nothing_can_be_written(sqlite: SqliteStore, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "jobs.db", isolation_level=None)) as other:
        _ = other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Problem) as refused:
            await sqlite.touch()
    assert refused.value.kind is Kind.UNAVAILABLE
    await sqlite.touch()
