"""What the C library keeps of memory that was freed."""

import ctypes
from contextlib import suppress


def give_back() -> None:
    """Return it to the system: at 1080p 20 MB once a picture is prepared, 90 once one is painted. Only glibc can."""
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)
