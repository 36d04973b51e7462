"""Brings a database's schema up to date with the numbered files beside this module."""

import sqlite3
from collections.abc import Iterator
from importlib import resources


class NewerDatabase(Exception):
    """The database was written by a newer version of the program."""


def migrate(db: sqlite3.Connection) -> int:
    """Apply what is missing, all of it in one transaction, and return the version.

    The version is the number of the last file applied, in `PRAGMA user_version`. Raises NewerDatabase.
    """
    files = migration_files()
    if version(db) == len(files):
        return len(files)
    _ = db.execute("BEGIN IMMEDIATE")
    try:
        present = version(db)  # again, now that no other process can be at it
        check_version(present, len(files))
        for text in files[present:]:
            for statement in statements(text):
                _ = db.execute(statement)
        _ = db.execute(f"PRAGMA user_version = {len(files)}")
        _ = db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            _ = db.execute("ROLLBACK")
        raise
    return len(files)


def check_version(present: int, known: int) -> None:
    """Raises NewerDatabase."""
    if present > known:
        raise NewerDatabase(
            f"The database has schema version {present}, and this mutoscope knows versions up to {known}: it was"
            " used by a newer mutoscope. Upgrade, or choose another data directory."
        )


def version(db: sqlite3.Connection) -> int:
    row: tuple[int] = db.execute("PRAGMA user_version").fetchone()
    return row[0]


def migration_files() -> list[str]:
    folder = resources.files("mutoscope.store") / "migrations" / "sqlite"
    found = sorted((file for file in folder.iterdir() if file.name.endswith(".sql")), key=lambda file: file.name)
    for number, file in enumerate(found, start=1):
        if int(file.name.partition("_")[0]) != number:
            raise ValueError(f"migration {file.name} should have number {number:04}")
    return [file.read_text(encoding="utf-8") for file in found]


def statements(script: str) -> Iterator[str]:
    """One by one: sqlite3's own executescript would commit before it starts."""
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""
