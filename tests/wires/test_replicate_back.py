"""The other end of the Replicate wire: what is sent to the vendor, and what its answers come to."""

import json
from collections.abc import Generator
from typing import Any

import pytest
from msgspec.structs import replace

from mutoscope.model.http import HttpRequest, HttpResponse
from mutoscope.model.job import Generation, Input, Operation, Role, State
from mutoscope.model.problem import Kind, Problem
from mutoscope.wirekit.back import File, VendorRequest, Way
from mutoscope.wires.replicate import models
from mutoscope.wires.replicate.api import WIRE

assert WIRE.back
BACK = WIRE.back
SCHNELL, I2V, SDXL = "black-forest-labs/flux-schnell", "wan-video/wan-2.2-i2v-fast", "stability-ai/sdxl"
ID = "gm3qorzdhgbfurvjtvhg6dckhu"
HANDLE = {"id": ID, "at": f"models/{SCHNELL}/predictions"}
FRAME = Input(role=Role.FIRST_FRAME, field="image", url="https://files.example/a.png")


def order(word: str, operation: Operation, *inputs: Input, **wishes: Any) -> VendorRequest:
    known = models.BY_WORD.get(word)
    names = (*known.versions, word) if known else (word,)
    wish = Generation(operation=operation, model=word, inputs=inputs, **({"prompt": "a boat"} | wishes))
    return VendorRequest(
        generation=wish, names=names, sources={each.field: str(each.url) for each in inputs}, reference="r"
    )


def boat(**wishes: Any) -> VendorRequest:
    return order(SCHNELL, Operation.TEXT_TO_IMAGE, **wishes)


def first(conversation: Generator[HttpRequest, HttpResponse, Any]) -> HttpRequest:
    return next(conversation)


def sent(wanted: VendorRequest) -> tuple[str, Any]:
    request = first(BACK.submit(wanted))
    assert request.spends
    return request.path, json.loads(request.body)


def result_of(conversation: Generator[HttpRequest, HttpResponse, Any], *answers: Any, status: int = 200) -> Any:
    """What a conversation comes to when it is answered so."""
    request = next(conversation)
    try:
        for answer in answers:
            request = conversation.send(HttpResponse(status=status, body=json.dumps(answer).encode()))
    except StopIteration as end:
        return end.value
    raise AssertionError(f"it asks on: {request}")


def prediction(status: str, **more: Any) -> dict[str, Any]:
    """As the vendor's cassettes have it."""
    here = f"https://api.replicate.com/v1/predictions/{ID}"
    return {
        "id": ID,
        "model": SCHNELL,
        "version": "hidden",
        "input": {"prompt": "a boat"},
        "logs": "",
        "output": None,
        "data_removed": False,
        "error": None,
        "status": status,
        "created_at": "2026-01-01T12:00:00.123456789Z",
        "urls": {"cancel": f"{here}/cancel", "get": here},
    } | more


# -- what is sent ----------------------------------------------------------------------


def test_a_model_of_the_vendors_own_is_asked_for_by_its_name() -> None:
    path, body = sent(boat(width=1344, height=768, count=2, seed=7))
    assert path == f"/v1/models/{SCHNELL}/predictions"
    assert body == {"input": {"prompt": "a boat", "aspect_ratio": "16:9", "num_outputs": 2, "seed": 7}}


def test_anybody_elses_is_asked_for_by_its_version() -> None:
    path, body = sent(order(SDXL, Operation.TEXT_TO_IMAGE, width=512, height=768, negative_prompt="rain"))
    assert path == "/v1/predictions"
    assert body["version"] == models.SDXL[0]
    assert body["input"] == {"prompt": "a boat", "negative_prompt": "rain", "width": 512, "height": 768}


def test_no_wait_is_asked_for_and_the_callback_goes_along() -> None:
    wanted = boat()
    request = first(
        BACK.submit(VendorRequest(generation=wanted.generation, names=wanted.names, callback="https://us/c/t"))
    )
    assert "prefer" not in request.headers
    assert json.loads(request.body)["webhook"] == "https://us/c/t"


@pytest.mark.parametrize(
    ("word", "wishes", "input"),
    [
        (I2V, {"resolution": "480p", "seconds": 5.0}, {"num_frames": 81, "resolution": "480p"}),
        (I2V, {"seconds": 5.0, "fps": 24}, {"num_frames": 121, "frames_per_second": 24}),
        ("bytedance/seedance-1-lite", {"width": 1280, "height": 720, "seconds": 5.0},
         {"aspect_ratio": "16:9", "resolution": "720p", "duration": 5}),
        ("minimax/video-01", {"extra": {"prompt_optimizer": False}}, {"prompt_optimizer": False}),
    ],
)  # fmt: skip
def test_a_wish_is_said_in_the_models_own_members(word: str, wishes: Any, input: Any) -> None:
    _, body = sent(order(word, Operation.IMAGE_TO_VIDEO, FRAME, **wishes))
    name = {"minimax/video-01": "first_frame_image"}.get(word, "image")
    assert body["input"] == {"prompt": "a boat", name: FRAME.url} | input


@pytest.mark.parametrize(
    ("wishes", "field"),
    [({"seconds": 60.0}, "seconds"), ({"width": 1000, "height": 10}, "ratio"), ({"resolution": "4k"}, "resolution")],
)
def test_what_a_model_does_not_make_is_refused_by_our_name_before_it_is_sent(wishes: Any, field: str) -> None:
    word = "bytedance/seedance-1-lite"
    with pytest.raises(Problem) as caught:
        BACK.check(order(word, Operation.TEXT_TO_VIDEO, **wishes))
    assert caught.value.kind is Kind.INVALID
    assert caught.value.field in (field, "width")


def test_a_model_that_is_not_known_gets_its_own_members_back() -> None:
    wanted = order(
        "somebody/paints",
        Operation.TEXT_TO_IMAGE,
        wire="replicate",
        unread={"input.lora_scale": 1},
        width=512,
        height=512,
    )
    path, body = sent(wanted)
    assert (path, body["version"]) == ("/v1/predictions", "somebody/paints")
    assert (body["input"]["lora_scale"], body["input"]["width"]) == (1, 512)


@pytest.mark.parametrize("name", ["no such model", "a/../b", "x", "a/b?c", "a b/c"])
def test_a_name_that_could_be_another_path_is_never_sent(name: str) -> None:
    assert BACK.supports(Operation.TEXT_TO_IMAGE, (name,)) is None


def test_a_file_is_sent_ahead_and_named_by_its_link() -> None:
    conversation = BACK.upload(File(name="cat.png", media_type="image/png", data=b"bytes")) if BACK.upload else None
    assert conversation
    request = next(conversation)
    assert (request.method, request.path, request.spends) == ("POST", "/v1/files", False)
    assert b'name="content"; filename="cat.png"' in request.body
    link = "https://api.replicate.com/v1/files/NGZi"
    with pytest.raises(StopIteration) as end:
        conversation.send(HttpResponse(status=201, body=json.dumps({"id": "NGZi", "urls": {"get": link}}).encode()))
    assert end.value.value == link
    ways = [each.way for each in BACK.ways(order(I2V, Operation.IMAGE_TO_VIDEO, FRAME), FRAME)]
    assert ways == [Way.LINK, Way.UPLOAD, Way.DATA]


# -- what comes back ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "state", "links", "texts"),
    [
        (prediction("starting"), State.QUEUED, (), ()),
        (prediction("processing"), State.RUNNING, (), ()),
        (prediction("succeeded", output="https://replicate.delivery/a.png"), State.SUCCEEDED,
         ("https://replicate.delivery/a.png",), ()),
        (prediction("succeeded", output=["https://d/a.png", "https://d/b.png"]), State.SUCCEEDED,
         ("https://d/a.png", "https://d/b.png"), ()),
        (prediction("canceled"), State.CANCELED, (), ()),
        (prediction("aborted"), State.CANCELED, (), ()),
    ],
)  # fmt: skip
def test_news_is_read(answer: Any, state: State, links: tuple[str, ...], texts: tuple[str, ...]) -> None:
    news = result_of(BACK.poll(HANDLE), answer)
    assert (news.state, news.links, news.texts) == (state, links, texts)
    assert news.upstream_status == answer["status"]


@pytest.mark.parametrize(("output", "texts"), [("hello Alice", ("hello Alice",)), (["hello", " A"], ("hello", " A"))])
def test_words_are_read_as_words(output: Any, texts: tuple[str, ...]) -> None:
    news = result_of(BACK.poll(HANDLE), prediction("succeeded", output=output))
    assert (news.links, news.texts) == ((), texts)


def test_a_failed_prediction_says_why() -> None:
    news = result_of(BACK.poll(HANDLE), prediction("failed", error="NSFW content detected"))
    assert news.failure.message == "Replicate could not make it: NSFW content detected"


def test_an_output_that_is_gone_is_the_vendors_failure() -> None:
    with pytest.raises(Problem, match="without a link"):
        result_of(BACK.poll(HANDLE), prediction("succeeded", output=None, data_removed=True))


@pytest.mark.parametrize(
    ("status", "body", "kind", "why"),
    [
        (401, {"title": "Unauthenticated", "detail": "You did not pass a valid authentication token"},
         Kind.UNAUTHENTICATED, "You did not pass"),
        (402, {"title": "Insufficient credit", "detail": "top up"}, Kind.QUOTA_EXCEEDED, "top up"),
        (404, {"detail": "The requested resource could not be found."}, Kind.NOT_FOUND, "could not be found"),
        (422, {"title": "Input validation failed", "detail": "- input.prompt: Required", "status": 422}, Kind.INVALID,
         "input.prompt"),
        (429, {"detail": "Request was throttled. Your rate limit resets in ~30s."}, Kind.RATE_LIMITED, "throttled"),
        (503, {}, Kind.UNAVAILABLE, "503"),
    ],
)  # fmt: skip
def test_trouble_is_read_from_the_status_and_the_detail(status: int, body: Any, kind: Kind, why: str) -> None:
    with pytest.raises(Problem) as caught:
        result_of(BACK.submit(boat()), body, status=status)
    assert caught.value.kind is kind
    assert why in caught.value.message
    assert (status in BACK.unsent) == (status == 429)  # what broke over there may have been taken


def test_a_cancel_is_a_post_without_a_body() -> None:
    assert BACK.cancel
    request = first(BACK.cancel(HANDLE))
    assert (request.method, request.path, request.body) == ("POST", f"/v1/predictions/{ID}/cancel", b"")
    assert result_of(BACK.cancel(HANDLE), prediction("canceled")) is True


# -- a lost answer -------------------------------------------------------------------------


def listed(*results: Any, following: str | None = None) -> dict[str, Any]:
    return {"previous": None, "next": following, "results": list(results)}


def test_a_lost_submission_is_looked_for_by_its_time_and_its_input() -> None:
    assert BACK.find
    request = first(BACK.find(boat(), 1_767_268_860.0))
    assert (request.path, request.query) == ("/v1/predictions", {"created_after": "2026-01-01T12:00:00.000Z"})
    others = (
        prediction("succeeded", id="a1", input={"prompt": "another"}),
        prediction("succeeded", id="a2", model=I2V),
    )
    may_be = (
        prediction("starting", id="b1", input={"prompt": "a boat", "go_fast": True}),
        prediction("starting", id="b2", model="replicate/by-another-name"),
        prediction("succeeded", id="b3", input={}, data_removed=True),
    )
    found = result_of(BACK.find(boat(), 0.0), listed(*others, *may_be))
    assert [each["id"] for each in found] == ["b1", "b2", "b3"]


def test_files_are_not_compared_because_they_are_named_otherwise_there() -> None:
    assert BACK.find
    wanted = order(I2V, Operation.IMAGE_TO_VIDEO, FRAME)
    theirs = prediction("starting", model=I2V, input={"prompt": "a boat", "image": "https://elsewhere.example/x"})
    assert len(result_of(BACK.find(wanted, 0.0), listed(theirs))) == 1


def test_every_page_is_read_at_the_accounts_own_address() -> None:
    assert BACK.find
    conversation = BACK.find(boat(), 0.0)
    next(conversation)
    page = listed(prediction("starting"), following="https://elsewhere.example/v1/predictions?cursor=abc")
    request = conversation.send(HttpResponse(body=json.dumps(page).encode()))
    assert (request.path, request.query) == ("/v1/predictions", {"cursor": "abc"})
    with pytest.raises(StopIteration) as end:
        conversation.send(HttpResponse(body=json.dumps(listed(prediction("starting", id="b2"))).encode()))
    assert [each["id"] for each in end.value.value] == [ID, "b2"]


def test_a_bound_in_frames_is_told_of_the_seconds_that_were_asked_for() -> None:
    wish = Generation(operation=Operation.TEXT_TO_VIDEO, model="any", prompt="x", seconds=10.0)
    with pytest.raises(Problem) as refused:
        BACK.check(VendorRequest(generation=wish, names=("wan-video/wan-2.2-t2v-fast",)))
    assert refused.value.field == "seconds"
    assert "seconds: 10 is num_frames = 161, which should be at most 121" in refused.value.message
    wish = replace(wish, seconds=2.0)
    with pytest.raises(Problem, match="seconds: 2 is num_frames = 33, which should be at least 81"):
        BACK.check(VendorRequest(generation=wish, names=("wan-video/wan-2.2-t2v-fast",)))
