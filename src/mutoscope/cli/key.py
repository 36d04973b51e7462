"""`mutoscope key`: a fresh API key and its digest."""

import secrets

from mutoscope.access import digest
from mutoscope.cli import _show

PREFIX = "msk_"


def key(name: str = "me") -> None:
    """Make an API key. The server keeps only its digest, so the key is shown this once.

    Parameters
    ----------
    name
        Whose key it is; jobs, limits and usage go by it.
    """
    fresh = PREFIX + secrets.token_urlsafe(32)
    _show.err.print(f"The key, for the client (it is not stored):\n\n  {fresh}\n")
    _show.err.print("For mutoscope.toml:\n")
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    _show.out.print(f'[[keys]]\nname = "{quoted}"\nsha256 = "{digest(fresh)}"', markup=False)
