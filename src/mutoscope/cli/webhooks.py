"""`mutoscope webhooks`: the messages that were owed, whether they arrived, and sending them again."""

import time
from typing import Annotated
from urllib.parse import quote

import msgspec
from cyclopts import App, Parameter
from rich.text import Text

from mutoscope.cli import _records, _show
from mutoscope.cli._failure import Stop
from mutoscope.cli._options import AsJson, Config, Data, settings_of
from mutoscope.cli._server import Elsewhere, Key, asked
from mutoscope.cli.jobs import (
    FAR_MESSAGES,
    attempt_story,
    delivery_as_json,
    delivery_story,
    far_message,
    fate,
    job_path,
)
from mutoscope.files.data_dir import Home
from mutoscope.model.job import Json
from mutoscope.store import Attempt, DeliveryRecord, Store

app = App(name="webhooks", help="List, show and replay webhook messages; print the secret that signs them.")

Id = Annotated[str, Parameter(help="A message's id, the webhook-id of its headers.")]


@app.command(name="list")
async def list_(
    *,
    job: str | None = None,
    pending: Annotated[bool, Parameter(negative="")] = False,
    limit: Annotated[int, Parameter(alias="-n")] = 20,
    server: Elsewhere = None,
    key: Key = None,
    data: Data = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """The newest messages.

    Parameters
    ----------
    job
        Only messages of this job.
    pending
        Only those that have neither arrived nor been given up.
    limit
        How many at most.
    """
    if limit < 1:
        raise Stop("--limit is 1 or more.", 2)
    if server:
        if job:  # in whatever form its id is given
            job = (await asked(server, "GET", job_path(job), key))["job"]["id"]
        only = "true" if pending else None
        told = await asked(server, "GET", "/admin/deliveries", key, job=job, pending=only, limit=limit)
        found = told["deliveries"]
        if as_json:
            _show.print_json(found)
        elif found:
            _show.print_table(FAR_MESSAGES, [far_message(each) for each in found])
        else:
            _show.err.print("There are no such messages.")
        return
    async with _records.opened(settings_of(config, data=data)) as store:
        of = (await _records.find(store, job)).id if job else None
        records = await store.deliveries(job=of, pending_only=pending, limit=limit)
        attempts = {each.delivery.id: await store.attempts(each.delivery.id) for each in records} if as_json else {}
    if as_json:
        _show.print_json([delivery_as_json(each, attempts) for each in records])
    elif records:
        rows = [
            (each.delivery.id, each.delivery.event, str(each.attempts), fate(each), Text(each.delivery.url))
            for each in records
        ]
        _show.print_table(("id", "event", "attempts", "fate", "url"), rows)
    else:
        _show.err.print("There are no such messages.")


@app.command
async def show(
    id: Id,
    *,
    server: Elsewhere = None,
    key: Key = None,
    data: Data = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """One message with its body and every attempt to deliver it."""
    if server:
        show_far(await asked(server, "GET", message_path(id), key), as_json=as_json)
        return
    async with _records.opened(settings_of(config, data=data)) as store:
        record = await find(store, id)
        attempts = await store.attempts(id)
    if as_json:
        _show.print_json(delivery_as_json(record, {id: attempts}))
        return
    _show.print_facts([("job", record.delivery.job), ("made", _show.moment(record.created))])
    _show.print_facts(delivery_story(record, attempts))
    _show.print_facts([("body", Text(record.delivery.body.decode("utf-8", "replace")))])


@app.command
async def replay(
    id: Id, *, server: Elsewhere = None, key: Key = None, data: Data = None, config: Config = None
) -> None:
    """Send a message again, whatever became of it: same id, same body, its whole schedule ahead of it."""
    if server:
        await asked(server, "POST", f"{message_path(id)}/replay", key)
        _show.out.print(f"{id} is due now, there.", markup=False)
        return
    async with _records.opened(settings_of(config, data=data)) as store:
        await find(store, id)
        if not await store.replay(id, time.time()):
            raise Stop(f"There is no message {id!r} here.")
    _show.out.print(f"{id} is due now. A running server sends it within a second, else the next one that starts.")


@app.command
def secret(*, data: Data = None, config: Config = None) -> None:
    """The secret that signs webhooks, as Standard Webhooks libraries take it."""
    settings = settings_of(config, data=data)
    _show.out.print(settings.webhooks.secret or Home(settings.data).webhook_secret(), markup=False)


def message_path(id: str) -> str:
    return f"/admin/deliveries/{quote(id, safe='')}"


def show_far(told: Json, *, as_json: bool) -> None:
    if as_json:
        _show.print_json(told)
        return
    fate = f"pending, next attempt {_show.moment(told['due'])}" if told["state"] == "pending" else told["state"]
    story = f"{told['id']}: {told['event']} to {told['url']}: {fate.replace('_', ' ')}"
    facts = [("job", told["job"]), ("made", _show.moment(told["created"])), ("webhook", story)]
    facts += [("attempt", attempt_story(msgspec.convert(each, Attempt))) for each in told["tries"]]
    _show.print_facts([(name, Text(value)) for name, value in (*facts, ("body", told["body"]))])


async def find(store: Store, id: str) -> DeliveryRecord:
    """Raises Stop."""
    record = await store.delivery(id)
    if record is None:
        raise Stop(f"There is no message {id!r} here. `mutoscope webhooks list` shows the newest.")
    return record
