"""`mutoscope inspect`: who made a file, how, and whether it was altered since."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.text import Text

from mutoscope.cli import _show
from mutoscope.cli._failure import Stop
from mutoscope.cli._options import AsJson, Config, Data, settings_of
from mutoscope.engines.local.pool import Pool
from mutoscope.engines.local.shelf import Shelf
from mutoscope.files.c2pa import Statement, Verdict
from mutoscope.model.config import Settings
from mutoscope.service.provenance import (
    MEANING,
    NONE,
    UNREAD,
    Finding,
    anchors_of,
    look,
    mark_story,
    source_story,
)

COLORS = {
    Verdict.VALID: "green",
    Verdict.UNTRUSTED: "yellow",
    Verdict.ALTERED: "bold red",
    Verdict.INVALID: "bold red",
}


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
    finding = await look_at(file, settings_of(config, data=data))
    if as_json:
        _show.print_json(finding)
    else:
        show(finding)
    return 0 if finding.good else 1


async def look_at(file: Path, settings: Settings) -> Finding:
    pool = Pool(Shelf(settings.weights, settings.data))
    try:
        anchors = anchors_of(settings.credentials, settings.data)
        return await look(file, settings.inputs, pool=pool, anchors=anchors)
    finally:
        await pool.close()


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
    return [
        ("credentials", Text(MEANING[statement.verdict], style=COLORS[statement.verdict])),
        ("because", plain("" if good else ", ".join(statement.flaws))),
        ("made by", plain(" ".join(filter(None, (statement.engine, statement.version))))),
        ("written by", plain(statement.generator or "")),
        ("signed by", plain(statement.signer or "")),
        ("time", plain(statement.time or "")),
        ("action", plain(statement.action or "")),
        ("source", plain(source_story(statement.source_type or ""))),
        ("made of", plain(", ".join(statement.made_of))),
        ("helped by", plain(", ".join(statement.helped))),
        ("used", plain(", ".join(statement.used))),
        ("ignored", plain(", ".join(statement.ignored))),
    ]


def plain(text: str) -> Text:
    """A stranger's words, without what a terminal would obey."""
    return Text("".join(each if each.isprintable() else " " for each in text))
