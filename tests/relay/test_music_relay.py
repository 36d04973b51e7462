"""Suno and Udio with a second mutoscope as the reseller."""

from pathlib import Path
from typing import Any

import pytest

from local_settings import settings
from mutoscope.app import App
from mutoscope.model.config import BadSettings
from mutoscope.model.job import Operation, Role, State
from mutoscope.wires import BY_NAME

Worlds = Any


async def made(it: Any, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """The task as the gateway shows it, once it has ended."""
    answer = await it.client.post(path, json=body)
    assert answer.status_code == 200, answer.text
    wire = path.split("/")[1]
    job = await it.finished(BY_NAME[wire].job_id(answer.json()["data"]))
    assert job.state is State.SUCCEEDED, job.failure
    return (await it.client.get(f"/{wire}/fetch/{answer.json()['data']}")).json()["data"]


async def test_a_song_of_a_reseller_is_gone_on_from_and_joined_there(world: Worlds) -> None:
    async with world("suno") as it:
        song = await made(it, "/suno/submit/music", {"tags": "folk", "mv": "chirp-v4", "odd_new_member": 1})
        assert [clip["status"] for clip in song["data"]] == ["complete"] * 2
        assert len({clip["audio_url"] for clip in song["data"]}) == 2
        more = {"tags": "folk", "mv": "chirp-v4", "continue_clip_id": song["data"][1]["id"], "continue_at": 20}
        longer = await made(it, "/suno/submit/music", more)
        await made(it, "/suno/submit/concat", {"clip_id": longer["data"][0]["id"]})
        first, second, third = sorted(await it.submissions(), key=lambda job: job.created)
        assert first.body and b"odd_new_member" in first.body
        assert second.generation.operation is Operation.MUSIC_EXTENSION
        assert third.generation.operation is Operation.MUSIC_JOIN
        assert [
            (each.role, each.output_of, each.output) for job in (second, third) for each in job.generation.inputs
        ] == [
            (Role.AUDIO, first.id, 1),
            (Role.AUDIO, second.id, 0),
        ]
        assert second.generation.extra["continue_at"] == 20


async def test_words_of_a_reseller_keep_their_lines(world: Worlds) -> None:
    async with world("suno") as it:
        told = await made(it, "/suno/submit/lyrics", {"prompt": "the sea\nand the harbour"})
        assert "the sea\nand the harbour" in told["data"]["text"]


async def test_a_song_of_udios_is_gone_on_from_there(world: Worlds) -> None:
    async with world("udio") as it:
        task = await made(it, "/udio/submit/music", {"gen_params": {"prompt": "folk"}})
        source = {"source_type": "song", "song_id": task["data"]["songs"][1]["id"]}
        params = {"prompt": "on", "config": {"mode": "continuation", "source": source}}
        await made(it, "/udio/submit/music", {"gen_params": params})
        first, second = sorted(await it.submissions(), key=lambda job: job.created)
        assert [(each.output_of, each.output) for each in second.generation.inputs] == [(first.id, 1)]


def test_an_account_of_a_vendor_without_an_address_names_its_resellers(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match=r"\[accounts.suno\] base_url: is needed"):
        App(settings(accounts={"suno": {"wire": "suno", "key": "k"}}), data=tmp_path)
