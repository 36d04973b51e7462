"""Who may call, what for and how often: keys by digest, token buckets, bytes a day; tokens for who calls us back."""

import asyncio
import base64
import contextlib
import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import UTC, datetime

import structlog
from msgspec import Struct

from mutoscope.model.catalog import Model, first
from mutoscope.model.config import BadSettings, Key, Limits, Net, Rights
from mutoscope.model.http import HttpRequest
from mutoscope.model.problem import KEY_EXPIRED, TOKEN_EARLY, TOKEN_EXPIRED, Kind, Problem
from mutoscope.model.requests import Allowance, Proof
from mutoscope.service.receivers import receiver_address
from mutoscope.store import KeyRecord, Ledger
from mutoscope.store import Keys as KeyStore

log = structlog.get_logger(__name__)

MINUTE = 60.0
DAY = 86400.0
BUCKETS_KEPT = 10_000
KEYS_KEPT = 10_000
ASKED_SECONDS = 0.5  # how long what is remembered of keys is believed: a revocation holds within a second everywhere
FLUSH_SECONDS = 2.0  # how long bytes are counted here before the store is told
SECRET_PREFIX = "msk_"  # noqa: S105 - how our keys begin
ACCESS_PREFIX = "mak_"  # and the access keys of pairs
SKEW_SECONDS = 60.0  # by which the clock of whoever signed a token may be off
SHOWN = 8  # characters of a key that are kept to be shown
LONGEST_NAME = 100
MISSING_KEY = "Missing API key"


class Caller(Struct, frozen=True, kw_only=True):
    """Whom a request comes from, and what their key lets them do."""

    owner: str = ""  # "" on an open server
    rights: Rights = Rights()
    expires: float | None = None
    key: KeyRecord | None = None  # None for a key of the configuration file


OPEN = Caller()
NET = Net()
OWN = tuple(Rights.__struct_fields__)


class Keys:
    """The keys that this server takes: those of the configuration file, and those in the store.

    Where there never was any it is open, and then it listens on loopback only.
    """

    def __init__(
        self,
        keys: Iterable[Key] = (),
        store: KeyStore | None = None,
        *,
        net: Net = NET,
        secret: bytes | None = None,
        clock: Callable[[], float] = time.time,
        tick: Callable[[], float] = time.monotonic,
    ) -> None:
        """`net` says which addresses webhooks may go to. Raises BadSettings for a key with another. `secret` is the
        server's own, from which those of pairs are derived; without it there are no pairs."""
        self.net, self.secret = net, secret
        self._listed = {key.sha256.lower(): caller_of(key, net) for key in keys}
        self._store, self._clock, self._tick = store, clock, tick
        self._remembered: dict[str, Caller] = {}  # digest → caller; nothing but what the store had
        self._changes = 0  # the store's count of changes when that was so
        self._asked = float("-inf")
        self._touched: dict[str, float] = {}  # a key's id → when the store was told of its use
        self._flushing: set[asyncio.Task[None]] = set()

    @property
    def open(self) -> bool:
        """Whether anybody may call. A server that had a key once is never open again."""
        return not self._listed and not self._changes

    async def caller(self, secret: str | Proof | None) -> Caller:
        """Whose key this is, and that it may still be used. Raises Problem(UNAUTHENTICATED).

        A key is found by the digest of all of it, so that the time it takes tells nothing about a kept key.
        """
        if self._tick() - self._asked > ASKED_SECONDS:
            await self.refresh()
        if self.open:
            return OPEN
        if not secret:
            raise Problem(Kind.UNAUTHENTICATED, MISSING_KEY)
        return await self.of_digest(digest(self._proved(secret) if isinstance(secret, Proof) else secret))

    def holds(self, caller: Caller) -> bool:
        """Whether whoever was found to be this caller would be found so again, as far as is known without a question to
        the store. Not for one who proved a key with a token: that ends."""
        if self._tick() - self._asked > ASKED_SECONDS:
            return False
        if self.open or caller is OPEN:
            return self.open and caller is OPEN
        if caller.expires is not None and self._clock() >= caller.expires:
            return False
        if caller.key is not None:
            if self._remembered.get(caller.key.digest) is not caller:
                return False
            self._use(caller.key)
        return True

    async def of_digest(self, found: str) -> Caller:
        """The same, of a key whose digest was kept."""
        caller = self._listed.get(found) or self._remembered.get(found) or await self._look_up(found)
        if caller is None:
            raise Problem(Kind.UNAUTHENTICATED, "Invalid API key")
        if caller.expires is not None and self._clock() >= caller.expires:
            raise Problem(Kind.UNAUTHENTICATED, KEY_EXPIRED)
        if caller.key is not None:
            self._use(caller.key)
        return caller

    def _proved(self, proof: Proof) -> str:
        """The secret of a pair, which signed this; whether it is still taken is not said yet. Raises Problem."""
        secret = pair_secret(self.secret or b"", proof.key)
        right = hmac.digest(secret.encode(), proof.signed, "sha256")
        if not hmac.compare_digest(right, proof.signature) or self.secret is None:
            raise Problem(Kind.UNAUTHENTICATED, "Invalid API key: nobody's pair signed this token")
        now = self._clock()
        if now < proof.begins - SKEW_SECONDS:
            raise Problem(Kind.UNAUTHENTICATED, TOKEN_EARLY)
        if now >= proof.expires + SKEW_SECONDS:
            raise Problem(Kind.UNAUTHENTICATED, TOKEN_EXPIRED)
        return secret

    async def refresh(self) -> None:
        """Forget what was remembered if any process has changed a key since."""
        if self._store is None:
            return
        changes = await self._store.key_changes()
        if changes != self._changes:
            self._remembered.clear()
            self._changes = changes
        self._asked = self._tick()

    async def _look_up(self, digest: str) -> Caller | None:
        if self._store is None:
            return None
        before = self._changes
        key = await self._store.key(digest)
        if key is None or key.revoked is not None or not hmac.compare_digest(key.digest, digest):
            return None
        caller = Caller(owner=key.name, rights=key.rights, expires=key.expires, key=key)
        if self._changes == before:  # else it may be out of date already
            if len(self._remembered) >= KEYS_KEPT:
                self._remembered.pop(next(iter(self._remembered)))
            self._remembered[digest] = caller
        return caller

    # -- what a key's use leaves behind ------------------------------------------------

    def _use(self, key: KeyRecord) -> None:
        """Have the store told, once a minute; nobody waits for it."""
        now = self._clock()
        if now - self._touched.get(key.id, key.last_used or 0.0) < MINUTE:
            return
        if len(self._touched) >= KEYS_KEPT:
            self._touched.clear()
        self._touched[key.id] = now
        task = asyncio.get_running_loop().create_task(self._touch(key.id, now))
        self._flushing.add(task)
        task.add_done_callback(self._flushing.discard)

    async def _touch(self, id: str, now: float) -> None:
        if self._store is not None:
            with contextlib.suppress(Problem):  # it is told again in a minute
                await self._store.touch_key(id, now=now)

    async def close(self) -> None:
        if self._flushing:
            await asyncio.wait(self._flushing)

    # -- what an owner may do, where no request shows a key -------------------------------

    async def rights_of(self, owner: str) -> tuple[Rights, ...]:
        """The rights of an owner's keys that are valid; several keys of one name share what they make."""
        if self._tick() - self._asked > ASKED_SECONDS:
            await self.refresh()
        now = self._clock()
        listed = [
            each.rights
            for each in self._listed.values()
            if each.owner == owner and (each.expires is None or now < each.expires)
        ]
        kept = await self._store.keys(name=owner) if self._store is not None and self._changes else ()
        return (*listed, *(key.rights for key in kept if key.valid(now)))

    async def all_rights(self) -> dict[str, list[Rights]]:
        """The same for every owner."""
        found: dict[str, list[Rights]] = {}
        for each in self._listed.values():  # expired or not: an old limit is better than none
            found.setdefault(each.owner, []).append(each.rights)
        for key in await self._store.keys() if self._store is not None else ():
            if key.valid(self._clock()):
                found.setdefault(key.name, []).append(key.rights)
        return found


KEY_HEADERS = re.compile(r"authorization|(.*-)?(api-?key|api-?secret|api-?token|auth-?token)", re.IGNORECASE)
KEY_QUERIES = frozenset({"key", "api_key", "api-key", "apikey", "token", "access_token"})


def missing_key(request: HttpRequest, wanted: str) -> Problem:
    """What is told where no key was found, of which `wanted` is the form; and where one came in another form."""
    headers = [name for name, value in request.headers.items() if value.strip() and KEY_HEADERS.fullmatch(name)]
    queries = [f"?{name}=" for name in request.query if name.lower() in KEY_QUERIES]
    if not headers and not queries:
        return Problem(Kind.UNAUTHENTICATED, MISSING_KEY)
    came = " and ".join(each[:64] for each in (*headers, *queries))
    return Problem(Kind.UNAUTHENTICATED, f'{MISSING_KEY}: send it as "{wanted}". What came in {came} is not read here')


def caller_of(key: Key, net: Net) -> Caller:
    """Raises BadSettings."""
    if not key.name:
        raise BadSettings("[[keys]] name is empty: it says whose jobs are made with the key")
    if key.webhook:
        try:
            receiver_address(key.webhook, "webhook", net)
        except Problem as problem:
            raise BadSettings(f"[[keys]] {key.name}: {problem.message}") from problem
    rights = Rights(**{name: getattr(key, name) for name in OWN})
    return Caller(owner=key.name, rights=rights, expires=seconds_of(key.expires))


def seconds_of(moment: datetime | None) -> float | None:
    """A time without a zone is meant as UTC."""
    if moment is None:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


# -- making keys -----------------------------------------------------------------------


class Pair(Struct, frozen=True, kw_only=True):
    """Two halves of a credential: requests tell the one, and are signed with the other."""

    access: str
    secret: str


def make_pair(server: bytes) -> Pair:
    """A fresh pair. Its secret is derived from the server's own and the access key, so that nothing is kept by which
    somebody else could sign."""
    access = ACCESS_PREFIX + secrets.token_urlsafe(18)
    return Pair(access=access, secret=pair_secret(server, access))


def pair_secret(server: bytes, access: str) -> str:
    key = hmac.digest(server, b"mutoscope key pairs", "sha256")  # not the key that signs links
    own = hmac.digest(key, access.encode("utf-8", "surrogatepass"), "sha256")
    return SECRET_PREFIX + base64.urlsafe_b64encode(own).rstrip(b"=").decode()


def make_key(
    name: str,
    rights: Rights,
    *,
    now: float,
    expires: float | None = None,
    net: Net = NET,
    pair: Pair | None = None,
) -> tuple[str, KeyRecord]:
    """A fresh key, which is shown this once, and what is kept of it: of a pair, the secret. Raises Problem(INVALID)."""
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable() or name != name.strip():
        raise Problem(Kind.INVALID, f"name should be 1 to {LONGEST_NAME} printable characters.", field="name")
    if rights.webhook:
        receiver_address(rights.webhook, "webhook", net)
    if expires is not None and expires <= now:
        raise Problem(Kind.INVALID, "expires lies in the past.", field="expires")
    secret = pair.secret if pair else SECRET_PREFIX + secrets.token_urlsafe(32)
    record = KeyRecord(
        id=f"key_{secrets.token_hex(8)}",
        name=name,
        digest=digest(secret),
        prefix=(pair.access if pair else secret)[:SHOWN],
        rights=rights,
        created=now,
        expires=expires,
    )
    return secret, record


async def rotate(
    store: KeyStore, id: str, *, now: float, grace_seconds: float, pair: Pair | None = None
) -> tuple[str, KeyRecord]:
    """A key in place of another, with its name and rights; the old one is taken for the grace only.

    Raises Problem(NOT_FOUND) when there is no valid key of this id.
    """
    secret, fresh = make_key("unnamed", Rights(), now=now, pair=pair)
    kept = await store.rotate_key(id, fresh, until=now + grace_seconds, now=now)
    if kept is None:
        raise Problem(Kind.NOT_FOUND, f"There is no valid key {id!r}.", field="id")
    return secret, kept


# -- scopes ------------------------------------------------------------------------------


def check_scope(what: str, name: str, allowed: Collection[str]) -> None:
    """Raises Problem(FORBIDDEN) for what is not among the allowed; nothing allowed means all."""
    if allowed and name not in allowed:
        raise Problem(Kind.FORBIDDEN, f"This key may not use the {what} {name}; it may use {', '.join(allowed)}.")


class Share(Struct, frozen=True, kw_only=True):
    """How much of one model a caller may have; None: as much as they like."""

    concurrency: int | None
    daily: int | None
    queued: int | None


def share_of(rights: Rights, model: Model, limits: Limits) -> Share:
    """The key's own limit for the model, else the key's own, else the model's or that of [limits]."""
    own = rights.per_model.get(model.name)
    return Share(
        concurrency=first(own and own.max_concurrent, rights.max_concurrent, model.max_concurrent),
        daily=first(own and own.max_daily, rights.max_daily, model.max_daily),
        queued=first(rights.max_queued, limits.max_queued),
    )


def widest(limits: Iterable[int | None]) -> int | None:
    """The limit of an owner with several keys: the largest, and none where one of the keys has none."""
    known = list(limits)
    return None if None in known or not known else max(each for each in known if each is not None)


# -- rates ---------------------------------------------------------------------------------


class Bucket:
    """So many requests at once, and one more whenever its share of the time has passed."""

    __slots__ = ("most", "rate", "seconds", "then", "tokens")

    def __init__(self, amount: float, seconds: float, then: float) -> None:
        self.seconds, self.rate, self.most, self.then = seconds, amount / seconds, max(amount, 1.0), then
        self.tokens = self.most

    def filled(self, now: float) -> float:
        """What is in it now."""
        tokens = self.tokens + (now - self.then) * self.rate if now > self.then else self.tokens
        return tokens if tokens < self.most else self.most


class Buckets:
    """Those of one caller, whose shares are these."""

    __slots__ = ("each", "per_minute", "per_second", "then")

    def __init__(self, per_minute: float, per_second: float, then: float) -> None:
        self.per_minute, self.per_second, self.then = per_minute, per_second, then
        shares = ((per_minute, MINUTE), (per_second, 1.0))
        self.each = tuple(Bucket(amount, seconds, then) for amount, seconds in shares if amount)


class RateLimiter:
    """Token buckets per caller: a second's and a minute's worth of requests. 0 sets no limit."""

    def __init__(
        self, per_minute: int, *, per_second: float = 0.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.per_minute, self.per_second, self.clock = per_minute, per_second, clock
        self.processes = 1  # that share what a caller may ask
        self._callers: dict[str, Buckets] = {}

    def spend(self, caller: str, rights: Rights | None = None) -> Allowance | None:
        """Take one request from the caller's share; None where there is no limit. Raises RateLimited."""
        per_minute, per_second = self.per_minute, self.per_second
        if rights is not None:
            per_minute = per_minute if rights.requests_per_minute is None else rights.requests_per_minute
            per_second = per_second if rights.requests_per_second is None else rights.requests_per_second
        if not per_minute and not per_second:
            return None
        return self.take(caller, per_minute, per_second)

    def take(self, caller: str, per_minute: float, per_second: float = 0.0) -> Allowance | None:
        """Take one from each bucket that there is, or from none of them. Raises RateLimited for an empty one."""
        now = self.clock()
        per_minute, per_second = per_minute / self.processes, per_second / self.processes
        buckets = self._callers.get(caller)
        if buckets is None or buckets.per_minute != per_minute or buckets.per_second != per_second:
            buckets = self._begin(caller, per_minute, per_second, now)
        buckets.then = now
        scarce: Bucket | None = None
        for bucket in buckets.each:
            bucket.tokens = tokens = bucket.filled(now)
            bucket.then = now
            if tokens < 1:
                raise RateLimited(allowance(bucket.most, 0, (1 - tokens) / bucket.rate))
            if scarce is None or tokens < scarce.tokens:
                scarce = bucket
        if scarce is None:
            return None
        for bucket in buckets.each:
            bucket.tokens -= 1
        return allowance(scarce.most, int(scarce.tokens), (scarce.most - scarce.tokens) / scarce.rate)

    def _begin(self, caller: str, per_minute: float, per_second: float, now: float) -> Buckets:
        """Full buckets; where the caller has other shares than before, no fuller than those were."""
        before = self._callers.pop(caller, None)
        buckets = self._callers[caller] = Buckets(per_minute, per_second, now)
        left = {old.seconds: old.filled(now) for old in before.each} if before else {}
        for bucket in buckets.each:
            bucket.tokens = min(bucket.tokens, left.get(bucket.seconds, bucket.tokens))
        self._forget(now)
        return buckets

    def _forget(self, now: float) -> None:
        """Whoever did not come for a minute has full buckets, kept or not."""
        if len(self._callers) <= BUCKETS_KEPT:
            return
        self._callers = {name: buckets for name, buckets in self._callers.items() if now - buckets.then < MINUTE}
        while len(self._callers) > 0.9 * BUCKETS_KEPT:  # not one by one, when all of them are busy
            self._callers.pop(next(iter(self._callers)))


def allowance(limit: float, remaining: int, reset_seconds: float) -> Allowance:
    return Allowance(limit=int(limit), remaining=remaining, reset_seconds=reset_seconds)


class RateLimited(Problem):
    """Too many requests or tokens of one caller; `allowance` goes into the wire's headers."""

    def __init__(self, allowance: Allowance, message: str = "Too many requests") -> None:
        super().__init__(Kind.RATE_LIMITED, message, retry_after=allowance.reset_seconds)
        self.allowance = allowance


class TokenRateLimiter:
    """Tokens a minute. What a request may come to is taken before, and what it came to instead is settled afterwards:
    whoever used more than there was waits until that has come back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.processes = 1  # that share the tokens
        self._buckets: dict[str, Bucket] = {}

    def take(self, caller: str, per_minute: int, tokens: int) -> None:
        """A request that is larger than a whole minute's share is let in when the share is full. Raises RateLimited."""
        bucket, now = self._bucket(caller, per_minute), self.clock()
        bucket.tokens, bucket.then = left, _ = bucket.filled(now), now
        if left < (needed := min(tokens, bucket.most)):
            message = (
                f"This key may use {per_minute} tokens a minute: this request may come to {tokens}, and "
                f"{max(int(left), 0)} are left. Try again later, or name a smaller maximum of output tokens."
            )
            told = Allowance(
                limit=per_minute,
                remaining=max(int(left), 0),
                reset_seconds=(needed - left) / bucket.rate,
                of="tokens",
            )
            raise RateLimited(told, message)
        bucket.tokens -= tokens

    def settle(self, caller: str, per_minute: int, more: int) -> None:
        """So many more were used than were taken, or fewer."""
        bucket, now = self._bucket(caller, per_minute), self.clock()
        bucket.tokens, bucket.then = bucket.filled(now) - more, now

    def spent(self, caller: str, per_minute: int) -> bool:
        """Whether nothing is left."""
        return self._bucket(caller, per_minute).filled(self.clock()) < 1

    def _bucket(self, caller: str, per_minute: int) -> Bucket:
        name, now = f"{caller}\n{per_minute}", self.clock()
        bucket = self._buckets.get(name)
        if bucket is None:
            if len(self._buckets) >= BUCKETS_KEPT:  # what is full again need not be kept
                self._buckets = {each: it for each, it in self._buckets.items() if it.filled(now) < it.most}
            bucket = self._buckets[name] = Bucket(per_minute / self.processes, MINUTE, now)
        elif bucket.rate != per_minute / self.processes / MINUTE:  # there are more or fewer of us than there were
            left, bucket = bucket.filled(now), Bucket(per_minute / self.processes, MINUTE, now)
            bucket.tokens = min(left, bucket.most)
            self._buckets[name] = bucket
        return bucket


class ByteQuota:
    """Bytes that owners send a day (UTC). Counted here and written to the store every few seconds, so that a request
    that is counted waits for no disk; other processes' share is learned when the store is written to."""

    def __init__(self, store: Ledger, *, clock: Callable[[], float] = time.time) -> None:
        self._store, self._clock = store, clock
        self._day, self._midnight = "", 0.0  # the day that is counted, and when it ends
        self._stored: dict[str, int] = {}  # owner → what the store knows
        self._fresh: dict[str, int] = {}  # owner → what it was not told yet
        self._flushing: asyncio.Task[None] | None = None

    async def take(self, owner: str, bytes: int, limit: int | None) -> None:
        """Count so many bytes, unless they are too many for today. Raises Problem(RATE_LIMITED)."""
        if limit is None or not bytes:
            return
        now = self._clock()
        if not 0 < self._midnight - now <= DAY:
            await self._turn_page(now)
        day = self._day
        if owner not in self._stored:
            stored = await self._store.traffic(day, owner)
            self._stored.setdefault(owner, stored)
        if self._stored[owner] + self._fresh.get(owner, 0) + bytes > limit:
            message = f"This key may send {limit} bytes a day, and they would be exceeded."
            raise Problem(Kind.RATE_LIMITED, message, retry_after=DAY - now % DAY)
        self._fresh[owner] = self._fresh.get(owner, 0) + bytes
        if self._flushing is None or self._flushing.done():
            self._flushing = asyncio.get_running_loop().create_task(self._flush_later())

    async def _turn_page(self, now: float) -> None:
        day = datetime.fromtimestamp(now, UTC).date().isoformat()
        if day != self._day:
            await self.flush()
        if day != self._day:  # still: others may have turned the page meanwhile
            self._day, self._stored, self._fresh = day, {}, {}
            self._midnight = now - now % DAY + DAY

    async def _flush_later(self) -> None:
        await asyncio.sleep(FLUSH_SECONDS)
        await self.flush()

    async def flush(self) -> None:
        """What cannot be told is kept for the next time."""
        day, fresh = self._day, self._fresh
        if not fresh:
            return
        self._stored, self._fresh = added(self._stored, fresh), {}
        try:
            totals = await self._store.add_traffic(day, fresh)
        except Problem as problem:
            log.error("traffic_untold", reason=problem.message)
            if day == self._day:
                self._stored = added(self._stored, {owner: -bytes for owner, bytes in fresh.items()})
                self._fresh = added(fresh, self._fresh)
            return
        if day == self._day:
            self._stored |= totals

    async def close(self) -> None:
        if self._flushing is not None:
            self._flushing.cancel()
        await self.flush()


def added(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    return {name: one.get(name, 0) + other.get(name, 0) for name in {**one, **other}}


# -- callbacks ---------------------------------------------------------------------


def callback_token(secret: bytes, job: str) -> str:
    """What a vendor shows that calls us about a job: nobody else can make it, and it tells nothing but the job."""
    key = hmac.digest(secret, b"mutoscope callbacks", "sha256")  # not the key that signs links
    proof = base64.urlsafe_b64encode(hmac.digest(key, job.encode(), "sha256")).rstrip(b"=").decode()
    return f"{job}.{proof}"


def called_job(secret: bytes, token: str) -> str | None:
    """The job that a token is for; None when it is no token of ours."""
    job = token.partition(".")[0]
    return job if hmac.compare_digest(callback_token(secret, job).encode(), token.encode()) else None
