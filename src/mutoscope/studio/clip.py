"""What came out: facts of a finished file, and the sentence about it that is kept in the file."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mutoscope.studio.theatre import icons

VERSION = "5"
"""The renderer's own version. It changes when the same request gives other bytes."""


@dataclass(frozen=True)
class Clip:
    """A video that was made."""

    width: int
    height: int
    frames: int
    fps: int
    seconds: float  # frames / fps
    used: tuple[str, ...]  # words of the prompt that were obeyed
    ignored: tuple[str, ...]  # words that say something and were not
    shown: tuple[str, ...] = ()  # how words are shown that are shown as symbols: "cat: cut-paper figure"


@dataclass(frozen=True)
class Print:
    """A picture that was made."""

    width: int
    height: int
    used: tuple[str, ...]
    ignored: tuple[str, ...]
    shown: tuple[str, ...] = ()


def comment(used: Iterable[str], ignored: Iterable[str], shown: Sequence[str] = ()) -> str:
    """For the file's metadata: who made it, what became of the prompt, and what stands for what."""
    words = f"used: {', '.join(used) or 'nothing'}; ignored: {', '.join(ignored) or 'nothing'}"
    symbols = f"; shown: {'; '.join(shown)}" if shown else ""
    credit = f"; {icons.CREDIT}" if any("icon" in each for each in shown) else ""
    return f"mutoscope studio {VERSION} (rendered, no model); {words}{symbols}{credit}"
