"""What docs/12-adding.md says of a new vendor is true: it is built as it stands there, and the suite of every vendor is
run on it."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "12-adding.md").read_text().partition("## A vendor")[2].partition("\n## ")[0]


def block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    assert found
    return found[1]


def inserted(text: str, diff: str) -> str:
    """Each added line stands after the line that is shown before it."""
    after = ""
    for line in diff.splitlines():
        if line.startswith("+"):
            assert text.count(f"\n{after}\n") == 1, after
            text = text.replace(f"\n{after}\n", f"\n{after}\n{line[1:]}\n")
        else:
            after = line[1:]
    return text


def test_a_vendor_is_one_file_and_three_lines_and_inherits_the_suite(tmp_path: Path) -> None:
    copy = tmp_path / "mutoscope"
    left_out = shutil.ignore_patterns("__pycache__")
    for part in ("src", "tests"):
        shutil.copytree(ROOT / part, copy / part, ignore=left_out)
    shutil.copy(ROOT / "pyproject.toml", copy)
    wires = copy / "src" / "mutoscope" / "wires"
    (wires / "acme.py").write_text(block("python"))
    (wires / "__init__.py").write_text(inserted((wires / "__init__.py").read_text(), block("diff")))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "acme"]
    suites = ["tests/wires/test_all_wires.py", "tests/web/test_request_path.py"]
    environment = os.environ | {"PYTHONPATH": str(copy / "src")}
    done = subprocess.run(
        [*command, *suites], cwd=copy, env=environment, capture_output=True, text=True, timeout=110, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    assert int(done.stdout.rpartition(" passed")[0].split()[-1].lstrip("=")) > 60, done.stdout[-300:]
