"""Where jobs, the webhooks they owe and upload slots are kept: one protocol, one file per database.

What belongs here: SQL, migrations, and what makes them quick. What does not: which limit a key has, what a
webhook says, when to try again; those come in as arguments. Methods are transitions, never `save`, and
each says whether it happened.
"""

from mutoscope.store.protocol import (
    EVENTS,
    UPSTREAM,
    Attempt,
    Balance,
    DeliveryRecord,
    DueDelivery,
    Entry,
    Figures,
    Forgotten,
    Kept,
    KeyRecord,
    Owed,
    Owing,
    Purse,
    Repeat,
    SpendingRow,
    Store,
    Swept,
    Unfinished,
    Watched,
)
from mutoscope.store.sqlite.store import NewerDatabase, SqliteStore, hold_readable

__all__ = [
    "EVENTS",
    "UPSTREAM",
    "Attempt",
    "Balance",
    "DeliveryRecord",
    "DueDelivery",
    "Entry",
    "Figures",
    "Forgotten",
    "Kept",
    "KeyRecord",
    "NewerDatabase",
    "Owed",
    "Owing",
    "Purse",
    "Repeat",
    "SpendingRow",
    "SqliteStore",
    "Store",
    "Swept",
    "Unfinished",
    "Watched",
    "hold_readable",
]
