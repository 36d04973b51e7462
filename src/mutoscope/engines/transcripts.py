"""What was said to vendors for a job and what they answered: how it began and the latest, with secrets struck out."""

import asyncio
import re
from collections.abc import Sequence
from contextvars import ContextVar
from typing import NamedTuple

import msgspec
import structlog
from msgspec import Struct

from mutoscope.model.http import HttpRequest, HttpResponse
from mutoscope.model.problem import Problem
from mutoscope.store import Transcripts as TranscriptStore
from mutoscope.telemetry import logs

log = structlog.get_logger(__name__)

TALKING_OF: ContextVar[str] = ContextVar("talking_of", default="")
"""The job that this task speaks of to a vendor."""

MOST_WAITING = 16 * 1024 * 1024  # bytes that wait to be written
WRITE_SECONDS = 1.0  # how long the first of them waits
LONGEST = 24 * 1024  # characters of a body
READ = 512 * 1024  # bytes of a body that is looked through; a larger one is told by its size
FIRST, LAST = 4, 10  # exchanges of a job that are kept: how it began, and the latest
STRUCK = "[struck out]"

LONG = re.compile(r'"(?=(?:[^"\\]|\\.){1024})(?:[^"\\]++|\\.)*+"')
MEMBER = re.compile(
    r'("(?:[a-z0-9_.-]*(?:api[_-]?key|secret|token|password|passwd|authorization|credential|signature))"\s*:\s*)"[^"]*+"',
    re.IGNORECASE,
)
QUERY = re.compile(
    r"([?&](?:sig|signature|token|key|api_?key|x-amz-signature|x-amz-credential|x-amz-security-token|ossaccesskeyid|"
    r"x-goog-signature|x-goog-credential|policy)=)[^&\"\s\\]+",
    re.IGNORECASE,
)

CALLBACK = re.compile(r"(/callbacks/)[^\"\s\\?#]+")  # who has it may tell that a job has news


class Said(Struct, frozen=True, kw_only=True):
    """A request to a vendor and its answer. No header is kept: the key is in them."""

    account: str
    at: float
    ms: float
    method: str
    path: str
    request: str
    status: int | None = None  # None: there was no answer
    answer: str = ""
    trouble: str = ""  # the kind of problem, where there was no answer
    spends: bool = False


class Spoken(NamedTuple):
    """What has yet to be read and written."""

    job: str
    account: str
    request: HttpRequest
    response: HttpResponse | None
    word: str
    at: float
    seconds: float


class Transcripts:
    """What is said waits here until the store has it, a moment later: a process that is killed loses that moment."""

    def __init__(self, store: TranscriptStore, *, most_bytes: int) -> None:
        """`most_bytes` of each job are kept."""
        self.store, self.most_bytes = store, most_bytes
        self._waiting: list[Spoken] = []
        self._bytes = self._lost = 0
        self._some = asyncio.Event()
        self._writing = asyncio.Lock()

    def add(
        self,
        account: str,
        request: HttpRequest,
        response: HttpResponse | None,
        word: str,
        *,
        at: float,
        seconds: float,
    ) -> None:
        if not (job := TALKING_OF.get()):
            return
        spoken = Spoken(job, account, request, response, word, at, seconds)
        if self._bytes >= MOST_WAITING:
            self._lost += 1
            return
        self._waiting.append(spoken)
        self._bytes += held(spoken)
        self._some.set()

    async def run(self) -> None:
        """Write what waits, until cancelled."""
        while True:
            _ = await self._some.wait()
            await asyncio.sleep(WRITE_SECONDS)
            await self.write()

    async def write(self) -> None:
        """Write what waits. A store that cannot be written costs the transcripts, and nothing else."""
        async with self._writing:
            waiting, lost = self._waiting, self._lost
            self._waiting, self._bytes, self._lost = [], 0, 0
            self._some.clear()
            try:
                if waiting:
                    told = await asyncio.to_thread(records, waiting)
                    await self.store.add_said(told, first=FIRST, last=LAST, most_bytes=self.most_bytes)
            except Problem as problem:
                log.warning("transcripts_lost", count=len(waiting) + lost, reason=problem.message)
            else:
                if lost:
                    log.warning("transcripts_lost", count=lost, reason="more was said than could be written")

    async def of(self, job: str) -> tuple[Said, ...]:
        """Raises Problem."""
        await self.write()
        return tuple(msgspec.json.decode(record, type=Said) for record in await self.store.said(job))


def records(waiting: Sequence[Spoken]) -> dict[str, list[bytes]]:
    """By job, as the store keeps them."""
    by_job: dict[str, list[Spoken]] = {}
    for spoken in waiting:
        by_job.setdefault(spoken.job, []).append(spoken)
    return {
        job: [msgspec.json.encode(said_in(each)) for each in (*told[:FIRST], *told[FIRST:][-LAST:])]
        for job, told in by_job.items()
    }


def said_in(spoken: Spoken) -> Said:
    request, response = spoken.request, spoken.response
    return Said(
        account=spoken.account,
        at=spoken.at,
        ms=round(spoken.seconds * 1000, 1),
        method=request.method,
        path=struck(with_query(request)),
        request=readable(request.body),
        status=response.status if response else None,
        answer=readable(response.body) if response else "",
        trouble="" if response else spoken.word,
        spends=request.spends,
    )


def held(spoken: Spoken) -> int:
    return 500 + len(spoken.request.body) + (len(spoken.response.body) if spoken.response else 0)


def with_query(request: HttpRequest) -> str:
    query = "&".join(f"{name}={value}" for name, value in request.query.items())
    return f"{request.path}?{query}" if query else request.path


def readable(body: bytes) -> str:
    """A body as a person reads it: texts of a thousand characters or more told by their length, secrets struck out."""
    if not body:
        return ""
    if len(body) > READ:
        return f"[{len(body):,} bytes]"
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return f"[{len(body):,} bytes that are no text]"
    return struck(LONG.sub(shorter, text))[:LONGEST]


def shorter(match: re.Match[str]) -> str:
    text = match[0]
    return f'{text[:49]}…[{len(text) - 2:,} characters]"'


def struck(text: str) -> str:
    return QUERY.sub(
        rf"\g<1>{STRUCK}", MEMBER.sub(rf'\g<1>"{STRUCK}"', CALLBACK.sub(rf"\g<1>{STRUCK}", logs.replaced(text)))
    )
