"""A vendor that tells on itself, and gateways that record and replay it."""

import asyncio
import contextlib
import io
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
from aiohttp import web
from PIL import Image

from mutoscope.app import App
from mutoscope.model.job import Job, State
from mutoscope.wirekit.ids import from_uuid4_form
from mutoscope.wires import ROWS

sys.path.append(str(Path(__file__).parent.parent / "relay"))
from sockets import served

from local_settings import settings

PICTURE = "/v1/ai/text-to-image/runway"
CHATS = "/v1/chat/completions"
ENDLESS = "what nobody waits for"  # never made
QUICK = {"first_poll_seconds": 0.02, "max_poll_seconds": 0.1, "breaker_seconds": 0.1}
KEY = "FPSX-vendors-own-key-012345"
NOWHERE = "http://127.0.0.1:9"  # nobody listens there
SECRETS = {
    "key": KEY,
    "signature": "5f1d0a7c9e3b-signature-of-a-link",
    "credential": "AKIAcredentialOfALink",
    "cookie": "sessionCookie-77aa88bb",
    "client secret": "ek_clientSecret_0123456789",
    "e-mail": "operator@vendor.example",
    "bearer": "eyBearerInAnAnswer.0123456789",
}


def chat(text: str, **more: Any) -> dict[str, Any]:
    return {"model": "gpt-4o", "messages": [{"role": "user", "content": text}]} | more


class Gateway:
    def __init__(self, app: App, client: httpx.AsyncClient) -> None:
        self.app, self.client = app, client

    async def picture(self, prompt: str, **more: Any) -> str:
        answer = await self.client.post(PICTURE, json={"prompt": prompt, "ratio": "720:720"} | more)
        assert answer.status_code == 200, answer.text
        id = from_uuid4_form(answer.json()["data"]["task_id"])
        assert id
        return id

    async def finished(self, id: str) -> Job:
        async with asyncio.timeout(60):
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

    async def say(self, text: str, **more: Any) -> httpx.Response:
        return await self.client.post(CHATS, json=chat(text, **more))


@contextlib.asynccontextmanager
async def second_mutoscope(folder: Path, **sections: Any) -> AsyncIterator[str]:
    """A vendor that makes everything by the script."""
    makers = {row.name: {"engine": "script"} for row in ROWS}
    app = App(settings(models=makers, **sections), data=folder / "vendor")
    async with served(app) as url:
        yield url


@contextlib.asynccontextmanager
async def gateway(
    data: Path, url: str = NOWHERE, *, wires: tuple[str, ...] = ("freepik", "openai"), **sections: Any
) -> AsyncIterator[Gateway]:
    accounts = {wire: {"wire": wire, "key": KEY, "base_url": url} for wire in wires}
    app = App(settings(**({"accounts": accounts, "relay": QUICK} | sections)), data=data)
    transport = httpx.ASGITransport(app.server)
    async with app.running(), httpx.AsyncClient(transport=transport, base_url="http://gateway.test") as client:
        yield Gateway(app, client)


def replaying(data: Path, tapes: Path, **more: Any) -> Any:
    """Nobody's accounts, and nobody at the other end."""
    return gateway(data, wires=(), cassettes={"replay": str(tapes)} | more)


class Vendor:
    """Makes pictures in Freepik's words, no two alike, answers in OpenAI's, and shows every secret that it can."""

    def __init__(self) -> None:
        self.asked: list[str] = []  # prompts
        self.tasks: dict[str, str] = {}
        self.polled: dict[str, int] = {}
        self.hooks: list[bytes] = []
        self.url = ""

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        app = web.Application()
        app.router.add_post(PICTURE, self.create)
        app.router.add_get(PICTURE + "/{id}", self.read)
        app.router.add_get("/out/{id}", self.file)
        app.router.add_post(CHATS, self.words)
        app.router.add_post("/hook", self.hook)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield self.url
        finally:
            await runner.cleanup()

    async def create(self, request: web.Request) -> web.Response:
        prompt = (await request.json())["prompt"]
        self.asked.append(prompt)
        if prompt == "busy" and self.asked.count(prompt) == 1:
            return web.json_response({"message": "too many"}, status=429, headers={"retry-after": "0.05"})
        if prompt == "bad":
            return web.json_response({"message": f"not this; {request.headers.get('x-freepik-api-key')}"}, status=400)
        id = f"6f1b3f0e-0000-4000-8000-{len(self.asked):012}"
        self.tasks[id] = prompt
        return web.json_response({"data": {"task_id": id, "status": "CREATED", "generated": []}}, headers=telling())

    async def read(self, request: web.Request) -> web.Response:
        id = request.match_info["id"]
        self.polled[id] = self.polled.get(id, 0) + 1
        data: dict[str, Any] = {"task_id": id, "status": "IN_PROGRESS", "generated": []}
        if self.polled[id] > 1 and self.tasks[id] != ENDLESS:
            query = f"X-Amz-Credential={SECRETS['credential']}&X-Amz-Signature={SECRETS['signature']}"
            data |= {"status": "COMPLETED", "generated": [f"{self.url}/out/{id}?{query}"]}
            data |= {"client_secret": SECRETS["client secret"], "note": f"Bearer {SECRETS['bearer']}"}
        if self.tasks[id] == "refuse":
            data |= {"status": "FAILED", "generated": []}
        return web.json_response({"data": data}, headers=telling())

    async def file(self, request: web.Request) -> web.Response:
        assert request.query["X-Amz-Signature"] == SECRETS["signature"]
        file, number = io.BytesIO(), int(request.match_info["id"][-4:])
        Image.new("RGB", (64, 64), (number, 2 * number, 99)).save(file, "PNG")
        return web.Response(body=file.getvalue(), content_type="image/png")

    async def words(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        text = body["messages"][0]["content"]
        self.asked.append(text)
        number = self.asked.count(text)
        if text == "crowded":
            error = {"error": {"message": "slow down", "type": "requests", "code": "rate_limit_exceeded"}}
            return web.json_response(error, status=429, headers={"retry-after": "0.05"})
        said = {"role": "assistant", "content": f"{text}, {number}"}
        if not body.get("stream"):
            told = {"id": f"c{number}", "choices": [{"index": 0, "message": said, "finish_reason": "stop"}]}
            return web.json_response(told, headers=telling())
        response = web.StreamResponse(headers={"content-type": "text/event-stream"} | telling())
        await response.prepare(request)
        for word in f"{text} {number} wörter {request.headers['authorization']}".split(" "):
            chunk = web.json_response({"choices": [{"index": 0, "delta": {"content": word}}]}).body
            await response.write(b"data: " + bytes(chunk or b"") + b"\n\n")  # pyright: ignore[reportArgumentType]
            await asyncio.sleep(0.02)
        if text != "torn":
            await response.write(b"data: [DONE]\n\n")
        elif request.transport:
            request.transport.abort()
        return response

    async def hook(self, request: web.Request) -> web.Response:
        self.hooks.append(await request.read())
        return web.Response(status=204)


def telling() -> dict[str, str]:
    return {
        "set-cookie": f"session={SECRETS['cookie']}",
        "x-owner": SECRETS["e-mail"],
        "x-request-id": f"for {SECRETS['e-mail']}",
    }
