"""What a file that the renderer made of others says of them, read by C2PA's own reader."""

import datetime
import io
import json
import subprocess
from pathlib import Path
from typing import Any

import c2pa
import msgspec
import numpy as np
import pytest
from PIL import Image
from test_studio import Bench

from mutoscope.engines import studio
from mutoscope.engines.engine import OpenedInput
from mutoscope.engines.local.senses import PEOPLE, made_by
from mutoscope.engines.script import clip, tone
from mutoscope.engines.studio import MEDIA_TYPES, Studio
from mutoscope.files import c2pa as credentials
from mutoscope.files.c2pa import Identity, Making, Signer, issued, read
from mutoscope.files.probe import MediaInfo
from mutoscope.model.job import Operation, Role

NOW = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)
MUSIC = frozenset({Operation.MUSIC_EXTENSION, Operation.MUSIC_JOIN})
WORDS = frozenset({Operation.IMAGE_TO_TEXT, Operation.SPEECH_TO_TEXT})
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"><path d="M0 0h8v8z"/></svg>'


@pytest.fixture
def signer(monkeypatch: pytest.MonkeyPatch) -> Signer:
    """Whose child works in this process: what a child is, and that it may fail, is tested elsewhere."""

    def run(_: Any, **asked: Any) -> "subprocess.CompletedProcess[str]":
        order = msgspec.json.decode(asked["input"])
        algorithm, certificate, key = order["identity"]
        bearing = {name: (kind, Path(path)) for name, (kind, path) in order["bearing"].items()}
        with Path(order["source"]).open("rb") as source, Path(order["target"]).open("w+b") as target:
            identity = Identity(algorithm, certificate.encode(), key.encode())
            credentials.write(identity, order["statement"], order["media_type"], source, target, bearing)
        return subprocess.CompletedProcess((), 0)

    monkeypatch.setattr(credentials.subprocess, "run", run)
    certificate, key = issued(NOW)
    return Signer(Identity("es256", certificate, key), clock=lambda: NOW)


def sample(suffix: str) -> bytes:
    if suffix == ".svg":
        return SVG
    if suffix == ".mp4":
        return clip(160, 96, 12, 6, (64, 128, 192))
    if suffix == ".wav":
        return tone(0.5)
    if suffix == ".mp3":
        return (b"\xff\xfb\x90\x00" + bytes(413)) * 9  # frames of silence
    file = io.BytesIO()
    Image.fromarray(np.random.default_rng(1).integers(0, 256, (64, 96, 3), np.uint8)).save(
        file, suffix[1:].replace("jpg", "jpeg")
    )
    return file.getvalue()


def given(signer: Signer, folder: Path, role: Role, name: str, *, signs: bool = True) -> OpenedInput:
    """A file that came in, with a statement of its own where it `signs`."""
    suffix = {Role.VIDEO: ".mp4", Role.AUDIO: ".wav"}.get(role, ".png")
    path = folder / f"{name}{suffix}"
    content = sample(suffix)
    if signs:
        content = signer.sign(content, MEDIA_TYPES[suffix], Making(used=(name,)), engine="studio")
    assert isinstance(content, bytes)
    path.write_bytes(content)
    kind = MEDIA_TYPES[suffix]
    info = MediaInfo(kind=kind.partition("/")[0], media_type=kind, bytes=len(content))  # pyright: ignore[reportArgumentType]
    return OpenedInput(role=role, field=role.value, path=path, info=info)


async def made_of(
    signer: Signer, folder: Path, operation: Operation, inputs: tuple[OpenedInput, ...], suffix: str, **more: Any
) -> Path:
    """A file with the statement that the engine makes of it."""
    run = Bench(folder, inputs, operation=operation)
    out = folder / f"made{suffix}"
    out.write_bytes(sample(suffix))
    await studio.keep(run, {"path": str(out), "used": ["sea"], "ignored": []}, version="7", **more)
    [making] = run.makings
    assert isinstance(making, Making)
    signed = signer.sign(out, MEDIA_TYPES[suffix], making, engine="studio")
    assert isinstance(signed, Path)
    return signed


def report_of(path: Path) -> Any:
    with path.open("rb") as file, c2pa.Reader(MEDIA_TYPES[path.suffix], file) as reader:
        return json.loads(reader.json())


def actions_of(report: Any) -> list[Any]:
    assertions = report["manifests"][report["active_manifest"]]["assertions"]
    [actions] = [each["data"]["actions"] for each in assertions if each["label"] == "c2pa.actions.v2"]
    return actions


def suffixes_of(operation: Operation) -> tuple[str, ...]:
    if operation in MUSIC:
        return ".mp3", ".wav"
    if operation is Operation.VECTORIZATION:
        return (".svg",)
    clips = (Operation.TEXT_TO_VIDEO, Operation.IMAGE_TO_VIDEO, Operation.VIDEO_EXTENSION)
    return (".mp4",) if operation in clips else (".png", ".jpg", ".webp")


async def test_what_is_made_of_something_opens_it_keeps_its_statement_and_never_calls_the_whole_created(
    signer: Signer, tmp_path: Path
):
    """Every operation that takes a file, with each file that it takes alone, with all of them, two of each list."""
    one = {role: given(signer, tmp_path, role, f"{role}-1") for role in Role}
    two = {role: given(signer, tmp_path, role, f"{role}-2") for role in (Role.IMAGE, Role.REFERENCE, Role.AUDIO)}
    own = {each.path: report_of(each.path)["active_manifest"] for each in (*one.values(), *two.values())}
    tried = 0
    for operation, fields in Studio.supported_fields.items():
        roles = [role for role in Role if role in fields]
        if not roles or operation in WORDS:
            continue
        every = tuple(group[role] for role in roles for group in (one, two) if role in group)
        for inputs in (*((one[role],) for role in roles if role is not Role.MASK), every):
            for suffix in suffixes_of(operation)[: None if inputs == every else 1]:
                case = f"{operation}: {', '.join(each.path.name for each in inputs)}"
                report = report_of(await made_of(signer, tmp_path, operation, inputs, suffix))
                assert report["validation_state"] == "Valid", (case, report["validation_status"])
                assert {each["code"] for each in report["validation_status"]} == {"signingCredential.untrusted"}, case
                newest = report["manifests"][report["active_manifest"]]
                opened, edited, *placed = actions_of(report)
                assert (opened["action"], edited["action"]) == ("c2pa.opened", "c2pa.edited"), case
                assert [each["action"] for each in placed] == ["c2pa.placed"] * (len(inputs) - 1), case
                assert edited["digitalSourceType"].endswith("/composite"), case
                found = newest["ingredients"]
                assert sorted(each["relationship"] for each in found) == sorted(
                    ["parentOf"] + ["componentOf"] * (len(inputs) - 1)
                ), case
                assert {each["active_manifest"] for each in found} == {own[each.path] for each in inputs}, case
                assert {own[each.path] for each in inputs} <= set(report["manifests"]), case
                tried += 1
    assert tried > 30


async def test_what_the_work_begins_with_is_the_parent_and_what_was_ignored_is_not_named(
    signer: Signer, tmp_path: Path
):
    roles = (Role.REFERENCE, Role.MASK, Role.AUDIO, Role.LAST_FRAME, Role.FIRST_FRAME, Role.VIDEO)
    inputs = tuple(given(signer, tmp_path, role, role.value, signs=False) for role in roles)
    for operation, suffix, parent, others in (
        (Operation.VIDEO_EXTENSION, ".mp4", "video", ["audio", "last_frame"]),
        (Operation.IMAGE_TO_VIDEO, ".mp4", "video", ["audio", "first_frame", "last_frame"]),
        (Operation.TEXT_TO_VIDEO, ".mp4", "audio", []),
        (Operation.IMAGE_INPAINT, ".png", "first_frame", ["mask"]),
        (Operation.IMAGE_BLEND, ".png", "first_frame", ["reference"]),
        (Operation.FINETUNE, ".png", "reference", []),
    ):
        report = report_of(await made_of(signer, tmp_path, operation, inputs, suffix))
        found = report["manifests"][report["active_manifest"]]["ingredients"]
        assert [each["title"] for each in found if each["relationship"] == "parentOf"] == [parent], operation
        assert sorted(each["title"] for each in found if each["relationship"] == "componentOf") == others, operation
    report = report_of(await made_of(signer, tmp_path, Operation.TEXT_TO_IMAGE, inputs, ".png"))
    assert [each["action"] for each in actions_of(report)] == ["c2pa.created"]


async def test_a_trained_model_that_helped_is_named_in_the_statement(signer: Signer, tmp_path: Path):
    image = given(signer, tmp_path, Role.IMAGE, "image")
    path = await made_of(signer, tmp_path, Operation.BACKGROUND_REMOVAL, (image,), ".png", helped=(made_by(PEOPLE),))
    statement = read(path, "image/png")
    assert statement and statement.helped == (made_by(PEOPLE),)
    assert statement.source_type == "composite" and statement.made_of[0].startswith("image (with credentials by ")
