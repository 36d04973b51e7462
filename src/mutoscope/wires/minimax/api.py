"""MiniMax's API as one wire: both versions of videos, and what is answered at once."""

from mutoscope.wirekit.joined import joined
from mutoscope.wires.minimax import h3, instant, video

WIRE = joined({"": video.WIRE, "h3": h3.WIRE, **instant.PARTS})
