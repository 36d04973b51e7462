"""What starts a server elsewhere, held against the code: pipelines, Compose, Kubernetes, systemd."""

import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from mutoscope.cli import app
from mutoscope.model.config import Settings

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "deploy"
CONTAINERFILE = (ROOT / "Containerfile").read_text()
SECTIONS = {each.name: each.type for each in msgspec.structs.fields(Settings)}
SECONDS = 60.0


class NoSection(msgspec.Struct):
    pass


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


def settings_named(text: str) -> list[tuple[str, str]]:
    """The sections and settings that its environment variables stand for."""
    return [(match[1].lower(), match[2].lower()) for match in re.finditer(r"MUTOSCOPE_([A-Z]+)_([A-Z_0-9]+)", text)]


def test_every_setting_that_they_name_exists() -> None:
    for path in (
        DEPLOY / "compose.yaml",
        DEPLOY / "mutoscope.service",
        DEPLOY / "kubernetes.yaml",
        ROOT / "Containerfile",
    ):
        for section, setting in settings_named(path.read_text()):
            known = {each.name for each in msgspec.structs.fields(SECTIONS.get(section, NoSection))}
            assert setting in known, (path.name, section, setting)


def test_the_action_starts_what_is_there() -> None:
    action = read(ROOT / "action.yml")
    text = (ROOT / "action.yml").read_text()
    assert action["runs"]["using"] == "composite" and all(step["shell"] == "bash" for step in action["runs"]["steps"])
    assert set(re.findall(r"inputs\.([\w-]+)", text)) == set(action["inputs"])
    assert action["inputs"]["port"]["default"] == str(Settings().server.port)
    (pinned,) = re.findall(r"uv==([\d.]+)", text)
    assert f"uv=={pinned} " in (ROOT / "lock" / "tools.txt").read_text()
    for name in re.findall(r'"\$ACTION/([^"]+)"', text):
        assert (ROOT / name).is_file(), name
    for step in action["runs"]["steps"]:
        assert "${{" not in step["run"], "an input is a word of a shell only by way of the environment"


def test_the_pipelines_run_scripts_that_are_there() -> None:
    for path in (DEPLOY / "ci" / "gitlab-ci.yml", DEPLOY / "ci" / "github-workflow.yml"):
        assert isinstance(read(path), dict)
        for name in re.findall(r"deploy/ci/[\w.]+", path.read_text()):
            assert (ROOT / name).is_file() and os.access(ROOT / name, os.X_OK), name
    for step in read(DEPLOY / "ci" / "github-workflow.yml")["jobs"]["test"]["steps"]:
        assert re.fullmatch(r".+@[0-9a-f]{40}", step.get("uses", "a@" + "0" * 40)), "an action is pinned to a commit"


def test_compose_has_the_image_and_its_directory() -> None:
    composed = read(DEPLOY / "compose.yaml")
    services = composed["services"]
    assert {profile for each in services.values() for profile in each["profiles"]} == {"dev", "team"}
    for name in ("dev", "team"):
        service = services[name]
        assert (DEPLOY / service["build"]["context"] / service["build"]["dockerfile"]).is_file()
        assert service["read_only"] and service["ports"] == ["127.0.0.1:8700:8700"]
        assert service["volumes"][0].endswith(":/data") and "VOLUME /data" in CONTAINERFILE
    assert set(composed["volumes"]) == {
        each["volumes"][0].partition(":")[0] for each in services.values() if "volumes" in each
    }
    for each in services.values():
        assert set(each.get("depends_on", ())) <= set(services)


def test_kubernetes_runs_the_image_as_it_is_made() -> None:
    kinds = {each["kind"]: each for each in yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text())}
    pod = kinds["Deployment"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    user = pod["securityContext"]
    assert f"USER {user['runAsUser']}:{user['runAsGroup']}" in CONTAINERFILE
    assert container["ports"][0]["containerPort"] == Settings().server.port
    assert f"EXPOSE {Settings().server.port}" in CONTAINERFILE
    assert {container[probe]["httpGet"]["path"] for probe in ("livenessProbe", "readinessProbe")} == {
        "/healthz",
        "/readyz",
    }
    mounts = {each["mountPath"] for each in container["volumeMounts"]}
    assert {"/data", "/etc/mutoscope"} <= mounts and "WORKDIR /etc/mutoscope" in CONTAINERFILE
    assert pod["terminationGracePeriodSeconds"] > Settings().server.grace_seconds
    assert {each["name"] for each in pod["volumes"]} == {each["name"] for each in container["volumeMounts"]}
    assert kinds["Deployment"]["spec"]["strategy"]["type"] == "Recreate", "a data directory has one process"
    labels = kinds["Deployment"]["spec"]["selector"]["matchLabels"]
    assert (
        labels == kinds["Service"]["spec"]["selector"] == kinds["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"]
    )
    msgspec.convert(msgspec.toml.decode(kinds["ConfigMap"]["data"]["mutoscope.toml"]), Settings)


def test_systemd_starts_a_command_that_there_is() -> None:
    unit = dict(line.split("=", 1) for line in (DEPLOY / "mutoscope.service").read_text().splitlines() if "=" in line)
    program, *words = shlex.split(unit["ExecStart"])
    assert program.endswith("/mutoscope")
    command, bound, _ = app.parse_args(words, exit_on_error=False, print_error=False)
    assert command.__name__ == "serve" and str(bound.arguments["data"]) == "/var/lib/mutoscope"
    assert float(unit["TimeoutStopSec"]) > Settings().server.grace_seconds
    assert unit["StateDirectory"] == "mutoscope"


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl, which the scripts ask with, is not installed")
def test_a_pipeline_starts_a_rehearsal_and_keeps_its_transcript(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    outputs = {"GITHUB_ENV": str(tmp_path / "env"), "GITHUB_OUTPUT": str(tmp_path / "out")}
    own = {name: text for name, text in os.environ.items() if not name.startswith(("PYTEST", "MUTOSCOPE_"))}
    told = {
        "MUTOSCOPE": f"{sys.executable} -m mutoscope",
        "REHEARSAL_PORT": str(port),
        "REHEARSAL_FOLDER": str(tmp_path / "kept here"),
        "RUNWAYML_API_SECRET": "a key that pays",
    }

    def run(script: str, *options: str) -> None:
        command = ["bash", str(DEPLOY / "ci" / script), *options]
        done = subprocess.run(
            command, env=own | told | outputs, capture_output=True, text=True, timeout=SECONDS, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr

    run("start.sh")
    try:
        variables = dict(line.split("=", 1) for line in (tmp_path / "env").read_text().splitlines())
        url = f"http://127.0.0.1:{port}"
        assert variables["RUNWAYML_BASE_URL"] == f"{url}/runway" and (tmp_path / "out").read_text() == f"url={url}\n"
        wish = json.dumps({"model": "gen4_image", "promptText": "a lake", "ratio": "1920:1080"})
        asked = ["curl", "-sSf", f"{url}/runway/v1/text_to_image", "-H", "x-runway-version: 2024-11-06"]
        subprocess.run([*asked, "-H", "content-type: application/json", "-d", wish], check=True, capture_output=True)
    finally:
        run("stop.sh")
    (job,) = json.loads((tmp_path / "kept here" / "transcript.json").read_text())["jobs"]["jobs"]
    assert json.loads(job["body"])["promptText"] == "a lake"
    assert "runway" not in (tmp_path / "kept here" / "said.txt").read_text().partition("engines")[2].splitlines()[0]
