"""`mutoscope sweep`: remove now what has been kept for its time."""

from typing import Annotated

from cyclopts import Parameter

from mutoscope.background.retention import Counts, Sweeper
from mutoscope.cli import _records, _show
from mutoscope.cli._options import AsJson, Config, Data, settings_of
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
    settings = settings_of(config, data=data)
    async with _records.opened(settings) as store:
        counts = await sweeper_of(settings, store).sweep(dry_run=dry_run, strays=strays)
    if as_json:
        _show.print_json({**{kept.value: n for kept, n in counts.rows.items()}, **files_of(counts)})
        return
    facts = [(NAMES[kept], str(n)) for kept, n in counts.rows.items() if n]
    facts += [(name, str(n)) for name, n in files_of(counts).items() if n]
    if facts:
        _show.out.print("This would go:" if dry_run else "Removed:")
        _show.print_facts([(f"  {name}", n) for name, n in facts])
    else:
        _show.out.print("There is nothing whose time is over.")


def files_of(counts: Counts) -> dict[str, int]:
    return {"files": counts.files, "strays": counts.strays}


def sweeper_of(settings: Settings, store: Store) -> Sweeper:
    return Sweeper(store=store, assets=assets_of(settings), settings=settings.retention, spared=KEPT)


def assets_of(settings: Settings) -> Assets:
    """The files of a data directory; the links to them are not asked for here."""
    return Assets(
        settings.files, data=settings.data, secret=Home(settings.data).link_secret(settings.files.link_secret)
    )
