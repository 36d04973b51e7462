"""`mutoscope jobs`: what was asked of this server and what became of it."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, NamedTuple, NoReturn
from urllib.parse import quote

import msgspec
import uuid_utils
from cyclopts import App, Parameter
from rich.live import Live
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from mutoscope.cli import _records, _show
from mutoscope.cli._failure import Stop
from mutoscope.cli._options import AsJson, Config, Data, Number, settings_of
from mutoscope.cli._server import Elsewhere, Key, asked
from mutoscope.files.assets import local_root, place
from mutoscope.model.config import Settings
from mutoscope.model.job import Delivery, Dispatch, Event, Input, Job, Json, Output, State
from mutoscope.store import EVENTS, Attempt, DeliveryRecord
from mutoscope.wires import BY_NAME

app = App(name="jobs", help="List, show, cancel and wait for jobs.")

POLL_SECONDS = 0.3
FAR_SECONDS = 1.0  # the same of a server elsewhere
Id = Annotated[str, Parameter(help="A job's id, in our form or in the vendor's.")]


@app.command(name="list")
async def list_(
    *,
    state: State | None = None,
    limit: Annotated[int, Parameter(alias="-n")] = 20,
    server: Elsewhere = None,
    key: Key = None,
    data: Data = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """The newest jobs.

    Parameters
    ----------
    state
        Only jobs in this state.
    limit
        How many at most.
    """
    if limit < 1:
        raise Stop("--limit is 1 or more.", 2)
    if server:
        wanted = state.value if state else None
        told = await asked(server, "GET", "/admin/jobs", key, state=wanted, limit=limit)
        list_far(told["jobs"], as_json=as_json)
        return
    async with _records.opened(settings_of(config, data=data)) as store:
        jobs = await store.recent(limit=limit, state=state)
    if as_json:
        _show.print_json([json_of(job) for job in jobs])
    elif jobs:
        _show.print_table(COLUMNS, [row(job) for job in jobs])
    else:
        _show.err.print("There are no such jobs." if state else "There are no jobs yet.")


COLUMNS = ("id", "state", "model", "engine", "made", "prompt")


def row(job: Job) -> tuple[str | Text, ...]:
    prompt = _show.shortened(job.generation.prompt, 60)
    return (job.id, _show.state(job), job.generation.model, job.engine, _show.moment(job.created), Text(prompt))


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
    """A job's whole story."""
    if server:
        show_far(await asked(server, "GET", job_path(id), key), as_json=as_json)
        return
    settings = settings_of(config, data=data)
    async with _records.opened(settings) as store:
        job = await _records.find(store, id)
        deliveries = await store.deliveries(job=job.id)
        attempts = {each.delivery.id: await store.attempts(each.delivery.id) for each in deliveries}
        events, dispatches = await store.events(job.id), await store.dispatches(job.id)
    if as_json:
        upstream = {"events": msgspec.to_builtins(events), "dispatches": msgspec.to_builtins(dispatches)}
        _show.print_json(
            json_of(job) | upstream | {"deliveries": [delivery_as_json(each, attempts) for each in deliveries]}
        )
        return
    _show.print_facts(story(job, settings))
    if events:
        _show.out.print()
        _show.print_table(("at", "after", "account", "what happened", ""), list(map(event_row(job), events)))
    if dispatches:
        _show.out.print()
        columns = ("submission", "account", "sent", "the vendor's id", "")
        _show.print_table(columns, list(map(dispatch_row, dispatches)))
    for each in reversed(deliveries):
        _show.print_facts(delivery_story(each, attempts[each.delivery.id]))


@app.command
async def cancel(
    id: Id,
    *,
    server: Elsewhere = None,
    key: Key = None,
    data: Data = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Cancel an unfinished job. A server that is making it notices within a second."""
    if server:
        told = await asked(server, "POST", f"{job_path(id)}/cancel", key)
        if as_json:
            _show.print_json(told)
        else:
            _show.out.print(f"Canceled {told['id']}.", markup=False)
        return
    settings = settings_of(config, data=data)
    async with _records.opened(settings) as store:
        job = await _records.find(store, id)
        canceled = await store.cancel(job.id, now=time.time(), pending_delivery=pending_delivery)
    if canceled is None:
        raise Stop(f"Job {job.id} has ended already: {job.state.value}. There was nothing to cancel.")
    if as_json:
        _show.print_json(json_of(canceled))
    else:
        _show.out.print(f"Canceled {canceled.id}.")


# -- a server elsewhere ---------------------------------------------------------


def job_path(id: str) -> str:
    return f"/admin/jobs/{quote(id, safe='')}"


def list_far(jobs: list[Json], *, as_json: bool) -> None:
    if as_json:
        _show.print_json(jobs)
    elif jobs:
        _show.print_table(COLUMNS, [far_row(job) for job in jobs])
    else:
        _show.err.print("There are no such jobs.")


def far_row(job: Json) -> tuple[Text, ...]:
    told = (job["id"], job["state"], job["model"], job["engine"], _show.moment(job["created"]))
    return (*(Text(str(each)) for each in told), Text(_show.shortened(job["prompt"], 60)))


def show_far(told: Json, *, as_json: bool) -> None:
    if as_json:
        _show.print_json(told)
        return
    job, failure = told["job"], told["failure"]
    price, said = (job["cost"], "credits") if job["cost"] is not None else (job["estimate"], "credits (estimate)")
    facts = [
        ("job", job["id"]),
        ("public id", f"{told['public_id']} ({job['wire']})"),
        ("state", job["state"]),
        ("failure", f"{failure['kind']}: {failure['message']}" if failure else ""),
        ("model", f"{job['model']}, {job['operation']}"),
        ("engine", job["engine"]),
        ("owner", job["owner"]),
        ("prompt", told["prompt"] or ""),
        *(("note", note) for note in told["notes"]),
        ("created", _show.moment(job["created"])),
        ("started", _show.moment(job["started"])),
        ("finished", _show.moment(job["finished"])),
        ("cost", f"{price:g} {said}"),
        *(
            ("output", each.get("text") or f"{each.get('type', '')}, {each.get('bytes', 0):,} bytes")
            for each in told["outputs"]
        ),
    ]
    _show.print_facts([(name, Text(str(value))) for name, value in facts])
    rows = [
        (_show.moment(each["at"]), each["what"], each.get("account") or "", each.get("detail") or "")
        for each in told["story"]
    ]
    _show.out.print()
    _show.print_table(("at", "what happened", "account", ""), [tuple(map(Text, each)) for each in rows])
    if told["deliveries"]:
        _show.out.print()
        _show.print_table(FAR_MESSAGES, [far_message(each) for each in told["deliveries"]])


FAR_MESSAGES = ("id", "event", "attempts", "fate", "url")


def far_message(each: Json) -> tuple[Text, ...]:
    return tuple(Text(str(each[name])) for name in ("id", "event", "attempts", "state", "url"))


# -- here -----------------------------------------------------------------------


def pending_delivery(job: Job) -> Delivery | None:
    """The message that a cancellation owes. No wire has one to tell so far; a canceled job has no files to link to."""
    render = BY_NAME[job.wire].render_webhook if job.wire in BY_NAME else None
    body = render(job) if job.webhook and render else None
    if body is None or job.webhook is None:
        return None
    id = f"msg_{uuid_utils.uuid7().hex}"
    return Delivery(id=id, job=job.id, url=job.webhook, event=job.state.value, body=body)


@app.command
async def wait(
    id: Id,
    *,
    timeout: Annotated[Number, Parameter(help="Give up after so many seconds.")] = None,  # noqa: ASYNC109 - an option's name
    server: Elsewhere = None,
    key: Key = None,
    data: Data = None,
    config: Config = None,
    as_json: AsJson = False,
) -> int:
    """Wait for a job's end. Exit code 0 when it succeeded, 1 when it did not."""
    deadline = None if timeout is None else time.monotonic() + timeout
    if server:
        told = await wait_far(id, deadline, server, key)
        show_far(told, as_json=as_json)
        return 0 if told["job"]["state"] == State.SUCCEEDED else 1
    settings = settings_of(config, data=data)
    async with _records.opened(settings) as store:
        job = await _records.find(store, id)
        with bar() as progress:
            task = progress.add_task(job.generation.model, total=None, state=job.state.value)
            while not job.state.final:
                advance(progress, task, job.state.value, job.progress)
                check_patience(deadline, job.id, job.state.value)
                await asyncio.sleep(POLL_SECONDS)
                job = await found_again(store.get(job.id))
    if as_json:
        _show.print_json(json_of(job))
    else:
        _show.print_facts(story(job, settings))
    return 0 if job.state is State.SUCCEEDED else 1


async def wait_far(id: str, deadline: float | None, server: str, key: str | None) -> Json:
    with bar() as progress:
        task: TaskID | None = None
        while True:
            told = await asked(server, "GET", job_path(id), key)
            job = told["job"]
            if job["final"]:
                return told
            if task is None:
                task = progress.add_task(job["model"], total=None, state=job["state"])
            advance(progress, task, job["state"], job["progress"])
            check_patience(deadline, job["id"], job["state"])
            await asyncio.sleep(FAR_SECONDS)


def check_patience(deadline: float | None, id: str, state: str) -> None:
    """Raises Stop."""
    if deadline is not None and time.monotonic() > deadline:
        raise Stop(f"Job {id} is still {state}, and the time of --timeout is over.")


@app.command
async def watch(
    *,
    state: State | None = None,
    limit: Annotated[int, Parameter(alias="-n")] = 10,
    server: Elsewhere = None,
    key: Key = None,
    data: Data = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """The newest jobs as they go, until Ctrl-C. In a pipe, or with --json, a line for each that has not ended, and one
    for each change.

    Parameters
    ----------
    state
        Only jobs in this state.
    limit
        How many at most are shown at once.
    """
    if limit < 1:
        raise Stop("--limit is 1 or more.", 2)
    if server:

        async def far(limit: int, state: State | None) -> list[Seen]:
            wanted = state.value if state else None
            found = await asked(server, "GET", "/admin/jobs", key, state=wanted, limit=limit)
            return list(map(seen_far, found["jobs"]))

        await follow(far, state, limit, FAR_SECONDS, as_json=as_json)
        return
    async with _records.opened(settings_of(config, data=data)) as store:

        async def here(limit: int, state: State | None) -> list[Seen]:
            return list(map(seen_here, await store.recent(limit=limit, state=state)))

        await follow(here, state, limit, POLL_SECONDS, as_json=as_json)


WATCHED = 200  # newest jobs that are looked at, where each change is a line


class Seen(NamedTuple):
    """A job of this server or of one elsewhere."""

    id: str
    final: bool
    news: tuple[object, ...]  # what a change of is told
    cells: tuple[str | Text, ...]
    record: Job | Json


def seen_here(job: Job) -> Seen:
    return Seen(job.id, job.state.final, (job.state, job.progress, job.throttled), row(job), job)


def seen_far(job: Json) -> Seen:
    return Seen(job["id"], job["final"], (job["state"], job["progress"]), far_row(job), job)


async def follow(
    look: Callable[[int, State | None], Awaitable[list[Seen]]],
    state: State | None,
    limit: int,
    seconds: float,
    *,
    as_json: bool,
) -> NoReturn:
    """Show the newest jobs, or tell each change in a line, every so many seconds until interrupted."""
    if as_json or not _show.out.is_terminal:
        known = {job.id: job.news for job in await look(WATCHED, None) if job.final}
        while True:
            for job in reversed(await look(WATCHED, state)):
                if known.get(job.id) != job.news:
                    known[job.id] = job.news
                    tell(job, as_json=as_json)
            await asyncio.sleep(seconds)
    with Live(console=_show.out, refresh_per_second=4) as live:
        while True:
            live.update(_show.table(COLUMNS, [job.cells for job in await look(limit, state)]))
            await asyncio.sleep(seconds)


def tell(job: Seen, *, as_json: bool) -> None:
    """A line, at once: whoever reads the pipe waits for it."""
    if as_json:
        record = json_of(job.record) if isinstance(job.record, Job) else job.record
        print(msgspec.json.encode(record).decode(), flush=True)
    else:
        print("  ".join(str(cell) for cell in job.cells), flush=True)


async def found_again(getting: Any) -> Job:
    job: Job | None = await getting
    if job is None:
        raise Stop("The job was deleted meanwhile.")
    return job


def bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[state]}"),
        Left(),
        TimeElapsedColumn(),
        console=_show.err,
        transient=True,
        disable=not _show.err.is_terminal,
    )


class Left(ProgressColumn):
    """How much of it is made and, from the pace so far, how many seconds it still takes."""

    def render(self, task: Task) -> Text:
        if task.total is None or not task.completed:
            return Text("")
        left = (task.elapsed or 0.0) * (task.total - task.completed) / task.completed
        return Text(f"{task.completed / task.total:.0%}, {left:.0f} s left", style="cyan")


def advance(progress: Progress, task: TaskID, state: str, share: float | None) -> None:
    """Show a job's progress, where it is known."""
    progress.update(task, total=None if share is None else 1.0, completed=share or 0.0, state=state)


# -- a job in words -------------------------------------------------------------


def story(job: Job, settings: Settings) -> list[tuple[str, str | Text]]:
    wish = job.generation
    asked = {
        "size": f"{wish.width}x{wish.height}" if wish.width and wish.height else wish.resolution,
        "seconds": wish.seconds,
        "fps": wish.fps,
        "count": wish.count,
        "seed": wish.seed,
        **wish.extra,
    }
    facts: list[tuple[str, str | Text]] = [
        ("job", job.id),
        ("public id", f"{_records.public_id(job)} ({job.wire} {job.route})".replace(" )", ")")),
        ("state", _show.state(job)),
        ("failure", f"{job.failure.kind.value}: {job.failure.message}" if job.failure else ""),
        ("model", f"{wish.model}, {wish.operation.value}"),
        ("engine", job.engine),
        ("owner", job.owner),
        ("prompt", wish.prompt or ""),
        ("not", wish.negative_prompt or ""),
        ("asked for", ", ".join(f"{name} {value}" for name, value in asked.items() if value is not None)),
        *(("input", input_story(each)) for each in wish.inputs),
        *(("note", note) for note in job.notes),
        ("created", _show.moment(job.created)),
        ("started", since(job.started, job.created, "after creation")),
        ("finished", since(job.finished, job.started or job.created, "of work" if job.started else "of waiting")),
        ("attempts", str(job.attempts)),
        ("worker", job.worker or ""),
        ("upstream", job.upstream_status or ""),
        ("checkpoint", msgspec.json.encode(job.checkpoint).decode() if job.checkpoint else ""),
        ("cost", f"{job.cost:g} credits" if job.cost is not None else f"{job.estimate:g} credits (estimate)"),
        *(("output", output_story(each, settings)) for each in job.outputs),
    ]
    return [(name, Text(value) if isinstance(value, str) else value) for name, value in facts]


def since(moment: float | None, before: float, what: str) -> str:
    return f"{_show.moment(moment)} ({max(moment - before, 0):.1f} s {what})" if moment else ""


def input_story(each: Input) -> str:
    source = each.url or each.asset or each.upload or "inline"
    return f"{each.role.value} from {each.field}: {_show.shortened(source, 120)}"


def output_story(each: Output, settings: Settings) -> str:
    if each.text is not None:
        return f"{each.media_type}: {_show.shortened(each.text, 120)}"
    told = [
        each.media_type,
        f"{each.width}x{each.height}" if each.width and each.height else "",
        f"{each.seconds:g} s" if each.seconds else "",
        f"{each.frames} frames" if each.frames else "",
        _show.size(each.bytes),
        where(each, settings),
    ]
    return ", ".join(part for part in told if part)


def where(each: Output, settings: Settings) -> str:
    """Where its file lies."""
    root = local_root(settings.files.store, settings.data)
    return str(root / place(each.asset)) if root else f"{settings.files.store.rstrip('/')}/{place(each.asset)}"


def event_row(job: Job) -> Callable[[Event], tuple[str, ...]]:
    def row(event: Event) -> tuple[str, ...]:
        after = f"+{max(event.at - job.created, 0):.1f} s"
        return (_show.moment(event.at), after, event.account or "", EVENTS.get(event.what, event.what), event.detail)

    return row


def dispatch_row(each: Dispatch) -> tuple[str, ...]:
    return (
        f"{each.number} at {_show.moment(each.at)}",
        each.account,
        each.sent,
        each.handle.get("id", ""),
        each.detail,
    )


def delivery_story(record: DeliveryRecord, attempts: tuple[Attempt, ...]) -> list[tuple[str, str | Text]]:
    each = record.delivery
    facts: list[tuple[str, str | Text]] = [("webhook", Text(f"{each.id}: {each.event} to {each.url}: {fate(record)}"))]
    facts += [("attempt", Text(attempt_story(attempt))) for attempt in attempts]
    return facts


def attempt_story(attempt: Attempt) -> str:
    answer = f"answered {attempt.status}" if attempt.status is not None else attempt.error or "no answer"
    return f"{attempt.number} at {_show.moment(attempt.at)}: {answer} ({attempt.ms:.0f} ms)"


def fate(record: DeliveryRecord) -> str:
    if record.delivered is not None:
        return f"delivered {_show.moment(record.delivered)}"
    if record.given_up is not None:
        return f"given up {_show.moment(record.given_up)}"
    return f"pending, next attempt {_show.moment(record.due)}"


# -- a job as JSON ----------------------------------------------------------------


def json_of(job: Job) -> dict[str, Any]:
    """The whole record; the body as text, since base64 tells nobody anything."""
    fields: dict[str, Any] = msgspec.to_builtins(job)
    return fields | {
        "state": job.state.value,
        "public_id": _records.public_id(job),
        "attempts": job.attempts,
        "body": job.body.decode("utf-8", "replace"),
    }


def delivery_as_json(record: DeliveryRecord, attempts: dict[str, tuple[Attempt, ...]]) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.to_builtins(record)
    delivery: dict[str, Any] = fields.pop("delivery")
    delivery["body"] = record.delivery.body.decode("utf-8", "replace")
    return delivery | fields | {"tries": msgspec.to_builtins(attempts[record.delivery.id])}
