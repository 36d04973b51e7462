"""The API for keys with the right `admin`, in JSON: /admin/keys looks after keys, /admin/exchanges shows the records of
answers in words, /admin/marks reads the imperceptible mark of a file."""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec
import structlog
from msgspec import Meta, Struct

from mutoscope.engines.local.pool import Pool
from mutoscope.engines.local.shelf import MARK
from mutoscope.files.probe import sniff
from mutoscope.model.config import Rights
from mutoscope.model.http import HttpRequest, HttpResponse, json_response
from mutoscope.model.problem import Kind, Problem
from mutoscope.service.keys import OWN, Caller, Keys, Pair, make_key, make_pair, missing_key, rotate
from mutoscope.store import KeyRecord, Store
from mutoscope.wirekit.queries import read_query
from mutoscope.wirekit.task import bearer

log = structlog.get_logger(__name__)

T = TypeVar("T")

KEYS = "/admin/keys"
EXCHANGES = "/admin/exchanges"
MARKS = "/admin/marks"
MOST_SHOWN = 1000
LONGEST = 100 * 365 * 86400.0
NOT_STORED = {"cache-control": "no-store"}


class NewKey(Rights, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """The body of a create: a name, the rights, and for how long."""

    name: str
    pair: bool = False  # an access key and a secret that signs, in the place of one key
    expires_seconds: Annotated[float, Meta(gt=0, le=LONGEST)] | None = None


class Rotation(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    grace_seconds: Annotated[float, Meta(ge=0, le=LONGEST)] = 0.0
    pair: bool = False


class Exchanged(Struct, frozen=True, kw_only=True):
    """The query of a list of records."""

    owner: str | None = None
    before: str = ""  # an id: those that are older
    limit: Annotated[int, Meta(ge=1, le=MOST_SHOWN)] = 100


class Admin:
    def __init__(
        self, keys: Keys, store: Store, *, clock: Callable[[], float] = time.time, models: Pool | None = None
    ) -> None:
        """`models` are asked for the mark of a file."""
        self.keys, self.store, self.clock, self.models = keys, store, clock, models

    async def admit(self, request: HttpRequest) -> Caller:
        """Whose key the request shows. Raises Problem, also on an open server: whoever reaches it is
        not its administrator for that."""
        secret = bearer(request)
        try:
            caller = await self.keys.caller(secret)
        except Problem as problem:
            if secret or problem.kind is not Kind.UNAUTHENTICATED:
                raise
            raise missing_key(request, "authorization: Bearer <key>") from problem
        if self.keys.open:
            raise Problem(Kind.NOT_FOUND, "There is nothing here: this server takes no keys.")
        if not caller.rights.admin:
            raise Problem(Kind.FORBIDDEN, "This key may not look after keys; it needs the right `admin`.")
        return caller

    async def answer(self, request: HttpRequest) -> HttpResponse:
        """The request of an administrator. Raises Problem."""
        if request.path == EXCHANGES or request.path.startswith(f"{EXCHANGES}/"):
            return await self.exchanges(request)
        if request.path == MARKS:
            return await self.read_mark(request)
        if request.path != KEYS and not request.path.startswith(f"{KEYS}/"):
            raise not_found()
        match [request.method, *request.path.removeprefix(KEYS).split("/")[1:]]:
            case ["GET"]:
                return json_response({"keys": [as_json(key, self.clock()) for key in await self.store.keys()]})
            case ["POST"]:
                return await self.create(read(request.body, NewKey))
            case ["GET", id]:
                return json_response(as_json(await self.find(id), self.clock()))
            case ["DELETE", id]:
                return await self.revoke(id)
            case ["POST", id, "rotate"]:
                return await self.rotate(id, read(request.body or b"{}", Rotation))
            case [_] | [_, _] | [_, _, "rotate"]:
                raise Problem(Kind.WRONG_METHOD, f"{request.method} is not allowed here.")
            case _:
                raise not_found()

    async def exchanges(self, request: HttpRequest) -> HttpResponse:
        """Records of answers in words: a page of them, the newest first, or one with its bodies and its money."""
        if request.method != "GET":
            raise Problem(Kind.WRONG_METHOD, f"{request.method} is not allowed here.")
        id = request.path.removeprefix(EXCHANGES).removeprefix("/")
        if not id:
            asked = read_query(request, Exchanged)
            found = await self.store.exchanges(owner=asked.owner, before=asked.before, limit=asked.limit)
            return json_response({"exchanges": found}, headers=dict(NOT_STORED))
        record, entries = await self.store.exchange(id), await self.store.entries(id)
        if record is None:
            raise Problem(Kind.NOT_FOUND, f"There is no record of an exchange {id!r}.", field="id")
        return json_response({"exchange": record, "ledger": entries}, headers=dict(NOT_STORED))

    async def read_mark(self, request: HttpRequest) -> HttpResponse:
        """Whether the picture or clip that is the body bears our imperceptible mark."""
        if request.method != "POST":
            raise Problem(Kind.WRONG_METHOD, f"{request.method} is not allowed here.")
        media_type = sniff(request.body) or ""
        if self.models is None or not media_type.startswith(("image/", "video/")):
            raise Problem(Kind.BAD_MEDIA, "The body must be a picture or a clip, as it is, without a form around it.")
        with tempfile.NamedTemporaryFile() as file:
            file.write(request.body)
            file.flush()
            found = await self.models.ask(MARK, {"clip": media_type.startswith("video/")}, Path(file.name))
        return json_response({"mark": found})

    async def create(self, wish: NewKey) -> HttpResponse:
        now = self.clock()
        expires = None if wish.expires_seconds is None else now + wish.expires_seconds
        rights = Rights(**{name: getattr(wish, name) for name in OWN})
        pair = self.pair(wish.pair)
        secret, key = make_key(wish.name, rights, now=now, expires=expires, net=self.keys.net, pair=pair)
        await self.store.add_key(key)
        await self.keys.refresh()
        log.info("key_created", key=key.id, name=key.name)
        return json_response(as_json(key, now) | shown(secret, pair), 201, dict(NOT_STORED))

    async def rotate(self, id: str, wish: Rotation) -> HttpResponse:
        pair = self.pair(wish.pair)
        secret, key = await rotate(self.store, id, now=self.clock(), grace_seconds=wish.grace_seconds, pair=pair)
        await self.keys.refresh()
        log.info("key_rotated", key=id, successor=key.id)
        return json_response(as_json(key, self.clock()) | shown(secret, pair), 201, dict(NOT_STORED))

    def pair(self, wanted: bool) -> Pair | None:
        return make_pair(self.keys.secret) if wanted and self.keys.secret else None

    async def revoke(self, id: str) -> HttpResponse:
        key = await self.store.revoke_key(id, now=self.clock())
        if key is None:
            raise no_such_key(id)
        await self.keys.refresh()
        log.info("key_revoked", key=id)
        return json_response(as_json(key, self.clock()))

    async def find(self, id: str) -> KeyRecord:
        found = next((key for key in await self.store.keys() if key.id == id), None)
        if found is None:
            raise no_such_key(id)
        return found


def shown(secret: str, pair: Pair | None) -> dict[str, str]:
    """What is shown this once."""
    return {"access_key": pair.access, "secret_key": secret} if pair else {"key": secret}


def as_json(key: KeyRecord, now: float) -> dict[str, Any]:
    """A key as it is shown: never its digest."""
    state = "revoked" if key.revoked is not None else "valid" if key.valid(now) else "expired"
    rights: dict[str, Any] = msgspec.to_builtins(key.rights)
    facts = {
        "id": key.id,
        "name": key.name,
        "prefix": key.prefix,
        "state": state,
        "created": key.created,
        "expires": key.expires,
        "revoked": key.revoked,
        "last_used": key.last_used,
    }
    return {name: value for name, value in facts.items() if value is not None} | rights


def read(body: bytes, type: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=type)
    except msgspec.ValidationError as error:
        raise Problem(Kind.INVALID, str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Problem(Kind.INVALID, f"The request body is not valid JSON: {error}") from error


def no_such_key(id: str) -> Problem:
    return Problem(Kind.NOT_FOUND, f"There is no key {id!r}.", field="id")


def not_found() -> Problem:
    return Problem(Kind.NOT_FOUND, f"There is nothing here; there are {KEYS} and {EXCHANGES}.")
