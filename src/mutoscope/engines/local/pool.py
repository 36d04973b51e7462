"""The children that hold models: one a model, begun when it is first asked, kept warm, ended when another needs room.

Nothing here opens what a stranger sent: a child is handed a file that is already open, and has no other but its own
weights. It may be slow, hang or die; this process goes on answering.
"""

import asyncio
import contextlib
import os
import signal
import socket
import sys
from concurrent.futures import TimeoutError as TooSlow
from pathlib import Path
from typing import Any

import msgspec
import structlog

import mutoscope
from mutoscope.engines.local.rows import Model, Own
from mutoscope.engines.local.shelf import Shelf
from mutoscope.model.job import Json
from mutoscope.model.problem import Kind, Problem

log = structlog.get_logger(__name__)

CHILD = "mutoscope.engines.local.child"
START_SECONDS = 60.0
LONGEST_ANSWER = 64 * 1024 * 1024
PIECE = 256 * 1024


class Pool:
    """Asks models. One for a process; belongs to the event loop that first asks."""

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf
        self._held: dict[str, _Child] = {}  # the one that was asked longest ago first
        self._turns: dict[str, asyncio.Lock] = {}
        self._room = asyncio.Condition()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False

    def lacks(self, name: str) -> str:
        """Why a model cannot be asked; "" where it can."""
        return self.shelf.look(name).told

    async def ask(self, name: str, what: Json, file: Path | None = None, out: Path | None = None) -> Json:
        """What the model says of a file, or of what is in the request itself. `out` is where it writes what it makes.

        Raises Problem: INVALID or BAD_MEDIA for what it cannot use, in the child's words; TIMED_OUT; UNSUPPORTED
        where the model is not here.
        """
        row = self.shelf.model(name)
        try:
            asked = msgspec.json.encode(what)
        except UnicodeEncodeError as error:
            raise Problem(Kind.INVALID, "The text has half of a character in it (a lone surrogate).") from error
        if lacking := self.lacks(name):
            raise Problem(Kind.UNSUPPORTED, f"This needs the model {name}: {lacking}.")
        self._loop = asyncio.get_running_loop()
        async with self._turns.setdefault(name, asyncio.Lock()):
            try:
                answer = await self._answer(row, asked, file, out)
            finally:
                async with self._room:  # also where no child came about: its memory is free again
                    self._room.notify_all()
        return told(name, answer)

    async def trial(self, name: str) -> str:
        """Load a model. Returns what is wrong with it; "" where nothing is."""
        try:
            _ = await self.ask(name, {"ask": "walls"})
        except Problem as problem:
            return self.lacks(name) or problem.message
        return ""

    def ask_from_thread(self, name: str, what: Json, file: Path | None = None) -> Json:
        """The same for a thread that is not the event loop's, and waits. Raises Problem."""
        assert self._loop is not None  # noqa: S101 (whoever starts threads has called `belong`)
        asked = asyncio.run_coroutine_threadsafe(self.ask(name, what, file), self._loop)
        try:
            return asked.result(self.shelf.model(name).longest + START_SECONDS)
        except TooSlow as error:
            asked.cancel()
            raise Problem(Kind.TIMED_OUT, f"The model {name} had too much to do.") from error

    def belong(self) -> None:
        """To this event loop."""
        self._loop = asyncio.get_running_loop()

    async def close(self) -> None:
        self._closed = True
        for name in list(self._held):
            await self._end(name)

    async def _answer(self, row: Model, asked: bytes, file: Path | None, out: Path | None) -> Json:
        child = await self._child(row)
        healthy = False
        try:
            async with asyncio.timeout(row.longest):
                answer = await child.ask(asked, file, out)
            healthy = True
            return answer
        except TimeoutError as error:
            message = f"The model {row.name} took more than {row.longest:g} seconds."
            raise Problem(Kind.TIMED_OUT, message) from error
        except Died as error:
            log.error("model_died", model=row.name, code=child.process.returncode)
            message = f"The process of the model {row.name} ended before it was done."
            raise Problem(Kind.ENGINE_FAILED, message) from error
        finally:
            child.busy = False
            if not healthy or self._closed:
                await self._end(row.name)

    async def _child(self, row: Model) -> "_Child":
        """The warm one, or a new one once there is room for it."""
        child = self._held.pop(row.name, None)
        if child is not None and child.alive:
            self._held[row.name] = child  # now the last that was asked
            child.busy = True
            return child
        if child is not None:
            await child.end()
        found = await asyncio.to_thread(self.shelf.verify, row.name)
        if not found.ready:
            raise Problem(Kind.UNSUPPORTED, f"This needs the model {row.name}: {found.told}.")
        await self._make_room(row)
        child = self._held[row.name] = _Child(row)
        try:
            await child.start(self.shelf.files(row))
        except BaseException as error:
            await self._end(row.name)
            if isinstance(error, Unfit):
                self.shelf.unfit(row.name, str(error))
                raise Problem(Kind.UNSUPPORTED, f"This needs the model {row.name}: {self.lacks(row.name)}.") from error
            if isinstance(error, (Died, TimeoutError)):
                message = f"The model {row.name} could not be loaded; the server's log has the details."
                log.error("model_not_loaded", model=row.name, reason=child.reason or repr(error))
                raise Problem(Kind.ENGINE_FAILED, message) from error
            raise
        return child

    async def _make_room(self, row: Model) -> None:
        """End whoever was asked longest ago, until there is memory for one more; wait for those at work."""
        allowed = self.shelf.settings.memory_bytes
        async with self._room:
            while sum(each.row.bytes_held for each in self._held.values()) + row.bytes_held > allowed:
                idle = next((name for name, each in self._held.items() if not each.busy), None)
                if idle is not None:
                    await self._end(idle)
                else:
                    await self._room.wait()

    async def _end(self, name: str) -> None:
        if child := self._held.pop(name, None):
            await child.end()


def told(name: str, answer: Json) -> Json:
    """What a child answered. Raises Problem for what it says no to."""
    if "done" in answer:
        return answer["done"]
    if refused := answer.get("refused"):
        raise Problem(Kind(refused.get("kind", Kind.BAD_MEDIA)), str(refused["message"]), field=refused.get("field"))
    log.error("model_broke", model=name, reason=answer.get("broken"))
    raise Problem(Kind.ENGINE_FAILED, f"The model {name} failed; the server's log has the details.")


def how(row: Model) -> Json | None:
    """What the child must know of an operator's model."""
    return {"mean": row.mean, "std": row.std, "side": row.side} if isinstance(row, Own) else None


class Died(Exception):
    """A child is gone, or speaks no sense."""


class Unfit(Exception):
    """An operator's file is no model of the kind that it should be. The message goes on where its path ends."""


class _Child:
    """A process that holds one model: a line of JSON in, with an open file where there is one; a line of JSON out."""

    def __init__(self, row: Model) -> None:
        self.row, self.busy, self.reason = row, True, ""
        self.process: asyncio.subprocess.Process
        self._socket: socket.socket | None = None
        self._buffer = b""

    async def start(self, files: dict[str, str]) -> None:
        """Raises Died, TimeoutError and Unfit."""
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        self._socket = ours
        try:
            self.process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", CHILD, self.row.name),
                stdin=theirs.fileno(),
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
                # An environment of its own: the child needs to know no secrets, and calls nobody.
                env={
                    "PYTHONPATH": str(Path(mutoscope.__file__).parent.parent),
                    "OPENBLAS_NUM_THREADS": "1",
                    "OMP_NUM_THREADS": "1",
                    "MALLOC_ARENA_MAX": "2",
                    "HF_HUB_OFFLINE": "1",
                },
                start_new_session=True,
            )
        finally:
            theirs.close()
        async with asyncio.timeout(START_SECONDS):
            answer = await self.ask(msgspec.json.encode({"files": files, "own": how(self.row)}), None)
        if "unfit" in answer:
            raise Unfit(str(answer["unfit"]))
        if "ready" not in answer:
            self.reason = str(answer.get("broken") or answer)
            raise Died

    @property
    def alive(self) -> bool:
        return self.process.returncode is None

    async def ask(self, asked: bytes, file: Path | None, out: Path | None = None) -> Json:
        """`asked`: JSON. Raises Died, and OSError where a file cannot be opened."""
        loop = asyncio.get_running_loop()
        assert self._socket is not None  # noqa: S101 (it was started)
        handles: list[int] = []
        try:
            if file is not None:
                handles.append(os.open(file, os.O_RDONLY | os.O_CLOEXEC))
            if out is not None:
                handles.append(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600))
            # The socket's buffer is empty, as everything sent before was read: one byte goes at once.
            socket.send_fds(self._socket, [b"f" if handles else b"-"], handles)
            await loop.sock_sendall(self._socket, asked + b"\n")
            while b"\n" not in self._buffer:
                part = await loop.sock_recv(self._socket, PIECE)
                if not part or len(self._buffer) > LONGEST_ANSWER:
                    raise Died
                self._buffer += part
            line, _, self._buffer = self._buffer.partition(b"\n")
            return msgspec.json.decode(line, type=dict[str, Any])
        except (ConnectionError, msgspec.DecodeError) as error:
            raise Died from error
        finally:
            for handle in handles:
                os.close(handle)

    async def end(self) -> None:
        """Kill it, and wait until it is gone."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        if hasattr(self, "process"):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            await self.process.wait()
