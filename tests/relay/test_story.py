"""What an operator reads of a job that went to a vendor."""

import asyncio
import os
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

from fault_proxy import status
from test_relay import make_picture

from postgres_server import server

Worlds = Any


async def test_jobs_show_tells_what_was_decided_and_when(world: Worlds, tmp_path: Path) -> None:
    async with world("freepik") as it:
        it.proxy.on("POST /v1/ai/text-to-image", status(429, retry_after="1"))
        id = await make_picture(it)
        await it.finished(id)
    command = [sys.executable, "-m", "mutoscope", "jobs", "show", id, "--data", str(tmp_path / "gateway")]
    url = server().urls[tmp_path / "gateway"] if it.app.store.shared else ""
    env = {**os.environ, "MUTOSCOPE_STORE_URL": url}
    run = partial(subprocess.run, command, capture_output=True, text=True, timeout=60, env=env)
    shown = (await asyncio.to_thread(run)).stdout
    for word in ("about to submit", "certainly not submitted", "waits before it is tried again", "accepted it", "429"):
        assert word in shown, shown
