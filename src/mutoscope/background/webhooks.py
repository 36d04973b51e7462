"""Sends the webhooks that are owed: at least once, signed, each with the same id and body at every try."""

import asyncio
import base64
import binascii
import contextlib
import hashlib
import hmac
import random
import secrets
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import msgspec
import structlog

from mutoscope.files.egress import SafeClient
from mutoscope.model.config import Webhooks as WebhookSettings
from mutoscope.model.job import Delivery, Job
from mutoscope.model.problem import Kind, Problem
from mutoscope.service.jumps import Jumps
from mutoscope.service.signals import Bell
from mutoscope.store import Deliveries, DueDelivery, Jobs
from mutoscope.telemetry.counters import Durations, Tally
from mutoscope.telemetry.tracing import HEADER, Facts, NoFacts, Tracing, span

log = structlog.get_logger(__name__)

POLL_SECONDS = 1.0
GONE = 410  # the receiver wants no more of this
FAILING_KEPT = 1000
JITTER = 0.1  # share of a delay by which it is spread
PROVEN_KEPT = 10_000
CHALLENGE_SECONDS = 3.0  # within which a receiver has to send a challenge back
RECEIVERS_TOLD = 50  # hosts whose failures are counted apart: strangers name them


def sign(secret: str, id: str, timestamp: int, body: bytes) -> str:
    """The webhook-signature header over id, timestamp and body, by Standard Webhooks.

    Vendors disagree on how the secret's text becomes a key: their samples take it as UTF-8, Standard Webhooks
    libraries decode it as base64. Where both readings exist both are signed; one match is enough for a receiver.
    """
    text = f"{id}.{timestamp}.".encode() + body
    signatures = [base64.b64encode(hmac.digest(key, text, hashlib.sha256)).decode() for key in keys_of(secret)]
    return " ".join(f"v1,{signature}" for signature in signatures)


def keys_of(secret: str) -> tuple[bytes, ...]:
    """Every reading of a secret, without repeats. An empty one is refused: anybody could sign with it."""
    plain = secret.removeprefix("whsec_")
    if not plain.strip("="):
        raise ValueError("the webhook secret is empty")
    keys = [secret.encode()]
    with contextlib.suppress(binascii.Error, ValueError):
        keys.insert(0, base64.b64decode(plain, validate=True))
    return tuple(dict.fromkeys(keys))


def headers(secret: str, id: str, now: float, body: bytes) -> dict[str, str]:
    timestamp = int(now)
    return {
        "content-type": "application/json",
        "webhook-id": id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": sign(secret, id, timestamp, body),
    }


class Ed25519:
    """Signs for receivers that share no secret with us: they have the key's public half, which is published.

    It comes of the secret of the webhooks, so that every process that has that signs alike. Raises ImportError where
    the package `cryptography` is not there.
    """

    def __init__(self, secret: str) -> None:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # an extra

        seed = hashlib.sha256(b"mutoscope webhooks ed25519\n" + secret.encode()).digest()
        key = Ed25519PrivateKey.from_private_bytes(seed)
        self.sign: Callable[[bytes], bytes] = key.sign
        self.public = key.public_key().public_bytes_raw()

    def published(self) -> dict[str, str]:
        """The public half as a JSON Web Key."""
        x = base64.urlsafe_b64encode(self.public).rstrip(b"=").decode()
        return {"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "x": x}


def ed25519(secret: str) -> Ed25519 | None:
    """None where the package that it needs is not installed."""
    try:
        return Ed25519(secret)
    except ImportError:
        return None


class DelivererStore(Jobs, Deliveries, Protocol):
    """What a deliverer needs of the store."""


class Deliverer:
    def __init__(
        self,
        *,
        store: DelivererStore,
        client: SafeClient,
        settings: WebhookSettings,
        secret: str,
        wake: Bell,
        challenges: Mapping[str, str] | None = None,
        jumps: Jumps | None = None,
        clock: Callable[[], float] = time.time,
        vendors_headers: Callable[[Job, bytes, float], dict[str, str]] | None = None,
        on_duty: Callable[[], bool] = lambda: True,
    ) -> None:
        """`on_duty`: whether it is for this process to send them."""
        self.on_duty = on_duty
        self.vendors_headers = vendors_headers
        self.doubles: Callable[[str], bool] | None = None  # set by a rehearsal: whether a wire's message is sent twice
        self.store, self.client, self.settings, self.secret = store, client, settings, secret
        self.wake, self.jumps, self.clock = wake, jumps, clock
        self.challenges = dict(challenges or {})  # wire → the member that its receivers have to send back
        self.proven: dict[str, None] = {}  # addresses that did
        self.sending: set[asyncio.Task[None]] = set()
        self.tracing: Tracing | None = None  # set where spans are collected
        self.attempts: Durations[tuple[str, ...]] = Durations()  # by outcome
        self.failures: Tally[str] = Tally(RECEIVERS_TOLD, rest="other")  # by host
        self.failing: dict[str, None] = {}  # receivers whose last answer was none, so that others do not wait for them
        self.stopping = False
        self.told: Callable[[str], None] | None = None  # of each message that was tried, where somebody looks at them

    async def run(self) -> None:
        """Send what is due until `stop`."""
        while not self.stopping:
            try:
                if self.jumps:
                    await self.jumps.look()
                now, pause = self.clock(), POLL_SECONDS
                if self.on_duty():
                    await self._send_due(now)
                    pause = await self._pause(now)
            except Problem as problem:
                log.error("deliveries_unreadable", reason=problem.message)
                pause = POLL_SECONDS
            except Exception:
                log.exception("deliveries_broke")
                pause = POLL_SECONDS
            await self.wake.wait(pause)

    async def stop(self, grace_seconds: float) -> None:
        """Send nothing more; what is on its way may arrive. What is owed stays in the outbox."""
        self.stopping = True
        self.wake.ring()
        if self.sending:
            await asyncio.wait(self.sending, timeout=grace_seconds)
        for task in list(self.sending):
            task.cancel()

    async def _send_due(self, now: float) -> None:
        free = self.settings.max_in_flight - len(self.sending)
        if free <= 0:
            return
        due = await self.store.due_deliveries(
            now=now,
            limit=free,
            lease_seconds=2 * self.settings.timeout_seconds + 5,
            per_receiver=self.settings.max_per_receiver,
            failing=self.failing,
            failing_limit=max(1, self.settings.max_in_flight // 2),
        )
        for each in due:
            task = asyncio.create_task(self._send(each))
            self.sending.add(task)
            task.add_done_callback(self._sent)

    def _sent(self, task: asyncio.Task[None]) -> None:
        self.sending.discard(task)
        self.wake.ring()
        if not task.cancelled() and (error := task.exception()):
            log.error("delivery_broke", error=repr(error))

    async def _pause(self, now: float) -> float:
        """Seconds until more is due. What was due by `now` is on its way, or waits for the end of another message to
        the same receiver, which wakes us."""
        due = await self.store.next_due(after=now)
        return POLL_SECONDS if due is None else min(max(due - self.clock(), 0.01), POLL_SECONDS)

    async def _send(self, due: DueDelivery) -> None:
        """One attempt, and its record."""
        if self.tracing is None:
            await self._attempt(due, NoFacts())
            return
        job = await self.store.get(due.delivery.job)
        facts = {"receiver": due.receiver, "event": due.delivery.event, "attempt": due.attempts + 1}
        with span(self.tracing, "webhook", parent=job and job.trace, kind="CLIENT", job=job, **facts) as found:
            await self._attempt(due, found)

    async def _attempt(self, due: DueDelivery, found: Facts) -> None:
        delivery, status, error = due.delivery, None, None
        sent = headers(self.secret, delivery.id, self.clock(), delivery.body)
        if self.vendors_headers and (job := await self.store.get(delivery.job)):
            sent |= self.vendors_headers(job, delivery.body, self.clock())
        if self.tracing and self.tracing.to_receivers and (trace := self.tracing.header()):
            sent[HEADER] = trace
        started = time.monotonic()
        try:
            await self._challenge(delivery)
            answer = await self.client.post(
                delivery.url,
                delivery.body,
                sent,
                timeout_seconds=self.settings.timeout_seconds,
            )
            status = answer.status
        except Problem as problem:
            error = problem.message
        delivered = status is not None and 200 <= status < 300
        self.judge(due.receiver, answered=status is not None)
        next_due = None if delivered or status == GONE else self.next_try(due.attempts + 1)
        await self.store.record_attempt(
            delivery.id,
            at=self.clock(),
            status=status,
            error=error or (None if delivered else f"answered {status}; only 2xx is success"),
            ms=round((time.monotonic() - started) * 1000),
            delivered=delivered,
            next_due=next_due,
        )
        if delivered and self.doubles and (job := await self.store.get(delivery.job)) and self.doubles(job.wire):
            await self.store.replay(delivery.id, self.clock())
        if self.told:
            self.told(delivery.id)
        outcome = "delivered" if delivered else "given_up" if next_due is None else "will_retry"
        self.attempts.add((outcome,), time.monotonic() - started)
        found.add(outcome=outcome, status=status or 0)
        found.fault = "" if delivered else outcome
        if not delivered:
            self.failures.add(due.receiver)
        log.info("webhook", outcome=outcome, delivery=delivery.id, job=delivery.job, status=status, error=error)

    async def _challenge(self, delivery: Delivery) -> None:
        """Have the receiver send back what we made up, where the vendor does so before any news, and where it is the
        vendor's own field that names the address.

        Raises Problem where it does not: the message is then owed as if there had been no answer.
        """
        if not self.challenges or delivery.url in self.proven:
            return
        job = await self.store.get(delivery.job)
        name = self.challenges.get(job.wire) if job else None
        if job is None or name is None or delivery.url not in values_of(job):
            return
        said = secrets.token_urlsafe(24)
        body = msgspec.json.encode({name: said})
        answer = await self.client.post(
            delivery.url, body, {"content-type": "application/json"}, timeout_seconds=CHALLENGE_SECONDS
        )
        try:
            echo = msgspec.json.decode(answer.text, type=dict[str, Any]).get(name)
        except (msgspec.DecodeError, RecursionError):
            echo = None
        if echo != said:
            message = f"the receiver did not send back the {name} that it was asked for (it answered {answer.status})"
            raise Problem(Kind.UPSTREAM_FAILED, message)
        if len(self.proven) >= PROVEN_KEPT:
            self.proven.pop(next(iter(self.proven)))
        self.proven[delivery.url] = None

    def judge(self, receiver: str, *, answered: bool) -> None:
        """Who does not answer gets one place until it does. An answer of any kind is quick enough not to matter."""
        self.failing.pop(receiver, None)
        if not answered:
            if len(self.failing) >= FAILING_KEPT:
                self.failing.pop(next(iter(self.failing)))
            self.failing[receiver] = None

    def next_try(self, attempts: int) -> float | None:
        """When to try again after so many attempts; None when the schedule is at its end."""
        if attempts > len(self.settings.schedule):
            return None
        delay = self.settings.schedule[attempts - 1]
        return self.clock() + delay * (1 + JITTER * random.random())


def values_of(job: Job) -> list[Any]:
    """The values of the members of the request that made it."""
    try:
        return list(msgspec.json.decode(job.body, type=dict[str, Any]).values())
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return []
