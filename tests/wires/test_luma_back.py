"""The other end of Luma's wire: conversations with the vendor, by its documented answers."""

import json
from collections.abc import Generator
from typing import Any, TypeVar

import pytest

from mutoscope.model.http import HttpRequest, HttpResponse, json_response
from mutoscope.model.job import Generation, Input, Operation, Role, State, Update
from mutoscope.model.problem import Kind, Problem
from mutoscope.wirekit.back import VendorRequest, Way
from mutoscope.wires.luma.api import WIRE

T = TypeVar("T")
T2V, I2V, MORE = Operation.TEXT_TO_VIDEO, Operation.IMAGE_TO_VIDEO, Operation.VIDEO_EXTENSION
PICTURE, CLIP = "https://files.example/a.png", "https://files.example/a.mp4"
ID = "5c1f6c1e-0a70-4b52-9a5e-2a3f3f0f6b11"
HANDLE = {"id": ID, "at": "generations/video"}
GENERATION: dict[str, Any] = {
    "id": ID, "generation_type": "video", "state": "queued", "failure_reason": None,
    "created_at": "2026-01-01T12:00:00.000Z", "model": "ray-2", "assets": None,
    "request": {"generation_type": "video", "model": "ray-2", "prompt": "a paper boat"},
}  # fmt: skip
assert WIRE.back
BACK = WIRE.back


def talk(conversation: Generator[HttpRequest, HttpResponse, T], answer: HttpResponse) -> tuple[T, HttpRequest]:
    """What a conversation of one request comes to, and what it asked."""
    request = next(conversation)
    with pytest.raises(StopIteration) as end:
        conversation.send(answer)
    return end.value.value, request


def problem(conversation: Generator[HttpRequest, HttpResponse, Any], answer: HttpResponse) -> Problem:
    next(conversation)
    with pytest.raises(Problem) as caught:
        conversation.send(answer)
    return caught.value


def order(operation: Operation, *roles: Role, model: str = "ray-2", **fields: Any) -> VendorRequest:
    inputs = tuple(Input(role=role, field=role.value, url=PICTURE) for role in roles)
    wish = Generation(operation=operation, model=model, inputs=inputs, **({"prompt": "a paper boat"} | fields))
    return VendorRequest(generation=wish, names=(model,), sources={role.value: PICTURE for role in roles})


def said(asked: VendorRequest) -> tuple[str, dict[str, Any]]:
    BACK.check(asked)
    update, request = talk(BACK.submit(asked), json_response(GENERATION, 201))
    assert (update.state, update.handle["id"]) == (State.QUEUED, ID)
    assert request.spends
    return request.path, json.loads(request.body)


def test_a_video_is_asked_for_by_shape_and_tier():
    path, body = said(
        order(T2V, width=540, height=960, resolution="540p", seconds=9.0, extra={"concepts": [{"key": "pov"}]})
    )
    assert path == "/dream-machine/v1/generations/video"
    assert body == {
        "model": "ray-2", "prompt": "a paper boat", "aspect_ratio": "9:16", "duration": "9s", "resolution": "540p",
        "concepts": [{"key": "pov"}],
    }  # fmt: skip


def test_a_size_that_has_no_shape_is_refused_by_our_name():
    with pytest.raises(Problem) as caught:
        BACK.check(order(T2V, width=1000, height=300))
    assert (caught.value.kind, caught.value.field) == (Kind.INVALID, "width")
    assert "21:9" in caught.value.message


def test_frames_are_keyframes():
    _, body = said(order(I2V, Role.FIRST_FRAME, Role.LAST_FRAME))
    assert body["keyframes"] == {
        "frame0": {"type": "image", "url": PICTURE},
        "frame1": {"type": "image", "url": PICTURE},
    }
    frames = order(I2V, Role.FIRST_FRAME)
    assert [each.way for each in BACK.ways(frames, frames.generation.inputs[0])] == [Way.LINK]


def extension(**fields: Any) -> VendorRequest:
    inputs = (Input(role=Role.VIDEO, field="video", output_of="job-1", asset="a"),)
    wish = Generation(operation=MORE, model="ray-2", prompt="it sails on", inputs=inputs, **fields)
    return VendorRequest(generation=wish, names=("ray-2",), earlier={"job-1": {"id": ID}})


def test_an_extension_names_the_vendors_own_generation_and_what_is_added():
    _, body = said(extension(seconds=5.0, extra={"added_seconds": 9.0}))
    assert body["keyframes"] == {"frame0": {"type": "generation", "id": ID}}
    assert body["duration"] == "9s"


def test_what_another_made_cannot_be_gone_on_from_here():
    wish = Generation(operation=MORE, model="ray-2", inputs=(Input(role=Role.VIDEO, field="video", url=CLIP),))
    with pytest.raises(Problem, match="its own tasks only") as caught:
        BACK.check(VendorRequest(generation=wish, names=("ray-2",), sources={"video": CLIP}))
    assert (caught.value.kind, caught.value.field) == (Kind.UNSUPPORTED, "video")


def test_references_keep_their_weights():
    asked = order(
        Operation.IMAGE_TO_IMAGE,
        Role.IMAGE,
        Role.REFERENCE,
        model="photon-1",
        extra={"reference_weights": [0.5], "image_weight": 0.2, "outputFormat": "png"},
    )
    path, body = said(asked)
    assert path == "/dream-machine/v1/generations/image"
    assert body == {
        "model": "photon-1", "prompt": "a paper boat", "format": "png",
        "image_ref": [{"url": PICTURE, "weight": 0.5}], "modify_image_ref": {"url": PICTURE, "weight": 0.2},
    }  # fmt: skip


def test_restyling_says_its_type():
    path, body = said(order(Operation.VIDEO_TO_VIDEO, Role.VIDEO, extra={"mode": "flex_1"}))
    assert path == "/dream-machine/v1/generations/video/modify"
    assert body == {
        "generation_type": "modify_video", "model": "ray-2", "prompt": "a paper boat", "media": {"url": PICTURE},
        "mode": "flex_1",
    }  # fmt: skip


def polled(**changes: Any) -> Update:
    update, request = talk(BACK.poll(HANDLE), json_response(GENERATION | changes))
    assert (request.method, request.path) == ("GET", f"/dream-machine/v1/generations/{ID}")
    return update


def test_the_vendors_states_are_read():
    assert polled().state is State.QUEUED
    assert polled(state="dreaming").state is State.RUNNING
    done = polled(state="completed", assets={"video": CLIP, "image": PICTURE, "progress_video": None})
    assert (done.state, done.links) == (State.SUCCEEDED, (CLIP,))
    assert polled(state="completed", assets={"video": None, "image": PICTURE}).links == (PICTURE,)
    failed = polled(state="failed", failure_reason="400: failed to moderate image")
    assert failed.failure
    assert (failed.state, "failed to moderate image" in failed.failure.message) == (State.FAILED, True)


def test_a_state_that_nobody_documents_is_a_problem():
    answer = json_response(GENERATION | {"state": "pondering"})
    assert "pondering" in problem(BACK.poll(HANDLE), answer).message


@pytest.mark.parametrize(
    ("status", "detail", "kind", "words"),
    [
        (400, "400: concepts are not supported for this model", Kind.INVALID, "concepts are not supported"),
        (401, "Invalid API key is provided", Kind.UNAUTHENTICATED, "Invalid API key"),
        (403, "Invalid API key is provided", Kind.FORBIDDEN, "Invalid API key"),
        (402, "Insufficient credits", Kind.QUOTA_EXCEEDED, "credits"),
        (404, "Generation not found", Kind.NOT_FOUND, "not found"),
        (429, "Too many requests", Kind.RATE_LIMITED, "Too many"),
        (
            422,
            [{"type": "enum", "loc": ["body", "model"], "msg": "Input should be 'ray-2'", "input": "ray-9"}],
            Kind.INVALID,
            "model: Input should be 'ray-2'",
        ),
    ],
)
def test_both_shapes_of_an_error_are_read(status: int, detail: Any, kind: Kind, words: str) -> None:
    told = problem(BACK.submit(order(T2V)), json_response({"detail": detail}, status))
    assert told.kind is kind
    assert words in told.message


def test_what_is_not_wanted_any_more_is_deleted():
    assert BACK.cancel
    stopped, request = talk(BACK.cancel(HANDLE), HttpResponse(status=204))
    assert (stopped, request.method, request.path) == (True, "DELETE", f"/dream-machine/v1/generations/{ID}")


def test_our_address_for_news_goes_along():
    asked = order(T2V)
    _, body = said(
        VendorRequest(generation=asked.generation, names=asked.names, callback="https://us.example/callbacks/token")
    )
    assert body["callback_url"] == "https://us.example/callbacks/token"


def test_a_lost_submission_is_looked_for_in_every_page_by_model_time_and_address():
    def listed(number: int, created: str, model: str = "ray-2", **echo: str) -> dict[str, Any]:
        id = f"00000000-0000-4000-8000-{number:012d}"
        return GENERATION | {"id": id, "created_at": created, "request": {"model": model} | echo}

    assert BACK.find
    news = "https://us.example/callbacks/token"
    asked = order(T2V)
    asked = VendorRequest(generation=asked.generation, names=asked.names, callback=news)
    noon = 1767268800.0
    full = [listed(number, "2026-01-01T12:00:05Z", "ray-flash-2") for number in range(98)]
    full += [listed(98, "2026-01-01T12:00:04Z", callback_url=news), listed(99, "2026-01-01T12:00:03Z")]
    rest = [
        listed(100, "2026-01-01T12:00:02Z", callback_url="https://us.example/callbacks/another"),
        listed(101, "2026-01-01T12:00:01.000Z", callback_url=news),
        listed(102, "2026-01-01T08:00:00Z", callback_url=news),
    ]
    looking = BACK.find(asked, noon)
    first = next(looking)
    assert (first.path, first.query) == ("/dream-machine/v1/generations", {"limit": "100", "offset": "0"})
    assert looking.send(json_response({"generations": full})).query["offset"] == "100"
    with pytest.raises(StopIteration) as end:
        looking.send(json_response({"generations": rest, "count": 3}))
    assert [int(handle["id"][-3:]) for handle in end.value.value] == [98, 99, 101]


def test_a_list_that_cannot_be_read_is_not_an_empty_one():
    assert BACK.find
    assert problem(BACK.find(order(T2V), 0.0), json_response({"detail": "no"}, 500)).kind is Kind.UPSTREAM_FAILED
    assert problem(BACK.find(order(T2V), 0.0), json_response({"items": []})).kind is Kind.UPSTREAM_FAILED
