"""A gateway whose vendor is a second mutoscope, with a proxy between the two that goes wrong on demand."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from fault_proxy import FaultProxy
from sockets import served

from local_settings import settings
from mutoscope.app import App
from mutoscope.model.config import Settings
from mutoscope.model.job import Job
from mutoscope.wires import ROWS

QUICK = {
    "first_poll_seconds": 0.1,
    "max_poll_seconds": 0.3,
    "request_seconds": 10.0,  # of a busy machine
    "breaker_seconds": 0.5,
}


class World:
    """`vendor` is the second mutoscope, `proxy` stands before it, `app` is the gateway, `client` speaks to that."""

    def __init__(self, house: "VendorHouse", proxy: FaultProxy, app: App, client: httpx.AsyncClient) -> None:
        self.house, self.proxy, self.app, self.client = house, proxy, app, client

    @property
    def vendor(self) -> App:
        return self.house.app

    async def restart_vendor(self) -> None:
        """Its process ends and another takes up its data; what was being made there is made anew."""
        await self.house.stop()
        self.proxy.target = await self.house.start()

    async def shown_to_all(self, data: bytes) -> str:
        """A link to a picture that gateway and vendor can reach."""
        async with httpx.AsyncClient(base_url=self.proxy.url) as client:
            asked = await client.post("/v1/ai/uploads/request-url", json={"files": [{"content_type": "image/png"}]})
            [slot] = asked.json()["files"]
            await client.put(slot["upload_url"], content=data)
            return slot["asset_url"]

    async def finished(self, id: str, seconds: float = 30.0) -> Job:
        """The job once it is final."""
        async with asyncio.timeout(seconds):
            async for job in self.app.gateway.watch(id, poll_seconds=0.05):
                if job.state.final:
                    return job
        raise AssertionError(f"job {id} vanished")

    async def submissions(self) -> list[Job]:
        """What the vendor was asked to make."""
        return list(await self.vendor.store.recent(limit=1000))

    async def story(self, id: str) -> list[str]:
        return [event.what for event in await self.app.store.events(id)]


Worlds = Callable[..., AbstractAsyncContextManager[World]]


class VendorHouse:
    """The second mutoscope and its socket, which can be stopped and started again on the same data."""

    def __init__(self, settings: Settings, data: Path) -> None:
        self.settings, self.data = settings, data
        self._stack = contextlib.AsyncExitStack()

    async def start(self) -> str:
        self.app = App(self.settings, data=self.data)
        return await self._stack.enter_async_context(served(self.app))

    async def stop(self) -> None:
        await self._stack.aclose()


@pytest.fixture
def world(tmp_path: Path) -> Worlds:
    """Start both: `async with world("runway", relay={…}) as it`. The data stay between starts of a `place`.
    `below`: the path of the vendor's address."""

    @asynccontextmanager
    async def run(
        back: str = "freepik",
        *,
        account: dict[str, object] | None = None,
        accounts: dict[str, dict[str, object]] | None = None,
        vendor: dict[str, object] | None = None,
        relay: dict[str, object] | None = None,
        place: str = "",
        below: str = "",
        **sections: object,
    ) -> AsyncIterator[World]:
        folder = tmp_path / place
        makers = {row.name: {"engine": "script"} for row in ROWS}
        sections_there: dict[str, Any] = {"models": makers, "script": {"slots": 64}} | (vendor or {})
        house = VendorHouse(settings(**sections_there), folder / "vendor")
        url = await house.start()
        try:
            proxy = FaultProxy(url)
            await proxy.start()
            told = accounts or {back: {"wire": back, **(account or {})}}
            keyed = {name: {"key": "k", "base_url": proxy.url + below, **each} for name, each in told.items()}
            merged = {"accounts": keyed, "relay": QUICK | (relay or {}), **sections}
            app = App(settings(**merged), data=folder / "gateway")
            transport = httpx.ASGITransport(app.server)
            try:
                async with (
                    app.running(),
                    httpx.AsyncClient(transport=transport, base_url="http://gateway.test") as client,
                ):
                    yield World(house, proxy, app, client)
            finally:
                await proxy.close()
        finally:
            await house.stop()

    return run
