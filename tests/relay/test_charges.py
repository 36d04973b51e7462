"""What a key is charged for jobs that a vendor makes: what the vendor says, once, whenever it says it."""

import asyncio
from typing import Any

import pytest
from fault_proxy import dead_link

from mutoscope.model.job import State
from mutoscope.service.keys import digest
from mutoscope.wirekit.ids import from_uuid4_form

Worlds = Any
SECRET = "msk_a-secret-of-the-tests"
KEYED = {"keys": [{"name": "alice", "sha256": digest(SECRET), "budget": 100.0}]}
DEARER = {"models": {"gen4_image": {"price": {"image": 7.0}, "timeout_seconds": 1.0}}}  # than the vendor's 5


async def make(it: Any, prompt: str) -> str:
    body = {"model": "gen4_image", "promptText": prompt, "ratio": "1280:720"}
    headers = {"authorization": f"Bearer {SECRET}", "x-runway-version": "2024-11-06"}
    answer = await it.client.post("/v1/text_to_image", json=body, headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.json()["estimatedCost"] == {"credits": 7.0}
    return from_uuid4_form(answer.json()["id"])


async def books(it: Any, id: str) -> list[tuple[str, float]]:
    return [(each.kind, each.credits) for each in await it.app.store.entries(id)]


async def test_what_the_vendor_says_is_charged_in_place_of_the_price(world: Worlds) -> None:
    async with world("runway", **KEYED, **DEARER) as it:
        id = await make(it, "a lake")
        job = await it.finished(id)
        assert (job.state, job.cost) == (State.SUCCEEDED, 5.0)
        assert await books(it, id) == [("reserve", 7.0), ("release", 7.0), ("charge", 5.0)]


async def test_a_job_that_the_vendor_refuses_costs_nothing(world: Worlds) -> None:
    async with world("runway", **KEYED, **DEARER) as it:
        id = await make(it, "fail refused no")
        assert (await it.finished(id)).state is State.FAILED
        assert await books(it, id) == [("reserve", 7.0), ("release", 7.0)]


async def test_what_the_vendor_made_is_charged_even_if_it_can_never_be_fetched(
    world: Worlds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mutoscope.engines.relay.COPY_SECONDS", (0.1, 0.1))
    async with world("runway", relay={"late_seconds": 1.0}, **KEYED, **DEARER) as it:
        it.proxy.on("GET /files/", dead_link, times=1000)
        id = await make(it, "a lake")
        job = await it.finished(id)
        assert job.state is State.FAILED and job.failure and "could not be fetched" in job.failure.message
        assert await books(it, id) == [("reserve", 7.0), ("release", 7.0), ("charge", 5.0)]


@pytest.mark.parametrize("relay", [{"late_seconds": 60.0}])
async def test_a_success_after_its_time_is_charged_late(world: Worlds, relay: dict[str, float]) -> None:
    async with world("runway", relay=relay, **KEYED, **DEARER) as it:
        it.app.poller.next_due = lambda _: it.app.poller.clock() + 0.1
        id = await make(it, "sleep 3")
        assert (await it.finished(id)).state is State.FAILED
        assert await books(it, id) == [("reserve", 7.0), ("release", 7.0)]
        async with asyncio.timeout(20):
            while (job := await it.app.store.get(id)) is None or job.state is not State.SUCCEEDED:
                await asyncio.sleep(0.1)
        assert await books(it, id) == [("reserve", 7.0), ("release", 7.0), ("late", 5.0)]


@pytest.mark.parametrize("deleted", [False, True])
async def test_what_a_vendor_makes_of_a_cancelled_job_is_charged_although_it_was_deleted(
    world: Worlds, deleted: bool
) -> None:
    """This vendor cannot cancel, and does not tell what it charges."""
    async with world("freepik", **KEYED, models={"wan-2.7": {"price": {"job": 7.0}}}) as it:
        body, headers = {"prompt": "sleep 1"}, {"x-freepik-api-key": SECRET}
        answer = await it.client.post("/v1/ai/text-to-video/wan-2-7", json=body, headers=headers)
        assert answer.status_code == 200, answer.text
        [job] = await it.app.store.recent(limit=1)
        async with asyncio.timeout(20):
            while not await it.app.store.upstream(job.engine):
                await asyncio.sleep(0.05)
            await it.app.gateway.cancel(job.id)
            if deleted:
                assert await it.app.store.delete(job.id)
            while await it.app.store.next_watch() is not None:
                await asyncio.sleep(0.05)
        assert await books(it, job.id) == [("reserve", 7.0), ("release", 7.0), ("late", 7.0)]
