"""Black Forest Labs' FLUX API in front: the vendor's bodies, answers and words, in process and over the application."""

import base64
import hashlib
import hmac
import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image

from mutoscope.engines.studio import Studio
from mutoscope.model.catalog import Catalog
from mutoscope.model.http import HttpRequest
from mutoscope.model.job import Failure, Generation, Job, Operation, Output, Role, State
from mutoscope.model.problem import Kind, Problem
from mutoscope.model.requests import Submission
from mutoscope.service.keys import digest
from mutoscope.wirekit.routes import Create, Read
from mutoscope.wires import ROWS
from mutoscope.wires.flux.api import WIRE, webhook_headers

Start = Callable[..., Any]
SCRIPTED: dict[str, Any] = {"models": {row.name: {"engine": "script"} for row in ROWS if row.vendor == "flux"}}
LINK = "https://files.example/a.png"
BASE64 = base64.b64encode(bytes(range(64))).decode()


def parse(model: str, **body: Any) -> Submission:
    path = f"/v1/{model}"
    route = next(route for route in WIRE.routes if route.path == path and isinstance(route, Create))
    return route.parse(HttpRequest(method="POST", path=path, body=json.dumps(body).encode()))


def made(model: str, **body: Any) -> Generation:
    return parse(model, **body).generation


def refused(model: str, **body: Any) -> tuple[int, Any]:
    with pytest.raises(Problem) as caught:
        parse(model, **body)
    answer = WIRE.render_problem(caught.value, HttpRequest(method="POST", path=f"/v1/{model}"))
    assert json.loads(answer.body)["message"]
    return answer.status, json.loads(answer.body)["detail"]


# -- requests ------------------------------------------------------------------------------


def test_the_vendors_sdk_sends_every_default():
    wish = made(
        "flux-dev", prompt="a lighthouse", width=1024, height=768, steps=28, guidance=3, safety_tolerance=2,
        output_format="jpeg", prompt_upsampling=False, seed=2**64 - 1,
    )  # fmt: skip
    assert (wish.operation, wish.model, wish.width, wish.height) == (Operation.TEXT_TO_IMAGE, "flux-dev", 1024, 768)
    assert wish.seed == 2**64 - 1


@pytest.mark.parametrize(
    ("model", "body"),
    [
        ("flux-2-flex", {"prompt": "x", "transparent_bg": False, "guidance": 5, "steps": 50, "safety_tolerance": 2}),
        ("flux-tools/outpainting-v1", {"input_image": LINK, "width": 512, "height": 512, "auto_crop": False,
                                       "mode": "high", "output_format": "png"}),
        ("flux-tools/erase-v1", {"image": LINK, "mask": LINK, "dilate_pixels": 10}),
        ("flux-3-video", {"mode": "t2v", "prompt": "x", "draft": False, "version": "latest", "generate_audio": True}),
    ],
)  # fmt: skip
def test_the_vendors_defaults_ask_for_nothing_that_the_renderer_does_not_make(model: str, body: dict[str, Any]):
    read = parse(model, **body)
    Studio().plan(read.generation, Catalog(ROWS).get(model), read.fields)


def test_a_key_frame_is_base64_as_every_picture_is():
    [frame] = made("flux-3-video", mode="i2v", prompt="x", keyframes=[BASE64]).inputs
    assert frame.role is Role.FIRST_FRAME and frame.data


def test_a_side_of_zero_is_none():
    """The vendor's own default lies below the vendor's own bound."""
    wish = made("flux-2-pro", prompt="x", width=0, height=0)
    assert (wish.width, wish.height) == (None, None)


def test_what_a_model_does_not_know_is_noted_and_not_refused():
    read = parse("flux-kontext-pro", prompt="x", aspect_ratio="16:9", width=1024, height=576)
    assert read.generation.extra == {"ratio": "16:9"}
    assert len(read.ignored) == 2
    status, detail = refused("flux-tools/outpainting-v1", input_image=LINK, width=512, height=512, webhook_url=LINK)
    assert (status, detail[0]["type"]) == (422, "extra_forbidden")


@pytest.mark.parametrize(
    ("model", "body", "operation", "roles"),
    [
        ("flux-pro-1.1", {"image_prompt": BASE64}, Operation.IMAGE_TO_IMAGE, ["image"]),
        ("flux-pro-1.0-fill", {"image": BASE64, "mask": BASE64}, Operation.IMAGE_INPAINT, ["image", "mask"]),
        ("flux-pro-1.0-expand", {"image": BASE64, "top": 10}, Operation.IMAGE_OUTPAINT, ["image"]),
        ("flux-pro-1.0-canny", {"prompt": "x", "control_image": BASE64}, Operation.IMAGE_TO_IMAGE, ["image"]),
        (
            "flux-2-max",
            {"prompt": "x", "input_image": LINK, "input_image_2": BASE64, "input_image_8": LINK},
            Operation.IMAGE_TO_IMAGE,
            ["image", "reference", "reference"],
        ),
        ("flux-tools/erase-v1", {"image": LINK, "mask": LINK}, Operation.IMAGE_INPAINT, ["image", "mask"]),
        ("flux-tools/erase-v1", {"input_image": LINK, "mask_image": LINK}, Operation.IMAGE_INPAINT, ["image", "mask"]),
        (
            "flux-tools/vto-v2",
            {"prompt": "x", "person": LINK, "garment": LINK},
            Operation.VIRTUAL_TRY_ON,
            ["image", "reference"],
        ),
        ("flux-3-video", {"mode": "t2v", "prompt": "x", "duration": 5}, Operation.TEXT_TO_VIDEO, []),
        (
            "flux-3-video",
            {"mode": "i2v", "prompt": "x", "duration": "auto", "keyframes": [LINK]},
            Operation.IMAGE_TO_VIDEO,
            ["first_frame"],
        ),
    ],
)
def test_a_path_says_what_is_made_of_what(
    model: str, body: dict[str, Any], operation: Operation, roles: list[str]
) -> None:
    wish = made(model, **body)
    assert (wish.operation, wish.model) == (operation, model)
    assert sorted(each.role.value for each in wish.inputs) == roles


@pytest.mark.parametrize(
    ("model", "body", "field", "type"),
    [
        ("flux-pro-1.1", {"width": 1472}, "width", "less_than_equal"),
        ("flux-pro-1.1", {"width": 1000}, "width", "value_error"),
        ("flux-pro-1.1", {"safety_tolerance": 7}, "safety_tolerance", "less_than_equal"),
        ("flux-2-pro", {"prompt": "x", "safety_tolerance": 6}, "safety_tolerance", "less_than_equal"),
        ("flux-2-pro", {"prompt": "x", "width": 63}, "width", "greater_than_equal"),
        ("flux-2-pro", {"prompt": "x", "width": 4096, "height": 2048}, "width", "value_error"),
        ("flux-2-pro", {}, "prompt", "missing"),
        ("flux-pro-1.1-ultra", {"aspect_ratio": "22:9"}, "aspect_ratio", "value_error"),
        ("flux-kontext-max", {"prompt": "x", "aspect_ratio": "5:1"}, "aspect_ratio", "value_error"),
        ("flux-kontext-max", {"prompt": "x", "aspect_ratio": "wide"}, "aspect_ratio", "string_pattern_mismatch"),
        ("flux-pro-1.0-fill", {"prompt": "x"}, "image", "missing"),
        ("flux-pro-1.0-depth", {"prompt": "x"}, "control_image", "missing"),
        ("flux-tools/vto-v1", {"prompt": "x", "person": LINK}, "garment", "missing"),
        ("flux-3-video", {"mode": "i2v", "prompt": "x"}, "keyframes", "missing"),
        ("flux-dev", {"webhook_url": "nowhere"}, "webhook_url", "value_error"),
        ("flux-dev", {"webhook_secret": "a\nb"}, "webhook_secret", "string_pattern_mismatch"),
        ("flux-dev", {"output_format": "gif"}, "output_format", "enum"),
    ],
)
def test_a_bad_field_is_named_as_fastapi_names_it(model: str, body: dict[str, Any], field: str, type: str) -> None:
    status, detail = refused(model, **body)
    assert (status, detail[0]["loc"], detail[0]["type"]) == (422, ["body", field], type)


# -- answers ----------------------------------------------------------------------------------


def job_of(state: State, **changes: Any) -> Job:
    values: dict[str, Any] = {
        "id": "01890a5d-ac96-774b-bcce-b302099a8057", "wire": "flux", "route": "", "owner": "", "engine": "script",
        "generation": Generation(operation=Operation.TEXT_TO_IMAGE, model="flux-dev", prompt="a lighthouse"),
        "state": state, "created": 1789231400.0, "started": 1789231405.0, "finished": 1789231410.5,
    }  # fmt: skip
    return Job(**values | changes)


def rendered(job: Job) -> dict[str, Any]:
    route = next(route for route in WIRE.routes if isinstance(route, Read))
    return json.loads(route.render(job, HttpRequest(method="GET", path=route.path)).body)


def test_a_result_has_only_the_vendors_words():
    file = Output(id="o", media_type="image/png", asset="a", url="https://h.example/o.png")
    ready = rendered(job_of(State.SUCCEEDED, outputs=(file,)))
    assert (ready["status"], ready["progress"]) == ("Ready", 1.0)
    assert ready["result"] == {
        "sample": file.url, "prompt": "a lighthouse", "start_time": 1789231405.0, "end_time": 1789231410.5,
        "duration": 5.5,
    }  # fmt: skip
    assert [rendered(job_of(state))["status"] for state in (State.QUEUED, State.RUNNING)] == ["Pending", "Pending"]
    failed = rendered(job_of(State.FAILED, failure=Failure(kind=Kind.ENGINE_FAILED, message="why")))
    assert (failed["status"], failed["details"], failed["result"]) == ("Error", {"Error": "why"}, None)
    moderated = rendered(job_of(State.FAILED, failure=Failure(kind=Kind.REFUSED, message="why")))
    assert (moderated["status"], moderated["details"]) == ("Request Moderated", {"Moderation Reasons": ["why"]})


def test_the_secret_of_a_webhook_goes_back_as_it_came():
    job = job_of(State.SUCCEEDED, body=json.dumps({"webhook_secret": "s3cret"}).encode())
    assert webhook_headers(job, b"{}") == {
        "x-webhook-secret": "s3cret",
        "x-bfl-signature": "sha256=" + hmac.new(b"s3cret", b"{}", hashlib.sha256).hexdigest(),
    }
    assert webhook_headers(job_of(State.SUCCEEDED), b"{}") == {}


# -- over the application ----------------------------------------------------------------------


@pytest.mark.parametrize("prefix", ["", "/flux", "/bfl", "/proxy/bfl"])
async def test_a_picture_is_made_and_read_at_its_polling_url(start: Start, prefix: str) -> None:
    async with start(**SCRIPTED) as running:
        answer = await running.client.post(f"{prefix}/v1/flux-pro-1.1", json={"prompt": "a lighthouse", "seed": 42})
        new = answer.json()
        assert answer.status_code == 200, answer.text
        assert new["polling_url"] == f"http://gateway.test/v1/get_result?id={new['id']}"
        assert "status" not in new
        await running.finished(WIRE.job_id(new["id"]))
        done = (await running.client.get(f"{prefix}/v1/get_result", params={"id": new["id"]})).json()
        assert (done["status"], done["result"]["seed"]) == ("Ready", 42)
        assert (await running.client.get(done["result"]["sample"])).status_code == 200
        assert (await running.client.get(new["polling_url"])).json() == done


async def test_a_result_is_read_without_a_key_and_nothing_else_is(start: Start) -> None:
    keys = [{"name": "anna", "sha256": digest("bfl_a")}, {"name": "ben", "sha256": digest("bfl_b")}]
    async with start(**SCRIPTED, keys=keys) as running:
        key = {"x-key": "bfl_a"}
        assert (await running.client.post("/v1/flux-dev", json={"prompt": "x"})).status_code == 401
        new = (await running.client.post("/v1/flux-dev", json={"prompt": "x"}, headers=key)).json()
        await running.finished(WIRE.job_id(new["id"]))
        for headers, status in (
            ({}, 200), (key, 200), ({"authorization": "Bearer bfl_a"}, 200),
            ({"x-key": "bfl_b"}, 404), ({"x-key": "bfl_c"}, 401),
        ):  # fmt: skip
            read = await running.client.get(new["polling_url"], headers=headers)
            assert read.status_code == status, (headers, read.text)
        assert (await running.client.get("/v1/credits", headers={})).status_code == 401
        assert (await running.client.get("/v1/credits", headers=key)).json()["credits"] > 0


async def test_an_id_that_is_not_there_is_a_task_not_found(start: Start) -> None:
    async with start(**SCRIPTED) as running:
        for id in ("nonsense", "5c1f6c1e-0a70-4b52-9a5e-2a3f3f0f6b11"):
            answer = await running.client.get(f"/v1/get_result?id={id}")
            told = answer.json()
            assert answer.status_code == 404
            assert (told["id"], told["status"], told["result"]) == (id, "Task not found", None)
        unknown = await running.client.post("/v1/flux-9", json={"prompt": "x"})
        assert (unknown.status_code, "detail" in unknown.json()) == (404, True)


async def test_a_create_with_a_webhook_has_the_polling_url_too(start: Start) -> None:
    async with start(**SCRIPTED, script={"slots": 0}) as running:
        asked = {"prompt": "x", "webhook_url": "https://hooks.example/bfl", "webhook_secret": "s3cret"}
        new = (await running.client.post("/v1/flux-2-pro", json=asked)).json()
        assert (new["status"], new["webhook_url"]) == ("Pending", "https://hooks.example/bfl")
        assert new["polling_url"].endswith(new["id"])


async def test_what_the_studio_cannot_make_is_refused_by_name(start: Start) -> None:
    async with start() as running:
        for model, body, word in (
            ("flux-pro-1.0-canny", {"prompt": "x", "control_image": LINK}, "canny"),
            ("flux-tools/deblur-v1", {"image": LINK}, "deblur"),
            ("flux-tools/vto-v1", {"prompt": "x", "person": LINK, "garment": LINK}, "virtual_try_on"),
            ("flux-pro-1.1-ultra-finetuned", {"prompt": "x", "finetune_id": "mine"}, "finetune_id"),
        ):
            answer = await running.client.post(f"/v1/{model}", json=body)
            assert (answer.status_code, word in answer.json()["detail"]) == (400, True), answer.text


async def test_the_studio_makes_a_picture_with_every_default_of_the_vendors_sdk(start: Start) -> None:
    async with start() as running:
        asked = {"prompt": "a lighthouse", "width": 256, "height": 288, "safety_tolerance": 2, "output_format": "jpeg",
                 "prompt_upsampling": False}  # fmt: skip
        answer = await running.client.post("/flux/v1/flux-pro-1.1", json=asked)
        assert answer.status_code == 200, answer.text
        job = await running.finished(WIRE.job_id(answer.json()["id"]))
        assert (job.state, job.outputs[0].width, job.outputs[0].height) == (State.SUCCEEDED, 256, 288)
        assert job.outputs[0].media_type == "image/jpeg"


async def test_the_studio_fills_widens_and_edits_a_picture(start: Start) -> None:
    scene, hole = Image.new("RGB", (256, 96), (40, 90, 160)), Image.new("L", (256, 96))
    hole.paste(255, (96, 32, 144, 64))
    inline, mask = base64_of(scene), base64_of(hole)
    async with start() as running:
        for model, body, width, height in (
            ("flux-pro-1.0-expand", {"image": inline, "left": 32, "top": 16}, 288, 112),
            ("flux-pro-1.0-fill", {"image": inline, "mask": mask, "prompt": "a lawn", "steps": 50}, 256, 96),
        ):
            answer = await running.client.post(f"/v1/{model}", json=body)
            assert answer.status_code == 200, answer.text
            job = await running.finished(WIRE.job_id(answer.json()["id"]))
            assert job.state is State.SUCCEEDED, job.failure
            assert (job.outputs[0].width, job.outputs[0].height) == (width, height)


async def test_finetunes_are_listed_read_and_deleted_and_nothing_else_is(start: Start) -> None:
    async with start(**SCRIPTED, script={"slots": 0}) as running:
        assert (await running.client.get("/v1/my_finetunes")).json() == {"finetunes": []}
        picture = (await running.client.post("/v1/flux-dev", json={"prompt": "x"})).json()["id"]
        for path in ("my_finetunes", f"finetune_details?finetune_id={picture}"):
            assert picture not in (await running.client.get(f"/v1/{path}")).json().get("finetunes", [])
        gone = await running.client.post("/v1/delete_finetune", json={"finetune_id": picture})
        assert gone.status_code == 404
        assert (await running.client.post("/v1/delete_finetune", json={})).status_code == 422
        assert (await running.client.get(f"/v1/get_result?id={picture}")).status_code == 200


async def read(running: Any, id: str) -> Any:
    await running.finished(WIRE.job_id(id))
    return (await running.client.get(f"/v1/get_result?id={id}")).json()


async def test_an_id_that_is_left_out_is_a_fault_of_the_query(start: Start) -> None:
    async with start(**SCRIPTED) as running:
        for path, name in (("get_result", "id"), ("get_result?id=", "id"), ("finetune_details", "finetune_id")):
            answer = await running.client.get(f"/v1/{path}")
            assert answer.status_code == 422
            [finding] = answer.json()["detail"]
            assert (finding["loc"], finding["type"]) == (["query", name], "missing")


async def test_a_picture_has_the_vendors_usual_format(start: Start) -> None:
    async with start() as running:
        for body, kind in (
            ({"width": 256, "height": 256}, "image/jpeg"),
            ({"width": 256, "height": 256, "output_format": "png"}, "image/png"),
        ):
            made = (await running.client.post("/v1/flux-dev", json={"prompt": "calm sea"} | body)).json()
            result = await read(running, made["id"])
            file = await running.client.get(result["result"]["sample"])
            assert file.headers["content-type"] == kind
    kinds = {row.name: row.defaults.get("format") for row in ROWS if row.vendor == "flux"}
    assert (kinds["flux-2-pro"], kinds["flux-kontext-pro"], kinds["flux-tools/erase-v1"]) == ("jpeg", "png", "png")


def base64_of(picture: Image.Image) -> str:
    file = io.BytesIO()
    picture.save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


async def test_a_canvas_smaller_than_its_picture_is_refused_or_crops_it(start: Start) -> None:
    body = {"input_image": base64_of(Image.new("RGB", (256, 96), (40, 90, 160))), "width": 128, "height": 128}
    async with start() as running:
        for crop, status in ((False, "Error"), (True, "Ready")):
            asked = body | {"auto_crop": crop}
            made = (await running.client.post("/v1/flux-tools/outpainting-v1", json=asked)).json()
            told = await read(running, made["id"])
            assert told["status"] == status
            if crop:
                picture = Image.open(io.BytesIO((await running.client.get(told["result"]["sample"])).content))
                assert picture.size == (128, 128)
            else:
                assert "256x96" in told["details"]["Error"]


def zip_of(*colours: tuple[int, int, int]) -> str:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        for number, colour in enumerate(colours):
            picture = io.BytesIO()
            Image.new("RGB", (96, 64), colour).save(picture, "PNG")
            made.writestr(f"{number}.png", picture.getvalue())
            made.writestr(f"{number}.txt", "a hat")
    return base64.b64encode(file.getvalue()).decode()


async def test_a_finetune_learns_palette_and_tone_and_says_so(start: Start) -> None:
    asked = {"finetune_comment": "rust", "mode": "style", "iterations": 100}
    async with start() as running:
        for bad in (BASE64, LINK):
            answer = await running.client.post("/v1/finetune", json=asked | {"file_data": bad})
            assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, ["body", "file_data"])
        rust = asked | {"file_data": zip_of((170, 70, 30), (190, 90, 40), (150, 60, 35))}
        made = (await running.client.post("/v1/finetune", json=rust)).json()
        assert made["finetune_id"] == made["id"]
        assert (await read(running, made["id"]))["status"] == "Ready"
        assert (await running.client.get("/v1/my_finetunes")).json() == {"finetunes": [made["id"]]}
        told = (await running.client.get(f"/v1/finetune_details?finetune_id={made['id']}")).json()["finetune_details"]
        assert told["finetune_comment"] == "rust"
        learnt = "studio: the palette and tone of 3 pictures were learnt, and nothing else of them"
        assert learnt in told["notes"]
        assert "ignored: 3 captions in file_data" in told["notes"]
        reds: list[float] = []
        for strength in (0.0, 2.0):
            body = {"prompt": "calm sea at noon", "width": 256, "height": 256, "seed": 1, "output_format": "png"}
            tuned = body | {"finetune_id": made["id"], "finetune_strength": strength}
            job = (await running.client.post("/v1/flux-pro-finetuned", json=tuned)).json()
            result = await read(running, job["id"])
            assert result["status"] == "Ready", result
            file = await running.client.get(result["result"]["sample"])
            red, _, blue = Image.open(io.BytesIO(file.content)).convert("RGB").resize((1, 1)).getpixel((0, 0))
            reds.append(red - blue)
        assert reds[0] < 0 < reds[1]
        gone = await running.client.post("/v1/delete_finetune", json={"finetune_id": made["id"]})
        assert gone.json()["deleted_finetune_id"] == made["id"]
        lost = await running.client.post("/v1/flux-pro-finetuned", json={"prompt": "x", "finetune_id": made["id"]})
        assert lost.status_code == 404
