"""What every store does. A new one joins STORES in store_samples.py."""

import asyncio

import msgspec
import pytest
from store_samples import FAILURE, OUTPUT, T0, full_job, id_at, make_job, make_upload, pending_deliveries

from mutoscope.model.job import Job, State
from mutoscope.model.problem import Kind, Problem
from mutoscope.store import SpendingHold, Store

DAY = 86400.0


HOUR = 3600.0


async def claim(store: Store, *, worker: str = "w1", limit: int = 1, now: float = T0, **more: object) -> list[Job]:
    return await store.claim(engine="script", worker=worker, lease_seconds=30, limit=limit, now=now, **more)


async def succeed(store: Store, id: str, worker: str = "w1", **more: object) -> Job | None:
    settings = {"state": State.SUCCEEDED, "outputs": (OUTPUT,), "now": T0 + 9, **more}
    return await store.settle(id, worker, **settings)


# Adding and reading


async def test_every_field_of_a_new_job_comes_back(store: Store) -> None:
    job = full_job()
    assert await store.add(job) == job
    assert store.hot(job.id) == job
    await store.close()
    await store.open()
    assert await store.get(job.id) == job


async def test_a_job_nobody_added_is_not_there(store: Store) -> None:
    assert store.hot(id_at(T0)) is None
    assert await store.get(id_at(T0)) is None


async def test_the_same_id_is_not_stored_twice(store: Store) -> None:
    job = make_job()
    _ = await store.add(job)
    with pytest.raises(Problem) as refused:
        _ = await store.add(msgspec.structs.replace(job, body=b"other"))
    assert refused.value.kind is Kind.CONFLICT
    assert await store.get(job.id) == job


async def test_a_refused_add_leaves_its_neighbours(store: Store) -> None:
    taken = make_job()
    _ = await store.add(taken)
    jobs = [make_job(), taken, make_job(), make_job(progress=7.0), make_job()]
    results = await asyncio.gather(*(store.add(job) for job in jobs), return_exceptions=True)
    assert [isinstance(result, Job) for result in results] == [True, False, True, False, True]
    assert isinstance(results[1], Problem)
    assert results[1].kind is Kind.CONFLICT
    assert [(await store.get(job.id)) is not None for job in jobs] == [True, True, True, False, True]


async def test_a_list_is_of_one_owner_wire_and_route_and_newest_first(store: Store) -> None:
    mine = [await store.add(make_job()) for _ in range(5)]
    for other in ({"owner": "bob"}, {"wire": "runway"}, {"route": "text-to-image/x"}):
        _ = await store.add(make_job(**other))
    route = mine[0].route
    assert await store.list(wire="freepik", owner="alice", route=route, limit=3) == tuple(mine[:1:-1])
    assert await store.list(wire="freepik", owner="alice", route=route, limit=3, offset=3) == tuple(mine[1::-1])
    assert await store.list(wire="freepik", owner="alice", route=route, limit=3, offset=9) == ()


async def test_a_list_leaves_out_a_job_that_goes_while_it_is_read(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    stay, go = [await store.add(make_job(created=T0 + number)) for number in range(2)]
    read = store._read

    async def read_slowly(sql: str, values: tuple) -> object:
        rows = await read(sql, values)
        if sql.startswith("SELECT id"):
            _ = await store.cancel(go.id, now=T0 + 9), await store.delete(go.id)
        return rows

    monkeypatch.setattr(store, "_read", read_slowly)
    assert [job.id for job in await store.list(wire="freepik", owner="alice", route="", limit=9)] == [stay.id]


async def test_a_list_without_a_route_is_of_the_whole_wire(store: Store) -> None:
    jobs = [await store.add(make_job(route=route)) for route in "abacbcab"]
    _ = await store.add(make_job(owner="bob", route="a"))
    assert await store.list(wire="freepik", owner="alice", route="", limit=99) == tuple(reversed(jobs))
    assert await store.list(wire="freepik", owner="alice", route="", limit=3, offset=2) == tuple(jobs[5:2:-1])


async def test_recent_shows_all_owners_and_can_ask_for_a_state(store: Store) -> None:
    jobs = [await store.add(make_job(owner=owner)) for owner in ("alice", "bob", "carol")]
    canceled = await store.cancel(jobs[1].id, now=T0)
    assert await store.recent(limit=2) == (jobs[2], canceled)
    assert await store.recent(limit=9, state=State.QUEUED) == (jobs[2], jobs[0])
    assert await store.recent(limit=9, state=State.CANCELED) == (canceled,)
    assert await store.recent(limit=9, state=State.FAILED) == ()


async def test_states_are_counted(store: Store) -> None:
    jobs = [await store.add(make_job()) for _ in range(4)]
    _ = await store.cancel(jobs[3].id, now=T0)
    _ = await claim(store, limit=2)
    _ = await succeed(store, jobs[0].id)
    assert await store.count_by_state() == {
        State.QUEUED: 1,
        State.RUNNING: 1,
        State.SUCCEEDED: 1,
        State.FAILED: 0,
        State.CANCELED: 1,
    }


# Limits


async def test_what_exceeds_the_concurrency_waits_its_turn(store: Store) -> None:
    jobs = [await store.add(make_job(), concurrency=2) for _ in range(4)]
    assert [job.throttled for job in jobs] == [False, False, True, True]
    assert [job.id for job in await claim(store, limit=9)] == [jobs[0].id, jobs[1].id]
    _ = await succeed(store, jobs[0].id)
    freed = await store.get(jobs[2].id)
    assert freed is not None
    assert not freed.throttled
    assert [job.id for job in await claim(store, limit=9)] == [jobs[2].id]


async def test_concurrency_counts_what_is_added_at_the_same_moment(store: Store) -> None:
    jobs = await asyncio.gather(*(store.add(make_job(), concurrency=3) for _ in range(8)))
    assert [job.throttled for job in jobs] == [False] * 3 + [True] * 5


async def test_concurrency_is_for_each_owner_and_model(store: Store) -> None:
    _ = await store.add(make_job(), concurrency=1)
    others = [
        await store.add(make_job(owner="bob"), concurrency=1),
        await store.add(make_job(model="x"), concurrency=1),
    ]
    assert [job.throttled for job in others] == [False, False]


async def test_canceling_a_throttled_job_gives_no_place_away(store: Store) -> None:
    jobs = [await store.add(make_job(), concurrency=1) for _ in range(3)]
    canceled = await store.cancel(jobs[1].id, now=T0)
    assert canceled is not None
    assert not canceled.throttled
    waiting = await store.get(jobs[2].id)
    assert waiting is not None
    assert waiting.throttled
    _ = await store.cancel(jobs[0].id, now=T0)
    assert [job.id for job in await claim(store, limit=9)] == [jobs[2].id]


async def test_the_daily_limit_counts_24_hours_back(store: Store) -> None:
    _ = await store.add(make_job(at=T0 - DAY - 1), daily=2)
    _ = await store.add(make_job(at=T0 - DAY + 1), daily=2)
    _ = await store.add(make_job(at=T0), daily=2)
    with pytest.raises(Problem) as refused:
        _ = await store.add(make_job(at=T0), daily=2)
    assert refused.value.kind is Kind.QUOTA_EXCEEDED
    assert "2" in refused.value.message
    _ = await store.add(make_job(at=T0 + 2), daily=2)  # by now the one of yesterday no longer counts


async def test_the_daily_limit_counts_what_is_added_at_the_same_moment(store: Store) -> None:
    adds = (store.add(make_job(), daily=3) for _ in range(5))
    results = await asyncio.gather(*adds, return_exceptions=True)
    assert [isinstance(result, Job) for result in results] == [True, True, True, False, False]


async def test_the_24_hours_move_on_among_jobs_added_at_the_same_moment(store: Store) -> None:
    for _ in range(3):
        _ = await store.add(make_job(at=T0))
    before, after = make_job(at=T0 + DAY - 1), make_job(at=T0 + DAY + 1)
    results = await asyncio.gather(store.add(before, daily=9), store.add(after, daily=4))
    assert results == [before, after]  # the first three count for one of the two


async def test_deleting_makes_no_room_in_the_daily_limit(store: Store) -> None:
    job = await store.add(make_job(), daily=1)
    _ = await store.cancel(job.id, now=T0)
    assert await store.delete(job.id)
    with pytest.raises(Problem):
        _ = await store.add(make_job(), daily=1)


async def test_a_concurrency_of_zero_is_a_mistake(store: Store) -> None:
    with pytest.raises(ValueError, match="1 or more"):
        _ = await store.add(make_job(), concurrency=0)


# Running


async def test_the_oldest_queued_job_is_claimed_once(store: Store) -> None:
    jobs = [await store.add(make_job()) for _ in range(3)]
    _ = await store.add(make_job(engine="studio"))
    first, second = await claim(store, limit=2, now=T0 + 1), await claim(store, worker="w2", limit=9)
    assert [job.id for job in first + second] == [job.id for job in jobs]
    assert first[0] == msgspec.structs.replace(
        jobs[0], state=State.RUNNING, worker="w1", attempts=1, started=T0 + 1, updated=T0 + 1
    )
    assert await store.get(jobs[0].id) == first[0]
    assert await claim(store) == []


async def test_a_lease_that_ran_out_is_taken_over(store: Store) -> None:
    job = await store.add(make_job())
    _ = await claim(store, now=T0)
    assert await claim(store, worker="w2", now=T0 + 29) == []
    [again] = await claim(store, worker="w2", now=T0 + 31)
    assert (again.id, again.worker, again.attempts, again.started) == (job.id, "w2", 2, T0)
    assert await succeed(store, job.id, "w1") is None
    assert await succeed(store, job.id, "w2") is not None


async def test_a_job_that_its_worker_still_has_is_not_taken_again_though_its_lease_ran_out(store: Store) -> None:
    jobs = [await store.add(make_job()) for _ in range(2)]
    taken = [job.id for job in await claim(store, limit=2)]
    assert taken == [job.id for job in jobs]
    assert await claim(store, limit=2, now=T0 + 1e6, held=taken) == []
    [again] = await claim(store, limit=2, now=T0 + 1e6, held=taken[:1])
    assert (again.id, again.attempts) == (taken[1], 2)


async def test_a_clock_that_jumped_moves_leases_and_messages_too(store: Store) -> None:
    job = await store.add(make_job())
    other = await store.add(make_job())
    [claimed] = await claim(store, pending_delivery=pending_deliveries("running"))
    [due] = await store.due_deliveries(now=T0, limit=9, lease_seconds=9)
    await store.record_attempt(due.delivery.id, at=T0, status=500, error="x", ms=1, delivered=False, next_due=T0 + 60)
    assert claimed.id == job.id
    for seconds in (-HOUR, 2 * HOUR):
        assert await store.shift(seconds) == 0  # polls: there are none
    assert await store.next_due() == T0 + 60 + HOUR
    assert [each.id for each in await claim(store, limit=9, now=T0 + HOUR)] == [other.id]


async def test_a_renewed_lease_is_kept_and_a_lost_one_is_told(store: Store) -> None:
    kept, canceled, other = [await store.add(make_job()) for _ in range(3)]
    _ = await claim(store, limit=2)
    _ = await claim(store, worker="w2")
    _ = await store.cancel(canceled.id, now=T0)
    ids = [kept.id, canceled.id, other.id, id_at(T0)]
    assert await store.renew(worker="w1", lease_seconds=30, ids=ids, now=T0 + 20) == {kept.id}
    assert await store.renew(worker="w1", lease_seconds=30, ids=[], now=T0 + 20) == set()
    assert [job.id for job in await claim(store, worker="w3", limit=9, now=T0 + 40)] == [other.id]


async def test_progress_is_the_workers_to_tell(store: Store) -> None:
    job = await store.add(make_job())
    assert not await store.progress(job.id, "w1", 0.5)
    _ = await claim(store)
    assert await store.progress(job.id, "w1", 0.5, upstream_status="RUNNING")
    assert not await store.progress(job.id, "w2", 0.9)
    assert await store.progress(job.id, "w1", None, upstream_status="ALMOST")
    shown = await store.get(job.id)
    assert shown is not None
    assert (shown.progress, shown.upstream_status) == (0.5, "ALMOST")
    assert await store.progress(job.id, "w1", 1.7)
    shown = await store.get(job.id)
    assert shown is not None
    assert shown.progress == 1.0


async def test_what_is_shown_of_a_job_goes_with_the_attempt(store: Store) -> None:
    job = await store.add(make_job())
    assert not await store.show(job.id, "w1", b"early")
    _ = await claim(store)
    assert not await store.show(job.id, "w2", b"not its own")
    assert await store.glimpse(job.id) is None
    assert await store.show(job.id, "w1", b"one") and await store.show(job.id, "w1", b"two")
    assert await store.glimpse(job.id) == b"two"
    assert await store.release(job.id, "w1", T0 + 1)
    assert await store.glimpse(job.id) is None, "nobody is making it"
    _ = await claim(store, worker="w2", now=T0 + 1)
    assert await store.show(job.id, "w2", b"three")
    assert await store.hide(job.id) and not await store.hide(job.id)
    assert await store.glimpse(job.id) is None


async def test_checkpoints_add_up_and_reach_the_next_attempt(store: Store) -> None:
    job = await store.add(make_job())
    assert not await store.checkpoint(job.id, "w1", {"handle": "a"})
    _ = await claim(store)
    assert await store.checkpoint(job.id, "w1", {"intent": True, "handle": None})
    assert await store.checkpoint(job.id, "w1", {"handle": "a"})
    assert not await store.checkpoint(job.id, "w2", {"handle": "b"})
    [again] = await claim(store, worker="w2", now=T0 + 31)
    assert again.checkpoint == {"intent": True, "handle": "a"}


async def test_a_released_job_is_claimed_again(store: Store) -> None:
    job = await store.add(make_job())
    _ = await claim(store)
    assert not await store.release(job.id, "w2", T0)
    assert await store.release(job.id, "w1", T0 + 1)
    assert not await store.release(job.id, "w1", T0 + 1)
    released = await store.get(job.id)
    assert released is not None
    assert (released.state, released.worker, released.attempts) == (State.QUEUED, None, 1)
    assert (await claim(store))[0].attempts == 2
    assert await store.release(job.id, "w1", T0, counted=False)
    assert (await claim(store))[0].attempts == 2


async def test_recovering_queues_what_was_running(store: Store) -> None:
    jobs = [await store.add(make_job()) for _ in range(3)]
    _ = await claim(store, limit=2, now=T0)
    _ = await succeed(store, jobs[0].id)
    assert await store.recover(now=T0 + 1) == 1
    again = await claim(store, worker="w2", limit=9, now=T0 + 2)
    assert [(job.id, job.attempts) for job in again] == [(jobs[1].id, 2), (jobs[2].id, 1)]


async def test_recovering_applies_the_limits_of_today(store: Store) -> None:
    jobs = [await store.add(make_job(), concurrency=1) for _ in range(5)]
    others = [await store.add(make_job(owner="bob"), concurrency=1) for _ in range(3)]
    _ = await store.recover(now=T0, concurrency=lambda owner, _: 3 if owner == "alice" else None)
    claimed = {job.id for job in await claim(store, limit=99)}
    assert claimed == {job.id for job in jobs[:3] + others}


# Ending


async def test_a_job_that_succeeds_shows_its_outputs(store: Store) -> None:
    job = await store.add(make_job(notes=("at create",)))
    _ = await claim(store)
    done = await succeed(store, job.id, notes=("at the end",), cost=12.5)
    assert done == msgspec.structs.replace(
        job,
        state=State.SUCCEEDED,
        attempts=1,
        outputs=(OUTPUT,),
        notes=("at create", "at the end"),
        cost=12.5,
        progress=1.0,
        started=T0,
        updated=T0 + 9,
        finished=T0 + 9,
    )
    assert await store.get(job.id) == done


async def test_a_job_that_fails_says_why(store: Store) -> None:
    job = await store.add(make_job(notes=("at create",)))
    _ = await claim(store)
    failed = await store.settle(job.id, "w1", state=State.FAILED, failure=FAILURE, now=T0)
    assert failed is not None
    assert (failed.state, failed.failure, failed.cost, failed.notes) == (State.FAILED, FAILURE, 0.0, ("at create",))


@pytest.mark.parametrize(
    "wrong",
    [
        {"state": State.FAILED},
        {"state": State.SUCCEEDED, "failure": FAILURE},
        {"state": State.FAILED, "failure": FAILURE, "outputs": (OUTPUT,)},
        {"state": State.QUEUED},
    ],
)
async def test_an_end_that_cannot_be_is_refused_by_the_database(store: Store, wrong: dict[str, object]) -> None:
    job = await store.add(make_job())
    [running] = await claim(store)
    with pytest.raises(Exception, match="constraint"):
        _ = await store.settle(job.id, "w1", now=T0, **wrong)
    assert await store.get(job.id) == running


async def test_a_canceled_job_stays_canceled(store: Store) -> None:
    job = await store.add(make_job())
    _ = await claim(store)
    canceled = await store.cancel(job.id, now=T0 + 5)
    assert canceled is not None
    assert (canceled.state, canceled.finished, canceled.worker) == (State.CANCELED, T0 + 5, None)
    assert await succeed(store, job.id) is None
    assert not await store.progress(job.id, "w1", 0.9)
    assert not await store.checkpoint(job.id, "w1", {"a": 1})
    assert not await store.release(job.id, "w1", T0)
    assert await store.cancel(job.id, now=T0 + 6) is None
    assert await claim(store, now=T0 + 999) == []
    assert await store.get(job.id) == canceled


async def test_only_one_of_many_ends_happens(store: Store) -> None:
    job = await store.add(make_job())
    _ = await claim(store)
    ends = [succeed(store, job.id, pending_delivery=pending_deliveries("succeeded")) for _ in range(5)]
    ends += [store.cancel(job.id, now=T0, pending_delivery=pending_deliveries("canceled")) for _ in range(5)]
    happened = [job for job in await asyncio.gather(*ends) if job is not None]
    assert len(happened) == 1
    assert len(await store.deliveries(job=job.id)) == 1


async def test_only_finished_jobs_are_deleted_and_only_by_their_owner(store: Store) -> None:
    job = await store.add(make_job())
    assert not await store.delete(job.id)
    _ = await store.cancel(job.id, now=T0)
    assert not await store.delete(job.id, owner="bob")
    assert await store.delete(job.id, owner="alice")
    assert not await store.delete(job.id, owner="alice")
    assert store.hot(job.id) is None
    assert await store.get(job.id) is None
    assert await store.list(wire=job.wire, owner="alice", route=job.route, limit=9) == ()
    assert await store.list(wire=job.wire, owner="alice", route="", limit=9) == ()
    assert await store.recent(limit=9) == ()
    assert await store.recent(limit=9, state=State.CANCELED) == ()
    assert (await store.count_by_state())[State.CANCELED] == 0


async def test_a_failed_job_can_be_deleted(store: Store) -> None:
    job = await store.add(make_job())
    _ = await claim(store)
    _ = await store.settle(job.id, "w1", state=State.FAILED, failure=FAILURE, now=T0)
    assert await store.delete(job.id)


# Usage


async def test_usage_is_by_day_and_model(store: Store) -> None:
    for at, model, owner in (
        (T0, "a", "alice"),
        (T0 + 1, "a", "alice"),
        (T0 + 2, "b", "alice"),
        (T0 + DAY, "a", "alice"),
        (T0 + 2 * DAY, "a", "alice"),
        (T0, "a", "bob"),
    ):
        job = await store.add(make_job(at=at, model=model, owner=owner))
        _ = await claim(store, now=at)
        _ = await succeed(store, job.id, cost=5.0, now=at)
    rows = await store.spending(since=T0, until=T0 + 2 * DAY, owner="alice")
    assert [(row.day, row.model, row.jobs, row.credits) for row in rows] == [
        ("2026-09-21", "a", 2, 10.0),
        ("2026-09-21", "b", 1, 5.0),
        ("2026-09-22", "a", 1, 5.0),
    ]
    assert await store.made_since("alice", T0 + 2) == {"a": 2, "b": 1}
    assert await store.made_since("nobody", T0) == {}
    assert await store.spending(since=T0, until=T0 + DAY, owner="nobody") == ()


# Deliveries


async def test_a_message_is_owed_with_the_change(store: Store) -> None:
    job = await store.add(make_job())
    _ = await claim(store, pending_delivery=pending_deliveries("running"), now=T0)
    _ = await succeed(store, job.id, pending_delivery=pending_deliveries("succeeded"), now=T0 + 9)
    told = await store.deliveries(job=job.id)
    assert [(each.delivery.event, each.created, each.due) for each in told] == [
        ("succeeded", T0 + 9, T0 + 9),
        ("running", T0, T0),
    ]
    assert told[0].delivery.body == f"{job.id} succeeded".encode()
    assert await store.next_due() == T0


async def test_the_start_is_told_once(store: Store) -> None:
    job = await store.add(make_job())
    _ = await claim(store, pending_delivery=pending_deliveries("running"))
    _ = await store.release(job.id, "w1", T0, counted=False)
    _ = await claim(store, pending_delivery=pending_deliveries("running"))
    _ = await claim(store, pending_delivery=pending_deliveries("running"), now=T0 + 99)
    assert len(await store.deliveries(job=job.id)) == 1


async def test_a_message_that_cannot_be_made_undoes_the_change(store: Store) -> None:
    def broken(_: Job) -> None:
        raise RuntimeError("no words")

    job = await store.add(make_job())
    [running] = await claim(store)
    results = await asyncio.gather(
        store.add(make_job()),
        succeed(store, job.id, pending_delivery=broken),
        store.add(make_job()),
        return_exceptions=True,
    )
    assert [type(result) for result in results] == [Job, RuntimeError, Job]
    assert await store.get(job.id) == running


async def deliver_to(store: Store, *urls: str) -> list[str]:
    """Jobs that ended, each owing a message to one of the urls; the ids of the messages."""
    ids: list[str] = []
    for url in urls:
        job = await store.add(make_job())
        _ = await store.cancel(job.id, now=T0, pending_delivery=pending_deliveries("canceled", url))
        ids += [each.delivery.id for each in await store.deliveries(job=job.id)]
    return ids


async def due(store: Store, now: float = T0, **more: object) -> list[str]:
    found = await store.due_deliveries(now=now, lease_seconds=60, **{"limit": 99, **more})
    return [each.delivery.id for each in found]


async def attempt(
    store: Store, id: str, *, at: float = T0, delivered: bool = False, next_due: float | None = None
) -> bool:
    status, error = (200, None) if delivered else (None, "timed out")
    return await store.record_attempt(
        id, at=at, status=status, error=error, ms=12.5, delivered=delivered, next_due=next_due
    )


async def test_a_message_is_leased_to_one_deliverer(store: Store) -> None:
    ids = await deliver_to(store, "https://a.example/", "https://b.example/")
    assert await due(store, T0 - 1) == []
    assert await due(store, limit=1) == ids[:1]
    assert await due(store) == ids[1:]
    assert await due(store, T0 + 59) == []
    assert await store.next_due() == T0 + 60
    assert await due(store, T0 + 60) == ids


async def test_a_failed_attempt_is_tried_again_and_a_success_ends_it(store: Store) -> None:
    [id] = await deliver_to(store, "https://a.example/")
    _ = await due(store)
    assert await attempt(store, id, next_due=T0 + 5)
    assert await store.next_due() == T0 + 5
    assert await due(store, T0 + 4) == []
    [again] = await store.due_deliveries(now=T0 + 5, limit=9, lease_seconds=60)
    assert again.attempts == 1
    assert await attempt(store, id, at=T0 + 6, delivered=True)
    assert await store.next_due() is None
    [record] = await store.deliveries()
    assert (record.delivered, record.given_up, record.attempts) == (T0 + 6, None, 2)
    assert (await store.delivery(id), await store.delivery("whk_none")) == (record, None)
    tried = await store.attempts(id)
    assert [(each.number, each.at, each.status, each.error, each.ms) for each in tried] == [
        (1, T0, None, "timed out", 12.5),
        (2, T0 + 6, 200, None, 12.5),
    ]


async def test_without_a_next_time_it_is_given_up_until_replayed(store: Store) -> None:
    [id] = await deliver_to(store, "https://a.example/")
    _ = await attempt(store, id, at=T0 + 1)
    [record] = await store.deliveries()
    assert (record.given_up, record.delivered) == (T0 + 1, None)
    assert await store.deliveries(pending_only=True) == ()
    assert await due(store, T0 + 99) == []
    assert await store.replay(id, T0 + 100)
    [again] = await store.due_deliveries(now=T0 + 100, limit=9, lease_seconds=60)
    assert (again.delivery, again.attempts) == (record.delivery, 0)
    _ = await attempt(store, id, at=T0 + 101, delivered=True)
    assert [each.number for each in await store.attempts(id)] == [1, 2]


async def test_a_late_failure_does_not_undo_a_delivery(store: Store) -> None:
    [id] = await deliver_to(store, "https://a.example/")
    _ = await attempt(store, id, delivered=True)
    _ = await attempt(store, id, at=T0 + 9, next_due=T0 + 10)
    [record] = await store.deliveries()
    assert (record.delivered, record.given_up) == (T0, None)
    assert len(await store.attempts(id)) == 2


async def test_what_nobody_owes_cannot_be_recorded_or_replayed(store: Store) -> None:
    assert not await attempt(store, "msg_none", delivered=True)
    assert not await store.replay("msg_none", T0)


async def test_one_receiver_does_not_hide_the_others(store: Store) -> None:
    slow = await deliver_to(store, *["https://slow.example/x"] * 5)
    [other] = await deliver_to(store, "https://other.example/")
    assert await due(store, per_receiver=2) == [*slow[:2], other]
    assert await due(store, per_receiver=2) == []
    _ = await attempt(store, slow[0], delivered=True)
    assert await due(store, per_receiver=2) == [slow[2]]


async def test_hosts_that_do_not_answer_have_one_place_each_and_few_together(store: Store) -> None:
    hosts = {name: await deliver_to(store, *[f"https://{name}.example/"] * 3) for name in ("a", "b", "c", "sound")}
    dead = {"failing": ["a.example", "b.example", "c.example"], "failing_limit": 2, "per_receiver": 2}
    assert await due(store, **dead) == [hosts["a"][0], hosts["b"][0], *hosts["sound"][:2]]
    assert await due(store, **dead) == []
    _ = await attempt(store, hosts["a"][0])
    assert await due(store, **dead) == [hosts["a"][1]]


async def test_where_places_are_few_each_host_has_one_before_any_has_two(store: Store) -> None:
    old = await deliver_to(store, *["https://old.example/"] * 4)
    new = await deliver_to(store, *["https://new.example/"] * 4)
    assert await due(store, per_receiver=4, limit=3) == [*old[:2], new[0]]
    assert await due(store, per_receiver=4, limit=1) == [new[1]]


async def test_recovering_sends_again_what_was_under_way(store: Store) -> None:
    [id] = await deliver_to(store, "https://a.example/")
    _ = await due(store)
    _ = await store.recover(now=T0 + 1)
    assert await due(store, T0 + 1) == [id]


async def test_what_is_owed_survives_its_job(store: Store) -> None:
    job = await store.add(make_job())
    _ = await claim(store, pending_delivery=pending_deliveries("running"))
    _ = await store.cancel(job.id, now=T0, pending_delivery=pending_deliveries("canceled"))
    pending_delivery, done = await store.deliveries(job=job.id)
    _ = await attempt(store, done.delivery.id, delivered=True)
    assert await store.delete(job.id)
    assert [each.delivery for each in await store.deliveries()] == [pending_delivery.delivery]
    assert await store.attempts(done.delivery.id) == ()
    assert await due(store) == [pending_delivery.delivery.id]
    assert await attempt(store, pending_delivery.delivery.id, delivered=True)
    assert await store.deliveries() == ()


# Uploads


async def test_a_slot_is_filled_once_and_in_time(store: Store) -> None:
    slot, late = make_upload(), make_upload(name=None)
    await store.add_uploads((slot, late))
    assert await store.upload(slot.id) == slot
    assert await store.fill_upload(slot.id, "ab.png", 900, T0 + 1)
    assert not await store.fill_upload(slot.id, "cd.png", 900, T0 + 1)
    assert not await store.fill_upload(late.id, "ab.png", 900, T0 + 60)
    assert not await store.fill_upload(id_at(T0), "ab.png", 900, T0)
    assert await store.upload(slot.id) == msgspec.structs.replace(slot, asset="ab.png", bytes=900)
    assert await store.upload(late.id) == late
    assert await store.upload(id_at(T0)) is None


async def test_slots_are_listed_newest_first(store: Store) -> None:
    slots = [make_upload(created=T0 + number // 2) for number in range(4)]
    await store.add_uploads([*slots, make_upload(owner="bob"), make_upload(wire="freepik")])
    assert await store.uploads(wire="runway", owner="alice", limit=3) == tuple(slots[:0:-1])


async def test_of_many_slots_all_are_stored_or_none(store: Store) -> None:
    taken, fresh = make_upload(), make_upload()
    await store.add_uploads([taken])
    with pytest.raises(Problem) as refused:
        await store.add_uploads([fresh, taken])
    assert refused.value.kind is Kind.CONFLICT
    assert await store.upload(fresh.id) is None


# Opening and closing


async def test_closing_writes_what_is_waiting(store: Store) -> None:
    job = make_job()
    adding = asyncio.ensure_future(store.add(job))
    await asyncio.sleep(0)
    await store.close()
    assert await adding == job
    with pytest.raises(Problem) as refused:
        _ = await store.add(make_job())
    assert refused.value.kind is Kind.UNAVAILABLE
    await store.open()
    assert await store.recent(limit=9) == (job,)


async def test_a_caller_that_gives_up_harms_nobody(store: Store) -> None:
    impatient, patient = asyncio.ensure_future(store.add(make_job())), asyncio.ensure_future(store.add(make_job()))
    await asyncio.sleep(0)
    _ = impatient.cancel()
    assert isinstance(await patient, Job)
    assert impatient.cancelled()


async def test_what_a_key_holds_is_counted_right_through_a_jobs_life(store: Store) -> None:
    for _ in range(3):
        _ = await store.add(make_job(owner="alice"), concurrency=2)
    [first] = await claim(store, limit=1)
    _ = await store.release(first.id, "w1", T0)
    with pytest.raises(Problem) as refused:
        _ = await store.add(make_job(owner="alice"), queued=3)
    assert refused.value.kind is Kind.RATE_LIMITED
    [first, second] = await claim(store, limit=9)
    _ = await store.settle(first.id, "w1", state=State.SUCCEEDED, now=T0)  # lets the throttled one go
    _ = await store.cancel(second.id, now=T0)
    added = [await store.add(make_job(owner="alice"), concurrency=2, queued=3) for _ in range(2)]
    assert [job.throttled for job in added] == [False, True]
    await store.close()
    await store.open()
    assert (await store.add(make_job(owner="alice"), concurrency=2, queued=4)).throttled
    with pytest.raises(Problem):
        _ = await store.add(make_job(owner="alice"), queued=4)


# -- jobs that wait to be told what to make ---------------------------------------------


async def test_a_job_takes_the_place_of_one_that_no_engine_has_once(store: Store) -> None:
    waiting = make_job(engine="", state=State.CANCELED, finished=T0, cost=0.0)
    await store.add(waiting)
    assert await claim(store) == []
    answer = msgspec.structs.replace(make_job(), id=waiting.id)
    outcomes = await asyncio.gather(*(store.add(answer, replaces=True) for _ in range(2)), return_exceptions=True)
    assert [isinstance(each, Problem) and each.kind is Kind.CONFLICT for each in outcomes] == [False, True]
    assert await store.get(waiting.id) == answer
    assert len(await store.list(wire="freepik", owner="alice", route="", limit=9)) == 1


async def test_no_other_job_is_replaced(store: Store) -> None:
    known = make_job()
    await store.add(known)
    for id in (known.id, make_job().id):
        with pytest.raises(Problem) as refused:
            await store.add(msgspec.structs.replace(make_job(), id=id), replaces=True)
        assert refused.value.kind is Kind.CONFLICT
    assert await store.get(known.id) == known


async def test_what_takes_a_place_is_held_to_the_limits_and_leaves_it_where_it_is_refused(store: Store) -> None:
    waiting = make_job(engine="", state=State.CANCELED, finished=T0, cost=0.0)
    await store.add(waiting)
    with pytest.raises(Problem) as refused:
        await store.add(
            msgspec.structs.replace(make_job(), id=waiting.id),
            replaces=True,
            hold=SpendingHold(credits=5.0, budget=1.0, period="day"),
        )
    assert refused.value.kind is Kind.OVER_BUDGET
    assert await store.get(waiting.id) == waiting
