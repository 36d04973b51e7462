"""A sample of the extremes: no field of any route holds up the server, breaks it, or is answered with a flood."""

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parent.parent / "benchmarks" / "extremes.py"


def test_no_number_date_or_list_in_a_request_breaks_the_server_or_holds_up_the_others() -> None:
    """What is slow is asked again alone, so that other tests beside it are not taken for it."""
    command = [sys.executable, str(SCRIPT), "--seconds", "7"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "as it should be" in done.stdout
    assert int(done.stdout.split(" requests at ")[0]) > 100
