"""What answers in words use and cost: tokens a minute, what is set aside before, and what passed settles it, once."""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Literal

import structlog
from msgspec.structs import replace

from mutoscope.model.catalog import Catalog, first, token_cost
from mutoscope.model.config import Rates, Rights
from mutoscope.model.problem import Problem
from mutoscope.model.words import Tokens, body_tokens
from mutoscope.service.keys import Caller, RateLimited, TokenRateLimiter, allowance
from mutoscope.store import Basis, ExchangeRecord, Exchanges, Outlay, Settlement, SpendingHold
from mutoscope.telemetry import logs
from mutoscope.telemetry.counters import Tally
from mutoscope.wirekit.words import most_written

log = structlog.get_logger(__name__)

FLUSH_SECONDS = 0.02  # for so long what nobody waits for is collected, to be written at once
AGAIN_SECONDS = 1.0  # after which a store that failed is told again
MOST_WAITING = 10_000  # records that wait for a store that fails
FREE = frozenset(
    {
        *("/v1/messages/count_tokens", "/v1/responses/input_tokens", "/v1/moderations"),
        *("/v1/responses/{id}", "/v1/responses/{id}/cancel", "/v1/responses/{id}/input_items"),
    }
)
"""Paths at which vendors charge nothing."""
SILENT = frozenset({"/v1/embeddings"})  # at which no tokens are written
RECORDED = 64 * 1024  # bytes of a body that a record keeps
LONGEST_SECRET = 4096
MOST_TOKENS = 10**9  # of one exchange: beyond that an account does not tell the truth

How = Literal["whole", "left", "broken", "failed"]
"""How an exchange ended: to its end; left by the caller; broken off by the account; without an answer."""


class Books:
    """Where exchanges are entered. What need not be durable before a request is sent is written a moment later,
    together with its neighbours."""

    def __init__(
        self,
        store: Exchanges,
        catalog: Catalog,
        *,
        tokens_per_minute: int = 0,
        reserve_tokens: int = 4096,
        records: Literal["off", "metadata", "bodies"] = "off",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.store, self.catalog, self.records, self.clock = store, catalog, records, clock
        self.tokens_per_minute, self.reserve_tokens = tokens_per_minute, reserve_tokens
        self.token_limiter = TokenRateLimiter()
        # tokens by wire, model, engine and "read" or "written"; names of models come from outside
        self.spent: Tally[tuple[str, ...]] = Tally(1000, rest=("", "others", "", ""))
        self._outlays: dict[str, Outlay] = {}
        self._settlements: list[Settlement] = []
        self._records: list[ExchangeRecord] = []
        self._flushing: asyncio.Task[None] | None = None

    def limits(self, rights: Rights, who: str, model: str) -> list[tuple[str, int]]:
        """The buckets that a request draws on, and how many tokens a minute each has."""
        found: list[tuple[str, int]] = []
        if each := first(rights.tokens_per_minute, self.tokens_per_minute):
            found.append((who, each))
        if (own := rights.per_model.get(model)) and own.tokens_per_minute:
            found.append((f"{who}\n{model}", own.tokens_per_minute))
        return found

    def count(self, wire: str, model: str, engine: str, tokens: Tokens) -> None:
        for what, number in (("read", tokens.read), ("written", tokens.written)):
            if number:
                self.spent.add((wire, model, engine, what), number)

    def enter(
        self,
        *,
        outlay: Outlay | None = None,
        settlement: Settlement | None = None,
        record: ExchangeRecord | None = None,
    ) -> None:
        """Write this, soon. What is settled before its outlay was written needs none."""
        if outlay:
            self._outlays[outlay.id] = outlay
        if settlement:
            unwritten = self._outlays.pop(settlement.id, None)
            self._settlements.append(replace(settlement, aside=False) if unwritten else settlement)
        if record and len(self._records) < MOST_WAITING:
            self._records.append(record)
        if self._flushing is None or self._flushing.done():
            self._flushing = asyncio.get_running_loop().create_task(self._flush_soon())

    async def _flush_soon(self) -> None:
        seconds = FLUSH_SECONDS
        while self._outlays or self._settlements or self._records:
            await asyncio.sleep(seconds)
            seconds = FLUSH_SECONDS if await self.flush() else AGAIN_SECONDS

    async def flush(self) -> bool:
        """What cannot be written is kept for the next time."""
        outlays, settlements, records = tuple(self._outlays.values()), self._settlements, self._records
        if not (outlays or settlements or records):
            return True
        self._outlays, self._settlements, self._records = {}, [], []
        try:
            await self.store.settle_exchanges(settlements, outlays=outlays, records=records)
        except Problem as problem:
            log.error("exchanges_unwritten", reason=problem.message, count=len(settlements))
            settled = {each.id for each in self._settlements}
            self._outlays = {each.id: each for each in outlays if each.id not in settled} | self._outlays
            self._settlements = [*settlements, *self._settlements]
            self._records = [*records, *self._records][:MOST_WAITING]
            return False
        return True

    async def close(self) -> None:
        if self._flushing is not None:
            self._flushing.cancel()
            await asyncio.wait({self._flushing})
        await self.flush()


class Exchange:
    """One request and its answer: admitted, asked of an engine, and ended once."""

    def __init__(
        self,
        books: Books,
        *,
        id: str,
        caller: Caller,
        who: str,
        wire: str,
        path: str,
        model: str,
        name: str,
        body: bytes,
        secret: str = "",
    ) -> None:
        """`name` is the model's in the catalog. `secret` is the caller's, which no record shows."""
        self.books, self.id, self.owner, self.rights = books, id, caller.owner, caller.rights
        self.wire, self.path, self.model, self.body, self.secret = wire, path, model, body, secret
        self.limits = [] if path in FREE else books.limits(caller.rights, who, name)
        self.prices: Mapping[str, Rates] = {}  # by engine
        self.engine = ""  # the one that was asked last
        self.began = books.clock()
        self.taken, self.aside = 0, 0.0  # tokens, and credits
        self.parts = 0
        self.over = False

    async def admit(self, prices: Mapping[str, Rates]) -> None:
        """Take the tokens that it may come to, and set aside what those cost at the dearest of the engines; durably
        where the key has a budget. Raises RateLimited, and Problem(OVER_BUDGET)."""
        self.prices = {} if self.path in FREE else prices
        if not self.limits and not self.prices:
            return
        read = body_tokens(self.body)
        most = 0 if self.path in SILENT else most_written(self.body)
        self.take(read + (most or 0))
        if not self.prices or not self.owner:
            return
        written = self.books.reserve_tokens if most is None else most
        self.aside = max(dearest(read, written, price) for price in self.prices.values())
        outlay = Outlay(
            id=self.id,
            owner=self.owner,
            model=self.model,
            engine=next(iter(self.prices)),
            at=self.began,
            hold=SpendingHold(credits=self.aside, budget=self.rights.budget, period=self.rights.budget_period),
        )
        if self.rights.budget is None:
            self.books.enter(outlay=outlay)
            return
        try:
            await self.books.store.set_aside(outlay)
        except Problem:
            self.give_back()
            raise
        except BaseException:  # the caller is gone, and it may be set aside all the same
            self.end(0, "left")
            raise

    def take(self, tokens: int) -> None:
        """From each bucket, or from none."""
        for number, (bucket, per_minute) in enumerate(self.limits):
            try:
                self.books.token_limiter.take(bucket, per_minute, tokens)
            except RateLimited:
                for before, each in self.limits[:number]:
                    self.books.token_limiter.settle(before, each, -tokens)
                raise
        self.taken = tokens

    def give_back(self) -> None:
        self.over = True
        for bucket, per_minute in self.limits:
            self.books.token_limiter.settle(bucket, per_minute, -self.taken)

    def end(
        self, status: int, how: How, told: Tokens | None = None, *, events: int = 0, response: bytes | None = None
    ) -> None:
        """Settle it by the account's own count, by what passed, or by what was set aside; once, whoever comes first.

        `events`: those of a stream that passed, which stand for tokens where nobody counts.
        """
        if self.over:
            return
        self.over = True
        tokens, basis = self.used(status, how, told, events)
        price = self.prices.get(self.engine)
        credits = token_cost(tokens, price) if price else 0.0 if self.engine in OWN or self.path in FREE else None
        if basis == "estimate" and credits is not None:
            credits = max(self.aside, credits)
        self.books.count(self.wire, self.model, self.engine, tokens)
        for bucket, per_minute in self.limits:
            self.books.token_limiter.settle(bucket, per_minute, tokens.read + tokens.written - self.taken)
        now = self.books.clock()
        settlement = record = None
        if self.owner and self.prices:
            settlement = self.settlement(self.id, credits or 0.0, basis, now)
        if self.books.records != "off":
            record = self.record(status, how, tokens, credits, basis, now, response)
        if settlement or record:
            self.books.enter(settlement=settlement, record=record)

    def used(self, status: int, how: How, told: Tokens | None, events: int) -> tuple[Tokens, Basis]:
        if how == "failed" or status >= 400 or not self.engine or self.path in FREE:
            return Tokens(), "counted"
        if told and how == "whole":
            return bounded(told), "told"
        read = told.read if told else body_tokens(self.body)
        if how == "left" and not events and not told:
            return Tokens(read=read, estimated=True), "estimate"
        if how == "broken" and not events and not told:
            return Tokens(), "counted"
        more = Tokens() if told is None else told
        written = max(more.written, events)
        return bounded(
            Tokens(read=read, written=written, cached=more.cached, cache_written=more.cache_written, estimated=True)
        ), "counted"

    def settlement(self, id: str, credits: float, basis: Basis, now: float) -> Settlement:
        return Settlement(
            id=id, owner=self.owner, model=self.model, engine=self.engine, at=now, credits=credits, basis=basis
        )

    def record(
        self,
        status: int,
        how: How,
        tokens: Tokens,
        credits: float | None,
        basis: Basis,
        now: float,
        response: bytes | None,
    ) -> ExchangeRecord:
        bodies = self.books.records == "bodies"
        return ExchangeRecord(
            id=self.id,
            owner=self.owner,
            began=self.began,
            ended=now,
            wire=self.wire,
            path=self.path,
            model=self.model[:200],
            engine=self.engine,
            status=status,
            end=how,
            read=tokens.read,
            written=tokens.written,
            cached=tokens.cached,
            credits=credits,
            basis=basis,
            request=shown(self.body, self.secret) if bodies else None,
            response=shown(response or b"", self.secret) if bodies else None,
        )

    # -- conversations over a socket, which have no end that could be set aside for ---------------

    def check(self) -> None:
        """Raises RateLimited where the tokens of this minute are used up."""
        for bucket, per_minute in self.limits:
            if self.books.token_limiter.spent(bucket, per_minute):
                message = f"This key may use {per_minute} tokens a minute, and they are used up. Try again later."
                raise RateLimited(allowance(per_minute, 0, 60.0 / max(per_minute, 1)), message)

    def add(self, tokens: Tokens) -> None:
        """What one answer of the conversation came to, charged for itself."""
        tokens = bounded(tokens)
        self.parts += 1
        self.books.count(self.wire, self.model, self.engine, tokens)
        for bucket, per_minute in self.limits:
            self.books.token_limiter.settle(bucket, per_minute, tokens.read + tokens.written)
        if self.owner and (price := self.prices.get(self.engine)):
            cost = token_cost(tokens, price)
            self.books.enter(settlement=self.settlement(f"{self.id}.{self.parts}", cost, "told", self.books.clock()))


OWN = frozenset({"", "script"})  # nobody is paid where nobody was asked, nor for what is written here


def dearest(read: int, written: int, price: Rates) -> float:
    """From above: all that is read is put into the cache where that costs more."""
    tokens = Tokens(read=read, written=written)
    return max(token_cost(tokens, price), token_cost(Tokens(read=read, written=written, cache_written=read), price))


def bounded(tokens: Tokens) -> Tokens:
    """What an account tells, within what can be."""
    read, written, cached, put = tokens.read, tokens.written, tokens.cached, tokens.cache_written
    if 0 <= written <= MOST_TOKENS and 0 <= read <= MOST_TOKENS and cached >= 0 <= put and cached + put <= read:
        return tokens
    read, written, cached, put = (min(max(number, 0), MOST_TOKENS) for number in (read, written, cached, put))
    cached = min(cached, read)
    put = min(put, read - cached)
    return Tokens(read=read, written=written, cached=cached, cache_written=put, estimated=tokens.estimated)


def shown(body: bytes, secret: str) -> str:
    """A body as a record keeps it: its beginning, without what looks like a secret or is one that we know."""
    text = body[: RECORDED + LONGEST_SECRET].decode("utf-8", "replace")
    text = logs.replaced(text.replace(secret, logs.STRUCK) if len(secret) >= logs.SHORTEST else text)
    return text if len(body) <= RECORDED else f"{text[:RECORDED]}… ({len(body)} bytes)"
