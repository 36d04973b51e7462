"""`mutoscope keys`: make, list, revoke and rotate API keys, beside a running server or without one."""

import re
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from urllib.parse import quote

import msgspec
from cyclopts import App, Parameter
from rich.text import Text

from mutoscope.cli import _records, _show
from mutoscope.cli._failure import Stop
from mutoscope.cli._options import AsJson, Config, Data, Number, Whole, settings_of
from mutoscope.cli._server import Elsewhere, asked
from mutoscope.cli._server import Key as Secret
from mutoscope.files.data_dir import Home
from mutoscope.model.catalog import Catalog
from mutoscope.model.config import BUILT_IN, Key, Rights, Settings
from mutoscope.model.job import Json
from mutoscope.service import keys as access
from mutoscope.store import KeyRecord
from mutoscope.web import admin
from mutoscope.wires import BY_NAME, ROWS

app = App(name="keys", help="Make, list, revoke and rotate API keys.")

DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)([smhdw])")
UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 7 * 86400.0}
KEYS = admin.KEYS

Id = Annotated[str, Parameter(help="A key's id, as `mutoscope keys list` shows it.")]
Listed = Annotated[tuple[str, ...], Parameter(negative="", consume_multiple=False)]
"""An option that may be given several times."""


@app.command
async def create(
    name: str,
    *,
    wire: Listed = (),
    model: Listed = (),
    engine: Listed = (),
    admin: Annotated[bool, Parameter(negative="")] = False,
    expires: str | None = None,
    webhook: str = "",
    requests_per_second: Number = None,
    requests_per_minute: Whole = None,
    tokens_per_minute: Whole = None,
    max_concurrent: Whole = None,
    max_daily: Whole = None,
    max_queued: Whole = None,
    max_bytes_daily: Whole = None,
    budget: Number = None,
    budget_period: Literal["day", "month", "total"] = "month",
    pair: Annotated[bool, Parameter(negative="")] = False,
    toml: Annotated[bool, Parameter(negative="")] = False,
    server: Elsewhere = None,
    key: Secret = None,
    data: Data = None,
    config: Config = None,
) -> None:
    """Make a key. It is printed this once; only its digest is kept. A running server takes it within a second.

    Parameters
    ----------
    name
        Whose key it is: jobs, limits and usage go by it. Two keys of one name share what they make.
    wire
        An API that it may use; give it several times for several. Default: all.
    model
        A model of the catalog that it may use, likewise.
    engine
        An engine that may make its jobs, likewise; the name of an API stands for all accounts there.
    admin
        It may look after other keys, under /admin.
    expires
        For how long it is taken: 90m, 12h, 30d.
    webhook
        Where the news of its jobs is sent, for requests that name no address themselves.
    requests_per_second
        Its own limit instead of that of [limits], as are those that follow down to --max-bytes-daily; 0 sets none.
    requests_per_minute
        Likewise, by the minute.
    tokens_per_minute
        Tokens of answers in words, read and written.
    max_concurrent
        Unfinished jobs of one model; further ones wait.
    max_daily
        Jobs of one model in 24 hours.
    max_queued
        Jobs that wait, of all models together.
    max_bytes_daily
        Bytes of request bodies and uploads a day.
    budget
        Credits (US$0.01 each) that jobs and words of this name may cost in a period.
    budget_period
        The period: a day or a month (UTC), or all time.
    pair
        Make an AccessKey and a SecretKey, for clients that sign a token (JWT) with them, as Kling's do.
    toml
        Keep nothing: print a [[keys]] section for the configuration file instead.
    """
    given = {
        "webhook": webhook,
        "admin": admin,
        "wires": wire,
        "models": model,
        "engines": engine,
        "requests_per_second": requests_per_second,
        "requests_per_minute": requests_per_minute,
        "tokens_per_minute": tokens_per_minute,
        "max_concurrent": max_concurrent,
        "max_daily": max_daily,
        "max_queued": max_queued,
        "max_bytes_daily": max_bytes_daily,
        "budget": budget,
        "budget_period": budget_period,
    }
    rights = rights_of(given)
    if server:
        if toml:
            raise Stop("--toml keeps nothing, and needs no --server.", 2)
        seconds = None if expires is None else seconds_of(expires, "--expires")
        wish = msgspec.to_builtins(rights) | {"name": name, "pair": pair, "expires_seconds": seconds}
        print_far(await asked(server, "POST", KEYS, key, {field: v for field, v in wish.items() if v is not None}))
        return
    settings = settings_of(config, data=data)
    check_rights(rights, settings)
    now = time.time()
    until = None if expires is None else now + seconds_of(expires, "--expires")
    halves = pair_of(settings) if pair else None
    secret, made = access.make_key(name, rights, now=now, expires=until, net=settings.net, pair=halves)
    if toml:
        lines = "\n  ".join(shown(secret, halves))
        _show.err.print(f"The key, for the client (it is not stored):\n\n  {lines}\n\nFor mutoscope.toml:\n")
        _show.out.print(section(made), markup=False)
        return
    async with _records.made(settings) as store:
        await store.add_key(made)
    print_secret(secret, made, halves)


@app.command(name="list")
async def list_(
    *,
    server: Elsewhere = None,
    key: Secret = None,
    data: Data = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """The keys of the store and of the configuration file, and when each was last used. Of a server elsewhere, those of
    its store."""
    if server:
        list_far((await asked(server, "GET", KEYS, key))["keys"], as_json=as_json)
        return
    settings = settings_of(config, data=data)
    kept: Sequence[KeyRecord] = ()
    if _records.is_there(settings):
        async with _records.opened(settings) as store:
            kept = await store.keys()
    now = time.time()
    if as_json:
        _show.print_json([admin.as_json(key, now) for key in kept] + [in_file(each) for each in settings.keys])
        return
    if not kept and not settings.keys:
        _show.err.print("There are no keys: the server is open to this machine, and to no other.")
        return
    rows = [
        (
            key.id,
            Text(key.name),
            f"{key.prefix}…",
            str(admin.as_json(key, now)["state"]),
            _show.moment(key.expires),
            _show.moment(key.last_used),
            Text(rendered_rights(key.rights)),
        )
        for key in kept
    ]
    rows += [
        (
            "",
            Text(key.name),
            "",
            "in the file",
            _show.moment(access.seconds_of(key.expires)),
            "",
            Text(rendered_rights(key)),
        )
        for key in settings.keys
    ]
    _show.print_table(COLUMNS, rows)


COLUMNS = ("id", "name", "key", "state", "expires", "last used", "rights")


@app.command
async def revoke(
    id: Id, *, server: Elsewhere = None, key: Secret = None, data: Data = None, config: Config = None
) -> None:
    """Take a key no more. A running server stops taking it within a second; what it made stays."""
    if server:
        told = await asked(server, "DELETE", key_path(id), key)
        _show.out.print(f"{id} ({told['name']}) is revoked.", markup=False)
        return
    async with _records.opened(settings_of(config, data=data)) as store:
        revoked = await store.revoke_key(id, now=time.time())
    if revoked is None:
        raise unknown(id)
    _show.out.print(f"{id} ({revoked.name}) is revoked.", markup=False)


@app.command
async def rotate(
    id: Id,
    *,
    grace: str = "0s",
    pair: Annotated[bool, Parameter(negative="")] = False,
    server: Elsewhere = None,
    key: Secret = None,
    data: Data = None,
    config: Config = None,
) -> None:
    """Make a key in place of another: same name, same rights. The old one is taken for the grace only.

    Parameters
    ----------
    grace
        How long the old key is still taken: 90m, 12h, 30d.
    pair
        The new one is an AccessKey and a SecretKey.
    """
    seconds = seconds_of(grace, "--grace")
    if server:
        wish = {"grace_seconds": seconds, "pair": pair}
        print_far(await asked(server, "POST", f"{key_path(id)}/rotate", key, wish))
        return
    settings = settings_of(config, data=data)
    async with _records.opened(settings) as store:
        halves = pair_of(settings) if pair else None
        secret, fresh = await access.rotate(store, id, now=time.time(), grace_seconds=seconds, pair=halves)
    print_secret(secret, fresh, halves)


# -- a server elsewhere ----------------------------------------------------------------


def key_path(id: str) -> str:
    return f"{KEYS}/{quote(id, safe='')}"


def list_far(keys: list[Json], *, as_json: bool) -> None:
    if as_json:
        _show.print_json(keys)
    elif keys:
        _show.print_table(COLUMNS, [far_row(each) for each in keys])
    else:
        _show.err.print("There are none in its store; those of its configuration file are not told.")


def far_row(key: Json) -> tuple[str | Text, ...]:
    rights = {field.name: key[field.name] for field in msgspec.structs.fields(Rights) if field.name in key}
    return (
        key["id"],
        Text(key["name"]),
        f"{key['prefix']}…",
        key["state"],
        _show.moment(key.get("expires")),
        _show.moment(key.get("last_used")),
        Text(rendered_rights(msgspec.convert(rights, Rights))),
    )


def print_far(told: Json) -> None:
    pair = access.Pair(access=told["access_key"], secret=told["secret_key"]) if "access_key" in told else None
    print_made(told["id"], told["name"], told.get("expires"), shown(told.get("key", ""), pair))


# -- what is asked for -----------------------------------------------------------------


def pair_of(settings: Settings) -> access.Pair:
    """Of the secret that the server of this data directory has."""
    return access.make_pair(Home(settings.data).link_secret(settings.files.link_secret))


def rights_of(given: Mapping[str, object]) -> Rights:
    """Raises Stop for a limit below zero."""
    try:
        return msgspec.convert(given, Rights)
    except msgspec.ValidationError as error:
        where, option = str(error).partition(" - at `$.")[::2]
        raise Stop(f"--{option.rstrip('`').replace('_', '-')}: {where}", 2) from error


def check_rights(rights: Rights, settings: Settings) -> None:
    """Raises Stop for a name that nothing here has."""
    engines = dict.fromkeys([*BUILT_IN, *settings.engines, *settings.accounts, *BY_NAME])
    check_known("--wire", rights.wires, BY_NAME)
    words = {word: None for each in settings.accounts.values() for word in (*each.renames, *each.models)}
    check_known(
        "--model", rights.models, dict.fromkeys([*Catalog(ROWS, settings.models).models, *settings.models, *words])
    )
    check_known("--engine", rights.engines, engines)


def check_known(option: str, names: Sequence[str], known: Mapping[str, object]) -> None:
    for name in names:
        if name not in known:
            raise Stop(f"{option} {name}: there is none of this name; there are {', '.join(known)}.", 2)


def seconds_of(text: str, option: str) -> float:
    """90m → 5400. Raises Stop."""
    match = DURATION.fullmatch(text)
    if match is None:
        raise Stop(f"{option} {text}: a time is a number and one of s, m, h, d and w, like 30d.", 2)
    seconds = float(match[1]) * UNITS[match[2]]
    if seconds > admin.LONGEST:
        raise Stop(f"{option} {text}: that is more than 100 years.", 2)
    return seconds


def unknown(id: str) -> Stop:
    return Stop(f"There is no key {id!r} here. `mutoscope keys list` shows them; those of the file have no id.")


# -- what is shown -----------------------------------------------------------------------


def shown(secret: str, pair: access.Pair | None) -> list[str]:
    return [f"AccessKey: {pair.access}", f"SecretKey: {pair.secret}"] if pair else [secret]


def print_secret(secret: str, key: KeyRecord, pair: access.Pair | None = None) -> None:
    """The key alone on the standard output, so that a script can take it."""
    print_made(key.id, key.name, key.expires, shown(secret, pair))


def print_made(id: str, name: str, expires: float | None, lines: Sequence[str]) -> None:
    until = f", until {_show.moment(expires)}" if expires else ""
    _show.err.print(f"{id} for {name}{until}. The key, which is shown this once:\n", markup=False)
    for line in lines:
        _show.out.print(line, markup=False, soft_wrap=True)


def rendered_rights(rights: Rights) -> str:
    """What a key may do differently from others, in a line."""
    return ", ".join(f"{name} {msgspec.json.encode(value).decode()}" for name, value in known_rights(rights).items())


def section(key: KeyRecord) -> str:
    """A key as a section of the configuration file."""
    facts = {"name": key.name, "sha256": key.digest, **known_rights(key.rights)}
    lines = [f"{name} = {msgspec.json.encode(value).decode()}" for name, value in facts.items()]
    if key.expires is not None:
        lines.append(f"expires = {datetime.fromtimestamp(int(key.expires), UTC):%Y-%m-%dT%H:%M:%SZ}")
    return "\n".join(["[[keys]]", *lines])  # text, lists and figures are the same in JSON and in TOML


def in_file(key: Key) -> dict[str, Any]:
    return {"name": key.name, "state": "in the file", "expires": access.seconds_of(key.expires), **known_rights(key)}


def known_rights(rights: Rights) -> dict[str, Any]:
    """Those that are not as usual."""
    told: dict[str, Any] = msgspec.to_builtins(rights)
    usual = {field.name: field.default for field in msgspec.structs.fields(Rights)}
    return {name: told[name] for name in usual if name in told and getattr(rights, name) not in (usual[name], {})}
