"""A pytest plugin: the fixture `mutoscope` is a server that rehearses, with every vendor's SDK pointed at it.

Nothing of it runs until a test asks for the fixture, and nothing but the standard library and pytest is loaded before.
Each process of pytest-xdist has a server of its own.
"""

import contextlib
import http.client
import http.server
import json
import os
import re
import subprocess
import sys
import threading
import time
import urllib.parse
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any, NamedTuple, cast

import pytest

START_SECONDS = 60.0
STOP_SECONDS = 10.0
ANSWER_SECONDS = 30.0
SERVES = re.compile(r"serves on (http://\S+)")
VOLATILE = frozenset(
    {
        "id",
        "public_id",
        "seed",
        "created",
        "started",
        "finished",
        "url",
        "owner",
        "estimate",
        "cost",
        "bytes",
        "progress",
    }
)
"""What differs from run to run, or with a release, though the client asked for the same."""
LONG = 200  # characters of a text in a snapshot; what is longer is a file inside a body


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini("mutoscope_options", "more options of the `mutoscope serve` that rehearses", type="args", default=[])
    parser.addini("mutoscope_config", "a configuration file of the server that rehearses", default="")


class Message(NamedTuple):
    """A webhook message as it arrived at `webhook_url`."""

    path: str
    headers: dict[str, str]  # names in lower case
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Mutoscope:
    """The server, as a test sees it. What earlier tests did does not show."""

    def __init__(self, url: str, receiver: "Receiver", since: float) -> None:
        self.url, self._receiver, self._since = url, receiver, since
        self._first = len(receiver.messages)

    @property
    def environment(self) -> dict[str, str]:
        """The variables that are set while the test runs: for programs that it starts without them."""
        from mutoscope.model.sdks import environment  # late: nothing of ours is loaded before the fixture is used

        return environment(self.url)

    def base_url(self, wire: str) -> str:
        """What a client of a vendor's API takes as its base URL, where it reads no variable: base_url("kling")."""
        from mutoscope.model.sdks import base_url

        return base_url(wire, self.url)

    def fail(self, wire: str, what: str | int, *, times: int = 1, on: str = "create", **more: Any) -> None:
        """Have the next requests by a vendor's API go wrong: fail("runway", 429); fail("openai", "failed:refused").

        `what` is an HTTP status, a problem's kind, "slow", "lost", "failed:<kind>" or "webhook_twice"; `times` 0: all.
        """
        self._ask("POST", "faults", {"wire": wire, "what": what, "times": times, "on": on, **more})

    def forgive(self) -> None:
        """Take back the faults that were not met. The end of the test does it too."""
        self._ask("DELETE", "faults")

    @property
    def faults(self) -> list[dict[str, Any]]:
        """Those that were not met as often as they were told."""
        return self._ask("GET", "faults")["faults"]

    @property
    def jobs(self) -> list[dict[str, Any]]:
        """The jobs that this test has made, the oldest first, with the bodies that its client sent."""
        return self._ask("GET", f"jobs?limit=1000&since={self._since}")["jobs"]

    @property
    def deliveries(self) -> list[dict[str, Any]]:
        """The webhook messages of this test as the server sees them, with every attempt."""
        return self._ask("GET", f"webhooks?limit=1000&since={self._since}")["webhooks"]

    @property
    def webhook_url(self) -> str:
        """An address that takes webhooks: give it to the client under test."""
        return self._receiver.url

    @property
    def webhooks(self) -> list[Message]:
        """What arrived there in this test."""
        return self._receiver.messages[self._first :]

    def wait_for_webhooks(self, count: int = 1, *, seconds: float = 10.0) -> list[Message]:
        """The messages, once there are so many. Raises TimeoutError."""
        deadline = time.monotonic() + seconds
        while len(self.webhooks) < count:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{len(self.webhooks)} of {count} webhooks came in {seconds:g} s")
            time.sleep(0.02)
        return self.webhooks

    def wait(self, *, seconds: float = 30.0) -> list[dict[str, Any]]:
        """The jobs, once all have ended. Raises TimeoutError."""
        deadline = time.monotonic() + seconds
        while unfinished := [job["id"] for job in self.jobs if job["state"] in ("queued", "running")]:
            if time.monotonic() > deadline:
                raise TimeoutError(f"these jobs have not ended in {seconds:g} s: {', '.join(unfinished)}")
            time.sleep(0.02)
        return self.jobs

    def snapshot(self) -> list[dict[str, Any]]:
        """What this test's client asked for and got, without what differs from run to run: to be compared with a
        file that is kept."""
        return [steady(job, self.url, self._receiver.url) for job in self.wait()]

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        """Raises ValueError for what the server refuses."""
        parts = urllib.parse.urlsplit(self.url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=ANSWER_SECONDS)
        with contextlib.closing(connection):
            connection.request(method, f"/rehearsal/{path}", None if body is None else json.dumps(body))
            with connection.getresponse() as answer:
                told = json.loads(answer.read())
        if answer.status != 200:
            raise ValueError(told.get("error", answer.status))
        return told


def steady(job: dict[str, Any], *urls: str) -> dict[str, Any]:
    """A job without its volatile fields; its body as JSON where it is some."""
    with contextlib.suppress(ValueError):
        job = job | {"body": json.loads(job.get("body", ""))}
    return cast("dict[str, Any]", plain({name: value for name, value in job.items() if name != "owner"}, urls))


def plain(value: Any, urls: tuple[str, ...], *, ours: bool = True) -> Any:
    """`ours`: fields of our own, whose volatile ones are left out; in a body every field is the client's."""
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value)
        return {
            name: plain(each, urls, ours=ours and name not in ("body", "extra"))
            for name, each in sorted(fields.items())
            if not (ours and name in VOLATILE)
        }
    if isinstance(value, list):
        return [plain(each, urls, ours=ours) for each in cast("list[Any]", value)]
    if isinstance(value, str):
        for url in urls:
            value = value.replace(url, "<url>")
        return value if len(value) <= LONG else f"{value[:32]}… ({len(value)} characters)"
    return value


class Receiver:
    """A server of webhooks in a thread of this process, which listens once its address was asked for."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self._server: http.server.ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        if self._server is None:
            self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler(self.messages))
            threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True, name="webhooks").start()
        return f"http://127.0.0.1:{self._server.server_address[1]}/webhooks"

    def close(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()


def handler(messages: list[Message]) -> type[http.server.BaseHTTPRequestHandler]:
    class Take(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            messages.append(Message(self.path, {name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Not into the test's output."""

    return Take


# -- the fixtures ------------------------------------------------------------------------


@pytest.fixture(scope="session")
def mutoscope_server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the server that rehearses: one for the whole run, on a free port, with its data in a temporary
    directory."""
    options = [str(each) for each in request.config.getini("mutoscope_options")]
    chosen = str(request.config.getini("mutoscope_config"))
    config = request.config.rootpath / chosen if chosen else None
    with serving(tmp_path_factory.mktemp("mutoscope"), options, config) as url:
        yield url


@pytest.fixture(scope="session")
def mutoscope_receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture
def mutoscope(
    mutoscope_server: str, mutoscope_receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Mutoscope]:
    """A server that rehearses: real answers in the vendors' words, real small files, no cost, no network.

    While the test runs, every vendor's SDK finds it by its own environment variables.
    """
    server = Mutoscope(mutoscope_server, mutoscope_receiver, time.time())
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    yield server
    server.forgive()


@contextlib.contextmanager
def serving(folder: Path, options: list[str], config: Path | None) -> Generator[str]:
    """A `mutoscope serve --rehearse` of this Python. No key of a vendor reaches it, so that it can pay nobody."""
    from mutoscope.model.config import CLIENTS_KEYS, PREFIX, VENDOR_KEYS  # late, see above

    if config is None:
        config = folder / "mutoscope.toml"
        config.touch()
    kept_back = (*VENDOR_KEYS, *CLIENTS_KEYS)
    own = {name: text for name, text in os.environ.items() if not name.startswith((PREFIX, "PYTEST_", "COV_"))}
    own = {name: text for name, text in own.items() if name not in kept_back} | {
        "MUTOSCOPE_SERVER_GRACE_SECONDS": "0.1"
    }
    command = [sys.executable, "-m", "mutoscope", "serve", "--rehearse", "--allow-private", "--port", "0"]
    command += ["--data", str(folder / "data"), "--config", str(config), *options]
    said, log = folder / "stdout", folder / "stderr"
    with (
        said.open("wb") as out,
        log.open("wb") as err,
        subprocess.Popen(  # noqa: S603 - ourselves, with the options of the project's own settings
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=own, cwd=folder
        ) as child,
    ):
        try:
            yield address(child.poll, said, log)
        finally:
            child.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(STOP_SECONDS)
            child.kill()


def address(ended: Callable[[], int | None], said: Path, log: Path) -> str:
    """Where it serves, once it says so."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if match := SERVES.search(said.read_text(errors="replace")):
            return match[1]
        if ended() is not None:
            break
        time.sleep(0.02)
    told = f"{said.read_text(errors='replace')}\n{log.read_text(errors='replace')}".strip()
    raise RuntimeError(f"the mutoscope of this test run did not start:\n{told}")
