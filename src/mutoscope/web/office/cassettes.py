"""Recordings of vendors, where the settings make or play some."""

import asyncio

from mutoscope.model.job import Json
from mutoscope.service import recordings
from mutoscope.web.office.calls import Asked, Desk


async def list_cassettes(desk: Desk, _asked: Asked) -> Json:
    """The recordings, the newest first; `records` and `replays` say where they lie."""
    wanted = desk.gateway.settings.cassettes
    found = await asyncio.to_thread(recordings.listed, wanted)
    return {
        "records": wanted.record or None,
        "replays": wanted.replay or None,
        "unknown": wanted.unknown if wanted.replay else None,
        "cassettes": found,
    }


async def show_cassette(desk: Desk, asked: Asked) -> Json:
    """One recording: what was asked, and each answer."""
    return await asyncio.to_thread(recordings.shown, desk.gateway.settings.cassettes, asked.params["name"])
