"""The command line: what it prints, how it exits, and that it works beside a running server or without one."""

import asyncio
import contextlib
import io
import json
import os
import shlex
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import av
import httpx
import msgspec
import pytest
from PIL import Image
from rich.progress import Progress

from mutoscope import __version__
from mutoscope.cli import VERBS, jobs, main
from mutoscope.cli._failure import Stop
from mutoscope.cli.generate import in_private
from mutoscope.cli.serve import refuse_open_door
from mutoscope.files.data_dir import Home
from mutoscope.model.config import Settings, load
from mutoscope.model.job import Delivery, Generation, Job, Operation, State
from mutoscope.model.requests import Upload
from mutoscope.service.keys import digest, pair_secret
from mutoscope.store import SqliteStore, make_store
from mutoscope.wirekit.ids import uuid4_form
from mutoscope.wires import ROWS
from postgres_server import server

HEAVY = ("aiohttp", "av", "cv2", "numpy", "uvicorn", "obstore", "starlette", "sqlite3", "msgspec")
START_SECONDS = 20.0


class Ended:
    """How a command ended and what it said."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Run a command in this process, in a directory without a configuration file."""
    monkeypatch.chdir(tmp_path)

    def call(*words: str | Path) -> Ended:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([str(word) for word in words])
        said = capsys.readouterr()
        return Ended(int(ended.value.code or 0), said.out, said.err)

    return call


def command(*words: str | Path) -> list[str]:
    return [sys.executable, "-m", "mutoscope", *map(str, words)]


def run_apart(*words: str | Path, cwd: Path) -> Ended:
    """Run a command in a process of its own."""
    done = subprocess.run(command(*words), capture_output=True, text=True, timeout=60, cwd=cwd, env=environment())
    return Ended(done.returncode, done.stdout, done.stderr)


def environment() -> dict[str, str]:
    source = Path(__file__).parent.parent.parent / "src"
    return os.environ | {"PYTHONPATH": str(source), "COLUMNS": "200"}


class Serving:
    def __init__(self, process: subprocess.Popen[bytes], log: Path, data: Path) -> None:
        self.process, self.log, self.data = process, log, data

    @property
    def said(self) -> str:
        return self.log.read_text()

    @property
    def url(self) -> str:
        return self.said.split("serves on ", 1)[1].split()[0]

    def stop(self, *signals: signal.Signals) -> int:
        for each in signals:
            self.process.send_signal(each)
            time.sleep(0.3)
        return self.process.wait(20)


@contextlib.contextmanager
def served(folder: Path, *words: str) -> Generator[Serving]:
    """`mutoscope serve` on a free port, with its data in the folder."""
    log, data = folder / "serve.log", folder / "data"
    with log.open("w") as file:
        process = subprocess.Popen(
            command("serve", "--port", "0", "--data", data, *words),
            stdout=file, stderr=subprocess.STDOUT, cwd=folder, env=environment(),
        )  # fmt: skip
    serving = Serving(process, log, data)
    try:
        deadline = time.monotonic() + START_SECONDS
        while "Try it" not in serving.said:
            assert process.poll() is None and time.monotonic() < deadline, serving.said
            time.sleep(0.05)
        yield serving
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def rehearsing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A server whose jobs do what their prompts say; shared by the tests of this file."""
    with served(tmp_path_factory.mktemp("rehearsing"), "--rehearse") as serving:
        yield serving


PICTURES = "/v1/ai/text-to-image/runway"


def submit(serving: Serving, prompt: str) -> str:
    answer = httpx.post(serving.url + PICTURES, json={"prompt": prompt, "ratio": "1920:1080"}, trust_env=False)
    return answer.raise_for_status().json()["data"]["task_id"]


# -- the whole -------------------------------------------------------------------


def test_help_names_every_verb_and_imports_none_of_them():
    script = "import sys\nfrom mutoscope.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass\n"
    script += "print('loaded:', *sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment())
    assert done.returncode == 0
    for verb in VERBS:
        assert verb in done.stdout
    loaded = done.stderr.partition("loaded:")[2].split()
    assert "mutoscope.cli" in loaded
    assert not set(HEAVY) & set(loaded)


def test_the_version_is_printed(run: Any):
    ended = run("--version")
    assert (ended.code, ended.out) == (0, f"{__version__}\n")


@pytest.mark.parametrize(
    "words", [("nope",), ("serve", "--prot", "1"), ("jobs", "list", "--limit", "many"), ("jobs", "list", "-n", "0")]
)
def test_a_mistyped_command_is_one_line_and_exit_code_2(run: Any, words: tuple[str, ...]):
    ended = run(*words)
    assert ended.code == 2
    assert ended.err.startswith("mutoscope: ") and ended.err.count("\n") == 1


def test_a_key_is_printed_with_the_section_that_admits_it(run: Any, tmp_path: Path):
    rights = ("--wire", "runway", "--model", "gen4_turbo", "--max-daily", "0", "--expires", "30d", "--admin")
    ended = run("keys", "create", 'al"ice', *rights, "--toml")
    file = tmp_path / "mutoscope.toml"
    file.write_text(ended.out)
    [key] = load(file, {}).keys
    fresh = next(line.strip() for line in ended.err.splitlines() if line.strip().startswith("msk_"))
    assert (key.name, key.sha256) == ('al"ice', digest(fresh))
    assert (key.wires, key.models, key.max_daily, key.admin) == (("runway",), ("gen4_turbo",), 0, True)
    assert key.expires is not None and 29 < (key.expires.timestamp() - time.time()) / 86400 < 31


def test_a_key_is_shown_once_and_listed_without_its_secret(run: Any, tmp_path: Path):
    data = ("--data", tmp_path / "data")
    made = run("keys", "create", "ci", "--engine", "script", "--max-queued", "5", *data)
    secret = made.out.strip()
    assert made.code == 0 and secret.startswith("msk_") and secret not in made.err
    [listed] = run("keys", "list", "--json", *data).json
    assert (listed["name"], listed["state"], listed["engines"], listed["max_queued"]) == ("ci", "valid", ["script"], 5)
    assert secret.startswith(listed["prefix"]) and len(listed["prefix"]) < 10
    shown = run("keys", "list", *data).out
    assert "ci" in shown and secret not in shown and digest(secret) not in shown
    for file in (tmp_path / "data").iterdir():
        assert secret.encode() not in file.read_bytes()
        assert not file.stat().st_mode & 0o077
    fresh = run("keys", "rotate", listed["id"], "--grace", "1h", *data)
    assert fresh.out.strip().startswith("msk_") and fresh.out.strip() != secret
    assert run("keys", "revoke", listed["id"], *data).code == 0
    states = {each["id"]: each["state"] for each in run("keys", "list", "--json", *data).json}
    assert states.pop(listed["id"]) == "revoked" and list(states.values()) == ["valid"]


def test_a_store_that_is_no_file_has_its_keys_listed_and_its_files_looked_for(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    url = server().of(tmp_path)
    monkeypatch.setenv("MUTOSCOPE_STORE_URL", url)
    data = ("--data", tmp_path / "data")
    assert run("keys", "create", "ci", *data).code == 0
    assert [each["name"] for each in run("keys", "list", "--json", *data).json] == ["ci"]
    until = time.time() + 60
    upload = Upload(
        id="u", wire="runway", owner="ci", media_type="image/png", name="a", min_bytes=0, max_bytes=9,
        created=0.0, slot_expires=until, expires=until, asset=f"{'0' * 64}.png", bytes=1,
    )  # fmt: skip

    async def keep() -> None:
        store = make_store(url, tmp_path / "none")
        await store.open()
        await store.add_uploads([upload])
        await store.close()

    asyncio.run(keep())
    (tmp_path / "mutoscope.toml").write_text("[server]\nport = 0\n")
    [found] = [each for each in run("doctor", "--files", "--json", *data).json if each["what"] == "files"]
    assert "not there: 000" in found["found"]


def test_a_pair_is_printed_by_its_names_and_its_secret_is_not_kept(run: Any, tmp_path: Path):
    data = ("--data", tmp_path / "data")
    made = run("keys", "create", "ci", "--pair", *data)
    access, secret = (line.partition(": ")[2] for line in made.out.strip().splitlines())
    assert made.out.startswith("AccessKey: mak_") and "\nSecretKey: msk_" in made.out
    assert secret == pair_secret(Home(tmp_path / "data").link_secret(), access)
    [listed] = run("keys", "list", "--json", *data).json
    assert (listed["state"], listed["prefix"]) == ("valid", access[:8])
    for file in (tmp_path / "data").iterdir():
        assert secret.encode() not in file.read_bytes()
    fresh = run("keys", "rotate", listed["id"], "--pair", *data).out
    assert fresh.startswith("AccessKey: mak_") and access not in fresh
    section = run("keys", "create", "ci", "--pair", "--toml", *data)
    secret = next(line.split()[1] for line in section.err.splitlines() if "SecretKey" in line)
    assert f'sha256 = "{digest(secret)}"' in section.out


def test_a_key_in_the_store_opens_other_addresses_than_loopback_revoked_or_not(run: Any, tmp_path: Path):
    data = tmp_path / "data"
    settings = msgspec.convert({"server": {"host": "0.0.0.0", "data": str(data)}}, Settings)
    with pytest.raises(Stop, match="mutoscope keys create"):
        refuse_open_door(settings)
    assert not data.exists()
    run("keys", "create", "ci", "--data", data)
    refuse_open_door(settings)
    [key] = run("keys", "list", "--json", "--data", data).json
    run("keys", "revoke", key["id"], "--data", data)
    refuse_open_door(settings)  # all it does is ask for a key that nobody has


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("create", "ci", "--wire", "nobody"), "freepik"),
        (("create", "ci", "--model", "gen9"), "gen4_turbo"),
        (("create", "ci", "--engine", "gpu"), "studio"),
        (("create", "ci", "--expires", "soon"), "30d"),
        (("create", "ci", "--max-daily", "-1"), "--max-daily"),
        (("create", ""), "name"),
        (("create", "ci", "--webhook", "nowhere"), "webhook"),
        (("revoke", "key_0"), "no jobs yet"),
    ],
)
def test_a_key_that_cannot_be_is_not_made(run: Any, tmp_path: Path, words: tuple[str, ...], told: str):
    ended = run("keys", *words, "--data", tmp_path / "data")
    assert ended.code in (1, 2) and told in ended.err and ended.err.count("\n") == 1
    assert not (tmp_path / "data").exists()


def test_models_lists_every_row_with_what_the_settings_change(run: Any, tmp_path: Path):
    (tmp_path / "mutoscope.toml").write_text('[models."gen4_turbo"]\nengine = "script"\nmax_daily = 7\n')
    shown = run("models").out
    assert all(row.name in shown for row in ROWS)
    assert "image-to-video/runway-gen4-turbo" in shown
    told = {each["name"]: each for each in run("models", "--json").json}
    assert len(told) == len(ROWS)
    assert (told["gen4_turbo"]["engines"], told["gen4_turbo"]["max_daily"]) == (["script"], 7)
    assert told["gen4.5"]["engines"] == ["studio"]


def test_settings_for_a_model_that_does_not_exist_are_refused(run: Any, tmp_path: Path):
    (tmp_path / "mutoscope.toml").write_text('[models."gen9"]\nengine = "script"\n')
    ended = run("models")
    assert ended.code == 2 and "gen9" in ended.err and "gen4_turbo" in ended.err


# -- doctor ------------------------------------------------------------------------


def test_doctor_finds_this_machine_fit(run: Any, tmp_path: Path):
    (tmp_path / "mutoscope.toml").write_text("[server]\nport = 0\n")
    ended = run("doctor", "--data", tmp_path / "data", "--json")
    assert ended.code == 0
    found = {each["what"]: each for each in ended.json}
    assert "libx264" in found["H.264"]["found"]
    assert found["settings"]["found"].endswith("mutoscope.toml")
    assert "opened in a child" in found["input files"]["found"]
    assert "made in a child" in found["renders"]["found"]
    assert float(found["fsync"]["found"].split()[0]) >= 0
    assert not (tmp_path / "data").exists()


def test_doctor_reads_the_files_where_it_is_asked_to(run: Any, tmp_path: Path):
    (tmp_path / "mutoscope.toml").write_text("[server]\nport = 0\n")
    folder = tmp_path / "data" / "assets" / "00"
    folder.mkdir(parents=True)
    (folder / f"{'0' * 64}.png").write_bytes(b"x")
    ended = run("doctor", "--files", "--data", tmp_path / "data", "--json")
    [found] = [each for each in ended.json if each["what"] == "files"]
    assert ended.code == 1 and "0 are as they were stored; damaged: 000" in found["found"]
    assert "--files" not in run("doctor", "--data", tmp_path / "data").out


def test_doctor_says_what_is_broken_and_what_to_do(run: Any, tmp_path: Path):
    file = tmp_path / "mutoscope.toml"
    file.write_text("[server]\nprot = 0\n")
    ended = run("doctor")
    assert ended.code == 1 and "broken" in ended.out and "prot" in ended.out and "→" in ended.out
    file.write_text("[server]\nhost = '0.0.0.0'\nport = 0\n")
    ended = run("doctor", "--data", tmp_path / "data")
    assert ended.code == 1 and "mutoscope keys create" in ended.out


def test_doctor_tells_a_server_of_ours_from_a_stranger_on_the_port(run: Any, rehearsing: Serving, tmp_path: Path):
    port = rehearsing.url.rpartition(":")[2]
    (tmp_path / "mutoscope.toml").write_text(f"[server]\nport = {port}\n")
    ended = run("doctor", "--data", tmp_path / "data")
    assert ended.code == 0 and f"answers on 127.0.0.1, port {port}: ok" in ended.out
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        (tmp_path / "mutoscope.toml").write_text(f"[server]\nport = {stranger.getsockname()[1]}\n")
        stranger.listen(1)
        ended = run_apart("doctor", "--data", tmp_path / "data", cwd=tmp_path)
    assert ended.code == 1 and "cannot be listened on" in ended.out


# -- jobs and webhooks, without a server ----------------------------------------------


def stored(data: Path) -> Job:
    """A data directory with a failed job whose webhook was tried once in vain."""
    data.mkdir()
    job = Job(
        id="01999999-1111-7222-8333-444444444444",
        wire="freepik",
        route="text-to-image/runway",
        owner="",
        generation=Generation(
            operation=Operation.TEXT_TO_IMAGE, model="gen4_image", prompt="[red]a[/red] lake", width=64, height=64
        ),
        body=b'{"prompt": "a lake"}',
        engine="script",
        webhook="http://receiver.example/hook",
        created=1_790_000_000.0,
    )

    async def fill() -> None:
        store = SqliteStore(data / "mutoscope.db")
        await store.open()
        await store.add(job)
        await store.claim(
            engine="script", worker="w", lease_seconds=30, limit=1, now=1_790_000_001.0,
            pending_delivery=lambda job: Delivery(
                id="msg_1", job=job.id, url=job.webhook or "", event="running", body=b'{"a": 1}'
            ),
        )  # fmt: skip
        await store.record_attempt(
            "msg_1", at=1_790_000_002.0, status=None, error="refused", ms=3, delivered=False, next_due=None
        )
        await store.close()

    asyncio.run(fill())
    return job


@pytest.fixture
def future(tmp_path: Path) -> Path:
    """A data directory that a newer mutoscope has used."""
    data = tmp_path / "data"
    data.mkdir()
    with contextlib.closing(sqlite3.connect(data / "mutoscope.db")) as db:
        db.execute("PRAGMA user_version = 999")
    return data


@pytest.mark.parametrize(
    "words",
    [("serve", "--port", "0"), ("jobs", "list"), ("keys", "list"), ("webhooks", "list"), ("usage",), ("sweep",)],
)
def test_a_store_from_the_future_is_told_in_one_line(run: Any, future: Path, words: tuple[str, ...]):
    ended = run(*words, "--data", future)
    assert ended.code == 1 and "used by a newer mutoscope" in ended.err
    assert ended.err.count("\n") == 1 and ended.out == ""


def test_a_store_that_is_none_is_told_in_one_line(run: Any, tmp_path: Path):
    (tmp_path / "mutoscope.db").write_bytes(b"no database" * 999)
    ended = run("serve", "--port", "0", "--data", tmp_path)
    assert ended.code == 1 and "cannot be read" in ended.err and ended.err.count("\n") == 1


def test_the_doctor_tells_of_a_store_from_the_future(run: Any, future: Path):
    ended = run("doctor", "--data", future)
    assert ended.code == 1 and "used by a newer mutoscope" in ended.out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("keys", "create", "n", "--budget", "inf"), "--budget"),
        (("keys", "create", "n", "--requests-per-second", "nan"), "--requests-per-second"),
        (("keys", "create", "n", "--max-daily", "1.5"), "--max-daily"),
        (("keys", "create", "n", "--expires", "9999999w"), "--expires"),
        (("jobs", "wait", "x", "--timeout", "nan"), "--timeout"),
        (("serve", "--port", "80.5"), "--port"),
        (("usage", "--until", "9999-12-31"), "--until"),
        (("usage", "--since", "0001-01-01"), "--since"),
        (("generate", "caf\udce9"), "the argument"),
        (("generate", "x", "--negative-prompt", "caf\udce9"), "--negative-prompt: "),
        (("generate", "x", "--negative-prompt=caf\udce9"), "--negative-prompt: "),
        (("keys", "create", "caf\udce9"), "name should be"),
    ],
)
def test_what_a_shell_can_pass_and_nothing_can_mean_is_told_with_its_option(
    run: Any, tmp_path: Path, words: tuple[str, ...], told: str
):
    data = () if words[0] == "generate" else ("--data", tmp_path)
    ended = run(*words, *data)
    assert ended.code == 2 and told in ended.err and ended.err.count("\n") == 1, ended.err


def test_a_terminal_of_another_encoding_shows_what_it_can(tmp_path: Path):
    words = ("generate", "a café", "--engine", "script")
    done = subprocess.run(
        command(*words), capture_output=True, cwd=tmp_path, env=environment() | {"PYTHONIOENCODING": "ascii"}
    )
    assert done.returncode == 0 and b"a-caf?.png" in done.stdout, done.stderr
    assert (tmp_path / "a-café.png").exists()


def test_json_is_whole_in_any_encoding(tmp_path: Path):
    (tmp_path / "mutoscope.toml").write_text('[[keys]]\nname = "café"\nsha256 = "' + "0" * 64 + '"\n')
    words = ("keys", "list", "--json", "--data", tmp_path)
    done = subprocess.run(
        command(*words), capture_output=True, cwd=tmp_path, env=environment() | {"PYTHONIOENCODING": "ascii"}
    )
    assert json.loads(done.stdout)[0]["name"] == "café"


def test_without_data_there_is_nothing_to_list_and_nothing_is_made(run: Any, tmp_path: Path):
    ended = run("jobs", "list", "--data", tmp_path / "none")
    assert ended.code == 1 and "holds no jobs yet" in ended.err
    assert not (tmp_path / "none").exists()


def test_a_jobs_story_is_shown_for_our_id_and_for_the_vendors(run: Any, tmp_path: Path):
    job = stored(tmp_path / "data")
    listed = run("jobs", "list", "--data", tmp_path / "data")
    assert listed.code == 0 and job.id in listed.out and "[red]a[/red] lake" in listed.out
    for id in (job.id, job.id.upper(), uuid4_form(job.id)):
        shown = run("jobs", "show", id, "--data", tmp_path / "data")
        assert shown.code == 0, shown.err
        for part in (job.id, uuid4_form(job.id), "running", "gen4_image", "64x64", "msg_1", "refused", "given up"):
            assert part in shown.out
    assert run("jobs", "show", "nonsense", "--data", tmp_path / "data").code == 1


def test_the_story_is_there_as_json(run: Any, tmp_path: Path):
    job = stored(tmp_path / "data")
    told = run("jobs", "show", job.id, "--data", tmp_path / "data", "--json").json
    assert told["state"] == "running" and told["body"] == '{"prompt": "a lake"}' and told["attempts"] == 1
    assert told["public_id"] == uuid4_form(job.id)
    [delivery] = told["deliveries"]
    assert delivery["id"] == "msg_1" and delivery["body"] == '{"a": 1}' and delivery["tries"][0]["error"] == "refused"
    [row] = run("jobs", "list", "--data", tmp_path / "data", "--json").json
    assert row["id"] == job.id


def test_jobs_are_listed_by_state(run: Any, tmp_path: Path):
    job = stored(tmp_path / "data")
    assert job.id in run("jobs", "list", "--state", "running", "--data", tmp_path / "data").out
    ended = run("jobs", "list", "--state", "failed", "--data", tmp_path / "data")
    assert (ended.code, ended.out) == (0, "")


def test_a_job_is_canceled_once(run: Any, tmp_path: Path):
    job = stored(tmp_path / "data")
    assert run("jobs", "cancel", uuid4_form(job.id), "--data", tmp_path / "data").code == 0
    ended = run("jobs", "cancel", job.id, "--data", tmp_path / "data")
    assert ended.code == 1 and "canceled" in ended.err
    told = run("jobs", "show", job.id, "--data", tmp_path / "data", "--json").json
    assert told["state"] == State.CANCELED.value


def test_waiting_ends_with_the_time_that_was_given(run: Any, tmp_path: Path):
    job = stored(tmp_path / "data")
    ended = run("jobs", "wait", job.id, "--timeout", "0", "--data", tmp_path / "data")
    assert ended.code == 1 and "still running" in ended.err


def test_a_message_that_was_given_up_is_replayed(run: Any, tmp_path: Path):
    stored(tmp_path / "data")
    assert "given up" in run("webhooks", "list", "--data", tmp_path / "data").out
    assert "msg_1" not in run("webhooks", "list", "--pending", "--data", tmp_path / "data").out
    assert run("webhooks", "replay", "msg_1", "--data", tmp_path / "data").code == 0
    [pending] = run("webhooks", "list", "--pending", "--data", tmp_path / "data", "--json").json
    assert pending["id"] == "msg_1"
    shown = run("webhooks", "show", "msg_1", "--data", tmp_path / "data").out
    assert '{"a": 1}' in shown and "refused" in shown and "pending" in shown
    assert run("webhooks", "replay", "msg_2", "--data", tmp_path / "data").code == 1


def test_the_webhook_secret_is_the_configured_one_or_the_directorys_own(run: Any, tmp_path: Path):
    first = run("webhooks", "secret", "--data", tmp_path / "data").out
    assert first.startswith("whsec_") and run("webhooks", "secret", "--data", tmp_path / "data").out == first
    (tmp_path / "mutoscope.toml").write_text('[webhooks]\nsecret = "whsec_bXV0b3Njb3BlbXV0b3Njb3Bl"\n')
    assert run("webhooks", "secret").out == "whsec_bXV0b3Njb3BlbXV0b3Njb3Bl\n"


# -- serve --------------------------------------------------------------------------


def test_the_line_that_serve_prints_works_when_it_is_pasted(rehearsing: Serving):
    assert "REHEARSAL" in rehearsing.said
    line = next(line for line in rehearsing.said.splitlines() if line.strip().startswith("curl"))
    words = shlex.split(line)
    assert words[:2] == ["curl", "-s"]
    header, body = words[words.index("-H") + 1], words[words.index("-d") + 1]
    answer = httpx.post(words[2], content=body, headers=dict([header.split(": ", 1)]), trust_env=False)
    assert answer.status_code == 200 and answer.json()["data"]["status"] == "CREATED"


def test_serve_says_where_everything_is(rehearsing: Serving):
    for part in ("freepik", f"RUNWAYML_BASE_URL={rehearsing.url}", str(rehearsing.data), "webhook-secret", "/docs"):
        assert part in rehearsing.said


def test_a_second_server_is_refused_the_data_directory(rehearsing: Serving, tmp_path: Path):
    ended = run_apart("serve", "--port", "0", "--data", rehearsing.data, cwd=tmp_path)
    assert ended.code == 2
    assert ended.err.startswith("mutoscope: ") and ended.err.count("\n") == 1 and "--data" in ended.err


def test_a_port_in_use_is_told_in_one_line(run: Any, rehearsing: Serving, tmp_path: Path):
    port = rehearsing.url.rpartition(":")[2]
    ended = run("serve", "--port", port, "--data", tmp_path / "data")
    assert ended.code == 2 and port in ended.err and ended.err.count("\n") == 1
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--host", "0.0.0.0"), "mutoscope keys create"),
        (("--host", "::"), "mutoscope keys create"),
        (("--port", "70000"), "0 to 65535"),
        (("--public-url", "media.example"), "--public-url"),
        (("--config", "missing.toml"), "missing.toml"),
        (("--host", "no.such.host.invalid"), "mutoscope keys create"),
    ],
)
def test_what_serve_cannot_do_is_refused_in_one_line(run: Any, tmp_path: Path, words: tuple[str, ...], told: str):
    ended = run("serve", *words, "--data", tmp_path / "data")
    assert ended.code == 2 and told in ended.err and ended.err.count("\n") == 1
    assert not (tmp_path / "data").exists()


def test_a_running_servers_job_is_canceled_from_beside(run: Any, rehearsing: Serving):
    task = submit(rehearsing, "hang")
    assert run("jobs", "cancel", task, "--data", rehearsing.data).code == 0
    answer = httpx.get(f"{rehearsing.url}{PICTURES}/{task}", trust_env=False)
    deadline = time.monotonic() + 5
    while answer.json()["data"]["status"] != "FAILED" and time.monotonic() < deadline:
        time.sleep(0.1)
        answer = httpx.get(f"{rehearsing.url}{PICTURES}/{task}", trust_env=False)
    assert "canceled" in answer.json()["data"]["error"]


def test_waiting_tells_by_its_exit_code_how_a_job_ended(run: Any, rehearsing: Serving):
    good, bad = submit(rehearsing, "sleep 0.4"), submit(rehearsing, "fail refused not today")
    ended = run("jobs", "wait", good, "--timeout", "20", "--data", rehearsing.data)
    assert ended.code == 0 and "1920x1080" in ended.out and "assets" in ended.out
    ended = run("jobs", "wait", bad, "--timeout", "20", "--data", rehearsing.data)
    assert ended.code == 1 and "not today" in ended.out


def test_a_signal_stops_gracefully_and_running_jobs_end_first(tmp_path: Path, run: Any):
    with served(tmp_path, "--rehearse") as serving, httpx.Client(trust_env=False) as client:
        assert client.get(f"{serving.url}/healthz").status_code == 200  # this connection stays open, idle
        task = submit(serving, "sleep 1")
        time.sleep(0.3)
        began = time.monotonic()
        assert serving.stop(signal.SIGTERM) == 0, serving.said
        assert time.monotonic() - began < 5
        assert "Traceback" not in serving.said
    assert run("jobs", "show", task, "--data", serving.data, "--json").json["state"] == "succeeded"


def test_a_second_signal_stops_at_once_and_the_job_is_not_lost(tmp_path: Path, run: Any):
    with served(tmp_path, "--rehearse") as serving:
        task = submit(serving, "sleep 60")
        time.sleep(0.3)
        began = time.monotonic()
        assert serving.stop(signal.SIGINT, signal.SIGINT) == 128 + signal.SIGINT
        assert time.monotonic() - began < 3
    assert run("jobs", "show", task, "--data", serving.data, "--json").json["state"] in ("running", "queued")


def test_a_closed_terminal_stops_a_server_gracefully(tmp_path: Path):
    with served(tmp_path, "--rehearse") as serving:
        assert serving.stop(signal.SIGHUP) == 0
        assert "Stopping" in serving.said


# -- generate ---------------------------------------------------------------------------


def test_generate_writes_a_picture_of_the_size_that_was_asked_for(tmp_path: Path):
    ended = run_apart("generate", "a quiet lake", "--size", "640x360", "--seed", "3", cwd=tmp_path)
    assert ended.code == 0, ended.err
    assert "a-quiet-lake.png" in ended.out and "640x360" in ended.out and "studio" in ended.out
    with Image.open(tmp_path / "a-quiet-lake.png") as image:
        assert (image.format, image.size) == ("PNG", (640, 360))


def test_generate_moves_a_picture(tmp_path: Path, picture: bytes):
    (tmp_path / "in.png").write_bytes(picture)
    words = ("--image", "in.png", "--size", "320x180", "--seconds", "1", "--fps", "12", "--out", "out.mp4")
    ended = run_apart("generate", "pan left", *words, cwd=tmp_path)
    assert ended.code == 0, ended.err
    with av.open(str(tmp_path / "out.mp4")) as container:
        stream = container.streams.video[0]
        frames = sum(1 for _ in container.decode(stream))
        assert (stream.width, stream.height, frames) == (320, 180, 12)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--image", "nowhere.png"), "no file nowhere.png"),
        (("--size", "big"), "--size"),
        (("--model", "gen9"), "There is no model 'gen9'"),
        (("--out", "x.mp4"), "x.png"),
        (("--out", "nowhere/x.png"), "no directory"),
        (("--seconds", "nan"), "--seconds"),
        (("--seconds", "-inf"), "--seconds"),
        (("--fps", "29.97"), "--fps: a whole number is wanted here; '29.97' is none"),
        (("--seed", "1.5"), "--seed"),
    ],
)
def test_what_generate_is_asked_wrongly_is_told_in_one_line(
    run: Any, tmp_path: Path, words: tuple[str, ...], told: str
):
    ended = run("generate", "a lake", *words)
    assert ended.code == 2 and told in ended.err, ended.err
    assert ended.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("words", "told"), [(("--seconds", "99"), "--seconds: "), (("--engine", "nobody"), "nobody")])
def test_what_the_gateway_refuses_is_told_with_the_name_of_the_option(
    tmp_path: Path, words: tuple[str, ...], told: str
):
    ended = run_apart("generate", "a lake", *words, cwd=tmp_path)
    assert ended.code == 2 and told in ended.err and ended.err.count("\n") == 1, ended.err


def test_generate_writes_into_a_directory_and_spares_what_is_there(run: Any, tmp_path: Path):
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "a-lake.png").write_text("older")
    done = run("generate", "a lake", "--engine", "script", "-o", "made")
    assert done.code == 0, done.err
    assert sorted(each.name for each in (tmp_path / "made").iterdir()) == ["a-lake-2.png", "a-lake.png"]
    assert (tmp_path / "made" / "a-lake.png").read_text() == "older"


def test_generate_reads_and_writes_pipes(tmp_path: Path):
    words = ("generate", "--engine", "script", "--size", "320x180")
    done = subprocess.run(
        command(*words, "-o", "-"),
        input=b"a quiet lake\n",
        capture_output=True,
        timeout=60,
        cwd=tmp_path,
        env=environment(),
    )
    assert done.returncode == 0 and Image.open(io.BytesIO(done.stdout)).size == (320, 180), done.stderr
    assert b"%" not in done.stderr and b"\x1b" not in done.stderr, "no line is redrawn where nobody looks"
    assert list(tmp_path.iterdir()) == []


def test_generate_tells_a_program_what_it_made(run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    done = run(
        "generate", "a lake", "--engine", "script", "--size", "320x180", "--seed", "3", "--json", "-o", "made.png"
    )
    assert done.json["files"] == [
        {
            "path": "made.png",
            "media_type": "image/png",
            "bytes": (tmp_path / "made.png").stat().st_size,
            "width": 320,
            "height": 180,
        }
    ]
    assert (done.json["engine"], done.json["seed"], done.json["model"]) == ("script", 3, "gen4_image")
    assert "choose one" in run("generate", "a lake", "--json", "-o", "-").err
    monkeypatch.setattr("sys.stdin", io.StringIO(" "))
    nothing = run("generate", "--engine", "script")
    assert nothing.code == 2 and "PROMPT is missing" in nothing.err


def test_the_line_of_a_running_job_says_how_long_it_still_takes():
    progress = Progress(jobs.Left())
    progress.add_task("gen4.5", total=1.0, completed=0.25, state="running")
    progress.add_task("gen4.5", total=None, state="queued")
    known, unknown = progress.tasks
    known.start_time, known._get_time = 0.0, lambda: 5.0
    assert str(jobs.Left().render(known)) == "25%, 15 s left"
    assert str(jobs.Left().render(unknown)) == ""


def test_a_reader_that_has_read_enough_is_no_failure(tmp_path: Path):
    line = f"{shlex.join(command('models', '--json'))} | true"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", line],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=tmp_path,
        env=environment(),
    )
    assert (done.returncode, done.stderr) == (128 + signal.SIGPIPE, "")


def test_jobs_are_watched_as_they_go(run: Any, rehearsing: Serving, tmp_path: Path):
    task = submit(rehearsing, "hang")
    words = command("jobs", "watch", "--json", "--data", rehearsing.data)
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=tmp_path, env=environment()) as watching:
        assert watching.stdout is not None
        seen: list[str] = []
        for line in watching.stdout:
            job = json.loads(line)
            seen += [job["state"]] if job["public_id"] == task else []
            if seen == ["running"]:
                assert run("jobs", "cancel", task, "--data", rehearsing.data).code == 0
            if "canceled" in seen:
                break
        watching.send_signal(signal.SIGINT)
        assert watching.wait(20) == 128 + signal.SIGINT
    assert [each for each in seen if each != "queued"] == ["running", "canceled"]


def test_where_nothing_can_be_written_is_told_before_the_work(run: Any, tmp_path: Path):
    (tmp_path / "made").mkdir(mode=0o500)
    if os.access(tmp_path / "made", os.W_OK):
        pytest.skip("whoever may write everywhere, as root may, cannot see this")
    assert "--out" in run("generate", "a lake", "--engine", "script", "-o", "made").err


def test_generate_takes_no_worse_a_place_than_any_other_program(tmp_path: Path):
    assert in_private(load(None, {"MUTOSCOPE_SERVER_DATA": str(tmp_path)})).studio.niceness == 0


def generating(tmp_path: Path, *, ignoring: signal.Signals | None = None) -> subprocess.Popen[str]:
    """`mutoscope generate` in the middle of a long job, with what it keeps meanwhile in `tmp_path`."""
    process = subprocess.Popen(
        command("generate", "sleep 60", "--engine", "script"),
        env=environment() | {"TMPDIR": str(tmp_path)}, cwd=tmp_path,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=(lambda: signal.signal(ignoring, signal.SIG_IGN) and None) if ignoring else None,
    )  # fmt: skip
    deadline = time.monotonic() + START_SECONDS
    while not list(tmp_path.glob("mutoscope-*/mutoscope.db")):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(0.3)
    return process


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_ends_generate_and_leaves_nothing_behind(number: signal.Signals, tmp_path: Path):
    process = generating(tmp_path)
    process.send_signal(number)
    _, told = process.communicate(timeout=20)
    assert process.returncode == 128 + number
    assert list(tmp_path.iterdir()) == [] and "Traceback" not in told


def test_a_signal_ends_generate_where_a_shell_has_it_ignore_the_keyboard(tmp_path: Path):
    process = generating(tmp_path, ignoring=signal.SIGINT)
    process.send_signal(signal.SIGTERM)
    _, told = process.communicate(timeout=20)
    assert process.returncode == 128 + signal.SIGTERM
    assert list(tmp_path.iterdir()) == [] and "Traceback" not in told


def test_a_closed_terminal_does_not_end_what_nohup_started(tmp_path: Path):
    process = generating(tmp_path, ignoring=signal.SIGHUP)
    process.send_signal(signal.SIGHUP)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.5)
    process.terminate()
    process.communicate(timeout=20)
    assert list(tmp_path.iterdir()) == []


def test_a_generation_that_fails_says_why(tmp_path: Path):
    ended = run_apart("generate", "fail refused not today", "--engine", "script", cwd=tmp_path)
    assert ended.code == 1 and ended.err == "mutoscope: not today\n"


def test_generate_spends_no_money_even_where_a_vendors_key_lies_about(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("RUNWAYML_API_SECRET", "key_1")
    (tmp_path / "mutoscope.toml").write_text('[models."gen4_image"]\nengines = ["runway", "script"]\n')
    done = run("generate", "a lake", "--size", "720x720", "-o", "lake.png")
    assert done.code == 0, done.err
    assert "made by script" in done.out
