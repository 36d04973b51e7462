"""`mutoscope sweep`: remove now what has been kept for its time."""

from collections.abc import Mapping
from typing import Annotated

from cyclopts import Parameter

from mutoscope.background.retention import Sweeper
from mutoscope.cli import _records, _show
from mutoscope.cli._failure import Stop
from mutoscope.cli._options import AsJson, Config, Data, settings_of
from mutoscope.cli._server import Elsewhere, Key, asked
from mutoscope.files.assets import Assets
from mutoscope.files.data_dir import Home
from mutoscope.model.config import Settings
from mutoscope.service.rehearsal import KEPT
from mutoscope.store import Kept, Store

NAMES = {
    Kept.JOBS: "jobs",
    Kept.INPUTS: "jobs that lose their inputs",
    Kept.OUTPUTS: "jobs that lose their outputs",
    Kept.DELIVERIES: "webhook messages",
    Kept.UPLOADS: "uploads",
    Kept.EXCHANGES: "records of answers in words",
    Kept.ANSWERS: "kept answers in words",
    Kept.REPEATS: "idempotency keys",
}


async def sweep(
    *,
    dry_run: Annotated[bool, Parameter(negative="")] = False,
    strays: Annotated[bool, Parameter(negative="")] = False,
    server: Elsewhere = None,
    key: Key = None,
    data: Data = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Remove now what has been kept for its time ([retention] in the settings). A server does so by itself.

    Parameters
    ----------
    dry_run
        Only count what would go. Files that go with it are not counted.
    strays
        Also remove files in the data directory that no record names and that are a day old: what killed processes and
        refused requests left. Not beside a database that was lost or restored.
    """
    if server:
        if strays:
            raise Stop("--strays is for a data directory here, not with --server.", 2)
        told = await asked(server, "POST", "/admin/sweep", key, {"dry_run": dry_run})
        show(
            {Kept(name): n for name, n in told["rows"].items()},
            {"files": told["files"]},
            dry_run=dry_run,
            as_json=as_json,
        )
        return
    settings = settings_of(config, data=data)
    async with _records.opened(settings) as store:
        counts = await sweeper_of(settings, store).sweep(dry_run=dry_run, strays=strays)
    show(counts.rows, {"files": counts.files, "strays": counts.strays}, dry_run=dry_run, as_json=as_json)


def show(rows: Mapping[Kept, int], files: Mapping[str, int], *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        _show.print_json({kept.value: n for kept, n in rows.items()} | dict(files))
        return
    facts = [(NAMES[kept], str(n)) for kept, n in rows.items() if n]
    facts += [(name, str(n)) for name, n in files.items() if n]
    if facts:
        _show.out.print("This would go:" if dry_run else "Removed:")
        _show.print_facts([(f"  {name}", n) for name, n in facts])
    else:
        _show.out.print("There is nothing whose time is over.")


def sweeper_of(settings: Settings, store: Store) -> Sweeper:
    return Sweeper(store=store, assets=assets_of(settings), settings=settings.retention, spared=KEPT)


def assets_of(settings: Settings) -> Assets:
    """The files of a data directory; the links to them are not asked for here."""
    return Assets(
        settings.files, data=settings.data, secret=Home(settings.data).link_secret(settings.files.link_secret)
    )
