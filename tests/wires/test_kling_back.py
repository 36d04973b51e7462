"""Kling behind: what is asked of it, by a pair of keys or a plain one, and how its answers are read."""

import base64
import json
from typing import Any

import pytest
from msgspec.structs import replace

from mutoscope.model import catalog
from mutoscope.model.http import HttpRequest, HttpResponse
from mutoscope.model.job import Generation, Input, Operation, Role, State, Update
from mutoscope.model.problem import Kind, Problem
from mutoscope.wirekit.back import Back, VendorRequest
from mutoscope.wirekit.jwt import made
from mutoscope.wires import ROWS
from mutoscope.wires.kling.later import WIRE

LINK = "https://files.example/a.png"
REFERENCE = "01890a5d-ac96-774b-bcce-b302099a8057"


def back() -> Back:
    assert WIRE.back
    return WIRE.back


def order(model: str, operation: Operation, *inputs: Input, **wishes: Any) -> VendorRequest:
    row = next(row for row in ROWS if row.name == model)
    wish = catalog.complete(Generation(operation=operation, model=model, inputs=inputs, **wishes), row, remote=True)
    return VendorRequest(
        generation=wish,
        names=row.names["kling"],
        sources={each.field: each.url or "" for each in inputs},
        callback="https://us.example/callbacks/token",
        reference=REFERENCE,
    )


def asked(order: VendorRequest) -> tuple[str, dict[str, Any]]:
    back().check(order)
    request = next(back().submit(order))
    assert request.spends
    return request.path, json.loads(request.body)


def update_of(body: Any, status: int = 200, *, at: str = "videos/text2video") -> Update:
    conversation = back().poll({"id": "867283741759111202", "at": at})
    next(conversation)
    with pytest.raises(StopIteration) as end:
        conversation.send(HttpResponse(status=status, body=json.dumps(body).encode()))
    return end.value.value


def image(role: Role = Role.FIRST_FRAME) -> Input:
    return Input(role=role, field=role.value, url=LINK)


def test_a_pair_signs_and_a_plain_key_is_sent_as_it_is():
    for text in ("ak-demo:sk-demo", "ak-demo|sk-demo"):
        token = made("ak-demo", "sk-demo", now=1767225600)
        assert back().sign(text, 1767225600.9) == {"authorization": f"Bearer {token}"}
    assert back().sign("sk-plain", 0) == {"authorization": "Bearer sk-plain"}


def test_a_video_is_asked_for_in_the_vendors_words():
    wish = order(
        "kling-v1-6", Operation.TEXT_TO_VIDEO, prompt="a boat", resolution="1080p", seconds=10, extra={"ratio": "9:16"}
    )
    path, body = asked(wish)
    assert path == "/v1/videos/text2video"
    assert body == {
        "model_name": "kling-v1-6",
        "prompt": "a boat",
        "mode": "pro",
        "duration": "10",
        "aspect_ratio": "9:16",
        "callback_url": "https://us.example/callbacks/token",
        "external_task_id": REFERENCE,
    }


SIZES = [(1280, 720, "std", "16:9"), (1080, 1920, "pro", "9:16"), (960, 960, "std", "1:1")]


@pytest.mark.parametrize(("width", "height", "mode", "ratio"), SIZES)
def test_a_size_is_said_as_a_mode_and_a_shape(width: int, height: int, mode: str, ratio: str) -> None:
    _, body = asked(order("kling-v2-1", Operation.TEXT_TO_VIDEO, prompt="x", width=width, height=height))
    assert (body["mode"], body["aspect_ratio"]) == (mode, ratio)


def test_files_travel_as_links_and_as_base64_without_its_head():
    wish = order("kling-v2-1", Operation.IMAGE_TO_VIDEO, image(), image(Role.LAST_FRAME))
    data = base64.b64encode(b"x" * 30).decode()
    path, body = asked(replace(wish, sources=wish.sources | {"last_frame": f"data:image/png;base64,{data}"}))
    assert (path, body["image"], body["image_tail"]) == ("/v1/videos/image2video", LINK, data)


@pytest.mark.parametrize(
    ("model", "operation", "inputs", "path", "member"),
    [
        ("kling-v2-image", Operation.TEXT_TO_IMAGE, (), "/v1/images/generations", {"model_name": "kling-v2"}),
        ("kling-v1-image", Operation.IMAGE_TO_IMAGE, (Role.IMAGE,), "/v1/images/generations", {"image": LINK}),
        (
            "kling-v1-6-multi",
            Operation.IMAGE_TO_VIDEO,
            (Role.REFERENCE,),
            "/v1/videos/multi-image2video",
            {"model_name": "kling-v1-6", "image_list": [{"image": LINK}]},
        ),
        (
            "kling-lip-sync",
            Operation.LIP_SYNC,
            (Role.VIDEO, Role.AUDIO),
            "/v1/videos/lip-sync",
            {"input": {"mode": "audio2video", "audio_type": "url", "video_url": LINK, "audio_url": LINK}},
        ),
        (
            "kolors-virtual-try-on-v1-5",
            Operation.VIRTUAL_TRY_ON,
            (Role.IMAGE, Role.REFERENCE),
            "/v1/images/kolors-virtual-try-on",
            {"human_image": LINK, "cloth_image": LINK, "model_name": "kolors-virtual-try-on-v1-5"},
        ),
        (
            "kling-3.0-turbo",
            Operation.IMAGE_TO_VIDEO,
            (Role.FIRST_FRAME, Role.LAST_FRAME),
            "/image-to-video/kling-3.0-turbo",
            {"contents": [{"type": "first_frame", "url": LINK}, {"type": "last_frame", "url": LINK}]},
        ),
        (
            "kling-v2-6",
            Operation.CHARACTER_PERFORMANCE,
            (Role.CHARACTER, Role.REFERENCE_VIDEO),
            "/motion-control/kling-2.6",
            {"contents": [{"type": "image", "url": LINK}, {"type": "video", "url": LINK}]},
        ),
    ],
)
def test_each_thing_is_asked_for_at_its_path(
    model: str, operation: Operation, inputs: tuple[Role, ...], path: str, member: dict[str, Any]
) -> None:
    prompt = "x" if operation in (Operation.TEXT_TO_IMAGE, Operation.IMAGE_TO_IMAGE) else None
    there, body = asked(order(model, operation, *map(image, inputs), prompt=prompt))
    assert there == path
    assert {name: body[name] for name in member} == member
    options = body if path.startswith("/v1/") else body["options"]
    assert options["external_task_id"] == REFERENCE


@pytest.mark.parametrize(
    ("model", "wishes", "field"),
    [
        ("kling-v2-1", {"seconds": 7.0}, "seconds"),
        ("kling-v2-1", {"seconds": 4.5}, "seconds"),
        ("kling-v2-1", {"width": 720, "height": 544}, "resolution"),
        ("kling-v2-1", {"extra": {"ratio": "4:3"}, "resolution": "720p"}, "ratio"),
    ],
)
def test_what_cannot_be_said_is_refused_before_it_costs(model: str, wishes: dict[str, Any], field: str) -> None:
    with pytest.raises(Problem) as caught:
        back().check(order(model, Operation.TEXT_TO_VIDEO, prompt="x", **wishes))
    assert caught.value.kind is Kind.INVALID
    assert caught.value.field in (field, "width")


def test_an_extension_names_the_video_that_its_task_tells():
    earlier = Input(role=Role.VIDEO, field="video", url=LINK, output_of="ours")
    wish = order("kling-v1-6", Operation.VIDEO_EXTENSION, earlier, extra={"added_seconds": 5.0})
    wish = replace(wish, earlier={"ours": {"id": "867283741759111202", "at": "videos/text2video"}})
    back().check(wish)
    conversation = back().submit(wish)
    read = next(conversation)
    assert (read.method, read.path) == ("GET", "/v1/videos/text2video/867283741759111202")
    task = {"task_status": "succeed", "task_result": {"videos": [{"id": "v-1", "url": LINK}]}}
    paid = conversation.send(HttpResponse(body=json.dumps({"code": 0, "data": task}).encode()))
    assert (paid.path, paid.spends) == ("/v1/videos/video-extend", True)
    assert json.loads(paid.body)["video_id"] == "v-1"


def test_an_extension_by_more_than_the_vendor_adds_is_refused():
    earlier = Input(role=Role.VIDEO, field="video", output_of="ours")
    wish = order("kling-v1-6", Operation.VIDEO_EXTENSION, earlier, extra={"added_seconds": 8.0})
    with pytest.raises(Problem) as caught:
        back().check(replace(wish, earlier={"ours": {"id": "1", "at": "videos/text2video"}}))
    assert caught.value.field == "added_seconds"


# -- answers, as the specification shows them -------------------------------------------------

TASK = {"task_id": "867283741759111202", "task_info": {}, "created_at": 1774805076166, "updated_at": 1774805190000}


def envelope(**data: Any) -> dict[str, Any]:
    return {"code": 0, "message": "SUCCEED", "request_id": "r-2", "data": TASK | data}


def test_the_vendors_answers_are_read():
    assert update_of(envelope(task_status="submitted")).state is State.QUEUED
    empty = {"images": [], "videos": None}
    assert update_of(envelope(task_status="processing", task_result=empty)).state is State.RUNNING
    videos = [
        {"id": "v-1", "url": "https://h.example/a.mp4", "watermark_url": "https://h.example/w.mp4", "duration": "5.1"}
    ]
    done = update_of(envelope(task_status="succeed", task_result={"videos": videos}, final_unit_deduction="3"))
    assert (done.state, done.links, done.cost) == (State.SUCCEEDED, ("https://h.example/a.mp4",), 42)
    pictures = [{"index": 0, "url": "https://h.example/a.png"}, {"index": 1, "url": "https://h.example/b.png"}]
    done = update_of(envelope(task_status="succeed", task_result={"images": pictures}))
    assert done.links == ("https://h.example/a.png", "https://h.example/b.png")
    failed = update_of(envelope(task_status="failed", task_result={}, task_status_msg="Image pixel is invalid"))
    assert failed.failure and "Image pixel is invalid" in failed.failure.message


def test_the_newer_answers_are_read():
    task = {
        "id": "867283741759111202",
        "status": "succeeded",
        "message": "",
        "create_time": 1781080778802,
        "update_time": 1781080794151,
        "external_id": "order-17",
        "outputs": [{"type": "video", "id": "v-9", "url": "https://h.example/a.mp4", "duration": "10"}],
        "billing": [{"charge_type": "unit", "amount": "6", "package_type": "video"}],
    }
    answer = {"code": 0, "message": "SUCCEED", "request_id": "r-4"}
    done = update_of(answer | {"data": [task]}, at="text-to-video/kling-3.0-turbo")
    assert (done.state, done.links, done.cost) == (State.SUCCEEDED, ("https://h.example/a.mp4",), 84)
    with pytest.raises(Problem) as caught:
        update_of(answer | {"data": []}, at="text-to-video/kling-3.0-turbo")
    assert caught.value.kind is Kind.NOT_FOUND


@pytest.mark.parametrize(
    ("status", "code", "kind", "again"),
    [
        (401, 1004, Kind.UNAUTHENTICATED, False),
        (429, 1101, Kind.QUOTA_EXCEEDED, False),
        (429, 1102, Kind.QUOTA_EXCEEDED, False),
        (403, 1103, Kind.FORBIDDEN, False),
        (400, 1201, Kind.INVALID, False),
        (400, 1301, Kind.REFUSED, False),
        (429, 1302, Kind.RATE_LIMITED, True),
        (429, 1303, Kind.RATE_LIMITED, True),
        (429, 1304, Kind.FORBIDDEN, False),
        (503, 5001, Kind.UNAVAILABLE, True),
    ],
)
def test_a_code_says_what_its_status_does_not(status: int, code: int, kind: Kind, again: bool) -> None:
    conversation = back().submit(order("kling-v2-1", Operation.TEXT_TO_VIDEO, prompt="x"))
    next(conversation)
    body = {"code": code, "message": "parallel task over resource pack limit", "request_id": "9984d27b"}
    with pytest.raises(Problem) as caught:
        conversation.send(HttpResponse(status=status, body=json.dumps(body).encode()))
    assert caught.value.kind is kind
    assert "parallel task over resource pack limit" in caught.value.message
    assert (status in back().unsent and kind not in back().final) == again


def test_a_callback_is_the_bare_task():
    read = back().read_callback
    assert read
    older = order("kling-v2-1", Operation.TEXT_TO_VIDEO, prompt="x")
    newer = order("kling-3.0-turbo", Operation.TEXT_TO_VIDEO, prompt="x")
    for each, member, at in (
        (older, "task_id", "videos/text2video"),
        (newer, "id", "text-to-video/kling-3.0-turbo"),
    ):
        body = json.dumps({member: "8672"}).encode()
        request = HttpRequest(method="POST", path="/callbacks/token", body=body)
        assert read(each, request) == {"id": "8672", "at": at}
