"""Where jobs, the webhooks they owe and upload slots are kept: protocols, the transitions in SQL, a file per database.

What belongs here: SQL, migrations, and what makes them quick. What does not: which limit a key has, what a
webhook says, when to try again; those come in as arguments. Methods are transitions, never `save`, and
each says whether it happened.
"""

from pathlib import Path

from mutoscope.model.config import BadSettings
from mutoscope.store.protocol import (
    EVENTS,
    UPSTREAM,
    Attempt,
    Balance,
    Basis,
    Deliveries,
    DeliveryRecord,
    Dispatches,
    DueDelivery,
    Entry,
    ExchangeRecord,
    Exchanges,
    Figures,
    Forgotten,
    Jobs,
    Kept,
    KeyRecord,
    Keys,
    Leases,
    Ledger,
    News,
    Outlay,
    PendingDeliveries,
    PendingDelivery,
    Repeat,
    Retention,
    Settlement,
    Sieve,
    SpendingHold,
    SpendingRow,
    Store,
    Swept,
    Transcripts,
    Unfinished,
    Uploads,
    Watched,
)
from mutoscope.store.sql.migrations import NewerDatabase
from mutoscope.store.sql.store import SqlStore
from mutoscope.store.sqlite import SqliteStore, check_file

__all__ = [
    "EVENTS",
    "UPSTREAM",
    "Attempt",
    "Balance",
    "Basis",
    "Deliveries",
    "DeliveryRecord",
    "Dispatches",
    "DueDelivery",
    "Entry",
    "ExchangeRecord",
    "Exchanges",
    "Figures",
    "Forgotten",
    "Jobs",
    "Kept",
    "KeyRecord",
    "Keys",
    "Leases",
    "Ledger",
    "NewerDatabase",
    "News",
    "Outlay",
    "PendingDeliveries",
    "PendingDelivery",
    "Repeat",
    "Retention",
    "Settlement",
    "Sieve",
    "SpendingHold",
    "SpendingRow",
    "SqlStore",
    "SqliteStore",
    "Store",
    "Swept",
    "Transcripts",
    "Unfinished",
    "Uploads",
    "Watched",
    "check_readable",
    "make_store",
]


def make_store(url: str, file: Path) -> SqlStore:
    """The store at a URL, or in a file where that is empty; not open yet. Raises BadSettings."""
    if not url:
        return SqliteStore(file)
    check_url(url)
    from mutoscope.store.postgres import PostgresStore  # late: psycopg is an extra

    return PostgresStore(url)


def check_readable(url: str, file: Path) -> None:
    """Look before anything is begun. Raises NewerDatabase, BadSettings, and Problem when it cannot be used."""
    if not url:
        check_file(file)
        return
    check_url(url)
    from mutoscope.store.postgres import check_database  # late, as above

    check_database(url)


def check_url(url: str) -> None:
    """Raises BadSettings, which does not show the URL: there may be a password in it."""
    if not url.startswith(("postgresql://", "postgres://")):
        raise BadSettings('[store] url is empty, for SQLite, or begins with "postgresql://"')
    try:
        import psycopg  # late: it is an extra
        from psycopg.conninfo import conninfo_to_dict
    except ImportError as error:
        needed = 'pip install "mutoscope[postgres]"'
        raise BadSettings(f"[store] url needs the packages for PostgreSQL: {needed} ({error})") from error
    try:
        _ = conninfo_to_dict(url)
    except psycopg.Error as error:
        message = str(error).strip().replace(url, "URL")
        raise BadSettings(f"[store] url cannot be read: {message}") from error
