"""Recraft's API in front: forms and JSON, lists and single pictures, in process and over the application."""

import base64
import io
import json
from collections.abc import Callable
from email import message_from_bytes
from email.message import Message
from typing import Any, cast

import pytest
from PIL import Image

from mutoscope.model.http import HttpRequest
from mutoscope.model.job import Generation, Operation
from mutoscope.model.problem import Kind, Problem
from mutoscope.model.requests import Submission
from mutoscope.service.keys import digest
from mutoscope.wirekit.routes import Create
from mutoscope.wires import ROWS
from mutoscope.wires.recraft.api import WIRE

Start = Callable[..., Any]
SCRIPTED: dict[str, Any] = {"models": {row.name: {"engine": "script"} for row in ROWS if row.vendor == "recraft"}}
LINK, LAKE = "https://files.example/a.png", "a lake between mountains at dawn"
IMAGES = "/recraft/v1/images/"
STYLE_ID = "01890a5d-ac96-474b-bcce-b302099a8057"


def parse(path: str, **body: Any) -> Submission:
    route = next(route for route in WIRE.routes if route.path == f"/v1/{path}" and isinstance(route, Create))
    return route.parse(HttpRequest(method="POST", path=f"/v1/{path}", body=json.dumps(body).encode()))


def made(path: str, **body: Any) -> Generation:
    return parse(f"images/{path}", **body).generation


def refused(path: str, **body: Any) -> tuple[int, Any]:
    with pytest.raises(Problem) as caught:
        parse(f"images/{path}", **body)
    answer = WIRE.render_problem(caught.value, HttpRequest(method="POST", path=f"/v1/images/{path}"))
    return answer.status, json.loads(answer.body)


# -- requests ------------------------------------------------------------------------------


def test_the_usual_model_is_of_today_unless_a_member_is_of_older_ones():
    assert made("generations", prompt="x").model == "recraftv4_1"
    assert made("generations", prompt="x", style="digital_illustration", substyle="grain").model == "recraftv3"
    assert made("generations", prompt="x", style_references=[LINK]).model == "recraftv4_styles"


def test_controls_and_a_layout_that_are_empty_ask_for_nothing():
    assert made("generations", prompt="x", model="recraftv3", controls={}, text_layout=[]).extra == {}
    assert "controls" in made("generations", prompt="x", model="recraftv3", controls={"no_text": True}).extra


def test_a_size_is_pixels_or_a_shape_of_the_models_family():
    wish = made("generations", prompt="x", model="recraftv3", size="1820x1024")
    assert (wish.width, wish.height) == (1820, 1024)
    wish = made("generations", prompt="x", model="recraftv4_pro", size="16:9")
    assert (wish.width, wish.height, wish.extra) == (2688, 1536, {})
    assert made("generations", prompt="x", model="recraftv3", size="auto").width is None
    for model, size in (("recraftv4", "1820x1024"), ("recraftv3", "1024x1792"), ("recraftv4_pro", "1024x1024")):
        status, told = refused("generations", prompt="x", model=model, size=size)
        assert (status, told["code"]) == (400, "invalid_request")
        assert told["message"].startswith("size: should be one of ") and model in told["message"]


@pytest.mark.parametrize(
    "body",
    [
        {"model": "recraftv3_vector"},
        {"model": "recraftv4_1_pro_vector", "image_format": "png"},
        {"model": "recraftv3", "style": "vector_illustration"},
        {"style": "icon", "image_format": "webp"},
    ],
)
def test_a_drawing_comes_of_the_model_or_the_style_whatever_the_format(body: dict[str, Any]) -> None:
    assert made("generations", prompt="x", **body).extra["format"] == "svg"


def test_the_path_makes_drawings_too_and_a_picture_has_the_format_that_was_asked_for():
    assert made("generations/vector", prompt="x", image_format="png").extra == {"format": "svg"}
    assert made("generations/raster", prompt="x", image_format="webp").extra == {"format": "webp"}


@pytest.mark.parametrize(
    ("path", "body", "operation", "model", "extra"),
    [
        ("imageToImage", {"prompt": "x", "strength": 0}, "image_to_image", "recraftv4_1", {"strength": 0}),
        ("edits", {"prompt": "x", "model": "recraftv3"}, "image_to_image", "recraftv3", {"strength": 0.2}),
        ("inpaint", {"prompt": "x", "mask_url": LINK}, "image_inpaint", "recraftv4_1", {"mask_polarity": "white"}),
        ("replaceBackground", {"prompt": "x"}, "background_replacement", "recraftv4_1", {}),
        (
            "generateBackground",
            {"prompt": "x", "mask_url": LINK},
            "image_inpaint",
            "background/recraftv4_1",
            {"mask_polarity": "white"},
        ),
        ("outpaint", {"prompt": "", "expand_left": 64}, "image_outpaint", "recraftv4_1", {"left": 64}),
        ("outpaint", {"prompt": "", "zoom_out_percentage": 50}, "image_outpaint", "recraftv4_1", {"zoom": 1.5}),
        ("variateImage", {"size": "1:1"}, "image_to_image", "variate/recraftv4_1", {}),
        ("vectorize", {"image_format": "png"}, "vectorization", "recraft-vectorize", {}),
        ("removeBackground", {}, "background_removal", "recraft-remove-background", {}),
        (
            "crispUpscale",
            {"upscale": "upscale4mp"},
            "image_upscale",
            "recraft-crisp-upscale",
            {"upscale": "upscale4mp"},
        ),
        ("generativeUpscale", {}, "image_upscale", "recraft-creative-upscale", {"creative": True}),
        ("eraseRegion", {"mask_url": LINK}, "image_inpaint", "recraft-erase", {"mask_polarity": "white"}),
        ("describe", {}, "image_to_text", "recraft-describe", {}),
    ],
)
def test_a_path_says_what_is_made(
    path: str, body: dict[str, Any], operation: str, model: str, extra: dict[str, Any]
) -> None:
    wish = made(path, image_url=LINK, **body)
    assert (wish.operation.value, wish.model, wish.extra) == (operation, model, extra)
    assert [each.role.value for each in wish.inputs] == ["image", *(["mask"] if "mask_url" in body else [])]


def test_switches_that_are_off_ask_for_nothing():
    said = {"svg_compression": "off", "limit_num_shapes": "on", "max_num_shapes": 40, "return_gradients": "off"}
    assert made("vectorize", image_url=LINK, **said).extra == {"limit_num_shapes": "on", "max_num_shapes": 40}
    assert refused("vectorize", image_url=LINK, svg_compression=True)[0] == 400


def test_a_style_that_was_made_here_is_a_picture_to_go_by():
    wish = made("generations", prompt="x", model="recraftv3", style_id=STYLE_ID)
    assert wish.operation is Operation.IMAGE_TO_IMAGE
    assert [each.output_of for each in wish.inputs] == [STYLE_ID]


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("generations", {"prompt": "x", "model": "recraftv3", "style": "icon", "style_id": STYLE_ID}, "style"),
        ("generations", {"prompt": "x" * 1001, "model": "recraftv3"}, "prompt"),
        ("generations", {"prompt": "x", "model": "recraftv4", "text_layout": [{"text": "A", "bbox": [[0, 0]] * 4}]},
         "text_layout"),
        ("generations", {"prompt": "x", "model": "recraftv4_styles"}, "style_id"),
        ("generations", {"prompt": "x", "n": 7}, "n"),
        ("generations", {"prompt": "x", "controls": {"artistic_level": 6}}, "controls"),
        ("generations", {"prompt": "x", "controls": {"colors": [{"rgb": [1, 2]}]}}, "controls"),
        ("generations", {"prompt": ""}, "prompt"),
        ("imageToImage", {"prompt": "x", "strength": 0.5}, "image_url"),
        ("imageToImage", {"prompt": "x", "image_url": LINK, "strength": 1.1}, "strength"),
        ("inpaint", {"prompt": "x", "image_url": LINK}, "mask_url"),
        ("outpaint", {"prompt": "", "image_url": LINK}, "size"),
        ("removeBackground", {"image_url": "ftp://files.example/a.png"}, "image_url"),
    ],
)  # fmt: skip
def test_a_bad_member_is_named(path: str, body: dict[str, Any], field: str) -> None:
    status, told = refused(path, **body)
    assert status == 400
    assert told["code"] == ("invalid_prompt" if field == "prompt" else "invalid_request")
    assert told["message"].startswith(field)


@pytest.mark.parametrize(
    ("kind", "field", "status", "code"),
    [
        (Kind.NOT_FOUND, "model", 400, "invalid_model"),
        (Kind.REFUSED, None, 400, "prompt_is_improper"),
        (Kind.RATE_LIMITED, None, 429, "rate_limit_exceeded"),
        (Kind.OVER_BUDGET, None, 402, "not_enough_credits"),
        (Kind.TOO_LARGE, None, 413, "image_too_big"),
        (Kind.BAD_MEDIA, "image", 400, "invalid_image_format"),
        (Kind.NOT_FOUND, "id", 404, "not_found"),
    ],
)
def test_trouble_has_the_words_that_clients_match(kind: Kind, field: str | None, status: int, code: str) -> None:
    answer = WIRE.render_problem(Problem(kind, "why", field=field), HttpRequest(method="POST", path="/v1/styles"))
    assert (answer.status, json.loads(answer.body)["code"]) == (status, code)


# -- over the application --------------------------------------------------------------------


async def test_a_list_answers_with_as_many_pictures_as_were_asked_for(start: Start) -> None:
    async with start(**SCRIPTED) as running:
        told = (await running.client.post(f"{IMAGES}generations", json={"prompt": "x", "n": 6})).json()
        assert set(told) == {"created", "credits", "data"}
        assert told["credits"] == 210
        assert len({each["image_id"][:8] for each in told["data"]}) == 6  # clients name files by that
        assert all(set(each) == {"image_id", "url"} for each in told["data"])
        assert (await running.client.get(told["data"][0]["url"])).status_code == 200
        again = (await running.client.get(f"{IMAGES}{told['data'][0]['image_id']}")).json()
        assert len(again["data"]) == 6


async def test_a_picture_inside_the_answer_has_no_link_beside_it(start: Start) -> None:
    async with start(**SCRIPTED) as running:
        body = {"prompt": "x", "response_format": "b64_json"}
        [told] = (await running.client.post(f"{IMAGES}generations", json=body)).json()["data"]
        assert set(told) == {"image_id", "b64_json"}
        assert base64.b64decode(told["b64_json"])[:4] == b"\x89PNG"


async def test_a_rehearsed_vendor_gives_the_format_that_was_asked_for(start: Start, picture: bytes) -> None:
    async with start(**SCRIPTED) as running:

        async def made(path: str, *, file: bool = False, **said: Any) -> bytes:
            files = {"file": ("a.png", picture, "image/png")} if file else None
            sent = {"data": said, "files": files} if file else {"json": said}
            told = (await running.client.post(f"{IMAGES}{path}", **sent)).json()
            link = told["image"] if file else told["data"][0]
            return (await running.client.get(link["url"])).content

        words = {"prompt": "a boat; weigh 0.01"}
        for drawn in (
            await made("generations", model="recraftv3_vector", **words),
            await made("generations", model="recraftv3", style="vector_illustration", **words),
            await made("generations/vector", model="recraftv4_1", **words),
            await made("vectorize", file=True),
        ):
            assert drawn.startswith(b"<svg") and b"<rect" in drawn
        for kind in ("webp", "png"):
            data = await made("generations", image_format=kind, **words)
            assert Image.open(io.BytesIO(data)).format == kind.upper()
            assert len(data) > 10_000
        assert Image.open(io.BytesIO(await made("removeBackground", file=True))).mode == "RGBA"


async def test_an_answer_in_parts_has_a_part_for_each_picture(start: Start, picture: bytes) -> None:
    async with start(**SCRIPTED) as running:
        body = {"prompt": "x", "n": 2, "response_format": "multipart"}
        answer = await running.client.post(f"{IMAGES}generations", json=body)
        read = message_from_bytes(f"content-type: {answer.headers['content-type']}\n\n".encode() + answer.content)
        first, *rest = cast("list[Message]", read.get_payload())
        ids = [each["image_id"] for each in json.loads(cast("bytes", first.get_payload(decode=True)))["data"]]
        assert [part["content-id"] for part in rest] == [f"<{id}>" for id in ids]
        assert [part.get_param("name", header="content-disposition") for part in rest] == ids
        files, data = {"file": ("a.png", picture, "image/png")}, {"response_format": "multipart"}
        described = await running.client.post(f"{IMAGES}describe", files=files, data=data)
        read = message_from_bytes(f"content-type: {described.headers['content-type']}\n\n".encode() + described.content)
        [only] = cast("list[Message]", read.get_payload())  # words are no file: they stand in the part of JSON
        assert set(json.loads(cast("bytes", only.get_payload(decode=True)))) == {"id", "caption", "credits"}


@pytest.mark.parametrize("name", ["file", "image", "image_file"])
async def test_a_form_may_call_the_picture_by_any_of_its_names(start: Start, picture: bytes, name: str) -> None:
    async with start(**SCRIPTED) as running:
        files = {name: ("a.png", picture, "image/png")}
        for path in ("removeBackground", "vectorize", "clarityUpscale", "crispUpscale"):
            answer = await running.client.post(
                f"{IMAGES}{path}?billing=api", files=files, data={"response_format": "url"}
            )
            assert answer.status_code == 200, answer.text
            assert set(answer.json()) == {"created", "credits", "image"}


async def test_numbers_and_objects_in_a_form_are_texts_or_parts_of_json(start: Start, picture: bytes) -> None:
    async with start(**SCRIPTED) as running:
        data = {"prompt": "x", "strength": "0.3", "n": "2", "random_seed": "7", "model": "recraftv3", "expire": "true"}
        controls = json.dumps({"no_text": True}).encode()
        files = {"image": ("a.png", picture, "image/png"), "controls": ("blob", controls, "application/json")}
        answer = await running.client.post(f"{IMAGES}imageToImage", files=files, data=data)
        assert answer.status_code == 200, answer.text
        [job] = await running.app.store.recent(limit=1)
        wish = job.generation
        assert (wish.count, wish.seed, wish.extra["strength"], wish.extra["expire"]) == (2, 7, 0.3, True)
        assert wish.extra["controls"] == {"no_text": True}
        junk = data | {"text_layout": "[object Object],[object Object]"}
        answer = await running.client.post(f"{IMAGES}imageToImage", files={"image": files["image"]}, data=junk)
        assert answer.status_code == 400
        assert "text_layout" in answer.json()["message"]


async def test_a_model_of_recrafts_is_answered_where_openai_has_the_path(start: Start, picture: bytes) -> None:
    async with start(**SCRIPTED) as running:
        drawn = await running.client.post("/v1/images/generations", json={"model": "recraftv3", "prompt": "x"})
        assert drawn.json()["credits"] == 40
        form = {"model": "recraftv3", "prompt": "x", "strength": "0.7"}
        edited = await running.client.post("/v1/images/edits", data=form, files={"image": ("a.png", picture)})
        assert edited.status_code == 200, edited.text
        [job] = await running.app.store.recent(limit=1)
        assert (job.wire, job.generation.extra) == ("recraft", {"strength": 0.7})
        styled = {"model": "recraftv4_styles", "prompt": "x"}
        references = [("style_references", ("a.png", picture)), ("style_references", ("b.png", picture))]
        answer = await running.client.post("/v1/images/generations", data=styled, files=references)
        assert answer.status_code == 200, answer.text
        other = await running.client.post("/v1/images/generations", json={"model": "dall-e-3", "prompt": "x"})
        assert "credits" not in other.json()


async def test_an_unknown_model_is_a_fault_of_the_body(start: Start) -> None:
    async with start(**SCRIPTED) as running:
        answer = await running.client.post(f"{IMAGES}generations", json={"model": "recraftv9", "prompt": "x"})
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_model")


async def test_a_refusal_while_it_is_made_is_the_answer(start: Start) -> None:
    async with start(**SCRIPTED) as running:
        answer = await running.client.post(f"{IMAGES}generations", json={"prompt": "fail refused not today"})
        assert (answer.status_code, answer.json()["code"]) == (400, "prompt_is_improper")
        assert "not today" in answer.json()["message"]


async def test_what_is_not_made_in_time_goes_on_and_is_read_later(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mutoscope.web.server.MAX_WAIT", 0.01)
    async with start(**SCRIPTED) as running:
        answer = await running.client.post(f"{IMAGES}generations", json={"prompt": "sleep 0.2"})
        assert (answer.status_code, answer.headers["x-should-retry"]) == (504, "false")
        [job] = await running.app.store.recent(limit=1)
        id = WIRE.public_id(job.id)
        assert id in answer.json()["message"]
        await running.finished(job.id)
        assert (await running.client.get(f"{IMAGES}{id}")).json()["data"][0]["image_id"] == id


async def test_styles_are_made_listed_read_and_deleted(start: Start, picture: bytes) -> None:
    async with start(**SCRIPTED) as running:
        files = [("file1", ("a.png", picture)), ("file2", ("b.png", picture))]
        made = await running.client.post("/recraft/v1/styles", data={"style": "digital_illustration"}, files=files)
        assert made.status_code == 200, made.text
        style = made.json()
        assert (style["style"], style["is_private"], style["credits"]) == ("digital_illustration", True, 40)
        [job] = await running.app.store.recent(limit=1)
        assert [each.role.value for each in job.generation.inputs] == ["reference", "reference"]
        listed = (await running.client.get("/recraft/v1/styles")).json()["styles"]
        assert [each["id"] for each in listed] == [style["id"]]
        assert (await running.client.get(f"/v1/styles/{style['id']}")).json()["style"] == "digital_illustration"
        body = {"prompt": "x", "model": "recraftv3", "style_id": style["id"]}
        assert (await running.client.post(f"{IMAGES}generations", json=body)).status_code == 200
        assert (await running.client.delete(f"/recraft/v1/styles/{style['id']}")).status_code == 200
        assert (await running.client.delete(f"/recraft/v1/styles/{style['id']}")).status_code == 404
        assert (await running.client.post("/recraft/v1/styles", json={"style": "any"})).status_code == 400


async def test_variations_by_a_model_of_the_vendors_are_answered_in_its_form(start: Start, picture: bytes) -> None:
    async with start(**SCRIPTED) as running:
        files, data = {"image": ("a.png", picture, "image/png")}, {"model": "recraftv3", "n": "2"}
        told = (await running.client.post("/v1/images/variations", files=files, data=data)).json()
        assert set(told) == {"created", "credits", "data"} and len(told["data"]) == 2
        plain = (await running.client.post("/v1/images/variations", files=files, data={"model": "dall-e-2"})).json()
        assert "credits" not in plain


async def test_an_account_tells_what_is_left(start: Start) -> None:
    keys = [{"name": "ann", "sha256": digest("s"), "budget": 100.0}]
    async with start(keys=keys) as running:
        told = await running.client.get("/v1/users/me", headers={"authorization": "Bearer s"})
        assert told.json()["credits"] == 1000
        denied = await running.client.get("/v1/users/me")
        assert (denied.status_code, denied.text) == (401, "request unauthorized")
        assert denied.headers["content-type"] == "text/plain"
        lost = await running.client.post("/recraft/v1/nowhere", headers={"authorization": "Bearer s"})
        assert (lost.status_code, lost.text) == (404, "404 page not found")
        models = await running.client.get("/recraft/v1/models", headers={"authorization": "Bearer s"})
        assert {"recraftv3", "recraftv4_1_vector"} <= {each["id"] for each in models.json()["data"]}


# -- by the renderer -------------------------------------------------------------------------


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


async def test_the_renderer_paints_draws_cuts_out_and_erases(start: Start) -> None:
    scene, mask = Image.new("RGB", (96, 64), (40, 90, 160)), Image.new("L", (96, 64))
    scene.paste((220, 180, 40), (36, 16, 60, 52))
    mask.paste(255, (30, 12, 66, 56))
    files: dict[str, Any] = {}
    for name, each in (("image", scene), ("mask", mask)):
        file = io.BytesIO()
        each.save(file, "PNG")
        files[name] = (f"{name}.png", file.getvalue(), "image/png")
    async with start() as running:

        async def file_of(path: str, **asked: Any) -> Any:
            answer = await running.client.post(f"{IMAGES}{path}", **asked)
            assert answer.status_code == 200, answer.text
            told = answer.json()
            return await running.client.get((told.get("image") or told["data"][0])["url"])

        body = {"prompt": LAKE, "model": "recraftv3", "style": "icon"}
        drawn = await file_of("generations", json=body)
        assert drawn.headers["content-type"].startswith("image/svg+xml") and b"<path" in drawn.content
        asked = {"size": "3:2", "image_format": "webp"}
        painted = opened((await file_of("generations", json={"prompt": LAKE, **asked})).content)
        assert (painted.size, painted.format) == ((1280, 832), "WEBP")
        cut = opened((await file_of("removeBackground", files={"file": files["image"]})).content)
        assert (cut.mode, cut.size) == ("RGBA", (96, 64))
        erased = opened((await file_of("eraseRegion", files=files)).content)
        assert erased.convert("RGB").getpixel((48, 34)) != (220, 180, 40)
        assert erased.convert("RGB").getpixel((4, 4)) == (40, 90, 160)
        style = await running.client.post("/recraft/v1/styles", files=[("file", files["image"])] * 2)
        asked = {"prompt": LAKE, "model": "recraftv3", "style_id": style.json()["id"]}
        assert opened((await file_of("generations", json=asked)).content).size == (1024, 1024)
        wide = await file_of("outpaint", files={"image": files["image"]}, data={"prompt": "", "expand_left": "32"})
        assert opened(wide.content).size == (128, 64)


@pytest.mark.parametrize(
    ("path", "body", "named"),
    [
        ("creativeUpscale", {"image_url": LINK}, "creative"),
        ("crispUpscale", {"image_url": LINK, "upscale": "upscale4mp"}, "upscale"),
        ("vectorize", {"image_url": LINK, "color_reduction": "on"}, "color_reduction"),
        ("generations", {"prompt": "x", "controls": {"no_text": True}}, "controls"),
        ("generations", {"prompt": "x", "text_layout": [{"text": "A", "bbox": [[0, 0]] * 4}]}, "text_layout"),
    ],
)
async def test_what_the_renderer_cannot_make_is_refused_by_name(
    start: Start, path: str, body: dict[str, Any], named: str
) -> None:
    async with start() as running:
        answer = await running.client.post(f"{IMAGES}{path}", json=body)
        assert answer.status_code == 400
        assert named in answer.json()["message"]
