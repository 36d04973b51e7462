"""`mutoscope exchanges`: records of answers in words, as far as `[words] records` keeps them."""

from typing import Annotated
from urllib.parse import quote

import msgspec
from cyclopts import Parameter
from rich.text import Text

from mutoscope.cli import _records, _show
from mutoscope.cli._failure import Stop
from mutoscope.cli._options import AsJson, Config, Data, settings_of
from mutoscope.cli._server import Elsewhere, Key, asked
from mutoscope.store import Entry, ExchangeRecord


async def exchanges(
    id: str | None = None,
    *,
    owner: str | None = None,
    limit: Annotated[int, Parameter(alias="-n")] = 20,
    server: Elsewhere = None,
    key: Key = None,
    data: Data = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Requests that were answered in words, the newest first; or one of them, with its bodies and the ledger's lines.

    Parameters
    ----------
    id
        The x-request-id of the answer.
    owner
        Only those of this key's name.
    limit
        How many at most.
    """
    if limit < 1:
        raise Stop("--limit is 1 or more.", 2)
    if server:
        await show_far(id, owner, limit, server, key, as_json=as_json)
        return
    settings = settings_of(config, data=data)
    async with _records.opened(settings) as store:
        if id is not None:
            record, entries = await store.exchange(id), await store.entries(id)
            if record is None and not entries:
                raise Stop(f"There is no record of an exchange {id!r} here.")
            show(record, entries, as_json=as_json)
            return
        records = await store.exchanges(owner=owner, limit=limit)
    if as_json or records:
        show_all(records, as_json=as_json)
    elif settings.words.records == "off":
        _show.err.print('There are none: [words] records = "metadata" or "bodies" keeps them.')
    else:
        _show.err.print("There are none.")


async def show_far(
    id: str | None, owner: str | None, limit: int, server: str, key: str | None, *, as_json: bool
) -> None:
    if id is not None:
        told = await asked(server, "GET", f"/admin/exchanges/{quote(id, safe='')}", key)
        entries = msgspec.convert(told["ledger"], tuple[Entry, ...])
        show(msgspec.convert(told["exchange"], ExchangeRecord), entries, as_json=as_json)
        return
    told = await asked(server, "GET", "/admin/exchanges", key, owner=owner, limit=limit)
    records = msgspec.convert(told["exchanges"], tuple[ExchangeRecord, ...])
    if as_json or records:
        show_all(records, as_json=as_json)
    else:
        _show.err.print("There are none.")


def show_all(records: tuple[ExchangeRecord, ...], *, as_json: bool) -> None:
    if as_json:
        _show.print_json(records)
        return
    columns = ("id", "began", "key", "model", "engine", "status", "end", "read", "written", "credits")
    _show.print_table(columns, [row(each) for each in records])


def row(record: ExchangeRecord) -> tuple[str | Text, ...]:
    return (
        record.id,
        _show.moment(record.began),
        Text(record.owner),
        Text(record.model),
        record.engine,
        str(record.status),
        record.end,
        str(record.read),
        str(record.written),
        rendered_credits(record),
    )


def rendered_credits(record: ExchangeRecord) -> str:
    return "unknown" if record.credits is None else f"{record.credits:.6g}"


def show(record: ExchangeRecord | None, entries: tuple[Entry, ...], *, as_json: bool) -> None:
    if as_json:
        _show.print_json({"record": record, "ledger": entries})
        return
    if record:
        facts = {
            name: value
            for name, value in msgspec.to_builtins(record).items()
            if name not in ("began", "ended", "request", "response")
        }
        times = [("began", _show.moment(record.began)), ("seconds", f"{record.ended - record.began:.3f}")]
        _show.print_facts([*((name, Text(str(value))) for name, value in facts.items()), *times])
    for each in entries:
        basis = f", {each.basis}" if each.basis else ""
        _show.out.print(f"{each.kind}: {each.credits:.6g} credits{basis}", markup=False)
    for name in ("request", "response"):
        if body := record and getattr(record, name):
            _show.out.print(f"\n{name}:\n{body}", markup=False)
