"""Files and records go when their time is over, nothing that is needed goes, and who was forgotten left no trace."""

import asyncio
import base64
import errno
import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from local_settings import settings
from mutoscope.background import worker
from mutoscope.background.retention import Counts, Sweeper
from mutoscope.files.assets import Assets, put_file, remove_file, touch_file
from mutoscope.model.config import Files
from mutoscope.model.job import State
from mutoscope.service.keys import digest
from mutoscope.wirekit.ids import from_uuid4_form

Start = Callable[..., Any]
ROUTE = "/v1/ai/text-to-image/runway"
RUNWAY = {"x-runway-version": "2024-11-06", "authorization": "Bearer any"}
SCRIPTED = {"models": {name: {"engine": "script"} for name in ("gen4_image", "gen4_turbo")}}
BODY = {"prompt": "a lake", "ratio": "1920:1080"}
DAY = 86400.0


def sweeper_at(running: Any, days_later: float, **times: float) -> Sweeper:
    """A sweeper whose clock is ahead."""
    app = running.app
    kept = settings(retention=times).retention
    return Sweeper(store=app.store, assets=app.assets, settings=kept, clock=lambda: time.time() + days_later * DAY)


async def made(running: Any, headers: dict[str, str] | None = None, **more: object) -> tuple[str, dict[str, Any]]:
    """A job that has succeeded: its path, and what the wire tells of it."""
    answer = await running.client.post(ROUTE, json={**BODY, **more}, headers=headers)
    id = answer.json()["data"]["task_id"]
    job = await running.finished(from_uuid4_form(id))
    assert job.state is State.SUCCEEDED, job.failure
    return f"{ROUTE}/{id}", (await running.client.get(f"{ROUTE}/{id}", headers=headers)).json()["data"]


def files_in(running: Any) -> list[str]:
    return sorted(path.name for path in running.app.assets.root.rglob("*") if path.is_file())


async def test_after_its_output_was_swept_a_job_still_answers_and_its_link_says_why_it_does_not(start: Start) -> None:
    async with start(**SCRIPTED) as running:
        path, told = await made(running)
        link = told["generated"][0]
        assert (await running.client.get(link)).status_code == 200
        assert not (await sweeper_at(running, 9, outputs_days=10).sweep(rest=0))
        counts = await sweeper_at(running, 11, outputs_days=10).sweep(rest=0)
        assert counts.files == 1
        assert files_in(running) == []
        answer = await running.client.get(path)
        assert answer.json()["data"]["status"] == "COMPLETED"
        for each in (link, answer.json()["data"]["generated"][0]):
            gone = await running.client.get(each)
            assert (gone.status_code, gone.text) == (410, "This file is not kept any more.")


async def test_a_swept_job_is_unknown_and_its_file_is_gone(start: Start) -> None:
    async with start(**SCRIPTED) as running:
        path, told = await made(running)
        await sweeper_at(running, 3, jobs_days=2).sweep(rest=0)
        assert (await running.client.get(path)).status_code == 404
        assert (await running.client.get(told["generated"][0])).status_code == 410
        assert files_in(running) == []


async def test_by_default_jobs_and_their_files_are_kept_for_ever(start: Start) -> None:
    async with start(**SCRIPTED) as running:
        path, told = await made(running)
        await sweeper_at(running, 5000).sweep(rest=0, strays=True)
        assert (await running.client.get(path)).status_code == 200
        assert (await running.client.get(told["generated"][0])).status_code == 200


async def test_the_output_of_a_swept_job_stays_while_a_follow_up_names_it(start: Start) -> None:
    async with start(**SCRIPTED, script={"slots": 16}) as running:
        path, told = await made(running)
        wish = {
            "model": "gen4_turbo",
            "promptImage": told["generated"][0],
            "promptText": "sleep 60",
            "ratio": "1280:720",
        }
        answer = await running.client.post("/v1/image_to_video", json=wish, headers=RUNWAY)
        assert answer.status_code == 200, answer.text
        await sweeper_at(running, 9, jobs_days=2).sweep(rest=0)
        assert (await running.client.get(path)).status_code == 404
        assert (await running.client.get(told["generated"][0])).status_code == 200
        await running.client.delete(f"/v1/tasks/{answer.json()['id']}", headers=RUNWAY)
        await sweeper_at(running, 9, jobs_days=2).sweep(rest=0)
        assert (await running.client.get(told["generated"][0])).status_code == 410


async def test_a_link_of_ours_whose_file_is_gone_is_refused_as_an_input(start: Start) -> None:
    async with start(**SCRIPTED) as running:
        _, told = await made(running)
        await sweeper_at(running, 9, outputs_days=2).sweep(rest=0)
        wish = {"model": "gen4_turbo", "promptImage": told["generated"][0], "ratio": "1280:720"}
        answer = await running.client.post("/v1/image_to_video", json=wish, headers=RUNWAY)
        assert answer.status_code == 400, answer.text


async def test_a_dry_run_counts_and_removes_nothing(start: Start) -> None:
    async with start(**SCRIPTED) as running:
        path, _ = await made(running)
        counts: Counts = await sweeper_at(running, 9, jobs_days=2, outputs_days=2).sweep(dry_run=True, strays=True)
        assert {kept.value: n for kept, n in counts.rows.items() if n} == {"jobs": 1, "outputs": 1}
        assert (await running.client.get(path)).status_code == 200
        assert len(files_in(running)) == 1


# Files


async def test_a_file_whose_job_is_not_stored_yet_is_no_stray(start: Start) -> None:
    """A crash between the two leaves one, and a day later it is one."""
    async with start(**SCRIPTED) as running:
        await running.app.assets.put(b"made, and its job not settled", "image/png")
        assert (await sweeper_at(running, 0.9).sweep(strays=True, rest=0)).strays == 0
        assert (await sweeper_at(running, 1.1).sweep(strays=True, rest=0)).strays == 1
        assert files_in(running) == []


async def test_strays_are_removed_when_asked_for_only(start: Start) -> None:
    async with start(**SCRIPTED) as running:
        await running.app.assets.put(b"nobody's", "image/png")
        assert not await sweeper_at(running, 9, outputs_days=1).sweep(rest=0)
        assert len(files_in(running)) == 1


async def test_a_file_that_was_put_again_is_not_removed_although_nobody_recorded_it_yet(start: Start) -> None:
    """The same bytes are the same file: another request that keeps them has touched it just now."""
    async with start(**SCRIPTED) as running:
        _, _ = await made(running)
        [name] = files_in(running)
        content = await running.app.assets.read(name)
        old = time.time() - 9 * DAY
        os.utime(next(running.app.assets.root.rglob(name)), (old, old))
        await running.app.assets.put(content, "image/png")
        await sweeper_at(running, 0.5, outputs_days=0.1).sweep(rest=0)
        assert files_in(running) == [name]
        await sweeper_at(running, 2, outputs_days=0.1).sweep(rest=0)
        assert files_in(running) == []


def test_whoever_puts_a_file_has_it_however_often_another_removes_it(tmp_path: Path) -> None:
    """Looking and removing, or looking and keeping, are one step each."""
    target = tmp_path / "ab" / "file"
    rounds = range(300)

    def put() -> list[bool]:
        there: list[bool] = []
        for _ in rounds:
            put_file(b"content", target, tmp_path)
            there.append(touch_file(target, tmp_path))
        return there

    def remove() -> int:
        removed = 0
        for _ in rounds:
            removed += remove_file(target, tmp_path, time.time() - 0.5) is None and not target.exists()
        return removed

    with ThreadPoolExecutor(2) as pool:
        putting, removing = pool.submit(put), pool.submit(remove)
        assert all(putting.result())
        removing.result()


async def test_in_a_bucket_what_was_just_wanted_is_not_removed(tmp_path: Path) -> None:
    assets = Assets(Files(store="memory:///"), data=tmp_path, secret=b"secret")
    key = await assets.put(b"content", "image/png")
    assert await assets.remove(key, untouched_since=time.time() - 60) is not None
    assert await assets.exists(key)
    assert await assets.remove(key, untouched_since=time.time() + 60) is None
    assert not await assets.exists(key)
    assert not await assets.touch(key)


# Forgetting

CANARY = "a heron that nobody else ever asked for"
KEYS = [{"name": name, "sha256": digest(name)} for name in ("annabella", "bob")]


def of(name: str) -> dict[str, str]:
    return {"x-freepik-api-key": name}


async def command(data: Path, *words: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "mutoscope", *words, "--data", str(data), stdout=-1, stderr=-2, cwd=data.parent
    )
    out, _ = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode or 0, out.decode()


def traces(data: Path, *needles: str) -> list[str]:
    """Read by a process that is not the database's: its locks would be gone once it closes the file."""
    files = {path: subprocess.check_output(("cat", path)) for path in data.rglob("*") if path.is_file()}
    return [
        f"{path.name}: {needle}"
        for path, content in files.items()
        for needle in needles
        if needle.encode() in content or needle in path.name
    ]


@pytest.mark.parametrize("serving", [True, False])
async def test_of_who_was_forgotten_nothing_is_in_any_file(start: Start, tmp_path: Path, *, serving: bool) -> None:
    data = tmp_path / "data"
    async with start(**SCRIPTED, keys=KEYS, webhooks={"schedule": [3600]}) as running:
        hook = {"webhook_url": "http://127.0.0.1:9/annabellas-hook"}
        paths = [(await made(running, of("annabella"), prompt=f"{CANARY} {n}", **hook))[0] for n in range(20)]
        mine = set(files_in(running))
        for path in paths[:5]:
            await running.client.get(path, headers=of("annabella"))
        theirs, shown = await made(running, of("bob"), prompt="a common tern")
        digests = [name.partition(".")[0] for name in mine - ({*files_in(running)} - mine)]
        shared = await running.client.post(
            ROUTE, json={**BODY, "prompt": f"sleep 600 {CANARY}"}, headers=of("annabella")
        )
        needles = ("annabella", CANARY, *digests, from_uuid4_form(shared.json()["data"]["task_id"]))
        assert len(traces(data, *needles)) > 20
        if serving:
            code, out = await command(data, "forget", "annabella", "--yes", "--search", CANARY)
            assert (await running.client.get(paths[0], headers=of("annabella"))).status_code == 404
            assert (await running.client.get(theirs, headers=of("bob"))).status_code == 200
            assert (await running.client.get(shown["generated"][0])).status_code == 200
            assert not running.app.worker.runs
            assert traces(data, "annabella", CANARY, *digests) == []
    if not serving:
        code, out = await command(data, "forget", "annabella", "--yes", "--search", CANARY)
    assert code == 0, out
    assert "nothing of it is left" in out
    assert traces(data, "annabella", CANARY, *digests) == []
    assert traces(data, "a common tern") != []


async def test_what_is_left_of_an_owner_is_told(start: Start, tmp_path: Path) -> None:
    async with start(**SCRIPTED, keys=KEYS) as running:
        await made(running, of("annabella"), prompt=CANARY)
    (tmp_path / "data" / "notes.txt").write_text("ask annabella")
    code, out = await command(tmp_path / "data", "forget", "annabella", "--yes")
    assert code == 1
    assert "notes.txt: annabella" in out


async def test_nothing_is_forgotten_without_a_yes(start: Start, tmp_path: Path) -> None:
    async with start(**SCRIPTED, keys=KEYS) as running:
        path, _ = await made(running, of("annabella"), prompt=CANARY)
        code, out = await command(tmp_path / "data", "forget", "annabella")
        assert code == 1, out
        assert (await running.client.get(path, headers=of("annabella"))).status_code == 200


async def test_sweep_removes_now_what_a_server_would(start: Start, tmp_path: Path) -> None:
    async with start(**SCRIPTED):
        pass
    code, out = await command(tmp_path / "data", "sweep", "--dry-run")
    assert (code, out.strip()) == (0, "There is nothing whose time is over.")


# Where the system hinders


async def test_a_job_that_meets_a_full_disk_is_made_when_there_is_space_again(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "HINDERED_SECONDS", 0.05)
    async with start(**SCRIPTED) as running:
        put, full = running.app.assets.put, [OSError(errno.ENOSPC, "No space left on device") for _ in range(3)]

        async def crowded(*arguments: Any) -> str:
            if full:
                raise full.pop()
            return await put(*arguments)

        monkeypatch.setattr(running.app.assets, "put", crowded)
        _, told = await made(running)
        assert told["status"] == "COMPLETED"
        assert not full


async def test_a_create_whose_file_finds_no_space_is_refused_in_the_wires_words(
    start: Start, monkeypatch: pytest.MonkeyPatch, picture: bytes
) -> None:
    async with start(**SCRIPTED) as running:
        monkeypatch.setattr("mutoscope.files.assets.bring", no_space)
        image = "data:image/png;base64," + base64.b64encode(picture).decode()
        wish = {"model": "gen4_turbo", "promptImage": image, "ratio": "1280:720"}
        answer = await running.client.post("/v1/image_to_video", json=wish, headers=RUNWAY)
        assert answer.status_code == 503, answer.text
        assert "error" in answer.json()


def no_space(source: object, target: object) -> None:
    raise OSError(errno.ENOSPC, f"No space left on device for {source} at {target}")
