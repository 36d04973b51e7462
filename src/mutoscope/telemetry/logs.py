"""The log: lines for people or for machines, on stderr, with everything secret struck out."""

import logging
import re
import sys
from collections.abc import Callable, Iterable
from typing import Any, TextIO, cast

import msgspec
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from mutoscope.model.problem import Problem

LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40, "critical": 50}
STRUCK = "[redacted]"
SHORTEST = 8
LONGEST = 4096  # characters of one value; a body that slips in does not fill the disk

SECRET_NAME = re.compile(
    r"authorization|cookie|secret|password|passwd|token|signature|credential|api[-_]?key|(^|[-_])key$", re.IGNORECASE
)
SECRET_TEXT: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(?i)\b(bearer|basic)\s+[a-z0-9._~+/=-]{6,}"), rf"\1 {STRUCK}"),
    (re.compile(r"\b(whsec_|sk-|msk_|key_)[A-Za-z0-9+/=_-]{8,}"), rf"\1{STRUCK}"),
    (re.compile(r"(?i)([?&](?:sig|signature|token|key|x-amz-signature|x-amz-credential)=)[^&\s\"']+"), rf"\1{STRUCK}"),
    (re.compile(r"(?i)(\w+://)[^/\s:@]+:[^/\s@]+@"), rf"\1{STRUCK}@"),
    (re.compile(r"(data:[\w.+-]+/[\w.+-]+;base64,)[A-Za-z0-9+/=]{32,}"), r"\1…"),
)


known: set[str] = set()
"""Secrets that this process holds: struck out wherever they stand, whatever they look like."""


def conceal(secrets: Iterable[str]) -> None:
    """Strike these out from now on. What is as short as a word is not: it would be struck out of words."""
    known.update(secret for secret in secrets if len(secret) >= SHORTEST)


def configure(level: str = "info", *, json: bool = False) -> None:
    """Send structlog's lines and the standard library's to stderr, as one stream. Raises ValueError."""
    if level.lower() not in LEVELS:
        raise ValueError(f"log level {level!r} does not exist; there are {', '.join(LEVELS)}")
    threshold = LEVELS[level.lower()]
    structlog.configure(
        processors=processors(json=json, colors=sys.stderr.isatty()),
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.WriteLoggerFactory(file=cast("TextIO", Stderr())),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(handlers=[Bridge()], level=max(threshold, logging.WARNING), force=True)


class Stderr:
    """Whatever sys.stderr is at the moment of writing: whoever redirects it gets the log too."""

    def write(self, text: str) -> int:
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()


def processors(*, json: bool, colors: bool = False) -> list[Processor]:
    """What an event goes through until it is a line."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        render_problems_plainly,
    ]
    if json:
        return [*shared, structlog.processors.format_exc_info, redact, in_json]
    # Plain tracebacks: rich ones print local variables, and those hold keys. The renderer writes them itself,
    # so secrets are struck out once more from the whole line.
    render = structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=structlog.dev.plain_traceback)
    return [*shared, redact, lambda logger, method, event: replaced(render(logger, method, event))]


def in_json(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    return msgspec.json.encode(event, enc_hook=repr).decode()


def render_problems_plainly(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """A Problem was foreseen: its message says everything, and a traceback would only frighten."""
    error = raised(event.get("exc_info"))
    if isinstance(error, Problem):
        del event["exc_info"]
        event["error"] = f"{error.kind}: {error.message}"
    return event


def raised(exc_info: Any) -> Any:
    """The exception itself, in whichever of logging's three ways it was given."""
    if exc_info is True:
        return sys.exc_info()[1]
    return cast("Any", exc_info)[1] if isinstance(exc_info, tuple) else exc_info


def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Strike out what is secret by its name, and what looks like a secret inside other values."""
    return {name: cleaned(name, value) for name, value in event.items()}


def cleaned(name: str, value: Any) -> Any:
    if value is not None and not isinstance(value, bool) and SECRET_NAME.search(name):
        return STRUCK
    match value:
        case str():
            return without_secrets(value)
        case dict():
            return {str(key): cleaned(str(key), each) for key, each in value.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
        case list() | tuple():
            return [cleaned(name, each) for each in value]  # pyright: ignore[reportUnknownVariableType]
        case _:
            return value


def without_secrets(text: str) -> str:
    text = replaced(text)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text)} characters)"


def replaced(text: str) -> str:
    for secret in known:
        text = text.replace(secret, STRUCK)
    for pattern, instead in SECRET_TEXT:
        text = pattern.sub(instead, text)
    return text


class Bridge(logging.Handler):
    """Hands the standard library's records to structlog."""

    def emit(self, record: logging.LogRecord) -> None:
        logger: Any = structlog.get_logger(record.name)
        say: Callable[..., None] = getattr(logger, record.levelname.lower(), logger.error)
        try:
            say(record.getMessage(), logger=record.name, **({"exc_info": record.exc_info} if record.exc_info else {}))
        except Exception:
            self.handleError(record)
