"""Runway's API as relays serve it: both published pages as they stand, and the union of their bounds."""

import json
from typing import Any

import msgspec
import pytest
from pydantic import TypeAdapter
from runwayml.types import TaskRetrieveResponse

from mutoscope.model.http import HttpRequest
from mutoscope.model.job import Failure, Generation, Job, Operation, Output, Role, State
from mutoscope.model.problem import Kind, Problem
from mutoscope.wires.runway import reseller as relay
from mutoscope.wires.runway.tasks import STATUSES

ROUTES: dict[str, Any] = {route.at: route for route in relay.WIRE.routes}
render_job, render_removed = (ROUTES[f"{method} /runwayml/v1/tasks/{{id}}"].render for method in ("GET", "DELETE"))
CREATE = "POST /runwayml/v1/image_to_video"
IMG = "https://a.example/cat.png"
PIXEL = "data:image/png;base64,iVBORw0KGgoA"

FIRST_PAGE = b"""{
  "promptImage": "https://cdn.britannica.com/70/234870-050-D4D024BB/Orange-colored-cat-yawns-displaying-teeth.jpg",
  "seed": 999999999,
  "model": "gen3a_turbo",
  "promptText": "string",
  "watermark": false,
  "duration": 5,
  "ratio": "16:9"
}"""
SECOND_PAGE = b"""{
"promptImage": "https://www.bt.cn/bbs/template/qiao/style/image/btlogo.png",
"model": "gen4_turbo",
"promptText": "cat dance",
"watermark": false,
"duration": 5,
"ratio": "1280:768"
}"""
PUBLIC_ID = "4665a07c-7641-4809-a133-10786201bb56"


def request(at: str, body: bytes = b"") -> HttpRequest:
    method, path = at.split(" ")
    return HttpRequest(method=method, path=path, body=body)


def ask(at: str, body: bytes) -> Generation:
    parse = ROUTES[at].parse
    assert parse is not None
    return parse(request(at, body)).generation


def parse(body: Any) -> Generation:
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    return ask(CREATE, sent)


def refusal(body: Any) -> dict[str, Any]:
    with pytest.raises(Problem) as caught:
        parse(body)
    response = relay.render_problem(caught.value, request(CREATE))
    assert response.status == 400
    return json.loads(response.body)


def a_job(**changes: Any) -> Job:
    values: dict[str, Any] = {
        "id": "4665a07c-7641-7809-a133-10786201bb56",
        "wire": "runway_relay",
        "route": "image_to_video",
        "owner": "",
        "generation": Generation(operation=Operation.IMAGE_TO_VIDEO, model="gen4_turbo", prompt="cat dance"),
        "engine": "studio",
        "created": 1767607200.12,
        "estimate": 25.0,
    }
    return Job(**(values | changes))


# ---- asking


def test_the_first_page_is_read_as_it_stands():
    read = parse(FIRST_PAGE)
    assert (read.model, read.prompt, read.seed, read.seconds) == ("gen3a_turbo", "string", 999999999, 5.0)
    assert (read.width, read.height, read.watermark, read.extra) == (1280, 768, False, {})
    (image,) = read.inputs
    assert (image.role, image.field, image.url) == (
        Role.FIRST_FRAME,
        "promptImage",
        "https://cdn.britannica.com/70/234870-050-D4D024BB/Orange-colored-cat-yawns-displaying-teeth.jpg",
    )


def test_the_second_page_is_read_as_it_stands():
    read = parse(SECOND_PAGE)
    assert (read.model, read.prompt, read.seed, read.seconds) == ("gen4_turbo", "cat dance", None, 5.0)
    assert (read.width, read.height, read.watermark) == (1280, 768, False)


@pytest.mark.parametrize(
    "body", [b'{"promptImage":"%s"}', b' {\n "promptImage" : "%s" }', b'{"promptImage":"%s","seed":1}']
)
def test_only_an_image_is_required(body: bytes):
    read = parse(body % IMG.encode())
    assert read.model == "gen3a_turbo"
    assert (read.prompt, read.width, read.seconds, read.watermark) == (None, None, None, None)
    assert read.inputs[0].url == IMG


def test_a_body_without_an_image_is_refused_by_name():
    assert [issue["path"] for issue in refusal({})["issues"]] == [["promptImage"]]
    assert [issue["path"] for issue in refusal({"model": "gen4_turbo"})["issues"]] == [["promptImage"]]


@pytest.mark.parametrize(
    ("model", "ratio", "size"),
    [
        ("gen3a_turbo", "16:9", (1280, 768)),
        ("gen3a_turbo", "9:16", (768, 1280)),
        ("gen3a_turbo", "1280:768", (1280, 768)),
        ("gen3a_turbo", "768:1280", (768, 1280)),
        ("gen4_turbo", "16:9", (1280, 720)),
        ("gen4_turbo", "9:16", (720, 1280)),
        ("gen4_turbo", "1280:768", (1280, 768)),
        ("gen4_turbo", "768:1280", (768, 1280)),
        ("gen4_turbo", "960:960", (960, 960)),
        ("gen4_turbo", "1584:672", (1584, 672)),
    ],
)
def test_a_ratio_is_pixels_or_a_shape_of_the_model(model: str, ratio: str, size: tuple[int, int]):
    read = parse({"model": model, "promptImage": IMG, "ratio": ratio})
    assert (read.width, read.height) == size
    assert "ratio" not in read.extra


@pytest.mark.parametrize(
    ("model", "member", "inside", "outside"),
    [
        ("gen3a_turbo", "promptText", ["", "x" * 1000, "🙂" * 500], ["x" * 1001, "🙂" * 501]),
        ("gen4_turbo", "promptText", ["", "x" * 1000], ["x" * 1001]),
        ("gen3a_turbo", "seed", [0, 4294967295], [-1, 4294967296]),
        ("gen4_turbo", "seed", [0, 4294967295], [-1, 4294967296]),
        ("gen3a_turbo", "duration", [5, 10], [4, 6, 11]),
        ("gen4_turbo", "duration", [2, 5, 10], [1, 11]),
        ("gen3a_turbo", "ratio", [], ["1280:720", "4:3"]),
        ("gen4_turbo", "ratio", [], ["1920:1080", "1:1"]),
        ("gen3a_turbo", "watermark", [True, False], ["yes", 1, None]),
        ("gen4_turbo", "watermark", [True, False], ["yes", 1, None]),
    ],
)
def test_a_member_is_taken_within_the_union_of_both_pages(
    model: str, member: str, inside: list[Any], outside: list[Any]
):
    names = {"promptText": "prompt", "duration": "seconds"}
    for value in inside:
        read = parse({"model": model, "promptImage": IMG, member: value})
        assert getattr(read, names.get(member, member)) == value
    for value in outside:
        (issue,) = refusal({"model": model, "promptImage": IMG, member: value})["issues"]
        assert issue["path"] == [member]


@pytest.mark.parametrize(
    ("frames", "roles"),
    [
        (PIXEL, [Role.FIRST_FRAME]),
        ([IMG], [Role.FIRST_FRAME]),
        ([IMG, PIXEL], [Role.FIRST_FRAME, Role.LAST_FRAME]),
        ([{"uri": IMG, "position": "last"}, PIXEL], [Role.LAST_FRAME, Role.FIRST_FRAME]),
        ([{"uri": IMG}, {"uri": IMG}], [Role.FIRST_FRAME, Role.LAST_FRAME]),
        ([{"uri": IMG, "position": "last"}], [Role.LAST_FRAME]),
        ("runway://0198-abc", [Role.FIRST_FRAME]),
        ("http://a.example/cat.png", [Role.FIRST_FRAME]),
    ],
)
def test_frames_come_as_texts_or_objects(frames: Any, roles: list[Role]):
    assert [each.role for each in parse({"promptImage": frames}).inputs] == roles


def test_too_many_frames_are_refused():
    assert refusal({"promptImage": [IMG] * 3})["issues"][0]["maximum"] == 2
    assert refusal({"model": "gen4_turbo", "promptImage": [IMG] * 2})["issues"][0]["maximum"] == 1
    both_first = [{"uri": IMG, "position": "first"}] * 2
    assert refusal({"promptImage": both_first})["issues"][0]["path"] == ["promptImage", 1, "position"]


def test_other_models_take_the_official_body():
    body = {"model": "gen4.5", "promptImage": IMG, "promptText": "x", "ratio": "1280:720", "duration": 5}
    assert parse(body).model == "gen4.5"
    assert refusal(body | {"ratio": "16:9"})["issues"][0]["path"] == ["ratio"]
    assert refusal(body | {"promptText": ""})["issues"][0]["path"] == ["promptText"]


def test_an_unknown_model_is_answered_with_those_that_exist():
    (issue,) = refusal({"model": "gen2", "promptImage": IMG})["issues"]
    assert "gen3a_turbo" in issue["note"] and "gen4_turbo" in issue["note"]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"'])
def test_what_is_no_object_is_a_bad_request(body: bytes):
    assert refusal(body)["error"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("text_to_video", {"model": "gen4.5", "promptText": "x", "ratio": "1280:720", "duration": 5}),
        ("text_to_image", {"model": "gen4_image", "promptText": "x", "ratio": "1024:1024"}),
        ("video_to_video", {"model": "gen4_aleph", "videoUri": IMG, "promptText": "x", "ratio": "1280:720"}),
        ("video_upscale", {"model": "upscale_v1", "videoUri": IMG}),
        (
            "character_performance",
            {
                "model": "act_two",
                "character": {"type": "image", "uri": IMG},
                "reference": {"type": "video", "uri": IMG},
            },
        ),
        ("sound_effect", {"model": "eleven_text_to_sound_v2", "promptText": "x"}),
        (
            "text_to_speech",
            {
                "model": "eleven_multilingual_v2",
                "promptText": "x",
                "voice": {"type": "runway-preset", "presetId": "Maya"},
            },
        ),
    ],
)
def test_the_other_endpoints_take_the_official_body(path: str, body: dict[str, Any]):
    at = f"POST /runwayml/v1/{path}"
    read = ask(at, json.dumps(body).encode())
    assert (read.operation, read.model) == (Operation(path), body["model"])


def test_no_version_header_is_asked_for():
    assert relay.WIRE.precheck is None


# ---- answering


def test_a_create_is_answered_in_every_shape_that_relays_send():
    response = relay.render_created(a_job(), request(CREATE))
    answer = json.loads(response.body)
    assert answer == {
        "id": PUBLIC_ID,
        "status": "PENDING",
        "createdAt": "2026-01-05T10:00:00.120Z",
        "estimatedCost": {"credits": 25.0},
        "code": 0,
        "message": "SUCCEED",
        "request_id": f"req-{PUBLIC_ID}",
        "data": {
            "task_id": PUBLIC_ID,
            "task_status": "submitted",
            "created_at": 1767607200120,
            "updated_at": 1767607200120,
        },
        "prompt": "cat dance",
        "state": "pending",
        "queue_state": None,
        "created_at": "2026-01-05T10:00:00.120000Z",
        "batch_id": "",
        "video": None,
        "video_raw": None,
        "liked": None,
        "estimate_wait_seconds": None,
        "thumbnail": None,
        "last_frame": None,
    }
    msgspec.json.decode(response.body, type=ROUTES[CREATE].answer)


def shown(**changes: Any) -> dict[str, Any]:
    response = render_job(a_job(**changes), request("GET /runwayml/v1/tasks/x"))
    msgspec.json.decode(response.body, type=ROUTES["GET /runwayml/v1/tasks/{id}"].answer)
    task = json.loads(response.body)
    TypeAdapter(TaskRetrieveResponse).validate_python(task)
    return task


COMMON = {
    "id": PUBLIC_ID,
    "createdAt": "2026-01-05T10:00:00.120Z",
    "estimatedCost": {"credits": 25.0},
    "cost": {"credits": 0},
}


def test_a_task_has_the_official_members():
    assert shown() == {**COMMON, "status": "PENDING"}
    assert shown(throttled=True)["status"] == "THROTTLED"
    assert shown(state=State.RUNNING, progress=0.5) == {**COMMON, "status": "RUNNING", "progress": 0.5}
    output = Output(id="o", media_type="video/mp4", asset="a", url="http://gateway/files/a.mp4")
    task = shown(state=State.SUCCEEDED, outputs=(output,), cost=25.0, finished=1767607260.5)
    assert (task["status"], task["output"], task["cost"]) == ("SUCCEEDED", [output.url], {"credits": 25})
    assert task["completedAt"] == "2026-01-05T10:01:00.500Z"
    failure = Failure(kind=Kind.REFUSED, message="not today")
    task = shown(state=State.FAILED, failure=failure)
    assert (task["failure"], task["failureCode"]) == ("not today", "SAFETY.INPUT.TEXT")


@pytest.mark.parametrize("state", State)
def test_every_state_has_its_word_in_every_shape(state: State):
    answer = json.loads(relay.render_created(a_job(state=state), request(CREATE)).body)
    assert answer["status"] == STATUSES[state] == shown(state=state)["status"]
    words = {
        State.QUEUED: ("submitted", "pending"),
        State.RUNNING: ("processing", "processing"),
        State.SUCCEEDED: ("succeed", "completed"),
        State.FAILED: ("failed", "failed"),
        State.CANCELED: ("failed", "failed"),
    }
    assert (answer["data"]["task_status"], answer["state"]) == words[state]


def test_errors_are_the_official_ones_with_the_text_twice():
    answer = refusal({"promptImage": IMG, "duration": 7})
    assert answer["message"] == answer["error"] == "Validation of body failed"
    assert answer["issues"][0]["message"] == "Invalid option: expected one of 5|10"
    response = relay.render_problem(Problem(Kind.NOT_FOUND, "no"), request("GET /runwayml/v1/tasks/x"))
    assert (response.status, json.loads(response.body)) == (
        404,
        {"error": "Could not find Task", "message": "Could not find Task"},
    )
    response = relay.render_problem(Problem(Kind.RATE_LIMITED, "slow down", retry_after=3), request(CREATE))
    assert (response.status, response.headers) == (429, {"retry-after": "3"})


def test_a_removed_task_is_answered_with_nothing():
    response = render_removed(a_job(), request("DELETE /runwayml/v1/tasks/x"))
    assert (response.status, response.body) == (204, b"")
