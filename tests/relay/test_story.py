"""What an operator reads of a job that went to a vendor."""

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

from fault_proxy import status
from test_relay import make_picture

Worlds = Any


async def test_jobs_show_tells_what_was_decided_and_when(world: Worlds, tmp_path: Path) -> None:
    async with world("freepik") as it:
        it.proxy.on("POST /v1/ai/text-to-image", status(429, retry_after="1"))
        id = await make_picture(it)
        await it.finished(id)
    command = [sys.executable, "-m", "mutoscope", "jobs", "show", id, "--data", str(tmp_path / "gateway")]
    shown = (await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=60)).stdout
    for word in ("about to submit", "certainly not submitted", "waits before it is tried again", "accepted it", "429"):
        assert word in shown, shown
