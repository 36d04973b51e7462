"""Zips of pictures, as strangers send them."""

import io
import stat
import zipfile
from collections.abc import Callable

import pytest

from mutoscope.wirekit import archive
from mutoscope.wirekit.archive import BadArchive, pictures_in


def zipped(*members: tuple[str, bytes], change: Callable[[zipfile.ZipInfo], None] | None = None) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in members:
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            if change:
                change(info)
            made.writestr(info, data)
    return file.getvalue()


def test_pictures_are_read_and_what_lies_beside_them_is_passed_over() -> None:
    data = zipped(
        ("set/", b""), ("set/a.png", b"one"), ("set/a.txt", b"a hat"), ("set/B.JPG", b"two"), (".DS_Store", b"x"),
        ("__MACOSX/set/a.png", b"x"),
    )  # fmt: skip
    assert pictures_in(data) == ([("set/a.png", b"one"), ("set/B.JPG", b"two")], 1)


def linked(info: zipfile.ZipInfo) -> None:
    info.external_attr = (stat.S_IFLNK | 0o777) << 16


def test_what_a_stranger_may_have_put_together_is_refused() -> None:
    """Bombs, paths, counts, names, links."""
    good = zipped(("a.png", b"picture" * 100))
    for data, told in (
        (b"", "is none"),
        (b"no zip at all", "is none"),
        (good[:-30], "is none"),
        (good.replace(b"a.png", b"a.exe"), "'a.exe'"),
        (zipped(("../a.png", b"x")), "leads out"),
        (zipped(("/etc/a.png", b"x")), "leads out"),
        (zipped(("c:\\a.png", b"x")), "leads out"),
        (zipped(("a\n.png", b"x")), "leads out"),
        (zipped(("n" * 300 + ".png", b"x")), "leads out"),
        (zipped(("a.png", b"/etc/passwd"), change=linked), "a link"),
        (zipped(("a.png", bytes(50_000_000))), "would grow"),
        (zipped(("a.txt", b"words only")), "0 pictures"),
        (zipped(*((f"{number}.png", b"x") for number in range(101))), "101 pictures"),
        (zipped(*((f"{number}.txt", b"x") for number in range(501))), "501 members"),
    ):
        with pytest.raises(BadArchive, match=told):
            pictures_in(data)


def test_no_more_is_unpacked_than_the_directory_says(monkeypatch: pytest.MonkeyPatch) -> None:
    data = bytearray(zipped(("a.png", b"picture" * 1000)))
    size = data.rindex(b"PK\x01\x02") + 24
    data[size : size + 4] = (100).to_bytes(4, "little")
    with pytest.raises(BadArchive, match="damaged"):
        pictures_in(bytes(data))
    monkeypatch.setattr(archive, "MOST_BYTES", 10)
    with pytest.raises(BadArchive, match="more than 10 bytes"):
        pictures_in(zipped(("a.png", b"picture" * 2)))
