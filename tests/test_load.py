"""The load script in its short form: many clients at once, and a disk that is full, or read-only, for a while."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent.parent / "benchmarks" / "load.py"


@pytest.mark.parametrize("part", ["full", "files", "stalled", "readonly"])
def test_what_is_refused_is_refused_in_words_and_what_was_accepted_is_still_told(part: str) -> None:
    """How quick it is the short form does not judge: other tests run beside it."""
    command = [sys.executable, str(SCRIPT), "--part", part, "--clients", "40", "--seconds", "3"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "as it should be" in done.stdout
    if left_out := next((line for line in done.stdout.splitlines() if "left out" in line), None):
        pytest.skip(left_out)
