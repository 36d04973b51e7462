"""A zip of pictures that a stranger sent: read without a file on disk, and held to bounds before a byte is unpacked."""

import io
import zipfile
import zlib
from pathlib import PurePosixPath
from stat import S_IFMT, S_ISLNK

MOST_MEMBERS = 500  # captions and folders too
MOST_PICTURES = 100
MOST_BYTES = 100 * 1024 * 1024  # of all that is unpacked
MOST_RATIO = 200  # unpacked to packed, which no picture reaches
LONGEST_NAME = 255
PICTURES = frozenset({".png", ".jpg", ".jpeg", ".webp"})
CAPTIONS = frozenset({".txt"})
PLAIN = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})


class BadArchive(ValueError):
    """The message says what is wrong with it and what would have been right."""


def pictures_in(data: bytes) -> tuple[list[tuple[str, bytes]], int]:
    """The pictures of a zip by their names, in its order, and how many captions lie beside them. Raises BadArchive."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            wanted = chosen(archive.infolist())
            found = [(each.filename, unpacked(archive, each)) for each in wanted if kind(each) in PICTURES]
            return found, sum(kind(each) in CAPTIONS for each in wanted)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError, RuntimeError) as error:
        if isinstance(error, BadArchive):
            raise
        raise BadArchive("should be a zip of pictures; it is none, or it is damaged") from error


def chosen(members: list[zipfile.ZipInfo]) -> list[zipfile.ZipInfo]:
    """Pictures and captions. Folders, and what systems put beside files, are passed over."""
    if len(members) > MOST_MEMBERS:
        raise BadArchive(f"has {len(members)} members; at most {MOST_MEMBERS} are taken")
    for each in members:
        check_member(each)
    kept = [each for each in members if not each.is_dir() and not is_systems(each)]
    names = [each.filename for each in kept]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise BadArchive(f"has {twice[:80]!r} twice")
    if odd := next((each.filename for each in kept if kind(each) not in PICTURES | CAPTIONS), None):
        raise BadArchive(f"has {odd[:80]!r}; pictures ({', '.join(sorted(PICTURES))}) and .txt beside them are taken")
    count = sum(kind(each) in PICTURES for each in kept)
    if not 1 <= count <= MOST_PICTURES:
        raise BadArchive(f"has {count} pictures; 1 to {MOST_PICTURES} are taken")
    if sum(each.file_size for each in kept) > MOST_BYTES:
        raise BadArchive(f"would be more than {MOST_BYTES} bytes unpacked")
    return kept


def check_member(member: zipfile.ZipInfo) -> None:
    """Raises BadArchive for a name that leads elsewhere, and for what is no plain file."""
    name, mode = member.filename, member.external_attr >> 16
    path = PurePosixPath(name)
    if len(name) > LONGEST_NAME or path.is_absolute() or ".." in path.parts or set(name) & set("\\:") or odd(name):
        raise BadArchive(f"has the name {name[:80]!r}, which leads out of it or cannot be a file's")
    if S_ISLNK(mode) or (S_IFMT(mode) and not member.is_dir() and S_IFMT(mode) != 0o100000):
        raise BadArchive(f"has {name[:80]!r}, which is a link or no file")
    if member.flag_bits & 1:
        raise BadArchive(f"has {name[:80]!r} encrypted")
    if member.compress_type not in PLAIN:
        raise BadArchive(f"has {name[:80]!r} packed in a way that is not taken; deflate is")
    if member.file_size > MOST_RATIO * max(member.compress_size, 1024):
        raise BadArchive(f"has {name[:80]!r}, which would grow {MOST_RATIO} times or more")


def odd(name: str) -> bool:
    return any(ord(letter) < 32 or ord(letter) == 127 for letter in name)


def is_systems(member: zipfile.ZipInfo) -> bool:
    parts = PurePosixPath(member.filename).parts
    return "__MACOSX" in parts or parts[-1].startswith(".") or parts[-1] in ("Thumbs.db", "desktop.ini")


def kind(member: zipfile.ZipInfo) -> str:
    return PurePosixPath(member.filename).suffix.lower()


def unpacked(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """As many bytes as the directory says, whatever the stream holds."""
    with archive.open(member) as stream:
        data = stream.read(member.file_size + 1)
    if len(data) != member.file_size:
        raise BadArchive(f"has {member.filename[:80]!r} larger or smaller than it says")
    return data
