"""Recraft behind: what is said to the vendor, and what its answers mean."""

import json
from typing import Any

import pytest
from msgspec.structs import replace

from mutoscope.model.http import HttpRequest, HttpResponse
from mutoscope.model.job import Generation, Input, Operation, Role, State, Update
from mutoscope.model.problem import Kind, Problem
from mutoscope.wirekit.back import Back, VendorRequest
from mutoscope.wires.recraft.api import WIRE

LINK = "https://img.example/a.webp?sig=s"
PICTURE = Input(role=Role.IMAGE, field="image", url=LINK)
MASK = Input(role=Role.MASK, field="mask", url=LINK)
DRAWN = Generation(operation=Operation.TEXT_TO_IMAGE, model="recraftv3", prompt="x", width=1024, height=1024)


def back() -> Back:
    assert WIRE.back
    return WIRE.back


def order(wish: Generation, name: str) -> VendorRequest:
    return VendorRequest(
        generation=wish, names=(name,), reference="r", sources={each.field: LINK for each in wish.inputs}
    )


def submitted(wish: Generation, name: str, answer: Any, status: int = 200) -> tuple[Update, HttpRequest]:
    conversation = back().submit(order(wish, name))
    request = next(conversation)
    try:
        conversation.send(HttpResponse(status=status, body=json.dumps(answer).encode()))
    except StopIteration as end:
        return end.value, request
    raise AssertionError("it goes on")


def said(wish: Generation, name: str) -> tuple[str, dict[str, Any]]:
    request = next(back().submit(order(wish, name)))
    return request.path, json.loads(request.body)


def test_the_vendors_list_and_its_single_picture_are_read():
    listed = {"created": 1, "credits": 80, "data": [{"image_id": "a", "url": LINK}, {"image_id": "b", "url": LINK}]}
    update, request = submitted(replace(DRAWN, count=2, seed=7), "recraftv3", listed)
    assert (request.path, request.spends) == ("/v1/images/generations", True)
    sent = {"prompt": "x", "n": 2, "size": "1024x1024", "random_seed": 7, "model": "recraftv3"}
    assert json.loads(request.body) == sent
    assert (update.state, update.links, update.cost) == (State.SUCCEEDED, (LINK, LINK), 8.0)
    traced = Generation(operation=Operation.VECTORIZATION, model="recraft-vectorize", inputs=(PICTURE,))
    single = {"created": 1, "credits": 10, "image": {"image_id": "a", "url": LINK}}
    update, request = submitted(traced, "recraft-vectorize", single)
    assert (request.path, json.loads(request.body)) == ("/v1/images/vectorize", {"image_url": LINK})
    assert (update.links, update.cost) == ((LINK,), 1.0)


@pytest.mark.parametrize(
    ("operation", "name", "extra", "inputs", "path", "body"),
    [
        ("image_to_image", "recraftv3", {}, (PICTURE,), "imageToImage", {"strength": 0.5, "model": "recraftv3"}),
        ("image_to_image", "variate/recraftv3", {}, (PICTURE,), "variateImage", {"model": "recraftv3"}),
        ("image_inpaint", "recraftv3", {}, (PICTURE, MASK), "inpaint", {"mask_url": LINK}),
        ("image_inpaint", "background/recraftv3", {}, (PICTURE, MASK), "generateBackground", {"model": "recraftv3"}),
        ("image_inpaint", "recraft-erase", {"mask_polarity": "white"}, (PICTURE, MASK), "eraseRegion", {}),
        ("background_replacement", "recraftv3", {}, (PICTURE,), "replaceBackground", {"image_url": LINK}),
        ("image_outpaint", "recraftv3", {"left": 64, "up": 8}, (PICTURE,), "outpaint",
         {"expand_left": 64, "expand_top": 8}),
        ("image_upscale", "recraft-creative-upscale", {"creative": True}, (PICTURE,), "creativeUpscale", {}),
    ],
)  # fmt: skip
def test_an_operation_is_asked_for_at_its_path(
    operation: str, name: str, extra: dict[str, Any], inputs: tuple[Input, ...], path: str, body: dict[str, Any]
) -> None:
    wish = replace(DRAWN, operation=Operation(operation), model=name, extra=extra, inputs=inputs)
    asked, sent = said(wish, name)
    assert asked == f"/v1/images/{path}"
    assert body.items() <= sent.items()
    assert ("size" in sent) == (path == "variateImage")


def test_a_drawing_is_asked_for_by_the_style_where_the_model_makes_pictures():
    wish = replace(DRAWN, extra={"format": "svg"})
    assert said(wish, "recraftv3")[1]["style"] == "vector_illustration"
    assert "image_format" not in said(wish, "recraftv3")[1]
    with pytest.raises(Problem, match="format"):
        said(replace(wish, model="recraftv4"), "recraftv4")


def test_a_mask_of_another_polarity_and_a_size_that_recraft_has_not_are_refused():
    dark = {"mask_polarity": "black"}
    wish = replace(DRAWN, operation=Operation.IMAGE_INPAINT, inputs=(PICTURE, MASK), extra=dark)
    with pytest.raises(Problem, match="'white' only") as caught:
        said(wish, "recraftv3")
    assert (caught.value.kind, caught.value.field) == (Kind.UNSUPPORTED, "mask")
    with pytest.raises(Problem, match="1820x1024") as caught:
        said(replace(DRAWN, width=1280, height=720), "recraftv3")
    assert caught.value.field == "width"


@pytest.mark.parametrize(
    ("status", "answer", "kind"),
    [
        (400, {"code": "prompt_is_improper", "message": "blocked"}, Kind.REFUSED),
        (400, {"code": "not_enough_credits", "message": "empty"}, Kind.QUOTA_EXCEEDED),
        (429, {"code": "rate_limit_exceeded", "message": "slow"}, Kind.RATE_LIMITED),
        (500, {"code": "custom_router_error", "message": "unknown error", "data": None}, Kind.UPSTREAM_FAILED),
        (401, "request unauthorized", Kind.UNAUTHENTICATED),
    ],
)
def test_an_error_is_sorted_by_its_code_and_its_status(status: int, answer: Any, kind: Kind) -> None:
    with pytest.raises(Problem) as caught:
        submitted(DRAWN, "recraftv3", answer, status)
    assert caught.value.kind is kind
