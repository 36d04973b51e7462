"""Hands what vendors answer to the process that writes recordings: behind the jobs and never in their way.

Where jobs run, an exchange is only put into a queue, as it came; a thread sends the queue on, many at a time. What is
in the queue is lost if the server is killed: what came in the last `GATHER_SECONDS`, or what the writer is behind.
"""

import asyncio
import contextlib
import itertools
import os
import secrets
import shutil
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable, Collection
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import IO

import msgspec
import structlog

import mutoscope
from mutoscope.cassettes.folder import Label
from mutoscope.cassettes.writer import (
    Asked,
    Begun,
    Ended,
    GivenUp,
    Heard,
    Kept,
    Known,
    Lost,
    Made,
    Message,
    Reply,
    Settings,
    received,
    send,
)
from mutoscope.model.job import Generation
from mutoscope.telemetry import logs

log = structlog.get_logger(__name__)

WRITER = "mutoscope.cassettes.writer"
BACKLOG = 64 * 1024 * 1024  # bytes that may wait to be written; what comes on top is not recorded
OVERHEAD = 500  # bytes of an exchange beside its bodies
PIPED = 1 << 18  # bytes that are sent on at once
GATHER_SECONDS = 0.02  # so long what comes is gathered before it is sent on
BEHIND = "more was to be written than is kept up with"


class Recording:
    """One cassette in the making, as those who ask a vendor hold it."""

    def __init__(self, id: str) -> None:
        self.id = id
        self.lost = False  # something of it could not be written, so all of it is gone


class Recorder:
    """What cannot be written is told in the log, and its recording is given up."""

    def __init__(
        self, root: Path, *, secrets: Collection[str] = (), hash_prompts: bool = False, max_bytes: int
    ) -> None:
        """`secrets` are keys, which are struck out wherever they stand."""
        self.root, self.secrets = root, tuple(secrets)
        self._settings = Settings(str(root.absolute()), self.secrets, hash_prompts, max_bytes)
        self._turns = itertools.count(1)
        self._copies = itertools.count(1)
        self._given = self._sent = 0  # bytes; one is counted by whoever calls, one by the thread
        self._queue: SimpleQueue[tuple[Message, int] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None  # begun with the first recording
        self.writer: int | None = None  # the process that writes
        self._closing = self._ended = False
        self._recordings: weakref.WeakValueDictionary[str, Recording] = weakref.WeakValueDictionary()
        self._wanted: dict[str, Callable[[Path], None]] = {}

    async def close(self) -> None:
        """What was said so far is written."""
        if self._thread and not self._closing:
            self._closing = True
            self._queue.put(None)
        if self._thread:
            await asyncio.to_thread(self._thread.join)

    # -- what is called where jobs run -------------------------------------------------------

    def begin(self, label: Label, *, wish: Generation | None = None, request: Asked | None = None) -> Recording:
        recording = self.resume(secrets.token_hex(5))
        self._put(recording, Begun(recording.id, label, wish, request), len(request.body) if request else 0)
        return recording

    def resume(self, id: str) -> Recording:
        """One that was begun before."""
        recording = self._recordings[id] = Recording(id)
        return recording

    def turn(self) -> int:
        return next(self._turns)

    def answer(self, recording: Recording, heard: Heard) -> None:
        size = len(heard.body) + sum(len(piece) for _, piece in heard.pieces or ())
        self._put(recording, heard, size + (len(heard.asked.body) if heard.asked else 0))

    async def copy(self, recording: Recording, moment: float, number: int, link: str, path: Path) -> None:
        """Keep a file that was made, before it is moved on."""
        if recording.lost or self._ended:
            return
        beside = self.root / f".{recording.id}.{next(self._copies)}.{secrets.token_hex(4)}"
        try:
            await asyncio.to_thread(linked, path, beside)
        except OSError as error:
            self.give_up(recording, error.strerror or str(error))
            return
        if not self._put(recording, Made(recording.id, moment, number, link, str(beside.absolute())), 0):
            beside.unlink(missing_ok=True)

    def end(self, recording: Recording, then: Callable[[Path], None] | None = None) -> None:
        """Nothing more comes; `then` is called with its folder once all of it is written, unless it is lost."""
        if then:
            self._wanted[recording.id] = then
        self._put(recording, Ended(recording.id, wanted=then is not None), 0)

    def _put(self, recording: Recording, message: Message, size: int) -> bool:
        """Whether it is sent on."""
        if recording.lost or self._ended or self._closing:
            return False
        size += OVERHEAD
        if self._given - self._sent + size > BACKLOG and not isinstance(message, GivenUp | Ended):
            self.give_up(recording, BEHIND)
            return False
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="cassettes", daemon=True)
            self._thread.start()
        self._given += size
        self._queue.put((message, size))
        return True

    def give_up(self, recording: Recording, reason: str) -> None:
        self._put(recording, GivenUp(recording.id, reason), 0)
        recording.lost = True

    # -- what the threads do -----------------------------------------------------------------

    def _run(self) -> None:
        try:
            process = subprocess.Popen(  # noqa: S603 (ourselves)
                (sys.executable, "-P", "-m", WRITER),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=PIPED,
                env={"PYTHONPATH": str(Path(mutoscope.__file__).parent.parent)},
                start_new_session=True,
            )
        except OSError as error:
            self._stopped(error.strerror or str(error))
            return
        self.writer = process.pid
        with process:
            assert process.stdin is not None and process.stdout is not None  # noqa: S101 (they are pipes)
            listener = threading.Thread(target=self._listen, args=(process.stdout,), name="cassettes", daemon=True)
            listener.start()
            with contextlib.suppress(OSError), process.stdin as pipe:  # it is gone, which the listener sees
                self._send_on(pipe)
            listener.join()
        if process.returncode:
            self._stopped(f"the process that writes ended ({process.returncode})")

    def _send_on(self, pipe: IO[bytes]) -> None:
        """All that comes, until it is said that nothing does. Raises OSError."""
        send(pipe, self._settings)
        told = 0
        while (first := self._queue.get()) is not None:
            if not self._closing:
                time.sleep(GATHER_SECONDS)
            if told != len(logs.known):
                known = list(logs.known)
                send(pipe, Known(known))
                told = len(known)
            item: tuple[Message, int] | None = first
            while item:
                send(pipe, item[0])
                self._sent += item[1]
                try:
                    item = self._queue.get_nowait()
                except Empty:
                    break
            pipe.flush()
            if item is None:
                return

    def _listen(self, pipe: IO[bytes]) -> None:
        reply: Reply
        for reply in received(pipe, msgspec.msgpack.Decoder(Reply)):
            match reply:
                case Lost():
                    log.error("cassette_unwritten", cassette=reply.cassette, reason=reply.reason)
                    self._wanted.pop(reply.recording, None)
                    if recording := self._recordings.get(reply.recording):
                        recording.lost = True
                case Kept():
                    if then := self._wanted.pop(reply.recording, None):
                        then(Path(reply.folder))
        self._ended = True
        self._queue.put(None)

    def _stopped(self, reason: str) -> None:
        """Nothing is recorded any more. Half a recording would be played for a whole one."""
        self._ended = True
        log.error("recording_stopped", reason=reason)
        for id in list(self._recordings):
            for path in self.root.glob(f"*{id}*"):
                shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def linked(path: Path, beside: Path) -> None:
    """The file under another name, so that it stays when it is moved on; a copy where the disk is another one."""
    beside.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(path, beside)
    except OSError:
        try:
            shutil.copyfile(path, beside)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise
