"""Runway as relays of web accounts sell it: both dialects, told from the start of a job to each of its ends."""

import json
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

from local_settings import settings
from mutoscope.app import App
from mutoscope.model.config import BadSettings
from mutoscope.model.http import HttpRequest
from mutoscope.model.job import Operation, Role
from mutoscope.model.requests import Submission
from mutoscope.service.keys import digest
from mutoscope.wirekit.ids import from_uuid4_form
from mutoscope.wirekit.routes import Create
from mutoscope.wires.runway_reverse import WIRE

Start = Callable[..., AbstractAsyncContextManager[Any]]
PICTURE, CLIP = "https://media.example.net/fox.png", "https://media.example.net/run.mp4"
SCRIPT = {"rehearsal": True, "inputs": {"probe": "never"}}
SEED = {
    "callback_url": "https://hooks.example.net/rw/7f31",
    "prompt": "a cat on a windowsill",
    "ratio": "16:9",
    "style": "cinematic",
    "model": "gen3",
    "options": {"seconds": 5, "motion_vector": {"x": 0, "y": 0.4, "z": 0, "r": -6, "bg_x_pan": 0, "bg_y_pan": 0}},
}
TASK = {
    *("task_id", "state", "status", "prompt", "prompt_en", "video_url", "raw_video_url", "poster", "last_frame"),
    *("msg", "point", "refund", "create_time", "update_time"),
}


def parse(path: str, body: dict[str, Any]) -> Submission:
    route = next(each for each in WIRE.routes if isinstance(each, Create) and each.path == f"/runway/{path}")
    return route.parse(HttpRequest(method="POST", path=route.path, body=json.dumps(body).encode()))


async def made(running: Any, body: dict[str, Any], path: str = "/runway/pro/generate") -> str:
    answer = (await running.client.post(path, json=body)).json()
    assert answer["code"] == 200, answer
    return answer["data"]["task_id"]


async def fed(running: Any, id: str, path: str = "/runway/feed") -> Any:
    return await running.client.post(path, json={"task_id": id})


@pytest.mark.parametrize(
    "prefix", ["/runway", "/runway/v1", "/api/video/runway", "/runway_reverse/runway"], ids=lambda text: text[1:]
)
async def test_the_seeds_request_ends_in_a_clip_at_every_spelling(prefix: str, start: Start) -> None:
    async with start(**SCRIPT) as running:
        created = await running.client.post(f"{prefix}/pro/generate", json=SEED)
        assert created.status_code == 200
        assert {name: type(value) for name, value in created.json().items()} == {
            "code": int,
            "msg": str,
            "data": dict,
            "exec_time": float,
        }
        id = created.json()["data"]["task_id"]
        await running.finished(from_uuid4_form(id))
        answer = (await fed(running, id, f"{prefix}/feed")).json()
        assert (answer["code"], answer["msg"]) == (200, "成功")
        task = answer["data"]
        assert set(task) == TASK
        assert (task["task_id"], task["state"], task["status"]) == (id, "succeeded", "3")
        assert (task["refund"], task["msg"], task["prompt"]) == ("0", None, SEED["prompt"])
        assert task["create_time"].isdecimal() and task["update_time"].isdecimal() and task["point"].isdecimal()
        clip = await running.client.get(task["video_url"])
        assert clip.headers["content-type"] == "video/mp4"


async def test_a_task_that_waits_or_failed_says_so(start: Start) -> None:
    async with start(**SCRIPT, script={"slots": 0}) as running:
        task = (await fed(running, await made(running, {"prompt": "a fox"}))).json()["data"]
        assert (task["state"], task["status"], task["video_url"]) == ("", "0", None)
    async with start(**SCRIPT) as running:
        id = await made(running, {"prompt": "fail refused not that"})
        await running.finished(from_uuid4_form(id))
        answer = await fed(running, id)
        assert answer.status_code == 200
        task = answer.json()["data"]
        assert (task["state"], task["status"], task["refund"], task["msg"]) == ("failed", "2", "1", "not that")


async def test_errors_have_their_status_in_the_envelope_too(start: Start) -> None:
    limits = {"requests_per_minute": 6}
    async with start(**SCRIPT, keys=[{"name": "a", "sha256": digest("s3cret-ann")}], limits=limits) as running:
        bare = {"authorization": "s3cret-ann"}
        unknown = {"task_id": "573772da-c2ec-4a60-987f-80b5ecc79b20"}
        for headers, path, body, status, words in (
            ({}, "/runway/feed", unknown, 401, "key"),
            ({"authorization": "Bearer no"}, "/runway/feed", unknown, 401, "key"),
            (bare, "/runway/feed", unknown, 404, "task_not_exist"),
            (bare, "/runway/feed", {}, 400, "task_id"),
            (bare, "/runway/pro/generate", {"prompt": "p", "options": {"seconds": 7}}, 400, "options.seconds"),
            (bare, "/runway/pro/generate", {"model": "gen3"}, 400, "prompt"),
            (bare, "/runway/pro/generate", {"prompt": "p", "model": "gen4_turbo"}, 400, "model"),
            (bare, "/runway/pro/video2video", {"video": CLIP, "model": "gen3"}, 400, "prompt"),
            (bare, "/runway/feed", unknown, 429, "requests"),
        ):
            answer = await running.client.post(path, json=body, headers=headers)
            told = answer.json()
            assert (answer.status_code, told["code"], told["data"], told["exec_time"]) == (status, status, None, 0.0)
            assert words in told["msg"]


async def test_a_read_without_an_id_names_the_parameter(start: Start) -> None:
    async with start(**SCRIPT) as running:
        told = (await running.client.get("/runway/feed")).json()
        assert (told["code"], told["msg"]) == (400, "task_id: is required")


def test_one_path_is_told_apart_by_its_fields() -> None:
    text = parse("pro/generate", SEED).generation
    assert (text.operation, text.model, text.seconds) == (Operation.TEXT_TO_VIDEO, "gen3", 5)
    first = parse("pro/generate", {"prompt": "p", "image": PICTURE, "last_image": PICTURE}).generation
    assert [each.role for each in first.inputs] == [Role.FIRST_FRAME, Role.LAST_FRAME]
    last = parse("pro/generate", {"prompt": "p", "image": PICTURE, "options": {"image_as_end_frame": True}}).generation
    assert (last.operation, [each.role for each in last.inputs]) == (Operation.IMAGE_TO_VIDEO, [Role.LAST_FRAME])
    video = parse("pro/generate", {"prompt": "p", "model": "gen4", "video": CLIP}).generation
    assert (video.operation, video.inputs[0].role) == (Operation.VIDEO_TO_VIDEO, Role.VIDEO)
    act = parse("pro/video2video", {"image": PICTURE, "video": CLIP}).generation
    assert act.operation is Operation.CHARACTER_PERFORMANCE
    assert {each.role for each in act.inputs} == {Role.CHARACTER, Role.REFERENCE_VIDEO}
    portrait = parse("pro/generate", {"prompt": "p", "options": {"flip": True}}).generation
    assert portrait.extra["ratio"] == "9:16"
    edit = {"video": CLIP, "model": "gen3", "prompt": "p", "options": {"structure_transformation": 0.4, "flip": False}}
    assert parse("pro/video2video", edit).generation.extra == {"strength": 0.4}


async def test_what_the_renderer_cannot_make_is_refused_by_name(start: Start) -> None:
    async with start(inputs={"probe": "never"}) as running:
        for path, body, operation in (
            ("pro/video2video", {"video": CLIP, "model": "gen3", "prompt": "p"}, "video_to_video"),
            ("pro/act_one", {"video": CLIP, "image": PICTURE}, "character_performance"),
            ("pro/aleph", {"video": CLIP, "prompt": "p"}, "video_to_video"),
        ):
            answer = await running.client.post(f"/runway/{path}", json=body)
            assert answer.status_code == 400
            assert operation in answer.json()["msg"]


async def test_what_else_lies_below_runway_speaks_runways_words(start: Start) -> None:
    async with start(**SCRIPT) as running:
        ours = await running.client.get("/runway/v1/tasks/573772da-c2ec-4a60-987f-80b5ecc79b20")
        assert ours.json().keys() >= {"error"}
        assert (await running.client.get("/runway/v1/nothing")).json().keys() >= {"error"}
        assert (await running.client.post("/runway/pro/nothing", json={})).json()["code"] == 404


async def test_the_other_dialect_is_a_setting(start: Start) -> None:
    async with start(**SCRIPT, wires={"runway_reverse": {"dialect": "B"}}) as running:
        created = (await running.client.post("/runway/pro/generate", json=SEED)).json()
        assert (created["code"], created["message"]) == (200, "")
        id = created["data"]["task_id"]
        await running.finished(from_uuid4_form(id))
        answer = (await fed(running, id)).json()
        assert (answer["code"], answer["message"]) == ("success", "")
        task = answer["data"]
        assert [task[name] for name in ("task_id", "action", "status", "progress", "fail_reason")] == [
            id,
            "IMAGE_TO_VIDEO",
            "SUCCESS",
            "100%",
            "",
        ]
        assert all(isinstance(task[name], int) for name in ("submit_time", "start_time", "finish_time"))
        assert (task["data"]["id"], task["data"]["status"]) == (id, "SUCCEEDED")
        assert (await running.client.get(task["video_url"])).status_code == 200
        id = await made(running, {"prompt": "fail refused not that"})
        await running.finished(from_uuid4_form(id))
        task = (await fed(running, id)).json()["data"]
        assert (task["status"], task["fail_reason"]) == ("FAILURE", "not that")


@pytest.mark.parametrize(
    "wires", [{"nobody": {"dialect": "A"}}, {"runway_reverse": {"dialect": "C"}}, {"luma": {"dialect": "A"}}]
)
def test_a_dialect_that_there_is_not_is_told_with_those_that_there_are(wires: Any, tmp_path: Any) -> None:
    with pytest.raises(BadSettings, match="there"):
        App(settings(wires=wires), data=tmp_path)


async def test_news_is_the_bare_task(start: Start) -> None:
    async with start(**SCRIPT, net={"allow_private": True}) as running:
        id = await made(running, SEED | {"callback_url": "http://127.0.0.1:9/hook"})
        await running.finished(from_uuid4_form(id))
        records = await running.app.store.deliveries(job=from_uuid4_form(id))
        told = [json.loads(each.delivery.body) for each in records]
        assert {each["status"] for each in told} <= {"1", "3"} and told
        assert all(set(each) == TASK and each["task_id"] == id for each in told)
