"""`mutoscope open`: the console's address, with a link that signs in once where there are keys."""

import asyncio
import sys
import time
import webbrowser
from typing import Annotated
from urllib.parse import urlsplit

from cyclopts import Parameter

from mutoscope.cli import _records, _show
from mutoscope.cli._failure import Stop
from mutoscope.cli._options import Config, Data, settings_of
from mutoscope.cli._server import Far
from mutoscope.files.data_dir import Home
from mutoscope.model.config import Settings
from mutoscope.web.sessions import LINK_SECONDS, link_token, signing_key

SIGN_IN = "/console/sign-in"


def open(
    *,
    server: str | None = None,
    key: str | None = None,
    data: Data = None,
    config: Config = None,
    browser: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """Print the console's address: of the server whose data are here, or of another by its address.

    Where the server has keys, the address signs in: once, and within five minutes. Whoever can read the data directory
    may make such a link; for another server it takes a key with the right `admin`.

    Parameters
    ----------
    server
        Address of a server elsewhere, as https://media.example.com.
    key
        An administrator's key of that server.
    browser
        Open it in this machine's browser too.
    """
    url = elsewhere(server, key) if server else here(settings_of(config, data=data))
    _show.out.print(url, soft_wrap=True)
    if browser:
        webbrowser.open(url)
    elif "?once=" in url and sys.stderr.isatty():
        _show.err.print(f"It signs in once, within {LINK_SECONDS / 60:.0f} minutes.")


def here(settings: Settings) -> str:
    base = settings.server.public_url.rstrip("/") or f"http://{host_of(settings)}:{settings.server.port}"
    if not asyncio.run(_records.has_keys(settings)):
        return f"{base}/"
    secret = Home(settings.data).link_secret(settings.files.link_secret)
    return f"{base}{SIGN_IN}?once={link_token(signing_key(secret), '', now=time.time())}"


def host_of(settings: Settings) -> str:
    host = settings.server.host
    if host in ("0.0.0.0", "::", ""):  # noqa: S104 - where it listens everywhere, this machine is one of the places
        return "localhost"
    return f"[{host}]" if ":" in host else host


def elsewhere(url: str, key: str | None) -> str:
    """By the admin API of a server elsewhere. Raises Stop."""
    told = Far(url).ask("POST", "/admin/sign-in-links", key)
    link = str(told.get("url"))
    if urlsplit(link).scheme not in ("http", "https"):
        raise Stop(f"{url} does not answer as a mutoscope does.")
    return link
