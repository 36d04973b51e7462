"""What was said to vendors for a job and what they answered: the newest, in memory, with secrets struck out."""

import re
from collections import OrderedDict
from contextvars import ContextVar

from msgspec import Struct

from mutoscope.model.http import HttpRequest, HttpResponse

TALKING_OF: ContextVar[str] = ContextVar("talking_of", default="")
"""The job that this task speaks of to a vendor."""

MOST_BYTES = 16 * 1024 * 1024  # of all jobs together
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


class Transcripts:
    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self.most_bytes, self.bytes = most_bytes, 0
        self._kept: OrderedDict[str, list[Said]] = OrderedDict()  # by job, those that spoke last at the end

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
        said = Said(
            account=account,
            at=at,
            ms=round(seconds * 1000, 1),
            method=request.method,
            path=struck(with_query(request)),
            request=readable(request.body),
            status=response.status if response else None,
            answer=readable(response.body) if response else "",
            trouble="" if response else word,
            spends=request.spends,
        )
        kept = self._kept.setdefault(job, [])
        kept.append(said)
        self.bytes += size(said)
        if len(kept) > FIRST + LAST:
            self.bytes -= size(kept.pop(FIRST))
        self._kept.move_to_end(job)
        while self.bytes > self.most_bytes and len(self._kept) > 1:
            self.forget(next(iter(self._kept)))

    def of(self, job: str) -> tuple[Said, ...]:
        return tuple(self._kept.get(job, ()))

    def forget(self, job: str) -> None:
        self.bytes -= sum(map(size, self._kept.pop(job, ())))


def size(said: Said) -> int:
    return len(said.request) + len(said.answer) + 500


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
    return QUERY.sub(rf"\g<1>{STRUCK}", MEMBER.sub(rf'\g<1>"{STRUCK}"', text))
