"""Whether the server is ready, and what it says is in the way."""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, closing
from typing import Any

import pytest

from mutoscope.web import health

Start = Callable[..., AbstractAsyncContextManager[Any]]


async def ready(running: Any) -> tuple[int, dict[str, str]]:
    running.app.readiness._until = float("-inf")  # look again
    answer = await running.client.get("/readyz")
    return answer.status_code, answer.json().get("failing", {})


async def test_a_server_that_can_take_and_make_jobs_is_ready(start: Start) -> None:
    async with start() as running:
        assert await ready(running) == (200, {})


async def test_a_store_that_cannot_be_written_is_in_the_way(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """A read would succeed: another process holds the file for writing."""
    monkeypatch.setattr(health, "STORE_SECONDS", 0.2)
    async with start() as running:
        with closing(sqlite3.connect(running.app.home.database, isolation_level=None)) as other:
            _ = other.execute("BEGIN IMMEDIATE")
            assert await ready(running) == (503, {"store": "a write takes too long"})
        assert (await running.client.get("/healthz")).status_code == 200
        monkeypatch.setattr(health, "STORE_SECONDS", 10.0)
        assert await ready(running) == (200, {})


async def test_a_store_that_is_closed_is_in_the_way(start: Start) -> None:
    async with start() as running:
        await running.app.store.close()
        status, failing = await ready(running)
        assert status == 503 and "store" in failing


async def test_a_worker_that_does_not_look_for_jobs_is_in_the_way(start: Start) -> None:
    async with start() as running:
        running.app.worker.stopping = True
        running.app.gateway.signals.worker.ring()
        await running.app.worker._claiming_ended.wait()
        running.app.worker.looked -= health.WORKER_SECONDS + 1
        assert await ready(running) == (503, {"worker": "no jobs are being started"})


async def test_a_worker_that_meets_a_broken_store_is_not_taken_for_one_that_works(start: Start) -> None:
    async with start() as running:
        before = running.app.worker.looked
        await running.app.store.close()
        running.app.gateway.signals.wake("script")
        await asyncio.sleep(0.1)
        assert running.app.worker.looked == before


async def test_too_little_space_is_in_the_way(start: Start) -> None:
    async with start(server={"min_free_bytes": 2**62}) as running:
        assert await ready(running) == (503, {"disk": "there is too little free space"})


async def test_what_is_in_the_way_is_told_without_paths(start: Start) -> None:
    async with start(server={"min_free_bytes": 2**62}) as running:
        await running.app.store.close()
        answer = await running.client.get("/readyz")
        assert str(running.app.home.root) not in answer.text


async def test_many_questions_cost_one_write_a_second(start: Start) -> None:
    async with start() as running:
        running.app.readiness.tick = lambda: running.app.worker.looked
        touched = 0
        touch = running.app.store.touch

        async def counted() -> None:
            nonlocal touched
            touched += 1
            await touch()

        running.app.store.touch = counted
        for _ in range(20):
            assert (await running.client.get("/readyz")).status_code == 200
        assert touched <= 2  # the worker's clock may have moved on once
