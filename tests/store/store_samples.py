"""Jobs, messages and uploads for the tests of the stores, and the list of stores they run on."""

from collections.abc import Callable
from itertools import count
from pathlib import Path

import msgspec

from mutoscope.model.job import Delivery, Failure, Generation, Input, Job, Operation, Output, Role
from mutoscope.model.problem import Kind
from mutoscope.model.requests import Upload
from mutoscope.store import SqliteStore, Store

T0 = 1_790_000_000.0  # a moment to count from

STORES: dict[str, Callable[[Path], Store]] = {
    "sqlite": lambda folder: SqliteStore(folder / "jobs.db"),
    "postgres": lambda folder: postgres_store(folder),
}
"""Every store, made for a folder of its own. A newcomer joins the list and inherits the suite."""

serial = count(1)


def postgres_store(folder: Path, **settings: float) -> Store:
    from mutoscope.store.postgres import PostgresStore  # late: psycopg is an extra
    from postgres_server import server  # late: who only makes jobs has no server

    return PostgresStore(server().of(folder), **settings)


def id_at(time: float, number: int | None = None) -> str:
    """A UUIDv7 of this time; the later one made is the greater."""
    low = next(serial) if number is None else number
    digits = f"{int(time * 1000):012x}7{low >> 62 & 0xFFF:03x}8{low & 0xFFF_FFFF_FFFF_FFFF:015x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def make_job(*, at: float = T0, model: str = "wan-2-7", **fields: object) -> Job:
    generation = Generation(operation=Operation.TEXT_TO_VIDEO, model=model, prompt="a lighthouse", seed=0)
    plain = Job(
        id=id_at(at),
        wire="freepik",
        route="text-to-video/wan-2-7",
        owner="alice",
        generation=generation,
        body=b'{"prompt": "a lighthouse"}',
        engine="script",
        created=at,
        updated=at,
    )
    return msgspec.structs.replace(plain, **fields)


def full_job() -> Job:
    """A job that uses every field a new job can have."""
    generation = Generation(
        operation=Operation.IMAGE_TO_VIDEO,
        model="gen4",
        prompt="a storm \N{SNOWMAN}",
        negative_prompt="rain",
        inputs=(Input(role=Role.FIRST_FRAME, field="image", asset="ab.png", media_type="image/png"),),
        width=1280,
        height=720,
        seconds=5.0,
        fps=24,
        count=1,
        seed=0,
        watermark=False,
        extra={"cfg_scale": 0.0, "nested": {"list": [1, None, "x"]}},
    )
    return make_job(
        generation=generation,
        body=b"\x00not \xff json",
        notes=("watermark is ignored",),
        parent=id_at(T0),
        engines=("script", "studio"),
        webhook="https://example.com/hook",
        trace="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        origin="https://media.example.com",
        estimate=25.0,
    )


def pending_deliveries(event: str, url: str = "https://example.com/hook") -> Callable[[Job], Delivery]:
    """What `pending_delivery` is for a wire that tells this event."""

    def pending_delivery(job: Job) -> Delivery:
        body = f"{job.id} {job.state}".encode()
        return Delivery(id=message_id(), job=job.id, url=url, event=event, body=body)

    return pending_delivery


def message_id() -> str:
    """The order of these texts is not the order in which they were made."""
    number = next(serial)
    return f"msg_{-number % 7}{number}"


def make_upload(**fields: object) -> Upload:
    plain = Upload(
        id=id_at(T0),
        wire="runway",
        owner="alice",
        media_type="image/png",
        name="a.png",
        min_bytes=512,
        max_bytes=10_000,
        created=T0,
        slot_expires=T0 + 60,
        expires=T0 + 3600,
    )
    return msgspec.structs.replace(plain, **fields)


OUTPUT = Output(id="o1", media_type="video/mp4", asset="cd.mp4", bytes=9, width=1280, height=720, seconds=5.0)
FAILURE = Failure(kind=Kind.REFUSED, message="not today", code="E42")
