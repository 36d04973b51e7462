"""A stranger's program that uses DashScope's Python SDK as it is, with nothing changed but the base URL.

The SDK is unpacked by `make setup` and not installed; its programs run in processes of their own, because it keeps its
key and its address in its modules.
"""

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from media_found import clip_in

WHEELS = Path(__file__).resolve().parents[2] / ".venv" / "sdk" / "wheels"
SECONDS = 60.0

SETTINGS = """
[models."wan-2.7"]  # its clips need not be a sight to see here
engine = "script"
[models."wan-2.2-kf2v"]
engine = "script"
[script]
slots = 2
"""

PRELUDE = """
import asyncio, json, sys, time
import dashscope
from dashscope import VideoSynthesis
from dashscope.aigc.video_synthesis import AioVideoSynthesis

def said(answer):
    return json.loads(str(answer))

def until(status, task):
    while VideoSynthesis.fetch(task).output.task_status != status:
        time.sleep(0.05)

picture, other = sys.argv[1:3]
"""


@pytest.fixture(scope="module")
def url(serve: Callable[..., str]) -> str:
    return serve("--allow-private", settings=SETTINGS)


@pytest.fixture
def run(url: str, picture: bytes, tmp_path: Path) -> Callable[..., Any]:
    """Run a program that uses the SDK; what it says at its end is returned."""
    if not WHEELS.is_dir():
        pytest.fail(
            f"{WHEELS} is missing. `make setup` fetches it from the package registry; "
            "without a registry, copy .venv/sdk from a checkout that has it."
        )
    files = [tmp_path / "a cat.png", tmp_path / "b.png"]
    for file in files:
        file.write_bytes(picture)

    def run(program: str) -> Any:
        own = {name: text for name, text in os.environ.items() if not name.upper().startswith(("PYTEST_", "DASHSCOPE"))}
        base = {"DASHSCOPE_HTTP_BASE_URL": f"{url}/api/v1", "DASHSCOPE_API_KEY": "any", "HOME": str(tmp_path)}
        done = subprocess.run(
            [sys.executable, "-c", PRELUDE + textwrap.dedent(program), *map(str, files)],
            env=own | base | {"PYTHONPATH": str(WHEELS)},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
        return json.loads(done.stdout.splitlines()[-1])

    return run


def download(answer: Any) -> bytes:
    assert answer["status_code"] == 200, answer
    assert answer["output"]["task_status"] == "SUCCEEDED", answer
    return httpx.get(answer["output"]["video_url"]).raise_for_status().content


def test_a_call_waits_for_its_clip(run: Callable[..., Any]) -> None:
    answer = run("""
        answer = VideoSynthesis.call("wan2.7-t2v", prompt="a lighthouse at dusk", resolution="720P", ratio="9:16",
            duration=2, seed=0, negative_prompt="rain", prompt_extend=False)
        print(json.dumps(said(answer)))
    """)
    made = clip_in(download(answer))
    assert (made.width, made.height, made.seconds) == (720, 1280, 2)
    assert answer["output"]["orig_prompt"] == "a lighthouse at dusk"
    assert (answer["usage"]["output_video_duration"], answer["usage"]["SR"], answer["usage"]["ratio"]) == (
        2,
        720,
        "9:16",
    )


def test_a_local_file_is_uploaded_and_becomes_a_clip(run: Callable[..., Any]) -> None:
    created, first, waited = run("""
        created = VideoSynthesis.async_call("wan2.7-i2v", prompt="she turns", duration=2, resolution="720P",
            media=[{"type": "last_frame", "url": "file://" + other}, {"type": "first_frame", "url": picture}])
        first = VideoSynthesis.fetch(created.output.task_id)
        print(json.dumps([said(created), said(first), said(VideoSynthesis.wait(created))]))
    """)
    assert created["output"]["task_status"] == "PENDING", created
    assert first["output"]["task_id"] == created["output"]["task_id"] == waited["output"]["task_id"]
    assert clip_in(download(waited)).seconds == 2


def test_the_older_first_and_last_frame_model_goes_by_its_own_path(run: Callable[..., Any]) -> None:
    answer = run("""
        print(json.dumps(said(VideoSynthesis.call("wan2.2-kf2v-flash", first_frame_url=picture, last_frame_url=other))))
    """)
    assert clip_in(download(answer)).seconds == 5


def test_the_async_client_works_too_and_the_address_can_be_set_at_run_time(run: Callable[..., Any], url: str) -> None:
    answer = run(f"""
        dashscope.base_http_api_url = "{url}/dashscope/api/v1"
        print(json.dumps(said(asyncio.run(AioVideoSynthesis.call("wan2.7-t2v", prompt="a boat", duration=2)))))
    """)
    assert clip_in(download(answer)).width == 1920


def test_what_waits_can_be_canceled_and_what_runs_cannot(run: Callable[..., Any]) -> None:
    taken, canceled, refused, waited = run("""
        running = [VideoSynthesis.async_call("wan2.7-t2v", prompt="sleep 3", duration=2) for _ in range(2)]
        until("RUNNING", running[0]), until("RUNNING", running[1])
        queued = VideoSynthesis.async_call("wan2.7-t2v", prompt="a boat", duration=2)
        canceled, refused = VideoSynthesis.cancel(queued), VideoSynthesis.cancel(running[0])
        print(json.dumps([said(running[0]), said(canceled), said(refused), said(VideoSynthesis.wait(queued))]))
    """)
    assert taken["status_code"] == 200
    assert (canceled["status_code"], waited["output"]["task_status"]) == (200, "CANCELED")
    assert (refused["status_code"], refused["code"]) == (400, "UnsupportedOperation")
    assert "PENDING" in refused["message"]


def test_tasks_are_listed_by_their_state(run: Callable[..., Any]) -> None:
    failed, everything, failures, page = run("""
        failed = VideoSynthesis.call("wan2.7-t2v", prompt="fail refused not today", duration=2)
        everything = VideoSynthesis.list(page_size=100)
        failures = VideoSynthesis.list(status="FAILED", model_name="wan2.7-t2v", start_time="20260101000000")
        print(json.dumps([said(each) for each in (failed, everything, failures, VideoSynthesis.list(page_size=1))]))
    """)
    assert (failed["output"]["code"], failed["output"]["message"]) == ("DataInspectionFailed", "not today")
    id = failed["output"]["task_id"]
    assert everything["output"]["data"][0]["task_id"] == id
    assert [each["task_id"] for each in failures["output"]["data"]] == [id]
    assert len(page["output"]["data"]) == 1


def test_errors_come_back_with_the_vendors_codes(run: Callable[..., Any]) -> None:
    model, body, media, unknown, upload = run("""
        answers = [
            VideoSynthesis.async_call("wan9-t2v", prompt="a boat"),
            VideoSynthesis.async_call("wan2.7-t2v", prompt="a boat", duration=99, resolution="4K"),
            VideoSynthesis.async_call("wan2.7-i2v", media=[{"type": "last_frame", "url": "https://files.example/a.png"}]),
            VideoSynthesis.fetch("7c0a6b52-0f5e-4d0a-9c53-2f6f1d1b8a10"),
        ]
        try:
            VideoSynthesis.async_call("wan9-i2v", img_url=picture)
        except Exception as error:
            answers.append(json.dumps(str(error)))
        print(json.dumps([said(each) for each in answers]))
    """)
    assert (model["status_code"], model["code"]) == (404, "ModelNotFound")
    assert (body["status_code"], body["code"]) == (400, "InvalidParameter")
    assert "parameters.resolution" in body["message"]
    assert "parameters.duration" in body["message"]
    assert (media["status_code"], media["code"]) == (400, "InvalidParameter")
    assert (unknown["status_code"], unknown["output"]["task_status"]) == (200, "UNKNOWN")
    assert "ModelNotFound" in upload
