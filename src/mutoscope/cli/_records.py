"""The records of a data directory: opened beside a running server or without one, never owning the directory."""

import contextlib
from collections.abc import AsyncGenerator

from mutoscope.cli._failure import Stop
from mutoscope.model.config import Settings
from mutoscope.model.job import Job
from mutoscope.store import SqlStore, Store, make_store
from mutoscope.wires import ALL, BY_NAME

DATABASE = "mutoscope.db"


@contextlib.asynccontextmanager
async def opened(settings: Settings) -> AsyncGenerator[SqlStore]:
    """The store. Home is not asked: it would make the directory, and its lock belongs to the server."""
    check(settings)
    async with at(settings) as store:
        yield store


def check(settings: Settings) -> None:
    """Raises Stop where there are no records."""
    if not is_there(settings):
        raise Stop(
            f"{settings.data} holds no jobs yet. Start `mutoscope serve`, or name another directory with --data."
        )


def is_there(settings: Settings) -> bool:
    """Whether there is a store to look into. A database that has a URL is, as far as anybody can tell without it."""
    return bool(settings.store.url) or (settings.data / DATABASE).is_file()


@contextlib.asynccontextmanager
async def made(settings: Settings) -> AsyncGenerator[SqlStore]:
    """The store, which need not be there yet: keys are made before the first start."""
    settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    async with at(settings) as store:
        yield store


@contextlib.asynccontextmanager
async def at(settings: Settings) -> AsyncGenerator[SqlStore]:
    store = make_store(settings.store.url, settings.data / DATABASE)
    await store.open()
    try:
        yield store
    finally:
        await store.close()


async def has_keys(settings: Settings) -> bool:
    """Whether a server with these settings and data asks for a key."""
    if settings.keys or not is_there(settings):
        return bool(settings.keys)
    async with at(settings) as store:  # one key that was revoked is enough: such a server is not open either
        return await store.key_changes() > 0


async def find(store: Store, id: str) -> Job:
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
