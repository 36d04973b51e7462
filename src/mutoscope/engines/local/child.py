"""The child of `pool.py`: holds the model that its argument names and answers about what it is handed.

A message in is one byte, with an open file where there is one and another to write to where something is made, and a
line of JSON; the first names the files of the weights. A line of JSON goes out for each: {"ready": …} for the first, or
{"unfit": text} where an operator's file is no such model; then {"done": {…}}, {"refused": {message, kind, field}} for
what cannot be used, or {"broken": text} for what should not happen. When the socket closes, its parent is
gone and so is it. It shuts itself in before it reads anything but its weights: no network, no process, no file but
these.
"""

import importlib
import json
import os
import resource
import socket
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from mutoscope.engines.local.pictures import Refused, Unfit
from mutoscope.engines.local.rows import OWN
from mutoscope.files import _sandbox as sandbox

MEMORY = 3 * 1024**3  # address space
MADE_BYTES = 512 * 1024**2  # of a file that a model makes
OPEN_FILES = 128
MAX_TRACE = 4000  # characters
NICENESS = 2
WALLS = "walls"  # a question that every child answers
LONGEST = 64 * 1024 * 1024  # of a message

Json = dict[str, Any]
Answer = Callable[..., Json]  # what was asked, the file, and where one is made, that to write to

MODULES = {
    "rivagan": "marks",
    "open_nsfw": "safety",
    "ppocr4": "lettering",
    "wordllama": "vectors",
    "selfie": "people",
    "whisper_tiny_en": "hearing",
    "waifu2x": "drawings",
    "gtcrn": "isolating",
    **dict.fromkeys(OWN, "own"),
}
"""Model → the module beside this that works with it: its `load` takes the weights' paths (for an operator's, its name
and how it is fed as well) and returns what answers."""

MAKERS = frozenset((*OWN, "rivagan", "waifu2x", "gtcrn"))
"""Those that write a file."""


def main() -> None:
    os.nice(NICENESS)
    limit(MADE_BYTES if sys.argv[1] in MAKERS else 0)
    line = socket.socket(fileno=0)
    try:
        answer = ready(sys.argv[1], receive(line)[0])
        send(line, {"ready": True})
    except Unfit as error:
        send(line, {"unfit": str(error)})
        os._exit(1)
    except BaseException as error:
        send(line, {"broken": described(error)})
        os._exit(1)
    while True:
        asked, *files = receive(line)
        try:
            news: Json = {"done": walls(sys.argv[0]) if asked.get("ask") == WALLS else answer(asked, *files)}
        except Refused as refusal:
            news = {"refused": refusal.told}
        except MemoryError:
            news = {"broken": f"more than {MEMORY // 1024**2} MiB of memory would be needed"}
        except Exception as error:
            news = {"broken": described(error)}
        finally:
            for file in files:
                if file is not None:
                    file.close()
        send(line, news)


def ready(name: str, first: Json) -> Answer:
    """Shut in, the model loaded."""
    files: dict[str, str] = first["files"]
    module = importlib.import_module(f"mutoscope.engines.local.{MODULES[name]}")
    read = (*files.values(), *sandbox.MACHINE, "/proc/self")
    sandbox.shut_in([sandbox.NOTHING, *((path, sandbox.READ) for path in read)])
    return module.load(files, name=name, **first["own"]) if first["own"] else module.load(files)


def walls(program: str) -> Json:
    """Which stand around this process."""
    return sandbox.standing(program, MEMORY)


def limit(made_bytes: int) -> None:
    """Bound what a hostile file can make this process use."""
    for which, most in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, made_bytes),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
    ):
        with suppress(OSError, ValueError):  # not every system has each of them
            resource.setrlimit(which, (most, most))


def receive(line: socket.socket) -> tuple[Any, ...]:
    """The next request. Where there is none any more, the parent is gone: so is this."""
    try:
        mark, handles, _, _ = socket.recv_fds(line, 1, 2)
        said = b""
        while mark and not said.endswith(b"\n"):
            part = line.recv(256 * 1024)
            if not part or len(said) > LONGEST:
                os._exit(0)
            said += part
        if not mark:
            os._exit(0)
    except OSError:
        os._exit(0)
    files = [os.fdopen(handle, mode) for handle, mode in zip(handles, ("rb", "wb"), strict=False)]
    return json.loads(said), *(files or [None])


def send(line: socket.socket, news: Json) -> None:
    """By the file's handle: the calls of the network are shut."""
    left = json.dumps(news).encode() + b"\n"
    while left:
        left = left[os.write(line.fileno(), left) :]


def described(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))[-MAX_TRACE:]


if __name__ == "__main__":
    main()
