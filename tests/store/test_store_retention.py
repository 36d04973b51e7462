"""What is swept when its time is over, what is not, and what is left of an owner who was forgotten."""

import asyncio

import msgspec
import pytest
from store_samples import FAILURE, OUTPUT, T0, make_job, make_upload, pending_deliveries

from mutoscope.model.job import Failure, Generation, Input, Job, Operation, Role, Sent, State
from mutoscope.model.problem import Kind
from mutoscope.store import Kept, KeyRecord, Repeat, SqliteStore, Store

DAY = 86400.0
LONG_AFTER = T0 + 100 * DAY
INPUT = Input(role=Role.FIRST_FRAME, field="image", asset="ab.png")


def generation(*inputs: Input) -> Generation:
    return Generation(operation=Operation.IMAGE_TO_VIDEO, model="wan-2-7", prompt="a lighthouse", inputs=inputs)


async def ended(store: Store, *, inputs: tuple[Input, ...] = (), webhook: bool = False, **fields: object) -> Job:
    """A job that succeeded at T0 + 1."""
    job = await store.add(make_job(generation=generation(*inputs), **fields))
    [claimed] = await store.claim(engine="script", worker="w", lease_seconds=9, limit=1, now=T0)
    assert claimed.id == job.id
    pending_delivery = pending_deliveries("succeeded") if webhook else None
    made = await store.settle(
        job.id, "w", state=State.SUCCEEDED, outputs=(OUTPUT,), cost=5.0, now=T0 + 1, pending_delivery=pending_delivery
    )
    assert made is not None
    return made


async def swept(store: Store, what: Kept, *, before: float = LONG_AFTER, limit: int = 50, **options: object) -> int:
    """How many went, looked at in steps of `limit`."""
    total, after = 0, ""
    while True:
        found = await store.sweep(what, before=before, now=LONG_AFTER, limit=limit, after=after, **options)  # pyright: ignore[reportArgumentType] - options are of many types
        total += found.removed
        if found.after is None:
            return total
        after = found.after


async def drops(store: Store) -> set[str]:
    return set(await store.due_drops(now=LONG_AFTER, limit=100))


async def test_a_job_goes_with_all_that_belongs_to_it_when_its_time_is_over(store: Store) -> None:
    job = await ended(store, inputs=(INPUT,))
    assert await swept(store, Kept.JOBS, before=T0 + 0.5) == 0
    assert await swept(store, Kept.JOBS, dry_run=True) == 1
    assert await store.get(job.id) == job
    assert await swept(store, Kept.JOBS) == 1
    assert await store.get(job.id) is None
    assert store.hot(job.id) is None
    assert await drops(store) == {"ab.png", "cd.mp4"}
    assert await store.needed(["ab.png", "cd.mp4"]) == set()


async def test_what_was_swept_makes_room_in_the_daily_limit(store: Store) -> None:
    _ = await ended(store)
    _ = await store.add(make_job(), daily=3)
    assert await swept(store, Kept.JOBS) == 1
    adds = (store.add(make_job(), daily=3) for _ in range(3))
    outcomes = await asyncio.gather(*adds, return_exceptions=True)
    assert [isinstance(each, Job) for each in outcomes] == [True, True, False]


async def test_what_has_not_ended_is_not_swept_however_old_it_is(store: Store) -> None:
    job = await store.add(make_job(generation=generation(INPUT)))
    for what in (Kept.JOBS, Kept.INPUTS, Kept.OUTPUTS):
        assert await swept(store, what) == 0
    assert await store.get(job.id) == job
    assert await store.needed(["ab.png"]) == {"ab.png"}


@pytest.mark.parametrize("what", [Kept.JOBS, Kept.OUTPUTS])
async def test_an_undelivered_webhook_holds_its_job_and_the_files_it_links_to(store: Store, what: Kept) -> None:
    await ended(store, webhook=True)
    assert await swept(store, what) == 0
    [due] = await store.due_deliveries(now=LONG_AFTER, limit=1, lease_seconds=9)
    await store.record_attempt(
        due.delivery.id, at=LONG_AFTER, status=200, error=None, ms=1, delivered=True, next_due=None
    )
    assert await swept(store, what) == 1


async def test_a_watch_holds_its_job(store: Store) -> None:
    job = await store.add(make_job())
    [_] = await store.claim(engine="script", worker="w", lease_seconds=9, limit=1, now=T0)
    await store.intend(job.id, "w", account="vendor", reference="r", now=T0)
    await store.accept(job.id, number=1, handle={"id": "t"}, status="", due=T0, deadline=T0 + 9, now=T0)
    late = Failure(kind=Kind.TIMED_OUT, message="too long")
    await store.settle_upstream(job.id, state=State.FAILED, failure=late, now=T0 + 9, keep_until=LONG_AFTER)
    assert await swept(store, Kept.JOBS) == 0
    await store.unwatch(job.id, detail="never", now=LONG_AFTER)
    assert await swept(store, Kept.JOBS) == 1
    [sent] = await store.dispatches(job.id)  # what was spent is known for ever
    assert sent.sent is Sent.ACCEPTED


async def test_a_file_of_two_jobs_stays_until_both_are_gone(store: Store) -> None:
    """The second names the first one's output as its input: the same content is the same file."""
    first = await ended(store)
    await store.add(make_job(generation=generation(msgspec.structs.replace(INPUT, asset="cd.mp4"))))
    assert await swept(store, Kept.OUTPUTS) == 1
    assert await drops(store) == set()
    assert await store.needed(["cd.mp4"]) == {"cd.mp4"}
    assert await store.get(first.id) == first  # it is still told; its link says that the file is gone


async def test_a_file_of_an_upload_is_not_removed_with_the_job_that_used_it(store: Store) -> None:
    upload = make_upload(id="u1")
    await store.add_uploads([upload])
    await store.fill_upload("u1", "ab.png", 900, T0 + 1)
    await ended(store, inputs=(INPUT,))
    assert await swept(store, Kept.JOBS) == 1
    assert await drops(store) == {"cd.mp4"}
    assert await swept(store, Kept.UPLOADS, before=upload.expires - 1) == 0
    assert await swept(store, Kept.UPLOADS) == 1
    assert await drops(store) == {"ab.png", "cd.mp4"}


async def test_inputs_and_outputs_have_times_of_their_own(store: Store) -> None:
    job = await ended(store, inputs=(INPUT,))
    assert await swept(store, Kept.INPUTS) == 1
    assert await drops(store) == {"ab.png"}
    assert await swept(store, Kept.OUTPUTS) == 1
    assert await swept(store, Kept.OUTPUTS) == 0
    assert await drops(store) == {"ab.png", "cd.mp4"}
    assert await store.get(job.id) == job


async def test_a_deleted_job_lets_go_of_its_files_at_once(store: Store) -> None:
    job = await ended(store, inputs=(INPUT,))
    assert await store.delete(job.id)
    assert await drops(store) == {"ab.png", "cd.mp4"}


async def test_only_messages_that_are_done_with_are_swept(store: Store) -> None:
    for _ in range(3):
        await ended(store, webhook=True)
    done, given_up, _ = await store.due_deliveries(now=LONG_AFTER, limit=3, lease_seconds=9)
    for each, arrived in ((done, True), (given_up, False)):
        await store.record_attempt(
            each.delivery.id, at=T0 + DAY, status=None, error=None, ms=1, delivered=arrived, next_due=None
        )
    assert await swept(store, Kept.DELIVERIES, before=T0 + DAY - 1) == 0
    assert await swept(store, Kept.DELIVERIES, limit=1) == 2
    [left] = await store.deliveries()
    assert left.delivered is None
    assert await store.attempts(done.delivery.id) == ()


async def test_a_sweep_looks_at_a_bounded_number_of_rows_and_goes_on_behind_them(store: Store) -> None:
    await store.add(make_job())  # the oldest, and it stays
    for _ in range(7):
        await store.cancel((await store.add(make_job())).id, now=T0)
    first = await store.sweep(Kept.JOBS, before=LONG_AFTER, now=LONG_AFTER, limit=3)
    assert (first.removed, first.after is None) == (2, False)
    assert await swept(store, Kept.JOBS, limit=3) == 5
    assert sum((await store.count_by_state()).values()) == 1


async def test_spared_jobs_stay(store: Store) -> None:
    job = await ended(store)
    assert await swept(store, Kept.JOBS, spared={job.id}) == 0


async def test_a_drop_waits_until_it_is_said_to_be_done(store: Store) -> None:
    await ended(store, inputs=(INPUT,))
    await swept(store, Kept.JOBS)
    await store.dropped(["ab.png"], {"cd.mp4": LONG_AFTER + 1})
    assert await drops(store) == set()
    assert await store.due_drops(now=LONG_AFTER + 1, limit=9) == ("cd.mp4",)


async def test_what_is_condemned_is_not_spared_and_what_is_spared_is_not_condemned(store: Store) -> None:
    await ended(store, inputs=(INPUT,))
    await swept(store, Kept.JOBS)
    assert await drops(store) == {"ab.png", OUTPUT.asset}
    assert await store.spare("never.png", until=LONG_AFTER + 9, now=LONG_AFTER)
    assert await store.spare("ab.png", until=LONG_AFTER + DAY, now=LONG_AFTER)
    both = ("ab.png", OUTPUT.asset)
    assert await store.condemn(both, before=LONG_AFTER - 1, now=LONG_AFTER) == set()  # not let go for long enough
    assert await store.condemn(both, before=LONG_AFTER, now=LONG_AFTER) == {OUTPUT.asset}
    assert not await store.spare(OUTPUT.asset, until=LONG_AFTER + DAY, now=LONG_AFTER + 1)
    assert OUTPUT.asset in await store.due_drops(now=LONG_AFTER - DAY, limit=9)  # whoever comes next goes on with it
    await store.dropped([OUTPUT.asset], {})
    assert await store.spare(OUTPUT.asset, until=LONG_AFTER + DAY, now=LONG_AFTER + 2)  # it is gone: to be put anew
    await ended(store, inputs=(INPUT,))
    assert await store.condemn(["ab.png"], before=LONG_AFTER + DAY, now=LONG_AFTER + DAY) == set()  # it is needed again


async def test_idempotency_keys_past_their_time_go(store: Store) -> None:
    await store.add(make_job(), repeat=Repeat(key="k", digest="d", seconds=60))
    assert await swept(store, Kept.REPEATS, before=T0) == 0
    assert await swept(store, Kept.REPEATS) == 1


# Forgetting


async def all_forgotten(store: Store, owner: str) -> int:
    jobs = 0
    while part := await store.forget(owner, limit=2, now=LONG_AFTER):
        jobs += part.jobs
    return jobs


async def test_an_owner_is_forgotten_and_another_is_not(store: Store) -> None:
    mine = [await ended(store, inputs=(INPUT,), webhook=True) for _ in range(3)]
    theirs = await ended(store, owner="bob")
    for name in ("alice", "bob"):
        await store.add_key(KeyRecord(id=f"k-{name}", name=name, digest=name.ljust(64, "0"), prefix="p", created=T0))
        await store.add_uploads([make_upload(id=f"u-{name}", owner=name)])
        await store.add_traffic("2026-01-01", {name: 5})
    assert await all_forgotten(store, "alice") == 3
    assert [await store.get(job.id) for job in mine] == [None] * 3
    assert await store.deliveries() == ()  # those that were owed too
    assert await store.keys(name="alice") == ()
    assert await store.upload("u-alice") is None
    assert await store.traffic("2026-01-01", "alice") == 0
    assert await store.get(theirs.id) == theirs
    assert len(await store.keys()) == 1
    assert await store.upload("u-bob") is not None
    assert await store.traffic("2026-01-01", "bob") == 5
    assert await drops(store) == {"ab.png"}  # cd.mp4 is bob's as well


async def test_money_of_the_forgotten_stays_in_the_books_under_nobodys_name(sqlite: SqliteStore) -> None:
    await ended(sqlite, estimate=7.0)
    assert await swept(sqlite, Kept.JOBS) == 1  # its entries are left
    await ended(sqlite, estimate=7.0)
    theirs = await ended(sqlite, owner="bob")
    removed = 0
    while part := await sqlite.forget("alice", limit=2, now=LONG_AFTER):
        removed += part.entries
    assert removed == 6  # of each job what was set aside, given back and charged
    read = sqlite._read
    sums = list(await read("SELECT owner, sum(amount), count(*) FROM ledger WHERE kind = 'charge' GROUP BY owner", ()))
    assert sums == [(" (forgotten)", 10_000_000, 2), ("bob", 5_000_000, 1)]
    balances = set(await read("SELECT owner, charged, reserved FROM balances WHERE period = ''", ()))
    assert balances == {(" (forgotten)", 10_000_000, 0), ("bob", 5_000_000, 0)}
    assert list(await read("SELECT owner FROM forgotten", ())) == []
    assert await sqlite.get(theirs.id) == theirs


async def test_what_is_set_aside_for_a_job_that_runs_stays_its_owners_until_it_ends(store: Store) -> None:
    job = await store.add(make_job(estimate=25.0))
    _ = await store.claim(engine="script", worker="w", lease_seconds=9, limit=1, now=T0)
    for ends, left in ((False, 25.0), (True, 0.0)):
        if ends:
            _ = await store.settle(job.id, "w", state=State.SUCCEEDED, outputs=(OUTPUT,), cost=5.0, now=T0 + 1)
        await all_forgotten(store, "alice")
        assert {each.owner == "alice" for each in await store.entries(job.id)} == {not ends}
        assert (await store.balance("alice", period="total", now=T0)).reserved == left


async def test_what_a_vendor_still_makes_for_the_forgotten_is_to_be_canceled(store: Store) -> None:
    job = await store.add(make_job())
    [_] = await store.claim(engine="script", worker="w", lease_seconds=9, limit=1, now=T0)
    await store.intend(job.id, "w", account="vendor", reference="r", now=T0)
    await store.accept(job.id, number=1, handle={"id": "t"}, status="", due=T0, deadline=T0 + 9, now=T0)
    assert await store.unfinished("alice", limit=9) == (job.id,)
    await store.settle_upstream(job.id, state=State.FAILED, failure=FAILURE, now=T0 + 9, keep_until=LONG_AFTER)
    assert await all_forgotten(store, "alice") == 1
    [watch] = await store.due_watches(account="vendor", now=LONG_AFTER, limit=9, next_due=lambda _: LONG_AFTER + 9)
    assert (watch.mode.value, watch.handle) == ("cancel", {"id": "t"})
    assert await store.unwatch(job.id, detail="canceled", now=LONG_AFTER)
    [sent] = await store.dispatches(job.id)
    assert sent.detail == ""


async def test_another_process_notices_what_was_removed(sqlite: SqliteStore) -> None:
    other = SqliteStore(sqlite._path)
    await other.open()
    job = await ended(sqlite)
    assert await other.get(job.id) == job
    assert not await other.refresh()
    await all_forgotten(sqlite, "alice")
    assert other.hot(job.id) is not None  # what has ended is believed for ever, but for this
    assert await other.refresh()
    assert await other.get(job.id) is None
    await other.close()
