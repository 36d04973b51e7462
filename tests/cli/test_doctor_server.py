"""`mutoscope doctor --server`: a server that runs, seen from elsewhere."""

import asyncio
import contextlib
import json
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from mutoscope.cli import RESULT, _server, app
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


async def spoken(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    """What a command line answers, with all it prints."""
    capsys.readouterr()
    options = {"exit_on_error": False, "print_error": False, "result_action": RESULT}
    try:
        code = await asyncio.to_thread(app, words, **options)
    except Stop as stop:
        return 1, str(stop)
    told = capsys.readouterr()
    return code, told.out + told.err


async def watched(*words: str) -> dict[str, Any]:
    """The first line of a command that goes on until it is interrupted."""
    command = [sys.executable, "-m", "mutoscope", *words]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    try:
        assert process.stdout
        return json.loads(await process.stdout.readline())
    finally:
        process.terminate()
        await process.wait()


async def test_jobs_and_messages_of_a_server_elsewhere_are_listed_shown_and_canceled(
    start: Start, capsys: pytest.CaptureFixture[str]
) -> None:
    wish = {"model": "gen4_image", "promptText": "sleep 30; a far cat", "ratio": "1280:720"}
    headers = {"X-Runway-Version": "2024-11-06", "authorization": "Bearer plain-key"}
    hook = {"x-mutoscope-webhook": "http://127.0.0.1:9/hook"}

    async def said(*words: str, key: str = "admin-key") -> tuple[int, str]:
        return await spoken(capsys, *words, "--server", url, "--key", key)

    async with (
        start(rehearsal=True, keys=KEYS, net={"allow_private": True}) as running,
        behind_a_socket(running) as url,
    ):
        made = await running.client.post("/v1/text_to_image", json=wish, headers=headers | hook)
        public = made.json()["id"]
        id = running.app.gateway.wires["runway"].job_id(public)
        code, out = await said("jobs", "list", "--limit", "5", "--json")
        assert code == 0 and id in {job["id"] for job in json.loads(out)}
        assert "a far cat" in (await said("jobs", "list"))[1]
        assert "no such jobs" in (await said("jobs", "list", "--state", "failed"))[1]
        code, out = await said("jobs", "show", public)
        assert code == 0 and id in out and "filed" in out
        assert (await said("jobs", "cancel", id)) == (0, f"Canceled {id}.\n")
        code, out = await said("jobs", "cancel", id)
        assert code != 0 and "cannot be canceled any more" in out
        again = wish | {"promptText": "fail refused a far cat"}
        made = await running.client.post("/v1/text_to_image", json=again, headers=headers | hook)
        await running.finished(running.app.gateway.wires["runway"].job_id(made.json()["id"]))
        code, out = await said("webhooks", "list", "--job", made.json()["id"], "--json")
        message, *_ = json.loads(out)
        assert message["url"] == "http://127.0.0.1:9/hook"
        assert message["id"] in (await said("webhooks", "list", "--pending"))[1]
        code, out = await said("webhooks", "replay", message["id"])
        assert (code, out) == (0, f"{message['id']} is due now, there.\n")
        code, out = await said("webhooks", "show", message["id"])
        assert code == 0 and "to http://127.0.0.1:9/hook: " in out and "SAFETY.INPUT.TEXT" in out
        assert json.loads((await said("webhooks", "show", message["id"], "--json"))[1])["job"] == message["job"]
        code, out = await said("jobs", "wait", made.json()["id"])  # it failed
        assert code == 1 and "a far cat" in out
        slow = (await running.client.post("/v1/text_to_image", json=wish, headers=headers)).json()["id"]
        code, out = await said("jobs", "wait", slow, "--timeout", "0")
        assert code == 1 and "the time of --timeout is over" in out
        told = await watched("jobs", "watch", "--json", "--server", url, "--key", "admin-key")
        assert told["prompt"] == "sleep 30; a far cat"
        await running.client.delete(f"/v1/tasks/{slow}", headers=headers)
        for words, key, why in (
            (("jobs", "list"), "plain-key", "admin"),
            (("jobs", "show", "nothing"), "admin-key", "There is no job"),
            (("webhooks", "replay", "msg_0"), "admin-key", "There is no message"),
            (("webhooks", "show", "msg_0"), "admin-key", "There is no message"),
            (("jobs", "wait", "nothing"), "admin-key", "There is no job"),
        ):
            code, out = await said(*words, key=key)
            assert code != 0 and why in out, out


async def test_what_is_kept_of_owners_is_looked_after_from_elsewhere(
    start: Start, capsys: pytest.CaptureFixture[str]
) -> None:
    chat = {"model": "script", "messages": [{"role": "user", "content": "hello"}]}
    image = {"model": "gen4_image", "promptText": "a cat", "ratio": "1280:720"}

    async def said(*words: str) -> str:
        code, out = await spoken(capsys, *words, "--server", url, "--key", "admin-key")
        assert code == 0, out
        return out

    async with (
        start(rehearsal=True, keys=KEYS, words={"records": "bodies"}) as running,
        behind_a_socket(running) as url,
    ):
        secret = (await said("keys", "create", "bob", "--max-daily", "9", "--expires", "1h")).split()[0]
        assert secret.startswith("msk_"), secret
        [key] = json.loads(await said("keys", "list", "--json"))
        assert (key["name"], key["max_daily"], key["state"]) == ("bob", 9, "valid") and key["expires"]
        assert "max_daily 9" in await said("keys", "list")
        pair = await said("keys", "rotate", key["id"], "--grace", "1h", "--pair")
        assert "AccessKey: " in pair and "SecretKey: " in pair
        client, bob = running.client, {"authorization": f"Bearer {secret}"}
        asked = await client.post("/v1/chat/completions", json=chat, headers=bob)
        assert asked.status_code == 200, asked.text
        made = await client.post("/v1/text_to_image", json=image, headers=bob | {"X-Runway-Version": "2024-11-06"})
        id = running.app.gateway.wires["runway"].job_id(made.json()["id"])
        await running.finished(id)
        while not await running.app.store.exchanges(owner="bob"):
            await asyncio.sleep(0.01)
        assert "bob" in await said("exchanges")
        [record] = json.loads(await said("exchanges", "--owner", "bob", "--json"))
        assert "hello" in await said("exchanges", record["id"])
        assert "There are none" in await said("exchanges", "--owner", "nobody")
        usage = json.loads(await said("usage", "--by", "key", "--json"))
        spent = {
            each["key"]: (each["jobs"], each["vendor_credits"], each["built_in_credits"]) for each in usage["sums"]
        }
        assert spent["bob"][:2] == (1, 0.0)
        assert "nothing whose time is over" in await said("sweep", "--dry-run")
        assert await said("keys", "revoke", key["id"]) == f"{key['id']} (bob) is revoked.\n"
        report = json.loads(await said("forget", "bob", "--yes", "--json"))
        assert (report["removed"]["jobs"], report["removed"]["keys"], report["found"]) == (1, 2, [])
        assert await running.app.store.get(id) is None
        assert f"{url}/console/sign-in?once=" in await said("open")
        for words in (("sweep", "--strays"), ("forget", "bob", "--search", "x"), ("keys", "create", "x", "--toml")):
            assert (await spoken(capsys, *words, "--server", url))[0] == 1
