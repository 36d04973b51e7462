"""Makes the folders of recordings, in a process of its own: `python -m mutoscope.cassettes.writer`.

The server hands it every exchange as it was, through a pipe. Here it is put in order and stripped of secrets, and only
then does it reach a disk; at a low priority, and to the end of what it was given, whatever becomes of the server.
"""

import codecs
import contextlib
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from mutoscope.cassettes import folder as files
from mutoscope.cassettes.folder import ANSWERS, Answer, BadCassette, Label, Trouble
from mutoscope.cassettes.matching import (
    asked_of_job,
    asked_of_words,
    digest,
    hashed,
    key_of,
    normal,
    prompts_in,
    replaced,
)
from mutoscope.cassettes.secrets import MEMBERS, SLOT_MEMBERS, headers_without, mapped, text_without, value_without
from mutoscope.model.http import HttpRequest
from mutoscope.model.job import Generation, Json
from mutoscope.telemetry import logs

NICE = 15  # how far behind everything else it stands
SHORTEST_PROMPT = 4  # characters of a prompt that is replaced in answers too, where prompts are hashed
MOST_RECORDINGS = 20_000  # that are remembered; of others their folders tell


class Full(OSError):
    """The recordings have grown as large as they may."""


# -- what the server says, and what it is answered --------------------------------------------


class Message(Struct, frozen=True, array_like=True, tag=True):
    """Goes through the pipe behind its length."""


class Settings(Message, frozen=True):
    """The first message."""

    root: str
    secrets: tuple[str, ...]  # keys, which are struck out wherever they stand
    hash_prompts: bool
    max_bytes: int


class Known(Message, frozen=True):
    """All secrets that the server holds now."""

    secrets: list[str]


class Asked(Message, frozen=True):
    """A request to the vendor."""

    method: str
    path: str
    query: dict[str, str] = {}
    content_type: str = ""
    body: bytes = b""


class Begun(Message, frozen=True):
    """A recording of a job, or of an answer in words; it is there with its first answer."""

    recording: str
    label: Label
    wish: Generation | None = None
    request: Asked | None = None


class Heard(Message, frozen=True):
    """An answer as it came. Those of one turn belong together."""

    recording: str
    turn: int
    step: str
    moment: float  # by the wall clock, when it was asked for
    seconds: float
    asked: Asked | None = None
    status: int | None = None
    headers: dict[str, str] = {}
    trouble: Trouble | None = None
    body: bytes = b""
    pieces: list[tuple[float, bytes]] | None = None  # the body of a stream, and when each came
    headed: float = 0.0  # when its head did, by the same clock


class Made(Message, frozen=True):
    """A result, which lies beside the recordings and is to be taken from there."""

    recording: str
    moment: float
    number: int
    link: str
    path: str


class GivenUp(Message, frozen=True):
    """Something of it did not come here."""

    recording: str
    reason: str


class Ended(Message, frozen=True):
    """Nothing more comes."""

    recording: str
    wanted: bool = False  # somebody waits for it


class Lost(Message, frozen=True):
    """Answers that a recording was given up."""

    recording: str
    cassette: str
    reason: str


class Kept(Message, frozen=True):
    """Answers that a recording which is waited for is whole."""

    recording: str
    folder: str


Told = Settings | Known | Begun | Heard | Made | GivenUp | Ended
Reply = Lost | Kept
packed = msgspec.msgpack.Encoder().encode


def send(pipe: IO[bytes], message: Message) -> None:
    data = packed(message)
    pipe.write(len(data).to_bytes(8))
    pipe.write(data)


def received(pipe: IO[bytes], decoder: msgspec.msgpack.Decoder[Any]) -> Iterator[Any]:
    """All messages until the other end is gone."""
    while len(size := pipe.read(8)) == 8:
        data = pipe.read(length := int.from_bytes(size))
        if len(data) < length:
            return
        yield decoder.decode(data)


# -- writing ----------------------------------------------------------------------------------


class Recording:
    """One cassette in the making."""

    def __init__(self, folder: Path, label: Label | None = None, asked: Json | None = None) -> None:
        """Without a label: one that another process began."""
        self.folder, self.asked = folder, asked or {}
        self.label = label or files.load(folder).label
        self.begun = label is None
        self.lost = False  # something of it could not be written, so all of it is gone
        self.count = 0 if label else max((int(path.name[:3]) for path in files.answer_files(folder)), default=0)
        self.turns: dict[int, int] = {}  # the first answer of each
        self.last_poll: tuple[Any, ...] | None = None
        self.prompts: list[str] = []


class Writer:
    """What cannot be written is answered, and its recording is given up."""

    def __init__(self, settings: Settings, reply: Callable[[Reply], None]) -> None:
        self.root, self.secrets, self.reply = Path(settings.root), settings.secrets, reply
        self.hash_prompts, self.max_bytes = settings.hash_prompts, settings.max_bytes
        self.written: int | None = None  # bytes in the directory, once they were counted
        self._recordings: dict[str, Recording] = {}

    def take(self, message: Told) -> None:
        try:
            self._take(message)
        except (OSError, BadCassette) as error:
            self._give_up(message, (error.strerror if isinstance(error, OSError) else None) or str(error))
        except Exception as error:
            self._give_up(message, repr(error))
        if isinstance(message, Made):
            Path(message.path).unlink(missing_ok=True)

    def _take(self, message: Told) -> None:
        match message:
            case Begun():
                self._begin(message)
            case Heard() if recording := self._found(message.recording):
                self._room()
                self._answer(recording, message)
            case Made() if recording := self._found(message.recording):
                self._room()
                self._keep(recording, message)
            case GivenUp():
                known = self._recordings.get(message.recording)
                if known is None or not known.lost:
                    self._give_up(message, message.reason)
            case Ended():
                recording = self._recordings.pop(message.recording, None)
                if message.wanted and recording and recording.begun and not recording.lost:
                    self.reply(Kept(message.recording, str(recording.folder)))
            case Known():
                logs.conceal(message.secrets)
            case _:
                pass  # of a recording that is gone

    def _begin(self, message: Begun) -> None:
        label, request = message.label, message.request
        if request:
            asked = asked_of_words(label.wire, request_of(request), self.secrets)
        else:
            asked = asked_of_job(label.wire, message.wish, self.secrets) if message.wish else {}
        plain = "".join(each if each.isalnum() or each in "._" else "-" for each in label.model)[:40] or label.kind
        name = f"{label.wire}-{plain}-{key_of(asked)[:8]}-{message.recording}"
        self._remember(message.recording, Recording(self.root / name, label, asked))

    def _remember(self, id: str, recording: Recording) -> None:
        self._recordings[id] = recording
        if len(self._recordings) > MOST_RECORDINGS:
            del self._recordings[next(iter(self._recordings))]

    def _found(self, id: str) -> Recording | None:
        """One that is not given up; what an earlier process began as well."""
        if (recording := self._recordings.get(id)) is None:
            if not (folder := next(self.root.glob(f"[!.]*-{id}"), None)):
                return None
            self._remember(id, recording := Recording(folder))
        return None if recording.lost else recording

    def _give_up(self, message: Told, reason: str) -> None:
        if isinstance(message, Settings | Known):
            return
        recording = self._recordings.get(message.recording)
        self.reply(Lost(message.recording, recording.folder.name if recording else message.recording, reason))
        if recording:
            self._remove(recording)

    def _remove(self, recording: Recording) -> None:
        """Half a recording would be played for a whole one."""
        recording.lost = True
        shutil.rmtree(recording.folder, ignore_errors=True)

    def _room(self) -> None:
        """Raises Full."""
        if self.written is None:
            self.written = files.size_of(self.root)
        if self.max_bytes and self.written >= self.max_bytes:
            raise Full(0, f"the recordings hold {self.written} bytes (cassettes.max_bytes)")

    def _answer(self, recording: Recording, heard: Heard) -> None:
        if heard.step == "poll" and heard.turn not in recording.turns:
            told = (heard.status, heard.trouble, heard.body)
            if told == recording.last_poll:
                return  # the same as the last time: only the waiting went on
            recording.last_poll = told
        members = SLOT_MEMBERS if heard.step == "upload" else MEMBERS

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

        fields = {} if heard.pieces is not None else files.body_fields(heard.body, clean, keep)
        events = None if heard.pieces is None else self._pieces(waits(heard.headed, heard.pieces), clean)
        answer = Answer(
            step=heard.step,
            turn=heard.turn,
            at=heard.moment,
            seconds=round(heard.seconds, 3),
            asked=told_of(heard.asked) if heard.asked else {},
            status=heard.status,
            headers=headers_without(heard.headers, self.secrets),
            trouble=heard.trouble and replace(heard.trouble, message=clean(heard.trouble.message)),
        )
        self._write(recording, answer, fields, beside, events)

    def _keep(self, recording: Recording, made: Made) -> None:
        name, size = files.kept_copy(recording.folder, Path(made.path))
        self._count(size)
        asked = {"link": normal(made.link, self.secrets), "number": made.number}
        self._write(recording, Answer(step="copy", turn=0, at=made.moment, asked=asked), {"file": name}, {}, None)

    def _write(
        self,
        recording: Recording,
        answer: Answer,
        fields: dict[str, Any],
        beside: dict[str, bytes],
        events: bytes | None,
    ) -> None:
        """The answer, with the files that it names; with the first one all that a cassette needs."""
        label = recording.label
        recording.count += 1
        turn = recording.turns.setdefault(answer.turn, recording.count) if answer.turn else recording.count
        name = f"{ANSWERS}/{recording.count:03}-{answer.step}"
        if events is not None:
            beside[f"{name}.events"] = events
            fields = {"events": f"{recording.count:03}-{answer.step}.events"}
        at = round(max(answer.at - label.recorded.timestamp(), 0.0), 3)
        told = msgspec.to_builtins(answer) | {"turn": turn, "at": at}
        told |= {name: value for name, value in fields.items() if name != "spelling" or value}
        if answer.asked:
            told["asked"] = self._mapped(recording, value_without(answer.asked, self.secrets))
        beside[f"{name}.json"] = files.pretty(told)
        if recording.begun:
            self._count(sum(files.write(recording.folder / name, data) for name, data in beside.items()))
            return
        asked = hashed(recording.asked) if self.hash_prompts else recording.asked
        if not self.root.is_dir():
            self.root.mkdir(parents=True)
        self._count(files.create(recording.folder, label, asked, beside))
        recording.begun = True

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


def request_of(asked: Asked) -> HttpRequest:
    headers = {"content-type": asked.content_type} if asked.content_type else {}
    return HttpRequest(method=asked.method, path=asked.path, query=asked.query, headers=headers, body=asked.body)


def told_of(asked: Asked) -> Json:
    """A request as it is read beside its answer; its headers are nobody's business."""
    told: Json = {"method": asked.method, "path": asked.path.partition("?")[0]}
    if asked.query:
        told["query"] = asked.query
    if asked.body:
        try:
            told["body"] = replaced(msgspec.json.decode(asked.body))  # whoever writes it takes out secrets
        except (msgspec.DecodeError, UnicodeDecodeError):
            told["bytes"] = len(asked.body)
    return told


def waits(since: float, pieces: list[tuple[float, bytes]]) -> list[tuple[float, bytes]]:
    """With the seconds before each, in place of when it came."""
    moments = [since, *(moment for moment, _ in pieces)]
    return [(now - before, piece) for before, now, (_, piece) in zip(moments, moments[1:], pieces, strict=False)]


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


def main() -> None:
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)  # it ends with what it was given
    with contextlib.suppress(OSError, AttributeError):  # not every system has both
        os.nice(NICE)
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    replies = sys.stdout.buffer

    def reply(message: Reply) -> None:
        with contextlib.suppress(BrokenPipeError):  # nobody listens any more
            send(replies, message)
            replies.flush()

    writer: Writer | None = None
    message: Told
    for message in received(sys.stdin.buffer, msgspec.msgpack.Decoder(Told)):
        if isinstance(message, Settings):
            writer = Writer(message, reply)
        elif writer:
            writer.take(message)


if __name__ == "__main__":
    main()
