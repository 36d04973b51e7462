"""`mutoscope doctor`: what is installed, reachable and missing, and what to do about it."""

import asyncio
import http.client
import importlib.metadata
import os
import platform
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, NamedTuple

import msgspec
from cyclopts import Parameter
from rich.text import Text

from mutoscope import __version__
from mutoscope.background.members import DELIVER, MOST_OFFSET, RECOVER, SWEEP, TOLD_OFFSET
from mutoscope.cli import _records, _server, _show
from mutoscope.cli._check import Check, Verdict
from mutoscope.cli._options import AsJson, Config, Data, settings_of
from mutoscope.cli.serve import is_loopback
from mutoscope.engines.diffusers import Diffusers
from mutoscope.engines.local.pool import Pool
from mutoscope.engines.local.rows import ROWS as ROWS_OF_WEIGHTS
from mutoscope.engines.local.shelf import MARK, Shelf, Standing
from mutoscope.engines.studio import Studio
from mutoscope.files import c2pa as signing
from mutoscope.files.assets import KEY, digest, local_root, place
from mutoscope.files.bucket import NOWHERE, Bucket, BucketUnavailable
from mutoscope.files.probe import Prober
from mutoscope.model import config
from mutoscope.model.catalog import Catalog
from mutoscope.model.config import BadSettings, Settings
from mutoscope.model.problem import Problem
from mutoscope.store import NewerDatabase, check_readable
from mutoscope.store.fleet import Member
from mutoscope.telemetry import tracing
from mutoscope.wires import ROWS

OLDEST_PYTHON = (3, 11)
OLDEST_SQLITE = (3, 38, 0)
LITTLE_SPACE = 1_000_000_000  # bytes; some dozens of clips
SLOW_SYNC_MS = 50.0
SYNCS = 5
ANSWER_SECONDS = 2.0
FILES_TOLD = 10
OTHER_MODEL = "name another file, or leave the section out: docs/02-running.md says what each model takes and gives"
SLOW_BUCKET_SECONDS = 2.0
BUCKET_LOG = "look for bucket_failed in the log; is [files] endpoint right?"
BUCKET_ADVICE = {
    "it is not there": "make the bucket, or mend its name in [files] store",
    "it refuses the credentials": "is the key right? It needs to list the bucket, and to get, put and delete in it",
    "there are no credentials for it": "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or [files] options",
    "it cannot be reached": "is [files] endpoint right, and does this machine reach it?",
    "it does not answer in time": "does this machine reach it? [files] timeout_seconds says how long it may take",
    "it is overloaded, or throttles": "wait, or ask its operator for a higher rate",
}


COLORS = {Verdict.GOOD: "green", Verdict.MISSING: "yellow", Verdict.BROKEN: "bold red"}


def doctor(
    *,
    server: str | None = None,
    key: str | None = None,
    data: Data = None,
    config: Config = None,
    files: Annotated[bool, Parameter(negative="")] = False,
    as_json: AsJson = False,
) -> int:
    """What is installed, reachable and missing, and what to do about it. Exit code 1 when something essential is.

    Parameters
    ----------
    server
        Look at a server that runs, by its address, instead of at this machine: https://media.example.com.
    key
        An admin's key or the token of [metrics], for what that server tells its operator only.
    files
        Read every file that is kept, too, and hold it against its digest. That takes as long as the disk takes.
    """
    checks = list(_server.examine(server, key) if server else examine(config, data, files=files))
    if as_json:
        _show.print_json(checks)
    else:
        for each in checks:
            show(each)
    return 1 if any(each.verdict is Verdict.BROKEN for each in checks) else 0


def show(each: Check) -> None:
    mark = Text(f"{each.verdict:<8}", style=COLORS[each.verdict])
    _show.out.print(Text.assemble(mark, (f"{each.what:<15} ", "bold"), each.found))
    if each.advice:
        _show.out.print(Text(f"{'':<24}→ {each.advice}"))


def examine(file: Path | None, data: Path | None, *, files: bool = False) -> Iterator[Check]:
    yield Check(what="mutoscope", found=__version__)
    yield python()
    yield sqlite()
    yield from dependencies()
    yield program("ffmpeg", "videos can be written with it where PyAV has no x264")
    yield program("espeak-ng", "speech will need it: apt install espeak-ng, or brew install espeak-ng")
    settings, check = configured(file, data)
    yield check
    yield encoder(settings.studio.encoder if settings else "auto")
    yield credentials(settings.credentials if settings else config.Credentials())
    if settings is not None:
        yield from weights(settings)
    yield strangers_files(settings.inputs if settings else config.Inputs())
    yield renders(settings.studio if settings else config.Studio())
    if settings is not None:
        yield traces(settings.tracing)
        yield from diffusion_engines(settings)
        yield from home(settings)
        if settings.store.url:
            yield from fleet(settings)
        if local_root(settings.files.store, settings.data) is None:
            yield bucket(settings)
        if files:
            yield kept_files(settings)
        yield door(settings)


# -- what is installed -----------------------------------------------------------


def python() -> Check:
    found = f"{platform.python_version()} at {sys.executable}"
    if sys.version_info < OLDEST_PYTHON:
        return Check(what="Python", verdict=Verdict.BROKEN, found=found, advice="install Python 3.11 or later")
    return Check(what="Python", found=found)


def sqlite() -> Check:
    found = sqlite3.sqlite_version
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        needed = ".".join(map(str, OLDEST_SQLITE))
        advice = f"use a Python that comes with SQLite {needed} or later, such as uv's own"
        return Check(what="SQLite", verdict=Verdict.BROKEN, found=found, advice=advice)
    return Check(what="SQLite", found=found)


def dependencies() -> Iterator[Check]:
    """Each distribution that the program's own metadata asks for."""
    present: list[str] = []
    for name in required():
        try:
            present.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            advice = f"pip install {name}"
            yield Check(what=name, verdict=Verdict.BROKEN, found="not installed", advice=advice)
    yield Check(what="dependencies", found=", ".join(present) or "unknown: mutoscope runs without being installed")


def required() -> list[str]:
    try:
        lines = importlib.metadata.requires("mutoscope") or []
    except importlib.metadata.PackageNotFoundError:
        return []
    return [re.split(r"[^\w.-]", line, maxsplit=1)[0] for line in lines if "extra ==" not in line]


def encoder(wanted: str) -> Check:
    """What will write the videos."""
    advice = "reinstall PyAV from its wheel (pip install --force-reinstall --only-binary av av), or install ffmpeg"
    try:
        # Late: it loads PyAV and OpenCV, and a broken wheel must not keep the doctor from saying so.
        from mutoscope.studio.encoder import find

        found = find(wanted)
    except Exception as error:
        if wanted != "auto":
            advice += f'; or set [studio] encoder = "auto" instead of "{wanted}"'
        return Check(what="H.264", verdict=Verdict.BROKEN, found=str(error) or repr(error), advice=advice)
    if not found.makes_h264:
        advice = "videos are not H.264 and play in fewer places; install ffmpeg with x264"
        return Check(what="H.264", verdict=Verdict.MISSING, found=str(found), advice=advice)
    return Check(what="H.264", found=str(found))


def program(name: str, use: str) -> Check:
    found = shutil.which(name)
    if found is None:
        return Check(what=name, verdict=Verdict.MISSING, found="not on the path", advice=use)
    return Check(what=name, found=found)


SANDBOX = {
    "network": "connections",
    "files": "other files",
    "processes": "other processes",
    "memory": "unbounded memory",
}


def strangers_files(settings: config.Inputs) -> Check:
    """What the child that opens input files is kept from, tried out."""
    found = asyncio.run(tried_sandbox(Prober(settings)))
    advice = "reinstall PyAV and Pillow from their wheels (pip install --force-reinstall --only-binary :all: av pillow)"
    return sandbox_check("input files", "opened", found, advice)


def renders(settings: config.Studio) -> Check:
    """What a child that renders is kept from, where it runs no command."""
    found = asyncio.run(tried_sandbox(Studio(settings)))
    advice = "reinstall the program with its dependencies, and look into the log of a server that renders"
    return sandbox_check("renders", "made", found, advice)


def sandbox_check(what: str, done: str, found: dict[str, bool], repair: str) -> Check:
    if not found:
        return Check(what=what, verdict=Verdict.BROKEN, found="the child that is to do it fails", advice=repair)
    shut = ", ".join(each for wall, each in SANDBOX.items() if found[wall])
    if all(found.values()):
        return Check(what=what, found=f"{done} in a child without {shut}")
    open_ways = ", ".join(each for wall, each in SANDBOX.items() if not found[wall])
    told = f"{done} in a child that this system cannot keep from {open_ways}; it is without {shut or 'any wall'}"
    advice = "run it on Linux 5.13 or later (seccomp and Landlock), on x86-64 or 64-bit ARM"
    return Check(what=what, verdict=Verdict.MISSING, found=told, advice=advice)


async def tried_sandbox(whose: Prober | Studio) -> dict[str, bool]:
    try:
        return await whose.sandbox()
    finally:
        await whose.close()


def credentials(settings: config.Credentials) -> Check:
    """Whether what is made here will be signed, and by whom."""
    if settings.enabled is False:
        return Check(what="c2pa", found="switched off: files carry no content credentials")
    if lacking := signing.missing():
        verdict = Verdict.BROKEN if settings.enabled is True or settings.certificate else Verdict.MISSING
        found = f"{lacking} is not installed: files carry no content credentials"
        return Check(what="c2pa", verdict=verdict, found=found, advice=signing.INSTALL)
    version = importlib.metadata.version("c2pa-python")
    if not (settings.certificate or settings.key):
        return Check(what="c2pa", found=f"c2pa-python {version}, signs with a certificate of its own")
    try:
        begin, end = signing.validity(signing.operators(settings).certificate)
    except BadSettings as error:
        advice = "set both to PEM files that belong together, or neither"
        return Check(what="c2pa", verdict=Verdict.BROKEN, found=str(error), advice=advice)
    if not begin <= datetime.now(UTC) <= end:
        found = f"{settings.certificate} is good from {begin:%Y-%m-%d} to {end:%Y-%m-%d}, and the clock is outside that"
        return Check(what="c2pa", verdict=Verdict.BROKEN, found=found, advice="renew the certificate, or set the clock")
    return Check(what="c2pa", found=f"c2pa-python {version}, signs with {settings.certificate}")


def weights(settings: Settings) -> Iterator[Check]:
    """Which trained models can be used, and whether what is made will be marked."""
    shelf = Shelf(settings.weights, settings.data, settings.own_weights)
    yield from own_weights(shelf)
    found = {row.name: shelf.verify(row.name) for row in ROWS_OF_WEIGHTS}
    ready = [name for name, each in found.items() if each.ready]
    absent = [name for name, each in found.items() if each.standing is Standing.ABSENT]
    others = f"; not fetched: {', '.join(absent)}" if absent else ""
    yield Check(what="weights", found=f"ready: {', '.join(ready) or 'none'}{others}")
    for name, each in found.items():
        if each.standing in (Standing.DAMAGED, Standing.TOO_BIG) or (
            each.standing is Standing.NO_RUNTIME and (shelf.folder / name).is_dir()
        ):
            told, _, advice = each.told.rpartition(": ")
            verdict = Verdict.BROKEN if each.standing is Standing.DAMAGED else Verdict.MISSING
            yield Check(what="weights", verdict=verdict, found=told or each.told, advice=advice if told else "")
    if settings.mark.enabled is False:
        yield Check(what="mark", found="switched off: pictures bear no imperceptible mark")
    elif found[MARK].ready:
        yield Check(what="mark", found="pictures and clips that are made here bear an imperceptible mark")
    else:
        verdict = Verdict.BROKEN if settings.mark.enabled is True else Verdict.MISSING
        told, _, advice = found[MARK].told.rpartition(": ")
        found_told = f"pictures bear no imperceptible mark: {told or found[MARK].told}"
        yield Check(what="mark", verdict=verdict, found=found_told, advice=advice if told else "")


def own_weights(shelf: Shelf) -> Iterator[Check]:
    """The operator's own models, each loaded and tried."""

    async def tried() -> dict[str, str]:
        pool = Pool(shelf)
        try:
            return {name: await pool.trial(name) for name in shelf.own}
        finally:
            await pool.close()

    for name, wrong in asyncio.run(tried()).items():
        what = f"own_weights.{name}"
        if not wrong:
            yield Check(what=what, found=f"{shelf.own[name].path}: {shelf.own[name].does}")
            continue
        told, _, advice = wrong.rpartition(": ") if shelf.look(name).standing is not Standing.UNFIT else (wrong, "", "")
        yield Check(what=what, verdict=Verdict.BROKEN, found=told or wrong, advice=advice if told else OTHER_MODEL)


# -- what is configured ------------------------------------------------------------


def configured(file: Path | None, data: Path | None) -> tuple[Settings | None, Check]:
    chosen = file or Path(config.FILE)
    found = str(chosen.absolute()) if file or chosen.is_file() else f"no {config.FILE} here: the defaults hold"
    try:
        settings = settings_of(file, data=data)
        Catalog(ROWS, settings.models)
    except (BadSettings, Problem) as error:
        advice = "mutoscope.default.toml shows every setting with its default"
        return None, Check(what="settings", verdict=Verdict.BROKEN, found=str(error), advice=advice)
    if not is_loopback(settings.server.host) and not asyncio.run(_records.has_keys(settings)):
        advice = "mutoscope keys create NAME"
        text = f"{found}: host {settings.server.host} without any key; serve will refuse"
        return settings, Check(what="settings", verdict=Verdict.BROKEN, found=text, advice=advice)
    return settings, Check(what="settings", found=found)


def traces(settings: config.Tracing) -> Check:
    """Whether spans are sent, and what that lacks."""
    wanted = settings.enabled is True or (settings.enabled == "auto" and config.collector_is_named())
    if not wanted:
        return Check(what="traces", found="not sent: no collector is named, or they are switched off")
    if not tracing.is_installed():
        verdict = Verdict.BROKEN if settings.enabled is True else Verdict.MISSING
        return Check(what="traces", verdict=verdict, found="not sent: packages are missing", advice=tracing.INSTALL)
    return Check(what="traces", found="sent to the collector that the environment names")


PACKAGES = {"diffusers": ("torch", "diffusers", "transformers"), "ray": ("ray", "torch", "diffusers")}
VERSIONS = (
    "import sys, json; from importlib.metadata import version; print(json.dumps([version(n) for n in sys.argv[1:]]))"
)


def diffusion_engines(settings: Settings) -> Iterator[Check]:
    """Whether each engine of open weights has a row, a Python with what it needs, and its folder of weights."""
    for name, each in settings.engines.items():
        what = f"engine {name}"
        try:
            row = Diffusers(name, each).row_name
            python, packages = each.python or sys.executable, PACKAGES[each.kind]
            command = [python, "-c", VERSIONS, *packages]
            told = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)  # noqa: S603 (ours)
            if told.returncode:
                lacking = (told.stderr.strip().splitlines() or ["it cannot be run"])[-1]
                raise BadSettings(f"{python}: {lacking}")
        except (BadSettings, OSError, subprocess.TimeoutExpired) as error:
            advice = "install torch, diffusers and what docs/02-running.md names, and set `python` to it"
            yield Check(what=what, verdict=Verdict.BROKEN, found=str(error), advice=advice)
            continue
        versions = ", ".join(
            map(" ".join, zip(packages, msgspec.json.decode(told.stdout, type=list[str]), strict=True))
        )
        if (
            not each.online
            and each.kind == "diffusers"
            and each.model.startswith(("/", "."))
            and not Path(each.model).is_dir()
        ):
            advice = "put the weights there, or set `online = true` and the hub's name"
            yield Check(what=what, verdict=Verdict.BROKEN, found=f"{each.model} is not there", advice=advice)
        else:
            yield Check(what=what, found=f"{row} by {versions}")


def home(settings: Settings) -> Iterator[Check]:
    root = settings.data
    there = next(each for each in (root, *root.absolute().parents) if each.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        advice = "choose another with --data, or make it writable for this user"
        yield Check(what="data directory", verdict=Verdict.BROKEN, found=f"{root} cannot be written", advice=advice)
        return
    yield Check(what="data directory", found=str(root) if root.exists() else f"{root} (will be made at first start)")
    if _records.is_there(settings):
        yield records(settings, root / _records.DATABASE)
    yield space(there)
    yield disk(there)


def records(settings: Settings, path: Path) -> Check:
    url = settings.store.url
    try:
        check_readable(url, path)
    except (NewerDatabase, Problem, BadSettings) as error:
        advice = "choose another directory with --data, or put back the copy that fits"
        advice = "see [store] url, and whether the database is up" if url else advice
        return Check(what="job store", verdict=Verdict.BROKEN, found=str(error), advice=advice)
    if url:
        return Check(what="job store", found="PostgreSQL, as [store] url says")
    return Check(what="job store", found=f"{path}, {_show.size(path.stat().st_size)}")


def space(where: Path) -> Check:
    free = shutil.disk_usage(where).free
    found = f"{_show.size(free)} free"
    if free < LITTLE_SPACE:
        return Check(what="disk space", verdict=Verdict.MISSING, found=found, advice="make room: results are kept here")
    return Check(what="disk space", found=found)


def disk(where: Path) -> Check:
    """How long the disk takes to make a write durable: each batch of new jobs waits for that once."""
    took = synced_ms(where)
    if took > SLOW_SYNC_MS:
        advice = "jobs are still safe, but each batch of new ones waits so long; a local SSD is faster"
        return Check(what="fsync", verdict=Verdict.MISSING, found=f"{took:.1f} ms", advice=advice)
    return Check(what="fsync", found=f"{took:.2f} ms")


def synced_ms(where: Path) -> float:
    """The median of a few."""
    times: list[float] = []
    with tempfile.TemporaryFile(dir=where) as file:
        for _ in range(SYNCS):
            file.write(b"x" * 4096)
            file.flush()
            started = time.perf_counter()
            os.fsync(file.fileno())
            times.append((time.perf_counter() - started) * 1000)
    return sorted(times)[SYNCS // 2]


def kept_files(settings: Settings) -> Check:
    """Every file against the digest that is its name, and those that records name but are not there."""
    root = local_root(settings.files.store, settings.data)
    if root is None:
        return files_in_bucket(settings)
    whole, damaged = 0, list[str]()
    for path in sorted(root.glob("??/*")):
        if KEY.fullmatch(path.name):
            sound = digest(path) == path.name.partition(".")[0]
            whole += sound
            damaged += [] if sound else [path.name]
    absent = asyncio.run(missing_files(settings, root)) if _records.is_there(settings) else []
    if not damaged and not absent:
        return Check(what="files", found=f"{whole} are as they were stored")
    found = f"{whole} are as they were stored; damaged: {listed(damaged)}; not there: {listed(absent)}"
    advice = (
        f"restore them under {root} from a backup; the same file, sent or made again, takes the place of a damaged one"
    )
    return Check(what="files", verdict=Verdict.BROKEN, found=found, advice=advice)


# -- the fleet ---------------------------------------------------------------------


class Fleet(NamedTuple):
    """What its processes have told the database."""

    alive: list[Member]
    gone: list[Member]  # without a word, within a day
    duties: dict[str, str]  # duty → who has it
    leases: dict[str, tuple[int, int]]
    offset: float


async def seen(settings: Settings) -> Fleet | None:
    async with _records.at(settings) as store:
        if store.fleet is None:
            return None
        muster = await store.fleet.muster()
        silent = settings.worker.lease_seconds
        return Fleet(
            [each for each in muster.members if each.silent < silent],
            [each for each in muster.members if each.silent >= silent],
            {each.name: each.member for each in muster.duties if each.left > 0},
            await store.fleet.leases(),
            await store.fleet.offset(),
        )


def fleet(settings: Settings) -> Iterator[Check]:
    """Every process that works on this database, whatever machine it is on."""
    try:
        found = asyncio.run(seen(settings))
    except (Problem, NewerDatabase, BadSettings):
        return  # told as the job store's
    if found is not None:
        yield from fleet_checks(found, ["studio", *settings.accounts])


def fleet_checks(found: Fleet, engines: Iterable[str]) -> Iterator[Check]:
    alive = found.alive
    if not alive:
        yield Check(what="fleet", verdict=Verdict.MISSING, found="no process works on it", advice="mutoscope serve")
        return
    servers = sum(each.kind == "server" for each in alive)
    told = f"{servers} servers, {sum(each.works for each in alive)} processes that make jobs"
    where = "; ".join(f"{each.name} ({each.kind} on {each.host}{', leaving' * each.leaving})" for each in alive)
    yield Check(what="fleet", found=f"{told}: {where}")
    if len(versions := sorted({each.version for each in alive})) > 1:
        advice = "while an upgrade rolls this is as it should be; afterwards restart those that are behind"
        yield Check(what="versions", verdict=Verdict.MISSING, found=", ".join(versions), advice=advice)
    if len({each.secrets for each in alive}) > 1:
        advice = "set the same [files] link_secret and [webhooks] secret for all, and restart them"
        yield Check(what="secrets", verdict=Verdict.BROKEN, found="they are not the same everywhere", advice=advice)
    clocks = {"this machine": found.offset} | {f"{each.name} on {each.host}": each.offset for each in alive}
    if wrong := [f"{name}: {-offset:+.1f} s" for name, offset in clocks.items() if abs(offset) > TOLD_OFFSET]:
        verdict = Verdict.BROKEN if max(map(abs, clocks.values())) > MOST_OFFSET else Verdict.MISSING
        advice = f"set them by NTP: with more than {MOST_OFFSET:g} s a process does not work"
        yield Check(what="clocks", verdict=verdict, found=", ".join(wrong), advice=advice)
    if unmade := [name for name in engines if not any(each.works and name in each.engines for each in alive)]:
        advice = "mutoscope worker --engine " + unmade[0]
        yield Check(
            what="workers", verdict=Verdict.MISSING, found=f"nobody makes jobs of {listed(unmade)}", advice=advice
        )
    if idle := [duty for duty in (DELIVER, SWEEP, RECOVER) if duty not in found.duties]:
        advice = "this passes within seconds of a start; else look for beat_failed in the logs"
        yield Check(what="duties", verdict=Verdict.MISSING, found=f"nobody has: {', '.join(idle)}", advice=advice)
    else:
        yield Check(what="duties", found=", ".join(f"{duty}: {name}" for duty, name in sorted(found.duties.items())))
    held = ", ".join(f"{name}: {count}" for name, (count, _) in found.leases.items()) or "none"
    if ended := sum(count for _, count in found.leases.values()):
        advice = "they are taken up again within seconds; where they are not, no process has the duty or a free slot"
        yield Check(what="leases", verdict=Verdict.MISSING, found=f"{held}; {ended} have ended", advice=advice)
    else:
        yield Check(what="leases", found=f"jobs that are being made, by process: {held}")
    if found.gone:
        names = listed([f"{each.name} on {each.host}, {each.silent / 60:.0f} min ago" for each in found.gone])
        advice = "were they killed, or short of memory? what they had is made by others"
        yield Check(what="gone", verdict=Verdict.MISSING, found=f"without a word: {names}", advice=advice)


# -- the bucket --------------------------------------------------------------------


def bucket(settings: Settings) -> Check:
    """Put, read, signed and removed: a small file in the bucket."""
    name, what = settings.files.store, "bucket"
    try:
        seconds = asyncio.run(tried(settings))
    except BadSettings as error:
        return Check(what=what, verdict=Verdict.BROKEN, found=str(error), advice="mend [files] in the settings")
    except BucketUnavailable as error:
        found = f"{name}: {error.why}"
        return Check(what=what, verdict=Verdict.BROKEN, found=found, advice=BUCKET_ADVICE.get(error.why, BUCKET_LOG))
    found = f"{name}: a small file was put, read and removed in {seconds * 1000:.0f} ms"
    if seconds > SLOW_BUCKET_SECONDS:
        advice = "each result waits so long once it is made; a bucket nearby is faster"
        return Check(what=what, verdict=Verdict.MISSING, found=found, advice=advice)
    return Check(what=what, found=found)


async def tried(settings: Settings) -> float:
    found = Bucket(settings.files)
    if settings.files.links == "bucket":
        await found.signed(NOWHERE, "GET", 60)
    return await found.tried()


def files_in_bucket(settings: Settings) -> Check:
    """What records name, held against what the bucket lists. Its content is not read."""
    try:
        there = asyncio.run(Bucket(settings.files).sizes())
    except (BadSettings, Problem) as error:
        return Check(what="files", verdict=Verdict.BROKEN, found=str(error), advice=BUCKET_LOG)
    known = _records.is_there(settings)
    damaged, absent = asyncio.run(unlike(settings, there)) if known else ([], [])
    if not damaged and not absent:
        return Check(what="files", found=f"{len(there)} are in {settings.files.store}, each as large as it was")
    found = (
        f"{len(there)} are in {settings.files.store}; of another size: {listed(damaged)}; not there: {listed(absent)}"
    )
    advice = (
        "restore them from an older version or a copy of the bucket; the same file, sent or made again, takes the place"
    )
    return Check(what="files", verdict=Verdict.BROKEN, found=found, advice=advice)


async def unlike(settings: Settings, there: dict[str, int]) -> tuple[list[str], list[str]]:
    """Files of another size than they had, and those that are not there."""
    async with _records.at(settings) as store:
        named = [asset for asset in await store.assets() if KEY.fullmatch(asset)]
        present = [asset for asset in named if asset in there]
        damaged = [asset for asset in present if await store.asset_bytes(asset) not in (None, there[asset])]
        return damaged, [asset for asset in named if asset not in there]


async def missing_files(settings: Settings, root: Path) -> list[str]:
    async with _records.at(settings) as store:
        named = [asset for asset in await store.assets() if KEY.fullmatch(asset)]
        return [asset for asset in named if not (root / place(asset)).is_file()]


def listed(names: list[str]) -> str:
    told = ", ".join(names[:FILES_TOLD])
    return f"{told} and {len(names) - FILES_TOLD} more" if len(names) > FILES_TOLD else told or "none"


# -- what is reachable ---------------------------------------------------------------


def door(settings: Settings) -> Check:
    """The port is free, or it is our own server that holds it."""
    host, port = settings.server.host, settings.server.port
    where = f"{host}, port {port}"
    if port == 0 or is_free(host, port):
        return Check(what="port", found=f"{where} is free")
    told = health(host, port)
    if told is not None:
        return Check(what="server", found=f"answers on {where}: {told}")
    advice = "choose another with --port or [server] port; something else has this one"
    return Check(what="port", verdict=Verdict.BROKEN, found=f"{where} cannot be listened on", advice=advice)


def is_free(host: str, port: int) -> bool:
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen(1)
    except OSError:
        return False
    return True


def health(host: str, port: int) -> str | None:
    """What /healthz says; None when nobody who knows that page answers."""
    connection = http.client.HTTPConnection(host, port, timeout=ANSWER_SECONDS)
    try:
        connection.request("GET", "/healthz")
        with connection.getresponse() as answer:
            status: object = msgspec.json.decode(answer.read(1024), type=dict[str, object]).get("status")
            return str(status) if answer.status == 200 else None
    except (OSError, http.client.HTTPException, msgspec.DecodeError, UnicodeDecodeError):
        return None
    finally:
        connection.close()
