"""Options that several verbs share, and the settings that come of them."""

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from msgspec.structs import replace

from mutoscope.model import config
from mutoscope.model.config import Settings

Data = Annotated[Path | None, Parameter(help="Data directory (default: one per user, or what the settings say).")]
Config = Annotated[Path | None, Parameter(help="Configuration file (default: ./mutoscope.toml, where there is one).")]
AsJson = Annotated[bool, Parameter(name="--json", negative="", help="Print JSON for programs.")]


def settings_of(file: Path | None, **server: Any) -> Settings:
    """The settings, with those of [server] replaced that were given as options. Raises BadSettings."""
    settings = config.load(file)
    given = {name: str(value.absolute()) if isinstance(value, Path) else value for name, value in server.items()}
    given = {name: value for name, value in given.items() if value is not None}
    return replace(settings, server=replace(settings.server, **given))
