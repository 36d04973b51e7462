"""The resellers' own format for Luma: bare tasks below /luma/, Suno's envelope around several."""

import base64
import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from mutoscope.model.http import HttpRequest
from mutoscope.model.job import Generation, Operation
from mutoscope.model.problem import Problem
from mutoscope.model.requests import Submission
from mutoscope.service.keys import digest
from mutoscope.wirekit.routes import Create
from mutoscope.wires import ROWS
from mutoscope.wires.luma.own import WIRE

Start = Callable[..., Any]
PATH = "/luma/generations"
EXTEND = "/luma/generations/{id}/extend"
PICTURE = "https://files.example/a.png"
ID = "749d328e-0a70-4b52-9a5e-2a3f3f0f6b11"
SCRIPTED: dict[str, Any] = {"models": {row.name: {"engine": "script"} for row in ROWS if row.vendor == "luma"}}
WORDS = {"user_prompt": "cat dance", "expand_prompt": True}
NULLS = ("queue_state", "liked", "estimate_wait_seconds", "thumbnail", "last_frame")


def parse(body: dict[str, Any], path: str = PATH, **params: str) -> Submission:
    route = next(route for route in WIRE.routes if route.path == path and isinstance(route, Create))
    return route.parse(HttpRequest(method="POST", path=path, params=params, body=json.dumps(body).encode()))


def made(body: dict[str, Any], path: str = PATH, **params: str) -> Generation:
    return parse(body, path, **params).generation


# -- requests --------------------------------------------------------------------------------


def test_every_field_is_read():
    body = WORDS | {
        "aspect_ratio": "9:16",
        "loop": False,
        "image_url": PICTURE,
        "image_end_url": base64.b64encode(b"a picture of the end").decode(),
        "notify_hook": "https://hooks.example/x",
        "model_name": "ray-v1",
        "duration": "9",
        "resolution": "1080p",
    }
    read = parse(body)
    assert read.webhook == "https://hooks.example/x"
    wish = read.generation
    assert (wish.operation, wish.model, wish.prompt) == (Operation.IMAGE_TO_VIDEO, "ray-v1", "cat dance")
    assert (wish.seconds, wish.resolution) == (9, "1080p")
    assert wish.extra == {"prompt_extend": True, "ratio": "9:16", "loop": False}
    first, last = wish.inputs
    assert (first.role, first.url) == ("first_frame", PICTURE)
    assert (last.role, last.data) == ("last_frame", b"a picture of the end")


def test_words_alone_are_enough_and_so_is_a_picture():
    assert made({"user_prompt": "cat dance"}).operation is Operation.TEXT_TO_VIDEO
    assert made({"image_end_url": PICTURE}).operation is Operation.IMAGE_TO_VIDEO
    with pytest.raises(Problem) as caught:
        made({"loop": True})
    answer = WIRE.render_problem(caught.value, HttpRequest(method="POST", path=PATH))
    assert answer.status == 400
    assert json.loads(answer.body) == {
        "detail": {"reason": "user_prompt: is required where there is no picture", "code": 1}
    }


def test_an_extension_names_its_task_in_the_path():
    read = parse({"user_prompt": "it jumps"}, EXTEND, id=ID)
    assert (read.parent, read.generation.operation) == (ID, Operation.VIDEO_EXTENSION)
    assert [(each.role, each.output_of) for each in read.generation.inputs] == [("video", ID)]
    assert read.generation.extra == {"added_seconds": 5}
    ending = made({"duration": "9", "image_end_url": PICTURE}, EXTEND, id=ID)
    assert ending.extra == {"added_seconds": 9}
    assert [each.role for each in ending.inputs] == ["last_frame", "video"]


# -- over the application ------------------------------------------------------------------------


async def create(running: Any, body: dict[str, Any], path: str = PATH) -> dict[str, Any]:
    answer = await running.client.post(path, json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def ended(running: Any, id: str) -> dict[str, Any]:
    await running.finished(WIRE.job_id(id))
    return (await running.client.get(f"{PATH}/{id}")).json()


async def test_a_task_is_bare_from_its_beginning_to_its_end(start: Start) -> None:
    async with start(**SCRIPTED) as running:
        new = await create(running, WORDS | {"aspect_ratio": "16:9", "duration": "5"}, f"{PATH}/")
        assert (new["state"], new["prompt"], new["video"], new["video_raw"]) == ("pending", "cat dance", None, None)
        assert new.keys() >= {*NULLS, "batch_id", "created_at"}
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", new["created_at"])
        done = await ended(running, new["id"])
        assert (done["state"], done["request"]) == ("completed", {"prompt": "cat dance", "aspect_ratio": "16:9"})
        video, raw = done["video"], done["video_raw"]
        assert (video["width"], video["height"], raw["duration"], raw["media_type"]) == (1280, 720, 5.0, "video")
        assert video["url"].partition("?")[0] == video["download_url"].partition("?")[0] == raw["url"].partition("?")[0]
        assert (await running.client.get(video["download_url"])).content[4:8] == b"ftyp"
        assert all(done[name] is None for name in NULLS)


async def test_a_video_without_a_mark_has_a_link_of_its_own(start: Start) -> None:
    async with start(**SCRIPTED) as running:
        new = await create(running, WORDS)
        await ended(running, new["id"])
        told = (await running.client.get(f"{PATH}/{new['id']}/download_video_url")).json()
        assert list(told) == ["url"]
        assert (await running.client.get(told["url"])).content[4:8] == b"ftyp"
        answer = await running.client.get(f"{PATH}/{ID}/download_video_url")
        assert (answer.status_code, answer.json()) == (
            404,
            {"detail": {"reason": f"There is no task '{ID}'.", "code": 1}},
        )
        bad = await create(running, {"user_prompt": "fail refused not this"})
        await ended(running, bad["id"])
        answer = await running.client.get(f"{PATH}/{bad['id']}/download_video_url")
        assert (answer.status_code, "failed" in answer.json()["detail"]["reason"]) == (409, True)


async def test_a_video_is_continued(start: Start) -> None:
    async with start(**SCRIPTED) as running:
        first = await create(running, WORDS | {"duration": "5"})
        await ended(running, first["id"])
        more = await create(running, WORDS | {"duration": "4"}, f"{PATH}/{first['id']}/extend")
        assert more["id"] != first["id"]
        done = await ended(running, more["id"])
        assert (done["state"], done["video_raw"]["duration"]) == ("completed", pytest.approx(9, abs=0.1))


async def test_several_tasks_come_in_sunos_envelope(start: Start) -> None:
    async with start(**SCRIPTED) as running:
        good = await create(running, WORDS)
        bad = await create(running, {"user_prompt": "fail refused not this"})
        for each in (good, bad):
            await ended(running, each["id"])
        asked = {"ids": [bad["id"], ID, good["id"]]}
        told = (await running.client.post("/luma/tasks", json=asked)).json()
        assert (told["code"], told["message"]) == ("success", "")
        failed, done = told["data"]
        assert (failed["task_id"], failed["status"], failed["fail_reason"]) == (bad["id"], "FAILURE", "not this")
        assert (done["task_id"], done["status"], done["fail_reason"]) == (good["id"], "SUCCESS", "")
        assert (done["action"], done["progress"], done["data"]["state"]) == ("LUMA_VIDEO", "100%", "completed")
        assert 0 < done["submit_time"] <= done["start_time"] <= done["finish_time"] < 1e11
        answer = await running.client.post("/luma/tasks", json={"id": good["id"]})
        assert (answer.status_code, "ids" in answer.json()["detail"]["reason"]) == (400, True)


async def test_what_waits_is_in_progress_in_neither_form(start: Start) -> None:
    async with start(**SCRIPTED, script={"slots": 0}) as running:
        new = await create(running, WORDS)
        [told] = (await running.client.post("/luma/tasks", json={"ids": [new["id"]]})).json()["data"]
        assert (told["status"], told["progress"], told["start_time"], told["finish_time"]) == ("QUEUED", "0%", 0, 0)
        assert told["data"] == (await running.client.get(f"{PATH}/{new['id']}")).json()


@pytest.mark.parametrize(
    "prefix", ["/luma", "/luma/v1", "/luma/v2", "/vip/luma", "/pro/luma", "/luma_own", "/luma_own/luma"]
)
async def test_it_stands_where_resellers_have_it(start: Start, prefix: str) -> None:
    async with start(**SCRIPTED, script={"slots": 0}) as running:
        new = await create(running, WORDS, f"{prefix}/generations")
        assert new["task_id"] == new["id"]
        assert (await running.client.get(f"{prefix}/generations/{new['id']}")).json() == new
        batch = await running.client.post(f"{prefix}/tasks", json={"ids": [new["id"]]})
        assert [each["task_id"] for each in batch.json()["data"]] == [new["id"]]


async def test_an_unknown_path_and_task_and_a_bad_body_are_told_alike(start: Start) -> None:
    async with start(**SCRIPTED) as running:
        for method, path, body, status in (
            ("GET", f"{PATH}/{ID}", b"", 404),
            ("GET", "/luma/elsewhere", b"", 404),
            ("POST", PATH, b"{", 400),
            ("POST", PATH, b'{"user_prompt": 5}', 400),
            ("POST", PATH, b'{"user_prompt": "x", "model_name": "ray-v9"}', 400),
            ("POST", f"{PATH}/{ID}/extend", b'{"user_prompt": "x"}', 404),
        ):
            answer = await running.client.request(method, path, content=body)
            assert answer.status_code == status, path
            assert list(answer.json()["detail"]) == ["reason", "code"]


async def test_a_file_gets_a_slot_and_is_used(start: Start, picture: bytes) -> None:
    async with start(**SCRIPTED) as running:
        slot = (await running.client.post(f"{PATH}/file_upload", json={})).json()
        assert list(slot) == ["id", "presigned_url", "public_url"]
        assert (await running.client.put(slot["presigned_url"], content=picture)).status_code == 204
        new = await create(running, WORDS | {"image_url": slot["public_url"]})
        assert (await ended(running, new["id"]))["state"] == "completed"
        job = await running.app.store.get(WIRE.job_id(new["id"]))
        assert job.generation.operation is Operation.IMAGE_TO_VIDEO
        there = (await running.client.post(f"{PATH}/file_upload", json={"url": PICTURE})).json()
        assert there["public_url"] == PICTURE


async def test_the_account_is_told(start: Start) -> None:
    keys = [{"name": "ann", "sha256": digest("a key of ann's"), "budget": 250.0}]
    async with start(keys=keys) as running:
        ann = {"authorization": "Bearer a key of ann's"}
        told = (await running.client.get("/luma/subscription/usage", headers=ann)).json()
        assert told == {"consumed": 0.0, "available": 250.0}
        assert (await running.client.get("/luma/users/me", headers=ann)).json() == {"id": "me"}
        answer = await running.client.get("/luma/users/me")
        assert (answer.status_code, answer.json()["detail"]["code"]) == (401, 1)


async def test_news_is_the_bare_task(start: Start) -> None:
    async with start(**SCRIPTED) as running:
        new = await create(running, WORDS | {"notify_hook": "https://hooks.example/x"})
        job = await running.finished(WIRE.job_id(new["id"]))
        assert WIRE.render_webhook
        told = json.loads(WIRE.render_webhook(job) or b"")
        assert (told["id"], told["state"]) == (new["id"], "completed")
        assert len(await running.app.store.deliveries(job=job.id)) == 2


async def test_each_model_word_has_its_row(start: Start) -> None:
    async with start(**SCRIPTED, script={"slots": 0}) as running:
        for word, row in ((None, "ray-2"), ("ray-v1", "ray-1-6"), ("ray-v2", "ray-2"), ("ray-v3", "ray-3")):
            new = await create(running, WORDS | ({"model_name": word} if word else {}))
            job = await running.app.store.get(WIRE.job_id(new["id"]))
            assert job.generation.model == row


async def test_the_renderer_notes_what_it_does_not_need(start: Start) -> None:
    async with start(studio={"slots": 0}) as running:
        answer = await running.client.post(PATH, json=WORDS)
        assert answer.status_code == 201
        assert "expand_prompt" in answer.headers["x-mutoscope-notes"]
        answer = await running.client.post(PATH, json=WORDS | {"loop": True})
        assert (answer.status_code, "loop" in answer.json()["detail"]["reason"]) == (400, True)
