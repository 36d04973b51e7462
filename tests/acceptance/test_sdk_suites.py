"""The core of the test suites that vendors publish with their Python SDKs, run against a rehearsing server.

The suites are read from the source distributions that `make setup` fetches; nothing of them is kept here.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import httpx
import pytest

SDKS = Path(__file__).resolve().parents[2] / ".venv" / "sdk"

CORE = (
    "image_to_video",
    "text_to_video",
    "video_to_video",
    "text_to_image",
    "character_performance",
    "video_upscale",
    "text_to_speech",
    "sound_effect",
    "speech_to_speech",
    "voice_dubbing",
    "voice_isolation",
    "tasks",
    "uploads",
    "organization",
)
NEWER = ("image_upscale", "video_to_audio", "video_to_hdr")
"""Endpoints that came after 3.22."""

LUMA = ("credits", "generations", "ping", "generations/concepts", "generations/image", "generations/video")


class Suite(NamedTuple):
    package: str
    version: str
    names: tuple[str, ...]  # of its files
    least: int  # tests in them
    base: str = ""  # what is behind the server's address in its base URL

    def __str__(self) -> str:
        return f"{self.package} {self.version}"


SUITES = (
    Suite("runwayml", "3.22.0", CORE, 419),
    Suite("runwayml", "5.24.0", CORE + NEWER, 2044),
    Suite("lumaai", "1.21.0", LUMA, 275, "/dream-machine/v1"),
)

RUN = """
import importlib.util, sys, pytest
assert importlib.util.find_spec(sys.argv[1]).origin.startswith(sys.argv[2])
sys.exit(pytest.main(sys.argv[3:]))
"""
# pytest, once it is sure that the code under test is that of the source distribution

HEADERS = {"authorization": "Bearer any", "x-runway-version": "2024-11-06"}
ONE_SLOT = "[script]\nslots = 1"


@pytest.fixture(scope="module")
def rehearsal(serve: Callable[..., str]) -> str:
    """A rehearsing server whose only slot is taken by a job that never ends.

    The suites look at answers, not at files. With the slot free, thousands of jobs would fetch from example.com and
    render beside them, which takes several times as long and leaves this machine.
    """
    url = serve("--rehearse", settings=ONE_SLOT)
    with httpx.Client(base_url=url, headers=HEADERS) as client:
        deadline = time.monotonic() + 30
        while client.get("/dream-machine/v1/generations/id").json()["state"] != "completed":
            assert time.monotonic() < deadline, "the task that Luma's suite goes on from is not made"
            time.sleep(0.02)
        body = {"model": "gen4_image", "promptText": "hang", "ratio": "720:720"}
        task = client.post("/v1/text_to_image", json=body).json()["id"]
        deadline = time.monotonic() + 10
        while client.get(f"/v1/tasks/{task}").json()["status"] != "RUNNING":
            assert time.monotonic() < deadline, "the job that should take the slot does not run"
            time.sleep(0.02)
    return url


@pytest.mark.parametrize("suite", SUITES, ids=str)
def test_the_sdks_own_tests_pass(suite: Suite, rehearsal: str, tmp_path: Path) -> None:
    home = SDKS / f"{suite.package}-{suite.version}"
    if not home.is_dir():
        pytest.fail(
            f"{home} is missing. `make setup` fetches it from the package registry; "
            "without a registry, copy .venv/sdk from a checkout that has it."
        )
    report = tmp_path / "report.xml"
    # -n 0: their configuration says -n auto, whose processes take longer to start here than they save
    options = ["-q", "-n", "0", "-p", "no:cacheprovider", "--rootdir", str(home), f"--junitxml={report}"]
    folders = [f"tests/api_resources/{name}".rpartition("/") for name in suite.names]
    files = [f"{folder}/test_{name}.py" for folder, _, name in folders]
    done = subprocess.run(
        [sys.executable, "-c", RUN, suite.package, str(home / "src"), *options, *files],
        cwd=home,
        env=plain_environment() | {"PYTHONPATH": str(home / "src"), "TEST_API_BASE_URL": rehearsal + suite.base},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    # none of them skips any of these tests itself
    assert counts(report)["skipped"] == 0
    assert counts(report)["tests"] >= suite.least


def plain_environment() -> dict[str, str]:
    """Ours without what would reach into the inner pytest or into the SDK."""
    return {name: text for name, text in os.environ.items() if not name.startswith(("PYTEST_", "RUNWAYML_", "LUMAAI_"))}


def counts(report: Path) -> dict[str, int]:
    suites = ElementTree.parse(report).getroot().iter("testsuite")
    (suite,) = suites
    return {name: int(suite.attrib[name]) for name in ("tests", "skipped", "failures", "errors")}
