"""What a vendor answered is recorded, and played in its place: to the byte, and with nobody at the other end."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx

from mutoscope.app import App
from mutoscope.model.job import Job, State
from mutoscope.wirekit.ids import from_uuid4_form
from mutoscope.wires import ROWS

sys.path.append(str(Path(__file__).parent.parent / "relay"))
from sockets import served

from local_settings import settings

PICTURE = "/v1/ai/text-to-image/runway"
QUICK = {"first_poll_seconds": 0.02, "max_poll_seconds": 0.1, "breaker_seconds": 0.1}
KEY = "FPSX-vendors-own-key-012345"
NOWHERE = "http://127.0.0.1:9"  # nobody listens there
CHAT = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Say something of lakes"}]}


class Gateway:
    def __init__(self, app: App, client: httpx.AsyncClient) -> None:
        self.app, self.client = app, client

    async def picture(self, prompt: str, **more: Any) -> str:
        answer = await self.client.post(PICTURE, json={"prompt": prompt, "ratio": "720:720"} | more)
        assert answer.status_code == 200, answer.text
        return from_uuid4_form(answer.json()["data"]["task_id"])

    async def finished(self, id: str, seconds: float = 30.0) -> Job:
        async with asyncio.timeout(8):
            async for job in self.app.gateway.watch(id, poll_seconds=0.05):
                if job.state.final:
                    return job
        raise AssertionError(f"job {id} vanished")

    async def made(self, prompt: str, **more: Any) -> bytes:
        job = await self.finished(await self.picture(prompt, **more))
        assert job.state is State.SUCCEEDED, job.failure
        return await self.app.assets.read(job.outputs[0].asset)

    async def failed(self, prompt: str) -> Any:
        job = await self.finished(await self.picture(prompt))
        assert job.state is State.FAILED
        return job.failure


@contextlib.asynccontextmanager
async def vendor(folder: Path, **sections: Any) -> AsyncIterator[str]:
    """A second mutoscope, which makes everything by the script."""
    makers = {row.name: {"engine": "script"} for row in ROWS}
    app = App(settings(models=makers, **sections), data=folder / "vendor")
    async with served(app) as url:
        yield url


@contextlib.asynccontextmanager
async def gateway(
    data: Path, url: str = NOWHERE, wires: tuple[str, ...] = ("freepik", "openai"), **sections: Any
) -> AsyncIterator[Gateway]:
    accounts = {wire: {"wire": wire, "key": KEY, "base_url": url} for wire in wires}
    told = {"accounts": accounts, "relay": QUICK} | sections
    app = App(settings(**told), data=data)
    transport = httpx.ASGITransport(app.server)
    async with app.running(), httpx.AsyncClient(transport=transport, base_url="http://gateway.test") as client:
        yield Gateway(app, client)


async def test_what_was_recorded_is_played_to_the_byte_with_nobody_at_the_other_end(tmp_path: Path) -> None:
    tapes = tmp_path / "tapes"
    async with vendor(tmp_path) as url, gateway(tmp_path / "a", url, cassettes={"record": str(tapes)}) as it:
        picture, other = await it.made("a lake"), await it.made("a wood")
        refusal = await it.failed("fail refused not this one")
        words = await it.client.post("/v1/chat/completions", json=CHAT)
        stream = await it.client.post("/v1/chat/completions", json=CHAT | {"stream": True})
        assert words.status_code == stream.status_code == 200, words.text
    async with gateway(tmp_path / "b", wires=(), cassettes={"replay": str(tapes)}) as it:
        assert await it.made("a lake") == picture != other == await it.made("a wood")
        assert await it.made("a lake") == picture
        assert await it.failed("fail refused not this one") == refusal
        again = await it.client.post("/v1/chat/completions", json=CHAT | {"user": "somebody else"})
        assert (again.status_code, again.content) == (200, words.content)
        again = await it.client.post("/v1/chat/completions", json=CHAT | {"stream": True})
        assert (again.status_code, again.content) == (200, stream.content)
        assert again.headers["content-type"] == stream.headers["content-type"]
        failure = await it.failed("a sea")
        assert 'prompt: "a sea" was asked' in failure.message, failure
        unknown = await it.client.post("/v1/chat/completions", json=CHAT | {"max_tokens": 5})
        assert unknown.status_code == 400 and "body.max_tokens: 5 was asked, nothing is recorded" in unknown.text
