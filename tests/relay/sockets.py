"""Apps of this process behind sockets of their own."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn

from mutoscope.app import App
from mutoscope.cli.serve import guarded


@asynccontextmanager
async def served(app: App, **more: Any) -> AsyncIterator[str]:
    """The app behind a socket of its own."""
    async with app.running(), answering(app, socket.create_server(("127.0.0.1", 0)), **more) as url:
        yield url


@asynccontextmanager
async def answering(app: App, door: socket.socket, **more: Any) -> AsyncIterator[str]:
    """An app that runs answers at this socket, on connections as `mutoscope serve` has them. `more`: of uvicorn's
    settings."""
    usual = {"log_config": None, "lifespan": "off", "access_log": False, "timeout_keep_alive": 30}
    config = uvicorn.Config(app.server, **(usual | {"http": guarded(app)} | more))
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve(sockets=[door]))
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{door.getsockname()[1]}"
    finally:
        server.should_exit = True
        server.force_exit = True
        with contextlib.suppress(asyncio.CancelledError):
            await task
        for connection in list(server.server_state.connections):  # those whose requests were cut off
            if connection.transport is not None:
                connection.transport.abort()
        await asyncio.sleep(0)  # so that they are closed before their loop is
