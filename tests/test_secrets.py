"""No secret reaches the log: a server that logs all it can is shown every secret there is, and its log is searched."""

import asyncio
import base64
import re
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import httpx
import pytest

from mutoscope.service.keys import digest
from mutoscope.telemetry import logs

IMAGE = "/v1/ai/text-to-image/runway"
SECRETS = {
    "client key": "plain-old-client-key-77-without-a-form",
    "wrong key": "msk_wrongWrongWrongWrong1234567890abcdefg",
    "vendor key": "FPSXvendorsOwnSecretKey0123456789",
    "webhook secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwTest",
    "metrics token": "metricsTokenThatNobodyWillGuess",
    "password": "correct-horse-battery",
    "query token": "queryTokenOfAReceiver99",
    "inline file": base64.b64encode(b"a picture that is nobody's business" * 4).decode(),
}
CONFIG = """
[server]
log_level = "debug"
log_json = {json}
[net]
allow_private = true
[webhooks]
secret = "{webhook secret}"
schedule = [0.1]
[metrics]
token = "{metrics token}"
[relay]
first_poll_seconds = 0.1
[models.gen4_image]
engine = "script"
[models."gen4.5"]
engines = ["acme"]
[accounts.acme]
wire = "freepik"
key = "{vendor key}"
base_url = "{vendor}"
[[keys]]
name = "ann"
sha256 = "{digest}"
"""


@asynccontextmanager
async def vendor() -> AsyncIterator[str]:
    """One that refuses a key by repeating it, and all else of the request."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            body = b'{"message": "no such key: %s"}' % " ".join(re.findall(r"FPSX\w+", head)).encode()
            start = f"HTTP/1.1 401 x\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
            writer.write(f"{start}connection: close\r\n\r\n".encode() + body)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    await asyncio.sleep(0.05)  # the last connections are closed before their loop is


@contextmanager
def serving(folder: Path, config: str) -> Iterator[tuple[str, Path]]:
    """A server of its own, and the file that all its output goes to."""
    (folder / "mutoscope.toml").write_text(config)
    log = folder / "log"
    command = [sys.executable, "-m", "mutoscope", "serve", "--port", "0", "--data", folder / "data"]
    with log.open("wb") as file:
        process = subprocess.Popen(
            [*command, "--config", folder / "mutoscope.toml"], stdout=file, stderr=subprocess.STDOUT
        )
        try:
            until = time.monotonic() + 30
            while not (found := re.search(r"serves on (http://\S+)", log.read_text())):
                assert process.poll() is None and time.monotonic() < until, log.read_text()
                time.sleep(0.05)
            yield found[1], log
        finally:
            process.terminate()
            process.wait(timeout=30)


@pytest.mark.parametrize("json", [True, False])
async def test_a_server_that_is_shown_every_secret_logs_none(tmp_path: Path, json: bool) -> None:
    async with vendor() as upstream:
        told = {**SECRETS, "json": str(json).lower(), "vendor": upstream, "digest": digest(SECRETS["client key"])}
        with serving(tmp_path, re.sub(r"\{([\w ]+)\}", lambda match: told[match[1]], CONFIG)) as (url, log):
            async with httpx.AsyncClient(base_url=url, timeout=20) as client:
                secrets = [*SECRETS.values(), *await show_all(client, upstream)]
                log_so_far = log.read_text()
        text = log.read_text()
    assert "job_started" in log_so_far and "will_retry" in text and "no such key" in text  # it logs what happens
    for secret in secrets:
        assert secret not in text, secret


async def show_all(client: httpx.AsyncClient, upstream: str) -> list[str]:
    """Send every secret wherever one goes, rightly and wrongly; returns the signed links and tokens that were given."""
    key, wrong, password, token = (SECRETS[name] for name in ("client key", "wrong key", "password", "query token"))
    good = {"x-freepik-api-key": key}
    hook = f"{upstream}/hook?token={token}"
    for headers in (
        {"x-freepik-api-key": wrong},
        {"authorization": f"Bearer {wrong}"},
        {"authorization": f"Bearer {key}", "cookie": f"session={token}"},
        {"authorization": "Basic " + base64.b64encode(f"ann:{password}".encode()).decode()},
    ):
        for path in (IMAGE, "/v1/tasks/x", "/metrics", "/admin/keys", f"/nowhere?key={key}"):
            _ = await client.get(path, headers=headers)
    _ = await client.get("/metrics", headers={"authorization": f"Bearer {SECRETS['metrics token']}"})
    picture = f"data:image/png;base64,{SECRETS['inline file']}"
    bodies: list[dict[str, object]] = [
        {"prompt": "x", "ratio": "720:720", "webhook_url": hook},
        {"prompt": "fail refused not today", "ratio": "720:720"},
        {"prompt": "x", "ratio": "720:720", "webhook_url": f"http://ann:{password}@127.0.0.1/"},
        {"prompt": "x", "ratio": key},
        {"prompt": {"authorization": key}, "ratio": "720:720"},
        {"prompt": "x", "ratio": "720:720", "reference_images": [picture]},
    ]
    ids = [
        task["task_id"]
        for body in bodies
        if (task := (await client.post(IMAGE, json=body, headers=good)).json().get("data"))
    ]
    _ = await client.post(IMAGE, content=f'{{"key": "{key}", '.encode(), headers=good)
    runway = {"authorization": f"Bearer {key}", "x-runway-version": "2024-11-06"}
    body = {"model": "gen4.5", "promptText": "x", "ratio": "1280:720", "duration": 5}
    made = await client.post("/v1/text_to_video", json=body, headers=runway)
    assert made.status_code == 200, made.text
    task = await ended(client, f"/v1/tasks/{made.json()['id']}", runway, "FAILED")
    assert "no such key" in str(task) and SECRETS["vendor key"] not in str(task), task
    shown = await ended(client, f"{IMAGE}/{ids[0]}", good, "COMPLETED")
    links = re.findall(r"http://\S+?/files/[^'\"]+", str(shown))
    assert links
    for link in links:
        assert (await client.get(link)).status_code == 200
        _ = await client.get(link.replace("sig=", "sig=0"))
        _ = await client.get(link, headers={"range": "bytes=oops"})
    for _ in range(100):  # the receiver refuses, and is tried once more
        await asyncio.sleep(0.02)
    return [link.partition("sig=")[2] for link in links]


async def ended(client: httpx.AsyncClient, path: str, headers: dict[str, str], state: str) -> object:
    for _ in range(200):
        answer = (await client.get(path, headers=headers)).json()
        if state in str(answer):
            return answer
        await asyncio.sleep(0.05)
    raise AssertionError(answer)


def test_what_is_known_to_be_secret_is_struck_out_whatever_it_looks_like(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "known", set[str]())
    logs.conceal(["an-odd-looking-secret", "", "short"])
    assert logs.replaced("key=an-odd-looking-secret, short") == "key=[redacted], short"
