"""The records of a data directory: opened beside a running server or without one, never owning the directory."""

import contextlib
from collections.abc import AsyncGenerator

from mutoscope.cli._failure import Stop
from mutoscope.config import Settings
from mutoscope.job import Job
from mutoscope.store import SqliteStore
from mutoscope.wires import ALL, BY_NAME

DATABASE = "mutoscope.db"


@contextlib.asynccontextmanager
async def opened(settings: Settings) -> AsyncGenerator[SqliteStore]:
    """The store. Home is not asked: it would make the directory, and its lock belongs to the server."""
    path = settings.data / DATABASE
    if not path.is_file():
        raise Stop(
            f"{settings.data} holds no jobs yet. Start `mutoscope serve`, or name another directory with --data."
        )
    store = SqliteStore(path)
    await store.open()
    try:
        yield store
    finally:
        await store.close()


async def find(store: SqliteStore, id: str) -> Job:
    """The job of an id in our form or in any vendor's. Raises Stop."""
    forms = dict.fromkeys([id.lower(), *(form for wire in ALL if (form := wire.job_id(id)))])
    for form in forms:
        if job := await store.get(form):
            return job
    raise Stop(f"There is no job {id!r} here. `mutoscope jobs list` shows the newest.")


def public_id(job: Job) -> str:
    """The id as the job's caller knows it."""
    wire = BY_NAME.get(job.wire)
    return wire.public_id(job.id) if wire else job.id
