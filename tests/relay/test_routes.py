"""Which account makes a job, and who takes over when one cannot."""

import asyncio
import random
from collections import Counter
from typing import Any

import httpx
from fault_proxy import answer_lost, status
from test_relay import make_picture

from mutoscope.model.catalog import Catalog
from mutoscope.model.config import ModelSettings, VendorAccount
from mutoscope.model.job import Sent, State
from mutoscope.service.routing import route
from mutoscope.wires import ROWS

Worlds = Any

CLOSED = "http://127.0.0.1:9"  # nobody listens on the discard port


def test_a_models_own_vendor_comes_first_and_the_renderer_only_where_there_is_none() -> None:
    accounts = {"f": VendorAccount(wire="freepik", key="k"), "r": VendorAccount(wire="runway", key="k")}
    models = Catalog(ROWS).models
    assert route(models["gen4_image"], accounts) == ("runway", "freepik")
    assert route(models["veo3.1"], accounts) == ("runway",)
    assert route(models["wan-2.7"], accounts) == ("freepik",)
    assert route(models["gen4_image"], {}) == ("studio",)


def test_the_operators_order_wins() -> None:
    catalog = Catalog(ROWS, {"gen4_image": ModelSettings(engines=("freepik", "studio"))})
    accounts = {"r": VendorAccount(wire="runway", key="k"), "f": VendorAccount(wire="freepik", key="k")}
    assert route(catalog.get("gen4_image"), accounts) == ("freepik", "studio")


def test_an_account_may_be_for_some_models_only() -> None:
    accounts = {"r": VendorAccount(wire="runway", key="k", models=("gen4.5",))}
    models = Catalog(ROWS).models
    assert route(models["gen4.5"], accounts) == ("runway",)
    assert route(models["gen4_image"], accounts) == ("studio",)


async def test_accounts_of_one_wire_get_jobs_by_their_weights(world: Worlds) -> None:
    accounts = {"a": {"wire": "freepik", "weight": 3.0}, "b": {"wire": "freepik", "weight": 1.0}}
    async with world(accounts=accounts) as it:
        it.app.routes.draw = random.Random(5).random
        model = it.app.catalog.get("gen4_image")
        first = Counter(it.app.routes.candidates(model)[0].name for _ in range(2000))
        assert 1400 < first["a"] < 1600


async def test_a_job_goes_on_at_the_next_engine_when_nothing_was_spent(world: Worlds) -> None:
    accounts = {"dead": {"wire": "runway", "base_url": CLOSED}, "alive": {"wire": "freepik"}}
    async with world(accounts=accounts) as it:
        id = await make_picture(it)
        job = await it.finished(id)
        assert (job.state, job.engine) == (State.SUCCEEDED, "alive")
        first, second = await it.app.store.dispatches(id)
        assert (first.account, first.sent) == ("dead", Sent.UNSENT)
        assert (second.account, second.sent) == ("alive", Sent.ACCEPTED)
        assert "rerouted" in await it.story(id)
        assert len(await it.submissions()) == 1


async def test_a_job_whose_answer_was_lost_goes_nowhere_else(world: Worlds) -> None:
    accounts = {"r": {"wire": "runway"}, "f": {"wire": "freepik"}}
    async with world(accounts=accounts) as it:
        it.proxy.on("POST /v1/text_to_image", answer_lost)
        id = await make_picture(it)
        job = await it.finished(id)
        assert job.failure and job.failure.kind == "submission_unknown"
        assert len(await it.submissions()) == 1
        assert len(await it.app.store.dispatches(id)) == 1


async def test_a_refusal_of_the_job_is_not_taken_elsewhere(world: Worlds) -> None:
    accounts = {"r": {"wire": "runway"}, "f": {"wire": "freepik"}}
    async with world(accounts=accounts) as it:
        it.proxy.on("POST /v1/text_to_image", status(400, body=b'{"error": "not this prompt"}'))
        job = await it.finished(await make_picture(it))
        assert job.state is State.FAILED and job.failure and "not this prompt" in job.failure.message
        assert await it.submissions() == []


async def test_a_refusal_of_the_account_is(world: Worlds) -> None:
    accounts = {"r": {"wire": "runway"}, "f": {"wire": "freepik"}}
    async with world(accounts=accounts) as it:
        it.proxy.on("POST /v1/text_to_image", status(401, body=b'{"error": "key disabled"}'))
        job = await it.finished(await make_picture(it))
        assert (job.state, job.engine) == (State.SUCCEEDED, "f")


async def test_the_renderer_stands_in_only_where_the_operator_wrote_it_down(world: Worlds) -> None:
    accounts = {"dead": {"wire": "freepik", "base_url": CLOSED}}
    async with world(accounts=accounts, relay={"timeout_seconds": 1.0}) as it:
        job = await it.finished(await make_picture(it))
        assert job.state is State.FAILED and job.engine == "dead"
    models = {"gen4_image": {"engines": ["dead", "script"]}}
    async with world(accounts=accounts, models=models) as it:
        job = await it.finished(await make_picture(it))
        assert (job.state, job.engine) == (State.SUCCEEDED, "script")


async def test_an_open_breaker_spares_the_account_and_closes_by_a_probe(world: Worlds) -> None:
    async with world("freepik", relay={"breaker_failures": 2, "breaker_seconds": 0.6}) as it:
        it.proxy.on("POST /v1/ai", status(503), times=2)
        ids = [await make_picture(it, f"sleep 0.1 {number}") for number in range(6)]
        jobs = [await it.finished(id) for id in ids]
        assert {job.state for job in jobs} == {State.SUCCEEDED}
        assert len(await it.submissions()) == 6
        assert it.app.relays["freepik"].breaker.state == "closed"


async def test_jobs_wait_here_for_an_account_that_holds_as_many_as_it_may(world: Worlds) -> None:
    async with world("freepik", account={"max_in_flight": 2}) as it:
        ids = [await make_picture(it, "sleep 0.4") for _ in range(6)]
        most = 0
        tasks = [asyncio.create_task(it.finished(id)) for id in ids]
        while not all(task.done() for task in tasks):
            counts = await it.vendor.store.count_by_state()
            most = max(most, counts[State.QUEUED] + counts[State.RUNNING])
            await asyncio.sleep(0.02)
        assert {(await task).state for task in tasks} == {State.SUCCEEDED}
        assert most == 2
        started = [(await it.app.store.get(id)).started for id in ids]
        assert started == sorted(started)


async def test_jobs_that_wait_for_an_account_that_was_closed_by_its_vendor_time_out(world: Worlds) -> None:
    """One 429 that asks for a day of rest: nobody waits for longer than their own patience."""
    quick = {"models": {"gen4_image": {"timeout_seconds": 1.0}}, "relay": {"slots": 2}}
    async with world("freepik", account={"exclusive": True}, **quick) as it:
        it.proxy.on("^POST /v1/ai", status(429, retry_after="86399"), times=1000)
        ids = [await make_picture(it, f"lake {number}") for number in range(6)]
        jobs = [await it.finished(id, seconds=15) for id in ids]
        assert {job.state for job in jobs} == {State.FAILED}
        assert it.proxy.sent("^POST /v1/ai") == 1, "nothing is sent to a closed account"
        assert it.app.relays["freepik"].breaker.seconds_left <= 600


async def test_jobs_of_an_account_that_was_closed_by_its_vendor_go_elsewhere(world: Worlds) -> None:
    async with world("freepik", models={"gen4_image": {"engines": ["freepik", "script"]}}) as it:
        it.proxy.on("^POST /v1/ai", status(429, retry_after="86399"), times=1000)
        ids = [await make_picture(it, f"lake {number}") for number in range(4)]
        jobs = [await it.finished(id) for id in ids]
        assert {(job.state, job.engine) for job in jobs} == {(State.SUCCEEDED, "script")}


async def test_what_an_account_has_made_is_fetched_while_it_is_left_alone(world: Worlds) -> None:
    async with world("freepik", relay={"breaker_failures": 1, "breaker_seconds": 60.0}) as it:
        made = await make_picture(it, "sleep 0.5")
        async with asyncio.timeout(10):
            while await it.app.store.next_watch() is None:
                await asyncio.sleep(0.02)
        it.proxy.on("^POST /v1/ai", status(500))
        _ = await it.finished(await make_picture(it, "the vendor fails"))
        assert it.app.relays["freepik"].is_left_alone
        assert (await it.finished(made, seconds=10)).state is State.SUCCEEDED


async def test_an_account_gets_no_more_requests_a_second_than_it_may(world: Worlds) -> None:
    async with world("freepik", account={"requests_per_second": 10.0}) as it:
        begun = asyncio.get_running_loop().time()
        ids = [await make_picture(it, f"sleep 0.2 {number}") for number in range(15)]
        jobs = [await it.finished(id) for id in ids]
        assert {job.state for job in jobs} == {State.SUCCEEDED}
        seconds = asyncio.get_running_loop().time() - begun
        assert it.proxy.sent("/v1/ai") <= 10 * seconds + 11


async def test_an_engine_that_does_not_exist_is_told_by_its_name(world: Worlds) -> None:
    async with world("freepik", models={"gen4_image": {"engines": ["nobody"]}}) as it:
        answer: httpx.Response = await it.client.post(
            "/v1/ai/text-to-image/runway", json={"prompt": "x", "ratio": "720:720"}
        )
        assert answer.status_code == 400
        assert "nobody" in answer.text
