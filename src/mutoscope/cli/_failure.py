"""Which failures are known, what is said about them, and the exit code that goes with each."""

from collections.abc import Sequence

from mutoscope.files.data_dir import HomeBusy
from mutoscope.model.config import BadSettings
from mutoscope.model.problem import Kind, Problem
from mutoscope.store import NewerDatabase

WRONGLY_ASKED = (Kind.INVALID, Kind.UNSUPPORTED, Kind.NOT_FOUND)


class Stop(Exception):
    """The command cannot go on; the message says why and what to do."""

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.code = code


def explain(error: Exception, words: Sequence[str] = ()) -> tuple[str, int] | None:
    """One line and an exit code; None for a failure that nobody foresaw, which deserves its traceback.

    `words` are those of the command line.
    """
    match error:
        case Stop():
            return str(error), error.code
        case BadSettings() | HomeBusy():
            return str(error), 2
        case NewerDatabase():
            return str(error), 1
        case Problem():
            field = f"{error.field}: " if error.field and error.field not in error.message else ""
            return field + error.message, 2 if error.kind in WRONGLY_ASKED else 1
        case UnicodeEncodeError() if unreadable := garbled(words):
            return f"{unreadable}: this is no text in UTF-8; what encoding does the terminal have?", 2
        case OSError():
            where = f"{error.filename}: " if error.filename else ""
            return f"{where}{error.strerror or error}", 1
        case _:
            return None


def garbled(words: Sequence[str]) -> str | None:
    """The option or argument whose text has bytes that are none, as Python keeps them: as lone surrogates."""
    before = ""
    for word in words:
        if any("\udc80" <= each <= "\udcff" for each in word):
            name, given, _ = word.partition("=")
            if word.startswith("--") and given:
                return name
            return before if before.startswith("-") else f"the argument {word!r}"
        before = word
    return None
