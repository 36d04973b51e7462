"""What was spent, and what models cost and make."""

import csv
import io
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from statistics import median, quantiles
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from mutoscope.model.catalog import Model
from mutoscope.model.http import HttpResponse
from mutoscope.model.job import Json, State
from mutoscope.model.problem import Kind, Problem
from mutoscope.service.routing import route
from mutoscope.store import Sieve, SpendingRow
from mutoscope.web.office.calls import NOT_STORED, Asked, Desk

Day = Annotated[str, Meta(pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
USUAL_DAYS, MOST_DAYS = 30, 366
MEASURED = 500  # of the newest finished jobs
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # with which a spreadsheet takes a text for a formula


class SpendingQuery(Struct, frozen=True, kw_only=True):
    since: Day | None = None  # the first day, in UTC
    until: Day | None = None  # the last day
    owner: str | None = None


async def spending(desk: Desk, asked: Asked) -> Json:
    """Credits by day, owner, model and engine."""
    start, end, rows = await rows_of(desk, asked.query)
    return {
        "since": start.isoformat(),
        "until": end.isoformat(),
        "total": round(sum(row.credits for row in rows), 4),
        "built_in": [name for name in desk.gateway.engines if name not in desk.relays],  # nobody is paid for theirs
        "rows": [msgspec.to_builtins(row) for row in rows],
    }


async def spending_csv(desk: Desk, asked: Asked) -> HttpResponse:
    """The same as a table for a spreadsheet."""
    start, end, rows = await rows_of(desk, asked.query)
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(SpendingRow.__struct_fields__)
    for row in rows:
        writer.writerow([safe(getattr(row, name)) for name in SpendingRow.__struct_fields__])
    name = f"mutoscope-spending-{start}-{end}.csv"
    headers = NOT_STORED | {"content-disposition": f'attachment; filename="{name}"'}
    return HttpResponse(body=file.getvalue().encode(), media_type="text/csv; charset=utf-8", headers=headers)


def safe(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


async def rows_of(desk: Desk, query: SpendingQuery) -> tuple[date, date, tuple[SpendingRow, ...]]:
    """Raises Problem for days that there are not."""
    today = datetime.fromtimestamp(desk.now(), UTC).date()
    try:
        end = date.fromisoformat(query.until) if query.until else today
        start = date.fromisoformat(query.since) if query.since else end - timedelta(days=USUAL_DAYS - 1)
    except ValueError as error:
        raise Problem(Kind.INVALID, "since and until are days of the calendar: YYYY-MM-DD.", field="since") from error
    if not timedelta(0) <= end - start < timedelta(days=MOST_DAYS):
        raise Problem(Kind.INVALID, f"until is since or up to {MOST_DAYS - 1} days later.", field="until")
    first, behind = (datetime(day.year, day.month, day.day, tzinfo=UTC) for day in (start, end + timedelta(days=1)))
    rows = await desk.store.spending(since=first.timestamp(), until=behind.timestamp(), owner=query.owner)
    return start, end, rows


async def models(desk: Desk, _asked: Asked) -> Json:
    """Every model: what it makes, who makes it here, its price, and how long it took lately."""
    measured = await durations(desk)
    return {
        "models": [model_as_json(desk, model, measured.get(model.name, {})) for model in desk.catalog.models.values()]
    }


def model_as_json(desk: Desk, model: Model, measured: dict[str, Json]) -> Json:
    engines = route(model, desk.gateway.routes.accounts)
    able = [each.name for each in desk.gateway.routes.candidates(model)]
    price = desk.gateway.prices.price_at(model, able[0]) if able else model.price
    return {
        "name": model.name,
        "vendor": model.vendor,
        "makes": sorted(each.value for each in model.serves),
        "names": {wire: list(names) for wire, names in model.names.items()},
        "engines": list(engines),
        "price": {name: value for name, value in msgspec.to_builtins(price).items() if value},
        "price_known": price.known,
        "max_seconds": model.max_seconds,
        "max_concurrent": model.max_concurrent,
        "max_daily": model.max_daily,
        "defaults": msgspec.to_builtins(model.defaults),
        "measured": measured,
    }


async def durations(desk: Desk) -> dict[str, dict[str, Json]]:
    """Model → engine → how long the newest of its jobs took, without their wait."""
    took: dict[tuple[str, str], list[float]] = defaultdict(list)
    for job in await desk.store.browse(Sieve(state=State.SUCCEEDED), limit=MEASURED):
        if job.started and job.finished:
            took[job.generation.model, job.engine].append(job.finished - job.started)
    told: dict[str, dict[str, Json]] = defaultdict(dict)
    for (model, engine), seconds in took.items():
        p95 = quantiles(seconds, n=20)[-1] if len(seconds) > 1 else seconds[0]
        told[model][engine] = {"jobs": len(seconds), "p50": round(median(seconds), 2), "p95": round(p95, 2)}
    return told
