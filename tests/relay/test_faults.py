"""What becomes of a paid job when something goes wrong between us and its vendor: any fault, any front, any back."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from fault_proxy import (
    Fault,
    answer_lost,
    changed,
    dead_link,
    garbage,
    reset_before,
    status,
    status_after,
    too_late,
    truncated,
)

from mutoscope.engines import relay, script
from mutoscope.model.job import State
from mutoscope.wirekit.paths import at
from mutoscope.wires import BY_NAME

Worlds = Any
PAGE = Path(__file__).parent.parent.parent / "docs" / "05-paid-jobs.md"
SAID = "<said>"
EXCLUSIVE, NAMED, OTHER = "exclusive", "named", "other"
"""The vendor tells what it has, and nobody else uses the account; it knows the name that we gave; neither."""


class Front(NamedTuple):
    """How a client asks, and where it is told of the end."""

    wire: str
    path: str
    body: dict[str, Any]  # SAID stands for the prompt
    public: str  # where the answer names the task
    read: str  # the path of a task
    word: tuple[str, ...]  # where the words are that it reads
    outputs: int = 1
    news: tuple[str, ...] = ("running",)  # beside the end


class Coded(NamedTuple):
    """What the vendor says by a code in an answer of status 200."""

    busy: Any
    refused: Any
    trouble: Any  # of an answer to a poll


class Back(NamedTuple):
    """How the vendor is asked."""

    wire: str
    create: str
    poll: str
    fronts: tuple[str, ...]
    is_exclusive: bool = False
    settles: str = OTHER  # how a lost answer is found out
    busy: tuple[int, ...] = (429, 503)  # statuses that say that nothing was submitted
    coded: Coded | None = None
    below: str = ""  # the path of the vendor's address


FRONTS = {
    "freepik": Front(
        "freepik",
        "/v1/ai/text-to-image/runway",
        {"prompt": SAID, "ratio": "720:720"},
        "data.task_id",
        "/v1/ai/text-to-image/runway/{}",
        ("data.status",),
    ),
    "freepik, WAN": Front(
        "freepik",
        "/v1/ai/text-to-video/wan-2-7",
        {"prompt": SAID, "resolution": "720P", "duration": 2, "aspect_ratio": "1:1"},
        "data.task_id",
        "/v1/ai/text-to-video/wan-2-7/{}",
        ("data.status",),
    ),
    "runway": Front(
        "runway",
        "/v1/text_to_image",
        {"model": "gen4_image", "promptText": SAID, "ratio": "720:720"},
        "id",
        "/v1/tasks/{}",
        ("status", "failureCode"),
    ),
    "dashscope": Front(
        "dashscope",
        "/api/v1/services/aigc/video-generation/video-synthesis",
        {
            "model": "wan2.7-t2v",
            "input": {"prompt": SAID},
            "parameters": {"resolution": "720P", "duration": 2, "ratio": "1:1"},
        },
        "output.task_id",
        "/api/v1/tasks/{}",
        ("output.task_status", "output.code"),
    ),
    "kling": Front(
        "kling",
        "/v1/videos/text2video",
        {"model_name": "kling-v1-6", "prompt": SAID},
        "data.task_id",
        "/v1/videos/text2video/{}",
        ("data.task_status",),
    ),
    "kling, newer": Front(
        "kling",
        "/text-to-video/kling-3.0-turbo",
        {"prompt": SAID, "settings": {"duration": 3}},
        "data.id",
        "/tasks?task_ids={}",
        ("data.0.status",),
    ),
    "minimax": Front(
        "minimax",
        "/v1/video_generation",
        {"model": "T2V-01", "prompt": SAID},
        "task_id",
        "/v1/query/video_generation?task_id={}",
        ("status", "base_resp.status_code"),
    ),
    "minimax, v2": Front(
        "minimax",
        "/v2/video_generation",
        {"model": "MiniMax-H3", "content": [{"type": "text", "text": SAID}], "ratio": "1:1", "duration": 4},
        "task_id",
        "/v2/query/video_generation/{}",
        ("task.status", "task.error.code"),
    ),
    "midjourney": Front(
        "midjourney", "/mj/submit/imagine", {"prompt": SAID}, "result", "/mj/task/{}/fetch", ("status",), outputs=5
    ),
    "suno": Front(
        "suno",
        "/suno/submit/music",
        {"gpt_description_prompt": SAID, "mv": "chirp-v4"},
        "data",
        "/suno/fetch/{}",
        ("data.status",),
        outputs=2,
    ),
    "udio": Front(
        "udio",
        "/udio/submit/music",
        {"gen_params": {"prompt": SAID}},
        "data",
        "/udio/fetch/{}",
        ("data.status",),
        outputs=2,
    ),
    "luma": Front(
        "luma",
        "/dream-machine/v1/generations/image",
        {"model": "photon-1", "prompt": SAID, "aspect_ratio": "1:1"},
        "id",
        "/dream-machine/v1/generations/{}",
        ("state",),
    ),
    "replicate": Front(
        "replicate",
        "/v1/models/black-forest-labs/flux-schnell/predictions",
        {"input": {"prompt": SAID}},
        "id",
        "/v1/predictions/{}",
        ("status",),
        news=(),
    ),
    "flux": Front("flux", "/v1/flux-dev", {"prompt": SAID}, "id", "/v1/get_result?id={}", ("status",), news=()),
    "fal": Front(
        "fal",
        "/fal/fal-ai/flux/schnell",
        {"prompt": SAID},
        "request_id",
        "/fal/fal-ai/flux/requests/{}/status",
        ("status", "error_type"),
        news=(),
    ),
}
HEADERS = {"x-runway-version": "2024-11-06", "authorization": "Bearer any", "x-dashscope-async": "enable"}

PICTURES, CLIPS = ("freepik", "runway"), ("freepik, WAN", "dashscope")
FREEPIK = Back(
    "freepik",
    "^POST /v1/ai/text-to-(image|video)/",
    "^GET /v1/ai/text-to-(image|video)/[^/?]+/[^?]+$",
    (*PICTURES, "dashscope"),
)
DASHSCOPE = Back("dashscope", "^POST /api/v1/services/", "^GET /api/v1/tasks/[^?]+$", CLIPS)
KLING = Back(
    "kling",
    "^POST /(v1/videos|text-to-video)/",
    r"^GET /(v1/videos/text2video/|tasks\?task_ids)",
    ("kling", "kling, newer"),
    settles=NAMED,
    coded=Coded({"code": 1303, "message": "busy"}, {"code": 1301, "message": "no"}, {"code": 5000, "message": "down"}),
)
MINIMAX = Back(
    "minimax",
    "^POST /v1/video_generation$",
    "^GET /v1/query/",
    ("minimax",),
    coded=Coded(*({"base_resp": {"status_code": code, "status_msg": "no"}} for code in (1002, 1026, 1000))),
)
MIDJOURNEY = Back(
    "midjourney",
    "^POST /mj/submit/",
    "^GET /mj/task/[^/]+/fetch$",
    ("midjourney",),
    settles=NAMED,
    coded=Coded(*({"code": code, "description": "no"} for code in (23, 24, 9))),
)
SUNO = Back(
    "suno",
    "^POST /suno/submit/",
    "^GET /suno/fetch/",
    ("suno",),
    coded=Coded({"code": "rate_limit_exceeded"}, None, {"code": "fail_to_fetch_task"}),
)
UDIO = SUNO._replace(wire="udio", create="^POST /udio/submit/", poll="^GET /udio/fetch/", fronts=("udio",))
LUMA = Back("luma", "^POST /dream-machine/v1/generations/", "^GET /dream-machine/v1/generations/[^?]+$", ("luma",))
REPLICATE = Back("replicate", "^POST /v1/models/.*/predictions$", "^GET /v1/predictions/", ("replicate",), busy=(429,))
FLUX = Back("flux", "^POST /v1/flux-", "^GET /v1/get_result", ("flux",), busy=(429,))
FAL = Back("fal", "^POST /fal/", "^GET /fal/.*/status", ("fal",), busy=(429,), below="/fal")


def alone(back: Back) -> Back:
    """The same where nobody else uses the account."""
    return back._replace(is_exclusive=True, settles=EXCLUSIVE)


BACKS = {
    "freepik, exclusive": alone(FREEPIK),
    "freepik": FREEPIK,
    "runway": Back("runway", "^POST /v1/text_to_image$", "^GET /v1/tasks/", PICTURES),
    "dashscope, exclusive": alone(DASHSCOPE),
    "dashscope": DASHSCOPE,
    "kling, exclusive": alone(KLING),
    "kling": KLING,
    "minimax": MINIMAX,
    "minimax, v2": Back("minimax", "^POST /v2/video_generation$", "^GET /v2/query/", ("minimax, v2",)),
    "midjourney, exclusive": alone(MIDJOURNEY),
    "midjourney": MIDJOURNEY,
    "suno": SUNO,
    "udio": UDIO,
    "luma, exclusive": alone(LUMA),
    "luma": LUMA,
    "replicate, exclusive": alone(REPLICATE),
    "replicate": REPLICATE,
    "flux": FLUX,
    "fal": FAL,
}
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
INVALID, REFUSED, FAILED = (
    Outcome(State.FAILED, why, 0, ("refused",)) for why in ("invalid", "refused", "upstream_failed")
)


def made(_: Back) -> Outcome:
    return MADE


def sent_again(_: Back) -> Outcome:
    return SENT_AGAIN


def lost_after(back: Back) -> Outcome:
    """The vendor has it: its list tells so where nobody else uses the account, and our name for it in any case."""
    return LOST_AFTER if back.settles == OTHER else MADE


def lost_before(back: Back) -> Outcome:
    """A list without it proves that the vendor has it not; a reseller may not have passed our name on."""
    return SENT_AGAIN if back.settles == EXCLUSIVE else LOST_BEFORE


def busy(back: Back) -> Outcome:
    return SENT_AGAIN if 503 in back.busy else lost_before(back)


Plant = Callable[[Any, Back, str], None]


def nothing(it: Any, back: Back, mark: str) -> None:
    """The fault is not the proxy's."""


class Case(NamedTuple):
    """A fault: what is planted in the proxy before the create, what is done afterwards, and what it comes to."""

    outcome: Callable[[Back], Outcome]
    plant: Plant = nothing
    told: str = ""  # a word that must be in the story
    during: Callable[[Any], Awaitable[None]] | None = None  # the same befalls all that the account makes
    before: Callable[[Any], Awaitable[None]] | None = None
    tried: Callable[[Back], Any] = lambda _: True  # with which backs


def at_create(fault: Fault) -> Plant:
    return lambda it, back, mark: it.proxy.on(back.create, fault, mark=mark)


def at_poll(fault: Fault, times: int = 2) -> Plant:
    return lambda it, back, mark: it.proxy.on(back.poll, fault, times, mark=mark)


def at_download(fault: Fault, times: int = 2) -> Plant:
    return lambda it, _, mark: it.proxy.on(DOWNLOAD, fault, times, mark=mark)


def code(place: int) -> Plant:
    """An answer of status 200 that tells trouble by its code; the last of them is that to a poll."""

    def plant(it: Any, back: Back, mark: str) -> None:
        assert back.coded
        fault = status(200, body=json.dumps(back.coded[place]).encode())
        it.proxy.on(back.poll if place == 2 else back.create, fault, mark=mark)

    return plant


def odd_word(answer: Any) -> Any:
    """Wherever this vendor says how a task stands."""
    if isinstance(answer, list):
        return [odd_word(each) for each in answer]
    if not isinstance(answer, dict):
        return answer
    return {name: "PONDERING" if name in STANDS and value else odd_word(value) for name, value in answer.items()}


STANDS = ("status", "task_status", "state")


async def no_picture(request: Any, forward: Any) -> Any:
    return await status(200, body=b"<html>sign in</html>")(request, forward)


async def stop_listening(it: Any) -> None:
    await it.proxy.stop_listening()


async def listen_again(it: Any) -> None:
    """Once all have been refused."""
    async with asyncio.timeout(60):
        while not all(["deferred" in await it.story(job.id) for job in await unended(it)]):
            await asyncio.sleep(0.02)
    await it.proxy.start()


async def unended(it: Any) -> list[Any]:
    return [job for job in await it.app.store.recent(limit=1000) if not job.state.final]


async def be_impatient(it: Any) -> None:
    for each in it.app.relays.values():
        each.vendor_client.seconds = 1.5


async def be_patient(it: Any) -> None:
    """Again, when the answers have not come."""
    async with asyncio.timeout(60):
        while not all(["trouble" in await it.story(job.id) for job in await unended(it)]):
            await asyncio.sleep(0.02)
    for each in it.app.relays.values():
        each.vendor_client.seconds = 10.0


async def taken(it: Any) -> None:
    """Until the vendor has all of them."""
    async with asyncio.timeout(60):
        while not all(["accepted" in await it.story(job.id) for job in await unended(it)]):
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
    "nothing goes wrong": Case(made),
    "create: connection refused for a while": Case(
        sent_again, told="deferred", before=stop_listening, during=listen_again
    ),
    "create: reset before the vendor has it": Case(lost_before, at_create(reset_before), "trouble"),
    "create: taken, and the answer lost": Case(lost_after, at_create(answer_lost), "trouble"),
    "create: taken, and the answer too late": Case(
        lost_after, at_create(too_late), "trouble", before=be_impatient, during=be_patient
    ),
    "create: 429": Case(sent_again, at_create(status(429)), "deferred"),
    "create: 429 with Retry-After": Case(sent_again, at_create(status(429, retry_after="1")), "deferred"),
    "create: 503": Case(busy, at_create(status(503))),
    "create: 500 before the vendor took it": Case(lost_before, at_create(status(500)), "trouble"),
    "create: 500 after the vendor took it": Case(lost_after, at_create(status_after(500)), "trouble"),
    "create: taken, and the answer no JSON": Case(lost_after, at_create(garbage), "trouble"),
    "create: 400, refused": Case(lambda _: INVALID, at_create(status(400)), "refused"),
    "create: 401, the key is not good": Case(lambda _: FAILED, at_create(status(401)), "refused"),
    "create: 200, and a code that says busy": Case(
        sent_again, code(0), "deferred", tried=lambda back: back.coded and back.coded.busy
    ),
    "create: 200, and a code that refuses": Case(
        lambda _: REFUSED, code(1), "refused", tried=lambda back: back.coded and back.coded.refused
    ),
    "poll: connection reset": Case(made, at_poll(reset_before, 6), "trouble"),
    "poll: 429 with Retry-After": Case(made, at_poll(status(429, retry_after="1"), 1), "trouble"),
    "poll: 500": Case(made, at_poll(status(500)), "trouble"),
    "poll: 404 soon after the create": Case(made, at_poll(status(404)), "trouble"),
    "poll: no JSON": Case(made, at_poll(garbage), "trouble"),
    "poll: an unknown status word": Case(made, at_poll(changed(odd_word)), "trouble"),
    "poll: 200, and a code that says trouble": Case(
        made, code(2), "trouble", tried=lambda back: back.coded and back.coded.trouble
    ),
    "download: cut off in the middle": Case(made, at_download(truncated), "copy_failed"),
    "download: the link is dead": Case(made, at_download(dead_link), "copy_failed"),
    "download: a page instead of the picture": Case(made, at_download(no_picture), "copy_failed"),
    "the vendor restarts and makes it anew": Case(made, during=restart),
    "the clock is set forward by an hour": Case(made, during=set_clock(1)),
    "the clock is set back by an hour": Case(made, during=set_clock(0)),
}
AT_ONCE = [name for name, case in CASES.items() if not case.during]
IN_TURN = [name for name, case in CASES.items() if case.during]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same waits, only shorter; each job is asked about alone, so that its fault is no other's."""
    monkeypatch.setattr(relay, "LIST_TRIES", (0.05, 0.1, 0.2))
    monkeypatch.setattr(relay, "RETRY_SECONDS", (0.2, 1.0))
    monkeypatch.setattr(relay, "COPY_SECONDS", (0.1, 1.0))
    monkeypatch.setattr(relay, "BATCH", 1000)
    monkeypatch.setattr(script, "tint", lambda _: (64, 128, 64))  # one file for all


WIRES = list(dict.fromkeys(back.wire for back in BACKS.values()))
GROUPS = [WIRES[first::4] for first in range(4)]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("wires", GROUPS, ids="+".join)
async def test_a_fault_costs_no_second_submission_and_its_end_is_told(world: Worlds, wires: list[str]) -> None:
    """All accounts, fronts and faults of some vendors at once, because most of the time is waiting."""
    async with asyncio.TaskGroup() as group:
        for name, back in BACKS.items():
            if back.wire in wires:
                group.create_task(suffer(world, name, back), name=name)


async def suffer(world: Worlds, name: str, back: Back) -> None:
    """One gateway and its vendor, and everything that may go wrong between the two."""
    async with world(
        back.wire,
        account={"exclusive": back.is_exclusive, "requests_per_second": 1000},
        relay={"request_seconds": 10.0, "breaker_failures": 1000, "slots": 100},
        vendor={"server": {"grace_seconds": 0.1}},
        place=name,
        below=back.below,
    ) as it:
        await befall(it, back, [each for each in AT_ONCE if CASES[each].tried(back)])
        for each in IN_TURN:
            if "the clock is set" not in each or not it.app.store.shared:  # in a fleet one clock moves nothing
                await befall(it, back, [each])


async def befall(it: Any, back: Back, faults: list[str]) -> None:
    first = CASES[faults[0]]
    if first.before:
        await first.before(it)
    begun = [await begin(it, back, fault, front) for fault in faults for front in back.fronts]
    if first.during:
        await first.during(it)
    ends = await asyncio.gather(*(go_through(it, back, each) for each in begun), return_exceptions=True)
    if wrong := [error for error in ends if isinstance(error, Exception)]:
        raise ExceptionGroup(f"{len(wrong)} of {len(begun)}", wrong)
    assert await it.app.store.next_watch() is None


class Begun(NamedTuple):
    fault: str
    front: str
    mark: str
    public: str


async def begin(it: Any, back: Back, fault: str, front: str) -> Begun:
    asked = FRONTS[front]
    mark = f"job{[*CASES].index(fault):02}of{back.fronts.index(front)}"
    CASES[fault].plant(it, back, mark)
    it.proxy.marks.add(mark)
    seconds = 0.6 if CASES[fault].during else 0.2
    body = json.loads(json.dumps(asked.body).replace(SAID, f"sleep {seconds}; {mark}"))
    headers = HEADERS | {"x-mutoscope-webhook": "http://127.0.0.1:9/hook"}
    answer = await it.client.post(asked.path, json=body, headers=headers)
    assert answer.status_code in (200, 201), answer.text
    return Begun(fault, front, mark, at(answer.json(), asked.public))


async def go_through(it: Any, back: Back, begun: Begun) -> None:
    case, asked = CASES[begun.fault], FRONTS[begun.front]
    id = BY_NAME[asked.wire].job_id(begun.public)
    job = await it.finished(id, 100)

    story = await it.story(id)
    ledger = [dispatch.sent.value for dispatch in await it.app.store.dispatches(id)]
    reason = job.failure.kind.value if job.failure else None
    sent = sum(begun.mark in (each.generation.prompt or "") for each in await it.submissions())
    found = Outcome(job.state, reason, sent, tuple(word for word, _ in groupby(ledger)))
    assert found == case.outcome(back), (begun, found, job.failure, story, it.proxy.log)
    assert len(job.outputs) == (asked.outputs if job.state is State.SUCCEEDED else 0)
    assert bool(job.cost) == (job.state is State.SUCCEEDED)
    assert not case.told or case.told in story, (begun, story)
    assert not any(rule.mark == begun.mark for rule in it.proxy.rules), "the fault did not happen"
    told = await it.client.get(asked.read.format(begun.public), headers=HEADERS)
    assert words_in(asked, told.json()) == WORDS[begun.front][reason], begun
    events = [record.delivery.event for record in await it.app.store.deliveries(job=id)]
    assert sorted(events) == sorted({*asked.news, job.state.value}), (begun, "each change is told once")


def words_in(asked: Front, told: Any) -> str:
    return " ".join(str(word) for word in (at(told, path) for path in asked.word) if word)


ENDS = {
    None: "made",
    "submission_unknown": "unknown",
    "invalid": "invalid",
    "upstream_failed": "the account is refused",
    "refused": "refused",
}


def read_as(made: str, *failed: str) -> dict[str | None, str]:
    """One word for all that failed, or one for each reason."""
    return dict(zip(ENDS, (made, *(failed * 4 if len(failed) == 1 else failed)), strict=False))


WORDS = {
    "freepik": read_as("COMPLETED", "FAILED"),
    "freepik, WAN": read_as("COMPLETED", "FAILED"),
    "runway": read_as(
        "SUCCEEDED",
        "FAILED INTERNAL",
        "FAILED INPUT_PREPROCESSING.INTERNAL",
        "FAILED THIRD_PARTY.UNAVAILABLE",
    ),
    "dashscope": read_as("SUCCEEDED", "FAILED InternalError", "FAILED InvalidParameter", "FAILED InternalError"),
    "kling": read_as("succeed", "failed"),
    "kling, newer": read_as("succeeded", "failed"),
    "minimax": read_as("Success", "Fail 1000", "Fail 2013", "Fail 1033", "Fail 1027"),
    "minimax, v2": read_as("succeeded", "failed 1000", "failed 2013", "failed 1033"),
    "midjourney": read_as("SUCCESS", "FAILURE"),
    "suno": read_as("SUCCESS", "FAILURE"),
    "udio": read_as("SUCCESS", "FAILURE"),
    "luma": read_as("completed", "failed"),
    "replicate": read_as("succeeded", "failed"),
    "flux": read_as("Ready", "Error"),
    "fal": read_as(
        "COMPLETED",
        "COMPLETED runner_incomplete_response",
        "COMPLETED value_error",
        "COMPLETED runner_incomplete_response",
    ),
}
"""What a client reads in the end, by the reason of the failure."""


# -- the page ----------------------------------------------------------------------


def phrase(outcome: Outcome) -> str:
    sent = {0: "not submitted", 1: "submitted once"}[outcome.submissions]
    return f"{outcome.reason or outcome.state.value}; {sent}; {', '.join(outcome.ledger)}"


def accounts() -> list[str]:
    """By what a lost answer is found out, which is what most faults turn on."""
    lines = ["| | accounts |", "| --- | --- |"]
    for settles in dict.fromkeys(back.settles for back in BACKS.values()):
        names = "; ".join(name.removesuffix(", exclusive") for name, back in BACKS.items() if back.settles == settles)
        lines.append(f"| {settles} | {names} |")
    return lines


def table() -> list[str]:
    """The cases as the page shows them: accounts with the same outcome share a line."""
    lines = ["| fault | accounts | comes to; at the vendor; ledger |", "| --- | --- | --- |"]
    for name, case in CASES.items():
        tried = [back for back in BACKS.values() if case.tried(back)]
        outcomes = dict.fromkeys(case.outcome(back) for back in tried)
        lines += [f"| {name} | {those(case, each, tried)} | {phrase(each)} |" for each in outcomes]
    return lines


def those(case: Case, outcome: Outcome, tried: list[Back]) -> str:
    same = [back for back in tried if case.outcome(back) == outcome]
    if len(same) == len(tried):
        return "all" if len(tried) == len(BACKS) else ", ".join(dict.fromkeys(back.wire for back in same))
    told: list[str] = []
    for settles in dict.fromkeys(back.settles for back in same):
        here = [back for back in same if back.settles == settles]
        wires = ", ".join(dict.fromkeys(back.wire for back in here))
        told.append(settles if here == [back for back in tried if back.settles == settles] else f"{settles}: {wires}")
    return "; ".join(told)


def readings() -> list[str]:
    """What each client reads in the end, where it was tried."""
    lines = [f"| client | {' | '.join(ENDS.values())} |", f"| {' | '.join(['---'] * (1 + len(ENDS)))} |"]
    for front, words in WORDS.items():
        seen = {case.outcome(back).reason for back in BACKS.values() for case in CASES.values()
                if front in back.fronts and case.tried(back)}  # fmt: skip
        lines.append(f"| {front} | {' | '.join(f'`{words[why]}`' if why in seen else '' for why in ENDS)} |")
    return lines


def test_the_page_shows_what_is_tested() -> None:
    page = PAGE.read_text()
    for lines in (accounts(), table(), readings()):
        assert "\n".join(lines) in page
