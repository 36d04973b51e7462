"""Replicate in front and behind: a second mutoscope as the vendor, whose answers are lost on demand."""

import base64
import json
from hashlib import sha256
from typing import Any

import pytest
from fault_proxy import answer_lost

from mutoscope.engines import relay
from mutoscope.model.job import Job, Operation, Role, State
from mutoscope.wires.replicate.api import WIRE

Worlds = Any
SCHNELL, I2V = "black-forest-labs/flux-schnell", "wan-video/wan-2.2-i2v-fast"


async def make(it: Any, word: str, **input: Any) -> Job:
    answer = await it.client.post(f"/v1/models/{word}/predictions", json={"input": {"prompt": "a boat"} | input})
    assert answer.status_code == 201, answer.text
    id = WIRE.job_id(answer.json()["id"])
    return await it.finished(id)


async def test_a_clip_from_an_inline_picture_is_made_behind_and_copied_here(world: Worlds, picture: bytes) -> None:
    """The picture is sent to the vendor's files first, and is named by its link there."""
    inline = "data:image/png;base64," + base64.b64encode(picture).decode()
    async with world("replicate") as it:
        job = await make(it, I2V, image=inline, num_frames=81, seed=7, go_fast=True)
        assert job.state is State.SUCCEEDED, job.failure
        [theirs] = await it.submissions()
        wish = theirs.generation
        assert (theirs.wire, wish.operation, wish.seconds, wish.seed) == ("replicate", Operation.IMAGE_TO_VIDEO, 5.0, 7)
        assert wish.extra["go_fast"] is True
        assert wish.inputs[0].role is Role.FIRST_FRAME
        assert wish.inputs[0].asset
        sent = json.loads(theirs.body)["input"]["image"]
        assert sent.startswith("http") and "/replicate/v1/files/" in sent
        answer = await it.client.get(f"/v1/predictions/{WIRE.public_id(job.id)}")
        assert answer.json()["output"].startswith("http://gateway.test/files/")
        assert job.outputs[0].seconds == 5.0


async def test_pictures_come_back_as_many_as_were_asked_for(world: Worlds) -> None:
    async with world("replicate") as it:
        job = await make(it, SCHNELL, num_outputs=3, aspect_ratio="9:16")
        assert job.state is State.SUCCEEDED, job.failure
        assert [(each.width, each.height) for each in job.outputs] == [(768, 1344)] * 3


async def test_a_submission_whose_answer_was_lost_is_found_in_the_list(
    world: Worlds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "LIST_TRIES", (0.05, 0.1, 0.2))
    async with world("replicate", account={"exclusive": True}) as it:
        before = await make(it, SCHNELL, seed=1)
        it.proxy.on(rf"^POST /v1/models/{SCHNELL}/predictions$", answer_lost)
        job = await make(it, SCHNELL, seed=2)
        assert (before.state, job.state) == (State.SUCCEEDED, State.SUCCEEDED), job.failure
        assert [each.generation.seed for each in await it.submissions()] == [2, 1]


async def test_a_failure_behind_is_told_with_its_reason(world: Worlds) -> None:
    async with world("replicate") as it:
        job = await make(it, SCHNELL, prompt="fail refused not today")
        assert job.state is State.FAILED
        assert job.failure
        assert "not today" in job.failure.message


async def test_a_model_that_nobody_here_knows_is_asked_for_at_the_vendor_by_its_name(world: Worlds) -> None:
    """This vendor does not know it either, and says so in its own words."""
    async with world("replicate") as it:
        job = await make(it, "somebody/paints", lora_scale=1, num_outputs=1)
        told = (await it.client.get(f"/v1/predictions/{WIRE.public_id(job.id)}")).json()
        assert (told["model"], told["status"]) == ("somebody/paints", "failed")
        assert "There is no model 'somebody/paints'" in told["error"]
        assert job.generation.unread == {"input.lora_scale": 1}


async def test_what_the_vendor_alone_knows_of_a_model_and_a_member_arrives_there(world: Worlds) -> None:
    """The second mutoscope has the model by its settings, and serves it; the one in front has never heard of it."""
    row = {"operations": ["text_to_image"], "names": {"replicate": ["somebody/paints"]}, "engine": "script"}
    async with world("replicate", vendor={"models": {"paints": row}}) as it:
        job = await make(it, "somebody/paints", lora_scale=1, mood={"light": ["low", "blue"]})
        assert job.state is State.SUCCEEDED, job.failure
        assert len(job.outputs) == 1
        [theirs] = await it.submissions()
        assert (theirs.generation.model, theirs.generation.prompt) == ("paints", "a boat")
        assert json.loads(theirs.body)["input"] == {
            "prompt": "a boat", "lora_scale": 1, "mood": {"light": ["low", "blue"]}
        }  # fmt: skip
        assert not it.app.catalog.get(job.generation.model).price.known
        assert (job.estimate, job.cost) == (0.0, 0.0)


async def test_a_key_with_a_budget_is_told_that_the_price_is_not_known(world: Worlds) -> None:
    async with world("replicate", keys=[{"name": "ann", "sha256": sha256(b"k").hexdigest(), "budget": 10.0}]) as it:
        answer = await it.client.post(
            "/v1/models/somebody/paints/predictions",
            json={"input": {"prompt": "a boat"}},
            headers={"authorization": "Bearer k"},
        )
        assert answer.status_code == 403, answer.text
        assert "what replicate:somebody/paints costs at replicate is not known" in answer.text
        assert await it.submissions() == []
