"""`mutoscope forget`: remove everything that is kept of one owner, and look whether it is gone."""

import contextlib
import time
from collections.abc import Generator
from typing import Annotated

import msgspec
from cyclopts import Parameter
from rich.prompt import Confirm

from mutoscope.background import erasure
from mutoscope.cli import _records, _show
from mutoscope.cli._failure import Stop
from mutoscope.cli._options import AsJson, Config, Data, settings_of
from mutoscope.cli._server import Elsewhere, Key, asked
from mutoscope.cli.sweep import sweeper_of
from mutoscope.files.data_dir import Home, HomeBusy
from mutoscope.model.config import Settings

NAMES = {
    "jobs": "jobs",
    "messages": "webhook messages",
    "events": "lines of the jobs' stories",
    "uploads": "uploads",
    "repeats": "idempotency keys",
    "keys": "API keys",
    "days": "days of counted bytes",
    "exchanges": "records of answers in words",
    "answers": "kept answers in words",
    "submissions": "submissions to vendors: kept, without the vendors' words",
    "entries": "entries of the ledger of money: kept, under nobody's name",
}


async def forget(
    owner: str,
    *,
    yes: Annotated[bool, Parameter(alias="-y", negative="")] = False,
    search: tuple[str, ...] = (),
    server: Elsewhere = None,
    key: Key = None,
    data: Data = None,
    config: Config = None,
    as_json: AsJson = False,
) -> int:
    """Remove all that is kept of one owner: jobs and prompts, files, uploads, webhooks, keys. What runs is canceled.

    What was paid for stays in the books, under nobody's name. Afterwards the data directory is searched. It works
    beside a running server, whose writes wait while the database is written anew, or without one. Exit code 1 when
    something of it is found all the same.

    Parameters
    ----------
    owner
        The name of their keys; "" is everybody on a server without keys.
    yes
        Do not ask.
    search
        Words that must not be found afterwards, besides the owner's name; may be given several times.
    """
    if server:
        if search:
            raise Stop("--search is for a data directory here, not with --server.", 2)
        confirm(owner, yes=yes)
        return await forget_far(owner, server, key, as_json=as_json)
    settings = settings_of(config, data=data)
    _records.check(settings)
    with beside_server(settings) as serving:
        async with _records.opened(settings) as store:
            confirm(owner, yes=yes)
            report = await erasure.forget(
                store,
                sweeper_of(settings, store),
                owner,
                root=settings.data,
                words=search,
                settling_seconds=erasure.SETTLING_SECONDS if serving else 0.0,
                clock=time.time,
            )
    if as_json:
        _show.print_json(report)
    else:
        show(report, owner)
    if any(key.name == owner for key in settings.keys):
        _show.err.print("The configuration file still has a key of this name: whoever holds it can begin anew.")
    return 1 if report.found else 0


def confirm(owner: str, *, yes: bool) -> None:
    """Raises Stop."""
    if not (yes or Confirm.ask(f"Remove everything of {owner!r}? It cannot be brought back.", console=_show.err)):
        raise Stop("Nothing was removed.")


async def forget_far(owner: str, server: str, key: str | None, *, as_json: bool) -> int:
    told = await asked(server, "POST", "/admin/forget", key, {"owner": owner, "dry_run": False, "sure": owner})
    report = msgspec.convert(told, erasure.Report)
    if as_json:
        _show.print_json(report)
    else:
        show(report, owner)
    return 1 if report.found else 0


@contextlib.contextmanager
def beside_server(settings: Settings) -> Generator[bool]:
    """Whether a server owns the data directory. Where none does, none can start meanwhile, and what a killed one left
    half done is gone."""
    home = Home(settings.data)
    try:
        home.take()
    except HomeBusy:
        yield True
        return
    try:
        yield False
    finally:
        home.leave()


def show(report: erasure.Report, owner: str) -> None:
    removed = report.removed
    facts = [(name, getattr(removed, field)) for field, name in NAMES.items()]
    facts += [("jobs that were canceled first", report.canceled), ("files", report.files)]
    _show.print_facts([(name, str(n)) for name, n in facts if n])
    if report.found:
        _show.out.print(f"Searched {report.searched_files} files, and found:")
        for each in report.found:
            _show.out.print(f"  {each}", markup=False)
        return
    if len(owner.encode()) < erasure.SHORTEST:
        _show.out.print("The name is too short to be told from chance; its ids and digests were searched for.")
    _show.out.print(f"Searched {report.searched_files} files of the data directory: nothing of it is left.")
