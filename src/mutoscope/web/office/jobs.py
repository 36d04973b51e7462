"""Jobs as an operator looks at them: what there is to do, a page of them, one with all that is known of it."""

import asyncio
import shutil
import tempfile
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace

from mutoscope import __version__
from mutoscope.engines.transcripts import readable, struck
from mutoscope.model.http import HttpRequest
from mutoscope.model.job import Event, Job, Json, Output, State
from mutoscope.model.problem import Kind, Problem
from mutoscope.model.requests import Submission
from mutoscope.service import provenance
from mutoscope.service.provenance import Finding
from mutoscope.store import Sieve
from mutoscope.web.news import breaker_state
from mutoscope.web.office import copies, words
from mutoscope.web.office.calls import Asked, Desk, found
from mutoscope.wirekit.routes import Read
from mutoscope.wirekit.wire import Wire

HOUR, DAY = 3600.0, 86400.0
PROMPT_SHOWN = 240
FAILURES = 1000  # of the last hour that are looked at
LINK_SECONDS = 6 * HOUR
BODY_SHOWN = 64 * 1024


class JobsQuery(Struct, frozen=True, kw_only=True):
    """Which jobs; what is left out lets all through."""

    owner: str | None = None
    model: str | None = None
    wire: str | None = None
    state: State | None = None
    engine: str | None = None
    day: Annotated[str, Meta(pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}$")] | None = None  # in UTC
    since: float | None = None
    before: Annotated[str, Meta(max_length=36)] = ""  # an id: those that are older
    limit: Annotated[int, Meta(ge=1, le=500)] = 48


class Again(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    engine: str | None = None  # another than its model's route has


async def overview(desk: Desk, asked: Asked) -> Json:
    """How the server fares: what waits, what failed, what was spent, what is in the way."""
    now, store = desk.now(), desk.store
    states, figures, failed, spent, parts = await asyncio.gather(
        store.count_by_state(),
        store.figures(),
        store.browse(Sieve(state=State.FAILED, since=now - HOUR), limit=FAILURES),
        store.spending(since=midnight(now), until=now + 1),
        failing(desk),
    )
    queues: dict[str, Json] = {}
    for each in figures.unfinished:
        queue = queues.setdefault(
            each.engine, {"engine": each.engine, "queued": 0, "throttled": 0, "running": 0, "oldest_seconds": 0.0}
        )
        queue[each.state] += each.jobs
        if each.state != "running":
            queue["oldest_seconds"] = max(queue["oldest_seconds"], round(now - each.oldest, 1))
    causes = Counter((job.failure.kind.value if job.failure else "unknown", job.engine or "none") for job in failed)
    example = {(job.failure.kind.value, job.engine or "none"): job for job in failed if job.failure}
    budget = asked.caller.rights.budget
    return {
        "version": __version__,
        "rehearsal": desk.rehearsal,
        "ready": not parts,
        "failing": parts,
        "jobs": {state.value: count for state, count in states.items()},
        "queues": sorted(queues.values(), key=lambda queue: -queue["oldest_seconds"]),
        "failures": [
            {
                "kind": kind,
                "engine": engine,
                "jobs": count,
                "message": message_of(example.get((kind, engine))),
                "example": example[kind, engine].id if (kind, engine) in example else None,
            }
            for (kind, engine), count in causes.most_common(20)
        ],
        "failed_last_hour": len(failed),
        "vendors": [
            {"account": name, "vendor": relay.wire.title, "state": breaker_state(relay), "jobs": relay.upstream}
            for name, relay in desk.relays.items()
        ],
        "deliveries": {
            "pending": sum(each.messages for each in figures.pending_deliveries),
            "receivers": len(figures.pending_deliveries),
        },
        "unknown_submissions": len(await store.doubtful(limit=100)),
        "spent_today": round(sum(row.credits for row in spent), 4),
        "budget": budget,
        "disk": disk(desk),
    }


async def failing(desk: Desk) -> dict[str, str]:
    return await desk.parts.readiness.failing() if desk.parts.readiness else {}


def disk(desk: Desk) -> Json | None:
    if desk.parts.data is None:
        return None
    usage = shutil.disk_usage(desk.parts.data)
    return {"free": usage.free, "total": usage.total}


def midnight(now: float) -> float:
    return datetime.fromtimestamp(now, UTC).replace(hour=0, minute=0, second=0, microsecond=0).timestamp()


def message_of(job: Job | None) -> str:
    return job.failure.message[:PROMPT_SHOWN] if job and job.failure else ""


# -- lists ---------------------------------------------------------------------------------


async def list_jobs(desk: Desk, asked: Asked) -> Json:
    """A page of jobs, the newest first; `next` is the `before` of the one behind it."""
    query: JobsQuery = asked.query
    jobs = await desk.store.browse(sieve_of(query), limit=query.limit + 1)
    page = jobs[: query.limit]
    more = len(jobs) > query.limit
    return {"jobs": [tile(desk, job) for job in page], "next": page[-1].id if more and page else None}


def sieve_of(query: JobsQuery) -> Sieve:
    """Raises Problem for a day that there is not."""
    since, until = query.since, None
    if query.day:
        try:
            start = datetime.fromisoformat(query.day).replace(tzinfo=UTC)
        except ValueError as error:
            raise Problem(Kind.INVALID, f"{query.day} is no day of the calendar.", field="day") from error
        since, until = start.timestamp(), (start + timedelta(days=1)).timestamp()
    return Sieve(
        owner=query.owner, model=query.model, wire=query.wire, engine=query.engine, state=query.state,
        since=since, until=until, before=query.before,
    )  # fmt: skip


def tile(desk: Desk, job: Job) -> Json:
    """A job as lists and the news show it."""
    shown = [file for output in job.outputs if (file := media(desk, output))]
    texts = [output.text for output in job.outputs if output.text is not None]
    return {
        "id": job.id,
        "state": "throttled" if job.throttled and job.state is State.QUEUED else job.state.value,
        "final": job.state.final,
        "wire": job.wire,
        "model": job.generation.model,
        "operation": job.generation.operation.value,
        "engine": job.engine,
        "owner": job.owner,
        "prompt": shortened(job.generation.prompt or ""),
        "progress": job.progress,
        "created": job.created,
        "started": job.started,
        "finished": job.finished,
        "seconds": round(job.finished - job.created, 2) if job.finished else None,
        "cost": job.cost,
        "estimate": job.estimate,
        "error": {"kind": job.failure.kind.value, "message": job.failure.message[:PROMPT_SHOWN]}
        if job.failure
        else None,
        "media": shown[0] if shown else None,
        "outputs": len(job.outputs),
        "text": shortened(texts[0]) if texts else None,
    }


def shortened(text: str) -> str:
    return text if len(text) <= PROMPT_SHOWN else f"{text[:PROMPT_SHOWN]}…"


SHOWN = {
    "image/png": "image", "image/jpeg": "image", "image/webp": "image", "image/avif": "image", "image/gif": "image",
    "image/bmp": "image", "image/svg+xml": "image",
    "video/mp4": "video", "video/webm": "video", "video/quicktime": "video", "video/ogg": "video",
    "audio/mpeg": "audio", "audio/aac": "audio", "audio/wav": "audio", "audio/flac": "audio", "audio/ogg": "audio",
    "audio/mp4": "audio", "audio/webm": "audio",
}  # fmt: skip
"""What a page may show of a file, by the type that was probed when it was kept."""


def media(desk: Desk, output: Output) -> Json | None:
    """A file with a link to it on this server; None where it is gone, or words."""
    if not output.asset:
        return None
    told: Json = {
        "id": output.id,
        "kind": SHOWN.get(output.media_type, "file"),
        "type": output.media_type,
        "url": link(desk, output.asset),
        "bytes": output.bytes,
        "width": output.width,
        "height": output.height,
        "seconds": output.seconds,
    }
    return told | {name: link(desk, key) for name in ("poster", "preview") if (key := getattr(output, name, None))}


def link(desk: Desk, asset: str) -> str:
    """A signed path on this server, the same for an hour so that a browser keeps the file."""
    now = desk.now()
    return desk.gateway.assets.link(asset, base="", seconds=LINK_SECONDS, now=now - now % HOUR)


# -- one -----------------------------------------------------------------------------------


async def show_job(desk: Desk, asked: Asked) -> Json:
    """One job: its story, the five views of what was said, its money and messages, and how to ask for it again."""
    job = await one(desk, asked.params["id"])
    gateway, store = desk.gateway, desk.store
    wire = desk.wires.get(job.wire)
    events, dispatches, entries, deliveries = await asyncio.gather(
        store.events(job.id), store.dispatches(job.id), store.entries(job.id), store.deliveries(job=job.id)
    )
    came = copies.came_by(desk, job)
    glimpse = await store.glimpse(job.id) if job.state is State.RUNNING else None
    return {
        "job": tile(desk, job) | {"ahead": await gateway.before(job)},
        "glimpse": f"data:image/jpeg;base64,{b64encode(glimpse).decode()}" if glimpse else None,
        "public_id": wire.public_id(job.id) if wire else job.id,
        "prompt": job.generation.prompt,
        "outputs": [media(desk, each) or {"kind": "text", "text": each.text} for each in job.outputs],
        "inputs": [input_of(desk, each) for each in job.generation.inputs],
        "failure": msgspec.to_builtins(job.failure) if job.failure else None,
        "notes": list(job.notes),
        "parent": job.parent,
        "attempts": job.attempts,
        "upstream_status": job.upstream_status,
        "webhook": struck(job.webhook) if job.webhook else None,
        "story": [msgspec.to_builtins(line) for line in story(job, events)],
        "views": {
            "came": {
                "method": came.route.method if came else None,
                "path": came.path if came else None,
                "body": words.pretty(readable(job.body)),
            },
            "understood": words.understood(job.generation),
            "sent": await sent(desk, job),
            "answered": answered(desk, wire, job),
        },
        "submissions": [msgspec.to_builtins(each) for each in dispatches],
        "ledger": [msgspec.to_builtins(each) for each in entries],
        "deliveries": [words.delivery(each) for each in deliveries],
        "copies": copies.of(desk, job, came, asked.request.origin),
        "engines": [engine.name for engine in makers(desk, job)],
    }


async def one(desk: Desk, id: str) -> Job:
    """By our id or any vendor's form of it. Raises Problem(NOT_FOUND)."""
    ids = dict.fromkeys([id, *(ours for wire in desk.wires.values() if (ours := wire.job_id(id)))])
    for each in ids:
        if job := await desk.store.get(each):
            return job
    raise Problem(Kind.NOT_FOUND, f"There is no job {id!r}.", field="id")


def makers(desk: Desk, job: Job) -> Iterator[Any]:
    model = desk.catalog.models.get(job.generation.model)
    for engine in desk.gateway.engines.values():
        if model and engine.supports(job.generation.operation, model) is not None:
            yield engine


def story(job: Job, events: tuple[Event, ...]) -> list[Event]:
    """What is known of a job's life, in order: its own times and what was noted on its way."""
    lines = [Event(at=job.created, what="filed", account=job.engine or None), *events]
    if job.started and not any(each.what == "intended" for each in events):
        lines.append(Event(at=job.started, what="started", account=job.engine or None))
    if job.finished and not any(each.what in ("ended", "canceled") for each in events):
        reason = job.failure.message if job.failure else ""
        lines.append(Event(at=job.finished, what=job.state.value, account=job.engine or None, detail=reason))
    return sorted(lines, key=lambda line: line.at)


async def sent(desk: Desk, job: Job) -> Json:
    """What was said to the vendor and answered, as far as it was kept; else the request made anew."""
    kept = await desk.parts.transcripts.of(job.id) if desk.parts.transcripts else ()
    relay = desk.relays.get(job.engine)
    told: Json = {
        "remote": relay is not None,
        "exchanges": [
            msgspec.to_builtins(each) | {"request": words.pretty(each.request), "answer": words.pretty(each.answer)}
            for each in kept
        ],
        "again": None,
    }
    if relay and not kept:
        told["again"] = words.as_vendor(desk, relay.wire, job.generation, reference=job.id)
    return told


def answered(desk: Desk, wire: Wire | None, job: Job) -> Json | None:
    """What a client that asks now is answered."""
    if wire is None:
        return None
    route = next((each for each in wire.routes if isinstance(each, Read) and each.route in ("", job.route)), None)
    if route is None:
        return None
    id = wire.public_id(job.id)
    path = route.path.replace("{id}", id)
    request = HttpRequest(method="GET", path=path, params={"id": id}, origin=job.origin)
    try:
        response = route.render(desk.gateway.linked(job, job.origin), request)
    except Exception:  # a wire that needs more of the request than there is here
        return None
    body = words.pretty(struck(response.body.decode("utf-8", "replace")[:BODY_SHOWN]))
    return {"path": path, "status": response.status, "body": body}


def input_of(desk: Desk, each: Any) -> Json:
    told: Json = {"role": each.role.value, "field": each.field, "type": each.media_type}
    if each.asset:
        told |= {"url": link(desk, each.asset), "kind": SHOWN.get(each.media_type or "", "file")}
    elif each.url:
        told |= {"from": struck(each.url), "kind": "link"}
    return told


async def provenance_of(desk: Desk, asked: Asked) -> Json:
    """What each file of a job says of its making, whether its signature holds, and the mark; read now."""
    job, parts = await one(desk, asked.params["id"]), desk.parts
    if parts.models is None or parts.data is None:
        raise Problem(Kind.UNSUPPORTED, "This server was put together without what reads files.")
    settings, found = desk.gateway.settings, list[Json]()
    anchors = provenance.anchors_of(settings.credentials, parts.data)
    with tempfile.TemporaryDirectory() as folder:
        for output in job.outputs:
            if output.asset:
                try:
                    path = await desk.gateway.assets.local_path(output.asset, Path(folder))
                    finding = await provenance.look(path, settings.inputs, pool=parts.models, anchors=anchors)
                except FileNotFoundError:
                    finding = provenance.unread(output.media_type, "The file is gone.")
                except Problem as problem:
                    finding = provenance.unread(output.media_type, problem.message)
                found.append(finding_told(finding) | {"id": output.id})
    return {"id": job.id, "outputs": found}


def finding_told(finding: Finding) -> Json:
    """`told` says it in a sentence."""
    statement, mark = finding.credentials, finding.mark
    nothing = provenance.NONE if finding.readable else provenance.UNREAD
    credentials: Json = {"told": provenance.MEANING[statement.verdict] if statement else nothing}
    return {
        "type": finding.media_type,
        "damage": finding.damage,
        "intact": finding.good if statement else None,
        "credentials": (msgspec.to_builtins(statement) if statement else {}) | credentials,
        "source": provenance.source_story(statement.source_type or "") if statement else "",
        "mark": msgspec.to_builtins(mark) | {"told": provenance.mark_story(mark)} if mark else None,
        "comment": finding.info.comment if finding.info else None,
    }


# -- changes -------------------------------------------------------------------------------


async def cancel_job(desk: Desk, asked: Asked) -> Json:
    job = await one(desk, asked.params["id"])
    if (canceled := await desk.gateway.cancel(job.id)) is None:
        raise Problem(Kind.CONFLICT, f"Job {job.id} cannot be canceled any more: it is {job.state}.", field="id")
    return tile(desk, canceled)


async def delete_job(desk: Desk, asked: Asked) -> Json:
    job = await one(desk, asked.params["id"])
    if job.id in desk.gateway.kept or not await desk.store.delete(job.id):
        raise Problem(Kind.CONFLICT, f"Job {job.id} cannot be deleted: it is {job.state}.", field="id")
    desk.gateway.changed(job.id)
    return {"id": job.id, "deleted": True}


async def run_again(desk: Desk, asked: Asked) -> Json:
    """The same wish as a new job of the same owner, filed by the operator: the limits of the owner's key do not hold
    it up."""
    job, wish = await one(desk, asked.params["id"]), asked.body
    wire = found(desk.wires.get(job.wire), "API", job.wire)
    if wish.engine is not None and wish.engine not in desk.gateway.engines:
        known = ", ".join(desk.gateway.engines)
        raise Problem(Kind.INVALID, f"There is no engine {wish.engine!r}; there are {known}.", field="engine")
    inputs = tuple(
        replace(each, output_of=None, made_by=None) if each.asset else each for each in job.generation.inputs
    )
    made = await desk.gateway.submit(
        wire, job.route, Submission(generation=replace(job.generation, inputs=inputs, wire="", unread={})),
        owner=job.owner, body=job.body, origin=job.origin, engine=wish.engine,
    )  # fmt: skip
    return tile(desk, made)
