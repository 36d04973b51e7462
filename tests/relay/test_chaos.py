"""The short form of `make chaos`: both ends, and what works for ours, are killed again and again while large results
come slowly, and the books are right in the end."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent.parent.parent / "benchmarks" / "chaos.py"


@pytest.mark.timeout(300)
def test_nothing_is_lost_and_nothing_paid_twice_while_both_ends_are_killed() -> None:
    """At vendors with a list (Freepik), with names (Kling), and with neither (MiniMax)."""
    size = ["--jobs", "60", "--seconds", "4", "--heavy", "10", "--rendered", "20"]
    command = [sys.executable, "-W", "error", str(SCRIPT), "--back", "freepik", "kling", "minimax", *size]
    done = subprocess.run(command, capture_output=True, text=True, timeout=290, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert int(done.stdout.split("gateway killed ")[1].split()[0]) >= 3
    assert int(done.stdout.split("looks into files ")[1].split()[0]) > 0
    assert "| jobs that are not final | 0 | 0 | yes |" in done.stdout
    assert "| jobs rendered here | 3 |" in done.stdout
    assert "| … though the vendor's list tells | 0 | 0 | yes |" in done.stdout
    assert "| … though the vendor has it by our name | 0 | 0 | yes |" in done.stdout
