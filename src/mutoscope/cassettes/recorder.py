"""Writes recordings, in a thread of its own: behind the jobs and never in their way."""

import asyncio
import codecs
import shutil
from collections.abc import Callable, Collection
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import structlog

from mutoscope.cassettes import folder as files
from mutoscope.cassettes.folder import ANSWERS, Answer, BadCassette, Label
from mutoscope.cassettes.matching import digest, hashed, prompts_in
from mutoscope.cassettes.secrets import MEMBERS, SLOT_MEMBERS, mapped, text_without, value_without
from mutoscope.model.job import Json

log = structlog.get_logger(__name__)

BACKLOG = 64 * 1024 * 1024  # bytes that may wait to be written; what comes on top is not recorded
SHORTEST_PROMPT = 4  # characters of a prompt that is replaced in answers too, where prompts are hashed


class Full(OSError):
    """The recordings have grown as large as they may."""


class Recording:
    """One cassette in the making."""

    def __init__(self, folder: Path, label: Label | None = None, asked: Json | None = None) -> None:
        """Without a label: one that an earlier process began."""
        self.folder, self.label, self.asked = folder, label, asked or {}
        self.lost = False  # something of it could not be written, so all of it is gone
        self.begun = label is None
        self.count = 0 if label else None  # answers in it, once they were counted
        self.last_poll: tuple[Any, ...] | None = None
        self.prompts: list[str] = []


class Turn:
    """Answers that belong together: numbered when the first of them is written."""

    def __init__(self) -> None:
        self.number: int | None = None


class Heard(NamedTuple):
    """An answer as it came."""

    answer: Answer
    moment: float  # by the wall clock, when it was asked for
    raw: bytes = b""  # its body
    pieces: list[tuple[float, bytes]] | None = None  # that of a stream, with the seconds before each


class Recorder:
    """What cannot be written is told in the log, and its recording is given up."""

    def __init__(
        self, root: Path, *, secrets: Collection[str] = (), hash_prompts: bool = False, max_bytes: int
    ) -> None:
        """`secrets` are keys, which are struck out wherever they stand."""
        self.root, self.secrets = root, tuple(secrets)
        self.hash_prompts, self.max_bytes = hash_prompts, max_bytes
        self.written: int | None = None  # bytes in the directory, once they were counted
        self.recorded = self.lost = 0
        self._pending = 0
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="cassettes")

    async def close(self) -> None:
        """What was said so far is written."""
        await asyncio.to_thread(self._thread.shutdown)

    # -- what is called where jobs run -------------------------------------------------------

    def answer(self, recording: Recording, turn: Turn, heard: Heard) -> None:
        size = len(heard.raw) + sum(len(piece) for _, piece in heard.pieces or ())
        self._later(recording, size, lambda: self._answer(recording, turn, heard))

    async def copy(self, recording: Recording, heard: Heard, path: Path) -> None:
        """Keep a file that was made, before it is moved on."""
        future = self._later(recording, 0, lambda: self._copy(recording, heard, path))
        if future is not None:
            await asyncio.wrap_future(future)

    def then(self, recording: Recording, what: Callable[[Path], None]) -> None:
        """Once all of it so far is written, unless it is lost."""
        self._later(recording, 0, lambda: what(recording.folder))

    def _later(self, recording: Recording, size: int, what: Callable[[], None]) -> Future[None] | None:
        if recording.lost:
            return None
        if self._pending + size > BACKLOG:
            recording.lost = True
            self._thread.submit(self._give_up, recording, "more was to be written than the disk keeps up with")
            return None
        self._pending += size
        return self._thread.submit(self._run, recording, size, what)

    # -- what the thread does ----------------------------------------------------------------

    def _run(self, recording: Recording, size: int, what: Callable[[], None]) -> None:
        self._pending -= size
        if recording.lost:
            return
        try:
            what()
        except (OSError, BadCassette) as error:
            recording.lost = True
            self._give_up(recording, (error.strerror if isinstance(error, OSError) else None) or str(error))
        except Exception as error:
            recording.lost = True
            log.exception("cassette_broke", cassette=recording.folder.name)
            self._give_up(recording, repr(error))

    def _give_up(self, recording: Recording, reason: str) -> None:
        """Half a recording would be played for a whole one."""
        self.lost += 1
        log.error("cassette_unwritten", cassette=recording.folder.name, reason=reason)
        shutil.rmtree(recording.folder, ignore_errors=True)

    def _room(self) -> None:
        """Raises Full."""
        if self.written is None:
            self.written = files.size_of(self.root)
        if self.max_bytes and self.written >= self.max_bytes:
            raise Full(0, f"the recordings hold {self.written} bytes (cassettes.max_bytes)")

    def _answer(self, recording: Recording, turn: Turn, heard: Heard) -> None:
        answer, raw, pieces = heard.answer, heard.raw, heard.pieces
        self._room()
        if answer.step == "poll" and turn.number is None:
            told = (answer.status, answer.trouble, raw)
            if told == recording.last_poll:
                return  # the same as the last time: only the waiting went on
            recording.last_poll = told
        members = SLOT_MEMBERS if answer.step == "upload" else MEMBERS

        def clean(value: Any) -> Any:
            if isinstance(value, str):
                return self._without_prompts(recording, text_without(value, self.secrets))
            value = value_without(value, self.secrets, members=members)
            return self._mapped(recording, value)

        beside: dict[str, bytes] = {}

        def keep(data: bytes) -> str:
            name = files.name_of(data)
            beside[name] = data
            return name

        if self.hash_prompts and not recording.prompts:
            recording.prompts = [each for each in prompts_in(recording.asked) if len(each) >= SHORTEST_PROMPT]

        fields = {} if pieces is not None else files.body_fields(raw, clean, keep)
        events = None if pieces is None else self._pieces(pieces, clean)
        self._write(recording, turn, heard, fields, beside, events)

    def _copy(self, recording: Recording, heard: Heard, path: Path) -> None:
        self._room()
        name, size = files.kept_copy(recording.folder, path)
        self._count(size)
        self._write(recording, Turn(), heard, {"file": name}, {}, None)

    def _write(
        self,
        recording: Recording,
        turn: Turn,
        heard: Heard,
        fields: dict[str, Any],
        beside: dict[str, bytes],
        events: bytes | None,
    ) -> None:
        """The answer, with the files that it names; with the first one all that a cassette needs."""
        answer, label = heard.answer, recording.label
        if label is None:
            label = recording.label = files.load(recording.folder).label
        if recording.count is None:
            recording.count = max((int(path.name[:3]) for path in files.answer_files(recording.folder)), default=0)
        recording.count += 1
        turn.number = turn.number or recording.count
        name = f"{ANSWERS}/{recording.count:03}-{answer.step}"
        if events is not None:
            beside[f"{name}.events"] = events
            fields = {"events": f"{recording.count:03}-{answer.step}.events"}
        at = round(max(heard.moment - label.recorded.timestamp(), 0.0), 3)
        told = msgspec.to_builtins(answer) | {"turn": turn.number, "at": at}
        told |= {name: value for name, value in fields.items() if name != "spelling" or value}
        if answer.asked:
            told["asked"] = self._mapped(recording, value_without(answer.asked, self.secrets))
        beside[f"{name}.json"] = files.pretty(told)
        if recording.begun:
            self._count(sum(files.write(recording.folder / name, data) for name, data in beside.items()))
            return
        asked = hashed(recording.asked) if self.hash_prompts else recording.asked
        if not self.recorded:
            self.root.mkdir(parents=True, exist_ok=True)
        self._count(files.create(recording.folder, label, asked, beside))
        recording.begun = True
        self.recorded += 1

    def _pieces(self, pieces: list[tuple[float, bytes]], clean: Callable[[Any], Any]) -> bytes:
        """Lines of a stream. A secret may lie across two pieces: then the pieces are cut anew, after each event."""
        texts = whole_characters(pieces)
        whole = "".join(text for _, text in texts)
        cleaned = clean(whole)
        if cleaned != whole:
            events = [f"{event}\n\n" for event in cleaned.split("\n\n") if event]
            share = sum(wait for wait, _ in texts) / max(len(events), 1)
            texts = [(share, event) for event in events]
        texts = [line for piece in texts for line in by_events(piece)]
        encode = msgspec.json.Encoder().encode
        return b"".join([(b"%.3f " % wait if wait else b"0.000 ") + encode(text) + b"\n" for wait, text in texts])

    def _without_prompts(self, recording: Recording, text: str) -> str:
        for prompt in recording.prompts:
            text = text.replace(prompt, digest(prompt))
        return text

    def _mapped(self, recording: Recording, value: Any) -> Any:
        return mapped(value, lambda text: self._without_prompts(recording, text)) if recording.prompts else value

    def _count(self, size: int) -> None:
        self.written = (self.written or 0) + size


def by_events(piece: tuple[float, str]) -> list[tuple[float, str]]:
    """Events that came in one piece, each for itself."""
    wait, text = piece
    *whole, rest = text.split("\n\n")
    events = [f"{event}\n\n" for event in whole] + ([rest] if rest else [])
    return [(0.0 if number else wait, event) for number, event in enumerate(events)]


def whole_characters(pieces: list[tuple[float, bytes]]) -> list[tuple[float, str]]:
    """As texts: a character that lies across two pieces goes with the second."""
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    return [(wait, decoder.decode(piece)) for wait, piece in pieces]
