"""What one database has is moved to another, and back."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from store_samples import OUTPUT, T0, make_job, make_upload, pending_deliveries, postgres_store
from test_sqlite import use_everything

from mutoscope.cli import main
from mutoscope.model.job import State
from mutoscope.model.problem import Problem
from mutoscope.store import KeyRecord, Repeat, SpendingHold, SqliteStore
from mutoscope.store.postgres import PostgresStore
from mutoscope.store.sql import copying
from postgres_server import server


@pytest.fixture
async def full(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    """A store with rows in every table."""
    store = SqliteStore(tmp_path / "mutoscope.db")
    await store.open()
    await use_everything(store)
    for number in range(40):
        job = await store.add(make_job(owner=f"o{number % 3}"), hold=SpendingHold(credits=2.0))
        if number % 2:
            _ = await store.claim(engine="script", worker="w", lease_seconds=9, limit=99, now=T0)
            _ = await store.settle(job.id, "w", state=State.SUCCEEDED, outputs=(OUTPUT,), cost=1.0, now=T0)
    await store.add_event(job.id, "late", detail="a\0b", now=T0)
    await keep_the_rest(store)
    yield store
    await store.close()


async def keep_the_rest(store: SqliteStore) -> None:
    await store.add_key(KeyRecord(id="k", name="alice", digest="0" * 64, prefix="msk_", created=T0))
    await store.add_uploads([upload := make_upload()])
    _ = await store.fill_upload(upload.id, "a", 1, T0), await store.add_traffic("2026-01-01", {"alice": 7})
    repeat = Repeat(key="k", digest="d", seconds=9)
    job = await store.add(make_job(engine="vendor"), repeat=repeat, pending_delivery=pending_deliveries("queued"))
    _ = await store.claim(engine="vendor", worker="w", lease_seconds=9, limit=9, now=T0)
    _ = await store.intend(job.id, "w", account="vendor", reference="r", now=T0)
    _ = await store.accept(job.id, number=1, handle={"id": "x"}, status="", due=T0, deadline=T0, now=T0)
    await store.add_said({job.id: [b"said", b"answered"]}, first=1, last=1, most_bytes=99)
    [sent] = await store.deliveries(job=job.id)
    outcome = {"status": 500, "error": None, "ms": 1.0, "delivered": False, "next_due": T0 + 9}
    _ = await store.record_attempt(sent.delivery.id, at=T0, **outcome)


@pytest.fixture
async def empty(tmp_path: Path) -> AsyncIterator[PostgresStore]:
    store = postgres_store(tmp_path)
    await store.open()
    yield store
    await store.close()


class CutOff(Exception):
    pass


def silent(*_: object) -> None:
    pass


async def test_everything_goes_over_and_back_however_often_it_is_cut_off(
    full: SqliteStore, empty: PostgresStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, "BATCH", 7)
    cuts: set[str] = set()

    def cut(table: str, there: int, rows: int) -> None:
        if 7 < there < rows and table not in cuts:
            cuts.add(table)
            raise CutOff

    copied = None
    while copied is None:
        with contextlib.suppress(CutOff):
            copied = await copying.copy(full, empty, told=cut)
    assert cuts >= {"jobs", "ledger"}
    assert {each.table for each in copied if not each.rows} <= {
        "outlays",
        "exchanges",
        "answers",
        "asset_uses",
        "asset_drops",
    }
    assert await copying.check(empty) == await copying.check(full) == {}
    back = SqliteStore(tmp_path / "back.db")
    await back.open()
    assert await copying.copy(empty, back, told=silent) == copied
    for store in (empty, back):
        assert await store.recent(limit=99) == await full.recent(limit=99)
        assert await store.spending(since=0.0, until=T0 + 9) == await full.spending(since=0.0, until=T0 + 9)
        _ = await store.add(make_job())  # what is new gets a number of its own
        await store.add_event((await store.recent(limit=1))[0].id, "late", now=T0)
    with pytest.raises(Problem, match="not the same"):
        await copying.compare(full, empty)
    with pytest.raises(Problem, match="rows of its own"):
        _ = await copying.copy(full, empty, told=silent)
    await back.close()


async def test_a_sum_that_is_wrong_is_found(full: SqliteStore) -> None:
    await full.write(lambda db, _: db.execute("UPDATE standings SET held = held + 1 WHERE owner = 'o1'"))
    assert await copying.check(full) == {"standings": 1}


def test_the_command_moves_a_data_directory(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    url = server().of(tmp_path)
    monkeypatch.chdir(tmp_path)

    def told(*words: str) -> str:
        with pytest.raises(SystemExit) as ended:
            main(["store", *words, "--data", str(tmp_path)])
        found = capsys.readouterr()
        return f"{ended.value.code} {found.out}{found.err}"

    assert "holds no jobs yet" in told("copy", url)
    assert "SQLite: the schema is up to date" in told("migrate")
    assert told("check").startswith("0 ")
    assert "the same there" in told("copy", url, "--quiet")
    assert "is there already" in told("copy", "sqlite")
    assert "password" not in told("copy", "postgresql://u:password@127.0.0.1:1/none?connect_timeout=1")
    assert 'begins with "postgresql://"' in told("copy", "mysql://x")
    monkeypatch.setenv("MUTOSCOPE_STORE_URL", url)
    assert "PostgreSQL: the schema is up to date" in told("migrate")
    assert "the same there" in told("copy", "sqlite", "--quiet")
