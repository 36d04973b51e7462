"""Options that several verbs share, and the settings that come of them."""

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter, Token
from msgspec.structs import replace

from mutoscope.model import config
from mutoscope.model.config import Settings

Data = Annotated[Path | None, Parameter(help="Data directory (default: one per user, or what the settings say).")]
Config = Annotated[Path | None, Parameter(help="Configuration file (default: ./mutoscope.toml, where there is one).")]
AsJson = Annotated[bool, Parameter(name="--json", negative="", help="Print JSON for programs.")]


def whole(_type: Any, tokens: Sequence[Token]) -> int:
    """An integer as it stands; cyclopts' own reading would round 29.97."""
    text = tokens[0].value
    if not WHOLE.fullmatch(text):
        raise ValueError(f"a whole number is wanted here; {text!r} is none")
    return int(text)


def finite(_type: Any, value: float | None) -> None:
    """Python takes "nan" and "inf" for numbers; nothing here can be so long or so much."""
    if value is not None and not math.isfinite(value):
        raise ValueError(f"a number is wanted here; {value} is none")


WHOLE = re.compile(r"[+-]?[0-9]{1,100}")
Whole = Annotated[int | None, Parameter(converter=whole)]
Number = Annotated[float | None, Parameter(validator=finite)]


def settings_of(
    file: Path | None, *, options: Mapping[str, Mapping[str, Any]] | None = None, **server: Any
) -> Settings:
    """The settings, with those of [server] replaced that were given as options. `options`: of other sections. Raises
    BadSettings."""
    settings = config.load(file, options=options)
    given = {name: str(value.absolute()) if isinstance(value, Path) else value for name, value in server.items()}
    given = {name: value for name, value in given.items() if value is not None}
    return replace(settings, server=replace(settings.server, **given))
