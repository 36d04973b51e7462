"""The child of `studio.py`: renders one job and is gone. A line of JSON in; lines of JSON out. Its argument is how far
it steps back for others, as `nice` counts it.

Out come {"progress": share} while it works, and at the end one of {"done": {…}}, {"refused": {message, field}}
for what cannot be made, {"unavailable": errno} for what the system does not let it make, {"killed": text} where one
of its commands was ended from outside, and {"broken": text} for what should not happen. When its stdin closes, its
parent is gone and so is it. It imports nothing of ours but studio and the sandbox, into which it shuts itself before it
opens what it was given.
"""

import errno
import json
import os
import resource
import sys
import threading
import time
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Any

from mutoscope.files import _sandbox as sandbox

AUTOGROUP, TRIES, TRY_SECONDS = Path("/proc/self/autogroup"), 5, 0.1
MEMORY = 3 * 1024**3  # address space
FILE_BYTES = 4 * 1024**3
OPEN_FILES = 64
PROGRESS_STEP = 0.01
MAX_TRACE = 4000  # characters

RESOURCE_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.ENFILE, errno.EFBIG)
"""What the system may do to any order. Not EMFILE: the limit on open files is set here."""

SANDBOX = "sandbox"  # an order to try them
INPUTS = ("image", "last", "video", "audio", "mask")
LISTS = ("images", "references", "sounds")
PASSED = ("prompt", "negative_prompt", "fps", "seconds", "seed", "watermark", "threads", "encoder", "determinism")

Json = dict[str, Any]


def main() -> None:
    """Get ready, wait for the request, make it, leave without tidying up: the parent removes the files."""
    step_back(int(sys.argv[1]))  # before the imports: they are work too
    # Late, because they take a third of a second and must run at low priority.
    import cv2

    from mutoscope import studio
    from mutoscope.engines import studio_operations

    _ = studio_operations
    cv2.setNumThreads(1)
    file_bytes = limit()
    report = reporter()
    line = read_line()
    if not line:
        os._exit(0)
    try:
        order = json.loads(line)
        enter_sandbox(order)
        mark_with(order.get("mark"))
        threading.Thread(target=leave_with_parent, daemon=True).start()  # in the sandbox too
        report({"done": {"version": studio.VERSION, **make(order, report)}})
    except BaseException as error:
        report(failure(error, file_bytes))
    os._exit(0)


def mark_with(mark: Json | None) -> None:
    """Have what is made marked, where that is wanted."""
    from mutoscope.studio import imprint  # loaded already

    if mark is not None:
        imprint.current = imprint.Writer(Path(mark["encoder.onnx"]), Path(mark["decoder.onnx"]), mark["kind"])


def failure(error: BaseException, file_bytes: int) -> Json:
    """What is told of it."""
    from mutoscope.studio import StudioError  # loaded already
    from mutoscope.studio.error import Killed

    if isinstance(error, Killed):
        return {"killed": str(error)}
    if number := system_error(error, file_bytes):
        return {"unavailable": number}
    if isinstance(error, StudioError):
        return {"refused": {"message": str(error), "field": error.field}}
    if isinstance(error, MemoryError):
        return {"broken": f"more than {MEMORY // 1024**2} MiB of memory would be needed", "memory": True}
    return {"broken": "".join(traceback.format_exception(error))[-MAX_TRACE:]}


def system_error(error: BaseException, file_bytes: int) -> int | None:
    """The errno of what passes and is nobody's fault, such as a full disk, also behind a file that cannot be read."""
    from av.error import FFmpegError  # loaded already

    from mutoscope.studio import StudioError

    cause = error.__cause__ if isinstance(error, StudioError) else error
    if not isinstance(cause, OSError):
        return None
    if cause is not error and cause.errno == errno.EIO and isinstance(cause, FFmpegError):
        return None  # its word for a file that ends too soon
    if cause.errno == errno.EFBIG and file_bytes == FILE_BYTES:
        return None  # the limit is ours
    return cause.errno if cause.errno in RESOURCE_ERRORS else None


def step_back(niceness: int) -> None:
    """Let the server, and what else is short of time, go first, without waiting for what is never short of work.

    Where Linux groups processes by session (autogroup), `nice` counts only within the child's own session, so that
    the session's is lowered too. As a batch (Linux) it does not interrupt others when it wakes up.
    """
    if hasattr(os, "SCHED_BATCH") and niceness > 0:
        with suppress(OSError):  # not allowed here
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    os.nice(niceness)
    for _ in range(TRIES if os.getsid(0) == os.getpid() and niceness > 0 else 0):
        try:
            AUTOGROUP.write_text(str(niceness))
        except BlockingIOError:  # another session was changed a moment ago
            time.sleep(TRY_SECONDS)
        except OSError:  # there is no such thing here
            return
        else:
            return


def make(order: Json, report: "Reporter") -> Json:
    """What was made, as facts of each file."""
    from mutoscope import studio  # loaded already
    from mutoscope.engines.studio_operations import MAKERS  # loads the renderer

    if maker := MAKERS.get(order["make"]):
        return {"files": maker(order, report)}
    out = Path(order["out"][0])
    if order["make"] == SANDBOX:
        return {"sandbox": sandbox.standing(out.parent, MEMORY)}
    if order["make"] == "text_to_speech":
        return {"files": [speak(order, out)]}
    width, height = frame_size(order)
    common: Json = {name: order[name] for name in PASSED} | {
        "width": width,
        "height": height,
        "audio": path_of(order, "audio"),
        "progress": thinned(report),
    }
    last, near = path_of(order, "last"), Path(order["near"]) if order.get("near") else None
    if order["make"] == "text_to_video":
        clip = studio.text_to_video(out, **common, card=order["card"])
    elif (video := path_of(order, "video")) is not None:
        clip = studio.extend_video(video, out, last=last, **common)
    else:
        clip = studio.image_to_video(path_of(order, "image"), out, last=last, near=near, **common)
    try:
        found = studio.video_facts(out)
    except studio.StudioError as error:
        raise RuntimeError(f"what was made cannot be read: {error}") from error  # no fault of what was asked for
    if found[:3] != (clip.width, clip.height, clip.frames):
        raise RuntimeError(f"the file has {found}, not {clip}")
    facts = {"path": str(out), "width": found[0], "height": found[1], "frames": found[2], "seconds": clip.seconds}
    return {"files": [{**facts, "used": clip.used, "ignored": clip.ignored, "shown": clip.shown}]}


def speak(order: Json, out: Path) -> Json:
    from mutoscope.studio import speech

    pace = round(speech.PACE * order["pace"])
    made = speech.speak(
        order["prompt"],
        out,
        language=order["language"],
        timbre=speech.VOICES.get(order.get("voice", "").lower()),
        words_per_minute=pace,
        order=order.get("speakers", (speech.PROGRAM,)),
        voice=order.get("piper_voice", ""),
    )
    told = f"spoken by {made.program} in language {made.language!r}"
    told += f", timbre {made.timbre}" if made.timbre else ""
    told += f", voice {made.voice}" if made.voice else ""
    return {
        "path": str(out),
        "seconds": made.seconds,
        "used": (),
        "ignored": (),
        "told": told,
        "trained": made.program == "piper",
    }


def frame_size(order: Json) -> tuple[int, int]:
    """As asked; else the tier in the shape of what goes in; else, for a clip, its own size."""
    from mutoscope import studio  # loaded already

    if order["width"] is not None and order["height"] is not None:
        return order["width"], order["height"]
    shape = 16, 9
    if (video := path_of(order, "video")) is not None:
        shape = studio.video_size(video)
        if order["resolution"] is None:
            return shape[0] // 2 * 2, shape[1] // 2 * 2
    elif (picture := path_of(order, "image") or path_of(order, "last")) is not None:
        shape = studio.picture_size(picture)
    return studio.fit_size(order["resolution"] or "720p", *shape)


def path_of(order: Json, name: str) -> Path | None:
    return Path(order[name]) if order[name] is not None else None


class Reporter:
    """Writes lines to the parent."""

    def __init__(self, handle: int) -> None:
        self._handle = handle

    def __call__(self, news: Json) -> None:
        left = json.dumps(news).encode() + b"\n"
        while left:
            left = left[os.write(self._handle, left) :]


def reporter() -> Reporter:
    """The pipe to the parent, out of the reach of libraries that print."""
    handle = os.dup(1)
    os.dup2(2, 1)
    return Reporter(handle)


class thinned:  # noqa: N801 (a function with a memory)
    """Progress, told only when it has grown by a step."""

    def __init__(self, report: Reporter) -> None:
        self._report, self._reported = report, 0.0

    def __call__(self, share: float) -> None:
        if share - self._reported >= PROGRESS_STEP:
            self._reported = share
            self._report({"progress": round(share, 4)})


def limit() -> int:
    """Bound what a hostile file can make this process use. Returns how large a file may become."""
    wanted = {
        resource.RLIMIT_AS: MEMORY,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: FILE_BYTES,
        resource.RLIMIT_NOFILE: OPEN_FILES,
    }
    for what, most in wanted.items():
        bounds = [most if bound == resource.RLIM_INFINITY else min(bound, most) for bound in resource.getrlimit(what)]
        with suppress(ValueError, OSError):  # not every system has each of them
            resource.setrlimit(what, (bounds[0], bounds[1]))
    return resource.getrlimit(resource.RLIMIT_FSIZE)[0]


def enter_sandbox(order: Json) -> None:
    """Give up what this order does not need: the network always, and where no command is run, all other processes and
    all files but those of the order and of the program itself.

    A command may be anywhere, with its libraries: it reads what it likes but other processes' secrets, and writes where
    the order is made.
    """
    made = [(folder, sandbox.WRITE) for folder in {str(Path(each).parent) for each in order["out"]}]
    if not runs_command(order):
        given = [path for name in INPUTS if (path := order.get(name)) is not None]
        given += [path for name in LISTS for path in order.get(name, ())]
        mark: Json = order.get("mark") or {}
        given += [path for name, path in mark.items() if name != "kind"]
        read = (*given, *sandbox.MACHINE)
        sandbox.shut_in([*made, sandbox.NOTHING, *((path, sandbox.READ) for path in read)])
    elif sandbox.keep_privileges():
        anywhere = [path for path in Path("/").iterdir() if path.name != "proc"]
        rights = sandbox.READ | sandbox.EXECUTE
        read = (*anywhere, *sandbox.LIBRARIES, *sandbox.MACHINE)
        sandbox.shut_files([*made, sandbox.NOTHING, *((path, rights) for path in read)])
        sandbox.shut_calls(sandbox.NETWORK, sandbox.OTHERS, sandbox.SYSTEM, threads=True)


def runs_command(order: Json) -> bool:
    """Whether espeak-ng or ffmpeg will work for it."""
    from mutoscope.engines.studio_operations import MAKERS
    from mutoscope.studio.encoder import find  # loaded already

    if order["make"] in MAKERS or order["make"] == SANDBOX:
        return False
    return order["make"] == "text_to_speech" or find(order["encoder"]).piped


def read_line() -> bytes:
    """The request, byte for byte: a buffered reader could not be shared with the watching thread."""
    line = b""
    while not line.endswith(b"\n"):
        part = os.read(0, 65536)
        if not part:
            return b""
        line += part
    return line


def leave_with_parent() -> None:
    with suppress(OSError):
        while os.read(0, 4096):
            pass
    os._exit(1)


if __name__ == "__main__":
    main()
