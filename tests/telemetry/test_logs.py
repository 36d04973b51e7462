"""The log: secrets are struck out, problems are told plainly, and there is one stream."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from mutoscope.model.problem import Kind, Problem
from mutoscope.telemetry import logs


@pytest.fixture(autouse=True)
def leave_logging_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    before, level, configured = root.handlers[:], root.level, structlog.get_config()
    yield
    structlog.configure(**configured)
    root.handlers[:] = before
    root.setLevel(level)


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("authorization", "Bearer abcdefgh"),
        ("x-freepik-api-key", "FPSX123"),
        ("headers", {"Authorization": "Bearer key_abcdefghij", "cookie": "a=b"}),
        ("webhook_secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
        ("url", "https://x.example/files/a.mp4?exp=1&sig=verysecretsignature"),
        ("url", "https://user:pass1234@host.example/"),
        ("error", "refused: Bearer eyJhbGciOiJIUzI1NiJ9.e30"),
        ("secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
    ],
)
@pytest.mark.parametrize("as_json", [True, False])
def test_what_is_secret_does_not_reach_the_log(
    capsys: pytest.CaptureFixture[str], name: str, value: object, as_json: bool
):
    logs.configure("info", json=as_json)
    structlog.get_logger("test").info("request", **{name: value})
    written = capsys.readouterr().err
    assert "redacted" in written
    for secret in ("abcdefgh", "FPSX123", "a=b", "MfKQ9r8", "verysecret", "pass1234", "eyJhbGci"):
        assert secret not in written


def test_what_is_not_secret_stays(capsys: pytest.CaptureFixture[str]):
    logs.configure("info", json=True)
    structlog.get_logger("test").info("job_started", job="01a1", monkey=3, tokens_left=None, attempt=1)
    [line] = lines(capsys)
    assert line["event"] == "job_started" and line["job"] == "01a1" and line["monkey"] == 3
    assert line["level"] == "info" and line["timestamp"].endswith("Z")


def test_an_inline_file_is_cut_short(capsys: pytest.CaptureFixture[str]):
    logs.configure("info", json=True)
    structlog.get_logger("test").info("body", body="data:image/png;base64," + "A" * 9000, text="x" * 9000)
    [line] = lines(capsys)
    assert line["body"] == "data:image/png;base64,…"
    assert len(line["text"]) < 4200


def test_a_foreseen_problem_is_told_without_a_traceback(capsys: pytest.CaptureFixture[str]):
    logs.configure("info", json=True)
    for error in (Problem(Kind.UNAVAILABLE, "The disk is full."), ValueError("a bug")):
        try:
            raise error
        except Exception:
            structlog.get_logger("test").exception("start_failed")
    foreseen, bug = lines(capsys)
    assert foreseen["error"] == "unavailable: The disk is full." and "exception" not in foreseen
    assert "Traceback" in bug["exception"]


def test_the_standard_librarys_log_comes_by_the_same_way(capsys: pytest.CaptureFixture[str]):
    logs.configure("info", json=True)
    logging.getLogger("asyncio").warning("slow: %s with Bearer %s", "x", "abcdefghijk")
    logging.getLogger("uvicorn.error").info("Started server process")
    [line] = lines(capsys)
    assert line["event"] == "slow: x with Bearer [redacted]" and line["logger"] == "asyncio"


def test_an_unknown_level_is_refused():
    with pytest.raises(ValueError, match="debug, info, warning"):
        logs.configure("loud")
