"""Agents: the SDK's own client lists and calls every tool, over HTTP and over stdio."""

import asyncio
import base64
import io
import json
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from PIL import Image

pytest.importorskip("mcp", reason='pip install "mutoscope[mcp]"')

import httpx
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import create_mcp_http_client, streamable_http_client

from mutoscope.service.keys import digest

TOOLS = {
    "list_models": True,
    "describe_model": True,
    "estimate": True,
    "generate_image": False,
    "generate_video": False,
    "generate_audio": False,
    "edit": False,
    "wait": True,
    "get_job": True,
    "list_jobs": True,
    "cancel": False,
    "get_media": True,
    "list_deliveries": True,
    "replay_delivery": False,
    "script_fault": False,
}
"""Every tool, and whether it only reads."""


class Door:
    """A server on a port of its own in this loop, and clients that come to it."""

    def __init__(self, running: Any, url: str) -> None:
        self.running, self.url = running, url

    @asynccontextmanager
    async def client(self, key: str = "") -> AsyncIterator[Client]:
        headers = {"authorization": f"Bearer {key}"} if key else {}
        async with (
            create_mcp_http_client(headers=headers) as http,
            Client(streamable_http_client(f"{self.url}/mcp", http_client=http)) as client,
        ):
            yield client


@pytest.fixture
def served(start: Callable[..., Any]) -> Callable[..., Any]:
    @asynccontextmanager
    async def run(**how: Any) -> AsyncIterator[Door]:
        async with start(**how) as running:
            settings = uvicorn.Config(
                running.app.server, port=0, lifespan="off", log_config=None, ws="none", timeout_graceful_shutdown=1
            )
            server = uvicorn.Server(settings)
            task = asyncio.create_task(server._serve())
            while not server.started:
                await asyncio.sleep(0.01)
            port = server.servers[0].sockets[0].getsockname()[1]
            try:
                yield Door(running, f"http://127.0.0.1:{port}")
            finally:
                server.should_exit = True
                await task

    return run


async def call(client: Client, name: str, **arguments: Any) -> Any:
    found = await client.call_tool(name, arguments)
    assert not found.is_error, found.content
    assert json.loads(found.content[0].text) == found.structured_content
    return found


def pictures(found: Any) -> list[Image.Image]:
    seen = [each for each in found.content if each.type == "image"]
    assert all(len(base64.b64decode(each.data)) <= 1_000_000 for each in seen)
    return [Image.open(io.BytesIO(base64.b64decode(each.data))) for each in seen]


async def test_an_agent_calls_every_tool_over_http(served: Callable[..., Any]) -> None:
    async with served(rehearsal=True) as door, door.client() as client:
        listed = {each.name: each for each in (await client.list_tools()).tools}
        assert {name: each.annotations.read_only_hint for name, each in listed.items()} == TOOLS
        assert (
            listed["cancel"].annotations.destructive_hint and not listed["generate_image"].annotations.destructive_hint
        )
        assert all(each.description and each.input_schema["type"] == "object" for each in listed.values())
        await all_tools(client)


async def all_tools(client: Client) -> None:
    """What one agent does with a server that rehearses."""
    models = (await call(client, "list_models", operation="text_to_image", search="gen4")).structured_content["models"]
    assert "gen4_image" in [each["name"] for each in models]
    model = (await call(client, "describe_model", model="gen4.5")).structured_content
    assert model["schema"]["properties"]["seconds"]["maximum"] == model["max_seconds"]
    assert model["engines"][0]["engine"] == "script" and "credits" in model["price"]
    bill = (await call(client, "estimate", operation="text_to_video", seconds=2)).structured_content
    assert bill["credits"] > 0

    told = (await call(client, "generate_image", prompt="a lake", size="640x360")).structured_content
    assert told["made"] is False and f"max_credits={told['credits']:g}" in told["next"]
    assert (await call(client, "list_jobs")).structured_content["jobs"] == [], "the price came first"

    made = await call(client, "generate_image", prompt="a lake", size="640x360", max_credits=told["credits"])
    picture = made.structured_content
    assert picture["state"] == "succeeded" and pictures(made)[0].size == (640, 360)
    link = next(each for each in made.content if each.type == "resource_link")
    assert str(link.uri).startswith("http://127.0.0.1") and link.mime_type == "image/png"

    clip = await call(client, "generate_video", prompt="a lake", image=picture["id"], seconds=2, max_credits=1e6)
    assert clip.structured_content["outputs"][0]["seconds"] == 2 and pictures(clip)
    sound = await call(client, "generate_audio", prompt="hello", kind="speech", max_credits=1e6)
    assert sound.structured_content["outputs"][0]["media_type"] == "audio/wav" and pictures(sound)
    for action, source in (
        ("upscale", picture),
        ("remove_background", picture),
        ("background", picture),
        ("extend", picture),
    ):
        done = await call(client, "edit", source=source["id"], action=action, prompt="a beach", max_credits=1e6)
        assert done.structured_content["state"] == "succeeded", action

    slow = await call(client, "generate_image", prompt="sleep 60", max_credits=1e6, wait_seconds=0)
    assert slow.structured_content["state"] in ("queued", "running")
    canceled = (await call(client, "cancel", job=slow.structured_content["id"])).structured_content
    assert canceled["state"] == "canceled"
    again = await client.call_tool("cancel", {"job": canceled["id"]})
    assert again.is_error and "it is canceled" in again.content[0].text

    heard: list[tuple[float, str | None]] = []

    async def progress(share: float, total: float | None, message: str | None) -> None:
        heard.append((share, message))

    short = await call(client, "generate_image", prompt="sleep 1", max_credits=1e6, wait_seconds=0)
    waited = await client.call_tool("wait", {"job": short.structured_content["id"]}, progress_callback=progress)
    assert waited.structured_content["state"] == "succeeded" and pictures(waited)
    assert heard and "gen4_image" in (heard[0][1] or "")

    story = (await call(client, "get_job", job=picture["id"])).structured_content
    assert json.loads(story["body"])["prompt"] == "a lake" and story["events"] is not None
    shown = await call(client, "get_media", job=clip.structured_content["id"])
    assert pictures(shown)[0].size[0] <= 768 and shown.structured_content["media_type"] == "video/mp4"
    assert (await call(client, "list_deliveries")).structured_content == {"deliveries": []}
    assert (await client.call_tool("replay_delivery", {"id": "msg_none"})).is_error
    fault = (await call(client, "script_fault", what="429", wire="runway")).structured_content
    assert fault["added"][0]["wire"] == "runway"
    assert (await call(client, "script_fault", clear=True)).structured_content["faults"] == []
    wrong = await client.call_tool("generate_image", {"prompt": "a", "model": "no-such"})
    assert wrong.is_error and "no model 'no-such'" in wrong.content[0].text.lower().replace("there is ", "")


async def test_an_agent_over_stdio_has_a_mutoscope_of_its_own(tmp_path: Path) -> None:
    parameters = StdioServerParameters(
        command=sys.executable, args=["-m", "mutoscope", "mcp", "--data", str(tmp_path / "data")]
    )
    async with Client(parameters) as client:
        assert {each.name for each in (await client.list_tools()).tools} == set(TOOLS)
        made = await call(client, "generate_image", prompt="a lake", size="320x180", max_credits=100, wait_seconds=60)
        assert pictures(made)[0].size == (320, 180)
        assert Path(made.structured_content["outputs"][0]["path"]).is_file(), "nothing is served: files have a place"
        faults = await client.call_tool("script_fault", {"what": "429"})
        assert faults.is_error and "--rehearse" in faults.content[0].text


async def test_stdio_passes_on_to_a_server_with_its_key(served: Callable[..., Any], tmp_path: Path) -> None:
    key = "key_for_the_agent_of_a_test"
    async with served(rehearsal=True, keys=[{"name": "agent", "sha256": digest(key), "admin": True}]) as door:
        parameters = StdioServerParameters(
            command=sys.executable,
            args=["-m", "mutoscope", "mcp", "--server", door.url],
            env={"MUTOSCOPE_KEY": key},
        )
        async with Client(parameters) as client:
            assert {each.name for each in (await client.list_tools()).tools} == set(TOOLS)
            await all_tools(client)
        assert await owners(door) == {"agent"}


async def owners(door: Door) -> set[str]:
    jobs = await door.running.app.store.recent(limit=100)
    return {job.owner for job in jobs if job.wire == "mcp"}


async def test_a_key_is_asked_for_and_sees_its_own_jobs_only(served: Callable[..., Any]) -> None:
    keys = [{"name": name, "sha256": digest(f"key_of_{name}_in_a_test")} for name in ("ann", "bob")]
    async with served(rehearsal=True, keys=keys) as door, httpx.AsyncClient() as http:
        without = await http.post(f"{door.url}/mcp", json={})
        assert without.status_code == 401 and without.headers["www-authenticate"] == "Bearer"
        assert "authorization: Bearer" in (await http.post(f"{door.url}/mcp?key=x", json={})).json()["error"]
        async with door.client("key_of_ann_in_a_test") as ann, door.client("key_of_bob_in_a_test") as bob:
            made = await call(ann, "generate_image", prompt="a lake", max_credits=1e6)
            id = made.structured_content["id"]
            assert (await call(bob, "list_jobs")).structured_content["jobs"] == []
            for tool in ("get_job", "wait", "get_media", "cancel"):
                assert (await bob.call_tool(tool, {"job": id})).is_error, tool
            assert (await bob.call_tool("edit", {"source": id, "action": "upscale", "max_credits": 1e6})).is_error
            refused = await bob.call_tool("script_fault", {"what": "429"})
            assert refused.is_error and "admin" in refused.content[0].text


async def test_no_page_of_a_browser_reaches_an_open_server(served: Callable[..., Any]) -> None:
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    taken = {"accept": "application/json, text/event-stream"}
    async with served(rehearsal=True) as door, httpx.AsyncClient() as http:
        rebound = await http.post(f"{door.url}/mcp", json=body, headers=taken | {"host": "evil.example:80"})
        foreign = await http.post(f"{door.url}/mcp", json=body, headers=taken | {"origin": "https://evil.example"})
        assert (rebound.status_code, foreign.status_code) == (421, 403)
    async with served(rehearsal=True, mcp={"enabled": False}) as door, httpx.AsyncClient() as http:
        assert (await http.post(f"{door.url}/mcp", json=body, headers=taken)).status_code == 404
