"""Extremes of every numeric, date and list field of every route, while somebody watches /healthz.

    python benchmarks/extremes.py [--seconds 20] [--seed 1]

Walks /openapi.json of a server that it starts (`serve --rehearse`), and sends each field of each body and query what
is smallest, largest, longest or no number at all, one at a time. `--seconds` takes a sample: every operation first,
then more of each. Meanwhile /healthz is read without a pause. Where an answer to it takes longer than ten times its p99
of a quiet moment before (and than a quarter of a second), the requests that were under way are sent again, one by one:
so a machine that is busy elsewhere is told from a request that holds up the server. Exits with 1 when there is such a
request, an answer of 500 and above, or one of more than a megabyte.
"""

import argparse
import http.client
import itertools
import json
import multiprocessing
import random
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

from load import Server
from mutoscope.web import openapi
from mutoscope.web.openapi import Operation, example, resolve

IDLE_SECONDS = 2.0
FLOOR_SECONDS = 0.25
TIMES = 10  # how much slower than when idle
CLIENTS = 4
LARGEST = 1 << 20  # bytes of an answer
LONG = 50_000  # items
HUGE = 10**400  # beyond what a float holds

NUMBERS: tuple[Any, ...] = (
    *(0, -1, 1, 2**31, 2**53, 2**63 - 1, 2**63, -(2**63) - 1, 2**64, 10**30, HUGE, -HUGE),
    *(1e308, -1e308, 5e-324, 0.5, 1e-7, -0.0, True, "", "1", "9" * 5000, None, [1], {}),
)
DATES = (
    *(
        "0001-01-01",
        "9999-12-31",
        "9999-12-01",
        "0000-00-00",
        "2026-02-30",
        "99999-01-01",
        "+10000-01-01",
        "-0001-01-01",
    ),
    *("1970-01-01", "2026-13-01", "2026-W01-1", "20260101", "", "0", "9" * 5000, 0, HUGE, None, ["2026-01-01"]),
)
MOMENTS = ("00000000000000", "00010101000000", "99991231235959", "99999999999999", "20260230000000", "19700101080000")
SLOWEST_TOLD = 5
NOTHING = object()  # no body
ALONE = 40  # of a sample's requests are sent once more, the longest first
SPAWN = multiprocessing.get_context("spawn")


class Asked(NamedTuple):
    """One request; `what` says which field holds what."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any  # written as JSON when it is sent: all of them at once would be gigabytes
    what: str


class Slow(NamedTuple):
    """A request or a look at /healthz: when it began and ended."""

    began: float
    ended: float


# -- what is sent ---------------------------------------------------------------------


def requests_of(document: dict[str, Any], rng: random.Random) -> Iterator[Asked]:
    """All of them: one of each operation, then a second, and so on, each operation's in a random order."""
    piles = [shuffled(asked_of(operation, document), rng) for operation in openapi.operations(document)]
    return (each for row in itertools.zip_longest(*piles) for each in row if each is not None)


def shuffled(requests: Iterable[Asked], rng: random.Random) -> list[Asked]:
    made = list(requests)
    rng.shuffle(made)
    return made


def asked_of(operation: Operation, document: dict[str, Any]) -> Iterator[Asked]:
    schemas = document["components"]["schemas"]
    headers = headers_of(operation, document)
    path = openapi.PLACEHOLDER.sub("0190b8a0-0000-4000-8000-000000000000", operation.path)
    said = f"{operation.method} {operation.path}"
    for parameter in operation.spec.get("parameters", ()):
        if parameter["in"] == "query":
            for value in dict.fromkeys(map(text, extremes(parameter["schema"], schemas, parameter["name"]))):
                for query in ([(parameter["name"], value)], [(parameter["name"], value)] * 200):
                    yield Asked(
                        operation.method,
                        f"{path}?{urlencode(query)}"[:8000],
                        headers,
                        NOTHING,
                        f"{said}?{parameter['name']}={short(value)}",
                    )
    if operation.body is None:
        return
    headers = headers | {"content-type": "application/json"}
    for field, body in bodies(operation.body, schemas):
        yield Asked(operation.method, path, headers, body, f"{said} {field}")


def headers_of(operation: Operation, document: dict[str, Any]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for parameter in operation.spec.get("parameters", ()):
        if parameter["in"] == "header" and parameter.get("required"):
            headers[parameter["name"]] = parameter["schema"]["enum"][0]
    for needed in operation.spec["security"][:1]:
        for name in needed:
            scheme = document["components"]["securitySchemes"][name]
            if scheme["type"] == "apiKey":
                headers[scheme["name"]] = "key0"
            else:
                headers["authorization"] = "Bearer key0"
    return headers


def bodies(schema: dict[str, Any], schemas: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Every variant of a body with one field at an extreme."""
    for variant in variants(schema, schemas):
        whole = example(variant, schemas)
        if not isinstance(whole, dict):
            continue
        title = str(variant.get("title", ""))
        for name, value in fields_of(variant, schemas):
            yield f"{title}.{name} = {short(value)}", {**whole, name: value}
        yield f"{title} with a list beside it", {**whole, "noSuchField": [1] * LONG}
    for value in NUMBERS:
        yield f"the whole body = {short(value)}", value
    yield "the whole body is a list", [{}] * LONG


def variants(schema: dict[str, Any], schemas: dict[str, Any]) -> Iterator[dict[str, Any]]:
    schema = resolve(schema, schemas)
    choices = schema.get("anyOf") or schema.get("oneOf")
    if choices and "properties" not in schema:
        for each in choices:
            yield from variants(each, schemas)
    else:
        yield schema


def fields_of(schema: dict[str, Any], schemas: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """The fields of an object with what may be tried in them; nested ones inside an example of what is around."""
    for name, told in schema.get("properties", {}).items():
        for value in extremes(told, schemas, name):
            yield name, value


def extremes(schema: dict[str, Any], schemas: dict[str, Any], name: str, depth: int = 0) -> Iterator[Any]:
    schema = resolve(schema, schemas)
    for choice in schema.get("anyOf") or schema.get("oneOf") or ():
        yield from extremes(choice, schemas, name, depth)
    match schema.get("type"):
        case "integer" | "number":
            yield from NUMBERS
            for bound in ("minimum", "maximum"):
                if bound in schema:
                    yield from (schema[bound] - 1, schema[bound], schema[bound] + 1)
        case "string" if is_date(schema, name):
            yield from DATES
        case "string" if "[0-9]{14}" in schema.get("pattern", ""):
            yield from (*MOMENTS, *DATES)
        case "array":
            items: dict[str, Any] = schema.get("items", {})
            one = example(items, schemas, name)
            yield from ([], [None], [[]], [one] * 2, [one] * LONG, [None] * LONG, [[[[1]]]] * LONG, {"0": one}, 1, None)
            if depth < 3:
                yield from ([value] for value in extremes(items, schemas, name, depth + 1))
        case "object" if depth < 3:
            around = example(schema, schemas, name)
            for inner, told in schema.get("properties", {}).items():
                for value in extremes(told, schemas, inner, depth + 1):
                    yield {**around, inner: value}
        case _:
            pass


def is_date(schema: dict[str, Any], name: str) -> bool:
    return schema.get("format") in ("date", "date-time") or "date" in name.lower()


def text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(begun(value, 1000))[:6000]


def begun(value: Any, items: int) -> Any:
    """With the first items of every list only."""
    if isinstance(value, dict):
        return {name: begun(each, items) for name, each in value.items()}
    return [begun(each, items) for each in value[:items]] if isinstance(value, list) else value


def short(value: Any) -> str:
    said = json.dumps(begun(value, 9))
    return said if len(said) <= 80 else f"{said[:60]}…"


# -- who sends, and who watches ----------------------------------------------------------


class Watch:
    """Reads /healthz without a pause until told to stop, in a process of its own: what the clients have to do here is
    not to be taken for the server's doing."""

    def __init__(self, port: int) -> None:
        self.port, self.looks = port, list[Slow]()
        self.ours, theirs = SPAWN.Pipe()
        self.process = SPAWN.Process(target=look, args=(port, theirs), daemon=True)

    def start(self) -> None:
        self.process.start()
        self.ours.recv()  # it looks

    def end(self) -> list[float]:
        """How long each took, the longest last."""
        self.ours.send(None)
        self.looks = [Slow(*each) for each in self.ours.recv()]
        self.process.join()
        return sorted(each.ended - each.began for each in self.looks)


def look(port: int, theirs: Connection) -> None:
    """Look, say so, and tell of every look when asked to."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    looks: list[tuple[float, float]] = []
    while not theirs.poll():
        began = time.monotonic()
        connection.request("GET", "/healthz")
        connection.getresponse().read()
        looks.append((began, time.monotonic()))
        if len(looks) == 1:
            theirs.send(None)
        time.sleep(0.005)
    connection.close()
    theirs.send(looks)


class Sent(NamedTuple):
    asked: Asked
    span: Slow
    status: int
    body: bytes
    size: int


def send(connection: http.client.HTTPConnection, asked: Asked) -> Sent:
    body = None if asked.body is NOTHING else json.dumps(asked.body).encode()
    began = time.monotonic()
    try:
        connection.request(asked.method, asked.path, body, asked.headers)
        answer = connection.getresponse()
        told = answer.read()
    except (OSError, http.client.HTTPException) as error:
        connection.close()
        return Sent(asked, Slow(began, time.monotonic()), 0, repr(error).encode(), 0)
    return Sent(asked, Slow(began, time.monotonic()), answer.status, told[:300], len(told))


def send_all(port: int, requests: Iterator[Asked], until: float) -> list[Sent]:
    """By several clients, each of which takes the next when it is answered."""
    sent: list[Sent] = []
    taking = threading.Lock()

    def client() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        while time.monotonic() < until:
            with taking:
                asked = next(requests, None)
            if asked is None:
                break
            sent.append(send(connection, asked))
        connection.close()

    clients = [threading.Thread(target=client) for _ in range(CLIENTS)]
    for each in clients:
        each.start()
    for each in clients:
        each.join()
    return sent


def suspects(looks: list[Slow], sent: list[Sent], bound: float) -> list[Sent]:
    """What was under way while /healthz took too long."""
    slow = [look for look in looks if look.ended - look.began > bound]
    return [
        each for each in sent if any(each.span.began < look.ended and look.began < each.span.ended for look in slow)
    ]


def alone(port: int, asked: Asked) -> float:
    """The slowest /healthz while nothing else than this is asked, the better of two tries."""
    best = float("inf")
    for _ in range(2):
        watch = Watch(port)
        watch.start()
        time.sleep(0.05)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        send(connection, asked)
        connection.close()
        best = min(best, watch.end()[-1])
    return best


def run(seconds: float, seed: int) -> Iterator[str]:
    """Yields what is wrong."""
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder))
        server.command.append("--rehearse")
        server.start()
        try:
            yield from tried(server, seconds, seed)
        finally:
            server.stop()


def tried(server: Server, seconds: float, seed: int) -> Iterator[str]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    connection.request("GET", "/openapi.json")
    document = json.loads(connection.getresponse().read())
    connection.close()
    idle = Watch(server.port)
    idle.start()
    time.sleep(IDLE_SECONDS)
    quiet = idle.end()
    p99 = quiet[int(len(quiet) * 0.99)]
    bound = max(TIMES * p99, FLOOR_SECONDS)
    requests = requests_of(document, random.Random(seed))
    memory = server.memory
    watch = Watch(server.port)
    watch.start()
    until = time.monotonic() + seconds if seconds else float("inf")
    sent = send_all(server.port, requests, until)
    busy = watch.end()
    operations = {each.asked.what.split(" ")[1].partition("?")[0] for each in sent}
    print(
        f"{len(sent)} requests at {len(operations)} paths; /healthz idle p99 {p99 * 1000:.1f} ms, meanwhile p99 "
        f"{busy[int(len(busy) * 0.99)] * 1000:.1f} and at most {busy[-1] * 1000:.1f} ms of {len(busy)} looks; "
        f"memory {memory:.0f}, then {server.memory:.0f} MiB"
    )
    for each in sorted(sent, key=lambda each: each.span.began - each.span.ended)[:SLOWEST_TOLD]:
        print(f"  {each.span.ended - each.span.began:6.2f} s, {each.status}: {each.asked.what}")
    for each in sent:
        if each.status >= 500 or each.status == 0:
            yield f"{each.asked.what}: {each.status} {each.body.decode(errors='replace')}"
        if each.size > LARGEST:
            yield f"{each.asked.what}: an answer of {each.size} bytes"
    again = suspects(watch.looks, sent, bound)
    if again:
        print(f"{len(again)} requests were under way while /healthz took over {bound * 1000:.0f} ms; once more, alone")
    for each in sorted(again, key=lambda each: each.span.began - each.span.ended)[: ALONE if seconds else None]:
        if (slowest := alone(server.port, each.asked)) > bound:
            yield f"{each.asked.what}: /healthz took {slowest * 1000:.0f} ms, more than {bound * 1000:.0f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=0.0, help="0 sends all")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    wrong = list(run(options.seconds, options.seed))
    print("\n".join(wrong[:50]) or "as it should be")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
