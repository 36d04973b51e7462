"""`mutoscope doctor --server`: a server that runs, seen from elsewhere."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from mutoscope.cli import _server
from mutoscope.cli._check import Check, Verdict
from mutoscope.cli._failure import Stop
from mutoscope.service.keys import digest

Start = Callable[..., AbstractAsyncContextManager[Any]]
TOKEN = "a-token-that-nobody-will-guess"
KEYS = [{"name": "root", "sha256": digest("admin-key"), "admin": True}, {"name": "ann", "sha256": digest("plain-key")}]
ACCOUNT = {"accounts": {"acme": {"wire": "freepik", "key": "k", "base_url": "http://127.0.0.1:9"}}}


@asynccontextmanager
async def behind_a_socket(running: Any) -> AsyncIterator[str]:
    door = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(running.app.server, log_config=None, lifespan="off"))
    task = asyncio.create_task(server.serve(sockets=[door]))
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{door.getsockname()[1]}"
    finally:
        server.should_exit = server.force_exit = True
        with contextlib.suppress(asyncio.CancelledError):
            await task
        for connection in list(server.server_state.connections):
            if connection.transport is not None:
                connection.transport.abort()
        await asyncio.sleep(0)  # so that they are closed before their loop is


async def look(start: Start, key: str | None = None, **sections: object) -> dict[str, Check]:
    async with start(**sections) as running, behind_a_socket(running) as url:
        if sections.get("server"):
            running.app.gateway.signals.draining = True
        checks = await asyncio.to_thread(lambda: list(_server.examine(url, key)))
    return {check.what: check for check in checks}


async def test_an_open_server_on_this_machine_is_well_and_tells_all(start: Start) -> None:
    found = await look(start, **ACCOUNT)
    assert {check.verdict for check in found.values()} == {Verdict.GOOD}
    assert list(found) == ["server", "version", "readiness", "keys", "jobs", "account"]
    assert found["keys"].found == "none: open to this machine"
    assert found["account"].found == "acme: in use"


async def test_a_server_with_keys_tells_its_operator_only(start: Start) -> None:
    found = await look(start, keys=KEYS, **ACCOUNT)
    assert found["keys"].found == "asked for"
    assert (found["figures"].verdict, found["figures"].found) == (Verdict.MISSING, "asked for a key")
    assert "account" not in found
    found = await look(start, "plain-key", keys=KEYS, **ACCOUNT)
    assert (found["figures"].verdict, found["figures"].found) == (Verdict.BROKEN, "the key is no admin's")
    for key in ("admin-key", TOKEN):
        found = await look(start, key, keys=KEYS, metrics={"token": TOKEN}, **ACCOUNT)
        assert found["account"].found == "acme: in use"


async def test_what_is_in_the_way_is_told(start: Start) -> None:
    found = await look(start, server={"grace_seconds": 1.0})
    assert found["readiness"].verdict is Verdict.BROKEN
    assert found["readiness"].found == "draining: the server is shutting down"


async def test_a_breaker_that_is_open_is_told(start: Start) -> None:
    async with start(**ACCOUNT) as running, behind_a_socket(running) as url:
        for _ in range(5):
            running.app.relays["acme"].breaker.failed("no answer")
        checks = await asyncio.to_thread(lambda: list(_server.examine(url, None)))
    assert [check.found for check in checks if check.what == "account"] == [
        "acme: its breaker is open, after failures in a row"
    ]


def test_nobody_at_the_address_is_said() -> None:
    [check] = _server.examine("http://127.0.0.1:9", None)
    assert check.verdict is Verdict.BROKEN and "does not answer" in check.found


@pytest.mark.parametrize("url", ["127.0.0.1:8700", "ftp://a.example", "http://", "http://[", "http://a:b"])
def test_what_is_no_address_is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(Stop):
        list(_server.examine(url, None))


async def test_accounts_stand_on_the_landing_page_of_an_open_server_only(start: Start) -> None:
    async with start(**ACCOUNT) as running:
        page = (await running.client.get("/")).text
        assert "<h2>Accounts</h2>" in page and "<code>acme</code>" in page and "in use" in page
        for _ in range(5):
            running.app.relays["acme"].breaker.failed("no answer from <script>")
        page = (await running.client.get("/")).text
        assert "left alone for" in page and "&lt;script" not in page and "<script" not in page
    async with start(keys=KEYS, **ACCOUNT) as running:
        assert "<h2>Accounts</h2>" not in (await running.client.get("/")).text
