"""What is known of a file's making: its content credentials, whether they hold, the mark that nobody sees."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from mutoscope.engines.local.pool import Pool
from mutoscope.engines.local.shelf import MARK
from mutoscope.files import c2pa
from mutoscope.files.assets import MEDIA_TYPES
from mutoscope.files.c2pa import CERTIFICATE, Statement, Verdict
from mutoscope.files.data_dir import CREDENTIALS
from mutoscope.files.probe import MediaInfo, Prober, read_head, sniff
from mutoscope.model.config import Credentials, Inputs
from mutoscope.model.problem import Problem

MEANING = {
    Verdict.VALID: "intact: not altered since it was signed, by a signer that is known here",
    Verdict.UNTRUSTED: "intact: not altered since it was signed; who the signer is, nobody here can say",
    Verdict.ALTERED: "ALTERED since it was signed",
    Verdict.INVALID: "INVALID: not made by the rules, or out of date",
}
UNREAD = f"cannot be read here: {c2pa.INSTALL}"
NONE = "none: nothing proves who made it"
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


async def look(file: Path, inputs: Inputs, *, pool: Pool, anchors: Sequence[Path]) -> Finding:
    """`pool` asks the model that reads marks; the certificates `anchors` are trusted. Nothing is fetched."""
    head, _ = read_head(file)
    media_type = sniff(head) or MEDIA_TYPES.get(file.suffix.removeprefix(".").lower())
    readable = c2pa.missing() is None
    info = damage = statement = None
    prober = Prober(inputs)
    try:
        info = await prober.probe(file)
    except Problem as problem:
        damage = problem.message
    finally:
        await prober.close()
    if readable and media_type is not None:
        statement = await asyncio.to_thread(c2pa.read, file, media_type, anchors=anchors)
    return Finding(
        file=str(file),
        media_type=media_type,
        info=info,
        damage=damage,
        readable=readable,
        credentials=statement,
        mark=await mark_of(file, info.kind, pool) if info else None,
    )


def unread(media_type: str, damage: str) -> Finding:
    """Of a file that cannot be had."""
    return Finding(file="", media_type=media_type, info=None, damage=damage, readable=True, credentials=None)


async def mark_of(file: Path, kind: str, pool: Pool) -> Mark | None:
    if kind == "audio":
        return None
    if lacking := pool.lacks(MARK):
        return Mark(recognised=None, told=lacking)
    try:
        return msgspec.convert(await pool.ask(MARK, {"clip": kind == "video"}, file), Mark)
    except Problem as problem:
        return Mark(recognised=None, told=problem.message)


def anchors_of(credentials: Credentials, data: Path) -> list[Path]:
    """The certificates that are trusted: this installation's own, and the operator's."""
    own = data / CREDENTIALS / CERTIFICATE
    chosen = credentials.certificate
    return [each for each in (own, Path(chosen).expanduser() if chosen else None) if each and each.is_file()]


# -- in words --------------------------------------------------------------------------


def mark_story(mark: Mark) -> str:
    if mark.recognised is None:
        return f"cannot be looked for here: {mark.told}"
    if mark.recognised:
        return f"ours: {mark.bits} of {mark.of} bits are right; a {mark.kind or 'file of a kind that cannot be read'}"
    return f"none of ours: {mark.bits} of {mark.of} bits are right, which is chance"


def source_story(source: str) -> str:
    meaning = SOURCES.get(source)
    return f"{source} ({meaning})" if meaning else source
