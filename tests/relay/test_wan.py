"""DashScope as the vendor and as the caller: the maker of WAN 2.7 behind Freepik's words, and the other way about."""

import asyncio
import base64
from typing import Any

import pytest
from fault_proxy import answer_lost

from mutoscope.model.job import Generation, Job, Operation, Role, Sent, State
from mutoscope.wires import BY_NAME

Worlds = Any

SYNTHESIS = "/api/v1/services/aigc/video-generation/video-synthesis"
ASYNC = {"x-dashscope-async": "enable"}
TEXT, STILL = "/v1/ai/text-to-video/wan-2-7", "/v1/ai/image-to-video/wan-2-7"


async def made_by(it: Any, path: str, body: dict[str, Any]) -> tuple[Job, Job]:
    """The job here and the one at the vendor, once both are made."""
    dashscope = path.startswith("/api/v1/")
    answer = await it.client.post(path, json=body, headers=ASYNC if dashscope else {})
    assert answer.status_code == 200, answer.text
    said = answer.json()["output" if dashscope else "data"]["task_id"]
    job = await it.finished(BY_NAME["dashscope" if dashscope else "freepik"].job_id(said))
    assert job.state is State.SUCCEEDED, job.failure
    [made] = await it.submissions()
    return job, made


async def sent_ahead(it: Any, picture: bytes) -> str:
    """A link of ours to a picture, as Freepik's uploads give it."""
    asked = await it.client.post("/v1/ai/uploads/request-url", json={"files": [{"content_type": "image/png"}]})
    [slot] = asked.json()["files"]
    await it.client.put(slot["upload_url"], content=picture)
    return slot["asset_url"]


@pytest.mark.parametrize(("shape", "aspect"), [("9:16", 9 / 16), ("4:3", 4 / 3)])
async def test_a_freepik_request_for_wan_is_made_by_its_maker(world: Worlds, shape: str, aspect: float) -> None:
    body = {
        "prompt": "a paper boat",
        "negative_prompt": "rain",
        "aspect_ratio": shape,
        "resolution": "720P",
        "duration": 2,
        "seed": 9,
        "additional_settings": {"prompt_extend": False},
    }
    async with world("dashscope") as it:
        job, made = await made_by(it, TEXT, body)
        wish: Generation = made.generation
        assert (made.wire, wish.operation, wish.model) == ("dashscope", Operation.TEXT_TO_VIDEO, "wan-2.7")
        assert (wish.prompt, wish.negative_prompt, wish.seconds, wish.seed) == ("a paper boat", "rain", 2, 9)
        assert wish.extra == {"prompt_extend": False}
        assert (wish.width, wish.height) == (job.outputs[0].width, job.outputs[0].height)
        assert (wish.width or 0) / (wish.height or 1) == pytest.approx(aspect, rel=0.02)
        assert job.outputs[0].seconds == pytest.approx(2, abs=0.05)


async def test_two_pictures_go_by_the_makers_own_uploads(world: Worlds, picture: bytes) -> None:
    async with world("dashscope") as it:
        link = await sent_ahead(it, picture)
        body = {"start_image_url": link, "end_image_url": link, "duration": 2, "resolution": "720P"}
        _, made = await made_by(it, STILL, body)
        assert [each.role for each in made.generation.inputs] == [Role.FIRST_FRAME, Role.LAST_FRAME]
        for each in made.generation.inputs:
            assert await it.vendor.assets.read(each.asset) == picture
        assert it.proxy.sent("getPolicy") == 2


async def test_an_inline_picture_goes_inside_the_request_where_the_upload_would_be_for_another_model(
    world: Worlds, picture: bytes
) -> None:
    inline = f"data:image/png;base64,{base64.b64encode(picture).decode()}"
    body = {"model": "wan2.6-i2v", "input": {"img_url": inline}, "parameters": {"duration": 5, "resolution": "720P"}}
    async with world("dashscope", vendor={"server": {"grace_seconds": 0.1}}) as it:
        answer = await it.client.post(SYNTHESIS, json=body, headers=ASYNC)
        assert answer.status_code == 200, answer.text
        async with asyncio.timeout(20):
            while not (asked := await it.submissions()):
                await asyncio.sleep(0.05)
        [made] = asked
        assert await it.vendor.assets.read(made.generation.inputs[0].asset) == picture
        assert it.proxy.sent("getPolicy") == 0


async def test_a_dashscope_request_is_made_by_freepik(world: Worlds, picture: bytes) -> None:
    async with world("freepik") as it:
        link = await sent_ahead(it, picture)
        body = {
            "model": "wan2.7-i2v-2026-04-25",
            "input": {"prompt": "it sails", "media": [{"type": "first_frame", "url": link}]},
            "parameters": {"duration": 2, "resolution": "720P", "seed": 3},
        }
        _, made = await made_by(it, SYNTHESIS, body)
        wish = made.generation
        assert (made.route, wish.prompt, wish.seconds, wish.resolution) == (
            "image-to-video/wan-2-7",
            "it sails",
            2,
            "720p",
        )
        assert await it.vendor.assets.read(wish.inputs[0].asset) == picture


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (TEXT, {"prompt": "x" * 5000, "negative_prompt": "n" * 500, "duration": 2, "resolution": "720P"}),
        (SYNTHESIS, {"model": "wan2.7-t2v", "input": {"prompt": "x" * 6000}, "parameters": {"duration": 2}}),
    ],
)
async def test_texts_at_the_vendors_bound_and_cut_off_there_arrive(
    world: Worlds, path: str, body: dict[str, Any]
) -> None:
    async with world("dashscope") as it:
        _, made = await made_by(it, path, body)
        assert made.generation.prompt == "x" * 5000


async def test_a_failure_keeps_the_vendors_code(world: Worlds) -> None:
    body = {"model": "wan2.7-t2v", "input": {"prompt": "fail refused not today"}, "parameters": {"duration": 2}}
    async with world("dashscope") as it:
        answer = await it.client.post(SYNTHESIS, json=body, headers=ASYNC)
        id = answer.json()["output"]["task_id"]
        await it.finished(BY_NAME["dashscope"].job_id(id))
        told = (await it.client.get(f"/api/v1/tasks/{id}")).json()["output"]
        assert (told["task_status"], told["code"]) == ("FAILED", "DataInspectionFailed")
        assert "not today" in told["message"]


async def test_a_lost_answer_is_found_in_the_vendors_list(world: Worlds) -> None:
    async with world("dashscope", account={"exclusive": True}) as it:
        it.proxy.on(f"POST {SYNTHESIS}", answer_lost)
        job, _ = await made_by(it, TEXT, {"prompt": "a paper boat", "duration": 2, "resolution": "720P"})
        [dispatch] = await it.app.store.dispatches(job.id)
        assert dispatch.sent is Sent.ACCEPTED
        assert it.proxy.sent("start_time=") >= 1


async def test_many_tasks_are_asked_about_in_one_list(world: Worlds) -> None:
    async with world("dashscope") as it:
        ids: list[str] = []
        for number in range(12):
            body = {"prompt": f"sleep 2 boat {number}", "duration": 2, "resolution": "720P"}
            answer = await it.client.post(TEXT, json=body)
            ids.append(BY_NAME["freepik"].job_id(answer.json()["data"]["task_id"]) or "")
        jobs = [await it.finished(id, 90) for id in ids]
        assert {job.state for job in jobs} == {State.SUCCEEDED}
        assert len(await it.submissions()) == 12
        assert it.proxy.sent("GET /api/v1/tasks[?]") >= 1
