"""The recordings of vendors that this server makes or plays, to look at."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from mutoscope.cassettes.folder import LABEL, Answer, BadCassette, Cassette, answer_files, load
from mutoscope.engines.transcripts import readable, struck
from mutoscope.model.config import Cassettes
from mutoscope.model.job import Json
from mutoscope.model.problem import Kind, Problem

SUMMARY = 240  # characters


def roots(wanted: Cassettes) -> list[Path]:
    return [Path(name) for name in dict.fromkeys(filter(None, (wanted.record, wanted.replay)))]


def listed(wanted: Cassettes) -> list[Json]:
    """All, the newest first; one that cannot be read says why."""
    found = [row(path.parent) for root in roots(wanted) for path in root.glob(f"[!.]*/{LABEL}")]
    return sorted(found, key=lambda each: (each["recorded"] or 0.0, each["name"]), reverse=True)


def row(folder: Path) -> Json:
    try:
        return told(load(folder))
    except BadCassette as error:
        return {"name": folder.name, "recorded": None, "problem": str(error)}


def told(it: Cassette) -> Json:
    label = it.label
    return {
        "name": it.name,
        "kind": label.kind,
        "wire": label.wire,
        "account": label.account,
        "model": label.model,
        "recorded": label.recorded.timestamp(),
        "answers": len(answer_files(it.folder)),
        "asked": summary(it)[:SUMMARY],
        "problem": None,
    }


def summary(it: Cassette) -> str:
    body = it.asked.get("body")
    value = it.asked.get("prompt") or (body or it.asked.get("path") if it.label.kind == "words" else "")
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def shown(wanted: Cassettes, name: str) -> Json:
    """One, with what was asked and each answer. Raises Problem."""
    folder = next((root / name for root in roots(wanted) if (root / name / LABEL).is_file()), None)
    if folder is None or name.startswith("."):
        raise Problem(Kind.NOT_FOUND, f"There is no recording {name!r}.", field="name")
    try:
        it = load(folder)
        return told(it) | {
            "vendor": it.label.vendor,
            "mutoscope": it.label.mutoscope,
            "job": it.label.job,
            "request": indented(msgspec.json.encode(it.asked)),
            "exchanges": list(exchanges(it)),
        }
    except BadCassette as error:
        raise Problem(Kind.CONFLICT, str(error), field="name") from error


def exchanges(it: Cassette) -> Iterator[Json]:
    for each in it.answers:
        yield {
            "at": each.at,
            "step": each.step,
            "turn": each.turn,
            "status": each.status,
            "seconds": each.seconds,
            "trouble": each.trouble.message if each.trouble else None,
            "file": each.file,
            "body": "" if each.file or each.trouble else indented(body(it, each)),
        }


def body(it: Cassette, answer: Answer) -> bytes:
    """A long text that lies in a file of its own is told by that file's name."""
    told: Any = answer.json
    return it.body(answer) if told is msgspec.UNSET else msgspec.json.encode(told)


def indented(data: bytes) -> str:
    text = struck(readable(data))
    try:
        return msgspec.json.format(text.encode(), indent=2).decode()
    except (msgspec.DecodeError, RecursionError):
        return text
