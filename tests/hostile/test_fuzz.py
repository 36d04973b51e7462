"""Chance against everything here that reads what strangers wrote: files, URLs, Range headers, links.

Seconds in each run of the suite; `pytest tests/hostile/test_fuzz.py --long` goes on for ten minutes each.
"""

import asyncio
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import corpus
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from test_corpus import dishonest
from urls import LEADS_TO, REFUSED

from mutoscope.files.assets import Assets, Span, read_range
from mutoscope.files.egress import SafeClient, address_flaw, is_address, name_flaw
from mutoscope.files.probe import HEAD, MARKS, MediaInfo, Prober, describe, sniff
from mutoscope.model.config import Files, Inputs, Net
from mutoscope.model.problem import Kind, Problem

LONG_SECONDS = 600.0
SLOWEST = 5.0  # seconds that one file may take

Rounds = Callable[[Callable[[], None]], None]


@pytest.fixture
def rounds(request: pytest.FixtureRequest) -> Rounds:
    """Runs a fuzzer once; with --long again and again, each time with other chances, for ten minutes."""

    def run(fuzz: Callable[[], None]) -> None:
        if not request.config.getoption("--long"):
            fuzz()
            return
        ends = time.monotonic() + LONG_SECONDS
        while time.monotonic() < ends:
            fuzz()

    return run


def fuzzing(examples: int, config: pytest.Config) -> settings:
    longer = 20 if config.getoption("--long") else 1
    return settings(max_examples=examples * longer, suppress_health_check=list(HealthCheck))


# -- files ----------------------------------------------------------------------------------

BEGINNINGS = [mark for mark, _ in MARKS] + [
    *(b"RIFF\0\0\0\0WEBP", b"RIFF\0\0\0\0WAVE", b"RIFF\0\0\0\0AVI ", b"\0\0\0\x18ftyp", b"\0\0\0\x08moov"),
    *(b"\x1aE\xdf\xa3", b"OggS", b"BM", b"\xff\xf1", b"\xff\xfb", b"\xef\xbb\xbf", b"<svg", b"<!DOCTYPE html"),
]

Edit = tuple[str, int, bytes]
edits = st.lists(
    st.tuples(
        st.sampled_from(["write", "insert", "cut", "repeat", "splice"]),
        st.integers(0, 1 << 20),
        st.one_of(
            st.binary(max_size=16), st.sampled_from([b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\x80"])
        ),
    ),
    min_size=1,
    max_size=8,
)


def spoiled(kind: str, other: str, changes: list[Edit]) -> bytes:
    content = corpus.good(kind)
    for act, place, data in changes:
        at = place % (len(content) + 1)
        match act:
            case "write":
                content = corpus.put(content, at, data)
            case "insert":
                content = content[:at] + data + content[at:]
            case "cut":
                content = content[:at] + content[at + 4 * len(data) + 1 :]
            case "repeat":
                content = content[:at] + content[at : at + 64] * (len(data) + 2) + content[at + 64 :]
            case _:
                content = content[:at] + corpus.good(other)[at : at + 4096] + content[at + 4096 :]
    return content[: 1 << 20]


@given(
    st.one_of(st.binary(max_size=300), st.builds(bytes.__add__, st.sampled_from(BEGINNINGS), st.binary(max_size=300)))
)
@settings(max_examples=1000)
@example(b"")
@example(b"\xff")
def test_any_bytes_are_told_or_described(head: bytes) -> None:
    found = sniff(head)
    assert found is None or (found.isascii() and re.fullmatch(r"(image|video|audio|application)/[a-z0-9.+-]+", found))
    assert found == sniff(head[:HEAD])
    assert len(describe(head)) < 100


@pytest.fixture
def probed(tmp_path: Path) -> Iterator[Callable[[bytes], None]]:
    """Looks into a file, as the server does, and judges the answer."""

    def probe(content: bytes) -> None:
        path.write_bytes(content)
        started = time.perf_counter()
        found = runner.run(looked())
        assert time.perf_counter() - started < SLOWEST
        if isinstance(found, Problem):
            assert found.kind is Kind.BAD_MEDIA
            assert len(found.message) > 20
            assert str(tmp_path) not in found.message
        else:
            assert dishonest(found, len(content)) is None, found

    async def looked() -> MediaInfo | Problem:
        try:
            return await prober.probe(path)
        except Problem as problem:
            return problem

    path = tmp_path / "file"
    with asyncio.Runner() as runner:
        prober = Prober(Inputs())
        path.write_bytes(corpus.good("png"))
        runner.run(looked())  # the child is up
        yield probe
        runner.run(prober.close())


def test_spoiled_files_are_refused_or_measured_honestly(
    probed: Callable[[bytes], None], rounds: Rounds, pytestconfig: pytest.Config
) -> None:
    kinds = st.sampled_from(sorted(corpus.MAKERS))

    @fuzzing(150, pytestconfig)
    @given(kinds, kinds, edits)
    def fuzz(kind: str, other: str, changes: list[Edit]) -> None:
        probed(spoiled(kind, other, changes))

    rounds(fuzz)


def test_noise_with_a_true_beginning_is_refused_or_measured_honestly(
    probed: Callable[[bytes], None], rounds: Rounds, pytestconfig: pytest.Config
) -> None:
    @fuzzing(100, pytestconfig)
    @given(st.sampled_from(BEGINNINGS), st.binary(max_size=2000))
    def fuzz(mark: bytes, rest: bytes) -> None:
        probed(mark + rest)

    rounds(fuzz)


# -- URLs -----------------------------------------------------------------------------------

PIECES = [url for urls in REFUSED.values() for url in urls] + list(LEADS_TO)
urls = st.one_of(
    st.text(max_size=80),
    st.builds("http://{}/{}".format, st.text(max_size=30), st.text(max_size=20)),
    st.builds("{}://{}{}{}:{}/".format, *[st.sampled_from(["http", "8.8.8.8", "[::1]", "@", "#", ".", "1", "\\"])] * 5),
    st.builds(lambda one, two, at: one[:at] + two[at:], *[st.sampled_from(PIECES)] * 2, st.integers(0, 40)),
    st.builds("http://{}/".format, st.ip_addresses().map(lambda ip: f"[{ip}]" if ip.version == 6 else str(ip))),
)


def test_a_url_is_refused_with_a_reason_or_leads_to_a_public_place(rounds: Rounds, pytestconfig: pytest.Config) -> None:
    client = SafeClient(Net())

    @fuzzing(1500, pytestconfig)
    @given(urls)
    def fuzz(url: str) -> None:
        try:
            target = client.check(url)
        except Problem as problem:
            assert problem.kind is Kind.UNREACHABLE_MEDIA
            assert problem.message.startswith("refused: ")
            return
        host = target.raw_host or ""
        assert target.scheme in ("http", "https")
        assert target.port in (80, 443)
        assert target.raw_user is None and target.raw_password is None
        assert not (address_flaw(host) if is_address(host) else name_flaw(host))
        again = client.check(str(target))  # what is requested is read in the same way once more
        assert ((again.raw_host or "").lower(), again.port) == (host.lower(), target.port)

    rounds(fuzz)


# -- what callers say to the files route -------------------------------------------------------


def test_a_range_lies_within_its_file(rounds: Rounds, pytestconfig: pytest.Config) -> None:
    numbers = st.one_of(st.just(""), st.integers(0, 10**20).map(str), st.text(max_size=3))
    texts = st.one_of(st.text(max_size=30), st.builds("bytes={}-{}".format, numbers, numbers))

    @fuzzing(500, pytestconfig)
    @given(texts, st.integers(0, 10**6))
    def fuzz(text: str, size: int) -> None:
        span = read_range(text, size)
        assert span is None or span == Span(0, 0) or 0 <= span.start < span.end <= size

    rounds(fuzz)


def test_no_invented_link_opens_a_file(rounds: Rounds, pytestconfig: pytest.Config, tmp_path: Path) -> None:
    assets = Assets(Files(), data=tmp_path, secret=b"a secret of the tests")
    now = 1_700_000_000.0
    good = assets.link("0" * 64 + ".png", base="http://here", seconds=60, now=now)

    @fuzzing(500, pytestconfig)
    @given(
        st.one_of(
            st.text(max_size=200), st.builds(corpus_edit, st.just(good), st.integers(0, 200), st.text(max_size=4))
        )
    )
    def fuzz(url: str) -> None:
        found = asyncio.run(assets.resolve_link(url, now=now))
        assert found is None or url.partition("/files/")[2] == good.partition("/files/")[2]

    rounds(fuzz)


def corpus_edit(text: str, at: int, piece: str) -> str:
    at %= len(text)
    return text[:at] + piece + text[at + 1 :]
