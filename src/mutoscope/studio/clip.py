"""What came out: facts of a finished file, and the sentence about it that is kept in the file."""

from collections.abc import Iterable
from dataclasses import dataclass

VERSION = "4"
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


@dataclass(frozen=True)
class Print:
    """A picture that was made."""

    width: int
    height: int
    used: tuple[str, ...]
    ignored: tuple[str, ...]


def comment(used: Iterable[str], ignored: Iterable[str]) -> str:
    """For the file's metadata: who made it and what became of the prompt."""
    words = f"used: {', '.join(used) or 'nothing'}; ignored: {', '.join(ignored) or 'nothing'}"
    return f"mutoscope studio {VERSION} (rendered, no model); {words}"
