"""What an operator watches, in SQL: each statement reads what is unfinished, never what has ended."""

from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

import msgspec

from mutoscope.store.protocol import Figures, PendingDeliveries, Unfinished, Watched
from mutoscope.store.sql.rows import Row

T = TypeVar("T")

UNFINISHED = """
    SELECT CASE throttled WHEN 1 THEN 'throttled' ELSE state END, wire, model, engine, count(*), min(created)
    FROM jobs INDEXED BY jobs_unfinished WHERE finished IS NULL GROUP BY 1, 2, 3, 4"""
PENDING_DELIVERIES = """
    SELECT receiver, count(*), min(due) FROM deliveries INDEXED BY deliveries_receivers
    WHERE delivered IS NULL AND given_up IS NULL GROUP BY receiver"""
WATCHED = """
    SELECT account, mode, count(*), min(due) FROM watches INDEXED BY watches_due
    WHERE due IS NOT NULL GROUP BY account, mode"""


async def read(ask: Callable[[str, Row], Awaitable[Iterable[Row]]]) -> Figures:
    """With a hundred thousand unfinished jobs it takes a while."""
    return Figures(
        unfinished=typed(await ask(UNFINISHED, ()), Unfinished),
        pending_deliveries=typed(await ask(PENDING_DELIVERIES, ()), PendingDeliveries),
        watched=typed(await ask(WATCHED, ()), Watched),
    )


def typed(rows: Iterable[Row], row: type[T]) -> tuple[T, ...]:
    return msgspec.convert(tuple(rows), tuple[row, ...])
