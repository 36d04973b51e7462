"""The data directory: who owns it, where things lie in it, and the secrets that are made at first start."""

import base64
import contextlib
import fcntl
import os
import secrets
import shutil
import time
from pathlib import Path

CREDENTIALS = "credentials"  # the certificate that signs what is made here, and its key


JUST_MADE_SECONDS = 60.0  # scratch that has no lock yet may get one
LOCK = "lock"  # held as long as the process lives whose scratch it is in


class HomeBusy(Exception):
    """Another process owns the data directory."""


class Home:
    """A data directory, readable by its owner only. One process at a time serves from it, or several that share a
    database elsewhere; each of those has a place of its own for what is in the making."""

    def __init__(self, root: Path, *, shared: bool = False) -> None:
        self.root, self.shared = root, shared
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.database = root / "mutoscope.db"
        self.scratch = root / "tmp"
        if shared:
            self.scratch /= f"{os.getpid()}-{secrets.token_hex(4)}"
        self.landings = root / "copies"  # results on their way here, which the next process goes on with
        self.credentials = root / CREDENTIALS
        self._locks: list[int] = []

    def take(self) -> None:
        """Own the directory until `leave` or the process's end. Raises HomeBusy."""
        handle = locked(self.root / "lock", fcntl.LOCK_SH if self.shared else fcntl.LOCK_EX)
        if handle is None:
            raise HomeBusy(
                f"{self.root} is in use by another mutoscope. Stop it, or choose another directory with --data."
            )
        self._locks.append(handle)
        if not self.shared:
            shutil.rmtree(self.scratch, ignore_errors=True)  # what a killed process left
            self.scratch.mkdir(mode=0o700)
            return
        clear_scratch(self.scratch.parent)
        self.scratch.mkdir(mode=0o700, parents=True)
        if (own := locked(self.scratch / LOCK, fcntl.LOCK_EX)) is not None:
            self._locks.append(own)

    def leave(self) -> None:
        if self.shared:
            shutil.rmtree(self.scratch, ignore_errors=True)
        while self._locks:
            os.close(self._locks.pop())

    def link_secret(self, given: str = "") -> bytes:
        """The key that signs links to files: the one of the settings, where they name one."""
        return given.encode() if given else base64.b64decode(self._secret("link-secret"))

    def webhook_secret(self) -> str:
        """The default key that signs webhooks, in the form that Standard Webhooks libraries take."""
        return f"whsec_{self._secret('webhook-secret')}"

    def _secret(self, name: str) -> str:
        path = self.root / name
        if not path.exists():
            fresh = path.with_suffix(f".{secrets.token_hex(4)}")
            handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w") as file:
                file.write(base64.b64encode(secrets.token_bytes(32)).decode())
            with contextlib.suppress(FileExistsError):  # another process was quicker: its own is taken
                path.hardlink_to(fresh)
            fresh.unlink()
        return path.read_text().strip()


def locked(path: Path, how: int) -> int | None:
    """A descriptor that holds a lock until it is closed; None while somebody else's is in the way."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, how | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        return None
    return handle


def clear_scratch(folder: Path) -> None:
    """Remove what processes left that were killed: nobody holds the lock in it any more, or there is none."""
    for each in folder.iterdir() if folder.is_dir() else ():
        if each.is_dir() and (each / LOCK).exists():
            if (handle := locked(each / LOCK, fcntl.LOCK_EX)) is None:
                continue
            os.close(handle)
        elif time.time() - each.stat().st_mtime < JUST_MADE_SECONDS:
            continue
        shutil.rmtree(each, ignore_errors=True)
