"""One file per way of making media. An engine does not know who asked."""

from mutoscope.credentials import Making
from mutoscope.engines._engine import Engine, EngineRun, OpenedInput

__all__ = ["Engine", "EngineRun", "Making", "OpenedInput"]
