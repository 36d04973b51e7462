"""Luma's Dream Machine API in front: the vendor's bodies, answers and words, in process and over the application."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from mutoscope.model import catalog
from mutoscope.model.http import HttpRequest
from mutoscope.model.job import Failure, Generation, Job, Operation, Output, Role, State
from mutoscope.model.problem import Kind, Problem
from mutoscope.model.requests import Submission
from mutoscope.service.keys import digest
from mutoscope.wirekit.routes import Create, Read
from mutoscope.wires import ROWS
from mutoscope.wires.luma.api import WIRE
from mutoscope.wires.luma.models import CONCEPTS

Start = Callable[..., Any]
BASE = "/dream-machine/v1"
VIDEO, IMAGE = f"{BASE}/generations/video", f"{BASE}/generations/image"
PICTURE, CLIP = "https://files.example/a.png", "https://files.example/a.mp4"
ID = "5c1f6c1e-0a70-4b52-9a5e-2a3f3f0f6b11"
SCRIPTED: dict[str, Any] = {"models": {row.name: {"engine": "script"} for row in ROWS if row.vendor == "luma"}}
WORDS: dict[str, Any] = {"model": "ray-2", "prompt": "a paper boat"}


def route_of(path: str) -> Any:
    return next(route for route in WIRE.routes if route.path == path and isinstance(route, Create))


def parse(body: dict[str, Any], path: str = VIDEO, **params: str) -> Submission:
    request = HttpRequest(method="POST", path=path, params=params, body=json.dumps(body).encode())
    return route_of(path).parse(request)


def made(body: dict[str, Any], path: str = VIDEO, **params: str) -> Generation:
    return parse(body, path, **params).generation


def refused(body: dict[str, Any], path: str = VIDEO) -> tuple[int, Any]:
    with pytest.raises(Problem) as caught:
        parse(body, path)
    answer = WIRE.render_problem(caught.value, HttpRequest(method="POST", path=path))
    return answer.status, json.loads(answer.body)["detail"]


def files(wish: Generation) -> dict[str, str | None]:
    return {each.role.value: each.url or each.output_of for each in wish.inputs}


def image(url: str = PICTURE) -> dict[str, str]:
    return {"type": "image", "url": url}


def earlier(id: str = ID) -> dict[str, str]:
    return {"type": "generation", "id": id}


# -- requests ------------------------------------------------------------------------------


def test_every_field_of_a_video_is_read():
    body = WORDS | {
        "aspect_ratio": "9:16",
        "duration": "9s",
        "resolution": "540p",
        "loop": False,
        "concepts": [{"key": "dolly_zoom"}],
        "callback_url": "https://hooks.example/x",
        "generation_type": "video",
    }
    read = parse(body)
    assert read.webhook == "https://hooks.example/x"
    wish = read.generation
    assert (wish.operation, wish.model, wish.prompt) == (Operation.TEXT_TO_VIDEO, "ray-2", "a paper boat")
    assert (wish.seconds, wish.resolution) == (9, "540p")
    assert wish.extra == {"ratio": "9:16", "loop": False, "concepts": [{"key": "dolly_zoom"}]}
    row = next(row for row in ROWS if row.name == "ray-2")
    whole = catalog.complete(wish, row)
    assert (whole.width, whole.height) == (540, 960)


def test_a_client_of_2024_names_no_model():
    assert made({"prompt": "a paper boat"}, f"{BASE}/generations").model == "ray-2"


@pytest.mark.parametrize(
    ("frames", "operation", "inputs"),
    [
        ({"frame0": image()}, Operation.IMAGE_TO_VIDEO, {"first_frame": PICTURE}),
        ({"frame1": image()}, Operation.IMAGE_TO_VIDEO, {"last_frame": PICTURE}),
        (
            {"frame0": image(), "frame1": image()},
            Operation.IMAGE_TO_VIDEO,
            {"first_frame": PICTURE, "last_frame": PICTURE},
        ),
        ({"frame0": earlier()}, Operation.VIDEO_EXTENSION, {"video": ID}),
        ({"frame1": earlier()}, Operation.VIDEO_EXTENSION, {"reference_video": ID}),
        ({"frame0": earlier(), "frame1": earlier()}, Operation.VIDEO_EXTENSION, {"video": ID, "reference_video": ID}),
        ({"frame0": earlier(), "frame1": image()}, Operation.VIDEO_EXTENSION, {"video": ID, "last_frame": PICTURE}),
        (
            {"frame0": image(), "frame1": earlier()},
            Operation.IMAGE_TO_VIDEO,
            {"first_frame": PICTURE, "reference_video": ID},
        ),
        ({"frame0": {"url": PICTURE}}, Operation.IMAGE_TO_VIDEO, {"first_frame": PICTURE}),
    ],
)
def test_keyframes_say_what_is_made_of_what(
    frames: dict[str, Any], operation: Operation, inputs: dict[str, str]
) -> None:
    wish = made({"model": "ray-2", "keyframes": frames})
    assert wish.operation is operation
    assert files(wish) == inputs


def test_an_extension_says_how_much_is_added():
    extend = {"model": "ray-2", "keyframes": {"frame0": earlier()}}
    assert made(extend | {"duration": "9s"}).extra == {"added_seconds": 9}
    assert made(extend).extra == {"added_seconds": 5}
    assert made(extend | {"duration": "9s"}).seconds is None


def test_a_video_is_restyled_and_reframed():
    asked = {"generation_type": "modify_video", "model": "ray-flash-2", "media": {"url": CLIP}, "mode": "flex_2"}
    wish = made(asked | {"prompt": "in the snow", "first_frame": {"url": PICTURE}}, f"{VIDEO}/modify")
    assert (wish.operation, wish.model, wish.extra) == (Operation.VIDEO_TO_VIDEO, "ray-flash-2", {"mode": "flex_2"})
    assert files(wish) == {"video": CLIP, "first_frame": PICTURE}
    box = {"grid_position_x": 1, "grid_position_y": 2, "x_start": 3, "x_end": 4, "y_start": 5, "y_end": 6}
    box |= {"resized_width": 7, "resized_height": 8}
    asked = {"generation_type": "reframe_video", "model": "ray-2", "media": {"url": CLIP}, "aspect_ratio": "1:1"} | box
    wish = made(asked, f"{VIDEO}/reframe")
    assert (wish.operation, wish.extra) == (Operation.VIDEO_TO_VIDEO, {"ratio": "1:1"} | box)
    asked |= {"generation_type": "reframe_image", "model": "photon-1", "media": {"url": PICTURE}, "format": "png"}
    wish = made(asked, f"{IMAGE}/reframe")
    assert (wish.operation, files(wish)) == (Operation.IMAGE_OUTPAINT, {"image": PICTURE})
    assert wish.extra["outputFormat"] == "png"


@pytest.mark.parametrize("suffix", ["_ref", ""])
def test_references_go_by_the_names_of_both_clients(suffix: str) -> None:
    body = {
        "model": "photon-1",
        "prompt": "a paper boat",
        f"image{suffix}": [{"url": PICTURE, "weight": 0.5}, {"url": "https://files.example/b.png"}],
        f"style{suffix}": [{"url": "https://files.example/c.png", "weight": 0}],
        f"character{suffix}": {"identity0": {"images": [PICTURE]}, "identity1": {"images": [PICTURE]}},
        f"modify_image{suffix}": {"url": PICTURE, "weight": 1},
    }
    wish = made(body, IMAGE)
    assert wish.operation is Operation.IMAGE_TO_IMAGE
    assert [(each.role, each.url) for each in wish.inputs if each.role is Role.REFERENCE] == [
        (Role.REFERENCE, PICTURE),
        (Role.REFERENCE, "https://files.example/b.png"),
    ]
    assert wish.extra == {
        "reference_weights": [0.5, None],
        "image_weight": 1,
        "style_ref": [{"url": "https://files.example/c.png", "weight": 0}],
        "character_ref": {"identity0": {"images": [PICTURE]}, "identity1": {"images": [PICTURE]}},
    }


def test_a_picture_waits_only_where_it_is_asked_to():
    asked = {"model": "photon-1", "prompt": "a paper boat"}
    assert parse(asked, IMAGE).wait is None
    assert parse(asked | {"sync": True}, IMAGE).wait == 60
    assert parse(asked | {"sync": True, "sync_timeout": None}, IMAGE).wait == 60
    assert parse(asked | {"sync": True, "sync_timeout": 2.5}, IMAGE).wait == 2.5
    assert parse(asked | {"sync": True, "sync_timeout": 0}, IMAGE).wait == 0
    assert parse(asked | {"sync": False, "sync_timeout": 2.5}, IMAGE).wait is None


def test_what_follows_a_video_names_it_in_the_path():
    upscale, audio = f"{BASE}/generations/{{id}}/upscale", f"{BASE}/generations/{{id}}/audio"
    read = parse({"resolution": "4k", "generation_type": "upscale_video"}, upscale, id=ID)
    assert (read.parent, read.generation.operation, read.generation.resolution) == (ID, Operation.VIDEO_UPSCALE, "4k")
    read = parse({"prompt": "waves", "negative_prompt": "voices"}, audio, id=ID)
    assert (read.generation.operation, read.generation.negative_prompt) == (Operation.VIDEO_TO_AUDIO, "voices")
    assert files(read.generation) == {"video": ID}


# -- refusals --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "loc", "type"),
    [
        ({"model": "ray-9"}, ["body", "model"], "enum"),
        ({"prompt": "ab"}, ["body", "prompt"], "string_too_short"),
        ({"prompt": "x" * 5001}, ["body", "prompt"], "string_too_long"),
        ({"aspect_ratio": "2:1"}, ["body", "aspect_ratio"], "enum"),
        ({"resolution": "8k"}, ["body", "resolution"], "enum"),
        ({"duration": 5}, ["body", "duration"], "string_type"),
        ({"loop": "yes"}, ["body", "loop"], "boolean_type"),
        ({"concepts": [{}]}, ["body", "concepts", "0", "key"], "missing"),
        ({"callback_url": "nowhere"}, ["body", "callback_url"], "value_error"),
        ({"keyframes": {"frame0": image("nowhere")}}, ["body", "keyframes", "frame0", "url"], "value_error"),
        ({"keyframes": {"frame0": {"type": "image"}}}, ["body", "keyframes", "frame0", "url"], "missing"),
        ({"keyframes": {"frame1": {"type": "generation"}}}, ["body", "keyframes", "frame1", "id"], "missing"),
        ({"generation_type": "image"}, ["body", "generation_type"], "enum"),
    ],
)
def test_a_body_that_is_not_valid_has_the_list_that_the_vercel_client_reads(
    changes: dict[str, Any], loc: list[str], type: str
) -> None:
    status, [finding] = refused(WORDS | changes)
    assert (status, finding["loc"], finding["type"]) == (422, loc, type)
    assert isinstance(finding["msg"], str) and isinstance(finding["input"], str)
    assert finding["ctx"] is None or isinstance(finding["ctx"]["expected"], str)


def test_a_wrong_model_is_told_as_the_vendor_tells_it():
    _, [finding] = refused(WORDS | {"model": "ray-9"})
    assert finding == {
        "type": "enum",
        "loc": ["body", "model"],
        "msg": "Input should be 'ray-2', 'ray-flash-2' or 'ray-1-6'",
        "input": "",
        "ctx": {"expected": "'ray-2', 'ray-flash-2' or 'ray-1-6'"},
    }


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ({"model": "ray-2"}, "prompt"),
        ({"model": "ray-2", "keyframes": {}}, "prompt"),
        ({"model": "ray-2", "keyframes": {"frame0": None, "frame1": None}}, "prompt"),
        (WORDS | {"loop": True, "keyframes": {"frame1": image()}}, "loop"),
        (WORDS | {"loop": True, "keyframes": {"frame0": image(), "frame1": image()}}, "loop"),
        (WORDS | {"loop": True, "keyframes": {"frame1": earlier()}}, "loop"),
        (WORDS | {"loop": True, "keyframes": {"frame0": earlier(), "frame1": earlier()}}, "loop"),
    ],
)
def test_what_the_vendor_refuses_of_a_valid_body_is_a_sentence(body: dict[str, Any], word: str) -> None:
    status, detail = refused(body)
    assert status == 400
    assert detail.startswith(f"{word}: ") or f" {word} " in detail


@pytest.mark.parametrize(
    ("changes", "loc", "type"),
    [
        ({"style_ref": [{"url": "nowhere"}]}, ["style_ref", "0", "url"], "value_error"),
        (
            {"character": {"identity0": {"images": ["nowhere"]}}},
            ["character", "identity0", "images", "0"],
            "value_error",
        ),
        ({"character_ref": {"identity0": {"images": []}}}, ["character_ref", "identity0", "images"], "too_short"),
        ({"image_ref": [{"url": PICTURE, "weight": 2}]}, ["image_ref", "0", "weight"], "less_than_equal"),
    ],
)
def test_what_is_wrong_with_a_reference_is_told_at_its_place(
    changes: dict[str, Any], loc: list[str], type: str
) -> None:
    status, [finding] = refused({"model": "photon-1", "prompt": "a paper boat"} | changes, IMAGE)
    assert (status, finding["loc"], finding["type"]) == (422, ["body", *loc], type)


def test_a_refusal_does_not_hide_what_is_not_valid():
    _, findings = refused({"model": "ray-2", "loop": 5, "callback_url": "nowhere"})
    assert [each["loc"][-1] for each in findings] == ["loop", "callback_url"]


def test_restyling_needs_its_type_and_mode():
    status, findings = refused({"model": "ray-2", "media": {"url": CLIP}}, f"{VIDEO}/modify")
    assert (status, sorted(each["loc"][-1] for each in findings)) == (422, ["generation_type", "mode"])


# -- answers ---------------------------------------------------------------------------------


def job_of(state: State, operation: Operation = Operation.TEXT_TO_VIDEO, **changes: Any) -> Job:
    values: dict[str, Any] = {
        "id": "01890a5d-ac96-774b-bcce-b302099a8057",
        "wire": "luma",
        "route": "",
        "owner": "",
        "engine": "script",
        "generation": Generation(operation=operation, model="ray-2", prompt="a paper boat"),
        "state": state,
        "created": 1767268800.0,
        "body": json.dumps(WORDS | {"aspect_ratio": "16:9", "duration": "5s", "loop": None}).encode(),
    }
    return Job(**values | changes)


def rendered(job: Job) -> dict[str, Any]:
    route = next(route for route in WIRE.routes if isinstance(route, Read))
    return json.loads(route.render(job, HttpRequest(method="GET", path=route.path)).body)


def test_a_generation_has_the_vendors_members_in_every_state():
    file = Output(id="o", media_type="video/mp4", asset="a", url="https://cdn.example/out.mp4")
    assert rendered(job_of(State.SUCCEEDED, outputs=(file,))) == {
        "id": "01890a5d-ac96-474b-bcce-b302099a8057",
        "generation_type": "video",
        "state": "completed",
        "failure_reason": None,
        "created_at": "2026-01-01T12:00:00.000Z",
        "model": "ray-2",
        "assets": {"video": "https://cdn.example/out.mp4"},
        "request": {"generation_type": "video", "aspect_ratio": "16:9", "duration": "5s", **WORDS},
    }
    for state, word in ((State.QUEUED, "queued"), (State.RUNNING, "dreaming")):
        waiting = rendered(job_of(state))
        assert (waiting["state"], waiting["assets"], waiting["failure_reason"]) == (word, None, None)
    failed = rendered(job_of(State.FAILED, failure=Failure(kind=Kind.REFUSED, message="Advanced moderation failed")))
    assert (failed["state"], failed["assets"]) == ("failed", None)
    assert failed["failure_reason"] == "Advanced moderation failed"
    canceled = rendered(job_of(State.CANCELED))
    assert (canceled["state"], canceled["failure_reason"]) == ("failed", "The generation was canceled.")


@pytest.mark.parametrize(
    ("operation", "kind", "of_request"),
    [
        (Operation.TEXT_TO_VIDEO, "video", "video"),
        (Operation.TEXT_TO_IMAGE, "image", "image"),
        (Operation.VIDEO_UPSCALE, "video", "upscale_video"),
        (Operation.VIDEO_TO_AUDIO, "video", "add_audio"),
    ],
)
def test_the_echo_says_of_which_type_the_request_was(operation: Operation, kind: str, of_request: str) -> None:
    job = job_of(State.QUEUED, operation, body=b"{}")
    assert rendered(job)["generation_type"] == kind
    assert rendered(job)["request"]["generation_type"] == of_request
    assert ("model" in rendered(job)["request"]) == (of_request in ("video", "image"))


def test_a_picture_is_told_as_an_image():
    file = Output(id="o", media_type="image/png", asset="a", url="https://cdn.example/out.png")
    job = job_of(State.SUCCEEDED, Operation.TEXT_TO_IMAGE, outputs=(file,))
    assert rendered(job)["assets"] == {"image": "https://cdn.example/out.png"}


# -- over the application ----------------------------------------------------------------------


async def create(running: Any, body: dict[str, Any], path: str = VIDEO, status: int = 201) -> dict[str, Any]:
    answer = await running.client.post(path, json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


async def ended(running: Any, id: str) -> dict[str, Any]:
    await running.finished(WIRE.job_id(id))
    return (await running.client.get(f"{BASE}/generations/{id}")).json()


async def test_a_generation_is_made_read_and_deleted(start: Start) -> None:
    async with start(**SCRIPTED) as running:
        new = await create(running, WORDS | {"duration": "5s", "resolution": "540p", "loop": False})
        assert (new["state"], new["assets"]) == ("queued", None)
        assert re.fullmatch(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}", new["id"])
        done = await ended(running, new["id"])
        assert (done["state"], done["request"]["resolution"]) == ("completed", "540p")
        file = await running.client.get(done["assets"]["video"])
        assert file.content[4:8] == b"ftyp"
        url = f"{BASE}/generations/{new['id']}"
        gone = await running.client.delete(url)
        assert (gone.status_code, gone.content) == (204, b"")
        assert (await running.client.get(url)).status_code == 404
        assert (await running.client.delete(url)).json()["detail"].startswith("There is no task")


@pytest.mark.parametrize("prefix", ["", "/luma"])
async def test_it_stands_where_the_vendor_and_where_resellers_have_it(start: Start, prefix: str) -> None:
    async with start(**SCRIPTED, script={"slots": 0}) as running:
        for path in ("generations", "generations/video"):
            new = await create(running, WORDS, f"{prefix}{BASE}/{path}")
            assert (await running.client.get(f"{prefix}{BASE}/generations/{new['id']}")).json() == new


async def test_lists_are_paged_newest_first(start: Start) -> None:
    async with start(**SCRIPTED, script={"slots": 0}) as running:
        ids = [(await create(running, WORDS))["id"] for _ in range(3)][::-1]

        async def page(**query: int) -> dict[str, Any]:
            return (await running.client.get(f"{BASE}/generations", params=query)).json()

        everything = await page()
        assert [each["id"] for each in everything["generations"]] == ids
        assert everything | {"generations": []} == {
            "generations": [], "count": 3, "limit": 100, "offset": 0, "has_more": False
        }  # fmt: skip
        middle = await page(limit=1, offset=1)
        assert ([each["id"] for each in middle["generations"]], middle["has_more"]) == ([ids[1]], True)
        assert (await page(limit=0))["generations"] == []
        assert (await running.client.get(f"{BASE}/generations?limit=-1")).status_code == 422


async def test_a_video_goes_on_where_an_earlier_one_ended(start: Start) -> None:
    """The keyframe names a generation: its file is the input, and what is made is longer by what was asked."""
    async with start(**SCRIPTED) as running:
        first = await create(running, WORDS | {"duration": "5s", "resolution": "540p"})
        await ended(running, first["id"])
        more = await create(running, WORDS | {"duration": "4s", "keyframes": {"frame0": earlier(first["id"])}})
        done = await ended(running, more["id"])
        assert done["state"] == "completed", done
        job = await running.app.store.get(WIRE.job_id(more["id"]))
        source = await running.app.store.get(WIRE.job_id(first["id"]))
        assert job.generation.inputs[0].asset == source.outputs[0].asset
        assert job.outputs[0].seconds == pytest.approx(9, abs=0.1)


async def test_the_studio_makes_an_extension(start: Start) -> None:
    models = {"ray-flash-2": {"engine": "script"}, "ray-2": {"engine": "studio", "fps": 6}}
    async with start(models=models) as running:
        small: dict[str, Any] = {"duration": "1s", "resolution": "540p"}
        first = await create(running, WORDS | small | {"model": "ray-flash-2"})
        assert (await ended(running, first["id"]))["state"] == "completed"
        more = await create(running, WORDS | small | {"keyframes": {"frame0": earlier(first["id"])}})
        done = await ended(running, more["id"])
        assert done["state"] == "completed", done
        job = await running.app.store.get(WIRE.job_id(more["id"]))
        assert job.outputs[0].seconds == pytest.approx(2, abs=0.1)


async def test_only_what_is_finished_and_the_callers_own_can_go_on(start: Start) -> None:
    async with start(**SCRIPTED, script={"slots": 0}) as running:
        waiting = await create(running, WORDS)
        answer = await running.client.post(VIDEO, json=WORDS | {"keyframes": {"frame0": earlier(waiting["id"])}})
        assert (answer.status_code, "queued" in answer.json()["detail"]) == (409, True)
        answer = await running.client.post(VIDEO, json=WORDS | {"keyframes": {"frame0": earlier()}})
        assert (answer.status_code, answer.json()["detail"]) == (404, f"There is no task '{ID}'.")
        answer = await running.client.post(f"{BASE}/generations/{ID}/upscale", json={})
        assert (answer.status_code, answer.json()["detail"]) == (404, f"There is no task '{ID}'.")


async def test_what_follows_a_video_is_answered_with_200(start: Start) -> None:
    async with start(**SCRIPTED) as running:
        first = await create(running, WORDS)
        await ended(running, first["id"])
        larger = await create(running, {}, f"{BASE}/generations/{first['id']}/upscale", status=200)
        assert larger["id"] != first["id"]
        assert larger["request"] == {"generation_type": "upscale_video"}
        sound = await create(running, {"prompt": "waves"}, f"{BASE}/generations/{first['id']}/audio", status=200)
        assert sound["request"] == {"generation_type": "add_audio", "prompt": "waves"}


async def test_a_picture_comes_with_the_answer_where_it_is_waited_for(start: Start) -> None:
    async with start(**SCRIPTED, server={"grace_seconds": 0.1}) as running:
        asked = {"model": "photon-flash-1", "prompt": "a paper boat", "aspect_ratio": "1:1", "sync": True}
        done = await create(running, asked, IMAGE)
        assert (done["state"], done["generation_type"], list(done["assets"])) == ("completed", "image", ["image"])
        job = await running.app.store.get(WIRE.job_id(done["id"]))
        assert (job.outputs[0].width, job.outputs[0].height) == (1440, 1440)
        slow = await create(running, asked | {"prompt": "hang", "sync_timeout": 0.2}, IMAGE)
        assert (slow["state"], slow["assets"]) == ("dreaming", None)


async def test_a_picture_of_the_vendors_default_shape_is_one_size_said_or_not(start: Start) -> None:
    async with start(**SCRIPTED) as running:
        for ratio in ({}, {"aspect_ratio": "16:9"}):
            asked = {"model": "photon-1", "prompt": "a paper boat", "sync": True} | ratio
            job = await running.app.store.get(WIRE.job_id((await create(running, asked, IMAGE))["id"]))
            assert (job.outputs[0].width, job.outputs[0].height) == (1920, 1080)


async def test_news_is_owed_at_every_change_but_the_first(start: Start) -> None:
    async with start(**SCRIPTED) as running:
        new = await create(running, WORDS | {"callback_url": "https://hooks.example/x?token=1"})
        job = await running.finished(WIRE.job_id(new["id"]))
        owed = await running.app.store.deliveries(job=job.id)
        assert len(owed) == 2
        assert WIRE.render_webhook
        assert json.loads(WIRE.render_webhook(job) or b"")["request"]["callback_url"].endswith("?token=1")


async def test_failures_are_told_in_the_generation(start: Start) -> None:
    async with start(**SCRIPTED) as running:
        new = await create(running, {"model": "ray-2", "prompt": "fail refused Advanced moderation failed"})
        done = await ended(running, new["id"])
        assert (done["state"], done["failure_reason"]) == ("failed", "Advanced moderation failed")


async def test_the_camera_is_listed_and_the_ping_answered(start: Start) -> None:
    async with start() as running:
        concepts = (await running.client.get(f"{BASE}/generations/concepts/list")).json()
        assert concepts == list(CONCEPTS)
        assert len(concepts) == 34
        assert "camera orbit left" in (await running.client.get(f"{BASE}/generations/camera_motion/list")).json()
        assert (await running.client.get(f"{BASE}/ping")).json() == {"message": "pong"}


async def test_credits_are_what_is_left_of_a_budget_in_cents(start: Start) -> None:
    async with start() as running:
        assert (await running.client.get(f"{BASE}/credits")).json() == {"credit_balance": 1e9}
    keys = [{"name": "ann", "sha256": digest("a key of ann's"), "budget": 250.0}]
    async with start(keys=keys) as running:
        ann = {"authorization": "Bearer a key of ann's"}
        assert (await running.client.get(f"{BASE}/credits", headers=ann)).json() == {"credit_balance": 250.0}
        answer = await running.client.get(f"{BASE}/credits")
        assert (answer.status_code, list(answer.json())) == (401, ["detail"])
        answer = await running.client.post(VIDEO, json=WORDS, headers={"authorization": "Bearer wrong"})
        assert (answer.status_code, type(answer.json()["detail"])) == (401, str)


async def test_too_many_requests_say_when_to_come_back(start: Start) -> None:
    async with start(limits={"requests_per_minute": 1}) as running:
        await running.client.get(f"{BASE}/ping")
        answer = await running.client.get(f"{BASE}/ping")
        assert (answer.status_code, list(answer.json())) == (429, ["detail"])
        assert int(answer.headers["retry-after"]) > 0


@pytest.mark.parametrize(
    ("path", "body", "name"),
    [
        (VIDEO, WORDS | {"loop": True}, "loop"),
        (VIDEO, WORDS | {"concepts": [{"key": "pov"}]}, "concepts"),
        (IMAGE, {"prompt": "a boat", "image_ref": [{"url": PICTURE, "weight": 0.3}]}, "image_ref"),
        (IMAGE, {"prompt": "a boat", "style": [{"url": PICTURE}]}, "style"),
        (IMAGE, {"prompt": "a boat", "format": "jpg"}, "format"),
        (
            f"{VIDEO}/modify",
            {"generation_type": "modify_video", "model": "ray-2", "media": {"url": CLIP}, "mode": "flex_1"},
            "video_to_video",
        ),
    ],
)
async def test_what_the_renderer_cannot_do_is_refused_by_name(
    start: Start, path: str, body: dict[str, Any], name: str
) -> None:
    async with start() as running:
        answer = await running.client.post(path, json=body)
        assert answer.status_code == 400
        assert name in answer.json()["detail"]


async def test_a_create_that_the_sdk_repeats_is_made_once(start: Start) -> None:
    async with start(**SCRIPTED, script={"slots": 0}) as running:
        ids = {
            (await running.client.post(VIDEO, json=WORDS, headers={"x-stainless-retry-count": count})).json()["id"]
            for count in ("0", "1", "2")
        }
        assert len(ids) == 1


async def test_a_rehearsal_has_what_the_sdks_own_tests_ask_for_and_spares_nobody_else_the_rules(start: Start) -> None:
    suite = {"authorization": "Bearer My Auth Token"}
    async with start(rehearsal=True) as running:
        fixed = f"{BASE}/generations/id"
        await running.finished(WIRE.job_id((await running.client.get(fixed)).json()["id"]))
        assert (await running.client.delete(fixed)).status_code == 204
        assert (await running.client.get(fixed)).json()["state"] == "completed"
        assert (await running.client.post(f"{fixed}/upscale", json={})).status_code == 200
        old = WORDS | {"keyframes": {"frame1": earlier("123e4567-e89b-12d3-a456-426614174000")}}
        assert (await running.client.post(VIDEO, json=old)).status_code == 201
        assert (await running.client.post(VIDEO, json={"model": "ray-2"}, headers=suite)).status_code == 201
        assert (await running.client.post(VIDEO, json={"model": "ray-2"})).status_code == 400
    async with start(**SCRIPTED) as running:
        assert (await running.client.get(f"{BASE}/generations/id")).status_code == 404
        assert (await running.client.post(VIDEO, json={"model": "ray-2"}, headers=suite)).status_code == 400
