"""What Runway keeps and we do not: checked in full, refused by name, made up where the server rehearses."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from mutoscope.engines.fit import fit
from mutoscope.wires.runway import api as runway
from mutoscope.wires.runway import elsewhere

HEADERS = {"x-runway-version": "2024-11-06", "authorization": "Bearer any"}
AVATAR = {
    "name": "Ada",
    "personality": "curious",
    "referenceImage": "https://example.com/ada.png",
    "voice": {"type": "runway-live-preset", "presetId": "clara"},
}


async def test_it_is_refused_by_name_once_it_is_right(start: Callable[..., Any]):
    async with start() as running:
        for method, path, body in (
            ("POST", "/v1/avatars", AVATAR),
            ("GET", "/v1/voices?limit=5", None),
            ("DELETE", "/v1/documents/182bd5e5-6e1a-4fe4-a799-aa6d9a6ab26e", None),
            ("POST", "/v1/recipes/multi_shot_video", {"mode": "auto", "prompt": "Rain", "version": "2026-06"}),
        ):
            answer = await running.client.request(method, path, json=body, headers=HEADERS)
            assert answer.status_code == 400
            assert "kept and made at Runway only" in answer.json()["error"]
        wrong = AVATAR | {"voice": {"type": "runway-live-preset", "presetId": "nobody"}, "name": 3}
        answer = await running.client.post("/v1/avatars", json=wrong, headers=HEADERS)
        assert [issue["path"] for issue in answer.json()["issues"]] == [["name"], ["voice", "presetId"]]
        answer = await running.client.get("/v1/avatar_usage?startDate=soon&endDate=2026-01-01", headers=HEADERS)
        assert [issue["path"] for issue in answer.json()["issues"]] == [["startDate"]]


async def test_a_rehearsal_tells_back_what_was_sent_and_makes_a_task_of_a_recipe(start: Callable[..., Any]):
    async with start(rehearsal=True) as running:
        made = (await running.client.post("/v1/avatars", json=AVATAR, headers=HEADERS)).json()
        assert (made["name"], made["personality"], made["status"]) == ("Ada", "curious", "READY")
        id = "182bd5e5-6e1a-4fe4-a799-aa6d9a6ab26e"
        read = [(await running.client.get(f"/v1/avatars/{id}", headers=HEADERS)).json() for _ in range(2)]
        assert read[0] == read[1]
        assert read[0]["id"] == id
        assert (await running.client.delete(f"/v1/avatars/{id}", headers=HEADERS)).status_code == 204

        body = {
            "productImages": [{"uri": "https://example.com/shoe.png"}],
            "version": "2026-07",
            "duration": 2,
            "ratio": "720:1280",
            "userConcept": "a shoe in the rain",
        }
        task = (await running.client.post("/v1/recipes/product_ad", json=body, headers=HEADERS)).json()
        job = await running.finished(runway.WIRE.job_id(task["id"]) or "")
        assert (job.generation.prompt, job.generation.width, job.generation.seconds) == ("a shoe in the rain", 720, 2.0)
        assert (await running.client.get(f"/v1/tasks/{task['id']}", headers=HEADERS)).json()["status"] == "SUCCEEDED"


async def test_a_made_up_answer_has_the_members_of_its_type_only(start: Callable[..., Any]):
    async with start(rehearsal=True) as running:
        body = {"configId": "mine", "input": {"promptText": "a fox"}}
        answer = (await running.client.post("/v1/generate/image", json=body, headers=HEADERS)).json()
        assert set(answer) == {"id", "routing"}
        assert (await running.finished(runway.WIRE.job_id(answer["id"]) or "")).generation.prompt == "a fox"


@pytest.mark.parametrize("seed", range(3))
def test_every_made_up_answer_fits_its_type(seed: int):
    for row in elsewhere.ROWS:
        if row.answer is not None:
            msgspec.convert(fit(msgspec.json.schema(row.answer), f"{row.at} {seed}"), row.answer)
