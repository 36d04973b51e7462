"""The short form of `make chaos`: both ends are killed again and again, and the books are right in the end."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent.parent.parent / "benchmarks" / "chaos.py"


@pytest.mark.timeout(180)
@pytest.mark.parametrize("back", ["freepik", "runway"])
def test_nothing_is_lost_and_nothing_paid_twice_while_both_ends_are_killed(back: str) -> None:
    command = [sys.executable, "-W", "error", str(SCRIPT), "--jobs", "50", "--seconds", "5", "--back", back]
    done = subprocess.run(command, capture_output=True, text=True, timeout=170, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    kills = int(done.stdout.split("gateway killed ")[1].split()[0])
    assert kills >= 3
    assert "| jobs that are not final | 0 | 0 | yes |" in done.stdout
    if back == "freepik":  # its list settles everything
        assert "| jobs reported as submission_unknown | 0 |" in done.stdout
