"""Money from end to end: what a key may spend, what its callers are told, and what the operator is shown."""

import asyncio
import csv
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from local_settings import settings
from mutoscope.app import App
from mutoscope.background.worker import Ending, Run
from mutoscope.cli import main, usage
from mutoscope.model import catalog
from mutoscope.model.catalog import Catalog
from mutoscope.model.config import BadSettings, ModelPrice, ModelSettings, Rates, Rights
from mutoscope.model.job import Generation, Input, Job, MediaLimits, Operation, Output, Role, State
from mutoscope.model.problem import Kind, Problem
from mutoscope.service.keys import digest
from mutoscope.store import SpendingHold, SpendingRow, SqliteStore
from mutoscope.wirekit.ids import from_uuid4_form
from mutoscope.wires import ROWS
from mutoscope.wires.runway.models import RUNWAY_PRICES

Start = Callable[..., AbstractAsyncContextManager[Any]]
I2V, T2I, V2V = Operation.IMAGE_TO_VIDEO, Operation.TEXT_TO_IMAGE, Operation.VIDEO_TO_VIDEO
SECRET = "msk_a-secret-of-the-tests"
RUNWAY = {"authorization": f"Bearer {SECRET}", "x-runway-version": "2024-11-06"}
FREEPIK = {"x-freepik-api-key": SECRET}
PICTURE = {"model": "gen4_image", "promptText": "x", "ratio": "1920:1080"}  # 8 credits
SCRIPTED = {"gen4_image": {"engine": "script"}, "gen4.5": {"engine": "script"}, "wan-2.7": {"engine": "script"}}


def keyed(**rights: object) -> dict[str, Any]:
    return {"keys": [{"name": "alice", "sha256": digest(SECRET), **rights}], "models": SCRIPTED}


async def ask(running: Any, body: dict[str, Any] | None = None) -> Any:
    return await running.client.post("/v1/text_to_image", json=PICTURE | (body or {}), headers=RUNWAY)


async def made(running: Any, body: dict[str, Any] | None = None) -> Any:
    answer = await ask(running, body)
    assert answer.status_code == 200, answer.text
    return await running.finished(from_uuid4_form(answer.json()["id"]))


# Budgets, as callers meet them


async def test_over_budget_is_told_in_runways_words_with_what_is_left(start: Start) -> None:
    async with start(**keyed(budget=20.0), script={"slots": 0}) as running:
        first, second, third = [await ask(running) for _ in range(3)]
        assert first.json()["estimatedCost"] == {"credits": 8}
        assert second.status_code == 200
        assert (third.status_code, third.json()["error"]) == (400, "You do not have enough credits to run this task.")
        assert "8 credits, and 4 are left of this key's 20 a month" in third.json()["issues"][0]["message"]


async def test_freepiks_clients_are_told_by_402(start: Start) -> None:
    async with start(**keyed(budget=1.0)) as running:
        body = {"prompt": "x", "ratio": "1920:1080"}
        answer = await running.client.post("/v1/ai/text-to-image/runway", json=body, headers=FREEPIK)
        assert answer.status_code == 402
        assert "1 are left of this key's 1 a month" in answer.text


async def test_a_job_that_fails_gives_back_what_it_set_aside(start: Start) -> None:
    async with start(**keyed(budget=8.0)) as running:
        assert (await made(running, {"promptText": "fail refused no"})).state is State.FAILED
        assert (await made(running)).cost == 8
        assert (await ask(running)).status_code == 400


async def test_many_creates_at_once_spend_no_more_than_there_is(start: Start) -> None:
    async with start(**keyed(budget=30.0), script={"slots": 0}) as running:
        answers = await asyncio.gather(*(ask(running) for _ in range(20)))
        assert sorted(answer.status_code for answer in answers) == [200] * 3 + [400] * 17


async def test_a_model_whose_price_nobody_knows_is_refused_to_a_key_with_a_budget(start: Start) -> None:
    body = {"prompt": "x"}
    async with start(**keyed(budget=1000.0)) as running:
        answer = await running.client.post("/v1/ai/text-to-video/wan-2-7", json=body, headers=FREEPIK)
        assert answer.status_code == 403
        assert '[models."wan-2.7"]' in answer.text.replace('\\"', '"')
    priced = keyed(budget=1000.0)
    priced["models"] = SCRIPTED | {"wan-2.7": {"engine": "script", "price": {"second": 1.5}}}
    async with start(**priced) as running:
        answer = await running.client.post("/v1/ai/text-to-video/wan-2-7", json=body, headers=FREEPIK)
        assert answer.status_code == 200
        balance = await running.app.store.balance("alice", period="total", now=time.time())
        assert balance.reserved + balance.charged == 7.5
    async with start(**keyed()) as running:  # a key without a budget may use what has no known price
        answer = await running.client.post("/v1/ai/text-to-video/wan-2-7", json=body, headers=FREEPIK)
        assert answer.status_code == 200


async def test_the_account_tells_the_budget_and_what_is_left_of_it(start: Start) -> None:
    async with start(**keyed(budget=100.0, budget_period="total")) as running:
        await made(running)
        answer = (await running.client.get("/v1/organization", headers=RUNWAY)).json()
        assert (answer["tier"]["maxMonthlyCreditSpend"], answer["creditBalance"]) == (100, 92)


async def test_the_account_has_what_is_set_aside_and_the_charges_of_its_period(start: Start) -> None:
    """Fifty credits forty days ago, and twenty-five two days ago; eight are set aside."""
    async with start(**keyed(), script={"slots": 0}) as running:
        store, now = running.app.store, time.time()
        for days, engine, cost in ((40, "a", 50.0), (2, "b", 20.0), (2, "c", 5.0)):
            at = now - days * 86400
            id = f"{int(at * 1000):012x}"
            job = made_job(f"{id[:8]}-{id[8:]}-7000-8000-00000000000{engine}", "alice", "gen4_image", engine, at)
            await store.add(job)
            await store.claim(engine=engine, worker="w", lease_seconds=9, limit=1, now=at)
            await store.settle(job.id, "w", state=State.SUCCEEDED, cost=cost, now=at)
        assert (await ask(running)).status_code == 200
        account = running.app.gateway.account
        told = await account("alice", Rights(budget=100.0, budget_period="day"))
        assert (told.spent, told.left, told.models["gen4_image"].made_today) == (25, 92, 1)
        assert (await account("alice", Rights(budget=100.0, budget_period="total"))).left == 17
        assert (await account("alice", Rights(budget=60.0, budget_period="total"))).left == 0
        told = await account("bob", Rights(budget=60.0))
        assert (told.spent, told.left, told.models["gen4_image"].made_today) == (0, 60, 0)


async def test_usage_is_read_from_the_ledger_and_stays_when_jobs_are_deleted(start: Start) -> None:
    async with start(**keyed()) as running:
        job = await made(running)
        await running.app.store.delete(job.id)
        day = datetime.fromtimestamp(job.finished, UTC).date()
        period = {"startDate": str(day), "beforeDate": str(day + timedelta(days=1))}
        usage = (await running.client.post("/v1/organization/usage", json=period, headers=RUNWAY)).json()
        assert usage["results"] == [{"date": str(day), "usedCredits": [{"model": "gen4_image", "amount": 8}]}]


async def test_two_keys_of_one_name_spend_from_one_purse(start: Start) -> None:
    other = "msk_another-secret-of-the-tests"
    both = keyed(budget=10.0)
    both["keys"].append({"name": "alice", "sha256": digest(other), "budget": 10.0})
    async with start(**both, script={"slots": 0}) as running:
        assert (await ask(running)).status_code == 200
        headers = RUNWAY | {"authorization": f"Bearer {other}"}
        assert (await running.client.post("/v1/text_to_image", json=PICTURE, headers=headers)).status_code == 400


async def test_with_a_budget_a_job_goes_only_where_its_price_is_known(tmp_path: Path) -> None:
    """gen4.5's price is Runway's own; what Freepik takes for it is not published."""
    accounts = {"one": {"wire": "runway", "key": "k"}, "two": {"wire": "freepik", "key": "k"}}
    app = App(settings(accounts=accounts), data=tmp_path)
    model = app.catalog.get("gen4.5")
    rights = Rights(budget=5.0)
    assert app.gateway.planner.affordable(model, rights) == ("one",)
    assert app.gateway.prices.price_at(model, "two").known is False
    app.home.leave()


async def test_enough_is_set_aside_for_the_dearest_engine_that_may_come_to_make_it(start: Start) -> None:
    told = keyed(budget=100.0)
    dearer = {"script": {"image": 10.0}, "studio": {"image": 60.0}}
    told["models"] = {"gen4_image": {"engines": ["script", "studio"], "prices": dearer}}
    async with start(**told, script={"slots": 0}) as running:
        first, second = [await ask(running) for _ in range(2)]
        assert first.headers["x-mutoscope-engine"] == "script"
        assert first.json()["estimatedCost"] == {"credits": 10}
        assert (second.status_code, second.json()["issues"][0]["message"][:49]) == (
            400,
            "This may cost 60 credits, and 40 are left of this",
        )


async def test_a_key_with_a_budget_is_held_to_its_engines_too(start: Start) -> None:
    told = keyed(budget=100.0, engines=["script"])
    told["models"] = {"gen4_image": {"engines": ["studio", "script"]}, "gen4.5": {"engines": ["studio"]}}
    async with start(**told, script={"slots": 0}) as running:
        assert (await ask(running)).headers["x-mutoscope-engine"] == "script"
        [job] = await running.app.store.recent(limit=1)
        assert job.engines == ("script",)
        wish = {"model": "gen4.5", "promptText": "x", "ratio": "1280:720", "duration": 5}
        refused = await running.client.post("/v1/text_to_video", json=wish, headers=RUNWAY)
        assert refused.status_code == 403 and "it may use script." in refused.text


def test_what_was_made_is_charged_by_its_length_where_none_was_asked_for(tmp_path: Path) -> None:
    app = App(settings(models={"seedance2": {"prices": {"studio": {"second": 2.0}}}}), data=tmp_path)
    clips = [Output(id=f"{n}", media_type="video/mp4", asset="a.mp4", bytes=9, seconds=n) for n in (3.0, 4.5, 1.0)]
    job = made_job("1", "alice", "seedance2", "studio", 0.0)
    as_asked = msgspec.structs.replace(job, generation=msgspec.structs.replace(job.generation, seconds=10.0))
    elsewhere = msgspec.structs.replace(job, engine="script")
    assert [app.gateway.prices.cost_of(each, clips) for each in (job, as_asked, elsewhere)] == [9, 20, 162]
    assert app.gateway.prices.cost_of(job, ()) == 30  # as long as the model makes at most
    run = Run(job, app.worker)
    run.charge(0.0)  # the vendor's word is taken even where it says that nothing is to be paid
    assert run.cost_of(Ending(State.SUCCEEDED, outputs=tuple(clips))) == 0
    gone = msgspec.structs.replace(made_job("2", "alice", "taken-from-the-catalog", "studio", 0.0), estimate=7.5)
    assert app.gateway.prices.cost_of(gone, clips) == 7.5
    app.home.leave()


# Prices


def price(name: str, engine: str = "studio", wire: str = "", **changed: object) -> catalog.Price:
    given = {name: msgspec.convert(changed, ModelSettings)} if changed else None
    return catalog.price_at(Catalog(ROWS, given).get(name), engine, wire)


def test_every_price_that_is_known_says_where_it_stands_and_when_it_was_read() -> None:
    for model in Catalog(ROWS).models.values():
        for each in (model.price, *model.prices.values()):
            assert not each.known or (each.source.startswith("https://") and each.checked)


def test_what_a_built_in_engine_makes_is_counted_as_the_vendors() -> None:
    assert price("gen4_turbo", "studio").second == 5
    assert price("gen4_turbo", "studio").known


def test_one_vendors_price_is_nominal_at_another() -> None:
    assert price("gen4_turbo", "mine", "runway").known
    assert not price("gen4_turbo", "mine", "freepik").known
    assert price("gen4_turbo", "mine", "freepik").second == 5


def test_the_operators_price_stands_for_all_and_that_of_an_engine_or_its_wire_before_it() -> None:
    told = {"price": {"second": 1.0}, "prices": {"freepik": {"second": 2.0}, "mine": {"second": 3.0}}}
    assert price("gen4.5", "studio", **told).second == 1
    assert price("gen4.5", "other", "runway", **told).second == 1
    assert price("gen4.5", "other", "freepik", **told).second == 2
    assert price("gen4.5", "mine", "freepik", **told).second == 3
    assert price("gen4.5", "mine", "freepik", **told).known


def test_a_price_at_an_engine_that_there_is_not_is_an_error(tmp_path: Path) -> None:
    told = {"gen4.5": {"prices": {"freepick": {"second": 1.0}}}}
    with pytest.raises(BadSettings, match=r'models."gen4.5".prices.freepick'):
        App(settings(models=told), data=tmp_path)


def test_a_price_for_a_tier_that_there_is_not_is_an_error() -> None:
    with pytest.raises(Problem, match=r"no tier '9k'; there are 360p") as caught:
        price("gen4.5", price={"tiers": {"9k": {"second": 1.0}}})
    assert caught.value.kind is Kind.INVALID


RATES = ModelPrice(second=9, tiers={"1080p": Rates(second=4), "720p": Rates(second=1)})


@pytest.mark.parametrize(
    ("size", "credits"),
    [
        ({"width": 1280, "height": 720}, 1),
        ({"width": 720, "height": 1280}, 1),
        ({"width": 960, "height": 960}, 4),
        ({"width": 3840, "height": 2160}, 9),
        ({"resolution": "1080p"}, 4),
        ({}, 9),
    ],
)
def test_the_smallest_tier_that_a_frame_fits_decides(size: dict[str, Any], credits: float) -> None:
    wish = Generation(operation=I2V, model="m", seconds=1.0, **size)
    assert catalog.estimate(wish, priced_so(RATES)) == credits


def priced_so(rates: ModelPrice) -> catalog.Price:
    return catalog.Price(**{name: getattr(rates, name) for name in rates.__struct_fields__})


@pytest.mark.parametrize(
    ("rates", "wish", "credits"),
    [
        ({"image": 5}, {"count": 3}, 15),
        ({"megapixel": 2}, {"width": 1000, "height": 1000, "count": 2}, 4),
        ({"job": 7}, {}, 7),
        ({"character": 0.02}, {"prompt": "x" * 100}, 2),
        ({"second": 40, "silent": 20}, {"seconds": 8.0}, 320),
        ({"second": 40, "silent": 20}, {"seconds": 8.0, "extra": {"audio": False}}, 160),
        ({"second": 12}, {"seconds": 5.0, "extra": {"outputFormat": "prores"}}, 85),
        ({"second": 12}, {"seconds": 5.0, "extra": {"outputFormat": "hdr10"}}, 160),
        (
            {"second": 12},
            {"seconds": 5.0, "extra": {"outputFormat": "hdr10"}, "width": 3840, "height": 2160},
            260,
        ),
        ({"second": 12}, {"seconds": 5.0, "extra": {"outputFormat": "hdr10"}, "width": 2000, "height": 2000}, 160),
        ({"second": 15, "job": 1}, {"seconds": 0.0}, 1),
        ({"second": 15}, {}, 150),  # as long as the model makes at most
    ],
)
def test_what_is_asked_for_is_what_is_counted(rates: dict[str, Any], wish: dict[str, Any], credits: float) -> None:
    generation = Generation(operation=T2I, model="m", **wish)
    assert catalog.estimate(generation, catalog.Price(**rates), longest=10.0) == credits


def test_a_clip_whose_length_is_not_said_is_taken_to_be_as_long_as_its_input_may_be() -> None:
    inputs = [
        Input(role=Role.VIDEO, field="videoUri", asset="a.mp4", limits=MediaLimits(max_seconds=seconds))
        for seconds in (5.0, 8.0)
    ]
    wish = Generation(operation=V2V, model="gen4_aleph", inputs=tuple(inputs))
    assert catalog.estimate(wish, catalog.Price(second=15)) == 120


# What the operator sees


@pytest.fixture
async def spent(tmp_path: Path) -> AsyncIterator[Path]:
    """A data directory in which two keys and an open server spent something, over two days."""
    folder = tmp_path / "data"
    store = SqliteStore(folder / "mutoscope.db")
    await store.open()
    plan = (
        ("alice", "gen4_turbo", "runway", 25.0, "2026-03-01T10:00"),
        ("alice", "gen4_turbo", "studio", 50.0, "2026-03-01T11:00"),
        ("=cmd()", "gen4_image", "runway", 8.1, "2026-03-03T12:00"),
        ("", "gen4_image", "runway", 5.0, "2026-03-03T13:00"),
    )
    for number, (owner, model, engine, cost, moment) in enumerate(plan):
        at = datetime.fromisoformat(f"{moment}+00:00").timestamp()
        id = f"019c{number:04x}-0000-7000-8000-000000000000"
        await store.add(made_job(id, owner, model, engine, at), hold=SpendingHold(credits=cost))
        [job] = await store.claim(engine=engine, worker="w", lease_seconds=9, limit=1, now=at)
        await store.settle(job.id, "w", state=State.SUCCEEDED, cost=cost, now=at)
    await store.close()
    yield folder


def made_job(id: str, owner: str, model: str, engine: str, at: float) -> Any:
    wish = Generation(operation=T2I, model=model, prompt="x")
    return Job(id=id, wire="runway", route="", owner=owner, generation=wish, engine=engine, created=at, updated=at)


def run(capsys: pytest.CaptureFixture[str], *words: str | Path) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main([str(word) for word in words])
    said = capsys.readouterr()
    return int(ended.value.code or 0), said.out, said.err


MARCH = ("--since", "2026-03-01", "--until", "2026-03-31")


def test_spending_is_shown_by_key_with_real_money_apart(capsys: pytest.CaptureFixture[str], spent: Path) -> None:
    code, out, _ = run(capsys, "usage", "--by", "key", *MARCH, "--data", spent)
    first, second, third, whole = out.splitlines()[1:5]
    assert code == 0
    assert first.split()[:5] == ["alice", "2", "25", "0.25", "50"]
    assert second.split()[:4] == ["=cmd()", "1", "8.10", "0.08"]
    assert third.startswith("(no key)")
    assert whole.split()[:5] == ["all", "4", "38.10", "0.38", "50"]
    assert first.count("█") == 30
    assert "Nobody was paid for the latter" in out


def test_a_chart_of_days_shows_the_days_without_spending(capsys: pytest.CaptureFixture[str], spent: Path) -> None:
    _, out, _ = run(capsys, "usage", "--since", "2026-03-01", "--until", "2026-03-04", "--data", spent)
    assert [line.split()[0] for line in out.splitlines()[1:6]] == [
        "2026-03-01",
        "2026-03-02",
        "2026-03-03",
        "2026-03-04",
        "all",
    ]


def test_a_period_has_its_last_day_in_it(capsys: pytest.CaptureFixture[str], spent: Path) -> None:
    _, out, _ = run(capsys, "usage", "--since", "2026-03-02", "--until", "2026-03-03", "--json", "--data", spent)
    told = json.loads(out)
    assert told["sums"] == [{"day": "2026-03-03", "jobs": 2, "vendor_credits": 13.1, "built_in_credits": 0.0}]
    assert {row["key"] for row in told["rows"]} == {"", "=cmd()"}


def test_a_csv_has_every_row_and_no_formula(capsys: pytest.CaptureFixture[str], spent: Path, tmp_path: Path) -> None:
    code, _, err = run(capsys, "usage", *MARCH, "--csv", tmp_path / "spent.csv", "--data", spent)
    rows = list(csv.DictReader((tmp_path / "spent.csv").read_text().splitlines()))
    assert (code, "Wrote 4 rows" in err) == (0, True)
    assert {row["key"] for row in rows} == {"", "alice", "'=cmd()"}
    assert sum(float(row["credits"]) for row in rows) == pytest.approx(88.1)
    assert {row["engine"]: row["built_in"] for row in rows} == {"runway": "no", "studio": "yes"}


@pytest.mark.parametrize(
    ("words", "reason"),
    [(("--since", "yesterday"), "no day"), (("--since", "2026-04-01", "--until", "2026-03-01"), "is after")],
)
def test_a_period_that_cannot_be_is_refused(
    capsys: pytest.CaptureFixture[str], spent: Path, words: tuple[str, ...], reason: str
) -> None:
    code, _, err = run(capsys, "usage", *words, "--data", spent)
    assert (code, reason in err) == (2, True)


def test_nothing_spent_is_said_so(capsys: pytest.CaptureFixture[str], spent: Path) -> None:
    code, out, err = run(capsys, "usage", "--since", "2020-01-01", "--until", "2020-01-02", "--data", spent)
    assert (code, out, "Nothing was spent" in err) == (0, "", True)


def test_bars_are_true_to_an_eighth_of_a_character() -> None:
    half = SpendingRow(day="2026-03-01", owner="a", model="m", engine="runway", jobs=1, credits=5.0)
    [whole] = usage.summed([half, msgspec.structs.replace(half, engine="studio")], "key", ("studio",)).values()
    assert (whole.paid, whole.rendered) == (5.0, 5.0)
    assert usage.bar(whole, 10.0).plain == "█" * 30
    assert usage.blocks(1 / 240) == "▏"


def test_prices_are_shown_with_who_says_so(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    config = tmp_path / "mutoscope.toml"
    config.write_text(
        """[accounts.mine]\nwire = "freepik"\nkey = "k"\n[models."wan-2.7".prices.mine]\nsecond = 4.5\n"""
    )
    code, out, _ = run(capsys, "models", "--prices", "--config", config)
    lines = {line.split()[0]: line for line in out.splitlines() if line.strip()}
    assert code == 0
    assert "2 a picture" in lines["gen4_image_turbo"] and RUNWAY_PRICES in lines["gen4_image_turbo"]
    assert "5 a second" in lines["gen4_turbo"] and "nominal: the price at runway" in lines["gen4_turbo"]
    assert "4.5 a second" in lines["wan-2.7"] and "the settings" in lines["wan-2.7"]
    assert "nominal: third parties" in lines["gen4.5"]
