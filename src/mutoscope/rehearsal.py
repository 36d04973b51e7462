"""What `serve --rehearse` adds for test clients: the fixed task that Runway's own SDK test suite reads and deletes.

The suite was written against a mock server and asks for this one id; see docs/05-rehearsing.md.
"""

from mutoscope.job import Generation, Job, Operation, State
from mutoscope.problem import Kind, Problem
from mutoscope.store import Store
from mutoscope.wires import runway

SDK_TASK = "17f20503-6c24-4c16-946b-35dbbce2af2f"
KEPT = frozenset({runway.WIRE.job_id(SDK_TASK) or ""})
"""Ids of the tasks that stay however often they are deleted."""


async def seed(store: Store, *, now: float) -> None:
    """Put the fixed tasks into the store, canceled, unless they are there."""
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
