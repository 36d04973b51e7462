"""What `serve --rehearse` adds for test clients: the fixed task that Runway's own SDK test suite reads and deletes.

The suite was written against a mock server and asks for this one id; see docs/09-rehearsing.md.
"""

from mutoscope.model.job import Generation, Job, Operation, State
from mutoscope.model.problem import Kind, Problem
from mutoscope.store import Store
from mutoscope.wires.runway import api as runway

SDK_TASK = "182bd5e5-6e1a-4fe4-a799-aa6d9a6ab26e"
KEPT = frozenset({runway.WIRE.job_id(SDK_TASK) or ""})
"""Ids of the tasks that stay however often they are deleted."""


async def seed(store: Store, *, now: float) -> None:
    """Put the fixed tasks into the store unless they are there; the worker makes them as it makes any job."""
    for id in KEPT:
        job = Job(
            id=id,
            wire=runway.WIRE.name,
            route="",
            owner="",
            engine="script",
            generation=Generation(operation=Operation.TEXT_TO_IMAGE, model="gen4_image", prompt="rehearsal"),
            state=State.QUEUED,
            created=now,
            updated=now,
        )
        try:
            await store.add(job)
        except Problem as problem:
            if problem.kind is not Kind.CONFLICT:
                raise
