"""Jobs, deliveries and uploads as rows of the database, and back."""

from collections.abc import Sequence
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from mutoscope.model.job import (
    Delivery,
    Dispatch,
    Event,
    Failure,
    Generation,
    Job,
    Json,
    Mode,
    Output,
    Sent,
    State,
    Watch,
)
from mutoscope.model.requests import Upload
from mutoscope.store.protocol import DeliveryRecord

Value = str | int | float | bytes | None
Row = tuple[Value, ...]


class Request(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What never changes about a job and is not searched for: the column `request`."""

    generation: Generation
    origin: str = ""
    webhook: str | None = None
    events: tuple[State, ...] = ()
    parent: str | None = None
    trace: str | None = None
    engines: tuple[str, ...] = ()
    estimate: float = 0.0


class JobRow(Struct, frozen=True, array_like=True):
    """The columns of a job, in the order of COLUMNS."""

    id: str
    wire: str
    route: str
    owner: str
    engine: str
    state: State
    throttled: int
    progress: float | None
    upstream_status: str | None
    worker: str | None
    attempts: int
    created: float
    updated: float
    started: float | None
    finished: float | None
    cost: float | None
    outputs: bytes | None
    failure: bytes | None
    checkpoint: bytes | None
    notes: bytes | None
    request: bytes
    body: bytes


COLUMNS = ", ".join(JobRow.__struct_fields__)
HOLES = f"({', '.join('?' * (1 + len(JobRow.__struct_fields__)))})"
INSERT_JOB = f"INSERT INTO jobs (model, {COLUMNS})"
THROTTLED = 1 + JobRow.__struct_fields__.index("throttled")  # its place in a row for INSERT_JOB

encode = msgspec.json.Encoder().encode
decode_request = msgspec.json.Decoder(Request).decode
decode_outputs = msgspec.json.Decoder(tuple[Output, ...]).decode
decode_failure = msgspec.json.Decoder(Failure).decode
decode_facts = msgspec.json.Decoder(Json).decode
decode_notes = msgspec.json.Decoder(tuple[str, ...]).decode


def row_of(job: Job) -> Row:
    """A new job as the parameters of INSERT_JOB."""
    request = Request(
        generation=job.generation,
        origin=job.origin,
        webhook=job.webhook,
        events=job.events,
        parent=job.parent,
        trace=job.trace,
        engines=job.engines,
        estimate=job.estimate,
    )
    return (
        job.generation.model,
        job.id,
        job.wire,
        job.route,
        job.owner,
        job.engine,
        job.state.value,
        int(job.throttled),
        job.progress,
        job.upstream_status,
        job.worker,
        job.attempts,
        job.created,
        job.updated,
        job.started,
        job.finished,
        job.cost,
        blob(job.outputs),
        blob(job.failure),
        blob(job.checkpoint),
        blob(job.notes),
        encode(request),
        job.body,
    )


def job_of(row: Row) -> Job:
    """The job in a row of COLUMNS."""
    it = msgspec.convert(row, JobRow)
    request = decode_request(it.request)
    return Job(
        id=it.id,
        wire=it.wire,
        route=it.route,
        owner=it.owner,
        generation=request.generation,
        body=it.body,
        engine=it.engine,
        state=it.state,
        throttled=it.throttled == 1,
        progress=it.progress,
        outputs=decode_outputs(it.outputs) if it.outputs else (),
        failure=decode_failure(it.failure) if it.failure else None,
        checkpoint=decode_facts(it.checkpoint) if it.checkpoint else {},
        notes=decode_notes(it.notes) if it.notes else (),
        upstream_status=it.upstream_status,
        parent=request.parent,
        trace=request.trace,
        engines=request.engines,
        webhook=request.webhook,
        events=request.events,
        origin=request.origin,
        worker=it.worker,
        attempts=it.attempts,
        created=it.created,
        updated=it.updated,
        started=it.started,
        finished=it.finished,
        estimate=request.estimate,
        cost=it.cost,
    )


def blob(value: object) -> bytes | None:
    """JSON, or NULL for what is empty."""
    return encode(value) if value else None


def texts(values: Sequence[str]) -> Value:
    """A parameter for json_each: one statement, however many values."""
    return encode(values).decode()


# Deliveries


class DeliveryRow(Struct, frozen=True, array_like=True):
    """The columns of a delivery, in the order of DELIVERY_COLUMNS."""

    id: str
    job: str
    url: str
    event: str
    body: bytes
    created: float
    due: float
    attempts: int
    delivered: float | None
    given_up: float | None


DELIVERY_COLUMNS = ", ".join(DeliveryRow.__struct_fields__)


def delivery_of(row: Row) -> DeliveryRecord:
    it = msgspec.convert(row, DeliveryRow)
    return DeliveryRecord(
        delivery=Delivery(id=it.id, job=it.job, url=it.url, event=it.event, body=it.body),
        created=it.created,
        due=it.due,
        attempts=it.attempts,
        delivered=it.delivered,
        given_up=it.given_up,
    )


def receiver_of(url: str) -> str:
    """Whom a message goes to: host and port."""
    try:
        return urlsplit(url).netloc.rpartition("@")[2].lower() or url
    except ValueError:
        return url


# What vendors make


class DispatchRow(Struct, frozen=True, array_like=True):
    """The columns of a dispatch, in the order of DISPATCH_COLUMNS."""

    job: str
    number: int
    account: str
    reference: str
    sent: Sent
    at: float
    answered: float | None
    handle: bytes | None
    detail: str


DISPATCH_COLUMNS = ", ".join(DispatchRow.__struct_fields__)


def dispatch_of(row: Row) -> Dispatch:
    it = msgspec.convert(row, DispatchRow)
    return Dispatch(
        job=it.job,
        number=it.number,
        account=it.account,
        reference=it.reference,
        sent=it.sent,
        at=it.at,
        answered=it.answered,
        handle=decode_facts(it.handle) if it.handle else {},
        detail=it.detail,
    )


class WatchRow(Struct, frozen=True, array_like=True):
    """The columns of a watch that is due at some time, in the order of WATCH_COLUMNS."""

    job: str
    account: str
    handle: bytes
    mode: Mode
    due: float
    polls: int
    since: float
    deadline: float


WATCH_COLUMNS = ", ".join(WatchRow.__struct_fields__)


def taken_watch(row: Row) -> Watch:
    """The watch in a row of WATCH_COLUMNS, asked once more."""
    it = msgspec.convert(row, WatchRow)
    return Watch(
        job=it.job,
        account=it.account,
        handle=decode_facts(it.handle),
        mode=it.mode,
        due=it.due,
        polls=it.polls + 1,
        since=it.since,
        deadline=it.deadline,
    )


EVENT_COLUMNS = "at, what, account, detail"


def event_of(row: Row) -> Event:
    at, what, account, detail = msgspec.convert(row, tuple[float, str, str | None, str])
    return Event(at=at, what=what, account=account, detail=detail)


# Uploads


class UploadRow(Struct, frozen=True, array_like=True):
    """The columns of an upload, in the order of UPLOAD_COLUMNS."""

    id: str
    wire: str
    owner: str
    media_type: str
    name: str | None
    min_bytes: int
    max_bytes: int
    created: float
    slot_expires: float
    expires: float
    asset: str | None
    bytes: int | None


UPLOAD_COLUMNS = ", ".join(UploadRow.__struct_fields__)


def upload_row(upload: Upload) -> Row:
    return tuple(getattr(upload, name) for name in UploadRow.__struct_fields__)


def upload_of(row: Row) -> Upload:
    it = msgspec.convert(row, UploadRow)
    return Upload(**msgspec.structs.asdict(it))
