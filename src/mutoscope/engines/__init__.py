"""One file per way of making media. An engine does not know who asked."""

from mutoscope.engines.engine import HANDED, Engine, EngineRun, Handed, OpenedInput, Outcome, Parked, Unsent
from mutoscope.files.c2pa import Making

__all__ = ["HANDED", "Engine", "EngineRun", "Handed", "Making", "OpenedInput", "Outcome", "Parked", "Unsent"]
