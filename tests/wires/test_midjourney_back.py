"""A proxy of the operator's behind: a prompt with its flags, buttons of its own tasks, dialogs, news and lost ones."""

import json
from pathlib import Path
from typing import Any

import pytest

from local_settings import settings
from mutoscope.app import App, BadSettings
from mutoscope.model.http import HttpRequest, HttpResponse
from mutoscope.model.job import Generation, Input, Operation, Role, State, Update
from mutoscope.model.problem import Kind, Problem
from mutoscope.wirekit.back import VendorRequest
from mutoscope.wires.midjourney.api import WIRE

assert WIRE.back
BACK = WIRE.back
NAMES = ("MID_JOURNEY", "mj")
ID = "1730621718151844"
HASH = "26d5b4a3-0000-4000-8000-000000000000"
BUTTONS = [
    {"customId": f"MJ::JOB::upsample::2::{HASH}", "label": "U2"},
    {"customId": f"MJ::JOB::pan_left::1::{HASH}::SOLO", "emoji": "⬅️"},
    {"customId": f"MJ::CustomZoom::{HASH}", "label": "Custom Zoom"},
    {"customId": f"MJ::Inpaint::1::{HASH}::SOLO", "label": "Vary (Region)"},
]
PARENT = {"id": ID, "status": "SUCCESS", "buttons": BUTTONS}


def order(operation: Operation = Operation.TEXT_TO_IMAGE, label: str = "", **wish: Any) -> VendorRequest:
    """A wish; with a label one that goes on from the proxy's own task."""
    if label:
        given = Input(role=Role.IMAGE, field="customId", output_of="ours", output=2, label=label, asset="a")
        wish = {"inputs": (given,)} | wish
    generation = Generation(operation=operation, model="midjourney", **wish)
    return VendorRequest(
        generation=generation, names=NAMES, earlier={"ours": {"id": ID}} if label else {}, reference="our-job"
    )


def said(conversation: Any, *answers: Any) -> tuple[list[HttpRequest], Update]:
    """The requests of a conversation that is answered so, and what it comes to."""
    requests = [next(conversation)]
    for answer in answers:
        response = answer if isinstance(answer, HttpResponse) else HttpResponse(body=json.dumps(answer).encode())
        try:
            requests.append(conversation.send(response))
        except StopIteration as end:
            return requests, end.value
    raise AssertionError(f"it goes on with {requests[-1]}")


def accepted(id: str = "1730621718151999", **more: Any) -> dict[str, Any]:
    return {"code": 1, "description": "ok", "result": id} | more


def body_of(request: HttpRequest) -> Any:
    return json.loads(request.body)


def test_a_prompt_is_said_with_its_flags_and_our_name_for_the_job() -> None:
    wish = order(
        prompt="a fox",
        negative_prompt="rain",
        seed=7,
        width=1456,
        height=816,
        count=4,
        extra={"grid": True, "flags": "--v 7", "mode": "FAST"},
    )
    [request], update = said(BACK.submit(wish), accepted())
    assert (request.path, request.spends) == ("/mj/submit/imagine", True)
    assert body_of(request) == {
        "botType": "MID_JOURNEY",
        "prompt": "a fox --ar 16:9 --no rain --seed 7 --v 7",
        "accountFilter": {"modes": ["FAST"]},
        "state": "our-job",
    }
    assert update.handle == {"id": "1730621718151999", "grid": True}
    assert BACK.sign("secret", 0.0) == {"mj-api-secret": "secret"}


def test_a_size_that_the_bot_does_not_make_is_refused_before_it_is_sent() -> None:
    with pytest.raises(Problem, match="sizes of its own") as caught:
        BACK.check(order(prompt="a fox", width=1280, height=721))
    assert caught.value.field == "width"


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ({"code": 24, "description": "banned", "properties": {"bannedWord": "x"}}, Kind.REFUSED),
        ({"code": 4, "description": "prompt is empty"}, Kind.INVALID),
        ({"code": 23, "description": "the queue is full"}, Kind.RATE_LIMITED),
        ({"code": 3, "description": "no account"}, Kind.NOT_FOUND),
        ({"code": 9, "description": "broken"}, Kind.UPSTREAM_FAILED),
    ],
)
def test_a_refusal_of_status_200_is_read_by_its_code(answer: dict[str, Any], kind: Kind) -> None:
    with pytest.raises(Problem) as caught:
        said(BACK.submit(order(prompt="a fox")), answer)
    assert caught.value.kind is kind and answer["description"] in caught.value.message


def test_what_waits_in_line_there_is_accepted() -> None:
    _, update = said(BACK.submit(order(prompt="a fox")), accepted(code=22))
    assert (update.state, update.upstream_status) == (State.QUEUED, "NOT_START")


def test_a_button_is_pressed_by_the_proxys_own_name_for_it() -> None:
    wish = order(Operation.IMAGE_UPSCALE, "JOB::upsample::2", width=64, height=64)
    [look, request], _ = said(BACK.submit(wish), PARENT, accepted())
    assert (look.method, look.path, look.spends) == ("GET", f"/mj/task/{ID}/fetch", False)
    assert (request.path, request.spends) == ("/mj/submit/action", True)
    assert body_of(request) == {"taskId": ID, "customId": f"MJ::JOB::upsample::2::{HASH}", "state": "our-job"}


def test_an_older_proxy_is_told_the_number() -> None:
    wish = order(Operation.IMAGE_TO_IMAGE, "JOB::variation::3", prompt="a fox")
    [_, request], _ = said(BACK.submit(wish), PARENT | {"buttons": None}, accepted())
    assert request.path == "/mj/submit/change"
    assert body_of(request) == {"taskId": ID, "action": "VARIATION", "index": 3, "state": "our-job"}
    zoom = BACK.submit(order(Operation.IMAGE_OUTPAINT, "Outpaint::50::1"))
    next(zoom)
    with pytest.raises(Problem, match="shows no button Outpaint::50::1") as caught:
        zoom.send(HttpResponse(body=json.dumps(PARENT | {"buttons": []}).encode()))
    assert caught.value.kind is Kind.UNSUPPORTED


def test_a_dialog_is_opened_for_nothing_and_answered_with_what_costs() -> None:
    wish = order(Operation.IMAGE_OUTPAINT, "CustomZoom", prompt="a fox", extra={"zoom": 1.2, "grid": True})
    opened = accepted("1730621718152000", code=21)
    [_, opens, answers], update = said(BACK.submit(wish), PARENT, opened, accepted("1730621718152000"))
    assert (opens.path, opens.spends) == ("/mj/submit/action", False)
    assert (answers.path, answers.spends) == ("/mj/submit/modal", True)
    assert body_of(answers) == {"taskId": "1730621718152000", "prompt": "a fox --zoom 1.2", "state": "our-job"}
    assert update.handle["id"] == "1730621718152000"


def test_a_picture_from_elsewhere_has_no_buttons_there() -> None:
    given = Input(role=Role.IMAGE, field="customId", output_of="theirs", label="JOB::upsample::1", asset="a")
    with pytest.raises(Problem, match="tasks only") as caught:
        BACK.check(order(Operation.IMAGE_UPSCALE, inputs=(given,)))
    assert (caught.value.kind, caught.value.field) == (Kind.UNSUPPORTED, "image")


def news(handle: dict[str, Any], **task: Any) -> Update:
    _, update = said(BACK.poll(handle), {"id": handle["id"]} | task)
    return update


PICTURES = [{"url": f"https://h.example/{n}.png"} for n in range(1, 5)]
DONE = {"status": "SUCCESS", "progress": "100%", "imageUrl": "https://h.example/grid.png"}


def test_a_grid_is_taken_with_its_four_where_both_are_told() -> None:
    four = tuple(each["url"] for each in PICTURES)
    assert news({"id": ID, "grid": True}, **DONE, imageUrls=PICTURES).links == ("https://h.example/grid.png", *four)
    assert news({"id": ID, "grid": False}, **DONE, imageUrls=PICTURES).links == four[:1]
    assert news({"id": ID, "grid": True}, **DONE).links == ("https://h.example/grid.png",)


def test_words_are_taken_line_by_line_and_the_described_picture_is_left() -> None:
    told = {"finalPrompt": "1️⃣ a fox\n\n2️⃣ a cat --ar 1:1\n\n3. a dog"}
    update = news({"id": ID, "grid": False}, **DONE, action="DESCRIBE", properties=told)
    assert (update.texts, update.links) == (("a fox", "a cat --ar 1:1", "a dog"), ())


@pytest.mark.parametrize(
    ("word", "state"),
    [("NOT_START", State.QUEUED), ("SUBMITTED", State.QUEUED), ("MODAL", State.QUEUED), ("CANCEL", State.CANCELED)],
)
def test_the_proxys_words_are_read(word: str, state: State) -> None:
    assert news({"id": ID}, status=word, progress="").state is state
    running = news({"id": ID}, status="IN_PROGRESS", progress="46%", imageUrl="https://h.example/preview.png")
    assert (running.state, running.progress, running.links) == (State.RUNNING, 0.46, ())


@pytest.mark.parametrize(
    "answer",
    [HttpResponse(status=204), HttpResponse(status=400, body=b'{"description":"task_no_found","code":4}')],
)
def test_a_task_that_the_proxy_does_not_know_is_not_found(answer: HttpResponse) -> None:
    with pytest.raises(Problem) as caught:
        said(BACK.poll({"id": ID}), answer)
    assert caught.value.kind is Kind.NOT_FOUND


def test_a_lost_submission_is_found_by_its_state() -> None:
    assert BACK.find
    listed = [{"id": "17", "state": "another"}, {"id": "18", "state": "our-job"}, {"id": "19"}]
    [request], found = said(BACK.find(order(prompt="x"), 0.0), listed)
    assert (request.path, found) == ("/mj/task/list", ({"id": "18", "grid": False},))


def test_an_account_says_whose_proxy_it_is(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match=r"\[accounts.proxy\] base_url"):
        App(settings(accounts={"proxy": {"wire": "midjourney", "key": "k"}}), data=tmp_path)
