"""Ids in the vendors' form, derived from ours and back without a look-up."""

import re
import uuid
from hashlib import blake2b

from mutoscope.model.http import HttpRequest

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
VERSION = 14  # where the version digit of a hyphenated UUID stands
PARTS = "158236"  # version digits of the ids of a job's results: neither its own nor the vendor's of the job


def uuid4_form(id: str) -> str:
    """Our UUIDv7 as a UUID whose version digit says 4, as vendors publish and some clients check.

    The first 48 bits stay the time, so that ids made one after another stay neighbours in an index;
    74 random bits keep them from being guessed.
    """
    return f"{id[:VERSION]}4{id[VERSION + 1 :]}"


def from_uuid4_form(public: str) -> str | None:
    """The inverse of `uuid4_form`; None when the text cannot be one."""
    text = public.lower()
    if not UUID.fullmatch(text) or text[VERSION] != "4":
        return None
    return f"{text[:VERSION]}7{text[VERSION + 1 :]}"


def request_id(request: HttpRequest) -> str:
    """An id for a request that made no task. A wire has no chance of its own: the same request has the same one."""
    said = "\n".join((request.method, request.path, *(f"{name}={text}" for name, text in request.query.items())))
    return digest_form(said.encode("utf-8", "replace") + request.body[:4096])


def digest_form(said: bytes) -> str:
    """An id that is the same for the same bytes, and has nothing else in common with another."""
    return str(uuid.UUID(bytes=blake2b(said, digest_size=16).digest(), version=4))


def part_form(id: str, number: int) -> str:
    """The id of one of a job's results, from 0, at vendors where these have ids of their own."""
    return f"{id[:VERSION]}{PARTS[number]}{id[VERSION + 1 :]}"


def from_part_form(public: str) -> tuple[str, int] | None:
    """The job, and which of its results; None when the text cannot be such an id."""
    text = public.lower()
    if not UUID.fullmatch(text) or text[VERSION] not in PARTS:
        return None
    return f"{text[:VERSION]}7{text[VERSION + 1 :]}", PARTS.index(text[VERSION])
