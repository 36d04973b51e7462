"""Random sequences of transitions, compared step by step with the same rules over plain dictionaries."""

import asyncio
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from store_samples import FAILURE, OUTPUT, STORES, T0, id_at, make_job, owing

from mutoscope.job import Job, State
from mutoscope.problem import Kind, Problem
from mutoscope.store import Store

LEASE = 10.0
OWNERS = st.sampled_from(["alice", "bob"])
WORKERS = st.sampled_from(["w1", "w2"])
PICK = st.integers(0, 30)  # one of the jobs, counted around


@dataclass
class Known:
    """What the model knows of a job."""

    id: str
    owner: str
    created: float
    state: State = State.QUEUED
    throttled: bool = False
    worker: str | None = None
    leased_until: float = 0.0
    attempts: int = 0
    started: float | None = None
    progress: float | None = None
    checkpoint: dict[str, int] = field(default_factory=dict)
    deleted: bool = False
    told: list[str] = field(default_factory=list)

    @property
    def held(self) -> bool:
        return not self.state.final and not self.throttled


class Transitions(RuleBasedStateMachine):
    """Subclassed for each store by name."""

    store_name = ""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.runner = asyncio.Runner()
        self.store = STORES[self.store_name](Path(self.folder.name))
        self.run(self.store.open())
        self.now = T0
        self.known: list[Known] = []  # oldest first

    def run(self, call):
        return self.runner.run(call)

    def teardown(self) -> None:
        self.run(self.store.close())
        self.runner.close()
        self.folder.cleanup()

    def pick(self, number: int) -> Known:
        return self.known[number % len(self.known)]

    def next_in_line(self, owner: str) -> None:
        waiting = [job for job in self.known if job.owner == owner and job.throttled]
        if waiting:
            waiting[0].throttled = False

    def end(self, job: Known, state: State) -> None:
        was_throttled, job.throttled = job.throttled, False
        job.state, job.worker = state, None
        job.told.append(state.value)
        if state is State.SUCCEEDED:
            job.progress = 1.0
        if not was_throttled:
            self.next_in_line(job.owner)

    # Rules

    @rule(seconds=st.sampled_from([0.5, LEASE / 2, LEASE + 1, 50_000.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule(owner=OWNERS, concurrency=st.none() | st.integers(1, 3), daily=st.none() | st.integers(1, 6))
    def add(self, owner: str, concurrency: int | None, daily: int | None) -> None:
        id = id_at(self.now)
        peers = [job for job in self.known if job.owner == owner]
        made = sum(job.id >= id_at(self.now - 86400, 0) for job in peers)
        call = self.store.add(make_job(id=id, at=self.now, owner=owner), concurrency=concurrency, daily=daily)
        if daily is not None and made >= daily:
            with pytest.raises(Problem) as refused:
                self.run(call)
            assert refused.value.kind is Kind.QUOTA_EXCEEDED
            return
        throttled = concurrency is not None and sum(job.held for job in peers) >= concurrency
        assert self.run(call).throttled == throttled
        self.known.append(Known(id, owner, self.now, throttled=throttled))

    @rule(worker=WORKERS, limit=st.integers(1, 3))
    def claim(self, worker: str, limit: int) -> None:
        expired = [job for job in self.known if job.state is State.RUNNING and job.leased_until <= self.now]
        expired.sort(key=lambda job: job.leased_until)
        queued = [job for job in self.known if job.state is State.QUEUED and not job.throttled]
        # Which of several that ran out at the same moment is taken first is the store's choice.
        if len(expired) > limit:
            return
        taken = (expired + queued)[:limit]
        claimed = self.run(
            self.store.claim(
                engine="script",
                worker=worker,
                lease_seconds=LEASE,
                limit=limit,
                now=self.now,
                owed=owing("running"),
            )
        )
        assert {job.id for job in claimed} == {job.id for job in taken}
        for job in taken:
            if job.started is None:
                job.started = self.now
                job.told.append("running")
            job.state, job.worker, job.leased_until = State.RUNNING, worker, self.now + LEASE
            job.attempts += 1
            job.progress = None

    @precondition(lambda self: self.known)
    @rule(number=PICK, worker=WORKERS)
    def renew(self, number: int, worker: str) -> None:
        job = self.pick(number)
        held = self.run(self.store.renew(worker=worker, lease_seconds=LEASE, ids=[job.id], now=self.now))
        assert held == ({job.id} if job.worker == worker else set())
        if held:
            job.leased_until = self.now + LEASE

    @precondition(lambda self: self.known)
    @rule(number=PICK, worker=WORKERS, share=st.sampled_from([0.0, 0.5, 1.0]))
    def progress(self, number: int, worker: str, share: float) -> None:
        job = self.pick(number)
        assert self.run(self.store.progress(job.id, worker, share)) == (job.worker == worker)
        if job.worker == worker:
            job.progress = share

    @precondition(lambda self: self.known)
    @rule(number=PICK, worker=WORKERS, fact=st.sampled_from("ab"), value=st.integers(0, 3))
    def checkpoint(self, number: int, worker: str, fact: str, value: int) -> None:
        job = self.pick(number)
        assert self.run(self.store.checkpoint(job.id, worker, {fact: value})) == (job.worker == worker)
        if job.worker == worker:
            job.checkpoint[fact] = value

    @precondition(lambda self: self.known)
    @rule(number=PICK, worker=WORKERS, counted=st.booleans())
    def release(self, number: int, worker: str, counted: bool) -> None:
        job = self.pick(number)
        happened = self.run(self.store.release(job.id, worker, self.now, counted=counted))
        assert happened == (job.worker == worker)
        if happened:
            job.state, job.worker, job.progress = State.QUEUED, None, None
            job.attempts -= not counted

    @precondition(lambda self: self.known)
    @rule(number=PICK, worker=WORKERS, well=st.booleans())
    def settle(self, number: int, worker: str, well: bool) -> None:
        job = self.pick(number)
        state = State.SUCCEEDED if well else State.FAILED
        told = {"outputs": (OUTPUT,)} if well else {"failure": FAILURE}
        settled = self.run(
            self.store.settle(job.id, worker, state=state, now=self.now, owed=owing(state.value), cost=2.0, **told)
        )
        assert (settled is not None) == (job.worker == worker)
        if settled is not None:
            self.end(job, state)

    @precondition(lambda self: self.known)
    @rule(number=PICK)
    def cancel(self, number: int) -> None:
        job = self.pick(number)
        canceled = self.run(self.store.cancel(job.id, now=self.now, owed=owing("canceled")))
        assert (canceled is not None) == (not job.state.final)
        if canceled is not None:
            self.end(job, State.CANCELED)

    @precondition(lambda self: self.known)
    @rule(number=PICK, owner=st.none() | OWNERS)
    def delete(self, number: int, owner: str | None) -> None:
        job = self.pick(number)
        deleted = self.run(self.store.delete(job.id, owner=owner))
        assert deleted == (job.state.final and not job.deleted and owner in (None, job.owner))
        job.deleted = job.deleted or deleted

    @rule()
    def restart(self) -> None:
        self.run(self.store.close())
        self.run(self.store.open())
        running = [job for job in self.known if job.state is State.RUNNING]
        assert self.run(self.store.recover(now=self.now)) == len(running)
        for job in running:
            job.state, job.worker, job.progress = State.QUEUED, None, None

    # What must hold after each

    @invariant()
    def every_job_is_as_the_model_has_it(self) -> None:
        for known in self.known:
            job = self.run(self.store.get(known.id))
            assert (job is None) == known.deleted
            if job is not None:
                self.compare(job, known)

    def compare(self, job: Job, known: Known) -> None:
        assert (job.state, job.throttled, job.worker) == (known.state, known.throttled, known.worker)
        assert (job.attempts, job.started, job.progress) == (known.attempts, known.started, known.progress)
        assert job.checkpoint == known.checkpoint
        assert (job.finished is not None) == known.state.final
        assert bool(job.outputs) == (known.state is State.SUCCEEDED)
        assert (job.failure is not None) == (known.state is State.FAILED)

    @invariant()
    def every_change_was_told_once(self) -> None:
        told = [(each.delivery.job, each.delivery.event) for each in self.run(self.store.deliveries(limit=999))]
        assert sorted(told) == sorted((job.id, event) for job in self.known for event in job.told)

    @invariant()
    def counts_and_usage_agree(self) -> None:
        counts = self.run(self.store.count_by_state())
        assert counts == {state: sum(job.state is state and not job.deleted for job in self.known) for state in State}
        for owner in ("alice", "bob"):
            mine = [job for job in self.known if job.owner == owner]
            assert self.run(self.store.made_since(owner, 0.0)).get("wan-2-7", 0) == len(mine)
            usage = self.run(self.store.owners_usage(owner, since=0.0, until=self.now + 1))
            charged = sum(job.state in (State.SUCCEEDED, State.FAILED) for job in mine)
            assert sum(row.credits for row in usage) == 2.0 * charged


ADDITIONS = st.lists(
    st.tuples(
        st.sampled_from(["alice", "bob"]),
        st.sampled_from([0.0, 0.001, 1.0, 43_200.0, 86_399.0, 86_401.0]),
        st.none() | st.integers(1, 4),
        st.none() | st.integers(1, 4),
    ),
    min_size=2,
    max_size=16,
)


@pytest.mark.parametrize("name", STORES)
@settings(max_examples=25, deadline=None)
@given(stored=ADDITIONS, added=ADDITIONS)
def test_limits_are_the_same_for_jobs_added_together_and_one_after_another(name, stored, added) -> None:
    async def add_all(*, together: bool) -> list[bool | Kind]:
        with tempfile.TemporaryDirectory() as folder:
            store = STORES[name](Path(folder))
            await store.open()
            _ = [await outcome(store, *wish) for wish in stored]
            if together:
                outcomes = await asyncio.gather(*(outcome(store, *wish) for wish in added))
            else:
                outcomes = [await outcome(store, *wish) for wish in added]
            await store.close()
        return outcomes

    assert asyncio.run(add_all(together=True)) == asyncio.run(add_all(together=False))


async def outcome(store: Store, owner: str, after: float, concurrency: int | None, daily: int | None) -> bool | Kind:
    """Whether the job is throttled, or why it was refused."""
    try:
        job = make_job(owner=owner, at=T0 + after)
        return (await store.add(job, concurrency=concurrency, daily=daily)).throttled
    except Problem as problem:
        return problem.kind


@pytest.mark.parametrize("name", STORES)
def test_any_sequence_of_transitions_keeps_the_rules(name: str) -> None:
    machine = type(f"Transitions_{name}", (Transitions,), {"store_name": name})
    quick = settings(max_examples=20, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(machine, settings=quick)
