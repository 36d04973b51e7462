"""What is shipped with the program: locks by hash, licences that are known, an image that is nobody's root."""

import importlib.util
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
LOCKS = sorted((ROOT / "lock").glob("*.txt"))


def script(name: str) -> ModuleType:
    """A script of lock/, which is no package."""
    spec = importlib.util.spec_from_file_location(f"lock_{name}", ROOT / "lock" / f"{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# -- locks ------------------------------------------------------------------------------


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_every_locked_package_has_a_version_and_a_hash_and_no_address(lock: Path) -> None:
    text = lock.read_text()
    entries = [each for each in re.split(r"\n(?=\S)", text.replace("\\\n", " ").strip()) if not each.startswith("#")]
    assert entries
    for entry in entries:
        assert re.match(r"[\w.-]+(\[[\w,-]+\])?==\S+ ", entry), entry[:80]
        assert re.search(r"--hash=sha256:[0-9a-f]{64}\b", entry), entry[:80]
    assert "://" not in text and "--index" not in text and "--find-links" not in text and "--trusted-host" not in text


def test_every_locked_npm_package_has_a_version_and_a_hash_and_no_address() -> None:
    folder = ROOT / "tests" / "clients"
    text = (folder / "package-lock.json").read_text()
    packages: dict[str, dict[str, Any]] = json.loads(text)["packages"]
    asked = packages.pop("")["dependencies"]
    assert asked == json.loads((folder / "package.json").read_text())["dependencies"]
    assert all(re.fullmatch(r"[\d.]+", version) for version in asked.values())
    assert len(packages) > 100
    for name, package in packages.items():
        assert re.match(r"\d+\.\d+\.\d+", package["version"]), name
        assert package["integrity"].startswith("sha512-"), name
        assert "resolved" not in package, name
    assert "omit-lockfile-registry-resolved=true" in (folder / ".npmrc").read_text()


def test_the_program_asks_for_nothing_that_is_not_locked() -> None:
    locked = {line.partition("==")[0] for line in (ROOT / "lock" / "run.txt").read_text().splitlines()}
    asked = re.search(r"^dependencies = \[(.*?)^\]", (ROOT / "pyproject.toml").read_text(), re.MULTILINE | re.DOTALL)
    assert asked
    names = {re.split(r"[<>=!~;\[]", line.strip(' ",'))[0] for line in asked[1].strip().splitlines()}
    assert len(names) > 10
    assert names <= locked


# -- licences ---------------------------------------------------------------------------


def test_every_licence_of_a_locked_package_is_permissive_or_explained() -> None:
    done = subprocess.run([sys.executable, ROOT / "lock" / "licences.py"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) > 60
    assert re.search(r"^av .* carries FFmpeg .*GPL", done.stdout, re.MULTILINE)


@pytest.mark.parametrize(
    ("expression", "permitted"),
    [
        ("MIT", True),
        ("Apache-2.0 AND MIT", True),
        ("(MIT AND BSD-3-Clause) AND PSF-2.0", True),
        ("MIT OR GPL-3.0-only", True),
        ("GPL-2.0-or-later", False),
        ("MIT AND LGPL-3.0-only", False),
        ("(MIT OR Apache-2.0) AND AGPL-3.0-only", False),
        ("AGPL-3.0-only", False),
        ("SSPL-1.0", False),
        ("BUSL-1.1", False),
        ("Proprietary", False),
        ("UNKNOWN", False),
        ("", False),
    ],
)
def test_a_licence_that_asks_for_more_than_its_notice_is_not_permissive(expression: str, permitted: bool) -> None:
    licences = script("licences")
    rules: dict[str, Any] = licences.tomllib.loads((ROOT / "lock" / "licences.toml").read_text())
    assert licences.permitted(expression, rules["permissive"]) is permitted


def test_a_package_is_questioned_when_nobody_explained_it() -> None:
    licences = script("licences")
    rules: dict[str, Any] = licences.tomllib.loads((ROOT / "lock" / "licences.toml").read_text())
    packages = {each.name: each for each in licences.locked()}
    assert licences.judge(packages["hypothesis"], rules).flaw is None
    bare = {**rules, "explained": {}, "carries": {}}
    assert "not permissive" in licences.judge(packages["hypothesis"], bare).flaw
    assert "not permissive" in licences.judge(packages["httpx-aiohttp"], bare).flaw  # tells no name
    if sys.platform == "linux":
        assert "carries libraries" in licences.judge(packages["av"], bare).flaw
    assert "make setup" in licences.judge(packages["av"]._replace(version="0.1"), rules).flaw
    assert "not installed" in licences.judge(packages["av"]._replace(name="no-such-package"), rules).flaw
    stale = {**rules, "explained": {"left-pad": "gone"}}
    assert any("left-pad" in each for each in licences.unused([], stale))


# -- vulnerabilities ----------------------------------------------------------------------


def test_an_audit_that_could_ask_nobody_is_no_success() -> None:
    audit = script("audit")
    well = {"name": "a", "version": "1", "vulns": []}
    ill = {"name": "b", "version": "2", "vulns": [{"id": "CVE-2026-1", "fix_versions": ["3"], "description": ""}]}
    skipped = {"name": "c", "skip_reason": "Dependency not found on PyPI and could not be audited: c (1)"}
    told = {
        name: audit.verdict(json.dumps({"dependencies": packages, "fixes": []}), "pypi")
        for name, packages in {
            "well": [well],
            "ill": [well, ill, skipped],
            "blind": [well, skipped],
            "none": [],
        }.items()
    }
    assert {name: code for name, (code, _) in told.items()} == {"well": 0, "ill": 1, "blind": 2, "none": 2}
    assert told["ill"][1] == "b 2: CVE-2026-1, fixed in 3"
    assert audit.verdict("", "osv")[0] == audit.verdict("[]", "osv")[0] == 2


def test_without_its_tool_the_audit_says_that_nothing_is_known() -> None:
    done = subprocess.run([sys.executable, ROOT / "lock" / "audit.py", "no-such-tool"], capture_output=True, text=True)
    assert done.returncode == 2
    assert "needs the network" in done.stderr


# -- the image ------------------------------------------------------------------------------


def instructions() -> list[tuple[str, str]]:
    """The Containerfile's lines, continued ones joined."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Containerfile").read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    return [
        (word, " ".join(rest.split())) for line in text.splitlines() if line for word, _, rest in [line.partition(" ")]
    ]


def last_stage() -> dict[str, str]:
    found = instructions()
    start = max(number for number, (word, _) in enumerate(found) if word == "FROM")
    return dict(found[start:])


def test_the_image_is_nobodys_root() -> None:
    user, group = last_stage()["USER"].split(":")
    assert int(user) >= 1000 and int(group) >= 1000
    words = [word for word, _ in instructions()]
    assert words.index("USER") > len(words) - 1 - words[::-1].index("COPY")  # what is copied belongs to root


def test_the_image_writes_only_to_its_volume() -> None:
    stage = last_stage()
    assert stage["VOLUME"] == "/data"
    assert "MUTOSCOPE_SERVER_DATA=/data" in stage["ENV"]
    assert "PYTHONDONTWRITEBYTECODE=1" in stage["ENV"]
    assert "TMPDIR=/data/" in stage["ENV"]
    assert "RUN" not in stage


def test_the_image_is_made_in_two_stages_of_a_plain_tagged_one() -> None:
    bases = [rest.split()[0] for word, rest in instructions() if word == "FROM"]
    assert bases == ["python:3.11-slim"] * 2


def test_nothing_comes_into_the_image_by_an_address_or_without_a_hash() -> None:
    for word, rest in instructions():
        assert word != "ADD"
        assert not re.search(r"\b(curl|wget|git|apt|apt-get)\b", rest)
        if word != "HEALTHCHECK":
            assert "://" not in rest
        for command in re.findall(r"pip (?:install|sync)[^&]*", rest):
            assert "--require-hashes" in command
    text = (ROOT / "Containerfile").read_text()
    assert not re.search(r"(?i)(secret|password|token|api_?key)\s*=", text)


def test_what_the_image_copies_exists() -> None:
    for word, rest in instructions():
        if word == "COPY" and "--from" not in rest:
            for source in rest.split()[:-1]:
                assert (ROOT / source).exists(), source


def test_the_image_knows_whether_it_is_well_and_starts_without_a_shell() -> None:
    stage = last_stage()
    assert "/healthz" in stage["HEALTHCHECK"]
    health = json.loads(stage["HEALTHCHECK"].partition("CMD ")[2])
    compile(health[-1], "HEALTHCHECK", "exec")
    assert json.loads(stage["ENTRYPOINT"])[1:] == ["-m", "mutoscope"]
    assert json.loads(stage["CMD"]) == ["serve"]
    assert all(shlex.split(word) == [word] for word in json.loads(stage["ENTRYPOINT"]))
