"""Files that callers send ahead: a slot, the bytes once, then a name that works wherever a link does."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mutoscope.model.job import State
from mutoscope.service.keys import digest
from mutoscope.wirekit.ids import from_uuid4_form

Start = Callable[..., Any]
SLOT = {"filename": "a.png", "type": "ephemeral"}
RUNWAY = {"x-runway-version": "2024-11-06", "authorization": "Bearer any"}
SCRIPTED = {"models": {name: {"engine": "script"} for name in ("wan-2.7", "gen4_turbo")}}


async def freepik_slot(running: Any, content_type: str = "image/png") -> dict[str, Any]:
    answer = await running.client.post("/v1/ai/uploads/request-url", json={"files": [{"content_type": content_type}]})
    assert answer.status_code == 200, answer.text
    [slot] = answer.json()["files"]
    return slot


async def test_a_picture_sent_ahead_on_the_freepik_wire_works_as_a_link(start: Start, picture: bytes) -> None:
    async with start(**SCRIPTED, net={"allow_private": False}) as running:
        slot = await freepik_slot(running)
        sent = await running.client.put(slot["upload_url"], content=picture, headers=slot["headers"])
        assert sent.status_code in (200, 204), sent.text
        assert (await running.client.get(slot["asset_url"])).content == picture
        made = await running.client.post(
            "/v1/ai/image-to-video/wan-2-7", json={"start_image_url": slot["asset_url"], "duration": 2}
        )
        job = await running.finished(from_uuid4_form(made.json()["data"]["task_id"]))
        assert job.state is State.SUCCEEDED, job.failure
        listed = (await running.client.get("/v1/ai/uploads")).json()
        assert slot["file_id"] in str(listed)


async def test_a_picture_sent_ahead_on_the_runway_wire_works_by_its_own_uri(start: Start, picture: bytes) -> None:
    async with start(**SCRIPTED, net={"allow_private": False}) as running:
        body = {"filename": "cat.png", "type": "ephemeral"}
        slot = (await running.client.post("/v1/uploads", json=body, headers=RUNWAY)).json()
        form = {**slot["fields"]}
        sent = await running.client.post(slot["uploadUrl"], data=form, files={"file": ("cat.png", picture)})
        assert 200 <= sent.status_code < 300, sent.text
        wish = {"model": "gen4_turbo", "promptImage": slot["runwayUri"], "ratio": "1280:720", "duration": 2}
        made = await running.client.post("/v1/image_to_video", json=wish, headers=RUNWAY)
        assert made.status_code == 200, made.text
        job = await running.finished(from_uuid4_form(made.json()["id"]))
        assert job.state is State.SUCCEEDED, job.failure


async def test_an_upload_that_has_no_file_yet_is_named_as_the_fault(start: Start) -> None:
    async with start(**SCRIPTED) as running:
        body = {"filename": "cat.png", "type": "ephemeral"}
        slot = (await running.client.post("/v1/uploads", json=body, headers=RUNWAY)).json()
        wish = {"model": "gen4_turbo", "promptImage": slot["runwayUri"], "ratio": "1280:720"}
        made = await running.client.post("/v1/image_to_video", json=wish, headers=RUNWAY)
        assert made.status_code == 400
        assert made.json()["issues"][0]["path"] == ["promptImage"]
        assert "not received" in made.text


async def test_a_slot_takes_its_bytes_once(start: Start, picture: bytes) -> None:
    async with start() as running:
        slot = await freepik_slot(running)
        first = await running.client.put(slot["upload_url"], content=picture)
        second = await running.client.put(slot["upload_url"], content=picture)
        assert (first.status_code, second.status_code) == (204, 404)


@pytest.mark.parametrize(
    ("change", "status"),
    [
        (lambda url: url.replace("sig=", "sig=x"), 403),
        (lambda url: url.partition("?")[0], 403),
        (lambda url: url.replace("/uploads/", "/uploads/x/"), 404),
        (lambda url: url.replace("exp=", "exp=9"), 403),
    ],
)
async def test_a_slot_needs_its_own_signature(
    start: Start, picture: bytes, change: Callable[[str], str], status: int
) -> None:
    async with start() as running:
        slot = await freepik_slot(running)
        sent = await running.client.put(change(slot["upload_url"]), content=picture)
        assert sent.status_code == status, sent.text


@pytest.mark.parametrize(
    ("content", "why"),
    [(b"<html>no picture</html>", "image/png"), (b"", "0 bytes"), (b"\x00" * 600, "image/png")],
)
async def test_what_is_no_picture_is_not_taken_for_one(start: Start, content: bytes, why: str) -> None:
    async with start() as running:
        slot = await freepik_slot(running)
        sent = await running.client.put(slot["upload_url"], content=content)
        assert sent.status_code == 400
        assert why in sent.text
        assert (await running.client.get(slot["asset_url"])).status_code == 404


async def test_uploads_of_one_key_are_invisible_to_another(start: Start, picture: bytes) -> None:
    keys = [{"name": name, "sha256": digest(name)} for name in ("ann", "bob")]
    async with start(**SCRIPTED, keys=keys) as running:
        ann, bob = ({**RUNWAY, "authorization": f"Bearer {name}"} for name in ("ann", "bob"))
        body = {"filename": "cat.png", "type": "ephemeral"}
        slot = (await running.client.post("/v1/uploads", json=body, headers=ann)).json()
        await running.client.post(slot["uploadUrl"], files={"file": ("cat.png", picture)})
        wish = {"model": "gen4_turbo", "promptImage": slot["runwayUri"], "ratio": "1280:720"}
        assert (await running.client.post("/v1/image_to_video", json=wish, headers=bob)).status_code == 400
        assert (await running.client.post("/v1/image_to_video", json=wish, headers=ann)).status_code == 200


PART = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\nx'
END = b"\r\n--b--\r\n"
FORM = "multipart/form-data; boundary=b"
FIELD = b'--b\r\nContent-Disposition: form-data; name="%d"\r\n\r\nx\r\n'
BAD_FORMS = {
    "nothing": (FORM, b""),
    "no boundary named": ("multipart/form-data", PART + END),
    "a boundary of nothing": ("multipart/form-data; boundary=", PART + END),
    "a long boundary": (f"multipart/form-data; boundary={'b' * 5000}", PART + END),
    "another boundary": ("multipart/form-data; boundary=other", PART + END),
    "no form": ("application/json", b"{}"),
    "a form of another kind": ("application/x-www-form-urlencoded", b"file=%ff&x=" + b"1" * 70_000),
    "no type": ("", PART + END),
    "a charset that there is not": (f"{FORM}; charset=nonsense", PART.replace(b'name="file"', b'name="\xff"') + END),
    "an end that does not come": (FORM, PART),
    "an end within the boundary": (FORM, PART + b"\r\n--b-"),
    "a part without a disposition": (FORM, b"--b\r\nContent-Type: image/png\r\n\r\nx" + END),
    "a part without a name": (FORM, b"--b\r\nContent-Disposition: form-data\r\n\r\nx" + END),
    "a name in another encoding": (FORM, b"--b\r\nContent-Disposition: form-data; name*=utf-8''file\r\n\r\nx" + END),
    "a header without a colon": (FORM, b"--b\r\nContent-Disposition\r\n\r\nx" + END),
    "a header with a strange name": (FORM, b"--b\r\nCont\x00ent: x\r\n\r\nx" + END),
    "an endless header": (FORM, b"--b\r\nx: " + b"y" * 100_000 + b"\r\n\r\nx" + END),
    "many headers": (FORM, b"--b\r\n" + b"x: y\r\n" * 1000 + b"\r\nx" + END),
    "a line feed alone": (FORM, b"--b\nContent-Disposition: form-data; name=file\n\nx\n--b--\n"),
    "many fields": (FORM, b"".join(FIELD % n for n in range(100)) + PART + END),
    "a large field": (FORM, (FIELD % 1).replace(b"x\r\n", b"x" * 100_000 + b"\r\n") + PART + END),
    "two files": (FORM, PART + b"\r\n" + PART + END),
    "a file that is a field": (FORM, b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\nx' + END),
    "a preamble": (FORM, b"hello\r\n" + PART + END),
}


@pytest.mark.parametrize(("content_type", "body"), BAD_FORMS.values(), ids=BAD_FORMS)
async def test_a_form_that_cannot_be_read_is_refused_and_the_slot_stays_open(
    start: Start, picture: bytes, content_type: str, body: bytes
) -> None:
    async with start() as running:
        slot = (await running.client.post("/v1/uploads", json=SLOT, headers=RUNWAY)).json()
        answer = await running.client.post(slot["uploadUrl"], content=body, headers={"content-type": content_type})
        assert answer.status_code == 400, answer.text
        assert "form" in answer.json()["error"]
        sent = await running.client.post(slot["uploadUrl"], files={"file": ("a.png", picture)}, data=slot["fields"])
        assert sent.status_code in (200, 201, 204), sent.text


async def test_a_large_form_needs_no_room_outside_the_data_directory(
    start: Start, picture: bytes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The system's directory for temporary files may be memory, or full."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    async with start() as running:
        slot = (await running.client.post("/v1/uploads", json=SLOT, headers=RUNWAY)).json()
        large = picture + bytes(3_000_000)
        sent = await running.client.post(slot["uploadUrl"], files={"file": ("a.png", large)}, data=slot["fields"])
        assert sent.status_code in (200, 201, 204), sent.text
