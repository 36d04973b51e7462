"""Ids of tasks: digits, the first thirteen of them the time in milliseconds."""

import re
from uuid import UUID

FORM = re.compile(r"[1-9][0-9]{35}", re.ASCII)
RANDOM_BITS, MARK = 62, 0b10 << 62
MOST = 1 << 74


def public_id(id: str) -> str:
    """Our UUIDv7 without its marks: the time, then the 74 random bits, as decimal figures."""
    number = int(id.replace("-", ""), 16)
    random = (number >> 64 & 0xFFF) << RANDOM_BITS | number & (1 << RANDOM_BITS) - 1
    return f"{number >> 80:013d}{random:023d}"


def job_id(public: str) -> str | None:
    """The inverse; None when the text cannot be one."""
    if not FORM.fullmatch(public):
        return None
    time, random = int(public[:13]), int(public[13:])
    if random >= MOST:
        return None
    return str(UUID(int=time << 80 | 7 << 76 | random >> RANDOM_BITS << 64 | MARK | random & (1 << RANDOM_BITS) - 1))
