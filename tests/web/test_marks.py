"""The imperceptible mark, from a job to the administrator who reads it."""

import hashlib
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

import trained
from mutoscope.model.config import BadSettings

Start = Callable[..., AbstractAsyncContextManager[Any]]
KEY = "an-administrators-key"
KEYS = [{"name": "boss", "admin": True, "sha256": hashlib.sha256(KEY.encode()).hexdigest()}]
HEADERS = {"authorization": f"Bearer {KEY}"}
WISH = {"model": "dall-e-2", "prompt": "a lighthouse by the sea at dusk", "size": "256x256"}


async def test_a_picture_that_is_made_here_is_marked_and_an_administrator_can_read_it(start: Start, picture: bytes):
    shelf = trained.shelf("rivagan")
    async with start(weights={"folder": str(shelf.folder)}, keys=KEYS) as running:
        ask = running.client.post
        made = (await ask("/v1/images/generations", json=WISH, headers=HEADERS)).json()
        marked = (await running.client.get(made["data"][0]["url"])).content
        answer = await ask("/admin/marks", content=marked, headers=HEADERS)
        assert answer.json() == {
            "mark": {"recognised": True, "bits": answer.json()["mark"]["bits"], "of": 24, "kind": "picture"}
        }
        other = (await ask("/admin/marks", content=picture, headers=HEADERS)).json()["mark"]
        assert other["recognised"] is False and other["kind"] is None
        for content, status in ((b"no file at all", 400), (marked[:300], 400), (b"", 400)):
            answer = await ask("/admin/marks", content=content, headers=HEADERS)
            assert answer.status_code == status, answer.text
        assert (await running.client.get("/admin/marks", headers=HEADERS)).status_code == 405
        assert (await ask("/admin/marks", content=marked)).status_code == 401


async def test_without_the_files_nothing_is_marked_and_true_refuses_to_start(start: Start):
    async with start(keys=KEYS) as running:
        assert running.app.engines["studio"].mark is None
        answer = await running.client.post("/admin/marks", content=b"\x89PNG\r\n\x1a\n", headers=HEADERS)
        assert "mutoscope weights fetch rivagan" in answer.text
    with pytest.raises(BadSettings, match="mutoscope weights fetch rivagan"):
        async with start(mark={"enabled": True}):
            pass
