"""A picture on its way to a vendor: as a link, by the vendor's upload route, as a data URI, by our own public link."""

import base64
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from fault_proxy import status
from msgspec.structs import replace

from mutoscope.files import egress
from mutoscope.model.job import State
from mutoscope.service import inputs
from mutoscope.wirekit.back import Way
from mutoscope.wires import BY_NAME

Worlds = Any

RUNWAY = {"x-runway-version": "2024-11-06", "authorization": "Bearer any"}
ROUTE = "/v1/ai/image-to-video/runway-4-5"


@pytest.fixture
async def somewhere(picture: bytes) -> AsyncIterator[str]:
    """A link to the picture on a server that is neither ours nor the vendor's."""

    async def answer(request: web.Request) -> web.Response:
        return web.Response(body=picture, content_type="image/png")

    app = web.Application()
    app.router.add_get("/fox.png", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/fox.png"
    await runner.cleanup()


async def made_from(it: Any, image: str) -> Any:
    """What the vendor was asked to make of the picture, once it is made."""
    body = {"image": image, "prompt": "x", "duration": 5}
    answer = await it.client.post(ROUTE, json=body)
    assert answer.status_code == 200, answer.text
    job = await it.finished(BY_NAME["freepik"].job_id(answer.json()["data"]["task_id"]))
    assert job.state is State.SUCCEEDED, job.failure
    [made] = await it.submissions()
    return made


async def bytes_at(it: Any, made: Any) -> bytes:
    return await it.vendor.assets.read(made.generation.inputs[0].asset)


async def test_a_link_is_passed_on_as_it_is(world: Worlds, somewhere: str) -> None:
    async with world("freepik") as it:
        made = await made_from(it, somewhere)
        assert made.generation.inputs[0].url == somewhere
        assert it.proxy.sent("uploads") == 0


@pytest.mark.parametrize("back", ["freepik", "runway"])
async def test_an_inline_picture_goes_by_the_vendors_upload_route(world: Worlds, back: str, picture: bytes) -> None:
    async with world(back) as it:
        made = await made_from(it, base64.b64encode(picture).decode())
        assert await bytes_at(it, made) == picture
        assert it.proxy.sent("uploads") >= 1


@pytest.mark.parametrize("back", ["freepik", "runway"])
async def test_where_there_is_none_it_goes_inside_the_request(world: Worlds, back: str, picture: bytes) -> None:
    async with world(back) as it:
        without_upload(it.app.relays[back])
        made = await made_from(it, base64.b64encode(picture).decode())
        assert await bytes_at(it, made) == picture
        assert it.proxy.sent("uploads") == 0


async def test_else_by_a_public_link_of_ours(world: Worlds, picture: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inputs, "TRIES", (0.05,))  # of the vendor, which is here
    monkeypatch.setattr(egress, "AGAIN_SECONDS", 0.05)
    async with world("freepik", server={"public_url": "https://127.0.0.1:9"}) as it:
        only_links(it.app.relays["freepik"])
        answer = await it.client.post(ROUTE, json={"image": base64.b64encode(picture).decode(), "prompt": "x"})
        job = await it.finished(BY_NAME["freepik"].job_id(answer.json()["data"]["task_id"]))
        [made] = await it.submissions()  # it cannot be fetched from there, but it was asked to be
        assert made.generation.inputs[0].url.startswith("https://127.0.0.1:9/files/")
        assert job.state is State.FAILED


async def test_else_the_error_names_the_setting_that_is_missing_and_nothing_is_spent(
    world: Worlds, picture: bytes
) -> None:
    async with world("freepik") as it:
        only_links(it.app.relays["freepik"])
        answer = await it.client.post(ROUTE, json={"image": base64.b64encode(picture).decode(), "prompt": "x"})
        assert 400 <= answer.status_code < 500, answer.text
        assert "image" in answer.text and "server.public_url" in answer.text
        assert await it.app.store.recent(limit=1) == () and await it.submissions() == []


async def test_so_it_is_with_a_link_whose_file_is_looked_into_first(world: Worlds, picture: bytes) -> None:
    """What was a link is a file of ours then, which the vendor cannot fetch."""
    async with world("freepik", inputs={"probe": "always"}) as it:
        only_links(it.app.relays["freepik"])
        answer = await it.client.post(ROUTE, json={"image": "https://media.example.net/boat.png", "prompt": "x"})
        assert 400 <= answer.status_code < 500, answer.text
        assert "image" in answer.text and "server.public_url" in answer.text
        assert await it.app.store.recent(limit=1) == () and it.proxy.sent("") == 0


async def test_an_upload_route_that_fails_for_a_while_is_tried_again(world: Worlds, picture: bytes) -> None:
    async with world("runway") as it:
        it.proxy.on("POST /v1/uploads", status(503))
        made = await made_from(it, base64.b64encode(picture).decode())
        assert await bytes_at(it, made) == picture


def without_upload(relay: Any) -> None:
    relay.back = replace(relay.back, upload=None)


def only_links(relay: Any) -> None:
    ways = relay.back.ways
    links = lambda order, each: tuple(way for way in ways(order, each) if way.way is Way.LINK)  # noqa: E731
    relay.back = replace(relay.back, upload=None, ways=links)
