"""What an agent may ask of this server, as plain functions: models, prices, jobs, files, deliveries, faults.

A spender says the price first: it makes something only when that costs no more than the caller has allowed.
"""

import tempfile
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from mutoscope.files.assets import place
from mutoscope.files.probe import DRAWINGS, Drawn, Prober
from mutoscope.model.catalog import Model, Price, price_words
from mutoscope.model.http import HttpRequest, HttpResponse
from mutoscope.model.job import Generation, Input, Job, Operation, Output, Role, State
from mutoscope.model.problem import Kind, Problem
from mutoscope.model.requests import Submission
from mutoscope.service.faults import Fault, Faults
from mutoscope.service.gateway import Gateway
from mutoscope.service.keys import Caller, check_scope
from mutoscope.service.routing import route
from mutoscope.store import DeliveryRecord
from mutoscope.wirekit.wire import Wire

MOST_LISTED = 200
LOOKED_AT = 2000  # newest jobs, and newest messages, among which an owner's are looked for
PICTURE_BYTES = 1_000_000  # of a picture that is given to an agent
SIDES = (768, 384, 192)  # tried in turn until it is small enough
LONGEST_WAIT = 300.0

PREFERRED = {
    Operation.TEXT_TO_IMAGE: "gen4_image",
    Operation.TEXT_TO_VIDEO: "gen4.5",
    Operation.IMAGE_TO_VIDEO: "gen4.5",
    Operation.VIDEO_EXTENSION: "wan-2.7",
    Operation.TEXT_TO_SPEECH: "eleven_multilingual_v2",
    Operation.SOUND_EFFECT: "eleven_text_to_sound_v2",
    Operation.TEXT_TO_MUSIC: "music-2.5",
    Operation.IMAGE_UPSCALE: "magnific_precision_upscaler_v2",
    Operation.VIDEO_UPSCALE: "upscale_v1",
    Operation.BACKGROUND_REMOVAL: "recraft-remove-background",
    Operation.BACKGROUND_REPLACEMENT: "recraftv3",
    Operation.IMAGE_OUTPAINT: "ideogram-v3",
}
"""The model where none is named; else, and where the key may not use it, the first that serves."""

FIELDS = {"width": "width", "height": "height", "seconds": "seconds", "seed": "seed", "prompt": "prompt"}


def render_nothing(_problem: Problem, _request: HttpRequest) -> HttpResponse:
    return HttpResponse()


WIRE = Wire(
    name="mcp",
    title="Agents, by the Model Context Protocol",
    docs="https://modelcontextprotocol.io",
    roots=(),
    routes=(),
    render_problem=render_nothing,
    credential=lambda _request: None,
    public_id=lambda id: id,
    job_id=lambda id: id,
    probes_inputs=True,
)
"""The agents as the gateway sees them: a wire without routes."""


class Bill(Struct, frozen=True, kw_only=True):
    """What something may cost at most, and who would make it."""

    model: str
    operation: Operation
    credits: float
    known: bool  # whether a price stands for it; a nominal one is a figure to count with, and nobody's bill
    engine: str
    price: str
    notes: tuple[str, ...] = ()


class Shown(Struct, frozen=True, kw_only=True):
    """A file of a job, for an agent to look at."""

    told: dict[str, Any]
    picture: Drawn | None = None


class Tools:
    """Every method takes whose key it is first, and raises Problem."""

    def __init__(self, gateway: Gateway, prober: Prober, *, faults: Faults | None = None) -> None:
        """`faults` only where the server rehearses."""
        self.gateway, self.prober, self.faults = gateway, prober, faults
        self.files_at: Path | None = None  # set where nothing is served: files are told by their place, not by a link

    # -- models -----------------------------------------------------------------------

    def list_models(self, caller: Caller, *, operation: str = "", search: str = "") -> dict[str, Any]:
        """The models that this caller may use, a line each."""
        wanted = operation_of(operation) if operation else None
        rows = [each for each in self.gateway.catalog.models.values() if self.may_use(caller, each)]
        rows = [each for each in rows if wanted is None or wanted in each.serves]
        rows = [each for each in rows if search.lower() in f"{each.name} {each.vendor}".lower()]
        return {"models": [self.summary(each) for each in rows], "operations": sorted(Operation)}

    def describe_model(self, caller: Caller, name: str) -> dict[str, Any]:
        """All that is known of one: what it does, who makes it, its defaults and bounds, and what it costs there."""
        model = self.gateway.catalog.named(WIRE.name, name)
        check_scope("model", model.name, caller.rights.models)
        makers = route(model, self.gateway.settings.accounts)
        prices = {maker: self.gateway.prices.price_at(model, maker) for maker in makers}
        return self.summary(model) | {
            "defaults": model.defaults,
            "max_seconds": model.max_seconds,
            "sizes": {tier: {shape: list(size) for shape, size in of.items()} for tier, of in model.sizes.items()},
            "ignored": sorted(model.ignores),
            "engines": [
                {"engine": maker, "price": in_credits(price), "known": price.known, "note": price.note}
                for maker, price in prices.items()
            ],
            "names": {wire: list(names) for wire, names in model.names.items()},
            "schema": schema_of(model),
        }

    def summary(self, model: Model) -> dict[str, Any]:
        makers = route(model, self.gateway.settings.accounts)
        price: Price = self.gateway.prices.price_at(model, makers[0]) if makers else model.price
        return {
            "name": model.name,
            "vendor": model.vendor,
            "operations": sorted(model.serves),
            "made_by": list(makers),
            "price": in_credits(price),
        }

    def may_use(self, caller: Caller, model: Model) -> bool:
        return not caller.rights.models or model.name in caller.rights.models

    # -- making -----------------------------------------------------------------------

    def estimate(self, caller: Caller, submission: Submission) -> Bill:
        """The most that it may come to, whoever of the engines that may make it does."""
        gateway = self.gateway
        check_scope("API", WIRE.name, caller.rights.wires)
        plan = gateway.planner.plan(submission, wire=WIRE.name, rights=caller.rights)
        model = gateway.catalog.get(plan.generation.model)
        able = [each.name for each in gateway.routes.candidates(model)]
        able = [name for name in able if name == plan.engine or gateway.routes.may_use(name, plan.engines)]
        credits = {name: gateway.prices.estimate(plan.generation, model, name) for name in able or [plan.engine]}
        price = gateway.prices.price_at(model, plan.engine)
        return Bill(
            model=model.name,
            operation=plan.generation.operation,
            credits=max(credits.values()),
            known=price.known or not plan.remote,
            engine=plan.engine,
            price=in_credits(price),
            notes=plan.notes,
        )

    async def make(self, caller: Caller, submission: Submission, *, max_credits: float, origin: str) -> Job | Bill:
        """File it where it costs no more than that; else tell what it would cost, and make nothing."""
        bill = self.estimate(caller, submission)
        if bill.credits > max_credits or not bill.known:
            return bill
        return await self.gateway.submit(
            WIRE, "", submission, owner=caller.owner, rights=caller.rights, body=body_of(submission), origin=origin
        )

    def wish(
        self,
        caller: Caller,
        operation: Operation,
        *,
        model: str = "",
        inputs: Sequence[Input] = (),
        size: str = "",
        **fields: Any,
    ) -> Submission:
        """What the arguments of a tool ask for. `extra` among the fields may hold what we do not name."""
        width, height = pixels(size)
        generation = Generation(
            operation=operation,
            model=model or self.usual_model(caller, operation),
            inputs=tuple(inputs),
            width=width,
            height=height,
            **{name: value for name, value in fields.items() if value not in (None, "")},
        )
        return Submission(generation=generation, fields=FIELDS | {"width": "size", "height": "size"})

    def usual_model(self, caller: Caller, operation: Operation) -> str:
        rows = self.gateway.catalog.models
        names = [PREFERRED.get(operation, ""), *(name for name, row in rows.items() if operation in row.serves)]
        for name in names:
            if name in rows and operation in rows[name].serves and self.may_use(caller, rows[name]):
                return name
        raise Problem(Kind.UNSUPPORTED, f"No model that this key may use does {operation}.", field="model")

    async def source(self, caller: Caller, source: str, role: Role, field: str) -> Input:
        """A file by a link, or the first file of a job by its id (`id#2` names the third)."""
        if source.startswith(("http://", "https://")):
            return Input(role=role, field=field, url=source)
        id, _, which = source.partition("#")
        job = await self.job(caller, id, field=field)
        if not job.state.final:
            raise Problem(Kind.CONFLICT, f"Job {id} is {job.state} yet; wait for it first.", field=field)
        output = output_at(job, int(which) if which.isdigit() else 0, field)
        return Input(role=role, field=field, asset=output.asset, media_type=output.media_type, made_by=job.engine)

    # -- jobs -------------------------------------------------------------------------

    async def job(self, caller: Caller, id: str, *, field: str = "job") -> Job:
        """A job of the caller's, by our id or any vendor's form of it; an administrator sees everybody's."""
        forms = dict.fromkeys(
            [id.lower(), *(form for wire in self.gateway.wires.values() if (form := wire.job_id(id)))]
        )
        for form in forms:
            found = await self.gateway.store.get(form)
            if found is not None and sees(caller, found):
                return found
        raise Problem(Kind.NOT_FOUND, f"There is no job {id!r}.", field=field)

    async def get_job(self, caller: Caller, id: str, origin: str) -> dict[str, Any]:
        """A job with its story and what was sent to vendors."""
        job = await self.job(caller, id)
        store = self.gateway.store
        return self.told(job, origin) | {
            "body": job.body.decode("utf-8", "replace"),
            "events": msgspec.to_builtins(await store.events(job.id)),
            "dispatches": msgspec.to_builtins(await store.dispatches(job.id)),
            "deliveries": [delivery_json(each) for each in await store.deliveries(job=job.id)],
        }

    async def list_jobs(self, caller: Caller, *, state: str = "", limit: int = 20, origin: str = "") -> dict[str, Any]:
        """The newest jobs that the caller may see."""
        wanted = state_of(state) if state else None
        most = min(max(limit, 1), MOST_LISTED)
        jobs = await self.gateway.store.recent(limit=most if sees_all(caller) else LOOKED_AT, state=wanted)
        return {"jobs": [self.told(each, origin) for each in jobs if self.lists(caller, each)][:most]}

    def lists(self, caller: Caller, job: Job) -> bool:
        """But for the fixed tasks of a rehearsal, which nobody asked for."""
        return sees(caller, job) and job.id not in self.gateway.kept

    async def cancel(self, caller: Caller, id: str, origin: str) -> dict[str, Any]:
        job = await self.job(caller, id)
        canceled = None if job.id in self.gateway.kept else await self.gateway.cancel(job.id)
        if canceled is None:
            raise Problem(Kind.CONFLICT, f"Job {id} cannot be canceled: it is {job.state}.", field="job")
        return self.told(canceled, origin)

    async def watch(self, caller: Caller, id: str) -> AsyncIterator[Job]:
        """The job at each change, until its end."""
        job = await self.job(caller, id)
        async for each in self.gateway.watch(job.id, poll_seconds=0.5):
            yield each
            if self.gateway.signals.draining:
                return

    def told(self, job: Job, origin: str) -> dict[str, Any]:
        """A job as an agent sees it."""
        linked = self.gateway.linked(job, origin)
        told = job_json(linked, self.gateway.wires)
        return told | ({"outputs": [self.output(each) for each in linked.outputs]} if linked.outputs else {})

    def output(self, each: Output) -> dict[str, Any]:
        told = output_json(each)
        if self.files_at is None or not each.asset:
            return told
        return {name: value for name, value in told.items() if name != "url"} | {
            "path": str(self.files_at / place(each.asset))
        }

    # -- files ------------------------------------------------------------------------

    async def media(self, caller: Caller, id: str, number: int, origin: str) -> Shown:
        """What a job made: its facts and link, and a picture of it that is small enough to be looked at."""
        job = self.gateway.linked(await self.job(caller, id), origin)
        output = output_at(job, number, "output")
        return Shown(told=self.output(output) | {"job": job.id}, picture=await self.picture(output))

    async def pictures(self, job: Job) -> list[Drawn]:
        """Of each file that a job made, as far as it can be drawn; the first four."""
        drawn = [await self.picture(each) for each in job.outputs[:4] if each.asset]
        return [each for each in drawn if each is not None]

    async def picture(self, output: Output) -> Drawn | None:
        """A picture of no more than PICTURE_BYTES; None for words and what cannot be drawn."""
        kind = output.media_type.partition("/")[0]
        if not output.asset or kind not in DRAWINGS:
            return None
        with tempfile.TemporaryDirectory(dir=self.gateway.intake.scratch) as folder:
            path = await self.gateway.assets.local_path(output.asset, Path(folder))
            for side in SIDES:
                try:
                    drawn = await self.prober.draw(path, DRAWINGS[kind][0], side=side)
                except Problem:
                    return None
                if len(drawn.data) <= PICTURE_BYTES:
                    return drawn
        return None

    # -- deliveries and faults -----------------------------------------------------------

    async def list_deliveries(
        self, caller: Caller, *, job: str = "", pending: bool = False, limit: int = 20
    ) -> dict[str, Any]:
        """The newest webhook messages, with every attempt to deliver them."""
        store = self.gateway.store
        of = (await self.job(caller, job)).id if job else None
        most = min(max(limit, 1), MOST_LISTED)
        looked = most if of or sees_all(caller) else LOOKED_AT
        found: list[dict[str, Any]] = []
        for each in await store.deliveries(job=of, pending_only=pending, limit=looked):
            if await self.owns(caller, each) and len(found) < most:
                tries = msgspec.to_builtins(await store.attempts(each.delivery.id))
                found.append(delivery_json(each) | {"tries": tries})
        return {"deliveries": found}

    async def replay_delivery(self, caller: Caller, id: str) -> dict[str, Any]:
        """Have a message sent again, whatever became of it."""
        record = await self.gateway.store.delivery(id)
        if record is None or not await self.owns(caller, record):
            raise Problem(Kind.NOT_FOUND, f"There is no message {id!r}.", field="id")
        await self.gateway.store.replay(id, self.gateway.clock())
        self.gateway.signals.delivery_pending()
        return {"id": id, "replayed": True}

    async def owns(self, caller: Caller, record: DeliveryRecord) -> bool:
        job = await self.gateway.store.get(record.delivery.job)
        return sees_all(caller) if job is None else sees(caller, job)

    def script_fault(self, caller: Caller, wish: Fault | None, *, clear: bool = False) -> dict[str, Any]:
        """Have requests fail as told; only where the server rehearses."""
        faults = self.faults
        if faults is None:
            raise Problem(
                Kind.UNSUPPORTED, "This server does not rehearse: start it with `mutoscope serve --rehearse`."
            )
        if not sees_all(caller):
            raise Problem(Kind.FORBIDDEN, "Faults meet everybody's requests: that takes a key with the right `admin`.")
        cleared = faults.clear() if clear else 0
        added = [faults.add(wish)] if wish is not None else []
        return {"added": msgspec.to_builtins(added), "cleared": cleared, "faults": msgspec.to_builtins(faults.all())}


# -- whose ------------------------------------------------------------------------------


def sees_all(caller: Caller) -> bool:
    """On an open server whoever reaches it is this machine."""
    return caller.rights.admin or not caller.owner


def sees(caller: Caller, job: Job) -> bool:
    return sees_all(caller) or job.owner == caller.owner


# -- read ---------------------------------------------------------------------------------


def operation_of(text: str) -> Operation:
    if text not in set(Operation):
        told = f"There is no operation {text!r}; there are {', '.join(Operation)}."
        raise Problem(Kind.INVALID, told, field="operation")
    return Operation(text)


def state_of(text: str) -> State:
    if text not in set(State):
        raise Problem(Kind.INVALID, f"There is no state {text!r}; there are {', '.join(State)}.", field="state")
    return State(text)


def pixels(size: str) -> tuple[int | None, int | None]:
    width, _, height = size.lower().partition("x")
    if not size:
        return None, None
    if not (width.isdigit() and height.isdigit() and 0 < len(size) < 12):
        raise Problem(Kind.INVALID, f"size is width x height in pixels, as 1280x720; {size!r} is not.", field="size")
    return int(width), int(height)


def output_at(job: Job, number: int, field: str) -> Output:
    files = [each for each in job.outputs if each.asset]
    if not 0 <= number < len(files):
        told = f"Job {job.id} is {job.state} and has {len(files)} files; there is none with number {number}, from 0."
        raise Problem(Kind.NOT_FOUND, told, field=field)
    return files[number]


# -- shown ----------------------------------------------------------------------------------


def body_of(submission: Submission) -> bytes:
    """What an agent asked for, as the job keeps it: there is no request of a vendor's."""
    wish = replace(submission.generation, inputs=())
    return msgspec.json.encode(
        msgspec.to_builtins(wish) | {"inputs": [each.field for each in submission.generation.inputs]}
    )


def job_json(job: Job, wires: Any) -> dict[str, Any]:
    wish = job.generation
    facts = {
        "id": job.id,
        "public_id": wires[job.wire].public_id(job.id) if job.wire in wires else job.id,
        "state": job.state.value,
        "wire": job.wire,
        "route": job.route,
        "owner": job.owner,
        "model": wish.model,
        "operation": wish.operation.value,
        "prompt": wish.prompt,
        "seed": wish.seed,
        "engine": job.engine,
        "progress": job.progress,
        "notes": list(job.notes),
        "failure": msgspec.to_builtins(job.failure),
        "outputs": [output_json(each) for each in job.outputs],
        "estimate": job.estimate,
        "cost": job.cost,
        "created": job.created,
        "started": job.started,
        "finished": job.finished,
    }
    return {name: value for name, value in facts.items() if value not in (None, [], "")}


def output_json(output: Output) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.to_builtins(replace(output, data=None))
    return {name: value for name, value in fields.items() if name not in ("asset", "poster", "preview")}


def delivery_json(record: DeliveryRecord) -> dict[str, Any]:
    each = record.delivery
    state = "delivered" if record.delivered is not None else "given_up" if record.given_up is not None else "pending"
    return {
        "id": each.id,
        "job": each.job,
        "url": each.url,
        "event": each.event,
        "state": state,
        "attempts": record.attempts,
        "due": record.due,
        "body": each.body.decode("utf-8", "replace"),
    }


def in_credits(price: Price) -> str:
    return f"{price_words(price)}, in credits"


def schema_of(model: Model) -> dict[str, Any]:
    """The arguments of the tools that generate, narrowed to a model."""
    seconds: dict[str, Any] = {"type": "number", "exclusiveMinimum": 0}
    if model.max_seconds is not None:
        seconds["maximum"] = model.max_seconds
    moving = any("video" in each or "audio" in each or "music" in each or "sound" in each for each in model.serves)
    properties: dict[str, Any] = {
        "model": {"const": model.name},
        "operation": {"enum": sorted(model.serves)},
        "prompt": {"type": "string"},
        "negative_prompt": {"type": "string"},
        "size": {"type": "string", "pattern": "^[0-9]+x[0-9]+$"},
        "seed": {"type": "integer"},
        **({"seconds": seconds} if moving else {}),
    }
    for name, value in model.defaults.items():
        if name in properties:
            properties[name] = properties[name] | {"default": value}
    return {"type": "object", "properties": properties, "required": ["model", "prompt"]}
