"""One account that answers in words over the caller's own wire: request and answer pass as they are."""

import contextlib
import re
from collections.abc import Mapping

from mutoscope.cassettes.deck import Deck, Played, Replayed, Unrecorded
from mutoscope.engines.circuit_breaker import Breaker, Bucket
from mutoscope.files.egress import Channel, Declined, Lookup, VendorClient
from mutoscope.files.http1 import Opened
from mutoscope.model.config import Net, VendorAccount
from mutoscope.model.config import Relay as RelaySettings
from mutoscope.model.config import Words as WordsSettings
from mutoscope.model.http import HttpRequest
from mutoscope.model.problem import Kind, Problem
from mutoscope.wirekit.answers import retry_after_in
from mutoscope.wirekit.wire import Wire
from mutoscope.wirekit.words import Words

VERSION = re.compile(r"/v[0-9]+[a-z0-9]*$")
ACCOUNTS_FAULT = frozenset({401, 402, 403})
"""Refusals that speak of our account and not of the request: another one may take it, and the caller's key is fine."""
BUSY = frozenset({408, 429, 500, 502, 503, 504, 529})
"""Answers after which another account may be asked."""
PAUSE_SECONDS = 1.0  # an account that has too much to do is left alone for, where it does not say how long


class Peer:
    def __init__(
        self,
        name: str,
        account: VendorAccount,
        wire: Wire,
        words: Words,
        *,
        settings: WordsSettings,
        relay: RelaySettings,
        net: Net,
        models: Mapping[str, str],
        lookup: Lookup | None = None,
    ) -> None:
        """`models`: the wire's names of the catalog's models. Raises Problem for a base URL that is none."""
        self.name, self.account, self.wire, self.words, self.settings = name, account, wire, words, settings
        self.models = models
        self.vendor_client = VendorClient(
            based(account.base_url or words.base_url, wire.optional),
            lambda: words.sign(account.key),
            net,
            seconds=settings.first_seconds,
            lookup=lookup,
        )
        self.breaker = Breaker(failures=relay.breaker_failures, seconds=relay.breaker_seconds)
        self.bucket = Bucket(account.requests_per_second)
        self.deck: Deck | None = None  # set where what the account answers is recorded, or was
        self.open = 0  # answers under way

    def serves(self, model: str) -> bool:
        """Whether it is asked for a model of this name."""
        return bool(self.account.open_models) or self.names(model)

    def names(self, model: str) -> bool:
        """Whether it is known to have it."""
        return model in self.account.renames or model in (self.account.models or self.models)

    @property
    def free(self) -> bool:
        most = self.account.max_in_flight
        return self.breaker.allows and (not most or self.open < most)

    async def ask(self, request: HttpRequest, model: str, *, deck: Deck | None = None) -> tuple[Opened, bytes]:
        """The head of an answer and its first piece. The answer is counted as under way until `done`. `deck`: where it
        is recorded, or was.

        Raises Problem where there is none, or one after which another account may be asked.
        """
        self.open += 1
        opened: Opened | None = None
        try:
            await self.bucket.take()
            with self.breaker.trying():
                send = self.vendor_client.open
                opened = await (deck.open(request, model, send) if deck else send(request))
                first = await opened.piece(self.settings.first_seconds)
        except BaseException as error:
            if isinstance(error, Problem) and not isinstance(opened or error, Played | Replayed | Unrecorded):
                self.breaker.failed(error.message)
            self.done(opened)
            raise
        try:
            self.judge(opened)
        except Problem:
            self.done(opened)
            raise
        return opened, first

    async def connect(self, request: HttpRequest, max_bytes: int) -> Channel:
        """A WebSocket, which is counted as under way until `done`. Raises Problem where there is none."""
        self.open += 1
        try:
            await self.bucket.take()
            with self.breaker.trying():
                channel = await self.vendor_client.socket(request, max_bytes=max_bytes)
        except BaseException as error:
            self.done(None)
            if isinstance(error, Declined):
                raise self.declined(error) from error
            if isinstance(error, Problem):
                self.breaker.failed(error.message)
            raise
        self.breaker.succeeded()
        return channel

    def declined(self, error: Declined) -> Problem:
        """Count a refused handshake for the breaker."""
        status, after = error.answered, retry_after_in(error.headers)
        if status == 429:
            self.breaker.pause(after or PAUSE_SECONDS, "status 429")
            return Problem(Kind.RATE_LIMITED, f"The account {self.name} has too much to do.", retry_after=after)
        if status in ACCOUNTS_FAULT or status in BUSY:
            self.breaker.failed(f"status {status}")
        else:
            self.breaker.succeeded()
        return Problem(Kind.UPSTREAM_FAILED, f"The account {self.name} opens no realtime session: status {status}.")

    def judge(self, opened: Opened) -> None:
        """Count an answer for the breaker. Raises Problem for one that another account may do better."""
        status = opened.status
        if isinstance(opened, Played):  # it says nothing of how the account fares now
            if status in ACCOUNTS_FAULT:
                raise Problem(Kind.UPSTREAM_FAILED, f"The account {self.name} was refused with status {status}.")
            return
        if status in ACCOUNTS_FAULT:
            self.breaker.failed(f"status {status}")
            raise Problem(Kind.UPSTREAM_FAILED, f"The account {self.name} was refused with status {status}.")
        if status == 429:
            self.breaker.pause(retry_after_in(opened.headers) or PAUSE_SECONDS, "status 429")
        elif status in BUSY:
            self.breaker.failed(f"status {status}")
        else:
            self.breaker.succeeded()

    def broke_off(self, opened: Opened, reason: str) -> None:
        """Count an answer without an end for the breaker; a recording says nothing of how the account fares now."""
        if not isinstance(opened, Played):
            self.breaker.failed(reason)

    def done(self, opened: Opened | None) -> None:
        self.open -= 1
        if opened is not None:
            opened.close()

    async def close(self) -> None:
        with contextlib.suppress(Exception):
            await self.vendor_client.close()


def based(url: str, version: str) -> str:
    """A base URL as SDKs take it, with the version of the API or without, as one below which our paths stand."""
    plain = url.rstrip("/")
    return plain.removesuffix(version) if version and plain.endswith(version) else plain


def path_below(base_path: str, path: str, version: str) -> str:
    """A path of ours below a base that ends in a version of its own: `/api/paas/v4` has `/chat/completions`."""
    return path.removeprefix(version) if VERSION.search(base_path.rstrip("/")) else path
