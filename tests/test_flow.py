"""The job's life, from a request to a file, through the real server, store and worker."""

import asyncio
import base64
import errno
import io
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from aiohttp import web
from PIL import Image

from mutoscope.background import worker
from mutoscope.engines import CutOff
from mutoscope.files import egress
from mutoscope.model.job import State
from mutoscope.model.problem import Kind, Problem
from mutoscope.service import gateway, inputs
from mutoscope.service.keys import digest
from mutoscope.wirekit.ids import from_uuid4_form
from mutoscope.wires import BY_NAME
from running import execute

RUNWAY = {"x-runway-version": "2024-11-06", "authorization": "Bearer any"}
IMAGE = "/v1/ai/text-to-image/runway"
SCRIPTED = {"models": {"gen4_image": {"engine": "script"}, "gen4_turbo": {"engine": "script"}}}
Start = Callable[..., Any]


async def create(running: Any, prompt: str, **fields: object) -> str:
    """A text-to-image job on the Freepik wire; its own id."""
    answer = await running.client.post(IMAGE, json={"prompt": prompt, "ratio": "720:720", **fields})
    assert answer.status_code == 200, answer.text
    id = from_uuid4_form(answer.json()["data"]["task_id"])
    assert id
    return id


async def test_a_request_becomes_a_file_of_the_size_that_was_asked_for(start: Start) -> None:
    async with start(**SCRIPTED) as running:
        id = await create(running, "a paper boat")
        job = await running.finished(id)
        answer = await running.client.get(f"{IMAGE}/{BY_NAME['freepik'].public_id(id)}")
        [link] = answer.json()["data"]["generated"]
        file = await running.client.get(link)
        assert job.state is State.SUCCEEDED
        assert Image.open(io.BytesIO(file.content)).size == (720, 720)
        assert file.headers["content-type"] == "image/png"


async def test_a_failed_job_says_why_and_which_engine_had_it(start: Start) -> None:
    async with start(**SCRIPTED) as running:
        id = await create(running, "fail refused not today")
        job = await running.finished(id)
        answer = await running.client.get(f"{IMAGE}/{BY_NAME['freepik'].public_id(id)}")
        assert job.failure.kind is Kind.REFUSED
        assert answer.json()["data"]["status"] == "FAILED"
        assert answer.json()["data"]["error"] == "not today"
        assert answer.headers["x-mutoscope-engine"] == "script"


async def until_running(running: Any, id: str) -> None:
    async for job in running.app.gateway.watch(id):
        if job.state is State.RUNNING:
            return


async def test_a_queued_job_tells_how_many_wait_before_it(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway, "LINE_SECONDS", 0.0)
    async with start(**SCRIPTED, script={"slots": 1}) as running:

        async def place(id: str) -> str | None:
            running.app.server.rendered.clear()
            answer = await running.client.get(f"{IMAGE}/{BY_NAME['freepik'].public_id(id)}")
            return answer.headers.get("x-mutoscope-notes")

        first = await create(running, "sleep 60")
        await until_running(running, first)
        waiting = [await create(running, "a boat") for _ in range(3)]
        assert [await place(id) for id in (first, *waiting)] == [
            None,
            *(f"queue: {number} before this job" for number in range(3)),
        ]
        await running.app.gateway.cancel(waiting[0])
        assert await place(waiting[2]) == "queue: 1 before this job"
        await running.app.gateway.cancel(first)
        await running.finished(waiting[2])
        assert await place(waiting[2]) is None


async def test_who_waits_is_read_once_for_all_who_ask(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    async with start(**SCRIPTED, script={"slots": 1}) as running:
        await until_running(running, first := await create(running, "sleep 60"))
        read: list[str] = []
        queued = running.app.store.queued

        async def counted(engine: str) -> Any:
            read.append(engine)
            return await queued(engine)

        monkeypatch.setattr(running.app.store, "queued", counted)
        monkeypatch.setattr(gateway, "LINE_SECONDS", 60.0)
        jobs = [await create(running, "a boat") for _ in range(4)]
        for _ in range(5):
            running.app.server.rendered.clear()
            await asyncio.gather(*(running.client.get(f"{IMAGE}/{BY_NAME['freepik'].public_id(id)}") for id in jobs))
        assert read == ["script"]
        await running.app.gateway.cancel(first)


async def test_an_engine_that_breaks_fails_the_job_without_telling_its_insides(start: Start) -> None:
    async with start(**SCRIPTED) as running:
        job = await running.finished(await create(running, "crash"))
        assert job.failure.kind is Kind.INTERNAL
        assert "Traceback" not in job.failure.message
        assert "script told" not in job.failure.message


async def test_the_vendors_path_and_the_mount_under_the_wires_name_are_one(start: Start) -> None:
    async with start(**SCRIPTED) as running:
        answer = await running.client.post(f"/freepik{IMAGE}", json={"prompt": "x", "ratio": "720:720"})
        id = answer.json()["data"]["task_id"]
        assert (await running.client.get(f"{IMAGE}/{id}")).status_code == 200
        assert (await running.client.get(f"/freepik{IMAGE}/{id}")).status_code == 200


async def test_a_job_is_read_only_under_the_path_that_made_it(start: Start) -> None:
    async with start(**SCRIPTED) as running:
        public = BY_NAME["freepik"].public_id(await create(running, "x"))
        for path in (f"/v1/ai/image-to-video/wan-2-7/{public}", f"{IMAGE}/{public[:-1]}", f"{IMAGE}/nonsense"):
            assert (await running.client.get(path)).status_code == 404
        assert (await running.client.get(f"/v1/tasks/{public}", headers=RUNWAY)).status_code == 404


async def test_deleting_a_running_task_ends_it_for_good(start: Start) -> None:
    async with start(**SCRIPTED) as running:
        body = {"model": "gen4_image", "promptText": "sleep 30", "ratio": "720:720"}
        made = await running.client.post("/v1/text_to_image", json=body, headers=RUNWAY)
        id = made.json()["id"]
        inner = from_uuid4_form(id)
        while (await running.app.store.get(inner)).state is not State.RUNNING:
            await asyncio.sleep(0.02)
        assert (await running.client.delete(f"/v1/tasks/{id}", headers=RUNWAY)).status_code == 204
        assert (await running.client.get(f"/v1/tasks/{id}", headers=RUNWAY)).status_code == 404
        async with asyncio.timeout(5):
            while inner in running.app.worker.runs:
                await asyncio.sleep(0.02)


async def test_a_canceled_job_stays_canceled_whatever_comes_late(start: Start) -> None:
    async with start(**SCRIPTED) as running:
        id = await create(running, "sleep 0.5")
        async with asyncio.timeout(5):
            while (job := await running.app.store.get(id)).state is not State.RUNNING:
                await asyncio.sleep(0.02)
        await running.app.gateway.cancel(id)
        late = await running.app.store.settle(id, job.worker, state=State.SUCCEEDED, now=job.created + 1)
        await asyncio.sleep(0.7)
        assert late is None
        assert (await running.app.store.get(id)).state is State.CANCELED


async def test_what_a_stop_interrupts_is_made_by_the_next_start(start: Start) -> None:
    async with start(**SCRIPTED, server={"grace_seconds": 0.1}) as running:
        id = await create(running, "sleep 1")
        async with asyncio.timeout(5):
            while (await running.app.store.get(id)).state is not State.RUNNING:
                await asyncio.sleep(0.02)
    async with start(**SCRIPTED) as again:
        job = await again.finished(id)
        assert job.state is State.SUCCEEDED
        assert len(job.outputs) == 1


async def test_a_stop_lets_running_jobs_end_within_its_grace(start: Start) -> None:
    async with start(**SCRIPTED) as running:
        id = await create(running, "sleep 0.4")
        async with asyncio.timeout(5):
            while (await running.app.store.get(id)).state is not State.RUNNING:
                await asyncio.sleep(0.02)
    async with start(**SCRIPTED) as again:
        job = await again.app.store.get(id)
        assert (job.state, job.attempts) == (State.SUCCEEDED, 1)


def cut_off(running: Any, monkeypatch: pytest.MonkeyPatch, times: int) -> None:
    """Somebody kills what makes the job, so many times."""
    engine = running.app.engines["script"]
    make, left = engine.generate, [CutOff("The renderer's process was killed by signal 9 before it was done")] * times

    async def generate(run: Any) -> Any:
        if left:
            raise left.pop()
        return await make(run)

    monkeypatch.setattr(worker, "AGAIN_SECONDS", (0.02, 0.05))
    monkeypatch.setattr(engine, "generate", generate)


async def test_a_job_whose_maker_is_killed_is_taken_up_again_and_the_attempts_are_counted(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with start(**SCRIPTED) as running:
        cut_off(running, monkeypatch, times=3)
        job = await running.finished(await create(running, "a paper boat"))
        assert (job.state, job.attempts, len(job.outputs)) == (State.SUCCEEDED, 4, 1)


async def test_a_job_whose_maker_is_killed_too_often_fails_and_says_so(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with start(**SCRIPTED, worker={"max_attempts": 3}) as running:
        cut_off(running, monkeypatch, times=100)
        job = await running.finished(await create(running, "a paper boat"))
        assert (job.failure.kind, job.attempts) == (Kind.ENGINE_FAILED, 3)
        assert "killed by signal 9" in job.failure.message
        assert "interrupted 3 times and is given up" in job.failure.message


async def test_a_lease_that_ran_out_here_does_not_make_the_job_twice(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with start(**SCRIPTED, worker={"lease_seconds": 0.1}) as running:

        async def asleep() -> None:
            """As if the machine had slept: no lease is renewed."""

        monkeypatch.setattr(running.app.worker, "_renew", asleep)
        id = await create(running, "sleep 2.5")
        await asyncio.sleep(2)  # the worker looks for leases that ran out every second
        [(until,)] = execute(running.app, "SELECT leased_until FROM jobs WHERE id = ? AND state = 'running'", [(id,)])
        assert until < running.app.gateway.clock() - 1, "the lease never ran out: the test proves nothing"
        job = await running.finished(id)
        assert (job.state, job.attempts, len(job.outputs)) == (State.SUCCEEDED, 1, 1)


async def test_what_was_made_is_kept_until_the_store_can_be_written_again(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with start(**SCRIPTED) as running:
        settle, calls = running.app.store.settle, []

        async def full_at_first(*arguments: Any, **named: Any) -> Any:
            calls.append(named["state"])
            if len(calls) == 1:
                raise Problem(Kind.UNAVAILABLE, "The job store is not available: the disk is full.")
            return await settle(*arguments, **named)

        monkeypatch.setattr(running.app.store, "settle", full_at_first)
        job = await running.finished(await create(running, "x"))
        assert calls == [State.SUCCEEDED, State.SUCCEEDED]
        assert job.state is State.SUCCEEDED


@pytest.mark.alone
async def test_no_new_jobs_are_taken_while_stopping(start: Start) -> None:
    async with start(**SCRIPTED) as running:
        running.app.gateway.signals.draining = True
        answer = await running.client.post(IMAGE, json={"prompt": "x", "ratio": "720:720"})
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "5"


async def test_a_field_that_no_engine_honours_is_refused_by_its_name(start: Start) -> None:
    async with start() as running:
        body = {
            "model": "gen4_image",
            "promptText": "as @cat",
            "ratio": "720:720",
            "referenceImages": [{"uri": "https://example.com/cat.png", "tag": "cat"}],
        }
        answer = await running.client.post("/v1/text_to_image", json=body, headers=RUNWAY)
        assert answer.status_code == 400
        assert "referenceImages" in answer.text
        assert "studio" in answer.text


async def test_an_operation_that_no_engine_can_do_is_refused_and_says_what_could(start: Start) -> None:
    async with start() as running:
        body = {"model": "eleven_text_to_sound_v2", "promptText": "rain"}
        answer = await running.client.post("/v1/sound_effect", json=body, headers=RUNWAY)
        assert answer.status_code == 400
        assert "studio" in answer.json()["error"]


async def test_the_seed_that_nobody_chose_is_kept_with_the_job(start: Start) -> None:
    async with start(**SCRIPTED) as running:
        seeds = {(await running.app.store.get(await create(running, "x"))).generation.seed for _ in range(3)}
        assert None not in seeds
        assert len(seeds) == 3


async def test_a_full_model_throttles_and_lets_the_next_one_go(start: Start) -> None:
    limited = {"models": {"gen4_image": {"engine": "script", "max_concurrent": 1}}}
    async with start(**limited) as running:
        body = {"model": "gen4_image", "promptText": "sleep 0.3", "ratio": "720:720"}
        ids = [
            (await running.client.post("/v1/text_to_image", json=body, headers=RUNWAY)).json()["id"] for _ in range(2)
        ]
        second = (await running.client.get(f"/v1/tasks/{ids[1]}", headers=RUNWAY)).json()
        assert second["status"] == "THROTTLED"
        for id in ids:
            assert (await running.finished(from_uuid4_form(id))).state is State.SUCCEEDED


async def test_the_daily_limit_is_told_in_the_vendors_words(start: Start) -> None:
    limited = {"models": {"gen4_image": {"engine": "script", "max_daily": 1}}}
    async with start(**limited) as running:
        body = {"model": "gen4_image", "promptText": "x", "ratio": "720:720"}
        first = await running.client.post("/v1/text_to_image", json=body, headers=RUNWAY)
        second = await running.client.post("/v1/text_to_image", json=body, headers=RUNWAY)
        assert (first.status_code, second.status_code) == (200, 429)
        assert second.json()["error"] == "Your daily task limit has been reached."


async def test_keys_are_asked_for_and_owners_see_only_their_own(start: Start) -> None:

    keys = [{"name": name, "sha256": digest(f"{name}-secret")} for name in ("ann", "bob")]
    async with start(**SCRIPTED, keys=keys) as running:

        def key(name: str) -> dict[str, str]:
            return {"x-freepik-api-key": f"{name}-secret"}

        body = {"prompt": "x", "ratio": "720:720"}
        missing = await running.client.post(IMAGE, json=body)
        wrong = await running.client.post(IMAGE, json=body, headers=key("eve"))
        nowhere = await running.client.get("/v1/ai/nowhere", headers=key("eve"))
        assert [missing.status_code, wrong.status_code, nowhere.status_code] == [401, 401, 401]
        assert missing.json() == {"message": "Missing API key"}
        assert wrong.json() == {"message": "Invalid API key"}
        made = await running.client.post(IMAGE, json=body, headers=key("ann"))
        path = f"{IMAGE}/{made.json()['data']['task_id']}"
        assert (await running.client.get(path, headers=key("ann"))).status_code == 200
        assert (await running.client.get(path, headers=key("bob"))).status_code == 404
        assert (await running.client.get(IMAGE, headers=key("bob"))).json() == {"data": []}
        assert (await running.client.get(path, headers={"x-magnific-api-key": "ann-secret"})).status_code == 200


async def test_too_many_requests_are_answered_with_the_vendors_headers(start: Start) -> None:
    async with start(limits={"requests_per_minute": 2}) as running:
        answers = [await running.client.get(IMAGE) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert answers[0].headers["x-ratelimit-limit"] == "2"
        assert answers[0].headers["x-ratelimit-remaining"] == "1"
        assert 1 <= int(answers[2].headers["retry-after"]) <= 30


async def test_a_body_that_is_too_large_is_refused_before_it_is_read(start: Start) -> None:
    async with start(server={"max_body_bytes": 1000}) as running:
        answer = await running.client.post(IMAGE, content=b"x" * 1001)
        assert answer.status_code == 413
        assert "1000 bytes" in answer.json()["message"]


async def test_a_wrong_method_is_told_which_would_be_right(start: Start) -> None:
    async with start() as running:
        answer = await running.client.put(IMAGE)
        assert answer.status_code == 405
        assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD", "POST"}


async def test_a_private_address_is_refused_by_default(start: Start) -> None:
    async with start(net={"allow_private": False}) as running:
        body = {
            "model": "gen4_turbo",
            "promptImage": "http://127.0.0.1:9/cat.png",
            "ratio": "1280:720",
            "promptText": "x",
        }
        answer = await running.client.post("/v1/image_to_video", json=body, headers=RUNWAY)
        assert answer.status_code == 400
        assert answer.json()["issues"][0]["path"] == ["promptImage"]
        assert "private" in answer.text


async def test_a_rehearsal_answers_with_the_problem_that_a_header_names(start: Start) -> None:
    async with start(rehearsal=True) as running:
        for kind in Kind:
            answer = await running.client.get(IMAGE, headers={"x-mutoscope-rehearse": kind})
            family = Problem(kind, "").status // 100  # the vendor may have fewer statuses than we have kinds
            assert answer.status_code // 100 == family, kind
        unknown = await running.client.get(IMAGE, headers={"x-mutoscope-rehearse": "gremlins"})
        assert unknown.status_code == 400


async def test_outside_a_rehearsal_the_header_means_nothing(start: Start) -> None:
    async with start() as running:
        answer = await running.client.get(IMAGE, headers={"x-mutoscope-rehearse": "internal"})
        assert answer.status_code == 200


async def test_a_large_body_is_kept_without_its_inline_file(start: Start, picture: bytes) -> None:

    async with start(models={"gen4.5": {"engine": "script"}}) as running:
        noise = base64.b64encode(picture + bytes(100_000)).decode()
        body = {"image": f"data:image/png;base64,{noise}", "prompt": "x"}
        made = await running.client.post("/v1/ai/image-to-video/runway-4-5", json=body)
        job = await running.app.store.get(from_uuid4_form(made.json()["data"]["task_id"]))
        assert len(job.body) < 1000
        assert "sha256" in msgspec.json.decode(job.body)["image"]
        assert job.generation.inputs[0].asset


async def test_usage_counts_what_succeeded_and_the_account_what_was_made(start: Start) -> None:
    async with start(**SCRIPTED) as running:
        await running.finished(await create(running, "x"))
        await running.finished(await create(running, "fail no"))
        account = (await running.client.get("/v1/organization", headers=RUNWAY)).json()
        today = datetime.now(UTC).date()
        period = {"startDate": today.isoformat(), "beforeDate": (today + timedelta(days=1)).isoformat()}
        usage = (await running.client.post("/v1/organization/usage", json=period, headers=RUNWAY)).json()
        assert account["usage"]["models"]["gen4_image"]["dailyGenerations"] == 2
        spent = [each for day in usage["results"] for each in day["usedCredits"]]
        assert spent == [{"model": "gen4_image", "amount": 5}]


@pytest.mark.parametrize("broken", [b"", b"{", b"[]", b"\xff\xfe", b'{"prompt": 1}', b"null", b'"x"'])
async def test_no_body_breaks_the_server(start: Start, broken: bytes) -> None:
    async with start() as running:
        for path in (IMAGE, "/v1/image_to_video", "/runwayml/v1/image_to_video", "/v1/ai/uploads/request-url"):
            answer = await running.client.post(path, content=broken, headers=RUNWAY)
            assert answer.status_code == 400, (path, answer.text)


@pytest.mark.alone
async def test_while_draining_reads_are_answered_and_creates_are_not(start: Start) -> None:
    async with start(**SCRIPTED) as running:
        id = await create(running, "sleep 0.6")
        async with asyncio.timeout(5):
            while (await running.app.store.get(id)).state is not State.RUNNING:
                await asyncio.sleep(0.02)
        draining = asyncio.create_task(running.app.drain())
        await asyncio.sleep(0.05)
        read = await running.client.get(f"{IMAGE}/{BY_NAME['freepik'].public_id(id)}")
        refused = await running.client.post(IMAGE, json={"prompt": "x", "ratio": "720:720"})
        assert (read.json()["data"]["status"], refused.status_code) == ("IN_PROGRESS", 503)
        assert (await running.client.get("/readyz")).status_code == 503
        await draining
        read = await running.client.get(f"{IMAGE}/{BY_NAME['freepik'].public_id(id)}")
        assert read.json()["data"]["status"] == "COMPLETED"


async def test_a_job_that_is_hindered_when_the_server_stops_is_made_by_the_next(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "HINDERED_SECONDS", 0.05)
    tries: list[object] = []

    async def no_space(*asked: object) -> str:
        tries.append(asked)
        raise OSError(errno.ENOSPC, "No space left on device")

    async with start(**SCRIPTED) as running:
        monkeypatch.setattr(running.app.gateway.assets, "put", no_space)
        id = await create(running, "a paper boat")
        async with asyncio.timeout(10):
            while len(tries) < 2:
                await asyncio.sleep(0.01)
    async with start(**SCRIPTED) as running:
        job = await running.finished(id)
        assert (job.state, job.attempts) == (State.SUCCEEDED, 1)


# -- inputs whose host is in trouble


class Host:
    """A server of somebody's pictures, which is in trouble for its next answers."""

    def __init__(self, picture: bytes) -> None:
        self.picture, self.url, self.asked = picture, "", 0
        self.troubles: list[int] = []  # statuses; 0: the connection breaks off

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked += 1
        if not self.troubles:
            return web.Response(body=self.picture, content_type="image/png")
        if status := self.troubles.pop(0):
            return web.Response(status=status, headers={"retry-after": "1"} if status == 429 else {})
        assert request.transport
        request.transport.abort()
        raise asyncio.CancelledError


@pytest.fixture
async def host(picture: bytes, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Host]:
    monkeypatch.setattr(inputs, "TRIES", (0.01, 0.02, 0.03))
    monkeypatch.setattr(egress, "AGAIN_SECONDS", 0.01)
    it = Host(picture)
    app = web.Application()
    app.router.add_get("/fox.png", it.answer)
    runner = web.AppRunner(app, access_log=None, handle_signals=False)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    it.url = f"http://127.0.0.1:{runner.addresses[0][1]}/fox.png"
    yield it
    await runner.cleanup()


CLIP = {"models": {"gen4.5": {"engine": "script"}, "gen4_turbo": {"engine": "script"}}}


async def clip_of(running: Any, url: str) -> Any:
    body = {"image": url, "prompt": "x", "duration": 5}
    answer = await running.client.post("/v1/ai/image-to-video/runway-4-5", json=body)
    assert answer.status_code == 200, answer.text
    return await running.finished(from_uuid4_form(answer.json()["data"]["task_id"]))


async def test_passing_trouble_of_an_inputs_host_is_waited_out_while_the_job_runs(start: Start, host: Host) -> None:
    async with start(**CLIP) as running:
        for troubles in ([503], [500, 0], [429], [0, 502, 504]):
            host.troubles = [*troubles]
            job = await clip_of(running, host.url)
            assert job.state is State.SUCCEEDED, (troubles, job.failure)


async def test_trouble_of_an_inputs_host_that_stays_fails_the_job_after_a_few_tries(start: Start, host: Host) -> None:
    async with start(**CLIP) as running:
        host.troubles = [503] * 100
        job = await clip_of(running, host.url)
        assert job.failure.message == "Failed to fetch asset: the server answered 503; tried 4 times"
        assert host.asked == 4


async def test_an_input_that_is_not_there_is_not_asked_for_again(start: Start, host: Host) -> None:
    async with start(**CLIP) as running:
        host.troubles = [404, 404]
        job = await clip_of(running, host.url)
        assert job.failure.message == "Failed to fetch asset: the server answered 404"
        assert host.asked == 1


@pytest.mark.parametrize(("status", "says_so"), [(503, True), (429, True), (0, True), (404, False), (403, False)])
async def test_a_create_says_to_try_again_where_the_trouble_may_pass(
    start: Start, host: Host, status: int, says_so: bool
) -> None:
    async with start(**CLIP) as running:
        host.troubles = [status] * 3  # where a connection breaks off, the client's library tries again by itself
        body = {"model": "gen4_turbo", "promptImage": host.url, "promptText": "x", "ratio": "1280:720"}
        answer = await running.client.post("/v1/image_to_video", json=body, headers=RUNWAY)
        assert answer.status_code == 400
        assert ("try again" in answer.text, "retry-after" in answer.headers) == (says_so, says_so), answer.text
        host.troubles.clear()
        again = await running.client.post("/v1/image_to_video", json=body, headers=RUNWAY)
        assert again.status_code == 200


@pytest.mark.parametrize(
    ("period", "status", "days"),
    [
        ({"beforeDate": "9999-12-31"}, 400, 0),
        ({"startDate": "9999-12-31"}, 200, 0),
        ({"startDate": "9999-12-02"}, 200, 29),
        ({"startDate": "0001-01-01"}, 200, 30),
        ({"beforeDate": "0001-01-01"}, 200, 0),
        ({"startDate": "0001-01-01", "beforeDate": "9999-12-31"}, 400, 0),
    ],
    ids=lambda value: str(value)[:60],
)
async def test_a_period_at_the_ends_of_the_calendar_costs_no_more_than_another(
    start: Start, period: dict[str, str], status: int, days: int
) -> None:
    async with start(**SCRIPTED) as running:
        answer = await running.client.post("/v1/organization/usage", json=period, headers=RUNWAY)
        assert answer.status_code == status, answer.text
        assert len(answer.json().get("results", ())) == days
        assert "beforeDate" in answer.text or status == 200


# -- paths that are nearly right, and those at which clients try their keys -------------------------


async def test_a_task_that_is_read_under_another_models_path_is_told_its_own(start: Start) -> None:
    keys = [{"name": name, "sha256": digest(f"{name}-secret")} for name in ("ann", "bob")]
    ann, bob = ({"x-freepik-api-key": f"{name}-secret"} for name in ("ann", "bob"))
    async with start(**SCRIPTED, keys=keys) as running:
        made = await running.client.post(IMAGE, json={"prompt": "x", "ratio": "720:720"}, headers=ann)
        id = made.json()["data"]["task_id"]
        elsewhere = f"/v1/ai/image-to-video/runway-gen4-turbo/{id}"
        answer = await running.client.get(elsewhere, headers=ann)
        assert answer.status_code == 404
        assert answer.json()["message"] == f"There is no task '{id}' here; it is read at {IMAGE}/{id}."
        assert IMAGE not in (await running.client.get(elsewhere, headers=bob)).text


@pytest.mark.parametrize(
    ("asked", "right"),
    [
        ("/v1/ai/text-to-image/runway/status/{id}", "/v1/ai/text-to-image/runway/{id}"),
        ("/v1/ai/text-to-image/runwayml/{id}", "/v1/ai/text-to-image/runway/{id}"),
        ("/v1/task/{id}", "/v1/tasks/{id}"),
        ("/v1/tasks/{id}/status", "/v1/tasks/{id}"),
        ("/runwayml/v1/task/{id}", "/runwayml/v1/tasks/{id}"),
        ("/runway/v1/generations/{id}", "/v1/tasks/{id}"),
        ("/api/v1/task/{id}", "/api/v1/tasks/{id}"),
    ],
)
async def test_a_wrong_path_of_a_status_is_answered_with_the_right_one(start: Start, asked: str, right: str) -> None:
    async with start(**SCRIPTED) as running:
        id = "01890a5d-ac96-474b-bcce-b302099a8057"
        answer = await running.client.get(asked.format(id=id))
        assert answer.status_code == 404
        assert f"It tells of a task at: {right.format(id=id)}" in answer.text
        assert "It makes things at: /" in answer.text
        assert "It tells of" not in (await running.client.post(asked.format(id=id))).text


PROBED = {
    "loras": {"data": {"default": [], "customs": []}},
    "apps": {"data": []},
    "flows": {"data": []},
    "mystic": {"data": []},
    "text-to-image/flux-dev": {"data": []},
    "image-to-video/kling-v2-6": {"data": []},
}
SERVED = PROBED.keys() - {"apps", "flows"}


@pytest.mark.parametrize(("path", "told"), PROBED.items())
async def test_a_key_can_be_tried_at_a_list_of_what_there_is_none_of(start: Start, path: str, told: Any) -> None:
    good, bad = {"x-freepik-api-key": "ann-secret"}, {"x-freepik-api-key": "wrong"}
    async with start(**SCRIPTED, keys=[{"name": "ann", "sha256": digest("ann-secret")}]) as running:
        for at in (f"/v1/ai/{path}", f"/freepik/v1/ai/{path}"):
            answer = await running.client.get(at, headers=good)
            assert (answer.status_code, answer.json()) == (200, told)
            assert (await running.client.get(at, headers=bad)).status_code == 401
            assert (await running.client.get(at)).status_code == 401
            if path in SERVED:
                assert "x-mutoscope-notes" not in answer.headers
            else:
                assert path in answer.headers["x-mutoscope-notes"]
                assert (await running.client.post(at, headers=good, json={"prompt": "x"})).status_code == 404
            one = await running.client.get(f"{at}/01890a5d-ac96-474b-bcce-b302099a8057", headers=good)
            assert one.status_code == 404
        assert (await running.client.get("/v1/ai/nothing", headers=good)).status_code == 404


@pytest.mark.parametrize("mount", ["/v1/ai/text-to-image/runway", "/admin/keys"])
async def test_a_byte_order_mark_before_json_is_passed_over(start: Start, mount: str) -> None:
    keys = [{"name": "ann", "sha256": digest("ann-secret"), "admin": True}]
    body = {"prompt": "x", "ratio": "720:720"} if "admin" not in mount else {"name": "bob"}
    headers = {"authorization": "Bearer ann-secret"} if "admin" in mount else {"x-freepik-api-key": "ann-secret"}
    async with start(**SCRIPTED, keys=keys) as running:
        content = b"\xef\xbb\xbf" + msgspec.json.encode(body)
        assert (await running.client.post(mount, content=content, headers=headers)).is_success
