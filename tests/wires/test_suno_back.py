"""Suno's and Udio's relay protocols behind: what is said to a reseller, and what its answers mean."""

import json
from typing import Any

import pytest

from mutoscope.model.http import HttpRequest, HttpResponse
from mutoscope.model.job import Generation, Input, Operation, Role, State, Update
from mutoscope.model.problem import Kind, Problem
from mutoscope.wirekit.back import Back, Conversation, VendorRequest
from mutoscope.wirekit.wire import Wire
from mutoscope.wires import udio
from mutoscope.wires.suno import api as suno

HANDLE = {"id": "736a6f88-bd29-4b1e-b110-37132a5325ac", "at": "submit/music"}
BOTH = pytest.mark.parametrize("wire", [suno.WIRE, udio.WIRE], ids=["suno", "udio"])


def back(wire: Wire) -> Back:
    assert wire.back
    return wire.back


def answered(conversation: Conversation[Update], *answers: Any, status: int = 200) -> tuple[Update, list[HttpRequest]]:
    """What a conversation comes to, and its requests."""
    requests, left = [next(conversation)], list(answers)
    try:
        while left:
            body = json.dumps(left.pop(0)).encode()
            requests.append(conversation.send(HttpResponse(status=status, body=body)))
    except StopIteration as end:
        return end.value, requests
    raise AssertionError(f"it goes on with {requests[-1]}")


def success(data: Any) -> dict[str, Any]:
    return {"code": "success", "message": "", "data": data}


def order(wish: Generation, name: str, **more: Any) -> VendorRequest:
    return VendorRequest(generation=wish, names=(name,), reference="r", **more)


def polled(wire: Wire, data: dict[str, Any]) -> Update:
    task = {"task_id": HANDLE["id"], "status": "IN_PROGRESS", "fail_reason": "", "progress": "0%", "data": None}
    return answered(back(wire).poll(HANDLE), success(task | data))[0]


def test_a_song_is_asked_for_in_the_relays_words() -> None:
    wish = Generation(
        operation=Operation.TEXT_TO_MUSIC,
        model="chirp-v4",
        seconds=60,
        count=2,
        extra={"lyrics": "la", "tags": "folk", "title": "Salt", "instrumental": True},
    )
    asked = order(wish, "chirp-v4", callback="https://us.example/x")
    update, [request] = answered(back(suno.WIRE).submit(asked), success(HANDLE["id"]))
    assert (request.method, request.path, request.spends) == ("POST", "/suno/submit/music", True)
    assert json.loads(request.body) == {
        "mv": "chirp-v4",
        "prompt": "la",
        "tags": "folk",
        "title": "Salt",
        "make_instrumental": True,
        "notify_hook": "https://us.example/x",
    }
    assert (update.state, update.handle) == (State.QUEUED, HANDLE)


def test_udio_is_asked_with_a_config_and_nothing_that_nobody_wants() -> None:
    wish = Generation(operation=Operation.TEXT_TO_MUSIC, model="udio32-v1.5", prompt="folk", seconds=32.8, count=2)
    _, [request] = answered(back(udio.WIRE).submit(order(wish, "udio32-v1.5")), success("t"))
    assert request.path == "/udio/submit/music"
    params = {"prompt": "folk", "model_type": "udio32-v1.5", "config": {"mode": "regular"}}
    assert json.loads(request.body) == {"gen_params": params}


@pytest.mark.parametrize(
    ("wire", "model", "data", "said"),
    [
        (
            suno.WIRE,
            "chirp-v4",
            [{"id": "clip-a"}, {"id": "clip-b"}],
            {"mv": "chirp-v4", "tags": "folk", "continue_clip_id": "clip-b", "task_id": HANDLE["id"]},
        ),
        (
            udio.WIRE,
            "udio32-v1.5",
            {"songs": [{"id": "clip-a"}, {"id": "clip-b"}]},
            {
                "gen_params": {
                    "prompt": "on",
                    "model_type": "udio32-v1.5",
                    "config": {"mode": "continuation", "source": {"song_id": "clip-b", "source_type": "song"}},
                }
            },
        ),
    ],
    ids=["suno", "udio"],
)
def test_what_goes_on_from_a_take_names_the_relays_own(wire: Wire, model: str, data: Any, said: dict[str, Any]) -> None:
    """Its task is asked for the takes' ids first, which costs nothing."""
    given = Input(role=Role.AUDIO, field="f", output_of="job", output=1)
    extra = {"tags": "folk"} if wire is suno.WIRE else {}
    prompt = None if wire is suno.WIRE else "on"
    wish = Generation(
        operation=Operation.MUSIC_EXTENSION, model=model, prompt=prompt, inputs=(given,), seconds=60, extra=extra
    )
    asked = order(wish, model, earlier={"job": HANDLE})
    task = success({"task_id": HANDLE["id"], "status": "SUCCESS", "data": data})
    _, [first, second] = answered(back(wire).submit(asked), task, success("t"))
    assert (first.method, first.path, first.spends) == ("GET", f"/{wire.name}/fetch/{HANDLE['id']}", False)
    assert second.spends
    assert json.loads(second.body) == said
    for odd in (None, [], [{"id": "clip-a"}], [{"id": "a"}, {"id": "../b"}]):
        conversation = back(wire).submit(asked)
        next(conversation)
        spoilt = odd if wire is suno.WIRE else {"songs": odd}
        with pytest.raises(Problem, match="does not tell which take 2"):
            conversation.send(HttpResponse(body=json.dumps(success({"data": spoilt})).encode()))


def test_a_piece_that_the_account_did_not_make_cannot_be_gone_on_from() -> None:
    given = Input(role=Role.AUDIO, field="f", output_of="job")
    for operation, name in ((Operation.MUSIC_EXTENSION, "chirp-v4"), (Operation.MUSIC_JOIN, "suno-concat")):
        wish = Generation(operation=operation, model=name, inputs=(given,), extra={"tags": "x"})
        with pytest.raises(Problem, match="its own tasks only") as caught:
            back(suno.WIRE).check(order(wish, name))
        assert (caught.value.kind, caught.value.field) == (Kind.UNSUPPORTED, "audio")


@BOTH
@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("NOT_START", State.QUEUED),
        ("SUBMITTED", State.QUEUED),
        ("QUEUED", State.QUEUED),
        ("UNKNOWN", State.QUEUED),
        ("IN_PROGRESS", State.RUNNING),
    ],
)
def test_open_states_are_read(wire: Wire, word: str, state: State) -> None:
    assert polled(wire, {"status": word}).state is state


@BOTH
def test_progress_and_failure_are_read(wire: Wire) -> None:
    assert polled(wire, {"progress": "35%"}).progress == 0.35
    assert polled(wire, {"progress": "much"}).progress is None
    for word in ("FAILURE", "FAIL"):
        failed = polled(wire, {"status": word, "fail_reason": "no such words", "progress": "100%"})
        assert failed.state is State.FAILED
        assert failed.failure
        assert "no such words" in failed.failure.message


def test_both_takes_of_a_song_are_fetched() -> None:
    clips = [{"id": n, "audio_url": f"https://cdn.example/{n}.mp3", "status": "complete"} for n in ("a", "b")]
    links = ("https://cdn.example/a.mp3", "https://cdn.example/b.mp3")
    assert polled(suno.WIRE, {"status": "SUCCESS", "data": clips}).links == links
    songs = [{"id": n, "song_path": f"https://cdn.example/{n}.mp3", "finished": True} for n in ("a", "b")]
    assert polled(udio.WIRE, {"status": "SUCCESS", "data": {"songs": songs}}).links == links
    beside = polled(udio.WIRE, {"status": "SUCCESS", "data": None, "songs": songs})
    assert beside.links == links  # one aggregator's place


def test_words_keep_their_lines() -> None:
    data = {"id": "x", "title": "Salt", "text": "[Verse]\nla\n\nlo", "status": "complete"}
    assert polled(suno.WIRE, {"status": "SUCCESS", "data": data}).texts == ("[Verse]\nla\n\nlo",)


@BOTH
def test_the_word_of_an_envelope_counts_and_not_its_status_alone(wire: Wire) -> None:
    for answer, status, kind in (
        ({"code": "fail_to_fetch_task", "message": "no upstream", "data": None}, 200, Kind.UPSTREAM_FAILED),
        ({"code": "task_not_exist", "message": "task_not_exist", "data": None}, 400, Kind.NOT_FOUND),
        ({"code": "quota_not_enough", "message": "no money", "data": None}, 403, Kind.QUOTA_EXCEEDED),
        ({"code": "invalid_request", "message": "prompt_empty", "data": None}, 400, Kind.INVALID),
        ({"error": {"message": "bad key", "type": "new_api_error"}}, 401, Kind.UNAUTHENTICATED),
    ):
        with pytest.raises(Problem) as caught:
            answered(back(wire).poll(HANDLE), answer, status=status)
        assert caught.value.kind is kind
        assert (answer.get("message") or "bad key") in caught.value.message


def test_several_are_asked_about_together_as_new_api_does() -> None:
    batch = back(suno.WIRE).batch
    assert batch
    conversation = batch((HANDLE, {"id": "gone", "at": "submit/lyrics"}))
    request = next(conversation)
    assert (request.path, json.loads(request.body)) == ("/suno/fetch", {"ids": [HANDLE["id"], "gone"]})
    tasks = [{"task_id": HANDLE["id"], "status": "IN_PROGRESS", "progress": "10%"}, {"task_id": "other"}, None]
    with pytest.raises(StopIteration) as end:
        conversation.send(HttpResponse(body=json.dumps(success(tasks)).encode()))
    assert {place: news.state for place, news in end.value.value.items()} == {0: State.RUNNING}
