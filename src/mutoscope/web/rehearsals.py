"""The API of a server that rehearses, in JSON, for the tests of clients: the faults that it has, the jobs that it was
given and the webhook messages that it sent. It is there with `serve --rehearse` only."""

from typing import Annotated, Any
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta, Struct

from mutoscope.model.http import HttpRequest, HttpResponse, json_response
from mutoscope.model.problem import Kind, Problem
from mutoscope.service.faults import Fault, Faults
from mutoscope.service.gateway import Gateway
from mutoscope.service.keys import Keys
from mutoscope.web.head import is_this_machine
from mutoscope.web.tools import delivery_json, job_json, sees_all
from mutoscope.wirekit.queries import read_query
from mutoscope.wirekit.task import bearer

REHEARSAL = "/rehearsal/"
PARTS = ("faults", "jobs", "webhooks")
MOST = 1000


class Since(Struct, frozen=True, kw_only=True):
    """The query of a list."""

    since: float = 0.0  # Unix seconds
    limit: Annotated[int, Meta(ge=1, le=MOST)] = 100


class Rehearsals:
    def __init__(self, gateway: Gateway, keys: Keys, faults: Faults) -> None:
        self.gateway, self.keys, self.faults = gateway, keys, faults

    async def answer(self, request: HttpRequest) -> HttpResponse:
        """Raises Problem."""
        caller = await self.keys.caller(bearer(request))
        if not sees_all(caller):
            raise Problem(Kind.FORBIDDEN, "The rehearsal is everybody's: this takes a key with the right `admin`.")
        if self.keys.open:
            check_same_machine(request)
        name, _, id = request.path.removeprefix(REHEARSAL).partition("/")
        match request.method, name:
            case "GET", "faults":
                told = {"faults": self.faults.all()}
            case "POST", "faults":
                told = self.add(request)
            case "DELETE", "faults":
                told = {"cleared": self.faults.clear(id)}
            case "GET", "jobs":
                told = await self.jobs(read_query(request, Since))
            case "GET", "webhooks":
                told = await self.webhooks(read_query(request, Since))
            case _:
                kind = Kind.WRONG_METHOD if name in PARTS else Kind.NOT_FOUND
                there = ", ".join(f"{REHEARSAL}{each}" for each in PARTS)
                raise Problem(kind, f"{request.method} {request.path} is not there; there are {there}.")
        return json_response(told, headers={"cache-control": "no-store"})

    def add(self, request: HttpRequest) -> Any:
        try:
            wish = msgspec.json.decode(request.body, type=Fault)
        except msgspec.MsgspecError as error:
            raise Problem(Kind.INVALID, f"This is no fault: {error}") from error
        return {"fault": self.faults.add(wish)}

    async def jobs(self, asked: Since) -> Any:
        """The oldest first, as they came, each with the body that was sent."""
        jobs = await self.gateway.store.recent(limit=asked.limit)
        told = [
            job_json(job, self.gateway.wires)
            | {
                "body": job.body.decode("utf-8", "replace"),
                "inputs": [inputs_json(each) for each in job.generation.inputs],
            }
            | asked_for(job.generation)
            for job in reversed(jobs)
            if job.created >= asked.since and job.id not in self.gateway.kept
        ]
        return {"jobs": told}

    async def webhooks(self, asked: Since) -> Any:
        """The oldest first, with every attempt."""
        found = await self.gateway.store.deliveries(limit=asked.limit)
        told = [
            delivery_json(each) | {"tries": await self.gateway.store.attempts(each.delivery.id)}
            for each in reversed(found)
            if each.created >= asked.since
        ]
        return {"webhooks": told}


def inputs_json(each: Any) -> dict[str, Any]:
    return {"role": each.role.value, "field": each.field}


def asked_for(wish: Any) -> dict[str, Any]:
    names = ("width", "height", "resolution", "seconds", "fps", "count", "negative_prompt", "extra")
    return {name: value for name in names if (value := getattr(wish, name)) not in (None, {}, "")}


def check_same_machine(request: HttpRequest) -> None:
    """An open server obeys whoever is on this machine, and that is not the pages in its browser: neither those that
    call us from elsewhere, nor those that reach us by a name of their own. Raises Problem(FORBIDDEN)."""
    host = request.headers.get("host", "")
    name = urlsplit(f"//{host}").hostname or ""
    if not is_this_machine(name):
        raise Problem(Kind.FORBIDDEN, f"Without keys this is for this machine: ask 127.0.0.1 or localhost, not {name}.")
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != host:
        raise Problem(Kind.FORBIDDEN, f"Pages of {origin} may not do this.")
