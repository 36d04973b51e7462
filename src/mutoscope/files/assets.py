"""Files that were made or sent: kept by content, named by digest, given out by signed links.

A key is `<sha256>.<extension>`: the same bytes are the same key, and a key's content never changes. The
media type is read off the extension, by a table of ours; nothing a client says becomes a name or a type.
"""

import asyncio
import base64
import contextlib
import fcntl
import hashlib
import hmac
import os
import re
import shutil
import stat
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Mapping, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, ParamSpec, Protocol, TypeVar
from urllib.parse import parse_qs, unquote, urlsplit
from uuid import uuid4

import structlog
from msgspec import Struct

from mutoscope.files.bucket import Bucket, BucketUnavailable
from mutoscope.files.probe import DRAWING
from mutoscope.model.config import Files
from mutoscope.model.problem import Kind, Problem

log = structlog.get_logger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

PIECE = 64 * 1024  # of a local file that is being sent: a reader who is slow holds two of them
SIZES_KEPT = 100_000
BUSY_SECONDS = 5.0  # when to ask again for a file where too many are being sent
MOUNT = "/files/"
GONE = 410
LEADS_ON = 307
WAITING_SECONDS = 24 * 3600.0
"""How long a file may be there before a record says that it is needed: longer than any run takes to end."""
RECENT_KEPT = 100_000
REMOVAL_SECONDS = 0.2  # before it is asked again whether a file is still being removed from a bucket
REMOVALS_WAITED = 50

EXTENSIONS = {
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/webp": "webp",
    "image/avif": "avif",
    "image/bmp": "bmp",
    "image/gif": "gif",
    DRAWING: "svg",
    "video/mp4": "mp4",
    "video/quicktime": "mov",
    "video/webm": "webm",
    "video/x-matroska": "mkv",
    "video/x-msvideo": "avi",
    "video/ogg": "ogv",
    "audio/mpeg": "mp3",
    "audio/aac": "aac",
    "audio/wav": "wav",
    "audio/flac": "flac",
    "audio/ogg": "ogg",
    "audio/mp4": "m4a",
    "audio/webm": "weba",
    "application/json": "json",
    "application/octet-stream": "bin",
}
MEDIA_TYPES = {extension: media_type for media_type, extension in EXTENSIONS.items()}

KEY = re.compile(r"[0-9a-f]{64}\.[a-z0-9]{1,5}")
DRAFT = re.compile(r"\.[0-9a-f]{32}")
UPLOAD = re.compile(r"u-([A-Za-z0-9-]{1,64})\.[a-z0-9]{1,5}")
RANGE = re.compile(r"bytes=(\d{0,19})-(\d{0,19})")

SizeLookup = Callable[[str], Awaitable[int | None]]
"""A key → how large its file was when it was stored, or None where nobody knows."""


class Spare(Protocol):
    """Has a file kept for some time in a bucket that others remove files from. False: it is just being removed."""

    async def __call__(self, asset: str, *, until: float, now: float) -> bool: ...


UploadLookup = Callable[[str], Awaitable[str | None]]
"""An upload's id → the key of its asset, or None while there is none."""
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

HEADERS = {
    "x-content-type-options": "nosniff",
    "content-security-policy": "sandbox; default-src 'none'",
}
"""On every answer of the files route: whatever a file holds, a browser does not run it."""


FINISHERS = ThreadPoolExecutor(max(1, len(os.sched_getaffinity(0)) // 2), thread_name_prefix="finish")
"""Files are signed, hashed and seen onto the disk by few threads: each takes the interpreter's lock again and again,
and behind a crowd of them the event loop and the store's writer would wait (docs/11-measurements.md)."""


async def in_file_pool(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call what finishes a file, in one of these threads."""
    return await asyncio.get_running_loop().run_in_executor(FINISHERS, partial(function, *args, **kwargs))


class Span(Struct, frozen=True):
    """A part of a file; `end` is exclusive."""

    start: int
    end: int


class Assets:
    """The store of files and the links to them. One per process; needs no closing."""

    def __init__(
        self,
        settings: Files,
        *,
        data: Path,
        secret: bytes,
        sizes: SizeLookup | None = None,
        spare: Spare | None = None,
        most_sent: int = 0,
    ) -> None:
        """`spare` is asked before a file in a bucket is counted on. `most_sent` is how many files may be sent at once;
        0 sets no limit."""
        self.settings, self.secret, self.sizes, self.most_sent = settings, secret, sizes, most_sent
        self.sending, self.spare = 0, spare
        self._sizes: dict[str, int] = {}  # what `sizes` told: a key's content never changes
        self._recent: dict[str, float] = {}  # keys in a bucket → when somebody wanted them last
        self._removing: dict[str, asyncio.Event] = {}  # keys in a bucket that are just being removed
        self.where: Path | Bucket = local_root(settings.store, data) or Bucket(settings)
        if isinstance(self.where, Path):
            self.where.mkdir(parents=True, exist_ok=True)

    @property
    def root(self) -> Path | None:
        """The directory where they are; None for a bucket."""
        return self.where if isinstance(self.where, Path) else None

    async def trouble(self) -> str:
        """Why files cannot be kept or read now; empty when they can. A full disk is another's to tell."""
        return "" if isinstance(self.where, Path) else await self.where.trouble()

    # The files.

    async def put(self, source: Path | bytes, media_type: str) -> str:
        """Keep a file and return its key; durable when this returns, and the same for the same bytes.

        A path is given up by the caller: where it can be, the file is moved in instead of copied. Raises Unavailable.
        """
        if isinstance(where := self.where, Path):
            return await in_file_pool(put_here, source, media_type, where)
        key, size = await in_file_pool(key_and_size, source, media_type)
        await self._want(key)
        if await where.size(place(key)) != size:
            shown = describe(key)
            attributes = {"Content-Type": shown["content-type"], "Content-Disposition": shown["content-disposition"]}
            await where.put(place(key), source, attributes=attributes)
        return key

    async def touch(self, key: str) -> bool:
        """Somebody is about to need this file: it is not removed before the record of that can be written.

        False: it is not there.
        """
        if isinstance(where := self.where, Path):
            return await asyncio.to_thread(touch_file, where / place(key), where)
        await self._want(key)
        return await self.exists(key)

    async def _want(self, key: str) -> None:
        while removing := self._removing.get(key):
            await removing.wait()
        for _ in range(REMOVALS_WAITED):
            if self.spare is None or await self.spare(key, until=time.time() + WAITING_SECONDS, now=time.time()):
                break
            await asyncio.sleep(REMOVAL_SECONDS)
        else:
            raise BucketUnavailable("this file is just being removed from it")
        self._recent[key] = time.time()
        if len(self._recent) > RECENT_KEPT:
            old = time.time() - WAITING_SECONDS
            self._recent = {key: at for key, at in self._recent.items() if at > old}

    async def remove(self, key: str, *, untouched_since: float) -> float | None:
        """Remove a file, unless somebody put or touched it since: then, when. None: it is not there any more.

        In a bucket that is known of this process only.
        """
        if isinstance(where := self.where, Path):
            return await asyncio.to_thread(remove_file, where / place(key), where, untouched_since)
        if key in self._removing:
            return None
        if (at := self._recent.get(key, 0.0)) > untouched_since:
            return at
        self._removing[key] = asyncio.Event()
        try:
            if found := await where.head(place(key)):
                _, put = found
                if put > untouched_since:
                    return put
                await where.delete(place(key))
            return None
        finally:
            self._removing.pop(key).set()

    async def exists(self, key: str) -> bool:
        return await self.size(key) is not None

    async def size(self, key: str) -> int | None:
        """In bytes; None when there is no such asset."""
        with contextlib.suppress(FileNotFoundError):
            if isinstance(where := self.where, Path):
                return await asyncio.to_thread(length, where / place(key))
            return await where.size(place(key))
        return None

    async def damage(self, key: str, size: int) -> Problem | None:
        """What is wrong with a file that has another size than it had when it was stored."""
        stored = self._sizes.get(key)
        if stored is None and self.sizes is not None and (stored := await self.sizes(key)) is not None:
            if len(self._sizes) >= SIZES_KEPT:
                self._sizes.clear()
            self._sizes[key] = stored
        if stored is None or stored == size:
            return None
        log.error("file_damaged", asset=key, bytes=size, stored_bytes=stored)
        told = f"This file is damaged here: {size} of its {stored} bytes are left."
        if size > stored:
            told = f"This file is damaged here: it has {size} bytes, and had {stored}."
        return Problem(Kind.INTERNAL, f"{told} The same file, sent or made again, takes its place.")

    async def read(self, key: str) -> bytes:
        """The whole of it. Raises FileNotFoundError."""
        return b"".join([each async for each in self.stream(key)])

    async def stream(self, key: str, span: Span | None = None) -> AsyncIterator[bytes]:
        """Piece by piece. Raises FileNotFoundError at the first. A local file is open only while a piece is read, so
        that a reader who is slow, or never reads, holds no descriptor of it."""
        where, at = self.where, place(key)
        if span is None:
            size = await self.size(key)
            if size is None:
                raise FileNotFoundError(key)
            span = Span(0, size)
        if isinstance(where, Path):
            for start in range(span.start, span.end, PIECE):
                yield await asyncio.to_thread(piece, where / at, start, min(PIECE, span.end - start))
            return
        async for chunk in where.stream(at, span.start, span.end):
            yield chunk

    async def local_path(self, key: str, into: Path, *, most: int | None = None) -> Path:
        """A path to read it from: the file itself where the store is local, else a copy in the directory `into`, which
        may have `most` bytes.

        Never write to it. Raises FileNotFoundError, and Problem for a file that is damaged.
        """
        if isinstance(where := self.where, Path):
            path = where / place(key)
            if problem := await self.damage(key, await asyncio.to_thread(length, path)):
                raise problem
            return path
        path = into / key
        await where.download(place(key), path, most=most, sha256=key.partition(".")[0])
        return path

    # The links.

    def sign(self, path: str, expires: int) -> str:
        """The signature of a path of ours that is open to its bearer until `expires`."""
        text = f"mutoscope link\n{path}\n{expires}".encode()
        return base64.urlsafe_b64encode(hmac.digest(self.secret, text, "sha256")).rstrip(b"=").decode()

    def check_signature(self, path: str, expires: str, signature: str, now: float) -> Problem | None:
        """Hold a signature against path and expiry; `expires` and `signature` as they came."""
        if not re.fullmatch(r"[1-9][0-9]{0,11}", expires):
            return Problem(Kind.FORBIDDEN, "This link is not signed.")
        if not hmac.compare_digest(self.sign(path, int(expires)).encode(), signature.encode()):
            return Problem(Kind.FORBIDDEN, "The signature of this link is wrong.")
        if now >= int(expires):
            return Problem(Kind.FORBIDDEN, "This link has expired.")
        return None

    def link(self, name: str, *, base: str, seconds: float, now: float) -> str:
        """A link to a key, or to `upload_name(…)`, that works for so many seconds."""
        expires = int(now + seconds)
        path = MOUNT + name
        return f"{base.rstrip('/')}{path}?exp={expires}&sig={self.sign(path, expires)}"

    def verify(self, path: str, query: Mapping[str, str], now: float) -> Problem | None:
        """None when the link is ours and still good."""
        return self.check_signature(path, query.get("exp", ""), query.get("sig", ""), now)

    async def resolve_link(self, url: str, *, now: float, uploads: UploadLookup | None = None) -> str | None:
        """The asset key behind a URL that is a good link of ours, whatever host it names; None for any other.

        The signature proves that the link is ours, so it is never fetched over the network.
        """
        with contextlib.suppress(ValueError):
            parts = urlsplit(url)
            name = parts.path.rpartition("/")[2]
            query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
            if parts.path.endswith(MOUNT + name) and self.verify(MOUNT + name, query, now) is None:
                return await find(name, uploads)
        return None

    async def serve(
        self,
        scope: Mapping[str, Any],
        receive: Receive,
        send: Send,
        *,
        now: float,
        uploads: UploadLookup | None = None,
    ) -> None:
        """ASGI, for GET and HEAD of /files/{name}."""
        sends, pieces = False, None
        try:
            reply = await self._answer(scope, now, uploads)
            sends = reply.span is not None and scope["method"] == "GET"
            if sends and self.most_sent and self.sending >= self.most_sent:
                told = "Too many files are being sent at once. Try again shortly."
                raise Problem(Kind.UNAVAILABLE, told, retry_after=BUSY_SECONDS)
            self.sending += sends
        except Problem as problem:
            reply, sends = refuse(problem), False
        try:
            if sends and reply.span is not None:
                pieces, reply = await begin(self.stream(reply.key, reply.span), reply)
            await send({"type": "http.response.start", "status": reply.status, "headers": encode(reply.headers)})
            if pieces is not None:
                await send_pieces(pieces, receive, send)
        finally:
            self.sending -= sends
        body = b"" if scope["method"] == "HEAD" else reply.body
        await send({"type": "http.response.body", "body": body, "more_body": False})

    async def _answer(self, scope: Mapping[str, Any], now: float, uploads: UploadLookup | None) -> "Reply":
        if scope["method"] not in ("GET", "HEAD"):
            raise Problem(Kind.WRONG_METHOD, "Files are read with GET and HEAD.")
        name = str(scope["path"]).rpartition("/")[2]
        asked = {key.decode("latin-1").lower(): value.decode("latin-1") for key, value in scope["headers"]}
        query = {key: values[-1] for key, values in parse_qs(scope["query_string"].decode("latin-1")).items()}
        if not (KEY.fullmatch(name) or UPLOAD.fullmatch(name)):
            raise missing()
        if problem := self.verify(MOUNT + name, query, now):
            raise problem
        key = await find(name, uploads)
        if key is None:
            raise missing()
        size = await self.size(key)
        if size is None:
            return refuse(Problem(Kind.NOT_FOUND, "This file is not kept any more."), GONE)
        if problem := await self.damage(key, size):
            raise problem
        seconds_left = int(query["exp"]) - int(now)
        if isinstance(where := self.where, Bucket) and self.settings.links == "bucket":
            signed = await where.signed(place(key), scope["method"], seconds_left)
            headers = {**HEADERS, "location": signed, "cache-control": "no-store", "content-length": "0"}
            return Reply(status=LEADS_ON, headers=headers)
        return reply_with(key, size, asked if scope["method"] == "GET" else drop_range(asked), seconds_left)


class Reply(Struct, frozen=True, kw_only=True):
    """What the files route answers: a part of an asset, or a short body."""

    status: int
    headers: dict[str, str]
    key: str = ""
    span: Span | None = None
    body: bytes = b""


async def begin(pieces: AsyncIterator[bytes], reply: Reply) -> tuple[AsyncIterator[bytes] | None, Reply]:
    """Read the first piece before the answer begins: what is in the way can still be told."""
    try:
        first = await anext(pieces)
    except Problem as problem:
        return None, refuse(problem)
    except FileNotFoundError:
        return None, refuse(Problem(Kind.NOT_FOUND, "This file is not kept any more."), GONE)
    return preceded(first, pieces), reply


async def preceded(first: bytes, others: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for each in others:
        yield each


async def send_pieces(pieces: AsyncIterator[bytes], receive: Receive, send: Send) -> None:
    """Stop reading when the client has gone: the server would swallow the rest in silence."""
    gone = asyncio.ensure_future(disconnected(receive))
    try:
        async for chunk in pieces:
            if gone.done():
                return
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
    finally:
        gone.cancel()


def reply_with(key: str, size: int, asked: Mapping[str, str], seconds_left: int) -> Reply:
    """200, 206, 304 or 416 for a file that is there."""
    etag = f'"{key.partition(".")[0]}"'
    headers = {**HEADERS, "etag": etag, "accept-ranges": "bytes", "cache-control": f"private, max-age={seconds_left}"}
    if matches(asked.get("if-none-match", ""), etag):
        return Reply(status=304, headers=headers)
    headers |= describe(key)
    span = None
    if asked.get("if-range", etag) == etag:
        span = read_range(asked.get("range", ""), size)
    if span is None:
        return Reply(status=200, headers={**headers, "content-length": str(size)}, key=key, span=whole(size))
    if span.start >= span.end:
        headers = {**HEADERS, "accept-ranges": "bytes", "content-range": f"bytes */{size}", "content-length": "0"}
        return Reply(status=416, headers=headers)
    headers["content-range"] = f"bytes {span.start}-{span.end - 1}/{size}"
    return Reply(status=206, headers={**headers, "content-length": str(span.end - span.start)}, key=key, span=span)


def whole(size: int) -> Span | None:
    return Span(0, size) if size else None


def read_range(text: str, size: int) -> Span | None:
    """The part that a Range header asks for; an empty span when it lies outside, None when there is none to obey.

    Several ranges, other units and nonsense are answered with the whole file, as the standard allows.
    """
    found = RANGE.fullmatch(text.replace(" ", ""))
    if found is None or found.groups() == ("", ""):
        return None
    first, last = found.groups()
    if not first:
        return Span(max(0, size - int(last)), size) if int(last) and size else Span(0, 0)
    if last and int(last) < int(first):
        return None
    start, end = int(first), min(int(last) + 1, size) if last else size
    return Span(start, end) if start < size else Span(0, 0)


def matches(if_none_match: str, etag: str) -> bool:
    tags = (each.strip().removeprefix("W/") for each in if_none_match.split(","))
    return if_none_match.strip() == "*" or etag in tags


def drop_range(asked: Mapping[str, str]) -> dict[str, str]:
    """HEAD knows no ranges."""
    return {name: value for name, value in asked.items() if name != "range"}


def describe(key: str) -> dict[str, str]:
    """Type and disposition by our own table; what is no media is offered for saving, not shown. Nor is a drawing, which
    may hold scripts: as the picture of a page it can be seen, where no browser runs them."""
    media_type = MEDIA_TYPES.get(key.rpartition(".")[2], "application/octet-stream")
    shown = media_type.partition("/")[0] in ("image", "video", "audio") and media_type != DRAWING
    disposition = "inline" if shown else f'attachment; filename="{key}"'
    return {"content-type": media_type, "content-disposition": disposition}


def refuse(problem: Problem, status: int | None = None) -> Reply:
    body = problem.message.encode()
    headers = {**HEADERS, "content-type": "text/plain; charset=utf-8", "content-length": str(len(body))}
    headers["cache-control"] = "no-store"
    if problem.kind is Kind.WRONG_METHOD:
        headers["allow"] = "GET, HEAD"
    if problem.retry_after is not None:
        headers["retry-after"] = f"{problem.retry_after:.0f}"
    return Reply(status=status or problem.status, headers=headers, body=body)


def missing() -> Problem:
    return Problem(Kind.NOT_FOUND, "There is no such file.")


def encode(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]


async def disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def find(name: str, uploads: UploadLookup | None) -> str | None:
    """The key that a link's name stands for."""
    if KEY.fullmatch(name):
        return name
    found = UPLOAD.fullmatch(name)
    return await uploads(found.group(1)) if found and uploads else None


def upload_name(upload_id: str, media_type: str) -> str:
    """What a link calls an upload's file, before and after it is there."""
    return f"u-{upload_id}.{EXTENSIONS.get(media_type, 'bin')}"


def place(key: str) -> str:
    """Where a key lies in the store, over 256 directories. What is no key is refused: it may be a path."""
    if not KEY.fullmatch(key):
        raise FileNotFoundError("not an asset key")
    return f"{key[:2]}/{key}"


def local_root(store: str, data: Path) -> Path | None:
    """The directory of a local store; None for a bucket."""
    if not store:
        return data / "assets"
    if store.startswith("file://"):
        return Path(unquote(urlsplit(store).path))
    return None


def key_of(source: Path | bytes, media_type: str) -> str:
    return f"{digest(source)}.{EXTENSIONS.get(media_type, 'bin')}"


def key_and_size(source: Path | bytes, media_type: str) -> tuple[str, int]:
    return key_of(source, media_type), size_of(source)


def size_of(source: Path | bytes) -> int:
    return len(source) if isinstance(source, bytes) else source.stat().st_size


def length(path: Path) -> int:
    """Raises FileNotFoundError for whatever is no file."""
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):
        raise FileNotFoundError(path.name)
    return found.st_size


def piece(path: Path, start: int, size: int) -> bytes:
    """Raises EOFError where the file ends before its time."""
    with path.open("rb", buffering=0) as file:
        read = os.pread(file.fileno(), size, start)
    if len(read) < size:
        raise EOFError(path.name)
    return read


def is_whole(path: Path, source: Path | bytes) -> bool:
    """Whether a file has what its name promises: of the right size, and every byte."""
    with contextlib.suppress(OSError):
        return path.stat().st_size == size_of(source) and digest(path) == path.name.partition(".")[0]
    return False


def digest(source: Path | bytes) -> str:
    if isinstance(source, bytes):
        return hashlib.sha256(source).hexdigest()
    with source.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextlib.contextmanager
def held(root: Path, *, alone: bool = False) -> Generator[None]:
    """Nobody of any process removes a file meanwhile; `alone`: nor does anybody find one to be there."""
    handle = os.open(root, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        yield
    finally:
        os.close(handle)


def touch_file(path: Path, root: Path) -> bool:
    with held(root), contextlib.suppress(FileNotFoundError):
        os.utime(path)
        return True
    return False


def remove_file(path: Path, root: Path, untouched_since: float) -> float | None:
    with held(root, alone=True), contextlib.suppress(FileNotFoundError):
        if (touched := path.stat().st_mtime) > untouched_since:
            return touched
        path.unlink()
    return None


def kept_since(root: Path, folder: str, before: float) -> tuple[list[str], list[Path]]:
    """What lies in one of the 256 folders of a local store since some time: keys, and drafts that nobody finished."""
    keys: list[str] = []
    drafts: list[Path] = []
    with contextlib.suppress(FileNotFoundError), os.scandir(root / folder) as entries:
        for entry in entries:
            if (is_key := KEY.fullmatch(entry.name)) or DRAFT.fullmatch(entry.name):
                with contextlib.suppress(FileNotFoundError):
                    if entry.stat(follow_symlinks=False).st_mtime <= before:
                        keys.append(entry.name) if is_key else drafts.append(Path(entry.path))
    return keys, drafts


ON_DISK: set[Path] = set()
"""Directories that this process has seen onto the disk. Nothing of ours ever removes one."""


def put_here(source: Path | bytes, media_type: str, root: Path) -> str:
    """Returns the key."""
    key = key_of(source, media_type)
    put_file(source, root / place(key), root)
    return key


def put_file(source: Path | bytes, target: Path, root: Path) -> None:
    """Write or move a file into its place, all or nothing, and see it onto the disk. One that is there and whole
    stays."""
    folder = target.parent
    try:
        folder.mkdir(parents=True)
        ON_DISK.discard(folder)  # somebody else removed it
    except FileExistsError:
        pass
    if not (touch_file(target, root) and is_whole(target, source)):
        draft = target.with_name(f".{uuid4().hex}")
        try:
            bring(source, draft)
            os.utime(draft)
            sync(draft)
            draft.replace(target)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
    # In any case: who put it there, or made the directory, may still be waiting for the disk.
    sync(folder)
    if folder not in ON_DISK:
        sync(folder.parent)
        ON_DISK.add(folder)


def bring(source: Path | bytes, draft: Path) -> None:
    if isinstance(source, bytes):
        draft.write_bytes(source)
    elif source.is_symlink() or source.stat().st_dev != draft.parent.stat().st_dev:
        shutil.copyfile(source, draft)
    else:
        source.rename(draft)


def sync(path: Path) -> None:
    """Wait until a file's content, or a directory's entries, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
