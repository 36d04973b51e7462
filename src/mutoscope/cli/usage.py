"""`mutoscope usage`: what was spent, by key, model, day or engine."""

import csv
import time
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import Struct
from rich.text import Text

from mutoscope.cli import _records, _show
from mutoscope.cli._failure import Stop
from mutoscope.cli._options import AsJson, Config, Data, settings_of
from mutoscope.cli._server import Elsewhere, Key, asked
from mutoscope.model.catalog import CREDIT_USD
from mutoscope.model.config import BUILT_IN
from mutoscope.store import SpendingRow

DAYS = 30
YEARS = range(2000, 2101)
BAR = 30  # characters
EIGHTHS = " ▏▎▍▌▋▊▉█"
WIDEST_GAP = 92  # days that are shown one by one, with those between on which nothing was spent

By = Literal["key", "model", "day", "engine"]


class Sum(Struct):
    """Of one key, model, day or engine."""

    jobs: int = 0
    paid: float = 0.0  # credits that vendors charged
    rendered: float = 0.0  # credits that a vendor would have charged for what the built-in engines made


async def usage(
    *,
    by: By = "day",
    since: str | None = None,
    until: str | None = None,
    csv: Path | None = None,
    server: Elsewhere = None,
    key: Key = None,
    data: Data = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """What was spent: at vendors, and what a vendor would have charged for what the built-in renderer made.

    Parameters
    ----------
    by
        What the rows are.
    since
        The first day, YYYY-MM-DD in UTC. Default: 30 days ago.
    until
        The last day. Default: today.
    csv
        Write every day, key, model and engine to this file.
    """
    today = datetime.fromtimestamp(time.time(), UTC).date()
    last = day_of(until, "--until") if until else today
    first = day_of(since, "--since") if since else last - timedelta(days=DAYS)
    if first > last:
        raise Stop(f"--since {first} is after --until {last}.", 2)
    settings = settings_of(config, data=data)
    ours = (*BUILT_IN, *settings.engines)
    if server:
        told = await asked(server, "GET", "/admin/spending", key, since=first, until=last)
        rows = msgspec.convert(told["rows"], tuple[SpendingRow, ...])
        ours = tuple(told["built_in"])
    else:
        async with _records.opened(settings) as store:
            rows = await store.spending(since=midnight(first), until=midnight(last + timedelta(days=1)))
    if csv is not None:
        write_csv(csv, rows, ours)
        _show.err.print(f"Wrote {len(rows)} rows to {csv}.", markup=False)
    sums = summed(rows, by, ours)
    if as_json:
        _show.print_json(json_of(sums, rows, by, first, last))
    elif not rows:
        _show.err.print(f"Nothing was spent from {first} to {last}.")
    else:
        shown(with_gaps(sums, first, last) if by == "day" else sums, by)


def day_of(text: str, option: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise Stop(f"{option}: {text!r} is no day; write YYYY-MM-DD.", 2) from None
    if day.year not in YEARS:
        raise Stop(f"{option}: {text} is none of the years {YEARS[0]} to {YEARS[-1]}.", 2)
    return day


def midnight(day: date) -> float:
    return datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()


def key_of(row: SpendingRow) -> str:
    return row.owner or "(no key)"


def summed(rows: Iterable[SpendingRow], by: By, ours: Collection[str]) -> dict[str, Sum]:
    """Days in their order, everything else by what it cost. Nobody is paid for what engines of ours make."""
    sums: dict[str, Sum] = {}
    for row in rows:
        name = {"key": key_of(row), "model": row.model, "day": row.day, "engine": row.engine}[by]
        each = sums.setdefault(name, Sum())
        each.jobs += row.jobs
        if row.engine in ours:
            each.rendered += row.credits
        else:
            each.paid += row.credits
    if by == "day":
        return dict(sorted(sums.items()))
    return dict(sorted(sums.items(), key=lambda item: (-item[1].paid, -item[1].rendered, item[0])))


def with_gaps(sums: dict[str, Sum], first: date, last: date) -> dict[str, Sum]:
    """With the days between on which nothing was spent: a chart that leaves them out misleads."""
    begin = max(first, date.fromisoformat(min(sums)))
    days = [begin + timedelta(days=n) for n in range((last - begin).days + 1)]
    return {str(day): sums.get(str(day), Sum()) for day in days} if len(days) <= WIDEST_GAP else sums


def shown(sums: dict[str, Sum], by: By) -> None:
    most = max(each.paid + each.rendered for each in sums.values())
    columns = (by, "jobs", "vendors", "US$", "built-in", "")
    rows: list[Sequence[str | Text]] = [row(name, each, most) for name, each in sums.items()]
    whole = Sum()
    for each in sums.values():
        whole.jobs, whole.paid = whole.jobs + each.jobs, whole.paid + each.paid
        whole.rendered += each.rendered
    if len(sums) > 1:
        rows.append(row("all", whole, 0.0))
    _show.print_table(columns, rows)
    _show.out.print(
        "Credits of US$0.01; days in UTC. A bar is what vendors charged, then what the built-in engines made."
    )
    if whole.rendered:
        _show.out.print("Nobody was paid for the latter: it is counted as the vendor would have charged it.")


def row(name: str, each: Sum, most: float) -> tuple[str | Text, ...]:
    figures = [str(each.jobs), credits(each.paid), f"{each.paid * CREDIT_USD:.2f}", credits(each.rendered)]
    right = [Text(figure, justify="right") for figure in figures]
    return (Text(name), *right, bar(each, most))


def credits(amount: float) -> str:
    return f"{amount:,.2f}".removesuffix(".00") if amount else ""


def bar(each: Sum, most: float) -> Text:
    if not most:
        return Text()
    paid = blocks(each.paid / most)
    return Text.assemble((paid, "green"), (blocks((each.paid + each.rendered) / most)[len(paid.rstrip()) :], "dim"))


def blocks(share: float) -> str:
    """So much of the full length, to an eighth of a character."""
    eighths = round(share * BAR * 8)
    return (EIGHTHS[8] * (eighths // 8) + EIGHTHS[eighths % 8]).rstrip()


def json_of(sums: dict[str, Sum], rows: Sequence[SpendingRow], by: By, first: date, last: date) -> dict[str, Any]:
    return {
        "since": str(first),
        "until": str(last),
        "credit_usd": CREDIT_USD,
        "by": by,
        "sums": [
            {by: name, "jobs": each.jobs, "vendor_credits": exact(each.paid), "built_in_credits": exact(each.rendered)}
            for name, each in sums.items()
        ],
        "rows": [
            {
                "day": each.day,
                "key": each.owner,
                "model": each.model,
                "engine": each.engine,
                "jobs": each.jobs,
                "credits": each.credits,
            }
            for each in rows
        ],
    }


def exact(credits: float) -> float:
    """Sums of floats stray behind the ledger's last digit."""
    return round(credits, 6)


def write_csv(path: Path, rows: Iterable[SpendingRow], ours: Collection[str]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(("day", "key", "model", "engine", "built_in", "jobs", "credits", "usd"))
        for each in rows:
            usd = f"{each.credits * CREDIT_USD:.8f}".rstrip("0").rstrip(".")
            built_in = "yes" if each.engine in ours else "no"
            cells = (plain(each.owner), each.model, each.engine, built_in, each.jobs, f"{exact(each.credits):f}", usd)
            table.writerow((each.day, *cells))


def plain(text: str) -> str:
    """A name that a spreadsheet would take for a formula is not one."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
