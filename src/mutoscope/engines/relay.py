"""Has vendors make it: one engine for each account, over the back end of its vendor's wire.

What costs money is written down before it is sent and after it was answered. Whatever goes wrong between is sorted into
three: certainly not submitted (this engine or the next one tries again), refused (the job fails with the vendor's
reason), unknown (settled by the vendor's list where that is safe, else the job fails and says so).
"""

import asyncio
import base64
import contextlib
import random
import time
from collections.abc import AsyncGenerator, Callable, Collection, Coroutine, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar

import msgspec
import structlog
from msgspec.structs import replace
from yarl import URL

from mutoscope.cassettes.deck import Deck, Step, Turn, Unrecorded, theirs
from mutoscope.engines.circuit_breaker import Breaker, Bucket
from mutoscope.engines.engine import (
    MADE,
    SUBMITTED,
    NotSubmitted,
    Outcome,
    RetryFetch,
    Submitted,
    VendorRun,
    outcome_word,
)
from mutoscope.engines.transcripts import TALKING_OF, Transcripts
from mutoscope.files.assets import EXTENSIONS
from mutoscope.files.egress import ConnectFailed, Lookup, SafeClient, VendorClient, discard
from mutoscope.files.probe import MediaInfo
from mutoscope.model import catalog
from mutoscope.model.catalog import Catalog, Model
from mutoscope.model.config import Net, VendorAccount
from mutoscope.model.config import Relay as RelaySettings
from mutoscope.model.http import HttpRequest, HttpResponse
from mutoscope.model.job import Dispatch, Generation, Input, Json, Operation, Output, Sent, State, Update, Watch
from mutoscope.model.problem import Kind, Occupied, Problem, as_unavailable
from mutoscope.telemetry.counters import JOB_SECONDS, Durations, Tally
from mutoscope.telemetry.tracing import HEADER, Tracing, span
from mutoscope.wirekit.answers import MOST_CREDITS, number, plain_text
from mutoscope.wirekit.back import Back, Conversation, File, VendorRequest, Way
from mutoscope.wirekit.wire import Wire

log = structlog.get_logger(__name__)
T = TypeVar("T")

BATCH = 8  # so many watches or more are asked about together, where the vendor can tell of several at once
LIST_TRIES = (1.0, 4.0, 10.0)  # seconds before each look into a vendor's list for a submission whose answer was lost
LONGEST_MESSAGE = 1000  # characters of a problem, a vendor's words in it
LIST_AGAIN = 30.0  # seconds before further looks while the list cannot be read
RETRY_SECONDS = (2.0, 60.0)  # between tries of what was certainly not submitted: the first, and the longest
ACCEPT_SECONDS = 1.0  # between tries to write down that a vendor has a job, while the disk is full or the like
OCCUPIED_SECONDS = 1.0  # between tries to submit while a submission by another process is not found out
COPY_SECONDS = (5.0, 600.0)  # between tries to fetch a result
ELSEWHERE = frozenset({Kind.UNAUTHENTICATED, Kind.FORBIDDEN, Kind.QUOTA_EXCEEDED})
"""Refusals that speak of the account and not of the job: another account may take it."""

CODED: Mapping[Kind, Sent] = {
    Kind.RATE_LIMITED: Sent.UNSENT,
    **dict.fromkeys(
        (Kind.INVALID, Kind.UNAUTHENTICATED, Kind.FORBIDDEN, Kind.NOT_FOUND, Kind.QUOTA_EXCEEDED, Kind.REFUSED),
        Sent.REFUSED,
    ),
}
"""What a 2xx answer means that tells of trouble. An answer that cannot be read is another kind of problem."""
FAMILIES: Mapping[Operation, tuple[str, ...]] = {
    Operation.TEXT_TO_IMAGE: ("image",),
    Operation.IMAGE_UPSCALE: ("image",),
    Operation.IMAGE_TO_IMAGE: ("image",),
    Operation.IMAGE_INPAINT: ("image",),
    Operation.IMAGE_OUTPAINT: ("image",),
    Operation.IMAGE_BLEND: ("image",),
    Operation.BACKGROUND_REMOVAL: ("image",),
    Operation.BACKGROUND_REPLACEMENT: ("image",),
    Operation.VECTORIZATION: ("image",),
    Operation.VIRTUAL_TRY_ON: ("image",),
    Operation.TEXT_TO_MUSIC: ("audio", "video", "image"),
    Operation.MUSIC_EXTENSION: ("audio", "video", "image"),
    Operation.MUSIC_JOIN: ("audio", "video", "image"),
    Operation.TEXT_TO_SPEECH: ("audio",),
    Operation.SOUND_EFFECT: ("audio",),
    Operation.VOICE_DUBBING: ("audio", "video"),
    Operation.VOICE_ISOLATION: ("audio", "video"),
    Operation.SPEECH_TO_SPEECH: ("audio", "video"),
    Operation.VIDEO_TO_AUDIO: ("audio", "video"),
}
"""What kind of file an operation makes; all others make videos."""


def back_of(wire: Wire | None, account: VendorAccount) -> Back | None:
    """How an account's vendor is called for media; None where it is not."""
    if wire is None:
        return None
    return wire.back or (wire.media if account.media else None)


class Relay:
    remote = True

    def __init__(
        self,
        name: str,
        account: VendorAccount,
        wire: Wire,
        *,
        settings: RelaySettings,
        net: Net,
        catalog: Catalog,
        lookup: Lookup | None = None,
        clock: Callable[[], float] = time.time,
        gives_links: bool = False,
    ) -> None:
        """`gives_links`: vendors can fetch files from this server. Raises Problem when the account's base URL cannot be
        used."""
        back = back_of(wire, account)
        if back is None:
            raise ValueError(f"wire {wire.name} cannot be called")
        self.name, self.account, self.wire, self.settings = name, account, wire, settings
        self.back: Back = back
        self.speaks = wire.name
        self.catalog, self.clock, self.gives_links = catalog, clock, gives_links
        base_url = account.base_url or self.back.base_url
        if not base_url:
            raise Problem(Kind.INVALID, f"is needed: {wire.title} has no address of its own; name your reseller's")
        self.vendor_client = VendorClient(
            base_url,
            lambda: self.back.sign(account.key, self.clock()),
            net,
            seconds=settings.request_seconds,
            hosts=self.back.hosts,
            lookup=lookup,
        )
        copies = replace(
            net, total_seconds=settings.copy_seconds, allow_hosts=(*net.allow_hosts, self.vendor_client.base.host or "")
        )
        self.copier = SafeClient(copies, lookup=lookup)
        self.breaker = Breaker(failures=settings.breaker_failures, seconds=settings.breaker_seconds)
        self.bucket = Bucket(account.requests_per_second or self.back.requests_per_second or 0.0)
        self.requests: Durations[str] = Durations()  # by the answer's hundred, or the kind of problem without one
        self.errors: Tally[str] = Tally()  # by kind of problem
        self.copies: Durations[str] = Durations(JOB_SECONDS)  # by outcome
        self.copied_bytes = 0
        self.tracing: Tracing | None = None  # set where spans are collected
        self.transcripts: Transcripts | None = None  # set where somebody may look at what was said
        self.deck: Deck | None = None  # set where what the vendor answers is recorded, or was
        self.upstream = 0  # jobs that the account holds; the poller counts them now and then
        self.counted = 0  # how many it was when they were counted
        self.processes, self.place = 1, 0  # how many send jobs by this account, and which of them this one is
        self.on_duty: Callable[[], bool] = lambda: True  # another process sends by it, where one at a time has to
        self.has_detour = False  # whether the jobs of some model could go to another engine
        self._submitting = 0
        self._disowned: set[str] = set()  # tasks of the vendor's list that could not be told apart
        self._unseen = False  # a lost submission was given up without a look: what is found next may be that one
        self._occupied_until = 0.0  # nothing is submitted: another process did, and it is not known what became of it
        self._to_end: set[asyncio.Task[Outcome]] = set()  # submissions, which go on when nobody waits for them
        self._door = Door()
        self.one_by_one = self.can_find and not self.back.finds_by_reference
        self._turn = asyncio.Lock() if self.one_by_one else contextlib.nullcontext()

    @property
    def slots(self) -> int:
        """How many runs there is room for now: one that tries where the account failed, none where it holds as much as
        it may. While it is left alone, what it has made is fetched all the same."""
        if self.fetches_only:
            return self.settings.slots
        most = self.settings.slots if self.breaker.closed or self.is_left_alone else 1
        if self.account.max_in_flight:
            most = min(most, self._submitting + max(self._room() - self._submitting, 0))
        return most

    def _room(self) -> int:
        """How many more jobs the account may hold, and of those this process's part."""
        if self.processes == 1:
            return self.account.max_in_flight - self.upstream
        whole, rest = divmod(max(self.account.max_in_flight - self.counted, 0), self.processes)
        return whole + (self.place < rest) - max(self.upstream - self.counted, 0)

    def count(self, upstream: int) -> None:
        """So many jobs the account holds, of all processes."""
        self.upstream = self.counted = upstream

    @property
    def is_up(self) -> bool:
        return self.breaker.allows

    @property
    def fetches_only(self) -> bool:
        return not self.on_duty()

    @property
    def is_left_alone(self) -> bool:
        return time.monotonic() < self._occupied_until or not (self.breaker.allows or self.has_detour)

    @property
    def names_all_tasks(self) -> bool:
        """Whether a task that is not found is not there. A reseller may not pass on the name that we gave it."""
        return self.account.exclusive or not self.account.base_url

    @property
    def can_find(self) -> bool:
        """Whether the vendor's list may tell what became of a submission whose answer was lost."""
        alone = self.account.exclusive or self.back.finds_by_reference
        return self.back.find is not None and alone and not self.account.resend

    # -- what it can do ------------------------------------------------------------

    def supports(self, operation: Operation, model: Model) -> frozenset[str] | None:
        names = self.names_of(model)
        return self.back.supports(operation, names) if names else None

    def names_of(self, model: Model) -> tuple[str, ...]:
        """What the model is called at this account's vendor; empty when the account is not for it."""
        if self.account.models and model.name not in self.account.models:
            return ()
        return model.names.get(self.wire.name, ())

    def plan(self, wish: Generation, model: Model, fields: Mapping[str, str]) -> tuple[str, ...]:
        supported = self.supports(wish.operation, model)
        supported_fields: dict[Operation, frozenset[str]] = {} if supported is None else {wish.operation: supported}
        notes = catalog.check_support(wish, model, self.name, supported_fields, fields)
        order = self._order(catalog.complete(wish, model, remote=True), model)
        try:
            self.back.check(order)
        except Problem as problem:
            field = fields.get(problem.field or "", problem.field)
            message = f"{field}: {problem.message}" if field else problem.message
            raise Problem(problem.kind, message, field=field) from problem
        for each in order.generation.inputs:
            if not self._is_said_by_id(order, each):
                self._check_way(order, each)
        return notes

    # -- making ---------------------------------------------------------------------

    async def generate(self, run: VendorRun) -> Outcome:
        TALKING_OF.set(run.job_id)
        if self.deck is None or not run.recorded:
            return await self._generate(run)
        try:
            outcome = await self._generate(run)
        except Problem:
            self.deck.ended(run.job_id)
            raise
        if not isinstance(outcome, Submitted | RetryFetch) and not is_waiting(outcome):
            self.deck.ended(run.job_id)
        return outcome

    async def _generate(self, run: VendorRun) -> Outcome:
        if any(run.checkpointed.get(name) for name in ("links", "texts", "kept")):
            return await self._fetch(run, run.checkpointed.get("links") or ())
        last = run.dispatch
        try:
            if self.deck and run.recorded:
                self.deck.begin(run.job_id, run.generation)
        except Unrecorded as problem:
            return NotSubmitted(problem=problem)  # the next engine of the route, if there is one
        if last and last.sent in (Sent.INTENDED, Sent.UNKNOWN):
            return await self._through(self._find_out(run, self._order_of(run), last))
        if not self.breaker.allows and not self._plays(run.job_id):
            problem = Problem(Kind.UNAVAILABLE, f"{self.name} is left alone for a while after {self.breaker.reason}")
            return NotSubmitted(problem=problem, retry_seconds=self.breaker.seconds_left)
        self._submitting += 1
        try:
            with self.breaker.trying():
                order = await self._with_earlier(run, self._order_of(run))
                try:
                    given = [each for each in order.generation.inputs if not self._is_said_by_id(order, each)]
                    sources = {each.field: await self._bring(run, order, each) for each in given}
                except Unreached as reason:
                    return self._not_submitted(run, reason.problem)
                return await self._through(self._send(run, replace(order, sources=sources)))
        finally:
            self._submitting -= 1

    async def close(self) -> None:
        for task in self._to_end:  # what is still not known is looked for by the next process
            task.cancel()
        await asyncio.gather(*self._to_end, return_exceptions=True)
        await self.vendor_client.close()
        await self.copier.close()

    def _order(self, generation: Generation, model: Model) -> VendorRequest:
        """The wish without the inputs that are not supported, of which the job has a note."""
        supported = self.supports(generation.operation, model) or frozenset()
        inputs = tuple(each for each in generation.inputs if "*" in supported or each.role in supported)
        ours = (each.output_of for each in inputs if each.made_by == self.name)
        return VendorRequest(
            generation=replace(generation, inputs=inputs),
            names=self.names_of(model),
            earlier={job: {"id": "earlier"} for job in ours if job},  # stands for the handle while it is only checked
        )

    def _order_of(self, run: VendorRun) -> VendorRequest:
        order = self._order(run.generation, self.catalog.get(run.generation.model))
        return replace(order, callback=run.callback, reference=run.job_id)

    async def _with_earlier(self, run: VendorRun, order: VendorRequest) -> VendorRequest:
        """With the vendor's own handles of the earlier jobs whose outputs are inputs of this one."""
        own = {each.output_of for each in order.generation.inputs if each.made_by == self.name}
        found = {job: await run.earlier(job, self.name) for job in own if job}
        return replace(order, earlier={job: theirs(handle) for job, handle in found.items() if handle})

    # -- its inputs -------------------------------------------------------------------

    def _is_said_by_id(self, order: VendorRequest, each: Input) -> bool:
        """Whether the vendor made it and takes it by no other way than the id of the job that did."""
        return each.output_of in order.earlier and not self.back.ways(order, each)

    def _check_way(self, order: VendorRequest, each: Input) -> None:
        """As `_bring` before the file is at hand, so that what can never be brought is no job. Raises Problem."""
        if each.url and any(transport.way is Way.LINK for transport in self.back.ways(order, each)):
            return
        size = None if each.data is None else len(each.data)
        ways = self.back.ways(order, replace(each, url=None))
        fitting = {each.way for each in ways if size is None or each.max_bytes is None or size <= each.max_bytes}
        if Way.DATA in fitting or (Way.UPLOAD in fitting and self.back.upload):
            return
        taken = [transport.way for transport in ways]
        if Way.LINK not in taken or not self.gives_links:
            raise Problem(Kind.UNSUPPORTED, stranded(self.name, each.field, size, taken), field=each.field)

    async def _bring(self, run: VendorRun, order: VendorRequest, each: Input) -> str:
        """What stands for an input in the request, after it was brought where the vendor can have it.

        Raises Problem when it cannot, Unreached when the vendor's upload route cannot be used now.
        """
        if each.output_of in order.earlier and not self.back.ways(order, each):
            return ""  # the vendor has it, and is told its id there
        if each.url and any(transport.way is Way.LINK for transport in self.back.ways(order, each)):
            return each.url
        opened = await run.open(each)
        size = opened.info.bytes
        ways = self.back.ways(order, replace(each, url=None, media_type=opened.info.media_type))
        for transport in ways:
            if transport.max_bytes is not None and size > transport.max_bytes:
                continue
            if transport.way is Way.DATA:
                return await asyncio.to_thread(data_uri, opened.path.read_bytes, opened.info.media_type)
            if transport.way is Way.UPLOAD and self.back.upload:
                name = f"{each.role}.{EXTENSIONS.get(opened.info.media_type, 'bin')}"
                data = await asyncio.to_thread(opened.path.read_bytes)
                file = File(name=name, media_type=opened.info.media_type, data=data)
                return await self._unpaid(self.back.upload(file), self._taped(run.job_id, "upload"))
        taken = [transport.way for transport in ways]
        if Way.LINK in taken and (link := run.public_link(each)):
            return link
        raise Problem(Kind.UNSUPPORTED, stranded(self.name, each.field, size, taken), field=each.field)

    async def _unpaid(self, conversation: Conversation[T], turn: Turn | None) -> T:
        """A conversation before anything is spent. Raises Unreached for what may work another time."""
        try:
            return await self.converse(conversation, turn=turn)
        except Answered as answer:
            if answer.status == 429 or answer.status >= 500:
                raise Unreached(answer.problem) from answer
            raise answer.problem from answer
        except Problem as problem:
            if problem.kind in (Kind.UPSTREAM_FAILED, Kind.TIMED_OUT, Kind.UNAVAILABLE):
                raise Unreached(problem) from problem
            raise  # what the vendor's upload route does not take at all

    # -- the one request that costs money -------------------------------------------------

    async def _through(self, submission: Coroutine[None, None, Outcome]) -> Outcome:
        """Submit and write down what came of it, which goes on to its end even if nobody wants the job any more."""
        task = asyncio.create_task(submission)
        self._to_end.add(task)
        task.add_done_callback(self._to_end.discard)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if not task.done():
                await asyncio.wait([task])
            if not task.cancelled():
                task.exception()  # seen: the job is not waited for
            raise

    async def _send(self, run: VendorRun, order: VendorRequest) -> Outcome:
        """One at a time where the vendor's list is to settle what is lost: it does not tell two lost ones apart."""
        async with self._turn:
            # Closed by the vendor while this one waited for its turn.
            if not self.breaker.answers and not self._plays(run.job_id):
                return self._not_submitted(run, Problem(Kind.RATE_LIMITED, f"{self.name}: {self.breaker.reason}"))
            if self.one_by_one:
                await self._find_out_left(run)
            with span(self.tracing, "submit", kind="CLIENT", account=self.name) as found:
                outcome = await self._send_now(run, order)
                found.add(outcome=outcome_word(outcome))
                return outcome

    async def _send_now(self, run: VendorRun, order: VendorRequest) -> Outcome:
        sending = Sending()
        try:
            async with self._door.submitting():
                turn = self._taped(run.job_id, "submit")
                update = await self.converse(self.back.submit(order), run=run, sending=sending, turn=turn)
                if sending.dispatch is None:
                    raise Problem(Kind.INTERNAL, f"wire {self.wire.name} marks no request as spending")
                await self._accept(run, sending.dispatch, await self._with_result(run, update))
        except (Answered, Problem) as error:
            problem = error.problem if isinstance(error, Answered) else error
            if isinstance(error, Occupied):
                self._occupied_until = time.monotonic() + OCCUPIED_SECONDS
                return NotSubmitted(problem=problem, retry_seconds=OCCUPIED_SECONDS)
            if sending.dispatch is None:
                self._failed(run, problem)
                if isinstance(error, Answered) and error.status < 500 and error.status != 429:
                    raise problem from error
                return self._not_submitted(run, problem)
            return await self._sorted(run, order, sending.dispatch, self._verdict(sending.status, problem), problem)
        self.upstream += 1
        self._succeeded(run)
        return SUBMITTED

    async def _find_out_left(self, run: VendorRun) -> None:
        """What became of submissions for jobs that ended while nobody was there to hear the answer: no claim brings
        them, and the account would wait for them. One that may still be on its way is left for later."""
        why = "the job had ended before the answer came"
        for left in await run.left_open(self.name, before=self.clock() - self.settings.request_seconds):
            if left is None or left.dispatch is None:
                self._unseen = True
                continue
            try:
                order = self._order_of(left)
            except Problem:  # its model is not offered any more
                self._unseen = True
                await left.resolve(left.dispatch, Sent.UNKNOWN, why)
                continue
            with contextlib.suppress(Problem):  # not known: so the ledger says
                _ = await self._find_out(left, order, left.dispatch, why=why)

    async def _with_result(self, run: VendorRun, update: Update) -> Update:
        """What the answer to a submission carries is kept, and told by its handle: the next poll asks nobody."""
        if update.state is not State.SUCCEEDED:
            return update
        kept: list[Output] = []
        for place, text in enumerate(update.inline):
            path = run.landing / f"result-{place}"
            await asyncio.to_thread(write_base64, path, text)
            kept.append(await self._keep(run, Landed(path, await self._looked_at(run, path))))
        made = {"links": update.links, "texts": update.texts, "kept": msgspec.to_builtins(kept), "cost": update.cost}
        return replace(update, handle={**update.handle, MADE: made})

    async def _accept(self, run: VendorRun, dispatch: Dispatch, update: Update) -> None:
        """Write down that the vendor has it, however long the store may be hindered: only we know its name there."""
        while True:
            try:
                return await run.accept(dispatch, self._handle(run, update.handle), update.upstream_status)
            except (Problem, OSError) as error:
                problem = as_unavailable(error)
                if problem is None:
                    raise
                log.error("accept_hindered", job=run.job_id, account=self.name, reason=problem.message)
            await asyncio.sleep(ACCEPT_SECONDS)

    async def _sorted(
        self, run: VendorRun, order: VendorRequest, dispatch: Dispatch, verdict: Sent, problem: Problem
    ) -> Outcome:
        """What a spending request without a usable answer comes to."""
        match verdict:
            case Sent.UNSENT:
                self._failed(run, problem)
                await run.resolve(dispatch, Sent.UNSENT, problem.message)
                return self._not_submitted(run, problem)
            case Sent.REFUSED:
                await run.resolve(dispatch, Sent.REFUSED, problem.message)
                if problem.kind in ELSEWHERE:
                    self._failed(run, problem)
                    return NotSubmitted(problem=ours_to_mend(self.name, problem))
                self._succeeded(run)  # it answers
                raise problem
            case _:
                self._failed(run, problem)
                await run.add_event("trouble", problem.message)
                return await self._find_out(run, order, dispatch, why=problem.message)

    def _verdict(self, status: int | None, problem: Problem) -> Sent:
        """What the status of the answer says, None where there was no answer."""
        if status is None:
            return Sent.UNSENT if isinstance(problem, ConnectFailed) else Sent.UNKNOWN
        if 200 <= status < 300:  # refused by a code in the body, which says as much as a status would
            return CODED.get(problem.kind, Sent.UNKNOWN)
        if status in self.back.unsent and problem.kind not in self.back.final:
            return Sent.UNSENT
        return Sent.REFUSED if 400 <= status < 500 and status != 408 else Sent.UNKNOWN

    def _succeeded(self, run: VendorRun) -> None:
        if not self._plays(run.job_id):  # a recording says nothing of the account
            self.breaker.succeeded()

    def _failed(self, run: VendorRun, problem: Problem) -> None:
        if self._plays(run.job_id):
            return
        if problem.kind is Kind.RATE_LIMITED:
            self.breaker.pause(problem.retry_after or RETRY_SECONDS[0], problem.message)
        else:
            self.breaker.failed(problem.message)

    def _not_submitted(self, run: VendorRun, problem: Problem) -> NotSubmitted:
        tries = run.dispatch.number if run.dispatch else 1
        if self.deck and self._plays(run.job_id):
            wait = (problem.retry_after or RETRY_SECONDS[0]) * self.deck.pace
            return NotSubmitted(problem=problem, retry_seconds=wait)
        wait = problem.retry_after or min(RETRY_SECONDS[1], RETRY_SECONDS[0] * 2 ** min(tries - 1, 10))
        return NotSubmitted(
            problem=problem, retry_seconds=max(wait, self.breaker.seconds_left) * random.uniform(1.0, 1.2)
        )

    async def _find_out(self, run: VendorRun, order: VendorRequest, dispatch: Dispatch, why: str = "") -> Outcome:
        """Whether a submission whose answer was lost arrived: the vendor's list tells, where only we use the account.

        Until that is known nothing else is submitted with the account: a new task would be taken for the lost one.
        """
        why = why or "the server stopped before the answer came"
        if self.account.resend:
            await run.resolve(dispatch, Sent.UNSENT, f"sent again by leave of the operator ({why})")
            return self._not_submitted(run, Problem(Kind.UPSTREAM_FAILED, why))
        if self.back.find is not None and self.can_find:
            exact = self.back.finds_by_reference
            async with contextlib.nullcontext() if exact else self._door.looking():
                found = await self._look(run, partial(self.back.find, order, dispatch.at), dispatch)
                unseen, self._unseen = self._unseen, found is None
                alone = exact or (not unseen and await run.unresolved(self.name) <= 1)
                if found is not None and len(found) == 1 and alone:
                    await run.accept(dispatch, self._handle(run, found[0]), "")
                    self.upstream += 1
                    return SUBMITTED
                if found is not None and not found and self.names_all_tasks:
                    await run.resolve(dispatch, Sent.UNSENT, f"the vendor's list does not have it ({why})")
                    return self._not_submitted(run, Problem(Kind.UPSTREAM_FAILED, why))
                self._disowned |= {str(handle["id"]) for handle in found or ()}
        await run.resolve(dispatch, Sent.UNKNOWN, why)
        raise Problem(
            Kind.SUBMISSION_UNKNOWN,
            f"The answer of {self.name} was lost ({why}), and nothing tells whether it makes this. It was not sent "
            f"again, because it may be paid for already.",
        )

    async def _look(
        self, run: VendorRun, listing: Callable[[], Conversation[tuple[Json, ...]]], dispatch: Dispatch
    ) -> Sequence[Json] | None:
        """Tasks in the vendor's list that are nobody's; None when it cannot be read, for as long as a job may take."""
        tries, found = iter(LIST_TRIES), None
        while (seconds := next(tries, None)) or found is None:
            await asyncio.sleep(seconds or LIST_AGAIN)
            try:
                listed = await self.converse(listing(), turn=self._taped(run.job_id, "find"))
            except (Answered, Problem) as error:
                log.warning("list_unread", account=self.name, reason=str(error))
                is_final = isinstance(error, Answered) and error.status < 500 and error.status != 429
                if is_final or self.clock() - dispatch.at > self.settings.timeout_seconds:
                    return found
                continue
            ids = {str(handle["id"]) for handle in listed}
            claimed = await run.ours(self.name, ids) | self._disowned
            found = [handle for handle in listed if str(handle["id"]) not in claimed]
            if found:
                break
        return found

    # -- what was made -----------------------------------------------------------------------

    async def _fetch(self, run: VendorRun, links: Sequence[str]) -> Outcome:
        """Copy the results to us and look at them; what is words is here already."""
        tries = int(run.checkpointed.get("copies", 0))
        if (cost := number(run.checkpointed.get("cost"), 0.0, MOST_CREDITS)) is not None:
            run.charge(cost)
        try:
            landed = [await self._copy(run, link, number) for number, link in enumerate(links)]
            outputs = msgspec.convert(run.checkpointed.get("kept") or (), list[Output])
            outputs += [await self._keep(run, each) for each in landed]
            outputs += [run.say(text) for text in run.checkpointed.get("texts") or ()]
        except Problem as problem:
            if as_unavailable(problem):  # ours, and it passes: no reason to come ever less often
                return RetryFetch(detail=problem.message, seconds=COPY_SECONDS[0])
            await run.checkpoint(copies=tries + 1)
            await run.add_event("copy_failed", problem.message)
            return RetryFetch(
                detail=problem.message, seconds=min(COPY_SECONDS[1], COPY_SECONDS[0] * 2 ** min(tries, 10))
            )
        return tuple(outputs)

    async def _keep(self, run: VendorRun, landed: "Landed") -> Output:
        info = landed.info
        return await run.keep(
            landed.path,
            media_type=info.media_type,
            width=info.width,
            height=info.height,
            seconds=info.seconds,
            frames=info.frames,
            made=False,
        )

    async def _copy(self, run: VendorRun, link: str, number: int) -> "Landed":
        """Bring a result here and look at it. What is there of it already is not fetched again."""
        path = run.landing / f"result-{number}"
        began, outcome = time.perf_counter(), "failed"
        handle = run.dispatch.handle if run.dispatch else {}
        try:
            with span(self.tracing, "copy", kind="CLIENT", account=self.name):
                if self.deck is None or not await self.deck.copied(run.job_id, handle, number, path):
                    source = await self._copy_from_account(link, path) if link.startswith("/") else link
                    if source:
                        _ = await self.copier.fetch(
                            source, max_bytes=self.settings.max_result_bytes, into=path, resume=True
                        )
            if self.deck:
                await self.deck.keep(run.job_id, handle, number, link, path)
            outcome, self.copied_bytes = "copied", self.copied_bytes + path.stat().st_size
        finally:
            self.copies.add(outcome, time.perf_counter() - began)
        try:
            return Landed(path, await self._looked_at(run, path))
        except Problem as problem:
            if problem.kind is Kind.BAD_MEDIA:  # the next try begins at the beginning
                await asyncio.to_thread(discard, path)
            raise

    async def _copy_from_account(self, link: str, path: Path) -> str:
        """A file that the account itself gives, to whoever has its key. Returns where it is instead, if it says so."""
        most = self.settings.max_result_bytes
        opened = await self.vendor_client.open(HttpRequest(method="GET", path=link))
        try:
            if opened.status in (301, 302, 303, 307, 308):
                return str(self.vendor_client.base.join(URL(opened.headers.get("location", ""))))
            if opened.status != 200:
                raise Problem(Kind.UNREACHABLE_MEDIA, f"the account answered {opened.status} for the result")
            size = 0
            with path.open("wb") as file:
                while piece := await opened.piece(self.settings.request_seconds):
                    size += len(piece)
                    if size > most:
                        raise Problem(Kind.BAD_MEDIA, f"the result has more than {most} bytes")
                    await asyncio.to_thread(file.write, piece)
        finally:
            opened.close()
        return ""

    async def _looked_at(self, run: VendorRun, path: Path) -> MediaInfo:
        info = await run.probe(path)
        families = FAMILIES.get(run.generation.operation, ("video",))
        if info.kind not in families:
            raise Problem(Kind.BAD_MEDIA, f"the result is {info.media_type}, not {' or '.join(families)}")
        return info

    # -- news ---------------------------------------------------------------------------------

    async def news(self, watches: Sequence[Watch]) -> list[Update | Problem]:
        """What the vendor says of each, in their order; several are asked about together where that is possible."""
        told: dict[int, Update | Problem] = {}
        if (batch := self.back.batch) is not None and self.deck is None:  # a recording is of one job
            for places in self._alike(watches):
                handles = tuple(watches[place].handle for place in places)
                told |= await self._ask_together(batch(handles), places)
        alone = [place for place in range(len(watches)) if place not in told]
        answers = await asyncio.gather(*(self._ask(watches[place]) for place in alone))
        told |= dict(zip(alone, answers, strict=True))
        return [told[place] for place in range(len(watches))]

    def _alike(self, watches: Sequence[Watch]) -> Collection[list[int]]:
        """The places of those that can be asked about together."""
        groups: dict[str, list[int]] = {}
        for place, watch in enumerate(watches):
            if MADE in watch.handle:  # no task of the vendor's
                continue
            groups.setdefault(self.back.batch_key(watch.handle) if self.back.batch_key else "", []).append(place)
        return [places for places in groups.values() if len(places) >= BATCH]

    async def _ask_together(
        self, conversation: Conversation[dict[int, Update]], places: list[int]
    ) -> dict[int, Update | Problem]:
        try:
            news = await self.converse(conversation)
        except (Answered, Problem) as error:
            log.warning("batch_unread", account=self.name, reason=str(error))
            return {}
        return {places[number]: update for number, update in news.items()}

    async def _ask(self, watch: Watch) -> Update | Problem:
        TALKING_OF.set(watch.job)
        if (made := watch.handle.get(MADE)) is not None:
            return msgspec.convert({"state": State.SUCCEEDED, "upstream_status": ""} | made, Update)
        try:
            turn = self._taped(watch.job, "poll", watch.handle)
            update = await self.converse(self.back.poll(theirs(watch.handle)), turn=turn)
            if self.deck and update.state in (State.FAILED, State.CANCELED):
                self.deck.ended(watch.job)
            return update
        except Answered as answer:
            return answer.problem
        except Problem as problem:
            return problem

    async def stop(self, watch: Watch) -> bool:
        """Have the vendor stop it; False where that cannot be had. Raises Problem when there is no usable answer."""
        if self.back.cancel is None:
            return False
        TALKING_OF.set(watch.job)
        try:
            turn = self._taped(watch.job, "cancel", watch.handle)
            return await self.converse(self.back.cancel(theirs(watch.handle)), turn=turn)
        except Answered as answer:
            if answer.status >= 500 or answer.status == 429:
                raise answer.problem from answer
            return False

    def called(self, generation: Generation, request: HttpRequest) -> Json | None:
        """The handle of the task of which a vendor's callback speaks; None where it tells none."""
        if self.back.read_callback is None:
            return None
        return self.back.read_callback(self._order(generation, self.catalog.get(generation.model)), request)

    # -- recordings --------------------------------------------------------------------------

    def _taped(self, job: str, step: Step, handle: Json | None = None) -> Turn | None:
        return self.deck.turn(job, step, handle) if self.deck else None

    def _handle(self, run: VendorRun, handle: Json) -> Json:
        """As it is kept."""
        return self.deck.handled(run.job_id, handle) if self.deck else handle

    def _plays(self, job: str) -> bool:
        return self.deck is not None and self.deck.plays(job)

    # -- talking --------------------------------------------------------------------------------

    async def converse(
        self,
        conversation: Conversation[T],
        *,
        run: VendorRun | None = None,
        sending: "Sending | None" = None,
        turn: Turn | None = None,
    ) -> T:
        """Drive a conversation. Raises Answered for an answer that the wire could not use, Problem for none.

        The intent is written right before the request that spends; `sending` keeps what became of that one.
        `turn` stands between us and the vendor where there are recordings.
        """
        answer: HttpResponse | None = None
        while True:
            try:
                request = next(conversation) if answer is None else conversation.send(answer)
            except StopIteration as end:
                return end.value
            except Problem as problem:
                if answer is None:
                    raise
                self.errors.add(problem.kind.value)
                raise Answered(self._passed_on(problem), answer.status) from None
            except Exception as error:  # whatever a vendor says: it is an answer, and no fault of the job
                if answer is None:
                    raise
                log.exception("answer_broke", account=self.name)
                self.errors.add(Kind.UPSTREAM_FAILED.value)
                message = f"{self.name} sent an answer that cannot be read."
                raise Answered(Problem(Kind.UPSTREAM_FAILED, message), answer.status) from error
            answer = await self._answer(request, run, sending, turn)

    def _passed_on(self, problem: Problem) -> Problem:
        """Its words as callers may read them. Vendors repeat a key that they do not know."""
        key = self.account.key
        message = problem.message.replace(key, "[redacted]") if key else problem.message
        message = plain_text(message, LONGEST_MESSAGE)
        return Problem(problem.kind, message, field=problem.field, retry_after=problem.retry_after)

    async def _answer(
        self, request: HttpRequest, run: VendorRun | None, sending: "Sending | None", turn: Turn | None
    ) -> HttpResponse:
        if turn is None or not turn.plays:
            await self.bucket.take()
        if not request.spends:
            return await self._timed(request, turn)
        if run is None or sending is None:
            raise Problem(Kind.INTERNAL, "a request that spends outside of a submission")
        sending.dispatch = await run.intend(self.name, run.job_id, alone=self.one_by_one)
        response = await self._timed(request, turn)
        sending.status = response.status
        return response

    async def _timed(self, request: HttpRequest, turn: Turn | None) -> HttpResponse:
        began, answer, response = time.perf_counter(), "canceled", None
        if self.tracing and self.tracing.to_vendors and (trace := self.tracing.header()):
            request = replace(request, headers={**request.headers, HEADER: trace})
        try:
            send = self.vendor_client.send
            response = await (turn.answer(request, send) if turn else send(request))
            answer = f"{response.status // 100}xx"
            return response
        except Problem as problem:
            answer = problem.kind.value
            self.errors.add(answer)
            raise
        finally:
            seconds = time.perf_counter() - began
            self.requests.add(answer, seconds)
            if self.transcripts:
                self.transcripts.add(self.name, request, response, answer, at=self.clock() - seconds, seconds=seconds)


class Landed(NamedTuple):
    """A result that lies here."""

    path: Path
    info: MediaInfo


class Sending:
    """What is known of the spending request of one submission."""

    def __init__(self) -> None:
        self.dispatch: Dispatch | None = None  # once the intent is durable
        self.status: int | None = None  # once there is an answer


class Answered(Exception):
    """The vendor answered, but not with what was asked for: the problem as its wire reads it, and the status."""

    def __init__(self, problem: Problem, status: int) -> None:
        super().__init__(problem.message)
        self.problem, self.status = problem, status


class Unreached(Exception):
    """A request that costs nothing failed in a way that may pass."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


class Door:
    """Two parties that must not be inside together: those who submit, and those who look for a lost submission.

    Lookers go first: while one is inside or waits, nobody else submits.
    """

    def __init__(self) -> None:
        self._changed = asyncio.Condition()
        self._submitting = self._looking = 0

    @contextlib.asynccontextmanager
    async def submitting(self) -> AsyncGenerator[None]:
        async with self._changed:
            await self._changed.wait_for(lambda: not self._looking)
            self._submitting += 1
        try:
            yield
        finally:
            async with self._changed:
                self._submitting -= 1
                self._changed.notify_all()

    @contextlib.asynccontextmanager
    async def looking(self) -> AsyncGenerator[None]:
        self._looking += 1
        try:
            async with self._changed:
                await self._changed.wait_for(lambda: not self._submitting)
            yield
        finally:
            self._looking -= 1
            async with self._changed:
                self._changed.notify_all()


def is_waiting(outcome: Outcome) -> bool:
    """Whether it is tried again here."""
    return isinstance(outcome, NotSubmitted) and outcome.retry_seconds is not None


def write_base64(path: Path, text: str) -> None:
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise Problem(Kind.UPSTREAM_FAILED, "the result is no base64") from error
    path.write_bytes(data)


def ours_to_mend(account: str, problem: Problem) -> Problem:
    """A refusal of the operator's account, in words that no caller takes for a refusal of their own key."""
    return Problem(Kind.UPSTREAM_FAILED, f"The account {account} of this server was refused: {problem.message}")


def data_uri(read: Callable[[], bytes], media_type: str) -> str:
    return f"data:{media_type};base64,{base64.b64encode(read()).decode()}"


def stranded(account: str, field: str, size: int | None, taken: Collection[Way]) -> str:
    """Why an input cannot reach a vendor, and what would help. `size`: None for a file that was not looked at."""
    if Way.LINK in taken:
        advice = "set server.public_url to an address of this server that the vendor can reach, or send a link"
    else:
        advice = "send a smaller file"
    file = field if size is None else f"{field} ({size} bytes)"
    return f"{file} cannot be brought to {account}: {advice}."
