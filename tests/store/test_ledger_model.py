"""Whatever happens to jobs, and in whatever order: each is charged once at most, what was set aside for it is given
back once, and an owner's balance is the sum of their entries."""

import asyncio
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from store_samples import FAILURE, OUTPUT, STORES, T0, id_at, make_job

from mutoscope.model.job import Failure, Sent, State
from mutoscope.model.problem import Kind, Problem
from mutoscope.store import SpendingHold

OWNERS = ("alice", "bob")
PERIODS = {"day": 10, "month": 7, "total": 0}  # and how many characters of a date tell which one it is
TIMED_OUT = Failure(kind=Kind.TIMED_OUT, message="It took too long.")
LOST = Failure(kind=Kind.SUBMISSION_UNKNOWN, message="The answer was lost.")
PICK = st.integers(0, 99)
COSTS = st.sampled_from([0.0, 0.1, 2.0, 7.25])


@dataclass
class Known:
    """What the model knows of a job."""

    id: str
    owner: str
    reserve: float
    place: str = "queued"  # running, at the vendor, made, ended
    watch: str | None = None  # after its end: late or cancel
    lost: bool = False  # the answer to its submission
    sent: bool = False
    deleted: bool = False
    has_ended: bool = False  # at least once: a late success makes it run again
    owes: float = 0.0  # what is known for good to be charged
    perhaps: float = 0.0  # what is charged if no more is heard


def some(fits: Callable[[Known], bool]) -> Callable[..., Callable[..., None]]:
    """A rule for one of the jobs that fit, while there is any."""

    def decorate(work: Callable[..., None]) -> Callable[..., None]:
        def chosen(self: "Money", number: int, **arguments: object) -> None:
            among = [job for job in self.known if fits(job)]
            work(self, among[number % len(among)], **arguments)

        return precondition(lambda self: any(map(fits, self.known)))(
            rule(number=PICK, **EXTRA.get(work.__name__, {}))(chosen)
        )

    return decorate


EXTRA = {
    "succeeds": {"cost": COSTS},
    "vendor_fails": {"cost": COSTS},
    "overdue": {"cost": COSTS},
    "last_word": {"cost": st.none() | COSTS},
}
"""What a rule draws beside its job."""


class Money(RuleBasedStateMachine):
    """Subclassed for each store by name."""

    store_name = ""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.runner = asyncio.Runner()
        self.store = STORES[self.store_name](Path(self.folder.name))
        self.run(self.store.open())
        self.crashed = []
        self.now = T0
        self.known: list[Known] = []

    def run(self, call):
        return self.runner.run(call)

    def teardown(self) -> None:
        for store in (self.store, *self.crashed):
            self.run(store.close())
        self.runner.close()
        self.folder.cleanup()

    def end(self, job: Known, owes: float = 0.0, watch: str | None = None) -> None:
        job.place, job.watch, job.has_ended = "ended", watch, True
        job.owes, job.perhaps = max(job.owes, owes), 0.0

    # What happens

    @rule(seconds=st.sampled_from([1.0, 40_000.0, 1_000_000.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule(
        owner=st.sampled_from(OWNERS),
        reserve=st.sampled_from([0.0, 0.1, 2.5, 5.0]),
        budget=st.sampled_from([None, None, 3.0, 9.0]),
        period=st.sampled_from(sorted(PERIODS)),
    )
    def create(self, owner: str, reserve: float, budget: float | None, period: str) -> None:
        charged, reserved = self.sums(owner, period)
        job = make_job(id=id_at(self.now), at=self.now, owner=owner)
        call = self.store.add(job, hold=SpendingHold(credits=reserve, budget=budget, period=period))
        if budget is not None and round(charged + reserved + reserve, 6) > budget:
            with pytest.raises(Problem) as refused:
                self.run(call)
            assert refused.value.kind is Kind.OVER_BUDGET
        else:
            self.run(call)
            self.known.append(Known(job.id, owner, reserve))

    @rule(engine=st.sampled_from(["script", "script", "other"]), limit=st.integers(1, 3))
    def claim(self, engine: str, limit: int) -> None:
        claimed = self.run(self.store.claim(engine=engine, worker="w", lease_seconds=1e9, limit=limit, now=self.now))
        for job in self.known:
            if any(each.id == job.id for each in claimed):
                assert job.place in ("queued", "made")
                job.place = "running"

    @some(lambda job: job.place == "running" and not job.sent)
    def reroutes(self, job: Known) -> None:
        assert self.run(self.store.reroute(job.id, "w", engine="other", detail="", now=self.now))
        job.place = "queued"

    @some(lambda job: job.place == "running")
    def releases(self, job: Known) -> None:
        assert self.run(self.store.release(job.id, "w", self.now))
        job.place = "made" if job.sent else "queued"

    @some(lambda job: job.place == "running" and not job.sent)
    def sends(self, job: Known) -> None:
        assert self.run(self.store.intend(job.id, "w", account="vendor", reference="r", now=self.now))
        assert self.accepts(job)
        job.place = "at the vendor"

    def accepts(self, job: Known) -> bool:
        job.sent = True
        handle, then = {"id": job.id}, self.now
        return self.run(
            self.store.accept(job.id, number=1, handle=handle, status="", due=then, deadline=then, now=then)
        )

    @some(lambda job: job.place == "running" and not job.sent)
    def is_lost(self, job: Known) -> None:
        """The answer of the vendor is; the job fails."""
        assert self.run(self.store.intend(job.id, "w", account="vendor", reference="r", now=self.now))
        assert self.run(self.store.resolve(job.id, number=1, sent=Sent.UNKNOWN, detail="", now=self.now))
        assert self.run(self.store.settle(job.id, "w", state=State.FAILED, failure=LOST, now=self.now))
        self.end(job)
        job.lost = True

    @some(lambda job: job.lost)
    def is_found(self, job: Known) -> None:
        assert not self.accepts(job)
        job.lost, job.watch = False, "late"

    @some(lambda job: job.place == "running")
    def succeeds(self, job: Known, cost: float) -> None:
        settle = self.store.settle(job.id, "w", state=State.SUCCEEDED, outputs=(OUTPUT,), cost=cost, now=self.now)
        assert self.run(settle)
        self.end(job, cost)

    @some(lambda job: job.place == "running")
    def fails(self, job: Known) -> None:
        assert self.run(self.store.settle(job.id, "w", state=State.FAILED, failure=FAILURE, now=self.now))
        self.end(job)

    @some(lambda job: job.place != "running")
    def a_worker_that_lost_it_succeeds(self, job: Known) -> None:
        late = self.store.settle(job.id, "w", state=State.SUCCEEDED, outputs=(OUTPUT,), cost=9.0, now=self.now)
        assert self.run(late) is None

    @some(lambda _: True)
    def is_canceled(self, job: Known) -> None:
        canceled = self.run(self.store.cancel(job.id, now=self.now))
        assert (canceled is None) == (job.place == "ended")
        if canceled is not None:
            self.end(job, watch="cancel" if job.sent else None)

    @some(lambda job: job.place == "at the vendor")
    def is_made(self, job: Known) -> None:
        assert self.run(self.store.collect(job.id, facts={}, now=self.now))
        job.place = "made"

    @some(lambda job: job.place == "at the vendor")
    def vendor_fails(self, job: Known, cost: float) -> None:
        end = self.store.settle_upstream(job.id, state=State.FAILED, failure=FAILURE, cost=cost, now=self.now)
        assert self.run(end)
        self.end(job, cost)

    @some(lambda job: job.place == "at the vendor")
    def overdue(self, job: Known, cost: float) -> None:
        keep = self.now + 9e9
        end = self.store.settle_upstream(
            job.id, state=State.FAILED, failure=TIMED_OUT, cost=cost, now=self.now, keep_until=keep
        )
        assert self.run(end)
        self.end(job, watch="late")
        job.perhaps = cost

    @some(lambda job: job.watch == "late" and not job.deleted)
    def late_success(self, job: Known) -> None:
        assert self.run(self.store.revive(job.id, facts={}, now=self.now))
        job.place, job.watch, job.perhaps = "made", None, 0.0

    @some(lambda job: job.watch is not None)
    def last_word(self, job: Known, cost: float | None) -> None:
        assert self.run(self.store.unwatch(job.id, detail="", cost=cost, now=self.now))
        self.end(job, job.perhaps if cost is None else cost)

    @some(lambda job: job.place == "ended")
    def is_deleted(self, job: Known) -> None:
        assert self.run(self.store.delete(job.id)) == (not job.deleted)
        job.deleted = True

    @rule()
    def crash(self) -> None:
        """Another process opens the store while the first one still has it, and takes up what it left."""
        self.crashed.append(self.store)
        self.store = STORES[self.store_name](Path(self.folder.name))
        self.run(self.store.open())
        self.run(self.store.recover(now=self.now))
        for job in self.known:
            if job.place == "running":
                job.place = "made" if job.sent else "queued"

    # What must hold

    @invariant()
    def each_job_has_the_entries_that_follow_from_its_life(self) -> None:
        for job in self.known:
            entries = self.run(self.store.entries(job.id))
            credits = {each.kind: each.credits for each in entries}
            assert len(credits) == len(entries), "no kind twice"
            assert {(each.owner, each.model) for each in entries} == {(job.owner, "wan-2-7")}
            assert credits["reserve"] == job.reserve
            assert credits.get("release") == (job.reserve if job.has_ended else None)
            assert credits.get("charge", 0.0) + credits.get("late", 0.0) == pytest.approx(job.owes)

    @invariant()
    def balances_are_the_sums_of_the_entries(self) -> None:
        for owner in OWNERS:
            for period in PERIODS:
                balance = self.run(self.store.balance(owner, period=period, now=self.now))
                assert (balance.charged, balance.reserved) == pytest.approx(self.sums(owner, period))
                assert balance.reserved >= 0
        spent = self.run(self.store.spending(since=0.0, until=self.now + 1))
        assert sum(row.credits for row in spent) == pytest.approx(sum(job.owes for job in self.known))

    def sums(self, owner: str, period: str) -> tuple[float, float]:
        """Charged in the period of now, and set aside."""
        digits = PERIODS[period]
        mine = [each for job in self.known if job.owner == owner for each in self.run(self.store.entries(job.id))]
        in_time = [each for each in mine if day(each.at)[:digits] == day(self.now)[:digits]]
        charged = sum(each.credits for each in in_time if each.kind in ("charge", "late"))
        signs = {"reserve": 1, "release": -1}
        return charged, sum(signs.get(each.kind, 0) * each.credits for each in mine)


def day(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).date().isoformat()


@pytest.mark.parametrize("name", STORES)
def test_no_order_of_events_makes_the_sums_wrong(name: str, pytestconfig: pytest.Config) -> None:
    machine = type(f"Money_{name}", (Money,), {"store_name": name})
    examples = 2000 if pytestconfig.getoption("--long") else 3 if name == "postgres" else 20
    chosen = settings(max_examples=examples, stateful_step_count=50, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(machine, settings=chosen)
