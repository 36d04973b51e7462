"""Ideogram behind: what is said to the vendor and to its resellers, and what their answers mean."""

import json
from typing import Any

import pytest

from mutoscope.model.http import HttpRequest, HttpResponse
from mutoscope.model.job import Generation, Input, Operation, Role, State, Update
from mutoscope.model.problem import Kind, Problem
from mutoscope.wirekit.back import Back, Conversation, VendorRequest
from mutoscope.wires.ideogram.api import WIRE

PNG = "data:image/png;base64,iVBORw0KGgo="


def back() -> Back:
    assert WIRE.back
    return WIRE.back


def answered(conversation: Conversation[Update], answer: Any, status: int = 200) -> tuple[Update, HttpRequest]:
    request = next(conversation)
    with pytest.raises(StopIteration) as end:
        conversation.send(HttpResponse(status=status, body=json.dumps(answer).encode()))
    return end.value.value, request


def order(operation: Operation, name: str, *roles: Role, **wish: Any) -> VendorRequest:
    inputs = tuple(Input(role=role, field=role.value, data=b"x") for role in roles)
    generation = Generation(operation=operation, model="m", inputs=inputs, **wish)
    return VendorRequest(
        generation=generation, names=(name,), sources={role.value: PNG for role in roles}, reference="r"
    )


def images(*items: dict[str, Any]) -> dict[str, Any]:
    usual = {"prompt": "x", "resolution": "1024x1024", "is_image_safe": True, "seed": 1, "url": "https://i.example/a"}
    return {"created": "2026-01-01 00:00:00+00:00", "data": [usual | item for item in items]}


def test_words_go_as_json_in_the_words_of_the_version():
    wish = {"prompt": "x", "width": 1312, "height": 736, "seed": 0, "count": 2}
    update, request = answered(back().submit(order(Operation.TEXT_TO_IMAGE, "V_3", **wish)), images({}, {}))
    assert (request.path, request.spends) == ("/v1/ideogram-v3/generate", True)
    assert json.loads(request.body) == {"prompt": "x", "resolution": "1312x736", "seed": 0, "num_images": 2}
    assert (update.state, len(update.links)) == (State.SUCCEEDED, 2)
    _, request = answered(back().submit(order(Operation.TEXT_TO_IMAGE, "V_1", **wish)), images({}))
    asked = {"prompt": "x", "aspect_ratio": "ASPECT_16_9", "seed": 0, "num_images": 2, "model": "V_1"}
    assert (request.path, json.loads(request.body)) == ("/generate", {"image_request": asked})


def test_a_size_without_a_ratio_is_said_by_the_models_that_take_one():
    wish = order(Operation.TEXT_TO_IMAGE, "V_2", prompt="x", width=1280, height=720)
    _, request = answered(back().submit(wish), images({}))
    assert json.loads(request.body)["image_request"]["resolution"] == "RESOLUTION_1280_720"
    with pytest.raises(Problem, match="V_1") as caught:
        back().check(order(Operation.TEXT_TO_IMAGE, "V_1", prompt="x", width=1280, height=720))
    assert caught.value.field == "width"


def test_a_file_goes_in_a_form_with_the_request_as_one_part():
    wish = order(Operation.IMAGE_TO_IMAGE, "V_2", Role.IMAGE, prompt="x", extra={"strength": 0.2})
    _, request = answered(back().submit(wish), images({}))
    assert (request.path, request.headers["idempotency-key"]) == ("/remix", "r")
    assert request.headers["content-type"].startswith("multipart/form-data; boundary=")
    assert b'name="image_request"\r\ncontent-type: application/json\r\n\r\n{"' in request.body
    assert b'"image_weight":80' in request.body
    assert b'name="image_file"; filename="image_file.png"\r\ncontent-type: image/png\r\n\r\n\x89PNG' in request.body
    _, request = answered(back().submit(order(Operation.IMAGE_UPSCALE, "UPSCALE", Role.IMAGE)), images({}))
    assert b'name="image_request"\r\ncontent-type: application/json\r\n\r\n{}' in request.body


def test_one_enlargement_leaves_nothing_to_the_next():
    wish = order(Operation.IMAGE_UPSCALE, "UPSCALE", Role.IMAGE, prompt="sharp")
    answered(back().submit(wish), images({}))
    _, request = answered(back().submit(order(Operation.IMAGE_UPSCALE, "UPSCALE", Role.IMAGE)), images({}))
    assert b"sharp" not in request.body


def test_a_mask_of_another_polarity_is_not_taken_for_its_reverse():
    wish: dict[str, Any] = {"prompt": "x"}
    for extra in ({}, {"mask_polarity": "white"}):
        with pytest.raises(Problem, match="black") as caught:
            back().check(order(Operation.IMAGE_INPAINT, "V_3", Role.IMAGE, Role.MASK, extra=extra, **wish))
        assert caught.value.field == "mask"
    black = order(Operation.IMAGE_INPAINT, "V_3", Role.IMAGE, Role.MASK, extra={"mask_polarity": "black"}, **wish)
    _, request = answered(back().submit(black), images({}))
    assert request.path == "/v1/ideogram-v3/edit"


def test_pictures_that_are_not_safe_are_left_out_and_none_at_all_is_a_refusal():
    wish = order(Operation.TEXT_TO_IMAGE, "V_3", prompt="x", count=2)
    for empty in ({"url": None, "is_image_safe": False}, {"url": "", "is_image_safe": False}, {"is_image_safe": True}):
        update, _ = answered(back().submit(wish), images({}, empty))
        assert len(update.links) == (2 if empty["is_image_safe"] else 1)
    conversation = back().submit(wish)
    next(conversation)
    with pytest.raises(Problem) as caught:
        body = json.dumps(images({"url": None, "is_image_safe": False})).encode()
        conversation.send(HttpResponse(body=body))
    assert caught.value.kind is Kind.REFUSED


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Kind.INVALID), (401, Kind.UNAUTHENTICATED), (402, Kind.QUOTA_EXCEEDED), (403, Kind.FORBIDDEN),
        (422, Kind.REFUSED), (429, Kind.RATE_LIMITED), (503, Kind.UNAVAILABLE),
    ],
)  # fmt: skip
def test_an_error_means_what_its_status_says(status: int, kind: Kind) -> None:
    conversation = back().submit(order(Operation.TEXT_TO_IMAGE, "V_3", prompt="x"))
    next(conversation)
    with pytest.raises(Problem, match="Prompt failed the safety check") as caught:
        body = json.dumps({"error": "Prompt failed the safety check."}).encode()
        conversation.send(HttpResponse(status=status, body=body))
    assert caught.value.kind is kind


def test_a_description_is_words_and_the_fourth_version_is_asked_about():
    wish = order(Operation.IMAGE_TO_TEXT, "DESCRIBE", Role.IMAGE)
    update, request = answered(back().submit(wish), {"descriptions": [{"text": "a lake\nat dawn"}]})
    assert (request.path, update.texts, update.links) == ("/describe", ("a lake\nat dawn",), ())
    new = {"generation_id": "g1", "status": "pending", "created": "x"}
    update, request = answered(back().submit(order(Operation.TEXT_TO_IMAGE, "V_4", prompt="x")), new)
    assert (request.path, json.loads(request.body)) == ("/v1/ideogram-v4/async/generate", {"text_prompt": "x"})
    done = new | {"status": "completed", "usage_cost_usd_micros": 60_000} | images({})
    update, request = answered(back().poll(update.handle), done)
    assert (request.path, update.state, update.cost) == ("/v2/generations/g1", State.SUCCEEDED, 6.0)


def test_the_vendors_keys_and_those_of_resellers_go_in_their_own_headers():
    assert back().sign("k", 0.0) == {"api-key": "k"}
    assert back().sign("sk-k", 0.0) == {"authorization": "Bearer sk-k"}
