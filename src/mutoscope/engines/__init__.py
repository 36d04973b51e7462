"""One file per way of making media. An engine does not know who asked."""

from mutoscope.engines.engine import (
    HANDED,
    CutOff,
    Engine,
    EngineRun,
    Handed,
    Local,
    OpenedInput,
    Outcome,
    Parked,
    Unsent,
    VendorRun,
)
from mutoscope.files.c2pa import Making

__all__ = [
    "HANDED",
    "CutOff",
    "Engine",
    "EngineRun",
    "Handed",
    "Local",
    "Making",
    "OpenedInput",
    "Outcome",
    "Parked",
    "Unsent",
    "VendorRun",
]
