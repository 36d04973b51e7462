"""Udio's relay protocols in front: one request, two dialects of answers, songs with ids of their own."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from mutoscope.model.catalog import check_support
from mutoscope.model.http import HttpRequest
from mutoscope.model.job import Failure, Generation, Job, Operation, Output, Role, State
from mutoscope.model.problem import Kind, Problem
from mutoscope.model.requests import Submission
from mutoscope.service.keys import digest
from mutoscope.wirekit.routes import Create
from mutoscope.wires import ROWS
from mutoscope.wires.udio import WIRE, created, songs_of, task

Start = Callable[..., Any]
SUBMIT, PROXY = "/udio/submit/music", "/udio/generate-proxy"
SCRIPTED: dict[str, Any] = {"models": {row.name: {"engine": "script"} for row in ROWS if row.vendor == "udio"}}
ID = "01890a5d-ac96-774b-bcce-b302099a8057"
PUBLIC = "01890a5d-ac96-474b-bcce-b302099a8057"
SONGS = ("01890a5d-ac96-174b-bcce-b302099a8057", "01890a5d-ac96-574b-bcce-b302099a8057")
PARAMS = {
    "prompt": "slow harbour folk, accordion",
    "lyrics": "",
    "lyrics_type": "generate",
    "bypass_prompt_optimization": False,
    "seed": -1,
    "song_section_start": 0.4,
    "prompt_strength": 0.5,
    "clarity_strength": 0.25,
    "lyrics_strength": 0.5,
    "generation_quality": 0.75,
    "negative_prompt": "",
    "model_type": "udio32-v1.5",
    "config": {"mode": "regular"},
}
HINTS = (
    "bypass_prompt_optimization",
    "song_section_start",
    "prompt_strength",
    "clarity_strength",
    "lyrics_strength",
    "generation_quality",
)
# fmt: off
KEYS = [
    "artist", "artist_image", "attribution", "audio_conditioning_type", "created_at", "description", "disliked",
    "duration", "error_code", "error_detail", "error_id", "error_type", "finished", "generation_id", "id",
    "image_path", "liked", "likes", "lyrics", "original_song_path", "plays", "prompt", "publishable",
    "published_at", "replaced_tags", "song_path", "tags", "title", "user_id", "user_tags", "video_path",
]
# fmt: on


def parse(body: dict[str, Any], path: str = SUBMIT) -> Submission:
    route = next(route for route in WIRE.routes if route.path == path and isinstance(route, Create))
    return route.parse(HttpRequest(method="POST", path=path, body=json.dumps(body).encode()))


def refused(params: dict[str, Any]) -> str:
    with pytest.raises(Problem) as caught:
        parse({"gen_params": params})
    answer = WIRE.render_problem(caught.value, HttpRequest(method="POST", path=SUBMIT))
    told = json.loads(answer.body)
    assert (answer.status, told["code"], told["data"]) == (400, "invalid_request", None)
    return told["message"]


# -- requests --------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [SUBMIT, PROXY, "/udio/generate"])
def test_a_request_is_read_wrapped_or_not(path: str) -> None:
    wrapped = parse({"gen_params": PARAMS, "notify_hook": "https://h.example/x"}, path)
    flat = parse(PARAMS | {"notify_hook": "https://h.example/x"}, path)
    assert wrapped == flat
    wish = wrapped.generation
    assert (wish.operation, wish.model, wish.prompt) == (Operation.TEXT_TO_MUSIC, "udio32-v1.5", PARAMS["prompt"])
    assert (wish.seed, wish.negative_prompt) == (None, None)
    assert wish.extra == {name: PARAMS[name] for name in HINTS}
    assert (wrapped.webhook, wrapped.notes) == ("https://h.example/x", ())


def test_what_nobody_asked_for_is_not_made_up() -> None:
    assert parse({"gen_params": {"prompt": "x"}}).generation.extra == {}


def test_hints_are_noted_where_an_engine_knows_nothing_of_them() -> None:
    row = next(row for row in ROWS if row.name == "udio32-v1.5")
    asked = parse({"gen_params": PARAMS})
    notes = check_support(
        asked.generation, row, "studio", {Operation.TEXT_TO_MUSIC: frozenset({"prompt"})}, asked.fields
    )
    assert [note.partition(" (")[0] for note in notes] == [f"ignored: gen_params.{name}" for name in HINTS]


def test_words_of_ones_own_and_none_at_all() -> None:
    own = parse({"gen_params": {"prompt": "x", "lyrics": "la", "lyrics_type": "user", "seed": 7}}).generation
    assert (own.extra, own.seed) == ({"lyrics": "la"}, 7)
    none = parse({"gen_params": {"prompt": "x", "lyrics": "la", "lyrics_type": "instrumental"}}).generation
    assert none.extra == {"instrumental": True}


def test_an_extension_names_a_song() -> None:
    source = {"source_type": "song", "song_id": SONGS[1]}
    config = {"mode": "continuation", "context_length": 130, "source": source}
    wish = parse({"gen_params": {"prompt": "x", "config": config}}).generation
    assert wish.operation is Operation.MUSIC_EXTENSION
    assert [(each.role, each.output_of, each.output) for each in wish.inputs] == [(Role.AUDIO, SONGS[1], 1)]
    assert wish.extra == {"context_length": 130}
    before = parse({"gen_params": {"prompt": "x", "config": config | {"mode": "precede"}}}).generation
    assert before.extra == {"context_length": 130, "mode": "precede"}


def test_a_bad_field_is_named_with_its_path() -> None:
    assert refused({}) == "gen_params.prompt: is required"
    assert refused({"prompt": ""}) == "gen_params.prompt: is required"
    assert refused({"prompt": "x", "prompt_strength": 1.1}).startswith("gen_params.prompt_strength: ")
    assert "udio32-v1.5" in refused({"prompt": "x", "model_type": "udio9"})
    told = refused({"prompt": "x", "config": {"mode": "continuation"}})
    assert told == "gen_params.config.source.song_id: is required with mode continuation"


# -- answers ---------------------------------------------------------------------------------


def job(state: State = State.SUCCEEDED, **changes: Any) -> Job:
    values: dict[str, Any] = {
        "id": ID,
        "wire": "udio",
        "route": "",
        "owner": "",
        "generation": Generation(operation=Operation.TEXT_TO_MUSIC, model="udio32-v1.5", prompt="folk", count=2),
        "engine": "script",
        "state": state,
        "created": 1_730_735_255.363658,
        "started": 1_730_735_256.0,
        "finished": 1_730_735_300.0 if state.final else None,
    }
    return Job(**values | changes)


def file(name: str, media_type: str, seconds: float | None = None) -> Output:
    return Output(id=name, media_type=media_type, asset=name, url=f"https://f.example/{name}", seconds=seconds)


def test_a_create_tells_its_songs_in_one_dialect_and_its_task_in_the_other() -> None:
    answer = json.loads(created(job(State.QUEUED), HttpRequest(method="POST", path=PROXY)).body)
    assert answer == {"message": "Success", "generation_id": PUBLIC, "track_ids": list(SONGS)}
    route = next(route for route in WIRE.routes if route.path == SUBMIT and isinstance(route, Create))
    told = json.loads(route.render(job(State.QUEUED), HttpRequest(method="POST", path=SUBMIT)).body)
    assert told == {"code": "success", "message": "", "data": PUBLIC}


def test_a_finished_song_has_every_key_its_file_and_its_length() -> None:
    made = (file("a.mp3", "audio/mpeg", 32.81), file("b.mp3", "audio/mpeg", 32.5), file("c.png", "image/png"))
    first, second = songs_of(job(outputs=made))
    assert sorted(type(first).__struct_fields__) == sorted(KEYS)
    assert (first.id, second.id, first.generation_id) == (*SONGS, PUBLIC)
    assert (first.song_path, second.song_path) == ("https://f.example/a.mp3", "https://f.example/b.mp3")
    assert first.image_path == second.image_path == "https://f.example/c.png"
    assert (first.finished, first.duration, first.error_type, first.video_path) == (True, 32.81, None, None)
    assert first.created_at == "2024-11-04T15:47:35.363658+00:00"


@pytest.mark.parametrize(
    ("state", "status", "progress"), [(State.QUEUED, "SUBMITTED", "0%"), (State.RUNNING, "IN_PROGRESS", "40%")]
)
def test_an_unfinished_task_shows_its_songs_without_files(state: State, status: str, progress: str) -> None:
    told = task(job(state, progress=0.4 if state is State.RUNNING else None)).data
    assert (told.action, told.status, told.progress, told.finish_time) == ("udio-generate", status, progress, 0)
    assert (told.submit_time, told.fail_reason) == (1730735255, "")
    assert [(each.finished, each.song_path, each.duration) for each in told.data.songs] == [(False, None, None)] * 2


def test_a_failed_song_is_finished_without_a_file_and_says_why() -> None:
    failed = job(State.FAILED, failure=Failure(kind=Kind.REFUSED, message="not this"))
    told = task(failed).data
    assert (told.status, told.fail_reason, told.progress) == ("FAILURE", "not this", "100%")
    for each in told.data.songs:
        assert (each.finished, each.song_path) == (True, None)
        assert (each.error_type, each.error_code, each.error_detail) == ("generation_failed", "refused", "not this")


# -- over the application ----------------------------------------------------------------------


async def test_songs_are_made_and_queried_in_the_order_asked(start: Start) -> None:
    async with start(**SCRIPTED) as running:
        answer = await running.client.post(PROXY, json={"gen_params": PARAMS})
        assert answer.status_code == 200, answer.text
        first, second = answer.json()["track_ids"]
        await running.finished(WIRE.job_id(first))

        async def query(ids: str) -> list[dict[str, Any]]:
            told = await running.client.get("/udio/query", params={"ids": ids})
            assert told.status_code == 200
            return told.json()["songs"]

        assert [each["id"] for each in await query(f"{second},{first}")] == [second, first]
        [song] = await query(f"{SONGS[0]}, {first}")
        assert sorted(song) == sorted(KEYS)
        assert (song["finished"], song["error_type"]) == (True, None)
        sound = await running.client.get(song["song_path"])
        assert (sound.status_code, sound.headers["content-type"]) == (200, "audio/wav")
        assert song["duration"] == pytest.approx(32.8, abs=0.1)
        assert [each["id"] for each in await query(answer.json()["generation_id"])] == [first, second]
        assert await query("") == []
        assert (await running.client.get("/udio/query")).json() == {"songs": []}


async def test_a_task_is_made_read_and_gone_on_from(start: Start) -> None:
    async with start(**SCRIPTED) as running:

        async def made(params: dict[str, Any]) -> dict[str, Any]:
            answer = await running.client.post(SUBMIT, json={"gen_params": params})
            assert answer.status_code == 200, answer.text
            await running.finished(WIRE.job_id(answer.json()["data"]))
            told = (await running.client.get(f"/udio/fetch/{answer.json()['data']}")).json()
            assert told["code"] == "success"
            return told["data"]

        task = await made(PARAMS)
        assert task["status"] == "SUCCESS"
        source = {"source_type": "song", "song_id": task["data"]["songs"][1]["id"]}
        config = {"mode": "continuation", "context_length": 130, "source": source}
        assert (await made({"prompt": "x", "config": config}))["status"] == "SUCCESS"
        failed = await made({"prompt": "fail refused not today"})
        assert (failed["status"], failed["fail_reason"]) == ("FAILURE", "not today")


async def test_what_is_not_there_is_told_in_the_relays_words(start: Start) -> None:
    keys = [{"name": "ann", "sha256": digest("s3cret-ann"), "requests_per_minute": 3}]
    async with start(keys=keys, **SCRIPTED) as running:
        bare = {"authorization": "s3cret-ann"}
        unknown = await running.client.get(f"/udio/fetch/{PUBLIC}", headers=bare)
        assert (unknown.status_code, unknown.json()["code"]) == (400, "task_not_exist")
        source = {"source_type": "song", "song_id": SONGS[0]}
        params = {"prompt": "x", "config": {"mode": "continuation", "source": source}}
        onward = await running.client.post(SUBMIT, json={"gen_params": params}, headers=bare)
        assert (onward.status_code, onward.json()["code"]) == (400, "task_not_exist")
        assert onward.json()["message"].startswith("task_origin_not_exist: ")
        assert (await running.client.get("/udio/query", params={"ids": PUBLIC})).status_code == 401
        for _ in range(3):
            answer = await running.client.post(PROXY, json=PARAMS, headers={"authorization": "Bearer s3cret-ann"})
        assert (answer.status_code, answer.json()["code"]) == (429, "rate_limit_exceeded")
