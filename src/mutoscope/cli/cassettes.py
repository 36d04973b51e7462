"""`mutoscope cassettes`: what vendors answered, as it was recorded; and whether they still answer so."""

import hashlib
import shutil
import tempfile
import time
from pathlib import Path
from typing import Annotated, Any

import msgspec
from cyclopts import App as Commands
from cyclopts import Parameter
from msgspec.structs import replace
from rich.text import Text

from mutoscope.app import App
from mutoscope.cassettes import drift
from mutoscope.cassettes.folder import ANSWERS, LABEL, LOCAL, OUTPUTS, BadCassette, Cassette, cassettes, load, size_of
from mutoscope.cassettes.matching import key_of
from mutoscope.cli import _show
from mutoscope.cli._failure import Stop
from mutoscope.cli._options import AsJson, Config, settings_of
from mutoscope.model.config import Cassettes, Files, Settings, Store
from mutoscope.model.http import HttpRequest
from mutoscope.model.job import Generation, Input, Role
from mutoscope.model.problem import Problem
from mutoscope.model.requests import Submission
from mutoscope.service.recordings import summary
from mutoscope.telemetry import logs
from mutoscope.wires import BY_NAME

app = Commands(name="cassettes", help="List, show, verify and prune recordings of vendors; compare them with today's.")

Directory = Annotated[Path, Parameter(help="The directory that --record wrote.")]
DRAFT_SECONDS = 3600.0  # after which what was being written is taken for left behind
KEPT_FACTS = ("kind", "wire", "account", "model", "recorded", "mutoscope", "vendor")


@app.command(name="list")
def list_(directory: Directory, /, *, as_json: AsJson = False) -> None:
    """All recordings, the oldest first."""
    found = opened(directory)
    if as_json:
        _show.print_json(
            [{"name": each.name, **msgspec.to_builtins(each.label), "asked": each.asked} for each in found]
        )
    elif found:
        _show.print_table(
            ("recording", "recorded", "answers", "size", "asked"),
            [
                (
                    each.name,
                    _show.moment(each.label.recorded.timestamp()),
                    str(len(each.answers)),
                    _show.size(size_of(each.folder)),
                    Text(_show.shortened(summary(each), 60)),
                )
                for each in found
            ],
        )
    else:
        _show.err.print("There are none.")


@app.command
def show(directory: Directory, name: str, /, *, as_json: AsJson = False) -> None:
    """One recording: what it is, what was asked, and each answer.

    Parameters
    ----------
    name
        Its folder's name, or how that begins, where only one begins so.
    """
    found = [each for each in opened(directory) if each.name == name or each.name.startswith(name)]
    if len(found) != 1:
        raise Stop(
            f"{len(found)} recordings in {directory} are called {name!r}; `mutoscope cassettes list` has them all."
        )
    [it] = found
    if as_json:
        _show.print_json({"label": it.label, "asked": it.asked, "answers": it.answers})
        return
    _show.print_facts([(fact, Text(str(getattr(it.label, fact)))) for fact in KEPT_FACTS])
    _show.out.print(
        f"\nasked:\n{msgspec.json.format(msgspec.json.encode(it.asked), indent=2).decode()}\n", markup=False
    )
    rows = [
        (
            f"{each.at:.3f}",
            each.step,
            str(each.turn),
            str(each.status or (each.trouble.kind if each.trouble else "")),
            f"{each.seconds:.3f}",
            Text(_show.shortened(told(it, each), 80)),
        )
        for each in it.answers
    ]
    _show.print_table(("at", "step", "turn", "status", "seconds", "answer"), rows)


@app.command
def verify(directory: Directory, /, *, config: Config = None) -> int:
    """Whether every recording can be read and played, and holds none of the settings' secrets. Exit code 1 if not."""
    secrets = [each.key for each in settings_of(config, options=ALONE).accounts.values() if len(each.key) > 8]
    flaws: list[str] = []
    count = 0
    for folder in folders(directory):
        count += 1
        try:
            flaws += [f"{folder.name}: {flaw}" for flaw in flaws_of(load(folder))]
        except BadCassette as error:
            flaws.append(str(error))
        for path in folder.rglob("*"):
            if path.is_file() and any(secret.encode() in path.read_bytes() for secret in secrets):
                flaws.append(f"{path}: holds an account's key")
    for flaw in flaws:
        _show.out.print(Text(flaw, style="red"))
    _show.out.print(f"{count} recordings, {len(flaws)} flaws.")
    return 1 if flaws else 0


@app.command
def prune(directory: Directory, /, *, dry_run: Annotated[bool, Parameter(negative="")] = False) -> None:
    """Remove what is of no use: recordings without an end, and those that tell the same as an earlier one.

    Parameters
    ----------
    dry_run
        Only say what would go.
    """
    gone = [(each.folder, "has no end") for each in opened(directory) if not drift.has_end(each)]
    seen: set[tuple[str, bytes]] = set()
    for each in opened(directory):
        mark = (key_of(each.asked), drift.essence(each))
        if drift.has_end(each) and mark in seen:
            gone.append((each.folder, "tells the same as an earlier one"))
        seen.add(mark)
    old = time.time() - DRAFT_SECONDS
    gone += [(path, "was left behind") for path in directory.glob(".*") if path.is_dir() and path.stat().st_mtime < old]
    for folder, why in gone:
        _show.out.print(Text(f"{folder.name}: {why}"))
        if not dry_run:
            shutil.rmtree(folder)
    _show.out.print(f"{len(gone)} {'would go' if dry_run else 'removed'}.")


@app.command
async def diff(
    directory: Directory,
    against: Path | None = None,
    /,
    *,
    spend: Annotated[bool, Parameter(negative="")] = False,
    config: Config = None,
    as_json: AsJson = False,
) -> int:
    """How the vendors' answers have changed: members that are new, gone or of another type. Exit code 1 if any has.

    Parameters
    ----------
    against
        A directory with newer recordings. Without it the vendors are asked now, which costs what it costs.
    spend
        Do ask them.
    """
    recorded = opened(directory)
    if against is not None:
        return report(recorded, opened(against), as_json=as_json)
    recorded = [each for each in recorded if each.label.wire != LOCAL]
    jobs = sum(each.label.kind == "job" for each in recorded)
    if not spend:
        raise Stop(
            f"This asks the vendors for {jobs} jobs and {len(recorded) - jobs} answers in words, at their price: add "
            "--spend, or name a directory with newer recordings.",
            2,
        )
    logs.configure("error")
    with tempfile.TemporaryDirectory(prefix="mutoscope-") as folder:
        root = Path(folder) / "tapes"
        root.mkdir()
        await asked_again(recorded, replace(settings_of(config), cassettes=Cassettes(record=str(root))), Path(folder))
        return report(recorded, list(cassettes(root)), as_json=as_json)


ALONE = {"cassettes": {"replay": ".", "record": "", "unknown": "strict"}}
"""Settings whose accounts need no key."""


def folders(directory: Path) -> list[Path]:
    if not directory.is_dir():
        raise Stop(f"There is no directory {directory}.", 2)
    return sorted(path.parent for path in directory.glob(f"[!.]*/{LABEL}"))


def opened(directory: Path) -> list[Cassette]:
    folders(directory)
    try:
        return list(cassettes(directory))
    except BadCassette as error:
        raise Stop(str(error)) from error


def told(it: Cassette, answer: Any) -> str:
    if answer.trouble:
        return answer.trouble.message
    return answer.file or answer.events or it.body(answer).decode("utf-8", "replace")


def flaws_of(it: Cassette) -> list[str]:
    """Raises BadCassette."""
    found = [] if drift.has_end(it) else ["has no end: it was cut off, or is still being recorded"]
    for each in it.answers:
        _ = it.pieces(each) if each.events is not None else it.body(each)
    for path in (it.folder / OUTPUTS).glob("*"):
        name = f"{OUTPUTS}/{path.name}"
        if drift.is_edited(name, hashlib.sha256(path.read_bytes()).hexdigest()):
            _show.out.print(Text(f"{it.name}: {name} was edited"))
    if not (it.folder / ANSWERS).is_dir():
        found.append("has no answers")
    return found


def report(recorded: list[Cassette], today: list[Cassette], *, as_json: bool) -> int:
    newest = {key_of(each.asked): each for each in today}
    found: dict[str, list[str]] = {}
    compared = 0
    for each in recorded:
        if other := newest.get(key_of(each.asked)):
            compared += 1
            if lines := drift.changes(each, other):
                found[each.name] = lines
    if as_json:
        _show.print_json({"compared": compared, "recordings": len(recorded), "changes": found})
    else:
        for name, lines in found.items():
            _show.out.print(Text(name, style="bold"))
            for line in lines:
                _show.out.print(Text(f"  {line}"))
        _show.out.print(f"{compared} of {len(recorded)} recordings compared, {len(found)} answered otherwise.")
    return 1 if found else 0


# -- asking again -----------------------------------------------------------------------------------


async def asked_again(recorded: list[Cassette], settings: Settings, folder: Path) -> None:
    """Ask the vendors what was asked before; what they answer is recorded by the way."""
    alone = replace(settings, store=Store(), files=Files())  # not a member of the fleet, which would make its jobs
    async with App(alone, data=folder / "data").running() as running:
        for each in {key_of(it.asked): it for it in recorded}.values():
            try:
                await (ask_words(running, each) if each.label.kind == "words" else ask_job(running, each))
            except Problem as problem:
                _show.err.print(Text(f"{each.name}: not asked: {problem.message}"))


async def ask_words(running: App, it: Cassette) -> None:
    peer = next((each for each in running.words.peers if each.wire.name == it.label.wire), None)
    if peer is None:
        _show.err.print(Text(f"{it.name}: not asked: no account speaks {it.label.wire} here"))
        return
    body = msgspec.json.encode(it.asked["body"]) if "body" in it.asked else b""
    request = HttpRequest(
        method=it.asked["method"],
        path=it.asked["path"],
        query=it.asked.get("query", {}),
        headers={"content-type": "application/json"} if body else {},
        body=body,
    )
    opened, piece = await peer.ask(request, it.label.model, deck=peer.deck)
    try:
        while piece:
            piece = await opened.piece(peer.settings.idle_seconds)
    finally:
        peer.done(opened)


async def ask_job(running: App, it: Cassette) -> None:
    engine = next((name for name, each in running.relays.items() if each.wire.name == it.label.wire), None)
    if engine is None:
        _show.err.print(Text(f"{it.name}: not asked: no account speaks {it.label.wire} here"))
        return
    given = it.asked.get("inputs", [])
    if any("url" not in each for each in given):
        _show.err.print(Text(f"{it.name}: not asked: its input files are not in the recording"))
        return
    inputs = tuple(
        Input(role=Role(each["role"]), field=f"inputs[{number}]", url=each["url"], label=each.get("label"))
        for number, each in enumerate(given)
    )
    wish = {name: value for name, value in it.asked.items() if name not in ("wire", "inputs")}
    generation = replace(msgspec.convert(wish, Generation), inputs=inputs)
    filed = await running.gateway.submit(
        BY_NAME[it.label.wire], "cassette", Submission(generation=generation), engine=engine
    )
    async for job in running.gateway.watch(filed.id):
        if job.state.final:
            return
