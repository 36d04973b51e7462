"""How much each key may do, and that nobody's much delays another's little."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
import uuid_utils

from mutoscope.model.catalog import Catalog
from mutoscope.model.config import Limits, ModelRights, ModelSettings, Rights
from mutoscope.model.job import Generation, Job, Operation, State
from mutoscope.model.problem import Kind, Problem
from mutoscope.service.keys import (
    BUCKETS_KEPT,
    MINUTE,
    ByteQuota,
    Caller,
    RateLimited,
    RateLimiter,
    make_key,
    share_of,
    widest,
)
from mutoscope.wires import ROWS

Start = Callable[..., Any]
IMAGE = "/v1/ai/text-to-image/runway"
STILL = {"rehearsal": True, "script": {"slots": 0}, "inputs": {"probe": "never"}}  # nothing is made or fetched
DAY = 86400.0
RATIOS = {"gpt_image_2": "1920:1088"}


async def key_for(running: Any, name: str, **rights: object) -> str:
    secret, record = make_key(name, msgspec.convert(rights, Rights), now=time.time())
    await running.app.store.add_key(record)
    await running.app.keys.refresh()
    return secret


async def picture_for(running: Any, secret: str, prompt: str = "x") -> Any:
    """A create on Freepik's wire."""
    return await running.client.post(
        IMAGE, json={"prompt": prompt, "ratio": "720:720"}, headers={"x-freepik-api-key": secret}
    )


async def runways_picture(running: Any, secret: str, model: str = "gen4_image") -> Any:
    headers = {"authorization": f"Bearer {secret}", "x-runway-version": "2024-11-06"}
    body = {"model": model, "promptText": "x", "ratio": RATIOS.get(model, "1280:720")}
    return await running.client.post("/v1/text_to_image", json=body, headers=headers)


# -- whose limit holds -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rights", "expected"),
    [
        (Rights(), (5, 50, 9)),
        (Rights(max_concurrent=2, max_daily=20, max_queued=3), (2, 20, 3)),
        (Rights(max_concurrent=0, max_daily=0, max_queued=0), (None, None, None)),
        (Rights(max_concurrent=2, per_model={"gen4_turbo": ModelRights(max_concurrent=1)}), (1, 50, 9)),
        (Rights(max_daily=2, per_model={"gen4_turbo": ModelRights(max_daily=0)}), (5, None, 9)),
        (Rights(per_model={"veo3": ModelRights(max_daily=1)}), (5, 50, 9)),
    ],
)
def test_the_narrower_place_wins(rights: Rights, expected: tuple[int | None, ...]) -> None:
    """The key's own for the model, the key's own, the model's own, [limits]; 0 is none."""
    limits = Limits(max_concurrent=5, max_daily=10, max_queued=9)
    catalog = Catalog(ROWS, {"gen4_turbo": ModelSettings(max_daily=50)}, max_concurrent=5, max_daily=10)
    share = share_of(rights, catalog.get("gen4_turbo"), limits)
    assert (share.concurrency, share.daily, share.queued) == expected


def test_an_owner_with_several_keys_has_the_widest_of_their_limits() -> None:
    assert [widest(each) for each in ([], [3], [3, 5], [3, None])] == [None, 3, 5, None]


# -- requests ------------------------------------------------------------------------------------


def test_a_second_and_a_minute_are_counted_side_by_side() -> None:
    now = [0.0]
    rate_limiter = RateLimiter(5, per_second=2.0, clock=lambda: now[0])
    taken = []
    for at in (0.0, 0.1, 0.2, 1.0, 1.1, 2.0, 2.5, 3.0):
        now[0] = at
        try:
            taken.append(rate_limiter.spend("ann").remaining)
        except RateLimited as limited:
            taken.append(f"wait {limited.allowance.reset_seconds:.1f} of {limited.allowance.limit}")
    assert taken == [1, 0, "wait 0.3 of 2", 1, 0, 0, "wait 9.5 of 5", "wait 9.0 of 5"]


def test_a_keys_own_requests_a_second_win() -> None:
    rate_limiter = RateLimiter(0, per_second=1.0, clock=lambda: 0.0)
    for _ in range(3):
        rate_limiter.spend("ann", Rights(requests_per_second=3.0))
        assert rate_limiter.spend("bob", Rights(requests_per_second=0.0)) is None
    with pytest.raises(RateLimited):
        rate_limiter.spend("ann", Rights(requests_per_second=3.0))


def test_what_one_bucket_refuses_is_not_taken_from_the_other() -> None:
    now = [0.0]
    rate_limiter = RateLimiter(3, per_second=1.0, clock=lambda: now[0])
    for _ in range(9):
        now[0] += 0.05  # far too often for the second's bucket
        with_refusals = 0
        try:
            rate_limiter.spend("ann")
        except RateLimited:
            with_refusals += 1
    now[0] = 2.0
    assert rate_limiter.spend("ann").limit in (1, 3)
    now[0] = 4.0
    assert rate_limiter.spend("ann")


def test_an_owner_whose_keys_have_other_shares_has_one_bucket_for_both() -> None:
    now = [0.0]
    rate_limiter = RateLimiter(0, clock=lambda: now[0])
    wide, narrow = Rights(requests_per_minute=60), Rights(requests_per_minute=6)
    assert [rate_limiter.spend("ann", wide).remaining for _ in range(50)][-1] == 10
    assert rate_limiter.spend("ann", narrow).remaining == 5  # what it holds, less this one
    assert rate_limiter.spend("ann", wide).remaining == 4
    now[0] = 3.0
    assert rate_limiter.spend("ann", narrow).remaining == 5
    with pytest.raises(RateLimited):
        _ = [rate_limiter.spend("ann", rights) for rights in (wide, narrow) * 4]


@pytest.mark.parametrize("rights", [Rights(), Rights(requests_per_minute=0, requests_per_second=0.0)])
def test_no_limit_sets_no_headers(rights: Rights) -> None:
    assert RateLimiter(0).spend("ann", rights) is None
    assert RateLimiter(7).spend("ann", Rights(requests_per_minute=0)) is None


def test_a_clock_that_goes_back_gives_and_takes_nothing() -> None:
    now = [100.0]
    rate_limiter = RateLimiter(2, clock=lambda: now[0])
    rate_limiter.spend("ann")
    now[0] = 0.0
    rate_limiter.spend("ann")
    with pytest.raises(RateLimited):
        rate_limiter.spend("ann")


def test_callers_without_number_do_not_fill_the_memory_nor_empty_busy_buckets() -> None:
    now = [0.0]
    rate_limiter = RateLimiter(2, clock=lambda: now[0])
    for _ in range(2):
        rate_limiter.spend("busy")
    for number in range(9_000):
        rate_limiter.spend(f"10.0.0.{number}")
    now[0] = 59.0
    rate_limiter.spend("busy")
    for number in range(50_000):
        now[0] += 0.01
        rate_limiter.spend(f"10.1.0.{number}")
        if number % 900 == 0:
            rate_limiter._callers["busy"].each[0].tokens = 0.0
            with pytest.raises(RateLimited):
                rate_limiter.spend("busy")
        assert len(rate_limiter._callers) <= BUCKETS_KEPT


async def test_a_keys_own_pace_wins_and_is_told_in_the_vendors_headers(start: Start) -> None:
    async with start(**STILL, limits={"requests_per_minute": 1}) as running:
        slow, fast = await key_for(running, "slow"), await key_for(running, "fast", requests_per_minute=3)
        assert [(await picture_for(running, slow)).status_code for _ in range(2)] == [200, 429]
        answers = [await picture_for(running, fast) for _ in range(4)]
        assert [each.status_code for each in answers] == [200, 200, 200, 429]
        assert [each.headers["x-ratelimit-limit"] for each in answers] == ["3"] * 4
        assert [each.headers["x-ratelimit-remaining"] for each in answers] == ["2", "1", "0", "0"]
        assert 1 <= int(answers[3].headers["retry-after"]) <= 20


async def test_one_owners_keys_share_their_pace(start: Start) -> None:
    async with start(**STILL, limits={"requests_per_minute": 2}) as running:
        one, other = await key_for(running, "ann"), await key_for(running, "ann")
        statuses = [(await picture_for(running, secret)).status_code for secret in (one, other, one, other)]
        assert statuses == [200, 200, 429, 429]


async def test_the_pace_of_one_model_is_not_anothers_nor_another_owners(start: Start) -> None:
    async with start(**STILL) as running:
        once = {name: {"requests_per_minute": 1} for name in RATIOS | {"gen4_image": ""}}
        ann, bob = [await key_for(running, name, per_model=once) for name in ("ann", "bob")]
        calls = [(ann, "gen4_image"), (ann, "gpt_image_2"), (bob, "gen4_image"), (bob, "gen4_image")]
        answers = [await runways_picture(running, secret, model) for secret, model in calls]
        assert [each.status_code for each in answers] == [200, 200, 200, 429]


async def test_creates_of_one_model_have_a_pace_of_their_own(start: Start) -> None:
    async with start(**STILL) as running:
        secret = await key_for(running, "ann", per_model={"gen4_image": {"requests_per_minute": 1}})
        answers = [
            await runways_picture(running, secret, model) for model in ("gen4_image", "gen4_image", "gpt_image_2")
        ]
        assert [each.status_code for each in answers] == [200, 429, 200], answers[2].text
        assert answers[1].headers["retry-after"]
        listed = await running.client.get(IMAGE, headers={"x-freepik-api-key": secret})
        assert listed.status_code == 200


# -- jobs ------------------------------------------------------------------------------------------


async def test_a_keys_own_share_of_unfinished_jobs_wins(start: Start) -> None:
    async with start(**STILL, limits={"max_concurrent": 1}) as running:
        narrow, wide = await key_for(running, "narrow"), await key_for(running, "wide", max_concurrent=2)
        for secret, held in ((narrow, 1), (wide, 2)):
            ids = [(await runways_picture(running, secret)).json()["id"] for _ in range(3)]
            headers = {"authorization": f"Bearer {secret}", "x-runway-version": "2024-11-06"}
            shown = [(await running.client.get(f"/v1/tasks/{id}", headers=headers)).json()["status"] for id in ids]
            assert shown == ["PENDING"] * held + ["THROTTLED"] * (3 - held)


async def test_a_keys_own_jobs_a_day_win_and_are_told_by_runways_organization(start: Start) -> None:
    async with start(**STILL, limits={"max_daily": 1}) as running:
        secret = await key_for(running, "ann", per_model={"gen4_image": {"max_daily": 2}})
        statuses = [(await runways_picture(running, secret)).status_code for _ in range(3)]
        assert statuses == [200, 200, 429]
        headers = {"authorization": f"Bearer {secret}", "x-runway-version": "2024-11-06"}
        told = (await running.client.get("/v1/organization", headers=headers)).json()["tier"]["models"]
        assert told["gen4_image"]["maxDailyGenerations"] == 2
        assert told["gen4_turbo"]["maxDailyGenerations"] == 1


async def test_limits_of_keys_hold_after_a_restart(start: Start) -> None:
    """Throttled jobs are let go by what their owner's keys allow now."""
    async with start(**STILL) as running:
        secret = await key_for(running, "ann", max_concurrent=1)
        for _ in range(3):
            await runways_picture(running, secret)
    async with start(**STILL) as again:
        jobs = await again.app.store.list(wire="runway", owner="ann", route="", limit=9)
        assert [job.throttled for job in jobs] == [True, True, False]


@pytest.mark.parametrize("create", [picture_for, runways_picture])
async def test_a_full_queue_is_told_in_the_vendors_words_and_when_to_come_again(create: Any, start: Start) -> None:
    async with start(**STILL, limits={"max_queued": 2}) as running:
        ann, bob = await key_for(running, "ann"), await key_for(running, "bob", max_queued=0)
        answers = [await create(running, ann) for _ in range(3)]
        assert [each.status_code for each in answers] == [200, 200, 429]
        assert int(answers[2].headers["retry-after"]) > 0
        assert "wait" in answers[2].text
        assert [(await create(running, bob)).status_code for _ in range(3)] == [200] * 3


# -- bytes -------------------------------------------------------------------------------------------


async def test_bytes_of_bodies_and_uploads_are_counted_together(start: Start, picture: bytes) -> None:
    async with start(**STILL) as running:
        secret = await key_for(running, "ann", max_bytes_daily=len(picture) + 300)
        header = {"x-freepik-api-key": secret}
        wish = {"files": [{"content_type": "image/png"}, {"content_type": "image/png"}]}
        opened = await running.client.post("/v1/ai/uploads/request-url", json=wish, headers=header)
        first, second = opened.json()["files"]
        assert (await running.client.put(first["upload_url"], content=picture)).status_code == 204
        refused = await running.client.put(second["upload_url"], content=picture)
        assert refused.status_code == 429
        assert (await picture_for(running, secret)).status_code == 200
        refused = await picture_for(running, secret, "x" * 400)
        assert refused.status_code == 429
        assert 0 < int(refused.headers["retry-after"]) <= DAY
        assert (await running.client.get(IMAGE, headers=header)).status_code == 200


async def test_a_body_that_would_exceed_the_day_is_not_read(start: Start) -> None:
    async with start(**STILL) as running:
        secret = await key_for(running, "ann", max_bytes_daily=100)
        sent = 0

        async def body() -> Any:
            nonlocal sent
            for _ in range(100):
                sent += 1000
                yield b"x" * 1000

        headers = {"x-freepik-api-key": secret, "content-length": "100000"}
        refused = await running.client.post(IMAGE, content=body(), headers=headers)
        assert refused.status_code == 429


async def test_a_body_that_does_not_tell_its_size_is_counted_when_it_is_there(start: Start) -> None:
    async with start(**STILL) as running:
        secret = await key_for(running, "ann", max_bytes_daily=100)

        async def body() -> Any:
            yield b'{"prompt": "' + b"x" * 200
            yield b'"}'

        refused = await running.client.post(IMAGE, content=body(), headers={"x-freepik-api-key": secret})
        assert refused.status_code == 429


async def test_bytes_of_a_day_are_known_after_a_restart(start: Start) -> None:
    async with start(**STILL) as running:
        secret = await key_for(running, "ann", max_bytes_daily=500)
        assert (await picture_for(running, secret, "x" * 300)).status_code == 200
    async with start(**STILL) as again:
        assert (await picture_for(again, secret, "x" * 300)).status_code == 429


class Book:
    """A store's traffic, kept in memory; it may be unable to write."""

    def __init__(self) -> None:
        self.days: dict[tuple[str, str], int] = {}
        self.broken = False

    async def traffic(self, day: str, owner: str) -> int:
        return self.days.get((day, owner), 0)

    async def add_traffic(self, day: str, sent: dict[str, int]) -> dict[str, int]:
        await asyncio.sleep(0)
        if self.broken:
            raise Problem(Kind.UNAVAILABLE, "no")
        for owner, bytes in sent.items():
            self.days[day, owner] = self.days.get((day, owner), 0) + bytes
        return {owner: self.days[day, owner] for owner in sent}


async def test_what_another_process_counted_is_learned_and_a_new_day_is_empty() -> None:
    now, book = [datetime(2026, 5, 1, 12, tzinfo=UTC).timestamp()], Book()
    one, other = (ByteQuota(book, clock=lambda: now[0]) for _ in range(2))
    await one.take("ann", 60, 100)
    await one.flush()
    with pytest.raises(Problem) as refused:
        await other.take("ann", 60, 100)
    assert refused.value.kind is Kind.RATE_LIMITED and refused.value.retry_after == DAY / 2
    now[0] += DAY / 2
    await other.take("ann", 60, 100)
    await one.close()
    await other.close()
    assert book.days == {("2026-05-01", "ann"): 60, ("2026-05-02", "ann"): 60}


async def test_bytes_are_told_for_the_day_on_which_they_came_whichever_way_the_clock_goes() -> None:
    now, book = [datetime(2026, 5, 1, 12, tzinfo=UTC).timestamp()], Book()
    byte_quota = ByteQuota(book, clock=lambda: now[0])
    for hours, bytes in ((0, 60), (12, 90), (-12, 30)):
        now[0] += hours * 3600
        await byte_quota.take("ann", bytes, 100)
    await byte_quota.close()
    assert book.days == {("2026-05-01", "ann"): 90, ("2026-05-02", "ann"): 90}


async def test_bytes_that_cannot_be_told_are_told_later_and_counted_meanwhile() -> None:
    book = Book()
    byte_quota = ByteQuota(book, clock=lambda: 1_800_000_000.0)
    book.broken = True
    await byte_quota.take("ann", 60, 100)
    await byte_quota.flush()
    with pytest.raises(Problem):
        await byte_quota.take("ann", 60, 100)
    book.broken = False
    await byte_quota.close()
    assert list(book.days.values()) == [60]


async def test_the_last_byte_of_a_day_may_be_sent() -> None:
    byte_quota = ByteQuota(Book(), clock=lambda: 1_800_000_000.0)
    await byte_quota.take("ann", 60, 100)
    await byte_quota.take("ann", 40, 100)
    with pytest.raises(Problem):
        await byte_quota.take("ann", 1, 100)
    await byte_quota.close()


async def test_bytes_on_their_way_to_the_store_are_counted() -> None:
    byte_quota = ByteQuota(Book(), clock=lambda: 1_800_000_000.0)
    await byte_quota.take("ann", 60, 100)
    flushing = asyncio.create_task(byte_quota.flush())
    await asyncio.sleep(0)
    with pytest.raises(Problem):
        await byte_quota.take("ann", 60, 100)
    await flushing
    await byte_quota.close()


# -- fair between keys ---------------------------------------------------------------------------------


def job_for(owner: str, prompt: str) -> Job:
    now = time.time()
    generation = Generation(operation=Operation.TEXT_TO_IMAGE, model="gen4_image", prompt=prompt, width=64, height=64)
    return Job(
        id=str(uuid_utils.uuid7()),
        wire="freepik",
        route="text-to-image/runway",
        owner=owner,
        generation=generation,
        engine="script",
        created=now,
        updated=now,
    )


@pytest.mark.parametrize("slots", [1, 3])
async def test_ten_thousand_jobs_of_one_key_delay_anothers_first_by_one_job_a_slot(start: Start, slots: int) -> None:
    scripted = {"models": {"gen4_image": {"engine": "script"}}, "script": {"slots": slots}}
    async with start(**scripted, server={"grace_seconds": 0.1}) as running:
        store = running.app.store
        backlog = await asyncio.gather(*(store.add(job_for("ann", "sleep 0.2")) for _ in range(10_000)))
        running.app.gateway.signals.wake("script")
        async with asyncio.timeout(10):
            while len(running.app.worker.runs) < slots:
                await asyncio.sleep(0.01)
        secret = await key_for(running, "bob")
        before = time.time()
        made = await picture_for(running, secret, "sleep 0.01")
        assert made.status_code == 200
        [bobs] = await store.list(wire="freepik", owner="bob", route="", limit=1)
        job = await running.finished(bobs.id)
        assert job.state is State.SUCCEEDED
        begun = [each for id in backlog[:100] if (each := await store.get(id.id)) and each.started]
        between = [each for each in begun if before < each.started < job.started]
        assert len(between) <= slots  # those that took a slot in the moment before bob's was stored


async def test_every_owner_gets_on_while_one_floods(start: Start) -> None:
    """Thirty of one and three each of four others: the others are through after little more than their own work."""
    scripted = {"models": {"gen4_image": {"engine": "script"}}, "script": {"slots": 2}}
    async with start(**scripted) as running:
        store = running.app.store
        flood = [await store.add(job_for("ann", "sleep 0.05")) for _ in range(30)]
        others = [await store.add(job_for(owner, "sleep 0.05")) for owner in "bcde" for _ in range(3)]
        filed = time.time()  # what a busy machine let the worker begin before the others were there says nothing
        running.app.gateway.signals.wake("script")
        ended = [await running.finished(job.id) for job in others]
        last = max(job.started or 0.0 for job in ended)
        begun = [job.started for each in flood if (job := await store.get(each.id)) and job.started]
        assert sum(filed < each < last for each in begun) <= 8


def test_a_caller_of_an_open_server_has_every_right() -> None:
    assert Caller().rights == Rights()
    assert MINUTE == 60
