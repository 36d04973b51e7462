"""Accounts at vendors: how they fare, and submissions of which nobody knows whether they were paid for."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from mutoscope.engines.relay import Relay
from mutoscope.engines.transcripts import struck
from mutoscope.model.job import Dispatch, Json, Sent
from mutoscope.model.problem import Kind, Problem
from mutoscope.web.news import breaker_state
from mutoscope.web.office import jobs
from mutoscope.web.office.calls import Asked, Desk

MOST = 500
PATIENCE = 60.0  # seconds after which an intended submission is somebody's to settle


class Verdict(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What somebody found out at the vendor."""

    verdict: Literal["accepted", "refused", "unsent"]
    task: Annotated[str, Meta(max_length=500)] = ""  # the vendor's id of it, where it was accepted
    note: Annotated[str, Meta(max_length=500)] = ""


async def vendors(desk: Desk, _asked: Asked) -> Json:
    """Every account with its breaker and what it is asked, and submissions whose fate is unknown."""
    return {"accounts": [account(each) for each in desk.relays.values()], "unknown": await unknown(desk)}


def account(relay: Relay) -> Json:
    breaker = relay.breaker
    answers = {word: answered(row) for word, row in relay.requests.rows.items()}
    return {
        "name": relay.name,
        "wire": relay.wire.name,
        "vendor": relay.wire.title,
        "base_url": struck(str(relay.vendor_client.base)),
        "state": breaker_state(relay),
        "seconds_left": round(breaker.seconds_left, 1),
        "reason": breaker.reason,
        "jobs": relay.upstream,
        "most_in_flight": relay.account.max_in_flight,
        "answers": answers,
        "errors": {kind: int(count) for kind, count in relay.errors.sums.items()},
    }


def answered(row: list[float]) -> Json:
    """From the counts of a row of durations, which ends with the sum of the seconds."""
    count = int(sum(row[:-1]))
    return {"requests": count, "ms": round(1000 * row[-1] / count, 1) if count else 0.0}


async def unknown(desk: Desk) -> list[Json]:
    now = desk.now()
    told: list[Json] = []
    for each in await desk.store.doubtful(limit=MOST):
        if each.sent is Sent.INTENDED and now - each.at < PATIENCE:
            continue
        job = await desk.store.get(each.job)
        told.append(submission(each) | {"job_shown": jobs.tile(desk, job) if job else None})
    return told


def submission(each: Dispatch) -> Json:
    return {
        "job": each.job, "number": each.number, "account": each.account, "reference": each.reference,
        "sent": each.sent.value, "at": each.at, "detail": each.detail,
    }  # fmt: skip


async def settle(desk: Desk, asked: Asked) -> Json:
    """Settle by hand what became of a submission: adopt the vendor's task, whose result is then fetched, or say that
    there is none."""
    wish: Verdict = asked.body
    job, number, now = asked.params["job"], number_in(asked.params["number"]), desk.now()
    found = next((each for each in await desk.store.dispatches(job) if each.number == number), None)
    if found is None:
        raise Problem(Kind.NOT_FOUND, f"Job {job} has no submission {number}.", field="number")
    if found.sent not in (Sent.UNKNOWN, Sent.INTENDED):
        raise Problem(Kind.CONFLICT, f"Submission {number} of job {job} is {found.sent} already.", field="number")
    note = wish.note or "settled by the operator"
    if wish.verdict == "accepted":
        if not wish.task:
            raise Problem(Kind.INVALID, "task is needed: the vendor's id of what it accepted.", field="task")
        due, deadline = now, now + desk.gateway.settings.relay.late_seconds
        await desk.store.accept(
            job, number=number, handle={"id": wish.task}, status="", due=due, deadline=deadline, now=now
        )
        desk.gateway.signals.watched()
    else:
        await desk.store.resolve(job, number=number, sent=Sent(wish.verdict), detail=note, now=now)
    desk.gateway.changed(job)
    return {"job": job, "number": number, "sent": wish.verdict}


def number_in(text: str) -> int:
    if not text.isdecimal() or len(text) > 6:
        raise Problem(Kind.INVALID, f"The number of a submission is a whole number; {text!r} is none.", field="number")
    return int(text)
