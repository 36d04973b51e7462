"""What every store does for the jobs that a vendor makes. A new one joins STORES in store_samples.py."""

import asyncio

import msgspec
import pytest
from store_samples import FAILURE, OUTPUT, T0, id_at, make_job, pending_deliveries

from mutoscope.model.job import Dispatch, Event, Failure, Job, Mode, Sent, State, Watch
from mutoscope.model.problem import Kind, Occupied, Problem
from mutoscope.store import UPSTREAM, Repeat, Store

HOUR = 3600.0
TIMED_OUT = Failure(kind=Kind.TIMED_OUT, message="It took too long.")
ALL = {"account": "vendor", "limit": 999, "next_due": lambda watch: watch.due + 10}


async def claim(store: Store, *, worker: str = "w1", limit: int = 1, now: float = T0, **more: object) -> list[Job]:
    return await store.claim(engine="vendor", worker=worker, lease_seconds=30, limit=limit, now=now, **more)


async def intend(store: Store, id: str, worker: str = "w1", now: float = T0) -> Dispatch | None:
    return await store.intend(id, worker, account="vendor", reference=f"ref-{id}", now=now)


async def accept(store: Store, id: str, *, number: int = 1, task: str | None = None, **more: object) -> bool:
    settings = {"handle": {"id": task or f"task-{id}"}, "status": "PENDING", "due": T0 + 5, **more}
    return await store.accept(id, number=number, **{"deadline": T0 + HOUR, "now": T0 + 1, **settings})


async def held(store: Store, **fields: object) -> str:
    """The id of a job that a worker runs."""
    job = await store.add(make_job(engine="vendor", **fields))
    [claimed] = await claim(store)
    assert claimed.id == job.id
    return job.id


async def sent(store: Store, **fields: object) -> str:
    """… whose request is on its way."""
    id = await held(store, **fields)
    assert await intend(store, id) is not None
    return id


async def parked(store: Store, **fields: object) -> str:
    """… that the vendor accepted."""
    id = await sent(store, **fields)
    assert await accept(store, id)
    return id


async def fetched(store: Store, worker: str = "w2") -> str:
    """… and has made, and whose results a worker fetches."""
    id = await parked(store)
    assert await store.collect(id, facts={}, now=T0 + 6)
    [claimed] = await claim(store, worker=worker, now=T0 + 6)
    assert claimed.id == id
    return id


async def late(store: Store) -> str:
    """… or that took so long that it failed."""
    id = await parked(store)
    assert await time_out(store, id) is not None
    return id


async def time_out(store: Store, id: str, **more: object) -> Job | None:
    settings = {"state": State.FAILED, "failure": TIMED_OUT, "now": T0 + HOUR, "keep_until": T0 + 2 * HOUR}
    return await store.settle_upstream(id, **{**settings, **more})


async def shown(store: Store, id: str) -> Job:
    """The job as it is read, which is never older than what is stored."""
    hot, job = store.hot(id), await store.get(id)
    assert job is not None
    assert hot in (None, job)
    return job


async def words(store: Store, id: str) -> list[str]:
    return [event.what for event in await store.events(id)]


async def watches(store: Store, now: float = T0 + 99 * HOUR, **more: object) -> tuple[Watch, ...]:
    """All that are due by then, without moving them."""
    return await store.due_watches(now=now, **{**ALL, "next_due": lambda watch: watch.due, **more})


async def watch_of(store: Store, id: str) -> Watch | None:
    return next((watch for watch in await watches(store) if watch.job == id), None)


# Sending


async def test_an_intent_is_written_by_the_worker_that_holds_the_job(store: Store) -> None:
    id = await held(store)
    assert await intend(store, id, "w2") is None
    dispatch = await intend(store, id)
    assert dispatch == Dispatch(job=id, number=1, account="vendor", reference=f"ref-{id}", sent=Sent.INTENDED, at=T0)
    assert await store.dispatches(id) == (dispatch,)
    assert await store.unresolved("vendor") == 1
    assert await store.unresolved("other") == 0
    assert await intend(store, id_at(T0)) is None


async def test_who_sends_alone_is_refused_while_anothers_fate_is_open(store: Store) -> None:
    first = await sent(store)
    second = await held(store)
    alone = {"account": "vendor", "reference": "r", "now": T0, "alone": True}
    with pytest.raises(Occupied):
        await store.intend(second, "w1", **alone)
    assert await store.dispatches(second) == ()
    assert await store.intend(second, "w2", **alone) is None  # not its job: that is told first
    with pytest.raises(Problem) as refused:
        await store.intend(first, "w1", **alone)  # its own: sent before
    assert refused.value.kind is Kind.CONFLICT
    assert await store.resolve(first, number=1, sent=Sent.UNSENT, detail="x", now=T0)
    assert await store.intend(second, "w1", **{**alone, "account": "other"}) is not None
    assert await store.intend(first, "w1", **alone) is not None


async def test_what_was_left_open_by_jobs_that_ended_or_are_gone_is_found(store: Store) -> None:
    ended, gone, open = await sent(store), await sent(store, owner="bob"), await sent(store)
    for id in (ended, gone):
        assert await store.cancel(id, now=T0)
    _ = await store.forget("bob", limit=9, now=T0)
    assert [each.job for each in await store.left_open("vendor", before=T0 + 1)] == [ended, gone]
    assert await store.left_open("vendor", before=T0) == await store.left_open("other", before=T0 + 1) == ()
    _ = await store.recover(now=T0 + 20, listed=("vendor",))  # somebody asks the vendor for it
    assert len(await store.left_open("vendor", before=T0 + 1)) == 2
    assert await store.resolve(gone, number=1, sent=Sent.UNKNOWN, detail="x", now=T0)
    assert [each.job for each in await store.left_open("vendor", before=T0 + 1)] == [ended]
    for limit in (0, 1):  # nothing is begun, but what may be paid for already is taken
        taken = await claim(store, limit=limit, now=T0 + 20, made_before=T0 - 1)
        assert [job.id for job in taken] == [open][:limit]


@pytest.mark.parametrize("fate", [Sent.INTENDED, Sent.ACCEPTED, Sent.UNKNOWN])
async def test_what_may_have_reached_a_vendor_is_not_sent_again(store: Store, fate: Sent) -> None:
    id = await sent(store)
    if fate is Sent.ACCEPTED:
        assert await accept(store, id)
        assert await store.collect(id, facts={}, now=T0)
        _ = await claim(store)
    elif fate is Sent.UNKNOWN:
        assert await store.resolve(id, number=1, sent=fate, detail="reset", now=T0)
    with pytest.raises(Problem) as refused:
        _ = await intend(store, id)
    assert refused.value.kind is Kind.CONFLICT
    assert len(await store.dispatches(id)) == 1


@pytest.mark.parametrize("fate", [Sent.REFUSED, Sent.UNSENT])
async def test_what_was_not_submitted_is_sent_again_under_the_next_number(store: Store, fate: Sent) -> None:
    id = await sent(store)
    assert await store.resolve(id, number=1, sent=fate, detail="503", now=T0 + 1)
    assert not await store.resolve(id, number=1, sent=fate, detail="503", now=T0 + 2)
    again = await intend(store, id)
    assert again is not None
    assert again.number == 2
    first, second = await store.dispatches(id)
    assert (first.sent, first.answered, first.detail) == (fate, T0 + 1, "503")
    assert second == again
    assert [(each.what, each.account, each.detail) for each in await store.events(id)] == [
        ("intended", "vendor", ""),
        (fate.value, "vendor", "503"),
        ("intended", "vendor", ""),
    ]


async def test_only_one_of_many_intents_is_written(store: Store) -> None:
    id = await held(store)
    results = await asyncio.gather(*(intend(store, id) for _ in range(5)), return_exceptions=True)
    assert [type(result) for result in results] == [Dispatch, *[Problem] * 4]


async def test_a_dispatch_turns_out_in_one_of_three_ways(store: Store) -> None:
    id = await sent(store)
    for wrong in (Sent.INTENDED, Sent.ACCEPTED):
        with pytest.raises(ValueError, match="refused, unsent or unknown"):
            _ = await store.resolve(id, number=1, sent=wrong, detail="", now=T0)
    assert not await store.resolve(id, number=2, sent=Sent.UNSENT, detail="", now=T0)


async def test_an_unknown_answer_can_still_become_known(store: Store) -> None:
    id = await sent(store)
    for _ in range(2):  # said twice, told once
        assert await store.resolve(id, number=1, sent=Sent.UNKNOWN, detail="reset", now=T0)
    assert await store.unresolved("vendor") == 0
    assert await store.resolve(id, number=1, sent=Sent.UNSENT, detail="not in its list", now=T0)
    assert await words(store, id) == ["intended", "unknown", "unsent"]


async def test_an_accepted_job_is_parked_with_the_account(store: Store) -> None:
    id = await sent(store)
    assert await accept(store, id, handle={"id": "t1", "model": "kling"})
    job = await shown(store, id)
    assert (job.state, job.worker, job.upstream_status) == (State.RUNNING, UPSTREAM + "vendor", "PENDING")
    assert await claim(store, now=T0 + 99 * HOUR) == []
    [dispatch] = await store.dispatches(id)
    assert (dispatch.sent, dispatch.answered) == (Sent.ACCEPTED, T0 + 1)
    assert dispatch.handle == {"id": "t1", "model": "kling"}
    assert await watches(store) == (
        Watch(
            job=id,
            account="vendor",
            handle={"id": "t1", "model": "kling"},
            mode=Mode.WAIT,
            due=T0 + 5,
            polls=1,
            since=T0 + 1,
            deadline=T0 + HOUR,
        ),
    )
    assert await store.events(id) == (
        Event(at=T0, what="intended", account="vendor"),
        Event(at=T0 + 1, what="accepted", account="vendor", detail="t1"),
    )


async def test_the_worker_of_an_accepted_job_has_nothing_more_to_say(store: Store) -> None:
    id = await parked(store)
    assert await store.renew(worker="w1", lease_seconds=30, ids=[id], now=T0) == set()
    assert not await store.progress(id, "w1", 0.5)
    assert not await store.checkpoint(id, "w1", {"a": 1})
    assert not await store.release(id, "w1", T0)
    assert not await store.defer(id, "w1", until=T0, detail="", now=T0)
    assert not await store.reroute(id, "w1", engine="x", detail="", now=T0)
    assert not await store.park(id, "w1", due=T0, detail="", now=T0)
    assert await store.settle(id, "w1", state=State.SUCCEEDED, now=T0) is None
    assert await intend(store, id) is None


@pytest.mark.parametrize("place", ["queued", "deferred", "another worker"])
async def test_an_answer_found_later_is_accepted_wherever_the_job_is(store: Store, place: str) -> None:
    id = await sent(store)
    _ = await store.resolve(id, number=1, sent=Sent.UNKNOWN, detail="reset", now=T0)
    if place == "queued":
        assert await store.release(id, "w1", T0)
    elif place == "deferred":
        assert await store.defer(id, "w1", until=T0 + 60, detail="", now=T0)
    else:
        _ = await claim(store, worker="w2", now=T0 + 31)
    assert await accept(store, id)
    assert (await shown(store, id)).worker == UPSTREAM + "vendor"
    assert await claim(store, now=T0 + 99) == []
    assert await store.collect(id, facts={}, now=T0)


async def test_a_job_canceled_while_it_was_sent_is_watched_to_be_canceled(store: Store) -> None:
    id = await sent(store)
    canceled = await store.cancel(id, now=T0)
    assert not await accept(store, id)
    assert await shown(store, id) == canceled
    watch = await watch_of(store, id)
    assert watch is not None
    assert (watch.mode, watch.due) == (Mode.CANCEL, T0 + 1)
    assert (await store.dispatches(id))[0].sent is Sent.ACCEPTED


async def test_a_job_that_failed_meanwhile_is_watched_for_what_it_cost(store: Store) -> None:
    id = await sent(store)
    _ = await store.resolve(id, number=1, sent=Sent.UNKNOWN, detail="", now=T0)
    _ = await store.settle(id, "w1", state=State.FAILED, failure=FAILURE, now=T0)
    assert not await accept(store, id)
    watch = await watch_of(store, id)
    assert watch is not None
    assert (watch.mode, watch.due) == (Mode.LATE, T0 + 5)
    assert not await store.revive(id, facts={}, now=T0)
    assert await store.unwatch(id, detail="made for nobody", cost=25.0, now=T0)
    assert (await shown(store, id)).cost == 25.0


async def test_an_answer_told_twice_is_accepted_once(store: Store) -> None:
    id = await parked(store)
    assert await accept(store, id, due=T0 + 500)
    assert [watch.due for watch in await watches(store)] == [T0 + 5]
    assert await words(store, id) == ["intended", "accepted"]
    with pytest.raises(Problem) as refused:
        _ = await accept(store, id, task="another")
    assert refused.value.kind is Kind.CONFLICT


async def test_what_was_never_sent_cannot_be_accepted(store: Store) -> None:
    id = await sent(store)
    _ = await store.resolve(id, number=1, sent=Sent.REFUSED, detail="", now=T0)
    for number in (1, 2):
        with pytest.raises(Problem) as refused:
            _ = await accept(store, id, number=number)
        assert refused.value.kind is Kind.CONFLICT


async def test_a_vendors_task_is_one_jobs(store: Store) -> None:
    first = await sent(store)
    assert await accept(store, first, task="t1")
    second = await sent(store)
    before = await shown(store, second)
    with pytest.raises(Problem) as refused:
        _ = await accept(store, second, task="t1")
    assert refused.value.kind is Kind.CONFLICT
    assert await shown(store, second) == before
    assert (await store.dispatches(second))[0].sent is Sent.INTENDED


async def test_our_tasks_are_told_from_a_vendors_others(store: Store) -> None:
    for task in ("t1", "t2"):
        assert await accept(store, await sent(store), task=task)
    assert await store.dispatched_ids("vendor", ["t0", "t1", "t2", "t2"]) == {"t1", "t2"}
    assert await store.dispatched_ids("vendor", []) == set()
    assert await store.dispatched_ids("other", ["t1"]) == set()


async def test_the_ledger_is_read_in_pages(store: Store) -> None:
    ids = sorted([await sent(store) for _ in range(3)])
    _ = await store.resolve(ids[1], number=1, sent=Sent.UNSENT, detail="", now=T0)
    _ = await intend(store, ids[1])
    page = await store.all_dispatches(limit=2)
    rest = await store.all_dispatches(after=(page[-1].job, page[-1].number), limit=9)
    expected = [(ids[0], 1), (ids[1], 1), (ids[1], 2), (ids[2], 1)]
    assert [(each.job, each.number) for each in page + rest] == expected


# Waiting


async def test_due_watches_are_taken_oldest_first_and_come_again(store: Store) -> None:
    ids = [await parked(store) for _ in range(3)]
    for id, after in zip(ids, (30, 10, 20), strict=True):
        assert await store.postpone(id, due=T0 + after)
    assert await store.next_watch() == T0 + 10
    taken = await store.due_watches(now=T0 + 25, **ALL)
    assert [(watch.job, watch.due, watch.polls) for watch in taken] == [(ids[1], T0 + 10, 1), (ids[2], T0 + 20, 1)]
    assert await store.due_watches(now=T0 + 19, **ALL) == ()
    again = await store.due_watches(now=T0 + 99, **{**ALL, "limit": 2})
    assert [(watch.job, watch.due, watch.polls) for watch in again] == [(ids[1], T0 + 20, 2), (ids[0], T0 + 30, 1)]
    assert await store.due_watches(now=T0 + 99, **{**ALL, "account": "other"}) == ()


async def test_watches_are_shared_out_among_those_who_ask_at_once(store: Store) -> None:
    for _ in range(6):
        _ = await parked(store)
    asked = {**ALL, "limit": 2, "next_due": lambda watch: watch.due + HOUR}
    taken = await asyncio.gather(*(store.due_watches(now=T0 + 5, **asked) for _ in range(4)))
    assert [len(each) for each in taken] == [2, 2, 2, 0]
    assert len({watch.job for each in taken for watch in each}) == 6


async def test_a_time_that_cannot_be_told_takes_no_watch(store: Store) -> None:
    def broken(_: Watch) -> float:
        raise RuntimeError("no clock")

    id = await parked(store)
    with pytest.raises(RuntimeError):
        _ = await store.due_watches(now=T0 + 5, **{**ALL, "next_due": broken})
    [watch] = await store.due_watches(now=T0 + 5, **ALL)
    assert (watch.job, watch.polls) == (id, 1)


async def test_the_next_watch_is_the_first_of_all_accounts(store: Store) -> None:
    assert await store.next_watch() is None
    for account, after in (("b", 9), ("a", 5), ("c", 7)):
        id = await held(store)
        _ = await store.intend(id, "w1", account=account, reference="", now=T0)
        _ = await accept(store, id, due=T0 + after)
    assert await store.next_watch() == T0 + 5
    assert [await store.upstream(account) for account in "abcd"] == [1, 1, 1, 0]


async def test_a_watch_can_be_hastened_and_postponed(store: Store) -> None:
    id = await parked(store)
    assert await store.hasten(id, now=T0 + 3)
    assert await store.next_watch() == T0 + 3
    assert await store.hasten(id, now=T0 + 4)  # it is due already
    assert await store.next_watch() == T0 + 3
    assert await store.postpone(id, due=T0 + 60)
    assert await store.next_watch() == T0 + 60
    for unknown in (id_at(T0), await held(store)):
        assert not await store.hasten(unknown, now=T0)
        assert not await store.postpone(unknown, due=T0)


async def test_a_clock_that_jumped_moves_every_time_that_is_waited_for(store: Store) -> None:
    id, deferred = await parked(store), await held(store)
    assert await store.defer(deferred, "w1", until=T0 + 60, detail="", now=T0)
    assert await store.shift(HOUR) == 1
    watch = await watch_of(store, id)
    assert watch is not None
    assert (watch.due, watch.since, watch.deadline) == (T0 + 5 + HOUR, T0 + 1 + HOUR, T0 + 2 * HOUR)
    assert await claim(store, now=T0 + 60 + HOUR - 1) == []
    assert [job.id for job in await claim(store, limit=9, now=T0 + 60 + HOUR)] == [deferred]


async def test_news_of_a_job_is_shown(store: Store) -> None:
    id = await parked(store)
    assert await store.observe(id, status="RUNNING", progress=None, now=T0 + 6)
    job = await shown(store, id)
    assert (job.upstream_status, job.progress) == ("RUNNING", None)
    for told, kept in ((0.5, 0.5), (0.505, 0.5), (0.512, 0.512), (None, 0.512), (7.0, 1.0)):
        assert await store.observe(id, status="RUNNING", progress=told, now=T0 + 6)
        assert (await shown(store, id)).progress == kept
    assert await words(store, id) == ["intended", "accepted"]


async def test_news_of_a_job_that_is_not_waited_for_are_no_news(store: Store) -> None:
    canceled, running, made, timed_out = await parked(store), await held(store), await parked(store), await late(store)
    _ = await store.cancel(canceled, now=T0)
    _ = await store.collect(made, facts={}, now=T0)
    for id in (canceled, running, made, timed_out, id_at(T0)):
        before = await store.get(id)
        assert not await store.observe(id, status="RUNNING", progress=0.5, now=T0)
        assert await store.get(id) == before


# Fetching the results


async def test_what_is_made_is_claimed_at_once_and_settled(store: Store) -> None:
    id = await parked(store)
    assert await store.observe(id, status="RUNNING", progress=0.9, now=T0)
    assert await store.collect(id, facts={"links": ["https://x.example/1"]}, now=T0 + 6)
    assert not await store.collect(id, facts={}, now=T0 + 6)
    assert await store.upstream("vendor") == 0
    assert await store.next_watch() is None
    assert not await store.hasten(id, now=T0)
    assert not await store.postpone(id, due=T0)
    [job] = await claim(store, worker="w2", now=T0 + 6, pending_delivery=pending_deliveries("running"))
    assert (job.id, job.checkpoint) == (id, {"links": ["https://x.example/1"]})
    assert (job.progress, job.upstream_status) == (0.9, "RUNNING")
    assert await store.deliveries(job=id) == ()  # it started before
    done = await store.settle(id, "w2", state=State.SUCCEEDED, outputs=(OUTPUT,), cost=5.0, now=T0 + 7)
    assert done is not None
    assert await store.shift(0.0) == 0  # there is no watch left, not even one that rests
    assert [(event.at, event.what) for event in (await store.events(id))[2:]] == [(T0 + 6, "made"), (T0 + 7, "ended")]
    assert (await store.dispatches(id))[0].sent is Sent.ACCEPTED


async def test_who_only_fetches_takes_nothing_that_could_still_be_sent(store: Store) -> None:
    copied, made = await fetched(store), await parked(store)
    _ = await parked(store)  # the vendor is at it
    deferred, unsent = await held(store), await held(store)
    assert await store.defer(deferred, "w1", until=T0 + 5, detail="", now=T0)
    assert await store.collect(made, facts={}, now=T0 + 6)
    queued = await store.add(make_job(engine="vendor"))
    late = {"worker": "w9", "limit": 9, "now": T0 + 99}
    assert [job.id for job in await claim(store, **late, accepted_only=True, held=(copied,))] == [made]
    assert [job.id for job in await claim(store, **late, accepted_only=True)] == [copied]  # its worker is dead
    assert {job.id for job in await claim(store, **late)} == {deferred, unsent, queued.id}


async def test_facts_of_what_is_made_are_added_to_the_checkpoint(store: Store) -> None:
    id = await held(store)
    _ = await store.checkpoint(id, "w1", {"upload": "u1", "links": None})
    _ = await intend(store, id)
    _ = await accept(store, id)
    _ = await store.collect(id, facts={"links": ["a"]}, now=T0)
    [job] = await claim(store)
    assert job.checkpoint == {"upload": "u1", "links": ["a"]}


async def test_results_that_cannot_be_fetched_yet_are_asked_for_again(store: Store) -> None:
    id = await fetched(store)
    assert not await store.park(id, "w1", due=T0 + 60, detail="", now=T0 + 7)
    assert await store.park(id, "w2", due=T0 + 60, detail="the link is dead", now=T0 + 7)
    assert (await shown(store, id)).worker == UPSTREAM + "vendor"
    assert await claim(store, now=T0 + HOUR) == []
    assert await store.next_watch() == T0 + 60
    assert await store.upstream("vendor") == 1
    assert (await store.events(id))[-1] == Event(
        at=T0 + 7, what="copy_failed", account="vendor", detail="the link is dead"
    )
    assert await store.collect(id, facts={}, now=T0 + 60)


async def test_fifty_failed_copies_and_deferrals_are_no_attempts(store: Store) -> None:
    id = await held(store)
    for _ in range(50):
        assert await store.defer(id, "w1", until=T0, detail="busy", now=T0)
        [job] = await claim(store)
        assert job.attempts == 1
    _ = await intend(store, id)
    _ = await accept(store, id)
    for _ in range(50):
        assert await store.collect(id, facts={}, now=T0)
        [job] = await claim(store)
        assert job.attempts == 1
        assert await store.park(id, "w1", due=T0, detail="x", now=T0)


async def test_workers_that_die_over_a_vendors_job_are_counted(store: Store) -> None:
    id = await held(store)
    [again] = await claim(store, worker="w2", now=T0 + 31)
    assert again.attempts == 2
    _ = await store.intend(id, "w2", account="vendor", reference="", now=T0)
    assert await accept(store, id)
    assert (await shown(store, id)).attempts == 1  # the second one lived
    assert await store.collect(id, facts={}, now=T0)
    for attempts in (2, 3, 4):
        [job] = await claim(store, now=T0 + 31 * attempts)
        assert job.attempts == attempts
    _ = await store.recover(now=T0 + 200)
    [job] = await claim(store, now=T0 + 200)
    assert job.attempts == 5


async def test_a_job_whose_results_are_fetched_is_released_as_running(store: Store) -> None:
    id = await fetched(store)
    assert await store.release(id, "w2", T0 + 7, counted=False)
    job = await shown(store, id)
    assert (job.state, job.worker, job.attempts) == (State.RUNNING, UPSTREAM + "vendor", 0)
    assert [job.id for job in await claim(store, worker="w3", now=T0 + 7)] == [id]


# Going on later or elsewhere


async def test_a_deferred_job_stays_running_and_is_claimed_when_its_time_comes(store: Store) -> None:
    id = await held(store)
    assert not await store.defer(id, "w2", until=T0 + 60, detail="", now=T0)
    assert await store.defer(id, "w1", until=T0 + 60, detail="the account is full", now=T0)
    job = await shown(store, id)
    assert (job.state, job.worker) == (State.RUNNING, UPSTREAM)
    assert await store.renew(worker="w1", lease_seconds=9, ids=[id], now=T0) == set()
    assert await claim(store, now=T0 + 59) == []
    assert [job.id for job in await claim(store, now=T0 + 60)] == [id]
    assert await store.defer(id, "w1", until=T0 + 90, detail="the account is full", now=T0 + 60)
    assert await store.events(id) == (Event(at=T0, what="deferred", detail="the account is full"),)


async def test_a_job_that_a_vendor_makes_is_not_deferred(store: Store) -> None:
    id = await fetched(store)
    with pytest.raises(Problem) as refused:
        _ = await store.defer(id, "w2", until=T0, detail="", now=T0)
    assert refused.value.kind is Kind.CONFLICT
    assert (await shown(store, id)).worker == "w2"


async def test_a_rerouted_job_is_queued_for_the_next_engine(store: Store) -> None:
    id = await sent(store)
    with pytest.raises(Problem) as refused:
        _ = await store.reroute(id, "w1", engine="other", detail="", now=T0)
    assert refused.value.kind is Kind.CONFLICT
    _ = await store.resolve(id, number=1, sent=Sent.UNSENT, detail="refused", now=T0)
    assert not await store.reroute(id, "w2", engine="other", detail="", now=T0)
    assert await store.reroute(id, "w1", engine="other", detail="vendor is down", now=T0)
    job = await shown(store, id)
    assert (job.state, job.engine, job.worker, job.attempts) == (State.QUEUED, "other", None, 0)
    assert await claim(store) == []
    [again] = await store.claim(engine="other", worker="w1", lease_seconds=30, limit=9, now=T0)
    assert again.id == id
    assert (await store.events(id))[-1] == Event(at=T0, what="rerouted", account="other", detail="vendor is down")
    second = await store.intend(id, "w1", account="other", reference="", now=T0)
    assert second is not None
    assert second.number == 2


# Ending


async def test_a_job_that_failed_at_the_vendor_ends_and_is_watched_no_more(store: Store) -> None:
    id = await parked(store)
    failed = await store.settle_upstream(
        id, state=State.FAILED, failure=FAILURE, cost=3.0, now=T0 + 9, pending_delivery=pending_deliveries("failed")
    )
    assert failed is not None
    assert (failed.state, failed.failure, failed.cost, failed.finished) == (State.FAILED, FAILURE, 3.0, T0 + 9)
    assert failed.worker is None
    assert await shown(store, id) == failed
    assert [each.delivery.event for each in await store.deliveries(job=id)] == ["failed"]
    assert await watches(store) == ()
    assert await time_out(store, id) is None
    assert (await store.events(id))[-1] == Event(at=T0 + 9, what="ended", account="vendor", detail="failed: not today")


async def test_a_job_canceled_at_the_vendor_ends(store: Store) -> None:
    id = await parked(store)
    canceled = await store.settle_upstream(id, state=State.CANCELED, now=T0 + 9)
    assert canceled is not None
    assert (canceled.state, canceled.cost) == (State.CANCELED, 0.0)


async def test_an_end_at_the_vendor_lets_the_next_in_line_go(store: Store) -> None:
    first, second = [await store.add(make_job(engine="vendor"), concurrency=1) for _ in range(2)]
    _ = await claim(store)
    _ = await intend(store, first.id)
    _ = await accept(store, first.id)
    assert (await shown(store, second.id)).throttled
    assert await time_out(store, first.id) is not None
    assert [job.id for job in await claim(store)] == [second.id]


async def test_what_is_being_fetched_does_not_time_out(store: Store) -> None:
    made = await parked(store)
    _ = await store.collect(made, facts={}, now=T0)
    assert await time_out(store, made) is None
    _ = await claim(store)
    assert await time_out(store, made) is None
    assert await store.park(made, "w1", due=T0, detail="", now=T0)
    assert await time_out(store, made) is not None


async def test_a_job_that_timed_out_is_watched_and_made_after_all(store: Store) -> None:
    id = await parked(store)
    failed = await time_out(store, id, pending_delivery=pending_deliveries("failed"), cost=1.0)
    assert failed is not None
    assert (failed.failure, failed.cost) == (TIMED_OUT, 1.0)
    watch = await watch_of(store, id)
    assert watch is not None
    assert (watch.mode, watch.due, watch.deadline) == (Mode.LATE, T0 + 5, T0 + 2 * HOUR)
    assert await store.upstream("vendor") == 0
    assert await store.revive(id, facts={"links": ["a"]}, now=T0 + HOUR + 9)
    assert not await store.revive(id, facts={}, now=T0 + HOUR + 9)
    job = await shown(store, id)
    assert (job.state, job.failure, job.finished, job.cost) == (State.RUNNING, None, None, None)
    [again] = await claim(store, now=T0 + HOUR + 9)
    assert (again.id, again.checkpoint) == (id, {"links": ["a"]})
    _ = await store.settle(
        id, "w1", state=State.SUCCEEDED, cost=5.0, now=T0 + 2 * HOUR, pending_delivery=pending_deliveries("succeeded")
    )
    assert [each.delivery.event for each in await store.deliveries(job=id)] == ["succeeded", "failed"]
    assert await words(store, id) == ["intended", "accepted", "overdue", "made", "ended"]
    assert await watches(store) == ()


async def test_a_job_whose_answer_was_lost_is_made_after_all(store: Store) -> None:
    id = await sent(store)
    _ = await store.resolve(id, number=1, sent=Sent.UNKNOWN, detail="reset", now=T0)
    unknown = Failure(kind=Kind.SUBMISSION_UNKNOWN, message="The answer was lost.")
    _ = await store.settle(id, "w1", state=State.FAILED, failure=unknown, now=T0)
    assert not await store.revive(id, facts={}, now=T0)
    assert not await accept(store, id)
    assert await store.revive(id, facts={}, now=T0 + 9)
    assert [job.id for job in await claim(store, now=T0 + 9)] == [id]
    assert await words(store, id) == ["intended", "unknown", "ended", "accepted", "made"]


async def test_what_did_not_time_out_here_is_not_revived(store: Store) -> None:
    running, canceled, failed = [await parked(store) for _ in range(3)]
    _ = await store.cancel(canceled, now=T0)
    _ = await time_out(store, failed, failure=FAILURE)
    forgotten = await late(store)
    assert await store.delete(forgotten)
    given_up = await late(store)
    assert await store.unwatch(given_up, detail="", now=T0)
    for id in (running, canceled, failed, forgotten, given_up, id_at(T0)):
        before = await store.get(id)
        assert not await store.revive(id, facts={}, now=T0)
        assert await store.get(id) == before


async def test_canceling_tells_the_vendor_and_learns_the_cost(store: Store) -> None:
    id = await parked(store)
    canceled = await store.cancel(id, now=T0 + 2, pending_delivery=pending_deliveries("canceled"))
    assert canceled is not None
    assert canceled.worker is None
    watch = await watch_of(store, id)
    assert watch is not None
    assert (watch.mode, watch.due) == (Mode.CANCEL, T0 + 2)
    assert await store.upstream("vendor") == 0
    assert not await store.collect(id, facts={}, now=T0)
    assert await time_out(store, id) is None
    assert await store.unwatch(id, detail="too late to cancel", cost=12.5, now=T0 + 9)
    assert not await store.unwatch(id, detail="", cost=99.0, now=T0 + 9)
    assert await shown(store, id) == msgspec.structs.replace(canceled, cost=12.5, updated=T0 + 9)
    assert await watches(store) == ()
    assert await words(store, id) == ["intended", "accepted", "canceled", "late"]


async def test_a_job_canceled_while_its_results_are_fetched_is_watched_again(store: Store) -> None:
    id = await fetched(store)
    _ = await store.cancel(id, now=T0 + 7)
    watch = await watch_of(store, id)
    assert watch is not None
    assert (watch.mode, watch.due) == (Mode.CANCEL, T0 + 7)
    assert await store.settle(id, "w2", state=State.SUCCEEDED, now=T0 + 8) is None


async def test_what_is_waited_for_stays_watched(store: Store) -> None:
    id = await parked(store)
    assert not await store.unwatch(id, detail="", now=T0)
    assert await watch_of(store, id) is not None


async def test_a_deleted_job_leaves_its_ledger_and_what_the_vendor_still_makes(store: Store) -> None:
    id = await parked(store)
    _ = await store.cancel(id, now=T0)
    assert await store.delete(id)
    assert await store.events(id) == ()
    assert len(await store.dispatches(id)) == 1
    assert await watch_of(store, id) is not None
    assert await store.unwatch(id, detail="", cost=2.0, now=T0)
    await store.add_event(id, "trouble", now=T0)
    assert await store.events(id) == ()
    [row] = await store.spending(since=0.0, until=T0 + 1, owner="alice")
    assert row.credits == 2.0


# The story


async def test_a_line_that_says_the_same_is_told_once(store: Store) -> None:
    id = await parked(store)
    for detail in ("502", "502", "503", "502"):
        await store.add_event(id, "trouble", account="vendor", detail=detail, now=T0 + 9)
    assert [event.detail for event in (await store.events(id))[2:]] == ["502", "503", "502"]
    with pytest.raises(ValueError, match="gossip"):
        await store.add_event(id, "gossip", now=T0)
    await store.add_event(id_at(T0), "trouble", now=T0)
    assert await store.events(id_at(T0)) == ()


async def test_a_job_that_never_went_to_a_vendor_has_no_story(store: Store) -> None:
    id = await held(store)
    _ = await store.settle(id, "w1", state=State.SUCCEEDED, now=T0)
    other = await held(store)
    _ = await store.cancel(other, now=T0)
    assert await store.events(id) == await store.events(other) == ()


async def test_a_refused_job_has_a_story_without_a_watch(store: Store) -> None:
    id = await sent(store)
    _ = await store.resolve(id, number=1, sent=Sent.REFUSED, detail="nudity", now=T0)
    _ = await store.settle(id, "w1", state=State.FAILED, failure=FAILURE, now=T0 + 1)
    assert await words(store, id) == ["intended", "refused", "ended"]


# Starting again


async def test_recovering_leaves_what_vendors_make_and_has_results_fetched_again(store: Store) -> None:
    waiting, made, deferred = await parked(store), await parked(store), await held(store)
    _ = await store.defer(deferred, "w1", until=T0 + 60, detail="", now=T0)
    fetching = await fetched(store)
    sending, plain = await sent(store), await held(store)
    assert await store.collect(made, facts={"links": []}, now=T0 + 50)  # by a clock that was ahead
    await store.close()
    await store.open()
    assert await store.recover(now=T0 + 20) == 3
    places = {id: (await shown(store, id)) for id in (waiting, made, deferred, fetching, sending, plain)}
    assert [(job.state, job.worker) for job in places.values()] == [
        (State.RUNNING, "@vendor"),
        (State.RUNNING, "@vendor"),
        (State.RUNNING, "@"),
        (State.RUNNING, "@vendor"),
        (State.QUEUED, None),
        (State.QUEUED, None),
    ]
    assert {job.id for job in await claim(store, limit=9, now=T0 + 20)} == {made, fetching, sending, plain}
    assert [watch.job for watch in await watches(store)] == [waiting]
    assert await store.unresolved("vendor") == 1
    assert deferred in {job.id for job in await claim(store, limit=9, now=T0 + 60)}


# Creates that come again


def again(key: str = "k", digest: str = "d", *, seconds: float = HOUR, replays: bool = True) -> Repeat:
    return Repeat(key=key, digest=digest, seconds=seconds, replays=replays)


async def test_a_repeated_create_gets_the_first_job_as_it_stands(store: Store) -> None:
    job = await store.add(make_job(engine="vendor"), repeat=again())
    [running] = await claim(store)
    assert await store.add(make_job(), repeat=again()) == running
    assert await store.repeated("alice", again(), now=T0) == running
    other = await store.add(make_job(owner="bob"), repeat=again())
    assert other.id != job.id
    assert await store.recent(limit=9) == (other, running)


async def test_a_key_used_for_another_request_is_a_conflict(store: Store) -> None:
    _ = await store.add(make_job(), repeat=again())
    for call in (store.add(make_job(), repeat=again(digest="e")), store.repeated("alice", again(digest="e"), now=T0)):
        with pytest.raises(Problem) as refused:
            _ = await call
        assert refused.value.kind is Kind.CONFLICT
    assert len(await store.recent(limit=9)) == 1


async def test_a_key_is_remembered_for_its_time(store: Store) -> None:
    first = await store.add(make_job(), repeat=again(seconds=60))
    assert (await store.add(make_job(at=T0 + 59), repeat=again())).id == first.id
    assert await store.repeated("alice", again(), now=T0 + 60) is None
    second = await store.add(make_job(at=T0 + 60), repeat=again(digest="e"))
    assert second.id != first.id
    assert await store.repeated("alice", again(digest="e"), now=T0 + 61) == second


async def test_a_request_that_is_new_is_recognised_later(store: Store) -> None:
    first = await store.add(make_job(), repeat=again(replays=False))
    assert await store.repeated("alice", again(replays=False), now=T0) is None
    second = await store.add(make_job(), repeat=again(replays=False))
    assert second.id != first.id
    assert await store.add(make_job(), repeat=again()) == second


async def test_equal_creates_at_the_same_moment_make_one_job(store: Store) -> None:
    jobs = [make_job() for _ in range(6)]
    results = await asyncio.gather(
        *(store.add(job, repeat=again()) for job in jobs),
        store.add(make_job(), repeat=again(digest="e")),
        store.add(make_job(), repeat=again("other")),
        store.add(make_job()),
        return_exceptions=True,
    )
    assert results[:6] == [jobs[0]] * 6
    assert [type(result) for result in results[6:]] == [Problem, Job, Job]
    assert len(await store.recent(limit=99)) == 3


async def test_equal_creates_beside_a_refused_one_make_one_job(store: Store) -> None:
    taken = await store.add(make_job())
    jobs = [make_job(), make_job()]
    adds = [store.add(jobs[0], repeat=again()), store.add(taken), store.add(jobs[1], repeat=again())]
    first, refused, second = await asyncio.gather(*adds, return_exceptions=True)
    assert isinstance(refused, Problem)
    assert first == second == jobs[0]


async def test_a_create_that_was_refused_is_not_remembered(store: Store) -> None:
    _ = await store.add(make_job(), daily=1)
    with pytest.raises(Problem) as refused:
        _ = await store.add(make_job(), daily=1, repeat=again())
    assert refused.value.kind is Kind.QUOTA_EXCEEDED
    taken = await store.add(make_job(owner="bob"))
    with pytest.raises(Problem):
        _ = await store.add(msgspec.structs.replace(taken, owner="alice"), repeat=again())
    assert await store.repeated("alice", again(), now=T0) is None


async def test_a_repeated_create_is_not_limited(store: Store) -> None:
    first = await store.add(make_job(), daily=1, concurrency=1, repeat=again())
    assert await store.add(make_job(), daily=1, concurrency=1, repeat=again()) == first


async def test_a_key_outlives_the_job_it_made(store: Store) -> None:
    job = await store.add(make_job(), repeat=again())
    _ = await store.cancel(job.id, now=T0)
    _ = await store.delete(job.id)
    for call in (store.add(make_job(), repeat=again()), store.repeated("alice", again(), now=T0)):
        with pytest.raises(Problem) as refused:
            _ = await call
        assert refused.value.kind is Kind.CONFLICT


async def test_a_job_canceled_while_no_process_could_be_told_leaves_no_dispatch_on_its_way(store: Store) -> None:
    id = await sent(store)
    _ = await store.cancel(id, now=T0)
    await store.close()
    await store.open()
    assert await store.unresolved("vendor") == 1
    _ = await store.recover(now=T0 + 20)
    assert await store.unresolved("vendor") == 0
    [dispatch] = await store.dispatches(id)
    assert (dispatch.sent, dispatch.answered) == (Sent.UNKNOWN, T0 + 20)


async def test_a_late_success_gives_no_place_away_that_it_did_not_have(store: Store) -> None:
    """Its place went to the next when its time was over."""
    jobs = [await store.add(make_job(), concurrency=1) for _ in range(3)]
    [first] = await store.claim(engine="script", worker="w", lease_seconds=9, limit=9, now=T0)
    _ = await store.intend(first.id, "w", account="vendor", reference="r", now=T0)
    handle = {"id": "t"}
    assert await store.accept(first.id, number=1, handle=handle, status="", due=T0, deadline=T0 + 9, now=T0)
    _ = await store.settle_upstream(first.id, state=State.FAILED, failure=TIMED_OUT, now=T0 + 9, keep_until=T0 + 99)
    assert await throttled(store, jobs) == [False, False, True]
    assert await store.revive(first.id, facts={}, now=T0 + 20)
    [again] = await store.claim(engine="script", worker="w", lease_seconds=9, limit=1, now=T0 + 20)
    assert again.id == first.id
    assert await store.settle(first.id, "w", state=State.SUCCEEDED, outputs=(OUTPUT,), now=T0 + 21)
    assert await throttled(store, jobs) == [False, False, True]


async def throttled(store: Store, jobs: list[Job]) -> list[bool]:
    return [job.throttled for each in jobs if (job := await store.get(each.id))]
