"""The short form of `make chaos`: both ends, and what works for ours, are killed again and again while large results
come slowly, and the books are right in the end."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent.parent.parent / "benchmarks" / "chaos.py"


@pytest.mark.timeout(180)
@pytest.mark.parametrize("back", ["freepik", "runway"])
def test_nothing_is_lost_and_nothing_paid_twice_while_both_ends_are_killed(back: str) -> None:
    size = ["--jobs", "40", "--seconds", "5", "--heavy", "10", "--rendered", "20"]
    command = [sys.executable, "-W", "error", str(SCRIPT), "--back", back, *size]
    done = subprocess.run(command, capture_output=True, text=True, timeout=170, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    kills = int(done.stdout.split("gateway killed ")[1].split()[0])
    assert kills >= 3
    assert "| jobs that are not final | 0 | 0 | yes |" in done.stdout
    assert "| jobs rendered here | 2 |" in done.stdout
    assert int(done.stdout.split("looks into files ")[1].split()[0]) > 0
    if back == "freepik":  # its list settles everything
        assert "| jobs reported as submission_unknown | 0 |" in done.stdout
