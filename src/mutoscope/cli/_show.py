"""How things are shown: tables for people, JSON for programs."""

import json
import sys
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from mutoscope.model.job import Job, State

PIPE_WIDTH = 200  # columns where nobody's window sets them: grep wants whole rows

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)

COLORS = {
    State.QUEUED: "yellow",
    State.RUNNING: "cyan",
    State.SUCCEEDED: "green",
    State.FAILED: "red",
    State.CANCELED: "dim",
}


def print_json(value: Any) -> None:
    text = msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:  # another encoding: JSON has a way to write every character in ASCII
        text = json.dumps(msgspec.json.decode(text), indent=2)
    sys.stdout.write(text + "\n")


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str | Text]]) -> None:
    width = out.width if out.is_terminal else PIPE_WIDTH
    Console(highlight=False, width=width).print(table(columns, rows))


def table(columns: Sequence[str], rows: Sequence[Sequence[str | Text]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*row)
    return table


def print_facts(facts: Sequence[tuple[str, str | Text]]) -> None:
    """Names and values, a line each; a fact without a value is left out."""
    longest = max((len(name) for name, _ in facts), default=0)
    for name, value in facts:
        if str(value):
            out.print(Text.assemble((f"{name:<{longest}}  ", "bold"), value))


def moment(seconds: float | None) -> str:
    """A time in the reader's own zone."""
    return datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d %H:%M:%S") if seconds else ""


def state(job: Job) -> Text:
    share = f" {job.progress:.0%}" if job.state is State.RUNNING and job.progress is not None else ""
    throttled = " (throttled)" if job.throttled and job.state is State.QUEUED else ""
    return Text(f"{job.state.value}{share}{throttled}", style=COLORS[job.state])


def size(count: float) -> str:
    """Bytes as people read them."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000 or unit == "GB":
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    raise AssertionError


def shortened(text: str | None, longest: int) -> str:
    line = " ".join((text or "").split())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"
