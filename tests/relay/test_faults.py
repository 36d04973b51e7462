"""What becomes of a paid job when something goes wrong between us and its vendor: any fault, any front, any back."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from itertools import groupby, product
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from fault_proxy import (
    Fault,
    FaultProxy,
    answer_lost,
    changed,
    dead_link,
    garbage,
    late,
    reset_before,
    status,
    status_after,
    truncated,
)

from mutoscope.engines import relay
from mutoscope.model.job import State
from mutoscope.wires import BY_NAME

Worlds = Any
PAGE = Path(__file__).parent.parent.parent / "docs" / "05-paid-jobs.md"


class Front(NamedTuple):
    """How a client asks, and by which words it is told of the end."""

    wire: str
    path: str
    body: dict[str, Any]
    public: Callable[[Any], str]
    read: str  # the path of a task
    word: Callable[[Any], str]


class Back(NamedTuple):
    """How the vendor is asked."""

    wire: str
    create: str
    poll: str
    account: dict[str, Any]


WAN = {"prompt": "sleep 0.6", "resolution": "720P", "duration": 2, "aspect_ratio": "1:1"}
FRONTS = {
    "freepik": Front(
        "freepik",
        "/v1/ai/text-to-image/runway",
        {"prompt": "sleep 0.6", "ratio": "720:720"},
        lambda answer: answer["data"]["task_id"],
        "/v1/ai/text-to-image/runway/{}",
        lambda answer: answer["data"]["status"],
    ),
    "freepik, WAN": Front(
        "freepik",
        "/v1/ai/text-to-video/wan-2-7",
        WAN,
        lambda answer: answer["data"]["task_id"],
        "/v1/ai/text-to-video/wan-2-7/{}",
        lambda answer: answer["data"]["status"],
    ),
    "runway": Front(
        "runway",
        "/v1/text_to_image",
        {"model": "gen4_image", "promptText": "sleep 0.6", "ratio": "720:720"},
        lambda answer: answer["id"],
        "/v1/tasks/{}",
        lambda answer: " ".join([answer["status"], *filter(None, [answer.get("failureCode")])]),
    ),
    "dashscope": Front(
        "dashscope",
        "/api/v1/services/aigc/video-generation/video-synthesis",
        {
            "model": "wan2.7-t2v",
            "input": {"prompt": "sleep 0.6"},
            "parameters": {"resolution": "720P", "duration": 2, "ratio": "1:1"},
        },
        lambda answer: answer["output"]["task_id"],
        "/api/v1/tasks/{}",
        lambda answer: " ".join([answer["output"]["task_status"], *filter(None, [answer["output"].get("code")])]),
    ),
}
HEADERS = {"x-runway-version": "2024-11-06", "authorization": "Bearer any", "x-dashscope-async": "enable"}

FREEPIK = ("freepik", "^POST /v1/ai/text-to-(image|video)/", "^GET /v1/ai/text-to-(image|video)/[^/?]+/[^?]+$")
DASHSCOPE = ("dashscope", "^POST /api/v1/services/", "^GET /api/v1/tasks/[^?]+$")
BACKS = {
    "freepik, exclusive": Back(*FREEPIK, {"exclusive": True}),
    "freepik": Back(*FREEPIK, {}),
    "runway": Back("runway", "^POST /v1/text_to_image$", "^GET /v1/tasks/", {}),
    "dashscope, exclusive": Back(*DASHSCOPE, {"exclusive": True}),
    "dashscope": Back(*DASHSCOPE, {}),
}
PAIRS = [
    *product(("freepik", "runway"), ("freepik, exclusive", "freepik", "runway")),
    *product(("freepik, WAN",), ("dashscope, exclusive", "dashscope")),
    *product(("dashscope",), ("freepik, exclusive", "freepik", "dashscope, exclusive", "dashscope")),
]
"""Every front by every back that has a model of its: pictures by Runway, clips by WAN."""
DOWNLOAD = "^GET /(files|assets)/"


class Outcome(NamedTuple):
    """How the job ends, what it cost, and what the ledger says (each word once, however often it came in a row)."""

    state: State
    reason: str | None
    submissions: int
    ledger: tuple[str, ...]


MADE = Outcome(State.SUCCEEDED, None, 1, ("accepted",))
SENT_AGAIN = Outcome(State.SUCCEEDED, None, 1, ("unsent", "accepted"))
LOST_AFTER = Outcome(State.FAILED, "submission_unknown", 1, ("unknown",))
LOST_BEFORE = Outcome(State.FAILED, "submission_unknown", 0, ("unknown",))


def same(outcome: Outcome) -> dict[str, Outcome]:
    return dict.fromkeys(BACKS, outcome)


def listed(exclusive: Outcome, otherwise: Outcome) -> dict[str, Outcome]:
    """The vendor's list settles it where nobody else uses the account."""
    return same(otherwise) | {"freepik, exclusive": exclusive, "dashscope, exclusive": exclusive}


class Case(NamedTuple):
    """A fault: what is planted in the proxy before the create, what is done afterwards, and what it comes to."""

    plant: Callable[[FaultProxy, Back], None]
    outcome: dict[str, Outcome]
    told: str = ""  # a word that must be in the story
    during: Callable[[Any], Awaitable[None]] | None = None
    before: Callable[[Any], Awaitable[None]] | None = None
    request_seconds: float = 10.0


def at_create(fault: Fault, times: int = 1) -> Callable[[FaultProxy, Back], None]:
    return lambda proxy, back: proxy.on(back.create, fault, times)


def at_poll(fault: Fault, times: int = 2) -> Callable[[FaultProxy, Back], None]:
    return lambda proxy, back: proxy.on(back.poll, fault, times)


def at_download(fault: Fault, times: int = 2) -> Callable[[FaultProxy, Back], None]:
    return lambda proxy, _: proxy.on(DOWNLOAD, fault, times)


def nothing(proxy: FaultProxy, back: Back) -> None:
    """The fault is not the proxy's."""


def odd_word(answer: Any) -> Any:
    if "data" in answer:
        return {"data": answer["data"] | {"status": "PONDERING"}}
    if "output" in answer and isinstance(answer["output"], dict):
        return answer | {"output": answer["output"] | {"task_status": "PONDERING"}}
    return answer | {"status": "PONDERING"}


async def no_picture(request: Any, forward: Any) -> Any:
    return await status(200, body=b"<html>sign in</html>")(request, forward)


async def stop_listening(it: Any) -> None:
    await it.proxy.stop_listening()


async def listen_again(it: Any) -> None:
    await asyncio.sleep(1.0)
    await it.proxy.start()


async def taken(it: Any) -> None:
    """Until the vendor has the job."""
    async with asyncio.timeout(20):
        while await it.app.store.next_watch() is None:
            await asyncio.sleep(0.02)


async def restart(it: Any) -> None:
    await taken(it)
    await it.restart_vendor()


def set_clock(hours: float) -> Callable[[Any], Awaitable[None]]:
    """Somebody sets the clock of the gateway's machine while the vendor is at work."""

    async def turn(it: Any) -> None:
        await taken(it)
        turned = lambda: time.time() + hours * 3600  # noqa: E731 (one function for five owners of a clock)
        for owner in (it.app.gateway, it.app.poller, it.app.worker, it.app.deliverer):
            owner.clock = turned

    return turn


CASES = {
    "nothing goes wrong": Case(nothing, same(MADE)),
    "create: connection refused for a second": Case(
        nothing, same(SENT_AGAIN), "deferred", during=listen_again, before=stop_listening
    ),
    "create: reset before the request was read": Case(
        at_create(reset_before), listed(SENT_AGAIN, LOST_BEFORE), "trouble"
    ),
    "create: taken, and the answer lost": Case(at_create(answer_lost), listed(MADE, LOST_AFTER), "trouble"),
    "create: taken, and the answer too late": Case(
        at_create(late(2.5)), listed(MADE, LOST_AFTER), "trouble", request_seconds=2.0
    ),
    "create: 429": Case(at_create(status(429)), same(SENT_AGAIN), "deferred"),
    "create: 429 with Retry-After": Case(at_create(status(429, retry_after="1")), same(SENT_AGAIN), "deferred"),
    "create: 503": Case(at_create(status(503)), same(SENT_AGAIN), "deferred"),
    "create: 500 before the vendor took it": Case(at_create(status(500)), listed(SENT_AGAIN, LOST_BEFORE), "trouble"),
    "create: 500 after the vendor took it": Case(at_create(status_after(500)), listed(MADE, LOST_AFTER), "trouble"),
    "create: taken, and the answer no JSON": Case(at_create(garbage), listed(MADE, LOST_AFTER), "trouble"),
    "create: 400, refused": Case(
        at_create(status(400)), same(Outcome(State.FAILED, "invalid", 0, ("refused",))), "refused"
    ),
    "create: 401, the key is not good": Case(
        at_create(status(401)), same(Outcome(State.FAILED, "upstream_failed", 0, ("refused",))), "refused"
    ),
    "poll: connection reset": Case(at_poll(reset_before), same(MADE), "trouble"),
    "poll: 429 with Retry-After": Case(at_poll(status(429, retry_after="1"), 1), same(MADE), "trouble"),
    "poll: 500": Case(at_poll(status(500)), same(MADE), "trouble"),
    "poll: 404 soon after the create": Case(at_poll(status(404)), same(MADE), "trouble"),
    "poll: no JSON": Case(at_poll(garbage), same(MADE), "trouble"),
    "poll: an unknown status word": Case(at_poll(changed(odd_word)), same(MADE), "trouble"),
    "download: cut off in the middle": Case(at_download(truncated), same(MADE), "copy_failed"),
    "download: the link is dead": Case(at_download(dead_link), same(MADE), "copy_failed"),
    "download: a page instead of the picture": Case(at_download(no_picture), same(MADE), "copy_failed"),
    "the vendor restarts and makes it anew": Case(nothing, same(MADE), during=restart),
    "the clock is set forward by an hour": Case(nothing, same(MADE), during=set_clock(1)),
    "the clock is set back by an hour": Case(nothing, same(MADE), during=set_clock(-1)),
}

WORDS = {
    ("freepik", None): "COMPLETED",
    ("runway", None): "SUCCEEDED",
    ("freepik", "submission_unknown"): "FAILED",
    ("freepik", "invalid"): "FAILED",
    ("freepik", "upstream_failed"): "FAILED",
    ("dashscope", None): "SUCCEEDED",
    ("dashscope", "submission_unknown"): "FAILED InternalError",
    ("dashscope", "invalid"): "FAILED InvalidParameter",
    ("dashscope", "upstream_failed"): "FAILED InternalError",
    ("runway", "submission_unknown"): "FAILED INTERNAL",
    ("runway", "invalid"): "FAILED INPUT_PREPROCESSING.INTERNAL",
    ("runway", "upstream_failed"): "FAILED THIRD_PARTY.UNAVAILABLE",
}
"""What a client reads in the end, by its front and the reason of the failure."""


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same waits, only shorter."""
    monkeypatch.setattr(relay, "LIST_TRIES", (0.05, 0.1, 0.2))
    monkeypatch.setattr(relay, "RETRY_SECONDS", (0.2, 1.0))
    monkeypatch.setattr(relay, "COPY_SECONDS", (0.1, 1.0))


@pytest.mark.parametrize("fault", CASES)
async def test_a_fault_costs_no_second_submission_and_its_end_is_told(world: Worlds, fault: str) -> None:
    """All fronts and backs at once, because most of the time is waiting."""
    async with asyncio.TaskGroup() as group:
        for front, back in PAIRS:
            group.create_task(go_through(world, CASES[fault], front, back), name=f"{front} on {back}")


async def go_through(world: Worlds, case: Case, front: str, back: str) -> None:
    asked, vendor = FRONTS[front], BACKS[back]
    async with world(
        vendor.wire,
        account=vendor.account,
        relay={"request_seconds": case.request_seconds},
        vendor={"server": {"grace_seconds": 0.1}},
        place=f"{front}-{back}",
    ) as it:
        case.plant(it.proxy, vendor)
        if case.before:
            await case.before(it)
        headers = HEADERS | {"x-mutoscope-webhook": "http://127.0.0.1:9/hook"}
        answer = await it.client.post(asked.path, json=asked.body, headers=headers)
        assert answer.status_code == 200, answer.text
        public = asked.public(answer.json())
        id = BY_NAME[asked.wire].job_id(public)
        if case.during:
            await case.during(it)
        job = await it.finished(id)

        wanted, where = case.outcome[back], f"{front} on {back}"
        story = await it.story(id)
        ledger = [dispatch.sent.value for dispatch in await it.app.store.dispatches(id)]
        reason = job.failure.kind.value if job.failure else None
        sent = len(await it.submissions())
        found = Outcome(job.state, reason, sent, tuple(word for word, _ in groupby(ledger)))
        assert found == wanted, (where, job.failure, story, it.proxy.log)
        assert len(job.outputs) == (job.state is State.SUCCEEDED), where
        assert bool(job.cost) == (job.state is State.SUCCEEDED), where
        assert not case.told or case.told in story, (where, story)
        assert not it.proxy.rules, "the fault did not happen"
        told = await it.client.get(asked.read.format(public), headers=HEADERS)
        assert asked.word(told.json()) == WORDS[asked.wire, reason], where
        events = [record.delivery.event for record in await it.app.store.deliveries(job=id)]
        assert sorted(events) == sorted({"running", job.state.value}), "each change is told once"
        assert await it.app.store.next_watch() is None, where


def phrase(outcome: Outcome) -> str:
    sent = {0: "not submitted", 1: "submitted once"}[outcome.submissions]
    return f"{outcome.reason or outcome.state.value}; {sent}; {', '.join(outcome.ledger)}"


def table() -> list[str]:
    """The cases as the page shows them: backs with the same outcome share a line."""
    lines = ["| fault | back | comes to; at the vendor; ledger | Freepik client reads | Runway | DashScope |"]
    lines.append("| --- | --- | --- | --- | --- | --- |")
    for name, case in CASES.items():
        for outcome in dict.fromkeys(case.outcome.values()):
            backs = [back for back in BACKS if case.outcome[back] == outcome]
            which = "all" if len(backs) == len(BACKS) else "; ".join(backs)
            words = [f"`{WORDS[front, outcome.reason]}`" for front in ("freepik", "runway", "dashscope")]
            lines.append(f"| {name} | {which} | {phrase(outcome)} | {' | '.join(words)} |")
    return lines


def test_the_page_shows_what_is_tested() -> None:
    assert "\n".join(table()) in PAGE.read_text()
