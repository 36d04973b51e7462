"""MiniMax's API behind: its answers as the specification shows them, read as news."""

import json
from collections.abc import Generator
from typing import Any

import pytest

from mutoscope.model.http import HttpRequest, HttpResponse
from mutoscope.model.job import Generation, Input, Operation, Role, State, Update
from mutoscope.model.problem import Kind, Problem
from mutoscope.wirekit.back import VendorRequest
from mutoscope.wires.minimax.api import WIRE

GOOD = {"status_code": 0, "status_msg": "success"}
HANDLE = {"id": "106916112212032", "at": "video_generation", "part": ""}
LINK = "https://cdn.example.net/output.mp4"
BACK = WIRE.back
assert BACK


def talked(conversation: Generator[HttpRequest, HttpResponse, Any], *answers: Any) -> tuple[list[HttpRequest], Any]:
    """The requests of a conversation that is answered so, and what it comes to."""
    asked = [next(conversation)]
    for answer in answers:
        try:
            request = conversation.send(HttpResponse(body=json.dumps(answer).encode()))
        except StopIteration as end:
            return asked, end.value
        asked.append(request)
    raise AssertionError(f"more was asked: {asked[-1]}")


def polled(*answers: Any, **handle: Any) -> Update:
    assert BACK
    return talked(BACK.poll(HANDLE | handle), *answers)[1]


def query(status: str, **more: Any) -> dict[str, Any]:
    return {"task_id": HANDLE["id"], "status": status, "file_id": "", "base_resp": GOOD} | more


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("Preparing", State.QUEUED),
        ("Queueing", State.QUEUED),
        ("Processing", State.RUNNING),
        ("Fail", State.FAILED),
        ("Failed", State.FAILED),
    ],
)
def test_each_status_is_read(word: str, state: State) -> None:
    assert polled(query(word)).state is state


def test_the_link_of_a_success_is_asked_for() -> None:
    assert BACK
    file = {"file_id": 205258526306433, "bytes": 0, "filename": "output.mp4", "download_url": LINK}
    asked, update = talked(
        BACK.poll(HANDLE), query("Success", file_id="205258526306433"), {"file": file, "base_resp": GOOD}
    )
    assert [(each.path, each.query) for each in asked] == [
        ("/v1/query/video_generation", {"task_id": HANDLE["id"]}),
        ("/v1/files/retrieve", {"file_id": "205258526306433"}),
    ]
    assert (update.state, update.links) == (State.SUCCEEDED, (LINK,))


def test_the_other_link_is_taken_where_the_first_is_missing() -> None:
    file = {"file_id": 1, "download_url": "", "backup_download_url": LINK}
    assert polled(query("Success", file_id="1"), {"file": file, "base_resp": GOOD}).links == (LINK,)


def test_a_relays_envelope_is_read_with_the_file_inside() -> None:
    inner = query("Success", file_id="1", file={"download_url": LINK})
    data = {
        "task_id": HANDLE["id"],
        "action": "video_generation",
        "status": "SUCCESS",
        "fail_reason": "1",
        "data": inner,
    }
    assert polled({"code": "success", "message": "", "data": data}).links == (LINK,)


def test_a_failure_in_moderation_is_the_tasks_end_and_not_the_requests() -> None:
    update = polled(query("Fail", base_resp={"status_code": 1027, "status_msg": "output new_sensitive"}))
    assert update.state is State.FAILED
    assert update.failure and "output new_sensitive" in update.failure.message


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (1000, Kind.UPSTREAM_FAILED),
        (1001, Kind.UPSTREAM_FAILED),
        (1002, Kind.RATE_LIMITED),
        (1004, Kind.UNAUTHENTICATED),
        (1008, Kind.QUOTA_EXCEEDED),
        (1026, Kind.REFUSED),
        (1041, Kind.RATE_LIMITED),
        (2013, Kind.INVALID),
        (2049, Kind.UNAUTHENTICATED),
        (2056, Kind.QUOTA_EXCEEDED),
        (9999, Kind.UPSTREAM_FAILED),
    ],
)
def test_a_code_is_read_as_what_it_means(code: int, kind: Kind) -> None:
    assert BACK
    wish = Generation(operation=Operation.TEXT_TO_VIDEO, model="t2v-01", prompt="p", width=1280, height=720, seconds=6)
    told = {"task_id": "", "base_resp": {"status_code": code, "status_msg": "so it is"}}
    with pytest.raises(Problem, match="so it is") as caught:
        talked(BACK.submit(VendorRequest(generation=wish, names=("T2V-01",))), told)
    assert caught.value.kind is kind
    with pytest.raises(Problem) as caught:
        polled(told | {"status": ""})
    assert caught.value.kind is (Kind.NOT_FOUND if code == 2013 else kind)


@pytest.mark.parametrize("file", ["", None, "../x", "1" * 40, "12a", []])
def test_a_success_without_the_id_of_a_file_is_asked_about_again(file: Any) -> None:
    with pytest.raises(Problem) as caught:
        polled(query("Success", file_id=file))
    assert caught.value.kind is Kind.UPSTREAM_FAILED


def said(wish: Generation, name: str) -> tuple[str, dict[str, Any]]:
    assert BACK
    order = VendorRequest(generation=wish, names=(name,), sources={each.field: str(each.url) for each in wish.inputs})
    request = next(BACK.submit(order))
    return request.path, json.loads(request.body)


def test_what_is_asked_is_said_in_the_vendors_words() -> None:
    url = "https://media.example.net/a.png"
    frames = tuple(Input(role=role, field=role, url=url) for role in (Role.FIRST_FRAME, Role.LAST_FRAME))
    wish = Generation(
        operation=Operation.IMAGE_TO_VIDEO,
        model="hailuo-02",
        prompt="p",
        inputs=frames,
        resolution="768p",
        seconds=10.0,
    )
    assert said(wish, "MiniMax-Hailuo-02") == (
        "/v1/video_generation",
        {
            "model": "MiniMax-Hailuo-02",
            "prompt": "p",
            "first_frame_image": url,
            "last_frame_image": url,
            "duration": 10,
            "resolution": "768P",
        },
    )
    old = Generation(operation=Operation.TEXT_TO_VIDEO, model="t2v-01", prompt="p", width=1280, height=720, seconds=6.0)
    assert said(old, "T2V-01") == ("/v1/video_generation", {"model": "T2V-01", "prompt": "p"})
    subject = Generation(
        operation=Operation.TEXT_TO_VIDEO,
        model="s2v-01",
        prompt="p",
        inputs=(Input(role=Role.CHARACTER, field="c", url=url),),
    )
    assert said(subject, "S2V-01")[1]["subject_reference"] == [{"type": "character", "image": [url]}]


def test_the_second_version_is_told_a_list() -> None:
    url = "https://media.example.net/a.png"
    picture = Input(role=Role.REFERENCE, field="r", url=url)
    wish = Generation(
        operation=Operation.TEXT_TO_VIDEO,
        model="minimax-h3",
        prompt="p",
        inputs=(picture,),
        width=768,
        height=1366,
        seconds=5,
    )
    path, body = said(wish, "MiniMax-H3")
    assert path == "/v2/video_generation"
    assert body == {
        "model": "MiniMax-H3",
        "content": [
            {"type": "text", "text": "p"},
            {"type": "image_url", "image_url": {"url": url}, "role": "reference_image"},
        ],
        "resolution": "768P",
        "ratio": "9:16",
        "duration": 5,
    }


def test_the_second_version_is_read() -> None:
    task = {"id": HANDLE["id"], "model": "MiniMax-H3", "status": "succeeded", "content": {"url": LINK}}
    assert polled({"task": task}, part="h3").links == (LINK,)
    task = {"id": HANDLE["id"], "status": "failed", "error": {"code": "1027", "message": "output sensitive"}}
    update = polled({"task": task}, part="h3")
    assert update.failure and "output sensitive" in update.failure.message
    assert polled({"task": {"id": HANDLE["id"], "status": "expired"}}, part="h3").state is State.FAILED


def test_the_first_versions_tasks_cannot_be_cancelled() -> None:
    assert BACK and BACK.cancel
    with pytest.raises(StopIteration) as end:
        next(BACK.cancel(HANDLE))
    assert end.value.value is False
