"""The other end of the fal wire: what is sent to the vendor, and what its answers come to."""

import json
from collections.abc import Generator
from typing import Any

import pytest

from mutoscope.model.http import HttpRequest, HttpResponse
from mutoscope.model.job import Generation, Input, Operation, Role, State
from mutoscope.model.problem import Kind, Problem
from mutoscope.wirekit.back import VendorRequest
from mutoscope.wires.fal.api import WIRE

assert WIRE.back
BACK = WIRE.back
ID = "80e732af-660e-45cd-bd63-580e4f2a94cc"
KLING = "fal-ai/kling-video/v2.1/master/image-to-video"
HANDLE = {"id": ID, "at": KLING}
FRAME = Input(role=Role.FIRST_FRAME, field="image", url="https://files.example/a.png")


def order(word: str, operation: Operation, *inputs: Input, **wishes: Any) -> VendorRequest:
    wish = Generation(operation=operation, model=word, inputs=inputs, **({"prompt": "a boat"} | wishes))
    return VendorRequest(
        generation=wish, names=(word,), sources={each.field: str(each.url) for each in inputs}, reference="r"
    )


def sent(wanted: VendorRequest) -> tuple[str, Any]:
    request = next(BACK.submit(wanted))
    assert request.spends
    return request.path, json.loads(request.body)


def result_of(
    conversation: Generator[HttpRequest, HttpResponse, Any], *answers: tuple[int, Any]
) -> tuple[Any, list[str]]:
    """What a conversation comes to when it is answered so, and what it asked for."""
    request, asked = next(conversation), list[str]()
    try:
        for status, answer in answers:
            asked.append(f"{request.method} {request.path}")
            request = conversation.send(HttpResponse(status=status, body=json.dumps(answer).encode()))
    except StopIteration as end:
        return end.value, asked
    raise AssertionError(f"it asks on: {request}")


def standing(status: str, **more: Any) -> tuple[int, Any]:
    code = 200 if status == "COMPLETED" else 202
    return code, {"status": status, "request_id": ID, "logs": None, "response_url": "https://elsewhere.example/"} | more


DONE = standing("COMPLETED", metrics={"inference_time": 3.2})
STATUS = f"GET /fal-ai/kling-video/requests/{ID}/status"
RESULT = f"GET /fal-ai/kling-video/requests/{ID}"


def test_a_model_has_its_own_words() -> None:
    assert sent(order(KLING, Operation.IMAGE_TO_VIDEO, FRAME, seconds=10.0)) == (
        f"/{KLING}",
        {"prompt": "a boat", "duration": "10", "image_url": "https://files.example/a.png"},
    )
    body = sent(order("fal-ai/veo3", Operation.TEXT_TO_VIDEO, seconds=8.0, width=1280, height=720))[1]
    assert body == {"prompt": "a boat", "aspect_ratio": "16:9", "duration": "8s", "resolution": "720p"}
    body = sent(order("fal-ai/flux/schnell", Operation.TEXT_TO_IMAGE, width=1024, height=768, count=2, seed=2**63))[1]
    assert body == {"prompt": "a boat", "image_size": "landscape_4_3", "num_images": 2, "seed": 2**63}
    body = sent(order("fal-ai/flux/dev", Operation.TEXT_TO_IMAGE, width=640, height=360))[1]
    assert body["image_size"] == {"width": 640, "height": 360}


def test_a_model_that_no_row_has_is_asked_for_by_its_id() -> None:
    path, body = sent(order("someone/new/model", Operation.IMAGE_TO_VIDEO, FRAME, seconds=5.0))
    assert (path, body["image_url"], body["duration"]) == ("/someone/new/model", "https://files.example/a.png", "5")


def test_what_a_model_does_not_take_is_refused_by_our_name() -> None:
    with pytest.raises(Problem) as caught:
        BACK.check(order(KLING, Operation.IMAGE_TO_VIDEO, FRAME, seconds=7.0))
    assert (caught.value.kind, caught.value.field) == (Kind.INVALID, "seconds")


def test_a_submission_is_known_by_its_request_id() -> None:
    wanted = order(KLING, Operation.IMAGE_TO_VIDEO, FRAME)
    update, _ = result_of(BACK.submit(wanted), standing("IN_QUEUE", queue_position=0))
    assert (update.state, update.handle) == (State.QUEUED, HANDLE)


def test_what_waits_and_what_runs_is_asked_about_once() -> None:
    for status, state in (("IN_QUEUE", State.QUEUED), ("IN_PROGRESS", State.RUNNING)):
        update, asked = result_of(BACK.poll(HANDLE), standing(status))
        assert (update.state, asked) == (state, [STATUS])


@pytest.mark.parametrize(
    ("result", "links"),
    [
        ({"video": {"url": "https://v3.fal.media/a.mp4"}}, ("https://v3.fal.media/a.mp4",)),
        ({"images": [{"url": "https://h.example/1"}, {"url": "https://h.example/2"}], "seed": 2**64 - 1},
         ("https://h.example/1", "https://h.example/2")),
        ({"image": {"url": "https://h.example/1"}, "mask_image": None}, ("https://h.example/1",)),
        ({"audio": {"url": "https://h.example/1"}}, ("https://h.example/1",)),
    ],
)  # fmt: skip
def test_a_result_is_fetched_when_it_is_there(result: Any, links: tuple[str, ...]) -> None:
    update, asked = result_of(BACK.poll(HANDLE), DONE, (200, result))
    assert (update.state, update.links, asked) == (State.SUCCEEDED, links, [STATUS, RESULT])


def test_a_result_may_be_words() -> None:
    update, _ = result_of(BACK.poll(HANDLE), DONE, (200, {"text": "hello", "chunks": []}))
    assert (update.state, update.texts) == (State.SUCCEEDED, ("hello",))


@pytest.mark.parametrize(
    ("status", "answer", "kind"),
    [
        (422, {"detail": [{"loc": ["body", "prompt"], "msg": "no", "type": "content_policy_violation"}]}, Kind.REFUSED),
        (422, {"detail": [{"loc": ["body", "image_url"], "msg": "no", "type": "file_download_error"}]},
         Kind.UNREACHABLE_MEDIA),
        (504, {"detail": "no", "error_type": "request_timeout"}, Kind.TIMED_OUT),
        (500, {"detail": "no", "error_type": "runner_server_error"}, Kind.UPSTREAM_FAILED),
        (500, "no JSON object", Kind.UPSTREAM_FAILED),
    ],
)  # fmt: skip
def test_a_result_that_is_an_error_is_a_failure(status: int, answer: Any, kind: Kind) -> None:
    update, _ = result_of(BACK.poll(HANDLE), DONE, (status, answer))
    assert (update.state, update.failure.kind) == (State.FAILED, kind)


def test_a_request_that_was_canceled_there_is_canceled() -> None:
    update, _ = result_of(BACK.poll(HANDLE), DONE, (499, {"detail": "x", "error_type": "client_cancelled"}))
    assert update.state is State.CANCELED


@pytest.mark.parametrize(
    ("status", "kind"), [(429, Kind.RATE_LIMITED), (404, Kind.NOT_FOUND), (401, Kind.UNAUTHENTICATED)]
)
def test_trouble_while_the_result_is_read_is_no_failure_of_the_job(status: int, kind: Kind) -> None:
    with pytest.raises(Problem) as caught:
        result_of(BACK.poll(HANDLE), DONE, (status, {"detail": "no"}))
    assert caught.value.kind is kind


def test_a_status_that_the_vendor_does_not_document_is_a_problem() -> None:
    with pytest.raises(Problem, match="'FAILED', which it does not document"):
        result_of(BACK.poll(HANDLE), standing("FAILED"))


def test_a_cancel_names_the_app_alone() -> None:
    stopped, asked = (
        result_of(BACK.cancel(HANDLE), (202, {"status": "CANCELLATION_REQUESTED"})) if BACK.cancel else (0, [])
    )
    assert (stopped, asked) == (True, [f"PUT /fal-ai/kling-video/requests/{ID}/cancel"])
