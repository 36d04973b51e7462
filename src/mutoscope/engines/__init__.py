"""One file per way of making media. An engine does not know who asked."""

from mutoscope.engines.engine import (
    SUBMITTED,
    CutOff,
    Engine,
    EngineRun,
    Local,
    NotSubmitted,
    OpenedInput,
    Outcome,
    RetryFetch,
    Submitted,
    VendorRun,
)
from mutoscope.files.c2pa import Making

__all__ = [
    "SUBMITTED",
    "CutOff",
    "Engine",
    "EngineRun",
    "Local",
    "Making",
    "NotSubmitted",
    "OpenedInput",
    "Outcome",
    "RetryFetch",
    "Submitted",
    "VendorRun",
]
