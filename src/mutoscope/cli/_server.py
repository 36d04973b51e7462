"""A server that runs, asked over HTTP: by the admin API, and by the doctor, who looks at what it tells anybody."""

import asyncio
import http.client
from collections import Counter
from collections.abc import Iterator
from typing import Annotated, Any, NamedTuple
from urllib.parse import urlencode, urlsplit

import msgspec
from cyclopts import Parameter
from prometheus_client.parser import text_string_to_metric_families

from mutoscope import __version__
from mutoscope.cli._check import Check, Verdict
from mutoscope.cli._failure import Stop
from mutoscope.cli.serve import is_loopback
from mutoscope.model.job import Json

ANSWER_SECONDS = 5.0
ADMIN_SECONDS, CHANGE_SECONDS = 30.0, 300.0  # of a call that reads there, and of one that may remove a lot
MOST_BYTES = 32 * 1024 * 1024
LATE_SECONDS = 300.0  # a queue that is older than this deserves a look


Elsewhere = Annotated[
    str | None,
    Parameter(name="--server", help="Address of a server, as https://media.example.com, that is asked instead."),
]
Key = Annotated[
    str | None, Parameter(env_var="MUTOSCOPE_KEY", help="With --server: a key of it that has the right `admin`.")
]


class Answer(NamedTuple):
    status: int
    body: bytes

    @property
    def json(self) -> Json:
        try:
            return msgspec.json.decode(self.body, type=Json)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return {}


class Far:
    """A server by its address."""

    def __init__(self, url: str) -> None:
        try:
            parts = urlsplit(url)
            self.host, self.port, self.base = parts.hostname or "", parts.port, parts.path.rstrip("/")
        except ValueError as error:
            raise Stop(f"--server is an address like https://media.example.com; {url!r} is none.", 2) from error
        if parts.scheme not in ("http", "https") or not self.host:
            raise Stop(f"--server is an address like https://media.example.com; {url!r} is none.", 2)
        self.url = url
        self.kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection

    def ask(self, method: str, path: str, key: str | None, body: Json | None = None, **query: Any) -> Json:
        """A call of the admin API. Raises Stop."""
        given = {name: str(value) for name, value in query.items() if value is not None}
        headers = {"authorization": f"Bearer {key}"} if key else {}
        if body is not None:
            headers["content-type"] = "application/json"
        seconds = ADMIN_SECONDS if method == "GET" else CHANGE_SECONDS
        connection = self.kind(self.host, self.port, timeout=seconds)
        where = f"{self.base}{path}{f'?{urlencode(given)}' if given else ''}"
        try:
            connection.request(method, where, None if body is None else msgspec.json.encode(body), headers)
            with connection.getresponse() as answer:  # closing the connection leaves open what the server ends itself
                found = Answer(answer.status, answer.read(MOST_BYTES))
        except (OSError, http.client.HTTPException) as error:
            raise Stop(f"{self.url} does not answer: {error or repr(error)}") from error
        finally:
            connection.close()
        told = found.json
        if found.status >= 400 or not told:
            said = told.get("error") or f"it answered {found.status}, not as a mutoscope does"
            raise Stop(f"{self.url}: {said if isinstance(said, str) else found.status}")
        return told

    def get(self, path: str, headers: dict[str, str] | None = None) -> Answer:
        """Raises OSError and HTTPException. Redirects are not followed: a key goes where it was meant to."""
        connection = self.kind(self.host, self.port, timeout=ANSWER_SECONDS)
        try:
            connection.request("GET", self.base + path, headers=headers or {})
            with connection.getresponse() as answer:
                return Answer(answer.status, answer.read(MOST_BYTES))
        finally:
            connection.close()


async def asked(server: str, method: str, path: str, key: str | None, body: Json | None = None, **query: Any) -> Json:
    """A call of a server's admin API. Raises Stop."""
    return await asyncio.to_thread(Far(server).ask, method, path, key, body, **query)


def examine(url: str, key: str | None) -> Iterator[Check]:
    far = Far(url)
    try:
        health = far.get("/healthz")
        if health.status != 200 or health.json.get("status") != "ok":
            found = f"{url} answers {health.status}, not as a mutoscope does"
            yield Check(
                what="server", verdict=Verdict.BROKEN, found=found, advice="look at the address, and at proxies"
            )
            return
        yield Check(what="server", found=f"answers at {url}")
        document = far.get("/openapi.json").json
        yield version(document)
        yield readiness(far.get("/readyz"))
        yield keys(far, document)
        yield from figures(far.get("/metrics", {"authorization": f"Bearer {key}"} if key else {}), key)
    except (OSError, http.client.HTTPException) as error:
        found = f"{url} does not answer: {error or repr(error)}"
        yield Check(what="server", verdict=Verdict.BROKEN, found=found, advice="start it, or look at the address")


def version(document: Json) -> Check:
    found = str(document.get("info", {}).get("version", "unknown"))
    if found != __version__:
        advice = f"this command line is {__version__}; use one of the same version"
        return Check(what="version", verdict=Verdict.MISSING, found=found, advice=advice)
    return Check(what="version", found=found)


def readiness(answer: Answer) -> Check:
    if answer.status == 200:
        return Check(what="readiness", found="takes and makes jobs")
    failing = answer.json.get("failing") or {"status": answer.status}
    found = "; ".join(f"{what}: {why}" for what, why in failing.items())
    return Check(what="readiness", verdict=Verdict.BROKEN, found=found, advice="its log says more")


def keys(far: Far, document: Json) -> Check:
    """Whether a stranger is let in, tried with a list that changes nothing."""
    lists = [path for path, told in document.get("paths", {}).items() if "get" in told and "{" not in path]
    if not lists:
        return Check(what="keys", verdict=Verdict.MISSING, found="no route to try them with")
    if far.get(lists[0]).status in (401, 403):
        return Check(what="keys", found="asked for")
    if is_loopback(far.host):
        return Check(what="keys", found="none: open to this machine")
    advice = "mutoscope keys create NAME, there"
    return Check(what="keys", verdict=Verdict.BROKEN, found="none: open to whoever reaches it", advice=advice)


def figures(answer: Answer, key: str | None) -> Iterator[Check]:
    """What the operator is told: jobs, queues, accounts."""
    if answer.status != 200:
        found = {401: "asked for a key", 403: "the key is no admin's", 404: "not served"}.get(
            answer.status, f"answered {answer.status}"
        )
        advice = (
            "[metrics] token or enabled, there" if answer.status == 404 else "--key with an admin's key, or the token"
        )
        verdict = Verdict.BROKEN if key and answer.status in (401, 403) else Verdict.MISSING
        yield Check(what="figures", verdict=verdict, found=found, advice=advice)
        return
    told = [sample for family in text_string_to_metric_families(answer.body.decode()) for sample in family.samples]
    jobs: Counter[str] = Counter()
    for sample in told:
        if sample.name == "mutoscope_jobs":
            jobs[sample.labels["state"]] += int(sample.value)
    yield Check(
        what="jobs", found=", ".join(f"{count:,} {state}" for state, count in jobs.items()) or "none unfinished"
    )
    for sample in told:
        if sample.name == "mutoscope_queue_age_seconds" and sample.value > LATE_SECONDS:
            found = f"a job has waited for {sample.labels['engine']} for {sample.value:,.0f} s"
            yield Check(what="queue", verdict=Verdict.MISSING, found=found, advice="more slots, or look at the engine")
    for sample in told:
        if sample.name == "mutoscope_account_breaker" and sample.value:
            yield account(sample.labels["account"], sample.labels["state"])


def account(name: str, state: str) -> Check:
    if state == "closed":
        return Check(what="account", found=f"{name}: in use")
    found = f"{name}: its breaker is {state}, after failures in a row"
    return Check(what="account", verdict=Verdict.MISSING, found=found, advice="the log there says why")
