"""Vendors' own SDKs, and somebody's tests in a project of their own, against recordings."""

import os
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import openai
from runwayml import AsyncRunwayML
from tapes import gateway, replaying, second_mutoscope

from sockets import answering  # isort: skip (`tapes` says where it is)

import asyncio
import socket

WIRES = ("runway", "openai")


async def as_clients_do(url: str) -> list[Any]:
    """What comes of a picture by Runway's SDK, and of words, whole and streamed, by OpenAI's."""
    async with AsyncRunwayML(api_key="any", base_url=url, max_retries=0) as runway:
        made = await runway.text_to_image.create(model="gen4_image", prompt_text="a lake", ratio="720:720")
        while (task := await runway.tasks.retrieve(made.id)).status not in ("SUCCEEDED", "FAILED"):
            await asyncio.sleep(0.05)
        assert task.status == "SUCCEEDED", task
    async with httpx.AsyncClient(trust_env=False, timeout=60) as http:
        picture = (await http.get(task.output[0])).content
    async with openai.AsyncOpenAI(api_key="any", base_url=f"{url}/v1", max_retries=0) as client:
        messages: Any = [{"role": "user", "content": "Say something of lakes"}]
        whole = await client.chat.completions.create(model="gpt-4o", messages=messages)
        stream = await client.chat.completions.create(model="gpt-4o", messages=messages, stream=True)
        chunks = [chunk.model_dump() async for chunk in stream]
    assert len(chunks) > 3
    return [picture, whole.model_dump(), chunks]


async def test_the_sdks_of_runway_and_openai_get_the_same_from_a_recording(tmp_path: Path) -> None:
    tapes, told = tmp_path / "tapes", list[list[Any]]()
    async with second_mutoscope(tmp_path) as vendor:
        recording = gateway(tmp_path / "a", vendor, wires=WIRES, cassettes={"record": str(tapes)})
        async with recording as it, answering(it.app, socket.create_server(("127.0.0.1", 0))) as url:
            told.append(await as_clients_do(url))
    replay = replaying(tmp_path / "b", tapes)
    async with replay as it, answering(it.app, socket.create_server(("127.0.0.1", 0))) as url:
        told.append(await as_clients_do(url))
    assert told[0] == told[1]


TESTS = """
import json, os, time
from pathlib import Path
from urllib.request import ProxyHandler, Request, build_opener
import pytest

def fetched(url, body=None):
    data = json.dumps(body).encode() if body else None
    with build_opener(ProxyHandler({})).open(Request(url, data, {"content-type": "application/json"})) as answer:
        return answer.read()

@pytest.mark.parametrize("number", range(8))
def test_a_picture_is_what_it_was(number):
    at = os.environ["GATEWAY"] + "/v1/ai/text-to-image/runway"
    id = json.loads(fetched(at, {"prompt": f"lake {number}", "ratio": "720:720"}))["data"]["task_id"]
    while (data := json.loads(fetched(f"{at}/{id}"))["data"])["status"] not in ("COMPLETED", "FAILED"):
        time.sleep(0.1)
    made = fetched(data["generated"][0])
    expected = Path(f"lake-{number}.png")
    if os.environ["MODE"] == "record":
        expected.write_bytes(made)
    assert made == expected.read_bytes()
"""


async def test_a_project_of_its_own_records_and_replays_in_four_processes(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "test_pictures.py").write_text(TESTS)
    (project / "pytest.ini").write_text("[pytest]\n")

    async def passes(it: Any, mode: str, *more: str) -> None:
        told = {name: value for name, value in os.environ.items() if "KEY" not in name and "PYTEST" not in name}
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *more]
        async with answering(it.app, socket.create_server(("127.0.0.1", 0))) as url:
            env = told | {"GATEWAY": url, "MODE": mode, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
            run = partial(subprocess.run, command, cwd=project, env=env, capture_output=True, text=True, timeout=100)
            done = await asyncio.to_thread(run)
        assert "8 passed" in done.stdout, done.stdout + done.stderr

    tapes = project / "tapes"
    cassettes = {"record": str(tapes)}
    async with (
        second_mutoscope(tmp_path) as vendor,
        gateway(tmp_path / "a", vendor, wires=("freepik",), cassettes=cassettes) as it,
    ):
        await passes(it, "record")
    assert len([path for path in tapes.iterdir() if path.name.startswith("freepik-")]) == 8
    async with replaying(tmp_path / "b", tapes) as it:
        await passes(it, "replay", "-p", "xdist", "-n", "4")
