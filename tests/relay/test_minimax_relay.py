"""MiniMax behind: a second mutoscope as the vendor, whose errors have the status 200."""

from typing import Any

import pytest

from mutoscope.model.job import Operation, State
from mutoscope.model.problem import Kind
from mutoscope.service.keys import digest
from mutoscope.wires.minimax.words import from_digits

Worlds = Any
PROBED = {"inputs": {"probe": "never"}}
AT_ONCE: list[tuple[str, dict[str, Any], Operation]] = [
    (
        "image_generation",
        {"model": "image-01", "prompt": "a fox", "aspect_ratio": "16:9", "n": 2},
        Operation.TEXT_TO_IMAGE,
    ),
    ("t2a_v2", {"model": "speech-02-hd", "text": "Hello there"}, Operation.TEXT_TO_SPEECH),
    ("music_generation", {"model": "music-2.0", "prompt": "a calm piano piece"}, Operation.TEXT_TO_MUSIC),
]


async def made(it: Any, body: dict[str, Any], path: str = "/v1/video_generation") -> Any:
    answer = (await it.client.post(path, json=body)).json()
    return await it.finished(from_digits(answer["task_id"]))


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (
            "/v1/video_generation",
            {"model": "MiniMax-Hailuo-2.3", "prompt": "a fox", "resolution": "1080P", "duration": 6},
        ),
        ("/v1/video_generation", {"model": "T2V-01", "prompt": "a fox"}),
        (
            "/v2/video_generation",
            {"model": "MiniMax-H3", "content": [{"type": "text", "text": "a fox"}], "ratio": "1:1", "duration": 4},
        ),
    ],
)
async def test_a_video_is_made_by_the_vendor_and_copied(path: str, body: dict[str, Any], world: Worlds) -> None:
    async with world("minimax", **PROBED) as it:
        job = await made(it, body, path)
        assert (job.state, job.engine) == (State.SUCCEEDED, "minimax")
        [asked] = await it.submissions()
        wish, told = asked.generation, job.generation
        assert (wish.operation, wish.model, wish.prompt) == (told.operation, told.model, "a fox")
        assert (wish.width, wish.height, wish.seconds) == (told.width, told.height, told.seconds)
        assert job.outputs[0].bytes == asked.outputs[0].bytes


@pytest.mark.parametrize(("path", "body", "operation"), AT_ONCE, ids=[path for path, _, _ in AT_ONCE])
async def test_what_is_answered_at_once_is_kept(
    path: str, body: dict[str, Any], operation: Operation, world: Worlds
) -> None:
    async with world("minimax", **PROBED) as it:
        answer = (await it.client.post(f"/v1/{path}", json=body)).json()
        assert answer["base_resp"]["status_code"] == 0, answer
        [asked] = await it.submissions()
        assert (asked.generation.operation, asked.wire) == (operation, "minimax")
        [job] = await it.app.store.recent(limit=9)
        assert (job.engine, len(job.outputs)) == ("minimax", body.get("n", 1))


async def test_a_failure_is_told_with_the_vendors_reason(world: Worlds) -> None:
    async with world("minimax", **PROBED) as it:
        job = await made(it, {"model": "T2V-01", "prompt": "fail refused not that"})
        assert job.state is State.FAILED
        assert "not that" in job.failure.message


async def test_a_refusal_of_status_200_fails_the_job_and_spends_nothing(world: Worlds) -> None:
    """What the vendor says by a code is certain: nothing is looked for, and nothing is sent again."""
    keys = [{"name": "a", "sha256": digest("s3cret-ann")}]
    async with world("minimax", vendor={"keys": keys}, **PROBED) as it:
        answer = (await it.client.post("/v1/video_generation", json={"model": "T2V-01", "prompt": "a fox"})).json()
        id = from_digits(answer["task_id"])
        job = await it.finished(id)
        assert (job.state, job.failure.kind) == (State.FAILED, Kind.UPSTREAM_FAILED)
        assert "1004" in job.failure.message
        assert await it.submissions() == []
        assert "unknown" not in await it.story(id)


async def test_too_many_requests_of_status_200_are_sent_again(world: Worlds) -> None:
    async with world("minimax", vendor={"limits": {"requests_per_minute": 5}}, **PROBED) as it:
        answers = [
            (await it.client.post("/v1/video_generation", json={"model": "T2V-01", "prompt": "a fox"})).json()
            for _ in range(8)
        ]
        ids = [from_digits(each["task_id"]) for each in answers]
        stories = []
        for id in ids:
            job = await it.app.store.get(id)
            assert job.state is not State.FAILED
            stories.append(await it.story(id))
        assert not any("unknown" in story for story in stories)


async def test_a_queued_task_is_cancelled_at_the_vendor(world: Worlds) -> None:
    async with world("minimax", **PROBED) as it:
        body = {"model": "MiniMax-H3", "content": [{"type": "text", "text": "sleep 30"}]}
        answer = (await it.client.post("/v2/video_generation", json=body)).json()
        job = await it.app.gateway.cancel(from_digits(answer["task_id"]))
        assert job.state is State.CANCELED
