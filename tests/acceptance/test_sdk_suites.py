"""The core of the test suites that the vendor publishes with its Python SDK, run against a rehearsing server.

The suites are read from the source distributions that `make setup` fetches; nothing of them is kept here.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
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

RUN = """
import importlib.util, sys, pytest
assert importlib.util.find_spec("runwayml").origin.startswith(sys.argv[1])
sys.exit(pytest.main(sys.argv[2:]))
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
        body = {"model": "gen4_image", "promptText": "hang", "ratio": "720:720"}
        task = client.post("/v1/text_to_image", json=body).json()["id"]
        deadline = time.monotonic() + 10
        while client.get(f"/v1/tasks/{task}").json()["status"] != "RUNNING":
            assert time.monotonic() < deadline, "the job that should take the slot does not run"
            time.sleep(0.02)
    return url


@pytest.mark.parametrize(("version", "names", "least"), [("3.22.0", CORE, 419), ("5.24.0", CORE + NEWER, 2044)])
def test_the_sdks_own_tests_pass(
    version: str, names: tuple[str, ...], least: int, rehearsal: str, tmp_path: Path
) -> None:
    home = SDKS / f"runwayml-{version}"
    if not home.is_dir():
        pytest.fail(
            f"{home} is missing. `make setup` fetches it from the package registry; "
            "without a registry, copy .venv/sdk from a checkout that has it."
        )
    report = tmp_path / "report.xml"
    # -n 0: their configuration says -n auto, whose processes take longer to start here than they save
    options = ["-q", "-n", "0", "-p", "no:cacheprovider", "--rootdir", str(home), f"--junitxml={report}"]
    files = [f"tests/api_resources/test_{name}.py" for name in names]
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(home / "src"), *options, *files],
        cwd=home,
        env=plain_environment() | {"PYTHONPATH": str(home / "src"), "TEST_API_BASE_URL": rehearsal},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    # neither version skips any of these tests itself
    assert counts(report)["skipped"] == 0
    assert counts(report)["tests"] >= least


def plain_environment() -> dict[str, str]:
    """Ours without what would reach into the inner pytest or into the SDK."""
    return {name: text for name, text in os.environ.items() if not name.startswith(("PYTEST_", "RUNWAYML_"))}


def counts(report: Path) -> dict[str, int]:
    suites = ElementTree.parse(report).getroot().iter("testsuite")
    (suite,) = suites
    return {name: int(suite.attrib[name]) for name in ("tests", "skipped", "failures", "errors")}
