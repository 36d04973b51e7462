"""The data directory: who owns it, where things lie in it, and the secrets that are made at first start."""

import base64
import fcntl
import os
import secrets
import shutil
from pathlib import Path

CREDENTIALS = "credentials"  # the certificate that signs what is made here, and its key


class HomeBusy(Exception):
    """Another process owns the data directory."""


class Home:
    """A data directory, readable by its owner only. One process at a time serves from it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.database = root / "mutoscope.db"
        self.scratch = root / "tmp"
        self.landings = root / "copies"  # results on their way here, which the next process goes on with
        self.credentials = root / CREDENTIALS
        self._lock: int | None = None

    def take(self) -> None:
        """Own the directory until `leave` or the process's end. Raises HomeBusy."""
        handle = os.open(self.root / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(handle)
            raise HomeBusy(
                f"{self.root} is in use by another mutoscope. Stop it, or choose another directory with --data."
            ) from error
        self._lock = handle
        shutil.rmtree(self.scratch, ignore_errors=True)  # what a killed process left
        self.scratch.mkdir(mode=0o700)

    def leave(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def link_secret(self, given: str = "") -> bytes:
        """The key that signs links to files: the one of the settings, where they name one."""
        return given.encode() if given else base64.b64decode(self._secret("link-secret"))

    def webhook_secret(self) -> str:
        """The default key that signs webhooks, in the form that Standard Webhooks libraries take."""
        return f"whsec_{self._secret('webhook-secret')}"

    def _secret(self, name: str) -> str:
        path = self.root / name
        if not path.exists():
            fresh = path.with_suffix(".new")
            handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "w") as file:
                file.write(base64.b64encode(secrets.token_bytes(32)).decode())
            fresh.replace(path)
        return path.read_text().strip()
