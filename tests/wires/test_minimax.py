"""MiniMax's API in front: what each request and each end of a job is answered with, in the vendor's words."""

import base64
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import msgspec
import pytest
import uuid_utils
from hypothesis import given
from hypothesis import strategies as st

from mutoscope.model.http import HttpRequest
from mutoscope.model.job import Failure, Generation, Job, Operation, Output, Role, State
from mutoscope.model.problem import Kind, Problem
from mutoscope.model.requests import Submission
from mutoscope.service.keys import digest
from mutoscope.wirekit.routes import Create
from mutoscope.wires.minimax import api as minimax
from mutoscope.wires.minimax.words import digits, file_id, from_digits, made_at

Start = Callable[..., AbstractAsyncContextManager[Any]]
PICTURE = "https://media.example.net/fox.png"
GOOD = {"status_code": 0, "status_msg": "success"}
SCRIPT = {"rehearsal": True, "inputs": {"probe": "never"}}


def parse(path: str, body: dict[str, Any]) -> Submission:
    route = next(each for each in minimax.WIRE.routes if isinstance(each, Create) and each.path == path)
    return route.parse(HttpRequest(method="POST", path=path, body=json.dumps(body).encode()))


def refused(path: str, body: dict[str, Any]) -> dict[str, Any]:
    request = HttpRequest(method="POST", path=path)
    with pytest.raises(Problem) as caught:
        parse(path, body)
    return json.loads(minimax.WIRE.render_problem(caught.value, request).body)


@pytest.fixture
async def running(start: Start) -> AsyncIterator[Any]:
    async with start(**SCRIPT) as running:
        yield running


async def made(running: Any, body: dict[str, Any], root: str = "") -> str:
    answer = await running.client.post(f"{root}/v1/video_generation", json=body)
    assert answer.json()["base_resp"] == GOOD, answer.text
    return answer.json()["task_id"]


async def asked(running: Any, id: str, root: str = "") -> dict[str, Any]:
    await running.finished(from_digits(id))
    answer = await running.client.get(f"{root}/v1/query/video_generation", params={"task_id": id, "GroupId": "1"})
    assert answer.status_code == 200
    return answer.json()


# -- the first version ------------------------------------------------------------------------


@pytest.mark.parametrize("root", ["", "/minimax", "/minimaxi", "/proxy/minimax"])
async def test_a_video_comes_in_three_steps(root: str, running: Any) -> None:
    id = await made(
        running, {"model": "MiniMax-Hailuo-2.3", "prompt": "a fox", "resolution": "768P", "duration": 6}, root
    )
    assert id.isdecimal()
    task = await asked(running, id, root)
    assert task == {
        "task_id": id,
        "status": "Success",
        "file_id": task["file_id"],
        "video_width": 1366,
        "video_height": 768,
        "base_resp": GOOD,
    }
    assert int(task["file_id"]) < 1 << 53
    answer = await running.client.get(f"{root}/v1/files/retrieve", params={"file_id": task["file_id"]})
    file = answer.json()["file"]
    assert answer.json()["base_resp"] == GOOD
    assert (file["file_id"], file["filename"]) == (int(task["file_id"]), "output.mp4")
    assert file["purpose"] == "video_generation"
    assert abs(file["created_at"] - time.time()) < 60
    video = await running.client.get(file["download_url"])
    assert video.headers["content-type"] == "video/mp4"
    assert len(video.content) == file["bytes"]


async def test_a_job_that_waits_is_preparing_and_has_no_file(start: Start) -> None:
    async with start(**SCRIPT, script={"slots": 0}) as running:
        id = await made(running, {"model": "T2V-01", "prompt": "a fox"})
        task = (await running.client.get("/v1/query/video_generation", params={"task_id": id})).json()
        assert (task["status"], task["file_id"], task["video_width"]) == ("Preparing", "", 0)


async def test_a_job_that_failed_says_why_in_its_code(running: Any) -> None:
    for prompt, code in (("fail refused not that", 1027), ("fail engine_failed broke", 1000)):
        task = await asked(running, await made(running, {"model": "T2V-01", "prompt": prompt}))
        assert task["status"] == "Fail"
        assert task["base_resp"] == {"status_code": code, "status_msg": prompt.split(" ", 2)[2]}


async def test_every_error_has_status_200_and_a_code(start: Start) -> None:
    limits = {"requests_per_minute": 3}
    async with start(**SCRIPT, keys=[{"name": "a", "sha256": digest("s3cret-ann")}], limits=limits) as running:
        key = {"authorization": "Bearer s3cret-ann"}
        seen = []
        for headers, path in (
            ({}, "/v1/query/video_generation?task_id=1"),
            ({"authorization": "Bearer no"}, "/v1/query/video_generation?task_id=1"),
            (key, "/v1/query/video_generation?task_id=123"),
            (key, "/v1/files/retrieve?file_id=123"),
            (key, "/v1/files/retrieve?file_id=x"),
            (key, "/v1/files/retrieve"),
        ):
            answer = await running.client.get(path, headers=headers)
            assert answer.status_code == 200
            seen.append(answer.json()["base_resp"]["status_code"])
        assert seen == [1004, 1004, 2013, 2013, 2013, 1002]
        assert "retry-after" in answer.headers


async def test_a_query_without_a_task_says_what_is_missing(running: Any) -> None:
    for query in ("", "?task_id="):
        answer = await running.client.get(f"/v1/query/video_generation{query}")
        told = answer.json()["base_resp"]
        assert (answer.status_code, told["status_code"]) == (200, 2013)
        assert told["status_msg"].endswith("task_id: is required")


async def test_a_path_that_is_not_there_is_told_in_the_vendors_words(running: Any) -> None:
    answer = await running.client.post("/minimax/v1/voice_clone", json={})
    assert (answer.status_code, answer.json()["base_resp"]["status_code"]) == (200, 2013)
    assert "/v1/voice_clone" in answer.text


async def test_a_file_is_its_owners_only(start: Start) -> None:
    keys = [{"name": name, "sha256": digest(f"s3cret-{name}")} for name in ("ann", "bob")]
    async with start(**SCRIPT, keys=keys) as running:
        ann, bob = ({"authorization": f"Bearer s3cret-{name}"} for name in ("ann", "bob"))
        body = {"model": "T2V-01", "prompt": "a fox"}
        ids = [
            (await running.client.post("/v1/video_generation", json=body, headers=ann)).json()["task_id"]
            for _ in range(5)
        ]
        jobs = [await running.finished(from_digits(id)) for id in ids]
        files = [file_id(job) for job in jobs]
        assert len(set(files)) == 5
        for job, file in zip(jobs, files, strict=True):
            answer = await running.client.get("/v1/files/retrieve", params={"file_id": file}, headers=ann)
            assert job.outputs[0].asset in answer.json()["file"]["download_url"]
            answer = await running.client.get("/v1/files/retrieve", params={"file_id": file}, headers=bob)
            assert answer.json()["base_resp"]["status_code"] == 2013
        for headers, purpose, expected in (
            (ann, "", files),
            (ann, "video_generation", files),
            (ann, "t2a_async", []),
            (bob, "", []),
        ):
            listed = await running.client.get("/v1/files/list", params={"purpose": purpose}, headers=headers)
            assert {each["file_id"] for each in listed.json()["files"]} == set(expected)
        sent = await running.client.get("/v1/files/retrieve_content", params={"file_id": files[0]}, headers=ann)
        assert jobs[0].outputs[0].asset in sent.headers["location"]
        bobs = await running.client.get("/v1/files/retrieve_content", params={"file_id": files[0]}, headers=bob)
        assert "location" not in bobs.headers and bobs.json()["base_resp"]["status_code"] == 2013


@given(st.integers(1 << 40, (1 << 48) - 1), st.integers(0, (1 << 74) - 1))
def test_ids_are_digits_that_lead_back(milliseconds: int, chance: int) -> None:
    number = milliseconds << 80 | 7 << 76 | (chance >> 62) << 64 | 2 << 62 | chance & (1 << 62) - 1
    text = f"{number:032x}"
    id = "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
    assert from_digits(digits(id)) == id
    for odd in (digits(id) + "0" * 4, "0" + digits(id), "-" + digits(id), digits(id) + " ", "٣"):
        assert from_digits(odd) is None


def test_files_of_one_millisecond_are_told_apart() -> None:
    ids = [str(uuid_utils.uuid7()) for _ in range(2000)]
    wish = Generation(operation=Operation.TEXT_TO_VIDEO, model="m")
    jobs = [Job(id=id, wire="minimax", route="", owner="", generation=wish, engine="e", created=0.0) for id in ids]
    assert len({file_id(job) for job in jobs}) == 2000
    assert abs(made_at(file_id(jobs[0])) - time.time()) < 60
    assert all(0 < file_id(job) < 1 << 53 for job in jobs)


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"prompt": "p"}, "model"),
    ({"model": "MiniMax-Hailuo-9", "prompt": "p"}, "model"),
    ({"model": "MiniMax-Hailuo-2.3"}, "prompt"),
    ({"model": "MiniMax-Hailuo-2.3", "prompt": "p" * 2001}, "prompt"),
    ({"model": "MiniMax-Hailuo-2.3", "prompt": "p", "duration": 7}, "duration"),
    ({"model": "MiniMax-Hailuo-2.3", "prompt": "p", "duration": 10, "resolution": "1080P"}, "duration"),
    ({"model": "MiniMax-Hailuo-2.3", "prompt": "p", "resolution": "768p"}, "resolution"),
    ({"model": "MiniMax-Hailuo-2.3", "prompt": "p", "resolution": "720P"}, "resolution"),
    ({"model": "MiniMax-Hailuo-02", "prompt": "p", "resolution": "512P"}, "resolution"),
    ({"model": "MiniMax-Hailuo-2.3", "prompt": "p", "last_frame_image": PICTURE}, "last_frame_image"),
    ({"model": "MiniMax-Hailuo-2.3-Fast", "prompt": "p"}, "first_frame_image"),
    ({"model": "MiniMax-Hailuo-2.3", "prompt": "p", "first_frame_image": "fox.png"}, "first_frame_image"),
    ({"model": "MiniMax-Hailuo-2.3", "prompt": "p", "callback_url": "fox"}, "callback_url"),
    ({"model": "T2V-01", "prompt": "p", "duration": 6}, "duration"),
    ({"model": "I2V-01", "first_frame_image": PICTURE, "resolution": "720P"}, "resolution"),
    ({"model": "I2V-01", "prompt": "p"}, "first_frame_image"),
    ({"model": "T2V-01", "prompt": "p", "first_frame_image": PICTURE}, "first_frame_image"),
    ({"model": "S2V-01", "prompt": "p"}, "subject_reference"),
    ({"model": "S2V-01", "prompt": "p", "subject_reference": [{"image": PICTURE}]}, "subject_reference"),
    (
        {"model": "T2V-01", "prompt": "p", "subject_reference": [{"type": "character", "image": [PICTURE]}]},
        "subject_reference",
    ),
]


@pytest.mark.parametrize(("body", "field"), REFUSED, ids=[f"{body.get('model')} {field}" for body, field in REFUSED])
def test_what_a_model_does_not_take_is_2013_and_named(body: dict[str, Any], field: str) -> None:
    told = refused("/v1/video_generation", body)["base_resp"]
    assert told["status_code"] == 2013
    assert told["status_msg"].startswith("invalid params, ")
    assert field in told["status_msg"]


def test_each_kind_of_video_is_read_from_its_fields() -> None:
    inline = "data:image/png;base64," + base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(64)).decode()
    frames = parse(
        "/v1/video_generation",
        {
            "model": "MiniMax-Hailuo-02",
            "prompt": "p [Push in]",
            "first_frame_image": PICTURE,
            "last_frame_image": inline,
            "resolution": "512P",
            "duration": 10,
            "prompt_optimizer": False,
            "aigc_watermark": True,
            "callback_url": "https://hooks.example/1",
        },
    )
    wish = frames.generation
    assert (wish.operation, wish.model) == (Operation.IMAGE_TO_VIDEO, "MiniMax-Hailuo-02")
    assert [each.role for each in wish.inputs] == [Role.FIRST_FRAME, Role.LAST_FRAME]
    assert (wish.resolution, wish.seconds, wish.watermark) == ("512p", 10, True)
    assert wish.extra == {"prompt_extend": False}
    assert frames.webhook == "https://hooks.example/1"
    subject = [{"type": "character", "image": [PICTURE]}]
    wish = parse("/v1/video_generation", {"model": "S2V-01", "prompt": "p", "subject_reference": subject}).generation
    assert [(each.role, each.url) for each in wish.inputs] == [(Role.CHARACTER, PICTURE)]


async def test_a_subject_is_refused_by_name_where_nothing_can_keep_its_face(start: Start) -> None:
    async with start(inputs={"probe": "never"}) as running:
        subject = [{"type": "character", "image": [PICTURE]}]
        body = {"model": "S2V-01", "prompt": "p", "subject_reference": subject}
        answer = (await running.client.post("/v1/video_generation", json=body)).json()
        assert answer["base_resp"]["status_code"] == 2013
        assert "subject_reference" in answer["base_resp"]["status_msg"]


# -- the second version -------------------------------------------------------------------------


def text(words: str = "a fox") -> dict[str, Any]:
    return {"type": "text", "text": words}


def picture(role: str) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": PICTURE}, "role": role}


async def test_the_second_version_tells_the_link_in_the_task(running: Any) -> None:
    body = {"model": "MiniMax-H3", "content": [text()], "resolution": "768P", "duration": 5, "ratio": "9:16"}
    created = (await running.client.post("/minimax/v2/video_generation", json=body)).json()
    assert list(created) == ["task_id"]
    await running.finished(from_digits(created["task_id"]))
    task = (await running.client.get(f"/v2/query/video_generation/{created['task_id']}")).json()["task"]
    assert task["id"] == created["task_id"]
    assert [task[name] for name in ("model", "status", "task_type", "modality")] == [
        "MiniMax-H3",
        "succeeded",
        "generation",
        "text",
    ]
    assert [task[name] for name in ("resolution", "ratio", "duration")] == ["768P", "9:16", 5]
    assert task["usage"] == {"total_seconds": 5, "output_seconds": 5, "input_image_count": 0}
    assert (await running.client.get(task["content"]["url"])).status_code == 200
    listed = (await running.client.get("/v2/query/video_generation", params={"filter.status": "succeeded"})).json()
    assert [each["id"] for each in listed["tasks"]] == [created["task_id"]]
    none = (await running.client.get("/v2/query/video_generation", params={"filter.model": "MiniMax-H3-Max"})).json()
    assert none["tasks"] == []


async def test_a_task_of_the_second_version_that_failed_has_an_error(running: Any) -> None:
    body = {"model": "MiniMax-H3", "content": [text("fail refused not that")]}
    id = (await running.client.post("/v2/video_generation", json=body)).json()["task_id"]
    await running.finished(from_digits(id))
    task = (await running.client.get(f"/v2/query/video_generation/{id}")).json()["task"]
    assert (task["status"], task["error"]) == ("failed", {"code": "1027", "message": "not that"})


async def test_a_queued_task_is_cancelled_and_an_ended_one_is_not(start: Start) -> None:
    async with start(**SCRIPT, script={"slots": 0}) as running:
        body = {"model": "MiniMax-H3", "content": [text()]}
        id = (await running.client.post("/v2/video_generation", json=body)).json()["task_id"]
        assert (await running.client.delete(f"/v2/video_generation/{id}")).json()["task"]["status"] == "cancelled"
        again = await running.client.delete(f"/v2/video_generation/{id}")
        assert (again.status_code, again.json()["error"]["type"]) == (400, "bad_request_error")


BAD: list[tuple[dict[str, Any], str]] = [
    ({"content": [picture("first_frame")]}, "text"),
    ({"content": [text(), text()]}, "content[1]"),
    ({"content": [text(), picture("first_frame"), picture("first_frame")]}, "content[2]"),
    ({"content": [text(), picture("first_frame"), picture("reference_image")]}, "mixed"),
    ({"content": [text(), *[picture("reference_image")] * 10]}, "reference_image"),
    ({"content": [text(), picture("reference_video")]}, "content[1].role"),
    ({"content": [text(), picture("base_video")]}, "content[1].role"),
    ({"content": [text(), {"type": "image_url", "role": "first_frame"}]}, "content[1].image_url"),
    ({"content": [text()], "ratio": "adaptive"}, "ratio"),
    ({"content": [text()], "resolution": "480P"}, "resolution"),
    ({"content": [text()], "duration": 3}, "duration"),
    ({"content": [text()], "duration": 16}, "duration"),
    ({"model": "MiniMax-H3-Max", "content": [text()], "duration": 4}, "duration"),
    ({"model": "MiniMax-H3-Max", "content": [text()], "resolution": "2K"}, "resolution"),
]


@pytest.mark.parametrize(("body", "named"), BAD, ids=[str(number) for number in range(len(BAD))])
def test_what_the_second_version_does_not_take_is_named(body: dict[str, Any], named: str) -> None:
    told = refused("/v2/video_generation", {"model": "MiniMax-H3"} | body)
    assert (told["type"], told["error"]["type"], told["error"]["http_code"]) == ("error", "bad_request_error", "400")
    assert named in told["error"]["message"]
    assert told["error"]["message"].endswith("(2013)")


@pytest.mark.parametrize(
    ("kind", "status", "type", "code"),
    [
        (Kind.UNAUTHENTICATED, 401, "authorized_error", 1004),
        (Kind.OVER_BUDGET, 402, "insufficient_balance_error", 1008),
        (Kind.REFUSED, 422, "unprocessable_entity_error", 1026),
        (Kind.RATE_LIMITED, 429, "rate_limit_error", 1002),
        (Kind.INTERNAL, 500, "server_error", 1000),
    ],
)
def test_the_second_versions_errors_have_statuses(kind: Kind, status: int, type: str, code: int) -> None:
    answer = minimax.WIRE.render_problem(Problem(kind, "why"), HttpRequest(method="GET", path="/minimax/v2/query/x"))
    assert answer.status == status
    told = json.loads(answer.body)
    error = told["error"]
    assert len(told["request_id"]) == 16 and int(told["request_id"], 16)
    assert error == {"type": type, "message": f"why ({code})", "http_code": str(status)}


def test_references_are_read_by_their_roles() -> None:
    content = [
        text(),
        picture("reference_image"),
        {"type": "video_url", "video_url": {"url": "https://media.example.net/a.mp4"}, "role": "reference_video"},
        {"type": "audio_url", "audio_url": {"url": "https://media.example.net/a.mp3"}, "role": "reference_audio"},
    ]
    read = parse("/v2/video_generation", {"model": "MiniMax-H3", "content": content, "ratio": "adaptive"}).generation
    assert [each.role for each in read.inputs] == [Role.REFERENCE, Role.REFERENCE_VIDEO, Role.AUDIO]


# -- what is answered at once ---------------------------------------------------------------------


async def test_pictures_come_as_links_or_inside_the_answer(running: Any) -> None:
    body = {"model": "image-01", "prompt": "a fox", "aspect_ratio": "16:9", "n": 2}
    answer = (await running.client.post("/minimax/v1/image_generation", json=body)).json()
    assert answer["base_resp"] == GOOD
    assert answer["metadata"] == {"success_count": 2, "failed_count": 0}
    for link in answer["data"]["image_urls"]:
        assert (await running.client.get(link)).content.startswith(b"\x89PNG")
    body |= {"response_format": "base64", "n": 1, "aspect_ratio": None, "width": 512, "height": 768}
    answer = (await running.client.post("/v1/image_generation", json=body)).json()
    [inline] = answer["data"]["image_base64"]
    assert base64.b64decode(inline).startswith(b"\x89PNG")


async def test_a_picture_that_cannot_be_made_says_why(running: Any) -> None:
    body = {"model": "image-01", "prompt": "fail refused not that"}
    answer = (await running.client.post("/v1/image_generation", json=body)).json()
    assert answer["base_resp"] == {"status_code": 1027, "status_msg": "not that"}
    assert answer["metadata"] == {"success_count": 0, "failed_count": 1}
    for more, field in (({"width": 512}, "height"), ({"width": 513, "height": 512}, "width"), ({"n": 10}, "n: ")):
        answer = refused("/v1/image_generation", {"model": "image-01", "prompt": "p"} | more)
        assert field in answer["base_resp"]["status_msg"]


async def test_an_answer_that_takes_too_long_names_the_task(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mutoscope.web.server.MAX_WAIT", 0.01)
    async with start(**SCRIPT, script={"slots": 0}) as running:
        body = {"model": "image-01", "prompt": "a fox"}
        answer = (await running.client.post("/v1/image_generation", json=body)).json()
        assert answer["base_resp"]["status_code"] == 1001
        assert answer["id"] in answer["base_resp"]["status_msg"]


@pytest.mark.parametrize("path", ["/v1/t2a_v2", "/v1/music_generation"])
async def test_sound_comes_in_hexadecimal_or_as_a_link(path: str, running: Any) -> None:
    model = (
        {"model": "speech-02-hd", "text": "Hello there"} if "t2a" in path else {"model": "music-2.0", "prompt": "a fox"}
    )
    answer = (await running.client.post(path, json=model | {"audio_setting": {"format": "wav"}})).json()
    sound = bytes.fromhex(answer["data"]["audio"])
    assert (sound[:4], answer["data"]["status"]) == (b"RIFF", 2)
    assert answer["extra_info"]["audio_size"] == len(sound)
    assert answer["extra_info"]["audio_format"] == "wav"
    answer = (await running.client.post(path, json=model | {"output_format": "url"})).json()
    assert (await running.client.get(answer["data"]["audio"])).status_code == 200
    assert answer["base_resp"] == GOOD
    refusal = refused(path, model | {"stream": True})
    assert "stream" in refusal["base_resp"]["status_msg"]


def test_what_the_official_client_always_sends_is_taken() -> None:
    """minimax-mcp 0.0.19 sends every setting, at its usual value."""
    read = parse(
        "/v1/t2a_v2",
        {
            "model": "speech-2.6-hd",
            "text": "Hello",
            "voice_setting": {"voice_id": "female-shaonv", "speed": 1.0, "vol": 1.0, "pitch": 0, "emotion": "happy"},
            "audio_setting": {"sample_rate": 32000, "bitrate": 128000, "format": "mp3", "channel": 1},
            "language_boost": "auto",
        },
    )
    assert read.ignored == ()
    assert "vol" not in read.generation.extra and "language_boost" not in read.generation.extra


# -- news -----------------------------------------------------------------------------------------


def test_news_has_words_of_its_own() -> None:
    wish = Generation(operation=Operation.TEXT_TO_VIDEO, model="t2v-01")
    file = Output(id="o", media_type="video/mp4", asset="a", width=1280, height=720)
    for state, word in ((State.RUNNING, "processing"), (State.SUCCEEDED, "success"), (State.FAILED, "failed")):
        job = Job(
            id=str(uuid_utils.uuid7()),
            wire="minimax",
            route="",
            owner="",
            generation=wish,
            engine="e",
            created=0.0,
            state=state,
            outputs=(file,) if state is State.SUCCEEDED else (),
            failure=Failure(kind=Kind.REFUSED, message="no") if state is State.FAILED else None,
        )
        render = minimax.WIRE.render_webhook
        assert render
        told = msgspec.json.decode(render(job) or b"")
        assert (told["task_id"], told["status"]) == (digits(job.id), word)
        assert told["base_resp"]["status_code"] == (1027 if state is State.FAILED else 0)
        assert bool(told["file_id"]) == (state is State.SUCCEEDED)
