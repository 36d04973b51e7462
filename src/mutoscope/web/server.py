"""The front door: every wire's routes at the vendor's own paths and again under /<wire>; files, uploads, pages."""

import asyncio
import difflib
import importlib
import math
import re
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, MutableMapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TypeVar
from urllib.parse import parse_qsl

import structlog
import uuid_utils
from msgspec.structs import force_setattr, replace

from mutoscope.engines.local.senses import Senses
from mutoscope.files.convert import convert
from mutoscope.model.catalog import first
from mutoscope.model.http import Form, FormFile, HttpRequest, HttpResponse, json_response
from mutoscope.model.job import Failure, Job, Output
from mutoscope.model.problem import KINDS, Kind, Problem, as_unavailable
from mutoscope.model.requests import ANY_FILE, Allowance, Proof, Submission, Upload
from mutoscope.service import faults as rehearsed_faults
from mutoscope.service import inputs
from mutoscope.service.faults import Fault, Faults
from mutoscope.service.gateway import Gateway, upload_path, visible
from mutoscope.service.idempotency import REPLAYED, SingleFlight, may_repeat, repeat_of
from mutoscope.service.keys import (
    ByteQuota,
    Caller,
    Keys,
    RateLimited,
    RateLimiter,
    check_scope,
    digest,
    missing_key,
    widest,
)
from mutoscope.service.receivers import receiver_address
from mutoscope.service.words import Desk
from mutoscope.store import Repeat
from mutoscope.telemetry import tracing
from mutoscope.telemetry.counters import Durations
from mutoscope.web import forms, office, pages, parts, protocol, realtime, stream
from mutoscope.web.admin import EXCHANGES, KEYS, MARKS, Admin
from mutoscope.web.console import Console, Received
from mutoscope.web.cors import Origins, is_preflight
from mutoscope.web.head import Proxies, check_host, one_credential
from mutoscope.web.news import News
from mutoscope.web.office.deliveries import told as message_told
from mutoscope.web.office.jobs import tile
from mutoscope.web.polls import ASKED, Poll, Polls
from mutoscope.web.protocol import WHOLE
from mutoscope.web.rehearsals import REHEARSAL, Rehearsals
from mutoscope.web.router import PARAMETER, Found, Router, Target
from mutoscope.web.sessions import Sessions, cookie_of
from mutoscope.web.tools import Tools
from mutoscope.wirekit.body import dotted
from mutoscope.wirekit.flaws import plain
from mutoscope.wirekit.forms import as_json
from mutoscope.wirekit.routes import (
    OF_ONE_JOB,
    AccountRead,
    Again,
    Content,
    Create,
    DropFile,
    Follow,
    List,
    ListUploads,
    Models,
    OpenUploads,
    Read,
    ReadFile,
    ReadMany,
    Reply,
    Route,
    Secret,
    Socket,
    Stop,
    Stream,
    TakeFile,
    TakeInline,
    TakeRaw,
    UsageRead,
)
from mutoscope.wirekit.task import bearer
from mutoscope.wirekit.wire import Wire
from mutoscope.wires import ALL
from mutoscope.wires.claims import CLAIMS

log = structlog.get_logger(__name__)

T = TypeVar("T")

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

MAX_WAIT = 600.0  # seconds that a create may wait for its job's end, whatever it asks for
RENDERED_KEPT = 4096
FOLLOWED_SECONDS = 8.0  # clients give up a stream of which they hear nothing for 15
LARGE_BODY = 16 * 1024  # what is larger is read in a thread
MOST_VALUES = 10_000  # in a body: a list of a million takes seconds to read and a gigabyte to hold
PLACE_SECONDS = 1.0  # a place in the queue is counted so often
RENDERED_SECONDS = 60.0  # a rendered status is sent again for so long while its job does not change
PATH_COMPARED = 200  # characters
UNPRINTABLE = re.compile(r"[^ -~]")
UPLOAD = re.compile(r"/uploads/([0-9a-f-]{36})(?:/([0-9]{1,4}|complete))?")
JSON = b"application/json"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"  # some editors begin a file with it, and JSON does not
REHEARSE = "x-mutoscope-rehearse"  # a problem kind: answer with it
FAILS = "x-mutoscope-fails"  # a problem kind: the job is taken, and has failed with it
ENGINE = "x-mutoscope-engine"  # which engine makes the job
WEBHOOK, WEBHOOK_QUERY = "x-mutoscope-webhook", "mutoscope_webhook"  # where a job's news goes, on every wire
KEYS_WEBHOOK = "the key's webhook"
REQUEST_ID, REQUEST_ID_NAME = "x-request-id", b"x-request-id"
CALLBACKS = "/callbacks/"
KEY_SET = "/.well-known/jwks.json"  # with which receivers tell that news is ours, where they share no secret with us
ADMIN = "/admin/"
MCP = "/mcp"
MAX_ADMIN = 64 * 1024
SIZE = re.compile(r"[0-9]{1,18}")
COUNTED = 1 << 20  # bytes in which commas are counted at once
MAX_CALLBACK = 64 * 1024
OWN_CALLS = (KEYS, EXCHANGES, MARKS)  # which are for keys only: an open server has no administrator
SIGN_IN_LINKS = "/admin/sign-in-links"
PLACES = ("files", "uploads", "callbacks", "admin", "metrics", "mcp", "rehearsal", "console")
"""First parts of paths of ours whose requests are counted apart from those of the pages."""
FILLED = "There is no such upload, or it has its file already."
UPLOAD_PARTS, UPLOAD_TEXT = 32, 64 * 1024  # of the form of an upload
FORM_STATUSES = {"200": 200, "201": 201}  # by the field success_action_status, as object stores have it


class Server:
    """The ASGI application."""

    def __init__(
        self,
        gateway: Gateway,
        *,
        keys: Keys | None = None,
        rate_limiter: RateLimiter | None = None,
        rehearsal: bool = False,
        scratch: Path,
        requests: Durations[tuple[str, int]] | None = None,
        status: pages.StatusPage | None = None,
        started: Callable[[], Awaitable[None]] | None = None,
        stopped: Callable[[], Awaitable[None]] | None = None,
        wires: tuple[Wire, ...] = ALL,
        words: Desk | None = None,
        published: dict[str, str] | None = None,
        senses: Senses | None = None,
        parts: office.Parts | None = None,
    ) -> None:
        """`rehearsal` lets a request choose its engine and its failure by header. `requests` counts them, by "wire
        METHOD route" and the status' first digit."""
        self.gateway, self.keys, self.rate_limiter = gateway, keys or gateway.keys, rate_limiter or RateLimiter(0)
        self.byte_quota = ByteQuota(gateway.store, clock=gateway.clock)
        self.admin = Admin(self.keys, gateway.store, clock=gateway.clock, models=senses.pool if senses else None)
        self.rehearsal, self.scratch = rehearsal, scratch
        self.faults = Faults([wire.name for wire in wires], gateway.clock) if rehearsal else None
        self.rehearsals = Rehearsals(gateway, self.keys, self.faults) if self.faults else None
        self.tools = Tools(gateway, gateway.intake.prober, faults=self.faults)
        self._mounted: Any = None  # web/mcp.py's, from the first request on
        self._mounting = asyncio.Lock()
        self.started, self.stopped, self.words = started, stopped, words
        self.key_set = {"keys": [published] if published else []}
        places = gateway.settings.server
        order = {name: place for place, name in enumerate(places.wires)}
        ranked = sorted(wires, key=lambda wire: order.get(wire.name, len(order)))
        self.router = Router(ranked, hosts=places.hosts, claims=CLAIMS)
        self.forwarded = {
            f"{mount}{wire.proxy}": wire for wire in wires if wire.proxy for mount in ("", f"/{wire.name}")
        }
        self.rendered: dict[tuple[str, str, str], Shown] = {}
        self.polls = Polls()
        self.single_flight = SingleFlight()
        self.secrets = realtime.Secrets(gateway.clock)
        self.secret_prefixes = tuple(
            route.prefix for wire in wires for route in wire.routes if isinstance(route, Secret)
        )
        self.max_body = gateway.settings.server.max_body_bytes
        self.requests: Durations[tuple[str, int]] = requests or Durations()
        self.origins = Origins(allowed) if (allowed := gateway.settings.server.allow_origins) else None
        self.proxies = Proxies(trusted) if (trusted := gateway.settings.server.trusted_proxies) else None
        self.pages = pages.build(gateway, wires, rehearsal=rehearsal, status=status)
        self.wires = wires
        self.sessions = Sessions(
            self.keys,
            gateway.store,
            gateway.assets.secret,
            public_url=gateway.settings.server.public_url,
            clock=gateway.clock,
        )
        self.desk = office.Desk(
            gateway=gateway,
            wires={wire.name: wire for wire in wires},
            rehearsal=rehearsal,
            faults=self.faults,
            parts=parts or office.Parts(),
            received=Received(gateway.clock),
            read=self.as_sent,
            document=lambda: self.pages.document,
        )
        self.news = News(
            gateway.store,
            gateway.relays,
            job=partial(tile, self.desk),
            delivery=partial(message_told, self.desk),
            ends=lambda: gateway.signals.draining,
        )
        gateway.told = self.news.job
        self.console = Console(self.desk, self.sessions, self.admin)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self.live(receive, send)
            elif scope["type"] == "websocket":
                await self.converse(scope, receive, send)
            return
        if forwarded := self.forwarded.get(scope["path"].rstrip("/")):
            try:
                scope = forward(forwarded, scope)
            except Problem as problem:
                await respond(forwarded.render_problem(problem, head_of(scope)), scope, send)
                return
        path: str = scope["path"]
        found = self.router.find(path, scope["method"])
        wire = found.targets[0].wire if found.targets else found.wire
        began = time.perf_counter()
        try:
            if self.proxies:
                scope = self.proxies.scope(scope)
            check_host(scope)
        except Problem as problem:
            await respond(misaddressed(problem, wire, scope), scope, send)
            self.requests.add((f"{wire.name} other" if wire else " pages", 4), time.perf_counter() - began)
            return
        if self.origins and (wire is not None or path.startswith(("/files/", "/uploads/"))):
            send = with_headers(send, self.origins.headers(scope))
            if is_preflight(scope):
                await respond(HttpResponse(status=204), scope, send)
                return
        if wire is not None:
            label, response = await self.answer(wire, found, scope, receive)
            if isinstance(response, stream.Sending):
                await response.send(send)
            else:
                await respond(response, scope, send)
            self.requests.add((label, response.status // 100), time.perf_counter() - began)
            return
        noted = Noted(send)
        place = path.removeprefix("/").partition("/")[0]
        await self.elsewhere(path, scope, receive, noted)
        counted = (f" {place}" if place in PLACES else " pages", noted.status // 100)
        self.requests.add(counted, time.perf_counter() - began)

    def at_once(self, scope: Scope) -> bytes | None:
        """All bytes of the answer to a status read that was sent before in the same words, and of which nothing has
        changed since: neither the job nor what the caller may. None: it is to be answered as any other request."""
        began = time.perf_counter()
        poll = self.polls.find(scope)
        if poll is None or time.monotonic() > poll.until or self.gateway.store.hot(poll.job.id) is not poll.job:
            return None
        if not self.keys.holds(poll.caller) or (self.faults and self.faults.all()):
            return None
        try:
            allowance = self.rate_limiter.spend(poll.who, poll.caller.rights)
        except RateLimited:  # which takes nothing, and is told in the wire's words
            return None
        id = uuid_utils.uuid7().hex
        more = poll.wire.answer_headers(allowance) if allowance and poll.wire.answer_headers else {}
        if poll.wire.id_header:
            more[poll.wire.id_header] = f"req_{id}"
        told = "".join([f"{name}: {value}\r\n" for name, value in more.items()])
        self.requests.add(poll.counted, time.perf_counter() - began)
        return b"%b%bx-request-id: %b\r\n\r\n%b" % (poll.head, told.encode("latin-1"), id.encode(), poll.body)

    async def elsewhere(self, path: str, scope: Scope, receive: Receive, send: Send) -> None:
        """What belongs to no wire."""
        if path.startswith("/files/") and not (
            scope["method"] in ("PUT", "POST") and b"/multipart/" in scope["query_string"]
        ):
            gateway = self.gateway
            await gateway.assets.serve(scope, receive, send, now=gateway.clock(), uploads=gateway.intake.uploaded_asset)
        elif path.startswith(("/uploads/", "/files/")):
            await respond(await self.take_upload(scope, receive), scope, send)
        elif path.startswith(CALLBACKS):
            await respond(await self.take_callback(scope, receive), scope, send)
        elif path == KEY_SET and scope["method"] in ("GET", "HEAD"):
            headers = {"cache-control": "public, max-age=3600"}
            await respond(json_response(self.key_set, headers=headers), scope, send)
        elif path.startswith(ADMIN):
            response = await self.administer(scope, receive)
            if isinstance(response, stream.Sending):
                await response.send(send)
            else:
                await respond(response, scope, send)
        elif path.rstrip("/") == MCP:
            await self.speak_to_agent(scope, receive, send)
        elif path.startswith(REHEARSAL) and self.rehearsals:
            await respond(await self.rehearse(self.rehearsals, scope, receive), scope, send)
        elif not await self.console(scope, receive, send):
            await self.pages(scope, receive, send)

    async def live(self, receive: Receive, send: Send) -> None:
        """Start and stop what works behind the door, when the ASGI server does."""
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                try:
                    if self.started:
                        await self.started()
                except Exception as error:
                    log.exception("start_failed")
                    await send({"type": "lifespan.startup.failed", "message": str(error)})
                    return
                await send({"type": "lifespan.startup.complete"})
            else:
                if self.stopped:
                    await self.stopped()
                await send({"type": "lifespan.shutdown.complete"})
                return

    # -- a wire's request ---------------------------------------------------------

    async def answer(
        self, wire: Wire, found: Found, scope: Scope, receive: Receive
    ) -> tuple[str, HttpResponse | stream.Sending]:
        """Key first, then the path, then the body: the order in which vendors check. Also what it is counted as.

        Where several vendors have the path, a credential of any is looked for; then the request tells whose it is.
        """
        request = head_of(scope)
        allowance: Allowance | None = None
        label = f"{wire.name} other"
        asked = Asked(self.scratch)
        try:
            one_credential(scope["headers"])
            caller = await self.caller_of(wire, found, request)
            allowance = self.rate_limiter.spend(caller.owner or address_of(scope), caller.rights)
            if not found.targets:
                check_scope("API", wire.name, caller.rights.wires)
                if wire.absent and not found.methods and (nothing := wire.absent(request)):
                    return label, nothing
                raise self.lost(wire, found, request)
            target = found.targets[0]
            if len(found.targets) > 1:
                target = await self.whose(found, request, caller, asked, receive)
            wire, route, label = target.wire, target.route, target.label
            check_scope("API", wire.name, caller.rights.wires)
            if target.names:
                force_setattr(request, "params", found.params(target))
            if wire.precheck and (problem := wire.precheck(request, route)):
                raise problem
            if self.rehearsal and (wanted := request.headers.get(REHEARSE)):
                raise rehearsed(wanted)
            fault = await self.meet_fault(wire, request)
            await self.read_in(asked, request, caller, receive, route)
            origin = origin_of(scope, request)
            force_setattr(request, "origin", self.gateway.settings.server.public_url or origin)
            if isinstance(route, Read):
                shown = await self.show(wire, route, request, caller.owner, origin)
                response = replace(shown.response, headers={**shown.response.headers})
                if shown.job and ASKED in scope and not any(proved(each.wire, request) for each in found.targets):
                    self.keep_poll(scope, shown, shown.job, wire, caller, label)
            elif isinstance(route, Create):
                if route.event:
                    job, _ = await self.file(wire, route, request, caller, origin)
                    response = self.sending(route.event, request, job, receive, origin)
                else:
                    response = await self.make(wire, route, request, caller, origin)
            elif isinstance(route, Follow):
                response = await self.follow(wire, route, request, caller, receive)
            elif isinstance(route, TakeRaw):
                upload = await self.take_raw(wire, route, request, caller, receive, asked.folder(), origin)
                response = route.render(upload, request)
            elif isinstance(route, Stream | Again):
                who = caller.owner or address_of(scope)
                response = await self.speak(wire, route, request, caller, receive, who)
            else:
                response = await self.serve(wire, route, request, caller, origin)
            if fault is not None and fault.what == rehearsed_faults.LOST:
                raise Problem(Kind.UPSTREAM_FAILED, "Rehearsed: the request was obeyed, and its answer was lost.")
        except Problem as problem:
            if isinstance(problem, RateLimited):
                allowance = problem.allowance
            response = wire.render_problem(problem, with_id(request))
            if problem.kind is Kind.WRONG_METHOD and found.methods:
                response.headers["allow"] = allowed(found.methods)
        except Exception as error:
            id = with_id(request).id  # by which whoever got this answer is found in the log
            log.exception("request_broke", path=request.path, request=id)
            problem = as_unavailable(error) or Problem(Kind.INTERNAL, "Internal Server Error")
            response = wire.render_problem(problem, request)
        finally:
            asked.close()
        if wire.id_header:
            response.headers.setdefault(wire.id_header, f"req_{with_id(request).id}")
        if request.id:
            response.headers.setdefault(REQUEST_ID, request.id)
        if response.status == 405:
            response.headers["allow"] = allowed(found.methods)
        if allowance and wire.answer_headers:
            response.headers.update(wire.answer_headers(allowance))
        return label, response

    async def caller_of(self, wire: Wire, found: Found, request: HttpRequest) -> Caller:
        """Whose key it is; where several vendors have the path, in the form of any of them."""
        if len(found.targets) < 2:
            secret = wire.credential(request)
        else:
            sent = [each.wire.credential(request) for each in found.targets]
            proofs = (each for each in sent if isinstance(each, Proof))  # to the others it looks like a key
            secret = next(proofs, None) or next(filter(None, sent), None)
        try:
            return await self.keys.caller(secret)
        except Problem as problem:
            if secret or problem.kind is not Kind.UNAUTHENTICATED:
                raise
            if found.targets and all(isinstance(each.route, Read) and each.route.keyless for each in found.targets):
                return Caller()
            wanted = "; ".join(f"{name}: {form}" for name, form in pages.key_header(wire, "<key>").items())
            raise missing_key(request, wanted) from problem

    async def whose(
        self, found: Found, request: HttpRequest, caller: Caller, asked: "Asked", receive: Receive
    ) -> Target:
        """Which of the vendors that have a path is meant: by the Host, by evidence in the request, by whoever made the
        id that it names, and else the first by the settings."""
        if target := self.router.of_host(found, request) or self.router.claimed(found, request, body=False):
            return target
        for target in found.targets:
            if isinstance(target.route, OF_ONE_JOB) and target.names:
                id = target.wire.job_id(found.params(target)[target.names[-1]])
                job = None if id is None else await self.gateway.store.get(id)
                if job is not None and job.wire == target.wire.name:
                    return target
        if self.router.reads_body(found):
            routes = [target.route for target in found.targets]
            first = next((route for route in routes if route.form), routes[0])
            await self.read_in(asked, request, caller, receive, first)
            if target := self.router.claimed(found, request, body=True):
                return target
        return found.targets[0]

    async def read_in(
        self, asked: "Asked", request: HttpRequest, caller: Caller, receive: Receive, route: Route
    ) -> None:
        """The body, once: as it came or, of a form where the route takes one, as JSON with its files on disk."""
        if request.form and route.form and asked.read:  # read for another vendor of the path, by the types of its body
            force_setattr(request, "body", as_json(request.form, route.body))
        if request.method in ("GET", "DELETE", "HEAD") or asked.read or isinstance(route, TakeRaw):
            return
        asked.read = True
        if route.form and forms.is_form(request):
            limit = await self.counted(request, caller)
            form = await forms.receive(request, receive, asked.folder(), max_bytes=self.max_body)
            if limit is not None:
                await self.byte_quota.take(caller.owner, form_bytes(form), limit)
            force_setattr(request, "form", form)
            force_setattr(request, "body", as_json(form, route.body))
        else:
            force_setattr(request, "body", await self.body_of(receive, request, caller))

    def lost(self, wire: Wire, found: Found, request: HttpRequest) -> Problem:
        if found.methods:
            takes = allowed(found.methods)
            return Problem(Kind.WRONG_METHOD, f"{request.method} is not allowed here; {takes} is.")
        paths = ", ".join(dict.fromkeys(route.path for route in wire.routes if isinstance(route, Create)))
        reads = "" if request.method == "POST" else f" It tells of a task at: {', '.join(nearest(wire, request.path))}."
        told = f"Not found: there is no {request.path} on this server.{reads} It makes things at: {paths}"
        return Problem(Kind.NOT_FOUND, told, field="path")

    async def counted(self, request: HttpRequest, caller: Caller) -> int | None:
        """Counts a body before it is read, if it tells its size; else the limit by which it is to be counted then."""
        limit = first(caller.rights.max_bytes_daily, self.gateway.settings.limits.max_bytes_daily)
        if limit is None:
            return None
        declared = request.headers.get("content-length", "")
        if SIZE.fullmatch(declared) is None or int(declared) > self.max_body:
            return limit
        await self.byte_quota.take(caller.owner, int(declared), limit)
        return None

    async def body_of(self, receive: Receive, request: HttpRequest, caller: Caller) -> bytes:
        """The body, counted where the caller may send so much a day only."""
        limit = await self.counted(request, caller)
        body = await read_body(receive, request, self.max_body)
        body = body.removeprefix(BYTE_ORDER_MARK)
        if limit is not None:
            await self.byte_quota.take(caller.owner, len(body), limit)
        check_values(body)
        return body

    async def serve(self, wire: Wire, route: Route, request: HttpRequest, caller: Caller, origin: str) -> HttpResponse:
        gateway, owner = self.gateway, caller.owner
        match route:
            case List():
                page = await in_thread(route.parse, request, request)
                jobs = await gateway.list(wire, route, page, owner=owner, origin=origin)
                return route.render(jobs, request)
            case ReadMany():
                jobs = await gateway.show_many(wire, route, route.ids(request), owner=owner, origin=origin)
                return route.render(jobs, request)
            case Stop():
                return route.render(await gateway.stop(wire, route, route.id(request), owner=owner), request)
            case Reply():
                return route.reply(request)
            case Secret():
                return self.make_secret(wire, route, request, owner)
            case Socket():
                message = "Realtime is a WebSocket: connect with ws:// or wss://, not as to a page."
                raise Problem(Kind.INVALID, message)
            case Models():
                return route.render(self.words.models(wire, caller.rights) if self.words else (), request)
            case Content():
                job = await gateway.show(wire, route, route.id(request), owner=owner, origin=origin)
                return await self.content(route, job, request)
            case OpenUploads():
                wishes = await in_thread(route.parse, request, request)
                return route.render(await gateway.open_uploads(wire, wishes, owner=owner, origin=origin), request)
            case TakeFile():
                return route.render(await self.take_file(wire, route, request, owner, origin), request)
            case TakeInline():
                return route.render(await self.take_inline(wire, route, request, owner, origin), request)
            case DropFile():
                return route.render(await gateway.drop_file(wire, route.id(request), owner=owner), request)
            case ReadFile():
                upload = await gateway.file(wire, route.id(request), owner=owner, origin=origin)
                return route.render(upload, request)
            case ListUploads():
                return route.render(await gateway.list_uploads(wire, owner=owner, origin=origin), request)
            case AccountRead():
                return route.render(await gateway.account(owner, caller.rights), request)
            case UsageRead():
                period = await in_thread(route.parse, request, request)
                return route.render(await gateway.usage(period, owner=owner), request)
            case _:
                raise TypeError(f"no way to serve {type(route).__name__}")

    async def speak(
        self, wire: Wire, route: Stream | Again, request: HttpRequest, caller: Caller, receive: Receive, who: str
    ) -> HttpResponse | stream.Sending:
        """An answer in words."""
        if self.words is None or self.gateway.is_closed:
            raise Problem(Kind.UNAVAILABLE, "The server is shutting down. Try again shortly.", retry_after=5)
        return await stream.begin(self.words, wire, route, request, caller, receive, with_id(request).id, who)

    async def follow(
        self, wire: Wire, route: Follow, request: HttpRequest, caller: Caller, receive: Receive
    ) -> HttpResponse | stream.Sending:
        """News of a job for as long as somebody listens."""
        job = await self.gateway.show(wire, route, route.id(request), owner=caller.owner)
        if request.method == "HEAD":
            return HttpResponse(media_type=stream.EVENTS)
        return self.sending(route.event, request, job, receive, "")

    def sending(
        self,
        tell: Callable[[Job, Job | None, HttpRequest], bytes],
        request: HttpRequest,
        job: Job,
        receive: Receive,
        origin: str,
    ) -> stream.Sending:
        """A job told by events until it has ended."""
        headers = {"content-type": f"{stream.EVENTS}; charset=utf-8", "cache-control": "no-cache"}
        pieces = self.followed(tell, request, job, origin)
        return stream.Sending(200, headers, pieces, stream.Departure(receive), lambda _: None)

    async def followed(
        self, tell: Callable[[Job, Job | None, HttpRequest], bytes], request: HttpRequest, job: Job, origin: str
    ) -> AsyncIterator[bytes]:
        """An event at each change and, so that nobody gives up, at least every FOLLOWED_SECONDS."""
        last, said = None, 0.0
        async for changed in self.gateway.watch(job.id):
            each = await self.gateway.placed(self.gateway.linked(changed, origin))
            if each != last or time.monotonic() - said > FOLLOWED_SECONDS:
                yield tell(each, last, request)
                last, said = each, time.monotonic()
            if self.gateway.signals.draining:
                return

    async def converse(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A WebSocket. What stands against it is the answer to its handshake."""
        began = time.perf_counter()
        found = self.router.find(scope["path"], "GET")
        target = next((each for each in found.targets if isinstance(each.route, Socket)), None)
        label = target.label if target else " other sockets"
        wire, request, status = target.wire if target else found.wire, None, 101
        try:
            if target is None or not isinstance(target.route, Socket):
                raise Problem(Kind.NOT_FOUND, f"There is no WebSocket at {scope['path']}.", field="path")
            client = realtime.Client(scope, receive, send, target.route.protocol)
            scope = realtime.as_http(scope, target.route)
            scope = self.proxies.scope(scope) if self.proxies else scope
            request = head_of(scope)
            await self.hold_session(target.wire, target.route, found, request, scope, client)
        except Problem as problem:
            request = request or HttpRequest(method="GET", path=scope["path"])
            response = wire.render_problem(problem, request) if wire else misaddressed(problem, wire, scope)
            await respond(response, {"method": "GET"}, in_place_of_socket(send))
            status = response.status
        finally:
            self.requests.add((label, status // 100), time.perf_counter() - began if status != 101 else 0.0)

    async def hold_session(
        self, wire: Wire, route: Socket, found: Found, request: HttpRequest, scope: Scope, client: realtime.Client
    ) -> None:
        """A conversation to its end. Raises Problem while it was not accepted."""
        check_host(scope)
        one_credential(scope["headers"])
        secret, kept = wire.credential(request), None
        if isinstance(secret, str) and secret.startswith(self.secret_prefixes):
            kept = self.secrets.find(secret)
            caller = await self.keys.of_digest(kept.parent) if kept.parent else Caller()
        else:
            caller = await self.caller_of(wire, found, request)
        if self.keys.open:
            realtime.check_origin(request, self.origins.allows if self.origins else lambda _: False)
        who = caller.owner or address_of(scope)
        spend = partial(self.rate_limiter.spend, who, caller.rights)
        spend()
        check_scope("API", wire.name, caller.rights.wires)
        if self.rehearsal and (wanted := request.headers.get(REHEARSE)):
            raise rehearsed(wanted)
        if self.words is None or self.gateway.is_closed:
            raise Problem(Kind.UNAVAILABLE, "The server is shutting down. Try again shortly.", retry_after=5)
        await realtime.converse(self.words, wire, route, request, caller, spend, client, kept, who)

    def make_secret(self, wire: Wire, route: Secret, request: HttpRequest, owner: str) -> HttpResponse:
        if len(request.body) > realtime.MAX_SESSION:
            raise Problem(Kind.TOO_LARGE, f"A session takes {realtime.MAX_SESSION} bytes at most.", field="session")
        wish, key = route.parse(request), wire.credential(request)
        parent = digest(key) if isinstance(key, str) and not self.keys.open else None
        return route.render(wish, *self.secrets.make(route.prefix, wish, owner, parent))

    async def content(self, route: Content, job: Job, request: HttpRequest) -> HttpResponse:
        """The file of an output, by way of its signed link: ranges, HEAD and tags are answered there."""
        output = route.pick(job, request)
        return HttpResponse(status=302, headers={"location": output.url or "", "cache-control": "no-store"})

    async def take_file(self, wire: Wire, route: TakeFile, request: HttpRequest, owner: str, origin: str) -> Upload:
        """Keep the file that a form carries."""
        files = request.form.files.get(route.part, []) if request.form else []
        if len(files) != 1:
            raise Problem(Kind.INVALID, f"Send a form with one file in its part {route.part!r}.", field=route.part)
        wish = route.parse(request)
        if not wish.min_bytes <= files[0].bytes <= wish.max_bytes:
            message = f"The file has {files[0].bytes} bytes; {wish.min_bytes} to {wish.max_bytes} are taken."
            raise Problem(Kind.TOO_LARGE if files[0].bytes else Kind.INVALID, message, field=route.part)
        return await self.gateway.take_file(wire, wish, files[0], owner=owner, origin=origin)

    async def take_raw(
        self,
        wire: Wire,
        route: TakeRaw,
        request: HttpRequest,
        caller: Caller,
        receive: Receive,
        folder: Path,
        origin: str,
    ) -> Upload:
        """Keep the body itself."""
        wish, path = route.parse(request), folder / "body"
        limit = await self.counted(request, caller)
        await save_body(receive, path, wish.max_bytes)
        size = path.stat().st_size
        if limit is not None:
            await self.byte_quota.take(caller.owner, size, limit)
        if size < wish.min_bytes:
            raise Problem(Kind.INVALID, f"The file has {size} bytes; at least {wish.min_bytes} are needed.")
        file = FormFile(path=path, bytes=size)
        return await self.gateway.take_file(wire, wish, file, owner=caller.owner, origin=origin)

    async def take_inline(
        self, wire: Wire, route: TakeInline, request: HttpRequest, owner: str, origin: str
    ) -> tuple[Upload, ...]:
        """Keep the files inside a body."""
        kept: list[Upload] = []
        with tempfile.TemporaryDirectory(dir=self.scratch) as folder:
            for number, (wish, data) in enumerate(await in_thread(route.parse, request, request)):
                if not wish.min_bytes <= len(data) <= wish.max_bytes:
                    message = f"A file has {len(data)} bytes; {wish.min_bytes} to {wish.max_bytes} are taken."
                    raise Problem(Kind.TOO_LARGE if data else Kind.INVALID, message)
                path = Path(folder) / str(number)
                await asyncio.to_thread(path.write_bytes, data)
                file = FormFile(path=path, bytes=len(data))
                kept.append(await self.gateway.take_file(wire, wish, file, owner=owner, origin=origin))
        return tuple(kept)

    async def make(self, wire: Wire, route: Create, request: HttpRequest, caller: Caller, origin: str) -> HttpResponse:
        """A create. One that says that it repeats another is answered with the other's job."""
        owner = caller.owner
        repeat = await in_thread(repeat_of, request, request) if may_repeat(request) else None
        if repeat is None:
            job, wait = await self.file(wire, route, request, caller, origin)
            return await self.made(route, request, job, wait, origin)
        async with self.single_flight.take(owner, repeat):
            known = await self.gateway.repeated(owner, repeat, origin=origin) if repeat.replays else None
            if known:  # the same request waits as long
                job, wait = known, (await in_thread(route.parse, request, request)).wait
            else:
                job, wait = await self.file(wire, route, request, caller, origin, repeat)
        response = await self.made(route, request, job, wait, origin)
        if known:
            response.headers[REPLAYED] = "true"
        return response

    async def made(
        self, route: Create, request: HttpRequest, job: Job, wait: float | None, origin: str
    ) -> HttpResponse:
        """The answer to a create: at once, or when the job has ended or the caller has waited as long as they said."""
        if not wait:
            job = await self.gateway.placed(job) if route.places else job
            return with_job_headers(route.render(job, request), job)
        job = await self.gateway.ended_within(job, min(wait, MAX_WAIT), origin=origin)
        if route.carries and (media_type := route.carries(request)) is not None:
            job = await self.carrying(job, media_type)
        return with_job_headers((route.waited or route.render)(job, request), job)

    async def carrying(self, job: Job, media_type: str) -> Job:
        """With the files of its outputs in them, of the type that was asked for."""
        files = [output for output in job.outputs if output.asset]
        if sum(file.bytes for file in files) > self.max_body:
            message = f"What was made has more than {self.max_body} bytes, too many for one answer."
            raise Problem(Kind.TOO_LARGE, message)
        carried = [await self.carried(file, media_type) for file in files]
        return replace(job, outputs=tuple(carried))

    async def carried(self, output: Output, media_type: str) -> Output:
        data = await self.gateway.assets.read(output.asset)
        if media_type and media_type != output.media_type:
            data = await asyncio.to_thread(convert, data, output.media_type, media_type)
        return replace(output, data=data, media_type=media_type or output.media_type)

    def file(
        self, wire: Wire, route: Create, request: HttpRequest, caller: Caller, origin: str, repeat: Repeat | None = None
    ) -> Awaitable[tuple[Job, float | None]]:
        """Read a create and store its job. Returns it with how long the answer may wait for its end."""
        if self.gateway.tracing is None:
            return self.filed(wire, route, request, caller, origin, repeat)
        return self.traced(self.gateway.tracing, wire, route, request, caller, origin, repeat)

    async def traced(
        self,
        spans: tracing.Tracing,
        wire: Wire,
        route: Create,
        request: HttpRequest,
        caller: Caller,
        origin: str,
        repeat: Repeat | None,
    ) -> tuple[Job, float | None]:
        parent = request.headers.get(tracing.HEADER)
        with tracing.span(spans, "create", parent=parent, kind="SERVER", route=route.at) as facts:
            job, wait = await self.filed(wire, route, request, caller, origin, repeat)
            facts.add(job=job.id, wire=job.wire, engine=job.engine)
        return job, wait

    async def filed(
        self, wire: Wire, route: Create, request: HttpRequest, caller: Caller, origin: str, repeat: Repeat | None
    ) -> tuple[Job, float | None]:
        submission = route.parse(request) if is_small(request) else await asyncio.to_thread(route.parse, request)
        if self.rehearsal and (kind := request.headers.get(FAILS)):
            failure = Failure(kind=rehearsed(kind, FAILS).kind, message=f"Rehearsed: {kind}.")
            submission = replace(submission, fails=failure)
        model = submission.generation.model
        if (own := caller.rights.per_model.get(model)) and own.requests_per_minute:
            self.rate_limiter.take(f"{caller.owner}\n{model}", own.requests_per_minute)
        job = await self.gateway.submit(
            wire,
            route.route,
            self.addressed(submission, request, caller),
            owner=caller.owner,
            rights=caller.rights,
            body=request.body,
            origin=origin,
            engine=request.headers.get(ENGINE) if self.rehearsal else None,
            repeat=repeat,
        )
        return job, submission.wait

    def addressed(self, submission: Submission, request: HttpRequest, caller: Caller) -> Submission:
        """With the address for the job's news: the request's own, else that of our header or query, else the key's.

        Raises Problem(INVALID) for one that this server may not call, whoever named it.
        """
        net = self.gateway.settings.net
        own, usual = submission.webhook, caller.rights.webhook
        if own is not None:
            receiver_address(own, submission.fields.get("webhook", "webhook"), net)
        header, query = request.headers.get(WEBHOOK), request.query.get(WEBHOOK_QUERY)
        if header is None and query is None:
            if own is not None or not usual:
                return submission
            return replace(submission, webhook=receiver_address(usual, KEYS_WEBHOOK, net))
        name, text = (WEBHOOK_QUERY, query or "") if header is None else (WEBHOOK, header)
        address = receiver_address(text, name, net)
        if own is not None:
            note = f"{name}: not used, the request itself names an address"
            return replace(submission, notes=(*submission.notes, note))
        return replace(submission, webhook=address)

    async def show(self, wire: Wire, route: Read, request: HttpRequest, owner: str, origin: str) -> "Shown":
        """A status read, the request that clients repeat: rendered once while its job does not change."""
        public = route.id(request)
        id = wire.job_id(public) or ""
        hot = self.gateway.store.hot(id)
        asked = (
            f"{request.path}?{request.query}" if request.query else request.path
        )  # a wire may tell of a job in two ways
        known = self.rendered.get((id, origin, asked))
        now = time.monotonic()
        if hot is not None and known and known.job is hot and known.until > now and visible(hot, wire, route, owner):
            return known
        job = await self.gateway.placed(await self.gateway.show(wire, route, public, owner=owner, origin=origin))
        response = with_job_headers(route.render(job, request), job)
        hot = self.gateway.store.hot(id)
        shown = Shown(hot, now + (PLACE_SECONDS if job.ahead is not None else RENDERED_SECONDS), response)
        if hot is not None:
            if len(self.rendered) >= RENDERED_KEPT:
                self.rendered.clear()
            self.rendered[(id, origin, asked)] = shown
        return shown

    def keep_poll(self, scope: Scope, shown: "Shown", job: Job, wire: Wire, caller: Caller, label: str) -> None:
        """For when the same request comes again."""
        response = shown.response
        headers = headers_of(response) + (self.origins.headers(scope) if self.origins else [])
        head = protocol.head_of(response.status, headers)
        who, counted = caller.owner or address_of(scope), (label, response.status // 100)
        self.polls.keep(scope, Poll(job, shown.until, caller, who, wire, counted, head, response.body))

    # -- vendors that call -------------------------------------------------------------

    async def take_callback(self, scope: Scope, receive: Receive) -> HttpResponse:
        """A vendor has news of a job. Whoever has no token of ours learns nothing."""
        request = head_of(scope)
        try:
            id = self.gateway.called_job(request.path.removeprefix(CALLBACKS))
            if id is None:
                raise Problem(Kind.NOT_FOUND, "Not found.")
            if request.method != "POST":
                raise Problem(Kind.WRONG_METHOD, "News is sent by POST.")
            force_setattr(request, "body", await read_body(receive, request, MAX_CALLBACK))
            await self.gateway.called_back(id, request)
            return HttpResponse(status=204)
        except Problem as problem:
            allow = {"allow": "POST"} if problem.kind is Kind.WRONG_METHOD else {}
            return json_response({"error": problem.message}, problem.status, allow)

    # -- those who look after the keys --------------------------------------------------

    async def administer(self, scope: Scope, receive: Receive) -> HttpResponse | stream.Sending:
        """A call of the admin API, by a key that may make it or from the console."""
        request = head_of(scope)
        force_setattr(request, "origin", self.gateway.settings.server.public_url or origin_of(scope, request))
        try:
            one_credential(scope["headers"])
            caller = await self.operator(request, scope)
            if request.path.rstrip("/") == office.EVENTS and request.method == "GET":
                return self.telling(request, receive)
            if request.method == "POST":
                body = await read_body(receive, request, self.max_admin(request))
                force_setattr(request, "body", body.removeprefix(BYTE_ORDER_MARK))
            if any(request.path == path or request.path.startswith(f"{path}/") for path in OWN_CALLS):
                return await self.admin.answer(request)
            if request.path == SIGN_IN_LINKS and request.method == "POST":
                return self.console.make_link(request)
            return await office.handle(self.desk, request, caller)
        except Problem as problem:
            headers = {} if problem.retry_after is None else {"retry-after": str(math.ceil(problem.retry_after))}
            told = {"error": in_full(problem), "kind": problem.kind, "field": problem.field}
            told = {name: value for name, value in told.items() if value is not None}
            return json_response(told, problem.status, headers)

    async def operator(self, request: HttpRequest, scope: Scope) -> Caller:
        """Who looks after the server: by a key in the header, by the console's cookie, or from this machine where there
        are no keys. Raises Problem."""
        await self.keys.refresh()
        own = any(request.path == path or request.path.startswith(f"{path}/") for path in OWN_CALLS)
        by_key = own if self.keys.open else bool(bearer(request)) or cookie_of(request) is None
        if by_key:
            caller = await self.admin.admit(request)
            self.rate_limiter.spend(caller.owner or address_of(scope))
            return caller
        return await self.sessions.operator(request, address_of(scope), origin_of(scope, request))

    def max_admin(self, request: HttpRequest) -> int:
        if request.path == MARKS:
            return self.max_body
        try:
            call, _ = office.find(request.method, request.path)
        except Problem:
            return MAX_ADMIN
        return self.max_body if call.large else MAX_ADMIN

    def telling(self, request: HttpRequest, receive: Receive) -> stream.Sending:
        """What happens, for as long as somebody listens. Raises Problem."""
        if self.news.full:
            raise Problem(Kind.RATE_LIMITED, "As many listen to the news as may.", retry_after=10)
        headers = {"content-type": f"{stream.EVENTS}; charset=utf-8", "cache-control": "no-store"}
        pieces = self.news.watch(request.headers.get("last-event-id", ""))
        return stream.Sending(200, headers, pieces, stream.Departure(receive), lambda _: None)

    def as_sent(self, name: str, method: str, path: str, body: bytes) -> tuple[Wire, Create, HttpRequest]:
        """A request to a wire's own path as it would come from a client. Raises Problem."""
        wire = next(wire for wire in self.wires if wire.name == name)
        found = self.router.find(f"/{name}{path}", method)
        target = next((each for each in found.targets if each.wire.name == name), None)
        if target is None or not isinstance(target.route, Create):
            raise Problem(Kind.NOT_FOUND, f"{wire.title} makes nothing at {method} {path}.", field="path")
        headers = {"content-type": "application/json"} | wire.headers | target.route.headers
        request = HttpRequest(method=method, path=path, params=found.params(target), headers=headers, body=body)
        return target.wire, target.route, request

    # -- agents, and rehearsals ---------------------------------------------------------

    async def speak_to_agent(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A request by the Model Context Protocol, of a caller who has a key where there are any."""
        request = head_of(scope)
        try:
            one_credential(scope["headers"])
            if not self.gateway.settings.mcp.enabled:
                raise Problem(Kind.NOT_FOUND, "There is nothing here: [mcp] enabled is false.")
            try:
                caller = await self.keys.caller(bearer(request))
            except Problem as problem:
                if bearer(request) or problem.kind is not Kind.UNAUTHENTICATED:
                    raise
                raise missing_key(request, "authorization: Bearer <key>") from problem
            self.rate_limiter.spend(caller.owner or address_of(scope), caller.rights)
            mounted = await self.mount_agents()
        except Problem as problem:
            headers = {"www-authenticate": "Bearer"} if problem.kind is Kind.UNAUTHENTICATED else {}
            await respond(json_response({"error": problem.message}, problem.status, headers), scope, send)
            return
        origin = self.gateway.settings.server.public_url or origin_of(scope, request)
        await mounted(scope, receive, send, caller, origin)

    async def mount_agents(self) -> Any:
        """Raises Problem where what it takes is not installed."""
        async with self._mounting:
            if self._mounted is None:
                try:  # in a thread: it takes a second, in which others want to be answered
                    module = await asyncio.to_thread(importlib.import_module, "mutoscope.web.mcp")
                except ModuleNotFoundError as error:
                    if (error.name or "").partition(".")[0] not in ("mcp", "mcp_types"):
                        raise
                    told = 'This server has no tools for agents: pip install "mutoscope[mcp]" there.'
                    raise Problem(Kind.NOT_FOUND, told) from error
                self._mounted = module.Mounted(self.tools, self.gateway.settings, open=self.keys.open)
        return self._mounted

    async def close(self) -> None:
        """Let go of the agents."""
        if self._mounted is not None:
            await self._mounted.close()

    async def rehearse(self, rehearsals: Rehearsals, scope: Scope, receive: Receive) -> HttpResponse:
        request = head_of(scope)
        try:
            if request.method == "POST":
                force_setattr(request, "body", await read_body(receive, request, MAX_ADMIN))
            return await rehearsals.answer(request)
        except Problem as problem:
            return json_response({"error": in_full(problem), "kind": problem.kind}, problem.status)

    async def meet_fault(self, wire: Wire, request: HttpRequest) -> Fault | None:
        """The fault that a rehearsal has for this request, begun: it is slow, or told to fail. Raises its Problem."""
        fault = self.faults.take(wire.name, request.method, request.path) if self.faults else None
        if fault is None:
            return None
        if problem := rehearsed_faults.problem_of(fault):
            raise problem
        if fault.what == rehearsed_faults.SLOW:
            await asyncio.sleep(fault.seconds)
        elif failure := rehearsed_faults.failure_of(fault):
            request.headers[FAILS] = failure.kind.value
        return fault

    # -- files that callers send ahead ------------------------------------------------

    async def take_upload(self, scope: Scope, receive: Receive) -> HttpResponse:
        """The bytes for an upload slot, all or a part: PUT as they are, or POST as a form whose part is named file."""
        request = parts.addressed(head_of(scope))
        try:
            match = UPLOAD.fullmatch(request.path)
            if not match or request.method not in ("PUT", "POST"):
                raise Problem(Kind.NOT_FOUND, "There is no such upload; send PUT or POST to the URL that was given.")
            id, part = match.groups()
            with tempfile.TemporaryDirectory(dir=self.scratch) as folder:
                if part == "complete":
                    return await self.join(id, request, receive, Path(folder))
                if part:
                    return await self.take_part(id, int(part), request, receive, Path(folder) / "part")
                return HttpResponse(status=await self.fill(id, request, receive, Path(folder) / "upload"))
        except (Problem, OSError) as error:
            problem = error if isinstance(error, Problem) else as_unavailable(error)
            if problem is None:
                raise
            return json_response({"message": problem.message, "error": problem.message}, problem.status)

    async def fill(self, id: str, request: HttpRequest, receive: Receive, path: Path) -> int:
        """Take the bytes; returns the status that says so."""
        upload = await self.open_slot(id, request)
        if upload.asset:
            raise Problem(Kind.NOT_FOUND, FILLED)
        limit = await self.bytes_of(upload.owner)
        status = 204
        if request.method == "PUT":
            await save_body(receive, path, upload.max_bytes)
        else:
            most = upload.max_bytes + UPLOAD_PARTS * UPLOAD_TEXT
            form = await forms.receive(
                request, receive, path.parent, max_bytes=most, max_parts=UPLOAD_PARTS, max_text=UPLOAD_TEXT
            )
            path = file_in(form, upload.max_bytes)
            status = FORM_STATUSES.get(next(iter(form.texts.get("success_action_status", ())), ""), status)
        await self.byte_quota.take(upload.owner, path.stat().st_size, limit)
        await self.keep(upload, path)
        return status

    async def open_slot(self, id: str, request: HttpRequest) -> Upload:
        """The slot that a signed address names. Raises Problem."""
        upload = await self.gateway.store.upload(id)
        if upload is None:
            raise Problem(Kind.NOT_FOUND, FILLED)
        if problem := self.gateway.assets.verify(upload_path(id), request.query, self.gateway.clock()):
            raise problem
        return upload

    async def keep(self, upload: Upload, path: Path) -> None:
        """Fill a slot, if the file is what it was opened for."""
        gateway, size = self.gateway, path.stat().st_size
        if size < upload.min_bytes:
            raise Problem(Kind.BAD_MEDIA, f"The file has {size} bytes; at least {upload.min_bytes} are needed.")
        media_type = inputs.sniff(path)
        fitting = upload.media_type == ANY_FILE or (media_type and family(media_type) == family(upload.media_type))
        if media_type is None or not fitting:
            raise Problem(Kind.BAD_MEDIA, f"The file is not {upload.media_type}: it looks like {media_type}.")
        asset = await gateway.assets.put(path, media_type)
        if not await gateway.store.fill_upload(upload.id, asset, size, gateway.clock()):
            raise Problem(Kind.CONFLICT, "The upload slot has expired or has its file already.")

    async def take_part(self, id: str, number: int, request: HttpRequest, receive: Receive, path: Path) -> HttpResponse:
        """A part of a file, in any order; its etag is what names it when the file is put together."""
        upload = await self.open_slot(id, request)
        if upload.asset or request.method != "PUT":
            raise Problem(Kind.NOT_FOUND, FILLED)
        limit = await self.bytes_of(upload.owner)
        await save_body(receive, path, upload.max_bytes)
        size = path.stat().st_size
        await self.byte_quota.take(upload.owner, size, limit)
        asset = await self.gateway.assets.put(path, ANY_FILE)
        part = replace(
            upload, id=str(uuid_utils.uuid7()), name=parts.part_name(upload, number), media_type=ANY_FILE,
            expires=upload.slot_expires, asset=asset, bytes=size,
        )  # fmt: skip
        await self.gateway.store.add_uploads((part,))
        return json_response({"partNumber": number, "etag": part.id}, headers={"etag": f'"{part.id}"'})

    async def join(self, id: str, request: HttpRequest, receive: Receive, folder: Path) -> HttpResponse:
        """Fill a slot with its parts. One that says so again is answered as the first."""
        upload = await self.open_slot(id, request)
        told = parts.read(await read_body(receive, request, self.max_body))
        if not upload.asset:
            path, kept = await parts.joined(self.gateway, upload, told, folder)
            await self.keep(upload, path)
            for each in kept:
                await self.gateway.store.expire_upload(each.id, self.gateway.clock())
        return json_response({"parts": len(told.parts)})

    async def bytes_of(self, owner: str) -> int | None:
        """How many bytes an owner may send a day. Raises Problem(FORBIDDEN) when their keys are no longer taken."""
        usual = self.gateway.settings.limits.max_bytes_daily
        if not owner:
            return first(usual)
        rights = await self.keys.rights_of(owner)
        if not rights:
            raise Problem(Kind.FORBIDDEN, "The key that opened this upload is not taken any more.")
        return widest(first(each.max_bytes_daily, usual) for each in rights)


class Shown(NamedTuple):
    """A rendered status."""

    job: Job | None  # as the store remembers it, if it does
    until: float  # by the monotonic clock: how long it may be sent again while that job does not change
    response: HttpResponse


def proved(wire: Wire, request: HttpRequest) -> bool:
    """Whether the caller signed a token that ends."""
    return isinstance(wire.credential(request), Proof)


def file_in(form: Form, max_bytes: int) -> Path:
    """Where the only file of an upload's form lies. Raises Problem."""
    files = form.files.get("file", [])
    if len(files) != 1:
        found = "no part" if not files else "more than one part"
        raise Problem(Kind.INVALID, f"The form cannot be read: it has {found} named file.", field="file")
    if files[0].bytes > max_bytes:
        raise Problem(Kind.TOO_LARGE, f"The file is larger than {max_bytes} bytes.")
    return files[0].path


def misaddressed(problem: Problem, wire: Wire | None, scope: Scope) -> HttpResponse:
    """To whom nothing else is told: their own idea of where they are may be somebody else's."""
    if wire is not None:
        return wire.render_problem(problem, with_id(head_of(scope)))
    return json_response({"error": problem.message}, problem.status)


def nearest(wire: Wire, path: str) -> list[str]:
    """The paths at which a wire shows a task, those first that are most like this one; with its id, if it has one."""
    id = next((part for part in reversed(path.split("/")) if wire.job_id(part)), None)
    paths = [route.path for route in wire.routes if isinstance(route, Read)]
    shown = [PARAMETER.sub(id, each) if id else each for each in paths]
    return difflib.get_close_matches(path[:PATH_COMPARED], shown, n=3, cutoff=0.0)


def allowed(methods: Iterable[str]) -> str:
    """HEAD is answered wherever GET is."""
    return ", ".join(name for method in methods for name in (("GET", "HEAD") if method == "GET" else (method,)))


def with_job_headers(response: HttpResponse, job: Job) -> HttpResponse:
    """Say in headers which engine has the job, its place in the queue, and what was ignored."""
    response.headers[ENGINE] = job.engine
    place = () if job.ahead is None else (f"queue: {job.ahead} before this job",)
    if notes := (*place, *job.notes):
        response.headers["x-mutoscope-notes"] = ascii_only("; ".join(notes))[:1024]
    return response


def ascii_only(text: str) -> str:
    """For a header: a caller's words may hold anything, control characters too."""
    return UNPRINTABLE.sub(" ", text.encode("ascii", "replace").decode())


def family(media_type: str) -> str:
    """image/png → image"""
    return media_type.partition("/")[0]


async def in_thread(read: Callable[..., T], request: HttpRequest, *arguments: object) -> T:
    """Read a request; one with an inline file in a thread, because that would hold up the others."""
    return read(*arguments) if is_small(request) else await asyncio.to_thread(read, *arguments)


def is_small(request: HttpRequest) -> bool:
    return len(request.body) <= LARGE_BODY


def in_full(problem: Problem) -> str:
    """Its message, with every flaw: `limit` should be at most 1000."""
    flaws = [f"`{dotted(each.path)}` {each.message or plain(each)}" for each in problem.flaws]
    return "; ".join(flaws) or problem.message


def rehearsed(kind: str, header: str = REHEARSE) -> Problem:
    if kind not in KINDS:
        return Problem(Kind.INVALID, f"{header}: {kind!r} is no kind of problem; there are {', '.join(Kind)}.")
    return Problem(Kind(kind), f"Rehearsed by {REHEARSE}: {kind}.", retry_after=1)


# -- ASGI and our plain data ----------------------------------------------------------


def head_of(scope: Scope) -> HttpRequest:
    """A request as yet without body and parameters, which `answer` adds before anybody else sees it."""
    query: bytes = scope.get("query_string", b"")
    return HttpRequest(
        method=scope["method"],
        path=scope["path"],
        query=dict(parse_qsl(query.decode("latin-1"), keep_blank_values=True)) if query else {},
        headers={name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]},
    )


def with_id(request: HttpRequest) -> HttpRequest:
    """The same one, which from now on has an id if it had none."""
    if not request.id:
        force_setattr(request, "id", uuid_utils.uuid7().hex)
    return request


def forward(wire: Wire, scope: Scope) -> Scope:
    """The path and query at which a request is meant, where one path is sent all of them. Raises Problem."""
    path, query = wire.target(head_of(scope)) if wire.target else (scope["path"], "")
    return {**scope, "path": path, "query_string": query.encode("latin-1", "replace")}


def address_of(scope: Scope) -> str:
    client = scope.get("client")
    return client[0] if client else ""


def origin_of(scope: Scope, request: HttpRequest) -> str:
    """scheme://host as the caller addressed us."""
    host = request.headers.get("host")
    if host is None:
        address, port = scope["server"]
        host = f"{address}:{port}"
    return f"{scope.get('scheme', 'http')}://{host}"


async def read_body(receive: Receive, request: HttpRequest, max_bytes: int) -> bytes:
    """The whole body. Raises Problem(TOO_LARGE) as soon as it is known to exceed `max_bytes`."""
    declared = request.headers.get("content-length", "")
    if SIZE.fullmatch(declared) and int(declared) > max_bytes:
        raise too_large(max_bytes)
    message = await receive()
    if not message.get("more_body"):
        body: bytes = message.get("body", b"")
        if len(body) > max_bytes:
            raise too_large(max_bytes)
        return body
    chunks, size = [message.get("body", b"")], len(message.get("body", b""))
    while message.get("more_body"):
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Problem(Kind.INVALID, "The request body broke off.")
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if size > max_bytes:
            raise too_large(max_bytes)
    return b"".join(chunks)


def check_values(body: bytes) -> None:
    """Commas tell how many values there are at most, and cost next to nothing to count: files in base64 have none."""
    commas = 0
    for start in range(0, len(body) if len(body) > LARGE_BODY else 0, COUNTED):
        commas += body.count(b",", start, start + COUNTED)
        if commas > MOST_VALUES:
            raise Problem(Kind.INVALID, f"The request body has more than {MOST_VALUES} values.")


def too_large(max_bytes: int) -> Problem:
    return Problem(Kind.TOO_LARGE, f"The request body is larger than {max_bytes} bytes. Send a link instead.")


async def save_body(receive: Receive, path: Path, max_bytes: int) -> None:
    size, more = 0, True
    with path.open("wb") as file:
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise Problem(Kind.INVALID, "The upload broke off.")
            chunk: bytes = message.get("body", b"")
            size += len(chunk)
            if size > max_bytes:
                raise Problem(Kind.TOO_LARGE, f"The file is larger than {max_bytes} bytes.")
            await asyncio.to_thread(file.write, chunk)
            more = message.get("more_body", False)


class Asked:
    """What is read of one request: its body once, and the files of its form, which are gone when it is answered."""

    def __init__(self, scratch: Path) -> None:
        self.scratch, self.read = scratch, False
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def folder(self) -> Path:
        self._folder = self._folder or tempfile.TemporaryDirectory(dir=self.scratch)
        return Path(self._folder.name)

    def close(self) -> None:
        if self._folder:
            self._folder.cleanup()


def form_bytes(form: Form) -> int:
    return sum(file.bytes for files in form.files.values() for file in files)


class Noted:
    """A send channel that knows the status of what was answered."""

    def __init__(self, send: Send) -> None:
        self.send, self.status = send, 0

    async def __call__(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        await self.send(message)


def with_headers(send: Send, more: list[tuple[bytes, bytes]]) -> Send:
    async def sent(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message["headers"], *more]}
        await send(message)

    return sent


def in_place_of_socket(send: Send) -> Send:
    async def sent(message: MutableMapping[str, Any]) -> None:
        await send({**message, "type": f"websocket.{message['type']}"})

    return sent


async def respond(response: HttpResponse, scope: Scope, send: Send) -> None:
    headers = headers_of(response)
    if REQUEST_ID not in response.headers:
        headers.append((REQUEST_ID_NAME, uuid_utils.uuid7().hex.encode()))
    start: dict[str, Any] = {"type": "http.response.start", "status": response.status, "headers": headers}
    if WHOLE in scope.get("extensions", ()):
        start["body"] = response.body
        await send(start)
        return
    await send(start)
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else response.body})


def headers_of(response: HttpResponse) -> list[tuple[bytes, bytes]]:
    """The headers of an answer but for its id."""
    body = response.body
    headers = [(name.encode(), value.encode("latin-1")) for name, value in response.headers.items()]
    if response.status != 204:
        headers.append((b"content-length", b"%d" % len(body)))
    if body:
        headers.append(
            (b"content-type", JSON if response.media_type == "application/json" else response.media_type.encode())
        )
    return headers
