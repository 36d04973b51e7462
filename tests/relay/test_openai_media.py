"""A server that speaks OpenAI's API makes pictures and videos: a second mutoscope in place of one of open weights."""

import base64
from typing import Any

import httpx
from msgspec.structs import replace

from mutoscope.model.job import Operation, Role, State

Worlds = Any


async def test_pictures_and_videos_are_made_by_an_account_that_says_so(world: Worlds, picture: bytes) -> None:
    async with world("openai", account={"media": True}, below="/v1") as it:
        client: httpx.AsyncClient = it.client
        for model in ("dall-e-2", "gpt-image-1"):  # of which one answers with links, and one with the files
            body = {"model": model, "prompt": "a red fox", "size": "512x256", "n": 2}
            made = await client.post("/v1/images/generations", json=body)
            assert made.status_code == 200 and len(made.json()["data"]) == 2, made.text
        file = {"image": ("in.png", picture, "image/png")}
        told = {"model": "gpt-image-1", "prompt": "at night", "size": "512x256"}
        edited = await client.post("/v1/images/edits", data=told, files=file)
        assert edited.status_code == 200 and base64.b64decode(edited.json()["data"][0]["b64_json"])[:4] == b"\x89PNG"
        link = "data:image/png;base64," + base64.b64encode(picture).decode()
        for more in ({}, {"input_reference": {"image_url": link}}):
            body = {"model": "sora-2", "prompt": "a red fox", "seconds": "4", "size": "320x192"} | more
            asked = await client.post("/v1/videos", json=body)
            assert asked.status_code == 200, asked.text
            job = await it.finished(it.app.gateway.wires["openai"].job_id(asked.json()["id"]))
            assert job.state is State.SUCCEEDED and job.engine == "openai", job.failure
            assert (job.outputs[0].width, job.outputs[0].height, job.outputs[0].seconds) == (320, 192, 4.0)
        there = await it.submissions()
        assert [each.generation.operation for each in reversed(there)] == [
            Operation.TEXT_TO_IMAGE, Operation.TEXT_TO_IMAGE, Operation.IMAGE_TO_IMAGE, Operation.TEXT_TO_VIDEO,
            Operation.IMAGE_TO_VIDEO,
        ]  # fmt: skip
        assert there[0].generation.inputs[0].role is Role.FIRST_FRAME
        assert (there[-1].generation.count, there[-1].generation.width) == (2, 512)


async def test_an_account_that_does_not_say_so_is_for_words_only(world: Worlds) -> None:
    async with world("openai", models={"dall-e-2": {"engine": "script"}}) as it:
        body = {"model": "dall-e-2", "prompt": "a red fox"}
        assert (await it.client.post("/v1/images/generations", json=body)).status_code == 200
        assert await it.submissions() == []


async def test_a_video_without_a_link_is_fetched_from_the_account_with_its_key(world: Worlds) -> None:
    async with world("openai", account={"media": True}) as it:
        relay = it.app.relays["openai"]
        poll = relay.back.poll

        def without_link(handle: Any) -> Any:
            """The answers that a server gives which has the file at `/content` only."""
            asking = poll(handle)
            answer = yield next(asking)
            try:
                asking.send(replace(answer, body=answer.body.replace(b'"url":"http', b'"link":"http')))
            except StopIteration as end:
                return end.value

        relay.back = replace(relay.back, poll=without_link)
        body = {"model": "sora-2", "prompt": "a red fox", "seconds": "4", "size": "320x192"}
        asked = await it.client.post("/v1/videos", json=body)
        job = await it.finished(it.app.gateway.wires["openai"].job_id(asked.json()["id"]))
        assert job.state is State.SUCCEEDED, job.failure
        assert any(line.endswith("/content") for line, _ in it.proxy.log)
