"""What the doctor finds: one line each."""

from enum import StrEnum

from msgspec import Struct


class Verdict(StrEnum):
    GOOD = "good"
    MISSING = "missing"  # the program works without it
    BROKEN = "broken"  # it does not


class Check(Struct, frozen=True, kw_only=True):
    what: str
    verdict: Verdict = Verdict.GOOD
    found: str
    advice: str = ""
