"""One file per way of making media. An engine does not know who asked."""

from mutoscope.credentials import Making
from mutoscope.engines._engine import HANDED, Engine, EngineRun, Handed, OpenedInput, Outcome, Parked, Unsent

__all__ = ["HANDED", "Engine", "EngineRun", "Handed", "Making", "OpenedInput", "Outcome", "Parked", "Unsent"]
