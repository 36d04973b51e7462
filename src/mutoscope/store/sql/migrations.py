"""The numbered files that bring a database's schema up to date: a folder of them for each database."""

import sqlite3
from collections.abc import Iterator
from importlib import resources


class NewerDatabase(Exception):
    """The database was written by a newer version of the program."""


def check_version(present: int, known: int) -> None:
    """Raises NewerDatabase."""
    if present > known:
        raise NewerDatabase(
            f"The database has schema version {present}, and this mutoscope knows versions up to {known}: it was"
            " used by a newer mutoscope. Upgrade, or choose another data directory or database."
        )


def migration_files(database: str = "sqlite") -> list[str]:
    folder = resources.files("mutoscope.store") / "migrations" / database
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
