"""`mutoscope env`: the environment variables that point every vendor's own client at a server."""

import shlex
from typing import Annotated, Literal
from urllib.parse import urlsplit

from cyclopts import Parameter

from mutoscope.cli import _show
from mutoscope.cli._failure import Stop
from mutoscope.model.sdks import ANY_KEY, environment


def env(
    *,
    server: Annotated[str, Parameter(env_var="MUTOSCOPE_URL")] = "http://127.0.0.1:8700",
    key: Annotated[str, Parameter(env_var="MUTOSCOPE_KEY")] = ANY_KEY,
    format: Literal["shell", "dotenv", "json"] = "shell",
) -> None:
    """The environment variables that point every vendor's own client at a server: eval "$(mutoscope env)".

    Parameters
    ----------
    server
        The address of the server.
    key
        An API key of it; one without keys takes any.
    format
        shell: lines with `export`, for a shell; dotenv: NAME=value, for a file of variables; json.
    """
    if urlsplit(server).scheme not in ("http", "https") or not urlsplit(server).hostname:
        raise Stop(f"--server is an address like https://media.example.com; {server!r} is none.", 2)
    if "\n" in key:
        raise Stop("--key: a key has one line.", 2)
    told = environment(server, key)
    if format == "json":
        _show.print_json(told)
        return
    for name, value in told.items():
        line = f"export {name}={shlex.quote(value)}" if format == "shell" else f"{name}={value}"
        _show.out.print(line, markup=False)
