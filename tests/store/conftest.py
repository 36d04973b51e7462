from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from store_samples import STORES

from mutoscope.store import SqliteStore, Store


@pytest.fixture(params=STORES)
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    """Every store in turn, open and empty."""
    each = STORES[request.param](tmp_path)
    await each.open()
    yield each
    await each.close()


@pytest.fixture
async def sqlite(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    each = SqliteStore(tmp_path / "jobs.db", busy_seconds=0.05)
    await each.open()
    yield each
    await each.close()
