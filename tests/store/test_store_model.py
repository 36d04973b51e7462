"""Random sequences of transitions, compared step by step with the same rules over plain dictionaries."""

import asyncio
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from store_samples import FAILURE, OUTPUT, STORES, T0, id_at, make_job, pending_deliveries

from mutoscope.model.job import Failure, Job, Mode, Sent, State, Watch
from mutoscope.model.problem import Kind, Problem
from mutoscope.store import Repeat, Store

LEASE = 10.0
OWNERS = st.sampled_from(["alice", "bob"])
WORKERS = st.sampled_from(["w1", "w2"])
ACCOUNTS = st.sampled_from(["a1", "a2"])
PICK = st.integers(0, 30)  # one of the jobs, counted around
OPEN = (Sent.INTENDED, Sent.ACCEPTED, Sent.UNKNOWN)
TIMED_OUT = Failure(kind=Kind.TIMED_OUT, message="It took too long.")
LOST = Failure(kind=Kind.SUBMISSION_UNKNOWN, message="The answer was lost.")


@dataclass
class Asked:
    """What the model knows of a watch. It rests while `due` is None."""

    account: str
    mode: Mode
    due: float | None
    since: float
    deadline: float
    polls: int = 0


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
    engine: str = "script"
    cost: float = 0.0
    unsettled: bool = False
    placeless: bool = False  # it gave its place up when it ended for the first time
    sent: list[tuple[str, Sent]] = field(default_factory=list)  # to which account, and what became of it
    watch: Asked | None = None
    story: list[str] = field(default_factory=list)

    @property
    def held(self) -> bool:
        return not self.state.final and not self.throttled

    @property
    def run(self) -> bool:
        return self.worker in ("w1", "w2")

    @property
    def waits(self) -> bool:
        return self.watch is not None and self.watch.mode is Mode.WAIT and self.watch.due is not None

    @property
    def open(self) -> Sent | None:
        return next((sent for _, sent in self.sent if sent in OPEN), None)

    @property
    def unsure(self) -> bool:
        return self.open in (Sent.INTENDED, Sent.UNKNOWN)

    @property
    def fetched(self) -> bool:
        return self.run and self.watch is not None

    @property
    def left(self) -> bool:
        return self.watch is not None and self.state.final

    @property
    def late(self) -> bool:
        return self.left and self.watch.mode is Mode.LATE and self.unsettled and not self.deleted

    def add_event(self, what: str) -> None:
        if not self.deleted:
            self.story.append(what)


def some(likely: Callable[[Known], bool]) -> Callable[..., Callable[..., None]]:
    """The rule is tried while there is a job to which something would happen."""
    return precondition(lambda self: any(map(likely, self.known)))


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
        self.chosen: Known | None = None  # by `goes_on`
        self.served: dict[tuple[str, str], int] = {}  # (engine, owner) → its last turn

    def run(self, call):
        return self.runner.run(call)

    def teardown(self) -> None:
        self.run(self.store.close())
        self.runner.close()
        self.folder.cleanup()

    def pick(self, number: int, likely: Callable[[Known], bool] = lambda _: True) -> Known:
        """Mostly one of those to which something would happen."""
        if self.chosen is not None:
            return self.chosen
        among = [job for job in self.known if likely(job)] if number % 5 else []
        among = among or self.known
        return among[number % len(among)]

    def pick_run(self, number: int, worker: str, likely: Callable[[Known], bool]) -> tuple[Known, str]:
        """A job, and mostly the worker that runs it."""
        job = self.pick(number, lambda job: job.run and likely(job))
        return job, job.worker if job.run and job.worker and number % 7 else worker

    def next_in_line(self, owner: str) -> None:
        waiting = [job for job in self.known if job.owner == owner and job.throttled]
        if waiting:
            waiting[0].throttled = False

    def end(self, job: Known, state: State) -> None:
        was_throttled, job.throttled = job.throttled, False
        job.state, job.worker = state, None
        job.told.append(state.value)
        job.unsettled = False
        job.cost = 0.0 if state is State.CANCELED else 2.0
        if state is State.SUCCEEDED:
            job.progress = 1.0
        if not was_throttled and not job.placeless:
            self.next_in_line(job.owner)
        job.placeless = True

    def by_turns(self, engine: str, mine: list[Known], queued: list[Known], places: int) -> list[Known]:
        """Whoever has the fewest jobs running goes first; of those who waited longest; then whose job is oldest."""
        running = Counter(job.owner for job in mine if job.state is State.RUNNING)
        waiting, turns = list(queued), list[Known]()
        while waiting and len(turns) < places:
            served = {job.owner: self.served.get((engine, job.owner), 0) for job in waiting}
            turns.append(min(waiting, key=lambda job: (running[job.owner], served[job.owner], job.id)))
            running[turns[-1].owner] += 1
            self.served[engine, turns[-1].owner] = max(self.served.values(), default=0) + 1
            waiting.remove(turns[-1])
        return turns

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

    @rule(worker=WORKERS, limit=st.integers(1, 3), engine=st.sampled_from(["script", "script", "other"]))
    def claim(self, worker: str, limit: int, engine: str) -> None:
        mine = [job for job in self.known if job.engine == engine]
        expired = [job for job in mine if job.state is State.RUNNING and job.leased_until <= self.now]
        expired.sort(key=lambda job: job.leased_until)
        queued = [job for job in mine if job.state is State.QUEUED and not job.throttled]
        # Which of several that ran out at the same moment is taken first is the store's choice.
        if len(expired) > limit:
            return
        taken = expired + self.by_turns(engine, mine, queued, limit - len(expired))
        claimed = self.run(
            self.store.claim(
                engine=engine,
                worker=worker,
                lease_seconds=LEASE,
                limit=limit,
                now=self.now,
                pending_delivery=pending_deliveries("running"),
            )
        )
        assert {job.id for job in claimed} == {job.id for job in taken}
        for job in taken:
            if job.started is None:
                job.started = self.now
                job.told.append("running")
            if job.worker is None or not job.worker.startswith("@"):
                job.progress = None
            job.state, job.worker, job.leased_until = State.RUNNING, worker, self.now + LEASE
            job.attempts += 1

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
            self.let_go(job)
            job.attempts -= not counted

    @precondition(lambda self: self.known)
    @rule(number=PICK, worker=WORKERS, well=st.booleans())
    def settle(self, number: int, worker: str, well: bool) -> None:
        job = self.pick(number)
        state = State.SUCCEEDED if well else State.FAILED
        told = {"outputs": (OUTPUT,)} if well else {"failure": LOST if job.unsure else FAILURE}
        settled = self.run(
            self.store.settle(
                job.id,
                worker,
                state=state,
                now=self.now,
                pending_delivery=pending_deliveries(state.value),
                cost=2.0,
                **told,
            )
        )
        assert (settled is not None) == (job.worker == worker)
        if settled is not None:
            self.end(job, state)
            job.unsettled = job.unsure and not well
            job.watch = None
            if job.story:
                job.add_event("ended")

    @precondition(lambda self: self.known)
    @rule(number=PICK)
    def cancel(self, number: int) -> None:
        job = self.pick(number)
        canceled = self.run(self.store.cancel(job.id, now=self.now, pending_delivery=pending_deliveries("canceled")))
        assert (canceled is not None) == (not job.state.final)
        if canceled is not None:
            self.end(job, State.CANCELED)
            if job.watch is not None:
                job.watch.mode, job.watch.due = Mode.CANCEL, self.now
            if job.story:
                job.add_event("canceled")

    @precondition(lambda self: self.known)
    @rule(number=PICK, owner=st.none() | OWNERS)
    def delete(self, number: int, owner: str | None) -> None:
        job = self.pick(number)
        deleted = self.run(self.store.delete(job.id, owner=owner))
        assert deleted == (job.state.final and not job.deleted and owner in (None, job.owner))
        if deleted:
            job.deleted, job.story = True, []

    @rule()
    def restart(self) -> None:
        self.run(self.store.close())
        self.run(self.store.open())
        running = [job for job in self.known if job.run]
        assert self.run(self.store.recover(now=self.now)) == len(running)
        for job in running:
            self.let_go(job)
        for job in self.known:
            if job.state.final and job.open is Sent.INTENDED:
                job.sent[-1] = (job.sent[-1][0], Sent.UNKNOWN)
        for account in ("a1", "a2"):
            self.look(account)
        all_watches = self.run(self.store.shift(0.0))  # those that rest too
        assert all_watches == sum(job.watch is not None for job in self.known)

    def let_go(self, job: Known) -> None:
        """What was made stays running, for the next worker."""
        if job.watch is None:
            job.state, job.worker, job.progress = State.QUEUED, None, None
        else:
            job.worker, job.leased_until = "@" + job.watch.account, self.now

    # Rules of the jobs that a vendor makes

    @some(lambda job: not job.state.final and not job.throttled)
    @rule(number=PICK, worker=WORKERS, account=ACCOUNTS, steps=st.integers(1, 5))
    def goes_on(self, number: int, worker: str, account: str, steps: int) -> None:
        """The way that most jobs go, and that chance alone seldom finds."""
        job = self.pick(number, lambda job: not job.state.final and not job.throttled)
        for _ in range(steps):
            if job.state.final or job.throttled:
                break
            if job.worker == "@":
                self.now = max(self.now, job.leased_until)
            if not job.run and not job.waits:
                self.claim(worker=worker, limit=99, engine=job.engine)
                continue
            self.chosen = job
            if job.waits:
                self.collect(number=number, links=1)
            elif job.watch is not None:
                self.settle(number=number, worker=job.worker, well=True)
            elif job.open is None:
                self.intend(number=number, worker=job.worker, account=account)
            else:
                self.accept(number=number)
            self.chosen = None

    @some(lambda job: job.run)
    @rule(number=PICK, worker=WORKERS, account=ACCOUNTS)
    def intend(self, number: int, worker: str, account: str) -> None:
        job, worker = self.pick_run(number, worker, lambda job: job.open is None)
        call = self.store.intend(job.id, worker, account=account, reference="r", now=self.now)
        if job.worker == worker and job.open is not None:
            self.refused(call)
            return
        dispatch = self.run(call)
        assert (dispatch is not None) == (job.worker == worker)
        if dispatch is not None:
            job.sent.append((account, Sent.INTENDED))
            job.add_event("intended")
            assert (dispatch.number, dispatch.account) == (len(job.sent), account)

    def refused(self, call) -> None:
        with pytest.raises(Problem) as refused:
            self.run(call)
        assert refused.value.kind is Kind.CONFLICT

    @some(lambda job: job.unsure)
    @rule(number=PICK)
    def accept(self, number: int) -> None:
        job = self.pick(number, lambda job: job.unsure)
        sends = len(job.sent)
        call = self.store.accept(
            job.id,
            number=sends,
            handle={"id": f"{job.id} {sends}"},
            status="PENDING",
            due=self.now + 5,
            deadline=self.now + 100,
            now=self.now,
        )
        account, sent = job.sent[-1] if job.sent else ("", Sent.UNSENT)
        if sent in (Sent.REFUSED, Sent.UNSENT):
            self.refused(call)
            return
        assert self.run(call) == (not job.state.final)
        if sent is Sent.ACCEPTED:
            return
        job.sent[-1] = (account, Sent.ACCEPTED)
        job.add_event("accepted")
        mode = Mode.WAIT
        if job.state.final:
            mode = Mode.LATE if job.state is State.FAILED else Mode.CANCEL
        due = self.now if mode is Mode.CANCEL else self.now + 5
        job.watch = Asked(account, mode, due, self.now, self.now + 100)
        if mode is Mode.WAIT:
            job.attempts -= job.run
            job.state, job.worker, job.leased_until = State.RUNNING, "@" + account, inf

    @some(lambda job: job.unsure)
    @rule(number=PICK, sent=st.sampled_from([Sent.REFUSED, Sent.UNSENT, Sent.UNKNOWN]))
    def resolve(self, number: int, sent: Sent) -> None:
        job = self.pick(number, lambda job: job.unsure)
        happened = self.run(self.store.resolve(job.id, number=len(job.sent), sent=sent, detail="x", now=self.now))
        assert happened == (bool(job.sent) and job.sent[-1][1] in (Sent.INTENDED, Sent.UNKNOWN))
        if happened:
            job.sent[-1] = (job.sent[-1][0], sent)
            if not job.story or job.story[-1] != sent.value:
                job.add_event(sent.value)

    @rule(account=ACCOUNTS, limit=st.integers(1, 3))
    def poll(self, account: str, limit: int) -> None:
        self.look(account)
        due = [job for job in self.watched(account) if job.watch.due <= self.now]
        expected = sorted(job.watch.due for job in due)[:limit]
        taken = self.take(account, self.now, limit, lambda watch: watch.due + 10 * watch.polls)
        assert [watch.due for watch in taken] == expected
        for watch in taken:
            job = next(job for job in due if job.id == watch.job)
            job.watch.polls += 1
            job.watch.due += 10 * job.watch.polls
            assert watch.polls == job.watch.polls

    def look(self, account: str) -> None:
        """At all of an account's watches, by taking them and leaving them where they are."""
        taken = self.take(account, 1e11, 999, lambda watch: watch.due)
        watched = self.watched(account)
        for job in watched:
            job.watch.polls += 1
        assert {watch.job: place_of(watch) for watch in taken} == {job.id: place_of(job.watch) for job in watched}

    def watched(self, account: str) -> list[Known]:
        """Jobs that may become due."""
        mine = [job for job in self.known if job.watch is not None and job.watch.account == account]
        return [job for job in mine if job.watch.due is not None]

    def take(self, account: str, now: float, limit: int, next_due: Callable[[Watch], float]) -> tuple[Watch, ...]:
        return self.run(self.store.due_watches(account=account, now=now, limit=limit, next_due=next_due))

    @some(lambda job: job.watch is not None)
    @rule(number=PICK, seconds=st.sampled_from([0.0, 20.0]))
    def hasten_or_postpone(self, number: int, seconds: float) -> None:
        job = self.pick(number, lambda job: job.watch is not None)
        if seconds > 0:
            happened = self.run(self.store.postpone(job.id, due=self.now + seconds))
        else:
            happened = self.run(self.store.hasten(job.id, now=self.now))
        assert happened == (job.watch is not None and job.watch.due is not None)
        if happened:
            job.watch.due = self.now + seconds if seconds > 0 else min(job.watch.due, self.now)

    @some(lambda job: job.waits)
    @rule(number=PICK, share=st.sampled_from([None, 0.0, 0.25, 0.75]))
    def observe(self, number: int, share: float | None) -> None:
        job = self.pick(number, lambda job: job.waits)
        happened = self.run(self.store.observe(job.id, status="RUNNING", progress=share, now=self.now))
        assert happened == job.waits
        if happened and share is not None:
            job.progress = share

    @some(lambda job: job.waits)
    @rule(number=PICK, links=st.integers(0, 3))
    def collect(self, number: int, links: int) -> None:
        job = self.pick(number, lambda job: job.waits)
        happened = self.run(self.store.collect(job.id, facts={"links": links}, now=self.now))
        assert happened == job.waits
        if happened:
            self.make(job, links)

    def make(self, job: Known, links: int) -> None:
        job.checkpoint["links"] = links
        job.leased_until = self.now
        job.watch.mode, job.watch.due = Mode.WAIT, None
        job.add_event("made")

    @some(lambda job: job.fetched)
    @rule(number=PICK, worker=WORKERS)
    def park(self, number: int, worker: str) -> None:
        job, worker = self.pick_run(number, worker, lambda job: job.fetched)
        happened = self.run(self.store.park(job.id, worker, due=self.now + 7, detail="x", now=self.now))
        assert happened == (job.worker == worker and job.watch is not None)
        if happened:
            job.worker, job.leased_until, job.watch.due = "@" + job.watch.account, inf, self.now + 7
            job.attempts -= 1
            job.add_event("copy_failed")

    @some(lambda job: job.run)
    @rule(number=PICK, worker=WORKERS)
    def defer(self, number: int, worker: str) -> None:
        job, worker = self.pick_run(number, worker, lambda job: job.watch is None)
        call = self.store.defer(job.id, worker, until=self.now + 7, detail="x", now=self.now)
        if job.worker == worker and job.watch is not None:
            self.refused(call)
            return
        happened = self.run(call)
        assert happened == (job.worker == worker)
        if happened:
            job.worker, job.leased_until, job.progress = "@", self.now + 7, None
            job.attempts -= 1
            if not job.story or job.story[-1] != "deferred":
                job.add_event("deferred")

    @some(lambda job: job.run)
    @rule(number=PICK, worker=WORKERS, engine=st.sampled_from(["script", "other"]))
    def reroute(self, number: int, worker: str, engine: str) -> None:
        job, worker = self.pick_run(number, worker, lambda job: job.open is None)
        call = self.store.reroute(job.id, worker, engine=engine, detail="x", now=self.now)
        if job.worker == worker and job.open is not None:
            self.refused(call)
            return
        happened = self.run(call)
        assert happened == (job.worker == worker)
        if happened:
            job.state, job.worker, job.progress, job.engine = State.QUEUED, None, None, engine
            job.attempts -= 1
            job.add_event("rerouted")

    @some(lambda job: job.waits)
    @rule(number=PICK, state=st.sampled_from([State.FAILED, State.FAILED, State.CANCELED]), keep=st.booleans())
    def settle_upstream(self, number: int, state: State, keep: bool) -> None:
        job = self.pick(number, lambda job: job.waits)
        settled = self.run(
            self.store.settle_upstream(
                job.id,
                state=state,
                failure=None if state is State.CANCELED else TIMED_OUT if keep else FAILURE,
                cost=2.0,
                now=self.now,
                keep_until=self.now + 1000 if keep else None,
                pending_delivery=pending_deliveries(state.value),
            )
        )
        assert (settled is not None) == job.waits
        if settled is None:
            return
        self.end(job, state)
        job.cost = 2.0
        if keep:
            job.unsettled = state is State.FAILED
            job.watch.mode, job.watch.deadline = Mode.LATE, self.now + 1000
        else:
            job.watch = None
        job.add_event("overdue" if keep else "ended")

    @some(lambda job: job.late)
    @rule(number=PICK, links=st.integers(0, 3))
    def revive(self, number: int, links: int) -> None:
        job = self.pick(number, lambda job: job.late)
        happened = self.run(self.store.revive(job.id, facts={"links": links}, now=self.now))
        assert happened == job.late
        if happened:
            job.state, job.worker, job.cost = State.RUNNING, "@" + job.watch.account, 0.0
            self.make(job, links)

    @some(lambda job: job.left)
    @rule(number=PICK, cost=st.sampled_from([None, 3.0]))
    def unwatch(self, number: int, cost: float | None) -> None:
        job = self.pick(number, lambda job: job.left)
        happened = self.run(self.store.unwatch(job.id, detail="x", cost=cost, now=self.now))
        assert happened == job.left
        if happened:
            job.watch = None
            job.cost = job.cost if cost is None else cost
            job.add_event("late")

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
        assert (job.checkpoint, job.engine, job.cost or 0.0) == (known.checkpoint, known.engine, known.cost)
        assert (job.finished is not None) == known.state.final
        assert bool(job.outputs) == (known.state is State.SUCCEEDED)
        assert (job.failure is not None) == (known.state is State.FAILED)

    @invariant()
    def every_change_was_told_once(self) -> None:
        told = [(each.delivery.job, each.delivery.event) for each in self.run(self.store.deliveries(limit=999))]
        assert sorted(told) == sorted((job.id, event) for job in self.known for event in job.told)

    @invariant()
    def counts_agree(self) -> None:
        counts = self.run(self.store.count_by_state())
        assert counts == {state: sum(job.state is state and not job.deleted for job in self.known) for state in State}
        for owner in ("alice", "bob"):
            mine = [job for job in self.known if job.owner == owner]
            assert self.run(self.store.made_since(owner, 0.0)).get("wan-2-7", 0) == len(mine)

    @invariant()
    def a_job_is_sent_to_one_vendor_at_a_time(self) -> None:
        for known in self.known:
            dispatches = self.run(self.store.dispatches(known.id))
            assert [(each.account, each.sent) for each in dispatches] == known.sent
            assert sum(each.sent in OPEN for each in dispatches) <= 1
        for account in ("a1", "a2"):
            intended = sum(job.sent[-1:] == [(account, Sent.INTENDED)] for job in self.known)
            assert self.run(self.store.unresolved(account)) == intended

    @invariant()
    def what_a_vendor_makes_is_watched_and_nothing_else(self) -> None:
        for account in ("a1", "a2"):
            assert self.run(self.store.upstream(account)) == sum(job.waits for job in self.watched(account))
        dues = [job.watch.due for job in self.known if job.watch is not None and job.watch.due is not None]
        assert self.run(self.store.next_watch()) == min(dues, default=None)
        for job in self.known:
            parked = job.state is State.RUNNING and job.worker not in (None, "@", "w1", "w2")
            accepted = job.open is Sent.ACCEPTED
            assert not parked or accepted
            if job.watch is not None and not job.state.final:
                assert job.watch.mode is Mode.WAIT
                assert parked or job.run
            if accepted and not job.state.final:
                assert job.watch is not None

    @invariant()
    def the_story_has_a_line_for_each_transition(self) -> None:
        for known in self.known:
            assert [event.what for event in self.run(self.store.events(known.id))] == known.story


def place_of(watch: Watch | Asked) -> tuple[Mode, float | None, float, float, int]:
    return watch.mode, watch.due, watch.since, watch.deadline, watch.polls


LIMIT = st.none() | st.integers(1, 4)
WISHES = st.tuples(OWNERS, st.sampled_from([0.0, 0.001, 1.0, 43_200.0, 86_399.0, 86_401.0]), LIMIT, LIMIT, st.none())
REPEATS = st.builds(
    Repeat, key=st.sampled_from("xy"), digest=st.sampled_from("dde"), seconds=st.just(10.0), replays=st.booleans()
)
REPEATED_WISHES = st.tuples(OWNERS, st.sampled_from([0.0, 4.0, 10.0]), LIMIT, LIMIT, REPEATS)


@pytest.mark.parametrize("name", STORES)
@settings(max_examples=25)
@given(stored=st.lists(WISHES, min_size=2, max_size=16), added=st.lists(WISHES, min_size=2, max_size=16))
def test_limits_are_the_same_for_jobs_added_together_and_one_after_another(name, stored, added) -> None:
    together, one_by_one = (asyncio.run(add_all(name, stored, added, together=each)) for each in (True, False))
    assert together == one_by_one


@pytest.mark.parametrize("name", STORES)
@settings(max_examples=25)
@given(added=st.lists(REPEATED_WISHES, min_size=2, max_size=12))
def test_repeats_are_the_same_for_jobs_added_together_and_one_after_another(name, added) -> None:
    """In the order of time: keys are forgotten by it."""
    added = sorted(added, key=lambda wish: wish[1])
    together, one_by_one = (asyncio.run(add_all(name, [], added, together=each)) for each in (True, False))
    assert together == one_by_one


async def add_all(name: str, stored, added, *, together: bool) -> list[tuple[bool, bool] | Kind]:
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


async def outcome(
    store: Store, owner: str, after: float, concurrency: int | None, daily: int | None, repeat: Repeat | None
) -> tuple[bool, bool] | Kind:
    """Whether the job is throttled, and whether it is a new one; or why it was refused."""
    try:
        job = make_job(owner=owner, at=T0 + after)
        stored = await store.add(job, concurrency=concurrency, daily=daily, repeat=repeat)
    except Problem as problem:
        return problem.kind
    return stored.throttled, stored.id == job.id


@pytest.mark.parametrize("name", STORES)
def test_any_sequence_of_transitions_keeps_the_rules(name: str, pytestconfig: pytest.Config) -> None:
    machine = type(f"Transitions_{name}", (Transitions,), {"store_name": name})
    examples = 2000 if pytestconfig.getoption("--long") else 4 if name == "postgres" else 20
    chosen = settings(max_examples=examples, stateful_step_count=40, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(machine, settings=chosen)
