"""Large files that come in parts: each is kept as a file of its own until the whole is put together of them."""

import asyncio
import re
import shutil
from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct
from msgspec.structs import replace

from mutoscope.model.http import HttpRequest
from mutoscope.model.problem import Kind, Problem
from mutoscope.model.requests import Upload
from mutoscope.service.gateway import Gateway, upload_path
from mutoscope.wirekit.body import read_body

APPENDED = re.compile(r"/multipart/([0-9a-f-]{36})~([0-9]+)~([^/]+)/(\w+)")


def addressed(request: HttpRequest) -> HttpRequest:
    """fal's client puts the id of an upload and the number of a part behind the link to the file, which has a query:
    there they arrive."""
    match = APPENDED.search(request.query.get("sig", "")) if request.path.startswith("/files/") else None
    if match is None:
        return request
    id, expires, signature, part = match.groups()
    return replace(request, path=f"{upload_path(id)}/{part}", query={"exp": expires, "sig": signature})


class Part(Struct, kw_only=True):
    partNumber: Annotated[int, Meta(ge=1, le=9999)]  # noqa: N815
    etag: Annotated[str, Meta(max_length=100)]


class Parts(Struct, kw_only=True):
    parts: Annotated[list[Part], Meta(min_length=1, max_length=9999)]


def read(body: bytes) -> Parts:
    """Raises Problem(INVALID)."""
    return read_body(body, Parts)


async def joined(gateway: Gateway, upload: Upload, told: Parts, folder: Path) -> tuple[Path, list[Upload]]:
    """The file of which these are the parts, and what is kept of them. Raises Problem for a part that is not there."""
    kept: list[Upload] = []
    for each in sorted(told.parts, key=lambda part: part.partNumber):
        found = await gateway.store.upload(each.etag.strip('"'))
        if found is None or found.asset is None or found.name != part_name(upload, each.partNumber):
            message = f"There is no part {each.partNumber} with the etag {each.etag!r}: send what its PUT answered."
            raise Problem(Kind.INVALID, message, field="parts")
        kept.append(found)
    size = sum(each.bytes or 0 for each in kept)
    if size > upload.max_bytes:
        raise Problem(Kind.TOO_LARGE, f"The file is larger than {upload.max_bytes} bytes: its parts have {size}.")
    path = folder / "upload"
    for number, each in enumerate(kept):
        (place := folder / str(number)).mkdir()
        await asyncio.to_thread(append, await gateway.assets.local_path(each.asset or "", place), path)
        await asyncio.to_thread(shutil.rmtree, place)
    return path, kept


def part_name(upload: Upload, number: int) -> str:
    return f"{upload.id}/{number}"


def append(part: Path, whole: Path) -> None:
    with part.open("rb") as source, whole.open("ab") as target:
        shutil.copyfileobj(source, target)
