"""A cassette on disk: a folder of files that a person can read, edit and compare.

    cassette.toml        what it is: format, wire, model, when and by which version
    request.json         what was asked, without secrets; by this it is found again
    answers/001-….json   what the vendor answered, in its order, with times
    answers/001-….events the pieces of a stream, a line each: seconds since the one before, and the text
    outputs/<digest>.…   files that were made

Every file appears whole or not at all.
"""

import base64
import contextlib
import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, cast

import msgspec
from msgspec import UNSET, Struct, UnsetType

from mutoscope.cassettes.secrets import mapped
from mutoscope.model.job import Json

FORMAT = 1
LOCAL = "local"  # in the place of a wire: a job that was made here, by whichever engine
LABEL, REQUEST, ANSWERS, OUTPUTS = "cassette.toml", "request.json", "answers", "outputs"
LONG = 4096  # characters of base64 from which on it is a file of its own
SPELLINGS: dict[str, Callable[[Any], bytes]] = {
    "": msgspec.json.encode,
    "spaced": lambda value: json.dumps(value).encode(),
    "plain": lambda value: json.dumps(value, separators=(",", ":")).encode(),
    "spaced unicode": lambda value: json.dumps(value, ensure_ascii=False).encode(),
}
"""The ways in which vendors spell JSON: one that gives the same bytes again is noted, so that a person reads JSON."""


class BadCassette(Exception):
    """A recording that cannot be used; the message names the file and what is wrong."""


class Label(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """cassette.toml"""

    format: int
    kind: Literal["job", "words"]
    wire: str
    account: str
    model: str
    recorded: datetime
    mutoscope: str
    vendor: str = ""  # the address that was asked
    job: str = ""
    models: tuple[str, ...] = ()  # of the account's settings, as what follows
    renames: dict[str, str] = {}
    open_models: bool | None = None


class Trouble(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An answer that did not come."""

    kind: str
    message: str
    unsent: bool = False  # certainly not received: no connection came about


class Answer(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One exchange with the vendor. A body is one of json, text, base64, events and file."""

    step: str  # upload, submit, find, poll, cancel, copy; words
    turn: int  # answers of one turn belong together, as a status and the result that it leads to
    at: float  # seconds since the recording began
    seconds: float = 0.0  # that the vendor took
    asked: Json = {}
    status: int | None = None
    headers: dict[str, str] = {}
    json: Any | UnsetType = UNSET
    spelling: str = ""
    text: str | None = None
    base64: str | None = None
    events: str | None = None  # the name of a file beside this one
    file: str | None = None  # below the cassette
    trouble: Trouble | None = None


class Cassette:
    """A recording that lies in a folder. Answers are read when they are wanted."""

    def __init__(self, folder: Path, label: Label, asked: Json) -> None:
        self.folder, self.label, self.asked = folder, label, asked

    @property
    def name(self) -> str:
        return self.folder.name

    @cached_property
    def answers(self) -> tuple[Answer, ...]:
        """Raises BadCassette."""
        return tuple(read_answer(path) for path in answer_files(self.folder))

    def turns(self, step: str) -> list[list[Answer]]:
        """As they were asked: of two polls under way at once the first may be answered last. Raises BadCassette."""
        found: dict[int, list[Answer]] = {}
        for each in self.answers:
            if each.step == step:
                found.setdefault(each.turn, []).append(each)
        return sorted(found.values(), key=lambda turn: turn[0].at)

    def body(self, answer: Answer) -> bytes:
        """Raises BadCassette."""
        if answer.json is not UNSET:
            return SPELLINGS.get(answer.spelling, msgspec.json.encode)(self._with_files(answer.json))
        if answer.events is not None:
            return b"".join(text for _, text in self.pieces(answer))
        if answer.file is not None:
            return self.file(answer.file).read_bytes()
        return base64.b64decode(answer.base64) if answer.base64 is not None else (answer.text or "").encode()

    def pieces(self, answer: Answer) -> list[tuple[float, bytes]]:
        """Of a stream: seconds to wait, and what comes then. Raises BadCassette."""
        path = self.folder / ANSWERS / (answer.events or "")
        try:
            lines = [line.partition(" ") for line in path.read_text().splitlines() if line.strip()]
            told = [(float(wait), msgspec.json.decode(text, type=str)) for wait, _, text in lines]
            return [(wait, text.encode("utf-8", "surrogateescape")) for wait, text in told]
        except (OSError, ValueError, msgspec.DecodeError) as error:
            raise BadCassette(f"{path}: {error}; a line is seconds, a space, and a JSON string") from error

    def file(self, name: str) -> Path:
        """A file below this folder. Raises BadCassette."""
        path = (self.folder / name).resolve()
        if not path.is_relative_to(self.folder.resolve()) or not path.is_file():
            raise BadCassette(f"{self.folder}: there is no file {name!r} in it")
        return path

    def _with_files(self, value: Any) -> Any:
        """What stands for a long text in the JSON is that text again."""
        if isinstance(value, dict):
            told = cast("Json", value)
            if isinstance(name := told.get("cassette_file"), str):
                return str(told.get("before", "")) + base64.b64encode(self.file(name).read_bytes()).decode()
            return {name: self._with_files(each) for name, each in told.items()}
        if isinstance(value, list):
            return [self._with_files(each) for each in cast("list[Any]", value)]
        return value


# -- reading ------------------------------------------------------------------------------


def cassettes(root: Path) -> Iterator[Cassette]:
    """All below a directory, the oldest first. Raises BadCassette."""
    found = [load(path.parent) for path in root.glob(f"[!.]*/{LABEL}")]
    yield from sorted(found, key=lambda each: (each.label.recorded, each.name))


def load(folder: Path) -> Cassette:
    """Raises BadCassette."""
    path = folder / LABEL
    try:
        told = msgspec.toml.decode(path.read_bytes(), type=dict[str, Any])
        if (number := told.get("format")) != FORMAT:
            newer = isinstance(number, int) and number > FORMAT
            why = "a newer mutoscope wrote it" if newer else "there is no such format"
            raise BadCassette(f"{path}: format = {number!r}; this mutoscope reads format {FORMAT}: {why}")
        label = msgspec.convert(told, Label)
        path = folder / REQUEST
        return Cassette(folder, label, msgspec.json.decode(path.read_bytes(), type=Json))
    except (OSError, UnicodeDecodeError, msgspec.DecodeError) as error:
        raise BadCassette(f"{path}: {error}") from error


def answer_files(folder: Path) -> list[Path]:
    return sorted((folder / ANSWERS).glob("[0-9]*.json"))


def read_answer(path: Path) -> Answer:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Answer)
    except (OSError, msgspec.DecodeError) as error:
        raise BadCassette(f"{path}: {error}") from error


# -- writing ------------------------------------------------------------------------------


def create(folder: Path, label: Label, asked: Json, files: Mapping[str, bytes]) -> int:
    """A new cassette, there at once with its first files. Returns the bytes written."""
    draft = f"{folder.parent}/.{folder.name}.{secrets.token_hex(4)}"
    try:
        os.mkdir(draft)  # noqa: PTH102
        os.mkdir(f"{draft}/{ANSWERS}")  # noqa: PTH102
        files = {LABEL: labelled(label), REQUEST: pretty(asked), **files}
        if any(name.startswith(OUTPUTS) for name in files):
            os.mkdir(f"{draft}/{OUTPUTS}")  # noqa: PTH102
        for name, data in files.items():
            put(f"{draft}/{name}", data)
        os.rename(draft, folder)  # noqa: PTH104
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return sum(map(len, files.values()))


def write(path: Path, data: bytes) -> int:
    draft = f"{path.parent}/.{path.name}.{secrets.token_hex(4)}"
    try:
        try:
            put(draft, data)
        except FileNotFoundError:
            path.parent.mkdir()
            put(draft, data)
        os.replace(draft, path)  # noqa: PTH105
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(draft)  # noqa: PTH108
        raise
    return len(data)


def put(path: str, data: bytes) -> None:
    """A new file, in as few system calls as there can be: they are most of what recording costs."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        while data:
            data = data[os.write(file, data) :]
    finally:
        os.close(file)


def pretty(value: Any) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"


def labelled(label: Label) -> bytes:
    lines = [
        f"{name} = {in_toml(value)}" for name, value in msgspec.structs.asdict(label).items() if value not in EMPTY
    ]
    return ("\n".join(lines) + "\n").encode()


EMPTY: Sequence[Any] = ("", (), {}, None)


def in_toml(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case datetime():
            return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        case dict():
            told = cast("dict[str, str]", value)
            inner = (f"{in_toml(name)} = {in_toml(each)}" for name, each in told.items())
            return f"{{ {', '.join(inner)} }}"
        case tuple():
            return f"[{', '.join(map(in_toml, cast('tuple[str, ...]', value)))}]"
        case str():
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
        case _:
            return str(value)


def body_fields(raw: bytes, clean: Callable[[Any], Any], keep: Callable[[bytes], str]) -> dict[str, Any]:
    """How a body stands in an answer: as JSON where that gives the same bytes again, as text, else as base64.

    `clean` takes secrets out of a value or a text; `keep` makes a file of bytes and returns its name.
    """
    if not raw:
        return {}
    try:
        value = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        value = UNSET
    if value is not UNSET:
        spelling = next((name for name, spell in SPELLINGS.items() if spell(value) == raw), None)
        cleaned = clean(value)
        if spelling is not None or cleaned != value:
            return {"json": with_files(cleaned, keep), "spelling": spelling or ""}
    try:
        return {"text": clean(raw.decode())}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(raw).decode()}


def with_files(value: Any, keep: Callable[[bytes], str]) -> Any:
    """JSON with long base64 in files of its own."""

    def short(text: str) -> Any:
        before, comma, encoded = text.rpartition(",") if text.startswith("data:") else ("", "", text)
        if len(text) < LONG:
            return text
        try:
            data = base64.b64decode(encoded, validate=True)
        except ValueError:
            return text
        same = base64.b64encode(data).decode() == encoded
        return {"cassette_file": keep(data), "before": before + comma} if same else text

    return mapped(value, short)


def name_of(data: bytes) -> str:
    """What a file is called below its cassette: by its digest."""
    return f"{OUTPUTS}/{hashlib.sha256(data).hexdigest()}.{extension_of(data[:64])}"


def kept_copy(folder: Path, source: Path) -> tuple[str, int]:
    with source.open("rb") as file:
        digest, head = hashlib.file_digest(file, "sha256").hexdigest(), (file.seek(0), file.read(64))[1]
    name = f"{OUTPUTS}/{digest}.{extension_of(head)}"
    path = folder / name
    if path.exists():
        return name, 0
    path.parent.mkdir(exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        shutil.copyfile(source, draft)
        draft.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
        raise
    return name, source.stat().st_size


HEADS = (
    (b"\x89PNG", "png"), (b"\xff\xd8\xff", "jpg"), (b"GIF8", "gif"), (b"fLaC", "flac"), (b"ID3", "mp3"),
    (b"\xff\xfb", "mp3"), (b"OggS", "ogg"), (b"\x1aE\xdf\xa3", "webm"), (b"<svg", "svg"),
)  # fmt: skip


def extension_of(head: bytes) -> str:
    """For people: what a file is is found out when it is played."""
    if head[:4] == b"RIFF":
        return {b"WEBP": "webp", b"WAVE": "wav"}.get(head[8:12], "bin")
    if head[4:8] == b"ftyp":
        return "mov" if head[8:10] == b"qt" else "mp4"
    return next((extension for mark, extension in HEADS if head.startswith(mark)), "bin")


def size_of(root: Path) -> int:
    """Bytes of all files below a directory."""
    total = 0
    for folder, _, files in os.walk(root):
        for name in files:
            with contextlib.suppress(OSError):
                total += (Path(folder) / name).stat().st_size
    return total
