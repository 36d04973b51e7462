"""Kling's two APIs in front: the vendor's bodies, answers, codes and words, in process and over the application."""

import asyncio
import base64
import hmac
import json
import time
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from mutoscope.model import catalog
from mutoscope.model.config import Rights
from mutoscope.model.http import HttpRequest
from mutoscope.model.job import Generation, Operation
from mutoscope.model.problem import Problem
from mutoscope.model.requests import Proof, Submission
from mutoscope.service.keys import digest, make_key, make_pair
from mutoscope.wirekit.jwt import made, proof_in
from mutoscope.wirekit.routes import Create
from mutoscope.wires import ROWS
from mutoscope.wires.kling.later import WIRE

Start = Callable[..., Any]
TEXT, IMAGE, EXTEND = "/v1/videos/text2video", "/v1/videos/image2video", "/v1/videos/video-extend"
LIPS, PICTURES, TRY_ON = "/v1/videos/lip-sync", "/v1/images/generations", "/v1/images/kolors-virtual-try-on"
MULTI = "/v1/videos/multi-image2video"
NEW_TEXT, NEW_IMAGE, OMNI = "/text-to-video/kling-3.0", "/image-to-video/kling-3.0", "/omni-video/kling-3.0-omni"
MOTION = "/motion-control/kling-2.6"
LINK, CLIP = "https://files.example/a.png", "https://files.example/a.mp4"
BYTES = base64.b64encode(bytes.fromhex("89504e470d0a1a0a") + b"x" * 40).decode()
SCRIPTED: dict[str, Any] = {"models": {row.name: {"engine": "script"} for row in ROWS if row.vendor == "kling"}}
WORDS = {"model_name": "kling-v1-6", "prompt": "a paper boat"}


def parse(path: str, body: dict[str, Any]) -> Submission:
    route = next(route for route in WIRE.routes if route.path == path and isinstance(route, Create))
    return route.parse(HttpRequest(method="POST", path=path, body=json.dumps(body).encode()))


def wish(path: str, body: dict[str, Any]) -> Generation:
    return parse(path, body).generation


def refused(path: str, body: dict[str, Any]) -> tuple[int, int, str]:
    with pytest.raises(Problem) as caught:
        parse(path, body)
    answer = WIRE.render_problem(caught.value, HttpRequest(method="POST", path=path))
    told = json.loads(answer.body)
    assert set(told) == {"code", "message", "request_id"}
    return answer.status, told["code"], told["message"]


def files(wish: Generation) -> dict[str, str | None]:
    return {each.role.value: each.url or each.output_of for each in wish.inputs}


# -- bodies of the older API ---------------------------------------------------------------


def test_every_field_of_a_video_is_read():
    body = {
        "model_name": "kling-v2-6",
        "model": "kling-v2-6",
        "prompt": "a paper boat",
        "negative_prompt": "rain",
        "sound": "on",
        "cfg_scale": 0.5,
        "mode": "pro",
        "duration": "10",
        "aspect_ratio": "9:16",
        "watermark_info": {"enabled": False},
        "multi_shot": False,
        "callback_url": "https://hooks.example/x",
        "external_task_id": "order-17",
    }
    read = parse(TEXT, body)
    asked = read.generation
    assert (asked.operation, asked.model) == (Operation.TEXT_TO_VIDEO, "kling-v2-6")
    assert (asked.prompt, asked.negative_prompt) == ("a paper boat", "rain")
    assert (asked.seconds, asked.resolution, asked.watermark) == (10, "1080p", False)
    assert asked.extra == {"audio": True, "cfg_scale": 0.5, "ratio": "9:16"}
    assert (read.webhook, read.notes) == ("https://hooks.example/x", ())
    whole = catalog.complete(asked, next(row for row in ROWS if row.name == "kling-v2-6"))
    assert (whole.width, whole.height) == (1080, 1920)


def test_the_oldest_name_of_the_model_is_passed_over_and_the_first_model_is_meant():
    assert wish(TEXT, {"model": "kling-v2-6", "prompt": "x"}).model == "kling-v1"
    assert wish(PICTURES, {"prompt": "x"}).model == "images/kling-v1"


@pytest.mark.parametrize("text", [BYTES, f"data:image/png;base64,{BYTES}"])
def test_pictures_come_as_links_and_as_base64_with_and_without_its_head(text: str):
    first, last = wish(IMAGE, WORDS | {"image": text, "image_tail": LINK}).inputs
    assert first.data == base64.b64decode(BYTES)
    assert (last.role, last.url) == ("last_frame", LINK)


def test_the_brush_is_read_and_may_go_unheeded():
    brush = {"mask": LINK, "trajectories": [{"x": 1, "y": 2}, {"x": 3, "y": 4}]}
    asked = wish(IMAGE, WORDS | {"image": LINK, "static_mask": LINK, "dynamic_masks": [brush]})
    assert files(asked) == {"first_frame": LINK, "mask": LINK}
    assert asked.extra["dynamic_masks"] == [brush]
    row = next(row for row in ROWS if row.name == "kling-v1-6")
    assert {"mask", "dynamic_masks"} <= row.ignores


@pytest.mark.parametrize(
    ("path", "body", "operation", "model", "inputs"),
    [
        (TEXT, WORDS, "text_to_video", "kling-v1-6", {}),
        (IMAGE, {"image_tail": LINK}, "image_to_video", "kling-v1", {"last_frame": LINK}),
        (MULTI, {"image_list": [{"image": LINK}]}, "image_to_video", "multi/kling-v1-6", {"reference": LINK}),
        (EXTEND, {"video_id": "v-1", "task_id": "t-1"}, "video_extension", "kling-v1-6", {"video": "v-1"}),
        (
            LIPS,
            {"input": {"video_url": CLIP, "mode": "audio2video", "audio_type": "url", "audio_url": CLIP}},
            "lip_sync",
            "kling-lip-sync",
            {"video": CLIP, "audio": CLIP},
        ),
        (PICTURES, {"prompt": "x", "model_name": "kling-v2"}, "text_to_image", "images/kling-v2", {}),
        (PICTURES, {"prompt": "x", "image": LINK}, "image_to_image", "images/kling-v1", {"image": LINK}),
        (
            TRY_ON,
            {"human_image": LINK, "cloth_image": CLIP},
            "virtual_try_on",
            "kolors-virtual-try-on-v1",
            {"image": LINK, "reference": CLIP},
        ),
        (NEW_TEXT, {"prompt": "x"}, "text_to_video", "kling-3.0", {}),
        (
            NEW_IMAGE,
            {"contents": [{"type": "first_frame", "url": LINK}, {"type": "last_frame", "url": CLIP}]},
            "image_to_video",
            "kling-3.0",
            {"first_frame": LINK, "last_frame": CLIP},
        ),
        (OMNI, {"contents": [{"type": "prompt", "text": "x"}]}, "text_to_video", "kling-3.0-omni", {}),
        (
            MOTION,
            {"contents": [{"type": "image", "url": LINK}, {"type": "video", "url": CLIP}]},
            "character_performance",
            "kling-2.6",
            {"character": LINK, "reference_video": CLIP},
        ),
    ],
)
def test_each_path_makes_what_it_is_for(
    path: str, body: dict[str, Any], operation: str, model: str, inputs: dict[str, str]
) -> None:
    asked = wish(path, body)
    assert (asked.operation, asked.model, files(asked)) == (operation, model, inputs)
    assert catalog.Catalog(ROWS).named("kling", model).vendor == "kling"


def test_an_extension_adds_five_seconds():
    assert wish(EXTEND, {"video_id": "v-1"}).extra == {"added_seconds": 5.0}


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        (TEXT, {}, "prompt"),
        (TEXT, {"prompt": "x" * 2501}, "prompt"),
        (TEXT, {"prompt": "x", "duration": 5}, "duration"),
        (TEXT, {"prompt": "x", "duration": "7"}, "duration"),
        (TEXT, {"prompt": "x", "model_name": "kling-v3", "duration": "2"}, "duration"),
        (TEXT, {"prompt": "x", "mode": "fast"}, "mode"),
        (TEXT, {"prompt": "x", "aspect_ratio": "4:3"}, "aspect_ratio"),
        (TEXT, {"prompt": "x", "cfg_scale": 1.1}, "cfg_scale"),
        (TEXT, {"prompt": "x", "multi_shot": True}, "shot_type"),
        (TEXT, {"prompt": "x", "multi_shot": True, "shot_type": "customize"}, "multi_prompt"),
        (TEXT, {"prompt": "x", "voice_list": [{"voice_id": "a"}]}, "sound"),
        (TEXT, {"prompt": "x", "element_list": [{"element_id": n} for n in range(4)]}, "element_list"),
        (
            TEXT,
            {"prompt": "x", "camera_control": {"type": "simple", "config": {"pan": 1, "zoom": 1}}},
            "camera_control.config",
        ),
        (
            TEXT,
            {"prompt": "x", "camera_control": {"type": "simple", "config": {"pan": 11}}},
            "camera_control.config.pan",
        ),
        (TEXT, {"prompt": "x", "callback_url": "ftp://x"}, "callback_url"),
        (IMAGE, {"prompt": "x"}, "image"),
        (IMAGE, {"image": "no picture"}, "image"),
        (IMAGE, {"image": LINK, "image_tail": LINK, "static_mask": LINK}, "image_tail"),
        (MULTI, {"image_list": [{"image": LINK}] * 5}, "image_list"),
        (EXTEND, {}, "video_id"),
        (LIPS, {"input": {"mode": "text2video", "text": "x", "voice_id": "v"}}, "input.video_id"),
        (LIPS, {"input": {"mode": "text2video", "video_url": CLIP, "text": "x"}}, "input.voice_id"),
        (LIPS, {"input": {"mode": "audio2video", "video_url": CLIP, "audio_type": "file"}}, "input.audio_file"),
        (PICTURES, {"prompt": "x", "n": 10}, "n"),
        (PICTURES, {"prompt": "x", "model_name": "kling-v1-5", "image": LINK}, "image_reference"),
        (PICTURES, {"prompt": "x", "image_reference": "face", "human_fidelity": 0.4}, "human_fidelity"),
        (TRY_ON, {"human_image": LINK}, "cloth_image"),
        (NEW_TEXT, {"prompt": "x", "settings": {"duration": 16}}, "settings.duration"),
        (NEW_IMAGE, {"contents": [{"type": "last_frame", "url": LINK}]}, "contents"),
        (NEW_IMAGE, {"contents": [{"type": "first_frame"}]}, "contents[0].url"),
        (NEW_IMAGE, {"contents": [{"type": "first_frame", "url": "x"}]}, "contents"),
    ],
)
def test_a_bad_field_is_named(path: str, body: dict[str, Any], field: str) -> None:
    status, code, message = refused(path, body)
    assert (status, code) == (400, 1201)
    assert field in message


def test_a_body_that_is_no_json_and_a_model_that_there_is_not_have_codes_of_their_own():
    assert refused(TEXT, {"prompt": "x", "model_name": "kling-v9"})[:2] == (404, 1203)
    route = next(route for route in WIRE.routes if route.path == TEXT and isinstance(route, Create))
    with pytest.raises(Problem) as caught:
        route.parse(HttpRequest(method="POST", path=TEXT, body=b"{"))
    answer = WIRE.render_problem(caught.value, HttpRequest(method="POST", path=TEXT))
    assert (answer.status, json.loads(answer.body)["code"]) == (400, 1200)


def test_what_the_newer_api_says_is_read():
    body = {
        "contents": [
            {"type": "prompt", "text": "a paper boat"},
            {"type": "first_frame", "url": BYTES},
            {"type": "element", "element_id": 7, "id": "e"},
        ],
        "settings": {"multi_shot": False, "audio": "native", "resolution": "1080p", "duration": 9},
        "options": {
            "callback_url": "https://hooks.example/x",
            "external_task_id": "order-17",
            "watermark_info": {"enabled": True},
        },
    }
    read = parse(NEW_IMAGE, body)
    asked = read.generation
    assert (asked.prompt, asked.seconds, asked.resolution, asked.watermark) == ("a paper boat", 9, "1080p", True)
    elements = [{"type": "element", "element_id": 7, "id": "e"}]
    assert asked.extra == {"elements": elements, "multi_shot": False, "audio": True}
    assert asked.inputs[0].data == base64.b64decode(BYTES)
    assert (read.webhook, read.notes) == ("https://hooks.example/x", ())


# -- over the application ---------------------------------------------------------------------


async def create(running: Any, path: str, body: dict[str, Any], **headers: str) -> dict[str, Any]:
    answer = await running.client.post(path, json=body, headers=headers)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["code"], told["message"]) == (0, "SUCCEED")
    assert told["request_id"]
    return told["data"]


async def ended(running: Any, path: str, made: dict[str, Any]) -> dict[str, Any]:
    await running.finished(WIRE.job_id(made["task_id"]))
    answer = await running.client.get(f"{path}/{made['task_id']}")
    assert answer.status_code == 200
    return answer.json()["data"]


@pytest.mark.parametrize("mount", ["", "/kling"])
async def test_a_video_goes_through_the_vendors_words(start: Start, mount: str) -> None:
    async with start(**SCRIPTED) as running:
        made = await create(running, mount + TEXT, WORDS | {"external_task_id": "order-17"})
        assert set(made) == {"task_id", "task_status", "task_info", "created_at", "updated_at"}
        assert (made["task_status"], made["task_info"]) == ("submitted", {"external_task_id": "order-17"})
        assert type(made["created_at"]) is int and made["created_at"] > 1.7e12
        done = await ended(running, mount + TEXT, made)
        assert (done["task_status"], done["task_status_msg"]) == ("succeed", "")
        [video] = done["task_result"]["videos"]
        assert video["url"].startswith("http")
        assert type(video["duration"]) is str
        assert type(done["final_unit_deduction"]) is str
        by_name = await running.client.get(f"{mount + TEXT}/order-17")
        assert by_name.json()["data"] == done


async def test_a_task_runs_and_fails_in_the_vendors_words(start: Start) -> None:
    async with start(**SCRIPTED, script={"slots": 1}) as running:
        running_one = await create(running, TEXT, WORDS | {"prompt": "hang"})
        for _ in range(200):
            told = (await running.client.get(f"{TEXT}/{running_one['task_id']}")).json()["data"]
            if told["task_status"] != "submitted":
                break
            await asyncio.sleep(0.02)
        assert (told["task_status"], told["task_info"], told["task_result"]) == ("processing", {}, {})
        await running.app.gateway.cancel(WIRE.job_id(told["task_id"]))  # else its end is waited for
    async with start(**SCRIPTED) as running:
        failing = await create(running, TEXT, WORDS | {"prompt": "fail refused Image pixel is invalid"})
        told = await ended(running, TEXT, failing)
        assert (told["task_status"], told["task_status_msg"]) == ("failed", "Image pixel is invalid")
        assert told["task_result"] == {}


async def test_pictures_are_numbered(start: Start) -> None:
    async with start(**SCRIPTED) as running:
        made = await create(running, PICTURES, {"model_name": "kling-v2", "prompt": "a boat", "n": 2})
        done = await ended(running, PICTURES, made)
        assert [each["index"] for each in done["task_result"]["images"]] == [0, 1]
        assert set(done["task_result"]) == {"images"}


async def test_a_video_is_continued_by_its_own_id_and_by_its_owner_only(start: Start) -> None:
    keys = [{"name": name, "sha256": digest(f"a key of {name}s")} for name in ("ann", "bob")]
    async with start(**SCRIPTED, keys=keys) as running:
        ann, bob = ({"authorization": f"Bearer a key of {name}s"} for name in ("ann", "bob"))
        made = await create(running, TEXT, WORDS, **ann)
        await running.finished(WIRE.job_id(made["task_id"]))
        done = (await running.client.get(f"{TEXT}/{made['task_id']}", headers=ann)).json()["data"]
        [video] = done["task_result"]["videos"]
        assert video["id"] != made["task_id"]
        longer = await create(running, EXTEND, {"video_id": video["id"], "task_id": made["task_id"]}, **ann)
        assert longer["task_info"] == {"parent_video": {"id": video["id"]}}
        job = await running.finished(WIRE.job_id(longer["task_id"]))
        assert job.generation.inputs[0].output_of == WIRE.job_id(made["task_id"])
        answer = await running.client.post(EXTEND, json={"video_id": video["id"]}, headers=bob)
        assert (answer.status_code, answer.json()["code"]) == (404, 1203)


async def test_a_task_is_read_where_it_was_made_and_nowhere_else(start: Start) -> None:
    async with start(**SCRIPTED, script={"slots": 0}) as running:
        made = await create(running, TEXT, WORDS | {"external_task_id": "mine"})
        for path in (f"{IMAGE}/{made['task_id']}", f"{IMAGE}/mine", f"{TEXT}/867283741759111202", f"{TEXT}/theirs"):
            answer = await running.client.get(path)
            assert (answer.status_code, answer.json()["code"]) == (404, 1203), path
        answer = await running.client.delete(f"{TEXT}/{made['task_id']}")
        assert (answer.status_code, answer.json()["code"]) == (404, 1202)


async def test_tasks_are_listed_page_by_page(start: Start) -> None:
    async with start(**SCRIPTED, script={"slots": 0}) as running:
        made = [(await create(running, TEXT, WORDS))["task_id"] for _ in range(3)]
        await create(running, PICTURES, {"prompt": "x", "model_name": "kling-v2"})
        told = (await running.client.get(f"{TEXT}?pageNum=1&pageSize=2")).json()
        assert [each["task_id"] for each in told["data"]] == made[:0:-1]
        told = (await running.client.get(f"{TEXT}?pageNum=2&pageSize=2")).json()
        assert [each["task_id"] for each in told["data"]] == made[:1]
        answer = await running.client.get(f"{TEXT}?pageSize=501")
        assert (answer.status_code, answer.json()["code"]) == (400, 1201)


async def test_the_newer_api_tells_of_tasks_of_any_kind(start: Start) -> None:
    async with start(**SCRIPTED) as running:
        body = {"prompt": "a paper boat", "options": {"external_task_id": "order-17"}}
        made = await create(running, f"/kling{NEW_TEXT}", body)
        assert set(made) == {"id", "status", "create_time", "update_time", "external_id"}
        assert (made["status"], made["external_id"]) == ("submitted", "order-17")
        older = await create(running, TEXT, WORDS | {"external_task_id": "order-18"})
        for id in (made["id"], older["task_id"]):
            await running.finished(WIRE.job_id(id))
        told = (await running.client.get(f"/tasks?task_ids={made['id']},nobodys,{older['task_id']}")).json()
        assert told["code"] == 0
        assert [each["id"] for each in told["data"]] == [made["id"], older["task_id"]]
        first = told["data"][0]
        assert (first["status"], first["message"], first["external_id"]) == ("succeeded", "", "order-17")
        assert [each["type"] for each in first["outputs"]] == ["video"]
        assert first["billing"][0]["charge_type"] == "unit"
        told = (await running.client.get("/kling/tasks?external_task_ids=order-18,order-17,order-19")).json()
        assert [each["id"] for each in told["data"]] == [older["task_id"], made["id"]]
        answer = await running.client.get("/tasks")
        assert (answer.status_code, answer.json()["code"]) == (400, 1201)


async def test_the_newer_list_goes_on_at_a_cursor_and_is_filtered(start: Start) -> None:
    async with start(**SCRIPTED, script={"slots": 0}) as running:
        made = [(await create(running, NEW_TEXT, {"prompt": "x"}))["id"] for _ in range(3)]
        await create(running, PICTURES, {"prompt": "x", "model_name": "kling-v2"})
        videos = {"limit": 2, "filters": [{"key": "product_type", "values": ["video"]}]}
        told = (await running.client.post("/tasks", json=videos)).json()["data"]
        assert [each["id"] for each in told["result"]] == made[:0:-1]
        assert (told["has_more"], told["count"]) == (True, 2)
        told = (await running.client.post("/tasks", json=videos | {"cursor": told["next_cursor"]})).json()["data"]
        assert ([each["id"] for each in told["result"]], told["has_more"]) == (made[:1], False)
        ended = {"filters": [{"key": "status", "values": ["succeeded"]}]}
        assert (await running.client.post("/tasks", json=ended)).json()["data"]["result"] == []


@pytest.mark.parametrize("path", [TEXT, NEW_TEXT])
async def test_news_is_the_bare_task(start: Start, path: str) -> None:
    address = {"callback_url": "https://hooks.example/x", "external_task_id": "order-17"}
    body = {"prompt": "a paper boat"} | (address if path == TEXT else {"options": address})
    async with start(**SCRIPTED) as running:
        made = await create(running, path, body)
        job = await running.finished(WIRE.job_id(made.get("task_id") or made["id"]))
        assert len(await running.app.store.deliveries(job=job.id)) == 2  # processing, and the end
        assert WIRE.render_webhook
        told = json.loads(WIRE.render_webhook(running.app.gateway.linked(job, "https://h.example")) or b"")
        assert "code" not in told and "data" not in told
        if path == TEXT:
            assert (told["task_id"], told["task_status"]) == (made["task_id"], "succeed")
            assert told["task_result"]["videos"][0]["url"].startswith("https://h.example/")
        else:
            assert (told["id"], told["status"], told["external_id"]) == (made["id"], "succeeded", "order-17")
            assert told["outputs"][0]["url"].startswith("https://h.example/")


REFUSED = [
    (LIPS, {"input": {"video_url": CLIP, "mode": "text2video", "text": "x", "voice_id": "v"}}, "lip_sync"),
    (TRY_ON, {"human_image": LINK, "cloth_image": LINK}, "virtual_try_on"),
    (MULTI, {"image_list": [{"image": LINK}]}, "image_list"),
    (TEXT, {"prompt": "x", "camera_control": {"type": "down_back"}}, "camera_control"),
    (MOTION, {"contents": [{"type": "image", "url": LINK}, {"type": "video", "url": CLIP}]}, "character_performance"),
    ("/v1/videos/identify-face", {"video_url": CLIP}, "identify-face"),
    ("/kling/v1/videos/advanced-lip-sync", {"session_id": "x"}, "advanced-lip-sync"),
    ("/v1/videos/effects", {}, "effects"),
]


@pytest.mark.parametrize(("path", "body", "name"), REFUSED)
async def test_what_the_renderer_cannot_do_is_refused_by_name(
    start: Start, path: str, body: dict[str, Any], name: str
) -> None:
    async with start() as running:
        answer = await running.client.post(path, json=body)
        assert (answer.status_code, answer.json()["code"]) == (400, 1201)
        assert name in answer.json()["message"]


async def test_the_renderer_notes_what_it_does_not_heed(start: Start) -> None:
    async with start(inputs={"probe": "never"}) as running:
        body = WORDS | {"image": LINK, "static_mask": LINK, "cfg_scale": 0.7, "sound": "off"}
        answer = await running.client.post(IMAGE, json=body)
        assert answer.status_code == 200, answer.text
        notes = answer.headers["x-mutoscope-notes"]
        assert "static_mask" in notes and "cfg_scale" in notes


async def test_a_budget_is_a_pack_of_units(start: Start) -> None:
    asked = "/account/costs?start_time=1&end_time=2"
    keys = [{"name": "ann", "sha256": digest("a key of anns"), "budget": 140.0}]
    async with start(keys=keys) as running:
        ann = {"authorization": "Bearer a key of anns"}
        told = (await running.client.get(f"/kling{asked}", headers=ann)).json()
        [pack] = told["data"]["resource_pack_subscribe_infos"]
        assert (told["code"], told["data"]["code"]) == (0, 0)
        assert (pack["total_quantity"], pack["remaining_quantity"], pack["status"]) == (10, 10, "online")


async def test_too_many_requests_have_the_vendors_code(start: Start) -> None:
    async with start(limits={"requests_per_minute": 1}) as running:
        await running.client.get(TEXT)
        answer = await running.client.get(TEXT)
        assert (answer.status_code, answer.json()["code"]) == (429, 1302)
        assert int(answer.headers["retry-after"]) > 0


async def test_money_that_is_spent_has_the_vendors_code(start: Start) -> None:
    keys = [{"name": "ann", "sha256": digest("a key of anns"), "budget": 0.001}]
    settings: dict[str, Any] = {"models": {"kling-v1-6": {"engine": "script", "price": {"job": 5}}}}
    async with start(keys=keys, **settings) as running:
        answer = await running.client.post(TEXT, json=WORDS, headers={"authorization": "Bearer a key of anns"})
        assert (answer.status_code, answer.json()["code"]) == (429, 1102)


# -- tokens that are signed with a pair ---------------------------------------------------------

VECTOR = (
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJhay1kZW1vIiwiZXhwIjoxNzY3MjI3NDAwLCJuYmYiOjE3NjcyMjU1OTV9"
    ".9Y_Eow7hHLZEOn1bA9FYJVjOWlIAtzliMxY70S3gfMg"
)


def test_a_token_is_that_of_the_specification():
    assert made("ak-demo", "sk-demo", now=1767225600) == VECTOR
    proof = proof_in(VECTOR)
    assert proof and (proof.key, proof.begins, proof.expires) == ("ak-demo", 1767225595, 1767227400)
    assert hmac.digest(b"sk-demo", proof.signed, "sha256") == proof.signature


def token(claims: Any, secret: str = "s", **header: Any) -> str:
    parts = [
        base64.urlsafe_b64encode(msgspec.json.encode(each)).rstrip(b"=")
        for each in ({"alg": "HS256", "typ": "JWT"} | header, claims)
    ]
    signed = b".".join(parts)
    mark = base64.urlsafe_b64encode(hmac.digest(secret.encode(), signed, "sha256")).rstrip(b"=")
    return b".".join((signed, mark)).decode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a.b.c",
        "..",
        VECTOR[:-1] + "!",
        token({"iss": "a", "exp": 9}, alg="none"),
        token({"iss": "a", "exp": 9}, alg="HS512"),
        token({"exp": 9}),
        token({"iss": "a"}),
        token({"iss": 5, "exp": 9}),
        token({"iss": "a", "exp": "9"}),
        token({"iss": "a", "exp": True}),
        token([]),
        token("x"),
    ],
)
def test_what_is_no_token_of_this_kind_proves_nothing(text: str):
    assert proof_in(text) is None


async def pair_for(running: Any, name: str, **rights: Any) -> tuple[str, str]:
    pair = make_pair(running.app.keys.secret)
    _, record = make_key(name, msgspec.convert(rights, Rights), now=time.time(), pair=pair)
    await running.app.store.add_key(record)
    await running.app.keys.refresh()
    return pair.access, pair.secret


async def test_a_pair_signs_a_token_and_its_secret_is_a_key(start: Start) -> None:
    async with start(**SCRIPTED, script={"slots": 0}) as running:
        access, secret = await pair_for(running, "ann")
        signed = {"authorization": f"Bearer {made(access, secret, now=time.time())}"}
        plain = {"authorization": f"Bearer {secret}"}
        new = await create(running, TEXT, WORDS, **signed)
        assert (await running.client.get(f"{TEXT}/{new['task_id']}", headers=plain)).status_code == 200
        # where another API has the path too, the token is not taken for a key of that one
        await create(running, PICTURES, {"model_name": "kling-v2", "prompt": "x"}, **signed)
        [job] = await running.app.store.list(wire="kling", owner="ann", route="videos/text2video", limit=9)
        assert WIRE.public_id(job.id) == new["task_id"]


async def test_each_failure_of_a_token_has_its_code(start: Start) -> None:
    async with start(**SCRIPTED, script={"slots": 0}) as running:
        access, secret = await pair_for(running, "ann")
        now = time.time()
        good = {"iss": access, "exp": now + 1800, "nbf": now - 5}
        tokens = {
            "": 1001,
            "no-such-key": 1002,
            token(good, "another secret"): 1002,
            token(good | {"iss": "mak_nobody"}, secret): 1002,
            token(good, secret, alg="none"): 1002,
            token(good, access): 1002,
            access: 1002,
            token(good | {"nbf": now + 600}, secret): 1003,
            token(good | {"exp": now - 600}, secret): 1004,
        }
        for text, code in tokens.items():
            headers = {"authorization": f"Bearer {text}"} if text else {}
            answer = await running.client.post(TEXT, json=WORDS, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (401, code), text
        for claims in (good, good | {"nbf": now + 30}, good | {"exp": now - 30}):  # clocks may be a little off
            answer = await running.client.post(
                TEXT, json=WORDS, headers={"authorization": f"Bearer {token(claims, secret)}"}
            )
            assert answer.status_code == 200
        [key] = await running.app.store.keys(name="ann")
        await running.app.store.revoke_key(key.id, now=now)
        await running.app.keys.refresh()
        headers = {"authorization": f"Bearer {token(good, secret)}"}
        answer = await running.client.post(TEXT, json=WORDS, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (401, 1002)


async def test_another_servers_pair_opens_nothing(start: Start, tmp_path: Any) -> None:
    async with start(**SCRIPTED, script={"slots": 0}) as running:
        await pair_for(running, "ann")
        pair = make_pair(b"another server's secret")
        answer = await running.client.get(
            TEXT, headers={"authorization": f"Bearer {made(pair.access, pair.secret, now=time.time())}"}
        )
        assert answer.status_code == 401


async def test_administrators_make_and_rotate_pairs(start: Start) -> None:
    async with start() as running:
        secret, record = make_key("root", Rights(admin=True), now=time.time())
        await running.app.store.add_key(record)
        await running.app.keys.refresh()
        root = {"authorization": f"Bearer {secret}"}
        path, body = "/admin/keys", {"name": "ann", "pair": True}
        for _ in range(2):
            told = (await running.client.post(path, json=body, headers=root)).json()
            path, body = f"/admin/keys/{told['id']}/rotate", {"pair": True}
            assert "key" not in told
            signed = made(told["access_key"], told["secret_key"], now=time.time())
            assert (await running.client.get(TEXT, headers={"authorization": f"Bearer {signed}"})).status_code == 200


def test_a_plain_key_is_a_key_and_a_token_a_proof():
    def shown(text: str) -> Any:
        return WIRE.credential(HttpRequest(method="GET", path=TEXT, headers={"authorization": f"Bearer {text}"}))

    assert shown("msk_abc") == "msk_abc"
    assert isinstance(shown(VECTOR), Proof)
