"""Ideogram's API in front: the vendor's bodies, answers and words, in process and over the application."""

import base64
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from mutoscope.model.http import HttpRequest
from mutoscope.model.job import Failure, Generation, Job, Operation, Output, State
from mutoscope.model.problem import Kind, Problem
from mutoscope.service.keys import digest
from mutoscope.wirekit.routes import Create, Read
from mutoscope.wires import ROWS
from mutoscope.wires.ideogram.api import WIRE

Start = Callable[..., Any]
SCRIPTED: dict[str, Any] = {"models": {row.name: {"engine": "script"} for row in ROWS if row.vendor == "ideogram"}}
LINK = "https://files.example/a.png"
V3, V4 = "/v1/ideogram-v3/", "/v1/ideogram-v4/"


def route_at(path: str) -> Create:
    return next(route for route in WIRE.routes if route.path == path and isinstance(route, Create))


def made(path: str, body: dict[str, Any]) -> Generation:
    request = HttpRequest(method="POST", path=path, body=json.dumps(body).encode())
    return route_at(path).parse(request).generation


def refused(path: str, body: dict[str, Any]) -> str:
    with pytest.raises(Problem) as caught:
        made(path, body)
    answer = WIRE.render_problem(caught.value, HttpRequest(method="POST", path=path))
    assert answer.status == 400
    return json.loads(answer.body)["error"]


# -- requests ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "body", "operation", "model", "roles"),
    [
        ("/generate", {"image_request": {"prompt": "x"}}, Operation.TEXT_TO_IMAGE, "V_2", []),
        (
            "/generate",
            {"image_request": {"prompt": "x", "model": "V_1_TURBO"}},
            Operation.TEXT_TO_IMAGE,
            "V_1_TURBO",
            [],
        ),
        ("/remix", {"image_request": {"prompt": "x"}, "image_file": LINK}, Operation.IMAGE_TO_IMAGE, "V_2", ["image"]),
        (
            "/edit",
            {"image_file": LINK, "mask": LINK, "prompt": "x", "model": "V_2_TURBO"},
            Operation.IMAGE_INPAINT,
            "V_2_TURBO",
            ["image", "mask"],
        ),
        (
            "/reframe",
            {"image_file": LINK, "resolution": "RESOLUTION_1280_720", "model": "V_2"},
            Operation.IMAGE_OUTPAINT,
            "V_2",
            ["image"],
        ),
        ("/upscale", {"image_request": {}, "image_file": LINK}, Operation.IMAGE_UPSCALE, "UPSCALE", ["image"]),
        ("/describe", {"image_file": LINK}, Operation.IMAGE_TO_TEXT, "DESCRIBE", ["image"]),
        (V3 + "generate", {"prompt": "x", "model": "V_3"}, Operation.TEXT_TO_IMAGE, "V_3", []),
        (V3 + "remix", {"prompt": "x", "image": LINK}, Operation.IMAGE_TO_IMAGE, "V_3", ["image"]),
        (V3 + "edit", {"prompt": "x", "image": LINK, "mask": LINK}, Operation.IMAGE_INPAINT, "V_3", ["image", "mask"]),
        (
            V3 + "inpaint",
            {"prompt": "x", "image": LINK, "mask": LINK},
            Operation.IMAGE_INPAINT,
            "V_3",
            ["image", "mask"],
        ),
        (V3 + "reframe", {"image": LINK, "resolution": "1536x512"}, Operation.IMAGE_OUTPAINT, "V_3", ["image"]),
        (V3 + "replace-background", {"prompt": "x", "image": LINK}, Operation.BACKGROUND_REPLACEMENT, "V_3", ["image"]),
        (V3 + "generate-transparent", {"prompt": "x"}, Operation.TEXT_TO_IMAGE, "TRANSPARENT", []),
        (
            V3 + "try-on",
            {"image": LINK, "product_reference_images": [LINK]},
            Operation.VIRTUAL_TRY_ON,
            "V_3",
            ["image", "reference"],
        ),
        (V4 + "generate", {"text_prompt": "x"}, Operation.TEXT_TO_IMAGE, "V_4", []),
        (V4 + "remix", {"text_prompt": "x", "image": LINK}, Operation.IMAGE_TO_IMAGE, "REMIX_V4", ["image"]),
        (V4 + "describe", {"image": LINK}, Operation.IMAGE_TO_TEXT, "DESCRIBE_V4", ["image"]),
        ("/v1/edit", {"prompt": "x", "image_urls": [LINK, LINK]}, Operation.IMAGE_TO_IMAGE, "EDIT", ["image", "image"]),
        ("/v1/remove-background", {"image": LINK}, Operation.BACKGROUND_REMOVAL, "REMOVE_BACKGROUND", ["image"]),
    ],
)
def test_a_path_says_what_is_made_of_what(
    path: str, body: dict[str, Any], operation: Operation, model: str, roles: list[str]
) -> None:
    wish = made(path, body)
    assert (wish.operation, wish.model) == (operation, model)
    assert [each.role.value for each in wish.inputs] == roles


def test_four_spellings_say_a_size():
    request = {"prompt": "x"}
    for path, body in (
        ("/generate", {"image_request": request | {"aspect_ratio": "ASPECT_16_9"}}),
        ("/generate", {"image_request": request | {"resolution": "RESOLUTION_1312_736"}}),
        (V3 + "generate", request | {"aspect_ratio": "16x9"}),
        (V3 + "generate", request | {"resolution": "1312x736"}),
        (V4 + "generate", request | {"resolution": "1312x736"}),
    ):
        wish = made(path, body)
        assert (wish.width, wish.height, wish.prompt) == (1312, 736, "x")


def test_how_much_stays_is_how_little_changes_and_black_is_what_changes():
    wish = made(V3 + "remix", {"prompt": "x", "image": LINK, "image_weight": 80})
    assert wish.extra == {"strength": 0.2}
    assert made(V3 + "edit", {"prompt": "x", "image": LINK, "mask": LINK}).extra == {"mask_polarity": "black"}


def test_codes_and_colours_are_read_as_clients_spell_them():
    wish = made(V3 + "generate", {"prompt": "x", "style_codes": ["0123abcd,89ABCDEF"],
                                  "color_palette": {"members": [{"color": "#fff", "weight": 0.5}]}})  # fmt: skip
    assert wish.extra["style_codes"] == ["0123abcd", "89ABCDEF"]
    assert wish.extra["color_palette"] == {"members": [{"color_hex": "#fff", "color_weight": 0.5}]}


@pytest.mark.parametrize(
    ("path", "more", "field"),
    [
        ("/generate", {"image_request": {"prompt": "x", "seed": 2147483648}}, "image_request.seed"),
        ("/generate", {"image_request": {"prompt": "x", "num_images": 9}}, "image_request.num_images"),
        ("/generate", {"image_request": {"prompt": "x", "aspect_ratio": "16x9"}}, "image_request.aspect_ratio"),
        ("/generate", {"image_request": {"prompt": "x", "resolution": "1024x1024"}}, "image_request.resolution"),
        (
            "/generate",
            {"image_request": {"prompt": "x", "aspect_ratio": "ASPECT_1_1", "resolution": "RESOLUTION_1024_1024"}},
            "image_request.resolution",
        ),
        (
            "/generate",
            {"image_request": {"prompt": "x", "model": "V_3", "resolution": "RESOLUTION_1024_1024"}},
            "image_request.resolution",
        ),
        (
            "/generate",
            {"image_request": {"prompt": "x", "model": "V_1", "style_type": "ANIME"}},
            "image_request.style_type",
        ),
        (
            "/generate",
            {"image_request": {"prompt": "x", "model": "V_2A", "negative_prompt": "y"}},
            "image_request.negative",
        ),
        ("/generate", {"image_request": {"prompt": "x", "model": "V_9"}}, "image_request.model"),
        ("/generate", {}, "image_request"),
        (V3 + "generate", {"prompt": "x", "aspect_ratio": "ASPECT_1_1"}, "aspect_ratio"),
        (V3 + "generate", {"prompt": "x", "aspect_ratio": "1x1", "resolution": "1024x1024"}, "resolution"),
        (V3 + "generate", {"prompt": "x", "style_codes": ["0123abcd"], "style_type": "DESIGN"}, "style_codes"),
        (
            V3 + "generate",
            {"prompt": "x", "style_codes": ["0123abcd"], "style_reference_images": [LINK]},
            "style_codes",
        ),
        (V3 + "generate", {"prompt": "x", "style_type": "DESIGN", "style_reference_images": [LINK]}, "style_type"),
        (
            V3 + "generate",
            {"prompt": "x", "character_reference_images_mask": [LINK]},
            "character_reference_images_mask",
        ),
        (V3 + "generate", {"prompt": "x", "color_palette": "[object Object]"}, "color_palette"),
        (
            V3 + "generate",
            {"prompt": "x", "color_palette": {"members": [{"color_hex": "red"}]}},
            "color_palette.members[0]",
        ),
        (V3 + "generate", {"prompt": "x", "style_preset": "NICE"}, "style_preset"),
        (V3 + "generate", {"prompt": ""}, "prompt"),
        (V3 + "remix", {"prompt": "x", "image": LINK, "image_weight": 0}, "image_weight"),
        (V3 + "remix", {"prompt": "x", "image": "nowhere"}, "image"),
        (V3 + "try-on", {"image": LINK, "product_reference_images": [LINK, LINK]}, "product_reference_images"),
        (V4 + "generate", {"text_prompt": "x", "rendering_speed": "FLASH"}, "rendering_speed"),
        (V4 + "generate", {"text_prompt": "x", "json_prompt": {"a": 1}}, "json_prompt"),
        (V4 + "generate", {}, "text_prompt"),
        (V4 + "remix", {"text_prompt": "x"}, "image"),
        ("/v1/edit", {"prompt": "x"}, "images or image_urls"),
        ("/v1/edit", {"prompt": "x", "images": [LINK] * 11}, "images"),
        ("/edit", {"image_file": LINK, "mask": LINK, "prompt": "x", "model": "V_3"}, "model"),
    ],
)
def test_a_bad_field_is_named(path: str, more: dict[str, Any], field: str) -> None:
    assert refused(path, more).startswith(field)


# -- answers ----------------------------------------------------------------------------------


def job_of(state: State, **changes: Any) -> Job:
    wish = Generation(operation=Operation.TEXT_TO_IMAGE, model="ideogram-v3", prompt="a lighthouse", seed=7, count=2)
    values: dict[str, Any] = {
        "id": "01890a5d-ac96-774b-bcce-b302099a8057", "wire": "ideogram", "route": "", "owner": "", "engine": "script",
        "generation": wish, "state": state, "created": 1734283920.965408, "cost": 6.0,
    }  # fmt: skip
    return Job(**values | changes)


FILE = Output(id="o", media_type="image/png", asset="a", url="https://h.example/o.png", width=1024, height=640)


def rendered(job: Job) -> dict[str, Any]:
    route = next(route for route in WIRE.routes if isinstance(route, Read))
    return json.loads(route.render(job, HttpRequest(method="GET", path=route.path)).body)


def at_once(job: Job) -> Any:
    request = HttpRequest(method="POST", path=V3 + "generate")
    render = route_at(V3 + "generate").waited
    assert render
    answer = render(job, request)
    return answer.status, json.loads(answer.body)


def test_an_answer_has_the_vendors_members_and_a_seed_of_its_own_for_each_picture():
    status, answer = at_once(job_of(State.SUCCEEDED, outputs=(FILE, FILE)))
    assert (status, set(answer)) == (200, {"created", "data"})
    assert answer["created"] == "2024-12-15T17:32:00.965408+00:00"
    assert datetime.fromisoformat(answer["created"]).timestamp() == pytest.approx(1734283920.965408)
    assert answer["data"][0] == {
        "url": FILE.url, "prompt": "a lighthouse", "resolution": "1024x640", "is_image_safe": True, "seed": 7,
    }  # fmt: skip
    assert answer["data"][1]["seed"] == 8


def test_a_picture_that_a_vendor_left_out_was_not_safe():
    _, answer = at_once(job_of(State.SUCCEEDED, outputs=(FILE,)))
    assert [(each["url"], each["is_image_safe"]) for each in answer["data"]] == [(FILE.url, True), (None, False)]


def test_what_was_not_made_is_told_by_status_and_reason():
    status, answer = at_once(job_of(State.RUNNING))
    assert (status, list(answer)) == (504, ["error"])
    assert WIRE.public_id(job_of(State.RUNNING).id) in answer["error"]
    for kind, expected in ((Kind.REFUSED, 422), (Kind.ENGINE_FAILED, 500), (Kind.OVER_BUDGET, 402)):
        with pytest.raises(Problem) as caught:
            at_once(job_of(State.FAILED, failure=Failure(kind=kind, message="why")))
        answer = WIRE.render_problem(caught.value, HttpRequest(method="POST", path="/generate"))
        assert (answer.status, json.loads(answer.body)) == (expected, {"error": "why"})


def test_a_bad_key_is_forbidden_where_the_vendor_says_so():
    for path, status in (("/generate", 401), ("/remix", 403), ("/ideogram/upscale", 403), (V3 + "remix", 403)):
        problem = Problem(Kind.UNAUTHENTICATED, "no")
        assert WIRE.render_problem(problem, HttpRequest(method="POST", path=path)).status == status


def test_a_poll_has_three_members_until_the_end():
    assert set(rendered(job_of(State.QUEUED, cost=None))) == {"generation_id", "status", "created"}
    assert rendered(job_of(State.RUNNING, cost=None))["status"] == "pending"
    done = rendered(job_of(State.SUCCEEDED, outputs=(FILE, FILE)))
    assert (done["status"], done["usage_cost_usd_micros"]) == ("completed", 60_000)
    assert done["data"][0]["object_type"] == done["response_type"] == "image.generation"
    failed = rendered(job_of(State.FAILED, failure=Failure(kind=Kind.REFUSED, message="why")))
    assert (failed["status"], failed["failure_reason"]) == ("failed", "why")


# -- over the application ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["/v1/ideogram-v3/generate", "/ideogram/v1/ideogram-v3/generate", "/proxy/ideogram/ideogram-v3/generate"]
)
async def test_a_form_of_texts_makes_pictures(start: Start, path: str) -> None:
    """As `@aigne/ideogram` sends it: every member a text, and no file."""
    async with start(**SCRIPTED) as running:
        fields = {"prompt": "a lighthouse", "num_images": "2", "seed": "5", "rendering_speed": "BALANCED"}
        form = {name: (None, text) for name, text in fields.items()}
        answer = await running.client.post(path, files=form)
        assert answer.status_code == 200, answer.text
        assert [each["seed"] for each in answer.json()["data"]] == [5, 6]
        assert (await running.client.get(answer.json()["data"][0]["url"])).status_code == 200


async def test_a_picture_without_a_name_and_a_type_is_a_file(start: Start, picture: bytes) -> None:
    async with start(**SCRIPTED) as running:
        form = {"prompt": (None, "a boat"), "image": (None, picture)}
        answer = await running.client.post("/v1/ideogram-v3/remix", files=form)
        assert answer.status_code == 200, answer.text
        assert answer.json()["data"][0]["prompt"] == "a boat"


async def test_a_keys_two_headers_are_taken_and_no_other(start: Start) -> None:
    async with start(**SCRIPTED, keys=[{"name": "anna", "sha256": digest("k")}]) as running:
        body = {"image_request": {"prompt": "x"}}
        for headers, status in (({"Api-Key": "k"}, 200), ({"authorization": "Bearer k"}, 200), ({"Api-Key": "j"}, 401)):
            assert (await running.client.post("/generate", json=body, headers=headers)).status_code == status


async def test_the_fourth_version_is_read_later(start: Start) -> None:
    async with start(**SCRIPTED) as running:
        path = "/v1/ideogram-v4/async/generate"
        new = (await running.client.post(path, json={"text_prompt": "x"})).json()
        assert set(new) == {"generation_id", "status", "created"}
        await running.finished(WIRE.job_id(new["generation_id"]))
        done = (await running.client.get(f"/v2/generations/{new['generation_id']}")).json()
        assert done["status"] == "completed"
        assert (await running.client.get("/v2/generations/nothing")).status_code == 404
        bad = await running.client.post(path, params={"webhook_url": "http://a.example/"}, json={"text_prompt": "x"})
        assert (bad.status_code, bad.json()["error"][:11]) == (400, "webhook_url")


async def test_the_studio_makes_every_line_of_the_list(start: Start, picture: bytes) -> None:
    """Files as the vendor takes them, and as links' stand-in the same inside JSON, as resellers' clients send it."""
    inline = "data:image/png;base64," + base64.b64encode(picture).decode()
    file = ("a.png", picture, "image/png")
    nameless = (None, picture, "image/png")
    async with start() as running:
        for path, form in (
            ("/remix", {"image_request": (None, '{"prompt": "a lake"}', "application/json"), "image_file": file}),
            ("/edit", {"prompt": (None, "a lake"), "model": (None, "V_2"), "image_file": file, "mask": file}),
            ("/upscale", {"image_request": (None, "{}"), "image_file": nameless}),
            ("/v1/ideogram-v3/replace-background", {"prompt": (None, "a lake"), "image": nameless}),
        ):
            answer = await running.client.post(path, files=form)
            assert answer.status_code == 200, (path, answer.text)
            assert answer.json()["data"][0]["is_image_safe"]
        enlarged = await running.client.post("/ideogram/upscale", json={"image_request": {}, "image_file": inline})
        assert enlarged.json()["data"][0]["upscaled_resolution"] == "1280x720"
        reframed = await running.client.post(
            "/ideogram/v1/ideogram-v3/reframe", json={"image": inline, "resolution": "512x1536"}
        )
        assert reframed.json()["data"][0]["resolution"] == "512x1536"
        words = await running.client.post("/describe", files={"image_file": file})
        assert words.json()["descriptions"][0]["text"]


async def test_what_the_studio_cannot_make_is_refused_by_name(start: Start) -> None:
    async with start() as running:
        for path, body, field in (
            (V3 + "generate-transparent", {"prompt": "x"}, "background"),
            (V3 + "generate", {"prompt": "x", "style_preset": "WATERCOLOR"}, "style_preset"),
            (V3 + "generate", {"prompt": "x", "style_type": "DESIGN"}, "style_type"),
            (V3 + "generate", {"prompt": "x", "style_reference_images": [LINK]}, "style_reference_images"),
            (V3 + "try-on", {"image": LINK, "product_reference_images": [LINK]}, "virtual_try_on"),
            ("/upscale", {"image_request": {"num_images": 2}, "image_file": LINK}, "image_request.num_images"),
        ):
            answer = await running.client.post(path, json=body)
            assert answer.status_code == 400
            assert field in answer.json()["error"]
