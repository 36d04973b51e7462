"""`mutoscope store`: bring the schema up to date, look whether all is right, move from one database to another."""

import contextlib
from collections.abc import AsyncGenerator
from typing import Annotated

from cyclopts import App, Parameter
from rich.progress import Progress

from mutoscope.cli import _records, _show
from mutoscope.cli._failure import Stop
from mutoscope.cli._options import AsJson, Config, Data, settings_of
from mutoscope.files.data_dir import Home
from mutoscope.model.config import Settings
from mutoscope.store import SqlStore, make_store
from mutoscope.store.sql import copying

app = App(name="store", help="Bring the schema up to date, look whether all is right, move to another database.")

SQLITE = "sqlite"


@app.command
async def migrate(*, data: Data = None, config: Config = None) -> None:
    """Bring the database's schema up to date, as every start does. Before servers are upgraded one by one, so that the
    first of them need not; those that run go on meanwhile."""
    settings = settings_of(config, data=data)
    async with _records.made(settings):
        _show.out.print(f"{name_of(settings.store.url)}: the schema is up to date.")


@app.command
async def check(*, data: Data = None, config: Config = None, as_json: AsJson = False) -> int:
    """Look whether the sums that the store keeps are those of its rows. 0: they are; 1: some are not."""
    settings = settings_of(config, data=data)
    async with _records.opened(settings) as store:
        wrong = await copying.check(store)
        rows = {table.name: await copying.count(store, table) for table in copying.TABLES}
    if as_json:
        _show.print_json({"rows": rows, "wrong": wrong})
    else:
        _show.print_facts([(name, f"{number:,} rows") for name, number in rows.items()])
        for name, number in wrong.items():
            _show.out.print(f"{name}: {number} rows do not agree with what they are kept of")
    return 1 if wrong else 0


@app.command
async def copy(
    target: str,
    *,
    data: Data = None,
    config: Config = None,
    quiet: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """Copy everything in the store to another database, and look whether it is the same there. Stop the servers first.
    A copy that was cut off goes on where it was when it is asked for again. Then set [store] url.

    Parameters
    ----------
    target
        "postgresql://…", or "sqlite" for the data directory's own file.
    quiet
        Show no progress.
    """
    settings = settings_of(config, data=data)
    goal = "" if target == SQLITE else target
    if goal == settings.store.url:
        raise Stop("The store is there already: [store] url in the settings names where it is copied from.", 2)
    _records.check(settings)
    async with alone(settings), both(settings, goal) as (source, destination):
        with Progress(console=_show.err, disable=quiet, transient=True) as shown:
            tasks = {table.name: shown.add_task(table.name, total=None) for table in copying.TABLES}
            copied = await copying.copy(
                source,
                destination,
                told=lambda name, done, total: shown.update(tasks[name], completed=done, total=max(total, 1)),
            )
    for each in copied:
        if each.rows:
            _show.out.print(f"{each.table:<18} {each.rows:>12,} rows")
    _show.out.print("Everything was copied, and is the same there.")
    _show.out.print("Files stay where they are ([files] store). Now set [store] url.")


@contextlib.asynccontextmanager
async def alone(settings: Settings) -> AsyncGenerator[None]:
    """While no server has the data directory. Raises HomeBusy."""
    home = Home(settings.data)
    home.take()
    try:
        yield
    finally:
        home.leave()


@contextlib.asynccontextmanager
async def both(settings: Settings, target: str) -> AsyncGenerator[tuple[SqlStore, SqlStore]]:
    """Source and target, neither with another process at it. Raises Stop."""
    async with _records.at(settings) as source:
        destination = make_store(target, settings.data / _records.DATABASE)
        await destination.open()
        try:
            for store, url in ((source, settings.store.url), (destination, target)):
                if others := await store.others():
                    raise Stop(f"{others} other sessions of mutoscope are at {name_of(url)}. Stop the servers first.")
            yield source, destination
        finally:
            await destination.close()


def name_of(url: str) -> str:
    """Without its password."""
    return "PostgreSQL" if url else "SQLite"
