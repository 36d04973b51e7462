"""fal's API in front: the queue, the answer that is waited for, results, cancels and errors in its words."""

import asyncio
import base64
import hashlib
import io
import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import urlencode

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from msgspec.structs import replace
from PIL import Image

from mutoscope.model.http import HttpRequest
from mutoscope.model.job import Generation, Job, Output, State
from mutoscope.model.problem import Kind, Problem
from mutoscope.model.requests import Submission
from mutoscope.service.keys import digest
from mutoscope.wires import ROWS
from mutoscope.wires.fal import models
from mutoscope.wires.fal.api import API, WIRE, parse, result
from mutoscope.wires.fal.places import signed

Start = Callable[..., Any]
SCRIPTED: dict[str, Any] = {"models": {row.name: {"engine": "script"} for row in ROWS if row.vendor == "fal"}}
LINK, LAKE = "https://files.example/a.png", "a lake between mountains at dawn"
SCHNELL, KLING = "fal-ai/flux/schnell", "fal-ai/kling-video/v2.1/master/image-to-video"
KLING_26 = "fal-ai/kling-video/v2.6/pro/image-to-video"
QUEUE = "/fal/queue/"


def asked(
    word: str, query: dict[str, str] | None = None, headers: dict[str, str] | None = None, **body: Any
) -> Submission:
    request = HttpRequest(method="POST", path=f"{QUEUE}{word}", params={"app": word}, query=query or {},
                          headers=headers or {}, body=json.dumps(body).encode())  # fmt: skip
    return parse(request)


def made(word: str, **body: Any) -> Generation:
    return asked(word, **body).generation


def refused(word: str, **body: Any) -> tuple[int, Any]:
    with pytest.raises(Problem) as caught:
        asked(word, **body)
    answer = WIRE.render_problem(caught.value, HttpRequest(method="POST", path=f"{QUEUE}{word}"))
    return answer.status, json.loads(answer.body)


def job(word: str, *outputs: Output, body: dict[str, Any] | None = None, **changes: Any) -> Job:
    wish = replace(made(word, **(body or {"prompt": "a cat"})), model=word)
    values: dict[str, Any] = {"state": State.SUCCEEDED, "started": 10.0, "finished": 12.5} | changes
    return Job(id="01890a5d-ac96-774b-bcce-b302099a8057", wire="fal", route="", owner="", engine="script", created=9.0,
               generation=wish, outputs=outputs, **values)  # fmt: skip


def answer(told: Job) -> Any:
    return json.loads(result(told, HttpRequest(method="GET", path="")).body)


# -- requests ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "pixels"),
    [("square_hd", (1024, 1024)), ("portrait_16_9", (576, 1024)), ({"width": 640, "height": 360}, (640, 360))],
)
def test_a_size_is_a_word_or_pixels(size: Any, pixels: tuple[int, int]) -> None:
    wish = made(SCHNELL, prompt="x", image_size=size, num_images=2, seed=15860307465884635512)
    assert (wish.width, wish.height, wish.count, wish.seed) == (*pixels, 2, 15860307465884635512)


@pytest.mark.parametrize(
    ("word", "body", "operation", "seconds"),
    [
        (KLING, {"prompt": "x", "image_url": LINK, "duration": "10"}, "image_to_video", 10.0),
        ("fal-ai/veo3", {"prompt": "x", "duration": "8s"}, "text_to_video", 8.0),
        ("fal-ai/sora-2/text-to-video", {"prompt": "x", "duration": 4}, "text_to_video", 4.0),
        ("fal-ai/wan-i2v", {"prompt": "x", "image_url": LINK, "num_frames": 81}, "image_to_video", 5.0),
        ("fal-ai/wan-i2v", {"prompt": "x", "image_url": LINK, "num_frames": 81, "frames_per_second": 20},
         "image_to_video", 4.0),
        (KLING_26, {"prompt": "x", "start_image_url": LINK}, "image_to_video", None),
        ("fal-ai/esrgan", {"image_url": LINK, "scale": 2}, "image_upscale", None),
        ("fal-ai/birefnet", {"image_url": LINK}, "background_removal", None),
        ("fal-ai/elevenlabs/sound-effects/v2", {"text": "rain", "duration_seconds": 3}, "sound_effect", 3.0),
        ("fal-ai/whisper", {"audio_url": LINK}, "speech_to_text", None),
        ("someone/new-model", {"prompt": "x"}, "text_to_image", None),
        ("someone/new-model/edit", {"prompt": "x", "image_urls": [LINK]}, "image_to_image", None),
        ("someone/new-video", {"prompt": "x", "duration": "5s"}, "text_to_video", 5.0),
        ("workflows/me/mine", {"prompt": "x", "image_url": LINK, "fps": 24}, "image_to_video", None),
    ],
)  # fmt: skip
def test_a_models_id_and_body_say_what_is_made(word: str, body: Any, operation: str, seconds: float | None) -> None:
    wish = made(word, **body)
    assert (wish.operation.value, wish.model, wish.seconds) == (operation, word, seconds)


def test_every_model_of_the_table_reads_every_member_that_it_has() -> None:
    assert len(models.KNOWN) == 42
    silent = {"sync_mode", "voice_setting"}
    for known in models.KNOWN:
        assert {name for name in known.input.__struct_fields__ if name not in known.fields} <= silent, known.word


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({}, {"loc": ["body", "prompt"], "msg": "Field required", "type": "missing"}),
        ({"prompt": "x", "num_images": 9},
         {"loc": ["body", "num_images"], "msg": "Input should be less than or equal to 4", "type": "less_than_equal",
          "ctx": {"le": 4}, "input": 9}),
        ({"prompt": "x", "output_format": "gif"},
         {"loc": ["body", "output_format"], "msg": "Input should be 'jpeg' or 'png'", "type": "one_of",
          "ctx": {"expected": ["jpeg", "png"]}}),
    ],
)  # fmt: skip
def test_a_bad_member_is_told_in_the_models_form(body: Any, found: Any) -> None:
    status, told = refused(SCHNELL, **body)
    assert (status, told["detail"]) == (422, [found | {"url": f"https://docs.fal.ai/errors/#{found['type']}"}])


def test_every_flaw_of_a_request_is_told_the_webhook_with_the_others() -> None:
    with pytest.raises(Problem) as caught:
        asked(SCHNELL, query={"fal_webhook": "nowhere"}, num_images=0)
    assert [flaw.path for flaw in caught.value.flaws] == [("prompt",), ("num_images",), ("fal_webhook",)]


def test_a_header_that_nothing_is_done_about_is_named_in_the_notes() -> None:
    read = asked(SCHNELL, headers={"x-fal-request-timeout": "9", "x-fal-queue-priority": "normal"}, prompt="x")
    assert read.notes == ("ignored: x-fal-request-timeout",)


# -- answers -------------------------------------------------------------------------------

PICTURE = Output(id="o", media_type="image/png", asset="a.png", bytes=9, width=8, height=4, url="https://h.example/a")
CLIP = Output(
    id="o", media_type="video/mp4", asset="a.mp4", bytes=9, width=8, height=4, seconds=5.0, url="https://h.example/a"
)


def test_pictures_are_a_list_with_what_the_model_tells_beside() -> None:
    told = answer(job(SCHNELL, PICTURE, body={"prompt": "a cat", "seed": 2**63 + 5}))
    assert told["images"] == [{"url": "https://h.example/a", "content_type": "image/png", "file_name": "a.png",
                               "file_size": 9, "width": 8, "height": 4}]  # fmt: skip
    assert (told["seed"], told["prompt"], told["timings"]) == (2**63 + 5, "a cat", {"inference": 2.5})
    assert told["has_nsfw_concepts"] == [False]


@pytest.mark.parametrize(
    ("word", "body", "output", "member"),
    [
        ("fal-ai/esrgan", {"image_url": LINK}, PICTURE, "image"),
        (KLING, {"prompt": "x", "image_url": LINK}, CLIP, "video"),
        ("a/b", {"prompt": "x"}, PICTURE, "images"),
        ("a/b", {"prompt": "x", "fps": 24}, CLIP, "video"),
        ("a/b", {"text": "x"}, Output(id="o", media_type="audio/mpeg", asset="a", url="u"), "audio"),
        ("fal-ai/whisper", {"audio_url": LINK}, Output(id="o", media_type="text/plain", text="hello"), "text"),
    ],
)
def test_what_was_made_stands_where_its_model_has_it(word: str, body: Any, output: Output, member: str) -> None:
    told = answer(job(word, output, body=body))
    assert told[member]
    assert not {"images", "image", "video", "audio", "text"} - {member} & told.keys()


def test_a_picture_that_the_answer_carries_is_a_data_uri() -> None:
    told = answer(job(SCHNELL, replace(PICTURE, data=b"png")))
    assert told["images"][0]["url"] == "data:image/png;base64," + base64.b64encode(b"png").decode()


def test_news_is_told_once_with_the_result_or_the_error() -> None:
    assert WIRE.render_webhook
    assert WIRE.render_webhook(job(SCHNELL, state=State.RUNNING)) is None
    told = json.loads(WIRE.render_webhook(job(SCHNELL, PICTURE)) or b"")
    assert (told["status"], told["request_id"]) == ("OK", told["gateway_request_id"])
    assert told["payload"]["images"][0]["width"] == 8
    canceled = json.loads(WIRE.render_webhook(job(SCHNELL, state=State.CANCELED)) or b"")
    assert (canceled["status"], canceled["error"]) == ("ERROR", "Invalid status code: 499")


SAMPLE = (b'{"request_id":"rq-1","gateway_request_id":"rq-1","status":"OK",'
          b'"payload":{"video":{"url":"https://media.example/a.mp4"}}}')  # fmt: skip


def test_news_is_signed_over_ids_time_and_digest_of_the_body() -> None:
    """The vector of the specification holds for the text that is signed and for the key."""
    key = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    digest = "8261399885646c76390006e316036352d6e4a64037d57d20512fa6a6d4744844"
    assert hashlib.sha256(SAMPLE).hexdigest() == digest
    vector = (
        "e70d401e9e872443fd91724545ea24fcfb9fa0580353c3053dc53ea7b39fbc18"
        "f7066b8840999db33405f82edfe4c0ddccef0d1b2a6776eb3359a19862e7dc0d"
    )
    assert key.sign(f"rq-1\nuser-1\n1767225600\n{digest}".encode()).hex() == vector
    texts = list[bytes]()
    told = replace(job(SCHNELL, PICTURE), owner="user-1")
    headers = signed(told, SAMPLE, 1767225600, lambda text: texts.append(text) or key.sign(text))
    id = WIRE.public_id(told.id)
    assert texts == [f"{id}\nuser-1\n1767225600\n{digest}".encode()]
    assert headers == {
        "x-fal-webhook-request-id": id,
        "x-fal-webhook-user-id": "user-1",
        "x-fal-webhook-timestamp": "1767225600",
        "x-fal-webhook-signature": key.sign(texts[0]).hex(),
    }


# -- over the application ------------------------------------------------------------------


async def submitted(running: Any, path: str, **body: Any) -> Any:
    answer = await running.client.post(path, json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize(
    ("prefix", "here"),
    [("/fal/queue/", "/fal/queue/fal-ai/flux"), ("/fal/", "/fal/fal-ai/flux"), ("/", "/fal-ai/flux")],
)
async def test_a_request_goes_from_the_queue_to_its_result(start: Start, prefix: str, here: str) -> None:
    async with start(**SCRIPTED) as running:
        told = await submitted(running, f"{prefix}{SCHNELL}", prompt="sleep 0.3", seed=5)
        id = told["request_id"]
        address = f"http://gateway.test{here}/requests/{id}"
        assert told == {
            "status": "IN_QUEUE", "request_id": id, "queue_position": 0, "logs": None, "metrics": {},
            "response_url": address, "status_url": f"{address}/status", "cancel_url": f"{address}/cancel",
            "gateway_request_id": id,
        }  # fmt: skip
        early = await running.client.get(address)
        assert (early.status_code, early.json()["detail"]) == (400, "Request is still in progress")
        waiting = await running.client.get(told["status_url"])
        assert (waiting.status_code, waiting.json()["logs"]) == (202, None)
        assert waiting.json()["status"] in ("IN_QUEUE", "IN_PROGRESS")
        assert waiting.json()["response_url"] == address
        await running.finished(WIRE.job_id(id) or "")
        done = await running.client.get(told["status_url"])
        assert (done.status_code, done.json()["status"], done.json()["logs"]) == (200, "COMPLETED", None)
        assert done.json()["metrics"]["inference_time"] > 0
        made = await running.client.get(address)
        assert (made.status_code, made.headers["x-fal-request-id"]) == (200, id)
        assert (made.json()["seed"], made.json()["images"][0]["content_type"]) == (5, "image/jpeg")
        full = await running.client.get(f"{prefix}{SCHNELL}/requests/{id}")  # clients written by hand ask so
        assert full.json() == made.json()
        assert (await running.client.get(f"{address}/response")).json() == made.json()


async def test_logs_are_told_to_whom_asks_for_them(start: Start) -> None:
    async with start(**SCRIPTED) as running:
        answer = await running.client.post(f"{QUEUE}{SCHNELL}", json={"prompt": "x", "sync_mode": True})
        await running.finished(WIRE.job_id(answer.json()["request_id"]) or "")
        for asked in ("1", "true"):
            told = await running.client.get(answer.json()["status_url"], params={"logs": asked})
            assert "ignored: sync_mode (files are linked)" in [each["message"] for each in told.json()["logs"]]
        for asked in ("0", "false"):
            told = await running.client.get(answer.json()["status_url"], params={"logs": asked})
            assert told.json()["logs"] is None


async def test_a_run_is_answered_with_what_it_made(start: Start) -> None:
    async with start(**SCRIPTED) as running:
        answer = await running.client.post(f"/fal/run/{SCHNELL}", json={"prompt": "x", "num_images": 2})
        assert answer.status_code == 200, answer.text
        assert len(answer.json()["images"]) == 2
        inline = await running.client.post(f"/fal/run/{SCHNELL}", json={"prompt": "x", "sync_mode": True})
        assert inline.json()["images"][0]["url"].startswith("data:image/jpeg;base64,")
        clip = await running.client.post("/fal/run/fal-ai/veo3", json={"prompt": "x"})
        assert clip.json()["video"]["content_type"] == "video/mp4"


async def test_what_is_not_made_in_time_goes_on_in_the_queue(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mutoscope.web.server.MAX_WAIT", 0.01)
    async with start(**SCRIPTED) as running:
        answer = await running.client.post(f"/fal/run/{SCHNELL}", json={"prompt": "sleep 0.2"})
        assert (answer.status_code, answer.headers["x-fal-request-timeout-type"]) == (504, "user")
        id = answer.headers["x-fal-request-id"]
        await running.finished(WIRE.job_id(id) or "")
        assert (await running.client.get(f"{QUEUE}fal-ai/flux/requests/{id}")).status_code == 200


@pytest.mark.parametrize(
    ("prompt", "status", "type"),
    [
        ("fail refused not today", 422, "content_policy_violation"),
        ("fail engine_failed not today", 500, "runner_server_error"),
        ("fail timed_out not today", 504, "request_timeout"),
    ],
)
async def test_what_failed_is_completed_and_its_result_is_the_error(
    start: Start, prompt: str, status: int, type: str
) -> None:
    async with start(**SCRIPTED) as running:
        told = await submitted(running, f"{QUEUE}{SCHNELL}", prompt=prompt)
        await running.finished(WIRE.job_id(told["request_id"]) or "")
        standing = (await running.client.get(told["status_url"])).json()
        assert (standing["status"], standing["error_type"]) == ("COMPLETED", type)
        assert "not today" in standing["error"]
        failed = await running.client.get(told["response_url"])
        assert (failed.status_code, failed.headers["x-fal-retryable"]) == (status, "false")
        assert type in failed.text and "not today" in failed.text
        at_once = await running.client.post(f"/fal/run/{SCHNELL}", json={"prompt": prompt})
        assert (at_once.status_code, at_once.json()["detail"]) == (status, failed.json()["detail"])


async def test_a_request_is_canceled_once(start: Start) -> None:
    async with start(**SCRIPTED) as running:
        told = await submitted(running, f"{QUEUE}{SCHNELL}", prompt="sleep 30")
        stopped = await running.client.put(told["cancel_url"])
        assert (stopped.status_code, stopped.json()) == (202, {"status": "CANCELLATION_REQUESTED"})
        await running.finished(WIRE.job_id(told["request_id"]) or "")
        standing = (await running.client.get(told["status_url"])).json()
        assert (standing["status"], standing["error_type"]) == ("COMPLETED", "client_cancelled")
        result = await running.client.get(told["response_url"])
        assert (result.status_code, result.json()["error_type"]) == (499, "client_cancelled")
        done = await submitted(running, f"{QUEUE}{SCHNELL}", prompt="x")
        await running.finished(WIRE.job_id(done["request_id"]) or "")
        late = await running.client.put(done["cancel_url"])
        assert (late.status_code, late.json()) == (400, {"status": "ALREADY_COMPLETED"})
        nobodys = await running.client.put(f"{QUEUE}a/b/requests/01890a5d-ac96-474b-bcce-b302099a8057/cancel")
        assert (nobodys.status_code, nobodys.json()["status"]) == (404, "NOT_FOUND")


async def test_a_key_comes_before_the_model_and_in_any_of_three_forms(start: Start) -> None:
    keys = [{"name": "ann", "sha256": digest("id:secret")}]
    async with start(keys=keys, **SCRIPTED) as running:
        for headers in ({}, {"authorization": "Key wrong"}):
            denied = await running.client.post(f"{QUEUE}{SCHNELL}", json={}, headers=headers)
            assert (denied.status_code, type(denied.json()["detail"])) == (401, str)
        for scheme in ("Key", "key", "Bearer"):
            headers = {"authorization": f"{scheme} id:secret"}
            taken = await running.client.post(f"{QUEUE}{SCHNELL}", json={"prompt": "x"}, headers=headers)
            assert taken.status_code == 200


async def test_a_locked_account_and_a_hasty_one_are_told_so(start: Start) -> None:
    keys = [{"name": "ann", "sha256": digest("s"), "budget": 1.0}]
    priced = {SCHNELL: {"engine": "script", "price": {"image": 5.0}}}
    async with start(keys=keys, rehearsal=True, models=priced) as running:
        key = {"authorization": "Key s"}
        locked = await running.client.post(f"{QUEUE}{SCHNELL}", json={"prompt": "x"}, headers=key)
        assert locked.status_code == 403
        assert locked.json()["detail"].startswith("User is locked. Reason: Exhausted balance.")
        hasty = {**key, "x-mutoscope-rehearse": "rate_limited"}
        answer = await running.client.post(f"{QUEUE}{SCHNELL}", json={"prompt": "x"}, headers=hasty)
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")


async def test_a_model_that_no_row_has_is_passed_on_or_not_known(start: Start) -> None:
    async with start() as running:
        answer = await running.client.post(f"{QUEUE}someone/new", json={"prompt": "x"})
        assert answer.status_code == 404
        assert "someone/new" in answer.json()["detail"]
        odd = await running.client.post(f"{QUEUE}some one/new", json={"prompt": "x"})
        assert odd.status_code == 404


async def test_a_status_is_followed_to_its_end_each_line_told_once(start: Start) -> None:
    async with start(**SCRIPTED) as running:
        body = {"prompt": "sleep 0.3", "sync_mode": True}
        told = (await running.client.post(f"{QUEUE}{SCHNELL}", json=body)).json()
        heard = await running.client.get(f"{told['status_url']}/stream", params={"logs": "1"})
        assert heard.headers["content-type"].startswith("text/event-stream")
        events = [json.loads(each.removeprefix("data: ")) for each in heard.text.split("\n\n") if each]
        assert events[-1]["status"] == "COMPLETED" and events[0]["status"] != "COMPLETED"
        assert {each["response_url"] for each in events} == {told["response_url"]}
        lines = [line["message"] for each in events for line in each["logs"] or ()]
        assert lines.count("ignored: sync_mode (files are linked)") == 1
        nobodys = await running.client.get(f"{QUEUE}a/b/requests/01890a5d-ac96-474b-bcce-b302099a8057/status/stream")
        assert nobodys.status_code == 404


async def test_a_status_is_followed_by_its_owner_only(start: Start) -> None:
    keys = [{"name": name, "sha256": digest(name)} for name in ("ann", "bob")]
    async with start(keys=keys, **SCRIPTED) as running:
        ann, bob = ({"authorization": f"Key {name}"} for name in ("ann", "bob"))
        told = (await running.client.post(f"{QUEUE}{SCHNELL}", json={"prompt": "x"}, headers=ann)).json()
        denied = await running.client.get(f"{told['status_url']}/stream", headers=bob)
        assert denied.status_code == 404


async def test_a_file_that_was_sent_ahead_goes_into_a_request(start: Start, picture: bytes) -> None:
    async with start(**SCRIPTED) as running:
        body = {"content_type": "image/png", "file_name": "a.png"}
        path = "/fal/rest/storage/upload/initiate?storage_type=fal-cdn-v3"
        slot = (await running.client.post(path, json=body)).json()
        early = await running.client.post("/fal/run/fal-ai/esrgan", json={"image_url": slot["file_url"]})
        assert early.status_code in (400, 422)
        sent = await running.client.put(slot["upload_url"], content=picture, headers={"content-type": "image/png"})
        assert sent.status_code == 204
        made = await running.client.post("/fal/run/fal-ai/esrgan", json={"image_url": slot["file_url"]})
        assert made.json()["image"]["content_type"] == "image/png", made.text


async def test_a_file_may_be_the_whole_body_whatever_its_bytes(start: Start, picture: bytes) -> None:
    keys = [{"name": "ann", "sha256": digest("id:secret")}]
    async with start(keys=keys, **SCRIPTED) as running:
        key = {"authorization": "Key id:secret"}
        token = (await running.client.post("/fal/rest/storage/auth/token", json={}, headers=key)).json()
        assert token["base_url"] == "http://gateway.test/fal/cdn"
        sent = {"authorization": f"{token['token_type']} {token['token']}", "content-type": "image/png"}
        data = picture + b"," * 20_000  # what would be too many values of JSON
        kept = await running.client.post(f"{token['base_url']}/files/upload", content=data, headers=sent)
        body = {"image_url": kept.json()["access_url"]}
        made = await running.client.post("/fal/run/fal-ai/esrgan", json=body, headers=key)
        assert made.status_code == 200, made.text
        assert (await running.client.post("/fal/cdn/files/upload", content=b"", headers=sent)).status_code == 422


async def test_a_large_file_comes_in_parts_in_any_order(start: Start, picture: bytes) -> None:
    """As Python's client says it, with the caller's key, and as the other does, by a signed address."""
    keys = [{"name": "ann", "sha256": digest("id:secret")}]
    half = len(picture) // 2
    pieces = {1: picture[:half], 2: picture[half:]}
    async with start(keys=keys, **SCRIPTED) as running:
        client, key = running.client, {"authorization": "Key id:secret"}
        named = key | {"content-type": "image/png", "x-fal-file-name": "a.png"}
        opened = (await client.post("/fal/cdn/files/upload/multipart", headers=named)).json()
        path = "/fal/rest/storage/upload/initiate-multipart?storage_type=fal-cdn-v3"
        slot = (await client.post(path, json={"content_type": "image/png"}, headers=key)).json()
        base, _, query = slot["upload_url"].partition("?")
        for link, at in (
            (opened["access_url"], f"{opened['access_url']}/multipart/{opened['uploadId']}/{{}}"),
            (slot["file_url"], f"{base}/{{}}?{query}"),
        ):
            parts: list[Any] = []
            for number in (2, 1):
                kept = await client.put(at.format(number), content=pieces[number])
                assert kept.status_code == 200 and kept.json()["partNumber"] == number, kept.text
                assert kept.headers["etag"].strip('"') == kept.json()["etag"]
                parts.append(kept.json())
            swapped = [{"partNumber": 1, "etag": parts[0]["etag"]}]
            refused = await client.post(at.format("complete"), json={"parts": swapped})
            assert refused.status_code == 400 and "no part 1" in refused.text
            for body in ({}, {"parts": []}, {"parts": [{"partNumber": 0, "etag": "x"}]}):
                assert (await client.post(at.format("complete"), json=body)).status_code == 400
            for _ in range(2):  # the client sends it again where the answer was lost
                done = await client.post(at.format("complete"), json={"parts": parts})
                assert done.status_code == 200, done.text
            assert (await client.get(link)).content == picture
            assert (await client.put(at.format(3), content=b"late")).status_code == 404
            made = await client.post("/fal/run/fal-ai/esrgan", json={"image_url": link}, headers=key)
            assert made.status_code == 200, made.text
        assert (await client.put(f"{base}/1?exp=1&sig=x", content=b"x")).status_code == 403


async def test_what_is_wrong_with_a_body_is_told_as_the_result(start: Start) -> None:
    """As the vendor does; with `dialect = "early"` when it is submitted."""
    bad, error = {"num_images": 9}, ["missing", "less_than_equal"]
    async with start(**SCRIPTED) as running:
        told = await submitted(running, f"{QUEUE}{SCHNELL}", **bad)
        assert (told["status"], told["queue_position"]) == ("IN_QUEUE", 0)
        standing = await running.client.get(told["status_url"])
        assert (standing.status_code, standing.json()["status"]) == (200, "COMPLETED")
        assert standing.json()["error_type"] == "value_error"
        result = await running.client.get(told["response_url"])
        assert (result.status_code, [each["type"] for each in result.json()["detail"]]) == (422, error)
        assert result.json()["detail"][1] | {"url": ""} == {
            "loc": ["body", "num_images"], "msg": "Input should be less than or equal to 4",
            "type": "less_than_equal", "url": "", "ctx": {"le": 4}, "input": 9,
        }  # fmt: skip
        for path, body, status in (
            (f"{QUEUE}{SCHNELL}?fal_webhook=nowhere", bad, 422),
            ("/fal/run/" + SCHNELL, bad, 422),
            (f"{QUEUE}someone/new", {"num_images": 99}, 404),
        ):
            assert (await running.client.post(path, json=body)).status_code == status
    async with start(**SCRIPTED, wires={"fal": {"dialect": "early"}}) as running:
        early = await running.client.post(f"{QUEUE}{SCHNELL}", json=bad)
        assert (early.status_code, [each["type"] for each in early.json()["detail"]]) == (422, error)


async def test_the_place_in_the_queue_is_that_of_the_engine(start: Start) -> None:
    async with start(**SCRIPTED, script={"slots": 1}) as running:
        first = await submitted(running, f"{QUEUE}{SCHNELL}", prompt="sleep 20")
        await asyncio.sleep(0.1)
        told = [await submitted(running, f"{QUEUE}{SCHNELL}", prompt="x") for _ in range(3)]
        running.app.gateway._lines.clear()  # counted anew at once, not after a second
        places = [(await running.client.get(each["status_url"])).json()["queue_position"] for each in told]
        assert places == [0, 1, 2]
        for each in (first, *told):
            await running.client.put(each["cancel_url"])


async def test_a_models_output_may_be_heard_as_an_event(start: Start) -> None:
    async with start(**SCRIPTED) as running:
        heard = await running.client.post(f"/fal/run/{SCHNELL}/stream", json={"prompt": "sleep 0.2"})
        assert heard.headers["content-type"].startswith("text/event-stream")
        [event] = [line.removeprefix("data: ") for line in heard.text.splitlines() if line.startswith("data: ")]
        link = json.loads(event)["images"][0]["url"]
        assert (await running.client.get(link)).status_code == 200
        failed = await running.client.post(f"/fal/run/{SCHNELL}/stream", json={"prompt": "fail refused no"})
        assert "content_policy_violation" in failed.text
        assert (await running.client.post(f"/fal/run/{SCHNELL}/stream", json={})).status_code == 422


async def test_a_status_is_published_with_both_of_its_codes(start: Start) -> None:
    async with start() as running:
        paths = (await running.client.get("/openapi.json")).json()["paths"]
        [status] = [told for path, told in paths.items() if path.endswith("fal/queue/{app}/requests/{id}/status")]
        told = status["get"]["responses"]
        assert told["200"]["content"] == told["202"]["content"]


async def test_one_address_takes_what_is_meant_for_each_of_the_vendors_hosts(start: Start, picture: bytes) -> None:
    """As `@fal-ai/client` asks with a proxyUrl: nothing is sent to the address that it names."""
    async with start(**SCRIPTED) as running:

        async def ask(method: str, target: str, **more: Any) -> Any:
            return await running.client.request(method, "/fal/proxy", headers={"x-fal-target-url": target}, **more)

        told = (await ask("POST", f"https://queue.fal.run/{SCHNELL}", json={"prompt": "x"})).json()
        assert told["response_url"].startswith("http://gateway.test/fal/queue/fal-ai/flux/requests/")
        here = f"https://queue.fal.run/fal-ai/flux/requests/{told['request_id']}"
        await running.finished(WIRE.job_id(told["request_id"]) or "")
        standing = (await ask("GET", f"{here}/status?logs=1")).json()
        assert standing["status"] == "COMPLETED" and standing["logs"]
        assert (await ask("GET", here)).json()["images"]
        assert (await ask("PUT", f"{here}/cancel")).json() == {"status": "ALREADY_COMPLETED"}
        assert (await ask("POST", f"https://fal.run/{SCHNELL}", json={"prompt": "x"})).json()["images"]
        slot = await ask("POST", "https://rest.fal.ai/storage/upload/initiate?storage_type=fal-cdn-v3", json={})
        assert (await running.client.put(slot.json()["upload_url"], content=picture)).status_code == 204


@pytest.mark.parametrize(
    "target",
    ["", "queue.fal.run/a/b", "https://evil.example/a/b", "https://queue.fal.run.evil.example/a", "file:///etc/passwd",
     "https://[", "http://127.0.0.1/admin/keys"],
)  # fmt: skip
async def test_an_address_that_is_none_of_the_vendors_is_refused(start: Start, target: str) -> None:
    async with start(**SCRIPTED) as running:
        answer = await running.client.get("/fal/proxy", headers={"x-fal-target-url": target})
        assert answer.status_code == 422
        assert "x-fal-target-url should be an address at one of queue.fal.run" in answer.json()["detail"]


class Receiver(BaseHTTPRequestHandler):
    heard: ClassVar[list[tuple[dict[str, str], bytes]]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.heard.append(({name.lower(): text for name, text in self.headers.items()}, body))
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


async def test_news_is_checked_with_the_keys_that_are_published(start: Start) -> None:
    Receiver.heard.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as receiver:
        threading.Thread(target=receiver.serve_forever, daemon=True).start()
        async with start(**SCRIPTED) as running:
            address = f"http://127.0.0.1:{receiver.server_port}/news?a=1"
            path = f"{QUEUE}{SCHNELL}?{urlencode({'fal_webhook': address})}"
            told = await submitted(running, path, prompt="x")
            async with asyncio.timeout(20):
                while not Receiver.heard:
                    await asyncio.sleep(0.02)
            [key] = (await running.client.get("/.well-known/jwks.json")).json()["keys"]
        receiver.shutdown()
    [(headers, body)] = Receiver.heard
    assert json.loads(body)["status"] == "OK" and json.loads(body)["request_id"] == told["request_id"]
    assert (key["kty"], key["crv"]) == ("OKP", "Ed25519")
    public = Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(key["x"] + "="))
    parts = [headers[f"x-fal-webhook-{name}"] for name in ("request-id", "user-id", "timestamp")]
    text = "\n".join((*parts, hashlib.sha256(body).hexdigest())).encode()
    public.verify(bytes.fromhex(headers["x-fal-webhook-signature"]), text)  # raises where it is not ours
    assert parts[0] == told["request_id"] and abs(time.time() - int(parts[2])) < 300


async def test_the_renderer_paints_as_asked(start: Start) -> None:
    async with start() as running:
        body = {"prompt": LAKE, "image_size": {"width": 96, "height": 64}, "num_images": 2, "output_format": "jpeg"}
        answer = await running.client.post(f"/fal/run/{SCHNELL}", json=body)
        assert answer.status_code == 200, answer.text
        for each in answer.json()["images"]:
            picture = Image.open(io.BytesIO((await running.client.get(each["url"])).content))
            assert (picture.size, picture.format, each["content_type"]) == ((96, 64), "JPEG", "image/jpeg")
        refused = await running.client.post("/fal/run/fal-ai/whisper", json={"audio_url": LINK})
        assert refused.status_code == 422
        assert "speech_to_text" in refused.json()["message"]


def test_a_kind_is_told_with_the_vendors_status() -> None:
    assert API.statuses[Kind.REFUSED] == 422
