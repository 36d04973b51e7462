"""What the acceptance tests share: `mutoscope serve` as a process of its own, asked over real sockets."""

import contextlib
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest

START_SECONDS = 30.0
STOP_SECONDS = 10.0
SERVES = re.compile(r"serves on (http://\S+)")
Serve = Callable[..., str]


@pytest.fixture(scope="module")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """Start a server and get its URL: `serve("--rehearse", settings="[limits]\\nmax_daily = 1")`."""
    with contextlib.ExitStack() as stack:

        def start(*options: str, settings: str = "") -> str:
            return stack.enter_context(serving(tmp_path_factory.mktemp("served"), *options, settings=settings))

        yield start


@contextlib.contextmanager
def serving(folder: Path, *options: str, settings: str) -> Generator[str]:
    """A server on a free port with its data in the folder; that it met no fault of its own is checked at the end."""
    config, said, log = folder / "mutoscope.toml", folder / "stdout", folder / "stderr"
    config.write_text(settings)
    own = {name: text for name, text in os.environ.items() if not name.startswith("MUTOSCOPE_")}
    command = [sys.executable, "-m", "mutoscope", "serve", "--port", "0", *options]
    command += ["--data", str(folder / "data"), "--config", str(config)]
    # to files, because nobody reads a pipe while the tests run
    with (
        said.open("wb") as out,
        log.open("wb") as err,
        subprocess.Popen(command, stdout=out, stderr=err, env=own | {"MUTOSCOPE_SERVER_GRACE_SECONDS": "0.1"}) as child,
    ):
        try:
            yield address(child, said, log)
        finally:
            child.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(STOP_SECONDS)
            child.kill()
    faults = [line for line in log.read_text().splitlines() if "[error" in line]
    assert not faults, faults


def address(child: subprocess.Popen[bytes], said: Path, log: Path) -> str:
    """Where it serves, once it says so."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if match := SERVES.search(said.read_text()):
            return match[1]
        if child.poll() is not None:
            break
        time.sleep(0.05)
    raise AssertionError(f"the server did not start:\n{said.read_text()}\n{log.read_text()}")
