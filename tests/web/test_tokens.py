"""What answers in words use and cost: tokens a minute, budgets, the ledger, and the records that the operator reads."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
from aiohttp import web
from test_stream import ASK, CHUNK, END, account, answering, streaming, upstream

from local_settings import settings
from mutoscope.app import App
from mutoscope.cli import main
from mutoscope.model.catalog import Catalog, token_cost
from mutoscope.model.config import ModelPrice, ModelSettings, Rates
from mutoscope.model.problem import Problem
from mutoscope.model.words import FILE_TOKENS, Tokens, body_tokens
from mutoscope.service.keys import RateLimited, TokenRateLimiter, digest
from mutoscope.store import ExchangeRecord, Kept, Outlay, Settlement, SpendingHold, SqliteStore
from mutoscope.wires import ROWS
from mutoscope.wires.anthropic import messages
from mutoscope.wires.openai import chat

sys.path.append(str(Path(__file__).parent.parent / "relay"))
from sockets import served

Start = Callable[..., AbstractAsyncContextManager[Any]]
SECRET = "msk_a-secret-of-the-tests"
BEARER = {"authorization": f"Bearer {SECRET}"}
PRICED = {"gpt-4o": {"price": {"input_tokens": 1e6, "output_tokens": 2e6, "cached_tokens": 5e5}}}  # a credit a token


def keyed(url: str, **rights: Any) -> dict[str, Any]:
    key = {"name": "ann", "sha256": digest(SECRET)} | rights
    return {"keys": [key], "accounts": {"house": account(url)}, "models": PRICED}


async def ask(running: Any, **more: Any) -> Any:
    return await running.client.post("/v1/chat/completions", json=ASK | more, headers=BEARER)


async def lines(running: Any, answer: Any) -> list[tuple[str, float, str]]:
    await running.app.words.books.flush()
    entries = await running.app.store.entries(answer.headers["x-request-id"])
    return [(each.kind, each.credits, each.basis) for each in entries]


async def charged(app: App) -> tuple[float, float]:
    await app.words.books.flush()
    balance = await app.store.balance("ann", period="total", now=app.gateway.clock())
    return balance.charged, balance.reserved


# -- tokens a minute ---------------------------------------------------------------------


def test_what_was_taken_too_much_comes_back_and_too_little_is_waited_for() -> None:
    now = 0.0
    token_limiter = TokenRateLimiter(lambda: now)
    token_limiter.take("ann", 600, 500)
    with pytest.raises(RateLimited) as caught:
        token_limiter.take("ann", 600, 200)
    assert (caught.value.allowance.of, caught.value.allowance.remaining) == ("tokens", 100)
    assert caught.value.retry_after == pytest.approx(10)
    token_limiter.settle("ann", 600, -400)
    token_limiter.take("ann", 600, 400)
    token_limiter.settle("ann", 600, 700)  # it came to far more
    assert token_limiter.spent("ann", 600)
    now = 60.0
    with pytest.raises(RateLimited):
        token_limiter.take("ann", 600, 100)
    token_limiter.take("bob", 600, 9000)  # larger than a minute's share: let in while that is full
    with pytest.raises(RateLimited):
        token_limiter.take("bob", 600, 1)


async def test_a_key_is_held_to_its_tokens_a_minute(start: Start) -> None:
    async with upstream(answering([])) as url, start(**keyed(url, tokens_per_minute=200)) as running:
        first = await ask(running, max_tokens=150)
        second = await ask(running, max_tokens=150)  # of the first, seven were used
        third = await ask(running, max_tokens=180)
        other = await running.client.post("/v1/messages", json={"model": "m"}, headers=BEARER)
    assert [each.status_code for each in (first, second, third)] == [200, 200, 429]
    assert third.json()["error"]["code"] == "rate_limit_exceeded"
    assert "200 tokens a minute" in third.json()["error"]["message"]
    assert third.headers["x-ratelimit-limit-tokens"] == "200"
    assert 0 < float(third.headers["retry-after"]) < 60
    assert other.status_code != 429


async def test_a_model_has_tokens_a_minute_of_its_own_also_where_the_author_answers(start: Start) -> None:
    key = {"name": "ann", "sha256": digest(SECRET), "per_model": {"gpt-4o": {"tokens_per_minute": 30}}}
    async with start(keys=[key]) as running:
        answers = [await ask(running) for _ in range(2)]
        other = await ask(running, model="m")
    assert [each.status_code for each in (*answers, other)] == [200, 429, 200]


def test_files_in_a_body_count_by_their_number() -> None:
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 1_000_000}}
    body = json.dumps(ASK | {"messages": [{"role": "user", "content": [picture]}]}).encode()
    assert FILE_TOKENS < body_tokens(body) < FILE_TOKENS + 100
    assert body_tokens(b"12345") == 2


# -- prices ------------------------------------------------------------------------------


def test_tokens_of_the_cache_have_prices_of_their_own() -> None:
    price = Rates(input_tokens=100.0, output_tokens=400.0, cached_tokens=10.0, cache_write_tokens=125.0)
    openai = chat.tokens_reported(
        b'{"usage":{"prompt_tokens":1000,"completion_tokens":10,"prompt_tokens_details":{"cached_tokens":600}}}'
    )
    anthropic = messages.tokens_reported(
        b'{"usage":{"input_tokens":300,"cache_read_input_tokens":600,"cache_creation_input_tokens":100,'
        b'"output_tokens":10}}'
    )
    assert openai == Tokens(read=1000, written=10, cached=600)
    assert anthropic == Tokens(read=1000, written=10, cached=600, cache_written=100)
    assert token_cost(openai, price) == pytest.approx((400 * 100 + 600 * 10 + 10 * 400) / 1e6)
    assert token_cost(anthropic, price) == pytest.approx((300 * 100 + 600 * 10 + 100 * 125 + 10 * 400) / 1e6)
    assert token_cost(openai, Rates(input_tokens=100.0)) == pytest.approx(0.1)


def test_a_model_of_words_needs_no_row_to_have_a_price_but_a_misspelt_one_is_told() -> None:
    prices = {"house": ModelPrice(input_tokens=3.0), "openai": ModelPrice(input_tokens=2.0)}
    priced = ModelSettings(price=ModelPrice(input_tokens=1.0), prices=prices)
    catalog = Catalog(ROWS, {"gpt-4o": priced})
    found = [catalog.token_price("gpt-4o", *place) for place in (("house", "openai"), ("b", "openai"), ("c", "x"))]
    assert [each.input_tokens for each in found if each] == [3.0, 2.0, 1.0]
    assert catalog.token_price("gpt-5", "house", "openai") is None
    with pytest.raises(Problem, match="no model 'gen5'"):
        Catalog(ROWS, {"gen5": ModelSettings(price=ModelPrice(second=1.0))})


# -- budgets and the ledger -----------------------------------------------------------------


async def test_what_an_answer_may_cost_is_set_aside_and_what_it_cost_is_charged(start: Start) -> None:
    told = {"prompt_tokens": 10, "completion_tokens": 3, "prompt_tokens_details": {"cached_tokens": 4}}
    async with (
        upstream(answering([], body={"usage": told})) as url,
        start(**keyed(url, budget=200.0)) as running,
    ):
        answer = await ask(running, max_tokens=50)
        reserve, release, charge = await lines(running, answer)
        assert reserve[:2] == ("reserve", body_tokens(answer.request.content) + 100.0)
        assert release == ("release", *reserve[1:])
        assert charge == ("charge", 6 + 2 + 6, "told")
        over = await ask(running, max_tokens=100)
        assert (over.status_code, over.json()["error"]["code"]) == (429, "insufficient_quota")
        assert await charged(running.app) == (14.0, 0.0)
        [spent] = await running.app.store.spending(since=0, until=1e12, owner="ann")
    assert (spent.model, spent.engine, spent.jobs, spent.credits) == ("gpt-4o", "house", 1, 14.0)


async def test_the_usage_of_a_stream_is_charged_and_where_nobody_counts_what_passed(start: Start) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = await streaming(request)
        for number in range(3):
            await response.write(CHUNK % number)
        if "stream_options" in await request.json():
            await response.write(END)
        return response

    async with upstream(handler) as url, start(**keyed(url, budget=1e6)) as running:
        told = await ask(running, stream=True, stream_options={"include_usage": True})
        counted = await ask(running, stream=True)
        assert (await lines(running, told))[-1] == ("charge", 7 + 2 * 3, "told")
        read = body_tokens(counted.request.content)
        assert (await lines(running, counted))[-1] == ("charge", read + 2 * 3, "counted")


async def test_what_fails_costs_nothing(start: Start) -> None:
    """A refusal, no answer at all, and a page of a proxy; nor does an answer that broke off before anything of it."""

    async def breaks(request: web.Request) -> web.StreamResponse:
        kind = (await request.json())["user"]
        if kind == "refused":
            return web.json_response({"error": {"message": "no"}}, status=400)
        if kind == "page":
            return web.Response(text="<html>", status=404, content_type="text/html")
        assert request.transport
        if kind == "half":
            response = web.StreamResponse(headers={"content-type": "application/json", "content-length": "100"})
            await response.prepare(request)
            await response.write(b'{"id":')
            await asyncio.sleep(0.02)
        request.transport.abort()
        return web.Response()

    async with upstream(breaks) as url, start(**keyed(url, budget=1e6)) as running:
        statuses = [(await ask(running, user=kind)).status_code for kind in ("refused", "page", "none")]
        assert statuses == [400, 502, 502]
        with pytest.raises(AssertionError):  # of the client without a socket: an answer without its end
            await ask(running, user="half")
        assert await charged(running.app) == (0.0, 0.0)
        taken = await running.app.store._read("SELECT kind, count(*) FROM ledger GROUP BY kind", ())
        assert dict(taken) == {"reserve": 4, "release": 4}


@pytest.mark.parametrize("budget", [1e6, None])
@pytest.mark.parametrize("after", [0, 2])
async def test_what_a_caller_cuts_off_is_charged_by_what_passed_else_by_the_estimate(
    tmp_path: Path, after: int, budget: float | None
) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        if not after:
            await asyncio.sleep(30)
        response = await streaming(request)
        for number in range(after):
            await response.write(CHUNK % number)
        await asyncio.sleep(30)
        return response

    async with upstream(handler) as url:
        app = App(settings(**keyed(url, **({"budget": budget} if budget else {}))), data=tmp_path / "d")
        async with served(app) as here, aiohttp.ClientSession(headers=BEARER) as session:
            body = msgspec.json.encode(ASK | {"stream": True, "max_tokens": 50})
            asking = asyncio.create_task(session.post(f"{here}/v1/chat/completions", data=body))
            if after:
                response = await asking
                seen = 0
                while seen < after:
                    seen += (await response.content.readany()).count(b"data:")
                response.close()
            else:
                while not any(peer.open for peer in app.words.peers):
                    await asyncio.sleep(0.01)
                await asyncio.sleep(0.05)
                asking.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await asking
            async with asyncio.timeout(10):
                while (await charged(app))[0] == 0:
                    await asyncio.sleep(0.01)
            read = body_tokens(body)
            expected = read + 2 * after if after else read + 2 * 50
            assert await charged(app) == (expected, 0.0)
            [basis] = await app.store._read("SELECT basis FROM ledger WHERE kind = 'charge'", ())
            assert basis == ("counted" if after else "estimate",)


async def test_a_budget_is_not_used_twice_by_requests_at_once(start: Start) -> None:
    gate = asyncio.Event()

    async def handler(request: web.Request) -> web.StreamResponse:
        await gate.wait()
        return web.json_response({"usage": {"prompt_tokens": 1, "completion_tokens": 1}})

    async with upstream(handler) as url, start(**keyed(url, budget=500.0)) as running:
        asking = [asyncio.create_task(ask(running, max_tokens=100)) for _ in range(5)]
        done, _ = await asyncio.wait(asking, return_when=asyncio.FIRST_COMPLETED)
        while len(done) < 3:
            more, _ = await asyncio.wait([each for each in asking if each not in done], timeout=5)
            done |= more
        gate.set()
        statuses = sorted([(await each).status_code for each in asking])
    assert statuses == [200, 200, 429, 429, 429]


async def test_an_account_that_lies_about_tokens_is_not_believed_beyond_what_can_be(start: Start) -> None:
    told = {"prompt_tokens": 10**30, "completion_tokens": -5, "prompt_tokens_details": {"cached_tokens": 10**40}}
    async with upstream(answering([], body={"usage": told})) as url, start(**keyed(url)) as running:
        answer = await ask(running)
        assert answer.status_code == 200
        assert (await lines(running, answer))[-1][0] == "charge"
        assert (await ask(running)).status_code == 200


async def test_counts_are_free_and_a_key_with_a_budget_may_have_them(start: Start) -> None:
    there = {"a": {"wire": "anthropic", "key": "k", "open_models": True}}
    key = {"name": "ann", "sha256": digest(SECRET), "budget": 1.0}
    body = {"model": "claude-x", "messages": ASK["messages"]}
    async with upstream(answering([], body={"input_tokens": 7})) as url:
        there["a"]["base_url"] = url
        async with start(keys=[key], accounts=there) as running:
            count = await running.client.post("/v1/messages/count_tokens", json=body, headers=BEARER)
            paid = await running.client.post("/v1/messages", json=body | {"max_tokens": 5}, headers=BEARER)
    assert (count.status_code, count.json()) == (200, {"input_tokens": 7})
    assert paid.status_code == 403
    assert "price = { input_tokens" in paid.text.replace('\\"', '"') and "claude-x" in paid.text


# -- kill -9 ------------------------------------------------------------------------------------

SERVER = """
[server]
port = {port}
log_level = "critical"
[net]
allow_private = true
[[keys]]
name = "ann"
sha256 = "{digest}"
budget = 1000000.0
[accounts.house]
wire = "openai"
key = "theirs"
base_url = "{url}"
open_models = true
[models."gpt-4o".price]
input_tokens = 1e6
output_tokens = 2e6
"""


async def test_kill_9_in_the_middle_charges_once_and_the_ledger_says_what(tmp_path: Path) -> None:
    """One answer is over, one stream is under way: the first was charged as told, the second at the next start by what
    was set aside for it, and neither again at the start after that."""

    async def handler(request: web.Request) -> web.StreamResponse:
        if not (await request.json()).get("stream"):
            return web.json_response({"usage": {"prompt_tokens": 5, "completion_tokens": 2}})
        response = await streaming(request)
        await response.write(CHUNK % 1)
        await asyncio.sleep(60)
        return response

    body = msgspec.json.encode(ASK | {"stream": True, "max_tokens": 50})
    async with upstream(handler) as url, killed_in_the_middle(tmp_path, url, body) as ids:
        charges: list[Any] = []
        for _ in range(2):
            app = App(settings(**keyed(url, budget=1e6)), data=tmp_path / "data")
            async with app.running():
                entries = [await app.store.entries(id) for id in ids]
                charges = [(each.kind, each.credits, each.basis) for of in entries for each in of if each.basis]
                assert charges == [("charge", 9.0, "told"), ("charge", body_tokens(body) + 100.0, "estimate")]
                assert await charged(app) == (sum(each[1] for each in charges), 0.0)


@contextlib.asynccontextmanager
async def killed_in_the_middle(tmp_path: Path, url: str, body: bytes) -> AsyncIterator[list[str]]:
    from socket import create_server

    with create_server(("127.0.0.1", 0)) as door:
        port = door.getsockname()[1]
    file = tmp_path / "mutoscope.toml"
    file.write_text(SERVER.format(port=port, digest=digest(SECRET), url=url))
    command = [sys.executable, "-m", "mutoscope", "serve", "--config", str(file), "--data", str(tmp_path / "data")]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    here, ids = f"http://127.0.0.1:{port}/v1/chat/completions", list[str]()
    try:
        async with aiohttp.ClientSession(headers=BEARER) as session:
            async with asyncio.timeout(60):
                while True:
                    with contextlib.suppress(aiohttp.ClientConnectionError):
                        async with session.post(here, json=ASK) as answer:
                            assert answer.status == 200
                            ids.append(answer.headers["x-request-id"])
                        break
                    await asyncio.sleep(0.05)
            response = await session.post(here, data=body)
            assert await response.content.readany() == CHUNK % 1
            ids.append(response.headers["x-request-id"])
            await asyncio.sleep(0.1)  # what is charged is written a moment after the answer
            os.kill(process.pid, signal.SIGKILL)
            with contextlib.suppress(aiohttp.ClientError):
                await response.read()
    finally:
        process.kill()
        process.wait()
    yield ids


async def test_an_exchange_is_settled_once_and_forgotten_with_its_owner(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "x.db")
    await store.open()
    try:
        outlay = Outlay(id="e1", owner="ann", model="m", engine="a", at=1e9, hold=SpendingHold(credits=5.0, budget=6.0))
        await store.set_aside(outlay)
        with pytest.raises(Problem, match="1 are left"):
            await store.set_aside(msgspec.structs.replace(outlay, id="e2"))
        settled = Settlement(id="e1", owner="ann", model="m", engine="b", at=1e9 + 1, credits=2.0, basis="told")
        await store.settle_exchanges([settled, msgspec.structs.replace(settled, credits=9.0)])
        await store.settle_exchanges([settled])
        assert [(each.kind, each.credits, each.engine) for each in await store.entries("e1")] == [
            *(("reserve", 5.0, "a"), ("release", 5.0, "b"), ("charge", 2.0, "b"))
        ]
        await store.set_aside(msgspec.structs.replace(outlay, id="e3", hold=SpendingHold(credits=1.0)))
        record = ExchangeRecord(
            id="e1", owner="ann", began=1e9, ended=1e9 + 1, wire="w", path="/p", model="m", engine="b", request="Hi"
        )
        await store.settle_exchanges([], records=[record])
        while await store.forget("ann", limit=10, now=1e9 + 2):
            pass
        assert await store.exchange("e1") is None
        await store.settle_exchanges([msgspec.structs.replace(settled, id="e3")])  # it was under way meanwhile
        assert {each.owner for id in ("e1", "e3") for each in await store.entries(id)} == {" (forgotten)"}
        assert await store.balance("ann", period="total", now=1e9) == await store.balance("b", period="day", now=1e9)
    finally:
        await store.close()


# -- records ------------------------------------------------------------------------------------


async def test_records_are_kept_as_far_as_is_wanted_and_no_secret_is_in_them(start: Start, tmp_path: Path) -> None:
    body = ASK | {"user": f"my key is {SECRET}, the other is sk-abcdefghijklmnop", "metadata": {"a": "theirs-secret"}}
    admin = {"name": "boss", "sha256": digest("msk_of-the-boss"), "admin": True}
    boss = {"authorization": "Bearer msk_of-the-boss"}
    told = {"text": "the key theirs-secret is wrong", "usage": {"prompt_tokens": 5, "completion_tokens": 2}}
    async with upstream(answering([], body=told)) as url:
        for records in ("off", "metadata", "bodies"):
            sections = keyed(url, budget=1e6) | {"words": {"records": records}}
            sections["accounts"]["house"]["key"] = "theirs-secret"
            sections["keys"].append(admin)
            async with start(**sections, data=tmp_path / records) as running:
                answer = await running.client.post("/v1/chat/completions", json=body, headers=BEARER)
                await running.app.words.books.flush()
                listed = (await running.client.get("/admin/exchanges", headers=boss)).json()["exchanges"]
                id = answer.headers["x-request-id"]
                shown = await running.client.get(f"/admin/exchanges/{id}", headers=boss)
                denied = await running.client.get("/admin/exchanges", headers=BEARER)
                theirs = await running.client.get("/admin/exchanges?owner=bob&limit=1", headers=boss)
                wrong = await running.client.get("/admin/exchanges?limit=0", headers=boss)
            assert denied.status_code == 403
            assert (wrong.status_code, theirs.json()) == (400, {"exchanges": []})
            assert len(listed) == (records != "off")
            if records == "off":
                assert shown.status_code == 404
                continue
            assert (listed[0]["id"], listed[0]["model"], listed[0]["engine"]) == (id, "gpt-4o", "house")
            assert (listed[0]["read"], listed[0]["written"], listed[0]["credits"]) == (5, 2, 9.0)
            assert listed[0]["status"] == 200 and "request" not in listed[0]
            exchange = shown.json()["exchange"]
            assert [each["kind"] for each in shown.json()["ledger"]] == ["reserve", "release", "charge"]
            assert ("messages" in exchange.get("request", "")) is (records == "bodies")
            assert ("is wrong" in exchange.get("response", "")) is (records == "bodies")
            for secret in (SECRET, "abcdefghijklmnop", "theirs-secret"):
                assert secret not in shown.text


def test_records_are_shown_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def seed() -> None:
        store = SqliteStore(tmp_path / "mutoscope.db")
        await store.open()
        facts = {"owner": "ann", "model": "gpt-4o", "engine": "house"}
        settled = Settlement(id="e1", at=2e9, credits=9.0, basis="told", **facts)
        record = ExchangeRecord(
            id="e1", began=2e9, ended=2e9, wire="openai", path="/p", status=200, credits=9.0, request="Hi", **facts
        )
        await store.settle_exchanges([settled], records=[record])
        await store.close()

    def run(*words: str) -> int:
        with pytest.raises(SystemExit) as caught:
            main(["exchanges", *words, "--data", str(tmp_path)])
        return int(caught.value.code or 0)

    asyncio.run(seed())
    assert run("--json") == 0
    assert [each["id"] for each in json.loads(capsys.readouterr().out)] == ["e1"]
    assert run("e1") == 0
    assert "charge: 9 credits, told\n\nrequest:\nHi" in capsys.readouterr().out
    assert run("--owner", "bob") == 0
    assert 'records = "metadata"' in capsys.readouterr().err
    assert run("e2") == 1
    assert run("--limit", "0") == 2


async def test_a_record_says_how_an_exchange_ended_and_goes_when_its_time_is_over(start: Start) -> None:
    async def breaks(request: web.Request) -> web.StreamResponse:
        response = await streaming(request)
        await response.write(CHUNK % 1)
        await asyncio.sleep(0.02)
        assert request.transport
        request.transport.abort()
        return response

    async with (
        upstream(breaks) as url,
        start(accounts={"house": account(url)}, words={"records": "bodies"}) as running,
    ):
        await running.client.post("/v1/chat/completions", json=ASK | {"stream": True})
        await running.app.words.books.flush()
        [record] = await running.app.store.exchanges()
        whole = await running.app.store.exchange(record.id)
        assert (record.end, record.status, record.written, record.credits) == ("broken", 200, 1, None)
        assert whole and whole.response and whole.response.startswith("data:")
        for before, left in ((record.ended - 1, 1), (record.ended, 0)):
            swept = await running.app.store.sweep(Kept.EXCHANGES, before=before, now=before, limit=9)
            assert swept.removed == 1 - left
            assert len(await running.app.store.exchanges()) == left


async def test_a_store_that_fails_for_a_moment_loses_no_charge(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    async with upstream(answering([])) as url, start(**keyed(url)) as running:
        store, failing = running.app.store, [True]
        settle = store.settle_exchanges

        async def sometimes(*args: Any, **more: Any) -> None:
            if failing:
                failing.clear()
                raise Problem("unavailable", "the disk is full")  # pyright: ignore[reportArgumentType]
            await settle(*args, **more)

        monkeypatch.setattr(store, "settle_exchanges", sometimes)
        answer = await ask(running)
        assert await lines(running, answer) == []
        assert (await lines(running, answer))[-1] == ("charge", 5 + 2 * 2, "told")
