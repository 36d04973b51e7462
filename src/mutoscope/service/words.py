"""Who answers in words: the accounts that speak the caller's wire, one after the other, or the account-free author."""

import asyncio
import random
import re
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import NamedTuple

import msgspec
import structlog
from msgspec.structs import force_setattr, replace

from mutoscope.cassettes.deck import Unrecorded
from mutoscope.engines.peer import BUSY, Peer, path_below
from mutoscope.engines.translation import BETWEEN, Asked, Translation
from mutoscope.engines.words import Author
from mutoscope.files.egress import Channel
from mutoscope.files.http1 import Opened
from mutoscope.model.catalog import Catalog
from mutoscope.model.config import Cassettes, Rates, Rights
from mutoscope.model.http import HttpRequest
from mutoscope.model.problem import Kind, Problem
from mutoscope.model.words import KeptAnswer
from mutoscope.service.keys import Caller, RateLimiter, check_scope
from mutoscope.service.spending import FREE, Books, Exchange
from mutoscope.telemetry.counters import Tally
from mutoscope.wirekit.routes import Again, InWords, Route, Socket, Stream, last_parameter
from mutoscope.wirekit.wire import Wire
from mutoscope.wirekit.words import Answer, Memory, Recall

log = structlog.get_logger(__name__)

SCRIPT = "script"  # the author's name among the engines
COUNTS = frozenset({"/v1/messages/count_tokens"})
"""Paths at which the author counts by our own rule what an account of another wire is asked."""
LONGEST_KNOWN = 200  # characters of a model's name whose price is remembered: names come from outside
MOST_TURNS = 1000  # answers in a row that one goes on from
ID = re.compile(r"[A-Za-z0-9_.:-]{1,200}")  # of an answer that an account may be asked for
KEPT_HEADERS = ("content-type", "accept", "idempotency-key")


class Passing(NamedTuple):
    """An answer of an account that is under way, and its first piece."""

    peer: Peer
    opened: Opened
    first: bytes
    translation: Translation | None = None  # where the account speaks another wire
    asked: Asked = Asked(body={})


class Desk:
    """Finds who answers. Every exchange is counted by what passed."""

    def __init__(
        self,
        peers: Sequence[Peer],
        author: Author,
        *,
        rate_limiter: RateLimiter,
        catalog: Catalog,
        books: Books,
        rehearsal: bool = False,
        session_idle_seconds: float = 600.0,
        cassettes: Cassettes | None = None,
        draw: Callable[[], float] = random.random,
    ) -> None:
        """`rehearsal`: the author answers everything."""
        self.peers, self.author, self.rate_limiter, self.catalog = tuple(peers), author, rate_limiter, catalog
        self.rehearsal, self.draw = rehearsal, draw
        self.cassettes = cassettes or Cassettes()
        self.books, self.session_idle_seconds = books, session_idle_seconds
        self._price_known = lru_cache(maxsize=1024)(self._price_at)  # settings do not change while a server runs

    @property
    def spent(self) -> Tally[tuple[str, ...]]:
        """Tokens by wire, model, engine and "read" or "written"."""
        return self.books.spent

    async def answer(
        self, wire: Wire, route: Stream, request: HttpRequest, caller: Caller, id: str, who: str
    ) -> tuple[Exchange, Answer | Passing]:
        """The answer of the first account that gives one, or of the author, and the exchange, which whoever sends the
        answer ends. `who` shares what is limited. Raises Problem."""
        model = route.target(request).model
        peers = self.choose(wire, route, model, caller)
        recall = route.memory.recall(request) if route.memory else Recall(keeps=False)
        if recall.previous:
            peers = await self.that_wrote(recall.previous, peers, request, caller)
        exchange = self.exchange(wire, route, model, caller, id, who, request)
        await exchange.admit(self.prices(wire, model, peers))
        with ended_by_trouble(exchange):
            if not peers:
                return exchange, await self.written(route, request, exchange)
            try:
                passing = await self.relayed(peers, wire, route, request, exchange)
            except Unrecorded:
                if self.cassettes.unknown != "studio":
                    raise
                return exchange, await self.written(route, request, exchange)
            if route.memory and recall.keeps and passing.opened.status < 300:
                await self.note(route.memory, passing, caller.owner)
            return exchange, passing

    async def written(self, route: InWords, request: HttpRequest, exchange: Exchange) -> Answer:
        """The author's, kept before anybody learns of it. Raises Problem."""
        exchange.engine = SCRIPT
        store, owner = self.books.store, exchange.owner
        if isinstance(route, Stream) and route.memory and (named := route.memory.named(request)):
            force_setattr(request, "recalled", (*request.recalled, *await store.answers(owner, named)))
        waits = self.author.waits(route.path, request.body)
        answer = (
            await asyncio.to_thread(route.write, request, self.author) if waits else route.write(request, self.author)
        )
        if answer.keeps:
            await store.keep_answer(replace(answer.keeps, owner=owner, engine=SCRIPT))
        if answer.drops:
            await store.drop_answer(owner, answer.drops)
        return answer

    # -- answers that are kept -------------------------------------------------------------

    async def again(
        self, wire: Wire, route: Again, request: HttpRequest, caller: Caller, id: str, who: str
    ) -> tuple[Exchange, Answer | Passing]:
        """What is asked of a kept answer, by whoever wrote it. Raises Problem."""
        public = last_parameter(request)
        kept = await self.books.store.answers(caller.owner, (public,), back=MOST_TURNS if route.back else 0)
        ours = bool(kept) and kept[0].engine == SCRIPT
        force_setattr(request, "recalled", kept)
        speaking = [] if self.rehearsal else [peer for peer in self.peers if peer.wire is wire]
        peers = [peer for peer in speaking if peer.name == kept[0].engine] if kept else speaking
        # An open server's answers are everybody's; a key's own are those of which we know that they are.
        if not ours and (not peers or not ID.fullmatch(public) or (caller.owner and not kept)):
            raise Problem(Kind.NOT_FOUND, f"There is no answer with the id {public!r}.")
        exchange = self.exchange(wire, route, "", caller, id, who, request)
        with ended_by_trouble(exchange):
            if ours:
                return exchange, await self.written(route, request, exchange)
            passing = await self.asked_again(peers, route, request, exchange)
            if request.method == "DELETE" and passing.opened.status < 300:
                await self.books.store.drop_answer(caller.owner, public)
            return exchange, passing

    async def asked_again(
        self, peers: Sequence[Peer], route: Again, request: HttpRequest, exchange: Exchange
    ) -> Passing:
        """The first account that knows it tells. Raises Problem."""
        problem: Problem | None = None
        for peer in peers:
            path = path_below(peer.vendor_client.base.path, route.path.format(**request.params), peer.wire.optional)
            headers = {name: text for name in KEPT_HEADERS if (text := request.headers.get(name))}
            headers["x-request-id"] = exchange.id
            message = HttpRequest(
                method=route.method, path=path, query=request.query, headers=headers, body=request.body
            )
            exchange.engine = peer.name
            try:
                opened, first = await peer.ask(message, "")
            except Problem as error:
                problem = error
                continue
            if opened.status == 404 and peer is not peers[-1]:
                peer.done(opened)
                continue
            return Passing(peer, opened, first)
        raise problem or Problem(Kind.UNAVAILABLE, "No account can be asked now.")

    async def that_wrote(self, previous: str, peers: list[Peer], request: HttpRequest, caller: Caller) -> list[Peer]:
        """Those of the accounts that can go on from an answer: the one that wrote it, none where the author did. Of an
        answer that nobody knows, an open server's accounts are asked. Raises Problem."""
        kept = await self.books.store.answers(caller.owner, (previous,), back=MOST_TURNS)
        if kept and kept[0].engine == SCRIPT:
            check_engine(SCRIPT, SCRIPT, caller.rights)
            force_setattr(request, "recalled", kept)
            return []
        wrote = [peer for peer in peers if peer.name == kept[0].engine] if kept else [] if caller.owner else peers
        if not wrote:
            raise Problem(Kind.INVALID, f"There is no answer {previous!r} to go on from.", field="previous_response_id")
        return wrote

    async def note(self, memory: Memory, passing: Passing, owner: str) -> None:
        """Whose an account's answer is, and which account's. A store that fails does not cost the answer."""
        try:
            if id := memory.id(passing.first):
                kept = KeptAnswer(id=id, owner=owner, engine=passing.peer.name, created=self.books.clock())
                await self.books.store.keep_answer(kept)
        except Problem as problem:
            log.error("answer_not_noted", reason=problem.message)
        except BaseException:
            passing.peer.done(passing.opened)
            raise

    def exchange(
        self, wire: Wire, route: Route, model: str, caller: Caller, id: str, who: str, request: HttpRequest
    ) -> Exchange:
        secret = wire.credential(request)
        return Exchange(
            self.books,
            id=id,
            caller=caller,
            who=who,
            wire=wire.name,
            path=route.path,
            model=model,
            name=self.row_name(wire, model),
            body=request.body,
            secret=secret if isinstance(secret, str) else "",
        )

    def prices(self, wire: Wire, model: str, peers: Sequence[Peer]) -> dict[str, Rates]:
        """What tokens of a model cost at those accounts of which that is known."""
        found: dict[str, Rates] = {}
        price_at = self._price_known if len(model) <= LONGEST_KNOWN else self._price_at
        for peer in peers if self.catalog.prices_tokens else ():
            if price := price_at(wire.name, model, peer):
                found[peer.name] = price
        return found

    def _price_at(self, wire: str, model: str, peer: Peer) -> Rates | None:
        names = dict.fromkeys((model, self._row_name(wire, model), peer.account.renames.get(model, model)))
        prices = (self.catalog.token_price(name, peer.name, peer.wire.name) for name in names)
        return next(filter(None, prices), None)

    def row_name(self, wire: Wire, model: str) -> str:
        return self._row_name(wire.name, model)

    def _row_name(self, wire: str, model: str) -> str:
        for each in spoken_by(wire):
            if row := self.catalog.words.get((each, model)):
                return row.name
        return model

    def choose(self, wire: Wire, route: Route, model: str, caller: Caller) -> list[Peer]:
        """The accounts to be asked, in their order; none where the author answers. Raises Problem."""
        self.check(model, wire, caller)
        peers = self.candidates(wire, route, model, caller.rights)
        if not peers:
            check_engine(SCRIPT, SCRIPT, caller.rights)
        return peers

    def check(self, model: str, wire: Wire, caller: Caller) -> None:
        """Raises Problem where the key may not use the model, or has used it too much."""
        name = self.row_name(wire, model)
        check_scope("model", name, caller.rights.models)
        if (own := caller.rights.per_model.get(name)) and own.requests_per_minute:
            self.rate_limiter.take(f"{caller.owner}\n{name}", own.requests_per_minute)

    def candidates(self, wire: Wire, route: Route, model: str, rights: Rights) -> list[Peer]:
        """The accounts that have the model, in an order drawn by their weights. None where no account speaks this wire
        or one that it is translated to: then the author answers. Those of the wire itself come first, but for those
        that take any name where another account is known to have the model.

        Raises Problem for a model that none has, and for what the key may not use."""

        def speaks(peer: Peer) -> bool:
            return peer.wire is wire or (wire.name, route.path, peer.wire.name) in BETWEEN

        speaking = [] if self.rehearsal else [peer for peer in self.peers if speaks(peer)]
        if not speaking:
            return []
        having = [peer for peer in speaking if peer.serves(model)]
        others = (peer for peer in self.peers if peer.wire.name in spoken(wire))
        if not having and isinstance(route, Stream) and route.optional:
            return []
        if not having and route.path in COUNTS and any(peer.serves(model) for peer in others):
            return []
        if not having:
            known = dict.fromkeys(name for peer in speaking for name in (*peer.account.renames, *peer.account.models))
            there = f" These are there: {', '.join(known)}." if known else ""
            raise Problem(Kind.NOT_FOUND, f"There is no model {model!r}: no account here has it.{there}", field="model")
        allowed = [peer for peer in having if not rights.engines or {peer.name, peer.wire.name} & set(rights.engines)]
        if not allowed:
            check_engine(having[0].name, having[0].wire.name, rights)
        if rights.budget is not None and route.path not in FREE:
            known = self.prices(wire, model, allowed)
            check_priced(model, route, allowed, known)
            allowed = [peer for peer in allowed if peer.name in known]
        if len(allowed) == 1:
            return allowed
        drawn = sorted(allowed, key=lambda peer: self.draw() ** (1 / max(peer.account.weight, 1e-9)), reverse=True)
        named = any(peer.wire is wire and peer.names(model) for peer in drawn)

        def place(peer: Peer) -> int:
            return 1 if peer.wire is wire else 2 if named or not peer.names(model) else 0

        return sorted(drawn, key=lambda peer: (not peer.free, place(peer)))

    def models(self, wire: Wire, rights: Rights) -> tuple[str, ...]:
        """The words by which a key may ask for models: those of the catalog, and those that the accounts have."""
        words = {word: row.name for (of, word), row in self.catalog.words.items() if of == wire.name}
        for peer in self.peers:
            if peer.wire is wire:
                words |= {word: word for word in (*peer.account.renames, *peer.account.models)}
            elif peer.wire.name in spoken(wire):
                words |= dict(peer.models) if not peer.account.models else {}
                words |= {word: word for word in (*peer.account.renames, *peer.account.models)}
        return tuple(word for word, name in sorted(words.items()) if not rights.models or name in rights.models)

    async def relayed(
        self, peers: Sequence[Peer], wire: Wire, route: Stream, request: HttpRequest, exchange: Exchange
    ) -> Passing:
        """The first answer that is worth passing on; of accounts that all have too much to do, what the last one says.

        Raises Problem.
        """
        problem: Problem | None = None
        model = exchange.model
        for peer in peers:
            last = peer is peers[-1]
            if not peer.free:
                problem = problem or busy(peer)
                continue
            translation = BETWEEN.get((wire.name, route.path, peer.wire.name))
            try:
                asked = translated(translation, peer, request, model) if translation else Asked(body={})
                path = translation.path if translation else route.path
                message = sent(peer, route, path, request, model, exchange.id, asked)
                exchange.engine = peer.name
                deck = peer.deck if self.cassettes.covers(exchange.owner) else None
                opened, first = await peer.ask(message, model, deck=deck)
            except Problem as error:
                problem = error
                continue
            if opened.status in BUSY and not last:
                peer.done(opened)
                problem = Problem(Kind.UPSTREAM_FAILED, f"The account {peer.name} answered {opened.status}.")
                continue
            return Passing(peer, opened, first, translation, asked)
        raise problem or Problem(Kind.UNAVAILABLE, "No account can be asked now.")

    async def connect(
        self, peers: Sequence[Peer], route: Socket, request: HttpRequest, model: str, id: str, max_bytes: int
    ) -> tuple[Peer, Channel]:
        """A WebSocket to the first account that opens one. Raises Problem."""
        problem: Problem | None = None
        if self.cassettes.asks_nobody:
            raise Problem(Kind.UNSUPPORTED, "Realtime sessions are not recorded, and the vendor is not asked.")
        headers = {name: text for name in route.passes if (text := request.headers.get(name))} | {"x-request-id": id}
        for peer in peers:
            if not peer.free:
                problem = problem or busy(peer)
                continue
            query = request.query | {"model": peer.account.renames.get(model, model)}
            path = path_below(peer.vendor_client.base.path, route.path, peer.wire.optional)
            try:
                asked = HttpRequest(method="GET", path=path, query=query, headers=headers)
                return peer, await peer.connect(asked, max_bytes)
            except Problem as error:
                problem = error
        raise problem or Problem(Kind.UNAVAILABLE, "No account can be asked now.")

    async def close(self) -> None:
        for peer in self.peers:
            await peer.close()
        await self.books.close()


@contextmanager
def ended_by_trouble(exchange: Exchange) -> Generator[None]:
    """An exchange that comes to no answer is over; one that does is ended by whoever sends it."""
    try:
        yield
    except Problem:
        exchange.end(0, "failed")
        raise
    except BaseException:  # the caller is gone
        exchange.end(0, "left")
        raise


def check_priced(model: str, route: Route, peers: Sequence[Peer], known: dict[str, Rates]) -> None:
    """Whether what a key with a budget asks for can be reckoned. Raises Problem(FORBIDDEN)."""
    if isinstance(route, Socket):
        message = "This key has a budget, and what a realtime session may come to at an account is not known before."
        raise Problem(Kind.FORBIDDEN, message)
    if not known:
        names = ", ".join(peer.name for peer in peers)
        raise Problem(
            Kind.FORBIDDEN,
            f"This key has a budget, and what tokens of {model} cost at {names} is not known. Whoever runs this server"
            f' can say it: price = {{ input_tokens = …, output_tokens = … }} under [models."{model}"] of the settings.',
        )


def check_engine(name: str, wire: str, rights: Rights) -> None:
    if rights.engines and not {name, wire} & set(rights.engines):
        allowed = ", ".join(rights.engines)
        raise Problem(Kind.FORBIDDEN, f"This key may not use what answers here ({name}); it may use {allowed}.")


def spoken(wire: Wire) -> tuple[str, ...]:
    """The wire itself, and those to which one of its routes is translated."""
    return spoken_by(wire.name)


@lru_cache
def spoken_by(name: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys([name, *(theirs for ours, _, theirs in BETWEEN if ours == name)]))


def translated(translation: Translation, peer: Peer, request: HttpRequest, model: str) -> Asked:
    """Raises Problem for what the account's wire cannot say."""
    vendor = f"//{peer.vendor_client.base.host}/" in f"{peer.words.base_url}/"
    return translation.ask(request, peer.account.renames.get(model, model), vendor)


def sent(peer: Peer, route: Stream, path: str, request: HttpRequest, model: str, id: str, asked: Asked) -> HttpRequest:
    """The request as an account gets it: the vendor's own path, the headers that mean something there, the body."""
    theirs = peer.account.renames.get(model, model)
    kept = (*KEPT_HEADERS, *peer.words.passes)
    body = request.body if theirs == model else route.named(request.body, theirs)
    return HttpRequest(
        method=route.method,
        path=path_below(peer.vendor_client.base.path, path, peer.wire.optional),
        query={} if asked.body else request.query,
        headers={name: text for name in kept if (text := request.headers.get(name))}
        | {"x-request-id": id}
        | asked.headers,
        body=msgspec.json.encode(asked.body) if asked.body else body,
    )


def busy(peer: Peer) -> Problem:
    seconds = peer.breaker.seconds_left or 1.0
    if peer.breaker.allows:
        return Problem(Kind.RATE_LIMITED, f"The account {peer.name} answers as many as it may.", retry_after=seconds)
    message = f"The account {peer.name} is left alone for now: {peer.breaker.reason or 'it failed'}."
    return Problem(Kind.UNAVAILABLE, message, retry_after=seconds)
