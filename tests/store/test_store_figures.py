"""What an operator watches: how much there is to do, counted by every store; and whether it can be written."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from store_samples import T0, make_job, pending_deliveries

from mutoscope.model.job import State
from mutoscope.model.problem import Kind, Problem
from mutoscope.store import Figures, PendingDeliveries, SqliteStore, Store, Unfinished, Watched


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
