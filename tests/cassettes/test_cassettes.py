"""What a vendor answered is recorded, and played in its place: to the byte, and with nobody at the other end."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tapes import ENDLESS, KEY, QUICK, SECRETS, Vendor, chat, gateway, replaying, second_mutoscope

from mutoscope.cassettes import recorder
from mutoscope.cassettes.folder import load
from mutoscope.cli import main
from mutoscope.cli.cassettes import diff
from mutoscope.engines.relay import Relay
from mutoscope.engines.studio import Studio
from mutoscope.model.config import BadSettings
from mutoscope.model.job import State
from mutoscope.model.problem import Kind
from mutoscope.service.keys import digest
from mutoscope.wirekit.ids import from_uuid4_form
from small_disk import fill, small_disk


def named(tapes: Path, **asked: Any) -> list[Path]:
    """Recordings in which this was asked, in their order."""
    found = [load(path.parent) for path in tapes.glob("[!.]*/cassette.toml")]
    found = [each for each in found if asked.items() <= each.asked.items()]
    return [each.folder for each in sorted(found, key=lambda each: each.label.recorded)]


def changed(path: Path, before: str, after: str) -> None:
    text = path.read_text()
    assert before in text, text
    path.write_text(text.replace(before, after))


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A session at a vendor, and what came of it."""
    folder = tmp_path_factory.mktemp("recorded")

    async def session() -> dict[str, Any]:
        vendor, told = Vendor(), dict[str, Any]()
        async with (
            vendor.running() as url,
            gateway(folder / "data", url, cassettes={"record": str(folder / "tapes")}) as it,
        ):
            told["lakes"] = [await it.made("a lake", webhook_url=f"{url}/hook"), await it.made("a lake")]
            told["busy"] = await it.made("busy")
            told["refusals"] = [await it.failed("refuse"), await it.failed("bad")]
            told["said"] = [(await it.say("hello")).content for _ in range(2)]
            told["stream"] = (await it.say("tell", stream=True)).content
            told["torn"] = (await it.say("torn", stream=True)).content
            told["crowded"] = (await it.say("crowded")).content
            async with asyncio.timeout(60):
                while len(vendor.hooks) < 2:
                    await asyncio.sleep(0.02)
            told["hooks"] = [json.loads(each) for each in vendor.hooks]
        return told

    return folder / "tapes", asyncio.run(session())


@pytest.fixture
def tapes(recorded: tuple[Path, dict[str, Any]], tmp_path: Path) -> Path:
    """A copy to be edited."""
    return shutil.copytree(recorded[0], tmp_path / "tapes")


async def test_what_was_recorded_is_played_to_the_byte_with_nobody_at_the_other_end(
    recorded: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    tapes, told = recorded
    vendor = Vendor()  # of which only the webhooks are wanted
    async with vendor.running() as url, replaying(tmp_path / "b", tapes) as it:
        assert [await it.made("a lake", webhook_url=f"{url}/hook"), await it.made("a lake")] == told["lakes"]
        assert told["lakes"][0] != told["lakes"][1] == await it.made("a lake"), "the last one is played again"
        assert await it.made("busy") == told["busy"]
        assert [await it.failed("refuse"), await it.failed("bad")] == told["refusals"]
        assert [(await it.say("hello", user="another")).content for _ in range(2)] == told["said"]
        answer = await it.say("crowded")
        assert (answer.status_code, answer.content, answer.headers["retry-after"]) == (429, told["crowded"], "0.05")
        for name, text in (("stream", "tell"), ("torn", "torn")):
            again = (await it.say(text, stream=True)).content
            assert again == told[name].replace(KEY.encode(), b"[redacted]"), name
        async with asyncio.timeout(60):
            while len(vendor.hooks) < 2:
                await asyncio.sleep(0.02)
        assert [json.loads(each)["status"] for each in vendor.hooks] == [each["status"] for each in told["hooks"]]
        assert not vendor.asked


async def test_a_second_mutoscope_is_replayed_in_the_words_of_any_front(tmp_path: Path) -> None:
    tapes, runway = tmp_path / "tapes", {"x-runway-version": "2024-11-06", "authorization": "Bearer any"}
    async with second_mutoscope(tmp_path) as url, gateway(tmp_path / "a", url, cassettes={"record": str(tapes)}) as it:
        picture, refusal = await it.made("a lake"), await it.failed("fail refused not this one")
    async with replaying(tmp_path / "b", tapes) as it:
        body = {"model": "gen4_image", "promptText": "a lake", "ratio": "720:720"}
        answer = await it.client.post("/v1/text_to_image", json=body, headers=runway)
        job = await it.finished(from_uuid4_form(answer.json()["id"]) or "")
        assert job.state is State.SUCCEEDED, job.failure
        assert await it.app.assets.read(job.outputs[0].asset) == picture
        assert await it.failed("fail refused not this one") == refusal


async def test_what_is_made_here_is_played_without_the_renderer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tapes = tmp_path / "tapes"
    async with gateway(tmp_path / "a", wires=(), cassettes={"record": str(tapes)}) as it:
        lakes = [await it.made("a lake"), await it.made("a lake")]
    assert lakes[0] != lakes[1], "nobody chose a seed"
    first = named(tapes, wire="local", prompt="a lake")[0]
    assert cli("verify", str(tapes)) == 0
    assert cli("prune", str(tapes)) == 0
    assert len(list(tapes.iterdir())) == 2
    making = Studio.generate

    async def absent(*_: Any) -> Any:
        raise AssertionError("the renderer was asked")

    monkeypatch.setattr(Studio, "generate", absent)
    async with replaying(tmp_path / "b", tapes) as it:
        job = await it.finished(await it.picture("a lake"))
        assert await it.app.assets.read(job.outputs[0].asset) == lakes[0], job.failure
        assert (job.outputs[0].width, job.outputs[0].height) == (720, 720)
        assert [await it.made("a lake") for _ in range(2)] == [lakes[1]] * 2
        failure = await it.failed("a sea")
        assert failure.kind is Kind.UNSUPPORTED
        assert f'{first.name}, which differs in prompt: "a sea" was asked' in failure.message
    monkeypatch.setattr(Studio, "generate", making)
    async with replaying(tmp_path / "c", tapes, unknown="once") as it:
        sea = await it.made("a sea")
        async with asyncio.timeout(60):
            while it.app.tapes.library and len(it.app.tapes.library.names) < 3:
                await asyncio.sleep(0.02)
        assert await it.made("a sea") == sea
    [file] = (named(tapes, prompt="a sea")[0] / "outputs").iterdir()
    file.unlink()
    assert cli("verify", str(tapes)) == 1
    async with replaying(tmp_path / "d", tapes, unknown="studio") as it:
        assert "there is no file" in (await it.failed("a sea")).message
        assert await it.made("a lake") == lakes[0]
        assert (await it.finished(await it.picture("a wood"))).state is State.SUCCEEDED


async def test_what_nobody_recorded_is_told_with_the_nearest_recording(tapes: Path, tmp_path: Path) -> None:
    async with replaying(tmp_path / "b", tapes) as it:
        failure = await it.failed("a lak")
        assert (
            'prompt: "a lak" was asked, "' in failure.message and "The nearest recording is freepik-" in failure.message
        )
        answer = await it.say("hello", max_tokens=5)
        assert answer.status_code == 400
        assert "body.max_tokens: 5 was asked, nothing is recorded" in answer.text
        unknown = await it.client.post("/v1/messages", json=chat("hello"), headers={"anthropic-version": "2023-06-01"})
        assert unknown.status_code in (200, 400)  # by the author, or by what it is translated to: nobody is asked


def test_no_secret_reaches_a_recording(recorded: tuple[Path, dict[str, Any]]) -> None:
    files = [path for path in recorded[0].rglob("*") if path.is_file()]
    assert len(files) > 40
    held = [
        (path.name, name) for path in files for name, secret in SECRETS.items() if secret.encode() in path.read_bytes()
    ]
    assert not held
    assert not any(b"cookie" in path.read_bytes().lower() for path in files)


async def test_a_recording_edited_by_hand_is_played_as_edited(tapes: Path, tmp_path: Path) -> None:
    lake, other = named(tapes, prompt="a lake")
    poll = sorted((lake / "answers").glob("*-poll.json"))[-1]
    changed(poll, '"COMPLETED"', '"FAILED"')
    [output] = (other / "outputs").iterdir()
    drawn = (tapes / named(tapes, prompt="busy")[0].name / "outputs").glob("*.png").__next__().read_bytes()
    output.write_bytes(drawn)
    [tell] = [path for path in tapes.glob("openai-*/answers/*.events") if "tell" in path.read_text()]
    changed(tell, "tell", "TOLD")
    hello = named(tapes, method="POST", body=chat("hello"))[0] / "answers" / "001-words.json"
    changed(hello, "hello, 1", "good evening")
    changed(named(tapes, prompt="refuse")[0] / "request.json", '"refuse"', '"deny"')
    async with replaying(tmp_path / "b", tapes) as it:
        assert (await it.failed("a lake")).kind is Kind.UPSTREAM_FAILED
        assert await it.made("a lake") == drawn
        assert b"TOLD" in (await it.say("tell", stream=True)).content
        assert (await it.say("hello")).json()["choices"][0]["message"]["content"] == "good evening"
        assert "deny" not in (await it.failed("deny")).message


def test_a_newer_format_is_refused_by_its_name(tapes: Path, tmp_path: Path) -> None:
    lake = named(tapes, prompt="a lake")[0]
    changed(lake / "cassette.toml", "format = 1", "format = 2")
    with pytest.raises(BadSettings, match=rf"{lake.name}/cassette.toml: format = 2; this mutoscope reads format 1"):
        asyncio.run(replaying(tmp_path / "b", tapes).__aenter__())


async def test_what_is_missing_is_asked_once_or_each_time(tapes: Path, tmp_path: Path) -> None:
    vendor = Vendor()
    async with vendor.running() as url:
        for unknown, asked in (("once", 2), ("vendor", 4)):
            copy, before = shutil.copytree(tapes, tmp_path / unknown), len(list(tapes.iterdir()))
            vendor.asked.clear()
            told = {"replay": str(copy), "unknown": unknown}
            async with gateway(tmp_path / f"{unknown}-data", url, cassettes=told) as it:
                await it.made("a lake")
                first, said = await it.made("a sea"), await it.say("goodbye")
                if unknown == "once":
                    async with asyncio.timeout(60):
                        while it.app.tapes.library and len(it.app.tapes.library.names) < before + 2:
                            await asyncio.sleep(0.02)
                again, repeated = await it.made("a sea"), await it.say("goodbye")
            assert (first == again, said.content == repeated.content) == ((unknown == "once"),) * 2
            assert vendor.asked == ["a sea", "goodbye"] * (asked // 2)
            assert len(named(copy, prompt="a sea")) == asked // 2


async def test_what_is_played_says_nothing_of_how_the_account_fares(tapes: Path, tmp_path: Path) -> None:
    told = {"replay": str(tapes), "unknown": "vendor"}
    async with gateway(tmp_path / "b", cassettes=told, relay=QUICK | {"breaker_failures": 2}) as it:
        engine = it.app.engines["freepik"]
        assert isinstance(engine, Relay)
        engine.breaker.failed("no answer")
        await it.made("a lake")
        assert (await it.failed("bad")).kind is Kind.INVALID
        engine.breaker.failed("no answer")
        assert not engine.breaker.closed


async def test_the_renderer_and_the_author_stand_in_where_that_is_wished(tapes: Path, tmp_path: Path) -> None:
    async with replaying(tmp_path / "b", tapes, unknown="studio") as it:
        job = await it.finished(await it.picture("a lake that nobody recorded"))
        assert (job.state, job.engine) == (State.SUCCEEDED, "studio"), job.failure
        answer = await it.say("what nobody recorded")
        assert (answer.status_code, answer.headers["x-mutoscope-engine"]) == (200, "script")
        assert (await it.say("hello")).headers["x-mutoscope-engine"] == "openai"


async def test_hashed_prompts_are_found_and_never_written(tmp_path: Path) -> None:
    vendor, tapes = Vendor(), tmp_path / "tapes"
    told = {"record": str(tapes), "prompts": "hashed"}
    async with vendor.running() as url, gateway(tmp_path / "a", url, cassettes=told) as it:
        picture = await it.made("a very private lake")
        assert (await it.say("very private words")).status_code == 200
    assert not [path for path in tapes.rglob("*") if path.is_file() and b"private" in path.read_bytes()]
    async with replaying(tmp_path / "b", tapes) as it:
        assert await it.made("a very private lake") == picture
        assert (await it.say("very private words")).status_code == 200


async def test_the_pace_is_that_of_the_recording_where_that_is_wished(tapes: Path, tmp_path: Path) -> None:
    [tell] = [path for path in tapes.glob("openai-*/answers/*.events") if "tell" in path.read_text()]
    lines = tell.read_text().splitlines()
    assert len(lines) == 6 and sum(float(line.split(" ")[0]) for line in lines) > 0.05
    tell.write_text("".join(f"100 {line.partition(' ')[2]}\n" for line in lines))
    last = sorted((named(tapes, prompt="a lake")[0] / "answers").glob("*-poll.json"))[-1]
    answer = msgspec.json.decode(last.read_bytes())
    last.write_bytes(msgspec.json.encode(answer | {"at": 1_000_000}))
    async with replaying(tmp_path / "at once", tapes) as it, asyncio.timeout(60):
        await it.say("tell", stream=True)
        await it.made("a lake")
    async with replaying(tmp_path / "slowly", tapes, pace=0.001) as it:
        began = time.perf_counter()
        await it.say("tell", stream=True)
        assert time.perf_counter() - began >= 0.6
        async for job in it.app.gateway.watch(await it.picture("a lake"), poll_seconds=0.01):
            assert not job.state.final
            if job.upstream_status == "IN_PROGRESS":
                break


@pytest.mark.parametrize("hindrance", ["full", "no directory", "behind"])
async def test_what_cannot_be_written_is_told_and_is_in_nobodys_way(
    hindrance: str, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    vendor, tapes = Vendor(), tmp_path / "tapes"
    tapes.mkdir()
    if hindrance == "behind":
        monkeypatch.setattr(recorder, "BACKLOG", 100)
    if hindrance == "no directory":
        tapes.rmdir()
        tapes.write_text("a file")
    else:
        (tapes / "much").write_bytes(b"0" * 1000)
    told = {"record": str(tapes), "max_bytes": 1000}
    async with vendor.running() as url, gateway(tmp_path / "a", url, cassettes=told) as it:
        assert await it.made("a lake")
        assert (await it.say("hello")).status_code == 200
        await it.app.tapes.close()
    assert capfd.readouterr().err.count("cassette_unwritten") == 2
    assert hindrance == "no directory" or [path.name for path in tapes.iterdir()] == ["much"]


async def written(tapes: Path, count: int) -> None:
    async with asyncio.timeout(60):
        while len(list(tapes.glob("[!.]*"))) < count:
            await asyncio.sleep(0.02)


async def half_made(it: Any, tapes: Path) -> str:
    """A job of which the first answers are on the disk, beside a whole recording."""
    await it.say("hello")
    id = await it.picture(ENDLESS)
    await written(tapes, 2)
    return id


async def unwritten(capfd: pytest.CaptureFixture[str]) -> str:
    """The log up to a recording that was given up."""
    told = ""
    async with asyncio.timeout(60):
        while "cassette_unwritten" not in told:
            await asyncio.sleep(0.02)
            told += capfd.readouterr().err
    return told


async def test_a_disk_that_is_full_stops_a_recording_and_no_job(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with small_disk(tmp_path / "disk", 1 << 20) as disk:
        tapes = disk / "tapes"
        vendor = Vendor()
        async with vendor.running() as url, gateway(tmp_path / "a", url, cassettes={"record": str(tapes)}) as it:
            id = await half_made(it, tapes)
            fill(disk)
            vendor.tasks = dict.fromkeys(vendor.tasks, "a lake")  # from now on it is made
            assert (await it.finished(id)).state is State.SUCCEEDED
            told = await unwritten(capfd)
            ballast = fill(disk)  # what the half recording took, too
            assert (await it.say("tell")).status_code == 200
            told += await unwritten(capfd)
            assert told.count("No space left on device") == 2
            ballast.unlink()
            await it.say("goodbye")
        assert cli("verify", str(tapes)) == 0
        assert len(list(tapes.iterdir())) == 2, "the half of one is gone"
        async with replaying(tmp_path / "b", tapes) as it:
            assert [(await it.say(text)).status_code for text in ("hello", "tell", "goodbye")] == [200, 400, 200]


async def test_without_the_process_that_writes_jobs_go_on_and_nothing_half_made_is_left(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    vendor, tapes = Vendor(), tmp_path / "tapes"
    async with vendor.running() as url, gateway(tmp_path / "a", url, cassettes={"record": str(tapes)}) as it:
        id = await half_made(it, tapes)
        assert it.app.tapes.recorder and it.app.tapes.recorder.writer
        os.kill(it.app.tapes.recorder.writer, signal.SIGKILL)
        vendor.tasks = dict.fromkeys(vendor.tasks, "a lake")
        assert (await it.finished(id)).state is State.SUCCEEDED
        assert (await it.say("hello")).status_code == 200
        await it.app.tapes.close()
    assert capfd.readouterr().err.count("recording_stopped") == 1
    [left] = tapes.iterdir()
    assert load(left).label.kind == "words"


KILLED = """
import os, signal, sys, time
from datetime import UTC, datetime
from pathlib import Path
from mutoscope.cassettes.folder import FORMAT, Label
from mutoscope.cassettes.recorder import Recorder
from mutoscope.cassettes.writer import Asked, Heard
recorder = Recorder(Path(sys.argv[1]), secrets=["a-secret-key"], max_bytes=0)
told = {"wire": "openai", "account": "a", "model": "m", "mutoscope": "0"}
label = Label(format=FORMAT, kind="words", recorded=datetime.now(UTC), **told)
for number in range(50):
    recording = recorder.begin(label, request=Asked(method="POST", path=f"/{number}"))
    body = b'{"told": "a-secret-key"}'
    recorder.answer(recording, Heard(recording.id, 0, "words", time.time(), 0.0, status=200, body=body))
    recorder.end(recording)
while recorder._sent < recorder._given:
    time.sleep(0.01)
os.kill(os.getpid(), signal.SIGKILL)
"""


async def test_what_was_handed_over_is_written_when_the_server_is_killed(tmp_path: Path) -> None:
    tapes = tmp_path / "tapes"
    done = await asyncio.to_thread(subprocess.run, [sys.executable, "-c", KILLED, str(tapes)], check=False)
    assert done.returncode == -signal.SIGKILL
    await written(tapes, 50)
    assert all(load(path).answers for path in tapes.iterdir())
    assert not [path for path in tapes.rglob("*") if path.is_file() and b"a-secret-key" in path.read_bytes()]


def as_owner(it: Any, name: str) -> None:
    it.client.headers.update({"authorization": f"Bearer {name}-secret", "x-freepik-api-key": f"{name}-secret"})


async def test_only_what_the_named_keys_ask_is_recorded_and_played(tmp_path: Path) -> None:
    vendor, tapes = Vendor(), tmp_path / "tapes"
    keys = [{"name": name, "sha256": digest(f"{name}-secret")} for name in ("ann", "ci")]
    made: dict[str, list[Any]] = {}

    async def asks(it: Any, name: str) -> list[Any]:
        as_owner(it, name)
        return [await it.made("a lake"), (await it.say("hello")).content]

    async with vendor.running() as url:
        told = {"record": str(tapes), "keys": ["ci"]}
        async with gateway(tmp_path / "a", url, keys=keys, cassettes=told) as it:
            made = {name: await asks(it, name) for name in ("ann", "ci")}
        assert len(list(tapes.iterdir())) == 2
        vendor.asked.clear()
        told = {"replay": str(tapes), "keys": ["ci"]}
        async with gateway(tmp_path / "b", url, keys=keys, cassettes=told) as it:
            assert await asks(it, "ci") == made["ci"]
            assert not vendor.asked
            await asks(it, "ann")
            assert vendor.asked == ["a lake", "hello"]
            as_owner(it, "ci")
            assert "No cassette in tapes" in (await it.failed("a sea")).message, "nor is the vendor asked in its stead"


async def test_only_the_named_accounts_are_recorded_and_played(tapes: Path, tmp_path: Path) -> None:
    vendor = Vendor()
    async with vendor.running() as url:
        told = {"record": str(tmp_path / "new"), "accounts": ["openai"]}
        async with gateway(tmp_path / "a", url, cassettes=told) as it:
            await it.made("a lake")
            said = (await it.say("hello")).content
        [only] = (tmp_path / "new").iterdir()
        assert load(only).label.account == "openai"
        vendor.asked.clear()
        told = {"replay": str(tmp_path / "new"), "accounts": ["openai"]}
        async with gateway(tmp_path / "b", url, cassettes=told) as it:
            await it.made("a lake")
            assert (await it.say("hello")).content == said
        assert vendor.asked == ["a lake"]
    with pytest.raises(BadSettings, match=r"accounts: there is no account 'opneai'; there are freepik, openai"):
        await gateway(tmp_path / "c", cassettes=told | {"accounts": ["opneai"]}).__aenter__()


def cli(*words: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["cassettes", *words])
    return int(ended.value.code or 0)


def test_the_command_lists_shows_verifies_prunes_and_compares(
    tapes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = shutil.copytree(tapes, tmp_path / "before")
    assert cli("list", str(tapes), "--json") == 0
    listed = json.loads(capsys.readouterr().out)
    assert len(listed) == len(list(tapes.iterdir())) and listed[0]["asked"]["prompt"] == "a lake"
    assert cli("show", str(tapes), listed[0]["name"]) == 0
    assert "poll" in capsys.readouterr().out
    assert cli("verify", str(tapes)) == 0
    lake, other = named(tapes, prompt="a lake")
    poll = sorted((lake / "answers").glob("*-poll.json"))[-1]
    answer = msgspec.json.decode(poll.read_bytes())
    answer["json"]["data"] |= {"has_nsfw": [False], "status": 3}
    del answer["json"]["data"]["note"]
    poll.write_bytes(msgspec.json.encode(answer))
    shutil.rmtree(other)
    assert cli("diff", str(before), str(tapes)) == 1
    told = capsys.readouterr().out
    for line in (
        "poll: .data.has_nsfw is new (array)",
        "poll: .data.note is gone (string)",
        "poll: .data.status is number or string, and was string",
    ):
        assert line in told, told
    assert cli("diff", str(before), str(before)) == 0
    assert cli("diff", str(before)) == 2
    assert "--spend" in capsys.readouterr().err
    shutil.copytree(lake, tapes / "the-same")
    for path in (named(tapes, prompt="busy")[0] / "answers").glob("00[2-9]*"):
        path.unlink()
    (tapes / "broken").mkdir()
    (tapes / "broken" / "cassette.toml").write_text("format = 1\n")
    assert cli("verify", str(tapes)) == 1
    assert "broken/cassette.toml" in capsys.readouterr().out
    shutil.rmtree(tapes / "broken")
    assert cli("prune", str(tapes)) == 0
    assert "the-same: tells the same as an earlier one" in capsys.readouterr().out
    assert not (tapes / "the-same").exists()


def test_todays_vendor_is_asked_and_compared(tapes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in tapes.iterdir():
        if path not in (named(tapes, prompt="a lake")[0], named(tapes, body=chat("hello"))[0]):
            shutil.rmtree(path)
    hello = named(tapes, body=chat("hello"))[0] / "answers" / "001-words.json"
    changed(hello, '"finish_reason": "stop"', '"finish_reason": 1, "logprobs": null')
    config = tmp_path / "mutoscope.toml"

    async def both() -> int:
        vendor = Vendor()
        async with vendor.running() as url:
            section = f'wire = "%s"\nkey = "{KEY}"\nbase_url = "{url}"\n'
            accounts = "".join(f"[accounts.{wire}]\n{section % wire}" for wire in ("freepik", "openai"))
            config.write_text(f"[net]\nallow_private = true\n[relay]\nfirst_poll_seconds = 0.02\n{accounts}")
            return await diff(tapes, spend=True, config=config)

    assert asyncio.run(both()) == 1
    told = capsys.readouterr().out
    assert "words: .choices[].logprobs is gone (null)" in told and "2 of 2 recordings compared, 1 answered" in told
