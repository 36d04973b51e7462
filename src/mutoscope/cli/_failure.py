"""Which failures are known, what is said about them, and the exit code that goes with each."""

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


def explain(error: Exception) -> tuple[str, int] | None:
    """One line and an exit code; None for a failure that nobody foresaw, which deserves its traceback."""
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
        case OSError():
            where = f"{error.filename}: " if error.filename else ""
            return f"{where}{error.strerror or error}", 1
        case _:
            return None
