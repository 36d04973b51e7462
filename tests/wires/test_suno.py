"""Suno's relay protocol in front: requests, the two takes of a song, words, and what goes on from a clip."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mutoscope.model.catalog import check_support
from mutoscope.model.http import HttpRequest
from mutoscope.model.job import Failure, Generation, Input, Job, Operation, Output, Role, State
from mutoscope.model.problem import Kind, Problem
from mutoscope.model.requests import Submission
from mutoscope.service.keys import digest
from mutoscope.wirekit.ids import from_part_form, part_form
from mutoscope.wirekit.routes import Create
from mutoscope.wires import ROWS
from mutoscope.wires.suno.api import UPLOAD, VERSIONS, WIRE, task

Start = Callable[..., Any]
MUSIC, WORDS, JOIN, TAKE_IN = (
    "/suno/submit/music",
    "/suno/submit/lyrics",
    "/suno/submit/concat",
    "/suno/uploads/audio-url",
)
SCRIPTED: dict[str, Any] = {"models": {row.name: {"engine": "script"} for row in ROWS if row.vendor == "suno"}}
ID = "01890a5d-ac96-774b-bcce-b302099a8057"
PUBLIC = "01890a5d-ac96-474b-bcce-b302099a8057"
CLIPS = ("01890a5d-ac96-174b-bcce-b302099a8057", "01890a5d-ac96-574b-bcce-b302099a8057")
CUSTOM = {"prompt": "[Verse]\nHarbour lights", "tags": "emotional punk", "mv": "chirp-v4", "title": "City Lights"}
DESCRIBED = {"gpt_description_prompt": "a song about the sea", "make_instrumental": False, "mv": "chirp-v4"}
EXTENDED = {
    "prompt": "more",
    "tags": "rap",
    "mv": "chirp-v3-5",
    "title": "Part two",
    "task_id": PUBLIC,
    "continue_clip_id": CLIPS[1],
    "continue_at": 80,
}
# fmt: off
LONG_FORM = {
    "id", "title", "status", "audio_url", "video_url", "image_url", "image_large_url", "is_video_pending",
    "major_model_version", "model_name", "is_liked", "user_id", "display_name", "handle", "is_handle_updated",
    "is_trashed", "reaction", "created_at", "play_count", "upvote_count", "is_public", "metadata",
}
FLAT_FORM = {"clip_id", "task_id", "mv", "state", "msg", "tags", "prompt", "duration", "continue_at"}
TASK = {
    "task_id", "notify_hook", "action", "status", "fail_reason", "submit_time", "start_time", "finish_time",
    "progress", "data",
}
# fmt: on


def parse(body: dict[str, Any], path: str = MUSIC) -> Submission:
    route = next(route for route in WIRE.routes if route.path == path and isinstance(route, Create))
    return route.parse(HttpRequest(method="POST", path=path, body=json.dumps(body).encode()))


def refused(body: dict[str, Any], path: str = MUSIC) -> str:
    with pytest.raises(Problem) as caught:
        parse(body, path)
    answer = WIRE.render_problem(caught.value, HttpRequest(method="POST", path=path))
    told = json.loads(answer.body)
    assert (answer.status, told["code"], told["data"]) == (400, "invalid_request", None)
    return told["message"]


# -- requests --------------------------------------------------------------------------------


def test_a_description_is_the_prompt_and_words_of_ones_own_are_lyrics() -> None:
    described = parse(DESCRIBED).generation
    assert (described.operation, described.model) == (Operation.TEXT_TO_MUSIC, "chirp-v4")
    assert (described.prompt, described.extra) == ("a song about the sea", {})
    custom = parse(CUSTOM | {"negative_tags": "drums", "make_instrumental": True}).generation
    assert (custom.prompt, custom.negative_prompt) == (None, "drums")
    assert custom.extra == {
        "lyrics": "[Verse]\nHarbour lights",
        "tags": "emotional punk",
        "title": "City Lights",
        "instrumental": True,
    }


def test_an_extension_names_a_clip_of_an_earlier_song() -> None:
    wish = parse(EXTENDED | {"task": "extend"}).generation
    assert (wish.operation, wish.model) == (Operation.MUSIC_EXTENSION, "chirp-v3-5")
    assert [(each.role, each.output_of, each.output) for each in wish.inputs] == [(Role.AUDIO, CLIPS[1], 1)]
    assert wish.extra == {"lyrics": "more", "tags": "rap", "title": "Part two", "continue_at": 80}


def test_empty_texts_and_a_cut_at_zero_stand_for_nothing() -> None:
    """As GeekAI sends every member always."""
    body = DESCRIBED | {"task_id": "", "continue_clip_id": "", "continue_at": 0, "title": "", "notify_hook": ""}
    read = parse(body)
    assert read.generation == parse(DESCRIBED).generation
    assert (read.webhook, read.notes) == (None, ())


def test_the_version_left_out_is_the_oldest() -> None:
    assert parse({"gpt_description_prompt": "x"}).generation.model == "chirp-v3-0"
    for version in VERSIONS:
        assert parse({"tags": "folk", "mv": version}).generation.model == version
    assert parse({"tags": "folk", "mv": "chirp-v99"}).generation.model == "chirp-v99"  # a reseller's
    assert refused(DESCRIBED | {"mv": "suno-lyrics"}).startswith("mv: ")


def test_a_song_of_nothing_is_refused_and_a_cut_without_a_clip() -> None:
    assert "one of gpt_description_prompt, prompt, tags" in refused({"mv": "chirp-v4"})
    assert refused(CUSTOM | {"continue_at": 12}).startswith("continue_clip_id: is required with continue_at")
    assert refused(CUSTOM | {"title": 5}) == "title: should be of type string, not number"
    assert refused({}, WORDS) == "prompt: is required"
    assert refused({"prompt": ""}, WORDS) == "prompt: is required"
    assert refused({}, JOIN) == "clip_id: is required"
    assert refused({"url": "harbour.mp3"}, TAKE_IN).startswith("url: should be an HTTP(S) URL")


def test_the_fields_of_a_cover_are_noted_and_other_tasks_refused_by_name() -> None:
    row = next(row for row in ROWS if row.name == "chirp-v4")
    supported_fields = {Operation.TEXT_TO_MUSIC: frozenset({"lyrics", "tags", "title"})}
    cover = parse(CUSTOM | {"task": "cover", "cover_clip_id": CLIPS[0], "generation_type": "TEXT"})
    notes = check_support(cover.generation, row, "studio", supported_fields, cover.fields)
    assert [note.partition(" (")[0] for note in notes] == ["ignored: task", "ignored: cover_clip_id"]
    for name, value in {"task": "gen_stem", "persona_id": "p", "stem_type_id": 90, "generation_type": "STEM"}.items():
        asked = parse(CUSTOM | {name: value})
        with pytest.raises(Problem, match=f"^{name} is not supported"):
            check_support(asked.generation, row, "studio", supported_fields, asked.fields)


def test_words_a_join_and_an_upload_are_read() -> None:
    words = parse({"prompt": "the sea", "notify_hook": "https://h.example/x"}, WORDS)
    assert (words.generation.operation, words.generation.prompt) == (Operation.TEXT_TO_TEXT, "the sea")
    assert words.webhook == "https://h.example/x"
    join = parse({"clip_id": CLIPS[0], "is_infill": False}, JOIN).generation
    assert (join.operation, join.inputs[0].output_of, join.extra) == (Operation.MUSIC_JOIN, CLIPS[0], {})
    taken = parse({"url": "https://h.example/a.mp3"}, TAKE_IN).generation
    assert (taken.operation, taken.model, taken.inputs[0].url) == (
        Operation.MUSIC_JOIN,
        UPLOAD,
        "https://h.example/a.mp3",
    )


def test_actions_in_capitals_are_read_too() -> None:
    """new-api forwards them so."""
    assert {route.path for route in WIRE.routes if isinstance(route, Create)} >= {
        "/suno/submit/MUSIC",
        "/suno/submit/LYRICS",
        "/suno/submit/CONCAT",
    }


# -- answers ---------------------------------------------------------------------------------


def job(state: State = State.SUCCEEDED, **changes: Any) -> Job:
    wish = Generation(
        operation=Operation.TEXT_TO_MUSIC, model="chirp-v3-5", count=2, extra={"tags": "folk", "lyrics": "la"}
    )
    values: dict[str, Any] = {
        "id": ID,
        "wire": "suno",
        "route": "",
        "owner": "",
        "generation": wish,
        "engine": "script",
        "state": state,
        "created": 1_716_191_749.9,
        "started": 1_716_191_786.0,
        "finished": 1_716_191_800.0 if state.final else None,
        "progress": 0.25,
    }
    return Job(**values | changes)


def file(name: str, media_type: str, seconds: float | None = None) -> Output:
    return Output(id=name, media_type=media_type, asset=name, url=f"https://f.example/{name}", seconds=seconds)


def shown(each: Job) -> dict[str, Any]:
    read = next(route for route in WIRE.routes if route.at == "GET /suno/fetch/{id}")
    answer = read.render(each, HttpRequest(method="GET", path="/suno/fetch/x"))  # type: ignore[attr-defined]
    told = json.loads(answer.body)
    assert answer.status == 200
    assert (told["code"], told["message"], set(told["data"])) == ("success", "", TASK)
    return told["data"]


def test_a_song_has_two_clips_with_ids_that_lead_back() -> None:
    assert [part_form(ID, number) for number in (0, 1)] == list(CLIPS)
    assert [from_part_form(clip) for clip in CLIPS] == [(ID, 0), (ID, 1)]
    assert [WIRE.job_id(each) for each in (PUBLIC, *CLIPS)] == [ID] * 3
    outputs = (
        *(file("a.mp3", "audio/mpeg", 61.5), file("b.mp3", "audio/mpeg", 60.25), file("c.png", "image/png")),
        file("a.mp4", "video/mp4"),
    )
    told = shown(job(outputs=outputs))
    assert (told["task_id"], told["action"], told["status"], told["progress"]) == (PUBLIC, "MUSIC", "SUCCESS", "100%")
    assert (told["submit_time"], told["start_time"], told["finish_time"]) == (1716191749, 1716191786, 1716191800)
    assert told["fail_reason"] == told["notify_hook"] == ""
    first, second = told["data"]
    assert set(first) == LONG_FORM | FLAT_FORM
    assert [(clip["id"], clip["clip_id"], clip["task_id"]) for clip in told["data"]] == [
        (CLIPS[0], CLIPS[0], f"{PUBLIC}_1"),
        (CLIPS[1], CLIPS[1], f"{PUBLIC}_2"),
    ]
    assert (first["audio_url"], second["audio_url"]) == ("https://f.example/a.mp3", "https://f.example/b.mp3")
    assert first["image_url"] == second["image_url"] == "https://f.example/c.png"
    assert (first["video_url"], second["video_url"]) == ("https://f.example/a.mp4", "")
    assert (first["status"], first["state"], first["duration"]) == ("complete", "succeeded", 61.5)
    assert (first["mv"], first["major_model_version"]) == ("chirp-v3-5", "v3.5")
    assert (first["tags"], first["prompt"], first["created_at"]) == ("folk", "la", "2024-05-20T07:55:49.900Z")
    assert first["metadata"]["type"] == "gen"
    assert first["metadata"]["duration"] == 61.5


@pytest.mark.parametrize(
    ("state", "status", "progress", "clip"),
    [(State.QUEUED, "SUBMITTED", "25%", "submitted"), (State.RUNNING, "IN_PROGRESS", "25%", "queued")],
)
def test_clips_are_told_of_before_they_sound(state: State, status: str, progress: str, clip: str) -> None:
    told = shown(job(state))
    assert (told["status"], told["progress"], told["finish_time"], told["fail_reason"]) == (status, progress, 0, "")
    assert [(each["id"], each["status"], each["audio_url"], each["duration"]) for each in told["data"]] == [
        (id, clip, "", None) for id in CLIPS
    ]


@pytest.mark.parametrize("state", [State.FAILED, State.CANCELED])
def test_a_failure_says_why_and_so_do_its_clips(state: State) -> None:
    failure = Failure(kind=Kind.REFUSED, message="not this song") if state is State.FAILED else None
    why = "not this song" if failure else "The task was canceled."
    told = shown(job(state, failure=failure))
    assert (told["status"], told["fail_reason"], told["progress"]) == ("FAILURE", why, "100%")
    assert {(each["status"], each["metadata"]["error_message"]) for each in told["data"]} == {("error", why)}


def test_words_are_an_object_with_their_title_apart() -> None:
    wish = Generation(operation=Operation.TEXT_TO_TEXT, model="suno-lyrics", prompt="the sea")
    text = "[Title: Salt]\n\n[Verse]\nla"
    words = Output(id="o", media_type="text/plain", text=text)
    told = shown(job(generation=wish, outputs=(words,)))
    assert told["action"] == "LYRICS"
    assert told["data"] == {"id": CLIPS[0], "title": "Salt", "text": "[Verse]\nla", "status": "complete"}
    assert shown(job(State.RUNNING, generation=wish))["data"] is None
    untitled = Output(id="o", media_type="text/plain", text="[Verse]\nla")
    assert shown(job(generation=wish, outputs=(untitled,)))["data"]["title"] == "the sea"


@pytest.mark.parametrize(
    ("model", "action", "type"), [("suno-concat", "CONCAT", "concat"), (UPLOAD, "UPLOAD", "upload")]
)
def test_a_join_and_an_upload_have_one_clip_in_a_list(model: str, action: str, type: str) -> None:
    source = Input(role=Role.AUDIO, field="clip_id", output_of=ID, output=1)
    wish = Generation(operation=Operation.MUSIC_JOIN, model=model, inputs=(source,) if type == "concat" else ())
    told = shown(job(generation=wish, outputs=(file("a.mp3", "audio/mpeg", 120.0),)))
    [clip] = told["data"]
    assert (told["action"], clip["metadata"]["type"], clip["audio_url"]) == (action, type, "https://f.example/a.mp3")
    history = clip["metadata"]["concat_history"]
    assert (history and history[0]["id"]) == (CLIPS[1] if type == "concat" else None)


def test_news_is_the_envelope_with_the_task() -> None:
    assert WIRE.render_webhook
    assert WIRE.render_webhook(job(State.QUEUED)) is None
    done = job(outputs=(file("a.mp3", "audio/mpeg", 61.5),), webhook="https://h.example/x")
    body = json.loads(WIRE.render_webhook(done) or b"")
    assert body["code"] == "success"
    assert (body["data"]["status"], body["data"]["notify_hook"]) == ("SUCCESS", "https://h.example/x")
    assert body["data"] == json.loads(json.dumps(shown(done)))
    assert task(done).data.task_id == PUBLIC


# -- over the application ----------------------------------------------------------------------


async def submit(running: Any, body: dict[str, Any], path: str = MUSIC) -> str:
    answer = await running.client.post(path, json=body)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["code"], told["message"]) == ("success", "")
    return told["data"]


async def done(running: Any, public: str) -> dict[str, Any]:
    await running.finished(WIRE.job_id(public))
    return (await running.client.get(f"/suno/fetch/{public}")).json()["data"]


async def song(running: Any, body: dict[str, Any], path: str = MUSIC) -> dict[str, Any]:
    return await done(running, await submit(running, body, path))


async def test_a_song_is_made_extended_joined_and_taken_in(start: Start) -> None:
    async with start(**SCRIPTED) as running:
        made = await song(running, DESCRIBED)
        first, second = made["data"]
        assert (made["status"], first["duration"], second["duration"]) == ("SUCCESS", 60, 60)
        sound = await running.client.get(first["audio_url"])
        assert (sound.status_code, sound.headers["content-type"]) == (200, "audio/wav")

        more = await song(running, CUSTOM | {"continue_clip_id": second["id"], "continue_at": 30})
        assert more["status"] == "SUCCESS", more
        assert more["data"][0]["metadata"]["history"][0] == {
            "id": second["id"],
            "continue_at": 30,
            "type": "gen",
            "source": "web",
        }
        whole = await song(running, {"clip_id": more["data"][0]["id"]}, JOIN)
        assert (whole["action"], whole["status"], len(whole["data"])) == ("CONCAT", "SUCCESS", 1)

        taken = await song(running, {"url": first["audio_url"]}, TAKE_IN)
        assert (taken["action"], taken["status"]) == ("UPLOAD", "SUCCESS")
        onward = {"continue_clip_id": taken["data"][0]["clip_id"], "task": "upload_extend", "tags": "folk"}
        assert (await song(running, onward))["status"] == "SUCCESS"


async def test_a_clip_is_counted_among_the_sounds_of_its_job(start: Start, tmp_path: Path) -> None:
    """Covers may lie between them."""
    async with start(**SCRIPTED, script={"slots": 0}) as running:
        store, made = running.app.store, list[Output]()
        for name, type in (("a", "audio/mpeg"), ("c", "image/png"), ("b", "audio/mpeg")):
            path = tmp_path / name
            path.write_bytes(name.encode())
            made.append(Output(id=name, media_type=type, asset=await running.app.assets.put(path, type)))
        await store.add(job(State.QUEUED, started=None, finished=None, progress=None))
        await store.claim(engine="script", worker="w", lease_seconds=9, limit=1, now=1_790_000_000.0)
        assert await store.settle(ID, "w", state=State.SUCCEEDED, outputs=tuple(made), now=1_790_000_001.0)
        more = await submit(running, CUSTOM | {"continue_clip_id": CLIPS[1]})
        [given] = (await store.get(WIRE.job_id(more))).generation.inputs
        assert (given.asset, given.output_of) == (made[2].asset, ID)


async def test_words_are_written(start: Start) -> None:
    async with start(**SCRIPTED) as running:
        told = await song(running, {"prompt": "the sea"}, WORDS)
        assert (told["action"], told["status"]) == ("LYRICS", "SUCCESS")
        assert told["data"]["status"] == "complete"
        assert "the sea" in told["data"]["text"]


async def test_several_are_read_at_once_and_unknown_ones_are_left_out(start: Start) -> None:
    async with start(**SCRIPTED) as running:
        ids = [await submit(running, DESCRIBED), await submit(running, {"prompt": "x"}, WORDS)]
        for id in ids:
            await done(running, id)
        answer = await running.client.post("/suno/fetch", json={"ids": [ids[1], PUBLIC, ids[0]], "action": "MUSIC"})
        told = answer.json()
        assert (answer.status_code, told["code"]) == (200, "success")
        assert [each["task_id"] for each in told["data"]] == [ids[1], ids[0]]
        for body in ({}, {"ids": []}):
            assert (await running.client.post("/suno/fetch", json=body)).json()["data"] == []


async def test_what_is_not_there_and_what_fails_is_told_in_the_relays_words(start: Start) -> None:
    async with start(**SCRIPTED) as running:
        for request in (
            running.client.get(f"/suno/fetch/{PUBLIC}"),
            running.client.get("/suno/fetch/none"),
            running.client.post(MUSIC, json=EXTENDED),
            running.client.post(JOIN, json={"clip_id": CLIPS[0]}),
        ):
            answer = await request
            told = answer.json()
            assert (answer.status_code, told["code"], told["data"]) == (400, "task_not_exist", None)
            origin = "/fetch/" not in str(answer.url)
            assert told["message"].startswith("task_origin_not_exist: " if origin else "task_not_exist: ")
        action = await running.client.post("/suno/submit/remaster", json={})
        assert (action.status_code, action.json()["code"]) == (400, "invalid_request")
        assert "invalid_action" in action.json()["message"]
        assert "music, lyrics, concat" in action.json()["message"]
        broken = await running.client.post(MUSIC, content=b"{")
        assert (broken.status_code, broken.json()["code"]) == (400, "invalid_request")
        failed = await song(running, DESCRIBED | {"gpt_description_prompt": "fail refused not today"})
        assert (failed["status"], failed["fail_reason"]) == ("FAILURE", "not today")
        onward = await running.client.post(MUSIC, json=CUSTOM | {"continue_clip_id": failed["data"][0]["id"]})
        assert (onward.status_code, onward.json()["code"]) == (400, "invalid_request")
        assert "continue_clip_id" in onward.json()["message"]


async def test_a_key_is_wanted_in_either_form_and_its_rate_is_kept(start: Start) -> None:
    keys = [{"name": "ann", "sha256": digest("s3cret-ann"), "requests_per_minute": 2}]
    async with start(keys=keys, **SCRIPTED) as running:
        bad = await running.client.post(MUSIC, json=DESCRIBED, headers={"authorization": "Bearer wrong"})
        assert (bad.status_code, bad.json()["code"]) == (401, "invalid_request")
        statuses: list[int] = []
        for said in ("Bearer s3cret-ann", "s3cret-ann", "s3cret-ann"):
            answer = await running.client.post(MUSIC, json=DESCRIBED, headers={"authorization": said})
            statuses.append(answer.status_code)
        assert statuses == [200, 200, 429]
        assert answer.json()["code"] == "rate_limit_exceeded"
