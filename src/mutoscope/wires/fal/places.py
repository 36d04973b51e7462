"""What is beside fal's queue: files sent ahead, one address for all of its hosts, signatures of its news."""

import hashlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated
from urllib.parse import quote, unquote, urlsplit

from msgspec import Meta, Struct
from msgspec.structs import replace

from mutoscope.model.http import Headers, HttpRequest, HttpResponse, json_response
from mutoscope.model.job import Job
from mutoscope.model.problem import Kind, Problem
from mutoscope.model.requests import ANY_FILE, Upload, UploadWish
from mutoscope.wirekit.body import read_body
from mutoscope.wirekit.ids import uuid4_form
from mutoscope.wirekit.routes import OpenUploads, Reply, Route, TakeRaw

QUEUE, RUN, REST, CDN, PROXY = "/fal/queue/", "/fal/run/", "/fal/rest/", "/fal/cdn/", "/fal/proxy"
HOSTS: Mapping[str, str] = {
    "queue.fal.run": QUEUE,
    "fal.run": RUN,
    "rest.fal.ai": REST,
    "rest.alpha.fal.ai": REST,
    "v3.fal.media": CDN,
    "queue.falrun.com": QUEUE,
    "falrun.com": RUN,
}
"""The vendor's hosts, and where each is here. Nothing is ever sent to the address that a request names."""
TARGET = "x-fal-target-url"
LARGEST, DAY = 100_000_000, 86400.0
LARGEST_IN_PARTS = 1 << 30


def target(request: HttpRequest) -> tuple[str, str]:
    """Where a request is meant whose header names an address of the vendor's. Raises Problem."""
    told = request.headers.get(TARGET, "")
    try:
        url = urlsplit(told)
    except ValueError:
        url = urlsplit("")
    place = HOSTS.get(url.hostname or "") if url.scheme in ("http", "https") else None
    if place is None:
        message = f"The header {TARGET} should be an address at one of {', '.join(HOSTS)}; it is {told[:200]!r}."
        raise Problem(Kind.INVALID, message)
    return place + unquote(url.path).lstrip("/"), url.query


def signed(job: Job, body: bytes, now: int, sign: Callable[[bytes], bytes]) -> Headers:
    """What shows that news is ours: whoever checks it has the published half of the key."""
    id, owner = uuid4_form(job.id), quote(job.owner or "mutoscope")
    text = "\n".join((id, owner, str(now), hashlib.sha256(body).hexdigest()))
    names = ("request-id", "user-id", "timestamp", "signature")
    values = (id, owner, str(now), sign(text.encode()).hex())
    return {f"x-fal-webhook-{name}": value for name, value in zip(names, values, strict=True)}


class Announced(Struct, kw_only=True):
    content_type: Annotated[str, Meta(max_length=255)] = ANY_FILE
    file_name: Annotated[str, Meta(max_length=255)] | None = None


class Slot(Struct, kw_only=True):
    file_url: str
    upload_url: str


def parse_upload(request: HttpRequest, largest: int = LARGEST) -> tuple[UploadWish, ...]:
    told = read_body(request.body or b"{}", Announced)
    media_type = told.content_type.partition(";")[0].strip() or ANY_FILE
    return (UploadWish(media_type=media_type, name=told.file_name, max_bytes=largest, keep_seconds=DAY,
                       slot_seconds=3600.0),)  # fmt: skip


def parse_in_parts(request: HttpRequest) -> tuple[UploadWish, ...]:
    return parse_upload(request, LARGEST_IN_PARTS)


def bare_in_parts(request: HttpRequest) -> tuple[UploadWish, ...]:
    _ = read_body(request.body or b"{}", NoBody)
    return (replace(bare_upload(request), max_bytes=LARGEST_IN_PARTS, slot_seconds=3600.0),)


class NoBody(Struct, kw_only=True):
    """What is asked stands in the headers."""


class InParts(Struct, kw_only=True):
    """Parts are PUT to `{access_url}/multipart/{uploadId}/{number}`; the id has the signature of the slot in it."""

    access_url: str
    uploadId: str  # noqa: N815


def render_in_parts(uploads: tuple[Upload, ...], _request: HttpRequest) -> HttpResponse:
    [slot] = uploads
    id = f"{slot.id}~{int(slot.slot_expires)}~{slot.policy}"
    return json_response(InParts(access_url=slot.asset_url, uploadId=id))


def render_upload(uploads: tuple[Upload, ...], _request: HttpRequest) -> HttpResponse:
    return json_response(Slot(file_url=uploads[0].asset_url, upload_url=uploads[0].put_url))


def bare_upload(request: HttpRequest) -> UploadWish:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip() or ANY_FILE
    name = request.headers.get("x-fal-file-name", "")[:255] or None
    return UploadWish(media_type=media_type[:255], name=name, min_bytes=1, max_bytes=LARGEST, keep_seconds=DAY,
                      slot_seconds=1.0)  # fmt: skip


def render_kept(upload: Upload, _request: HttpRequest) -> HttpResponse:
    return json_response({"access_url": upload.asset_url})


SCHEME = "Bearer"


class Token(Struct, kw_only=True):
    token: str
    token_type: str
    base_url: str
    expires_at: str


def render_token(request: HttpRequest) -> HttpResponse:
    """Where files go, and what opens that: the caller's own key."""
    key = request.headers.get("authorization", "").partition(" ")[2].strip()
    until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    base = f"{request.origin}{CDN.rstrip('/')}"
    return json_response(Token(token=key or "open", token_type=SCHEME, base_url=base, expires_at=until))


ROUTES: tuple[Route, ...] = (
    Reply(at=f"POST {REST}storage/auth/token", reply=render_token, answer=Token,
          summary="Where a file is sent to, and with what key"),
    TakeRaw(at=f"POST {CDN}files/upload", parse=bare_upload, render=render_kept, answer=dict[str, str],
            summary="Keep a file, which is the body"),
    OpenUploads(at=f"POST {REST}storage/upload/initiate", parse=parse_upload, render=render_upload, body=Announced,
                answer=Slot, summary="Open a slot for a file"),
    OpenUploads(at=f"POST {REST}storage/upload/initiate-multipart", parse=parse_in_parts, render=render_upload,
                body=Announced, answer=Slot, summary="Open a slot for a file that comes in parts"),
    OpenUploads(at=f"POST {CDN}files/upload/multipart", parse=bare_in_parts, render=render_in_parts, body=NoBody,
                answer=InParts, summary="Open a slot for a file that comes in parts (Python's client)"),
)  # fmt: skip
