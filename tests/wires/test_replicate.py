"""The Replicate wire in front: the vendor's bodies, headers, answers and words, in process and over the application."""

import asyncio
import base64
import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from mutoscope.model.http import HttpRequest
from mutoscope.model.job import Failure, Generation, Job, Operation, Output, Role, State
from mutoscope.model.problem import Kind, Problem
from mutoscope.model.requests import Submission
from mutoscope.wirekit.routes import Create
from mutoscope.wires.claims import CLAIMS
from mutoscope.wires.replicate import api, models
from mutoscope.wires.replicate.api import WIRE, task, waited
from mutoscope.wires.replicate.shelf import file_id, schema_of, upload_of

Start = Callable[..., Any]
PICTURE, CLIP = "https://files.example/a.png", "https://files.example/a.mp4"
SCHNELL, I2V, SDXL = "black-forest-labs/flux-schnell", "wan-video/wan-2.2-i2v-fast", "stability-ai/sdxl"
CREATES = {route.path: route for route in WIRE.routes if isinstance(route, Create)}
BOAT = {"prompt": "a paper boat"}
ID = "01890a5d-ac96-774b-bcce-b302099a8057"


def parse(
    word: str, input: Any = None, *, how: str = "models", headers: dict[str, str] | None = None, **more: Any
) -> Submission:
    """A create by a path that names the model, or by `version`."""
    body = {"input": BOAT if input is None else input, **more}
    if how == "version":
        path, params, body = "/v1/predictions", {}, body | {"version": word}
    else:
        path = f"/v1/{how}/{{owner}}/{{name}}/predictions"
        params = dict(zip(("owner", "name"), word.split("/"), strict=True))
    told = json.dumps(body).encode()
    return CREATES[path].parse(HttpRequest(method="POST", path=path, params=params, headers=headers or {}, body=told))


def made(word: str, input: Any = None, **more: Any) -> Generation:
    return parse(word, input, **more).generation


def refused(word: str, input: Any = None, **more: Any) -> dict[str, Any]:
    with pytest.raises(Problem) as caught:
        parse(word, input, **more)
    answer = WIRE.render_problem(caught.value, HttpRequest(method="POST", path="/v1/predictions"))
    assert answer.media_type == "application/problem+json"
    return json.loads(answer.body)


def job(word: str = SCHNELL, **changes: Any) -> Job:
    values: dict[str, Any] = {
        "id": ID,
        "wire": "replicate",
        "route": "",
        "owner": "",
        "generation": Generation(operation=Operation.TEXT_TO_IMAGE, model=word, prompt="a paper boat"),
        "body": json.dumps({"input": BOAT}).encode(),
        "engine": "script",
        "origin": "https://here.example",
        "created": 1_767_268_800.0,
    }
    return Job(**(values | changes))


# -- which model -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "how"),
    [
        (SCHNELL, "models"),
        (SCHNELL, "deployments"),
        (SCHNELL, "version"),
        (f"{SCHNELL}:{models.BY_WORD[SCHNELL].version}", "version"),
        (models.BY_WORD[SCHNELL].version, "version"),
    ],
)
def test_a_model_is_named_by_the_path_by_its_version_or_by_both(word: str, how: str) -> None:
    wish = made(word, how=how)
    assert (wish.operation, wish.model, wish.prompt) == (Operation.TEXT_TO_IMAGE, SCHNELL, "a paper boat")


@pytest.mark.parametrize("version", models.BY_WORD[SDXL].versions)
def test_ids_of_the_vendors_own_versions_are_known(version: str) -> None:
    assert made(version, how="version").model == SDXL
    assert made(f"{SDXL}:{version}", how="version").model == SDXL


def test_a_version_that_is_not_known_is_told_in_the_vendors_words() -> None:
    answer = refused("0" * 64, how="version")
    assert (answer["title"], answer["status"]) == ("Invalid version or not permitted", 422)
    assert answer["detail"] == "- version: names no version that this server knows; name the model as owner/name"


@pytest.mark.parametrize("word", ["no such model", "../models", "a/b/c", "", "a/..", "%2e%2e/x"])
def test_what_is_no_name_of_a_model_is_refused(word: str) -> None:
    assert refused(word, how="version")["invalid_fields"][0]["field"] == "version"


@pytest.mark.parametrize(
    ("word", "input", "operation"),
    [
        ("somebody/paints", BOAT, Operation.TEXT_TO_IMAGE),
        ("somebody/paints", BOAT | {"image": PICTURE}, Operation.IMAGE_TO_IMAGE),
        ("somebody/paints", BOAT | {"input_image": PICTURE}, Operation.IMAGE_TO_IMAGE),
        ("somebody/paints", BOAT | {"image": PICTURE, "mask": PICTURE}, Operation.IMAGE_INPAINT),
        ("somebody/a-video-model", BOAT, Operation.TEXT_TO_VIDEO),
        ("somebody/dreams", BOAT | {"duration": 5}, Operation.TEXT_TO_VIDEO),
        ("somebody/dreams", BOAT | {"start_image": PICTURE}, Operation.IMAGE_TO_VIDEO),
        ("somebody/dreams", BOAT | {"video": CLIP}, Operation.VIDEO_TO_VIDEO),
    ],
)
def test_a_model_that_is_not_known_makes_what_its_input_says(word: str, input: Any, operation: Operation) -> None:
    wish = made(word, input)
    assert (wish.model, wish.operation) == (word, operation)
    assert made(f"{word}:{'0' * 64}", input, how="version").model == f"{word}:{'0' * 64}"


# -- its input ---------------------------------------------------------------------------


def test_an_input_is_read_by_the_models_own_names() -> None:
    wish = made("kwaivgi/kling-v2.1", BOAT | {"start_image": PICTURE, "end_image": PICTURE, "duration": 10})
    assert (wish.operation, wish.seconds) == (Operation.IMAGE_TO_VIDEO, 10)
    assert [(each.role, each.field) for each in wish.inputs] == [
        (Role.LAST_FRAME, "input.end_image"),
        (Role.FIRST_FRAME, "input.start_image"),
    ]
    wish = made("google/nano-banana", BOAT | {"image_input": [PICTURE, PICTURE]})
    assert [each.field for each in wish.inputs] == ["input.image_input[0]", "input.image_input[1]"]
    wish = made("replicate/hello-world", {"text": "Alice"})
    assert (wish.operation, wish.prompt) == (Operation.TEXT_TO_TEXT, "Alice")
    wish = made("nightmareai/real-esrgan", {"image": PICTURE, "scale": 2})
    assert (wish.operation, wish.extra) == (Operation.IMAGE_UPSCALE, {"scaleFactor": 2})


@pytest.mark.parametrize(
    ("said", "seconds", "fps"),
    [
        ({}, None, None),
        ({"num_frames": 81}, 5.0, None),
        ({"num_frames": 121}, 7.5, None),
        ({"num_frames": 121, "frames_per_second": 24}, 5.0, 24),
        ({"frames_per_second": 20}, 4.0, 20),
    ],
)
def test_frames_and_their_rate_say_how_long_a_clip_is(said: Any, seconds: float | None, fps: int | None) -> None:
    wish = made(I2V, BOAT | {"image": PICTURE} | said)
    assert (wish.seconds, wish.fps) == (seconds, fps)


def test_a_shape_of_flux_is_its_own_size_and_that_of_the_input_asks_for_nothing() -> None:
    wish = made(SCHNELL, BOAT | {"aspect_ratio": "16:9", "num_outputs": 2, "seed": 7})
    assert (wish.width, wish.height, wish.count, wish.seed) == (1344, 768, 2, 7)
    wish = made("black-forest-labs/flux-kontext-pro", BOAT | {"aspect_ratio": "match_input_image"})
    assert (wish.width, wish.extra) == (None, {})


def test_every_flaw_of_an_input_is_told_at_once_with_its_place() -> None:
    answer = refused(SCHNELL, {"num_outputs": 9, "seed": "x", "aspect_ratio": "2:1"}, webhook="not a link")
    assert (answer["status"], answer["title"]) == (422, "Input validation failed")
    named = {each["field"] for each in answer["invalid_fields"]}
    assert named == {"input.prompt", "input.num_outputs", "input.seed", "input.aspect_ratio", "webhook"}
    assert "- input.num_outputs: should be at most 4" in answer["detail"].split("\n")


def test_members_that_a_model_does_not_have_are_noted() -> None:
    read = parse(SCHNELL, BOAT | {"lora_scale": 1}, something=1)
    assert [note.partition(" (")[0] for note in read.ignored] == ["ignored: input.lora_scale", "ignored: something"]
    assert (read.notes, read.generation.extra) == ((), {})


def test_members_that_only_the_model_itself_can_know_are_kept_for_it() -> None:
    read = parse("somebody/paints", BOAT | {"lora_scale": 1, "image": PICTURE, "none": None})
    assert read.unread == {"input.lora_scale": 1}


def test_a_file_of_ours_in_an_input_is_read_from_the_store() -> None:
    public = base64.urlsafe_b64encode(ID.encode()).decode()
    for base in ("http://here.example/replicate/v1", "https://api.example/v1", "http://here.example"):
        [file] = made(I2V, BOAT | {"image": f"{base}/files/{public}"}).inputs
        assert (file.upload, file.url) == (ID, None)
    assert file_id(public) == ID
    theirs = base64.urlsafe_b64encode(b"4fb6f6c4-18af-4f72-aaf9-8885645ce012").decode()  # a file at the vendor
    for other in (f"https://api.example/v1/files/{theirs}", "https://api.example/v1/files/x", PICTURE):
        assert upload_of(other) is None
        assert made(I2V, BOAT | {"image": other}).inputs[0].url == other
    for text in ("", "x", "é" * 48, "A" * 48, public[:-1]):
        assert file_id(text) is None


def test_files_come_as_links_and_as_data() -> None:
    data = "data:image/png;base64," + base64.b64encode(b"bytes of a file").decode()
    assert made(I2V, BOAT | {"image": data}).inputs[0].data == b"bytes of a file"
    answer = refused(I2V, BOAT | {"image": "a.png"})
    assert answer["invalid_fields"][0]["field"] == "input.image"


# -- headers and webhooks ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("prefer", "seconds"),
    [
        ("wait", 60), ("wait=10", 10), ("wait=1", 1), ("wait=61", 60), ("wait=0", 1), ("respond-async, wait=5", 5),
        ("respond-async", None), ("wait=x", None), ("", None),
    ],
)  # fmt: skip
def test_prefer_says_how_long_an_answer_may_take(prefer: str, seconds: float | None) -> None:
    assert parse(SCHNELL, headers={"prefer": prefer}).wait == seconds


@pytest.mark.parametrize("text", ["5", "30s", "5m", "1h30m", "1h30m10s"])
def test_a_deadline_is_noted(text: str) -> None:
    [note] = parse(SCHNELL, headers={"cancel-after": text}).notes
    assert note == f"ignored: Cancel-After ({text}): cancel the prediction instead"


@pytest.mark.parametrize("text", ["", "4", "0m", "soon", "-5s", "1.5h", "5mx"])
def test_a_deadline_that_is_none_is_refused(text: str) -> None:
    assert refused(SCHNELL, headers={"cancel-after": text})["invalid_fields"][0]["field"] == "Cancel-After"


ENDS = frozenset({State.SUCCEEDED, State.FAILED, State.CANCELED})
HOOK = "https://ours.example/hook?user=1"


@pytest.mark.parametrize(
    ("wanted", "events"),
    [
        (None, ENDS),
        (["completed"], ENDS),
        (["start"], {State.RUNNING}),
        (["start", "completed"], ENDS | {State.RUNNING}),
        (["output", "logs"], {State.SUCCEEDED}),
    ],
)
def test_a_webhook_hears_of_what_is_asked_for(wanted: list[str] | None, events: set[State]) -> None:
    read = parse(SCHNELL, webhook=HOOK, webhook_events_filter=wanted)
    assert (read.webhook, read.events) == (HOOK, events)


def test_a_webhook_for_logs_alone_is_not_told_and_the_job_says_so() -> None:
    read = parse(SCHNELL, webhook=HOOK, webhook_events_filter=["logs"])
    assert (read.webhook, read.events) == (None, None)
    assert read.notes == ("ignored: webhook (no message is made of logs alone)",)


def test_the_older_webhook_hears_of_ends() -> None:
    read = parse(SCHNELL, webhook_completed=HOOK, webhook_events_filter=["start"])
    assert (read.webhook, read.events, read.fields["webhook"]) == (HOOK, ENDS, "webhook_completed")
    read = parse(SCHNELL, webhook=HOOK, webhook_completed="https://older.example/")
    assert read.webhook == HOOK
    assert read.notes == ("ignored: webhook_completed (webhook is told)",)


@pytest.mark.parametrize("scheme", ["Bearer", "Token", "token"])
def test_a_key_comes_as_bearer_or_as_token(scheme: str) -> None:
    request = HttpRequest(method="GET", path="/", headers={"authorization": f"{scheme} r8_key"})
    assert WIRE.credential(request) == "r8_key"


# -- answers -------------------------------------------------------------------------------


def test_an_id_is_26_letters_and_digits_and_leads_back() -> None:
    public = WIRE.public_id(ID)
    assert len(public) == 26
    assert public == public.lower()
    assert WIRE.job_id(public) == ID
    for other in (public.upper(), "prediction_id", "z" * 26, "0" * 26, "u" * 26):
        assert WIRE.job_id(other) is None


def test_a_prediction_has_the_members_of_the_vendors_own() -> None:
    told = json.loads(msgspec.json.encode(task(job())))
    public = WIRE.public_id(ID)
    here = f"https://here.example/replicate/v1/predictions/{public}"
    assert told == {
        "id": public,
        "model": SCHNELL,
        "version": "hidden",
        "status": "starting",
        "input": BOAT,
        "output": None,
        "logs": "",
        "error": None,
        "data_removed": False,
        "created_at": "2026-01-01T12:00:00.000Z",
        "started_at": None,
        "completed_at": None,
        "source": "api",
        "metrics": {},
        "urls": {"get": here, "cancel": f"{here}/cancel", "web": here},
    }


FILE = Output(id="o", media_type="image/png", asset="a.png", url="https://here.example/o.png")
FILM = Output(id="o", media_type="video/mp4", asset="a.mp4", url="https://here.example/o.mp4", seconds=5.0)


@pytest.mark.parametrize(
    ("word", "input", "outputs", "told"),
    [
        (SCHNELL, BOAT, (FILE,), [FILE.url]),
        (SCHNELL, BOAT, (FILE, FILE), [FILE.url, FILE.url]),
        ("black-forest-labs/flux-1.1-pro", BOAT, (FILE,), FILE.url),
        (I2V, BOAT, (FILM,), FILM.url),
        ("somebody/paints", BOAT, (FILE,), FILE.url),
        ("somebody/paints", BOAT | {"num_outputs": 1}, (FILE,), [FILE.url]),
        ("replicate/hello-world", {"text": "Alice"}, (Output(id="o", media_type="text/plain", text="hello"),), "hello"),
    ],
)
def test_an_output_is_a_link_or_a_list_as_the_model_has_it(
    word: str, input: Any, outputs: tuple[Output, ...], told: Any
) -> None:
    body = json.dumps({"input": input}).encode()
    assert task(job(word, state=State.SUCCEEDED, outputs=outputs, body=body)).output == told


def test_an_end_is_told_with_its_figures() -> None:
    done = job(state=State.SUCCEEDED, outputs=(FILE, FILE), started=1_767_268_801.0, finished=1_767_268_803.5)
    told = task(done)
    assert told.metrics == {"total_time": 3.5, "predict_time": 2.5, "image_count": 2}
    assert (told.started_at, told.completed_at) == ("2026-01-01T12:00:01.000Z", "2026-01-01T12:00:03.500Z")
    film = task(job(I2V, state=State.SUCCEEDED, outputs=(FILM,), finished=1_767_268_803.5))
    assert film.metrics["video_output_duration_seconds"] == 5.0
    failed = task(job(state=State.FAILED, failure=Failure(kind=Kind.REFUSED, message="not today"), finished=1.0))
    assert (failed.status, failed.error, failed.output) == ("failed", "not today", None)
    canceled = task(job(state=State.CANCELED, finished=1.0))
    assert (canceled.status, canceled.error) == ("canceled", None)


def test_logs_tell_what_was_ignored_and_how_far_it_is() -> None:
    assert task(job(notes=("ignored: x",), progress=0.42)).logs == "ignored: x\n 42%|████      | 42/100\n"
    assert task(job(state=State.SUCCEEDED, outputs=(FILE,))).logs == "100%|██████████| 100/100\n"


def test_a_version_a_deployment_and_older_members_are_told_as_they_were_asked() -> None:
    version = models.BY_WORD[SDXL].version
    for text, told in ((version, version), (f"{SDXL}:{version}", version), (SCHNELL, "hidden")):
        body = json.dumps({"version": text, "input": BOAT, "stream": True, "webhook_completed": HOOK}).encode()
        prediction = task(job(SDXL, body=body))
        assert (prediction.version, prediction.stream, prediction.webhook_completed) == (told, True, HOOK)
    assert task(job(route="deployments")).deployment == SCHNELL
    cut = task(job(body=b'{"input": {"image": "data:'))  # a large body is kept in part only
    assert cut.input == {}


def test_what_goes_on_after_a_wait_says_that_it_starts() -> None:
    """Any other word is an end to the vendor's clients."""
    request = HttpRequest(method="POST", path="/v1/predictions", headers={"prefer": "wait=5"})
    answer = waited(job(state=State.RUNNING, started=1_767_268_801.0), request)
    told = json.loads(answer.body)
    assert (answer.status, told["status"], told["started_at"]) == (202, "starting", None)
    assert answer.headers["preference-applied"] == "wait=5"
    answer = waited(job(state=State.SUCCEEDED, outputs=(FILE,)), request)
    assert (answer.status, json.loads(answer.body)["status"]) == (201, "succeeded")


@pytest.mark.parametrize(
    ("kind", "status", "title"),
    [
        (Kind.UNAUTHENTICATED, 401, "Unauthenticated"),
        (Kind.OVER_BUDGET, 402, "Insufficient credit"),
        (Kind.NOT_FOUND, 404, "Not found"),
        (Kind.UNSUPPORTED, 422, "Unsupported"),
        (Kind.RATE_LIMITED, 429, "Too many requests"),
        (Kind.INTERNAL, 500, "Internal"),
    ],
)
def test_trouble_is_told_as_the_vendor_tells_it(kind: Kind, status: int, title: str) -> None:
    problem = Problem(kind, "why it is so", retry_after=7.2)
    answer = WIRE.render_problem(problem, HttpRequest(method="GET", path="/v1/predictions/x"))
    assert (answer.status, answer.headers["retry-after"]) == (status, "8")
    assert json.loads(answer.body) == {"title": title, "detail": "why it is so", "status": status}


@pytest.mark.parametrize("word", models.BY_WORD)
def test_a_schema_has_what_the_vendors_clients_look_for(word: str) -> None:
    known, schemas = models.BY_WORD[word], schema_of(word)["components"]["schemas"]
    members = schemas["Input"]["properties"]
    assert list(members) == list(known.input.__struct_fields__)
    assert [each["x-order"] for each in members.values()] == list(range(len(members)))
    for told in members.values():
        assert told["title"]
        assert isinstance(told["type"], str)
        assert "anyOf" not in told
    assert schemas["Output"]["type"] == ("array" if known.many else "string")
    file = schemas["Output"].get("items", schemas["Output"])
    assert file.get("format") == (None if known.texts else "uri")


def test_a_schema_tells_bounds_choices_and_defaults() -> None:
    members = schema_of("bytedance/seedance-1-lite")["components"]["schemas"]["Input"]["properties"]
    assert members["duration"] == {
        "type": "integer", "minimum": 2, "maximum": 12, "title": "Duration", "x-order": 3, "default": 5.0,
    }  # fmt: skip
    assert members["resolution"]["enum"] == ["1080p", "480p", "720p"]
    assert members["resolution"]["default"] == "720p"
    assert members["image"]["format"] == "uri"


# -- over the application --------------------------------------------------------------------


KEY = {"authorization": "Token r8_any"}
CLIENT = "replicate-python/1.0.7"  # some paths are other vendors' too: a User-Agent tells


async def until(running: Any, path: str, status: str) -> dict[str, Any]:
    for _ in range(500):
        told = (await running.client.get(path, headers=KEY)).json()
        if told["status"] == status:
            return told
        await asyncio.sleep(0.01)
    raise AssertionError(told)


async def test_a_prediction_lives_from_create_to_its_file(start: Start) -> None:
    async with start(rehearsal=True) as running:
        body = {"input": BOAT | {"aspect_ratio": "16:9", "go_fast": True}}
        answer = await running.client.post(f"/v1/models/{SCHNELL}/predictions", json=body, headers=KEY)
        assert (answer.status_code, answer.json()["status"]) == (201, "starting")
        done = await until(running, f"/v1/predictions/{answer.json()['id']}", "succeeded")
        assert done["input"] == body["input"]
        assert done["metrics"]["image_count"] == 1
        [link] = done["output"]
        file = await running.client.get(link)
        assert (file.status_code, file.headers["content-type"]) == (200, "image/png")
        again = await running.client.get(done["urls"]["get"], headers=KEY)
        assert again.json() == done


@pytest.mark.parametrize("base", ["/v1", "/v1/v1", "/replicate/v1", "/replicate"])
async def test_a_base_url_may_have_the_version_or_not(start: Start, base: str) -> None:
    async with start(rehearsal=True) as running:
        answer = await running.client.post(f"{base}/predictions", json={"version": SCHNELL, "input": BOAT})
        assert answer.status_code == 201, answer.text
        id = answer.json()["id"]
        assert (await running.client.get(f"{base}/predictions/{id}")).json()["id"] == id
        assert (await running.client.get(f"{base}/models/{SCHNELL}")).json()["name"] == "flux-schnell"


async def test_a_wait_ends_with_the_job_or_says_that_it_starts(start: Start) -> None:
    async with start(rehearsal=True) as running:
        path = f"/v1/models/{SCHNELL}/predictions"
        answer = await running.client.post(path, json={"input": BOAT}, headers={"prefer": "wait=20"})
        assert (answer.status_code, answer.json()["status"]) == (201, "succeeded")
        assert answer.headers["preference-applied"] == "wait=20"
        hanging = {"input": {"prompt": "hang"}}
        answer = await running.client.post(path, json=hanging, headers={"prefer": "wait=1"})
        assert (answer.status_code, answer.json()["status"]) == (202, "starting")
        id = answer.json()["id"]
        assert (await running.client.get(f"/v1/predictions/{id}")).json()["status"] == "processing"
        canceled = await running.client.post(f"/v1/predictions/{id}/cancel")
        assert (canceled.status_code, canceled.json()["status"]) == (200, "canceled")
        again = await running.client.post(f"/v1/predictions/{id}/cancel")
        assert (again.status_code, again.json()["status"]) == (200, "canceled")
        failed = await running.client.post(
            path, json={"input": {"prompt": "fail refused not today"}}, headers={"prefer": "wait"}
        )
        assert (failed.status_code, failed.json()["status"], failed.json()["error"]) == (201, "failed", "not today")


async def test_a_list_goes_by_cursors_that_are_whole_links(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "PAGE", 2)
    async with start(rehearsal=True, script={"slots": 0}) as running:
        for _ in range(5):
            await running.client.post(f"/v1/models/{SCHNELL}/predictions", json={"input": BOAT})
        seen, url = list[str](), "/replicate/v1/predictions?created_after=2020-01-01T00:00:00.123456789Z"
        first = (await running.client.get(url)).json()
        assert first["previous"] is None
        assert first["next"].startswith("http://gateway.test/replicate/v1/predictions?created_after=2020")
        while url:
            page = (await running.client.get(url)).json()
            seen += [each["id"] for each in page["results"]]
            url = page["next"]
        assert len(set(seen)) == 5
        assert (await running.client.get(page["previous"])).status_code == 200
        assert (await running.client.get("/v1/predictions?source=web")).json()["results"] == []
        assert (await running.client.get("/v1/predictions?created_before=2020-01-01")).json()["results"] == []


@pytest.mark.parametrize("query", ["cursor=x", "cursor=0", "created_after=soon", "created_before=", "source=api"])
async def test_a_list_names_what_is_wrong_with_its_query(start: Start, query: str) -> None:
    async with start(rehearsal=True) as running:
        answer = await running.client.get(f"/v1/predictions?{query}")
        assert answer.status_code == 422
        assert answer.json()["invalid_fields"][0]["field"] == query.partition("=")[0]


async def test_a_file_sent_ahead_becomes_an_input(start: Start, picture: bytes) -> None:
    async with start(rehearsal=True) as running:
        running.client.headers["user-agent"] = CLIENT
        sent = await running.client.post("/v1/files", files={"content": ("a cat.png", picture, "image/png")})
        told = sent.json()
        assert sent.status_code == 201
        assert set(told) == {
            "id", "name", "content_type", "size", "etag", "checksums", "metadata", "created_at", "expires_at", "urls",
        }  # fmt: skip
        assert (told["name"], told["content_type"], told["size"]) == ("a cat.png", "image/png", len(picture))
        assert (await running.client.get(told["urls"]["get"])).json() == told
        assert (await running.client.get("/v1/files")).json()["results"] == [told]
        bytes_at = (await running.client.get(f"/v1/files/{told['id']}/download?owner=o&expiry=1&signature=s")).headers
        assert (await running.client.get(bytes_at["location"])).content == picture
        body = {"input": BOAT | {"image": told["urls"]["get"]}}
        made = await running.client.post(f"/v1/models/{I2V}/predictions", json=body, headers={"prefer": "wait=30"})
        assert made.json()["status"] == "succeeded", made.text
        assert made.json()["output"].startswith("http://gateway.test/files/")
        assert (await running.client.delete(f"/v1/files/{told['id']}")).status_code == 204
        assert (await running.client.get(f"/v1/files/{told['id']}")).status_code == 404
        late = await running.client.post(f"/v1/models/{I2V}/predictions", json=body)
        assert (late.status_code, "input.image" in late.json()["detail"]) == (422, True)


async def test_parts_of_a_files_form_are_read_as_each_client_sends_them(start: Start, picture: bytes) -> None:
    """The JavaScript client sends its metadata as a file, the newer Python client name and type as texts."""
    async with start(rehearsal=True) as running:
        running.client.headers["user-agent"] = CLIENT
        javascript = {"content": ("b.png", picture, "image/png"), "metadata": ("blob", b"{}", "application/json")}
        assert (await running.client.post("/v1/files", files=javascript)).json()["name"] == "b.png"
        texts, upload = {"filename": "c.txt", "type": "text/plain"}, {"content": ("upload", b"", "a/b")}
        told = (await running.client.post("/v1/files", files=upload, data=texts)).json()
        assert (told["name"], told["content_type"], told["size"]) == ("c.txt", "text/plain", 0)
        missing = await running.client.post("/v1/files", files={"file": ("b.png", picture)})
        assert (missing.status_code, "content" in missing.json()["detail"]) == (422, True)


@pytest.mark.parametrize(
    ("body", "kind"), [("upscale", "text/plain"), ('"upscale"', "application/json"), ("ENLARGED", "text/plain")]
)
async def test_models_are_searched_by_the_method_query(start: Start, body: str, kind: str) -> None:
    async with start(rehearsal=True) as running:
        answer = await running.client.request("QUERY", "/v1/models", content=body, headers={"content-type": kind})
        names = [each["name"] for each in answer.json()["results"]]
        assert names == ([] if "upscale" in body else ["real-esrgan"])
        found = await running.client.get("/v1/search?query=enlarged")
        assert [each["model"]["name"] for each in found.json()["models"]] == ["real-esrgan"]


RECORDED: dict[str, tuple[str, set[str]]] = {
    "model": (
        f"/v1/models/{SDXL}",
        {
            *("url", "owner", "name", "description", "visibility", "github_url", "paper_url", "license_url"),
            *("run_count", "cover_image_url", "default_example", "latest_version", "created_at"),
        },
    ),
    "version": (
        f"/v1/models/{SDXL}/versions/39ed52f2a78e934b3ba6e2a89f5b1c712de7dfea535525255b1aa35c5565e08b",
        {"id", "created_at", "cog_version", "openapi_schema"},
    ),
    "models": ("/v1/models", {"next", "previous", "results"}),
    "collections": ("/v1/collections", {"next", "previous", "results"}),
    "collection": ("/v1/collections/text-to-image", {"description", "models", "name", "slug"}),
    "files": ("/v1/files", {"next", "previous", "results"}),
    "trainings": ("/v1/trainings", {"next", "previous", "results"}),
    "account": ("/v1/account", {"type", "username", "name", "github_url"}),
    "deployment": (f"/v1/deployments/{SCHNELL}", {"owner", "name", "current_release"}),
}
"""Answers as the vendor's own client's tests have recorded them: the path, and the members."""


@pytest.mark.parametrize("what", RECORDED)
async def test_an_answer_has_the_members_of_the_recorded_one(start: Start, what: str) -> None:
    path, members = RECORDED[what]
    async with start(rehearsal=True) as running:
        running.client.headers["user-agent"] = CLIENT
        answer = await running.client.get(path)
        assert answer.status_code == 200, answer.text
        assert members <= set(answer.json())


RECORDED_CREATES = (
    (f"/v1/models/{SCHNELL}/predictions", {"input": {"prompt": "Please write a haiku about llamas."}}, {}),
    (f"/v1/models/{SCHNELL}/predictions", {"input": {"prompt": "a haiku about llamas"}}, {"prefer": "wait=10"}),
    (
        "/v1/predictions",
        {
            "input": {
                "prompt": "a studio photo of a rainbow colored corgi",
                "width": 512,
                "height": 512,
                "seed": 42069,
            },
            "version": "39ed52f2a78e934b3ba6e2a89f5b1c712de7dfea535525255b1aa35c5565e08b",
        },
        {"prefer": "wait=10"},
    ),
    ("/v1/predictions", {"input": {"text": "Alice"}, "version": models.HELLO[0], "stream": True}, {}),
)
"""Requests as they are recorded there; the models that write are changed for one that paints."""


@pytest.mark.parametrize(("path", "body", "headers"), RECORDED_CREATES)
async def test_a_recorded_create_is_answered_with_the_recorded_members(
    start: Start, path: str, body: Any, headers: dict[str, str]
) -> None:
    async with start(rehearsal=True) as running:
        answer = await running.client.post(path, json=body, headers=headers)
        told = answer.json()
        assert answer.status_code == 201, told
        first = {"id", "model", "version", "input", "logs", "error", "status", "created_at", "urls", "data_removed"}
        assert first | {"output", "started_at", "completed_at", "metrics"} <= set(told)
        assert {"get", "cancel"} <= set(told["urls"])
        assert told["input"] == body["input"]
        assert told["version"] == body.get("version", "hidden")
        assert "stream" not in told["urls"]  # nothing streams here, and a client that is told so does not try


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/v1/models", 403),
        ("PATCH", f"/v1/models/{SCHNELL}", 403),
        ("DELETE", f"/v1/models/{SCHNELL}", 403),
        ("POST", f"/v1/models/{SDXL}/versions/{models.SDXL[1]}/trainings", 404),
        ("GET", "/v1/trainings/x", 404),
        ("POST", "/v1/trainings/x/cancel", 404),
        ("POST", "/v1/deployments", 403),
        ("GET", "/v1/webhooks/default/secret", 403),
        ("GET", "/v1/models/nobody/nothing", 404),
        ("GET", f"/v1/models/{SCHNELL}/versions/{'0' * 64}", 404),
        ("GET", "/v1/collections/nothing", 404),
        ("GET", f"/v1/predictions/{WIRE.public_id(ID)}", 404),
    ],
)
async def test_what_is_not_here_is_said(start: Start, method: str, path: str, status: int) -> None:
    async with start(rehearsal=True) as running:
        answer = await running.client.request(method, path)
        assert (answer.status_code, answer.json()["status"]) == (status, status)
        assert len(answer.json()["detail"]) > 20


async def test_models_of_the_vendors_own_have_no_versions_to_list(start: Start) -> None:
    async with start(rehearsal=True) as running:
        page = (await running.client.get(f"/v1/models/{SCHNELL}/versions")).json()
        assert page == {"next": None, "previous": None, "results": []}
        page = (await running.client.get(f"/v1/models/{SDXL}/versions")).json()
        assert [each["id"] for each in page["results"]] == list(models.SDXL)
        latest = (await running.client.get(f"/v1/models/{SCHNELL}")).json()["latest_version"]
        assert (await running.client.get(f"/v1/models/{SCHNELL}/versions/{latest['id']}")).json() == latest
        readme = await running.client.get(f"/v1/models/{SCHNELL}/readme")
        assert readme.headers["content-type"].startswith("text/plain")
        assert (await running.client.get(f"/v1/models/{SCHNELL}/examples")).json()["results"] == []
        assert (await running.client.get("/v1/hardware")).json() == [{"sku": "cpu", "name": "CPU"}]


async def test_a_limit_is_told_in_the_vendors_headers(start: Start) -> None:
    async with start(rehearsal=True, limits={"requests_per_minute": 2}) as running:
        first = await running.client.get("/v1/account")
        assert first.headers["ratelimit-remaining"] == "1"
        assert first.headers["ratelimit-reset"].isdigit()
        await running.client.get("/v1/account")
        third = await running.client.get("/v1/account")
        assert third.status_code == 429
        assert third.headers["content-type"] == "application/problem+json"
        assert int(third.headers["retry-after"]) > 0


async def test_a_model_that_is_not_here_is_not_found(start: Start) -> None:
    async with start(rehearsal=True) as running:
        answer = await running.client.post("/v1/models/nobody/nothing/predictions", json={"input": BOAT})
        assert (answer.status_code, answer.json()["title"]) == (404, "Not found")


@pytest.mark.parametrize(
    ("headers", "ours"),
    [
        ({"user-agent": "replicate-python/1.0.7"}, True),
        ({"user-agent": "Replicate/Python 2.0.0b4"}, True),
        ({"user-agent": "replicate-javascript/1.4.0"}, True),
        ({"user-agent": "curl/8", "authorization": "Bearer r8_key"}, True),
        ({"user-agent": "OpenAI/Python 2.1.0", "authorization": "Bearer sk-key"}, False),
        ({}, False),
    ],
)
def test_paths_that_other_vendors_have_too_are_claimed_for_its_own_clients(headers: dict[str, str], ours: bool) -> None:
    claims = [claim for claim in CLAIMS if claim.wire == "replicate" and not claim.reads_body]
    own = {route.at for route in WIRE.routes}
    assert {claim.at for claim in claims} <= own
    request = HttpRequest(method="GET", path="/v1/models", headers=headers)
    assert {claim.when(request) for claim in claims} == {ours}
