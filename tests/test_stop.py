"""A stop reaches everybody who works in the background."""

import asyncio
from pathlib import Path

from local_settings import settings
from mutoscope.app import App


async def test_a_cancel_that_comes_with_an_event_is_not_lost(tmp_path: Path) -> None:
    app = App(settings(), data=tmp_path)
    async with app.running():
        for run, wake in ((app.poller.run, app.gateway.signals.poller), (app.deliverer.run, app.deliverer.wake)):
            task = asyncio.create_task(run())
            await asyncio.sleep(0.1)
            wake.ring()
            task.cancel()
            ended, _ = await asyncio.wait([task], timeout=2)
            assert ended
