"""Faults that a rehearsal is told to have, and what it tells of its jobs and messages."""

import asyncio
from collections.abc import Callable
from typing import Any

from mutoscope.service.keys import digest

RUNWAY = {"x-runway-version": "2024-11-06"}
WISH = {"model": "gen4_image", "promptText": "a lake", "ratio": "1920:1080"}
IMAGES = "/v1/text_to_image"
HERE = "http://127.0.0.1:8700"


async def test_requests_meet_the_faults_that_were_told(start: Callable[..., Any]) -> None:
    async with start(rehearsal=True) as running:
        ask = running.client
        ask.base_url = HERE

        async def told(**fault: Any) -> None:
            answer = await ask.post("/rehearsal/faults", json=fault)
            assert answer.status_code == 200, answer.text

        async def create() -> Any:
            return await ask.post(IMAGES, json=WISH, headers=RUNWAY)

        await told(what=429, wire="runway", times=2, seconds=3)
        refused = [await create(), await create(), await create()]
        assert [each.status_code for each in refused] == [429, 429, 200]
        assert refused[0].headers["retry-after"] == "3"

        await told(what="failed:refused", wire="runway")
        failed = (await create()).json()["id"]
        read = await ask.get(f"/v1/tasks/{failed}", headers=RUNWAY)
        assert read.json()["status"] == "FAILED" and "SAFETY" in read.json()["failureCode"]

        await told(what="lost", wire="runway", lasting=60)
        assert (await create()).status_code == 502
        jobs = (await ask.get("/rehearsal/jobs")).json()["jobs"]
        assert len(jobs) == 3, "what was lost is the answer"
        assert {job["wire"] for job in jobs} == {"runway"} and '"a lake"' in jobs[0]["body"]

        await told(what="unavailable", wire="runway", on="read", path="/tasks/", times=0)
        assert [(await ask.get(f"/v1/tasks/{failed}", headers=RUNWAY)).status_code for _ in range(2)] == [503, 503]
        assert (await create()).status_code == 200
        there = (await ask.get("/rehearsal/faults")).json()["faults"]
        assert [(each["what"], each["met"]) for each in there] == [("unavailable", 2)]
        await told(what="slow", wire="runway", seconds=0.05)
        assert (await ask.delete(f"/rehearsal/faults/{there[0]['id']}")).json() == {"cleared": 1}
        assert (await create()).status_code == 200
        assert (await ask.delete("/rehearsal/faults")).json() == {"cleared": 0}, "the slow one was met"


async def test_a_message_is_sent_twice_where_that_was_told(start: Callable[..., Any]) -> None:
    came: list[bytes] = []

    async def receive(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")
        )
        came.append(await reader.readexactly(length))
        writer.write(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    receiver = await asyncio.start_server(receive, "127.0.0.1", 0)
    address = f"http://127.0.0.1:{receiver.sockets[0].getsockname()[1]}/hook"
    async with start(rehearsal=True) as running:
        running.client.base_url = HERE
        await running.client.post("/rehearsal/faults", json={"what": "webhook_twice"})
        made = await running.client.post(IMAGES, json=WISH, headers=RUNWAY | {"x-mutoscope-webhook": address})
        assert made.status_code == 200
        for _ in range(200):
            told = (await running.client.get("/rehearsal/webhooks")).json()["webhooks"]
            if told and len(told[0]["tries"]) >= 2:
                break
            await asyncio.sleep(0.05)
        assert len(came) >= 2 and came[0] == came[1]
        assert [each["status"] for each in told[0]["tries"]] == [204, 204] and told[0]["state"] == "delivered"
    receiver.close()


async def test_a_fault_that_there_is_not_is_refused(start: Callable[..., Any]) -> None:
    wrong = (
        ({"what": "sloow"}, "slow"),
        ({"what": 200}, "400"),
        ({"what": 429, "wire": "runaway"}, "runway"),
        ({"what": 429, "on": "write"}, "create"),
        ({"what": 429, "tims": 2}, "tims"),
    )
    async with start(rehearsal=True) as running:
        for fault, named in wrong:
            answer = await running.client.post(f"{HERE}/rehearsal/faults", json=fault)
            assert answer.status_code == 400 and named in answer.json()["error"], fault


async def test_a_rehearsal_is_this_machines_or_an_administrators(start: Callable[..., Any]) -> None:
    async with start(rehearsal=True) as running:
        local = {"host": "127.0.0.1:8700"}
        assert (await running.client.get("/rehearsal/jobs", headers=local)).status_code == 200
        for headers in ({"host": "evil.example"}, local | {"origin": "https://evil.example"}):
            assert (await running.client.get("/rehearsal/jobs", headers=headers)).status_code == 403
    keys = [
        {"name": name, "sha256": digest(f"key_of_{name}_in_a_test"), "admin": name == "ann"} for name in ("ann", "bob")
    ]
    async with start(rehearsal=True, keys=keys) as running:
        asked = [
            await running.client.get("/rehearsal/faults", headers={"authorization": f"Bearer key_of_{name}_in_a_test"})
            for name in ("ann", "bob", "eve")
        ]
        assert [each.status_code for each in asked] == [200, 403, 401]
        admin = {"authorization": "Bearer key_of_ann_in_a_test"}
        for path, told in (("since=soon", "`since` should be of type number"), ("limit=9999", "at most 1000")):
            wrong = await running.client.get(f"/rehearsal/jobs?{path}", headers=admin)
            assert wrong.status_code == 400 and told in wrong.json()["error"]
        assert (await running.client.get("/rehearsal/jobs?since=1.5", headers=admin)).status_code == 200
    async with start() as running:
        assert (await running.client.get("/rehearsal/faults")).status_code == 404, "only a rehearsal has faults"
