"""The DashScope wire in front: the vendor's bodies, answers and words, in process and over the application."""

import json
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from mutoscope.model import catalog
from mutoscope.model.http import HttpRequest
from mutoscope.model.job import Failure, Generation, Job, Operation, Output, Role, State
from mutoscope.model.problem import Kind, Problem
from mutoscope.model.requests import Submission
from mutoscope.wirekit.routes import Create, Read
from mutoscope.wires import ROWS, _wan
from mutoscope.wires.dashscope import bodies
from mutoscope.wires.dashscope.answers import CHINA
from mutoscope.wires.dashscope.api import WIRE
from mutoscope.wires.freepik import api as freepik

Start = Callable[..., Any]
PATH = "/api/v1/services/aigc/video-generation/video-synthesis"
KEYFRAMES = "/api/v1/services/aigc/image2video/video-synthesis"
ASYNC = {"x-dashscope-async": "enable"}
PICTURE, CLIP, SOUND = "https://files.example/a.png", "https://files.example/a.mp4", "https://files.example/a.mp3"
SCRIPTED: dict[str, Any] = {"models": {name: {"engine": "script"} for name in ("wan-2.7", "wan-2.6", "wan-2.2-kf2v")}}


def media(**urls: str) -> list[dict[str, str]]:
    return [{"type": type, "url": url} for type, url in urls.items()]


def words(prompt: str = "she turns and smiles", **parameters: Any) -> dict[str, Any]:
    return {"model": "wan2.7-t2v", "input": {"prompt": prompt}, "parameters": parameters}


def still(**parameters: Any) -> dict[str, Any]:
    return {"model": "wan2.7-i2v", "input": {"media": media(first_frame=PICTURE)}, "parameters": parameters}


def parse(body: dict[str, Any], path: str = PATH, **headers: str) -> Submission:
    route = next(route for route in WIRE.routes if route.path == path and isinstance(route, Create))
    return route.parse(HttpRequest(method="POST", path=path, headers=headers, body=json.dumps(body).encode()))


def refused(body: dict[str, Any], path: str = PATH, **headers: str) -> dict[str, Any]:
    """The answer to a body that cannot be read."""
    with pytest.raises(Problem) as caught:
        parse(body, path, **headers)
    request = HttpRequest(method="POST", path=path, body=json.dumps(body).encode())
    answer = WIRE.render_problem(caught.value, request)
    return json.loads(answer.body) | {"status": answer.status}


def made(body: dict[str, Any], path: str = PATH, **headers: str) -> Generation:
    return parse(body, path, **headers).generation


def roles(wish: Generation) -> list[str]:
    return [each.role.value for each in wish.inputs]


# -- bodies ------------------------------------------------------------------------------


def test_the_vendors_example_is_read():
    body = {
        "model": "wan2.7-i2v",
        "input": {
            "prompt": "she turns and smiles",
            "media": media(first_frame=PICTURE, driving_audio=SOUND),
        },
        "parameters": {"resolution": "720P", "duration": 5, "prompt_extend": True, "watermark": False, "seed": 1},
    }
    wish = made(body)
    assert (wish.operation, wish.model, wish.prompt) == ("image_to_video", "wan-2.7", "she turns and smiles")
    assert (wish.resolution, wish.seconds, wish.seed, wish.watermark) == ("720p", 5, 1, False)
    assert wish.extra == {"prompt_extend": True}
    assert [(each.role, each.url, each.field) for each in wish.inputs] == [
        ("first_frame", PICTURE, "input.media[0].url"),
        ("audio", SOUND, "input.media[1].url"),
    ]


@pytest.mark.parametrize(
    ("urls", "expected"),
    [
        ({"first_frame": PICTURE}, ["first_frame"]),
        ({"driving_audio": SOUND, "first_frame": PICTURE}, ["first_frame", "audio"]),
        ({"last_frame": PICTURE, "first_frame": PICTURE}, ["first_frame", "last_frame"]),
        (
            {"first_frame": PICTURE, "driving_audio": SOUND, "last_frame": PICTURE},
            ["first_frame", "last_frame", "audio"],
        ),
        ({"first_clip": CLIP}, ["video"]),
        ({"last_frame": PICTURE, "first_clip": CLIP}, ["last_frame", "video"]),
    ],
)
def test_media_that_can_stand_together_are_read_in_one_order(urls: dict[str, str], expected: list[str]):
    wish = made({"model": "wan2.7-i2v", "input": {"media": media(**urls)}})
    assert roles(wish) == expected
    assert wish.operation is (Operation.VIDEO_EXTENSION if "first_clip" in urls else Operation.IMAGE_TO_VIDEO)


@pytest.mark.parametrize(
    "types",
    [
        ["last_frame"],
        ["driving_audio"],
        ["first_frame", "first_clip"],
        ["first_clip", "driving_audio"],
        ["first_frame", "first_frame"],
        ["last_frame", "driving_audio"],
    ],
)
def test_media_that_cannot_stand_together_are_refused_with_what_can(types: list[str]):
    body = {"model": "wan2.7-i2v", "input": {"media": [{"type": each, "url": PICTURE} for each in types]}}
    answer = refused(body)
    assert (answer["status"], answer["code"]) == (400, "InvalidParameter")
    assert "input.media holds" in answer["message"]
    assert "first_clip + last_frame" in answer["message"]


PAIRS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    (
        "text-to-video/wan-2-7",
        {
            "prompt": "p",
            "negative_prompt": "n",
            "audio_url": SOUND,
            "aspect_ratio": "4:3",
            "resolution": "720P",
            "duration": 7,
            "seed": 0,
            "additional_settings": {"prompt_extend": False},
        },
        {
            "model": "wan2.7-t2v",
            "input": {"prompt": "p", "negative_prompt": "n", "audio_url": SOUND},
            "parameters": {"ratio": "4:3", "resolution": "720P", "duration": 7, "seed": 0, "prompt_extend": False},
        },
    ),
    (
        "image-to-video/wan-2-7",
        {"prompt": "p", "start_image_url": PICTURE, "end_image_url": PICTURE, "audio_url": SOUND, "duration": 2},
        {
            "model": "wan2.7-i2v-2026-04-25",
            "input": {"prompt": "p", "media": media(driving_audio=SOUND, first_frame=PICTURE, last_frame=PICTURE)},
            "parameters": {"duration": 2},
        },
    ),
    (
        "image-to-video/wan-2-7",
        {"video_url": CLIP, "end_image_url": PICTURE, "duration": 6, "resolution": "1080P"},
        {
            "model": "wan2.7-i2v",
            "input": {"media": media(first_clip=CLIP, last_frame=PICTURE)},
            "parameters": {"duration": 6, "resolution": "1080P"},
        },
    ),
]


@pytest.mark.parametrize(("path", "theirs", "ours"), PAIRS)
def test_the_same_request_on_the_freepik_wire_is_the_same_generation(
    path: str, theirs: dict[str, Any], ours: dict[str, Any]
):
    def nameless(wish: Generation) -> Any:
        def plain(each: Any) -> Any:
            return (each.role, each.url, each.limits)

        return wish.operation, wish.model, wish.prompt, wish.negative_prompt, wish.seconds, wish.seed, (
            wish.width, wish.height, wish.resolution, wish.watermark, wish.extra, [plain(each) for each in wish.inputs]
        )  # fmt: skip

    route = next(each for each in freepik.WIRE.routes if each.at == f"POST /v1/ai/{path}")
    other = route.parse(HttpRequest(method="POST", path=route.path, body=json.dumps(theirs).encode()))
    assert nameless(made(ours)) == nameless(other.generation)


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("wan2.7-i2v", "wan-2.7"),
        ("wan2.7-i2v-2026-04-25", "wan-2.7"),
        ("wan2.6-i2v", "wan-2.6"),
    ],
)
def test_a_dated_snapshot_is_its_model(said: str, name: str):
    body = still() if "2.7" in said else {"input": {"img_url": PICTURE}}
    assert made(body | {"model": said}).model == name


def wan3(*types: str, prompt: str | None = "p", **parameters: Any) -> dict[str, Any]:
    said = {"prompt": prompt, "media": [{"type": each, "url": PICTURE} for each in types] or None}
    return {"model": "wan3.0-video", "input": said, "parameters": parameters}


def test_what_wan_3_makes_follows_from_whether_a_first_frame_is_there():
    wish = made(wan3(resolution="480P", ratio="3:4", duration=30, seed=5, prompt_extend=False, watermark=True))
    assert (wish.operation, wish.model, wish.prompt) == (Operation.TEXT_TO_VIDEO, "wan3", "p")
    assert (wish.resolution, wish.seconds, wish.seed, wish.watermark) == ("480p", 30, 5, True)
    assert wish.extra == {"ratio": "3:4", "prompt_extend": False}
    for types in (["first_frame"], ["last_frame", "first_frame"]):
        wish = made(wan3(*types, prompt=None))
        assert (wish.operation, roles(wish)) == (Operation.IMAGE_TO_VIDEO, sorted(types))


def test_a_shape_that_is_left_to_the_model_has_one_word_on_all_wires():
    assert made(wan3(ratio="adaptive")).extra == {"ratio": "auto"}


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (wan3(duration=-1), "parameters.duration should be at least 2"),
        (wan3(duration=31), "parameters.duration should be at most 30"),
        (wan3(resolution="4K"), "parameters.resolution should be one of 480P, 720P, 1080P"),
        (wan3(ratio="21:9"), "parameters.ratio should be one of 16:9, 9:16, 1:1, 4:3, 3:4, adaptive"),
        (wan3(size="832*480"), "parameters.size is not for wan3.0-video"),
        (wan3("reference_image"), "input.media[0].type should be one of first_frame, last_frame"),
        (wan3("first_frame", "driving_audio"), "input.media[1].type should be one of first_frame, last_frame"),
        (wan3("last_frame"), "input.media holds last_frame, which cannot stand together; what can: first_frame;"),
        (wan3(prompt=None), "input.prompt is required"),
        (wan3(prompt=""), "input.prompt is required"),
    ],
)
def test_what_wan_3_is_not_made_from_here_is_refused_with_what_it_is(body: dict[str, Any], told: str):
    answer = refused(body)
    assert (answer["status"], answer["code"]) == (400, "InvalidParameter")
    assert told in answer["message"]


@pytest.mark.parametrize("said", ["wan9-t2v", "wan2.7-i2v-2026-4-25", "", "x" * 70_000, "wan2.7-r2v"])
def test_a_model_that_is_not_made_here_is_not_found(said: str):
    answer = refused(words() | {"model": said})
    assert (answer["status"], answer["code"]) == (404, "ModelNotFound")
    assert "wan2.7-i2v" in answer["message"]


@pytest.mark.parametrize("body", [{}, {"model": 5}, {"model": None, "input": {}}])
def test_a_body_without_a_model_says_that_it_is_missing(body: dict[str, Any]):
    answer = refused(body)
    assert (answer["status"], answer["code"]) == (400, "InvalidParameter")
    assert answer["message"].startswith("model ")


def test_a_body_of_the_first_and_last_frame_model_needs_its_name_too():
    answer = refused({"input": {"first_frame_url": PICTURE, "last_frame_url": PICTURE}}, KEYFRAMES)
    assert (answer["status"], answer["message"]) == (400, "model is required, one of wan2.2-kf2v-flash")
    assert "wan2.2-kf2v-flash" in refused(words(), KEYFRAMES)["message"]


def test_older_models_have_members_of_their_own():
    wish = made(
        {
            "model": "wan2.6-i2v",
            "input": {"prompt": "p", "img_url": PICTURE, "audio_url": SOUND},
            "parameters": {"duration": 10, "resolution": "720P", "shot_type": "multi"},
        }
    )
    assert (roles(wish), wish.extra) == (["first_frame", "audio"], {"shot_type": "multi"})
    wish = made({"model": "wan2.6-t2v", "input": {"prompt": "p"}, "parameters": {"size": "832*1088"}})
    assert (wish.width, wish.height) == (832, 1088)
    wish = made(
        {"model": "wan2.2-kf2v-flash", "input": {"first_frame_url": PICTURE, "last_frame_url": PICTURE}}, KEYFRAMES
    )
    assert (wish.model, roles(wish)) == ("wan-2.2-kf2v", ["first_frame", "last_frame"])


@pytest.mark.parametrize(
    ("part", "name", "value"),
    [
        ("input", "img_url", PICTURE),
        ("input", "audio_url", SOUND),
        ("input", "template", "flying"),
        ("input", "reference_urls", [PICTURE]),
        ("parameters", "size", "1280*720"),
    ],
)
def test_what_another_model_takes_is_refused_where_it_would_change_the_video(part: str, name: str, value: Any):
    body = still()
    body[part] |= {name: value}
    answer = refused(body)
    assert f"{part}.{name} is not for wan2.7-i2v" in answer["message"]


def test_what_the_sdk_always_adds_is_nothing_and_the_rest_is_noted():
    body = still(ratio="16:9", shot_type="single", later=None)
    body["input"] |= {"extend_prompt": True, "function": "video-synthesis", "mood": "calm", "template": None}
    said = parse(body)
    assert [note.split(" ")[1] for note in said.ignored] == ["input.mood", "parameters.ratio", "parameters.shot_type"]
    assert parse(still()).notes == ()


def test_long_texts_are_cut_off_as_the_vendor_does_and_a_note_says_so():
    body = words("p" * 5001)
    body["input"]["negative_prompt"] = "n" * 501
    said = parse(body)
    assert (len(said.generation.prompt or ""), len(said.generation.negative_prompt or "")) == (5000, 500)
    assert "5000" in said.notes[0]
    assert "500" in said.notes[1]


def test_every_flaw_is_told_at_once_with_its_path():
    body = {
        "model": "wan2.7-i2v",
        "input": {"media": [{"type": "first_frame", "url": "ftp://files.example/a.png"}]},
        "parameters": {"duration": 16, "seed": -1, "resolution": "4K"},
    }
    message = refused(body)["message"]
    assert [part.split(" ")[0] for part in message.split("; ")] == [
        "parameters.seed",
        "parameters.resolution",
        "parameters.duration",
        "input.media[0].url",
    ]


def test_a_picture_may_be_inline_and_other_files_not():
    inline = "data:image/png;base64,aGVsbG8="
    body = {"model": "wan2.7-i2v", "input": {"media": media(first_frame=inline)}}
    assert made(body).inputs[0].data == b"hello"
    body["input"]["media"] += media(driving_audio="data:audio/mpeg;base64,aGVsbG8=")
    assert "input.media[1].url should be" in refused(body)["message"]


def test_an_upload_needs_its_name_and_its_header():
    id = "01900000-0000-7000-8000-000000000000"
    body = {"model": "wan2.7-i2v", "input": {"media": media(first_frame=f"oss://dashscope-instant/{id}/a cat.png")}}
    assert made(body, **{bodies.RESOLVE: "enable"}).inputs[0].upload == id
    assert "X-DashScope-OssResourceResolve" in refused(body)["message"]
    for other in ("oss://bucket/a.png", f"oss://dashscope-instant/{id}", f"oss://dashscope-instant/{id}/a/b.png"):
        body["input"]["media"] = media(first_frame=other)
        assert "upload_dir" in refused(body, **{bodies.RESOLVE: "enable"})["message"]


def test_a_create_must_be_asynchronous():
    create, read = (next(each for each in WIRE.routes if isinstance(each, kind)) for kind in (Create, Read))
    assert WIRE.precheck
    problem = WIRE.precheck(HttpRequest(method="POST", path=PATH), create)
    assert problem
    answer = WIRE.render_problem(problem, HttpRequest(method="POST", path=PATH))
    assert (answer.status, json.loads(answer.body)["code"]) == (403, "AccessDenied")
    assert "does not support synchronous calls" in json.loads(answer.body)["message"]
    assert WIRE.precheck(HttpRequest(method="POST", path=PATH, headers=ASYNC), create) is None
    assert WIRE.precheck(HttpRequest(method="GET", path="/api/v1/tasks/x"), read) is None


@pytest.mark.parametrize("tier", ["720P", "1080P"])
@pytest.mark.parametrize("shape", list(_wan.RATIOS))
def test_the_pixels_of_a_tier_and_a_shape_lead_back_to_both(tier: str, shape: str):
    size = catalog.pixels_of(shape, _wan.TIERS[tier])
    assert size
    assert bodies.SHAPES[size] == (tier, shape)
    assert bodies.SHAPES[bodies.OWN_SIZES[tier][list(_wan.RATIOS).index(shape)]] == (tier, shape)


@pytest.mark.parametrize("tier", list(bodies.WAN3_SIZES))
def test_the_catalog_knows_the_sizes_that_wan_3_has_for_this_wire(tier: str):
    model = catalog.Catalog(ROWS).get("wan3")
    for shape, size in zip(_wan.RATIOS, bodies.WAN3_SIZES[tier], strict=True):
        full = catalog.complete(made(wan3(resolution=tier, ratio=shape)), model)
        assert (full.width, full.height) == size
        assert bodies.MODELS["wan3.0-video"].shapes[size] == (tier, shape)


# -- answers -------------------------------------------------------------------------------


def job(**changes: Any) -> Job:
    values: dict[str, Any] = {
        "id": "01900000-0000-7000-8000-000000000000",
        "wire": "dashscope",
        "route": "video-synthesis",
        "owner": "",
        "generation": Generation(
            operation=Operation.TEXT_TO_VIDEO, model="wan-2.7", prompt="p", resolution="720p", width=720, height=1280
        ),
        "body": json.dumps(words() | {"model": "wan2.7-t2v-2026-06-12"}).encode(),
        "engine": "script",
        "created": 1767240000.25,
        "updated": 1767240100.0,
    }
    return Job(**values | changes)


def shown(job: Job) -> dict[str, Any]:
    route = next(each for each in WIRE.routes if isinstance(each, Read))
    return json.loads(route.render(job, HttpRequest(method="GET", path="/api/v1/tasks/x")).body)


def test_a_finished_task_is_told_as_the_vendor_tells_it():
    made = Output(
        id="o", media_type="video/mp4", asset="a", url="https://h.example/a.mp4", width=720, height=1280, seconds=5.0
    )
    told = shown(job(state=State.SUCCEEDED, started=1767240001.0, finished=1767240100.0, outputs=(made,)))
    assert told == {
        "request_id": "01900000-0000-4000-8000-000000000000",
        "output": {
            "task_id": "01900000-0000-4000-8000-000000000000",
            "task_status": "SUCCEEDED",
            "submit_time": "2026-01-01 12:00:00.250",
            "scheduled_time": "2026-01-01 12:00:01.000",
            "end_time": "2026-01-01 12:01:40.000",
            "orig_prompt": "p",
            "video_url": "https://h.example/a.mp4",
        },
        "usage": {
            "duration": 5,
            "input_video_duration": 0,
            "output_video_duration": 5,
            "video_count": 1,
            "SR": 720,
            "ratio": "9:16",
        },
    }


def test_the_shape_of_what_was_made_is_told_by_the_sizes_of_its_model():
    made = Output(id="o", media_type="video/mp4", asset="a", width=720, height=544, seconds=5.0)
    body = json.dumps(wan3(resolution="480P", ratio="4:3")).encode()
    told = shown(job(state=State.SUCCEEDED, outputs=(made,), body=body, generation=parse(json.loads(body)).generation))
    assert (told["usage"]["SR"], told["usage"]["ratio"]) == (480, "4:3")


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (Failure(kind=Kind.REFUSED, message="no"), "DataInspectionFailed"),
        (Failure(kind=Kind.UPSTREAM_FAILED, message="no"), "InternalError"),
        (Failure(kind=Kind.UPSTREAM_FAILED, message="no", code="Throttling.RateQuota"), "Throttling.RateQuota"),
        (Failure(kind=Kind.REFUSED, message="no", code="SAFETY.INPUT.TEXT"), "DataInspectionFailed"),
    ],
)
def test_a_failed_task_has_a_code_of_this_vendor(failure: Failure, code: str):
    told = shown(job(state=State.FAILED, failure=failure))["output"]
    assert (told["task_status"], told["code"], told["message"]) == ("FAILED", code, "no")
    assert "video_url" not in told


def test_a_webhook_is_what_a_read_answers():
    assert WIRE.render_webhook
    assert WIRE.render_webhook(job()) is None
    running = job(state=State.RUNNING, started=1767240001.0)
    body = WIRE.render_webhook(running)
    assert body
    assert json.loads(body) == shown(running)


# -- the application -----------------------------------------------------------------------


async def create(running: Any, body: dict[str, Any], path: str = PATH) -> str:
    answer = await running.client.post(path, json=body, headers=ASYNC)
    assert answer.status_code == 200, answer.text
    assert answer.json()["output"]["task_status"] == "PENDING"
    return answer.json()["output"]["task_id"]


async def status(running: Any, id: str) -> str:
    return (await running.client.get(f"/api/v1/tasks/{id}")).json()["output"]["task_status"]


async def test_a_task_is_made_and_read(start: Start):
    async with start(rehearsal=True) as running:
        id = await create(running, words("a lighthouse", resolution="720P", ratio="1:1", duration=2))
        job = await running.finished(WIRE.job_id(id))
        assert job.state is State.SUCCEEDED, job.failure
        told = (await running.client.get(f"/dashscope/api/v1/tasks/{id}")).json()
        assert told["usage"]["duration"] == 2
        assert (told["usage"]["SR"], told["usage"]["ratio"]) == (720, "1:1")
        assert (await running.client.get(told["output"]["video_url"])).content[4:8] == b"ftyp"


async def test_a_task_that_never_was_is_unknown_and_no_error(start: Start):
    async with start() as running:
        for id in ("7c0a6b52-0f5e-4d0a-9c53-2f6f1d1b8a10", "x"):
            answer = await running.client.get(f"/api/v1/tasks/{id}")
            assert answer.status_code == 200
            assert answer.json()["output"] == {"task_id": id, "task_status": "UNKNOWN"}
        answer = await running.client.post("/api/v1/tasks/x/cancel")
        assert (answer.status_code, answer.json()["code"]) == (404, "NotFound")
        assert (await running.client.get("/api/v1/elsewhere")).json()["code"] == "NotFound"


async def test_only_what_waits_can_be_canceled(start: Start):
    async with start(rehearsal=True, script={"slots": 1}, server={"grace_seconds": 0.1}) as running:
        first, second = [await create(running, words("sleep 60", duration=2)) for _ in range(2)]
        while await status(running, first) != "RUNNING":
            pass
        answer = await running.client.post(f"/api/v1/tasks/{second}/cancel")
        assert (answer.status_code, list(answer.json())) == (200, ["request_id"])
        assert await status(running, second) == "CANCELED"
        for id in (first, second):
            answer = await running.client.post(f"/api/v1/tasks/{id}/cancel")
            assert (answer.status_code, answer.json()["code"]) == (400, "UnsupportedOperation")
            assert "PENDING status" in answer.json()["message"]
        assert await status(running, first) == "RUNNING"


async def listed(running: Any, **query: Any) -> dict[str, Any]:
    answer = await running.client.get("/api/v1/tasks", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_lists_are_paged_and_look_one_page_ahead(start: Start):
    async with start(rehearsal=True, script={"slots": 0}) as running:
        ids = [await create(running, words(f"picture {n}")) for n in range(5)][::-1]
        first = await listed(running, page_size=2)
        assert [each["task_id"] for each in first["data"]] == ids[:2]
        assert (first["total"], first["total_page"], first["page_no"], first["page_size"]) == (3, 2, 1, 2)
        last = await listed(running, page_size=2, page_no=3)
        assert [each["task_id"] for each in last["data"]] == ids[4:]
        assert (last["total"], last["total_page"]) == (5, 3)
        assert (await running.client.get("/api/v1/tasks/")).json()["data"] == (await listed(running))["data"]


async def test_lists_are_filtered(start: Start):
    async with start(rehearsal=True, script={"slots": 0}) as running:
        text = await create(running, words())
        dated = await create(running, still() | {"model": "wan2.7-i2v-2026-04-25"})
        older = await create(running, {"model": "wan2.6-t2v", "input": {"prompt": "p"}})
        await running.client.post(f"/api/v1/tasks/{older}/cancel")

        async def found(**query: Any) -> list[str]:
            return [each["task_id"] for each in (await listed(running, **query))["data"]]

        assert await found() == [older, dated, text]
        assert await found(status="PENDING") == [dated, text]
        assert await found(status="CANCELED") == [older]
        assert await found(status="UNKNOWN") == []
        assert await found(model_name="wan2.7-i2v-2026-04-25") == [dated]
        assert await found(model_name="wan2.7-i2v") == []
        assert await found(status="PENDING", page_size=1, page_no=2) == [text]
        assert await found(task_id=text) == [text]
        now = datetime.now(CHINA)
        assert await found(end_time=now.strftime("%Y%m%d%H%M%S")) == [older, dated, text]
        assert await found(start_time=now.replace(year=now.year - 1).strftime("%Y%m%d%H%M%S"), end_time="") != []
        assert await found(start_time=now.replace(year=now.year + 1, day=1).strftime("%Y%m%d%H%M%S")) == []
        [last] = (await listed(running, task_id=older))["data"]
        assert last["user_api_unique_key"] == "apikey:v1:aigc:video-generation:video-synthesis:wan2.6-t2v"
        assert last["end_time"] >= last["gmt_create"] > 1_700_000_000_000


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ({"page_no": "0"}, "page_no"),
        ({"page_size": "x"}, "page_size"),
        ({"status": "DONE"}, "status"),
        ({"start_time": "2026-01-01"}, "start_time"),
        ({"end_time": "20260230000000"}, "end_time"),
    ],
)
async def test_a_list_that_cannot_be_made_says_why(start: Start, query: dict[str, str], name: str):
    async with start() as running:
        answer = await running.client.get("/api/v1/tasks", params=query)
        assert (answer.status_code, answer.json()["code"]) == (400, "InvalidParameter")
        assert answer.json()["message"].startswith(name)


async def test_a_file_sent_ahead_is_named_by_its_key(start: Start, picture: bytes):
    async with start(**SCRIPTED, net={"allow_private": False}) as running:
        asked = await running.client.get("/api/v1/uploads", params={"action": "getPolicy", "model": "wan2.7-i2v"})
        policy = asked.json()["data"]
        form = {
            "OSSAccessKeyId": policy["oss_access_key_id"],
            "Signature": policy["signature"],
            "policy": policy["policy"],
            "key": f"{policy['upload_dir']}/cat.png",
            "success_action_status": "200",
        }
        sent = await running.client.post(policy["upload_host"], data=form, files={"file": ("cat.png", picture)})
        assert sent.status_code == 200, sent.text
        body = still(duration=2)
        body["input"]["media"] = media(first_frame=f"oss://{form['key']}")
        answer = await running.client.post(PATH, json=body, headers=ASYNC | {bodies.RESOLVE: "enable"})
        job = await running.finished(WIRE.job_id(answer.json()["output"]["task_id"]))
        assert job.state is State.SUCCEEDED, job.failure
        assert job.generation.inputs[0].asset
        assert job.generation.inputs[0].role is Role.FIRST_FRAME


@pytest.mark.parametrize(
    ("query", "status", "name"),
    [({}, 400, "action"), ({"action": "getPolicy"}, 400, "model"), ({"action": "getPolicy", "model": "x"}, 404, "x")],
)
async def test_a_policy_is_for_a_model(start: Start, query: dict[str, str], status: int, name: str):
    async with start() as running:
        answer = await running.client.get("/api/v1/uploads", params=query)
        assert answer.status_code == status
        assert name in answer.json()["message"]


async def test_a_form_says_which_status_is_success(start: Start, picture: bytes):
    async with start() as running:
        for wished, status in (("200", 200), ("201", 201), ("204", 204), ("500", 204)):
            asked = await running.client.get("/api/v1/uploads", params={"action": "getPolicy", "model": "wan2.7-i2v"})
            host = asked.json()["data"]["upload_host"]
            form = {"success_action_status": wished}
            sent = await running.client.post(host, data=form, files={"file": ("cat.png", picture)})
            assert sent.status_code == status


async def test_a_note_with_control_characters_is_fit_for_a_header(start: Start):
    async with start(rehearsal=True, script={"slots": 0}) as running:
        answer = await running.client.post(PATH, json=still(**{"a\x00\x7f\x85\r\nb": 1}), headers=ASYNC)
        assert answer.status_code == 200
        assert re.fullmatch(r"[ -~]+", answer.headers["x-mutoscope-notes"])


async def test_the_docs_show_a_create_with_its_header_and_a_read_without(start: Start):
    async with start() as running:
        page = (await running.client.get("/docs")).text
        lines = [line for line in page.split("<pre>") if "/api/v1/" in line]
        for line in lines:
            assert ("X-DashScope-Async: enable" in line) == ("video-synthesis" in line.partition("</pre>")[0])
        assert sum("X-DashScope-Async" in line for line in lines) == 2
