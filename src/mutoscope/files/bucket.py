"""A bucket as the place of files: S3 and what speaks like it, Google Cloud Storage, Azure. What it fails in is told in
plain words, and passes: nobody's request or job is to blame for it."""

import asyncio
import contextlib
import hashlib
import re
import time
from collections.abc import AsyncIterator, Generator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import obstore
import structlog
from obstore import exceptions
from obstore.store import AzureStore, GCSStore, ObjectStore, S3Store

from mutoscope.model.config import BadSettings, Files
from mutoscope.model.problem import Kind, Problem, Unavailable

log = structlog.get_logger(__name__)

CHUNK = 256 * 1024
BIG = 16 * 1024 * 1024  # bytes; more than this goes in parts, side by side
SLOWEST = 256 * 1024  # bytes a second at which a file still goes in
RETRIES = 5
LOOK_SECONDS = 2.0  # how long the bucket has to answer when it is asked whether it is there
BELIEVED_SECONDS = 5.0  # how long a finding of that kind holds
LONGEST_SIGNED = 7 * 24 * 3600.0  # S3 signs for no longer
NOWHERE = "mutoscope/is-there"  # no key: asked for to hear what the bucket says
GONE = re.compile(r"NoSuchBucket|ContainerNotFound|ContainerBeingDeleted|bucket does not exist", re.IGNORECASE)

REASONS = (
    (GONE, "it is not there"),
    (re.compile(r"169\.254\.169\.254|metadata\.google|169\.254\.170\.2"), "there are no credentials for it"),
    (
        re.compile(r"SlowDown|Too Many Requests|\b429\b|\b503\b|ServerBusy|Please reduce your request rate"),
        "it is overloaded, or throttles",
    ),
    (re.compile(r"\b40[13]\b|AccessDenied|InvalidAccessKeyId|SignatureDoesNotMatch"), "it refuses the credentials"),
    (re.compile(r"ConnectionRefused|kind: Connect|dns error|failed to lookup"), "it cannot be reached"),
    (re.compile(r"kind: Timeout|operation timed out"), "it does not answer in time"),
)
"""What an error of the library tells, by its text; the first that fits."""


class BucketUnavailable(Unavailable):
    """The bucket cannot be used now. What was asked of it can be tried again."""

    def __init__(self, why: str) -> None:
        super().__init__(f"The server cannot use the store of its files now: {why}.")
        self.why = why


class Bucket:
    """Every failure but a file that is not there (FileNotFoundError) is told as BucketUnavailable, and logged."""

    def __init__(self, settings: Files) -> None:
        """Raises BadSettings."""
        self.name, self.seconds = settings.store, settings.timeout_seconds
        self.store = opened(settings, retries=RETRIES)
        self._looker = opened(settings, retries=0)  # one that tells at once what the bucket says
        self._there = asyncio.Lock()
        self._found, self._until = "", float("-inf")

    async def put(self, place: str, source: Path | bytes, *, attributes: dict[str, str]) -> None:
        """All or nothing. Whoever asks has the same bytes as anybody else who puts there, so what is there and of the
        right size stays: as when the answer to a first try was lost."""
        size = len(source) if isinstance(source, bytes) else (await asyncio.to_thread(source.stat)).st_size
        given: Any = attributes
        try:
            with self._told("put", place):
                async with asyncio.timeout(self.seconds + size / SLOWEST):
                    if size <= BIG:
                        with contextlib.suppress(exceptions.NotSupportedError, exceptions.AlreadyExistsError):
                            await obstore.put_async(
                                self.store, place, source, attributes=given, mode="create", use_multipart=False
                            )
                            return
                        if await self.size(place) == size:
                            return
                    await obstore.put_async(self.store, place, source, attributes=given)
        except FileNotFoundError as error:  # the parts are not known any more: they were joined, or given up
            if await self.size(place) != size:
                raise BucketUnavailable("it lost a part of a file") from error
        except BucketUnavailable:
            with contextlib.suppress(BucketUnavailable):
                if await self.size(place) == size:
                    return
            raise

    async def head(self, place: str) -> tuple[int, float] | None:
        """Size, and when it was put; None where nothing is."""
        try:
            with self._told("head", place):
                async with asyncio.timeout(self.seconds):
                    found = await obstore.head_async(self.store, place)
                    return found["size"], found["last_modified"].timestamp()
        except FileNotFoundError as error:
            # An answer without a body does not tell whether it is the file that is not there, or the whole bucket.
            if trouble := await self.trouble():
                raise BucketUnavailable(trouble) from error
            return None

    async def size(self, place: str) -> int | None:
        found = await self.head(place)
        return None if found is None else found[0]

    async def stream(self, place: str, start: int, end: int) -> AsyncIterator[bytes]:
        """Piece by piece; a stream that breaks off is taken up where it broke. Raises FileNotFoundError."""
        while start < end:
            before = start
            try:
                with self._told("get", place):
                    async with asyncio.timeout(self.seconds):
                        result = await obstore.get_async(self.store, place, options={"range": (start, end)})
                    async for chunk in result.stream(min_chunk_size=CHUNK):
                        start += len(chunk)
                        yield bytes(chunk)
                    if start < end:
                        raise BucketUnavailable("a file broke off")
            except BucketUnavailable:
                if start == before:
                    raise

    async def download(self, place: str, into: Path, *, most: int | None, sha256: str) -> int:
        """Into a file of its own, `most` bytes of it at most, and whole. Returns its size.

        Raises FileNotFoundError, and Problem where it is too large or is not what its digest says.
        """
        size = await self.size(place)
        if size is None:
            raise FileNotFoundError(place)
        if most is not None and size > most:
            raise Problem(Kind.TOO_LARGE, f"The file has {size} bytes; at most {most} are taken here.")
        found = hashlib.sha256()
        with await asyncio.to_thread(into.open, "wb") as file:

            def write(chunk: bytes) -> None:
                found.update(chunk)
                file.write(chunk)

            async for chunk in self.stream(place, 0, size):
                await asyncio.to_thread(write, chunk)
        if found.hexdigest() != sha256:
            await asyncio.to_thread(into.unlink)
            log.error("file_damaged", asset=place, bytes=size)
            told = "This file is damaged here. The same file, sent or made again, takes its place."
            raise Problem(Kind.INTERNAL, told)
        return size

    async def delete(self, place: str) -> None:
        with self._told("delete", place), contextlib.suppress(FileNotFoundError):
            async with asyncio.timeout(self.seconds):
                await obstore.delete_async(self.store, place)

    async def signed(self, place: str, method: str, seconds: float) -> str:
        """A link that the bucket itself answers. Raises BadSettings where it signs none."""
        if not isinstance(self.store, (S3Store, GCSStore, AzureStore)):
            raise BadSettings(f'[files] links = "bucket": {self.name} signs no links')
        with self._told("sign", place):
            async with asyncio.timeout(self.seconds):
                life = timedelta(seconds=max(1.0, min(seconds, LONGEST_SIGNED)))
                return await obstore.sign_async(self.store, "HEAD" if method == "HEAD" else "GET", place, life)

    async def sizes(self) -> dict[str, int]:
        """Every file that is there, by the last part of its place, and how large it is."""
        found: dict[str, int] = {}
        with self._told("list", ""):
            pages: Any = obstore.list(self.store)  # pyright: ignore[reportUnknownMemberType] - Arrow's types are not here
            async for page in pages:
                found |= {each["path"].rpartition("/")[2]: each["size"] for each in page}
        return found

    async def trouble(self) -> str:
        """Why the bucket cannot be read now; empty when it can. Asked at most every few seconds."""
        async with self._there:
            if time.monotonic() >= self._until:
                before, self._found = self._found, await self._look()
                self._until = time.monotonic() + BELIEVED_SECONDS
                if self._found and self._found != before:
                    log.error("bucket_failed", bucket=self.name, doing="look", reason=self._found)
        return self._found

    async def _look(self) -> str:
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                await obstore.get_async(self._looker, NOWHERE)
        except FileNotFoundError as error:
            return "it is not there" if GONE.search(str(error)) else ""
        except (exceptions.BaseError, OSError, TimeoutError, ValueError) as error:
            return reason(error)
        return ""

    async def tried(self) -> float:
        """Put, read and remove a small file; returns how many seconds that took."""
        began, place = time.monotonic(), f"{NOWHERE}-{uuid4().hex}"
        await self.put(place, b"mutoscope doctor", attributes={})
        try:
            if b"".join([piece async for piece in self.stream(place, 0, 16)]) != b"mutoscope doctor":
                raise BucketUnavailable("it gives back other bytes than were put")
        finally:
            await self.delete(place)
        return time.monotonic() - began

    @contextlib.contextmanager
    def _told(self, doing: str, place: str) -> Generator[None]:
        try:
            yield
        except FileNotFoundError as error:
            if not GONE.search(str(error)):
                raise
            raise self._failed(doing, place, error) from error
        except (exceptions.BaseError, OSError, TimeoutError) as error:
            raise self._failed(doing, place, error) from error

    def _failed(self, doing: str, place: str, error: Exception) -> Unavailable:
        why = reason(error)
        detail = re.sub(r"\?\S+", "?…", str(error).partition("\n")[0])[:500]  # a link may be signed
        log.error("bucket_failed", bucket=self.name, doing=doing, asset=place, reason=why, detail=detail)
        return BucketUnavailable(why)


def reason(error: Exception) -> str:
    """What is wrong, for people."""
    if isinstance(error, TimeoutError):
        return "it does not answer in time"
    if isinstance(error, (exceptions.PermissionDeniedError, exceptions.UnauthenticatedError)):
        return "it refuses the credentials"
    text = str(error)
    return next((told for found, told in REASONS if found.search(text)), "it fails")


def opened(settings: Files, *, retries: int) -> ObjectStore:
    """Raises BadSettings."""
    scheme = urlsplit(settings.store).scheme
    if scheme == "memory":  # for tests
        return obstore.store.from_url(settings.store)
    config: Any = {**({"endpoint": settings.endpoint} if settings.endpoint else {}), **settings.options}
    client: Any = {
        "connect_timeout": timedelta(seconds=min(5.0, settings.timeout_seconds)),
        "read_timeout": timedelta(seconds=settings.timeout_seconds),
        "timeout": timedelta(days=1),  # of a whole file: its reader may be slow
    }
    if str(config.get("endpoint", "")).startswith("http://"):
        client["allow_http"] = True
    retry: Any = {
        "max_retries": retries,
        "retry_timeout": timedelta(seconds=0.7 * settings.timeout_seconds),  # time is left to hear what is wrong
        "backoff": {"init_backoff": timedelta(seconds=0.1), "max_backoff": timedelta(seconds=3.0), "base": 2},
    }
    try:
        return obstore.store.from_url(settings.store, config=config, client_options=client, retry_config=retry)
    except (exceptions.BaseError, ValueError) as error:
        told = str(error).partition("\n")[0]
        right = '"s3://bucket/prefix", "gs://bucket/prefix", "az://container/prefix" or "file:///directory"'
        raise BadSettings(f"[files] store = {settings.store!r}: {told}; it is {right}, or empty") from error
