"""`mutoscope inspect`: who made a file, how, and whether it was altered since."""

from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import Parameter
from msgspec import Struct
from rich.text import Text

from mutoscope.cli import _show
from mutoscope.cli._failure import Stop
from mutoscope.cli._options import AsJson, Config, Data, settings_of
from mutoscope.engines.local.pool import Pool
from mutoscope.engines.local.shelf import MARK, Shelf
from mutoscope.files import c2pa
from mutoscope.files.assets import MEDIA_TYPES
from mutoscope.files.c2pa import CERTIFICATE, Statement, Verdict
from mutoscope.files.data_dir import CREDENTIALS
from mutoscope.files.probe import MediaInfo, Prober, read_head, sniff
from mutoscope.model.config import Settings
from mutoscope.model.problem import Problem

MEANING = {
    Verdict.VALID: "intact: not altered since it was signed, by a signer that is known here",
    Verdict.UNTRUSTED: "intact: not altered since it was signed; who the signer is, nobody here can say",
    Verdict.ALTERED: "ALTERED since it was signed",
    Verdict.INVALID: "INVALID: not made by the rules, or out of date",
}
UNREAD = f"cannot be read here: {c2pa.INSTALL}"
NONE = "none: nothing proves who made it"
COLORS = {
    Verdict.VALID: "green",
    Verdict.UNTRUSTED: "yellow",
    Verdict.ALTERED: "bold red",
    Verdict.INVALID: "bold red",
}
SOURCES = {
    "algorithmicMedia": "made by rules that people wrote, not by a trained model",
    "trainedAlgorithmicMedia": "made by a trained model",
    "digitalCapture": "taken by a camera",
    "composite": "put together of several",
    "compositeWithTrainedAlgorithmicMedia": "put together, a trained model's work among it",
    "humanEdits": "edited by people",
}


class Mark(Struct, frozen=True, kw_only=True):
    """The imperceptible mark. `recognised` is None where it cannot be looked for here, and `told` says why."""

    recognised: bool | None
    told: str = ""
    bits: int | None = None  # of the word's, that are right
    of: int | None = None
    kind: str | None = None


class Finding(Struct, frozen=True, kw_only=True):
    """What is known of a file. `credentials` is None where it carries none, or none can be read."""

    file: str
    media_type: str | None
    info: MediaInfo | None  # None where it is damaged, or of a kind that is not known here
    damage: str | None
    readable: bool  # the extra that reads credentials is installed
    credentials: Statement | None
    mark: Mark | None = None  # None where the file is of no kind that can bear one

    @property
    def good(self) -> bool:
        return self.credentials is None or self.credentials.verdict in (Verdict.VALID, Verdict.UNTRUSTED)


async def inspect(
    file: Annotated[Path, Parameter(help="A picture, video or sound.")],
    /,
    *,
    data: Data = None,
    config: Config = None,
    as_json: AsJson = False,
) -> int:
    """Who made a file, how, and whether it was altered since. Nothing is fetched.

    Its content credentials (C2PA) are checked; where it has none, its own comment is shown, which proves nothing.
    Exit code 1 when it was altered.
    """
    if not file.is_file():
        raise Stop(f"There is no file {file}.", 2)
    finding = await look(file, settings_of(config, data=data))
    if as_json:
        _show.print_json(finding)
    else:
        show(finding)
    return 0 if finding.good else 1


async def look(file: Path, settings: Settings) -> Finding:
    head, _ = read_head(file)
    media_type = sniff(head) or MEDIA_TYPES.get(file.suffix.removeprefix(".").lower())
    readable = c2pa.missing() is None
    info = damage = statement = None
    prober = Prober(settings.inputs)
    try:
        info = await prober.probe(file)
    except Problem as problem:
        damage = problem.message
    finally:
        await prober.close()
    if readable and media_type is not None:
        statement = c2pa.read(file, media_type, anchors=anchors(settings))
    return Finding(
        file=str(file),
        media_type=media_type,
        info=info,
        damage=damage,
        readable=readable,
        credentials=statement,
        mark=await mark_of(file, info.kind, settings) if info else None,
    )


async def mark_of(file: Path, kind: str, settings: Settings) -> Mark | None:
    if kind == "audio":
        return None
    pool = Pool(Shelf(settings.weights, settings.data))
    if lacking := pool.lacks(MARK):
        return Mark(recognised=None, told=lacking)
    try:
        return msgspec.convert(await pool.ask(MARK, {"clip": kind == "video"}, file), Mark)
    except Problem as problem:
        return Mark(recognised=None, told=problem.message)
    finally:
        await pool.close()


def anchors(settings: Settings) -> list[Path]:
    """The certificates that are trusted: this installation's own, and the operator's."""
    own = settings.data / CREDENTIALS / CERTIFICATE
    chosen = settings.credentials.certificate
    return [each for each in (own, Path(chosen).expanduser() if chosen else None) if each and each.is_file()]


# -- for people ------------------------------------------------------------------------


def show(finding: Finding) -> None:
    statement, comment = finding.credentials, finding.info.comment if finding.info else None
    unproven = Text(NONE if finding.readable else UNREAD, style="yellow")
    _show.print_facts(
        [
            ("file", plain(finding.file)),
            ("what", plain(described(finding))),
            *(story(statement) if statement else [("credentials", unproven)]),
            ("mark", plain(mark_story(finding.mark) if finding.mark else "")),
            ("comment", plain(comment or "")),
        ]
    )


def mark_story(mark: Mark) -> str:
    if mark.recognised is None:
        return f"cannot be looked for here: {mark.told}"
    if mark.recognised:
        return f"ours: {mark.bits} of {mark.of} bits are right; a {mark.kind or 'file of a kind that cannot be read'}"
    return f"none of ours: {mark.bits} of {mark.of} bits are right, which is chance"


def described(finding: Finding) -> str:
    info = finding.info
    if info is None:
        return finding.damage or "unknown"
    facts = [
        info.media_type,
        f"{info.width}x{info.height}" if info.width and info.height else "",
        f"{info.frames} frames" if info.frames else "",
        f"{info.seconds:g} s" if info.seconds else "",
        f"{info.fps:g} frames a second" if info.fps else "",
        "with sound" if info.has_audio and info.kind == "video" else "",
        _show.size(info.bytes),
    ]
    return ", ".join(fact for fact in facts if fact)


def story(statement: Statement) -> list[tuple[str, str | Text]]:
    good = statement.verdict in (Verdict.VALID, Verdict.UNTRUSTED)
    source = statement.source_type or ""
    meaning = SOURCES.get(source)
    return [
        ("credentials", Text(MEANING[statement.verdict], style=COLORS[statement.verdict])),
        ("because", plain("" if good else ", ".join(statement.flaws))),
        ("made by", plain(" ".join(filter(None, (statement.engine, statement.version))))),
        ("written by", plain(statement.generator or "")),
        ("signed by", plain(statement.signer or "")),
        ("time", plain(statement.time or "")),
        ("action", plain(statement.action or "")),
        ("source", plain(f"{source} ({meaning})" if meaning else source)),
        ("made of", plain(", ".join(statement.made_of))),
        ("helped by", plain(", ".join(statement.helped))),
        ("used", plain(", ".join(statement.used))),
        ("ignored", plain(", ".join(statement.ignored))),
    ]


def plain(text: str) -> Text:
    """A stranger's words, without what a terminal would obey."""
    return Text("".join(each if each.isprintable() else " " for each in text))
