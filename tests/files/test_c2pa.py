"""Content credentials: what is stated, that an alteration shows, whose key it is, and when nothing is signed."""

import asyncio
import datetime
import io
import json
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import c2pa
import numpy as np
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from PIL import Image
from structlog.testing import CapturingLogger

from mutoscope.background import worker
from mutoscope.engines import EngineRun, Local
from mutoscope.engines.script import Script, clip, tone
from mutoscope.files import c2pa as credentials
from mutoscope.files.c2pa import (
    CERTIFICATE,
    KEY,
    Making,
    Signer,
    Source,
    Unsigned,
    Verdict,
    issued,
    key_usage,
    make_identity,
    pem,
    pkcs8,
    read,
    signer,
    unfinished,
)
from mutoscope.model.config import BadSettings
from mutoscope.model.config import Credentials as Settings
from mutoscope.model.job import Output, State
from mutoscope.model.problem import Unavailable, as_unavailable
from mutoscope.wirekit.ids import from_uuid4_form
from mutoscope.wires import BY_NAME
from small_disk import fill, small_disk

IMAGE = "/v1/ai/text-to-image/runway"
SCRIPTED = {"models": {"gen4_image": {"engine": "script"}}}
NOW = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)
MADE = Making(version="7", used=("pan left",), ignored=("cat", "dög"))
SUFFIX = {"image/png": ".png", "image/jpeg": ".jpg", "video/mp4": ".mp4", "audio/wav": ".wav"}
Start = Callable[..., Any]


def sample(media_type: str) -> bytes:
    if media_type == "video/mp4":
        return clip(160, 96, 12, 6, (64, 128, 192))
    if media_type == "audio/wav":
        return tone(0.5)
    file = io.BytesIO()
    noise = np.random.default_rng(1).integers(0, 256, (96, 160, 3), np.uint8)
    Image.fromarray(noise).save(file, "PNG" if media_type == "image/png" else "JPEG")
    return file.getvalue()


def own(folder: Path) -> Signer:
    made = signer(Settings(), folder, clock=lambda: NOW)
    assert made is not None
    return made


def signed(folder: Path, media_type: str) -> Path:
    """A sample file with credentials, on disk."""
    data = own(folder / "identity").sign(sample(media_type), media_type, MADE, engine="studio")
    assert isinstance(data, bytes)
    path = folder / f"sample{SUFFIX[media_type]}"
    path.write_bytes(data)
    return path


def flipped(path: Path, at: int) -> Path:
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("media_type", SUFFIX)
def test_c2pas_own_reader_finds_nothing_wrong_but_a_signer_that_it_does_not_know(media_type: str, tmp_path: Path):
    path = signed(tmp_path, media_type)
    with path.open("rb") as file, c2pa.Reader(media_type, file) as reader:
        report = json.loads(reader.json())
    assert report["validation_state"] == "Valid"
    assert [each["code"] for each in report["validation_status"]] == ["signingCredential.untrusted"]
    assertions = report["manifests"][report["active_manifest"]]["assertions"]
    [assertion] = [each for each in assertions if each["label"] == "c2pa.actions.v2"]
    [action] = assertion["data"]["actions"]
    assert action == {
        "action": "c2pa.created",
        "when": "2026-01-02T03:04:05Z",
        "digitalSourceType": "http://cv.iptc.org/newscodes/digitalsourcetype/algorithmicMedia",
        "softwareAgent": {"name": "mutoscope studio", "version": "7"},
        "parameters": {"mutoscope.used": ["pan left"], "mutoscope.ignored": ["cat", "dög"]},
    }


@pytest.mark.parametrize("media_type", SUFFIX)
def test_what_was_stated_is_read_back_and_the_signer_is_known_by_its_certificate(media_type: str, tmp_path: Path):
    path = signed(tmp_path, media_type)
    stranger, friend = read(path, media_type), read(path, media_type, anchors=[tmp_path / "identity" / CERTIFICATE])
    assert stranger and friend
    assert (stranger.verdict, friend.verdict) == (Verdict.UNTRUSTED, Verdict.VALID)
    assert (friend.engine, friend.version, friend.source_type) == ("mutoscope studio", "7", "algorithmicMedia")
    assert (friend.used, friend.ignored) == (MADE.used, MADE.ignored)
    assert friend.time == "2026-01-02T03:04:05Z"
    assert friend.generator and friend.generator.startswith("mutoscope ")
    assert friend.signer and friend.signer.endswith("(mutoscope)")


@pytest.mark.parametrize("media_type", SUFFIX)
def test_a_flipped_bit_of_the_media_shows(media_type: str, tmp_path: Path):
    path = signed(tmp_path, media_type)
    statement = read(flipped(path, path.stat().st_size - 40), media_type)
    assert statement and statement.verdict is Verdict.ALTERED


@pytest.mark.parametrize("words", [b"pan left", b"algorithmicMedia", b"mutoscope studio", b"c2pa.signature"])
def test_a_flipped_bit_of_the_statement_shows(words: bytes, tmp_path: Path):
    path = signed(tmp_path, "image/png")
    statement = read(flipped(path, path.read_bytes().index(words)), "image/png")
    assert statement and statement.verdict is Verdict.ALTERED


def test_a_cut_file_was_altered_where_it_had_a_statement_and_is_no_claim_where_it_had_none(tmp_path: Path):
    path = signed(tmp_path, "video/mp4")
    path.write_bytes(path.read_bytes()[:5000])
    statement = read(path, "video/mp4")
    assert statement and statement.verdict is Verdict.ALTERED
    path.write_bytes(sample("video/mp4")[:1000])
    assert read(path, "video/mp4") is None


def test_a_file_without_a_statement_has_none(tmp_path: Path):
    path = tmp_path / "plain.jpg"
    path.write_bytes(sample("image/jpeg"))
    assert read(path, "image/jpeg") is None


def test_signing_changes_no_pixel_and_leaves_the_index_of_a_video_in_front(tmp_path: Path):
    with Image.open(signed(tmp_path, "image/png")) as picture:
        assert picture.tobytes() == Image.open(io.BytesIO(sample("image/png"))).tobytes()
    path = signed(tmp_path, "video/mp4")
    content = path.read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")
    with av.open(str(path)) as container:
        assert len(list(container.decode(video=0))) == 6


def test_a_path_gets_its_signed_twin_beside_it(tmp_path: Path):
    path = tmp_path / "made-0.png"
    path.write_bytes(sample("image/png"))
    twin = own(tmp_path / "identity").sign(path, "image/png", MADE, engine="studio")
    assert isinstance(twin, Path)
    assert twin.parent == tmp_path and read(path, "image/png") is None
    statement = read(twin, "image/png")
    assert statement and statement.verdict is Verdict.UNTRUSTED


# -- what went into it -----------------------------------------------------------------------


def made_from(folder: Path, *, picture: Path, last: Path | None = None, audio: Path | None = None) -> Path:
    """A clip that begins with a picture, signed."""
    film = folder / "clip.mp4"
    film.write_bytes(sample("video/mp4"))
    placed = [Source(path=str(last), media_type="image/png", title="last_frame")] if last else []
    placed += [Source(path=str(audio), media_type="audio/wav", title="audio")] if audio else []
    begun = Source(path=str(picture), media_type="image/png", title="first_frame")
    making = Making(version="7", used=("pan left",), begun_with=begun, placed=tuple(placed))
    path = own(folder / "identity").sign(film, "video/mp4", making, engine="studio")
    assert isinstance(path, Path)
    return path


def report_of(path: Path) -> Any:
    with path.open("rb") as file, c2pa.Reader("video/mp4", file) as reader:
        return json.loads(reader.json())


def unsigned(folder: Path) -> Path:
    path = folder / "unsigned.png"
    path.write_bytes(sample("image/png"))
    return path


def test_a_clip_of_a_signed_picture_carries_the_picture_s_statement_and_says_what_was_done(tmp_path: Path):
    picture = signed(tmp_path, "image/png")
    path = made_from(tmp_path, picture=picture, last=unsigned(tmp_path))
    report = report_of(path)
    newest = report["manifests"][report["active_manifest"]]
    assert report["validation_state"] == "Valid"
    first, last = sorted(newest["ingredients"], key=lambda each: each["title"])
    assert (first["title"], first["relationship"]) == ("first_frame", "parentOf")
    assert (last["title"], last["relationship"], last.get("active_manifest")) == ("last_frame", "componentOf", None)
    with picture.open("rb") as file, c2pa.Reader("image/png", file) as reader:
        assert first["active_manifest"] == json.loads(reader.json())["active_manifest"]
    assert first["active_manifest"] in report["manifests"]
    [assertion] = [each for each in newest["assertions"] if each["label"] == "c2pa.actions.v2"]
    opened, edited, placed = assertion["data"]["actions"]
    assert [each["action"] for each in (opened, edited, placed)] == ["c2pa.opened", "c2pa.edited", "c2pa.placed"]
    assert edited["digitalSourceType"].endswith("/composite")
    assert edited["softwareAgent"] == {"name": "mutoscope studio", "version": "7"}
    assert edited["parameters"]["mutoscope.used"] == ["pan left"]
    assert len(opened["parameters"]["ingredients"]) == len(placed["parameters"]["ingredients"]) == 1


def test_what_a_clip_was_made_of_is_read_back(tmp_path: Path):
    path = made_from(tmp_path, picture=signed(tmp_path, "image/png"), audio=signed(tmp_path, "audio/wav"))
    statement = read(path, "video/mp4", anchors=[tmp_path / "identity" / CERTIFICATE])
    assert statement and (statement.verdict, statement.action) == (Verdict.VALID, "c2pa.edited")
    assert (statement.engine, statement.source_type) == ("mutoscope studio", "composite")
    first, audio = statement.made_of
    assert first.startswith("first_frame (with credentials by mutoscope ") and audio.startswith("audio (with cred")


def test_an_altered_picture_s_statement_goes_along_with_what_is_wrong_with_it(tmp_path: Path):
    picture = signed(tmp_path, "image/png")
    path = made_from(tmp_path, picture=flipped(picture, picture.stat().st_size - 100))
    report = report_of(path)
    [first] = report["manifests"][report["active_manifest"]]["ingredients"]
    failures = first["validation_results"]["activeManifest"]["failure"]
    assert "assertion.dataHash.mismatch" in {each["code"] for each in failures}


def test_a_picture_without_a_statement_is_named_and_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(subprocess, "run", None)  # no child is asked
    statement = read(made_from(tmp_path, picture=unsigned(tmp_path)), "video/mp4")
    assert statement and (statement.action, statement.made_of) == ("c2pa.edited", ("first_frame",))


@pytest.mark.parametrize("content", [b"jumdc2", b"\x89PNG\r\n\x1a\n" + b"jumdc2 c2pa.claim" * 99])
def test_a_statement_that_cannot_be_read_costs_no_signature(content: bytes, tmp_path: Path):
    (tmp_path / "bad.png").write_bytes(content)
    statement = read(made_from(tmp_path, picture=tmp_path / "bad.png"), "video/mp4")
    assert statement and (statement.verdict, statement.made_of) == (Verdict.UNTRUSTED, ("first_frame",))


def test_where_reading_a_statement_takes_too_long_the_file_is_signed_without_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(credentials, "CHILD_SECONDS", 0.001)
    statement = read(made_from(tmp_path, picture=signed(tmp_path, "image/png")), "video/mp4")
    assert statement and statement.made_of == ("first_frame",)


def test_a_mark_is_found_wherever_it_lies(tmp_path: Path):
    path = tmp_path / "file"
    for at in (0, credentials.PART - 3, 2 * credentials.PART - 6, 3 * credentials.PART):
        path.write_bytes(bytes(at) + b"c2pa.claim" + bytes(9))
        assert credentials.bears_statement(path)
    path.write_bytes(b"c2pa" * 300_000)
    assert not credentials.bears_statement(path)


def test_generate_hands_a_picture_s_statement_on(tmp_path: Path):
    """By the renderer, in a process of its own: the whole way."""
    picture = signed(tmp_path, "image/png")
    words = ("generate", "pan left", "--image", str(picture), "--size", "160x96", "--seconds", "0.5", "-o", "o.mp4")
    command = [sys.executable, "-m", "mutoscope", *words]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    statement = read(tmp_path / "o.mp4", "video/mp4")
    assert statement and (statement.engine, statement.action) == ("mutoscope studio", "c2pa.edited")
    assert statement.made_of[0].startswith("first_frame (with credentials by mutoscope ")


def test_a_trained_model_is_said_to_be_one(tmp_path: Path):
    data = own(tmp_path / "identity").sign(sample("image/png"), "image/png", Making(trained=True), engine="diffusers")
    assert isinstance(data, bytes)
    (tmp_path / "x.png").write_bytes(data)
    statement = read(tmp_path / "x.png", "image/png")
    assert statement and statement.source_type == "trainedAlgorithmicMedia"


def test_a_kind_of_file_that_cannot_carry_a_statement_is_refused_by_name(tmp_path: Path):
    with pytest.raises(Unsigned, match="application/json files cannot carry them"):
        own(tmp_path / "identity").sign(b"{}", "application/json", MADE, engine="script")


# -- who signs ---------------------------------------------------------------------------


def test_the_key_is_made_once_and_its_owner_alone_can_read_it(tmp_path: Path):
    folder = tmp_path / "identity"
    first, second = own(folder).identity, own(folder).identity
    assert first == second
    assert (folder.stat().st_mode & 0o777, (folder / KEY).stat().st_mode & 0o777) == (0o700, 0o600)
    assert [each.name for each in tmp_path.iterdir()] == ["identity"]


def test_of_two_that_make_the_key_at_once_one_wins(tmp_path: Path):
    folder = tmp_path / "identity"
    make_identity(folder, NOW)
    before = (folder / KEY).read_bytes()
    make_identity(folder, NOW)
    assert (folder / KEY).read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["identity"]


def operators(folder: Path, private: Any) -> Settings:
    """Files as an operator has them: a certificate of theirs with its authority's, and its key."""
    from cryptography import x509
    from cryptography.x509.oid import ExtendedKeyUsageOID

    authority = ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.now(datetime.UTC)
    root = (
        unfinished("Studio Root", "Studio Root", now)
        .public_key(authority.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(key_usage(key_cert_sign=True), critical=True)
        .sign(authority, hashes.SHA256())
    )
    leaf = (
        unfinished("Studio Ltd", "Studio Root", now)
        .public_key(private.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(key_usage(digital_signature=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key()), critical=False)
        .sign(authority, hashes.SHA256())
    )
    folder.mkdir()
    (folder / "chain.pem").write_bytes(pem(leaf) + pem(root))
    (folder / "key.pem").write_bytes(pkcs8(private))
    return Settings(certificate=str(folder / "chain.pem"), key=str(folder / "key.pem"))


@pytest.mark.parametrize(
    "make",
    [
        lambda: ec.generate_private_key(ec.SECP384R1()),
        ed25519.Ed25519PrivateKey.generate,
        lambda: rsa.generate_private_key(65537, 2048),
    ],
    ids=["ECDSA", "Ed25519", "RSA"],
)
def test_an_operators_certificate_signs_instead_of_ours(make: Callable[[], Any], tmp_path: Path):
    settings = operators(tmp_path / "operator", make())
    who = signer(settings, tmp_path / "identity")
    assert who is not None
    data = who.sign(sample("image/png"), "image/png", MADE, engine="studio")
    assert isinstance(data, bytes)
    (tmp_path / "x.png").write_bytes(data)
    statement = read(tmp_path / "x.png", "image/png", anchors=[Path(settings.certificate)])
    assert statement and statement.verdict is Verdict.VALID
    assert statement.signer == "Studio Ltd (mutoscope)"
    assert not (tmp_path / "identity").exists()


def test_a_certificate_and_a_key_that_do_not_belong_together_are_refused_at_the_start(tmp_path: Path):
    settings = operators(tmp_path / "operator", ec.generate_private_key(ec.SECP256R1()))
    _, other = issued(NOW)
    Path(settings.key).write_bytes(other)
    with pytest.raises(BadSettings, match="is not the key of the first certificate"):
        signer(settings, tmp_path / "identity")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (Settings(key="/nowhere/key.pem"), "go together"),
        (Settings(certificate="/nowhere/chain.pem", key="/nowhere/key.pem"), r"/nowhere/chain\.pem: .*No such file"),
    ],
)
def test_half_of_a_pair_and_files_that_are_not_there_are_refused_at_the_start(
    settings: Settings, message: str, tmp_path: Path
):
    with pytest.raises(BadSettings, match=message):
        signer(settings, tmp_path / "identity")


# -- a job, from the request to the file ----------------------------------------------------


async def finished(running: Any, prompt: str) -> Any:
    answer = await running.client.post(IMAGE, json={"prompt": prompt, "ratio": "720:720"})
    assert answer.status_code == 200, answer.text
    return await running.finished(from_uuid4_form(answer.json()["data"]["task_id"]))


async def shown(running: Any, job: Any) -> Any:
    return await running.client.get(f"{IMAGE}/{BY_NAME['freepik'].public_id(job.id)}")


async def fetched(running: Any, job: Any, folder: Path) -> Path:
    [link] = (await shown(running, job)).json()["data"]["generated"]
    path = folder / "fetched.png"
    path.write_bytes((await running.client.get(link)).content)
    return path


def behind(folder: Path, *, required: bool) -> Signer:
    """Whose clock was put right, to a month before the certificate that was made at first start."""
    make_identity(folder, NOW)
    made = signer(
        Settings(enabled=True if required else "auto"), folder, clock=lambda: NOW - datetime.timedelta(days=30)
    )
    assert made is not None
    return made


@pytest.mark.parametrize("days", [-30, 365 * 30])
def test_a_clock_outside_the_certificate_s_time_signs_nothing(days: int, tmp_path: Path):
    make_identity(tmp_path / "identity", NOW)
    who = signer(Settings(), tmp_path / "identity", clock=lambda: NOW + datetime.timedelta(days=days))
    assert who is not None
    with pytest.raises(Unsigned, match=r"clock says .* (behind|past) the certificate, which (is|was) good"):
        who.sign(sample("image/png"), "image/png", MADE, engine="studio")


def test_where_signatures_are_required_they_wait_for_the_clock(tmp_path: Path):
    with pytest.raises(Unavailable, match="clock"):
        behind(tmp_path / "identity", required=True).sign(sample("image/png"), "image/png", MADE, engine="studio")


def test_where_signatures_are_required_a_certificate_of_the_past_is_refused_at_the_start(tmp_path: Path):
    make_identity(tmp_path / "identity", NOW)
    with pytest.raises(BadSettings, match="the certificate was good until 2045"):
        signer(Settings(enabled=True), tmp_path / "identity", clock=lambda: NOW + datetime.timedelta(days=365 * 30))


async def test_a_job_says_that_the_clock_kept_it_from_being_signed(start: Start, tmp_path: Path):
    async with start(**SCRIPTED) as running:
        running.app.worker.signer = behind(tmp_path / "identity", required=False)
        job = await finished(running, "anything")
        path = await fetched(running, job, tmp_path)
    assert read(path, "image/png") is None
    [note] = job.notes
    assert note.startswith(
        "no content credentials: the server's clock says 2025-12-03 03:04 UTC and is behind the cert"
    )


async def test_a_job_that_must_be_signed_waits_for_the_clock(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(worker, "HINDERED_SECONDS", 0.05)
    async with start(**SCRIPTED) as running:
        running.app.worker.signer = who = behind(tmp_path / "identity", required=True)
        asyncio.get_running_loop().call_later(0.3, setattr, who, "clock", lambda: NOW)
        job = await finished(running, "anything")
        path = await fetched(running, job, tmp_path)
    assert job.state is State.SUCCEEDED and job.notes == ()
    assert read(path, "image/png", anchors=[tmp_path / "identity" / CERTIFICATE])


async def test_the_file_of_a_job_says_what_the_job_and_its_answer_say(start: Start, tmp_path: Path):
    async with start() as running:
        job = await finished(running, "a lake at dawn with a griffonage")
        path = await fetched(running, job, tmp_path)
        answer = await shown(running, job)
        statement = read(path, "image/png", anchors=[running.app.home.credentials / CERTIFICATE])
    assert statement and statement.verdict is Verdict.VALID
    assert statement.engine == "mutoscope studio"
    assert "lake" in statement.used and "griffonage" in statement.ignored
    told = f"studio used: {', '.join(statement.used)}; ignored: {', '.join(statement.ignored)}"
    assert told in job.notes
    assert told in answer.headers["x-mutoscope-notes"]
    assert answer.headers["x-mutoscope-engine"] == "studio"
    assert job.outputs[0].bytes == path.stat().st_size


async def test_what_the_scripted_engine_makes_is_marked_like_the_rest(start: Start, tmp_path: Path):
    async with start(**SCRIPTED) as running:
        path = await fetched(running, await finished(running, "anything"), tmp_path)
    statement = read(path, "image/png")
    assert statement and (statement.engine, statement.action) == ("mutoscope script", "c2pa.created")


async def test_nothing_is_signed_and_no_key_made_where_it_is_switched_off(start: Start, tmp_path: Path):
    async with start(**SCRIPTED, credentials={"enabled": False}) as running:
        job = await finished(running, "anything")
        assert read(await fetched(running, job, tmp_path), "image/png") is None
        assert not running.app.home.credentials.exists()
        assert job.notes == ()


async def test_a_signature_that_fails_costs_neither_the_file_nor_the_truth(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    log = CapturingLogger()
    monkeypatch.setattr("mutoscope.background.worker.log", log)
    make_identity(tmp_path / "data" / "credentials", NOW)
    (tmp_path / "data" / "credentials" / KEY).write_text("no key")
    async with start(**SCRIPTED) as running:
        job = await finished(running, "anything")
        path = await fetched(running, job, tmp_path)
    assert job.state is State.SUCCEEDED
    assert job.notes == ("no content credentials: this file could not be signed; the server's log has the details",)
    with Image.open(path) as picture:
        assert picture.size == (720, 720)
    [call] = [each for each in log.calls if each.method_name == "warning"]
    assert call.args == ("unsigned",) and call.kwargs["job"] == job.id


class Courier(Local):
    """An engine that hands over what somebody else made."""

    name, slots, supported_fields = "script", 1, Script.supported_fields

    def __init__(self, parcel: bytes) -> None:
        self.parcel = parcel

    async def generate(self, run: EngineRun) -> tuple[Output, ...]:
        return (await run.keep(self.parcel, media_type="image/png", made=False),)


async def test_a_vendors_file_is_kept_byte_for_byte(start: Start, tmp_path: Path):
    theirs = signed(tmp_path, "image/png").read_bytes()
    async with start(**SCRIPTED) as running:
        running.app.worker.engines["script"] = Courier(theirs)
        path = await fetched(running, await finished(running, "anything"), tmp_path)
    assert path.read_bytes() == theirs


async def test_signing_leaves_the_loop_to_others(tmp_path: Path, start: Start):
    """A signature that takes its time, beside a clock that must go on ticking."""
    async with start(**SCRIPTED) as running:
        ticks = 0

        def slow(source: bytes, *_: object, **__: object) -> bytes:
            begun, deadline = ticks, time.monotonic() + 5
            while ticks < begun + 3:
                time.sleep(0.001)
                assert time.monotonic() < deadline
            return source

        running.app.worker.signer.sign = slow
        job = asyncio.create_task(finished(running, "anything"))
        while not job.done():
            ticks += 1
            await asyncio.sleep(0.01)
        assert (await job).state is State.SUCCEEDED


BLOCKED = """
import asyncio, sys
sys.modules["c2pa"] = sys.modules["cryptography"] = None  # as if they were not installed
from pathlib import Path
from mutoscope.app import App
from mutoscope.cli.generate import WIRE
from mutoscope.model.config import BadSettings, Credentials, Settings
from mutoscope.model.job import Generation, Operation
from mutoscope.model.requests import Submission

async def main(folder):
    wish = Generation(operation=Operation.TEXT_TO_IMAGE, model="gen4_image", prompt="x", width=64, height=64)
    async with App(Settings(), data=folder, rehearsal=True).running() as app:
        job = await app.gateway.submit(WIRE, "", Submission(generation=wish))
        async for job in app.gateway.watch(job.id):
            pass
        print(job.state, job.notes, app.home.credentials.exists())
    try:
        App(Settings(credentials=Credentials(enabled=True)), data=folder)
    except BadSettings as error:
        print(error)

asyncio.run(main(Path(sys.argv[1])))
"""


@pytest.mark.parametrize("media_type", ["image/png", "video/mp4"])
@pytest.mark.parametrize("room", [0, 4096, 20480])
def test_a_full_disk_is_no_reason_to_leave_a_file_unsigned(media_type: str, room: int, tmp_path: Path):
    """It hinders, so that the job is tried again when there is space."""
    signs = own(tmp_path / "identity")
    with small_disk(tmp_path / "disk", 1 << 20) as disk:
        source = disk / f"made{SUFFIX[media_type]}"
        source.write_bytes(sample(media_type))
        ballast = fill(disk, leave=room)
        try:
            target = signs.sign(source, media_type, MADE, engine="studio")
        except OSError as error:
            assert as_unavailable(error) is not None
            ballast.unlink()
            target = signs.sign(source, media_type, MADE, engine="studio")
        assert isinstance(target, Path)
        told = read(target, media_type)
        assert told is not None
        assert told.verdict is Verdict.UNTRUSTED


def test_without_the_extra_files_are_made_unsigned_unless_the_settings_insist(tmp_path: Path):
    command = [sys.executable, "-c", textwrap.dedent(BLOCKED), str(tmp_path)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stderr
    lines = ended.stdout.splitlines()
    assert "succeeded () False" in lines
    assert lines[-1].startswith("[credentials] asks for signed files, and c2pa is not installed: pip install")
