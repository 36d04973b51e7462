"""One file per way of making media. An engine does not know who asked."""

from mutoscope.credentials import Making
from mutoscope.engines._engine import HANDED, CutOff, Engine, EngineRun, Handed, OpenedInput, Outcome, Parked, Unsent

__all__ = ["HANDED", "CutOff", "Engine", "EngineRun", "Handed", "Making", "OpenedInput", "Outcome", "Parked", "Unsent"]
